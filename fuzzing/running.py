"""Runs a case in this process, and notes what it said, which files it touched and what it took."""

from __future__ import annotations

import io
import json
import os
import resource
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import typer.main
from cases import STANDARD_INPUT, Case, decoded, encoded

import convcalc
from convcalc.cli import app, register
from convcalc.cli.output import EXIT_BUG
from convcalc.shipped import shipped_folder
from convcalc.sources.spec import expansion

__all__ = ["DECOY", "Alone", "Outcome", "Sandbox", "run_alone"]

DECOY: Final = "decoy.yaml"
"""A spec that lies in the folder and that no case names: nobody may read it."""
DECOY_TEXT: Final = "name: decoy\ninput: [1, 1, 1]\nlayers: [relu]\n"
WRITING: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
FORBIDDEN: Final = (
    *("socket.", "subprocess.", "os.system", "os.exec", "os.spawn", "os.fork", "pty."),
    *("os.chmod", "os.chown", "os.kill", "os.putenv", "os.truncate", "shutil."),
)
MOST_ADDRESSES: Final = 4 * 2**30
"""Bytes that a process of its own may have: more than that ends it, and not the machine."""


MOST_LAYERS: Final = 10_000
"""Layers that a network may have here: large ones take their time, in proportion to their size."""


class Outcome(NamedTuple):
    """What came of a case."""

    code: int
    out: str
    err: str
    traceback: str
    """Of what made the exit code 3; empty if nothing did."""
    read: tuple[str, ...]
    """Files outside of Python and convcalc that were opened, by name in the folder or path."""
    written: tuple[str, ...]
    left: tuple[tuple[str, bytes], ...]
    """Files that are in the folder afterwards and were not before, or not so."""
    events: tuple[str, ...]
    """What nothing that convcalc does should cause: processes, sockets."""
    seconds: float
    """Of the processor."""
    megabytes: float
    """By which the most memory that the process ever had has grown."""


class Alone(NamedTuple):
    """What came of a case in a process of its own."""

    code: int
    """Of the command; of the process if that did not end by itself."""
    seconds: float
    """Of the processor, modules that had to be imported included."""
    megabytes: float
    """The most that the whole process had."""
    said: str
    """The traceback, or what a process that did not end by itself left behind."""


class _Seen:
    """What the audit hook has met since it was switched on."""

    def __init__(self) -> None:
        self.is_on = False
        self.read: list[str] = []
        self.written: list[str] = []
        self.events: list[str] = []


