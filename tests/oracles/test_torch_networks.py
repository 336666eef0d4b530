"""Random whole networks, written as a spec and built of PyTorch's modules, held against each other.

One network for each kind of layer in each batch, so that none is left out. Held equal are, layer by
layer in the order in which they run: kinds, inputs, output shapes, weights, buffers, multiply-adds
as PyTorch's own counter has them; and for the network the parameters, the buffers, the outputs, and
the tensors that autograd saves. Then each network is changed in one place, which makes most of them
impossible: both sides must agree on which.

PyTorch's side is made of the fields that were drawn, and of nothing that convcalc works out.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from functools import cache
from itertools import count
from math import prod
from random import Random
from typing import NamedTuple, TypeAlias

import pytest
from random_networks import (
    MERGES,
    Fields,
    Listed,
    Network,
    Outcome,
    RefusedError,
    Shape,
    forms_of,
    mutant,
    random_network,
    text_of,
    unfolded,
)
from reading import build
from torch_activations import ACTIVATIONS

from convcalc.analysis import analyze_graph
from convcalc.errors import SpecError
from convcalc.layers import all_kinds

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of a NumPy that is not installed
    torch = pytest.importorskip(
        "torch", reason="PyTorch is not installed: these tests hold convcalc against it"
    )
    from torch.utils._python_dispatch import TorchDispatchMode
    from torch.utils.flop_counter import FlopCounterMode

from test_torch_layers import (
    BATCH,
    EMPTY,
    REFUSALS,
    Attention,
    MovedLast,
    PaddedFirst,
    ProjectedAttention,
    SpreadFirst,
    listed,
)
from test_torch_training import attended, saved_tensors

pytestmark = pytest.mark.oracle
nn, F = torch.nn, torch.nn.functional
aten = torch.ops.aten

BATCHES = 40
"""Each with a network for every kind of layer."""


Ends: TypeAlias = tuple[tuple[int, int], ...]
"""Positions before and after, for each axis."""


# -- PyTorch's counterpart of each kind -----------------------------------------------------------


class Function(nn.Module):
    """A function, and what it learns, if anything."""

    def __init__(self, function: Callable, **parameters: Shape):
        super().__init__()
        self.function = function
        for name, shape in parameters.items():
            self.register_parameter(name, nn.Parameter(torch.empty(shape)))

    def forward(self, *inputs):
        return self.function(*inputs, **dict(self.named_parameters()))


def module_for(name: str, shape: Shape) -> Callable:
    """PyTorch's module for as many spatial axes as ``shape`` has."""
    rank = len(shape) - 1
    if not 1 <= rank <= 3:
        raise ValueError(f"there is no {name} for {rank} axes")
    return getattr(nn, f"{name}{rank}d")


def given(fields: Fields, *names: str) -> Fields:
    return {name: fields[name] for name in names if name in fields}


def effective(fields: Fields, rank: int) -> list[int]:
    """Positions that the kernel spreads over on each axis."""
    kernels, dilations = (listed(fields.get(name, 1), rank) for name in ("kernel_size", "dilation"))
    return [d * (k - 1) + 1 for k, d in zip(kernels, dilations, strict=True)]


def ends_given(padding: object, rank: int) -> Ends:
    """A padding in numbers, for both ends of each axis."""
    sides = listed(0 if padding == "valid" else padding, rank)
    if len(sides) != rank:
        raise ValueError(f"a padding for {len(sides)} of {rank} axes")
    ends = tuple(side if isinstance(side, tuple) else (side, side) for side in sides)
    if min(map(min, ends)) < 0:
        raise ValueError("a padding below 0")
    return ends


