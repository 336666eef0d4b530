"""The report of a check as text, and what its formats have in common."""

import io
import re
from fractions import Fraction

import pytest
from checks import (
    FIELD,
    HOSTILE,
    PARAMS,
    SPEC,
    STEM,
    TOO_LARGE,
    TOO_MANY,
    TOO_NARROW,
    UNJUDGED,
    UNUSED,
    WIDER,
    analysis,
    hostile_check,
    limit,
    network,
    small_check,
    verdict,
)

from convcalc.analysis.comparison import changes
from convcalc.baselines import baseline_of
from convcalc.budgets import Check, Part, Why
from convcalc.limits import Bound, Scope
from convcalc.metrics import metric
from convcalc.reports.check import CHECK_FORMATS, check_report
from convcalc.reports.verdicts import conclusion, percentage, rows, value_text


def text_of(check):
    return check_report(check, "0.1.0").text("text")


def drawn(check, *, color=False, width=100):
    stream = io.StringIO()
    check_report(check, "0.1.0").draw(stream, color=color, width=width)
    return stream.getvalue()


def test_the_whole_text(tmp_path):
    # 584 of 583 are 100.1715 %, 4,096 of 4,095 100.02442 %, 3 of 5 are 60 %.
    assert text_of(small_check(tmp_path)) == (
        "net · input 3×8×8\n"
        "Limit on                               Value     Limit      Used  State\n"
        "------------------------  ------------------  --------  --------  -------\n"
        "Parameters                               584     ≤ 583   100.2 %  OVER\n"
        "stem · activation memory  4.00 KiB (4,096 B)  ≤ 4095 B  100.02 %  OVER\n"
        "Receptive field                            3       ≥ 5    60.0 %  warning\n"
        "Multiply-adds                         35,840  ≤ 35.84k   100.0 %  ok\n"
        "\n"
        "budgets.yaml:3:19: error[B601]: parameters 584 exceed 583 by 1 (0.2 %)\n"
        "  |\n"
        "3 |   - max: {params: 583}\n"
        "  |                   ^^^\n"
        "  = help: See docs/budgets.md.\n"
        "\n"
        "net.yaml:3:5: error[B601]: `stem`: activation memory 4,096 B exceeds\n"
        "  |\n"
        "3 |   - conv: {out_channels: 16, kernel_size: 3, padding: 1}\n"
        "  |     ^^^^\n"
        "  = note: budget: budgets.yaml:3:19\n"
        "\n"
        "budgets.yaml:3:19: warning[B602]: receptive field 3 falls short of 5 by 2\n"
        "  |\n"
        "3 |   - max: {params: 583}\n"
        "  |                   ^^^\n"
        "\n"
        "over budget: 2 of 4 limits, 1 warning\n"
    )


def test_the_title_tells_under_which_conditions(tmp_path):
    found = analysis(tmp_path)._replace(batch=8, settings=(("H", "192"),))
    check = Check((network(found, TOO_MANY, name="mobile", baseline=baseline_of(found, "main")),))
    title = "net · budget mobile · input 3×8×8 · H=192 · batch 8 · against main"
    assert text_of(check).splitlines()[0] == title
    assert title in " ".join(drawn(check).split())


def test_findings_about_what_cannot_be_judged_are_left_to_the_command_line(tmp_path):
    text = text_of(small_check(tmp_path, findings=(UNJUDGED,)))
    assert "parms" not in text
    assert text.endswith("cannot judge: 1 error; over budget: 2 of 4 limits, 1 warning\n")


def test_a_terminal_shows_the_same_rows_and_findings(tmp_path):
    check = small_check(tmp_path)
    plain = drawn(check)
    for cell in ("4.00 KiB (4,096 B)", "≤ 35.84k", "100.02 %", "= help: See docs/budgets.md."):
        assert cell in plain
    assert plain.endswith("\nover budget: 2 of 4 limits, 1 warning\n")
    assert "\x1b" not in plain
    assert "\x1b[1;31merror[B601]\x1b[0m" in drawn(check, color=True)


# -- rows -----------------------------------------------------------------------------------------


def test_a_hair_over_is_never_written_as_all_that_is_allowed(tmp_path):
    of = limit("macs", 320_000_000, "320M")
    (row,) = rows(network(analysis(tmp_path), verdict(of, 320_000_001, says="over")), strict=False)
    # 1 / 320,000,000 are 0.0000003125 %.
    assert (row.value, row.used, row.state) == ("320,000,001", "100.0000003 %", "OVER")
    (row,) = rows(network(analysis(tmp_path), verdict(of, 319_999_999)), strict=False)
    assert (row.used, row.state) == ("99.9999997 %", "ok")


def test_what_is_under_a_minimum_is_not_called_over(tmp_path):
    of = limit("receptive_field", 5, "5", Bound.MIN)
    (row,) = rows(network(analysis(tmp_path), verdict(of, 3, says="under")), strict=False)
    assert (row.limit, row.state) == ("≥ 5", "UNDER")


