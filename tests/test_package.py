"""What the package promises as a whole."""

import ast
import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import convcalc
from convcalc.cli import COMMANDS, app, register

ROOT = Path(__file__).parent.parent
MODULES = ["convcalc"] + [
    module.name
    for module in pkgutil.walk_packages(convcalc.__path__, "convcalc.")
    if module.name != "convcalc.__main__"
]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", MODULES)
def test_all_names_what_is_there(name):
    module = importlib.import_module(name)
    for exported in getattr(module, "__all__", ()):
        assert hasattr(module, exported), exported


def test_the_public_names_are_these():
    assert set(convcalc.__all__) == {
        "Analysis",
        "ConvcalcError",
        "Finding",
        "Graph",
        "LayerCost",
        "SpecError",
        "UsageError",
        "__version__",
        "analyze",
        "load",
    }
    assert dir(convcalc) == sorted(convcalc.__all__)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'analyse'"):
        convcalc.analyse  # noqa: B018


@pytest.mark.parametrize("name", MODULES)
def test_everything_public_has_a_docstring_of_its_own_or_inherits_one(name):
    module = importlib.import_module(name)
    assert module.__doc__
    for member_name, member in vars(module).items():
        if member_name.startswith("_") or getattr(member, "__module__", None) != name:
            continue
        if inspect.isclass(member):
            assert member.__doc__, f"{name}.{member_name}"
            for method_name, method in vars(member).items():
                if inspect.isfunction(method) and not method_name.startswith("_"):
                    assert inspect.getdoc(getattr(member, method_name)), (
                        f"{name}.{member_name}.{method_name}"
                    )
        elif inspect.isfunction(member):
            assert member.__doc__, f"{name}.{member_name}"


def test_a_module_is_never_called_after_nothing():
    names = {part for name in MODULES for part in name.split(".")}
    assert not names & {"utils", "helpers", "manager", "data", "common", "misc"}


def test_run_time_dependencies_are_three():
    names = {
        re.match(r"[A-Za-z]+", requirement)[0]
        for requirement in PYPROJECT["project"]["dependencies"]
    }
    assert names == {"typer", "rich", "PyYAML"}
    assert "typer>=0.26,<0.29" in PYPROJECT["project"]["dependencies"]


def test_the_version_is_one_fact():
    assert "version" in PYPROJECT["project"]["dynamic"]
    assert f"## {convcalc.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def imported_after(*statements):
    script = "; ".join([*statements, "import sys", "print(sorted(sys.modules))"])
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return set(ast.literal_eval(done.stdout))


def test_importing_the_package_imports_nothing_heavy():
    modules = imported_after("import convcalc")
    assert not modules & {"yaml", "rich", "typer", "convcalc.analysis", "convcalc.layers"}


def test_the_command_line_imports_what_a_command_needs_when_it_runs():
    modules = imported_after("import convcalc.cli")
    assert not modules & {"yaml", "rich.table", "convcalc.analysis", "convcalc.sources"}


def test_the_command_line_makes_the_command_that_is_asked_for_alone():
    modules = imported_after("import convcalc.cli", "convcalc.cli.register(['analyze', 'x'])")
    made = {name for name in modules if name.startswith("convcalc.cli.")}
    assert "convcalc.cli.analyze" in made
    assert not made & {"convcalc.cli.check", "convcalc.cli.explain", "convcalc.cli.formula"}


@pytest.mark.parametrize("arguments", [[], ["--help"], ["analyse"]])
def test_it_makes_all_where_none_is_asked_for(arguments):
    modules = imported_after("import convcalc.cli", f"convcalc.cli.register({arguments})")
    assert {f"convcalc.cli.{name}" for name in COMMANDS.values()} <= modules


def test_every_command_is_found_by_its_name():
    register(())
    groups = {group.name for group in app.registered_groups}
    names = {each.name or each.callback.__name__ for each in app.registered_commands}
    assert groups | names == set(COMMANDS)


def test_an_analysis_needs_neither_rich_nor_typer():
    modules = imported_after("import convcalc", "convcalc.analyze('lenet5')")
    assert not modules & {"rich", "typer", "sympy", "numpy"}


@pytest.mark.parametrize("name", ["pytest", "convcalc compare"])
def test_ci_runs_the_commands_of_the_readme(name):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = re.findall(r"^```sh\n(python3 -m venv \.venv && .*)\n```$", readme, re.MULTILINE)
    assert len(commands) == 2
    assert sum(name in command for command in commands) == 1
    assert "readme_command" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
