"""Write the pages that are made from the code, and bring the outputs in the others up to date.

    python docs/generate.py

``errors.md`` and ``layers.md`` are made whole. In every page the blocks marked ``console`` are run:
a line that starts with ``$`` is a command, what follows is what it shows in a terminal of
`COLUMNS`. A block marked ``yaml NAME`` is the file NAME of the commands below it. The tests hold
the pages against what this script would write.
"""

import re
import shlex
import tempfile
from collections.abc import Iterator
from pathlib import Path

from console import run_in_terminal

from convcalc.errors import ConvcalcError, Finding, SourceText, catalogue
from convcalc.layers import FAMILIES, all_kinds
from convcalc.layers.declaration import FieldDeclaration, Layer
from convcalc.reports.findings import findings_text
from convcalc.sources.spec import Spec

DOCS = Path(__file__).parent
ROOT = DOCS.parent
COLUMNS = 88

BLOCK = re.compile(r"(?ms)^```(?P<kind>yaml|console) ?(?P<name>\S*)\n(?P<body>.*?)^```$")

FAMILY_TITLES = {
    "convolution": "Convolution",
    "pooling": "Pooling",
    "linear": "Fully connected",
    "normalization": "Normalization",
    "activation": "Activations",
    "shaping": "Layers that compute nothing",
    "merging": "Merges",
}
ERROR_PARTS = {
    "E0": "Files and YAML",
    "E1": "Words of the spec language",
    "E2": "Expressions",
    "E3": "Shapes and sizes",
    "E4": "The command line",
    "W5": "Warnings",
}


def pages() -> dict[Path, str]:
    """Every page of the documentation as it should be."""
    made = {DOCS / "errors.md": errors_page(), DOCS / "layers.md": layers_page()}
    written = [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]
    for path in written:
        if path not in made:
            made[path] = refreshed(path.read_text(encoding="utf-8"))
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
            shown = "".join(f"$ {command}\n{_output(command, folder)}" for command in commands)
            return f"```console\n{shown}```"

        return BLOCK.sub(replaced, page)


def _output(command: str, folder: Path) -> str:
    program, *arguments = shlex.split(command)
    if program != "convcalc":
        raise ValueError(f"a page runs {program!r}: only convcalc is run")
    shown, _ = run_in_terminal(*arguments, columns=COLUMNS, folder=folder, NO_COLOR="1")
    return "".join(f"{line.rstrip()}\n" for line in shown.splitlines())


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
                output = _output(f"convcalc {code.command}", Path(folder))
            lines += ["", "```console", f"$ convcalc {code.command}", output.rstrip("\n"), "```"]
    return "\n".join(lines) + "\n"


def example_output(code: catalogue.Code) -> str:
    """What convcalc says of a code's example, as ``net.yaml``."""
    from convcalc.analysis import analyze_graph  # noqa: PLC0415 - for the warnings alone
    from convcalc.analysis.published import published_findings  # noqa: PLC0415

    text = code.example or ""
    found: list[Finding] = []
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


def _kind_lines(kind: type[Layer]) -> Iterator[str]:
    yield f"### `{kind.kind}`"
    yield ""
    yield "\n".join(line.strip() for line in (kind.__doc__ or "").strip().splitlines())
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
