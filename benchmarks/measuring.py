"""How processes and functions are measured, and how measurements are written down.

What is compared runs in turn, A B A B …, and is compared pair by pair, so that a machine that slows
down slows both. Beside the time on the clock stands the time of the processors, which other work
on the machine disturbs less.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

MEBIBYTE = 2**20


class Process(NamedTuple):
    """What one run of a program took."""

    wall: float
    """Seconds from start to end."""
    cpu: float
    """Seconds of all processors, the system's for it included."""
    peak: int
    """Bytes of memory that it had at once, at the most."""
    output: str


class Spread(NamedTuple):
    """The median of several measurements, and between what they lie."""

    median: float
    least: float
    greatest: float

    def text(self, digits: int = 2) -> str:
        """``1.12 (1.08–1.17)``; the median alone if it is all there is."""
        median, least, greatest = (f"{value:,.{digits}f}" for value in self)
        return median if least == greatest else f"{median} ({least}–{greatest})"


def spread(values: Iterable[float]) -> Spread:
    """The spread of one or more measurements."""
    values = tuple(values)
    return Spread(statistics.median(values), min(values), max(values))


def run(arguments: Sequence[str]) -> Process:
    """Run this Python with ``arguments``. Raises RuntimeError, with its messages, if it fails.

    A process begins as a copy of the one that starts it: its peak is no less than what this one
    has, which must therefore stay small.
    """
    # Python writes bytecode and buffers its output, as it does unless somebody asks for less.
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in {"PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED"}
    }
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as messages:
        start = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, *arguments], stdout=output, stderr=messages, env=environment
        )
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            messages.seek(0)
            said = messages.read().decode(errors="replace")
            raise RuntimeError(f"{arguments} ended with {process.returncode}:\n{said}")
        output.seek(0)
        shown = output.read().decode()
    unit = 1 if sys.platform == "darwin" else 1024
    return Process(wall, used.ru_utime + used.ru_stime, used.ru_maxrss * unit, shown)


def paired(
    first: Sequence[str], second: Sequence[str], runs: int
) -> tuple[tuple[Process, Process], ...]:
    """Run two programs in turn."""
    return tuple((run(first), run(second)) for _ in range(runs))


def timed(work: Callable[[], object], runs: int, seconds: float = 2) -> Spread:
    """Seconds of ``work`` on the clock, over one or more runs.

    After ``seconds`` no further run is begun.
    """
    times: list[float] = []
    begin = time.perf_counter()
    while not times or (len(times) < runs and time.perf_counter() - begin < seconds):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return spread(times)


def milliseconds(work: Callable[[], object], runs: int) -> float:
    """The least time of ``work`` on the clock: whatever disturbs a run makes it longer."""
    return 1000 * timed(work, runs).least


def table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; the first column is text, the others are numbers."""
    lines = [titles, [":---", *["---:"] * (len(titles) - 1)], *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
