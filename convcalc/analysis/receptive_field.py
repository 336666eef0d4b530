"""What an output position sees of the network's input.

For a window of kernel k (dilated), stride s and padding p before the first position, on an axis
where the layer's input has receptive field (size, jump, start):

    size + (k − 1) · jump,   jump · s,   start − p · jump

(Araujo, Norris and Sim, "Computing Receptive Fields of Convolutional Neural Networks", 2019.)
Where branches meet, from the least start to the greatest end.
"""

from __future__ import annotations

from typing import NamedTuple

from convcalc.algebra import Number
from convcalc.graph import Graph, Node

__all__ = ["ReceptiveField", "receptive_fields"]


class ReceptiveField(NamedTuple):
    """For each spatial axis of the input, the interval that the first output position sees."""

    size: tuple[Number, ...]
    """Input positions from the first to the last that is seen."""
    jump: tuple[Number, ...]
    """Input positions from one output position to the next: the effective stride."""
    start: tuple[Number, ...]
    """The first input position; negative if it lies in the padding."""


def receptive_fields(graph: Graph) -> tuple[ReceptiveField, ...]:
    """The receptive field of each node, in the order of the graph's nodes."""
    fields: list[ReceptiveField] = []
    for node in graph.nodes:
        if not node.inputs:
            axes = len(node.shape) - 1
            fields.append(ReceptiveField((1,) * axes, (1,) * axes, (0,) * axes))
        else:
            seen = [fields[position] for position in node.inputs]
            fields.append(_through(graph, node, seen[0] if len(seen) == 1 else _union(seen)))
    return tuple(fields)


def _through(graph: Graph, node: Node, field: ReceptiveField) -> ReceptiveField:
    """The receptive field behind a layer whose input has ``field``."""
    shapes = graph.input_shapes(node)
    windows = node.layer.windows(shapes)
    if windows is None:
        # All positions of the input: from what the first sees to what the last sees.
        positions = shapes[0][1:] if len(shapes[0]) == len(field.size) + 1 else None
        counts = positions or (1,) * len(field.size)
        return ReceptiveField(
            tuple(
                size + (n - 1) * jump
                for size, jump, n in zip(field.size, field.jump, counts, strict=True)
            ),
            tuple(jump * n for jump, n in zip(field.jump, counts, strict=True)),
            field.start,
        )
    if len(windows) != len(field.size):
        return field  # the axes were joined before: every position sees what all see
    return ReceptiveField(
        tuple(
            size + (window.size - 1) * jump
            for size, jump, window in zip(field.size, field.jump, windows, strict=True)
        ),
        tuple(jump * window.stride for jump, window in zip(field.jump, windows, strict=True)),
        tuple(
            start + window.start * jump
            for start, jump, window in zip(field.start, field.jump, windows, strict=True)
        ),
    )


def _union(fields: list[ReceptiveField]) -> ReceptiveField:
    """From the least start to the greatest end, with the widest jump."""
    axes = min(len(field.size) for field in fields)
    starts, sizes, jumps = [], [], []
    for axis in range(axes):
        start = min(field.start[axis] for field in fields)
        end = max(field.start[axis] + field.size[axis] for field in fields)
        starts.append(start)
        sizes.append(end - start)
        jumps.append(max(field.jump[axis] for field in fields))
    return ReceptiveField(tuple(sizes), tuple(jumps), tuple(starts))
