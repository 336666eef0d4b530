"""How time and memory grow with the layers of a network.

python benchmarks/growth.py [--most-layers 100000]
"""

import argparse
import tempfile
from pathlib import Path
from typing import Final

from chains import CHAIN, SKIPS, written
from measuring import MEBIBYTE, run, table

IN_PROCESS: Final = str(Path(__file__).parent / "in_process.py")
COUNTS: Final = (100, 1_000, 10_000, 100_000)
MEASURED: Final = (
    "text to totals, ms",
    "Python's objects, MiB",
    "whole process, ms",
    "its peak, MiB",
)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--most-layers", type=int, default=COUNTS[-1])
    most = parser.parse_args().most_layers
    counts = [count for count in COUNTS if count <= most]
    print(
        "× is to the row above. The first figure is of the fastest of up to 5 runs; the whole "
        "process is `convcalc analyze SPEC --format table`.\n"
    )
    _growth("layers of a chain", CHAIN, counts, "analyzed", [])
    _growth(
        "layers with skips, everything on",
        SKIPS,
        counts,
        "everything",
        ["--in-place", "--order", "best", "--optimizer", "adam"],
    )


def _growth(title: str, text: str, counts: list[int], work: str, options: list[str]) -> None:
    """Print how a work of `in_process.py` grows, and the command with the same options."""
    rows = []
    before: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        for count in counts:
            spec = written(text, count, Path(folder))
            time, memory = run([IN_PROCESS, spec, work]).output.split()
            whole = run(["-m", "convcalc", "analyze", spec, "--format", "table", *options])
            found = [float(time), float(memory), 1000 * whole.wall, whole.peak / MEBIBYTE]
            ratios = [f"{b / a:.1f}" for a, b in zip(before, found, strict=False)] or [""] * 4
            cells = zip((f"{value:,.0f}" for value in found), ratios, strict=True)
            rows.append([f"{count:,}", *(cell for pair in cells for cell in pair)])
            before = found
    print(table([title, *(cell for each in MEASURED for cell in (each, "×"))], rows))


if __name__ == "__main__":
    main()
