"""Changes cases as a fuzzer that knows what they are made of: words, lines, entries, options.

Blind bytes make YAML that nobody can read, and little more. What gets behind the reader is a spec
that is right but for one thing.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from typing import Final

import yaml
from cases import Case
from words import (
    EXPRESSIONS,
    FIGURES,
    HOSTILE,
    NUMBERS,
    OPTIONS,
    SYNTAX,
    keys,
    kinds,
    option_values,
    words,
)

__all__ = ["crossed", "mutated"]

TOKEN: Final = re.compile(r"[A-Za-z_][A-Za-z_0-9]*|[0-9][0-9.]*|\s+|.", re.DOTALL)
NUMBER: Final = re.compile(r"(?<![A-Za-z_0-9.])[0-9]+(?:\.[0-9]+)?(?![A-Za-z_0-9.])")
WORD: Final = re.compile(r"[A-Za-z_][A-Za-z_0-9]*")
MOST_STEPS: Final = 4
SORTS: Final = (
    ("relu", "relu6", "sigmoid", "tanh", "gelu", "silu", "hard_swish", "leaky_relu", "softmax"),
    ("batch_norm", "layer_norm", "instance_norm", "identity", "relu", "prelu"),
    ("max_pool", "avg_pool"),
    ("conv", "conv_bn", "conv_relu", "transposed_conv", "gated_conv"),
    ("add", "concat", "multiply", "mul"),
    ("global_avg_pool", "global_max_pool", "flatten"),
    ("true", "false"),
    ("kernel_size", "stride", "padding", "dilation", "groups", "out_channels"),
    ("max", "min", "max_increase"),
    ("params", "macs", "flops", "activations", "peak_memory", "weight_memory", "receptive_field"),
    ("float32", "float16", "int8", "int4", "float64"),
)
"""Words of which each may stand where another does."""
FITTING: Final = (
    *("relu", "batch_norm", "sigmoid", "{dropout: {p: 0.5}}", "{prelu: }", "identity", "softmax"),
    *("{depthwise_conv: {kernel_size: 3, padding: same}}", "layer_norm", "{layers: [relu, tanh]}"),
    *("{max_pool: {kernel_size: 3, stride: 1, padding: 1}}", "{residual: {body: [relu]}}"),
    *("{conv: {out_channels: in_channels, kernel_size: 3, padding: 1}}", "{repeat: 2, relu: }"),
    *("{conv: {out_channels: 2 * in_channels, kernel_size: 1, groups: in_channels}}",),
    *("{conv: {out_channels: in_channels, kernel_size: 3, padding: 2, dilation: 2}}",),
    *("{parallel: {merge: add, branches: {a: [relu], b: [tanh], c: []}}}", "{activation: gelu}"),
    *("{parallel: {merge: concat, branches: {a: [relu], b: []}}}", "{squeeze_excite: {}}"),
    *("{upsample: {scale_factor: 2}}", "{avg_pool: {kernel_size: 2}}", "{if: false, relu: }"),
    *("{for: {k: [1, 3]}, conv: {out_channels: 4, kernel_size: k, padding: k // 2}}",),
    *("{inverted_residual: {out_channels: in_channels}}", "{group_norm: {num_groups: 1}}"),
)
"""Layers that many places have room for."""
CSafeLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def mutated(
    case: Case,
    chance: random.Random,
    *,
    commands: Sequence[str] = tuple(OPTIONS),
    of_arguments: float = 0.3,
) -> Case:
    """A case that differs from ``case`` in a few things.

    ``commands`` are those that it may come to be of, and ``of_arguments`` is the share of changes
    that go to the arguments.
    """
    for _ in range(chance.choice((1, 1, 1, 1, 2, MOST_STEPS))):
        if not case.files or chance.random() < of_arguments:
            case = case._replace(arguments=_other_arguments(case, chance, commands))
        else:
            case = _other_file(case, chance)
    return case


def crossed(case: Case, other: Case, chance: random.Random) -> Case:
    """A case with something of another one's: its arguments, a file, or lines of a file."""
    if not case.files or not other.files:
        at, source = (chance.randrange(1, len(each.arguments) + 1) for each in (case, other))
        return case._replace(arguments=(*case.arguments[:at], *other.arguments[source:]))
    (name, ours), (_, theirs) = chance.choice(case.files), chance.choice(other.files)
    if chance.random() < 0.3:
        return case._replace(arguments=other.arguments)
    lines, donated = _text(ours).split("\n"), _text(theirs).split("\n")
    first = chance.randrange(len(donated))
    block = donated[first : first + chance.randint(1, 8)]
    at = chance.randrange(len(lines) + 1)
    lines[at : at + chance.choice((0, 0, 1, len(block)))] = block
    return case.with_file(name, "\n".join(lines))


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


