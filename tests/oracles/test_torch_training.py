"""What autograd keeps, held against PyTorch's own saved tensors."""

import warnings
from contextlib import contextmanager

import pytest

from convcalc.analysis import Dtypes
from convcalc.analysis.training import kept_for_backward
from convcalc.layers.activation import (
    Elu,
    Gelu,
    Glu,
    HardSigmoid,
    HardSwish,
    LeakyRelu,
    Mish,
    Prelu,
    Relu,
    Relu6,
    Selu,
    Sigmoid,
    Silu,
    Softmax,
    Softplus,
    Tanh,
)
from convcalc.layers.attention import (
    ClassToken,
    FromTokens,
    MultiHeadAttention,
    PositionEmbedding,
    ToTokens,
)
from convcalc.layers.convolution import Conv, ConvTranspose, DepthwiseConv
from convcalc.layers.linear import Linear
from convcalc.layers.merging import Add, Concat, MatMul, Max, Mean, Mul, WeightedSum
from convcalc.layers.normalization import (
    BatchNorm,
    GroupNorm,
    InstanceNorm,
    LayerNorm,
    LocalResponseNorm,
    Scale,
)
from convcalc.layers.pooling import (
    AdaptiveAvgPool,
    AdaptiveMaxPool,
    AvgPool,
    GlobalAvgPool,
    GlobalMaxPool,
    MaxPool,
)
from convcalc.layers.resizing import (
    Crop,
    Pad,
    PixelShuffle,
    PixelUnshuffle,
    SpaceToDepth,
    Upsample,
)
from convcalc.layers.shaping import (
    ChannelShuffle,
    ChannelSlice,
    Dropout,
    Flatten,
    Identity,
    Input,
    Permute,
    Reshape,
    Split,
)
from convcalc.layers.window import ends_of
from convcalc.sources import load

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of a NumPy that is not installed
    torch = pytest.importorskip(
        "torch", reason="PyTorch is not installed: these tests hold convcalc against it"
    )

pytestmark = pytest.mark.oracle
nn = torch.nn
F = torch.nn.functional
BATCH = 2

ACTIVATIONS = {
    Relu: F.relu,
    Relu6: F.relu6,
    LeakyRelu: F.leaky_relu,
    Elu: F.elu,
    Selu: F.selu,
    Gelu: F.gelu,
    Silu: F.silu,
    Mish: F.mish,
    Sigmoid: torch.sigmoid,
    Tanh: torch.tanh,
    Softplus: F.softplus,
    HardSigmoid: F.hardsigmoid,
    HardSwish: F.hardswish,
}


