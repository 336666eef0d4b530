"""Fully connected layers."""

import pytest

from convcalc.algebra import symbol
from convcalc.errors import catalogue
from convcalc.layers.declaration import POINTWISE, Kept, Memory, Operations, Window
from convcalc.layers.linear import Linear


def test_the_classifier_of_resnet(run_layer):
    found = run_layer(Linear(out_features=1000), (2048,))
    assert found.output == (1000,)
    assert found.weights == {"weight": (1000, 2048), "bias": (1000,)}
    assert found.buffers == {}
    # 1,000 · 2,048 = 2,048,000
    assert found.operations == Operations(macs=2_048_000, adds=1_000)
    assert found.windows is None  # each feature sees all features
    assert Linear.memory is Memory.ALLOCATES


def test_its_weights_learn_from_its_input():
    assert Linear(out_features=10).kept_for_backward(((84,),), (10,)) == Kept(inputs=True)


def test_without_bias_nothing_is_added(run_layer):
    found = run_layer(Linear(out_features=10, bias=False), (84,))
    assert found.weights == {"weight": (10, 84)}
    assert found.operations == Operations(macs=840)


def test_with_more_axes_it_connects_the_last_at_each_position_of_the_others(run_layer):
    found = run_layer(Linear(out_features=32, in_features=16), (4, 5, 16))
    assert found.output == (4, 5, 32)
    assert found.weights == {"weight": (32, 16), "bias": (32,)}
    # 4 · 5 · 32 = 640; · 16 = 10,240
    assert found.operations == Operations(macs=10_240, adds=640)


def test_only_the_last_axis_is_seen_whole(run_layer):
    layer = Linear(out_features=32, in_features=16)
    assert run_layer(layer, (4, 16)).windows == (Window(16, 0, 0),)
    assert run_layer(layer, (4, 5, 16)).windows == (POINTWISE, Window(16, 0, 0))
    assert run_layer(layer, (4, 5, 6, 16)).windows == (POINTWISE, POINTWISE, Window(16, 0, 0))


def test_the_features_of_a_vector_may_be_stated(run_layer):
    assert run_layer(Linear(out_features=2, in_features=3), (3,)).output == (2,)


@pytest.mark.parametrize(("shape", "text"), [((512, 8), "512×8"), ((512, 7, 8), "512×7×8")])
def test_a_feature_map_must_be_flattened_or_meant(refusal, shape, text):
    finding = refusal(Linear(out_features=10), shape)
    assert finding.code is catalogue.WRONG_RANK
    assert finding.field is None
    assert finding.message == f"`linear` needs a vector, but the input of `{{name}}` is {text}"
    assert "put `flatten` before it" in finding.help
    assert finding.help.endswith("say `in_features: 8`")


@pytest.mark.parametrize(("shape", "actual"), [((512,), 512), ((4, 7), 7)])
def test_stated_features_must_be_those_of_the_input(refusal, shape, actual):
    finding = refusal(Linear(out_features=10, in_features=256), shape)
    assert finding.code is catalogue.INPUT_SIZE_MISMATCH
    assert finding.field == "in_features"
    assert finding.operands == (0,)
    assert finding.message == (
        f"`in_features` is 256, but the input of `{{name}}` has {actual} features"
    )


def test_stated_features_of_a_free_size_pass(run_layer):
    f = symbol("F")
    assert run_layer(Linear(out_features=10, in_features=256), (f,)).weights["weight"] == (10, f)
