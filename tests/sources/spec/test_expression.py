"""The expression language: Python's arithmetic, exact and bounded, and nothing else of Python."""

import math
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convcalc.algebra import Polynomial, symbol
from convcalc.sources.spec.expression import (
    FUNCTIONS,
    MAX_EXPONENT,
    MAX_ITEMS,
    MAX_LENGTH,
    UNKNOWN,
    Bindings,
    Expression,
    ExpressionError,
    UnknownValueError,
    checked_list,
)

H = symbol("H")
VALUES = {"a": 7, "half": Fraction(1, 2), "yes": True, "word": "same", "d": (3, 4, 6), "H": H}


def value(text, **values):
    return Expression(text).evaluate(VALUES | values)


def error(text, **values):
    with pytest.raises(ExpressionError) as caught:
        value(text, **values)
    return caught.value


def refusal(text, **values):
    """The error that an expression has, if any."""
    try:
        value(text, **values)
    except ExpressionError as found:
        return found
    return None


def marked(text, **values):
    """What the span of the error in ``text`` covers."""
    start, length = error(text, **values).span
    return text[start : start + length]


class TestValues:
    @pytest.mark.parametrize(
        ("text", "result"),
        [
            *(("2 + 3 * 4", 14), ("(2 + 3) * 4", 20), ("2 ** 3 ** 2", 512), ("-2 ** 2", -4)),
            *(("7 // 2", 3), ("-7 // 2", -4), ("7 % 3", 1), ("-7 % 3", 2), ("7 % -3", -2)),
            *(
                ("1 / 2", Fraction(1, 2)),
                ("4 / 2", 2),
                ("1 / 3 * 3", 1),
                ("2 ** -1", Fraction(1, 2)),
            ),
            *(
                ("0.1 + 0.2", Fraction(3, 10)),
                ("0.1 * 10", 1),
                ("1e3", 1000),
                ("2.50", Fraction(5, 2)),
            ),
            *(("+a", 7), ("--a", 7), ("a - -a", 14), ("1_000", 1000), ("0x10 + 0o10 + 0b10", 26)),
            *(("half", Fraction(1, 2)), ("half + half", 1), ("0.5 == half", True)),
            *(("1 < 2 < 3", True), ("1 < 2 > 3", False), ("3 >= 3.0", True), ("1 != 2", True)),
            *(("true", True), ("not true", False), ("True", True), ("false or true", True)),
            *(("1 == 1 and 2 == 2", True), ("not 1 == 2", True), ("1 == 1 or 1 / 0 == 0", True)),
            *(("1 if a > 5 else 2", 1), ("1 if a < 5 else 2", 2), ("2 if yes else 1 / 0", 2)),
            *(
                ("d[0]", 3),
                ("d[-1]", 6),
                ("[1, 2, 3][d[0] - 1]", 3),
                ("len(d)", 3),
                ("(8, 9)[1]", 9),
            ),
            *(
                ("3 in d", True),
                ("5 in d", False),
                ("5 not in [1, 2]", True),
                ("word in ['same']", True),
            ),
            *(("word == 'same'", True), ("word != 'valid'", True), ("word == 1", False)),
            *(("min(1, 2)", 1), ("max(1, 2, half)", 2), ("ceil(7 / 2)", 4), ("floor(7 / 2)", 3)),
            *(("ceil(-7 / 2)", -3), ("floor(-0.5)", -1), ("round(0.5)", 0), ("round(1.5)", 2)),
            *(("round(2.4)", 2), ("ceil(3)", 3), ("None", None)),
            *(("(\n 1 +\n 2\n)", 3), ("  a  ", 7), ("'größe' == 'größe'", True)),
        ],
    )
    def test_an_expression_means_what_it_means_in_python(self, text, result):
        found = value(text)
        assert found == result
        assert type(found) is type(result)

    @pytest.mark.parametrize(
        ("v", "divisor", "result"),
        [
            # The published channel counts of MobileNetV2 at several widths, and the 90 % rule.
            *((32 * Fraction(3, 4), 8, 24), (16 * Fraction(35, 100), 8, 8)),
            *((1280 * Fraction(14, 10), 8, 1792), (24 * Fraction(14, 10), 8, 32)),
            *((96, 8, 96), (100, 8, 104), (99, 8, 96), (12, 8, 16), (11, 8, 16), (10, 8, 16)),
            *((1, 8, 8), (0, 8, 8), (-5, 8, 8), (7, 1, 7), (Fraction(7, 2), 1, 4)),
            *((5, 3, 6), (4, 3, 6), (10, 5, 10), (12, 5, 15), (11, 5, 10)),
            *((10**17, 10**17, 10**17), (8, 10**18, 10**18)),
        ],
    )
    def test_make_divisible(self, v, divisor, result):
        assert value("make_divisible(v, n)", v=v, n=divisor) == result

    @given(st.fractions(min_value=0, max_value=10**4, max_denominator=100), st.integers(1, 64))
    def test_make_divisible_keeps_its_promises(self, v, divisor):
        rounded = value("make_divisible(v, n)", v=v, n=divisor)
        assert rounded % divisor == 0
        assert rounded >= divisor
        assert rounded >= Fraction(9, 10) * v
        assert rounded - v < 2 * divisor

    def test_names_are_known_with_their_places(self):
        assert Expression("a + bb * a - true").names == {"a": 0, "bb": 4}
        assert Expression(" größe + x").names == {"größe": 1, "x": 9}

    def test_without_names_the_value_is_known_at_once(self):
        assert (Expression("2 ** 3").is_constant, Expression("2 ** 3").constant) == (True, 8)
        assert (Expression("2 ** a").is_constant, Expression("2 ** a").constant) == (False, None)

    def test_what_an_earlier_finding_left_open_has_no_value(self):
        with pytest.raises(UnknownValueError):
            value("a + 1", a=UNKNOWN)
        assert value("1 if yes else a", a=UNKNOWN) == 1

    def test_a_mapping_shows_no_address(self):
        assert repr(Bindings({"a": 1})) == "a mapping"


