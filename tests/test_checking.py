"""From the files that are named to the verdicts: budgets, conditions and baselines found."""

import json
from pathlib import Path

import pytest
from git_repository import Repository

from convcalc.analysis import analyze_graph
from convcalc.api import load
from convcalc.budgets import Outcome
from convcalc.checking import CheckRequest, check_networks
from convcalc.errors import UsageError
from convcalc.limits import Bound, Conditions
from convcalc.metrics import BUDGET_METRICS
from convcalc.reports.json_report import networks_json
from convcalc.sources.budgets import option_limit

# 3·9·c + c parameters, 27·c · 64 multiply-adds at 8×8.
NET = """\
name: {name}
vars: {{c: 4, H: 8}}
input: [3, H, H]
layers:
  - conv: {{out_channels: c, kernel_size: 3, padding: 1}}
"""
BUDGET = "version: 1\nbudgets:\n  - spec: {spec}\n    max: {{params: {params}}}\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Write files and work among them."""
    monkeypatch.chdir(tmp_path)

    def write(name, text):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    write("net.yaml", NET.format(name="net"))
    return write


def check(*files, limits=(), **options):
    found = tuple(option_limit(f"--{bound.value}", bound, text) for bound, text in limits)
    return check_networks(CheckRequest(files, found, **options)).check


def codes(checked):
    return [finding.code.id for finding in checked.findings]


