"""Fuzzes convcalc, from what goes in to what comes out, led by the code that each case reaches.

    python fuzzing/run.py [--seconds N] [--seed N] [--findings FOLDER] [--corpus FOLDER] [TARGET]...

The targets are `spec`, `budget`, `options` and `layer`; without one all are fuzzed, and share the
seconds. What is wrong is printed, and the case that shows it is kept in the folder of findings; the
exit code is then 1. The folder of the corpus, if one is named, keeps what was found to reach new
code, for the next run. With a seed the cases come in the same order at every run. It needs atheris,
which there is for Linux: pip install -e '.[fuzz]'.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import os
import pkgutil
import random
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final, NamedTuple

HERE: Final = Path(__file__).resolve().parent
NAMES: Final = ("spec", "budget", "options", "layer")
LARGEST_CASE: Final = 16_000
LONGEST: Final = 120
"""Seconds of the clock after which libFuzzer ends a case and the process: the last resort."""
MOST_MEMORY: Final = 2500
"""Megabytes after which libFuzzer does; the corpus and the instruments are among them."""
SEEDS: Final = 5
"""Cases to start from for each second that there is: they are all run before any is changed."""
BLIND: Final = 0.03
"""Share of the changes that are libFuzzer's own, by bytes and by the dictionary."""


class Ran(NamedTuple):
    """What fuzzing one target came to."""

    target: str
    seconds: float
    executions: int
    coverage: int
    """Edges of convcalc's bytecode, as atheris counts them."""
    corpus: int
    ended: str
    """Why the process ended before its time; empty if it did not."""


