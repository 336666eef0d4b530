"""Random single layers, held against PyTorch's: what is built, what is refused, what it costs.

The draws are made by a seeded generator, for volume and the same everywhere, and by Hypothesis,
which looks for corners and brings a case that fails down to a small one.

Layers are built on PyTorch's meta device, which works out shapes without numbers. It lets some
mistakes through (negative padding, a dimension that is not there), so what it builds is run with
numbers too.
"""

import warnings
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from math import prod
from random import Random
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from convcalc.layers import Layer, all_kinds
from convcalc.layers.field_types import FieldValueError

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of a NumPy that is not installed
    torch = pytest.importorskip(
        "torch", reason="PyTorch is not installed: these tests hold convcalc against it"
    )
    from torch.utils.flop_counter import FlopCounterMode

pytestmark = pytest.mark.oracle
nn, F = torch.nn, torch.nn.functional
BATCH = 2
REFUSALS = (
    *(RuntimeError, ValueError, TypeError, IndexError, ZeroDivisionError),
    AssertionError,  # of MultiheadAttention
)


class Case(NamedTuple):
    """A layer to build on both sides."""

    fields: dict[str, object]
    shapes: tuple[tuple[int, ...], ...]
    module: Callable[[], Callable]
    """Builds PyTorch's on the default device; what comes out is called with the inputs."""
    counted: Callable[[], Callable] | None = None
    """Builds what the multiply-adds are counted of, where that is not the same."""
    has_macs: bool = True
    """Whether PyTorch can say how many multiply-adds it takes."""


class Built(NamedTuple):
    output: tuple[int, ...]
    weights: dict[str, tuple[int, ...]]
    buffers: dict[str, tuple[int, ...]]
    macs: int


def layer_of(kind: str, fields: dict[str, object]) -> Layer:
    """Our layer. Raises FieldValueError for a value that a field cannot have."""
    declared = all_kinds()[kind]
    types = {each.name: each.type for each in declared.declarations}
    return declared(**{name: types[name].parse(value) for name, value in fields.items()})


def ours(kind: str, case: Case) -> Built | None:
    """What convcalc makes of a case; None if it refuses it."""
    try:
        layer = layer_of(kind, case.fields)
    except FieldValueError:
        return None
    if list(layer.check(case.shapes)):
        return None
    output = layer.output(case.shapes)
    return Built(
        output,
        dict(layer.weights(case.shapes)),
        dict(layer.buffers(case.shapes)),
        layer.operations(case.shapes, output).macs if case.has_macs else 0,
    )


def theirs(case: Case, device: str = "meta") -> Built | None:
    """What PyTorch makes of a case; None if it refuses it."""
    with warnings.catch_warnings(), torch.device(device), torch.no_grad():
        inputs = [torch.zeros(BATCH, *shape) for shape in case.shapes]
        warnings.simplefilter("ignore")  # of padding by `same` that takes a copy, and the like
        try:
            module = case.module()
            with FlopCounterMode(display=False) as counter:
                output = module(*inputs)
            if case.counted:
                with FlopCounterMode(display=False) as counter:
                    case.counted()(*inputs)
        except REFUSALS:
            return None
    tensors = isinstance(module, nn.Module)
    return Built(
        tuple(output.shape)[1:],
        {n: tuple(t.shape) for n, t in module.named_parameters()} if tensors else {},
        {
            name: tuple(tensor.shape)
            for name, tensor in (module.named_buffers() if tensors else ())
            if name != "num_batches_tracked"
        },
        # PyTorch counts 2 for a multiply-add.
        counter.get_total_flops() // (2 * BATCH) if case.has_macs else 0,
    )


# -- draws ----------------------------------------------------------------------------------------


def one_in(draw: Random, n: int) -> bool:
    return draw.randrange(n) == 0


def number(draw: Random, low: int, high: int, bad: int | None = None) -> int:
    """A number from low to high; now and then one that no layer takes."""
    return bad if bad is not None and one_in(draw, 60) else draw.randint(low, high)


def per_axis(draw: Random, rank: int, low: int, high: int, bad: int | None = None) -> object:
    """One number, or one for each axis; now and then for one axis more or less."""
    if one_in(draw, 2):
        return number(draw, low, high, bad)
    axes = max(1, rank + draw.choice([-1, 1])) if one_in(draw, 40) else rank
    return tuple(number(draw, low, high, bad) for _ in range(axes))


def feature_map(draw: Random, rank: int, channels: int | None = None) -> tuple[int, ...]:
    channels = channels or draw.randint(1, 12)
    return (channels, *(draw.randint(1, 13) for _ in range(rank)))


def listed(value: object, rank: int) -> tuple:
    return value if isinstance(value, tuple) else (value,) * rank


def conv(draw: Random, *, depthwise: bool = False) -> Case:
    rank = draw.randint(1, 3)
    shape = feature_map(draw, rank)
    channels = shape[0]
    fields = {
        "kernel_size": per_axis(draw, rank, 1, 5, bad=0),
        "stride": 1 if one_in(draw, 3) else per_axis(draw, rank, 1, 4, bad=0),
        "padding": draw.choice(
            [0, "valid", "same", *(per_axis(draw, rank, 0, 4, bad=-1) for _ in range(4))]
        ),
        "dilation": 1 if one_in(draw, 2) else per_axis(draw, rank, 1, 3, bad=0),
        "bias": one_in(draw, 2),
    }
    if depthwise:
        fields["multiplier"] = number(draw, 1, 4, bad=0)
        shared = {"groups": channels, "out_channels": channels * fields["multiplier"]}
    else:
        groups = draw.choice([1, 1, 1, 2, 3, channels])
        out = draw.choice([groups * draw.randint(1, 5), number(draw, 1, 12, bad=0)])
        shared = {"groups": groups, "out_channels": out}
        fields |= shared
        if one_in(draw, 3):
            fields["in_channels"] = number(draw, channels, channels, bad=channels + 1)
    in_channels = fields.get("in_channels", channels)
    plain = {k: v for k, v in fields.items() if k in ("kernel_size", "stride", "dilation", "bias")}
    sides = None
    if isinstance(fields["padding"], tuple) and len(fields["padding"]) == rank and one_in(draw, 3):
        # PyTorch pads both ends alike, and apart with a layer of its own.
        sides = tuple((side, draw.randint(0, 3)) for side in fields["padding"])
        fields["padding"] = sides

    def module() -> Callable:
        kind = getattr(nn, f"Conv{rank}d")
        padding = fields["padding"] if sides is None else 0
        made = kind(in_channels, padding=padding, **shared, **plain)
        return made if sides is None else PaddedFirst(made, sides)

    return Case(fields, (shape,), module)


