"""The zoo against torchvision's own modules, layer by layer in the order in which they run.

The modules are built on the meta device, where tensors have shapes and no numbers, and every
convolution, linear layer, normalization and attention is held against ours: the shapes of its
weights and of its output.
"""

import pytest
from torchvision_figures import rows, specs

from convcalc import analyze

torch = pytest.importorskip("torch", reason="PyTorch is the oracle, and is not installed")

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


@pytest.fixture(scope="module")
def models():
    """torchvision's models. Its wheel may lack the operators of the PyTorch that is installed.

    Of those only detection has need; the package refuses to be imported without them, so they are
    declared here, without any code.
    """
    try:
        import torchvision
    except RuntimeError as error:
        if "torchvision::" not in str(error):
            raise
        library = torch.library.Library("torchvision", "DEF")
        boxes = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
        library.define(f"nms{boxes}")
        library.define(f"qnms{boxes}")
        import torchvision
    except ImportError:
        pytest.skip("torchvision is the oracle, and is not installed")
    from torchvision.models.regnet import BlockParams

    # It works out widths with tensors, and needs their numbers.
    make = BlockParams.from_init_params.__func__

    def on_cpu(cls, *args, **kwargs):
        with torch.device("cpu"):
            return make(cls, *args, **kwargs)

    BlockParams.from_init_params = classmethod(on_cpu)
    return torchvision.models


def built(models, name):
    """The module of a model on the meta device, ready for inference."""
    options = {"weights": None}
    if name in ("fcn_resnet50", "fcn_resnet101") or name.startswith("deeplabv3"):
        options |= {"weights_backbone": None, "aux_loss": True}
    elif name.startswith("lraspp"):
        options |= {"weights_backbone": None}
    elif name == "googlenet":
        options |= {"aux_logits": False, "init_weights": False}
    elif name == "inception_v3":
        options |= {"aux_logits": True, "init_weights": False}
    with torch.device("meta"):
        return models.get_model(name, **options).eval()


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
def test_every_layer_is_torchvision_s(row, models):
    analysis = analyze(SPECS[row])
    shape = tuple(map(int, row.input.split("x")))
    module = built(models, row.model)
    theirs = run(module, shape)
    mine = ours(analysis)
    for number, (one, other) in enumerate(zip(mine, theirs, strict=False)):
        assert one == other, f"layer {number} of {len(theirs)}"
    assert len(mine) == len(theirs)


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.id)
def test_the_figures_are_those_of_the_modules(row, models):
    """The parameters of the csv, from the modules themselves."""
    module = built(models, row.model)
    assert sum(weight.numel() for weight in module.parameters()) == row.params


def test_the_comparison_would_notice_another_network(models):
    theirs = run(built(models, "resnet34"), (3, 224, 224))
    assert ours(analyze("resnet::resnet18")) != theirs
    assert ours(analyze("resnet::resnet50")) != theirs