class TestTruthValues:
    """A truth value is no number, and a number is no truth value."""

    @pytest.mark.parametrize(
        "text",
        [
            *("yes + 1", "1 * true", "-yes", "yes < 2", "max(yes, 1)", "round(true)", "2 ** yes"),
            *("yes // 2", "ceil(yes)", "make_divisible(8, yes)", "d[yes]", "d[true]"),
        ],
    )
    def test_as_a_number(self, text):
        assert error(text).code.id == "E206"
        assert "`true`" in str(error(text))

    @pytest.mark.parametrize(
        "text", ["1 if a else 2", "not a", "a and yes", "yes and a", "0 or yes"]
    )
    def test_a_number_as_one(self, text):
        assert error(text).code.id == "E206"
        assert "a condition is true or false" in str(error(text))
        assert error(text).help == "compare it with something: `x != 0`"

    @pytest.mark.parametrize(
        ("text", "result"),
        [
            *(
                ("yes == 1", False),
                ("1 == true", False),
                ("true != 1", True),
                ("0 == false", False),
            ),
            *(("yes == true", True), ("1 in [true]", False), ("true in [1, 2]", False)),
            *(("1 in [true, 1]", True), ("true in [1, true]", True), ("0 not in [false]", True)),
        ],
    )
    def test_one_never_equals_a_number(self, text, result):
        assert value(text) is result


