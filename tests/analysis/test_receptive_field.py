"""What output positions see of the input, against sets of positions followed one by one."""

from random import Random

import pytest

from convcalc.algebra import symbol
from convcalc.analysis.receptive_field import ReceptiveField, receptive_fields
from convcalc.layers.activation import Relu, Sigmoid, Softmax
from convcalc.layers.convolution import Conv, DepthwiseConv
from convcalc.layers.linear import Linear
from convcalc.layers.merging import Add, Concat, Mul
from convcalc.layers.normalization import BatchNorm
from convcalc.layers.pooling import AdaptiveAvgPool, AvgPool, GlobalAvgPool, MaxPool
from convcalc.layers.shaping import Flatten


def conv(k, s=1, p=0, d=1, channels=1):
    return Conv(out_channels=channels, kernel_size=k, stride=s, padding=p, dilation=d)


def last(net, *outputs):
    """The receptive field of the last layer."""
    return receptive_fields(net.graph(*outputs))[-1]


def test_an_input_sees_itself(network):
    assert last(network(input=(3, 8, 9))) == ReceptiveField((1, 1), (1, 1), (0, 0))
    assert last(network(input=(10,))) == ReceptiveField((), (), ())


def test_each_window_widens_the_field_by_the_steps_so_far(network):
    net = network(input=(3, 64)).chain(
        a=conv(7, s=2, p=3),  # 7, jump 2, from −3
        b=MaxPool(kernel_size=3, stride=2, padding=1),  # 7 + 2·2, jump 4, from −3 − 2
        c=conv(3, d=2, p=2),  # 11 + 4·4, from −5 − 2·4
        d=Relu(),
        e=DepthwiseConv(kernel_size=2, stride=3),  # 27 + 4, jump 12
    )
    assert receptive_fields(net.graph()) == (
        ReceptiveField((1,), (1,), (0,)),
        ReceptiveField((7,), (2,), (-3,)),
        ReceptiveField((11,), (4,), (-5,)),
        ReceptiveField((27,), (4,), (-13,)),
        ReceptiveField((27,), (4,), (-13,)),
        ReceptiveField((31,), (12,), (-13,)),
    )


def test_each_axis_has_its_own_field(network):
    net = network(input=(3, 20, 30)).chain(a=conv((1, 7), p=(0, 3)), b=conv((3, 1), s=(2, 1)))
    assert last(net) == ReceptiveField((3, 7), (2, 1), (0, -3))


def vgg16(network):
    net = network(input=(3, 224, 224))
    for stage, depth in enumerate((2, 2, 3, 3, 3), start=1):
        for n in range(depth):
            net.add(f"conv{stage}_{n}", conv(3, p=1))
        net.add(f"pool{stage}", MaxPool(kernel_size=2))
    return net


def test_the_field_of_vgg16_is_the_published_one(network):
    # Araujo, Norris and Sim (2019): receptive field 212, effective stride 32, padding 90.
    assert last(vgg16(network)) == ReceptiveField((212, 212), (32, 32), (-90, -90))


def test_the_field_of_alexnet_is_the_published_one(network):
    # The same: alexnet_v2 has 195, 32 and 64.
    net = network(input=(3, 224, 224)).chain(
        conv1=conv(11, s=4),
        pool1=MaxPool(kernel_size=3, stride=2),
        conv2=conv(5, p=2),
        pool2=MaxPool(kernel_size=3, stride=2),
        conv3=conv(3, p=1),
        conv4=conv(3, p=1),
        conv5=conv(3, p=1),
        pool5=MaxPool(kernel_size=3, stride=2),
    )
    assert last(net) == ReceptiveField((195, 195), (32, 32), (-64, -64))


def test_a_stack_of_wavenet_sees_1024_samples(network):
    # van den Oord et al. (2016): dilations 1, 2, 4 … 512, kernel 2, each padded on the left alone.
    net = network(input=(1, 2048))
    for n in range(10):
        net.add(f"dilated{n}", conv(2, d=2**n, p=((2**n, 0),)))
    assert last(net) == ReceptiveField((1024,), (1,), (-1023,))


