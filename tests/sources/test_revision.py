"""Specs as git has them at a revision, and what is said when it has none."""

import hashlib
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from git_repository import Repository

from convcalc.errors import SpecError, UsageError
from convcalc.sources import load, open_network, variants_of
from convcalc.sources.reference import MAX_BYTES
from convcalc.sources.revision import read_at_revision

NET = "input: [3, 8, 8]\nlayers: [relu]\n"
FAMILY = (
    "vars: {n: 1}\nvariants: {small: {}, large: {n: 3}}\ninput: [3, 8, 8]\n"
    "layers:\n  - {repeat: n, relu: }\n"
)
OLD, NEW = "# old\n" + NET, "# new\n" + NET


@pytest.fixture(autouse=True)
def only_git_itself(monkeypatch, tmp_path):
    """No settings of the machine, and no repository around the test's folder."""
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def repository(tmp_path):
    """A repository on branch main, without a commit."""
    return Repository.made(tmp_path / "work")


@pytest.fixture
def changed(repository, monkeypatch):
    """A repository with a file that was changed after it was committed, from its folder."""
    repository.commit_file("net.yaml", OLD)
    repository.write("net.yaml", NEW)
    monkeypatch.chdir(repository.folder)
    return repository


def text_of(reference, revision="HEAD"):
    return read_at_revision(str(reference), revision).text


def refused(reference, revision="HEAD"):
    """The one finding against a file at a revision."""
    with pytest.raises(UsageError) as caught:
        read_at_revision(str(reference), revision)
    (finding,) = caught.value.findings
    return finding


