"""All benchmarks, and their report.

    python benchmarks [--runs 3] [--most-layers 100000] [--networks ...] [--only ...]
        [--report FILE]

Writes `benchmarks/report.md`, or FILE: the machine, the versions, and what the other scripts print.
"""

import argparse
import os
import platform
import sys
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final, NamedTuple

from measuring import run

HERE: Final = Path(__file__).parent
PACKAGES: Final = (
    *("convcalc", "typer", "rich", "PyYAML"),
    *("torch", "torchvision", "torchinfo", "fvcore", "ptflops", "thop", "onnx-tool", "onnx"),
    "numpy",
)


class Section(NamedTuple):
    """A part of the report: a script and what it is told."""

    title: str
    script: str
    arguments: tuple[str, ...]


def main() -> None:
    """Run the scripts one after the other and write the report."""
    parser = argparse.ArgumentParser(prog="python benchmarks", description="All benchmarks.")
    parser.add_argument("--runs", type=int, default=3, help="pairs of each tool and network")
    parser.add_argument("--most-layers", default="100000", help="of networks that grow")
    parser.add_argument("--networks", default="", help="models, for example alexnet,resnet50")
    parser.add_argument("--only", default="", help="scripts, for example startup,growth")
    parser.add_argument("--report", type=Path, default=HERE / "report.md", help="what to write")
    options = parser.parse_args()
    chosen = ("--networks", options.networks) if options.networks else ()
    sections = (
        Section("Against the floor", "startup", (str(7 * options.runs),)),
        Section("Against other tools", "peers", ("--runs", str(options.runs), *chosen)),
        Section("From text to totals", "in_process", (str(7 * options.runs),)),
        Section("Growth", "growth", ("--most-layers", options.most_layers)),
        Section("Formulas", "formulas", (str(7 * options.runs),)),
        Section("Where the time goes", "profiles", (str(options.runs),)),
    )
    wanted = options.only.split(",") if options.only else [each.script for each in sections]
    parts = [_heading()]
    for section in sections:
        if section.script not in wanted:
            continue
        print(section.title, file=sys.stderr, flush=True)
        printed = run([str(HERE / f"{section.script}.py"), *section.arguments]).output
        parts.append(
            f"## {section.title}\n\n{_about(section.script)} (`benchmarks/{section.script}.py`)"
            f"\n\n{printed.strip()}\n"
        )
    options.report.write_text("\n".join(parts), encoding="utf-8")


def _about(script: str) -> str:
    """The first sentence of a script, which says what it measures."""
    text = (HERE / f"{script}.py").read_text(encoding="utf-8")
    return text.removeprefix('"""').partition("\n")[0]


def _heading() -> str:
    """What was measured on, when, and with what."""
    facts = {
        "Date": f"{datetime.now(tz=UTC):%Y-%m-%d}",
        "Processor": f"{_processor()}, {os.cpu_count()} cores",
        "System": _system(),
        "Load before": f"{os.getloadavg()[0]:.1f}",
        "Python": platform.python_version(),
    } | {name: _version(name) for name in PACKAGES}
    rows = "".join(f"| {name} | {value} |\n" for name, value in facts.items())
    return (
        "# Benchmarks\n\n"
        "Written by `python benchmarks`. Times depend on the machine; ratios are measured in one "
        "run, pair by pair, and depend on it less.\n\n"
        f"| | |\n| :--- | :--- |\n{rows}"
    )


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _processor() -> str:
    """The name of the processor's model."""
    facts = Path("/proc/cpuinfo")
    if facts.exists():
        for line in facts.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _system() -> str:
    """The operating system, without the name of the machine."""
    try:
        name = platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        name = f"{platform.system()} {platform.release()}"
    return f"{name}, {platform.machine()}"


if __name__ == "__main__":
    main()
