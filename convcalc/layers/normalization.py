"""Normalization."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from convcalc.algebra import Number, product
from convcalc.errors import Finding, catalogue
from convcalc.layers.convolution import check_divided, check_given_size
from convcalc.layers.declaration import (
    POINTWISE,
    WHOLE_INPUT,
    Kept,
    KeptTensor,
    Layer,
    Memory,
    Operations,
    Shape,
    Tensor,
    Window,
    dimension,
    dimension_finding,
    field,
    is_refuted,
    shape_text,
)
from convcalc.layers.field_types import Boolean, Integer, ListOf, Real

__all__ = [
    "BatchNorm",
    "GroupNorm",
    "InstanceNorm",
    "LayerNorm",
    "LocalResponseNorm",
    "Scale",
]


class Norm(Layer):
    """What the normalizations by mean and variance share."""

    memory = Memory.IN_PLACE

    eps: Fraction | float = field(
        Real(0),
        default=1e-5,
        help="added to the variance; has no bearing on the cost",
        known_as=("epsilon",),
    )


class ChannelNorm(Norm):
    """A normalization whose scale and shift are learned for each channel."""

    affine: bool = field(
        Boolean(),
        default=True,
        help="whether a scale and a shift are learned for each channel",
        known_as=("scale", "center"),
    )

    def weights(self, inputs: tuple[Shape, ...]) -> tuple[Tensor, ...]:
        channels = inputs[0][0]
        if not self.affine:
            return ()
        return Tensor("weight", (channels,)), Tensor("bias", (channels,))


class BatchNorm(
    ChannelNorm,
    kind="batch_norm",
    known_as=(
        *("bn", "batchnorm", "batchnorm1d", "batchnorm2d", "batchnorm3d"),
        *("batchnormalization", "batch_normalization"),
    ),
):
    """Batch normalization over the channels (axis 1, counting the batch).

    Inference uses the running mean and variance; with the learned scale and shift they make one
    factor and one summand a channel, so each element costs one multiply and one add. Without
    running statistics the mean and variance of the input, and the factor and summand of each
    channel, are worked out first.
    """

    track_running_stats: bool = field(
        Boolean(), default=True, help="whether a running mean and variance are kept"
    )
    num_features: Number | None = field(
        Integer(1),
        default=None,
        symbol="C",
        help="channels of the input; taken from it, and checked against it if given",
        known_as=("channels", "in_channels", "features"),
    )
    momentum: Fraction | float = field(
        Real(0, 1), default=0.1, help="of the running statistics; has no bearing on the cost"
    )

    def buffers(self, inputs: tuple[Shape, ...]) -> tuple[Tensor, ...]:
        channels = inputs[0][0]
        if not self.track_running_stats:
            return ()
        return Tensor("running_mean", (channels,)), Tensor("running_var", (channels,))

    def operations(self, inputs: tuple[Shape, ...], output: Shape) -> Operations:
        n, channels = product(output), inputs[0][0]
        apply = Operations(multiplies=n, adds=n)
        if self.track_running_stats:
            return apply
        return apply.plus(statistics(n, channels)).plus(factors(channels, affine=self.affine))

    def kept_for_backward(self, inputs: tuple[Shape, ...], output: Shape) -> Kept:  # noqa: ARG002
        """The input, and for each channel the batch's mean and inverse deviation."""
        channels = inputs[0][0]
        return Kept(
            inputs=True,
            tensors=(
                KeptTensor("mean", channels, per_batch=True),
                KeptTensor("inverse_deviation", channels, per_batch=True),
            ),
        )

    def windows(self, inputs: tuple[Shape, ...]) -> tuple[Window, ...] | None:
        """With statistics of the input itself every position sees all of it."""
        if self.track_running_stats:
            return super().windows(inputs)
        return tuple(Window(n, 0, 0) for n in inputs[0][1:])

    def check(self, inputs: tuple[Shape, ...]) -> Iterator[Finding]:
        yield from check_given_size(self.num_features, inputs[0][0], "num_features", "channels")


