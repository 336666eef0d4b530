"""The report of a check, in any of its formats."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import IO, Final, NamedTuple

from convcalc.budgets import Check, CheckedNetwork, Why, layer_keys
from convcalc.errors import printable
from convcalc.metrics import metric
from convcalc.reports.analyze import inputs_text, set_variables
from convcalc.reports.findings import findings_text
from convcalc.reports.plain import plain_text
from convcalc.reports.sheet import Column, Sheet
from convcalc.reports.verdicts import (
    change_figures,
    conclusion,
    exact,
    output_text,
    percentage,
    rows,
)

__all__ = ["CHECK_FORMATS", "CheckReport", "check_report"]

CHECK_FORMATS: Final = ("text", "json", "markdown", "github", "gitlab", "junit", "sarif")


class CheckReport(NamedTuple):
    """What `convcalc check` has to say, in whichever format is asked for.

    ``text`` has no findings about what could not be judged: the command line prints them as it
    prints all that is wrong. The other formats have them.
    """

    check: Check
    version: str
    """Of convcalc."""

    def text(self, format_: str) -> str:
        """The report in one of `CHECK_FORMATS`, whole and without escapes."""
        if format_ == "json":
            from convcalc.reports.check_json import check_json  # noqa: PLC0415 - if asked for

            return check_json(self.check, self.version)
        if format_ == "markdown":
            from convcalc.reports.pull_request import pull_request  # noqa: PLC0415 - if asked for

            return pull_request(self.check)
        if format_ == "github":
            from convcalc.reports.github import workflow_commands  # noqa: PLC0415 - if asked for

            return workflow_commands(self.check)
        if format_ == "gitlab":
            from convcalc.reports.gitlab import code_quality  # noqa: PLC0415 - if asked for

            return code_quality(self.check)
        if format_ == "junit":
            from convcalc.reports.junit import junit_xml  # noqa: PLC0415 - if asked for

            return junit_xml(self.check)
        if format_ == "sarif":
            from convcalc.reports.sarif import sarif_log  # noqa: PLC0415 - if asked for

            return sarif_log(self.check, self.version)
        written = io.StringIO()
        for block in _blocks(self.check, color=False):
            written.write(plain_text(block) if isinstance(block, Sheet) else block)
            written.write("\n")
        return written.getvalue() + conclusion(self.check) + "\n"

    def draw(self, stream: IO[str], *, color: bool, width: int | None) -> None:
        """The ``text`` drawn on a terminal, at most ``width`` columns wide (None: all it has)."""
        from convcalc.reports.table import print_table  # noqa: PLC0415 - rich takes its time

        for block in _blocks(self.check, color=color):
            if isinstance(block, Sheet):
                print_table(block, stream, color=color, width=width)
            else:
                stream.write(block)
            stream.write("\n")
        stream.write(conclusion(self.check) + "\n")


def check_report(check: Check, version: str) -> CheckReport:
    """The report of ``check`` by convcalc of a given version."""
    return CheckReport(check, version)


def _blocks(check: Check, *, color: bool) -> Iterator[Sheet | str]:
    """Tables, and findings as text: of each network the limits, what exceeds them, and why."""
    for network in check.networks:
        yield _limits(network, strict=check.strict)
        # What counts as an error is called one.
        exceeded = [
            finding._replace(warns=finding.warns and not check.strict)
            for finding in network.exceeded
        ]
        if exceeded:
            yield findings_text(exceeded, color=color)
        for why in network.whys:
            yield from _why(why, network)


def _limits(network: CheckedNetwork, *, strict: bool) -> Sheet:
    return Sheet(
        title=_title(network),
        columns=(
            Column("Limit on", is_number=False, is_name=True),
            Column("Value"),
            Column("Limit"),
            Column("Used", dropped=1),
            Column("State", is_number=False),
        ),
        rows=tuple(
            (row.label, row.value, row.limit, row.used, row.state)
            for row in rows(network, strict=strict)
        ),
    )


def _title(network: CheckedNetwork) -> str:
    parts = [network.analysis.name]
    if network.budget.name is not None:
        parts.append(f"budget {network.budget.name}")
    parts += [f"input {inputs_text(network.analysis)}", *set_variables(network.analysis)]
    if network.analysis.batch != 1:
        parts.append(f"batch {network.analysis.batch}")
    if network.baseline is not None:
        parts.append(f"against {network.baseline.label}")
    if network.new_since:
        parts.append(f"not in {network.new_since} yet")
    title = printable(" · ".join(parts))
    # A line that begins like this is a command to the runner of a GitHub workflow.
    return f"network {title}" if title.startswith("::") else title


def _why(why: Why, network: CheckedNetwork) -> Iterator[Sheet]:
    of = f"{network.analysis.name}: {why.metric.noun}"
    if why.heaviest:
        yield Sheet(
            title=printable(f"{of}, the heaviest layers"),
            columns=(
                Column("Layer", is_number=False, is_name=True),
                Column(why.metric.title),
                Column("%"),
                Column("Made at", is_number=False, dropped=1),
            ),
            rows=tuple(
                (
                    printable(part.name),
                    exact(part.value, why.metric.unit),
                    percentage(part.share),
                    printable(str(part.place)) if part.place else "",
                )
                for part in why.heaviest
            ),
        )
    if why.changed:
        against = network.baseline.label if network.baseline else "before"
        told = tuple(map(metric, layer_keys(why.metric)))
        yield Sheet(
            title=printable(f"{of}, what changed against {against}"),
            columns=(
                Column("Layer", is_number=False, is_name=True),
                Column("", is_number=False),
                Column("Output", is_number=False, dropped=1),
                *(
                    Column(title)
                    for each in told
                    for title in (f"{each.title} before", "now", "difference")
                ),
            ),
            rows=tuple(
                (
                    printable(change.name),
                    change.mark.value,
                    output_text(change),
                    *(cell for each in told for cell in change_figures(change, each.key)),
                )
                for change in why.changed
            ),
        )