def run(layer, inputs, parameters):
    """Run one of our layers with PyTorch's functions, in training."""
    x = inputs[0]
    rank = x.dim() - 2
    if type(layer) in ACTIVATIONS:
        return ACTIVATIONS[type(layer)](x)
    if isinstance(layer, Conv | DepthwiseConv):
        groups = layer.groups if isinstance(layer, Conv) else x.shape[1]
        operation = (F.conv1d, F.conv2d, F.conv3d)[rank - 1]
        return operation(
            x,
            parameters["weight"],
            parameters.get("bias"),
            layer.stride,
            layer.padding,
            layer.dilation,
            groups,
        )
    if isinstance(layer, ConvTranspose):
        return (F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d)[rank - 1](
            x,
            parameters["weight"],
            parameters.get("bias"),
            layer.stride,
            layer.padding,
            layer.output_padding,
            layer.groups,
            layer.dilation,
        )
    if isinstance(layer, Linear):
        return F.linear(x, parameters["weight"], parameters.get("bias"))
    if isinstance(layer, BatchNorm):
        return F.batch_norm(
            x,
            parameters.get("running_mean"),
            parameters.get("running_var"),
            parameters.get("weight"),
            parameters.get("bias"),
            training=True,
        )
    if isinstance(layer, MaxPool):
        operation = (F.max_pool1d, F.max_pool2d, F.max_pool3d)[rank - 1]
        return operation(
            x, layer.kernel_size, layer.stride, layer.padding, layer.dilation, layer.ceil_mode
        )
    if isinstance(layer, AvgPool):
        return (F.avg_pool1d, F.avg_pool2d, F.avg_pool3d)[rank - 1](
            x,
            layer.kernel_size,
            layer.stride,
            layer.padding,
            layer.ceil_mode,
            layer.count_include_pad,
        )
    if isinstance(layer, AdaptiveAvgPool | GlobalAvgPool):
        size = layer.output_size if isinstance(layer, AdaptiveAvgPool) else 1
        operation = (F.adaptive_avg_pool1d, F.adaptive_avg_pool2d, F.adaptive_avg_pool3d)
        return operation[rank - 1](x, size)
    if isinstance(layer, AdaptiveMaxPool | GlobalMaxPool):
        size = layer.output_size if isinstance(layer, AdaptiveMaxPool) else 1
        operation = (F.adaptive_max_pool1d, F.adaptive_max_pool2d, F.adaptive_max_pool3d)
        return operation[rank - 1](x, size)
    if isinstance(layer, LayerNorm | GroupNorm | InstanceNorm | Scale):
        return normalized(layer, x, parameters)
    if isinstance(layer, Glu):
        return F.glu(x, layer.dim)
    if isinstance(layer, Prelu):
        return F.prelu(x, parameters["weight"])
    if isinstance(layer, Softmax):
        return F.softmax(x, layer.dim)
    if isinstance(layer, LocalResponseNorm):
        return F.local_response_norm(x, layer.size)
    if isinstance(layer, Dropout):
        return F.dropout(x, float(layer.p), training=True)
    if isinstance(layer, Flatten):
        return torch.flatten(x, layer.start_dim, layer.end_dim)
    if isinstance(layer, Identity):
        return x
    if isinstance(layer, Pad | Crop | Upsample | PixelShuffle | PixelUnshuffle | SpaceToDepth):
        return resized(layer, x)
    if isinstance(layer, Reshape):
        return torch.reshape(x, (BATCH, *layer.shape))
    if isinstance(layer, Permute):
        return torch.permute(x, layer.dims)
    if isinstance(layer, ChannelShuffle):
        return F.channel_shuffle(x, layer.groups)
    if isinstance(layer, ChannelSlice):
        return torch.ops.aten.slice(x, layer.dim, layer.start, layer.end)
    if isinstance(layer, Split):
        sizes = layer.sizes or x.shape[layer.dim] // layer.sections
        return torch.split(x, sizes, layer.dim)[layer.part - 1]
    if isinstance(layer, ToTokens):
        return x.flatten(2).transpose(1, 2)
    if isinstance(layer, FromTokens):
        return x.transpose(1, 2).unflatten(2, layer.size)
    if isinstance(layer, ClassToken):
        return torch.cat([parameters["weight"].expand(BATCH, -1, -1), x], 1)
    if isinstance(layer, PositionEmbedding):
        return x + parameters["weight"]
    if isinstance(layer, MultiHeadAttention):
        return attended(layer, inputs, parameters)
    if isinstance(layer, Concat):
        return torch.cat(inputs, layer.dim)
    return merged(layer, inputs, parameters)


def normalized(layer, x, parameters):
    weight, bias = parameters.get("weight"), parameters.get("bias")
    if isinstance(layer, GroupNorm):
        return F.group_norm(x, layer.num_groups, weight, bias)
    if isinstance(layer, InstanceNorm):
        return F.instance_norm(x, weight=weight, bias=bias)
    if isinstance(layer, Scale):
        features = [1] * x.dim()
        features[layer.dim] = -1
        scaled = x * weight.view(features)
        return scaled if bias is None else scaled + bias.view(features)
    if layer.normalized_shape is not None:
        return F.layer_norm(x, layer.normalized_shape, weight, bias)
    dim = -1 if layer.dim is None else layer.dim
    return F.layer_norm(x.movedim(dim, -1), (x.shape[dim],), weight, bias).movedim(-1, dim)


