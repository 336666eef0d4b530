"""Computed numbers held against published ones."""

import pytest

from convcalc.analysis import analyze_graph
from convcalc.analysis.published import published_checks, published_findings
from convcalc.errors import Place, SourceText, catalogue
from convcalc.graph import PublishedFigure
from convcalc.layers.convolution import Conv
from convcalc.layers.linear import Linear

PLACE = Place(SourceText("net.yaml", "params: 600"), 1, 9, 3)


def figure(text, low, high=None, **details):
    details = {"metric": "params", "source": "a paper", "place": PLACE, **details}
    return PublishedFigure(text=text, low=low, high=low if high is None else high, **details)


@pytest.fixture
def analysis_with(network):
    """Six filters of 10×10 on one channel, and one of 1×1 on those, in groups; with figures."""

    def analyzed(*figures):
        net = network(input=(1, 28, 28)).chain(
            **{
                "stem.conv": Conv(out_channels=6, kernel_size=10),  # (100 + 1)·6 = 606
                "head.conv": Conv(out_channels=1, kernel_size=1),  # 6 + 1 = 7
                "header": Conv(out_channels=1, kernel_size=1),  # 1 + 1 = 2
            }
        )
        return analyze_graph(net.graph(name="filters", published=figures))

    return analyzed


@pytest.mark.parametrize(
    ("low", "high", "agrees"),
    [(615, 615, True), (614, 614, False), (616, 616, False), (600, 615, True), (615, 620, True)],
)
def test_a_figure_agrees_if_the_computed_number_is_in_its_bounds(analysis_with, low, high, agrees):
    analysis = analysis_with(figure("615", low, high))
    [check] = published_checks(analysis)
    assert check.computed == 615  # 606 + 7 + 2
    assert check.agrees is agrees
    assert check.is_expected is agrees
    assert len(list(published_findings(analysis))) == (not agrees)


@pytest.mark.parametrize(
    ("group", "params"), [("stem", 606), ("head", 7), ("header", 2), ("head.conv", 7)]
)
def test_a_figure_may_be_of_a_group_or_a_layer(analysis_with, group, params):
    [check] = published_checks(analysis_with(figure("1", 1, group=group)))
    assert check.computed == params


def test_a_figure_may_be_of_multiply_adds(analysis_with):
    [check] = published_checks(analysis_with(figure("1", 1, metric="macs", group="stem")))
    assert check.computed == 216_600  # 6 · 19 · 19 · 100


def test_a_figure_may_be_of_the_longer_side_of_a_receptive_field(network):
    net = network(input=(1, 28, 28)).chain(
        **{
            "stem.wide": Conv(out_channels=1, kernel_size=(3, 5)),
            "stem.high": Conv(out_channels=1, kernel_size=(7, 1)),  # 9×5
            "head": Conv(out_channels=1, kernel_size=(1, 9)),  # 9×13
        }
    )
    figures = (
        figure("13", 13, metric="receptive_field"),
        figure("9", 9, metric="receptive_field", group="stem"),
        figure("5", 5, metric="receptive_field", group="stem.wide"),
    )
    checks = published_checks(analyze_graph(net.graph(published=figures)))
    assert [check.computed for check in checks] == [13, 9, 5]


@pytest.mark.parametrize(
    ("group", "whose"), [(None, "`vector`"), ("linear", "`linear` of `vector`")]
)
def test_a_receptive_field_that_there_is_not_is_told(network, group, whose):
    net = network(input=(5,)).chain(linear=Linear(out_features=2))
    figures = (figure("3", 3, metric="receptive_field", group=group),)
    analysis = analyze_graph(net.graph(name="vector", published=figures))
    [check] = published_checks(analysis)
    assert check.computed is None
    [finding] = published_findings(analysis)
    assert finding.message == f"{whose} has no receptive field, published: 3"


def test_a_figure_that_does_not_agree_is_told_with_both_numbers(analysis_with):
    [finding] = published_findings(analysis_with(figure("1.6M", 1_550_000, 1_699_999)))
    assert finding.code is catalogue.PUBLISHED_DIFFERS
    assert finding.is_warning
    assert finding.place == PLACE
    assert finding.message == "`filters` has 615 params, published: 1.6M"
    assert finding.notes == ("the figure is from a paper",)
    assert "`differs`" in finding.help


def test_a_figure_of_a_group_is_told_with_its_name(analysis_with):
    [finding] = published_findings(analysis_with(figure("600", 600, group="stem")))
    assert finding.message == "`stem` of `filters` has 606 params, published: 600"


def test_a_figure_of_layers_that_are_not_there_is_told(analysis_with):
    analysis = analysis_with(figure("606", 606, group="ste"))
    [check] = published_checks(analysis)
    assert check.computed is None
    assert not check.agrees
    assert not check.is_expected
    [finding] = published_findings(analysis)
    assert finding.message == "`filters` has no layers `ste` (a paper)"


def test_a_figure_that_is_known_to_be_wrong_is_expected_to_be(analysis_with):
    analysis = analysis_with(figure("600", 600, differs="forgets the biases"))
    [check] = published_checks(analysis)
    assert not check.agrees
    assert check.is_expected
    assert list(published_findings(analysis)) == []


def test_a_figure_that_is_said_to_be_wrong_and_is_not_is_told(analysis_with):
    analysis = analysis_with(figure("615", 615, differs="forgets the biases"))
    [finding] = published_findings(analysis)
    assert finding.message == "`filters` has 615 params, which is the 615 that is said to differ"


def test_a_group_that_is_not_there_is_told_even_if_its_figure_is_said_to_differ(analysis_with):
    [check] = published_checks(analysis_with(figure("1", 1, group="x", differs="anything")))
    assert not check.is_expected


def test_figures_are_checked_one_by_one_in_their_order(analysis_with):
    analysis = analysis_with(
        figure("615", 615),
        figure("1", 1),
        figure("3", 3, group="footer"),
        figure("2", 2, group="header"),
        figure("8", 8, group="head"),
    )
    checks = published_checks(analysis)
    assert [check.computed for check in checks] == [615, 615, None, 2, 7]
    assert [check.agrees for check in checks] == [True, False, False, True, False]
    assert [finding.message for finding in published_findings(analysis)] == [
        "`filters` has 615 params, published: 1",
        "`filters` has no layers `footer` (a paper)",
        "`head` of `filters` has 7 params, published: 8",
    ]


def test_a_network_without_figures_has_no_checks(analysis_with):
    assert published_checks(analysis_with()) == ()
