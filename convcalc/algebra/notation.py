"""Formulas written out: for people, for LaTeX, for Python and as plain records for JSON.

A factor that all terms have in common is written in front of brackets where that is shorter. The
formula itself stays a sum: one formula has one canonical form, whatever it is written like.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from keyword import iskeyword
from typing import Any, Final, NamedTuple, cast

from convcalc.algebra.polynomial import (
    Atom,
    Floor,
    Integral,
    Monomial,
    Polynomial,
    common_factor,
    exact_quotient,
)

__all__ = ["Notation", "json_terms", "latex", "python", "python_function", "text"]

MOST_COLUMNS: Final = 100
"""Characters of a line of Python before its sum is put on several lines."""


class Notation(NamedTuple):
    """How the operations of a formula are written."""

    times: str
    minus: str
    symbol: Callable[[str], str]
    power: Callable[[str, int], str]
    floor: Callable[[str, str, Floor], str]
    """The floor of a numerator and denominator that are written already."""
    brackets: tuple[str, str] = ("(", ")")

    def written(self, formula: Integral, names: Mapping[Atom, str] | None = None) -> str:
        """``formula`` in this notation; ``names`` stand for the atoms that have one."""
        return self.joined(self.terms(formula, names or {}))

    def terms(self, formula: Integral, names: Mapping[Atom, str]) -> list[tuple[str, str]]:
        """Sign and text of each term; of one alone if what they have in common stands in front."""
        plain = self._sum(formula, names)
        front = common_factor(formula)
        if len(plain) > 1 and not _is_one(front):
            rest = self._sum(_rest(formula, front), names)
            opening, closing = self.brackets
            [(_, factor)] = self._sum(front, names)
            whole = f"{factor}{self.times}{opening}{self.joined(rest)}{closing}"
            if len(whole) < len(self.joined(plain)):
                return [("+", whole)]
        return plain

    def joined(self, terms: list[tuple[str, str]]) -> str:
        """The terms as one sum."""
        (sign, first), *others = terms
        return (self.minus if sign == "-" else "") + "".join(
            (
                first,
                *(f" {self.minus if each == '-' else '+'} {term}" for each, term in others),
            )
        )

    def atom(self, atom: Atom, names: Mapping[Atom, str]) -> str:
        """A symbol or floor, or the name that stands for it."""
        return names[atom] if atom in names else self.atom_in_full(atom, names)

    def atom_in_full(self, atom: Atom, names: Mapping[Atom, str]) -> str:
        """The same, whether it has a name or not; atoms inside a floor go by their names."""
        if not isinstance(atom, Floor):
            return self.symbol(atom.name)
        return self.floor(
            self.joined(self._sum(atom.numerator, names)),
            self.joined(self._sum(atom.denominator, names)),
            atom,
        )

    def _sum(self, formula: Integral, names: Mapping[Atom, str]) -> list[tuple[str, str]]:
        return [
            ("-" if a < 0 else "+", self._term(monomial, abs(a), names))
            for monomial, a in _terms(formula)
        ]

    def _term(self, monomial: Monomial, coefficient: int, names: Mapping[Atom, str]) -> str:
        factors = [str(coefficient)] if coefficient != 1 or not monomial else []
        for atom, power in monomial:
            base = self.atom(atom, names)
            factors.append(self.power(base, power) if power > 1 else base)
        return self.times.join(factors)


def _is_one(factor: Integral) -> bool:
    return isinstance(factor, int) and factor == 1


def _rest(formula: Integral, factor: Integral) -> Integral:
    """What is left in the brackets behind a factor that divides every term."""
    return cast("Integral", exact_quotient(formula, factor))


def _terms(formula: Integral) -> Iterator[tuple[Monomial, int]]:
    return formula.terms() if isinstance(formula, Polynomial) else iter([((), formula)])


def text(formula: Integral) -> str:
    """A formula as the tables print it: ``64·N·(⌊(H + 1)/2⌋ + 3)``."""
    return _TEXT.written(formula)


def latex(formula: Integral) -> str:
    r"""A formula for LaTeX's mathematics: ``\left\lfloor \frac{H + 31}{32} \right\rfloor``."""
    return _LATEX.written(formula)


