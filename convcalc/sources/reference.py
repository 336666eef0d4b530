"""What a user means by SPEC: a path, ``path::variant``, the name of a shipped network, or ``-``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from convcalc.errors import Code, Finding, SourceText, UsageError, catalogue, close_match
from convcalc.shipped import shipped_names, shipped_path

__all__ = [
    "MAX_BYTES",
    "SpecText",
    "decoded",
    "read_reference",
    "refused",
    "too_large",
]

MAX_BYTES: Final = 2**20
"""Bytes of a spec."""


class SpecText(NamedTuple):
    """A text that was found, and which variant of it is meant (None: none was named)."""

    source: SourceText
    text: str
    variant: str | None
    stem: str
    """The file's name without its ending: what a network without a name is called."""


def read_reference(reference: str) -> SpecText:
    """The text that ``reference`` means. Raises UsageError."""
    path, separator, variant = reference.partition("::")
    wanted = variant if separator else None
    if path == "-":
        raw = sys.stdin.buffer.read(MAX_BYTES + 1)
        return decoded(raw, "<stdin>", wanted, "network")
    found = Path(path)
    name, is_shipped = path, False
    try:
        if not found.is_file():
            shipped = shipped_path(path)
            if shipped is None:
                raise _no_file(path, found)
            found, is_shipped = shipped, True
            name = f"specs/{shipped.name}"
        with found.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise refused(catalogue.CANNOT_READ, f"{name!r} cannot be read: {reason}") from None
    return decoded(raw, name, wanted, found.stem, path=None if is_shipped else path)


def decoded(
    raw: bytes, name: str, variant: str | None, stem: str, *, path: str | None = None
) -> SpecText:
    """The bytes of a spec as the text called ``name``. Raises UsageError for what is no text.

    ``path`` is where the file is, if it is one that the user named.
    """
    if len(raw) > MAX_BYTES:
        raise too_large(name)
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise refused(
            catalogue.WRONG_ENCODING, f"{name} is UTF-16, not UTF-8", "save the file as UTF-8"
        )
    if b"\0" in raw:
        raise refused(
            catalogue.NOT_TEXT,
            f"{name} is not a text file: byte {raw.index(0):,} is zero",
            "a spec is a YAML text; a trained model is not",
        )
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise refused(
            catalogue.WRONG_ENCODING,
            f"{name}:{line}: byte 0x{raw[error.start]:02x} is not UTF-8",
            "save the file as UTF-8",
        ) from None
    return SpecText(SourceText(name, text, path), text, variant, stem)


def too_large(name: str) -> UsageError:
    """That the file called ``name`` has more bytes than a spec."""
    return refused(
        catalogue.FILE_TOO_LARGE,
        f"{name} has more than {MAX_BYTES:,} bytes",
        "use `repeat`, `for` and blocks for what repeats",
    )


def _no_file(path: str, found: Path) -> UsageError:
    if found.is_dir():
        specs = sorted(found.glob("*.yaml")) + sorted(found.glob("*.yml"))
        hint = f"name a file in it, such as {specs[0]}" if specs else None
        return refused(catalogue.IS_A_DIRECTORY, f"{path!r} is a directory", hint)
    close = close_match(path, _neighbours(found))
    return refused(
        catalogue.FILE_NOT_FOUND,
        f"no file or shipped network {path!r}",
        f"did you mean {close!r}?"
        if close
        else "`convcalc init` writes a spec, `convcalc specs` lists those that ship with convcalc",
    )


def _neighbours(found: Path) -> Iterator[str]:
    yield from shipped_names()
    try:
        yield from (str(path) for path in found.parent.glob("*.y*ml"))
    except (OSError, ValueError):
        return


def refused(
    code: Code,
    message: str,
    help: str | None = None,  # noqa: A002 - what a finding calls it
    notes: tuple[str, ...] = (),
) -> UsageError:
    """One finding without a place, to raise."""
    return UsageError([Finding(code, message, notes=notes, help=help)])
