"""Budgets read from files, specs and options: what cannot be understood is a finding."""

from contextlib import suppress
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from reading import assert_readable, marked

from convcalc.errors import MAX_FINDINGS, ConvcalcError, SourceText, UsageError
from convcalc.limits import Bound, Conditions, Reference, Scope
from convcalc.metrics import BUDGET_METRICS
from convcalc.sources.budgets import (
    BUDGET_FILE_KEYS,
    BUDGET_KEYS,
    LIMIT_KEYS,
    MATCH_KEYS,
    metric_names,
    option_limit,
    read_budget_file,
    specs_of,
)
from convcalc.sources.spec import Spec

# Whatever is tested stands from line 4 on, or in column 10 of line 4.
BEGIN = "version: 1\nbudgets:\n  - spec: net.yaml\n"
ENTRY = f"{BEGIN}    max: {{params: 5}}\n"

COUNT_HELP = "write a number such as 5000000 or 5.5M, with k (1,000), M, G or T"
BYTES_HELP = "write a number and a unit: kB (1,000 bytes), MB, GB, or KiB (1,024), MiB, GiB"
PERCENT_HELP = "write a percentage such as 40%"


@pytest.fixture
def budgets(spec):
    """The budgets of a file that nothing is wrong with."""

    def read(text):
        return read_budget_file(str(spec(text, "budgets.yaml"))).budgets

    return read


@pytest.fixture
def findings(spec):
    """Everything that is wrong with a file."""

    def read(text):
        with pytest.raises(ConvcalcError) as caught:
            read_budget_file(str(spec(text, "budgets.yaml")))
        assert_readable(caught.value.findings)
        return caught.value.findings

    return read


@pytest.fixture
def wrong(findings):
    """Code, line and column of everything that is wrong with a file."""
    return lambda text: [(f.code.id, f.place.line, f.place.column) for f in findings(text)]


@pytest.fixture
def said(findings):
    """Code, token, message and help of the one thing that is wrong with a file."""

    def read(text):
        [finding] = findings(text)
        return finding.code.id, marked(finding.place), finding.message, finding.help

    return read


def short(limit):
    """What matters of a limit, in a row."""
    return limit.key, limit.amount, limit.scope.value, limit.pattern, limit.warns, limit.message


