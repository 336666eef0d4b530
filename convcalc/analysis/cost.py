"""What a network costs, layer by layer and in total."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple, cast

from convcalc.algebra import Number, product
from convcalc.analysis.dtypes import Dtypes, bytes_of
from convcalc.analysis.liveness import Liveness, Peak, liveness_of
from convcalc.analysis.receptive_field import ReceptiveField, receptive_fields
from convcalc.analysis.training import TrainingMemory, training_memory
from convcalc.errors import Finding, Place
from convcalc.graph import Graph, PublishedFigure
from convcalc.layers import Layer
from convcalc.layers.declaration import Memory, Operations, Shape, Tensor, elements

__all__ = ["Analysis", "Cost", "LayerCost", "NetworkTotal", "analyze_graph", "total_of"]


class Cost(NamedTuple):
    """What a layer, or several together, cost. Counts are for one sample, bytes for the batch."""

    params: int
    """Elements of the weight tensors, biases and the affine part of norms included."""
    buffers: int
    """Elements of the running statistics."""
    operations: Operations
    activation_elements: int
    """Elements of the outputs that are allocated (views are not)."""
    activation_bytes: int
    weight_bytes: int

    @property
    def macs(self) -> int:
        """Multiply-adds of convolution and matrix products; bias adds are not among them."""
        return cast("int", self.operations.macs)

    @property
    def flops(self) -> int:
        """2 · macs + all other operations."""
        return cast("int", self.operations.flops)


class NetworkTotal(NamedTuple):
    """A network as a line of a list."""

    spec: str
    """What it was read from, as one would name it on the command line."""
    source: str | None
    """Where its design comes from."""
    cost: Cost


class FoundOrder(NamedTuple):
    """What a search for an order with a lower peak has found."""

    given: int
    """The peak in the order of the spec, in bytes."""
    peak: int
    """The peak in the order that was found."""
    is_exact: bool
    """Whether it is proven that no order has a lower one."""


class LayerCost(NamedTuple):
    """A layer of a network with what it costs."""

    name: str
    kind: str
    layer: Layer
    inputs: tuple[str, ...]
    """Names of the layers, or network inputs, that it reads."""
    input_shapes: tuple[tuple[int, ...], ...]
    output_shape: tuple[int, ...]
    weights: tuple[Tensor, ...]
    buffer_tensors: tuple[Tensor, ...]
    cost: Cost
    receptive_field: ReceptiveField
    place: Place | None
    shares_weights_with: str | None = None
    """The layer whose weights it uses: they count there, and not here."""

    @property
    def params(self) -> int:
        """Elements of the weight tensors."""
        return self.cost.params

    @property
    def buffers(self) -> int:
        """Elements of the running statistics."""
        return self.cost.buffers

    @property
    def operations(self) -> Operations:
        """Operations by sort, for one sample."""
        return self.cost.operations

    @property
    def macs(self) -> int:
        """Multiply-adds, for one sample."""
        return self.cost.macs

    @property
    def flops(self) -> int:
        """2 · macs + all other operations, for one sample."""
        return self.cost.flops

    @property
    def activation_elements(self) -> int:
        """Elements of the output, for one sample; 0 if it is a view."""
        return self.cost.activation_elements

    @property
    def activation_bytes(self) -> int:
        """Bytes of the output, for the batch; 0 if it is a view."""
        return self.cost.activation_bytes

    @property
    def weight_bytes(self) -> int:
        """Bytes of the weight tensors."""
        return self.cost.weight_bytes


class Analysis(NamedTuple):
    """What a network costs.

    Counts (``params``, ``macs``, ``flops``, ``operations``, ``activation_elements``) are for one
    sample; bytes are for the batch.
    """

    name: str
    spec: str
    """What the network was read from, as one would name it on the command line."""
    source: str | None
    """Where the design comes from."""
    inputs: tuple[tuple[str, tuple[int, ...]], ...]
    """Name and shape of each input, without the batch."""
    outputs: tuple[tuple[str, tuple[int, ...]], ...]
    """Name and shape of each output, without the batch."""
    batch: int
    dtypes: Dtypes
    layers: tuple[LayerCost, ...]
    """Every layer in the order in which it runs; the inputs are not among them."""
    total: Cost
    liveness: Liveness
    """What is live in each step, in bytes; positions in it count the inputs first."""
    training: TrainingMemory
    """What a step of training holds; positions in it count the inputs first."""
    receptive_field: ReceptiveField
    """Of the first output."""
    published: tuple[PublishedFigure, ...]
    warnings: tuple[Finding, ...]
    settings: tuple[tuple[str, str], ...] = ()
    """Variables that were set otherwise than the spec has them, and to what."""
    in_place: bool = False
    """Whether element-wise layers take over the memory of an input that no one reads any more."""
    order: FoundOrder | None = None
    """The search for an order with a lower peak, if there was one: the layers stand in it."""

    @property
    def params(self) -> int:
        """Elements of all weight tensors, biases and the affine part of norms included."""
        return self.total.params

    @property
    def buffers(self) -> int:
        """Elements of all running statistics."""
        return self.total.buffers

    @property
    def operations(self) -> Operations:
        """Operations by sort."""
        return self.total.operations

    @property
    def macs(self) -> int:
        """Multiply-adds: of conv, linear and matrix products, bias adds not included."""
        return self.total.macs

    @property
    def flops(self) -> int:
        """2 · macs + all other operations."""
        return self.total.flops

    @property
    def activation_elements(self) -> int:
        """Elements of all allocated outputs."""
        return self.total.activation_elements

    @property
    def activation_bytes(self) -> int:
        """Bytes of all allocated outputs, for the batch."""
        return self.total.activation_bytes

    @property
    def weight_bytes(self) -> int:
        """Bytes of all weight tensors."""
        return self.total.weight_bytes

    @property
    def peak_activation_bytes(self) -> int:
        """The largest sum of live tensors over the steps of inference, for the batch."""
        return self.peak.size

    @property
    def peak(self) -> Peak:
        """The most activations that are live at once."""
        return self.liveness.peak

    @property
    def inference_bytes(self) -> int:
        """The weights and the peak of the activations: what must fit in."""
        return self.weight_bytes + self.peak_activation_bytes

    @property
    def training_bytes(self) -> int:
        """What is kept for the backward pass, the weights, their gradients, optimiser state."""
        return self.training.size


def analyze_graph(
    graph: Graph,
    *,
    batch: int = 1,
    dtypes: Dtypes = Dtypes(),  # noqa: B008 - immutable
    in_place: bool = False,
    best_order: bool = False,
    optimizer: str = "sgd",
) -> Analysis:
    """What ``graph`` costs at a batch size, with numbers held in ``dtypes``.

    ``in_place`` lets element-wise layers take over the memory of an input that no one reads any
    more. ``best_order`` looks for an order of the layers with a lower peak. ``optimizer`` is a key
    of `convcalc.analysis.training.OPTIMIZERS`. Raises TypeError if the graph has sizes that are
    formulas.
    """
    with collector_paused():
        found = None
        if best_order:
            graph, found = _in_best_order(graph, batch, dtypes, in_place=in_place)
        analysis = _analyzed(graph, batch, dtypes, in_place=in_place, optimizer=optimizer)
        return analysis if found is None else analysis._replace(order=found)


def _in_best_order(
    graph: Graph, batch: int, dtypes: Dtypes, *, in_place: bool
) -> tuple[Graph, FoundOrder]:
    """The same network in the order with the lowest peak that was found."""
    from convcalc.analysis.ordering import best_order, reordered  # noqa: PLC0415 - if asked for

    inputs = [graph.input_shapes(node) for node in graph.nodes]
    sizes = tuple(node.output_bytes for node in _measured(graph, inputs, batch, dtypes))
    order = best_order(graph, sizes, in_place=in_place)
    given = liveness_of(graph, sizes, in_place=in_place).peak.size
    found = FoundOrder(given, order.peak, order.is_exact)
    return (reordered(graph, order.positions) if order.peak < given else graph), found


@contextmanager
def collector_paused() -> Iterator[None]:
    """Keep Python from looking for garbage cycles.

    An analysis makes many objects, keeps all of them, and makes no cycles. Each search through them
    would find nothing, and the searches together take more than linear time.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _analyzed(
    graph: Graph, batch: int, dtypes: Dtypes, *, in_place: bool, optimizer: str
) -> Analysis:
    nodes = graph.nodes
    inputs = [graph.input_shapes(node) for node in nodes]
    costs = _measured(graph, inputs, batch, dtypes)
    # After the sizes are known to be integers: those of formulas might not be comparable.
    fields = receptive_fields(graph)
    rows = tuple(
        LayerCost(
            node.name,
            node.layer.kind,
            node.layer,
            tuple([nodes[source].name for source in node.inputs]),
            cast("tuple[tuple[int, ...], ...]", shapes),
            cast("tuple[int, ...]", node.shape),
            measured.weights,
            measured.buffers,
            measured.cost,
            field,
            node.place,
            None if node.shares is None else nodes[node.shares].name,
        )
        for node, shapes, measured, field in zip(nodes, inputs, costs, fields, strict=True)
        if node.inputs
    )
    total = sum_of(row.cost for row in rows)
    sizes = tuple(measured.output_bytes for measured in costs)
    return Analysis(
        name=graph.name,
        spec=graph.spec,
        source=graph.source,
        inputs=tuple((node.name, cast("tuple[int, ...]", node.shape)) for node in graph.inputs),
        outputs=tuple(
            (nodes[position].name, cast("tuple[int, ...]", nodes[position].shape))
            for position in graph.outputs
        ),
        batch=batch,
        dtypes=dtypes,
        layers=rows,
        total=total,
        liveness=liveness_of(graph, sizes, in_place=in_place),
        training=training_memory(
            graph, total.weight_bytes, batch=batch, dtypes=dtypes, optimizer=optimizer
        ),
        receptive_field=fields[graph.outputs[0]],
        published=graph.published,
        warnings=graph.warnings,
        settings=graph.settings,
        in_place=in_place,
    )


