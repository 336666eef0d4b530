"""What an output position sees of the network's input.

A path from the input to a layer sees, for the first output position of an axis, the input positions
from ``start`` up to ``end``, and ``jump`` positions further on for each position after it. A window
of kernel k (dilated), stride s and padding p before the first position makes of that

    start − p · jump,   end + (k − 1 − p) · jump,   jump · s

(Araujo, Norris and Sim, "Computing Receptive Fields of Convolutional Neural Networks", 2019.)
Behind a layer that makes a finer grid, such as a transposed convolution or an upsampling, the jump
may be a fraction and neighbours see unequally many positions: there a path keeps what each sees
until that repeats. The size is then that of the longest interval.

Where branches meet, what is seen goes from the least start to the greatest end; a `concat` along a
spatial axis counts as such a meeting. Paths of different jumps are followed apart, so that the gate
of a squeeze-and-excitation block, which sees everything from every position (jump 0), does not
stretch the steps of the layers behind it.

A map keeps its positions where its channels are put last and first again, as ConvNeXt does, if what
lies between reads the channels of one position alone. Behind any other `permute` all is seen.

A network input of tokens has no spatial axes, and nothing behind it has a receptive field: what
`layer_norm` or an attention takes an input for decides which it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from functools import lru_cache
from math import gcd, lcm
from typing import Any, Final, NamedTuple, TypeAlias, TypeGuard, cast

from convcalc.algebra import Number, Polynomial, UndecidableError
from convcalc.graph import Graph
from convcalc.layers.activation import Activation
from convcalc.layers.declaration import POINTWISE, Layer, Layout, Shape, Window
from convcalc.layers.linear import Linear
from convcalc.layers.normalization import LayerNorm, Scale
from convcalc.layers.shaping import Dropout, Identity, Permute

__all__ = ["ReceptiveField", "receptive_fields"]


MOST_APART: Final = 128
"""Positions that a path keeps apart at the most; beyond them it has bounds for all."""

Position: TypeAlias = Any
"""A position, or a difference of two: a number, or a fraction of whole ones."""


class ReceptiveField(NamedTuple):
    """For each spatial axis of the input, the interval that the first output position sees."""

    size: tuple[Number, ...]
    """Input positions from the first to the last that is seen."""
    jump: tuple[Number | Fraction, ...]
    """Input positions from one output position to the next: the effective stride."""
    start: tuple[Number, ...]
    """The first input position; negative if it lies in the padding."""
    aligned: bool = True
    """Whether all output positions see an interval of this size, each a jump after the one before.

    Not so where branches of different jumps meet, such as a map and a gate made of all of it: then
    size and start are the first position's, and the jump is the longest. Nor behind a layer that
    makes a finer grid, where neighbours see unequally many: then the size is the largest.
    """
    is_uneven: bool = False
    """Whether, not aligned, all yet see intervals of this size: they are not evenly spaced."""


class Path(NamedTuple):
    """What paths of the same jump see of one axis."""

    jump: Position
    start: Position
    end: Position
    """The position after the last."""
    starts: tuple[int, ...] = ()
    """How much further on the second output position starts to see than the first, and those after
    it, up to the first that sees as many in the same place of a finer grid. None: a jump each."""
    ends: tuple[int, ...] = ()
    """The same of their ends."""

    def spans(self) -> list[tuple[Position, Position]]:
        """Start and end of each output position until they repeat."""
        return [
            (self.start + first, self.end + last)
            for first, last in zip((0, *self.starts), (0, *self.ends), strict=True)
        ]

    def bounds(self) -> Path:
        """A path that keeps nothing apart: between fractions, no narrower for any position."""
        back = [n * self.jump for n in range(1 + len(self.starts))]
        starts, ends = (0, *self.starts), (0, *self.ends)
        # Fractions, even if whole: what is kept apart no more is not to be taken for alike.
        return Path(
            self.jump,
            self.start + Fraction(min(n - m for n, m in zip(starts, back, strict=True))),
            self.end + Fraction(max(n - m for n, m in zip(ends, back, strict=True))),
        )

    def one(self, jump: Position) -> Path:
        """What the first position sees, in steps of ``jump``."""
        return Path(jump, self.start, self.end)


Axis: TypeAlias = tuple[Path, ...]
"""The paths to one axis, no two with the same jump."""


def receptive_fields(graph: Graph) -> tuple[ReceptiveField, ...]:
    """The receptive field of each node, in the order of the graph's nodes.

    Raises UndecidableError where free symbols leave open how far a field goes.
    """
    seen: list[tuple[Axis, ...]] = []
    turned: set[int] = set()  # nodes whose output is a map with its channels last
    windows: dict[tuple[int, tuple[Shape, ...]], tuple[Window, ...] | None] = {}
    tokens = _token_inputs(graph)
    for position, node in enumerate(graph.nodes):
        if node.inputs:
            shapes = graph.input_shapes(node)
            inputs = [seen[n] for n in node.inputs]
            if not turned.isdisjoint(node.inputs):
                if _is_of_each_position(node.layer, shapes):
                    turned.add(position)
                    seen.append(inputs[0])
                    continue
                if _turns(node.layer, shapes[0], to_last=False):
                    seen.append(inputs[0])
                    continue
                inputs = [
                    _through(None, _channels_first(shape), shape, axes) if n in turned else axes
                    for n, shape, axes in zip(node.inputs, shapes, inputs, strict=True)
                ]
            elif (
                _turns(node.layer, shapes[0], to_last=True) and len(inputs[0]) == len(shapes[0]) - 1
            ):
                turned.add(position)
                seen.append(inputs[0])
                continue
            key = (id(node.layer), shapes)
            if key not in windows:
                windows[key] = node.layer.windows(shapes)
            met = _met(shapes, node.shape, inputs)
            axes = _through(windows[key], shapes[0], node.shape, met)
        else:
            axes = ((Path(1, 0, 1),),) * (0 if position in tokens else len(node.shape) - 1)
        seen.append(axes)
    # Layers of one position alone see what the layer before them sees: it is the same object.
    known: dict[tuple[int, Shape], ReceptiveField] = {}
    fields = []
    for position, (axes, node) in enumerate(zip(seen, graph.nodes, strict=True)):
        shape = _channels_first(node.shape) if position in turned else node.shape
        at = (id(axes), shape)
        if at not in known:
            known[at] = _field(axes, shape)
        fields.append(known[at])
    return tuple(fields)


def _token_inputs(graph: Graph) -> set[int]:
    """The inputs of the network that are tokens: those that a layer takes for such.

    It need not read them at once: what looks at each position alone may stand between.
    """
    found: set[int] = set()
    carried: dict[int, frozenset[int]] = {}
    for position, node in enumerate(graph.nodes):
        if not node.inputs:
            carried[position] = frozenset({position})
            continue
        sources = frozenset().union(*(carried.get(n, ()) for n in node.inputs))
        if not sources:
            continue
        shapes = graph.input_shapes(node)
        windows = node.layer.windows(shapes)
        if _takes_tokens(node.layer, shapes, windows):
            found |= sources
        elif (
            windows is not None
            and all(window is POINTWISE for window in windows)
            and len(node.shape) == len(shapes[0])
        ):
            carried[position] = sources
    return found


def _takes_tokens(
    layer: Layer, shapes: tuple[Shape, ...], windows: tuple[Window, ...] | None
) -> bool:
    """Whether a layer takes its inputs for tokens, the features of each behind it."""
    rank = max(map(len, shapes))
    if rank < 2:
        return False
    if isinstance(layer, Linear | LayerNorm) and rank > 2:
        return False  # of a map too they may take the last axis
    if isinstance(layer, LayerNorm):
        over_one = layer.normalized_shape is None or len(layer.normalized_shape) == 1
        return over_one and windows is not None and windows[-1] is not POINTWISE
    return layer.reads is Layout.FEATURES_LAST


def _turns(layer: Layer, shape: Shape, *, to_last: bool) -> bool:
    """Whether a layer puts the channels of a map last, or first again, and nothing else."""
    rank = len(shape) - 1
    dims = (0, *range(2, rank + 2), 1) if to_last else (0, rank + 1, *range(1, rank + 1))
    return isinstance(layer, Permute) and rank > 0 and layer.dims == dims


def _channels_first(shape: Shape) -> Shape:
    """The shape of a map that has its channels last as the others have it."""
    return (shape[-1], *shape[:-1])


def _is_of_each_position(layer: Layer, shapes: tuple[Shape, ...]) -> bool:
    """Whether of a map with its channels last a layer reads the channels of one position alone."""
    if isinstance(layer, LayerNorm):
        windows = layer.windows(shapes)
        return (
            (layer.normalized_shape is None or len(layer.normalized_shape) == 1)
            and windows is not None
            and windows[-1] is not POINTWISE
        )
    return isinstance(layer, Activation | Dropout | Identity | Linear | Scale)


def _field(axes: tuple[Axis, ...], shape: Shape) -> ReceptiveField:
    # Axes that were joined before have one position.
    counts = shape[1:] if len(shape) == len(axes) + 1 else (1,) * len(axes)
    aligned = all(len(axis) == 1 and not _is_fine(axis[0]) for axis in axes)
    return ReceptiveField(
        tuple(_size(axis, count) for axis, count in zip(axes, counts, strict=True)),
        tuple(_greatest([path.jump for path in axis]) for axis in axes),
        tuple(-(_greatest([-path.start for path in axis]) // 1) for axis in axes),
        aligned,
        not aligned
        and all(_sees_equally_many(axis, count) for axis, count in zip(axes, counts, strict=True)),
    )


def _sees_equally_many(axis: Axis, count: Number) -> bool:
    """Whether the positions of one path see intervals of one size, as far as it is known."""
    if len(axis) > 1:
        return False
    if not axis[0].starts:
        return not _is_fine(axis[0])
    spans = axis[0].spans()[: count if _is_int(count) else None]
    return len({end - start for start, end in spans}) == 1


def _size(axis: Axis, count: Number) -> Number:
    """The positions that the first output position sees; of a finer grid, the most that one sees.

    Of an interval between fractions: the whole positions, as many as it has at the most.
    """
    if len(axis) == 1 and axis[0].starts:
        spans = axis[0].spans()
        return cast(
            "int", max(end - start for start, end in spans[: count if _is_int(count) else None])
        )
    first = _greatest([path.end for path in axis]) + _greatest([-path.start for path in axis])
    return cast("Number", first // 1)


def _is_fine(path: Path) -> bool:
    jump, start, end, starts, _ = path
    return (
        bool(starts)
        or isinstance(jump, Fraction)
        or isinstance(start, Fraction)
        or isinstance(end, Fraction)
    )


def _through(
    windows: tuple[Window, ...] | None, shape: Shape, output: Shape, axes: tuple[Axis, ...]
) -> tuple[Axis, ...]:
    """What is seen behind a layer with these windows, from an input with these axes."""
    if windows is None:
        # All positions of the input: from what the first sees to what the last sees. Axes that
        # were joined before have none: every position sees what all see. Of several output
        # positions all see the same; one alone is as the window of a pool as large as its input.
        counts = shape[1:] if len(shape) == len(axes) + 1 else (1,) * len(axes)
        is_one = all(map(_is_one, output[1:]))
        return tuple(
            tuple(path.one(path.jump if is_one else 0) for path in _behind(axis, Window(n, n, 0)))
            for axis, n in zip(axes, counts, strict=True)
        )
    if len(windows) != len(axes):
        return axes  # the axes were joined before
    if all(window is POINTWISE for window in windows):
        return axes
    return tuple(
        axis if window is POINTWISE else _behind(axis, window)
        for axis, window in zip(axes, windows, strict=True)
    )


def _behind(axis: Axis, window: Window) -> Axis:
    size, stride, start, per = window
    is_finer = not _is_one(per)
    behind = [
        _behind_finer(path, window)
        if is_finer or _is_fine(path)
        else Path(
            path.jump * stride,
            path.start + start * path.jump,
            path.end + (start + size - 1) * path.jump,
        )
        for path in axis
    ]
    return (behind[0],) if len(behind) == 1 else _merged(behind)


def _behind_finer(path: Path, window: Window) -> Path:
    """What is seen where the window, or the grid that it lies on, is finer than the input's."""
    for number in (*window, *path[:3]):
        if isinstance(number, Polynomial):
            raise UndecidableError(f"{window.per} divides {number}", number.symbols)
    size, stride, start, per = cast("tuple[int, int, int, int]", window)
    jump = _whole(Fraction(path.jump) * stride / per)
    n = 1 + len(path.starts)
    shift = _whole(n * path.jump)
    # The window repeats after per/gcd output positions, stride/gcd input positions further on, and
    # with what it lies on once these are a multiple of n.
    step = gcd(stride, per)
    count = per // step * (n // gcd(n, stride // step))
    if count > MOST_APART or any(
        isinstance(value, Fraction) for value in (shift, path.start, path.end)
    ):
        bounds = path.bounds()
        return Path(
            jump,
            bounds.start + Fraction(start) * path.jump / per,
            bounds.end + Fraction(start + size - per) * path.jump / per,
        )
    # The first whole position from (j · stride + start)/per on, and the last before
    # (j · stride + start + size)/per.
    first, starts = _followed(path.starts, shift, start + per - 1, stride, per, count)
    last, ends = _followed(path.ends, shift, start + size - per, stride, per, count)
    return _path(jump, path.start + first, path.end + last, starts, ends)


