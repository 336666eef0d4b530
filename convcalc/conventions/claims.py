"""A figure that somebody quotes, and whose count it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from typing import Final, NamedTuple, TypeVar

from convcalc.analysis.cost import Analysis, LayerCost
from convcalc.conventions import all_conventions
from convcalc.conventions.counting import Counted, counted, form_of, rule_for
from convcalc.conventions.declaration import Convention, Form
from convcalc.conventions.quantities import MACS
from convcalc.conventions.written import Written, known_writing, possible_forms

__all__ = ["USUAL_SIZES", "Candidate", "Claim", "Other", "Verdict", "judged"]

USUAL_SIZES: Final = (
    *(128, 160, 176, 192, 208, 224, 232, 240, 256, 260, 272, 288, 299, 300, 320, 331, 336, 352),
    *(380, 384, 416, 448, 456, 480, 512, 520, 528, 544, 576, 600),
)
"""Heights and widths that networks for images are trained or measured with."""

NEAREST = 3
"""Misses that are named where nothing fits."""

LIKELY_FORMS = (Form.FUNCTION, Form.OPERATOR, Form.SUBCLASS, Form.MODULE)
"""Other ways of writing a layer, the most usual first: of two that count the same it is named."""


class Claim(NamedTuple):
    """A figure, and the counts that it may stand for: from ``low`` to ``high``."""

    text: str
    low: int
    high: int
    is_of_params: bool = False
    """Whether it is of parameters, not of operations."""
    is_bare: bool = False
    """Whether it says nothing of what it is of: it may be of parameters too."""

    def fits(self, value: int) -> bool:
        """Whether ``value``, rounded as the figure is, is the figure."""
        return self.low <= value <= self.high

    def is_cut_off(self, value: int) -> bool:
        """Whether ``value`` is the figure only if its further digits are cut off.

        The counts that a figure may stand for reach half a last digit down, and a whole one up.
        """
        return 3 * (value - self.low) > 2 * (self.high + 1 - self.low)

    def distance(self, value: int) -> Fraction:
        """How far ``value`` is from what the figure may stand for, in parts of the figure."""
        return Fraction(max(self.low - value, value - self.high), max(1, self.low))


class Candidate(NamedTuple):
    """A count that may be what a claim is of."""

    analysis: Analysis
    counted: Counted
    value: int
    is_of_params: bool = False
    """Whether it is a count of parameters."""
    written: tuple[Written, ...] = ()
    """How the network would have to be written for it, where that is not as taken for granted."""
    is_doubled: bool = False
    """Whether it is twice what a tool says that counts a multiply-add once."""


class Other(NamedTuple):
    """The network on another input, worked out only if it is asked for."""

    sizes: tuple[int, ...]
    """The shape of its first input."""
    analyzed: Callable[[], Analysis | None]
    """None if its layers do not take such an input."""


class Verdict(NamedTuple):
    """What a claim turns out to be."""

    claim: Claim
    matches: tuple[Candidate, ...]
    """Those that are rounded to the figure first, then those that are cut off; after them, in the
    same order, those of layers that are written in another way."""
    nearest: tuple[Candidate, ...]
    """Where nothing matches, what comes closest: one for each input, the spec's own first."""
    sizes: tuple[tuple[int, ...], ...]
    """Other input shapes that were tried; none where the spec's own was enough."""