def total_of(graph: Graph) -> NetworkTotal:
    """The total that `analyze_graph` has, without what it works out beside it."""
    with collector_paused():
        inputs = [graph.input_shapes(node) for node in graph.nodes]
        measured = _measured(graph, inputs, 1, Dtypes())
        return NetworkTotal(graph.spec, graph.source, sum_of(node.cost for node in measured))


def _measured(
    graph: Graph, inputs: list[tuple[Shape, ...]], batch: int, dtypes: Dtypes
) -> list[_Measured]:
    """Each node by itself: layers that are one object, on inputs alike, are worked out once."""
    known: dict[tuple[int, tuple[Shape, ...]], _Measured] = {}
    costs: list[_Measured] = []
    for node, shapes in zip(graph.nodes, inputs, strict=True):
        key = (id(node.layer), shapes or (node.shape,))
        measured = known.get(key)
        if measured is None:
            measured = known[key] = _measure(node.layer, shapes, node.shape, batch, dtypes)
        costs.append(measured if node.shares is None else _sharing(measured))
    return costs


def sum_of(costs: Iterable[Cost]) -> Cost:
    """The costs added up."""
    costs = tuple(costs)
    operations = [0] * len(Operations._fields)
    for cost in costs:
        for sort, count in enumerate(cost.operations):
            operations[sort] += cast("int", count)
    return Cost(
        params=sum(cost.params for cost in costs),
        buffers=sum(cost.buffers for cost in costs),
        operations=Operations(*operations),
        activation_elements=sum(cost.activation_elements for cost in costs),
        activation_bytes=sum(cost.activation_bytes for cost in costs),
        weight_bytes=sum(cost.weight_bytes for cost in costs),
    )


