"""Run convcalc as a person does: in a terminal of a given width."""

import os
import pty
import signal
import struct
import subprocess
import sys
import termios
from fcntl import ioctl
from pathlib import Path

COMMAND = [sys.executable, "-m", "convcalc"]
STEERING = {"COLUMNS", "NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE"}


def clean_environment(**changes: str) -> dict[str, str]:
    """The environment without what steers the output, and with ``changes``."""
    inherited = {name: value for name, value in os.environ.items() if name not in STEERING}
    return inherited | {"TERM": "xterm-256color"} | changes


def heed_interrupts() -> None:
    """Let a process be interrupted though what started it, a job in the background, cannot be."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def run_in_terminal(
    *arguments: str, columns: int, folder: Path, **environment: str
) -> tuple[str, int]:
    """What convcalc shows in a terminal ``columns`` wide, stderr included, and its exit code."""
    ours, theirs = pty.openpty()
    ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
        env=clean_environment(**environment),
    )
    os.close(theirs)
    shown = b""
    while True:
        try:
            part = os.read(ours, 65_536)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        shown += part
    os.close(ours)
    return shown.decode().replace("\r\n", "\n"), process.wait(timeout=60)
