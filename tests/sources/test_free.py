"""Networks with some sizes left free."""

from itertools import product

import pytest

from convcalc.analysis import analyze_graph
from convcalc.analysis.formulas import network_formulas
from convcalc.errors import SpecError, UsageError
from convcalc.sources.free import freeable_networks

PLAIN = """\
input: [3, 32, 32]
layers:
  - conv: {out_channels: in_channels * 2, kernel_size: 3, bias: false}
  - flatten
  - linear: {out_features: in_channels // 2, bias: false}
"""


@pytest.fixture
def freeable(spec):
    """The networks of a text, or of a shipped network."""

    def read(text, settings=None, **options):
        reference = str(spec(text)) if "\n" in text else text
        return freeable_networks(reference, settings or {}, **options)

    return read


def refusals(network, *names, assumptions=()):
    with pytest.raises(UsageError) as caught:
        network.freed(names, assumptions)
    return [(each.code.id, each.message, each.help) for each in caught.value.findings]


def test_an_axis_is_free_though_the_spec_has_a_number_there(freeable):
    [network] = freeable(PLAIN)
    freed = network.freed(["H", "W"])
    assert [str(size) for size in freed.graph.nodes[0].shape] == ["3", "H", "W"]
    assert freed.spatial == ("H", "W")
    assert freed.batch is None


def test_what_the_spec_works_out_from_an_axis_follows_it(freeable):
    [network] = freeable(PLAIN)
    formulas = network_formulas(network.freed(["C", "H"]).graph)
    for channels, height in ((1, 3), (5, 9), (8, 40)):
        text = PLAIN.replace("[3, 32, 32]", f"[{channels}, {height}, 32]")
        [other] = freeable(text)
        # Half as many outputs as the flattened image has numbers: the layer's own field varies.
        assert (
            formulas.value("params").evaluate({"C": channels, "H": height})
            == analyze_graph(other.given).params
        )


def test_a_variable_comes_before_an_axis_of_its_name(freeable):
    text = "vars: {W: 4}\n" + PLAIN.replace("out_channels: in_channels * 2", "out_channels: W")
    [network] = freeable(text)
    graph = network.freed(["W"]).graph
    assert [str(size) for size in graph.nodes[1].shape] == ["W", "30", "30"]
    assert network.value("W") == 4
    assert network.value("H") == 32


def test_the_sizes_in_space_are_variables_where_they_are_written_as_such(freeable):
    [network] = freeable("vars: {size: 9}\n" + PLAIN.replace("[3, 32, 32]", "[3, size, 32]"))
    assert network.spatial_names() == ("size", "W")
    [line] = freeable("wavenet")
    assert line.spatial_names() in {("L",), ("length",), ("samples",)}
    [volume] = freeable("input: [1, 4, 5, 6]\nlayers: [relu]\n")
    assert volume.spatial_names() == ("D", "H", "W")
    assert [volume.value(name) for name in "CDHWN"] == [1, 4, 5, 6, 1]
    [vector] = freeable("input: [7]\nlayers: [relu]\n")
    assert vector.spatial_names() == ()
    assert vector.value("F") == 7


def test_what_the_user_has_set_is_not_free(freeable):
    [network] = freeable("resnet::resnet50", {"H": "64"})
    assert network.spatial_names() == ("W",)
    [(code, message, help_)] = refusals(network, "H")
    assert (code, message) == ("E420", "`H` is set to 64, and cannot be free as well")
    assert "--set H" in help_


def test_a_variable_without_a_value_may_be_free(freeable):
    text = "vars: {c: }\ninput: [3, 8, 8]\nlayers:\n  - conv: {out_channels: c, kernel_size: 1}\n"
    [network] = freeable(text)
    assert network.given is None
    assert network.value("c") is None
    # c filters of 3 weights and a bias
    assert str(network_formulas(network.freed(["c"]).graph).value("params")) == "4·c"


def test_names_that_mean_nothing_are_all_reported(freeable):
    [network] = freeable("efficientnet")
    found = refusals(network, "widht", "H", "Q")
    assert [code for code, *_ in found] == ["E420", "E420"]
    assert found[0][2] == "did you mean `width`?"
    assert found[1][2].startswith("there are width, depth, resolution")


