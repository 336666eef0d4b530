"""The smallest input that a network accepts, found by walking from its outputs back to its inputs.

Every tensor must have a position on each axis. What a layer's output needs, its input needs more
of: the least size from which the layer's own formula makes enough. Where branches part, the input
must do for all of them. That is a bound for each axis of the input, below which nothing runs. If
the network runs on it, it is the smallest input.

If not, because two branches are not of one size there, or a size must be divisible, sizes are tried
from the bound upward, to the size that the network is known to run on.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from typing import Final, NamedTuple, TypeAlias

from convcalc.analysis.other_inputs import with_inputs
from convcalc.errors import ConvcalcError
from convcalc.graph import Graph, Node
from convcalc.layers import Layer
from convcalc.layers.declaration import POINTWISE, Shape
from convcalc.layers.merging import Concat, ElementwiseMerge
from convcalc.layers.window import SlidingWindow

__all__ = ["MOST_TRIES", "Sizes", "SmallestInput", "least_sizes", "runs_on", "smallest_input"]

MOST_TRIES: Final = 1000
"""Sizes that a search tries, unless told otherwise."""

Sizes: TypeAlias = tuple[tuple[int, ...], ...]
"""For each input of the network its spatial sizes: none for a vector."""


class SmallestInput(NamedTuple):
    """The smallest input that a network accepts, as far as it was looked for."""

    inputs: tuple[tuple[str, tuple[int, ...]], ...]
    """Name and shape of each input, channels included."""
    bounds: Sizes
    """What walking back has found: no axis can be smaller."""
    tried: tuple[Sizes, ...]
    """The sizes that were tried, in that order."""
    is_complete: bool
    """Whether the search was not cut short: no axis alone can be smaller than in ``inputs``."""
    is_smaller: bool
    """Whether it is another input than the one that the network was given with."""

    @property
    def is_bound(self) -> bool:
        """Whether the network runs on the bounds: then no smaller input exists, however odd."""
        return self.bounds == tuple(shape[1:] for _, shape in self.inputs)


def smallest_input(
    graph: Graph,
    graph_at: Callable[[Sizes], Graph] | None = None,
    *,
    most_tries: int = MOST_TRIES,
) -> SmallestInput:
    """The smallest input of ``graph``, axis by axis; inputs of one shape stay of one shape.

    ``graph_at`` makes the network for other spatial sizes, and raises `ConvcalcError` where there
    is none: for specs whose layers depend on the size, or whose axes are one variable. Without it
    the layers of ``graph`` are taken as they are. At most ``most_tries`` sizes are tried.

    Raises TypeError if sizes are formulas.
    """
    bounds = least_sizes(graph)
    given = tuple(_spatial(node.shape) for node in graph.inputs)
    search = _Search(
        lambda sizes: runs_on(graph, sizes) if graph_at is None else _is_made(graph_at, sizes),
        most_tries,
    )
    found, is_complete = _searched(search, bounds, given)
    if graph_at is not None and (found == given or _layers(graph) != _layers(graph_at(found))):
        # What the layers of one size ask for is no bound for the layers of another.
        bounds = tuple((1,) * len(sizes) for sizes in given)
        found, is_complete = _searched(search, bounds, given)
    return SmallestInput(
        tuple(
            (node.name, (*_whole(node.shape)[:1], *sizes))
            for node, sizes in zip(graph.inputs, found, strict=True)
        ),
        bounds,
        tuple(search.tried),
        is_complete,
        found != given,
    )


def _layers(graph: Graph) -> list[Layer]:
    return [node.layer for node in graph.nodes]


# -- back through the layers ----------------------------------------------------------------------


def least_sizes(graph: Graph) -> Sizes:
    """A bound for each spatial axis of each input of ``graph``: nothing smaller runs.

    Raises TypeError if sizes are formulas.
    """
    needs = [[1] * (len(node.shape) - 1) for node in graph.nodes]
    known: dict[tuple[int, tuple[Shape, ...], tuple[int, ...]], list[list[int]]] = {}
    for position in range(len(graph.nodes) - 1, -1, -1):
        node = graph.nodes[position]
        _whole(node.shape)
        if not node.inputs:
            continue
        shapes = graph.input_shapes(node)
        key = (id(node.layer), shapes, tuple(needs[position]))
        if key not in known:
            known[key] = _needs(node, shapes, needs[position])
        for source, need in zip(node.inputs, known[key], strict=True):
            needs[source] = list(map(max, needs[source], need))
    return tuple(
        tuple(need) for need, node in zip(needs, graph.nodes, strict=True) if not node.inputs
    )


def _needs(node: Node, shapes: tuple[Shape, ...], needs: list[int]) -> list[list[int]]:
    """What each axis of each input must have for the output to have ``needs``."""
    layer = node.layer
    nothing = [[1] * (len(shape) - 1) for shape in shapes]
    if any(len(shape) != len(node.shape) for shape in shapes):
        return nothing  # the axes are other ones
    if len(shapes) == 1:
        return [[_least(layer, shapes[0], axis, need) for axis, need in enumerate(needs, start=1)]]
    if not isinstance(layer, ElementwiseMerge | Concat):
        return nothing
    for axis, need in enumerate(needs, start=1):
        for which in _of_that_size(layer, shapes, node.shape, axis):
            nothing[which][axis - 1] = need
    return nothing


def _of_that_size(
    layer: ElementwiseMerge | Concat, shapes: tuple[Shape, ...], output: Shape, axis: int
) -> list[int]:
    """The inputs, by position, that have as many positions on an axis as the output."""
    everyone = list(range(len(shapes)))
    if isinstance(layer, Concat):
        # Along the axis on which they are joined no input alone needs anything.
        return everyone if all(shape[axis] == output[axis] for shape in shapes) else []
    if not layer.broadcasts():
        return everyone
    # What is 1 stays 1 when the input shrinks. Of several that are more, one may come to be 1.
    large = [which for which in everyone if shapes[which][axis] != 1]
    return large if len(large) == 1 else []


def _least(layer: Layer, shape: Shape, axis: int, need: int) -> int:
    """The least size of an axis of which the layer makes ``need`` positions, the others given."""
    windows = layer.windows((shape,))
    if windows is not None and windows[axis - 1] is POINTWISE:
        return need

    def is_enough(size: int) -> bool:
        tried = ((*shape[:axis], size, *shape[axis + 1 :]),)
        if not _accepts(layer, tried):
            return False
        output = layer.output(tried)
        return len(output) == len(shape) and _whole(output)[axis] >= need

    sizes = range(1, _whole(shape)[axis] + 1)
    if isinstance(layer, SlidingWindow):  # the more of the input, the more of the output
        found = bisect_left(sizes, x=True, key=is_enough)
        return sizes[found] if found < len(sizes) else 1
    return next(filter(is_enough, sizes), 1)


# -- forward: does the network run? ---------------------------------------------------------------


def runs_on(graph: Graph, sizes: Sizes) -> bool:
    """Whether the layers of ``graph`` accept inputs of these spatial sizes."""
    shapes = tuple((*node.shape[:1], *each) for node, each in zip(graph.inputs, sizes, strict=True))
    return _is_made(lambda _: with_inputs(graph, shapes), sizes)


def _accepts(layer: Layer, shapes: tuple[Shape, ...]) -> bool:
    return all(finding.is_warning for finding in layer.check(shapes))


def _is_made(graph_at: Callable[[Sizes], Graph], sizes: Sizes) -> bool:
    try:
        graph_at(sizes)
    except ConvcalcError:
        return False
    return True


# -- upward from the bounds -----------------------------------------------------------------------


class _EnoughTriesError(Exception):
    """The search has tried as many sizes as it may."""


class _Search:
    """Sizes that are tried, and what came of it."""

    def __init__(self, is_accepted: Callable[[Sizes], bool], most: int) -> None:
        self._is_accepted = is_accepted
        self._most = most
        self.tried: dict[Sizes, bool] = {}
        """Whether the network runs on them, in the order in which they were tried."""

    def accepts(self, sizes: Sizes) -> bool:
        """Whether the network runs on ``sizes``. Raises `_EnoughTriesError`."""
        if sizes not in self.tried:
            if len(self.tried) >= self._most:
                raise _EnoughTriesError
            self.tried[sizes] = self._is_accepted(sizes)
        return self.tried[sizes]

    @property
    def accepted(self) -> Sizes | None:
        """What was accepted last: a search goes from there to what is less."""
        return next((sizes for sizes in reversed(self.tried) if self.tried[sizes]), None)


def _searched(search: _Search, bounds: Sizes, given: Sizes) -> tuple[Sizes, bool]:
    """The least sizes from ``bounds`` to ``given``, which are accepted, and if all were tried."""
    try:
        return (bounds if search.accepts(bounds) else _least_of(search, bounds, given)), True
    except _EnoughTriesError:
        return search.accepted or given, False


def _least_of(search: _Search, bounds: Sizes, given: Sizes) -> Sizes:
    """Of inputs with one size on all axes, if the given ones have; then each axis for itself."""
    best = given
    different = {size for sizes in given for size in sizes}
    if len(different) == 1:
        least = max(size for sizes in bounds for size in sizes)
        for size in range(least, different.pop()):
            equal = tuple((size,) * len(sizes) for sizes in given)
            if search.accepts(equal):
                best = equal
                break
    for axes in _tied(given):
        best = _shrunk(search, best, bounds, axes)
    return best


def _shrunk(
    search: _Search, best: Sizes, bounds: Sizes, axes: tuple[tuple[int, int], ...]
) -> Sizes:
    """``best`` with the least size on ``axes``, one for all of them, that is accepted."""
    first_input, first_axis = axes[0]
    least = max(bounds[which][axis] for which, axis in axes)
    for size in range(least, best[first_input][first_axis]):
        smaller = [list(sizes) for sizes in best]
        for which, axis in axes:
            smaller[which][axis] = size
        candidate = tuple(map(tuple, smaller))
        if search.accepts(candidate):
            return candidate
    return best


def _tied(given: Sizes) -> list[tuple[tuple[int, int], ...]]:
    """The axes (input, axis) that change together: those of inputs with the same sizes."""
    alike: dict[tuple[int, ...], list[int]] = {}
    for which, sizes in enumerate(given):
        alike.setdefault(sizes, []).append(which)
    return [
        tuple((which, axis) for which in inputs)
        for sizes, inputs in alike.items()
        for axis in range(len(sizes))
    ]


def _spatial(shape: Shape) -> tuple[int, ...]:
    return _whole(shape)[1:]


def _whole(shape: Shape) -> tuple[int, ...]:
    for size in shape:
        if not isinstance(size, int):
            raise TypeError(f"the size {size} is a formula: substitute its symbols first")
    return shape  # type: ignore[return-value]  # all of them are integers
