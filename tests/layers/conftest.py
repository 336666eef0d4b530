"""What the tests of layer kinds share: a layer run on input shapes, or refused by them."""

from collections import Counter
from typing import NamedTuple

import pytest

from convcalc.errors import Finding
from convcalc.layers import Layer
from convcalc.layers.declaration import Operations, Shape, Window


class Run(NamedTuple):
    output: Shape
    weights: dict[str, Shape]
    buffers: dict[str, Shape]
    operations: Operations
    windows: tuple[Window, ...] | None


@pytest.fixture
def run_layer():
    """Everything that a layer says of inputs that it can run on."""

    def ran(layer: Layer, *inputs: Shape) -> Run:
        assert list(layer.check(inputs)) == []
        output = layer.output(inputs)
        return Run(
            output,
            dict(layer.weights(inputs)),
            dict(layer.buffers(inputs)),
            layer.operations(inputs, output),
            layer.windows(inputs),
        )

    return ran


@pytest.fixture
def refusal():
    """The one thing that stands against running a layer on inputs."""

    def refused(layer: Layer, *inputs: Shape) -> Finding:
        [finding] = layer.check(inputs)
        return finding

    return refused


class Counted:
    """A number that counts what is done with it; a change of sign costs nothing."""

    def __init__(self, value: float, counts: Counter[str]):
        self.value = value
        self.counts = counts

    def _result(self, sort: str, value: float) -> "Counted":
        self.counts[sort] += 1
        return Counted(value, self.counts)

    def __add__(self, other):
        return self._result("adds", self.value + _value(other))

    __radd__ = __add__

    def __sub__(self, other):
        return self._result("adds", self.value - _value(other))

    def __mul__(self, other):
        return self._result("multiplies", self.value * _value(other))

    __rmul__ = __mul__

    def __truediv__(self, other):
        return self._result("divides", self.value / _value(other))

    def __rtruediv__(self, other):
        return self._result("divides", _value(other) / self.value)

    def __neg__(self):
        return Counted(-self.value, self.counts)

    def __gt__(self, other):
        self.counts["comparisons"] += 1
        return self.value > _value(other)

    def at_least(self, other):
        """The larger of the two."""
        return self._result("comparisons", max(self.value, _value(other)))

    def at_most(self, other):
        """The smaller of the two."""
        return self._result("comparisons", min(self.value, _value(other)))

    def function(self, f):
        """A transcendental function of it, or a root or power."""
        return self._result("exponentials", f(self.value))


def _value(number: "Counted | float") -> float:
    return number.value if isinstance(number, Counted) else number


class Counts:
    """Makes numbers that count, and knows what was counted."""

    def __init__(self) -> None:
        self.counter: Counter[str] = Counter()

    def numbers(self, *values: float) -> list[Counted]:
        return [Counted(value, self.counter) for value in values]

    @property
    def operations(self) -> Operations:
        return Operations(**self.counter)


@pytest.fixture
def counts():
    """What is done with numbers, counted one by one."""
    return Counts()