class TestWhatIsUnderstood:
    def test_the_budgets_of_the_manual(self, budgets):
        mobile, resnet = budgets(
            "version: 1\n"
            "budgets:\n"
            "  - name: mobile\n"
            "    spec: nets/mobile/*.yaml\n"
            "    set: {H: 192, W: 192}\n"
            "    max:\n"
            "      params: 5.5M\n"
            "      macs: {limit: 320M, level: warn}\n"
            "      peak_memory: 24 MiB\n"
            "      macs_share: {limit: 40%, of: layer}\n"
            "    min: {receptive_field: 192}\n"
            "    layers:\n"
            '      - {match: "stage4.*", max: {activations: 2 MiB}}\n'
            "  - spec: nets/resnet50.yaml\n"
            "    baseline: main.json\n"
            "    max_increase: {macs: 2%, params: 50k}\n"
            "    message: See docs/budgets.md before raising this.\n"
        )
        assert (mobile.name, mobile.conditions.settings) == ("mobile", {"H": 192, "W": 192})
        assert [each.text for each in mobile.specs] == ["nets/mobile/*.yaml"]
        assert mobile.baseline is None
        assert [short(limit) for limit in mobile.limits] == [
            ("max params", 5_500_000, "network", None, False, None),
            ("max macs", 320_000_000, "network", None, True, None),
            ("max peak_memory", 25_165_824, "network", None, False, None),  # 24 · 1,048,576
            ("max macs_share", Fraction(2, 5), "layer", None, False, None),
            ("min receptive_field", 192, "network", None, False, None),
            ("max activations", 2_097_152, "layer", "stage4.*", False, None),
        ]
        message = "See docs/budgets.md before raising this."
        assert resnet.baseline.text == "main.json"
        assert [short(limit) for limit in resnet.limits] == [
            ("max_increase macs", Fraction(1, 50), "network", None, False, message),
            ("max_increase params", 50_000, "network", None, False, message),
        ]
        assert [limit.is_percentage for limit in resnet.limits] == [True, False]

    def test_a_limit_knows_what_was_written_and_where(self, budgets):
        [budget] = budgets(f"{BEGIN}    max:\n      macs: {{level: warn, limit: 320 M}}\n")
        [limit] = budget.limits
        assert limit.text == "320 M"
        assert (limit.place.line, limit.place.column) == (5, 34)
        assert marked(limit.place) == "320 M"
        assert marked(budget.specs[0].place) == "net.yaml"
        assert budget.place.line == 3

    @pytest.mark.parametrize("name", metric_names())
    def test_every_metric_can_be_bounded(self, budgets, name):
        each = metric_names()[name]
        is_share = name.endswith("_share")
        amount = {"count": "7", "bytes": "7 B", "seconds": "7 s", "ratio": "7"}[each.unit]
        for bound in ("max", "min"):
            text = f"{BEGIN}    {bound}: {{{name}: {'7%' if is_share else amount}}}\n"
            [limit] = budgets(text)[0].limits
            assert (limit.metric, limit.is_share, limit.bound.value) == (each, is_share, bound)
            assert limit.amount == (Fraction(7, 100) if is_share else 7)
            assert limit.scope is (Scope.LAYER if is_share else Scope.NETWORK)

    @pytest.mark.parametrize("each", BUDGET_METRICS, ids=lambda each: each.key)
    def test_a_metric_may_be_called_by_its_key_in_reports(self, budgets, each):
        amount = {"count": "7", "bytes": "7 B", "seconds": "7 s", "ratio": "7"}[each.unit]
        [limit] = budgets(f"{BEGIN}    max: {{{each.key}: {amount}}}\n")[0].limits
        assert limit.metric is each

    def test_which_metrics_have_shares(self):
        shares = {name.removesuffix("_share") for name in metric_names() if "_share" in name}
        # What all layers together have is the network's; peaks and fields are no such sums.
        assert {"macs", "params", "activations", "time", "read_bytes"} <= shares
        assert not shares & {"peak_memory", "receptive_field", "intensity", "layers", "reuse"}

    @pytest.mark.parametrize(
        ("text", "pairs"),
        [
            (
                "max: {macs_share: 5%, macs: 5}",
                [("max macs_share", "layer"), ("max macs", "network")],
            ),
            (
                "max: {macs: 5}\n    min: {macs: 3}",
                [("max macs", "network"), ("min macs", "network")],
            ),
            ("max: {macs: {limit: 5, of: layer}}", [("max macs", "layer")]),
            ("max: {macs: {limit: 5, of: group}}", [("max macs", "group")]),
            ("max: {macs: {limit: 5, of: network}}", [("max macs", "network")]),
            ("max: {macs_share: {limit: 5%}}", [("max macs_share", "layer")]),
            ("max: {macs_share: {limit: 5%, of: group}}", [("max macs_share", "group")]),
            ("layers: {match: a, max: {macs: 5}}", [("max macs", "layer")]),
            ("layers: [{match: a, min: {macs_share: 5%}}]", [("min macs_share", "layer")]),
            ("groups: [{match: a, max: {macs_share: 5%}}]", [("max macs_share", "group")]),
            ("groups: [{match: a, max: {macs: {limit: 5}}}]", [("max macs", "group")]),
        ],
    )
    def test_what_a_limit_is_for(self, budgets, text, pairs):
        [budget] = budgets(f"{BEGIN}    {text}\n")
        assert [(limit.key, limit.scope.value) for limit in budget.limits] == pairs

    @pytest.mark.parametrize(
        ("word", "warns"), [("warn", True), ("warning", True), ("error", False), ("'warn'", True)]
    )
    def test_a_level_is_a_limits_or_an_entrys(self, budgets, word, warns):
        [budget] = budgets(f"{BEGIN}    max: {{macs: {{limit: 5, level: {word}}}}}\n")
        assert budget.limits[0].warns is warns
        [budget] = budgets(f"{BEGIN}    layers: [{{match: a, max: {{macs: 5}}, level: {word}}}]\n")
        assert budget.limits[0].warns is warns

    def test_the_level_of_a_limit_counts_for_more_than_its_entrys(self, budgets):
        limits = "{macs: {limit: 5, level: error}, params: {limit: 5, message: m}}"
        [budget] = budgets(f"{BEGIN}    layers: [{{match: a, level: warn, max: {limits}}}]\n")
        assert [limit.warns for limit in budget.limits] == [False, True]

    def test_the_nearest_message_is_said(self, budgets):
        [budget] = budgets(
            f"{BEGIN}    message: far\n"
            "    max: {macs: 5, params: {limit: 5, message: near}}\n"
            "    layers:\n"
            "      - {match: a, message: nearer, max: {macs: 5}}\n"
            "      - {match: a, message: nearer, max: {macs: {limit: 5, message: nearest}}}\n"
            "      - {match: a, max: {macs: 5}}\n"
        )
        messages = [limit.message for limit in budget.limits]
        assert messages == ["far", "near", "nearer", "nearest", "far"]

    def test_several_specs_are_a_list(self, budgets):
        text = "version: 1\nbudgets:\n  - spec: [a.yaml, lenet5, 'b::*']\n    max: {params: 5}\n"
        assert [each.text for each in budgets(text)[0].specs] == ["a.yaml", "lenet5", "b::*"]

    def test_conditions_are_those_of_analyze(self, budgets):
        [budget] = budgets(
            f"{ENTRY}    set: {{H: 2 * 96, on: true, act: relu, half: 0.5, sizes: [1, 2]}}\n"
            "    batch: 8\n    dtype: float16\n    weights_dtype: int8\n    in_place: true\n"
            "    order: best\n    optimizer: adam\n    device: jetson-nano\n"
        )
        found = budget.conditions
        settings = {"H": 192, "on": True, "act": "relu", "half": Fraction(1, 2), "sizes": (1, 2)}
        assert found.settings == settings
        assert (found.batch, found.in_place, found.order) == (8, True, "best")
        assert (found.weights_dtype, found.activations_dtype) == ("int8", "float16")
        assert (found.optimizer, found.device) == ("adam", "jetson-nano")
        assert [(key, marked(place)) for key, place in found.places.items()] == [
            ("set", "{"),
            ("batch", "8"),
            ("dtype", "float16"),
            ("weights_dtype", "int8"),
            ("in_place", "true"),
            ("order", "best"),
            ("optimizer", "adam"),
            ("device", "jetson-nano"),
        ]

    def test_nothing_is_assumed_of_conditions(self, budgets):
        assert budgets(ENTRY)[0].conditions == Conditions()
        assert budgets(f"{ENTRY}    in_place: false\n")[0].conditions.in_place is False


