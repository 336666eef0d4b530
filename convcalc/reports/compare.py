"""The report of several networks side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import Final

from convcalc.analysis.comparison import (
    Change,
    Comparison,
    Mark,
    aligned_names,
    changes,
    is_alike,
)
from convcalc.analysis.cost import Analysis
from convcalc.analysis.grouping import READABLE_ROWS, GroupCost, groups_at
from convcalc.analysis.metrics import value_of
from convcalc.metrics import METRICS, metric
from convcalc.reports.analyze import (
    AUTO_DEPTH,
    IN_PLACE_LINE,
    UNALIGNED_LINE,
    Depth,
    capped,
    definitions,
    field_size,
    order_lines,
    set_variables,
)
from convcalc.reports.figures import amount, count, ratio, shape
from convcalc.reports.sheet import Column, Sheet

__all__ = [
    "SUMMARY_METRICS",
    "changes_sheet",
    "comparison_sheet",
    "layers_sheet",
    "signed_count",
    "verdicts",
]

SUMMARY_METRICS: Final = (
    "params",
    "macs",
    "flops",
    "activation_elements",
    "activation_bytes",
    "peak_activation_bytes",
    "weight_bytes",
    "inference_bytes",
    "training_bytes",
)


SIDE_BY_SIDE: Final = 4
"""Networks that fit beside each other; more stand below each other."""


ROW_METRICS: Final = {
    "params": 0,
    "macs": 0,
    "activation_bytes": 4,
    "peak_activation_bytes": 2,
    "weight_bytes": 8,
    "training_bytes": 9,
}
"""The metrics of networks below each other, and when there is no room for them."""


FACTS: Final[dict[str, Callable[[Analysis], str]]] = {
    "Input": lambda network: ", ".join(shape(sizes) for _, sizes in network.inputs),
    "Output": lambda network: ", ".join(shape(sizes) for _, sizes in network.outputs),
    "Layers": lambda network: count(len(network.layers)),
    "Receptive field": lambda network: field_size(network.receptive_field),
}
"""What is said of a network beside its metrics, by title."""


def comparison_sheet(comparison: Comparison) -> Sheet:
    """All networks with their metrics, and the ratio of each metric to the reference's."""
    if len(comparison.networks) > SIDE_BY_SIDE:
        return _networks_as_rows(comparison)
    return _networks_as_columns(comparison)


def _networks_as_rows(comparison: Comparison) -> Sheet:
    reference = comparison.networks[comparison.reference]
    columns = [
        Column("Network", is_number=False, is_name=True),
        *(
            Column(title, is_number=title not in ("Input", "Output"), dropped=dropped)
            for title, dropped in zip(FACTS, (6, 5, 7, 3), strict=True)
        ),
    ]
    for key, dropped in ROW_METRICS.items():
        columns += [Column(metric(key).title, dropped=dropped), Column("ratio", dropped=dropped)]

    def cells(network: Analysis) -> Iterator[str]:
        yield network.name
        yield from (fact(network) for fact in FACTS.values())
        for key in ROW_METRICS:
            yield amount(value_of(key, network), metric(key).unit)
            yield "" if network is reference else ratio(comparison.ratio(key, network))

    return Sheet(
        title=" · ".join(("Comparison with " + reference.name, *set_variables(reference))),
        columns=tuple(columns),
        rows=tuple(tuple(cells(network)) for network in comparison.networks),
        lines=(
            f"Ratios are to {reference.name}; `--reference` names another.",
            *_notes(comparison),
            definitions("each for its input", reference.batch, reference.dtypes),
        ),
    )


def _networks_as_columns(comparison: Comparison) -> Sheet:
    columns = [Column("", is_number=False)]
    reference = comparison.networks[comparison.reference]
    for network in comparison.networks:
        columns.append(Column(network.name, is_name=True))
        if network is not reference:
            columns.append(Column("ratio"))
    rows: list[tuple[str, ...]] = []

    def add(title: str, cells: Callable[[Analysis], str], key: str | None = None) -> None:
        row = [title]
        for network in comparison.networks:
            row.append(cells(network))
            if network is not reference:
                row.append(ratio(comparison.ratio(key, network)) if key else "")
        rows.append(tuple(row))

    *before, last = FACTS
    for title in before:
        add(title, FACTS[title])
    for key in SUMMARY_METRICS:
        title, unit = metric(key).title, metric(key).unit
        add(title, lambda n, key=key, unit=unit: amount(value_of(key, n), unit), key)  # type: ignore[misc]
    add(last, FACTS[last])
    return Sheet(
        title=" · ".join(("Comparison with " + reference.name, *set_variables(reference))),
        columns=tuple(columns),
        rows=tuple(rows),
        lines=(
            *verdicts(comparison),
            *_notes(comparison),
            definitions("one input as above", reference.batch, reference.dtypes),
        ),
    )


