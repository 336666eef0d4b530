"""The words that specs, budgets and options are made of, from convcalc's own declarations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any, Final

from permitted import FORMATS_OF

from convcalc.analysis.devices import all_devices
from convcalc.analysis.dtypes import BITS
from convcalc.analysis.training import OPTIMIZERS
from convcalc.conventions import all_conventions
from convcalc.layers import all_kinds
from convcalc.metrics import METRICS
from convcalc.reports.analyze import COLUMNS
from convcalc.sources import budgets_schema, shipped_names, spec_schema
from convcalc.sources.spec.library import library_names

__all__ = [
    "EXPRESSIONS",
    "FIGURES",
    "HOSTILE",
    "NUMBERS",
    "OPTIONS",
    "SYNTAX",
    "dictionary",
    "keys",
    "kinds",
    "option_values",
    "words",
]

NUMBERS: Final = (
    *("0", "1", "2", "3", "4", "5", "7", "8", "16", "31", "32", "64", "224", "1000", "65536"),
    *("-1", "-2", "0.5", "1.5", "1/2", "1e3", "1e9", "10**9", "2**31", "2**63", "2**64", "10**18"),
    *("9007199254740993", "9" * 18, "9" * 30, "010", "0x10", "0o7", "1_000", "28:28", "1e999"),
    *(".nan", ".inf", "-.inf", "-0", "00", "1.", ".5", "1e-9", "True", "yes", "null", "~"),
)
HOSTILE: Final = (
    *("\x1b[31m", "\x1b]0;x\x07", "\x07", "\x00", "\x7f", "\x85", "\x9b31m", "\u2028", "\u2029"),
    *("\u202e", "\u2066", "\u200b", "\ufeff", "\ud7ff", "\ue000", "\U000e0001", "\U0010ffff"),
    *("[bold]", "[/]", "[link=x]", "\\", "|", "`", "``", "%0A", "%", "::", "&", "<", ">", "]]>"),
    *("{", "}", "$", "#", "_", "^", "~", "'", '"', '"""', "\\n", "é", "ﬁ", "ｉ", "²", "１", "é"),
    *("😀", "\t", "\r", "--", "-", "=", "+", "@", "=1+1", "*", "?", "[", "..", ".", ",", ";", " "),
    *("lambda", "import", "class", "None", "def", "return", "H", "W", "N", "x" * 90, "1x", "l1"),
)
SYNTAX: Final = (
    *(": ", ", ", "- ", "[", "]", "{", "}", "\n", "\n  ", "\n    ", "\n  - ", "  ", "\t", "'", '"'),
    *(
        "#",
        "?",
        "|",
        ">",
        "&a ",
        "*a",
        "<<: ",
        "!x ",
        "!!int ",
        "---\n",
        "...\n",
        "%TAG ! x\n",
        "@",
    ),
)
FIGURES: Final = (
    *("5M", "600k", "1.5G", "2%", "0%", "100%", "150%", "-1", "12 MB", "320 KiB", "1/3", "1e3"),
    *("0.1%", "9" * 40, "1,000", "1.", "M", "%", "B", "1 B", "0.5 B", "1e999", "nan", "inf", "0"),
    *("4.11G", "4.1 GFLOPs", "8.18e9", "25.6M params", "~1M", "≈ 2", "1·10^3", "10²", "1 MiB"),
)
EXPRESSIONS: Final = (
    *("i", "in_channels", "2 * in_channels", "in_channels // 2", "max(1, in_channels // 4)"),
    *("make_divisible(i, 8)", "ceil(i / 2)", "floor(-i / 3)", "round(1 / 3)", "1 if i else 2"),
    *("a[0]", "[1, 2][i]", "[1, 2]", "[[1, 0], [0, 1]]", "not i", "i == 0 and 1", "i in [1]"),
    *("'a'", "i ** 2", "-i", "i % 3", "(1,)", "min()", "len([1])", "sum([1, 2])", "range(3)"),
)
OTHER_WORDS: Final = (
    *("prev", "input", "same", "valid", "relu", "true", "false", "none", "concat", "add", "mul"),
    *("given", "best", "auto", "always", "never", "all", "module", "function", "net.yaml"),
    *("base.json", "budgets.yaml", "version", "warn", "error", "network", "layer", "group"),
)


@cache
def keys() -> tuple[str, ...]:
    """The keys of specs and budgets, in the order in which their schemas have them."""
    return tuple(dict.fromkeys((*_properties(spec_schema()), *_properties(budgets_schema()))))


def _properties(schema: Any) -> Iterator[str]:  # noqa: ANN401 - any JSON
    if isinstance(schema, dict):
        named = schema.get("properties")
        yield from named if isinstance(named, dict) else ()
        for each in schema.values():
            yield from _properties(each)
    elif isinstance(schema, list):
        for each in schema:
            yield from _properties(each)


@cache
def kinds() -> tuple[str, ...]:
    """The layer kinds, and the blocks of the library."""
    return (*all_kinds(), *library_names())


@cache
def words() -> tuple[str, ...]:
    """Every word."""
    return tuple(dict.fromkeys((*kinds(), *keys(), *EXPRESSIONS, *OTHER_WORDS)))