class TestAmounts:
    @pytest.mark.parametrize(
        ("written", "code"),
        [
            *((text, "E601") for text in ("30,000", "5 m", "-5", "nan", "inf", "0x10", "1_000")),
            *((text, "E601") for text in ("1/2", "5%", "24 MiB", "+5", ".5", "2.", "1e-3", "0o17")),
            *((text, "E601") for text in ("true", "null", "~", "5.5", "''", "' '", "'1e400'", "x")),
            *((text, "E021") for text in (".nan", ".inf", "-.inf", ".NaN")),
            *(("1e400", "E307"), ("9" * 41, "E307")),
            *(("010", "E023"), ("12:30", "E022"), ("*x", "E010")),
        ],
    )
    @pytest.mark.parametrize("long", [False, True])
    def test_what_is_no_amount_is_a_finding_at_it(self, findings, written, code, long):
        # In braces a value would end at a comma, so the long form stands in lines of its own.
        written_out = f"\n        limit: {written}" if long else f" {written}"
        [finding] = findings(f"{BEGIN}    max:\n      params:{written_out}\n")
        assert finding.code.id == code
        assert marked(finding.place) == written
        assert (finding.place.line, finding.place.column) == ((6, 16) if long else (5, 15))
        assert finding.help

    def test_a_number_cut_at_a_comma_is_refused_too(self, wrong):
        # In braces YAML reads 30, and a key 000.
        assert wrong(f"{BEGIN}    max: {{params: 30,000}}\n") == [("E023", 4, 22), ("E015", 4, 22)]

    @pytest.mark.parametrize(
        ("written", "token", "message"),
        [
            ("", ":", "`params` is bounded by nothing"),
            ("null", "null", "`params` is bounded by nothing"),
            ("~", "~", "`params` is bounded by nothing"),
            ("''", "''", "`params` is bounded by ``"),
            ("[]", "[", "`params` is bounded by a list"),
            ("[5]", "[", "`params` is bounded by a list"),
            ("true", "true", "`params` is bounded by `true`"),
            ("{limit: {limit: 5}}", "{", "`params` is bounded by a mapping"),
            ("{limit: [5]}", "[", "`params` is bounded by a list"),
            ("{limit: }", "}", "`params` is bounded by nothing"),
            ("{limit: false}", "false", "`params` is bounded by `false`"),
        ],
    )
    def test_what_is_no_scalar_is_no_amount(self, findings, written, token, message):
        [finding] = findings(f"{BEGIN}    max:\n      params: {written}\n")
        assert (finding.code.id, finding.message, finding.help) == ("E601", message, COUNT_HELP)
        assert finding.place.line == 5
        assert token in marked(finding.place) or not marked(finding.place).strip(": ")

    @pytest.mark.parametrize("written", ["{}", "{level: warn}", "{of: layer}"])
    def test_a_mapping_has_a_limit(self, said, written):
        assert said(f"{BEGIN}    max:\n      params: {written}\n") == (
            "E102",
            "{",
            "the limit of `params` has no `limit`",
            "for example `params: {limit: 320M, level: warn}`",
        )

    def test_a_share_is_a_percentage_and_at_most_all(self, said, budgets):
        for written in ("40", "0.4", "1/2"):
            code, token, _, hint = said(f"{BEGIN}    max: {{macs_share: {written}}}\n")
            assert (code, token, hint) == ("E601", written, PERCENT_HELP)
        assert said(f"{BEGIN}    max: {{macs_share: 140%}}\n") == (
            "E601",
            "140%",
            "'140%' is more than the whole",
            "a share is at most 100%",
        )
        assert said(f"{BEGIN}    min: {{macs_share: 100.01%}}\n")[0] == "E601"
        assert budgets(f"{BEGIN}    max: {{macs_share: 100 %}}\n")[0].limits[0].amount == 1

    def test_memory_has_a_unit_and_mb_is_not_mib(self, said, budgets):
        assert said(f"{BEGIN}    max: {{peak_memory: 24}}\n") == (
            *("E601", "24", "'24' has no unit", BYTES_HELP),
        )
        assert said(f"{BEGIN}    max: {{peak_memory: 24 KB}}\n") == (
            *("E601", "24 KB", "'24 KB' may be 1,000 or 1,024 bytes"),
            "write kB for 1,000 bytes, KiB for 1,024",
        )
        limits = "max: {peak_memory: 24MB, activations: 24 MiB}"
        amounts = [limit.amount for limit in budgets(f"{BEGIN}    {limits}\n")[0].limits]
        assert amounts == [24_000_000, 25_165_824]

    def test_an_increase_may_be_above_all_that_there_is(self, budgets):
        [limit] = budgets(f"{BEGIN}    max_increase: {{macs: 140%}}\n")[0].limits
        assert (limit.amount, limit.is_percentage) == (Fraction(7, 5), True)


class TestMetrics:
    @pytest.mark.parametrize(
        ("name", "meant"),
        [
            *(("parms", "params"), ("Params", "params"), ("parameters", "params")),
            *(("memory", "peak_memory"), ("ram", "peak_memory"), ("flash", "weight_memory")),
            *(("latency", "time"), ("madds", "macs"), ("MACs", "macs"), ("flop", "flops")),
            *(("peak_memory_share", "peak_memory"), ("macs_shares", "macs_share")),
            ("receptive_field_share", "receptive_field"),
        ],
    )
    def test_an_unknown_metric_is_answered_with_a_known_one(self, said, name, meant):
        assert said(f"{BEGIN}    max: {{{name}: 5}}\n") == (
            *("E602", name, f"unknown metric `{name}`", f"did you mean `{meant}`?"),
        )

    @pytest.mark.parametrize("name", ["xyz", "''", "'*'"])
    def test_where_nothing_is_close_all_are_listed(self, said, name):
        code, token, _, hint = said(f"{BEGIN}    max: {{{name}: 5}}\n")
        assert (code, token) == ("E602", name)
        assert hint.startswith("there are params, buffers, macs, flops, ")
        assert hint.endswith("time; of a layer or group also its share, such as macs_share")

    @pytest.mark.parametrize(
        ("first", "second", "amount"),
        [
            ("peak_memory", "peak_activation_bytes", "5 B"),
            ("activation_bytes", "activations", "5 B"),
            ("weight_bytes_share", "weight_memory_share", "5%"),
        ],
    )
    def test_a_metric_is_bounded_once(self, findings, first, second, amount):
        [finding] = findings(f"{BEGIN}    max: {{{first}: {amount}, {second}: {amount}}}\n")
        assert finding.code.id == "E014"
        assert finding.message == f"`{second}` and `{first}` are the same metric"
        assert marked(finding.place) == second
        assert [(each.label, marked(each.place)) for each in finding.related] == [("first", first)]

    @pytest.mark.parametrize(
        ("text", "token", "message"),
        [
            (
                "max: {macs_share: {limit: 5%, of: network}}",
                "macs_share",
                "`macs_share` is of a part of a network",
            ),
            (
                "max: {peak_memory: {limit: 5 B, of: layer}}",
                "peak_memory",
                "`peak_memory` is of a whole network, not of a layer",
            ),
            (
                "max: {layers: {limit: 5, of: group}}",
                "layers",
                "`layers` is of a whole network, not of a group",
            ),
            (
                "layers: [{match: a, max: {peak_memory: 5 B}}]",
                "peak_memory",
                "`peak_memory` is of a whole network, not of a layer",
            ),
            (
                "groups: [{match: a, min: {inference_memory: 5 B}}]",
                "inference_memory",
                "`inference_memory` is of a whole network, not of a group",
            ),
            ("max_increase: {macs_share: 5%}", "macs_share", "no baseline has `macs_share`"),
            (
                "max_increase: {macs: {limit: 5%, of: layer}}",
                "macs",
                "an increase is of a whole network",
            ),
        ],
    )
    def test_a_metric_is_bounded_where_it_is(self, said, text, token, message):
        code, marked_token, found, hint = said(f"{BEGIN}    {text}\n")
        assert (code, marked_token, found) == ("E605", token, message)
        assert hint


