"""The targets that a fuzzer drives for hours, here for seconds; and what it has found so far."""

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest
from agreement import contradictions
from cases import Case, decoded, encoded
from changing import crossed, mutated
from corpus import TARGETS, seeds, write_corpus
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from judging import Defect, defects_of
from permitted import MEGABYTES, SECONDS, complaints, excess
from running import DECOY, Alone, Outcome, Sandbox, run_alone
from words import OPTIONS, dictionary, option_values

from convcalc.checking import LARGEST_REPORT

FUZZING = Path(__file__).parent.parent / "fuzzing"
REGRESSIONS = sorted((FUZZING / "regressions").glob("*.case"))
SPEC = "input: [3, 8, 8]\nlayers:\n  - {conv: {out_channels: 4, kernel_size: 3}, name: l1}\n"
CASE = Case(("analyze", "net.yaml", "--format", "json"), (("net.yaml", SPEC.encode()),))
CHECK = Case(
    ("check", "net.yaml", "--max", "params=1M", "--format", "json"), (("net.yaml", SPEC.encode()),)
)


@pytest.fixture(scope="module")
def sandbox():
    box = Sandbox()
    yield box
    box.close()


# -- what came out once ---------------------------------------------------------------------------


@pytest.mark.parametrize("path", REGRESSIONS, ids=lambda path: path.stem)
def test_what_was_wrong_once_is_right(path, sandbox):
    case = decoded(path.read_bytes())
    assert case is not None
    assert [each.complaint for each in defects_of(case, sandbox)] == []


# -- whatever goes in -----------------------------------------------------------------------------


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_nothing_but_what_is_documented_comes_out(target, sandbox):
    starts = seeds(target, sandbox)

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def fuzzed(data):
        case = data.draw(st.sampled_from(starts))
        chance = random.Random(data.draw(st.integers(0, 2**32)))  # noqa: S311 - no secret
        for _ in range(data.draw(st.integers(0, 3))):
            case = mutated(case, chance, commands=target.commands, of_arguments=target.of_arguments)
        case = decoded(encoded(case))
        if case is not None:
            assert [each.complaint for each in defects_of(case, sandbox)] == []

    fuzzed()


# -- the judge itself: what it must not let pass ---------------------------------------------------


def outcome(**changed):
    """A run that nothing is wrong with, but for what is ``changed``."""
    whole = {
        "code": 0,
        "out": "",
        "err": "",
        "traceback": "",
        "read": (),
        "written": (),
        "left": (),
        "events": (),
        "seconds": 0.0,
        "megabytes": 0.0,
    }
    return Outcome(**{**whole, **changed})


def report(**changed):
    """A report of two layers, with other totals or another second layer."""
    layer = {
        "name": "l1",
        "kind": "conv",
        "inputs": ["input"],
        "input_shapes": [[3, 8, 8]],
        "output_shape": [4, 6, 6],
        "weights": {"weight": [4, 3, 3, 3]},
        "buffer_tensors": {},
        "shares_weights_with": None,
        "params": 108,
        "buffers": 0,
        "macs": 3888,
        "flops": 7776,
        "operations": {"adds": 0},
        "activation_elements": 144,
        "weight_bytes": 432,
    }
    totals = {
        **{key: layer[key] for key in ("params", "buffers", "macs", "flops", "operations")},
        **{key: layer[key] for key in ("activation_elements", "weight_bytes")},
        "layers": 1,
        "peak_activation_bytes": 1344,
        "inference_bytes": 1776,
    }
    network = {
        "inputs": {"input": [3, 8, 8]},
        "outputs": {"l1": [4, 6, 6]},
        "totals": {**totals, **changed.pop("totals", {})},
        "layers": [{**layer, **changed.pop("layer", {})}],
        **changed,
    }
    return json.dumps({"networks": [network]})


def refusal(code="E104", place="net.yaml:1:1: ", severity="error"):
    return f"{place}{severity}[{code}]: unknown key `x`\n"


