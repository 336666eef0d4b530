"""ptflops with its usual backend, which hooks modules and patches functions.

Where it hooks a module that calls a function which it patches, it counts both.
"""

from __future__ import annotations

from fractions import Fraction
from typing import cast

from convcalc.analysis.cost import LayerCost
from convcalc.conventions.declaration import (
    CALLED,
    FUNCTION,
    MODULE,
    SUBCLASS,
    Convention,
    Quantity,
    Rule,
)
from convcalc.conventions.quantities import (
    AFFINE,
    BIASES,
    CONVOLUTIONS,
    INPUT,
    JOINED,
    MACS,
    OUTPUT,
    PADDED,
    POOLS,
    PRODUCTS,
    SCORES,
    whole,
)
from convcalc.layers.attention import MultiHeadAttention
from convcalc.layers.resizing import Upsample
from convcalc.layers.window import per_axis

FILE = "ptflops/pytorch_ops.py"
PATCHED = (*SUBCLASS, *FUNCTION)
"""What is seen because of the function that it calls: hooks are for PyTorch's own classes."""


def _attention(layer: LayerCost) -> int:
    """As the hook has it, which takes each projection to be as wide as what it projects.

    The output's bias is counted even where there is none.
    """
    attention = cast("MultiHeadAttention", layer.layer)
    (*before, n, q), (*_, m, k), (*_, _, v) = cast(
        "tuple[tuple[int, ...], ...]", attention.sequences(layer.input_shapes)
    )
    heads = cast("int", attention.num_heads)
    projections = n * q * q + m * k * k + m * v * v
    biases = (n + 2 * m) * q if attention.bias else 0
    scores = heads * (n * m * (q // heads) + n * m + n * m * (v // heads))
    return whole(tuple(before)) * (n * q + projections + biases + scores + n * v * (v + 1))


def _scaled(layer: LayerCost) -> int:
    """The output where its size was given; else the input times the factors, not rounded down."""
    upsample = cast("Upsample", layer.layer)
    if upsample.size is not None:
        return whole(layer.output_shape)
    elements = whole(layer.input_shapes[0])
    axes = len(layer.output_shape) - 1
    factors = [float(cast("Fraction", by)) for by in per_axis(upsample.scale_factor, axes)]
    if len(set(factors)) == 1:
        return int(elements * factors[0] ** axes)
    return elements * whole(tuple(int(factor) for factor in factors))


ATTENTION = Quantity(
    "A",
    "the hook's own formula for nn.MultiheadAttention, softmax and biases too",
    _attention,
    "by its own formula",
)
SCALED = Quantity(
    "I·Π scale",
    "elements of the output before its size is rounded down",
    _scaled,
    "scaled element",
    is_counted=True,
)
NORMS = ("batch_norm", "instance_norm", "group_norm")
HOOKED_AND_PATCHED = ("relu", "prelu", "elu", "gelu", *POOLS)

CONVENTION = Convention(
    name="ptflops",
    title="ptflops",
    version="0.7.5",
    word="MACs",
    call="ptflops.get_model_complexity_info(model, (3, 224, 224))[0]",
    rules=(
        Rule(
            (*CONVOLUTIONS, "conv_transpose"),
            MACS + BIASES,
            FILE,
            "conv_flops_counter_hook",
            MODULE,
        ),
        Rule(("linear",), MACS + BIASES, FILE, "linear_flops_counter_hook", MODULE),
        Rule(("matmul",), MACS, FILE, "_matmul_tensor_flops_hook", FUNCTION),
        Rule(NORMS, 2 * INPUT, FILE, "bn_flops_counter_hook", MODULE, AFFINE),
        Rule((*NORMS, "layer_norm"), INPUT, FILE, "bn_flops_counter_hook", MODULE),
        Rule(HOOKED_AND_PATCHED, 2 * INPUT, FILE, "MODULES_MAPPING, FUNCTIONAL_MAPPING", MODULE),
        Rule(HOOKED_AND_PATCHED, INPUT, FILE, "_numel_functional_flops_hook", PATCHED),
        Rule(("leaky_relu",), INPUT, FILE, "relu_flops_counter_hook", MODULE),
        Rule(("relu6",), INPUT, FILE, "relu_flops_counter_hook", MODULE),
        Rule(("relu6",), INPUT, FILE, "_numel_functional_flops_hook", FUNCTION),
        Rule(("silu", "softmax"), INPUT, FILE, "_numel_functional_flops_hook", CALLED),
        Rule(
            ("upsample",),
            OUTPUT + SCALED,
            FILE,
            "upsample_flops_counter_hook, _interpolate_functional_flops_hook",
            MODULE,
        ),
        Rule(("upsample",), SCALED, FILE, "_interpolate_functional_flops_hook", PATCHED),
        Rule(("add", "mul"), JOINED, FILE, "_elementwise_tensor_flops_hook", FUNCTION),
        Rule(("local_response_norm",), 3 * INPUT + PADDED, FILE, "TENSOR_OPS_MAPPING", CALLED),
        Rule(
            ("multi_head_attention",),
            ATTENTION + PRODUCTS + SCORES,
            FILE,
            "multihead_attention_counter_hook, _matmul_tensor_flops_hook",
            MODULE,
        ),
        Rule(
            ("multi_head_attention",),
            PRODUCTS + SCORES,
            FILE,
            "_matmul_tensor_flops_hook, _numel_functional_flops_hook",
            SUBCLASS,
        ),
        Rule(
            ("multi_head_attention",),
            ATTENTION,
            FILE,
            "multihead_attention_counter_hook",
            FUNCTION,
        ),
    ),
)
