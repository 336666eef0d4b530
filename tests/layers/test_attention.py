"""Tokens and attention: shapes, weights, and operations counted while the formulas run."""

from math import exp, sqrt

import pytest

from convcalc.algebra import symbol
from convcalc.errors import catalogue
from convcalc.layers.attention import (
    ClassToken,
    FromTokens,
    MultiHeadAttention,
    PositionEmbedding,
    ToTokens,
)
from convcalc.layers.declaration import (
    POINTWISE,
    Kept,
    KeptTensor,
    Memory,
    NumberOfInputs,
    Operations,
)

C, H, W = symbol("C"), symbol("H"), symbol("W")


# -- tokens ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "output"),
    [((768, 14, 14), (196, 768)), ((3, 10), (10, 3)), ((8, 2, 3, 4), (24, 8))],
)
def test_tokens_are_the_positions_and_their_features_the_channels(run_layer, shape, output):
    found = run_layer(ToTokens(), shape)
    assert found.output == output
    assert found.operations == Operations()
    assert (found.weights, found.buffers, found.windows) == ({}, {}, None)
    back = run_layer(FromTokens(size=shape[1:]), output)
    assert back.output == shape
    assert back.operations == Operations()
    assert (back.weights, back.buffers, back.windows) == ({}, {}, None)


def test_tokens_of_a_free_size(run_layer):
    assert run_layer(ToTokens(), (C, H, W)).output == (H * W, C)
    assert run_layer(FromTokens(size=(H, W)), (H * W, C)).output == (C, H, W)


def test_tokens_are_views_and_keep_nothing():
    assert ToTokens.memory is FromTokens.memory is Memory.VIEW
    assert ToTokens().kept_for_backward(((3, 4),), (4, 3)) == Kept()
    assert FromTokens(size=(4,)).kept_for_backward(((4, 3),), (3, 4)) == Kept()


def test_tokens_must_be_as_many_as_positions(refusal):
    # With its class token a sequence of ViT has 197.
    finding = refusal(FromTokens(size=(14, 14)), (197, 768))
    assert finding.code is catalogue.CANNOT_DIVIDE
    assert finding.field == "size"
    assert finding.operands == (0,)
    assert finding.message == "the input of `{name}` has 197 tokens, but 14×14 is 196 positions"
    assert "`channel_slice: {start: 1}`" in finding.help


@pytest.mark.parametrize("shape", [(8,), (8, 2, 2, 2, 2)])
def test_what_makes_tokens_needs_a_feature_map(refusal, shape):
    finding = refusal(ToTokens(), shape)
    assert finding.code is catalogue.WRONG_RANK
    assert finding.message.startswith("`to_tokens` needs a feature map of channels")


@pytest.mark.parametrize("layer", [FromTokens(size=(8,)), ClassToken()])
@pytest.mark.parametrize("shape", [(8,), (8, 2, 4)])
def test_what_takes_tokens_needs_a_sequence(refusal, layer, shape):
    finding = refusal(layer, shape)
    assert finding.code is catalogue.WRONG_RANK
    assert finding.message == (
        f"`{layer.kind}` needs a sequence, (tokens, features), but the input of `{{name}}` is "
        f"{'×'.join(map(str, shape))}"
    )
    assert finding.help == "put `to_tokens` before it"


@pytest.mark.parametrize(("fields", "tokens"), [({}, 1), ({"tokens": 4}, 4)])
def test_class_tokens_are_learned_and_stand_before_the_others(run_layer, fields, tokens):
    found = run_layer(ClassToken(**fields), (196, 768))
    assert found.output == (196 + tokens, 768)
    assert found.weights == {"weight": (tokens, 768)}
    assert found.operations == Operations()
    assert (found.buffers, found.windows) == ({}, None)
    assert ClassToken.memory is Memory.ALLOCATES


@pytest.mark.parametrize("shape", [(197, 768), (96, 56, 56), (10,)])
def test_a_position_embedding_adds_a_number_to_each_element(run_layer, shape):
    elements = {(197, 768): 151_296, (96, 56, 56): 301_056, (10,): 10}[shape]
    learned = run_layer(PositionEmbedding(), shape)
    assert learned.output == shape
    assert learned.weights == {"weight": shape}
    assert learned.operations == Operations(adds=elements)
    assert learned.windows == (POINTWISE,) * (len(shape) - 1)
    fixed = run_layer(PositionEmbedding(learned=False), shape)
    assert fixed == learned._replace(weights={})
    assert PositionEmbedding.memory is Memory.IN_PLACE
    assert PositionEmbedding().kept_for_backward((shape,), shape) == Kept()


