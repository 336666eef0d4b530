"""Write the pages that are made from the code, and bring the outputs in the others up to date.

    python docs/generate.py

``errors.md``, ``layers.md`` and ``library.md`` are made whole, and the tables of other pages that
list all words of the spec language, or how other tools count. In every page the blocks marked
``console`` are run: a line that starts with ``$`` is a command, what follows is what it shows in a
terminal of `COLUMNS`. A block marked ``yaml NAME`` is the file NAME of the commands below it. A
comment ``picture of: COMMAND`` before an image says what the image shows. The tests hold the pages
and the pictures against what this script would write.
"""

import re
import shlex
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from console import run_in_terminal
from picture import drawn

from convcalc.conventions import Convention, all_conventions
from convcalc.conventions.counting import usual_form
from convcalc.conventions.declaration import EVERY_FORM, Rule
from convcalc.conventions.written import KNOWN_WRITINGS
from convcalc.errors import ConvcalcError, Finding, SourceText, catalogue
from convcalc.layers import FAMILIES, all_kinds
from convcalc.layers.declaration import ONE_INPUT, FieldDeclaration, Layer
from convcalc.metrics import BUDGET_METRICS
from convcalc.reports.findings import findings_text
from convcalc.sources.budgets import (
    BUDGET_FILE_KEYS,
    BUDGET_KEYS,
    LIMIT_KEYS,
    MATCH_KEYS,
    SPEC_BUDGET_KEYS,
)
from convcalc.sources.spec import Spec
from convcalc.sources.spec.grammar import (
    BLOCK_KEYS,
    MODIFIERS,
    STRUCTURES,
    TOP_LEVEL_KEYS,
    library_block,
)
from convcalc.sources.spec.library import library_names, library_text
from convcalc.sources.spec.published_figures import METRICS

DOCS = Path(__file__).parent
ROOT = DOCS.parent
COLUMNS = 88

BLOCK = re.compile(r"(?ms)^```(?P<kind>yaml|console) ?(?P<name>\S*)\n(?P<body>.*?)^```$")

PICTURE = re.compile(r"<!-- picture of: (?P<command>.+) -->\n!\[[^\]]*\]\((?P<file>[^)]+)\)")

WORDS = re.compile(r"(?s)(<!-- words of (?P<of>[a-z]+):[^\n]*-->\n).*?(<!-- end of words -->)")

FAMILY_TITLES = {
    "convolution": "Convolution",
    "pooling": "Pooling",
    "linear": "Fully connected",
    "attention": "Sequences and attention",
    "normalization": "Normalization",
    "activation": "Activations",
    "resizing": "Resizing",
    "shaping": "Layers that compute nothing",
    "merging": "Merges",
}
ERROR_PARTS = {
    "E0": "Files and YAML",
    "E1": "Words of the spec language",
    "E2": "Expressions",
    "E3": "Shapes and sizes",
    "E4": "The command line",
    "E6": "Budgets that cannot be judged",
    "B6": "Budgets that are exceeded",
    "W5": "Warnings",
}


def pages() -> dict[Path, str]:
    """Every page of the documentation as it should be."""
    made = {
        DOCS / "errors.md": errors_page(),
        DOCS / "layers.md": layers_page(),
        DOCS / "library.md": library_page(),
    }
    written = [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]
    for path in written:
        if path not in made:
            page = WORDS.sub(
                lambda match: f"{match[1]}\n{made_tables(match['of'])}{match[3]}",
                path.read_text(encoding="utf-8"),
            )
            made[path] = refreshed(page)
    return made


