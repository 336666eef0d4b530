"""What an output position sees of the network's input.

A path from the input to a layer sees, for the first output position of an axis, the input positions
from ``start`` up to ``end``, and ``jump`` positions further on for each position after it. A window
of kernel k (dilated), stride s and padding p before the first position makes of that

    start − p · jump,   end + (k − 1 − p) · jump,   jump · s

(Araujo, Norris and Sim, "Computing Receptive Fields of Convolutional Neural Networks", 2019.)
Where branches meet, what is seen goes from the least start to the greatest end; a `concat` along a
spatial axis counts as such a meeting. Paths of different jumps are followed apart, so that the gate
of a squeeze-and-excitation block, which sees everything from every position (jump 0), does not
stretch the steps of the layers behind it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, TypeAlias

from convcalc.algebra import Number
from convcalc.graph import Graph, Node
from convcalc.layers.declaration import POINTWISE, Shape, Window

__all__ = ["ReceptiveField", "receptive_fields"]


class ReceptiveField(NamedTuple):
    """For each spatial axis of the input, the interval that the first output position sees."""

    size: tuple[Number, ...]
    """Input positions from the first to the last that is seen."""
    jump: tuple[Number, ...]
    """Input positions from one output position to the next: the effective stride."""
    start: tuple[Number, ...]
    """The first input position; negative if it lies in the padding."""
    aligned: bool = True
    """Whether all output positions see an interval of this size, each a jump after the one before.

    Not so where branches of different jumps meet, such as a map and a gate made of all of it: then
    size and start are the first position's, and the jump is the longest.
    """


class Path(NamedTuple):
    """What paths of the same jump see of one axis."""

    jump: Number
    start: Number
    end: Number
    """The position after the last."""


Axis: TypeAlias = tuple[Path, ...]
"""The paths to one axis, no two with the same jump."""


def receptive_fields(graph: Graph) -> tuple[ReceptiveField, ...]:
    """The receptive field of each node, in the order of the graph's nodes.

    Raises UndecidableError where free symbols leave open how far a field goes.
    """
    seen: list[tuple[Axis, ...]] = []
    windows: dict[tuple[int, tuple[Shape, ...]], tuple[Window, ...] | None] = {}
    for node in graph.nodes:
        if node.inputs:
            shapes = graph.input_shapes(node)
            key = (id(node.layer), shapes)
            if key not in windows:
                windows[key] = node.layer.windows(shapes)
            met = _met(graph, node, [seen[n] for n in node.inputs])
            axes = _through(windows[key], shapes[0], met)
        else:
            axes = ((Path(1, 0, 1),),) * (len(node.shape) - 1)
        seen.append(axes)
    return tuple(map(_field, seen))


def _field(axes: tuple[Axis, ...]) -> ReceptiveField:
    starts = tuple(min(path.start for path in axis) for axis in axes)
    ends = tuple(max(path.end for path in axis) for axis in axes)
    return ReceptiveField(
        tuple(end - start for start, end in zip(starts, ends, strict=True)),
        tuple(max(path.jump for path in axis) for axis in axes),
        starts,
        all(len(axis) == 1 for axis in axes),
    )


def _through(
    windows: tuple[Window, ...] | None, shape: Shape, axes: tuple[Axis, ...]
) -> tuple[Axis, ...]:
    """What is seen behind a layer with these windows, from an input with these axes."""
    if windows is None:
        # All positions of the input: from what the first sees to what the last sees. Axes that
        # were joined before have none: every position sees what all see.
        counts = shape[1:] if len(shape) == len(axes) + 1 else (1,) * len(axes)
        windows = tuple(Window(n, n, 0) for n in counts)
    if len(windows) != len(axes):
        return axes  # the axes were joined before
    return tuple(
        axis if window is POINTWISE else _behind(axis, window)
        for axis, window in zip(axes, windows, strict=True)
    )


def _behind(axis: Axis, window: Window) -> Axis:
    size, stride, start = window
    behind = [
        Path(jump * stride, first + start * jump, end + (start + size - 1) * jump)
        for jump, first, end in axis
    ]
    return (behind[0],) if len(behind) == 1 else _merged(behind)


def _met(graph: Graph, node: Node, inputs: list[tuple[Axis, ...]]) -> tuple[Axis, ...]:
    """What is seen where branches meet: all paths of all of them.

    An input with fewer axes than another, such as a vector beside an image, has no positions.
    """
    if len(inputs) == 1:
        return inputs[0]
    rank = max(map(len, inputs))
    # Axes that were joined before have no positions that could be told apart.
    output = node.shape[1:] if len(node.shape) == rank + 1 else (1,) * rank
    met = []
    for n, size in enumerate(output):
        paths: list[Path] = []
        for axes, shape in zip(inputs, graph.input_shapes(node), strict=True):
            if len(axes) == rank:
                stretched = not _is_one(size) and _is_one(shape[n + 1])
                paths += [path._replace(jump=0) for path in axes[n]] if stretched else axes[n]
        if _is_one(size):
            longest = max(path.jump for path in paths)
            paths = [path._replace(jump=longest) for path in paths]
        met.append(_merged(paths))
    return tuple(met)


def _merged(paths: Iterable[Path]) -> Axis:
    """Paths of the same jump become one, from the least start to the greatest end."""
    merged: dict[Number, Path] = {}
    for path in paths:
        other = merged.get(path.jump)
        merged[path.jump] = (
            path
            if other is None
            else Path(path.jump, min(other.start, path.start), max(other.end, path.end))
        )
    return tuple(merged.values())


def _is_one(size: Number) -> bool:
    return isinstance(size, int) and size == 1
