"""calflops, which patches functions, and counts 2 for a multiply-add."""

from __future__ import annotations

from typing import cast

from convcalc.analysis.cost import LayerCost
from convcalc.conventions.declaration import (
    CALLED,
    FUNCTION,
    MODULE,
    SUBCLASS,
    Convention,
    Formula,
    Quantity,
    Rule,
)
from convcalc.conventions.quantities import (
    AFFINE,
    AFFINE_WITH_STATISTICS,
    BIASES,
    CONVOLUTIONS,
    INPUT,
    JOINED,
    MACS,
    PADDED,
    POOLS,
    PRODUCTS,
    SCORES,
    WITH_STATISTICS,
    whole,
)
from convcalc.layers.convolution import ConvTranspose
from convcalc.layers.resizing import Upsample

FILE = "calflops/pytorch_ops.py"
ACTIVATIONS = ("relu", "leaky_relu", "prelu", "elu", "gelu", "silu")
NORMS = ("batch_norm", "instance_norm", "group_norm", "layer_norm")


def compute(kind: str) -> str:
    """What counts a kind that the tool has a function for."""
    return f"_{kind}_flops_compute"


def _transposed_macs(layer: LayerCost) -> int:
    """T, with the output channels of a group divided by the groups once more."""
    deconvolution = cast("ConvTranspose", layer.layer)
    channels, *spatial = layer.input_shapes[0]
    groups = cast("int", deconvolution.groups)
    filters = layer.output_shape[0] // groups // groups
    return whole(deconvolution.kernels(len(spatial))) * channels * filters * whole(tuple(spatial))


def _transposed_biases(layer: LayerCost) -> int:
    """The outputs that a convolution of the same fields would have, in one group of channels."""
    deconvolution = cast("ConvTranspose", layer.layer)
    if not deconvolution.bias:
        return 0
    spatial = layer.input_shapes[0][1:]
    sizes = tuple(
        (i + axis.before + axis.after - (axis.dilation * (axis.kernel - 1) + 1)) // axis.stride + 1
        for i, axis in zip(spatial, deconvolution.axes(layer.input_shapes), strict=True)
    )
    return layer.output_shape[0] // cast("int", deconvolution.groups) * whole(sizes)


def _upsampled(layer: LayerCost) -> int:
    """The size that was asked for, without channels; with a factor the input, as it is."""
    size = cast("Upsample", layer.layer).size
    if size is None:
        return whole(layer.input_shapes[0])
    return whole(size) if isinstance(size, tuple) else cast("int", size)


TRANSPOSED_MACS = Quantity(
    "M_g²",
    "M, with the output channels of a group divided by the groups once more",
    _transposed_macs,
    "multiply-adds of g² groups",
)
TRANSPOSED_BIASES = Quantity(
    "B_conv",
    "outputs that a convolution of the same fields would have, in C_out/g channels",
    _transposed_biases,
    "biases of a convolution of the same fields",
)
UPSAMPLED = Quantity(
    "U",
    "I where a factor was given, else the size that was given: its numbers multiplied",
    _upsampled,
    "elements",
)

BATCH_NORM = compute("batch_norm")

CONVENTION = Convention(
    name="calflops",
    title="calflops",
    version="0.3.2",
    word="FLOPs",
    call="calflops.calculate_flops(model, args=inputs, output_as_string=False)[0]",
    rules=(
        Rule(CONVOLUTIONS, 2 * MACS + BIASES, FILE, "_conv_flops_compute", CALLED),
        Rule(
            ("conv_transpose",),
            2 * TRANSPOSED_MACS + TRANSPOSED_BIASES,
            FILE,
            "_conv_trans_flops_compute",
            CALLED,
        ),
        Rule(("linear",), 2 * MACS, FILE, "_linear_flops_compute", CALLED),
        Rule(("matmul",), 2 * MACS, FILE, "_matmul_flops_compute", FUNCTION),
        Rule(("batch_norm",), 2 * INPUT, FILE, BATCH_NORM, CALLED, AFFINE_WITH_STATISTICS),
        Rule(("batch_norm",), INPUT, FILE, BATCH_NORM, CALLED, WITH_STATISTICS),
        *(Rule((kind,), 5 * INPUT, FILE, compute(kind), CALLED, AFFINE) for kind in NORMS),
        *(Rule((kind,), 4 * INPUT, FILE, compute(kind), CALLED) for kind in NORMS),
        *(Rule((kind,), INPUT, FILE, compute(kind), CALLED) for kind in ACTIVATIONS),
        # The module is a Hardtanh, which calls another function.
        Rule(("relu6",), Formula(), FILE, "_relu6_flops_compute", (*MODULE, *SUBCLASS)),
        Rule(("relu6",), INPUT, FILE, "_relu6_flops_compute", FUNCTION),
        Rule(POOLS, INPUT, FILE, "_pool_flops_compute", CALLED),
        Rule(("softmax",), INPUT, FILE, "_softmax_flops_compute", CALLED),
        Rule(("upsample",), UPSAMPLED, FILE, "_upsample_flops_compute", CALLED),
        Rule(("add", "mul"), JOINED, FILE, "_elementwise_flops_compute", FUNCTION),
        Rule(("local_response_norm",), 3 * INPUT + PADDED, FILE, "_patch_tensor_methods", CALLED),
        Rule(
            ("multi_head_attention",),
            2 * MACS + -2 * PRODUCTS + SCORES,
            FILE,
            "_linear_flops_compute, _softmax_flops_compute",
            (*MODULE, *SUBCLASS),
        ),
        Rule(
            ("multi_head_attention",),
            2 * MACS + -2 * PRODUCTS,
            FILE,
            "_linear_flops_compute",
            FUNCTION,
        ),
    ),
)
