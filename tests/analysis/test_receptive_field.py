"""What output positions see of the input, against sets of positions followed one by one."""

from fractions import Fraction
from functools import cache
from math import ceil, floor
from random import Random

import pytest

from convcalc.algebra import UndecidableError, symbol
from convcalc.analysis import receptive_field
from convcalc.analysis.receptive_field import Path, ReceptiveField, receptive_fields
from convcalc.layers.activation import Relu, Sigmoid, Softmax
from convcalc.layers.attention import MultiHeadAttention, ToTokens
from convcalc.layers.convolution import Conv, ConvTranspose, DepthwiseConv
from convcalc.layers.linear import Linear
from convcalc.layers.merging import Add, Concat, Mul
from convcalc.layers.normalization import BatchNorm, LayerNorm
from convcalc.layers.pooling import (
    AdaptiveAvgPool,
    AvgPool,
    GlobalAvgPool,
    GlobalMaxPool,
    MaxPool,
)
from convcalc.layers.resizing import Crop, Pad, PixelShuffle, PixelUnshuffle, Upsample
from convcalc.layers.shaping import ChannelSlice, Dropout, Flatten, Permute, Split


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


def test_what_reads_the_channels_of_one_position_leaves_the_field_as_it_is(network):
    # As in ConvNeXt: between two 3×3, with the channels last, layers of each position alone.
    net = network(input=(4, 9, 9))
    net.add("first", conv(3, channels=4))
    net.add("last", Permute(dims=(0, 2, 3, 1)))
    for name, layer in (
        ("norm", LayerNorm(normalized_shape=(4,))),
        ("wider", Linear(out_features=16, in_features=4)),
        ("relu", Relu()),
        ("narrow", Linear(out_features=4, in_features=16)),
    ):
        net.add(name, layer)
    net.add("turned", Permute(dims=(0, 3, 1, 2)))
    net.add("second", conv(3, channels=4))
    fields = receptive_fields(net.graph())
    assert [field.size for field in fields] == [(1, 1), *[(3, 3)] * 7, (5, 5)]
    assert {field.jump for field in fields} == {(1, 1)}


def test_one_axis_is_turned_too(network):
    net = network(input=(4, 9)).chain(
        first=conv(3, channels=4),
        last=Permute(dims=(0, 2, 1)),
        norm=LayerNorm(),
        linear=Linear(out_features=4, in_features=4),
        turned=Permute(dims=(0, 2, 1)),
        second=conv(3),
    )
    assert last(net) == ReceptiveField((5,), (1,), (0,))


def test_what_mixes_the_positions_of_a_turned_map_sees_all_of_it(network):
    net = network(input=(4, 9, 12), other=(7, 10, 4))
    net.add("first", conv(3, channels=4), "input")  # 4×7×10
    net.add("last", Permute(dims=(0, 2, 3, 1)))  # 7×10×4
    net.add("mixed", conv(3))  # over the width and the channels
    assert last(net) == ReceptiveField((9, 12), (0, 0), (0, 0))
    # Beside an input of this shape, of which each position sees its own.
    net.add("sum", Add(), "last", "other")
    assert last(net) == ReceptiveField((9, 12), (1, 1), (0, 0), aligned=False)


@pytest.mark.parametrize("norm", [LayerNorm(dim=1), LayerNorm(normalized_shape=(10, 4))])
def test_a_norm_over_positions_of_a_turned_map_sees_all_of_it(network, norm):
    net = network(input=(4, 9, 12)).chain(
        first=conv(3, channels=4), last=Permute(dims=(0, 2, 3, 1)), norm=norm
    )
    assert last(net) == ReceptiveField((9, 12), (0, 0), (0, 0))


def test_of_a_turned_map_those_positions_count_that_are_there(network):
    # Copies 0 0 1 1 and a window of 4: there is one position, in three channels, and it sees both.
    net = network(input=(1, 2)).chain(up=Upsample(scale_factor=2), conv=conv(4, channels=3))
    before = last(net)
    assert before.size == (2,)
    assert last(net.chain(turned=Permute(dims=(0, 2, 1)))) == before


