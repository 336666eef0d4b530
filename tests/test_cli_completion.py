"""Completion, as the shells ask for it, and in a bash that a user types in."""

import os
import pty
import re
import select
import subprocess
import sys
import time

import pytest
import shellingham
from console import clean_environment

from convcalc.analysis.devices import all_devices
from convcalc.cli import COMMANDS, main
from convcalc.cli.completion import VARIABLE, prepare
from convcalc.cli.options import DTYPES
from convcalc.conventions import all_conventions
from convcalc.metrics import BUDGET_METRICS, METRICS
from convcalc.reports.analyze import COLUMNS
from convcalc.shipped import shipped_names

FAMILY = """\
vars: {c: 8}
variants: {small: {}, large: {c: 16}}
input: [3, 32, 32]
layers:
  - conv: {out_channels: c, kernel_size: 3, padding: 1}
"""
ODD = {
    "broken.yaml": b"input: [3",
    "binary.yaml": bytes(range(256)),
    "empty.yaml": b"",
    "deep.yaml": b"[" * 60_000,
    "huge.yaml": b"variants: {small: {}}\n" + b"# more\n" * 10_000,
    "list.yaml": b"- variants\n",
    "wrong.yaml": b"variants: [small, large]\n",
    "latin.yaml": b"variants: {\xe9: {}}\n",
}


@pytest.fixture
def folder(tmp_path):
    """A folder with specs, of which some are none."""
    (tmp_path / "nets").mkdir()
    (tmp_path / "notes").mkdir()
    (tmp_path / "nets" / "one.yaml").write_text(FAMILY)
    (tmp_path / "nets" / "two.yml").write_text(FAMILY)
    (tmp_path / "nets" / "notes.txt").write_text("")
    (tmp_path / "my net.yaml").write_text(FAMILY)
    (tmp_path / "family.yaml").write_text(FAMILY)
    (tmp_path / ".hidden.yaml").write_text(FAMILY)
    return tmp_path


@pytest.fixture
def completed(run, folder):
    """What bash is answered about a line, of which it has broken the words as it does."""

    def answers(*pieces, cwd=folder, **environment):
        done = run(
            cwd=cwd,
            **{VARIABLE: "complete_bash"},
            COMP_WORDS="\n".join(("convcalc", *pieces)),
            COMP_CWORD=str(len(pieces)),
            **environment,
        )
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout.split()

    return answers


@pytest.fixture(scope="module")
def odd(tmp_path_factory):
    """A folder with what is no spec, and with names that no terminal should be shown."""
    folder = tmp_path_factory.mktemp("odd")
    for name, content in ODD.items():
        (folder / name).write_bytes(content)
    (folder / "folder.yaml").mkdir()
    (folder / "nowhere.yaml").symlink_to("gone.yaml")
    (folder / "\x1b[31mred.yaml").write_text(FAMILY)
    (folder / "two\nlines.yaml").write_text(FAMILY)
    os.mkfifo(folder / "pipe.yaml")
    return folder


class TestWords:
    def test_commands(self, completed):
        assert completed("") == list(COMMANDS)
        assert completed("an") == ["analyze"]
        assert completed("budget", "") == ["init"]

    def test_options(self, completed):
        assert completed("analyze", "lenet5", "--dt") == ["--dtype"]
        assert completed("budget", "init", "lenet5", "--h") == ["--headroom", "--help"]
        assert completed("--ver") == ["--version"]

    @pytest.mark.parametrize(
        ("pieces", "expected"),
        [
            (("analyze", "lenet5", "--dtype", ""), DTYPES),
            (("analyze", "lenet5", "--weights-dtype", "int"), ("int8", "int4")),
            (("analyze", "lenet5", "--activations-dtype", "b"), ("bfloat16",)),
            (("analyze", "lenet5", "--order", ""), ("given", "best")),
            (("analyze", "lenet5", "--optimizer", ""), ("sgd", "momentum", "adam")),
            (("analyze", "lenet5", "--color", "al"), ("always",)),
            (("analyze", "lenet5", "--depth", "a"), ("all",)),
            (("analyze", "lenet5", "--format", ""), ("table", "plain", "json", "csv", "markdown")),
            (("check", "--format", "j"), ("json", "junit")),
            (("explain", "lenet5", "--format", "la"), ("latex",)),
            (("formula", "lenet5", "--format", "p"), ("python",)),
            (("reconcile", "lenet5", "--format", "c"), ("csv",)),
            (("analyze", "--device", ""), tuple(each.name for each in all_devices())),
            (("analyze", "--like", ""), tuple(each.name for each in all_conventions())),
            (("formula", "lenet5", "--metric", ""), tuple(each.name for each in METRICS)),
            (("explain", "lenet5", "--metric", "rec"), ("receptive_field",)),
            (("check", "--max", ""), tuple(f"{each.name}=" for each in BUDGET_METRICS)),
            (("check", "--max-increase", "mac"), ("macs=",)),
        ],
        ids=" ".join,
    )
    def test_values_of_options(self, pieces, expected, completed):
        assert tuple(completed(*pieces)) == expected

    def test_columns_one_after_another(self, completed):
        assert set(COLUMNS) < set(completed("analyze", "lenet5", "--columns", ""))
        assert completed("analyze", "lenet5", "--columns", "name,intens") == ["name,intensity"]
        # One that is there is not offered again.
        given = completed("analyze", "lenet5", "--columns", "name,macs,mac")
        assert given == ["name,macs,macs_share"]


