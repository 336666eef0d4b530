"""The targets, and the cases that fuzzing each of them starts from.

The networks of the zoo, mutations of them, the specs that mean harm of the tests, an example of
every finding that convcalc documents; budgets, saved reports and options beside small networks.
"""

from __future__ import annotations

import random
import re
import shlex
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from cases import Case, decoded, encoded
from changing import mutated
from permitted import FORMATS_OF
from running import Sandbox
from words import FIGURES, OPTIONS, kinds, option_values

from convcalc.errors.catalogue import all_codes
from convcalc.shipped import shipped_folder

__all__ = ["TARGETS", "Target", "seeds", "write_corpus"]

HERE: Final = Path(__file__).resolve().parent
ATTACKS: Final = HERE.parent / "tests" / "sources" / "spec"
LARGEST: Final = 6000
"""Bytes of an attack that is worth changing; the large ones have a test of their own."""
LARGEST_NETWORK: Final = 4000
SLOW: Final = 0.5
"""Seconds of the processor, with all instruments."""

SMALL: Final = (
    "input: [3, 8, 8]\nlayers:\n  - {conv: {out_channels: 4, kernel_size: 3}, name: l1}\n"
    "  - relu\n",
    "name: net\nvars: {n: 2, k: 3, H: 8}\nvariants: {a: {}, b: {n: 3}}\ninput: [3, H, H]\n"
    "blocks:\n  unit:\n    args: {c: , s: 1}\n    layers:\n"
    "      - conv: {out_channels: c, kernel_size: k, stride: s, padding: k // 2, bias: false}\n"
    "      - batch_norm\n      - relu\nlayers:\n  - {unit: {c: 8, s: 2}, name: l1}\n"
    "  - repeat: n\n    residual:\n      body:\n        - unit: {c: 8}\n  - global_avg_pool\n"
    "  - flatten\n  - linear: {out_features: 10}\n",
    "inputs: {a: [3, 8, 8], b: [1, 8, 8]}\nlayers:\n"
    "  - {conv: {out_channels: 4, kernel_size: 3, padding: same}, from: a, name: l1}\n"
    "  - {concat: , from: [l1, b]}\n"
    "  - parallel:\n      merge: add\n      branches:\n        x: [{conv: {out_channels: 5, "
    "kernel_size: 1}}]\n        y: []\n"
    "  - {conv: {out_channels: 5, kernel_size: 1}, name: l2}\n  - {share: l2, name: l3}\n"
    "outputs: [l3, l1]\npublished: {params: 12, from: us}\n",
    "vars: {n: 2}\ninput: [4, 6, 6, 6]\nlayers:\n  - depthwise_conv: {kernel_size: 3}\n"
    "  - avg_pool: {kernel_size: 2}\n  - for: {c: [4, 8], s: [1, 2]}\n    name: stage\n"
    "    layers:\n      - conv: {out_channels: c * n, kernel_size: 1, stride: s}\n"
    "      - if: i == 0\n        activation: relu\n  - dropout: {p: 0.5}\n",
    "input: [8, 16]\nlayers:\n  - layer_norm\n  - {conv: {out_channels: 8, kernel_size: 3, "
    "padding: same}, name: l1}\n  - to_tokens\n  - attention: {heads: 2}\n  - flatten\n",
    "name: net\ninput: [3, 16, 16]\nlayers:\n"
    "  - {conv: {out_channels: 4, kernel_size: 3}, name: l1}\n  - global_avg_pool\n"
    "budget:\n  max: {params: 1k, macs: {limit: 30M, level: warn}, macs_share: 90%}\n"
    "  min: {receptive_field: 3}\n  layers:\n    - {match: 'l*', max: {activations: 4 KiB}}\n",
)
BUDGETS: Final = (
    "version: 1\nbudgets:\n  - name: mobile\n    spec: net.yaml\n    set: {n: 2}\n    max:\n"
    "      params: 10k\n      peak_memory: 192 KiB\n    groups:\n"
    "      - {match: 'l*', max: {params: 5k}}\n    message: Ask before raising this.\n",
    "version: 1\nbudgets:\n  - spec: [net.yaml, 'net.yaml::*']\n    dtype: int8\n    batch: 2\n"
    "    max: {weight_memory: 12 MB, macs_share: {limit: 70%, of: layer}}\n"
    "    baseline: base.json\n    max_increase: {macs: 2%, params: 50}\n",
    "version: 1\nbudgets:\n  - spec: net.yaml\n    device: jetson-nano\n    in_place: true\n"
    "    order: best\n    optimizer: adam\n    min: {receptive_field: 3}\n"
    "    max: {time: 1 ms, training_memory: 1 GB}\n    layers:\n"
    "      - {match: ['l1'], max: {flops: {limit: 1M, level: warn}}}\n",
    "version: 1\nbudgets:\n  - {spec: lenet5, max: {params: 62k}}\n"
    "  - {spec: net.yaml, baseline: lenet5, max_increase: {params: 0%}}\n",
)
LAYERS: Final = (
    ("conv: {out_channels: 128, kernel_size: 3, padding: same}",),
    ("conv_bn: {out_channels: 64}", "relu"),
    ("[conv_bn: {out_channels: 8}, relu, {max_pool: {kernel_size: 2}, name: p}]",),
    ("add",),
    ("residual: {body: [{conv: {out_channels: in_channels, kernel_size: 1}}]}",),
    ("{repeat: 3, conv: {out_channels: 'max(2, i)', kernel_size: 1}}",),
)


