"""`convcalc reconcile` and `convcalc analyze --like`."""

import csv
import io
import json
from pathlib import Path

import pytest

from convcalc.cli.reconcile import claim_of
from convcalc.errors import ConvcalcError

FIGURES = Path(__file__).parent / "figures" / "conventions.csv"
NET = """
vars: {size: 8}
input: [4, size, size]
layers:
  - conv: {out_channels: 2, kernel_size: 1, bias: false}
  - batch_norm
  - relu
"""
# 64·2·4 = 512 multiply-adds on 128 outputs; fvcore: + 2·128 for the norm.


@pytest.fixture
def net(spec):
    return spec(NET)


def json_of(done):
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["networks"][0]


# -- reconcile ------------------------------------------------------------------------------------


def test_all_conventions_stand_side_by_side(run):
    done = run("reconcile", "resnet::resnet50")
    assert done.returncode == 0
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert lines[0] == "resnet50 · input 3×224×224"
    assert lines[3].split() == ["convcalc", "4,089,184,256", "1.00×"]
    at = next(n for n, line in enumerate(lines) if line.startswith("fvcore"))
    assert lines[at].split(None, 3) == [
        *("fvcore", "4,111,512,576", "1.01×"),
        "+22,227,968 batch norm at 2 per element",
    ]
    assert lines[at + 1].strip() == "+100,352 global avg pool at 1 per input element"


def test_the_figures_of_a_network_are_those_of_the_tools(run):
    with FIGURES.open(encoding="utf-8") as file:
        expected = next(row for row in csv.DictReader(file) if row["network"] == "mobilenet_v2")
    network = json_of(run("reconcile", "mobilenet_v2", "--format", "json"))
    found = {each["name"].replace("-", "_"): each["total"] for each in network["conventions"]}
    assert found.pop("convcalc_flops") > 2 * found["convcalc"]
    found["macs"] = found.pop("convcalc")
    assert found == {name: int(n) for name, n in expected.items() if name != "network"}


@pytest.mark.parametrize("format_", ["text", "markdown", "json", "csv"])
def test_each_format_has_each_figure(format_, run, net, tmp_path):
    done = run("reconcile", net, "--format", format_, "--export", f"{format_}:{tmp_path / 'out'}")
    assert done.returncode == 0
    assert "768" in done.stdout
    assert "256" in done.stdout
    assert (tmp_path / "out").read_text(encoding="utf-8") == done.stdout


def test_eighty_columns_are_enough(terminal):
    shown, code = terminal("reconcile", "resnet::resnet50", columns=80, NO_COLOR="1")
    assert code == 0
    lines = shown.splitlines()
    assert max(map(len, lines)) <= 80
    assert sum(line.startswith("Convention") for line in lines) == 1  # one table, not two
    assert any(line.rstrip().endswith("+22,227,968 batch norm at 2 per element") for line in lines)


def test_a_variable_is_set_before_anything_is_counted(run, net):
    network = json_of(run("reconcile", net, "--set", "size=16", "--format", "json"))
    assert network["macs"] == 4 * 512
    assert network["settings"] == {"size": "16"}


@pytest.mark.parametrize(
    ("claim", "expected"),
    [
        ("4.11G", "4.11G is fvcore's count of resnet50 at 224×224: 4,111,512,576 flops."),
        (
            "8.18 GFLOPs",
            "8.18 GFLOPs is torch's count of resnet50 at 224×224: 8,178,368,512 FLOPs, which "
            "counts each multiply-add twice.",
        ),
        ("25.6M params", "25.6M params is the number of parameters of resnet50: 25,557,032."),
    ],
)
def test_a_claim_is_told_whose_it_is(claim, expected, run):
    done = run("reconcile", "resnet::resnet50", "--claim", claim)
    assert expected in done.stdout.splitlines()


