"""What the tests of analyses share: graphs built layer by layer, without the spec language."""

import pytest

from convcalc.graph import Graph, Node
from convcalc.layers import Input, Layer
from convcalc.layers.declaration import Shape


class Network:
    """A graph in the making: each layer is added with a name, on layers that are there."""

    def __init__(self, **inputs: Shape):
        self.nodes = [Node(name, Input(), (), shape) for name, shape in inputs.items()]

    def add(self, name: str, layer: Layer, *sources: str) -> str:
        """Add a layer that reads ``sources``, by default the layer before; return its name."""
        inputs = tuple(self.position(source) for source in sources) or (len(self.nodes) - 1,)
        shapes = tuple(self.nodes[n].shape for n in inputs)
        assert list(layer.check(shapes)) == []
        self.nodes.append(Node(name, layer, inputs, layer.output(shapes)))
        return name

    def chain(self, **layers: Layer) -> "Network":
        """Add layers, each on the one before."""
        for name, layer in layers.items():
            self.add(name, layer)
        return self

    def position(self, name: str) -> int:
        [position] = [n for n, node in enumerate(self.nodes) if node.name == name]
        return position

    def graph(self, *outputs: str, **details) -> Graph:
        """The graph; its output is the last layer unless others are named."""
        positions = tuple(self.position(name) for name in outputs) or (len(self.nodes) - 1,)
        return Graph(details.pop("name", "net"), tuple(self.nodes), positions, **details)


@pytest.fixture
def network():
    """Begin a graph with its inputs: ``network(input=(3, 8, 8))``."""
    return Network
