"""The blocks that come with convcalc, held against arithmetic done by hand."""

import re
from fractions import Fraction
from math import prod
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

import convcalc
from convcalc import SpecError, analyze

FOLDER = Path(convcalc.__file__).parent / "library"
NAMES = sorted(path.stem for path in FOLDER.iterdir())


def contents(name):
    return yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))


@pytest.fixture
def use(spec):
    """Analyze a network of one block, or of several layers, each a line of YAML."""

    def analyzed(shape, *layers, before=""):
        lines = [f"input: {list(shape)}", before, "layers:", *(f"  - {line}" for line in layers)]
        return analyze(spec("\n".join(filter(None, lines)) + "\n"))

    return analyzed


def numbers(costs):
    """All that tells two networks apart but their names."""
    return [
        (layer.kind, layer.output_shape, layer.params, layer.macs, layer.flops)
        for layer in costs.layers
    ]


# -- what is in the files --------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
class TestFile:
    def test_it_says_what_it_is_and_whose(self, name):
        block = contents(name)
        assert list(block) == ["about", "source", "args", "layers"]
        assert re.match(r"[A-Z].*[.:] .*\.$", block["about"])
        assert re.fullmatch(r"https://arxiv\.org/abs/\d{4}\.\d{4,5}", block["source"])

    def test_required_arguments_come_first(self, name):
        is_given = [default is not None for default in contents(name)["args"].values()]
        assert is_given == sorted(is_given)

    def test_it_is_short(self, name):
        lines = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8").splitlines()
        assert len(lines) <= 50
        assert max(map(len, lines)) <= 120

    def test_without_its_required_arguments_it_says_which(self, name, use):
        required = [key for key, default in contents(name)["args"].items() if default is None]
        with pytest.raises(SpecError) as raised:
            use((12, 8, 8), f"{name}: {{}}")
        (finding,) = raised.value.findings
        assert finding.code.id == "E105"
        assert all(f"`{argument}`" in finding.message for argument in required)


# -- numbers ---------------------------------------------------------------------------------------


class Case(NamedTuple):
    block: str
    shape: tuple[int, ...]
    arguments: str
    output: tuple[int, ...]
    params: int
    macs: int