# -- attention ------------------------------------------------------------------------------------


def test_attention_as_in_vit_base(run_layer):
    found = run_layer(MultiHeadAttention(num_heads=12), (197, 768))
    assert found.output == (197, 768)
    # 4 · 768² + 4 · 768 = 2,362,368
    assert found.weights == {
        "in_proj_weight": (2304, 768),
        "in_proj_bias": (2304,),
        "out_proj.weight": (768, 768),
        "out_proj.bias": (768,),
    }
    # 4 · 197 · 768² = 464,781,312 and 2 · 197² · 768 = 59,610,624. The softmax has 12 · 197 = 2,364
    # rows of 197: 2,364 · 196 = 463,344 comparisons, 2,364 · 197 = 465,708 exponentials and
    # divides, 2,364 · 393 = 929,052 adds; 4 · 197 · 768 = 605,184 adds of biases.
    assert found.operations == Operations(
        macs=524_391_936,
        adds=1_534_236,
        multiplies=151_296,
        divides=465_708,
        comparisons=463_344,
        exponentials=465_708,
    )
    assert (found.buffers, found.windows) == ({}, None)


def weighed(values, factors, tally):
    """Σ value · factor, whose multiply-adds are tallied apart."""
    tally.append(len(values))
    return sum(_value(v) * _value(f) for v, f in zip(values, factors, strict=True))


def _value(number):
    return getattr(number, "value", number)


