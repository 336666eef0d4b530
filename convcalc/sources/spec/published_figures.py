"""The part of the grammar about `published`: what others say that a network costs."""

from __future__ import annotations

import re
from collections.abc import Iterable
from fractions import Fraction
from typing import TYPE_CHECKING, Final

from convcalc.errors import catalogue, close_match, listed
from convcalc.graph import PublishedFigure
from convcalc.sources.spec.document import Variable
from convcalc.sources.yaml_nodes import (
    YamlMapping,
    YamlNode,
    YamlScalar,
    YamlSequence,
    described,
)

if TYPE_CHECKING:
    from convcalc.sources.spec.grammar import Grammar

__all__ = ["METRICS", "figure_bounds", "published_figures"]

METRICS: Final = ("params", "macs", "receptive_field")
"""The counts that papers publish."""

_FIGURE = re.compile(r"([0-9]{1,20})(?:\.([0-9]{1,9}))?\s*(k|K|Ki|M|Mi|G|Gi|B)?")
_UNITS: Final = {
    None: 1,
    "k": 10**3,
    "K": 10**3,
    "M": 10**6,
    "G": 10**9,
    "B": 10**9,
    "Ki": 2**10,
    "Mi": 2**20,
    "Gi": 2**30,
}


def figure_bounds(text: str) -> tuple[int, int] | None:
    """The least and the greatest count that a figure such as ``4.1G`` may stand for.

    A figure with a unit was rounded, to the nearest or (papers do both) down, to its last digit.
    None if ``text`` is not a figure.
    """
    match = _FIGURE.fullmatch(text.strip())
    if not match:
        return None
    whole, decimals, unit = match.groups()
    if unit is None:
        return (int(whole), int(whole)) if decimals is None else None
    last_digit = Fraction(_UNITS[unit], 10 ** len(decimals or ""))
    figure = int(whole + (decimals or "")) * last_digit
    return (figure - last_digit / 2).__ceil__(), (figure + last_digit).__ceil__() - 1


def published_figures(
    grammar: Grammar, root: YamlMapping, variants: dict[str, tuple[Variable, ...]]
) -> dict[str | None, tuple[PublishedFigure, ...]]:
    """`published`: one record or a list of them, for each variant if there are variants."""
    if "published" not in root.entries:
        return {}
    node = root.entries["published"][1]
    if not variants:
        return {None: records(grammar, node)}
    mapping = grammar.mapping(
        node, "`published`", "published: {resnet50: {params: 25.6M, from: a paper}}"
    )
    figures: dict[str | None, tuple[PublishedFigure, ...]] = {}
    for variant, (key, record) in mapping.entries.items() if mapping else ():
        if variant in variants:
            figures[variant] = records(grammar, record)
        else:
            close = close_match(variant, variants)
            grammar.report(
                catalogue.UNKNOWN_KEY,
                f"`published` has figures of `{variant}`, which is not under `variants`",
                key.place,
                f"did you mean `{close}`?" if close else f"there are {listed(variants)}",
            )
    return figures


def records(grammar: Grammar, node: YamlNode) -> tuple[PublishedFigure, ...]:
    """Published figures: a record, or a list of records."""
    if isinstance(node, YamlSequence):
        return tuple(figure for item in node.items for figure in records(grammar, item))
    record = grammar.mapping(node, "a record of `published`", "{params: 25.6M, from: a paper}")
    if record is None:
        return ()
    grammar.check_keys(record, (*METRICS, "from", "differs", "layers"), "a record of `published`")
    source = grammar.optional_text(record, "from")
    if "from" not in record.entries:
        grammar.report(
            catalogue.MISSING_KEY,
            "a record of `published` needs `from`: where its figures come from",
            record.place,
            "name the paper, the page or the library and its version",
        )
    differs = grammar.optional_text(record, "differs")
    found = list(figures(grammar, record, None))
    if "layers" in record.entries:
        groups = grammar.mapping(record.entries["layers"][1], "`layers`", "layers: {stem: {}}")
        for group, (_, group_node) in groups.entries.items() if groups else ():
            group_record = grammar.mapping(
                group_node, f"the figures of `{group}`", f"{group}: {{params: 9.4k}}"
            )
            if group_record:
                grammar.check_keys(group_record, METRICS, f"the figures of `{group}`")
                found += figures(grammar, group_record, group)
    return tuple(figure._replace(source=source or "", differs=differs) for figure in found)


def figures(grammar: Grammar, record: YamlMapping, group: str | None) -> Iterable[PublishedFigure]:
    """The figures of one record, their source yet to be filled in."""
    for metric in METRICS:
        if metric not in record.entries:
            continue
        node = record.entries[metric][1]
        bounds = (
            figure_bounds(node.text)
            if isinstance(node, YamlScalar) and not isinstance(node.value, bool)
            else None
        )
        if bounds is None or not isinstance(node, YamlScalar):
            grammar.report(
                catalogue.WRONG_TYPE,
                f"`{metric}` must be a count, not {described(node)}",
                node.place,
                "write 25557032, or a rounded figure with its unit: 25.6M, 4.1G, 112Ki",
            )
            continue
        yield PublishedFigure(metric, node.text, *bounds, "", group, node.place)
