"""A spec as it is at a git revision, read by ``git`` without a checkout."""

from __future__ import annotations

import os
import posixpath
import re
import shutil
import subprocess
from pathlib import Path
from typing import Final, NamedTuple

from convcalc.errors import UsageError, catalogue, close_match
from convcalc.shipped import shipped_path
from convcalc.sources.reference import (
    MAX_BYTES,
    SpecText,
    decoded,
    refused,
    too_large,
)

__all__ = ["read_at_revision"]

TIMEOUT: Final = 60
"""Seconds that git may take; it may have to fetch what a partial clone lacks."""
MAX_REVISION: Final = 250
"""Characters of a revision."""
MAX_LINK: Final = 4096
"""Bytes of the path that a symbolic link holds."""
MAX_REFERENCES: Final = 1000
"""Branches and tags that a mistyped one is held against."""
MAX_NOTES: Final = 4
"""Lines of what git says that are passed on."""

ENVIRONMENT: Final = {
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    # A name with a star in it is a name.
    "GIT_LITERAL_PATHSPECS": "1",
    # What git says is read here too.
    "LC_ALL": "C",
}
OF_A_HOOK: Final = {
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_COMMON_DIR",
    "GIT_INDEX_FILE",
    "GIT_PREFIX",
    "GIT_NAMESPACE",
}
"""What git sets for its hooks, for the folder that they start in: files may be in another."""

REGULAR: Final = ("100644", "100755", "100664")
LINK: Final = "120000"
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


class _Entry(NamedTuple):
    """What a commit has under a path."""

    mode: str
    id: str
    size: int
    path: str
    """From the top of the repository, with slashes."""


class _Answer(NamedTuple):
    """What git printed, and how it ended."""

    status: int
    output: bytes
    said: tuple[str, ...]
    """Its messages, line by line."""


