"""The benchmarks run, and say what they measure. How long anything takes is no test."""

import ast
import platform
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"
sys.path.append(str(BENCHMARKS))

import measuring  # noqa: E402 - after the line before
import peers  # noqa: E402
import profiles  # noqa: E402


def printed(script, *arguments):
    """What a script prints."""
    done = subprocess.run(
        [sys.executable, str(BENCHMARKS / script), *arguments],
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def cells(text, start):
    """The cells of the one row of a table that begins so."""
    (row,) = (line for line in text.splitlines() if line.startswith(f"| {start}"))
    return [cell.strip() for cell in row.strip("|").split("|")]


def test_a_process_has_its_time_its_peak_and_its_output():
    # Measured from a process of its own: this one may have more than the 300 million bytes.
    measured = "import measuring\nprint(measuring.run(['-c', {!r}])._asdict())".format(
        "text = b'x' * 300_000_000; print(len(text))"
    )
    text = subprocess.check_output([sys.executable, "-c", measured], cwd=BENCHMARKS, text=True)
    done = measuring.Process(**ast.literal_eval(text))
    assert done.output == "300000000\n"
    assert 300_000_000 <= done.peak < 600_000_000
    assert done.wall > 0
    assert done.cpu > 0


def test_a_process_that_fails_is_an_error_that_says_why():
    with pytest.raises(RuntimeError, match=r"ended with 3:\nno such tool"):
        measuring.run(["-c", "import sys; sys.stderr.write('no such tool'); sys.exit(3)"])


def test_two_processes_run_in_turn(tmp_path):
    log = tmp_path / "log"
    note = "import sys; open(sys.argv[1], 'a').write(sys.argv[2])"
    pairs = measuring.paired(["-c", note, str(log), "a"], ["-c", note, str(log), "b"], 3)
    assert len(pairs) == 3
    assert log.read_text() == "ababab"


@pytest.mark.parametrize(
    ("values", "text"),
    [([3, 1, 2], "2.00 (1.00–3.00)"), ([1, 4], "2.50 (1.00–4.00)"), ([2, 2], "2.00")],
)
def test_a_spread_is_a_median_between_two_ends(values, text):
    assert measuring.spread(values).text() == text


def test_work_is_repeated_until_its_runs_or_its_time_are_over():
    calls = []
    assert measuring.timed(lambda: calls.append(1), 5).least >= 0
    assert len(calls) == 5
    measuring.timed(lambda: calls.append(1), 5, seconds=0)
    assert len(calls) == 6


def test_a_table_has_text_first_and_numbers_after():
    assert measuring.table(["tool", "ms"], [["a", "1"]]) == (
        "| tool | ms |\n| :--- | ---: |\n| a | 1 |\n"
    )


@pytest.mark.parametrize(
    ("file", "owner"),
    [
        ("/somewhere/convcalc/layers/window.py", "convcalc.layers"),
        ("/somewhere/convcalc/graph.py", "convcalc.graph"),
        ("/convcalc/venv/site-packages/rich/table.py", "rich"),
        ("/venv/site-packages/typer/_click/core.py", "typer"),
        ("/usr/lib/python3.11/re/_parser.py", "standard library"),
        ("<string>", "standard library"),
    ],
)
def test_code_belongs_to_a_room_or_a_library(file, owner):
    assert profiles.owner_of_file(file) == owner


@pytest.mark.parametrize(
    ("module", "owner"),
    [
        ("convcalc.layers.window", "convcalc.layers"),
        ("convcalc", "convcalc"),
        ("yaml.nodes", "yaml"),
        ("_yaml", "yaml"),
        ("decimal", "standard library"),
    ],
)
def test_a_module_belongs_to_a_room_or_a_library(module, owner):
    assert profiles.owner_of_module(module) == owner


def test_time_is_told_by_the_rooms_in_which_it_is_spent():
    # main calls load: 2 s of its own, 1 s in a built-in function, 4 s in a layer that it calls,
    # of which 1 s is in a function of the same room.
    main = ("/lib/main.py", 1, "main")
    load = ("/p/convcalc/sources/load.py", 1, "load")
    shape = ("/p/convcalc/layers/conv.py", 1, "shape")
    size = ("/p/convcalc/layers/window.py", 1, "size")
    built_in = ("~", 0, "sorted")
    stats = {
        main: (1, 1, 0.5, 7.5, {}),
        load: (1, 1, 2.0, 7.0, {main: (1, 1, 2.0, 7.0)}),
        built_in: (1, 1, 1.0, 1.0, {load: (1, 1, 1.0, 1.0)}),
        shape: (1, 1, 3.0, 4.0, {load: (1, 1, 3.0, 4.0)}),
        size: (1, 1, 1.0, 1.0, {shape: (1, 1, 1.0, 1.0)}),
    }
    own, within = profiles.by_owner(SimpleNamespace(stats=stats))
    assert own == {"standard library": 0.5, "convcalc.sources": 3.0, "convcalc.layers": 4.0}
    assert within == {"convcalc.sources": 7.0, "convcalc.layers": 4.0}


@pytest.mark.parametrize("arguments", [["--version"], ["analyze", "no such network"]])
def test_a_command_does_not_look_for_cycles_when_it_ends(arguments):
    # Of its time the search that Python makes last would take a seventh.
    statements = [
        "import atexit, gc, sys",
        "from convcalc.__main__ import main",
        "atexit.register(lambda: print(gc.isenabled(), gc.get_freeze_count()))",
        f"sys.argv = {['convcalc', *arguments]}",
        "main()",
    ]
    done = subprocess.run(
        [sys.executable, "-c", "; ".join(statements)], capture_output=True, text=True, check=False
    )
    is_enabled, frozen = done.stdout.splitlines()[-1].split()
    assert is_enabled == "False"
    assert int(frozen) > 1000


def test_start_up_is_told_beside_its_floor():
    text = printed("startup.py", "1")
    assert len(cells(text, "convcalc analyze resnet::resnet50")) == 4
    assert len(cells(text, "typer, rich, PyYAML and a table")) == 4
    assert "the limit is 1.3" in text


def test_text_to_totals_is_told_of_each_network():
    text = printed("in_process.py", "1")
    assert [float(cell) >= 0 for cell in cells(text, "resnet::resnet152")[1:]] == [True, True]


def test_formulas_are_told_of_each_network():
    assert cells(printed("formulas.py", "1"), "150 sizes")[1:4:2] == ["150", "50"]


def test_the_profile_tells_of_imports_and_of_rooms():
    text = printed("profiles.py", "1")
    imports, command, network = text.split("| :---")[1:]
    assert int(cells(imports, "convcalc.layers")[1]) > 5
    for part in (command, network):
        _, own, share, with_calls = cells(part, "convcalc.sources")
        assert float(with_calls) >= float(own) > 0
        assert int(share.removesuffix(" %")) > 0
    assert cells(command, "rich")[3] == ""


def test_all_goes_into_one_report(tmp_path):
    report = tmp_path / "report.md"
    printed(".", "--only", "growth", "--most-layers", "1000", "--report", str(report))
    text = report.read_text(encoding="utf-8")
    assert text.startswith("# Benchmarks\n")
    assert cells(text, "Python |")[1] == platform.python_version()
    assert platform.node() not in text
    assert "## Growth\n\nHow time and memory grow with the layers" in text
    first, second, *_ = (cells(line, "") for line in text.splitlines() if line.startswith("| 1"))
    assert (first[0], second[0]) == ("100", "1,000")
    assert first[2::2] == [""] * 4
    assert all(float(ratio) > 0 for ratio in second[2::2])


def test_tools_that_are_not_installed_are_named_and_left_out(monkeypatch, capsys):
    monkeypatch.setattr(peers, "find_spec", lambda name: None if name != "torch" else name)
    monkeypatch.setattr(
        sys, "argv", ["peers.py", "--runs", "1", "--networks", "alexnet", "--chains", "2,4"]
    )
    peers.main()
    text = capsys.readouterr().out
    for tool in peers.TOOLS:
        assert f"**Not installed, and left out: {tool.name}** (torchvision" in text
        assert f"| {tool.name}" not in text
    assert len(cells(text.partition("### Inside")[0], "convcalc |")) == 7


def test_a_network_that_is_not_measured_is_refused(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["peers.py", "--networks", "alexnet,lenet"])
    with pytest.raises(SystemExit) as exit_:
        peers.main()
    assert exit_.value.code == 2
    assert "there are alexnet, resnet50" in capsys.readouterr().err


@pytest.mark.oracle
def test_every_tool_counts_as_convcalc_says_that_it_does():
    missing = sorted({name for tool in peers.TOOLS for name in peers.missing(tool)})
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")
    text = printed("peers.py", "--runs", "1", "--networks", "alexnet", "--chains", "2,4")
    assert "Not installed" not in text
    summary, whole, inside = re.split(r"\*\*AlexNet\*\*|### Inside a process", text)
    for tool in peers.TOOLS:
        assert len(cells(summary, tool.title)) == 3
        assert len(cells(whole, tool.title)) == 7
        assert len(cells(inside, tool.title)) == 7
        _, _, _, verdict, _, parameters = cells(text, f"AlexNet, {tool.name}")
        assert verdict == ("the same" if tool.convention else "no such convention")
        assert parameters == "the same"


def test_the_documentation_shows_the_report_s_ratios():
    summary = re.compile(r"(?m)^\| times convcalc .*\n(?:\|.*\n)+")
    (reported,) = summary.findall((BENCHMARKS / "report.md").read_text(encoding="utf-8"))
    page = BENCHMARKS.parent / "docs" / "trust.md"
    assert summary.findall(page.read_text(encoding="utf-8")) == [reported]