class TestErrors:
    @pytest.mark.parametrize(
        ("text", "code", "span", "said"),
        [
            ("2 * * a", "E201", "*", "is not an expression"),
            ("(1 + 2", "E201", "(", "never closed"),
            ("1 + 2)", "E201", ")", "unmatched"),
            ("3 +", "E201", "+", "something is missing at its end"),
            ("1 +\n2", "E201", None, "is not an expression"),
            ("  2 * * a", "E201", "*", "is not an expression"),
            ("1 / 0", "E206", "1 / 0", "division by zero: 1 / 0"),
            ("2 * (a // (a - 7))", "E206", "a // (a - 7)", "division by zero: 7 // 0"),
            ("a % 0 + 1", "E206", "a % 0", "division by zero: 7 % 0"),
            ("0 ** -1", "E206", "0 ** -1", "division by zero"),
            ("1 + d[3]", "E206", "d[3]", "index 3 of a list of 3: the first is 0, the last 2"),
            ("d[-4]", "E206", "d[-4]", "index -4 of a list of 3"),
            ("[][0]", "E206", "[][0]", "an empty list has no items"),
            ("d[half]", "E206", "d[half]", "an index is a whole number, not `1/2`"),
            ("a[0]", "E206", "a[0]", "only a list has an index, not `7`"),
            ("1 + word", "E206", "1 + word", "`+` needs numbers, not `same`"),
            ("d * 2", "E206", "d * 2", "`*` needs numbers, not a list"),
            ("'a' * 10**9", "E206", "'a' * 10**9", "`*` needs numbers, not `a`"),
            ("-d", "E206", "-d", "a sign needs a number, not a list"),
            ("1 + (word < 3)", "E206", "word < 3", "cannot order `same` and `3`"),
            (
                "d == [3, 4, 6]",
                "E206",
                "d == [3, 4, 6]",
                "`==` compares numbers and words, not lists",
            ),
            ("d != d", "E206", "d != d", "`!=` compares numbers and words"),
            ("3 in a", "E206", "3 in a", "`in` needs a list after it, not `7`"),
            ("d in d", "E206", "d in d", "`in` looks for a number or a word, not for a list"),
            ("1 + max(2)", "E206", "max(2)", "`max` takes 2 to 32 arguments by position, not 1"),
            ("ceil(1, 2)", "E206", "ceil(1, 2)", "`ceil` takes 1 arguments by position, not 2"),
            ("max(1, d)", "E206", "max(1, d)", "`max` needs numbers, not a list"),
            ("max(1, word)", "E206", "max(1, word)", "`max` needs numbers, not `same`"),
            ("len(a)", "E206", "len(a)", "`len` needs a list, not `7`"),
            ("max(1, key=2)", "E206", "max(1, key=2)", "by position"),
            (
                "make_divisible(8, 0)",
                "E206",
                "make_divisible(8, 0)",
                "a whole number of 1 or more, not 0",
            ),
            ("make_divisible(8, -8)", "E206", "make_divisible(8, -8)", "not -8"),
            ("make_divisible(8, half)", "E206", "make_divisible(8, half)", "not 1/2"),
            ("1 + sqrt(2)", "E203", "sqrt", "unknown function `sqrt`"),
            ("mx(1, 2)", "E203", "mx", "unknown function `mx`"),
            ("2 ** 65", "E205", "2 ** 65", "the exponent 65 is not a whole number from -64 to 64"),
            ("2 ** half", "E205", "2 ** half", "the exponent 1/2"),
            ("9**9**9", "E205", "9**9**9", "the exponent 387420489"),
            ("10 ** 18 * 10", "E307", "10 ** 18 * 10", "exceeds 10¹⁸ on the way"),
            ("1 / 10**18 / 10", "E307", "1 / 10**18 / 10", "exceeds 10¹⁸ on the way"),
            ("10000000000000000000", "E307", "1" + "0" * 19, "a number in a spec is at most 10¹⁸"),
            ("1 + 1e19", "E307", "1e19", "`1e19` is more than 10¹⁸"),
            ("1 + 1e-19", "E307", "1e-19", "`1e-19` has more than 18 decimals"),
            ("max(1, 1e999)", "E307", "1e999", "`1e999` is more than 10¹⁸"),
        ],
    )
    def test_a_cause_and_its_place(self, text, code, span, said):
        found = error(text)
        assert found.code.id == code
        assert said in str(found)
        if span is not None:
            assert marked(text) == span

    @pytest.mark.parametrize(
        ("text", "span", "what"),
        [
            ("().__class__", "().__class__", "an attribute"),
            ("1 + a.real", "a.real", "an attribute"),
            ("word.upper()", "word.upper()", "a method"),
            ("(lambda: 1)()", "(lambda: 1)()", "a method"),
            ("lambda: 1", "lambda: 1", "a lambda"),
            ("[x for x in d]", "[x for x in d]", "a comprehension"),
            ("{x for x in d}", "{x for x in d}", "a comprehension"),
            ("[(x for x in d)]", "(x for x in d)", "a comprehension"),
            ("{1: 2}", "{1: 2}", "a dictionary"),
            ("{1, 2}", "{1, 2}", "a set"),
            ("f'{a}'", "f'{a}'", "a formatted text"),
            ("(y := 3)", "y := 3", "an assignment"),
            ("max(1, *d)", "*d", "a star"),
            ("d[0:2]", "d[0:2]", "a slice"),
            ("a is 3", "a is 3", "`is`"),
            ("~a", "~a", "`~`"),
            ("a ^ 2", "a ^ 2", "`^`"),
            ("a << 2", "a << 2", "this operator"),
            ("a @ 2", "a @ 2", "this operator"),
            ("b'a'", "b'a'", "this"),
            ("1j", "1j", "this"),
            ("...", "...", "this"),
        ],
    )
    def test_the_rest_of_python_is_refused(self, text, span, what):
        assert error(text).code.id == "E204"
        assert str(error(text)) == f"{what} is not part of the expression language" or (
            str(error(text)).startswith(what)
        )
        assert marked(text) == span
        assert "make_divisible" in error(text).help

    @pytest.mark.parametrize("name", ["eval", "exec", "open", "__import__", "getattr", "print"])
    def test_the_functions_of_python_are_not_there(self, name):
        assert error(f"{name}('x')").code.id == "E203"

    @pytest.mark.parametrize(
        ("text", "way_out"),
        [
            ("a && yes", "write `and`"),
            ("a || yes", "write `or`"),
            ("!yes", "write `not`"),
            ("yes ? 1", "write `a if condition else b`"),
            ("a = 3", "`==` compares; nothing is assigned"),
            ("a × 2", "write `*` to multiply"),
            ("a ÷ 2", "write `/`, or `//` to round down"),
            ("a − 2", "write the minus sign of the keyboard, `-`"),
            ("a²", "write `**` for a power"),
            ("3x3", "for sizes of several axes write a list: `[3, 3]`"),
            ("3 32 32", "a comma or an operator is missing between two numbers"),
            ("int(3.5)", "did you mean `floor`?"),
            ("mxa(1, 2)", "did you mean `max`?"),
        ],
    )
    def test_what_others_write_is_translated(self, text, way_out):
        assert error(text).help == way_out

    def test_a_place_counts_characters(self):
        assert marked("'größe' != '😀' and a + word == 1") == "a + word"
        assert marked("größe + 1 / 0", größe=1) == "1 / 0"

    def test_a_place_in_the_second_line(self):
        assert marked("(1 +\n 1 / 0)") == "1 / 0"

    @pytest.mark.parametrize("text", ["", "  ", "\n"])
    def test_an_empty_text(self, text):
        assert error(text).code.id == "E201"
        assert str(error(text)) == "an empty text where a value is needed"

    @pytest.mark.parametrize("text", ["a\0b", "1\x00", "\ud800", "'\ud800'", "\x1b[31m", "'" * 3])
    def test_odd_characters(self, text):
        assert error(text).code.id in {"E201", "E204", "E206"}

    @pytest.mark.parametrize("text", ["1if yes else 2", "'\\d' == '\\\\d'", "0x1if yes else 2"])
    def test_what_python_warns_of_is_no_warning_here(self, text):
        refused = refusal(text)
        assert refused is None or refused.code.id == "E201"


