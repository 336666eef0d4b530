"""Costs as formulas, in each format."""

import io
import json
import random
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcalc.analysis import analyze_graph
from convcalc.analysis.formulas import network_formulas
from convcalc.analysis.freed_costs import freed_costs, scaled_together
from convcalc.analysis.metrics import value_of
from convcalc.analysis.smallest_input import smallest_input
from convcalc.reports.formula import FormulaReport, NetworkReport, growth_sheet, wrapped
from convcalc.sources.free import freeable_networks

METRICS = ("params", "macs", "flops", "activation_elements", "activation_bytes")
# A 3×3 convolution without padding to 4 channels, then a pool that halves: by hand,
# weights 4·3·9 = 108, multiply-adds 108·(H − 2)·(W − 2).
TINY = """\
name: tiny
input: [3, 10, 12]
layers:
  - conv: {out_channels: 4, kernel_size: 3, bias: false}
  - max_pool: {kernel_size: 2, stride: 2}
"""


def costs_of(reference, names, assumptions=(), metrics=METRICS, scalings=None):
    """What `convcalc formula` works out, and the network."""
    [network] = freeable_networks(reference, {})
    freed = network.freed(names, assumptions)
    own = {name: network.value(name) for name in (*names, *dict(sum(scalings or (), ())))}

    def formulas(graph):
        return network_formulas(graph, batch=freed.batch or 1, metrics=metrics)

    costs = freed_costs(
        formulas(freed.graph),
        freed.names,
        freed.assumptions,
        own,
        scalings or scaled_together(freed.names, freed.spatial, own),
        lambda changes: formulas(network.graph({n: v for n, v in changes.items() if n != "N"})),
    )
    return costs, network


@pytest.fixture
def report(spec):
    """The report of a text, or of a shipped network."""

    def made(text, names, *, has_layers=False, **options):
        reference = str(spec(text)) if "\n" in text else text
        costs, network = costs_of(reference, names, **options)
        smallest = smallest_input(network.given)
        return FormulaReport((NetworkReport(costs, smallest, has_layers),), "1.2.3")

    return made


class TestPython:
    @pytest.mark.parametrize(
        ("reference", "sizes", "assumptions"),
        [
            ("lenet5", {"C": (1, 9), "H": (32, 90), "W": (32, 90)}, ()),
            ("alexnet", {"H": (63, 400), "W": (63, 400), "N": (1, 1)}, ()),
            ("squeezenet", {"H": (21, 300), "W": (21, 300)}, ()),
            ("resnet::resnet18", {"H": (1, 300), "W": (1, 300)}, ()),
            ("scaling", {"width": (1, 6), "resolution": (1, 6)}, ()),
            ("conv_families::flattened_2d", {"c": (1, 40), "k": (1, 9), "n": (1, 30)}, ()),
            ("conv_families::bottleneck_3d", {"c": (1, 9), "m": (1, 9), "k": (1, 5)}, ()),
            ("wavenet", {"L": (1, 50)}, ()),
            ("unet", {"size": (12, 20)}, ("size % 16 == 12",)),
        ],
    )
    def test_the_function_agrees_with_the_analysis_at_200_points(
        self, reference, sizes, assumptions
    ):
        if reference == "unet":
            [network] = freeable_networks(reference, {})
            sizes = dict.fromkeys(network.spatial_names(), (12, 20))
            assumptions = tuple(f"{name} % 16 == 12" for name in sizes)
        costs, network = costs_of(reference, tuple(sizes), assumptions)
        source = FormulaReport((NetworkReport(costs, None, has_layers=False),), "1").text("python")
        module = {}
        exec(source, module)  # noqa: S102 - it is what a user does with it
        [function] = [each for each in module.values() if callable(each)]
        draw = random.Random(reference)  # noqa: S311 - points of a test
        for _ in range(200):
            point = {
                name: draw.randint(*bounds) if not assumptions else 16 * draw.randint(*bounds) + 12
                for name, bounds in sizes.items()
            }
            graph = network.graph({name: size for name, size in point.items() if name != "N"})
            analysis = analyze_graph(graph)
            assert function(**point) == {key: value_of(key, analysis) for key in METRICS}

    def test_layers_have_a_function_of_their_own(self, report):
        source = report(TINY, ("H",), has_layers=True, metrics=("macs",)).text("python")
        module = {}
        exec(source, module)  # noqa: S102 - see above
        # 108·(H − 2)·10 for 12 wide
        assert module["tiny"](H=7) == 108 * 5 * 10
        assert module["tiny_layers"](H=7) == {"conv.macs": 108 * 5 * 10, "max_pool.macs": 0}

    def test_one_size_that_is_another_is_no_argument(self, report):
        made = report(TINY, ("H", "W"), assumptions=("H % 2 == 0", "W == H"), metrics=("macs",))
        module = {}
        exec(made.text("python"), module)  # noqa: S102 - see above
        assert module["tiny"](H=8) == 108 * 6 * 6
        assert "Only if H % 2 == 0 and W == H" in module["tiny"].__doc__

    def test_a_name_that_python_cannot_have_is_changed(self, report):
        source = report(TINY.replace("tiny", "3d-net"), ("H",)).text("python")
        assert "def network_3d_net(H: int)" in source


