"""PyTorch's own counter, which reads the operators that run, and counts 2 for a multiply-add."""

from convcalc.conventions.declaration import FUNCTION, Convention, Rule
from convcalc.conventions.quantities import CONVOLUTIONS, MACS, PRODUCTS

FILE = "torch/utils/flop_counter.py"

CONVENTION = Convention(
    name="torch",
    title="torch.utils.flop_counter",
    version="2.13.0",
    word="FLOPs",
    call="FlopCounterMode().get_total_flops()",
    rules=(
        Rule((*CONVOLUTIONS, "conv_transpose"), 2 * MACS, FILE, "conv_flop_count"),
        Rule(("linear",), 2 * MACS, FILE, "addmm_flop"),
        Rule(("matmul",), 2 * MACS, FILE, "bmm_flop"),
        # On a CPU scaled_dot_product_attention is an operator that no formula is registered for.
        Rule(("multi_head_attention",), 2 * MACS + -2 * PRODUCTS, FILE, "addmm_flop", FUNCTION),
        Rule(("multi_head_attention",), 2 * MACS, FILE, "addmm_flop, bmm_flop"),
    ),
)
