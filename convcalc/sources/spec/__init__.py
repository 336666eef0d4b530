"""The spec language: a network as short YAML. See ``docs/spec.md``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from convcalc.errors import (
    EnoughFindingsError,
    Finding,
    Findings,
    Place,
    SourceText,
    SpecError,
    catalogue,
    close_match,
    listed,
)
from convcalc.graph import Graph
from convcalc.sources.spec.document import Document, Template
from convcalc.sources.spec.expansion import Expansion
from convcalc.sources.spec.expression import (
    UNKNOWN,
    Expression,
    ExpressionError,
    Value,
    is_bounded,
)
from convcalc.sources.spec.grammar import Grammar
from convcalc.sources.yaml_nodes import compose

if TYPE_CHECKING:
    from convcalc.limits import Budget
    from convcalc.origins import LayerOrigin  # imported where it is made

__all__ = ["Spec"]


AnyExpansion = TypeVar("AnyExpansion", bound=Expansion)


class _Expanded(NamedTuple, Generic[AnyExpansion]):
    """One network of a spec that nothing is wrong with, and what has built it."""

    expansion: AnyExpansion
    graph: Graph
    document: Document
    variant: str | None


class Spec:
    """A spec that has been read: the network, or family of networks, of one YAML text."""

    def __init__(self, source: SourceText, text: str) -> None:
        """Read ``text``. What is wrong with it is said when a graph is asked for."""
        self._source = source
        self._findings = Findings()
        self._document: Document | None = None
        try:
            root = compose(source, text, self._findings)
            if root is not None or not self._findings.errors:
                self._document = Grammar(source, self._findings).document(root)
        except EnoughFindingsError:
            return
        except RecursionError:
            self._findings.add(_too_deep(source))

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is wrong whatever the values of the variables."""
        return tuple(self._findings)

    @property
    def variants(self) -> tuple[str, ...]:
        """The names of the variants, in order; none if there is one network only."""
        return tuple(self._document.variants) if self._document else ()

    @property
    def source(self) -> str | None:
        """What the spec says of where its design comes from."""
        return self._document.source if self._document else None

    @property
    def budgets(self) -> tuple[Budget, ...]:
        """What the networks may cost."""
        return self._document.budgets if self._document else ()

    def graph(
        self,
        variant: str | None = None,
        settings: Mapping[str, Value | str] | None = None,
        *,
        name: str,
        spec: str,
        axes: Mapping[str, Value] | None = None,
    ) -> Graph:
        """The graph of one variant (None: the first, or the one network there is).

        ``settings`` override variables; a text among them is an expression, as after ``--set``.
        ``axes`` are sizes of the inputs' axes, by their names in `AXIS_NAMES`, whatever the spec
        has there. ``name`` is used if the spec names no network. Raises SpecError with everything
        that is wrong.
        """

        def expansion(document: Document, findings: Findings) -> Expansion:
            return Expansion(document, findings, axes or {})

        expanded = self._expanded(expansion, variant, settings or {}, name=name, spec=spec)
        graph = expanded.graph
        if settings:
            # Published figures are of the network as it stands in the file.
            chosen = tuple((name, str(value)) for name, value in settings.items())
            return graph._replace(settings=chosen)
        return graph._replace(published=expanded.document.published.get(expanded.variant, ()))

    def values(
        self, variant: str | None = None, settings: Mapping[str, Value | str] | None = None
    ) -> tuple[tuple[str, Value | None], ...]:
        """The variables with their values in one variant, in order; None: it has none.

        ``variant`` and ``settings`` are as for `graph`. Nothing is raised: `graph` says what is
        wrong.
        """
        document = self._document
        if document is None:
            return ()
        expansion = Expansion(document, Findings(self._findings))
        with suppress(EnoughFindingsError):
            _set_variables(
                expansion, variant or next(iter(document.variants), None), settings or {}
            )
        return tuple(
            (name, None if value is UNKNOWN else value)
            for name, value in expansion.variables.items()
        )

    @property
    def sizes_named(self) -> tuple[tuple[str | None, ...], ...]:
        """For each input the variable that each of its axes is; None where it is no variable.

        Nothing for an input whose shape is not written as a list.
        """
        if self._document is None:
            return ()
        return tuple(_variables_of(template) for _, template in self._document.inputs)

    def origins(
        self,
        names: Iterable[str],
        variant: str | None = None,
        settings: Mapping[str, Value | str] | None = None,
    ) -> tuple[LayerOrigin, ...]:
        """Where the values of the nodes with these names were set, in the order of the graph.

        ``variant`` and ``settings`` are as for `graph`, and so is what is raised. A name that no
        node has is passed over.
        """
        from convcalc.sources.spec.tracing import Tracing  # noqa: PLC0415 - for explanations alone

        expanded = self._expanded(Tracing, variant, settings or {}, name="network", spec="")
        return expanded.expansion.origins(frozenset(names), settings or {})

    def _expanded(
        self,
        expands: Callable[[Document, Findings], AnyExpansion],
        variant: str | None,
        settings: Mapping[str, Value | str],
        *,
        name: str,
        spec: str,
    ) -> _Expanded[AnyExpansion]:
        """What `graph` and `origins` have in common. Raises SpecError."""
        findings = Findings(self._findings)
        document = self._document
        if document is None:
            raise SpecError(findings.in_order())
        if variant is None and document.variants:
            variant = next(iter(document.variants))
        if variant is not None and variant not in document.variants:
            raise SpecError([*findings.in_order(), self._unknown_variant(variant, document)])
        graph = None
        expansion = expands(document, findings)
        try:
            _set_variables(expansion, variant, settings)
            graph = expansion.graph(name=variant or document.name or name, spec=spec)
        except EnoughFindingsError:
            pass
        except RecursionError:
            findings.add(_too_deep(self._source))
        if graph is None or findings.errors:
            raise SpecError(findings.in_order())
        return _Expanded(expansion, graph, document, variant)

    def _unknown_variant(self, variant: str, document: Document) -> Finding:
        close = close_match(variant, document.variants)
        known = listed(document.variants) or "none"
        return Finding(
            catalogue.UNKNOWN_VARIANT,
            f"{self._source.name} has no variant `{variant}`",
            help=f"did you mean `{close}`?" if close else f"there are {known}",
        )


