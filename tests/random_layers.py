"""Random layers of every kind, on input shapes that they can run on: what several tests share.

`DRAWS` has a generator for each kind.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from fractions import Fraction
from random import Random

from convcalc.layers import Layer, all_kinds

Draw = Callable[[Random], tuple[dict, tuple[tuple[int, ...], ...]]]


class ForShape(Random):
    """Draws fields for an input that there is already.

    They need not fit it: who draws finds out, and draws again. The shape that comes with them is of
    no use then.
    """

    shape: tuple[int, ...] = ()


def size(draw: Random, least: int = 1) -> int:
    return draw.choice((1, 2, 3, draw.randint(1, 40), draw.randint(1, 40))) + least - 1


def shape_of(draw: Random, rank: int | None = None, multiple: int = 1) -> tuple[int, ...]:
    """Channels, of which ``multiple`` is a divisor, and 1 to 3 spatial axes."""
    if isinstance(draw, ForShape):
        return draw.shape
    axes = rank or draw.randint(1, 3)
    return (multiple * draw.randint(1, 9), *(size(draw) for _ in range(axes)))


def any_shape(draw: Random) -> tuple[int, ...]:
    if isinstance(draw, ForShape):
        return draw.shape
    return draw.choice(((size(draw),), shape_of(draw)))


def on_axes(draw: Random, rank: int, low: int, high: int) -> object:
    """One number for all axes, or one for each."""
    each = tuple(draw.randint(low, high) for _ in range(rank))
    return draw.choice((each[0], each))


def ends(draw: Random, rank: int, most: int) -> object:
    """A padding as it may be written."""
    pairs = tuple((draw.randint(0, most), draw.randint(0, most)) for _ in range(rank))
    return draw.choice((draw.randint(0, most), on_axes(draw, rank, 0, most), pairs))


def window(draw: Random, rank: int) -> dict:
    return {
        "kernel_size": on_axes(draw, rank, 1, 5),
        "stride": on_axes(draw, rank, 1, 4),
        "padding": draw.choice(("same", "valid", ends(draw, rank, 3), ends(draw, rank, 2))),
    }


def conv(draw: Random) -> tuple:
    groups = draw.choice((1, 1, 2, 3))
    shape = shape_of(draw, multiple=groups)
    rank = len(shape) - 1
    fields = {
        **window(draw, rank),
        "dilation": on_axes(draw, rank, 1, 3),
        "out_channels": groups * draw.randint(1, 6),
        "groups": groups,
        "bias": draw.random() < 0.5,
        "weight_sharing": draw.choice(("spatial", "spatial", "none", "full")),
    }
    if fields["weight_sharing"] == "full" or draw.random() < 0.3:
        fields["in_channels"] = shape[0]
    if draw.random() < 0.2:
        fields["stride"] = tuple(
            draw.choice((1, 2, Fraction(1, 2), Fraction(1, 3))) for _ in range(rank)
        )
    return fields, (shape,)


def depthwise_conv(draw: Random) -> tuple:
    shape = shape_of(draw)
    rank = len(shape) - 1
    dilation, multiplier = on_axes(draw, rank, 1, 3), draw.randint(1, 3)
    return {**window(draw, rank), "dilation": dilation, "multiplier": multiplier}, (shape,)


def conv_transpose(draw: Random) -> tuple:
    groups = draw.choice((1, 1, 2, 3))
    shape = shape_of(draw, multiple=groups)
    rank = len(shape) - 1
    fields = {
        **window(draw, rank),
        "dilation": on_axes(draw, rank, 1, 3),
        "out_channels": groups * draw.randint(1, 6),
        "groups": groups,
        "output_padding": draw.choice((0, on_axes(draw, rank, 0, 2))),
    }
    return fields, (shape,)


def pool(draw: Random, **fields: object) -> tuple:
    shape = shape_of(draw)
    found = {**window(draw, len(shape) - 1), "ceil_mode": draw.random() < 0.5, **fields}
    if draw.random() < 0.3:
        del found["stride"]
    return found, (shape,)


def max_pool(draw: Random) -> tuple:
    return pool(draw, dilation=draw.randint(1, 3))


def adaptive(draw: Random) -> tuple:
    shape = shape_of(draw)
    wanted = tuple(draw.choice((None, draw.randint(1, 7))) for _ in shape[1:])
    return {"output_size": draw.choice((wanted, draw.randint(1, 7), None))}, (shape,)


def linear(draw: Random) -> tuple:
    shape = any_shape(draw)
    fields = {"out_features": size(draw), "bias": draw.random() < 0.5}
    return fields | ({"in_features": shape[-1]} if len(shape) > 1 else {}), (shape,)


def from_tokens(draw: Random) -> tuple:
    sizes = tuple(size(draw) for _ in range(draw.randint(1, 3)))
    return {"size": sizes}, ((math.prod(sizes), size(draw)),)


def attention(draw: Random) -> tuple:
    heads = draw.randint(1, 4)
    n, m = size(draw), size(draw)
    c, k = heads * draw.randint(1, 5), heads * draw.randint(1, 5)
    fields = {"num_heads": heads, "bias": draw.random() < 0.5}
    chosen = {
        "key_features": k,
        "value_features": heads * draw.randint(1, 5),
        "out_features": size(draw),
        "embed_dim": c,
    }
    fields |= {name: value for name, value in chosen.items() if draw.random() < 0.3}
    shapes = draw.choice((((n, c),), ((n, c), (m, k)), ((n, c), (m, k), (m, c))))
    if draw.random() < 0.3:
        fields["window"] = draw.randint(1, shapes[-1][0])
    if draw.random() < 0.3:
        windows = size(draw)
        shapes = tuple((windows, *shape) for shape in shapes)
    return fields, shapes


def group_norm(draw: Random) -> tuple:
    groups = draw.randint(1, 4)
    return {"num_groups": groups, "affine": draw.random() < 0.5}, (shape_of(draw, multiple=groups),)


def layer_norm(draw: Random) -> tuple:
    shape = any_shape(draw)
    fields = {"elementwise_affine": draw.random() < 0.7, "bias": draw.random() < 0.5}
    if draw.random() < 0.4:
        return fields | {"normalized_shape": shape[-draw.randint(1, len(shape)) :]}, (shape,)
    return fields | {"dim": draw.choice((-1, 1, draw.randint(1, len(shape))))}, (shape,)


def along(draw: Random, multiple: int = 1) -> tuple[int, tuple[int, ...]]:
    """A dimension, and a shape in which it has a multiple of a number."""
    shape = any_shape(draw)
    place = draw.randrange(len(shape))
    shape = (*shape[:place], multiple * shape[place], *shape[place + 1 :])
    return draw.choice((place + 1, place - len(shape))), shape


def with_dim(draw: Random, **fields: object) -> tuple:
    dim, shape = along(draw)
    return {"dim": dim, **fields}, (shape,)


def glu(draw: Random) -> tuple:
    dim, shape = along(draw, 2)
    return {"dim": dim}, (shape,)


def prelu(draw: Random) -> tuple:
    shape = any_shape(draw)
    return {"num_parameters": draw.choice((1, shape[0]))}, (shape,)


def pad(draw: Random) -> tuple:
    shape = shape_of(draw)
    return {"padding": ends(draw, len(shape) - 1, 4)}, (shape,)


def crop(draw: Random) -> tuple:
    shape = shape_of(draw)
    rank = len(shape) - 1
    if draw.random() < 0.5:
        return {"cropping": ends(draw, rank, 3)}, (shape,)
    return {"size": on_axes(draw, rank, 1, 5)}, (shape,)


def upsample(draw: Random) -> tuple:
    shape = shape_of(draw)
    rank = len(shape) - 1
    fields = {"mode": draw.choice(("nearest", "linear", "cubic"))}
    factors = tuple(draw.choice((1, 2, 3, Fraction(1, 2), Fraction(5, 3))) for _ in range(rank))
    if draw.random() < 0.5:
        return fields | {"scale_factor": draw.choice((2, factors))}, (shape,)
    return fields | {"size": on_axes(draw, rank, 1, 20)}, (shape,)


def pixel_shuffle(draw: Random) -> tuple:
    rank, r = draw.randint(1, 3), draw.randint(1, 3)
    return {"upscale_factor": r}, (shape_of(draw, rank, r**rank),)


def folding(name: str) -> Draw:
    def drawn(draw: Random) -> tuple:
        channels, *spatial = shape_of(draw)
        r = draw.randint(1, 4)
        return {name: r}, ((channels, *(r * i for i in spatial)),)

    return drawn


def reshape(draw: Random) -> tuple:
    shape = any_shape(draw)
    ways = [(-1,), (math.prod(shape),), (shape[-1], -1), (-1, *shape[1:]), (1, -1), shape[::-1]]
    return {"shape": draw.choice(ways)}, (shape,)


def permute(draw: Random) -> tuple:
    shape = any_shape(draw)
    dims = draw.sample(range(1, len(shape) + 1), len(shape))
    return {"dims": (0, *dims)}, (shape,)


def channel_shuffle(draw: Random) -> tuple:
    groups = draw.randint(1, 4)
    return {"groups": groups}, (shape_of(draw, multiple=groups),)


def channel_slice(draw: Random) -> tuple:
    dim, shape = along(draw)
    n = shape[dim - 1 if dim > 0 else dim]
    start = draw.randrange(n)
    end = draw.randint(start + 1, n)
    return {
        "dim": dim,
        "start": draw.choice((start, start - n)),
        "end": draw.choice((end, end - n if end < n else None)),
    }, (shape,)


def split(draw: Random) -> tuple:
    count = draw.randint(1, 4)
    dim, shape = along(draw, count)
    part = draw.choice((None, draw.randint(1, count)))
    if draw.random() < 0.5:
        return {"dim": dim, "sections": count, "part": part}, (shape,)
    place = dim - 1 if dim > 0 else len(shape) + dim
    sizes = tuple(size(draw) for _ in range(count))
    shape = (*shape[:place], sum(sizes), *shape[place + 1 :])
    return {"dim": dim, "sizes": sizes, "part": part}, (shape,)


def flatten(draw: Random) -> tuple:
    shape = any_shape(draw)
    start = draw.randint(1, len(shape))
    end = draw.randint(start, len(shape))
    return {"start_dim": start, "end_dim": draw.choice((end, end - len(shape) - 1))}, (shape,)


def merged(draw: Random, *, stretches: bool, **fields: object) -> tuple:
    """Inputs of one shape; or with axes of size 1 here and there."""
    shape = any_shape(draw)
    shapes = [shape for _ in range(draw.randint(2, 4))]
    if stretches:
        shapes = [tuple(draw.choice((n, n, 1)) for n in shape) for _ in shapes]
    return fields, tuple(shapes)


def added(draw: Random) -> tuple:
    stretches = draw.random() < 0.5
    return merged(draw, stretches=stretches, broadcast=stretches)


def multiplied(draw: Random) -> tuple:
    return merged(draw, stretches=draw.random() < 0.5)


def concat(draw: Random) -> tuple:
    dim, shape = along(draw)
    place = dim - 1 if dim > 0 else len(shape) + dim
    return {"dim": dim}, tuple(
        (*shape[:place], draw.choice((shape[place], size(draw))), *shape[place + 1 :])
        for _ in range(draw.randint(2, 4))
    )


def matmul(draw: Random) -> tuple:
    n, k, m = (size(draw) for _ in range(3))
    before = tuple(size(draw) for _ in range(draw.randint(0, 1)))
    first, second = draw.random() < 0.5, draw.random() < 0.5
    return {"transpose_first": first, "transpose_second": second}, (
        (*before, *((k, n) if first else (n, k))),
        (*before, *((m, k) if second else (k, m))),
    )


def anything(draw: Random) -> tuple:
    return {}, (any_shape(draw),)


def on_maps(draw: Random) -> tuple:
    return {}, (shape_of(draw),)


ELEMENTWISE = (
    *("relu", "relu6", "leaky_relu", "elu", "selu", "gelu", "silu", "mish", "sigmoid", "tanh"),
    *("softplus", "hard_sigmoid", "hard_swish", "identity", "dropout"),
)

DRAWS: dict[str, Draw] = {
    **dict.fromkeys(ELEMENTWISE, anything),
    "conv": conv,
    "depthwise_conv": depthwise_conv,
    "conv_transpose": conv_transpose,
    "max_pool": max_pool,
    "avg_pool": pool,
    "adaptive_avg_pool": adaptive,
    "adaptive_max_pool": adaptive,
    "global_avg_pool": on_maps,
    "global_max_pool": on_maps,
    "linear": linear,
    "to_tokens": on_maps,
    "from_tokens": from_tokens,
    "class_token": lambda draw: ({"tokens": size(draw)}, ((size(draw), size(draw)),)),
    "position_embedding": lambda draw: ({"learned": draw.random() < 0.5}, (any_shape(draw),)),
    "multi_head_attention": attention,
    "batch_norm": lambda draw: (
        {"affine": draw.random() < 0.5, "track_running_stats": draw.random() < 0.5},
        (any_shape(draw),),
    ),
    "instance_norm": lambda draw: ({"affine": draw.random() < 0.5}, (shape_of(draw),)),
    "group_norm": group_norm,
    "layer_norm": layer_norm,
    "scale": lambda draw: with_dim(draw, bias=draw.random() < 0.5),
    "local_response_norm": lambda draw: ({"size": size(draw)}, (any_shape(draw),)),
    "prelu": prelu,
    "softmax": with_dim,
    "glu": glu,
    "pad": pad,
    "crop": crop,
    "upsample": upsample,
    "pixel_shuffle": pixel_shuffle,
    "pixel_unshuffle": folding("downscale_factor"),
    "space_to_depth": folding("block_size"),
    "reshape": reshape,
    "permute": permute,
    "channel_shuffle": channel_shuffle,
    "channel_slice": channel_slice,
    "split": split,
    "flatten": flatten,
    "add": added,
    "mul": multiplied,
    "mean": added,
    "weighted_sum": added,
    "max": lambda draw: merged(draw, stretches=False),
    "matmul": matmul,
    "concat": concat,
}


def layers_of(kind: str, count: int) -> Iterator[tuple[Layer, tuple[tuple[int, ...], ...]]]:
    """Layers of a kind, the same at every run."""
    draw = Random(kind)  # noqa: S311 - no secret
    for _ in range(20 * count):
        fields, shapes = DRAWS[kind](draw)
        layer = all_kinds()[kind](**fields)
        if not list(layer.check(shapes)):
            yield layer, shapes
            count -= 1
            if not count:
                return
    raise AssertionError(f"too few of the {kind} layers drawn can run")
