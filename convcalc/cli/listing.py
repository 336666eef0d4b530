"""`convcalc specs` and `convcalc schema`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from convcalc.cli.command import app, command, written_output
from convcalc.cli.options import Settings
from convcalc.cli.output import emit

__all__ = ["schema", "specs"]


@command("format_", "export", "color")
def specs(settings: Settings) -> None:
    """The networks that ship with convcalc.

    Any of them can stand in place of a file.

    \b
    Examples:
      convcalc specs
      convcalc specs --format csv
      convcalc analyze resnet::resnet50
    """  # noqa: D301 - the \b keeps the lines of the examples apart
    from convcalc.analysis import total_of  # noqa: PLC0415 - see above
    from convcalc.reports.specs import specs_report  # noqa: PLC0415 - see above
    from convcalc.sources import shipped_names, variants_of  # noqa: PLC0415 - see above

    totals = [total_of(graph) for name in shipped_names() for graph in variants_of(name)]
    emit(specs_report(totals), settings)


@app.command()
def schema(
    *,
    budgets: Annotated[
        bool, typer.Option("--budgets", help="That of budget files instead.")
    ] = False,
) -> None:
    """The JSON Schema of the spec language, for editors.

    \b
    A spec names it in its first line, as one that `convcalc init` writes does:
      # yaml-language-server: $schema=convcalc.schema.json

    \b
    Examples:
      convcalc schema > convcalc.schema.json
      convcalc schema --budgets > budgets.schema.json
    """  # noqa: D301 - the \b keeps the lines of the examples apart
    from convcalc.cli.editors import schema_text  # noqa: PLC0415 - see above

    with written_output():
        sys.stdout.write(schema_text(budgets=budgets))
