"""Explanations in every format: what stands in them, how it is wrapped, that nothing escapes."""

import json
import re

import pytest

from convcalc.analysis import analyze_graph
from convcalc.analysis.explanation import Topic, explain_group, explain_totals
from convcalc.errors import SourceText
from convcalc.layers import all_kinds
from convcalc.reports.explain import EXPLAIN_FORMATS, ExplainReport
from convcalc.reports.explain_latex import latex_formula, latex_words
from convcalc.reports.explained import (
    ExplainedTotals,
    chain_text,
    explained_layers,
    grouped_digits,
    memory_sums,
    set_values,
    steps_of,
)
from convcalc.sources import open_network, shipped_names
from convcalc.sources.spec import Spec
from convcalc.sources.spec.layer_list import LayerListSpec


def network(text, **conditions):
    """The analysis of a spec, and the spec itself."""
    spec = Spec(SourceText("net.yaml", text), text)
    return analyze_graph(spec.graph(name="net", spec="net.yaml"), **conditions), spec


def shipped(reference):
    """The analysis of a shipped network, and its file."""
    file, found = open_network(reference)
    graph = file.graph(found.variant, name=found.stem, spec=reference)
    return analyze_graph(graph), file, found.variant


def parts_of(analysis, file, names, variant=None):
    rows = [row for row in analysis.layers if row.name in names]
    assert len(rows) == len(names)
    origins = {each.name: each for each in file.origins(names, variant)}
    return explained_layers(rows, analysis, origins)


def report_of(analysis, file, names, variant=None):
    return ExplainReport(analysis, parts_of(analysis, file, names, variant), "0")


def totals_report(analysis, name=None):
    if name is None:
        totals, size = explain_totals(analysis), len(analysis.layers)
        part = ExplainedTotals(totals, size, is_network=True, others=memory_sums(analysis))
    else:
        size = sum(row.name.startswith(f"{name}.") for row in analysis.layers)
        part = ExplainedTotals(explain_group(name, analysis), size, is_network=False)
    return ExplainReport(analysis, (part,), "0")


def at_width(report, width):
    return report._text(color=False, width=width)


def words(text):
    """A text without its line breaks: what wrapping may change."""
    return re.sub(r"\s+", "", text)


def section(text, title):
    """The lines below a heading, up to the next empty one."""
    lines = text.splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith(title))
    return lines[start + 1 : lines.index("", start)]


CONV = """\
input: [3, 224, 224]
layers:
  - conv: {out_channels: 64, kernel_size: 7, stride: 2, padding: 3, bias: false}
"""


