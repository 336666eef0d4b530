"""What a shell completes: the words of options, and the networks there are.

typer asks these functions for the words that fit what was typed. Whatever a module takes long to
import, or a file to read, is left until it is asked for.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, MutableMapping
from pathlib import Path
from typing import Final

import typer

__all__ = [
    "VARIABLE",
    "columns",
    "devices",
    "explained_metrics",
    "layer_names",
    "limits",
    "metrics",
    "networks",
    "prepare",
    "shipped_networks",
    "tools",
    "words",
]

VARIABLE: Final = "_CONVCALC_COMPLETE"
"""The environment variable in which a shell says what it wants."""
LARGEST_SPEC: Final = 2**16
"""Bytes of a file that is read for the names in it: nobody waits for more."""
SPEC_ENDINGS: Final = (".yaml", ".yml")
PLAIN: Final = re.compile(r"[\w./+,@%~-]+")
"""Names that need no quotes. Of others nothing is said here: the shell itself completes files."""


def words(*names: str) -> Callable[[], tuple[str, ...]]:
    """What completes an option that takes one of ``names``."""
    return lambda: names


# -- words that others know -----------------------------------------------------------------------


def metrics(incomplete: str) -> list[str]:
    """Names of metrics with commas between them."""
    from convcalc.metrics import METRICS  # noqa: PLC0415 - see above

    return _next_of(incomplete, (each.name for each in METRICS))


def explained_metrics(incomplete: str) -> list[str]:
    """The same of what can be explained: receptive fields as well."""
    return [*metrics(incomplete), *_next_of(incomplete, ("receptive_field",))]


def limits() -> list[str]:
    """Names of metrics that a budget may bound, each with the sign that a limit follows."""
    from convcalc.metrics import BUDGET_METRICS  # noqa: PLC0415 - see above

    return [f"{each.name}=" for each in BUDGET_METRICS]


def columns(incomplete: str) -> list[str]:
    """Names of columns of the layer table with commas between them."""
    from convcalc.reports.analyze import COLUMNS  # noqa: PLC0415 - see above
    from convcalc.reports.performance import (  # noqa: PLC0415 - see above
        TIME_COLUMNS,
        TRAFFIC_COLUMNS,
    )

    return _next_of(incomplete, (*COLUMNS, *TRAFFIC_COLUMNS, *TIME_COLUMNS))


def devices() -> list[str]:
    """Names of devices."""
    from convcalc.analysis.devices import all_devices  # noqa: PLC0415 - see above

    return [device.name for device in all_devices()]


def tools() -> list[str]:
    """Names of the tools that count in other ways."""
    from convcalc.conventions import all_conventions  # noqa: PLC0415 - see above

    return [each.name for each in all_conventions()]


def _next_of(incomplete: str, names: Iterable[str]) -> list[str]:
    """A list as it was begun, with each of the names that it does not have yet."""
    begun, comma, _ = incomplete.rpartition(",")
    given = begun.split(",")
    return [begun + comma + name for name in names if name not in given]


# -- networks -------------------------------------------------------------------------------------


def networks(incomplete: str) -> list[str]:
    """What SPEC may be: specs and directories, shipped networks, and their variants."""
    return _named(incomplete, lambda begun: [*_shipped(begun), *_paths(begun)])


def shipped_networks(incomplete: str) -> list[str]:
    """The networks that ship with convcalc, and their variants."""
    return _named(incomplete, _shipped)


def _named(incomplete: str, files: Callable[[str], list[str]]) -> list[str]:
    """Networks whose names begin so, in the files that ``files`` gives for the start of a name.

    Variants are named once it is clear whose. A directory that is the only answer is looked into,
    so that no shell takes it for the whole answer and puts a space behind it.
    """
    joined = os.environ.get(JOINED, "")
    wanted = joined + incomplete
    name, separator, _ = wanted.partition(":")
    if separator:
        found = [f"{name}::{variant}" for variant in _variants(name)]
    else:
        found = files(wanted)
        while len(found) == 1 and found[0].endswith("/"):
            inside = files(found[0])
            if not inside:
                break
            found = inside
        only = found[0] if len(found) == 1 else wanted
        if only in found:
            found += [f"{only}::{variant}" for variant in _variants(only)]
    return [each.removeprefix(joined) for each in found if each.startswith(wanted)]


def _shipped(begun: str) -> list[str]:
    from convcalc.shipped import shipped_names  # noqa: PLC0415 - see above

    return [name for name in shipped_names() if name.startswith(begun)]


def _paths(begun: str) -> list[str]:
    """The specs, and directories with a slash behind them, whose paths begin so."""
    folder, slash, start = begun.rpartition("/")
    found = []
    try:
        with os.scandir(folder + slash or ".") as entries:
            for entry in entries:
                if not entry.name.startswith(start) or (entry.name[0] == "." and not start):
                    continue
                if entry.is_dir():
                    found.append(f"{folder}{slash}{entry.name}/")
                elif entry.name.endswith(SPEC_ENDINGS):
                    found.append(f"{folder}{slash}{entry.name}")
    except (OSError, ValueError):
        return []
    return sorted(filter(PLAIN.fullmatch, found))


def _variants(name: str) -> list[str]:
    """The variants of a network; none where it cannot be read."""
    if not _is_read_soon(name):
        return []
    from convcalc.errors import ConvcalcError  # noqa: PLC0415 - see above
    from convcalc.sources import open_network  # noqa: PLC0415 - see above

    try:
        return list(filter(PLAIN.fullmatch, open_network(name)[0].variants))
    except ConvcalcError:
        return []


def _is_read_soon(name: str) -> bool:
    """Whether there is a spec of this name, and it is small enough to be read for an answer."""
    from convcalc.shipped import shipped_path  # noqa: PLC0415 - see above

    try:
        path = Path(name)
        found = path if path.is_file() else shipped_path(name)
        # A dash is standard input, even where a file is called so.
        return name != "-" and found is not None and found.stat().st_size <= LARGEST_SPEC
    except (OSError, ValueError):
        return False


# -- layers ---------------------------------------------------------------------------------------


def layer_names(ctx: typer.Context, incomplete: str) -> list[str]:
    """Layers and groups of layers of the network that stands before, a level of names at a time."""
    spec = ctx.params.get("spec") or ""
    if not _is_read_soon(spec.partition("::")[0]):
        return []
    from convcalc.errors import ConvcalcError  # noqa: PLC0415 - see above
    from convcalc.sources import load  # noqa: PLC0415 - see above

    try:
        names = [node.name for node in load(spec).layers]
    except ConvcalcError:
        return []
    found = _next_level(names, incomplete)
    if len(found) == 1:
        found += _next_level(names, f"{found[0]}.")
    return list(filter(PLAIN.fullmatch, found))


def _next_level(names: Iterable[str], begun: str) -> list[str]:
    """The names that begin so, each up to the next dot."""
    ends = (name.find(".", len(begun)) for name in names)
    return list(
        dict.fromkeys(
            name if end < 0 else name[:end]
            for name, end in zip(names, ends, strict=True)
            if name.startswith(begun)
        )
    )


# -- shells ---------------------------------------------------------------------------------------

JOINED: Final = "_CONVCALC_COMPLETE_JOINED"
"""What bash has taken off the word that is completed, and will put before the answer."""


def prepare(environment: MutableMapping[str, str]) -> list[str]:
    """Make a shell's question one that typer understands.

    Returns the whole words that follow ``convcalc``; the one that is completed is not among them.
    """
    if not environment[VARIABLE].endswith("_bash"):
        typed = environment.get("_TYPER_COMPLETE_ARGS", "")
        return typed.split()[1 : None if typed.endswith(" ") else -1]
    typed, at = environment.get("COMP_WORDS", ""), environment.get("COMP_CWORD", "")
    pieces = typed.split("\n") if "\n" in typed else typed.split()
    number = int(at) if at.isdecimal() else len(pieces)
    whole, joined, incomplete = _rejoined([*pieces[:number], *(pieces[number:] or [""])[:1]])
    environment[JOINED] = joined
    environment["COMP_WORDS"] = "\n".join([*whole, incomplete])
    environment["COMP_CWORD"] = str(len(whole))
    return whole[1:]


def _rejoined(pieces: list[str]) -> tuple[list[str], str, str]:
    """The words of a line that bash has broken at each colon and equals sign, the last in two.

    They are the whole words, the start of the last that bash keeps to itself, and its rest, which
    is to be completed.
    """
    *before, last = pieces
    whole: list[str] = []
    is_open = False
    for piece in before:
        is_sign = not piece.strip(":=")
        if is_sign and _is_option(whole) and not is_open:
            continue  # --format=json is --format json
        if whole and (is_open or is_sign):
            whole[-1] += piece
        else:
            whole.append(piece)
        is_open = is_sign
    if last and not last.strip(":="):
        if _is_option(whole) and not is_open:
            return whole, "", ""
        return whole[:-1], "".join(whole[-1:]) + last, ""
    if last and is_open:
        return whole[:-1], whole[-1], last
    return whole, "", last


def _is_option(words: list[str]) -> bool:
    return bool(words) and words[-1].startswith("--")
