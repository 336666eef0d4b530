"""YAML to nodes: the core schema of YAML 1.2, places, and what is refused."""

from fractions import Fraction

import pytest
from reading import marked

from convcalc.errors import MAX_FINDINGS, EnoughFindingsError, Findings, SourceText
from convcalc.sources import yaml_nodes
from convcalc.sources.yaml_nodes import (
    MAX_DEPTH,
    MAX_NODES,
    YamlMapping,
    YamlScalar,
    YamlSequence,
    compose,
    described,
)


def read(text):
    """The root node of ``text`` and what was found against it."""
    findings = Findings()
    try:
        root = compose(SourceText("x.yaml", text), text, findings)
    except EnoughFindingsError:
        root = None
    return root, findings.in_order()


def plain(node):
    """A node as Python data."""
    if isinstance(node, YamlMapping):
        return {key: plain(value) for key, (_, value) in node.entries.items()}
    if isinstance(node, YamlSequence):
        return [plain(item) for item in node.items]
    return node.value


def value_of(text):
    """The data of a text that nothing is wrong with."""
    root, findings = read(text)
    assert findings == []
    return plain(root)


def finding_of(text):
    """The one thing that is wrong with a text."""
    (finding,) = read(text)[1]
    return finding


class TestCoreSchema:
    @pytest.mark.parametrize(
        ("text", "value"),
        [
            *((text, None) for text in ("~", "null", "Null", "NULL")),
            *((text, True) for text in ("true", "True", "TRUE")),
            *((text, False) for text in ("false", "False", "FALSE")),
            *(("12", 12), ("-7", -7), ("+3", 3), ("0", 0), ("-0", 0)),
            *(("0o17", 15), ("0x1F", 31), ("0xff", 255)),
            *(("1e3", 1000), ("1.5", Fraction(3, 2)), (".25", Fraction(1, 4)), ("2.", 2)),
            *(("-1.5e-1", Fraction(-3, 20)), ("0.1", Fraction(1, 10)), ("00.5", Fraction(1, 2))),
        ],
    )
    def test_a_plain_word_or_number_has_its_value(self, text, value):
        found = value_of(f"- {text}\n")[0]
        assert found == value
        assert type(found) is type(value)

    @pytest.mark.parametrize(
        "text",
        [
            *("yes", "no", "on", "off", "y", "n", "nULL", "tRUE"),  # YAML 1.1's and misspelt words
            *("1_000", "0b11", "0o8", "0xg", "1.2.3", "12e", "e5", ".", "-", "+.e3", "a.inf"),
            *("2001-12-14", "12:99999999999", "1:-2", "conv", "x-y", "3x3"),
        ],
    )
    def test_anything_else_is_a_text(self, text):
        assert value_of(f"[{text}, ]")[0] == text

    @pytest.mark.parametrize("quoted", ["'{}'", '"{}"'])
    @pytest.mark.parametrize("text", ["12", "true", "null", "", "010", "28:28", ".nan", "1e999"])
    def test_quotes_make_a_text_of_everything(self, text, quoted):
        root, findings = read(f"- {quoted.format(text)}\n")
        assert findings == []
        assert root.items[0][1:] == (text, text, True)

    def test_block_scalars_are_texts(self):
        assert value_of("a: |\n  12\nb: >\n  12\n  13\n") == {"a": "12\n", "b": "12 13\n"}

    def test_a_key_without_a_value_has_none(self):
        assert value_of("a:\nb: {c: , d}\n") == {"a": None, "b": {"c": None, "d": None}}

    def test_the_order_of_keys_is_kept(self):
        assert list(value_of("{z: 1, a: 2, m: 3}")) == ["z", "a", "m"]

    def test_an_alias_is_what_it_refers_to(self):
        assert value_of("a: &x [1, {b: 2}]\nc: *x\nd: *x\n") == {
            "a": [1, {"b": 2}],
            "c": [1, {"b": 2}],
            "d": [1, {"b": 2}],
        }

    def test_an_anchor_can_be_set_again(self):
        assert value_of("[&x 1, *x, &x 2, *x]") == [1, 1, 2, 2]

    @pytest.mark.parametrize("text", ["", " \n\n", "# only a comment\n"])
    def test_nothing_is_no_node(self, text):
        assert read(text) == (None, [])

    @pytest.mark.parametrize("text", ["---\n", "--- # x\n", "~\n", "null\n", "---\n...\n"])
    def test_an_empty_document_is_nothing(self, text):
        assert value_of(text) is None

    def test_an_explicit_end_is_no_second_document(self):
        assert value_of("---\na: 1\n...\n") == {"a": 1}


