"""Count with fvcore: python with_fvcore.py NETWORK."""

import sys

from fvcore.nn import FlopCountAnalysis, parameter_count
from networks import network
from torch import Tensor, nn


def build(name: str) -> tuple[nn.Module, Tensor]:
    """The network, on the CPU: fvcore traces it, which the device meta does not allow."""
    return network(name, "cpu")


def count(model: nn.Module, image: Tensor) -> tuple[int, int]:
    """Its flops, its parameters."""
    found = FlopCountAnalysis(model, image).unsupported_ops_warnings(enabled=False)
    return found.total(), parameter_count(model)[""]


if __name__ == "__main__":
    print(*count(*build(sys.argv[1])))
