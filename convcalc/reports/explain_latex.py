r"""Explanations as a LaTeX fragment: a heading and an ``align*`` for each thing there is to tell.

It needs the package ``amsmath``. Formulas are read from the text that is shown, whose grammar is
that of `convcalc.algebra.shown`, from the loosest binding to the tightest:

    modulo    sum ``mod`` power
    sum       terms with ``+`` and ``−`` between them
    quotient  product ``/`` power
    product   powers with ``·`` between them
    power     atom with a superscript
    atom      number, name, ``name(…, …)``, ``(…)``, ``⌊…⌋``
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Final

from convcalc.algebra import symbol
from convcalc.algebra.notation import latex as latex_of
from convcalc.analysis.cost import Analysis
from convcalc.analysis.explanation import Topic
from convcalc.errors import printable
from convcalc.reports.analyze import definitions, inputs_text, titled
from convcalc.reports.explained import (
    TOPIC_TITLES,
    WHERE_SET,
    ExplainedLayer,
    ExplainedTotals,
    chain_text,
    figure,
    formulas_of,
    matrix_cells,
    name_within,
    notes_of,
    notes_of_totals,
    set_values,
    shown_derivations,
    shown_legend,
    told_sums,
    value_text,
)
from convcalc.reports.figures import shape

__all__ = ["explain_latex", "latex_formula", "latex_words"]


def explain_latex(analysis: Analysis, parts: Iterable[ExplainedLayer | ExplainedTotals]) -> str:
    """The parts, one after the other."""
    lines = ["% A fragment made by convcalc; its formulas need \\usepackage{amsmath}."]
    for part in parts:
        lines += _layer(part) if isinstance(part, ExplainedLayer) else _totals(part, analysis)
    meant = definitions(f"input {inputs_text(analysis)}", analysis.batch, analysis.dtypes)
    return "\n".join([*lines, "", latex_words(meant)]) + "\n"


# -- parts ----------------------------------------------------------------------------------------


def _layer(part: ExplainedLayer) -> Iterator[str]:
    row, told = part.row, part.explanation
    yield f"\\subsection*{{{latex_words(f'{row.name} · {row.kind}')}}}"
    yield latex_words(told.law.partition("\n\n")[0])
    for note in notes_of(part):
        yield latex_words(note)
    for chain in part.inputs:
        yield ""
        yield latex_words(f"Input: {chain_text(chain)}.")
    legend = shown_legend(told)
    if legend:
        yield "\\paragraph{Symbols}"
        yield from _aligned(
            f"{latex_formula(entry.symbol)} &= {_number(entry.value)} && \\text{{"
            f"{latex_words(entry.meaning + (f' (`{entry.field}`)' if entry.field else ''))}}}"
            for entry in legend
        )
    origin = None if part.is_narrowed else part.origin
    values = () if origin is None else set_values(origin)
    if values:
        yield f"\\paragraph{{{WHERE_SET}}}"
        yield "\\begin{itemize}"
        for each in values:
            yield f"\\item {latex_words(f'{each.text}, {each.where}')}"
        yield "\\end{itemize}"
    for topic in Topic:
        found = shown_derivations(told, topic)
        if not found:
            continue
        yield f"\\paragraph{{{latex_words(TOPIC_TITLES[topic])}}}"
        rows: list[str] = []
        for one in found:
            name = f"\\text{{{latex_words(one.name)}}}"
            formula = one.shape or one.formula
            values_in = shape(one.sizes) if one.shape else one.substituted
            value = (
                f"\\text{{{latex_words(value_text(one))}}}"
                if one.unit == "bytes"
                else _number(one.value)
            )
            steps = [_times(text) for text in (formula, values_in) if text]
            steps = list(dict.fromkeys([*steps, value]))
            rows += [f"{'' if n else name} &= {step}" for n, step in enumerate(steps)]
        yield from _aligned(rows)
        for note in dict.fromkeys(each.note for each in found if each.note):
            yield latex_words(note)
    if told.matrix is not None and told.matrix.entries is not None:
        yield from _matrix(matrix_cells(told.matrix))


def _matrix(cells: list[list[str]]) -> Iterator[str]:
    yield f"\\setcounter{{MaxMatrixCols}}{{{max(10, len(cells[0]))}}}"
    yield "\\[ C = \\begin{pmatrix}"
    for row in cells:
        entries = (f"w_{{{cell[1:]}}}" if cell != "0" else "0" for cell in row)
        yield " & ".join(entries) + " \\\\"
    yield "\\end{pmatrix} \\]"


def _totals(part: ExplainedTotals, analysis: Analysis) -> Iterator[str]:
    name = part.totals.name
    yield f"\\subsection*{{{latex_words(titled(name, analysis) if part.is_network else name)}}}"
    for note in notes_of_totals(part, analysis):
        yield latex_words(note)
    for each in told_sums(part):
        yield f"\\paragraph{{{latex_words(each.metric.title)}}}"
        yield latex_words(f"{each.metric.definition}.")
        rows = []
        for n, term in enumerate(each.terms):
            row = f"& {'{} + ' if n else ''}{_number(term.value)}"
            row += f" && \\text{{{latex_words(name_within(part, term))}}}"
            if term.substituted:
                row += f" && {latex_formula(term.substituted)}"
            rows.append(row)
        yield from _aligned([*rows, f"& {{}} = {_number(each.value)}" if rows else "& 0"])
        for kinds, formula in formulas_of(each):
            yield f"{latex_words(kinds)}: ${latex_formula(formula)}$\\par"


def _aligned(rows: Iterable[str]) -> Iterator[str]:
    """Rows below each other."""
    yield "\\begin{align*}"
    yield " \\\\\n".join(rows)
    yield "\\end{align*}"


def _number(value: int | Fraction) -> str:
    """A number with its thousands apart, in braces so that no space follows the commas."""
    return figure(value).replace(",", "{,}").replace("−", "-")


# -- words ----------------------------------------------------------------------------------------

_WORDS: Final = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "{": r"\{",
        "}": r"\}",
        "$": r"\$",
        "&": r"\&",
        "#": r"\#",
        "%": r"\%",
        "_": r"\_",
        "^": r"\textasciicircum{}",
        "~": r"\textasciitilde{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "|": r"\textbar{}",
        "`": r"\textasciigrave{}",
        '"': "''",
        "×": r"$\times$",
        "·": r"$\cdot$",
        "−": "$-$",
        "→": r"$\rightarrow$",
        "⌊": r"$\lfloor$",
        "⌋": r"$\rfloor$",
        "⌈": r"$\lceil$",
        "⌉": r"$\rceil$",
        "√": r"$\surd$",
        "½": r"$\frac{1}{2}$",
        "•": r"\textbullet{}",
        "α": r"$\alpha$",
        "β": r"$\beta$",
        "ε": r"$\varepsilon$",
        "λ": r"$\lambda$",
        "Σ": r"$\Sigma$",
        "…": r"\ldots{}",
        "Π": r"$\Pi$",
        "≤": r"$\leq$",
        "≥": r"$\geq$",
        "⁻": r"\textsuperscript{$-$}",
        "ˣ": r"\textsuperscript{x}",
        **{sign: f"\\textsuperscript{{{digit}}}" for digit, sign in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")},
    }
)
"""Signs that would mean something to LaTeX, and those that pdfTeX's fonts have not."""


