"""A check as JUnit tests: a suite for each network, a case for each limit.

There are no times in it: the report of the same networks is the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from convcalc.budgets import Check, CheckedNetwork, Verdict
from convcalc.errors import Finding, printable
from convcalc.reports.findings import findings_text
from convcalc.reports.locations import relative_file
from convcalc.reports.verdicts import (
    Held,
    held_limits,
    level,
    limit_text,
    spec_file,
    value_text,
    verdict_label,
)

__all__ = ["junit_xml"]


class _Case(NamedTuple):
    """A test: what is held against what, and what there is to say of it."""

    name: str
    folder: str
    """The class that it is shown under."""
    finding: Finding | None = None
    told: str | None = None
    """What it prints if it passes."""


class _Suite(NamedTuple):
    name: str
    cases: tuple[_Case, ...]
    blocks: bool = False
    """Whether what is wrong is an error, as opposed to a test that fails."""
    file: str | None = None


def junit_xml(check: Check) -> str:
    """The report of ``check``, as the schema of Jenkins has it."""
    suites = [_network(network) for network in check.networks]
    if check.findings:
        suites.insert(
            0, _Suite("specs and budgets", tuple(map(_unjudged, check.findings)), blocks=True)
        )
    elements = [_suite(suite, strict=check.strict) for suite in suites]
    root = Element("testsuites", {"name": "convcalc check"})
    for total in ("tests", "failures", "errors"):
        root.set(total, str(sum(int(element.get(total, "0")) for element in elements)))
    root.extend(elements)
    indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{tostring(root, encoding="unicode")}\n'


def _suite(suite: _Suite, *, strict: bool) -> Element:
    element = Element("testsuite", {"name": suite.name})
    wrong = 0
    for case in suite.cases:
        test = SubElement(element, "testcase", {"name": case.name, "classname": case.folder})
        finding = case.finding
        if finding is not None and level(finding, strict=strict) == "error":
            wrong += 1
            found = SubElement(
                test,
                "error" if suite.blocks else "failure",
                {"type": finding.code.id, "message": printable(finding.message)},
            )
            found.text = findings_text([finding._replace(warns=False)])
        elif finding is not None:
            SubElement(test, "system-out").text = findings_text([finding])
        elif case.told is not None:
            SubElement(test, "system-out").text = case.told
    element.set("tests", str(len(suite.cases)))
    element.set("failures", str(0 if suite.blocks else wrong))
    element.set("errors", str(wrong if suite.blocks else 0))
    if suite.file is not None:
        element.set("file", printable(suite.file))
    return element


def _network(network: CheckedNetwork) -> _Suite:
    name = network.analysis.name
    if network.budget.name is not None:
        name += f" · {network.budget.name}"
    spec = printable(network.analysis.spec)
    cases = tuple(
        case._replace(folder=spec) for held in held_limits(network) for case in _cases(held)
    )
    return _Suite(printable(name), cases, file=spec_file(network))


def _cases(held: Held) -> Iterator[_Case]:
    """A case for each that exceeds the limit, and one for all others together."""
    exceeded = [verdict for verdict in held.verdicts if not verdict.holds]
    for verdict in exceeded:
        yield _case(verdict)
    kept = held.kept
    if len(held.verdicts) == 1 and kept:
        yield _case(kept[0])
    elif kept:
        tightest = _case(kept[0])
        noun, scope = held.limit.metric.noun, held.limit.scope.value
        part = "share of " if held.limit.is_share else ""
        yield _Case(
            f"{part}{noun} of {len(kept):,} {'other ' if exceeded else ''}"
            f"{scope}{'' if len(kept) == 1 else 's'} {limit_text(held.limit)}",
            "",
            told=f"the tightest is {tightest.name}: {tightest.told}",
        )


def _case(verdict: Verdict) -> _Case:
    return _Case(
        f"{verdict_label(verdict)} {limit_text(verdict.limit)}",
        "",
        verdict.finding,
        value_text(verdict),
    )


def _unjudged(finding: Finding) -> _Case:
    where = finding.place.text if finding.place else None
    folder = where.name if where else "convcalc check"
    if where is not None and where.path is not None:
        folder = relative_file(where.path)
    line = f" at {finding.place}" if finding.place else ""
    return _Case(
        printable(f"{finding.code.id}: {finding.code.title}{line}"), printable(folder), finding
    )
