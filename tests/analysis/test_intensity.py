"""The bytes that layers move, what they compute for each, and the time that takes at the least."""

import re
from collections import Counter
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import convcalc
from convcalc.analysis import Dtypes, analyze_graph
from convcalc.analysis.devices import Device, all_devices, find_device
from convcalc.analysis.intensity import Bound, Traffic, intensity, reuse, roofline, traffic
from convcalc.graph import Graph, Node
from convcalc.layers import Input
from convcalc.layers.activation import Relu
from convcalc.layers.convolution import Conv, DepthwiseConv
from convcalc.layers.linear import Linear
from convcalc.layers.merging import Concat, Mul
from convcalc.layers.normalization import BatchNorm
from convcalc.layers.pooling import GlobalAvgPool
from convcalc.layers.shaping import Dropout, Flatten, Split

BYTES = Dtypes("int8", "int8")
HALF_BYTES = Dtypes("int4", "int4")


def last_row(network):
    return analyze_graph(network.graph()).layers[-1]


def moved_by(layer, *, batch=1, dtypes=Dtypes()):  # noqa: B008 - immutable
    return traffic(layer, batch=batch, dtypes=dtypes)


def test_a_layer_reads_its_input_and_weights_and_writes_its_output(network):
    conv = last_row(network(input=(3, 8, 8)).chain(conv=Conv(out_channels=4, kernel_size=3)))
    # input 3 · 64 = 192, weight 4 · 3 · 9 = 108, bias 4: 304 elements; output 4 · 6 · 6 = 144
    assert moved_by(conv) == (1_216, 576)
    assert moved_by(conv).moved_bytes == 1_792


def test_activations_grow_with_the_batch_and_weights_do_not(network):
    conv = last_row(network(input=(3, 8, 8)).chain(conv=Conv(out_channels=4, kernel_size=3)))
    assert moved_by(conv, batch=5) == (4_288, 2_880)  # 4 · (5 · 192 + 112), 4 · 5 · 144


def test_weights_and_activations_have_each_their_format(network):
    conv = last_row(network(input=(3, 8, 8)).chain(conv=Conv(out_channels=4, kernel_size=3)))
    # weights 112 bytes, input 2 · 192, output 2 · 144
    assert moved_by(conv, dtypes=Dtypes("int8", "float16")) == (496, 288)
    # weights 4 · 112, input 192, output 144
    assert moved_by(conv, dtypes=Dtypes("float32", "int8")) == (640, 144)


def test_each_tensor_starts_on_a_byte(network):
    linear = last_row(network(input=(3,)).chain(linear=Linear(out_features=5)))
    # weight ⌈15 / 2⌉ = 8, bias ⌈5 / 2⌉ = 3, input ⌈3 / 2⌉ = 2; output ⌈5 / 2⌉ = 3
    assert moved_by(linear, dtypes=HALF_BYTES) == (13, 3)
    # The samples of a batch are one tensor: input ⌈9 / 2⌉ = 5, output ⌈15 / 2⌉ = 8
    assert moved_by(linear, batch=3, dtypes=HALF_BYTES) == (16, 8)


def test_running_statistics_are_read_too(network):
    norm = last_row(network(input=(4, 8, 8)).chain(norm=BatchNorm()))
    # 256 elements, weight and bias 8, mean and variance 8
    assert moved_by(norm) == (1_088, 1_024)
    # The statistics are held as the weights are
    assert moved_by(norm, dtypes=Dtypes("float32", "int8")) == (320, 256)


def test_a_merge_reads_all_its_inputs(network):
    net = network(a=(2, 5, 5), b=(3, 5, 5))
    net.add("concat", Concat(), "a", "b")
    assert moved_by(last_row(net), dtypes=BYTES) == (125, 125)  # 50 + 75, 5 · 25


def test_an_input_that_is_read_twice_counts_once(network):
    net = network(input=(2, 5, 5))
    net.add("square", Mul(), "input", "input")
    assert moved_by(last_row(net), dtypes=BYTES) == (50, 50)


def test_two_inputs_that_look_alike_count_both(network):
    net = network(a=(2, 5, 5), b=(2, 5, 5))
    net.add("product", Mul(), "a", "b")
    assert moved_by(last_row(net), dtypes=BYTES) == (100, 50)