def python(formula: Integral) -> str:
    """An expression of Python that has the formula's value where its symbols are integers.

    Raises ValueError for a symbol that is no name in Python.
    """
    return _PYTHON.written(formula)


def json_terms(formula: Integral) -> list[dict[str, Any]]:
    """A formula as a list of terms, the sum of which it is; none for 0.

    A term has a ``coefficient`` and ``factors``, each a ``symbol`` or a ``floor`` (of
    ``numerator`` and ``denominator``, lists of terms themselves) with its ``power``.
    """
    return [
        {
            "coefficient": coefficient,
            "factors": [_json_atom(atom) | {"power": power} for atom, power in monomial],
        }
        for monomial, coefficient in _terms(formula)
        if coefficient
    ]


def _json_atom(atom: Atom) -> dict[str, Any]:
    if not isinstance(atom, Floor):
        return {"symbol": atom.name}
    numerator, denominator = json_terms(atom.numerator), json_terms(atom.denominator)
    return {"floor": {"numerator": numerator, "denominator": denominator}}


def python_function(
    name: str,
    formulas: Iterable[tuple[str, Integral]],
    symbols: Iterable[str],
    *,
    about: str,
    checks: Iterable[str] = (),
) -> str:
    """The source of a function of ``symbols`` that returns the values of ``formulas``.

    ``formulas`` are named, as by the keys of metrics: the function returns a dictionary of the
    values by these names, or the value alone if there is one formula. Floors that stand in several
    places are worked out once. ``about`` is the first line of its documentation. ``checks`` are
    expressions of Python about the symbols; the function raises ValueError where one is not true.
    Raises ValueError for a name that is none in Python.
    """
    named, arguments, checked = list(formulas), list(symbols), list(checks)
    names = _local_names([formula for _, formula in named], {*arguments, name})
    lines = [
        f"def {_identifier(name)}({', '.join(f'{_identifier(each)}: int' for each in arguments)})"
        f" -> {'int' if len(named) == 1 else 'dict[str, int]'}:",
        f'    """{_quoted(about)}',
        "",
        *(
            f"    {line}"
            for line in (
                *([f"{', '.join(arguments)}: integers of at least 1."] if arguments else []),
                "Returns " + ", ".join(_quoted(each) for each, _ in named) + ".",
                *(["Raises ValueError for sizes that it is not right for."] if checked else []),
            )
        ),
        '    """',
        *(
            line
            for check in checked
            for line in (
                f"    if not ({check}):",
                f'        raise ValueError("only if {_quoted(check)}")',
            )
        ),
        *(f"    {local} = {_assigned(atom, names)}" for atom, local in names.items()),
    ]
    if len(named) == 1:
        lines += _on_lines("    return ", named[0][1], names, "")
    else:
        lines.append("    return {")
        for key, formula in named:
            lines += _on_lines(f'        "{_quoted(key)}": ', formula, names, ",")
        lines.append("    }")
    return "\n".join(lines) + "\n"


def _on_lines(start: str, formula: Integral, names: Mapping[Atom, str], end: str) -> list[str]:
    """``start``, the formula and ``end``; on several lines where it is long."""
    terms = _PYTHON.terms(formula, names)
    line = f"{start}{_PYTHON.joined(terms)}{end}"
    if len(line) <= MOST_COLUMNS or not _is_sum(formula):
        return [line]
    indent = " " * (len(start) - len(start.lstrip()))
    front = start + "("
    if len(terms) == 1:  # a common factor: its brackets hold what is long
        factor = common_factor(formula)
        front = f"{start}{_PYTHON.joined(_PYTHON._sum(factor, names))} * ("
        terms = _PYTHON._sum(_rest(formula, factor), names)
    first, *others = terms
    inner = indent + "    "
    return [
        front,
        inner + ("-" if first[0] == "-" else "") + first[1],
        *(f"{inner}{sign} {term}" for sign, term in others),
        f"{indent}){end}",
    ]


