"""The bytes that layers move, what they compute for each, and how long that takes at the least.

A layer by itself reads its inputs and its weights, and writes its output, each once. Its arithmetic
intensity is its multiply-adds per byte moved. On a device with a peak of P multiply-adds and B
bytes per second it takes at least max(macs / P, bytes / B) seconds, the roofline of Williams,
Waterman and Patterson (2009, https://doi.org/10.1145/1498765.1498785). Which of the two is larger
tells what it is bound by: the ridge is at an intensity of P / B.

Not counted is what caches, and layers run as one, spare a device: the time is a lower bound for
layers that run one after the other and leave their outputs in memory. Nor is what a layer moves
more than it must, what it holds inside (the scores of attention), or what it computes beside its
multiply-adds. An input counts whole, even if a stride passes over parts of it.
"""

from __future__ import annotations

from enum import Enum
from fractions import Fraction
from typing import NamedTuple, cast

from convcalc.algebra import product
from convcalc.analysis.cost import Analysis, LayerCost, collector_paused
from convcalc.analysis.devices import Device
from convcalc.analysis.dtypes import Dtypes, bytes_of
from convcalc.layers.declaration import Memory, elements

__all__ = [
    "Bound",
    "LayerTime",
    "Roofline",
    "Traffic",
    "intensity",
    "reuse",
    "roofline",
    "traffic",
]


class Traffic(NamedTuple):
    """Bytes that a layer, or several together, move for the batch."""

    read_bytes: int
    """Of each input tensor, weight tensor and buffer, once."""
    written_bytes: int
    """Of the output."""

    @property
    def moved_bytes(self) -> int:
        """Read and written together."""
        return self.read_bytes + self.written_bytes


def traffic(layer: LayerCost, *, batch: int, dtypes: Dtypes) -> Traffic:
    """The bytes that ``layer`` moves for ``batch`` samples held in ``dtypes``; a view moves none.

    An input that is read twice (``x · x``) counts once. Weights and buffers do not grow with the
    batch; those shared with another layer are read by both.
    """
    if layer.layer.memory is Memory.VIEW:
        return Traffic(0, 0)
    read = 0
    for tensor in (*layer.weights, *layer.buffer_tensors):
        read += bytes_of(cast("int", product(tensor.shape)), dtypes.weights)
    for shape in dict(zip(layer.inputs, layer.input_shapes, strict=True)).values():
        read += bytes_of(cast("int", product(shape)) * batch, dtypes.activations)
    written = cast("int", product(layer.output_shape)) * batch
    return Traffic(read, bytes_of(written, dtypes.activations))


def intensity(macs: int, moved: Traffic, *, batch: int) -> Fraction | None:
    """Arithmetic intensity: ``macs`` of one sample, times ``batch``, per byte moved for the batch.

    None where nothing is moved.
    """
    return Fraction(macs * batch, moved.moved_bytes) if moved.moved_bytes else None


def reuse(*layers: LayerCost) -> Fraction | None:
    """The degree of weight sharing: multiply-adds of one sample per parameter that they are with.

    A linear layer without bias has 1, a convolution without bias as many as its output has
    positions. Parameters shared with another layer count too, those that several of ``layers`` use
    once. None where there are none.
    """
    parameters = {
        layer.shares_weights_with or layer.name: elements(layer.weights) for layer in layers
    }
    count = sum(cast("int", number) for number in parameters.values())
    return Fraction(sum(layer.macs for layer in layers), count) if count else None


class Bound(Enum):
    """What a layer's time is bound by."""

    COMPUTE = "compute"
    """Its multiply-adds take as long as moving its bytes, or longer."""
    MEMORY = "memory"


class LayerTime(NamedTuple):
    """How long a layer takes for the batch, at the least."""

    name: str
    macs: int
    """Multiply-adds for the batch."""
    traffic: Traffic
    bound: Bound | None
    """None for a view, which takes no time."""
    time: Fraction
    """Seconds."""
    share: Fraction
    """Of the network's time; 0 if that is 0."""


class Roofline(NamedTuple):
    """How long a network takes on a device for the batch, at the least."""

    device: Device
    layers: tuple[LayerTime, ...]
    """In the order of `Analysis.layers`."""
    traffic: Traffic
    """The sum over the layers."""
    time: Fraction
    """Seconds: the sum over the layers."""
    memory_time: Fraction
    """Seconds in layers that are bound by memory."""

    @property
    def memory_share(self) -> Fraction:
        """The part of the time that is in layers bound by memory; 0 if there is no time."""
        return self.memory_time / self.time if self.time else Fraction(0)


def roofline(analysis: Analysis, device: Device) -> Roofline:
    """How long the layers of ``analysis`` take on ``device``, one after the other, at the least.

    Raises ValueError if the device computes or moves nothing.
    """
    if device.peak_macs < 1 or device.bandwidth < 1:
        raise ValueError(f"{device.name} computes or moves nothing: both rates must be above 0")
    with collector_paused():
        return _timed(analysis, device)


def _timed(analysis: Analysis, device: Device) -> Roofline:
    peak, bandwidth = device.peak_macs, device.bandwidth
    batch, dtypes = analysis.batch, analysis.dtypes
    # Of memory-bound layers the bytes, of the others the multiply-adds, decide: both are whole
    # numbers, and so is each layer's time in units of 1 / (peak · bandwidth) seconds.
    rows: list[tuple[LayerCost, int, Traffic, Bound | None, int]] = []
    read = written = units = memory_units = 0
    for layer in analysis.layers:
        moved = traffic(layer, batch=batch, dtypes=dtypes)
        macs = layer.macs * batch
        computing, moving = macs * bandwidth, moved.moved_bytes * peak
        bound = Bound.COMPUTE if computing >= moving else Bound.MEMORY
        longer = max(computing, moving)
        rows.append((layer, macs, moved, bound if longer else None, longer))
        read += moved.read_bytes
        written += moved.written_bytes
        units += longer
        if bound is Bound.MEMORY:
            memory_units += moving
    per_second = peak * bandwidth
    return Roofline(
        device,
        tuple(
            LayerTime(
                layer.name,
                macs,
                moved,
                bound,
                Fraction(longer, per_second),
                Fraction(longer, units or 1),
            )
            for layer, macs, moved, bound, longer in rows
        ),
        Traffic(read, written),
        Fraction(units, per_second),
        Fraction(memory_units, per_second),
    )
