"""`convcalc init`."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from convcalc.cli.command import command
from convcalc.cli.completion import shipped_networks
from convcalc.cli.options import Settings, bad_option, unknown
from convcalc.cli.output import export_files, refused_export

__all__ = ["init"]

STARTER = Path(__file__).with_name("starter.yaml")
SCHEMA = "convcalc.schema.json"


@command("color")
def init(
    settings: Settings,  # noqa: ARG001 - as every command has them
    file: Annotated[
        str,
        typer.Argument(
            metavar="[FILE]",
            help="The spec to write, or - for standard output. By default net.yaml.",
            show_default=False,
        ),
    ] = "net.yaml",
    from_: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="NETWORK",
            help="Start from a network that ships with convcalc.",
            autocompletion=shipped_networks,
        ),
    ] = None,
    schema: Annotated[
        str | None,
        typer.Option(
            "--schema",
            metavar="FILE",
            help=f"Where the schema for editors goes. By default {SCHEMA} beside the spec.",
        ),
    ] = None,
    *,
    no_schema: Annotated[
        bool, typer.Option("--no-schema", help="Neither a schema nor the line that names it.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Write over files that exist.")] = False,
) -> None:
    """Write a small network to start from, with comments.

    With it goes the schema by which editors complete and check what is written; one that is there
    already stays.

    \b
    Examples:
      convcalc init
      convcalc init small.yaml --no-schema
      convcalc init mobile.yaml --from mobilenet_v2
      convcalc init - | convcalc analyze -
    """  # noqa: D301 - the \b keeps the lines of the examples apart
    if schema is not None and no_schema:
        raise bad_option("--schema and --no-schema: there is one, or none", "leave one of them out")
    if "::" in file:
        raise bad_option(f"{file!r} names a variant, not a file", "for example net.yaml")
    path = None if file == "-" else Path(file)
    if path is not None and not force and (path.exists() or path.is_symlink()):
        raise refused_export(path, "it exists", "name a new file, or add --force")
    text, variant = _starter() if from_ is None else _shipped(from_)
    files, kept = [], []
    if not no_schema:
        folder = Path() if path is None else path.parent
        place = folder / SCHEMA if schema is None else Path(schema)
        text = _schema_line(place, folder) + text
        if place.is_file() and not force:
            kept.append(place)
        elif path is not None or schema is not None:  # nothing is written beside a pipe unasked
            from convcalc.cli.editors import schema_text  # noqa: PLC0415 - see above

            files.append((place, schema_text()))
    if path is None:
        export_files(files)
        sys.stdout.write(text)
        return
    export_files([(path, text), *files])
    _say(f"wrote {path}")
    for place, _ in files:
        _say(f"wrote {place}, for editors")
    for place in kept:
        _say(f"kept {place}, for editors")
    _say(f"Try: convcalc analyze {shlex.quote(file + variant)}")


def _say(line: str) -> None:
    from convcalc.errors import printable  # noqa: PLC0415 - see above

    sys.stderr.write(f"{printable(line)}\n")


def _starter() -> tuple[str, str]:
    """The spec that comes with the command, and which variant of it to look at: there is none."""
    return STARTER.read_text(encoding="utf-8"), ""


def _shipped(name: str) -> tuple[str, str]:
    """The spec of a shipped network, and the variant that was named. Raises UsageError."""
    from convcalc.errors import close_match  # noqa: PLC0415 - see above
    from convcalc.shipped import shipped_names, shipped_path  # noqa: PLC0415 - see above
    from convcalc.sources import open_network  # noqa: PLC0415 - see above

    stem, separator, variant = name.partition("::")
    path = shipped_path(stem)
    if path is None:
        close = close_match(stem, shipped_names())
        raise bad_option(
            f"--from: no network {stem!r} ships with convcalc",
            f"did you mean {close!r}?" if close else "`convcalc specs` lists those that do",
        )
    variants = open_network(str(path))[0].variants
    if separator and variant not in variants:
        raise unknown(f"--from: {stem} has no variant {variant!r}", variant, variants)
    return path.read_text(encoding="utf-8"), separator + variant


def _schema_line(schema: Path, folder: Path) -> str:
    """The line by which an editor finds the schema of a spec in ``folder``, and what it is for."""
    way = Path(os.path.relpath(schema, folder)).as_posix()
    return (
        f"# yaml-language-server: $schema={way.replace(' ', '%20')}\n"
        "# By the line above editors complete and check what follows (`convcalc schema` prints the "
        "file).\n\n"
    )
