"""Runs a case, and others that follow from it, and says what is wrong with what came out."""

from __future__ import annotations

import random
import re
import zlib
from typing import Final, NamedTuple

from agreement import contradictions
from cases import Case, encoded
from permitted import MEGABYTES, SECONDS, complaints, excess
from running import Outcome, Sandbox, run_alone

__all__ = ["Defect", "defects_of"]

SUSPECT: Final = 0.3
"""Part of what is too much memory that a case is measured again for, in a process of its own."""


class Defect(NamedTuple):
    """A case, and what must not have come of it."""

    case: Case
    complaint: str

    @property
    def signature(self) -> str:
        """The same for defects that are probably one."""
        *_, last = [line for line in self.complaint.splitlines() if "File " in line] or [""]
        first = self.complaint.partition("\n")[0]
        return last.strip() or re.sub(r"\d+|'[^']*'|`[^`]*`|\"[^\"]*\"|\w+\.\w+", "…", first)[:70]


def defects_of(case: Case, sandbox: Sandbox) -> list[Defect]:
    """What is wrong about a case. Which of its consequences are looked into hangs on the case."""
    found: list[Defect] = []

    def run(each: Case) -> Outcome:
        outcome = sandbox.run(each)
        found.extend(Defect(each, complaint) for complaint in complaints(each, outcome))
        if outcome.seconds > SECONDS or outcome.megabytes > SUSPECT * MEGABYTES:
            found.extend(Defect(each, complaint) for complaint in excess(run_alone(each)))
        return outcome

    outcome = run(case)
    if outcome.code in {0, 1}:
        chance = random.Random(zlib.crc32(encoded(case)))
        found += [Defect(case, each) for each in contradictions(case, outcome, run, chance)]
    return found
