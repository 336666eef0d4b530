"""What training a network holds in memory.

Kept for the backward pass, as PyTorch's autograd does: each layer kind says what it needs again. A
tensor that two layers need is kept once; views keep the tensor under them. A layer keeps nothing if
there is nothing to learn in it or before it. To this come the weights and a gradient for each;
the state of an optimiser, of which plain gradient descent has none, is not counted.
"""

from __future__ import annotations

from typing import NamedTuple, cast

from convcalc.algebra import product
from convcalc.analysis.dtypes import BITS, Dtypes, bytes_of, whole_bytes
from convcalc.graph import Graph
from convcalc.layers.declaration import Kept, Memory, Shape

__all__ = ["KeptForBackward", "kept_for_backward"]


class KeptForBackward(NamedTuple):
    """The tensors that a forward pass in training leaves behind."""

    outputs: tuple[int, ...]
    """The nodes whose outputs are kept, by position."""
    size: int
    """Bytes of everything kept, for the batch."""


def kept_for_backward(graph: Graph, batch: int, dtypes: Dtypes) -> KeptForBackward:
    """What autograd keeps of ``graph`` between the passes."""
    owners: list[int] = []
    learns: list[bool] = []
    kept: set[int] = set()
    size = 0
    known: dict[tuple[int, tuple[Shape, ...]], tuple[bool, Kept]] = {}
    for position, node in enumerate(graph.nodes):
        shapes = graph.input_shapes(node)
        layer = node.layer
        key = (id(layer), shapes)
        if key not in known:
            has_weights = bool(shapes) and bool(layer.weights(shapes))
            known[key] = (
                has_weights,
                layer.kept_for_backward(shapes, node.shape) if shapes else Kept(),
            )
        has_weights, needed = known[key]
        is_view = bool(shapes) and layer.memory_in_training is Memory.VIEW
        owners.append(owners[node.inputs[0]] if is_view else position)
        learns.append(has_weights or any(learns[source] for source in node.inputs))
        if not learns[position]:
            continue
        if needed.inputs:
            kept.update(owners[source] for source in node.inputs)
        if needed.output:
            kept.add(owners[position])
        for tensor in needed.tensors:
            elements = cast("int", tensor.elements) * (1 if tensor.per_batch else batch)
            size += whole_bytes(elements * (tensor.bits or BITS[dtypes.activations]))
    for position in kept:
        elements = cast("int", product(graph.nodes[position].shape)) * batch
        size += bytes_of(elements, dtypes.activations)
    return KeptForBackward(tuple(sorted(kept)), size)
