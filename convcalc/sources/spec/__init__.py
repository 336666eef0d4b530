"""The spec language: a network as short YAML. See ``docs/spec.md``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from convcalc.errors import Finding, Place, SourceText, SpecError, catalogue, close_match
from convcalc.graph import Graph
from convcalc.sources.spec.document import Document
from convcalc.sources.spec.expansion import Expansion
from convcalc.sources.spec.expression import UNKNOWN, Expression, ExpressionError, Value
from convcalc.sources.spec.grammar import Grammar
from convcalc.sources.spec.yaml_nodes import compose

__all__ = ["Spec"]


class Spec:
    """A spec that has been read: the network, or family of networks, of one YAML text."""

    def __init__(self, source: SourceText, text: str) -> None:
        """Read ``text``. What is wrong with it is said when a graph is asked for."""
        self._source = source
        self._findings: list[Finding] = []
        root = compose(source, text, self._findings)
        self._document: Document | None = None
        if root is not None or not self._findings:
            self._document = Grammar(source, self._findings).document(root)

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

    def graph(
        self,
        variant: str | None = None,
        settings: Mapping[str, Value | str] | None = None,
        *,
        name: str,
        spec: str,
    ) -> Graph:
        """The graph of one variant (None: the first, or the one network there is).

        ``settings`` override variables; a text among them is an expression, as after ``--set``.
        ``name`` is used if the spec names no network. Raises SpecError with everything that is
        wrong.
        """
        findings = list(self._findings)
        document = self._document
        if document is None:
            raise SpecError(findings)
        if variant is None and document.variants:
            variant = next(iter(document.variants))
        if variant is not None and variant not in document.variants:
            close = close_match(variant, document.variants)
            known = ", ".join(f"`{v}`" for v in document.variants) or "none"
            findings.append(
                Finding(
                    catalogue.UNKNOWN_VARIANT,
                    f"{self._source.name} has no variant `{variant}`",
                    help=f"did you mean `{close}`?" if close else f"there are {known}",
                )
            )
            raise SpecError(findings)
        values = _variable_values(document, variant, settings or {}, findings)
        graph = Expansion(document, values, findings).graph(
            name=variant or document.name or name, spec=spec
        )
        if graph is None or any(not finding.is_warning for finding in findings):
            raise SpecError(_in_order(findings))
        if settings:
            return graph  # published figures are of the network as it stands in the file
        return replace(graph, published=document.published.get(variant, ()))


def _variable_values(
    document: Document,
    variant: str | None,
    settings: Mapping[str, Value | str],
    findings: list[Finding],
) -> dict[str, Value]:
    """The value of each variable: as set, else as the variant has it, else as declared."""
    given = _parsed_settings(document, settings, findings)
    changes = {variable.name: variable for variable in document.variants.get(variant or "", ())}
    values: dict[str, Value] = {}
    for declared in document.variables:
        name = declared.name
        if name in given:
            values[name] = given[name]
            continue
        chosen = changes.get(name, declared)
        values[name] = UNKNOWN
        if chosen.value is None:
            findings.append(
                Finding(
                    catalogue.UNSET_VARIABLE,
                    f"the variable `{name}` has no value",
                    declared.place,
                    help=f"give it one with `--set {name}=…`, or in a variant",
                )
            )
            continue
        # A variant may use variables that are declared after the one it sets.
        missing = [read for read in chosen.value.names if read not in values]
        if missing:
            findings.append(
                Finding(
                    catalogue.UNKNOWN_VARIABLE,
                    f"`{name}` uses `{missing[0]}`, which is declared after it",
                    chosen.place,
                    help="a variable may use those before it: move it down",
                )
            )
            continue
        values[name] = Expansion(document, {}, findings).evaluate(chosen.value, values)
    return values


def _parsed_settings(
    document: Document, settings: Mapping[str, Value | str], findings: list[Finding]
) -> dict[str, Value]:
    known = [variable.name for variable in document.variables]
    values: dict[str, Value] = {}
    for name, setting in settings.items():
        if name not in known:
            close = close_match(name, known)
            findings.append(
                Finding(
                    catalogue.UNKNOWN_VARIABLE,
                    f"the spec has no variable `{name}` to set",
                    help=f"did you mean `{close}`?"
                    if close
                    else f"it has {', '.join(f'`{k}`' for k in known) or 'none'}",
                )
            )
            continue
        if not isinstance(setting, str):
            values[name] = setting
            continue
        try:
            values[name] = _setting_value(setting)
        except ExpressionError as error:
            source = SourceText(f"--set {name}", setting)
            offset, length = error.span or (0, max(1, len(setting)))
            findings.append(
                Finding(
                    error.code,
                    str(error),
                    Place(source, 1, offset + 1, length),
                    help=error.help,
                )
            )
    return values


def _setting_value(setting: str) -> Value:
    """The value of a text after ``--set``: an expression, or a word as under `vars`."""
    expression = Expression(setting)
    if not expression.names:
        return expression.constant
    name, offset = next(iter(expression.names.items()))
    if name == setting:
        return setting
    raise ExpressionError(
        catalogue.UNKNOWN_VARIABLE,
        f"unknown variable `{name}`",
        (offset, len(name)),
        help="a setting is a number, a word or an expression without variables",
    )


def _in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Findings in the order of the text, those without a place first."""
    return sorted(findings, key=lambda f: (f.place.line, f.place.column) if f.place else (0, 0))