def everything_in(folder):
    """All files below a folder with their content, git's own among them, and when they changed."""
    return {
        str(path): (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


class TestWhatIsRead:
    def test_the_file_as_it_was_committed(self, changed):
        assert text_of("net.yaml") == OLD
        assert Path("net.yaml").read_text(encoding="utf-8") == NEW

    def test_its_name_has_the_revision_and_it_has_no_path(self, changed):
        found = read_at_revision("net.yaml::small", "HEAD")
        assert (found.source.name, found.source.path) == ("HEAD:net.yaml", None)
        assert (found.variant, found.stem) == ("small", "net")
        assert read_at_revision("net.yaml", "HEAD").variant is None

    def test_nothing_in_the_work_tree_or_of_git_is_touched(self, changed):
        # What is staged is neither the commit's nor the work tree's.
        changed.write("net.yaml", "# staged\n")
        changed.git("add", "net.yaml")
        changed.write("net.yaml", NEW)
        before = everything_in(changed.folder)
        assert any("/.git/index" in name for name in before)
        assert text_of("net.yaml") == OLD
        assert refused("other.yaml").code.id == "E407"
        assert refused("net.yaml", "v9").code.id == "E406"
        assert everything_in(changed.folder) == before

    @pytest.mark.parametrize("revision", ["HEAD~1", "v1", "main~1", "main@{0}~1", "v1^{}"])
    def test_a_revision_is_what_git_takes_for_a_commit(self, changed, revision):
        changed.git("tag", "--annotate", "--message", "one", "v1")
        changed.commit()
        assert text_of("net.yaml", revision) == OLD
        assert text_of("net.yaml", "HEAD") == NEW

    def test_the_hash_of_a_commit_will_do(self, changed):
        commit = changed.git("rev-parse", "HEAD")
        assert text_of("net.yaml", commit) == OLD
        assert text_of("net.yaml", commit[:10]) == OLD

    def test_a_branch_of_a_remote(self, changed, tmp_path, monkeypatch):
        clone = Repository(tmp_path / "clone")
        changed.git("clone", "--quiet", str(changed.folder), str(clone.folder))
        clone.commit_file("net.yaml", NEW)
        monkeypatch.chdir(clone.folder)
        assert text_of("net.yaml", "origin/main") == OLD
        assert read_at_revision("net.yaml", "origin/main").source.name == "origin/main:net.yaml"

    def test_a_linked_work_tree_has_the_same_commits(self, changed, tmp_path):
        changed.git("worktree", "add", "--quiet", "--detach", str(tmp_path / "linked"))
        path = tmp_path / "linked" / "net.yaml"
        path.write_text("# linked\n", encoding="utf-8")
        assert text_of(path) == OLD

    def test_line_ends_are_those_of_the_repository(self, repository):
        path = repository.commit_file("net.yaml", "input: [1]\r\nlayers: [relu]\r\n")
        assert text_of(path) == "input: [1]\r\nlayers: [relu]\r\n"


class TestWhereTheFileIs:
    @pytest.fixture
    def nested(self, repository, monkeypatch):
        repository.commit_file("nets/mobile/net.yaml", OLD)
        repository.write("nets/mobile/net.yaml", NEW)
        # A file of the same name elsewhere is not meant.
        repository.write("net.yaml", NEW)
        monkeypatch.chdir(repository.folder / "nets")
        return repository

    @pytest.mark.parametrize(
        "reference",
        [
            "mobile/net.yaml",
            "./mobile/net.yaml",
            "../nets/mobile/net.yaml",
            "mobile//net.yaml",
            "mobile/gone/../net.yaml",
            "mobile/gone/../../../nets/mobile/net.yaml",
        ],
    )
    def test_a_path_counts_from_the_working_directory(self, nested, reference):
        found = read_at_revision(reference, "HEAD")
        assert (found.text, found.source.name) == (OLD, f"HEAD:{reference}")

    def test_an_absolute_path(self, nested, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        assert text_of(nested.folder / "nets" / "mobile" / "net.yaml") == OLD

    def test_a_path_from_outside_of_the_repository(self, nested, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        assert text_of("work/nets/mobile/net.yaml") == OLD

    @pytest.mark.parametrize(
        "name",
        ["two words.yaml", "größe.yaml", "卷积.yaml", "a'b\"c.yaml", "star*.yaml", ":odd.yaml",
         "-net.yaml", "net", "[a].yaml", "tab\tin.yaml"],
    )  # fmt: skip
    def test_any_name_will_do(self, repository, monkeypatch, name):
        repository.write("starry.yaml", "# not meant\n")
        repository.commit_file(name, OLD)
        repository.write(name, NEW)
        monkeypatch.chdir(repository.folder)
        assert text_of(name) == OLD

    def test_a_file_that_is_gone_with_its_folder_was_there_all_the_same(self, nested):
        shutil.rmtree(nested.folder / "nets" / "mobile")
        assert text_of("mobile/net.yaml") == OLD

    def test_a_hook_of_git_may_run_it(self, nested, monkeypatch):
        # What git sets for a pre-commit hook, which starts at the top of the work tree.
        monkeypatch.setenv("GIT_DIR", ".git")
        monkeypatch.setenv("GIT_INDEX_FILE", ".git/index")
        monkeypatch.setenv("GIT_PREFIX", "nets/")
        monkeypatch.chdir(nested.folder)
        assert text_of("nets/mobile/net.yaml") == OLD

    def test_a_hook_really_reads_it(self, nested):
        script = (
            "from convcalc.sources.revision import read_at_revision as read\n"
            "print(read('nets/mobile/net.yaml', 'HEAD').text)"
        )
        hook = nested.folder / ".git" / "hooks" / "pre-commit"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(
            f"#!/bin/sh\nenv >seen\n{shlex.quote(sys.executable)} -c {shlex.quote(script)} >read\n",
            encoding="utf-8",
        )
        hook.chmod(0o755)
        root = str(Path(__file__).parent.parent.parent)
        nested.git("commit", "--quiet", "--all", "--message", "next", PYTHONPATH=root)
        assert "GIT_INDEX_FILE=" in (nested.folder / "seen").read_text(encoding="utf-8")
        assert (nested.folder / "read").read_text(encoding="utf-8").startswith("# old\n")

    def test_the_file_s_own_repository_is_asked_not_the_one_around_it(self, nested):
        inner = Repository.made(nested.folder / "inner")
        inner.commit_file("net.yaml", "# inner\n")
        assert text_of(inner.folder / "net.yaml") == "# inner\n"


class TestSymbolicLinks:
    def test_one_within_the_repository_is_followed(self, repository):
        repository.write("nets/real.yaml", OLD)
        link = repository.folder / "linked" / "net.yaml"
        link.parent.mkdir()
        link.symlink_to("../nets/real.yaml")
        repository.commit()
        repository.write("nets/real.yaml", NEW)
        assert text_of(link) == OLD
        assert read_at_revision(str(link), "HEAD").stem == "net"

    @pytest.mark.parametrize(
        "target", ["/etc/hostname", "../../elsewhere.yaml", "gone.yaml", "nets", "again.yaml", "."]
    )
    def test_no_other_is(self, repository, target):
        repository.write("nets/real.yaml", OLD)
        (repository.folder / "again.yaml").symlink_to("nets/real.yaml")
        link = repository.folder / "net.yaml"
        link.symlink_to(target)
        repository.commit()
        finding = refused(link)
        assert finding.code.id == "E407"
        assert f"is a symbolic link to {target!r}" in finding.message

    def test_a_folder_that_is_one_is_followed_as_it_is_today(self, repository):
        repository.commit_file("nets/net.yaml", OLD)
        (repository.folder / "alias").symlink_to("nets")
        assert text_of(repository.folder / "alias" / "net.yaml") == OLD


class TestWhatHasNoRevision:
    def test_outside_of_a_repository(self, spec):
        path = spec(NET)
        finding = refused(path)
        assert finding.code.id == "E405"
        assert finding.message == f"'{path}' is in no git repository"
        assert "saved report" in finding.help
        assert finding.notes == ()

    def test_git_is_not_installed(self, changed, monkeypatch, tmp_path):
        monkeypatch.setenv("PATH", str(tmp_path))
        finding = refused("net.yaml")
        assert finding.code.id == "E405"
        assert finding.message == "'net.yaml' at 'HEAD' cannot be read: git is not installed"

    def test_git_that_does_not_start(self, changed, monkeypatch, tmp_path):
        program = tmp_path / "git"
        program.write_bytes(b"\x7fELF no program")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path))
        finding = refused("net.yaml")
        assert finding.code.id == "E405"
        assert finding.message.startswith("git cannot be run: ")

    def test_git_that_does_not_answer(self, changed, monkeypatch, tmp_path):
        program = tmp_path / "git"
        program.write_text("#!/bin/sh\nexec /bin/sleep 20\n", encoding="utf-8")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path))
        monkeypatch.setattr("convcalc.sources.revision.TIMEOUT", 0.1)
        finding = refused("net.yaml")
        assert finding.code.id == "E005"
        assert finding.message == (
            "'HEAD:net.yaml' cannot be read: git has not answered in 0.1 seconds"
        )

    def test_a_repository_that_git_does_not_trust(self, changed, monkeypatch):
        monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
        finding = refused("net.yaml")
        assert finding.code.id == "E405"
        assert finding.message == "git refuses to read the repository of 'net.yaml'"
        assert "dubious ownership" in finding.notes[0]
        assert "safe.directory" in finding.notes[-1]

    def test_a_damaged_repository(self, changed):
        blob = changed.git("rev-parse", "HEAD:net.yaml")
        path = changed.folder / ".git" / "objects" / blob[:2] / blob[2:]
        path.chmod(0o644)
        path.write_bytes(b"")
        finding = refused("net.yaml")
        assert finding.code.id == "E005"
        assert finding.message == "'HEAD:net.yaml' cannot be read: git fails"
        assert any(blob in note for note in finding.notes)

    def test_a_repository_without_a_commit(self, repository):
        finding = refused(repository.write("net.yaml", NET))
        assert finding.code.id == "E406"
        assert finding.message == "the repository has no commit 'HEAD'"

    @pytest.mark.parametrize("revision", ["v9", "HEAD~1", "net.yaml", "HEAD..HEAD", "^HEAD", "a b"])
    def test_an_unknown_revision(self, changed, revision):
        finding = refused("net.yaml", revision)
        assert finding.code.id == "E406"
        assert finding.message == f"the repository has no commit {revision!r}"
        assert finding.help == "`git branch` and `git tag` list what there is"

    def test_a_mistyped_revision(self, changed):
        changed.git("tag", "v1.0.0")
        assert refused("net.yaml", "v1.0.O").help.startswith("did you mean 'v1.0.0'? ")

    def test_a_mistyped_branch_of_a_remote(self, changed, tmp_path, monkeypatch):
        clone = Repository(tmp_path / "clone")
        changed.git("clone", "--quiet", str(changed.folder), str(clone.folder))
        monkeypatch.chdir(clone.folder)
        help_ = refused("net.yaml", "origin/mian").help
        assert help_.startswith("did you mean 'origin/main'? `git fetch origin mian:")

    @pytest.mark.parametrize(
        "revision",
        [
            "",
            " ",
            "-1",
            "--all",
            "--output=x",
            "HEAD\n",
            "a\0b",
            "\x1b[1m",
            "main\udcff",
            "x" * 251,
        ],
    )
    def test_what_is_no_revision_is_not_given_to_git(self, changed, revision, monkeypatch):
        monkeypatch.setattr("convcalc.sources.revision.subprocess.run", None)
        finding = refused("net.yaml", revision)
        assert finding.code.id == "E406"
        assert "`origin/main`" in finding.help

    def test_a_branch_that_was_not_fetched_can_be(self, changed, tmp_path, monkeypatch):
        changed.git("branch", "release/1")
        clone = Repository(tmp_path / "clone")
        source = changed.folder.as_uri()
        changed.git("clone", "--quiet", "--depth=1", source, str(clone.folder))
        monkeypatch.chdir(clone.folder)
        finding = refused("net.yaml", "origin/release/1")
        assert finding.code.id == "E406"
        assert finding.help == (
            "this clone is shallow: `git fetch origin release/1:refs/remotes/origin/release/1`, "
            "or in GitHub's checkout `fetch-depth: 0`"
        )
        clone.git(*finding.help.split("`")[1].split()[1:])
        assert text_of("net.yaml", "origin/release/1") == OLD

    def test_a_shallow_clone_can_be_made_whole(self, changed, tmp_path, monkeypatch):
        changed.commit()
        clone = Repository(tmp_path / "clone")
        source = changed.folder.as_uri()
        changed.git("clone", "--quiet", "--depth=1", source, str(clone.folder))
        monkeypatch.chdir(clone.folder)
        help_ = refused("net.yaml", "HEAD~1").help
        assert "`git fetch --unshallow`" in help_
        clone.git(*help_.split("`")[1].split()[1:])
        assert text_of("net.yaml", "HEAD~1") == OLD

    def test_a_whole_clone_is_told_to_fetch(self, changed, tmp_path, monkeypatch):
        clone = Repository(tmp_path / "clone")
        changed.git("clone", "--quiet", str(changed.folder), str(clone.folder))
        monkeypatch.chdir(clone.folder)
        assert refused("net.yaml", "origin/next").help == (
            "`git fetch origin next:refs/remotes/origin/next` brings what the remote has"
        )


