"""The command line: arguments in, text and exit codes out. The only room that knows typer.

A command has a module that registers it when it is imported.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Annotated, Final, NoReturn

import typer

from convcalc.cli.command import app
from convcalc.cli.output import EXIT_BUG, EXIT_CANNOT_JUDGE

__all__ = ["COMMANDS", "app", "main", "register"]

COMMANDS: Final = {
    "init": "starting",
    "analyze": "analyze",
    "compare": "compare",
    "check": "check",
    "explain": "explain",
    "layer": "explain",
    "formula": "formula",
    "reconcile": "reconcile",
    "specs": "listing",
    "schema": "listing",
    "budget": "check",
}
"""The module of each command."""
SHELL_OPTIONS: Final = frozenset({"--install-completion", "--show-completion"})
"""Options of typer's own."""


def register(arguments: Sequence[str]) -> None:
    """Make known the command that the arguments begin with; all of them if they begin otherwise.

    A command takes its time to be made, and one of them is wanted mostly: not for help, for
    completion, or where a name was mistyped.
    """
    module = COMMANDS.get(arguments[0]) if arguments else None
    for name in dict.fromkeys(COMMANDS.values()) if module is None else (module,):
        import_module(f"convcalc.cli.{name}")


def main() -> NoReturn:
    """Run the command line and exit. A defect of convcalc exits with 3, whatever it is."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # it was closed: what is said goes nowhere
            setattr(sys, name, Path(os.devnull).open("w"))  # noqa: SIM115 - to the end
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show ⌊ should show something else, not end the program.
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]  # TextIOWrapper
    try:
        _run(_arguments())
    except Exception as error:  # noqa: BLE001 - the last resort
        _report_bug(error)
        sys.exit(EXIT_BUG)
    sys.exit(0)


def _run(arguments: list[str]) -> None:
    register(arguments)
    try:
        app(prog_name="convcalc")
    except (OSError, SystemExit) as error:
        if SHELL_OPTIONS.isdisjoint(arguments[:1]) or getattr(error, "code", 1) != 1:
            raise
        # Typer's 1 says that it does not know the shell; ours, that a budget is exceeded.
        reason = error.strerror if isinstance(error, OSError) else "run this in bash, zsh or fish"
        sys.stderr.write(f"error: no completion for this shell: {reason}\n")
        sys.exit(EXIT_CANNOT_JUDGE)


def _arguments() -> list[str]:
    """What follows the program's name: of what it was run with, or of a line to be completed."""
    from convcalc.cli.completion import VARIABLE, prepare  # noqa: PLC0415 - see above

    if not os.environ.get(VARIABLE):
        return sys.argv[1:]
    # Where typer finds rich it renders the help of each word with it, which takes its time and
    # breaks what should be one line.
    sys.modules.setdefault("rich", None)  # type: ignore[arg-type]  # there is none
    return prepare(os.environ)


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
