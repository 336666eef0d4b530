"""Count with PyTorch's own counter: python with_torch.py NETWORK."""

import sys

from networks import network
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode


def build(name: str) -> tuple[nn.Module, Tensor]:
    """The network, on the device meta."""
    return network(name)


def count(model: nn.Module, image: Tensor) -> tuple[int, int]:
    """Its FLOPs, its parameters."""
    with FlopCounterMode(display=False) as counter:
        model(image)
    return counter.get_total_flops(), sum(each.numel() for each in model.parameters())


if __name__ == "__main__":
    print(*count(*build(sys.argv[1])))
