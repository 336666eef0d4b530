"""Networks with some sizes left free: variables of a spec, axes of its inputs, the batch.

What is free stands in the shapes of the graph as a symbol, or as what assumptions make of it:
32·h for an H of which 32 is taken to be a divisor.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Final, NamedTuple, TypeAlias, TypeGuard

from convcalc.algebra import Polynomial, UndecidableError, symbol
from convcalc.algebra.assumptions import AssumptionError, Assumptions, assume
from convcalc.algebra.conditions import Condition, in_few_words, taken_for_granted
from convcalc.errors import Finding, SpecError, UsageError, catalogue, close_match
from convcalc.graph import Graph
from convcalc.sources import NetworkFile, chosen_variants, open_network, spec_name
from convcalc.sources.axis_names import AXIS_NAMES
from convcalc.sources.reference import SpecText
from convcalc.sources.spec.expression import Value

__all__ = ["BATCH", "Amount", "FreeableNetwork", "FreedNetwork", "freeable_networks"]

BATCH: Final = "N"
"""What the batch is called, unless the spec has a variable of that name."""

Amount: TypeAlias = int | Fraction


class FreedNetwork(NamedTuple):
    """A network with sizes left free."""

    graph: Graph
    names: tuple[str, ...]
    """What is free, the batch too."""
    has_batch: bool
    """Whether the batch is among them."""
    spatial: tuple[str, ...]
    """Those that are sizes of the input in space."""
    assumptions: Assumptions
    conditions: tuple[Condition, ...] = ()
    """What must hold beside for the network to be accepted, as far as that is a comparison."""

    @property
    def batch(self) -> int | Polynomial | None:
        """The batch as a formula, or what it is assumed to be; None if it is not free."""
        return self.stands_for(BATCH) if self.has_batch else None

    def stands_for(self, name: str) -> int | Polynomial:
        """What is in the graph in place of something free."""
        return dict(self.assumptions.values).get(name, symbol(name))


class FreeableNetwork:
    """A network that has been read, for any values of its variables and axes."""

    def __init__(
        self,
        file: NetworkFile,
        found: SpecText,
        variant: str | None,
        settings: Mapping[str, str],
    ) -> None:
        self._file = file
        self._found = found
        self._variant = variant
        self._settings: dict[str, Value | str] = dict(settings)
        self.variables = dict(file.values(variant, self._settings))
        """The values of the variables; None of one that has none."""
        self.given = self._given()
        """The network with the values that the spec has; None if it has not all of them."""
        self.axes = _axes_of(self.given)
        """The sizes of the inputs' axes by their names, of those that all inputs agree on."""

    @property
    def spec(self) -> str:
        """How one would name it on the command line."""
        return spec_name(self._file, self._found, self._variant)

    def value(self, name: str) -> Amount | None:
        """The number that something has in the spec; None if it is none, or unknown. A batch of 1.

        A variable comes before an axis, and an axis before the batch.
        """
        value: object = 1 if name == BATCH else None
        if name in self.variables:
            value = self.variables[name]
        elif name in self.axes:
            value = self.axes[name]
        return value if _is_number(value) else None

    def graph(self, changes: Mapping[str, Value]) -> Graph:
        """The network with other values of variables and axes. Raises SpecError."""
        settings = {name: value for name, value in changes.items() if name in self.variables}
        axes = {name: value for name, value in changes.items() if name not in self.variables}
        graph = self._file.graph(
            self._variant,
            self._settings | settings,
            name=self._found.stem,
            spec=self.spec,
            axes=axes,
        )
        return graph._replace(settings=tuple((n, str(v)) for n, v in self._settings.items()))

    def spatial_names(self) -> tuple[str, ...]:
        """What stands for the sizes of the inputs in space: variables, or the names of axes.

        What the user has set is not among them.
        """
        names: list[str] = []
        written = self._file.sizes_named
        shapes = (
            [node.shape for node in self.given.inputs]
            if self.given is not None
            else [(0,) * len(variables) for variables in written]
        )
        for shape, variables in zip(shapes, written, strict=True):
            for position, axis in enumerate(AXIS_NAMES.get(len(shape), ())):
                if not position:
                    continue
                name = variables[position] if position < len(variables) else None
                if name is None and axis in self.axes and axis not in self.variables:
                    name = axis
                if name is not None and name not in self._settings:
                    names.append(name)
        return tuple(dict.fromkeys(names))

    def named_sizes(self, sizes: Iterable[tuple[int, ...]]) -> dict[str, int] | None:
        """What `graph` takes for inputs of these sizes in space, for each input its own.

        None if one name would stand for two sizes.
        """
        named: dict[str, int] = {}
        written = self._file.sizes_named
        for spatial, variables in zip(sizes, written, strict=True):
            axes = AXIS_NAMES.get(len(spatial) + 1, ())[1:]
            for position, (axis, size) in enumerate(zip(axes, spatial, strict=True), start=1):
                name = variables[position] if position < len(variables) else None
                if name is None and axis in self.variables:
                    return None
                if named.setdefault(name or axis, size) != size:
                    return None
        return named

    def asks_for_size(self, given: Graph) -> bool:
        """Whether any layer, and not the input alone, follows the sizes of ``given`` in space."""
        names = self.named_sizes(tuple(1 for _ in node.shape[1:]) for node in given.inputs)
        if names is None:
            return False
        try:
            free = self.graph({name: symbol(name) for name in names})
            return [node.layer for node in free.nodes] != [node.layer for node in given.nodes]
        except (SpecError, UndecidableError):
            return True

    def number_names(self) -> tuple[str, ...]:
        """The variables that are whole numbers, but for those that the user has set."""
        return tuple(
            name
            for name, value in self.variables.items()
            if name not in self._settings and isinstance(value, int) and not isinstance(value, bool)
        )

    def freeable_names(self) -> tuple[str, ...]:
        """Of the `number_names` as many as can be free together, the first ones first.

        What is left out decides which layers there are, or is a number that has to be known.
        """
        names = self.number_names()
        if not self._can_be_free(names):
            names = tuple(name for name in names if self._can_be_free((name,)))
        while names and not self._can_be_free(names):
            names = names[:-1]
        return names

    def _can_be_free(self, names: Iterable[str]) -> bool:
        try:
            self.graph({name: symbol(name) for name in names})
        except SpecError:
            return False
        return True

    def freed(self, names: Iterable[str], assumptions: Iterable[str] = ()) -> FreedNetwork:
        """The network with ``names`` left free, as far as what is assumed of them goes.

        ``assumptions`` are texts such as ``H % 32 == 0``. Raises UsageError for a name that means
        nothing or no number, and for an assumption that makes no sense; SpecError if something
        free decides which layers there are, with every line that needs its value.
        """
        names = tuple(dict.fromkeys(names))
        has_batch = BATCH in names and BATCH not in self.variables
        self.check(names)
        try:
            assumed = assume(assumptions, names)
        except AssumptionError as error:
            raise UsageError(
                [Finding(catalogue.BAD_ASSUMPTION, f"--assume: {error}", help=error.help)]
            ) from None
        free: dict[str, Value] = {
            name: dict(assumed.values).get(name, symbol(name))
            for name in names
            if name != BATCH or not has_batch
        }
        try:
            with taken_for_granted() as taken:
                graph = self.graph(free)
        except SpecError as error:
            raise SpecError(_needs_a_value(_once_a_place(error.findings))) from None
        spatial = set(self.spatial_names()) | {
            axis for axes in AXIS_NAMES.values() for axis in axes[1:] if axis not in self.variables
        }
        return FreedNetwork(
            graph,
            names,
            has_batch,
            tuple(name for name in names if name in spatial),
            assumed,
            in_few_words(taken.values(), assumed),
        )

    def check(self, names: Iterable[str]) -> None:
        """Raise UsageError for each of ``names`` that is none, or stands for no number."""
        findings = [
            finding for name in names for finding in [self._refusal(name)] if finding is not None
        ]
        if findings:
            raise UsageError(findings)

    def _refusal(self, name: str) -> Finding | None:
        if name in self._settings:
            return Finding(
                catalogue.CANNOT_BE_FREE,
                f"`{name}` is set to {self._settings[name]}, and cannot be free as well",
                help=f"leave out `--set {name}=…`, or do not free it",
            )
        if name in self.variables:
            value = self.variables[name]
            if value is None or _is_number(value):
                return None
            what = "a list" if isinstance(value, tuple) else f"`{value}`".replace("True", "true")
            return Finding(
                catalogue.CANNOT_BE_FREE,
                f"`{name}` is {what.replace('False', 'false')}: only a number can be free",
                help=_known(self.number_names(), self.axes),
            )
        if name in self.axes or name == BATCH:
            return None
        ranks = {} if self.given is None else {len(node.shape) for node in self.given.inputs}
        if any(name in AXIS_NAMES.get(rank, ()) for rank in ranks):
            return Finding(
                catalogue.CANNOT_BE_FREE,
                f"the inputs of {self.spec} differ in {name}",
                help="free variables of the spec instead",
            )
        known = [*self.variables, *self.axes, BATCH]
        close = close_match(name, known)
        return Finding(
            catalogue.CANNOT_BE_FREE,
            f"{self.spec} has no variable, and its input no axis, `{name}`",
            help=f"did you mean `{close}`?" if close else _known(self.number_names(), self.axes),
        )

    def _given(self) -> Graph | None:
        try:
            return self.graph({})
        except SpecError as error:
            if any(finding.code is not catalogue.UNSET_VARIABLE for finding in error.findings):
                raise
            return None