class TestFinding:
    def test_a_spec_brings_its_own_budget(self, folder):
        folder("net.yaml", NET.format(name="net") + "budget: {max: {params: 112}}\n")
        assert check("net.yaml").outcome is Outcome.WITHIN
        folder("net.yaml", NET.format(name="net") + "budget: {max: {params: 111}}\n")
        assert check("net.yaml").outcome is Outcome.OVER

    def test_several_budgets_of_a_spec_are_all_held_against_it(self, folder):
        folder(
            "net.yaml",
            NET.format(name="net") + "budget: [{max: {params: 112}}, {max: {macs: 1}}]\n",
        )
        assert [network.verdicts[0].holds for network in check("net.yaml").networks] == [
            True,
            False,
        ]

    def test_a_spec_without_one_cannot_be_judged(self, folder):
        checked = check("net.yaml")
        assert checked.outcome is Outcome.CANNOT_JUDGE
        assert codes(checked) == ["E609"]

    def test_limits_of_the_command_line_come_on_top(self, folder):
        folder("net.yaml", NET.format(name="net") + "budget: {max: {params: 112}}\n")
        [network] = check("net.yaml", limits=[(Bound.MAX, "macs=1")]).networks
        assert [verdict.holds for verdict in network.verdicts] == [True, False]

    def test_every_variant_is_checked_against_the_budgets_for_it(self, folder):
        text = NET.format(name="net") + (
            "variants: {small: {}, big_a: {c: 8}, big_b: {c: 16}}\n"
            "budget: [{variants: small, max: {params: 112}},\n"
            "  {variants: big*, max: {params: 224}}]\n"
        )
        folder("net.yaml", text)
        held = {n.analysis.name: n.verdicts[0].holds for n in check("net.yaml").networks}
        assert held == {"small": True, "big_a": True, "big_b": False}
        assert [n.analysis.name for n in check("net.yaml::big_*").networks] == ["big_a", "big_b"]

    def test_a_variant_without_a_budget_is_not_passed_over(self, folder):
        text = NET.format(name="net") + (
            "variants: {small: {}, large: {}}\nbudget: {variants: small, max: {params: 112}}\n"
        )
        folder("net.yaml", text)
        checked = check("net.yaml")
        assert codes(checked) == ["E609"]
        assert "net.yaml::large" in checked.findings[0].message

    def test_a_budget_file_names_specs_from_its_own_folder(self, folder):
        folder("ci/nets/a.yaml", NET.format(name="a"))
        folder("ci/nets/deep/b.yaml", NET.format(name="b"))
        folder("ci/budgets.yaml", BUDGET.format(spec="nets/**/*.yaml", params=112))
        checked = check("ci/budgets.yaml")
        assert [n.analysis.spec for n in checked.networks] == [
            "ci/nets/a.yaml",
            "ci/nets/deep/b.yaml",
        ]
        assert checked.outcome is Outcome.WITHIN

    def test_a_budget_file_may_name_shipped_networks(self, folder):
        folder("b.yaml", BUDGET.format(spec="[lenet5, 'mobilenet_v3::*']", params="6M"))
        names = [n.analysis.name for n in check("b.yaml").networks]
        assert names == ["lenet5", "mobilenet_v3_large", "mobilenet_v3_small"]

    def test_without_a_file_it_is_budgets_yaml(self, folder):
        with pytest.raises(UsageError) as caught:
            check()
        assert caught.value.findings[0].code.id == "E609"
        folder("budgets.yaml", BUDGET.format(spec="net.yaml", params=112))
        assert check().outcome is Outcome.WITHIN

    def test_one_broken_spec_does_not_keep_the_others_from_being_judged(self, folder):
        folder("bad.yaml", NET.format(name="bad").replace("kernel_size", "kernel"))
        checked = check("bad.yaml", "no.yaml", "net.yaml", limits=[(Bound.MAX, "params=111")])
        assert codes(checked) == ["E104", "E001"]
        assert [n.analysis.name for n in checked.networks] == ["net"]
        assert checked.outcome is Outcome.CANNOT_JUDGE

    def test_a_spec_that_a_budget_names_in_vain_is_reported_where_it_is_named(self, folder):
        folder("b.yaml", BUDGET.format(spec="nest.yaml", params=112))
        [found] = check("b.yaml").findings
        assert (found.code.id, found.place.line, found.place.column) == ("E001", 3, 11)
        folder("b.yaml", BUDGET.format(spec="nest/*.yaml", params=112))
        assert codes(check("b.yaml")) == ["E604"]

    def test_a_broken_budget_in_a_spec_is_reported_once(self, folder):
        folder("net.yaml", NET.format(name="net") + "budget: {max: {parms: 112}}\n")
        assert codes(check("net.yaml")) == ["E602"]

    def test_warnings_about_a_spec_are_kept_apart_from_what_is_exceeded(self, folder):
        folder("net.yaml", NET.format(name="net") + "published: {params: 9, from: me}\n")
        checked = check("net.yaml", limits=[(Bound.MAX, "params=112")])
        assert codes(checked) == ["W501"]
        assert checked.outcome is Outcome.WITHIN

    def test_one_unreadable_file_of_a_pattern_does_not_hide_the_others(self, folder):
        folder("nets/a.yaml", NET.format(name="a"))
        Path("nets/b.yaml").write_bytes(b"\xff\xfe")
        Path("nets/c.yaml").symlink_to("gone.yaml")
        folder("b.yaml", BUDGET.format(spec="nets/*.yaml", params=111))
        checked = check("b.yaml")
        assert codes(checked) == ["E004", "E001"]
        assert [n.analysis.name for n in checked.networks] == ["a"]

    def test_a_specs_own_budget_holds_whoever_names_it(self, folder):
        folder("net.yaml", NET.format(name="net") + "budget: {max: {params: 111}}\n")
        folder("b.yaml", BUDGET.format(spec="[net.yaml, net.yaml]", params=112))
        held = [network.verdicts[0].holds for network in check("b.yaml", "net.yaml").networks]
        assert held == [True, False, True]


