"""Layers that change the size of a feature map: sizes, windows, and mixtures counted one by one."""

from fractions import Fraction
from itertools import product

import pytest

from convcalc.algebra import symbol
from convcalc.errors import catalogue
from convcalc.layers.declaration import ONE_INPUT, Kept, Memory, Operations, Window
from convcalc.layers.resizing import (
    Crop,
    Folding,
    Pad,
    PixelShuffle,
    PixelUnshuffle,
    SpaceToDepth,
    Upsample,
)

C, H, W = symbol("C"), symbol("H"), symbol("W")

LAYERS = [
    Pad(padding=1),
    Crop(cropping=1),
    Upsample(scale_factor=2),
    Upsample(scale_factor=2, mode="linear"),
    PixelShuffle(upscale_factor=2),
    PixelUnshuffle(downscale_factor=2),
    SpaceToDepth(block_size=2),
]


@pytest.mark.parametrize("layer", LAYERS, ids=repr)
def test_what_changes_a_size_learns_nothing_and_keeps_nothing(run_layer, layer):
    found = run_layer(layer, (4, 8, 8))
    assert (found.weights, found.buffers) == ({}, {})
    assert layer.kept_for_backward(((4, 8, 8),), found.output) == Kept()
    assert layer.takes == ONE_INPUT
    assert layer.memory is (Memory.VIEW if layer.kind == "crop" else Memory.ALLOCATES)


@pytest.mark.parametrize("layer", LAYERS, ids=repr)
@pytest.mark.parametrize("shape", [(8,), (8, 2, 2, 2, 2)])
def test_what_changes_a_size_needs_a_feature_map(refusal, layer, shape):
    finding = refusal(layer, shape)
    assert finding.code is catalogue.WRONG_RANK
    assert finding.field is None
    assert finding.message.startswith(f"`{layer.kind}` needs a feature map of channels and 1 to 3")


# -- pad and crop ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "padding", "output", "starts"),
    [
        ((3, 224, 224), 3, (3, 230, 230), (-3, -3)),
        ((3, 9), ((2, 0),), (3, 11), (-2,)),
        ((3, 9, 8), ((1, 2), 4), (3, 12, 16), (-1, -4)),
        ((3, 9, 8, 7), (0, 1, (0, 5)), (3, 9, 10, 12), (0, -1, 0)),
    ],
)
def test_pad_adds_positions_at_the_ends(run_layer, shape, padding, output, starts):
    found = run_layer(Pad(padding=padding), shape)
    assert found.output == output
    assert found.operations == Operations()
    assert found.windows == tuple(Window(1, 1, start) for start in starts)


@pytest.mark.parametrize(
    ("shape", "cropping", "output", "starts"),
    [
        ((3, 230, 230), 3, (3, 224, 224), (3, 3)),
        ((3, 9), ((2, 0),), (3, 7), (2,)),
        ((3, 9, 10), ((1, 2), 4), (3, 6, 2), (1, 4)),
        ((3, 9, 8, 7), (0, 1, (0, 5)), (3, 9, 6, 2), (0, 1, 0)),
    ],
)
def test_crop_takes_positions_away_at_the_ends(run_layer, shape, cropping, output, starts):
    found = run_layer(Crop(cropping=cropping), shape)
    assert found.output == output
    assert found.operations == Operations()
    assert found.windows == tuple(Window(1, 1, start) for start in starts)


@pytest.mark.parametrize(
    ("shape", "size", "output", "starts"),
    [
        # U-Net: of 64 the middle 56, of 136 the middle 104
        ((512, 64, 64), 56, (512, 56, 56), (4, 4)),
        ((256, 136, 136), 104, (256, 104, 104), (16, 16)),
        # Of an odd number, 3, one before and two after
        ((1, 8, 9), (5, 9), (1, 5, 9), (1, 0)),
        ((1, 8), 7, (1, 7), (0,)),
    ],
)
def test_crop_leaves_the_middle_of_a_size(run_layer, shape, size, output, starts):
    found = run_layer(Crop(size=size), shape)
    assert found.output == output
    assert found.windows == tuple(Window(1, 1, start) for start in starts)


def test_crop_takes_one_more_at_the_end_of_an_odd_number():
    assert Crop(size=(5, 9)).ends(((1, 8, 9),)) == ((1, 2), (0, 0))
    assert Crop(size=4).ends(((1, 8),)) == ((2, 2),)


def test_one_position_may_be_left(run_layer):
    assert run_layer(Crop(cropping=4), (3, 9)).output == (3, 1)
    assert run_layer(Crop(size=1), (3, 9)).output == (3, 1)


