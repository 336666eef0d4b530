"""PyTorch's modules for the activations that take no fields, by convcalc's kind."""

import warnings

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of a NumPy that is not installed
    nn = pytest.importorskip("torch", reason="PyTorch is the oracle, and is not installed").nn

ACTIVATIONS = {
    "relu": nn.ReLU,
    "relu6": nn.ReLU6,
    "leaky_relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "selu": nn.SELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "mish": nn.Mish,
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "softplus": nn.Softplus,
    "hard_sigmoid": nn.Hardsigmoid,
    "hard_swish": nn.Hardswish,
}
