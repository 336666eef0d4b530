"""convcalc against other tools, on the same networks.

    python benchmarks/peers.py [--runs 3] [--networks alexnet,resnet50,resnet152,efficientnet_b7]
        [--chains 100,1000]

Each tool has a script in `benchmarks/tools` that is the least that somebody would write: import,
build torchvision's network, count, print. Where the tool can count without calculating, on
PyTorch's device meta, it does. Tools that are not installed are named and left out.
"""

import argparse
import json
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias

from chains import CHAIN, written
from measuring import MEBIBYTE, Process, paired, run, spread, table

SCRIPTS = Path(__file__).parent / "tools"
INSTALL: Final = """\
pip install torch==2.13.0
pip install --no-deps -r benchmarks/tools/requirements.txt
"""


class Tool(NamedTuple):
    """A tool that counts."""

    name: str
    script: str
    modules: tuple[str, ...]
    """What it imports, beside PyTorch and torchvision."""
    convention: str | None
    """What `convcalc reconcile` calls the way in which it counts; None if it does not know it."""
    where: str
    """On what it counts."""

    @property
    def title(self) -> str:
        """Its name, and on what it counts."""
        return f"{self.name}, {self.where}"

    @property
    def path(self) -> str:
        """Its script."""
        return str(SCRIPTS / f"{self.script}.py")

    @property
    def reads_files(self) -> bool:
        """Whether it takes an ONNX file, not a network of torchvision."""
        return self.script == "with_onnx_tool"


TOOLS: Final = (
    Tool("torchinfo", "with_torchinfo", ("torchinfo",), "torchinfo", "meta"),
    Tool("fvcore", "with_fvcore", ("fvcore", "iopath", "yacs"), "fvcore", "CPU"),
    Tool("ptflops (aten)", "with_ptflops", ("ptflops",), "ptflops-aten", "meta"),
    Tool("thop", "with_thop", ("thop",), "thop", "meta"),
    Tool("PyTorch's counter", "with_torch", (), "torch", "meta"),
    Tool("onnx-tool", "with_onnx_tool", ("onnx_tool", "onnx"), None, "ONNX file"),
)


class Network(NamedTuple):
    """A network on both sides."""

    title: str
    spec: str
    model: str
    """What torchvision calls it."""


NETWORKS: Final = (
    Network("AlexNet", "alexnet::alexnet", "alexnet"),
    Network("ResNet-50", "resnet::resnet50", "resnet50"),
    Network("ResNet-152", "resnet::resnet152", "resnet152"),
    Network("EfficientNet-B7", "efficientnet::efficientnet_b7", "efficientnet_b7"),
)
Measured: TypeAlias = dict[tuple[Network, Tool], tuple[tuple[Process, Process], ...]]
"""Pairs of convcalc and a tool."""

IN_PROCESS: Final = NETWORKS[2]
CHAINS: Final = "100,1000"
IN_PROCESS_RUNS: Final = 10


def main() -> None:
    """Measure what is installed, and print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=3, help="pairs of each tool and network")
    parser.add_argument("--networks", default=",".join(each.model for each in NETWORKS))
    parser.add_argument("--chains", default=CHAINS, help="layers of two chains")
    options = parser.parse_args()
    wanted = options.networks.split(",")
    networks = [each for each in NETWORKS if each.model in wanted]
    if len(networks) < len(wanted):
        parser.error(f"there are {', '.join(each.model for each in NETWORKS)}")
    tools = [each for each in TOOLS if not missing(each)]
    print(f"To install the tools:\n\n```sh\n{INSTALL}```\n")
    for each in TOOLS:
        if each not in tools:
            print(f"**Not installed, and left out: {each.name}** ({', '.join(missing(each))}).\n")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if any(each.reads_files for each in tools):
            _export(folder, [each.model for each in networks])
        _whole_processes(networks, tools, folder, options.runs)
        counts = [int(count) for count in options.chains.split(",")]
        _inside_a_process(tools, folder, counts, has_network=IN_PROCESS in networks)


def missing(tool: Tool) -> list[str]:
    """The modules that a tool needs and that are not installed."""
    return [name for name in ("torch", "torchvision", *tool.modules) if find_spec(name) is None]


def _export(folder: Path, names: list[str]) -> None:
    run([str(SCRIPTS / "export.py"), str(folder), *names])


def _subject(tool: Tool, model: str, folder: Path) -> str:
    """What a tool's script is to be told."""
    return str(folder / f"{model}.onnx") if tool.reads_files else model