class Target(NamedTuple):
    """A part of what convcalc takes in."""

    name: str
    cases: Callable[[Sandbox], Iterator[Case]]
    """What fuzzing starts from."""
    commands: tuple[str, ...]
    """What a case may come to be."""
    of_arguments: float
    """The share of changes that go to the arguments."""


def _spec_cases(_: Sandbox) -> Iterator[Case]:
    """Specs: the zoo, small networks, attacks, and an example of every finding."""
    chance = random.Random(8)
    commands = ("analyze", "explain", "formula", "reconcile", "check", "compare")
    texts = [*SMALL, *(code.example for code in all_codes() if code.example)]
    zoo = [path.read_text(encoding="utf-8") for path in sorted(shipped_folder().glob("*.yaml"))]
    texts += [text for text in map(_without_comments, zoo) if len(text) <= LARGEST_NETWORK]
    for number, text in enumerate(texts):
        arguments = [commands[number % len(commands)], "net.yaml"]
        if arguments[0] == "check":
            arguments += ["--max", "params=1M"]
        formats = FORMATS_OF[arguments[0]]
        case = Case(
            (*arguments, "--format", chance.choice(formats)), (("net.yaml", text.encode()),)
        )
        yield case
        yield mutated(case, chance, commands=commands)
    for attack in _attacks():
        yield Case(("analyze", "net.yaml"), (("net.yaml", attack),))


def _without_comments(text: str) -> str:
    return re.sub(r"(?m)^\s*#.*\n", "", text)


def _attacks() -> Iterator[bytes]:
    sys.path.append(str(ATTACKS))
    from attacks import FAMILIES

    for family in FAMILIES.values():
        for text in family.values():
            raw = text if isinstance(text, bytes) else text.encode()
            if len(raw) <= LARGEST:
                yield raw


