"""Count with ptflops: python with_ptflops.py NETWORK."""

import sys

from networks import import_torchvision, network
from torch import Tensor, nn

import_torchvision()  # ptflops does, and cannot see to it that it can be imported

from ptflops import get_model_complexity_info  # noqa: E402 - after the line before


def build(name: str) -> tuple[nn.Module, Tensor]:
    """The network, on the device meta."""
    return network(name)


def count(model: nn.Module, image: Tensor) -> tuple[int, int]:
    """Its MACs, its parameters.

    The backend is aten: the usual one counts linear layers twice on the device meta, and takes many
    times as long on a CPU.
    """
    return get_model_complexity_info(
        model,
        tuple(image.shape[1:]),
        as_strings=False,
        print_per_layer_stat=False,
        backend="aten",
    )


if __name__ == "__main__":
    print(*count(*build(sys.argv[1])))
