"""Layers folded into groups by their names."""

import pytest

from convcalc.analysis import analyze_graph
from convcalc.analysis.grouping import (
    READABLE_ROWS,
    all_groups,
    depth_that_fits,
    groups_at,
    groups_named,
    layers_named,
)
from convcalc.layers.activation import Relu
from convcalc.layers.convolution import Conv


@pytest.fixture
def analysis(network):
    """A network with a stem, two stages and layers that stand alone; every layer has 10 elements.

    A conv of 1×1 from one channel to one, without bias, has a parameter and 10 multiply-adds.
    """
    net = network(input=(1, 10))
    conv = Conv(out_channels=1, kernel_size=1, bias=False)
    for name, layer in {
        "stem.conv": conv,
        "stem.relu": Relu(),
        "stage1.block1.conv": conv,
        "stage1.block1.relu": Relu(),
        "stage1.block2.conv": conv,
        "stage2.block1.conv": conv,
        "relu": Relu(),
        "stage1.late": Relu(),
        "alone.conv": conv,
    }.items():
        net.add(name, layer)
    return analyze_graph(net.graph())


def rows(groups):
    return [(group.name, group.kind, group.cost.macs, group.cost.flops) for group in groups]


def test_at_depth_1_there_is_a_row_for_each_first_part(analysis):
    assert rows(groups_at(analysis, 1)) == [
        ("stem", "2 layers", 10, 30),
        ("stage1", "4 layers", 20, 60),  # its late layer stands with the others
        ("stage2", "1 layer", 10, 20),
        ("relu", "relu", 0, 10),
        ("alone", "1 layer", 10, 20),
    ]


def test_at_depth_2_blocks_stand_apart(analysis):
    assert rows(groups_at(analysis, 2)) == [
        ("stem.conv", "conv", 10, 20),
        ("stem.relu", "relu", 0, 10),
        ("stage1.block1", "2 layers", 10, 30),
        ("stage1.block2", "1 layer", 10, 20),
        ("stage2.block1", "1 layer", 10, 20),
        ("relu", "relu", 0, 10),
        ("stage1.late", "relu", 0, 10),
        ("alone.conv", "conv", 10, 20),
    ]


@pytest.mark.parametrize("depth", [3, 4, 99, None])
def test_at_full_depth_every_layer_stands_alone(analysis, depth):
    groups = groups_at(analysis, depth)
    assert [group.name for group in groups] == [layer.name for layer in analysis.layers]
    assert [group.cost for group in groups] == [layer.cost for layer in analysis.layers]
    assert [group.kind for group in groups] == [layer.kind for layer in analysis.layers]


@pytest.mark.parametrize("depth", [1, 2, 3, None])
def test_nothing_is_lost_or_counted_twice(analysis, depth):
    groups = groups_at(analysis, depth)
    assert sum(group.cost.flops for group in groups) == analysis.flops
    assert sum(group.cost.params for group in groups) == 5
    assert sum(len(group.layers) for group in groups) == 9


def test_the_output_of_a_group_is_that_of_its_last_layer(network):
    net = network(input=(3, 8)).chain(
        **{
            "stem.wide": Conv(out_channels=9, kernel_size=1),
            "stem.same": Conv(out_channels=7, kernel_size=1),
            "stem.narrow": Conv(out_channels=2, kernel_size=5),
        }
    )
    [group] = groups_at(analyze_graph(net.graph()), 1)
    assert group.output_shape == (2, 4)


def test_a_network_that_is_readable_is_not_folded(analysis):
    assert depth_that_fits(analysis) is None
    assert depth_that_fits(analysis, rows=9) is None


@pytest.mark.parametrize(("rows", "depth"), [(8, 2), (7, 1), (5, 1), (4, 1), (0, 1)])
def test_a_network_is_folded_as_little_as_fits(analysis, rows, depth):
    # 5 groups at depth 1, 8 at depth 2, 9 at depth 3; at depth 1 it is folded even if too long.
    assert depth_that_fits(analysis, rows) == depth


def test_forty_rows_are_readable(network):
    for count, depth in ((READABLE_ROWS, None), (READABLE_ROWS + 1, 1)):
        net = network(input=(1, 1))
        for n in range(count):
            net.add(f"relu{n}", Relu())
        assert depth_that_fits(analyze_graph(net.graph())) == depth
    assert READABLE_ROWS == 40


def test_a_network_without_layers_has_no_groups(network):
    analysis = analyze_graph(network(input=(3,)).graph())
    assert depth_that_fits(analysis) is None
    assert groups_at(analysis, None) == groups_at(analysis, 1) == ()
    assert all_groups(analysis) == groups_named(analysis, "*") == layers_named(analysis, "*") == ()


def test_all_groups_are_those_of_every_depth(analysis):
    assert rows(all_groups(analysis)) == [
        ("stem", "2 layers", 10, 30),
        ("stage1", "4 layers", 20, 60),
        ("stage1.block1", "2 layers", 10, 30),
        ("stage1.block2", "1 layer", 10, 20),
        ("stage2", "1 layer", 10, 20),
        ("stage2.block1", "1 layer", 10, 20),
        ("alone", "1 layer", 10, 20),
    ]  # a layer that stands alone is no group


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("relu", ["relu"]),
        ("stem.relu", ["stem.relu"]),
        ("stage2.*", ["stage2.block1.conv"]),
        (
            "stage1.*",  # at every depth
            ["stage1.block1.conv", "stage1.block1.relu", "stage1.block2.conv", "stage1.late"],
        ),
        ("*.relu", ["stem.relu", "stage1.block1.relu"]),
        ("stage?.block1.conv", ["stage1.block1.conv", "stage2.block1.conv"]),
        ("stage1", []),  # a group is no layer
        ("stage3.*", []),
        ("", []),
    ],
)
def test_layers_are_named_by_their_whole_names(analysis, pattern, names):
    assert [layer.name for layer in layers_named(analysis, pattern)] == names


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("stem", ["stem"]),
        ("stage*", ["stage1", "stage2"]),  # and nothing inside them
        ("*", ["stem", "stage1", "stage2", "alone"]),
        ("stage1.*", ["stage1.block1", "stage1.block2"]),
        ("*.block1", ["stage1.block1", "stage2.block1"]),
        ("*.*", ["stage1.block1", "stage1.block2", "stage2.block1"]),
        ("relu", []),  # a layer that stands alone is no group
        ("*.*.*", []),
        ("stage1.", []),
        ("", []),
    ],
)
def test_groups_are_named_part_by_part(analysis, pattern, names):
    assert [group.name for group in groups_named(analysis, pattern)] == names
