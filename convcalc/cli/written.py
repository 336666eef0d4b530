"""How layers are written in PyTorch, as `--written` says."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from convcalc.analysis import Analysis
    from convcalc.conventions.written import Written

__all__ = ["check_written", "written_of"]


def written_of(options: Iterable[str] | None) -> tuple[Written, ...]:
    """What `--written` says. Raises UsageError."""
    from convcalc.conventions.written import parse_written  # noqa: PLC0415 - see above

    found = []
    for option in options or ():
        try:
            found.append(parse_written(option))
        except ValueError as error:
            raise _refused(str(error), "for example global_avg_pool=function") from None
    return tuple(found)


def check_written(written: Iterable[Written], analyses: Iterable[Analysis]) -> None:
    """Raise UsageError for what neither is a layer kind nor fits a layer of the networks."""
    from convcalc.errors import close_match  # noqa: PLC0415 - see above
    from convcalc.layers import all_kinds  # noqa: PLC0415 - see above

    layers = [layer for analysis in analyses for layer in analysis.layers]
    for each in written:
        if each.what in all_kinds() or any(each.fits(row.kind, row.name) for row in layers):
            continue
        known = {*all_kinds(), *(layer.name for layer in layers)}
        close = close_match(each.what, known)
        raise _refused(
            f"there is no layer kind, and no layer here, `{each.what}`",
            f"did you mean `{close}`?" if close else "`convcalc analyze` lists the layers",
        )


def _refused(message: str, help_: str) -> Exception:
    from convcalc.errors import Finding, UsageError, catalogue  # noqa: PLC0415 - see above

    return UsageError([Finding(catalogue.BAD_WRITING, f"--written: {message}", help=help_)])
