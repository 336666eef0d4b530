"""What may come out of convcalc, whatever goes in.

Exit codes 0, 1 and 2; findings that the catalogue documents, with a place where a file is at fault;
text that cannot steer a terminal; reports that are whole; files that were named. `complaints` holds
one run of one command against that.
"""

from __future__ import annotations

import ast
import csv
import io
import json
import math
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from cases import STANDARD_INPUT, Case
from running import Alone, Outcome

from convcalc.errors.catalogue import all_codes

__all__ = [
    "MEGABYTES",
    "SECONDS",
    "check_code",
    "complaints",
    "excess",
    "formats_of",
    "json_of",
    "network_complaints",
    "options_of",
    "usual_format",
]

SECONDS: Final = 2.0
MEGABYTES: Final = 500.0
LONGEST_LINE: Final = 700
"""Characters of a line among findings; the longest message has 400, and a source line 150."""
BESIDE: Final = re.compile(r"\.convcalc-\d+-\d+\.part")
"""A file on its way to its place."""
CODES: Final = frozenset(code.id for code in all_codes())
FINDING: Final = re.compile(
    r"(?m)^(?P<place>\S.*?:\d+:\d+: )?(?P<severity>error|warning)\[(?P<code>[A-Z]\d+)\]: "
)
OF_A_FILE: Final = ("E01", "E02", "E1", "E2", "E3")
"""Codes of what is wrong in a text: it has a place."""
SETTING: Final = "--set"
STEERING: Final = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""What moves a cursor, ends a line or turns the direction of reading."""
COLORS: Final = re.compile("\x1b\\[[0-9;]*m")
"""What colours a text, where `--color always` asks for it."""
FLAGS: Final = frozenset(
    (
        *("--in-place", "--memory", "--why", "--strict", "--exit-zero", "--update-baseline"),
        *("--layers", "--channels-last", "--summary", "--help"),
    )
)
"""Options that take no value."""
FORMATS_OF: Final = {
    "analyze": ("plain", "table", "json", "csv", "markdown"),
    "compare": ("plain", "table", "json", "csv", "markdown"),
    "check": ("text", "json", "markdown", "github", "gitlab", "junit", "sarif"),
    "explain": ("text", "markdown", "json", "latex"),
    "layer": ("text", "markdown", "json", "latex"),
    "formula": ("text", "latex", "python", "json", "markdown"),
    "reconcile": ("text", "markdown", "json", "csv"),
}
"""The formats of each command's reports, the usual one first."""


def formats_of(command: str) -> tuple[str, ...]:
    """The formats that a command has; none if it has no choice."""
    return FORMATS_OF.get(command, ())


def usual_format(case: Case) -> str | None:
    """The format of what a case prints; None if that cannot be told."""
    formats = formats_of(case.arguments[0])
    if not formats:
        return None
    given = {option for option, _ in options_of(case)}
    if "--" in case.arguments or any(option.startswith("--fo") for option in given - {"--format"}):
        return None  # an option cut short, or what is none
    chosen = [value for option, value in options_of(case) if option == "--format"] or formats
    chosen = chosen[:1] if chosen is formats else chosen[-1:]
    return chosen[0] if chosen[0] in formats else None


def options_of(case: Case) -> Iterator[tuple[str, str]]:
    """The options of a case with their values; those that take none with an empty text."""
    waiting = list(case.arguments[1:])
    while waiting:
        option = waiting.pop(0)
        if option.startswith("--") and "=" in option:
            name, _, value = option.partition("=")
            yield name, value
        elif option in FLAGS or not option.startswith("-") or option == STANDARD_INPUT:
            yield option, ""
        else:
            yield option, waiting.pop(0) if waiting else ""