class TestConditions:
    def test_a_budget_sets_variables_and_formats(self, folder):
        folder(
            "b.yaml",
            "version: 1\nbudgets:\n  - {spec: net.yaml, set: {H: 16, c: 8}, batch: 2,\n"
            "     dtype: int8, max: {activations: 4096 B, macs: 55296}}\n",
        )
        [network] = check("b.yaml").networks
        # 8·16·16 elements of one byte, twice; 27·8 · 256.
        assert [verdict.value for verdict in network.verdicts] == [4_096, 55_296]

    def test_the_command_line_goes_before_the_budget(self, folder):
        folder(
            "b.yaml",
            "version: 1\nbudgets:\n  - {spec: net.yaml, set: {H: 16, c: 8}, batch: 2,\n"
            "     max: {activations: 1 MiB}}\n",
        )
        given = Conditions(settings={"H": "4"}, batch=3)
        [network] = check("b.yaml", conditions=given).networks
        assert network.verdicts[0].value == 4 * 3 * 8 * 4 * 4

    def test_a_budget_in_a_spec_sets_them_too(self, folder):
        text = NET.format(name="net") + "budget: {set: {c: 8}, max: {params: 223}}\n"
        folder("net.yaml", text)
        assert check("net.yaml").outcome is Outcome.OVER

    @pytest.mark.parametrize(
        ("condition", "says"),
        [
            ("dtype: float33", "unknown weights dtype `float33`"),
            ("optimizer: adm", "unknown optimizer `adm`"),
            ("device: a1000", "unknown device `a1000`"),
            ("set: {width: 3}", "the spec has no variable `width` to set"),
        ],
    )
    def test_what_is_unknown_is_reported_where_it_stands(self, folder, condition, says):
        folder(
            "b.yaml",
            f"version: 1\nbudgets:\n  - spec: net.yaml\n    max: {{params: 1}}\n    {condition}\n",
        )
        [found] = check("b.yaml").findings
        assert says in found.message
        assert found.place.line == 5

    def test_a_device_gives_a_time(self, folder):
        folder(
            "b.yaml",
            "version: 1\nbudgets: [{spec: net.yaml, device: stm32f746, max: {time: 1 ms}}]\n",
        )
        # 6,912 multiply-adds at 432 million a second take 16 µs; 2,240 bytes at 1.728 GB/s 1.3 µs.
        [network] = check("b.yaml").networks
        assert float(network.verdicts[0].value) == pytest.approx(6_912 / 432e6)


