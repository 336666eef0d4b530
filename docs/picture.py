"""A terminal as a picture: what a command shows, as an SVG that needs nothing from outside."""

import io
import re
from typing import Final
from xml.etree import ElementTree as ET

from rich.console import Console
from rich.text import Text

__all__ = ["drawn", "text_of"]

# Fonts of the system that shows it, not of another site; rich states how wide each text is, so
# that columns stand below each other in any of them.
FRAME: Final = """\
<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{
  font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace;
  font-size: {char_height}px;
  line-height: {line_height}px;
}}
.{unique_id}-title {{ font-size: 18px; font-weight: bold; font-family: sans-serif; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""

LINE_END: Final = re.compile(r"<text [^>]*>\n</text>")
"""What rich draws of a line break: nothing, out of sight."""

CELL_WIDTH: Final = 12.2
"""Of a character in rich's pictures: 20 high, 0.61 of it wide."""

SVG: Final = "{http://www.w3.org/2000/svg}"


def drawn(command: str, shown: str, *, columns: int, name: str) -> str:
    """The SVG of a terminal in which ``command`` was typed and ``shown``, with its colours, came.

    ``name`` begins the ids in it, so that two pictures in one page keep apart.
    """
    console = Console(
        record=True,
        file=io.StringIO(),
        width=columns,
        force_terminal=True,
        color_system="truecolor",
    )
    console.print(Text(f"$ {command}", style="bold green"), highlight=False)
    for line in shown.splitlines():
        text = Text.from_ansi(line)
        text.rstrip()
        console.print(text, highlight=False, soft_wrap=True)
    svg = console.export_svg(title="convcalc", code_format=FRAME, unique_id=name)
    svg = LINE_END.sub("", svg)
    return "\n".join(line.strip() for line in svg.splitlines() if line.strip()) + "\n"


def text_of(svg: str) -> str:
    """The lines that a picture by `drawn` shows, each with a line break and no blanks before it."""
    matrix = next(
        group
        for group in ET.fromstring(svg).iter(f"{SVG}g")  # noqa: S314 - a file of this repository
        if group.get("class", "").endswith("-matrix")
    )
    lines: dict[int, str] = {}
    for part in matrix.iter(f"{SVG}text"):
        number = int(re.search(r"line-(\d+)\)$", part.attrib["clip-path"])[1])
        before = lines.get(number, "")
        gap = round(float(part.attrib["x"]) / CELL_WIDTH) - len(before)
        lines[number] = before + " " * gap + (part.text or "").replace("\xa0", " ")
    return "".join(f"{lines.get(number, '').rstrip()}\n" for number in range(max(lines) + 1))
