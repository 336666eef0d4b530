"""Expressions of the spec language: parsed to a whitelisted tree, never handed to ``eval``.

The language is Python's arithmetic, comparisons, ``and or not``, ``a if c else b``, list indexing
and the functions of `FUNCTIONS`, over whole numbers, exact fractions, words, lists and formulas.
Text, nesting, exponents and every intermediate result are bounded, so that no expression takes
noticeable time or memory.
"""

from __future__ import annotations

import ast
import operator
import re
import warnings
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from typing import Any, Final, NamedTuple, TypeAlias

from convcalc.algebra import Polynomial, UndecidableError, exact_quotient
from convcalc.errors import Code, Place, catalogue, close_match
from convcalc.layers.field_types import LARGEST_NUMBER
from convcalc.sources.decimals import DECIMAL, DecimalError, exact_decimal

__all__ = [
    "FUNCTIONS",
    "UNKNOWN",
    "Bindings",
    "Environment",
    "Expression",
    "ExpressionError",
    "UnknownValueError",
    "Value",
    "checked_list",
    "described_value",
    "is_bounded",
]

MAX_LENGTH: Final = 1000
"""Characters of an expression."""
MAX_NESTING: Final = 100
"""Levels of operations within operations."""
MAX_EXPONENT: Final = 64
MAX_ITEMS: Final = 500
"""Items of a list, those of lists in it counted: a list made of lists could double each time."""
MAX_TERMS: Final = 50
"""Terms of a formula."""
MAX_DEGREE: Final = 100
"""Factors of one of its terms."""
MAX_FORMULA: Final = 1000
"""Characters of a formula as it is printed, floors within floors included."""
MAX_LIST_LEVELS: Final = 8
"""Lists within lists."""
SCAN: Final = 150
"""What it costs to go through the longest list, where reading a variable costs 1."""


class Bindings:
    """Variables that one round of a `for` sets: what a mapping in a list stands for."""

    __slots__ = ("values",)

    def __init__(self, values: dict[str, Value]) -> None:
        self.values = values

    def __repr__(self) -> str:
        return "a mapping"


class Ratio:
    """A formula divided by what does not divide it for all values of its symbols.

    It is on its way within an expression, to be rounded: no value is one.
    """

    # No tuple: that is what lists of the language are.
    __slots__ = ("denominator", "numerator")

    def __init__(self, numerator: int | Polynomial, denominator: int | Polynomial) -> None:
        self.numerator = numerator
        self.denominator = denominator

    def __str__(self) -> str:
        return f"({self.numerator}) / ({self.denominator})"

    def rounded_down(self) -> int | Polynomial:
        """⌊n/d⌋. Raises UndecidableError if the sign of d is open."""
        return self.numerator // self.denominator

    def rounded_up(self) -> int | Polynomial:
        """⌈n/d⌉ = −⌊−n/d⌋, which for integers is ⌊(n + d − 1)/d⌋ if d > 0.

        Raises UndecidableError if the sign of d is open.
        """
        if self.denominator < 0:
            return Ratio(-self.numerator, -self.denominator).rounded_up()
        return (self.numerator + self.denominator - 1) // self.denominator

    def way_out(self) -> str:
        """What to write instead."""
        name = str(self.numerator)
        means = f", or free it with `--assume '{name} % {self.denominator} == 0'`"
        return "round it, down with `//` or `floor(…)` or up with `ceil(…)`" + (
            means if name.isidentifier() and isinstance(self.denominator, int) else ""
        )


Value: TypeAlias = "int | Fraction | bool | str | Polynomial | tuple[Value, ...] | Bindings | None"
Environment: TypeAlias = "Mapping[str, Value]"
Evaluator: TypeAlias = Callable[["Mapping[str, Value]"], "Value"]

UNKNOWN: Final = "\0unknown"
"""Stands for a value that an earlier finding left open; reading it raises UnknownValueError."""


class UnknownValueError(Exception):
    """An expression needs a value that an earlier finding left open: there is nothing to add."""