class TestBaselines:
    def saved(self, path, *names, **conditions):
        analyses = [analyze_graph(load(name), **conditions) for name in names]
        Path(path).write_text(networks_json(analyses, "0.1.0"), encoding="utf-8")

    def budget(self, baseline, spec="net.yaml"):
        return (
            f"version: 1\nbudgets:\n  - spec: {spec}\n    baseline: {baseline}\n"
            "    max_increase: {params: 0%}\n"
        )

    def test_a_saved_report(self, folder):
        self.saved("main.json", "net.yaml", "lenet5")
        folder("budgets.yaml", self.budget("main.json"))
        assert check().outcome is Outcome.WITHIN
        folder("net.yaml", NET.format(name="net").replace("c: 4", "c: 5"))
        checked = check()
        assert checked.outcome is Outcome.OVER
        assert checked.networks[0].verdicts[0].base == 112
        assert checked.networks[0].baseline.label == "main.json"

    def test_a_report_that_lacks_the_network(self, folder):
        self.saved("main.json", "lenet5")
        folder("budgets.yaml", self.budget("main.json"))
        [found] = check().findings
        assert (found.code.id, found.place.line) == ("E607", 4)
        folder("budgets.yaml", self.budget("main.json::lenet5"))
        assert check().outcome is Outcome.WITHIN  # 112 parameters, not 61,706

    def test_a_report_with_two_of_the_name(self, folder):
        self.saved("main.json", "net.yaml", "net.yaml")
        folder("budgets.yaml", self.budget("main.json"))
        assert codes(check()) == ["E607"]

    def test_a_report_under_other_conditions(self, folder):
        self.saved("main.json", "net.yaml", batch=2)
        folder("budgets.yaml", self.budget("main.json"))
        [found] = check().findings
        assert found.code.id == "E608"
        assert "batch 2, not 1" in found.message

    @pytest.mark.parametrize(
        ("name", "text", "code"),
        [("no.json", None, "E001"), ("x.json", "{}", "E606"), ("x.json", b"\xff\xfe", "E606")],
    )
    def test_a_report_that_cannot_be_read(self, folder, name, text, code):
        if text is not None:
            Path(name).write_bytes(text if isinstance(text, bytes) else text.encode())
        folder("budgets.yaml", self.budget(name))
        assert codes(check()) == [code]

    def test_another_spec(self, folder):
        folder("old.yaml", NET.format(name="old").replace("c: 4", "c: 3"))
        folder("budgets.yaml", self.budget("old.yaml"))
        [network] = check().networks
        assert (network.verdicts[0].base, network.verdicts[0].holds) == (84, False)

    def test_of_another_family_the_variant_of_the_same_name(self, folder):
        family = NET.format(name="f") + "variants: {a: {c: 2}, b: {c: 3}}\n"
        folder("net.yaml", family)
        folder("old.yaml", family.replace("c: 2", "c: 1"))
        folder("budgets.yaml", self.budget("old.yaml"))
        assert [n.verdicts[0].base for n in check().networks] == [28, 84]
        folder("budgets.yaml", self.budget("old.yaml::b"))
        assert [n.verdicts[0].base for n in check().networks] == [84, 84]
        folder("old.yaml", NET.format(name="f") + "variants: {a: {}, c2: {}}\n")
        folder("budgets.yaml", self.budget("old.yaml"))
        assert codes(check()) == ["E607"]

    def test_one_of_the_command_line_takes_the_place_of_all(self, folder):
        folder("old.yaml", NET.format(name="old"))
        increase = [(Bound.MAX_INCREASE, "params=0%")]
        assert check("net.yaml", limits=increase, baseline="old.yaml").outcome is Outcome.WITHIN

    @pytest.mark.parametrize(
        "options",
        [
            {"against": "HEAD", "baseline": "x"},
            {"against": "HEAD", "update_baseline": True},
            {"baseline": "x", "update_baseline": True},
        ],
    )
    def test_options_that_contradict_each_other(self, folder, options):
        with pytest.raises(UsageError):
            check("net.yaml", **options)


class TestUpdating:
    budget = TestBaselines.budget

    def updated(self):
        return check_networks(CheckRequest(update_baseline=True))

    def test_the_networks_of_each_report_are_gathered(self, folder):
        folder("b/b.yaml", NET.format(name="b"))
        folder(
            "budgets.yaml",
            self.budget("main.json") + self.budget("main.json", "b/b.yaml").split("\n", 2)[2],
        )
        run = self.updated()
        [update] = run.updates
        assert (update.path, update.text) == (Path("main.json"), None)
        assert [network.name for network in update.networks] == ["net", "b"]
        assert run.check.outcome is Outcome.WITHIN

    def test_what_is_no_report_is_not_written_over(self, folder):
        folder("main.json", "{}")
        folder("budgets.yaml", self.budget("main.json"))
        run = self.updated()
        assert (codes(run.check), run.updates) == (["E606"], ())

    def test_nothing_to_update_is_an_error(self, folder):
        folder("budgets.yaml", BUDGET.format(spec="net.yaml", params=112))
        assert codes(self.updated().check) == ["E402"]

    def test_two_networks_of_one_name_do_not_share_a_report(self, folder):
        folder("b.yaml", NET.format(name="net"))
        folder("budgets.yaml", self.budget("main.json", "[net.yaml, b.yaml]"))
        assert codes(self.updated().check) == ["E607"]

    def test_nor_one_network_under_two_conditions(self, folder):
        twice = self.budget("main.json") + "    set: {H: 4}\n"
        folder("budgets.yaml", twice + self.budget("main.json").split("\n", 2)[2])
        assert codes(self.updated().check) == ["E607"]

    def test_a_network_is_updated_under_the_name_that_the_budget_gives_it(self, folder):
        folder("budgets.yaml", self.budget("main.json::old"))
        [update] = self.updated().updates
        assert [network.name for network in update.networks] == ["old"]

    def test_a_spec_as_baseline_is_judged_all_the_same(self, folder):
        folder("old.yaml", NET.format(name="old").replace("c: 4", "c: 3"))
        both = self.budget("main.json") + self.budget("old.yaml").split("\n", 2)[2]
        folder("budgets.yaml", both)
        assert self.updated().check.outcome is Outcome.OVER

    def test_other_limits_are_judged_all_the_same(self, folder):
        folder("budgets.yaml", self.budget("main.json") + "    max: {macs: 1}\n")
        run = self.updated()
        assert run.check.outcome is Outcome.OVER
        assert len(run.updates) == 1


