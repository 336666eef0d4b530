"""What a check found, in the words and figures that its reports share."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import groupby
from typing import Final, NamedTuple

from convcalc.analysis.comparison import Change
from convcalc.analysis.metrics import value_of
from convcalc.budgets import Check, CheckedNetwork, Outcome, Verdict
from convcalc.errors import Finding, Place, Related, printable
from convcalc.limits import Bound, Limit
from convcalc.metrics import metric
from convcalc.reports.figures import byte_size, count, shape
from convcalc.reports.locations import Location, location, relative_file

__all__ = [
    "MAX_ROWS",
    "ChangeFigures",
    "Held",
    "Reported",
    "Row",
    "change_figures",
    "conclusion",
    "difference_text",
    "exact",
    "fingerprints",
    "held_limits",
    "level",
    "limit_text",
    "numbered",
    "output_text",
    "percentage",
    "reported",
    "row",
    "rows",
    "sentences",
    "spec_file",
    "used_text",
    "value_text",
    "verdict_label",
]

MAX_ROWS: Final = 20
"""Layers over one limit that a table lists."""

_SIGNS: Final = {Bound.MAX: "≤ ", Bound.MIN: "≥ ", Bound.MAX_INCREASE: "+"}


# -- figures --------------------------------------------------------------------------------------


def exact(number: int, unit: str) -> str:
    """``25,165,825``, and of bytes ``24.00 MiB (25,165,825 B)``."""
    if unit != "bytes":
        return count(number)
    return byte_size(number) + (f" ({count(number)} B)" if abs(number) >= 1024 else "")


def percentage(part: Fraction, apart_from: Fraction | None = None) -> str:
    """``40.3 %``; in as many decimals as tell it from ``apart_from``, if it is another number."""
    return f"{_told_apart(100 * part, None if apart_from is None else 100 * apart_from, 1)} %"


def value_text(verdict: Verdict) -> str:
    """The value in its unit; if it is not the allowed one it is never written as if it were."""
    value, allowed = verdict.value, verdict.allowed
    if verdict.limit.is_share:
        return percentage(value, allowed)
    unit = verdict.limit.metric.unit
    if unit == "seconds":
        scale, name = _time_unit(value)
        return f"{_told_apart(value * scale, allowed * scale, 1)} {name}"
    if value.denominator == 1:
        return exact(value.numerator, unit)
    return _told_apart(value, allowed, 2 if value >= 1 else 4) + (" B" if unit == "bytes" else "")


def _time_unit(seconds: Fraction) -> tuple[int, str]:
    for name, scale in (("s", 1), ("ms", 10**3), ("µs", 10**6)):
        if seconds * scale >= 1:
            return scale, name
    return 10**9, "ns"


def _told_apart(value: Fraction, other: Fraction | None, decimals: int) -> str:
    if other is not None and other != value:
        while _fixed(value, decimals) == _fixed(other, decimals):
            decimals += 1
    return _fixed(value, decimals)


def _fixed(value: Fraction, decimals: int) -> str:
    """The value with so many decimals, rounded; exact however large it is."""
    scaled = round(value * 10**decimals)
    whole, rest = divmod(abs(scaled), 10**decimals)
    return f"{'-' if scaled < 0 else ''}{whole:,}.{rest:0{decimals}d}"


def limit_text(limit: Limit) -> str:
    """``≤ 5.5M``, ``≥ 192`` or ``+2%``: as it was written."""
    return printable(_SIGNS[limit.bound] + limit.text.strip().removeprefix("+"))


def used_text(verdict: Verdict) -> str:
    """The value as a part of the allowed one: 100 % exactly if it is equal, else never."""
    if verdict.allowed <= 0:
        return ""
    return percentage(verdict.value / verdict.allowed, Fraction(1))


def verdict_label(verdict: Verdict) -> str:
    """What the limit is held against: ``Parameters``, ``stage4.conv · activation memory``."""
    metric = verdict.limit.metric
    if verdict.subject is None:
        return f"Share of {metric.noun}" if verdict.limit.is_share else metric.title
    noun = f"share of {metric.noun}" if verdict.limit.is_share else metric.noun
    return printable(f"{verdict.subject} · {noun}")


class ChangeFigures(NamedTuple):
    """What a layer had of a metric, what it has, and the difference; nothing where it is not."""

    before: str
    after: str
    difference: str


def change_figures(change: Change, key: str) -> ChangeFigures:
    """A metric that layers have, of a layer that is not what it was."""
    unit = metric(key).unit
    before, after = (
        "" if costed is None else exact(value_of(key, costed.cost), unit)
        for costed in (change.before, change.after)
    )
    return ChangeFigures(before, after, difference_text(change.difference(key), unit))


def output_text(change: Change) -> str:
    """The shape of the output that a layer had and has, once if it is the same."""
    shapes = [shape(each.output_shape) for each in (change.before, change.after) if each]
    return " → ".join(dict.fromkeys(shapes))


def difference_text(difference: int, unit: str) -> str:
    """``+1,234``; a difference of nothing is ``0``."""
    sign = "+" if difference > 0 else "-" if difference < 0 else ""
    return sign + exact(abs(difference), unit)


# -- limits and rows ------------------------------------------------------------------------------


class Held(NamedTuple):
    """A limit of a network, and everything that it was held against."""

    limit: Limit
    verdicts: tuple[Verdict, ...]

    @property
    def exceeded(self) -> tuple[Verdict, ...]:
        """Those that do not hold, the furthest from the limit first."""
        return tuple(sorted((v for v in self.verdicts if not v.holds), key=_strain, reverse=True))

    @property
    def kept(self) -> tuple[Verdict, ...]:
        """Those that hold, the nearest to the limit first."""
        return tuple(sorted((v for v in self.verdicts if v.holds), key=_strain, reverse=True))


def _strain(verdict: Verdict) -> Fraction | float:
    """How near a value is to its limit, or how far over it; 1 is equal."""
    over, under = verdict.value, verdict.allowed
    if verdict.limit.bound is Bound.MIN:
        over, under = under, over
    if under > 0:
        return over / under
    return float("inf") if over > under else 0.0


def held_limits(network: CheckedNetwork) -> Iterator[Held]:
    """The limits of a network in their order."""
    # Two limits may be alike; which one a verdict is of is a matter of identity.
    for _, verdicts in groupby(network.verdicts, key=lambda verdict: id(verdict.limit)):
        together = tuple(verdicts)
        yield Held(together[0].limit, together)


class Row(NamedTuple):
    """A line of a table of limits."""

    label: str
    value: str
    limit: str
    used: str
    state: str
    """``ok``, ``OVER``, ``UNDER`` or ``warning``."""
    verdict: Verdict | None = None
    """None where the line stands for those that there was no room for."""


def rows(network: CheckedNetwork, *, strict: bool) -> Iterator[Row]:
    """The limits of a network.

    Of one for many layers that all hold only the tightest is told; where some do not, those, up to
    `MAX_ROWS`.
    """
    for held in held_limits(network):
        exceeded = held.exceeded
        if not exceeded:
            tightest = row(held.kept[0], strict=strict)
            if (number := len(held.verdicts)) > 1:
                label = f"{tightest.label} (tightest of {number:,})"
                tightest = tightest._replace(label=label)
            yield tightest
            continue
        shown = [row(verdict, strict=strict) for verdict in exceeded[:MAX_ROWS]]
        yield from shown
        if rest := len(exceeded) - len(shown):
            yield Row(f"and {rest:,} more", "", shown[-1].limit, "", shown[-1].state)


def row(verdict: Verdict, *, strict: bool) -> Row:
    """One verdict as a line of a table."""
    state = "ok"
    if verdict.finding is not None:
        state = "UNDER" if verdict.limit.bound is Bound.MIN else "OVER"
        if level(verdict.finding, strict=strict) == "warning":
            state = "warning"
    return Row(
        verdict_label(verdict),
        value_text(verdict),
        limit_text(verdict.limit),
        used_text(verdict),
        state,
        verdict,
    )


# -- findings -------------------------------------------------------------------------------------


class Reported(NamedTuple):
    """A finding of a check, and where it comes from."""

    finding: Finding
    level: str
    """``error`` or ``warning``, as it counts."""
    network: CheckedNetwork | None = None
    """None if it kept a network from being judged."""
    verdict: Verdict | None = None

    @property
    def place(self) -> Place | None:
        """The first of its places that is in a file."""
        places = (self.finding.place, *(related.place for related in self.finding.related))
        return next((place for place in places if place and place.text.path is not None), None)

    def location(self, root: str | None = None) -> Location | None:
        """That place as `relative_file` sees it from the folder ``root``."""
        return location(self.place, root)


def level(finding: Finding, *, strict: bool) -> str:
    """``error`` or ``warning``, as the finding counts: if strict every one is an error."""
    return "error" if strict else finding.severity


def reported(check: Check) -> tuple[Reported, ...]:
    """All findings, errors first, those that kept networks from being judged before the others."""
    found = [Reported(each, level(each, strict=check.strict)) for each in check.findings]
    found += [
        Reported(verdict.finding, level(verdict.finding, strict=check.strict), network, verdict)
        for network in check.networks
        for verdict in network.verdicts
        if verdict.finding is not None
    ]
    return tuple(sorted(found, key=lambda each: each.level == "warning"))


def sentences(finding: Finding, shown: Place | None = None) -> list[str]:
    """What a finding says, line by line, without control characters.

    Its places are told in words, but for ``shown``.
    """
    places = finding.related
    if finding.place is not None and finding.place is not shown:
        places = (Related("at", finding.place), *places)
    lines = [finding.message, *finding.notes]
    lines += [
        f"{related.label}: {related.place}" for related in places if related.place is not shown
    ]
    if finding.help:
        lines.append(f"help: {finding.help}")
    return list(map(printable, lines))


def fingerprints(found: Iterable[Reported]) -> Iterator[str]:
    """A key for each that stays the same while numbers change, and that no two have."""
    from hashlib import sha256  # noqa: PLC0415 - only two formats need it

    seen: dict[str, int] = {}
    for each in found:
        identity = _identity(each)
        seen[identity] = seen.get(identity, 0) + 1
        text = f"{identity}\n{seen[identity]}"
        yield sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _identity(each: Reported) -> str:
    parts: tuple[object, ...]
    if each.network is not None and each.verdict is not None:
        limit = each.verdict.limit
        settings = dict(each.network.analysis.settings)
        spec, budget = each.network.analysis.spec, each.network.budget.name
        parts = (spec, settings, budget, limit.key, limit.scope.value, each.verdict.subject)
    else:
        where = each.location()
        # Positions and numbers move with every edit above them.
        parts = (where.file if where else None, re.sub(r"\d+", "0", each.finding.message))
    return repr((each.finding.code.id, *parts))


def spec_file(network: CheckedNetwork, root: str | None = None) -> str | None:
    """The file that a network's layers are read from, if it is one."""
    for layer in network.analysis.layers:
        if layer.place is not None and layer.place.text.path is not None:
            return relative_file(layer.place.text.path, root)
    return None