def attended(run, counts, n, m, seen, *, bias):
    """Attention with projections to c_k, c_v and c_out features, head by head."""
    (q, k, v), (c_k, c_v, c_out), heads = run
    tally = []

    def projected(tokens, into, out):
        rows = []
        for _ in range(tokens):
            row = [weighed([1.0] * into, [0.5] * into, tally) for _ in range(out)]
            row = counts.numbers(*row)
            rows.append([x + 1 for x in row] if bias else row)
        return rows

    queries, keys, values = projected(n, q, c_k), projected(m, k, c_k), projected(m, v, c_v)
    queries = [[x * (1 / sqrt(c_k // heads)) for x in row] for row in queries]
    for query in queries:
        for head in range(heads):
            part = slice(head * c_k // heads, (head + 1) * c_k // heads)
            scores = counts.numbers(
                *(weighed(query[part], key[part], tally) for key in keys[:seen])
            )
            largest = scores[0]
            for score in scores[1:]:
                largest = largest.at_least(score)
            powers = [(score - largest).function(exp) for score in scores]
            total = powers[0]
            for power in powers[1:]:
                total = total + power
            shares = [power / total for power in powers]
            part = slice(head * c_v // heads, (head + 1) * c_v // heads)
            for column in zip(*(value[part] for value in values[:seen]), strict=True):
                weighed(column, shares, tally)
    projected(n, c_v, c_out)
    return counts.operations._replace(macs=sum(tally))


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(
    ("shapes", "fields", "run"),
    [
        ([(5, 6)], {"num_heads": 2}, ((6, 6, 6), (6, 6, 6), 2)),
        ([(5, 6)], {"num_heads": 3, "window": 2}, ((6, 6, 6), (6, 6, 6), 3)),
        ([(3, 4), (7, 10)], {"num_heads": 2}, ((4, 10, 10), (4, 4, 4), 2)),
        ([(3, 4), (7, 10), (7, 2)], {"num_heads": 4, "window": 3}, ((4, 10, 2), (4, 4, 4), 4)),
        (
            [(4, 5)],
            {"num_heads": 2, "key_features": 6, "value_features": 8, "out_features": 3},
            ((5, 5, 5), (6, 8, 3), 2),
        ),
    ],
)
def test_attention_costs_what_its_formulas_do(run_layer, counts, shapes, fields, run, bias):
    found = run_layer(MultiHeadAttention(bias=bias, **fields), *shapes)
    n, m = shapes[0][0], shapes[min(1, len(shapes) - 1)][0]
    seen = fields.get("window", m)
    assert found.operations == attended(run, counts, n, m, seen, bias=bias)
    assert found.output == (n, run[1][2])


def test_attention_in_windows_costs_as_much_in_each(run_layer):
    # Swin: 64 windows of 7×7 tokens. 64 · 49 = 3,136 tokens: 4 · 3,136 · 96² = 115,605,504 for the
    # projections, and 2 · 3,136 · 49 · 96 = 29,503,488.
    layer = MultiHeadAttention(num_heads=3)
    found = run_layer(layer, (64, 49, 96))
    assert found.operations.macs == 145_108_992
    assert found.operations == run_layer(layer, (49, 96)).operations.times(64)
    assert found.weights == run_layer(layer, (49, 96)).weights
    # A window over one sequence of all tokens comes to the same multiply-adds.
    local = run_layer(MultiHeadAttention(num_heads=3, window=49), (3136, 96))
    assert local.operations == found.operations


def test_the_number_of_heads_has_no_bearing_on_the_multiply_adds(run_layer):
    one, eight = (
        run_layer(MultiHeadAttention(num_heads=heads), (10, 64)).operations for heads in (1, 8)
    )
    assert one.macs == eight.macs
    assert eight.exponentials == 8 * one.exponentials == 800  # 8 · 10 · 10


@pytest.mark.parametrize(
    ("shapes", "fields", "weights"),
    [
        (
            [(5, 8), (7, 6)],
            {},
            {
                "q_proj_weight": (8, 8),
                "k_proj_weight": (8, 6),
                "v_proj_weight": (8, 6),
                "in_proj_bias": (24,),
                "out_proj.weight": (8, 8),
                "out_proj.bias": (8,),
            },
        ),
        (
            [(5, 8), (7, 8), (7, 8)],
            {"bias": False},
            {"in_proj_weight": (24, 8), "out_proj.weight": (8, 8)},
        ),
        (
            [(5, 8)],
            {"key_features": 4, "value_features": 6, "out_features": 10},
            {
                "q_proj_weight": (4, 8),
                "k_proj_weight": (4, 8),
                "v_proj_weight": (6, 8),
                "in_proj_bias": (14,),  # 4 + 4 + 6
                "out_proj.weight": (10, 6),
                "out_proj.bias": (10,),
            },
        ),
        (
            [(2, 5, 8), (2, 7, 6), (2, 7, 4)],  # two windows
            {"bias": False},
            {
                "q_proj_weight": (8, 8),
                "k_proj_weight": (8, 6),
                "v_proj_weight": (8, 4),
                "out_proj.weight": (8, 8),
            },
        ),
        (
            [(5, 8), (7, 8), (7, C)],
            {"bias": False},
            {
                "q_proj_weight": (8, 8),
                "k_proj_weight": (8, 8),
                "v_proj_weight": (8, C),
                "out_proj.weight": (8, 8),
            },
        ),
    ],
)
def test_projections_of_unlike_inputs_have_tensors_of_their_own(run_layer, shapes, fields, weights):
    assert run_layer(MultiHeadAttention(num_heads=2, **fields), *shapes).weights == weights


def test_attention_keeps_its_inputs_projections_and_scores():
    layer = MultiHeadAttention(num_heads=2, key_features=4, value_features=6, out_features=10)
    inputs = ((5, 8), (7, 3))
    assert layer.kept_for_backward(inputs, layer.output(inputs)) == Kept(
        inputs=True,
        tensors=(
            KeptTensor("queries", 20),  # 5 · 4
            KeptTensor("keys", 28),  # 7 · 4
            KeptTensor("values", 42),  # 7 · 6
            KeptTensor("scores", 70),  # 2 · 5 · 7
            KeptTensor("weighed", 30),  # 5 · 6
        ),
    )
    # In each of 3 windows as much.
    inputs = ((3, 5, 8), (3, 7, 3))
    kept = layer.kept_for_backward(inputs, layer.output(inputs))
    assert [tensor.elements for tensor in kept.tensors] == [60, 84, 126, 210, 90]
    local = MultiHeadAttention(num_heads=2, window=3)
    kept = local.kept_for_backward(((9, 8),), (9, 8))
    assert {tensor.name: tensor.elements for tensor in kept.tensors}["scores"] == 54  # 2 · 9 · 3


def test_attention_takes_one_to_three_inputs_and_memory_of_its_own():
    assert MultiHeadAttention.takes == NumberOfInputs(1, 3)
    assert MultiHeadAttention.memory is Memory.ALLOCATES


def test_attention_over_a_free_number_of_tokens(run_layer):
    found = run_layer(MultiHeadAttention(num_heads=2, bias=False), (H, 4))
    # 4 · H · 4² + 2 · H² · 4
    assert found.operations.macs == 64 * H + 8 * H * H
    assert found.output == (H, 4)


# -- misuse ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "shape"), [(0, (8,)), (1, (8,)), (0, (8, 2, 2, 2)), (2, (8,))])
def test_attention_needs_sequences(refusal, n, shape):
    shapes = [(5, 8)] * 3
    shapes[n] = shape
    finding = refusal(MultiHeadAttention(num_heads=2), *shapes)
    assert finding.code is catalogue.WRONG_RANK
    assert finding.operands == (n,)
    assert finding.message == (
        "`multi_head_attention` needs sequences of tokens, (tokens, features), but an input of "
        f"`{{name}}` is {'×'.join(map(str, shape))}"
    )


def test_stated_features_must_be_those_of_the_queries(refusal, run_layer):
    assert run_layer(MultiHeadAttention(num_heads=2, embed_dim=8), (5, 8)).output == (5, 8)
    finding = refusal(MultiHeadAttention(num_heads=2, embed_dim=16), (5, 8))
    assert finding.code is catalogue.INPUT_SIZE_MISMATCH
    assert finding.field == "embed_dim"
    assert finding.message == "`embed_dim` is 16, but the input of `{name}` has 8 features"


@pytest.mark.parametrize(
    "shapes",
    [
        [(5, 8), (7, 8), (6, 8)],  # 7 keys, 6 values
        [(2, 5, 8), (3, 7, 8)],  # 2 windows of queries, 3 of keys
        [(5, 8), (3, 7, 8)],
        [(3, 5, 8), (3, 7, 8), (7, 8)],
    ],
)
def test_there_are_as_many_keys_as_values(refusal, shapes):
    finding = refusal(MultiHeadAttention(num_heads=2), *shapes)
    assert finding.code is catalogue.SHAPES_DIFFER
    assert finding.operands == tuple(range(len(shapes)))
    queries, keys = shapes[:2]
    texts = ["×".join(map(str, shape)) for shape in (queries, keys, shapes[-1])]
    assert finding.message == (
        f"`{{name}}` has queries {texts[0]}, keys {texts[1]} and values {texts[2]}"
    )


def test_a_window_is_no_wider_than_the_keys(refusal, run_layer):
    assert run_layer(MultiHeadAttention(num_heads=2, window=7), (5, 8), (7, 8)).output == (5, 8)
    finding = refusal(MultiHeadAttention(num_heads=2, window=8), (9, 8), (7, 8))
    assert finding.code is catalogue.OUT_OF_RANGE
    assert finding.field == "window"
    assert finding.operands == (1,)
    assert finding.message == "`window` is 8, but there are 7 tokens to see"
    assert refusal(MultiHeadAttention(num_heads=2, window=8), (7, 8)).operands == (0,)
    three = refusal(MultiHeadAttention(num_heads=2, window=8), (9, 8), (7, 8), (7, 8))
    assert three.operands == (1,)


@pytest.mark.parametrize(
    ("fields", "features", "whose"),
    [
        ({}, 8, "queries and keys"),
        ({"key_features": 6}, 8, "values"),
        ({"key_features": 7, "value_features": 9}, 7, "queries and keys"),
    ],
)
def test_heads_must_divide_the_features(refusal, fields, features, whose):
    finding = refusal(MultiHeadAttention(num_heads=3, **fields), (5, 8))
    assert finding.code is catalogue.GROUPS_DO_NOT_DIVIDE
    assert finding.field == "num_heads"
    assert finding.operands == (0,)
    assert finding.message == (
        f"3 heads do not divide the {features} features of the {whose} of `{{name}}`"
    )
