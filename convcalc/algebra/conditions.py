"""What a formula takes for granted: comparisons that its free symbols leave open.

A check of a network whose sizes are formulas is often undecidable: two branches are of one size if
2·⌊H/2⌋ is H. Such a check is taken to hold, and the formulas are right only where it does. Here is
what was taken to hold, as comparisons, and in as few words as possible: ``H % 2 == 0``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from math import gcd
from typing import Final, NamedTuple

from convcalc.algebra.assumptions import Assumptions
from convcalc.algebra.notation import python as python_text
from convcalc.algebra.notation import text as formula_text
from convcalc.algebra.polynomial import (
    Floor,
    Integral,
    Monomial,
    Polynomial,
    Question,
    Symbol,
    UndecidableError,
    answering,
    common_factor,
    exact_quotient,
    symbol,
)

__all__ = [
    "Comparison",
    "Condition",
    "exact_fraction",
    "in_few_words",
    "take_for_granted",
    "taken_for_granted",
]

MOST_STEPS: Final = 200
"""Times that a condition is asked to find out what it depends on."""
MOST_COMPARED: Final = 60
"""Comparisons each of which is held against each other."""


class Comparison(NamedTuple):
    """``left relation right``, or with a modulus ``left % modulus relation right``."""

    left: Integral
    relation: str
    """``==``, ``!=``, ``>=`` or ``<=``."""
    right: Integral
    modulus: Integral | None = None

    @property
    def symbols(self) -> frozenset[str]:
        """The names of the symbols in it."""
        sides = (self.left, self.right, self.modulus)
        return frozenset(n for each in sides if isinstance(each, Polynomial) for n in each.symbols)

    def written(self, write: Callable[[Integral], str] = formula_text) -> str:
        """``H % 16 == 0``, each formula as ``write`` writes it."""
        left = write(self.left)
        if self.modulus is not None:
            left, modulus = (
                text if _is_one_factor(formula) else f"({text})"
                for formula, text in ((self.left, left), (self.modulus, write(self.modulus)))
            )
            left = f"{left} % {modulus}"
        return f"{left} {self.relation} {write(self.right)}"

    def holds(self, values: Mapping[str, int]) -> bool:
        """Whether it holds for these values of the symbols. Raises KeyError for one without."""
        left, right = _at(self.left, values), _at(self.right, values)
        if self.modulus is not None:
            left %= _at(self.modulus, values)
        return {
            "==": left == right,
            "!=": left != right,
            ">=": left >= right,
            "<=": left <= right,
        }[self.relation]


class Condition(NamedTuple):
    """One of several alternatives holds, in which all comparisons do."""

    alternatives: tuple[tuple[Comparison, ...], ...]

    @property
    def symbols(self) -> frozenset[str]:
        """The names of the symbols in it."""
        return frozenset(n for each in self.alternatives for one in each for n in one.symbols)

    def written(self, write: Callable[[Integral], str] = formula_text) -> str:
        """``c == 4 or c == 1``, each formula as ``write`` writes it."""
        return " or ".join(
            " and ".join(each.written(write) for each in alternative)
            for alternative in self.alternatives
        )

    def python(self) -> str:
        """It as an expression of Python."""
        return self.written(python_text)

    def holds(self, values: Mapping[str, int]) -> bool:
        """Whether it holds for these values of the symbols. Raises KeyError for one without."""
        return any(all(one.holds(values) for one in each) for each in self.alternatives)


def _at(formula: Integral, values: Mapping[str, int]) -> int:
    return formula.evaluate(values) if isinstance(formula, Polynomial) else formula


# -- taking notes ---------------------------------------------------------------------------------

_TAKEN: ContextVar[dict[str, Condition] | None] = ContextVar("taken", default=None)
"""By their texts the conditions that were taken for granted; None if nobody wants to know."""


@contextmanager
def taken_for_granted() -> Iterator[dict[str, Condition]]:
    """What is taken for granted in here, by its text: each is there once the block is left."""
    taken: dict[str, Condition] = {}
    token = _TAKEN.set(taken)
    try:
        yield taken
    finally:
        _TAKEN.reset(token)


def take_for_granted(condition: Callable[[], bool]) -> None:
    """Note that an undecidable ``condition`` is taken to hold, if somebody wants to know."""
    taken = _TAKEN.get()
    if taken is None:
        return
    steps = iter(range(MOST_STEPS))
    found = _alternatives(condition, {}, steps)
    if found and () not in found:
        noted = Condition(tuple(found))
        taken.setdefault(noted.written(str), noted)


_Alternatives = list[tuple[Comparison, ...]]


def _alternatives(
    condition: Callable[[], bool], answers: dict[tuple[str, bool], bool], steps: Iterator[int]
) -> _Alternatives:
    """What makes the condition hold: ``[()]`` if it does, ``[]`` if it cannot."""
    try:
        with answering(answers):
            return [()] if condition() else []
    except UndecidableError as error:
        # What is no comparison of formulas stays as it was: nothing can be said of it.
        if error.question is None or next(steps, None) is None:
            return [()]
        question = error.question
    yes = _alternatives(condition, {**answers, question.key: True}, steps)
    no = _alternatives(condition, {**answers, question.key: False}, steps)
    if _texts(yes) == _texts(no):
        return yes
    if yes == [()]:
        # "q or (not q and r)" is "q or r".
        return [(_literal(question, is_true=True),), *no]
    if no == [()]:
        return [(_literal(question, is_true=False),), *yes]
    return [
        *((_literal(question, is_true=True), *each) for each in yes),
        *((_literal(question, is_true=False), *each) for each in no),
    ]


def _texts(alternatives: _Alternatives) -> list[list[str]]:
    # Whether two formulas are equal is itself a question that may be open; their texts never are.
    return [[one.written(str) for one in alternative] for alternative in alternatives]


def _literal(question: Question, *, is_true: bool) -> Comparison:
    if question.is_order:  # d < 0 is −d − 1 ≥ 0, for integers
        difference = -question.difference - 1 if is_true else question.difference
        return Comparison(difference, ">=", 0)
    return Comparison(question.difference, "==" if is_true else "!=", 0)


# -- in few words ---------------------------------------------------------------------------------


class _Sizes(NamedTuple):
    """What is known of a symbol: its remainder by a modulus, and the least of such sizes."""

    modulus: int = 1
    remainder: int = 0
    least: int = 1

    @property
    def first(self) -> int:
        """The least size that is so."""
        return self.least + (self.remainder - self.least) % self.modulus

    def value(self, name: str) -> Integral:
        """All sizes that are so, in a symbol of at least 1."""
        return self.modulus * symbol(name) + (self.first - self.modulus)


def in_few_words(
    conditions: Iterable[Condition], assumptions: Assumptions
) -> tuple[Condition, ...]:
    """``conditions`` without what follows from ``assumptions``, or from others of them.

    They are about the symbols that stand for what is assumed, such as h; the result is about the
    sizes themselves, such as H. All together hold exactly where all the given ones do.
    """
    given = _Known(
        {
            name: _Sizes(modulus, first % modulus, first)
            for name, value in assumptions.values
            if isinstance(value, Polynomial)
            for modulus, first in _progression(value)
        },
        {},
    )
    open_: list[Comparison] = []
    choices: list[Condition] = []
    for condition in conditions:
        restored = [
            tuple(
                Comparison(assumptions.restored(one.left).numerator, one.relation, 0)
                for one in alternative
            )
            for alternative in condition.alternatives
        ]
        if len(restored) == 1:
            open_ += restored[0]
        else:
            choices.append(Condition(tuple(restored)))
    known = _Known(dict(given.sizes), {})
    left = _learned(known, open_)
    while True:
        choices = [each for each in (_narrowed(choice, known) for choice in choices) if each]
        plain = [each for each in choices if len(each.alternatives) == 1]
        if not plain:
            break
        choices = [each for each in choices if len(each.alternatives) > 1]
        left = _learned(known, [*left, *(one for each in plain for one in each.alternatives[0])])
    said = {one.written(str) for one in left}
    choices = [
        choice
        for choice in choices
        if not any(
            all(one.written(str) in said for one in alternative)
            for alternative in choice.alternatives
        )
    ]
    found = [
        *(Comparison(symbol(name), "==", value) for name, value in known.equal.items()),
        *_new_facts(known, given),
        *_strongest(known, left),
    ]
    return (
        *(Condition(((each,),)) for each in found),
        *dict.fromkeys(
            Condition(tuple(tuple(_pretty(one) for one in alternative) for alternative in each[0]))
            for each in _weakest_left_out(choices)
        ),
    )


def _progression(value: Polynomial) -> Iterator[tuple[int, int]]:
    """The modulus and first of m·h + c, for h of at least 1."""
    [(monomial, modulus), *constant] = value.terms()
    if len(monomial) == 1:
        yield modulus, modulus + sum(c for _, c in constant)


class _Known(NamedTuple):
    """What has been learned of symbols."""

    sizes: dict[str, _Sizes]
    equal: dict[str, Integral]
    """What a symbol must be: a number, or another symbol."""

    def applied(self, formula: Integral) -> Integral:
        """``formula`` in symbols of at least 1, of the same names, for all sizes that are left."""
        if not isinstance(formula, Polynomial):
            return formula
        formula = formula.substitute(self.equal) if self.equal else formula
        if not isinstance(formula, Polynomial):
            return formula
        return formula.substitute({name: sizes.value(name) for name, sizes in self.sizes.items()})

    def decided(self, comparison: Comparison) -> bool | None:
        """Whether a comparison with 0 holds; None if that is open."""
        formula = self.applied(comparison.left)
        try:
            is_true = formula >= 0 if comparison.relation == ">=" else formula == 0
        except UndecidableError:
            return None
        return is_true is (comparison.relation != "!=")


def _learned(known: _Known, comparisons: list[Comparison]) -> list[Comparison]:
    """Those of ``comparisons`` with 0 from which nothing could be learned for a symbol alone."""
    left = list({(one.relation, str(one.left)): one for one in comparisons}.values())
    while True:
        # What was learned of one may be what another needs: 2·⌊H/4⌋ = ⌊H/2⌋ says more of even H.
        again = [
            one
            for one in left
            for is_true in (known.decided(one),)
            if is_true is False or (is_true is None and not _learn(known, one))
        ]
        if len(again) == len(left):
            return left
        left = again


def _learn(known: _Known, one: Comparison) -> bool:
    """Whether a comparison is all said by what ``known`` then knows."""
    formula = known.applied(one.left)
    if one.relation == ">=":
        formula = _without_floor(formula)
        line = _line(formula)
        if line is None or line[1] < 0:
            return False
        name, slope, constant = line
        sizes = known.sizes.get(name, _Sizes())
        least = sizes.modulus * -(constant // slope) + sizes.first - sizes.modulus
        known.sizes[name] = sizes._replace(least=max(sizes.least, least))
        return True
    if one.relation != "==":
        return False
    return _learn_equality(known, formula) or _learn_congruence(known, formula)


def _learn_equality(known: _Known, formula: Integral) -> bool:
    line = _line(formula)
    if line is not None:
        name, slope, constant = line
        if constant % slope or -constant // slope < 1:
            return False
        sizes = known.sizes.pop(name, _Sizes())
        known.equal[name] = sizes.modulus * (-constant // slope) + sizes.first - sizes.modulus
        return True
    terms = list(formula.terms()) if isinstance(formula, Polynomial) else []
    if len(terms) != 2 or terms[0][1] != -terms[1][1]:
        return False
    pair = [_symbol_of(monomial) for monomial, _ in terms]
    first, second = pair
    if first is None or second is None or first in known.sizes or second in known.sizes:
        return False
    known.equal[second] = symbol(first)
    return True


def _learn_congruence(known: _Known, formula: Integral) -> bool:
    found = _remainder(formula)
    if found is None or not isinstance(found.modulus, int) or not isinstance(found.right, int):
        return False
    line = _line(found.left)
    if line is None:
        return False
    name, slope, constant = line
    common = gcd(slope, found.modulus)
    if (found.right - constant) % common:
        return False
    modulus = found.modulus // common
    rest = (found.right - constant) // common * pow(slope // common, -1, modulus) % modulus
    sizes = known.sizes.get(name, _Sizes())
    # The symbol is modulus·t + rest, and what it stands for linear in it.
    offset = sizes.first - sizes.modulus
    known.sizes[name] = _Sizes(
        sizes.modulus * modulus,
        (sizes.modulus * rest + offset) % (sizes.modulus * modulus),
        sizes.first,
    )
    return True


def _new_facts(known: _Known, given: _Known) -> Iterator[Comparison]:
    for name, sizes in known.sizes.items():
        before = given.sizes.get(name, _Sizes())
        if sizes.modulus != before.modulus:
            yield Comparison(symbol(name), "==", sizes.remainder, sizes.modulus)
        # That it is the first of its kind, or what was assumed, goes without saying.
        usual = _Sizes(sizes.modulus, sizes.remainder, before.least).first
        if sizes.first > usual:
            yield Comparison(symbol(name), ">=", sizes.first)


def _narrowed(choice: Condition, known: _Known) -> Condition | None:
    """What is left open of a choice; None if nothing is."""
    alternatives = []
    for alternative in choice.alternatives:
        decided = [known.decided(one) for one in alternative]
        if all(decided):
            return None
        if False not in decided:
            alternatives.append(
                tuple(one for one, is_true in zip(alternative, decided, strict=True) if not is_true)
            )
    return Condition(tuple(alternatives)) if alternatives else choice


def _weakest_left_out(choices: Sequence[Condition]) -> list[Condition]:
    """The choices without those that another one implies: its alternatives are among theirs."""
    texts = [
        {frozenset(one.written(str) for one in alternative) for alternative in each.alternatives}
        for each in choices
    ]
    if len(choices) > MOST_COMPARED:
        return list(choices)
    return [
        choice
        for n, choice in enumerate(choices)
        if not any(
            texts[m] < texts[n] or (texts[m] == texts[n] and m < n) for m in range(len(choices))
        )
    ]


def _strongest(known: _Known, left: Sequence[Comparison]) -> list[Comparison]:
    """What is left, without inequalities that another one implies."""
    rows = [
        one._replace(left=_without_floor(one.left)) if one.relation == ">=" else one for one in left
    ]
    rows = list({(one.relation, str(one.left)): one for one in rows}.values())
    rows = [one for one in rows if not known.decided(one)]
    if len(rows) <= MOST_COMPARED:
        rows = [
            one
            for one in rows
            if not any(
                other is not one
                and other.relation == one.relation == ">="
                and known.decided(Comparison(one.left - other.left, ">=", 0))
                for other in rows
            )
        ]
    return [_pretty(one) for one in rows]


def _pretty(one: Comparison) -> Comparison:
    """A comparison with 0 with what is taken away on the other side."""
    if one.right != 0 or one.modulus is not None:
        return one
    formula = _without_floor(one.left) if one.relation == ">=" else one.left
    if one.relation == "==":
        found = _remainder(formula)
        if found is not None:
            return found
    if isinstance(formula, int):
        return one._replace(left=formula)
    terms = dict(formula.terms())
    constant = terms.pop((), 0)
    common = gcd(*terms.values())
    if one.relation != ">=":
        common = gcd(common, constant)
    # What is 0 or more, less a remainder of a division by a common factor, still is.
    terms = {monomial: a // common for monomial, a in terms.items()} | {(): constant // common}
    left = _sum_of({m: a for m, a in terms.items() if a > 0})
    right = _sum_of({m: -a for m, a in terms.items() if a < 0})
    if isinstance(left, int):
        flipped = {">=": "<="}.get(one.relation, one.relation)
        return Comparison(right, flipped, left)
    return Comparison(left, one.relation, right)


def _sum_of(terms: Mapping[Monomial, int]) -> Integral:
    total: Integral = 0
    for monomial, coefficient in terms.items():
        total = total + (Polynomial({monomial: coefficient}) if monomial else coefficient)
    return total


def exact_fraction(
    formula: Integral, conditions: Iterable[Condition]
) -> tuple[Integral, Integral] | None:
    """Numerator and denominator of ``formula`` where a condition says that a floor rounds nothing.

    c·⌊c/g⌋ is c²/g if c % g == 0. None unless the floor is a factor of the whole.
    """
    if isinstance(formula, int):
        return None
    exact = {
        (str(one.left), str(one.modulus))
        for condition in conditions
        if len(condition.alternatives) == 1
        for one in condition.alternatives[0]
        if isinstance(one.modulus, Polynomial) and one.relation == "==" and one.right == 0
    }
    front = common_factor(formula)
    if not exact or not isinstance(front, Polynomial):
        return None
    above: Integral = formula
    below: Integral | None = None
    [(monomial, _)] = front.terms()
    for atom, power in monomial:
        if isinstance(atom, Floor) and (str(atom.numerator), str(atom.denominator)) in exact:
            rest = exact_quotient(above, Polynomial({((atom, power),): 1}))
            if rest is not None:
                above = rest * atom.numerator**power
                divisor = atom.denominator**power
                below = divisor if below is None else below * divisor
    return None if below is None else (above, below)


# -- readings of formulas -------------------------------------------------------------------------


def _is_one_factor(formula: Integral) -> bool:
    return isinstance(formula, int) or len(list(formula.terms())) == 1


def _symbol_of(monomial: Monomial) -> str | None:
    """The name of a monomial that is one symbol."""
    if len(monomial) == 1 and monomial[0][1] == 1 and isinstance(monomial[0][0], Symbol):
        return monomial[0][0].name
    return None


def _line(formula: Integral) -> tuple[str, int, int] | None:
    """Name, slope and constant of a·n + b; None if the formula is something else."""
    if isinstance(formula, int):
        return None
    terms = dict(formula.terms())
    constant = terms.pop((), 0)
    if len(terms) != 1:
        return None
    [(monomial, slope)] = terms.items()
    name = _symbol_of(monomial)
    return None if name is None else (name, slope, constant)


def _without_floor(formula: Integral) -> Integral:
    """What is 0 or more where ``formula`` is: ⌊n/d⌋ + r ≥ 0 if n + d·r ≥ 0, for whole r and d > 0.

    And r − ⌊n/d⌋ ≥ 0 if d·r + d − 1 − n ≥ 0. Done as long as there is one floor, by itself.
    """
    while isinstance(formula, Polynomial):
        floors = [
            (monomial, a)
            for monomial, a in formula.terms()
            if any(isinstance(atom, Floor) for atom, _ in monomial)
        ]
        if len(floors) != 1 or len(floors[0][0]) != 1 or floors[0][0][0][1] != 1:
            break
        [(monomial, a)] = floors
        floor = monomial[0][0]
        if not isinstance(floor, Floor) or not isinstance(floor.denominator, int):
            break
        rest = formula - Polynomial({monomial: a})
        if abs(a) != 1:
            if not isinstance(rest, int):
                break
            rest = rest // abs(a)  # a·⌊n/d⌋ + r ≥ 0 if ⌊n/d⌋ + ⌊r/a⌋ ≥ 0
        n, d = floor.numerator, floor.denominator
        formula = n + d * rest if a > 0 else d * rest + (d - 1) - n
    return formula


def _remainder(formula: Integral) -> Comparison | None:
    """``n % d == r`` where that says that ``formula`` is 0; None if it is no such thing.

    t·(n mod d) + q is t·n − t·d·⌊n/d⌋ + q.
    """
    if isinstance(formula, int):
        return None
    terms = dict(formula.terms())
    floors = {atom: None for monomial in terms for atom, _ in monomial if isinstance(atom, Floor)}
    for floor in floors:
        for n, d in ((floor.numerator, floor.denominator), *_nested(floor, floors)):
            multiple = d * Polynomial({((floor, 1),): 1})
            if isinstance(multiple, int):
                continue
            [(monomial, coefficient), *_] = multiple.terms()
            times, odd = divmod(-terms.get(monomial, 0), coefficient)
            if not times or odd:
                continue
            rest = formula - times * (n - multiple)
            if isinstance(rest, int) and not rest % times:
                return _shifted(n, d, -rest // times)
    return None


def _nested(floor: Floor, others: Iterable[Floor]) -> Iterator[tuple[Integral, int]]:
    """What else the floor is that of: ⌊(H + 3)/4⌋ is ⌊(⌊(H + 1)/2⌋ + 1)/2⌋.

    ⌊n/(e·m)⌋ is ⌊(⌊(n − e·s)/e⌋ + s)/m⌋.
    """
    for other in others:
        if not isinstance(floor.denominator, int) or not isinstance(other.denominator, int):
            continue
        between = floor.numerator - other.numerator
        by, odd = divmod(floor.denominator, other.denominator)
        if by > 1 and not odd and isinstance(between, int) and not between % other.denominator:
            inner = Polynomial({((other, 1),): 1})
            yield inner + between // other.denominator, by


def _shifted(n: Integral, d: Integral, r: int) -> Comparison | None:
    """``n % d == r`` with as little as possible beside the symbols: (H + 7) % 8 == 7 is H % 8 == 0.

    None if nothing has such a remainder.
    """
    if isinstance(d, int):
        if not 0 <= r < d:
            return None
        constant = dict(n.terms()).get((), 0) if isinstance(n, Polynomial) else 0
        return Comparison(n - constant, "==", (r - constant) % d, d)
    return Comparison(n, "==", r, d) if r == 0 else None
