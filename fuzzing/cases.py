"""A case: the arguments of one command, and the files that are there when it runs.

A case is written as a line of JSON, the arguments, and behind it each file under a line with its
name. That is what the fuzzer keeps, and what ``fuzzing/regressions`` holds; it can be read, and
mended by hand.
"""

from __future__ import annotations

import json
import re
from typing import Final, NamedTuple

__all__ = ["STANDARD_INPUT", "Case", "decoded", "encoded"]

STANDARD_INPUT: Final = "-"
"""The name of the file that is given as standard input."""
MARK: Final = b"%%% "
MOST_FILES: Final = 4
MOST_ARGUMENTS: Final = 24
NAME: Final = re.compile(rb"-|[a-z][a-z0-9_]{0,20}\.(?:yaml|json)")
ELSEWHERE: Final = re.compile(r"(?:^|[:=])\s*[/~]|\.\.[/\\]|/\.\.|::/")
"""An argument that leads out of the folder that a case runs in."""


class Case(NamedTuple):
    """One command."""

    arguments: tuple[str, ...]
    """Without the program's name."""
    files: tuple[tuple[str, bytes], ...] = ()
    """Names and contents."""

    def text(self, name: str) -> str | None:
        """The content of a file, if there is one of this name and it is UTF-8."""
        for known, content in self.files:
            if known == name:
                try:
                    return content.decode()
                except UnicodeDecodeError:
                    return None
        return None

    def with_file(self, name: str, content: str) -> Case:
        """The same with another content of one file."""
        files = tuple(
            (known, content.encode("utf-8", "surrogateescape") if known == name else old)
            for known, old in self.files
        )
        return self._replace(files=files)


def encoded(case: Case) -> bytes:
    """A case as bytes."""
    parts = [json.dumps(case.arguments).encode()]
    parts += [MARK + name.encode() + b"\n" + content for name, content in case.files]
    return b"\n".join(parts)


def decoded(raw: bytes) -> Case | None:
    """The case that bytes are; None if they are none, or one that might touch other files."""
    line, *files = raw.split(b"\n" + MARK)
    if len(files) > MOST_FILES:
        return None
    try:
        arguments = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if (
        not isinstance(arguments, list)
        or not 0 < len(arguments) <= MOST_ARGUMENTS
        or not all(isinstance(each, str) and not ELSEWHERE.search(each) for each in arguments)
        or any("\0" in each or not _can_be_argument(each) for each in arguments)
    ):
        return None
    named = [each.partition(b"\n") for each in files]
    names = [name for name, _, _ in named]
    if len(set(names)) < len(names) or not all(map(NAME.fullmatch, names)):
        return None
    return Case(tuple(arguments), tuple((name.decode(), content) for name, _, content in named))


def _can_be_argument(text: str) -> bool:
    """Whether the system could have passed it: bytes that are no UTF-8 come as surrogates."""
    try:
        text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return False
    return True
