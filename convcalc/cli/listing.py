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

    Any of them can stand in place of a file: convcalc analyze resnet::resnet50
    """
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

    convcalc schema > convcalc.schema.json, and in a spec: # yaml-language-server: $schema=…
    """
    import json  # noqa: PLC0415 - see above

    from convcalc.sources import budgets_schema, spec_schema  # noqa: PLC0415 - see above

    chosen = budgets_schema() if budgets else spec_schema()
    with written_output():
        sys.stdout.write(json.dumps(chosen, indent=1, ensure_ascii=False) + "\n")
