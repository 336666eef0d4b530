"""Reading YAML nodes as what they should be, and reporting those that are something else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from convcalc.errors import Code, Finding, Findings, Place, Related, catalogue, close_match, listed
from convcalc.sources.yaml_nodes import YamlMapping, YamlNode, YamlScalar, described

__all__ = ["YamlReader"]


class YamlReader:
    """Reads nodes of one text. What is wrong goes to ``findings``."""

    def __init__(self, findings: Findings) -> None:
        self.findings = findings
        self.unreadable = {finding.place for finding in findings}
        """Places that `compose` could make nothing of: what it said of them is enough."""
        self.complaints = 0

    def report(
        self,
        code: Code,
        message: str,
        place: Place,
        help: str | None = None,  # noqa: A002 - as in Finding
        related: tuple[Related, ...] = (),
    ) -> None:
        """Add a finding."""
        self.complaints += 1
        if place not in self.unreadable:
            self.findings.add(Finding(code, message, place, help=help, related=related))

    def check_keys(
        self,
        mapping: YamlMapping,
        known: Iterable[str],
        where: str,
        hints: Mapping[str, str] | None = None,
    ) -> None:
        """Report every key of ``mapping`` that is not among ``known``.

        ``hints`` says what to do about keys that somebody may well expect there.
        """
        known = tuple(known)
        for key, (scalar, _) in mapping.entries.items():
            if key not in known:
                close = close_match(key, known)
                hint = (hints or {}).get(key) or (
                    f"did you mean `{close}`?" if close else f"it may have {listed(known)}"
                )
                self.report(
                    catalogue.UNKNOWN_KEY, f"unknown key `{key}` in {where}", scalar.place, hint
                )

    def mapping(self, node: YamlNode, what: str, example: str) -> YamlMapping | None:
        """``node`` as a mapping; None, reported, if it is not one."""
        if isinstance(node, YamlMapping):
            return node
        self.report(
            catalogue.NOT_A_MAPPING,
            f"{what} must be a mapping, not {described(node)}",
            node.place,
            f"for example `{example}`",
        )
        return None

    def optional_text(self, mapping: YamlMapping, key: str) -> str | None:
        """The text under ``key``, if there is one."""
        if key not in mapping.entries:
            return None
        return self.text(mapping.entries[key][1], key)

    def text(self, node: YamlNode, key: str) -> str | None:
        """A printable text."""
        if isinstance(node, YamlScalar) and isinstance(node.value, str):
            if node.text.isprintable() and node.text.strip():
                return node.text
            self.report(
                catalogue.BAD_NAME,
                f"`{key}` must be a text of printable characters",
                node.place,
                "leave it out, or write at least one letter" if not node.text.strip() else None,
            )
            return None
        self.report(
            catalogue.WRONG_TYPE,
            f"`{key}` must be a text, not {described(node)}",
            node.place,
            "put it in quotes" if isinstance(node, YamlScalar) and node.text else None,
        )
        return None
