"""The catalogue of codes: each is unique, used, and brought about by the example it gives."""

import re
from pathlib import Path

import pytest

from convcalc.analysis import analyze_graph
from convcalc.analysis.published import published_findings
from convcalc.checking import CheckRequest, check_networks
from convcalc.errors import ConvcalcError, catalogue
from convcalc.sources import load

CODES = catalogue.all_codes()
NAMES = {
    value: name for name, value in vars(catalogue).items() if isinstance(value, catalogue.Code)
}
PACKAGE = Path(catalogue.__file__).parent.parent

by_id = pytest.mark.parametrize("code", CODES, ids=lambda code: code.id)


def findings_of(path):
    """Everything that is said of a spec: errors, or warnings of its graph and its figures.

    One with a budget is held against it.
    """
    if "budget:" in path.read_text(encoding="utf-8"):
        check = check_networks(CheckRequest((str(path),))).check
        return (*check.findings, *check.exceeded)
    try:
        graph = load(str(path))
    except ConvcalcError as error:
        return error.findings
    return (*graph.warnings, *published_findings(analyze_graph(graph)))


def test_ids_are_unique_and_in_order():
    ids = [code.id for code in CODES]
    assert ids == sorted(set(ids), key=lambda name: ("EBW".index(name[0]), name))
    assert len(NAMES) == len(CODES)


def test_titles_are_unique():
    assert len({code.title for code in CODES}) == len(CODES)


@by_id
def test_a_code_is_well_formed(code):
    assert re.fullmatch(r"E[0-4]\d\d|[EB]6\d\d|W5\d\d", code.id)
    assert code.title == code.title.strip().rstrip(".")
    assert code.meaning.endswith(".")


@by_id
def test_a_code_is_used_somewhere(code):
    uses = re.compile(rf"catalogue\.{NAMES[code]}\b")
    sources = (path for path in PACKAGE.rglob("*.py") if path.parent.name != "errors")
    assert any(uses.search(path.read_text(encoding="utf-8")) for path in sources)


@pytest.mark.parametrize(
    "code", [code for code in CODES if code.example is not None], ids=lambda code: code.id
)
def test_an_example_brings_its_code_about(code, tmp_path):
    path = tmp_path / "net.yaml"
    path.write_text(code.example, encoding="utf-8")
    assert code.id in {finding.code.id for finding in findings_of(path)}


@pytest.mark.parametrize(
    "code", [code for code in CODES if code.example is not None], ids=lambda code: code.id
)
def test_an_example_shows_its_code_and_no_other(code, tmp_path):
    path = tmp_path / "net.yaml"
    path.write_text(code.example, encoding="utf-8")
    assert {finding.code.id for finding in findings_of(path)} == {code.id}


@by_id
def test_what_a_code_means_is_told_by_an_example_a_command_or_its_words(code):
    assert not (code.example and code.command)
    if code.command is not None:
        assert code.command.split()[0] in {
            "analyze",
            "compare",
            "check",
            "explain",
            "formula",
            "reconcile",
        }


def test_every_other_code_is_brought_about_somewhere():
    # Those without an example need a file that is no text, a free symbol, the file system, a
    # repository, a saved report, or more limits than anybody would write.
    without = {code.id for code in CODES if code.example is None and code.command is None}
    of_files = {"E003", "E004", "E005", "E006", "E019", "E207"}
    assert without == of_files | {"E405", "E406", "E606", "E608", "E611"}
