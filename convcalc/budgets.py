"""Limits held against an analysis: what holds, what does not, and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from fractions import Fraction
from functools import cached_property
from itertools import islice
from math import floor, log10
from typing import Final, NamedTuple, TypeAlias, cast

from convcalc.analysis import Analysis, LayerCost
from convcalc.analysis.comparison import Change, Mark, changes
from convcalc.analysis.devices import Device
from convcalc.analysis.grouping import (
    GroupCost,
    all_groups,
    groups_named,
    layers_named,
)
from convcalc.analysis.intensity import Traffic, intensity, reuse, roofline, traffic
from convcalc.analysis.metrics import value_of
from convcalc.baselines import Baseline, baseline_of
from convcalc.errors import Finding, Place, Related, UsageError, catalogue, close_match, listed
from convcalc.limits import Bound, Budget, Limit, Scope
from convcalc.metrics import METRICS, Metric
from convcalc.name_patterns import is_pattern

__all__ = [
    "MOST_VERDICTS",
    "Check",
    "CheckedNetwork",
    "Outcome",
    "Part",
    "Verdict",
    "Why",
    "judge",
    "layer_keys",
    "too_many",
]

MOST_VERDICTS: Final = 100_000
"""Limits that are held against one network, or in one check."""


class Verdict(NamedTuple):
    """A limit, and what it is held against."""

    limit: Limit
    subject: str | None
    """The layer or group; None: the network."""
    value: Fraction
    """In the metric's unit; of a share the part of the whole."""
    allowed: Fraction
    """What the value may be at the most (of a `min`: at the least), in the same unit."""
    base: Fraction | None = None
    """What the baseline has, for an increase."""
    place: Place | None = None
    """Where the spec makes the layer."""
    finding: Finding | None = None
    """What there is to say if the limit does not hold."""

    @property
    def holds(self) -> bool:
        """Whether the value is within the limit; equal is within."""
        return self.finding is None


class Part(NamedTuple):
    """A layer, and what it has of a metric."""

    name: str
    value: int
    share: Fraction
    """Of the network's."""
    place: Place | None


class Why(NamedTuple):
    """Where a metric of a network comes from."""

    metric: Metric
    heaviest: tuple[Part, ...]
    """The layers with the most of it, the heaviest first."""
    changed: tuple[Change, ...]
    """The layers whose part of it is not the baseline's, the greatest difference first."""


class CheckedNetwork(NamedTuple):
    """A network held against a budget."""

    analysis: Analysis
    budget: Budget
    baseline: Baseline | None
    verdicts: tuple[Verdict, ...]
    """Of each limit, in the order of the budget; of one for several layers, each in turn."""
    changes: tuple[Change, ...] = ()
    """Layers that are not what they are in the baseline."""
    whys: tuple[Why, ...] = ()
    """For each metric that is over its limit, if asked for."""
    findings: tuple[Finding, ...] = ()
    """Limits that cannot be judged."""
    new_since: str | None = None
    """The revision that it is not in yet, if it was to be held against one."""

    @property
    def exceeded(self) -> Iterator[Finding]:
        """What does not hold."""
        return (verdict.finding for verdict in self.verdicts if verdict.finding is not None)


class Outcome(Enum):
    """What comes out of a check; the value is what reports say."""

    WITHIN = "within budget"
    OVER = "over budget"
    CANNOT_JUDGE = "cannot judge"


class Check(NamedTuple):
    """All that was checked in one run."""

    networks: tuple[CheckedNetwork, ...]
    findings: tuple[Finding, ...] = ()
    """What kept networks from being checked, and warnings about specs."""
    strict: bool = False
    """Whether warnings count as errors."""

    @property
    def exceeded(self) -> tuple[Finding, ...]:
        """Every limit that does not hold, errors first."""
        found = [finding for network in self.networks for finding in network.exceeded]
        return tuple(sorted(found, key=lambda finding: finding.is_warning))

    @property
    def outcome(self) -> Outcome:
        """What cannot be judged outweighs what is over budget."""
        if any(self.strict or not finding.is_warning for finding in self.findings):
            return Outcome.CANNOT_JUDGE
        if any(self.strict or not finding.is_warning for finding in self.exceeded):
            return Outcome.OVER
        return Outcome.WITHIN


