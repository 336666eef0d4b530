"""Nodes read as what they should be."""

import pytest
from reading import marked

from convcalc.errors import Findings, Place, Related, SourceText, catalogue
from convcalc.sources.yaml_nodes import compose
from convcalc.sources.yaml_reader import YamlReader


def reading(text):
    """A reader and the root node of a text."""
    findings = Findings()
    root = compose(SourceText("x.yaml", text), text, findings)
    return YamlReader(findings), root


def said(reader):
    """Code, token, message and help of each finding."""
    return [(f.code.id, marked(f.place), f.message, f.help) for f in reader.findings]


class TestKeys:
    def test_known_keys_are_nothing_to_say(self):
        reader, root = reading("{max: 1, min: 2}")
        reader.check_keys(root, ["min", "max", "name"], "a budget")
        assert (said(reader), reader.complaints) == ([], 0)

    def test_every_unknown_key_is_reported(self):
        reader, root = reading("{mx: 1, max: 2, other: 3, spec: 4}")
        reader.check_keys(root, ["min", "max"], "a budget", {"spec": "leave it out"})
        assert said(reader) == [
            ("E104", "mx", "unknown key `mx` in a budget", "did you mean `max`?"),
            ("E104", "other", "unknown key `other` in a budget", "it may have `min`, `max`"),
            ("E104", "spec", "unknown key `spec` in a budget", "leave it out"),
        ]
        assert reader.complaints == 3

    def test_a_hint_counts_for_more_than_a_close_name(self):
        reader, root = reading("{maxi: 1}")
        reader.check_keys(root, iter(["max"]), "a budget", {"maxi": "say it by halves"})
        assert said(reader)[0][3] == "say it by halves"


class TestMappings:
    def test_a_mapping_is_one(self):
        reader, root = reading("{a: 1}")
        assert reader.mapping(root, "`set`", "set: {H: 8}") is root
        assert said(reader) == []

    @pytest.mark.parametrize(
        ("text", "token", "described"),
        [
            ("- [x]", "[", "a list"),
            ("- 5", "5", "`5`"),
            ("- ''", "''", "``"),
            ("- null", "null", "nothing"),
        ],
    )
    def test_anything_else_is_reported(self, text, token, described):
        reader, root = reading(text)
        assert reader.mapping(root.items[0], "`set`", "set: {H: 8}") is None
        message = f"`set` must be a mapping, not {described}"
        assert said(reader) == [("E101", token, message, "for example `set: {H: 8}`")]


class TestTexts:
    @pytest.mark.parametrize(
        ("written", "text"),
        [("net", "net"), ("'5'", "5"), ("a b", "a b"), ("卷积", "卷积"), ('"\\u00e9"', "é")],
    )
    def test_a_text_is_one(self, written, text):
        reader, root = reading(f"name: {written}")
        assert reader.optional_text(root, "name") == text
        assert said(reader) == []

    def test_what_is_not_there_is_no_text_and_no_mistake(self):
        reader, root = reading("{}")
        assert reader.optional_text(root, "name") is None
        assert (said(reader), reader.complaints) == ([], 0)

    @pytest.mark.parametrize(
        ("written", "token", "described", "hint"),
        [
            ("5", "5", "`5`", "put it in quotes"),
            ("true", "true", "`true`", "put it in quotes"),
            ("1.5", "1.5", "`1.5`", "put it in quotes"),
            ("[a]", "[", "a list", None),
            ("{a: b}", "{", "a mapping", None),
            ("null", "null", "nothing", "put it in quotes"),
            ("", ":", "nothing", None),
        ],
    )
    def test_other_values_are_no_text(self, written, token, described, hint):
        reader, root = reading(f"name: {written}")
        assert reader.optional_text(root, "name") is None
        message = f"`name` must be a text, not {described}"
        [found] = said(reader)
        assert (found[0], found[2], found[3]) == ("E103", message, hint)
        assert token in (found[1], ":")

    @pytest.mark.parametrize(
        ("written", "hint"),
        [
            ("''", "leave it out, or write at least one letter"),
            ("'  '", "leave it out, or write at least one letter"),
            ('"a\\nb"', None),
            ('"\\e[31m"', None),
            ('"\\u202e"', None),
        ],
    )
    def test_a_text_can_be_printed(self, written, hint):
        reader, root = reading(f"name: {written}")
        assert reader.optional_text(root, "name") is None
        message = "`name` must be a text of printable characters"
        assert said(reader) == [("E111", written, message, hint)]


def test_of_what_yaml_could_make_nothing_of_no_more_is_said():
    reader, root = reading("name: *nobody\nother: 5\n")
    assert [f.code.id for f in reader.findings] == ["E010"]
    assert reader.optional_text(root, "name") is None
    assert [f.code.id for f in reader.findings] == ["E010"]
    assert reader.complaints == 1  # it counts as one all the same
    assert reader.optional_text(root, "other") is None
    assert [f.code.id for f in reader.findings] == ["E010", "E103"]


def test_a_report_has_what_it_is_given():
    reader, root = reading("{a: 1}")
    first = Related("first", Place(root.place.text, 1, 2))
    reader.report(catalogue.DUPLICATE_KEY, "twice", root.place, "keep one", (first,))
    [finding] = reader.findings
    assert (finding.message, finding.help, finding.related) == ("twice", "keep one", (first,))