class TestText:
    def test_it_has_formulas_numbers_growth_and_the_smallest_input(self, report):
        text = report(TINY, ("H", "W", "N"), metrics=("params", "macs")).text("text")
        assert text.splitlines() == [
            "tiny · input 3×H×W · batch N",
            "",
            "Parameters = 108",
            "Multiply-adds = 108·N·(H·W − 2·H − 2·W + 4)",
            "",
            "At H = 10, W = 12, N = 1",
            # 108·8·10 = 8,640; for 20×24 108·18·22 = 42,768, which is 4.95 times as much
            "               Value  Grows as    H, W ×2   N ×2",
            "-------------  -----  ----------  -------  -----",
            "Parameters       108  not at all    1.00×  1.00×",
            "Multiply-adds  8,640  108·H·N·W     4.95×  2.00×",
            # 2 positions for the pool are 4 for the convolution
            "Smallest input that these layers accept: 3×4×4.",
            "Counts and bytes are those of N samples; weights are the same.",
            "Multiply-add: one multiply and one add of a convolution or matrix product, no bias "
            "adds; FLOPs = 2 · multiply-adds + other operations; input as above, batch N, float32.",
        ]

    def test_an_assumption_is_said_and_its_formula_is_in_the_size_itself_too(self, report):
        made = report(TINY, ("H",), assumptions=("H % 2 == 0",), metrics=("activation_elements",))
        lines = made.text("text").splitlines()
        # 4·(2h − 2)·10 + 4·(h − 1)·5
        assert lines[:5] == [
            "tiny · input 3×H×12 · batch 1",
            "Only if H % 2 == 0, so that H = 2·h.",
            "",
            "Activations = 100·h − 100",
            "    = 50·H − 100",
        ]

    def test_layers_that_cost_the_same_stand_together(self, report):
        text = report("resnet::resnet18", ("N",), has_layers=True, metrics=("macs",)).text("text")
        # 64·64·9 weights, each used 56·56 times: two blocks of two
        assert "  Multiply-adds = 115,605,504" not in text
        assert "  Multiply-adds = 115605504·N" in text
        [title] = [
            line for line in text.splitlines() if "· output 64×56×56" in line and "conv l" in line
        ]
        assert " and 1 more · 4 conv layers · output 64×56×56" in title

    def test_a_size_that_is_a_sum_stands_in_brackets(self, report):
        text = report(TINY, ("W",), has_layers=True).text("text")
        assert "conv · conv · output 4×8×(W − 2)" in text

    @pytest.mark.parametrize("width", [60, 80, 160])
    def test_no_line_is_wider_than_the_terminal(self, report, width):
        stream = io.StringIO()
        made = report("resnet::resnet50", ("H", "W", "N"), has_layers=True)
        made.draw(stream, color=False, width=width)
        assert max(map(len, stream.getvalue().splitlines())) <= width
        joined = " ".join(line.strip() for line in stream.getvalue().splitlines())
        assert "· 225280·".replace("· ", "") in joined
        assert "64·N·(147·⌊(H + 1)/2⌋·⌊(W + 1)/2⌋ + 3840" in joined.replace("· ", "·")

    def test_nothing_wraps_in_a_pipe(self, report):
        made = report("resnet::resnet50", ("H", "W", "N"))
        assert max(map(len, made.text("text").splitlines())) > 160