class TestBounds:
    @pytest.mark.parametrize(
        "text",
        [
            "1 + " * 240 + "1",
            "(" * 150 + "1" + ")" * 150,
            "-" * 500 + "1",
            "not " * 200 + "true",
            "[" * 400 + "]" * 400,
            "d[0]" + "[0]" * 200,
            "1 if yes else " * 70 + "1",
            "max(1, " * 120 + "1" + ")" * 120,
            "a" + ".b" * 400,
            "1 < " * 200 + "2",
        ],
    )
    def test_depth_is_bounded(self, text):
        assert len(text) <= MAX_LENGTH
        refused = refusal(text)
        assert refused is None or refused.code.id in {"E204", "E205", "E206"}

    @pytest.mark.parametrize("levels", [101, 130, 160])
    def test_operations_within_operations(self, levels):
        found = error("(1 + " * levels + "1" + ")" * levels)
        assert found.code.id == "E205"
        assert str(found) == "more than 100 levels of nesting"
        assert found.help == "name parts of it under `vars`"

    def test_a_hundred_levels_are_let_through(self):
        assert value("(1 + " * 99 + "1" + ")" * 99) == 100

    def test_length_is_bounded(self):
        assert value("1".rjust(MAX_LENGTH)) == 1
        found = error("1".rjust(MAX_LENGTH + 1))
        assert found.code.id == "E205"
        assert str(found) == "an expression of 1,001 characters; the limit is 1,000"

    @pytest.mark.parametrize("exponent", [MAX_EXPONENT + 1, -MAX_EXPONENT - 1, 10**18])
    def test_exponents_are_bounded(self, exponent):
        assert error("1 ** n", n=exponent).code.id == "E205"

    def test_results_on_the_way_are_bounded(self):
        assert value("10 ** 18 - 10 ** 18") == 0
        assert error("10 ** 9 * 10 ** 9 * 10 // 10").code.id == "E307"

    def test_lists_are_bounded(self):
        full = tuple(range(MAX_ITEMS))
        assert value("len(d)", d=full) == MAX_ITEMS
        assert error("[d, 1]", d=full).code.id == "E205"
        assert str(error("[d, d]", d=full)).startswith("a list of more than 500 items")

    def test_lists_that_double_come_to_an_end(self):
        items, rounds = (1,), 0
        while refusal("[d, d]", d=items) is None:
            items, rounds = value("[d, d]", d=items), rounds + 1
        assert rounds < 10

    def test_lists_within_lists_are_bounded(self):
        nested = ()
        for _ in range(7):
            nested = checked_list([nested])
        with pytest.raises(ExpressionError) as caught:
            checked_list([nested])
        assert caught.value.code.id == "E205"

    def test_what_takes_longer_costs_more(self):
        cost = {
            text: Expression(text).cost for text in ("a", "a + 1", "max(a, 1)", "a in d", "[a]")
        }
        assert cost["a"] < cost["a + 1"] < cost["max(a, 1)"] < cost["a in d"]
        assert cost["[a]"] > cost["max(a, 1)"]


