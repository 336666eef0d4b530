"""Leading terms, what doubling does, and EfficientNet's scaling."""

from fractions import Fraction

import pytest
import sympy
from hypothesis import example, given, settings
from hypothesis import strategies as st

import convcalc
from convcalc.algebra import symbol
from convcalc.analysis.formulas import network_formulas
from convcalc.analysis.growth import (
    NoLeadingTermError,
    compound_factor,
    growth,
    leading_terms,
)

H, W, N, C = map(symbol, "HWNC")


def texts(formula, *names):
    return [str(term) for term in leading_terms(formula, names)]


# -- leading terms --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("formula", "names", "expected"),
    [
        (3 * H * W + 5 * H + 7, "HW", ["3·H·W"]),
        (3 * H * W + 5 * H + 7, "H", ["3·H·W", "5·H"]),
        (H**2 + H * W - 4, "HW", ["H²", "H·W"]),
        (H**2 + H * W - 4, "WH", ["H·W", "H²"]),
        (9 * ((H + 1) // 2) * ((W + 1) // 2), "HW", ["9·H·W/4"]),
        ((2 * H + 7) // 3 - 5, "H", ["2·H/3"]),
        (-(H // 2), "H", ["−H/2"]),
        # A floor of what does not grow stays a floor.
        ((C // 8) * (H // 2), "H", ["H·⌊C/8⌋/2"]),
        (H**2 // (2 * C), "H", ["H²/(2·C)"]),
        (H**2 // (2 * C) + N, "H", ["H²/(2·C)"]),
        (H**3 // C**2, "H", ["H³/C²"]),
        (((H + W) // 2) ** 2, "HW", ["H²/4", "H·W/2", "W²/4"]),
        # ⌊H·⌊W/2⌋/3⌋: inside and outside less than 1 is left open, H times and once
        (H * (W // 2) // 3, "HW", ["H·W/6"]),
        # What the quadratic terms leave is linear: 2·H·(H//2) − H² is 0 or −H.
        (H**3 + 2 * H * (H // 2) - H**2, "H", ["H³"]),
        (7, "H", ["7"]),
        (0, "H", []),
        (5 * N, "H", ["5·N"]),
    ],
)
def test_the_terms_that_outgrow_the_others(formula, names, expected):
    assert texts(formula, *names) == expected


@pytest.mark.parametrize(
    "formula",
    [
        H - 2 * (H // 2),  # 0 or 1
        H * W - 2 * H * (W // 2),  # 0 or H
        H % 3,
        C // H,  # 0 from H > C on
        H**2 // (H + W),  # by two terms that grow alike
        2 * H * (H // 2) - H**2,
        H - 2 * (H // 2) + 5,  # 5 or 6
        2 * H * (H // 2) - H**2 + 5,  # 5 or 5 − H
        # For odd W the floor is about −H/C, and its square of the degree of H·W.
        ((2 * H * (W // 2) - H * W) // C) ** 2 + 5 * H * W,
        # The floor is from −H/(H·W) to 0: −1 for some odd W.
        (2 * H * (W // 2) - H * W + 1) // (H * W) + 5,
    ],
)
def test_what_floors_leave_open_is_never_a_leading_term(formula):
    # The message has the formula, or a part of it.
    with pytest.raises(NoLeadingTermError, match=r"H.* (leave open|divides)"):
        leading_terms(formula, ["H", "W"])


def test_a_leading_term_has_its_coefficient_and_powers():
    [term] = leading_terms(5 * H**2 * (W // 3) // C, ["H", "W"])
    assert term.coefficient == Fraction(5, 3)
    assert term.factors == (("C", -1), ("H", 2), ("W", 1))


LINES = st.tuples(
    st.integers(-5, 5), st.integers(1, 4), st.integers(0, 9), st.integers(1, 7), st.integers(0, 2)
)


@settings(max_examples=200, deadline=None)
@given(st.lists(LINES, min_size=1, max_size=4))
@example([(1, 3, 0, 1, 1), (-3, 1, 1, 1, 1)])  # 3·H² − 3·H·(H + 1) = −3·H
@example([(1, 1, 5, 1, 0), (-1, 1, 1, 1, 0)])  # 4
@example([(1, 1, 5, 2, 1), (-1, 1, 1, 2, 1)])  # H·(2 + ⌊(H + 1)/2⌋) − H·⌊(H + 1)/2⌋ = 2·H
def test_sympy_has_the_same_leading_coefficient(parts):
    """Σ c·H^p·⌊(a·H + b)/d⌋, the floors left out."""
    formula = sum((c * H**p * ((a * H + b) // d) for c, a, b, d, p in parts), start=0)
    x = sympy.Symbol("x")
    smooth = sum(
        (c * x**p * sympy.Rational(a, d) * x for c, a, _, d, p in parts), start=sympy.Integer(0)
    )
    open_ = max(p for *_, p in parts)
    """The degree of what the floors leave out."""
    cancels = smooth == 0 or sympy.degree(smooth, x) <= open_
    try:
        found = leading_terms(formula, ["H"])
    except NoLeadingTermError:
        assert cancels
        return
    if not found:
        assert smooth == 0
        return
    [term] = found
    degree = dict(term.factors).get("H", 0)
    if not cancels:
        assert sympy.Rational(*term.coefficient.as_integer_ratio()) == sympy.LC(smooth, x)
        assert degree == sympy.degree(smooth, x)
    # What is left of less degree is at most 4 · 5 · (4 + 9) of its powers.
    large = 10**9
    value = formula if isinstance(formula, int) else formula.evaluate({"H": large})
    assert abs(value / Fraction(large) ** degree - term.coefficient) < Fraction(1, 10**6)


# -- what doubling does ---------------------------------------------------------------------------


def test_doubling_is_exact():
    # 9·8·8 = 576 of 16·16 inputs, 9·4·4 = 144 of 8·8; ⌊(7 + 1)/2⌋ = 4 too
    formula = 9 * ((H + 1) // 2) * ((W + 1) // 2)
    found = growth(formula, {"H": 7, "W": 8}, {"H": 2, "W": 2})
    assert (found.before, found.after) == (144, 504)  # 9·4·4; 9·7·8
    assert found.ratio == Fraction(7, 2)
    assert found.factors == (("H", 2), ("W", 2))
    assert growth(formula, {"H": 7, "W": 8}, {"W": 2}).ratio == 2


def test_values_that_a_formula_does_not_have_do_not_matter():
    assert growth(3 * H, {"H": 4, "width": 1}, {"width": 2}).ratio == 1
    assert growth(7, {"H": 4}, {"H": 2}).ratio == 1


def test_what_was_nothing_has_no_ratio():
    assert growth(H - 1, {"H": 1}, {"H": 2}).ratio is None


def test_a_formula_is_of_integers():
    assert growth(H, {"H": 4}, {"H": Fraction(3, 2)}).after == 6
    with pytest.raises(ValueError, match="H is 15/2, and a formula is of integers"):
        growth(H, {"H": 5}, {"H": Fraction(3, 2)})
    with pytest.raises(KeyError):
        growth(H, {"W": 5}, {"W": 2})


def test_resnet_50_grows_with_its_input_nearly_as_its_leading_term():
    graph = convcalc.load("resnet::resnet50", {"H": H, "W": W})
    macs = network_formulas(graph, batch=N).value("macs")
    assert [len(texts(macs, *names)) for names in ("HW", "HWN")] == [1, 1]
    # 224 and 448 are multiples of 32: 81,456·H·W a sample, and 2,048,000 of the classifier
    assert texts(macs, "H", "W") == ["81456·H·N·W"]
    found = growth(macs, {"H": 224, "W": 224, "N": 1}, {"H": 2, "W": 2})
    assert found.before == 81_456 * 224 * 224 + 2_048_000 == 4_089_184_256
    assert found.after == 81_456 * 448 * 448 + 2_048_000
    assert f"{float(found.ratio):.2f}" == "4.00"


# -- scaling a network: depth and width decide about the layers -----------------------------------


def body_macs(values):
    """Multiply-adds of the body of specs/scaling.yaml; its stem and head scale otherwise."""
    layers = convcalc.analyze("scaling", values).layers
    return sum(layer.macs for layer in layers if layer.name.startswith("body."))


ONE = {"depth": 1, "width": 1, "resolution": 1}


@pytest.mark.parametrize(("name", "ratio"), [("depth", 2), ("width", 4), ("resolution", 4)])
def test_a_plain_network_scales_as_the_textbook_says(name, ratio):
    # 10 layers of 9·40·40 weights, each used at 40·40 positions: 230,400,000
    found = growth(body_macs, ONE, {name: 2})
    assert found.before == 230_400_000
    assert found.ratio == ratio


def test_width_alone_is_a_formula_too():
    formula = network_formulas(convcalc.load("scaling", {"width": C})).value("macs")
    # The body 10·9·(40·C)²·1600; the stem 27·40·C·1600, the head 10·40·C.
    assert str(formula) == "230400000·C² + 1728400·C"
    by_numbers = growth(lambda at: convcalc.analyze("scaling", at).macs, ONE, {"width": 2})
    by_formula = growth(formula, {"C": 1}, {"C": 2})
    assert by_numbers[1:] == by_formula[1:]
    assert texts(formula, "C") == ["230400000·C²"]


def test_compound_scaling_makes_about_twice_the_multiply_adds():
    compound = {"depth": Fraction("1.2"), "width": Fraction("1.1"), "resolution": Fraction("1.15")}
    # 1.2 · 1.21 · 1.3225 = 1.92027: 12 layers of 9·44·44 weights at 46·46 positions
    assert compound_factor(**compound) == Fraction("1.92027")
    assert growth(body_macs, ONE, compound).ratio == Fraction("1.92027")


def test_compound_scaling_of_efficientnet_is_near_to_that():
    """Rounded channels, depths rounded up and what does not scale make the difference."""

    def macs(values):
        return convcalc.analyze("efficientnet", values).macs

    base = {"depth": 1, "width": 1, "resolution": 224}
    by_two = growth(macs, base, {"width": 2})
    assert by_two.before == 385_814_752  # B0, as torchvision has it
    assert 3.5 < by_two.ratio < 4
    assert 3.9 < growth(macs, base, {"resolution": 2}).ratio < 4.1
    assert 1.7 < growth(macs, base, {"depth": 2}).ratio < 2.1
    # B3 is φ = 2 … rounded by its authors to width 1.2, depth 1.4, resolution 300.
    b3 = {"width": Fraction("1.2"), "depth": Fraction("1.4"), "resolution": Fraction(300, 224)}
    found = growth(macs, base, b3)
    assert found.after == 1_827_141_392
    assert abs(found.ratio / compound_factor(**b3) - 1) < Fraction(1, 3)
