"""thop, which sees modules of the types that it knows, and nothing else."""

from __future__ import annotations

from math import prod
from typing import cast

from convcalc.analysis.cost import LayerCost
from convcalc.conventions.declaration import MODULE, Condition, Convention, Formula, Quantity, Rule
from convcalc.conventions.quantities import (
    ADAPTIVE_AVERAGE_POOLS,
    AFFINE,
    CONVOLUTIONS,
    INPUT,
    MACS,
    OUTPUT,
    TRANSPOSED_OUTPUT_MACS,
    is_nearest_upsampling,
    whole,
)
from convcalc.layers.activation import Softmax
from convcalc.layers.declaration import dimension
from convcalc.layers.resizing import Upsample

HOOKS = "thop/vision/basic_hooks.py"
PROFILE = "thop/profile.py"
NORMS = ("batch_norm", "instance_norm", "layer_norm")


def _adaptive_pool(layer: LayerCost) -> int:
    """In doubles and cut to an integer, as thop does: I + O, or 1 less where it rounds so."""
    inputs, outputs = layer.input_shapes[0][1:], layer.output_shape[1:]
    window = prod(i / o for i, o in zip(inputs, outputs, strict=True))
    return int((window + 1) * whole(layer.output_shape))


def _softmax(layer: LayerCost) -> int:
    shape = layer.input_shapes[0]
    n = shape[dimension(cast("Softmax", layer.layer).dim, shape)]
    return whole(shape) // n * (3 * n - 1)


def _is_mode(mode: str, axes: int) -> Condition:
    """An upsampling with this mode, on so many spatial axes."""
    return Condition(
        f"{mode}, on {axes} spatial {'axis' if axes == 1 else 'axes'}",
        lambda layer: (
            cast("Upsample", layer.layer).mode == mode and len(layer.output_shape) == axes + 1
        ),
    )


ADAPTIVE_WINDOWS = Quantity(
    "(I/O + 1)·O",
    "elements of the mean window and a divide, for each output element",
    _adaptive_pool,
    "means",
)
SOFTMAX_ROWS = Quantity(
    "3n − 1 a row", "of a row of n: n exponentials, n − 1 adds, n divides", _softmax, "rows"
)
NEAREST = Condition("nearest", is_nearest_upsampling)

CONVENTION = Convention(
    name="thop",
    title="thop",
    version="0.1.1.post2209072238",
    word="MACs",
    call="thop.profile(model, inputs=inputs)[0]",
    rules=(
        Rule(CONVOLUTIONS, MACS, HOOKS, "count_convNd", MODULE),
        Rule(("conv_transpose",), TRANSPOSED_OUTPUT_MACS, HOOKS, "count_convNd", MODULE),
        Rule(("linear",), MACS, HOOKS, "count_linear", MODULE),
        Rule(NORMS, 4 * INPUT, HOOKS, "count_normalization", MODULE, AFFINE),
        Rule(NORMS, 2 * INPUT, HOOKS, "count_normalization", MODULE),
        Rule(("prelu",), INPUT, HOOKS, "count_prelu", MODULE),
        Rule(("softmax",), SOFTMAX_ROWS, HOOKS, "count_softmax", MODULE),
        Rule(("avg_pool",), OUTPUT, HOOKS, "count_avgpool", MODULE),
        Rule(ADAPTIVE_AVERAGE_POOLS, ADAPTIVE_WINDOWS, HOOKS, "count_adap_avgpool", MODULE),
        Rule(("upsample",), OUTPUT, HOOKS, "count_upsample", MODULE, NEAREST),
        Rule(("upsample",), 5 * OUTPUT, HOOKS, "count_upsample", MODULE, _is_mode("linear", 1)),
        Rule(("upsample",), 11 * OUTPUT, HOOKS, "count_upsample", MODULE, _is_mode("linear", 2)),
        Rule(("upsample",), 259 * OUTPUT, HOOKS, "count_upsample", MODULE, _is_mode("cubic", 2)),
        Rule(
            ("relu", "relu6", "leaky_relu", "max_pool", "adaptive_max_pool", "dropout", "pad"),
            Formula(),
            PROFILE,
            "register_hooks",
            MODULE,
        ),
    ),
    misses_params=True,
)