class TestWrapping:
    @given(
        st.lists(st.sampled_from(["a·b", "⌊(H + 1)/2⌋", "12·⌊(W − 3)/4⌋·c", "x²"]), min_size=1),
        st.lists(st.sampled_from([" + ", " − ", "·"]), min_size=60, max_size=60),
        st.integers(1, 90),
    )
    def test_nothing_is_lost_and_no_floor_is_cut(self, terms, signs, width):
        text = terms[0] + "".join(sign + term for sign, term in zip(signs, terms[1:]))  # noqa: B905
        lines = wrapped(text, width)
        assert "".join("".join(lines).split()) == "".join(text.split())
        assert all(line.count("⌊") == line.count("⌋") for line in lines)
        assert all(line.startswith("    ") for line in lines[1:])
        if width >= 24:  # indent, the longest factor, and a sign or dot
            assert all(len(line) <= width for line in lines)

    def test_it_breaks_before_a_sign_rather_than_behind_a_dot(self):
        assert wrapped("x = a·b + c·d·e", 13) == ["x = a·b", "    + c·d·e"]
        assert wrapped("x = aaa·bbb·ccc", 10) == ["x = aaa·", "    bbb·", "    ccc"]
        assert wrapped("x = 123456789", 5) == ["x = 123456789"]


class TestJson:
    def test_the_terms_are_the_formula(self, report):
        made = json.loads(report(TINY, ("H", "W"), has_layers=True).text("json"))
        [network] = made["networks"]
        assert made["schema_version"] == 1
        assert network["free"] == [{"name": "H", "value": 10}, {"name": "W", "value": 12}]
        assert network["inputs"] == {"input": [3, "H", "W"]}
        assert network["batch"] == 1
        # 4·8·10 + 4·4·5
        assert network["totals"]["activation_elements"]["value"] == 400
        assert evaluated(network["totals"]["activation_elements"]["terms"], H=11, W=13) == (
            4 * 9 * 11 + 4 * 4 * 5
        )
        assert network["totals"]["macs"]["leading"] == ["108·H·W"]
        assert network["smallest_input"] == {"inputs": {"input": [3, 4, 4]}, "is_complete": True}
        assert [layer["name"] for layer in network["layers"]] == ["conv", "max_pool"]
        assert network["layers"][1]["output_shape"][0] == 4
        [growth] = network["growth"]
        assert growth["factors"] == {"H": 2, "W": 2}
        assert growth["totals"]["macs"]["after"] == 108 * 18 * 22

    def test_what_stands_for_what_is_told(self, report):
        made = report(TINY, ("H",), assumptions=("H % 3 == 1",))
        [network] = json.loads(made.text("json"))["networks"]
        assert network["assumptions"] == ["H % 3 == 1"]
        [substitution] = network["substitutions"]
        assert substitution["name"] == "H"
        assert substitution["text"] == "3·h − 2"


def evaluated(terms, **sizes):
    """The value of a formula, from its terms alone."""
    total = 0
    for term in terms:
        value = term["coefficient"]
        for factor in term["factors"]:
            if "symbol" in factor:
                base = sizes[factor["symbol"]]
            else:
                floor = factor["floor"]
                base = evaluated(floor["numerator"], **sizes) // evaluated(
                    floor["denominator"], **sizes
                )
            value *= base ** factor["power"]
        total += value
    return total


def test_latex_is_an_aligned_environment(report):
    made = report(TINY, ("H",), metrics=("macs", "activation_bytes"))
    assert made.text("latex").splitlines() == [
        "% tiny · input 3×H×12 · batch 1",
        r"\begin{align*}",
        r"\text{Multiply-adds} &= 1080 \cdot H - 2160 \\",
        # 4 bytes of 4·(H − 2)·10, and of 4·5 times the half of it, rounded down
        r"\text{Activation memory (bytes)} &= 160 \cdot H + 80 \cdot "
        r"\left\lfloor \frac{H}{2} \right\rfloor - 400",
        r"\end{align*}",
    ]