# -- judging ---------------------------------------------------------------------------------------

MOST_PARTS: Final = 5
"""Layers that a `Why` names."""

Subject: TypeAlias = Analysis | GroupCost | LayerCost


def judge(
    analysis: Analysis,
    budget: Budget,
    *,
    baseline: Baseline | None = None,
    device: Device | None = None,
    explain: bool = False,
) -> CheckedNetwork:
    """``analysis`` held against ``budget``.

    ``baseline`` is what increases are held against, ``device`` what a time is worked out for. With
    ``explain`` there is a `Why` for each metric that is over its limit. What cannot be judged is
    among the ``findings`` of the result: a pattern that matches nothing, a metric that the network
    has not, an increase without a baseline. Raises UsageError for more than `MOST_VERDICTS`.
    """
    judging = _Judging(analysis, budget, baseline, device)
    every = (verdict for limit in budget.limits for verdict in judging.verdicts(limit))
    verdicts = list(islice(every, MOST_VERDICTS + 1))
    if len(verdicts) > MOST_VERDICTS:
        raise UsageError([too_many(budget.place)])
    whys: dict[str, Why] = {}
    for verdict in verdicts:
        if explain and not verdict.holds and verdict.limit.metric.key not in whys:
            whys[verdict.limit.metric.key] = judging.why(verdict.limit.metric)
    return CheckedNetwork(
        analysis,
        budget,
        baseline,
        tuple(verdicts),
        judging.changes,
        tuple(whys.values()),
        findings=tuple(judging.findings),
    )


def too_many(place: Place | None) -> Finding:
    """That there are more limits than `MOST_VERDICTS`."""
    return Finding(
        catalogue.TOO_MANY_LIMITS,
        f"there are more than {MOST_VERDICTS:,} limits, those of each layer counted",
        place,
        help="bound groups of layers in place of layers, or check fewer networks at once",
    )


