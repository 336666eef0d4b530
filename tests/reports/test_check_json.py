"""The machine-readable report of a check."""

import json
from fractions import Fraction

from checks import (
    HOSTILE,
    OPTION,
    SPEC,
    STEM,
    TOO_MANY,
    TOO_NARROW,
    UNJUDGED,
    UNUSED,
    WIDER,
    analysis,
    hostile_check,
    limit,
    network,
    small_check,
    verdict,
)

from convcalc.analysis.comparison import changes
from convcalc.baselines import baseline_of
from convcalc.budgets import Check, Part, Why
from convcalc.limits import Bound, Scope
from convcalc.metrics import metric
from convcalc.reports.check_json import check_json


def report(check):
    return json.loads(check_json(check, "0.1.0"))


BUDGET_PLACE = {
    "file": "budgets.yaml",
    "source": "budgets.yaml",
    "line": 3,
    "column": 19,
    "end_column": 22,
}
STEM_PLACE = {"file": "net.yaml", "source": "net.yaml", "line": 3, "column": 5, "end_column": 9}


def test_the_frame(tmp_path):
    found = report(small_check(tmp_path))
    assert (found["schema_version"], found["convcalc"]) == (1, "0.1.0")
    assert found["outcome"] == "over budget"
    (net,) = found["networks"]
    assert net["name"] == "net"
    assert net["spec"].endswith("net.yaml")
    assert (net["budget"], net["baseline"], net["settings"]) == (None, None, {})
    assert (net["inputs"], net["batch"]) == ({"input": [3, 8, 8]}, 1)
    assert net["dtype"] == {"weights": "float32", "activations": "float32"}
    assert (net["changes"], net["why"]) == ([], [])


def test_a_limit_has_all_that_a_reader_could_ask_for(tmp_path):
    (net,) = report(small_check(tmp_path))["networks"]
    params, stem, head, field, macs = net["limits"]
    assert params == {
        "metric": "params",
        "bound": "max",
        "share": False,
        "scope": "network",
        "layer": None,
        "value": 584,
        "allowed": 583,
        "limit": "583",
        "base": None,
        "exceeds_by": 1,
        "level": "error",
        "holds": False,
        "spec_place": None,
        "budget_place": BUDGET_PLACE,
    }
    assert (stem["metric"], stem["scope"], stem["layer"]) == ("activation_bytes", "layer", "stem")
    assert stem["spec_place"] == STEM_PLACE
    assert (head["holds"], head["exceeds_by"]) == (True, None)
    assert (field["bound"], field["level"], field["exceeds_by"]) == ("min", "warning", 2)
    assert macs["limit"] == "35.84k"


def test_numbers_are_raw_and_whole_wherever_they_can_be(tmp_path):
    found = analysis(tmp_path)
    share = limit("macs", Fraction(1, 2), "50%", is_share=True, scope=Scope.LAYER)
    grown = limit("macs", Fraction(1, 50), "2%", Bound.MAX_INCREASE, is_percentage=True)
    check = Check(
        (
            network(
                found,
                verdict(share, Fraction(3, 4), "stem", says="over"),
                verdict(grown, 2**70 + 3, base=2**70, allowed=2**70 + 1, says="over"),
            ),
        )
    )
    text = check_json(check, "0.1.0")
    one, other = report(check)["networks"][0]["limits"]
    assert (one["share"], one["value"], one["allowed"], one["exceeds_by"]) == (
        True,
        0.75,
        0.5,
        0.25,
    )
    # 2⁷⁰ + 3 is beyond what a float can tell from 2⁷⁰.
    assert '"value": 1180591620717411303427' in text
    assert (other["base"], other["exceeds_by"]) == (2**70, 2)


