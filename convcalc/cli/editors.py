"""What editors read: the schemas of specs and budget files."""

from __future__ import annotations

__all__ = ["schema_text"]


def schema_text(*, budgets: bool = False) -> str:
    """The JSON Schema of the spec language, or of budget files, as a file has it."""
    import json  # noqa: PLC0415 - a command should not wait for what another needs

    from convcalc.sources import budgets_schema, spec_schema  # noqa: PLC0415 - see above

    chosen = budgets_schema() if budgets else spec_schema()
    return json.dumps(chosen, indent=1, ensure_ascii=False) + "\n"