def resized(layer, x):
    rank = x.dim() - 2
    if isinstance(layer, Pad):
        return F.pad(x, [end for ends in reversed(ends_of(layer.padding, rank)) for end in ends])
    if isinstance(layer, Crop):
        for axis, (before, after) in enumerate(ends_of(layer.cropping, rank), start=2):
            x = x.narrow(axis, before, x.shape[axis] - before - after)
        return x
    if isinstance(layer, PixelShuffle):
        return F.pixel_shuffle(x, layer.upscale_factor)
    if isinstance(layer, PixelUnshuffle | SpaceToDepth):
        return F.pixel_unshuffle(x, layer.factor())
    linear = ("linear", "bilinear", "trilinear")[rank - 1]
    mode = {"nearest": "nearest", "linear": linear, "cubic": "bicubic"}[layer.mode]
    factor = layer.scale_factor and float(layer.scale_factor)
    return F.interpolate(x, layer.size, factor, mode)


def attended(layer, inputs, parameters):
    """Attention written out, with a projection for each of queries, keys and values.

    What is kept depends on how it is run. This, without a kernel of its own, is what convcalc
    declares. A kernel that goes over keys block by block (flash attention) keeps no scores; how
    nn.MultiheadAttention differs, a test below says.
    """
    queries, keys, values = inputs[0], inputs[min(1, len(inputs) - 1)], inputs[-1]
    assert layer.window is None
    if "in_proj_weight" in parameters:
        into = parameters["in_proj_weight"].chunk(3)
    else:
        into = [parameters[f"{name}_proj_weight"] for name in "qkv"]
    biases = [None] * 3
    if layer.bias:
        biases = parameters["in_proj_bias"].split([len(weight) for weight in into])
    q, k, v = (
        F.linear(x, weight, bias).unflatten(-1, (layer.num_heads, -1)).transpose(1, 2)
        for x, weight, bias in zip((queries, keys, values), into, biases, strict=True)
    )
    weights = F.softmax((q * q.shape[-1] ** -0.5) @ k.transpose(-2, -1), -1)
    weighed = (weights @ v).transpose(1, 2).flatten(2)
    return F.linear(weighed, parameters["out_proj.weight"], parameters.get("out_proj.bias"))


def merged(layer, inputs, parameters):
    first, *others = inputs
    if isinstance(layer, WeightedSum):
        factors = parameters["weight"]
        first = first * factors[0]
        others = [other * factors[n] for n, other in enumerate(others, start=1)]
    for other in others:
        if isinstance(layer, MatMul):
            a = first.transpose(-2, -1) if layer.transpose_first else first
            b = other.transpose(-2, -1) if layer.transpose_second else other
            first = a @ b
        elif isinstance(layer, Mul):
            first = first * other
        elif isinstance(layer, Max):
            first = torch.maximum(first, other)
        else:
            assert isinstance(layer, Add), layer  # WeightedSum and Mean too
            first = first + other
    return first / len(inputs) if isinstance(layer, Mean) else first


def kept_by_torch(graph):
    """Bytes of the distinct storages that autograd saves, but for weights and running statistics.

    Everything is kept alive to the end, so that no storage comes to stand where another one was.
    """
    excluded, outputs = {}, []
    with saved_tensors() as saved:
        for node in graph.nodes:
            if isinstance(node.layer, Input):
                outputs.append(torch.rand(BATCH, *node.shape))
                continue
            shapes = graph.input_shapes(node)
            parameters = {
                name: nn.Parameter(torch.rand(shape)) for name, shape in node.layer.weights(shapes)
            }
            buffers = {name: torch.ones(shape) for name, shape in node.layer.buffers(shapes)}
            for tensor in (*parameters.values(), *buffers.values()):
                excluded[tensor.untyped_storage().data_ptr()] = tensor
            inputs = [outputs[position] for position in node.inputs]
            outputs.append(run(node.layer, inputs, parameters | buffers))
            assert tuple(outputs[-1].shape[1:]) == node.shape
    return size_but_for(excluded.values(), saved)


