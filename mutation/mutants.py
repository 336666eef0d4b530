"""The mutants of a module: its source with one thing changed, by the rules of mutmut.

The rules are mutmut's own (`mutmut.mutation.mutators`); this module chooses where they apply. They
apply also where mutmut leaves them out: in properties, and in the statements of modules and classes
that declare fields, defaults and constants. They don't apply to texts: messages, names, help.
"""

from __future__ import annotations

from collections.abc import Iterator
from os.path import commonprefix
from pathlib import Path
from typing import NamedTuple

import libcst as cst
import libcst.matchers as m
from libcst.metadata import ByteSpanPositionProvider, MetadataWrapper, PositionProvider
from mutmut.mutation.mutators import mutation_operators, operator_string

__all__ = ["Mutant", "mutants_of"]

LEFT_OUT = ("help", "known_as", "symbol", "strict")
"""Arguments that are texts for people, and zip's assertion that lengths agree."""
SHOWN = 24
"""Characters shown before and after what a mutant changes."""


class Mutant(NamedTuple):
    """One change of one module."""

    path: Path
    function: str
    """The outermost function or method that it changes, as `__qualname__`; empty outside all."""
    line: int
    before: str
    after: str
    start: int
    """Where the change begins in the bytes of the source."""
    end: int
    replacement: bytes
    in_message: bool
    """Whether it lies in the making of a finding or an exception."""
    ordinal: int
    """Which of the changes that read alike in this function, from 1."""

    @property
    def name(self) -> str:
        """What it is known by: no line number, so that it stays when lines are added above."""
        again = f" #{self.ordinal}" if self.ordinal > 1 else ""
        return f"{self.function or '(outside functions)'}: {self.before} → {self.after}{again}"

    def source(self) -> bytes:
        """The whole module with the change."""
        original = self.path.read_bytes()
        return original[: self.start] + self.replacement + original[self.end :]


def mutants_of(path: Path) -> tuple[Mutant, ...]:
    """All mutants of a module, in the order of its lines."""
    wrapper = MetadataWrapper(cst.parse_module(path.read_bytes()))
    finder = _Finder(path, wrapper.module)
    wrapper.visit(finder)
    return tuple(finder.found)


class _Finder(cst.CSTVisitor):
    METADATA_DEPENDENCIES = (ByteSpanPositionProvider, PositionProvider)

    def __init__(self, path: Path, module: cst.Module) -> None:
        super().__init__()
        self.path = path
        self.module = module
        self.source = path.read_bytes()
        self.found: list[Mutant] = []
        self._scopes: list[cst.CSTNode] = []
        self._messages = 0
        self._depth = 0
        self._seen: dict[tuple[str, str, str], int] = {}

    def on_visit(self, node: cst.CSTNode) -> bool:
        if _is_left_out(node):
            return False
        if isinstance(node, cst.FunctionDef | cst.ClassDef):
            self._scopes.append(node)
        self._depth += isinstance(node, cst.IndentedBlock)
        self._messages += _is_message(node)
        for kind, operator in mutation_operators:
            if isinstance(node, kind) and operator is not operator_string:
                for mutated in operator(node):
                    if not _changes_text(node, mutated):
                        self._note(node, mutated)
        return True

    def on_leave(self, original_node: cst.CSTNode) -> None:
        # Also called for what was left out, which is none of these.
        if self._scopes and original_node is self._scopes[-1]:
            self._scopes.pop()
        self._depth -= isinstance(original_node, cst.IndentedBlock)
        self._messages -= not _is_left_out(original_node) and _is_message(original_node)

    def _note(self, node: cst.CSTNode, mutated: cst.CSTNode) -> None:
        span = self.get_metadata(ByteSpanPositionProvider, node, None)
        position = self.get_metadata(PositionProvider, node, None)
        if span is None or position is None:
            return
        # The span leaves out parentheses and spaces around a node, its text does not.
        text = self._code(node)
        inner = self.source[span.start : span.start + span.length]
        start = span.start - text.find(inner)
        if self.source[start : start + len(text)] != text:
            raise AssertionError(f"{self.path}:{position.start.line}: cannot place {text!r}")
        replacement = self._code(mutated)
        before, after = _shortened(text.decode(), replacement.decode())
        function = self._function()
        key = (function, before, after)
        self._seen[key] = self._seen.get(key, 0) + 1
        self.found.append(
            Mutant(
                self.path,
                function,
                position.start.line,
                before,
                after,
                start,
                start + len(text),
                replacement,
                self._messages > 0,
                self._seen[key],
            )
        )

    def _code(self, node: cst.CSTNode) -> bytes:
        """Its text as it stands in the source, with the indentation of its lines."""
        lines = self.module.code_for_node(node).split("\n")
        return f"\n{self.module.default_indent * self._depth}".join(lines).encode()

    def _function(self) -> str:
        names = []
        for scope in self._scopes:
            names.append(scope.name.value)  # type: ignore[attr-defined]
            if isinstance(scope, cst.FunctionDef):
                return ".".join(names)
        return ""

    def visit_FunctionDef_params(self, node: cst.FunctionDef) -> None:  # noqa: ARG002, N802 - libcst's
        """Defaults are evaluated where the function is made: outside it."""
        self._scopes.pop()

    def leave_FunctionDef_params(self, node: cst.FunctionDef) -> None:  # noqa: N802 - libcst's
        """Back inside."""
        self._scopes.append(node)