def test_behind_joined_axes_the_field_stays(network):
    net = network(input=(2, 6, 6)).chain(
        flatten=Flatten(start_dim=2), conv=conv(5, s=3, p=2), again=Flatten(), relu=Relu()
    )
    fields = receptive_fields(net.graph())
    # Of the 36 positions in a row none is at a place of the two axes any more: all see all.
    assert fields[1:] == (ReceptiveField((6, 6), (0, 0), (0, 0)),) * 4


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


def test_a_linear_layer_on_an_image_does_not_make_it_tokens(network):
    net = network(input=(2, 9, 8)).chain(linear=Linear(out_features=5, in_features=8))
    assert receptive_fields(net.graph()) == (
        ReceptiveField((1, 1), (1, 1), (0, 0)),
        ReceptiveField((1, 8), (1, 0), (0, 0)),
    )


def test_a_softmax_over_positions_sees_them_all(network):
    net = network(input=(2, 9, 8)).chain(softmax=Softmax(dim=2), next=conv(3))
    assert last(net) == ReceptiveField((9, 3), (0, 1), (0, 0))


def test_a_norm_with_statistics_of_its_input_sees_all_of_it(network):
    kept = network(input=(2, 9, 8)).chain(norm=BatchNorm())
    assert last(kept) == ReceptiveField((1, 1), (1, 1), (0, 0))
    own = network(input=(2, 9, 8)).chain(norm=BatchNorm(track_running_stats=False))
    assert last(own) == ReceptiveField((9, 8), (0, 0), (0, 0))


def test_several_positions_that_see_everything_are_no_step_apart(network):
    net = network(input=(2, 6, 8)).chain(turn=Permute(dims=(0, 1, 3, 2)))
    assert last(net) == ReceptiveField((6, 8), (0, 0), (0, 0))
    net.add("conv", conv(3, p=1))
    assert last(net) == ReceptiveField((6, 8), (0, 0), (0, 0))


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


