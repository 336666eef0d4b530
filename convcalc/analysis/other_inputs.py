"""The same layers on inputs of other shapes, numbers or formulas.

A spec with a variable for its input's size is better read anew: whatever it works out from the size
then follows. This is for an axis that no variable stands for, and for trying many sizes fast.
"""

from __future__ import annotations

from convcalc.algebra import UndecidableError
from convcalc.errors import Finding, SpecError, catalogue
from convcalc.graph import Graph, Node
from convcalc.layers.declaration import Shape

__all__ = ["with_inputs"]


def with_inputs(graph: Graph, shapes: tuple[Shape, ...]) -> Graph:
    """The layers of ``graph`` on inputs of ``shapes``, without the batch, one for each input.

    The layers keep their fields: a width that was worked out from a size stays what it is. Raises
    `SpecError` with what the first layer that refuses them has against them.
    """
    given = iter(shapes)
    known: dict[tuple[int, tuple[Shape, ...]], Shape] = {}
    nodes: list[Node] = []
    for node in graph.nodes:
        if not node.inputs:
            nodes.append(node._replace(shape=next(given)))
            continue
        inputs = tuple([nodes[source].shape for source in node.inputs])
        key = (id(node.layer), inputs)
        output = known.get(key)
        if output is None:
            output = known[key] = _output(node, inputs)
        nodes.append(node._replace(shape=output))
    return graph._replace(nodes=tuple(nodes))


def _output(node: Node, inputs: tuple[Shape, ...]) -> Shape:
    try:
        found = [each for each in node.layer.check(inputs) if not each.is_warning]
        if not found:
            return node.layer.output(inputs)
    except UndecidableError as error:
        found = [Finding(catalogue.UNDECIDABLE, f"`{{name}}`: {error}")]
    raise SpecError(
        each._replace(message=each.message.replace("{name}", node.name), place=node.place)
        for each in found
    )
