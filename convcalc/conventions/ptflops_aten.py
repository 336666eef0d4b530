"""ptflops with its backend `aten`, which reads the operators that run."""

from __future__ import annotations

from typing import cast

from convcalc.analysis.cost import LayerCost
from convcalc.conventions.declaration import FUNCTION, Convention, Quantity, Rule
from convcalc.conventions.quantities import BIASES, CONVOLUTIONS, MACS, PRODUCTS, whole
from convcalc.layers.attention import MultiHeadAttention

FILE = "ptflops/aten_ops.py"


def _biases(layer: LayerCost) -> int:
    attention = cast("MultiHeadAttention", layer.layer)
    if not attention.bias:
        return 0
    queries, keys, _ = attention.sequences(layer.input_shapes)
    c_k, c_v, _ = attention.projected(layer.input_shapes)
    into = whole(queries[:-1]) * c_k + whole(keys[:-1]) * (c_k + c_v)
    return cast("int", into) + whole(layer.output_shape)


PROJECTION_BIASES = Quantity(
    "B_p", "adds of the biases of an attention's four projections", _biases, "biases"
)

CONVENTION = Convention(
    name="ptflops-aten",
    title="ptflops, backend aten",
    version="0.7.5",
    word="MACs",
    call='ptflops.get_model_complexity_info(model, (3, 224, 224), backend="aten")[0]',
    rules=(
        Rule((*CONVOLUTIONS, "conv_transpose"), MACS + BIASES, FILE, "conv_flop_count"),
        Rule(("linear",), MACS + BIASES, FILE, "addmm_flop"),
        Rule(("matmul",), MACS, FILE, "bmm_flop"),
        # scaled_dot_product_attention is no operator that it knows.
        Rule(
            ("multi_head_attention",),
            MACS + PROJECTION_BIASES + -1 * PRODUCTS,
            FILE,
            "addmm_flop",
            FUNCTION,
        ),
        Rule(("multi_head_attention",), MACS + PROJECTION_BIASES, FILE, "addmm_flop, bmm_flop"),
    ),
)
