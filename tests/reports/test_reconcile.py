"""The report of networks under other conventions."""

import csv
import io
import json

import pytest

from convcalc import analyze
from convcalc.conventions import all_conventions, find_convention
from convcalc.conventions.claims import Claim, judged
from convcalc.conventions.counting import Part, counted
from convcalc.conventions.declaration import Form
from convcalc.conventions.written import Written
from convcalc.reports.reconcile import (
    ReconcileReport,
    part_text,
    said_by,
    verdict_lines,
    writing_lines,
    written_json,
)

NET = """
input: [4, 8, 8]
layers:
  - conv: {out_channels: 2, kernel_size: 1, bias: false}
  - {batch_norm: , name: "norm[1]_*"}
"""


@pytest.fixture
def report(spec):
    analysis = analyze(spec(NET))
    counts = tuple(counted(analysis, convention) for convention in all_conventions())
    return ReconcileReport(analysis, counts, None, (), "1.2.3")


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (
            Part("batch_norm", "at 2 per element", 22227968),
            "+22,227,968 batch norm at 2 per element",
        ),
        (Part("", "each multiply-add twice", 12), "+12 each multiply-add twice"),
        (Part("matmul", "multiply-adds left out", -30), "−30 matmul multiply-adds left out"),
    ],
)
def test_a_part_is_told_with_its_sign(part, expected):
    assert part_text(part) == expected


def test_a_tool_is_named_with_its_version_and_its_word():
    assert said_by(find_convention("thop")) == "thop 0.1.1.post2209072238 “MACs”"
    assert said_by(find_convention("convcalc")) == "convcalc “multiply-adds”"


def test_json_has_raw_numbers_whose_parts_add_up(report):
    network = json.loads(report.text("json"))["networks"][0]
    assert json.loads(report.text("json"))["convcalc"] == "1.2.3"
    assert network["inputs"] == {"input": [4, 8, 8]}
    assert "claim" not in network
    for each in network["conventions"]:
        assert each["total"] - network["macs"] == sum(part["amount"] for part in each["parts"])
    fvcore = next(each for each in network["conventions"] if each["name"] == "fvcore")
    assert fvcore == {
        "name": "fvcore",
        "version": "0.1.5.post20221221",
        "word": "flops",
        "total": 768,  # 512 multiply-adds and 2 for each of 128 elements
        "ratio": 1.5,
        "params": 12,
        "parts": [{"kind": "batch_norm", "what": "at 2 per element", "amount": 256}],
    }


def test_the_amounts_of_csv_add_up_to_the_totals(report):
    rows = list(csv.DictReader(io.StringIO(report.text("csv"))))
    totals = {row["convention"]: int(row["total"]) for row in rows}
    for name, total in totals.items():
        assert sum(int(row["amount"]) for row in rows if row["convention"] == name) == total
    assert len(totals) == len(all_conventions())


def test_markdown_has_one_row_a_convention(report):
    text = report.text("markdown")
    assert "| fvcore | 768 | 1.50× | +256 batch norm at 2 per element |" in text
    assert text.count("\n| ") == 2 + len(all_conventions())


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_terminal_gets_lines_that_fit(report, width):
    drawn = io.StringIO()
    report.draw(drawn, color=False, width=width)
    assert max(map(len, drawn.getvalue().splitlines())) <= width
    assert drawn.getvalue().count("Convention ") == 1


def test_how_a_network_is_written_is_told():
    mobilenet = analyze("mobilenet_v2")
    assert list(writing_lines(mobilenet, [])) == [
        "Written as in torchvision/models/mobilenetv2.py: global_avg_pool=function; otherwise as "
        "modules."
    ]
    said = [Written("relu6", Form.FUNCTION)]
    assert list(writing_lines(analyze("alexnet"), said)) == [
        "Layers are taken to be written as modules, where PyTorch has one for them.",
        "Written as asked for: relu6=function.",
    ]


def lines_for(analysis, low, high, others=(), *, of_params=False):
    claim = Claim("that", low, high, of_params)
    return list(verdict_lines(judged(claim, analysis, others)))


def test_several_that_give_a_figure_stand_in_one_sentence_a_size(report):
    # thop counts 4 for each of 128 elements, torch 2 for each of 512 multiply-adds.
    assert lines_for(report.analysis, 1024, 1024) == [
        "that at 8×8 is thop's 1,024 MACs, torch's 1,024 FLOPs (each multiply-add twice)."
    ]


def test_a_figure_of_code_that_is_written_otherwise_says_so(report):
    # Without the norm, which it does not see, calflops has twice the multiply-adds as torch has.
    (line,) = lines_for(report.analysis, 512, 512)
    assert line.startswith("that at 8×8 is convcalc's 512 multiply-adds, ptflops-aten's 512 MACs")
    assert lines_for(report.analysis, 512 + 5, 512 + 5)[0] == (
        "No convention gives that on the spec's input."
    )


def test_twice_what_a_tool_says_is_told_with_what_it_says(report):
    # torchinfo: 512 and the norm's 4 parameters, and twice as much.
    assert lines_for(report.analysis, 1032, 1032) == [
        "that is twice torchinfo's count of net at 8×8: 516 mult-adds."
    ]


def test_operations_and_parameters_that_give_a_figure_are_told_apart(report):
    claim = Claim("that", 12, 512, is_bare=True)
    operations, params = verdict_lines(judged(claim, report.analysis, ()))
    assert operations.startswith("that at 8×8 is convcalc's 512 multiply-adds, ")
    assert params == "that is the number of parameters of net: 12."


def test_how_layers_are_written_is_a_list_in_order():
    said = [Written("relu", Form.FUNCTION), Written("*", Form.MODULE), Written("relu", Form.MODULE)]
    assert written_json(analyze("alexnet"), said) == [
        {"layers": "relu", "form": "function"},
        {"layers": "*", "form": "module"},
        {"layers": "relu", "form": "module"},
    ]


def test_parameters_that_a_tool_misses_are_its_own_count(spec):
    analysis = analyze(spec("input: [4, 5, 5]\nlayers: [group_norm: {num_groups: 2}]"))
    assert lines_for(analysis, 8, 8, of_params=True) == [
        "that is the number of parameters of net: 8."
    ]
    assert lines_for(analysis, 0, 0, of_params=True) == [
        "that is thop's count of parameters of net: 0."
    ]
