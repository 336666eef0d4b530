"""YAML text to nodes that know their place.

The text is read as YAML 1.2 (core schema) through libyaml's event stream, and composed here rather
than by PyYAML: its composer recurses in C, where 30,000 nested brackets end the process, and its
nodes are built whole before anything can be refused. Here depth, size and aliases are bounded while
the events arrive.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from typing import Any, Final, NamedTuple, TypeAlias

import yaml

from convcalc.errors import Code, Finding, Place, Related, SourceText, catalogue

try:
    from yaml import CLoader as Parser
except ImportError:  # a PyYAML built without libyaml: slower, and just as bounded
    from yaml import Loader as Parser  # type: ignore[assignment]

__all__ = [
    "MAX_DEPTH",
    "MAX_NODES",
    "YamlMapping",
    "YamlNode",
    "YamlScalar",
    "YamlSequence",
    "compose",
]

MAX_DEPTH: Final = 64
"""Levels of nesting."""
MAX_NODES: Final = 250_000
"""Nodes of one text, each use of an alias counted as a copy."""
MAX_REPAIRS: Final = 50
"""Unquoted brackets that are reported in one run."""
MAX_INTEGER_DIGITS: Final = 40

ScalarValue: TypeAlias = int | Fraction | bool | str | None


class YamlScalar(NamedTuple):
    """A scalar: its value under the core schema, its text, and whether it was quoted."""

    place: Place
    value: ScalarValue
    text: str
    quoted: bool


class YamlSequence(NamedTuple):
    """A list."""

    place: Place
    items: tuple[YamlNode, ...]


class YamlMapping(NamedTuple):
    """A mapping with text keys, each once, in the order of the text."""

    place: Place
    entries: dict[str, tuple[YamlScalar, YamlNode]]


YamlNode: TypeAlias = YamlScalar | YamlSequence | YamlMapping


YamlEvent: TypeAlias = Any
"""A PyYAML event; the stubs do not say which class has which attributes."""


class _Stop(Exception):  # noqa: N818 - not an error: what was found is in the findings
    """Nothing after this point can be read."""


def compose(source: SourceText, text: str, findings: list[Finding]) -> YamlNode | None:
    """The one document of ``text``; None if it cannot be read. What is wrong goes to ``findings``.

    An expression in braces that should have been quoted is reported, then read as if it were, so
    that one such mistake does not hide the others.
    """
    spans: dict[int, list[tuple[int, int]]] = {}
    for _ in range(MAX_REPAIRS):
        composer = _Composer(source, text, spans)
        try:
            node = composer.document()
        except yaml.YAMLError as error:
            repaired = _repair_bracket(source, text, error, findings, spans)
            if repaired is None:
                findings.extend(_syntax_findings(source, text, error))
                return None
            text = repaired
            continue
        except _Stop:
            node = None
        findings.extend(composer.findings)
        return node
    return None


# -- composing --------------------------------------------------------------------------------


class _Composer:
    """Builds nodes from events. One for each reading of a text."""

    def __init__(
        self, source: SourceText, text: str, spans: dict[int, list[tuple[int, int]]]
    ) -> None:
        self.source = source
        self.parser = Parser(text)
        self.spans = spans
        self.findings: list[Finding] = []
        self.anchors: dict[str, tuple[YamlNode, int] | None] = {}
        self.nodes = 0

    def document(self) -> YamlNode | None:
        next_event = self.parser.get_event
        event = next_event()  # the start of the stream
        event = next_event()
        if isinstance(event, yaml.StreamEndEvent):
            return None
        node = self.node(next_event(), 0)
        next_event()  # the end of the document
        event = next_event()
        if not isinstance(event, yaml.StreamEndEvent):
            self.report(
                catalogue.SEVERAL_DOCUMENTS,
                "a second document begins here",
                self.place(event),
                help="a file holds one network: remove the `---` line, or split the file",
            )
        return node

    def node(self, event: YamlEvent, depth: int) -> YamlNode:
        self.count(1, event)
        kind = type(event)
        if kind is yaml.ScalarEvent:
            node: YamlNode = self.scalar(event)
        elif kind is yaml.AliasEvent:
            return self.alias(event)
        elif depth >= MAX_DEPTH:
            self.report(
                catalogue.NESTED_TOO_DEEPLY,
                f"more than {MAX_DEPTH} levels of nesting",
                self.place(event),
                help="name the inner layers as a block",
            )
            raise _Stop
        else:
            if event.tag and event.tag != "!":
                self.tag(event)
            if event.anchor:
                self.anchors[event.anchor] = None  # until it is complete
            before = self.nodes
            if kind is yaml.SequenceStartEvent:
                node = self.sequence(event, depth)
            else:
                node = self.mapping(event, depth)
            if event.anchor:
                self.anchors[event.anchor] = node, self.nodes - before
            return node
        if event.anchor:
            self.anchors[event.anchor] = node, 1
        return node

    def scalar(self, event: YamlEvent) -> YamlScalar:
        text: str = event.value
        place = self.place(event)
        if event.tag and event.tag != "!":
            self.tag(event)
        if not event.implicit[0]:  # quoted
            return YamlScalar(place, text, text, quoted=True)
        line_spans = self.spans.get(place.line)
        if line_spans:
            start, end = place.column - 1, place.column - 1 + place.length
            if any(start < span_end and span_start < end for span_start, span_end in line_spans):
                text = self.source.lines[place.line - 1][start:end]
                return YamlScalar(place, text, text, quoted=True)
        return YamlScalar(place, self.resolve(text, place), text, quoted=False)

    def sequence(self, start: YamlEvent, depth: int) -> YamlSequence:
        items: list[YamlNode] = []
        next_event = self.parser.get_event
        event = next_event()
        while type(event) is not yaml.SequenceEndEvent:
            items.append(self.node(event, depth + 1))
            event = next_event()
        if start.flow_style:
            items = list(self.rejoined(items))
        return YamlSequence(self.place(start), tuple(items))

    def mapping(self, start: YamlEvent, depth: int) -> YamlMapping:
        pairs: list[tuple[YamlNode, YamlNode]] = []
        next_event = self.parser.get_event
        event = next_event()
        while type(event) is not yaml.MappingEndEvent:
            key = self.node(event, depth + 1)
            pairs.append((key, self.node(next_event(), depth + 1)))
            event = next_event()
        entries: dict[str, tuple[YamlScalar, YamlNode]] = {}
        for key, value in self.joined_pairs(pairs) if start.flow_style else pairs:
            if not isinstance(key, YamlScalar) or not isinstance(key.value, str):
                self.report(
                    catalogue.KEY_NOT_TEXT,
                    f"a key must be text, not {described(key)}",
                    key.place,
                    help="put it in quotes"
                    if isinstance(key, YamlScalar) and key.text
                    else "write `key: value`; an expression with braces must be quoted",
                )
            elif key.text == "<<" and not key.quoted:
                self.report(
                    catalogue.MERGE_KEY,
                    "merge keys (`<<`) are not part of YAML 1.2",
                    key.place,
                    help="what is shared belongs into a block with arguments, or into `vars`",
                )
            elif key.text in entries:
                first = entries[key.text][0].place
                self.report(
                    catalogue.DUPLICATE_KEY,
                    f"the key `{key.text}` stands twice in one mapping",
                    key.place,
                    related=(Related("first", first),),
                    help="keep one of the two; a list of layers needs a dash before each",
                )
            else:
                entries[key.text] = key, value
        return YamlMapping(self.place(start), entries)

    def alias(self, event: YamlEvent) -> YamlNode:
        place = self.place(event)
        if event.anchor not in self.anchors:
            self.report(
                catalogue.YAML_SYNTAX,
                f"`*{event.anchor}` refers to an anchor that does not stand before it",
                place,
                help="a product needs something on its left; to multiply by a variable first, "
                "put the expression in quotes",
            )
            return YamlScalar(place, None, "", quoted=False)
        anchored = self.anchors[event.anchor]
        if anchored is None:
            self.report(
                catalogue.ALIAS_CYCLE,
                f"`*{event.anchor}` stands inside what it refers to",
                place,
                help="a spec is finite: use `repeat` or `for`",
            )
            raise _Stop
        node, size = anchored
        self.count(size, event)
        return node

    # -- expressions that lost their quotes -------------------------------------------------------

    def rejoined(self, items: list[YamlNode]) -> Iterator[YamlNode]:
        """The items of a list in brackets, with expressions that YAML cut at a comma whole."""
        position = 0
        while position < len(items):
            item = items[position]
            last = position
            if _opens_bracket(item):
                last = next(
                    (n for n in range(position + 1, len(items)) if _closes_bracket(items[n])),
                    position,
                )
            if last > position:
                yield self.cut_expression(item, items[last])
            else:
                yield item
            position = last + 1

    def joined_pairs(
        self, pairs: list[tuple[YamlNode, YamlNode]]
    ) -> Iterator[tuple[YamlNode, YamlNode]]:
        """The pairs of a mapping in braces, with expressions that YAML cut at a comma whole."""
        position = 0
        while position < len(pairs):
            key, value = pairs[position]
            last = position
            if _opens_bracket(value):
                for n in range(position + 1, len(pairs)):
                    if not (isinstance(pairs[n][1], YamlScalar) and not pairs[n][1].text):  # type: ignore[union-attr]
                        break
                    if _closes_bracket(pairs[n][0]):
                        last = n
                        break
            if last > position:
                yield key, self.cut_expression(value, pairs[last][0])
            else:
                yield key, value
            position = last + 1

    def cut_expression(self, first: YamlNode, last: YamlNode) -> YamlScalar:
        start = first.place
        line = self.source.lines[start.line - 1]
        if last.place.line == start.line:
            end = last.place.column - 1 + last.place.length
        else:
            end = len(line)
        text = line[start.column - 1 : end]
        place = start._replace(length=max(1, len(text)))
        self.report(
            catalogue.UNQUOTED_COMMA,
            f"YAML ends {described(first)} at the comma",
            place,
            help=f'inside braces or brackets an expression with a comma must be quoted: "{text}"',
        )
        return YamlScalar(place, text, text, quoted=True)

    # -- scalars under the core schema -------------------------------------------------------------

    def resolve(self, text: str, place: Place) -> ScalarValue:
        """The value of a plain scalar (YAML 1.2, section 10.3)."""
        first = text[:1]
        if first in _WORD_STARTS and text in _WORDS:
            return _WORDS[text]
        if first not in _NUMBER_STARTS:
            return text
        if _DECIMAL.fullmatch(text):
            digits = text.lstrip("+-")
            if len(digits) > MAX_INTEGER_DIGITS:
                self.report(
                    catalogue.NUMBER_TOO_LARGE,
                    f"a number of {len(digits)} digits",
                    place,
                    help="no size in a spec may exceed 10¹⁸",
                )
                return 1
            if len(digits) > 1 and digits[0] == "0":
                return self.octal(text, digits, place)
            return int(text)
        if _PREFIXED.fullmatch(text) and len(text) <= MAX_INTEGER_DIGITS:
            return int(text, 0)
        if _FLOAT.fullmatch(text):
            number = float(text)
            if number in (float("inf"), float("-inf")):
                return self.not_finite(text, place)
            # repr gives the decimal that was written: 0.1 is one tenth, not its nearest double.
            fraction = Fraction(repr(number))
            return fraction.numerator if fraction.denominator == 1 else fraction
        if text.lower().lstrip("+-") in (".inf", ".nan"):
            return self.not_finite(text, place)
        if _SEXAGESIMAL.fullmatch(text):
            return self.sexagesimal(text, place)
        return text

    def octal(self, text: str, digits: str, place: Place) -> int:
        as_octal = f" and {int(digits, 8)} to YAML 1.1" if set(digits) <= set("01234567") else ""
        self.report(
            catalogue.OCTAL_LOOKALIKE,
            f"`{text}` is {int(digits)} to YAML 1.2{as_octal}",
            place,
            help=f"write {int(digits)}, or 0o{digits.lstrip('0') or '0'} for an octal number",
        )
        return int(text)

    def sexagesimal(self, text: str, place: Place) -> str:
        base_60 = 0
        for part in text.split(":"):
            base_60 = base_60 * 60 + int(part)
        self.report(
            catalogue.SEXAGESIMAL_LOOKALIKE,
            f"`{text}` is a text to YAML 1.2 and {_abbreviated(base_60)} to YAML 1.1",
            place,
            help=f"write a list, [{', '.join(text.split(':'))}], or put the text in quotes",
        )
        return text

    def not_finite(self, text: str, place: Place) -> int:
        self.report(
            catalogue.NOT_FINITE,
            f"`{text}` is not a finite number",
            place,
            help="write a whole number or a short decimal",
        )
        return 1

    # -- bounds and places -------------------------------------------------------------------------

    def count(self, nodes: int, event: YamlEvent) -> None:
        self.nodes += nodes
        if self.nodes > MAX_NODES:
            self.report(
                catalogue.TOO_MANY_NODES,
                f"more than {MAX_NODES:,} values, aliases counted as copies",
                self.place(event),
                help="use `repeat`, `for` and blocks for what repeats",
            )
            raise _Stop

    def tag(self, event: YamlEvent) -> None:
        self.report(
            catalogue.YAML_TAG,
            f"the tag `{event.tag}` is not part of the spec language",
            self.place(event),
            help="for the opposite of a condition write `not`; a text that starts with `!` "
            "must be quoted",
        )

    def place(self, event: YamlEvent) -> Place:
        start, end = event.start_mark, event.end_mark
        line: int = start.line
        column: int = start.column
        if end.line == line:
            length = end.column - column
        else:
            lines = self.source.lines
            length = (len(lines[line]) if line < len(lines) else 0) - column
        return Place(self.source, line + 1, column + 1, length if length > 0 else 1)

    def report(
        self,
        code: Code,
        message: str,
        place: Place,
        *,
        help: str | None = None,  # noqa: A002 - as in Finding
        related: tuple[Related, ...] = (),
    ) -> None:
        self.findings.append(Finding(code, message, place, help=help, related=related))


_WORDS: Final[dict[str, bool | None]] = {
    "": None,
    **dict.fromkeys(("~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_WORD_STARTS = frozenset(("", *"~nNtTfF"))
_NUMBER_STARTS = frozenset("0123456789+-.")
_DECIMAL = re.compile(r"[-+]?[0-9]+")
_PREFIXED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_SEXAGESIMAL = re.compile(r"[-+]?[0-9]{1,9}(:[0-9]{1,9}){1,9}")


def described(node: YamlNode) -> str:
    """A node in words, for messages."""
    if isinstance(node, YamlSequence):
        return "a list"
    if isinstance(node, YamlMapping):
        return "a mapping"
    if node.value is None:
        return "nothing"
    return f"`{_abbreviated(node.text)}`"


def _abbreviated(value: object) -> str:
    text = str(value)
    return text if len(text) <= 40 else text[:39] + "…"


def _opens_bracket(node: YamlNode) -> bool:
    return isinstance(node, YamlScalar) and not node.quoted and _open_brackets(node.text) > 0


def _closes_bracket(node: YamlNode) -> bool:
    return isinstance(node, YamlScalar) and not node.quoted and _open_brackets(node.text) < 0


def _open_brackets(text: str) -> int:
    return text.count("(") - text.count(")")


# -- syntax errors --------------------------------------------------------------------------------


def _repair_bracket(
    source: SourceText,
    text: str,
    error: yaml.YAMLError,
    findings: list[Finding],
    spans: dict[int, list[tuple[int, int]]],
) -> str | None:
    """Report an index such as ``c[0]`` in braces; the text with it made readable, columns kept."""
    mark = getattr(error, "problem_mark", None)
    problem = str(getattr(error, "problem", ""))
    if mark is None or not problem.startswith("did not find expected ','"):
        return None
    lines = text.splitlines(keepends=True)
    if mark.line >= len(lines):
        return None
    line = lines[mark.line]
    start: int = mark.column
    if line[start : start + 1] != "[":
        return None
    end = _closing_bracket(line, start)
    if end is None:
        return None
    # The expression reaches from the last separator before the bracket to the next one after it.
    first = max(line.rfind(separator, 0, start) for separator in ("{", "[", ",", ": ")) + 1
    last = min((n for n in (line.find(c, end) for c in ",}") if n >= 0), default=len(line.rstrip()))
    expression = line[first:last].strip()
    column = first + len(line[first:last]) - len(line[first:last].lstrip())
    findings.append(
        Finding(
            catalogue.UNQUOTED_BRACKET,
            f"YAML takes the bracket of `{expression}` for a list",
            Place(source, mark.line + 1, column + 1, max(1, len(expression))),
            help=f'inside braces an expression with brackets must be quoted: "{expression}"',
        )
    )
    spans.setdefault(mark.line + 1, []).append((start, end))
    lines[mark.line] = line[:start] + "_" * (end - start) + line[end:]
    return "".join(lines)


def _closing_bracket(line: str, start: int) -> int | None:
    depth = 0
    for position in range(start, len(line)):
        depth += (line[position] == "[") - (line[position] == "]")
        if depth == 0:
            return position + 1
    return None


def _syntax_findings(source: SourceText, text: str, error: yaml.YAMLError) -> Iterator[Finding]:
    tabs = [
        (number, line)
        for number, line in enumerate(source.lines, start=1)
        if "\t" in line[: len(line) - len(line.lstrip())] and line.strip()
    ]
    mark = getattr(error, "problem_mark", None)
    problem = str(getattr(error, "problem", None) or str(error).splitlines()[0])
    if tabs and mark is not None and ("tab" in problem or "cannot start" in problem):
        for number, line in tabs:
            yield Finding(
                catalogue.TAB_INDENTATION,
                "the indentation has a tab",
                Place(source, number, line.index("\t") + 1),
                help="YAML is indented with spaces",
            )
        return
    if mark is None:
        position = getattr(error, "position", 0)  # a character that YAML does not allow
        above = text.count("\n", 0, position)
        column = position - (text.rfind("\n", 0, position) + 1)
        reason = getattr(error, "reason", problem)
        yield Finding(catalogue.YAML_SYNTAX, f"{reason}", Place(source, above + 1, column + 1))
        return
    context = getattr(error, "context", None)
    yield Finding(
        catalogue.YAML_SYNTAX,
        f"{problem}{f', {context}' if context else ''}",
        Place(source, mark.line + 1, mark.column + 1),
        help=_SYNTAX_HELP.get(problem, _DEFAULT_SYNTAX_HELP),
    )


_SYNTAX_HELP: Final = {
    "mapping values are not allowed in this context": "a value that holds `: ` must be quoted; "
    "check the indentation of this line and the one before",
    "found unexpected end of stream": "a quote or a bracket is not closed",
    "found character that cannot start any token": "a text that starts with @, ` or % "
    "must be quoted",
}
_DEFAULT_SYNTAX_HELP: Final = (
    "check that brackets and quotes are closed and that the indentation matches the lines around"
)