def refreshed(page: str) -> str:
    """``page`` with the outputs that its commands give today."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "specs").symlink_to(ROOT / "specs")

        def replaced(block: re.Match[str]) -> str:
            kind, file, body = block["kind"], block["name"], block["body"]
            if kind == "yaml":
                if file:
                    (folder / file).write_text(body, encoding="utf-8")
                return block[0]
            commands = [line[2:] for line in body.splitlines() if line.startswith("$ ")]
            shown = "".join(f"$ {command}\n{shown_text(command, folder)}" for command in commands)
            return f"```console\n{shown}```"

        return BLOCK.sub(replaced, page)


def pictures() -> dict[Path, str]:
    """The command of every picture in the pages, by the picture's file."""
    return {
        (page.parent / found["file"]).resolve(): found["command"]
        for page in (ROOT / "README.md", *sorted(DOCS.glob("*.md")))
        for found in PICTURE.finditer(page.read_text(encoding="utf-8"))
    }


def picture(file: Path, command: str) -> str:
    """The terminal of ``command`` as an SVG that is called ``file``."""
    shown = _shown(command, ROOT)
    return drawn(command, shown, columns=COLUMNS, name=file.stem)


def shown_text(command: str, folder: Path = ROOT) -> str:
    """What a command shows in a terminal without colours, with no blanks at the ends of lines."""
    shown = _shown(command, folder, NO_COLOR="1")
    return "".join(f"{line.rstrip()}\n" for line in shown.splitlines())


def _shown(command: str, folder: Path, **environment: str) -> str:
    program, *arguments = shlex.split(command)
    if program != "convcalc":
        raise ValueError(f"a page runs {program!r}: only convcalc is run")
    shown, _ = run_in_terminal(*arguments, columns=COLUMNS, folder=folder, **environment)
    return shown


def errors_page() -> str:
    """All codes, with what convcalc says of an example of each."""
    lines = [
        "# Errors and warnings",
        "",
        "<!-- Made from convcalc/errors/catalogue.py by docs/generate.py. -->",
        "",
        "Every finding has a code. All findings of a run are shown at once; if one of them is an",
        "error the exit code is 2 and nothing is printed or written.",
    ]
    part = ""
    for code in catalogue.all_codes():
        if code.id[:2] != part:
            part = code.id[:2]
            lines += ["", f"## {ERROR_PARTS[part]}"]
        lines += ["", f"### {code.id}: {code.title}", "", code.meaning]
        if code.example is not None:
            lines += ["", "```yaml", code.example.rstrip("\n"), "```"]
            lines += ["", "```text", example_output(code).rstrip("\n"), "```"]
        elif code.command is not None:
            with tempfile.TemporaryDirectory() as folder:
                output = shown_text(f"convcalc {code.command}", Path(folder))
            lines += ["", "```console", f"$ convcalc {code.command}", output.rstrip("\n"), "```"]
    return "\n".join(lines) + "\n"


def example_output(code: catalogue.Code) -> str:
    """What convcalc says of a code's example, as ``net.yaml``."""
    from convcalc.analysis import analyze_graph  # noqa: PLC0415 - for the warnings alone
    from convcalc.analysis.published import published_findings  # noqa: PLC0415

    text = code.example or ""
    found: list[Finding] = []
    if "budget:" in text:
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "net.yaml").write_text(text, encoding="utf-8")
            return shown_text("convcalc check net.yaml", Path(folder))
    try:
        graph = Spec(SourceText("net.yaml", text), text).graph(name="net", spec="net.yaml")
        found += graph.warnings
        found += published_findings(analyze_graph(graph))
    except ConvcalcError as error:
        found += error.findings
    return findings_text(found)


def layers_page() -> str:
    """All layer kinds, by family, with their fields."""
    lines = [
        "# Layer kinds",
        "",
        "<!-- Made from the declarations in convcalc/layers/ by docs/generate.py. -->",
        "",
        "Fields have PyTorch's names; each may be an expression. Where a field takes one value for",
        "each axis, a single value stands for all. C, F, Π: channels, features, a product.",
    ]
    for family in FAMILIES:
        title = FAMILY_TITLES[family.__name__.rpartition(".")[2]]
        lines += ["", f"## {title}"]
        for kind in all_kinds().values():
            if kind.__module__ == family.__name__:
                lines += ["", *_kind_lines(kind)]
    return "\n".join(lines) + "\n"