def test_same_padding_goes_by_the_size_of_the_input(network):
    # 8 in steps of 2: windows of 3 span 9, one more, which is padded after; of 7 it is before too.
    assert last(network(input=(1, 8)).chain(a=conv(3, s=2, p="same"))).start == (0,)
    assert last(network(input=(1, 7)).chain(a=conv(3, s=2, p="same"))).start == (-1,)


# -- what sees everything -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "layers",
    [
        {"pool": GlobalAvgPool()},
        {"pool": AdaptiveAvgPool(output_size=1)},
        {"flatten": Flatten()},
        {"pool": GlobalAvgPool(), "flatten": Flatten(), "linear": Linear(out_features=9)},
    ],
)
def test_global_layers_see_from_the_first_position_to_the_last(network, layers):
    net = network(input=(2, 9, 14)).chain(conv=conv(3, s=2, p=1), **layers)
    # 5 positions of jump 2 and size 3 on the height: 4·2 + 3 = 11 from −1; 7 on the width: 15.
    assert last(net) == ReceptiveField((11, 15), (10, 14), (-1, -1))


def test_behind_joined_axes_the_field_stays(network):
    net = network(input=(2, 6, 6)).chain(
        flatten=Flatten(start_dim=2), conv=conv(5, s=3, p=2), again=Flatten(), relu=Relu()
    )
    fields = receptive_fields(net.graph())
    assert fields[1:] == (ReceptiveField((6, 6), (6, 6), (0, 0)),) * 4


def test_a_join_of_one_axis_changes_nothing(network):
    net = network(input=(2, 9)).chain(conv=conv(3), flatten=Flatten(end_dim=1), next=conv(3))
    assert last(net) == ReceptiveField((5,), (1,), (0,))


def test_adaptive_windows_are_those_of_a_pool_where_they_fit(network):
    adaptive = network(input=(1, 12, 12)).chain(a=AdaptiveAvgPool(output_size=(4, 3)))
    fixed = network(input=(1, 12, 12)).chain(a=AvgPool(kernel_size=(3, 4)))
    assert last(adaptive) == last(fixed) == ReceptiveField((3, 4), (3, 4), (0, 0))


def test_adaptive_windows_that_do_not_fit_are_taken_at_their_widest(network):
    # 7 to 3: 0–2, 2–4, 4–6, so 3 in steps of 2; 7 to 4: 0–1, 1–3, 3–5, 5–6, so 3 in steps of 2
    # at most; then two neighbours together see at most 3 + 2 = 5.
    net = network(input=(1, 7, 7)).chain(pool=AdaptiveAvgPool(output_size=(3, 4)))
    assert last(net).size == (3, 3)
    assert last(net.chain(conv=conv(2))).size[1] == 5


def test_a_linear_layer_on_a_map_sees_the_last_axis_from_every_position(network):
    net = network(input=(2, 9, 8)).chain(
        conv=conv(3), linear=Linear(out_features=5, in_features=6), next=conv(3)
    )
    # The width is 8 wide, seen whole from everywhere: another window does not widen that.
    assert last(net) == ReceptiveField((5, 8), (1, 0), (0, 0))


def test_a_softmax_over_positions_sees_them_all(network):
    net = network(input=(2, 9, 8)).chain(softmax=Softmax(dim=2), next=conv(3))
    assert last(net) == ReceptiveField((9, 3), (0, 1), (0, 0))


def test_a_norm_with_statistics_of_its_input_sees_all_of_it(network):
    kept = network(input=(2, 9, 8)).chain(norm=BatchNorm())
    assert last(kept) == ReceptiveField((1, 1), (1, 1), (0, 0))
    own = network(input=(2, 9, 8)).chain(norm=BatchNorm(track_running_stats=False))
    assert last(own) == ReceptiveField((9, 8), (0, 0), (0, 0))


# -- branches -------------------------------------------------------------------------------------


def test_branches_are_seen_from_the_least_start_to_the_greatest_end(network):
    net = network(input=(4, 28, 28))
    net.add("three", conv(3, p=1), "input")  # −1 to 1
    net.add("five", conv((5, 1), p=((0, 4), 0)), "input")  # 0 to 4 on the height
    net.add("join", Concat(), "three", "five", "input")
    assert last(net) == ReceptiveField((6, 3), (1, 1), (-1, -1))


