"""How long a tool takes inside a process that has imported it.

    python time_of.py TOOL RUNS NETWORK...

Prints, a line for each network, in seconds on the clock, the least time of counting it where it
stands in memory, and of building and counting it. TOOL is the name of a script beside this one.
What a tool says goes nowhere.
"""

import contextlib
import importlib
import io
import sys
import warnings
from pathlib import Path
from types import ModuleType

sys.path.insert(0, str(Path(__file__).parent.parent))

from measuring import timed

SECONDS = 1
"""After which no further run is begun."""


def main() -> None:
    """Time it."""
    name, runs, *networks = sys.argv[1:]
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        tool = importlib.import_module(name)
        times = [_times(tool, network, int(runs)) for network in networks]
    for counting, building in times:
        print(counting, building)


def _times(tool: ModuleType, network: str, runs: int) -> tuple[float, float]:
    built = tool.build(network)
    counting = timed(lambda: tool.count(*built), runs, SECONDS)
    building = timed(lambda: tool.count(*tool.build(network)), runs, SECONDS)
    return counting.least, building.least


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
