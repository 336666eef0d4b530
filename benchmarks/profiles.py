"""Where convcalc spends its time, by profile.

python benchmarks/profiles.py [runs]
"""

import cProfile
import gc
import importlib
import json
import pstats
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable
from contextlib import redirect_stdout, suppress
from io import StringIO
from pathlib import Path
from typing import Final

from measuring import run, spread, table

COMMAND: Final = ["analyze", "resnet::resnet50", "--format", "table"]
NETWORK: Final = "resnet::resnet152"
LIBRARIES: Final = ("typer", "rich", "yaml")
OTHER: Final = "standard library"
IMPORTED: Final = re.compile(r"import time:\s*([0-9]+) \|\s*[0-9]+ \|\s*(\S+)")


def main() -> None:
    """Print the tables, or profile one part in a process of its own."""
    if len(sys.argv) > 2:
        print_profile(sys.argv[1], sys.argv[2:])
        return
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    run(["-m", "convcalc", *COMMAND])
    whole = 1000 * spread(run(["-m", "convcalc", *COMMAND]).wall for _ in range(runs)).median
    empty = 1000 * spread(run(["-c", "pass"]).wall for _ in range(runs)).median
    imports = [_imports() for _ in range(runs)]
    print(
        f"`convcalc {' '.join(COMMAND)}` takes {whole:.0f} ms, Python with nothing to do "
        f"{empty:.0f} ms.\n\n"
        "Imports, by `-X importtime`: the time of the modules themselves, without what they import "
        f"in turn; medians of {runs} runs. Being measured makes them slower.\n"
    )
    rows = sorted(_owned(imports), key=lambda row: -row[2])
    print(
        table(
            ["imported", "modules", "ms"],
            [[owner, str(count), f"{time:.1f}"] for owner, count, time in rows],
        )
    )
    print(
        "What is done after that, by `cProfile`, which makes it two or three times slower: *own* "
        "is the time inside a room of the package, built-in functions that it calls included; "
        "*with calls* that of everything between its being entered and left. The fastest of "
        f"{runs} runs.\n"
    )
    for title, arguments in (
        (f"after the imports of `convcalc {' '.join(COMMAND)}`", ["command", *imports[0]]),
        (f"`{NETWORK}` from text to totals, the second time", ["network", NETWORK]),
    ):
        profiles = [json.loads(run([__file__, *arguments]).output) for _ in range(runs)]
        own, within = min(profiles, key=lambda profile: sum(profile[0].values()))
        print(_rooms(title, own, within))


def _imports() -> dict[str, int]:
    """Microseconds that each module took which the command imports."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "convcalc", *COMMAND],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=True,
    )
    return {name: int(time) for time, name in IMPORTED.findall(done.stderr)}


def _owned(imports: list[dict[str, int]]) -> list[tuple[str, int, float]]:
    """Each owner of modules, how many they are, and their milliseconds, the median of all runs."""
    modules: defaultdict[str, list[str]] = defaultdict(list)
    for module in imports[0]:
        modules[owner_of_module(module)].append(module)
    return [
        (owner, len(names), spread(sum(times[n] for n in names) / 1000 for times in imports).median)
        for owner, names in modules.items()
    ]


def owner_of_module(module: str) -> str:
    """Whose a module is: a room of convcalc, a library, or Python's own."""
    first, _, rest = module.partition(".")
    if first == "convcalc":
        return f"convcalc.{rest.partition('.')[0]}" if rest else "convcalc"
    return {"_yaml": "yaml"}.get(first, first if first in LIBRARIES else OTHER)


def owner_of_file(file: str) -> str:
    """Whose the code of a file is."""
    parts = Path(file).with_suffix("").parts
    for last in reversed(range(len(parts))):
        if parts[last] in {"convcalc", *LIBRARIES}:
            return owner_of_module(".".join(parts[last:]))
    return OTHER


def print_profile(part: str, arguments: list[str]) -> None:
    """Profile the command with its modules imported, or a network from text to totals.

    Prints what `by_owner` tells, as JSON.
    """
    gc.disable()
    if part == "command":
        for module in arguments:
            with suppress(ImportError):  # some exist only while others are imported
                importlib.import_module(module)
        profile = _profiled(_command)
    else:
        from convcalc.analysis import analyze_graph  # noqa: PLC0415 - of this part
        from convcalc.sources import load  # noqa: PLC0415 - of this part

        (spec,) = arguments
        analyze_graph(load(spec))
        profile = _profiled(lambda: analyze_graph(load(spec)))
    print(json.dumps(by_owner(profile)))


def _rooms(title: str, own: dict[str, float], within: dict[str, float]) -> str:
    """The table of a profile."""
    total = sum(own.values())
    rows = [
        [
            name,
            f"{1000 * time:.1f}",
            f"{100 * time / total:.0f} %",
            f"{1000 * within[name]:.1f}" if name in within else "",
        ]
        for name, time in sorted(own.items(), key=lambda row: -row[1])
    ]
    return table([title, "own, ms", "share", "with calls, ms"], rows)


def _profiled(work: Callable[[], object]) -> pstats.Stats:
    profile = cProfile.Profile()
    profile.enable()
    work()
    profile.disable()
    return pstats.Stats(profile)


def _command() -> None:
    from convcalc.cli import main as command  # noqa: PLC0415 - of this part

    sys.argv = ["convcalc", *COMMAND]
    with redirect_stdout(_Output()), suppress(SystemExit):
        command()


class _Output(StringIO):
    """Where the command's output goes."""

    def reconfigure(self, **options: str) -> None:
        """Do as the standard output does."""


def by_owner(profile: pstats.Stats) -> tuple[dict[str, float], dict[str, float]]:
    """Seconds inside the code of each owner, and between its being entered and left.

    Built-in functions count as their callers' code. The second is told of the rooms of convcalc
    alone, without the command line: what they call never calls them.
    """
    own: defaultdict[str, float] = defaultdict(float)
    within: defaultdict[str, float] = defaultdict(float)
    for (file, _, _), (_, _, time, _, callers) in profile.stats.items():
        if file == "~":
            for (caller, _, _), (_, _, part, _) in callers.items():
                own[owner_of_file(caller)] += part
            continue
        owner = owner_of_file(file)
        own[owner] += time
        if not owner.startswith("convcalc.") or owner == "convcalc.cli":
            continue
        for (caller, _, _), (_, _, _, total) in callers.items():
            # What a built-in function calls, a key of sorting for example, is not entered anew.
            if caller != "~" and owner_of_file(caller) != owner:
                within[owner] += total
    return own, within


if __name__ == "__main__":
    main()
