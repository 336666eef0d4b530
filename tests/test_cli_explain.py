"""`convcalc explain` and `convcalc layer` as a user meets them: whole processes."""

import json
import re

import pytest

SPEC = """\
vars: {width: 4}
input: [3, 16, 16]
layers:
  - {conv: {out_channels: width, kernel_size: 3, padding: 1}, name: stem}
  - name: stage1
    layers:
      - conv: {out_channels: width * 2, kernel_size: 3, padding: same}
      - relu
  - name: stage2
    layers:
      - conv: {out_channels: width * 4, kernel_size: 1}
      - relu
"""


class TestExplain:
    def test_without_a_layer_it_is_the_totals(self, run):
        done = run("explain", "specs/inception_bottleneck.yaml")
        assert (done.returncode, done.stderr) == (0, "")
        assert "Multiply-adds = 271,351,808\n" in done.stdout
        assert "\x1b" not in done.stdout

    def test_a_group_is_the_sum_of_its_layers(self, run):
        done = run("explain", "specs/googlenet.yaml", "inception3a")
        assert done.returncode == 0
        assert "Parameters = 163,328\n" in done.stdout
        assert "Multiply-adds = 128,049,152\n" in done.stdout

    def test_a_layer_has_its_formulas_and_its_place(self, run, spec):
        path = spec(SPEC)
        done = run("explain", path, "stage2.conv")
        assert done.returncode == 0
        assert done.stdout.startswith(f"stage2.conv · conv · {path}:11:9\n")
        assert "  out_channels = width * 4 = 16" in done.stdout
        assert "  width = 4 " in done.stdout
        # 16·16·16 positions and channels of 8 weights each.
        assert "16·16·16·(8/1)·1·1 = 32,768\n" in done.stdout

    def test_a_setting_changes_the_numbers_and_says_so(self, run, spec):
        done = run("explain", spec(SPEC), "stem", "--set", "width=8")
        assert re.search(r"  out_channels = width = 8 +\S+:4:27; `width` by `--set`\n", done.stdout)
        assert "C_out × C_in/g × k_h × k_w = 8×3×3×3 = 216 elements" in done.stdout

    def test_a_variable_is_told_with_the_fields_own_place(self, run, spec):
        done = run("explain", spec(SPEC), "stem")
        where = r"\S+:4:27; `width` at \S+:1:15, variable of the spec"
        assert re.search(rf"  out_channels = width = 4 +{where}\n", done.stdout)

    def test_the_receptive_field_of_a_network_is_that_of_its_output(self, run, spec):
        # 3, 3 + 2, and no more by a kernel of 1
        done = run("explain", spec(SPEC), "--metric", "receptive_field")
        assert done.returncode == 0
        assert done.stdout.startswith("stage2.relu · relu · ")
        assert re.search(r"  receptive field, height and width +R = 5\n", done.stdout)
        assert "Parameters" not in done.stdout

    def test_the_receptive_field_of_a_group_is_that_of_its_last_layer(self, run, spec):
        done = run("explain", spec(SPEC), "stage1", "stem", "--metric", "params,receptive_field")
        assert done.stdout.startswith("stage1 · 2 layers\n\nParameters = 296\n")  # 8·4·9 + 8
        assert "\nstage1.relu · relu · " in done.stdout
        assert "R = 5\n" in done.stdout
        assert done.stdout.count("\nstem · conv · ") == 1
        assert done.stdout.count("R + d·(k_h − 1)·J = 1 + 1·(3 − 1)·1 = 3\n") == 1

    def test_a_layer_without_the_metric_says_so(self, run, spec):
        vector = "input: [8]\nlayers: [relu]\n"
        done = run("explain", spec(vector), "--metric", "receptive_field")
        assert "It has no number of what `--metric` asks for.\n" in done.stdout

    @pytest.mark.parametrize(
        ("format_", "told"),
        [
            ("text", "Comparisons = 0\n"),
            ("markdown", "| **Total** |  |  | **0** |  |\n"),
            ("latex", "& 0\n"),
            ("json", '"value": 0,\n'),
        ],
    )
    def test_a_metric_that_a_network_has_none_of_is_0(self, run, spec, format_, told):
        conv = "input: [3, 8, 8]\nlayers: [conv: {out_channels: 4, kernel_size: 3}]\n"
        done = run("explain", spec(conv), "--metric", "comparisons", "--format", format_)
        assert (done.returncode, done.stderr) == (0, "")
        assert told in done.stdout

    def test_patterns_stand_for_layers_and_each_is_told_once(self, run, spec):
        done = run("explain", spec(SPEC), "stage*.conv", "stage1.*")
        titles = [
            line for line in done.stdout.splitlines() if re.match(r"\S+ · (conv|relu) · ", line)
        ]
        assert [title.split(" · ")[0] for title in titles] == [
            "stage1.conv",
            "stage2.conv",
            "stage1.relu",
        ]

    def test_a_pattern_that_fits_no_layer_may_fit_groups(self, run, spec):
        done = run("explain", spec(SPEC), "stage?")
        assert "stage1 · 2 layers\n" in done.stdout
        assert "stage2 · 2 layers\n" in done.stdout

    def test_standard_input_is_read_once(self, run):
        done = run("explain", "-", "stem", stdin=SPEC)
        assert done.returncode == 0
        assert done.stdout.startswith("stem · conv · <stdin>:4:6\n")

    @pytest.mark.parametrize(
        ("name", "said"),
        [
            ("stage1.conf", "did you mean `stage1.conv`?"),
            ("relu", "there are `stage1.relu`, `stage2.relu`; `*.relu` is all of them"),
            ("nothing*", "no layer or group fits `nothing*`"),
            ("zzz", "there are `stem`, `stage1`, `stage2`"),
            ("input", "`input` is an input of the network, 3×16×16"),
        ],
    )
    def test_what_is_no_layer_is_said_with_what_there_is(self, run, spec, name, said):
        done = run("explain", spec(SPEC), "stem", name)
        assert (done.returncode, done.stdout) == (2, "")
        assert "error[E408]" in done.stderr
        assert said in done.stderr

    def test_all_that_is_no_layer_is_said_at_once(self, run, spec):
        assert run("explain", spec(SPEC), "a1", "b2").stderr.count("error[E408]") == 2

    def test_a_bad_spec_exits_with_2(self, run, spec):
        done = run("explain", spec(SPEC.replace("kernel_size: 1", "kernel_size: 0")), "stem")
        assert done.returncode == 2
        assert "error[" in done.stderr

    @pytest.mark.parametrize("columns", [80, 160])
    def test_it_fits_the_terminal(self, terminal, columns):
        shown, code = terminal(
            "explain", "inception_bottleneck", "conv3x3.conv2", columns=columns, NO_COLOR="1"
        )
        assert code == 0
        assert "\x1b" not in shown
        assert all(len(line) <= columns for line in shown.splitlines())
        assert "86,704,128" in shown

    def test_a_terminal_gets_colour(self, terminal):
        shown, _ = terminal("explain", "inception_bottleneck", "pool.conv")
        assert "\x1b[1mWeights\x1b[0m" in shown

    def test_exports_are_what_stdout_would_be(self, run, tmp_path):
        names = ("text", "markdown", "json", "latex")
        exports = [f"--export={name}:{tmp_path / name}" for name in names]
        assert run("explain", "lenet5", "c1", *exports).returncode == 0
        for name in names:
            done = run("explain", "lenet5", "c1", "--format", name)
            assert (tmp_path / name).read_text(encoding="utf-8") == done.stdout

    def test_the_usual_format_comes_from_the_environment(self, run):
        done = run("explain", "lenet5", "c1", CONVCALC_FORMAT="latex")
        assert r"\begin{align*}" in done.stdout
        # A format of tables alone, which the same job may ask for, is not one of explanations.
        assert run("explain", "lenet5", "c1", CONVCALC_FORMAT="csv").stdout.startswith("c1 · conv")
        assert run("analyze", "lenet5", CONVCALC_FORMAT="latex").stdout.startswith("lenet5 ·")
        assert run("explain", "lenet5", "--format", "csv").returncode == 2

    def test_the_optimiser_and_the_order_of_layers_are_told_with_the_totals(self, run):
        done = run("explain", "lenet5", "--optimizer", "adam", "--in-place")
        assert "state of the optimiser (adam)\n" in done.stdout
        assert "In place: an element-wise layer takes over" in done.stdout

    def test_bytes_are_for_the_batch_and_the_dtype(self, run):
        done = run("explain", "lenet5", "c1", "--batch", "8", "--dtype", "int8")
        # 8 samples of 6·28·28 bytes.
        assert "N·C_out·H_out·W_out·b = 8·6·28·28·1 = 37,632 bytes (36.75 KiB)\n" in done.stdout


