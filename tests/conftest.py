"""What tests in several folders share."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from console import COMMAND, clean_environment, run_in_terminal
from hypothesis import settings

ROOT = Path(__file__).parent.parent

# In CI the same examples every time, so that a change is judged by what it changes; on a desk new
# ones at every run.
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")


@pytest.fixture(scope="session")
def run():
    """Run convcalc as a process with its output piped: the completed process, texts decoded."""

    def run_piped(*arguments, cwd=ROOT, stdin="", **environment):
        return subprocess.run(
            [*COMMAND, *map(str, arguments)],
            cwd=cwd,
            input=stdin.encode() if isinstance(stdin, str) else stdin,
            capture_output=True,
            env=clean_environment(**environment),
            timeout=60,
            check=False,
        )

    def decoded(*arguments, **options):
        done = run_piped(*arguments, **options)
        done.stdout, done.stderr = done.stdout.decode(), done.stderr.decode()
        return done

    return decoded


@pytest.fixture(scope="session")
def terminal():
    """Run convcalc in a terminal of a given width: what stands on the screen, and the exit code."""

    def shown(*arguments, columns=100, cwd=ROOT, **environment):
        return run_in_terminal(*map(str, arguments), columns=columns, folder=cwd, **environment)

    return shown


@pytest.fixture
def spec(tmp_path):
    """Write a spec and return its path."""

    def write(text, name="net.yaml"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture(scope="session")
def package_index(tmp_path_factory):
    """Whether pip can install here; if it can, what then fails is a failure."""
    folder = tmp_path_factory.mktemp("index")
    done = subprocess.run(
        [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "hatchling>=1.27,<2"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.skip("pip reaches no package index")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Where oracles are required, a skipped one has failed: nothing was held against anything."""
    report = yield
    if (
        report.skipped
        and os.environ.get("CONVCALC_REQUIRE_ORACLES")
        and item.get_closest_marker("oracle")
    ):
        report.outcome = "failed"
        report.longrepr = f"an oracle test was skipped: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    """The same for a whole module of oracle tests that skips itself on import."""
    report = yield
    if report.skipped and os.environ.get("CONVCALC_REQUIRE_ORACLES"):
        report.outcome = "failed"
        report.longrepr = f"oracle tests were skipped: {report.longrepr}"
    return report