def test_one_position_may_be_made_of_two(run_layer):
    assert run_layer(Upsample(scale_factor=Fraction(1, 2)), (3, 2)).output == (3, 1)


def test_the_middle_of_a_free_size_has_the_size_that_was_asked_for(run_layer):
    assert run_layer(Crop(size=56), (C, H, W)).output == (C, 56, 56)
    assert run_layer(Crop(cropping=((1, 2),)), (C, H)).output == (C, H - 3)


@pytest.mark.parametrize("fields", [{}, {"cropping": 1, "size": 4}])
def test_crop_says_what_goes_or_what_stays(refusal, fields):
    finding = refusal(Crop(**fields), (3, 8, 8))
    assert finding.code is catalogue.CONFLICTING_KEYS
    assert finding.field == "size"
    assert finding.message == "`crop` needs `cropping` or `size`, and not both"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"cropping": 4}, "cropping"),
        ({"cropping": (0, (9, 0))}, "cropping"),
        ({"size": 9}, "size"),
        ({"size": (8, 10)}, "size"),
    ],
)
def test_nothing_can_be_cut_out_of_too_small_a_map(refusal, fields, field):
    finding = refusal(Crop(**fields), (3, 8, 8))
    assert finding.code is catalogue.NO_OUTPUT
    assert finding.field == field
    assert finding.operands == (0,)
    assert finding.message == "`{name}` cannot be cut out of its input, which is 8×8"


@pytest.mark.parametrize(
    ("layer", "field"),
    [
        (Pad(padding=(1, 1, 1)), "padding"),
        (Crop(cropping=(1, 1, 1)), "cropping"),
        (Crop(size=(1, 1, 1)), "size"),
        (Upsample(scale_factor=(2, 2, 2)), "scale_factor"),
        (Upsample(size=(2, 2, 2)), "size"),
    ],
)
def test_a_list_has_a_value_for_each_axis(refusal, layer, field):
    finding = refusal(layer, (3, 8, 8))
    assert finding.code is catalogue.WRONG_RANK
    assert finding.field == field
    assert finding.message == (f"`{field}` has 3 values, but the input 3×8×8 has 2 spatial axes")


# -- upsample -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "fields", "output"),
    [
        ((64, 28, 27), {"scale_factor": 2}, (64, 56, 54)),
        ((64, 5, 7), {"scale_factor": Fraction(3, 2)}, (64, 7, 10)),  # ⌊7.5⌋, ⌊10.5⌋
        ((64, 5, 7), {"scale_factor": (3, Fraction(1, 2))}, (64, 15, 3)),  # ⌊3.5⌋
        ((64, 5, 7), {"size": 56}, (64, 56, 56)),
        ((64, 5, 7), {"size": (1, 9)}, (64, 1, 9)),
        ((2, 9), {"scale_factor": 4}, (2, 36)),
        ((2, 3, 4, 5), {"scale_factor": 2}, (2, 6, 8, 10)),
    ],
)
@pytest.mark.parametrize("mode", ["nearest", "linear"])
def test_upsample_multiplies_the_size_or_sets_it(run_layer, shape, fields, output, mode):
    assert run_layer(Upsample(mode=mode, **fields), shape).output == output


@pytest.mark.parametrize("shape", [(3, 1, 8), (3, 8, 1)])
def test_of_one_position_no_half_can_be_made(refusal, shape):
    assert refusal(Upsample(scale_factor=Fraction(1, 2)), shape).code is catalogue.NO_OUTPUT