class TestTheJudge:
    def test_has_nothing_against_what_is_right(self):
        for right in [
            outcome(out=report()),
            outcome(code=2, err=refusal()),
            outcome(code=2, err=refusal("E401", "")),
            outcome(code=2, err="Usage: convcalc analyze [OPTIONS]\n"),
            outcome(out=report(), err=refusal("W501", severity="warning")),
        ]:
            assert list(complaints(CASE, right)) == []

    @pytest.mark.parametrize(
        ("wrong", "complaint"),
        [
            ({"code": 3, "traceback": "ValueError: x"}, "exit code 3\nValueError: x"),
            ({"code": 1, "out": report()}, "exit code 1 of a command"),
            ({"err": "Traceback (most recent call last):\n"}, "a traceback was shown"),
            ({"code": 2}, "exit code 2, and no"),
            ({"code": 2, "err": "it went wrong\n"}, "exit code 2, and no finding"),
            ({"code": 2, "err": refusal("E999", "")}, "documented nowhere"),
            ({"code": 2, "err": refusal(place="")}, "and no place"),
            ({"code": 2, "err": refusal(), "out": report()}, "could not judge"),
            ({"code": 2, "err": refusal(), "left": (("o.json", b""),)}, "could not judge"),
            ({"out": report(), "err": refusal()}, "exit code 0 after"),
            ({"out": report(), "err": "x" * 701}, "a line of 701 characters"),
            ({"out": report(), "err": "\x1b[31m"}, "U+001B"),
            ({"out": report(), "err": "a\x9b31m"}, "U+009B"),
            ({"out": report(name="a\u202eb").replace("\\u202e", "\u202e")}, "U+202E"),
            ({"out": report(), "left": (("o.txt", b"\x07"),)}, "U+0007"),
            ({"out": report(), "read": ("secret.yaml",)}, "secret.yaml was read"),
            ({"out": report(), "read": ("/etc/passwd",)}, "/etc/passwd was read"),
            ({"out": report(), "read": (DECOY,)}, f"{DECOY} was read"),
            ({"out": report(), "written": ("x.json",)}, "x.json was written"),
            ({"out": report(), "left": ((".convcalc-7-0.part", b""),)}, "was left behind"),
            ({"out": report(), "events": ("socket.connect",)}, "socket.connect"),
            ({"out": "{"}, "not whole"),
            ({"out": '{"networks": [], "networks": []}'}, "a key twice"),
            ({"out": '{"networks": [], "x": NaN}'}, "NaN is no JSON"),
            ({"out": report(inputs={"input": [3, 0, 8]})}, "has the shape [3, 0, 8]"),
            ({"out": report(outputs={"l1": [4, 6, 7]})}, "the output l1"),
            ({"out": report(totals={"params": 109})}, "the total of params is 109"),
            ({"out": report(totals={"layers": 2})}, "2 layers, and 1 rows"),
            ({"out": report(totals={"flops": 7777})}, "the total of flops is 7777"),
            ({"out": report(totals={"inference_bytes": 1})}, "inference bytes"),
            ({"out": report(layer={"flops": 7777})}, "l1: 7777 FLOPs"),
            ({"out": report(layer={"input_shapes": [[3, 8, 9]]})}, "inputs of other shapes"),
            ({"out": report(layer={"weights": {"weight": [4]}})}, "4 elements of weights"),
            ({"out": report(layer={"buffer_tensors": {"mean": [4]}})}, "4 elements of them"),
            ({"out": report(layer={"activation_elements": 1})}, "allocates 1"),
        ],
    )
    def test_says_what_is_wrong(self, wrong, complaint):
        assert any(complaint in each for each in complaints(CASE, outcome(**wrong)))

    @pytest.mark.parametrize(
        ("format_", "whole", "broken"),
        [
            ("csv", "a,b\n1,2\n", "a,b\n1\n"),
            ("markdown", "| a | b |\n| :-- | :-- |\n| 1 | `x\\|y` |\n", "| a |\n| 1 | 2 |\n"),
        ],
    )
    def test_knows_whole_tables(self, format_, whole, broken):
        case = CASE._replace(arguments=("analyze", "net.yaml", "--format", format_))
        assert list(complaints(case, outcome(out=whole))) == []
        assert any("not whole" in each for each in complaints(case, outcome(out=broken)))

    @pytest.mark.parametrize(
        ("arguments", "whole", "broken"),
        [
            (("explain", "--format", "latex"), "\\begin{a}{x}\\{\\end{a}", "\\begin{a}{x"),
            (("explain", "--format", "latex"), "a % {\n", "}{"),
            (("formula", "--format", "python"), "def f(H):\n    return H // 2\n", "def f(:"),
            (("formula", "--format", "python"), "x = 1\n", "import os\n"),
            (("check", "--format", "junit"), "<a><b/></a>", "<a><b></a>"),
            (("check", "--format", "sarif"), "{}", "{"),
            (("check", "--format", "github"), "::error file=x::y\nend\n", "error\nend\n"),
        ],
    )
    def test_knows_whole_texts(self, arguments, whole, broken):
        case = CASE._replace(arguments=arguments)
        assert list(complaints(case, outcome(out=whole))) == []
        assert any("not whole" in each for each in complaints(case, outcome(out=broken)))

    @pytest.mark.parametrize(
        ("code", "changed", "complaint"),
        [
            (0, {"value": 11}, "holds is True"),
            (1, {"holds": False}, "holds is False"),
            (0, {"value": 11, "holds": False}, "'within budget' though a limit"),
            (1, {}, "exit code 1 where the outcome is 'within budget'"),
        ],
    )
    def test_knows_verdicts(self, code, changed, complaint):
        limit = {"bound": "max", "value": 9, "allowed": 10, "holds": True, "level": "error"}
        said = {
            "outcome": "within budget",
            "networks": [{"limits": [{**limit, **changed}]}],
            "findings": [],
        }
        found = complaints(CHECK, outcome(code=code, out=json.dumps(said)))
        assert any(complaint in each for each in found)

    def test_knows_a_refusal_that_was_called_a_success(self):
        finding = {"severity": "error", "code": "E104"}
        said = {"outcome": "within budget", "networks": [], "findings": [finding]}
        found = complaints(CHECK, outcome(out=json.dumps(said)))
        assert any("could not be judged" in each for each in found)

    def test_measures_time_and_memory(self):
        assert list(excess(Alone(0, SECONDS, MEGABYTES, ""))) == []
        assert list(excess(Alone(0, SECONDS + 1, 1.0, ""))) == ["took 3.00 s"]
        assert list(excess(Alone(0, 0.1, MEGABYTES + 1, ""))) == ["took 501 MB"]
        assert list(excess(Alone(-11, 0.1, 1.0, "killed"))) == ["exit code -11: killed"]

    def test_takes_defects_of_one_line_of_code_for_one(self):
        told = 'exit code 3\nTraceback\n  File "a.py", line {} in f\nValueError: {}'
        first, same, other = (
            Defect(CASE, told.format(line, what)).signature
            for line, what in [(1, "x"), (1, "y"), (2, "x")]
        )
        assert first == same != other
        numbers = [Defect(CASE, f"took {n}.00 s").signature for n in (3, 5)]
        assert numbers[0] == numbers[1]


