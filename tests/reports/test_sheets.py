"""Sheets as plain text, Markdown and tables."""

import io

import pytest

from convcalc.reports.markdown import markdown_text
from convcalc.reports.plain import plain_text
from convcalc.reports.sheet import Column, Sheet
from convcalc.reports.table import print_table, shortened

SHEET = Sheet(
    title="a title",
    columns=(
        Column("Layer", is_number=False, is_name=True),
        Column("Kind", is_number=False, dropped=2),
        Column("Count"),
        Column("Share", dropped=1),
    ),
    rows=(("stage1.block1.conv", "conv", "1,234,567", "9.9 %"), ("x", "relu", "0", "0.0 %")),
    totals=(("Total", "", "1,234,567", "100.0 %"),),
    lines=("A sentence about the numbers.",),
)


def drawn(sheet, width, *, color=False):
    stream = io.StringIO()
    print_table(sheet, stream, color=color, width=width)
    return stream.getvalue()


def test_plain_text_is_aligned():
    assert plain_text(SHEET) == (
        "a title\n"
        "Layer               Kind      Count    Share\n"
        "------------------  ----  ---------  -------\n"
        "stage1.block1.conv  conv  1,234,567    9.9 %\n"
        "x                   relu          0    0.0 %\n"
        "------------------  ----  ---------  -------\n"
        "Total                     1,234,567  100.0 %\n"
        "A sentence about the numbers.\n"
    )


def test_plain_text_counts_the_columns_of_wide_characters():
    sheet = Sheet(
        "t", (Column("a", is_number=False), Column("b")), (("卷积", "1"), ("e\u0301", "2"))
    )
    lines = plain_text(sheet).splitlines()
    assert lines[3] == "卷积  1"
    assert lines[4] == "e\u0301     2"


def test_markdown_takes_texts_literally():
    sheet = SHEET._replace(rows=(("a|b_c*[d]`e`", "<i>", "1", "2"),), totals=(), lines=())
    assert r"| a\|b\_c\*\[d\]`e` | \<i\> | 1 | 2 |" in markdown_text(sheet)


def test_a_wide_terminal_has_all_columns():
    text = drawn(SHEET, 80)
    for cell in ("Kind", "Share", "stage1.block1.conv", "1,234,567", "100.0 %"):
        assert cell in text


def test_where_there_is_no_room_the_most_dispensable_column_goes_first():
    # 18 + 4 + 9 + 7 and three gaps of 2 are 44 columns.
    assert "Kind" in drawn(SHEET, 44)
    assert "Kind" not in drawn(SHEET, 43)
    assert "Share" in drawn(SHEET, 43)
    assert "Share" not in drawn(SHEET, 37)


def test_names_are_shortened_before_numbers_ever_are():
    text = drawn(SHEET, 27)
    assert "stage…block1.con" in text or "stage…lock1.conv" in text
    assert "1,234,567" in text
    assert "1,234,567" in drawn(SHEET, 5)


@pytest.mark.parametrize("width", range(16, 60))
def test_a_shortened_name_keeps_both_ends(width):
    name = "stage1.bottleneck1.shortcut.conv_bn.batch_norm"
    short = shortened(name, width)
    assert len(short) <= max(width, min(len(name), width))
    assert short[:4] == "stag"
    assert short[-4:] == "norm"


def test_columns_that_do_not_fit_are_set_below_each_other():
    sheet = Sheet(
        "t",
        (Column("", is_number=False), *(Column(f"network {n}") for n in range(6))),
        (("Parameters", *(f"{n},000,000" for n in range(1, 7))),),
    )
    text = drawn(sheet, 40)
    assert all(len(line) <= 40 for line in text.splitlines())
    assert text.count("Parameters") > 1
    for n in range(1, 7):
        assert f"{n},000,000" in text


def test_a_ratio_stays_beside_its_number():
    sheet = Sheet(
        "t",
        (Column("", is_number=False), Column("a"), Column("b"), Column("ratio")),
        (("Parameters", "1,000,000", "2,000,000", "2.00×"),),
    )
    (line,) = [line for line in drawn(sheet, 32).splitlines() if "2,000,000" in line]
    assert "2.00×" in line


def test_colour_is_an_escape_and_its_absence_none():
    assert "\x1b[1m" in drawn(SHEET, 80, color=True)
    assert "\x1b" not in drawn(SHEET, 80)


@pytest.mark.parametrize("columns", ["9" * 5000, "²", "-1", "", "80 "])
def test_a_width_that_is_none_is_passed_over(run, columns):
    table = run("analyze", "lenet5", "--format", "table", COLUMNS=columns, LINES=columns)
    assert (table.returncode, table.stderr) == (0, "")
    assert "Total, 12 layers" in table.stdout