def test_a_residual_block_sees_what_its_body_does(network):
    net = network(input=(4, 28, 28))
    net.add("body1", conv(3, s=2, p=1, channels=8), "input")
    net.add("body2", conv(3, p=1, channels=8))
    net.add("shortcut", conv(1, s=2, channels=8), "input")
    net.add("sum", Add(), "body2", "shortcut")
    assert last(net) == ReceptiveField((7, 7), (2, 2), (-3, -3))


def test_a_gate_sees_everything_but_does_not_stretch_the_steps(network):
    net = network(input=(4, 20, 20))
    net.add("conv", conv(3, s=2, p=1, channels=4))  # 3, jump 2, from −1; 10 positions
    net.add("pool", GlobalAvgPool())
    net.add("gate", Sigmoid())
    net.add("gated", Mul(), "conv", "gate")
    # The first position sees its own −1 to 1, and through the gate −1 to 9·2 + 1 = 19.
    assert last(net) == ReceptiveField((21, 21), (2, 2), (-1, -1), aligned=False)
    net.add("next", conv(3, p=1))
    # Its own path grows to −3 … 3, the gate's stays.
    assert last(net) == ReceptiveField((23, 23), (2, 2), (-3, -3), aligned=False)
    net.add("end", GlobalAvgPool())
    # −3 to 3 + 9·2 = 21: 25 positions
    assert last(net).size == (25, 25)


def test_a_gate_with_its_map_behind_it_is_the_same(network):
    net = network(input=(4, 20))
    net.add("gate", GlobalAvgPool())
    net.add("gated", Mul(), "gate", "input")
    assert last(net) == ReceptiveField((20,), (1,), (0,), aligned=False)


def test_where_there_is_one_position_its_step_does_not_matter(network):
    net = network(input=(4, 20))
    net.add("whole", conv(20, channels=4), "input")
    net.add("pool", GlobalAvgPool(), "input")
    net.add("sum", Add(), "whole", "pool")
    assert last(net) == ReceptiveField((20,), (20,), (0,))


def test_branches_of_different_steps_are_reported(network):
    net = network(input=(1, 2))
    net.add("conv", conv(1, s=3, p=2), "input")  # ⌊(2 + 4 − 1)/3⌋ + 1 = 2 positions, jump 3
    net.add("sum", Add(), "conv", "input")
    assert last(net) == ReceptiveField((3,), (3,), (-2,), aligned=False)


def test_flattened_branches_meet_where_there_are_no_positions(network):
    net = network(input=(2, 8, 8))
    net.add("strided", conv(3, s=2, p=1), "input")
    net.add("left", Flatten())
    net.add("right", Flatten(), "input")
    net.add("join", Concat(), "left", "right")
    assert last(net) == ReceptiveField((9, 9), (8, 8), (-1, -1))


def test_a_vector_beside_an_image_has_no_positions(network):
    net = network(image=(2, 8, 8), facts=(5,))
    net.add("flat", Flatten(), "image")
    net.add("join", Concat(), "facts", "flat")
    assert last(net) == ReceptiveField((8, 8), (8, 8), (0, 0))


