"""Workflow commands."""

import pytest
from checks import (
    OPTION,
    PARAMS,
    TOO_NARROW,
    UNJUDGED,
    UNUSED,
    analysis,
    hostile_check,
    network,
    small_check,
    verdict,
)

from convcalc.budgets import Check
from convcalc.errors import Place, Related, SourceText
from convcalc.reports.github import workflow_commands


@pytest.fixture(autouse=True)
def no_checkout(monkeypatch):
    monkeypatch.delenv("GITHUB_WORKSPACE", raising=False)


def test_the_whole_report(tmp_path):
    # `stem` is 4 characters from column 5 on: it ends before column 9.
    assert workflow_commands(small_check(tmp_path)) == (
        "::error file=budgets.yaml,line=3,col=19,endColumn=22,"
        "title=B601%3A more than the budget has::"
        "parameters 584 exceed 583 by 1 (0.2 %25)%0Ahelp: See docs/budgets.md.\n"
        "::error file=net.yaml,line=3,col=5,endColumn=9,"
        "title=B601%3A more than the budget has::"
        "`stem`: activation memory 4,096 B exceeds%0Abudget: budgets.yaml:3:19\n"
        "::warning file=budgets.yaml,line=3,col=19,endColumn=22,"
        "title=B602%3A less than the budget asks for::receptive field 3 falls short of 5 by 2\n"
        "over budget: 2 of 4 limits, 1 warning\n"
    )


def test_errors_come_first_and_what_cannot_be_judged_before_them(tmp_path):
    check = small_check(tmp_path, findings=(UNUSED, UNJUDGED))
    levels = [line.split(" ")[0] for line in workflow_commands(check).splitlines()]
    assert levels == ["::error"] * 3 + ["::warning"] * 2 + ["cannot"]
    assert "`parms`" in workflow_commands(check).splitlines()[0]


def test_if_strict_there_are_no_warnings(tmp_path):
    found = network(analysis(tmp_path), TOO_NARROW)
    assert workflow_commands(Check((found,), strict=True)).startswith("::error file=budgets.yaml")


def test_files_are_relative_to_the_checkout(tmp_path, monkeypatch):
    (tmp_path / "nets").mkdir()
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    check = small_check(tmp_path)
    monkeypatch.chdir(tmp_path / "nets")
    assert "::error file=nets/net.yaml,line=3," in workflow_commands(check)


def test_what_is_in_no_file_names_none(tmp_path):
    of = PARAMS._replace(place=OPTION, message=None)
    over = verdict(of, 584, says="parameters 584 exceed 583")
    line = workflow_commands(Check((network(analysis(tmp_path), over),))).splitlines()[0]
    assert line == (
        "::error title=B601%3A more than the budget has::"
        "parameters 584 exceed 583%0Aat: --max params:1:1"
    )


def test_a_layer_of_a_shipped_network_is_shown_in_the_budget(tmp_path):
    shipped = Place(SourceText("lenet5", "a\nb\n"), 2, 1)
    over = verdict(PARAMS, 584, says="parameters 584 exceed 583", place=shipped)
    line = workflow_commands(Check((network(analysis(tmp_path), over),))).splitlines()[0]
    assert line.startswith("::error file=budgets.yaml,line=3,col=19,")
    assert line.endswith(
        "::parameters 584 exceed 583%0Aat: lenet5:2:1%0Ahelp: See docs/budgets.md."
    )


def test_no_name_can_begin_a_command_or_a_property(tmp_path):
    text = workflow_commands(hostile_check(tmp_path))
    lines = text.splitlines()
    assert len(lines) == 3
    for line in lines[:2]:
        _, properties, _message = line.split("::", 2)
        names = [each.partition("=")[0] for each in properties.removeprefix("error ").split(",")]
        assert names == ["file", "line", "col", "endColumn", "title"]


def test_a_finding_with_related_places_tells_them(tmp_path):
    other = Place(SourceText("--max params", "5M"), 1, 1)
    check = Check((), (UNJUDGED._replace(related=(Related("the first", other),), help=None),))
    assert "::unknown key `parms`%0Athe first: --max params:1:1\n" in workflow_commands(check)
