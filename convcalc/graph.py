"""The layer graph: what every source builds, and what every analysis reads."""

from __future__ import annotations

from typing import NamedTuple

from convcalc.errors import Finding, Place
from convcalc.layers import Layer
from convcalc.layers.declaration import Shape
from convcalc.layers.shaping import Input

__all__ = ["Graph", "Node", "PublishedFigure"]


class Node(NamedTuple):
    """A layer in its place in a network.

    ``name`` is a dotted path: what stands before a dot is a group, so groups need no structure of
    their own. ``inputs`` are positions in `Graph.nodes`, all before this node's own. ``shape`` is
    the output's, without the batch.
    """

    name: str
    layer: Layer
    inputs: tuple[int, ...]
    shape: Shape
    place: Place | None = None
    shares: int | None = None
    """The node whose weights it uses, by position; None: its own."""


class PublishedFigure(NamedTuple):
    """What somebody else says that a network, or a group of its layers, costs.

    ``low`` to ``high`` is what a count may be to agree with ``text``, a figure as it was printed:
    both are the same for an exact one.
    """

    metric: str
    text: str
    low: int
    high: int
    source: str
    group: str | None = None
    """The dotted path of the layers that the figure is for; None: all."""
    place: Place | None = None
    differs: str | None = None
    """Why the figure is not what is computed, where that is known."""


class Graph(NamedTuple):
    """A network: its nodes in an order in which they can run, inputs first."""

    name: str
    nodes: tuple[Node, ...]
    outputs: tuple[int, ...]
    """Positions of the nodes whose outputs are the network's."""
    spec: str = ""
    """What the network was read from, as one would name it on the command line."""
    source: str | None = None
    """Where the design comes from: a paper, an address."""
    settings: tuple[tuple[str, str], ...] = ()
    """Variables that were set otherwise than the spec has them, and to what."""
    published: tuple[PublishedFigure, ...] = ()
    warnings: tuple[Finding, ...] = ()
    """What deserves a look, though nothing is wrong."""

    @property
    def inputs(self) -> tuple[Node, ...]:
        """The network's inputs."""
        return tuple(node for node in self.nodes if isinstance(node.layer, Input))

    @property
    def layers(self) -> tuple[Node, ...]:
        """The nodes that compute something: all but the inputs, in order."""
        return tuple(node for node in self.nodes if not isinstance(node.layer, Input))

    def input_shapes(self, node: Node) -> tuple[Shape, ...]:
        """The shapes of a node's inputs."""
        return tuple(self.nodes[position].shape for position in node.inputs)
