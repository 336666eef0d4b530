"""A check as a comment on a pull request, in GitHub-flavoured Markdown.

Names come from specs, which anyone may have written who opens a pull request: they stand in code,
where nothing is a link, a mention or HTML.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from html import escape
from typing import Final, NamedTuple

from convcalc.analysis.comparison import Change
from convcalc.budgets import Check, CheckedNetwork, Outcome, Verdict, Why, layer_keys
from convcalc.errors import printable
from convcalc.metrics import METRICS, metric
from convcalc.reports.analyze import inputs_text, set_variables
from convcalc.reports.findings import findings_text
from convcalc.reports.verdicts import (
    Reported,
    Row,
    change_figures,
    conclusion,
    difference_text,
    exact,
    level,
    numbered,
    output_text,
    percentage,
    reported,
    row,
    rows,
)

__all__ = ["MARKER", "MAX_CHARACTERS", "pull_request"]

MARKER: Final = "<!-- convcalc check -->"
"""The first line: by it the comment is found again when there is a newer one."""
MAX_CHARACTERS: Final = 65_000
"""GitHub takes 65,536."""

MAX_FINDINGS: Final = 15_000
"""Characters of the findings, which may leave no room for details."""
RESERVE: Final = 1_000
"""Characters kept for the frame, and for saying what was left out."""

_SIGNS: Final = {"ok": "✅", "OVER": "❌ over", "UNDER": "❌ under", "warning": "⚠️ warning"}


class _Room:
    """How many characters there still may be."""

    def __init__(self, left: int) -> None:
        self.left = left

    def fitting(self, lines: Iterable[str], most: int | None = None) -> list[str]:
        """The first of ``lines`` that there is room for, at most so many characters."""
        start = self.left
        found = []
        for line in lines:
            size = len(line) + 1
            if size > self.left or (most is not None and start - self.left + size > most):
                break
            self.left -= size
            found.append(line)
        return found


class _Section(NamedTuple):
    """A table among the details of a network."""

    head: tuple[str, ...]
    lines: tuple[str, ...]
    noun: str
    """What its lines are."""


def pull_request(check: Check) -> str:
    """The comment. Of what has no room the details go first, then networks within their budget."""
    sign = "✅" if check.outcome is Outcome.WITHIN else "❌"
    lines = [MARKER, f"## {sign} convcalc: {conclusion(check)}"]
    room = _Room(MAX_CHARACTERS - RESERVE - sum(map(len, lines)))
    left_out: list[str] = []

    def cut(number: int, noun: str, rest: str = "") -> None:
        if number:
            left_out.append(numbered(number, noun) + rest)

    networks = sorted(check.networks, key=lambda network: _urgency(network, strict=check.strict))
    with_base = any(network.baseline is not None for network in networks)
    over = [network for network in networks if _urgency(network, strict=check.strict) < 2]
    within = networks[len(over) :]
    over_rows = _totals(over, with_base=with_base, strict=check.strict)
    within_rows = _totals(within, with_base=with_base, strict=check.strict)
    found = reported(check)

    top = room.fitting(over_rows, room.left - MAX_FINDINGS)
    findings = _fitting_findings(found, room)
    bottom = room.fitting(within_rows) if len(top) == len(over_rows) else []
    is_whole = len(top) + len(bottom) == len(over_rows) + len(within_rows)
    if networks:
        lines += ["", *_totals_head(with_base=with_base), *top, *bottom]
    cut(len(over_rows) - len(top), "row", " of networks over their budget")
    if findings:
        lines += ["", *_fenced(findings)]
    cut(len(found) - len(findings), "finding")
    cut(len(within_rows) - len(bottom), "row", " of networks within their budget")

    shown = 0
    for network in networks if is_whole else ():
        details = _details(network, room, strict=check.strict)
        if not details:
            break
        lines += ["", *details]
        shown += 1
    cut(len(networks) - shown, "network", " in detail")
    if left_out:
        lines += ["", f"Left out, for a comment has an end: {', '.join(left_out)}."]
    return "\n".join(lines) + "\n"


def _urgency(network: CheckedNetwork, *, strict: bool) -> int:
    levels = {level(finding, strict=strict) for finding in network.exceeded}
    return 0 if "error" in levels else 1 if levels else 2


# -- totals ---------------------------------------------------------------------------------------


def _totals_head(*, with_base: bool) -> Iterator[str]:
    if with_base:
        yield "| Network | Limit on | Before | Now | Change | Limit | |"
        yield "| :--- | :--- | ---: | ---: | ---: | ---: | :--- |"
    else:
        yield "| Network | Limit on | Now | Limit | |"
        yield "| :--- | :--- | ---: | ---: | :--- |"


def _totals(networks: Iterable[CheckedNetwork], *, with_base: bool, strict: bool) -> list[str]:
    """The limits of the networks as wholes, and what else is exceeded."""
    lines = []
    for network in networks:
        every = list(rows(network, strict=strict))
        top = [
            each
            for each in every
            if each.verdict is None or each.verdict.subject is None or not each.verdict.holds
        ]
        for each in top or every:
            change = _change_of(each.verdict, network) if with_base else ()
            cells = [each.value, *change]
            if change:
                before, difference = change
                cells = [before, each.value, difference]
            lines.append(
                _line(
                    _called(network),
                    _label(each),
                    *cells,
                    _code(each.limit),
                    _SIGNS[each.state],
                )
            )
    return lines


def _called(network: CheckedNetwork) -> str:
    """The network, and what tells it from others of the same name."""
    parts = [network.analysis.name]
    if network.budget.name is not None:
        parts.append(network.budget.name)
    parts += set_variables(network.analysis)
    return " · ".join(_code(part) for part in parts)


def _label(each: Row) -> str:
    if each.verdict is None or each.verdict.subject is None:
        return each.label
    # What is said of the metric is convcalc's own, the rest is not.
    subject = printable(each.verdict.subject)
    return _code(subject) + each.label.removeprefix(subject)


def _change_of(verdict: Verdict | None, network: CheckedNetwork) -> tuple[str, str]:
    """What it was, and the difference; nothing where the baseline does not say."""
    base = None if verdict is None else _base(verdict, network)
    if verdict is None or base is None or {verdict.value.denominator, base.denominator} != {1}:
        return "", ""
    unit = verdict.limit.metric.unit
    difference = verdict.value.numerator - base.numerator
    text = difference_text(difference, unit)
    if difference and base:
        part = percentage(Fraction(difference, base), Fraction(0))
        text += f", {'+' if difference > 0 else ''}{part}"
    return exact(base.numerator, unit), text


def _base(verdict: Verdict, network: CheckedNetwork) -> Fraction | int | None:
    each = verdict.limit.metric
    if verdict.base is not None or network.baseline is None:
        return verdict.base
    if verdict.subject is not None or not (each in METRICS or each.key == "layers"):
        return None
    return network.baseline.value(each)


# -- findings -------------------------------------------------------------------------------------


def _fitting_findings(found: Sequence[Reported], room: _Room) -> list[str]:
    texts = (
        # What counts as an error is called one.
        findings_text([each.finding._replace(warns=each.level == "warning")])
        for each in found
    )
    return room.fitting(texts, MAX_FINDINGS)


def _fenced(texts: Sequence[str]) -> Iterator[str]:
    """Texts as they are, between fences that none of them can close."""
    text = "\n".join(texts)
    fence = "`" * max(3, 1 + _longest_ticks(text))
    yield f"{fence}text"
    yield text.rstrip("\n")
    yield fence


def _longest_ticks(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)


# -- details --------------------------------------------------------------------------------------


def _details(network: CheckedNetwork, room: _Room, *, strict: bool) -> list[str]:
    """All limits of a network and what changed, folded; nothing if there is no room to begin."""
    sections = [
        _limits_section(network, strict=strict),
        _changes_section(network.changes),
        *map(_heaviest_section, network.whys),
        *map(_why_section, network.whys),
    ]
    sections = [section for section in sections if section.lines]
    frame = [
        "<details>",
        f"<summary>{_summary(network)}</summary>",
        *(f"\n… {section.noun} not shown: {len(section.lines):,}" for section in sections),
        "</details>",
    ]
    size = sum(len(line) + 1 for line in frame)
    # A frame with next to nothing in it helps nobody.
    if room.left < size + 500:
        return []
    room.left -= size
    lines = frame[:2]
    for section in sections:
        head = ("", *section.head)
        begun = room.fitting(head)
        fitting = room.fitting(section.lines) if len(begun) == len(head) else []
        if fitting:
            lines += [*head, *fitting]
        if rest := len(section.lines) - len(fitting):
            # After a part that was cut nothing is begun.
            room.left = 0
            lines += ["", f"… {section.noun} not shown: {rest:,}"]
    return [*lines, "", "</details>"]


def _summary(network: CheckedNetwork) -> str:
    analysis = network.analysis
    parts = [f"<code>{_html(analysis.name)}</code>"]
    if network.budget.name is not None:
        parts.append(f"budget <code>{_html(network.budget.name)}</code>")
    parts.append(f"input <code>{_html(inputs_text(analysis))}</code>")
    parts += [f"<code>{_html(setting)}</code>" for setting in set_variables(analysis)]
    if analysis.batch != 1:
        parts.append(f"batch {analysis.batch:,}")
    if network.baseline is not None:
        parts.append(f"against <code>{_html(network.baseline.label)}</code>")
    if network.new_since:
        parts.append(f"not in <code>{_html(network.new_since)}</code> yet")
    return " · ".join(parts)


def _limits_section(network: CheckedNetwork, *, strict: bool) -> _Section:
    ordered = sorted(network.verdicts, key=lambda verdict: verdict.holds)
    lines = []
    for verdict in ordered:
        each = row(verdict, strict=strict)
        limit = _code(each.limit)
        lines.append(_line(_label(each), each.value, limit, each.used, _SIGNS[each.state]))
    head = ("| Limit on | Value | Limit | Used | |", "| :--- | ---: | ---: | ---: | :--- |")
    return _Section(head, tuple(lines), "limits")


def _changes_section(changes: Sequence[Change]) -> _Section:
    head = (
        "| | Layer | Output | Multiply-adds | Parameters |",
        "| :--- | :--- | :--- | ---: | ---: |",
    )
    keys = ("macs", "params")
    lines = (_change_line(change, keys) for change in changes)
    return _Section(head, tuple(lines), "changes of layers")


def _change_line(change: Change, keys: Iterable[str]) -> str:
    cells = [output_text(change)]
    for key in keys:
        figures = change_figures(change, key)
        # Both where there are both, and once where nothing happened to it.
        shown = dict.fromkeys(filter(None, (figures.before, figures.after)))
        cells.append(" → ".join(shown))
    mark, name = _code(change.mark.value), _code(change.name)
    return _line(mark, name, *cells)


def _heaviest_section(why: Why) -> _Section:
    title = why.metric.title
    return _Section(
        (f"Heaviest: {why.metric.noun}", "", f"| Layer | {title} | % |", "| :--- | ---: | ---: |"),
        tuple(
            _line(
                _code(part.name),
                exact(part.value, why.metric.unit),
                percentage(part.share),
            )
            for part in why.heaviest
        ),
        "heaviest layers",
    )


def _why_section(why: Why) -> _Section:
    told = tuple(map(metric, layer_keys(why.metric)))
    titles = "".join(f" {each.title} | difference |" for each in told)
    head = (
        f"Changed most: {why.metric.noun}",
        "",
        f"| | Layer |{titles}",
        f"| :--- | :--- |{' ---: | ---: |' * len(told)}",
    )
    lines = []
    for change in why.changed:
        cells = []
        for each in told:
            figures = change_figures(change, each.key)
            cells += [" → ".join(filter(None, figures[:2])), figures.difference]
        mark, name = _code(change.mark.value), _code(change.name)
        lines.append(_line(mark, name, *cells))
    return _Section(head, tuple(lines), "greatest changes")


# -- texts ----------------------------------------------------------------------------------------


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _code(text: str) -> str:
    """A code span in a table that says exactly ``text``, whatever is in it."""
    text = printable(text)
    if not text.strip():
        return ""
    fence = "`" * (1 + _longest_ticks(text))
    # A blank beside the fence keeps back quotes apart from it, and is not part of the code.
    edge = " " if text[0] in "` " or text[-1] in "` " else ""
    # The table is cut into cells before anyone looks for code, and a backslash keeps them whole.
    escaped = text.replace("|", "\\|")
    return f"{fence}{edge}{escaped}{edge}{fence}"


def _html(text: str) -> str:
    return escape(printable(text))
