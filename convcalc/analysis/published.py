"""Computed numbers held against the figures that others publish."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, cast

from convcalc.analysis.cost import Analysis, sum_of
from convcalc.analysis.grouping import layers_within
from convcalc.errors import Finding, catalogue
from convcalc.graph import PublishedFigure

__all__ = ["PublishedCheck", "published_checks", "published_findings"]


class PublishedCheck(NamedTuple):
    """A published figure and the number it speaks of."""

    figure: PublishedFigure
    computed: int | None
    """None: the network has no layers of the name that the figure is for, or those no receptive
    field."""

    @property
    def agrees(self) -> bool:
        """Whether the figure is the computed number, rounded as it was printed."""
        return self.computed is not None and self.figure.low <= self.computed <= self.figure.high

    @property
    def is_expected(self) -> bool:
        """Whether it agrees, or differs and the spec says why."""
        return self.computed is not None and self.agrees is (self.figure.differs is None)


def published_checks(analysis: Analysis) -> tuple[PublishedCheck, ...]:
    """Every figure that the spec publishes, with what was computed for it."""
    checks = []
    for figure in analysis.published:
        cost, field = analysis.total, analysis.receptive_field
        if figure.group is not None:
            members = layers_within(analysis, figure.group)
            if not members:
                checks.append(PublishedCheck(figure, None))
                continue
            cost, field = sum_of(layer.cost for layer in members), members[-1].receptive_field
        computed = (
            # One figure is of square fields; of others it is the longer side.
            max(cast("tuple[int, ...]", field.size), default=None)
            if figure.metric == "receptive_field"
            else getattr(cost, figure.metric)
        )
        checks.append(PublishedCheck(figure, computed))
    return tuple(checks)


def published_findings(analysis: Analysis) -> Iterator[Finding]:
    """A warning for each published figure that is not what was computed, or is against its word."""
    for check in published_checks(analysis):
        if check.is_expected:
            continue
        figure, computed = check
        noun = figure.metric.replace("_", " ")
        whose = f"`{figure.group}` of `{analysis.name}`" if figure.group else f"`{analysis.name}`"
        if computed is None and (figure.group is None or layers_within(analysis, figure.group)):
            message = f"{whose} has no {noun}, published: {figure.text}"
        elif computed is None:
            message = f"`{analysis.name}` has no layers `{figure.group}` ({figure.source})"
        elif check.agrees:
            message = (
                f"{whose} has {computed:,} {noun}, which is the {figure.text} that is "
                "said to differ"
            )
        else:
            message = f"{whose} has {computed:,} {noun}, published: {figure.text}"
        yield Finding(
            catalogue.PUBLISHED_DIFFERS,
            message,
            figure.place,
            notes=(f"the figure is from {figure.source}",),
            help="if the figure is known to be wrong, say why under `differs`",
        )
