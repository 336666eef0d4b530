"""Code Quality reports."""

import json

import pytest
from checks import (
    BUDGET_LINE,
    OPTION,
    PARAMS,
    UNJUDGED,
    UNUSED,
    analysis,
    network,
    small_check,
    verdict,
)

from convcalc.budgets import Check
from convcalc.errors import Finding, catalogue
from convcalc.reports.gitlab import code_quality


@pytest.fixture(autouse=True)
def no_checkout(monkeypatch):
    monkeypatch.delenv("CI_PROJECT_DIR", raising=False)


def entries(check):
    return json.loads(code_quality(check))


def test_an_entry_has_what_gitlab_asks_for(tmp_path):
    params, layer, field = entries(small_check(tmp_path))
    assert params["description"] == (
        "parameters 584 exceed 583 by 1 (0.2 %); help: See docs/budgets.md."
    )
    assert layer["location"] == {"path": "net.yaml", "lines": {"begin": 3}}
    assert (params["check_name"], field["check_name"]) == ("B601", "B602")
    assert all(len(entry["fingerprint"]) == 64 for entry in (params, layer, field))


def test_how_severe_it_is(tmp_path):
    found = entries(small_check(tmp_path, findings=(UNUSED, UNJUDGED)))
    assert [each["severity"] for each in found] == ["blocker", "major", "major", "minor", "minor"]
    found = entries(small_check(tmp_path, findings=(UNUSED,), strict=True))
    assert [each["severity"] for each in found] == ["blocker", "major", "major", "major"]


def test_paths_are_relative_to_the_checkout(tmp_path, monkeypatch):
    check = small_check(tmp_path)
    (tmp_path / "nets").mkdir()
    monkeypatch.chdir(tmp_path / "nets")
    monkeypatch.setenv("CI_PROJECT_DIR", str(tmp_path))
    assert entries(check)[0]["location"]["path"] == "nets/budgets.yaml"


def of_an_option(found):
    of = PARAMS._replace(place=OPTION)
    return Check((network(found, verdict(of, 584, says="parameters 584 exceed 583")),))


def test_what_is_in_no_file_is_shown_at_the_top_of_the_spec(tmp_path):
    found = analysis(tmp_path)
    layer = found.layers[0]._replace(place=BUDGET_LINE)
    (entry,) = entries(of_an_option(found._replace(layers=(layer,))))
    assert entry["location"] == {"path": "budgets.yaml", "lines": {"begin": 1}}


def test_or_nowhere(tmp_path):
    found = analysis(tmp_path)
    layers = tuple(layer._replace(place=None) for layer in found.layers)
    (entry,) = entries(of_an_option(found._replace(layers=layers)))
    assert entry["location"] == {"path": ".", "lines": {"begin": 1}}
    (entry,) = entries(Check((), (Finding(catalogue.FILE_NOT_FOUND, "no file"),)))
    assert entry["location"] == {"path": ".", "lines": {"begin": 1}}


def keys(check):
    return [entry["fingerprint"] for entry in entries(check)]


def test_a_fingerprint_stays_while_values_change(tmp_path):
    found = analysis(tmp_path)
    one = verdict(PARAMS, 584, says="parameters 584 exceed 583 by 1")
    other = verdict(PARAMS, 1000, says="parameters 1,000 exceed 583 by 417", place=BUDGET_LINE)
    assert keys(Check((network(found, one),))) == keys(Check((network(found, other),)))
    one = UNJUDGED._replace(message="12 of them")
    other = UNJUDGED._replace(message="1345 of them", place=UNJUDGED.place._replace(line=1))
    assert keys(Check((), (one,))) == keys(Check((), (other,)))


def test_a_fingerprint_tells_settings_budgets_and_limits_apart(tmp_path):
    found = analysis(tmp_path)
    over = verdict(PARAMS, 584, says="over")
    checks = (
        network(found, over),
        network(found, over, name="mobile"),
        network(found._replace(settings=(("H", "9"),)), over),
        network(found._replace(spec="other.yaml"), over),
        network(found, verdict(PARAMS, 584, "stem", says="over")),
    )
    assert len({key for each in checks for key in keys(Check((each,)))}) == 5


def test_no_two_fingerprints_are_alike(tmp_path):
    found = analysis(tmp_path)
    over = verdict(PARAMS, 584, says="over")
    layers = [verdict(PARAMS, 584, name, says="over") for name in ("a", "b")]
    check = Check(
        (
            network(found, over, *layers),
            network(found, over, name="mobile"),
            network(found._replace(settings=(("H", "9"),)), over),
            network(found._replace(spec="other.yaml"), over),
            network(found, over),
        ),
        (UNJUDGED, UNJUDGED, UNJUDGED._replace(message="other")),
    )
    found_keys = keys(check)
    assert len(set(found_keys)) == len(found_keys) == 10