class TestFormulas:
    @pytest.mark.parametrize(
        ("text", "result"),
        [
            *(("H + 1", "H + 1"), ("H // 2 * 2", "2·⌊H/2⌋"), ("H ** 2", "H²"), ("2 * H / 2", "H")),
            *(("ceil(H)", "H"), ("floor(H // 2)", "⌊H/2⌋"), ("round(H)", "H"), ("max(H, 1)", "H")),
            *(("min(H, 0)", "0"), ("H - H", "0"), ("H % 1", "0"), ("-H", "−H"), ("H ** 64", "H⁶⁴")),
            *(("H > 0", "True"), ("H < H + 1", "True"), ("H == H", "True"), ("H == 0", "False")),
            *(("H != word", "True"), ("H in [0, -1]", "False"), ("1 if H >= 1 else 2", "1")),
        ],
    )
    def test_a_formula_goes_where_a_number_goes(self, text, result):
        assert str(value(text)) == result

    @pytest.mark.parametrize(
        ("text", "code", "said"),
        [
            ("H > 100", "E207", "cannot decide whether 100 < H: it depends on H"),
            ("H == 5", "E207", "cannot decide whether H = 5: it depends on H"),
            ("H in [1, 2]", "E207", "it depends on H"),
            ("1 in [2, H]", "E207", "it depends on H"),
            ("max(H, 5)", "E207", "it depends on H"),
            ("8 // (H - 5)", "E207", "it depends on H"),
            ("8 % (H - 5)", "E207", "it depends on H"),
            ("make_divisible(H, 8)", "E207", "it depends on H"),
            ("H > half", "E207", "cannot compare `H` with `1/2`"),
            ("max(H, half)", "E207", "cannot round a formula with a fraction"),
            ("H / 2", "E206", "is not a whole number for all values"),
            ("H * half", "E206", "is not a whole number for all values"),
            ("H ** -1", "E206", "is not a whole number for all values"),
            ("H // 0", "E206", "division by zero"),
            ("d[H]", "E207", "the index is the formula H: which item it is must be known"),
            ("2 ** H", "E205", "the exponent H"),
            ("1 if H else 2", "E206", "a condition is true or false, not `H`"),
            ("(H + 1) ** 64", "E307", "exceeds 50 terms"),
            ("H ** 64 * H ** 64", "E307", "100 factors"),
            ("H * 10 ** 18 * 10", "E307", "factors of 10¹⁸"),
        ],
    )
    def test_what_cannot_be_known_is_said(self, text, code, said):
        assert error(text).code.id == code
        assert said in str(error(text))
        assert marked(text) in text

    def test_floors_within_floors_come_to_an_end(self):
        formula, rounds = H, 0
        while refusal("x * x // 7 + H", x=formula) is None:
            formula, rounds = value("x * x // 7 + H", x=formula), rounds + 1
        assert rounds < 10
        assert error("x * x // 7 + H", x=formula).code.id == "E307"

    @given(
        st.sampled_from(["H + a", "H * a // 3", "(H - 1) // a + 1", "H % a", "H ** 2 - a * H"]),
        st.integers(1, 50),
        st.integers(1, 9),
    )
    def test_a_formula_has_the_value_of_the_number(self, text, h, a):
        formula = value(text, a=a)
        number = formula.evaluate({"H": h}) if isinstance(formula, Polynomial) else formula
        assert number == value(text, a=a, H=h)