CASES = [
    # 8 → 4 → 4 → 8 channels: (8·4 + 4) + (4·4·9 + 4) + (4·8 + 8) = 36 + 148 + 40
    # 25 · (32 + 144 + 32)
    Case("bottleneck", (8, 5, 5), "channels: 4", (8, 5, 5), 224, 5_200),
    # 8·4 + 4·2·9 + 4·6 = 32 + 72 + 24; 25·32 + 9·72 + 9·24 = 800 + 648 + 216
    Case(
        "bottleneck",
        (8, 5, 5),
        "channels: 4, out_channels: 6, stride: 2, groups: 2, bias: false, activation: none",
        (6, 3, 3),
        128,
        1_664,
    ),
    # 8·2 + 2·2·5·5 + 2·8 = 16 + 100 + 16 and 2 + 2 + 8; 36·16 + 4·100 + 4·16
    Case(
        "bottleneck",
        (8, 6, 6),
        "channels: 2, kernel_size: 5, padding: 0, activation: tanh",
        (8, 2, 2),
        144,
        1_040,
    ),
    # 4·3·9 = 108, and 2·4 of the norm; 64·108
    Case("conv_bn", (3, 8, 8), "out_channels: 4, kernel_size: 3", (4, 8, 8), 116, 6_912),
    # 6·4·9 = 216, and 2·6; a window of 5 on 9 + 2·2 in steps of 2: 5·5·216
    Case(
        "conv_bn",
        (8, 9, 9),
        "out_channels: 6, kernel_size: 3, stride: 2, dilation: 2, groups: 2, activation: silu",
        (6, 5, 5),
        228,
        5_400,
    ),
    # 2·3·1·5 = 30, and 2·2; 6·2·30
    Case(
        "conv_bn",
        (3, 6, 6),
        "out_channels: 2, kernel_size: [1, 5], padding: [0, 0]",
        (2, 6, 2),
        34,
        360,
    ),
    # 4·3·5 + 4; a window of 5 on 7 + 2·2 in steps of 2: 4·60
    Case("conv_relu", (3, 7), "out_channels: 4, kernel_size: 5, stride: 2", (4, 4), 64, 240),
    # 4·3·9 + 2·4, no bias; 36·108
    Case(
        "conv_relu",
        (3, 8, 8),
        "out_channels: 4, kernel_size: 3, padding: 0, norm: true",
        (4, 6, 6),
        116,
        3_888,
    ),
    # 4·3; 64·12
    Case("conv_relu", (3, 8, 8), "out_channels: 4, bias: false", (4, 8, 8), 12, 768),
    # layer 1, of 4 channels: 8 + 4·6 + 12 + 6·3·9 = 206; layer 2, of 7: 14 + 7·6 + 12 + 162 = 230
    # 36 · (24 + 162 + 42 + 162)
    Case(
        "dense_block",
        (4, 6, 6),
        "layers: 2, growth_rate: 3, bottleneck: 2",
        (10, 6, 6),
        436,
        14_040,
    ),
    # (16·2 + 2) + (2·8 + 8) + (2·8·9 + 8) = 34 + 24 + 152; 25 · (32 + 16 + 144)
    Case("fire", (16, 5, 5), "squeeze: 2", (16, 5, 5), 210, 4_800),
    # 34 + (2·3 + 3) + (2·3·9 + 3); 25 · (32 + 6 + 54)
    Case("fire", (16, 5, 5), "squeeze: 2, expand: 3", (6, 5, 5), 100, 2_300),
    # (3·4 + 4) + (4·3 + 4); 8 · (12 + 12)
    Case("flattened_conv", (3, 8), "out_channels: 4, axes: 1", (4, 8), 32, 192),
    # 3·4 + 4·5 + 4·5; 36·12 on the whole, 36·20 over rows, 36·20 over columns
    Case(
        "flattened_conv",
        (3, 6, 6),
        "out_channels: 4, kernel_size: 5, bias: false",
        (4, 6, 6),
        52,
        1_872,
    ),
    # (3·2 + 2) + 3 · (2·3 + 2); each axis shrinks by 2 in turn: 64·6 + 32·6 + 16·6 + 8·6
    Case(
        "flattened_conv",
        (3, 4, 4, 4),
        "out_channels: 2, axes: 3, padding: 0",
        (2, 2, 2, 2),
        32,
        720,
    ),
    # 2 · (4·3·2 + 4); 2 · 10 · 24
    Case(
        "gated_conv",
        (3, 10),
        "out_channels: 4, kernel_size: 2, dilation: 4, padding: [[4, 0]], activation: tanh",
        (4, 10),
        56,
        480,
    ),
    # 2 · 6·2·9; 9 · 216
    Case(
        "gated_conv",
        (4, 6, 6),
        "out_channels: 6, stride: 2, groups: 2, bias: false",
        (6, 3, 3),
        216,
        1_944,
    ),
    # m = 4: (6·4 + 8) + (4·9 + 8); 25 · (24 + 36)
    Case("ghost_module", (6, 5, 5), "out_channels: 8", (8, 5, 5), 76, 1_500),
    # m = 7/3 up to 3, 9 channels cut to 7: (6·3·9 + 6) + (6·25 + 12); 9 · (162 + 150)
    Case(
        "ghost_module",
        (6, 5, 5),
        "out_channels: 7, kernel_size: 3, ratio: 3, cheap_kernel_size: 5, stride: 2, "
        "activation: none",
        (7, 3, 3),
        330,
        2_808,
    ),
    # 5 of 8 channels as they are, 5 more out of them: (6·5 + 10) + (5·9 + 10); 25 · (30 + 45)
    Case("ghost_module", (6, 5, 5), "out_channels: 8, channels: 5", (8, 5, 5), 95, 1_875),
    # 9 + (18 + (2·3·9 + 3)) + (36 + (4·5·25 + 5)) + 54 = 9 + 75 + 541 + 54
    # 16 · (8 + 16 + 54 + 32 + 500 + 48)
    Case(
        "inception",
        (8, 4, 4),
        "conv1: 1, reduce3: 2, conv3: 3, reduce5: 4, conv5: 5, pool: 6",
        (15, 4, 4),
        679,
        10_528,
    ),
    # 8 + 16 + 54 + 32 + 4·5·9 + 48 = 338, and 2·(1 + 2 + 3 + 4 + 5 + 6); 16·338
    Case(
        "inception",
        (8, 4, 4),
        "conv1: 1, reduce3: 2, conv3: 3, reduce5: 4, conv5: 5, pool: 6, kernel5: 3, norm: true",
        (15, 4, 4),
        380,
        5_408,
    ),
    # 8 + 16 + 54 + 32 + 500 + 48; 16·658
    Case(
        "inception",
        (8, 4, 4),
        "conv1: 1, reduce3: 2, conv3: 3, reduce5: 4, conv5: 5, pool: 6, bias: false",
        (15, 4, 4),
        658,
        10_528,
    ),
    # (8 + 1) + (8·2·9 + 2) + (8·3·25 + 3); 16 · (8 + 144 + 600); 1 + 2 + 3 + 8 channels
    Case("inception_naive", (8, 4, 4), "conv1: 1, conv3: 2, conv5: 3", (14, 4, 4), 758, 12_032),
    # 8 + 144 + 600
    Case(
        "inception_naive",
        (8, 4, 4),
        "conv1: 1, conv3: 2, conv5: 3, bias: false",
        (14, 4, 4),
        752,
        12_032,
    ),
    # h = 24: (4·24 + 48) + (24·9 + 48) + (24·4 + 8) = 144 + 264 + 104; 36 · (96 + 216 + 96)
    Case("inverted_residual", (4, 6, 6), "out_channels: 4", (4, 6, 6), 512, 14_688),
    # h = 4, no first 1×1: (4·25 + 8) + (4·6 + 12); 9 · (100 + 24)
    Case(
        "inverted_residual",
        (4, 6, 6),
        "out_channels: 6, expansion: 1, kernel_size: 5, stride: 2",
        (6, 3, 3),
        144,
        1_116,
    ),
    # (4·8 + 16) + (8·9 + 16) + (8·2 + 2) + (2·8 + 8) + (8·4 + 8) = 48 + 88 + 18 + 24 + 40
    # 36 · (32 + 72 + 32) + 16 + 16
    Case(
        "inverted_residual",
        (4, 6, 6),
        "out_channels: 4, hidden: 8, dilation: 2, squeeze_channels: 2, activation: silu, "
        "squeeze_activation: silu, gate: hard_sigmoid",
        (4, 6, 6),
        218,
        4_928,
    ),
    # h = 4 with a first 1×1 all the same: (16 + 8) + (36 + 8) + (16 + 8); 36 · (16 + 36 + 16)
    Case(
        "inverted_residual",
        (4, 6, 6),
        "out_channels: 4, expansion: 1, widens: true, skip: false",
        (4, 6, 6),
        92,
        2_448,
    ),
    # (4·3·9 + 4) + (4·4 + 4) + (4·4 + 4); 64 · (108 + 16 + 16)
    Case("nin_block", (3, 8, 8), "out_channels: 4, kernel_size: 3", (4, 8, 8), 152, 8_960),
    # (4·3·25 + 4) + (4·3 + 3) + (3·2 + 2); 16 · (300 + 12 + 6)
    Case(
        "nin_block",
        (3, 8, 8),
        "out_channels: 4, kernel_size: 5, stride: 2, narrow: 3, last: 2",
        (2, 4, 4),
        327,
        5_088,
    ),
    # the same 152; 36 · 140
    Case(
        "nin_block", (3, 8, 8), "out_channels: 4, kernel_size: 3, padding: 0", (4, 6, 6), 152, 5_040
    ),
    # (16·4 + 8) + (4·4·9 + 8) + (4·16 + 32); 16 · (64 + 144 + 64)
    Case("residual_bottleneck", (16, 4, 4), "channels: 4", (16, 4, 4), 320, 4_352),
    # (8·4 + 8) + (4·2·9 + 8) + (4·16 + 32), and past them 8·16 + 32: 40 + 80 + 96 + 160
    # 16·32 + 4·72 + 4·64 + 4·128
    Case(
        "residual_bottleneck",
        (8, 4, 4),
        "channels: 4, stride: 2, groups: 2",
        (16, 2, 2),
        376,
        1_568,
    ),
    # 40 + (144 + 8) + 96 + 160; 4 · (32 + 144 + 64 + 128)
    Case(
        "residual_bottleneck",
        (8, 4, 4),
        "channels: 4, stride: 2, stride_first: true",
        (16, 2, 2),
        448,
        1_472,
    ),
    # (8·2 + 4) + (2·2·25 + 4) + (2·8 + 16); 81 · (16 + 100 + 16)
    Case(
        "residual_bottleneck",
        (8, 9, 9),
        "channels: 2, out_channels: 8, kernel_size: 5, dilation: 2, activation: silu",
        (8, 9, 9),
        156,
        10_692,
    ),
    # (3·9 + 3) + (3·4 + 4); 64 · (27 + 12)
    Case("separable_conv", (3, 8, 8), "out_channels: 4", (4, 8, 8), 46, 2_496),
    # 8 channels between: (8·25 + 16) + (8·6 + 12); 16 · (200 + 48)
    Case(
        "separable_conv",
        (4, 7, 7),
        "out_channels: 6, kernel_size: 5, stride: 2, multiplier: 2, norm: true, activation: relu",
        (6, 4, 4),
        276,
        3_968,
    ),
    # 27 + 12; a window of 5 on 8: 16 · 39
    Case(
        "separable_conv",
        (3, 8, 8),
        "out_channels: 4, dilation: 2, padding: 0, bias: false",
        (4, 4, 4),
        39,
        624,
    ),
    # m = 3: (12·3/3 + 6) + (3·9 + 6) + (3·12/3 + 24); 16 · (12 + 27 + 12)
    Case("shuffle_unit", (12, 4, 4), "out_channels: 12", (12, 4, 4), 87, 816),
    # m = 6, and 12 of 24 channels made: (12·6/2 + 12) + (6·9 + 12) + (6·12/2 + 24)
    # 16·36 + 4·54 + 4·36
    Case(
        "shuffle_unit",
        (12, 4, 4),
        "out_channels: 24, groups: 2, stride: 2",
        (24, 2, 2),
        174,
        936,
    ),
    # m = 4, the first 1×1 in one group: (12·4 + 8) + (4·9 + 8) + (4·14/2 + 28)
    # 16·48 + 4·36 + 4·28; 14 channels joined to the 12
    Case(
        "shuffle_unit",
        (12, 4, 4),
        "out_channels: 24, groups: 2, stride: 2, first_groups: 1, channels: 4, made: 14",
        (26, 2, 2),
        156,
        1_024,
    ),
    # h = 4: (16 + 8) + (4·9 + 8) + (16 + 8); 16 · (16 + 36 + 16)
    Case("shuffle_unit_v2", (8, 4, 4), "out_channels: 8", (8, 4, 4), 92, 1_088),
    # 4 channels pass, the others become 8: 4·6 + 2·6, 9·6 + 2·6, 6·8 + 2·8; 16 · (24 + 54 + 48)
    Case("shuffle_unit_v2", (8, 4, 4), "out_channels: 12, passed: 4", (12, 4, 4), 166, 2_016),
    # left (8·9 + 16) + (8·6 + 12), right (8·6 + 12) + (6·9 + 12) + (6·6 + 12): 148 + 174
    # 4·72 + 4·48 + 16·48 + 4·54 + 4·36
    Case("shuffle_unit_v2", (8, 4, 4), "out_channels: 12, stride: 2", (12, 2, 2), 322, 1_608),
    # left (72 + 16) + (64 + 16), right (8·4 + 8) + (4·9 + 8) + (4·4 + 8): 168 + 108
    # 4·72 + 4·64 + 16·32 + 4·36 + 4·16
    Case(
        "shuffle_unit_v2",
        (8, 4, 4),
        "out_channels: 12, stride: 2, half: 4, left: 8",
        (12, 2, 2),
        276,
        1_264,
    ),
    # (8·2 + 2) + (2·8 + 8); 16 + 16
    Case("squeeze_excite", (8, 5, 5), "squeeze_channels: 2", (8, 5, 5), 42, 32),
    # a gate for all channels together: (8·2 + 2) + (2·1 + 1); 16 + 2
    Case(
        "squeeze_excite",
        (8, 5, 5),
        "squeeze_channels: 2, channels: 1, activation: silu, gate: hard_sigmoid",
        (8, 5, 5),
        21,
        18,
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.block}-{case.params}")
def test_it_costs_what_was_worked_out_by_hand(case, use):
    costs = use(case.shape, f"{case.block}: {{{case.arguments}}}")
    assert costs.outputs[0][1] == case.output
    assert costs.params == case.params
    assert costs.macs == case.macs
    assert costs.warnings == ()


@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize("name", NAMES)
def test_it_runs_on_any_number_of_axes(name, axes, use):
    required = [key for key, default in contents(name)["args"].items() if default is None]
    given = dict.fromkeys(required, 3 if name == "nin_block" else 12)
    if name == "flattened_conv":
        given["axes"] = axes
    arguments = ", ".join(f"{key}: {value}" for key, value in given.items())
    costs = use((12, *[9, 8, 7][:axes]), f"{name}: {{{arguments}}}")
    assert costs.outputs[0][1][1:] == (9, 8, 7)[:axes]


@pytest.mark.parametrize("name", NAMES)
def test_every_argument_is_tried(name):
    tried = " ".join(case.arguments for case in CASES if case.block == name)
    assert set(contents(name)["args"]) <= set(re.findall(r"(\w+):", tried)), "add a case"


@pytest.mark.parametrize(
    ("line", "kinds"),
    [
        ("inverted_residual: {out_channels: 12}", {"relu6": 2, "add": 1}),
        ("inverted_residual: {out_channels: 12, skip: false, activation: silu}", {"silu": 2}),
        (
            "inverted_residual: {out_channels: 16, squeeze_channels: 4, gate: hard_sigmoid}",
            {"relu6": 2, "relu": 1, "hard_sigmoid": 1, "mul": 1},
        ),
        ("residual_bottleneck: {channels: 3, activation: silu}", {"silu": 3, "add": 1}),
        ("squeeze_excite: {squeeze_channels: 3}", {"relu": 1, "sigmoid": 1, "mul": 1}),
        ("separable_conv: {out_channels: 12, norm: true, activation: relu}", {"relu": 2}),
        ("gated_conv: {out_channels: 12, activation: tanh}", {"tanh": 1, "sigmoid": 1, "mul": 1}),
        ("shuffle_unit: {out_channels: 12}", {"relu": 2, "add": 1}),
        ("shuffle_unit: {out_channels: 24, stride: 2}", {"relu": 2, "concat": 1}),
        ("shuffle_unit_v2: {out_channels: 12}", {"relu": 2, "concat": 1}),
        ("shuffle_unit_v2: {out_channels: 24, stride: 2}", {"relu": 3, "concat": 1}),
        ("ghost_module: {out_channels: 24, activation: none}", {"concat": 1}),
        ("dense_block: {layers: 3}", {"relu": 6, "concat": 3}),
    ],
)
def test_what_has_no_weights(line, kinds, use):
    found = [layer.kind for layer in use((12, 8, 8), line).layers]
    costless = {
        kind: found.count(kind)
        for kind in found
        if kind in {"relu", "relu6", "silu", "tanh", "sigmoid", "hard_sigmoid", "add", "mul"}
        or kind == "concat"
    }
    assert costless == kinds


def test_wavenet_has_all_its_padding_before(use):
    # Four dilations: 1 + (1 + 2 + 4 + 8)
    line = "gated_conv: {out_channels: 3, kernel_size: 2, dilation: 2**i, padding: [[2**i, 0]]}"
    costs = use((3, 40), line + "\n    repeat: 4")
    assert costs.receptive_field.size == (16,)
    assert costs.outputs[0][1] == (3, 40)


# -- formulas --------------------------------------------------------------------------------------


class Formula(NamedTuple):
    block: str
    text: str
    """As it stands in `about`."""
    shape: tuple[int, ...]
    arguments: str
    values: dict[str, int]
    counted: str
    """What is held against it: params, macs or weights, which are those of convolutions."""
    group: str = ""


FORMULAS = [
    Formula(
        "bottleneck",
        "C_in · m + k² · m² / groups + m · C_out",
        (32, 9, 9),
        "channels: 6, out_channels: 40, kernel_size: 5",
        {"C_in": 32, "m": 6, "k": 5, "C_out": 40, "groups": 1},
        "weights",
    ),
    Formula(
        "conv_bn",
        "C_in · C_out / groups · Π kernel",
        (12, 9, 9),
        "out_channels: 20, kernel_size: [3, 5], padding: 0, groups: 4",
        {"C_in": 12, "C_out": 20, "groups": 4, "product": 15},
        "weights",
    ),
    Formula(
        "conv_relu",
        "C_out · (C_in · Π kernel + 1)",
        (5, 9, 9, 9),
        "out_channels: 7, kernel_size: 3",
        {"C_in": 5, "C_out": 7, "product": 27},
        "params",
    ),
    Formula(
        "conv_relu",
        "C_out · (C_in · Π kernel + 2)",
        (5, 9, 9, 9),
        "out_channels: 7, kernel_size: 3, norm: true",
        {"C_in": 5, "C_out": 7, "product": 27},
        "params",
    ),
    *(
        Formula(
            "dense_block",
            "(C_in + (l - 1) · k) · b · k + 9 · b · k²",
            (11, 8, 8),
            "layers: 5, growth_rate: 6, bottleneck: 3",
            {"C_in": 11, "l": n, "k": 6, "b": 3},
            "weights",
            f"dense_block.layer{n}.",
        )
        for n in range(1, 6)
    ),
    Formula(
        "fire",
        "(C_in + 1) · s + (s + 1) · e + (9 · s + 1) · e",
        (13, 8, 8),
        "squeeze: 3, expand: 17",
        {"C_in": 13, "s": 3, "e": 17},
        "params",
    ),
    *(
        Formula(
            "flattened_conv",
            "C_in · C_out + axes · k · C_out",
            (13, *[4] * axes),
            f"out_channels: 7, kernel_size: 5, axes: {axes}",
            {"C_in": 13, "C_out": 7, "axes": axes, "k": 5},
            "weights",
        )
        for axes in (1, 2, 3)
    ),
    Formula(
        "ghost_module",
        "k² · C_in · m + d² · (r − 1) · m",
        (13, 8, 8),
        "out_channels: 24, kernel_size: 3, ratio: 4, cheap_kernel_size: 5",
        {"k": 3, "C_in": 13, "m": 6, "d": 5, "r": 4},
        "weights",
    ),
    Formula(
        "inception",
        "C_in · (conv1 + reduce3 + reduce5 + pool) + 9 · reduce3 · conv3 + 25 · reduce5 · conv5",
        (192, 28, 28),
        "conv1: 64, reduce3: 96, conv3: 128, reduce5: 16, conv5: 32, pool: 32",
        {"C_in": 192, "conv1": 64, "reduce3": 96, "conv3": 128, "reduce5": 16, "conv5": 32}
        | {"pool": 32},
        "weights",
    ),
    Formula(
        "inception_naive",
        "C_in · (conv1 + 9 · conv3 + 25 · conv5)",
        (192, 28, 28),
        "conv1: 64, conv3: 128, conv5: 32",
        {"C_in": 192, "conv1": 64, "conv3": 128, "conv5": 32},
        "weights",
    ),
    Formula(
        "inverted_residual",
        "n · h · (C_in + k² + C_out)",
        (24, 7, 7),
        "out_channels: 32, hidden: 100, kernel_size: 5",
        {"n": 49, "h": 100, "C_in": 24, "k": 5, "C_out": 32},
        "macs",
    ),
    Formula(
        "nin_block",
        "(k² · C_in + 1) · C + (C + 1) · m + (m + 1) · o",
        (5, 9, 9),
        "out_channels: 11, kernel_size: 5, narrow: 7, last: 3",
        {"k": 5, "C_in": 5, "C": 11, "m": 7, "o": 3},
        "params",
    ),
    Formula(
        "residual_bottleneck",
        "C_in · m + 9 · m² / groups + m · C_out",
        (48, 8, 8),
        "channels: 12, groups: 4",
        {"C_in": 48, "m": 12, "groups": 4, "C_out": 48},
        "weights",
    ),
    Formula(
        "residual_bottleneck",
        "C_in · C_out",
        (40, 8, 8),
        "channels: 12",
        {"C_in": 40, "C_out": 48},
        "weights",
        "residual_bottleneck.shortcut.",
    ),
    Formula(
        "separable_conv",
        "Π out · (C_in · k² + C_in · C_out)",
        (12, 9, 9),
        "out_channels: 20, kernel_size: 5, stride: 2",
        {"C_in": 12, "k": 5, "C_out": 20, "product": 25},
        "macs",
    ),
    Formula(
        "shuffle_unit",
        "C_in · m / g + 9 · m + m · C_out / g",
        (40, 8, 8),
        "out_channels: 40, groups: 5, channels: 10",
        {"C_in": 40, "m": 10, "g": 5, "C_out": 40},
        "weights",
    ),
    # with a stride 64 − 40 in place of C_out
    Formula(
        "shuffle_unit",
        "C_in · m / g + 9 · m + m · C_out / g",
        (40, 8, 8),
        "out_channels: 64, groups: 2, stride: 2, channels: 10",
        {"C_in": 40, "m": 10, "g": 2, "C_out": 24},
        "weights",
    ),
    Formula(
        "shuffle_unit_v2",
        "2 · h² + 9 · h",
        (58, 8, 8),
        "out_channels: 58",
        {"h": 29},
        "weights",
    ),
    Formula(
        "squeeze_excite",
        "2 · C · s + s + C",
        (40, 8, 8),
        "squeeze_channels: 3",
        {"C": 40, "s": 3},
        "params",
    ),
]


def worked_out(text, values):
    """The number that a formula stands for; `Π kernel` and `Π out` are a value called product."""
    python = re.sub(r"Π \w+", "product", text)
    for sign, operator in {"·": "*", "²": "**2", "−": "-"}.items():
        python = python.replace(sign, operator)
    return eval(python, {"__builtins__": {}}, {k: Fraction(v) for k, v in values.items()})  # noqa: S307


@pytest.mark.parametrize("formula", FORMULAS, ids=lambda formula: f"{formula.block}-{formula.text}")
def test_the_formula_in_about_gives_what_is_computed(formula, use):
    about = " ".join(contents(formula.block)["about"].split())
    assert formula.text in about
    costs = use(formula.shape, f"{formula.block}: {{{formula.arguments}}}")
    layers = [layer for layer in costs.layers if layer.name.startswith(formula.group)]
    computed = {
        "params": sum(layer.params for layer in layers),
        "macs": sum(layer.macs for layer in layers),
        "weights": sum(
            prod(weight.shape)
            for layer in layers
            if "conv" in layer.kind
            for weight in layer.weights
            if weight.name == "weight"
        ),
    }
    assert worked_out(formula.text, formula.values) == computed[formula.counted]


@pytest.mark.parametrize("name", sorted({*NAMES} - {"gated_conv"}))
def test_every_formula_is_tried(name):
    about = " ".join(contents(name)["about"].split())
    for formula in FORMULAS:
        if formula.block == name:
            about = about.replace(formula.text, "")
    assert any(formula.block == name for formula in FORMULAS)
    products = re.findall(r"\S+ · \S+", about)
    # A convolution to compare with, batch norm's parameters, and a number of channels.
    assert set(products) <= {"k² · C_in", "2 · C_out", "bottleneck · k"}, products


def test_a_gated_convolution_is_two(use):
    gated = use((5, 9, 9), "gated_conv: {out_channels: 7}")
    single = use((5, 9, 9), "conv: {out_channels: 7, kernel_size: 3, padding: 1}")
    assert (gated.params, gated.macs) == (2 * single.params, 2 * single.macs)


def test_a_separable_convolution_is_this_part_of_a_convolution(use):
    separable = use((12, 9, 9), "separable_conv: {out_channels: 20, kernel_size: 5}")
    whole = use((12, 9, 9), "conv: {out_channels: 20, kernel_size: 5, padding: 2}")
    text = "1/C_out + 1/k²"
    assert text in contents("separable_conv")["about"]
    part = worked_out(text, {"C_out": 20, "k": 5})
    assert Fraction(separable.macs, whole.macs) == part


@pytest.mark.parametrize(
    ("name", "text", "arguments"),
    [("bottleneck", "k² · C_in · C_out", "channels: 6"), ("ghost_module", "k² · C_in · C_out", "")],
)
def test_what_it_is_compared_with(name, text, arguments, use):
    assert text in " ".join(contents(name)["about"].split())
    whole = use((32, 9, 9), "conv: {out_channels: 40, kernel_size: 5, padding: 2, bias: false}")
    assert worked_out(text, {"C_in": 32, "C_out": 40, "k": 5}) == whole.params
    block = f"{name}: {{{arguments or 'ratio: 2'}, out_channels: 40, kernel_size: 5}}"
    assert use((32, 9, 9), block).params < whole.params


# -- whose names count where -----------------------------------------------------------------------


def first_case(name):
    case = next(case for case in CASES if case.block == name)
    return case.shape, f"{name}: {{{case.arguments}}}"


@pytest.mark.parametrize("name", NAMES)
class TestNames:
    def test_a_block_of_the_same_name_in_the_spec_wins(self, name, use):
        own = f"blocks:\n  {name}:\n    args: {{}}\n    layers: [sigmoid, sigmoid]"
        costs = use((12, 8, 8), name, before=own)
        assert [layer.kind for layer in costs.layers] == ["sigmoid", "sigmoid"]
        (finding,) = costs.warnings
        assert finding.code.id == "W503"
        assert f"`{name}`" in finding.message
        assert finding.place.line == 3  # below `input` and `blocks`

    def test_it_sees_no_variables_of_the_spec(self, name, use):
        shape, line = first_case(name)
        alone = numbers(use(shape, line))
        words = {word for other in NAMES for word in contents(other)["args"]}
        words |= {"relu", "relu6", "sigmoid", "none", "prev", "input", "body", "C_in"}
        given = set(re.findall(r"(\w+)", line))  # where they are given they mean the variable
        values = ", ".join(f"{word}: 13" for word in sorted(words - given))
        assert numbers(use(shape, line, before=f"vars: {{{values}}}")) == alone

    def test_it_sees_no_blocks_of_the_spec(self, name, use):
        shape, line = first_case(name)
        alone = numbers(use(shape, line))
        own = "\n".join(f"  {other}: {{layers: [dropout]}}" for other in NAMES if other != name)
        costs = use(shape, line, before=f"blocks:\n{own}")
        assert numbers(costs) == alone
        assert {finding.code.id for finding in costs.warnings} == {"W503"}

    def test_a_block_of_the_spec_may_use_it(self, name, use):
        shape, line = first_case(name)
        own = f"blocks:\n  mine:\n    layers:\n      - {line}\n      - tanh"
        costs = use(shape, "mine", before=own)
        assert numbers(costs)[:-1] == numbers(use(shape, line))
        assert costs.layers[0].name.startswith(f"mine.{name}.")
        assert costs.warnings == ()


def test_a_conv_bn_of_the_spec_stays_out_of_an_inverted_residual(use):
    conv = "conv: {out_channels: 1, kernel_size: 1}"
    own = f"blocks:\n  conv_bn: {{args: {{out_channels: }}, layers: [{conv}]}}"
    costs = use(
        (4, 6, 6),
        "inverted_residual: {out_channels: 4}",
        "conv_bn: {out_channels: 9}",
        before=own,
    )
    # 512 as above; then the spec's: one channel of 4, and a bias
    assert costs.params == 512 + 5


def test_an_argument_may_be_an_expression_of_the_spec(use):
    costs = use(
        (8, 6, 6),
        "conv_bn: {out_channels: in_channels * width, kernel_size: kernel, activation: act}",
        before="vars: {width: 0.5, kernel: 3, act: silu}",
    )
    # 8·4·9 + 2·4
    assert costs.params == 296
    assert costs.layers[-1].kind == "silu"


# -- mistakes --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "argument"), [(name, key) for name in NAMES for key in contents(name)["args"]]
)
def test_a_misspelt_argument_is_found_where_it_stands(name, argument, use):
    misspelt = f"{argument[:2]}{argument[1:]}"  # `conv1` with a second `o`
    required = [key for key, default in contents(name)["args"].items() if default is None]
    given = "".join(f"{key}: 12, " for key in required if key != argument)
    with pytest.raises(SpecError) as raised:
        use((12, 8, 8), "relu", f"{name}: {{{given}{misspelt}: 12}}")
    (finding,) = (found for found in raised.value.findings if found.code.id == "E104")
    assert f"`{misspelt}`" in finding.message
    assert finding.help == f"did you mean `{argument}`?"
    assert finding.place.text.name.endswith("net.yaml")
    assert finding.place.line == 4
    assert all(found.place.line == 4 for found in raised.value.findings)


