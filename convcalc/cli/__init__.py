"""The command line: arguments in, text and exit codes out. The only room that knows typer.

A command has a module that registers it when it is imported.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from convcalc.cli.analyze import analyze
from convcalc.cli.check import check, init
from convcalc.cli.command import app
from convcalc.cli.compare import compare
from convcalc.cli.explain import explain, layer
from convcalc.cli.formula import formula
from convcalc.cli.listing import schema, specs
from convcalc.cli.output import EXIT_BUG

__all__ = [
    "analyze",
    "app",
    "check",
    "compare",
    "explain",
    "formula",
    "init",
    "layer",
    "main",
    "schema",
    "specs",
]


def main() -> NoReturn:
    """Run the command line and exit. A defect of convcalc exits with 3, whatever it is."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # it was closed: what is said goes nowhere
            setattr(sys, name, Path(os.devnull).open("w"))  # noqa: SIM115 - to the end
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show ⌊ should show something else, not end the program.
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]  # TextIOWrapper
    try:
        app(prog_name="convcalc")
    except Exception as error:  # noqa: BLE001 - the last resort
        _report_bug(error)
        sys.exit(EXIT_BUG)
    sys.exit(0)


@app.callback(invoke_without_command=True)
def _version(
    *,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", is_eager=True)
    ] = False,
) -> None:
    if version:
        from convcalc import __version__  # noqa: PLC0415 - see above

        typer.echo(f"convcalc {__version__}")
        raise typer.Exit


def _report_bug(error: Exception) -> None:
    from traceback import extract_tb  # noqa: PLC0415 - see above

    from convcalc import __version__  # noqa: PLC0415 - see above

    frames = extract_tb(error.__traceback__)
    where = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    message = str(error).splitlines()
    print(  # noqa: T201 - this is the command line
        f"convcalc {__version__} has a bug: {type(error).__name__}{where}"
        + (f": {message[0]}" if message else "")
        + "\nPlease report it, with the command and the spec: "
        "https://github.com/convcalc/convcalc/issues",
        file=sys.stderr,
    )