@pytest.mark.parametrize("text", ["2%", "+2%", " 2% "])
def test_an_increase_has_one_sign(tmp_path, text):
    of = limit("macs", Fraction(1, 50), text, Bound.MAX_INCREASE, is_percentage=True)
    held = verdict(of, 102, base=100, allowed=102)
    (row,) = rows(network(analysis(tmp_path), held), strict=False)
    assert (row.value, row.limit, row.used) == ("102", "+2%", "100.0 %")


LAYERS = limit("activations", 1000, "1000 B", scope=Scope.LAYER)


def test_of_layers_that_all_hold_the_tightest_is_told(tmp_path):
    held = [verdict(LAYERS, value, f"l{value}") for value in (10, 900, 40)]
    (row,) = rows(network(analysis(tmp_path), *held), strict=False)
    assert row.label == "l900 · activation memory (tightest of 3)"
    assert row.used == "90.0 %"


def test_under_a_minimum_the_tightest_is_the_least(tmp_path):
    of = limit("reuse", 10, "10", Bound.MIN, scope=Scope.LAYER)
    held = [verdict(of, value, f"l{value}") for value in (40, 11, 90)]
    (row,) = rows(network(analysis(tmp_path), *held), strict=False)
    assert row.label.startswith("l11 ·")


def test_of_layers_that_do_not_hold_the_worst_are_listed(tmp_path):
    over = [verdict(LAYERS, 1000 + n, f"l{n}", says="over") for n in range(1, 26)]
    found = list(rows(network(analysis(tmp_path), verdict(LAYERS, 1, "ok"), *over), strict=False))
    assert len(found) == 21
    assert found[0].label == "l25 · activation memory"
    assert found[19].label == "l6 · activation memory"
    assert found[20][:5] == ("and 5 more", "", "≤ 1000 B", "", "OVER")


def test_limits_that_are_alike_stay_apart(tmp_path):
    one, other = limit("params", 583, "583"), limit("params", 583, "583")
    assert one == other
    found = network(analysis(tmp_path), verdict(one, 5), verdict(other, 5))
    assert [row.label for row in rows(found, strict=False)] == ["Parameters", "Parameters"]


def test_nothing_of_what_there_must_be_some_is_the_worst(tmp_path):
    of = limit("reuse", 10, "10", Bound.MIN, scope=Scope.LAYER)
    under = [verdict(of, value, f"l{value}", says="under") for value in (3, 0, 9)]
    found = rows(network(analysis(tmp_path), *under), strict=False)
    assert [row.label[:2] for row in found] == ["l0", "l3", "l9"]


def test_nothing_may_be_allowed(tmp_path):
    of = limit("params", 0, "0", scope=Scope.LAYER)
    held = [verdict(of, 0, "none"), verdict(of, 1, "some", says="over")]
    (row,) = rows(network(analysis(tmp_path), *held), strict=False)
    assert (row.label, row.value, row.used) == ("some · parameters", "1", "")


# -- figures --------------------------------------------------------------------------------------


def test_a_share_is_told_apart_from_the_limit():
    of = limit("macs", Fraction(2, 5), "40%", is_share=True, scope=Scope.LAYER)
    assert value_text(verdict(of, Fraction(2, 5), "l")) == "40.0 %"
    assert value_text(verdict(of, Fraction(40001, 100000), "l", says="over")) == "40.001 %"


def test_times_and_ratios_are_told_apart_too():
    of = limit("time", Fraction(1, 1000), "1 ms")
    assert value_text(verdict(of, Fraction(4356, 10**7))) == "435.6 µs"
    assert value_text(verdict(of, Fraction(1_000_001, 10**9), says="over")) == "1.000001 ms"
    of = limit("intensity", Fraction(1, 2), "0.5", Bound.MIN)
    assert value_text(verdict(of, Fraction(499_999, 10**6), says="under")) == "0.499999"
    assert value_text(verdict(of, Fraction(7, 2))) == "3.50"


def test_percentages_are_exact_beyond_floats():
    assert percentage(Fraction(10**20 + 1, 10**20), Fraction(1)) == "100.000000000000000001 %"


# -- the conclusion -------------------------------------------------------------------------------


def check_of(tmp_path, *verdicts, **more):
    found = analysis(tmp_path)
    return Check(tuple(network(found, each) for each in verdicts), **more)


WITHIN = verdict(PARAMS, 583)


@pytest.mark.parametrize(
    ("verdicts", "more", "says"),
    [
        ([WITHIN], {}, "within budget: 1 limit of 1 network"),
        ([WITHIN, WITHIN], {}, "within budget: 2 limits of 2 networks"),
        ([WITHIN, TOO_NARROW], {}, "within budget: 2 limits of 2 networks, 1 warning"),
        ([WITHIN, TOO_NARROW], {"strict": True}, "over budget: 1 of 2 limits"),
        ([TOO_MANY, TOO_NARROW], {}, "over budget: 1 of 2 limits, 1 warning"),
        ([], {"findings": (UNJUDGED, UNJUDGED)}, "cannot judge: 2 errors"),
        ([WITHIN], {"findings": (UNUSED,)}, "within budget: 1 limit of 1 network"),
        (
            [WITHIN],
            {"findings": (UNUSED,), "strict": True},
            "cannot judge: 1 error; within budget: 1 limit of 1 network",
        ),
    ],
)
def test_the_conclusion(tmp_path, verdicts, more, says):
    assert conclusion(check_of(tmp_path, *verdicts, **more)) == says