class TestKeys:
    @pytest.mark.parametrize(
        ("text", "token", "hint"),
        [
            ("maximum: {}", "maximum", "did you mean `max`?"),
            ("mx: {params: 5}", "mx", "did you mean `max`?"),
            ("max_increases: {}", "max_increases", "did you mean `max_increase`?"),
            ("Min: {}", "Min", "did you mean `min`?"),
            ("variants: [a]", "variants", "name them in `spec`: net.yaml::small"),
            ("limit: 5", "limit", None),
            ("version: 1", "version", None),
        ],
    )
    def test_of_a_budget(self, said, text, token, hint):
        code, marked_token, message, found = said(f"{ENTRY}    {text}\n")
        assert (code, marked_token) == ("E104", token)
        assert message == f"unknown key `{token}` in a budget"
        assert hint is None or found == hint
        assert found

    def test_of_a_file(self, said):
        assert said(f"max: {{params: 5}}\n{ENTRY}") == (
            *("E104", "max", "unknown key `max` in a budget file"),
            "limits stand in the entries of `budgets`",
        )
        assert said(f"{ENTRY}verson: 1\n")[3] == "did you mean `version`?"

    def test_of_a_limit(self, said, wrong):
        assert said(f"{BEGIN}    max: {{macs: {{limit: 5, lvl: warn}}}}\n") == (
            *("E104", "lvl", "unknown key `lvl` in the limit of `macs`", "did you mean `level`?"),
        )
        # A mistyped `limit` is also a missing one.
        assert wrong(f"{BEGIN}    max: {{macs: {{limt: 5}}}}\n") == [
            ("E102", 4, 17),
            ("E104", 4, 18),
        ]

    def test_of_an_entry_of_layers(self, said):
        entry = "{match: a, max: {macs: 5}, levl: warn}"
        assert said(f"{BEGIN}    layers: [{entry}]\n") == (
            *(
                "E104",
                "levl",
                "unknown key `levl` in an entry of `layers`",
                "did you mean `level`?",
            ),
        )
        assert said(
            f"{BEGIN}    groups: [{{match: a, max: {{macs: {{limit: 5, of: layer}}}}}}]\n"
        ) == (
            *("E104", "of", "unknown key `of` in the limit of `macs`"),
            "it may have `limit`, `level`, `message`",
        )

    def test_an_increase_is_no_layers(self, said):
        assert said(f"{BEGIN}    layers: [{{match: a, max_increase: {{macs: 5%}}}}]\n") == (
            *("E104", "max_increase", "unknown key `max_increase` in an entry of `layers`"),
            "an increase is of a whole network: it belongs beside `max`",
        )

    def test_a_key_stands_once(self, wrong):
        assert wrong(f"{ENTRY}    max: {{macs: 5}}\n") == [("E014", 5, 5)]
        assert wrong(f"{BEGIN}    max: {{macs: 5, macs: 6}}\n") == [("E014", 4, 20)]

    def test_merge_keys_tags_and_numbers_are_no_keys(self, wrong):
        assert wrong(f"{BEGIN}    max: {{<<: {{macs: 5}}}}\n") == [("E016", 4, 11)]
        assert wrong(f"{BEGIN}    max: {{5: 5, macs: 5}}\n") == [("E015", 4, 11)]
        assert wrong(f"{BEGIN}    max: !!map {{macs: 5}}\n") == [("E024", 4, 10)]

    def test_what_keys_there_are_is_told_in_one_place(self):
        assert set(BUDGET_FILE_KEYS) == {"version", "budgets"}
        assert set(LIMIT_KEYS) == {"limit", "of", "level", "message"}
        assert set(MATCH_KEYS) == {"match", "max", "min", "level", "message"}
        assert {bound.value for bound in Bound} | {"layers", "groups"} <= set(BUDGET_KEYS)


class TestEmptiness:
    @pytest.mark.parametrize("key", ["max", "min", "max_increase"])
    def test_limits_without_a_metric(self, wrong, key):
        assert wrong(f"{BEGIN}    {key}: {{}}\n") == [("E603", 4, 5)]

    @pytest.mark.parametrize("more", ["", "    batch: 8\n", "    message: m\n", "    name: n\n"])
    def test_a_budget_without_limits(self, wrong, more):
        assert wrong(f"{BEGIN}{more}") == [("E603", 3, 5)]

    def test_a_budget_without_limits_is_one_whatever_else_is_wrong(self, wrong):
        assert wrong(f"{BEGIN}    message: 5\n") == [("E603", 3, 5), ("E103", 4, 14)]
        assert wrong(f"{BEGIN}    mx: {{macs: 5}}\n") == [("E603", 3, 5), ("E104", 4, 5)]

    def test_a_list_without_budgets(self, wrong):
        assert wrong("version: 1\nbudgets: []\n") == [("E603", 2, 10)]

    @pytest.mark.parametrize("key", ["layers", "groups"])
    def test_a_list_without_layers(self, wrong, key):
        assert wrong(f"{BEGIN}    {key}: []\n") == [("E603", 4, 5)]

    def test_an_entry_without_limits(self, wrong):
        assert wrong(f"{BEGIN}    layers: [{{match: a}}]\n") == [("E603", 4, 14)]
        assert wrong(f"{BEGIN}    layers: [{{match: a, max: {{}}}}]\n") == [("E603", 4, 25)]
        assert wrong(f"{BEGIN}    layers: [{{match: 5}}]\n") == [("E603", 4, 14), ("E103", 4, 22)]

    def test_an_entry_without_a_name(self, wrong):
        assert wrong(f"{BEGIN}    layers: [{{max: {{macs: 5}}}}]\n") == [("E102", 4, 14)]
        assert wrong(f"{BEGIN}    groups: [{{}}]\n") == [("E102", 4, 14), ("E603", 4, 14)]

    def test_a_list_without_specs(self, said):
        text = "version: 1\nbudgets:\n  - spec: []\n    max: {params: 5}\n"
        assert said(text) == ("E603", "[", "`spec` is empty", "name at least one")

    def test_a_budget_without_a_spec(self, said, wrong):
        text = "version: 1\nbudgets:\n  - max: {params: 5}\n"
        assert wrong(text) == [("E102", 3, 5)]
        assert said(text)[2:] == (
            "a budget needs `spec`: the networks that it is for",
            "for example `spec: nets/*.yaml`",
        )

    def test_a_baseline_for_nothing(self, said, wrong, budgets):
        assert wrong(f"{ENTRY}    baseline: main.json\n") == [("E603", 5, 5)]
        assert said(f"{ENTRY}    baseline: main.json\n")[2] == (
            "nothing is held against the `baseline`"
        )
        # Without any limit that is the first thing to say.
        assert wrong(f"{BEGIN}    baseline: main.json\n") == [("E603", 3, 5)]
        [budget] = budgets(f"{BEGIN}    max_increase: {{macs: 5%}}\n    baseline: main.json\n")
        assert budget.baseline.text == "main.json"

    def test_an_increase_needs_no_baseline_here(self, budgets):
        # The command line may name it: --against, --baseline.
        assert budgets(f"{BEGIN}    max_increase: {{macs: 5%}}\n")[0].baseline is None