@pytest.mark.parametrize(
    ("shape", "line", "trail"),
    [
        ((3, 8, 8), "conv_bn: {out_channels: 4, kernel_size: 9, padding: 0}", ["conv_bn"]),
        ((3, 8, 8), "nin_block: {out_channels: 4, kernel_size: 9, padding: 0}", ["nin_block"]),
        ((3, 8, 8), "fire: {squeeze: 2.5}", ["fire"]),
        ((3, 8, 8), "fire: {squeeze: none}", ["fire"]),
        ((9, 8, 8), "shuffle_unit_v2: {out_channels: 8}", ["shuffle_unit_v2"]),
        ((8, 8, 8), "conv_bn: {out_channels: 6, groups: 4}", ["conv_bn"]),
        ((8, 8, 8), "conv_bn: {out_channels: 6, activation: rela}", None),
        ((8, 8, 8), "squeeze_excite: {squeeze_channels: 0}", ["squeeze_excite"]),
        (
            (8, 8, 8),
            "inverted_residual: {out_channels: 2, hidden: 0.5, widens: true}",
            ["conv_bn", "inverted_residual"],
        ),
        (
            (8, 8, 8),
            "inverted_residual: {out_channels: 2, skip: true}",
            ["inverted_residual"],
        ),
        (
            (8, 8, 8),
            "residual_bottleneck: {channels: 6, groups: 4}",
            ["conv_bn", "residual_bottleneck"],
        ),
    ],
)
def test_what_does_not_fit_inside_points_to_the_block_and_to_its_use(shape, line, trail, use):
    with pytest.raises(SpecError) as raised:
        use(shape, "relu", line)
    finding = raised.value.findings[0]
    if trail is None:  # known without building anything
        assert finding.place.text.name.endswith("net.yaml")
        return
    assert finding.place.text.name.endswith("net.yaml")
    assert finding.place.line == 4
    (inside,) = (r.place for r in finding.related if r.label == "in the library's block, here")
    assert inside.text.name == f"library/{trail[0]}.yaml"
    assert inside.line <= len(inside.text.lines)