class TestAgreement:
    """Every way in which two runs may contradict each other is met by one of these chances."""

    def told(self, case, run):
        first = run(case)
        return {
            complaint
            for seed in range(60)
            for complaint in contradictions(case, first, run, random.Random(seed))  # noqa: S311 - no secret
        }

    def test_of_a_right_network_nothing_contradicts_anything(self, sandbox):
        assert self.told(CASE, sandbox.run) == set()

    @pytest.mark.parametrize(
        ("text", "complaint"),
        [
            (SPEC + "name: a\nname: b\n", "a key twice"),
            (SPEC + "vars: {1: 2, [3]: 4}\n", "a key that is no text"),
            (SPEC + "vars: {<<: {a: 1}}\n", "a merge key"),
            (SPEC + "vars: {a: .NaN}\n", "has .NaN"),
            (SPEC + "---\n" + SPEC, "has 2 documents"),
            (SPEC + "}\n", "is no YAML"),
        ],
    )
    def test_what_another_reader_refuses_must_not_be_accepted(self, text, complaint, sandbox):
        accepted = sandbox.run(CASE)
        case = CASE.with_file("net.yaml", text)
        found = contradictions(case, accepted, sandbox.run, random.Random(1))  # noqa: S311 - no secret
        assert complaint in next(found)

    def test_a_reader_that_accepts_every_key_is_found_out(self, sandbox):
        def careless(case):
            text = case.text("net.yaml") or ""
            lines = [line for line in text.split("\n") if "zz_unknown" not in line]
            kept = text.replace("zz_unknown: 1, ", "").replace("zz_unknown: [1], ", "")
            kept = kept.replace("zz_unknown: {a: 1}, ", "")
            return sandbox.run(
                case.with_file("net.yaml", kept if "zz_unknown" not in kept else "\n".join(lines))
                if text
                else case
            )

        assert any("unknown key `zz_unknown`" in each for each in self.told(CASE, careless))

    @pytest.mark.parametrize(
        ("named", "said", "complaint"),
        [
            ("flat.yaml", '"params": 112', "one by one cost"),
            ("--max", "", "held against"),
            ("markdown", "112", "is not in markdown"),
            ("explain", '"value": 112', "explain has"),
        ],
    )
    def test_another_number_elsewhere_is_found_out(self, named, said, complaint, sandbox):
        # 4·3·3·3 weights and 4 biases.
        def mistaken(case):
            right = sandbox.run(case)
            if named not in " ".join(case.arguments):
                return right
            wrong = said.replace("112", "113")
            return right._replace(out=right.out.replace(said, wrong), code=0)

        assert any(complaint in each for each in self.told(CASE, mistaken))

    def test_another_number_in_a_formula_is_found_out(self, sandbox):
        # 4·3·3·3 multiply-adds at each of (H − 2)·(W − 2) places.
        def mistaken(case):
            right = sandbox.run(case)
            return right._replace(out=right.out.replace("108 * N", "109 * N"))

        assert any("the code of macs" in each for each in self.told(CASE, mistaken))

    def test_a_budget_that_is_not_kept_by_whom_it_was_made_from_is_found_out(self, sandbox):
        def mistaken(case):
            right = sandbox.run(case)
            return right._replace(out=right.out.replace("params: 112", "params: 111"))

        case = CASE._replace(arguments=("budget", "init", "net.yaml"))
        assert self.told(case, sandbox.run) == set()
        assert any("exit code 1 of the budget" in each for each in self.told(case, mistaken))

    def test_a_second_run_that_says_something_else_is_found_out(self, sandbox):
        runs = iter(range(10**6))

        def moody(case):
            return sandbox.run(case)._replace(err=f"{next(runs)}\n")

        assert "a second run said something else" in self.told(CASE, moody)


