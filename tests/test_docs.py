"""The documentation says what is so: its commands run, and show what it shows."""

import csv
import doctest
import json
import re
import shutil
from pathlib import Path

import generate
import pytest
from picture import text_of

import convcalc
from convcalc.conventions import all_conventions
from convcalc.errors import catalogue
from convcalc.layers import all_kinds
from convcalc.sources.spec.expression import FUNCTIONS
from convcalc.sources.spec.grammar import MODIFIERS, STRUCTURES, TOP_LEVEL_KEYS

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
LINKED_PAGES = [*PAGES, ROOT / "CHANGELOG.md", *sorted((ROOT / "benchmarks").glob("*.md"))]
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)")
FENCED = re.compile(r"(?ms)^```.*?^```$")
PICTURES = generate.pictures()


def anchors(page):
    """The anchors of the headings of a page, as GitHub makes them."""
    made = []
    for title in re.findall(r"(?m)^#+ (.*)$", FENCED.sub("", page)):
        slug = re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-")
        made.append(f"{slug}-{again}" if (again := made.count(slug)) else slug)
    return set(made)


@pytest.fixture(scope="module")
def fresh_pages():
    return generate.pages()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_is_what_generating_it_gives(page, fresh_pages):
    # If this fails after a change that was meant: python docs/generate.py, and read the difference.
    assert page.read_text(encoding="utf-8") == fresh_pages[page]


@pytest.mark.parametrize("page", LINKED_PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target, anchor in LINK.findall(FENCED.sub("", page.read_text(encoding="utf-8"))):
        file = page.parent / target if target else page
        assert file.exists(), target
        if anchor:
            assert anchor in anchors(file.read_text(encoding="utf-8")), f"{target}#{anchor}"


def test_an_anchor_is_what_a_heading_becomes():
    page = "# What is it?\n## a · b\n### `conv`\n```text\n# no heading\n```\n# What is it?\n"
    assert anchors(page) == {"what-is-it", "a--b", "conv", "what-is-it-1"}
    assert LINK.findall("[a](b.md#c) [d](#e) [f](g/h.svg) [i](https://j.k/#l)") == [
        ("b.md", "c"),
        ("", "e"),
        ("g/h.svg", ""),
    ]


def test_the_readme_leads_to_every_page():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    linked = {(ROOT / target).resolve() for target, _ in LINK.findall(readme) if target}
    assert set(LINKED_PAGES) - linked == {ROOT / "README.md"}


@pytest.mark.parametrize("file", PICTURES, ids=lambda file: file.name)
def test_a_picture_shows_what_its_command_shows(file):
    command = PICTURES[file]
    svg = file.read_text(encoding="utf-8")
    assert text_of(svg) == f"$ {command}\n{generate.shown_text(command)}"
    # It shows the same anywhere, and asks nothing of another site.
    assert not re.findall(r"https?://(?!www\.w3\.org/2000/svg)", svg)
    assert "<script" not in svg
    assert len(svg) < 20_000


@pytest.mark.parametrize("file", PICTURES, ids=lambda file: file.name)
def test_a_picture_is_drawn_the_same_each_time(file):
    assert generate.picture(file, PICTURES[file]) == generate.picture(file, PICTURES[file])


def test_there_are_pictures_and_every_picture_is_in_a_page():
    assert set(PICTURES) == set((ROOT / "docs" / "images").iterdir())


def test_the_words_for_a_picture_say_what_it_shows():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (words,) = re.findall(r"!\[[^.]*\. ([^\]]*)\]", readme)
    shown = " ".join(text_of(next(iter(PICTURES)).read_text(encoding="utf-8")).split())
    assert words in shown


def test_the_figures_in_the_text_of_the_readme_are_computed():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    costs = convcalc.analyze("inception_bottleneck")
    (twice,) = (layer.macs for layer in costs.layers if layer.name == "conv3x3.conv2")
    assert f"{costs.macs:,} + {twice:,} = {costs.macs + twice:,}" in readme
    assert round((costs.macs + twice) / 1e6) == 358
    with (ROOT / "tests" / "figures" / "torchvision.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert f"{len(rows)} networks of\n  torchvision to the digit" in readme


def test_the_table_of_other_tools_names_those_that_are_reproduced():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (head,) = re.findall(r"(?m)^\| \| convcalc \|.*$", readme)
    named = {cell.strip() for cell in head.split("|")}
    tools = {each.name for each in all_conventions() if not each.is_own}
    assert tools - {"ptflops-aten", "torch"} | {"torch's counter"} <= named


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
