"""Formulas for other documents: functions of Python, and LaTeX."""

from __future__ import annotations

import builtins
import re
from collections.abc import Iterator, Sequence
from keyword import iskeyword
from typing import Final

from convcalc.algebra import Polynomial
from convcalc.algebra.conditions import Condition
from convcalc.algebra.notation import latex, python_function
from convcalc.analysis.formulas import Formula
from convcalc.analysis.freed_costs import FreedCosts
from convcalc.reports.formula import (
    NetworkReport,
    alike_layers,
    bytes_or_count,
    conditions,
    inputs_line,
    layer_metrics,
)

__all__ = ["latex_text", "python_module"]

_RELATIONS: Final = {"==": "=", "!=": r"\ne", ">=": r"\ge", "<=": r"\le"}


def python_module(networks: Sequence[NetworkReport], version: str) -> str:
    """A function for each network of what is free, in a module that needs nothing else.

    It returns the value of the metric that was asked for; of several a dictionary by their keys.
    With layers there is a second function, ``…_layers``, with keys such as ``conv1.macs``.
    """
    taken: set[str] = set()
    functions = [f'"""Costs of networks as functions of their sizes, by convcalc {version}."""\n']
    for network in networks:
        costs = network.costs
        name = _function_name(costs, taken)
        about = ". ".join(
            ["What it costs: " + inputs_line(costs), *(each[:-1] for each in conditions(costs))]
        )
        functions.append(_function(name, costs, list(costs.formulas.totals), f"{about}."))
        if network.has_layers:
            of_layers = [
                (f"{layer.name}.{each.key}", layer.value(each.key))
                for layer in costs.formulas.layers
                for each in layer_metrics(costs)
            ]
            functions.append(_function(f"{name}_layers", costs, of_layers, f"{about}, by layer."))
    return "\n\n".join(functions)


def _function(name: str, costs: FreedCosts, formulas: list[tuple[str, Formula]], about: str) -> str:
    # In what is free, and not in the symbols that assumptions bring: the quotients are exact.
    restored = [
        (key, numerator // denominator)
        for key, formula in formulas
        for numerator, denominator in (costs.assumptions.restored(formula),)
    ]
    # What has a fixed value, or that of another, is no argument.
    stands: dict[Formula, str] = {}
    fixed = {
        each
        for each, value in costs.assumptions.values
        if isinstance(value, int)
        or not value.symbols.isdisjoint(costs.names)
        or stands.setdefault(value, each) != each
    }
    arguments = [each for each in costs.names if each not in fixed]
    checks = (
        *(check for each in arguments for check in _assumed(each, costs)),
        *(condition.python() for condition in costs.conditions),
    )
    return python_function(name, restored, arguments, about=about, checks=checks)


def _assumed(name: str, costs: FreedCosts) -> Iterator[str]:
    """What is assumed of an argument, which is m·h + c for an h of at least 1."""
    value = dict(costs.assumptions.values).get(name)
    if not isinstance(value, Polynomial):
        return
    [(_, modulus), *constant] = value.terms()
    first = modulus + sum(c for _, c in constant)
    if modulus > 1:
        yield f"{name} % {modulus} == {first % modulus}"
    if first > (first % modulus or modulus):
        yield f"{name} >= {first}"


def _function_name(costs: FreedCosts, taken: set[str]) -> str:
    """The network's name as Python can have it."""
    name = re.sub(r"\W+", "_", costs.formulas.name).strip("_") or "network"
    # Annotations of the functions below it mean the built-in.
    if name[0].isdigit() or iskeyword(name) or hasattr(builtins, name):
        name = f"network_{name}"
    unique, number = name, 1
    while unique in taken or unique in costs.names:
        number += 1
        unique = f"{name}_{number}"
    taken |= {unique, f"{unique}_layers"}
    return unique


def latex_text(networks: Sequence[NetworkReport]) -> str:
    """An ``align*`` of amsmath for each network, and for its layers if asked for."""
    return "\n".join("\n".join(_aligned(network)) + "\n" for network in networks)


def _aligned(network: NetworkReport) -> Iterator[str]:
    costs = network.costs
    for line in (inputs_line(costs), *conditions(costs)):
        yield f"% {line}"
    yield r"\begin{align*}"
    rows = [(bytes_or_count(key), formula) for key, formula in costs.formulas.totals]
    if costs.assumptions.values:
        rows = [*rows, *costs.assumptions.values]
    *others, last = _rows(rows)
    only_if = [rf"\text{{only if }} & {_latex_condition(each)}" for each in costs.conditions]
    yield from others
    yield last + (r" \\" if only_if else "")
    for number, line in enumerate(only_if, start=1):
        yield line + (r" \\" if number < len(only_if) else "")
    yield r"\end{align*}"
    if network.has_layers:
        for alike in alike_layers(costs):
            yield f"% {alike.title(costs)}"
            yield r"\begin{align*}"
            yield from _rows(
                [
                    (bytes_or_count(each.key), alike.layers[0].value(each.key))
                    for each in layer_metrics(costs)
                ]
            )
            yield r"\end{align*}"


def _latex_condition(condition: Condition) -> str:
    return r" \text{ or } ".join(
        r" \text{ and } ".join(
            (
                latex(one.left)
                if one.modulus is None
                else rf"{_one_factor(one.left)} \bmod {_one_factor(one.modulus)}"
            )
            + f" {_RELATIONS[one.relation]} {latex(one.right)}"
            for one in alternative
        )
        for alternative in condition.alternatives
    )


def _one_factor(formula: Formula) -> str:
    is_sum = isinstance(formula, Polynomial) and len(list(formula.terms())) > 1
    return rf"\left({latex(formula)}\right)" if is_sum else latex(formula)


def _rows(rows: Sequence[tuple[str, Formula]]) -> Iterator[str]:
    for number, (title, formula) in enumerate(rows, start=1):
        escaped = title.replace("_", r"\_")
        yield rf"\text{{{escaped}}} &= {latex(formula)}" + (r" \\" if number < len(rows) else "")
