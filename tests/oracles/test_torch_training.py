"""What autograd keeps, held against PyTorch's own saved tensors."""

import warnings

import pytest

from convcalc.analysis import Dtypes
from convcalc.analysis.training import kept_for_backward
from convcalc.layers.activation import (
    Elu,
    Gelu,
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
from convcalc.layers.convolution import Conv, DepthwiseConv
from convcalc.layers.linear import Linear
from convcalc.layers.merging import Add, Concat, Mul
from convcalc.layers.normalization import BatchNorm, LocalResponseNorm
from convcalc.layers.pooling import AdaptiveAvgPool, AvgPool, GlobalAvgPool, MaxPool
from convcalc.layers.shaping import Dropout, Flatten, Identity, Input
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
            x, layer.kernel_size, layer.stride, layer.padding, layer.ceil_mode
        )
    if isinstance(layer, AdaptiveAvgPool | GlobalAvgPool):
        size = layer.output_size if isinstance(layer, AdaptiveAvgPool) else 1
        operation = (F.adaptive_avg_pool1d, F.adaptive_avg_pool2d, F.adaptive_avg_pool3d)
        return operation[rank - 1](x, size)
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
    if isinstance(layer, Add):
        total = inputs[0] + inputs[1]
        for other in inputs[2:]:
            total = total + other
        return total
    if isinstance(layer, Mul):
        return inputs[0] * inputs[1]
    assert isinstance(layer, Concat), layer
    return torch.cat(inputs, layer.dim)


def kept_by_torch(graph):
    """Bytes of the distinct storages that autograd saves, but for weights and running statistics.

    Everything is kept alive to the end, so that no storage comes to stand where another one was.
    """
    saved, excluded, outputs = {}, {}, []

    def pack(tensor):
        saved[tensor.untyped_storage().data_ptr()] = tensor
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
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
    return sum(
        tensor.untyped_storage().nbytes()
        for pointer, tensor in saved.items()
        if pointer not in excluded
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
    ],
    ids=" | ".join,
)
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_a_kind_keeps_what_pytorch_keeps(layers, rank, tmp_path):
    shape = (8, 7, 9, 6)[: rank + 1]
    spec = tmp_path / "net.yaml"
    lines = [f"input: {list(shape)}", "layers:", *(f"  - {layer}" for layer in layers)]
    spec.write_text("\n".join(lines) + "\n")
    graph = load(str(spec))
    assert kept_for_backward(graph, BATCH, Dtypes()).size == kept_by_torch(graph)
