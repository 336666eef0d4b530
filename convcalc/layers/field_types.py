"""The types of layer fields: what a value may be, and what to say when it is not."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Final

from convcalc.algebra import Polynomial, UndecidableError
from convcalc.errors import Code, catalogue, close_match

__all__ = [
    "LARGEST_NUMBER",
    "Boolean",
    "Choice",
    "FieldType",
    "FieldValueError",
    "Integer",
    "ListOf",
    "Padding",
    "PerAxis",
    "Real",
    "Stride",
]

LARGEST_NUMBER: Final = 10**18
"""No size, factor or limit in a spec is larger, so that no arithmetic on them takes long."""

AXES: Final = 3
"""Feature maps have one to three spatial axes."""


class FieldValueError(ValueError):
    """A value that a field cannot have: which error it is, and what to do."""

    def __init__(self, code: Code, message: str, help: str | None = None) -> None:  # noqa: A002
        super().__init__(message)
        self.code = code
        self.help = help


class FieldType:
    """What a field may hold. ``words`` are the texts that are values, not expressions."""

    words: frozenset[str] = frozenset()

    def parse(self, value: object) -> object:
        """The field's value for a number, bool, string or tuple from a spec.

        Raises FieldValueError, whose message completes "`stride` must be …".
        """
        raise NotImplementedError

    def label(self) -> str:
        """What it is, in words, for messages and docs."""
        raise NotImplementedError

    def schema(self) -> dict[str, object]:
        """The JSON Schema of its literal values."""
        raise NotImplementedError


class Integer(FieldType):
    """A whole number of at least ``minimum`` (None: any)."""

    def __init__(self, minimum: int | None = 1) -> None:
        self.minimum = minimum

    def label(self) -> str:
        return {None: "a whole number", 0: "a whole number, 0 or more"}.get(
            self.minimum, f"a whole number, {self.minimum} or more"
        )

    def schema(self) -> dict[str, object]:
        schema: dict[str, object] = {"type": "integer", "maximum": LARGEST_NUMBER}
        if self.minimum is not None:
            schema["minimum"] = self.minimum
        return schema

    def parse(self, value: object) -> int | Polynomial:
        if isinstance(value, Polynomial):
            try:
                if self.minimum is None or value >= self.minimum:
                    return value
            except UndecidableError:
                # For formulas alone, which take their time anyway.
                from convcalc.algebra.conditions import take_for_granted  # noqa: PLC0415 - see above

                take_for_granted(lambda: value >= (self.minimum or 0))
                return value
        elif isinstance(value, Fraction):
            raise FieldValueError(
                catalogue.NOT_WHOLE,
                f"{self.label()}, not {_decimal(value)}",
                "write the rounding that you mean: floor(…), ceil(…), round(…) or "
                "make_divisible(…, 8)",
            )
        elif isinstance(value, bool) or not isinstance(value, int):
            raise _wrong_type(self, value)
        elif abs(value) > LARGEST_NUMBER:
            raise FieldValueError(
                catalogue.NUMBER_TOO_LARGE, f"at most {LARGEST_NUMBER:,}, not {_short(value)}"
            )
        elif self.minimum is None or value >= self.minimum:
            return value
        raise FieldValueError(catalogue.OUT_OF_RANGE, f"{self.label()}, not {value}")


class Stride(Integer):
    """A step: a whole number, or 1/n for n steps from one position to the next."""

    def __init__(self) -> None:
        super().__init__(1)

    def label(self) -> str:
        return "a whole number, 1 or more, or a fraction 1/n"

    def schema(self) -> dict[str, object]:
        # Of the fractions that are written as decimals only 1/2, 1/4, 1/5 … are exact: those
        # written as `1/n` are expressions.
        return {"anyOf": [super().schema(), {"enum": [0.5, 0.25, 0.2, 0.125, 0.1]}]}

    def parse(self, value: object) -> int | Polynomial | Fraction:  # type: ignore[override]  # wider
        if isinstance(value, Fraction) and 0 < value < 1 and value.numerator == 1:
            if value.denominator > LARGEST_NUMBER:
                raise FieldValueError(
                    catalogue.NUMBER_TOO_LARGE,
                    f"a fraction 1/n with n at most {LARGEST_NUMBER:,}, "
                    f"not {_short(value.denominator)}",
                )
            return value
        return super().parse(value)


class Real(FieldType):
    """A number from ``minimum``, or ``above`` a number, to ``maximum`` (None: no bound)."""

    def __init__(
        self, minimum: int | None = None, maximum: int | None = None, *, above: int | None = None
    ) -> None:
        self.minimum = minimum
        self.maximum = maximum
        self.above = above

    def label(self) -> str:
        if self.above is not None:
            return f"a number larger than {self.above}"
        if self.minimum is not None and self.maximum is not None:
            return f"a number from {self.minimum} to {self.maximum}"
        return "a number" if self.minimum is None else f"a number, {self.minimum} or more"

    def schema(self) -> dict[str, object]:
        bounds = {
            "minimum": self.minimum,
            "maximum": self.maximum,
            "exclusiveMinimum": self.above,
        }
        return {"type": "number"} | {k: v for k, v in bounds.items() if v is not None}

    def parse(self, value: object) -> int | Fraction:
        if isinstance(value, bool) or not isinstance(value, int | Fraction):
            raise _wrong_type(self, value)
        if (
            (self.minimum is not None and value < self.minimum)
            or (self.maximum is not None and value > self.maximum)
            or (self.above is not None and value <= self.above)
        ):
            raise FieldValueError(catalogue.OUT_OF_RANGE, f"{self.label()}, not {_decimal(value)}")
        return value


class Boolean(FieldType):
    """``true`` or ``false``."""

    def label(self) -> str:
        return "true or false"

    def schema(self) -> dict[str, object]:
        return {"type": "boolean"}

    def parse(self, value: object) -> bool:
        if not isinstance(value, bool):
            raise _wrong_type(self, value)
        return value


class Choice(FieldType):
    """One of a few words."""

    def __init__(self, *words: str) -> None:
        self.words = frozenset(words)
        self._ordered = words

    def label(self) -> str:
        return "one of " + ", ".join(f"`{word}`" for word in self._ordered)

    def schema(self) -> dict[str, object]:
        return {"enum": list(self._ordered)}

    def parse(self, value: object) -> str:
        if isinstance(value, str) and value in self.words:
            return value
        raise _wrong_type(self, value)


class PerAxis(FieldType):
    """One value for all spatial axes, or a list with one for each."""

    def __init__(self, item: FieldType, *, nullable: bool = False) -> None:
        self.item = item
        self.nullable = nullable

    def label(self) -> str:
        null = " (null: as the input)" if self.nullable else ""
        return f"{self.item.label()}{null}; or a list with one for each axis"

    def schema(self) -> dict[str, object]:
        item = self.item.schema()
        if self.nullable:
            item = {"anyOf": [item, {"type": "null"}]}
        return {"anyOf": [item, {"type": "array", "items": item, "minItems": 1, "maxItems": AXES}]}

    def parse(self, value: object) -> object:
        if not isinstance(value, tuple):
            return self._item(value)
        if not 1 <= len(value) <= AXES:
            raise FieldValueError(
                catalogue.WRONG_TYPE, f"a list of 1 to {AXES} values, not of {len(value)}"
            )
        return tuple(self._item(item) for item in value)

    def _item(self, value: object) -> object:
        return None if value is None and self.nullable else self.item.parse(value)


class ListOf(FieldType):
    """A list of values of one type."""

    def __init__(self, item: FieldType, *, most: int = 16) -> None:
        self.item = item
        self.most = most

    def label(self) -> str:
        return f"a list of 1 to {self.most} values, each {self.item.label()}"

    def schema(self) -> dict[str, object]:
        items = self.item.schema()
        return {"type": "array", "items": items, "minItems": 1, "maxItems": self.most}

    def parse(self, value: object) -> object:
        if not isinstance(value, tuple):
            raise _wrong_type(self, value)
        if not 1 <= len(value) <= self.most:
            raise FieldValueError(
                catalogue.WRONG_TYPE, f"a list of 1 to {self.most} values, not of {len(value)}"
            )
        return tuple(self.item.parse(item) for item in value)


class Padding(FieldType):
    """Positions added at the ends of each spatial axis.

    A number for all sides; a list with a number for each axis; a list with a pair (before, after)
    for each axis; or a word. The value is a word, a number, or a tuple of numbers and pairs.
    """

    _side = Integer(minimum=0)

    def __init__(
        self, *, words: Iterable[str] = ("same", "valid"), same: str = "⌈input / stride⌉"
    ) -> None:
        self.words = frozenset(words)
        self._same = same

    def label(self) -> str:
        numbers = (
            "a whole number, 0 or more; a list with one, or a pair [before, after], for each axis"
        )
        if not self.words:
            return numbers
        return f"{numbers}; `same` (output = {self._same}) or `valid` (none)"

    def schema(self) -> dict[str, object]:
        side = self._side.schema()
        pair = {"type": "array", "items": side, "minItems": 2, "maxItems": 2}
        axes = {
            "type": "array",
            "items": {"anyOf": [side, pair]},
            "minItems": 1,
            "maxItems": AXES,
        }
        words = [{"enum": sorted(self.words)}] if self.words else []
        return {"anyOf": [side, *words, axes]}

    def parse(self, value: object) -> object:
        if isinstance(value, str):
            if value in self.words:
                return value
            raise _wrong_type(self, value)
        if not isinstance(value, tuple):
            return self._side.parse(value)
        if not 1 <= len(value) <= AXES:
            raise FieldValueError(
                catalogue.WRONG_TYPE, f"a list of 1 to {AXES} values, not of {len(value)}"
            )
        return tuple(self._axis(axis) for axis in value)

    def _axis(self, axis: object) -> object:
        if not isinstance(axis, tuple):
            return self._side.parse(axis)
        if len(axis) != 2:
            raise FieldValueError(
                catalogue.WRONG_TYPE,
                f"a pair [before, after] for each axis, not a list of {len(axis)}",
            )
        return tuple(self._side.parse(side) for side in axis)


def _wrong_type(wanted: FieldType, value: object) -> FieldValueError:
    known = close_match(value, wanted.words) if isinstance(value, str) else None
    return FieldValueError(
        catalogue.WRONG_TYPE,
        f"{wanted.label()}, not {_described(value)}",
        f"did you mean `{known}`?" if known else None,
    )


def _described(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "`true`" if value else "`false`"
    if isinstance(value, tuple):
        return f"a list of {len(value)}"
    if isinstance(value, str):
        return f"the text {_short(value)!r}"
    return _decimal(value) if isinstance(value, int | Fraction) else str(value)


def _decimal(value: int | Fraction) -> str:
    """A number as people write it: ``0.75``, and ``1/3`` where no short decimal is exact."""
    if isinstance(value, int):
        return _short(value)
    text = f"{float(value):.6g}"
    return text if Fraction(text) == value else f"{value.numerator}/{value.denominator}"


def _short(value: object) -> str:
    text = str(value) if not isinstance(value, int) or abs(value) < 10**40 else f"{value:.3e}"
    return text if len(text) <= 40 else text[:37] + "…"
