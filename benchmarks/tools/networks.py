"""Networks of PyTorch, built as somebody does who wants to know what they cost."""

import torch
from torch import Tensor, nn

INPUT_SIZES = {"efficientnet_b7": 600}
"""Rows and columns of the input, where it is not 224."""


def network(name: str, device: str = "meta") -> tuple[nn.Module, Tensor]:
    """A model of torchvision without trained weights, or ``chain-N``; and an input for it.

    On the device ``meta`` tensors have shapes alone, and nothing is calculated.
    """
    with torch.device(device):
        if name.startswith("chain-"):
            return _chain(int(name.removeprefix("chain-"))), torch.zeros(1, 8, 16, 16)
        size = INPUT_SIZES.get(name, 224)
        return _torchvision_model(name).eval(), torch.zeros(1, 3, size, size)


def _chain(count: int) -> nn.Module:
    """The convolutions that `benchmarks/in_process.py` has as a spec."""
    return nn.Sequential(*(nn.Conv2d(8, 8, 3, padding=1) for _ in range(count))).eval()


def _torchvision_model(name: str) -> nn.Module:
    import_torchvision()
    from torchvision.models import get_model  # noqa: PLC0415 - after the line before

    return get_model(name, weights=None)


def import_torchvision() -> None:
    """Import torchvision, whose wheel may lack the operators of the PyTorch that is installed.

    Of those only detection has need; the package refuses to be imported without them, so they are
    declared here, without any code.
    """
    try:
        import torchvision  # noqa: PLC0415 - it is tried
    except RuntimeError as error:
        if "torchvision::" not in str(error):
            raise
        library = torch.library.Library("torchvision", "DEF")
        boxes = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
        library.define(f"nms{boxes}")
        library.define(f"qnms{boxes}")
        import torchvision  # noqa: F401, PLC0415 - while they are declared