# -- whole processes -------------------------------------------------------------------------------


def _whole_processes(networks: list[Network], tools: list[Tool], folder: Path, runs: int) -> None:
    print(
        "### A whole process\n\n"
        "From the start of Python to its end: `convcalc analyze SPEC --format table` against the "
        f"script of each tool, in turn, {runs} times. Ratios are to convcalc, pair by pair: the "
        "median, and between what they lie.\n"
    )
    found = {
        (network, tool): paired(
            _analyze(network), [tool.path, _subject(tool, network.model, folder)], runs
        )
        for network in networks
        for tool in tools
    }
    if tools:
        _summary(networks, tools, found)
    for network in networks:
        ours = [a for tool in tools for a, _ in found[network, tool]]
        if not tools:
            ours = [run(_analyze(network)) for _ in range(runs)]
        rows = [_compared(tool.title, found[network, tool]) for tool in tools]
        print(f"**{network.title}**\n")
        print(table(_TITLES, [[*_taken("convcalc", ours), "1", "1", "1"], *rows]))
    if tools:
        pairs = paired(_analyze(networks[0]), ["-c", "import torch"], runs)
        print(
            "For comparison, `import torch` and nothing else takes "
            f"{spread(1000 * b.wall for _, b in pairs).text(0)} ms, "
            f"{spread(b.wall / a.wall for a, b in pairs).text(1)} times convcalc on "
            f"{networks[0].title}, and {spread(b.peak / MEBIBYTE for _, b in pairs).median:,.0f} "
            "MiB.\n"
        )
        _agreement(found)


def _analyze(network: Network) -> list[str]:
    return ["-m", "convcalc", "analyze", network.spec, "--format", "table"]


def _summary(networks: list[Network], tools: list[Tool], found: Measured) -> None:
    """Print the median ratios of all, and of the peaks over all networks."""
    rows = []
    for tool in tools:
        row = [tool.title]
        peaks: list[float] = []
        for network in networks:
            pairs = found[network, tool]
            row.append(f"{spread(b.wall / a.wall for a, b in pairs).median:.0f}")
            peaks += [b.peak / a.peak for a, b in pairs]
        rows.append([*row, f"{spread(peaks).median:.0f}"])
    print(table(["times convcalc", *(each.title for each in networks), "peak memory"], rows))


_TITLES: Final = (
    "whole process",
    "ms",
    "ms of the processors",
    "peak MiB",
    "ratio",
    "ratio of the processors",
    "ratio of the peaks",
)


def _taken(name: str, runs: list[Process]) -> list[str]:
    return [
        name,
        f"{spread(1000 * each.wall for each in runs).median:,.0f}",
        f"{spread(1000 * each.cpu for each in runs).median:,.0f}",
        f"{spread(each.peak / MEBIBYTE for each in runs).median:,.0f}",
    ]


def _compared(name: str, pairs: tuple[tuple[Process, Process], ...]) -> list[str]:
    return [
        *_taken(name, [b for _, b in pairs]),
        spread(b.wall / a.wall for a, b in pairs).text(1),
        spread(b.cpu / a.cpu for a, b in pairs).text(1),
        f"{spread(b.peak / a.peak for a, b in pairs).median:.1f}",
    ]


# -- what they print -------------------------------------------------------------------------------


