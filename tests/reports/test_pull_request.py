"""The comment on a pull request."""

import re

import pytest
from checks import (
    ACTIVATIONS,
    HOSTILE,
    PARAMS,
    SPEC,
    STEM,
    TOO_LARGE,
    TOO_MANY,
    TOO_NARROW,
    UNJUDGED,
    WIDER,
    analysis,
    hostile_check,
    limit,
    network,
    small_check,
    verdict,
)
from markdown_it import MarkdownIt

from convcalc.analysis.comparison import changes
from convcalc.baselines import baseline_of
from convcalc.budgets import Check, Part, Why
from convcalc.limits import Bound
from convcalc.metrics import metric
from convcalc.reports.pull_request import _code, pull_request

WITHIN = verdict(PARAMS, 583)


def test_the_whole_comment(tmp_path):
    assert pull_request(small_check(tmp_path)) == (
        "<!-- convcalc check -->\n"
        "## ❌ convcalc: over budget: 2 of 4 limits, 1 warning\n"
        "\n"
        "| Network | Limit on | Now | Limit | |\n"
        "| :--- | :--- | ---: | ---: | :--- |\n"
        "| `net` | Parameters | 584 | `≤ 583` | ❌ over |\n"
        "| `net` | `stem` · activation memory | 4.00 KiB (4,096 B) | `≤ 4095 B` | ❌ over |\n"
        "| `net` | Receptive field | 3 | `≥ 5` | ⚠️ warning |\n"
        "| `net` | Multiply-adds | 35,840 | `≤ 35.84k` | ✅ |\n"
        "\n"
        "```text\n"
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
        "```\n"
        "\n"
        "<details>\n"
        "<summary><code>net</code> · input <code>3×8×8</code></summary>\n"
        "\n"
        "| Limit on | Value | Limit | Used | |\n"
        "| :--- | ---: | ---: | ---: | :--- |\n"
        "| Parameters | 584 | `≤ 583` | 100.2 % | ❌ over |\n"
        "| `stem` · activation memory | 4.00 KiB (4,096 B) | `≤ 4095 B` | 100.02 % | ❌ over |\n"
        "| Receptive field | 3 | `≥ 5` | 60.0 % | ⚠️ warning |\n"
        "| `head` · activation memory | 2.00 KiB (2,048 B) | `≤ 4095 B` | 50.0 % | ✅ |\n"
        "| Multiply-adds | 35,840 | `≤ 35.84k` | 100.0 % | ✅ |\n"
        "\n"
        "</details>\n"
    )


@pytest.mark.parametrize(
    ("held", "more", "heading"),
    [
        (WITHIN, {}, "## ✅ convcalc: within budget: 1 limit of 1 network"),
        (TOO_NARROW, {}, "## ✅ convcalc: within budget: 1 limit of 1 network, 1 warning"),
        (TOO_NARROW, {"strict": True}, "## ❌ convcalc: over budget: 1 of 1 limit"),
        (
            WITHIN,
            {"findings": (UNJUDGED,)},
            "## ❌ convcalc: cannot judge: 1 error; within budget: 1 limit of 1 network",
        ),
    ],
)
def test_the_heading_is_the_outcome(tmp_path, held, more, heading):
    text = pull_request(Check((network(analysis(tmp_path), held),), **more))
    assert text.splitlines()[1] == heading


def test_what_cannot_be_judged_is_told(tmp_path):
    text = pull_request(Check((), (UNJUDGED,)))
    assert "budgets.yaml:3:11: error[E104]: unknown key `parms`" in text
    assert "| Network |" not in text


def compared(tmp_path):
    before, after = analysis(tmp_path, SPEC), analysis(tmp_path, WIDER)
    of = limit("macs", "0.02", "2%", Bound.MAX_INCREASE, is_percentage=True)
    # 27,648 + 8,192 = 35,840 multiply-adds before, 55,296 + 16,384 = 71,680 now.
    grown = verdict(of, 71680, base=35840, allowed=36556, says="macs grew")
    held = verdict(limit("params", 2000, "2k"), 1160)
    far = verdict(limit("receptive_field", 9, "9"), 3)
    found = changes(before.layers, after.layers)
    why = Why(metric("macs"), (Part("stem", 55296, grown.value / 92917, STEM),), found[:1])
    base = baseline_of(before, "main")
    return network(after, grown, held, far, baseline=base, changes=found, whys=(why,))


