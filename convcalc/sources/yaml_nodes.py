"""YAML text to nodes that know their place.

The text is read as YAML 1.2 (core schema) through libyaml's event stream, and composed here rather
than by PyYAML: its composer recurses in C, where 30,000 nested brackets end the process, and its
nodes are built whole before anything can be refused. Here depth, size and aliases are bounded while
the events arrive.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import takewhile
from typing import Any, Final, NamedTuple, TypeAlias

import yaml

from convcalc.errors import (
    Code,
    EnoughFindingsError,
    Finding,
    Findings,
    Place,
    Related,
    SourceText,
    catalogue,
)
from convcalc.sources.decimals import DECIMAL, DecimalError, exact_decimal

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
MAX_NODES: Final = 50_000
"""Nodes of one text, each use of an alias counted as a copy: what can be gone through in a second.

A network of a thousand layers, each written out with ten fields, has half as many.
"""
LONG_TEXT: Final = 100
"""Characters of a text that count as one value more."""
MAX_REPAIRS: Final = 50
"""Unquoted brackets that are reported in one run."""
MAX_READ_AGAIN: Final = 2**23
"""Characters that are read again after such repairs."""
MAX_EXPRESSION: Final = 1000
"""Characters in which the ends of an unquoted expression are looked for."""
MAX_PARTS: Final = 64
"""Parts that commas cut an unquoted expression into."""
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
YamlMark: TypeAlias = Any


class PythonParser(yaml.Loader):
    """PyYAML's own parser, with tabs where libyaml takes them: anywhere but in an indentation."""

    def scan_to_next_token(self) -> None:
        """Skip what stands between two tokens."""
        if self.index == 0 and self.peek() == "\ufeff":
            self.forward()
        while True:
            blanks = " \t" if self.flow_level or not self.allow_simple_key else " "
            while self.peek() in blanks:
                self.forward()
            if self.peek() == "#":
                while self.peek() not in _LINE_ENDS:
                    self.forward()
            if not self.scan_line_break():  # type: ignore[no-untyped-call]
                return
            if not self.flow_level:
                self.allow_simple_key = True


_LINE_ENDS: Final = "\0\r\n\x85\u2028\u2029"
"""The characters that end a line, or the text, for PyYAML."""

try:
    from yaml import CLoader as Parser
except ImportError:  # a PyYAML built without libyaml: slower, and just as bounded
    Parser = PythonParser  # type: ignore[assignment,misc]


class _Stop(Exception):  # noqa: N818 - not an error: what was found is in the findings
    """Nothing after this point can be read."""


def compose(source: SourceText, text: str, findings: Findings) -> YamlNode | None:
    """The one document of ``text``; None if it cannot be read. What is wrong goes to ``findings``.

    An expression in braces that should have been quoted is reported, then read as if it were, so
    that one such mistake does not hide the others.
    """
    spans: dict[int, list[tuple[int, int]]] = {}
    nodes = 0
    for reading in range(1, MAX_REPAIRS + 1):
        composer = _Composer(source, spans)
        try:
            node = composer.document(text)
        except yaml.YAMLError as error:
            bracket = _unquoted_bracket(source, text, error)
            if bracket is None:
                _add(findings, composer.findings, _syntax_findings(source, text, error))
                return None
            text = bracket.repaired
            findings.add(bracket.finding)
            spans.setdefault(bracket.line, []).append(bracket.span)
            nodes += composer.nodes
            if reading * len(text) > MAX_READ_AGAIN or nodes > MAX_NODES:
                break
        except (_Stop, EnoughFindingsError):
            _add(findings, composer.findings)
            return None
        except UnicodeEncodeError as error:  # half a character: an argument that was no UTF-8
            findings.add(_character_finding(source, text, error.start))
            return None
        else:
            _add(findings, composer.findings)
            return node
    return None


def _add(findings: Findings, *found: Iterable[Finding]) -> None:
    for several in found:
        for finding in several:
            findings.add(finding)


# -- composing --------------------------------------------------------------------------------


