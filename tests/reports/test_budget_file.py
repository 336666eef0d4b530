"""A budget of today's numbers: what is written is read again, and holds to the last byte."""

from fractions import Fraction
from pathlib import Path

import pytest
from checks import SPEC
from hypothesis import given
from hypothesis import strategies as st

from convcalc.analysis import Dtypes, analyze_graph
from convcalc.api import load
from convcalc.budgets import judge
from convcalc.limits import Conditions
from convcalc.reports.budget_file import budget_file_text
from convcalc.sources import shipped_names, variants_of
from convcalc.sources.budgets import read_budget_file, specs_of

# Parameters, multiply-adds and memory as worked out in tests/checks.py: 448 + 136 parameters of
# 4 B each; stem reads 3·64·4 = 768 B and writes 4,096 B, relu reads and writes 4,096 B: the peak is
# 8,192 B, 8 KiB; the weights are 584·4 = 2,336 B, 2.28 KiB. A 3×3 conv sees 3 positions.
TODAY = """\
version: 1
budgets:
  - name: net
    spec: net.yaml
    max:
      params: 584            # today 584
      macs: 35840            # today 35,840
      peak_memory: 8192 B    # today 8.00 KiB
      weight_memory: 2336 B  # today 2.28 KiB
    min: {receptive_field: 3}  # today 3
"""


NOTHING_SAID = Conditions()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("net.yaml").write_text(SPEC, encoding="utf-8")
    return tmp_path


def written(path="net.yaml", headroom=0, conditions=NOTHING_SAID, folder=Path(), **how):
    """An analysis, the text of its budget, and the budget as it is read again."""
    analysis = analyze_graph(load(path, conditions.settings), **how)
    text = budget_file_text([(path, analysis)], Fraction(headroom), conditions, folder)
    (folder / "budgets.yaml").write_text(text, encoding="utf-8")
    [budget] = read_budget_file(str(folder / "budgets.yaml")).budgets
    return analysis, text, budget


def test_a_budget_is_written_to_be_read(folder):
    assert written()[1] == TODAY


def test_without_headroom_it_holds_exactly(folder):
    analysis, _, budget = written()
    assert budget.name == "net"
    assert [limit.key for limit in budget.limits] == [
        *("max params", "max macs", "max peak_memory", "max weight_memory"),
        "min receptive_field",
    ]
    checked = judge(analysis, budget)
    assert all(verdict.holds for verdict in checked.verdicts)
    assert [verdict.value for verdict in checked.verdicts] == [
        verdict.allowed for verdict in checked.verdicts
    ]
    # One less, and none of them would.
    tighter = [
        limit._replace(amount=limit.amount + (1 if limit.key.startswith("min") else -1))
        for limit in budget.limits
    ]
    checked = judge(analysis, budget._replace(limits=tuple(tighter)))
    assert not any(verdict.holds for verdict in checked.verdicts)


@pytest.mark.parametrize(
    ("headroom", "params", "macs", "memory"),
    [
        (Fraction(1, 10), 643, 39424, 9012),  # 642.4, 39,424 and 9,011.2 rounded up
        (Fraction(1, 10**9), 585, 35841, 8193),  # the least above
        (Fraction(2), 1752, 107520, 24576),
    ],
)
def test_headroom_is_rounded_up(folder, headroom, params, macs, memory):
    _, text, budget = written(headroom=headroom)
    assert [int(limit.amount) for limit in budget.limits[:3]] == [params, macs, memory]
    assert budget.limits[-1].amount == 3  # a field may not shrink
    assert "# today 584\n" in text


@pytest.mark.parametrize("name", shipped_names())
def test_it_holds_for_every_shipped_network(name, tmp_path):
    for graph in variants_of(name):
        analysis = analyze_graph(graph)
        text = budget_file_text([(analysis.spec, analysis)], Fraction(0), Conditions(), tmp_path)
        path = tmp_path / "budgets.yaml"
        path.write_text(text, encoding="utf-8")
        [budget] = read_budget_file(str(path)).budgets
        checked = judge(analysis, budget)
        assert all(verdict.holds for verdict in checked.verdicts)
        assert all(verdict.value == verdict.allowed for verdict in checked.verdicts)


def test_several_networks_are_several_budgets(folder):
    analysis = analyze_graph(load("net.yaml"))
    text = budget_file_text(
        [("net.yaml", analysis), ("lenet5", analysis)], Fraction(0), Conditions(), Path()
    )
    Path("budgets.yaml").write_text(text, encoding="utf-8")
    budgets = read_budget_file("budgets.yaml").budgets
    assert [budget.specs[0].text for budget in budgets] == ["net.yaml", "lenet5"]


