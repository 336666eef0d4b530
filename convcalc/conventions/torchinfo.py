"""torchinfo, which multiplies what a module has learned by the positions of its output."""

from convcalc.conventions.declaration import MODULE, SUBCLASS, Convention, Rule
from convcalc.conventions.quantities import (
    BIASES,
    CONVOLUTIONS,
    MACS,
    ON_VECTORS,
    PARAMS,
    TRANSPOSED_OUTPUT_MACS,
)

FILE = "torchinfo/layer_info.py"
IN_MODULES = (*MODULE, *SUBCLASS)
FUNCTION_NAME = "LayerInfo.calculate_macs"

CONVENTION = Convention(
    name="torchinfo",
    title="torchinfo",
    version="1.8.0",
    word="mult-adds",
    call="torchinfo.summary(model, input_data=inputs).total_mult_adds",
    rules=(
        Rule(CONVOLUTIONS, MACS + BIASES, FILE, FUNCTION_NAME, IN_MODULES),
        Rule(("conv_transpose",), TRANSPOSED_OUTPUT_MACS + BIASES, FILE, FUNCTION_NAME, IN_MODULES),
        # Times the size of the output's first dimension, which is the batch even of a sequence.
        Rule(("linear",), MACS + BIASES, FILE, FUNCTION_NAME, IN_MODULES, ON_VECTORS),
        Rule(
            ("linear", "batch_norm", "instance_norm", "group_norm", "prelu"),
            PARAMS,
            FILE,
            FUNCTION_NAME,
            IN_MODULES,
        ),
        Rule(("layer_norm",), PARAMS, FILE, FUNCTION_NAME, IN_MODULES),
    ),
)