@pytest.mark.parametrize("view", [Flatten(), Dropout(), Split(sections=2, part=1)])
def test_a_view_moves_nothing_and_has_no_intensity(network, view):
    row = last_row(network(input=(4, 8, 8)).chain(view=view))
    assert moved_by(row, batch=7) == (0, 0)
    assert intensity(row.macs, moved_by(row), batch=1) is None


def shared_twice():
    """Two linear layers, 6 → 6, on one weight tensor and bias."""
    linear = Linear(out_features=6)
    nodes = (
        Node("input", Input(), (), (6,)),
        Node("first", linear, (0,), (6,)),
        Node("second", linear, (1,), (6,), shares=1),
    )
    return analyze_graph(Graph("net", nodes, (2,)))


def test_shared_weights_are_read_by_both_layers_and_reused_in_both():
    first, second = shared_twice().layers
    assert second.params == 0
    # 36 + 6 of weight and bias, 6 of input; 6 of output
    assert moved_by(first, dtypes=BYTES) == moved_by(second, dtypes=BYTES) == (48, 6)
    assert reuse(first) == reuse(second) == Fraction(36, 42)
    assert reuse(first, second) == Fraction(72, 42)


def test_intensity_is_multiply_adds_per_byte():
    assert intensity(600, Traffic(150, 50), batch=1) == 3
    assert intensity(1, Traffic(2, 1), batch=1) == Fraction(1, 3)
    assert intensity(0, Traffic(2, 1), batch=1) == 0
    assert intensity(0, Traffic(0, 0), batch=1) is None


def test_intensity_has_the_multiply_adds_of_the_whole_batch():
    # 4 samples of 600 multiply-adds for the bytes of all four
    assert intensity(600, Traffic(700, 100), batch=4) == 3


def test_a_linear_layer_comes_near_a_quarter_of_a_multiply_add_a_byte(network):
    net = network(input=(1000,)).chain(linear=Linear(out_features=1000, bias=False))
    row = last_row(net)
    # Each weight, of 4 bytes, is used once: 1,000,000 / (4 · 1,000,000 + 8,000)
    assert intensity(row.macs, moved_by(row), batch=1) == Fraction(1000, 4008)
    # With the batch each is used as often: 250,000,000 / (4,000,000 + 250 · 8,000)
    assert intensity(row.macs, moved_by(row, batch=250), batch=250) == Fraction(250, 6)


def test_intensity_of_a_depthwise_conv_against_a_full_one(network):
    depthwise = last_row(
        network(input=(32, 14, 14)).chain(
            conv=DepthwiseConv(kernel_size=3, padding=1, bias=False),
        )
    )
    full = last_row(
        network(input=(32, 14, 14)).chain(
            conv=Conv(out_channels=32, kernel_size=3, padding=1, bias=False),
        )
    )
    # 6,272 outputs of 9 and of 288 multiply-adds; 6,272 + 6,272 elements and 288, 9,216 weights
    assert intensity(depthwise.macs, moved_by(depthwise), batch=1) == Fraction(56_448, 51_328)
    assert intensity(full.macs, moved_by(full), batch=1) == Fraction(1_806_336, 87_040)


@pytest.mark.parametrize(
    ("layer", "times"),
    [
        (Conv(out_channels=4, kernel_size=3, bias=False), 36),  # each weight at 6 · 6 positions
        (Conv(out_channels=4, kernel_size=3, padding=1, stride=2, bias=False), 16),
        (DepthwiseConv(kernel_size=3, bias=False), 36),
        (Conv(out_channels=4, kernel_size=1, bias=False), 64),
        (Conv(out_channels=4, kernel_size=8, bias=False), 1),
        # 3,888 multiply-adds with 108 weights and 4 biases
        (Conv(out_channels=4, kernel_size=3), Fraction(3_888, 112)),
        (BatchNorm(), 0),  # parameters, and no multiply-adds
        (Relu(), None),
        (Flatten(), None),
    ],
)
def test_reuse_is_how_often_a_parameter_is_used_for_a_sample(network, layer, times):
    assert reuse(last_row(network(input=(3, 8, 8)).chain(layer=layer))) == times


