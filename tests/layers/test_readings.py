"""Every formula of every kind, read three ways on thousands of random layers: all come to the same.

As integers; as polynomials, whose symbols are then given their values; and as numbers that show
their derivation, whose texts are read as a person reads them. A kind that `random_layers` has no
generator for fails.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from printed_formulas import read
from random_layers import DRAWS, layers_of

from convcalc.algebra import Polynomial, Shown, UndecidableError, symbol
from convcalc.layers import Layer, all_kinds
from convcalc.layers.window import SlidingWindow

RUNS = 60
"""Layers of each kind that are read; of those with windows ten times as many."""

GUESSED = {("reshape", "windows")}
"""What a kind takes to hold where free symbols leave it open: here that all axes stay."""


def layers_to_read(kind: str) -> Iterator[tuple[Layer, tuple[tuple[int, ...], ...]]]:
    return layers_of(kind, RUNS * (10 if issubclass(all_kinds()[kind], SlidingWindow) else 1))


# -- the three readings ---------------------------------------------------------------------------


def said_by(layer: Layer, inputs: tuple) -> dict[str, object]:
    """Everything that a layer's formulas say."""
    output = layer.output(inputs)
    operations = layer.operations(inputs, output)
    return {
        "output": output,
        "weights": layer.weights(inputs),
        "buffers": layer.buffers(inputs),
        "operations": operations,
        "flops": operations.flops,
        "kept": layer.kept_for_backward(inputs, output),
        "windows": layer.windows(inputs),
        "padding": layer.paddings_of_same(inputs) if isinstance(layer, SlidingWindow) else (),
    }


def changed(value: object, change: Callable[[object], object]) -> object:
    """A value with its numbers changed, within tuples and records too."""
    if isinstance(value, tuple):
        parts = [changed(part, change) for part in value]
        return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
    return change(value)


def with_fields(layer: Layer, change: Callable[[str, object], object]) -> Layer:
    """A copy whose fields with a symbol are changed."""
    return type(layer)(
        **{
            each.name: change(each.name, getattr(layer, each.name))
            if each.symbol
            else getattr(layer, each.name)
            for each in layer.declarations
        }
    )


def as_polynomials(layer: Layer, shapes: tuple) -> tuple[dict[str, object], dict[str, int]]:
    """What the formulas say of free symbols, one for each number from 2, and their values.

    What comparisons leave open gets its value: the error says which symbols decide it.
    """
    fixed: frozenset[str] = frozenset()
    while True:
        values: dict[str, int] = {}

        def free(value: object, values=values, fixed=fixed) -> object:
            name = f"x{value}"
            if type(value) is not int or value < 2 or name in fixed:
                return value
            values[name] = value
            return symbol(name)

        try:
            freed = with_fields(layer, lambda _, value, free=free: changed(value, free))
            return said_by(freed, changed(shapes, free)), values
        except UndecidableError as error:
            if error.symbols <= fixed:  # would go on for ever
                raise
            fixed |= error.symbols


def numbers_in(value: object) -> Iterator[object]:
    if isinstance(value, tuple | dict):
        for part in value.values() if isinstance(value, dict) else value:
            yield from numbers_in(part)
    else:
        yield value


def test_every_kind_has_a_generator():
    assert set(DRAWS) == set(all_kinds())


@pytest.mark.parametrize("kind", all_kinds())
def test_polynomials_come_to_what_integers_do(kind):
    free_runs = 0
    for layer, shapes in layers_to_read(kind):
        expected = said_by(layer, shapes)
        found, values = as_polynomials(layer, shapes)

        def at(value: object, values=values) -> object:
            return value.evaluate(values) if isinstance(value, Polynomial) else value

        for name, said in expected.items():
            if (kind, name) not in GUESSED:
                assert changed(found[name], at) == said, (name, layer, shapes)
        free_runs += bool(values)
    assert free_runs > RUNS // 2


@pytest.mark.parametrize("kind", all_kinds())
def test_derivations_come_to_what_integers_do_and_read_so(kind):
    for layer, shapes in layers_to_read(kind):
        values: dict[str, int] = {}

        def shown(value: object, stem: str, values=values) -> object:
            if type(value) is not int:
                return value
            name = f"{stem}_{len(values)}"
            values[name] = value
            return Shown(value, name)

        a_layer = with_fields(
            layer, lambda name, value, shown=shown: changed(value, lambda one: shown(one, name))
        )
        inputs = changed(shapes, lambda one, shown=shown: shown(one, "n"))
        expected, found = said_by(layer, shapes), said_by(a_layer, inputs)
        for name, said in expected.items():
            plain = changed(found[name], lambda one: one.value if isinstance(one, Shown) else one)
            assert plain == said, (name, layer, shapes)
        for number in numbers_in(found):
            if isinstance(number, Shown):
                assert read(number.formula, values) == number.value, (number, layer, shapes)
                assert read(number.substituted, {}) == number.value, (number, layer, shapes)
