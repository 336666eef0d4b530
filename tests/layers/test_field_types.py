"""What fields may hold, and what is said of what they may not."""

from fractions import Fraction

import pytest

from convcalc.algebra import symbol
from convcalc.algebra.assumptions import assume
from convcalc.algebra.conditions import in_few_words, taken_for_granted
from convcalc.errors import catalogue
from convcalc.layers import all_kinds
from convcalc.layers.field_types import (
    LARGEST_NUMBER,
    Boolean,
    Choice,
    FieldType,
    FieldValueError,
    Integer,
    ListOf,
    Padding,
    PerAxis,
    Real,
    Stride,
)

n = symbol("n")


def refused(type_, value):
    with pytest.raises(FieldValueError) as caught:
        type_.parse(value)
    return caught.value


# -- whole numbers --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        (Integer(), 1),
        (Integer(), LARGEST_NUMBER),
        (Integer(0), 0),
        (Integer(None), -4),
        (Integer(None), -LARGEST_NUMBER),
        (Integer(), n),
        (Integer(), n // 2),  # 0 if n is 1: free symbols get the benefit of the doubt
        (Integer(None), -n),
    ],
)
def test_a_whole_number_in_range_stays_what_it_is(type_, value):
    assert type_.parse(value) is value


@pytest.mark.parametrize(
    ("type_", "value", "noted"),
    [
        (Integer(), n, []),  # a symbol is 1 or more
        (Integer(), n // 2, ["n >= 2"]),
        (Integer(3), n, ["n >= 3"]),
        (Integer(0), n - 2, ["n >= 2"]),
        (Integer(None), n - 2, []),
    ],
)
def test_that_a_free_number_is_in_range_is_noted_where_it_is_open(type_, value, noted):
    with taken_for_granted() as taken:
        assert type_.parse(value) is value
    found = in_few_words(taken.values(), assume([], ["n"]))
    assert [each.written() for each in found] == noted


@pytest.mark.parametrize(
    ("type_", "value", "code", "message"),
    [
        (Integer(), 0, catalogue.OUT_OF_RANGE, "a whole number, 1 or more, not 0"),
        (Integer(0), -1, catalogue.OUT_OF_RANGE, "a whole number, 0 or more, not -1"),
        (Integer(), -n, catalogue.OUT_OF_RANGE, "a whole number, 1 or more, not −n"),
        (Integer(2), 1, catalogue.OUT_OF_RANGE, "a whole number, 2 or more, not 1"),
        (Integer(), True, catalogue.WRONG_TYPE, "a whole number, 1 or more, not `true`"),
        (Integer(), None, catalogue.WRONG_TYPE, "a whole number, 1 or more, not nothing"),
        (Integer(), "three", catalogue.WRONG_TYPE, "1 or more, not the text 'three'"),
        (Integer(), (3, 3), catalogue.WRONG_TYPE, "a whole number, 1 or more, not a list of 2"),
        (Integer(None), False, catalogue.WRONG_TYPE, "a whole number, not `false`"),
        (Integer(), 10**18 + 1, catalogue.NUMBER_TOO_LARGE, "1,000,000,000,000,000,000, not 1000"),
        (Integer(), Fraction(45, 4), catalogue.NOT_WHOLE, "1 or more, not 11.25"),
        (Integer(), Fraction(1, 3), catalogue.NOT_WHOLE, "1 or more, not 1/3"),
    ],
)
def test_another_whole_number_is_refused(type_, value, code, message):
    error = refused(type_, value)
    assert error.code is code
    assert message in str(error)


def test_a_fraction_is_answered_with_the_ways_to_round_it():
    assert (
        "floor(…), ceil(…), round(…) or make_divisible" in refused(Integer(), Fraction(1, 2)).help
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [(10**50, "1.000e+50"), (10**40, "1.000e+40"), (10**40 - 1, "9" * 40)],
)
def test_a_huge_number_is_shortened(value, text):
    error = refused(Integer(), value)
    assert error.code is catalogue.NUMBER_TOO_LARGE
    assert str(error).endswith(f"not {text}")


def test_a_text_of_40_characters_is_not_shortened():
    assert str(refused(Integer(), "x" * 40)).endswith("not the text '" + "x" * 40 + "'")


def test_a_long_text_is_shortened():
    for length in (41, 100):
        error = refused(Integer(), "x" * length)
        assert str(error).endswith("not the text '" + "x" * 37 + "…'")


# -- strides --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value", [1, 7, n, Fraction(1, 2), Fraction(1, 3), Fraction(1, LARGEST_NUMBER)]
)
def test_a_stride_is_a_whole_number_or_one_part_of_a_position(value):
    assert Stride().parse(value) is value