def small_network(network):
    """1×1 conv, relu, flatten, linear on 4×4×4: 256 multiply-adds, 0, 0, 128."""
    return analyze_graph(
        network(input=(4, 4, 4))
        .chain(
            conv=Conv(out_channels=4, kernel_size=1, bias=False),
            relu=Relu(),
            flatten=Flatten(),
            linear=Linear(out_features=2, bias=False),
        )
        .graph(),
        dtypes=BYTES,
    )


def test_the_roofline_of_a_small_network_by_hand(network):
    device = Device("some", peak_macs=64, bandwidth=72)
    found = roofline(small_network(network), device)
    assert found.device is device
    # 64 of input, 16 weights: 80; 64 of output. Computing 256 / 64 = 4, moving 144 / 72 = 2
    # 64 read, 64 written: 128 / 72 = 16/9
    # 64 of input, 128 weights: 192; 2 written. Computing 128 / 64 = 2, moving 194 / 72 = 97/36
    # Together 144/36 + 64/36 + 97/36 = 305/36
    assert found.layers == (
        ("conv", 256, (80, 64), Bound.COMPUTE, 4, Fraction(144, 305)),
        ("relu", 0, (64, 64), Bound.MEMORY, Fraction(16, 9), Fraction(64, 305)),
        ("flatten", 0, (0, 0), None, 0, 0),
        ("linear", 128, (192, 2), Bound.MEMORY, Fraction(97, 36), Fraction(97, 305)),
    )
    assert found.traffic == (336, 130)  # 80 + 64 + 192, 64 + 64 + 2
    assert found.time == Fraction(305, 36)
    assert found.memory_time == Fraction(161, 36)
    assert found.memory_share == Fraction(161, 305)


def test_a_bound_has_the_name_that_reports_give_it():
    assert [bound.value for bound in Bound] == ["compute", "memory"]


def test_at_the_ridge_a_layer_is_bound_by_computing(network):
    analysis = small_network(network)  # the conv has 256 multiply-adds for 144 bytes: 16/9
    at_ridge = roofline(analysis, Device("some", 1600, 900))
    assert at_ridge.layers[0].bound is Bound.COMPUTE
    past_ridge = roofline(analysis, Device("some", 1601, 900))
    assert past_ridge.layers[0].bound is Bound.MEMORY
    assert at_ridge.layers[0].time == past_ridge.layers[0].time == Fraction(144, 900)


def test_the_time_is_of_the_whole_batch(network):
    net = network(input=(4, 4, 4)).chain(conv=Conv(out_channels=4, kernel_size=1, bias=False))
    analysis = analyze_graph(net.graph(), batch=3, dtypes=BYTES)
    [row] = roofline(analysis, Device("some", 64, 10**6)).layers
    assert (row.macs, row.time) == (768, 12)  # 3 · 256, / 64
    [row] = roofline(analysis, Device("some", 10**6, 80)).layers
    assert (row.traffic, row.time) == ((208, 192), 5)  # 3 · 64 + 16, 3 · 64; 400 / 80


def test_a_network_of_views_takes_no_time(network):
    analysis = analyze_graph(network(input=(4, 4, 4)).chain(flatten=Flatten()).graph())
    found = roofline(analysis, find_device("v100"))
    assert found.layers == (("flatten", 0, (0, 0), None, 0, 0),)
    assert (found.time, found.memory_time, found.memory_share) == (0, 0, 0)


@pytest.mark.parametrize("device", [Device("none", 0, 5), Device("none", 5, 0)])
def test_a_device_that_does_nothing_is_refused(network, device):
    with pytest.raises(ValueError, match="none computes or moves nothing"):
        roofline(small_network(network), device)


@pytest.mark.parametrize("device", all_devices(), ids=lambda device: device.name)
def test_a_bound_is_on_the_side_of_the_ridge_where_the_intensity_is(device):
    analysis = convcalc.analyze("mobilenet_v1", batch=2, dtype="float16")
    found = roofline(analysis, device)
    for layer, row in zip(analysis.layers, found.layers, strict=True):
        per_byte = intensity(layer.macs, row.traffic, batch=2)
        if per_byte is None:
            assert row.bound is None
        else:
            assert (row.bound is Bound.COMPUTE) == (per_byte >= device.ridge)