def test_a_claim_is_looked_for_at_other_sizes(run):
    done = run("reconcile", "resnet::resnet50", "--claim", "5.34G")
    assert "5.34G at 256×256 is convcalc's 5,340,348,416 multiply-adds" in done.stdout


@pytest.mark.parametrize(
    ("input_", "claim", "size"),
    [
        # A 1×1 convolution of 2 to 1 channels: 2 multiply-adds a position.
        ("[2, 1000]", 2 * 1750, "1750"),
        ("[2, 96, 192]", 2 * 192 * 384, "192×384"),
        ("[2, 96, 192]", 2 * 331 * 331, "331×331"),
        ("[2, 1100, 1100]", 2 * 331 * 331, "331×331"),
        ("[2, 700, 700]", 2 * 732 * 732, "732×732"),
        ("[2, 700, 700]", 2 * 1344 * 1344, "1344×1344"),
        ("[2, 7, 112, 112]", 2 * 7 * 331 * 331, "7×331×331"),
        ("[2, 8, 113, 113]", 2 * 12 * 113 * 113, "12×113×113"),
    ],
)
def test_other_sizes_are_as_inputs_come(input_, claim, size, run, spec):
    conv = "layers: [conv: {out_channels: 1, kernel_size: 1, bias: false}]"
    done = run("reconcile", spec(f"input: {input_}\n{conv}"), "--claim", str(claim))
    assert f"{claim} at {size} is convcalc's {claim:,} multiply-adds" in done.stdout


def test_sizes_that_are_set_are_varied_with_the_others(run, spec):
    path = spec(
        "vars: {H: 64, W: 64}\ninput: [2, H, W]\n"
        "layers: [conv: {out_channels: 1, kernel_size: 1, bias: false}]"
    )
    done = run("reconcile", path, "--set", "H=128", "--claim", str(2 * 256 * 128))
    assert "at 256×128 is convcalc's 65,536 multiply-adds" in done.stdout


def test_a_size_is_named_rather_than_code_that_nobody_writes(run):
    done = run("reconcile", "mobilenet_v2", "--claim", "612M")
    assert "612M at 320×320 is convcalc's 612,492,800 multiply-adds" in done.stdout
    assert "linear=operator" not in done.stdout
    done = run("reconcile", "resnet::resnet50", "--claim", "36.8M")
    assert "No convention gives 36.8M" in done.stdout


def test_parameters_are_found_without_the_word(run):
    done = run("reconcile", "alexnet", "--claim", "61M")
    assert "61M is the number of parameters of alexnet: 61,100,840." in done.stdout


def test_a_network_without_multiply_adds_is_not_held_against_them(run, spec):
    done = run("analyze", spec("input: [4]\nlayers: [relu]"), "--like", "thop")
    assert "“MACs”: 0; on one sample." in done.stdout


def test_a_claim_that_nothing_gives_is_told_the_nearest(run, net):
    done = run("reconcile", net, "--claim", "771")
    # The 30 usual sizes, and 8 + 32.
    assert (
        "No convention gives 771 on the spec's input, nor on any of 31 others from 40×40 to "
        "600×600."
    ) in done.stdout
    assert "Near it: fvcore's count of net at 8×8: 768 flops." in done.stdout
    network = json_of(run("reconcile", net, "--claim", "771", "--format", "json"))
    assert network["claim"]["matches"] == []
    assert network["claim"]["nearest"][0]["value"] == 768


def test_a_network_without_a_size_in_space_is_tried_at_its_own_alone(run, spec):
    path = spec("input: [4]\nlayers: [linear: {out_features: 2}]")
    done = run("reconcile", path, "--claim", "99")
    assert "No convention gives 99 on the spec's input.\n" in done.stdout


def test_how_layers_are_written_can_be_said(run, net):
    network = json_of(run("reconcile", net, "--written", "relu=function", "--format", "json"))
    totals = {each["name"]: each["total"] for each in network["conventions"]}
    assert totals["ptflops"] == 512 + 2 * 128 + 128
    assert network["written"] == [{"layers": "relu", "form": "function"}]


