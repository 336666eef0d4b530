"""Findings: what they hold, how many there may be, and how their texts stay readable."""

import pytest

import convcalc.errors
from convcalc.errors import (
    MAX_FINDINGS,
    ConvcalcError,
    EnoughFindingsError,
    Finding,
    Findings,
    Place,
    Related,
    SourceText,
    SpecError,
    UsageError,
    catalogue,
    close_match,
    listed,
    printable,
)

TEXT = SourceText("net.yaml", "input: [3, 8, 8]\nlayers:\n  - rellu\n")
PLACE = Place(TEXT, 3, 5, 5)


def error(message="it is wrong", **fields):
    return Finding(catalogue.WRONG_TYPE, message, **fields)


def warning(message="it looks odd"):
    return Finding(catalogue.UNUSED_OUTPUT, message)


def gathered(*findings):
    found = Findings()
    for finding in findings:
        found.add(finding)
    return found


def test_all_names_everything_that_is_defined_here():
    own = {
        name
        for name, value in vars(convcalc.errors).items()
        if getattr(value, "__module__", "") == convcalc.errors.__name__ and name[0] != "_"
    }
    assert own <= set(convcalc.errors.__all__) <= set(vars(convcalc.errors))


class TestFinding:
    def test_a_place_is_written_as_compilers_write_it(self):
        assert str(PLACE) == "net.yaml:3:5"

    def test_a_place_is_one_character_long_unless_more_is_said(self):
        assert Place(TEXT, 1, 1).length == 1

    def test_the_letter_of_the_code_tells_warnings_from_errors(self):
        assert (error().is_warning, error().severity) == (False, "error")
        assert (warning().is_warning, warning().severity) == (True, "warning")

    def test_a_source_text_shows_its_size_not_its_contents(self):
        assert repr(TEXT) == "SourceText('net.yaml', 3 lines)"

    @pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\x85", "\u2028"])
    def test_lines_end_where_yaml_ends_them(self, end):
        assert SourceText("x", f"a{end}b").lines == ["a", "b"]


class TestConvcalcError:
    def test_it_carries_every_finding(self):
        findings = (error(), warning())
        assert ConvcalcError(iter(findings)).findings == findings

    def test_its_text_has_a_line_for_each_finding(self):
        raised = ConvcalcError([error(place=PLACE), warning("unread")])
        assert str(raised) == "net.yaml:3:5: error[E103]: it is wrong\nwarning[W502]: unread"

    def test_its_text_has_no_control_characters(self):
        raised = ConvcalcError([error("\x1b[31mred\x07")])
        assert str(raised) == r"error[E103]: \x1b[31mred\x07"

    @pytest.mark.parametrize("kind", [SpecError, UsageError])
    def test_whoever_catches_it_catches_all(self, kind):
        assert issubclass(kind, ConvcalcError)


