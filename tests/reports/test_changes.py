"""What changed in a network since a revision."""

import csv
import io
import json

import pytest
from reading import build

from convcalc.analysis import analyze_graph
from convcalc.analysis.comparison import changes
from convcalc.analysis.grouping import groups_at
from convcalc.reports.compare import changes_sheet, signed_count
from convcalc.reports.json_report import change_json
from convcalc.reports.report import changes_report

BEFORE = """
input: [3, 8, 8]
layers:
  - {conv: {out_channels: 4, kernel_size: 3}, name: wide}
  - relu
  - {max_pool: {kernel_size: 2}, name: pool}
  - {conv: {out_channels: 4, kernel_size: 1, groups: 4, bias: false}, name: mix}
"""
AFTER = """
input: [3, 8, 8]
layers:
  - {conv: {out_channels: 4, kernel_size: 5, padding: 1}, name: wide}
  - gelu
  - {avg_pool: {kernel_size: 2}, name: pool}
  - {conv: {out_channels: 6, kernel_size: 1, bias: false}, name: mix}
"""


def analyzed(text, name="net"):
    return analyze_graph(build(text))._replace(name=name)


def sheet_of(before, after, **options):
    return changes_sheet(analyzed(before, "net at main"), analyzed(after), **options)


def report_of(*pairs, depth=None):
    analyses = [
        (analyzed(before, "as it was called"), analyzed(after, f"net{number}"))
        for number, (before, after) in enumerate(pairs, start=1)
    ]
    return changes_report(analyses, "origin/main", depth=depth, version="1.2.3")


def chain(*channels, groups=1):
    """1×1 convs in ``groups`` groups of that many, without bias, on one position."""
    blocks = "".join(
        f"  - name: g{group}\n    layers:\n"
        + "".join(
            f"      - {{conv: {{out_channels: {out}, kernel_size: 1, bias: false}}, "
            f"name: c{number}}}\n"
            for number, out in enumerate(channels)
        )
        for group in range(groups)
    )
    return f"input: [1, 1, 1]\nlayers:\n{blocks}"


class TestTheSheet:
    def test_rows_that_differ_before_and_now(self):
        sheet = sheet_of(BEFORE, AFTER)
        assert [column.title for column in sheet.columns] == [
            "Layer",
            "Kind",
            "Output",
            "macs before",
            "macs now",
            "difference",
            "params before",
            "params now",
            "difference",
        ]
        assert sheet.rows == (
            # 4·3·3² = 108 weights at 6·6 positions, 4 biases; 4·3·5² = 300 at (8 + 2 − 5 + 1)²
            ("~ wide", "conv", "4×6×6", "3,888", "10,800", "+6,912", "112", "304", "+192"),
            ("+ gelu", "gelu", "4×6×6", "–", "0", "0", "–", "0", "0"),
            ("- relu", "relu", "4×6×6", "0", "–", "0", "0", "–", "0"),
            ("~ pool", "max_pool → avg_pool", "4×3×3", "0", "0", "0", "0", "0", "0"),
            # each channel by itself: 4 weights at 9 positions; 4·6 of them
            ("~ mix", "conv", "4×3×3 → 6×3×3", "36", "216", "+180", "4", "24", "+20"),
        )
        assert sheet.totals == (
            ("Total", "", "", "3,924", "11,016", "+7,092", "116", "328", "+212"),
        )
        assert sheet.lines == (
            "3 layers changed, 1 added, 1 removed; the others are as they were.",
        )
        assert sheet.title == "What changed from net at main to net"

    def test_what_got_cheaper_has_a_minus(self):
        sheet = sheet_of(AFTER, BEFORE)
        assert sheet.rows[0][3:] == ("10,800", "3,888", "-6,912", "304", "112", "-192")
        assert sheet.totals[0][5] == "-7,092"

    def test_layers_that_are_as_they_were_have_no_row(self):
        sheet = sheet_of(BEFORE, BEFORE.replace("groups: 4, ", ""))
        # 4·4 weights in place of 4, at 9 positions
        assert sheet.rows == (
            ("~ mix", "conv", "4×3×3", "36", "144", "+108", "4", "16", "+12"),
        )  # fmt: skip
        assert sheet.lines[0] == "1 layer changed, 0 added, 0 removed; the others are as they were."

    def test_of_a_network_that_did_not_change_the_total_is_left(self):
        sheet = sheet_of(BEFORE, BEFORE)
        assert sheet.rows == ()
        assert sheet.totals == (("Total", "", "", "3,924", "3,924", "0", "116", "116", "0"),)
        assert sheet.lines == ("No layer has changed in kind, output or cost.",)

    def test_a_difference_that_the_columns_do_not_show_is_named(self):
        # A window of 3 in place of 2, one padded on: the same output, from more comparisons.
        other = BEFORE.replace("kernel_size: 2}", "kernel_size: 3, stride: 2, padding: 1}")
        sheet = sheet_of(BEFORE, other)
        assert sheet.rows == (("~ pool", "max_pool", "4×3×3", "0", "0", "0", "0", "0", "0"),)
        assert sheet.lines[1] == (
            "Where a row shows no difference, there is one in FLOPs, comparisons."
        )

    @pytest.mark.parametrize(
        ("number", "written"), [(1234, "+1,234"), (-1, "-1"), (0, "0"), (-(10**6), "-1,000,000")]
    )
    def test_differences_are_signed_and_exact(self, number, written):
        assert signed_count(number) == written


