"""Layers that compute nothing."""

import pytest

from convcalc.algebra import symbol
from convcalc.errors import catalogue
from convcalc.layers.declaration import (
    ONE_INPUT,
    POINTWISE,
    Kept,
    KeptTensor,
    Memory,
    Operations,
    Window,
)
from convcalc.layers.shaping import (
    MOST_PARTS,
    ChannelShuffle,
    ChannelSlice,
    Dropout,
    Flatten,
    Identity,
    Input,
    Part,
    Permute,
    Reshape,
    Split,
)

C, H, W = symbol("C"), symbol("H"), symbol("W")


@pytest.mark.parametrize("layer", [Identity(), Dropout(), Dropout(p=1)])
@pytest.mark.parametrize("shape", [(10,), (3, 8), (3, 8, 9)])
def test_what_passes_its_input_on_costs_nothing(run_layer, layer, shape):
    found = run_layer(layer, shape)
    assert found.output == shape
    assert found.operations == Operations()
    assert (found.weights, found.buffers) == ({}, {})
    assert found.windows == (POINTWISE,) * (len(shape) - 1)


@pytest.mark.parametrize(
    "kind", [Identity, Dropout, Flatten, Reshape, Permute, ChannelSlice, Split]
)
def test_what_computes_nothing_is_a_view(kind):
    assert kind.memory is Memory.VIEW
    assert kind.takes == ONE_INPUT


@pytest.mark.parametrize(
    ("shape", "dims", "output"),
    [
        ((512, 7, 7), {}, (25_088,)),  # 512 · 49 = 25,088
        ((10,), {}, (10,)),
        ((4, 5, 6), {"start_dim": 2}, (4, 30)),
        ((4, 5, 6), {"end_dim": 2}, (20, 6)),
        ((4, 5, 6), {"start_dim": 2, "end_dim": 2}, (4, 5, 6)),
        ((4, 5, 6, 7), {"start_dim": 2, "end_dim": 3}, (4, 30, 7)),
        ((4, 5, 6, 7), {"start_dim": -3, "end_dim": -2}, (4, 30, 7)),
        ((4, 5, 6, 7), {"start_dim": -4, "end_dim": -1}, (840,)),
    ],
)
def test_flatten_joins_dimensions(run_layer, shape, dims, output):
    found = run_layer(Flatten(**dims), shape)
    assert found.output == output
    assert found.operations == Operations()
    assert (found.weights, found.buffers) == ({}, {})


def test_joined_axes_have_no_positions_left(run_layer):
    assert run_layer(Flatten(), (4, 5, 6)).windows is None
    assert run_layer(Flatten(start_dim=2), (4, 5, 6)).windows is None


def test_a_join_of_one_dimension_leaves_the_positions_alone(run_layer):
    assert run_layer(Flatten(), (10,)).windows == ()
    assert run_layer(Flatten(start_dim=1, end_dim=-3), (4, 5, 6)).windows == (POINTWISE, POINTWISE)


@pytest.mark.parametrize(
    ("dims", "field", "value"),
    [
        ({"start_dim": 0}, "start_dim", 0),
        ({"start_dim": 4}, "start_dim", 4),
        ({"end_dim": -4}, "end_dim", -4),
        ({"end_dim": 9}, "end_dim", 9),
    ],
)
def test_flatten_needs_dimensions_that_are_there(refusal, dims, field, value):
    finding = refusal(Flatten(**dims), (4, 5, 6))
    assert finding.code is catalogue.NO_SUCH_DIMENSION
    assert finding.field == field
    assert finding.message == f"`{field}` is {value}, but the input is 4×5×6"
    assert "1 to 3 (or -1 to -3)" in finding.help


def test_both_dimensions_are_found_wrong_at_once():
    found = list(Flatten(start_dim=0, end_dim=5).check(((4, 5, 6),)))
    assert [finding.field for finding in found] == ["start_dim", "end_dim"]


