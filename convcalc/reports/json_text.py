"""What all JSON that convcalc writes has in common."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final

from convcalc.metrics import SCHEMA_VERSION

__all__ = ["json_text", "report_text"]

WHOLE: Final = 4
"""What is indented by so much is made in one piece: a layer of a network."""
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False)


def json_text(value: object) -> str:
    """``value`` as JSON with a line break at its end; iterators are written as lists.

    It can be written as UTF-8, though the name of a file may hold bytes that are no text, and
    shown on a terminal: what would steer that, or turn the direction of reading, is escaped.
    """
    return "".join((*_pieces(value, "\n"), "\n"))


def report_text(version: str, **parts: object) -> str:
    """A report by convcalc of a given version: which contract it keeps, and its parts."""
    return json_text({"schema_version": SCHEMA_VERSION, "convcalc": version, **parts})


def _pieces(value: object, start: str) -> Iterator[str]:
    """The text in pieces, of which a layer is one: with 100,000 of them there is none to spare."""
    if len(start) > WHOLE or not isinstance(value, Mapping | list | tuple | Iterator):
        yield _text(value, start)
        return
    opening, closing = "{}" if isinstance(value, Mapping) else "[]"
    before, inner = opening, start + " "
    entries = (
        ((f"{_quoted(key)}: ", each) for key, each in value.items())
        if isinstance(value, Mapping)
        else (("", each) for each in value)
    )
    for key, each in entries:
        yield before + inner + key
        yield from _pieces(each, inner)
        before = ","
    yield opening + closing if before == opening else start + closing


def _text(value: object, start: str) -> str:
    """What `json.dumps` lays out with an indent of 1 on lines that begin with ``start``.

    That makes circles of functions at each call, which stay: commands collect no garbage.
    """
    if isinstance(value, str):
        return _quoted(value)
    if value is None or isinstance(value, int | float):
        return _ENCODER.encode(value) if type(value) is not int else repr(value)
    inner = start + " "
    if isinstance(value, Mapping):
        entries = [f"{_quoted(key)}: {_text(each, inner)}" for key, each in value.items()]
        return "{" + inner + ("," + inner).join(entries) + start + "}" if entries else "{}"
    if isinstance(value, list | tuple | Iterator):
        items = [_text(each, inner) for each in value]
        return "[" + inner + ("," + inner).join(items) + start + "]" if items else "[]"
    raise TypeError(f"{type(value).__name__} in a report")


@lru_cache(maxsize=2**12)  # keys, kinds and names come again and again
def _quoted(text: str) -> str:
    quoted = _ENCODER.encode(text)
    if quoted.isprintable():
        return quoted
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in quoted)