def latex_words(text: str) -> str:
    """A text that LaTeX prints as it is, whatever stands in it; code in back quotes as code."""
    parts = printable(text).split("`")
    if len(parts) % 2 == 0:  # a back quote by itself
        return "`".join(parts).translate(_WORDS)
    return "".join(
        f"\\texttt{{{part.translate(_WORDS)}}}" if number % 2 else part.translate(_WORDS)
        for number, part in enumerate(parts)
    )


# -- formulas -------------------------------------------------------------------------------------

_TOKEN: Final = re.compile(r"[0-9]+|[⁰¹²³⁴⁵⁶⁷⁸⁹]+|[^\W0-9⁰¹²³⁴⁵⁶⁷⁸⁹][^\W⁰¹²³⁴⁵⁶⁷⁸⁹]*|\S")
"""A number, a superscript, a name, or a sign; to `re` a superscript is part of a word."""
_SUPERSCRIPTS: Final = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")


def latex_formula(formula: str) -> str:
    r"""A formula for LaTeX's mathematics: ``\left\lfloor \frac{H - k}{s} \right\rfloor + 1``.

    Raises ValueError for what is no formula of `convcalc.algebra.shown`.
    """
    reading = _Formula(formula)
    found = reading.modulo()
    if reading.next:
        raise ValueError(f"{formula!r} goes on with {reading.next!r}")
    return found


