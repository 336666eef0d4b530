"""The devices known by name, and rates as people write them."""

import re
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcalc.analysis.devices import Device, all_devices, find_device, parse_rate


@pytest.mark.parametrize(
    ("name", "tera_operations"),
    [
        # Operations per second as the makers print them, a multiply-add being two.
        ("jetson-nano", "0.236"),  # half of the 472 GFLOPS of float16
        ("v100", "15.7"),
        ("a100", "19.5"),
        ("rtx4090", "82.6"),
        ("a100-tensor", "312"),
        # As measured: 31.756 GFLOPS on two Cortex-A72 cores of 2 GHz; here four of 1.5 GHz
        ("raspberry-pi-4", "0.048"),  # 31.756 / 2 / 2 ≈ 8 a cycle; 8 · 1.5 · 4 = 48
        # Two multiply-adds in a cycle at 168 and 216 MHz
        ("stm32f407", "0.000672"),
        ("stm32f746", "0.000864"),
    ],
)
def test_a_peak_is_what_the_maker_prints(name, tera_operations):
    digits = len(tera_operations.partition(".")[2])
    assert f"{2 * find_device(name).peak_macs / 1e12:.{digits}f}" == tera_operations


@pytest.mark.parametrize(
    ("name", "bandwidth"),
    [
        ("stm32f407", "672MB/s"),
        ("stm32f746", "1.728GB/s"),
        ("raspberry-pi-4", "12.8GB/s"),
        ("jetson-nano", "25.6GB/s"),
        ("v100", "900GB/s"),
        ("a100", "1555GB/s"),
        ("rtx4090", "1008GB/s"),
        ("a100-tensor", "1555GB/s"),
    ],
)
def test_a_bandwidth_is_what_the_maker_prints(name, bandwidth):
    assert find_device(name).bandwidth == parse_rate(bandwidth)


def test_every_device_is_among_those_held_against_their_makers():
    assert [device.name for device in all_devices()] == [
        "stm32f407",
        "stm32f746",
        "raspberry-pi-4",
        "jetson-nano",
        "v100",
        "a100",
        "rtx4090",
        "a100-tensor",
    ]


def test_devices_are_sorted_by_what_they_compute():
    peaks = [device.peak_macs for device in all_devices()]
    assert peaks == sorted(peaks)


def test_the_docs_list_every_device_with_its_figures():
    page = Path(__file__).parent.parent.parent / "docs" / "performance.md"
    rows = re.findall(
        r"(?m)^\| `(.+)` \| (.+/s) \| (.+/s) \| (.+) \| .+ \|$", page.read_text(encoding="utf-8")
    )
    assert [
        (name, parse_rate(peak), parse_rate(band), ridge) for name, peak, band, ridge in rows
    ] == [
        (device.name, device.peak_macs, device.bandwidth, f"{float(device.ridge):.2f}")
        for device in all_devices()
    ]


@pytest.mark.parametrize("device", all_devices(), ids=lambda device: device.name)
def test_a_device_says_where_its_figures_are_from_and_what_for(device):
    assert device.source.startswith("https://")
    assert any(dtype in device.note for dtype in ("int8", "float16", "float32"))


def test_a_device_is_found_in_whatever_case_and_with_room_around_it():
    assert find_device(" V100\n") is find_device("v100")
    assert find_device("v100").name == "v100"


@pytest.mark.parametrize("name", ["", "v1000", "v10", "v100 a100"])
def test_an_unknown_device_is_none(name):
    assert find_device(name) is None


def test_the_ridge_is_where_computing_and_moving_take_equally_long():
    assert Device("some", 600, 250).ridge == Fraction(12, 5)
    assert find_device("jetson-nano").ridge == Fraction("4.608")  # 117.9648 / 25.6


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("1", 1),
        ("600G", 600_000_000_000),
        ("600G/s", 600_000_000_000),
        ("25.6GB/s", 25_600_000_000),
        ("25.6GB", 25_600_000_000),
        ("25.6 GB/s", 25_600_000_000),
        (" 25.6G ", 25_600_000_000),
        ("7k", 7_000),
        ("7KB", 7_000),
        ("1.555TB/s", 1_555_000_000_000),
        ("12.500M", 12_500_000),
        ("0.5k", 500),
        ("336000000", 336_000_000),
        ("512B/s", 512),
        ("1KiB/s", 1_024),
        ("1.5MiB", 1_572_864),  # 1.5 · 1,048,576
        ("2GiB/s", 2_147_483_648),
        ("1TiB/s", 1_099_511_627_776),
        # As a float this is 299,999,999.99999994
        ("0.0003T", 300_000_000),
        ("9007199254740993", 9_007_199_254_740_993),  # 2**53 + 1, which no float is
    ],
)
def test_a_rate_is_read_exactly(text, rate):
    assert parse_rate(text) == rate


@pytest.mark.parametrize(
    "text",
    [
        "",
        "G",
        "fast",
        "-600G",
        "+600G",
        "600g",
        "600m",
        "600Gb/s",  # bits
        "600GFLOPS",
        "600Gi",  # binary prefixes are of bytes
        "600kiB",
        "6e9",
        "1_000",
        "1,000",
        ".5G",
        "5.G",
        "1.2.3G",
        "600G/min",
        "600  G",
        "600G 600G",
        "inf",
        "nan",
        "٣G",  # a digit elsewhere
        "1" * 21,
        "1" * 5_000,
    ],
)
def test_what_is_no_rate_is_refused_with_what_to_write(text):
    with pytest.raises(ValueError, match=r"is no rate: write .* 600G, .* 25\.6GB/s or 512MiB/s$"):
        parse_rate(text)


@pytest.mark.parametrize("text", ["0", "0G", "0.000GB/s", "0KiB"])
def test_nothing_per_second_is_refused(text):
    with pytest.raises(ValueError, match="is nothing per second: write a rate above 0"):
        parse_rate(text)


@pytest.mark.parametrize("text", ["1.5", "0.3333k", "1.0001KiB/s", "0.1B/s"])
def test_what_would_have_to_be_rounded_is_refused(text):
    with pytest.raises(ValueError, match="is no whole number per second: write fewer digits"):
        parse_rate(text)


@given(
    st.integers(1, 10**18),
    st.sampled_from(["", "k", "M", "G", "T"]),
    st.sampled_from(["", "B"]),
    st.sampled_from(["", "/s"]),
)
def test_moving_the_point_and_changing_the_prefix_is_the_same_rate(count, prefix, unit, per):
    zeros = {"": 0, "k": 3, "M": 6, "G": 9, "T": 12}[prefix]
    digits = str(count).zfill(zeros + 1)
    whole, part = digits[: len(digits) - zeros], digits[len(digits) - zeros :]
    number = f"{whole}.{part}" if part else whole
    assert parse_rate(f"{number}{prefix}{unit}{per}") == count