class InstanceNorm(
    ChannelNorm,
    kind="instance_norm",
    known_as=(
        *("instancenorm", "instancenorm1d", "instancenorm2d", "instancenorm3d"),
        "instancenormalization",
    ),
):
    """Instance normalization: each channel of each sample by its own mean and variance.

    As in PyTorch nothing is learned by default. For each channel the mean, the variance, and of
    them a factor and a summand are worked out; an element then costs a multiply and an add. Ulyanov
    et al., "Instance Normalization" (2016).
    """

    affine: bool = field(
        Boolean(),
        default=False,
        help="whether a scale and a shift are learned for each channel",
        known_as=("scale", "center"),
    )
    num_features: Number | None = field(
        Integer(1),
        default=None,
        symbol="C",
        help="channels of the input; taken from it, and checked against it if given",
        known_as=("channels", "in_channels", "features"),
    )

    def operations(self, inputs: tuple[Shape, ...], output: Shape) -> Operations:
        n, channels = product(output), inputs[0][0]
        apply = Operations(multiplies=n, adds=n)
        return apply.plus(statistics(n, channels)).plus(factors(channels, affine=self.affine))

    def kept_for_backward(self, inputs: tuple[Shape, ...], output: Shape) -> Kept:  # noqa: ARG002
        """The input, each channel's mean and inverse deviation, and the scale.

        PyTorch runs it as a batch norm of one sample with the channels of all, for which it repeats
        the scale for each.
        """
        channels = inputs[0][0]
        scale = (KeptTensor("scale", channels),) if self.affine else ()
        return Kept(inputs=True, tensors=(*kept_statistics(channels), *scale))

    def windows(self, inputs: tuple[Shape, ...]) -> tuple[Window, ...] | None:  # noqa: ARG002
        return WHOLE_INPUT

    def check(self, inputs: tuple[Shape, ...]) -> Iterator[Finding]:
        if len(inputs[0]) < 2:
            yield Finding(
                catalogue.WRONG_RANK,
                "`instance_norm` needs a feature map of channels and spatial axes, but the input "
                f"of `{{name}}` is {shape_text(inputs[0])}",
                help="one value a channel has no variance: use `layer_norm` or `batch_norm`",
            )
        elif is_refuted(lambda: product(inputs[0][1:]) != 1):
            yield Finding(
                catalogue.OUT_OF_RANGE,
                "`instance_norm` needs more than one position, but the input of `{name}` is "
                f"{shape_text(inputs[0])}",
                operands=(0,),
                help="one value a channel has no variance: use `layer_norm` or `batch_norm`",
            )
        yield from check_given_size(self.num_features, inputs[0][0], "num_features", "channels")


class GroupNorm(ChannelNorm, kind="group_norm", known_as=("groupnorm", "groupnormalization", "gn")):
    """Group normalization: the channels of a sample fall into groups, each with its own mean.

    For each group the mean and the variance are worked out, for each channel a factor and a
    summand; an element then costs a multiply and an add. Wu and He, "Group Normalization" (2018).
    """

    num_groups: Number = field(
        Integer(1),
        symbol="g",
        help="groups that the channels fall into; 1: one mean for the whole sample",
        known_as=("groups", "group"),
    )
    num_channels: Number | None = field(
        Integer(1),
        default=None,
        symbol="C",
        help="channels of the input; taken from it, and checked against it if given",
        known_as=("channels", "in_channels", "num_features"),
    )

    def operations(self, inputs: tuple[Shape, ...], output: Shape) -> Operations:
        n, channels = product(output), inputs[0][0]
        apply = Operations(multiplies=n, adds=n)
        # Factor w/√(variance + ε): an add, a square root and a divide a group; then with a learned
        # w a multiply a channel. Summand b − mean·factor: a multiply, and with b an add.
        groups = Operations(adds=1, divides=1, exponentials=1).times(self.num_groups)
        summands = (
            Operations(multiplies=2, adds=1).times(channels)
            if self.affine
            else Operations(multiplies=1).times(self.num_groups)
        )
        return apply.plus(statistics(n, self.num_groups)).plus(groups).plus(summands)

    def kept_for_backward(self, inputs: tuple[Shape, ...], output: Shape) -> Kept:  # noqa: ARG002
        """The input, and for each group its mean and inverse deviation."""
        return Kept(inputs=True, tensors=kept_statistics(self.num_groups))

    def windows(self, inputs: tuple[Shape, ...]) -> tuple[Window, ...] | None:
        """Every position of a feature map goes into the means."""
        return WHOLE_INPUT if len(inputs[0]) > 1 else super().windows(inputs)

    def check(self, inputs: tuple[Shape, ...]) -> Iterator[Finding]:
        channels = inputs[0][0]
        yield from check_given_size(self.num_channels, channels, "num_channels", "channels")
        yield from check_divided(self.num_groups, channels, "num_groups")


