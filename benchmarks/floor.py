"""What any tool like this must do: import typer, rich and PyYAML, and print a table with rich.

The table has the rows and columns of ``convcalc analyze`` on ResNet-50.
"""

import typer
import yaml  # noqa: F401 - its import is what is measured
from rich.console import Console
from rich.table import Table

ROWS, COLUMNS, WIDTH = 26, 7, 100

app = typer.Typer()


@app.command()
def analyze(spec: str, output_format: str = typer.Option("table", "--format")) -> None:
    """Print a table that says nothing."""
    table = Table(title=f"{spec} {output_format}")
    for column in range(COLUMNS):
        table.add_column(f"column {column}", justify="right")
    for row in range(ROWS):
        table.add_row(*(f"{row},{column:03},456" for column in range(COLUMNS)))
    Console(width=WIDTH).print(table)


@app.command()
def compare(spec: str) -> None:
    """Make the application one of several commands."""


app()