class ExpressionError(Exception):
    """What is wrong with an expression: which error, where in its text, what to do."""

    def __init__(
        self,
        code: Code,
        message: str,
        span: tuple[int, int] | None = None,
        help: str | None = None,  # noqa: A002 - as in Finding
    ) -> None:
        super().__init__(message)
        self.code = code
        self.span = span
        self.help = help
        self.place: Place | None = None
        """Where it is, once that is known."""


class Expression:
    """A parsed expression.

    ``names`` are the variables that it reads, each with its offset in ``text``. An expression that
    reads none is evaluated at once: its value is ``constant``. ``cost`` is the number of steps that
    an evaluation takes at most.
    """

    __slots__ = ("constant", "cost", "evaluate", "is_constant", "names", "text")

    def __init__(self, text: str) -> None:
        """Parse ``text``. Raises ExpressionError."""
        self.text = text
        self.names: dict[str, int] = {}
        compiler = _Compiler(text, self.names)
        self.evaluate: Evaluator = compiler.compile()
        self.cost = compiler.cost
        self.is_constant = not self.names
        self.constant: Value = self.evaluate({}) if self.is_constant else None


# -- functions ------------------------------------------------------------------------------------


Numeric: TypeAlias = Any
"""A Value that is a number: what calls these functions has seen to that."""


