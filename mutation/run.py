"""Mutation testing: change the package in one place, see whether a test notices, and so on.

python mutation/run.py [PATH ...] [--jobs N] [--every N] [--longest S] [--wide] [--record FILE]

Prints a table of the modules and the mutants that survive, and fails if one of them is not in
``mutation/explained.txt``. The tests of a module are those of the folder of ``tests`` that has the
name of its package.

To start Python and pytest for each of thousands of mutants would take most of a day. So pytest
collects the tests once, notes which functions each test calls and how long it takes, and forks:
the child replaces the code of one function by the mutant's and runs the tests that call this
function, first those of the module's own file, the shortest first, until one fails. What runs when
modules are imported or tests collected gets a child that has not yet imported the package.
"""

from __future__ import annotations

import argparse
import functools
import gc
import importlib
import json
import os
import resource
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType, FrameType, FunctionType
from typing import Any, NamedTuple

import pytest
from _pytest.runner import runtestprotocol
from hypothesis import Phase, settings
from mutants import Mutant, mutants_of

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("layers", "algebra", "analysis")
EXPLAINED = ROOT / "mutation" / "explained.txt"
EXAMPLES = 25
"""Examples of a property test; the test suite itself draws more."""
SECONDS = 2
"""Processor time for one test beyond ten times what it takes without a mutant; then it hangs."""
LONGEST = 0.4
"""Seconds of the tests that are run for every function that they call. Longer ones, which are few
and mostly of whole networks, would take most of the time: they are run only where no shorter test
calls the function, or if asked for."""
MEMORY = 4 << 30
settings.register_profile(
    "mutation",
    derandomize=True,
    deadline=None,
    database=None,
    max_examples=EXAMPLES,
    phases=(Phase.explicit, Phase.generate),
)


class Outcome(Enum):
    """What became of a mutant; also the exit code of the process that tried it."""

    SURVIVED = 0
    KILLED = 1
    """A test failed, or the tests took too long or too much memory."""
    RUNS_ON_IMPORT = 3
    """It cannot be tried in a process that has imported the package."""


class Called(NamedTuple):
    """A test, and what it does without any mutant."""

    item: pytest.Item
    functions: frozenset[tuple[str, str]]
    """Files and qualified names."""
    seconds: float


class Result(NamedTuple):
    """A mutant and what became of it."""

    mutant: Mutant
    outcome: Outcome


def few_examples(items: Iterable[pytest.Item]) -> None:
    """Let the property tests among ``items`` draw few examples, whatever they ask for."""
    few = settings.get_profile("mutation")
    for item in items:
        function = getattr(item, "obj", None)
        if getattr(function, "is_hypothesis_test", False):
            function._hypothesis_internal_use_settings = few


class Fresh:
    """A plugin of pytest for the runs that collect tests for one mutant, by their ids."""

    def __init__(self, tests: dict[str, float]) -> None:
        self.seconds = tests

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave the tests that are known, the shortest first."""
        items[:] = [item for item in items if item.nodeid in self.seconds]
        items.sort(key=lambda item: self.seconds[item.nodeid])
        few_examples(items)


class Session:
    """A plugin of pytest that, in place of running the tests once, runs them for all mutants."""

    def __init__(
        self, mutants: tuple[Mutant, ...], options: argparse.Namespace, results: Path
    ) -> None:
        self.mutants = mutants
        self.options = options
        self.results = results
        self.calls = Calls({str(mutant.path) for mutant in mutants})
        self.calls.begin()

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        few_examples(items)

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run every test once to see what it calls, then the mutants."""
        on_import = self.calls.end()
        tests = []
        for item, following in _with_following(session.items):
            self.calls.begin()
            start = time.process_time()
            if not _passes(item, following):
                raise pytest.UsageError(f"{item.nodeid} fails without any mutant")
            seconds = time.process_time() - start
            tests.append(Called(item, self.calls.end(), seconds))
        print(f"{len(tests)} tests, {sum(test.seconds for test in tests):.0f} s", flush=True)
        attempts = Attempts(tests, self.mutants, self.options.longest)
        gc.freeze()
        # A survivor that collecting the tests has run may be noticed there.
        outcomes = in_processes(self.mutants, attempts.attempt, self.options.jobs)
        with self.results.open("w") as stream:
            json.dump(attempts.shorter, stream)
            stream.write("\n")
            for position, outcome in outcomes:
                mutant = self.mutants[position]
                if outcome is Outcome.SURVIVED and (str(mutant.path), mutant.function) in on_import:
                    outcome = Outcome.RUNS_ON_IMPORT  # noqa: PLW2901 - the better word for it
                json.dump((position, outcome.value), stream)
                stream.write("\n")
                stream.flush()
        return True


