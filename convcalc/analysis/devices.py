"""Devices that networks run on: how much they compute and move in a second, at the most.

The figures are peaks from the makers' own pages, reached by no program; a time worked out with them
is a lower bound. Where a page counts floating-point operations, a multiply-add is two of them.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Final, NamedTuple

__all__ = ["Device", "all_devices", "find_device", "parse_rate"]


class Device(NamedTuple):
    """What computes, and how fast at the most."""

    name: str
    peak_macs: int
    """Multiply-adds per second."""
    bandwidth: int
    """Bytes per second, read and written together."""
    source: str = ""
    """Where the figures come from."""
    note: str = ""
    """What the peak is for: the unit that computes, and the number format."""

    @property
    def ridge(self) -> Fraction:
        """Multiply-adds per byte from which on computing takes longer than moving the bytes."""
        return Fraction(self.peak_macs, self.bandwidth)


_DEVICES: Final = (
    # 168 MHz · 2 multiply-adds: SMLAD multiplies two pairs of 16 bits in a cycle (int8 is widened).
    # 168 MHz · 4 bytes: the core loads or stores 32 bits a cycle.
    Device(
        "stm32f407",
        336_000_000,
        672_000_000,
        "https://www.st.com/resource/en/datasheet/stm32f407vg.pdf",
        "Cortex-M4 at 168 MHz, int8 or int16, all from zero-wait-state memory",
    ),
    # 216 MHz · 2 multiply-adds, as above. 216 MHz · 8 bytes: the core loads 64 bits a cycle.
    Device(
        "stm32f746",
        432_000_000,
        1_728_000_000,
        "https://www.st.com/resource/en/datasheet/stm32f746ng.pdf",
        "Cortex-M7 at 216 MHz, int8 or int16, all from tightly coupled memory",
    ),
    # 4 cores · 1.5 GHz · 4 multiply-adds: 128 bits a cycle and core; measured as 8 operations in
    # https://wlog.flatlib.jp/2015/10/30/n1787/. 32 bits · 3,200 MT/s / 8 = 12.8 GB/s.
    Device(
        "raspberry-pi-4",
        24_000_000_000,
        12_800_000_000,
        "https://datasheets.raspberrypi.com/rpi4/raspberry-pi-4-product-brief.pdf",
        "four Cortex-A72 cores at 1.5 GHz, float32",
    ),
    # 128 cores · 921.6 MHz: a quarter of 472 GFLOPS, which are in float16, where a core does two.
    # 64 bits · 3,200 MT/s / 8 = 25.6 GB/s.
    Device(
        "jetson-nano",
        117_964_800_000,
        25_600_000_000,
        "https://developer.nvidia.com/embedded/jetson-nano",
        "Maxwell GPU at 921.6 MHz, float32; float16 computes twice as fast",
    ),
    # 5,120 cores · 1,530 MHz: half of 15.7 TFLOPS.
    Device(
        "v100",
        7_833_600_000_000,
        900_000_000_000,
        "https://images.nvidia.com/content/volta-architecture/pdf/volta-architecture-whitepaper.pdf",
        "V100 SXM2, float32, without tensor cores",
    ),
    # 6,912 cores · 1,410 MHz: half of 19.5 TFLOPS.
    Device(
        "a100",
        9_745_920_000_000,
        1_555_000_000_000,
        "https://images.nvidia.com/aem-dam/en-zz/Solutions/data-center/"
        "nvidia-ampere-architecture-whitepaper.pdf",
        "A100 40 GB, float32, without tensor cores",
    ),
    # 16,384 cores · 2,520 MHz: half of 82.6 TFLOPS. 384 bits · 21 GT/s / 8 = 1,008 GB/s.
    Device(
        "rtx4090",
        41_287_680_000_000,
        1_008_000_000_000,
        "https://images.nvidia.com/aem-dam/Solutions/geforce/ada/nvidia-ada-gpu-architecture.pdf",
        "GeForce RTX 4090, float32, without tensor cores",
    ),
    # 108 multiprocessors · 1,024 multiply-adds a cycle · 1,410 MHz: half of 312 TFLOPS.
    Device(
        "a100-tensor",
        155_934_720_000_000,
        1_555_000_000_000,
        "https://images.nvidia.com/aem-dam/en-zz/Solutions/data-center/"
        "nvidia-ampere-architecture-whitepaper.pdf",
        "A100 40 GB, float16 or bfloat16 on tensor cores, nothing sparse",
    ),
)


def all_devices() -> tuple[Device, ...]:
    """The devices that are known by name, from the least peak to the greatest."""
    return _DEVICES


def find_device(name: str) -> Device | None:
    """The device of that name, in whatever case it is written; None if none is known by it."""
    wanted = name.strip().casefold()
    return next((device for device in _DEVICES if device.name == wanted), None)


_PREFIXES: Final = {"": 1, "k": 10**3, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_BINARY_PREFIXES: Final = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}

# The number of digits is bounded: no device has a rate of twenty.
_RATE: Final = re.compile(
    r"(?P<number>[0-9]{1,20}(?:\.[0-9]{1,20})?) ?"
    r"(?:(?P<prefix>[kKMGT]?)B?|(?P<binary>[KMGT]i)B)(?:/s)?"
)


def parse_rate(text: str) -> int:
    """How much per second ``600G``, ``25.6GB/s`` or ``512MiB/s`` is: multiply-adds, or bytes.

    Raises ValueError, with a message that says what to write, for what is no rate, for nothing per
    second, and for what is no whole number: nothing is rounded.

    >>> parse_rate("25.6GB/s")
    25600000000
    """
    match = _RATE.fullmatch(text.strip())
    if match is None:
        raise ValueError(
            f"{text!r} is no rate: write a number per second with k, M, G or T, such as 600G, "
            "and of bytes also 25.6GB/s or 512MiB/s"
        )
    binary = match["binary"]
    factor = _BINARY_PREFIXES[binary] if binary else _PREFIXES[match["prefix"]]
    rate = Fraction(match["number"]) * factor
    if not rate:
        raise ValueError(f"{text!r} is nothing per second: write a rate above 0, such as 600G")
    if rate.denominator != 1:
        raise ValueError(
            f"{text!r} is no whole number per second: write fewer digits after the point"
        )
    return rate.numerator