def _agreement(found: Measured) -> None:
    """Print what each tool counts, and whether convcalc says the same of it."""
    print(
        "### What they print\n\n"
        "What convcalc counts under the tool's own convention (`convcalc analyze SPEC --like TOOL`)"
        " is compared to the unit; multiply-adds and parameters are convcalc's own. In the ONNX "
        "files PyTorch's exporter has folded batch norms into convolutions, and keeps equal "
        "tensors once.\n"
    )
    rows = []
    for (network, tool), pairs in found.items():
        counted, params = pairs[0][1].output.split()[-2:]
        known = json.loads(
            run(["-m", "convcalc", "reconcile", network.spec, "--format", "json"]).output
        )["networks"][0]["conventions"]
        totals = {each["name"]: (each["total"], each["params"]) for each in known}
        macs, own_params = totals["convcalc"]
        if tool.convention is None:
            verdict = "no such convention"
        else:
            total, _ = totals[tool.convention]
            verdict = "the same" if total == int(counted) else f"{total:,}"
        rows.append(
            [
                f"{network.title}, {tool.name}",
                f"{int(counted):,}",
                f"{int(counted) / macs:.4f}",
                verdict,
                f"{int(params):,}",
                "the same" if int(params) == own_params else f"{own_params:,}",
            ]
        )
    titles = ("", "prints", "of multiply-adds", "convcalc, its way", "parameters", "convcalc")
    print(table(titles, rows))


# -- inside a process ------------------------------------------------------------------------------


class Inside(NamedTuple):
    """What a tool takes inside a process, in seconds."""

    counting: float
    """Of a network that stands in memory."""
    building: float
    """From nothing: reading or building it, and counting."""


def _inside_a_process(
    tools: list[Tool], folder: Path, counts: list[int], *, has_network: bool
) -> None:
    chains = [f"chain-{count}" for count in counts]
    models = [IN_PROCESS.model] * has_network + chains
    if any(each.reads_files for each in tools):
        _export(folder, chains)
    specs = [IN_PROCESS.spec] * has_network + [written(CHAIN, count, folder) for count in counts]
    found = {"convcalc": _inside("with_convcalc", specs)}
    for tool in tools:
        subjects = [_subject(tool, model, folder) for model in models]
        found[tool.title] = _inside(tool.script, subjects)
    print(
        "### Inside a process\n\n"
        f"In a process that has all imported: the fastest of {IN_PROCESS_RUNS} runs, or of those "
        "that fit into a second. Counting is of a network that stands in memory, a graph here and "
        "a module there; building is from the spec's text, the module's classes or the ONNX file. "
        "convcalc works out memory over time and receptive fields as well.\n"
    )
    if has_network:
        _print_network({name: times[0] for name, times in found.items()})
    sizes = [f"{count:,} layers" for count in counts]
    print(
        "A chain of equal convolutions, ms of counting, and of building and counting; × is from "
        "the first to the last:\n"
    )
    rows = [_grown(name, times[-len(counts) :]) for name, times in found.items()]
    print(table(["", *sizes, "×", *(f"built, {size}" for size in sizes), "×"], rows))


def _inside(script: str, subjects: list[str]) -> list[Inside]:
    """What a tool takes for each of several networks."""
    timer = str(SCRIPTS / "time_of.py")
    lines = run([timer, script, str(IN_PROCESS_RUNS), *subjects]).output.splitlines()
    return [Inside(*map(float, line.split())) for line in lines]


def _print_network(found: dict[str, Inside]) -> None:
    analysis = run(["-m", "convcalc", "analyze", IN_PROCESS.spec, "--format", "json"]).output
    layers = json.loads(analysis)["networks"][0]["totals"]["layers"]
    print(f"{IN_PROCESS.title}, {layers} layers as convcalc counts them; ratios are to convcalc:\n")
    rows = [_at_once(name, times, found["convcalc"], layers) for name, times in found.items()]
    titles = ["", "counting, ms", "layers/s", "ratio", "with building, ms", "layers/s", "ratio"]
    print(table(titles, rows))


def _at_once(name: str, found: Inside, ours: Inside, layers: int) -> list[str]:
    row = [name]
    for theirs, own in zip(found, ours, strict=True):
        row += [f"{1000 * theirs:,.1f}", f"{layers / theirs:,.0f}", f"{theirs / own:.2f}"]
    return row


def _grown(name: str, found: list[Inside]) -> list[str]:
    row = [name]
    for times in zip(*found, strict=True):
        row += [f"{1000 * each:,.1f}" for each in times]
        row.append(f"{times[-1] / times[0]:.1f}")
    return row


if __name__ == "__main__":
    main()
