"""The documentation says what is so: its commands run, and show what it shows."""

import doctest
import json
import re
import shutil
from pathlib import Path

import generate
import pytest

from convcalc.errors import catalogue
from convcalc.layers import all_kinds
from convcalc.sources.spec.expression import FUNCTIONS
from convcalc.sources.spec.grammar import MODIFIERS, STRUCTURES, TOP_LEVEL_KEYS

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")


@pytest.fixture(scope="module")
def fresh_pages():
    return generate.pages()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_is_what_generating_it_gives(page, fresh_pages):
    # If this fails after a change that was meant: python docs/generate.py, and read the difference.
    assert page.read_text(encoding="utf-8") == fresh_pages[page]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python_in_the_pages_runs(page, tmp_path, monkeypatch):
    blocks = re.findall(r"(?ms)^```pycon\n(.*?)^```$", page.read_text(encoding="utf-8"))
    shutil.copytree(ROOT / "specs", tmp_path / "specs")
    monkeypatch.chdir(tmp_path)
    test = doctest.DocTestParser().get_doctest("\n".join(blocks), {}, page.name, str(page), 0)
    assert doctest.DocTestRunner().run(test).failed == 0


def test_yaml_in_the_pages_has_a_name_or_is_an_example_of_an_error():
    for page in PAGES:
        if page.name != "errors.md":
            assert "```yaml\n" not in page.read_text(encoding="utf-8"), page.name


def test_a_stale_page_would_be_noticed():
    stale = "```console\n$ convcalc --version\nconvcalc 0.0.0\n```\n"
    assert generate.refreshed(stale) != stale


def test_every_code_kind_and_word_is_documented():
    errors = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    layers = (ROOT / "docs" / "layers.md").read_text(encoding="utf-8")
    language = (ROOT / "docs" / "spec.md").read_text(encoding="utf-8")
    for code in catalogue.all_codes():
        assert f"### {code.id}: " in errors
    for kind in all_kinds().values():
        assert f"### `{kind.kind}`" in layers
        for declared in kind.declarations:
            assert f"| `{declared.name}` |" in layers
    for word in (*TOP_LEVEL_KEYS, *MODIFIERS, *STRUCTURES, *FUNCTIONS):
        assert f"`{word}" in language, word


@pytest.mark.parametrize(
    "arguments",
    [
        ("analyze", "lenet5", "--memory", "--device", "a100"),
        ("compare", "lenet5", "alexnet"),
        ("check", "lenet5", "--max", "params=1", "--why"),
        ("explain", "lenet5"),
        ("explain", "lenet5", "c1"),
        ("formula", "lenet5", "--free", "H,W"),
        ("reconcile", "lenet5", "--claim", "1M"),
    ],
    ids=lambda arguments: " ".join(arguments[:2]),
)
def test_the_keys_of_every_report_are_documented(arguments, run):
    text = (ROOT / "docs" / "numbers.md").read_text(encoding="utf-8")
    words = set(re.findall(r"[a-z_]+", " ".join(re.findall(r"`[^`]+`", text))))
    report = json.loads(run(*arguments, "--format", "json").stdout)
    found = set(report)
    for part in ("networks", "layers", "totals"):
        for each in report.get(part, [])[:1]:
            found |= set(each)
    assert found <= words