def _notes(comparison: Comparison) -> Iterator[str]:
    optimizer = comparison.networks[0].training.optimizer
    if optimizer != "sgd":
        yield f"Training memory is with the state of {optimizer}."
    for network in comparison.networks:
        for line in order_lines(network):
            # In place is said once, an order of each network.
            if network.order is not None and line != IN_PLACE_LINE:
                yield f"{network.name}: {line}"
            elif network is comparison.networks[0]:
                yield line
    if not all(network.receptive_field.aligned for network in comparison.networks):
        yield UNALIGNED_LINE


def verdicts(comparison: Comparison) -> Iterator[str]:
    """For each network what it takes more or fewer of than the reference, in a sentence."""
    reference = comparison.networks[comparison.reference]
    nouns = {"macs": "multiply-adds", "params": "parameters"}
    for network in comparison.networks:
        if network is reference:
            continue
        same = [n for key, n in nouns.items() if value_of(key, network) == value_of(key, reference)]
        differing = [
            _versus(value_of(key, network), value_of(key, reference), noun)
            for key, noun in nouns.items()
            if noun not in same
        ]
        if not differing:
            says = f"as many {' and '.join(same)} as {reference.name}"
        elif not same:
            says = f"{' and '.join(differing)} than {reference.name}"
        else:
            says = f"{differing[0]} than {reference.name}, and as many {same[0]}"
        yield f"{network.name} uses {says}."


def _versus(value: int, base: int, noun: str) -> str:
    """``3.15× fewer multiply-adds``; the difference itself where the factor would not show it."""
    word = "more" if value > base else "fewer"
    least, most = sorted((value, base))
    factor = ratio(Fraction(most, least)) if least else ""
    return f"{count(most - least) if factor in ('', '1.00×') else factor} {word} {noun}"


def layers_sheet(comparison: Comparison, *, depth: Depth = AUTO_DEPTH) -> Sheet:
    """Networks layer by layer, aligned by name: multiply-adds and parameters of each."""
    folded = _folded(comparison.networks, depth)
    names = aligned_names(folded)
    by_name = [{group.name: group for group in groups} for groups in folded]
    columns = [Column("Layer", is_number=False, is_name=True), Column("", is_number=False)]
    columns += [Column(f"{network.name} macs") for network in comparison.networks]
    columns += [Column(f"{network.name} params") for network in comparison.networks]
    reference = comparison.reference
    rows = []
    for name in names:
        groups = [groups.get(name) for groups in by_name]
        rows.append(
            (
                name,
                _change(groups, reference),
                *(_cell(group, "macs") for group in groups),
                *(_cell(group, "params") for group in groups),
            )
        )
    totals = (
        "Total",
        "",
        *(count(network.macs) for network in comparison.networks),
        *(count(network.params) for network in comparison.networks),
    )
    return Sheet(
        title="Layers, aligned by name",
        columns=tuple(columns),
        rows=tuple(rows),
        totals=(totals,),
        lines=(
            f"~ differs, + not in {comparison.networks[reference].name}, - only there",
            *verdicts(comparison),
        ),
    )


def _folded(networks: tuple[Analysis, ...], depth: Depth) -> tuple[tuple[GroupCost, ...], ...]:
    if depth != AUTO_DEPTH:
        return tuple(groups_at(network, depth) for network in networks)  # type: ignore[arg-type]
    deepest = 1 + max(
        (layer.name.count(".") for network in networks for layer in network.layers), default=0
    )
    chosen = tuple(groups_at(network, 1) for network in networks)
    for level in range(2, deepest + 1):
        folded = tuple(groups_at(network, level) for network in networks)
        if len(aligned_names(folded)) > READABLE_ROWS:
            break
        chosen = folded
    return chosen


def _change(groups: list[GroupCost | None], reference: int) -> str:
    base = groups[reference]
    others = [group for n, group in enumerate(groups) if n != reference]
    if base is None:
        return Mark.ADDED.value
    if all(group is None for group in others):
        return Mark.REMOVED.value
    same = all(group is not None and is_alike(group, base) for group in others)
    return "" if same else Mark.CHANGED.value


