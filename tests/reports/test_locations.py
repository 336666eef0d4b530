"""Files as services name them."""

import pytest

from convcalc.errors import Place, SourceText
from convcalc.reports.locations import Location, location, relative_file

ROOT = "CONVCALC_TEST_ROOT"


@pytest.fixture
def inside(tmp_path, monkeypatch):
    """A checkout, and a working directory inside of it."""
    (tmp_path / "checkout" / "nets").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "checkout" / "nets")
    monkeypatch.setenv(ROOT, str(tmp_path / "checkout"))
    return tmp_path


def test_a_file_is_relative_to_the_checkout(inside):
    assert relative_file("net.yaml", ROOT) == "nets/net.yaml"
    assert relative_file("../budgets.yaml", ROOT) == "budgets.yaml"
    assert relative_file(str(inside / "checkout" / "a" / "b.yaml"), ROOT) == "a/b.yaml"


def test_without_a_checkout_it_is_relative_to_the_working_directory(inside, monkeypatch):
    assert relative_file(str(inside / "checkout" / "nets" / "net.yaml")) == "net.yaml"
    for value in ("", str(inside / "elsewhere")):
        monkeypatch.setenv(ROOT, value)
        assert relative_file("./net.yaml", ROOT) == "net.yaml"
    monkeypatch.delenv(ROOT)
    assert relative_file("net.yaml", ROOT) == "net.yaml"


def test_a_file_outside_of_both_stays_as_it_is(inside):
    assert relative_file("../../net.yaml", ROOT) == "../../net.yaml"
    assert relative_file(str(inside / "net.yaml"), ROOT) == (inside / "net.yaml").as_posix()
    # The checkout beside one whose name only begins like it.
    assert relative_file("../../checkout2/net.yaml", ROOT) == "../../checkout2/net.yaml"


def test_a_link_to_the_checkout_is_the_checkout(inside, monkeypatch):
    (inside / "link").symlink_to(inside / "checkout")
    monkeypatch.setenv(ROOT, str(inside / "link"))
    assert relative_file("net.yaml", ROOT) == "nets/net.yaml"


def test_a_link_in_the_checkout_belongs_to_it(inside):
    (inside / "real.yaml").write_text("", encoding="utf-8")
    (inside / "checkout" / "nets" / "net.yaml").symlink_to(inside / "real.yaml")
    assert relative_file("net.yaml", ROOT) == "nets/net.yaml"


def test_columns_count_from_one_and_end_after_the_span(inside):
    text = SourceText("net.yaml", "abc", "net.yaml")
    assert location(Place(text, 1, 2, 2), ROOT) == Location("nets/net.yaml", 1, 2, 4)
    assert location(Place(text, 1, 2, 0)) == Location("net.yaml", 1, 2, 3)


def test_what_is_in_no_file_has_no_location():
    assert location(None) is None
    assert location(Place(SourceText("--max params", "5M"), 1, 1)) is None