class TestLayer:
    def test_every_number_stands_with_its_formula_and_its_values(self):
        text = report_of(*network(CONV), ["conv"]).text("text")
        # 64·112·112·3·7·7 = 802,816·147 = 118,013,952; ⌊(224 + 6 − 6 − 1)/2⌋ + 1 = 111 + 1.
        assert (
            "  multiply-adds      C_out·H_out·W_out·(C_in/g)·k_h·k_w = 64·112·112·(3/1)·7·7 = "
            "118,013,952\n"
        ) in text
        assert (
            "  output height and width  ⌊(H + 2·p − d·(k_h − 1) − 1)/s⌋ + 1 = "
            "⌊(224 + 2·3 − 1·(7 − 1) − 1)/2⌋ + 1 = 112\n"
        ) in text
        assert "= 64×3×7×7 = 9,408 elements\n" in text
        assert "  output                   64×112×112\n" in text
        # 64·112·112·4 bytes
        assert "= 3,211,264 bytes (3.06 MiB)\n" in text

    def test_a_pipe_has_every_number_on_a_line_of_its_own(self):
        report = report_of(*network(CONV), ["conv"])
        lines = report.text("text").splitlines()
        for each in report.parts[0].explanation.derivations:
            # Height and width are the same, and stand as one.
            if each.topic is not Topic.MATRIX and each.axis != "w":
                told = "  " + " = ".join(steps_of(each))
                assert any(
                    line.startswith(f"  {each.name} ") and line.endswith(told) for line in lines
                ), each

    def test_axes_of_the_same_formula_and_value_stand_in_one_line(self):
        report = report_of(*network(CONV), ["conv"])
        for format_ in ("text", "markdown"):
            written = report.text(format_)
            assert written.count("output height and width") == 1
            assert written.count("receptive field, height and width") == 1
            assert "output width" not in written
        names = [
            each["name"] for each in json.loads(report.text("json"))["layers"][0]["derivations"]
        ]
        assert "output height" in names
        assert "output width" in names

    def test_axes_that_differ_in_formula_or_value_stand_apart(self):
        oblong = CONV.replace("[3, 224, 224]", "[3, 224, 112]")
        text = report_of(*network(oblong), ["conv"]).text("text")
        assert "  output height    ⌊(H " in text
        assert "  output width     ⌊(W " in text
        assert "  receptive field, height and width  " in text
        # Turned around the height is the width: the values are the same, and not the formula.
        turned = "input: [3, 8, 8]\nlayers:\n  - permute: {dims: [0, 1, 3, 2]}\n"
        text = report_of(*network(turned), ["permute"]).text("text")
        assert "  output height    W = 8\n" in text
        assert "  output width     H = 8\n" in text

    def test_two_of_three_axes_stand_in_one_line(self):
        text = "input: [1, 4, 8, 8]\nlayers:\n  - max_pool: {kernel_size: 2}\n"
        written = report_of(*network(text), ["max_pool"]).text("text")
        # (4 − 2)/2 + 1 = 2; (8 − 2)/2 + 1 = 4
        assert re.search(r"  output depth +⌊\(D .* = 2\n", written)
        assert re.search(r"  output height and width +⌊\(H .* = 4\n", written)
        assert "receptive field, depth, height and width" in written

    def test_each_row_of_a_matrix_without_sharing_has_weights_of_its_own(self):
        text = (
            "input: [1, 3]\nlayers:\n"
            "  - conv: {out_channels: 1, kernel_size: 2, weight_sharing: none}\n"
        )
        report = report_of(*network(text), ["conv"])
        assert "\n  w1,0 w1,1    ·\n     · w2,0 w2,1\n" in report.text("text")
        assert "each row has a kernel of its own" in report.text("text")
        assert "0 & w_{2,0} & w_{2,1}" in report.text("latex")
        [layer] = json.loads(report.text("json"))["layers"]
        assert layer["matrix"]["weight_sharing"] == "none"

    @pytest.mark.parametrize("width", [50, 60, 80, 160])
    def test_a_terminal_has_the_same_in_lines_that_fit(self, width):
        report = report_of(*shipped("inception_bottleneck")[:2], ["conv3x3.conv2"])
        text = at_width(report, width)
        assert max(map(len, text.splitlines())) <= width
        assert words(text) == words(report.text("text"))

    def test_a_line_breaks_at_operators_with_a_hanging_indent(self):
        text = at_width(report_of(*network(CONV), ["conv"]), 80)
        assert (
            "  output height and width  ⌊(H + 2·p − d·(k_h − 1) − 1)/s⌋ + 1\n"
            "                           = ⌊(224 + 2·3 − 1·(7 − 1) − 1)/2⌋ + 1\n"
            "                           = 112\n"
        ) in text

    def test_colour_is_for_headings_alone(self):
        report = report_of(*network(CONV), ["conv"])
        text = report._text(color=True, width=80)
        assert re.sub(r"\x1b\[[0-9;]*m", "", text) == at_width(report, 80)
        assert "\x1b[1mWeights\x1b[0m\n" in text

    def test_the_definitions_stand_once_below_all(self):
        text = report_of(*shipped("inception_bottleneck")[:2], ["conv1x1.conv", "pool.conv"]).text(
            "text"
        )
        assert text.count("FLOPs = 2 · multiply-adds + other operations") == 1

    def test_the_padding_of_same_is_worked_out_for_both_axes(self):
        spec = LayerListSpec(
            ["conv: {out_channels: 128, kernel_size: 3, padding: same}"], ["192,28,28"]
        )
        analysis = analyze_graph(spec.graph(name="layer", spec=""))
        found = section(report_of(analysis, spec, ["conv"]).text("text"), "Padding")
        # max(0, 27·1 + 3 − 28) = 2, one at each end; of both axes, which are alike.
        assert [line.rpartition(" = ")[2] for line in found] == ["2", "1", "1"]
        assert [line.count("(28 − 1)·1 + (1·(3 − 1) + 1) − 28") for line in found] == [1, 0, 0]
        assert [line.partition("  ")[0] for line in map(str.strip, found)] == [
            "padding height and width (P_h and P_w)",
            "padding, top and left",
            "padding, bottom and right",
        ]

    def test_the_matrix_of_a_small_convolution_is_written_out(self):
        text = "input: [1, 4, 4]\nlayers:\n  - conv: {out_channels: 1, kernel_size: 3}\n"
        written = report_of(*network(text), ["conv"]).text("text")
        rows = [
            line for line in written.splitlines() if line.startswith("  w00") or " · w00" in line
        ]
        # Dumoulin and Visin, section 4.1: 4×16, the 9 weights in each row.
        assert [len(row.split()) for row in rows] == [16] * 4
        assert sum(cell != "·" for row in rows for cell in row.split()) == 36
        assert " ".join(rows[0].split()) == "w00 w01 w02 · w10 w11 w12 · w20 w21 w22 · · · · ·"
        assert "non-zeros of C                   H_out·k_h·W_out·k_w = 2·3·2·3 = 36\n" in written

    def test_a_matrix_too_wide_for_the_terminal_comes_in_groups_of_columns(self):
        text = "input: [1, 6, 6]\nlayers:\n  - conv: {out_channels: 1, kernel_size: 3}\n"
        drawn = at_width(report_of(*network(text), ["conv"]), 80)
        # (80 − 2)/4 = 19 columns at once, 36 in all.
        assert "  columns 1 to 19:\n" in drawn
        assert "  columns 20 to 36:\n" in drawn
        assert max(map(len, drawn.splitlines())) <= 80

    def test_of_a_large_matrix_and_its_letters_people_are_told_nothing(self):
        for format_ in ("text", "markdown", "latex"):
            text = report_of(*network(CONV), ["conv"]).text(format_)
            assert "As a matrix" not in text
            assert "non-zeros" not in text
            assert "lie outside" not in text

    def test_a_letter_that_has_a_power_stands_in_the_legend(self):
        spec = LayerListSpec(["multi_head_attention: {num_heads: 4}"], ["16,64"])
        analysis = analyze_graph(spec.graph(name="layer", spec=""))
        [part] = parts_of(analysis, spec, ["multi_head_attention"])
        told = [entry.symbol for entry in part.explanation.legend]
        assert "²" in part.explanation.of_metric("divides").formula
        assert {"n", "h", "c"} <= set(told)
        assert not any("²" in symbol for symbol in told)

    def test_shared_weights_views_and_merges_are_called_what_they_are(self):
        analysis, spec = network("""\
input: [4, 8, 8]
layers:
  - {conv: {out_channels: 4, kernel_size: 1}, name: first}
  - {share: first, name: second}
  - add: {}
    from: [prev, input]
  - relu
  - flatten
""")
        text = report_of(analysis, spec, ["second", "add", "relu", "flatten"]).text("text")
        assert (
            "It uses the weights of `first`: they count there, once, its operations here." in text
        )
        assert "its weights are those of `first`, and count there" in text
        assert "Inputs, 2\n  input 4×8×8 → first 4×8×8" not in text
        assert "Inputs, 2\n  input 4×8×8 → second 4×8×8\n  input 4×8×8\n" in text
        assert "A view: its output is the memory of its input, and nothing is allocated." in text
        # `layer` has no such option: it is said whose it is.
        assert (
            "In place its output may take over the memory of an input: `--in-place` of `analyze` "
            "and `explain`."
        ) in text
        assert "once more, sharing its weights first, used at net.yaml:4:6" in text

    def test_a_note_on_several_numbers_stands_below_the_last(self):
        spec = LayerListSpec(
            ["conv_transpose: {out_channels: 1, kernel_size: 3, stride: 2}"], ["1,4,4"]
        )
        analysis = analyze_graph(spec.graph(name="layer", spec=""))
        text = report_of(analysis, spec, ["conv_transpose"]).text("text")
        found = section(text, "Receptive field")
        assert len(found) == 4  # receptive field, jump and start of both axes
        assert found[-1].startswith("    not all output positions see alike")