def test_against_a_baseline_the_table_has_the_change(tmp_path):
    text = pull_request(Check((compared(tmp_path),)))
    # 584 + 576 = 1,160 parameters; 576 of 584 are 98.6 %.
    assert (
        "| Network | Limit on | Before | Now | Change | Limit | |\n"
        "| :--- | :--- | ---: | ---: | ---: | ---: | :--- |\n"
        "| `net` | Multiply-adds | 35,840 | 71,680 | +35,840, +100.0 % | `+2%` | ❌ over |\n"
        "| `net` | Parameters | 584 | 1,160 | +576, +98.6 % | `≤ 2k` | ✅ |\n"
        "| `net` | Receptive field |  | 3 |  | `≤ 9` | ✅ |\n"
    ) in text


def test_a_layer_has_no_figure_of_the_whole_baseline(tmp_path):
    found = analysis(tmp_path)
    check = Check((network(found, TOO_LARGE, baseline=baseline_of(found, "main")),))
    assert "| `stem` · activation memory |  | 4.00 KiB (4,096 B) |  |" in pull_request(check)


def test_a_change_is_never_rounded_to_nothing(tmp_path):
    found = analysis(tmp_path)
    of = limit("macs", 0, "0%", Bound.MAX_INCREASE, is_percentage=True)
    # 1 / 320,000,000 are 0.0000003 %.
    more = verdict(of, 320_000_001, base=320_000_000, allowed=320_000_000, says="grew")
    less = verdict(of, 319_999_999, base=320_000_000, allowed=320_000_000)
    same = verdict(of, 320_000_000, base=320_000_000, allowed=320_000_000)
    check = Check((network(found, more, less, same, baseline=baseline_of(found, "main")),))
    cells = re.findall(r"\| 320,000,000 \| [\d,]+ \| (.*?) \|", pull_request(check))
    # The same limit thrice, so the one that does not hold is all that the table tells of it.
    assert cells == ["+1, +0.0000003 %"]
    for held, says in ((less, "-1, -0.0000003 %"), (same, "0")):
        check = Check((network(found, held, baseline=baseline_of(found, "main")),))
        (cell,) = re.findall(r"\| 320,000,000 \| [\d,]+ \| (.*?) \|", pull_request(check))
        assert cell == says


def test_details_have_the_changes_and_their_reasons(tmp_path):
    details = pull_request(Check((compared(tmp_path),))).partition("<details>")[2]
    assert "against <code>main</code></summary>" in details
    assert (
        "| | Layer | Output | Multiply-adds | Parameters |\n"
        "| :--- | :--- | :--- | ---: | ---: |\n"
        "| `~` | `stem` | 16×8×8 → 32×8×8 | 27,648 → 55,296 | 448 → 896 |\n"
        "| `~` | `relu` | 16×8×8 → 32×8×8 | 0 | 0 |\n"
        "| `~` | `head` | 8×8×8 | 8,192 → 16,384 | 136 → 264 |\n"
    ) in details
    assert "Heaviest: multiply-adds\n\n| Layer | Multiply-adds | % |\n" in details
    # 71,680 / 92,917 are 77.1 %.
    assert "| `stem` | 55,296 | 77.1 % |\n" in details
    assert "| `~` | `stem` | 27,648 → 55,296 | +27,648 |\n" in details


def test_layers_that_came_and_went_have_one_figure(tmp_path):
    found = analysis(tmp_path)
    came = changes((), found.layers[:1])
    went = changes(found.layers[2:], ())
    text = pull_request(Check((network(found, TOO_MANY, changes=(*came, *went)),)))
    assert "| `+` | `stem` | 16×8×8 | 27,648 | 448 |\n" in text
    assert "| `-` | `head` | 8×8×8 | 8,192 | 136 |\n" in text