class TestTypes:
    @pytest.mark.parametrize(
        ("written", "described"),
        [
            ("2", "`2`"),
            ("0", "`0`"),
            ('"1"', "the text `1`"),
            ("true", "`true`"),
            ("one", "the text `one`"),
            ("1.5", "`1.5`"),
            ("null", "nothing"),
            ("[1]", "a list"),
            ("{a: 1}", "a mapping"),
        ],
    )
    def test_the_version_is_1(self, findings, written, described):
        [finding] = findings(ENTRY.replace("1", written, 1))
        assert (finding.code.id, finding.place.line, finding.place.column) == ("E103", 1, 10)
        message = f"this convcalc reads budgets of version 1, not {described}"
        assert (finding.message, finding.help) == (message, "write `version: 1`")

    def test_a_version_there_is(self, said):
        assert said(ENTRY.removeprefix("version: 1\n")) == (
            *("E102", "b", "the budget file has no `version`", "begin with `version: 1`"),
        )

    @pytest.mark.parametrize("written", ["5", "text", "{spec: a, max: {params: 5}}", "null", ""])
    def test_budgets_are_a_list(self, wrong, written):
        assert wrong(f"version: 1\nbudgets: {written}\n") == [("E603", 2, 1)]

    def test_each_is_a_mapping(self, wrong):
        assert wrong("version: 1\nbudgets: [5, relu, [], null]\n") == [
            *(("E101", 2, 11), ("E101", 2, 14), ("E101", 2, 20), ("E101", 2, 24)),
        ]

    @pytest.mark.parametrize("key", ["max", "min", "max_increase", "set"])
    @pytest.mark.parametrize("written", ["5", "params", "[params]", "null", "true"])
    def test_limits_and_settings_are_mappings(self, wrong, key, written):
        begin = f"{BEGIN}    layers: [{{match: a, max: {{macs: 5}}}}]\n"
        assert wrong(f"{begin}    {key}: {written}\n") == [("E101", 5, 7 + len(key))]

    @pytest.mark.parametrize("key", ["layers", "groups"])
    @pytest.mark.parametrize("written", ["5", "conv", "true", "null"])
    def test_entries_are_mappings(self, wrong, key, written):
        assert wrong(f"{BEGIN}    {key}: {written}\n") == [("E101", 4, 13)]
        assert wrong(f"{BEGIN}    {key}: [{written}]\n") == [("E101", 4, 14)]

    @pytest.mark.parametrize(
        "key",
        [
            *("name", "message", "dtype", "weights_dtype", "activations_dtype", "optimizer"),
            *("device", "baseline"),
        ],
    )
    @pytest.mark.parametrize("written", ["5", "true", "[a]", "{a: b}", "null", "1.5"])
    def test_texts_are_texts(self, wrong, key, written):
        begin = f"{BEGIN}    max_increase: {{params: 5}}\n"
        assert wrong(f"{begin}    {key}: {written}\n") == [("E103", 5, 7 + len(key))]

    @pytest.mark.parametrize("key", ["name", "message", "baseline", "device"])
    @pytest.mark.parametrize("written", ["''", "' '", '"a\\nb"', '"\\e[31m"'])
    def test_texts_can_be_printed(self, wrong, key, written):
        begin = f"{BEGIN}    max_increase: {{params: 5}}\n"
        assert wrong(f"{begin}    {key}: {written}\n") == [("E111", 5, 7 + len(key))]

    def test_specs_are_texts(self, wrong):
        begin = "version: 1\nbudgets:\n  - max: {params: 5}\n"
        assert wrong(f"{begin}    spec: 5\n") == [("E103", 4, 11)]
        assert wrong(f"{begin}    spec: {{a: b}}\n") == [("E103", 4, 11)]
        assert wrong(f"{begin}    spec: [a, 5, [b], '']\n") == [
            *(("E103", 4, 15), ("E103", 4, 18), ("E111", 4, 23)),
        ]
        assert [code for code, *_ in wrong(f"{begin}    spec:\n")] == ["E103"]

    def test_a_match_is_a_text(self, wrong):
        for written, code in (("5", "E103"), ("[a]", "E103"), ("null", "E103"), ("''", "E111")):
            text = f"{BEGIN}    layers: [{{match: {written}, max: {{macs: 5}}}}]\n"
            assert wrong(text) == [(code, 4, 22)]

    @pytest.mark.parametrize(
        ("written", "described"),
        [
            ("0", "`0`"),
            ("-1", "`-1`"),
            ("1.5", "`1.5`"),
            ("yes", "the text `yes`"),
            ("true", "`true`"),
            ('"4"', "the text `4`"),
            ("[1]", "a list"),
            ("null", "nothing"),
            ("1000000001", "`1000000001`"),
        ],
    )
    def test_a_batch_is_a_number_of_samples(self, said, written, described):
        code, _, message, hint = said(f"{ENTRY}    batch: {written}\n")
        assert (code, hint) == ("E103", "write 1 or more, up to 1,000,000,000")
        assert message == f"`batch` must be a number of samples, not {described}"

    @pytest.mark.parametrize(
        ("text", "token", "message", "hint"),
        [
            (
                "max: {macs: {limit: 5, level: oops}}",
                "oops",
                "`level` must be one of `error`, `warn`, `warning`, not the text `oops`",
                None,
            ),
            (
                "max: {macs: {limit: 5, level: erorr}}",
                "erorr",
                "`level` must be one of `error`, `warn`, `warning`, not the text `erorr`",
                "did you mean `error`?",
            ),
            (
                "layers: [{match: a, max: {macs: 5}, level: true}]",
                "true",
                "`level` must be one of `error`, `warn`, `warning`, not `true`",
                None,
            ),
            (
                "max: {macs: {limit: 5, level: []}}",
                "[",
                "`level` must be one of `error`, `warn`, `warning`, not a list",
                None,
            ),
            (
                "max: {macs: {limit: 5, of: layers}}",
                "layers",
                "`of` must be one of `network`, `group`, `layer`, not the text `layers`",
                "did you mean `layer`?",
            ),
            (
                "max: {macs: {limit: 5, of: null}}",
                "null",
                "`of` must be one of `network`, `group`, `layer`, not nothing",
                None,
            ),
            (
                "max: {macs: {limit: 5, of: {layer: 5}}}",
                "{",
                "`of` must be one of `network`, `group`, `layer`, not a mapping",
                None,
            ),
            (
                "max: {macs: 5}\n    order: worst",
                "worst",
                "`order` must be one of `given`, `best`, not the text `worst`",
                None,
            ),
            (
                "max: {macs: 5}\n    in_place: no",
                "no",
                "`in_place` must be one of `true`, `false`, not the text `no`",
                None,
            ),
            (
                "max: {macs: 5}\n    in_place: 1",
                "1",
                "`in_place` must be one of `true`, `false`, not `1`",
                None,
            ),
        ],
    )
    def test_words_are_those_that_there_are(self, said, text, token, message, hint):
        assert said(f"{BEGIN}    {text}\n") == ("E103", token, message, hint)

    def test_a_setting_is_a_value(self, wrong):
        assert wrong(f"{ENTRY}    set: {{H: null}}\n") == [("E103", 5, 11)]
        assert wrong(f"{ENTRY}    set: {{H: 1/0}}\n") == [("E206", 5, 14)]
        assert wrong(f"{ENTRY}    set: {{H: a b}}\n") == [("E201", 5, 16)]
        assert wrong(f"{ENTRY}    set: {{H: .nan}}\n") == [("E021", 5, 14)]
        assert wrong(f"{ENTRY}    set: {{H: 10**400}}\n") == [("E205", 5, 14)]
        assert wrong(f"{ENTRY}    set: {{H: 2 * W}}\n") == [("E202", 5, 18)]


