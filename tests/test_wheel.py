"""What is published: the wheel and the source archive, used where nothing else is."""

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from email.parser import Parser
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml
from console import clean_environment

import convcalc

ROOT = Path(__file__).parent.parent
VERSION = convcalc.__version__
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
MINOR_VERSIONS = (11, 12, 13, 14)


class Built(NamedTuple):
    wheel: Path
    source: Path


def interpreters():
    """The interpreters of this machine that the package says it runs on, each once."""
    found = {f"3.{sys.version_info.minor}": sys.executable}
    for minor in MINOR_VERSIONS:
        name = f"python3.{minor}"
        path = shutil.which(name)
        if path is None:
            continue
        # What is found may stand for an interpreter that is not there, as with version managers.
        done = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
        if done.returncode == 0 and done.stdout.startswith(f"Python 3.{minor}."):
            found.setdefault(f"3.{minor}", path)
    return found


def isolated(command, folder, *, code=0):
    """What a command prints that is run with nothing of this repository at hand."""
    environment = clean_environment()
    for name in ("PYTHONPATH", "VIRTUAL_ENV", "PYTHONHOME"):
        environment.pop(name, None)
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def built(tmp_path_factory, package_index):
    """The source archive of this repository, and the wheel that is built from it."""
    folder = tmp_path_factory.mktemp("built")
    isolated([sys.executable, "-m", "build", "--outdir", folder, ROOT], folder)
    (wheel,) = folder.glob("*.whl")
    (source,) = folder.glob("*.tar.gz")
    return Built(wheel, source)


@pytest.fixture(scope="module")
def unpacked(built, tmp_path_factory):
    """The source archive, unpacked."""
    folder = tmp_path_factory.mktemp("source")
    with tarfile.open(built.source) as archive:
        # Python 3.11.4 was the first of 3.11 to have filters.
        filters = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
        archive.extractall(folder, **filters)  # noqa: S202 - it was made above
    return folder / f"convcalc-{VERSION}"


@pytest.fixture(scope="module", params=interpreters().values(), ids=interpreters().keys())
def installed(request, built, tmp_path_factory):
    """The folder of programs of an empty environment into which the wheel alone was installed."""
    folder = tmp_path_factory.mktemp("installed")
    isolated([request.param, "-m", "venv", folder / "venv"], folder)
    programs = folder / "venv" / "bin"
    isolated([programs / "python", "-m", "pip", "install", "--quiet", built.wheel], folder)
    return programs


@pytest.mark.oracle
class TestWheel:
    def test_it_holds_the_package_the_specs_and_the_licence_and_nothing_else(self, built):
        tracked = {
            path.relative_to(ROOT).as_posix()
            for path in (ROOT / "convcalc").rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        }
        specs = {f"convcalc/specs/{path.name}" for path in (ROOT / "specs").iterdir()}
        about = f"convcalc-{VERSION}.dist-info"
        with zipfile.ZipFile(built.wheel) as archive:
            held = set(archive.namelist())
        assert held == {
            *tracked,
            *specs,
            *(f"{about}/{name}" for name in ("METADATA", "WHEEL", "RECORD", "entry_points.txt")),
            f"{about}/licenses/LICENSE",
        }
        assert {"convcalc/py.typed", "convcalc/specs/resnet.yaml"} <= held
        assert any(name.startswith("convcalc/library/") for name in held)
        assert built.wheel.name == f"convcalc-{VERSION}-py3-none-any.whl"

    def test_it_says_what_it_is(self, built):
        with zipfile.ZipFile(built.wheel) as archive:
            text = archive.read(f"convcalc-{VERSION}.dist-info/METADATA").decode()
        about = Parser().parsestr(text)
        assert (about["Name"], about["Version"]) == ("convcalc", VERSION)
        assert about["License-Expression"] == "Apache-2.0"
        assert about["Requires-Python"] == ">=3.11"
        versions = {f"Programming Language :: Python :: 3.{minor}" for minor in MINOR_VERSIONS}
        assert versions <= set(about.get_all("Classifier"))
        needed = {each for each in about.get_all("Requires-Dist") if "extra ==" not in each}
        assert {re.match(r"\w+", each)[0] for each in needed} == {"pyyaml", "rich", "typer"}
        urls = dict(url.split(", ") for url in about.get_all("Project-URL"))
        assert set(urls) == {"Homepage", "Documentation", "Changelog", "Issues"}
        # An index shows the README alone.
        page = about.get_payload()
        assert page.startswith("# convcalc\n")
        targets = re.findall(r"\]\(([^)]+)\)", page)
        assert f"{urls['Homepage']}/blob/v{VERSION}/docs/spec.md" in targets
        assert [target for target in targets if not target.startswith("https://")] == []

    def test_every_command_runs_from_it_alone(self, installed, tmp_path):
        def run(*arguments, code=0):
            return isolated([installed / "convcalc", *arguments], tmp_path, code=code)

        assert run("--version") == f"convcalc {VERSION}\n"
        assert "25,557,032" in run("analyze", "resnet::resnet50")
        comparison = run("compare", "inception_naive", "inception_bottleneck")
        assert "3.15× fewer multiply-adds and 3.14× fewer parameters" in comparison
        assert "Multiply-adds = 271,351,808" in run("explain", "inception_bottleneck")
        assert "43,352,064" in run(
            *("layer", "conv: {out_channels: 128, kernel_size: 3, stride: 2, padding: 1}"),
            *("--input", "192,28,28"),
        )
        assert "Multiply-adds = " in run("formula", "lenet5", "--free", "H,W")
        assert "4.11G is fvcore's count" in run("reconcile", "resnet::resnet50", "--claim=4.11G")
        assert "within budget" in run("check", "alexnet::alexnet", "--max", "macs=1G")
        assert "error[B601]" in run("check", "alexnet::alexnet", "--max", "macs=1M", code=1)
        assert "error[E" in run("analyze", "no_such_network", code=2)
        assert "resnet::resnet50" in run("specs")
        assert json.loads(run("schema"))["$schema"] == "http://json-schema.org/draft-07/schema#"
        # Blocks of the library, and what `init` writes, are in the package too.
        run("init")
        assert "within budget" in run("check", "net.yaml")
        run("init", "mobile.yaml", "--from", "mobilenet_v2")
        assert "3,504,872" in run("analyze", "mobile.yaml")
        assert "version: 1" in run("budget", "init", "net.yaml")

    def test_it_is_the_wheel_that_runs(self, installed, tmp_path):
        place = isolated(
            [installed / "python", "-c", "import convcalc; print(convcalc.__file__)"], tmp_path
        )
        assert Path(place.strip()).is_relative_to(installed.parent)
        # A warning of a newer Python, or of a newer dependency, is a failure here.
        strict = [installed / "python", "-W", "error", "-m", "convcalc"]
        assert "61,706" in isolated([*strict, "analyze", "lenet5"], tmp_path)


