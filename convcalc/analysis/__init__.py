"""What is computed from a graph: cost, live memory, receptive field. Frozen rows come out."""

from convcalc.analysis.cost import (
    Analysis,
    Cost,
    LayerCost,
    NetworkTotal,
    analyze_graph,
    total_of,
)
from convcalc.analysis.dtypes import BITS, Dtypes

__all__ = [
    "BITS",
    "Analysis",
    "Cost",
    "Dtypes",
    "LayerCost",
    "NetworkTotal",
    "analyze_graph",
    "total_of",
]