@cache
def option_values(option: str) -> tuple[str, ...]:
    """What may stand after an option; none if it takes nothing."""
    metrics = tuple(dict.fromkeys(name for each in METRICS for name in (each.name, each.key)))
    limits = tuple(f"{name}={figure}" for name in metrics for figure in FIGURES[:12])
    shares = tuple(f"{name}_share={figure}" for name in metrics for figure in FIGURES[3:7])
    formats = tuple(dict.fromkeys(name for each in FORMATS_OF.values() for name in each))
    names = ("H", "W", "N", "C", "L", "D", "H,W", "H,W,N", "width", "depth", "n", "k", "classes")
    changes: tuple[str, ...] = (
        *("H=2", "W=1.1", "N=3", "n=2,k=3", "width=8/7", "H", "H,W", "width", "depth=1e3", "n=0"),
    )
    sizes: tuple[str, ...] = (
        *("3,8,8", "16x16x3", "8,6", "1,1,1", "4,4,4,4", "64", "8,0,8", "3,-1,8", "3,8,8,8,8"),
        *("3, 8, 8", "3×8×8", "a,b", "1e3,2,2", "999999999999999999,2,2", ""),
    )
    assumed: tuple[str, ...] = (
        *("H % 32 == 0", "W == H", "H >= 64", "H == 2 * W", "N == 1", "H < W", "H % 0 == 0"),
        *("n == k", "H == H", "W % 7 == 3", "H == 1", "H >= 2**70", "H % 2 == 1", "H = 3"),
    )
    table: dict[str, Iterable[str]] = {
        "--set": tuple(f"{n}={v}" for n in (*names, "H", "n", "k") for v in (*NUMBERS, "[1, 2]")),
        "--batch": ("1", "2", "64", "0", "-1", "9" * 30, "x"),
        "--dtype": (*BITS, "float", "int"),
        "--weights-dtype": BITS,
        "--activations-dtype": BITS,
        "--format": (*formats, *formats, "xml"),
        "--export": (*(f"{name}:out.{name}" for name in formats), "json:", "json:net.yaml", "x:y"),
        "--depth": ("1", "2", "all", "0", "x", "9" * 20),
        "--columns": (*COLUMNS, "time", "intensity", "reuse", ",".join(COLUMNS), "name,name", ""),
        "--device": (*(each.name for each in all_devices()), "x"),
        "--peak-macs": ("600G", "1", "0", "1e9", "5 GB/s", "9" * 40, "-1", "0.001"),
        "--bandwidth": ("25.6GB/s", "1", "0", "1GiB/s", "1e-9", "x"),
        "--order": ("best", "given", "worst"),
        "--optimizer": (*OPTIMIZERS, "x"),
        "--color": ("auto", "never", "x"),
        "--like": (*(each.name for each in all_conventions()), "x"),
        "--written": ("relu=function", "*=module", "conv=x", "conv*=operator", "=", "l*=subclass"),
        "--max": (*limits, *shares),
        "--min": (*limits, *shares, "receptive_field=3", "receptive_field=224"),
        "--max-increase": limits,
        "--baseline": ("base.json", "net.yaml", "base.json::net", "none.json", "lenet5", ""),
        "--free": (*names, "H,H", "N,n", ",", "input.H", "x"),
        "--assume": assumed,
        "--grow": changes,
        "--metric": (*metrics, "macs,params", "receptive_field", "x", "macs,macs"),
        "--claim": FIGURES,
        "--input": sizes,
        "--headroom": FIGURES,
        "--output": ("out.yaml", "net.yaml"),
        "--reference": ("net", "x"),
    }
    return tuple(table.get(option, ()))


SHARED: Final = ("--set", "--batch", "--dtype", "--weights-dtype", "--activations-dtype")
SHOWN: Final = ("--format", "--export", "--color")
ANALYZED: Final = ("--in-place", "--order", "--optimizer")
OPTIONS: Final = {
    "analyze": (
        *(*SHARED, *SHOWN, *ANALYZED, "--depth", "--columns", "--memory", "--device"),
        *("--peak-macs", "--bandwidth", "--like", "--written"),
    ),
    "compare": (*SHARED, *SHOWN, *ANALYZED, "--depth", "--layers", "--reference", "--free"),
    "check": (
        *(*SHARED, *SHOWN, *ANALYZED, "--max", "--min", "--max-increase", "--baseline"),
        *("--device", "--update-baseline", "--why", "--strict", "--exit-zero"),
    ),
    "explain": (*SHARED, *SHOWN, *ANALYZED, "--metric"),
    "layer": (*SHARED[1:], *SHOWN, "--input", "--input", "--metric", "--channels-last"),
    "formula": (
        *(*SHARED, *SHOWN, "--optimizer", "--free", "--metric", "--assume", "--grow", "--layers"),
        "--free",
    ),
    "reconcile": ("--set", *SHOWN, "--claim", "--claim", "--written"),
    "budget": (*SHARED, *ANALYZED, "--headroom", "--output", "--color"),
}
"""The options of each command."""


def dictionary() -> str:
    """The words as a dictionary of libFuzzer."""
    every = dict.fromkeys(
        (*words(), *NUMBERS, *SYNTAX, *HOSTILE, *FIGURES, *shipped_names(), *OPTIONS)
    )
    lines = []
    for word in every:
        raw = word.encode()
        if 0 < len(raw) <= 60:
            text = "".join(
                chr(b) if 32 <= b < 127 and chr(b) not in '"\\' else f"\\x{b:02x}" for b in raw
            )
            lines.append(f'"{text}"')
    return "\n".join(lines) + "\n"
