"""Limits held against analyses: what holds, what does not, and what is said of it."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcalc.analysis import analyze_graph
from convcalc.analysis.devices import Device
from convcalc.baselines import baseline_of
from convcalc.budgets import Check, Outcome, judge
from convcalc.errors import Finding, SourceText, catalogue
from convcalc.limits import Bound, Budget, Scope
from convcalc.metrics import BUDGET_METRICS, metric
from convcalc.sources.budgets import option_limit
from convcalc.sources.spec import Spec

NET = """\
name: net
vars: {{width: {width}}}
input: [3, 10, 10]
layers:
  - conv: {{out_channels: width, kernel_size: 3}}
    name: stem
  - name: stage1
    layers:
      - conv: {{out_channels: 4, kernel_size: 3}}
      - relu
  - flatten
  - linear: {{out_features: 5}}
"""
# width 2: stem 2·8·8, 2·27 + 2 = 56 parameters, 54 · 64 = 3,456 multiply-adds;
# stage1.conv 4·6·6, 4·18 + 4 = 76 parameters, 72 · 36 = 2,592 multiply-adds; relu 4·6·6;
# linear 144·5 + 5 = 725 parameters, 720 multiply-adds.
PARAMS = 56 + 76 + 725
MACS = 3_456 + 2_592 + 720


def analysis(width=2, text=NET, **conditions):
    text = text.format(width=width)
    spec = Spec(SourceText("net.yaml", text, "net.yaml"), text)
    return analyze_graph(spec.graph(name="net", spec="net.yaml"), **conditions)


def pooled(a, b):
    """Layers a, of ``a`` channels and at the peak, and b, of ``b`` channels and far from it."""
    return analysis(
        text="input: [3, 64, 64]\nlayers:\n"
        f"  - {{{{conv: {{{{out_channels: {a}, kernel_size: 1}}}}, name: a}}}}\n"
        "  - {{conv: {{out_channels: 64, kernel_size: 1}}, name: a2}}\n"
        "  - {{max_pool: {{kernel_size: 8}}, name: pool}}\n"
        f"  - {{{{conv: {{{{out_channels: {b}, kernel_size: 1}}}}, name: b}}}}\n"
    )


def limit(text, bound=Bound.MAX, **changes):
    return option_limit(f"--{bound.value}", bound, text)._replace(**changes)


def judged(*limits, network=None, **options):
    return judge(network or analysis(), Budget(limits), **options)


def message(text, bound=Bound.MAX, **options):
    """What is said of one limit that does not hold."""
    [found] = judged(limit(text, bound), **options).exceeded
    return found.message


def refused(*limits, **options):
    return judged(*limits, **options).findings


class TestLimits:
    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("params", PARAMS),
            ("macs", MACS),
            # Bias adds of stem, stage1.conv and linear, and a comparison for each number in relu.
            ("flops", 2 * MACS + 128 + 144 + 5 + 144),
            ("layers", 5),
            ("activations", 4 * (128 + 144 + 144 + 5)),  # flatten is a view
            ("weight_memory", 4 * PARAMS),
            ("peak_memory", 4 * (300 + 128)),  # the input and stem; both of stage1 are 288
        ],
    )
    def test_equal_is_within_and_one_more_is_not(self, name, value):
        each = metric(name)
        unit = " B" if each.unit == "bytes" else ""
        assert next(judged(limit(f"{name}={value}{unit}")).exceeded, None) is None
        [found] = judged(limit(f"{name}={value - 1}{unit}")).exceeded
        assert found.code is catalogue.ABOVE_MAX
        assert next(judged(limit(f"{name}={value}{unit}", Bound.MIN)).exceeded, None) is None
        [found] = judged(limit(f"{name}={value + 1}{unit}", Bound.MIN)).exceeded
        assert found.code is catalogue.BELOW_MIN

    @given(st.integers(0, 2 * MACS))
    def test_a_maximum_holds_from_the_value_on(self, bound):
        assert judged(limit(f"macs={bound}")).verdicts[0].holds is (bound >= MACS)

    def test_all_metrics_can_be_bounded(self):
        device = Device("one", 1_000, 1_000)
        units = {"count": "", "bytes": "B", "seconds": "s", "ratio": ""}
        for each in BUDGET_METRICS:
            for bound in (Bound.MAX, Bound.MIN):
                held = judged(limit(f"{each.name}=1{units[each.unit]}", bound), device=device)
                assert len(held.verdicts) == 1

    def test_the_receptive_field_is_the_longest_side_for_a_max_and_the_shortest_for_a_min(self):
        oblong = NET.replace("kernel_size: 3", "kernel_size: [3, 5]")
        network = analysis(text=oblong)
        # Behind flatten and linear all is seen of what is left: the whole reads 10 of 10 columns.
        stem = {"scope": Scope.LAYER, "pattern": "stem"}
        [most] = judged(limit("receptive_field=1", **stem), network=network).verdicts
        [least] = judged(limit("receptive_field=1", Bound.MIN, **stem), network=network).verdicts
        assert (most.value, least.value) == (5, 3)

    def test_a_time_is_one_on_a_device(self):
        # 1,000 multiply-adds and 10⁹ bytes a second: computing takes longer in every layer.
        device = Device("slow", 1_000, 10**9)
        held = judged(limit("time=6.9s"), device=device)
        # The relu only moves bytes: 2 · 576 of them.
        assert held.verdicts[0].value == Fraction(MACS, 1_000) + Fraction(1_152, 10**9)
        [found] = refused(limit("time=7s"))
        assert found.code is catalogue.CANNOT_BOUND
        assert found.help == "name one: `device: jetson-nano`"


class TestLayersAndGroups:
    def test_a_pattern_is_for_each_layer_by_itself(self):
        # stem and stage1.conv: 56 and 76 parameters.
        of = {"scope": Scope.LAYER, "pattern": "*conv"}
        held = judged(limit("params=75", **of))
        assert [verdict.subject for verdict in held.verdicts] == ["stage1.conv"]
        assert [verdict.holds for verdict in held.verdicts] == [False]
        held = judged(limit("params=75", scope=Scope.LAYER, pattern="st*"))
        assert [(v.subject, v.holds) for v in held.verdicts] == [
            ("stem", True),
            ("stage1.conv", False),
            ("stage1.relu", True),
        ]

    def test_the_finding_stands_where_the_layer_is_made_and_names_the_budget(self):
        [found] = judged(limit("params=75", scope=Scope.LAYER, pattern="stage1.*")).exceeded
        assert (found.place.text.path, found.place.line, found.place.column) == ("net.yaml", 9, 9)
        assert [related.label for related in found.related] == ["budget"]
        assert found.message == "`stage1.conv`: parameters 76 exceed 75 by 1 (1.3 %)"

    def test_a_group_is_bounded_in_total(self):
        # conv and relu: 4 · 144 bytes each.
        of = {"scope": Scope.GROUP, "pattern": "stage*"}
        [verdict] = judged(limit("activations=1152 B", **of)).verdicts
        assert (verdict.subject, verdict.value, verdict.holds) == ("stage1", 1_152, True)
        [found] = judged(limit("activations=1151 B", **of)).exceeded
        assert found.place.line == 9  # its first layer

    def test_a_share_is_of_each_layer(self):
        held = judged(limit("macs_share=51%"))
        # 3,456 of 6,768 are 51.06 %.
        assert [v.subject for v in held.verdicts if not v.holds] == ["stem"]
        assert message("macs_share=51%") == (
            "`stem`: multiply-adds 3,456 of 6,768, 51.1 %, exceed 51 % by 0.1 points"
        )

    def test_a_share_at_its_limit_holds(self):
        # The parameters of stage1.conv and of two more layers are 1/4 of the whole.
        quarters = NET.replace("linear: {{out_features: 5}}", "identity")
        network = analysis(text=quarters)
        whole, stem = 132, 56
        exact = limit("params_share=50%")._replace(amount=Fraction(76, whole))
        assert all(v.holds for v in judged(exact, network=network).verdicts)
        less = exact._replace(amount=Fraction(76 * 10**12 - 1, whole * 10**12))
        assert [v.holds for v in judged(less, network=network).verdicts].count(False) == 1
        assert stem + 76 == whole

    def test_a_share_of_nothing_is_nothing(self):
        network = analysis(text="input: [3, 4, 4]\nlayers: [relu]\n")
        assert all(v.value == 0 for v in judged(limit("macs_share=0%"), network=network).verdicts)

    @pytest.mark.parametrize(
        ("scope", "pattern", "hint"),
        [
            (Scope.LAYER, "stage4.*", "there are `stem`, `stage1.conv`, `stage1.relu`"),
            (Scope.LAYER, "stage1", "it is a group: bound it under `groups`, or its layers by"),
            (Scope.GROUP, "stem", "it is a layer: bound it under `layers`"),
            (Scope.LAYER, "stage1.cov", "did you mean `stage1.conv`?"),
            (Scope.GROUP, "stage2", "did you mean `stage1`?"),
        ],
    )
    def test_a_pattern_that_matches_nothing_is_refused(self, scope, pattern, hint):
        [found] = refused(limit("params=9", scope=scope, pattern=pattern))
        assert found.code is catalogue.NO_MATCH
        assert found.help.startswith(hint)

    def test_layers_that_have_no_such_metric_are_passed_over_unless_none_has_it(self):
        # A view moves nothing and has no intensity.
        held = judged(limit("intensity=100", scope=Scope.LAYER, pattern="*"))
        assert "flatten" not in {verdict.subject for verdict in held.verdicts}
        [found] = refused(limit("intensity=100", scope=Scope.LAYER, pattern="flatten"))
        assert found.code is catalogue.CANNOT_BOUND

    def test_a_network_without_groups_has_none_to_bound(self):
        network = analysis(text="input: [3, 4, 4]\nlayers: [relu]\n")
        [found] = refused(limit("params_share=9%", scope=Scope.GROUP), network=network)
        assert found.message == "`net` has no groups"

    def test_what_can_be_judged_is_all_the_same(self):
        held = judged(limit("params=1"), limit("params=9", scope=Scope.LAYER, pattern="no"))
        assert [verdict.holds for verdict in held.verdicts] == [False]
        assert [finding.code.id for finding in held.findings] == ["E604"]

    def test_everything_that_cannot_be_judged_is_said_at_once(self):
        found = refused(
            limit("time=1s"),
            limit("params=9", scope=Scope.LAYER, pattern="no"),
            limit("macs=2%", Bound.MAX_INCREASE),
        )
        assert [finding.code.id for finding in found] == ["E605", "E604", "E610"]


class TestMessages:
    """The difference never vanishes in the rounding."""

    def test_a_count(self):
        assert message(f"macs={MACS - 1}") == (
            "multiply-adds 6,768 exceed 6,767 by 1 (0.01 %)"  # 1/6,767 = 0.0148 %
        )

    def test_the_example_of_a_million(self):
        # 1,234 / 320,000,000 = 0.000386 %, to its first digit.
        wide = judged(limit("macs=320M"), network=analysis())
        assert wide.verdicts[0].holds
        verdict = wide.verdicts[0]._replace(value=Fraction(320_001_234))
        from convcalc.budgets import _Judging

        says = _Judging(analysis(), Budget(()), None, None).message(verdict)
        assert says == "multiply-adds 320,001,234 exceed 320,000,000 by 1,234 (0.0004 %)"

    def test_bytes_are_exact_beside_the_limit_as_written(self):
        # 4 · 857 = 3,428 bytes of weights; 3 KiB are 3,072.
        assert message("weight_memory=3 KiB") == (
            "weight memory 3,428 B exceeds 3,072 B (3 KiB) by 356 B (11.6 %)"
        )
        assert message("weight_memory=3427 B") == (
            "weight memory 3,428 B exceeds 3,427 B by 1 B (0.03 %)"
        )

    def test_a_minimum(self):
        assert message("params=1k", Bound.MIN) == (
            "parameters 857 fall short of 1,000 by 143 (14.3 %)"
        )
        assert message("receptive_field=12", Bound.MIN) == (
            "receptive field 10 falls short of 12 by 2 (16.7 %)"
        )

    def test_a_limit_of_zero_has_no_percentage(self):
        assert message("buffers=1", Bound.MIN) == "buffers 0 fall short of 1 by 1 (100.0 %)"
        assert message("comparisons=0") == "comparisons 144 exceed 0 by 144"

    def test_a_ratio_has_as_many_digits_as_tell_it_from_the_limit(self):
        # 6,768 / 857 = 7.89731…
        assert message("reuse=7.897") == "weight reuse 7.8973 exceeds 7.897 by 0.0003 (0.004 %)"

    def test_a_time_is_in_milliseconds(self):
        device = Device("slow", 1_000_000, 10**12)
        # 6,768 µs to compute; relu moves 1,152 bytes in 1,152 ps.
        assert message("time=6.768ms", device=device) == (
            "time 6.768001 ms exceeds 6.768 ms by 0.000001 ms (0.00002 %)"
        )

    def test_the_context_names_network_conditions_and_budget(self):
        network = analysis(batch=2)
        budget = Budget((limit("params=1"),), name="mobile")
        [found] = judge(network, budget).exceeded
        assert found.notes == ("`net` of net.yaml, input 3×10×10, batch 2, budget `mobile`",)

    def test_the_budgets_message_is_the_way_out(self):
        [found] = judged(limit("params=1", message="See docs.")).exceeded
        assert found.help == "See docs."

    def test_a_limit_that_only_warns_makes_a_warning(self):
        [found] = judged(limit("params=1", warns=True)).exceeded
        assert found.is_warning
        assert found.severity == "warning"


class TestIncreases:
    def test_a_percentage_of_the_baseline_is_cut_to_whole_numbers(self):
        # 1 % of 6,768 is 67.68: 6,835 is allowed, 6,836 is not.
        baseline = baseline_of(analysis(), "before")
        grown = limit("macs=1%", Bound.MAX_INCREASE)
        [verdict] = judged(grown, baseline=baseline).verdicts
        assert (verdict.base, verdict.allowed, verdict.holds) == (MACS, 6_835, True)

    def test_an_increase_names_the_layer_that_grew_most(self):
        # width 2 to 3: stem 27·64 = 1,728 more, stage1.conv 4·9·36 = 1,296 more.
        baseline = baseline_of(analysis(), "before")
        held = judged(limit("macs=2%", Bound.MAX_INCREASE), network=analysis(3), baseline=baseline)
        [found] = held.exceeded
        assert found.code is catalogue.DEARER
        # 6,768 · 1.02 = 6,903.36; 9,792 − 6,903 = 2,889; 3,024 / 6,768 = 44.7 %.
        assert found.message == (
            "multiply-adds grew from 6,768 to 9,792, by 44.7 %: 2,889 more than the 2% that are "
            "allowed"
        )
        assert found.notes[0] == ("`stem` grew most: multiply-adds 3,456 → 5,184")
        assert (found.place.line, found.place.column) == (5, 5)
        assert [change.name for change in held.changes] == ["stem", "stage1.conv"]

    def test_an_amount(self):
        baseline = baseline_of(analysis(), "before")
        # 28 more in stem, 36 in stage1.conv.
        exact = limit("params=64", Bound.MAX_INCREASE)
        assert judged(exact, network=analysis(3), baseline=baseline).verdicts[0].holds
        [found] = judged(
            limit("params=63", Bound.MAX_INCREASE), network=analysis(3), baseline=baseline
        ).exceeded
        assert "from 857 to 921, by 7.5 %: 1 more than the 63 that is allowed" in found.message

    def test_growth_from_nothing_exceeds_every_percentage(self):
        before = baseline_of(analysis(text="input: [3, 4, 4]\nlayers: [relu]\n"), "before")
        [found] = judged(limit("params=900%", Bound.MAX_INCREASE), baseline=before).exceeded
        assert found.message.startswith("parameters grew from 0 to 857: 857 more")

    def test_to_fall_is_within(self):
        before = baseline_of(analysis(3), "before")
        assert judged(limit("macs=0%", Bound.MAX_INCREASE), baseline=before).verdicts[0].holds

    def test_an_absolute_limit_stands_at_the_layer_that_grew_if_there_is_a_baseline(self):
        baseline = baseline_of(analysis(), "before")
        [found] = judged(limit("params=900"), network=analysis(3), baseline=baseline).exceeded
        # stage1.conv has 36 more parameters, stem 28.
        assert found.place.line == 9

    def test_the_peak_is_put_down_to_the_layer_whose_output_grew(self):
        baseline = baseline_of(analysis(), "before")
        [found] = judged(
            limit("peak_memory=1%", Bound.MAX_INCREASE), network=analysis(3), baseline=baseline
        ).exceeded
        assert found.notes[0] == ("`stem` grew most: its output, live at the peak, 512 B → 768 B")

    def test_a_layer_that_is_not_live_at_the_peak_does_not_make_it(self):
        baseline = baseline_of(pooled(64, 10), "x")
        now = pooled(65, 110)
        # 64·64 floats of one channel more are 16,384 bytes; b has 100 · 64 floats more, 25,600.
        peak = limit("peak_memory=0%", Bound.MAX_INCREASE)
        [found] = judged(peak, network=now, baseline=baseline).exceeded
        assert found.notes[0].startswith("`a` grew most: its output, live at the peak, 1,048,576 B")
        assert found.place.line == 3

    def test_of_the_inference_memory_only_weights_count_of_what_is_not_live_at_the_peak(self):
        baseline = baseline_of(pooled(64, 10), "x")
        now = pooled(65, 50)
        # b has 40 · (64 + 1) more weights, 10,400 bytes, and 10,240 bytes of output that is not
        # live at the peak; a has 4 · 64 · 64 bytes of output more and 16 of weights.
        inference = limit("inference_memory=0%", Bound.MAX_INCREASE)
        [found] = judged(inference, network=now, baseline=baseline).exceeded
        assert found.notes[0] == (
            # 4 · (64·64·64 + 64·3 + 64), then 4 · (65·64·64 + 65·3 + 65).
            "`a` grew most: its weights, and its output at the peak, 1,049,600 B → 1,066,000 B"
        )

    def test_a_layer_under_another_name_is_not_what_grew(self):
        baseline = baseline_of(analysis(), "before")
        renamed = NET.replace("name: stem", "name: entry").replace("features: 5", "features: 6")
        # 144 multiply-adds more in linear; entry, with 3,456, is new in name only.
        macs = limit("macs=0%", Bound.MAX_INCREASE)
        [found] = judged(macs, network=analysis(text=renamed), baseline=baseline).exceeded
        assert found.notes[0] == "`linear` grew most: multiply-adds 720 → 864"

    def test_what_a_report_does_not_record_is_worked_out_from_a_spec(self):
        before, now = baseline_of(analysis(), "before"), analysis(3)
        device = Device("one", 1_000, 10**9)
        for name in ("time", "read_bytes", "written_bytes", "intensity"):
            increase = limit(f"{name}=0%", Bound.MAX_INCREASE)
            [verdict] = judged(increase, network=now, baseline=before, device=device).verdicts
            assert verdict.base > 0
        saved = before._replace(analysis=None)
        [found] = refused(limit("read_bytes=0%", Bound.MAX_INCREASE), baseline=saved)
        assert found.code is catalogue.CANNOT_BOUND
        assert found.message == "`before` has no bytes read"

    def test_without_a_baseline_it_cannot_be_judged(self):
        [found] = refused(limit("macs=2%", Bound.MAX_INCREASE))
        assert found.code is catalogue.NO_BASELINE


class TestWhy:
    def test_the_heaviest_layers_come_first(self):
        [why] = judged(limit("params=1"), explain=True).whys
        assert [(part.name, part.value) for part in why.heaviest] == [
            ("linear", 725),
            ("stage1.conv", 76),
            ("stem", 56),
        ]
        assert why.heaviest[0].share == Fraction(725, 857)
        assert why.changed == ()

    def test_the_peak_is_made_of_what_is_live(self):
        [why] = judged(limit("peak_memory=1 B"), explain=True).whys
        assert [(part.name, part.value) for part in why.heaviest] == [
            ("input (input)", 1_200),
            ("stem", 512),
        ]

    def test_what_holds_needs_no_explanation(self):
        assert judged(limit("params=1k"), explain=True).whys == ()
        assert judged(limit("params=1")).whys == ()

    def test_a_metric_is_explained_once(self):
        held = judged(limit("params=1"), limit("params=2"), limit("macs=1"), explain=True)
        assert [why.metric.key for why in held.whys] == ["params", "macs"]


class TestOutcome:
    def test_errors_outweigh_what_is_exceeded(self):
        over = judged(limit("params=1"))
        fine = judged(limit("params=1k"))
        broken = Finding(catalogue.FILE_NOT_FOUND, "no file")
        assert Check((fine,)).outcome is Outcome.WITHIN
        assert Check((fine, over)).outcome is Outcome.OVER
        assert Check((over,), (broken,)).outcome is Outcome.CANNOT_JUDGE

    def test_warnings_count_if_the_check_is_strict(self):
        warned = judged(limit("params=1", warns=True))
        remark = Finding(catalogue.UNUSED_OUTPUT, "a remark")
        assert Check((warned,)).outcome is Outcome.WITHIN
        assert Check((warned,), strict=True).outcome is Outcome.OVER
        assert Check((), (remark,)).outcome is Outcome.WITHIN
        assert Check((), (remark,), strict=True).outcome is Outcome.CANNOT_JUDGE

    def test_errors_stand_before_warnings(self):
        both = judged(limit("params=1", warns=True), limit("macs=1"))
        assert [finding.severity for finding in Check((both,)).exceeded] == ["error", "warning"]