@pytest.mark.parametrize("end", [1, -3])
def test_flatten_goes_forward(refusal, end):
    finding = refusal(Flatten(start_dim=3, end_dim=end), (4, 5, 6))
    assert finding.code is catalogue.NO_SUCH_DIMENSION
    assert finding.field == "start_dim"
    assert finding.message == f"`start_dim` 3 comes after `end_dim` {end} in the input 4×5×6"


def test_free_sizes_are_joined_as_a_product(run_layer):
    h, w = symbol("H"), symbol("W")
    assert run_layer(Flatten(), (8, h, w)).output == (8 * h * w,)


def test_an_input_is_no_kind_of_its_own():
    assert Input.kind == ""
    assert Input().output(((3, 4),)) == (3, 4)


def test_a_dropout_that_zeroes_keeps_its_mask_and_is_no_view_in_training():
    shape = (4, 5)
    assert Dropout().kept_for_backward((shape,), shape) == Kept(tensors=(KeptTensor("mask", 20),))
    assert Dropout().memory_in_training is Memory.ALLOCATES
    assert Dropout(p=0).kept_for_backward((shape,), shape) == Kept()
    assert Dropout(p=1).kept_for_backward((shape,), shape) == Kept()
    assert Dropout(p=0).memory_in_training is Memory.VIEW
    assert Identity().memory_in_training is Memory.VIEW


@pytest.mark.parametrize(
    "layer",
    [
        Reshape(shape=(-1,)),
        Permute(dims=(0, 2, 1, 3)),
        ChannelShuffle(groups=2),
        ChannelSlice(start=1),
        Split(sections=2),
    ],
    ids=repr,
)
def test_what_is_laid_out_anew_costs_nothing(run_layer, layer):
    found = run_layer(layer, (4, 6, 8))
    assert found.operations == Operations()
    assert (found.weights, found.buffers) == ({}, {})
    assert layer.kept_for_backward(((4, 6, 8),), found.output) == Kept()


# -- reshape --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "sizes", "output"),
    [
        ((100,), (4, 5, 5), (4, 5, 5)),
        ((4, 6, 8), (-1,), (192,)),
        ((4, 6, 8), (2, 2, -1), (2, 2, 48)),  # 192 / 4
        ((4, 6, 8), (-1, 8), (24, 8)),
        ((4, 6, 8), (192, -1, 1), (192, 1, 1)),
        ((4, 6, 8), (4, 6, 8), (4, 6, 8)),
        ((4 * C, H, W), (C, -1, W), (C, 4 * H, W)),
        ((C, H, W), (H * W, C), (H * W, C)),
    ],
)
def test_reshape_keeps_every_element(run_layer, shape, sizes, output):
    found = run_layer(Reshape(shape=sizes), shape)
    assert found.output == output
    # Positions stay only where all axes do.
    stays = len(output) == len(shape) and output == shape
    assert found.windows == ((POINTWISE,) * (len(shape) - 1) if stays else None)


def test_the_same_axes_in_another_shape_have_lost_their_positions(run_layer):
    assert run_layer(Reshape(shape=(4, 8, 6)), (4, 6, 8)).windows is None


@pytest.mark.parametrize(
    ("sizes", "shown", "note"),
    [
        ((4, 50), "4×50", "4×50 is 200 elements"),
        ((5, -1), "5×-1", "192 = 38·5 + 2"),
        ((200, -1), "200×-1", "192 = 0·200 + 192"),
    ],
)
def test_elements_must_make_up_the_shape(refusal, sizes, shown, note):
    finding = refusal(Reshape(shape=sizes), (4, 6, 8))
    assert finding.code is catalogue.CANNOT_DIVIDE
    assert finding.field == "shape"
    assert finding.operands == (0,)
    assert finding.message == (
        f"the input of `{{name}}` is 4×6×8, 192 elements: they do not make {shown}"
    )
    assert finding.notes == (note,)


