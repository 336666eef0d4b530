"""The report of memory over time: what is live in each step, and what makes up the peak."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from convcalc.analysis.cost import Analysis
from convcalc.analysis.liveness import TensorLife
from convcalc.reports.analyze import (
    AUTO_DEPTH,
    Depth,
    capped,
    folded,
    held_in,
    order_lines,
    titled,
)
from convcalc.reports.figures import byte_size, percent, shape
from convcalc.reports.sheet import Column, Sheet

__all__ = ["memory_json", "memory_sheets"]

BAR: Final = 24
"""Characters of the bar of the peak."""
EIGHTHS: Final = " ▏▎▍▌▋▊▉█"
MOST_TENSORS: Final = 30
"""Tensors of the peak that a table lists; the rest is summed up."""


def memory_sheets(analysis: Analysis, *, depth: Depth = AUTO_DEPTH) -> tuple[Sheet, Sheet]:
    """The timeline of a network's memory, folded to ``depth``; and what its peak is made of."""
    return _timeline(analysis, depth), _peak(analysis)


def _timeline(analysis: Analysis, depth: Depth) -> Sheet:
    groups = folded(analysis, depth)
    first = len(analysis.inputs)
    live = {
        layer.name: analysis.liveness.steps[first + number]
        for number, layer in enumerate(analysis.layers)
    }
    allocated = {
        node_name(analysis, tensor.node): tensor.size for tensor in analysis.liveness.tensors
    }
    peak = analysis.peak
    rows: list[tuple[str, ...]] = []
    for group in groups:
        highest = max(group.layers, key=lambda layer: live[layer.name])
        is_peak = peak.step >= first and any(
            layer is analysis.layers[peak.step - first] for layer in group.layers
        )
        rows.append(
            (
                group.name,
                shape(group.output_shape),
                byte_size(allocated.get(highest.name, 0)),
                byte_size(live[highest.name]),
                bar(live[highest.name], peak.size) + (" ◀ peak" if is_peak else ""),
            )
        )
    is_folded = len(rows) < len(analysis.layers)
    if peak.step < first:
        rows.insert(0, ("start", "", "", byte_size(peak.size), bar(1, 1) + " ◀ peak"))
    rows, hidden = capped(rows) if depth == AUTO_DEPTH else (rows, None)
    return Sheet(
        title=titled(f"Memory of {analysis.name}", analysis),
        columns=(
            Column("Step", is_number=False, is_name=True),
            Column("Output", is_number=False, dropped=1),
            Column("Allocates"),
            Column("Live"),
            Column("", is_number=False),
        ),
        rows=tuple(rows),
        lines=(
            *([] if hidden is None else [hidden]),
            *(("Steps are folded: of a group the one with the most live memory.",) * is_folded),
            *order_lines(analysis),
        ),
    )


def _peak(analysis: Analysis) -> Sheet:
    peak, first = analysis.peak, len(analysis.inputs)
    tensors = sorted(analysis.liveness.live_in(peak.step), key=lambda t: (-t.size, t.first))
    shown, rest = tensors[:MOST_TENSORS], tensors[MOST_TENSORS:]
    rows = [
        (
            node_name(analysis, tensor.node),
            byte_size(tensor.size),
            percent(tensor.size, peak.size),
            *_life(analysis, tensor),
        )
        for tensor in shown
    ]
    if rest:
        size = sum(tensor.size for tensor in rest)
        rows.append((f"{len(rest)} more", byte_size(size), percent(size, peak.size), "", ""))
    where = f"at {node_name(analysis, peak.step)}" if peak.step >= first else "at the start"
    return Sheet(
        title=f"The peak, {byte_size(peak.size)} {where}",
        columns=(
            Column("Tensor of", is_number=False, is_name=True),
            Column("Bytes"),
            Column("%"),
            Column("Written by", is_number=False, dropped=2),
            Column("Last read by", is_number=False, dropped=1),
        ),
        rows=tuple(rows),
        lines=(
            f"Inference: weights {byte_size(analysis.weight_bytes)} + peak activations "
            f"{byte_size(peak.size)} = {byte_size(analysis.inference_bytes)}.",
            _training_line(analysis),
            "A tensor lives from the step that writes it through the last that reads it; views "
            "own nothing; a step's inputs and output both count. "
            f"Batch {analysis.batch}, {held_in(analysis.dtypes)}.",
        ),
    )