class TestChain:
    def test_it_has_what_the_layer_reads_and_what_changed_the_shape_before(self):
        analysis, spec = network("""\
input: [3, 64, 64]
layers:
  - {conv: {out_channels: 8, kernel_size: 2, stride: 2}, name: a}
  - {relu: {}, name: b}
  - {relu: {}, name: c}
  - {max_pool: {kernel_size: 2}, name: d}
  - {relu: {}, name: e}
  - {relu: {}, name: f}
""")
        [part] = parts_of(analysis, spec, ["f"])
        assert list(map(chain_text, part.inputs)) == [
            "input 3×64×64 → a 8×32×32 → d 8×16×16 → e 8×16×16"
        ]

    def test_a_long_one_is_cut_before_its_last_steps(self):
        layers = "".join(f"  - conv: {{out_channels: {n}, kernel_size: 1}}\n" for n in range(1, 9))
        analysis, spec = network(f"input: [3, 8, 8]\nlayers:\n{layers}")
        [part] = parts_of(analysis, spec, ["conv8"])
        assert chain_text(part.inputs[0]) == (
            "… → conv3 3×8×8 → conv4 4×8×8 → conv5 5×8×8 → conv6 6×8×8 → conv7 7×8×8"
        )


class TestSetValues:
    SPEC = """\
vars: {width: 2}
input: [3, 8, 8]
blocks:
  body:
    args: {planes: , size: 3}
    layers:
      - conv: {out_channels: planes * width, kernel_size: size, padding: same}
layers:
  - for: [{n: 4}, {n: 8}]
    body: {planes: n}
"""

    def test_each_value_has_its_expression_and_its_place(self):
        analysis, spec = network(self.SPEC)
        [part] = parts_of(analysis, spec, ["body2.conv"])
        told = {(each.text, each.where) for each in set_values(part.origin)}
        assert told == {
            # The field's own place, then that of the variable that it is.
            ("kernel_size = size = 3", "net.yaml:7:59; `size` at net.yaml:5:28, default of `body`"),
            ("padding = same", "net.yaml:7:74"),
            ("out_channels = planes * width = 16", "net.yaml:7:30"),
            # Handed on: `planes` is `n`, which this round of the loop has.
            ("planes = n = 8", "net.yaml:9:23, in this round of the loop"),
            ("width = 2", "net.yaml:1:15, variable of the spec"),
        }

    def test_a_setting_says_so(self):
        spec = Spec(SourceText("net.yaml", self.SPEC), self.SPEC)
        settings = {"width": "1 + 2"}
        analysis = analyze_graph(spec.graph(None, settings, name="net", spec="net.yaml"))
        [origin] = spec.origins(["body1.conv"], None, settings)
        assert ("width = 1 + 2 = 3", "by `--set`") in {
            (each.text, each.where) for each in set_values(origin)
        }
        assert analysis.layers[0].output_shape[0] == 12

    def test_defaults_of_the_kind_stand_in_one_line(self):
        analysis, spec = network(self.SPEC)
        text = report_of(analysis, spec, ["body1.conv"]).text("text")
        assert (
            "  by default: stride = 1, dilation = 1, bias = true, groups = 1, "
            "weight_sharing = spatial\n"
        ) in text