def test_one_network_is_reconciled_at_a_time(run):
    done = run("reconcile", "resnet::resnet*")
    assert done.returncode == 2
    assert "name one of them" in done.stderr


# -- claims as they are quoted --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        # To the nearest, or down, to the last digit.
        ("4.11G", 4_105_000_000, 4_119_999_999),
        ("4.1 GFLOPs", 4_050_000_000, 4_199_999_999),
        ("4.1 GMACs", 4_050_000_000, 4_199_999_999),
        ("4.1B", 4_050_000_000, 4_199_999_999),
        ("300M mult-adds", 299_500_000, 300_999_999),
        ("300 M multiply adds", 299_500_000, 300_999_999),
        ("8.18e9", 8_175_000_000, 8_189_999_999),
        ("8.18E+09", 8_175_000_000, 8_189_999_999),
        ("1.5e8", 145_000_000, 159_999_999),
        ("15e7", 145_000_000, 159_999_999),
        ("1.234e4", 12_335, 12_349),
        ("1e2", 50, 199),
        ("4e12", 3_500_000_000_000, 4_999_999_999_999),
        ("1.2T", 1_150_000_000_000, 1_299_999_999_999),
        ("1.2e12", 1_150_000_000_000, 1_299_999_999_999),
        ("4,111,512,576", 4_111_512_576, 4_111_512_576),
        ("4111512576 FLOPs", 4_111_512_576, 4_111_512_576),
        ("4,111M", 4_110_500_000, 4_111_999_999),
        ("300 macs", 300, 300),
        ("300 madds", 300, 300),
        ("300 mmacs", 299_500_000, 300_999_999),
        ("4.11 gflops", 4_105_000_000, 4_119_999_999),
        ("4.1 billion", 4_050_000_000, 4_199_999_999),
        ("4.1 billion FLOPs", 4_050_000_000, 4_199_999_999),
        ("1.2 trillion", 1_150_000_000_000, 1_299_999_999_999),
        ("~4.1G", 4_050_000_000, 4_199_999_999),
        ("≈ 4.1 G", 4_050_000_000, 4_199_999_999),
        ("4.11×10^9", 4_105_000_000, 4_119_999_999),
        ("4.11 x 10^9 MACs", 4_105_000_000, 4_119_999_999),
        ("4.11·10⁹", 4_105_000_000, 4_119_999_999),
        ("4.11*10**9", 4_105_000_000, 4_119_999_999),
    ],
)
def test_a_claim_is_read_as_it_is_quoted(text, low, high):
    claim = claim_of(text)
    assert (claim.low, claim.high, claim.is_of_params) == (low, high, False)


@pytest.mark.parametrize(
    "text",
    [
        *("25.6M params", "25.6 M parameters", "25.6Mparams", "25.6M param", "25.6m weights"),
        "25.6 million parameters",
    ],
)
def test_a_claim_may_be_of_parameters(text):
    claim = claim_of(text)
    assert (claim.low, claim.high, claim.is_of_params) == (25_550_000, 25_699_999, True)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "G",
        "4.1",
        "4.1 apples",
        "-4G",
        "4.1.1G",
        "4.11Q",
        "4e9G",
        "4×10^9G",
        "4×109",
        "4.11 billions of",
        "41,11,512",
        "4,1115",
        "nan",
        "٤G",
        "4" * 99,
    ],
)
def test_what_is_no_count_is_refused(text):
    with pytest.raises(ConvcalcError) as caught:
        claim_of(text)
    assert [finding.code.id for finding in caught.value.findings] == ["E440"]


@pytest.mark.parametrize(
    ("text", "help_"),
    [
        ("4,11G", "4.11G"),
        ("~4,1 GFLOPs", "~4.1 GFLOPs"),
        ("25,6M params", "25.6M params"),
        ("0,411G", "0.411G"),
    ],
)
def test_a_decimal_comma_is_not_read_as_none(text, help_):
    with pytest.raises(ConvcalcError) as caught:
        claim_of(text)
    (finding,) = caught.value.findings
    assert (finding.code.id, finding.help) == ("E440", f"write {help_}")