@pytest.mark.parametrize("branches", [("whole", "half"), ("half", "whole")])
def test_of_formulas_the_one_that_is_no_less_is_seen(network, branches):
    # Of every second position the last is 2·⌊(H − 1)/2⌋, at most H − 1; whether it is less depends
    # on H. One step further is 2·⌊(H + 1)/2⌋, which is H or one more.
    h = symbol("H")
    net = network(input=(1, h))
    net.add("whole", GlobalAvgPool(), "input")
    net.add("halved", conv(1, s=2), "input")
    net.add("half", GlobalAvgPool(), "halved")
    net.add("sum", Add(), *branches)
    assert last(net) == ReceptiveField((h,), (2 * ((h + 1) // 2),), (0,))


def test_of_three_formulas_the_one_that_is_no_less_is_seen(network):
    h = symbol("H")
    net = network(input=(1, h))
    net.add("halved", conv(1, s=2), "input")
    net.add("half", GlobalAvgPool(), "halved")
    net.add("whole", GlobalAvgPool(), "input")
    net.add("first", ChannelSlice(dim=2, end=1), "input")
    net.add("sum", Add(), "half", "whole", "first")
    assert last(net) == ReceptiveField((h,), (2 * ((h + 1) // 2),), (0,))


def test_which_formula_is_greater_may_be_open(network):
    # The last of every second position, or the last of every third: that depends on H.
    net = network(input=(1, symbol("H")))
    for stride in (2, 3):
        net.add(f"part{stride}", conv(1, s=stride), "input")
        net.add(f"pool{stride}", GlobalAvgPool())
    net.add("sum", Add(), "pool2", "pool3")
    with pytest.raises(UndecidableError) as caught:
        receptive_fields(net.graph())
    assert caught.value.symbols == {"H"}


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
        [size], [jump], [start], *_ = field
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


# -- finer grids ----------------------------------------------------------------------------------


def deconv(k, s=1, p=0, d=1, channels=1):
    return ConvTranspose(out_channels=channels, kernel_size=k, stride=s, padding=p, dilation=d)


def test_a_transposed_conv_makes_steps_of_half_a_position(network):
    # Position j adds up input positions t with 2t − 1 ≤ j ≤ 2t + 2: two for each j, −1 and 0 first.
    net = network(input=(1, 8)).chain(up=deconv(4, s=2, p=1))
    half = (Fraction(1, 2),)
    assert last(net) == ReceptiveField((2,), half, (-1,), aligned=False, is_uneven=True)
    # A kernel of 3 without padding: one or two, and position 0 is made of 0 alone.
    net = network(input=(1, 8)).chain(up=deconv(3, s=2))
    assert last(net) == ReceptiveField((2,), (Fraction(1, 2),), (-1,), aligned=False)


def test_copies_see_what_their_original_does(network):
    net = network(input=(1, 16, 15)).chain(conv=conv(3, s=2, p=1), up=Upsample(scale_factor=2))
    # Steps of 2 come in halves: 0 and 1 see −1 to 1, then 2 and 3 see 1 to 3.
    assert last(net) == ReceptiveField((3, 3), (1, 1), (-1, -1), aligned=False, is_uneven=True)
    net.add("again", Upsample(scale_factor=2))
    half = (Fraction(1, 2),) * 2
    assert last(net) == ReceptiveField((3, 3), half, (-1, -1), aligned=False, is_uneven=True)


def test_positions_that_see_unequally_many_are_not_called_uneven(network):
    # Kernels of 3 in steps of 2: position 0 is made of 0, 1 of 0, 2 of 0 and 1, 3 of 1.
    assert not last(network(input=(1, 8)).chain(up=deconv(3, s=2))).is_uneven
    # Kernels of 2 meet: 0 and 1 are made of 0, 2 and 3 of 1.
    assert last(network(input=(1, 8)).chain(up=deconv(2, s=2))).is_uneven


def test_tokens_have_no_receptive_field(network):
    attention = MultiHeadAttention(num_heads=4, window=7)
    norms = LayerNorm(), LayerNorm(normalized_shape=(64,))
    for layer in (attention, Linear(out_features=8, in_features=64), *norms):
        net = network(input=(196, 64)).chain(drop=Dropout(), layer=layer, after=Relu())
        assert receptive_fields(net.graph()) == (ReceptiveField((), (), ()),) * 4
    # Over the channels of a row of positions it is a map that is normalized.
    row = network(input=(196, 64)).chain(norm=LayerNorm(dim=1))
    assert last(row) == ReceptiveField((1,), (1,), (0,))
    # Tokens of a map see what the map sees: 2 × 3 positions, all of them.
    made = network(input=(4, 2, 3)).chain(tokens=ToTokens(), norm=LayerNorm())
    assert last(made).size == (2, 3)


def test_tokens_beside_a_map_leave_it_its_receptive_field(network):
    net = network(image=(3, 9, 9), words=(5, 8))
    net.add("conv", conv(3, channels=8), "image")
    net.add("relu", Relu(), "conv")
    net.add("norm", LayerNorm(), "words")
    fields = receptive_fields(net.graph("relu", "norm"))
    assert [field.size for field in fields] == [(1, 1), (), (3, 3), (3, 3), ()]


def test_each_of_several_inputs_may_be_tokens(network):
    net = network(words=(5, 8), others=(6, 8))
    net.add("first", LayerNorm(), "words")
    net.add("second", LayerNorm(), "others")
    fields = receptive_fields(net.graph("first", "second"))
    assert [field.size for field in fields] == [()] * 4


def test_what_a_window_has_made_is_no_input_of_tokens(network):
    net = network(input=(4, 9)).chain(conv=conv(3, channels=4), norm=LayerNorm())
    # 7 positions of 3: 9, all of the input
    assert [field.size for field in receptive_fields(net.graph())] == [(1,), (3,), (9,)]


def test_a_finer_grid_that_is_coarse_again_is_aligned(network):
    net = network(input=(4, 12)).chain(
        up=PixelShuffle(upscale_factor=2), down=conv(2, s=2), conv=conv(3)
    )
    assert last(net) == ReceptiveField((3,), (1,), (0,))


def test_a_long_skip_meets_what_was_made_coarse_and_fine_again(network):
    net = network(input=(1, 32))
    net.add("skip", conv(3, p=1), "input")  # −1 to 1
    net.add("down", MaxPool(kernel_size=2))  # −1 to 2, jump 2
    net.add("deep", conv(3, p=1))  # −3 to 4
    net.add("up", deconv(2, s=2))  # 0 and 1 see −3 to 4, 2 and 3 see −1 to 6
    net.add("meet", Concat(), "skip", "up")
    assert last(net) == ReceptiveField((8,), (1,), (-3,), aligned=False, is_uneven=True)
    net.add("end", conv(3, p=1, channels=1))
    # 0 sees what −1, 0 and 1 do: −5 to 4, 10 positions; 1 what 0, 1 and 2 do: −3 to 6, as many.
    assert last(net) == ReceptiveField((10,), (1,), (-5,), aligned=False, is_uneven=True)


def test_of_a_few_positions_those_count_that_are_there(network):
    # Copies 0 0 1 1: a window of 4 sees 0 and 1; only one a position further would see three.
    one = network(input=(1, 2)).chain(up=Upsample(scale_factor=2), conv=conv(4))
    assert last(one).size == (2,)
    assert last(one).is_uneven
    # Copies 0 0 1 1 2: here is one, and it sees 0 to 2.
    two = network(input=(1, 3)).chain(up=Upsample(size=5), conv=conv(4))
    assert last(two).size == (3,)
    assert not last(two).is_uneven


def test_a_finer_grid_within_what_another_branch_sees_does_not_show(network):
    net = network(input=(1, 48)).chain(base=conv(1, s=2))
    net.add("skip", conv(5, p=2), "base")  # of the input −4 to 4
    net.add("down", conv(1, s=2), "base")
    net.add("up", Upsample(scale_factor=2), "down")  # 2j, or 2 before it
    net.add("join", Concat(), "skip", "up")
    assert last(net) == ReceptiveField((9,), (2,), (-4,))


def test_grids_that_are_made_finer_by_two_and_three_lie_alike_after_six(network):
    net = network(input=(1, 48)).chain(base=conv(1, s=2))
    for r in (2, 3):
        net.add(f"down{r}", conv(1, s=r), "base")
        net.add(f"up{r}", Upsample(scale_factor=r))
    net.add("join", Concat(), "up2", "up3")
    # 0 0 4 4 8 8 and 0 0 0 6 6 6: the third position sees the most, 0 to 4.
    assert last(net) == ReceptiveField((5,), (2,), (0,), aligned=False)


@pytest.mark.parametrize("pool", [GlobalAvgPool(), GlobalMaxPool(), Flatten(), ToTokens()])
def test_all_of_a_finer_grid_is_all_of_the_coarse_one(network, pool):
    net = network(input=(1, 7)).chain(up=Upsample(scale_factor=3), pool=pool)
    assert last(net) == ReceptiveField((7,), (7,), (0,))


@pytest.mark.parametrize("mode", ["nearest", "linear"])
def test_one_position_that_is_stretched_is_all_that_is_seen(network, mode):
    # The image branch of DeepLab: the mean of everything, at every position.
    net = network(input=(1, 9)).chain(
        pool=GlobalAvgPool(), conv=conv(1), up=Upsample(size=9, mode=mode), next=conv(3, p=1)
    )
    assert last(net) == ReceptiveField((9,), (0,), (0,))


def test_a_size_of_a_finer_grid_that_is_not_known_is_said(network):
    doubled = network(input=(1, symbol("H"))).chain(up=Upsample(scale_factor=2))
    half = (Fraction(1, 2),)
    assert last(doubled) == ReceptiveField((1,), half, (0,), aligned=False, is_uneven=True)
    net = network(input=(1, symbol("H"))).chain(up=Upsample(size=64))
    with pytest.raises(UndecidableError) as caught:
        receptive_fields(net.graph())
    assert caught.value.symbols == {"H"}


def read_by(layer, size, shape, j):
    """The input positions that output position j reads on one axis, on a grid without end."""
    if isinstance(layer, ConvTranspose):
        k, s, p, d = layer.kernel_size, layer.stride, layer.padding, layer.dilation
        return {(j + p - n * d) // s for n in range(k) if (j + p - n * d) % s == 0}
    if isinstance(layer, Conv | MaxPool):
        k, s, p, d = layer.kernel_size, layer.stride, layer.padding, layer.dilation
        if isinstance(s, Fraction):
            spread = [j - p + n * d for n in range(k)]
            return {t // s.denominator for t in spread if t % s.denominator == 0}
        return {j * s - p + n * d for n in range(k)}
    if isinstance(layer, Upsample):
        scale = Fraction(size, shape) if layer.size else 1 / Fraction(layer.scale_factor)
        place = (j + Fraction(1, 2)) * scale - Fraction(1, 2)
        if layer.mode == "nearest":
            return {floor(j * scale)}
        return {floor(place), ceil(place)}
    if isinstance(layer, PixelShuffle):
        return {j // layer.upscale_factor}
    if isinstance(layer, PixelUnshuffle):
        return {j * layer.downscale_factor + n for n in range(layer.downscale_factor)}
    if isinstance(layer, Pad):
        return {j - layer.padding[0][0]}
    if isinstance(layer, Crop):
        return {j + ((size - shape) // 2 if layer.size else layer.cropping[0][0])}
    if isinstance(layer, Split):
        return {j + layer.sizes[0]}
    assert isinstance(layer, ChannelSlice)
    return {j + layer.start}


def seen_by(graph):
    """A function of a node and a position: the input positions seen, on a grid without end."""

    @cache
    def seen(n, j):
        node = graph.nodes[n]
        if not node.inputs:
            return frozenset([j])
        if isinstance(node.layer, Concat):
            return frozenset().union(*(seen(source, j) for source in node.inputs))
        [source] = node.inputs
        size, shape = graph.nodes[source].shape[1], node.shape[1]
        return frozenset().union(
            *(seen(source, position) for position in read_by(node.layer, size, shape, j))
        )

    return seen


def finer_layer(draw, shape):
    """A layer that runs on a map of this shape, of those that make grids finer or move them."""
    k, before, after, size = draw.randint(1, 4), draw.randint(0, 3), draw.randint(0, 3), shape[1]
    ways = {
        "conv": conv(k, s=draw.choice([1, 1, 2, 3]), p=before, channels=4),
        "dilated": conv(k, p=3, d=2, channels=4),
        "pool": MaxPool(kernel_size=2, stride=draw.choice([1, 2]), padding=1),
        "fractional": conv(k + 2, s=Fraction(1, draw.randint(2, 3)), p=1, channels=4),
        "deconv": deconv(k + 2, s=draw.randint(1, 3), p=draw.randint(0, 1), channels=4),
        "nearest": Upsample(scale_factor=draw.choice([2, 3, Fraction(3, 2), Fraction(2, 3)])),
        "linear": Upsample(scale_factor=draw.choice([2, 3, Fraction(3, 2)]), mode="linear"),
        "size": Upsample(size=draw.randint(20, 40), mode=draw.choice(["nearest", "linear"])),
        "unshuffle": PixelUnshuffle(downscale_factor=2),
        "shuffle": PixelShuffle(upscale_factor=2),
        "pad": Pad(padding=((before, after),)),
        "crop": Crop(cropping=((before, after),)),
        "slice": ChannelSlice(dim=2, start=before),
        "part": Split(dim=2, sizes=(k, size - k), part=2),
    }
    while True:
        layer = ways[draw.choice(list(ways))]
        if not list(layer.check((shape,))) and 8 <= layer.output((shape,))[1] <= 150:
            return layer


def finer_network(network, seed):
    draw = Random(seed)  # noqa: S311 - no secret
    net = network(input=(4, draw.randint(24, 48)))
    for n in range(draw.randint(1, 4)):
        net.add(f"n{n}", finer_layer(draw, net.nodes[-1].shape))
    return net.graph()


@pytest.mark.parametrize("seed", range(150))
def test_fields_on_finer_grids_are_those_of_positions_followed_one_by_one(
    network, monkeypatch, seed
):
    monkeypatch.setattr(receptive_field, "MOST_APART", 10**6)
    graph = finer_network(network, seed)
    seen = seen_by(graph)
    for n, field in enumerate(receptive_fields(graph)):
        [size], [jump], [start], *_ = field
        all_seen = [seen(n, j) for j in range(graph.nodes[n].shape[1])]
        assert size == max(max(positions) - min(positions) + 1 for positions in all_seen)
        assert start == min(all_seen[0])
        # So many positions further on the grids lie as they lay, and the jump is how far that was.
        around = period(graph, n)
        assert min(seen(n, around)) - start == around * jump
        if field.aligned:
            for j, positions in enumerate(all_seen):
                assert min(positions) == start + j * jump
                assert max(positions) == start + j * jump + size - 1


@pytest.mark.parametrize("seed", range(150))
def test_bounds_for_all_positions_leave_out_nothing_that_is_seen(network, monkeypatch, seed):
    monkeypatch.setattr(receptive_field, "MOST_APART", 1)
    graph = finer_network(network, seed)
    seen = seen_by(graph)
    for n, field in enumerate(receptive_fields(graph)):
        [size], _, [start], *_ = field
        all_seen = [seen(n, j) for j in range(graph.nodes[n].shape[1])]
        assert size >= max(max(positions) - min(positions) + 1 for positions in all_seen)
        assert start <= min(all_seen[0])


def period(graph, n):
    """A number of positions of a node after which all grids before it lie as they lay."""
    count = 1
    while n:
        source = graph.nodes[n].inputs[0]
        layer, shape = graph.nodes[n].layer, graph.nodes[n].shape[1]
        count *= {
            ConvTranspose: getattr(layer, "stride", 1),
            Conv: getattr(getattr(layer, "stride", 1), "denominator", 1),
            Upsample: shape
            if getattr(layer, "size", None)
            else Fraction(getattr(layer, "scale_factor", None) or 1).numerator,
            PixelShuffle: getattr(layer, "upscale_factor", 1),
        }.get(type(layer), 1)
        n = source
    return count


@pytest.mark.parametrize("seed", range(40))
def test_branches_on_finer_grids_see_from_the_least_to_the_greatest(network, seed):
    draw = Random(seed)  # noqa: S311 - no secret
    net = network(input=(4, 48))
    r = draw.choice([2, 3])
    net.add("down", conv(3, s=r, p=1, channels=9), "input")
    branches = [
        net.add("transposed", deconv(draw.randint(r, 5), s=r), "down"),
        net.add("copied", Upsample(scale_factor=r), "down"),
        net.add("mixed", Upsample(scale_factor=r, mode="linear"), "down"),
        net.add("spread", conv(draw.randint(r, 5), s=Fraction(1, r), p=1), "down"),
        net.add("skip", conv(draw.randint(1, 4), p=2), "input"),
    ]
    chosen = draw.sample(branches, draw.randint(2, 4))
    cut = [net.add(f"cut_{name}", Crop(size=40), name) for name in chosen]
    net.add("meet", Concat(), *cut)
    net.add("end", conv(draw.randint(1, 3)))
    graph = net.graph()
    seen = seen_by(graph)
    [size], [jump], [start], *_ = receptive_fields(graph)[-1]
    all_seen = [seen(len(graph.nodes) - 1, j) for j in range(graph.nodes[-1].shape[1])]
    assert jump == 1
    assert start == min(all_seen[0])
    assert size == max(max(positions) - min(positions) + 1 for positions in all_seen)


@pytest.mark.parametrize(
    ("path", "start", "end"),
    [
        # Copies 0 0: from 0 on in steps of 1/2 the second would begin 1/2 further.
        (Path(Fraction(1, 2), 0, 1, (0,), (0,)), Fraction(-1, 2), 1),
        # 0, then 0 and 1: the second ends a whole position further, 1/2 more than a step.
        (Path(Fraction(1, 2), 0, 1, (0,), (1,)), Fraction(-1, 2), Fraction(3, 2)),
        # In thirds: 0 and 1; 1 and 2, 1 − 1/3 more than a step; 1, for its end 2/3 less than steps.
        (Path(Fraction(1, 3), 0, 2, (1, 1), (1, 0)), 0, Fraction(8, 3)),
        # Nothing is kept apart: as it is.
        (Path(2, -1, 3), -1, 3),
    ],
)
def test_bounds_are_as_narrow_they_can_be(path, start, end):
    assert path.bounds() == Path(path.jump, start, end)


def test_bounds_of_a_finer_grid_are_those_of_the_farthest_position(network, monkeypatch):
    monkeypatch.setattr(receptive_field, "MOST_APART", 1)
    net = network(input=(1, 8)).chain(up=Upsample(scale_factor=2, mode="linear"))
    # −1 and 0, then 0 and 1: from −1 + j/2 to before 1½ + j/2, which has two whole positions.
    assert last(net) == ReceptiveField((2,), (Fraction(1, 2),), (-1,), aligned=False)


def test_grids_that_hardly_ever_lie_alike_are_held_within_bounds(network):
    # 1,009 and 1,013 are primes: the grids lie alike only after 1,009 · 1,013 positions.
    net = network(input=(1, 1000)).chain(
        a=Upsample(size=1009), b=conv(3, p=1), c=Upsample(size=1013), d=conv(3, p=1)
    )
    graph = net.graph()
    seen = seen_by(graph)
    [size], [jump], [start], aligned, _ = receptive_fields(graph)[-1]
    assert jump == Fraction(1000, 1013)
    assert not aligned
    all_seen = [seen(len(graph.nodes) - 1, j) for j in range(1013)]
    widest = max(max(positions) - min(positions) + 1 for positions in all_seen)
    assert widest <= size <= widest + 2
    assert min(all_seen[0]) - 2 <= start <= min(all_seen[0])


@pytest.mark.parametrize(("k", "s", "d"), [(2, 2, 3), (3, 4, 3), (4, 3, 2), (3, 2, 2), (2, 5, 7)])
def test_a_dilated_transposed_conv_sees_no_more_than_is_said(network, k, s, d):
    graph = network(input=(1, 20)).chain(up=deconv(k, s=s, d=d)).graph()
    seen = seen_by(graph)
    [size], [jump], [start], *_ = receptive_fields(graph)[-1]
    assert jump == Fraction(1, s)
    for j in range(graph.nodes[-1].shape[1]):
        for position in seen(1, j):
            assert start + floor(j * jump) <= position <= start + ceil(j * jump) + size - 1


def test_branches_that_hardly_ever_lie_alike_are_held_within_bounds(network):
    # 31 · 37 = 1,147: only so far on do the copies of both branches begin together again.
    net = network(input=(1, 1147))
    for r in (31, 37):
        net.add(f"down{r}", conv(1, s=r), "input")
        net.add(f"up{r}", Upsample(scale_factor=r))
    net.add("meet", Concat(), "up31", "up37")
    # Position j sees, of 31 and of 37, the last multiple up to j: at most 36 before j, and j.
    assert last(net) == ReceptiveField((37,), (1,), (-36,), aligned=False)
    net.add("near", conv(3, p=1))  # at most 37 before j, and up to j + 1 at the most
    net.add("wide", conv(50, p=((49, 0),)), "input")  # always 49 before j, and j
    net.add("both", Concat(), "near", "wide")
    assert last(net) == ReceptiveField((51,), (1,), (-49,), aligned=False)


def test_one_position_of_a_finer_grid_may_have_a_step_between_positions(network):
    net = network(input=(1, 7)).chain(
        up=Upsample(scale_factor=2), conv=conv(2), pool=GlobalAvgPool()
    )
    # 13 positions in steps of 1/2
    assert last(net) == ReceptiveField((7,), (Fraction(13, 2),), (0,), aligned=False)
    net.add("next", conv(3, p=1))
    # 0 to 7, and 6½ more on both sides: −6½ to 13½
    assert last(net) == ReceptiveField((20,), (Fraction(13, 2),), (-6,), aligned=False)
    # A transposed conv of 3 in steps of 2 reads −1 and 0 first: −6½ to 7. Of 13½, 13 are whole.
    net.add("up", deconv(3, s=2), "pool")
    assert last(net) == ReceptiveField((13,), (Fraction(13, 4),), (-6,), aligned=False)
