"""What a published figure may stand for."""

import pytest

from convcalc.sources.spec.published_figures import figure_bounds


@pytest.mark.parametrize(
    ("text", "bounds"),
    [
        ("0", (0, 0)),
        ("12", (12, 12)),
        ("1k", (500, 1999)),
        ("1.0k", (950, 1099)),
        ("25.56M", (25_555_000, 25_569_999)),
        ("1.5Ki", (1485, 1638)),  # 1.45·1024 = 1484.8 and 1.6·1024 = 1638.4
        ("2 G", (1_500_000_000, 2_999_999_999)),
        ("1.5", None),
        ("-1", None),
        ("1e3", None),
        ("12x", None),
        ("M", None),
        ("", None),
        ("9" * 21, None),
    ],
)
def test_a_published_figure_may_stand_for_what_rounds_or_is_cut_to_it(text, bounds):
    assert figure_bounds(text) == bounds
