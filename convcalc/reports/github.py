"""The findings of a check as the commands with which a GitHub workflow annotates files."""

from __future__ import annotations

from typing import Final

from convcalc.budgets import Check
from convcalc.errors import printable
from convcalc.reports.verdicts import Reported, conclusion, reported, sentences

__all__ = ["workflow_commands"]

ROOT: Final = "GITHUB_WORKSPACE"
"""The variable that names the folder of the checkout."""


def workflow_commands(check: Check) -> str:
    """A workflow command for each finding, errors first, and the conclusion."""
    lines = [*map(_command, reported(check)), conclusion(check)]
    return "\n".join(lines) + "\n"


def _command(each: Reported) -> str:
    finding = each.finding
    where = each.location(ROOT)
    properties = []
    if where is not None:
        properties = [
            f"file={_property(printable(where.file))}",
            f"line={where.line}",
            f"col={where.column}",
            f"endColumn={where.end_column}",
        ]
    properties.append(f"title={_property(f'{finding.code.id}: {finding.code.title}')}")
    message = _message("\n".join(sentences(finding, each.place)))
    return f"::{each.level} {','.join(properties)}::{message}"


def _message(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")
