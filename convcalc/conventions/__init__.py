"""How other tools count: each convention a module here with a `Convention` called ``CONVENTION``.

See `convcalc.conventions.declaration` for how one is declared.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from convcalc.conventions.declaration import Convention

__all__ = ["Convention", "all_conventions", "find_convention"]


@cache
def all_conventions() -> tuple[Convention, ...]:
    """Every convention, convcalc's own first, then by name."""
    modules = (import_module(f"{__name__}.{found.name}") for found in iter_modules(__path__))
    declared = (getattr(module, "CONVENTION", None) for module in modules)
    found = [convention for convention in declared if isinstance(convention, Convention)]
    return tuple(sorted(found, key=lambda each: (not each.is_own, each.name)))


def find_convention(name: str) -> Convention | None:
    """The convention called ``name``, if there is one."""
    return next((each for each in all_conventions() if each.name == name), None)
