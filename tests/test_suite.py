"""What the tests themselves need."""

from collections import Counter
from pathlib import Path


def test_no_two_files_of_tests_have_one_name():
    # pytest tells them apart by their names alone: one of two would not run.
    names = Counter(path.name for path in Path(__file__).parent.rglob("*.py"))
    assert [name for name, count in names.items() if count > 1 and name != "conftest.py"] == []