def library_page() -> str:
    """All blocks of the library, with their arguments and their texts."""
    lines = [
        "# Blocks that come with convcalc",
        "",
        "<!-- Made from convcalc/library/ by docs/generate.py. -->",
        "",
        "Each is written in the [spec language](spec.md) and used like a layer kind. An argument",
        "without a default must be given. A block of your own with the same name takes its place.",
    ]
    for name in library_names():
        block = library_block(name)
        _, text = library_text(name)
        lines += ["", f"## `{name}`", "", block.about or ""]
        lines += ["", f"From {block.source}", "", f"```yaml {name}.yaml"]
        # What stands above the arguments is said already.
        lines += [text[text.index("\nargs:") + 1 :].rstrip("\n"), "```"]
    return "\n".join(lines) + "\n"


def spec_words() -> dict[str, dict[str, str]]:
    """All words of the spec language, by where they stand."""
    return {
        "at the top": TOP_LEVEL_KEYS,
        "in a list of layers": {
            "conv": "or any other kind of [layers.md](layers.md), with its fields",
            "conv_bn": "or any other block, of the spec or of [library.md](library.md)",
            **STRUCTURES,
        },
        "beside any of these": MODIFIERS,
        "in a block": BLOCK_KEYS,
        "in a record of `published`": {
            **dict.fromkeys(METRICS, "a figure, as it was printed"),
            "from": "who publishes it",
            "differs": "why it is not what is computed, where that is known",
            "layers": "figures of groups of layers, by name",
        },
    }


def budget_words() -> dict[str, dict[str, str]]:
    """All words of budgets, by where they stand."""
    return {
        "in a budget file": BUDGET_FILE_KEYS,
        "in an entry of `budgets`": BUDGET_KEYS,
        "in a spec's `budget`, in place of `spec`": {"variants": SPEC_BUDGET_KEYS["variants"]},
        "in a limit that says more than an amount": LIMIT_KEYS,
        "in an entry of `layers` or `groups`": MATCH_KEYS,
    }


def metric_words() -> dict[str, dict[str, str]]:
    """All metrics that a budget may bound."""
    return {
        "metric": {
            each.name: each.definition
            + ("" if each.name == each.key else f" (also `{each.key}`)")
            + ("" if each.of_layers else "; of whole networks")
            for each in BUDGET_METRICS
        }
    }


WORD_TABLES = {"specs": spec_words, "budgets": budget_words, "metrics": metric_words}


def made_tables(of: str) -> str:
    """The tables of a page that are made from the code."""
    return convention_tables() if of == "conventions" else tables(WORD_TABLES[of]())


def tables(words: dict[str, dict[str, str]]) -> str:
    """Words and their meanings, a table for each place."""
    lines = []
    for title, table in words.items():
        lines += [f"| {title} | |", "| :--- | :--- |"]
        lines += [f"| `{word}` | {meaning} |" for word, meaning in table.items()]
        lines.append("")
    return "\n".join(lines) + "\n"


