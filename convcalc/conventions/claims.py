"""A figure that somebody quotes, and whose count it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from typing import NamedTuple

from convcalc.analysis.cost import Analysis
from convcalc.conventions import all_conventions
from convcalc.conventions.counting import Counted, counted
from convcalc.conventions.declaration import Form
from convcalc.conventions.written import Written

__all__ = ["USUAL_SIZES", "Candidate", "Claim", "Verdict", "judged"]

USUAL_SIZES = (
    *(128, 160, 176, 192, 208, 224, 232, 240, 256, 260, 272, 288, 299, 300, 320, 331, 336, 352),
    *(380, 384, 416, 448, 456, 480, 512, 520, 528, 544, 576, 600),
)
"""Heights and widths that networks for images are trained or measured with."""

NEAREST = 3
"""Misses that are named where nothing fits."""


class Claim(NamedTuple):
    """A figure, and the counts that it may stand for: from ``low`` to ``high``."""

    text: str
    low: int
    high: int
    is_of_params: bool = False
    """Whether it is of parameters, not of operations."""

    def fits(self, value: int) -> bool:
        """Whether ``value``, rounded as the figure is, is the figure."""
        return self.low <= value <= self.high


class Candidate(NamedTuple):
    """A count that may be what a claim is of."""

    analysis: Analysis
    counted: Counted
    value: int
    is_of_params: bool = False
    """Whether it is a count of parameters."""
    written: tuple[Written, ...] = ()
    """How the network would have to be written for it, where that is not as taken for granted."""


class Verdict(NamedTuple):
    """What a claim turns out to be."""

    claim: Claim
    matches: tuple[Candidate, ...]
    nearest: tuple[Candidate, ...]
    """Where nothing matches, what comes closest, the closest first."""
    sizes: tuple[tuple[int, ...], ...]
    """Other input shapes that were tried; none where the spec's own was enough."""


def judged(
    claim: Claim,
    analysis: Analysis,
    others: Iterable[Analysis],
    written: Sequence[Written] = (),
) -> Verdict:
    """Which conventions give the figure of a claim for a network.

    First for ``analysis`` itself; then as if its layers were written in other ways; then for
    ``others``, the same network on other inputs, which are worked out only if they are needed.
    """
    own = list(_candidates(claim, analysis, written))
    found = [each for each in own if claim.fits(each.value)]
    if found or claim.is_of_params:
        return Verdict(claim, tuple(found), () if found else _nearest(claim, own), ())
    found = [each for each in _written_otherwise(analysis, own, written) if claim.fits(each.value)]
    if found:
        return Verdict(claim, tuple(found), (), ())
    elsewhere: list[Candidate] = []
    sizes = []
    for other in others:
        sizes.append(other.inputs[0][1])
        elsewhere += _candidates(claim, other, written)
    found = [each for each in elsewhere if claim.fits(each.value)]
    nearest = () if found else _nearest(claim, [*own, *elsewhere])
    return Verdict(claim, tuple(found), nearest, tuple(sizes))


def _candidates(
    claim: Claim, analysis: Analysis, written: Sequence[Written]
) -> Iterator[Candidate]:
    met = set()
    for convention in all_conventions():
        count = counted(analysis, convention, written)
        if not claim.is_of_params:
            yield Candidate(analysis, count, count.total)
        elif count.params not in met:  # most tools count all: it is the same figure
            met.add(count.params)
            yield Candidate(analysis, count, count.params, is_of_params=True)


def _written_otherwise(
    analysis: Analysis, own: Iterable[Candidate], written: Sequence[Written]
) -> Iterator[Candidate]:
    """Counts that change if all layers of one kind are written in one other way."""
    kinds = dict.fromkeys(layer.kind for layer in analysis.layers)
    for candidate in own:
        convention, known = candidate.counted.convention, {candidate.value}
        if len({rule.forms for rule in convention.rules}) == 1:
            continue  # however it is written, the count is the same
        for kind in kinds:
            for form in Form:
                otherwise = Written(kind, form)
                count = counted(analysis, convention, (*written, otherwise))
                if count.total not in known:
                    known.add(count.total)
                    yield Candidate(analysis, count, count.total, written=(otherwise,))


def _nearest(claim: Claim, candidates: Iterable[Candidate]) -> tuple[Candidate, ...]:
    def distance(candidate: Candidate) -> Fraction:
        away = max(claim.low - candidate.value, candidate.value - claim.high)
        return Fraction(away, max(1, claim.low))

    return tuple(sorted(candidates, key=distance)[:NEAREST])
