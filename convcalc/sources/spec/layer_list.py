"""A network without a file: layers in the spec language, and the shapes of what they take.

Nothing is written out and read again: the nodes of the texts become those of a spec, so that what
is found points into what the user has typed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from convcalc.errors import EnoughFindingsError, Findings, Place, SourceText
from convcalc.sources.spec import Spec, _too_deep
from convcalc.sources.spec.document import Document
from convcalc.sources.spec.grammar import Grammar
from convcalc.sources.yaml_nodes import YamlMapping, YamlNode, YamlScalar, YamlSequence, compose

__all__ = ["LayerListSpec"]

INPUT_OPTION: Final = "--input"
"""What the text of a shape is called in findings."""

MOST_DIGITS: Final = 40
"""Of a number; a longer one is left to whoever says what is wrong with it."""

_SIZE: Final = re.compile(r"[^,x×\s\[\]]+", re.IGNORECASE)
"""A size of a shape, between commas or crosses; brackets around them mean nothing."""


class LayerListSpec(Spec):
    """A spec of nothing but layers and inputs.

    ``layers`` are texts of the spec language, each a layer or a list of them; ``inputs`` are
    shapes such as ``192,28,28`` or ``192x28x28``, with ``channels_last`` in the order 28, 28, 192.
    One input is called ``input``; of several the first is ``input1``.
    """

    def __init__(
        self, layers: Sequence[str], inputs: Sequence[str], *, channels_last: bool = False
    ) -> None:
        """Read the layers. What is wrong with them is said when a graph is asked for."""
        self._findings = Findings()
        self._document: Document | None = None
        sources = _sources("<layer>", layers)
        self._source = sources[0]
        try:
            found = [
                compose(source, text, self._findings)
                for source, text in zip(sources, layers, strict=True)
            ]
            if not self._findings.errors:
                root = _root(sources, found, inputs, channels_last=channels_last)
                self._document = Grammar(self._source, self._findings).document(root)
        except EnoughFindingsError:
            return
        except RecursionError:
            self._findings.add(_too_deep(self._source))


def _sources(name: str, texts: Sequence[str]) -> list[SourceText]:
    """The texts with their names, numbered if there are several."""
    if len(texts) == 1:
        return [SourceText(name, texts[0])]
    ending = ">" if name.endswith(">") else ""
    stem = name.removesuffix(">")
    return [SourceText(f"{stem} {n}{ending}", text) for n, text in enumerate(texts, start=1)]


def _root(
    sources: Sequence[SourceText],
    found: Iterable[YamlNode | None],
    inputs: Sequence[str],
    *,
    channels_last: bool,
) -> YamlMapping:
    """The spec that has these layers and inputs."""
    layers: list[YamlNode] = []
    for source, node in zip(sources, found, strict=True):
        if isinstance(node, YamlSequence):
            layers += node.items
        else:
            layers.append(node or YamlScalar(Place(source, 1, 1), None, "", quoted=False))
    shapes = [
        _shape(source, text, channels_last=channels_last)
        for source, text in zip(_sources(INPUT_OPTION, inputs), inputs, strict=True)
    ]
    whole = Place(sources[0], 1, 1)
    if len(shapes) == 1:
        key, given = "input", shapes[0]
    else:
        named = {f"input{n}": _named(shape) for n, shape in enumerate(shapes, start=1)}
        key, given = "inputs", YamlMapping(shapes[0].place if shapes else whole, named)
    return YamlMapping(
        whole,
        {
            key: (YamlScalar(given.place, key, key, quoted=False), given),
            "layers": (
                YamlScalar(whole, "layers", "layers", quoted=False),
                YamlSequence(whole, tuple(layers)),
            ),
        },
    )


def _named(shape: YamlNode) -> tuple[YamlScalar, YamlNode]:
    """A shape with the key before it, which nobody has typed."""
    return YamlScalar(shape.place, "input", "input", quoted=False), shape


def _shape(source: SourceText, text: str, *, channels_last: bool) -> YamlNode:
    """A shape as a list, its channels first."""
    sizes: list[YamlNode] = []
    for size in _SIZE.finditer(text):
        place = Place(source, 1, size.start() + 1, len(size[0]))
        is_number = size[0].isascii() and size[0].isdecimal() and len(size[0]) < MOST_DIGITS
        value = int(size[0]) if is_number else size[0]
        sizes.append(YamlScalar(place, value, size[0], quoted=False))
    if channels_last:
        sizes = sizes[-1:] + sizes[:-1]
    return YamlSequence(Place(source, 1, 1, max(1, len(text))), tuple(sizes))
