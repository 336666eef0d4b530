"""Values of a spec before the variables have theirs: numbers, words, expressions, lists."""

from fractions import Fraction

import pytest
from reading import INPUT, codes, document, only

from convcalc.sources.spec.document import VARIES, part_of
from convcalc.sources.spec.expression import FUNCTIONS, Bindings
from convcalc.sources.spec.grammar import MODIFIERS, STRUCTURES
from convcalc.sources.spec.values import (
    MAX_EXPRESSION_CHARACTERS,
    RESERVED_VARIABLES,
    Names,
    known_words,
)


class TestTemplates:
    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("3", 3),
            ("1 + 2", 3),
            ("1 / 2", Fraction(1, 2)),
            ("0.5", Fraction(1, 2)),
            ("true", True),
            ("same", "same"),
            ("'same'", "same"),
            ("anything", "anything"),
            ("'a b'.", None),
            ("[1, 1 + 1, [3]]", (1, 2, (3,))),
            ("[]", ()),
            ("1 == 1", True),
        ],
    )
    def test_without_variables_a_value_is_known_at_once(self, text, value):
        if value is None:
            assert codes(f"vars: {{a: {text}}}\n" + INPUT + "layers: [relu]\n") != []
            return
        made = document(f"vars: {{a: {text}}}\n" + INPUT + "layers: [relu]\n")
        assert made.variables[0].value.constant == value

    def test_a_mapping_in_a_list_is_what_a_round_sets(self):
        made = document("vars: {a: [{x: 1, y: [2]}]}\n" + INPUT + "layers: [relu]\n")
        (bindings,) = made.variables[0].value.constant
        assert isinstance(bindings, Bindings)
        assert bindings.values == {"x": 1, "y": (2,)}

    def test_such_a_mapping_has_no_variables(self):
        finding = only("vars: {n: 1, a: [{x: n + 1}]}\n" + INPUT + "layers: [relu]\n")
        assert finding.code.id == "E204"
        assert finding.message == "a mapping in a list of `vars` may hold no variables"

    def test_a_list_with_a_variable_varies(self):
        made = document("vars: {n: 1, a: [2, n, n + 1]}\n" + INPUT + "layers: [relu]\n")
        template = made.variables[1].value
        assert template.constant is VARIES
        assert template.names == {"n"}
        assert template.evaluate({"n": 5}) == (2, 5, 6)
        assert template.cost > sum(part.cost for part in template.parts)

    def test_equal_expressions_are_compiled_once(self):
        text = (
            INPUT + "layers:\n" + "  - conv: {out_channels: in_channels + 1, kernel_size: 1}\n" * 3
        )
        parts = {id(entry.body.templates[0][1].parts) for entry in document(text).layers}
        assert len(parts) == 1

    def test_the_expressions_of_a_spec_are_bounded(self):
        lists = "".join(
            f"    - '[{', '.join(['n'] * 300)}, {row}]'\n"
            for row in range(MAX_EXPRESSION_CHARACTERS // 900 + 1)
        )
        finding = only("vars:\n  n: 1\n  a:\n" + lists + INPUT + "layers: [relu]\n")
        assert finding.code.id == "E205"
        assert finding.message == "expressions of more than 100,000 characters in all"

    @pytest.mark.parametrize(
        ("length", "span", "expected"),
        [
            (5, (1, 3), (11, 3)),  # plain
            (7, (1, 3), (12, 3)),  # in quotes
            (9, (1, 3), (10, 9)),  # with escapes: the whole
            (5, None, (10, 5)),
            (5, (3, 9), (13, 2)),  # no further than the end
        ],
    )
    def test_a_part_of_a_value_has_a_place(self, length, span, expected):
        place = document(INPUT + "layers: [relu]\n").place._replace(column=10, length=length)
        part = part_of(place, "a + b", span)
        assert (part.column, part.length) == expected


class TestNames:
    def test_a_scope_holds_its_own_names_and_those_around(self):
        outer = Names(["a"])
        inner = Names(["b"], outer)
        assert ("a" in inner, "b" in inner, "b" in outer, "c" in inner) == (
            True,
            True,
            False,
            False,
        )
        assert list(inner) == ["b", "a"]

    def test_what_is_added_later_is_known_from_then_on(self):
        outer = Names()
        inner = Names(["b"], outer)
        outer.add("a")
        assert "a" in inner

    def test_reserved_names_are_those_that_expressions_give_a_meaning(self):
        assert {"in_channels", "i", "true", "false", *FUNCTIONS} == RESERVED_VARIABLES

    @pytest.mark.parametrize("name", sorted(RESERVED_VARIABLES | {"and", "if", "None", "lambda"}))
    @pytest.mark.parametrize(
        "text",
        [
            "vars: {%s: 1}\n" + INPUT + "layers: [relu]\n",
            INPUT + "blocks: {b: {args: {%s: 1}, layers: [relu]}}\nlayers: [b]\n",
            INPUT + "layers: [{relu: , for: [{%s: 1}]}]\n",
            INPUT + "layers: [{relu: , for: {%s: [1]}}]\n",
        ],
    )
    def test_none_of_them_can_be_given_away(self, name, text):
        assert "E110" in codes(text % f"'{name}'")

    @pytest.mark.parametrize("name", ["prev", "input"])
    @pytest.mark.parametrize(
        "text",
        [
            INPUT + "layers: [{relu: , name: %s}]\n",
            INPUT + "layers: [{parallel: {merge: add, branches: {%s: , a: }}}]\n",
            INPUT + "blocks: {%s: {layers: [relu]}}\nlayers: [relu]\n",
            "vars: {n: 1}\nvariants: {%s: {}}\n" + INPUT + "layers: [relu]\n",
        ],
    )
    def test_nothing_is_called_as_the_words_of_from(self, name, text):
        assert codes(text % name) == ["E110"]

    def test_an_input_may_be_called_input_but_not_prev(self):
        assert codes("inputs: {input: [3, 8, 8]}\nlayers: [relu]\n") == []
        assert codes("inputs: {prev: [3, 8, 8]}\nlayers: [relu]\n") == ["E110"]

    @pytest.mark.parametrize("word", [*STRUCTURES, *MODIFIERS, "conv", "relu"])
    def test_no_block_is_called_as_a_word_of_the_language(self, word):
        text = INPUT + f"blocks: {{{word}: {{layers: [relu]}}}}\nlayers: [relu]\n"
        assert codes(text) == ["E110"]

    @pytest.mark.parametrize(
        "name", ["", " ", "a.b", "a::b", " a", "a ", "a\\nb", "\\e[31m", "n" * 81]
    )
    def test_names_are_printable_and_not_paths(self, name):
        assert codes(INPUT + f'layers: [{{relu: , name: "{name}"}}]\n') == ["E111"]

    @pytest.mark.parametrize(
        "name", ["a", "conv[a-z]", "größe", "a b", "[bold]", "n" * 80, "-", "1"]
    )
    def test_anything_else_will_do(self, name):
        assert codes(INPUT + f'layers: [{{relu: , name: "{name}"}}]\n') == []


def test_words_of_fields_can_be_handed_on():
    assert {"same", "valid", "spatial", "none", "full"} <= known_words()
