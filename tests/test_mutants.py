"""The mutants that mutation testing makes, and what it says of the survivors."""

import importlib.util
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def mutants():
    """The module that makes mutants; it is a script's, and no part of the package."""
    pytest.importorskip("mutmut")
    spec = importlib.util.spec_from_file_location("mutants", ROOT / "mutation" / "mutants.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


SOURCE = '''\
"""A module."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fractions import Fraction

LIMIT: int = 7


class Size:
    """A size."""

    side: int = field(Integer(1), default=3, help="one side")

    @property
    def area(self) -> "Fraction":
        """Its area."""
        return (self.side * self.side)

    def check(self, n=4):
        if self.side < n:
            raise ValueError("too small", n)
        return [
            a
            + 1
            for a in zip((n,), strict=True)
        ]
'''


def test_a_mutant_is_one_change_of_one_place(mutants, tmp_path):
    path = tmp_path / "size.py"
    path.write_text(SOURCE, encoding="utf-8")
    found = mutants.mutants_of(path)
    names = [mutant.name for mutant in found]
    # The rules are mutmut's; these are the places where they apply.
    assert "Size.area: (self.side * self.side) → (self.side / self.side)" in names
    assert "Size.check: < n → <= n" in names
    assert "Size.check: a + 1 → a - 1" in names
    assert "(outside functions): 4 → 5" in names
    assert "(outside functions): LIMIT: int = 7 → LIMIT: int = None" in names
    assert len(names) == len(set(names))
    # Texts for people, and assertions that lengths agree, are left as they are.
    assert not any("help" in mutant.replacement.decode()[:4] for mutant in found)
    assert not any("True → False" in name for name in names)
    lines = SOURCE.splitlines()
    for mutant in found:
        changed = mutant.source().decode()
        compile(changed, "size.py", "exec")
        assert changed != SOURCE
        assert changed.splitlines()[: mutant.line - 1] == lines[: mutant.line - 1]
        assert mutant.in_message == ("ValueError" in lines[mutant.line - 1])


def test_every_survivor_that_is_explained_has_a_reason_and_stands_once():
    text = (ROOT / "mutation" / "explained.txt").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line]
    assert lines[0].startswith("# ")
    survivors = [line for line in lines if not line.startswith("# ")]
    assert len(survivors) == len(set(survivors))
    for line in survivors:
        package, module = line.split(" ", 1)[0].split("/")
        source = (ROOT / "convcalc" / package / f"{module}.py").read_text(encoding="utf-8")
        function = line.split(" ", 1)[1].split(": ", 1)[0].rsplit(".", 1)[-1]
        assert function == "(outside functions)" or f"def {function}(" in source, line