@pytest.mark.parametrize(
    ("value", "code", "text"),
    [
        (Fraction(2, 3), catalogue.NOT_WHOLE, "not 2/3"),
        (Fraction(3, 2), catalogue.NOT_WHOLE, "not 1.5"),
        (Fraction(-1, 2), catalogue.NOT_WHOLE, "not -0.5"),
        (0, catalogue.OUT_OF_RANGE, "not 0"),
        (True, catalogue.WRONG_TYPE, "not `true`"),
        ("same", catalogue.WRONG_TYPE, "not the text 'same'"),
    ],
)
def test_another_stride_is_refused(value, code, text):
    error = refused(Stride(), value)
    assert error.code is code
    assert str(error) == f"a whole number, 1 or more, or a fraction 1/n, {text}"


def test_the_fractions_that_are_exact_as_decimals_are_in_the_schema():
    # Of 1/2 to 1/10: a divisor of 1000 has at most three decimals.
    _, fractions = Stride().schema()["anyOf"]
    assert fractions == {"enum": [1 / n for n in range(2, 11) if 1000 % n == 0]}


def test_a_stride_into_too_many_parts_is_refused():
    error = refused(Stride(), Fraction(1, LARGEST_NUMBER + 1))
    assert error.code is catalogue.NUMBER_TOO_LARGE
    assert str(error) == (
        "a fraction 1/n with n at most 1,000,000,000,000,000,000, not 1000000000000000001"
    )


# -- other numbers, truth and words ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        *[(Real(), Fraction(-7, 3)), (Real(0), 0), (Real(0, 1), 1), (Real(0, 1), Fraction(1, 2))],
        *[(Real(above=0), Fraction(1, 1000)), (Real(above=0), 7)],
    ],
)
def test_a_number_in_range_stays_what_it_is(type_, value):
    assert type_.parse(value) is value


@pytest.mark.parametrize(
    ("type_", "value", "code", "message"),
    [
        (Real(0), -1, catalogue.OUT_OF_RANGE, "a number, 0 or more, not -1"),
        (Real(0, 1), 2, catalogue.OUT_OF_RANGE, "a number from 0 to 1, not 2"),
        (Real(0, 1), Fraction(3, 2), catalogue.OUT_OF_RANGE, "from 0 to 1, not 1.5"),
        (Real(above=0), 0, catalogue.OUT_OF_RANGE, "a number larger than 0, not 0"),
        (Real(above=0), Fraction(-1, 2), catalogue.OUT_OF_RANGE, "larger than 0, not -0.5"),
        (Real(), True, catalogue.WRONG_TYPE, "a number, not `true`"),
        (Real(), "half", catalogue.WRONG_TYPE, "a number, not the text 'half'"),
        (Real(), n, catalogue.WRONG_TYPE, "a number, not n"),
    ],
)
def test_another_number_is_refused(type_, value, code, message):
    error = refused(type_, value)
    assert error.code is code
    assert message in str(error)


@pytest.mark.parametrize("value", [True, False])
def test_true_and_false_stay_what_they_are(value):
    assert Boolean().parse(value) is value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *[(0, "0"), (1, "1"), ("true", "the text 'true'"), (None, "nothing")],
        *[(Fraction(3, 4), "0.75"), (10**50, "1.000e+50")],
    ],
)
def test_what_is_not_a_truth_value_is_refused(value, text):
    error = refused(Boolean(), value)
    assert error.code is catalogue.WRONG_TYPE
    assert str(error) == f"true or false, not {text}"


def test_a_choice_takes_its_words():
    assert Choice("spatial", "none").parse("none") == "none"


def test_another_word_is_answered_with_the_closest():
    error = refused(Choice("spatial", "none", "full"), "spacial")
    assert str(error) == "one of `spatial`, `none`, `full`, not the text 'spacial'"
    assert error.help == "did you mean `spatial`?"


def test_a_word_like_no_other_gets_no_suggestion():
    assert refused(Choice("spatial", "none"), "xyz").help is None


@pytest.mark.parametrize("value", [None, 1, ("none",)])
def test_a_choice_refuses_what_is_no_word(value):
    assert refused(Choice("spatial", "none"), value).code is catalogue.WRONG_TYPE


# -- one value for each axis ----------------------------------------------------------------------


