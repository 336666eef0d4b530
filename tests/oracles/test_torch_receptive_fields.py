"""What output positions see, held against where PyTorch's gradients go.

Every weight of a network is one. The gradient of one output position is set to one, and the input
positions that get a gradient are those that it sees. After each layer a gradient becomes one or
zero again, so that neither many paths nor small factors of an interpolation hide where it goes.

Whatever stands at the borders (padding, the ends of a transposed convolution, which fewer input
positions reach, and of a linear interpolation, which repeats the last one) is added by a number of
its own. Where that gets a gradient, the output position sees less than one in the middle would, and
is left out: it is PyTorch, not the receptive field, that says which positions those are.
"""

from fractions import Fraction
from math import ceil, lcm
from random import Random
from typing import NamedTuple

import pytest

from convcalc import load
from convcalc.algebra import symbol
from convcalc.analysis.receptive_field import receptive_fields
from convcalc.errors import catalogue
from convcalc.graph import Graph, Node
from convcalc.layers import Input
from convcalc.layers.activation import Activation, Gelu, Softmax
from convcalc.layers.convolution import Conv, ConvTranspose, DepthwiseConv
from convcalc.layers.linear import Linear
from convcalc.layers.merging import Add, Concat, Mul
from convcalc.layers.normalization import BatchNorm, LayerNorm, LocalResponseNorm, Scale
from convcalc.layers.pooling import AdaptiveAvgPool, AvgPool, GlobalAvgPool, MaxPool
from convcalc.layers.resizing import (
    Crop,
    Pad,
    PixelShuffle,
    PixelUnshuffle,
    SpaceToDepth,
    Upsample,
)
from convcalc.layers.shaping import ChannelSlice, Dropout, Identity, Permute, Split

torch = pytest.importorskip("torch", reason="PyTorch is the oracle, and is not installed")

pytestmark = pytest.mark.oracle
F = torch.nn.functional
NUMBERS = torch.float64
AT_A_POSITION = (Activation, BatchNorm, LocalResponseNorm, Scale, Softmax, Dropout, Identity)
"""Layers that join no positions: the norms over channels at most, as the softmax of the specs."""


# -- a graph in PyTorch ---------------------------------------------------------------------------


class Seen(NamedTuple):
    """What an output position sees, on each axis of the input; () if it sees nothing."""

    first: tuple[int, ...]
    last: tuple[int, ...]
    count: int
    """Input positions that get a gradient, on all axes together."""
    at_border: bool


def seen_by(graph, positions):
    """What each of these positions of the graph's last layer sees.

    All are worked out at once: each is a sample of its own.
    """
    batch, shape = len(positions), graph.nodes[0].shape
    x = torch.ones(batch, *shape, dtype=NUMBERS, requires_grad=True)
    border = torch.ones(batch, *(1 for _ in shape), dtype=NUMBERS, requires_grad=True)
    outputs = [x]
    for node in graph.nodes[1:]:
        output = run(node, [outputs[n] for n in node.inputs], border)
        assert tuple(output.shape[1:]) == node.shape
        output.register_hook(lambda gradient: (gradient > 1e-9).to(NUMBERS))
        outputs.append(output)
    wanted = torch.zeros_like(outputs[-1])
    for sample, position in enumerate(positions):
        wanted[(sample, slice(None), *position)] = 1
    by_input, by_border = torch.autograd.grad(outputs[-1], (x, border), wanted, allow_unused=True)
    found = []
    for sample in range(batch):
        touched = by_input[sample].sum(0).nonzero()
        sees = len(touched) > 0
        found.append(
            Seen(
                tuple(touched.min(0).values.tolist()) if sees else (),
                tuple(touched.max(0).values.tolist()) if sees else (),
                len(touched),
                by_border is not None and bool(by_border[sample].any()),
            )
        )
    return found


def marked(x, ends, border):
    """Add what the borders are told by to so many positions at the ends of each axis."""
    mask = torch.zeros_like(x[:1, :1])
    for axis, (before, after) in enumerate(ends, start=2):
        size = x.shape[axis]
        mask.narrow(axis, 0, min(before, size)).fill_(1)
        mask.narrow(axis, size - min(after, size), min(after, size)).fill_(1)
    return x + mask * border if mask.any() else x


def padded(x, ends, border):
    flat = [end for before_and_after in reversed(ends) for end in before_and_after]
    return marked(F.pad(x, flat), ends, border)


def listed(value, rank):
    return list(value) if isinstance(value, tuple) else [value] * rank


def ends_of(padding, rank):
    return [side if isinstance(side, tuple) else (side, side) for side in listed(padding, rank)]