def of_same(i: int, s: int, k: int) -> tuple[int, int]:
    """What makes ⌈i / s⌉ windows of k on an axis: TensorFlow's rule, the odd one at the end."""
    return halves(max(0, (-(-i // s) - 1) * s + k - i))


def halves(total: int) -> tuple[int, int]:
    return total // 2, total - total // 2


def is_even(ends: Ends) -> bool:
    """Whether PyTorch can be given it as it is."""
    return all(before == after for before, after in ends)


def convolution(fields: Fields, shape: Shape) -> nn.Module:
    rank, (channels, *sizes) = len(shape) - 1, shape
    layer = module_for("Conv", shape)
    out, groups = fields.get("out_channels"), fields.get("groups", 1)
    if out is None:  # a depthwise one
        out, groups = channels * fields.get("multiplier", 1), channels
    strides, kernels = listed(fields.get("stride", 1), rank), effective(fields, rank)
    spread = [s.denominator if isinstance(s, Fraction) else 1 for s in strides]
    steps = tuple(1 if isinstance(s, Fraction) else s for s in strides)
    spread_sizes = [n * (i - 1) + 1 for i, n in zip(sizes, spread, strict=True)]
    padding = fields.get("padding", 0)
    plain = {
        "dilation": fields.get("dilation", 1),
        "groups": groups,
        "bias": fields.get("bias", True),
    }
    sharing = fields.get("weight_sharing", "spatial")
    ends: Ends | None
    inside: object = 0
    if padding != "same":
        ends = ends_given(padding, rank)
    else:
        # A stride of 1/n: n windows for each input, that is n·i over n·(i − 1) + 1 positions.
        ends = tuple(
            halves(n + k - 2) if n > 1 else of_same(i, s, k)
            for i, n, s, k in zip(sizes, spread, steps, kernels, strict=True)
        )
    if sharing == "spatial" and padding == "same" and set(strides) == {1}:
        inside, ends = "same", None
    elif sharing == "spatial" and is_even(ends):
        inside, ends = tuple(before for before, _ in ends), None
    kernel = fields["kernel_size"]
    in_channels = fields.get("in_channels", channels)
    made = layer(in_channels, out, kernel, stride=steps, padding=inside, **plain)
    if sharing == "full":
        made = FullyShared(made, groups)
    elif sharing == "none":
        padded = [i + sum(pair) for i, pair in zip(spread_sizes, ends, strict=True)]
        made = LocallyConnected(made, padded)
    if ends is not None:
        made = PaddedFirst(made, ends)
    return SpreadFirst(made, spread) if max(spread) > 1 else made


class FullyShared(nn.Module):
    """A convolution in which all input channels have one kernel."""

    def __init__(self, layer, groups):
        super().__init__()
        self.weight = nn.Parameter(layer.weight[:, :1].clone())
        self.bias = layer.bias
        self.per_group = layer.in_channels // groups
        self.options = layer.stride, layer.padding, layer.dilation, groups
        self.convolve = (F.conv1d, F.conv2d, F.conv3d)[self.weight.dim() - 3]

    def forward(self, x):
        axes = (-1,) * (self.weight.dim() - 2)
        weight = self.weight.expand(-1, self.per_group, *axes)
        return self.convolve(x, weight, self.bias, *self.options)


class LocallyConnected(nn.Module):
    """A convolution in which each output position has a kernel and a bias of its own.

    The windows are taken out, and each is multiplied by its kernel.
    """

    def __init__(self, layer, padded):
        super().__init__()
        with torch.device("meta"):
            # It says how many positions there are, and what is wrong.
            empty = torch.empty(1, layer.in_channels, *padded)
            positions = layer.to("meta")(empty).shape[2:]
        self.layer_options = layer.stride, layer.dilation, layer.kernel_size, layer.groups
        self.weight = nn.Parameter(torch.empty(*layer.weight.shape, *positions))
        self.bias = None
        if layer.bias is not None:
            self.bias = nn.Parameter(torch.empty(*layer.bias.shape, *positions))

    def forward(self, x):
        strides, dilations, kernels, groups = self.layer_options
        for axis, (s, d, k) in enumerate(zip(strides, dilations, kernels, strict=True), start=2):
            x = x.unfold(axis, d * (k - 1) + 1, s)[..., ::d]
        rank = len(kernels)
        positions = x.shape[2 : 2 + rank]
        batch, channels, places = len(x), x.shape[1], prod(positions)
        # A matrix for each position and group: batch · (channels of a group, with their windows).
        x = x.permute(*range(2, 2 + rank), 0, 1, *range(2 + rank, 2 + 2 * rank))
        x = x.reshape(places, batch, groups, -1).transpose(1, 2)
        weight = self.weight.reshape(groups, -1, channels // groups * prod(kernels), places)
        product = torch.bmm(x.flatten(0, 1), weight.permute(3, 0, 2, 1).flatten(0, 1))
        output = product.reshape(places, groups, batch, -1).permute(2, 1, 3, 0)
        output = output.reshape(batch, -1, *positions)
        return output if self.bias is None else output + self.bias


def transposed(fields: Fields, shape: Shape) -> nn.Module:
    rank, layer = len(shape) - 1, module_for("ConvTranspose", shape)
    options = {
        "stride": fields["stride"],
        "dilation": fields.get("dilation", 1),
        "groups": fields.get("groups", 1),
        "bias": fields.get("bias", True),
        "output_padding": fields.get("output_padding", 0),
    }
    padding = fields.get("padding", 0)
    if padding == "same":
        # size · stride: the rest of the last kernel is cut off, or is not there yet.
        if any(listed(options["output_padding"], rank)):
            raise ValueError("the size is known already")
        ends = tuple(
            halves(k - s) if k >= s else (0, k - s)
            for k, s in zip(effective(fields, rank), listed(fields["stride"], rank), strict=True)
        )
    else:
        ends = ends_given(padding, rank)
    even = is_even(ends)
    options["padding"] = tuple(before for before, _ in ends) if even else 0
    in_channels = fields.get("in_channels", shape[0])
    made = layer(in_channels, fields["out_channels"], fields["kernel_size"], **options)
    if even:
        return made
    return CutOff(made, ends)


class CutOff(nn.Module):
    """Takes away from the ends of what a layer makes; adds where that is less than nothing."""

    def __init__(self, layer, ends):
        super().__init__()
        self.layer = layer
        self.ends = [-end for pair in reversed(ends) for end in pair]

    def forward(self, x):
        return F.pad(self.layer(x), self.ends)

    def named_parameters(self, **_):
        return self.layer.named_parameters()


def pool(name: str) -> Callable:
    def made(fields: Fields, shape: Shape) -> nn.Module:
        rank, layer = len(shape) - 1, module_for(f"{name}Pool", shape)
        options = given(fields, "kernel_size", "stride", "dilation", "count_include_pad")
        strides = listed(fields.get("stride", fields["kernel_size"]), rank)
        kernels, spreads = listed(fields["kernel_size"], rank), effective(fields, rank)
        ceil = fields.get("ceil_mode", False)
        if fields.get("padding") == "same":
            ends = tuple(map(of_same, shape[1:], strides, spreads))
            ceil = False
        else:
            ends = ends_given(fields.get("padding", 0), rank)
            if any(2 * end > k for pair, k in zip(ends, kernels, strict=True) for end in pair):
                raise ValueError("more than half a kernel, as PyTorch's own may not be")
        padding = tuple(before for before, _ in ends)
        # PyTorch's own takes at most half a kernel, and for a mean in three dimensions no kernel
        # larger than the input, though padding would make room for it.
        small = zip(padding, kernels, shape[1:], strict=True)
        if is_even(ends) and all(
            2 * p <= k and (name == "Max" or rank < 3 or k <= i) for p, k, i in small
        ):
            return layer(padding=padding, ceil_mode=ceil, **options)
        axes = zip(shape[1:], ends, spreads, strides, strict=True)
        ends = tuple(
            (before, last_end(i, before, after, k, s, ceil=ceil) - i - before)
            for i, (before, after), k, s in axes
        )
        return FilledFirst(layer(**options), ends, float("-inf") if name == "Max" else 0.0)

    return made


def last_end(i: int, before: int, after: int, k: int, s: int, *, ceil: bool) -> int:
    """Where the last window ends that there is, counted from where the first begins.

    In `ceil_mode` a window may hang over the end, if it begins inside, or in the padding before,
    and the one before it has not reached the end.
    """
    end = None
    for start in count(0, s):
        fits = start + k <= i + before + after
        hangs = start < i + before and start - s + k < i + before + after
        if not (hangs if ceil else fits):
            break
        end = start + k
    if end is None:
        raise ValueError("no window fits")
    return end


class FilledFirst(nn.Module):
    """Ends of the input that are filled up, or cut, before a layer."""

    def __init__(self, layer, ends, fill):
        super().__init__()
        self.layer = layer
        self.ends = [end for pair in reversed(ends) for end in pair]
        self.fill = fill

    def forward(self, x):
        return self.layer(F.pad(x, self.ends, value=self.fill))


def adaptive(name: str) -> Callable:
    def made(fields: Fields, shape: Shape) -> nn.Module:
        layer = module_for(f"Adaptive{name}Pool", shape)
        wanted = listed(fields["output_size"], len(shape) - 1)
        if len(wanted) != len(shape) - 1:
            raise ValueError("a size for each axis")
        # PyTorch takes null only in a list, and in one dimension not at all.
        return layer(tuple(n if m is None else m for n, m in zip(shape[1:], wanted, strict=True)))

    return made


def global_pool(name: str) -> Callable:
    return lambda fields, shape: module_for(f"Adaptive{name}Pool", shape)(1)


def linear(fields: Fields, shape: Shape) -> nn.Module:
    if len(shape) > 1 and "in_features" not in fields:
        raise ValueError("convcalc wants to be told that the last axis is meant")
    features = fields.get("in_features", shape[-1])
    return nn.Linear(features, fields["out_features"], bias=fields.get("bias", True))


def of_sequence(shape: Shape) -> None:
    if len(shape) != 2:
        raise ValueError("a sequence has tokens and features")


def to_tokens(fields: Fields, shape: Shape) -> nn.Module:
    if not 2 <= len(shape) <= 4:
        raise ValueError("one to three axes, as everything here")
    return Function(lambda x: x.flatten(2).transpose(1, 2))


def from_tokens(fields: Fields, shape: Shape) -> nn.Module:
    of_sequence(shape)
    return Function(lambda x: x.transpose(1, 2).unflatten(2, fields["size"]))


def class_token(fields: Fields, shape: Shape) -> nn.Module:
    of_sequence(shape)
    return Function(
        lambda x, weight: torch.cat([weight.expand(len(x), -1, -1), x], 1),
        weight=(fields.get("tokens", 1), shape[-1]),
    )


def position_embedding(fields: Fields, shape: Shape) -> nn.Module:
    if fields.get("learned", True):
        return Function(lambda x, weight: x + weight, weight=shape)
    return Function(lambda x: x + torch.zeros(shape))


class Heads(NamedTuple):
    """What `attended` asks of a layer."""

    num_heads: int
    bias: bool
    window: None = None


class AttentionOf(nn.Module):
    """nn.MultiheadAttention, whose own forward runs at inference.

    In training it is written out, with its parameters: of three projections that are one product
    nn.MultiheadAttention keeps the queries twice (see test_torch_training.py).
    """

    def __init__(self, layer, heads, window):
        super().__init__()
        self.inference = Attention(layer, window)
        self.heads = heads
        self.window = window

    def forward(self, *inputs):
        if not self.training:
            return self.inference(*inputs)
        sequences = [x.flatten(0, -3) if x.dim() > 3 else x for x in inputs]
        if self.window:
            sequences = [x.unflatten(1, (-1, self.window)).flatten(0, 1) for x in sequences]
        output = attended(self.heads, sequences, dict(self.inference.layer.named_parameters()))
        return output.reshape(*inputs[0].shape[:-1], -1)

    def named_parameters(self, **_):
        return self.inference.layer.named_parameters()


class Projected(ProjectedAttention):
    """Attention to values that are not the keys, or in each of several sequences by itself, too."""

    def __init__(self, heads, features, wide, *, bias):
        queries, keys, values = features
        super().__init__(heads, queries, keys, *wide, bias=bias)
        self.v = nn.Linear(values, wide[1], bias=bias)

    def forward(self, *inputs):
        sequences = [x.flatten(0, -3) if x.dim() > 3 else x for x in inputs]
        into = zip(
            (self.q, self.k, self.v),
            (sequences[0], sequences[min(1, len(inputs) - 1)], sequences[-1]),
            strict=True,
        )
        q, k, v = (layer(x).unflatten(-1, (self.heads, -1)).transpose(1, 2) for layer, x in into)
        weights = F.softmax(q @ k.transpose(-2, -1), -1)
        output = self.out((weights @ v).transpose(1, 2).flatten(2))
        return output.reshape(*inputs[0].shape[:-1], -1)


class NoCounterpartError(ValueError):
    """PyTorch has nothing that a layer could be held against."""


def attention(fields: Fields, *shapes: Shape) -> nn.Module:
    if any(len(shape) not in {2, 3} for shape in shapes) or len(set(map(len, shapes))) > 1:
        raise ValueError("sequences, or sequences of several windows")
    queries, keys, values = shapes[0], shapes[min(1, len(shapes) - 1)], shapes[-1]
    if queries[:-2] != keys[:-2] or keys[:-1] != values[:-1]:
        raise ValueError("as many keys as values, and as many windows")
    features, heads, bias = queries[-1], fields["num_heads"], fields.get("bias", True)
    if fields.get("embed_dim", features) != features:
        raise ValueError("other queries are expected")
    wide = [
        fields.get(name, features) for name in ("key_features", "value_features", "out_features")
    ]
    window = fields.get("window")
    if window is not None and not 1 <= window <= keys[-2]:
        raise ValueError("a window of some of the tokens")
    if wide == [features] * 3:
        if window and (len(shapes) > 1 or queries[-2] % window):
            raise NoCounterpartError("windows that are no sequences of their own")
        made = nn.MultiheadAttention(
            features, heads, bias=bias, kdim=keys[-1], vdim=values[-1], batch_first=True
        )
        return AttentionOf(made, Heads(heads, bias), window)
    if window:
        raise NoCounterpartError("windows of projections of other sizes")
    return Projected(heads, (features, keys[-1], values[-1]), wide, bias=bias)


def batch_norm(fields: Fields, shape: Shape) -> nn.Module:
    layer = getattr(nn, f"BatchNorm{max(1, len(shape) - 1)}d")
    features = fields.get("num_features", shape[0])
    if features != shape[0]:
        raise ValueError("without weights PyTorch would not look")
    return layer(features, **given(fields, "affine", "track_running_stats"))


def instance_norm(fields: Fields, shape: Shape) -> nn.Module:
    if fields.get("num_features", shape[0]) != shape[0]:
        raise ValueError("without weights PyTorch would not look")
    return module_for("InstanceNorm", shape)(shape[0], affine=fields.get("affine", False))


def group_norm(fields: Fields, shape: Shape) -> nn.Module:
    if fields.get("num_channels", shape[0]) != shape[0]:
        raise ValueError("without weights PyTorch would not look")
    return nn.GroupNorm(fields["num_groups"], shape[0], affine=fields.get("affine", True))


def place(dim: int, shape: Shape) -> int:
    """A dimension counted from 0, the batch. Raises ValueError for that, and for none."""
    found = dim + len(shape) + 1 if dim < 0 else dim
    if not 0 < found <= len(shape):
        raise ValueError(f"{dim} is no dimension of a sample")
    return found


def layer_norm(fields: Fields, shape: Shape) -> nn.Module:
    options = given(fields, "elementwise_affine", "bias")
    if "normalized_shape" in fields:
        return nn.LayerNorm(fields["normalized_shape"], **options)
    dim = fields.get("dim", -1)
    if "dim" not in fields and len(shape) > 2:
        raise ValueError("convcalc wants to be told which dimension of a feature map")
    return MovedLast(nn.LayerNorm(shape[place(dim, shape) - 1], **options), dim)


def scale(fields: Fields, shape: Shape) -> nn.Module:
    along = place(fields.get("dim", 1), shape)
    places = [1] * len(shape)
    places[along - 1] = -1
    size = (shape[along - 1],)
    if fields.get("bias", False):
        return Function(
            lambda x, weight, bias: x * weight.view(places) + bias.view(places),
            weight=size,
            bias=size,
        )
    return Function(lambda x, weight: x * weight.view(places), weight=size)


def local_response_norm(fields: Fields, shape: Shape) -> nn.Module:
    layer = nn.LocalResponseNorm(fields["size"])
    # It asks for a view of what it is given, and for positions.
    return Function(on_positions(lambda x: layer(x.contiguous())))


def channel_shuffle(fields: Fields, shape: Shape) -> nn.Module:
    return Function(on_positions(nn.ChannelShuffle(fields["groups"])))


def on_positions(function: Callable) -> Callable:
    """Lets what PyTorch has for feature maps run on a vector: one of one position."""
    return lambda x: function(x.unsqueeze(2)).squeeze(2) if x.dim() == 2 else function(x)


def prelu(fields: Fields, shape: Shape) -> nn.Module:
    return nn.PReLU(fields.get("num_parameters", 1))


def along(layer: Callable) -> Callable:
    def made(fields: Fields, shape: Shape) -> nn.Module:
        place(fields.get("dim", 1), shape)
        return layer(fields.get("dim", 1))

    return made


def pad(fields: Fields, shape: Shape) -> nn.Module:
    ends = ends_given(fields["padding"], len(shape) - 1)
    return Function(lambda x: F.pad(x, [end for pair in reversed(ends) for end in pair]))


def crop(fields: Fields, shape: Shape) -> nn.Module:
    rank = len(shape) - 1
    if "size" in fields:
        left = listed(fields["size"], rank)
        ends = tuple(
            ((i - m) // 2, i - m - (i - m) // 2) for i, m in zip(shape[1:], left, strict=True)
        )
    else:
        ends = ends_given(fields["cropping"], rank)

    def cut(x):
        for axis, (before, after) in enumerate(ends, start=2):
            x = x.narrow(axis, before, x.shape[axis] - before - after)
        return x

    return Function(cut)


def upsample(fields: Fields, shape: Shape) -> nn.Module:
    rank = len(shape) - 1
    linear_of = {1: "linear", 2: "bilinear", 3: "trilinear"}
    mode = {"linear": linear_of.get(rank), "cubic": "bicubic"}
    factor = fields.get("scale_factor")
    if isinstance(factor, tuple):
        factor = tuple(map(float, factor))
    elif factor is not None:
        factor = float(factor)
    wanted = fields.get("mode", "nearest")
    return nn.Upsample(size=fields.get("size"), scale_factor=factor, mode=mode.get(wanted, wanted))


def pixel_shuffle(fields: Fields, shape: Shape) -> nn.Module:
    """PyTorch has it for images; for other ranks it is written out, with an output of its own."""
    rank, r = len(shape) - 1, fields["upscale_factor"]
    if rank == 2:
        return nn.PixelShuffle(r)
    if not 1 <= rank <= 3 or r < 1:
        raise ValueError("one to three axes, and a factor of 1 or more")

    def shuffled(x):
        x = x.unflatten(1, (-1, *(r,) * rank))
        x = x.permute(0, 1, *(axis for n in range(rank) for axis in (2 + rank + n, 2 + n)))
        return x.reshape(len(x), x.shape[1], *(size * r for size in shape[1:])).clone()

    return Function(shuffled)


def pixel_unshuffle(field: str) -> Callable:
    """Of `space_to_depth` the channels are in another order; nothing else."""

    def made(fields: Fields, shape: Shape) -> nn.Module:
        rank, r = len(shape) - 1, fields[field]
        if rank == 2:
            return nn.PixelUnshuffle(r)
        if not 1 <= rank <= 3 or r < 1:
            raise ValueError("one to three axes, and a factor of 1 or more")

        def gathered(x):
            for axis in range(rank):
                x = x.unflatten(2 + 2 * axis, (-1, r))
            places = range(2, 2 + 2 * rank, 2)
            x = x.permute(0, 1, *(where + 1 for where in places), *places)
            return x.flatten(1, 1 + rank).clone()

        return Function(gathered)

    return made


def flatten(fields: Fields, shape: Shape) -> nn.Module:
    ends = fields.get("start_dim", 1), fields.get("end_dim", -1)
    if place(ends[0], shape) > place(ends[1], shape):
        raise ValueError("the start comes after the end")
    return nn.Flatten(*ends)


def reshape(fields: Fields, shape: Shape) -> nn.Module:
    return Function(lambda x: torch.reshape(x, (len(x), *fields["shape"])))


def permute(fields: Fields, shape: Shape) -> nn.Module:
    if fields["dims"][0] != 0 or min(fields["dims"]) < 0:
        raise ValueError("the batch stays, and dimensions count from it")
    return Function(lambda x: torch.permute(x, fields["dims"]))


def channel_slice(fields: Fields, shape: Shape) -> nn.Module:
    dim = place(fields.get("dim", 1), shape)
    start, end, size = fields.get("start", 0), fields.get("end"), shape[dim - 1]
    if not -size <= start < size or (end is not None and not -size <= end <= size):
        raise ValueError("what is beyond the end Python leaves out without a word")
    return Function(lambda x: aten.slice(x, dim, start, end))


def split(fields: Fields, shape: Shape) -> nn.Module:
    dim, part = fields.get("dim", 1), fields["part"]
    if part < 1:
        raise ValueError("parts count from 1")
    if "sizes" in fields:
        place(dim, shape)
        return Function(lambda x: torch.split(x, fields["sizes"], dim)[part - 1])
    sections, size = fields["sections"], shape[place(dim, shape) - 1]
    if sections < 1 or size % sections:
        raise ValueError("PyTorch would leave a smaller one at the end")
    return Function(lambda x: torch.split(x, size // sections, dim)[part - 1])


def merge(function: Callable) -> Callable:
    """Two at a time. PyTorch would stretch every axis, and add some in front."""

    def made(fields: Fields, *shapes: Shape) -> nn.Module:
        stretches = fields.get("broadcast", function is torch.mul)
        if len(set(map(len, shapes))) > 1 or (not stretches and len(set(shapes)) > 1):
            raise ValueError("inputs of different shapes")

        def merged(first, *others):
            for other in others:
                first = function(first, other)
            return first

        return Function(merged)

    return made


def mean(fields: Fields, *shapes: Shape) -> nn.Module:
    total = merge(torch.add)(fields, *shapes)
    return Function(lambda *inputs: total(*inputs) / len(inputs))


def weighted_sum(fields: Fields, *shapes: Shape) -> nn.Module:
    total = merge(torch.add)(fields, *shapes)

    def weighted(*inputs, weight):
        return total(*(x * factor for x, factor in zip(inputs, weight.unbind(), strict=True)))

    return Function(weighted, weight=(len(shapes),))


def matmul(fields: Fields, first: Shape, second: Shape) -> nn.Module:
    turns = fields.get("transpose_first", False), fields.get("transpose_second", False)
    if len(first) != len(second) or len(first) < 2 or first[:-2] != second[:-2]:
        raise ValueError("axes before the last two are alike")

    def multiplied(*inputs):
        return torch.matmul(
            *(x.transpose(-2, -1) if turn else x for x, turn in zip(inputs, turns, strict=True))
        )

    return Function(multiplied)


def concat(fields: Fields, *shapes: Shape) -> nn.Module:
    dim = place(fields.get("dim", 1), shapes[0])
    return Function(lambda *inputs: torch.cat(inputs, dim))


COUNTERPARTS: dict[str, Callable[..., nn.Module]] = {
    "conv": convolution,
    "depthwise_conv": convolution,
    "conv_transpose": transposed,
    "max_pool": pool("Max"),
    "avg_pool": pool("Avg"),
    "adaptive_avg_pool": adaptive("Avg"),
    "adaptive_max_pool": adaptive("Max"),
    "global_avg_pool": global_pool("Avg"),
    "global_max_pool": global_pool("Max"),
    "linear": linear,
    "to_tokens": to_tokens,
    "from_tokens": from_tokens,
    "class_token": class_token,
    "position_embedding": position_embedding,
    "multi_head_attention": attention,
    "batch_norm": batch_norm,
    "instance_norm": instance_norm,
    "group_norm": group_norm,
    "layer_norm": layer_norm,
    "scale": scale,
    "local_response_norm": local_response_norm,
    "prelu": prelu,
    "softmax": along(nn.Softmax),
    "glu": along(nn.GLU),
    "pad": pad,
    "crop": crop,
    "upsample": upsample,
    "pixel_shuffle": pixel_shuffle,
    "pixel_unshuffle": pixel_unshuffle("downscale_factor"),
    "space_to_depth": pixel_unshuffle("block_size"),
    "identity": lambda fields, shape: nn.Identity(),
    "dropout": lambda fields, shape: nn.Dropout(fields.get("p", 0.5)),
    "flatten": flatten,
    "reshape": reshape,
    "permute": permute,
    "channel_shuffle": channel_shuffle,
    "channel_slice": channel_slice,
    "split": split,
    "add": merge(torch.add),
    "mul": merge(torch.mul),
    "max": merge(torch.maximum),
    "mean": mean,
    "weighted_sum": weighted_sum,
    "matmul": matmul,
    "concat": concat,
    **{
        kind: lambda fields, shape, function=function: function()
        for kind, function in ACTIVATIONS.items()
    },
}


# -- running them ---------------------------------------------------------------------------------


def made(kind: str, fields: Fields, shapes: tuple[Shape, ...]) -> nn.Module:
    """PyTorch's module for a layer, on the default device."""
    if kind in MERGES and len(shapes) < 2:
        raise ValueError("there is nothing to merge")
    return COUNTERPARTS[kind](fields, *shapes)


@contextmanager
def quiet() -> Iterator[None]:
    """PyTorch warns of weights without elements, of padding by `same` that takes a copy, …"""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@cache
def ran(
    kind: str, items: tuple[tuple[str, object], ...], shapes: tuple[Shape, ...]
) -> Outcome | Exception:
    """What PyTorch makes of a layer, or why it refuses it."""
    with quiet(), torch.no_grad():
        try:
            with torch.device("meta"):
                module = made(kind, dict(items), shapes)
            # With numbers: without them some mistakes go through.
            module.to_empty(device="cpu")
            output = module(*(torch.zeros(BATCH, *shape) for shape in shapes))
        except REFUSALS as error:
            return error.with_traceback(None)
    if 0 in output.shape:
        return ValueError(EMPTY)
    return Outcome(tuple(output.shape[1:]), tensors_of(module))


def run(kind: str, fields: Fields, shapes: tuple[Shape, ...]) -> Outcome:
    """As `ran`. Raises RefusedError."""
    outcome = ran(kind, tuple(fields.items()), shapes)
    if isinstance(outcome, Exception):
        raise RefusedError(kind, fields, shapes, outcome)
    return outcome


def tensors_of(module: nn.Module) -> dict[str, Shape]:
    """Weights and running statistics by name."""
    named = [*module.named_parameters(), *module.named_buffers()]
    return {
        name: tuple(tensor.shape) for name, tensor in named if "num_batches_tracked" not in name
    }


def ignore(*_: object) -> None:
    pass


class Whole(nn.Module):
    """A network of modules; layers that share weights have the same."""

    def __init__(self, network: Network):
        super().__init__()
        self.layers = network.layers
        shapes = list(network.inputs)
        self.steps = nn.ModuleList()
        for layer in network.layers:
            step = made(layer.kind, layer.fields, tuple(shapes[n] for n in layer.inputs))
            if layer.shares is not None:
                lend(self.steps[layer.shares - len(network.inputs)], step)
            self.steps.append(step)
            shapes.append(layer.shape)

    def forward(self, *inputs, before: Callable = ignore, after: Callable = ignore):
        """The inputs, and what each layer makes, in order; with something done around each."""
        outputs = list(inputs)
        for layer, step in zip(self.layers, self.steps, strict=True):
            before(layer)
            outputs.append(step(*(outputs[n] for n in layer.inputs)))
            after(layer, outputs[-1])
        return outputs


def lend(lender: nn.Module, borrower: nn.Module) -> None:
    """Let one module have another's weights and statistics."""
    for names in ("_parameters", "_buffers"):
        have, need = (
            [
                (getattr(module, names), name)
                for module in whole.modules()
                for name, tensor in getattr(module, names).items()
                if tensor is not None
            ]
            for whole in (lender, borrower)
        )
        for (there, name), (here, same) in zip(have, need, strict=True):
            here[same] = there[name]


VIEWS = {
    *("flatten", "reshape", "permute", "to_tokens", "from_tokens", "crop", "channel_slice"),
    *("split", "identity", "dropout"),
}
"""Kinds that may hand on the memory of their input."""
FILLED = {"conv", "depthwise_conv", "conv_transpose", "max_pool", "avg_pool"}
"""Kinds whose padding PyTorch's own layers work out without a copy, as far as they have it."""


class Copies(TorchDispatchMode):
    """Notes which memory is a copy of which.

    PyTorch copies a tensor whose elements do not lie in a row for some functions, and pads it where
    its layer cannot. What it saves of such a copy stands for the tensor itself.
    """

    def __init__(self):
        super().__init__()
        self.kind = ""
        self.of = {}
        self.alive = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        if function is aten.clone.default or (
            function is aten.constant_pad_nd.default and self.kind in FILLED
        ):
            self.note(result, args[0])
        elif function is aten.copy_.default:
            self.note(args[0], args[1])
        return result

    def begin(self, layer: Listed):
        self.kind = layer.kind

    def end(self, layer: Listed, output):
        if layer.kind not in VIEWS:
            self.of.pop(memory(output), None)  # what it hands on is its own

    def note(self, copy, original):
        self.alive += (copy, original)
        if memory(copy) != memory(original):
            self.of[memory(copy)] = original

    def owner(self, tensor):
        """The tensor that this one is a copy of, if it is."""
        while memory(tensor) in self.of:
            tensor = self.of[memory(tensor)]
        return tensor


def shapes_of(outputs) -> list[Shape]:
    return [tuple(output.shape[1:]) for output in outputs]


def memory(tensor) -> int:
    return tensor.untyped_storage().data_ptr()


def kept_by_torch(network: Network, whole: Whole) -> int:
    """Bytes that autograd keeps of a network in training, weights and statistics left out.

    Everything is kept alive to the end, so that no memory comes to stand for two tensors.
    """
    whole = whole.to_empty(device="cpu").train()
    with torch.no_grad():
        for tensor in (*whole.parameters(), *whole.buffers()):
            tensor.fill_(1)
    copies = Copies()
    with quiet(), saved_tensors() as saved, copies:
        inputs = (torch.rand(BATCH, *shape) for shape in network.inputs)
        outputs = whole(*inputs, before=copies.begin, after=copies.end)
    assert shapes_of(outputs) == [*network.inputs, *(layer.shape for layer in network.layers)]
    learned = {memory(tensor) for tensor in (*whole.parameters(), *whole.buffers())}
    kept = {}
    for tensor in saved.values():
        owner = copies.owner(tensor)
        # Of a product with a number PyTorch saves the number, too.
        if tensor.dim() > 0 and memory(owner) not in learned:
            kept[memory(owner)] = owner.untyped_storage().nbytes()
    return sum(kept.values())


# -- both -----------------------------------------------------------------------------------------


def macs_of(layer: Listed, inputs: tuple[Shape, ...], counted: int) -> int:
    """Multiply-adds of one sample, of what PyTorch counted for the batch: 2 for each."""
    macs = counted // (2 * BATCH)
    strides = listed(layer.fields.get("stride", 1), len(inputs[0]) - 1)
    for i, o, s in zip(inputs[0][1:], layer.shape[1:], strides, strict=False):
        if isinstance(s, Fraction):
            # PyTorch has multiplied with the zeros between, at each position of the output.
            macs, left = divmod(macs * i, o)
            assert left == 0
    return macs


def hold(network: Network, graph) -> None:
    """Hold a network of convcalc's against PyTorch's of the same layers."""
    analysis = analyze_graph(graph, batch=BATCH)
    shapes = [*network.inputs, *(layer.shape for layer in network.layers)]
    before = len(network.inputs)
    totals: list[int] = []
    with quiet(), torch.device("meta"):
        whole = Whole(network).eval()
    counter = FlopCounterMode(display=False)
    with quiet(), torch.device("meta"), torch.no_grad(), counter:
        outputs = whole(
            *(torch.empty(BATCH, *shape) for shape in network.inputs),
            after=lambda *_: totals.append(counter.get_total_flops()),
        )
    assert shapes_of(outputs) == shapes
    assert [shape for _, shape in analysis.inputs] == shapes[:before]
    assert [layer.kind for layer in analysis.layers] == [layer.kind for layer in network.layers]
    assert [node.inputs for node in graph.layers] == [layer.inputs for layer in network.layers]
    assert [layer.output_shape for layer in analysis.layers] == shapes[before:]
    assert graph.outputs == network.outputs
    assert [shape for _, shape in analysis.outputs] == [shapes[n] for n in network.outputs]
    for number, (layer, step, mine) in enumerate(
        zip(network.layers, whole.steps, analysis.layers, strict=True)
    ):
        where = f"{mine.name}, a {layer.kind} {layer.fields}"
        assert dict((*mine.weights, *mine.buffer_tensors)) == tensors_of(step), where
        inputs = tuple(shapes[n] for n in layer.inputs)
        counted = totals[number] - (totals[number - 1] if number else 0)
        assert mine.macs == macs_of(layer, inputs, counted), where
        if layer.shares is None:
            weights = dict(step.named_parameters())
            assert mine.params == sum(tensor.numel() for tensor in weights.values()), where
    assert analysis.params == sum(tensor.numel() for tensor in whole.parameters())
    statistics = [
        tensor for name, tensor in whole.named_buffers() if "num_batches_tracked" not in name
    ]
    assert analysis.buffers == sum(tensor.numel() for tensor in statistics)
    assert analysis.macs == sum(layer.macs for layer in analysis.layers)
    assert analysis.training.kept.size == kept_by_torch(network, whole)


# -- the tests ------------------------------------------------------------------------------------

KINDS = tuple(all_kinds())
FORMS = {
    *("group", "parallel", "residual", "residual with a shortcut", "block", "argument", "share"),
    *("for", "repeat", "if", "from", "name", "expression", "several inputs", "outputs"),
    *("1 axis", "2 axes", "3 axes", "a vector", "activation"),
    *(f"parallel with {kind}" for kind in ("concat", "add", "mul")),
}
"""What the networks of each batch have to be written with."""


def test_there_are_thousands_of_networks():
    assert BATCHES * len(KINDS) >= 2_000
    assert COUNTERPARTS.keys() == all_kinds().keys()


@pytest.mark.parametrize("batch", range(BATCHES))
def test_random_networks_are_those_of_pytorch(batch):
    kinds, forms, verdicts = Counter(), Counter(), Counter()
    for kind in KINDS:
        network = random_network(str(batch), kind, run)
        with told_of(network, batch, kind):
            hold(network, build(network.text))
            assert kind in {layer.kind for layer in network.layers}
        with told_of(network, batch, kind):
            verdicts[hold_mutant(network, f"{kind} {batch}")] += 1
        kinds.update(layer.kind for layer in network.layers)
        forms.update(forms_of(network.document))
    assert kinds.keys() == all_kinds().keys()
    assert FORMS - forms.keys() == set()
    assert verdicts.total() == len(KINDS)
    refused = verdicts.total() - verdicts["built"]
    assert min(verdicts["built"], refused) > len(KINDS) // 5, verdicts
    assert len(verdicts) > 5, verdicts


@contextmanager
def told_of(network: Network, batch: int, kind: str) -> Iterator[None]:
    """Say of a failure which network it is, so that it can be had again."""
    try:
        yield
    except Exception as error:
        error.add_note(f'random_network("{batch}", "{kind}", run):\n{network.text}')
        raise


def hold_mutant(network: Network, seed: str) -> str:
    """Hold a network with one thing changed against PyTorch's: `built`, or convcalc's error."""
    draw = Random(seed)  # noqa: S311 - no secret
    while True:
        document = mutant(network.document, draw)
        try:
            other, refusal = unfolded(document, run), None
        except RefusedError as error:
            if isinstance(error.why, NoCounterpartError):
                continue
            other, refusal = None, error
        break
    text = text_of(document)
    try:
        graph, finding = build(text), None
    except SpecError as error:
        graph, finding = None, error
    verdict = f"PyTorch: {refusal or 'builds it'}; convcalc: {finding or 'builds it'}\n{text}"
    assert (graph is None) == (other is None), verdict
    if graph is None:
        return next(each.code.id for each in finding.findings if not each.is_warning)
    hold(other, graph)
    return "built"
