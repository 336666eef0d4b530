"""Formulas written out, each notation read back by what people and machines read it with."""

from __future__ import annotations

import json

import pytest
from formula_trees import POINTS, SYMBOLS, compute, many, read, trees
from hypothesis import given

from convcalc.algebra import Polynomial, symbol
from convcalc.algebra.notation import json_terms, latex, python, python_function, text

H, W, N = map(symbol, SYMBOLS)
FORMULAS = {"H": H, "W": W, "N": N}
HALF, QUARTER = (H + 1) // 2, (H + 3) // 4
LONG = sum((n + 1) * 1000 * ((H + n) // (n + 2)) * ((W + n) // (n + 2)) for n in range(6)) * N


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        (0, "0"),
        (-7, "−7"),
        (25_557_032, "25557032"),
        (H, "H"),
        (H * H * W - 3, "H²·W − 3"),
        (-H - 1, "−H − 1"),
        (64 * HALF, "64·⌊(H + 1)/2⌋"),
        (7 // (H + 1), "⌊7/(H + 1)⌋"),
        (H // (2 * W), "⌊H/(2·W)⌋"),
        # What all terms have in common stands in front if that is shorter …
        (147 * N * HALF * W + 147 * N * QUARTER * W, "147·N·W·(⌊(H + 1)/2⌋ + ⌊(H + 3)/4⌋)"),
        (64 * HALF * HALF - 128 * HALF, "64·⌊(H + 1)/2⌋·(⌊(H + 1)/2⌋ − 2)"),
        # … and not if it is as long: 2·(H + W) has as many characters.
        (2 * H + 2 * W, "2·H + 2·W"),
        (4 * H + 6, "4·H + 6"),
        # Floors come by what they divide by, 8 before 16.
        (H // 16 + H // 8, "⌊H/8⌋ + ⌊H/16⌋"),
    ],
)
def test_text(formula, expected):
    assert text(formula) == expected


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        (12, "12"),
        ((H + 31) // 32, r"\left\lfloor \frac{H + 31}{32} \right\rfloor"),
        (-2 * H**2 * W, r"-2 \cdot H^{2} \cdot W"),
        (147 * N * HALF * W - 147 * N * QUARTER * W,
         r"147 \cdot N \cdot W \cdot \left(\left\lfloor \frac{H + 1}{2} \right\rfloor - "
         r"\left\lfloor \frac{H + 3}{4} \right\rfloor\right)"),
        (HALF**2, r"\left\lfloor \frac{H + 1}{2} \right\rfloor^{2}"),
        (symbol("C_in") * symbol("x_1"), r"C_{\mathrm{in}} \cdot x_{1}"),
        (symbol("base_width_2"), r"\mathrm{base}_{\mathrm{width\_2}}"),
        (symbol("_"), r"\mathrm{\_}"),
    ],
)  # fmt: skip
def test_latex(formula, expected):
    assert latex(formula) == expected


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        (-3, "-3"),
        (HALF**2 * W - 5, "W * ((H + 1) // 2)**2 - 5"),
        (H // (W + 1), "(H // (W + 1))"),
        (5 // (H * W), "(5 // (H * W))"),
        (147 * N * HALF * W - 147 * N * QUARTER * W,
         "147 * N * W * (((H + 1) // 2) - ((H + 3) // 4))"),
    ],
)  # fmt: skip
def test_python(formula, expected):
    assert python(formula) == expected


def test_json_has_terms_of_factors():
    assert json_terms(3 * H**2 * ((W + 1) // 2) - 4) == [
        {
            "coefficient": 3,
            "factors": [
                {"symbol": "H", "power": 2},
                {
                    "floor": {
                        "numerator": [
                            {"coefficient": 1, "factors": [{"symbol": "W", "power": 1}]},
                            {"coefficient": 1, "factors": []},
                        ],
                        "denominator": [{"coefficient": 2, "factors": []}],
                    },
                    "power": 1,
                },
            ],
        },
        {"coefficient": -4, "factors": []},
    ]
    assert json_terms(0) == []
    assert json_terms(5) == [{"coefficient": 5, "factors": []}]


# -- read back ------------------------------------------------------------------------------------


def worth_of_json(terms, point):
    total = 0
    for term in terms:
        value = term["coefficient"]
        for factor in term["factors"]:
            if "symbol" in factor:
                base = point[factor["symbol"]]
            else:
                above, below = (
                    worth_of_json(factor["floor"][part], point)
                    for part in ("numerator", "denominator")
                )
                base = above // below
            value *= base ** factor["power"]
        total += value
    return total


@many(500)
@given(trees(), POINTS)
def test_every_notation_reads_as_the_value(tree, point):
    formula, expected = compute(tree, FORMULAS), compute(tree, point)
    assert read(text(formula), point) == expected
    assert eval(python(formula), dict(point)) == expected  # noqa: S307  # convcalc's own text
    assert worth_of_json(json.loads(json.dumps(json_terms(formula))), point) == expected
    if isinstance(formula, Polynomial):
        assert len(text(formula)) <= len(str(formula))


LATEX = {
    r"\left\lfloor \frac{": "((",
    "}{": ")//(",
    r"} \right\rfloor": "))",
    r"\left(": "(",
    r"\right)": ")",
    r" \cdot ": "*",
    "^{": "**(",
    "}": ")",
}
"""What stands for LaTeX's commands in Python, in the order in which they are to be replaced."""


@many(500)
@given(trees(), POINTS)
def test_latex_reads_as_the_value(tree, point):
    source = latex(compute(tree, FORMULAS))
    for command, sign in LATEX.items():
        source = source.replace(command, sign)
    assert eval(source, dict(point)) == compute(tree, point)  # noqa: S307  # convcalc's own text


# -- a function -----------------------------------------------------------------------------------


def defined(source, name):
    scope: dict = {}
    exec(source, scope)  # noqa: S102 - convcalc's own text
    return scope[name]


def test_a_function_of_one_formula_returns_its_value():
    source = python_function("macs", [("macs", 9 * HALF * W)], ["H", "W"], about="Of one conv.")
    assert source == (
        "def macs(H: int, W: int) -> int:\n"
        '    """Of one conv.\n'
        "\n"
        "    H, W: integers of at least 1.\n"
        "    Returns macs.\n"
        '    """\n'
        "    return 9 * W * ((H + 1) // 2)\n"
    )
    assert defined(source, "macs")(7, 5) == 180  # 9 · 5 · 4


def test_floors_that_stand_in_several_places_get_a_name():
    source = python_function(
        "cost",
        [("macs", HALF * W + 2), ("flops", 3 * HALF - QUARTER)],
        ["H", "W"],
        about='Of "it"\\.',
    )
    assert source.startswith("def cost(H: int, W: int) -> dict[str, int]:\n")
    assert "    H_2 = (H + 1) // 2\n" in source
    assert '        "macs": W * H_2 + 2,\n        "flops": 3 * H_2 - ((H + 3) // 4),\n' in source
    cost = defined(source, "cost")
    assert cost(7, 5) == {"macs": 22, "flops": 10}  # 4·5 + 2; 3·4 − 2
    assert cost.__doc__.startswith('Of "it"\\.')


def test_floors_inside_floors_come_first_and_names_do_not_clash():
    inner = 5 // W
    nested = (H * inner + 1) // 3
    source = python_function(
        "f",
        [("a", nested + inner), ("b", nested * 2), ("c", (H + 1) // 3 + symbol("H_W_3"))],
        ["H", "W", "H_W_3"],
        about="Floors.",
    )
    lines = source.splitlines()
    assert lines[6:8] == ["    W_2 = 5 // W", "    H_W_3_2 = (H * W_2 + 1) // 3"]
    # 5//2 = 2, (9·2 + 1)//3 = 6; 10//3 + 7
    assert defined(source, "f")(9, 2, 7) == {"a": 8, "b": 12, "c": 10}


def test_floors_in_divisors_get_names_too_and_those_that_stand_once_get_none():
    divisor = (H + 1) // 2
    source = python_function(
        "f", [("a", N // 3 + W // divisor), ("b", divisor * 5)], ["H", "W", "N"], about="Floors."
    )
    lines = source.splitlines()
    assert [line for line in lines if " = " in line] == ["    H_2 = (H + 1) // 2"]
    assert defined(source, "f")(5, 14, 7) == {"a": 6, "b": 15}  # 7//3 + 14//3; 3·5


def test_floors_of_one_divisor_have_names_of_their_own():
    one, two = (H + 1) // 3, (H + 2) // 3
    source = python_function(
        "f", [("a", one * W + two), ("b", one - two * W)], ["H", "W"], about="Two."
    )
    lines = source.splitlines()
    assert "    H_3 = (H + 1) // 3" in lines
    assert "    H_3_2 = (H + 2) // 3" in lines
    assert defined(source, "f")(4, 5) == {"a": 7, "b": -9}  # 1·5 + 2, 1 − 2·5


def test_a_function_refuses_sizes_that_its_checks_refuse():
    source = python_function("f", [("a", H)], ["H"], about="Even.", checks=["H % 2 == 0"])
    assert "    Raises ValueError for sizes that it is not right for.\n" in source
    function = defined(source, "f")
    assert function(4) == 4
    with pytest.raises(ValueError, match=r"^only if H % 2 == 0$"):
        function(5)
    unchecked = python_function("f", [("a", H)], ["H"], about="Any.")
    assert "Raises" not in unchecked


def test_a_line_of_100_columns_is_not_broken():
    # "    return " and " + W" are 15 of them.
    for length, lines in ((85, 1), (86, 4)):
        name = "h" * length
        source = python_function("f", [("a", symbol(name) + W)], [name, "W"], about="Long.")
        body = source.split('"""\n')[-1].splitlines()
        assert len(body) == lines
        assert (len(body[0]) == 100) == (lines == 1)


def test_a_long_sum_may_begin_with_what_is_taken_away():
    names = [letter * 40 for letter in "abc"]
    a, b, c = map(symbol, names)
    source = python_function("f", [("x", 7 - a * b - c)], names, about="Long.")
    assert f"    return (\n        -{names[0]} * {names[1]}\n        - {names[2]}\n" in source
    assert defined(source, "f")(2, 3, 5) == -4  # 7 − 6 − 5


def test_a_long_sum_has_a_line_for_each_term():
    source = python_function("f", [("a", LONG), ("b", LONG + 1)], ["H", "W", "N"], about="Long.")
    assert max(map(len, source.splitlines())) <= 100
    assert '        "a": 1000 * N * (\n            H_2 * W_2\n            + 2 * H_3 * W_3' in source
    point = {"H": 17, "W": 30, "N": 3}
    expected = 3 * sum((n + 1) * 1000 * ((17 + n) // (n + 2)) * ((30 + n) // (n + 2))
                       for n in range(6))  # fmt: skip
    assert defined(source, "f")(**point) == {"a": expected, "b": expected + 1}


@pytest.mark.parametrize("name", ["lambda", "a b", "1x"])
def test_what_is_no_name_in_python_is_refused(name):
    with pytest.raises(ValueError, match="no name in Python"):
        python(symbol(name))
    with pytest.raises(ValueError, match="no name in Python"):
        python_function(name, [("a", H)], ["H"], about="No.")
    with pytest.raises(ValueError, match="no name in Python"):
        python_function("f", [("a", 1)], [name], about="No.")


def test_a_function_of_nothing_is_a_function_too():
    source = python_function("params", [("params", 170)], [], about="Of no size.")
    assert "integers of at least 1" not in source
    assert defined(source, "params")() == 170
