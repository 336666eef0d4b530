"""Sequences of tokens, and attention between them.

A sequence is (tokens, features): the features last, as in PyTorch with the batch first.
"""

from __future__ import annotations

from collections.abc import Iterator

from convcalc.algebra import Number, product
from convcalc.errors import Finding, catalogue
from convcalc.layers.convolution import check_given_size
from convcalc.layers.declaration import (
    WHOLE_INPUT,
    Kept,
    KeptTensor,
    Layer,
    Layout,
    Memory,
    NumberOfInputs,
    Operations,
    Shape,
    Tensor,
    Window,
    field,
    is_refuted,
    shape_text,
)
from convcalc.layers.field_types import Boolean, Integer, ListOf
from convcalc.layers.window import check_feature_map

__all__ = [
    "ClassToken",
    "FromTokens",
    "MultiHeadAttention",
    "PositionEmbedding",
    "ToTokens",
]


class ToTokens(
    Layer, kind="to_tokens", known_as=("to_sequence", "flatten_spatial", "tokenize", "patches")
):
    """A feature map as a sequence: one token for each position, its channels the features."""

    memory = Memory.VIEW

    def output(self, inputs: tuple[Shape, ...]) -> Shape:
        channels, *spatial = inputs[0]
        return (product(tuple(spatial)), channels)

    def lays_out(self, layout: Layout) -> Layout:  # noqa: ARG002 - whatever it was
        return Layout.FEATURES_LAST

    def windows(self, inputs: tuple[Shape, ...]) -> tuple[Window, ...] | None:  # noqa: ARG002
        return WHOLE_INPUT

    def check(self, inputs: tuple[Shape, ...]) -> Iterator[Finding]:
        yield from check_feature_map(self, inputs[0])


class FromTokens(
    Layer, kind="from_tokens", known_as=("from_sequence", "to_feature_map", "untokenize", "to_map")
):
    """A sequence as a feature map again: `to_tokens` undone."""

    memory = Memory.VIEW
    reads = Layout.FEATURES_LAST

    size: tuple[Number, ...] = field(
        ListOf(Integer(1), most=3),
        help="size of each spatial axis: together as many positions as there are tokens",
        known_as=("output_size", "shape"),
    )

    def output(self, inputs: tuple[Shape, ...]) -> Shape:
        return (inputs[0][-1], *self.size)

    def lays_out(self, layout: Layout) -> Layout:  # noqa: ARG002 - whatever it was
        return Layout.CHANNELS_FIRST

    def windows(self, inputs: tuple[Shape, ...]) -> tuple[Window, ...] | None:  # noqa: ARG002
        return WHOLE_INPUT

    def check(self, inputs: tuple[Shape, ...]) -> Iterator[Finding]:
        found = check_sequence(self, inputs[0])
        yield from found
        positions = product(self.size)
        if not found and is_refuted(lambda: positions == inputs[0][0]):
            yield Finding(
                catalogue.CANNOT_DIVIDE,
                f"the input of `{{name}}` has {inputs[0][0]} tokens, but {shape_text(self.size)} "
                f"is {positions} positions",
                field="size",
                operands=(0,),
                help="if there is a class token, take it away before: `channel_slice: {start: 1}`",
            )


class ClassToken(Layer, kind="class_token", known_as=("cls_token", "register_tokens")):
    """Puts learned tokens before those of the input, for what the whole sequence is about.

    Dosovitskiy et al., "An Image is Worth 16x16 Words" (2020).
    """

    reads = Layout.FEATURES_LAST

    tokens: Number = field(Integer(1), default=1, symbol="t", help="how many", known_as=("num",))

    def output(self, inputs: tuple[Shape, ...]) -> Shape:
        n, features = inputs[0]
        return (n + self.tokens, features)

    def weights(self, inputs: tuple[Shape, ...]) -> tuple[Tensor, ...]:
        return (Tensor("weight", (self.tokens, inputs[0][-1])),)

    def windows(self, inputs: tuple[Shape, ...]) -> tuple[Window, ...] | None:  # noqa: ARG002
        return WHOLE_INPUT

    def check(self, inputs: tuple[Shape, ...]) -> Iterator[Finding]:
        yield from check_sequence(self, inputs[0])


