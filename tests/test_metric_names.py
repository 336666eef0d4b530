"""The metrics: their names, and that every one of them is there in an analysis."""

import pytest
from checks import analysis as analyzed

from convcalc.analysis.metrics import value_of
from convcalc.metrics import BUDGET_METRICS, METRICS, metric


@pytest.mark.parametrize("each", BUDGET_METRICS, ids=lambda each: each.key)
def test_a_metric_is_found_by_its_key_and_by_its_budget_name(each):
    assert metric(each.key) is each
    assert metric(each.name) is each


@pytest.mark.parametrize("name", ["", "parms", "Params", "macs_share", "activation", "network"])
def test_other_names_are_none(name):
    with pytest.raises(KeyError):
        metric(name)


def test_no_two_metrics_share_a_name():
    names = [name for each in BUDGET_METRICS for name in {each.key, each.name}]
    assert len(names) == len(set(names))


def test_a_budget_speaks_of_memory_in_words():
    assert {each.key: each.name for each in BUDGET_METRICS if each.short} == {
        "activation_bytes": "activations",
        "peak_activation_bytes": "peak_memory",
        "weight_bytes": "weight_memory",
        "inference_bytes": "inference_memory",
        "training_bytes": "training_memory",
    }


def test_a_budget_may_bound_all_that_a_report_has_and_more():
    assert BUDGET_METRICS[: len(METRICS)] == METRICS
    assert [each.key for each in BUDGET_METRICS[len(METRICS) :]] == [
        *("layers", "receptive_field", "read_bytes", "written_bytes"),
        *("intensity", "reuse", "time"),
    ]


def test_units_are_those_that_amounts_have():
    assert {each.unit for each in METRICS} == {"count", "bytes"}
    assert {each.unit for each in BUDGET_METRICS} == {"count", "bytes", "seconds", "ratio"}
    for each in BUDGET_METRICS:
        assert (each.unit == "bytes") == each.key.endswith("_bytes")


def test_a_noun_stands_inside_a_sentence():
    assert metric("macs").noun == "multiply-adds"
    assert metric("peak_memory").noun == "peak activation memory"
    assert metric("flops").noun == "FLOPs"


def test_number_of_a_noun():
    plural = {each.title for each in BUDGET_METRICS if each.is_plural}
    assert {"Parameters", "Multiply-adds", "FLOPs", "Bytes read", "Layers"} <= plural
    assert not plural & {"Peak activation memory", "Weight reuse", "Time", "Receptive field"}


@pytest.mark.parametrize("each", METRICS, ids=lambda each: each.key)
def test_every_metric_of_a_report_is_in_an_analysis(each, tmp_path):
    found = analyzed(tmp_path)
    whole = value_of(each.key, found)
    assert type(whole) is int
    if not each.of_layers:
        assert not hasattr(found.layers[0], each.key)
        return
    parts = [value_of(each.key, layer) for layer in found.layers]
    assert all(type(part) is int for part in parts)
    assert each.adds_up
    assert sum(parts) == whole


def test_a_few_metrics_have_the_numbers_worked_out_by_hand(tmp_path):
    found = analyzed(tmp_path)
    # checks.SPEC: 448 + 136 parameters of 4 B each, 27,648 + 8,192 multiply-adds.
    for key, value in {"params": 584, "weight_bytes": 2336, "macs": 35840}.items():
        assert value_of(key, found) == value