def test_findings_are_there_whatever_they_are_about(tmp_path):
    found = report(small_check(tmp_path, findings=(UNUSED, UNJUDGED)))
    assert found["outcome"] == "cannot judge"
    assert [(each["code"], each["severity"], each["network"]) for each in found["findings"]] == [
        ("E104", "error", None),
        ("B601", "error", "net"),
        ("B601", "error", "net"),
        (UNUSED.code.id, "warning", None),
        ("B602", "warning", "net"),
    ]
    assert found["findings"][0] == {
        "code": "E104",
        "severity": "error",
        "message": "unknown key `parms`",
        "file": "budgets.yaml",
        "source": "budgets.yaml",
        "line": 3,
        "column": 11,
        "end_column": 17,
        "notes": [],
        "help": "did you mean `params`?",
        "related": [],
        "network": None,
    }
    assert found["findings"][2]["related"] == [{"label": "budget", **BUDGET_PLACE}]


def test_a_place_in_no_file_says_so():
    (finding,) = report(Check((), (UNJUDGED._replace(place=OPTION),)))["findings"]
    assert (finding["file"], finding["source"], finding["line"]) == (None, "--max params", 1)
    (finding,) = report(Check((), (UNJUDGED._replace(place=None),)))["findings"]
    assert (finding["file"], finding["source"], finding["line"]) == (None, None, None)


def test_if_strict_warnings_are_errors(tmp_path):
    found = report(Check((network(analysis(tmp_path), TOO_NARROW),), strict=True))
    assert found["outcome"] == "over budget"
    assert found["networks"][0]["limits"][0]["level"] == "error"
    assert found["findings"][0]["severity"] == "error"


def test_changes_have_what_a_layer_cost_and_costs(tmp_path):
    before, after = analysis(tmp_path, SPEC), analysis(tmp_path, WIDER)
    found = changes(before.layers, after.layers)
    gone = changes(before.layers[:1], ())
    base = baseline_of(before, "main.json")
    check = Check((network(after, TOO_MANY, baseline=base, changes=(*found, *gone)),))
    (net,) = report(check)["networks"]
    assert net["baseline"] == "main.json"
    stem, act, _head, removed = net["changes"]
    assert (stem["mark"], stem["name"]) == ("~", "stem")
    assert stem["before"] == {
        "kind": "conv",
        "output_shape": [16, 8, 8],
        "params": 448,
        "buffers": 0,
        "macs": 27648,
        # 2 · 27,648 and 16·64 adds of biases.
        "flops": 56320,
        "operations": {
            "adds": 1024,
            "multiplies": 0,
            "divides": 0,
            "comparisons": 0,
            "exponentials": 0,
        },
        "activation_elements": 1024,
        "activation_bytes": 4096,
        "weight_bytes": 1792,
    }
    assert stem["after"]["params"] == 896
    assert act["after"]["operations"]["comparisons"] == 2048
    assert (removed["mark"], removed["after"]) == ("-", None)


def test_a_layer_has_the_keys_that_it_has_in_the_report_of_an_analysis(tmp_path):
    from convcalc.reports.json_report import networks_json

    found = analysis(tmp_path)
    (layer, *_) = json.loads(networks_json([found], "0.1.0"))["networks"][0]["layers"]
    check = Check((network(found, TOO_MANY, changes=changes((), found.layers)),))
    after = report(check)["networks"][0]["changes"][0]["after"]
    assert {key: layer[key] for key in after} == after


def test_why_has_the_heaviest_layers_and_the_differences(tmp_path):
    before, after = analysis(tmp_path, SPEC), analysis(tmp_path, WIDER)
    (stem, *_) = changes(before.layers, after.layers)
    part = Part("stem", 896, Fraction(3, 4), STEM)
    why = Why(metric("params"), (part,), (stem,)), Why(metric("training_memory"), (), (stem,))
    one, other = report(Check((network(after, TOO_MANY, whys=why),)))["networks"][0]["why"]
    assert one == {
        "metric": "params",
        "heaviest": [{"name": "stem", "value": 896, "share": 0.75, "place": STEM_PLACE}],
        "changed": [{"mark": "~", "name": "stem", "differences": {"params": 448}}],
    }
    # 16·64·4 more bytes of activations, 448·4 more of weights.
    assert other["changed"][0]["differences"] == {"activation_bytes": 4096, "weight_bytes": 1792}


def test_names_are_kept_as_they_are(tmp_path):
    found = report(hostile_check(tmp_path))
    assert found["networks"][0]["name"] == HOSTILE
    assert found["findings"][0]["message"] == HOSTILE