class TestFiles:
    def test_all_that_is_wrong_is_said_in_one_run(self, wrong):
        assert wrong(
            "version: 2\n"
            "budgets:\n"
            "  - max: {parms: 5, macs: 30,000, peak_memory: 24}\n"
            "    min: {}\n"
            "    mx: {}\n"
            "  - spec: [a, 5]\n"
            "    max: {macs: {limit: x, level: oops, of: nobody}}\n"
            "    layers:\n"
            "      - {max: {peak_memory: 5 B}}\n"
            "      - 5\n"
            "    batch: 0\n"
            "    set: 5\n"
            "  - 5\n"
        ) == [
            ("E103", 1, 10),  # version
            ("E102", 3, 5),  # no spec
            ("E602", 3, 11),  # parms
            ("E023", 3, 30),  # 000, behind a comma in braces
            ("E015", 3, 30),
            ("E601", 3, 48),  # 24
            ("E603", 4, 5),  # min
            ("E104", 5, 5),  # mx
            ("E103", 6, 15),  # 5
            ("E601", 7, 25),  # x
            ("E103", 7, 35),  # oops
            ("E103", 7, 45),  # nobody
            ("E102", 9, 9),  # no match
            ("E605", 9, 16),  # of a layer
            ("E101", 10, 9),  # 5
            ("E103", 11, 12),  # batch
            ("E101", 12, 10),  # set
            ("E101", 13, 5),  # 5
        ]

    def test_of_very_much_that_is_wrong_the_first_is_said(self, findings):
        names = ", ".join(f"x{n}: 5" for n in range(MAX_FINDINGS + 5))
        found = findings(f"{BEGIN}    max: {{{names}}}\n")
        assert len(found) == MAX_FINDINGS
        assert "there may be more" in found[-1].notes[-1]

    @pytest.mark.parametrize(
        "text",
        [
            "input: [3, 8, 8]\nlayers: [relu]\n",
            "version: 1\nbudgts: []\n",
            "input: [3, 8, 8]\nlayers: [relu]  # budgets\n",
            "- budgets\n",
            "budgets",
            "[budgets: ",
            "",
            "nested: {budgets: []}\n",
        ],
    )
    def test_what_has_no_budgets_may_be_a_spec(self, spec, text):
        assert read_budget_file(str(spec(text))) is None

    def test_a_variant_and_standard_input_are_of_specs(self, spec, monkeypatch):
        assert read_budget_file(f"{spec(ENTRY, 'budgets.yaml')}::small") is None
        # It can be read but once, so it is left for whoever reads specs.
        monkeypatch.setattr("sys.stdin", None)
        assert read_budget_file("-") is None

    def test_a_file_that_is_not_there(self, tmp_path):
        with pytest.raises(UsageError) as caught:
            read_budget_file(str(tmp_path / "budgets.yaml"))
        assert [finding.code.id for finding in caught.value.findings] == ["E001"]

    def test_paths_are_relative_to_the_file(self, spec, tmp_path):
        found = read_budget_file(str(spec(ENTRY, "budgets.yaml")))
        assert found.folder == tmp_path
        assert found.source.path == str(tmp_path / "budgets.yaml")

    def test_a_second_document_is_refused(self, wrong):
        assert wrong(f"{ENTRY}---\n{ENTRY}") == [("E017", 5, 1)]