class PaddedFirst(nn.Module):
    def __init__(self, layer, sides):
        super().__init__()
        self.layer = layer
        self.ends = [end for side in reversed(sides) for end in side]  # the last axis first

    def forward(self, x):
        if min(self.ends) < 0:
            raise ValueError("a negative padding cuts")
        return self.layer(F.pad(x, self.ends))

    def named_parameters(self):
        return self.layer.named_parameters()


def depthwise_conv(draw: Random) -> Case:
    return conv(draw, depthwise=True)


def conv__fractional(draw: Random) -> Case:
    """Strides of 1/n, which PyTorch has not: of an input that is laid out with zeros between.

    `same` is left out: PyTorch has none that makes n times the input's size.
    """
    rank = draw.randint(1, 3)
    shape = feature_map(draw, rank)
    groups = draw.choice([1, 1, 2, shape[0]])
    kernel = tuple(number(draw, 1, 4, bad=0) for _ in range(rank))
    spread = [draw.randint(2, 4) for _ in range(rank)]
    steps = [1] * rank
    if one_in(draw, 3):
        steps[-1], spread[-1] = draw.randint(1, 3), 1
    padding, dilation = draw.randint(0, 4), draw.choice([1, 1, 2, 3])
    shared = {
        "out_channels": groups * draw.randint(1, 4),
        "groups": groups,
        "bias": one_in(draw, 2),
    }
    plain = {"dilation": dilation, **shared}
    fields = {
        "kernel_size": kernel,
        "stride": tuple(
            Fraction(1, n) if n > 1 else step for n, step in zip(spread, steps, strict=True)
        ),
        "padding": padding,
        **plain,
    }
    layer = getattr(nn, f"Conv{rank}d")
    turned = getattr(nn, f"ConvTranspose{rank}d")
    return Case(
        fields,
        (shape,),
        lambda: SpreadFirst(
            layer(shape[0], kernel_size=kernel, stride=tuple(steps), padding=padding, **plain),
            spread,
        ),
        # The same products without those with the zeros between.
        lambda: turned(shape[0], kernel_size=kernel, stride=tuple(spread), **plain),
        has_macs=1 not in spread,
    )


class SpreadFirst(nn.Module):
    def __init__(self, layer, spread):
        super().__init__()
        self.layer = layer
        self.spread = spread

    def forward(self, x):
        sizes = [n * (i - 1) + 1 for i, n in zip(x.shape[2:], self.spread, strict=True)]
        spread = torch.zeros(*x.shape[:2], *sizes)
        spread[(..., *(slice(None, None, n) for n in self.spread))] = x
        return self.layer(spread)

    def named_parameters(self):
        return self.layer.named_parameters()


def conv_transpose(draw: Random) -> Case:
    """`same` and `valid` are left out: PyTorch has neither here."""
    rank = draw.randint(1, 3)
    shape = feature_map(draw, rank)
    channels = shape[0]
    groups = draw.choice([1, 1, 1, 2, 3, channels])
    fields = {
        "kernel_size": per_axis(draw, rank, 1, 5, bad=0),
        "stride": 1 if one_in(draw, 4) else per_axis(draw, rank, 1, 4, bad=0),
        "padding": per_axis(draw, rank, 0, 3, bad=-1),
        "dilation": 1 if one_in(draw, 2) else per_axis(draw, rank, 1, 3, bad=0),
        "output_padding": 0 if one_in(draw, 2) else per_axis(draw, rank, 0, 2, bad=-1),
        "groups": groups,
        "out_channels": draw.choice([groups * draw.randint(1, 5), number(draw, 1, 12, bad=0)]),
        "bias": one_in(draw, 2),
    }
    options = dict(fields)
    in_channels = channels
    if one_in(draw, 4):
        in_channels = number(draw, channels, channels, bad=channels + 1)
        fields["in_channels"] = in_channels
    sides = None
    if isinstance(fields["padding"], tuple) and len(fields["padding"]) == rank and one_in(draw, 3):
        # PyTorch takes as much away from both ends; apart it is cut off afterwards.
        sides = tuple((side, draw.randint(0, 3)) for side in fields["padding"])
        fields["padding"], options["padding"] = sides, 0
    kind = getattr(nn, f"ConvTranspose{rank}d")

    def module() -> Callable:
        made = kind(in_channels, **options)
        return made if sides is None else CutAfterwards(made, sides)

    return Case(fields, (shape,), module)


class CutAfterwards(PaddedFirst):
    def forward(self, x):
        if min(self.ends) < 0:
            raise ValueError("a negative padding adds")
        return F.pad(self.layer(x), [-end for end in self.ends])


def pool(draw: Random, name: str) -> Case:
    rank = draw.randint(1, 3)
    fields = {
        "kernel_size": per_axis(draw, rank, 1, 5, bad=0),
        "padding": per_axis(draw, rank, 0, 2, bad=-1),
        "ceil_mode": one_in(draw, 2),
    }
    if not one_in(draw, 3):
        fields["stride"] = per_axis(draw, rank, 1, 4, bad=0)
    if name == "Max" and one_in(draw, 2):
        fields["dilation"] = per_axis(draw, rank, 1, 3, bad=0)
    if name == "Avg" and one_in(draw, 2):
        fields["count_include_pad"] = one_in(draw, 2)
    kind = getattr(nn, f"{name}Pool{rank}d")
    return Case(fields, (feature_map(draw, rank),), lambda: kind(**fields))


def max_pool(draw: Random) -> Case:
    return pool(draw, "Max")


def avg_pool(draw: Random) -> Case:
    return pool(draw, "Avg")


def adaptive_pool(draw: Random, name: str) -> Case:
    rank = draw.randint(1, 3)
    axes = max(1, rank + draw.choice([-1, 1])) if one_in(draw, 40) else rank
    sizes = tuple(
        None if one_in(draw, 4) else number(draw, 1, 9, bad=draw.choice([0, -1]))
        for _ in range(axes)
    )
    output_size = draw.choice([sizes, sizes[0]])
    kind = getattr(nn, f"Adaptive{name}Pool{rank}d")
    return Case({"output_size": output_size}, (feature_map(draw, rank),), lambda: kind(output_size))


def adaptive_avg_pool(draw: Random) -> Case:
    return adaptive_pool(draw, "Avg")


def adaptive_max_pool(draw: Random) -> Case:
    return adaptive_pool(draw, "Max")