# -- arguments ------------------------------------------------------------------------------------


def _other_arguments(case: Case, chance: random.Random, commands: Sequence[str]) -> tuple[str, ...]:
    arguments = list(case.arguments)
    command = arguments[0] if arguments else commands[0]
    way = chance.random()
    if way < 0.45:
        option = chance.choice(OPTIONS.get(command, OPTIONS[commands[0]]))
        values = option_values(option)
        at = len(arguments)
        if option in arguments and chance.random() < 0.7:
            at = arguments.index(option)
            del arguments[at : at + (2 if values else 1)]
        arguments[at:at] = [option, chance.choice(values)] if values else [option]
    elif way < 0.6 and len(arguments) > 1:
        at = chance.randrange(1, len(arguments))
        del arguments[at]
    elif way < 0.72:
        at = chance.randrange(len(arguments))
        arguments[at] = _other_words(arguments[at], chance)
    elif way < 0.82:
        named = [name for name, _ in case.files] or ["lenet5"]
        arguments = [chance.choice(commands), *chance.choices(named, k=chance.randint(1, 2))]
        if arguments[0] == "budget":
            arguments.insert(1, "init")
        if arguments[0] == "layer":
            arguments[1:] = [_layer(chance), "--input", chance.choice(option_values("--input"))]
    elif way < 0.92:
        texts = [n for n, each in enumerate(arguments) if "{" in each or ":" in each]
        at = chance.choice(texts) if texts else len(arguments) - 1
        arguments[at] = _other_text(arguments[at], chance)
    else:
        layers = list(WORD.findall(_text(b" ".join(c for _, c in case.files))))
        arguments.append(chance.choice([*layers, "*", "?", "l*", "*.conv", "--", "-"]))
    return tuple(each.replace("\0", "") for each in arguments)


def _layer(chance: random.Random) -> str:
    fields = ", ".join(
        f"{chance.choice(keys())}: {chance.choice(NUMBERS[:14])}"
        for _ in range(chance.randint(0, 3))
    )
    return f"{chance.choice(kinds())}: {{{fields}}}" if fields else chance.choice(kinds())


# -- files ----------------------------------------------------------------------------------------


def _other_file(case: Case, chance: random.Random) -> Case:
    name, raw = chance.choice(case.files)
    text = _text(raw)
    if not text:
        return case.with_file(name, "input: [3, 8, 8]\nlayers: [relu]\n")
    return case.with_file(name, _other_text(text, chance))


def _other_text(text: str, chance: random.Random) -> str:
    way: Callable[[str, random.Random], str] = chance.choices(
        (
            *(_near_number, _same_sort, _fitting_layer, _more_often),
            *(_other_number, _other_words, _other_lines, _other_nodes, _other_keys),
            *(_hostile, _more_layers, _other_bytes, _same_indent),
        ),
        (10, 8, 8, 4, 4, 4, 3, 5, 3, 2, 3, 1, 2),
    )[0]
    return way(text, chance)


def _replaced(text: str, found: Sequence[re.Match[str]], new: str, chance: random.Random) -> str:
    if not found:
        return text + new
    place = chance.choice(found)
    return text[: place.start()] + new + text[place.end() :]