def main() -> None:
    """Fuzz the targets one after the other; exit with 1 if anything is wrong."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="spec, budget, options, layer")
    parser.add_argument("--seconds", type=int, default=60, help="for all targets together")
    parser.add_argument("--seed", type=int, default=0, help="another for other cases; 0 is random")
    parser.add_argument("--findings", type=Path, default=Path("fuzzing-findings"))
    parser.add_argument("--corpus", type=Path)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    unknown = [name for name in options.targets if name not in NAMES]
    if unknown:
        parser.error(f"unknown target {unknown[0]!r}: there are {', '.join(NAMES)}")
    if options.seconds < len(options.targets or NAMES):
        parser.error("--seconds: a target takes a second at least")
    try:
        importlib.import_module("atheris")
    except ImportError:
        sys.exit(
            "fuzzing needs atheris, which there is for Linux and CPython 3.11 to 3.13: "
            "pip install -e '.[fuzz]'"
        )
    if options.one:
        _fuzz_one(options.one, options)
    sys.exit(_fuzz(options.targets or list(NAMES), options))


def _fuzz(names: list[str], options: argparse.Namespace) -> int:
    options.findings.mkdir(parents=True, exist_ok=True)
    known = set(options.findings.iterdir())
    with tempfile.TemporaryDirectory(prefix="convcalc-corpus-") as scratch:
        corpus = options.corpus or Path(scratch)
        share = options.seconds // len(names)
        ran = [_fuzz_apart(name, corpus / name, share, options) for name in names]
    print("| target | seconds | executions | edges | corpus |")
    print("| :--- | ---: | ---: | ---: | ---: |")
    for each in ran:
        print(
            f"| {each.target} | {each.seconds:.0f} | {each.executions:,} | {each.coverage:,} "
            f"| {each.corpus:,} |"
        )
    found = sorted(set(options.findings.iterdir()) - known)
    for path in found:
        print(f"finding: {path}")
    for each in ran:
        if each.ended:
            print(f"{each.target}: {each.ended}")
    if not found and not any(each.ended for each in ran):
        print("nothing found")
        return 0
    return 1


def _fuzz_apart(name: str, corpus: Path, seconds: int, options: argparse.Namespace) -> Ran:
    """Fuzz one target in a process of its own: libFuzzer ends the process that it runs in."""
    begun = time.monotonic()
    command = [
        *(sys.executable, __file__, "--one", name, "--seconds", str(seconds)),
        *("--corpus", str(corpus), "--findings", str(options.findings)),
        *("--seed", str(options.seed)),
    ]
    said = []
    environment = os.environ | ({"PYTHONHASHSEED": str(options.seed)} if options.seed else {})
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment
    ) as process:
        for raw in process.stdout or ():
            line = raw.decode(errors="replace").rstrip()
            said.append(line)
            if line.startswith(("FINDING", "  | ")):
                print(line, flush=True)
    text = "\n".join(said)
    states = re.findall(r"cov: (\d+) ft: \d+ corp: (\d+)", text) or [("0", "0")]
    executed = re.search(r"stat::number_of_executed_units:\s*(\d+)", text)
    return Ran(
        name,
        time.monotonic() - begun,
        int(executed[1]) if executed else 0,
        *map(int, states[-1]),
        ended="" if process.returncode == 0 else "\n".join(said[-30:]),
    )


def _fuzz_one(name: str, options: argparse.Namespace) -> None:
    """Fuzz a target in this process, which ends with it."""
    corpus, findings, seconds = options.corpus, options.findings, options.seconds
    import atheris

    with atheris.instrument_imports(include=["convcalc"]):
        import convcalc

        # All of it: what a command imports when it runs would be instrumented no more.
        for module in pkgutil.walk_packages(convcalc.__path__, "convcalc."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)
    from cases import decoded, encoded
    from changing import crossed, mutated
    from corpus import TARGETS, write_corpus
    from judging import defects_of
    from running import Sandbox
    from words import dictionary

    (target,) = [each for each in TARGETS if each.name == name]
    sandbox = Sandbox()
    write_corpus(target, corpus, sandbox, SEEDS * seconds)
    words = corpus.with_name(f"{name}.dict")
    words.write_text(dictionary(), encoding="utf-8")
    met: set[str] = set()

    def try_case(raw: bytes) -> None:
        case = decoded(raw)
        if case is None:
            return
        for defect in defects_of(case, sandbox):
            if defect.signature in met:
                continue
            met.add(defect.signature)
            kept = encoded(defect.case)
            path = findings / f"{name}-{hashlib.sha256(kept).hexdigest()[:12]}.case"
            path.write_bytes(kept)
            shown = defect.complaint.splitlines()
            print(f"FINDING {path}", *(f"  | {line}" for line in shown), sep="\n", flush=True)

    def mutate(raw: bytes, most: int, seed: int) -> bytes:
        chance = random.Random(seed)
        case = decoded(raw)
        if case is None or chance.random() < BLIND:
            return atheris.Mutate(raw, most)  # type: ignore[no-any-return]
        changed = mutated(case, chance, commands=target.commands, of_arguments=target.of_arguments)
        new = encoded(changed)
        return new if len(new) <= most and decoded(new) is not None else encoded(case)[:most]

    def cross(raw: bytes, other: bytes, most: int, seed: int) -> bytes:
        case, donor = decoded(raw), decoded(other)
        if case is None or donor is None:
            return raw[:most]
        new = encoded(crossed(case, donor, random.Random(seed)))
        return new if len(new) <= most and decoded(new) is not None else raw[:most]

    arguments = [
        *(sys.argv[0], str(corpus), f"-dict={words}", f"-max_total_time={seconds}"),
        f"-seed={options.seed}",
        *(f"-timeout={LONGEST}", f"-rss_limit_mb={MOST_MEMORY}", f"-max_len={LARGEST_CASE}"),
        *(f"-artifact_prefix={findings}/{name}-", "-print_final_stats=1", "-len_control=0"),
        # By the clock, of which a busy machine gives little: `judging` goes by the processor.
        f"-report_slow_units={LONGEST}",
    ]
    atheris.Setup(arguments, try_case, custom_mutator=mutate, custom_crossover=cross)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