def test_a_network_with_limits_for_layers_alone_has_the_tightest_in_the_table(tmp_path):
    held = [verdict(ACTIVATIONS, 2048, "head"), verdict(ACTIVATIONS, 1024, "tail")]
    text = pull_request(Check((network(analysis(tmp_path), *held),)))
    assert "| `net` | `head` · activation memory (tightest of 2) | 2.00 KiB" in text


def test_networks_over_their_budget_come_first(tmp_path):
    found = analysis(tmp_path)
    check = Check(
        (
            network(found._replace(name="within"), WITHIN),
            network(found._replace(name="warned"), TOO_NARROW),
            network(found._replace(name="over"), TOO_MANY, name="mobile"),
        )
    )
    names = re.findall(r"^\| `(\w+)`", pull_request(check), re.MULTILINE)
    assert names == ["over", "warned", "within"]
    assert "| `over` · `mobile` | Parameters |" in pull_request(check)


# -- length ---------------------------------------------------------------------------------------


def left_out(text):
    (line,) = re.findall(r"^Left out, .*", text, re.MULTILINE)
    return line


def rows_of(text):
    return text.partition("\n```")[0].count("\n| `")


def test_three_thousand_networks_within_their_budget_fit(tmp_path):
    found = analysis(tmp_path)
    over = network(found._replace(name="late"), TOO_MANY)
    many = [network(found._replace(name=f"n{n}"), WITHIN) for n in range(3000)]
    text = pull_request(Check((*many, over)))
    assert 60_000 < len(text) < 65_000
    assert "| `late` | Parameters | 584 |" in text
    assert "error[B601]: parameters 584 exceed 583" in text
    # The totals of those within go before their details begin.
    assert "<details>" not in text
    missing = 3001 - rows_of(text) - text.rpartition("```")[2].count("\n| `")
    assert f"{missing:,} rows of networks within their budget" in left_out(text)
    assert "3,001 networks in detail" in left_out(text)


def test_three_thousand_networks_over_their_budget_fit(tmp_path):
    found = analysis(tmp_path)
    many = [network(found._replace(name=f"n{n}"), TOO_MANY) for n in range(3000)]
    text = pull_request(Check((*many, network(found._replace(name="within"), WITHIN))))
    assert 60_000 < len(text) < 65_000
    line = left_out(text)
    assert f"{3000 - rows_of(text):,} rows of networks over their budget" in line
    assert f"{3000 - text.count('error[B601]'):,} findings" in line
    assert text.count("error[B601]") > 50
    assert "1 row of networks within their budget" in line
    assert "within`" not in text


def test_a_network_of_five_thousand_layers_over_a_limit_fits(tmp_path):
    over = [verdict(ACTIVATIONS, 5000 + n, f"l{n}", says=f"`l{n}` over") for n in range(5000)]
    held = [verdict(ACTIVATIONS, n, f"k{n}") for n in range(1, 100)]
    found = network(analysis(tmp_path), *held, *over, TOO_MANY)
    text = pull_request(Check((found,)))
    assert 60_000 < len(text) < 65_000
    totals, _, details = text.partition("<details>")
    # 20 layers, the line for the others and the parameters.
    assert rows_of(totals) == 22
    assert "| `net` | and 4,980 more |" in totals
    assert "| `net` | Parameters | 584 |" in totals
    shown = details.count("❌ over")
    assert 500 < shown < 5000
    # What holds is cut before what does not: 5,000 + 99 + 1 limits in all.
    assert "✅" not in details
    assert f"… limits not shown: {5100 - shown:,}\n" in details
    assert details.rstrip().endswith(left_out(text))
    assert "</details>" in details


def test_after_a_part_that_was_cut_nothing_is_begun(tmp_path):
    before, after = analysis(tmp_path, SPEC), analysis(tmp_path, WIDER)
    held = [verdict(ACTIVATIONS, 1, "k" * 2000) for _ in range(500)]
    found = changes(before.layers, after.layers)
    check = Check(
        (
            network(after, *held, TOO_MANY, changes=found),
            network(after._replace(name="next"), TOO_MANY),
        )
    )
    text = pull_request(check)
    assert len(text) < 65_000
    assert "… changes of layers not shown: 3\n" in text
    assert "| `~` |" not in text
    assert "<summary><code>next" not in text
    assert left_out(text) == "Left out, for a comment has an end: 1 network in detail."


