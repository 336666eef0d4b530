"""fvcore, which reads the operators of a traced model: how it is written makes little odds."""

from __future__ import annotations

from convcalc.conventions.declaration import CALLED, FUNCTION, Condition, Convention, Rule
from convcalc.conventions.quantities import (
    ADAPTIVE_AVERAGE_POOLS,
    AFFINE,
    AFFINE_WITH_STATISTICS,
    CONVOLUTIONS,
    INPUT,
    MACS,
    ON_IMAGES,
    OUTPUT,
    PRODUCTS,
    WITH_STATISTICS,
    is_linear_upsampling,
    is_nearest_upsampling,
)

HANDLES = "fvcore/nn/jit_handles.py"
OPERATORS = "fvcore/nn/flop_count.py"

NEAREST = Condition(
    "nearest, on two spatial axes",
    lambda layer: is_nearest_upsampling(layer) and ON_IMAGES.holds(layer),
)
BILINEAR = Condition(
    "bilinear", lambda layer: is_linear_upsampling(layer) and ON_IMAGES.holds(layer)
)
NORMS = ("batch_norm", "instance_norm", "group_norm", "layer_norm")

CONVENTION = Convention(
    name="fvcore",
    title="fvcore",
    version="0.1.5.post20221221",
    word="flops",
    call="fvcore.nn.FlopCountAnalysis(model, inputs).total()",
    rules=(
        Rule((*CONVOLUTIONS, "conv_transpose"), MACS, HANDLES, "conv_flop_count"),
        Rule(("linear",), MACS, HANDLES, "linear_flop_jit"),
        Rule(("matmul",), MACS, HANDLES, "matmul_flop_jit"),
        Rule(
            ("batch_norm",), 2 * INPUT, HANDLES, "batchnorm_flop_jit", where=AFFINE_WITH_STATISTICS
        ),
        Rule(("batch_norm",), INPUT, HANDLES, "batchnorm_flop_jit", where=WITH_STATISTICS),
        Rule(NORMS, 5 * INPUT, HANDLES, "norm_flop_counter", where=AFFINE),
        Rule(NORMS, 4 * INPUT, HANDLES, "norm_flop_counter"),
        Rule(
            ADAPTIVE_AVERAGE_POOLS,
            INPUT,
            OPERATORS,
            "_DEFAULT_SUPPORTED_OPS",
            CALLED,
            ON_IMAGES,
        ),
        Rule(("upsample",), OUTPUT, OPERATORS, "_DEFAULT_SUPPORTED_OPS", where=NEAREST),
        Rule(("upsample",), 4 * OUTPUT, OPERATORS, "_DEFAULT_SUPPORTED_OPS", where=BILINEAR),
        # scaled_dot_product_attention has no handle.
        Rule(("multi_head_attention",), MACS + -1 * PRODUCTS, HANDLES, "linear_flop_jit", FUNCTION),
        Rule(("multi_head_attention",), MACS, HANDLES, "linear_flop_jit, bmm_flop_jit"),
    ),
)
