"""The networks that ship with convcalc, held against what others publish of them."""

import csv
from pathlib import Path

import pytest

from convcalc import analyze
from convcalc.analysis.published import published_checks, published_findings
from convcalc.sources import shipped_names, variants_of

SPECS = Path(__file__).parent.parent / "specs"
FIGURES = Path(__file__).parent / "figures"

NETWORKS = [
    graph.spec.removeprefix("specs/").replace(".yaml", "", 1)
    for name in shipped_names()
    for graph in variants_of(name)
]

IN_TORCHVISION = {
    "alexnet": "alexnet::alexnet",
    "googlenet": "googlenet::googlenet_torchvision",
    **{f"vgg{depth}": f"vgg::vgg{depth}" for depth in (11, 13, 16, 19)},
    **{f"vgg{depth}_bn": f"vgg::vgg{depth}_bn" for depth in (11, 13, 16, 19)},
    **{f"resnet{depth}": f"resnet::resnet{depth}" for depth in (18, 34, 50, 101, 152)},
    **{
        name: f"resnet::{name}"
        for name in (
            "resnext50_32x4d",
            "resnext101_32x8d",
            "resnext101_64x4d",
            "wide_resnet50_2",
            "wide_resnet101_2",
        )
    },
}


def torchvision_rows():
    with (FIGURES / "torchvision.csv").open(encoding="utf-8") as file:
        return [pytest.param(row, id=row["model"]) for row in csv.DictReader(file)]


def test_every_file_in_specs_is_shipped():
    assert shipped_names() == tuple(sorted(path.stem for path in SPECS.iterdir()))


@pytest.mark.parametrize("name", NETWORKS)
def test_published_figures_are_what_is_computed(name):
    analysis = analyze(name)
    assert analysis.published, "a shipped network quotes what others say of it"
    assert list(published_findings(analysis)) == []
    assert analysis.warnings == ()
    assert analysis.source


def test_a_spec_that_quotes_a_wrong_figure_is_found_out(tmp_path):
    text = (SPECS / "lenet5.yaml").read_text(encoding="utf-8")
    spec = tmp_path / "lenet5.yaml"
    spec.write_text(text.replace("params: 61706", "params: 61707"), encoding="utf-8")
    (finding,) = published_findings(analyze(spec))
    assert finding.code.id == "W501"
    assert "61,706" in finding.message
    assert "61707" in finding.message


def test_a_figure_that_is_said_to_differ_must_differ(tmp_path):
    text = (SPECS / "inception_bottleneck.yaml").read_text(encoding="utf-8")
    spec = tmp_path / "inception_bottleneck.yaml"
    spec.write_text(text.replace("macs: 358M", "macs: 271M"), encoding="utf-8")
    (finding,) = published_findings(analyze(spec))
    assert finding.code.id == "W501"


@pytest.mark.parametrize("row", torchvision_rows())
def test_torchvision_counts_the_same_to_the_digit(row):
    analysis = analyze(IN_TORCHVISION[row["model"]])
    assert analysis.params == int(row["params"])
    assert analysis.macs == int(row["macs"])
    assert "x".join(map(str, analysis.inputs[0][1])) == row["input"]


def test_every_row_of_the_torchvision_figures_has_a_spec():
    assert {row.values[0]["model"] for row in torchvision_rows()} == set(IN_TORCHVISION)


def test_running_statistics_of_resnet50():
    # Batch norms of 64; 3 · (64 + 64 + 256) + 256; 4 · (128 + 128 + 512) + 512;
    # 6 · (256 + 256 + 1024) + 1024; 3 · (512 + 512 + 2048) + 2048 channels: 26,560 in all,
    # each with a mean and a variance.
    assert analyze("resnet::resnet50").buffers == 53_120


def test_the_verdict_of_the_two_inception_modules():
    naive, bottleneck = analyze("inception_naive"), analyze("inception_bottleneck")
    # 28·28·(128·256 + 192·9·256 + 96·25·256) = 784 · 1,089,536
    assert naive.macs == 854_196_224
    assert naive.outputs[0][1] == (128 + 192 + 96 + 256, 28, 28)
    # 784 · (32,768 + 16,384 + 110,592 + 16,384 + 153,600 + 16,384) = 784 · 346,112
    assert bottleneck.macs == 271_351_808
    assert bottleneck.outputs[0][1] == (128 + 192 + 96 + 64, 28, 28)


def test_358_million_counts_the_3x3_term_twice():
    analysis = analyze("inception_bottleneck")
    # 28·28·192·9·64
    assert 784 * 192 * 9 * 64 == 86_704_128
    assert analysis.macs + 86_704_128 == 358_055_936


@pytest.mark.parametrize(
    ("variant", "millions"),
    [("mobilenet_v1", 569), ("mobilenet_v1_192", 418), ("mobilenet_v1_160", 290)],
)
def test_a_figure_agrees_when_it_was_rounded_or_cut(variant, millions):
    # 568,740,352 was rounded up; 290,675,200 was cut to 290M.
    (check,) = [
        check
        for check in published_checks(analyze(f"mobilenet_v1::{variant}"))
        if check.figure.metric == "macs"
    ]
    assert check.figure.text == f"{millions}M"
    assert check.agrees
