"""The command line as a user meets it: whole processes, pipes and terminals."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from console import heed_interrupts
from git_repository import Repository

from convcalc import __version__

TINY = """\
input: [3, 32, 32]
layers:
  - conv: {out_channels: 8, kernel_size: 3}
  - relu
"""
FAMILY = """\
vars: {c: 8}
variants: {small: {}, large: {c: 16}}
input: [3, 32, 32]
layers:
  - conv: {out_channels: c, kernel_size: 3, padding: 1}
"""


class TestAnalyze:
    def test_piped_output_lists_every_layer_without_escapes(self, run):
        done = run("analyze", "resnet::resnet50")
        assert done.returncode == 0
        assert done.stderr == ""
        assert "\x1b" not in done.stdout
        assert "stage4.bottleneck3.conv_bn3.batch_norm" in done.stdout
        assert "25,557,032" in done.stdout
        assert "4,089,184,256" in done.stdout
        # Title, header, two rules, 175 layers, the total and three or more sentences.
        assert len(done.stdout.splitlines()) >= 175 + 8

    def test_output_is_the_same_every_time(self, run):
        first = run("analyze", "googlenet", "--format", "json", PYTHONHASHSEED="1")
        second = run("analyze", "googlenet", "--format", "json", PYTHONHASHSEED="2")
        assert first.stdout == second.stdout

    @pytest.mark.parametrize("columns", [60, 80, 100, 160])
    def test_the_table_fits_the_terminal_and_cuts_no_number(self, terminal, columns):
        shown, code = terminal("analyze", "resnet::resnet50", columns=columns, NO_COLOR="1")
        assert code == 0
        assert "\x1b" not in shown
        assert all(len(line) <= columns for line in shown.splitlines())
        for number in ("25,557,032", "4,089,184,256", "372,506,624"):
            assert number in shown
        assert "stage4.bottleneck3" in shown
        # Folded: 3 stages' worth of bottlenecks in rows of their own, not their 175 layers.
        assert "conv_bn3" not in shown.replace("shortcut.conv_bn", "")

    def test_a_terminal_gets_colour_unless_it_declines(self, terminal):
        assert "\x1b[1m" in terminal("analyze", "lenet5")[0]
        assert "\x1b" not in terminal("analyze", "lenet5", NO_COLOR="1")[0]
        assert "\x1b" not in terminal("analyze", "lenet5", "--color", "never")[0]

    def test_colour_can_be_forced_through_a_pipe(self, run):
        done = run("analyze", "lenet5", "--format", "table", "--color", "always")
        assert "\x1b[1m" in done.stdout

    def test_depth_folds_and_unfolds(self, run):
        folded = run("analyze", "resnet::resnet50", "--depth", "1").stdout
        assert "\nstage3 " in folded
        assert "bottleneck" not in folded.split("FLOPs")[0]
        whole = run("analyze", "resnet::resnet50", "--format", "table", "--depth", "all").stdout
        assert "stage3.bottleneck6.conv_bn3.conv" in whole

    def test_depth_totals_are_the_sums_of_the_layers(self, run):
        rows = run("analyze", "resnet::resnet50", "--depth", "1").stdout.splitlines()
        (stage4,) = (row.split() for row in rows if row.startswith("stage4"))
        # 6,039,552 + 2 · 4,462,592
        assert "14,964,736" in stage4

    def test_columns_are_chosen_by_name(self, run):
        done = run("analyze", "lenet5", "--columns", "name,input,weights,jump")
        assert "weight 6×1×5×5, bias 6" in done.stdout
        assert "Multiply-adds" not in done.stdout.splitlines()[1]

    def test_a_huge_flat_network_is_not_dumped_on_a_terminal(self, spec, terminal):
        path = spec("input: [1, 4, 4]\nlayers:\n  - repeat: 5000\n    relu:\n")
        shown, code = terminal("analyze", path, NO_COLOR="1")
        assert code == 0
        assert len(shown.splitlines()) < 60
        assert "4,960 rows are not shown" in shown

    def test_set_overrides_a_variable(self, run):
        done = run("analyze", "mobilenet_v1", "--set", "width=0.5", "--format", "json")
        totals = json.loads(done.stdout)["networks"][0]["totals"]
        assert totals["params"] == 1_331_592
        assert json.loads(done.stdout)["networks"][0]["published"] == []

    def test_batch_and_dtype_scale_bytes_but_not_counts(self, run):
        def totals(*options):
            done = run("analyze", "lenet5", "--format", "json", *options)
            return json.loads(done.stdout)["networks"][0]["totals"]

        one, eight = totals(), totals("--batch", "8", "--dtype", "float16")
        assert eight["macs"] == one["macs"]
        assert eight["activation_elements"] == one["activation_elements"]
        assert eight["activation_bytes"] == 4 * one["activation_bytes"]  # 8 samples of half size
        assert eight["weight_bytes"] * 2 == one["weight_bytes"]
        apart = totals("--weights-dtype", "int8", "--activations-dtype", "float64")
        assert apart["weight_bytes"] * 4 == one["weight_bytes"]
        assert apart["activation_bytes"] == 2 * one["activation_bytes"]

    def test_several_networks_are_reported_in_turn(self, run):
        done = run("analyze", "lenet5", "inception_3a")
        assert done.stdout.index("lenet5 · input") < done.stdout.index("inception_3a · input")

    def test_standard_input(self, run):
        done = run("analyze", "-", "--format", "json", stdin=TINY)
        # 8·3·9 + 8
        assert json.loads(done.stdout)["networks"][0]["totals"]["params"] == 224

    def test_a_shipped_network_is_found_from_anywhere(self, run, tmp_path):
        done = run("analyze", "resnet::resnet18", "--format", "csv", cwd=tmp_path)
        assert done.returncode == 0
        assert done.stdout.startswith("network,name,kind,inputs,output_shape,params,")

    def test_a_file_wins_over_a_shipped_network(self, run, spec, tmp_path):
        spec(TINY, name="lenet5")
        done = run("analyze", "lenet5", "--format", "json", cwd=tmp_path)
        assert json.loads(done.stdout)["networks"][0]["totals"]["params"] == 224

    def test_a_name_that_looks_like_markup_survives(self, spec, terminal):
        path = spec(
            "input: [3, 8, 8]\nlayers:\n  - relu:\n    name: conv[a-z]\n"
            "  - relu:\n    name: '[bold]x[/bold]'\n  - relu:\n    name: ':smile:'\n"
        )
        shown, _ = terminal("analyze", path, NO_COLOR="1")
        for name in ("conv[a-z]", "[bold]x[/bold]", ":smile:"):
            assert name in shown

    def test_a_warning_goes_to_stderr_and_changes_nothing(self, run, spec):
        path = spec(TINY + "published: {params: 225, from: a slip of the pen}\n")
        done = run("analyze", path)
        assert done.returncode == 0
        assert "warning[W501]" in done.stderr
        assert "W501" not in done.stdout


class TestFormats:
    def test_json_is_the_contract(self, run):
        report = json.loads(run("analyze", "resnet::resnet50", "--format", "json").stdout)
        assert report["schema_version"] == 1
        assert report["convcalc"] == __version__
        (network,) = report["networks"]
        assert network["name"] == "resnet50"
        assert network["spec"] == "specs/resnet.yaml::resnet50"
        assert network["inputs"] == {"input": [3, 224, 224]}
        assert network["batch"] == 1
        assert network["dtype"] == {"weights": "float32", "activations": "float32"}
        totals = network["totals"]
        assert totals["layers"] == 175 == len(network["layers"])
        assert totals["params"] == 25_557_032
        assert totals["buffers"] == 53_120
        assert totals["macs"] == 4_089_184_256
        assert totals["weight_bytes"] == 4 * 25_557_032
        assert totals["flops"] == 2 * totals["macs"] + sum(totals["operations"].values())
        assert {
            "activation_elements",
            "activation_bytes",
            "peak_activation_bytes",
            "training_bytes",
            "receptive_field",
        } <= set(totals)
        stem = network["layers"][0]
        assert stem["name"] == "stem.conv"
        assert stem["kind"] == "conv"
        assert stem["inputs"] == ["input"]
        assert stem["input_shapes"] == [[3, 224, 224]]
        assert stem["output_shape"] == [64, 112, 112]
        assert stem["weights"] == {"weight": [64, 3, 7, 7]}
        assert stem["params"] == 9_408
        assert stem["macs"] == 118_013_952
        assert stem["activation_elements"] == 802_816
        assert stem["receptive_field"] == {
            "size": [7, 7],
            "jump": [2, 2],
            "start": [-3, -3],
            "aligned": True,
        }

    def test_csv_has_a_row_a_layer_with_raw_integers(self, run):
        rows = list(csv.DictReader(io.StringIO(run("analyze", "lenet5", "--format", "csv").stdout)))
        assert len(rows) == 12
        assert sum(int(row["params"]) for row in rows) == 61_706
        assert rows[0]["output_shape"] == "6x28x28"

    def test_markdown_is_a_table(self, run, spec):
        path = spec("input: [3, 8, 8]\nlayers:\n  - relu:\n    name: a|b*c\n")
        lines = run("analyze", path, "--format", "markdown").stdout.splitlines()
        assert lines[0] == "### net · input 3×8×8"
        assert lines[2].startswith("| Layer | Kind |")
        assert lines[3].startswith("| :--- | :--- |")
        assert r"| a\|b\*c |" in lines[4]
        assert "**Total, 1 layers**" in lines[5] or "**Total, 1 layer**" in lines[5]

    def test_exports_are_what_stdout_would_be(self, run, tmp_path):
        report, table = tmp_path / "out.json", tmp_path / "out.md"
        done = run(
            "analyze", "lenet5", "--export", f"json:{report}", "--export", f"markdown:{table}"
        )
        assert done.returncode == 0
        assert report.read_text() == run("analyze", "lenet5", "--format", "json").stdout
        assert table.read_text() == run("analyze", "lenet5", "--format", "markdown").stdout
        assert sorted(path.name for path in tmp_path.iterdir()) == ["out.json", "out.md"]

    def test_exports_are_written_all_or_none(self, run, tmp_path):
        good, bad = tmp_path / "out.json", tmp_path / "missing" / "out.json"
        done = run("analyze", "lenet5", "--export", f"json:{good}", "--export", f"json:{bad}")
        assert done.returncode == 2
        assert "error[E403]" in done.stderr
        assert done.stdout == ""
        assert list(tmp_path.iterdir()) == []

    def test_a_bad_spec_exports_nothing(self, run, spec, tmp_path):
        out = tmp_path / "out.json"
        out.write_text("as it was")
        done = run("analyze", spec("layers: [relu]\n"), "--export", f"json:{out}")
        assert done.returncode == 2
        assert out.read_text() == "as it was"


class TestSettings:
    def test_what_was_set_stands_in_the_title(self, run):
        done = run("analyze", "mobilenet_v1", "--set", "width=0.5")
        assert done.stdout.startswith("mobilenet_v1 · width=0.5 · input 3×224×224\n")
        done = run("compare", "resnet::resnet18", "resnet::resnet34", "--set", "H=64")
        assert done.stdout.startswith("Comparison with resnet18 · H=64\n")

    def test_json_has_what_was_set(self, run):
        done = run("analyze", "mobilenet_v1", "--set", "width=1/2", "--format", "json")
        assert json.loads(done.stdout)["networks"][0]["settings"] == {"width": "1/2"}


class TestCompare:
    def test_the_two_inception_modules(self, run):
        done = run("compare", "specs/inception_naive.yaml", "specs/inception_bottleneck.yaml")
        assert done.returncode == 0
        assert (
            "inception_bottleneck uses 3.15× fewer multiply-adds and 3.14× fewer parameters "
            "than inception_naive." in done.stdout
        )
        macs = next(line for line in done.stdout.splitlines() if line.startswith("Multiply-adds"))
        assert macs.split() == ["Multiply-adds", "854,196,224", "271,351,808", "0.318×"]
        output = next(line for line in done.stdout.splitlines() if line.startswith("Output"))
        assert output.split() == ["Output", "672×28×28", "480×28×28"]

    def test_one_file_compares_its_variants(self, run, spec):
        done = run("compare", spec(FAMILY))
        assert "large uses 2.00× more multiply-adds and 2.00× more parameters" in done.stdout

    def test_more_than_four_networks_stand_below_each_other(self, run):
        done = run("compare", "conv_families::*_2d")
        rows = {line.split()[0]: line.split() for line in done.stdout.splitlines() if "×" in line}
        # 1/32 + 1/9 = 0.1423
        assert rows["separable_2d"][5:9] == ["1,312", "0.142×", "83,968", "0.142×"]
        assert "Ratios are to conv_2d" in done.stdout
        assert len([name for name in rows if name.endswith("_2d")]) == 14

    def test_a_pattern_stands_for_the_variants_that_it_fits(self, run, spec):
        assert run("compare", f"{spec(FAMILY)}::*").returncode == 0
        done = run("analyze", "vgg::vgg1?_bn", "--format", "json")
        names = [network["name"] for network in json.loads(done.stdout)["networks"]]
        assert names == ["vgg11_bn", "vgg13_bn", "vgg16_bn", "vgg19_bn"]
        done = run("analyze", "vgg::resnet*")
        assert done.returncode == 2
        assert "error[E401]" in done.stderr

    def test_the_reference_can_be_named(self, run, spec):
        path = spec(FAMILY)
        done = run("compare", path, "--reference", "large")
        assert "small uses 2.00× fewer multiply-adds" in done.stdout
        assert run("compare", path, "--reference", "lagre").returncode == 2

    def test_networks_of_one_name_are_told_apart(self, run, spec):
        first, second = spec(TINY, "a.yaml"), spec(TINY.replace("8,", "16,"), "b.yaml")
        first.write_text("name: net\n" + first.read_text())
        second.write_text("name: net\n" + second.read_text())
        done = run("compare", first, second)
        assert str(first) in done.stdout
        assert str(second) in done.stdout

    def test_layer_by_layer(self, run, spec):
        before = spec(
            "input: [3, 8, 8]\nlayers:\n"
            "  - {conv: {out_channels: 8, kernel_size: 1}, name: a}\n  - {relu: , name: b}\n",
            "before.yaml",
        )
        after = spec(
            "input: [3, 8, 8]\nlayers:\n"
            "  - {conv: {out_channels: 16, kernel_size: 1}, name: a}\n  - {tanh: , name: c}\n",
            "after.yaml",
        )
        lines = run("compare", before, after, "--layers").stdout.splitlines()
        # 8·8·8·3 = 1,536 and 3,072 multiply-adds; 8·3 + 8 = 32 and 64 parameters
        assert ["a", "~", "1,536", "3,072", "32", "64"] in [line.split() for line in lines]
        assert any(line.split()[:2] == ["b", "-"] for line in lines)
        assert any(line.split()[:2] == ["c", "+"] for line in lines)

    def test_json_has_the_ratios(self, run):
        done = run("compare", "inception_3a_naive", "inception_3a", "--format", "json")
        report = json.loads(done.stdout)
        assert [network["name"] for network in report["networks"]] == [
            "inception_3a_naive",
            "inception_3a",
        ]
        ratios = report["comparison"]["ratios"][1]
        # 163,328 / 387,072
        assert ratios["params"] == pytest.approx(0.421957, abs=1e-6)

    def test_csv_has_a_row_a_metric(self, run):
        done = run("compare", "inception_3a_naive", "inception_3a", "--format", "csv")
        rows = list(csv.DictReader(io.StringIO(done.stdout)))
        assert {"network": "inception_3a", "metric": "macs", "value": "128049152"}.items() <= next(
            row for row in rows if row["network"] == "inception_3a" and row["metric"] == "macs"
        ).items()

    def test_one_network_cannot_be_compared(self, run):
        done = run("compare", "lenet5")
        assert done.returncode == 2
        assert "error[E404]" in done.stderr

    @pytest.mark.parametrize("columns", [80, 160])
    def test_many_networks_fit_the_terminal(self, terminal, columns):
        shown, _ = terminal("compare", "vgg", columns=columns, NO_COLOR="1")
        assert all(len(line) <= columns for line in shown.splitlines())
        # Every network's parameters are there, whole.
        for params in ("132,863,336", "143,678,248", "138,365,992"):
            assert params in shown


class TestFindings:
    def test_all_findings_of_all_specs_and_no_output(self, run, spec):
        first = spec(TINY.replace("kernel_size", "kernal"), "first.yaml")
        second = spec(TINY.replace("relu", "rellu"), "second.yaml")
        done = run("analyze", first, "lenet5", second)
        assert done.returncode == 2
        assert done.stdout == ""
        assert "first.yaml:3:29: error[E104]" in done.stderr
        assert "second.yaml:4:5: error[E106]" in done.stderr

    def test_a_finding_reads_like_a_compilers(self, run, spec, tmp_path):
        spec("input: [3, 32, 32]\nlayers:\n  - conv: {out_channels: 64, kernal: 3}\n")
        done = run("analyze", "net.yaml", cwd=tmp_path)
        assert done.stderr == (
            "net.yaml:3:30: error[E104]: unknown key `kernal` in a `conv` layer\n"
            "  |\n"
            "3 |   - conv: {out_channels: 64, kernal: 3}\n"
            "  |                              ^^^^^^\n"
            "  = help: did you mean `kernel_size`?\n"
        )

    @pytest.mark.parametrize(
        "arguments",
        [
            ["analyze", "no-such.yaml"],
            ["analyze", "."],
            ["analyze", "resnet::resnet51"],
            ["analyze", "lenet5", "--dtype", "float33"],
            ["analyze", "lenet5", "--format", "xml"],
            ["analyze", "lenet5", "--depth", "0"],
            ["analyze", "lenet5", "--depth", "deep"],
            ["analyze", "lenet5", "--columns", "name,cost"],
            ["analyze", "lenet5", "--set", "H"],
            ["analyze", "lenet5", "--set", "H=3"],
            ["analyze", "lenet5", "--batch", "0"],
            ["analyze", "lenet5", "--color", "sometimes"],
            ["analyze", "lenet5", "--export", "json"],
            ["analyze", "lenet5", "--export", "xml:out"],
            ["analyze", "lenet5", "--no-such-option"],
            ["analyze"],
            ["explode", "lenet5"],
            ["compare", "lenet5", "no-such.yaml"],
            ["compare", "lenet5", "inception_3a", "--depth", "1"],
            ["specs", "--batch", "2"],
        ],
    )
    def test_what_cannot_be_understood_exits_with_2(self, run, arguments):
        done = run(*arguments)
        assert done.returncode == 2
        assert done.stdout == ""
        assert done.stderr
        assert "Traceback" not in done.stderr

    def test_escape_sequences_never_reach_the_terminal(self, run, spec):
        path = spec('input: [3, 8, 8]\nlayers:\n  - "\\e[31mred\\e]0;title\\a"\n')
        done = run("analyze", path)
        assert done.returncode == 2
        assert "\x1b" not in done.stderr
        assert "\x07" not in done.stderr


class TestExits:
    def test_a_closed_pipe_is_141_without_a_traceback(self):
        reader, writer = os.pipe()
        os.close(reader)
        done = subprocess.run(
            [sys.executable, "-m", "convcalc", "analyze", "resnet::resnet152"],
            stdout=writer,
            stderr=subprocess.PIPE,
            check=False,
        )
        os.close(writer)
        assert done.returncode == 141
        assert done.stderr == b""

    def test_ctrl_c_is_130(self):
        process = subprocess.Popen(
            [sys.executable, "-m", "convcalc", "analyze", "-"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=heed_interrupts,  # noqa: PLW1509 - no threads here
        )
        time.sleep(1.5)  # it waits for its input
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=20)
        assert process.returncode == 130
        assert b"Traceback" not in stderr

    def test_a_defect_is_3_and_asks_for_a_report(self, tmp_path):
        # An analysis that fails in a way that nobody foresaw.
        script = tmp_path / "broken.py"
        script.write_text(
            "import sys, convcalc.analysis, convcalc.cli\n"
            "def broken(*a, **k): raise ZeroDivisionError('unforeseen')\n"
            "convcalc.analysis.analyze_graph = broken\n"
            "sys.argv = ['convcalc', 'analyze', 'lenet5']\n"
            "convcalc.cli.main()\n"
        )
        done = subprocess.run(
            [sys.executable, str(script)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 3
        assert "ZeroDivisionError" in done.stderr
        assert "report it" in done.stderr
        assert "Traceback" not in done.stderr

    def test_a_terminal_that_cannot_show_a_floor_shows_something(self, run, spec):
        path = spec("input: [3, 5, 5]\nlayers:\n  - max_pool: {kernel_size: 7}\n")
        done = run("analyze", path, PYTHONIOENCODING="ascii")
        assert done.returncode == 2
        assert "error[E302]" in done.stderr


class TestHelp:
    def test_version(self, run):
        assert run("--version").stdout == f"convcalc {__version__}\n"

    @pytest.mark.parametrize("command", ["analyze", "compare", "check", "specs"])
    def test_help_shows_an_example(self, run, command):
        done = run(command, "--help")
        assert done.returncode == 0
        assert "convcalc " in done.stdout

    def test_specs_lists_names_that_analyze_takes(self, run):
        done = run("specs", "--format", "json")
        names = [row["name"] for row in json.loads(done.stdout)["specs"]]
        assert "resnet::resnet50" in names
        assert "lenet5" in names
        again = run("analyze", *names, "--format", "csv")
        assert again.returncode == 0


class TestShippedNetworks:
    def test_all_are_listed_with_their_size_and_their_source(self, run):
        rows = run("specs").stdout.splitlines()
        row = next(row for row in rows if row.startswith("resnet::resnet50 "))
        assert row.split() == [
            *("resnet::resnet50", "25,557,032", "4,089,184,256"),
            "https://arxiv.org/abs/1512.03385",
        ]

    @pytest.mark.parametrize("columns", [80, 240])
    def test_the_source_stands_below_where_there_is_no_room_for_it(self, terminal, columns):
        shown, _ = terminal("specs", columns=columns, NO_COLOR="1")
        assert "https://arxiv.org/abs/1610.02357" in shown
        assert ("xception: https://arxiv.org/abs/1610.02357" in shown) is (columns == 80)


class TestSchema:
    def test_it_is_json(self, run):
        done = run("schema")
        assert done.returncode == 0
        assert json.loads(done.stdout)["title"] == "convcalc spec"


class TestMemory:
    def test_the_timeline_and_the_peak(self, run):
        done = run("analyze", "lenet5", "--memory")
        assert done.returncode == 0
        assert "◀ peak" in done.stdout
        # 6·28·28 numbers of 4 bytes before and behind the first tanh: 37,632 bytes
        assert "The peak, 36.75 KiB at tanh1" in done.stdout

    def test_json_has_the_timeline_only_if_asked_for(self, run):
        plain = json.loads(run("analyze", "lenet5", "--format", "json").stdout)
        assert "memory" not in plain["networks"][0]
        done = run("analyze", "lenet5", "--memory", "--format", "json", "--in-place")
        memory = json.loads(done.stdout)["networks"][0]["memory"]
        assert memory["in_place"] is True
        assert len(memory["steps"]) == 12

    @pytest.mark.parametrize("columns", [60, 80, 160])
    def test_it_fits_the_terminal(self, terminal, columns):
        shown, _ = terminal("analyze", "densenet", "--memory", columns=columns, NO_COLOR="1")
        assert all(len(line) <= columns for line in shown.splitlines())

    def test_an_unknown_order_or_optimizer_is_refused(self, run):
        done = run("analyze", "lenet5", "--order", "bset")
        assert done.returncode == 2
        assert "did you mean 'best'?" in done.stderr
        done = run("analyze", "lenet5", "--optimizer", "adma")
        assert done.returncode == 2
        assert "did you mean 'adam'?" in done.stderr


class TestDevice:
    def test_a_device_by_its_name(self, run):
        done = run("analyze", "mobilenet_v1", "--device", "jetson-nano", "--depth", "1")
        assert done.returncode == 0
        assert "On jetson-nano (118 G multiply-adds/s, 25.6 GB/s" in done.stdout

    def test_a_device_by_its_rates(self, run):
        done = run(
            "analyze", "lenet5", "--peak-macs", "1M", "--bandwidth", "1GB/s", "--format", "json"
        )
        roof = json.loads(done.stdout)["networks"][0]["roofline"]
        assert (roof["peak_macs"], roof["bandwidth"]) == (10**6, 10**9)
        # Its 416,520 multiply-adds alone take 0.41652 s.
        assert roof["time"] == pytest.approx(0.41652, rel=1e-3)
        assert roof["layers"][0]["bound"] == "compute"

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["--device", "v10"], "did you mean 'v100'?"),
            (["--peak-macs", "1G"], "--bandwidth"),
            (["--bandwidth", "1GB/s"], "--peak-macs"),
            (["--peak-macs", "1GB/s", "--bandwidth", "1GB/s"], "in bytes"),
            (["--peak-macs", "fast", "--bandwidth", "1GB/s"], "is no rate"),
            (["--columns", "name,time"], "add --device"),
        ],
    )
    def test_what_makes_no_device_is_said(self, run, arguments, said):
        done = run("analyze", "lenet5", *arguments)
        assert done.returncode == 2
        assert said in done.stderr
        assert done.stdout == ""


class TestReceptiveField:
    def test_where_not_all_positions_see_alike_there_is_a_star_and_a_line(self, run):
        done = run("analyze", "fpn", "--columns", "name,receptive_field,jump,start", "--depth", "1")
        rows = {line.split()[0]: line.split() for line in done.stdout.splitlines() if line}
        assert rows["stage5"] == ["stage5", "725×725", "32×32", "−362×−362"]
        assert rows["up4"][1] == "853×853*"
        assert "* Branches whose windows move apart" in done.stdout

    def test_without_the_column_there_is_no_star(self, run):
        assert "* Branches" not in run("analyze", "fpn").stdout

    def test_a_comparison_has_it_too(self, run):
        done = run("compare", "fpn::yolov3", "vgg::vgg16")
        assert "981×981*" in done.stdout
        assert "* Branches" in done.stdout


class TestOrder:
    BRANCHES = (
        "input: [4, 10, 10]\nlayers:\n  - parallel:\n      merge: concat\n      branches:\n"
        "        plain: [conv: {out_channels: 16, kernel_size: 1}]\n"
        "        squeezed:\n          - conv: {out_channels: 64, kernel_size: 1}\n"
        "          - conv: {out_channels: 2, kernel_size: 1}\n"
    )

    def test_the_layers_stand_in_the_order_that_was_found(self, run, spec):
        done = run("analyze", spec(self.BRANCHES), "--order", "best")
        assert [line.split()[0] for line in done.stdout.splitlines()[3:7]] == [
            *("squeezed.conv1", "squeezed.conv2", "plain.conv", "concat")
        ]
        # 4 + 64 + 2 channels of 400 bytes in place of 4 + 16 + 64
        assert "the peak is 27.34 KiB, in the spec's 32.81 KiB: no order" in done.stdout

    def test_json_has_both_peaks(self, run, spec):
        path = spec(self.BRANCHES)
        done = run("analyze", path, "--order", "best", "--memory", "--format", "json")
        order = json.loads(done.stdout)["networks"][0]["memory"]["order"]
        assert (order["given_peak_bytes"], order["peak_bytes"]) == (33_600, 28_000)
        assert order["is_exact"] is True
        assert order["layers"][0] == "squeezed.conv1"

    def test_a_comparison_says_it_of_each(self, run, spec):
        done = run("compare", spec(self.BRANCHES), "lenet5", "--order", "best", "--in-place")
        assert done.stdout.count("In place:") == 1
        assert "net: In this order the peak is" in done.stdout
        assert "lenet5: The order of the spec stays" in done.stdout


class TestOptionsThatDoNotGoTogether:
    def test_memory_has_no_columns_of_others(self, run):
        done = run("analyze", "lenet5", "--memory", "--columns", "name")
        assert done.returncode == 2
        assert "--memory has a table of its own" in done.stderr
        assert run("analyze", "lenet5", "--memory", "--device", "a100").returncode == 2
        done = run("analyze", "lenet5", "--memory", "--device", "a100", "--format", "json")
        assert {"memory", "roofline"} <= set(json.loads(done.stdout)["networks"][0])

    def test_csv_has_what_was_asked_for(self, run):
        done = run("analyze", "lenet5", "--format", "csv", "--memory", "--device", "a100")
        # csv is a table too: memory and device in one are for json
        assert done.returncode == 2
        done = run("analyze", "lenet5", "--format", "csv", "--memory")
        row = next(csv.DictReader(io.StringIO(done.stdout)))
        # the input, 1,024 numbers, and 6·28·28 of the first layer
        assert row["live_bytes"] == str(4 * (1_024 + 4_704))
        done = run("analyze", "lenet5", "--format", "csv", "--device", "a100")
        row = next(csv.DictReader(io.StringIO(done.stdout)))
        assert (row["read_bytes"], row["bound"]) == (str(4 * (1_024 + 156)), "memory")

    def test_a_report_says_what_its_numbers_are_for(self, run):
        done = run("analyze", "lenet5", "--in-place", "--optimizer", "adam", "--format", "json")
        network = json.loads(done.stdout)["networks"][0]
        assert (network["in_place"], network["order"], network["optimizer"]) == (
            *(True, "given", "adam"),
        )
        done = run("compare", "lenet5", "alexnet", "--optimizer", "adam")
        assert "Training memory is with the state of adam." in done.stdout


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device here")
@pytest.mark.parametrize("arguments", [["analyze", "lenet5"], ["schema"]])
def test_output_that_cannot_be_written_is_no_bug(arguments):
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "convcalc", *arguments],
            check=False,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert done.returncode == 2
    assert "the output cannot be written" in done.stderr


BUDGET = "budget: {max: {params: 224}}\n"
"""Of `TINY`: 8·27 weights and 8 biases."""


class TestCheck:
    def test_within_budget_is_0_and_says_so(self, run, spec):
        done = run("check", spec(TINY + BUDGET))
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.endswith("within budget: 1 limit of 1 network\n")

    def test_over_budget_is_1_and_nothing_else(self, run, spec):
        done = run("check", spec(TINY + BUDGET.replace("224", "223")))
        assert (done.returncode, done.stderr) == (1, "")
        assert "parameters 224 exceed 223 by 1 (0.4 %)" in done.stdout

    @pytest.mark.parametrize(
        "arguments",
        [
            ("no.yaml",),
            ("lenet5",),
            ("lenet5", "--max", "parms=1"),
            ("lenet5", "--max", "params"),
            ("lenet5", "--max", "peak_memory=5"),
            ("lenet5", "--max", "params=nan"),
            ("lenet5", "--max-increase", "macs=2%"),
            ("lenet5", "--max", "params=1", "--device", "abacus"),
            ("lenet5", "--max", "params=1", "--format", "table"),
            ("lenet5", "--max", "params=1", "--export", "json:no/such/folder/x.json"),
        ],
    )
    def test_what_cannot_be_judged_is_2(self, run, arguments):
        done = run("check", *arguments)
        assert done.returncode == 2
        assert "error[" in done.stderr
        assert "Traceback" not in done.stderr

    def test_what_cannot_be_judged_outweighs_what_is_exceeded(self, run):
        done = run("check", "no.yaml", "lenet5", "--max", "params=1")
        assert done.returncode == 2
        assert "parameters 61,706 exceed 1" in done.stdout

    def test_exit_zero_forgives_an_exceeded_budget_alone(self, run):
        limits = ("--max", "params=1", "--exit-zero")
        assert run("check", "lenet5", *limits).returncode == 0
        assert run("check", "lenet5", "no.yaml", *limits).returncode == 2

    def test_strict_lets_warnings_fail(self, run, spec):
        warns = spec(TINY + "budget: {max: {params: {limit: 1, level: warn}}}\n")
        assert run("check", warns).returncode == 0
        assert run("check", warns, "--strict").returncode == 1
        odd = spec(TINY + BUDGET + "published: {params: 9, from: me}\n", "odd.yaml")
        assert run("check", odd).returncode == 0
        assert run("check", odd, "--strict").returncode == 2

    def test_a_budget_file_in_the_folder_needs_no_naming(self, run, spec, tmp_path):
        spec(TINY)
        spec("version: 1\nbudgets: [{spec: net.yaml, max: {params: 224}}]\n", "budgets.yaml")
        assert run("check", cwd=tmp_path).returncode == 0

    def test_formats_may_be_several_at_once(self, run, tmp_path):
        kinds = ("text", "json", "markdown", "github", "gitlab", "junit", "sarif")
        exports = [part for kind in kinds for part in ("--export", f"{kind}:{tmp_path / kind}")]
        done = run("check", "lenet5", "--max", "params=1", "--format", "github", *exports)
        assert done.returncode == 1
        assert done.stdout == (tmp_path / "github").read_text()
        for kind in ("json", "gitlab", "sarif"):
            json.loads((tmp_path / kind).read_text())
        assert (tmp_path / "junit").read_text().startswith("<?xml")

    def test_reports_of_what_cannot_be_judged_are_written_too(self, run, tmp_path):
        # A report that is left from the run before would say that all is well.
        done = run("check", "no.yaml", "--export", f"json:{tmp_path / 'x.json'}")
        assert done.returncode == 2
        assert json.loads((tmp_path / "x.json").read_text())["outcome"] == "cannot judge"

    def test_a_request_without_sense_is_reported_in_every_format_too(self, run, tmp_path):
        done = run("check", "--format", "json", cwd=tmp_path)
        assert done.returncode == 2
        assert json.loads(done.stdout)["findings"][0]["code"] == "E609"
        done = run("check", "lenet5", "--max", "maks=1", "--format", "github")
        assert done.returncode == 2
        assert done.stdout.startswith("::error title=E602")

    def test_errors_are_json_where_json_is_asked_for(self, run):
        done = run("check", "no.yaml", "--format", "json")
        assert done.returncode == 2
        assert done.stderr == ""
        [finding] = json.loads(done.stdout)["findings"]
        assert finding["code"] == "E001"

    def test_the_environment_names_the_usual_format(self, run):
        done = run("check", "lenet5", "--max", "params=1", CONVCALC_FORMAT="json")
        assert json.loads(done.stdout)["outcome"] == "over budget"
        # It is of this command alone, and does the others no harm.
        assert run("analyze", "lenet5", CONVCALC_FORMAT="sarif").stdout.startswith("lenet5 ·")
        assert run("analyze", "lenet5", CONVCALC_FORMAT="csv").stdout.startswith("network,")
        assert run("analyze", "lenet5", CONVCALC_FORMAT="sarf").returncode == 2

    def test_an_option_that_cannot_be_understood_is_reported_too(self, run, tmp_path):
        export = f"junit:{tmp_path / 'x.xml'}"
        done = run("check", "lenet5", "--dtype", "foo", "--format", "json", "--export", export)
        assert done.returncode == 2
        assert json.loads(done.stdout)["findings"][0]["code"] == "E402"
        assert "unknown dtype" in (tmp_path / "x.xml").read_text()

    @pytest.mark.parametrize("closed", ["stdout", "stderr"])
    def test_a_closed_stream_changes_no_exit_code(self, closed, tmp_path):
        for limit, code in (("params=1", 1), ("params=1M", 0)):
            command = f"{sys.executable} -m convcalc check lenet5 --max {limit} "
            command += f"--export json:{tmp_path / 'x.json'} "
            command += {"stdout": ">&-", "stderr": "2>&-"}[closed]
            done = subprocess.run(["bash", "-c", command], capture_output=True, check=False)
            assert (done.returncode, done.stderr) == (code, b"")
            assert (tmp_path / "x.json").exists()

    def test_a_name_like_a_workflow_command_begins_no_line(self, run, spec):
        path = spec('name: "::error::x"\n' + TINY)
        done = run("check", path, "--max", "params=1")
        assert not any(line.startswith("::") for line in done.stdout.splitlines())

    def test_the_summary_is_added_to_githubs(self, run, tmp_path):
        file = tmp_path / "summary.md"
        file.write_text("before\n")
        done = run(
            "check", "lenet5", "--max", "params=1", "--summary", GITHUB_STEP_SUMMARY=str(file)
        )
        assert done.returncode == 1
        assert file.read_text().startswith("before\n<!-- convcalc check -->\n")
        without = run("check", "lenet5", "--max", "params=1", GITHUB_STEP_SUMMARY=str(file))
        assert without.returncode == 1
        assert file.read_text().count("<!-- convcalc check -->") == 1

    def test_the_terminal_shows_tables_that_fit(self, terminal):
        for columns in (80, 160):
            shown, code = terminal(
                *("check", "lenet5", "--max", "params=1", "--why"), columns=columns, NO_COLOR="1"
            )
            assert code == 1
            table = shown.partition("\n\n")[0]
            assert all(len(line) <= columns for line in table.splitlines())

    def test_baselines_are_written_and_held_against(self, run, spec, tmp_path):
        spec(TINY)
        spec(
            "version: 1\nbudgets: [{spec: net.yaml, baseline: main.json, "
            "max_increase: {params: 0}}]\n",
            "budgets.yaml",
        )
        assert run("check", cwd=tmp_path).returncode == 2
        done = run("check", "--update-baseline", cwd=tmp_path)
        assert (done.returncode, done.stderr) == (0, "wrote main.json\n")
        assert run("check", cwd=tmp_path).returncode == 0
        spec(TINY.replace("8", "9"))
        assert run("check", cwd=tmp_path).returncode == 1
        assert run("check", "--update-baseline", cwd=tmp_path).returncode == 0
        assert run("check", cwd=tmp_path).returncode == 0

    def test_a_saved_report_is_a_baseline(self, run, spec, tmp_path):
        path = spec(TINY)
        run("analyze", path, "--export", f"json:{tmp_path / 'main.json'}")
        against = ("--baseline", str(tmp_path / "main.json"), "--max-increase", "macs=0%")
        assert run("check", path, *against).returncode == 0


class TestExports:
    def test_a_link_stays_a_link(self, run, tmp_path):
        (tmp_path / "real").write_text("old")
        (tmp_path / "link").symlink_to("real")
        assert run("analyze", "lenet5", "--export", f"json:{tmp_path / 'link'}").returncode == 0
        assert (tmp_path / "link").is_symlink()
        assert "lenet5" in (tmp_path / "real").read_text()

    def test_a_pipe_is_written_into(self, tmp_path):
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe)
        with subprocess.Popen(["cat", str(pipe)], stdout=subprocess.PIPE) as reader:
            command = [sys.executable, "-m", "convcalc", "analyze", "lenet5"]
            subprocess.run(
                [*command, "--export", f"csv:{pipe}"], check=True, stdout=subprocess.DEVNULL
            )
            text, _ = reader.communicate(timeout=20)
        assert text.startswith(b"network,")
        assert pipe.is_fifo()

    def test_all_are_written_or_none(self, run, tmp_path):
        (tmp_path / "folder").mkdir()
        for other in ("junit:folder", "csv:no/such/x", "csv:first"):
            done = run(
                *("check", "lenet5", "--max", "params=1", "--export", "json:first"),
                *("--export", other.replace("csv", "text")),
                cwd=tmp_path,
            )
            assert done.returncode == 2
            assert "E403" in done.stderr
            assert [path.name for path in tmp_path.iterdir()] == ["folder"]


class TestBudgetInit:
    def test_what_it_writes_holds_exactly(self, run, tmp_path):
        done = run("budget", "init", "mobilenet_v2", "vgg::vgg11")
        assert (done.returncode, done.stderr) == (0, "")
        (tmp_path / "budgets.yaml").write_text(done.stdout)
        assert run("check", cwd=tmp_path).returncode == 0
        # VGG-11 has 132,863,336 parameters.
        tight = done.stdout.replace("132863336", "132863335")
        assert tight != done.stdout
        (tmp_path / "budgets.yaml").write_text(tight)
        assert run("check", cwd=tmp_path).returncode == 1

    def test_it_writes_no_file_over(self, run, spec, tmp_path):
        spec(TINY)
        arguments = ("budget", "init", "net.yaml", "--headroom", "10%", "--output", "budgets.yaml")
        done = run(*arguments, cwd=tmp_path)
        assert (done.returncode, done.stderr) == (0, "wrote budgets.yaml\n")
        # 224 · 1.1 = 246.4
        assert "params: 247" in (tmp_path / "budgets.yaml").read_text()
        assert run(*arguments, cwd=tmp_path).returncode == 2

    @pytest.mark.parametrize("headroom", ["10", "-5%", "ten", "nan%"])
    def test_headroom_is_a_percentage(self, run, headroom):
        assert run("budget", "init", "lenet5", "--headroom", headroom).returncode == 2


class TestAgainst:
    @pytest.fixture
    def repository(self, tmp_path, spec):
        spec(TINY)
        Repository.made(tmp_path).commit()
        spec(TINY.replace("8", "9"))
        return tmp_path

    def test_check_holds_the_spec_against_itself(self, run, repository):
        limits = ("--against", "HEAD", "--max-increase")
        # 28 of 224 parameters are 12.5 %.
        assert run("check", "net.yaml", *limits, "params=12.5%", cwd=repository).returncode == 0
        done = run("check", "net.yaml", *limits, "params=12.4%", cwd=repository)
        assert done.returncode == 1
        assert "net.yaml:3:5: error[B603]" in done.stdout

    def test_compare_shows_what_changed(self, run, repository):
        done = run("compare", "net.yaml", "--against", "HEAD", cwd=repository)
        assert done.returncode == 0
        assert "~ conv" in done.stdout
        assert "+24,300" in done.stdout  # 27 · 30 · 30 more multiply-adds

    def test_what_was_a_family_is_not_compared_with_its_first(self, run, repository, spec):
        spec(TINY + "variants: {a: {}}\nvars: {c: 1}\n", "net.yaml")
        assert run("compare", "net.yaml", "--against", "HEAD", cwd=repository).returncode == 2
        limit = ("--max-increase", "macs=0%")
        done = run("check", "net.yaml", "--against", "HEAD", *limit, cwd=repository)
        assert done.returncode == 2
        assert "E407" in done.stderr

    def test_options_that_make_no_sense_with_it(self, run, repository):
        for option in (("--layers",), ("--reference", "net")):
            done = run("compare", "net.yaml", "--against", "HEAD", *option, cwd=repository)
            assert done.returncode == 2

    def test_a_new_file_cannot_be_judged(self, run, repository, spec):
        spec(TINY, "new.yaml")
        for command in ("check", "compare"):
            done = run(command, "new.yaml", "--against", "HEAD", cwd=repository)
            assert done.returncode == 2
            assert "E407" in done.stderr or "E609" in done.stderr