class TestWhatIsNotAtARevision:
    def test_a_file_that_is_new(self, changed):
        changed.write("nets/new.yaml", NET)
        finding = refused("nets/new.yaml")
        assert finding.code.id == "E407"
        assert finding.message == "'nets/new.yaml' is not there at 'HEAD'"
        assert "a new file" in finding.help

    def test_a_file_that_was_staged_alone_is_new_too(self, changed):
        changed.write("new.yaml", NET)
        changed.git("add", "new.yaml")
        assert refused("new.yaml").code.id == "E407"

    @pytest.mark.parametrize("name", ["", ".", "..", "nets/..", "nets/.", "/", "a\0b"])
    def test_what_names_no_file(self, repository, monkeypatch, name):
        # Asked for a folder, git would list what is in it.
        repository.commit_file("nets/deep/net.yaml", NET)
        monkeypatch.chdir(repository.folder / "nets" / "deep")
        assert refused(name).code.id == "E407"

    @pytest.mark.parametrize("name", ["x" * 5000, "no/such/folder/net.yaml"])
    def test_a_name_that_nothing_has(self, changed, name):
        assert refused(name).code.id == "E407"

    def test_a_folder(self, changed):
        changed.commit_file("nets/net.yaml", NET)
        finding = refused("nets")
        assert finding.code.id == "E407"
        assert finding.message == "'nets' is no file at 'HEAD'"

    def test_standard_input(self, changed):
        finding = refused("-")
        assert finding.code.id == "E407"
        assert finding.message == "standard input is no file that git has at 'HEAD'"

    def test_a_shipped_network(self, changed):
        finding = refused("resnet::resnet50")
        assert finding.code.id == "E407"
        assert finding.message == "'resnet' ships with convcalc, and git has it at no revision"

    def test_a_file_with_the_name_of_a_shipped_network_comes_first(self, changed):
        changed.commit_file("resnet", OLD)
        assert text_of("resnet") == OLD


