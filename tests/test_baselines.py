"""What networks cost before: read back from saved reports, and nothing else taken for one."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcalc.analysis import analyze_graph
from convcalc.api import load
from convcalc.baselines import baseline_of, read_baselines
from convcalc.errors import ConvcalcError, SourceText, catalogue
from convcalc.metrics import METRICS, metric
from convcalc.reports.json_report import networks_json, updated_report
from convcalc.sources import shipped_names


def read(text):
    return read_baselines(SourceText("main.json", text), text)


def recorded(analysis):
    """What a saved report can tell of a network."""
    return baseline_of(analysis, "main.json")._replace(analysis=None)


def refusal(text):
    with pytest.raises(ConvcalcError) as caught:
        read(text)
    [finding] = caught.value.findings
    assert finding.code is catalogue.BAD_BASELINE
    return finding


@pytest.fixture(scope="module")
def lenet():
    return analyze_graph(load("lenet5"), batch=2)


@pytest.fixture(scope="module")
def report(lenet):
    return json.loads(networks_json([lenet], "0.1.0"))


@pytest.mark.parametrize("name", shipped_names())
def test_a_saved_report_is_what_was_analyzed(name):
    analysis = analyze_graph(load(name), batch=2, in_place=True, optimizer="adam")
    [found] = read(networks_json([analysis], "0.1.0"))
    assert found == recorded(analysis)


def test_every_metric_of_a_network_is_recorded(lenet):
    from convcalc.analysis.metrics import value_of

    before = baseline_of(lenet, "x")
    for each in METRICS:
        assert before.value(each) == value_of(each.key, lenet)
    assert before.value(metric("layers")) == len(lenet.layers)
    assert before.value(metric("receptive_field")) == 32


def test_keys_that_a_later_version_adds_do_no_harm(report):
    report["networks"][0]["totals"]["carbon"] = 1
    report["later"] = []
    assert read(json.dumps(report))[0].name == "lenet5"


def test_keys_that_an_earlier_version_had_not_have_its_values(report):
    network = json.loads(json.dumps(report["networks"][0]))
    for key in ("in_place", "order", "optimizer", "settings"):
        del network[key]
    [found] = read(json.dumps({"schema_version": 1, "networks": [network]}))
    assert (found.in_place, found.best_order, found.optimizer, found.settings) == (
        False,
        False,
        "sgd",
        (),
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "main.json is no JSON: Expecting value"),
        ("{", "main.json is no JSON: Expecting property name"),
        ("[]", "main.json is no report of convcalc: the report has no `schema_version`"),
        ("null", "the report has no `schema_version`"),
        ('{"schema_version": 2, "networks": []}', "its schema_version is 2, not 1"),
        ('{"schema_version": true, "networks": []}', "schema_version is no whole number"),
        ('{"schema_version": 1}', "the report has no `networks`"),
        ('{"schema_version": 1, "networks": {}}', "networks is no list"),
        ('{"schema_version": 1, "networks": [{}]}', "networks[0] has no `totals`"),
        ("[" * 100_000, "nested too deeply"),
        ('{"schema_version": ' + "9" * 10_000 + "}", "a number is too long"),
    ],
)
def test_what_is_no_report_is_refused(text, says):
    assert says in refusal(text).message


def test_a_syntax_error_has_its_place():
    finding = refusal('{"schema_version": 1,\n  oops}')
    assert (finding.place.line, finding.place.column) == (2, 3)


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        (("totals", "macs"), -1, "networks[0].totals.macs is no whole number of 0 or more"),
        (("totals", "macs"), 1.5, "networks[0].totals.macs is no whole number of 0 or more"),
        (("totals", "macs"), float("nan"), "networks[0].totals.macs is no whole number"),
        (("totals", "operations", "adds"), "1", "networks[0].totals.operations.adds is no whole"),
        (("dtype", "weights"), "float33", "networks[0].dtype.weights is no number format"),
        (("name",), None, "networks[0].name is no text"),
        (("layers", 0, "output_shape"), 3, "networks[0].layers[0].output_shape is no list"),
        (("totals", "macs"), 10**30 + 1, "networks[0].totals.macs is more than any network has"),
        (("settings",), [], "networks[0].settings is no object"),
    ],
)
def test_a_value_that_is_something_else_is_named(report, path, value, says):
    changed = json.loads(json.dumps(report))
    *way, last = ("networks", 0, *path)
    at = changed
    for key in way:
        at = at[key]
    at[last] = value
    assert says in refusal(json.dumps(changed)).message


@given(st.data())
def test_a_report_with_anything_missing_or_changed_is_read_or_refused(report, data):
    text = json.dumps(report)
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 30)))
    changed = text[:start] + data.draw(st.text(max_size=5)) + text[end:]
    try:
        found = {catalogue.BAD_BASELINE for _ in read(changed)}
    except ConvcalcError as error:
        found = {finding.code for finding in error.findings}
    assert found <= {catalogue.BAD_BASELINE}


class TestUpdating:
    def test_a_new_report_has_the_networks(self, lenet):
        assert read(updated_report(None, [lenet], "0.1.0")) == (recorded(lenet),)

    def test_networks_of_the_same_name_are_replaced_and_others_stay(self, lenet):
        old = networks_json([analyze_graph(load("alexnet")), analyze_graph(load("lenet5"))], "0.1")
        fresh = analyze_graph(load("vgg"))
        found = read(updated_report(old, [lenet, fresh], "0.1.0"))
        assert [(each.name, each.batch) for each in found] == [
            ("alexnet", 1),
            ("lenet5", 2),
            ("vgg11", 1),
        ]