@contextmanager
def saved_tensors():
    """What autograd saves, by the place of its storage."""
    saved = {}

    def pack(tensor):
        saved[tensor.untyped_storage().data_ptr()] = tensor
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        yield saved


def size_but_for(excluded, saved):
    """Bytes of saved storages; of a product with a number PyTorch saves the number, too."""
    pointers = {tensor.untyped_storage().data_ptr() for tensor in excluded}
    return sum(
        tensor.untyped_storage().nbytes()
        for pointer, tensor in saved.items()
        if pointer not in pointers and tensor.dim() > 0
    )


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("lenet5", {}),
        ("alexnet::alexnet", {}),
        ("alexnet::alexnet_two_gpu", {}),
        ("vgg::vgg16", {"H": 64, "W": 96}),
        ("vgg::vgg11_bn", {"H": 64, "W": 64}),
        ("googlenet::googlenet", {"H": 64, "W": 64}),
        ("googlenet::googlenet_torchvision", {"H": 97, "W": 64}),
        ("resnet::resnet18", {"H": 64, "W": 64}),
        ("resnet::resnet50", {"H": 65, "W": 97}),
        ("densenet::densenet121", {"H": 64, "W": 64}),
        ("mobilenet_v3::mobilenet_v3_large", {"H": 64, "W": 64}),
        ("shufflenet_v1::shufflenet_v1_g3", {"H": 64, "W": 64}),
        ("shufflenet_v2::shufflenet_v2_x1_0", {"H": 64, "W": 64}),
        ("convnext::convnext_tiny", {"H": 64, "W": 64}),
        ("vit::vit_b_16", {"H": 64, "W": 48, "depth": 3}),
        ("unet::unet", {"H": 188, "W": 204}),
        # Not MobileNet: PyTorch has no `same` with a stride.
        ("inception_3a", {}),
    ],
)
def test_shipped_networks_keep_what_pytorch_keeps(name, settings):
    graph = load(name, {key: str(value) for key, value in settings.items()})
    assert kept_for_backward(graph, BATCH, Dtypes()).size == kept_by_torch(graph)


CONV = "conv: {out_channels: 8, kernel_size: 3, padding: 1}"
GATE = "parallel: {merge: mul, branches: {features: [], gate: [global_avg_pool, sigmoid]}}"


