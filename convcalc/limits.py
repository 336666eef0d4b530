"""What a budget says, as typed data: limits on metrics, and what they are for.

`convcalc.sources.budgets` reads it from YAML and from the command line, `convcalc.budgets` holds
it against an analysis.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from fractions import Fraction
from typing import Any, NamedTuple

from convcalc.errors import Place
from convcalc.metrics import Metric

__all__ = ["Bound", "Budget", "Conditions", "Limit", "Reference", "Scope"]


class Bound(Enum):
    """Which way a limit bounds; the value is its key in a budget."""

    MAX = "max"
    MIN = "min"
    MAX_INCREASE = "max_increase"
    """Over the baseline."""


class Scope(Enum):
    """What a limit is for; the value is its word after `of`."""

    NETWORK = "network"
    GROUP = "group"
    """A group of layers, in total."""
    LAYER = "layer"


class Limit(NamedTuple):
    """A bound on a metric."""

    metric: Metric
    bound: Bound
    amount: Fraction
    """In the metric's unit; of a percentage the part: 40 % is 2/5."""
    text: str
    """The amount as it was written."""
    is_percentage: bool = False
    """Of a share: of the whole network's; of an increase: of the baseline's."""
    is_share: bool = False
    """Whether the amount is a part of the network's own value, `macs_share`."""
    warns: bool = False
    """Whether to be over it is a warning only."""
    scope: Scope = Scope.NETWORK
    pattern: str | None = None
    """The names of the layers or groups that it is for; None: all of them."""
    message: str | None = None
    """What to say beside the finding."""
    place: Place | None = None

    @property
    def key(self) -> str:
        """How a budget spells it: ``max params``, ``max macs_share``."""
        return f"{self.bound.value} {self.metric.name}{'_share' if self.is_share else ''}"


class Reference(NamedTuple):
    """A network or file that a budget names."""

    text: str
    place: Place | None = None


class Conditions(NamedTuple):
    """What networks are analyzed under; None where nothing is said of it."""

    settings: Mapping[str, Any] = {}
    """Variables of the spec and their values, as `convcalc.sources.load` takes them."""
    batch: int | None = None
    weights_dtype: str | None = None
    activations_dtype: str | None = None
    in_place: bool | None = None
    order: str | None = None
    """``given`` or ``best``."""
    optimizer: str | None = None
    device: str | None = None
    """A name that `convcalc.analysis.devices.find_device` knows."""
    places: Mapping[str, Place] = {}
    """Where they stand, by their keys in a budget."""

    def over(self, others: Conditions) -> Conditions:
        """These where they say something, else ``others``."""
        said = {name: value for name, value in self._asdict().items() if value is not None}
        merged = {
            "settings": {**others.settings, **self.settings},
            "places": {**others.places, **self.places},
        }
        return others._replace(**{**said, **merged})


class Budget(NamedTuple):
    """Limits, and the networks that they are for."""

    limits: tuple[Limit, ...]
    name: str | None = None
    specs: tuple[Reference, ...] = ()
    """Specs, by path, pattern or shipped name; none in a spec, whose budget is for itself."""
    variants: tuple[Reference, ...] = ()
    """In a spec: the variants that it is for, or patterns of them; none: all."""
    conditions: Conditions = Conditions()
    baseline: Reference | None = None
    """What increases are held against: a saved report, or another spec."""
    place: Place | None = None
