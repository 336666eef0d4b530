"""What all JSON that is written has in common."""

import gc
import json
import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from convcalc.reports.json_text import json_text, report_text


def test_a_name_that_is_no_text_is_written_as_an_escape():
    """The bytes of a file's name that are not UTF-8 are lone surrogates in Python."""
    written = json_text({"spec": "\udcff.yaml"})
    assert written == '{\n "spec": "\\udcff.yaml"\n}\n'
    assert json.loads(written.encode()) == {"spec": "\udcff.yaml"}


def test_a_report_says_first_which_contract_it_keeps():
    assert report_text("1.2.3", networks=[]) == (
        '{\n "schema_version": 1,\n "convcalc": "1.2.3",\n "networks": []\n}\n'
    )


def test_what_would_steer_a_terminal_is_written_as_an_escape():
    # A bell, the start of an escape sequence in one byte, a turn of direction; an emoji is text.
    held = {"a\x07": ["\x9b31m", {"b": "\u202e\u2028\U000e0001", "c": "é 😀"}]}
    written = json_text(held)
    assert all(character.isprintable() or character == "\n" for character in written)
    assert "\\u009b31m" in written
    assert "\\udb40\\udc01" in written  # UTF-16's two halves of U+E0001
    assert "é 😀" in written
    assert json.loads(written) == held


LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()


@given(
    st.recursive(
        LEAVES,
        lambda parts: (
            st.lists(parts, max_size=3) | st.dictionaries(st.text(max_size=3), parts, max_size=3)
        ),
        max_leaves=30,
    )
)
def test_it_is_laid_out_as_python_lays_it_out(value):
    plain = json.dumps(value, indent=1) + "\n"
    assert json.dumps(json.loads(json_text(value)), indent=1) + "\n" == plain
    if plain.replace("\n", "").isprintable() and "\\u" not in plain:
        assert json_text(value) == plain


def test_what_comes_one_by_one_is_written_as_a_list():
    lists = {"a": [1, [2]], "b": [], "c": [[[[[3]]]]]}
    one_by_one = {"a": iter([1, iter([2])]), "b": iter([]), "c": iter([[[[[3]]]]])}
    assert json_text(one_by_one) == json_text(lists)


def test_a_report_takes_little_more_memory_than_its_text():
    # A command collects no garbage, and a report of 100,000 layers once took a gigabyte.
    count = 2000
    layers = ({"name": f"l{n}", "shape": [n] * 20, "of": {"a": n, "b": n}} for n in range(count))
    gc.disable()
    tracemalloc.start()
    try:
        text = report_text("1.2.3", networks=[{"layers": layers}])
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        gc.enable()
    assert len(json.loads(text)["networks"][0]["layers"]) == count
    # The text, and the pieces that it is put together from; Python's own writer takes 20 times it.
    assert most < 3 * len(text)
