"""How long a network takes from text to totals, and how that grows with its layers.

python benchmarks/in_process.py
"""

import statistics
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

from convcalc.analysis import analyze_graph
from convcalc.analysis.devices import all_devices
from convcalc.analysis.intensity import roofline
from convcalc.reports.memory import memory_json
from convcalc.sources import load

CHAIN = """\
input: [8, 16, 16]
layers:
  - repeat: {count}
    conv: {{out_channels: 8, kernel_size: 3, padding: 1}}
"""
SKIPS = """\
input: [8, 16, 16]
layers:
  - repeat: {count} // 5
    layers:
      - residual:
          body:
            - conv: {{out_channels: 8, kernel_size: 3, padding: 1}}
            - batch_norm
            - relu
      - relu
"""
LIMIT = 30
"""Milliseconds for ResNet-152 with everything on."""


def milliseconds(work: Callable[[], object], runs: int) -> float:
    """Median wall time of ``work``."""
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return 1000 * statistics.median(times)


def peak_mebibytes(work: Callable[[], object]) -> float:
    """Most memory that Python holds at once during ``work``."""
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 2**20


def analyzed(spec: str) -> object:
    """From the text of ``spec`` to its totals."""
    return analyze_graph(load(spec))


def everything(spec: str) -> object:
    """The same with the best order, in place, the timeline, and the times on a device."""
    analysis = analyze_graph(load(spec), in_place=True, best_order=True, optimizer="adam")
    return memory_json(analysis), roofline(analysis, all_devices()[0])


def main() -> None:
    """Print the tables."""
    print(f"Python {sys.version.split()[0]}\n")
    print("| network | text to totals, ms | with everything on, ms |\n| :--- | ---: | ---: |")
    for name in ("lenet5", "alexnet", "resnet::resnet50", "resnet::resnet152"):
        totals, all_of_it = (
            milliseconds(lambda name=name, work=work: work(name), 20)
            for work in (analyzed, everything)
        )
        print(f"| {name} | {totals:.1f} | {all_of_it:.1f} |")
    print(f"\nThe limit for the last number is {LIMIT}.")
    for title, text, work in (
        ("layers of a chain", CHAIN, analyzed),
        ("layers with skips, everything on", SKIPS, everything),
    ):
        _growth(title, text, work)


def _growth(title: str, text: str, measure: Callable[[str], object]) -> None:
    """Print how time and memory grow with the layers."""
    print(f"\n| {title} | ms | MiB |\n| ---: | ---: | ---: |")
    measured = {}
    with tempfile.TemporaryDirectory() as folder:
        for count in (1_000, 10_000, 100_000):
            spec = Path(folder) / f"chain{count}.yaml"
            spec.write_text(text.format(count=count), encoding="utf-8")
            work = lambda spec=spec: measure(str(spec))  # noqa: E731
            measured[count] = milliseconds(work, 3), peak_mebibytes(work)
            print(f"| {count:,} | {measured[count][0]:,.0f} | {measured[count][1]:,.0f} |")
    time_ratio, memory_ratio = (
        large / small for large, small in zip(measured[100_000], measured[10_000], strict=True)
    )
    print(f"\nTen times the layers: time × {time_ratio:.1f}, memory × {memory_ratio:.1f}.")


if __name__ == "__main__":
    main()
