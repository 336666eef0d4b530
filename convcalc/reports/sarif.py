"""The findings of a check as a SARIF 2.1.0 log, for code scanning."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import Final
from urllib.parse import quote

from convcalc.budgets import Check, Outcome
from convcalc.errors import Code, printable
from convcalc.reports.json_text import json_text
from convcalc.reports.locations import Location, location
from convcalc.reports.verdicts import Reported, fingerprints, reported, sentences, spec_file

__all__ = ["sarif_log"]

ROOT: Final = "GITHUB_WORKSPACE"
"""The variable that names the folder of the checkout."""
HOME: Final = "https://github.com/convcalc/convcalc"
ERRORS: Final = f"{HOME}/blob/main/docs/errors.md"


def sarif_log(check: Check, version: str) -> str:
    """The log of one run of convcalc of a given version, errors first."""
    found = reported(check)
    codes = sorted({each.finding.code for each in found})
    return json_text(
        {
            "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
            "version": "2.1.0",
            "runs": [
                {
                    "tool": {
                        "driver": {
                            "name": "convcalc",
                            "version": version,
                            "informationUri": HOME,
                            "rules": list(map(_rule, codes)),
                        }
                    },
                    "invocations": [
                        {"executionSuccessful": check.outcome is not Outcome.CANNOT_JUDGE}
                    ],
                    "columnKind": "unicodeCodePoints",
                    "results": [
                        _result(each, codes.index(each.finding.code), key)
                        for each, key in zip(found, fingerprints(found), strict=True)
                    ],
                }
            ],
        }
    )


def _rule(code: Code) -> dict[str, object]:
    return {
        "id": code.id,
        "shortDescription": {"text": code.title},
        "fullDescription": {"text": code.meaning},
        "helpUri": f"{ERRORS}#{_anchor(f'{code.id}: {code.title}')}",
    }


def _anchor(heading: str) -> str:
    """The fragment that GitHub makes of a heading."""
    return quote(re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-"))


def _result(each: Reported, rule: int, fingerprint: str) -> dict[str, object]:
    finding = each.finding
    places = []
    where = each.location(ROOT)
    if where is not None:
        places.append(_location(where))
    elif each.network is not None and (spec := spec_file(each.network, ROOT)) is not None:
        # What came from no file belongs to the spec as a whole.
        places.append({"physicalLocation": {"artifactLocation": {"uri": _uri(spec)}}})
    related = [
        {**_location(other), "id": number, "message": {"text": printable(related.label)}}
        for number, related in enumerate(finding.related, start=1)
        if related.place is not each.place and (other := location(related.place, ROOT)) is not None
    ]
    return {
        "ruleId": finding.code.id,
        "ruleIndex": rule,
        "level": each.level,
        "message": {"text": _message("\n".join(sentences(finding, each.place)))},
        "locations": places,
        "relatedLocations": related,
        "partialFingerprints": {"convcalc/v1": fingerprint},
    }


def _message(text: str) -> str:
    """A text in which nothing is taken for a link, which SARIF writes ``[text](target)``."""
    return text.replace("](", "\\](")


def _location(where: Location) -> dict[str, object]:
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": _uri(where.file)},
            "region": {
                "startLine": where.line,
                "startColumn": where.column,
                "endColumn": where.end_column,
            },
        }
    }


def _uri(file: str) -> str:
    path = PurePath(file)
    if path.is_absolute():
        return path.as_uri()
    return quote(file.encode("utf-8", "surrogateescape"))