class _Judging:
    """One network and its budget."""

    def __init__(
        self,
        analysis: Analysis,
        budget: Budget,
        baseline: Baseline | None,
        device: Device | None,
    ) -> None:
        self.analysis = analysis
        self.budget = budget
        self.baseline = baseline
        self.device = device
        self.findings: list[Finding] = []
        self.changes = changes(baseline.layers, analysis.layers) if baseline else ()
        self.times: dict[str, Fraction] = {}
        self.wholes: dict[str, Fraction | None] = {}
        """Metrics of the whole network that shares are of."""

    def verdicts(self, limit: Limit) -> Iterator[Verdict]:
        """What becomes of one limit."""
        if limit.metric.key == "time" and self.device is None:
            self.cannot_bound(limit, "a time is one on a device", "name one: `device: jetson-nano`")
            return
        if limit.bound is Bound.MAX_INCREASE:
            yield from self.increase(limit)
            return
        subjects = self.subjects(limit)
        found = [
            verdict for subject in subjects if (verdict := self.verdict(limit, subject)) is not None
        ]
        if subjects and not found:
            whole = limit.scope is Scope.NETWORK
            self.cannot_bound(
                limit,
                f"`{self.analysis.name}` has no {limit.metric.noun}"
                if whole
                else f"nothing that `{limit.pattern or '*'}` matches has any {limit.metric.noun}",
                None,
            )
        yield from found

    def subjects(self, limit: Limit) -> Sequence[Subject]:
        """What a limit is for; reported if its pattern matches nothing."""
        if limit.scope is Scope.NETWORK:
            return (self.analysis,)
        if limit.scope is Scope.LAYER:
            layers = (
                self.analysis.layers
                if limit.pattern is None
                else layers_named(self.analysis, limit.pattern)
            )
            if not layers:
                self.no_match(limit, [layer.name for layer in self.analysis.layers])
            return layers
        groups = (
            all_groups(self.analysis)
            if limit.pattern is None
            else groups_named(self.analysis, limit.pattern)
        )
        if not groups:
            self.no_match(limit, [group.name for group in all_groups(self.analysis)])
        return groups

    def no_match(self, limit: Limit, names: Sequence[str]) -> None:
        scope, pattern = limit.scope.value, limit.pattern
        if pattern is None:
            self.cannot_bound(limit, f"`{self.analysis.name}` has no {scope}s", None)
            return
        others = (
            groups_named(self.analysis, pattern)
            if limit.scope is Scope.LAYER
            else layers_named(self.analysis, pattern)
        )
        close = None if is_pattern(pattern) else close_match(pattern, names)
        if others and limit.scope is Scope.LAYER:
            hint = f"it is a group: bound it under `groups`, or its layers by `{pattern}.*`"
        elif others:
            hint = "it is a layer: bound it under `layers`"
        elif close:
            hint = f"did you mean `{close}`?"
        else:
            hint = f"there are {listed(names) or 'none'}"
        self.findings.append(
            Finding(
                catalogue.NO_MATCH,
                f"`{self.analysis.name}` has no {scope} `{pattern}`",
                limit.place,
                help=hint,
            )
        )

    def cannot_bound(self, limit: Limit, message: str, hint: str | None) -> None:
        self.findings.append(Finding(catalogue.CANNOT_BOUND, message, limit.place, help=hint))

    # -- values ------------------------------------------------------------------------------------

    def verdict(self, limit: Limit, subject: Subject) -> Verdict | None:
        """A limit held against a network, group or layer; None if that has no such metric."""
        value = self.value(limit, subject)
        if value is None:
            return None
        if limit.is_share:
            whole = self.whole(limit)
            value = value / whole if whole else Fraction(0)
        over = value > limit.amount if limit.bound is Bound.MAX else value < limit.amount
        name = None if isinstance(subject, Analysis) else subject.name
        verdict = Verdict(limit, name, value, limit.amount, place=_place(subject))
        return verdict._replace(finding=self.finding(verdict, subject)) if over else verdict

    def whole(self, limit: Limit) -> Fraction | None:
        """The metric of a limit that is a share: the network's."""
        key = limit.metric.key
        if key not in self.wholes:
            self.wholes[key] = self.value(limit, self.analysis)
        return self.wholes[key]

    def value(self, limit: Limit, subject: Subject) -> Fraction | None:
        """The metric of a limit."""
        key = limit.metric.key
        members = subject.layers if isinstance(subject, Analysis | GroupCost) else (subject,)
        value: int | Fraction | None
        match key:
            case "layers":
                value = len(members)
            case "receptive_field":
                field = (
                    subject.receptive_field
                    if isinstance(subject, Analysis)
                    else members[-1].receptive_field
                )
                sizes = cast("tuple[int, ...]", field.size)
                best = max if limit.bound is Bound.MAX else min
                value = best(sizes, default=None)
            case "read_bytes" | "written_bytes":
                value = getattr(self.traffic(members), key)
            case "intensity":
                macs = sum(layer.macs for layer in members)
                value = intensity(macs, self.traffic(members), batch=self.analysis.batch)
            case "reuse":
                value = reuse(*members)
            case "time":
                value = self.time(members)
            case _:
                value = value_of(key, subject.cost if isinstance(subject, GroupCost) else subject)
        return None if value is None else Fraction(value)

    def traffic(self, layers: Iterable[LayerCost]) -> Traffic:
        """What layers move together."""
        read = written = 0
        for layer in layers:
            moved = traffic(layer, batch=self.analysis.batch, dtypes=self.analysis.dtypes)
            read += moved.read_bytes
            written += moved.written_bytes
        return Traffic(read, written)

    def time(self, layers: Iterable[LayerCost]) -> Fraction:
        """The least time of layers on the device, in seconds."""
        if not self.times and self.device is not None:
            rows = roofline(self.analysis, self.device).layers
            self.times = {row.name: row.time for row in rows}
        return sum((self.times[layer.name] for layer in layers), start=Fraction(0))

    # -- increases ---------------------------------------------------------------------------------

    def increase(self, limit: Limit) -> Iterator[Verdict]:
        """A `max_increase` held against the baseline."""
        if self.baseline is None:
            self.findings.append(
                Finding(
                    catalogue.NO_BASELINE,
                    f"there is nothing to hold an increase of {limit.metric.noun} against",
                    limit.place,
                    help="give the budget a `baseline`, or the command `--against REVISION`",
                )
            )
            return
        value = self.value(limit._replace(bound=Bound.MAX), self.analysis)
        base = self.base(limit)
        if value is None or base is None:
            whose = self.analysis.name if value is None else self.baseline.label
            hint = None if value is None else "hold it against a spec or a revision"
            self.cannot_bound(limit, f"`{whose}` has no {limit.metric.noun}", hint)
            return
        allowed = base + (base * limit.amount if limit.is_percentage else limit.amount)
        if limit.metric.unit in ("count", "bytes"):
            allowed = Fraction(floor(allowed))
        verdict = Verdict(limit, None, value, allowed, base=base)
        if value > allowed:
            verdict = verdict._replace(finding=self.finding(verdict, self.analysis))
        yield verdict

    def base(self, limit: Limit) -> Fraction | None:
        """What the baseline has; a saved report has not everything."""
        before = cast("Baseline", self.baseline)
        recorded = before.value(limit.metric)
        if recorded is not None or before.analysis is None:
            return None if recorded is None else Fraction(recorded)
        judging = _Judging(before.analysis, self.budget, None, self.device)
        return judging.value(limit._replace(bound=Bound.MAX), before.analysis)

    # -- what to say -------------------------------------------------------------------------------

    def finding(self, verdict: Verdict, subject: Subject) -> Finding:
        """What there is to say of a limit that does not hold."""
        limit = verdict.limit
        code = {
            Bound.MAX: catalogue.ABOVE_MAX,
            Bound.MIN: catalogue.BELOW_MIN,
            Bound.MAX_INCREASE: catalogue.DEARER,
        }[limit.bound]
        # What is below a `min` has shrunk, if anything.
        may_grow = isinstance(subject, Analysis) and limit.bound is not Bound.MIN
        grown = self.most_grown(limit.metric) if may_grow else None
        place = verdict.place
        related: tuple[Related, ...] = ()
        if grown is not None and grown[1] is not None:
            place = grown[1]
        if place is None:
            place = limit.place
        elif limit.place is not None:
            related = (Related("budget", limit.place),)
        notes = [] if grown is None else [grown[0]]
        notes.append(self.context())
        return Finding(
            code,
            self.message(verdict),
            place,
            notes=tuple(notes),
            help=limit.message,
            related=related,
            warns=limit.warns,
        )

    def message(self, verdict: Verdict) -> str:
        """``multiply-adds 320,001,234 exceed 320,000,000 by 1,234 (0.0004 %)``."""
        limit, value, allowed = verdict.limit, verdict.value, verdict.allowed
        each = limit.metric
        noun = f"`{verdict.subject}`: {each.noun}" if verdict.subject else each.noun
        s = "" if each.is_plural else "s"
        difference = abs(value - allowed)
        unit = "share" if limit.is_share else each.unit
        shown, bound, apart = _told_apart(value, allowed, difference, unit)
        if limit.bound is Bound.MAX_INCREASE:
            base = cast("Fraction", verdict.base)
            grew = _amount(base, unit, 0 if base.denominator == 1 else 3)
            part = f", by {_percent((value - base) / base)}" if base else ""
            return (
                f"{noun} grew from {grew} to {shown}{part}: {apart} more than the "
                f"{limit.text} that {'are' if limit.is_percentage else 'is'} allowed"
            )
        if limit.is_share:
            whole = cast("Fraction", self.whole(limit))
            have = _amount(value * whole, each.unit)
            shown = f"{have} of {_amount(whole, each.unit)}, {shown},"
        elif each.unit == "bytes" and limit.text != bound.replace(",", ""):
            bound = f"{bound} ({limit.text})"
        verb = f"exceed{s}" if limit.bound is Bound.MAX else f"fall{s} short of"
        part = f" ({_percent(difference / allowed)})" if allowed and not limit.is_share else ""
        return f"{noun} {shown} {verb} {bound} by {apart}{part}"

    def context(self) -> str:
        """Which network, under which conditions, against which budget."""
        analysis = self.analysis
        shapes = ", ".join("×".join(map(str, sizes)) for _, sizes in analysis.inputs)
        said = [f"`{analysis.name}` of {analysis.spec}", f"input {shapes}"]
        said += [f"{name} = {value}" for name, value in analysis.settings]
        if analysis.batch != 1:
            said.append(f"batch {analysis.batch}")
        formats = dict.fromkeys(analysis.dtypes)
        if tuple(formats) != ("float32",):
            said.append("/".join(formats))
        if self.budget.name:
            said.append(f"budget `{self.budget.name}`")
        if self.baseline:
            said.append(f"against {self.baseline.label}")
        return ", ".join(said)

    # -- why ---------------------------------------------------------------------------------------

    def most_grown(self, each: Metric) -> tuple[str, Place | None] | None:
        """The layer that made the most of an increase: what to say of it, and its place."""
        total = self.increase_of(each)
        removed = any(change.mark is Mark.REMOVED for change in self.changes)
        for growth, change in self.growths(each):
            # What is new and was something else before, under another name, is not what grew.
            if change.mark is Mark.ADDED and removed and (total is None or growth > total):
                continue
            place = change.after.place if isinstance(change.after, LayerCost) else None
            keys = self.keys_of(each, change)
            was = 0 if change.before is None else sum(value_of(k, change.before.cost) for k in keys)
            unit = "bytes" if each.unit == "bytes" else "count"
            now = _amount(Fraction(was + growth), unit)
            what = each.noun if each.of_layers else _GROWN[each.key]
            if change.mark is Mark.ADDED:
                return f"`{change.name}` is new: {what} {now}", place
            before = _amount(Fraction(was), unit)
            return f"`{change.name}` grew most: {what} {before} → {now}", place
        return None

    def increase_of(self, each: Metric) -> Fraction | None:
        """By how much a metric of the network is above the baseline's."""
        base = None if self.baseline is None else self.baseline.value(each)
        now = None if base is None else baseline_of(self.analysis, "").value(each)
        return None if base is None or now is None else Fraction(now) - Fraction(base)

    def growths(self, each: Metric) -> Iterator[tuple[int, Change]]:
        """The layers that make more of a metric than in the baseline, the most first."""
        grown = [
            (sum(map(change.difference, self.keys_of(each, change))), change)
            for change in self.changes
        ]
        # Of equals the first in the network.
        return iter(
            sorted((pair for pair in grown if pair[0] > 0), key=lambda pair: pair[0], reverse=True)
        )

    def keys_of(self, each: Metric, change: Change) -> tuple[str, ...]:
        """The metrics of a layer that made a metric of the network grow."""
        keys = layer_keys(each)
        if each.key in _BY_TIME and change.name not in self.at_peak:
            # What is not there at the peak does not make it.
            return tuple(key for key in keys if key != "activation_bytes")
        return keys

    @cached_property
    def at_peak(self) -> frozenset[str]:
        """The layers whose outputs are live at the peak."""
        inputs = len(self.analysis.inputs)
        return frozenset(
            self.analysis.layers[tensor.node - inputs].name
            for tensor in self.analysis.liveness.live_in(self.analysis.peak.step)
            if tensor.node >= inputs
        )

    def changed(self, each: Metric) -> tuple[Change, ...]:
        """The layers that have another part of a metric than in the baseline, the most first."""
        keys = layer_keys(each)
        grown = [(sum(map(change.difference, keys)), change) for change in self.changes if keys]
        # The greatest growth first, then the greatest fall; of equals the first in the network.
        ordered = sorted(grown, key=lambda pair: (pair[0] <= 0, -abs(pair[0])))
        return tuple(change for difference, change in ordered if difference)

    def why(self, each: Metric) -> Why:
        """Where a metric comes from."""
        return Why(each, self.heaviest(each), self.changed(each)[:MOST_PARTS])

    def heaviest(self, each: Metric) -> tuple[Part, ...]:
        """The layers with the most of a metric."""
        sizes = self.sizes(each)
        total = sum(size for _, size, _ in sizes)
        ordered = sorted(sizes, key=lambda part: -part[1])[:MOST_PARTS]
        return tuple(
            Part(name, size, Fraction(size, total), place) for name, size, place in ordered if size
        )

    def sizes(self, each: Metric) -> list[tuple[str, int, Place | None]]:
        """What each layer has of a metric; of the peak each tensor that is live in it."""
        analysis = self.analysis
        layers = analysis.layers
        if each.key in _BY_TIME:
            names = [name for name, _ in analysis.inputs]
            peak = analysis.peak
            live: list[tuple[str, int, Place | None]] = []
            for tensor in analysis.liveness.live_in(peak.step):
                number = tensor.node - len(names)
                if number < 0:
                    live.append((f"{names[tensor.node]} (input)", tensor.size, None))
                else:
                    live.append((layers[number].name, tensor.size, layers[number].place))
            return live
        if each.key == "training_bytes":
            kept = analysis.training.kept.of_nodes[len(analysis.inputs) :]
            return [
                (layer.name, size, layer.place) for layer, size in zip(layers, kept, strict=True)
            ]
        if each.key in ("read_bytes", "written_bytes"):
            return [
                (layer.name, getattr(self.traffic((layer,)), each.key), layer.place)
                for layer in layers
            ]
        if each not in METRICS:
            return []
        return [(layer.name, value_of(each.key, layer), layer.place) for layer in layers]