class TestTotals:
    def test_the_six_terms_of_the_bottleneck_module(self):
        # CS231n, lecture 9: 28·28·(128·256 + 64·256 + 192·9·64 + 64·256 + 96·25·64 + 64·256).
        found = section(
            totals_report(shipped("inception_bottleneck")[0]).text("text"),
            "Multiply-adds = 271,351,808",
        )
        assert [line.split()[0] for line in found[1:-1]] == [
            "25,690,112",
            "12,845,056",
            "86,704,128",
            "12,845,056",
            "120,422,400",
            "12,845,056",
        ]
        assert found[3].endswith("  conv3x3.conv2  192·28·28·(64/1)·3·3")
        assert found[-1] == "  conv: C_out·H_out·W_out·(C_in/g)·k_h·k_w"

    @pytest.mark.parametrize("format_", ["text", "markdown", "latex", "json"])
    def test_inception_3a_adds_up_term_by_term(self, format_):
        # GoogLeNet, Szegedy et al. 2014, table 1: 159K (Ki) weights and 128M multiply-adds.
        report = totals_report(shipped("googlenet")[0], "inception3a")
        text = report.text(format_)
        if format_ == "json":
            [totals] = json.loads(text)["totals"]
            sums = {each["metric"]: each for each in totals["sums"]}
            for metric, total in (("params", 163_328), ("macs", 128_049_152)):
                assert sums[metric]["value"] == total
                assert sum(term["value"] for term in sums[metric]["terms"]) == total
                assert len(sums[metric]["terms"]) == 6
            assert totals["layers"] == 14
            return
        text = text.replace("{,}", ",")
        assert "163,328" in text
        assert "128,049,152" in text
        for term in ("9,633,792", "14,450,688", "86,704,128", "2,408,448", "10,035,200"):
            assert term in text

    def test_shared_weights_count_once_and_that_is_said(self):
        analysis, _, _ = shipped("siamese")
        once = "Shared weights count once, where they are used first."
        assert once in totals_report(analysis).text("text")
        assert once in totals_report(analysis, "right").text("text")
        assert once in totals_report(analysis, "right").text("markdown")
        assert once in totals_report(analysis, "right").text("latex")
        assert once not in totals_report(analysis, "left").text("text")

    def test_terms_of_a_group_go_by_their_names_inside_it(self):
        text = totals_report(shipped("googlenet")[0], "inception3a").text("text")
        assert text.startswith("inception3a · 14 layers\n")
        assert "  inception.b3.reduce.conv     16·(192/1)·1·1\n" in text

    def test_a_large_network_is_the_sum_of_its_groups(self):
        text = totals_report(shipped("resnet::resnet18")[0]).text("text")
        found = section(text, "Multiply-adds = 1,814,073,344")
        assert found[1].split()[2:] == ["%", "stem", "·", "3", "layers"]
        # 64·112·112·3·7·7 + 4·64·56·56·64·9 + 3·411,041,792 + 1000·512
        assert [int(line.split()[0].replace(",", "")) for line in found[1:]] == [
            118_013_952,
            462_422_016,
            411_041_792,
            411_041_792,
            411_041_792,
            512_000,
        ]
        assert "name one after the spec" in text

    @pytest.mark.parametrize("optimizer", ["sgd", "adam"])
    def test_memory_that_layers_do_not_add_up_to_has_its_own_terms(self, optimizer):
        text = """\
input: [1, 4, 4]
layers:
  - conv: {out_channels: 2, kernel_size: 1, bias: false}
  - relu
"""
        analysis, _ = network(text, optimizer=optimizer)
        peak, inference, training = memory_sums(analysis)
        # The conv's output, 2·16·4 bytes, and the relu's.
        assert [(term.name, term.value) for term in peak.terms] == [("conv", 128), ("relu", 128)]
        assert peak.value == 256
        assert [term.value for term in inference.terms] == [8, 256]
        # The conv keeps its input, 16·4 bytes; the relu its output. Adam has two numbers a weight.
        state = {"sgd": 0, "adam": 16}[optimizer]
        assert training.value == 64 + 128 + 8 + 8 + state
        assert sum(term.value for term in training.terms) == training.value

    def test_sums_of_bytes_add_up_however_many_tensors_are_live(self):
        analysis, _, _ = shipped("densenet::densenet121")
        for each in memory_sums(analysis):
            assert sum(term.value for term in each.terms) == each.value
            assert len(each.terms) <= 20

    def test_of_very_many_terms_a_terminal_shows_the_first_and_last(self):
        layers = "".join(
            f"  - {{conv: {{out_channels: 1, kernel_size: 1}}, name: c{n}}}\n" for n in range(500)
        )
        report = totals_report(network(f"input: [1, 2, 2]\nlayers:\n{layers}")[0])
        assert "460 more" in at_width(report, 80)
        piped = report.text("text")
        assert "more" not in section(piped, "Parameters")
        assert len(section(piped, "Parameters = 1,000")) == 501


