"""JUnit reports, held against the schema of Jenkins."""

from pathlib import Path

import pytest
from checks import (
    ACTIVATIONS,
    HOSTILE,
    STEM,
    TOO_LARGE,
    UNJUDGED,
    UNUSED,
    analysis,
    hostile_check,
    network,
    small_check,
    verdict,
)
from lxml import etree

from convcalc.budgets import Check
from convcalc.reports.junit import junit_xml

SCHEMA = etree.XMLSchema(file=str(Path(__file__).parents[1] / "schemas" / "junit-10.xsd"))


def read(check):
    root = etree.fromstring(junit_xml(check).encode())
    SCHEMA.assertValid(root)
    return root


def counts(element):
    return tuple(int(element.get(name)) for name in ("tests", "failures", "errors"))


def test_the_schema_refuses_what_is_no_report():
    assert not SCHEMA.validate(etree.fromstring("<testsuites><testsuite/></testsuites>"))


def test_a_network_is_a_suite_and_a_limit_a_case(tmp_path):
    root = read(small_check(tmp_path))
    assert [suite.get("name") for suite in root] == ["net"]
    # Parameters and stem fail; head, the receptive field (a warning) and multiply-adds pass.
    assert counts(root) == counts(root[0]) == (5, 2, 0)
    assert [case.get("name") for case in root[0]] == [
        "Parameters ≤ 583",
        "stem · activation memory ≤ 4095 B",
        "activation memory of 1 other layer ≤ 4095 B",
        "Receptive field ≥ 5",
        "Multiply-adds ≤ 35.84k",
    ]


def test_a_failure_says_what_the_terminal_says(tmp_path):
    failure = read(small_check(tmp_path)).find("testsuite/testcase/failure")
    assert failure.get("type") == "B601"
    assert failure.get("message") == "parameters 584 exceed 583 by 1 (0.2 %)"
    assert failure.text == (
        "budgets.yaml:3:19: error[B601]: parameters 584 exceed 583 by 1 (0.2 %)\n"
        "  |\n"
        "3 |   - max: {params: 583}\n"
        "  |                   ^^^\n"
        "  = help: See docs/budgets.md.\n"
    )


def test_a_warning_passes_and_is_told(tmp_path):
    case = read(small_check(tmp_path))[0][3]
    assert [child.tag for child in case] == ["system-out"]
    assert "warning[B602]: receptive field 3 falls short" in case[0].text


def test_if_strict_a_warning_fails(tmp_path):
    root = read(small_check(tmp_path, strict=True, findings=(UNUSED,)))
    assert [counts(suite) for suite in root] == [(1, 0, 1), (5, 3, 0)]
    assert "error[B602]" in root[1][3][0].text


def test_many_layers_within_a_limit_are_one_case(tmp_path):
    held = [verdict(ACTIVATIONS, value, f"l{value}") for value in range(1000, 1999)]
    (case,) = read(Check((network(analysis(tmp_path), *held),)))[0]
    assert case.get("name") == "activation memory of 999 layers ≤ 4095 B"
    assert case[0].text == (
        "the tightest is l1998 · activation memory ≤ 4095 B: 1.95 KiB (1,998 B)"
    )
    (suite,) = read(Check((network(analysis(tmp_path), *held, TOO_LARGE),)))
    assert counts(suite) == (2, 1, 0)


def test_what_cannot_be_judged_is_an_error_in_a_suite_of_its_own(tmp_path):
    root = read(small_check(tmp_path, findings=(UNJUDGED, UNUSED)))
    first = root[0]
    assert first.get("name") == "specs and budgets"
    assert counts(first) == (2, 0, 1)
    assert counts(root) == (7, 2, 1)
    case, warned = first
    assert case.get("classname") == "budgets.yaml"
    assert case.get("name") == "E104: unknown key at budgets.yaml:3:11"
    assert case[0].tag == "error"
    assert "did you mean `params`?" in case[0].text
    assert [child.tag for child in warned] == ["system-out"]


def test_a_budget_has_its_name_in_that_of_the_suite(tmp_path):
    root = read(Check((network(analysis(tmp_path), TOO_LARGE, name="mobile"),)))
    assert root[0].get("name") == "net · mobile"


def test_the_file_of_the_suite_is_the_spec(tmp_path):
    found = analysis(tmp_path)
    placed = found._replace(layers=(found.layers[0]._replace(place=STEM),))
    assert read(Check((network(placed, TOO_LARGE),)))[0].get("file") == "net.yaml"
    bare = found._replace(layers=(found.layers[0]._replace(place=None),))
    assert read(Check((network(bare, TOO_LARGE),)))[0].get("file") is None


def test_a_report_of_nothing_is_valid_too():
    assert counts(read(Check(()))) == (0, 0, 0)


def test_names_are_harmless(tmp_path):
    root = read(hostile_check(tmp_path))
    shown = "a\\x1b[31m\\n::error::x]]>\"'`|@you<b>&%,:](http://x)\\u202e\\udcff"
    assert root[1].get("name") == f"{shown} · {shown}"
    assert root[1][0].get("name").startswith(shown)
    assert root[0][0][0].get("message") == shown


@pytest.mark.parametrize("character", ["\0", "\x0b", "\ufffe", "\uffff", "\udfff", "\x85", "\r"])
def test_characters_that_xml_cannot_hold_are_written_out(tmp_path, character):
    found = analysis(tmp_path)._replace(name=f"a{character}b", spec=HOSTILE)
    name = read(Check((network(found, TOO_LARGE),)))[0].get("name")
    assert name == f"a{character.encode('unicode_escape').decode()}b"
