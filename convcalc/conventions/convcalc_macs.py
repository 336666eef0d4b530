"""convcalc's multiply-adds: what the other conventions are held against."""

from convcalc.conventions.declaration import Convention, Rule
from convcalc.conventions.quantities import MACS
from convcalc.layers import all_kinds

CONVENTION = Convention(
    name="convcalc",
    title="convcalc",
    version="",
    word="multiply-adds",
    call="convcalc analyze",
    rules=(Rule(tuple(all_kinds()), MACS, "convcalc/layers/declaration.py", "Operations.macs"),),
    is_own=True,
)