@pytest.mark.parametrize(
    ("name", "what"), [("block", "`bottleneck`"), ("depths", "a list"), ("stride_first", "`false`")]
)
def test_only_a_number_can_be_free(freeable, name, what):
    [network] = freeable("resnet::resnet50")
    [(code, message, _)] = refusals(network, name)
    assert (code, message) == ("E420", f"`{name}` is {what}: only a number can be free")


def test_inputs_that_differ_on_an_axis_do_not_share_it(freeable):
    text = (
        "inputs: {small: [3, 8, 8], large: [3, 16, 8]}\nlayers:\n"
        "  - {relu: , from: small, name: one}\n  - {relu: , from: large, name: two}\n"
        "outputs: [one, two]\n"
    )
    [network] = freeable(text)
    [(code, message, _)] = refusals(network, "H")
    assert code == "E420"
    assert "differ in H" in message
    shapes = [node.shape for node in network.freed(["W"]).graph.inputs]
    assert [[str(size) for size in shape] for shape in shapes] == [
        ["3", "8", "W"],
        ["3", "16", "W"],
    ]


def test_what_decides_about_layers_is_refused_with_every_line_once(freeable):
    text = (
        "vars: {depth: 2, pick: 1}\ninput: [3, 32, 32]\nlayers:\n"
        "  - for: {n: [1, 2]}\n    layers:\n      - repeat: n * depth\n        relu:\n"
        "  - relu:\n    if: depth > 1\n"
        "  - conv: {out_channels: '[8, 16][pick]', kernel_size: 3}\n"
    )
    [network] = freeable(text)
    with pytest.raises(SpecError) as caught:
        network.freed(["depth", "pick"])
    assert [(each.code.id, each.place.line) for each in caught.value.findings] == [
        ("E207", 6),
        ("E207", 9),
        ("E207", 10),
    ]


def test_an_assumption_stands_in_the_graph(freeable):
    [network] = freeable("lenet5")
    freed = network.freed(["H", "W", "N"], ["H % 4 == 0", "W == H", "N == 8"])
    assert [str(size) for size in freed.graph.nodes[0].shape] == ["1", "4·h", "4·h"]
    assert freed.batch == 8


@pytest.mark.parametrize(
    ("assumption", "part"),
    [
        ("H", "no assumption that can be used"),
        ("H % 0 == 0", "divides by 0"),
        ("H % 4 == 5", "holds for no size"),
        ("Q == 3", "not free"),
        ("H == 0", "at least 1"),
    ],
)
def test_nonsense_is_no_assumption(freeable, assumption, part):
    [network] = freeable("lenet5")
    [(code, message, help_)] = refusals(network, "H", assumptions=[assumption])
    assert code == "E421"
    assert part in message
    assert help_


def test_contradictions_are_refused(freeable):
    [network] = freeable("lenet5")
    [(code, message, _)] = refusals(network, "H", assumptions=["H % 4 == 1", "H % 2 == 0"])
    assert code == "E421"
    assert "no size satisfies" in message


def test_as_many_variables_as_can_be_are_freeable(freeable):
    [network] = freeable("conv_families::conv_2d")
    assert network.freeable_names() == ("c", "k", "g", "m", "n")  # rank picks a shape
    [network] = freeable("conv_families::conv_2d", {"k": "5"})
    assert network.freeable_names() == ("c", "g", "m", "n")


def test_variants_are_read_together(freeable):
    assert [n.spec.partition("::")[2] for n in freeable("scaling", every_variant=True)] == [
        "plain",
        "depth_doubled",
        "width_doubled",
        "resolution_doubled",
        "compound",
    ]
    assert [n.spec for n in freeable("scaling")] == ["specs/scaling.yaml::plain"]
    assert len(freeable("conv_families::*_3d")) == 14


