"""The numbers of a layer that the rules of conventions are made of, for one sample.

Kinds of layers that several tools have rules for stand here too.
"""

from __future__ import annotations

from typing import Final, cast

from convcalc.algebra import product
from convcalc.analysis.cost import LayerCost
from convcalc.conventions.declaration import Condition, Quantity
from convcalc.layers.attention import MultiHeadAttention
from convcalc.layers.convolution import ConvTranspose
from convcalc.layers.declaration import Shape, dimension, elements
from convcalc.layers.normalization import BatchNorm, LayerNorm, LocalResponseNorm
from convcalc.layers.resizing import Upsample

__all__ = [
    "ADAPTIVE_AVERAGE_POOLS",
    "AFFINE",
    "AFFINE_WITH_STATISTICS",
    "BIASES",
    "CONVOLUTIONS",
    "INPUT",
    "JOINED",
    "MACS",
    "ON_IMAGES",
    "ON_VECTORS",
    "OTHER_OPERATIONS",
    "OUTPUT",
    "PADDED",
    "PARAMS",
    "POOLS",
    "PRODUCTS",
    "SCORES",
    "TRANSPOSED_OUTPUT_MACS",
    "WITH_STATISTICS",
    "attention_products",
    "attention_scores",
    "is_linear_upsampling",
    "is_nearest_upsampling",
    "normalizes_last",
    "whole",
]

CONVOLUTIONS: Final = ("conv", "depthwise_conv")
ADAPTIVE_AVERAGE_POOLS: Final = ("adaptive_avg_pool", "global_avg_pool")
POOLS: Final = (
    *("max_pool", "avg_pool", *ADAPTIVE_AVERAGE_POOLS),
    *("adaptive_max_pool", "global_max_pool"),
)


def whole(sizes: Shape) -> int:
    """The product of sizes that are integers."""
    return cast("int", product(sizes))


def _biases(layer: LayerCost) -> int:
    """The adds of biases: of convolutions and linear layers one an output, if they have one."""
    return whole(layer.output_shape) if getattr(layer.layer, "bias", False) else 0


def _transposed_output_macs(layer: LayerCost) -> int:
    deconvolution = cast("ConvTranspose", layer.layer)
    channels, *spatial = layer.input_shapes[0]
    kernel = whole(deconvolution.kernels(len(spatial)))
    return whole(layer.output_shape) * (channels // cast("int", deconvolution.groups)) * kernel


def _padded_by_channels(layer: LayerCost) -> int:
    channels, *positions = layer.input_shapes[0]
    size = cast("LocalResponseNorm", layer.layer).size
    return (channels + cast("int", size) - 1) * whole(tuple(positions))


def attention_products(layer: LayerCost) -> int:
    """The multiply-adds of queries with keys, and of scores with values."""
    attention = cast("MultiHeadAttention", layer.layer)
    c_k, c_v, _ = attention.projected(layer.input_shapes)
    queries = whole(layer.input_shapes[0][:-1])
    return cast("int", queries * attention.seen(layer.input_shapes) * (c_k + c_v))


def attention_scores(layer: LayerCost) -> int:
    """The elements that the softmax is over: for each head one of each query and each key."""
    attention = cast("MultiHeadAttention", layer.layer)
    queries = whole(layer.input_shapes[0][:-1])
    return cast("int", attention.num_heads * queries * attention.seen(layer.input_shapes))


MACS: Final = Quantity(
    "M",
    "multiply-adds, as convcalc counts them",
    lambda layer: layer.macs,
    "multiply-adds",
)
INPUT: Final = Quantity(
    "I",
    "elements of the input",
    lambda layer: whole(layer.input_shapes[0]),
    "input element",
    is_counted=True,
)
OUTPUT: Final = Quantity(
    "O",
    "elements of the output",
    lambda layer: whole(layer.output_shape),
    "output element",
    is_counted=True,
)
BIASES: Final = Quantity(
    "B", "adds of biases: O of a layer that has a bias, else 0", _biases, "biases"
)
PARAMS: Final = Quantity(
    "P",
    "parameters: elements of the layer's weights and biases",
    lambda layer: cast("int", elements(layer.weights)),
    "parameters",
)
JOINED: Final = Quantity(
    "J",
    "elements of the output, once for each input after the first",
    lambda layer: whole(layer.output_shape) * (len(layer.inputs) - 1),
    "element joined",
    is_counted=True,
)
TRANSPOSED_OUTPUT_MACS: Final = Quantity(
    "O·(C_in/g)·K",
    "input channels of a group times kernel elements, for each output element",
    _transposed_output_macs,
    "kernels over output positions",
)
PRODUCTS: Final = Quantity(
    "S",
    "multiply-adds of an attention's products of activations: queries with keys, scores with "
    "values",
    attention_products,
    "products of activations",
)
SCORES: Final = Quantity(
    "R",
    "scores of an attention, which its softmax is over",
    attention_scores,
    "score",
    is_counted=True,
)
PADDED: Final = Quantity(
    "I_pad",
    "elements of the input of a local response norm, with size − 1 channels of padding",
    _padded_by_channels,
    "padded input element",
    is_counted=True,
)
OTHER_OPERATIONS: Final = Quantity(
    "X",
    "all operations that are no multiply-adds",
    lambda layer: layer.flops - 2 * layer.macs,
    "other operations",
)


def _is_affine(layer: LayerCost) -> bool:
    affine: bool = getattr(layer.layer, "affine", False) or getattr(
        layer.layer, "elementwise_affine", False
    )
    return affine


def _has_statistics(layer: LayerCost) -> bool:
    return isinstance(layer.layer, BatchNorm) and layer.layer.track_running_stats


AFFINE: Final = Condition("with learned scale", _is_affine)
WITH_STATISTICS: Final = Condition("with running statistics", _has_statistics)
AFFINE_WITH_STATISTICS: Final = Condition(
    "with running statistics and learned scale",
    lambda layer: _has_statistics(layer) and _is_affine(layer),
)
ON_IMAGES: Final = Condition("on two spatial axes", lambda layer: len(layer.input_shapes[0]) == 3)

ON_VECTORS: Final = Condition("on vectors", lambda layer: len(layer.input_shapes[0]) == 1)


def is_nearest_upsampling(layer: LayerCost) -> bool:
    """Whether a layer copies values onto a finer grid."""
    return cast("Upsample", layer.layer).mode == "nearest"


def is_linear_upsampling(layer: LayerCost) -> bool:
    """Whether a layer mixes the two neighbours on each axis."""
    return cast("Upsample", layer.layer).mode == "linear"


def normalizes_last(layer: LayerCost) -> bool:
    """Whether a layer norm is over the last dimensions, as PyTorch's module has it."""
    norm = cast("LayerNorm", layer.layer)
    shape = layer.input_shapes[0]
    return norm.dim is None or dimension(norm.dim, shape) == len(shape) - 1