def test_a_limit_over_many_layers_counts_once(tmp_path):
    over = [verdict(LAYERS, 1001, f"l{n}", says="over") for n in range(3)]
    check = Check((network(analysis(tmp_path), *over, WITHIN),))
    assert conclusion(check) == "over budget: 1 of 2 limits"


def test_where_warnings_count_as_errors_they_are_called_so(tmp_path):
    text = text_of(check_of(tmp_path, TOO_NARROW, strict=True))
    assert "error[B602]" in text
    assert re.search(r"Receptive field .* UNDER\n", text)
    assert "warning" not in text


# -- why ------------------------------------------------------------------------------------------


def test_why_tells_the_heaviest_and_what_changed(tmp_path):
    before, after = analysis(tmp_path, SPEC), analysis(tmp_path, WIDER)
    stem, _, head = changed = changes(before.layers, after.layers)
    why = Why(metric("params"), (Part("stem", 896, Fraction(896, 1160), STEM),), (stem, head))
    over = verdict(PARAMS, 1160, says="too many")
    base = baseline_of(before, "main.json")
    check = Check((network(after, over, baseline=base, changes=changed, whys=(why,)),))
    text = text_of(check)
    # 896 of 1,160 are 77.2 %; 896 − 448 = 448 and 264 − 136 = 128.
    assert (
        "net: parameters, the heaviest layers\n"
        "Layer  Parameters       %  Made at\n"
        "-----  ----------  ------  ------------\n"
        "stem          896  77.2 %  net.yaml:3:5\n"
    ) in text
    assert (
        "net: parameters, what changed against main.json\n"
        "Layer     Output           Parameters before  now  difference\n"
        "-----  -  ---------------  -----------------  ---  ----------\n"
        "stem   ~  16×8×8 → 32×8×8                448  896        +448\n"
        "head   ~  8×8×8                          136  264        +128\n"
    ) in text
    assert text.index("error[B601]") < text.index("heaviest") < text.index("over budget:")


def test_of_the_training_memory_the_changes_of_activations_and_weights_are_told(tmp_path):
    before, after = analysis(tmp_path, SPEC), analysis(tmp_path, WIDER)
    added = changes((), after.layers[2:])[0]
    removed = changes(before.layers[2:], ())[0]
    why = Why(metric("training_memory"), (), (added, removed))
    check = Check((network(after, TOO_MANY, whys=(why,)),))
    text = text_of(check)
    # head: 8·64·4 = 2,048 B of activations; (32·8 + 8)·4 = 1,056 and (16·8 + 8)·4 = 544 of weights.
    (line,) = re.findall(r"head +\+ .*", text)
    assert line.split("  ")[-1] == "+1.03 KiB (1,056 B)"
    (line,) = re.findall(r"head +- .*", text)
    assert "-2.00 KiB (2,048 B)" in line
    assert line.endswith("-544 B")


# -- all formats ----------------------------------------------------------------------------------


@pytest.mark.parametrize("format_", CHECK_FORMATS)
def test_no_format_lets_a_name_steer_a_terminal(tmp_path, format_):
    report = check_report(hostile_check(tmp_path), "0.1.0")
    text = report.text(format_)
    text.encode("utf-8")
    # In JSON a name is what it is, and what is no character of a terminal's may stand in it.
    controls = {"\n", "\u202e"} if format_ in ("json", "gitlab") else {"\n"}
    assert {c for c in text if not c.isprintable()} <= controls
    assert HOSTILE not in text


def test_nor_does_a_terminal(tmp_path):
    text = drawn(hostile_check(tmp_path))
    assert {c for c in text if not c.isprintable()} == {"\n"}


@pytest.mark.parametrize("format_", CHECK_FORMATS)
def test_a_check_of_nothing_but_errors_has_every_format(format_):
    text = check_report(Check((), (UNJUDGED,)), "0.1.0").text(format_)
    assert text.endswith("\n")
    assert ("parms" in text) == (format_ != "text")


@pytest.mark.parametrize("format_", CHECK_FORMATS)
def test_the_same_check_has_the_same_report(tmp_path, format_):
    check = small_check(tmp_path)
    assert check_report(check, "1").text(format_) == check_report(check, "1").text(format_)


def test_a_format_is_imported_when_it_is_asked_for():
    import subprocess
    import sys

    script = "import convcalc.reports.check, sys; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert not {"rich", "xml.etree.ElementTree", "hashlib", "html"} & set(done.stdout.split())


def test_findings_of_one_limit_are_told_once_each(tmp_path):
    text = text_of(Check((network(analysis(tmp_path), TOO_LARGE, verdict(FIELD, 7)),)))
    assert text.count("error[B601]") == 1
    assert text.endswith("over budget: 1 of 2 limits\n")
