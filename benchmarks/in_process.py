"""How long a network takes from text to totals inside a process.

python benchmarks/in_process.py [runs]     the table
python benchmarks/in_process.py SPEC WORK  ms, and MiB of Python's objects; see WORKS
"""

import sys
import tracemalloc
from collections.abc import Callable
from typing import Final

from measuring import MEBIBYTE, milliseconds, table

from convcalc.analysis import analyze_graph
from convcalc.analysis.devices import all_devices
from convcalc.analysis.intensity import roofline
from convcalc.reports.memory import memory_json
from convcalc.sources import load

LIMIT: Final = 30
"""Milliseconds for ResNet-152 with everything on."""


def peak_mebibytes(work: Callable[[], object]) -> float:
    """Most memory that Python holds at once during ``work``."""
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / MEBIBYTE


def analyzed(spec: str) -> object:
    """From the text of ``spec`` to its totals."""
    return analyze_graph(load(spec))


def everything(spec: str) -> object:
    """The same with the best order, in place, the timeline, and the times on a device."""
    analysis = analyze_graph(load(spec), in_place=True, best_order=True, optimizer="adam")
    return memory_json(analysis), roofline(analysis, all_devices()[0])


WORKS: Final = {work.__name__: work for work in (analyzed, everything)}


def main() -> None:
    """Print the table, or the figures of one spec."""
    if len(sys.argv) > 2:
        spec, name = sys.argv[1:]
        print(milliseconds(lambda: WORKS[name](spec), 5), peak_mebibytes(lambda: WORKS[name](spec)))
        return
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    rows = [
        [name, *(f"{milliseconds(lambda w=w, n=name: w(n), runs):.1f}" for w in WORKS.values())]
        for name in ("lenet5", "alexnet", "resnet::resnet50", "resnet::resnet152")
    ]
    print(table(["network", "text to totals, ms", "with everything on, ms"], rows))
    print(f"The fastest of {runs} runs. The limit for the last number is {LIMIT}.")


if __name__ == "__main__":
    main()