class Calls:
    """Notes which functions of some files are called."""

    def __init__(self, files: set[str]) -> None:
        self.files = files
        self.codes: set[CodeType] = set()

    def begin(self) -> None:
        """Note from here on."""
        self.codes = set()
        sys.settrace(self._note)

    def end(self) -> frozenset[tuple[str, str]]:
        """The outermost functions called since `begin`, by file and qualified name."""
        sys.settrace(None)
        return frozenset(
            (code.co_filename, code.co_qualname.split(".<locals>")[0])
            for code in self.codes
            if code.co_filename in self.files
        )

    def _note(self, frame: FrameType, _event: str, _argument: object) -> None:
        self.codes.add(frame.f_code)


class Attempts:
    """How a process that has all tests tries one mutant."""

    def __init__(self, tests: list[Called], mutants: tuple[Mutant, ...], longest: float) -> None:
        files = {str(mutant.path) for mutant in mutants}
        self.tests = defaultdict(list)
        self.shorter = {test.item.nodeid: test.seconds for test in tests if test.seconds <= longest}
        """The seconds of the tests that are run for what runs on import, which may be any."""
        for test in sorted(tests, key=lambda test: test.seconds):
            for function in test.functions:
                # In order of their seconds: where there is one, there is a shorter one.
                if test.seconds <= longest or not self.tests[function]:
                    self.tests[function].append(test)
        self.functions = defaultdict(list)
        self.caches = []
        for thing in gc.get_objects():
            if isinstance(thing, FunctionType) and thing.__code__.co_filename in files:
                code = thing.__code__
                self.functions[code.co_filename, code.co_qualname].append(thing)
            elif isinstance(thing, functools._lru_cache_wrapper) and _is_ours(thing):
                self.caches.append(thing)

    def attempt(self, mutant: Mutant) -> Outcome:
        """Put a mutant in place and run the tests that call it. For a process of its own."""
        function = (str(mutant.path), mutant.function)
        if not mutant.function:
            return Outcome.RUNS_ON_IMPORT
        own = f"test_{mutant.path.stem}.py"
        tests = sorted(self.tests[function], key=lambda test: test.item.path.name != own)
        try:
            self._put(mutant)
        except (SyntaxError, SyntaxWarning):
            return Outcome.KILLED
        except ValueError:
            # Another set of variables from around the function, which its code cannot change.
            return Outcome.RUNS_ON_IMPORT
        seconds = {test.item: test.seconds for test in tests}
        for item, following in _with_following([test.item for test in tests]):
            _limit(seconds[item])
            if not _passes(item, following):
                return Outcome.KILLED
        return Outcome.SURVIVED

    def _put(self, mutant: Mutant) -> None:
        for cache in self.caches:
            cache.cache_clear()
        whole = compile(mutant.source(), mutant.path, "exec", dont_inherit=True)
        codes = {(code.co_qualname, code.co_firstlineno): code for code in _codes(whole)}
        for function in self.functions[str(mutant.path), mutant.function]:
            code = function.__code__
            function.__code__ = codes[code.co_qualname, code.co_firstlineno]


def _is_ours(cached: Any) -> bool:  # noqa: ANN401 - functools names no type for it
    """Whether it remembers what a mutant may change: specs that were read are as they were."""
    function = getattr(cached, "__wrapped__", None)
    if not isinstance(function, FunctionType):
        return False
    folders = Path(function.__code__.co_filename).parts[len(ROOT.parts) :][:2]
    return folders in {("convcalc", package) for package in PACKAGES}


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _with_following(
    items: list[pytest.Item],
) -> Iterator[tuple[pytest.Item, pytest.Item | None]]:
    """Each test and the next one, which shares its fixtures."""
    yield from zip(items, [*items[1:], None], strict=True)


def _passes(item: pytest.Item, following: pytest.Item | None) -> bool:
    return not any(report.failed for report in runtestprotocol(item, nextitem=following, log=False))


def _limit(seconds: float) -> None:
    """End this process when it takes far more than ``seconds`` from now, or all memory."""
    most = int(time.process_time() + SECONDS + 10 * seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (most, resource.RLIM_INFINITY))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