def _cell(group: GroupCost | None, key: str) -> str:
    return "–" if group is None else count(value_of(key, group.cost))


# -- what has changed -----------------------------------------------------------------------------

CHANGE_COLUMNS: Final = (
    Column("Layer", is_number=False, is_name=True),
    Column("Kind", is_number=False, dropped=2),
    Column("Output", is_number=False, dropped=3),
    Column("macs before", dropped=1),
    Column("macs now"),
    Column("difference"),
    Column("params before", dropped=1),
    Column("params now"),
    Column("difference"),
)


def changes_sheet(before: Analysis, after: Analysis, *, depth: Depth = AUTO_DEPTH) -> Sheet:
    """The layers of a network that are not what they were: what they cost before and now."""
    of_layers = changes(before.layers, after.layers)
    folded = _folded_changes(before, after, depth)
    rows = [_change_row(change) for change in folded]
    lines = [_tally(of_layers)]
    hidden = None
    if depth == AUTO_DEPTH:
        rows, hidden = capped(rows)
    if hidden is not None:
        lines.append(hidden)
    elif depth == AUTO_DEPTH and len(rows) < len(of_layers):
        lines.append("Layers are folded into groups; `--depth all` shows every layer.")
    lines += _elsewhere(folded)
    return Sheet(
        title=f"What changed from {before.name} to {after.name}",
        columns=CHANGE_COLUMNS,
        rows=tuple(rows),
        totals=(
            (
                "Total",
                "",
                "",
                *_before_and_now(before.macs, after.macs),
                *_before_and_now(before.params, after.params),
            ),
        ),
        lines=tuple(lines),
    )


def signed_count(number: int) -> str:
    """``+1,234``; a difference of nothing is 0."""
    return f"{number:+,}" if number else "0"


def _folded_changes(before: Analysis, after: Analysis, depth: Depth) -> Sequence[Change]:
    def at(level: int | None) -> Sequence[Change]:
        return changes(groups_at(before, level), groups_at(after, level))

    if depth != AUTO_DEPTH:
        return at(depth)  # type: ignore[arg-type]
    found = at(None)
    if len(found) <= READABLE_ROWS:
        return found
    deepest = 1 + max(change.name.count(".") for change in found)
    chosen = at(1)
    for level in range(2, deepest):
        found = at(level)
        if len(found) > READABLE_ROWS:
            break
        chosen = found
    return chosen


def _change_row(change: Change) -> tuple[str, ...]:
    before, after = change.before, change.after

    def cells(key: str) -> Iterator[str]:
        yield "–" if before is None else count(value_of(key, before.cost))
        yield "–" if after is None else count(value_of(key, after.cost))
        yield signed_count(change.difference(key))

    sides = [side for side in (before, after) if side is not None]
    return (
        f"{change.mark.value} {change.name}",
        # Twice the same is said once.
        " → ".join(dict.fromkeys(side.kind for side in sides)),
        " → ".join(dict.fromkeys(shape(side.output_shape) for side in sides)),
        *cells("macs"),
        *cells("params"),
    )


def _before_and_now(before: int, after: int) -> tuple[str, str, str]:
    return count(before), count(after), signed_count(after - before)


def _tally(found: Sequence[Change]) -> str:
    if not found:
        return "No layer has changed in kind, output or cost."
    marks = [change.mark for change in found]
    changed, added, removed = (
        marks.count(mark) for mark in (Mark.CHANGED, Mark.ADDED, Mark.REMOVED)
    )
    return (
        f"{count(changed)} layer{'' if changed == 1 else 's'} changed, {count(added)} added, "
        f"{count(removed)} removed; the others are as they were."
    )


def _elsewhere(found: Sequence[Change]) -> Iterator[str]:
    """What differs in rows where nothing that the table shows does."""
    keys = [each.key for each in METRICS if each.of_layers]
    differing: set[str] = set()
    for change in found:
        before, after = change.before, change.after
        if before is None or after is None:
            continue
        if (before.kind, before.output_shape) != (after.kind, after.output_shape):
            continue
        own = {key for key in keys if change.difference(key)}
        if not own & {"macs", "params"}:
            differing |= own
    if differing:
        nouns = ", ".join(metric(key).noun for key in keys if key in differing)
        yield f"Where a row shows no difference, there is one in {nouns}."