@pytest.mark.parametrize(
    "layers",
    [
        *([CONV, kind.kind, CONV] for kind in ACTIVATIONS),
        *([CONV, kind.kind] for kind in ACTIVATIONS),
        [CONV, "prelu", CONV],
        [CONV, "prelu: {num_parameters: 8}"],
        [CONV, "softmax", CONV],
        [CONV, "local_response_norm: {size: 5}", CONV],
        [CONV, "local_response_norm: {size: 2}"],
        [CONV, "batch_norm: {affine: false}", "relu", CONV],
        [CONV, "dropout", CONV],
        [CONV, "dropout: {p: 0}", CONV],
        [CONV, "dropout: {p: 1}", CONV],
        [CONV, "max_pool: {kernel_size: 3, stride: 2, padding: 1, ceil_mode: true}", CONV],
        [CONV, "max_pool: {kernel_size: 2, dilation: 2}"],
        [CONV, "avg_pool: {kernel_size: 2}", "relu"],
        [CONV, "adaptive_avg_pool: {output_size: 3}", CONV],
        [CONV, "adaptive_avg_pool: {output_size: 1}", CONV],
        [CONV, "global_avg_pool", CONV],
        [CONV, GATE, CONV],
        [CONV, "relu", GATE],
        ["relu", "max_pool: {kernel_size: 2}", CONV],
        [CONV, "depthwise_conv: {kernel_size: 3, multiplier: 2}", "relu", "flatten"],
        [CONV, "relu", "residual: {body: [identity, tanh, batch_norm]}", "relu6"],
        [CONV, "flatten", "linear: {out_features: 5, bias: false}", "relu", "dropout"],
        ["conv_transpose: {out_channels: 4, kernel_size: 3, stride: 2}", "relu"],
        [CONV, "relu", "conv_transpose: {out_channels: 8, kernel_size: 2, groups: 2}", "sigmoid"],
        [CONV, "adaptive_max_pool: {output_size: 3}", CONV],
        [CONV, "adaptive_max_pool: {output_size: 1}"],
        [CONV, "relu", "global_max_pool", CONV],
        [CONV, "avg_pool: {kernel_size: 2, padding: 1, count_include_pad: false}", "relu"],
        [CONV, "layer_norm: {dim: 1}", CONV],
        [CONV, "layer_norm: {dim: -1, bias: false}"],
        [CONV, "layer_norm: {dim: -1, elementwise_affine: false}", "relu"],
        [CONV, "group_norm: {num_groups: 4}", "relu", CONV],
        [CONV, "group_norm: {num_groups: 8, affine: false}"],
        [CONV, "instance_norm", "relu", CONV],
        [CONV, "instance_norm: {affine: true}", CONV],
        [CONV, "scale", "relu"],
        [CONV, "scale: {dim: -1, bias: true}"],
        [CONV, "glu", "relu"],
        [CONV, "glu: {dim: 1}", "conv: {out_channels: 8, kernel_size: 1}"],
        [CONV, f"parallel: {{merge: max, branches: {{a: [], b: [relu], c: [{CONV}]}}}}"],
        [CONV, f"parallel: {{merge: mean, branches: {{a: [], b: [relu], c: [{CONV}]}}}}", "relu"],
        [CONV, f"parallel: {{merge: mul, branches: {{a: [], b: [relu], c: [{CONV}]}}}}", CONV],
        [CONV, f"parallel: {{merge: weighted_sum, branches: {{a: [], b: [relu], c: [{CONV}]}}}}"],
        [CONV, "channel_shuffle: {groups: 4}", CONV],
        [CONV, "pad: {padding: 2}", "relu6", "crop: {cropping: 1}", CONV],
        [CONV, "crop: {cropping: 1}", "relu", "pad: {padding: 1}"],
        [CONV, "upsample: {scale_factor: 2}", CONV],
        [CONV, "upsample: {size: 5, mode: linear}", "relu", CONV],
        [CONV, "channel_slice: {start: 2, end: -2}", CONV],
        [CONV, "relu", "channel_slice: {start: 1, dim: -1}", "silu"],
        [CONV, "split: {sections: 4, part: 3}", CONV],
        [CONV, "split: {sizes: [3, 5]}", "concat", CONV],
        [CONV, "relu", "split: {sections: 2}", "mul", CONV],
        [CONV, "to_tokens", "linear: {in_features: 8, out_features: 5}"],
        [CONV, "to_tokens", "layer_norm: {dim: -1}", "gelu", "class_token", "position_embedding"],
        # What comes out of `to_tokens` has features that do not lie side by side. PyTorch would
        # copy it for each projection, but networks norm it or put a token before it.
        [CONV, "to_tokens", "class_token", "multi_head_attention: {num_heads: 2}", "relu"],
        [
            CONV,
            "relu",
            "to_tokens",
            "layer_norm: {dim: -1}",
            "multi_head_attention: {num_heads: 4}",
        ],
        [CONV, "to_tokens", "class_token", "multi_head_attention: {num_heads: 2, bias: false}"],
        [CONV, "flatten: {start_dim: 2}", "gelu", "permute: {dims: [0, 2, 1]}", "tanh"],
        [CONV, "flatten: {start_dim: 2}", "reshape: {shape: [2, 4, -1]}", "silu"],
        *(
            [CONV, f"{{{kind}: {{}}, from: [{inputs}]}}"]
            for kind in ("mul", "max", "mean", "weighted_sum")
            for inputs in (
                *("prev, input", "input, prev", "prev, input, input", "input, prev, input"),
                *("input, input, prev", "input, input, prev, input"),
            )
        ),
        [CONV, "flatten: {start_dim: 2}", "{matmul: {transpose_second: true}, from: [prev, prev]}"],
        *(
            [
                "{flatten: {start_dim: 2}, name: x}",
                "{scale: {}, name: y}",
                f"{{matmul: {{transpose_second: true}}, from: [{inputs}]}}",
            ]
            for inputs in ("x, y", "y, x")
        ),
    ],
    ids=" | ".join,
)
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_a_kind_keeps_what_pytorch_keeps(layers, rank, tmp_path):
    assert_kept_as_by_torch((8, 7, 9, 6)[: rank + 1], layers, tmp_path)


