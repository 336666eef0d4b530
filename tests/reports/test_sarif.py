"""SARIF logs, held against the schema of OASIS."""

import json
from pathlib import Path

import jsonschema
import pytest
from checks import (
    OPTION,
    PARAMS,
    STEM,
    UNJUDGED,
    UNUSED,
    analysis,
    hostile_check,
    network,
    small_check,
    verdict,
)

from convcalc.budgets import Check
from convcalc.errors import Finding, Place, SourceText, catalogue
from convcalc.reports.sarif import _anchor, sarif_log

SCHEMAS = Path(__file__).parents[1] / "schemas"
VALIDATOR = jsonschema.Draft4Validator(
    json.loads((SCHEMAS / "sarif-2.1.0-rtm.5.json").read_text(encoding="utf-8"))
)


@pytest.fixture(autouse=True)
def no_checkout(monkeypatch):
    monkeypatch.delenv("GITHUB_WORKSPACE", raising=False)


def run_of(check):
    log = json.loads(sarif_log(check, "0.1.0"))
    VALIDATOR.validate(log)
    (run,) = log["runs"]
    return run


def test_the_schema_refuses_what_is_no_log():
    assert not VALIDATOR.is_valid({"version": "2.1.0", "runs": [{}]})


def test_a_result_has_its_place_and_that_of_the_budget(tmp_path):
    run = run_of(small_check(tmp_path))
    params, layer, field = run["results"]
    assert layer["message"]["text"] == (
        "`stem`: activation memory 4,096 B exceeds\nbudget: budgets.yaml:3:19"
    )
    assert layer["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": "net.yaml"},
                "region": {"startLine": 3, "startColumn": 5, "endColumn": 9},
            }
        }
    ]
    (related,) = layer["relatedLocations"]
    assert related["message"]["text"] == "budget"
    assert related["physicalLocation"]["region"]["startColumn"] == 19
    assert params["relatedLocations"] == []
    assert [each["level"] for each in (params, layer, field)] == ["error", "error", "warning"]
    assert run["columnKind"] == "unicodeCodePoints"


def test_rules_are_the_codes_that_are_used(tmp_path):
    run = run_of(small_check(tmp_path, findings=(UNJUDGED,)))
    driver = run["tool"]["driver"]
    assert (driver["name"], driver["version"]) == ("convcalc", "0.1.0")
    assert [rule["id"] for rule in driver["rules"]] == ["B601", "B602", "E104"]
    for result in run["results"]:
        assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
    assert driver["rules"][0]["helpUri"] == (
        "https://github.com/convcalc/convcalc/blob/main/docs/errors.md"
        "#b601-more-than-the-budget-has"
    )


def test_anchors_are_as_github_makes_them():
    assert _anchor("E113: unknown layer in `from` or `outputs`") == (
        "e113-unknown-layer-in-from-or-outputs"
    )


def test_the_run_succeeds_if_it_can_judge(tmp_path):
    def succeeded(check):
        return run_of(check)["invocations"][0]["executionSuccessful"]

    assert succeeded(small_check(tmp_path))
    assert succeeded(small_check(tmp_path, findings=(UNUSED,)))
    assert not succeeded(small_check(tmp_path, findings=(UNUSED,), strict=True))
    assert not succeeded(Check((), (UNJUDGED,)))


def uri(path):
    finding = UNJUDGED._replace(place=Place(SourceText("x", "x", path), 1, 1))
    (result,) = run_of(Check((), (finding,)))["results"]
    return result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]


def test_paths_are_relative_and_encoded(tmp_path, monkeypatch):
    (tmp_path / "nets").mkdir()
    monkeypatch.chdir(tmp_path / "nets")
    assert uri("a b#c:d?%ä.yaml") == "a%20b%23c%3Ad%3F%25%C3%A4.yaml"
    assert uri("a\udcff.yaml") == "a%FF.yaml"
    assert uri("../net.yaml") == "../net.yaml"
    assert uri(str(tmp_path / "a b.yaml")) == (tmp_path / "a b.yaml").as_uri()
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    assert uri("net.yaml") == "nets/net.yaml"


def test_what_is_in_no_file_belongs_to_the_spec(tmp_path):
    found = analysis(tmp_path)
    found = found._replace(layers=(found.layers[0]._replace(place=STEM),))
    over = verdict(PARAMS._replace(place=OPTION), 584, says="over")
    (result,) = run_of(Check((network(found, over),)))["results"]
    assert result["locations"] == [{"physicalLocation": {"artifactLocation": {"uri": "net.yaml"}}}]
    assert "at: --max params:1:1" in result["message"]["text"]
    (result,) = run_of(Check((), (Finding(catalogue.FILE_NOT_FOUND, "no file"),)))["results"]
    assert result["locations"] == []


def test_a_layer_of_a_shipped_network_is_shown_in_the_budget_alone(tmp_path):
    shipped = Place(SourceText("lenet5", "a\nb\n"), 2, 1)
    over = verdict(PARAMS, 584, says="over", place=shipped)
    (result,) = run_of(Check((network(analysis(tmp_path), over),)))["results"]
    (shown,) = result["locations"]
    assert shown["physicalLocation"]["artifactLocation"]["uri"] == "budgets.yaml"
    assert result["relatedLocations"] == []


def test_a_name_is_no_link(tmp_path):
    run = run_of(hostile_check(tmp_path))
    for result in run["results"]:
        assert "](" not in result["message"]["text"].replace("\\](", "")
        assert "\\](" in result["message"]["text"]


def test_fingerprints_differ_and_stay(tmp_path):
    found = analysis(tmp_path)
    over = verdict(PARAMS, 584, says="over by 1"), verdict(PARAMS, 584, "stem", says="over by 1")
    later = [each._replace(finding=each.finding._replace(message="over by 2")) for each in over]

    def keys(*verdicts):
        results = run_of(Check((network(found, *verdicts),)))["results"]
        return [result["partialFingerprints"]["convcalc/v1"] for result in results]

    assert keys(*over) == keys(*later)
    assert len(set(keys(*over))) == 2