class TestFindings:
    def test_it_counts_errors_but_no_warnings(self):
        found = gathered(error(), warning(), error())
        assert (len(found), found.errors) == (3, 2)
        assert Findings(found).errors == 2

    def test_it_ends_the_reading_with_the_last_finding_that_there_is_room_for(self):
        found = gathered(*(error() for _ in range(MAX_FINDINGS - 1)))
        with pytest.raises(EnoughFindingsError):
            found.add(error("one too many"))
        assert len(found) == MAX_FINDINGS
        assert list(found)[-1].message == "one too many"

    def test_warnings_end_nothing_and_are_dropped_past_the_limit(self):
        found = gathered(*(warning() for _ in range(3 * MAX_FINDINGS)), error())
        assert (len(found), found.errors) == (MAX_FINDINGS + 1, 1)

    def test_the_order_is_that_of_the_text_with_what_has_no_place_first(self):
        places = [Place(TEXT, 3, 1), None, Place(TEXT, 1, 9), Place(TEXT, 1, 2)]
        found = gathered(*(error(str(n), place=place) for n, place in enumerate(places)))
        assert [finding.message for finding in found.in_order()] == ["1", "3", "2", "0"]

    def test_findings_at_one_place_keep_their_order(self):
        found = gathered(*(error(str(n), place=PLACE) for n in range(5)))
        assert [finding.message for finding in found.in_order()] == list("01234")

    def test_the_last_one_says_that_there_may_be_more(self):
        found = Findings(error(place=Place(TEXT, n, 1)) for n in range(1, MAX_FINDINGS + 1))
        *others, last = found.in_order()
        assert last.notes == (
            f"there may be more: after {MAX_FINDINGS} findings nothing is read any further",
        )
        assert not any(finding.notes for finding in others)

    def test_a_place_can_be_added_later(self):
        found = gathered(error(), error(related=(Related("here", PLACE),)))
        found.relate(1, Related("and here", PLACE))
        assert [[r.label for r in finding.related] for finding in found] == [
            [],
            ["here", "and here"],
        ]

    def test_what_a_message_quotes_is_cut_and_the_rest_stays(self):
        long = "x" * 10_000
        (finding,) = gathered(
            error(f"unknown key `{long}` in `conv`", help=f'write "{long}"', notes=(f"`{long}`!",))
        )
        assert finding.message.startswith("unknown key `xxx")
        assert finding.message.endswith("x…` in `conv`")
        assert finding.help.startswith('write "xxx')
        assert finding.help.endswith('x…"')
        assert finding.notes[0].endswith("x…`!")
        assert all(len(t) < 200 for t in (finding.message, finding.help, *finding.notes))

    def test_short_quotes_in_a_long_message_are_left_whole(self):
        text = "`a` and `b` " * 30
        (finding,) = gathered(error(text))
        assert finding.message == text

    def test_a_message_is_cut_however_it_became_long(self):
        (finding,) = gathered(error("word " * 1000))
        assert len(finding.message) == 400
        assert finding.message.endswith("…")


class TestTexts:
    @pytest.mark.parametrize(
        ("text", "shown"),
        [
            ("conv[a-z] ×⌊ü⌋", "conv[a-z] ×⌊ü⌋"),
            ("a\tb", "a b"),
            ("a\nb", r"a\nb"),
            ("\x1b[31m", r"\x1b[31m"),
            ("\u202e\ud800\x85", r"\u202e\ud800\x85"),
        ],
    )
    def test_printable_escapes_what_steers_a_terminal(self, text, shown):
        assert printable(text) == shown

    def test_a_short_list_is_whole(self):
        assert listed(["a", "b"]) == "`a`, `b`"
        assert listed([]) == ""

    def test_a_long_list_says_how_many_are_left(self):
        names = [f"v{n}" for n in range(1000)]
        assert listed(names).startswith("`v0`, `v1`, ")
        assert listed(names).endswith("`v10`, and 989 more")

    def test_a_list_that_just_fits_has_no_rest(self):
        assert listed(map(str, range(12))).endswith("`11`")


class TestCloseMatch:
    @pytest.mark.parametrize(
        ("name", "meant"),
        [
            ("kernal_size", "kernel_size"),
            ("Stride", "stride"),
            ("strid", "stride"),
            ("OUT_CHANNELS", "out_channels"),
            ("out_chanels", "out_channels"),
        ],
    )
    def test_it_finds_what_was_meant(self, name, meant):
        assert close_match(name, ["kernel_size", "stride", "out_channels"]) == meant

    @pytest.mark.parametrize("name", ["", "xyzzy", "s", "x" * 1000])
    def test_it_finds_nothing_where_nothing_is_close(self, name):
        assert close_match(name, ["kernel_size", "stride"]) is None

    def test_it_does_not_depend_on_the_order_of_the_names(self):
        names = ["conv1", "conv2", "conv3"]
        assert len({close_match("conv4", order) for order in (names, names[::-1])}) == 1

    def test_among_very_many_names_it_looks_at_those_with_the_same_first_letter(self):
        names = [f"{letter}{n}" for letter in "abcdefgh" for n in range(100)] + ["width"]
        assert close_match("widht", names) == "width"
        assert close_match("xidth", names) is None