def test_a_network_without_axes_has_no_field_to_keep(folder):
    Path("flat.yaml").write_text(
        "input: [10]\nlayers: [linear: {out_features: 2}]\n", encoding="utf-8"
    )
    _, text, budget = written("flat.yaml")
    assert "receptive_field" not in text
    assert len(budget.limits) == 4


def test_the_conditions_are_written_too(folder):
    conditions = Conditions(
        batch=2,
        weights_dtype="int8",
        activations_dtype="float16",
        in_place=True,
        order="best",
        optimizer="adam",
    )
    analysis, text, budget = written(
        conditions=conditions,
        batch=2,
        dtypes=Dtypes("int8", "float16"),
        in_place=True,
        best_order=True,
        optimizer="adam",
    )
    assert budget.conditions._replace(places={}) == conditions
    assert "    in_place: true\n" in text
    assert "      weight_memory: 584 B" in text  # a byte each
    assert all(verdict.holds for verdict in judge(analysis, budget).verdicts)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("H", "16", "{H: 16}"),
        ("H", "2 * 8", '{H: "2 * 8"}'),
        ("H", "16.0", "{H: 16.0}"),
        ("flat", "true", '{flat: "true"}'),
        ("flat", True, '{flat: "True"}'),
        ("act", "sigmoid", "{act: sigmoid}"),
        ("sizes", "[4, 16]", '{sizes: "[4, 16]"}'),
    ],
)
def test_settings_mean_the_same_when_read_again(folder, name, value, says):
    Path("net.yaml").write_text(
        "vars: {H: 8, flat: false, act: relu, sizes: [4, 8]}\n"
        "input: [3, H, 8]\n"
        "layers:\n"
        '  - conv: {out_channels: "sizes[1]", kernel_size: 1}\n'
        "  - activation: act\n"
        "  - flatten:\n"
        "    if: flat\n",
        encoding="utf-8",
    )
    analysis, text, budget = written(conditions=Conditions({name: value}))
    assert f"    set: {says}\n" in text
    again = analyze_graph(load("net.yaml", budget.conditions.settings))
    assert again.total == analysis.total
    assert again.total != analyze_graph(load("net.yaml")).total or name in {"act", "flat"}
    assert [layer.kind for layer in again.layers] == [layer.kind for layer in analysis.layers]


def test_paths_are_as_the_budget_file_sees_them(folder):
    Path("nets").mkdir()
    Path("ci").mkdir()
    Path("nets/a[1].yaml").write_text(SPEC, encoding="utf-8")
    _, text, budget = written("nets/a[1].yaml", folder=Path("ci"))
    assert '    spec: "../nets/a[1].yaml"\n' in text
    [found] = specs_of(budget.specs[0], Path("ci"))
    assert Path(found).samefile("nets/a[1].yaml")


def test_a_shipped_network_is_called_by_its_name(folder):
    _, text, _ = written("lenet5", folder=folder)
    assert "    spec: lenet5\n" in text


NAMES = (
    *("123", "1.5", "0x10", "1e3", "true", "Null", "no", "~", "-", ".nan", ".inf", ".5", "010"),
    *("12:30", "a: b", "#1", "a #b", "'", '"', "\\", "*a", "&a", "!a", "{a}", "[a]", "a, b", "@"),
    *("卷积", "é", " a", "a ", "==", "%", "`", "?", "|", ">", "<<", "...", "---", "./a", "net-1.2"),
)


@pytest.mark.parametrize("name", NAMES)
def test_any_name_is_read_again_as_it_is(tmp_path, name):
    analysis = analyze_graph(load("lenet5"))._replace(name=name)
    text = budget_file_text([(name, analysis)], Fraction(0), Conditions(), tmp_path)
    path = tmp_path / "budgets.yaml"
    path.write_text(text, encoding="utf-8")
    [budget] = read_budget_file(str(path)).budgets
    assert (budget.name, budget.specs[0].text) == (name, name)


LENET = analyze_graph(load("lenet5"))


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("names") / "budgets.yaml"


@given(st.text(min_size=1, max_size=20))
def test_no_name_breaks_the_file(path, name):
    text = budget_file_text(
        [("lenet5", LENET._replace(name=name))], Fraction(0), Conditions(), path.parent
    )
    path.write_text(text, encoding="utf-8")
    if not name.isspace():
        [budget] = read_budget_file(str(path)).budgets
        assert len(budget.limits) == 5
        if name.isprintable():
            assert budget.name == name
