"""The conventions against the tools themselves, run on PyTorch layers of random sizes.

Each tool runs as its documentation has it, on a CPU, in eval mode, on a batch of one. Gradients
are on, as they are unless somebody turns them off: without, attention runs as one operator that
no tool knows.

A layer stands in a network of its own, `Net`, since some tools do not count what they are called
with itself. The network has a parameter, which tells some tools where to run.
"""

import contextlib
import io
import logging
import re
import warnings
from fractions import Fraction
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path
from random import Random
from typing import NamedTuple

import pytest
from packaging.version import Version
from torch_activations import ACTIVATIONS
from torchvision_models import model, torch, torchvision_models

from convcalc import analyze
from convcalc.analysis import analyze_graph
from convcalc.conventions import all_conventions
from convcalc.conventions.counting import counted, form_of, rule_for
from convcalc.conventions.declaration import Form
from convcalc.conventions.written import KNOWN_WRITINGS, Written
from convcalc.graph import Graph, Node
from convcalc.layers import Input, all_kinds

pytestmark = pytest.mark.oracle
nn, F = torch.nn, torch.nn.functional
DRAWS = 6
OTHERS = [convention for convention in all_conventions() if not convention.is_own]


# -- the tools ------------------------------------------------------------------------------------


@contextlib.contextmanager
def quiet():
    """Without what tools print, log and warn of."""
    with (
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        logging.disable(logging.CRITICAL)
        try:
            yield
        finally:
            logging.disable(logging.NOTSET)


@cache
def tool(name):
    """The package of a tool, or a skip."""
    with quiet():
        torchvision_models()  # ptflops imports it, and cannot see to it that it can be imported
        return pytest.importorskip(name, reason=f"{name} is the oracle, and is not installed")


def fvcore(net, inputs):
    tool("fvcore")
    from fvcore.nn import FlopCountAnalysis

    analysis = FlopCountAnalysis(net, inputs)
    return analysis.unsupported_ops_warnings(False).uncalled_modules_warnings(False).total()


def ptflops(net, inputs, backend="pytorch"):
    return tool("ptflops").get_model_complexity_info(
        net,
        (1,),
        as_strings=False,
        print_per_layer_stat=False,
        backend=backend,
        input_constructor=lambda _: {f"x{n}": x for n, x in enumerate(inputs)},
    )[0]


def thop(net, inputs):
    return int(tool("thop").profile(net, inputs=inputs, verbose=False)[0])


def torchinfo(net, inputs):
    return tool("torchinfo").summary(net, input_data=list(inputs), verbose=0).total_mult_adds


def torch_counter(net, inputs):
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        net(*inputs)
    return counter.get_total_flops()


def calflops(net, inputs):
    return tool("calflops").calculate_flops(
        net,
        args=list(inputs),
        print_results=False,
        print_detailed=False,
        output_as_string=False,
    )[0]


COUNTERS = {
    "fvcore": fvcore,
    "ptflops": ptflops,
    "ptflops-aten": partial(ptflops, backend="aten"),
    "thop": thop,
    "torchinfo": torchinfo,
    "torch": torch_counter,
    "calflops": calflops,
}


class Net(nn.Module):
    """A network of one module, or of one call."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer
        self.device_of = nn.Parameter(torch.zeros(()))

    def forward(self, *inputs, **named):
        output = self.layer(*inputs, *named.values())
        return output["out"] if isinstance(output, dict) else output


class Call(nn.Module):
    """A module without anything of its own."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, *inputs):
        return self.function(*inputs)


def theirs(convention, layer, *shapes):
    """What a tool counts of a module or a function, on one sample of each of the shapes."""
    net = Net(layer if isinstance(layer, nn.Module) else Call(layer)).eval()
    with quiet():
        return COUNTERS[convention.name](net, tuple(torch.rand(1, *shape) for shape in shapes))


# -- our side -------------------------------------------------------------------------------------


class Case(NamedTuple):
    """A layer on both sides."""

    kind: str
    fields: dict
    layer: object
    """PyTorch's module, or a function of the inputs."""
    shapes: tuple
    form: Form | None = None
    """How the layer is written, where that is not as usual."""


def analyzed(case):
    """The network of one layer, analyzed."""
    declared = all_kinds()[case.kind]
    types = {each.name: each.type for each in declared.declarations}
    layer = declared(**{name: types[name].parse(value) for name, value in case.fields.items()})
    assert not list(layer.check(case.shapes))
    inputs = tuple(Node(f"x{n}", Input(), (), shape) for n, shape in enumerate(case.shapes))
    node = Node("layer", layer, tuple(range(len(inputs))), layer.output(case.shapes))
    return analyze_graph(Graph("net", (*inputs, node), (len(inputs),)))


def ours(convention, case):
    """What the convention counts of a case."""
    written = () if case.form is None else (Written(case.kind, case.form),)
    return counted(analyzed(case), convention, written).total


# -- draws, one for each row of the table in docs/conventions.md -----------------------------------


def feature_map(draw, rank=2, channels=None):
    sizes = (draw.randint(5, 9) for _ in range(rank))
    return (draw.choice([4, 6, 8]) if channels is None else channels, *sizes)


def windows(draw, rank):
    """Fields of a convolution that PyTorch has under the same names."""
    groups = draw.choice([1, 1, 2])
    return {
        "out_channels": draw.choice([2, 4, 8]),
        "kernel_size": tuple(draw.randint(1, 3) for _ in range(rank)),
        "stride": draw.randint(1, 2),
        "padding": draw.randint(0, 2),
        "dilation": draw.randint(1, 2),
        "groups": groups,
        "bias": draw.random() < 0.5,
    }


def conv(draw):
    rank = draw.randint(1, 3)
    fields, shape = windows(draw, rank), feature_map(draw, rank)
    module = getattr(nn, f"Conv{rank}d")(shape[0], **fields)
    return Case("conv", fields, module, (shape,))


def depthwise_conv(draw):
    shape, times = feature_map(draw), draw.randint(1, 3)
    module = nn.Conv2d(shape[0], shape[0] * times, 3, groups=shape[0])
    return Case("depthwise_conv", {"kernel_size": 3, "multiplier": times}, module, (shape,))


def conv_transpose(draw):
    rank = draw.randint(1, 3)
    fields, shape = windows(draw, rank), feature_map(draw, rank)
    fields["padding"] = 0
    module = getattr(nn, f"ConvTranspose{rank}d")(shape[0], **fields)
    return Case("conv_transpose", fields, module, (shape,))


def linear(draw):
    shape, bias = (draw.randint(2, 9),), draw.random() < 0.5
    fields = {"out_features": draw.randint(1, 9), "bias": bias}
    return Case("linear", fields, nn.Linear(shape[-1], **fields), (shape,))


def linear_on_tokens(draw):
    shape, bias = (draw.randint(2, 9), draw.randint(2, 9)), draw.random() < 0.5
    fields = {"out_features": draw.randint(1, 9), "bias": bias}
    module = nn.Linear(shape[-1], **fields)
    return Case("linear", fields | {"in_features": shape[-1]}, module, (shape,))


def batch_norm(draw):
    rank, affine = draw.randint(0, 3), draw.random() < 0.5
    shape = feature_map(draw, rank)
    module = getattr(nn, f"BatchNorm{max(1, rank)}d")(shape[0], affine=affine)
    return Case("batch_norm", {"affine": affine}, module, (shape,))


def batch_norm_of_the_input(draw):
    shape, affine = feature_map(draw), draw.random() < 0.5
    fields = {"affine": affine, "track_running_stats": False}
    return Case("batch_norm", fields, nn.BatchNorm2d(shape[0], **fields), (shape,))


def instance_norm(draw):
    shape, affine = feature_map(draw), draw.random() < 0.5
    module = nn.InstanceNorm2d(shape[0], affine=affine)
    return Case("instance_norm", {"affine": affine}, module, (shape,))


def group_norm(draw):
    shape, affine = feature_map(draw), draw.random() < 0.5
    module = nn.GroupNorm(2, shape[0], affine=affine)
    return Case("group_norm", {"num_groups": 2, "affine": affine}, module, (shape,))


def layer_norm(draw):
    shape, affine = (draw.randint(2, 9), draw.randint(2, 9)), draw.random() < 0.5
    module = nn.LayerNorm(shape[-1], elementwise_affine=affine)
    return Case("layer_norm", {"elementwise_affine": affine}, module, (shape,))


class LayerNorm2d(nn.LayerNorm):
    """Over the channels of a feature map, as torchvision's ConvNeXt has it."""

    def forward(self, x):
        x = F.layer_norm(
            x.permute(0, 2, 3, 1), self.normalized_shape, self.weight, self.bias, self.eps
        )
        return x.permute(0, 3, 1, 2)


def layer_norm_of_channels(draw):
    shape = feature_map(draw)
    return Case("layer_norm", {"dim": 1}, LayerNorm2d(shape[0]), (shape,))


def local_response_norm(draw):
    shape, size = feature_map(draw, channels=7), draw.randint(2, 5)
    return Case("local_response_norm", {"size": size}, nn.LocalResponseNorm(size), (shape,))


def prelu(draw):
    shape = feature_map(draw)
    slopes = draw.choice([1, shape[0]])
    return Case("prelu", {"num_parameters": slopes}, nn.PReLU(slopes), (shape,))


MODULES = {
    **ACTIVATIONS,
    "dropout": nn.Dropout,
    "flatten": nn.Flatten,
    "identity": nn.Identity,
}


def of_no_fields(kind, draw):
    return Case(kind, {}, MODULES[kind](), (feature_map(draw, draw.randint(1, 3)),))


def called(kind, draw):
    # Looked up when it is called: tools put others in its place.
    def layer(x):
        return getattr(F, kind.replace("hard_", "hard"))(x)

    return Case(kind, {}, layer, (feature_map(draw),), Form.FUNCTION)


def glu(draw):
    return Case("glu", {}, nn.GLU(1), (feature_map(draw),))


def softmax(draw):
    dim = draw.randint(1, 3)
    return Case("softmax", {"dim": dim}, nn.Softmax(dim), (feature_map(draw),))


def softmax_called(draw):
    dim = draw.randint(1, 3)
    shape = feature_map(draw)
    return Case("softmax", {"dim": dim}, lambda x: F.softmax(x, dim), (shape,), Form.FUNCTION)


def pool(kind, name, draw):
    rank, size = draw.randint(1, 3), draw.randint(2, 3)
    module = getattr(nn, f"{name}{rank}d")(size)
    return Case(kind, {"kernel_size": size}, module, (feature_map(draw, rank),))


def pool_called(kind, draw):
    size = draw.randint(2, 3)
    shape = feature_map(draw)
    return Case(
        kind,
        {"kernel_size": size},
        lambda x: getattr(F, f"{kind}2d")(x, size),
        (shape,),
        Form.FUNCTION,
    )


def adaptive_pool(kind, name, draw):
    rank = draw.randint(1, 3)
    sizes = tuple(draw.randint(1, 5) for _ in range(rank))
    module = getattr(nn, f"{name}{rank}d")(sizes if rank > 1 else sizes[0])
    return Case(kind, {"output_size": sizes}, module, (feature_map(draw, rank),))


def adaptive_pool_that_rounds(draw):
    """Sizes whose quotient in doubles is a little less than it should be."""
    n, m = draw.choice([(4, 3), (8, 6), (11, 3), (12, 9), (22, 7)])
    return Case("adaptive_avg_pool", {"output_size": m}, nn.AdaptiveAvgPool1d(m), ((1, n),))


def adaptive_pool_called(kind, draw):
    size = draw.randint(1, 5)
    return Case(
        kind,
        {"output_size": size},
        lambda x: getattr(F, f"{kind}2d")(x, size),
        (feature_map(draw),),
        Form.FUNCTION,
    )


def global_pool(kind, name, draw):
    rank = draw.randint(1, 3)
    return Case(kind, {}, getattr(nn, f"{name}{rank}d")(1), (feature_map(draw, rank),))


def global_avg_pool_called(draw):
    shape = feature_map(draw)
    return Case(
        "global_avg_pool", {}, lambda x: F.adaptive_avg_pool2d(x, 1), (shape,), Form.FUNCTION
    )


def mean_over_positions(draw):
    shape = feature_map(draw)
    return Case(
        "global_avg_pool",
        {},
        lambda x: x.mean((2, 3), keepdim=True),
        (shape,),
        Form.OPERATOR,
    )


def join(kind, by_operator, by_function, form, draw):
    shape = feature_map(draw)
    function = by_operator if form is Form.OPERATOR else by_function
    return Case(kind, {}, function, (shape, shape), form)


# Looked up when they are called: tools put others in their places.
def add_called(one, other):
    return torch.add(one, other)


def mul_called(one, other):
    return torch.mul(one, other)


def mul_stretched(draw):
    shape = feature_map(draw)
    scales = (shape[0], 1, 1)
    return Case("mul", {}, mul_called, (shape, scales), Form.FUNCTION)


def concat(draw):
    shape = feature_map(draw)
    return Case("concat", {}, lambda a, b: torch.cat((a, b), 1), (shape, shape))


def upsample(mode, draw):
    ranks = {"nearest": (1, 2, 3), "linear": (1, 2, 3), "cubic": (2,)}[mode]
    rank = draw.choice(ranks)
    theirs_mode = {
        "nearest": "nearest",
        "linear": ("linear", "bilinear", "trilinear")[rank - 1],
        "cubic": "bicubic",
    }[mode]
    shape = feature_map(draw, rank)
    if draw.random() < 0.5:
        fields = {"scale_factor": draw.randint(2, 3)}
    else:
        fields = {"size": tuple(draw.randint(4, 12) for _ in range(rank))}
    module = nn.Upsample(**fields, mode=theirs_mode)
    return Case("upsample", fields | {"mode": mode}, module, (shape,))


def upsample_called(draw):
    shape, factor = feature_map(draw), draw.randint(2, 3)
    return Case(
        "upsample",
        {"scale_factor": factor},
        lambda x: F.interpolate(x, scale_factor=factor),
        (shape,),
        Form.FUNCTION,
    )


def upsample_by_a_fraction(draw):
    shape = feature_map(draw)
    module = nn.Upsample(scale_factor=1.5)
    return Case("upsample", {"scale_factor": Fraction(3, 2)}, module, (shape,))


def matmul(form, draw):
    *before, n, k, m = (draw.randint(2, 6) for _ in range(draw.choice([3, 4])))
    shapes = ((*before, n, k), (*before, k, m))

    def layer(a, b):
        return torch.matmul(a, b) if form is Form.FUNCTION else a @ b

    return Case("matmul", {}, layer, shapes, form)


class Attention(nn.Module):
    """An attention that is asked for its output alone, or for its weights too."""

    def __init__(self, needs_weights, *args, **options):
        super().__init__()
        self.attention = nn.MultiheadAttention(*args, batch_first=True, **options)
        self.needs_weights = needs_weights

    def forward(self, *inputs):
        queries, keys, values = inputs[0], inputs[min(1, len(inputs) - 1)], inputs[-1]
        return self.attention(queries, keys, values, need_weights=self.needs_weights)[0]


def attention(form, draw):
    heads, bias = draw.choice([1, 2]), draw.random() < 0.5
    features = heads * draw.randint(2, 4)
    queries, keys = draw.randint(2, 6), draw.randint(2, 6)
    shapes = ((queries, features),)
    if draw.random() < 0.5:
        shapes = (*shapes, (keys, features))
    module = Attention(form is Form.MODULE, features, heads, bias=bias)
    return Case("multi_head_attention", {"num_heads": heads, "bias": bias}, module, shapes, form)


def of_ones_own(draw):
    """A layer of a class that derives from PyTorch's."""
    shape = feature_map(draw)
    kind, base, fields = draw.choice(
        [
            ("conv", nn.Conv2d, {"out_channels": 4, "kernel_size": 3}),
            ("batch_norm", nn.BatchNorm2d, {}),
            ("relu", nn.ReLU, {}),
            ("relu6", nn.ReLU6, {}),
            ("leaky_relu", nn.LeakyReLU, {}),
            ("softmax", nn.Softmax, {"dim": 1}),
            ("max_pool", nn.MaxPool2d, {"kernel_size": 2}),
            ("adaptive_avg_pool", nn.AdaptiveAvgPool2d, {"output_size": 3}),
            ("upsample", nn.Upsample, {"scale_factor": 2}),
        ]
    )
    # torchinfo looks for Conv in the name of the class.
    own = type(f"Own{base.__name__}", (base,), {})
    module = own(*shape[:1], **fields) if kind in {"conv", "batch_norm"} else own(**fields)
    return Case(kind, fields, module, (shape,), Form.SUBCLASS)


class OwnAttention(nn.MultiheadAttention):
    """Asked for its weights too."""


def attention_of_ones_own(draw):
    shape, bias = (draw.randint(2, 6), 8), draw.random() < 0.5
    attention_ = OwnAttention(8, 2, bias=bias, batch_first=True)
    module = Around(attention_)
    fields = {"num_heads": 2, "bias": bias}
    return Case("multi_head_attention", fields, module, (shape,), Form.SUBCLASS)


class Around(nn.Module):
    """Attention of an input to itself."""

    def __init__(self, attention):
        super().__init__()
        self.attention = attention

    def forward(self, x):
        return self.attention(x, x, x)[0]


def attention_to_others(draw):
    """Keys and values with features of their own, which are brought to those of the queries."""
    n, m = draw.randint(2, 6), draw.randint(2, 6)
    shapes = ((n, 8), (m, 6), (m, 4))
    module = Attention(False, 8, 2, kdim=6, vdim=4)
    return Case("multi_head_attention", {"num_heads": 2}, module, shapes, Form.FUNCTION)


def pad(draw):
    return Case("pad", {"padding": 1}, nn.ZeroPad2d(1), (feature_map(draw),))


def pixel_shuffle(draw):
    shape = feature_map(draw, channels=8)
    return Case("pixel_shuffle", {"upscale_factor": 2}, nn.PixelShuffle(2), (shape,))


CASES = {
    "conv": conv,
    "depthwise conv": depthwise_conv,
    "transposed conv": conv_transpose,
    "linear": linear,
    "linear on tokens": linear_on_tokens,
    "batch norm": batch_norm,
    "batch norm of the input": batch_norm_of_the_input,
    "instance norm": instance_norm,
    "group norm": group_norm,
    "layer norm": layer_norm,
    "layer norm of channels": layer_norm_of_channels,
    "local response norm": local_response_norm,
    "prelu": prelu,
    **{kind: partial(of_no_fields, kind) for kind in MODULES},
    **{
        f"F.{kind}": partial(called, kind)
        for kind in ("relu", "relu6", "leaky_relu", "elu", "gelu", "silu", "sigmoid", "tanh")
    },
    "F.hard_swish": lambda draw: called("hard_swish", draw),
    "glu": glu,
    "softmax": softmax,
    "F.softmax": softmax_called,
    "max pool": partial(pool, "max_pool", "MaxPool"),
    "average pool": partial(pool, "avg_pool", "AvgPool"),
    "F.max_pool2d": partial(pool_called, "max_pool"),
    "F.avg_pool2d": partial(pool_called, "avg_pool"),
    "adaptive average pool": partial(adaptive_pool, "adaptive_avg_pool", "AdaptiveAvgPool"),
    "adaptive average pool that rounds": adaptive_pool_that_rounds,
    "adaptive max pool": partial(adaptive_pool, "adaptive_max_pool", "AdaptiveMaxPool"),
    "F.adaptive_avg_pool2d": partial(adaptive_pool_called, "adaptive_avg_pool"),
    "F.adaptive_max_pool2d": partial(adaptive_pool_called, "adaptive_max_pool"),
    "global average pool": partial(global_pool, "global_avg_pool", "AdaptiveAvgPool"),
    "global max pool": partial(global_pool, "global_max_pool", "AdaptiveMaxPool"),
    "global average pool as a function": global_avg_pool_called,
    "mean over positions": mean_over_positions,
    **{
        f"{kind}, {form.value}": partial(join, kind, *functions, form)
        for kind, functions in {
            "add": (lambda a, b: a + b, add_called),
            "mul": (lambda a, b: a * b, mul_called),
        }.items()
        for form in (Form.OPERATOR, Form.FUNCTION)
    },
    "torch.mul that stretches": mul_stretched,
    "concat": concat,
    "nearest upsampling": partial(upsample, "nearest"),
    "linear upsampling": partial(upsample, "linear"),
    "cubic upsampling": partial(upsample, "cubic"),
    "F.interpolate": upsample_called,
    "upsampling by a fraction": upsample_by_a_fraction,
    "torch.matmul": partial(matmul, Form.FUNCTION),
    "a @ b": partial(matmul, Form.OPERATOR),
    "attention with weights": partial(attention, Form.MODULE),
    "attention without weights": partial(attention, Form.FUNCTION),
    "attention to others": attention_to_others,
    "attention of one's own class": attention_of_ones_own,
    **{f"a layer of one's own class, {n}": of_ones_own for n in range(6)},
    "pad": pad,
    "pixel shuffle": pixel_shuffle,
}

by_tool = pytest.mark.parametrize("convention", OTHERS, ids=lambda each: each.name)


@by_tool
@pytest.mark.parametrize("name", CASES)
def test_a_layer_costs_what_the_tool_says(convention, name):
    draw = Random(name)  # noqa: S311 - draws, not secrets
    for _ in range(DRAWS):
        case = CASES[name](draw)
        expected = theirs(convention, case.layer, *case.shapes)
        assert ours(convention, case) == expected, (case.fields, case.shapes)


@by_tool
def test_every_rule_is_held_against_its_tool(convention):
    met = set()
    for name, drawn in CASES.items():
        draw = Random(name)  # noqa: S311 - draws, not secrets
        for _ in range(DRAWS):
            case = drawn(draw)
            (layer,) = analyzed(case).layers
            written = () if case.form is None else (Written(case.kind, case.form),)
            met.add(rule_for(convention, layer, form_of(layer, written)))
    assert [rule for rule in convention.rules if rule not in met] == []


@by_tool
def test_every_rule_names_what_is_in_the_tools_source(convention):
    package = tool(convention.rules[0].file.partition("/")[0])
    root = Path(package.__file__).parent.parent
    for rule in convention.rules:
        source = (root / rule.file).read_text(encoding="utf-8")
        for function in rule.functions:
            name = function.rpartition(".")[2]
            assert re.search(rf"\b{name}\b", source), (rule.file, function)


@by_tool
def test_the_version_is_the_one_that_is_installed(convention):
    package = convention.rules[0].file.partition("/")[0]
    tool(package)
    # Of PyTorch's the local part says for which device it was built.
    assert Version(version(package)).public == convention.version


# -- whole networks -------------------------------------------------------------------------------

NETWORKS = {
    "mobilenet_v2": "mobilenet_v2",
    "densenet121": "densenet::densenet121",
    "shufflenet_v2_x0_5": "shufflenet_v2::shufflenet_v2_x0_5",
    "mnasnet0_5": "mnasnet::mnasnet0_5",
    "googlenet": "googlenet::googlenet_torchvision",
    "inception_v3": "inception_v3",
    "s3d": "s3d",
    "vit_b_32": "vit::vit_b_32",
    "lraspp_mobilenet_v3_large": "segmentation::lraspp_mobilenet_v3_large",
    "convnext_tiny": "convnext::convnext_tiny",
    "efficientnet_b0": "efficientnet::efficientnet_b0",
    "squeezenet1_1": "squeezenet::squeezenet1_1",
}
"""Of each design that something is known of, and of some with layers of other kinds."""


def test_every_known_writing_is_held_against_a_network():
    designs = {analyze(reference).source for reference in NETWORKS.values()}
    assert {writing.design for writing in KNOWN_WRITINGS} <= designs


@pytest.mark.parametrize("name", NETWORKS)
def test_torchvisions_network_costs_what_the_tools_say(name):
    analysis = analyze(NETWORKS[name])
    (_, shape), *_ = analysis.inputs
    network = model(name)
    wrong = {}
    for convention in OTHERS:
        expected, found = theirs(convention, network, shape), counted(analysis, convention).total
        if found != expected:
            wrong[convention.name] = (found, expected)
    assert wrong == {}