def _shortened(before: str, after: str) -> tuple[str, str]:
    """Both on one line each, without most of what they begin and end with alike."""
    one, other = (" ".join(text.split()) for text in (before, after))
    first = len(commonprefix([one, other]))  # noqa: RUF071 - no paths
    rest = len(commonprefix([one[first:][::-1], other[first:][::-1]]))  # noqa: RUF071 - as above
    first, rest = max(first - SHOWN, 0), max(rest - SHOWN, 0)

    def cut(text: str) -> str:
        return "…" * (first > 0) + text[first : len(text) - rest] + "…" * (rest > 0)

    return cut(one), cut(other)


def _is_left_out(node: cst.CSTNode) -> bool:
    """Annotations, decorators, imports, docstrings, type aliases and calls that only fail."""
    return (
        isinstance(node, cst.Annotation | cst.Decorator | cst.Import | cst.ImportFrom)
        or m.matches(node, m.Expr(m.SimpleString() | m.ConcatenatedString()))
        or m.matches(node, m.Assign([m.AssignTarget(m.Name("__all__"))]))
        or m.matches(node, m.AnnAssign(annotation=m.Annotation(m.Name("TypeAlias"))))
        or m.matches(node, m.If(m.Name("TYPE_CHECKING")))
        or m.matches(node, m.Call(m.Name("len") | m.Name("isinstance") | m.Name("cast")))
        or m.matches(node, m.Arg(keyword=m.OneOf(*map(m.Name, LEFT_OUT))))
    )


def _is_message(node: cst.CSTNode) -> bool:
    return isinstance(node, cst.Raise) or m.matches(node, m.Call(m.Name("Finding")))


def _changes_text(node: cst.CSTNode, mutated: cst.CSTNode) -> bool:
    """Whether a call was only robbed of, or given None for, a text or a message."""
    if not (isinstance(node, cst.Call) and isinstance(mutated, cst.Call)):
        return False
    return any(_is_text(argument) for argument in _gone(node, mutated))


def _gone(node: cst.Call, mutated: cst.Call) -> Iterator[cst.Arg]:
    return (argument for argument in node.args if argument not in mutated.args)


def _is_text(argument: cst.Arg) -> bool:
    return (argument.keyword is not None and argument.keyword.value in LEFT_OUT) or isinstance(
        argument.value, cst.BaseString
    )
