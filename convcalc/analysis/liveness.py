"""Which tensors are live when, and the peak of their sum.

A tensor lives from the step that writes it through the last step that reads it; the network's
inputs live from the start, its outputs to the end. A view owns nothing: reading it is reading the
tensor under it, all of which stays, be it a slice. A step's own inputs and output both count.

In place, an element-wise layer takes over the memory of an input that no one reads after it and
that is as large as its output. What was handed in as the network's input is never written to.
"""

from __future__ import annotations

from itertools import accumulate
from typing import NamedTuple

from convcalc.graph import Graph
from convcalc.layers.declaration import Memory

__all__ = ["Liveness", "Peak", "TensorLife", "liveness_of", "peak_of", "view_owners"]


class Peak(NamedTuple):
    """The most memory that is live at once."""

    size: int
    """The sum of the sizes of the live tensors, in the unit of the sizes that were given."""
    step: int
    """The first step that has it: a position in `Graph.nodes`."""
    live: tuple[int, ...]
    """The nodes whose tensors are live in that step."""


class TensorLife(NamedTuple):
    """A piece of memory from its first use to its last. Steps are positions in `Graph.nodes`."""

    node: int
    """The node that it was allocated for."""
    first: int
    last: int
    """One past the last node if it is live to the end."""
    size: int


class Liveness(NamedTuple):
    """What is live in each step of a run."""

    steps: tuple[int, ...]
    """The sum of the sizes of what is live in each step; an input's step is the start."""
    tensors: tuple[TensorLife, ...]
    """In the order in which they are allocated."""
    peak: Peak

    def live_in(self, step: int) -> tuple[TensorLife, ...]:
        """The tensors that are live in a step."""
        return tuple(tensor for tensor in self.tensors if tensor.first <= step <= tensor.last)


def view_owners(graph: Graph) -> list[int]:
    """For each node the one whose tensor its output is in: of a view the node that it shows."""
    owners: list[int] = []
    for position, node in enumerate(graph.nodes):
        is_view = node.layer.memory is Memory.VIEW and bool(node.inputs)
        owners.append(owners[node.inputs[0]] if is_view else position)
    return owners


def last_reads(graph: Graph, owners: list[int]) -> list[int]:
    """For each node that owns a tensor the step that reads it last, or a view of it.

    One past the last node for an output; the step that writes it for what nobody reads.
    """
    last = list(range(len(graph.nodes)))
    for position, node in enumerate(graph.nodes):
        for source in node.inputs:
            last[owners[source]] = position
    for output in graph.outputs:
        last[owners[output]] = len(graph.nodes)
    return last


def liveness_of(graph: Graph, sizes: tuple[int, ...], *, in_place: bool = False) -> Liveness:
    """What is live when ``graph`` is run in its order.

    ``sizes`` has the size of each node's output tensor, whether it owns one or is a view.
    """
    nodes = graph.nodes
    owners = view_owners(graph)
    last = last_reads(graph, owners)
    buffers = list(range(len(nodes)))
    """For each node that owns a tensor the node that its memory was allocated for."""
    until = last.copy()
    if in_place:
        for position, node in enumerate(nodes):
            if node.layer.memory is not Memory.IN_PLACE or not node.inputs:
                continue
            for source in node.inputs:
                value = owners[source]
                buffer = buffers[value]
                if (
                    last[value] == until[buffer] == position
                    and nodes[buffer].inputs
                    and sizes[buffer] == sizes[position]
                ):
                    buffers[position], until[buffer] = buffer, last[position]
                    break
    tensors = tuple(
        TensorLife(position, position if node.inputs else 0, until[position], sizes[position])
        for position, node in enumerate(nodes)
        if owners[position] == position and buffers[position] == position
    )
    changes = [0] * (len(nodes) + 2)
    for tensor in tensors:
        changes[tensor.first] += tensor.size
        changes[tensor.last + 1] -= tensor.size
    steps = list(accumulate(changes[: len(nodes)]))
    # The inputs are all there at the start, and leave with their last reader.
    start = sum(tensor.size for tensor in tensors if not nodes[tensor.node].inputs)
    peak, step = start, 0
    for position, node in enumerate(nodes):
        if not node.inputs:
            steps[position] = start
        elif steps[position] > peak:
            peak, step = steps[position], position
    live = tuple(tensor.node for tensor in tensors if tensor.first <= step <= tensor.last)
    return Liveness(tuple(steps), tensors, Peak(peak, step, live))


def peak_of(graph: Graph, sizes: tuple[int, ...], *, in_place: bool = False) -> Peak:
    """The peak over the steps of ``graph``, run in its order; arguments as for `liveness_of`."""
    return liveness_of(graph, sizes, in_place=in_place).peak