# -- the sandbox ----------------------------------------------------------------------------------


class TestTheSandbox:
    def test_runs_a_command(self, sandbox):
        ran = sandbox.run(CASE)
        assert ran.code == 0
        assert json.loads(ran.out)["networks"][0]["totals"]["params"] == 4 * 3 * 9 + 4
        assert (ran.read, ran.written, ran.left, ran.events) == (("net.yaml",), (), (), ())

    def test_gives_standard_input(self, sandbox):
        ran = sandbox.run(Case(("analyze", "-"), (("-", SPEC.encode()),)))
        assert (ran.code, ran.read) == (0, ())

    def test_notes_what_is_written(self, sandbox):
        ran = sandbox.run(
            CASE._replace(arguments=("analyze", "net.yaml", "--export", "csv:out.csv"))
        )
        assert [name for name, _ in ran.left] == ["out.csv"]
        assert {name.rpartition(".")[2] for name in ran.written} == {"csv", "part"}

    def test_lets_nothing_outside_be_read_or_written(self, sandbox, tmp_path):
        outside = tmp_path / "net.yaml"
        outside.write_text(SPEC)
        ran = sandbox.run(Case(("analyze", str(outside)), ()))
        assert (ran.code, ran.read) == (2, (str(outside),))
        ran = sandbox.run(CASE._replace(arguments=(*CASE.arguments, "--export", f"csv:{outside}")))
        assert (ran.code, outside.read_text()) == (2, SPEC)

    def test_measures_a_case_in_a_process_of_its_own(self):
        alone = run_alone(CASE)
        assert (alone.code, alone.said) == (0, "")
        assert 0 < alone.seconds < 30
        assert 5 < alone.megabytes < MEGABYTES


