"""What becomes a graph. Each kind of source is a module behind `NetworkFile`.

Today there is the spec language (`convcalc.sources.spec`). A further format is a module with a
class like `convcalc.sources.spec.Spec`, chosen here by what the text is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any, Protocol

from convcalc.errors import Finding, SpecError
from convcalc.graph import Graph
from convcalc.sources.reference import SpecText, read_reference, shipped_names
from convcalc.sources.spec import Spec
from convcalc.sources.spec.expression import Value

__all__ = [
    "NetworkFile",
    "is_pattern",
    "load",
    "open_network",
    "shipped_names",
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

    def graph(
        self,
        variant: str | None = None,
        settings: Mapping[str, Value | str] | None = None,
        *,
        name: str,
        spec: str,
    ) -> Graph:
        """One of the networks. Raises SpecError with everything that is wrong."""


def open_network(reference: str) -> tuple[NetworkFile, SpecText]:
    """The file that ``reference`` means, read once. Raises UsageError."""
    found = read_reference(reference)
    return Spec(found.source, found.text), found


def load(reference: str, settings: Mapping[str, Value | str] | None = None) -> Graph:
    """The network that ``reference`` means: a path, ``path::variant``, a shipped name, or ``-``.

    ``settings`` override variables of the spec: numbers, formulas, or texts
    with expressions. Raises UsageError for a file that cannot be read, SpecError for one that
    describes no network.
    """
    file, found = open_network(reference)
    return file.graph(found.variant, settings, name=found.stem, spec=_spec_name(found, file))


def variants_of(
    reference: str, settings: Mapping[str, Value | str] | None = None
) -> Iterator[Graph]:
    """Every network of a file: its variants, or those that ``reference`` names.

    A name with `*` or `?` in it stands for all variants of such names. Raises as `load` does.
    """
    file, found = open_network(reference)
    variants = file.variants
    if is_pattern(reference) and found.variant not in variants:
        variants = tuple(v for v in variants if fnmatchcase(v, found.variant or ""))
        found = found._replace(variant=None) if variants else found
    if found.variant is not None or not variants:
        yield file.graph(found.variant, settings, name=found.stem, spec=_spec_name(found, file))
        return
    findings: list[Finding] = []
    for variant in variants:
        name = f"{found.source.name}::{variant}"
        try:
            yield file.graph(variant, settings, name=found.stem, spec=name)
        except SpecError as error:
            findings += [finding for finding in error.findings if finding not in findings]
    if findings:
        raise SpecError(findings)


def is_pattern(reference: str) -> bool:
    """Whether ``reference`` may stand for several variants of a file."""
    variant = reference.partition("::")[2]
    return "*" in variant or "?" in variant


def spec_schema() -> dict[str, Any]:
    """The JSON Schema of the spec language."""
    from convcalc.sources.spec.schema import spec_schema  # noqa: PLC0415 - for editors alone

    return spec_schema()


def _spec_name(found: SpecText, file: NetworkFile) -> str:
    variant = found.variant or next(iter(file.variants), None)
    return f"{found.source.name}::{variant}" if variant else found.source.name