class OnImport(NamedTuple):
    """How a process that has not imported the package tries one mutant."""

    folders: tuple[str, ...]
    tests: dict[str, float]
    """The ids of the tests that may be run, and their seconds."""

    def attempt(self, mutant: Mutant) -> Outcome:
        """Put a mutant in place, collect the tests and run them. For a process of its own."""
        _limit(sum(self.tests.values()))
        load = SourceFileLoader.get_code

        def get_code(loader: SourceFileLoader, name: str) -> CodeType | None:
            if loader.path == str(mutant.path):
                return compile(mutant.source(), loader.path, "exec", dont_inherit=True)
            return load(loader, name)

        SourceFileLoader.get_code = get_code  # type: ignore[method-assign]
        # The module's own tests are collected alone: most mutants end there.
        own = ROOT / "tests" / mutant.path.parent.name / f"test_{mutant.path.stem}.py"
        for part in ((str(own),), self.folders):
            if own.exists() or part is self.folders:
                code = run_pytest(part, Fresh(self.tests))
                if code not in {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}:
                    return Outcome.KILLED
        return Outcome.SURVIVED


def run_pytest(folders: tuple[str, ...], plugin: object) -> int:
    """Run pytest in this process, without what it would write or remember."""
    options = ["-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist"]
    # hypothesis is imported before pytest looks at it, which is what makes a fork quick.
    options += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
    return pytest.main([*options, *folders], plugins=[plugin])


def in_processes(
    mutants: tuple[Mutant, ...], attempt: Callable[[Mutant], Outcome], jobs: int
) -> Iterator[tuple[int, Outcome]]:
    """Try each mutant in a fork of this process: its position, and what became of it."""
    running: dict[int, int] = {}
    started = time.monotonic()
    for position, mutant in enumerate(mutants):
        if len(running) == jobs:
            yield _ended(running)
        running[_forked(mutant, attempt)] = position
        if position % 500 == 499:
            print(f"{position + 1} mutants, {time.monotonic() - started:.0f} s", flush=True)
    while running:
        yield _ended(running)


def _ended(running: dict[int, int]) -> tuple[int, Outcome]:
    process, status = os.wait()
    code = os.waitstatus_to_exitcode(status)
    outcomes = {outcome.value: outcome for outcome in Outcome}
    # A process that died was killed by a limit, or by a mutant that broke pytest itself.
    return running.pop(process), outcomes.get(code, Outcome.KILLED)


def _forked(mutant: Mutant, attempt: Callable[[Mutant], Outcome]) -> int:
    process = os.fork()
    if process:
        return process
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    code = Outcome.KILLED.value
    try:
        code = attempt(mutant).value
    finally:
        os._exit(code)


def results_of(
    mutants: tuple[Mutant, ...],
    folders: tuple[str, ...],
    options: argparse.Namespace,
    scratch: Path,
) -> list[Result]:
    """Try ``mutants`` with the tests of ``folders``. ``scratch`` notes results as they come."""
    process = os.fork()
    if not process:
        code = run_pytest(folders, Session(mutants, options, scratch))
        sys.stdout.flush()
        os._exit(code)
    if os.waitpid(process, 0)[1]:
        raise SystemExit(f"the tests of {' '.join(folders)} do not pass")
    tests, *noted = [json.loads(line) for line in scratch.read_text().splitlines()]
    outcomes = {position: Outcome(value) for position, value in noted}
    late = [n for n, outcome in sorted(outcomes.items()) if outcome is Outcome.RUNS_ON_IMPORT]
    print(f"{len(late)} mutants of what runs on import", flush=True)
    again = in_processes(
        tuple(mutants[n] for n in late), OnImport(folders, tests).attempt, options.jobs
    )
    outcomes.update((late[n], outcome) for n, outcome in again)
    return [Result(mutants[n], outcome) for n, outcome in sorted(outcomes.items())]


def explained() -> dict[str, str]:
    """The survivors that are known, by what stands in the file; each with its group."""
    groups: dict[str, str] = {}
    group = ""
    for line in EXPLAINED.read_text(encoding="utf-8").splitlines():
        if line.startswith("# "):
            group = line[2:]
        elif line:
            groups[line] = group
    return groups


