"""A repository as a team has it: a network, its budget, and a commit that makes a conv wider."""

import os
import subprocess
from pathlib import Path

NETWORK = """\
input: [3, 32, 32]
layers:
  - {conv: {out_channels: 16, kernel_size: 3, padding: 1}, name: stem}
  - relu
  - {conv: {out_channels: 32, kernel_size: 3, padding: 1}, name: body}
  - relu
  - global_avg_pool
  - flatten
  - {linear: {out_features: 10}, name: head}
"""
WIDER = NETWORK.replace("out_channels: 32", "out_channels: 48")
WIDENED_LINE = 5
BUDGETS = """\
version: 1
budgets:
  - name: sensor
    spec: nets/*.yaml
    max: {macs: 6M, params: 8k}
    layers:
      - {match: body, max: {activations: 128 KiB}}
"""
SPEC = "nets/small.yaml"

# A conv takes C_out · Π out · C_in · Π kernel multiply-adds.
STEM_MACS = 16 * 32 * 32 * 3 * 9  # 442,368
MACS = STEM_MACS + 32 * 32 * 32 * 16 * 9 + 32 * 10  # + 4,718,592 + 320 = 5,161,280
WIDER_MACS = STEM_MACS + 48 * 32 * 32 * 16 * 9 + 48 * 10  # + 7,077,888 + 480 = 7,520,736


class Repository:
    """A git repository in a folder, without any settings of the machine."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.git("init", "--quiet", "--initial-branch", "main")

    def git(self, *arguments):
        """Run a git command; what it prints."""
        done = subprocess.run(
            ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", *arguments],
            cwd=self.folder,
            env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def write(self, name, text):
        """Write a file."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def commit(self, message):
        """Commit all there is; the id."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)
        return self.git("rev-parse", "HEAD")


def first_commit(folder):
    """The repository with the network as it was at first."""
    folder.mkdir()
    made = Repository(folder)
    made.write(SPEC, NETWORK)
    made.write("budgets.yaml", BUDGETS)
    made.commit("a network and its budget")
    return made


def widen(repository):
    """The second commit."""
    repository.write(SPEC, WIDER)
    repository.commit("more channels in the body")
