"""Files that are written: whole or not at all, whatever happens meanwhile."""

import json
import os
import signal
import subprocess
import sys

import pytest

from convcalc.cli.output import export_files
from convcalc.errors import UsageError

COMMAND = (
    "import sys; sys.argv = ['convcalc', *sys.argv[1:]]; from convcalc.cli import main; main()"
)
FULL_DISK = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.{action})
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
"""
KILLED = """
import os, signal, sys
sys.addaudithook(
    lambda event, _: os.kill(os.getpid(), signal.SIGKILL) if event == "os.rename" else None
)
"""
OLD = "what was there before\n"


def convcalc(folder, *arguments, before=""):
    """Run convcalc in a folder, after some other code."""
    return subprocess.run(
        [sys.executable, "-B", "-c", before + COMMAND, *arguments],
        cwd=folder,
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
    )


def files(folder):
    return {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}


class TestAnExportThatFails:
    def test_of_a_full_disk_leaves_the_old_file_and_no_other(self, tmp_path):
        (tmp_path / "out.json").write_text(OLD, encoding="utf-8")
        done = convcalc(
            tmp_path,
            *("analyze", "resnet", "--export", "csv:out.csv", "--export", "json:out.json"),
            before=FULL_DISK.format(action="SIG_IGN"),
        )
        assert done.returncode == 2
        assert done.stderr.startswith("error[E403]: 'out.csv' cannot be written: File too large")
        assert files(tmp_path) == {"out.json": OLD}

    def test_where_the_first_of_two_files_fits_writes_neither(self, tmp_path):
        (tmp_path / "out.json").write_text(OLD, encoding="utf-8")
        done = convcalc(
            tmp_path,
            *("analyze", "inception_3a", "--export", "markdown:a.md", "--export", "json:out.json"),
            before=FULL_DISK.format(action="SIG_IGN"),
        )
        assert done.returncode == 2
        assert "'out.json' cannot be written" in done.stderr
        assert files(tmp_path) == {"out.json": OLD}

    def test_because_it_was_killed_half_way_leaves_the_old_file(self, tmp_path):
        (tmp_path / "out.json").write_text(OLD, encoding="utf-8")
        done = convcalc(
            tmp_path,
            *("analyze", "resnet", "--export", "json:out.json"),
            before=FULL_DISK.format(action="SIG_DFL"),
        )
        assert done.returncode == -signal.SIGXFSZ
        assert files(tmp_path)["out.json"] == OLD

    def test_because_it_was_killed_at_the_end_leaves_the_old_file(self, tmp_path):
        (tmp_path / "out.json").write_text(OLD, encoding="utf-8")
        done = convcalc(tmp_path, "analyze", "resnet", "--export", "json:out.json", before=KILLED)
        assert done.returncode == -signal.SIGKILL
        left = files(tmp_path)
        assert left.pop("out.json") == OLD
        # What was being written had all of it, and was not there yet.
        (part,) = left.values()
        assert json.loads(part)["networks"][0]["name"] == "resnet50"

    def test_to_a_folder_that_cannot_be_written_names_the_file(self, tmp_path, monkeypatch):
        # A file system that is read-only refuses to remove too, even what is not there; root may
        # write anywhere, so that the system is played here.
        def refused(*_, **__):
            raise OSError(30, "Read-only file system")

        monkeypatch.setattr("pathlib.Path.write_text", refused)
        monkeypatch.setattr("pathlib.Path.unlink", refused)
        with pytest.raises(UsageError) as caught:
            export_files([(tmp_path / "out.json", "{}")])
        (finding,) = caught.value.findings
        assert finding.message.endswith("out.json' cannot be written: Read-only file system")


def test_a_file_may_have_a_name_as_long_as_names_can_be(tmp_path):
    name = "x" * 250 + ".json"
    done = convcalc(tmp_path, "analyze", "lenet5", "--export", f"json:{name}")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(files(tmp_path)[name])["networks"][0]["name"] == "lenet5"


def test_a_report_that_does_not_fit_on_standard_output_is_said_to_be_cut(tmp_path):
    full = "/dev/full"
    if not os.path.exists(full):  # noqa: PTH110 - it is a device
        pytest.skip("the system has no full device")
    with open(full, "w", encoding="utf-8") as stream:  # noqa: PTH123 - see above
        done = subprocess.run(
            [sys.executable, "-c", COMMAND, "analyze", "lenet5"],
            stdout=stream,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 2
    assert done.stderr == "error: the output cannot be written: No space left on device\n"
