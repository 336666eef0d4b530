"""The part of the grammar about values: numbers, words, expressions and lists of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Final

from convcalc.errors import (
    EnoughFindingsError,
    Findings,
    Place,
    catalogue,
    close_match,
    listed,
)
from convcalc.layers import activation_kinds, all_kinds, kind_known_as
from convcalc.layers.declaration import FieldDeclaration
from convcalc.layers.field_types import Choice, FieldType, FieldValueError
from convcalc.sources.spec.document import VARIES, Template, part_of
from convcalc.sources.spec.expression import (
    FUNCTIONS,
    Bindings,
    Expression,
    ExpressionError,
    Value,
    checked_list,
)
from convcalc.sources.yaml_nodes import YamlMapping, YamlNode, YamlScalar, YamlSequence
from convcalc.sources.yaml_reader import YamlReader

__all__ = ["NO_ACTIVATION", "Names", "ValueGrammar", "known_words", "unknown_activation"]

RESERVED_VARIABLES: Final = frozenset({"in_channels", "i", "true", "false", *FUNCTIONS})
NO_ACTIVATION: Final = "none"
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PYTHON_WORDS = frozenset(
    {"and", "or", "not", "if", "else", "in", "is", "True", "False", "None", "lambda", "for"}
)
_YAML_11_WORDS = {"yes": "true", "on": "true", "no": "false", "off": "false"}
MAX_EXPRESSION_CHARACTERS: Final = 100_000
"""Characters of all expressions of a spec that differ."""


class Names:
    """The variables that an expression may read: those of a scope, and of the scope around it.

    Of a scope that could not be read it is not known which there are: it may be any.
    """

    __slots__ = ("are_known", "around", "own")

    def __init__(
        self, own: Iterable[str] = (), around: Names | None = None, *, are_known: bool = True
    ) -> None:
        self.own = dict.fromkeys(own)
        self.around = around
        self.are_known = are_known

    def __contains__(self, name: str) -> bool:
        return (
            not self.are_known
            or name in self.own
            or (self.around is not None and name in self.around)
        )

    def __iter__(self) -> Iterator[str]:
        yield from self.own
        if self.around is not None:
            yield from self.around

    def add(self, name: str) -> None:
        """Let one more variable be read from here on."""
        self.own[name] = None


class ValueGrammar(YamlReader):
    """Reads values. What is wrong goes to ``findings``."""

    def __init__(self, findings: Findings) -> None:
        super().__init__(findings)
        self.expressions: dict[str, Expression] = {}
        self.expression_characters = 0
        self.declared: frozenset[str] = frozenset()
        """All variables, those included that stand further down than the place that is read."""

    def check_variable_name(self, name: str, place: Place) -> bool:
        """Whether a variable or argument may be called ``name``; reported if not."""
        if name in RESERVED_VARIABLES or name in _PYTHON_WORDS:
            self.report(
                catalogue.RESERVED_NAME,
                f"`{name}` has a meaning of its own in expressions",
                place,
                "choose another name",
            )
            return False
        if not _WORD.fullmatch(name):
            self.report(
                catalogue.BAD_NAME,
                f"`{name}` cannot stand in an expression",
                place,
                "a variable is called by letters, digits and `_`, a letter first",
            )
            return False
        return True

    def free_template(self, node: YamlNode, names: Names, *, own_words: bool = False) -> Template:
        """A value of any type: numbers, words, lists, and mappings in lists."""
        if isinstance(node, YamlMapping):
            parts = tuple(
                (name, self.free_template(value, names, own_words=own_words))
                for name, (key, value) in node.entries.items()
                if self.check_variable_name(name, key.place)
            )
            if all(part.constant is not VARIES for _, part in parts):
                return Template(
                    node.place,
                    Bindings({name: part.constant for name, part in parts}),  # type: ignore[misc]
                )
            first = next(part for _, part in parts if part.constant is VARIES)
            self.report(
                catalogue.NOT_ALLOWED,
                "a mapping in a list of `vars` may hold no variables",
                first.place,
                "write its values out, or list it under `for` itself",
            )
            return Template(node.place, Bindings({}))
        if isinstance(node, YamlSequence):
            return self.sequence_template(
                node, lambda item: self.free_template(item, names, own_words=own_words)
            )
        if not isinstance(node.value, str):
            return Template(node.place, node.value)
        # A word stands for itself where it cannot be a mistyped variable: `norm: batch` under
        # `vars`, and the words of fields (`padding: same`) wherever they are handed on.
        bare = node.text.strip()
        if _WORD.fullmatch(bare) and bare not in names and (own_words or bare in known_words()):
            return Template(node.place, bare)
        return self.expression_template(node, names, known_words())

    def typed_template(
        self,
        node: YamlNode,
        type_: FieldType,
        names: Names,
        what: str,
        declared: FieldDeclaration | None = None,
    ) -> Template:
        """A value of a given type; what is constant is parsed, and held against it, at once."""
        template = self.raw_template(node, type_, names)
        if template.constant is VARIES:
            return template
        if template.constant is None and declared is not None and declared.default is None:
            return template
        try:
            return Template(node.place, type_.parse(template.constant))  # type: ignore[arg-type]
        except FieldValueError as error:
            self.report(error.code, f"{what} must be {error}", node.place, error.help)
            return Template(node.place, VARIES)

    def raw_template(self, node: YamlNode, type_: FieldType, names: Names) -> Template:
        """A value that is yet to be held against its type."""
        if isinstance(node, YamlMapping):
            self.report(
                catalogue.WRONG_TYPE,
                f"this must be {type_.label()}, not a mapping",
                node.place,
                "an expression with braces must be quoted",
            )
            return Template(node.place, VARIES)
        if isinstance(node, YamlSequence):
            return self.sequence_template(node, lambda item: self.raw_template(item, type_, names))
        if not isinstance(node.value, str):
            return Template(node.place, node.value)
        bare = node.text.strip()
        if bare in type_.words:
            return Template(node.place, bare)
        if isinstance(type_, Choice) and _WORD.fullmatch(bare) and bare not in names:
            return Template(node.place, bare)  # a word that the type will refuse
        return self.expression_template(node, names, type_.words)

    def sequence_template(
        self, node: YamlSequence, item_template: Callable[[YamlNode], Template]
    ) -> Template:
        """A list, constant if all of its items are."""
        parts = tuple([item_template(item) for item in node.items])
        if any(part.constant is VARIES for part in parts):
            return Template(node.place, VARIES, parts)
        try:
            return Template(node.place, checked_list([part.constant for part in parts]))  # type: ignore[misc]
        except ExpressionError as error:
            self.report(error.code, str(error), node.place, error.help)
            return Template(node.place, VARIES)

    def expression_template(
        self, node: YamlScalar, names: Names, words: frozenset[str] = frozenset()
    ) -> Template:
        """An expression over ``names``."""
        expression = self.expressions.get(node.text)
        if expression is None:
            self.expression_characters += len(node.text)
            if self.expression_characters > MAX_EXPRESSION_CHARACTERS:
                self.report(
                    catalogue.EXPRESSION_TOO_LARGE,
                    f"expressions of more than {MAX_EXPRESSION_CHARACTERS:,} characters in all",
                    node.place,
                    "use blocks with arguments for what repeats",
                )
                raise EnoughFindingsError
            try:
                expression = self.expressions[node.text] = Expression(node.text)
            except ExpressionError as error:
                self.report(
                    error.code, str(error), part_of(node.place, node.text, error.span), error.help
                )
                return Template(node.place, VARIES)
        unknown = {name: at for name, at in expression.names.items() if name not in names}
        for name, offset in unknown.items():
            self.report_unknown_variable(
                name, part_of(node.place, node.text, (offset, len(name))), names, words
            )
        if unknown:
            return Template(node.place, VARIES)
        constant: Value = expression.constant
        if expression.is_constant:
            return Template(node.place, constant)
        return Template(node.place, VARIES, expression)

    def report_unknown_variable(
        self, name: str, place: Place, names: Names, words: frozenset[str]
    ) -> None:
        """Report a name that no variable has, with the one that was probably meant."""
        close = close_match(name, (*names, *words))
        if name in _YAML_11_WORDS:
            hint = f"YAML 1.2 knows `true` and `false` only: write `{_YAML_11_WORDS[name]}`"
        elif name in FUNCTIONS:
            hint = f"`{name}` is a function: write `{name}(…)`"
        elif name == "i":
            hint = "`i` counts the rounds of `repeat` and `for`; there is none around this"
        elif name in self.declared:
            hint = f"`{name}` has no value here yet: a variable may use those above it"
        elif name == "in_channels":
            hint = "`in_channels` is known where a layer stands, not here"
        elif close or kind_known_as(name) in activation_kinds():
            hint = f"did you mean `{close or kind_known_as(name)}`?"
        else:
            known = listed(dict.fromkeys(names))
            hint = "declare it under `vars`" + (f"; there are {known}" if known else "")
        self.report(catalogue.UNKNOWN_VARIABLE, f"unknown variable `{name}`", place, hint)


@cache
def known_words() -> frozenset[str]:
    """The words that fields of any kind may have for a value, such as `same`, and activations'."""
    words = (
        word
        for declared in all_kinds().values()
        for declaration in declared.declarations
        for word in declaration.type.words
    )
    return frozenset((*words, *activation_kinds(), NO_ACTIVATION))


def unknown_activation(word: object) -> tuple[str, str | None]:
    """What to say of a word that names no activation, and a hint."""
    known = (*activation_kinds(), NO_ACTIVATION)
    meant = (kind_known_as(word) or close_match(word, known)) if isinstance(word, str) else None
    hint = f"did you mean `{meant}`?" if meant in known else f"there are {listed(known)}"
    return f"unknown activation `{word}`", hint