def key(mutant: Mutant) -> str:
    """A mutant as a line of the file of explained ones."""
    return f"{mutant.path.parent.name}/{mutant.path.stem} {mutant.name}"


def print_table(results: list[Result], known: dict[str, str]) -> list[Mutant]:
    """A table of the modules; returns the survivors that nothing explains."""
    modules: dict[Path, list[Result]] = defaultdict(list)
    for result in results:
        modules[result.mutant.path].append(result)
    print("| Module | Mutants | Killed | Survived | Explained | Score | Without the explained |")
    print("|---|--:|--:|--:|--:|--:|--:|")
    totals = [0, 0, 0]
    unexplained = []
    for path, found in modules.items():
        survivors = [r.mutant for r in found if r.outcome is Outcome.SURVIVED]
        open_ = [mutant for mutant in survivors if key(mutant) not in known]
        unexplained += open_
        counts = [len(found), len(survivors), len(survivors) - len(open_)]
        totals = [total + count for total, count in zip(totals, counts, strict=True)]
        print(_row(f"`{path.parent.name}/{path.name}`", *counts))
    print(_row("All", *totals))
    return unexplained


def _row(name: str, mutants: int, survived: int, explained: int) -> str:
    killed = mutants - survived
    shares = (f"{100 * killed / max(n, 1):.1f} %" for n in (mutants, mutants - explained))
    return " | ".join(
        (f"| {name}", *(f"{n:,}" for n in (mutants, killed, survived, explained)), *shares, "")
    ).rstrip()


def killed_before(record: Path | None) -> set[str]:
    """The mutants that a record says were killed."""
    if record is None or not record.exists():
        return set()
    lines = record.read_text(encoding="utf-8").splitlines()
    return {name for name, outcome in (line.split("\t") for line in lines) if outcome == "killed"}


def main() -> None:
    """See the module's docstring."""
    parser = argparse.ArgumentParser()
    parser.add_argument("paths", nargs="*", type=Path, help="modules; default: all")
    parser.add_argument("--every", type=int, default=1, help="only each Nth mutant")
    parser.add_argument("--jobs", type=int, default=1, help="processes at a time")
    parser.add_argument(
        "--longest",
        type=float,
        default=LONGEST,
        help="seconds of the tests that are run for every function that they call",
    )
    parser.add_argument(
        "--wide", action="store_true", help="try survivors with the tests of all packages"
    )
    parser.add_argument(
        "--record",
        type=Path,
        help="file for the outcome of each mutant; those that it says were killed are not tried "
        "again",
    )
    options = parser.parse_args()
    record = options.record and options.record.resolve()
    chosen = [path.resolve() for path in options.paths]
    os.chdir(ROOT)
    # What is installed may be another copy.
    sys.path.insert(0, str(ROOT))
    os.environ["CI"] = "1"
    for name in ("sympy", "typer", "rich.console", "yaml", "jsonschema", "hypothesis.strategies"):
        importlib.import_module(name)
    before = killed_before(record)
    results: list[Result] = []
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder, "outcomes")
        for package in PACKAGES:
            paths = sorted((ROOT / "convcalc" / package).glob("*.py"))
            mutants = [
                mutant
                for path in paths
                if not chosen or path in chosen
                for mutant in mutants_of(path)
            ][:: options.every]
            results += (Result(m, Outcome.KILLED) for m in mutants if key(m) in before)
            new = tuple(mutant for mutant in mutants if key(mutant) not in before)
            if new:
                results += results_of(new, (f"tests/{package}",), options, scratch)
        survivors = tuple(each.mutant for each in results if each.outcome is Outcome.SURVIVED)
        if survivors and options.wide:
            print(f"{len(survivors)} survivors, now with the tests of all packages", flush=True)
            folders = tuple(f"tests/{package}" for package in PACKAGES)
            again = dict(results_of(survivors, folders, options, scratch))
            results = [Result(m, again.get(m, outcome)) for m, outcome in results]
    results.sort(key=lambda result: (PACKAGES.index(result.mutant.path.parent.name), result.mutant))
    if record is not None:
        record.write_text(
            "".join(f"{key(m)}\t{outcome.name.lower()}\n" for m, outcome in results),
            encoding="utf-8",
        )
    known = explained()
    unexplained = print_table(results, known)
    for mutant in unexplained:
        message = " [message]" if mutant.in_message else ""
        print(f"{key(mutant)}  (line {mutant.line}){message}")
    sys.exit(bool(unexplained))


main()