def test_a_report_is_json_that_python_reads(folder):
    folder("budgets.yaml", BUDGET.format(spec="net.yaml", params=1))
    from convcalc.reports.check import check_report

    report = json.loads(check_report(check(), "0.1.0").text("json"))
    assert report["outcome"] == "over budget"


class TestRevisions:
    @pytest.fixture
    def repository(self, folder, tmp_path):
        folder("family.yaml", NET.format(name="f") + "variants: {a: {}}\n")
        Repository.made(tmp_path).commit()
        return folder

    def test_the_same_spec_there_is_the_baseline(self, repository):
        repository("net.yaml", NET.format(name="net").replace("c: 4", "c: 5"))
        [network] = check(
            "net.yaml", limits=[(Bound.MAX_INCREASE, "params=1%")], against="HEAD"
        ).networks
        assert (network.verdicts[0].base, network.verdicts[0].value) == (112, 140)
        assert network.baseline.label == "HEAD:net.yaml"

    def test_a_new_network_is_held_against_its_other_limits(self, repository):
        repository("new.yaml", NET.format(name="new"))
        repository("family.yaml", NET.format(name="f") + "variants: {a: {}, b: {}}\n")
        checked = check(
            "new.yaml", "family.yaml", limits=[(Bound.MAX, "params=112")], against="HEAD"
        )
        assert checked.outcome is Outcome.WITHIN
        assert [n.new_since for n in checked.networks] == ["HEAD", None, "HEAD"]

    def test_a_family_that_became_one_network_has_no_baseline(self, repository):
        repository("family.yaml", NET.format(name="f"))
        increase = [(Bound.MAX_INCREASE, "params=0%")]
        assert codes(check("family.yaml", limits=increase, against="HEAD")) == ["E407"]

    def test_a_shipped_network_is_not_new(self, repository):
        limits = [(Bound.MAX, "params=1M")]
        [network] = check("lenet5", limits=limits, against="HEAD").networks
        assert network.new_since is None

    def test_a_variable_that_is_new_is_not_put_down_to_todays_spec(self, repository):
        repository("net.yaml", NET.format(name="net").replace("c: 4", "c: 4, q: 3"))
        repository(
            "b.yaml",
            "version: 1\nbudgets: [{spec: net.yaml, set: {q: 4}, max_increase: {params: 1%}}]\n",
        )
        [found] = check("b.yaml", against="HEAD").findings
        assert found.message == "HEAD:net.yaml: the spec has no variable `q` to set"

    def test_its_increase_cannot_be_judged(self, repository):
        repository("new.yaml", NET.format(name="new"))
        repository("family.yaml", NET.format(name="f") + "variants: {b: {}}\n")
        increase = [(Bound.MAX_INCREASE, "params=1%")]
        checked = check("new.yaml", "family.yaml", limits=increase, against="HEAD")
        assert codes(checked) == ["E407", "E407"]
        assert checked.outcome is Outcome.CANNOT_JUDGE

    def test_a_spec_in_a_budget_is_reported_where_it_is_named(self, repository):
        repository("nets/new.yaml", NET.format(name="new"))
        repository(
            "b.yaml", "version: 1\nbudgets: [{spec: nets/*.yaml, max_increase: {params: 1%}}]\n"
        )
        [found] = check("b.yaml", against="HEAD").findings
        assert (found.code.id, found.place.line) == ("E407", 2)

    def test_an_unknown_revision_is_an_error_whatever_is_judged(self, repository):
        checked = check("net.yaml", limits=[(Bound.MAX, "params=112")], against="nowhere")
        assert codes(checked) == ["E406"]


