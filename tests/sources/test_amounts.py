"""Amounts of budgets: exact, with the unit that the metric has, or refused."""

from contextlib import suppress
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcalc.sources.amounts import AMOUNT_EXAMPLES, AmountError, parse_amount

COUNTS = {"": 1, "k": 10**3, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
DECIMAL_BYTES = {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
BINARY_BYTES = {"KiB": 1024, "MiB": 1_048_576, "GiB": 1_073_741_824, "TiB": 1_099_511_627_776}
BYTES = DECIMAL_BYTES | BINARY_BYTES
PARTS_OF_SECONDS = {"s": 1, "ms": 10**3, "us": 10**6, "µs": 10**6, "μs": 10**6, "ns": 10**9}

COUNT_HELP = "write a number such as 5000000 or 5.5M, with k (1,000), M, G or T"
BYTES_HELP = "write a number and a unit: kB (1,000 bytes), MB, GB, or KiB (1,024), MiB, GiB"
SECONDS_HELP = "write a number and a unit: s, ms, us or ns"
PERCENT_HELP = "write a percentage such as 40%"


def refused(text, unit, *, percent=False):
    """What is said of an amount that is none."""
    with pytest.raises(AmountError) as caught:
        parse_amount(text, unit, percent=percent)
    return str(caught.value), caught.value.help


@pytest.mark.parametrize(
    ("text", "unit", "amount"),
    [
        ("0", "count", 0),
        ("320", "count", 320),
        ("5.5M", "count", 5_500_000),
        ("5.5 M", "count", 5_500_000),
        (" 30k ", "count", 30_000),
        ("30K", "count", 30_000),
        ("4.0", "count", 4),
        ("1e3", "count", 1000),
        ("1.5E+1", "count", 15),
        ("2e1k", "count", 20_000),
        ("007", "count", 7),
        ("99999999999999999999", "count", 10**20 - 1),
        ("24MB", "bytes", 24_000_000),
        ("24 MiB", "bytes", 25_165_824),  # 24 · 1,024 · 1,024
        ("1 kB", "bytes", 1000),
        ("1 KiB", "bytes", 1024),
        ("0.5 KiB", "bytes", 512),
        ("0 B", "bytes", 0),
        ("24\N{NO-BREAK SPACE}MiB", "bytes", 25_165_824),
        ("5 ms", "seconds", Fraction(1, 200)),
        ("0.1s", "seconds", Fraction(1, 10)),
        ("1.5", "ratio", Fraction(3, 2)),
    ],
)
def test_an_amount_is_what_is_written(text, unit, amount):
    assert parse_amount(text, unit) == (amount, False)
    assert type(parse_amount(text, unit)[0]) is Fraction


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("40%", Fraction(2, 5)),
        ("40 %", Fraction(2, 5)),
        ("0.01%", Fraction(1, 10_000)),
        ("0%", 0),
        ("140%", Fraction(7, 5)),
    ],
)
def test_a_percentage_is_a_part(text, part):
    assert parse_amount(text, "count", percent=True) == (part, True)
    assert parse_amount(text, "bytes", percent=None) == (part, True)


def test_where_it_may_be_a_percentage_a_plain_amount_is_one_too():
    assert parse_amount("50k", "count", percent=None) == (50_000, False)
    assert parse_amount("1 KiB", "bytes", percent=None) == (1024, False)
    assert refused("24", "bytes", percent=None) == (
        "'24' has no unit",
        f"{BYTES_HELP}, or a percentage such as 2%",
    )


@pytest.mark.parametrize(
    "text",
    [
        *("nan", "NaN", ".nan", "inf", ".inf", "Infinity", "1e400", "1e-3", "e5", "1e1e1"),
        *("0x10", "0o17", "0b1", "1/2", "5 5", "5M5", "5.", ".5", "1.2.3", "+5", "~", "null"),
        *("", " ", "M", "%", "5,5", "30,00", "3000,000", "٣", "５", "五", "M5", "5\N{MINUS SIGN}"),
        *("5-6", "=5", "5M k", "<5", "5;", "5\0", "100000000000000000000000", "0.1" + "1" * 30),
        "9" * 100_000,
    ],
)
@pytest.mark.parametrize(("unit", "percent"), [("count", False), ("bytes", False), ("count", True)])
def test_what_is_no_number_is_no_amount(text, unit, percent):
    message, hint = refused(text, unit, percent=percent)
    assert message == f"{text[:40]!r} is no amount"
    assert hint == AMOUNT_EXAMPLES["percent" if percent else unit]


@pytest.mark.parametrize("text", ["30,000", "30_000", "30'000"])
def test_separators_are_answered_with_the_number_without_them(text):
    assert refused(text, "count") == (f"{text!r} is no amount", "write 30000")


@pytest.mark.parametrize("text", ["-5", "-0", "-5M", "-5%", "-inf", " -1"])
def test_less_than_nothing_is_no_limit(text):
    assert refused(text, "count", percent=None) == (
        f"{text!r} is no amount",
        "a limit is 0 or more",
    )