def spread(x, apart):
    """Positions so far apart on each axis, zeros between."""
    for axis, n in enumerate(apart, start=2):
        zeros = torch.zeros_like(x)
        x = torch.stack([x, *[zeros] * (n - 1)], axis + 1).flatten(axis, axis + 1)
        x = x.narrow(axis, 0, x.shape[axis] - n + 1)
    return x


def run(node, inputs, border):
    """Run one of our layers with PyTorch's functions, its weights all ones."""
    layer, x = node.layer, inputs[0]
    rank = x.dim() - 2
    if isinstance(layer, AT_A_POSITION):
        return x * 1
    if isinstance(layer, Add | Mul):
        return sum(inputs)  # of positive numbers a product has a gradient where a sum has one
    if isinstance(layer, Concat):
        return torch.cat(inputs, layer.dim)
    if isinstance(layer, Conv | DepthwiseConv | MaxPool | AvgPool):
        return slid(layer, x, node.shape, border)
    if isinstance(layer, GlobalAvgPool):
        return x.mean(tuple(range(2, rank + 2)), keepdim=True)
    if isinstance(layer, ConvTranspose):
        kernel, dilation = listed(layer.kernel_size, rank), listed(layer.dilation, rank)
        operation = (F.conv_transpose1d, F.conv_transpose2d)[rank - 1]
        weight = torch.ones(x.shape[1], layer.out_channels, *kernel, dtype=NUMBERS)
        extra = layer.output_padding
        y = operation(x, weight, None, layer.stride, layer.padding, extra, 1, layer.dilation)
        reach = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
        ends = [(n, n + e) for n, e in zip(reach, listed(extra, rank), strict=True)]
        return marked(y, ends, border)
    if isinstance(layer, Upsample):
        linear = ("linear", "bilinear")[rank - 1]
        scale = layer.scale_factor
        factors = None if scale is None else [float(factor) for factor in listed(scale, rank)]
        y = F.interpolate(x, layer.size, factors, linear if layer.mode == "linear" else "nearest")
        if layer.mode == "nearest":
            return y
        wide = [-(-o // i) for o, i in zip(y.shape[2:], x.shape[2:], strict=True)]
        return marked(y, [(n, n) for n in wide], border)
    if isinstance(layer, Pad):
        return padded(x, ends_of(layer.padding, rank), border)
    if isinstance(layer, LayerNorm | Linear):
        # Every number of the dimension that is joined is read for each of the output's.
        dim = getattr(layer, "dim", None) or -1
        size = node.shape[dim - 1 if dim > 0 else dim]
        return x.sum(dim, keepdim=True).expand(*x.shape[:dim], size, *x.shape[dim:][1:]) * 1
    return taken(layer, x)


def slid(layer, x, shape, border):
    """A convolution or pool: the sum over a window, which for a pool is that of each channel.

    The gradient of a maximum goes to one position of its window, whichever is the largest: any may
    be.
    """
    channels_out, *sizes = shape
    rank = len(sizes)
    kernel = listed(layer.kernel_size, rank)
    dilation = listed(getattr(layer, "dilation", 1), rank)
    stride = kernel if layer.stride is None else listed(layer.stride, rank)
    if any(isinstance(s, Fraction) for s in stride):
        x = spread(x, [s.denominator for s in stride])
        stride = [1] * rank
    if layer.padding == "same":
        # For a stride of 1 what PyTorch's `same` does: the lesser half before.
        total = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
        x = padded(x, [(n // 2, n - n // 2) for n in total], border)
    else:
        x = padded(x, ends_of(layer.padding, rank), border)
    channels = x.shape[1]
    groups = 1 if isinstance(layer, Conv) else channels
    weight = torch.ones(channels_out, channels // groups, *kernel, dtype=NUMBERS)
    operation = (F.conv1d, F.conv2d)[rank - 1]
    y = operation(x, weight, None, stride, 0, dilation, groups)
    if not getattr(layer, "ceil_mode", False):
        return y
    # The last windows may hang over the end.
    missing = [(0, n - m) for n, m in zip(sizes, y.shape[2:], strict=True)]
    return padded(y, missing, border)


def taken(layer, x):
    """Layers that only put positions elsewhere."""
    rank = x.dim() - 2
    if isinstance(layer, Permute):
        return x.permute(layer.dims)
    if isinstance(layer, Crop):
        for axis, (before, after) in enumerate(ends_of(layer.cropping, rank), start=2):
            x = x.narrow(axis, before, x.shape[axis] - before - after)
        return x * 1
    if isinstance(layer, ChannelSlice):
        return torch.ops.aten.slice(x, layer.dim, layer.start, layer.end)
    if isinstance(layer, Split):
        return torch.split(x, layer.sizes, layer.dim)[layer.part - 1]
    if isinstance(layer, PixelShuffle):
        r = layer.upscale_factor
        if rank == 2:
            return F.pixel_shuffle(x, r)
        return x.unflatten(1, (-1, r)).transpose(2, 3).flatten(2)
    assert isinstance(layer, PixelUnshuffle | SpaceToDepth), layer
    r = layer.factor()
    if rank == 2:
        return F.pixel_unshuffle(x, r)
    return x.unflatten(2, (-1, r)).transpose(2, 3).flatten(1, 2)


# -- random networks ------------------------------------------------------------------------------

POOL = GlobalAvgPool | AdaptiveAvgPool
CHANNELS = 2
TOO_SMALL = {catalogue.NO_OUTPUT, catalogue.OUT_OF_RANGE}


class TooSmallError(Exception):
    """An input that is too small for the layers drawn."""


class Drawn:
    """A random network in the making.

    ``periods`` says of each node after how many positions all grids lie as they lay, on every axis;
    or after a multiple of that.
    """

    def __init__(self, draw, rank, size, *, pads=True):
        self.draw, self.rank, self.pads = draw, rank, pads
        shape = (1, *(size + draw.randint(0, 5) for _ in range(rank)))
        self.nodes = [Node("input", Input(), (), shape)]
        self.periods = [1]

    def add(self, layer, *sources):
        """Add a layer that reads these nodes, by default the last; return its position."""
        inputs = sources or (len(self.nodes) - 1,)
        shapes = tuple(self.nodes[n].shape for n in inputs)
        found = list(layer.check(shapes))
        if found:
            assert {finding.code for finding in found} <= TOO_SMALL, found
            raise TooSmallError
        self.nodes.append(Node(f"n{len(self.nodes)}", layer, inputs, layer.output(shapes)))
        finer = 1
        if isinstance(layer, ConvTranspose):
            finer = lcm(*listed(layer.stride, self.rank))
        elif isinstance(layer, Conv) and isinstance(layer.stride, Fraction):
            finer = layer.stride.denominator
        elif isinstance(layer, PixelShuffle):
            finer = layer.upscale_factor
        elif isinstance(layer, Upsample):
            scales = layer.scale_factor and listed(layer.scale_factor, self.rank)
            scales = scales or map(Fraction, listed(layer.size, self.rank), shapes[0][1:])
            finer = lcm(*(Fraction(scale).numerator for scale in scales))
        self.periods.append(finer * lcm(*(self.periods[n] for n in inputs)))
        return len(self.nodes) - 1

    def graph(self):
        return Graph("drawn", tuple(self.nodes), (len(self.nodes) - 1,))

    def each(self, low, high):
        return tuple(self.draw.randint(low, high) for _ in range(self.rank))

    def ends(self, most):
        """Positions at both ends of each axis, up to ``most`` of it."""
        if not self.pads:
            return ((0, 0),) * self.rank
        return tuple((self.draw.randint(0, n), self.draw.randint(0, n)) for n in most)

    def mixed(self, channels=CHANNELS):
        """A layer that joins all channels."""
        return self.add(Conv(out_channels=channels, kernel_size=1))

    def window(self, stride):
        """A convolution, or a pool."""
        draw = self.draw
        kernel, dilation = self.each(1, 4), self.each(1, draw.choice([1, 3]))
        if draw.random() < 0.25:
            kernel = self.each(2, 4)
            padding = draw.randint(0, min(kernel) // 2) if self.pads else 0
            fields = {"kernel_size": kernel, "stride": stride, "padding": padding}
            if draw.random() < 0.5:
                return self.add(AvgPool(**fields))
            return self.add(MaxPool(dilation=dilation, **fields))
        padding = self.ends([d * (k - 1) for d, k in zip(dilation, kernel, strict=True)])
        if self.pads and stride == 1 and draw.random() < 0.2:
            padding = "same"
        return self.add(
            Conv(
                out_channels=CHANNELS,
                kernel_size=kernel,
                stride=stride,
                padding=padding,
                dilation=dilation,
            )
        )

    def moved(self):
        """A pad, crop or slice."""
        draw = self.draw
        ways = ["crop", "slice", "split", *(["pad"] if self.pads else [])]
        way = draw.choice(ways)
        if way == "pad":
            return self.add(Pad(padding=self.ends((3,) * self.rank)))
        if way == "crop":
            ends = tuple((draw.randint(0, 3), draw.randint(0, 3)) for _ in range(self.rank))
            return self.add(Crop(cropping=ends))
        dim = draw.randint(2, self.rank + 1)
        if way == "slice":
            return self.add(ChannelSlice(dim=dim, start=draw.randint(0, 4), end=-2))
        size, cut = self.nodes[-1].shape[dim - 1], draw.randint(1, 3)
        return self.add(Split(dim=dim, sizes=(cut, size - cut), part=2))

    def coarser(self, by):
        if self.draw.random() < 0.25:
            # What its squares leave over is cut off.
            left = tuple((0, n % by) for n in self.nodes[-1].shape[1:])
            self.add(Crop(cropping=left))
            kind = self.draw.choice(["pixels", "space"])
            self.add(
                PixelUnshuffle(downscale_factor=by)
                if kind == "pixels"
                else SpaceToDepth(block_size=by)
            )
            return self.mixed()
        return self.window(by)

    def finer(self, by):
        """So many positions for each."""
        draw = self.draw
        ways = ["nearest", "linear", "size"]
        if isinstance(by, int):
            ways += ["shuffle", "transposed", "transposed", "fractional"]
        way = draw.choice(ways)
        if way in ("nearest", "linear"):
            self.add(Upsample(scale_factor=by, mode=way))
        elif way == "size":
            whole = by.denominator if isinstance(by, Fraction) else 1
            self.add(Crop(cropping=tuple((0, n % whole) for n in self.nodes[-1].shape[1:])))
            size = tuple(int(n * by) for n in self.nodes[-1].shape[1:])
            self.add(Upsample(size=size, mode=draw.choice(["nearest", "linear"])))
        elif way == "shuffle":
            self.mixed(by**self.rank)
            self.add(PixelShuffle(upscale_factor=by))
        elif way == "transposed":
            # A kernel less than the stride, or dilated, would leave holes.
            kernel = self.each(by, by + 2)
            self.add(
                ConvTranspose(
                    out_channels=CHANNELS,
                    kernel_size=kernel,
                    stride=by,
                    padding=draw.randint(0, 1) if self.pads else 0,
                    output_padding=draw.randint(0, 1) if self.pads and by > 1 else 0,
                )
            )
        else:
            self.add(
                Conv(
                    out_channels=CHANNELS,
                    kernel_size=self.each(by, by + 2),
                    stride=Fraction(1, by),
                    padding=self.ends((by,) * self.rank),
                )
            )
        if not self.pads and way in ("linear", "size", "transposed"):
            # The ends are border: without padding there is to be none.
            self.add(Crop(cropping=2 * ceil(by) + 1))
        return len(self.nodes) - 1

    def steps(self, ratio):
        """Layers that make ``ratio`` positions of one, in whichever way."""
        draw = self.draw
        if ratio == 1:
            way = draw.choice(["window", "window", "moved", "there", "back"])
            if way == "window":
                self.window(1)
            elif way == "moved":
                self.moved()
            else:
                r = draw.choice([2, 3])
                for step in (
                    (self.finer, self.coarser)
                    if way == "there"
                    else (
                        self.coarser,
                        self.finer,
                    )
                ):
                    step(r)
        elif ratio < 1 and ratio.numerator == 1:
            self.coarser(ratio.denominator)
        else:
            self.finer(ratio.numerator if ratio.denominator == 1 else ratio)

    def plain_steps(self, ratio):
        """The same with windows and moves alone."""
        if ratio == 1:
            self.draw.choice([lambda: self.window(1), self.moved])()
        else:
            self.coarser(ratio.denominator)

    def branches(self, ratios, steps):
        """Branches from the last layer that meet again; what is longer loses its end."""
        fork = len(self.nodes) - 1
        tips = []
        for ratio in ratios:
            self.add(Identity(), fork)
            steps(ratio)
            if self.draw.random() < 0.4:
                steps(Fraction(1))
            tips.append(self.mixed())
        shortest = [
            min(sizes) for sizes in zip(*(self.nodes[n].shape[1:] for n in tips), strict=True)
        ]
        cut = [
            self.add(
                Crop(
                    cropping=tuple(
                        (0, n - m) for n, m in zip(self.nodes[tip].shape[1:], shortest, strict=True)
                    )
                ),
                tip,
            )
            for tip in tips
        ]
        if self.draw.random() < 0.5:
            return self.add(Add(), *cut)
        self.add(Concat(), *cut)
        return self.mixed()


def grown(draw_network, seed, rank, is_enough):
    """The first network for which ``is_enough`` finds something, and that.

    One that is too small is drawn again on a larger input, one whose grids take too long to lie as
    they lay with other layers.
    """
    longest, largest = (48, 4000) if rank == 1 else (8, 400)
    for attempt in range(100):
        size = 60 if rank == 1 else 48
        while size <= largest:
            try:
                net = draw_network(Random(f"{seed} {attempt}"), rank, size)  # noqa: S311 - no secret
            except TooSmallError:
                size *= 2
                continue
            if net.periods[-1] > longest:
                break
            found = is_enough(net)
            if found:
                return net, found
            size *= 2
    raise AssertionError("no network is small enough")


def in_the_middle(net):
    """A period of positions and one more, and what they see, unless some are at the border."""
    wanted = max(net.periods[-1] + 1, 4)
    counts = net.nodes[-1].shape[1:]
    if min(counts) <= wanted:
        return None
    begins = [(count - wanted) // 2 for count in counts]
    positions = [tuple(begin + n for begin in begins) for n in range(wanted)]
    seen = seen_by(net.graph(), positions)
    return None if any(each.at_border for each in seen) else (positions, seen)


def assert_seen(field, period, positions, seen):
    """Hold size, start, jump and alignment against what positions see."""
    are_aligned = True
    for axis, (size, jump, start) in enumerate(zip(*field[:3], strict=True)):
        spans = [(each.first[axis], each.last[axis]) for each in seen]
        places = [position[axis] for position in positions]
        assert size == max(last - first + 1 for first, last in spans[:period])
        assert spans[period] == tuple(end + period * jump for end in spans[0])
        [first] = [
            (span, j)
            for span, j in zip(spans[:period], places[:period], strict=True)
            if j % period == 0
        ]
        assert first[0][0] == start + first[1] * jump
        are_aligned &= all(
            span == (start + j * jump, start + j * jump + size - 1)
            for span, j in zip(spans, places, strict=True)
        )
    assert field.aligned == are_aligned


def coarse_network(draw, rank, size):
    """Windows, moves and branches of the same jumps, all whole."""
    net = Drawn(draw, rank, size)
    for _ in range(draw.randint(1, 5 - rank)):
        ratio = Fraction(1, draw.choice([1, 1, 2, 3]))
        if draw.random() < 0.5:
            net.plain_steps(ratio)
        else:
            net.branches([ratio] * draw.randint(2, 3), net.plain_steps)
    return net


def fine_network(draw, rank, size):
    """The same with finer grids between."""
    net = Drawn(draw, rank, size)
    ratios = [1, 1, Fraction(1, 2), Fraction(1, 3), 2, 3, Fraction(3, 2), Fraction(2, 3)]
    for _ in range(draw.randint(1, 5 - rank)):
        ratio = Fraction(draw.choice(ratios))
        if draw.random() < 0.5:
            net.steps(ratio)
        else:
            net.branches([ratio] * draw.randint(2, 3), net.steps)
    return net


@pytest.mark.parametrize("rank", [1, 2])
@pytest.mark.parametrize("seed", range(80))
def test_a_network_sees_what_gets_a_gradient(seed, rank):
    net, (positions, seen) = grown(coarse_network, seed, rank, in_the_middle)
    field = receptive_fields(net.graph())[-1]
    assert net.periods[-1] == 1
    assert field.aligned
    assert_seen(field, 1, positions, seen)


@pytest.mark.parametrize("rank", [1, 2])
@pytest.mark.parametrize("seed", range(120))
def test_on_finer_grids_the_largest_and_the_first_are_said(seed, rank):
    net, (positions, seen) = grown(fine_network, seed, rank, in_the_middle)
    assert_seen(receptive_fields(net.graph())[-1], net.periods[-1], positions, seen)


def test_the_networks_on_finer_grids_are_of_all_sorts():
    """Some come out even again, some do not; some grids are finer than the input's, some not."""
    fields = [
        receptive_fields(grown(fine_network, seed, 1, in_the_middle)[0].graph())[-1]
        for seed in range(40)
    ]
    assert {field.aligned for field in fields} == {True, False}
    jumps = {field.jump[0] for field in fields}
    assert min(jumps) < 1 < max(jumps)
    assert any(Fraction(jump).denominator > 1 for jump in jumps if jump > 1)


def uneven_network(draw, rank, size):
    """Branches of different jumps, without padding: the first position is away from the border."""
    net = Drawn(draw, rank, size, pads=False)
    if draw.random() < 0.5:
        net.plain_steps(Fraction(1, draw.choice([1, 2])))
    ratios = [Fraction(1), Fraction(1, 2), Fraction(1, 3), Fraction(2), Fraction(1, 4)]
    net.branches(draw.sample(ratios, draw.randint(2, 3)), net.steps)
    for _ in range(draw.randint(0, 2)):
        net.steps(draw.choice([Fraction(1), Fraction(1), Fraction(1, 2), Fraction(2)]))
    return net


def at_the_ends(net):
    """What the first position sees, and two that are a period apart at the end.

    The two so far on that the branch with the longest jump has passed the others.
    """
    period, counts = net.periods[-1], net.nodes[-1].shape[1:]
    if min(counts) < 100 / net.rank + period:
        return None
    last = [tuple(count - 1 - back for count in counts) for back in (period, 0)]
    seen = seen_by(net.graph(), [(0,) * net.rank, *last])
    assert not any(each.at_border for each in seen)
    return seen


@pytest.mark.parametrize("rank", [1, 2])
@pytest.mark.parametrize("seed", range(40))
def test_where_jumps_differ_the_first_position_is_said(seed, rank):
    net, seen = grown(uneven_network, seed, rank, at_the_ends)
    field = receptive_fields(net.graph())[-1]
    assert not field.aligned
    first, before, last = seen
    for axis, (size, jump, start) in enumerate(zip(*field[:3], strict=True)):
        assert first.first[axis] == start
        assert first.last[axis] == start + size - 1
        assert last.last[axis] - before.last[axis] == net.periods[-1] * jump
        # Further on the branches lie further apart.
        assert last.last[axis] - last.first[axis] + 1 > size


def holed_network(draw, rank, size):
    """Transposed convolutions that leave holes, with windows around them."""
    net = Drawn(draw, rank, size)
    for _ in range(draw.randint(1, 2)):
        net.window(draw.choice([1, 2]))
        net.add(
            ConvTranspose(
                out_channels=CHANNELS,
                kernel_size=net.each(2, 3),
                stride=draw.randint(2, 4),
                dilation=draw.randint(1, 3),
            )
        )
        net.window(1)
    return net


def in_the_middle_and_not_nothing(net):
    """Each position of `in_the_middle` that sees anything, and what it sees."""
    positions, seen = in_the_middle(net) or ((), ())
    return [(at, each) for at, each in zip(positions, seen, strict=True) if each.count]


@pytest.mark.parametrize("rank", [1, 2])
@pytest.mark.parametrize("seed", range(20))
def test_of_what_leaves_holes_no_more_is_seen_than_is_said(seed, rank):
    net, seeing = grown(holed_network, seed, rank, in_the_middle_and_not_nothing)
    field, period = receptive_fields(net.graph())[-1], net.periods[-1]
    for position, each in seeing:
        for j, first, last, size, jump, start in zip(
            position, each.first, each.last, *field[:3], strict=True
        ):
            assert last - first + 1 <= size
            if j % period == 0:
                assert first >= start + j * jump


CHANNELS_LAST = {1: (0, 2, 1), 2: (0, 2, 3, 1)}
CHANNELS_FIRST = {1: (0, 2, 1), 2: (0, 3, 1, 2)}


@pytest.mark.parametrize("rank", [1, 2])
@pytest.mark.parametrize(
    ("between", "reads_positions"),
    [
        ([], False),
        ([LayerNorm(dim=-1), Linear(out_features=2, in_features=1), Gelu(), Scale(dim=-1)], False),
        ([LayerNorm(normalized_shape=(1,)), Dropout(), Identity()], False),
        ([LayerNorm(dim=1)], True),  # a norm over the first axis of positions
        ([Conv(out_channels=20, kernel_size=1)], True),  # as if they were channels
    ],
)
def test_positions_stay_while_channels_are_last(rank, between, reads_positions):
    graph = chain(
        (1, *(20, 30)[:rank]),
        conv(3, padding=1),
        Permute(dims=CHANNELS_LAST[rank]),
        *between,
        Permute(dims=CHANNELS_FIRST[rank]),
        conv(3, padding=1),
    )
    middle = (10, 15)[:rank]
    field = receptive_fields(graph)[-1]
    [seen] = seen_by(graph, [middle])
    if reads_positions:
        assert seen.first[0] == 0
        assert seen.last[0] == 19
        assert all(start <= 0 for start in field.start)
        assert all(a + n >= 20 for a, n in zip(field.start, field.size, strict=True))
    else:
        assert (field.size, field.jump, field.aligned) == ((5,) * rank, (1,) * rank, True)
        assert seen.first == tuple(j + a for j, a in zip(middle, field.start, strict=True))
        assert seen.last == tuple(first + 4 for first in seen.first)


@pytest.mark.parametrize(("kernel", "is_even"), [(7, True), (1, False)])
def test_a_skip_that_sees_all_that_a_finer_grid_does_makes_it_even(kernel, is_even):
    # The copies 2j and 2j + 1 see both; a window of 7 around either sees more.
    nodes = [
        Node("input", Input(), (), (1, 40)),
        Node("down", MaxPool(kernel_size=2), (0,), (1, 20)),
        Node("up", Upsample(scale_factor=2), (1,), (1, 40)),
        Node("skip", conv(kernel, padding="same"), (0,), (1, 40)),
        Node("meet", Add(), (2, 3), (1, 40)),
    ]
    graph = Graph("skip", tuple(nodes), (4,))
    positions = [(18,), (19,), (20,)]
    field = receptive_fields(graph)[-1]
    assert field.aligned == is_even
    assert_seen(field, 2, positions, seen_by(graph, positions))


# -- networks that the texts name -----------------------------------------------------------------


def chain(shape, *layers):
    """A graph of layers one after the other."""
    nodes = [Node("input", Input(), (), shape)]
    for n, layer in enumerate(layers):
        assert list(layer.check((nodes[-1].shape,))) == []
        nodes.append(Node(f"n{n}", layer, (n,), layer.output((nodes[-1].shape,))))
    return Graph("chain", tuple(nodes), (len(layers),))


def conv(k, **fields):
    return Conv(out_channels=1, kernel_size=k, **fields)


def assert_sees(graph, position, size, count):
    """Both sides say ``size``, and that so many positions are seen in all."""
    field = receptive_fields(graph)[-1]
    assert field.size == size
    assert field.aligned
    [seen] = seen_by(graph, [position])
    assert not seen.at_border
    starts = tuple(
        start + j * jump for j, start, jump in zip(position, field.start, field.jump, strict=True)
    )
    assert seen.first == starts
    assert seen.last == tuple(start + n - 1 for start, n in zip(starts, size, strict=True))
    assert seen.count == count


def test_three_3x3_see_7x7():
    graph = chain((1, 32, 32), *[conv(3, padding=1)] * 3)
    assert_sees(graph, (15, 15), (7, 7), 7 * 7)


def test_row_12_of_the_textbook_dilation_2_sees_5x5_with_9_weights():
    assert_sees(chain((1, 20, 20), conv(3, dilation=2, padding=2)), (10, 10), (5, 5), 9)


def test_a_stack_of_wavenet_sees_1024_samples():
    # 1 + (1 + 2 + 4 + … + 512) = 1,024
    layers = [conv(2, dilation=2**n, padding=((2**n, 0),)) for n in range(10)]
    assert_sees(chain((1, 1100), *layers), (1050,), (1024,), 1024)


def test_the_spec_of_wavenet_sees_1024_samples():
    settings = {"levels": 2, "residual_channels": 2, "skip_channels": 2, "samples": 1100}
    assert_sees(load("wavenet", settings), (1050,), (1024,), 1024)


def pooled_network(draw, rank, size):
    """Windows and branches without padding, and the mean of all positions."""
    net = Drawn(draw, rank, size, pads=False)
    for _ in range(2):
        net.plain_steps(Fraction(1, draw.choice([1, 2, 3])))
    net.branches([Fraction(1, 2)] * 2, net.plain_steps)
    net.add(GlobalAvgPool())
    return net


@pytest.mark.parametrize("rank", [1, 2])
@pytest.mark.parametrize("seed", range(20))
def test_behind_a_global_pool_all_is_seen_that_any_position_sees(seed, rank):
    """Not always all of the input: its last positions may be stepped over."""
    net, [seen] = grown(pooled_network, seed, rank, lambda net: seen_by(net.graph(), [(0,) * rank]))
    field = receptive_fields(net.graph())[-1]
    assert not seen.at_border
    assert seen.first == field.start
    assert seen.last == tuple(a + n - 1 for a, n in zip(field.start, field.size, strict=True))


@pytest.mark.parametrize("size", [28, 33])
def test_behind_a_global_pool_a_padded_network_sees_everything(size):
    graph = chain(
        (1, size, size + 3),
        conv(3, stride=2, padding=1),
        MaxPool(kernel_size=3, stride=2, padding=1),
        conv(3, padding=1),
        GlobalAvgPool(),
    )
    [seen] = seen_by(graph, [(0, 0)])
    assert seen.count == size * (size + 3)  # each of them
    field = receptive_fields(graph)[-1]
    for n, start, seen_size in zip((size, size + 3), field.start, field.size, strict=True):
        assert start <= 0
        assert start + seen_size >= n


# -- networks that ship with convcalc -------------------------------------------------------------


def thinned(graph, end):
    """The first ``end`` nodes of a graph, with one channel for many: all see the same."""
    nodes = []
    for node in graph.nodes[:end]:
        if not node.inputs:
            nodes.append(node._replace(shape=(1, *node.shape[1:])))
            continue
        fields = dict(vars(node.layer))
        if "out_channels" in fields:
            fields |= {"out_channels": 1, "groups": 1}
        if "out_features" in fields:
            fields |= {"out_features": 1, "in_features": 1}
        layer = type(node.layer)(**fields)
        shape = layer.output(tuple(nodes[n].shape for n in node.inputs))
        nodes.append(node._replace(layer=layer, shape=shape))
    assert nodes[-1].shape[1:] == graph.nodes[end - 1].shape[1:]
    return Graph(graph.name, tuple(nodes), (end - 1,))


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("resnet::resnet50", {"H": 960, "W": 970}),
        ("vgg::vgg16", {"H": 640, "W": 650}),
        ("googlenet::googlenet_torchvision", {"H": 1200, "W": 1210}),
        ("mobilenet_v2", {"resolution": 1100}),
        # Blocks that put the channels last, for a norm and products of each position's, and back.
        ("convnext::convnext_tiny", {"H": 2400, "W": 2410}),
        ("densenet::densenet121", {"H": 2500, "W": 2510}),
    ],
)
def test_a_shipped_network_sees_up_to_its_pool_what_gets_a_gradient(name, settings):
    graph = load(name, settings)
    end = next(n for n, node in enumerate(graph.nodes) if isinstance(node.layer, POOL))
    cut = thinned(graph, end)
    middle = tuple(count // 2 for count in cut.nodes[-1].shape[1:])
    field = receptive_fields(graph)[end - 1]
    assert field.aligned
    [seen] = seen_by(cut, [middle])
    assert not seen.at_border
    for j, first, last, size, jump, start in zip(
        middle, seen.first, seen.last, *field[:3], strict=True
    ):
        assert (first, last) == (start + j * jump, start + j * jump + size - 1)


@pytest.mark.parametrize(
    ("name", "settings", "period"),
    [
        # 2 positions of one, four times; and twice on the way to the finest of three outputs, the
        # last.
        ("unet::unet", {"H": 572, "W": 572}, 16),
        ("fpn::yolov3", {"size": 1600}, 4),
    ],
)
def test_a_shipped_network_of_finer_grids_sees_what_gets_a_gradient(name, settings, period):
    graph = load(name, settings)
    end = 1 + max(graph.outputs)
    cut = thinned(graph, end)
    begins = [(count - period) // 2 for count in cut.nodes[-1].shape[1:]]
    positions = [tuple(begin + n for begin in begins) for n in range(period + 1)]
    seen = [seen_by(cut, [position])[0] for position in positions]
    assert not any(each.at_border for each in seen)
    field = receptive_fields(graph)[end - 1]
    assert not field.aligned
    assert_seen(field, period, positions, seen)


# -- without height and width ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "size", "jump"),
    [
        # Stem and pool see 7 and 7 + 2·2 = 11, in steps of 4. A block has one 3×3; the first of
        # stages 2 to 4 is still in the steps before: 11 + 3·8 = 35, + 8 + 3·16 = 91,
        # + 16 + 5·32 = 267, + 32 + 2·64 = 427.
        ("resnet::resnet50", 427, 32),
        # Two 3×3 a block: 11 + 4·8 = 43, + 8 + 3·16 = 99, + 16 + 3·32 = 211, + 32 + 3·64 = 435.
        ("resnet::resnet18", 435, 32),
        # Araujo, Norris and Sim (2019), table 1: vgg_16 at its last pool.
        ("vgg::vgg16", 212, 32),
        # 11 + 6·8 = 59, a pool of 2 + 4, + 12·16 = 255, + 8, + 24·32 = 1,031, + 16,
        # + 16·64 = 2,071.
        ("densenet::densenet121", 2071, 32),
        # 4 + 3·24 = 76, a conv of 2 + 4, + 3·48 = 224, + 8, + 9·96 = 1,096, + 16, + 3·192 = 1,688.
        ("convnext::convnext_tiny", 1688, 32),
    ],
)
def test_size_jump_and_start_need_no_height_and_width(name, size, jump):
    free = load(name, {"H": symbol("H"), "W": symbol("W")})
    fields = receptive_fields(free)
    numbers = receptive_fields(load(name, {"H": 640, "W": 800}))
    pool = next(n for n, node in enumerate(free.nodes) if isinstance(node.layer, POOL))
    assert pool > 10
    assert fields[:pool] == numbers[:pool]
    for field in fields[:pool]:
        assert all(type(number) is int for numbers in field[:3] for number in numbers)
    assert fields[pool - 1].size == (size, size)
    assert fields[pool - 1].jump == (jump, jump)


def test_the_finer_grids_of_unet_need_no_height_and_width():
    free = receptive_fields(load("unet::unet", {"H": symbol("H"), "W": symbol("W")}))
    assert free == receptive_fields(load("unet::unet", {"H": 572, "W": 700}))
    assert free[-1].jump == (1, 1)


def test_with_a_global_pool_the_size_is_a_formula():
    h = symbol("H")
    graph = load("resnet::resnet18", {"H": h, "W": 224})
    pool = next(n for n, node in enumerate(graph.nodes) if isinstance(node.layer, POOL))
    height, width = receptive_fields(graph)[pool].size
    # Five times ⌊(n − 1)/2⌋ + 1 positions, which is ⌈n/32⌉ in the end, the last 32 · (⌈n/32⌉ − 1)
    # further on than the first: of 224 there are 7.
    assert width == 435 + 32 * 6
    assert height.substitute({"H": 224}) == 435 + 32 * 6
