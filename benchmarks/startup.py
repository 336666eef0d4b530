"""How long `convcalc analyze` takes as a whole process, against the floor of what it imports.

    python benchmarks/startup.py [runs]

The two run in turn, A B A B …, in one go, so that a machine that slows down slows both; what counts
is the median of the ratios. `benchmarks/floor.py` is B. Bytecode is written first, as an
installation does.
"""

import compileall
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import convcalc

HERE = Path(__file__).parent
ANALYZE = ["-m", "convcalc", "analyze", "resnet::resnet50", "--format", "table"]
FLOOR = [str(HERE / "floor.py"), "analyze", "resnet50"]
LIMIT = 1.3


def seconds(arguments: list[str]) -> float:
    """Wall time of one run of this Python with ``arguments``."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL, env=environment
    )
    return time.perf_counter() - start


def main() -> None:
    """Run the pairs and print medians and ratios."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    compileall.compile_dir(str(Path(convcalc.__file__).parent), quiet=1)
    for arguments in (ANALYZE, FLOOR):
        seconds(arguments)
    pairs = [(seconds(ANALYZE), seconds(FLOOR)) for _ in range(runs)]
    ratios = sorted(ours / floor for ours, floor in pairs)
    ours, floor = (1000 * statistics.median(times) for times in zip(*pairs, strict=True))
    print("| | median ms |")
    print("| :--- | ---: |")
    print(f"| convcalc analyze resnet::resnet50 | {ours:.1f} |")
    print(f"| typer, rich, PyYAML and a table | {floor:.1f} |")
    print(f"| ratio, pair by pair | {statistics.median(ratios):.2f} |")
    print(f"\n{runs} pairs, ratios from {ratios[0]:.2f} to {ratios[-1]:.2f}; the limit is {LIMIT}.")


if __name__ == "__main__":
    main()
