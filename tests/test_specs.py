"""The networks that ship with convcalc, held against what others publish of them."""

from pathlib import Path

import pytest
from torchvision_figures import rows, specs

from convcalc import analyze
from convcalc.analysis.published import published_checks, published_findings
from convcalc.sources import shipped_names, variants_of

SPECS = Path(__file__).parent.parent / "specs"

NETWORKS = [
    graph.spec.removeprefix("specs/").replace(".yaml", "", 1)
    for name in shipped_names()
    for graph in variants_of(name)
]

IN_TORCHVISION = specs()
WITH_AUXILIARY = {"inception_v3": "inception_v3::inception_v3_with_auxiliary"}
"""torchvision counts parameters of a head that inference, whose multiply-adds it counts, lacks."""


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


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.id)
def test_torchvision_counts_the_same_to_the_digit(row):
    analysis = analyze(IN_TORCHVISION[row])
    assert analysis.macs == row.macs
    assert "x".join(map(str, analysis.inputs[0][1])) == row.input
    with_heads = WITH_AUXILIARY.get(row.model, IN_TORCHVISION[row])
    assert analyze(with_heads).params == row.params


def test_every_network_of_torchvision_is_here():
    assert len(rows()) == len(set(IN_TORCHVISION.values())) == 81


def test_there_is_a_zoo():
    assert len(NETWORKS) >= 110
    assert len(set(NETWORKS)) == len(NETWORKS)


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


PAPERS = {
    # Szegedy et al. 2014, table 1: parameters (K = 1024) and multiply-adds of each row.
    ("googlenet::googlenet", "conv2"): ["112Ki", "360M"],
    ("googlenet::googlenet", "inception3a"): ["159Ki", "128M"],
    ("googlenet::googlenet", "inception3b"): ["380Ki", "304M"],
    ("googlenet::googlenet", "inception4a"): ["364Ki", "73M"],
    ("googlenet::googlenet", "inception4b"): ["437Ki", "88M"],
    ("googlenet::googlenet", "inception4c"): ["463Ki", "100M"],
    ("googlenet::googlenet", "inception4d"): ["580Ki", "119M"],
    ("googlenet::googlenet", "inception4e"): ["840Ki", "170M"],
    ("googlenet::googlenet", "inception5a"): ["1072Ki", "54M"],
    ("googlenet::googlenet", "inception5b"): ["1388Ki", "71M"],
    ("googlenet::googlenet", "linear"): ["1000Ki", "1M"],
    # He et al. 2015, table 1.
    ("resnet::resnet18", None): ["1.8G"],
    ("resnet::resnet34", None): ["3.6G"],
    ("resnet::resnet50_paper", None): ["3.8G"],
    ("resnet::resnet101_paper", None): ["7.6G"],
    ("resnet::resnet152_paper", None): ["11.3G"],
    # Howard et al. 2017: widths, resolutions, table 4.
    ("mobilenet_v1::mobilenet_v1", None): ["569M", "4.2M"],
    ("mobilenet_v1::mobilenet_v1_0.75", None): ["325M", "2.6M"],
    ("mobilenet_v1::mobilenet_v1_0.5", None): ["149M", "1.3M"],
    ("mobilenet_v1::mobilenet_v1_0.25", None): ["41M", "0.5M"],
    ("mobilenet_v1::mobilenet_v1_192", None): ["418M"],
    ("mobilenet_v1::mobilenet_v1_160", None): ["290M"],
    ("mobilenet_v1::mobilenet_v1_128", None): ["186M"],
    ("mobilenet_v1::mobilenet_v1_full_conv", None): ["4866M", "29.3M"],
    ("mobilenet_v2::mobilenet_v2", None): ["300M", "3.4M"],
    ("vgg::vgg16", None): ["138M"],
    ("vgg::vgg19", None): ["144M"],
    ("squeezenet::squeezenet1_0", None): ["1248424"],
    ("xception", None): ["22855952"],
    ("shufflenet_v1::shufflenet_v1_g3", None): ["140M"],
    ("shufflenet_v2::shufflenet_v2_x1_0_paper", None): ["146M", "2.3M"],
    ("efficientnet::efficientnet_b0", None): ["5.3M", "0.39B"],
    ("efficientnet::efficientnet_b1", None): ["7.8M", "0.70B"],
    ("efficientnet::efficientnet_b2_paper", None): ["9.2M", "1.0B"],
    ("efficientnet::efficientnet_b3", None): ["12M", "1.8B"],
    ("efficientnet::efficientnet_b4", None): ["19M", "4.2B"],
    ("efficientnet::efficientnet_b5", None): ["30M", "9.9B"],
    ("efficientnet::efficientnet_b6", None): ["43M", "19B"],
    ("efficientnet::efficientnet_b7", None): ["66M", "37B"],
    ("ghostnet::ghostnet_1.0", None): ["141M", "5.2M"],
    ("c3d::c3d", None): ["78M"],
    ("wavenet", None): ["1024"],
    ("alexnet::alexnet_two_gpu", None): ["60965224"],
}
"""What papers print of a network, or of a group of its layers."""


@pytest.mark.parametrize(("spec", "group"), PAPERS)
def test_the_figures_of_the_papers_are_quoted(spec, group):
    """That they agree, or say why they cannot, is tested above for everything that is quoted."""
    quoted = {figure.text for figure in analyze(spec).published if figure.group == group}
    assert set(PAPERS[spec, group]) <= quoted
