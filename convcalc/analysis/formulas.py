"""What a network costs as formulas of its free sizes.

The layers' formulas, run on polynomials, are added up as `convcalc.analysis.cost` adds up their
numbers: put numbers in for the symbols, and the analysis of the network with those numbers comes
out. Where a metric compares sizes, as the peak of memory does, there is a formula only if it is the
same whatever the sizes are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final, NamedTuple, TypeAlias, cast

from convcalc.algebra import Polynomial, UndecidableError, product
from convcalc.algebra.polynomial import sum_of_many
from convcalc.analysis.cost import collector_paused
from convcalc.analysis.dtypes import Dtypes, bytes_of
from convcalc.analysis.liveness import peak_of
from convcalc.analysis.receptive_field import ReceptiveField, receptive_fields
from convcalc.analysis.training import training_memory
from convcalc.errors import Place
from convcalc.graph import Graph, Node
from convcalc.layers import Layer
from convcalc.layers.declaration import Memory, Operations, Shape, elements
from convcalc.metrics import METRICS, Metric

__all__ = [
    "FORMULA_METRICS",
    "CostFormula",
    "Formula",
    "LayerFormula",
    "NetworkFormulas",
    "NoFormulaError",
    "network_formulas",
    "receptive_field_formula",
]

Formula: TypeAlias = int | Polynomial

FORMULA_METRICS: Final = tuple(metric.key for metric in METRICS if metric.adds_up)
"""The metrics whose formulas always are: those of the layers add up to the network's."""


class NoFormulaError(ValueError):
    """A metric that is not one formula for all sizes.

    ``metric`` is its key, ``symbols`` are the names whose values would decide it, and ``help`` says
    what to do.
    """

    def __init__(self, metric: Metric, error: UndecidableError) -> None:
        names = ", ".join(sorted(error.symbols))
        super().__init__(f"{metric.noun} is not one formula for all sizes: {error}")
        self.metric = metric.key
        self.symbols = error.symbols
        self.help = f"it is the largest of several sums; give a value to {names}, or analyze"


class CostFormula(NamedTuple):
    """What a layer, or several together, cost.

    Bytes are for the batch. Counts are for one sample if the batch is a number, as everywhere; if
    it is a formula they are for the batch too, as who frees it wants to see it. Parameters, buffers
    and weight bytes are the same for any batch.
    """

    params: Formula
    buffers: Formula
    operations: Operations
    activation_elements: Formula
    activation_bytes: Formula
    weight_bytes: Formula

    @property
    def macs(self) -> Formula:
        """Multiply-adds of convolution and matrix products; bias adds are not among them."""
        return cast("Formula", self.operations.macs)

    @property
    def flops(self) -> Formula:
        """2 · macs + all other operations."""
        return cast("Formula", self.operations.flops)

    def value(self, metric: str) -> Formula:
        """The formula of a metric, a key of `FORMULA_METRICS`. Raises KeyError for another."""
        if metric not in FORMULA_METRICS:
            raise KeyError(metric)
        counted = self if hasattr(self, metric) else self.operations
        return cast("Formula", getattr(counted, metric))


class LayerFormula(NamedTuple):
    """A layer of a network with what it costs."""

    name: str
    kind: str
    inputs: tuple[str, ...]
    """Names of the layers, or network inputs, that it reads."""
    input_shapes: tuple[Shape, ...]
    output_shape: Shape
    """As all shapes, without the batch."""
    cost: CostFormula
    place: Place | None
    shares_weights_with: str | None = None
    """The layer whose weights it uses: they count there, and not here."""

    def value(self, metric: str) -> Formula:
        """The formula of a metric, a key of `FORMULA_METRICS`. Raises KeyError for another."""
        return self.cost.value(metric)


class NetworkFormulas(NamedTuple):
    """What a network costs, as formulas of ``symbols``. `CostFormula` says what counts are for."""

    name: str
    spec: str
    """What the network was read from, as one would name it on the command line."""
    source: str | None
    """Where the design comes from."""
    inputs: tuple[tuple[str, Shape], ...]
    """Name and shape of each input, without the batch."""
    outputs: tuple[tuple[str, Shape], ...]
    batch: Formula
    dtypes: Dtypes
    layers: tuple[LayerFormula, ...]
    """Every layer in the order in which it runs; the inputs are not among them."""
    total: CostFormula
    totals: tuple[tuple[str, Formula], ...]
    """Key and formula of each metric that was asked for, in that order."""
    settings: tuple[tuple[str, str], ...] = ()
    """Variables that were set otherwise than the spec has them, and to what."""

    @property
    def symbols(self) -> tuple[str, ...]:
        """The names of the symbols in the inputs, the batch and the totals, sorted."""
        names: set[str] = set()
        shapes = [size for _, shape in self.inputs for size in shape]
        for formula in (*shapes, self.batch, *(formula for _, formula in self.totals)):
            if isinstance(formula, Polynomial):
                names |= formula.symbols
        return tuple(sorted(names))

    def value(self, metric: str) -> Formula:
        """The total of a metric: of those that were asked for, or that always are.

        Raises KeyError for another.
        """
        return (
            dict(self.totals)[metric] if metric in dict(self.totals) else self.total.value(metric)
        )