def judged(
    claim: Claim,
    analysis: Analysis,
    others: Iterable[Sequence[Other]],
    written: Sequence[Written] = (),
) -> Verdict:
    """Which conventions give the figure of a claim for a network.

    First for ``analysis`` itself; then for ``others``, the same network on other inputs, and as if
    its layers were written in other ways. Each sequence of ``others`` goes from small to large, on
    every axis: no count falls on the way, and so few of them have to be worked out.
    """
    own = _Totals(analysis, written)
    if claim.is_of_params:
        params = list(_parameters(analysis, written))
        found = [each for each in params if claim.fits(each.value)]
        return Verdict(claim, tuple(found), () if found else _nearest(claim, params), ())
    plain, doubled = own.found(is_doubled=False), own.found(is_doubled=True)
    by_params = _parameters(analysis, written) if claim.is_bare else ()
    bare = [each for each in by_params if claim.fits(each.value)]
    for kind in (plain, doubled):
        found = [each.candidate(written) for each in kind if claim.fits(each.value)]
        if found or bare:
            return Verdict(claim, (*_rounded_first(claim, found), *bare), (), ())
    sizes: list[tuple[int, ...]] = []
    elsewhere = []
    for chain in others:
        search = _Search(claim, chain, written)
        elsewhere += search.found()
        sizes += [other.sizes for other in search.possible() if other.sizes not in sizes]
    fitting = [each for each in elsewhere if claim.fits(each.value)]
    fitting = [each for each in fitting if not each.is_doubled] or fitting
    otherwise = [each for each in own.written_otherwise() if claim.fits(each.value)]
    matches = [each.candidate(written) for each in (*_once(fitting), *otherwise)]
    if matches:
        return Verdict(claim, _rounded_first(claim, matches), (), tuple(sizes))
    near = [each.candidate(written) for each in _nearest(claim, (*plain, *doubled, *elsewhere))]
    return Verdict(claim, (), tuple(near), tuple(sizes))


class _Found(NamedTuple):
    """A total, without what it is made up of."""

    analysis: Analysis
    convention: Convention
    value: int
    written: tuple[Written, ...] = ()
    is_doubled: bool = False

    def candidate(self, said: Sequence[Written]) -> Candidate:
        """It with what it is made up of, which takes its time."""
        count = counted(self.analysis, self.convention, (*said, *self.written))
        return Candidate(
            self.analysis,
            count,
            self.value,
            written=self.written,
            is_doubled=self.is_doubled,
        )


_N = TypeVar("_N", Candidate, _Found)


class _LayerKey(NamedTuple):
    """What layers that count alike have in common."""

    layer: int
    input_shapes: tuple[tuple[int, ...], ...]
    form: Form


class _Alike(NamedTuple):
    """Layers that count alike: one of them, how it is written, and how many there are."""

    layer: LayerCost
    form: Form
    number: int


class _Totals:
    """The totals of a network by all conventions, and no more than the totals."""

    def __init__(self, analysis: Analysis, written: Sequence[Written]) -> None:
        self.analysis = analysis
        self._written = (*known_writing(analysis.source), *written)
        groups = self._alike(analysis.layers)
        self._values = {each.name: _total(each, groups) for each in all_conventions()}

    def of(self, convention: Convention) -> int:
        """The total of one of them, for one sample."""
        return self._values[convention.name]

    def found(self, *, is_doubled: bool) -> list[_Found]:
        """All totals; or, of tools that count a multiply-add once, twice as much."""
        return [
            _Found(
                self.analysis,
                each,
                self.of(each) * (2 if is_doubled else 1),
                is_doubled=is_doubled,
            )
            for each in all_conventions()
            if not is_doubled or _can_be_doubled(each)
        ]

    def written_otherwise(self) -> Iterator[_Found]:
        """Totals that change if all layers of one kind are written in one other way."""
        known = {each.name: {self.of(each)} for each in all_conventions()}
        for kind in dict.fromkeys(layer.kind for layer in self.analysis.layers):
            some = Written(kind, Form.MODULE)
            layers = [each for each in self.analysis.layers if some.fits(each.kind, each.name)]
            usual = self._alike(layers)
            for form in (each for each in LIKELY_FORMS if each in possible_forms(kind)):
                groups = self._alike(layers, form)
                for convention in all_conventions():
                    if len({rule.forms for rule in convention.rules}) == 1:
                        continue  # however it is written, the count is the same
                    change = _total(convention, groups) - _total(convention, usual)
                    value = self.of(convention) + change
                    if value not in known[convention.name]:
                        known[convention.name].add(value)
                        otherwise = (Written(kind, form),)
                        yield _Found(self.analysis, convention, value, otherwise)

    def _alike(self, layers: Iterable[LayerCost], form: Form | None = None) -> tuple[_Alike, ...]:
        groups: dict[_LayerKey, _Alike] = {}
        for layer in layers:
            written = form or form_of(layer, self._written)
            key = _LayerKey(id(layer.layer), layer.input_shapes, written)
            known = groups.get(key)
            groups[key] = _Alike(layer, written, 1 if known is None else known.number + 1)
        return tuple(groups.values())