def _times(text: str) -> str:
    """A formula, or sizes with crosses between them."""
    return r" \times ".join(latex_formula(part) for part in re.split(" ?× ?", text))


class _Formula:
    """A formula as it is read, token by token."""

    def __init__(self, text: str) -> None:
        self.tokens = _TOKEN.findall(text)
        self.position = 0
        self.insides: dict[str, str] = {}
        """What stands in brackets, by the text with the brackets."""

    @property
    def next(self) -> str:
        return self.tokens[self.position] if self.position < len(self.tokens) else ""

    def take(self, *expected: str) -> str:
        token = self.next
        if not token or (expected and token not in expected):
            raise ValueError(f"{token!r} stands where one of {expected} should")
        self.position += 1
        return token

    def modulo(self) -> str:
        found = self.sum()
        if self.next == "mod":
            self.take()
            found = rf"{found} \bmod {self.power()}"
        return found

    def sum(self) -> str:
        found = "-" if self.next == "−" and self.take() else ""
        found += self.quotient()
        while self.next in ("+", "−"):
            sign = "+" if self.take() == "+" else "-"
            found += f" {sign} {self.quotient()}"
        return found

    def quotient(self) -> str:
        found = self.product()
        if self.next == "/":
            self.take()
            # The line of a fraction does what brackets do.
            above, below = (self.insides.get(text, text) for text in (found, self.power()))
            found = rf"\frac{{{above}}}{{{below}}}"
        return found

    def product(self) -> str:
        found = self.power()
        while self.next == "·":
            self.take()
            found += rf" \cdot {self.power()}"
        return found

    def power(self) -> str:
        found = self.atom()
        if self.next and self.next[0] in "⁰¹²³⁴⁵⁶⁷⁸⁹":
            exponent = self.take().translate(_SUPERSCRIPTS)
            # A fraction in brackets has lost them; a power needs them.
            if found.startswith("\\frac"):
                found = rf"\left({found}\right)"
            found = f"{found}^{{{exponent}}}"
        return found

    def atom(self) -> str:
        found = self.take()
        if found == "(":
            inner = self.modulo()
            self.take(")")
            if _is_fraction(inner):
                return inner
            text = rf"\left({inner}\right)"
            self.insides[text] = inner
            return text
        if found == "⌊":
            inner = self.modulo()
            self.take("⌋")
            return rf"\left\lfloor {inner} \right\rfloor"
        if found.isdecimal():
            return _number(int(found))
        if not (found[0].isalpha() or found[0] == "_"):
            raise ValueError(f"{found!r} is no number and no name")
        if self.next == "(":
            self.take()
            arguments = [self.modulo()]
            while self.next == ",":
                self.take()
                arguments.append(self.modulo())
            self.take(")")
            known = found if found in ("min", "max", "gcd") else f"operatorname{{{found}}}"
            return rf"\{known}\left({', '.join(arguments)}\right)"
        return latex_of(symbol(found))


def _is_fraction(text: str) -> bool:
    """Whether a text is one fraction, which holds together without brackets."""
    if not text.startswith("\\frac{"):
        return False
    depth, groups = 0, 0
    for place, sign in enumerate(text):
        depth += (sign == "{") - (sign == "}")
        if sign == "}" and not depth:
            groups += 1
            if groups == 2:
                return place == len(text) - 1
    return False