class LayerNorm(Norm, kind="layer_norm", known_as=("layernorm", "layernormalization", "ln")):
    """Layer normalization over one dimension, or over the last few.

    `dim: -1` is PyTorch's over the features of each token; `dim: 1` is over the channels at each
    position of a feature map, as ConvNeXt has it; `normalized_shape` is over as many of the last
    dimensions as it has sizes. Each place has a mean and a variance of its own, the learned scale
    and shift one number for each normalized element. Ba et al., "Layer Normalization" (2016).
    """

    dim: int | None = field(
        Integer(None),
        default=None,
        help="the dimension that is normalized, counted as in PyTorch (0 is the batch); by default "
        "the last, which must be said of a feature map with height and width",
        known_as=("axis",),
    )
    normalized_shape: tuple[Number, ...] | None = field(
        ListOf(Integer(1), most=4),
        default=None,
        help="sizes of the last dimensions, all of which are normalized, in place of `dim`",
    )
    elementwise_affine: bool = field(
        Boolean(),
        default=True,
        help="whether a scale is learned for each normalized element",
        known_as=("affine", "scale"),
    )
    bias: bool = field(
        Boolean(),
        default=True,
        help="whether a shift is learned too",
        known_as=("center", "use_bias"),
    )

    def normalized(self, inputs: tuple[Shape, ...]) -> Shape:
        """The sizes of the dimensions that are normalized."""
        shape = inputs[0]
        if self.normalized_shape is not None:
            return shape[-len(self.normalized_shape) :]
        return (shape[-1 if self.dim is None else dimension(self.dim, shape)],)

    def weights(self, inputs: tuple[Shape, ...]) -> tuple[Tensor, ...]:
        normalized = self.normalized(inputs)
        if not self.elementwise_affine:
            return ()
        weight = Tensor("weight", normalized)
        return (weight, Tensor("bias", normalized)) if self.bias else (weight,)

    def means(self, inputs: tuple[Shape, ...]) -> Number:
        """How many means there are: one for each place of the other dimensions."""
        shape = inputs[0]
        if self.normalized_shape is not None:
            return product(shape[: -len(self.normalized_shape)])
        n = len(shape) - 1 if self.dim is None else dimension(self.dim, shape)
        return product((*shape[:n], *shape[n + 1 :]))

    def operations(self, inputs: tuple[Shape, ...], output: Shape) -> Operations:
        n, means = product(output), self.means(inputs)
        # 1/√(variance + ε): an add, a square root and a divide a mean; times it, a multiply an
        # element, whose mean was subtracted for the variance; times the scale, plus the shift.
        apply = Operations(multiplies=n)
        if self.elementwise_affine:
            apply = apply.plus(Operations(multiplies=n, adds=n if self.bias else 0))
        each = Operations(adds=1, divides=1, exponentials=1).times(means)
        return apply.plus(statistics(n, means)).plus(each)

    def kept_for_backward(self, inputs: tuple[Shape, ...], output: Shape) -> Kept:  # noqa: ARG002
        """The input, and the mean and inverse deviation of each place."""
        return Kept(inputs=True, tensors=kept_statistics(self.means(inputs)))

    def windows(self, inputs: tuple[Shape, ...]) -> tuple[Window, ...] | None:
        """A dimension that is normalized is seen whole; elsewhere each sees its own."""
        shape = inputs[0]
        if self.normalized_shape is not None:
            first = len(shape) - len(self.normalized_shape)
            seen = range(first, len(shape))
        else:
            n = len(shape) - 1 if self.dim is None else dimension(self.dim, shape)
            seen = range(n, n + 1)
        return tuple(
            Window(n, 0, 0) if axis in seen else POINTWISE
            for axis, n in enumerate(shape)
            if axis > 0
        )

    def check(self, inputs: tuple[Shape, ...]) -> Iterator[Finding]:
        shape = inputs[0]
        given = self.normalized_shape
        if given is None:
            if self.dim is not None:
                finding = dimension_finding(self.dim, shape, "dim")
                if finding:
                    yield finding
            elif len(shape) > 2:
                yield Finding(
                    catalogue.WRONG_RANK,
                    f"the input of `{{name}}` is the feature map {shape_text(shape)}: which "
                    "dimension is normalized must be said",
                    help="`dim: 1` for the channels, `dim: -1` for the last axis, as PyTorch's "
                    "LayerNorm has it",
                )
            return
        if self.dim is not None:
            yield Finding(
                catalogue.CONFLICTING_KEYS,
                "`layer_norm` has `dim` or `normalized_shape`, not both",
                field="dim",
                help="leave one of them out",
            )
        if len(given) > len(shape) or is_refuted(lambda: given == shape[-len(given) :]):
            yield Finding(
                catalogue.INPUT_SIZE_MISMATCH,
                f"`normalized_shape` is {shape_text(given)}, but the input of `{{name}}` is "
                f"{shape_text(shape)}",
                field="normalized_shape",
                operands=(0,),
                help="it must be the sizes of the input's last dimensions",
            )