class TestJson:
    def test_its_keys_are_the_contract(self):
        report = report_of(*network(CONV), ["conv"])
        found = json.loads(report.text("json"))
        assert list(found) == ["schema_version", "convcalc", "network", "totals", "layers"]
        [layer] = found["layers"]
        assert list(layer) == [
            "name",
            "kind",
            "law",
            "inputs",
            "output_shape",
            "shares_weights_with",
            "memory",
            "origin",
            "legend",
            "derivations",
            "matrix",
        ]
        macs = next(each for each in layer["derivations"] if each["metric"] == "macs")
        assert macs == {
            "topic": "cost",
            "name": "multiply-adds",
            "metric": "macs",
            "unit": "multiply-adds",
            "formula": "C_out·H_out·W_out·(C_in/g)·k_h·k_w",
            "substituted": "64·112·112·(3/1)·7·7",
            "value": 118013952,
            "shape": None,
            "note": None,
        }
        assert layer["inputs"] == [
            {
                "name": "input",
                "shape": [3, 224, 224],
                "chain": [{"name": "input", "kind": "input", "output_shape": [3, 224, 224]}],
            }
        ]
        # 112 output positions of 7 weights, less those in the padding: 3 + 1 before, 2 behind.
        assert layer["matrix"]["non_zeros"] == (112 * 7 - 3 - 1 - 2) ** 2

    def test_variables_go_by_their_positions(self):
        analysis, spec = network(TestSetValues.SPEC)
        [layer] = json.loads(report_of(analysis, spec, ["body2.conv"]).text("json"))["layers"]
        origin = layer["origin"]
        field = next(each for each in origin["fields"] if each["name"] == "out_channels")
        read = [origin["variables"][n] for n in field["variables"]]
        assert [(each["name"], each["value"], each["how"]) for each in read] == [
            ("planes", 8, "argument"),
            ("width", 2, "declared"),
        ]
        assert [origin["variables"][n]["name"] for n in read[0]["variables"]] == ["n"]
        assert read[1]["place"] == {"file": "net.yaml", "line": 1, "column": 15}