class _Git(NamedTuple):
    """The git program, run in one folder for one file."""

    program: str
    folder: Path
    name: str
    """What the file is called in findings."""

    def run(self, *arguments: str) -> _Answer:
        """Run a git command. Raises UsageError if it does not run, or does not end."""
        kept = {name: value for name, value in os.environ.items() if name not in OF_A_HOOK}
        command = [self.program, "--no-pager", "-C", str(self.folder), *arguments]
        try:
            done = subprocess.run(  # noqa: S603 - no shell; options cannot be smuggled in
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                env={**kept, **ENVIRONMENT},
                timeout=TIMEOUT,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise refused(
                catalogue.CANNOT_READ,
                f"{self.name!r} cannot be read: git has not answered in {TIMEOUT} seconds",
            ) from None
        except OSError as error:
            raise refused(
                catalogue.NOT_A_REPOSITORY, f"git cannot be run: {error.strerror or error}"
            ) from None
        said = done.stderr.decode(errors="replace").splitlines()
        return _Answer(done.returncode, done.stdout, tuple(filter(None, map(str.strip, said))))

    def output(self, *arguments: str) -> bytes:
        """What a command prints. Raises UsageError with what git says if it fails."""
        answer = self.run(*arguments)
        if answer.status:
            raise refused(
                catalogue.CANNOT_READ,
                f"{self.name!r} cannot be read: git fails",
                notes=_notes(answer),
            )
        return answer.output


def read_at_revision(reference: str, revision: str) -> SpecText:
    """The text of the file that ``reference``, ``path`` or ``path::variant``, names, at a revision.

    ``revision`` is what git takes for a commit: ``origin/main``, ``v1.0``, ``HEAD~1``. The text is
    called ``origin/main:path``. Neither the work tree nor the index is touched. Raises UsageError.
    """
    path, separator, variant = reference.partition("::")
    _check_revision(revision)
    _check_path(path, revision)
    program = shutil.which("git")
    if program is None:
        raise refused(
            catalogue.NOT_A_REPOSITORY,
            f"{path!r} at {revision!r} cannot be read: git is not installed",
            "install git, or compare with a copy of the file",
        )
    folder, inside = _folder(path)
    name = f"{revision}:{path}"
    git = _Git(program, folder, name)
    commit = _commit(git, path, revision)
    entry = _followed(git, commit, _entry(git, commit, f"./{inside}"))
    if entry is None or entry.mode not in REGULAR:
        raise _not_there(path, revision, entry)
    if entry.size > MAX_BYTES:
        raise too_large(name)
    raw = git.output("cat-file", "blob", entry.id)
    return decoded(raw, name, variant if separator else None, Path(path).stem)


def _check_revision(revision: str) -> None:
    if not revision.strip() or revision.startswith("-") or not revision.isprintable():
        raise refused(
            catalogue.UNKNOWN_REVISION,
            f"{revision!r} is no revision",
            "name a commit, branch or tag, such as `origin/main` or `HEAD~1`",
        )
    if len(revision) > MAX_REVISION:
        raise refused(
            catalogue.UNKNOWN_REVISION,
            f"a revision of {len(revision):,} characters is none",
            "name a commit, branch or tag, such as `origin/main` or `HEAD~1`",
        )


def _check_path(path: str, revision: str) -> None:
    if path == "-":
        raise refused(
            catalogue.NOT_AT_REVISION,
            f"standard input is no file that git has at {revision!r}",
            "name the file",
        )
    if shipped_path(path) is not None and not Path(path).is_file():
        raise refused(
            catalogue.NOT_AT_REVISION,
            f"{path!r} ships with convcalc, and git has it at no revision",
            "name a file of your repository",
        )
    if Path(path).name in {"", ".."} or "\0" in path:
        raise refused(catalogue.NOT_AT_REVISION, f"{path!r} is no file, at any revision")


def _folder(path: str) -> tuple[Path, str]:
    """The folder to run git in, and where the file is from there, with slashes.

    The file's own folder, so that links to folders are followed as they are today; if that is gone
    the nearest that is left.
    """
    # Dots go only where no folder is any more: `a/..` is not `.` where a is a link.
    folder, inside = Path(path).parent, Path(path).name
    while not _is_folder(folder) and folder != folder.parent:
        folder, inside = folder.parent, f"{folder.name}/{inside}"
    return folder, posixpath.normpath(inside)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # a name that is too long
        return False


def _commit(git: _Git, path: str, revision: str) -> str:
    # A revision never starts with a dash here; git before 2.30 does not know --end-of-options.
    answer = git.run("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
    found = answer.output.decode(errors="replace").strip()
    if answer.status == 0 and _COMMIT.fullmatch(found):
        return found
    repository = git.run("rev-parse", "--is-shallow-repository")
    if repository.status:
        raise _no_repository(path, repository)
    raise _unknown_revision(git, revision, answer, is_shallow=repository.output == b"true\n")


def _no_repository(path: str, answer: _Answer) -> UsageError:
    if any("not a git repository" in line for line in answer.said):
        return refused(
            catalogue.NOT_A_REPOSITORY,
            f"{path!r} is in no git repository",
            "without one, compare with a copy of the file or a saved report",
        )
    return refused(
        catalogue.NOT_A_REPOSITORY,
        f"git refuses to read the repository of {path!r}",
        notes=_notes(answer),
    )


def _unknown_revision(git: _Git, revision: str, answer: _Answer, *, is_shallow: bool) -> UsageError:
    remotes = _lines(git.run("remote"))
    remote, _, branch = revision.partition("/")
    if branch and remote in remotes:
        # With both sides named it works in a clone of a single branch too.
        fetch = f"git fetch {remote} {branch}:refs/remotes/{revision}"
        prefix = f"{remote}/"
    else:
        fetch = "git fetch --unshallow" if is_shallow else "git fetch"
        prefix = ""
    if is_shallow:
        way_out = f"this clone is shallow: `{fetch}`, or in GitHub's checkout `fetch-depth: 0`"
    else:
        # A remote's name is like itself, whatever the branch.
        known = [n.removeprefix(prefix) for n in _references(git) if n.startswith(prefix)]
        close = close_match(revision.removeprefix(prefix), known)
        way_out = f"did you mean {prefix + close!r}? " if close else ""
        way_out += (
            f"`{fetch}` brings what the remote has"
            if remotes
            else "`git branch` and `git tag` list what there is"
        )
    return refused(
        catalogue.UNKNOWN_REVISION,
        f"the repository has no commit {revision!r}",
        way_out,
        _notes(answer),
    )


def _references(git: _Git) -> list[str]:
    kinds = ("refs/heads", "refs/remotes", "refs/tags")
    names = "--format=%(refname:short)"
    return _lines(git.run("for-each-ref", f"--count={MAX_REFERENCES}", names, *kinds))


def _lines(answer: _Answer) -> list[str]:
    return answer.output.decode(errors="replace").splitlines()


def _entry(git: _Git, commit: str, path: str, *options: str) -> _Entry | None:
    """What the commit has under a path that counts from git's folder; None: nothing."""
    listing = git.output("ls-tree", "-z", "--long", "--full-name", *options, commit, "--", path)
    line, _, _ = os.fsdecode(listing).partition("\0")
    if not line:
        return None
    facts, _, full_path = line.partition("\t")
    mode, _, id_, size = facts.split()
    return _Entry(mode, id_, int(size) if size.isdecimal() else 0, full_path)


def _followed(git: _Git, commit: str, entry: _Entry | None) -> _Entry | None:
    """The file that a symbolic link leads to; what is no link as it is."""
    if entry is None or entry.mode != LINK:
        return entry
    target = os.fsdecode(git.output("cat-file", "blob", entry.id)) if entry.size <= MAX_LINK else ""
    path = posixpath.normpath(posixpath.join(posixpath.dirname(entry.path), target))
    found = None
    if "\0" not in target and path.split("/")[0] not in {"", ".", ".."}:
        found = _entry(git, commit, path, "--full-tree")
    if found is None or found.mode not in REGULAR:
        raise refused(
            catalogue.NOT_AT_REVISION,
            f"{git.name!r} is a symbolic link to {target!r}, which is no file of that commit",
            "name the file itself",
        )
    return found


def _not_there(path: str, revision: str, entry: _Entry | None) -> UsageError:
    if entry is not None:
        return refused(catalogue.NOT_AT_REVISION, f"{path!r} is no file at {revision!r}")
    return refused(
        catalogue.NOT_AT_REVISION,
        f"{path!r} is not there at {revision!r}",
        "a new file, or one that was moved, has nothing to be compared with; leave out --against, "
        "or compare the two files",
    )


def _notes(answer: _Answer) -> tuple[str, ...]:
    return tuple(f"git: {line.removeprefix('fatal: ')}" for line in answer.said[:MAX_NOTES])