def test_one_size_is_left_open_at_the_most(refusal):
    finding = refusal(Reshape(shape=(-1, 4, -1)), (4, 6, 8))
    assert finding.code is catalogue.CANNOT_DIVIDE
    assert finding.field == "shape"
    assert finding.message == "`shape` leaves more than one size open with -1"


def test_a_size_of_a_shape_is_not_0(refusal):
    finding = refusal(Reshape(shape=(0, 192)), (4, 6, 8))
    assert finding.code is catalogue.OUT_OF_RANGE
    assert finding.field == "shape"
    assert finding.message == "a size in `shape` must be 1 or more, or -1, not 0"


def test_a_shape_that_free_symbols_leave_open_passes(run_layer):
    assert run_layer(Reshape(shape=(8, 8)), (C,)).output == (8, 8)


# -- permute and shuffle --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "dims", "output"),
    [
        ((4, 6, 8), (0, 2, 3, 1), (6, 8, 4)),
        ((4, 6), (0, 2, 1), (6, 4)),
        ((4, 6, 8, 2), (0, 1, 4, 2, 3), (4, 2, 6, 8)),
        ((C, H, W), (0, 3, 2, 1), (W, H, C)),
    ],
)
def test_permute_gives_the_dimensions_another_order(run_layer, shape, dims, output):
    found = run_layer(Permute(dims=dims), shape)
    assert found.output == output
    assert found.windows is None


def test_dimensions_in_their_order_keep_their_positions(run_layer):
    found = run_layer(Permute(dims=(0, 1, 2, 3)), (4, 6, 8))
    assert (found.output, found.windows) == ((4, 6, 8), (POINTWISE, POINTWISE))


@pytest.mark.parametrize(
    "dims", [(0, 1), (0, 1, 2, 2), (1, 0, 2, 3), (0, 1, 2, 4), (1, 2, 3), (0, 1, 2, 3, 4)]
)
def test_permute_names_each_dimension_once_and_the_batch_first(refusal, dims):
    finding = refusal(Permute(dims=dims), (4, 6, 8))
    assert finding.code is catalogue.NO_SUCH_DIMENSION
    assert finding.field == "dims"
    assert finding.operands == (0,)
    assert finding.message == (
        f"`dims` is {list(dims)}, but the input 4×6×8 has, with the batch, the dimensions "
        "[0, 1, 2, 3]"
    )


@pytest.mark.parametrize("shape", [(12,), (12, 5), (12, 5, 6), (12, 5, 6, 7)])
def test_a_shuffle_of_channels_keeps_the_shape_and_copies(run_layer, shape):
    found = run_layer(ChannelShuffle(groups=3), shape)
    assert found.output == shape
    assert found.windows == (POINTWISE,) * (len(shape) - 1)
    assert ChannelShuffle.memory is Memory.ALLOCATES
    assert ChannelShuffle.takes == ONE_INPUT


def test_groups_of_a_shuffle_must_divide_the_channels(refusal):
    finding = refusal(ChannelShuffle(groups=3), (16, 8))
    assert finding.code is catalogue.GROUPS_DO_NOT_DIVIDE
    assert finding.field == "groups"
    assert finding.operands == (0,)
    assert finding.message == "3 groups do not divide the 16 channels of `{name}`"


# -- slices ---------------------------------------------------------------------------------------

SLICES = [(start, end) for start in range(-6, 7) for end in (None, *range(-6, 8))]


@pytest.mark.parametrize(("start", "end"), SLICES)
def test_slices_are_those_of_python(start, end):
    layer = ChannelSlice(start=start, end=end)
    taken = range(6)[start:end]
    # Python cuts off what is past the end: here it is refused.
    inside = -6 <= start < 6 and (end is None or -6 <= end <= 6)
    if taken and inside:
        assert list(layer.check(((6, 8),))) == []
        assert layer.output(((6, 8),)) == (len(taken), 8)
    else:
        [finding] = layer.check(((6, 8),))
        assert finding.code is catalogue.NO_OUTPUT