def json_of(text: str) -> Any:  # noqa: ANN401 - any JSON
    """A JSON text as it must be: no key twice, nothing that is no number."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) < len(pairs):
            raise ValueError(f"a key twice: {[key for key, _ in pairs]}")
        return dict(pairs)

    def refused(constant: str) -> float:
        raise ValueError(f"{constant} is no JSON")

    return json.loads(text, object_pairs_hook=unique, parse_constant=refused)


def excess(alone: Alone) -> Iterator[str]:
    """What was too much about a run in a process of its own."""
    if alone.code not in {0, 1, 2}:
        yield f"exit code {alone.code}: {alone.said[-2000:]}"
    if alone.seconds > SECONDS:
        yield f"took {alone.seconds:.2f} s"
    if alone.megabytes > MEGABYTES:
        yield f"took {alone.megabytes:.0f} MB"


def complaints(case: Case, outcome: Outcome) -> Iterator[str]:
    """What must not have come out, each in a sentence. Time and memory are judged by `excess`."""
    if outcome.code not in {0, 1, 2}:
        yield f"exit code {outcome.code}\n{outcome.traceback}"
        return
    if outcome.code == 1 and case.arguments[0] != "check":
        yield "exit code 1 of a command that holds nothing against a budget"
    yield from _steering(case, outcome)
    yield from _findings(case, outcome)
    yield from _files(case, outcome)
    format_ = usual_format(case)
    if outcome.code == 2 and outcome.out and case.arguments[0] != "check":
        yield "a report though the command could not judge"
    if format_ is not None and outcome.out and "--help" not in case.arguments:
        yield from _malformed(case, format_, outcome.out)
    for name, content in outcome.left:
        for wanted in _exports(case):
            kind, _, file = wanted.partition(":")
            if file == name and kind in formats_of(case.arguments[0]):
                yield from _malformed(case, kind, content.decode(errors="replace"))
    if format_ == "json" and outcome.out and case.arguments[0] == "check":
        yield from _verdict_complaints(outcome)


def _exports(case: Case) -> Iterator[str]:
    """What `--export` wants."""
    return (value for option, value in options_of(case) if option == "--export")


# -- what is said ---------------------------------------------------------------------------------


def _steering(case: Case, outcome: Outcome) -> Iterator[str]:
    for name, text in (("output", outcome.out), ("errors", outcome.err), *_left_texts(outcome)):
        found = STEERING.search(COLORS.sub("", text) if "always" in case.arguments else text)
        if found is not None:
            around = text[max(0, found.start() - 40) : found.end() + 20]
            yield f"{name}: U+{ord(found[0]):04X} in {around!r}"


def _left_texts(outcome: Outcome) -> Iterator[tuple[str, str]]:
    return ((name, content.decode(errors="replace")) for name, content in outcome.left)


def _findings(case: Case, outcome: Outcome) -> Iterator[str]:
    if "Traceback (most recent call last)" in outcome.err:
        yield "a traceback was shown"
    found = list(FINDING.finditer(outcome.err))
    for each in found:
        if each["code"] not in CODES:
            yield f"a finding that is documented nowhere: {each[0]}"
        is_of_file = each["code"].startswith(OF_A_FILE)
        if is_of_file and each["place"] is None and SETTING not in " ".join(case.arguments):
            line = outcome.err[each.start() :].partition("\n")[0]
            yield f"a finding about a text, and no place: {line}"
    if outcome.code == 2 and not outcome.err and not outcome.out:
        yield "exit code 2, and no word"
    if outcome.code == 2 and case.arguments[0] != "check":
        # What typer says of arguments that do not fit has no code.
        is_usage = outcome.err.startswith(("Usage: ", "Error: ", "error: the output"))
        if not is_usage and not any(each["severity"] == "error" for each in found):
            yield f"exit code 2, and no finding: {outcome.err[:200]!r}"
    if outcome.code == 0 and case.arguments[0] != "check":
        wrong = [each[0] for each in found if each["severity"] == "error"]
        if wrong:
            yield f"exit code 0 after {wrong[0]}"
    if not outcome.err.startswith(("Usage: ", "Error: ")):
        for line in outcome.err.splitlines():
            if len(line) > LONGEST_LINE:
                yield f"a line of {len(line)} characters: {line[:100]}…"


def _files(case: Case, outcome: Outcome) -> Iterator[str]:
    named = "\n".join(case.arguments) + "\n"
    budgets = b"\n".join(content for _, content in case.files).decode(errors="replace")
    judges = case.arguments[0] in {"check", "budget"}
    has_pattern = judges and ("*" in budgets or "?" in budgets)
    for path in outcome.read:
        is_given = path in named or path == STANDARD_INPUT
        is_budgets = judges and path == "budgets.yaml"
        if not (is_given or is_budgets or has_pattern or path in budgets):
            yield f"{path} was read, and nobody named it"
    wanted = {each.partition(":")[2] for each in _exports(case)}
    wanted |= set(case.arguments)
    for path in outcome.written:
        name = path.rpartition("/")[2]
        if BESIDE.fullmatch(name):
            continue  # it was moved to where it is meant to be, or left behind: see below
        is_baseline = "--update-baseline" in named and name in budgets
        if not is_baseline and not any(each.endswith(name) for each in wanted):
            yield f"{path} was written, and nobody named it"
    for name, _ in outcome.left:
        if BESIDE.fullmatch(name):
            yield f"{name} was left behind"
        if outcome.code == 2 and case.arguments[0] != "check":
            yield f"{name} was written though the command could not judge"
    for event in outcome.events:
        if "--against" not in named:
            yield f"a thing that no command does: {event}"


# -- reports that are whole -----------------------------------------------------------------------


def _malformed(case: Case, format_: str, text: str) -> Iterator[str]:
    check = _SHAPES.get(format_)
    if check is None:
        return
    try:
        check(text)
    except (ValueError, SyntaxError, RecursionError, ET.ParseError) as error:
        yield f"a report in {format_} that is not whole: {type(error).__name__}: {error}"
        return
    if format_ == "json" and case.arguments[0] == "analyze":
        for network in json_of(text)["networks"]:
            yield from network_complaints(network)
    if format_ == "json" and case.arguments[0] == "reconcile":
        yield from _sums_of_parts(json_of(text))
    if format_ == "json" and case.arguments[0] in {"explain", "layer"}:
        yield from _sums_of_terms(json_of(text))


def _is_table(text: str) -> None:
    rows = list(csv.reader(io.StringIO(text), strict=True))
    if not rows or len({len(row) for row in rows}) != 1:
        raise ValueError(f"rows of {sorted({len(row) for row in rows})} columns")


def _is_markdown(text: str) -> None:
    """Each table has as many cells in each row; a pipe in code splits a cell as well."""
    width = None
    for line in text.splitlines():
        if not line.startswith("|"):
            width = None
            continue
        cells = len(re.findall(r"(?<!\\)(?:\\\\)*\|", line))
        if width is not None and cells != width:
            raise ValueError(f"a row of {cells - 1} cells in a table of {width - 1}: {line[:200]}")
        width = cells


def _is_latex(text: str) -> None:
    depth = 0
    for found in re.finditer(r"\\.|[{}]|(?<!\\)%[^\n]*", text, re.DOTALL):
        depth += {"{": 1, "}": -1}.get(found[0], 0)
        if depth < 0:
            raise ValueError("a brace that closes nothing")
    if depth:
        raise ValueError(f"{depth} braces that are not closed")
    begun = [kind for _, kind in re.findall(r"\\(begin){(\w+\*?)}", text)]
    ended = [kind for _, kind in re.findall(r"\\(end){(\w+\*?)}", text)]
    if sorted(begun) != sorted(ended):
        raise ValueError(f"begun {begun}, ended {ended}")


def _is_workflow(text: str) -> None:
    *commands, _ = text.splitlines()
    for line in commands:
        if not re.match(r"::(error|warning|notice) [a-zA-Z]+=[^\n]*::", line):
            raise ValueError(f"a line that is no workflow command: {line[:200]}")


ALLOWED_CODE: Final = (
    *(ast.Module, ast.FunctionDef, ast.arguments, ast.arg, ast.Name, ast.Load, ast.Store),
    *(ast.Constant, ast.Subscript, ast.Tuple, ast.Expr, ast.If, ast.UnaryOp, ast.Not, ast.USub),
    *(ast.Raise, ast.Call, ast.keyword, ast.BoolOp, ast.And, ast.Or, ast.Compare, ast.GtE, ast.Gt),
    *(ast.LtE, ast.Lt, ast.Eq, ast.NotEq, ast.BinOp, ast.Mod, ast.Add, ast.Sub, ast.Mult, ast.Pow),
    *(ast.FloorDiv, ast.Assign, ast.Return, ast.Dict, ast.alias, ast.List, ast.For, ast.JoinedStr),
    *(ast.FormattedValue, ast.IfExp, ast.GeneratorExp, ast.comprehension, ast.ImportFrom),
)
"""What the functions that `formula` writes are made of."""


def check_code(text: str) -> None:
    """Raise ValueError or SyntaxError for code that does more than arithmetic."""
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ALLOWED_CODE):
            raise ValueError(f"code with a {type(node).__name__}")  # noqa: TRY004 - of its text


_SHAPES: Final[Mapping[str, Callable[[str], object]]] = {
    "json": json_of,
    "gitlab": json_of,
    "sarif": json_of,
    "junit": ET.fromstring,
    "csv": _is_table,
    "markdown": _is_markdown,
    "latex": _is_latex,
    "github": _is_workflow,
    "python": check_code,
}


# -- numbers that agree with each other -----------------------------------------------------------


def network_complaints(network: Mapping[str, Any]) -> Iterator[str]:
    """What the numbers of a network in JSON cannot be: sizes below 1, totals that are no sums."""
    totals, layers = network["totals"], network["layers"]
    shapes = {**network["inputs"], **{each["name"]: each["output_shape"] for each in layers}}
    for name, shape in shapes.items():
        if not shape or not all(isinstance(size, int) and size >= 1 for size in shape):
            yield f"{name} has the shape {shape}"
    for name, shape in network["outputs"].items():
        if shapes.get(name) != shape:
            yield f"the output {name} is {shape}, and its layer has {shapes.get(name)}"
    if totals["layers"] != len(layers) or len(shapes) != len(layers) + len(network["inputs"]):
        yield f"{totals['layers']} layers, and {len(layers)} rows of {len(shapes)} names"
    for key in ("params", "buffers", "macs", "flops", "activation_elements", "weight_bytes"):
        if totals[key] != sum(each[key] for each in layers):
            yield f"the total of {key} is {totals[key]}, and its rows are another sum"
    for each in (totals, *layers):
        done = each["operations"]
        if each["flops"] != 2 * each["macs"] + sum(done.values()):
            yield f"{each.get('name', 'the total')}: {each['flops']} FLOPs of {done}"
        if any(value < 0 for value in (*done.values(), each["params"], each["macs"])):
            yield f"{each.get('name', 'the total')} has numbers below 0"
    for each in layers:
        yield from _layer_complaints(each, shapes)
    if totals["peak_activation_bytes"] + totals["weight_bytes"] != totals["inference_bytes"]:
        yield "inference bytes are not weights and peak"


def _layer_complaints(layer: Mapping[str, Any], shapes: Mapping[str, Any]) -> Iterator[str]:
    name = layer["name"]
    if [shapes.get(each) for each in layer["inputs"]] != layer["input_shapes"]:
        yield f"{name} is said to have inputs of other shapes than they have"
    elements = sum(map(math.prod, layer["weights"].values()))
    if layer["params"] != (0 if layer["shares_weights_with"] else elements):
        yield f"{name} has {layer['params']} parameters and {elements} elements of weights"
    if layer["shares_weights_with"] is None:
        buffers = sum(map(math.prod, layer["buffer_tensors"].values()))
        if layer["buffers"] != buffers:
            yield f"{name} has {layer['buffers']} buffers and {buffers} elements of them"
    if layer["activation_elements"] not in {0, math.prod(layer["output_shape"])}:
        yield f"{name} allocates {layer['activation_elements']} for {layer['output_shape']}"


def _sums_of_parts(report: Mapping[str, Any]) -> Iterator[str]:
    for network in report["networks"]:
        for each in network["conventions"]:
            if each["total"] != network["macs"] + sum(part["amount"] for part in each["parts"]):
                yield f"{each['name']}: {each['total']} is not the sum of its parts"


def _sums_of_terms(report: Mapping[str, Any]) -> Iterator[str]:
    for total in report["totals"]:
        for each in total["sums"]:
            if each["terms"] and each["value"] != sum(term["value"] for term in each["terms"]):
                yield f"{total['name']}: {each['metric']} is not the sum of its terms"


def _verdict_complaints(outcome: Outcome) -> Iterator[str]:
    try:
        report = json_of(outcome.out)
    except (ValueError, RecursionError):
        return  # said already
    limits = [limit for each in report["networks"] for limit in each["limits"]]
    for each in limits:
        holds = {
            "max": each["value"] <= each["allowed"],
            "min": each["value"] >= each["allowed"],
            "max_increase": each["value"] <= each["allowed"],
        }[each["bound"]]
        # An amount such as 1/3 is rounded in JSON; it is judged exactly.
        is_close = math.isclose(each["value"], each["allowed"], rel_tol=1e-9)
        if holds != each["holds"] and not is_close:
            yield f"{each['value']} {each['bound']} {each['allowed']}: holds is {each['holds']}"
    yield from _outcome_complaints(outcome.code, report["outcome"], limits, report["findings"])


def _outcome_complaints(
    code: int, said: str, limits: Iterable[Mapping[str, Any]], findings: Iterable[Mapping[str, Any]]
) -> Iterator[str]:
    is_broken = any(not each["holds"] and each["level"] == "error" for each in limits)
    cannot = any(each["severity"] == "error" and each["code"][0] == "E" for each in findings)
    if cannot and said != "cannot judge":
        yield f"{said!r} though something could not be judged"
    if is_broken and said == "within budget":
        yield "'within budget' though a limit is exceeded"
    if {"within budget": 0, "cannot judge": 2}.get(said, code) != code or (
        said == "over budget" and code not in {0, 1}
    ):
        yield f"exit code {code} where the outcome is {said!r}"
