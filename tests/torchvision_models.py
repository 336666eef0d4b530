"""torchvision's own modules, for the tests that hold convcalc against them."""

import warnings
from functools import cache

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of a NumPy that is not installed
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle, and is not installed")


@cache
def torchvision_models():
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


def model(name, **options):
    """The module of a model, without trained weights, on the default device."""
    options |= {"weights": None}
    if name in ("fcn_resnet50", "fcn_resnet101") or name.startswith("deeplabv3"):
        options |= {"weights_backbone": None, "aux_loss": True}
    elif name.startswith("lraspp"):
        options |= {"weights_backbone": None}
    elif name == "googlenet":
        options |= {"aux_logits": False, "init_weights": False}
    elif name == "inception_v3":
        options |= {"aux_logits": True, "init_weights": False}
    elif name.startswith("vgg"):
        options |= {"init_weights": False}
    return torchvision_models().get_model(name, **options)