CONV = "conv: {out_channels: 128, kernel_size: 3, padding: same}"


class TestLayer:
    def test_one_layer_is_explained_without_a_file(self, run):
        done = run("layer", CONV, "--input", "192,28,28")
        assert (done.returncode, done.stderr) == (0, "")
        # 128·192·9 + 128, and 128·28·28·192·9.
        assert "= 128·(192/1)·3·3 + 128 = 221,312\n" in done.stdout
        assert "= 128·28·28·(192/1)·3·3 = 173,408,256\n" in done.stdout

    @pytest.mark.parametrize("shape", ["28x28x192", "28,28,192", "28×28×192", "[28, 28, 192]"])
    def test_channels_may_stand_last(self, run, shape):
        first = run("layer", CONV, "--input", "192,28,28")
        last = run("layer", CONV, "--input", shape, "--channels-last")
        assert (last.returncode, last.stderr) == (0, "")
        assert last.stdout == first.stdout

    def test_a_shape_that_looks_turned_around_gets_a_hint(self, run):
        done = run("layer", CONV, "--input", "28x28x192")
        assert done.returncode == 0
        assert "--input:1:1: warning[W504]: the input 28×28×192 has 28 channels" in done.stderr
        assert "if it is 192 channels of 28×28, add `--channels-last`" in done.stderr
        assert run("layer", CONV, "--input", "192x28x28").stderr == ""
        assert run("layer", CONV, "--input", "224,224,3").stderr.count("W504") == 1

    def test_several_layers_have_a_table_before_their_explanations(self, run):
        done = run("layer", "conv_bn: {out_channels: 4 * 4}", "relu", "--input", "3,8,8")
        assert done.stdout.startswith("3 layers · input 3×8×8\n")
        assert "conv_bn.conv · conv · library/conv_bn.yaml:" in done.stdout
        assert "in block conv_bn, used at <layer 1>:1:1\n" in done.stdout
        assert "relu · relu · <layer 2>:1:1\n" in done.stdout

    def test_of_very_many_layers_the_totals_are_told(self, run):
        few = run("layer", "{repeat: 100, layers: [relu]}", "--input", "3,4,4")
        assert few.stdout.count(" · relu · <layer>") == 100
        many = run("layer", "{repeat: 5000, layers: [relu]}", "--input", "3,4,4")
        assert many.returncode == 0
        # 5,000 times 3·4·4 comparisons
        assert "\nComparisons = 240,000\n" in many.stdout
        assert " · relu · <layer>" not in many.stdout

    def test_a_kernel_of_millions_is_told_at_once(self, run):
        layer = "conv: {out_channels: 3, kernel_size: 1000000000000}"
        done = run("layer", layer, "--input", "3,9999999999999")
        assert done.returncode == 0
        # 9,999,999,999,999 − 10¹² + 1 positions
        assert "3×9000000000000\n" in done.stdout

    def test_tokens_have_no_receptive_field(self, run):
        for layer in ("multi_head_attention: {num_heads: 4, window: 7}", "layer_norm"):
            done = run("layer", layer, "--input", "196,64")
            assert done.returncode == 0
            assert "tokens of the input" in done.stdout
            assert "Receptive field" not in done.stdout

    def test_a_list_is_one_text(self, run):
        done = run("layer", "[conv: {out_channels: 4, kernel_size: 1}, relu]", "--input", "3,8,8")
        assert done.stdout.startswith("2 layers · input 3×8×8\n")

    def test_a_merge_has_several_inputs(self, run):
        done = run("layer", "add", "--input", "64,56,56", "--input", "64,56,56")
        assert done.returncode == 0
        assert "Inputs, 2\n  input1 64×56×56\n  input2 64×56×56\n" in done.stdout
        # One add for each of 64·56·56 elements.
        assert "C_in·H·W = 64·56·56 = 200,704\n" in done.stdout

    @pytest.mark.parametrize(
        ("arguments", "place", "said"),
        [
            (["conv: {out_chanels: 1, kernel_size: 3}"], "<layer>:1:8", "`out_channels`"),
            (["relu", "cnv: {}"], "<layer 2>:1:1", "did you mean `conv`?"),
            (["relu\n"], None, None),
            (["- relu\n- conf: {}\n"], None, None),
            ([""], "<layer>:1:1", "not nothing"),
            (["conv: {out_channels: n, kernel_size: 3}"], "<layer>:1:22", "unknown variable `n`"),
            (["conv: {out_channels: [}"], "<layer>:1:23", ""),
        ],
    )
    def test_findings_point_into_what_was_typed(self, run, arguments, place, said):
        done = run("layer", "--input", "3,8,8", "--", *arguments)
        if place is None:
            assert done.returncode == (2 if "conf" in arguments[0] else 0)
            assert ("<layer>:2:3: error[E106]" in done.stderr) == ("conf" in arguments[0])
            return
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith(f"{place}: error[")
        assert said in done.stderr

    @pytest.mark.parametrize(
        ("shape", "place"),
        [
            ("3,0,8", "--input:1:3"),
            ("3,x,a", "--input:1:5"),
            ("", "--input:1:1"),
            ("1,2,3,4,5", "--input:1:1"),
            ("9" * 60 + ",8,8", "--input:1:1"),
            ("1.5,8,8", "--input:1:1"),
        ],
    )
    def test_a_shape_that_is_none_is_pointed_at(self, run, shape, place):
        done = run("layer", "relu", "--input", shape)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith(f"{place}: error[")

    def test_the_shape_cannot_be_left_out(self, run):
        done = run("layer", "relu")
        assert done.returncode == 2
        assert "error[E402]" in done.stderr
        assert "192,28,28" in done.stderr

    def test_inputs_that_do_not_fit_each_other_are_both_named(self, run):
        done = run("layer", "add", "--input", "64,56,56", "--input", "64,28,28")
        assert done.returncode == 2
        assert "`input2` gives 64×28×28" in done.stderr

    def test_json_has_what_any_explanation_has(self, run):
        done = run("layer", CONV, "--input", "192,28,28", "--format", "json")
        [layer] = json.loads(done.stdout)["layers"]
        assert layer["origin"]["place"] == {"file": "<layer>", "line": 1, "column": 1}
        values = {each["metric"]: each["value"] for each in layer["derivations"]}
        assert values["macs"] == 173_408_256

    @pytest.mark.parametrize("columns", [80, 160])
    def test_it_fits_the_terminal(self, terminal, columns):
        shown, code = terminal(
            *("layer", CONV, "relu", "--input", "192,28,28"), columns=columns, NO_COLOR="1"
        )
        assert code == 0
        assert all(len(line) <= columns for line in shown.splitlines())
        assert "173,408,256" in shown