class TestNetworks:
    def test_shipped_networks_and_specs_and_the_way_to_them(self, completed):
        assert set(completed("analyze", "")) == {
            *shipped_names(),
            *("family.yaml", "nets/", "notes/"),
        }
        assert completed("explain", "mobilenet_v") == [
            *("mobilenet_v1", "mobilenet_v2", "mobilenet_v3"),
        ]

    def test_a_spec_with_variants_is_offered_with_them(self, completed):
        assert completed("analyze", "fam") == [
            *("family.yaml", "family.yaml::small", "family.yaml::large"),
        ]

    def test_a_directory_is_looked_into_so_that_no_space_follows_it(self, completed):
        assert completed("check", "net") == ["nets/one.yaml", "nets/two.yml"]
        assert completed("check", "nets/o") == [
            *("nets/one.yaml", "nets/one.yaml::small", "nets/one.yaml::large"),
        ]
        assert completed("analyze", "./nets/t")[0] == "./nets/two.yml"

    def test_a_directory_without_specs_is_offered_as_it_is(self, completed):
        assert completed("analyze", "not") == ["notes/"]

    def test_a_name_that_needs_quotes_is_left_to_the_shell(self, completed):
        assert completed("analyze", "my") == []

    def test_init_starts_from_shipped_networks_alone(self, completed):
        assert completed("init", "--from", "fam") == []
        assert completed("init", "--from", "squeeze")[0] == "squeezenet"


class TestLayers:
    def test_groups_come_before_what_is_in_them(self, completed):
        assert completed("explain", "lenet5", "c") == ["c1", "c3", "c5"]
        assert completed("explain", "resnet::resnet18", "st") == [
            *("stem", "stage1", "stage2", "stage3", "stage4"),
        ]

    def test_a_group_is_offered_with_what_is_in_it(self, completed):
        assert completed("explain", "resnet", "::", "resnet18", "stage1") == [
            *("stage1", "stage1.basic1", "stage1.basic2"),
        ]

    @pytest.mark.parametrize("spec", [*ODD, "nowhere.yaml", "pipe.yaml", "-", "no_such_network"])
    def test_what_is_no_network_has_none(self, spec, odd, completed):
        assert completed("explain", spec, "", cwd=odd) == []


class TestBrokenWords:
    """Bash breaks words at colons and equals signs, and keeps the first part to itself."""

    @pytest.mark.parametrize(
        ("pieces", "expected"),
        [
            (("family.yaml", "::", "l"), ["large"]),
            (("family.yaml", "::"), ["small", "large"]),
            (("family.yaml", ":"), [":small", ":large"]),
            (("nets/one.yaml", "::", "s"), ["small"]),
            (("resnet", "::", "resnet3"), ["resnet34"]),
            (("lenet5", "--format", "=", "j"), ["json"]),
            (("lenet5", "--format", "="), ["table", "plain", "json", "csv", "markdown"]),
            (("lenet5", "--set", "W", "=", "4", "--order", "b"), ["best"]),
            (("resnet", "::", "resnet50", "--order", "b"), ["best"]),
            (("lenet5", "--export", "json", ":", "a.json", "--order", "b"), ["best"]),
            (("lenet5", "::", "x", "::", "y"), []),
            (("'conv_families::conv_2",), ["conv_families::conv_2d"]),
        ],
        ids=" ".join,
    )
    def test_they_are_put_together(self, pieces, expected, completed):
        assert completed("analyze", *pieces) == expected

    def test_behind_a_space_a_word_is_begun(self, completed):
        assert set(shipped_names()) < set(completed("analyze", "family.yaml", "::", ""))

    def test_a_line_that_was_not_broken_is_understood_too(self, run, folder):
        done = run(
            cwd=folder,
            **{VARIABLE: "complete_bash"},
            COMP_WORDS="convcalc analyze lenet5 --order b",
            COMP_CWORD="4",
        )
        assert done.stdout.split() == ["best"]

    @pytest.mark.parametrize("at", ["", "x", "-1", "0", "99"])
    def test_a_question_that_makes_no_sense_is_answered_without_a_traceback(self, at, run, folder):
        done = run(cwd=folder, **{VARIABLE: "complete_bash"}, COMP_WORDS="convcalc", COMP_CWORD=at)
        assert "Traceback" not in done.stderr
        assert "bug" not in done.stderr