@lru_cache(maxsize=1024)
def _followed(
    further: tuple[int, ...], shift: int, begin: int, stride: int, per: int, count: int
) -> tuple[int, tuple[int, ...]]:
    """How much further on position ⌊begin/per⌋ is than position 0, and those a stride behind it.

    The first number is for the one, the others, for ``count`` − 1 more, are what they add to it.
    """
    places = (0, *further)
    found = []
    for j in range(count):
        rounds, place = divmod((begin + j * stride) // per, len(places))
        found.append(places[place] + rounds * shift)
    return found[0], tuple(value - found[0] for value in found[1:])


def _path(
    jump: Position, start: Position, end: Position, starts: tuple[int, ...], ends: tuple[int, ...]
) -> Path:
    """A path that keeps nothing apart where all see alike."""
    is_alike = (
        starts == ends
        and not isinstance(jump, Fraction)
        and starts == tuple(n * jump for n in range(1, 1 + len(starts)))
    )
    return Path(jump, start, end) if is_alike else Path(jump, start, end, starts, ends)


def _met(
    shapes: tuple[Shape, ...], joined: Shape, inputs: list[tuple[Axis, ...]]
) -> tuple[Axis, ...]:
    """What is seen where branches meet: all paths of all of them.

    An input with fewer axes than another, such as a vector beside an image, has no positions.
    """
    if len(inputs) == 1:
        return inputs[0]
    rank = max(map(len, inputs))
    # Axes that were joined before have no positions that could be told apart.
    output = joined[1:] if len(joined) == rank + 1 else (1,) * rank
    met = []
    for n, size in enumerate(output):
        paths: list[Path] = []
        for axes, shape in zip(inputs, shapes, strict=True):
            if len(axes) == rank:
                stretched = not _is_one(size) and _is_one(shape[n + 1])
                paths += [path.one(0) for path in axes[n]] if stretched else axes[n]
        if _is_one(size):
            longest = _greatest([path.jump for path in paths])
            paths = [path.one(longest) for path in paths]
        met.append(_merged(paths))
    return tuple(met)


def _merged(paths: Iterable[Path]) -> Axis:
    """Paths of the same jump become one, from the least start to the greatest end."""
    merged: dict[Number, Path] = {}
    for path in paths:
        other = merged.get(path.jump)
        merged[path.jump] = path if other is None else _both(other, path)
    return tuple(merged.values())


def _both(one: Path, other: Path) -> Path:
    """Two paths of the same jump as one."""
    count = lcm(1 + len(one.starts), 1 + len(other.starts))
    if 1 < count <= MOST_APART:
        spans = [
            (min(starts), max(ends))
            for starts, ends in (
                zip(mine, theirs, strict=True)
                for mine, theirs in zip(_repeated(one, count), _repeated(other, count), strict=True)
            )
        ]
        start, end = spans[0]
        return _path(
            one.jump,
            start,
            end,
            tuple(first - start for first, _ in spans[1:]),
            tuple(last - end for _, last in spans[1:]),
        )
    if count > 1:
        one, other = one.bounds(), other.bounds()
    return Path(
        one.jump,
        -_greatest([-one.start, -other.start]),
        _greatest([one.end, other.end]),
    )


def _repeated(path: Path, count: int) -> Iterable[tuple[Position, Position]]:
    """Start and end of the first ``count`` positions, a multiple of those that are kept apart."""
    spans = path.spans()
    for rounds in range(count // len(spans)):
        shift = _whole(rounds * len(spans) * path.jump)
        yield from ((start + shift, end + shift) for start, end in spans)


def _whole(position: Position) -> Position:
    """A fraction of denominator 1 as the integer that it is."""
    if isinstance(position, Fraction) and position.denominator == 1:
        return position.numerator
    return position


def _greatest(positions: list[Position]) -> Position:
    """The greatest of some positions. Raises UndecidableError if free symbols leave it open.

    Where one is known to be no less than another it does not matter whether they are equal.
    """
    try:
        return max(positions)
    except UndecidableError:
        greatest = positions[0]
        for position in positions[1:]:
            try:
                is_kept = bool(greatest >= position)
            except UndecidableError:
                is_kept = not position >= greatest
            if not is_kept:
                greatest = position
        return greatest


def _is_one(size: Number) -> bool:
    return _is_int(size) and size == 1


def _is_int(size: Number) -> TypeGuard[int]:
    return isinstance(size, int)