class PositionEmbedding(
    Layer,
    kind="position_embedding",
    known_as=("pos_embedding", "pos_embed", "positional_encoding", "positional_embedding"),
):
    """Adds to each element a number that says where it stands: learned, or fixed (sinusoidal)."""

    memory = Memory.IN_PLACE

    learned: bool = field(
        Boolean(), default=True, help="whether the numbers are learned, one for each element"
    )

    def weights(self, inputs: tuple[Shape, ...]) -> tuple[Tensor, ...]:
        return (Tensor("weight", inputs[0]),) if self.learned else ()

    def operations(self, inputs: tuple[Shape, ...], output: Shape) -> Operations:  # noqa: ARG002
        """An add an element."""
        return Operations(adds=product(output))


class MultiHeadAttention(
    Layer,
    kind="multi_head_attention",
    known_as=("multiheadattention", "attention", "mha", "self_attention", "selfattention"),
):
    """Attention of n query tokens to m key tokens, with its four projections.

    Tokens are the last axis but one, features the last: put `to_tokens` before it, for of a feature
    map the width would be taken for the features. One input attends to itself; of two the first
    asks and the second answers; three are queries, keys and values. With c features everywhere and
    n = m that is 4·n·c² multiply-adds for the projections and 2·n·m·c for the two products of
    activations; a `window` of w takes the place of m there. Besides: the queries are scaled, the
    scores go through a softmax, and the biases are added. Vaswani et al., "Attention Is All You
    Need" (2017).
    """

    takes = NumberOfInputs(1, 3)
    reads = Layout.FEATURES_LAST

    num_heads: Number = field(
        Integer(1),
        symbol="h",
        help="heads that the features are divided among; it has no bearing on the multiply-adds",
        known_as=("heads", "n_heads", "nhead"),
    )
    bias: bool = field(
        Boolean(),
        default=True,
        help="whether the projections add a learned number",
        known_as=("use_bias", "qkv_bias"),
    )
    window: Number | None = field(
        Integer(1),
        default=None,
        symbol="w",
        help="key tokens that each query token sees; by default all",
        known_as=("window_size", "attention_window"),
    )
    key_features: Number | None = field(
        Integer(1),
        default=None,
        symbol="c_k",
        help="features of the projected queries and keys, all heads together; by default those of "
        "the queries",
        known_as=("key_dim", "qk_dim", "d_k"),
    )
    value_features: Number | None = field(
        Integer(1),
        default=None,
        symbol="c_v",
        help="features of the projected values, all heads together; by default those of the "
        "queries",
        known_as=("value_dim", "v_dim", "d_v"),
    )
    out_features: Number | None = field(
        Integer(1),
        default=None,
        symbol="c_out",
        help="features of the output; by default those of the queries",
        known_as=("output_dim", "output_shape"),
    )
    embed_dim: Number | None = field(
        Integer(1),
        default=None,
        symbol="c",
        help="features of the queries; taken from the input, and checked against it if given",
        known_as=("in_features", "d_model", "dim", "hidden_dim"),
    )

    def sequences(self, inputs: tuple[Shape, ...]) -> tuple[Shape, Shape, Shape]:
        """The shapes of queries, keys and values."""
        queries, keys = inputs[0], inputs[min(1, len(inputs) - 1)]
        return queries, keys, inputs[-1]

    def projected(self, inputs: tuple[Shape, ...]) -> tuple[Number, Number, Number]:
        """Features of projected queries and keys, of projected values, and of the output."""
        c = inputs[0][-1]
        return (
            c if self.key_features is None else self.key_features,
            c if self.value_features is None else self.value_features,
            c if self.out_features is None else self.out_features,
        )

    def output(self, inputs: tuple[Shape, ...]) -> Shape:
        return (*inputs[0][:-1], self.projected(inputs)[2])

    def weights(self, inputs: tuple[Shape, ...]) -> tuple[Tensor, ...]:
        """As PyTorch has them: one tensor for the three input projections if they are alike."""
        queries, keys, values = self.sequences(inputs)
        c_k, c_v, c_out = self.projected(inputs)
        # Known to be alike: where free symbols leave it open, three have the right count.
        alike = is_refuted(
            lambda: not (queries[-1] == keys[-1] == values[-1] == c_k and c_k == c_v)
        )
        into = (
            (Tensor("in_proj_weight", (3 * c_k, queries[-1])),)
            if alike
            else (
                Tensor("q_proj_weight", (c_k, queries[-1])),
                Tensor("k_proj_weight", (c_k, keys[-1])),
                Tensor("v_proj_weight", (c_v, values[-1])),
            )
        )
        out = Tensor("out_proj.weight", (c_out, c_v))
        if not self.bias:
            return (*into, out)
        return (
            *into,
            Tensor("in_proj_bias", (2 * c_k + c_v,)),
            out,
            Tensor("out_proj.bias", (c_out,)),
        )

    def seen(self, inputs: tuple[Shape, ...]) -> Number:
        """Key tokens that a query token sees."""
        return self.sequences(inputs)[1][-2] if self.window is None else self.window

    def operations(self, inputs: tuple[Shape, ...], output: Shape) -> Operations:
        queries, keys, values = self.sequences(inputs)
        c_k, c_v, c_out = self.projected(inputs)
        n, m = product(queries[:-1]), product(keys[:-1])
        seen = self.seen(inputs)
        projections = (
            n * queries[-1] * c_k + m * keys[-1] * c_k + m * values[-1] * c_v + n * c_v * c_out
        )
        products = n * seen * c_k + n * seen * c_v
        rows = self.num_heads * n
        # A row of the softmax: seen − 1 comparisons for the maximum, as many subtractions as there
        # are scores and one add less, an exponential and a divide a score.
        softmax = Operations(
            adds=rows * (2 * seen - 1),
            divides=rows * seen,
            comparisons=rows * (seen - 1),
            exponentials=rows * seen,
        )
        biases = n * c_k + m * c_k + m * c_v + product(output)
        return softmax.plus(
            Operations(
                macs=projections + products,
                multiplies=n * c_k,
                adds=biases if self.bias else 0,
            )
        )

    def kept_for_backward(self, inputs: tuple[Shape, ...], output: Shape) -> Kept:  # noqa: ARG002
        """The inputs, the three projections, the softmax of the scores, and what it weighs."""
        queries, keys, values = self.sequences(inputs)
        c_k, c_v, _ = self.projected(inputs)
        n = product(queries[:-1])
        return Kept(
            inputs=True,
            tensors=(
                KeptTensor("queries", n * c_k),
                KeptTensor("keys", product(keys[:-1]) * c_k),
                KeptTensor("values", product(values[:-1]) * c_v),
                KeptTensor("scores", self.num_heads * n * self.seen(inputs)),
                KeptTensor("weighed", n * c_v),
            ),
        )

    def windows(self, inputs: tuple[Shape, ...]) -> tuple[Window, ...] | None:  # noqa: ARG002
        return WHOLE_INPUT

    def check(self, inputs: tuple[Shape, ...]) -> Iterator[Finding]:
        for n, shape in enumerate(inputs):
            if len(shape) not in (2, 3):
                yield Finding(
                    catalogue.WRONG_RANK,
                    "`multi_head_attention` needs sequences of tokens, (tokens, features), but an "
                    f"input of `{{name}}` is {shape_text(shape)}",
                    operands=(n,),
                    help="put `to_tokens` before it; a sequence for each of several windows is "
                    "(windows, tokens, features)",
                )
                return
        queries, keys, values = self.sequences(inputs)
        yield from check_given_size(self.embed_dim, queries[-1], "embed_dim", "features")
        if is_refuted(lambda: keys[:-1] == values[:-1]) or is_refuted(
            lambda: queries[:-2] == keys[:-2]
        ):
            yield Finding(
                catalogue.SHAPES_DIFFER,
                f"`{{name}}` has queries {shape_text(queries)}, keys {shape_text(keys)} and values "
                f"{shape_text(values)}",
                operands=tuple(range(len(inputs))),
                help="there must be as many keys as values; only queries may be another number",
            )
            return
        if self.window is not None and is_refuted(lambda: self.window <= keys[-2]):  # type: ignore[operator]
            yield Finding(
                catalogue.OUT_OF_RANGE,
                f"`window` is {self.window}, but there are {keys[-2]} tokens to see",
                field="window",
                operands=(min(1, len(inputs) - 1),),
                help="leave it out: then each token sees all",
            )
        c_k, c_v, _ = self.projected(inputs)
        for features, whose in ((c_k, "queries and keys"), (c_v, "values")):
            if is_refuted(lambda features=features: features % self.num_heads == 0):  # type: ignore[misc]
                yield Finding(
                    catalogue.GROUPS_DO_NOT_DIVIDE,
                    f"{self.num_heads} heads do not divide the {features} features of the {whose} "
                    "of `{name}`",
                    field="num_heads",
                    operands=(0,),
                    help="each head takes an equal part of the features",
                )
                return


def check_sequence(layer: Layer, shape: Shape) -> tuple[Finding, ...]:
    """A finding unless ``shape`` is (tokens, features)."""
    if len(shape) == 2:
        return ()
    return (
        Finding(
            catalogue.WRONG_RANK,
            f"`{layer.kind}` needs a sequence, (tokens, features), but the input of `{{name}}` is "
            f"{shape_text(shape)}",
            help="put `to_tokens` before it",
        ),
    )