def _variables_of(shape: Template) -> tuple[str | None, ...]:
    parts = shape.parts if isinstance(shape.parts, tuple) else ()
    return tuple(
        part.parts.text.strip()
        if isinstance(part.parts, Expression) and {part.parts.text.strip()} == part.names
        else None
        for part in parts
    )


def _too_deep(source: SourceText) -> Finding:
    """The finding for a spec that fits into the limits, read by a program deep in its own calls."""
    return Finding(
        catalogue.NESTED_TOO_DEEPLY, "the spec is nested too deeply", Place(source, 1, 1)
    )


def _set_variables(
    expansion: Expansion, variant: str | None, settings: Mapping[str, Value | str]
) -> None:
    """Give each variable its value: as set, else as the variant has it, else as declared."""
    document, findings, values = expansion.document, expansion.findings, expansion.variables
    given = _parsed_settings(document, settings, findings)
    changes = {variable.name: variable for variable in document.variants.get(variant or "", ())}
    for declared in document.variables:
        name = declared.name
        if name in given:
            values[name] = given[name]
            continue
        chosen = changes.get(name, declared)
        if chosen.value is None:
            findings.add(
                Finding(
                    catalogue.UNSET_VARIABLE,
                    f"the variable `{name}` has no value",
                    declared.place,
                    help=f"give it one with `--set {name}=…`, or in a variant",
                )
            )
            values[name] = UNKNOWN
            continue
        # A variant may use variables that are declared after the one it sets.
        missing = sorted(read for read in chosen.value.names if read not in values)
        if missing:
            findings.add(
                Finding(
                    catalogue.UNKNOWN_VARIABLE,
                    f"`{name}` uses itself"
                    if missing[0] == name
                    else f"`{name}` uses `{missing[0]}`, which is declared after it",
                    chosen.value.place,
                    help="a variable may use those that are declared before it",
                )
            )
            values[name] = UNKNOWN
            continue
        expansion.set_variable(name, chosen.value)


def _parsed_settings(
    document: Document, settings: Mapping[str, Value | str], findings: Findings
) -> dict[str, Value]:
    known = [variable.name for variable in document.variables]
    values: dict[str, Value] = {}
    for name, setting in settings.items():
        if name not in known:
            close = close_match(name, known)
            findings.add(
                Finding(
                    catalogue.UNKNOWN_VARIABLE,
                    f"the spec has no variable `{name}` to set",
                    help=f"did you mean `{close}`?"
                    if close
                    else f"it has {listed(known) or 'none'}",
                )
            )
            continue
        if not isinstance(setting, str):
            values[name] = setting
            if not is_bounded(setting):
                values[name] = UNKNOWN
                findings.add(
                    Finding(
                        catalogue.NUMBER_TOO_LARGE,
                        f"the value that `{name}` is set to is too large",
                    )
                )
            continue
        try:
            values[name] = _setting_value(setting)
        except ExpressionError as error:
            values[name] = UNKNOWN
            source = SourceText(f"--set {name}", setting)
            offset, length = error.span or (0, len(setting))
            if "\n" in setting:
                offset, length = 0, 1  # the first line has to do
            place = Place(source, 1, offset + 1, max(1, length))
            findings.add(Finding(error.code, str(error), place, help=error.help))
    return values


def _setting_value(setting: str) -> Value:
    """The value of a text after ``--set``: an expression, or a word as under `vars`."""
    expression = Expression(setting)
    if not expression.names:
        return expression.constant
    name, offset = next(iter(expression.names.items()))
    if name == setting.strip():
        return name
    raise ExpressionError(
        catalogue.UNKNOWN_VARIABLE,
        f"unknown variable `{name}`",
        (offset, len(name)),
        help="a setting is a number, a word or an expression without variables",
    )
