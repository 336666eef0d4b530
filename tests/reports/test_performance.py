"""The columns about speed."""

from fractions import Fraction

import pytest

import convcalc
from convcalc.analysis.devices import Device
from convcalc.reports.analyze import analysis_sheet
from convcalc.reports.figures import duration, number, rate

# A million multiply-adds and ten million bytes a second: the ridge is at 0.1 macs a byte.
SLOW = Device("slow", 10**6, 10**7)
NET = """
input: [1, 10, 10]
layers:
  - {conv: {out_channels: 2, kernel_size: 1, bias: false}, name: thin}
  - {conv: {out_channels: 2, kernel_size: 3, padding: 1, bias: false}, name: thick}
  - flatten
  - relu
"""


@pytest.fixture
def rows(tmp_path):
    def shown(*columns, device=SLOW, depth=None, text=NET, **options):
        path = tmp_path / "net.yaml"
        path.write_text(text)
        return analysis_sheet(
            convcalc.analyze(path, **options), columns=columns, device=device, depth=depth
        )

    return shown


def test_bytes_and_what_is_done_with_them(rows):
    sheet = rows("name", "read_bytes", "written_bytes", "intensity", "reuse", device=None)
    assert sheet.rows == (
        # 100 inputs and 2 weights of 4 bytes; 200 outputs; 200 macs over 1,208 bytes, and over 2
        ("thin", "408 B", "800 B", "0.166", "100"),
        # 200 and 36 numbers in, 200 out; 3,600 macs over 1,744 bytes, and over 36 weights
        ("thick", "944 B", "800 B", "2.06", "100"),
        ("flatten", "0 B", "0 B", "", ""),
        ("relu", "800 B", "800 B", "0.00", ""),
    )
    # 3,800 macs over 4,552 bytes, and over 38 weights
    assert sheet.totals == (("Total, 4 layers", "2.10 KiB", "2.34 KiB", "0.835", "100"),)


def test_times_and_what_they_are_bound_by(rows):
    sheet = rows("name", "time", "time_share", "bound")
    assert sheet.rows == (
        # 200 macs take 200 µs, 1,208 bytes 120.8 µs
        ("thin", "200 µs", "5.1 %", "compute"),
        ("thick", "3.6 ms", "90.9 %", "compute"),
        ("flatten", "0 s", "0.0 %", ""),
        ("relu", "160 µs", "4.0 %", "memory"),
    )
    assert sheet.totals == (("Total, 4 layers", "3.96 ms", "100.0 %", ""),)
    assert sheet.lines[0] == (
        "On slow (1 M multiply-adds/s, 10 MB/s, ridge 0.100 macs/byte) at least 3.96 ms, 4 % of it "
        "in layers that wait for memory."
    )


def test_a_group_takes_as_long_as_its_layers(rows):
    text = (
        "input: [1, 10, 10]\nlayers:\n  - name: body\n    layers:\n"
        "      - conv: {out_channels: 2, kernel_size: 1, bias: false}\n      - relu\n      - relu\n"
    )
    sheet = rows("name", "time", "bound", "intensity", text=text, depth=1)
    # 200 µs of computing, and twice 160 µs of waiting; 200 macs over 1,208 + 1,600 + 1,600 bytes
    assert sheet.rows == (("body", "520 µs", "memory", "0.0454"),)


def test_a_larger_batch_takes_longer_and_uses_weights_more(rows):
    sheet = rows("name", "intensity", "time", batch=100)
    # 20,000 macs over 40,000 + 8 + 80,000 bytes
    assert sheet.rows[0] == ("thin", "0.167", "20 ms")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (Fraction(3, 2), "1.5 s"),
        (Fraction(87_834, 10**7), "8.783 ms"),
        (Fraction(435_6, 10**7), "435.6 µs"),
        (Fraction(42, 10**9), "42 ns"),
        (Fraction(0), "0 s"),
        (Fraction(1234), "1,234 s"),
    ],
)
def test_a_duration_has_the_unit_that_fits(seconds, text):
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(Fraction(1234), "1,234"), (Fraction(452, 10), "45.2"), (Fraction(1, 8), "0.125"), (None, "")],
)
def test_a_number_has_three_digits(value, text):
    assert number(value) == text


@pytest.mark.parametrize(
    ("per_second", "text"),
    [(25_600_000_000, "25.6 G"), (7_833_600_000_000, "7.834 T"), (672_000_000, "672 M"), (5, "5 ")],
)
def test_a_rate_has_a_prefix(per_second, text):
    assert rate(per_second) == text
