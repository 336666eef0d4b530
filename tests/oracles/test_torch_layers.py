"""Random single layers, held against PyTorch's: what is built, what is refused, what it costs.

Layers are built on PyTorch's meta device, which works out shapes without numbers. It lets some
mistakes through (negative padding, a dimension that is not there); what it builds and convcalc
refuses is run with numbers.
"""

import warnings
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import NamedTuple

import pytest

from convcalc.layers import all_kinds
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


class Case(NamedTuple):
    """A layer to build on both sides."""

    fields: dict[str, object]
    shapes: tuple[tuple[int, ...], ...]
    module: Callable[[], Callable]
    """Builds PyTorch's on the default device; what comes out is called with the inputs."""


class Built(NamedTuple):
    output: tuple[int, ...]
    weights: dict[str, tuple[int, ...]]
    buffers: dict[str, tuple[int, ...]]
    macs: int


def ours(kind: str, case: Case) -> Built | None:
    """What convcalc makes of a case; None if it refuses it."""
    declared = all_kinds()[kind]
    try:
        layer = declared(
            **{
                each.name: each.type.parse(case.fields[each.name])
                for each in declared.declarations
                if each.name in case.fields
            }
        )
    except FieldValueError:
        return None
    if list(layer.check(case.shapes)):
        return None
    output = layer.output(case.shapes)
    return Built(
        output,
        dict(layer.weights(case.shapes)),
        dict(layer.buffers(case.shapes)),
        layer.operations(case.shapes, output).macs,
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
        except (RuntimeError, ValueError, TypeError, IndexError, ZeroDivisionError):
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
        counter.get_total_flops() // (2 * BATCH),  # PyTorch counts 2 for a multiply-add
    )


# -- draws ----------------------------------------------------------------------------------------


def one_in(draw: Random, n: int) -> bool:
    return draw.randrange(n) == 0


def number(draw: Random, low: int, high: int, bad: int | None = None) -> int:
    """A number from low to high; now and then one that no layer takes."""
    return bad if bad is not None and one_in(draw, 60) else draw.randint(low, high)


def per_axis(draw: Random, rank: int, low: int, high: int, bad: int | None = None) -> object:
    """One number, or one for each axis."""
    if one_in(draw, 2):
        return number(draw, low, high, bad)
    return tuple(number(draw, low, high, bad) for _ in range(rank))


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
    if isinstance(fields["padding"], tuple) and one_in(draw, 3):
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
    kind = getattr(nn, f"{name}Pool{rank}d")
    return Case(fields, (feature_map(draw, rank),), lambda: kind(**fields))


def max_pool(draw: Random) -> Case:
    return pool(draw, "Max")


def avg_pool(draw: Random) -> Case:
    return pool(draw, "Avg")


def adaptive_avg_pool(draw: Random) -> Case:
    rank = draw.randint(1, 3)
    sizes = tuple(
        None if one_in(draw, 4) else number(draw, 1, 9, bad=draw.choice([0, -1]))
        for _ in range(rank)
    )
    output_size = draw.choice([sizes, sizes[0]])
    kind = getattr(nn, f"AdaptiveAvgPool{rank}d")
    return Case({"output_size": output_size}, (feature_map(draw, rank),), lambda: kind(output_size))


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


# -- where convcalc and PyTorch differ on purpose -------------------------------------------------

EMPTY = "PyTorch makes tensors without elements; a layer without output is a mistake"
BATCH_DIMENSION = "PyTorch lets a layer work across the batch; here costs are of one sample"

Difference = tuple[str, Callable[[Case], bool]]


def any_is(value: object, wanted: object) -> bool:
    return wanted in listed(value, 1)


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

DIFFERENCES: dict[str, list[Difference]] = {
    "conv": [SAME_WITH_STRIDE],
    "depthwise_conv": [SAME_WITH_STRIDE],
    "avg_pool": [
        (
            "in three dimensions PyTorch wants an input as large as the kernel, though padding or "
            "ceil_mode would make room for it",
            lambda case: (
                len(case.shapes[0]) == 4
                and any(
                    size < kernel
                    for size, kernel in zip(
                        case.shapes[0][1:], listed(case.fields["kernel_size"], 3), strict=True
                    )
                )
            ),
        )
    ],
    "adaptive_avg_pool": [
        (EMPTY, lambda case: any_is(case.fields["output_size"], 0)),
        (
            "null stands for every axis here; PyTorch takes it inside a list alone, and in one "
            "dimension not at all",
            lambda case: (
                case.fields["output_size"] is None
                or (len(case.shapes[0]) == 2 and any_is(case.fields["output_size"], None))
            ),
        ),
    ],
    "linear": [(EMPTY, lambda case: case.fields["out_features"] == 0)],
    "batch_norm": [
        (
            "without weights and statistics PyTorch has no number of features to check",
            lambda case: not (case.fields["affine"] or case.fields["track_running_stats"]),
        )
    ],
    "softmax": [(BATCH_DIMENSION, lambda case: batch_is_meant(case, "dim"))],
    "flatten": [(BATCH_DIMENSION, lambda case: batch_is_meant(case, "start_dim", "end_dim"))],
    "concat": [(BATCH_DIMENSION, lambda case: batch_is_meant(case, "dim"))],
    "mul": [AXES_IN_FRONT],
    "add": [AXES_IN_FRONT],
}

DRAWS = {
    conv: 4_000,
    depthwise_conv: 1_000,
    max_pool: 2_000,
    avg_pool: 2_000,
    adaptive_avg_pool: 1_000,
    linear: 300,
    batch_norm: 400,
    prelu: 150,
    local_response_norm: 100,
    softmax: 150,
    flatten: 600,
    concat: 600,
    mul: 600,
    add: 300,
}


@pytest.mark.parametrize("draw_case", DRAWS, ids=lambda draw_case: draw_case.__name__)
def test_layers_are_those_of_pytorch(draw_case):
    kind, draw = draw_case.__name__, Random(2016)  # noqa: S311 - no secret
    seen = Counter()
    for _ in range(DRAWS[draw_case]):
        case = draw_case(draw)
        mine, other = ours(kind, case), theirs(case)
        if mine is None and other is not None:
            other = theirs(case, "cpu")
        if (mine is None) != (other is None):
            reasons = [why for why, applies in DIFFERENCES.get(kind, ()) if applies(case)]
            verdict = "refuses" if mine is None else "builds"
            assert reasons, f"convcalc alone {verdict} {kind} {case.fields} on {case.shapes}"
            seen.update(reasons)
            continue
        assert mine == other, (kind, case.fields, case.shapes)
        seen["refused" if mine is None else "built"] += 1
    # Enough of both sorts, and no difference that there is not.
    assert seen["built"] > DRAWS[draw_case] * 0.2
    assert seen["refused"] or kind == "local_response_norm"  # which takes everything
    assert {why for why, _ in DIFFERENCES.get(kind, ())} <= set(seen)


def test_there_are_thousands_of_cases():
    assert sum(DRAWS.values()) >= 3_000