class TestVeryManyLimits:
    """A short text can ask for millions: each limit on layers counts once for each layer."""

    NET = "input: [3, 8, 8]\nlayers:\n  - {repeat: 1100, relu: }\n"
    LIMIT = "      - {match: '*', max: {params: 1}}\n"

    def test_on_one_network_are_refused(self, folder):
        # 100 · 1,100 is more than 100,000.
        budget = "budget:\n  max: {params: 1}\n  layers:\n" + self.LIMIT[2:] * 100
        folder("net.yaml", self.NET + budget)
        checked = check("net.yaml")
        assert codes(checked) == ["E611"]
        assert checked.outcome is Outcome.CANNOT_JUDGE
        assert checked.networks == ()

    def test_on_many_networks_are_refused_too(self, folder):
        folder("net.yaml", self.NET)
        # 4 · 30 · 1,100: each network has fewer than there may be, three have.
        entry = "  - spec: net.yaml\n    layers:\n" + self.LIMIT * 30
        folder("budgets.yaml", "version: 1\nbudgets:\n" + entry * 4)
        checked = check()
        assert codes(checked) == ["E611"]
        assert checked.findings[0].place.line == 3 + 3 * 32
        assert len(checked.networks) == 3

    def test_as_many_as_there_may_be_are_judged(self, folder):
        # 90 · 1,100 = 99,000.
        budget = "budget:\n  layers:\n" + self.LIMIT[2:] * 90
        folder("net.yaml", self.NET + budget)
        checked = check("net.yaml")
        assert checked.outcome is Outcome.WITHIN
        assert len(checked.networks[0].verdicts) == 99_000


@pytest.mark.parametrize("saved", ["base.json", "base.yaml"])
@pytest.mark.parametrize("bound", [Bound.MAX, Bound.MIN])
def test_any_metric_may_be_out_of_bounds_beside_a_baseline(folder, bound, saved):
    # What grew is looked for then, and not every metric is one that grows by a layer.
    folder("base.yaml", NET.format(name="net"))
    analyses = [analyze_graph(load("base.yaml"))]
    folder("base.json", networks_json(analyses, "0.1.0"))
    folder("net.yaml", NET.format(name="net") + "  - relu\n")
    zero = {"count": "0", "ratio": "0", "bytes": "0 B", "seconds": "0 s"}
    huge = {"count": "10G", "ratio": "10000", "bytes": "10 GB", "seconds": "1000 s"}
    amounts = zero if bound is Bound.MAX else huge
    limits = [(bound, f"{each.name}={amounts[each.unit]}") for each in BUDGET_METRICS]
    conditions = Conditions(device="a100")
    checked = check("net.yaml", limits=limits, baseline=saved, conditions=conditions)
    assert [finding.message for finding in checked.findings] == []
    held = {verdict.limit.metric.name: verdict.holds for verdict in checked.networks[0].verdicts}
    assert held.keys() == {each.name for each in BUDGET_METRICS}
    # It has no buffers, no products but multiply-adds, no divisions and no powers: 0 is as many.
    none = {"buffers", "multiplies", "divides", "exponentials"} if bound is Bound.MAX else set()
    assert {name for name, holds in held.items() if holds} == none