class TestWhatIsNoSpecThere:
    def test_a_file_that_is_too_large_is_not_read(self, repository, monkeypatch):
        path = repository.commit_file("net.yaml", "#" * (MAX_BYTES + 1))
        repository.write("net.yaml", NET)
        monkeypatch.chdir(repository.folder)
        commands = []
        run = subprocess.run

        def noted(command, **options):
            commands.append(command)
            return run(command, **options)

        monkeypatch.setattr("convcalc.sources.revision.subprocess.run", noted)
        finding = refused(path.name)
        assert finding.code.id == "E006"
        assert finding.message == "HEAD:net.yaml has more than 1,048,576 bytes"
        assert [command[4] for command in commands] == ["rev-parse", "ls-tree"]

    def test_one_of_the_largest_size_is(self, repository):
        assert len(text_of(repository.commit_file("net.yaml", "#" * MAX_BYTES))) == MAX_BYTES

    def test_a_file_that_is_no_text(self, repository, monkeypatch):
        repository.commit_file("net.yaml", "a\0b")
        monkeypatch.chdir(repository.folder)
        finding = refused("net.yaml")
        assert finding.code.id == "E003"
        assert finding.message == "HEAD:net.yaml is not a text file: byte 1 is zero"


class TestLoading:
    @pytest.fixture
    def family(self, repository, monkeypatch):
        repository.commit_file("nets/net.yaml", FAMILY)
        repository.write("nets/net.yaml", FAMILY.replace("n: 3", "n: 5"))
        monkeypatch.chdir(repository.folder)

    def test_a_graph_says_at_which_revision_it_was(self, family):
        graph = load("nets/net.yaml::large", revision="main")
        assert (graph.name, graph.spec) == ("large", "main:nets/net.yaml::large")
        assert len(graph.layers) == 3
        assert len(load("nets/net.yaml::large").layers) == 5

    def test_settings_reach_it(self, family):
        assert len(load("nets/net.yaml", {"n": 7}, revision="main").layers) == 7

    def test_all_variants_and_patterns_of_them(self, family):
        graphs = list(variants_of("nets/net.yaml", revision="main"))
        assert [graph.spec for graph in graphs] == [
            "main:nets/net.yaml::small",
            "main:nets/net.yaml::large",
        ]
        (large,) = variants_of("nets/net.yaml::la*", revision="main")
        assert len(large.layers) == 3

    def test_a_variant_that_is_new(self, family):
        with pytest.raises(SpecError) as caught:
            load("nets/net.yaml::larger", revision="main")
        (finding,) = caught.value.findings
        assert finding.message == "main:nets/net.yaml has no variant `larger`"

    def test_a_file_is_opened_with_its_variant(self, family):
        file, found = open_network("nets/net.yaml::large", revision="main")
        assert (file.variants, found.variant) == (("small", "large"), "large")

    def test_what_is_wrong_is_placed_in_the_file_at_the_revision(self, repository, monkeypatch):
        repository.commit_file("net.yaml", "input: [3, 8, 8]\nlayers: [rellu]\n")
        repository.write("net.yaml", NET)
        monkeypatch.chdir(repository.folder)
        with pytest.raises(SpecError) as caught:
            load("net.yaml", revision="HEAD")
        (finding,) = caught.value.findings
        assert str(finding.place) == "HEAD:net.yaml:2:10"
        assert finding.place.text.path is None
