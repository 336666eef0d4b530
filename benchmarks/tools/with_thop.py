"""Count with thop: python with_thop.py NETWORK."""

import sys

from networks import network
from thop import profile
from torch import Tensor, nn


def build(name: str) -> tuple[nn.Module, Tensor]:
    """The network, on the device meta."""
    return network(name)


def count(model: nn.Module, image: Tensor) -> tuple[int, int]:
    """Its MACs, its parameters."""
    macs, params = profile(model, inputs=(image,), verbose=False)
    return int(macs), int(params)


if __name__ == "__main__":
    print(*count(*build(sys.argv[1])))