# -- against Python itself ------------------------------------------------------------------------

# Expressions in pairs: as they are written here, and as Python would have to write them so that
# every number is an exact fraction.
NUMBERS = st.one_of(
    st.integers(0, 20).map(lambda number: (str(number), f"Fraction({number})")),
    st.sampled_from([("x", "x"), ("y", "y")]),
)


def joined(pattern, *parts, in_python="{}"):
    """Pairs of expressions put together; a part that is a text is the same in both.

    ``in_python`` is put around Python's, where its result would be no fraction but an int.
    """
    pairs = st.tuples(*(st.just((p, p)) if isinstance(p, str) else p for p in parts))
    return pairs.map(
        lambda found: (
            pattern.format(*(ours for ours, _ in found)),
            in_python.format(pattern.format(*(python for _, python in found))),
        )
    )


def one_of(*words):
    return st.sampled_from([(word, word) for word in words])


def larger(parts):
    """Expressions that are made of others."""
    compared = joined("{} {} {}", parts, one_of("<", "<=", ">", ">=", "==", "!="), parts)
    condition = st.one_of(
        compared,
        joined("({}) {} ({})", compared, one_of("and", "or"), compared),
        joined("not ({})", compared),
        joined("{} in [{}, {}]", parts, parts, parts),
    )
    return st.one_of(
        joined("({} {} {})", parts, one_of("+", "-", "*", "/", "%"), parts),
        joined("({} // {})", parts, parts, in_python="Fraction{}"),
        joined("({}{})", one_of("+", "-"), parts),
        joined("({} ** {})", parts, one_of("0", "1", "2", "3", "-1")),
        joined("{}({}, {})", one_of("min", "max"), parts, parts),
        joined("{}({})", one_of("ceil", "floor", "round"), parts, in_python="Fraction({})"),
        joined("({} if {} else {})", parts, condition, parts),
        joined("[{}, {}][{}]", parts, parts, one_of("0", "1", "-1")),
    )


