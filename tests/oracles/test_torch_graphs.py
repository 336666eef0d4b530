"""Whole networks and receptive fields, held against the same networks written in PyTorch."""

import json
import warnings
from collections import Counter
from random import Random
from textwrap import dedent

import pytest

from convcalc.analysis import analyze_graph
from convcalc.sources import load

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of a NumPy that is not installed
    torch = pytest.importorskip(
        "torch", reason="PyTorch is not installed: these tests hold convcalc against it"
    )
    from torch.utils.flop_counter import FlopCounterMode

pytestmark = pytest.mark.oracle
nn, F = torch.nn, torch.nn.functional


@pytest.fixture
def analyzed(tmp_path):
    """Analyze a spec, given as its text."""

    def analyze(text):
        path = tmp_path / "net.yaml"
        path.write_text(dedent(text), encoding="utf-8")
        return analyze_graph(load(str(path)))

    return analyze


@pytest.fixture
def assert_same(analyzed):
    """Hold what a spec costs against what a module does; return the analysis."""

    def compare(text, make_module):
        analysis = analyzed(text)
        with torch.device("meta"), torch.no_grad(), FlopCounterMode(display=False) as counter:
            module = make_module().eval()
            output = module(*(torch.empty(1, *shape) for _, shape in analysis.inputs))
        assert tuple(output.shape)[1:] == analysis.outputs[0][1]
        parameters = [tuple(tensor.shape) for tensor in module.parameters()]
        weights = [tensor.shape for layer in analysis.layers for tensor in layer.weights]
        assert Counter(weights) == Counter(parameters)
        assert analysis.params == sum(tensor.numel() for tensor in module.parameters())
        statistics = [
            tensor for name, tensor in module.named_buffers() if "num_batches" not in name
        ]
        kept = [tensor.shape for layer in analysis.layers for tensor in layer.buffer_tensors]
        assert Counter(kept) == Counter(tuple(tensor.shape) for tensor in statistics)
        assert analysis.buffers == sum(tensor.numel() for tensor in statistics)
        assert 2 * analysis.macs == counter.get_total_flops()
        return analysis

    return compare


class Sum(nn.Module):
    """The sum of what branches make of one input; none of a branch is the input itself."""

    def __init__(self, *branches):
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, x):
        return sum(branch(x) for branch in self.branches)


class Joined(Sum):
    """The channels of the branches, one after the other."""

    def forward(self, x):
        return torch.cat([branch(x) for branch in self.branches], 1)


class Product(Sum):
    """The product of the branches, stretched where they are of size 1."""

    def forward(self, x):
        first, second = (branch(x) for branch in self.branches)
        return first * second


def conv_bn(channels, out, kernel=1, stride=1):
    return nn.Sequential(
        nn.Conv2d(channels, out, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(out)
    )


# -- networks -------------------------------------------------------------------------------------


def test_resnet_18(assert_same):
    def block(channels, out, stride):
        body = nn.Sequential(conv_bn(channels, out, 3, stride), nn.ReLU(), conv_bn(out, out, 3))
        is_identity = stride == 1 and channels == out
        shortcut = nn.Identity() if is_identity else conv_bn(channels, out, 1, stride)
        return [Sum(body, shortcut), nn.ReLU()]

    def resnet():
        layers = [conv_bn(3, 64, 7, 2), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
        channels = 64
        for out in (64, 128, 256, 512):
            layers += block(channels, out, 1 if out == 64 else 2) + block(out, out, 1)
            channels = out
        return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 1000))

    analysis = assert_same(
        """
        input: [3, 224, 224]
        blocks:
          conv_bn:
            args: {out: , kernel: 1, stride: 1}
            layers:
              - conv: {out_channels: out, kernel_size: kernel, stride: stride,
                       padding: kernel // 2, bias: false}
              - batch_norm
          block:
            args: {out: , stride: }
            layers:
              - residual:
                  body:
                    - conv_bn: {out: out, kernel: 3, stride: stride}
                    - relu
                    - conv_bn: {out: out, kernel: 3}
                  shortcut:
                    - conv_bn: {out: out, stride: stride}
                      if: stride != 1 or in_channels != out
              - relu
        layers:
          - conv_bn: {out: 64, kernel: 7, stride: 2}
          - relu
          - max_pool: {kernel_size: 3, stride: 2, padding: 1}
          - for: {out: [64, 128, 256, 512]}
            layers:
              - block: {out: out, stride: 1 if out == 64 else 2}
              - block: {out: out, stride: 1}
          - adaptive_avg_pool: {output_size: 1}
          - flatten
          - linear: {out_features: 1000}
        """,
        resnet,
    )
    # What torchvision publishes of its own.
    assert (analysis.params, analysis.macs) == (11_689_512, 1_814_073_344)