def make_divisible(v: Numeric, divisor: Numeric) -> Numeric:
    """The multiple of ``divisor`` nearest to ``v``, but no less than 90 % of it, and not 0.

    The rounding that MobileNet and EfficientNet use for their channels (Sandler et al. 2018).
    """
    if not isinstance(divisor, int) or divisor < 1:
        raise ExpressionError(
            catalogue.CANNOT_EVALUATE,
            f"the divisor of `make_divisible` is a whole number of 1 or more, not {_text(divisor)}",
        )
    half = Fraction(divisor, 2) if isinstance(v, Fraction) else divisor // 2
    nearest = max(divisor, _floor(v + half) // divisor * divisor)
    return nearest + divisor if 10 * nearest < 9 * v else nearest


def _floor(value: Numeric) -> Numeric:
    if isinstance(value, Ratio):
        return value.rounded_down()
    return value if isinstance(value, Polynomial) else value.__floor__()


def _ceil(value: Numeric) -> Numeric:
    if isinstance(value, Ratio):
        return value.rounded_up()
    return value if isinstance(value, Polynomial) else value.__ceil__()


def _round(value: Numeric) -> Numeric:
    if isinstance(value, Ratio):
        n, d = value.numerator, value.denominator
        if isinstance(d, int) and d % 2:
            return (2 * n + d) // (2 * d)  # no halves, which would go to the even one
        raise ExpressionError(
            catalogue.CANNOT_EVALUATE,
            f"`round` of {value} has no formula: halves go to the even one",
            help="use `floor(…)` or `ceil(…)`",
        )
    return value if isinstance(value, Polynomial) else round(value)


class Function(NamedTuple):
    """A function of the language: how many arguments it takes, and its line in the docs."""

    call: Callable[..., Value]
    least: int
    most: int
    help: str


FUNCTIONS: Final[dict[str, Function]] = {
    "min": Function(min, 2, 32, "the least of its arguments"),
    "max": Function(max, 2, 32, "the greatest of its arguments"),
    "ceil": Function(_ceil, 1, 1, "the least whole number that is not less"),
    "floor": Function(_floor, 1, 1, "the greatest whole number that is not greater"),
    "round": Function(_round, 1, 1, "the nearest whole number; halves go to the even one"),
    "make_divisible": Function(
        make_divisible,
        2,
        2,
        "`make_divisible(v, divisor)`: the nearest multiple of `divisor`, at least 90 % of `v`",
    ),
    "len": Function(len, 1, 1, "the length of a list"),
}

_ROUNDING: Final = (_floor, _ceil, _round)
"""What makes a whole number of any, and so takes ratios of formulas."""

_FUNCTIONS_ELSEWHERE: Final = {"int": "floor", "trunc": "floor", "size": "len", "length": "len"}

# -- compiling ------------------------------------------------------------------------------------


def _divide(a: Numeric, b: Numeric) -> Numeric:
    if isinstance(a, int | Fraction) and isinstance(b, int | Fraction):
        return _whole(Fraction(a, b))
    n, d = _parts(a)
    by, over = _parts(b)
    return _ratio(n * over, d * by)


def _parts(number: Numeric) -> tuple[Numeric, Numeric]:
    """The numerator and denominator of what may be neither a fraction nor a ratio."""
    if isinstance(number, Ratio | Fraction):
        return number.numerator, number.denominator
    return number, 1


def _ratio(numerator: Numeric, denominator: Numeric) -> Numeric:
    """The exact quotient, if there is one, and else the ratio."""
    quotient = exact_quotient(numerator, denominator)
    return Ratio(numerator, denominator) if quotient is None else quotient


def _on_ratios(operation: type[ast.operator], a: Numeric, b: Numeric) -> Numeric:
    """An operation on numbers of which one is a ratio, or one a formula and one a fraction.

    Raises TypeError for one that there is not.
    """
    (n, d), (m, e) = _parts(a), _parts(b)
    if operation in {ast.Add, ast.Sub}:
        return _ratio(n * e + (m if operation is ast.Add else -m) * d, d * e)
    if operation is ast.Mult:
        return _ratio(n * m, d * e)
    if operation is ast.FloorDiv:
        return (n * e) // (d * m)
    raise TypeError


def _power(a: Numeric, b: Numeric) -> Numeric:
    if not isinstance(b, int) or abs(b) > MAX_EXPONENT:
        raise ExpressionError(
            catalogue.EXPRESSION_TOO_LARGE,
            f"the exponent {_text(b)} is not a whole number from -{MAX_EXPONENT} to {MAX_EXPONENT}",
        )
    if not isinstance(a, Polynomial):
        return a**b if b >= 0 else _divide(1, a**-b)
    result: Numeric = 1
    for _ in range(abs(b)):
        result = result * a
        if not is_bounded(result):
            break  # what it is multiplied by next makes no difference to the finding
    return result if b >= 0 else _divide(1, result)


_ARITHMETIC: Final[dict[type[ast.operator], Callable[[Numeric, Numeric], Numeric]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Div: _divide,
    ast.Pow: _power,
}
_ORDER: Final[dict[type[ast.cmpop], Callable[[Numeric, Numeric], bool]]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_SIGNS: Final[dict[type[ast.operator], str]] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Div: "/",
    ast.Pow: "**",
}


class _Compiler:
    """Turns the whitelisted tree of one expression into a function of its variables."""

    def __init__(self, text: str, names: dict[str, int]) -> None:
        self.text = text
        self.bare = text.strip()
        self.lead = len(text) - len(text.lstrip())
        self.names = names
        self.cost = 0

    def compile(self) -> Evaluator:
        if len(self.text) > MAX_LENGTH:
            raise ExpressionError(
                catalogue.EXPRESSION_TOO_LARGE,
                f"an expression of {len(self.text):,} characters; the limit is {MAX_LENGTH:,}",
                help="name parts of it under `vars`",
            )
        if not self.bare:
            raise ExpressionError(
                catalogue.EXPRESSION_SYNTAX, "an empty text where a value is needed"
            )
        try:
            tree = self.tree()
        except SyntaxError as error:
            if "too many nested" in str(error.msg):
                raise self.too_deep() from None
            raise self.syntax_error(error) from None
        except (RecursionError, MemoryError):
            raise self.too_deep() from None
        except ValueError as error:  # null bytes, integers of thousands of digits
            raise ExpressionError(
                catalogue.EXPRESSION_SYNTAX, f"`{_text(self.text)}` is not an expression: {error}"
            ) from None
        return self.node(tree.body, 0)

    def tree(self) -> ast.Expression:
        if not _MAY_WARN.search(self.bare):
            return ast.parse(self.bare, mode="eval")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(self.bare, mode="eval")

    def syntax_error(self, error: SyntaxError) -> ExpressionError:
        line_start = sum(map(len, self.bare.splitlines(keepends=True)[: (error.lineno or 1) - 1]))
        offset = line_start + (error.offset or 0) - 1
        reason = str(error.msg).partition(". ")[0]  # what follows is advice for Python
        if not 0 <= offset < len(self.bare):
            offset = len(self.bare) - 1
            reason = "something is missing at its end"
        return ExpressionError(
            catalogue.EXPRESSION_SYNTAX,
            f"`{_text(self.bare)}` is not an expression: {reason}",
            (self.lead + offset, 1),
            next((hint for sign, hint in _HINTS if sign.search(self.bare)), _LANGUAGE),
        )

    def too_deep(self) -> ExpressionError:
        return ExpressionError(
            catalogue.EXPRESSION_TOO_LARGE,
            f"more than {MAX_NESTING} levels of nesting",
            help="name parts of it under `vars`",
        )

    def refuse(self, node: ast.expr, what: str) -> ExpressionError:
        return ExpressionError(
            catalogue.NOT_ALLOWED,
            f"{what} is not part of the expression language",
            self.span(node),
            help=_LANGUAGE,
        )

    def undecidable(self, error: UndecidableError, node: ast.expr) -> ExpressionError:
        return ExpressionError(
            catalogue.UNDECIDABLE, str(error), self.span(node), "give the variable a value"
        )

    def span(self, node: ast.expr) -> tuple[int, int]:
        start, end = node.col_offset, node.end_col_offset or 0
        if not self.bare.isascii():
            # Offsets of the tree are in UTF-8 bytes, places are in characters.
            line = self.bare.splitlines()[node.lineno - 1].encode()
            start, end = (len(line[:n].decode(errors="ignore")) for n in (start, end))
        if node.lineno > 1:
            lines = self.bare.splitlines(keepends=True)
            start, end = (n + sum(map(len, lines[: node.lineno - 1])) for n in (start, end))
        return self.lead + start, max(1, end - start) if node.end_lineno == node.lineno else 1

    def node(self, node: ast.expr, depth: int, *, may_be_ratio: bool = False) -> Evaluator:
        if depth > MAX_NESTING:
            raise self.too_deep()
        self.cost += 1
        method = getattr(self, f"on_{type(node).__name__.lower()}", None)
        if method is None:
            raise self.refuse(node, _DESCRIPTIONS.get(type(node), "this"))
        evaluate: Evaluator = method(node, depth + 1)
        if may_be_ratio or not isinstance(node, ast.BinOp | ast.UnaryOp):
            return evaluate

        def whole(environment: Environment) -> Value:
            value: Numeric = evaluate(environment)
            if isinstance(value, Ratio):
                raise ExpressionError(
                    catalogue.CANNOT_EVALUATE,
                    f"{value} is not a whole number for all values of its symbols",
                    self.span(node),
                    help=value.way_out(),
                )
            return value  # type: ignore[no-any-return]

        return whole

    def on_constant(self, node: ast.Constant, _depth: int) -> Evaluator:
        value: Any = node.value
        if isinstance(value, float):
            value = self.decimal(node)
        if value is not None and not isinstance(value, bool | int | str | Fraction):
            raise self.refuse(node, "this")
        constant: Value = self.bounded(value, node)
        return lambda _: constant

    def decimal(self, node: ast.Constant) -> int | Fraction:
        start, length = self.span(node)
        literal = self.text[start : start + length].replace("_", "")
        if not DECIMAL.fullmatch(literal):
            literal = repr(node.value)
        try:
            return exact_decimal(literal)
        except DecimalError as error:
            raise ExpressionError(
                catalogue.NUMBER_TOO_LARGE,
                f"`{_text(literal)}` {error}",
                (start, length),
                help="write a whole number or a short decimal",
            ) from None

    def on_name(self, node: ast.Name, _depth: int) -> Evaluator:
        name = node.id
        if name in ("true", "false"):
            constant = name == "true"
            return lambda _: constant
        if name not in self.names:
            self.names[name] = self.span(node)[0]

        def read(environment: Environment) -> Value:
            try:
                value = environment[name]
            except KeyError:
                raise ExpressionError(
                    catalogue.UNKNOWN_VARIABLE,
                    f"`{name}` has no value in this round",
                    self.span(node),
                    help="every mapping that a `for` goes through must set it",
                ) from None
            if value is UNKNOWN:
                raise UnknownValueError
            return value

        return read

    def on_binop(self, node: ast.BinOp, depth: int) -> Evaluator:
        left = self.node(node.left, depth, may_be_ratio=True)
        right = self.node(node.right, depth, may_be_ratio=True)
        is_division = isinstance(node.op, ast.Div)
        operation = _ARITHMETIC.get(type(node.op))
        if operation is None:
            raise self.refuse(node, "`^`" if isinstance(node.op, ast.BitXor) else "this operator")
        sign = _SIGNS[type(node.op)]
        self.cost += 5  # on fractions it takes its time

        def calculate(environment: Environment) -> Value:
            a, b = left(environment), right(environment)
            if not (_is_operand(a) and _is_operand(b)):
                raise ExpressionError(
                    catalogue.CANNOT_EVALUATE,
                    f"`{sign}` needs numbers, not {described_value(b if _is_operand(a) else a)}",
                    self.span(node),
                )
            try:
                if not is_division and _is_ratio(a, b):
                    return self.bounded(_on_ratios(type(node.op), a, b), node)
                return self.bounded(_whole(operation(a, b)), node)
            except ZeroDivisionError:
                raise ExpressionError(
                    catalogue.CANNOT_EVALUATE,
                    f"division by zero: {_text(a)} {sign} {_text(b)}",
                    self.span(node),
                ) from None
            except TypeError:  # a formula and a fraction
                raise ExpressionError(
                    catalogue.CANNOT_EVALUATE,
                    f"{_text(a)} {sign} {_text(b)} is not a whole number for all values of its "
                    "symbols",
                    self.span(node),
                ) from None
            except UndecidableError as error:  # the sign of a divisor
                raise self.undecidable(error, node) from None
            except ExpressionError as error:
                error.span = error.span or self.span(node)
                raise

        return calculate

    def on_unaryop(self, node: ast.UnaryOp, depth: int) -> Evaluator:
        may_be_ratio = isinstance(node.op, ast.USub | ast.UAdd)
        operand = self.node(node.operand, depth, may_be_ratio=may_be_ratio)
        if isinstance(node.op, ast.Not):
            return lambda environment: not self.condition(operand(environment), node)
        if isinstance(node.op, ast.Invert):
            raise self.refuse(node, "`~`")
        negative = isinstance(node.op, ast.USub)

        def sign(environment: Environment) -> Value:
            value: Numeric = operand(environment)
            if isinstance(value, Ratio):
                return Ratio(-value.numerator, value.denominator) if negative else value  # type: ignore[return-value]
            if not _is_number(value):
                raise ExpressionError(
                    catalogue.CANNOT_EVALUATE,
                    f"a sign needs a number, not {described_value(value)}",
                    self.span(node),
                )
            return -value if negative else value  # type: ignore[no-any-return]

        return sign

    def on_boolop(self, node: ast.BoolOp, depth: int) -> Evaluator:
        operands = [self.node(value, depth) for value in node.values]
        decisive = isinstance(node.op, ast.Or)

        def decide(environment: Environment) -> Value:
            for operand in operands:
                if self.condition(operand(environment), node) is decisive:
                    return decisive
            return not decisive

        return decide

    def on_compare(self, node: ast.Compare, depth: int) -> Evaluator:
        operands = [self.node(operand, depth) for operand in (node.left, *node.comparators)]
        tests = [self.comparison(operation, node) for operation in node.ops]
        for operation, items in zip(node.ops, node.comparators, strict=True):
            if isinstance(operation, ast.In | ast.NotIn) and not isinstance(items, ast.List):
                self.cost += SCAN

        def compare(environment: Environment) -> Value:
            left = operands[0](environment)
            for test, operand in zip(tests, operands[1:], strict=True):
                right = operand(environment)
                try:
                    if not test(left, right):
                        return False
                except UndecidableError as error:
                    raise self.undecidable(error, node) from None
                except TypeError:  # a formula and a fraction
                    raise ExpressionError(
                        catalogue.UNDECIDABLE,
                        f"cannot compare {described_value(left)} with {described_value(right)}",
                        self.span(node),
                        help="multiply both sides until they are whole",
                    ) from None
                left = right
            return True

        return compare

    def comparison(self, operation: ast.cmpop, node: ast.Compare) -> Callable[[Value, Value], bool]:
        if isinstance(operation, ast.Eq | ast.NotEq):
            wants_equal = isinstance(operation, ast.Eq)

            def equal(a: Value, b: Value) -> bool:
                if isinstance(a, tuple) and isinstance(b, tuple):
                    raise ExpressionError(
                        catalogue.CANNOT_EVALUATE,
                        f"`{'==' if wants_equal else '!='}` compares numbers and words, not lists",
                        self.span(node),
                        help="compare what is in them: `widths[0] == 64`, `len(widths) == 3`",
                    )
                return _equals(a, b) is wants_equal

            return equal
        if isinstance(operation, ast.In | ast.NotIn):
            wanted = isinstance(operation, ast.In)

            def contains(item: Value, items: Value) -> bool:
                if not isinstance(items, tuple):
                    message = f"`in` needs a list after it, not {described_value(items)}"
                    raise ExpressionError(catalogue.CANNOT_EVALUATE, message, self.span(node))
                if isinstance(item, tuple):
                    message = "`in` looks for a number or a word, not for a list"
                    raise ExpressionError(catalogue.CANNOT_EVALUATE, message, self.span(node))
                found = item in items
                if found and item in (0, 1):  # or true or false, which Python takes for the same
                    found = (type(item), item) in zip(map(type, items), items, strict=True)
                return found is wanted

            return contains
        order = _ORDER.get(type(operation))
        if order is None:
            raise self.refuse(node, "`is`")

        def ordered(a: Value, b: Value) -> bool:
            if not (_is_number(a) and _is_number(b)):
                raise ExpressionError(
                    catalogue.CANNOT_EVALUATE,
                    f"cannot order {described_value(a)} and {described_value(b)}",
                    self.span(node),
                )
            return order(a, b)

        return ordered

    def on_ifexp(self, node: ast.IfExp, depth: int) -> Evaluator:
        test = self.node(node.test, depth)
        then, otherwise = self.node(node.body, depth), self.node(node.orelse, depth)

        def choose(environment: Environment) -> Value:
            chosen = then if self.condition(test(environment), node.test) else otherwise
            return chosen(environment)

        return choose

    def on_subscript(self, node: ast.Subscript, depth: int) -> Evaluator:
        if isinstance(node.slice, ast.Slice):
            raise self.refuse(node, "a slice")
        items, index = self.node(node.value, depth), self.node(node.slice, depth)

        def pick(environment: Environment) -> Value:
            sequence, position = items(environment), index(environment)
            if not isinstance(sequence, tuple):
                message = f"only a list has an index, not {described_value(sequence)}"
            elif isinstance(position, Polynomial):
                raise ExpressionError(
                    catalogue.UNDECIDABLE,
                    f"the index is the formula {position}: which item it is must be known",
                    self.span(node),
                    help="give the variable a value",
                )
            elif isinstance(position, bool) or not isinstance(position, int):
                message = f"an index is a whole number, not {described_value(position)}"
            elif not sequence:
                message = "an empty list has no items"
            elif not -len(sequence) <= position < len(sequence):
                message = (
                    f"index {position} of a list of {len(sequence)}: "
                    f"the first is 0, the last {len(sequence) - 1}"
                )
            else:
                return sequence[position]
            raise ExpressionError(catalogue.CANNOT_EVALUATE, message, self.span(node))

        return pick

    def on_list(self, node: ast.List | ast.Tuple, depth: int) -> Evaluator:
        items = [self.node(item, depth) for item in node.elts]
        if not all(isinstance(item, ast.Constant) for item in node.elts):
            self.cost += SCAN

        def build(environment: Environment) -> Value:
            try:
                return checked_list([item(environment) for item in items])
            except ExpressionError as error:
                error.span = error.span or self.span(node)
                raise

        return build

    on_tuple = on_list

    def on_call(self, node: ast.Call, depth: int) -> Evaluator:
        if not isinstance(node.func, ast.Name):
            raise self.refuse(node, "a method")
        name = node.func.id
        function = FUNCTIONS.get(name)
        if function is None:
            known = _FUNCTIONS_ELSEWHERE.get(name) or close_match(name, FUNCTIONS)
            raise ExpressionError(
                catalogue.UNKNOWN_FUNCTION,
                f"unknown function `{name}`",
                self.span(node.func),
                help=f"did you mean `{known}`?" if known else f"there are {', '.join(FUNCTIONS)}",
            )
        if node.keywords or not function.least <= len(node.args) <= function.most:
            count = (
                f"{function.least}"
                if function.least == function.most
                else f"{function.least} to {function.most}"
            )
            raise ExpressionError(
                catalogue.CANNOT_EVALUATE,
                f"`{name}` takes {count} arguments by position, not "
                f"{len(node.args) + len(node.keywords)}",
                self.span(node),
            )
        rounds = function.call in _ROUNDING
        operands = [self.node(operand, depth, may_be_ratio=rounds) for operand in node.args]
        takes_list = name == "len"
        self.cost += 15

        def call(environment: Environment) -> Value:
            values = [operand(environment) for operand in operands]
            for value in values:
                if isinstance(value, tuple) if not takes_list else not isinstance(value, tuple):
                    wanted = "a list" if takes_list else "numbers"
                    message = f"`{name}` needs {wanted}, not {described_value(value)}"
                elif not takes_list and not _is_operand(value):
                    message = f"`{name}` needs numbers, not {described_value(value)}"
                else:
                    continue
                raise ExpressionError(catalogue.CANNOT_EVALUATE, message, self.span(node))
            try:
                return self.bounded(_whole(function.call(*values)), node)
            except ZeroDivisionError:
                raise ExpressionError(
                    catalogue.CANNOT_EVALUATE, f"`{name}` divides by zero", self.span(node)
                ) from None
            except UndecidableError as error:
                raise self.undecidable(error, node) from None
            except ExpressionError as error:
                error.span = error.span or self.span(node)
                raise
            except TypeError:  # a formula and a fraction
                raise ExpressionError(
                    catalogue.UNDECIDABLE,
                    f"`{name}` cannot round a formula with a fraction",
                    self.span(node),
                ) from None

        return call

    def condition(self, value: Value, node: ast.expr) -> bool:
        if isinstance(value, bool):
            return value
        raise ExpressionError(
            catalogue.CANNOT_EVALUATE,
            f"a condition is true or false, not {described_value(value)}",
            self.span(node),
            help="compare it with something: `x != 0`",
        )

    def bounded(self, value: Value, node: ast.expr) -> Value:
        if is_bounded(value):
            return value
        limit = "10¹⁸"
        if isinstance(value, Polynomial):
            limit = f"{MAX_TERMS} terms, {MAX_DEGREE} factors or factors of 10¹⁸"
        raise ExpressionError(
            catalogue.NUMBER_TOO_LARGE,
            f"`{_text(self.text)}` exceeds {limit} on the way"
            if not isinstance(node, ast.Constant)
            else "a number in a spec is at most 10¹⁸",
            self.span(node),
            help=f"no size in a spec may exceed {limit}",
        )


_MAY_WARN: Final = re.compile(r"\\|[0-9][A-Za-z]")
"""What Python may warn of: an odd escape, or a number that runs into a word."""
_LANGUAGE: Final = (
    "there are numbers, variables, + - * / // % **, comparisons, and or not, "
    "`a if c else b`, `list[index]`, and " + ", ".join(FUNCTIONS)
)
_HINTS: Final = tuple(
    (re.compile(sign), hint)
    for sign, hint in (
        (r"&&", "write `and`"),
        (r"\|\|", "write `or`"),
        (r"!(?!=)", "write `not`"),
        (r"\?", "write `a if condition else b`"),
        (r"(?<![=!<>])=(?!=)", "`==` compares; nothing is assigned"),
        (r"[0-9] *[x×] *[0-9]", "for sizes of several axes write a list: `[3, 3]`"),
        (r"[0-9] +[0-9]", "a comma or an operator is missing between two numbers"),
        ("[×·⋅]", "write `*` to multiply"),
        ("÷", "write `/`, or `//` to round down"),
        ("[−–]", "write the minus sign of the keyboard, `-`"),
        ("[⁰¹²³⁴-⁹]", "write `**` for a power"),
    )
)
"""Signs that others write, with what is written here."""
_DESCRIPTIONS: Final[dict[type[ast.expr], str]] = {
    ast.Attribute: "an attribute (`.`)",
    ast.Lambda: "a lambda",
    ast.Dict: "a dictionary",
    ast.Set: "a set",
    ast.ListComp: "a comprehension",
    ast.SetComp: "a comprehension",
    ast.DictComp: "a comprehension",
    ast.GeneratorExp: "a comprehension",
    ast.JoinedStr: "a formatted text",
    ast.NamedExpr: "an assignment",
    ast.Starred: "a star",
    ast.Await: "await",
    ast.Yield: "yield",
}


def _whole(value: Value) -> Value:
    if isinstance(value, Fraction) and value.denominator == 1:
        return value.numerator
    return value


def is_bounded(value: object) -> bool:
    """Whether a value, if it is a number, is small enough to go on with."""
    if isinstance(value, Ratio):
        return is_bounded(value.numerator) and is_bounded(value.denominator)
    if isinstance(value, int):
        return -LARGEST_NUMBER <= value <= LARGEST_NUMBER
    if isinstance(value, Fraction):
        return max(abs(value.numerator), value.denominator) <= LARGEST_NUMBER
    if isinstance(value, Polynomial):
        terms = list(value.terms())
        return (
            len(terms) <= MAX_TERMS
            and all(abs(coefficient) <= LARGEST_NUMBER for _, coefficient in terms)
            and all(sum(power for _, power in monomial) <= MAX_DEGREE for monomial, _ in terms)
            and len(str(value)) <= MAX_FORMULA
        )
    return True


def checked_list(items: list[Value]) -> tuple[Value, ...]:
    """A list of ``items``. Raises ExpressionError if it holds too much."""
    if _room_left(items, MAX_ITEMS, MAX_LIST_LEVELS) >= 0:
        return tuple(items)
    raise ExpressionError(
        catalogue.EXPRESSION_TOO_LARGE,
        f"a list of more than {MAX_ITEMS:,} items, those of the lists in it counted, or with more "
        f"than {MAX_LIST_LEVELS} levels",
        help="for what stands in a row there is `repeat`",
    )


def _room_left(items: Iterable[Value], room: int, levels: int) -> int:
    """How many of ``room`` items are left; less than 0 if these are too many, or too deep."""
    for item in items:
        room -= 1
        if isinstance(item, tuple):
            room = _room_left(item, room, levels - 1) if levels > 1 else -1
        if room < 0:
            break
    return room


def _equals(a: Value, b: Value) -> bool:
    """Whether two values are the same; a truth value is no number, though Python has it so."""
    return isinstance(a, bool) is isinstance(b, bool) and a == b


def _is_number(value: Value) -> bool:
    return isinstance(value, int | Fraction | Polynomial) and not isinstance(value, bool)


def _is_operand(value: object) -> bool:
    """Whether arithmetic takes it: a number, or a ratio that is to be rounded."""
    return isinstance(value, int | Fraction | Polynomial | Ratio) and not isinstance(value, bool)


def _is_ratio(a: object, b: object) -> bool:
    """Whether of two operands one is a ratio, or they come to one."""
    if isinstance(a, Polynomial):
        return isinstance(b, Fraction | Ratio)
    return isinstance(a, Ratio) or (
        isinstance(b, Ratio) or (isinstance(a, Fraction) and isinstance(b, Polynomial))
    )


def described_value(value: Value) -> str:
    """A value in words, for messages."""
    if isinstance(value, Bindings):
        return "a mapping"
    if isinstance(value, tuple):
        return "a list"
    if value is None:
        return "nothing"
    return f"`{_text(value)}`"


def _text(value: object) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(text) <= 60 else text[:59] + "…"