def global_pool(draw: Random, name: str) -> Case:
    """PyTorch has none: it is the adaptive one to a size of 1. Four axes are none's."""
    rank = draw.choice([1, 2, 3, 4])
    kind = getattr(nn, f"Adaptive{name}Pool{min(rank, 3)}d")
    return Case({}, (feature_map(draw, rank),), lambda: kind(1))


def global_avg_pool(draw: Random) -> Case:
    return global_pool(draw, "Avg")


def global_max_pool(draw: Random) -> Case:
    return global_pool(draw, "Max")


def linear(draw: Random) -> Case:
    shape = tuple(draw.randint(1, 20) for _ in range(draw.randint(1, 4)))
    fields = {
        "out_features": draw.randint(-1, 30),
        "bias": one_in(draw, 2),
    }
    features = shape[-1]
    if len(shape) > 1 or one_in(draw, 2):
        features = fields["in_features"] = draw.choice([shape[-1]] * 5 + [shape[0] + 1])
    return Case(
        fields,
        (shape,),
        lambda: nn.Linear(features, fields["out_features"], bias=fields["bias"]),
    )


def batch_norm(draw: Random) -> Case:
    rank = draw.randint(0, 3)
    shape = feature_map(draw, rank)
    fields = {"affine": one_in(draw, 2), "track_running_stats": one_in(draw, 2)}
    features = shape[0]
    if one_in(draw, 2):
        features = fields["num_features"] = draw.choice([shape[0]] * 5 + [shape[0] + 1])
    kind = getattr(nn, f"BatchNorm{max(rank, 1)}d")
    options = {name: value for name, value in fields.items() if name != "num_features"}
    return Case(fields, (shape,), lambda: kind(features, **options).eval())


def prelu(draw: Random) -> Case:
    shape = feature_map(draw, draw.randint(0, 3))
    slopes = draw.choice([1, shape[0], draw.randint(1, 12)])
    return Case({"num_parameters": slopes}, (shape,), lambda: nn.PReLU(slopes))


def local_response_norm(draw: Random) -> Case:
    size = draw.randint(1, 6)
    shape = feature_map(draw, draw.randint(1, 3))
    return Case({"size": size}, (shape,), lambda: nn.LocalResponseNorm(size))


def softmax(draw: Random) -> Case:
    dim = draw.randint(-6, 6)
    return Case({"dim": dim}, (feature_map(draw, draw.randint(0, 3)),), lambda: nn.Softmax(dim))


def flatten(draw: Random) -> Case:
    shape = feature_map(draw, draw.randint(0, 3))
    fields = {"start_dim": draw.randint(-6, 6), "end_dim": draw.randint(-6, 6)}
    if one_in(draw, 2):
        fields["start_dim"] = 1
    return Case(fields, (shape,), lambda: nn.Flatten(**fields))


def merged_maps(draw: Random) -> tuple[tuple[int, ...], ...]:
    """Shapes that agree, but for some sizes."""
    shape = feature_map(draw, draw.randint(0, 3))
    shapes = [
        tuple(draw.choice([size, size, size, size, 1, 2]) for size in shape)
        for _ in range(draw.randint(2, 4))
    ]
    if one_in(draw, 10):
        shapes[-1] = shapes[-1][:-1] or (1, 1)
    return tuple(shapes)


def concat(draw: Random) -> Case:
    shapes = list(merged_maps(draw))
    dim = draw.randint(-5, 5)
    if -len(shapes[0]) - 1 <= dim <= len(shapes[0]) and dim and one_in(draw, 2):
        # All as the first, but for the joined dimension.
        axis = dim - 1 if dim > 0 else dim
        for n, _ in enumerate(shapes):
            shape = list(shapes[0])
            if -len(shape) <= axis < len(shape):
                shape[axis] = draw.randint(1, 9)
            shapes[n] = tuple(shape)
    return Case({"dim": dim}, tuple(shapes), lambda: lambda *inputs: torch.cat(inputs, dim))


def product(*inputs):
    result = inputs[0]
    for other in inputs[1:]:
        result = result * other
    return result


def mul(draw: Random) -> Case:
    return Case({}, merged_maps(draw), lambda: product)


def add(draw: Random) -> Case:
    return Case({"broadcast": True}, merged_maps(draw), lambda: lambda *inputs: sum(inputs))


def layer_norm(draw: Random) -> Case:
    shape = feature_map(draw, draw.randint(0, 3))
    options = {"elementwise_affine": one_in(draw, 2), "bias": one_in(draw, 2)}
    if one_in(draw, 2):
        sizes = shape[-draw.randint(1, len(shape)) :]
        if one_in(draw, 6):
            sizes = (*sizes[:-1], sizes[-1] + 1)
        if one_in(draw, 12):
            sizes = (3, *shape)[:4]
        fields = {"normalized_shape": sizes}
        return Case(fields | options, (shape,), lambda: nn.LayerNorm(sizes, **options))
    dim = draw.randint(-5, 5)
    fields = {"dim": dim}
    if one_in(draw, 4):
        fields, dim = {}, -1
    # PyTorch's is over the last dimensions: another one is brought there and back.
    around = dim if -len(shape) - 1 <= dim <= len(shape) else 0
    features = (BATCH, *shape)[around]
    return Case(
        fields | options,
        (shape,),
        lambda: MovedLast(nn.LayerNorm(features, **options), dim),
    )


class MovedLast(nn.Module):
    def __init__(self, layer, dim):
        super().__init__()
        self.layer = layer
        self.dim = dim

    def forward(self, x):
        return self.layer(x.movedim(self.dim, -1)).movedim(-1, self.dim)

    def named_parameters(self):
        return self.layer.named_parameters()


def group_norm(draw: Random) -> Case:
    shape = feature_map(draw, draw.randint(0, 3))
    groups = draw.choice([1, 2, 3, shape[0], number(draw, 1, 6, bad=0)])
    fields = {"num_groups": groups, "affine": one_in(draw, 2)}
    channels = shape[0]
    if one_in(draw, 2):
        channels = draw.choice([shape[0]] * 5 + [shape[0] + groups])
        fields["num_channels"] = channels
    affine = fields["affine"]
    return Case(fields, (shape,), lambda: nn.GroupNorm(groups, channels, affine=affine))


def instance_norm(draw: Random) -> Case:
    rank = draw.randint(1, 3)
    shape = feature_map(draw, rank)
    if one_in(draw, 5):
        shape = (shape[0], *(1 for _ in shape[1:]))
    fields = {"affine": one_in(draw, 2)}
    channels = shape[0]
    if one_in(draw, 3):
        channels = fields["num_features"] = draw.choice([shape[0]] * 5 + [shape[0] + 1])
    kind = getattr(nn, f"InstanceNorm{rank}d")
    affine = fields["affine"]
    return Case(fields, (shape,), lambda: kind(channels, affine=affine))


