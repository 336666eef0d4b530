"""Budgets in CI: a repository whose second commit breaks its budget, and the services around it."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import jsonschema
import pytest
import yaml
from ci_repository import (
    MACS,
    NETWORK,
    SPEC,
    WIDENED_LINE,
    WIDER_MACS,
    first_commit,
    widen,
)
from console import COMMAND, clean_environment, heed_interrupts
from git_repository import Repository
from lxml import etree

ROOT = Path(__file__).parent.parent
SCHEMAS = Path(__file__).parent / "schemas"
MARKER = "<!-- convcalc check -->"
BIN = Path(sys.executable).parent
BASH = ["bash", "--noprofile", "--norc", "-eo", "pipefail"]
"""How GitHub runs the scripts of `shell: bash`."""
ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
PAGE = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
OF_SERVICES = (
    *("CI_PROJECT_DIR", "CONVCALC_FORMAT", "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"),
    *("GITHUB_WORKSPACE", "GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT", "PRE_COMMIT_HOME"),
)
"""Variables of a service, or hook, that these tests may be run by."""


@pytest.fixture(autouse=True)
def no_service(monkeypatch):
    for name in OF_SERVICES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def repository(tmp_path):
    """The scratch repository after its first commit."""
    return first_commit(tmp_path / "team work")


@pytest.fixture
def widened(repository):
    """The scratch repository after its second commit."""
    widen(repository)
    return repository


def page_block(name):
    """A block of docs/ci.md that is shown as a file."""
    (found,) = re.findall(rf"(?ms)^```yaml {re.escape(name)}\n(.*?)^```$", PAGE)
    return yaml.safe_load(found)


def assert_is_junit(path, failures):
    """A report that is what the schema says, with so many failures."""
    report = etree.parse(path)
    etree.XMLSchema(file=str(SCHEMAS / "junit-10.xsd")).assertValid(report)
    assert len(report.findall(".//failure")) == failures
    # the multiply-adds, the parameters, the activations of `body`
    assert len(report.findall(".//testcase")) == 3


def assert_is_sarif(path, lines):
    """A report that is what the schema says, with results on these lines of the spec."""
    report = json.loads(path.read_text(encoding="utf-8"))
    schema = json.loads((SCHEMAS / "sarif-2.1.0-rtm.5.json").read_text(encoding="utf-8"))
    jsonschema.validate(report, schema)
    places = [result["locations"][0]["physicalLocation"] for result in report["runs"][0]["results"]]
    assert [place["artifactLocation"]["uri"] for place in places] == [SPEC] * len(lines)
    assert [place["region"]["startLine"] for place in places] == lines


def annotations(output):
    """The properties and the message of each workflow command."""
    found = re.findall(r"(?m)^::(\w+) (.*?)::(.*)$", output)
    return [
        (level, dict(each.split("=", 1) for each in properties.split(",")), message)
        for level, properties, message in found
    ]


class TestTheScratchRepository:
    def test_the_first_commit_is_within_its_budget(self, run, repository):
        done = run("check", cwd=repository.folder)
        assert (done.returncode, done.stderr) == (0, "")
        assert "within budget: 3 limits of 1 network" in done.stdout

    def test_the_second_is_over_it_and_nothing_else_is_wrong(self, run, widened):
        done = run("check", cwd=widened.folder)
        assert done.returncode == 1
        # 442,368 + 7,077,888 + 480 is 7,520,736
        assert "multiply-adds 7,520,736 exceed 6,000,000 by 1,520,736" in done.stdout

    def test_the_line_of_the_conv_is_annotated(self, run, widened):
        done = run("check", "--format", "github", "--against", "HEAD~1", cwd=widened.folder)
        assert done.returncode == 1
        network, layer = annotations(done.stdout)
        for level, properties, _ in (network, layer):
            assert level == "error"
            assert (properties["file"], properties["line"]) == (SPEC, str(WIDENED_LINE))
        assert "multiply-adds 7,520,736 exceed 6,000,000 by 1,520,736" in network[2]
        # 48·32·32·4 bytes over 128·1,024
        assert "activation memory 196,608 B exceeds 131,072 B (128 KiB) by 65,536 B" in layer[2]

    def test_a_layer_is_annotated_without_a_baseline_too(self, run, widened):
        done = run("check", "--format", "github", cwd=widened.folder)
        places = [(found["file"], found["line"]) for _, found, _ in annotations(done.stdout)]
        # Of the whole network nobody can say which line is to blame but the limit's.
        assert sorted(places) == [("budgets.yaml", "5"), (SPEC, str(WIDENED_LINE))]

    def test_the_comment_has_a_table_with_the_change(self, run, widened):
        done = run("check", "--format", "markdown", "--against", "HEAD~1", cwd=widened.folder)
        assert done.stdout.startswith(f"{MARKER}\n")
        (row,) = (line for line in done.stdout.splitlines() if "| Multiply-adds | 5" in line)
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        # before, now, and 2,359,456 more: 45.7 % of 5,161,280
        assert cells[2:5] == ["5,161,280", "7,520,736", "+2,359,456, +45.7 %"]
        assert (MACS, WIDER_MACS, WIDER_MACS - MACS) == (5_161_280, 7_520_736, 2_359_456)
        # And layer by layer: 32·1,024·16·9 and 48·1,024·16·9.
        (row,) = (line for line in done.stdout.splitlines() if line.startswith("| `~` | `body` |"))
        assert "| 4,718,592 → 7,077,888 |" in row

    def test_reports_are_written_that_their_schemas_know(self, run, widened):
        done = run(
            *("check", "--against", "HEAD~1", "--export", "junit:out.xml"),
            *("--export", "sarif:out.sarif"),
            cwd=widened.folder,
        )
        assert done.returncode == 1
        assert_is_junit(widened.folder / "out.xml", failures=2)
        assert_is_sarif(widened.folder / "out.sarif", [WIDENED_LINE, WIDENED_LINE])

    def test_an_increase_is_held_against_the_commit_before(self, run, widened):
        done = run(
            *("check", SPEC, "--against", "HEAD~1", "--max-increase", "macs=2%"),
            cwd=widened.folder,
        )
        assert done.returncode == 1
        assert "grew from 5,161,280 to 7,520,736" in done.stdout
        done = run(
            *("check", SPEC, "--against", "HEAD", "--max-increase", "macs=0"), cwd=widened.folder
        )
        assert done.returncode == 0

    def test_a_broken_spec_cannot_be_judged(self, run, repository):
        repository.write(SPEC, NETWORK.replace("kernel_size", "kernal_size", 1))
        done = run("check", cwd=repository.folder)
        assert done.returncode == 2
        assert f"{SPEC}:3:" in done.stderr
        assert "did you mean `kernel_size`?" in done.stderr

    def test_a_single_multiply_add_too_many_fails(self, run, repository):
        # 442,368 + 4,718,592 + 320
        assert MACS == 5_161_280
        done = run("check", SPEC, "--max", "macs=5161280", cwd=repository.folder)
        assert done.returncode == 0
        done = run("check", SPEC, "--max", "macs=5161279", cwd=repository.folder)
        assert done.returncode == 1
        assert "multiply-adds 5,161,280 exceed 5,161,279 by 1 (" in done.stdout


class TestExits:
    def test_ctrl_c_is_130(self):
        process = subprocess.Popen(
            [*COMMAND, "check", "-", "--max", "macs=1"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=clean_environment(),
            start_new_session=True,
            preexec_fn=heed_interrupts,  # noqa: PLW1509 - no threads here
        )
        # More than a pipe holds: once all is written it has begun to read, and it waits for more.
        process.stdin.write(b"#" * 200_000 + b"\n")
        process.stdin.flush()
        os.killpg(process.pid, signal.SIGINT)
        stdout, stderr = process.communicate(timeout=20)
        assert process.returncode == 130
        assert stdout == b""
        assert b"Traceback" not in stderr

    @pytest.mark.parametrize("format_", ["text", "github", "markdown", "json"])
    def test_a_closed_pipe_is_141_without_a_traceback(self, widened, format_):
        reader, writer = os.pipe()
        os.close(reader)
        done = subprocess.run(
            [*COMMAND, "check", "--format", format_],
            cwd=widened.folder,
            stdout=writer,
            stderr=subprocess.PIPE,
            env=clean_environment(),
            check=False,
        )
        os.close(writer)
        assert done.returncode == 141
        assert done.stderr == b""

    def test_a_defect_is_3_and_never_1(self, repository):
        script = (
            "import sys, convcalc.budgets\n"
            "def broken(*a, **k): raise ZeroDivisionError('unforeseen')\n"
            "convcalc.budgets.judge = broken\n"
            "sys.argv = ['convcalc', 'check']\n"
            "from convcalc.__main__ import main\n"
            "main()\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", script],
            cwd=repository.folder,
            capture_output=True,
            text=True,
            env=clean_environment(),
            check=False,
        )
        assert done.returncode == 3
        assert "ZeroDivisionError" in done.stderr
        assert "Please report it" in done.stderr
        assert "Traceback" not in done.stderr
        assert "within budget" not in done.stdout


# -- GitHub ----------------------------------------------------------------------------------------

EXPRESSION = re.compile(r"\$\{\{ *(.*?) *\}\}")
STEPS = {step["name"]: step for step in ACTION["runs"]["steps"]}
INSTALL, CHECK, COMMENT, RESULT = STEPS

# What GitHub's own program does with the comments of a pull request, as far as the action asks.
GH = f"""\
#!{sys.executable}
import json, os, sys
from pathlib import Path