def test_markdown_has_a_table_of_formulas_and_one_of_numbers(report):
    text = report(TINY, ("H",), metrics=("macs",), has_layers=True).text("markdown")
    assert "| Multiply-adds | 1080·(H − 2) |" in text
    assert "### Layers of tiny" in text
    assert "| Multiply-adds | 8,640 | 1080·H | 2.25× |" in text  # (20 − 2)/(10 − 2)


class TestGrowth:
    @pytest.mark.parametrize(
        ("factors", "after"),
        [
            # stem 27·40, body 10·9·40·40, on 40·40 positions; head 40·10.
            ({"depth": 2}, 27 * 40 * 1600 + 20 * 14400 * 1600 + 400),
            ({"width": 2}, 27 * 80 * 1600 + 10 * 57600 * 1600 + 800),
            ({"resolution": 2}, 27 * 40 * 6400 + 10 * 14400 * 6400 + 400),
            (
                {
                    "depth": Fraction(6, 5),
                    "width": Fraction(11, 10),
                    "resolution": Fraction(23, 20),
                },
                27 * 44 * 46**2 + 12 * 9 * 44**2 * 46**2 + 440,
            ),
        ],
    )
    def test_a_plain_network_grows_as_the_textbook_says(self, factors, after):
        costs, _ = costs_of(
            "scaling",
            ("resolution", "width"),
            metrics=("macs",),
            scalings=(tuple(factors.items()),),
        )
        [scaling] = costs.scalings
        [growth] = scaling.growths
        assert growth.before == 27 * 40 * 1600 + 10 * 14400 * 1600 + 400
        assert growth.after == after
        # Depth decides how many layers there are, and half a width is no size of a formula.
        assert scaling.by_numbers == ("depth" in factors)
        plain = 1
        for name, factor in factors.items():
            plain *= factor if name == "depth" else factor**2
        assert float(growth.ratio) == pytest.approx(float(plain), rel=0.01)

    def test_efficientnet_scaled_is_the_larger_efficientnet(self, report):
        factors = (("depth", Fraction(12, 10)), ("width", Fraction(11, 10)))
        made = report(
            "efficientnet",
            ("resolution", "N"),
            metrics=("params", "macs"),
            scalings=((*factors, ("resolution", Fraction(288, 224))),),
        )
        [scaling] = made.networks[0].costs.scalings
        # torchvision's B0 and B2
        assert [(g.before, g.after) for g in scaling.growths] == [
            (5288548, 9109994),
            (385814752, 1087529456),
        ]
        lines = growth_sheet(made.networks[0]).lines
        # 1.2 · 1.21 · (9/7)² = 2.400
        assert any("depth · width² · resolution², here 2.40×" in line for line in lines)
        assert any("built anew" in line for line in lines)

    def test_a_number_that_is_not_whole_is_that_of_the_network_itself(self, report):
        made = report("efficientnet::efficientnet_b2", ("width",), metrics=("params", "macs"))
        # torchvision's B2, whose width is 1.1
        assert made.networks[0].costs.values == (9109994, 1087529456)

    def test_where_doubling_breaks_an_assumption_there_is_no_number(self, report):
        made = report(TINY, ("H",), assumptions=("H % 4 == 2",), metrics=("macs",))
        sheet = growth_sheet(made.networks[0])
        # 108·8·10 for 10; 20 leaves nothing when divided by 4
        assert sheet.rows == (("Multiply-adds", "8,640", "1080·H", "–"),)
        assert any(line.startswith("– where") for line in sheet.lines)

    def test_the_value_is_at_the_nearest_number_that_is_as_assumed(self, report):
        made = report(TINY, ("H",), assumptions=("H % 4 == 0",), metrics=("macs",))
        sheet = growth_sheet(made.networks[0])
        # 108·10·10 for 12, and 108·22·10 for 24; 10 is as far from 8, the greater counts
        assert sheet.title == "At H = 12 (nearest to 10)"
        assert sheet.rows == (("Multiply-adds", "10,800", "1080·H", "2.20×"),)
        assert sheet.lines[0] == (
            "The spec has H = 10, which is not as assumed: 12 is the nearest."
        )


def test_the_smallest_input_of_alexnet_is_63(report):
    assert "Smallest input that these layers accept: 3×63×63." in report("alexnet", ("N",)).text(
        "text"
    )