@pytest.mark.parametrize(
    ("fields", "output", "windows"),
    [
        ({"start": 1}, (3, 6, 8), (POINTWISE, POINTWISE)),
        ({"start": 2, "end": 5, "dim": 2}, (4, 3, 8), (Window(1, 1, 2), POINTWISE)),
        ({"start": -2, "dim": -1}, (4, 6, 2), (POINTWISE, Window(1, 1, 6))),
        ({"end": -3, "dim": 3}, (4, 6, 5), (POINTWISE, POINTWISE)),
    ],
)
def test_a_slice_of_a_spatial_axis_moves_the_first_position(run_layer, fields, output, windows):
    found = run_layer(ChannelSlice(**fields), (4, 6, 8))
    assert (found.output, found.windows) == (output, windows)


def test_a_slice_of_a_free_size(run_layer):
    assert run_layer(ChannelSlice(start=1), (C, H)).output == (C - 1, H)
    assert run_layer(ChannelSlice(start=-3), (C, H)).output == (3, H)
    assert run_layer(ChannelSlice(start=2, end=-1), (C, H)).output == (C - 3, H)


@pytest.mark.parametrize(
    ("fields", "field", "message"),
    [
        ({"start": 6}, "start", "6 up to 6 of a dimension of 6"),
        ({"start": -7}, "start", "-7 up to 6 of a dimension of 6"),
        ({"start": 3, "end": 3}, "end", "3 up to 3 of a dimension of 6"),
        ({"end": 7}, "end", "0 up to 7 of a dimension of 6"),
        ({"start": 4, "end": -3}, "end", "4 up to -3 of a dimension of 6"),
    ],
)
def test_a_slice_must_lie_inside(refusal, fields, field, message):
    finding = refusal(ChannelSlice(**fields), (6, 8))
    assert finding.code is catalogue.NO_OUTPUT
    assert finding.field == field
    assert finding.operands == (0,)
    assert finding.message == f"`{{name}}` takes {message}"
    assert finding.help == "0 ≤ `start` < `end` ≤ 6; numbers below 0 count from the end"


@pytest.mark.parametrize("layer", [ChannelSlice(dim=3), Split(sections=2, dim=3)])
def test_a_part_is_of_a_dimension_that_is_there(refusal, layer):
    finding = refusal(layer, (4, 6))
    assert finding.code is catalogue.NO_SUCH_DIMENSION
    assert finding.field == "dim"
    assert finding.message == "`dim` is 3, but the input is 4×6"


def test_what_parts_share_must_be_filled_in():
    with pytest.raises(NotImplementedError):
        Part().first(((4, 6),))


# -- splits ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "outputs", "starts"),
    [
        ({"sections": 3}, [(4, 6, 8)] * 3, [0, 0, 0]),
        ({"sections": 2, "dim": 2}, [(12, 3, 8)] * 2, [0, 3]),
        ({"sections": 4, "dim": -2}, None, None),
        ({"sizes": (2, 1, 9)}, [(2, 6, 8), (1, 6, 8), (9, 6, 8)], [0, 0, 0]),
        ({"sizes": (2, 1, 3), "dim": 2}, [(12, 2, 8), (12, 1, 8), (12, 3, 8)], [0, 2, 3]),
        ({"sections": 1}, [(12, 6, 8)], [0]),
    ],
)
def test_a_split_stands_for_its_parts(run_layer, refusal, fields, outputs, starts):
    shapes = ((12, 6, 8),)
    layer = Split(**fields)
    if outputs is None:
        assert refusal(layer, *shapes).code is catalogue.CANNOT_DIVIDE
        return
    parts = layer.parts(shapes)
    assert [part.part for part in parts] == list(range(1, len(outputs) + 1))
    assert [run_layer(part, *shapes).output for part in parts] == outputs
    windows = [run_layer(part, *shapes).windows for part in parts]
    assert windows == [(Window(1, 1, start), POINTWISE) for start in starts]
    # Before that it begins where the first does, and is as large.
    assert layer.first(shapes) == 0
    assert layer.output(shapes) == outputs[0]
    # Of one part alone it stands for itself.
    assert parts[0].parts(shapes) == (parts[0],)