class TestSpecsOfABudget:
    @pytest.fixture
    def folder(self, tmp_path):
        for name in ("b.yaml", "a.yaml", "nets/c.yaml", "nets/deep/d.yaml", "x[1].yaml", "x1.yaml"):
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("", encoding="utf-8")
        (tmp_path / "folder.yaml").mkdir()
        return tmp_path

    @pytest.mark.parametrize(
        ("pattern", "names"),
        [
            ("a.yaml", ["a.yaml"]),
            ("a.yaml::small", ["a.yaml::small"]),
            ("?.yaml", ["a.yaml", "b.yaml"]),  # in order
            ("*.yaml", ["a.yaml", "b.yaml", "x1.yaml", "x[1].yaml"]),  # a folder is no spec
            ("?.yaml::s*", ["a.yaml::s*", "b.yaml::s*"]),
            ("nets/*.yaml", ["nets/c.yaml"]),
            ("**/[cd].yaml", ["nets/c.yaml", "nets/deep/d.yaml"]),
            # There are several ways to each, and each is one network.
            ("**/**/**/**/[cd].yaml", ["nets/c.yaml", "nets/deep/d.yaml"]),
            ("**/nets/**/[cd].yaml", ["nets/c.yaml", "nets/deep/d.yaml"]),
            ("x[1].yaml", ["x[1].yaml"]),  # a file of this very name
            ("missing.yaml", ["missing.yaml"]),  # reading it says so
        ],
    )
    def test_paths_and_patterns(self, folder, pattern, names):
        assert specs_of(Reference(pattern), folder) == tuple(str(folder / name) for name in names)

    def test_absolute_paths_stay_so(self, folder, tmp_path_factory):
        elsewhere = tmp_path_factory.mktemp("elsewhere")
        assert specs_of(Reference(f"{folder}/?.yaml"), elsewhere) == (
            *(f"{folder}/a.yaml", f"{folder}/b.yaml"),
        )

    def test_a_name_without_a_file_may_be_a_shipped_network(self, folder):
        assert specs_of(Reference("lenet5"), folder) == ("lenet5",)
        assert specs_of(Reference("resnet::resnet50"), folder) == ("resnet::resnet50",)

    @pytest.mark.parametrize(
        "pattern", ["nets/*.yml", "z*", "folder*", "[", "x[2].yaml", "nets/*/"]
    )
    def test_a_pattern_without_a_file_is_a_finding_at_it(self, folder, spec, pattern):
        path = spec(ENTRY.replace("net.yaml", f"'{pattern}'"), "budgets.yaml")
        [reference] = read_budget_file(str(path)).budgets[0].specs
        with pytest.raises(UsageError) as caught:
            specs_of(reference, folder)
        [finding] = caught.value.findings
        assert (finding.code.id, finding.message) == ("E604", f"no file matches `{pattern}`")
        assert (finding.place.line, finding.place.column) == (3, 11)
        assert str(folder) in finding.help

    def test_a_pattern_that_would_go_through_all_folders_again_and_again_is_refused(self, folder):
        pattern = "**/nets/" * 3 + "*.yaml"
        with pytest.raises(UsageError) as caught:
            specs_of(Reference(pattern), folder)
        [finding] = caught.value.findings
        assert finding.message == f"`{pattern}` has more than 2 `**`"

    def test_no_name_is_too_long(self, folder):
        assert specs_of(Reference("n" * 5000), folder) == ("n" * 5000,)
        with pytest.raises(UsageError):
            specs_of(Reference("n" * 5000 + "*"), folder)


class TestBudgetsInSpecs:
    NET = "input: [3, 8, 8]\nlayers: [relu]\n"
    FAMILY = "vars: {n: 1}\nvariants: {small: {n: 2}, big_a: {n: 3}, big_b: {n: 4}}\n" + NET

    def read(self, text):
        found = Spec(SourceText("net.yaml", text), text)
        assert_readable(found.findings)
        return found

    def test_one_budget_or_several(self):
        [budget] = self.read(f"{self.NET}budget: {{max: {{params: 5M}}}}\n").budgets
        assert [limit.amount for limit in budget.limits] == [5_000_000]
        assert (budget.specs, budget.variants) == ((), ())
        several = self.read(f"{self.NET}budget:\n  - max: {{macs: 5}}\n  - min: {{macs: 1}}\n")
        assert [budget.limits[0].key for budget in several.budgets] == ["max macs", "min macs"]
        assert self.read(self.NET).budgets == ()

    def test_variants_are_named_or_matched(self):
        text = f"{self.FAMILY}budget:\n  - {{variants: small, max: {{macs: 5}}}}\n"
        text += "  - {variants: [big*, 'smal?'], max: {macs: 5}}\n"
        found = self.read(text)
        assert found.findings == ()
        assert [[each.text for each in budget.variants] for budget in found.budgets] == [
            *(["small"], ["big*", "smal?"]),
        ]

    @pytest.mark.parametrize(
        ("begin", "written", "found"),
        [
            (FAMILY, "smal", ("E604", "smal", "did you mean `small`?")),
            (FAMILY, "xyz", ("E604", "xyz", "there are `small`, `big_a`, `big_b`")),
            (FAMILY, "[small, huge*]", ("E604", "huge*", "there are `small`, `big_a`, `big_b`")),
            (NET, "small", ("E604", "small", "there are none")),
            (FAMILY, "5", ("E103", "5", "put it in quotes")),
            (FAMILY, "[]", ("E603", "[", "leave it out, or name one")),
        ],
    )
    def test_unknown_variants_are_findings(self, begin, written, found):
        text = f"{begin}budget: {{variants: {written}, max: {{macs: 5}}}}\n"
        [finding] = self.read(text).findings
        assert (finding.code.id, marked(finding.place), finding.help) == found

    @pytest.mark.parametrize(
        ("written", "found"),
        [
            ("{}", [("E603", 3, 9)]),
            ("[]", [("E603", 3, 9)]),
            ("5", [("E101", 3, 9)]),
            ("null", [("E101", 3, 9)]),
            ("[5, {}]", [("E101", 3, 10), ("E603", 3, 13)]),
            ("{spec: a, max: {macs: 5}}", [("E104", 3, 10)]),
            ("{max: {parms: 5}}", [("E602", 3, 16)]),
            ("{max: {peak_memory: 5}}", [("E601", 3, 29)]),
        ],
    )
    def test_what_is_wrong_is_said(self, written, found):
        findings = self.read(f"{self.NET}budget: {written}\n").findings
        assert [(f.code.id, f.place.line, f.place.column) for f in findings] == found