@pytest.mark.parametrize("value", [3, (3,), (3, 5), (1, 3, n)])
def test_a_field_per_axis_takes_one_value_or_one_to_three(value):
    assert PerAxis(Integer()).parse(value) == value


@pytest.mark.parametrize("value", [(), (1, 2, 3, 4)])
def test_a_list_for_no_axis_or_four_is_refused(value):
    error = refused(PerAxis(Integer()), value)
    assert error.code is catalogue.WRONG_TYPE
    assert str(error) == f"a list of 1 to 3 values, not of {len(value)}"


@pytest.mark.parametrize("value", [0, (3, 0)])
def test_each_value_of_a_list_is_held_to_the_type_of_the_field(value):
    assert refused(PerAxis(Integer()), value).code is catalogue.OUT_OF_RANGE


def test_null_stands_only_where_it_means_something():
    assert PerAxis(Integer(), nullable=True).parse(None) is None
    assert PerAxis(Integer(), nullable=True).parse((None, 7)) == (None, 7)
    assert refused(PerAxis(Integer()), None).code is catalogue.WRONG_TYPE
    assert refused(PerAxis(Integer()), (None, 7)).code is catalogue.WRONG_TYPE


# -- lists ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [(3,), (3, 5), (1, 3, n), (1,) * 16])
def test_a_list_holds_one_value_or_more(value):
    assert ListOf(Integer()).parse(value) == value


@pytest.mark.parametrize(
    ("value", "code", "message"),
    [
        ((), catalogue.WRONG_TYPE, "a list of 1 to 4 values, not of 0"),
        ((1,) * 5, catalogue.WRONG_TYPE, "a list of 1 to 4 values, not of 5"),
        (3, catalogue.WRONG_TYPE, "1 to 4 values, each a whole number, 1 or more, not 3"),
        (None, catalogue.WRONG_TYPE, "1 to 4 values, each a whole number, 1 or more, not nothing"),
        ((3, 0), catalogue.OUT_OF_RANGE, "a whole number, 1 or more, not 0"),
        ((3, (3,)), catalogue.WRONG_TYPE, "a whole number, 1 or more, not a list of 1"),
    ],
)
def test_another_list_is_refused(value, code, message):
    error = refused(ListOf(Integer(), most=4), value)
    assert error.code is code
    assert str(error).endswith(message)


# -- padding --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value", [0, 3, n, "same", "valid", (1,), (1, 2, 3), ((0, 1), (2, 2)), (1, (0, 1))]
)
def test_padding_is_a_number_a_word_or_numbers_and_pairs_per_axis(value):
    assert Padding().parse(value) == value


@pytest.mark.parametrize(
    ("value", "code", "message"),
    [
        (-1, catalogue.OUT_OF_RANGE, "a whole number, 0 or more, not -1"),
        ((1, -1), catalogue.OUT_OF_RANGE, "a whole number, 0 or more, not -1"),
        (((0, -2),), catalogue.OUT_OF_RANGE, "a whole number, 0 or more, not -2"),
        (Fraction(1, 2), catalogue.NOT_WHOLE, "not 0.5"),
        ((), catalogue.WRONG_TYPE, "a list of 1 to 3 values, not of 0"),
        ((1, 1, 1, 1), catalogue.WRONG_TYPE, "a list of 1 to 3 values, not of 4"),
        (
            ((1, 1, 1),),
            catalogue.WRONG_TYPE,
            "a pair [before, after] for each axis, not a list of 3",
        ),
        (("same",), catalogue.WRONG_TYPE, "a whole number, 0 or more, not the text 'same'"),
        (True, catalogue.WRONG_TYPE, "not `true`"),
    ],
)
def test_another_padding_is_refused(value, code, message):
    error = refused(Padding(), value)
    assert error.code is code
    assert message in str(error)


def test_a_misspelt_padding_is_answered_with_the_word():
    assert refused(Padding(), "SAME").help == "did you mean `same`?"


@pytest.mark.parametrize("word", ["same", "valid", "reflect"])
def test_padding_without_words_takes_numbers_alone(word):
    numbers = Padding(words=())
    assert not any("enum" in each for each in numbers.schema()["anyOf"])
    assert numbers.parse((1, (0, 2))) == (1, (0, 2))
    error = refused(numbers, word)
    assert error.code is catalogue.WRONG_TYPE
    assert error.help is None
    assert str(error) == (
        "a whole number, 0 or more; a list with one, or a pair [before, after], for each axis, "
        f"not the text '{word}'"
    )


# -- what each type says of itself ----------------------------------------------------------------