@pytest.mark.oracle
class TestSource:
    def test_its_tests_are_collected_and_pass(self, unpacked):
        pytest_here = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
        collected = isolated([*pytest_here, "--collect-only"], unpacked)
        assert re.search(r"\d{4,} tests collected", collected)
        part = ["tests/layers/test_convolution.py", "tests/analysis/test_cost.py"]
        pages = ["tests/test_docs.py", "-k", "links or picture or documented"]
        assert " passed" in isolated([*pytest_here, *part], unpacked)
        assert " passed" in isolated([*pytest_here, *pages], unpacked)

    def test_it_is_what_was_run(self, unpacked):
        place = "import convcalc; print(convcalc.__file__)"
        shown = isolated([sys.executable, "-c", place], unpacked)
        assert Path(shown.strip()) == unpacked / "convcalc" / "__init__.py"


def test_the_python_versions_that_are_named_are_these():
    prefix = "Programming Language :: Python :: 3."
    named = {each for each in PROJECT["classifiers"] if each.startswith(prefix)}
    assert named == {f"{prefix}{minor}" for minor in MINOR_VERSIONS}
    assert PROJECT["requires-python"] == f">=3.{MINOR_VERSIONS[0]}"


def test_this_python_is_among_the_interpreters():
    assert interpreters()[f"3.{sys.version_info.minor}"] == sys.executable
    assert set(interpreters()) <= {f"3.{minor}" for minor in MINOR_VERSIONS}


def test_an_interpreter_that_does_not_run_is_none(tmp_path, monkeypatch):
    for minor in MINOR_VERSIONS:
        stand_in = tmp_path / f"python3.{minor}"
        stand_in.write_text("#!/bin/sh\necho 'not found' >&2\nexit 127\n", encoding="utf-8")
        stand_in.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.defpath}")
    assert list(interpreters().values()) == [sys.executable]


class TestVersion:
    """What is used by its version says the version that this is."""

    def test_the_pages_name_the_release(self):
        page = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
        assert re.findall(r"convcalc/convcalc@(\S+)", page) == [f"v{VERSION}"]
        assert re.findall(r"rev: (\S+)", page) == [f"v{VERSION}"]

    def test_the_action_and_the_hook_install_what_they_come_with(self):
        # So that their version is the one that they are asked for by.
        action = (ROOT / "action.yml").read_text(encoding="utf-8")
        (install,) = re.findall(r"pip install (.*)", action)
        assert install.endswith('"$GITHUB_ACTION_PATH"')
        hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
        for hook in hooks:
            assert hook["language"] == "python"
            assert "additional_dependencies" not in hook

    def test_no_other_version_of_convcalc_is_named(self):
        for path in (ROOT / "action.yml", ROOT / ".pre-commit-hooks.yaml", ROOT / "README.md"):
            named = re.findall(r"convcalc[@= ]+v?(\d+\.\d+\.\d+)", path.read_text(encoding="utf-8"))
            assert set(named) <= {VERSION}

    def test_the_changelog_begins_with_it_and_its_date(self):
        text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
        first = re.search(r"(?m)^## (.*)$", text)[1]
        assert re.fullmatch(rf"{re.escape(VERSION)} \(\d{{4}}-\d\d-\d\d\)", first)