def _life(analysis: Analysis, tensor: TensorLife) -> tuple[str, str]:
    """The layers that write a tensor first and read it last."""
    nodes = len(analysis.inputs) + len(analysis.layers)
    written = "" if tensor.node < len(analysis.inputs) else node_name(analysis, tensor.first)
    if tensor.last == nodes:
        return written, "kept to the end"
    is_read = tensor.last > tensor.node
    return written, node_name(analysis, tensor.last) if is_read else "no one"


def _training_line(analysis: Analysis) -> str:
    training = analysis.training
    by_kind = ", ".join(f"{kind} {byte_size(size)}" for kind, size in kept_by_kind(analysis))
    state = (
        f" + state of {training.optimizer} {byte_size(training.optimizer_state)}"
        if training.optimizer_state
        else ""
    )
    return (
        f"Training: kept for the backward pass {byte_size(training.kept.size)}"
        + (f" ({by_kind})" if by_kind else "")
        + f" + weights {byte_size(training.weights)} + gradients {byte_size(training.gradients)}"
        + f"{state} = {byte_size(training.size)}."
    )


def kept_by_kind(analysis: Analysis) -> list[tuple[str, int]]:
    """Bytes kept for the backward pass by the kind of layer that needs them first, most first."""
    sizes: dict[str, int] = {}
    kept = analysis.training.kept.of_nodes[len(analysis.inputs) :]
    for layer, size in zip(analysis.layers, kept, strict=True):
        if size:
            sizes[layer.kind] = sizes.get(layer.kind, 0) + size
    return sorted(sizes.items(), key=lambda item: -item[1])


def bar(size: int, most: int) -> str:
    """A bar as long as ``size`` is of ``most``, to an eighth of a character."""
    if not most:
        return ""
    eighths = size * BAR * 8 // most
    return EIGHTHS[8] * (eighths // 8) + EIGHTHS[eighths % 8].strip()


def node_name(analysis: Analysis, position: int) -> str:
    """The name of a node by its position, which counts the inputs first."""
    inputs = analysis.inputs
    if position < len(inputs):
        return inputs[position][0]
    return analysis.layers[position - len(inputs)].name


def memory_json(analysis: Analysis) -> dict[str, object]:
    """The timeline with the live tensors of each step, and what training holds."""
    liveness, training = analysis.liveness, analysis.training
    first = len(analysis.inputs)
    order = analysis.order
    return {
        "in_place": analysis.in_place,
        "order": None
        if order is None
        else {
            "given_peak_bytes": order.given,
            "peak_bytes": order.peak,
            "is_exact": order.is_exact,
            "layers": [layer.name for layer in analysis.layers],
        },
        "peak": {
            "bytes": analysis.peak.size,
            "layer": node_name(analysis, analysis.peak.step)
            if analysis.peak.step >= first
            else None,
            "live": [
                {"tensor": node_name(analysis, tensor.node), "bytes": tensor.size}
                for tensor in liveness.live_in(analysis.peak.step)
            ],
        },
        "steps": _steps(analysis),
        "training": {
            "kept_bytes": training.kept.size,
            "kept_by_kind": dict(kept_by_kind(analysis)),
            "weight_bytes": training.weights,
            "gradient_bytes": training.gradients,
            "optimizer": training.optimizer,
            "optimizer_bytes": training.optimizer_state,
        },
    }


def _steps(analysis: Analysis) -> Iterator[dict[str, object]]:
    """What is live in the step of each layer."""
    liveness = analysis.liveness
    first = len(analysis.inputs)
    opening: dict[int, list[TensorLife]] = {}
    for tensor in liveness.tensors:
        opening.setdefault(tensor.first, []).append(tensor)
    live: list[TensorLife] = [t for t in liveness.tensors if t.node < first]
    for position in range(first, first + len(analysis.layers)):
        live = [t for t in live if t.last >= position]
        live += [t for t in opening.get(position, ()) if t.node >= first]
        yield {
            "layer": node_name(analysis, position),
            "live_bytes": liveness.steps[position],
            "live": [node_name(analysis, tensor.node) for tensor in live],
        }