@pytest.mark.parametrize(
    ("text", "unit", "said"),
    [
        ("5 m", "count", ("'m' is no unit of a count", COUNT_HELP)),
        ("5g", "count", ("'g' is no unit of a count", COUNT_HELP)),
        ("5 MiB", "count", ("'MiB' is no unit here", COUNT_HELP)),
        ("5B", "count", ("'B' is no unit of a count", COUNT_HELP)),
        ("5%", "count", ("'%' is no unit here", COUNT_HELP)),
        ("1e", "count", ("'e' is no unit here", COUNT_HELP)),
        ("5 million", "count", ("'million' is no unit here", COUNT_HELP)),
        ("24", "bytes", ("'24' has no unit", BYTES_HELP)),
        ("0", "bytes", ("'0' has no unit", BYTES_HELP)),
        ("24 mb", "bytes", ("'mb' is no unit here", BYTES_HELP)),
        ("24 Mb", "bytes", ("'Mb' is no unit here", BYTES_HELP)),
        ("24 mib", "bytes", ("'mib' is no unit here", BYTES_HELP)),
        ("24 kiB", "bytes", ("'kiB' is no unit here", BYTES_HELP)),
        ("24%", "bytes", ("'%' is no unit here", BYTES_HELP)),
        ("5", "seconds", ("'5' has no unit", SECONDS_HELP)),
        ("5 S", "seconds", ("'S' is no unit here", SECONDS_HELP)),
        ("5 min", "seconds", ("'min' is no unit here", SECONDS_HELP)),
        ("1.5k", "ratio", ("'k' is no unit here", "write a number such as 1.5")),
        ("5" + "x" * 100, "count", (f"'{'x' * 20}' is no unit here", COUNT_HELP)),
    ],
)
def test_a_unit_is_one_of_the_metrics(text, unit, said):
    assert refused(text, unit) == said


@pytest.mark.parametrize("text", ["40", "0.4", "0"])
def test_a_share_is_a_percentage(text):
    assert refused(text, "count", percent=True) == (f"{text!r} has no unit", PERCENT_HELP)


@pytest.mark.parametrize("written", ["KB", "kb", "Kb", "K", "k"])
def test_what_may_be_1000_or_1024_is_neither(written):
    assert refused(f"24 {written}", "bytes") == (
        f"'24 {written}' may be 1,000 or 1,024 bytes",
        "write kB for 1,000 bytes, KiB for 1,024",
    )


@pytest.mark.parametrize("prefix", ["M", "G", "T"])
def test_memory_is_of_bytes(prefix):
    assert refused(f"24 {prefix}", "bytes") == (
        f"'24 {prefix}' does not say of what",
        f"write 24 {prefix}B, or 24 {prefix}iB for powers of 1,024",
    )
    assert refused(f"24 {prefix}i", "bytes") == (
        f"'24 {prefix}i' does not say of what",
        f"write 24 {prefix}iB for bytes",
    )


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("5.5", "count"),
        ("0.0001k", "count"),
        ("1.0000001M", "count"),
        ("0.5 B", "bytes"),
        ("0.1 KiB", "bytes"),  # 102.4 bytes
    ],
)
def test_half_a_parameter_or_byte_is_no_limit(text, unit):
    assert refused(text, unit) == (
        f"{text!r} is no whole number",
        "write fewer digits after the point",
    )


def test_parts_of_seconds_and_ratios_need_not_be_whole():
    assert parse_amount("0.5 ns", "seconds")[0] == Fraction(1, 2 * 10**9)
    assert parse_amount("0.001", "ratio")[0] == Fraction(1, 1000)


@given(
    st.integers(0, 10**18),
    st.sampled_from([("count", *each) for each in COUNTS.items()])
    | st.sampled_from([("bytes", *each) for each in BYTES.items()]),
    st.sampled_from(["", " "]),
)
def test_whole_numbers_are_exact_in_every_unit(number, unit, space):
    kind, written, factor = unit
    assert parse_amount(f"{number}{space}{written}", kind) == (number * factor, False)


@given(st.integers(0, 10**12), st.integers(0, 12), st.sampled_from([*PARTS_OF_SECONDS.items()]))
def test_decimals_are_exact_in_every_unit(digits, places, unit):
    whole, rest = divmod(digits, 10**places)
    text = f"{whole}.{rest:0{places}}" if places else str(whole)
    written, divisor = unit
    amount = Fraction(digits, 10**places)
    assert parse_amount(f"{text}{written}", "seconds") == (amount / divisor, False)
    assert parse_amount(f"{text}%", "ratio", percent=True) == (amount / 100, True)
    assert parse_amount(text, "ratio") == (amount, False)


@given(
    st.text("0123456789.,eE+-_'% kKMGiBmnsuµ\n", max_size=12) | st.text(max_size=6),
    st.sampled_from(["count", "bytes", "seconds", "ratio"]),
    st.sampled_from([True, False, None]),
)
def test_any_text_is_an_amount_of_0_or_more_or_refused(text, unit, percent):
    with suppress(AmountError):
        amount, is_percentage = parse_amount(text, unit, percent=percent)
        assert amount >= 0
        assert is_percentage == text.strip().endswith("%")
        assert percent is None or is_percentage == percent
