"""`convcalc formula` and `convcalc compare --formula` as a user meets them."""

import csv
import io
import json

import pytest

from convcalc import analyze

TINY = """\
input: [3, 10, 12]
layers:
  - conv: {out_channels: 4, kernel_size: 3, bias: false}
"""


class TestFormula:
    def test_resnet_is_shown_with_its_sizes_and_the_batch_free(self, run):
        done = run("formula", "resnet::resnet50")
        assert (done.returncode, done.stderr) == (0, "")
        lines = done.stdout.splitlines()
        assert lines[0] == "resnet50 · input 3×H×W · batch N"
        assert "Parameters = 25,557,032" in lines
        # The stem: 64 filters of 3·49 weights, at every second position.
        [macs] = [line for line in lines if line.startswith("Multiply-adds =")]
        assert macs.startswith("Multiply-adds = 64·N·(147·⌊(H + 1)/2⌋·⌊(W + 1)/2⌋ + ")
        assert "4,089,184,256" in done.stdout
        assert "At H = 224, W = 224, N = 1" in lines
        assert "\x1b" not in done.stdout

    def test_output_is_the_same_every_time(self, run):
        arguments = ("formula", "googlenet", "--layers", "--assume", "W == H")
        first, second = (run(*arguments, PYTHONHASHSEED=str(seed)) for seed in (1, 2))
        assert first.stdout == second.stdout
        assert first.returncode == 0

    @pytest.mark.parametrize("columns", [60, 80, 160])
    def test_it_fits_the_terminal_and_cuts_nothing(self, terminal, columns):
        shown, code = terminal("formula", "resnet::resnet50", columns=columns, NO_COLOR="1")
        assert code == 0
        assert "\x1b" not in shown
        lines = shown.splitlines()
        assert all(len(line) <= columns for line in lines)
        joined = " ".join(line.strip() for line in lines).replace("· ", "·")
        assert "225280·⌊(H + 31)/32⌋·⌊(W + 31)/32⌋ + 32000)" in joined

    def test_what_the_layers_take_for_granted_is_said_in_every_format(self, run):
        arguments = ("formula", "unet::unet_same", "--metric", "macs", "--format")
        said = "Only if H % 16 == 0 and W % 16 == 0: other sizes are refused."
        done = {
            name: run(*arguments, name).stdout
            for name in ("text", "markdown", "python", "latex", "json")
        }
        assert said in done["text"].splitlines()
        assert said in done["markdown"]
        assert said in done["python"]
        assert r"\text{only if } & H \bmod 16 = 0 \\" in done["latex"]
        [network] = json.loads(done["json"])["networks"]
        assert [each["text"] for each in network["conditions"]] == ["H % 16 == 0", "W % 16 == 0"]
        [[comparison]] = network["conditions"][0]["any_of"]
        assert (comparison["modulus"]["text"], comparison["relation"]) == ("16", "==")

    def test_the_python_form_refuses_what_analyze_refuses(self, run):
        module = {}
        exec(  # noqa: S102 - it is what a user does with it
            run("formula", "unet::unet_same", "--metric", "macs", "--format", "python").stdout,
            module,
        )
        # what `analyze unet::unet_same` counts
        assert module["unet_same"](512, 512, 1) == 192_384_335_872
        with pytest.raises(ValueError, match="only if H % 16 == 0"):
            module["unet_same"](500, 512, 1)
        assert "error[E304]" in run("analyze", "unet::unet_same", "--set", "H=500").stderr

    def test_the_python_form_checks_what_is_assumed(self, run):
        done = run(
            *("formula", "-", "--metric", "macs", "--format", "python", "--batch", "1"),
            *("--assume", "H % 4 == 1", "--assume", "H >= 9", "--assume", "W == 12"),
            stdin=TINY,
        )
        module = {}
        exec(done.stdout, module)  # noqa: S102 - it is what a user does with it
        [function] = [each for each in module.values() if callable(each)]
        assert function(13) == 108 * 11 * 10
        for height in (12, 5):
            with pytest.raises(ValueError, match="only if H"):
                function(height)

    @pytest.mark.parametrize("name", ["dict", "int", "class"])
    def test_a_network_called_like_a_part_of_python_is_no_function_of_that_name(self, run, name):
        done = run("formula", "-", "--format", "python", stdin=f"name: {name}\n{TINY}")
        module = {}
        exec(done.stdout, module)  # noqa: S102 - it is what a user does with it
        # 4 filters of 27 weights
        assert module[f"network_{name}"](10, 12, 1)["params"] == 108

    def test_where_a_size_doubled_is_refused_nothing_grows(self, run):
        text = (
            "vars: {k: 4}\ninput: [1, 5, 5]\nlayers:\n"
            "  - conv: {out_channels: 1, kernel_size: k, bias: false}\n"
        )
        done = run("formula", "-", "--free", "k", "--metric", "macs", stdin=text)
        assert done.returncode == 0
        assert "Only if k <= 5: other sizes are refused." in done.stdout
        # 16 weights at 2·2 positions
        assert "Multiply-adds     64  k⁴           –" in done.stdout
        assert "k ×2 is refused: `conv` has no output: its input is 5×5." in done.stdout

    def test_a_shared_layer_whose_weights_may_differ_is_no_crash(self, run):
        text = (
            "vars: {w: 4}\ninput: [4, 8, 8]\nlayers:\n"
            "  - {conv: {out_channels: w, kernel_size: 3, padding: 1}, name: c1}\n"
            "  - {conv: {out_channels: w, kernel_size: 3, padding: 1}, name: c2, share: c1}\n"
        )
        done = run("formula", "-", "--free", "w", stdin=text)
        assert (done.returncode, done.stderr) == (0, "")
        assert "Only if w == 4: other sizes are refused." in done.stdout

    def test_a_quotient_that_is_rounded_up_is_a_floor(self, run):
        done = run("formula", "segmentation::deeplabv3_resnet50", "--metric", "macs")
        assert (done.returncode, done.stderr) == (0, "")
        assert "643240·⌊(H + 7)/8⌋·⌊(W + 7)/8⌋" in done.stdout

    @pytest.mark.parametrize(
        ("assumption", "title", "smallest"),
        [
            ("H == 40", "At H = 40 (nearest to 33), W = 65", "3×40×1"),
            ("W == H", "At H = 33, W = 33 (nearest to 65)", "3×1×1"),
            ("H % 32 == 0", "At H = 32 (nearest to 33), W = 65", "3×32×1"),
            ("H % 32 == 1", "At H = 33, W = 65", "3×1×1"),
        ],
    )
    def test_what_the_spec_has_otherwise_than_assumed_is_moved(
        self, run, assumption, title, smallest
    ):
        text = (
            "input: [3, 33, 65]\nlayers:\n"
            "  - conv: {out_channels: 8, kernel_size: 3, stride: 2, padding: 1}\n"
        )
        done = run("formula", "-", "--metric", "macs", "--assume", assumption, stdin=text)
        assert f"{title}, N = 1" in done.stdout.splitlines()
        assert f"Smallest input that these layers accept: {smallest}." in done.stdout
        assert "2.00×" in done.stdout

    def test_the_smallest_input_is_that_of_the_layers_which_its_size_makes(self, run):
        text = (
            "vars: {H: 64}\ninput: [3, H, H]\nlayers:\n"
            "  - conv: {out_channels: 8, kernel_size: 3, stride: 2, padding: same}\n"
            "  - upsample: {size: H/2}\n"
        )
        done = run("formula", "-", "--assume", "H % 2 == 0", stdin=text)
        assert "Smallest input that these layers accept: 3×2×2." in done.stdout
        assert "error[" in run("analyze", "-", "--set", "H=1", stdin=text).stderr

    def test_metrics_are_named_as_budgets_name_them(self, run):
        done = run("formula", "lenet5", "--metric", "activations,adds", "--metric", "params")
        titles = [line.partition(" = ")[0] for line in done.stdout.splitlines() if " = " in line]
        assert titles[:3] == ["Activation memory (bytes)", "Adds", "Parameters"]

    def test_a_number_for_the_batch_is_not_free(self, run):
        done = run("formula", "-", "--batch", "8", "--metric", "activations,macs", stdin=TINY)
        assert "input 3×H×W · batch 8" in done.stdout
        # 4 channels of 4 bytes, 8 samples
        assert "Activation memory (bytes) = 128·(H·W − 2·H − 2·W + 4)" in done.stdout
        assert "Multiply-adds = 108·(H·W − 2·H − 2·W + 4)" in done.stdout

    def test_the_dtype_is_that_of_the_bytes(self, run):
        done = run("formula", "-", "--dtype", "int4", "--metric", "activations", stdin=TINY)
        # 4 bits each, rounded up to whole bytes: 4 channels make 2 bytes a position
        assert "= 2·N·(H·W − 2·H − 2·W + 4)" in done.stdout

    def test_several_networks_are_shown_one_after_the_other(self, run):
        done = run("formula", "lenet5", "alexnet", "--metric", "macs", "--format", "json")
        networks = json.loads(done.stdout)["networks"]
        assert [network["name"] for network in networks] == ["lenet5", "alexnet"]
        assert networks[1]["totals"]["macs"]["value"] == analyze("alexnet").macs
        assert networks[1]["smallest_input"]["inputs"] == {"input": [3, 63, 63]}

    def test_training_memory_has_a_formula_and_the_peak_may_have_none(self, run):
        done = run("formula", "lenet5", "--metric", "training_memory")
        assert done.returncode == 0
        assert f"{analyze('lenet5').training_bytes:,}" in done.stdout
        done = run("formula", "unet", "--metric", "peak_memory")
        assert done.returncode == 2
        assert "error[E422]" in done.stderr
        assert "give a value to" in done.stderr

    @pytest.mark.parametrize(
        ("format_", "part"),
        [
            ("text", "Multiply-adds = 108·N"),
            ("latex", r"108 \cdot N"),
            ("python", "108 * N"),
            ("json", '"text": "108·N·(H·W'),
            ("markdown", "| Multiply-adds | 108·N"),
        ],
    )
    def test_every_format_can_be_printed_and_exported(self, run, tmp_path, format_, part):
        file = tmp_path / "out"
        arguments = ("formula", "-", "--metric", "macs", "--format", format_)
        done = run(*arguments, "--export", f"{format_}:{file}", stdin=TINY)
        assert done.returncode == 0
        assert part in done.stdout
        assert file.read_text(encoding="utf-8") == done.stdout

    def test_what_decides_about_layers_is_pointed_at(self, run):
        done = run("formula", "efficientnet", "--free", "depth")
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("specs/efficientnet.yaml:28:17: error[E207]: `repeat` is")
        assert done.stderr.count("error[") == 1
        assert "give the variable a value" in done.stderr

    def test_what_decides_about_layers_grows_by_numbers(self, run):
        done = run("formula", "scaling", "--metric", "macs", "--grow", "depth", "--grow", "width")
        # By hand: 1,728,000 + 230,400,000 + 400 become 1,728,000 + 460,800,000 + 400, and
        # 3,456,000 + 921,600,000 + 800.
        [row] = [line for line in done.stdout.splitlines() if line.startswith("Multiply-adds  ")]
        assert row.split()[-2:] == ["1.99×", "3.99×"]
        assert "depth ×2: of a plain network the multiply-adds grow as depth, here 2.00×" in (
            done.stdout
        )

    @pytest.mark.parametrize(
        ("arguments", "code", "help_"),
        [
            (("--free", "Hh"), "E420", "did you mean `H`?"),
            (("--free", "Q,Z"), "E420", "there are C, H, W, N"),
            (("--free", ","), "E402", "--free H,W,N"),
            (("--free", "N", "--batch", "4"), "E402", None),
            (("--assume", "H % 0 == 0"), "E421", "divide by a number"),
            (("--assume", "H is even"), "E421", "write one as"),
            (("--assume", "C == 3"), "E421", "free it as well"),
            (("--assume", "H == 5", "--assume", "H == 6"), "E421", "leave one of them out"),
            (("--assume", "H % 9" + "9" * 40 + " == 0"), "E421", None),
            (("--assume", "__import__('os')"), "E421", None),
            (("--metric", "mac"), "E402", "did you mean 'macs'?"),
            (("--grow", "widht"), "E420", None),
            (("--grow", "H=0"), "E402", "above 0"),
            (("--grow", "H=x"), "E402", "above 0"),
            (("--grow", "H=1/0"), "E402", "above 0"),
            (("--grow", "H=nan"), "E402", "above 0"),
            (("--grow", "H=1e999"), "E402", "above 0"),
            (("--grow", ","), "E402", "names nothing"),
            (("--grow", "H,H"), "E402", "named twice"),
            (("--free", "H", "--grow", "N"), "E402", "--free N"),
            (("--format", "csv"), "E402", None),
            (("--set", "H=3"), "E202", None),
        ],
    )
    def test_nonsense_is_refused_with_a_way_out(self, run, arguments, code, help_):
        done = run("formula", "-", *arguments, stdin=TINY)
        assert (done.returncode, done.stdout) == (2, "")
        assert f"error[{code}]" in done.stderr
        assert help_ is None or help_ in done.stderr
        assert "Traceback" not in done.stderr

    def test_a_size_that_no_network_has_is_a_finding(self, run):
        done = run("formula", "-", "--assume", "H == 2", stdin=TINY)
        assert done.returncode == 2
        assert "error[E302]" in done.stderr

    def test_growing_to_no_whole_number_is_a_finding(self, run):
        done = run("formula", "-", "--grow", "H=1.25", stdin=TINY)
        assert done.returncode == 2
        assert "25/2" in done.stderr or "12.5" in done.stderr

    def test_all_that_is_wrong_is_said_of_all_specs(self, run):
        done = run("formula", "lenet5", "no_such_net", "--free", "Hx")
        assert done.returncode == 2
        assert "E420" in done.stderr
        assert "no_such_net" in done.stderr


