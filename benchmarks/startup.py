"""How long `convcalc analyze` takes as a whole process, against the floor of what it imports.

    python benchmarks/startup.py [pairs]

`benchmarks/floor.py` is the floor: typer, rich, PyYAML and a table of the same size. Bytecode is
written first, as an installation does.
"""

import sys
from pathlib import Path

from measuring import MEBIBYTE, Process, paired, run, spread, table

FLOOR_SCRIPT = str(Path(__file__).parent / "floor.py")
ANALYZE = ["-m", "convcalc", "analyze", "resnet::resnet50", "--format", "table"]
FLOOR = [FLOOR_SCRIPT, "analyze", "resnet50"]
COMPILE = "import compileall, convcalc as c; compileall.compile_dir(c.__path__[0], quiet=1)"
LIMIT = 1.3


def main() -> None:
    """Run the pairs and print medians and ratios."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    run(["-c", COMPILE])
    paired(ANALYZE, FLOOR, 1)
    pairs = paired(ANALYZE, FLOOR, runs)
    ours, floor = zip(*pairs, strict=True)
    print(
        table(
            ["", "ms", "ms of the processors", "peak MiB"],
            [
                _row("convcalc analyze resnet::resnet50", ours),
                _row("typer, rich, PyYAML and a table", floor),
            ],
        )
    )
    walls = spread(a.wall / b.wall for a, b in pairs)
    cpus = spread(a.cpu / b.cpu for a, b in pairs)
    print(
        f"Ratio, pair by pair, of {runs} pairs: {walls.text()} on the clock, {cpus.text()} of the "
        f"processors; the limit is {LIMIT}."
    )


def _row(name: str, runs: tuple[Process, ...]) -> list[str]:
    return [
        name,
        spread(1000 * each.wall for each in runs).text(0),
        spread(1000 * each.cpu for each in runs).text(0),
        spread(each.peak / MEBIBYTE for each in runs).text(0),
    ]


if __name__ == "__main__":
    main()