class TestOptions:
    def refused(self, text, bound=Bound.MAX):
        with pytest.raises(UsageError) as caught:
            option_limit("--max", bound, text)
        assert_readable(caught.value.findings)
        [finding] = caught.value.findings
        return finding

    @pytest.mark.parametrize(
        ("bound", "text", "row"),
        [
            (Bound.MAX, "params=5M", ("max params", 5_000_000, "network")),
            (Bound.MAX, " params = 5 M", ("max params", 5_000_000, "network")),
            (Bound.MIN, "receptive_field=224", ("min receptive_field", 224, "network")),
            (Bound.MAX, "peak_activation_bytes=1KiB", ("max peak_memory", 1024, "network")),
            (Bound.MAX, "macs_share=40%", ("max macs_share", Fraction(2, 5), "layer")),
            (Bound.MAX_INCREASE, "macs=2%", ("max_increase macs", Fraction(1, 50), "network")),
            (Bound.MAX_INCREASE, "params=50k", ("max_increase params", 50_000, "network")),
        ],
    )
    def test_an_option_is_a_limit(self, bound, text, row):
        limit = option_limit("--max", bound, text)
        assert (limit.key, limit.amount, limit.scope.value) == row
        assert limit.text == text.partition("=")[2].strip()
        assert limit.place.text.name == "--max"
        assert marked(limit.place).strip() == limit.text

    @pytest.mark.parametrize("text", ["", "params", "5M", "params:5M", "params=5M\n", "a\nb=5"])
    def test_an_option_is_a_metric_and_a_limit(self, text):
        finding = self.refused(text)
        assert finding.code.id == "E402"
        assert finding.message == f"--max {text!r} is not METRIC=LIMIT"
        assert finding.help == "for example --max params=5M"

    @pytest.mark.parametrize(
        ("text", "code", "token", "hint"),
        [
            ("parms=5M", "E602", "parms", "did you mean `params`?"),
            ("params=", "E601", "", COUNT_HELP),
            ("params=30,000", "E601", "30,000", "write 30000"),
            ("params=-5", "E601", "-5", "a limit is 0 or more"),
            ("params=1=2", "E601", "1=2", COUNT_HELP),
            ("params=nan", "E601", "nan", COUNT_HELP),
            ("params=1e400", "E601", "1e400", COUNT_HELP),
            ("params=.inf", "E601", ".inf", COUNT_HELP),
            ("params=0x10", "E601", "0x10", COUNT_HELP),
            ("params=5.5", "E601", "5.5", "write fewer digits after the point"),
            ("peak_memory=24", "E601", "24", BYTES_HELP),
            ("macs_share=40", "E601", "40", PERCENT_HELP),
            ("macs_share=140%", "E601", "140%", "a share is at most 100%"),
            ("params=5%", "E601", "5%", COUNT_HELP),
        ],
    )
    def test_what_is_wrong_is_pointed_at(self, text, code, token, hint):
        finding = self.refused(text)
        assert (finding.code.id, marked(finding.place), finding.help) == (code, token, hint)

    @pytest.mark.parametrize("text", ["=5", "=", "xyz=5"])
    def test_an_unknown_metric_is_answered_with_all_of_them(self, text):
        finding = self.refused(text)
        assert finding.code.id == "E602"
        assert finding.help.startswith("there are params, ")

    def test_an_increase_is_of_no_share(self):
        finding = self.refused("macs_share=2%", Bound.MAX_INCREASE)
        assert (finding.code.id, finding.help) == ("E605", "bound it by `max` or `min`")

    def test_a_very_long_option_is_answered_in_short(self):
        for text in ("x" * 10**5, "x" * 10**5 + "=5", "params=" + "9" * 10**5):
            self.refused(text)


# -- no text does anything else --------------------------------------------------------------------

WORDS = (
    *("version", "budgets", "spec", "max", "min", "max_increase", "baseline", "layers", "groups"),
    *("match", "limit", "of", "level", "message", "name", "set", "batch", "order", "in_place"),
    *("params", "macs", "peak_memory", "peak_activation_bytes", "macs_share", "time", "dtype"),
    *("1", "5M", "24 MiB", "24", "40%", "-5", ".nan", "1e400", "30,000", "true", "null", "0x10"),
    *("layer", "network", "warn", "best", "net.yaml", "*", "&a", "*a", "!!x", "<<", "a b", "H"),
    *("'", '"', "|", "? ", "---", "#", "(", "1/0", "$", "\t", "é", "\u2028", "x" * 200, "''"),
)
scalars = st.sampled_from(WORDS)
flow = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4).map(lambda items: f"[{', '.join(items)}]")
        | st.lists(st.tuples(scalars, inner), max_size=4).map(
            lambda pairs: f"{{{', '.join(f'{key}: {value}' for key, value in pairs)}}}"
        )
    ),
    max_leaves=12,
)
entries = st.lists(st.tuples(st.sampled_from([*BUDGET_KEYS, "mx"]), flow), max_size=6).map(
    lambda pairs: "".join(f"    {key}: {value}\n" for key, value in pairs)
)
files = (
    entries.map(lambda lines: f"version: 1\nbudgets:\n  - spec: net.yaml\n{lines}")
    | st.tuples(flow, flow).map(lambda parts: f"version: {parts[0]}\nbudgets: {parts[1]}\n")
    | st.lists(st.sampled_from([*WORDS, ": ", "- ", "\n", "  ", "{", "}", "[", "]", ", "])).map(
        lambda parts: f"budgets: {''.join(parts)}"
    )
)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz") / "budgets.yaml"


@given(text=files)
@example(text=f"{BEGIN}    layers: {{}}\n")
@example(text=f"{BEGIN}    set: {{H: {{a: 1}}}}\n")
@example(text=f"{BEGIN}    max: {{1: 2}}\n")
def test_any_text_is_budgets_or_findings(path, text):
    path.write_text(text, encoding="utf-8", newline="")
    try:
        found = read_budget_file(str(path))
    except ConvcalcError as error:
        assert_readable(error.findings)
        return
    for budget in found.budgets if found else ():
        # Nothing passes that bounds nothing, or that is for nothing.
        assert budget.limits
        assert budget.specs
        assert all(limit.amount >= 0 for limit in budget.limits)
        assert all(limit.place for limit in budget.limits)


@given(
    st.tuples(
        st.sampled_from([*metric_names(), "", "parms", " "]), st.sampled_from(["=", "", "=="])
    ).flatmap(lambda parts: st.sampled_from(WORDS).map(lambda word: f"{parts[0]}{parts[1]}{word}"))
    | st.text(max_size=20),
    st.sampled_from(Bound),
)
def test_any_option_is_a_limit_or_findings(text, bound):
    with suppress(UsageError):
        limit = option_limit(f"--{bound.value}", bound, text)
        assert limit.amount >= 0
        assert limit.bound is bound
        assert marked(limit.place).strip() == limit.text