def _near_number(text: str, chance: random.Random) -> str:
    """A number that may well fit in place of one."""
    found = [each for each in NUMBER.finditer(text) if each[0].isdecimal() and len(each[0]) < 10]
    if not found:
        return text
    place = chance.choice(found)
    value = int(place[0])
    new = chance.choice((value + 1, max(1, value - 1), 2 * value, max(1, value // 2), 1, 2, 3, 8))
    return text[: place.start()] + str(new) + text[place.end() :]


def _same_sort(text: str, chance: random.Random) -> str:
    """A word in place of another that stands where that may stand."""
    found = [(place, sort) for place in WORD.finditer(text) for sort in SORTS if place[0] in sort]
    if not found:
        return text
    place, sort = chance.choice(found)
    return text[: place.start()] + chance.choice(sort) + text[place.end() :]


def _fitting_layer(text: str, chance: random.Random) -> str:
    """A layer that keeps every shape, before another one."""
    found = list(re.finditer(r"(?m)^( *)- (?=[a-z{])", text))
    if not found:
        return text
    place = chance.choice(found)
    line = f"{place[1]}- {chance.choice(FITTING)}\n"
    return text[: place.start()] + line + text[place.start() :]


def _more_often(text: str, chance: random.Random) -> str:
    """A layer several times, or on a condition, or with a name."""
    found = list(re.finditer(r"- (\{?)(?=[a-z_]+(?::|\}|\n|$))", text))
    if not found:
        return text
    place = chance.choice(found)
    modifier = chance.choice(
        ("repeat: 2", "repeat: 3", "if: true", "if: in_channels > 1", "name: l7", "from: prev")
    )
    if place[1]:
        return f"{text[: place.end()]}{modifier}, {text[place.end() :]}"
    line, _, rest = text[place.end() :].partition("\n")
    if line.endswith(":") or line.isidentifier():
        line += "" if ":" in line else ":"
    indent = " " * (place.end() - text.rfind("\n", 0, place.end()) - 1)
    return f"{text[: place.end()]}{modifier}\n{indent}{line}\n{rest}"


def _other_number(text: str, chance: random.Random) -> str:
    found = list(NUMBER.finditer(text))
    if not found:
        return text
    place = chance.choice(found)
    ways = (*NUMBERS, *NUMBERS[:14], *EXPRESSIONS, *FIGURES[:6])
    new = chance.choice(ways)
    if chance.random() < 0.4 and place[0].isdecimal() and len(place[0]) < 19:
        value = int(place[0])
        new = str(
            chance.choice((value + 1, value - 1, 2 * value, value // 2, -value, value * 1000))
        )
    return text[: place.start()] + new + text[place.end() :]


def _other_words(text: str, chance: random.Random) -> str:
    """A word in place of another of its sort."""
    new = chance.choice((*words(), *kinds(), *keys(), *WORD.findall(text)))
    return _replaced(text, list(WORD.finditer(text)), new, chance)


def _other_keys(text: str, chance: random.Random) -> str:
    """A key of the language in place of another, or beside it."""
    found = list(re.finditer(r"[A-Za-z_][A-Za-z_0-9]*(?=\s*:)", text))
    if not found:
        return text
    place = chance.choice(found)
    new = chance.choice(keys())
    if chance.random() < 0.5:
        return text[: place.start()] + new + text[place.end() :]
    value = chance.choice((*NUMBERS[:14], *EXPRESSIONS, "[1, 2]", "{a: 1}", "[relu]", "relu"))
    line = text[: place.start()].rpartition("\n")[2]
    if "{" in line:
        return f"{text[: place.start()]}{new}: {value}, {text[place.start() :]}"
    indent = " " * len(line)
    return f"{text[: place.start()]}{new}: {value}\n{indent}{text[place.start() :]}"


def _other_lines(text: str, chance: random.Random) -> str:
    lines = text.split("\n")
    at = chance.randrange(len(lines))
    block = lines[at : at + chance.randint(1, 6)]
    way = chance.randrange(5)
    if way == 0:
        del lines[at : at + len(block)]
    elif way == 1:
        lines[at:at] = block
    elif way == 2:
        del lines[at : at + len(block)]
        to = chance.randrange(len(lines) + 1)
        lines[to:to] = block
    elif way == 3:
        to = chance.randrange(len(lines) + 1)
        lines[to:to] = block
    else:
        lines[at : at + len(block)] = [f"  {line}" for line in block]
    return "\n".join(lines)


def _same_indent(text: str, chance: random.Random) -> str:
    """A line in place of another one, indented as that was."""
    lines = text.split("\n")
    at, source = chance.randrange(len(lines)), chance.choice(lines)
    indent = lines[at][: len(lines[at]) - len(lines[at].lstrip())]
    new = indent + source.lstrip()
    lines[at : at + chance.randint(0, 1)] = [new]
    return "\n".join(lines)


def _other_nodes(text: str, chance: random.Random) -> str:
    """A value, a list or a mapping in place of another one: from the text itself, or new."""
    try:
        root = yaml.compose(text, CSafeLoader)
    except (yaml.YAMLError, ValueError, RecursionError):
        return _other_words(text, chance)
    spans = _spans(root, text) if root is not None else []
    if not spans:
        return text
    (start, end), (first, last) = chance.choice(spans), chance.choice(spans)
    new = text[first:last]
    if chance.random() < 0.5:
        new = chance.choice(
            (
                *NUMBERS,
                *EXPRESSIONS,
                *("[]", "{}", "[1, 2]", "[[1, 0], [0, 1]]", "{a: 1}", "[relu]", "same", "prev"),
                *("[prev, prev]", "[input, prev]", "'max(8, i)'", "''", "", "[3, 8, 8]", "[8]"),
            )
        )
    elif "\n" in new:
        indent = " " * (first - text.rfind("\n", 0, first) - 1)
        ours = " " * (start - text.rfind("\n", 0, start) - 1)
        new = "\n".join(
            ours + line.removeprefix(indent) if n and line.strip() else line
            for n, line in enumerate(new.split("\n"))
        )
    return text[:start] + new + text[end:]


def _spans(root: yaml.Node, text: str) -> list[tuple[int, int]]:
    """Where the values of a text begin and end."""
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    spans, waiting, met = [], [root], set()
    while waiting and len(spans) < 2000:
        node = waiting.pop()
        if id(node) in met:
            continue
        met.add(id(node))
        first, last = node.start_mark, node.end_mark
        if first.line < len(starts) and last.line < len(starts):
            span = (starts[first.line] + first.column, starts[last.line] + last.column)
            if span[0] < span[1] <= len(text) and node is not root:
                spans.append(span)
        if isinstance(node, yaml.SequenceNode):
            waiting += node.value
        elif isinstance(node, yaml.MappingNode):
            waiting += [each for pair in node.value for each in pair]
    return spans


def _hostile(text: str, chance: random.Random) -> str:
    """Something in a word, or in place of it, that a reader or a report could stumble over."""
    new = chance.choice(HOSTILE)
    found = list(WORD.finditer(text))
    if not found:
        return text + new
    place = chance.choice(found)
    at = chance.randint(place.start(), place.end())
    if chance.random() < 0.4:
        quoted = f'"{place[0]}{_escaped(new)}"'
        return text[: place.start()] + quoted + text[place.end() :]
    return text[:at] + new + text[at:]


def _escaped(text: str) -> str:
    return "".join(c if " " <= c <= "~" and c not in '"\\' else f"\\U{ord(c):08x}" for c in text)


def _more_layers(text: str, chance: random.Random) -> str:
    """A layer before another one."""
    found = list(re.finditer(r"(?m)^( *)- ", text))
    if not found:
        return text
    place = chance.choice(found)
    entry = _layer(chance)
    more = ""
    if chance.random() < 0.5:
        modifier = chance.choice(("name", "from", "repeat", "for", "if", "share"))
        value = chance.choice((*EXPRESSIONS, *NUMBERS[:10], *WORD.findall(text)[:40], "prev"))
        if modifier == "for":
            value = chance.choice(("{a: [1, 2]}", "[{a: 1}, {a: 2}]", "{a: []}", "{i: [1]}"))
        more = f", {modifier}: {value}"
    line = f"{place[1]}- {{{entry if ':' in entry else entry + ': '}{more}}}\n"
    return text[: place.start()] + line + text[place.start() :]


def _other_bytes(text: str, chance: random.Random) -> str:
    raw = bytearray(text.encode("utf-8", "surrogateescape"))
    at = chance.randrange(len(raw))
    if chance.random() < 0.5:
        raw[at : at + chance.randint(0, 2)] = chance.choice(SYNTAX).encode()
    else:
        raw[at] = chance.randrange(256)
    return raw.decode("utf-8", "surrogateescape")