def _budget_cases(sandbox: Sandbox) -> Iterator[Case]:
    """Budget files, budgets in specs, saved reports."""
    for text in SMALL:
        net = ("net.yaml", text.encode())
        saved = sandbox.run(Case(("analyze", "net.yaml", "--format", "json"), (net,))).out
        base = ("base.json", saved.encode())
        for number, budget in enumerate(BUDGETS):
            files = (net, ("budgets.yaml", budget.encode()), base)
            format_ = FORMATS_OF["check"][number % len(FORMATS_OF["check"])]
            yield Case(("check", "budgets.yaml", "--why", "--format", format_), files)
        yield Case(("check",), (net, ("budgets.yaml", BUDGETS[0].encode())))
        increase = ("--baseline", "base.json", "--max-increase", "macs=2%")
        for format_ in FORMATS_OF["check"]:
            yield Case(("check", "net.yaml", *increase, "--format", format_), (net, base))
        yield Case(("check", "budgets.yaml", "--update-baseline"), (net, files[1]))
        yield Case(("budget", "init", "net.yaml", "--headroom", "10%"), (net,))
        yield Case(("budget", "init", "net.yaml", "--output", "out.yaml"), (net,))


def _option_cases(_: Sandbox) -> Iterator[Case]:
    """Every option of every command with a few of its values, beside small networks."""
    chance = random.Random(8)
    texts = [text for text in SMALL if "budget" not in text]
    for command, options in OPTIONS.items():
        if command == "layer":
            continue
        for option in dict.fromkeys(options):
            values = option_values(option)
            picked = chance.sample(values, min(3, len(values))) if values else [None]
            for value in picked:
                added = (option,) if value is None else (option, value)
                named = ("init", "net.yaml") if command == "budget" else ("net.yaml",)
                files = (("net.yaml", chance.choice(texts).encode()),)
                yield Case((command, *named, *added), files)
    yield Case(("analyze", "-"), (("-", texts[0].encode()),))
    yield Case(
        ("compare", "net.yaml", "other.yaml"),
        tuple(
            (name, text.encode())
            for name, text in zip(("net.yaml", "other.yaml"), texts, strict=False)
        ),
    )
    for code in all_codes():
        # One that has a pipe or a file of its own goes with another target.
        if code.command and "\n" not in code.command and code.example is None:
            yield Case(tuple(shlex.split(code.command)), (("net.yaml", texts[1].encode()),))
    for figure in FIGURES:
        yield Case(("reconcile", "net.yaml", "--claim", figure), (("net.yaml", texts[0].encode()),))


def _layer_cases(_: Sandbox) -> Iterator[Case]:
    """Layers on the command line: every kind and every block, on inputs of several forms."""
    shapes = ("3,8,8", "8,16", "4,6,6,6", "64", "16x16x3")
    for number, kind in enumerate(kinds()):
        shape = shapes[number % len(shapes)]
        yield Case(("layer", kind, "--input", shape))
    for layers in LAYERS:
        for format_ in FORMATS_OF["layer"]:
            yield Case(("layer", *layers, "--input", "4,8,8", "--format", format_))
    yield Case(("layer", "add", "--input", "4,8,8", "--input", "4,8,8"))
    yield Case(("layer", "relu", "--input", "8x8x3", "--channels-last", "--metric", "macs"))


TARGETS: Final = (
    Target("spec", _spec_cases, tuple(OPTIONS), 0.25),
    Target("budget", _budget_cases, ("check", "budget"), 0.25),
    Target("options", _option_cases, tuple(OPTIONS), 0.8),
    Target("layer", _layer_cases, ("layer",), 1.0),
)


def seeds(target: Target, sandbox: Sandbox) -> list[Case]:
    """The cases that fuzzing a target starts from, each once, in the form that it is kept in."""
    every = [decoded(encoded(case)) for case in target.cases(sandbox)]
    return list(dict.fromkeys(case for case in every if case is not None))


def write_corpus(target: Target, folder: Path, sandbox: Sandbox, most: int) -> None:
    """Write cases that fuzzing a target starts from into a folder, ``most`` of them.

    What takes long would take the time of thousands of others.
    """
    folder.mkdir(parents=True, exist_ok=True)
    cases = seeds(target, sandbox)
    random.Random(8).shuffle(cases)
    for number, case in enumerate(cases[:most]):
        if sandbox.run(case).seconds <= SLOW:
            (folder / f"seed{number:04}").write_bytes(encoded(case))
