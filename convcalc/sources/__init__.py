"""What becomes a graph. Each kind of source is a module behind `NetworkFile`.

Today there is the spec language (`convcalc.sources.spec`). A further format is a module with a
class like `convcalc.sources.spec.Spec`, chosen here by what the text is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from convcalc import name_patterns
from convcalc.errors import Finding, SpecError, UsageError, catalogue, listed
from convcalc.graph import Graph
from convcalc.name_patterns import matches
from convcalc.shipped import shipped_names
from convcalc.sources.reference import SpecText, read_reference
from convcalc.sources.spec import Spec
from convcalc.sources.spec.expression import Value

if TYPE_CHECKING:
    from convcalc.limits import Budget
    from convcalc.origins import LayerOrigin  # imported where it is made

__all__ = [
    "NetworkFile",
    "budgets_schema",
    "chosen_variants",
    "is_pattern",
    "load",
    "network_at",
    "open_network",
    "origins_of",
    "require_variant",
    "shipped_names",
    "spec_name",
    "spec_schema",
    "variants_of",
]


class NetworkFile(Protocol):
    """A file that describes a network, or a family of them."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is wrong with the file."""

    @property
    def variants(self) -> tuple[str, ...]:
        """The names of the networks; none if there is just one."""

    @property
    def source(self) -> str | None:
        """Where the design comes from, if the file says."""

    @property
    def budgets(self) -> tuple[Budget, ...]:
        """What the networks may cost, as far as the file says."""

    def graph(
        self,
        variant: str | None = None,
        settings: Mapping[str, Value | str] | None = None,
        *,
        name: str,
        spec: str,
        axes: Mapping[str, Value] | None = None,
    ) -> Graph:
        """One of the networks. Raises SpecError with everything that is wrong."""

    def values(
        self, variant: str | None = None, settings: Mapping[str, Value | str] | None = None
    ) -> tuple[tuple[str, Value | None], ...]:
        """The variables with their values in one of the networks; None: it has none."""

    @property
    def sizes_named(self) -> tuple[tuple[str | None, ...], ...]:
        """For each input the variable that each of its axes is; None where it is no variable."""

    def origins(
        self,
        names: Iterable[str],
        variant: str | None = None,
        settings: Mapping[str, Value | str] | None = None,
    ) -> tuple[LayerOrigin, ...]:
        """Where the values of the nodes with these names were set. Raises SpecError."""


def open_network(reference: str, *, revision: str | None = None) -> tuple[NetworkFile, SpecText]:
    """The file that ``reference`` means, as it is now or at a git revision, read once.

    Raises UsageError.
    """
    if revision is None:
        found = read_reference(reference)
    else:
        from convcalc.sources.revision import read_at_revision  # noqa: PLC0415 - if asked for

        found = read_at_revision(reference, revision)
    return Spec(found.source, found.text), found


def load(
    reference: str,
    settings: Mapping[str, Value | str] | None = None,
    *,
    revision: str | None = None,
) -> Graph:
    """The network that ``reference`` means: a path, ``path::variant``, a shipped name, or ``-``.

    ``settings`` override variables of the spec: numbers, formulas, or texts
    with expressions. With a ``revision``, such as ``origin/main``, the network is that of the file
    as git has it there. Raises UsageError for a file that cannot be read, SpecError for one that
    describes no network.
    """
    file, found = open_network(reference, revision=revision)
    return file.graph(
        found.variant, settings, name=found.stem, spec=spec_name(file, found, found.variant)
    )


def origins_of(
    reference: str,
    names: Iterable[str],
    settings: Mapping[str, Value | str] | None = None,
) -> tuple[LayerOrigin, ...]:
    """Where the values of the nodes with these names were set, in the network as `load` has it.

    In the order of the graph; a name that no node has is passed over. Raises as `load`. Who has
    the network already from `open_network`, which reads standard input but once, asks that.
    """
    file, found = open_network(reference)
    return file.origins(names, found.variant, settings)


def network_at(reference: str, variant: str | None, revision: str) -> tuple[NetworkFile, SpecText]:
    """The file of a network as git has it at a revision, where it has that network.

    A ``variant`` of None is the one network of a file without variants. Raises UsageError.
    """
    file, found = open_network(reference, revision=revision)
    require_variant(file, found, variant)
    return file, found


def require_variant(file: NetworkFile, found: SpecText, variant: str | None) -> None:
    """See to it that a file as git has it has a network. Raises UsageError."""
    if variant in (file.variants or (None,)):
        return
    name = found.source.name
    raise UsageError(
        [
            Finding(
                catalogue.NOT_AT_REVISION,
                f"{name} has no variant `{variant}`"
                if variant
                else f"{name} has variants, and today there are none",
                help=f"it has {listed(file.variants) or 'none'}; a new network is bounded by "
                "`max`, not by an increase",
            )
        ]
    )


def variants_of(
    reference: str,
    settings: Mapping[str, Value | str] | None = None,
    *,
    revision: str | None = None,
) -> Iterator[Graph]:
    """Every network of a file: its variants, or those that ``reference`` names.

    A name with `*` or `?` in it stands for all variants of such names. Otherwise as `load`.
    """
    file, found = open_network(reference, revision=revision)
    findings: list[Finding] = []
    for variant in chosen_variants(file, found):
        try:
            yield file.graph(
                variant, settings, name=found.stem, spec=spec_name(file, found, variant)
            )
        except SpecError as error:
            findings += [finding for finding in error.findings if finding not in findings]
    if findings:
        raise SpecError(findings)


def chosen_variants(file: NetworkFile, found: SpecText) -> tuple[str | None, ...]:
    """The variants of a file that a reference names: all if it names none.

    None stands for the one network of a file without variants.
    """
    wanted = found.variant
    if wanted is None:
        return file.variants or (None,)
    # A pattern without a match is reported as the variant that it would have to be.
    return tuple(variant for variant in file.variants if matches(wanted, variant)) or (wanted,)


def is_pattern(reference: str) -> bool:
    """Whether ``reference`` may stand for several variants of a file."""
    return name_patterns.is_pattern(reference.partition("::")[2])


def spec_schema() -> dict[str, Any]:
    """The JSON Schema of the spec language."""
    from convcalc.sources.spec.schema import spec_schema  # noqa: PLC0415 - for editors alone

    return spec_schema()


def budgets_schema() -> dict[str, Any]:
    """The JSON Schema of budget files."""
    from convcalc.sources.budget_file_schema import budgets_schema  # noqa: PLC0415 - for editors alone

    return budgets_schema()


def spec_name(file: NetworkFile, found: SpecText, variant: str | None) -> str:
    """How one would name a variant on the command line (None: the first, if there are any)."""
    variant = variant or next(iter(file.variants), None)
    return f"{found.source.name}::{variant}" if variant else found.source.name