arguments = sys.argv[1:]
store = Path(os.environ["FAKE_GH"])
kept = json.loads(store.read_text())
kept["calls"].append(arguments)
of_pull_request = "repos/team/nets/issues/7/comments"
of_comment = "repos/team/nets/issues/comments/"
method = arguments[arguments.index("--method") + 1] if "--method" in arguments else "GET"
(path,) = [each for each in arguments if each.startswith("repos/")]
status = 0
if os.environ["GH_TOKEN"] != "secret":
    status = 1
elif method == "GET" and path == of_pull_request:
    for comment in kept["comments"]:
        if comment["bot"] and comment["body"].startswith({MARKER!r}):
            print(comment["id"])
elif method in ("POST", "PATCH"):
    (field,) = [each for each in arguments if each.startswith("body=@")]
    body = Path(field.removeprefix("body=@")).read_text()
    if method == "POST" and path == of_pull_request:
        new = {{"id": 4_000_000_000 + len(kept["comments"]), "bot": True, "body": body}}
        kept["comments"].append(new)
    else:
        (comment,) = [each for each in kept["comments"] if path == of_comment + str(each["id"])]
        comment["body"] = body
else:
    status = 2
store.write_text(json.dumps(kept))
sys.exit(status)
"""


class Job:
    """A job of a workflow that uses the action, in a checkout."""

    def __init__(self, folder, checkout, inputs, pull_request="7"):
        self.folder = folder
        self.checkout = checkout
        defaults = {name: each["default"] for name, each in ACTION["inputs"].items()}
        assert inputs.keys() <= defaults.keys()
        self.names = {
            "github.token": "secret",
            "github.event.pull_request.number": pull_request,
        }
        for name, value in {**defaults, **inputs}.items():
            self.names[f"inputs.{name}"] = self.resolved(value)
        temp, programs = folder / "runner temp", folder / "programs"
        temp.mkdir(parents=True)
        programs.mkdir()
        (programs / "gh").write_text(GH, encoding="utf-8")
        (programs / "gh").chmod(0o755)
        self.comments_file = folder / "comments.json"
        self.comments_file.write_text('{"calls": [], "comments": []}', encoding="utf-8")
        self.summary = folder / "summary.md"
        self.environment = clean_environment(
            PATH=f"{programs}:{os.environ['PATH']}",
            GITHUB_ACTION_PATH=str(ROOT),
            GITHUB_WORKSPACE=str(checkout),
            GITHUB_REPOSITORY="team/nets",
            GITHUB_STEP_SUMMARY=str(self.summary),
            RUNNER_TEMP=str(temp),
            FAKE_GH=str(self.comments_file),
        )

    def resolved(self, text):
        """A text with the values of its expressions; KeyError for one that means nothing."""
        return EXPRESSION.sub(lambda found: self.names[found[1]], text)

    def is_run(self, step):
        """Whether its `if` holds: names that are not empty, or that are a text, joined by &&."""
        for part in filter(None, step.get("if", "").split(" && ")):
            name, _, wanted = part.partition(" == ")
            value = self.names[name]
            if not value or (wanted and value != wanted.strip("'")):
                return False
        return True

    def step(self, name):
        """Run a step as GitHub does; None if it is left out."""
        step = STEPS[name]
        assert step["shell"] == "bash"
        assert step.keys() <= {"name", "id", "if", "shell", "working-directory", "env", "run"}
        if not self.is_run(step):
            return None
        script, output = self.folder / "script.sh", self.folder / "output"
        script.write_text(step["run"], encoding="utf-8")
        output.write_text("", encoding="utf-8")
        done = subprocess.run(
            [*BASH, str(script)],
            cwd=self.checkout / self.resolved(step.get("working-directory", ".")),
            env={
                **self.environment,
                **{key: self.resolved(text) for key, text in step.get("env", {}).items()},
                "GITHUB_OUTPUT": str(output),
            },
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        for line in output.read_text(encoding="utf-8").splitlines():
            key, _, value = line.partition("=")
            self.names[f"steps.{step['id']}.outputs.{key}"] = value
        return done

    def pretend_install(self):
        """What the install step leaves, with the convcalc that is under test."""
        folder = self.folder / "an installation"
        (folder / "venv" / "bin").mkdir(parents=True)
        for program, there in {"convcalc": "convcalc", "python": Path(sys.executable).name}.items():
            (folder / "venv" / "bin" / program).symlink_to(BIN / there)
        self.names["steps.install.outputs.folder"] = str(folder)

    def outputs(self):
        """The outputs of the action."""
        return {name: self.resolved(each["value"]) for name, each in ACTION["outputs"].items()}

    def comments(self):
        return json.loads(self.comments_file.read_text(encoding="utf-8"))["comments"]

    def methods(self):
        """What was asked of GitHub."""
        calls = json.loads(self.comments_file.read_text(encoding="utf-8"))["calls"]
        return [call[call.index("--method") + 1] if "--method" in call else "GET" for call in calls]


@pytest.fixture
def job(tmp_path):
    """A job that has convcalc, by the inputs that the workflow gives."""

    def made(checkout, pull_request="7", **inputs):
        inputs = {name.replace("_", "-"): value for name, value in inputs.items()}
        job = Job(tmp_path / "job", checkout, inputs, pull_request)
        job.pretend_install()
        return job

    return made


class TestTheAction:
    def test_no_script_has_an_expression_in_its_text(self):
        # A branch or file called $(…) would be run.
        for step in STEPS.values():
            assert "${{" not in step["run"]

    def test_everything_an_input_is_for_is_said_and_used(self):
        text = json.dumps(ACTION["runs"])
        for name, each in ACTION["inputs"].items():
            assert each["description"]
            assert f"inputs.{name} " in text, name
            assert f"`{name}`" in PAGE

    def test_a_commit_within_its_budget_passes(self, repository, job):
        job = job(repository.folder)
        done = job.step(CHECK)
        assert (done.returncode, done.stdout) == (0, "within budget: 3 limits of 1 network\n")
        assert job.outputs() == {"outcome": "within budget", "exit-code": "0"}
        assert job.summary.read_text(encoding="utf-8").startswith(MARKER)
        assert job.step(COMMENT) is None
        assert job.step(RESULT).returncode == 0

    def test_one_over_it_fails_after_all_has_been_said(self, widened, job):
        job = job(widened.folder, against="HEAD~1", junit="out.xml", sarif="out.sarif")
        done = job.step(CHECK)
        # It is the last step that fails.
        assert done.returncode == 0, done.stderr
        (first, second) = annotations(done.stdout)
        assert (first[1]["file"], first[1]["line"]) == (SPEC, str(WIDENED_LINE))
        assert (second[1]["file"], second[1]["line"]) == (SPEC, str(WIDENED_LINE))
        assert_is_junit(widened.folder / "out.xml", failures=2)
        assert_is_sarif(widened.folder / "out.sarif", [WIDENED_LINE, WIDENED_LINE])
        assert job.outputs() == {"outcome": "over budget", "exit-code": "1"}
        assert job.step(RESULT).returncode == 1

    def test_the_comment_is_posted_once_and_kept_up_to_date(self, widened, job):
        job = job(widened.folder, against="HEAD~1", comment="true")
        someone = {"id": 1, "bot": False, "body": f"{MARKER}\nall is well"}
        job.comments_file.write_text(json.dumps({"calls": [], "comments": [someone]}))
        job.step(CHECK)
        assert job.step(COMMENT).returncode == 0
        assert job.methods() == ["GET", "POST"]
        theirs, ours = job.comments()
        assert theirs == someone
        assert ours["body"] == job.summary.read_text(encoding="utf-8")
        assert "| 5,161,280 | 7,520,736 | +2,359,456, +45.7 % |" in ours["body"]

        # The next push takes the channels back.
        widened.write(SPEC, NETWORK)
        job.step(CHECK)
        assert job.step(COMMENT).returncode == 0
        assert job.methods() == ["GET", "POST", "GET", "PATCH"]
        theirs, ours = job.comments()
        assert theirs == someone
        assert "within budget" in ours["body"]

    def test_the_earlier_comment_is_looked_for_by_the_marker_of_the_report(self):
        assert f'startswith("{MARKER}")' in STEPS[COMMENT]["run"]

    @pytest.mark.skipif(not shutil.which("jq"), reason="jq is not installed")
    def test_what_is_looked_for_is_a_bots_comment_with_the_marker(self):
        (query,) = re.findall(r"(?m)^earlier='(.*)'$", STEPS[COMMENT]["run"])
        comments = [
            {"id": 1, "user": {"type": "User"}, "body": f"{MARKER}\n"},
            {"id": 2, "user": {"type": "Bot"}, "body": f"> {MARKER}\n"},
            {"id": 3, "user": {"type": "Bot"}, "body": f"{MARKER}\n"},
        ]
        done = subprocess.run(
            ["jq", query], input=json.dumps(comments), capture_output=True, text=True, check=True
        )
        assert done.stdout == "3\n"

    def test_without_a_pull_request_there_is_nothing_to_comment_on(self, repository, job):
        job = job(repository.folder, pull_request="", comment="true")
        job.step(CHECK)
        assert job.step(COMMENT) is None

    def test_a_comment_that_may_not_be_written_is_a_warning(self, widened, job):
        job = job(widened.folder, comment="true", token="of a fork")  # noqa: S106 - the fake's
        job.step(CHECK)
        done = job.step(COMMENT)
        assert done.returncode == 0
        assert done.stdout.startswith("::warning::convcalc: the comment cannot be written.")
        assert job.step(RESULT).returncode == 1

    def test_what_cannot_be_judged_replaces_an_older_comment(self, repository, job):
        # An option that cannot be understood: no report of any format is written.
        job = job(repository.folder, comment="true", args="--no-such-option")
        done = job.step(CHECK)
        assert done.returncode == 0
        assert "No such option" in done.stdout + done.stderr
        assert job.outputs() == {"outcome": "cannot judge", "exit-code": "2"}
        assert job.step(COMMENT).returncode == 0
        (comment,) = job.comments()
        assert comment["body"].startswith(f"{MARKER}\n## ❌ convcalc: cannot judge\n")
        assert job.step(RESULT).returncode == 2

    def test_a_broken_spec_is_an_outcome_of_its_own(self, repository, job):
        repository.write(SPEC, NETWORK.replace("kernel_size", "kernal_size", 1))
        job = job(repository.folder, comment="true")
        ((level, properties, _),) = annotations(job.step(CHECK).stdout)
        assert (level, properties["file"], properties["line"]) == ("error", SPEC, "3")
        assert job.outputs() == {"outcome": "cannot judge", "exit-code": "2"}
        job.step(COMMENT)
        assert "did you mean `kernel_size`?" in job.comments()[0]["body"]

    def test_an_outcome_is_said_though_it_does_not_fail(self, widened, job):
        job = job(widened.folder, args="--exit-zero")
        job.step(CHECK)
        assert job.outputs() == {"outcome": "over budget", "exit-code": "0"}
        assert job.step(RESULT).returncode == 0

    def test_names_and_arguments_are_taken_as_they_are(self, repository, job):
        # Blanks, and what a shell would run.
        names = ["my net.yaml", "$(touch hacked);`touch hacked`.yaml", "-v.yaml", "*.yaml"]
        for name in names:
            repository.write(f"nets/odd ones/{name}", NETWORK)
        job = job(
            repository.folder,
            working_directory="nets/odd ones",
            files="\n".join(["", *names, ""]),
            args="--max\nmacs=5161280\n\n--max=params=5418\n",
            junit="a report.xml",
        )
        done = job.step(CHECK)
        assert done.stdout == "within budget: 8 limits of 4 networks\n", done.stderr
        assert list(repository.folder.rglob("hacked")) == []
        assert (repository.folder / "nets/odd ones/a report.xml").is_file()

    def test_places_are_those_of_the_repository_wherever_it_is_run(self, widened, job):
        job = job(widened.folder, working_directory="nets", files="../budgets.yaml")
        places = [
            (found["file"], found["line"]) for _, found, _ in annotations(job.step(CHECK).stdout)
        ]
        assert sorted(places) == [("budgets.yaml", "5"), (SPEC, str(WIDENED_LINE))]

    def test_a_revision_is_no_option(self, repository, job):
        job = job(repository.folder, against="--exit-zero")
        job.step(CHECK)
        assert job.outputs() == {"outcome": "cannot judge", "exit-code": "2"}

    def test_an_input_without_sense_is_refused(self, repository, job):
        done = job(repository.folder, comment="yes").step(INSTALL)
        assert done.returncode == 2
        assert "the input comment is true or false" in done.stdout

    @pytest.mark.oracle
    def test_it_installs_itself_and_runs(self, widened, job, package_index):
        # What a checkout has is never run in the place of what installs.
        for module in ("venv", "pip", "json"):
            widened.write(f"{module}.py", "raise SystemExit(9)\n")
        job = job(widened.folder, files="budgets.yaml")
        done = job.step(INSTALL)
        assert done.returncode == 0, done.stderr
        folder = Path(job.names["steps.install.outputs.folder"])
        assert folder.parent == job.folder / "runner temp"
        done = job.step(CHECK)
        assert "over budget: 2 of 3 limits" in done.stdout, done.stderr
        assert job.outputs() == {"outcome": "over budget", "exit-code": "1"}

    def test_the_workflow_of_the_page_is_one_and_uses_inputs_that_there_are(self):
        workflow = page_block("convcalc.yml")
        assert workflow[True] == "pull_request"  # YAML 1.1 takes `on` for true
        checkout, check = workflow["jobs"]["budgets"]["steps"]
        assert checkout["with"]["fetch-depth"] == 0
        assert check["uses"].startswith("convcalc/convcalc@v")
        assert check["with"].keys() <= ACTION["inputs"].keys()
        assert workflow["permissions"] == {"contents": "read", "pull-requests": "write"}


# -- GitLab ----------------------------------------------------------------------------------------


class TestGitLab:
    def test_the_job_of_the_page_writes_the_reports_that_it_names(self, widened):
        job = page_block(".gitlab-ci.yml")["convcalc"]
        done = subprocess.run(
            [*BASH, "-c", "\n".join(job["script"])],
            cwd=widened.folder,
            env=clean_environment(
                **job["variables"],
                PATH=f"{BIN}:{os.environ['PATH']}",
                CI_PROJECT_DIR=str(widened.folder),
                CI_MERGE_REQUEST_DIFF_BASE_SHA=widened.git("rev-parse", "HEAD~1"),
            ),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 1, done.stderr
        # They are wanted most when the job has failed.
        assert job["artifacts"]["when"] == "always"
        reports = job["artifacts"]["reports"]
        assert_is_junit(widened.folder / reports["junit"], failures=2)
        quality = json.loads((widened.folder / reports["codequality"]).read_text(encoding="utf-8"))
        assert len(quality) == 2
        for each in quality:
            assert each["location"] == {"path": SPEC, "lines": {"begin": WIDENED_LINE}}
            assert each["severity"] == "major"
            assert each["check_name"]
        assert len({each["fingerprint"] for each in quality}) == 2
        assert "7,520,736 exceed 6,000,000" in quality[0]["description"]


# -- pre-commit ------------------------------------------------------------------------------------


class TestPreCommit:
    @pytest.mark.oracle
    def test_the_hook_passes_the_first_commit_and_refuses_the_second(
        self, repository, package_index, tmp_path, monkeypatch
    ):
        hooks = tmp_path / "convcalc"
        ignored = shutil.ignore_patterns("__pycache__")
        for folder in ("convcalc", "specs"):
            shutil.copytree(ROOT / folder, hooks / folder, ignore=ignored)
        for file in ("pyproject.toml", "README.md", "LICENSE", ".pre-commit-hooks.yaml"):
            shutil.copy(ROOT / file, hooks)
        revision = Repository.made(hooks).commit("convcalc as it is")

        settings = page_block(".pre-commit-config.yaml")
        (source,) = settings["repos"]
        assert source["hooks"] == [{"id": "convcalc-check"}]
        source["repo"], source["rev"] = str(hooks), revision
        repository.write(".pre-commit-config.yaml", yaml.safe_dump(settings))
        repository.commit("a hook")
        monkeypatch.setenv("PRE_COMMIT_HOME", str(tmp_path / "pre-commit"))

        def hooked():
            return subprocess.run(
                [sys.executable, "-m", "pre_commit", "run", "convcalc-check", "--all-files"],
                cwd=repository.folder,
                capture_output=True,
                text=True,
                check=False,
            )

        done = hooked()
        assert done.returncode == 0, done.stdout + done.stderr
        assert re.search(r"convcalc check\.+Passed", done.stdout)
        widen(repository)
        done = hooked()
        assert done.returncode == 1
        assert "- exit code: 1" in done.stdout
        assert "multiply-adds 7,520,736 exceed 6,000,000 by 1,520,736" in done.stdout

    def test_it_looks_at_every_yaml_file(self):
        (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
        assert hook["id"] == "convcalc-check"
        pattern = re.compile(hook["files"])
        assert all(map(pattern.search, (SPEC, "budgets.yaml", "net.yml")))
        assert not any(map(pattern.search, ("net.py", "yaml", "net.yaml.txt")))


def test_the_source_archive_has_what_other_services_read():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    included = settings["tool"]["hatch"]["build"]["targets"]["sdist"]["include"]
    assert {"action.yml", ".pre-commit-hooks.yaml"} <= set(included)
    for pattern in included:
        assert list(ROOT.glob(pattern)), pattern
