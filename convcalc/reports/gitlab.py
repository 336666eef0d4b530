"""The findings of a check as a Code Quality report of GitLab."""

from __future__ import annotations

from typing import Final

from convcalc.budgets import Check
from convcalc.reports.json_text import json_text
from convcalc.reports.verdicts import Reported, fingerprints, reported, sentences, spec_file

__all__ = ["code_quality"]

ROOT: Final = "CI_PROJECT_DIR"
"""The variable that names the folder of the checkout."""


def code_quality(check: Check) -> str:
    """A list with an entry for each finding, errors first."""
    found = reported(check)
    return json_text(
        [_entry(each, key) for each, key in zip(found, fingerprints(found), strict=True)]
    )


def _entry(each: Reported, fingerprint: str) -> dict[str, object]:
    where = each.location(ROOT)
    # An entry must have a place; what came from no file is shown at the top of the spec.
    spec = spec_file(each.network, ROOT) if each.network else None
    return {
        "description": "; ".join(sentences(each.finding, each.place)),
        "check_name": each.finding.code.id,
        "fingerprint": fingerprint,
        "severity": _severity(each),
        "location": {
            "path": where.file if where else spec or ".",
            "lines": {"begin": where.line if where else 1},
        },
    }


def _severity(each: Reported) -> str:
    if each.level == "warning":
        return "minor"
    return "blocker" if each.network is None else "major"