def glu(draw: Random) -> Case:
    dim = draw.randint(-5, 5)
    shape = tuple(draw.choice([size, 2 * size]) for size in feature_map(draw, draw.randint(0, 3)))
    return Case({"dim": dim}, (shape,), lambda: nn.GLU(dim))


def reshape(draw: Random) -> Case:
    shape = feature_map(draw, draw.randint(0, 3))
    n = prod(shape)
    sizes = []
    for _ in range(draw.randint(0, 3)):
        size = draw.choice([d for d in range(1, n + 1) if n % d == 0])
        sizes.append(size)
        n //= size
    sizes.append(n if not one_in(draw, 6) else draw.randint(0, 9))
    draw.shuffle(sizes)
    for _ in range(draw.choice([0, 1, 1, 1, 2])):
        sizes[draw.randrange(len(sizes))] = -1
    if one_in(draw, 20):
        sizes[0] = -2
    return Case(
        {"shape": tuple(sizes)}, (shape,), lambda: lambda x: torch.reshape(x, (BATCH, *sizes))
    )


def permute(draw: Random) -> Case:
    shape = feature_map(draw, draw.randint(0, 3))
    dims = list(range(1, len(shape) + 1))
    draw.shuffle(dims)
    dims = [0, *dims]
    if one_in(draw, 4):
        dims[draw.randrange(len(dims))] = draw.randint(-2, 5)
    if one_in(draw, 8):
        draw.shuffle(dims)
    if one_in(draw, 8):
        dims = dims[:-1]
    return Case({"dims": tuple(dims)}, (shape,), lambda: lambda x: torch.permute(x, dims))


def channel_shuffle(draw: Random) -> Case:
    shape = feature_map(draw, draw.randint(0, 3))
    groups = draw.choice([1, 2, 3, shape[0], number(draw, 1, 6, bad=0)])
    return Case({"groups": groups}, (shape,), lambda: nn.ChannelShuffle(groups))


def channel_slice(draw: Random) -> Case:
    shape = feature_map(draw, draw.randint(0, 3))
    dim = draw.choice([1, draw.randint(-5, 5)])
    start, end = draw.randint(-6, 12), draw.choice([None, draw.randint(-6, 12)])
    return Case(
        {"dim": dim, "start": start, "end": end}
        if end is not None
        else {"dim": dim, "start": start},
        (shape,),
        lambda: lambda x: torch.ops.aten.slice(x, dim, start, end),
    )


def split(draw: Random) -> Case:
    shape = feature_map(draw, draw.randint(0, 3))
    dim = draw.choice([1, draw.randint(-5, 5)])
    part = draw.choice([1, draw.randint(1, 4)])
    if one_in(draw, 2):
        sections = draw.choice([1, 2, 3, shape[0], number(draw, 1, 6, bad=0)])

        def cut(x):
            # hsplit takes equal parts alone, where split and chunk leave a smaller one at the end.
            return torch.hsplit(x.movedim(dim, 1), sections)[part - 1].movedim(1, dim)

        return Case({"dim": dim, "sections": sections, "part": part}, (shape,), lambda: cut)
    n = (BATCH, *shape)[dim] if -len(shape) - 1 <= dim <= len(shape) else shape[0]
    sizes = []
    while n > 0:
        sizes.append(draw.randint(1, n))
        n -= sizes[-1]
    if one_in(draw, 6):
        sizes[-1] += draw.choice([-1, 1])
    return Case(
        {"dim": dim, "sizes": tuple(sizes), "part": part},
        (shape,),
        lambda: lambda x: torch.split(x, sizes, dim)[part - 1],
    )


def both_ends(draw: Random, rank: int, high: int) -> object:
    """A number for all ends, or for each axis a number or a pair."""
    if one_in(draw, 3):
        return number(draw, 0, high, bad=-1)
    return tuple(
        draw.choice(
            [number(draw, 0, high, bad=-1), tuple(number(draw, 0, high, bad=-1) for _ in range(2))]
        )
        for _ in range(rank)
    )


def listed_ends(ends: object, rank: int) -> list[int]:
    """As F.pad has them: the last axis first."""
    sides = [side if isinstance(side, tuple) else (side, side) for side in listed(ends, rank)]
    return [end for side in reversed(sides) for end in side]


def pad(draw: Random) -> Case:
    rank = draw.randint(1, 3)
    padding = both_ends(draw, rank, 5)
    kind = getattr(nn, f"ZeroPad{rank}d")
    return Case(
        {"padding": padding},
        (feature_map(draw, rank),),
        lambda: kind(tuple(listed_ends(padding, rank))),
    )


