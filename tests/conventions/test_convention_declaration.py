"""How conventions are declared: sums of quantities, rules, and where they come from."""

import pytest

from convcalc.conventions import all_conventions, find_convention
from convcalc.conventions.declaration import EVERY_FORM, Formula, Quantity
from convcalc.layers import all_kinds

ELEMENTS = Quantity("E", "elements", lambda _: 7, "element")
WEIGHTS = Quantity("W", "weights", lambda _: 3, "weight")

each_convention = pytest.mark.parametrize(
    "convention", all_conventions(), ids=lambda each: each.name
)


@pytest.mark.parametrize(
    ("formula", "text", "value"),
    [
        (Formula(), "0", 0),
        (1 * ELEMENTS, "E", 7),
        (2 * ELEMENTS, "2·E", 14),
        (ELEMENTS + WEIGHTS, "E + W", 10),
        (2 * ELEMENTS + WEIGHTS, "2·E + W", 17),
        (2 * ELEMENTS + -1 * WEIGHTS, "2·E − W", 11),
        (ELEMENTS + -2 * WEIGHTS, "E − 2·W", 1),
        (-1 * WEIGHTS + 3 * ELEMENTS, "−W + 3·E", 18),
    ],
)
def test_a_formula_is_a_sum_of_quantities(formula, text, value):
    assert str(formula) == text
    assert formula.of(None) == value


def test_convcalcs_own_come_first_then_all_others_by_name():
    assert [convention.name for convention in all_conventions()] == [
        *("convcalc", "convcalc-flops"),
        *("calflops", "fvcore", "ptflops", "ptflops-aten", "thop", "torch", "torchinfo"),
    ]


def test_a_convention_is_found_by_its_name():
    assert find_convention("thop").word == "MACs"
    assert find_convention("THOP") is None


@each_convention
def test_rules_are_for_layer_kinds_and_say_where_they_come_from(convention):
    assert convention.rules
    for rule in convention.rules:
        assert rule.kinds
        assert set(rule.kinds) <= set(all_kinds())
        assert rule.file.endswith(".py")
        assert all(name.replace(".", "_").isidentifier() for name in rule.functions)
        assert rule.forms
        assert set(rule.forms) <= set(EVERY_FORM)


@each_convention
def test_no_rule_stands_behind_one_that_takes_all_that_it_could(convention):
    for kind in all_kinds():
        taken = set()
        for rule in convention.rules:
            if kind not in rule.kinds:
                continue
            assert set(rule.forms) - taken, (kind, rule)
            if rule.where is None:
                taken |= set(rule.forms)


@each_convention
def test_a_symbol_means_one_thing_wherever_it_stands(convention):
    meanings = {}
    for other in (convention, *all_conventions()):
        for rule in other.rules:
            for term in rule.formula.terms:
                quantity = term.quantity
                assert meanings.setdefault(quantity.symbol, quantity.meaning) == quantity.meaning


def test_all_tools_say_which_version_was_read():
    for convention in all_conventions():
        assert bool(convention.version) is not convention.is_own