class _Composer:
    """Builds nodes from events. One for each reading of a text."""

    def __init__(self, source: SourceText, spans: dict[int, list[tuple[int, int]]]) -> None:
        self.source = source
        self.spans = spans
        self.findings = Findings()
        self.anchors: dict[str, tuple[YamlNode, int] | None] = {}
        self.nodes = 0

    def document(self, text: str) -> YamlNode | None:
        """The one document of ``text``. Raises YAMLError, _Stop, EnoughFindingsError."""
        self.next_event = next_event = Parser(text).get_event
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
        length = len(event.value) // LONG_TEXT
        if length:
            self.count(length, event)
        if event.anchor:
            self.anchors[event.anchor] = node, length
        return node

    def scalar(self, event: YamlEvent) -> YamlScalar:
        text: str = event.value
        place = self.place(event)
        if event.tag and event.tag != "!":
            self.tag(event)
        if not event.implicit[0]:  # quoted
            return YamlScalar(place, text, text, quoted=True)
        if self.spans and self.has_repair(place):
            start = place.column - 1
            text = self.source.lines[place.line - 1][start : start + place.length]
            return YamlScalar(place, text, text, quoted=True)
        return YamlScalar(place, self.resolve(text, place), text, quoted=False)

    def has_repair(self, place: Place) -> bool:
        """Whether an expression at this place was reported and made readable."""
        start, end = place.column - 1, place.column - 1 + place.length
        return any(
            start < span_end and span_start < end
            for span_start, span_end in self.spans.get(place.line, ())
        )

    def sequence(self, start: YamlEvent, depth: int) -> YamlSequence:
        items: list[YamlNode] = []
        next_event = self.next_event
        event = next_event()
        while type(event) is not yaml.SequenceEndEvent:
            items.append(self.node(event, depth + 1))
            event = next_event()
        if start.flow_style:
            items = list(self.rejoined(items))
        return YamlSequence(self.place(start), tuple(items))

    def mapping(self, start: YamlEvent, depth: int) -> YamlMapping:
        pairs: list[tuple[YamlNode, YamlNode]] = []
        next_event = self.next_event
        event = next_event()
        while type(event) is not yaml.MappingEndEvent:
            key = self.node(event, depth + 1)
            pairs.append((key, self.node(next_event(), depth + 1)))
            event = next_event()
        entries: dict[str, tuple[YamlScalar, YamlNode]] = {}
        merged: list[YamlNode] = []
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
                merged += value.items if isinstance(value, YamlSequence) else (value,)
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
        for other in merged:  # so that nothing else seems to be missing
            for name, entry in other.entries.items() if isinstance(other, YamlMapping) else ():
                entries.setdefault(name, entry)
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
            last = position + _parts_after(items[position : position + MAX_PARTS])
            yield self.cut_expression(item, items[last]) if last > position else item
            position = last + 1

    def joined_pairs(
        self, pairs: list[tuple[YamlNode, YamlNode]]
    ) -> Iterator[tuple[YamlNode, YamlNode]]:
        """The pairs of a mapping in braces, with expressions that YAML cut at a comma whole."""
        position = 0
        while position < len(pairs):
            key, value = pairs[position]
            last = position
            if _open_brackets(value) > 0:
                # What stands after a comma and is no pair is a key with an empty value.
                rest = takewhile(_is_lone_key, pairs[position + 1 : position + MAX_PARTS])
                last += _parts_after([value, *(part for part, _ in rest)])
            yield key, self.cut_expression(value, pairs[last][0]) if last > position else value
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
        if _INTEGER.fullmatch(text):
            digits = text.lstrip("+-")
            if len(digits) > MAX_INTEGER_DIGITS:
                self.report(
                    catalogue.NUMBER_TOO_LARGE,
                    f"a number of {len(digits):,} digits",
                    place,
                    help="no size in a spec may exceed 10¹⁸",
                )
                return 1
            if len(digits) > 1 and digits[0] == "0":
                return self.octal(text, digits, place)
            return int(text)
        if _PREFIXED.fullmatch(text) and len(text) <= MAX_INTEGER_DIGITS:
            return int(text, 0)
        if DECIMAL.fullmatch(text):
            return self.decimal(text, place)
        if text.lower().lstrip("+-") in (".inf", ".nan"):
            return self.not_finite(text, place)
        if _SEXAGESIMAL.fullmatch(text):
            return self.sexagesimal(text, place)
        return text

    def decimal(self, text: str, place: Place) -> int | Fraction:
        try:
            return exact_decimal(text)
        except DecimalError as error:
            self.report(
                catalogue.NUMBER_TOO_LARGE,
                f"`{text}` {error}",
                place,
                help="write a whole number or a short decimal",
            )
            return 1

    def octal(self, text: str, digits: str, place: Place) -> int:
        as_octal = f" and {int(digits, 8)} to YAML 1.1" if set(digits) <= set("01234567") else ""
        self.report(
            catalogue.OCTAL_LOOKALIKE,
            f"`{text}` is {int(digits)} to YAML 1.2{as_octal}",
            place,
            help=f"write {int(digits)}"
            + (f", or 0o{digits.lstrip('0') or '0'} for an octal number" if as_octal else ""),
        )
        return int(text)

    def sexagesimal(self, text: str, place: Place) -> int:
        base_60 = 0
        for part in text.split(":"):
            base_60 = base_60 * 60 + int(part)
        self.report(
            catalogue.SEXAGESIMAL_LOOKALIKE,
            f"`{text}` is a text to YAML 1.2 and {_abbreviated(base_60)} to YAML 1.1",
            place,
            help=f"write a list, [{', '.join(text.split(':'))}], or put the text in quotes",
        )
        return 1

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
        tag = event.tag.replace("tag:yaml.org,2002:", "!!")
        self.report(
            catalogue.YAML_TAG,
            f"the tag `{tag}` is not part of the spec language",
            self.place(event),
            help="leave it out"
            if tag.startswith("!!")
            else "for the opposite of a condition write `not`; a text that starts with `!` must "
            "be quoted",
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
        self.findings.add(Finding(code, message, place, help=help, related=related))


_WORDS: Final[dict[str, bool | None]] = {
    "": None,
    **dict.fromkeys(("~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_WORD_STARTS = frozenset(("", *"~nNtTfF"))
_NUMBER_STARTS = frozenset("0123456789+-.")
_INTEGER = re.compile(r"[-+]?[0-9]+")
_PREFIXED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
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


def _open_brackets(node: YamlNode) -> int:
    if isinstance(node, YamlScalar) and not node.quoted:
        return node.text.count("(") - node.text.count(")")
    return 0


def _is_lone_key(pair: tuple[YamlNode, YamlNode]) -> bool:
    return isinstance(pair[1], YamlScalar) and not pair[1].text


def _parts_after(nodes: Sequence[YamlNode]) -> int:
    """How many nodes after the first are needed to close the round brackets that it opens."""
    still_open = 0
    for position, node in enumerate(nodes):
        still_open += _open_brackets(node)
        if still_open <= 0:
            return position
    return 0


# -- syntax errors --------------------------------------------------------------------------------


class _Bracket(NamedTuple):
    """An index such as ``c[0]`` in braces, which YAML reads as the start of a list."""

    line: int
    span: tuple[int, int]
    repaired: str
    """The text with the expression made readable, columns kept."""
    finding: Finding


def _unquoted_bracket(source: SourceText, text: str, error: yaml.YAMLError) -> _Bracket | None:
    """The bracket that ``error`` is about, if it is about one."""
    mark = getattr(error, "problem_mark", None)
    if mark is None or _SYNTAX.get(_problem(error)) is not _NOT_CLOSED:
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
    first, last = _expression_around(line, start, end)
    expression = line[first:last]
    lines[mark.line] = line[:first] + "_" * (last - first) + line[last:]
    return _Bracket(
        mark.line + 1,
        (first, last),
        "".join(lines),
        Finding(
            catalogue.UNQUOTED_BRACKET,
            f"YAML takes the bracket of `{expression}` for a list",
            Place(source, mark.line + 1, first + 1, max(1, last - first)),
            help=f'inside braces an expression with brackets must be quoted: "{expression}"',
        ),
    )


def _expression_around(line: str, start: int, end: int) -> tuple[int, int]:
    """The span of the expression that the bracket from ``start`` to ``end`` belongs to.

    It reaches from a separator before the bracket to one after it: the nearest two between which
    every bracket that opens is closed.
    """
    line = line.rstrip()
    before = [n.end() for n in _BEFORE_VALUE.finditer(line, max(0, start - MAX_EXPRESSION), start)]
    after = [n.start() for n in _AFTER_VALUE.finditer(line, end, end + MAX_EXPRESSION)]
    for first in before[:-MAX_PARTS:-1]:
        for last in (*after[:MAX_PARTS], len(line)):
            expression = line[first:last]
            if len(expression) <= MAX_EXPRESSION and all(
                expression.count(opening) == expression.count(closing)
                for opening, closing in ("()", "[]")
            ):
                lead = len(expression) - len(expression.lstrip())
                return first + lead, first + len(expression.rstrip())
    return start, end


_BEFORE_VALUE = re.compile(r"[{\[,]|: ")
_AFTER_VALUE = re.compile(r"[,}\]]")


def _closing_bracket(line: str, start: int) -> int | None:
    depth = 0
    for position in range(start, len(line)):
        depth += (line[position] == "[") - (line[position] == "]")
        if depth == 0:
            return position + 1
    return None


def _syntax_findings(source: SourceText, text: str, error: yaml.YAMLError) -> Iterator[Finding]:
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        position = getattr(error, "position", None) or 0
        if getattr(error, "encoding", None) == "?":  # libyaml counts the bytes of UTF-8
            position = len(text.encode()[:position].decode(errors="ignore"))
        yield _character_finding(source, text, position)
        return
    problem = _problem(error)
    if "tab" in problem or "cannot start" in problem:
        tabs = [
            Finding(
                catalogue.TAB_INDENTATION,
                "the indentation has a tab",
                Place(source, number, line.index("\t") + 1),
                help="YAML is indented with spaces",
            )
            for number, line in enumerate(source.lines, start=1)
            if "\t" in line[: len(line) - len(line.lstrip())] and line.strip()
        ]
        if tabs:
            yield from tabs
            return
    cause, way_out = _SYNTAX.get(problem, (problem, _DEFAULT_SYNTAX_HELP))
    opening = getattr(error, "context_mark", None)
    related: tuple[Related, ...] = ()
    if opening is not None and opening.line < len(source.lines):
        what = source.lines[opening.line][opening.column : opening.column + 1]
        if what and what in "[{\"'":
            related = (Related(f"`{what}` begins here", _place_in(source, opening)),)
    yield Finding(
        catalogue.YAML_SYNTAX, cause, _place_in(source, mark), help=way_out, related=related
    )


def _problem(error: yaml.YAMLError) -> str:
    """What the parser says is wrong, without what it found instead, which can be seen."""
    problem = str(getattr(error, "problem", None) or str(error).splitlines()[0])
    return _QUOTED.sub("", problem.partition(", but ")[0])


def _character_finding(source: SourceText, text: str, position: int) -> Finding:
    """The finding for a character that no YAML text may have."""
    lines = (text[:position] + "_").splitlines()
    return Finding(
        catalogue.YAML_SYNTAX,
        f"the character U+{ord(text[position]):04X} is not allowed in YAML",
        Place(source, len(lines), len(lines[-1])),
        help='delete it; inside double quotes it can be written as an escape, such as "\\x1b"',
    )


def _place_in(source: SourceText, mark: YamlMark) -> Place:
    """The place of a mark; the end of the text for one past it."""
    if mark.line < len(source.lines):
        return Place(source, mark.line + 1, mark.column + 1)
    last = len(source.lines)
    return Place(source, max(1, last), len(source.lines[-1]) + 1 if last else 1)


_QUOTED = re.compile(r"(?<=character) (?:'.+'|\".+\")")
"""The character that PyYAML's own parser names; libyaml does not, and it can be seen."""

_NOT_CLOSED = (
    "a comma is missing before this, or a bracket is not closed",
    "separate values by commas, and close every { and [",
)
_INDENTATION = (
    "this is indented otherwise than what it belongs to",
    "items of one list, and keys of one mapping, begin in the same column",
)
_NO_LIST = (
    "a list may not begin here",
    "put the first dash on a line of its own; a text that starts with a dash must be quoted",
)
_NO_KEY = (
    "a key may not stand here",
    "check the indentation of this line and the one before; a kind that stands alone takes a "
    "colon when a key stands below it, `- relu:`; a text that holds `: ` must be quoted",
)
_SYNTAX: Final = {
    "did not find expected ',' or '}'": _NOT_CLOSED,
    "did not find expected ',' or ']'": _NOT_CLOSED,
    "expected ',' or '}'": _NOT_CLOSED,
    "expected ',' or ']'": _NOT_CLOSED,
    "did not find expected key": _INDENTATION,
    "expected <block end>": _INDENTATION,
    "did not find expected '-' indicator": _INDENTATION,
    "block sequence entries are not allowed in this context": _NO_LIST,
    "sequence entries are not allowed here": _NO_LIST,
    "mapping values are not allowed in this context": _NO_KEY,
    "mapping values are not allowed here": _NO_KEY,
    "could not find expected ':'": (
        "this line is no `key: value`",
        "put a colon and a space after the key, or a dash before the item of a list",
    ),
    "found unexpected end of stream": (
        "the text ends inside quotes",
        "close the quotes",
    ),
    "found character that cannot start any token": (
        "no value can start with this character",
        "a text that starts with @, ` or % must be quoted",
    ),
    "found unknown escape character": (
        "no such escape after \\",
        "in double quotes \\ begins an escape: use single quotes, or write \\\\",
    ),
}
"""What libyaml and PyYAML's own parser say, for someone who does not know YAML's grammar."""
_DEFAULT_SYNTAX_HELP: Final = (
    "check that brackets and quotes are closed and that the indentation matches the lines around"
)