PYTHON = {
    "Fraction": Fraction,
    "min": min,
    "max": max,
    "ceil": math.ceil,
    "floor": math.floor,
    "round": round,
}


@settings(max_examples=600, deadline=None)
@given(
    st.recursive(NUMBERS, larger, max_leaves=12),
    st.integers(-9, 9),
    st.fractions(-9, 9, max_denominator=12),
)
def test_arithmetic_is_python_s_with_exact_fractions(pair, x, y):
    ours, python = pair
    whole_y = y.numerator if y.denominator == 1 else y
    try:
        code = compile(python, "<python>", "eval")
        expected = eval(code, {"__builtins__": {}, "x": Fraction(x), "y": y, **PYTHON})  # noqa: S307 - made above
    except ZeroDivisionError:
        assert refusal(ours, x=x, y=whole_y).code.id == "E206"
        return
    refused = refusal(ours, x=x, y=whole_y)
    if refused is not None:
        assert refused.code.id == "E307"  # more than 10¹⁸ on the way
        return
    result = value(ours, x=x, y=whole_y)
    assert result == expected
    assert isinstance(result, int) == (Fraction(expected).denominator == 1)


WORDS = [
    *"0123456789abdxHi+-*/%<>=!()[],.:'\"\\ \t\n_~^@&|{}λ😀\0\x1b",
    *FUNCTIONS,
    *(" if ", " else ", " and ", " not ", " in ", "lambda ", " for ", "1e999", "**", "//", "True"),
]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=30).map("".join))
def test_any_text_has_a_value_or_a_reason(text):
    try:
        names = Expression(text).names
    except ExpressionError:
        names = ()
    refused = refusal(text, **dict.fromkeys(names, 3))
    if refused is None:
        return
    assert str(refused)
    if refused.span is not None:
        start, length = refused.span
        assert 0 <= start < max(1, len(text))
        assert length >= 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ceil(H / 16)", lambda h: -(-h // 16)),
        ("floor(H / 8 / 2)", lambda h: h // 16),
        ("ceil(H * 1.5)", lambda h: -(-3 * h // 2)),
        ("round(H / 3)", lambda h: round(Fraction(h, 3))),
        ("ceil(-(H / 4))", lambda h: -(h // 4)),
        ("ceil(H / 2 + 1/3)", lambda h: -((-3 * h - 2) // 6)),
        ("ceil(5 / H)", lambda h: -(-5 // h)),
        ("ceil((H - 1) / 2 - H / 3)", lambda h: -(-(h - 3) // 6)),
        ("H / 2 // 3", lambda h: h // 6),
        ("H / 2 * 4", lambda h: 2 * h),
    ],
)
def test_a_quotient_of_a_formula_is_rounded_as_that_of_its_number(text, expected):
    found = Expression(text).evaluate({"H": symbol("H")})
    for h in range(1, 60):
        assert found.evaluate({"H": h}) == Expression(text).evaluate({"H": h}) == expected(h)


@pytest.mark.parametrize("text", ["H / 16", "[H / 16]", "min(H / 16, 3)", "H / 16 > 2"])
def test_a_quotient_that_is_not_rounded_says_what_would_do(text):
    with pytest.raises(ExpressionError, match="not a whole number") as caught:
        Expression(text).evaluate({"H": symbol("H")})
    assert caught.value.code.id == "E206"
    assert caught.value.help == (
        "round it, down with `//` or `floor(…)` or up with `ceil(…)`, "
        "or free it with `--assume 'H % 16 == 0'`"
    )


def test_halves_that_go_to_the_even_one_are_no_formula():
    with pytest.raises(ExpressionError, match="halves go to the even one"):
        Expression("round(H / 2)").evaluate({"H": symbol("H")})