def crop(draw: Random) -> Case:
    rank = draw.randint(1, 3)
    shape = feature_map(draw, rank)
    fields = {}
    if not one_in(draw, 3):
        fields["cropping"] = both_ends(draw, rank, 4)
    if not fields or one_in(draw, 20):
        fields["size"] = draw.choice(
            [tuple(number(draw, 1, size + 1, bad=0) for size in shape[1:]), draw.randint(1, 5)]
        )
    if one_in(draw, 40):
        fields = {}

    def cut(x):
        if len(fields) != 1:
            raise ValueError("either of the two")
        if "cropping" in fields:
            return F.pad(x, [-end for end in listed_ends(fields["cropping"], rank)])
        for axis, (have, left) in enumerate(
            zip(shape[1:], listed(fields["size"], rank), strict=True)
        ):
            x = x.narrow(axis + 2, (have - left) // 2, left)
        return x

    return Case(fields, (shape,), lambda: cut)


def upsample(draw: Random) -> Case:
    rank = draw.randint(1, 3)
    mode = draw.choice(["nearest", "linear", "linear", "cubic"])
    name = {"linear": ("linear", "bilinear", "trilinear")[rank - 1], "cubic": "bicubic"}
    fields = {}
    if one_in(draw, 2):
        fields["size"] = per_axis(draw, rank, 1, 20, bad=0)
    if not fields or one_in(draw, 20):
        # Tenths, of which most are no binary fractions, and thirds.
        factors = tuple(
            draw.choice(
                [
                    Fraction(draw.randint(1, 40), draw.choice([1, 2, 4, 10, 3])),
                    Fraction(1, draw.randint(2, 5)),
                    draw.randint(1, 4),
                ]
            )
            for _ in range(rank)
        )
        fields["scale_factor"] = draw.choice([factors, factors[0]])
        if one_in(draw, 30) and "size" not in fields:
            fields["scale_factor"] = draw.choice([0, Fraction(-1, 2)])
    if one_in(draw, 30):
        fields = {}
    size, factor = fields.get("size"), fields.get("scale_factor")
    if factor is not None:
        factor = tuple(map(float, factor)) if isinstance(factor, tuple) else float(factor)
    return Case(
        fields | {"mode": mode},
        (feature_map(draw, rank),),
        lambda: nn.Upsample(size=size, scale_factor=factor, mode=name.get(mode, mode)),
    )


def pixel_shuffle(draw: Random) -> Case:
    """PyTorch has it for images; for other ranks it is written out."""
    rank = draw.choice([1, 2, 2, 3])
    channels, *sizes = feature_map(draw, rank)
    r = number(draw, 1, 3, bad=0)
    shape = (draw.choice([channels, channels * r**rank]) or 1, *sizes)

    def shuffled(x):
        x = x.unflatten(1, (-1, *(r,) * rank))
        x = x.permute(0, 1, *(axis for n in range(rank) for axis in (2 + rank + n, 2 + n)))
        return x.reshape(BATCH, -1, *(size * r for size in sizes))

    return Case(
        {"upscale_factor": r},
        (shape,),
        lambda: nn.PixelShuffle(r) if rank == 2 else shuffled,
    )


def pixel_unshuffle(draw: Random, field: str = "downscale_factor") -> Case:
    rank = draw.choice([1, 2, 2, 3])
    channels, *sizes = feature_map(draw, rank)
    r = number(draw, 1, 3, bad=0)
    if one_in(draw, 2) and r:
        sizes = [size * r for size in sizes]

    def gathered(x):
        for axis in range(2, 2 + rank):
            x = x.unflatten(2 * axis - 2, (-1, r))
        places = range(2, 2 + 2 * rank, 2)
        x = x.permute(0, 1, *(place + 1 for place in places), *places)
        return x.flatten(1, 1 + rank)

    return Case(
        {field: r},
        ((channels, *sizes),),
        lambda: nn.PixelUnshuffle(r) if rank == 2 else gathered,
    )


def space_to_depth(draw: Random) -> Case:
    """The order of the channels is another one; nothing else."""
    return pixel_unshuffle(draw, "block_size")


def to_tokens(draw: Random) -> Case:
    shape = feature_map(draw, draw.choice([1, 2, 3, 4]))

    def tokens(x):
        if x.dim() > 5:
            raise ValueError("three axes are the most that anything here has")
        return x.flatten(2).transpose(1, 2)

    return Case({}, (shape,), lambda: tokens)


def from_tokens(draw: Random) -> Case:
    sizes = tuple(number(draw, 1, 5, bad=0) for _ in range(draw.randint(1, 3)))
    tokens = draw.choice([prod(sizes), prod(sizes), prod(sizes) + 1])
    return Case(
        {"size": sizes},
        ((max(1, tokens), draw.randint(1, 9)),),
        lambda: lambda x: x.transpose(1, 2).unflatten(2, sizes),
    )


def matmul(draw: Random) -> Case:
    before = [draw.randint(1, 4) for _ in range(draw.randint(0, 2))]
    n, k, m = (draw.randint(1, 9) for _ in range(3))
    first, second = [*before, n, k], [*before, k, m]
    fields = {"transpose_first": one_in(draw, 2), "transpose_second": one_in(draw, 2)}
    for shape, turned in zip((first, second), fields.values(), strict=True):
        if turned:
            shape[-2:] = shape[:-3:-1]
    if one_in(draw, 3):
        shape = draw.choice([first, second])
        shape[draw.randrange(len(shape))] = draw.randint(1, 9)
    if one_in(draw, 10):
        second = second[1:]

    def multiplied(a, b):
        turn = fields["transpose_first"], fields["transpose_second"]
        a, b = (x.transpose(-2, -1) if t else x for x, t in zip((a, b), turn, strict=True))
        return torch.matmul(a, b)

    return Case(fields, (tuple(first), tuple(second)), lambda: multiplied)


def alike_or_not(draw: Random) -> tuple[tuple[int, ...], ...]:
    shapes = merged_maps(draw)
    return shapes if one_in(draw, 2) else (shapes[0],) * len(shapes)


def maximum(*inputs):
    return torch.stack(inputs).amax(0)


def max__merge(draw: Random) -> Case:
    return Case({}, alike_or_not(draw), lambda: maximum)


def mean(draw: Random) -> Case:
    broadcast = one_in(draw, 2)
    return Case(
        {"broadcast": broadcast},
        alike_or_not(draw),
        lambda: (
            lambda *inputs: sum(inputs) / len(inputs) if broadcast else torch.stack(inputs).mean(0)
        ),
    )


def multi_head_attention(draw: Random) -> Case:
    """As nn.MultiheadAttention has it, by the path that works out the weights of all keys."""
    heads = number(draw, 1, 4, bad=0)
    c = draw.choice([max(1, heads) * draw.randint(1, 5), draw.randint(1, 12)])
    n, m = draw.randint(1, 8), draw.randint(1, 8)
    before = (draw.randint(1, 4),) if one_in(draw, 4) else ()
    inputs = draw.randint(1, 3)
    kdim = vdim = c
    if inputs == 2:
        kdim = vdim = draw.choice([c, draw.randint(1, 9)])
    if inputs == 3:
        kdim, vdim = (draw.choice([c, draw.randint(1, 9)]) for _ in range(2))
    shapes = [(*before, n, c), (*before, m, kdim), (*before, m, vdim)][:inputs]
    if inputs == 3 and one_in(draw, 6):
        shapes[2] = (*before, m + 1, vdim)
    if inputs > 1 and before and one_in(draw, 6):
        shapes[0] = (before[0] + 1, n, c)
    fields = {"num_heads": heads, "bias": one_in(draw, 2)}
    embed_dim = c
    if one_in(draw, 3):
        embed_dim = draw.choice([c] * 5 + [c + max(1, heads)])
        fields["embed_dim"] = embed_dim
    window = None
    if inputs == 1 and one_in(draw, 4):
        window = fields["window"] = draw.choice(
            [w for w in range(1, n + 1) if n % w == 0] + [n + 1]
        )
    bias = fields["bias"]
    return Case(
        fields,
        tuple(shapes),
        lambda: Attention(
            nn.MultiheadAttention(
                embed_dim, heads, bias=bias, kdim=kdim, vdim=vdim, batch_first=True
            ),
            window,
        ),
    )


class Attention(nn.Module):
    """Each window, or each sequence of several, is a sequence of its own to PyTorch."""

    def __init__(self, layer, window):
        super().__init__()
        self.layer = layer
        self.window = window

    def forward(self, *inputs):
        sequences = [x.flatten(0, -3) if x.dim() > 3 else x for x in inputs]
        if self.window:
            sequences = [x.unflatten(1, (-1, self.window)).flatten(0, 1) for x in sequences]
        output, _ = self.layer(
            sequences[0], sequences[min(1, len(inputs) - 1)], sequences[-1], need_weights=True
        )
        return output.reshape(*inputs[0].shape[:-1], -1)

    def named_parameters(self):
        return self.layer.named_parameters()


def multi_head_attention__projected(draw: Random) -> Case:
    """With features of its own for keys, values and output, for which PyTorch has no layer."""
    heads, c, n, m = (draw.randint(1, high) for high in (3, 9, 6, 6))
    fields = {"num_heads": heads, "bias": one_in(draw, 2)}
    wide = dict.fromkeys(("key_features", "value_features", "out_features"), c)
    for name in wide:
        if one_in(draw, 2) or (name != "out_features" and c % heads):
            wide[name] = heads * draw.randint(1, 4)
            if one_in(draw, 8):
                wide[name] += 1
            fields[name] = wide[name]
    features = draw.choice([c, draw.randint(1, 9)])
    shapes = ((n, c), (m, features)) if one_in(draw, 2) or features != c else ((n, c),)
    bias = fields["bias"]
    return Case(
        fields, shapes, lambda: ProjectedAttention(heads, c, features, *wide.values(), bias=bias)
    )


class ProjectedAttention(nn.Module):
    def __init__(self, heads, c, features, c_k, c_v, c_out, *, bias):
        super().__init__()
        self.heads = heads
        self.q, self.k, self.v, self.out = (
            nn.Linear(*sizes, bias=bias)
            for sizes in ((c, c_k), (features, c_k), (features, c_v), (c_v, c_out))
        )

    def forward(self, *inputs):
        into = zip((self.q, self.k, self.v), (inputs[0], inputs[-1], inputs[-1]), strict=True)
        q, k, v = (layer(x).unflatten(-1, (self.heads, -1)).transpose(1, 2) for layer, x in into)
        weights = F.softmax(q @ k.transpose(-2, -1), -1)
        return self.out((weights @ v).transpose(1, 2).flatten(2))

    def named_parameters(self):
        """By the names of nn.MultiheadAttention, which joins projections that are alike."""
        into = [layer.weight for layer in (self.q, self.k, self.v)]
        if all(weight.shape == (self.q.in_features,) * 2 for weight in into):
            yield "in_proj_weight", torch.cat(into)
        else:
            for name, weight in zip("qkv", into, strict=True):
                yield f"{name}_proj_weight", weight
        if self.q.bias is not None:
            yield "in_proj_bias", torch.cat([layer.bias for layer in (self.q, self.k, self.v)])
        for name, tensor in self.out.named_parameters():
            yield f"out_proj.{name}", tensor


# -- where convcalc and PyTorch differ on purpose -------------------------------------------------

EMPTY = "PyTorch makes tensors without elements; a layer without output is a mistake"
BATCH_DIMENSION = "PyTorch lets a layer work across the batch; here costs are of one sample"

Difference = tuple[str, Callable[[Case], bool]]


def any_is(value: object, wanted: object) -> bool:
    return wanted in listed(value, 1)


def is_empty(case: Case) -> bool:
    built = theirs(case)
    return built is not None and 0 in built.output


def is_negative(value: object) -> bool:
    """Whether a number in a field, or in a list of it, is below 0."""
    if isinstance(value, tuple):
        return any(map(is_negative, value))
    return isinstance(value, int) and value < 0


def ends_in_the_dimension(case: Case) -> bool:
    shape = (BATCH, *case.shapes[0])
    dim, ends = case.fields["dim"], (case.fields["start"], case.fields.get("end", 0))
    if not -len(shape) <= dim < len(shape):
        return False
    return all(-shape[dim] <= end <= shape[dim] for end in ends)


def batch_is_meant(case: Case, *dims: str) -> bool:
    batch = (0, -len(case.shapes[0]) - 1)
    return any(case.fields.get(dim, -1) in batch for dim in dims)


SAME_WITH_STRIDE = (
    "`same` divides the size by the stride, as Keras has it; PyTorch refuses a stride",
    lambda case: (
        case.fields["padding"] == "same"
        and not all(s == 1 for s in listed(case.fields["stride"], 1))
    ),
)

AXES_IN_FRONT = (
    "PyTorch adds axes in front, where the batch stands",
    lambda case: len(set(map(len, case.shapes))) > 1,
)

STRETCHED_LIST = (
    "PyTorch takes a list of one value for all axes",
    lambda case: (
        len(case.shapes[0]) > 2
        and any(isinstance(value, tuple) and len(value) == 1 for value in case.fields.values())
    ),
)

NO_OUTPUT = (EMPTY, is_empty)

NULL_IN_PLACE_OF_A_LIST = (
    "null stands for every axis here; PyTorch takes it inside a list alone, and in one "
    "dimension not at all",
    lambda case: (
        case.fields["output_size"] is None
        or (len(case.shapes[0]) == 2 and any_is(case.fields["output_size"], None))
    ),
)

NEGATIVE = (
    "PyTorch's padding below 0 takes away, and taking away below 0 adds: here each has a layer",
    lambda case: any(map(is_negative, case.fields.values())),
)

DIFFERENCES: dict[str, list[Difference]] = {
    "conv": [SAME_WITH_STRIDE, STRETCHED_LIST],
    "conv_transpose": [
        STRETCHED_LIST,
        NO_OUTPUT,
        (
            "where a kernel of 1 has nothing to set apart PyTorch takes a dilation of 0",
            lambda case: any(
                k == 1 and d == 0
                for k, d in zip(
                    listed(case.fields["kernel_size"], 3),
                    listed(case.fields["dilation"], 3),
                    strict=False,
                )
            ),
        ),
    ],
    "max_pool": [STRETCHED_LIST],
    "depthwise_conv": [SAME_WITH_STRIDE, STRETCHED_LIST],
    "avg_pool": [
        STRETCHED_LIST,
        (
            "in three dimensions PyTorch wants an input as large as the kernel, though padding or "
            "ceil_mode would make room for it",
            lambda case: (
                len(case.shapes[0]) == 4
                and any(
                    size < kernel
                    for size, kernel in zip(
                        case.shapes[0][1:], listed(case.fields["kernel_size"], 3), strict=False
                    )
                )
            ),
        ),
    ],
    "adaptive_avg_pool": [NO_OUTPUT, NULL_IN_PLACE_OF_A_LIST],
    "adaptive_max_pool": [NO_OUTPUT, NULL_IN_PLACE_OF_A_LIST],
    "global_avg_pool": [
        (
            "to a size of 1 PyTorch takes the mean without a look at the number of axes",
            lambda case: len(case.shapes[0]) > 4,
        )
    ],
    "linear": [NO_OUTPUT],
    "batch_norm": [
        (
            "without weights and statistics PyTorch has no number of features to check",
            lambda case: not (case.fields["affine"] or case.fields["track_running_stats"]),
        )
    ],
    "layer_norm": [
        (BATCH_DIMENSION, lambda case: batch_is_meant(case, "dim")),
        (
            "of a feature map convcalc wants to be told which dimension",
            lambda case: (
                not case.fields.keys() & {"dim", "normalized_shape"} and len(case.shapes[0]) > 2
            ),
        ),
    ],
    "group_norm": [
        (
            "without weights PyTorch does not look at the number of channels it was given",
            lambda case: "num_channels" in case.fields and not case.fields["affine"],
        )
    ],
    "instance_norm": [
        (
            "without weights PyTorch does not look at the number of channels it was given",
            lambda case: "num_features" in case.fields and not case.fields["affine"],
        )
    ],
    "glu": [(BATCH_DIMENSION, lambda case: batch_is_meant(case, "dim"))],
    "permute": [
        (BATCH_DIMENSION, lambda case: case.fields["dims"][0] != 0),
        (
            "PyTorch counts dimensions from the end too",
            lambda case: is_negative(case.fields["dims"]),
        ),
    ],
    "channel_shuffle": [
        (
            "PyTorch shuffles feature maps alone; here the features of a vector are channels too",
            lambda case: len(case.shapes[0]) == 1,
        )
    ],
    "channel_slice": [
        (BATCH_DIMENSION, lambda case: batch_is_meant(case, "dim")),
        NO_OUTPUT,
        (
            "what is asked for beyond the end, a slice of Python leaves out without a word",
            lambda case: not ends_in_the_dimension(case),
        ),
    ],
    "split": [(BATCH_DIMENSION, lambda case: batch_is_meant(case, "dim"))],
    "pad": [NEGATIVE],
    "crop": [NEGATIVE, NO_OUTPUT],
    "upsample": [NO_OUTPUT],
    "matmul": [
        (
            "PyTorch stretches the axes before the last two, and adds some; here they are alike",
            lambda case: (
                case.shapes[0][:-2] != case.shapes[1][:-2]
                or len(case.shapes[0]) != len(case.shapes[1])
            ),
        )
    ],
    "mean": [AXES_IN_FRONT],
    "softmax": [(BATCH_DIMENSION, lambda case: batch_is_meant(case, "dim"))],
    "flatten": [(BATCH_DIMENSION, lambda case: batch_is_meant(case, "start_dim", "end_dim"))],
    "concat": [(BATCH_DIMENSION, lambda case: batch_is_meant(case, "dim"))],
    "mul": [AXES_IN_FRONT],
    "add": [AXES_IN_FRONT],
}

SEEDED: dict[Callable[[Random], Case], int] = {
    conv: 4_000,
    conv__fractional: 1_500,
    depthwise_conv: 1_000,
    conv_transpose: 4_000,
    max_pool: 2_000,
    avg_pool: 2_500,
    adaptive_avg_pool: 1_000,
    adaptive_max_pool: 1_000,
    global_avg_pool: 200,
    global_max_pool: 200,
    linear: 300,
    batch_norm: 400,
    layer_norm: 600,
    group_norm: 400,
    instance_norm: 400,
    prelu: 150,
    local_response_norm: 100,
    softmax: 150,
    glu: 300,
    flatten: 600,
    reshape: 600,
    permute: 400,
    channel_shuffle: 300,
    channel_slice: 500,
    split: 600,
    pad: 500,
    crop: 600,
    upsample: 800,
    pixel_shuffle: 500,
    pixel_unshuffle: 500,
    space_to_depth: 200,
    to_tokens: 150,
    from_tokens: 200,
    matmul: 600,
    concat: 600,
    mul: 600,
    add: 300,
    mean: 400,
    max__merge: 400,
    multi_head_attention: 1_200,
    multi_head_attention__projected: 400,
}
"""Cases of each kind that a seeded generator draws, the same everywhere."""

SEARCHED = dict.fromkeys(SEEDED, 100) | {
    conv: 4_000,
    conv__fractional: 500,
    depthwise_conv: 1_000,
    conv_transpose: 4_000,
    max_pool: 2_000,
    avg_pool: 2_000,
    adaptive_avg_pool: 400,
    adaptive_max_pool: 400,
    global_avg_pool: 50,
    global_max_pool: 50,
    layer_norm: 200,
    upsample: 300,
    split: 200,
    crop: 200,
    multi_head_attention: 300,
}
"""Cases of each kind that Hypothesis draws."""

WITH_WINDOWS = (
    *(conv, conv__fractional, depthwise_conv, conv_transpose, max_pool, avg_pool),
    *(adaptive_avg_pool, adaptive_max_pool, global_avg_pool, global_max_pool),
)


def hold(draw_case: Callable[[Random], Case], draw: Random) -> list[str]:
    """Hold one case against PyTorch: what became of it."""
    case, name = draw_case(draw), draw_case.__name__
    kind = name.split("__")[0]
    mine, other = ours(kind, case), theirs(case)
    if other is not None:
        # Of what is not refused with numbers, shapes and counts are still those without.
        other = theirs(case, "cpu") and other
    if (mine is None) != (other is None):
        reasons = [why for why, applies in DIFFERENCES.get(name, ()) if applies(case)]
        verdict = "refuses" if mine is None else "builds"
        assert reasons, f"convcalc alone {verdict} {kind} {case.fields} on {case.shapes}"
        return reasons
    assert mine == other, (kind, case.fields, case.shapes)
    return ["refused" if mine is None else "built"]


def documented(kind: str, module: Callable, *shapes: tuple[int, ...], **fields: object):
    return pytest.param(kind, Case(fields, shapes, module), id=f"{kind}-{fields}")


SEQUENCE, KEYS = (12, 96), (7, 48)


@pytest.mark.parametrize(
    ("kind", "case"),
    [
        # The examples of PyTorch's documentation, without the batch.
        documented(
            *("conv_transpose", lambda: nn.ConvTranspose2d(16, 33, 3, stride=2), (16, 50, 100)),
            out_channels=33,
            kernel_size=3,
            stride=2,
        ),
        documented(
            "conv_transpose",
            lambda: nn.ConvTranspose2d(16, 33, (3, 5), stride=(2, 1), padding=(4, 2)),
            (16, 50, 100),
            out_channels=33,
            kernel_size=(3, 5),
            stride=(2, 1),
            padding=(4, 2),
        ),
        documented(
            "conv_transpose",
            lambda: nn.ConvTranspose3d(16, 33, (3, 5, 2), stride=(2, 1, 1), padding=(0, 4, 2)),
            (16, 10, 50, 100),
            out_channels=33,
            kernel_size=(3, 5, 2),
            stride=(2, 1, 1),
            padding=(0, 4, 2),
        ),
        documented(
            *("adaptive_max_pool", lambda: nn.AdaptiveMaxPool2d((None, 7)), (64, 10, 9)),
            output_size=(None, 7),
        ),
        documented(
            *("adaptive_max_pool", lambda: nn.AdaptiveMaxPool3d((5, 7, 9)), (64, 8, 9, 10)),
            output_size=(5, 7, 9),
        ),
        documented("group_norm", lambda: nn.GroupNorm(3, 6), (6, 10, 10), num_groups=3),
        documented("group_norm", lambda: nn.GroupNorm(6, 6), (6, 10, 10), num_groups=6),
        documented("instance_norm", lambda: nn.InstanceNorm2d(100), (100, 35, 45)),
        documented(
            *("instance_norm", lambda: nn.InstanceNorm1d(100, affine=True), (100, 40)), affine=True
        ),
        documented("layer_norm", lambda: nn.LayerNorm(10), (5, 10)),
        documented(
            *("layer_norm", lambda: nn.LayerNorm([5, 10, 10]), (5, 10, 10)),
            normalized_shape=(5, 10, 10),
        ),
        documented("glu", nn.GLU, (2,)),
        documented("channel_shuffle", lambda: nn.ChannelShuffle(2), (4, 2, 2), groups=2),
        documented("pad", lambda: nn.ZeroPad2d((1, 1, 2, 0)), (1, 3, 3), padding=((2, 0), (1, 1))),
        documented("upsample", lambda: nn.Upsample(scale_factor=2), (1, 2, 2), scale_factor=2),
        documented(
            *("upsample", lambda: nn.Upsample(scale_factor=2, mode="bilinear"), (1, 3, 3)),
            scale_factor=2,
            mode="linear",
        ),
        documented("pixel_shuffle", lambda: nn.PixelShuffle(3), (9, 4, 4), upscale_factor=3),
        documented(
            "pixel_unshuffle", lambda: nn.PixelUnshuffle(3), (1, 12, 12), downscale_factor=3
        ),
        documented("reshape", lambda: nn.Unflatten(1, (2, 5, 5)), (50,), shape=(2, 5, 5)),
        documented(
            "multi_head_attention",
            lambda: Attention(nn.MultiheadAttention(96, 8, batch_first=True), None),
            SEQUENCE,
            num_heads=8,
        ),
        documented(
            "multi_head_attention",
            lambda: Attention(
                nn.MultiheadAttention(96, 8, bias=False, kdim=48, vdim=96, batch_first=True), None
            ),
            *(SEQUENCE, KEYS, (7, 96)),
            num_heads=8,
            bias=False,
        ),
        # Not of the documentation, but what there is besides.
        documented("matmul", lambda: torch.bmm, (3, 4), (4, 5)),
        documented(
            "matmul",
            lambda: lambda q, k: q @ k.mT,
            *((8, 12, 6), (8, 7, 6)),
            transpose_second=True,
        ),
        documented("max", lambda: torch.maximum, (4, 6, 6), (4, 6, 6)),
        documented("mean", lambda: lambda a, b: (a + b) / 2, (4, 6, 6), (4, 6, 6)),
        documented(
            "permute", lambda: lambda x: x.permute(0, 2, 3, 1), (4, 6, 5), dims=(0, 2, 3, 1)
        ),
        documented("crop", lambda: lambda x: x[..., 2:-2, 2:-2], (4, 9, 8), cropping=2),
    ],
)
def test_named_layers_are_those_of_pytorch(kind, case):
    built = ours(kind, case)
    assert built is not None
    assert built == theirs(case)


@pytest.mark.parametrize(
    ("fields", "cut"),
    [
        ({"sections": 3}, lambda x: torch.chunk(x, 3, 1)),
        ({"sections": 4, "dim": -1}, lambda x: torch.tensor_split(x, 4, -1)),
        ({"sizes": (5, 1, 6)}, lambda x: torch.split(x, (5, 1, 6), 1)),
        ({"sizes": (7, 1), "dim": 3}, lambda x: torch.split(x, (7, 1), 3)),
        ({"sections": 1}, lambda x: torch.chunk(x, 1, 1)),
    ],
)
def test_the_parts_of_a_split_are_those_of_pytorch(fields, cut):
    inputs = ((12, 6, 8),)
    layer = layer_of("split", fields)
    assert not list(layer.check(inputs))
    parts = [part.output(inputs) for part in layer.parts(inputs)]
    assert parts == [tuple(part.shape[1:]) for part in cut(torch.zeros(BATCH, *inputs[0]))]


@pytest.mark.parametrize("draw_case", SEEDED, ids=lambda draw_case: draw_case.__name__)
def test_layers_are_those_of_pytorch(draw_case):
    name, draw = draw_case.__name__, Random(2016)  # noqa: S311 - no secret
    seen = Counter()
    for _ in range(SEEDED[draw_case]):
        seen.update(hold(draw_case, draw))
    # Enough of both sorts, and no difference that there is not.
    assert seen["built"] > SEEDED[draw_case] * 0.2
    assert seen["built"] < SEEDED[draw_case] or name == "local_response_norm"  # takes everything
    assert {why for why, _ in DIFFERENCES.get(name, ())} <= set(seen)


@pytest.mark.parametrize("draw_case", SEARCHED, ids=lambda draw_case: draw_case.__name__)
def test_hypothesis_finds_no_layer_that_is_another(draw_case):
    held = 0

    @settings(
        max_examples=SEARCHED[draw_case],
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.randoms(use_true_random=False))
    def agree(draw):
        nonlocal held
        hold(draw_case, draw)
        held += 1

    agree()
    assert held >= SEARCHED[draw_case]


def test_there_are_thousands_of_cases():
    """Of layers with a window alone."""
    assert sum(SEEDED[each] + SEARCHED[each] for each in WITH_WINDOWS) >= 20_000