@pytest.mark.parametrize(("text", "is_bare"), [("61M", True), ("61M FLOPs", False), ("6e7", True)])
def test_a_claim_may_say_nothing_of_what_it_is_of(text, is_bare):
    assert claim_of(text).is_bare is is_bare


# -- analyze --like -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tool", "word", "total"),
    [
        ("fvcore", "flops", 768),
        ("ptflops", "MACs", 1024),
        ("ptflops-aten", "MACs", 512),
        ("thop", "MACs", 1024),
        ("torchinfo", "mult-adds", 516),
        ("torch", "FLOPs", 1024),
        ("calflops", "FLOPs", 1408),
    ],
)
def test_a_network_is_counted_as_a_tool_counts_it(tool, word, total, run, net):
    done = run("analyze", net, "--like", tool)
    assert done.returncode == 0
    header = done.stdout.splitlines()[1]
    assert f"{tool} {word}" in header
    assert f"“{word}”: {total:,}, " in done.stdout
    network = json_of(run("analyze", net, "--like", tool, "--format", "json"))
    assert (network["like"]["total"], network["like"]["word"]) == (total, word)
    assert sum(layer["count"] for layer in network["like"]["layers"]) == total
    assert network["totals"]["macs"] == 512


def test_csv_has_the_count_of_each_layer(run, net):
    done = run("analyze", net, "--like", "fvcore", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [(row["name"], row["macs"], row["fvcore"]) for row in rows] == [
        ("conv", "512", "512"),
        ("batch_norm", "0", "256"),
        ("relu", "0", "0"),
    ]


def test_layers_fold_and_columns_are_chosen_as_ever(run):
    done = run("analyze", "resnet::resnet50", "--like", "thop", "--depth", "1", "--columns", "name")
    lines = done.stdout.splitlines()
    assert lines[1].split() == ["Layer", "thop", "MACs", "%"]
    assert [line.split()[0] for line in lines[3:11]] == [
        *("stem", "max_pool", "stage1", "stage2", "stage3", "stage4"),
        *("global_avg_pool", "flatten"),
    ]
    assert "4,133,742,592" in done.stdout


def test_markdown_has_the_tools_column(run, net):
    done = run("analyze", net, "--like", "torchinfo", "--format", "markdown")
    assert "| torchinfo mult-adds | % |" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--like", "fvcor"), "E402", "did you mean 'fvcore'?"),
        (("--like", "thop", "--memory"), "E402", "leave out --memory"),
        (("--like", "thop", "--device", "a100"), "E402", "leave out --memory"),
        (("--like", "thop", "--columns", "time"), "E402", "unknown column 'time'"),
        (("--written", "relu=function"), "E402", "add --like"),
        (("--like", "thop", "--written", "relu"), "E441", "is not LAYERS=FORM"),
        (("--like", "thop", "--written", "rleu=function"), "E441", "did you mean `relu`?"),
    ],
)
def test_options_that_make_no_sense_are_refused(arguments, code, words, run, net):
    done = run("analyze", net, *arguments)
    assert done.returncode == 2
    assert f"error[{code}]" in done.stderr
    assert words in done.stderr
    assert done.stdout == ""


def test_a_network_of_very_many_layers_is_tried_on_no_other_input(run, tmp_path):
    # Each input takes as long as the whole command: of 100,000 layers one claim took minutes.
    net = tmp_path / "net.yaml"
    net.write_text("input: [3, 8, 8]\nlayers:\n  - {repeat: 2000, relu: }\n", encoding="utf-8")
    many = run("reconcile", net, "--claim", "771")
    assert "No convention gives 771 on the spec's input." in many.stdout
