"""Exact costs of convolutional networks, from a short YAML spec.

>>> import convcalc
>>> costs = convcalc.analyze("resnet::resnet50")
>>> costs.params, costs.macs
(25557032, 4089184256)
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from convcalc.analysis import Analysis, LayerCost
    from convcalc.api import analyze, load
    from convcalc.errors import ConvcalcError, Finding, SpecError, UsageError
    from convcalc.graph import Graph

__version__ = "0.1.0"

__all__ = [
    "Analysis",
    "ConvcalcError",
    "Finding",
    "Graph",
    "LayerCost",
    "SpecError",
    "UsageError",
    "__version__",
    "analyze",
    "load",
]

_HOMES = {
    "Analysis": "convcalc.analysis",
    "LayerCost": "convcalc.analysis",
    "analyze": "convcalc.api",
    "load": "convcalc.api",
    "ConvcalcError": "convcalc.errors",
    "Finding": "convcalc.errors",
    "SpecError": "convcalc.errors",
    "UsageError": "convcalc.errors",
    "Graph": "convcalc.graph",
}


def __getattr__(name: str) -> object:
    # A command that shows help or a version should not wait for the analysis to be imported.
    if name in _HOMES:
        from importlib import import_module  # noqa: PLC0415 - see above

        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'convcalc' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
