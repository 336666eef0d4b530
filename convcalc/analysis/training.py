"""What training a network holds in memory.

Kept for the backward pass, as PyTorch's autograd does: each layer kind says what it needs again. A
tensor that two layers need is kept once; views keep the tensor under them. A layer keeps nothing if
there is nothing to learn in it or before it. To this come the weights, a gradient for each, and the
state of the optimiser: nothing for plain gradient descent, a velocity for each weight with
momentum, a mean and a mean square of its gradients with Adam.
"""

from __future__ import annotations

from typing import Final, NamedTuple, cast

from convcalc.algebra import product
from convcalc.analysis.dtypes import BITS, Dtypes, bytes_of, whole_bytes
from convcalc.graph import Graph
from convcalc.layers.declaration import Kept, Memory, Shape

__all__ = [
    "OPTIMIZERS",
    "KeptForBackward",
    "TrainingMemory",
    "kept_for_backward",
    "training_memory",
]

OPTIMIZERS: Final = {"sgd": 0, "momentum": 1, "adam": 2}
"""Numbers that an optimiser keeps for each weight between two steps.

Adam's count of the steps, one number a tensor, is left out.
"""


class KeptForBackward(NamedTuple):
    """The tensors that a forward pass in training leaves behind."""

    outputs: tuple[int, ...]
    """The nodes whose outputs are kept, by position."""
    size: int
    """Bytes of everything kept, for the batch."""
    of_nodes: tuple[int, ...]
    """The same apart: for each node what is kept for it, and for none before it."""


class TrainingMemory(NamedTuple):
    """Bytes that a step of training holds, for the batch."""

    kept: KeptForBackward
    weights: int
    gradients: int
    optimizer: str
    """A key of `OPTIMIZERS`."""
    optimizer_state: int

    @property
    def size(self) -> int:
        """All together."""
        return self.kept.size + self.weights + self.gradients + self.optimizer_state


def training_memory(
    graph: Graph, weight_bytes: int, *, batch: int, dtypes: Dtypes, optimizer: str
) -> TrainingMemory:
    """What training ``graph`` holds, whose weights take ``weight_bytes``.

    Gradients and the optimiser's state are in the format of the weights.
    """
    return TrainingMemory(
        kept_for_backward(graph, batch, dtypes),
        weight_bytes,
        weight_bytes,
        optimizer,
        OPTIMIZERS[optimizer] * weight_bytes,
    )


def kept_for_backward(graph: Graph, batch: int, dtypes: Dtypes) -> KeptForBackward:
    """What autograd keeps of ``graph`` between the passes."""
    owners: list[int] = []
    learns: list[bool] = []
    kept: set[int] = set()
    of_nodes: list[int] = []
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
        of_nodes.append(0)
        if not learns[position]:
            continue
        learned = tuple([learns[source] for source in node.inputs])
        inputs, tensors = layer.needed(needed, learned)
        wanted = [owners[n] for n, is_kept in zip(node.inputs, inputs, strict=True) if is_kept]
        if needed.output:
            wanted.append(owners[position])
        for owner in wanted:
            if owner not in kept:
                kept.add(owner)
                elements = cast("int", product(graph.nodes[owner].shape)) * batch
                of_nodes[position] += bytes_of(elements, dtypes.activations)
        for tensor in tensors:
            elements = cast("int", tensor.elements) * (1 if tensor.per_batch else batch)
            of_nodes[position] += whole_bytes(elements * (tensor.bits or BITS[dtypes.activations]))
    return KeptForBackward(tuple(sorted(kept)), sum(of_nodes), tuple(of_nodes))