# -- the last line --------------------------------------------------------------------------------


def conclusion(check: Check) -> str:
    """What came out, in one line: ``over budget: 2 of 7 limits, 1 warning``."""
    judged = _judged(check)
    if check.outcome is not Outcome.CANNOT_JUDGE:
        return judged
    errors = sum(level(each, strict=check.strict) == "error" for each in check.findings)
    rest = f"; {judged}" if check.networks else ""
    return f"{Outcome.CANNOT_JUDGE.value}: {numbered(errors, 'error')}{rest}"


def _judged(check: Check) -> str:
    limits = [held for network in check.networks for held in held_limits(network)]

    def with_level(wanted: str) -> int:
        return sum(
            any(
                verdict.finding is not None
                and level(verdict.finding, strict=check.strict) == wanted
                for verdict in held.verdicts
            )
            for held in limits
        )

    over, warned = with_level("error"), with_level("warning")
    if over:
        text = f"{Outcome.OVER.value}: {over:,} of {numbered(len(limits), 'limit')}"
    else:
        networks = numbered(len(check.networks), "network")
        text = f"{Outcome.WITHIN.value}: {numbered(len(limits), 'limit')} of {networks}"
    return text + (f", {numbered(warned, 'warning')}" if warned else "")


def numbered(number: int, noun: str) -> str:
    """``1 limit``, ``1,234 limits``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