def convention_tables() -> str:
    """How other tools count: all kinds at a glance, then each rule with where the tool has it."""
    tools = [convention for convention in all_conventions() if not convention.is_own]
    lines = [
        "| tool | version | its word | what gives its total |",
        "| :--- | :--- | :--- | :--- |",
    ]
    lines += [
        f"| `{each.name}` | {each.title} {each.version} | {each.word} | `{each.call}` |"
        for each in tools
    ]
    lines += ["", "| kind |" + "".join(f" {each.name} |" for each in tools)]
    lines += ["| :--- |" + " :--- |" * len(tools)]
    uncounted = []
    for kind in all_kinds():
        cells = [_formulas(each, kind) for each in tools]
        if any(cell != "0" for cell in cells):
            lines.append(f"| `{kind}` | {' | '.join(cells)} |")
        else:
            uncounted.append(f"`{kind}`")
    lines += ["", f"No tool counts anything of {', '.join(uncounted)}.", ""]
    symbols = {
        term.quantity.symbol: term.quantity.meaning
        for tool in tools
        for rule in tool.rules
        for term in rule.formula.terms
    }
    lines += ["| in formulas | of a layer, for one sample |", "| :--- | :--- |"]
    lines += [f"| {symbol} | {meaning} |" for symbol, meaning in symbols.items()]
    for tool in tools:
        lines += ["", f"### {tool.title}", "", _about(tool), ""]
        lines += ["| kinds | if | counts | source file | function |", "| :--- " * 5 + "|"]
        lines += [_rule_line(rule) for rule in tool.rules]
    lines += ["", "### Networks whose code is not as usual", ""]
    lines += ["| design | code | written |", "| :--- | :--- | :--- |"]
    lines += [
        f"| {each.design} | `{each.code}` | {', '.join(f'`{one}`' for one in each.written)} |"
        for each in KNOWN_WRITINGS
    ]
    return "\n".join(lines) + "\n\n"


def _about(tool: Convention) -> str:
    """The first sentence of the module that declares a convention."""
    module = next(
        found
        for name, found in sys.modules.items()
        if name.startswith("convcalc.conventions.") and vars(found).get("CONVENTION") is tool
    )
    about = " ".join((module.__doc__ or "").split())
    return about + (" Parameters of other layers are not counted." if tool.misses_params else "")


def _formulas(tool: Convention, kind: str) -> str:
    """What a tool counts of a kind as it is usually written, under whichever condition."""
    form = usual_form(kind)
    found = [rule for rule in tool.rules if kind in rule.kinds and form in rule.forms]
    texts = dict.fromkeys(str(rule.formula) for rule in found)
    if not found or all(rule.where is not None for rule in found):
        texts["0"] = None
    return " or ".join(texts)


def _rule_line(rule: Rule) -> str:
    forms = "" if set(EVERY_FORM) <= set(rule.forms) else ", ".join(f.value for f in rule.forms)
    conditions = "; ".join(filter(None, (rule.where.text if rule.where else "", forms)))
    kinds = ", ".join(f"`{kind}`" for kind in rule.kinds)
    functions = " and ".join(f"`{name}`" for name in rule.functions)
    return f"| {kinds} | {conditions} | {rule.formula} | `{rule.file}` | {functions} |"


def _kind_lines(kind: type[Layer]) -> Iterator[str]:
    yield f"### `{kind.kind}`"
    yield ""
    yield "\n".join(line.strip() for line in (kind.__doc__ or "").strip().splitlines())
    fewest, most = kind.takes
    if kind.takes != ONE_INPUT:
        yield ""
        yield f"Inputs: {fewest}" + (
            " or more" if most is None else f" to {most}" * (most > fewest)
        )
    if not kind.declarations:
        return
    yield ""
    yield "| field | takes | default | |"
    yield "| :--- | :--- | :--- | :--- |"
    for declared in sorted(kind.declarations, key=lambda d: not d.is_required):
        yield (
            f"| `{declared.name}` | {declared.type.label()} | {_default(declared)} "
            f"| {declared.help} |"
        )


def _default(declared: FieldDeclaration) -> str:
    if declared.is_required:
        return "required"
    if declared.default is None:
        return ""
    if isinstance(declared.default, bool):
        return f"`{str(declared.default).lower()}`"
    return f"`{declared.default}`"


if __name__ == "__main__":
    for page, text in pages().items():
        page.write_text(text, encoding="utf-8")
        print(page.relative_to(ROOT))
    for file, command in pictures().items():
        file.write_text(picture(file, command), encoding="utf-8")
        print(file.relative_to(ROOT))