class Scale(Layer, kind="scale", known_as=("layer_scale", "layerscale", "gamma")):
    """A learned factor for each channel, as ConvNeXt's layer scale: a multiply an element."""

    memory = Memory.IN_PLACE

    dim: int = field(
        Integer(None),
        default=1,
        help="the dimension with a factor for each place, counted as in PyTorch: 1 is the channels",
        known_as=("axis",),
    )
    bias: bool = field(
        Boolean(), default=False, help="whether a summand is learned too", known_as=("use_bias",)
    )

    def weights(self, inputs: tuple[Shape, ...]) -> tuple[Tensor, ...]:
        n = inputs[0][dimension(self.dim, inputs[0])]
        return (
            (Tensor("weight", (n,)), Tensor("bias", (n,)))
            if self.bias
            else (Tensor("weight", (n,)),)
        )

    def operations(self, inputs: tuple[Shape, ...], output: Shape) -> Operations:  # noqa: ARG002
        n = product(output)
        return Operations(multiplies=n, adds=n if self.bias else 0)

    def kept_for_backward(self, inputs: tuple[Shape, ...], output: Shape) -> Kept:  # noqa: ARG002
        """The input, for the gradient of the factors."""
        return Kept(inputs=True)

    def check(self, inputs: tuple[Shape, ...]) -> Iterator[Finding]:
        finding = dimension_finding(self.dim, inputs[0], "dim")
        if finding:
            yield finding


class LocalResponseNorm(
    Layer,
    kind="local_response_norm",
    known_as=("lrn", "localresponsenorm", "localresponsenormalization"),
):
    """Local response normalization across neighbouring channels.

    y = x / (k + α · mean of x² over `size` channels)^β, as PyTorch has it (Krizhevsky et al. 2012
    sum instead of taking the mean). An element costs 2 multiplies, `size` adds, 2 divides and a
    power.
    """

    size: Number = field(
        Integer(1),
        symbol="n",
        help="channels that are looked at together",
        known_as=("depth_radius", "local_size", "n"),
    )
    alpha: Fraction | float = field(
        Real(0), default=1e-4, help="factor of the mean; has no bearing on the cost"
    )
    beta: Fraction | float = field(
        Real(0), default=0.75, help="the power; has no bearing on the cost"
    )
    k: Fraction | float = field(
        Real(0), default=1, help="summand; has no bearing on the cost", known_as=("bias",)
    )

    def operations(self, inputs: tuple[Shape, ...], output: Shape) -> Operations:  # noqa: ARG002
        # x², α·mean | size − 1 of the window and k | by size and by the power | the power
        return Operations(multiplies=2, adds=self.size, divides=2, exponentials=1).times(
            product(output)
        )

    def kept_for_backward(self, inputs: tuple[Shape, ...], output: Shape) -> Kept:  # noqa: ARG002
        """The input, its squares with the padding around the channels, the sum, and its power."""
        channels, *positions = inputs[0]
        n, around = product(inputs[0]), product((channels + self.size - 1, *positions))
        return Kept(
            inputs=True,
            tensors=(
                KeptTensor("squares", around),
                KeptTensor("sum", n),
                KeptTensor("power", n),
            ),
        )


def statistics(n: Number, means: Number) -> Operations:
    """The mean and the variance of ``n`` elements that fall into ``means`` parts.

    Mean: n − means adds, means divides. Variance: n subtractions, n squares, n − means adds, means
    divides.
    """
    return Operations(adds=3 * n - 2 * means, multiplies=n, divides=2 * means)


def factors(channels: Number, *, affine: bool) -> Operations:
    """A factor and a summand for each channel, of its mean and variance.

    Factor w/√(variance + ε): an add, a square root, a divide; summand b − mean·factor: a multiply,
    and with a learned b an add. A learned w is divided in place of 1.
    """
    each = Operations(adds=2 if affine else 1, multiplies=1, divides=1, exponentials=1)
    return each.times(channels)


def kept_statistics(means: Number) -> tuple[KeptTensor, ...]:
    """What autograd keeps of the statistics of one sample."""
    return KeptTensor("mean", means), KeptTensor("inverse_deviation", means)