TYPES = [
    *[Integer(), Integer(0), Integer(None), Real(), Real(0), Real(0, 1), Boolean()],
    *[Choice("a", "b"), PerAxis(Integer()), PerAxis(Integer(), nullable=True), Padding()],
    *[Stride(), PerAxis(Stride()), Real(above=0), PerAxis(Real(above=0)), Padding(words=())],
    *[ListOf(Integer()), ListOf(Integer(-1), most=2), ListOf(Integer(None), most=3)],
]


def labelled(type_):
    return f"{type(type_).__name__}: {type_.label()}"


@pytest.mark.parametrize("type_", TYPES, ids=labelled)
def test_every_type_has_a_schema_that_tells_values_from_others(type_):
    # bool is an int to Python and another type to JSON; a tuple is JSON's list.
    values = [0, 1, -1, 7, 10**19, 0.5, 1.5, True, "a", "same", "x", None]
    values += [[], [3], [3, 0], [1, None], [[0, 1]], [[1]], [[1, 1, 1]], [1, 2, 3, 4]]
    values += [0.25, 0.3, 2.5, [0.5, 2], [0.5, 0.75], [-1, 4], [-2], "valid", [1] * 16, [1] * 17]
    for value in values:
        try:
            type_.parse(frozen(value))
        except FieldValueError:
            assert not fits(value, type_.schema()), value
        else:
            assert fits(value, type_.schema()), value


JSON_TYPES = {"integer": int, "number": (int, float), "boolean": bool, "array": list}


def fits(value, schema):
    """Whether a JSON Schema allows a value, by the keywords that the types use."""
    unread = dict(schema)
    if "anyOf" in schema and not any(fits(value, way) for way in unread.pop("anyOf")):
        return False
    if "enum" in schema and value not in unread.pop("enum"):
        return False
    named = unread.pop("type", None)
    if named == "null":
        return value is None
    if named and not isinstance(value, JSON_TYPES[named]):
        return False
    if named in ("integer", "number") and isinstance(value, bool):
        return False
    low, high = unread.pop("minimum", None), unread.pop("maximum", None)
    above = unread.pop("exclusiveMinimum", None)
    shortest, longest = unread.pop("minItems", 0), unread.pop("maxItems", 99)
    items = unread.pop("items", {})
    assert unread == {}, "a keyword that this reader does not know"
    if isinstance(value, list):
        return shortest <= len(value) <= longest and all(fits(item, items) for item in value)
    if above is not None and value <= above:
        return False
    return (low is None or value >= low) and (high is None or value <= high)


def frozen(value):
    """A value of JSON as a spec hands it on."""
    if isinstance(value, list):
        return tuple(map(frozen, value))
    return Fraction(value) if isinstance(value, float) else value


@pytest.mark.parametrize(
    ("type_", "label"),
    [
        (Integer(), "a whole number, 1 or more"),
        (Integer(0), "a whole number, 0 or more"),
        (Integer(None), "a whole number"),
        (Real(), "a number"),
        (Real(0), "a number, 0 or more"),
        (Real(0, 1), "a number from 0 to 1"),
        (Real(above=2), "a number larger than 2"),
        (Stride(), "a whole number, 1 or more, or a fraction 1/n"),
        (ListOf(Integer(), most=4), "a list of 1 to 4 values, each a whole number, 1 or more"),
        (
            Padding(words=()),
            "a whole number, 0 or more; a list with one, or a pair [before, after], for each axis",
        ),
        (Boolean(), "true or false"),
        (Choice("a", "b"), "one of `a`, `b`"),
        (PerAxis(Integer()), "a whole number, 1 or more; or a list with one for each axis"),
        (
            PerAxis(Integer(), nullable=True),
            "a whole number, 1 or more (null: as the input); or a list with one for each axis",
        ),
        (
            Padding(),
            "a whole number, 0 or more; a list with one, or a pair [before, after], for each "
            "axis; `same` (output = ⌈input / stride⌉) or `valid` (none)",
        ),
    ],
)
def test_every_type_says_in_words_what_it_holds(type_, label):
    assert type_.label() == label


def test_every_type_is_among_those_that_are_tried():
    used = {type(d.type) for kind in all_kinds().values() for d in kind.declarations}
    assert used <= {type(type_) for type_ in TYPES}


def test_a_type_must_say_what_it_holds():
    bare = FieldType()
    for method in (bare.label, bare.schema, lambda: bare.parse(1)):
        with pytest.raises(NotImplementedError):
            method()
