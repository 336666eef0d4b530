"""Patterns of names: `*` is any text, `?` any character, and all else is itself."""

from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcalc.name_patterns import is_pattern, matches


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("conv", "conv"),
        ("stage4.*", "stage4.block1.conv"),  # dots and all
        ("*", ""),
        ("*", "a\nb"),
        ("**", "conv"),
        ("*.conv", "stage1.block2.conv"),
        ("s*.b*.conv", "stage1.block2.conv"),
        ("a*b*c", "abbcbc"),  # the first `b` will do, the last `c` must
        ("conv?", "conv1"),
        ("c??v", "conv"),
        ("*?", "x"),
        ("conv[a-z]", "conv[a-z]"),  # a bracket is a bracket
        ("conv[*]", "conv[12]"),
        ("a+b(c)*", "a+b(c)d"),
        ("why?", "why?"),
        ("2*3", "2*3"),
    ],
)
def test_a_pattern_matches_names_of_its_form(pattern, name):
    assert matches(pattern, name)


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("conv", "conv1"),
        ("conv", "a.conv"),
        ("Conv", "conv"),
        ("", "conv"),
        ("stage4.*", "stage4"),
        ("stage4.*", "stage41.conv"),
        ("stage4.*", "stage4xconv"),  # the dot is one
        ("conv?", "conv"),
        ("conv?", "conv12"),
        ("?", ""),
        ("*a", "ab"),
        ("a*", "ba"),
        ("a*a", "a"),  # the two are not the same one
        ("*ab*b", "ab"),
        ("conv[a-z]", "convx"),
        ("conv[a-z]*", "convx1"),
    ],
)
def test_a_pattern_matches_no_other_names(pattern, name):
    assert not matches(pattern, name)


@given(st.text("ab.*?[", max_size=8), st.text("ab.*[\n", max_size=10))
def test_patterns_are_those_of_the_shell_without_brackets(pattern, name):
    expected = pattern == name or fnmatchcase(name, pattern.replace("[", "[[]"))
    assert matches(pattern, name) == expected


def test_no_pattern_takes_long():
    # With 40 stars that each try all of 250 places, the last of them would be reached never.
    assert not matches("*a" * 40 + "b", "a" * 250)
    assert not matches("*" * 40 + "b", "a" * 250)
    assert matches("*a" * 40 + "*", "a" * 250)


@pytest.mark.parametrize("text", ["*", "a?", "stage*.conv"])
def test_wild_characters_make_a_pattern(text):
    assert is_pattern(text)


@pytest.mark.parametrize("text", ["", "conv", "conv[a-z]", "a.b", "x+"])
def test_nothing_else_makes_a_pattern(text):
    assert not is_pattern(text)