def test_parts_of_a_free_size(run_layer):
    halves = Split(sections=2).parts(((2 * C, H),))
    assert [run_layer(part, (2 * C, H)).output for part in halves] == [(C, H), (C, H)]
    unlike = Split(sizes=(C, 3 * C), dim=2).parts(((8, 4 * C),))
    assert [run_layer(part, (8, 4 * C)).windows for part in unlike] == [
        (POINTWISE,),
        (Window(1, 1, C),),
    ]


@pytest.mark.parametrize("fields", [{}, {"sections": 2, "sizes": (6, 6)}])
def test_a_split_has_sections_or_sizes(refusal, fields):
    finding = refusal(Split(**fields), (12, 8))
    assert finding.code is catalogue.CONFLICTING_KEYS
    assert finding.field == "sizes"
    assert finding.message == "`split` needs `sections` or `sizes`, and not both"


@pytest.mark.parametrize(
    ("channels", "sections", "notes"),
    [
        (12, 5, ("12 = 2·5 + 2",)),
        (12, 13, ()),
        (130, 65, ()),
        (100, 64, ("100 = 1·64 + 36",)),
        (2 * C - 1, 2, ("2·C − 1 = (C − 1)·2 + 1",)),
    ],
)
def test_sections_are_equal_and_not_too_many(refusal, channels, sections, notes):
    finding = refusal(Split(sections=sections), (channels, 8))
    assert finding.code is catalogue.CANNOT_DIVIDE
    assert finding.field == "sections"
    assert finding.operands == (0,)
    assert finding.message == f"`{{name}}` cannot cut {channels} into {sections} equal parts"
    assert finding.notes == notes
    assert finding.help == f"use a number up to 64 that divides {channels}, or give the `sizes`"


def test_as_many_sections_as_there_may_be(run_layer):
    assert len(Split(sections=MOST_PARTS).parts(((128, 8),))) == 64
    assert run_layer(Split(sections=MOST_PARTS), (128, 8)).output == (2, 8)


def test_how_many_sections_there_are_must_be_known(refusal):
    finding = refusal(Split(sections=C), (12, 8))
    assert finding.code is catalogue.UNDECIDABLE
    assert finding.field == "sections"
    assert finding.message.startswith("`sections` is the formula C: how many outputs there are")


@pytest.mark.parametrize(("sizes", "total"), [((6, 5), 11), ((12, 1), 13)])
def test_sizes_must_make_up_the_whole(refusal, sizes, total):
    finding = refusal(Split(sizes=sizes), (12, 8))
    assert finding.code is catalogue.CANNOT_DIVIDE
    assert finding.field == "sizes"
    assert finding.operands == (0,)
    assert finding.message == f"`sizes` of `{{name}}` come to {total}, but there are 12"


@pytest.mark.parametrize(("fields", "count"), [({"sections": 3}, 3), ({"sizes": (5, 7)}, 2)])
def test_a_part_must_be_one_of_those_there_are(refusal, run_layer, fields, count):
    assert run_layer(Split(part=count, **fields), (12, 8)).output[1] == 8
    finding = refusal(Split(part=count + 1, **fields), (12, 8))
    assert finding.code is catalogue.NO_OUTPUT
    assert finding.field == "part"
    assert finding.message == f"`{{name}}` has {count} parts, not {count + 1}"
    assert finding.help == f"use 1 to {count}"