RATES = st.integers(1, 10**15)
NETWORK = convcalc.analyze("lenet5", batch=3)


@given(RATES, RATES)
def test_the_layers_make_up_the_whole(peak, bandwidth):
    found = roofline(NETWORK, Device("some", peak, bandwidth))
    assert sum(row.time for row in found.layers) == found.time
    assert sum(row.share for row in found.layers) == 1
    memory = [row.time for row in found.layers if row.bound is Bound.MEMORY]
    assert sum(memory) == found.memory_time
    assert found.time >= Fraction(3 * NETWORK.macs, peak)
    assert found.time >= Fraction(found.traffic.moved_bytes, bandwidth)


@given(RATES, RATES, st.integers(2, 1000))
def test_a_device_that_does_everything_faster_by_a_factor_is_faster_by_it(peak, bandwidth, factor):
    slow = roofline(NETWORK, Device("some", peak, bandwidth))
    fast = roofline(NETWORK, Device("some", factor * peak, factor * bandwidth))
    assert factor * fast.time == slow.time
    assert [row.bound for row in fast.layers] == [row.bound for row in slow.layers]


@given(RATES, RATES, st.integers(1, 10**9))
def test_more_bandwidth_never_takes_longer_nor_leaves_more_to_memory(peak, bandwidth, more):
    slow = roofline(NETWORK, Device("some", peak, bandwidth))
    fast = roofline(NETWORK, Device("some", peak, bandwidth + more))
    assert fast.time <= slow.time
    for before, after in zip(slow.layers, fast.layers, strict=True):
        assert not (before.bound is Bound.COMPUTE and after.bound is Bound.MEMORY)


def test_pooling_everything_reads_more_than_it_writes(network):
    row = last_row(network(input=(8, 7, 7)).chain(pool=GlobalAvgPool()))
    assert moved_by(row, dtypes=BYTES) == (392, 8)


PAGE = (Path(__file__).parent.parent.parent / "docs" / "performance.md").read_text(encoding="utf-8")
PROSE = " ".join(re.sub(r"(?ms)^```.*?^```$", "", PAGE).split())


def on_jetson_nano(spec, **options):
    """Its layers, by name, and its roofline."""
    analysis = convcalc.analyze(spec, **options)
    found = roofline(analysis, find_device("jetson-nano"))
    rows = zip(analysis.layers, found.layers, strict=True)
    return {row.name: (layer, row) for layer, row in rows}, found


def assert_prose_says(*texts):
    assert [text for text in texts if text not in PROSE] == []


@pytest.fixture
def page_spec(spec):
    """The spec that the page on performance has."""
    [text] = re.findall(r"(?ms)^```yaml separable.yaml\n(.*?)^```$", PAGE)
    return spec(text)


def test_the_page_says_what_is_found_of_three_convs(page_spec):
    rows, found = on_jetson_nano(page_spec)
    texts = []
    for layer, row in rows.values():
        per_byte = intensity(layer.macs, row.traffic, batch=1)
        texts += [f"{layer.macs:,}", f"{float(row.time * 10**6):,.1f} µs"]
        texts += [f"{float(per_byte):.2f}" if per_byte < 2 else f"{float(per_byte):.1f}"]
        assert reuse(layer) == 196
        assert row.traffic.written_bytes == 401_408
    (depthwise, slow), (pointwise, mixing), (full, fast) = rows.values()
    computing = Fraction(depthwise.macs, found.device.peak_macs)
    assert_prose_says(
        *texts,
        f"moves {slow.traffic.moved_bytes:,} bytes for its",
        f"1/{pointwise.macs / depthwise.macs:.0f} of the pointwise conv's",
        f"1/{full.macs / depthwise.macs:.0f} of the full conv's",
        f"In time it is 1/{float(mixing.time / slow.time):.0f} of the pointwise conv "
        f"and 1/{float(fast.time / slow.time):.0f} of the full one",
        f"instead of the {float(computing * 10**6):.1f} µs of computing",
        f"runs at {float(100 * computing / slow.time):.0f} % of the peak",
    )