def network_formulas(
    graph: Graph,
    *,
    batch: Formula = 1,
    dtypes: Dtypes = Dtypes(),  # noqa: B008 - immutable
    metrics: tuple[str, ...] = FORMULA_METRICS,
    optimizer: str = "sgd",
) -> NetworkFormulas:
    """What ``graph`` costs, whose sizes may be formulas, for ``batch`` samples held in ``dtypes``.

    With a number for the batch, counts are for one sample; with a formula (``symbol("N")``) they
    are for the batch. Bytes are for the batch with either. ``metrics`` are keys of
    `convcalc.metrics.METRICS`; ``optimizer`` is for the training memory.

    Raises `NoFormulaError` if the peak of memory is asked for and depends on comparisons that the
    symbols leave open, KeyError for an unknown metric.
    """
    with collector_paused():
        inputs = [graph.input_shapes(node) for node in graph.nodes]
        costs = _costs(graph, inputs, batch, dtypes)
        layers = tuple(
            LayerFormula(
                node.name,
                node.layer.kind,
                tuple(graph.nodes[source].name for source in node.inputs),
                shapes,
                node.shape,
                cost,
                node.place,
                None if node.shares is None else graph.nodes[node.shares].name,
            )
            for node, shapes, cost in zip(graph.nodes, inputs, costs, strict=True)
            if node.inputs
        )
        total = _sum_of(costs)
        return NetworkFormulas(
            name=graph.name,
            spec=graph.spec,
            source=graph.source,
            inputs=tuple((node.name, node.shape) for node in graph.inputs),
            outputs=tuple(
                (graph.nodes[position].name, graph.nodes[position].shape)
                for position in graph.outputs
            ),
            batch=batch,
            dtypes=dtypes,
            layers=layers,
            total=total,
            totals=tuple(
                (key, _total_of(key, total, graph, batch, dtypes, optimizer)) for key in metrics
            ),
            settings=graph.settings,
        )


def receptive_field_formula(graph: Graph) -> ReceptiveField | None:
    """The receptive field of the first output; None where free sizes leave open how far it goes."""
    try:
        return receptive_fields(graph)[graph.outputs[0]]
    except UndecidableError:
        return None


def _total_of(
    key: str, total: CostFormula, graph: Graph, batch: Formula, dtypes: Dtypes, optimizer: str
) -> Formula:
    if key in FORMULA_METRICS:
        return total.value(key)
    if key == "training_bytes":
        # Typed for numbers, but made of + and * alone.
        return training_memory(
            graph,
            cast("int", total.weight_bytes),
            batch=cast("int", batch),
            dtypes=dtypes,
            optimizer=optimizer,
        ).size
    if key not in {"peak_activation_bytes", "inference_bytes"}:
        raise KeyError(key)
    sizes = tuple(
        _bytes(_plain(product(node.shape)) * batch, dtypes.activations) for node in graph.nodes
    )
    try:
        peak: Formula = peak_of(graph, cast("tuple[int, ...]", sizes)).size
    except UndecidableError as error:
        [metric] = [each for each in METRICS if each.key == key]
        raise NoFormulaError(metric, error) from None
    return peak if key == "peak_activation_bytes" else total.weight_bytes + peak


_NOTHING: Final = CostFormula(0, 0, Operations(), 0, 0, 0)
"""What an input of a network costs."""


def _costs(
    graph: Graph, inputs: list[tuple[Shape, ...]], batch: Formula, dtypes: Dtypes
) -> list[CostFormula]:
    """Each node by itself: layers that are one object, on inputs alike, are worked out once."""
    known: dict[tuple[int, tuple[Shape, ...]], CostFormula] = {}
    costs = []
    for node, shapes in zip(graph.nodes, inputs, strict=True):
        if not shapes:
            costs.append(_NOTHING)
            continue
        key = (id(node.layer), shapes)
        cost = known.get(key)
        if cost is None:
            cost = known[key] = _cost(node, node.layer, shapes, batch, dtypes)
        if node.shares is not None:
            cost = cost._replace(params=0, buffers=0, weight_bytes=0)
        costs.append(cost)
    return costs


def _cost(
    node: Node, layer: Layer, shapes: tuple[Shape, ...], batch: Formula, dtypes: Dtypes
) -> CostFormula:
    weights = layer.weights(shapes)
    sizes = [_plain(product(tensor.shape)) for tensor in weights]
    operations = layer.operations(shapes, node.shape)
    count: Formula = 0
    size: Formula = 0
    if layer.memory is not Memory.VIEW:
        count = _plain(product(node.shape))
        size = _bytes(count * batch, dtypes.activations)
    if isinstance(batch, Polynomial):
        count = count * batch
        operations = operations.times(batch)
    return CostFormula(
        params=sum_of_many(sizes),
        buffers=_plain(elements(layer.buffers(shapes))),
        operations=operations,
        activation_elements=count,
        activation_bytes=size,
        weight_bytes=sum_of_many(_bytes(each, dtypes.weights) for each in sizes),
    )


def _sum_of(costs: list[CostFormula]) -> CostFormula:
    # Layers alike share one object: their formulas are multiplied, not added over and over.
    alike = {id(cost): cost for cost in costs}
    counts = Counter(map(id, costs))

    def added(formulas: Iterable[object]) -> Formula:
        return sum_of_many(
            cast("Formula", formula) * count
            for formula, count in zip(formulas, map(counts.__getitem__, alike), strict=True)
        )

    columns = dict(zip(CostFormula._fields, zip(*alike.values(), strict=True), strict=True))
    operations = zip(*cast("tuple[Operations, ...]", columns.pop("operations")), strict=True)
    return CostFormula(
        operations=Operations(*map(added, operations)),
        **{field: added(formulas) for field, formulas in columns.items()},
    )


def _bytes(count: Formula, dtype: str) -> Formula:
    """Bytes of a tensor of ``count`` elements; typed for numbers, it is made of + * // alone."""
    return bytes_of(cast("int", count), dtype)


def _plain(number: object) -> Formula:
    return cast("Formula", number)