class TestOddFolders:
    def test_names_are_offered_whatever_is_in_them(self, odd, completed):
        found = completed("analyze", "", cwd=odd)
        assert {*ODD, "pipe.yaml", "nowhere.yaml", "folder.yaml/"} < set(found)
        assert all(name.isprintable() for name in found)

    @pytest.mark.parametrize(
        "name", [*ODD, "folder.yaml", "nowhere.yaml", "pipe.yaml", "-", "~", "/"]
    )
    def test_what_is_no_spec_has_no_variants(self, name, odd, completed):
        assert completed("analyze", name, "::", cwd=odd) == []

    def test_standard_input_is_not_read(self, run, folder):
        (folder / "-").write_text(FAMILY)
        asked = {VARIABLE: "complete_bash", "COMP_WORDS": "convcalc\nanalyze\n-\n::"}
        done = run(cwd=folder, stdin=FAMILY, **asked, COMP_CWORD="3")
        assert (done.returncode, done.stdout.split()) == (0, [])

    def test_a_folder_that_is_gone_is_no_bug(self, completed):
        assert completed("analyze", "gone/") == []


class TestOtherShells:
    def answered(self, run, folder, shell, line, **environment):
        done = run(
            cwd=folder,
            **{VARIABLE: f"complete_{shell}"},
            _TYPER_COMPLETE_ARGS=line,
            **environment,
        )
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    def test_zsh_is_told_what_each_word_means(self, run, folder):
        shown = self.answered(run, folder, "zsh", "convcalc analyze lenet5 --order")
        assert shown.startswith("_arguments ")
        assert '"--order":"given, or best: look' not in shown  # a colon ends the word
        assert '"--order":"given, or best\\\\: look' in shown

    def test_zsh_has_variants_whole(self, run, folder):
        shown = self.answered(run, folder, "zsh", "convcalc analyze family.yaml::l")
        assert shown == "_arguments '*: :((\"family.yaml\\\\:\\\\:large\"))'\n"

    def test_fish_has_a_line_for_each_word_however_long_its_help_is(self, run, folder):
        asks = {"_TYPER_COMPLETE_FISH_ACTION": "get-args"}
        shown = self.answered(run, folder, "fish", "convcalc analyze lenet5 --", **asks)
        lines = shown.splitlines()
        assert all(re.match(r"--[a-z-]+\t\S", line) for line in lines)
        assert max(map(len, lines)) > 100
        line = "convcalc analyze family.yaml::"
        shown = self.answered(run, folder, "fish", line, **asks)
        assert shown.splitlines() == ["family.yaml::small", "family.yaml::large"]


class TestTime:
    @pytest.mark.parametrize(
        "pieces",
        [("",), ("analyze", "lenet5", "--d"), ("analyze", ""), ("check", "--format", "")],
        ids=" ".join,
    )
    def test_completing_imports_nothing_that_takes_long(self, pieces, run, folder):
        for shell in ("bash", "zsh"):
            done = run(
                cwd=folder,
                **{VARIABLE: f"complete_{shell}"},
                COMP_WORDS="\n".join(("convcalc", *pieces)),
                COMP_CWORD=str(len(pieces)),
                _TYPER_COMPLETE_ARGS=" ".join(("convcalc", *pieces)),
                PYTHONPROFILEIMPORTTIME="1",
            )
            imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
            assert "convcalc.cli.completion" in imported
            assert not imported & {
                *("yaml", "rich", "convcalc.analysis", "convcalc.layers", "convcalc.sources"),
                *("convcalc.reports.report", "convcalc.conventions"),
            }

    def test_only_the_command_on_the_line_is_made(self):
        line = "convcalc analyze lenet5 --d"
        bash = {VARIABLE: "complete_bash", "COMP_WORDS": line.replace(" ", "\n"), "COMP_CWORD": "3"}
        assert prepare(bash) == ["analyze", "lenet5"]
        assert prepare({VARIABLE: "complete_zsh", "_TYPER_COMPLETE_ARGS": line}) == [
            "analyze",
            "lenet5",
        ]