class TestCompareFormula:
    def test_the_families_are_the_textbook_table(self, run):
        done = run("compare", "conv_families::*_1d", "--formula", "--format", "csv")
        rows = {row["name"]: row for row in csv.DictReader(io.StringIO(done.stdout))}
        # The textbooks' table, n positions, c channels, kernel k.
        expected = {
            "conv": ("c²·k", "c²·k·n"),
            "fully_connected": ("c²·n²", "c²·n²"),
            "locally_connected": ("c²·k·n", "c²·k·n"),
            "group_conv": ("c²·k/g", "c²·k·n/g"),
            "depthwise": ("c·k", "c·k·n"),
            "pointwise": ("c²", "c²·n"),
            "separable": ("c² + c·k", "c·n·(c + k)"),
            "flattened": ("c² + c·k", "c·n·(c + k)"),
            "bottleneck": ("k·m² + 2·c·m", "m·n·(k·m + 2·c)"),
            "dilated": ("c²·k", "c²·k·n"),
            "transposed": ("c²·k", "c²·k·n"),
            "gated": ("2·c²·k", "2·c²·k·n"),
            "self_attention": ("4·c²", "4·c²·n + 2·c·n²"),
            "restricted_self_attention": ("4·c²", "2·c·n·(2·c + k)"),
        }
        assert {
            name.removesuffix("_1d"): (row["params_formula"], row["macs_formula"])
            for name, row in rows.items()
        } == expected
        # 3·32·32, each used 64 times
        assert (rows["conv_1d"]["params"], rows["conv_1d"]["macs"]) == ("3072", "196608")

    def test_all_dimensions_stand_beside_numbers_and_ratios(self, run):
        done = run("compare", "specs/conv_families.yaml", "--formula")
        assert (done.returncode, done.stderr) == (0, "")
        rows = {line.split()[0]: line for line in done.stdout.splitlines() if line.strip()}
        assert rows["conv_3d"].split()[1:] == [
            *("c²·k³", "27,648", "3.00×"),
            *("c²·k³·n³", "1,769,472", "3.00×"),
        ]
        # 9·32 + 32·32 = 1,312 of 9,216 are 0.142
        assert "c·k² + c²" in rows["separable_2d"]
        assert rows["separable_2d"].count("0.142×") == 2
        assert "The numbers are for c = 32, k = 3, n = 8 or 64 or 4, g = 4, m = 8." in done.stdout

    @pytest.mark.parametrize("columns", [80, 160])
    def test_it_fits_the_terminal(self, terminal, columns):
        shown, code = terminal(
            "compare", "conv_families::*_2d", "--formula", columns=columns, NO_COLOR="1"
        )
        assert code == 0
        assert all(len(line) <= columns for line in shown.splitlines())
        assert "2·c·n²·(k² + 2·c)" in shown

    def test_long_formulas_stand_below_the_table(self, run):
        done = run("compare", "resnet::resnet18", "resnet::resnet34", "--formula", "--free", "H,N")
        assert done.returncode == 0
        assert "resnet34: multiply-adds = 1024·N·(1029·⌊(H + 1)/2⌋" in done.stdout
        assert "Multiply-adds with N in them are those of N samples." in done.stdout

    @pytest.mark.parametrize("columns", [60, 80])
    def test_long_formulas_wrap_at_their_signs_in_a_terminal(self, terminal, columns):
        shown, code = terminal(
            *("compare", "resnet::resnet18", "resnet::resnet34", "--formula", "--free", "H,W"),
            columns=columns,
            NO_COLOR="1",
        )
        assert code == 0
        lines = shown.splitlines()
        assert all(len(line) <= columns for line in lines)
        # The first stage of resnet18 has 4 convolutions of 9·64·64 weights: 64·2,304.
        assert any(line.startswith("    + 2304·⌊(H + 3)/4⌋·⌊(W + 3)/4⌋") for line in lines)

    def test_json_has_terms_beside_the_numbers(self, run):
        done = run(
            *("compare", "conv_families::conv_1d", "conv_families::depthwise_1d", "--formula"),
            *("--free", "c,n", "--format", "json"),
        )
        first, second = json.loads(done.stdout)["networks"]
        assert first["formulas"]["free"] == ["c", "n"]
        assert first["formulas"]["macs"]["text"] == "3·c²·n"
        [term] = second["formulas"]["macs"]["terms"]
        assert term["coefficient"] == 3
        assert second["totals"]["macs"] == 6144

    def test_assumptions_hold_for_all(self, run):
        done = run(
            *("compare", "conv_families::conv_1d", "conv_families::group_conv_1d", "--formula"),
            *("--free", "c,k", "--assume", "c % 4 == 0"),
        )
        assert "c²·k/4" in done.stdout
        assert "Only if c % 4 == 0, so that c = 4·c_4." in done.stdout

    def test_groups_that_divide_are_an_exact_quotient(self, run):
        done = run("compare", "conv_families::*_1d", "--formula")
        assert "c²·k/g" in done.stdout
        assert "⌊c/g⌋" not in done.stdout
        assert "group_conv_1d: only if c % g == 0: other sizes are refused." in done.stdout

    def test_markdown_is_a_table(self, run):
        done = run("compare", "conv_families::*_1d", "--formula", "--format", "markdown")
        assert "| depthwise\\_1d | c·k | 96 |" in done.stdout

    def test_a_family_is_read_from_standard_input(self, run):
        text = (
            "vars: {c: 8}\nvariants: {small: {}, large: {c: 16}}\ninput: [3, 32, 32]\n"
            "layers:\n  - conv: {out_channels: c, kernel_size: 1}\n"
        )
        done = run("compare", "-", "--formula", stdin=text)
        assert done.returncode == 0
        # 3 weights and a bias each: 8·4 and 16·4
        assert "4·c             32" in done.stdout
        assert "c = 8 or 16" in done.stdout

    @pytest.mark.parametrize(
        ("arguments", "code"),
        [
            (("--free", "c"), "E402"),
            (("--assume", "c == 3"), "E402"),
            (("--formula", "--layers"), "E402"),
            (("--formula", "--against", "HEAD"), "E402"),
            (("--formula", "--free", "rank"), "E207"),
            (("--formula", "--free", "family"), "E420"),
            (("--formula", "--assume", "q == 1"), "E421"),
        ],
    )
    def test_nonsense_is_refused(self, run, arguments, code):
        done = run("compare", "conv_families::*_1d", *arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert f"error[{code}]" in done.stderr