def freeable_networks(
    reference: str, settings: Mapping[str, str], *, every_variant: bool = False
) -> tuple[FreeableNetwork, ...]:
    """The networks that ``reference`` names, read once.

    That is one, but all of a pattern, or with ``every_variant`` those of a file that is named
    without one. Raises UsageError and SpecError.
    """
    file, found = open_network(reference)
    variants = (
        chosen_variants(file, found)
        if every_variant or found.variant is not None
        else (found.variant,)
    )
    return tuple(FreeableNetwork(file, found, variant, settings) for variant in variants)


def _axes_of(graph: Graph | None) -> dict[str, Value]:
    """The size of each axis that all inputs which have it agree on."""
    sizes: dict[str, set[int]] = {}
    for node in graph.inputs if graph is not None else ():
        for axis, size in zip(AXIS_NAMES[len(node.shape)], node.shape, strict=True):
            if isinstance(size, int):
                sizes.setdefault(axis, set()).add(size)
    return {axis: next(iter(found)) for axis, found in sizes.items() if len(found) == 1}


def _is_number(value: object) -> TypeGuard[Amount]:
    return isinstance(value, int | Fraction) and not isinstance(value, bool)


def _known(variables: Iterable[str], axes: Iterable[str]) -> str:
    return f"there are {', '.join(dict.fromkeys((*variables, *axes, BATCH)))}"


def _needs_a_value(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings, with what to do about a variable that is free: its value is there already."""
    return tuple(
        each._replace(help="give the variable a value: leave it out of `--free`")
        if each.code is catalogue.UNDECIDABLE
        else each
        for each in findings
    )


def _once_a_place(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings, one of each kind for a place: a loop comes by it with several formulas."""
    return tuple({(each.code, each.place): each for each in reversed(tuple(findings))}.values())[
        ::-1
    ]