class TestFolding:
    def test_as_many_rows_as_can_be_read_are_layers(self):
        sheet = sheet_of(chain(*[2] * 40), chain(*[3] * 40))
        assert len(sheet.rows) == 40
        assert sheet.rows[0][0] == "~ g0.c0"
        assert len(sheet.lines) == 1

    def test_more_are_folded_into_groups(self):
        before, after = chain(*[2] * 21, groups=2), chain(*[3] * 21, groups=2)
        sheet = sheet_of(before, after)
        # In g0 1·2 and 20 times 2·2 weights, 1·3 and 20·9 now; in g1 21 times 2·2, and 21·9 now.
        assert sheet.rows == (
            ("~ g0", "21 layers", "2×1×1 → 3×1×1", "82", "183", "+101", "82", "183", "+101"),
            ("~ g1", "21 layers", "2×1×1 → 3×1×1", "84", "189", "+105", "84", "189", "+105"),
        )
        assert sheet.lines == (
            "42 layers changed, 0 added, 0 removed; the others are as they were.",
            "Layers are folded into groups; `--depth all` shows every layer.",
        )

    def test_only_what_changed_counts(self):
        # 60 layers, of which the last two differ.
        sheet = sheet_of(chain(*[2] * 60), chain(*[2] * 58, 2, 3))
        assert [row[0] for row in sheet.rows] == ["~ g0.c59"]
        sheet = sheet_of(chain(*[2] * 60), chain(*[2] * 58, 3, 2))
        assert [row[0] for row in sheet.rows] == ["~ g0.c58", "~ g0.c59"]

    def test_a_depth_that_was_asked_for_is_kept(self):
        before, after = chain(*[2] * 41), chain(*[3] * 41)
        assert len(sheet_of(before, after, depth=None).rows) == 41
        assert [row[0] for row in sheet_of(before, after, depth=1).rows] == ["~ g0"]
        assert len(sheet_of(before, after, depth=1).lines) == 1

    def test_a_group_that_is_new_has_its_layers_in_the_count(self):
        sheet = sheet_of(chain(1, 1), chain(1, 1, groups=2), depth=1)
        assert sheet.rows == (("+ g1", "2 layers", "1×1×1", "–", "2", "+2", "–", "2", "+2"),)
        assert sheet.lines[0].startswith("0 layers changed, 2 added, 0 removed;")

    def test_of_very_many_the_first_and_the_last_are_shown(self):
        def flat(out):
            convs = "".join(
                f"  - {{conv: {{out_channels: {out}, kernel_size: 1}}, name: c{n}}}\n"
                for n in range(500)
            )
            return f"input: [1, 1, 1]\nlayers:\n{convs}"

        sheet = sheet_of(flat(1), flat(2))
        assert len(sheet.rows) == 41
        assert sheet.rows[20][0] == "… 460 more …"
        assert len(sheet_of(flat(1), flat(2), depth=None).rows) == 500