class TestPlaces:
    def test_every_node_knows_where_it_stands(self):
        root, _ = read("name: net\nlayers:\n  - conv: {kernel_size: 3}\n  - [a, 'b c']\n")
        key, value = root.entries["name"]
        assert (key.place[1:], value.place[1:]) == ((1, 1, 4), (1, 7, 3))
        conv, words = root.entries["layers"][1].items
        key, fields = conv.entries["conv"]
        assert (key.place[1:], fields.place[1:]) == ((3, 5, 4), (3, 11, 1))
        assert fields.entries["kernel_size"][1].place[1:] == (3, 25, 1)
        assert [item.place[1:] for item in words.items] == [(4, 6, 1), (4, 9, 5)]

    def test_columns_count_characters_not_bytes(self):
        root, _ = read("größe: [😀, wé, 3]\n")
        assert [item.place[2:] for item in root.entries["größe"][1].items] == [
            (9, 1),
            (12, 2),
            (16, 1),
        ]

    @pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
    def test_lines_count_the_same_whatever_ends_them(self, end):
        root, _ = read(f"a: 1{end}{end}b: 2{end}")
        assert root.entries["b"][1].place[1:] == (3, 4, 1)

    def test_a_text_over_several_lines_is_marked_on_its_first(self):
        root, _ = read("a: one\n  two\nb: 1\n")
        assert root.entries["a"][1].place[1:] == (1, 4, 3)

    def test_a_missing_value_stands_behind_its_colon(self):
        root, _ = read("vars:\nb: 1\n")
        assert root.entries["vars"][1].place[1:] == (1, 6, 1)


