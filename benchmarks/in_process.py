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
from convcalc.sources import load

CHAIN = """\
input: [8, 16, 16]
layers:
  - repeat: {count}
    conv: {{out_channels: 8, kernel_size: 3, padding: 1}}
"""


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


def main() -> None:
    """Print the tables."""
    print(f"Python {sys.version.split()[0]}\n\n| network | text to totals, ms |\n| :--- | ---: |")
    for name in ("lenet5", "alexnet", "resnet::resnet50", "resnet::resnet152"):
        print(f"| {name} | {milliseconds(lambda name=name: analyzed(name), 20):.1f} |")

    print("\n| layers of a chain | ms | MiB |\n| ---: | ---: | ---: |")
    measured = {}
    with tempfile.TemporaryDirectory() as folder:
        for count in (1_000, 10_000, 100_000):
            spec = Path(folder) / f"chain{count}.yaml"
            spec.write_text(CHAIN.format(count=count), encoding="utf-8")
            work = lambda spec=spec: analyzed(str(spec))  # noqa: E731
            measured[count] = milliseconds(work, 3), peak_mebibytes(work)
            print(f"| {count:,} | {measured[count][0]:,.0f} | {measured[count][1]:,.0f} |")
    time_ratio, memory_ratio = (
        large / small for large, small in zip(measured[100_000], measured[10_000], strict=True)
    )
    print(f"\nTen times the layers: time × {time_ratio:.1f}, memory × {memory_ratio:.1f}.")


if __name__ == "__main__":
    main()