class _Search:
    """Where a figure would be among ever larger inputs: between few of them that are tried."""

    def __init__(self, claim: Claim, chain: Sequence[Other], written: Sequence[Written]) -> None:
        self._claim = claim
        self._chain = chain
        self._written = written
        self._known: dict[int, _Totals | None] = {}

    def found(self) -> list[_Found]:
        """The totals on both sides of where the figure is, and all that fit it."""
        found = []
        for convention in all_conventions():
            for times in (1, 2) if _can_be_doubled(convention) else (1,):
                for position in self._around(convention, times):
                    totals = self._at(position)
                    if totals is not None:
                        value = times * totals.of(convention)
                        found.append(
                            _Found(totals.analysis, convention, value, is_doubled=times == 2)
                        )
        return found

    def possible(self) -> list[Other]:
        """The inputs but for those that were found not to be taken."""
        return [
            other
            for position, other in enumerate(self._chain)
            if self._known.get(position, 0) is not None
        ]

    def _around(self, convention: Convention, times: int) -> list[int]:
        """The positions of what fits, and of the last before and the first after."""
        low, high = 0, len(self._chain)
        before = None
        while low < high:
            middle = position = (low + high) // 2
            while position < high and self._at(position) is None:
                position += 1
            totals = self._at(position) if position < high else None
            if totals is None:
                high = middle
            elif times * totals.of(convention) < self._claim.low:
                low, before = position + 1, position
            else:
                high = middle
        positions = [] if before is None else [before]
        for position in range(low, len(self._chain)):
            totals = self._at(position)
            if totals is not None:
                positions.append(position)
                if times * totals.of(convention) > self._claim.high:
                    break
        return positions

    def _at(self, position: int) -> _Totals | None:
        if position not in self._known:
            analysis = self._chain[position].analyzed()
            self._known[position] = None if analysis is None else _Totals(analysis, self._written)
        return self._known[position]


def _total(convention: Convention, groups: Iterable[_Alike]) -> int:
    total = 0
    for layer, form, number in groups:
        rule = rule_for(convention, layer, form)
        if rule is not None:
            total += number * rule.formula.of(layer)
    return total


def _can_be_doubled(convention: Convention) -> bool:
    """Whether it is a tool that counts a multiply-add of a convolution once."""
    rule = next((each for each in convention.rules if "conv" in each.kinds), None)
    return (
        not convention.is_own
        and rule is not None
        and any(quantity is MACS and times == 1 for times, quantity in rule.formula.terms)
    )


def _parameters(analysis: Analysis, written: Sequence[Written]) -> Iterator[Candidate]:
    met = set()
    for convention in all_conventions():
        count = counted(analysis, convention, written)
        if count.params not in met:  # most tools count all: it is the same figure
            met.add(count.params)
            yield Candidate(analysis, count, count.params, is_of_params=True)


def _rounded_first(claim: Claim, found: Iterable[Candidate]) -> tuple[Candidate, ...]:
    """Networks as they are written come before others, and of each what is rounded."""
    return tuple(sorted(found, key=lambda each: (each.written != (), claim.is_cut_off(each.value))))


def _once(found: Iterable[_Found]) -> list[_Found]:
    """Each total once: two sequences of inputs may have one in common."""
    keyed = {(each.analysis.inputs, each.convention.name, each.is_doubled): each for each in found}
    return list(keyed.values())


def _nearest(claim: Claim, candidates: Sequence[_N]) -> tuple[_N, ...]:
    """The closest on each input, the spec's own first, which comes first in ``candidates``."""
    closest: dict[tuple[tuple[str, tuple[int, ...]], ...], _N] = {}
    for each in sorted(candidates, key=lambda candidate: claim.distance(candidate.value)):
        closest.setdefault(each.analysis.inputs, each)
    own = candidates[0].analysis.inputs
    return tuple(sorted(closest.values(), key=lambda each: each.analysis.inputs != own)[:NEAREST])