def _local_names(formulas: list[Integral], taken: set[str]) -> dict[Atom, str]:
    """Names for the floors that stand in several places, those inside others first."""
    counts: Counter[Floor] = Counter()

    def count(formula: Integral) -> None:
        for monomial, _ in _terms(formula):
            for atom, _ in monomial:
                if isinstance(atom, Floor):
                    if atom not in counts:
                        count(atom.numerator)
                        count(atom.denominator)
                    # Counted after what stands in it, so that it comes after it.
                    counts[atom] += 1

    for formula in formulas:
        count(formula)
    names: dict[Atom, str] = {}
    for atom, places in counts.items():
        if places == 1:
            continue
        inside = Polynomial({((atom, 1),): 1}).symbols
        stem = "_".join((*sorted(inside), *_digits(atom.denominator)))
        name, n = stem, 1
        while name in taken:
            n += 1
            name = f"{stem}_{n}"
        taken.add(name)
        names[atom] = name
    return names


def _digits(denominator: Integral) -> tuple[str, ...]:
    return (str(denominator),) if isinstance(denominator, int) else ()


def _assigned(atom: Atom, names: Mapping[Atom, str]) -> str:
    """The right side of the line that gives an atom its name, without brackets around it."""
    return _PYTHON.atom_in_full(atom, names)[1:-1]


def _quoted(words: str) -> str:
    """``words`` as they may stand between quotation marks in Python."""
    return words.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")


def _identifier(name: str) -> str:
    if name.isidentifier() and not iskeyword(name):
        return name
    raise ValueError(f"{name!r} is no name in Python")


# -- the notations --------------------------------------------------------------------------------

_SUPERSCRIPTS: Final = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def _is_sum(formula: Integral) -> bool:
    return len(list(_terms(formula))) > 1


def _is_one_factor(formula: Integral) -> bool:
    if isinstance(formula, int):
        return formula >= 0
    [(monomial, coefficient), *others] = formula.terms()
    return not others and coefficient == 1 and len(monomial) == 1


def _text_floor(numerator: str, denominator: str, floor: Floor) -> str:
    above = f"({numerator})" if _is_sum(floor.numerator) else numerator
    below = denominator if _is_one_factor(floor.denominator) else f"({denominator})"
    return f"⌊{above}/{below}⌋"


def _latex_floor(numerator: str, denominator: str, floor: Floor) -> str:  # noqa: ARG001 - as others
    return rf"\left\lfloor \frac{{{numerator}}}{{{denominator}}} \right\rfloor"


def _python_floor(numerator: str, denominator: str, floor: Floor) -> str:
    above = f"({numerator})" if _is_sum(floor.numerator) else numerator
    below = denominator if _is_one_factor(floor.denominator) else f"({denominator})"
    return f"({above} // {below})"


def _latex_symbol(name: str) -> str:
    """One letter as it is, ``C_in`` with a subscript, a longer name upright as one word."""
    stem, _, index = name.partition("_")
    if not stem:
        stem, index = name, ""
    shown = stem if len(stem) == 1 and stem.isalpha() else rf"\mathrm{{{_latex_words(stem)}}}"
    if not index:
        return shown
    return (
        f"{shown}_{{{index}}}"
        if index.isdigit()
        else rf"{shown}_{{\mathrm{{{_latex_words(index)}}}}}"
    )


def _latex_words(name: str) -> str:
    return name.replace("_", r"\_")


_TEXT: Final = Notation(
    times="·",
    minus="−",
    symbol=str,
    power=lambda base, n: base + str(n).translate(_SUPERSCRIPTS),
    floor=_text_floor,
)
_LATEX: Final = Notation(
    times=r" \cdot ",
    minus="-",
    symbol=_latex_symbol,
    power=lambda base, n: f"{base}^{{{n}}}",
    floor=_latex_floor,
    brackets=(r"\left(", r"\right)"),
)
_PYTHON: Final = Notation(
    times=" * ",
    minus="-",
    symbol=_identifier,
    power=lambda base, n: f"{base}**{n}",
    floor=_python_floor,
)