class TestRefusals:
    @pytest.mark.parametrize("text", [".inf", "-.inf", "+.INF", ".nan", ".NaN"])
    def test_what_is_not_finite(self, text):
        finding = finding_of(f"a: {text}\n")
        assert (finding.code.id, marked(finding.place)) == ("E021", text)
        assert finding.message == f"`{text}` is not a finite number"

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("1e999", "`1e999` is more than 10¹⁸"),
            ("1e-999", "`1e-999` has more than 18 decimals"),
            ("9" * 41, "a number of 41 digits"),
            ("-" + "9" * 5000, "a number of 5,000 digits"),
        ],
    )
    def test_numbers_out_of_bounds(self, text, said):
        finding = finding_of(f"a: {text}\n")
        assert (finding.code.id, finding.message) == ("E307", said)
        assert marked(finding.place) == text

    @pytest.mark.parametrize(
        ("text", "to_yaml_11", "as_list"),
        [
            ("28:28", "1708", "[28, 28]"),
            ("1:30", "90", "[1, 30]"),
            ("12:30:45", "45045", "[12, 30, 45]"),
        ],
    )
    def test_sexagesimal_lookalikes(self, text, to_yaml_11, as_list):
        finding = finding_of(f"a: {text}\n")
        assert (finding.code.id, marked(finding.place)) == ("E022", text)
        assert finding.message == f"`{text}` is a text to YAML 1.2 and {to_yaml_11} to YAML 1.1"
        assert as_list in finding.help

    @pytest.mark.parametrize(
        ("text", "said", "way_out"),
        [
            ("010", "`010` is 10 to YAML 1.2 and 8 to YAML 1.1", "write 10, or 0o10 for an"),
            ("-0755", "`-0755` is 755 to YAML 1.2 and 493 to YAML 1.1", "write 755, or 0o755"),
            ("089", "`089` is 89 to YAML 1.2", "write 89"),
            ("00", "`00` is 0 to YAML 1.2 and 0 to YAML 1.1", "write 0, or 0o0"),
        ],
    )
    def test_octal_lookalikes(self, text, said, way_out):
        finding = finding_of(f"a: {text}\n")
        assert (finding.code.id, finding.message) == ("E023", said)
        assert finding.help.startswith(way_out)

    def test_no_octal_number_is_proposed_where_there_is_none(self):
        assert finding_of("a: 089\n").help == "write 89"

    @pytest.mark.parametrize(
        ("text", "key", "shown"),
        [
            ("{1: a}", "1", "`1`"),
            ("true: a\n", "true", "`true`"),
            ("~: a\n", "~", "nothing"),
            ("[a]: b\n", "[", "a list"),
            ("{a: 1}: b\n", "{", "a mapping"),
        ],
    )
    def test_keys_that_are_no_texts(self, text, key, shown):
        finding = finding_of(text)
        assert (finding.code.id, marked(finding.place)) == ("E015", key)
        assert finding.message == f"a key must be text, not {shown}"

    def test_a_duplicate_key_shows_the_first(self):
        finding = finding_of("a: 1\nb: 2\na: 3\n")
        assert (finding.code.id, finding.place[1:]) == ("E014", (3, 1, 1))
        assert finding.message == "the key `a` stands twice in one mapping"
        ((label, place),) = finding.related
        assert (label, place.line) == ("first", 1)

    def test_a_key_in_quotes_is_the_same_key(self):
        assert finding_of("{a: 1, 'a': 2}").code.id == "E014"

    def test_a_merge_key_is_reported_and_what_it_merges_is_there(self):
        root, (finding,) = read("a: &x {k: 1, l: 2}\nb: {<<: *x, k: 3}\n")
        assert (finding.code.id, marked(finding.place)) == ("E016", "<<")
        assert plain(root)["b"] == {"k": 3, "l": 2}

    def test_a_merge_of_several(self):
        root, (finding,) = read("[&x {k: 1}, &y {k: 2, l: 3}, {<<: [*x, *y]}]")
        assert finding.code.id == "E016"
        assert plain(root)[2] == {"k": 1, "l": 3}

    def test_a_merge_key_in_quotes_is_a_key(self):
        assert value_of('{"<<": 1}') == {"<<": 1}

    def test_a_second_document(self):
        root, (finding,) = read("a: 1\n---\nb: 2\n---\nc: 3\n")
        assert (finding.code.id, finding.place[1:]) == ("E017", (2, 1, 3))
        assert plain(root) == {"a": 1}

    @pytest.mark.parametrize(
        ("text", "tag"),
        [
            ("a: !light\n", "!light"),
            ("a: !!int 3\n", "!!int"),
            ("a: !!python/object/apply:os.system [x]\n", "!!python/object/apply:os.system"),
            ("a: !<!verbatim> 3\n", "!verbatim"),
        ],
    )
    def test_tags(self, text, tag):
        finding = finding_of(text)
        assert finding.code.id == "E024"
        assert finding.message == f"the tag `{tag}` is not part of the spec language"
        assert finding.place.column == 4

    @pytest.mark.parametrize("text", ["&a [1, *a]", "a: &x {b: *x}\n", "&a {k: [[*a]]}"])
    def test_an_alias_inside_what_it_refers_to(self, text):
        finding = finding_of(text)
        assert (finding.code.id, marked(finding.place)[0]) == ("E018", "*")

    def test_an_alias_of_nothing(self):
        finding = finding_of("a: *width\n")
        assert (finding.code.id, marked(finding.place)) == ("E010", "*width")
        assert "anchor" in finding.message
        assert "quotes" in finding.help

    def test_depth_is_bounded(self):
        assert read("[" * MAX_DEPTH + "]" * MAX_DEPTH)[1] == []
        finding = finding_of("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1))
        assert (finding.code.id, finding.place.column) == ("E020", MAX_DEPTH + 1)
        assert finding.message == f"more than {MAX_DEPTH} levels of nesting"

    def test_the_number_of_values_is_bounded(self):
        assert read("[" + "a," * (MAX_NODES - 1) + "]")[1] == []
        finding = finding_of("[" + "a," * MAX_NODES + "]")
        assert (finding.code.id, finding.place.column) == ("E019", 2 * MAX_NODES)

    def test_an_alias_counts_as_what_it_refers_to(self):
        aliases = "*a," * (MAX_NODES // 1000)
        finding = finding_of(f"[&a [{'x,' * 1000}], {aliases}]")
        assert finding.code.id == "E019"
        assert marked(finding.place) == "*a"

    def test_the_number_of_findings_is_bounded(self):
        root, findings = read("[" + "010," * 1000 + "]")
        assert (root, len(findings)) == (None, MAX_FINDINGS)

    def test_what_was_found_before_a_syntax_error_is_not_lost(self):
        assert [f.code.id for f in read("a: 010\nb: .inf\nc: [1\n")[1]] == ["E023", "E021", "E010"]


class TestLostQuotes:
    """Expressions that YAML cut into pieces."""

    @pytest.mark.parametrize(
        ("text", "expression"),
        [
            ("{k: max(8, c // 4)}", "max(8, c // 4)"),
            ("{k: max(8, c // 4), l: 3}", "max(8, c // 4)"),
            ("{k: max(min(1, 2), 3), l: 3}", "max(min(1, 2), 3)"),
            ("{k: max(1, max(2, max(3, 4)))}", "max(1, max(2, max(3, 4)))"),
            ("[max(8, c), 3]", "max(8, c)"),
            ("[3, max(8, min(c, 2)), 4]", "max(8, min(c, 2))"),
            ("[(1, 2), 3]", "(1, 2)"),
        ],
    )
    def test_a_comma(self, text, expression):
        root, (finding,) = read(f"a: {text}\n")
        assert (finding.code.id, marked(finding.place)) == ("E012", expression)
        assert finding.message == f"YAML ends `{expression.partition(',')[0]}` at the comma"
        assert finding.help.endswith(f'must be quoted: "{expression}"')
        value = plain(root)["a"]
        values = list(value.values()) if isinstance(value, dict) else value
        assert expression in values
        assert set(values) <= {expression, 3, 4}

    def test_a_comma_and_a_line_break(self):
        root, (finding,) = read("a: {k: max(8,\n     c // 4), l: 3}\n")
        assert (finding.code.id, marked(finding.place)) == ("E012", "max(8,")
        assert list(plain(root)["a"]) == ["k", "l"]

    @pytest.mark.parametrize("text", ["{k: (, l: 3}", "[(, (, (]", "{k: (a, l: b)}", "[a), (b]"])
    def test_brackets_that_are_never_closed_are_left_alone(self, text):
        assert all(finding.code.id != "E012" for finding in read(f"a: {text}\n")[1])

    @pytest.mark.parametrize(
        ("text", "expression"),
        [
            ("{k: c[0]}", "c[0]"),
            ("{k: c[0], l: 3}", "c[0]"),
            ("{k: 2 * c[i + 1] - 1, l: 3}", "2 * c[i + 1] - 1"),
            ("{k: c[0][1]}", "c[0][1]"),
            ("{k: c[0] + c[1]}", "c[0] + c[1]"),
            ("{k: max(c[0], 8), l: 3}", "max(c[0], 8)"),
            ("{k: max(8, c[0]), l: 3}", "max(8, c[0])"),
            ("{k: max(c[0], c[1])}", "max(c[0], c[1])"),
            ("{k: [1, 2][i], l: 3}", "[1, 2][i]"),
            ("[3, c[0], 4]", "c[0]"),
        ],
    )
    def test_a_bracket(self, text, expression):
        root, (finding,) = read(f"a: {text}\n")
        assert (finding.code.id, marked(finding.place)) == ("E013", expression)
        assert finding.message == f"YAML takes the bracket of `{expression}` for a list"
        assert finding.help.endswith(f'must be quoted: "{expression}"')
        value = plain(root)["a"]
        assert expression in (list(value.values()) if isinstance(value, dict) else value)

    def test_several_brackets_are_found_in_one_run(self):
        root, findings = read("a:\n  - {k: c[0], l: c[1]}\n  - {k: 3}\n  - {k: d[0]}\n")
        assert [finding.code.id for finding in findings] == ["E013"] * 3
        assert plain(root)["a"] == [{"k": "c[0]", "l": "c[1]"}, {"k": 3}, {"k": "d[0]"}]

    def test_a_bracket_does_not_hide_what_else_is_wrong(self):
        assert [f.code.id for f in read("a: {k: c[0]}\nb: 010\nb: .inf\n")[1]] == [
            *("E013", "E023", "E014", "E021"),
        ]

    def test_outside_braces_nothing_needs_quotes(self):
        text = "a: max(8, c // 4)\nb: c[0] + [1, 2][i]\n"
        assert value_of(text) == {"a": "max(8, c // 4)", "b": "c[0] + [1, 2][i]"}


class TestSyntaxErrors:
    @pytest.fixture(autouse=True, params=["whichever is there", "PyYAML's own"])
    def parser(self, request, monkeypatch):
        if request.param == "PyYAML's own":
            monkeypatch.setattr(yaml_nodes, "Parser", yaml_nodes.PythonParser)

    @pytest.mark.parametrize(
        ("text", "line", "column", "said"),
        [
            ("a: [1, 2\nb: 3\n", 2, 2, "a comma is missing before this, or a bracket is not"),
            ("a: {b: 1 c: 2}\n", 1, 11, "a comma is missing before this"),
            ("a: {b: 1\n", 1, 9, "a comma is missing before this"),
            ("a:\n  b: 1\n c: 2\n", 3, 2, "this is indented otherwise"),
            ("a:\n  - b\n c\n", 3, 2, "this is indented otherwise"),
            ("a: - b\n", 1, 4, "a list may not begin here"),
            ("a: b: c\n", 1, 5, "a key may not stand here"),
            ("a\nb: 1\n", 2, 2, "a key may not stand here"),
            ("a: 1\nb\nc: 2\n", 3, 1, "this line is no `key: value`"),
            ('a: "b\n', 1, 6, "the text ends inside quotes"),
            ("a: @b\n", 1, 4, "no value can start with this character"),
        ],
    )
    def test_a_cause_in_plain_words_and_a_way_out(self, text, line, column, said):
        finding = finding_of(text)
        assert finding.code.id == "E010"
        assert said in finding.message
        assert finding.place[1:3] == (line, column)
        assert finding.help

    def test_an_escape_that_there_is_not(self):
        finding = finding_of('a: "\\q"\n')
        assert finding.message == "no such escape after \\"
        # libyaml marks the backslash, PyYAML's own parser what follows it.
        assert finding.place[1:3] in {(1, 5), (1, 6)}

    @pytest.mark.parametrize(("text", "bracket"), [("a:\n  [1\nb: 2\n", "["), ('a: "b\nc\n', '"')])
    def test_what_is_not_closed_is_shown(self, text, bracket):
        ((label, place),) = finding_of(text).related
        assert label == f"`{bracket}` begins here"
        assert marked(place) == bracket

    def test_every_line_that_a_tab_indents_is_named(self):
        findings = read("a:\n\t- b\n\n \t- c\n- d\te\n")[1]
        assert [finding.code.id for finding in findings] == ["E011", "E011"]
        assert [finding.place[1:3] for finding in findings] == [(2, 1), (4, 2)]
        assert findings[0].help == "YAML is indented with spaces"

    @pytest.mark.parametrize("text", ["a:\tb\n", "a:\t\tb\t# c\n", "{a:\tb\t}\n"])
    def test_a_tab_elsewhere_is_no_mistake(self, text):
        assert value_of(text) == {"a": "b"}

    @pytest.mark.parametrize(
        ("text", "line", "column", "character"),
        [
            ("a: b\x07\n", 1, 5, "U+0007"),
            ("é: 1\n😀: \x1b[31m\n", 2, 4, "U+001B"),
            ("a: 1\r\rb: \x01\r", 3, 4, "U+0001"),
            ("# \x0c\n", 1, 3, "U+000C"),
            ("a: \ud800\n", 1, 4, "U+D800"),
        ],
    )
    def test_a_character_that_yaml_forbids(self, text, line, column, character):
        finding = finding_of(text)
        assert finding.message == f"the character {character} is not allowed in YAML"
        assert finding.place[1:3] == (line, column)


class TestWithoutLibyaml:
    """The same, with PyYAML's own parser, which is there where libyaml is not."""

    @pytest.fixture(autouse=True)
    def pure_parser(self, monkeypatch):
        monkeypatch.setattr(yaml_nodes, "Parser", yaml_nodes.PythonParser)

    def test_values_and_places_are_the_same(self):
        root, findings = read("größe: [😀, 0.1]\nb: {c: true}\n")
        assert findings == []
        assert plain(root) == {"größe": ["😀", Fraction(1, 10)], "b": {"c": True}}
        assert root.entries["größe"][1].items[1].place[1:] == (1, 12, 3)

    @pytest.mark.parametrize(
        ("text", "code"),
        [
            ("a: [1\n", "E010"),
            ("a:\n\t- b\n", "E011"),
            ("a: {k: c[0]}\n", "E013"),
            ("[" * 40_000, "E020"),
            ("a: \x1b\n", "E010"),
            ("😀: \x1b\n", "E010"),
            ("a: &x [*x]\n", "E018"),
        ],
    )
    def test_what_is_refused_is_the_same(self, text, code):
        assert finding_of(text).code.id == code


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[]", "a list"),
        ("{}", "a mapping"),
        ("~", "nothing"),
        ("conv", "`conv`"),
        ("12", "`12`"),
        ("x" * 50, "`" + "x" * 39 + "…`"),
    ],
)
def test_nodes_are_described_in_words(text, words):
    assert described(read(text)[0]) == words


def test_a_scalar_keeps_its_text():
    root, _ = read("1e3\n")
    assert isinstance(root, YamlScalar)
    assert (root.value, root.text, root.quoted) == (1000, "1e3", False)
