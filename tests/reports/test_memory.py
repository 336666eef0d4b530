"""The report of memory over time."""

import pytest

import convcalc
from convcalc.reports.memory import BAR, bar, kept_by_kind, memory_json, memory_sheets

SKIP = """
input: [1, 4, 4]
layers:
  - {conv: {out_channels: 2, kernel_size: 1}, name: a}
  - {conv: {out_channels: 4, kernel_size: 1}, name: b}
  - {conv: {out_channels: 2, kernel_size: 1}, name: c}
  - {add: , from: [a, c]}
"""
# Bytes: input 64, a 128, b 256, c 128, add 128. Live: 64 + 128; 128 + 256; a, b, c: 512; a, c, add:
# 384.


@pytest.fixture
def analysis(tmp_path):
    def analyzed(text=SKIP, **options):
        path = tmp_path / "net.yaml"
        path.write_text(text)
        return convcalc.analyze(path, **options)

    return analyzed


def test_the_timeline_has_a_row_a_step_with_what_is_live(analysis):
    timeline, _ = memory_sheets(analysis(), depth=None)
    assert [(row[0], row[2], row[3]) for row in timeline.rows] == [
        ("a", "128 B", "192 B"),
        ("b", "256 B", "384 B"),
        ("c", "128 B", "512 B"),
        ("add", "128 B", "384 B"),
    ]
    assert [row[4] for row in timeline.rows] == ["█" * 9, "█" * 18, "█" * 24 + " ◀ peak", "█" * 18]


def test_the_peak_is_listed_tensor_by_tensor_the_largest_first(analysis):
    _, peak = memory_sheets(analysis(), depth=None)
    assert peak.title == "The peak, 512 B at c"
    assert peak.rows == (
        ("b", "256 B", "50.0 %", "b", "c"),
        ("a", "128 B", "25.0 %", "a", "add"),
        ("c", "128 B", "25.0 %", "c", "add"),
    )


def test_an_output_is_kept_to_the_end_and_an_input_there_from_the_start(analysis):
    _, peak = memory_sheets(
        analysis("input: [4, 8, 8]\nlayers:\n  - {conv: {out_channels: 1, kernel_size: 8}}\n")
    )
    assert [row[3:] for row in peak.rows] == [("", "conv"), ("conv", "kept to the end")]


def test_what_must_fit_in_is_on_one_line(analysis):
    _, peak = memory_sheets(analysis())
    # (1·2 + 2) + (2·4 + 4) + (4·2 + 2) = 26 weights of 4 bytes, and 512
    assert peak.lines[0] == "Inference: weights 104 B + peak activations 512 B = 616 B."


def test_training_is_added_up(analysis):
    _, peak = memory_sheets(analysis(optimizer="adam"))
    # The inputs of a, b and c: 64 + 128 + 256; the sum keeps nothing.
    assert peak.lines[1] == (
        "Training: kept for the backward pass 448 B (conv 448 B) + weights 104 B + gradients "
        "104 B + state of adam 208 B = 864 B."
    )


def test_what_is_kept_is_summed_by_kind_most_first(analysis):
    text = (
        "input: [2, 4, 4]\nlayers: [batch_norm, {conv: {out_channels: 1, kernel_size: 1}}, relu]\n"
    )
    # The norm its input of 128 bytes and two numbers a channel, 16; the conv its input, 128; the
    # relu its output, 64.
    assert kept_by_kind(analysis(text)) == [("batch_norm", 144), ("conv", 128), ("relu", 64)]


def test_a_folded_timeline_shows_the_highest_step_of_each_group(analysis):
    text = (
        "input: [1, 4, 4]\nlayers:\n  - name: body\n    repeat: 30\n    layers:\n"
        "      - conv: {out_channels: 4, kernel_size: 1}\n      - relu\n"
    )
    timeline, _ = memory_sheets(analysis(text))
    assert len(timeline.rows) == 30
    assert timeline.rows[0][3] == "512 B"
    assert "folded" in timeline.lines[0]


def test_in_place_nothing_is_allocated_for_what_takes_over(analysis):
    text = "input: [1, 4, 4]\nlayers: [{conv: {out_channels: 4, kernel_size: 1}}, relu]\n"
    timeline, _ = memory_sheets(analysis(text, in_place=True))
    assert [(row[0], row[2], row[3]) for row in timeline.rows] == [
        ("conv", "256 B", "320 B"),
        ("relu", "0 B", "256 B"),
    ]


def test_in_place_and_order_are_said(analysis):
    timeline, _ = memory_sheets(analysis(in_place=True))
    assert "In place" in timeline.lines[0]


@pytest.mark.parametrize(
    ("size", "most", "text"),
    [(24, 24, "█" * BAR), (1, 24, "█"), (1, 48, "▌"), (1, 192, "▏"), (0, 5, ""), (0, 0, "")],
)
def test_a_bar_is_as_long_as_its_share(size, most, text):
    assert bar(size, most) == text


def test_json_has_the_live_tensors_of_each_step(analysis):
    report = memory_json(analysis())
    assert [(step["layer"], step["live_bytes"], step["live"]) for step in report["steps"]] == [
        ("a", 192, ["input", "a"]),
        ("b", 384, ["a", "b"]),
        ("c", 512, ["a", "b", "c"]),
        ("add", 384, ["a", "c", "add"]),
    ]
    assert report["peak"] == {
        "bytes": 512,
        "layer": "c",
        "live": [
            {"tensor": "a", "bytes": 128},
            {"tensor": "b", "bytes": 256},
            {"tensor": "c", "bytes": 128},
        ],
    }
    assert report["training"] == {
        "kept_bytes": 448,
        "kept_by_kind": {"conv": 448},
        "weight_bytes": 104,
        "gradient_bytes": 104,
        "optimizer": "sgd",
        "optimizer_bytes": 0,
    }
    assert report["order"] is None


def test_the_live_tensors_add_up_in_every_step():
    costs = convcalc.analyze("unet")
    sizes = {layer.name: layer.activation_bytes for layer in costs.layers}
    sizes |= {"input": 4 * 572 * 572}
    for step in memory_json(costs)["steps"]:
        assert sum(sizes[name] for name in step["live"]) == step["live_bytes"]


def test_a_peak_at_the_start_has_a_row_and_what_nobody_reads_says_so(analysis):
    text = (
        "inputs: {a: [1, 8, 8], b: [9, 8, 8]}\nlayers:\n"
        "  - {conv: {out_channels: 1, kernel_size: 1}, from: a}\n"
    )
    timeline, peak = memory_sheets(analysis(text))
    # 64 and 576 numbers of 4 bytes
    assert timeline.rows[0] == ("start", "", "", "2.50 KiB", "█" * 24 + " ◀ peak")
    assert peak.title == "The peak, 2.50 KiB at the start"
    assert [row[4] for row in peak.rows] == ["no one", "conv"]


def test_a_very_long_timeline_is_capped(analysis):
    text = "input: [1, 4, 4]\nlayers:\n  - {relu: , repeat: 1000}\n"
    timeline, _ = memory_sheets(analysis(text))
    assert len(timeline.rows) == 41
    assert timeline.lines[0].startswith("960 rows are not shown")
    assert len(memory_sheets(analysis(text), depth=None)[0].rows) == 1000