SKIP = """\
input: [4, 24, 24]
layers:
  - {max_pool: {kernel_size: 2}, name: half}
  - {max_pool: {kernel_size: 2}, name: quarter}
  - {upsample: {scale_factor: 2}, name: again}
  - {add: , from: [again, half]}
"""
FIXED_SIZE = """\
input: [3, 16, 16]
layers:
  - parallel:
      merge: concat
      branches:
        a: [{conv: {out_channels: 4, kernel_size: 5}}, {pad: {padding: 2}}]
        b: [{conv: {out_channels: 4, kernel_size: 3, stride: 2}}, {upsample: {size: 16}}]
"""
FEATURES = """\
input: [3, 8, 8]
layers:
  - flatten
  - linear: {in_features: 192, out_features: 10}
"""
GROUPS = """\
vars: {c: 8, g: 4}
input: [8, 4, 4]
layers:
  - conv: {out_channels: 8, kernel_size: 1, in_channels: c, groups: g, bias: false}
"""
BROADCAST = """\
vars: {c: 1}
input: [c, 8, 8]
layers:
  - {conv: {out_channels: 4, kernel_size: 1}, name: a}
  - {mul: , from: [a, input]}
"""
PADDED = """\
input: [4, 20, 20]
vars: {k: 3, p: 1}
layers:
  - conv: {out_channels: 4, kernel_size: k, padding: p}
  - max_pool: {kernel_size: k, stride: 2, padding: p}
"""
SHARED = """\
vars: {w: 4}
input: [4, 16, 16]
layers:
  - {conv: {out_channels: w, kernel_size: 3, padding: 1}, name: c1}
  - {conv: {out_channels: w, kernel_size: 3, padding: 1}, name: c2, share: c1}
"""


@pytest.mark.parametrize(
    ("text", "names", "assumptions", "expected"),
    [
        (
            SKIP,
            ("H", "W"),
            (),
            ["H >= 4", "W >= 4", "⌊H/2⌋ % 2 == 0", "⌊W/2⌋ % 2 == 0"],
        ),
        (FIXED_SIZE, ("H", "W"), (), ["H == 16", "W == 16"]),
        (FEATURES, ("H", "W"), (), ["H·W == 64"]),
        (GROUPS, ("c", "g"), (), ["c == 8", "8 % g == 0"]),
        (GROUPS, ("g",), ("g % 2 == 0",), ["8 % g == 0"]),
        (BROADCAST, ("c",), (), ["c == 4 or c == 1"]),
        (PADDED, ("k", "p"), (), ["2·p + 10 >= k", "k >= 2·p"]),
        (PADDED, ("H", "k"), (), ["k >= 2", "H + 2 >= k", "H + 5 >= 2·k", "k <= 12"]),
        (SHARED, ("w",), (), ["w == 4"]),
    ],
)
def test_the_conditions_hold_exactly_where_the_network_is_accepted(
    freeable, text, names, assumptions, expected
):
    [network] = freeable(text)
    freed = network.freed(names, assumptions)
    assert [each.written() for each in freed.conditions] == expected
    accepted = 0
    for sizes in product(range(1, 26), repeat=len(names)):
        values = dict(zip(names, sizes, strict=True))
        if freed.assumptions.symbol_values(values) is None:
            continue
        try:
            network.graph(values)
        except SpecError:
            is_accepted = False
        else:
            is_accepted = True
            accepted += 1
        assert all(each.holds(values) for each in freed.conditions) == is_accepted, values
    assert accepted


def test_a_unet_is_for_multiples_of_16(freeable):
    [network] = freeable("unet::unet_same")
    for assumptions in ((), ("H % 4 == 0",), ("W % 16 == 0",)):
        found = [each.written() for each in network.freed(["H", "W"], assumptions).conditions]
        assert found == [
            f"{name} % 16 == 0" for name in "HW" if f"{name} % 16 == 0" not in assumptions
        ]


def test_who_frees_what_decides_about_layers_is_told_not_to(freeable):
    [network] = freeable("vars: {n: 2}\ninput: [3, 8, 8]\nlayers:\n  - {repeat: n, relu: }\n")
    with pytest.raises(SpecError) as caught:
        network.freed(["n"])
    assert [(each.code.id, each.help) for each in caught.value.findings] == [
        ("E207", "give the variable a value: leave it out of `--free`")
    ]
