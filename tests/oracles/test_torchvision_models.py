"""The zoo against torchvision's own modules, layer by layer in the order in which they run.

The modules are built on the meta device, where tensors have shapes and no numbers, and every
convolution, linear layer, normalization and attention is held against ours: the shapes of its
weights and of its output.
"""

import pytest
from torchvision_figures import rows, specs
from torchvision_models import model, torch

from convcalc import analyze

pytestmark = pytest.mark.oracle

SPECS = specs()
KINDS = {
    "conv": "conv",
    "depthwise_conv": "conv",
    "conv_transpose": "conv",
    "linear": "linear",
    "batch_norm": "norm",
    "layer_norm": "norm",
    "group_norm": "norm",
    "multi_head_attention": "attention",
}


def built(name):
    """The module of a model on the meta device, ready for inference."""
    with torch.device("meta"):
        return model(name).eval()


def kind_of(module):
    """Which of our kinds a module is held against; None: it has no weights, or parts have them."""
    nn = torch.nn
    if isinstance(module, nn.modules.conv._ConvNd):
        return "conv"
    if isinstance(module, nn.MultiheadAttention):
        return "attention"
    if isinstance(module, nn.Linear) and not isinstance(
        module, nn.modules.linear.NonDynamicallyQuantizableLinear
    ):
        return "linear"
    if isinstance(module, nn.modules.batchnorm._BatchNorm | nn.LayerNorm | nn.GroupNorm):
        return "norm"
    return None


def run(module, shape):
    """Kind, weight shapes and output shape of each layer, in the order in which they run."""
    found = []

    def note(layer, _inputs, output):
        output = output[0] if isinstance(output, tuple) else output
        weights = {name: tuple(weight.shape) for name, weight in layer.named_parameters()}
        found.append((kind_of(layer), weights, tuple(output.shape[1:])))

    for layer in module.modules():
        if kind_of(layer):
            layer.register_forward_hook(note)
    with torch.device("meta"):
        module(torch.empty(1, *shape))
    return found


def ours(analysis):
    return [
        (KINDS[row.kind], {t.name: tuple(t.shape) for t in row.weights}, row.output_shape)
        for row in analysis.layers
        if row.kind in KINDS
    ]


def test_all_networks_of_torchvision_are_here():
    assert len(SPECS) == 81


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.id)
def test_every_layer_is_torchvision_s(row):
    analysis = analyze(SPECS[row])
    shape = tuple(map(int, row.input.split("x")))
    module = built(row.model)
    theirs = run(module, shape)
    mine = ours(analysis)
    for number, (one, other) in enumerate(zip(mine, theirs, strict=False)):
        assert one == other, f"layer {number} of {len(theirs)}"
    assert len(mine) == len(theirs)


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.id)
def test_the_figures_are_those_of_the_modules(row):
    """The parameters of the csv, from the modules themselves."""
    module = built(row.model)
    assert sum(weight.numel() for weight in module.parameters()) == row.params


def test_the_comparison_would_notice_another_network():
    theirs = run(built("resnet34"), (3, 224, 224))
    assert ours(analyze("resnet::resnet18")) != theirs
    assert ours(analyze("resnet::resnet50")) != theirs