class Sandbox:
    """A folder that cases run in, one after the other, and the hook that watches them.

    What is outside of the folder and is not Python's or convcalc's own can be neither read nor
    written while a case runs: to the command the system seems to refuse it. A hook cannot be taken
    away again: one sandbox is enough for a process.
    """

    def __init__(self) -> None:
        memory = Path("/dev/shm")  # noqa: S108 - a folder in memory, where there is one
        where = memory if memory.is_dir() and os.access(memory, os.W_OK) else None
        self.folder = Path(tempfile.mkdtemp(prefix="convcalc-fuzzing-", dir=where)).resolve()
        self._own = tuple(
            f"{Path(each).resolve()}{os.sep}"
            for each in {
                sys.prefix,
                sys.base_prefix,
                *sysconfig.get_paths().values(),
                str(Path(convcalc.__file__).parent),
                str(shipped_folder()),
                *filter(os.path.isdir, sys.path),
            }
        )
        register([])
        self._command = typer.main.get_command(app)
        self._seen = _Seen()
        sys.addaudithook(self._audit)

    def close(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, case: Case) -> Outcome:
        """Run a case."""
        before = {name: content for name, content in case.files if name != STANDARD_INPUT}
        before[DECOY] = DECOY_TEXT.encode()
        self._empty()
        for name, content in before.items():
            (self.folder / name).write_bytes(content)
        given = dict(case.files).get(STANDARD_INPUT, b"")
        seen = self._seen = _Seen()
        error, code = "", 0
        begun, memory = time.process_time(), _most_memory()
        allowed, expansion.MAX_LAYERS = expansion.MAX_LAYERS, MOST_LAYERS  # type: ignore[misc]
        with _streams(given, self.folder) as (out, err):
            seen.is_on = True
            try:
                self._command.main(args=list(case.arguments), prog_name="convcalc")
            except SystemExit as ended:
                code = ended.code if isinstance(ended.code, int) else 0
            except Exception:  # noqa: BLE001 - as in convcalc.cli.main
                error, code = traceback.format_exc(), EXIT_BUG
            finally:
                seen.is_on = False
                expansion.MAX_LAYERS = allowed  # type: ignore[misc]
        seconds = time.process_time() - begun
        left = tuple(
            (path.name, path.read_bytes())
            for path in sorted(self.folder.iterdir())
            if path.is_file() and before.get(path.name) != path.read_bytes()
        )
        return Outcome(
            code,
            out.getvalue().decode(errors="surrogateescape"),
            err.getvalue().decode(errors="surrogateescape"),
            error,
            tuple(dict.fromkeys(seen.read)),
            tuple(dict.fromkeys(seen.written)),
            left,
            tuple(dict.fromkeys(seen.events)),
            seconds,
            _most_memory() - memory,
        )

    def _empty(self) -> None:
        for path in self.folder.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()

    def _audit(self, event: str, arguments: tuple[object, ...]) -> None:
        seen = self._seen
        if not seen.is_on:
            return
        if event == "open":
            self._opened(seen, arguments)
        elif event in {"os.listdir", "os.scandir"}:
            self._inside(arguments[0] if arguments and arguments[0] is not None else ".")
        elif event == "os.rename":
            seen.written.append(self._name(str(arguments[1])))
            self._inside(arguments[1])
        elif event in {"os.remove", "os.mkdir", "os.rmdir", "os.link", "os.symlink"}:
            self._inside(arguments[0])
        elif event.startswith(FORBIDDEN):
            seen.events.append(f"{event} {arguments!r}"[:300])

    def _opened(self, seen: _Seen, arguments: tuple[object, ...]) -> None:
        path, _, flags = arguments
        if isinstance(path, int):
            return
        name = os.fsdecode(path)  # type: ignore[arg-type]
        if name == os.devnull:
            return
        full = os.path.abspath(name)  # noqa: PTH100 - links stay links, and it is called often
        is_written = isinstance(flags, int) and flags & WRITING
        if full.startswith(self._own) and not is_written:
            return
        (seen.written if is_written else seen.read).append(self._name(full))
        self._inside(full)

    def _inside(self, path: object) -> None:
        if isinstance(path, int):
            return
        full = os.path.abspath(os.fsdecode(path))  # type: ignore[arg-type]  # noqa: PTH100
        if full != str(self.folder) and not full.startswith((f"{self.folder}{os.sep}", *self._own)):
            raise PermissionError(1, "Operation not permitted", full)

    def _name(self, path: str) -> str:
        full = os.path.abspath(path)  # noqa: PTH100 - see above
        return full.removeprefix(f"{self.folder}{os.sep}")


@contextmanager
def _streams(given: bytes, folder: Path) -> Iterator[tuple[io.BytesIO, io.BytesIO]]:
    """Standard streams in memory, as `convcalc.cli.main` sets them, and the folder to run in."""
    out, err = io.BytesIO(), io.BytesIO()
    kept = sys.stdin, sys.stdout, sys.stderr
    texts = [io.TextIOWrapper(stream, "utf-8", errors="replace") for stream in (out, err)]
    home = Path.cwd()
    os.chdir(folder)
    try:
        sys.stdin = io.TextIOWrapper(io.BytesIO(given), "utf-8")
        sys.stdout, sys.stderr = texts
        yield out, err
    finally:
        os.chdir(home)
        sys.stdin, sys.stdout, sys.stderr = kept
        for text in texts:
            text.flush()
            text.detach()


def _most_memory() -> float:
    """Megabytes that this process has had at once, at the most."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024
    except (OSError, IndexError):  # elsewhere; what is measured then may be what the parent had
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def run_alone(case: Case) -> Alone:
    """Run a case in a process of its own, and measure it there, without any instruments."""
    done = subprocess.run(
        [sys.executable, __file__], input=encoded(case), capture_output=True, check=False
    )
    if done.returncode:
        return Alone(done.returncode, 0.0, 0.0, done.stderr.decode(errors="replace"))
    return Alone(**json.loads(done.stdout))


def _main() -> None:
    """What runs there: the case comes in as standard input, the measures go out as JSON."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_ADDRESSES, resource.RLIM_INFINITY))
    case = decoded(sys.stdin.buffer.read())
    if case is None:
        sys.exit("no case")
    sandbox = Sandbox()
    try:
        outcome = sandbox.run(case)
    finally:
        sandbox.close()
    measured = Alone(outcome.code, outcome.seconds, _most_memory(), outcome.traceback)
    print(json.dumps(measured._asdict()))


if __name__ == "__main__":
    _main()