def assert_kept_as_by_torch(shape, layers, tmp_path):
    spec = tmp_path / "net.yaml"
    lines = [f"input: {list(shape)}", "layers:", *(f"  - {layer}" for layer in layers)]
    spec.write_text("\n".join(lines) + "\n")
    graph = load(str(spec))
    assert kept_for_backward(graph, BATCH, Dtypes()).size == kept_by_torch(graph)


@pytest.mark.parametrize(
    "layers",
    [
        [CONV, "pixel_shuffle: {upscale_factor: 2}", "relu"],
        [CONV, "relu", "pixel_unshuffle: {downscale_factor: 2}", CONV],
        [CONV, "space_to_depth: {block_size: 2}", "gelu"],
        [CONV, "upsample: {scale_factor: 1.5, mode: cubic}", "relu"],
        [CONV, "layer_norm: {normalized_shape: [6, 4]}", CONV],
        [CONV, "permute: {dims: [0, 2, 3, 1]}", "layer_norm: {dim: -1}", "gelu"],
        [CONV, "to_tokens", "gelu", "from_tokens: {size: [6, 4]}", CONV],
        [
            CONV,
            "flatten: {start_dim: 2}",
            "{relu: {}, name: a}",
            "{matmul: {transpose_second: true}, from: [prev, a]}",
            "{matmul: {}, from: [prev, a]}",
            "softmax: {dim: -1}",
        ],
    ],
    ids=" | ".join,
)
def test_a_kind_of_images_keeps_what_pytorch_keeps(layers, tmp_path):
    assert_kept_as_by_torch((8, 6, 4), layers, tmp_path)


ATTENTION = "{multi_head_attention: {num_heads: 2}, from: [queries, keys, values]}"


@pytest.mark.parametrize(("kdim", "vdim"), [(6, 10), (8, 6), (8, 8)])
def test_attention_keeps_what_multiheadattention_keeps(kdim, vdim, tmp_path):
    """Of 5 query tokens with 8 features to 7 key tokens."""
    spec = tmp_path / "net.yaml"
    spec.write_text(
        f"inputs: {{queries: [5, 8], keys: [7, {kdim}], values: [7, {vdim}]}}\n"
        f"layers:\n  - {ATTENTION}\n"
    )
    shapes = (5, BATCH, 8), (7, BATCH, kdim), (7, BATCH, vdim)
    inputs = [torch.rand(shape) for shape in shapes]
    layer = nn.MultiheadAttention(8, 2, kdim=kdim, vdim=vdim)
    with saved_tensors() as saved:
        layer(*inputs)
    kept = size_but_for(layer.parameters(), saved)
    assert kept_for_backward(load(str(spec)), BATCH, Dtypes()).size == kept


def test_self_attention_keeps_the_unscaled_queries_only_in_multiheadattention(tmp_path):
    """There the three projections are one tensor, of which keys and values are still needed."""
    spec = tmp_path / "net.yaml"
    spec.write_text("input: [5, 8]\nlayers: [{multi_head_attention: {num_heads: 2}}]\n")
    x, layer = torch.rand(5, BATCH, 8), nn.MultiheadAttention(8, 2)
    with saved_tensors() as saved:
        layer(x, x, x)
    kept = size_but_for(layer.parameters(), saved)
    unscaled = 4 * BATCH * 5 * 8
    assert kept_for_backward(load(str(spec)), BATCH, Dtypes()).size == kept - unscaled
