"""The course: each of its numbers is convcalc's, and each of its exercises can be done."""

import re
import shlex
from pathlib import Path

import pytest

PAGE = (Path(__file__).parent.parent / "docs" / "learn.md").read_text(encoding="utf-8")

BLOCK = re.compile(r"(?ms)^```(?P<kind>\w+) ?(?P<name>\S*)\n(?P<body>.*?)^```$")
# What stands in the text and is no statement: blocks, footnotes with their years, where links lead,
# the numbers of sections.
NO_STATEMENT = re.compile(
    r"(?ms)^```.*?^```$|^\[\^\w+\]:[^\n]*$|(?<=\])\([^)]*\)|(?<=^## )\d+\.|\bsection \d+\b"
)
# A digit after a letter, a point or a hyphen is part of a name: conv1, k_3, ResNet-50.
NUMBER = re.compile(r"(?<![\w.-])(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?")
NUMBER_TYPED = re.compile(r"(?<![\w.-])\d+(?:\.\d+)?")

# What the commands of the exercises have to show, by section.
ANSWERS = {
    "1": (
        "1×100×100",  # (1000 − 10)/10 + 1 = 100
        "1×124×124",  # (1000 − 10)/8 = 123.75: 123 + 1
    ),
    "2": (
        "columns of C, one input channel  H·W = 4·4 = 16",
        # 4 corners see 4 pixels, 8 edges 6, 4 in the middle 9: 16 + 48 + 36 = 100
        "(4·3 − 2)·(4·3 − 2) = 100",
    ),
    "3": ("= 230,400",),  # 640·360
    "4": ("64·112·112·(3/1)·7·7 = 118,013,952",),
    "5": (
        "120·1·1·(16/1)·5·5 = 48,000",
        "120·400 + 120 = 48,120",  # 16·5·5 = 400
    ),
    "6": (
        "387,072",  # 192·(64 + 9·128 + 25·32)
        "163,328",  # 192·(64 + 96 + 16 + 32) + 9·96·128 + 25·16·32
        "416×28×28",  # 64 + 128 + 32 + 192
        "256×28×28",  # 64 + 128 + 32 + 32
    ),
    "7": ("C_out × C_in/g × k_h × k_w = 32×4×3×3 = 1,152 elements",),
    "8": ("0.0420×",),  # 1/512 + 1/25 = 0.00195 + 0.04
    "9": (
        "200,704",  # 7·7·64·64
        "110,592",  # 3 · 3·3·64·64
    ),
    "10": (
        "= 1 + 2·(3 − 1)·1 = 5",
        "w00   · w01   · w02   ·   ·   ·   ·   · w10   · w11",
    ),
    "11": (
        "8×27×27",  # (14 − 1)·2 − 2 + 3
        "8×28×28",  # (14 − 1)·2 − 2 + 4
    ),
    "12": ("stage3", "267×267", "3×224×224"),
    "13": (
        "2.23×",
        "1.90×",  # 1.2 · 1.1² · (8/7)² = 1.896
    ),
    "14": (
        "peak activations 512.00 KiB",  # 2 · 64·64·64 bytes
        "state of adam 2.55 MiB",  # 2 · 334,144 · 4 bytes
    ),
    "15": (
        "27,648",  # 3·3·3·32·32
        "1,024",  # 32·32, whatever the kernel
    ),
}


def sections(page):
    """The sections of a page, each with its heading."""
    return [f"## {text}" for text in page.split("\n## ")[1:]]


def statements(page):
    """The page with blanks for all but its statements, so that places stay what they are."""
    return NO_STATEMENT.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), page)


def known(section):
    """All numbers that a section's blocks show or take in."""
    numbers = set()
    for block in BLOCK.finditer(section):
        for line in block["body"].splitlines():
            typed = block["kind"] != "console" or line.startswith("$ ")
            numbers |= set((NUMBER_TYPED if typed else NUMBER).findall(line))
    return numbers


def out_of_nowhere(page):
    """The numbers that a page states and no block of the same section has."""
    introduction = statements(page).split("\n## ")[0]
    return NUMBER.findall(introduction) + [
        number
        for section in sections(page)
        for number in NUMBER.findall(statements(section))
        if number not in known(section)
    ]


def test_every_number_is_asked_of_convcalc_or_told_by_it():
    assert out_of_nowhere(PAGE) == []


def test_a_wrong_number_would_be_noticed():
    stated = [n for n in NUMBER.finditer(statements(PAGE)) if len(re.sub(r"\D", "", n[0])) > 2]
    assert len(stated) > 30
    for number in stated:
        wrong = number[0][:-1] + str((int(number[0][-1]) + 1) % 10)
        assert out_of_nowhere(PAGE[: number.start()] + wrong + PAGE[number.end() :]) == [wrong]


@pytest.mark.parametrize(
    ("statement", "noticed"),
    [
        ("It has 9,216 weights, 0.250× as many as before.", []),
        ("It has 9216 weights.", ["9216"]),
        ("It has 9,217 weights.", ["9,217"]),
        ("It has 216 weights.", ["216"]),
        ("There are 3 channels of 24×32.", []),
        ("There are 3,242 of them.", ["3,242"]),
        ("What the next section shows is 77.", ["77"]),
        ("`conv1` of ResNet-50, as in section 4 and [elsewhere](page8.md).", []),
        ("A footnote[^one] has a year.\n\n[^one]: Someone (1999), section 3.", []),
    ],
)
def test_what_counts_as_a_number_that_convcalc_told(statement, noticed):
    page = (
        f"# A page\n\n## 1. One\n\n{statement}\n\n"
        "```console\n$ convcalc layer relu --input 3,24,32\n9,216  0.250×\n```\n\n"
        "## 2. Two\n\n```console\n$ convcalc --version\n77\n```\n"
    )
    assert out_of_nowhere(page) == noticed


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the specs that the page writes."""
    made = tmp_path_factory.mktemp("learn")
    for block in BLOCK.finditer(PAGE):
        if block["kind"] == "yaml":
            (made / block["name"]).write_text(block["body"], encoding="utf-8")
    return made


@pytest.mark.parametrize("section", sections(PAGE), ids=lambda section: section.splitlines()[0][3:])
def test_a_section_has_an_exercise_whose_commands_tell_the_answer(section, folder, run):
    assert section.count("\n**Exercise.** ") == 1
    # Nothing but the commands follows the question.
    (commands,) = [block["body"] for block in BLOCK.finditer(section) if block["kind"] == "sh"]
    shown = ""
    for command in commands.splitlines():
        assert f"$ {command}\n" not in section, "the answer stands above the question"
        program, *arguments = shlex.split(command)
        done = run(*arguments, cwd=folder)
        assert (program, done.returncode, done.stderr) == ("convcalc", 0, "")
        shown += done.stdout
    for answer in ANSWERS[section.split(". ")[0][3:]]:
        assert answer in shown