_BY_TIME: Final = frozenset({"peak_activation_bytes", "inference_bytes"})
"""Metrics that hang on what is live when."""


_GROWN: Final = {
    "peak_activation_bytes": "its output, live at the peak,",
    "inference_bytes": "its weights, and its output at the peak,",
    "training_bytes": "its output and weights",
}
"""What of a layer makes a metric of the network grow."""


def layer_keys(each: Metric) -> tuple[str, ...]:
    """The metrics of layers that a metric of the network comes from, if any: mostly itself."""
    if each.of_layers and each in METRICS:
        return (each.key,)
    return {
        "peak_activation_bytes": ("activation_bytes",),
        "inference_bytes": ("activation_bytes", "weight_bytes"),
        "training_bytes": ("activation_bytes", "weight_bytes"),
    }.get(each.key, ())


def _place(subject: Subject) -> Place | None:
    """Where the spec makes it; of a group its first layer."""
    if isinstance(subject, Analysis):
        return None
    return subject.layers[0].place if isinstance(subject, GroupCost) else subject.place


# -- numbers in sentences --------------------------------------------------------------------------


def _told_apart(
    value: Fraction, allowed: Fraction, difference: Fraction, unit: str
) -> tuple[str, str, str]:
    """The three as texts, with as many digits as it takes that none vanishes."""
    if all(number.denominator == 1 for number in (value, allowed)) and unit != "share":
        return tuple(_amount(number, unit) for number in (value, allowed, difference))  # type: ignore[return-value]
    digits = 1
    while digits < MOST_DIGITS and (
        (_in_its_unit(allowed, unit) * 10**digits).denominator != 1
        or _amount(value, unit, digits) == _amount(allowed, unit, digits)
        or not _in_its_unit(difference, unit) * 10**digits >= Fraction(1, 2)
    ):
        digits += 1
    points = unit == "share"
    apart = _scaled(difference, unit, digits) + (" points" if points else _suffix(unit))
    # The bound is shown exactly, so that zeros at its end say nothing.
    bound = _scaled(allowed, unit, digits)
    bound = bound.rstrip("0").rstrip(".") if "." in bound else bound
    return _amount(value, unit, digits), bound + _suffix(unit), apart


