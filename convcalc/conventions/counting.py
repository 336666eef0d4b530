"""Networks counted by a convention: layer by layer, in total, and against the multiply-adds."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import NamedTuple

from convcalc.analysis.cost import Analysis, LayerCost
from convcalc.conventions.declaration import Convention, Form, Rule, Term
from convcalc.conventions.quantities import INPUT, MACS, OUTPUT, normalizes_last, whole
from convcalc.conventions.written import Written, known_writing

__all__ = ["Counted", "LayerCount", "Part", "counted", "form_of", "rule_for", "usual_form"]


class LayerCount(NamedTuple):
    """A layer as a tool counts it."""

    name: str
    amount: int
    """For one sample."""
    rule: Rule | None
    """None: the tool has none, and counts nothing."""


class Part(NamedTuple):
    """A part of the difference between a tool's total and the multiply-adds."""

    kind: str
    """The layer kind; empty: of all kinds."""
    what: str
    amount: int
    """What it adds; below 0: what it leaves out."""


class Counted(NamedTuple):
    """A network as a tool counts it, for one sample."""

    convention: Convention
    total: int
    macs: int
    """What convcalc counts."""
    params: int
    layers: tuple[LayerCount, ...]
    """In the order of `Analysis.layers`."""
    parts: tuple[Part, ...]
    """What makes up total − macs, the largest first; nothing is in none, or in two."""

    @property
    def ratio(self) -> Fraction | None:
        """The total to the multiply-adds; None if there are none."""
        return Fraction(self.total, self.macs) if self.macs else None


_NO_MODULE = {"add": Form.OPERATOR, "mul": Form.OPERATOR, "matmul": Form.FUNCTION}
"""Kinds that PyTorch has no module for, and how one writes them; others count nothing anywhere."""


def form_of(layer: LayerCost, written: Iterable[Written]) -> Form:
    """How PyTorch code says what ``layer`` does: as said last in ``written``, or as is usual."""
    found = None
    for each in written:
        if each.fits(layer.kind, layer.name):
            found = each.form
    if found is not None:
        return found
    if layer.kind == "layer_norm" and not normalizes_last(layer):
        # PyTorch's module normalizes the last dimensions: one's own derives from it.
        return Form.SUBCLASS
    return usual_form(layer.kind)


def usual_form(kind: str) -> Form:
    """How layers of a kind are written in PyTorch unless there is a reason not to."""
    return _NO_MODULE.get(kind, Form.MODULE)


def rule_for(convention: Convention, layer: LayerCost, form: Form) -> Rule | None:
    """What the convention counts ``layer`` by; None: it has no rule for it."""
    for rule in convention.rules:
        if (
            layer.kind in rule.kinds
            and form in rule.forms
            and (rule.where is None or rule.where.holds(layer))
        ):
            return rule
    return None


def counted(analysis: Analysis, convention: Convention, written: Iterable[Written] = ()) -> Counted:
    """``analysis`` as ``convention`` counts it.

    ``written`` says how layers are written in PyTorch; what it says nothing of is as known of the
    design, or as usual.
    """
    written = (*known_writing(analysis.source), *written)
    known: dict[tuple[int, tuple[tuple[int, ...], ...], Form], tuple[Rule | None, int]] = {}
    layers: list[LayerCount] = []
    differences = _Differences()
    for layer in analysis.layers:
        form = form_of(layer, written)
        key = (id(layer.layer), layer.input_shapes, form)
        if key not in known:
            rule = rule_for(convention, layer, form)
            known[key] = (rule, 0 if rule is None else rule.formula.of(layer))
        rule, amount = known[key]
        layers.append(LayerCount(layer.name, amount, rule))
        differences.note(layer, rule)
    return Counted(
        convention,
        sum(layer.amount for layer in layers),
        analysis.macs,
        sum(
            layer.params
            for layer, found in zip(analysis.layers, layers, strict=True)
            if not convention.misses_params or found.rule is not None
        ),
        tuple(layers),
        differences.parts(),
    )


class _PartKey(NamedTuple):
    """What the amounts of a part have in common."""

    kind: str
    term: Term


class _Differences:
    """What layers add to the multiply-adds or leave out, summed up by kind and by what it is."""

    def __init__(self) -> None:
        self._amounts: dict[_PartKey, int] = {}
        self._uneven: set[_PartKey] = set()
        """Those with a layer whose input has not as many elements as its output."""

    def note(self, layer: LayerCost, rule: Rule | None) -> None:
        """Take in what a layer is counted by."""
        terms = () if rule is None else rule.formula.terms
        for term in terms:
            if term.quantity is MACS:
                self._add(_PartKey("", term), (term.times - 1) * layer.macs)
                continue
            key = _PartKey(layer.kind, term)
            if whole(layer.input_shapes[0]) != whole(layer.output_shape):
                self._uneven.add(key)
            self._add(key, term.times * term.quantity.of(layer))
        if all(quantity is not MACS for _, quantity in terms):
            self._add(_PartKey(layer.kind, Term(0, MACS)), -layer.macs)

    def _add(self, key: _PartKey, amount: int) -> None:
        self._amounts[key] = self._amounts.get(key, 0) + amount

    def parts(self) -> tuple[Part, ...]:
        """The parts, the largest first, whether added or left out."""
        found = [
            Part(key.kind, self._told(key), amount)
            for key, amount in self._amounts.items()
            if amount
        ]
        return tuple(sorted(found, key=lambda part: (-abs(part.amount), part.kind, part.what)))

    def _told(self, key: _PartKey) -> str:
        times, quantity = key.term
        if quantity is MACS:
            if times == 0:
                return f"{MACS.noun} left out"
            return "each multiply-add twice" if times == 2 else f"each multiply-add {times} times"
        if not quantity.is_counted:
            return quantity.noun
        is_even = quantity in {INPUT, OUTPUT} and key not in self._uneven
        return f"at {times} per {'element' if is_even else quantity.noun}"
