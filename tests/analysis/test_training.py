"""What training holds in memory, by hand; the oracle tests hold it against PyTorch."""

import pytest

import convcalc
from convcalc.analysis import Dtypes
from convcalc.analysis.training import kept_for_backward
from convcalc.sources import load

FLOAT32 = Dtypes()


@pytest.fixture
def kept(tmp_path):
    def measure(layers, *, batch=1, dtypes=FLOAT32, shape=(4, 6, 6)):
        path = tmp_path / "net.yaml"
        lines = [f"input: {list(shape)}", "layers:", *(f"  - {layer}" for layer in layers)]
        path.write_text("\n".join(lines) + "\n")
        return kept_for_backward(load(str(path)), batch, dtypes).size

    return measure


CONV = "conv: {out_channels: 8, kernel_size: 1}"


def test_a_conv_keeps_its_input(kept):
    # 4·6·6 elements of 4 bytes
    assert kept([CONV]) == 576
    assert kept([CONV], batch=3) == 3 * 576


def test_relu_keeps_its_output_and_the_next_conv_the_same_tensor(kept):
    # input 576 and the ReLU's output, 8·6·6·4 = 1,152, kept for itself and for the second conv
    assert kept([CONV, "relu", CONV]) == 576 + 1_152


def test_silu_keeps_its_input_beside_what_the_next_conv_needs(kept):
    assert kept([CONV, "silu", CONV]) == 576 + 1_152 + 1_152


def test_batch_norm_keeps_its_input_and_two_statistics_for_the_batch(kept):
    # two times 8 channels of 4 bytes, however large the batch
    assert kept([CONV, "batch_norm"]) == 576 + 1_152 + 64
    assert kept([CONV, "batch_norm"], batch=5) == 5 * (576 + 1_152) + 64


def test_max_pool_keeps_its_input_and_64_bit_indices(kept):
    # 8·3·3 indices of 8 bytes
    assert kept([CONV, "max_pool: {kernel_size: 2}"]) == 576 + 1_152 + 576


def test_indices_and_masks_are_kept_for_each_sample(kept):
    pool = "max_pool: {kernel_size: 2}"
    assert kept([CONV, pool], batch=3) == 3 * (576 + 1_152 + 576)


def test_indices_stay_64_bits_wide_in_half_precision(kept):
    half = Dtypes("float16", "float16")
    assert kept([CONV, "max_pool: {kernel_size: 2}"], dtypes=half) == 288 + 576 + 576


def test_layers_before_anything_is_learned_keep_nothing(kept):
    assert kept(["relu", "max_pool: {kernel_size: 2}"]) == 0
    # The conv needs its input, the pool's output: 4·3·3·4 bytes.
    assert kept(["max_pool: {kernel_size: 2}", CONV]) == 144


def test_a_product_keeps_a_factor_for_the_gradient_of_the_other_alone(kept):
    conv = "conv: {out_channels: 4, kernel_size: 1}"
    # The conv's own output is kept for nothing: there is no gradient of the input.
    assert kept([conv, "{mul: {}, from: [prev, input]}"]) == 576
    assert kept([conv, "{matmul: {}, from: [prev, input]}"]) == 576
    assert kept([conv, "{mul: {}, from: [prev, prev]}"]) == 576 + 576
    # input · input is worked out first, and kept for the gradient of the conv's output
    assert kept([conv, "{mul: {}, from: [input, input, prev]}"]) == 576 + 576
    assert kept([conv, "{mul: {}, from: [prev, input, input]}"]) == 576
    # the larger of input and input, and the conv's output
    assert kept([conv, "{max: {}, from: [input, input, prev]}"]) == 576 + 576 + 576


def test_views_keep_what_is_under_them(kept):
    # The linear layer needs the flattened ReLU output, which the ReLU keeps already.
    assert kept([CONV, "relu", "flatten", "linear: {out_features: 2}"]) == 576 + 1_152


def test_dropout_keeps_a_mask_and_makes_a_tensor_of_its_own(kept):
    # the mask, and dropout's output for the second conv
    assert kept([CONV, "dropout", CONV]) == 576 + 1_152 + 1_152
    assert kept([CONV, "dropout: {p: 0}", CONV]) == 576 + 1_152


def test_a_mean_over_everything_keeps_nothing(kept):
    assert kept([CONV, "global_avg_pool"]) == 576
    assert kept([CONV, "adaptive_avg_pool: {output_size: 1}"]) == 576
    assert kept([CONV, "adaptive_avg_pool: {output_size: 2}"]) == 576 + 1_152
    assert kept([CONV, "avg_pool: {kernel_size: 6}"]) == 576 + 1_152


def test_training_memory_adds_weights_and_gradients():
    costs = convcalc.analyze("lenet5", batch=2)
    # 61,706 parameters and as many gradients, of 4 bytes
    assert costs.training_bytes == costs.training.kept.size + 8 * 61_706


@pytest.mark.parametrize(("optimizer", "numbers"), [("sgd", 0), ("momentum", 1), ("adam", 2)])
def test_an_optimiser_keeps_numbers_for_each_weight(optimizer, numbers):
    costs = convcalc.analyze("lenet5", optimizer=optimizer)
    assert costs.training.optimizer == optimizer
    assert costs.training.optimizer_state == numbers * 4 * 61_706
    assert costs.training_bytes == costs.training.kept.size + (2 + numbers) * 4 * 61_706


def test_gradients_and_state_are_in_the_format_of_the_weights():
    costs = convcalc.analyze("lenet5", weights_dtype="float16", optimizer="adam")
    assert (costs.training.gradients, costs.training.optimizer_state) == (2 * 61_706, 4 * 61_706)


def test_what_is_kept_is_said_layer_by_layer(tmp_path):
    path = tmp_path / "net.yaml"
    path.write_text(
        "input: [3, 8, 8]\nlayers:\n"
        "  - {conv: {out_channels: 4, kernel_size: 1}, name: a}\n  - relu\n"
        "  - {conv: {out_channels: 4, kernel_size: 1}, name: b}\n  - {dropout: }\n"
    )
    kept = convcalc.analyze(path).training.kept
    # The input is kept for a: 192 numbers; relu keeps its output, 256, which b needs too; dropout a
    # mask of 256.
    assert kept.of_nodes == (0, 4 * 192, 4 * 256, 0, 4 * 256)
    assert kept.size == sum(kept.of_nodes)
    assert kept.outputs == (0, 2)


def test_what_is_kept_for_a_layer_is_all_that_it_keeps(tmp_path):
    path = tmp_path / "net.yaml"
    path.write_text(
        "input: [3, 8, 8]\nlayers:\n"
        "  - {conv: {out_channels: 4, kernel_size: 1}, name: a}\n"
        "  - {conv: {out_channels: 4, kernel_size: 1}, name: b, from: input}\n"
        "  - {mul: , from: [a, b]}\n"
    )
    kept = convcalc.analyze(path).training.kept
    # The input, 192 numbers, is kept for a, and b needs the same; mul keeps both its factors.
    assert kept.of_nodes == (0, 4 * 192, 0, 4 * (256 + 256))
    assert kept.outputs == (0, 1, 2)


def test_an_unknown_optimiser_is_refused():
    with pytest.raises(convcalc.UsageError, match="unknown optimizer 'lion'"):
        convcalc.analyze("lenet5", optimizer="lion")
