"""How a function becomes a command: its options, its findings, its exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from inspect import Parameter, Signature, signature
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import typer
import typer.core

from convcalc.cli.options import Formats, settings_of, table_formats, use_color
from convcalc.cli.output import EXIT_CANNOT_JUDGE, EXIT_CLOSED_PIPE, print_findings

if TYPE_CHECKING:
    from convcalc.errors import Finding

__all__ = ["app", "command", "written_output"]


class _Commands(typer.core.TyperGroup):
    """All commands. What is wrong with the arguments, a file's name among them, can be shown."""

    def make_context(self, *arguments: Any, **more: Any) -> Any:  # noqa: ANN401 - of typer
        with _shown_arguments():
            return super().make_context(*arguments, **more)

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - see above
        with _shown_arguments():
            return super().invoke(ctx)


@contextmanager
def _shown_arguments() -> Iterator[None]:
    """What would steer the terminal is escaped in what typer says of arguments."""
    try:
        yield
    except Exception as error:
        if isinstance(getattr(error, "message", None), str) and hasattr(error, "show"):
            from convcalc.errors import printable  # noqa: PLC0415 - see above

            error.message = printable(error.message)  # type: ignore[attr-defined]  # it has one
        raise


app = typer.Typer(
    cls=_Commands,
    help="""What a convolutional network costs: exact, instant, explained.

    \b
    Start:
      convcalc init                   # net.yaml, a small network with comments
      convcalc analyze net.yaml       # what it costs, layer by layer
      convcalc explain net.yaml stem  # where each number of a layer comes from
    """,
    epilog="Each command has examples: convcalc analyze --help",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Command = TypeVar("Command", bound=Callable[..., None])
Refused: TypeAlias = Callable[[tuple["Finding", ...], dict[str, Any]], None]


def command(
    *options: str,
    group: typer.Typer = app,
    formats: Formats = table_formats,
    refused: Refused | None = None,
    **annotations: object,
) -> Callable[[Command], Command]:
    """Make a function a command; in place of its ``settings`` it has options of `settings_of`.

    ``options`` names those of them that make sense for it; all do if none is named. ``annotations``
    are what is said of some of them in another way. Findings go to stderr and exit with 2, a closed
    pipe with 141. ``refused`` is what else is done with findings about the options themselves.
    """
    every = {
        n: p for n, p in signature(settings_of, eval_str=True).parameters.items() if n != "formats"
    }
    shared = {
        name: every[name].replace(annotation=annotations.get(name, every[name].annotation))
        for name in options or every
    }

    def decorate(function: Command) -> Command:
        command = _guarded(function, tuple(shared), formats, refused)
        parameters = [
            parameter.replace(kind=Parameter.KEYWORD_ONLY)
            for parameter in (
                *signature(function, eval_str=True).parameters.values(),
                *shared.values(),
            )
            if parameter.name != "settings"
        ]
        # What typer reads.
        command.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
        command.__annotations__ = {p.name: p.annotation for p in parameters}
        group.command(function.__name__.rstrip("_"))(command)
        return function

    return decorate


def _guarded(
    function: Callable[..., None],
    shared: tuple[str, ...],
    formats: Formats,
    refused: Refused | None,
) -> Callable[..., None]:
    def command(**arguments: Any) -> None:  # noqa: ANN401 - as typer parsed them
        from convcalc.errors import ConvcalcError  # noqa: PLC0415 - see above

        options = {name: arguments.pop(name) for name in shared}
        try:
            with written_output():
                try:
                    settings = settings_of(**options, formats=formats)
                except ConvcalcError as error:
                    if refused is not None:
                        refused(error.findings, options)
                    raise
                function(settings=settings, **arguments)
        except ConvcalcError as error:
            print_findings(
                error.findings, color=use_color(options.get("color", "auto"), sys.stderr)
            )
            raise typer.Exit(EXIT_CANNOT_JUDGE) from None

    command.__doc__ = function.__doc__
    return command


@contextmanager
def written_output() -> Iterator[None]:
    """Written to standard output to the end, or the exit code that says why not."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        _give_up_output()
        raise typer.Exit(EXIT_CLOSED_PIPE) from None
    except OSError as error:
        _give_up_output()
        sys.stderr.write(f"error: the output cannot be written: {error.strerror or error}\n")
        raise typer.Exit(EXIT_CANNOT_JUDGE) from None


def _give_up_output() -> None:
    """What is still buffered has nowhere to go; say so to the interpreter's last flush too."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