def test_the_page_says_what_is_found_of_them_in_a_batch(page_spec):
    rows, _ = on_jetson_nano(page_spec, batch=32)
    depthwise, pointwise, full = (
        float(intensity(layer.macs, row.traffic, batch=32)) for layer, row in rows.values()
    )
    assert_prose_says(
        f"has {depthwise:.2f} multiply-adds for a byte instead of 1.10",
        f"has {pointwise:.1f} instead of 27.8",
        f"the full conv {full:.1f} instead of 45.2",
    )


def test_the_page_says_what_is_found_of_mobilenet():
    rows, found = on_jetson_nano("mobilenet_v1")
    full_rows, full = on_jetson_nano("mobilenet_v1::mobilenet_v1_full_conv")

    def macs(rows, *kinds):
        return sum(layer.macs for layer, _ in rows.values() if layer.kind in kinds or not kinds)

    def time(*kinds):
        return sum(row.time for layer, row in rows.values() if layer.kind in kinds)

    depthwise, beside = time("depthwise_conv"), time("batch_norm", "relu")
    assert {row.bound for layer, row in rows.values() if layer.kind == "depthwise_conv"} == {
        Bound.MEMORY
    }
    assert_prose_says(
        f"{macs(rows):,} multiply-adds, {macs(full_rows) / macs(rows):.2f} times fewer",
        f"{float(1000 * found.time):.2f} ms against {float(1000 * full.time):.2f} ms: "
        f"{float(full.time / found.time):.2f} times less",
        f"13 depthwise convs are {100 * macs(rows, 'depthwise_conv') / macs(rows):.1f} % of the "
        f"multiply-adds and {float(100 * depthwise / found.time):.1f} % of the time",
        f"and {float(100 * beside / found.time):.1f} % of the time, since there are 27",
        f"the depthwise convs are {float(100 * depthwise / (found.time - beside)):.1f} % of",
    )


def bounds_on(device, path, **options):
    found = roofline(convcalc.analyze(path, **options), find_device(device))
    return tuple(row.bound for row in found.layers)


def test_the_page_says_what_each_device_is_bound_by(page_spec):
    memory, compute = Bound.MEMORY, Bound.COMPUTE
    assert {
        device.name
        for device in all_devices()
        if bounds_on(device.name, page_spec)[0] is Bound.COMPUTE
    } == {"stm32f407", "stm32f746"}
    assert bounds_on("rtx4090", page_spec) == (memory, memory, compute)
    assert bounds_on("a100-tensor", page_spec, dtype="float16") == (memory, memory, memory)
    [depthwise, *_] = convcalc.analyze(page_spec).layers
    per_byte = intensity(depthwise.macs, moved_by(depthwise, dtypes=BYTES), batch=1)
    assert_prose_says(f"of those two, it has {float(per_byte):.2f}.")


@pytest.mark.oracle
@pytest.mark.parametrize(
    ("name", "spec", "batch", "functions"),
    [
        ("resnet18", "resnet::resnet18", 1, {"add"}),
        ("resnet18", "resnet::resnet18", 3, {"add"}),
        ("alexnet", "alexnet", 2, set()),
        ("mobilenet_v2", "mobilenet_v2", 2, {"add", "global_avg_pool"}),
    ],
)
def test_the_bytes_are_those_of_the_tensors_that_pytorch_hands_to_each_module(
    name, spec, batch, functions
):
    from torchvision_models import model, torch

    moved = Counter()

    def count(module, inputs, output):
        held = [*inputs, *module.parameters(), *module.buffers()]
        # The number of batches seen, an integer, is not read to infer.
        read = sum(tensor.nbytes for tensor in held if tensor.is_floating_point())
        moved[read, output.nbytes] += 1

    with torch.device("meta"), torch.no_grad():
        module = model(name).eval()
        for part in module.modules():
            if not list(part.children()) and not isinstance(part, torch.nn.Dropout):
                part.register_forward_hook(count)
        module(torch.empty(batch, 3, 224, 224))
    ours = Counter(
        tuple(moved_by(layer, batch=batch))
        for layer in convcalc.analyze(spec).layers
        if layer.kind not in functions | {"flatten", "dropout"}  # no modules there, or views
    )
    assert ours == moved
