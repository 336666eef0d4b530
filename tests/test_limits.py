"""Limits and conditions as data."""

from fractions import Fraction

from convcalc.errors import Place, SourceText
from convcalc.limits import Bound, Conditions, Limit
from convcalc.metrics import metric

TEXT = SourceText("budgets.yaml", "set: {H: 8}\nset: {W: 9}\n")
FIRST, SECOND = Place(TEXT, 1, 6), Place(TEXT, 2, 6)


def test_a_limit_is_called_as_a_budget_spells_it():
    limit = Limit(metric("peak_activation_bytes"), Bound.MAX, Fraction(24), "24 B")
    assert limit.key == "max peak_memory"
    assert limit._replace(bound=Bound.MIN, metric=metric("macs")).key == "min macs"
    share = limit._replace(metric=metric("macs"), is_share=True)
    assert share.key == "max macs_share"
    assert share._replace(is_share=False, bound=Bound.MAX_INCREASE).key == "max_increase macs"


def test_a_plain_limit_is_an_error_of_the_whole_network():
    limit = Limit(metric("params"), Bound.MAX, Fraction(5), "5")
    assert (limit.warns, limit.scope.value, limit.pattern) == (False, "network", None)


def test_what_is_said_last_is_said_over_the_rest():
    ours = Conditions(batch=8, in_place=False, order="given")
    others = Conditions(batch=1, in_place=True, weights_dtype="int8", device="jetson-nano")
    assert ours.over(others) == Conditions(
        batch=8,
        in_place=False,  # said, though it is the usual
        order="given",
        weights_dtype="int8",
        device="jetson-nano",
    )


def test_settings_and_places_are_joined_name_by_name():
    ours = Conditions(settings={"H": 8, "n": 2}, places={"set": FIRST})
    others = Conditions(settings={"H": 9, "W": 9}, places={"set": SECOND, "batch": SECOND})
    both = ours.over(others)
    assert both.settings == {"H": 8, "n": 2, "W": 9}
    assert both.places == {"set": FIRST, "batch": SECOND}


def test_nothing_over_something_is_that():
    something = Conditions({"H": 8}, 2, "int8", "float16", True, "best", "adam", "gpu")
    assert Conditions().over(something) == something
    assert something.over(Conditions()) == something
