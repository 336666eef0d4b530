"""Findings as a compiler would print them."""

from convcalc.errors import Finding, Place, Related, SourceText, catalogue
from convcalc.reports.findings import findings_text

TEXT = SourceText("net.yaml", "input: [3, 5, 5]\nlayers:\n  - max_pool: {kernel_size: 7}\n")


def test_the_whole_form():
    finding = Finding(
        catalogue.NO_OUTPUT,
        "`p5` has no output",
        Place(TEXT, 3, 28, 1),
        notes=("out = 0",),
        help="use a smaller kernel",
        related=(Related("the input", Place(TEXT, 1, 8, 9)),),
    )
    assert findings_text([finding]) == (
        "net.yaml:3:28: error[E302]: `p5` has no output\n"
        "  |\n"
        "3 |   - max_pool: {kernel_size: 7}\n"
        "  |                            ^\n"
        "  = note: out = 0\n"
        "  = note: the input: net.yaml:1:8\n"
        "  = help: use a smaller kernel\n"
    )


def test_findings_are_a_blank_line_apart():
    one = Finding(catalogue.EMPTY, "nothing")
    assert findings_text([one, one]) == "error[E007]: nothing\n\nerror[E007]: nothing\n"
    assert findings_text([]) == ""


def test_the_caret_stands_under_wide_characters():
    text = SourceText("n", "  - 卷积: x")
    shown = findings_text([Finding(catalogue.UNKNOWN_KIND, "?", Place(text, 1, 5, 2))])
    source, carets = shown.splitlines()[2:4]
    # Each of the two characters takes two columns of the terminal.
    assert source == "1 |   - 卷积: x"
    assert carets == "  |     ^^^^"


def test_a_long_line_is_cut_to_the_place():
    line = "x" * 300 + "HERE" + "y" * 300
    text = SourceText("n", line)
    shown = findings_text([Finding(catalogue.UNKNOWN_KIND, "?", Place(text, 1, 301, 4))])
    source, carets = shown.splitlines()[2:4]
    assert len(source) < 170
    assert source[carets.index("^") : carets.rindex("^") + 1] == "HERE"


def test_controls_are_made_visible():
    text = SourceText("n\x1b[2J", "  - \x1b[31mred\t: x")
    shown = findings_text(
        [Finding(catalogue.UNKNOWN_KIND, "a \x07 bell", Place(text, 1, 5), help="\x9b")]
    )
    assert all(character.isprintable() for character in shown.replace("\n", ""))


def test_colour_marks_the_severity():
    assert "\x1b[1;31merror[E007]\x1b[0m" in findings_text(
        [Finding(catalogue.EMPTY, "nothing")], color=True
    )