class TestLatex:
    @pytest.mark.parametrize(
        ("formula", "expected"),
        [
            ("C_out", r"C_{\mathrm{out}}"),
            ("2·macs + adds", r"2 \cdot \mathrm{macs} + \mathrm{adds}"),
            (
                "⌊(H + 2·p − 1)/s⌋ + 1",
                r"\left\lfloor \frac{H + 2 \cdot p - 1}{s} \right\rfloor + 1",
            ),
            ("⌊a·b/(c − 1)⌋", r"\left\lfloor \frac{a \cdot b}{c - 1} \right\rfloor"),
            ("(C_in/g)·k", r"\frac{C_{\mathrm{in}}}{g} \cdot k"),
            ("(C_in/g)²", r"\left(\frac{C_{\mathrm{in}}}{g}\right)^{2}"),
            ("(a + 1)·n²", r"\left(a + 1\right) \cdot n^{2}"),
            ("−17 − 1·4", "-17 - 1 \\cdot 4"),
            ("max(0, n mod m)", r"\max\left(0, n \bmod m\right)"),
            ("(n mod m)·2", r"\left(n \bmod m\right) \cdot 2"),
            ("lcm(a, b)", r"\operatorname{lcm}\left(a, b\right)"),
            ("n¹²", "n^{12}"),
            ("2·118013952", r"2 \cdot 118{,}013{,}952"),
        ],
    )
    def test_a_formula_is_set_as_mathematics(self, formula, expected):
        assert latex_formula(formula) == expected

    @pytest.mark.parametrize("text", ["", "a +", "(a", "⌊a", "a)", "a ? b", "1 2"])
    def test_what_is_no_formula_is_refused(self, text):
        with pytest.raises(ValueError):
            latex_formula(text)

    def test_words_are_printed_as_they_are(self):
        assert latex_words("50%_of {a}$\\x&#~^") == (
            r"50\%\_of \{a\}\$\textbackslash{}x\&\#\textasciitilde{}\textasciicircum{}"
        )

    def test_of_every_kind_and_shipped_network_pdftex_knows_each_sign(self):
        """What is not ASCII ends a run of pdfTeX; of the √ of attention nobody had known."""
        laws = [latex_words(kind.__doc__) for kind in all_kinds()]
        reports = []
        for name in shipped_names():
            analysis, file, variant = shipped(name)
            names = {row.kind: row.name for row in analysis.layers}.values()  # one of each
            reports.append(report_of(analysis, file, names, variant).text("latex"))
        strange = {sign for text in (*laws, *reports) for sign in text if not sign.isascii()}
        assert strange == set()

    def test_code_is_set_as_code_and_a_back_quote_alone_as_one(self):
        assert latex_words("default of `conv_bn`") == r"default of \texttt{conv\_bn}"
        assert latex_words("a`b") == r"a\textasciigrave{}b"

    def test_a_total_is_set_as_a_sum(self):
        text = totals_report(shipped("inception_bottleneck")[0]).text("latex")
        assert (
            "& 25{,}690{,}112 && \\text{conv1x1.conv} && "
            "128 \\cdot 28 \\cdot 28 \\cdot \\frac{256}{1} \\cdot 1 \\cdot 1 \\\\\n"
            "& {} + 12{,}845{,}056 && \\text{conv3x3.conv1}"
        ) in text
        assert "\\\\\n& {} = 271{,}351{,}808\n\\end{align*}\n" in text

    def test_environments_and_braces_close(self):
        text = report_of(*shipped("inception_bottleneck")[:2], ["conv3x3.conv2"]).text("latex")
        assert text.count(r"\begin{align*}") == text.count(r"\end{align*}") >= 6
        assert_closed(text)


