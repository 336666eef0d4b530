"""Which tensors are live when, and the peak of their sum.

A tensor lives from the step that writes it through the last step that reads it; the network's
inputs live from the start, its outputs to the end. A view owns nothing: reading it is reading the
tensor under it. A step's own inputs and output both count.
"""

from __future__ import annotations

from typing import NamedTuple

from convcalc.graph import Graph
from convcalc.layers.declaration import Memory

__all__ = ["Peak", "peak_of"]


class Peak(NamedTuple):
    """The most memory that is live at once."""

    size: int
    """The sum of the sizes of the live tensors, in the unit of the sizes that were given."""
    step: int
    """The first step that has it: a position in `Graph.nodes`."""
    live: tuple[int, ...]
    """The nodes whose tensors are live in that step."""


def peak_of(graph: Graph, sizes: tuple[int, ...]) -> Peak:
    """The peak over the steps of ``graph``, run in its order.

    ``sizes`` has the size of each node's output tensor, whether it owns one or is a view.
    """
    owners: list[int] = []
    last_read: list[int] = []
    for position, node in enumerate(graph.nodes):
        is_view = node.layer.memory is Memory.VIEW and bool(node.inputs)
        owners.append(owners[node.inputs[0]] if is_view else position)
        last_read.append(position)
        for source in node.inputs:
            last_read[owners[source]] = position
    for output in graph.outputs:
        last_read[owners[output]] = len(graph.nodes)

    freed_after: dict[int, list[int]] = {}
    for position, owner in enumerate(owners):
        if owner == position:
            freed_after.setdefault(last_read[position], []).append(position)

    inputs = [n for n, node in enumerate(graph.nodes) if not node.inputs]
    live = sum(sizes[position] for position in inputs)
    peak, peak_step = live, 0
    for position, node in enumerate(graph.nodes):
        if owners[position] == position and node.inputs:
            live += sizes[position]
        if live > peak:
            peak, peak_step = live, position
        for done in freed_after.get(position, ()):
            live -= sizes[done]
    return Peak(peak, peak_step, _live_at(graph, peak_step, owners, last_read))


def _live_at(graph: Graph, step: int, owners: list[int], last_read: list[int]) -> tuple[int, ...]:
    return tuple(
        position
        for position, owner in enumerate(owners)
        if owner == position
        and (position <= step or not graph.nodes[position].inputs)
        and last_read[position] >= step
    )