def test_without_a_question_a_command_runs(run):
    done = run("analyze", "lenet5", "--format", "table", **{VARIABLE: ""})
    assert (done.returncode, done.stderr) == (0, "")
    assert "61,706" in done.stdout


class TestBash:
    """With the scripts that the options give, in the program itself."""

    @pytest.fixture
    def home(self, tmp_path_factory):
        """A home without completions, and a program called convcalc."""
        home = tmp_path_factory.mktemp("home")
        (home / "bin").mkdir()
        program = home / "bin" / "convcalc"
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m convcalc "$@"\n')
        program.chmod(0o755)
        (home / ".bashrc").write_text("PS1='$ '\n")
        return home

    def environment(self, home):
        return clean_environment(
            HOME=str(home),
            PATH=f"{home / 'bin'}{os.pathsep}{os.environ['PATH']}",
            PYTHONPATH=os.pathsep.join(sys.path),
            TERM="dumb",
        )

    def bash(self, home, folder, script, *options):
        return subprocess.run(
            ["bash", *options, "-c", f"{script}\ntrue"],  # a shell stays to be found out about
            cwd=folder,
            env=self.environment(home),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def test_the_script_that_is_shown_completes(self, home, folder):
        done = self.bash(
            home,
            folder,
            'convcalc --show-completion > shown.sh; source shown.sh; IFS=" "\n'
            "COMP_WORDS=(convcalc analyze family.yaml :: l); COMP_CWORD=4\n"
            '_convcalc_completion convcalc; printf "%s\\n" "${COMPREPLY[@]}"\n'
            "COMP_WORDS=(convcalc analyze nets/); COMP_CWORD=2\n"
            '_convcalc_completion convcalc; printf "%s\\n" "${COMPREPLY[@]}"\n'
            "complete -p convcalc",
        )
        assert done.stderr == ""
        assert done.stdout.splitlines() == [
            *("large", "nets/one.yaml", "nets/two.yml"),
            "complete -o default -F _convcalc_completion convcalc",
        ]

    def test_installed_into_a_new_home_it_works_where_one_types(self, home, folder):
        done = self.bash(home, folder, "convcalc --install-completion")
        assert done.returncode == 0
        assert "bash completion installed" in done.stdout
        for typed, expected in [
            ("convcalc ana\t", "convcalc analyze "),
            ("convcalc analyze family.yaml::l\t", "family.yaml::large "),
            ("convcalc analyze lenet5 --format=m\t", "--format=markdown "),
            ("convcalc analyze nets/o\t", "nets/one.yaml"),
        ]:
            assert expected in self.typed(home, folder, typed, expected)

    def typed(self, home, folder, keys, expected):
        """What a bash shows that reads the home's .bashrc, and in which the keys are typed."""
        process, terminal = pty.fork()
        if process == 0:  # the child
            os.chdir(folder)
            os.execvpe(  # noqa: S606 - in the terminal that was made for it
                "bash",
                ["bash", "--noprofile", "--rcfile", str(home / ".bashrc"), "-i"],
                self.environment(home),
            )
        shown, is_typed, end = "", False, time.monotonic() + 30
        try:
            while expected not in shown and time.monotonic() < end:
                if not is_typed and shown.endswith("$ "):
                    os.write(terminal, keys.encode())
                    is_typed = True
                if select.select([terminal], [], [], 0.1)[0]:
                    shown += os.read(terminal, 65_536).decode(errors="replace").replace("\a", "")
        finally:
            os.close(terminal)
            os.waitpid(process, 0)
        return shown

    def test_a_home_that_cannot_be_written_is_no_bug(self, home, folder):
        done = self.bash(home, folder, "HOME=/dev/null convcalc --install-completion; echo $?")
        assert done.stdout == "2\n"
        assert done.stderr == "error: no completion for this shell: File exists\n"


@pytest.mark.parametrize("option", ["--install-completion", "--show-completion"])
def test_a_shell_that_is_not_known_is_no_exceeded_budget(option, monkeypatch, capsys):
    def detect_shell():
        raise shellingham.ShellDetectionFailure

    monkeypatch.setattr(shellingham, "detect_shell", detect_shell)
    monkeypatch.setattr(sys, "argv", ["convcalc", option])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert "no completion for this shell: run this in bash, zsh or fish" in capsys.readouterr().err