def assert_closed(text):
    """Every environment, every brace and every bracket ends where it should."""
    body = re.sub(r"\\[\\{}%$&#_]", "", "\n".join(text.splitlines()[1:]))
    depth = 0
    for sign in body:
        depth += (sign == "{") - (sign == "}")
        assert depth >= 0
    assert depth == 0
    opened = []
    for verb, name in re.findall(r"\\(begin|end)\{([a-z*]+)\}", body):
        if verb == "begin":
            opened.append(name)
        else:
            assert opened.pop() == name
    assert not opened
    assert len(re.findall(r"\\left\b", body)) == len(re.findall(r"\\right\b", body))
    for inside in re.findall(r"(?s)\\begin\{align\*\}(.*?)\\end\{align\*\}", body):
        assert "\n\n" not in inside  # an empty line ends a paragraph, and that is an error there
    assert body.count("$") % 2 == 0


class TestHostileNames:
    NAMES = ("conv[red]", "a|b", "50%_{x}", "$\\frac&", "`code`", "<b>#", "层")

    @pytest.fixture
    def report(self):
        entries = [
            {"conv": {"out_channels": 1, "kernel_size": 1}, "name": name} for name in self.NAMES
        ]
        text = json.dumps({"input": [1, 2, 2], "layers": entries}, ensure_ascii=False)
        analysis, spec = network(text)
        layers = report_of(analysis, spec, list(self.NAMES))
        return layers._replace(parts=(*totals_report(analysis).parts, *layers.parts))

    def test_text_has_them_as_they_are(self, report):
        for text in (report.text("text"), at_width(report, 80)):
            for name in self.NAMES:
                assert f"{name} · conv · net.yaml:1:" in text

    def test_a_table_keeps_its_columns(self, report):
        header = None
        for line in report.text("markdown").splitlines():
            cells = len(re.findall(r"(?<!\\)\|", line))
            if not line.startswith("|"):
                header = None
                assert not re.search(r"(?<!\\)[<>]", line)
            else:
                header = header or cells
                assert cells == header

    def test_latex_still_closes(self, report):
        assert_closed(report.text("latex"))

    def test_json_has_them_as_they_are(self, report):
        found = json.loads(report.text("json"))
        assert [layer["name"] for layer in found["layers"]] == list(self.NAMES)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2·115605504", "2·115,605,504"),
        ("999 + 1000", "999 + 1,000"),
        ("n10000·k", "n10000·k"),
        ("max(0, 1605632)", "max(0, 1,605,632)"),
    ],
)
def test_numbers_in_formulas_have_their_thousands_apart(text, expected):
    assert grouped_digits(text) == expected


@pytest.mark.parametrize("name", shipped_names())
def test_every_kind_of_layer_of_the_zoo_is_explained_in_every_format(name):
    analysis, file, variant = shipped(name)
    # One of each: the same layer on the same inputs has nothing else to say.
    different = {(row.layer, row.input_shapes): row.name for row in analysis.layers}
    report = report_of(analysis, file, list(different.values())[:60], variant)
    report = report._replace(parts=(*totals_report(analysis).parts, *report.parts))
    for format_ in EXPLAIN_FORMATS:
        assert report.text(format_).endswith("\n")
    assert_closed(report.text("latex"))
    narrow = at_width(report, 100)
    assert max(map(len, narrow.splitlines())) <= 100