def test_a_free_size_is_multiplied(run_layer):
    assert run_layer(Upsample(scale_factor=2), (C, H, W)).output == (C, 2 * H, 2 * W)
    found = run_layer(Upsample(scale_factor=Fraction(3, 2)), (C, H))
    assert found.output == (C, 3 * H // 2)


def test_copies_cost_nothing(run_layer):
    assert run_layer(Upsample(scale_factor=2), (64, 28, 28)).operations == Operations()


def mixed(values, factors):
    """The sum of values, each times a factor."""
    total = values[0] * factors[0]
    for value, factor in zip(values[1:], factors[1:], strict=True):
        total = total + value * factor
    return total


def read_off(neighbours, axes, factors):
    """One value between neighbours, axis after axis."""
    if axes == 0:
        [value] = neighbours
        return value
    part = len(neighbours) // len(factors)
    rows = [
        read_off(neighbours[n * part : (n + 1) * part], axes - 1, factors)
        for n in range(len(factors))
    ]
    return mixed(rows, factors)


@pytest.mark.parametrize("shape", [(2, 4), (2, 3, 4), (1, 2, 2, 3)])
def test_linear_mixes_two_neighbours_on_each_axis(run_layer, counts, shape):
    channels, *sizes = shape
    outputs = list(product(range(channels), *(range(2 * n) for n in sizes)))
    for _ in outputs:
        read_off(counts.numbers(*[1] * 2 ** len(sizes)), len(sizes), [0.25, 0.75])
    found = run_layer(Upsample(scale_factor=2, mode="linear"), shape)
    assert found.operations == counts.operations


def test_cubic_mixes_four_neighbours_on_each_axis(run_layer, counts):
    for _ in range(3 * 8 * 10):
        read_off(counts.numbers(*[1] * 16), 2, [0.1, 0.4, 0.4, 0.1])
    found = run_layer(Upsample(scale_factor=2, mode="cubic"), (3, 4, 5))
    assert found.operations == counts.operations
    assert found.output == (3, 8, 10)


def test_bilinear_written_out(run_layer):
    # 21 · 256 · 256 = 1,376,256 elements of three mixtures: 6 multiplies and 3 adds each
    found = run_layer(Upsample(scale_factor=8, mode="linear"), (21, 32, 32))
    assert found.operations == Operations(multiplies=8_257_536, adds=4_128_768)


def whole(window, j):
    """The first and the last whole position that output position j sees."""
    first = -(-(j * window.stride + window.start) // window.per)
    last = (j * window.stride + window.start + window.size) // window.per - 1
    return first, last


# Sizes with what each output position reads: ⌊j/s⌋; and of (j + ½)/s − ½ the neighbours.
GRIDS = [
    (4, {"scale_factor": 2}, [(0, 0), (0, 0), (1, 1), (1, 1), (2, 2), (2, 2), (3, 3), (3, 3)]),
    (4, {"size": 2}, [(0, 0), (2, 2)]),
    (2, {"size": 3}, [(0, 0), (0, 0), (1, 1)]),
    (5, {"scale_factor": Fraction(3, 2)}, [(0, 0), (0, 0), (1, 1), (2, 2), (2, 2), (3, 3)]),
    (5, {"size": 7}, [(0, 0), (0, 0), (1, 1), (2, 2), (2, 2), (3, 3), (4, 4)]),
]


@pytest.mark.parametrize(("size", "fields", "read"), GRIDS)
def test_nearest_reads_one_position(run_layer, size, fields, read):
    [window] = run_layer(Upsample(**fields), (1, size)).windows
    assert [whole(window, j) for j in range(len(read))] == read
    assert window.size // window.per == 1


@pytest.mark.parametrize(
    ("size", "fields", "linear"),
    [
        # −¼, ¼, ¾, 1¼, 1¾, 2¼
        (4, {"scale_factor": 2}, [(-1, 0), (0, 1), (0, 1), (1, 2), (1, 2), (2, 3)]),
        # −⅓, 0, ⅓, ⅔, 1, 1⅓
        (4, {"scale_factor": 3}, [(-1, 0), (0, 0), (0, 1), (0, 1), (1, 1), (1, 2)]),
        # ½, 2½
        (4, {"size": 2}, [(0, 1), (2, 3)]),
        # 0, 1, 2, 3
        (4, {"size": 4}, [(0, 0), (1, 1), (2, 2), (3, 3)]),
    ],
)
def test_linear_reads_the_neighbours_of_a_place_between(run_layer, size, fields, linear):
    [window] = run_layer(Upsample(mode="linear", **fields), (1, size)).windows
    assert [whole(window, j) for j in range(len(linear))] == linear


def test_cubic_reads_two_neighbours_on_each_side(run_layer):
    found = run_layer(Upsample(mode="cubic", scale_factor=2), (1, 8, 8))
    # Around −¼, ¼, ¾, 1¼: −2 to 1, −1 to 2, −1 to 2, 0 to 3
    for window in found.windows:
        assert [whole(window, j) for j in range(4)] == [(-2, 1), (-1, 2), (-1, 2), (0, 3)]


@pytest.mark.parametrize("mode", ["nearest", "linear"])
def test_the_one_position_there_is_is_read_everywhere(run_layer, mode):
    found = run_layer(Upsample(size=(7, 9), mode=mode), (4, 1, 1))
    assert found.windows == (Window(1, 0, 0), Window(1, 0, 0))


@pytest.mark.parametrize("fields", [{}, {"scale_factor": 2, "size": 16}])
def test_upsample_has_a_factor_or_a_size(refusal, fields):
    finding = refusal(Upsample(**fields), (3, 8, 8))
    assert finding.code is catalogue.CONFLICTING_KEYS
    assert finding.field == "size"
    assert finding.message == "`upsample` needs `scale_factor` or `size`, and not both"


@pytest.mark.parametrize("shape", [(3, 8), (3, 8, 8, 8)])
def test_cubic_is_for_images(refusal, shape):
    finding = refusal(Upsample(scale_factor=2, mode="cubic"), shape)
    assert finding.code is catalogue.WRONG_RANK
    assert finding.field == "mode"
    assert finding.message.startswith("`cubic` is for feature maps with height and width")
    assert finding.message.endswith("×".join(map(str, shape)))


def test_a_factor_may_leave_nothing(refusal):
    finding = refusal(Upsample(scale_factor=(1, Fraction(1, 9))), (3, 8, 8))
    assert finding.code is catalogue.NO_OUTPUT
    assert finding.field == "scale_factor"
    assert finding.message == "`{name}` has no output: its input is 8×8"


# -- positions and channels -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "factor", "output"),
    [
        ((9, 10, 11), 3, (1, 30, 33)),
        ((8, 10), 4, (2, 40)),
        ((16, 2, 3, 4), 2, (2, 4, 6, 8)),
        ((5, 7, 7), 1, (5, 7, 7)),
    ],
)
def test_pixel_shuffle_makes_positions_of_channels_and_its_opposite_undoes_it(
    run_layer, shape, factor, output
):
    found = run_layer(PixelShuffle(upscale_factor=factor), shape)
    assert found.output == output
    assert found.operations == Operations()
    assert len(found.windows) == len(shape) - 1
    for window in found.windows:
        assert [whole(window, j) for j in range(2 * factor)] == [
            (j // factor, j // factor) for j in range(2 * factor)
        ]
    for back in (PixelUnshuffle(downscale_factor=factor), SpaceToDepth(block_size=factor)):
        undone = run_layer(back, output)
        assert undone.output == shape
        assert undone.operations == Operations()
        assert undone.windows == (Window(factor, factor, 0),) * (len(shape) - 1)


def test_pixel_shuffle_of_a_free_size(run_layer):
    assert run_layer(PixelShuffle(upscale_factor=2), (4 * C, H, W)).output == (C, 2 * H, 2 * W)
    assert run_layer(PixelUnshuffle(downscale_factor=2), (C, 2 * H)).output == (2 * C, H)


@pytest.mark.parametrize(
    ("shape", "needed", "note"),
    [((30, 8, 8), 9, "30 = 3·9 + 3"), ((31, 8), 3, "31 = 10·3 + 1"), ((8, 2, 2, 2), 27, None)],
)
def test_channels_must_make_whole_squares(refusal, shape, needed, note):
    finding = refusal(PixelShuffle(upscale_factor=3), shape)
    assert finding.code is catalogue.CANNOT_DIVIDE
    assert finding.field == "upscale_factor"
    assert finding.operands == (0,)
    assert finding.message == (
        f"`upscale_factor` 3 needs channels that {needed} divides, but the input of `{{name}}` "
        f"has {shape[0]}"
    )
    assert finding.notes == (note or "8 = 0·27 + 8",)
    assert finding.help.startswith(f"give the layer before it {needed} times the channels")


@pytest.mark.parametrize(
    ("layer", "field"),
    [
        (PixelUnshuffle(downscale_factor=3), "downscale_factor"),
        (SpaceToDepth(block_size=3), "block_size"),
    ],
)
def test_positions_must_make_whole_squares(refusal, layer, field):
    finding = refusal(layer, (4, 9, 8))
    assert finding.code is catalogue.CANNOT_DIVIDE
    assert finding.field == field
    assert finding.message == "`{name}` cannot cut 9×8 into squares of 3"
    assert finding.notes == ("8 = 2·3 + 2",)
    assert finding.operands == (0,)
    # Of more than three axes nothing else is said.
    assert refusal(layer, (4, 8, 8, 8, 8)).code is catalogue.WRONG_RANK
    # Of two axes that do not fit the first is shown.
    assert refusal(layer, (4, 7, 8)).notes == ("7 = 2·3 + 1",)


def test_what_foldings_share_must_be_filled_in():
    with pytest.raises(NotImplementedError):
        Folding().factor()