def test_free_sizes_give_formulas(network):
    h = symbol("H")
    net = network(input=(3, h)).chain(conv=conv(3, s=2, p=1), pool=GlobalAvgPool())
    # ⌊(H + 2 − 3)/2⌋ + 1 positions: the last starts 2·⌊(H − 1)/2⌋ after the first
    assert last(net).size == (2 * ((h - 1) // 2) + 3,)
    net.add("sum", Add(), "conv", "conv")
    assert last(net) == ReceptiveField((3,), (2,), (-1,))


# -- against sets of positions --------------------------------------------------------------------


def followed(graph):
    """The input positions that each position of each node sees, on one axis, one by one."""
    seen = []
    for node in graph.nodes:
        if not node.inputs:
            seen.append([{position} for position in range(node.shape[1])])
            continue
        first = seen[node.inputs[0]]
        layer = node.layer
        if isinstance(layer, Conv | MaxPool):
            k, s, p, d = layer.kernel_size, layer.stride, layer.padding, layer.dilation
            before = p[0][0] if isinstance(p, tuple) else p
            taps = [[j * s - before + n * d for n in range(k)] for j in range(node.shape[1])]
            seen.append(
                [set().union(*(first[t] for t in tap if 0 <= t < len(first))) for tap in taps]
            )
        elif isinstance(layer, GlobalAvgPool):
            seen.append([set().union(*first)])
        elif isinstance(layer, Relu):
            seen.append(first)
        else:
            size = node.shape[1]
            parts = [seen[n] * size if len(seen[n]) == 1 else seen[n] for n in node.inputs]
            seen.append([set().union(*sets) for sets in zip(*parts, strict=True)])
    return seen


def random_network(network, draw, length):
    """A network of chains and branches whose paths have the same jumps."""
    net = network(input=(1, length))
    here, count = "input", 0

    def name():
        nonlocal count
        count += 1
        return f"n{count}"

    def window(stride):
        k, d = draw.randint(1, 4), draw.randint(1, 3)
        if draw.random() < 0.3:
            p = draw.randint(0, k // 2)
            return MaxPool(kernel_size=k, stride=stride, padding=p, dilation=d)
        before = draw.randint(0, 4)
        return conv(k, s=stride, d=d, p=((before, d * (k - 1) + 8 - before),))

    for _ in range(draw.randint(1, 5)):
        stride = draw.choice([1, 1, 2, 3])
        branches = [net.add(name(), window(stride), here) for _ in range(draw.choice([1, 1, 2, 3]))]
        for n, branch in enumerate(branches):
            if draw.random() < 0.4:
                branches[n] = net.add(name(), window(1), branch)
        shortest = min(net.nodes[net.position(branch)].shape[1] for branch in branches)
        cut = []
        for branch in branches:
            # A branch that is longer than another loses its end.
            size = net.nodes[net.position(branch)].shape[1]
            cut.append(net.add(name(), conv(1 + size - shortest, p=0), branch))
        here = net.add(name(), Concat(), *cut) if len(cut) > 1 else cut[0]
        if len(cut) > 1:
            here = net.add(name(), conv(1), here)
    return net


@pytest.mark.parametrize("seed", range(40))
def test_fields_are_those_of_positions_followed_one_by_one(network, seed):
    draw = Random(seed)  # noqa: S311 - no secret
    graph = random_network(network, draw, length=draw.randint(150, 400)).graph()
    compared = 0
    for node, field, seen in zip(
        graph.nodes, receptive_fields(graph), followed(graph), strict=True
    ):
        assert field.aligned
        assert len(seen) == node.shape[1]
        [size], [jump], [start], _ = field
        for j, positions in enumerate(seen):
            begin = start + j * jump
            if begin >= 0 and begin + size <= graph.nodes[0].shape[1]:  # away from the border
                assert (min(positions), max(positions)) == (begin, begin + size - 1)
                compared += 1
    assert compared


@pytest.mark.parametrize("seed", range(10))
def test_behind_a_gate_the_field_covers_all_that_is_seen(network, seed):
    draw = Random(seed)  # noqa: S311 - no secret
    net = random_network(network, draw, length=100)
    before = last(net)
    body = net.nodes[-1].name
    net.add("pool", GlobalAvgPool(), body)
    net.add("gated", Mul(), body, "pool")
    net.add("next", conv(3, s=2, p=1))
    graph = net.graph()
    field = receptive_fields(graph)[-1]
    assert field.jump == (2 * before.jump[0],)
    [first, *_] = followed(graph)[-1]
    assert field.start[0] <= min(first)
    assert field.start[0] + field.size[0] > max(first)
    # No more than the whole of the body, and a window around its first position.
    positions = net.nodes[net.position(body)].shape[1]
    whole = before.size[0] + (positions - 1) * before.jump[0]
    assert field.size[0] <= max(whole, before.size[0] + before.jump[0]) + before.jump[0]