def test_the_details_of_many_networks_are_cut(tmp_path):
    found = analysis(tmp_path)
    many = [network(found._replace(name=f"n{n}"), WITHIN) for n in range(400)]
    text = pull_request(Check(tuple(many)))
    assert 55_000 < len(text) < 65_000
    shown = text.count("<details>")
    assert shown == text.count("</details>") > 0
    assert rows_of(text.partition("<details>")[0]) == 400
    assert left_out(text).endswith(f": {400 - shown} networks in detail.")


def test_there_are_no_details_where_totals_are_cut(tmp_path):
    found = analysis(tmp_path)
    # Long rows and short findings: there would be room for details.
    over = verdict(PARAMS._replace(place=None, message=None), 584, says="over")
    many = [network(found._replace(name=f"{n}" * 80), over) for n in range(100, 300)]
    text = pull_request(Check(tuple(many)))
    assert "rows of networks over their budget" in left_out(text)
    assert len(text) < 60_000
    assert "<details>" not in text


def test_the_longest_names_fit_too(tmp_path):
    found = analysis(tmp_path)
    name = "`|" * 125
    over = [verdict(ACTIVATIONS, 5000 + n, f"{name}{n}", says="over") for n in range(500)]
    many = [network(found._replace(name=f"{name}{n}"), *over, name=name) for n in range(40)]
    assert len(pull_request(Check(tuple(many)))) < 65_000


# -- names ----------------------------------------------------------------------------------------

RENDER = MarkdownIt("commonmark", {"html": True}).enable("table")
SHOWN = "a\\x1b[31m\\n::error::x]]>\"'`|@you<b>&%,:](http://x)\\u202e\\udcff"
"""`HOSTILE` without what would steer a terminal."""


def test_no_name_is_a_link_a_mention_or_html(tmp_path):
    html = RENDER.render(pull_request(hostile_check(tmp_path)))
    without_code = re.sub(r"<code.*?</code>", "", html, flags=re.DOTALL)
    assert "@you" in html
    for part in ("@you", "http", "<b>", "<a "):
        assert part not in without_code
    escaped = SHOWN.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    escaped = escaped.replace('"', "&quot;")
    assert f"><code>{escaped}</code> · <code>{escaped}</code>" in html


def test_no_name_ends_the_fence_or_the_details(tmp_path):
    name = "````</details></code></summary>"
    found = analysis(tmp_path)._replace(name=name)
    over = verdict(ACTIVATIONS, 5000, name, says=f"{name}\n```\n# not a heading", place=STEM)
    text = pull_request(Check((network(found, over, name=name),)))
    html = RENDER.render(text)
    assert "\n`````text\n" in text
    assert html.count("</details>") == html.count("</summary>") == 1
    assert "<h1>" not in html


@pytest.mark.parametrize(
    "name",
    [
        "plain",
        "a`b",
        "``a",
        "a`",
        "a|b",
        "a\\|b",
        "a\\",
        " a ",
        "*a*_b_",
        "<!-- x",
        "&amp;",
        HOSTILE,
    ],
)
def test_code_says_exactly_what_the_name_is(name):
    row = RENDER.render(f"| x | y |\n| --- | --- |\n| {_code(name)} | end |\n")
    (cell, end) = re.findall(r"<td>(.*?)</td>", row)
    assert end == "end"
    shown = SHOWN if name == HOSTILE else name
    shown = shown.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert cell == f"<code>{shown.replace(chr(34), '&quot;')}</code>"


@pytest.mark.parametrize("name", ["", "  "])
def test_a_name_of_nothing_is_nothing(name):
    assert _code(name) == ""


def test_too_large_is_in_the_table_by_its_layer(tmp_path):
    text = pull_request(Check((network(analysis(tmp_path), TOO_LARGE, WITHIN),)))
    assert text.index("`stem` · activation memory") < text.index("| Parameters | 583 |")
