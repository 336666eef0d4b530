"""Count with convcalc: python with_convcalc.py SPEC."""

import sys

from convcalc.analysis import analyze_graph
from convcalc.graph import Graph
from convcalc.sources import load


def build(spec: str) -> tuple[Graph]:
    """The graph of a spec."""
    return (load(spec),)


def count(graph: Graph) -> tuple[int, int]:
    """Its multiply-adds, its parameters; all that an analysis has is worked out with them."""
    found = analyze_graph(graph)
    return found.macs, found.params


if __name__ == "__main__":
    print(*count(*build(sys.argv[1])))