def test_inception_modules_behind_a_stem_with_ceil_mode(assert_same):
    def conv_relu(channels, out, kernel=1, stride=1):
        return nn.Sequential(nn.Conv2d(channels, out, kernel, stride, kernel // 2), nn.ReLU())

    def inception(channels, ones, reduce3, threes, reduce5, fives, pooled):
        return Joined(
            conv_relu(channels, ones),
            nn.Sequential(conv_relu(channels, reduce3), conv_relu(reduce3, threes, 3)),
            nn.Sequential(conv_relu(channels, reduce5), conv_relu(reduce5, fives, 5)),
            nn.Sequential(nn.MaxPool2d(3, 1, 1), conv_relu(channels, pooled)),
        )

    def googlenet():
        return nn.Sequential(
            conv_relu(3, 64, 7, 2),
            nn.MaxPool2d(3, 2, ceil_mode=True),
            nn.LocalResponseNorm(5),
            conv_relu(64, 64),
            conv_relu(64, 192, 3),
            nn.MaxPool2d(3, 2, ceil_mode=True),
            inception(192, 64, 96, 128, 16, 32, 32),
            inception(256, 128, 128, 192, 32, 96, 64),
            nn.MaxPool2d(3, 2, ceil_mode=True),
            inception(480, 192, 96, 208, 16, 48, 64),
            nn.AdaptiveAvgPool2d((1, 1)),
            nn.Flatten(),
            nn.Dropout(0.4),
            nn.Linear(512, 1000),
            nn.Softmax(1),
        )

    analysis = assert_same(
        """
        input: [3, 225, 231]
        blocks:
          conv_relu:
            args: {out: , kernel: 1, stride: 1}
            layers:
              - conv: {out_channels: out, kernel_size: kernel, stride: stride, padding: kernel // 2}
              - relu
          inception:
            args: {ones: , reduce3: , threes: , reduce5: , fives: , pooled: }
            layers:
              - parallel:
                  merge: concat
                  branches:
                    b1: [conv_relu: {out: ones}]
                    b3: [conv_relu: {out: reduce3}, conv_relu: {out: threes, kernel: 3}]
                    b5: [conv_relu: {out: reduce5}, conv_relu: {out: fives, kernel: 5}]
                    pool:
                      - max_pool: {kernel_size: 3, stride: 1, padding: 1}
                      - conv_relu: {out: pooled}
        layers:
          - conv_relu: {out: 64, kernel: 7, stride: 2}
          - max_pool: {kernel_size: 3, stride: 2, ceil_mode: true}
          - local_response_norm: {size: 5}
          - conv_relu: {out: 64}
          - conv_relu: {out: 192, kernel: 3}
          - max_pool: {kernel_size: 3, stride: 2, ceil_mode: true}
          - inception: {ones: 64, reduce3: 96, threes: 128, reduce5: 16, fives: 32, pooled: 32}
          - inception: {ones: 128, reduce3: 128, threes: 192, reduce5: 32, fives: 96, pooled: 64}
          - max_pool: {kernel_size: 3, stride: 2, ceil_mode: true}
          - inception: {ones: 192, reduce3: 96, threes: 208, reduce5: 16, fives: 48, pooled: 64}
          - adaptive_avg_pool: {output_size: [1, 1]}
          - flatten
          - dropout: {p: 0.4}
          - linear: {out_features: 1000}
          - softmax
        """,
        googlenet,
    )
    # 64 + 128 + 32 + 32 = 256 and 128 + 192 + 96 + 64 = 480 channels of the concats
    shapes = [layer.output_shape[0] for layer in analysis.layers if layer.kind == "concat"]
    assert shapes == [256, 480, 512]


def test_inverted_residuals_with_gates(assert_same):
    def squeeze_excite(channels):
        gate = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(channels, channels // 4, 1),
            nn.ReLU(),
            nn.Conv2d(channels // 4, channels, 1),
            nn.Hardsigmoid(),
        )
        return Product(nn.Identity(), gate)

    def inverted(channels, wide, out, kernel, stride):
        body = nn.Sequential(
            conv_bn(channels, wide),
            nn.Hardswish(),
            nn.Conv2d(wide, wide, kernel, stride, kernel // 2, groups=wide, bias=False),
            nn.BatchNorm2d(wide),
            nn.Hardswish(),
            squeeze_excite(wide),
            conv_bn(wide, out),
        )
        return Sum(body, nn.Identity()) if stride == 1 and channels == out else body

    assert_same(
        """
        input: [3, 65, 97]
        blocks:
          conv_bn:
            args: {out: , kernel: 1, stride: 1}
            layers:
              - conv: {out_channels: out, kernel_size: kernel, stride: stride,
                       padding: kernel // 2, bias: false}
              - batch_norm
          squeeze_excite:
            args: {channels: in_channels}
            layers:
              - parallel:
                  merge: mul
                  branches:
                    map: []
                    gate:
                      - global_avg_pool
                      - conv: {out_channels: channels // 4, kernel_size: 1}
                      - relu
                      - conv: {out_channels: channels, kernel_size: 1}
                      - hard_sigmoid
          widened:
            args: {wide: , out: , kernel: , stride: }
            layers:
              - conv_bn: {out: wide}
              - hard_swish
              - depthwise_conv: {kernel_size: kernel, stride: stride, padding: kernel // 2,
                                 bias: false}
              - batch_norm
              - hard_swish
              - squeeze_excite
              - conv_bn: {out: out}
        layers:
          - conv_bn: {out: 16, kernel: 3, stride: 2}
          - widened: {wide: 64, out: 24, kernel: 3, stride: 2}
          - residual:
              body: [widened: {wide: 72, out: 24, kernel: 5, stride: 1}]
          - widened: {wide: 96, out: 40, kernel: 5, stride: 2}
          - prelu: {num_parameters: in_channels}
        """,
        lambda: nn.Sequential(
            conv_bn(3, 16, 3, 2),
            inverted(16, 64, 24, 3, 2),
            inverted(24, 72, 24, 5, 1),
            inverted(24, 96, 40, 5, 2),
            nn.PReLU(40),
        ),
    )


def test_a_stack_of_gated_dilated_convolutions(assert_same):
    def padded(dilation):
        return nn.Sequential(
            nn.ConstantPad1d((dilation, 0), 0.0), nn.Conv1d(32, 32, 2, dilation=dilation)
        )

    def gated(dilation):
        body = nn.Sequential(
            Product(
                nn.Sequential(padded(dilation), nn.Tanh()),
                nn.Sequential(padded(dilation), nn.Sigmoid()),
            ),
            nn.Conv1d(32, 32, 1),
        )
        return Sum(body, nn.Identity())

    analysis = assert_same(
        """
        input: [1, 4096]
        layers:
          - conv: {out_channels: 32, kernel_size: 1}
          - for: {dilation: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]}
            residual:
              body:
                - parallel:
                    merge: mul
                    branches:
                      filter:
                        - conv: {out_channels: 32, kernel_size: 2, dilation: dilation,
                                 padding: [[dilation, 0]]}
                        - tanh
                      gate:
                        - conv: {out_channels: 32, kernel_size: 2, dilation: dilation,
                                 padding: [[dilation, 0]]}
                        - sigmoid
                - conv: {out_channels: 32, kernel_size: 1}
          - conv: {out_channels: 256, kernel_size: 1, bias: false}
          - softmax
        """,
        lambda: nn.Sequential(
            nn.Conv1d(1, 32, 1),
            *(gated(2**n) for n in range(10)),
            nn.Conv1d(32, 256, 1, bias=False),
            nn.Softmax(1),
        ),
    )
    assert analysis.receptive_field.size == (1024,)
    assert analysis.receptive_field.aligned


def test_three_dimensions(assert_same):
    assert_same(
        """
        input: [3, 16, 56, 48]
        layers:
          - conv: {out_channels: 16, kernel_size: 3, padding: 1}
          - batch_norm: {affine: false}
          - max_pool: {kernel_size: [1, 2, 2], stride: [1, 2, 2]}
          - conv: {out_channels: 32, kernel_size: [3, 5, 1], padding: same, groups: 4}
          - avg_pool: {kernel_size: 3, stride: 2, padding: 1, ceil_mode: true}
          - adaptive_avg_pool: {output_size: [null, 5, 4]}
          - flatten: {start_dim: 2}
          - linear: {out_features: 7, in_features: 180}
          - flatten
          - linear: {out_features: 10, bias: false}
        """,
        lambda: nn.Sequential(
            nn.Conv3d(3, 16, 3, padding=1),
            nn.BatchNorm3d(16, affine=False),
            nn.MaxPool3d((1, 2, 2)),
            nn.Conv3d(16, 32, (3, 5, 1), padding="same", groups=4),
            nn.AvgPool3d(3, 2, 1, ceil_mode=True),
            nn.AdaptiveAvgPool3d((None, 5, 4)),
            nn.Flatten(2),
            nn.Linear(
                180, 7
            ),  # ⌈(16 + 2 − 3)/2⌉ + 1 = 9 positions of the first axis, 5 · 4 of the others
            nn.Flatten(),
            nn.Linear(224, 10, bias=False),
        ),
    )


def test_two_inputs(assert_same):
    class TwoInputs(nn.Module):
        def __init__(self):
            super().__init__()
            self.image = nn.Conv2d(3, 8, 3, 2, 1)
            self.mask = nn.Conv2d(1, 8, 1)
            self.head = nn.Linear(8 * 16 * 20 + 5, 3)

        def forward(self, image, mask, facts):
            both = torch.relu(self.image(image)) + self.mask(mask)
            return self.head(torch.cat([both.flatten(1), facts], 1))

    analysis = assert_same(
        """
        inputs: {image: [3, 32, 40], mask: [1, 16, 20], facts: [5]}
        layers:
          - conv: {out_channels: 8, kernel_size: 3, stride: 2, padding: 1}
            from: image
          - relu:
            name: seen
          - conv: {out_channels: 8, kernel_size: 1}
            from: mask
          - add:
            from: [seen, prev]
          - flatten
          - concat:
            from: [prev, facts]
          - linear: {out_features: 3}
        """,
        TwoInputs,
    )
    assert len(analysis.receptive_field.size) == 2


def test_a_locally_connected_layer_is_a_product_at_each_position(assert_same):
    class LocallyConnected(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.empty(6, 4, 3, 5, 4, 7))
            self.bias = nn.Parameter(torch.empty(6, 4, 7))

        def forward(self, x):
            # Columns of C_in · 3 · 5 numbers, one for each of 4 · 7 positions.
            columns = F.unfold(x, (3, 5), stride=(2, 1), padding=(0, 1))
            weight = self.weight.reshape(6, 4 * 3 * 5, 4 * 7)
            product = torch.einsum("nkl,okl->nol", columns, weight)
            return product.reshape(-1, 6, 4, 7) + self.bias

    assert_same(
        """
        input: [4, 9, 9]
        layers:
          - conv: {out_channels: 6, kernel_size: [3, 5], stride: [2, 1], padding: [0, 1],
                   weight_sharing: none}
        """,
        LocallyConnected,
    )


# -- receptive fields -----------------------------------------------------------------------------


def window(draw, rank, stride):
    """A conv or average pool that divides sizes by ``stride``: its spec, and PyTorch's."""
    kernels = [draw.choice([1, 3, 5]) for _ in range(rank)]
    dilations = [draw.choice([1, 1, 2, 3]) for _ in range(rank)]
    halves = [d * (k - 1) // 2 for k, d in zip(kernels, dilations, strict=True)]
    shifts = [draw.randint(-half, half) if draw.random() < 0.3 else 0 for half in halves]
    padding = [[half + by, half - by] for half, by in zip(halves, shifts, strict=True)]
    ends = [end for side in reversed(padding) for end in side]
    if draw.random() < 0.2:
        kernel = draw.choice([3, 5])
        fields = {"kernel_size": kernel, "stride": stride, "padding": kernel // 2}
        pool = getattr(nn, f"AvgPool{rank}d")
        return {"avg_pool": fields}, pool(kernel, stride, kernel // 2)
    fields = {"kernel_size": kernels, "stride": stride, "padding": padding, "dilation": dilations}
    conv = getattr(nn, f"Conv{rank}d")(
        2, 2, tuple(kernels), stride, dilation=tuple(dilations), bias=False
    )
    nn.init.ones_(conv.weight)
    pad = getattr(nn, f"ConstantPad{rank}d")(tuple(ends), 0.0)
    return {"conv": {"out_channels": 2, "bias": False, **fields}}, nn.Sequential(pad, conv)


def random_network(draw, rank):
    """Windows, and windows side by side; all paths to a layer have the same stride."""
    specs, modules = [], []
    for _ in range(draw.randint(1, 5)):
        stride = draw.choice([1, 1, 2, 3])
        first, module = window(draw, rank, stride)
        if draw.random() < 0.5:
            specs.append(first)
            modules.append(module)
            continue
        branches = [([first], [module])]
        for _ in range(draw.randint(1, 2)):
            spec, other = window(draw, rank, stride)
            branches.append(([spec], [other]))
        for spec_list, module_list in branches:
            if draw.random() < 0.4:
                spec, other = window(draw, rank, 1)
                spec_list.append(spec)
                module_list.append(other)
        if stride == 1 and draw.random() < 0.5:
            branches.append(([], []))
        named = {f"b{n}": spec_list for n, (spec_list, _) in enumerate(branches)}
        specs.append({"parallel": {"merge": "add", "branches": named}})
        modules.append(Sum(*(nn.Sequential(*module_list) for _, module_list in branches)))
        if draw.random() < 0.5:
            specs.append({"batch_norm": {}})
            modules.append(getattr(nn, f"BatchNorm{rank}d")(2))
            specs.append({"relu": {}})
            modules.append(nn.ReLU())
    return specs, nn.Sequential(*modules).double().eval()


def seen_by(module, shape, position):
    """The least and greatest input position on each axis that an output position depends on."""
    x = torch.ones(1, *shape, dtype=torch.float64, requires_grad=True)
    module(x)[(0, slice(None), *position)].sum().backward()
    touched = x.grad[0].sum(0).nonzero()
    return touched.min(0).values.tolist(), touched.max(0).values.tolist()


@pytest.mark.parametrize("seed", range(40))
def test_receptive_fields_are_where_gradients_go(analyzed, seed):
    draw = Random(seed)  # noqa: S311 - no secret
    rank = draw.choice([1, 1, 2])
    specs, module = random_network(draw, rank)
    small = analyzed(json.dumps({"input": [2] + [40] * rank, "layers": specs})).receptive_field
    # So large that an output position in the middle sees no border.
    sizes = [
        2 * size + 2 * jump + draw.randint(0, 5)
        for size, jump in zip(small.size, small.jump, strict=True)
    ]
    shape = (2, *sizes)
    analysis = analyzed(json.dumps({"input": shape, "layers": specs}))
    field = analysis.receptive_field
    assert field == small
    assert field.aligned
    position, begins = [], []
    for start, jump, count in zip(field.start, field.jump, analysis.outputs[0][1][1:], strict=True):
        j = count // 2
        position.append(j)
        begins.append(start + j * jump)
    ends = [begin + size - 1 for begin, size in zip(begins, field.size, strict=True)]
    assert min(begins) >= 0  # away from the border
    assert all(end < size for end, size in zip(ends, shape[1:], strict=True))
    assert seen_by(module, shape, position) == (begins, ends)


def test_behind_a_gate_every_position_sees_everything(analyzed):
    shape = (2, 40)
    first, second = nn.Conv1d(2, 2, 3, 2, 1), nn.Conv1d(2, 2, 3, 1, 1)
    for conv in (first, second):
        nn.init.ones_(conv.weight)
    gate = nn.Sequential(nn.AdaptiveAvgPool1d(1), nn.Softplus())
    module = nn.Sequential(first, Product(nn.Identity(), gate), second).double()
    analysis = analyzed(
        """
        input: [2, 40]
        layers:
          - conv: {out_channels: 2, kernel_size: 3, stride: 2, padding: 1}
          - parallel:
              merge: mul
              branches:
                map: []
                gate: [adaptive_avg_pool: {output_size: 1}, softplus]
          - conv: {out_channels: 2, kernel_size: 3, padding: 1}
        """
    )
    assert seen_by(module, shape, [0]) == seen_by(module, shape, [10]) == ([0], [39])
    # The first position by itself sees −3 to 3, the gate −1 to 19·2 + 1 = 39.
    field = analysis.receptive_field
    assert (field.size, field.jump, field.start) == ((43,), (2,), (-3,))
    assert not field.aligned