class TestTheReport:
    def test_each_spec_has_a_comparison_and_its_changes(self):
        text = report_of((BEFORE, AFTER), (BEFORE, BEFORE)).text("plain")
        titles = [part.splitlines()[0] for part in text.split("\n\n")]
        assert titles == [
            "Comparison with net1 at origin/main",
            "What changed from net1 at origin/main to net1",
            "Comparison with net2 at origin/main",
            "What changed from net2 at origin/main to net2",
        ]
        # 11,016/3,924 = 2.807, 328/116 = 2.828
        assert (
            "net1 uses 2.81× more multiply-adds and 2.83× more parameters than net1 at origin/main."
        ) in text.splitlines()
        assert "~ mix   conv" in text

    def test_markdown_keeps_the_marks(self):
        lines = report_of((BEFORE, AFTER)).text("markdown").splitlines()
        assert r"| \~ mix | conv | 4×3×3 → 6×3×3 | 36 | 216 | +180 | 4 | 24 | +20 |" in lines
        assert "| + gelu | gelu | 4×6×6 | – | 0 | 0 | – | 0 | 0 |" in lines

    @pytest.mark.parametrize("after", [AFTER, BEFORE])
    def test_a_narrow_terminal_keeps_names_and_differences(self, after):
        stream = io.StringIO()
        report_of((BEFORE, after)).draw(stream, color=False, width=60)
        text = stream.getvalue()
        assert all(len(line) <= 60 for line in text.splitlines())
        assert ("~ mix" in text) == (after is AFTER)
        assert ("+7,092" in text) == (after is AFTER)
        assert "macs before" not in text

    def test_a_depth_is_for_the_changes(self):
        report = report_of((chain(2, 2), chain(3, 3)), depth=1)
        assert "~ g0 " in report.text("plain")
        assert "g0.c0" not in report.text("plain")
        assert "~ g0.c0" in report_of((chain(2, 2), chain(3, 3)), depth="all").text("table")

    def test_a_pipe_gets_every_layer(self):
        report = report_of((chain(*[2] * 41), chain(*[3] * 41)))
        assert "~ g0.c40" in report.text("plain")
        assert "~ g0.c40" not in report.text("table")

    def test_csv_has_the_metrics_of_each_network_and_its_ratio(self):
        text = report_of((BEFORE, AFTER), (AFTER, BEFORE)).text("csv")
        rows = [row for row in csv.reader(io.StringIO(text)) if row[1] in {"metric", "macs"}]
        assert rows == [
            ["network", "metric", "value", "ratio"],
            ["net1 at origin/main", "macs", "3924", "1.0"],
            ["net1", "macs", "11016", str(11016 / 3924)],
            ["net2 at origin/main", "macs", "11016", "1.0"],
            ["net2", "macs", "3924", str(3924 / 11016)],
        ]


class TestJson:
    def test_one_pair_is_a_comparison_with_its_changes(self):
        report = json.loads(report_of((BEFORE, AFTER)).text("json"))
        assert (report["schema_version"], report["convcalc"]) == (1, "1.2.3")
        assert [network["name"] for network in report["networks"]] == [
            "net1 at origin/main",
            "net1",
        ]
        comparison = report["comparison"]
        assert comparison["reference"] == "net1 at origin/main"
        assert [each["macs"] for each in comparison["ratios"]] == [1.0, 11016 / 3924]
        assert [(each["mark"], each["name"]) for each in comparison["changes"]] == [
            ("~", "wide"),
            ("+", "gelu"),
            ("-", "relu"),
            ("~", "pool"),
            ("~", "mix"),
        ]
        assert report["comparisons"] == [comparison]

    def test_several_pairs_are_several_comparisons(self):
        report = json.loads(report_of((BEFORE, AFTER), (BEFORE, BEFORE)).text("json"))
        assert [network["name"] for network in report["networks"]] == [
            "net1 at origin/main",
            "net1",
            "net2 at origin/main",
            "net2",
        ]
        first, second = report["comparisons"]
        assert report["comparison"] == first
        assert second["reference"] == "net2 at origin/main"
        assert [each["name"] for each in second["ratios"]] == ["net2 at origin/main", "net2"]
        assert second["changes"] == []

    def test_a_change_has_everything_of_a_layer_on_both_sides(self):
        before, after = analyzed(BEFORE), analyzed(AFTER)
        *_, mix = changes(before.layers, after.layers)
        found = change_json(mix)
        assert {key: found[key] for key in ("mark", "name")} == {"mark": "~", "name": "mix"}
        # 4 weights of 4 bytes, each once at 9 positions: 36 macs, 36 outputs of 4 bytes
        assert found["before"] == {
            "kind": "conv",
            "output_shape": [4, 3, 3],
            "params": 4,
            "buffers": 0,
            "macs": 36,
            "flops": 72,
            "operations": {
                "adds": 0,
                "multiplies": 0,
                "divides": 0,
                "comparisons": 0,
                "exponentials": 0,
            },
            "activation_elements": 36,
            "activation_bytes": 144,
            "weight_bytes": 16,
        }
        assert (found["after"]["output_shape"], found["after"]["macs"]) == ([6, 3, 3], 216)

    def test_what_is_not_there_is_null(self):
        _, new, gone, *_ = changes(analyzed(BEFORE).layers, analyzed(AFTER).layers)
        assert change_json(new)["before"] is None
        assert change_json(new)["after"]["kind"] == "gelu"
        assert change_json(gone)["after"] is None
        assert change_json(gone)["before"]["kind"] == "relu"

    def test_a_group_can_be_written_too(self):
        (change,) = changes(
            groups_at(analyzed(chain(1, 1)), 1), groups_at(analyzed(chain(1, 2)), 1)
        )
        found = change_json(change)
        # 1·1 and 1·1 weights; 1·1 and 1·2
        assert (found["name"], found["before"]["kind"]) == ("g0", "2 layers")
        assert (found["before"]["params"], found["after"]["params"]) == (2, 3)
        json.dumps(found)
