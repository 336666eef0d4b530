"""The help of the commands: it fits a terminal, and its examples run as they stand."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from console import clean_environment

from convcalc.cli import COMMANDS
from convcalc.cli.options import DTYPES, OPTIMIZERS

HELPS = [
    (),
    *((name,) for name in COMMANDS),
    ("budget", "init"),
]
FROM_NOTHING = {(), ("init",)}
"""Those whose examples write the spec that the others start from."""


def examples(shown):
    """The commands of the block that a help calls its examples, without comments."""
    block = re.search(r"(?m)^  (?:Start|Examples?):\n((?:    .*\n)+)", shown)
    assert block, shown
    return [line.partition("  #")[0].strip() for line in block[1].splitlines()]


@pytest.fixture(scope="session")
def shell(tmp_path_factory):
    """Run a command line in a folder as bash would, with convcalc found by its name."""
    programs = tmp_path_factory.mktemp("bin")
    program = programs / "convcalc"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m convcalc "$@"\n')
    program.chmod(0o755)
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"

    def run_line(line, folder):
        return subprocess.run(
            ["bash", "-o", "pipefail", "-c", line],
            cwd=folder,
            env=clean_environment(PATH=path, PYTHONPATH=str(Path(__file__).parent.parent)),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run_line


@pytest.fixture(scope="session")
def repository(tmp_path_factory, shell):
    """A folder with what `convcalc init` writes, as it is on the branch origin/main."""
    folder = tmp_path_factory.mktemp("repository")
    done = shell(
        "convcalc init && git init -q . && git add net.yaml && git -c user.name=a -c user.email=b"
        " commit -qm first && git update-ref refs/remotes/origin/main HEAD",
        folder,
    )
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.parametrize("command", HELPS, ids=lambda command: " ".join(command) or "convcalc")
class TestHelp:
    def test_its_examples_run_as_they_stand(self, command, run, shell, repository, tmp_path):
        folder = tmp_path if command in FROM_NOTHING else repository
        shown = examples(run(*command, "--help").stdout)
        for line in shown:
            done = shell(line, folder)
            assert done.returncode == 0, (line, done.stderr)
            assert "Traceback" not in done.stderr
            assert line.startswith("convcalc ")

    def test_its_examples_stand_before_the_options(self, command, run):
        shown = run(*command, "--help").stdout
        assert shown.index(examples(shown)[0]) < shown.index("\nOptions:")
        assert "\nArguments:" not in shown[: shown.index(examples(shown)[0])]

    @pytest.mark.parametrize("columns", [80, 160])
    def test_it_fits_a_terminal(self, command, columns, terminal):
        shown, code = terminal(*command, "--help", columns=columns)
        assert code == 0
        assert "\x1b" not in shown
        assert all(len(line) <= 80 for line in shown.splitlines())

    def test_it_is_there_for_the_short_option_too(self, command, run):
        done = run(*command, "-h")
        assert done.returncode == 0
        assert done.stdout == run(*command, "--help").stdout

    def test_it_names_no_type_of_the_program(self, command, run):
        # `<str>` and `<int range>` say nothing to who asks what to write there.
        assert not re.search(r"<[a-z ]+>", run(*command, "--help").stdout)


def test_the_summary_of_no_command_is_cut(run, terminal):
    for shown in (run("--help").stdout, terminal("--help", columns=80)[0]):
        commands = shown.partition("\nCommands:\n")[2]
        assert all(name in commands for name in COMMANDS)
        assert "..." not in commands


def test_without_a_command_the_help_is_shown(run):
    done = run()
    assert done.returncode == 2
    assert "convcalc init" in done.stdout + done.stderr


def test_the_words_of_options_are_those_that_are_understood():
    from convcalc.analysis import BITS
    from convcalc.analysis.training import OPTIMIZERS as KNOWN

    assert tuple(BITS) == DTYPES
    assert tuple(KNOWN) == OPTIMIZERS


@pytest.mark.parametrize(
    ("command", "owner", "name"),
    [
        ("analyze", "report", "FORMATS"),
        ("compare", "report", "FORMATS"),
        ("specs", "report", "FORMATS"),
        ("check", "check", "CHECK_FORMATS"),
        ("explain", "explain", "EXPLAIN_FORMATS"),
        ("layer", "explain", "EXPLAIN_FORMATS"),
        ("formula", "formula", "FORMULA_FORMATS"),
        ("reconcile", "reconcile", "RECONCILE_FORMATS"),
    ],
)
def test_the_formats_that_are_offered_are_those_of_the_report(command, owner, name, run):
    from importlib import import_module

    shown = " ".join(run(command, "--help").stdout.split())
    offered = re.search(r"--format NAME ([^.]+)\.", shown)[1]
    known = getattr(import_module(f"convcalc.reports.{owner}"), name)
    assert tuple(re.split(r", | or ", offered)) == known