def test_a_saved_report_that_is_nothing_but_brackets_fits_into_memory():
    # Each pair is an object of Python; 64 MiB of them, as many as there might once be, took 1.7 GB.
    brackets = b"[" + b"[]," * (LARGEST_REPORT // 3 - 2) + b"[]]"
    files = (("net.yaml", SPEC.encode()), ("base.json", brackets))
    arguments = ("check", "net.yaml", "--max-increase", "macs=0%", "--baseline", "base.json")
    alone = run_alone(Case(arguments, files))
    assert alone.code == 2
    assert 100 < alone.megabytes < MEGABYTES


# -- cases, changes, corpus -----------------------------------------------------------------------


class TestCases:
    def test_are_written_and_read_again(self):
        case = Case(("layer", "a\n%%% b", "\x1b"), (("net.yaml", b"\xff\n%%"), ("-", b"")))
        assert decoded(encoded(case)) == case

    @pytest.mark.parametrize(
        "raw",
        [
            *(b"", b"[]", b"{}", b"[1]", b'["a\\u0000"]', b'["\\ud800"]', b"[" * 100_000),
            *(b'["analyze", "/etc/passwd"]', b'["analyze", "~/x"]', b'["analyze", "../x"]'),
            *(b'["analyze", "--export", "json:/tmp/x"]', b'["analyze", "--export=json:/x"]'),
            *(b'["analyze"]\n%%% ../x.yaml\n', b'["analyze"]\n%%% a.yaml\n\n%%% a.yaml\n'),
        ],
    )
    def test_that_are_none_or_might_touch_other_files_are_not_run(self, raw):
        assert decoded(raw) is None

    @pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
    def test_of_each_target_are_changed_into_others_that_can_be_run(self, target, sandbox):
        starts = seeds(target, sandbox)
        assert len(starts) > 50
        chance = random.Random(3)  # noqa: S311 - no secret
        changed = [
            mutated(
                chance.choice(starts),
                chance,
                commands=target.commands,
                of_arguments=target.of_arguments,
            )
            for _ in range(300)
        ]
        assert len(set(changed)) > 200
        assert sum(decoded(encoded(case)) is not None for case in changed) > 250
        assert {case.arguments[0] for case in changed if case.arguments} & set(target.commands)
        both = [crossed(*chance.sample(starts, 2), chance) for _ in range(50)]
        assert len(set(both) - set(starts)) > 5

    def test_to_start_from_are_written_for_the_fuzzer(self, sandbox, tmp_path):
        write_corpus(TARGETS[-1], tmp_path, sandbox, 12)
        read = [decoded(path.read_bytes()) for path in tmp_path.iterdir()]
        assert 8 <= len(read) <= 12
        assert None not in read

    def test_have_options_of_every_command_that_takes_any(self, run):
        for command, options in OPTIONS.items():
            called = ("budget", "init") if command == "budget" else (command,)
            said = run(*called, "--help", COLUMNS="200").stdout
            missing = {option for option in options if f"{option}" not in said}
            assert not missing, command
            assert all(option_values(option) or f"{option} " in said for option in options)

    def test_have_a_dictionary_that_libfuzzer_reads(self):
        lines = dictionary().splitlines()
        assert len(lines) > 300
        assert all(line[0] == line[-1] == '"' and line.isascii() for line in lines)


def test_the_fuzzer_says_what_it_needs():
    def said(*arguments):
        done = subprocess.run(
            [sys.executable, FUZZING / "run.py", *arguments],
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stderr

    code, error = said("nonsense")
    assert code == 2
    assert "there are spec, budget, options, layer" in error
    code, error = said("--seconds", "1")
    assert code == 2
    assert "a target takes a second at least" in error
    try:
        import atheris  # noqa: F401
    except ImportError:
        code, error = said("--seconds", "4")
        assert code == 1
        assert "pip install -e '.[fuzz]'" in error
