"""A git repository of a test's own, without any settings of the machine."""

import os
import subprocess
from pathlib import Path


class Repository:
    """A git repository in a folder, which may not be there yet."""

    def __init__(self, folder: Path):
        self.folder = folder

    @classmethod
    def made(cls, folder):
        """An empty one, on branch main."""
        folder.mkdir(parents=True, exist_ok=True)
        repository = cls(folder)
        repository.git("init", "--quiet", "--initial-branch", "main")
        return repository

    def git(self, *arguments, **environment):
        """Run a git command; what it prints."""
        alone = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        done = subprocess.run(
            ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", *arguments],
            cwd=self.folder,
            env={**os.environ, **alone, **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def write(self, name, text):
        """Write a file; its path."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def commit(self, message="a commit"):
        """Commit all there is; the id."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.git("rev-parse", "HEAD")

    def commit_file(self, name, text):
        """Write a file and commit all there is; the file's path."""
        path = self.write(name, text)
        self.commit()
        return path