class _Measured(NamedTuple):
    weights: tuple[Tensor, ...]
    buffers: tuple[Tensor, ...]
    cost: Cost
    output_bytes: int
    """Bytes of the output, whether it is allocated or a view."""


def _sharing(measured: _Measured) -> _Measured:
    """The same of a layer whose weights are another's."""
    return measured._replace(cost=measured.cost._replace(params=0, buffers=0, weight_bytes=0))


def _measure(
    layer: Layer, shapes: tuple[Shape, ...], output: Shape, batch: int, dtypes: Dtypes
) -> _Measured:
    output_elements = _whole(product(output))
    output_bytes = bytes_of(output_elements * batch, dtypes.activations)
    if not shapes:  # an input of the network
        return _Measured((), (), Cost(0, 0, Operations(), 0, 0, 0), output_bytes)
    weights = layer.weights(shapes)
    buffers = layer.buffers(shapes)
    allocates = layer.memory is not Memory.VIEW
    cost = Cost(
        params=_whole(elements(weights)),
        buffers=_whole(elements(buffers)),
        operations=layer.operations(shapes, output),
        activation_elements=output_elements if allocates else 0,
        activation_bytes=output_bytes if allocates else 0,
        weight_bytes=sum(
            bytes_of(_whole(product(tensor.shape)), dtypes.weights) for tensor in weights
        ),
    )
    return _Measured(weights, buffers, cost, output_bytes)


def _whole(number: Number) -> int:
    if isinstance(number, int):
        return number
    raise TypeError(f"the size {number} is a formula: substitute its symbols first")
