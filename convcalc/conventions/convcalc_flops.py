"""convcalc's FLOPs: 2 · multiply-adds + all other operations."""

from convcalc.conventions.declaration import Convention, Rule
from convcalc.conventions.quantities import MACS, OTHER_OPERATIONS
from convcalc.layers import all_kinds

CONVENTION = Convention(
    name="convcalc-flops",
    title="convcalc's FLOPs",
    version="",
    word="FLOPs",
    call="convcalc analyze",
    rules=(
        Rule(
            tuple(all_kinds()),
            2 * MACS + OTHER_OPERATIONS,
            "convcalc/layers/declaration.py",
            "Operations.flops",
        ),
    ),
    is_own=True,
)
