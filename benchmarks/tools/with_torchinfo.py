"""Count with torchinfo: python with_torchinfo.py NETWORK."""

import sys

from networks import network
from torch import Tensor, nn
from torchinfo import summary


def build(name: str) -> tuple[nn.Module, Tensor]:
    """The network, on the device meta."""
    return network(name)


def count(model: nn.Module, image: Tensor) -> tuple[int, int]:
    """Its mult-adds, its parameters."""
    found = summary(model, input_data=image, device=image.device, verbose=0)
    return found.total_mult_adds, found.total_params


if __name__ == "__main__":
    print(*count(*build(sys.argv[1])))