class TestMetrics:
    def test_the_totals_are_those_of_the_metrics_asked_for(self, run):
        done = run("explain", "inception_bottleneck", "--metric", "macs")
        assert done.returncode == 0
        # 28·28·(128·256 + 64·256 + 192·9·64 + 64·256 + 96·25·64 + 64·256)
        assert "Multiply-adds = 271,351,808" in done.stdout
        assert "Parameters" not in done.stdout
        assert len(done.stdout.splitlines()) < 15

    @pytest.mark.parametrize("format_", ["text", "markdown", "json", "latex"])
    def test_a_layer_too_in_every_format(self, run, format_):
        arguments = ("explain", "lenet5", "c3", "--metric", "params", "--format", format_)
        done = run(*arguments)
        assert done.returncode == 0
        assert "2,416" in done.stdout.replace("{,}", ",") or "2416" in done.stdout  # 16·6·25 + 16
        assert "240,000" not in done.stdout.replace("{,}", ",")  # its multiply-adds

    def test_the_receptive_field_is_one(self, run):
        done = run(
            "layer",
            "conv: {out_channels: 1, kernel_size: 3}",
            "--input",
            "1,9",
            "--metric",
            "receptive_field",
        )
        assert "R + d·(k − 1)·J = 1 + 1·(3 − 1)·1 = 3" in done.stdout
        assert "parameters" not in done.stdout

    def test_an_unknown_one_is_refused(self, run):
        done = run("explain", "lenet5", "--metric", "mcas")
        assert done.returncode == 2
        assert "did you mean 'macs'?" in done.stderr