MOST_DIGITS: Final = 30


def _amount(number: Fraction, unit: str, digits: int = 0) -> str:
    """``320,001,234``, ``25,165,825 B``, ``1.25 ms``, ``44.4 %``."""
    return _scaled(number, unit, digits) + _suffix(unit)


def _scaled(number: Fraction, unit: str, digits: int) -> str:
    scaled = _in_its_unit(number, unit)
    if scaled.denominator == 1:
        return f"{scaled.numerator:,}"
    # Not through a float, which has fewer digits than may be asked for.
    rounded = round(scaled * 10**digits)
    whole, rest = divmod(rounded, 10**digits)
    return f"{whole:,}" + (f".{rest:0{digits}}" if digits else "")


def _in_its_unit(number: Fraction, unit: str) -> Fraction:
    """A share in per cent, seconds in milliseconds."""
    return number * {"share": 100, "seconds": 1000}.get(unit, 1)


def _suffix(unit: str) -> str:
    return {"bytes": " B", "share": " %", "seconds": " ms"}.get(unit, "")


def _percent(part: Fraction) -> str:
    """``12.3 %``; what is less than a tenth to its first digit: ``0.0004 %``."""
    percent = abs(part) * 100
    if percent >= Fraction(1, 10):
        return f"{float(percent):,.1f} %"
    digits = 1 if not percent else -floor(log10(percent))
    return f"{float(percent):.{digits}f} %"
