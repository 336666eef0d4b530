"""What all JSON that convcalc writes has in common."""

from __future__ import annotations

import json
import re
from typing import Final

from convcalc.metrics import SCHEMA_VERSION

__all__ = ["json_text", "report_text"]

_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def json_text(value: object) -> str:
    """``value`` as JSON that can be written as UTF-8, with a line break at its end."""
    text = json.dumps(value, ensure_ascii=False, indent=1)
    # The name of a file may be no text at all; its bytes are then lone surrogates.
    return _SURROGATE.sub(lambda match: f"\\u{ord(match[0]):04x}", text) + "\n"


def report_text(version: str, **parts: object) -> str:
    """A report by convcalc of a given version: which contract it keeps, and its parts."""
    return json_text({"schema_version": SCHEMA_VERSION, "convcalc": version, **parts})
