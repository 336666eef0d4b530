"""What `convcalc check` does between its arguments and its report.

Networks are found, analyzed and held against their budgets. Whatever keeps one of them from being
judged is a finding, and the others are judged all the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from convcalc.analysis import Analysis, analyze_graph
from convcalc.analysis.devices import Device, all_devices, find_device
from convcalc.analysis.dtypes import BITS, Dtypes
from convcalc.analysis.published import published_findings
from convcalc.analysis.training import OPTIMIZERS
from convcalc.baselines import Baseline, baseline_of, read_baselines
from convcalc.budgets import MOST_VERDICTS, Check, CheckedNetwork, judge, too_many
from convcalc.errors import (
    ConvcalcError,
    Finding,
    Place,
    Related,
    SourceText,
    SpecError,
    UsageError,
    catalogue,
    close_match,
    listed,
    unknown_word,
)
from convcalc.limits import Bound, Budget, Conditions, Limit, Reference
from convcalc.name_patterns import matches
from convcalc.sources import (
    NetworkFile,
    chosen_variants,
    open_network,
    require_variant,
    spec_name,
)
from convcalc.sources.budgets import BUDGET_FILE, read_budget_file, specs_of
from convcalc.sources.reference import SpecText

__all__ = ["BaselineUpdate", "CheckRequest", "CheckRun", "check_networks"]

LARGEST_REPORT = 2**24
"""Bytes of a saved report: of JSON that is nothing but brackets Python makes 25 times as many."""


class CheckRequest(NamedTuple):
    """What to check, and against what."""

    files: tuple[str, ...] = ()
    """Specs and budget files; none: `budgets.yaml`."""
    limits: tuple[Limit, ...] = ()
    """Limits for all networks, beside those of their budgets."""
    conditions: Conditions = Conditions()
    """What all networks are analyzed under, whatever their budgets say."""
    against: str | None = None
    """A git revision: the same specs there are the baselines."""
    baseline: str | None = None
    """A saved report, or a spec, in place of the budgets' baselines."""
    update_baseline: bool = False
    """Whether saved reports are to be written anew: increases are then held against nothing."""
    explain: bool = False
    strict: bool = False


class BaselineUpdate(NamedTuple):
    """A saved report that is to have these networks as they are now."""

    path: Path
    text: str | None
    """The report as it is; None if there is none yet."""
    networks: tuple[Analysis, ...]


class CheckRun(NamedTuple):
    """What came of a request."""

    check: Check
    updates: tuple[BaselineUpdate, ...] = ()


class _Job(NamedTuple):
    """A network and the budget that it is held against."""

    file: NetworkFile
    found: SpecText
    reference: str
    """What the file was named by."""
    variant: str | None
    budget: Budget
    folder: Path
    """What the budget's paths are relative to."""
    place: Place | None = None
    """Where a budget file names the spec."""


def check_networks(request: CheckRequest) -> CheckRun:
    """Hold networks against their budgets. Raises UsageError for a request without sense."""
    if request.against is not None and request.baseline is not None:
        raise UsageError(
            [_bad("--against and --baseline both say what it cost before", "leave one out")]
        )
    if request.update_baseline and (request.against is not None or request.baseline is not None):
        raise UsageError(
            [
                _bad(
                    "--update-baseline writes the baselines that budgets name",
                    "leave out --against and --baseline",
                )
            ]
        )
    return _Checking(request).run()


class _Checking:
    """One request being carried out."""

    def __init__(self, request: CheckRequest) -> None:
        self.request = request
        self.findings: dict[Finding, None] = {}
        """In the order in which they were made, each once."""
        self.opened: dict[tuple[str, str | None], tuple[NetworkFile, SpecText]] = {}
        """Specs that have been read, by reference and revision."""
        self.reports: dict[Path, tuple[Baseline, ...]] = {}
        self.updates: dict[Path, list[Analysis]] = {}
        self.held_to_own: set[tuple[str, str | None]] = set()
        """Networks, by file and variant, whose own budgets have been held against them."""

    def run(self) -> CheckRun:
        networks: list[CheckedNetwork] = []
        verdicts = 0
        for job in self.jobs():
            checked = self.attempt(job)
            if checked is None:
                continue
            verdicts += len(checked.verdicts)
            if verdicts > MOST_VERDICTS:
                self.note([too_many(job.place or job.budget.place)])
                break
            networks.append(checked)
        if self.request.update_baseline and not self.updates and not self.findings:
            self.note(
                [_bad("no budget names a saved report as its baseline", "baseline: main.json")]
            )
        updates: tuple[BaselineUpdate, ...] = ()
        if not any(not finding.is_warning for finding in self.findings):
            try:
                updates = tuple(self.planned_updates())
            except ConvcalcError as error:
                self.note(error.findings)
        return CheckRun(Check(tuple(networks), tuple(self.findings), self.request.strict), updates)

    def note(self, findings: Iterable[Finding]) -> None:
        """Remember findings, each once."""
        self.findings.update(dict.fromkeys(findings))

    def open(self, reference: str, revision: str | None = None) -> tuple[NetworkFile, SpecText]:
        """A spec, read once for all its networks and budgets. Raises UsageError."""
        key = (reference, revision)
        if key not in self.opened:
            self.opened[key] = open_network(reference, revision=revision)
        return self.opened[key]

    # -- which networks ----------------------------------------------------------------------------

    def jobs(self) -> Iterator[_Job]:
        """Every network with every budget for it."""
        files = self.request.files
        if not files and not Path(BUDGET_FILE).is_file():
            raise UsageError(
                [
                    Finding(
                        catalogue.NO_BUDGET,
                        f"there is no {BUDGET_FILE} here, and no spec was named",
                        help="convcalc check net.yaml --max params=5M, or "
                        "`convcalc budget init net.yaml` for a budget to start from",
                    )
                ]
            )
        for reference in files or (BUDGET_FILE,):
            try:
                budget_file = read_budget_file(reference)
                if budget_file is None:
                    yield from self.own_budgets(reference)
                    continue
            except ConvcalcError as error:
                self.note(error.findings)
                continue
            for budget in budget_file.budgets:
                for wanted in budget.specs:
                    yield from self.named(wanted, budget, budget_file.folder)

    def named(self, wanted: Reference, budget: Budget, folder: Path) -> Iterator[_Job]:
        """The networks that an entry of a budget file names."""
        try:
            references = specs_of(wanted, folder)
        except ConvcalcError as error:
            self.note(_located(error.findings, wanted.place))
            return
        held = self.with_limits(budget)
        for reference in references:
            try:
                file, found = self.open(reference)
            except ConvcalcError as error:
                self.note(_located(error.findings, wanted.place))
                continue
            for variant in chosen_variants(file, found):
                yield _Job(file, found, reference, variant, held, folder, wanted.place)
                # What a spec says of itself holds, whoever names it.
                for own in self.own_of(file, found, variant):
                    yield _Job(file, found, reference, variant, own, _folder_of(found))

    def own_of(self, file: NetworkFile, found: SpecText, variant: str | None) -> list[Budget]:
        """The budgets of a spec that are for a variant; none if they have been gone through."""
        key = (found.source.name, variant)
        if key in self.held_to_own:
            return []
        self.held_to_own.add(key)
        return [
            self.with_limits(budget)
            for budget in file.budgets
            if not budget.variants
            or any(matches(each.text, variant or "") for each in budget.variants)
        ]

    def own_budgets(self, reference: str) -> Iterator[_Job]:
        """The networks of a spec, with what the spec says that they may cost."""
        file, found = self.open(reference)
        is_broken = any(not finding.is_warning for finding in file.findings)
        for variant in chosen_variants(file, found):
            if (found.source.name, variant) in self.held_to_own:
                continue
            budgets = self.own_of(file, found, variant)
            if not budgets and (self.request.limits or is_broken):
                budgets = [self.with_limits(Budget(()))]
            if not budgets:
                self.note(
                    [
                        Finding(
                            catalogue.NO_BUDGET,
                            f"{spec_name(file, found, variant)} has no `budget`",
                            help="give it one, or a limit: --max params=5M",
                        )
                    ]
                )
            for budget in budgets:
                yield _Job(file, found, reference, variant, budget, _folder_of(found))

    def with_limits(self, budget: Budget) -> Budget:
        """A budget with the limits of the command line."""
        return budget._replace(limits=(*budget.limits, *self.request.limits))

    # -- one network -------------------------------------------------------------------------------

    def attempt(self, job: _Job) -> CheckedNetwork | None:
        """A network held against its budget; None, with findings, if that cannot be judged."""
        conditions = self.request.conditions.over(job.budget.conditions)
        try:
            device = _device(conditions)
            analysis = self.analyzed(job.file, job.found, job.variant, conditions)
            self.note((*analysis.warnings, *published_findings(analysis)))
            baseline = self.baseline(job, analysis, conditions)
            checked = judge(
                analysis,
                job.budget,
                baseline=baseline,
                device=device,
                explain=self.request.explain,
            )
        except ConvcalcError as error:
            for finding in error.findings:
                of_settings = finding.code is catalogue.UNKNOWN_VARIABLE
                place = conditions.places.get("set") if of_settings else job.place
                self.note(_located([finding], place))
            return None
        self.note(_located(checked.findings, job.place))
        if not checked.verdicts:
            return None
        # A network that ships with convcalc is in no repository.
        is_new = baseline is None and job.found.source.path is not None
        return checked._replace(new_since=self.request.against if is_new else None)

    def analyzed(
        self, file: NetworkFile, found: SpecText, variant: str | None, conditions: Conditions
    ) -> Analysis:
        """A network under conditions."""
        graph = file.graph(
            variant, conditions.settings, name=found.stem, spec=spec_name(file, found, variant)
        )
        return analyze_graph(
            graph,
            batch=conditions.batch or 1,
            dtypes=Dtypes(
                _word(conditions, "weights_dtype", BITS, "float32"),
                _word(conditions, "activations_dtype", BITS, "float32"),
            ),
            in_place=conditions.in_place or False,
            best_order=conditions.order == "best",
            optimizer=_word(conditions, "optimizer", OPTIMIZERS, "sgd"),
        )

    # -- baselines ---------------------------------------------------------------------------------

    def baseline(self, job: _Job, analysis: Analysis, conditions: Conditions) -> Baseline | None:
        """What the network is held against, if it is held against anything."""
        if self.request.against is not None:
            return self.at_revision(self.request.against, job, conditions)
        wanted, folder = job.budget.baseline, job.folder
        if self.request.baseline is not None:
            wanted, folder = Reference(self.request.baseline), Path()
        if wanted is None:
            return None
        path, _, name = wanted.text.partition("::")
        if Path(path).suffix == ".json":
            report = folder / path
            if self.request.update_baseline:
                named = analysis._replace(name=name or analysis.name)
                self.updates.setdefault(report, []).append(named)
                return baseline_of(analysis, str(report))
            return self.recorded(report, name or analysis.name, analysis, wanted)
        return self.other_spec(wanted, folder, job, conditions)

    def at_revision(self, revision: str, job: _Job, conditions: Conditions) -> Baseline | None:
        """The network as it was; None for a new one, unless an increase is to be judged."""
        try:
            file, found = self.open(job.reference, revision)
            require_variant(file, found, job.variant)
        except UsageError as error:
            codes = {finding.code for finding in error.findings}
            if codes == {catalogue.NOT_AT_REVISION} and not _increases(job.budget):
                return None
            raise
        try:
            before = self.analyzed(file, found, job.variant, conditions)
        except ConvcalcError as error:
            raise SpecError(_there(error.findings, found.source.name)) from None
        return baseline_of(before, found.source.name)

    def other_spec(
        self, wanted: Reference, folder: Path, job: _Job, conditions: Conditions
    ) -> Baseline:
        """A spec in place of what the network cost before; of a family the same variant."""
        try:
            (reference,) = specs_of(wanted, folder)
        except ValueError:
            raise UsageError(
                [
                    Finding(
                        catalogue.NOT_IN_BASELINE,
                        f"`{wanted.text}` is several specs",
                        wanted.place,
                        help="a baseline is one",
                    )
                ]
            ) from None
        file, found = self.open(reference)
        variant = found.variant
        if variant is None and file.variants:
            if job.variant not in file.variants:
                raise UsageError(
                    [
                        Finding(
                            catalogue.NOT_IN_BASELINE,
                            f"the baseline {found.source.name} has no variant "
                            f"`{job.variant or job.found.stem}`",
                            wanted.place,
                            help=f"name one of {listed(file.variants)}: {wanted.text}::NAME",
                        )
                    ]
                )
            variant = job.variant
        label = spec_name(file, found, variant)
        try:
            return baseline_of(self.analyzed(file, found, variant, conditions), label)
        except ConvcalcError as error:
            raise SpecError(_there(error.findings, label)) from None

    def recorded(self, report: Path, name: str, analysis: Analysis, wanted: Reference) -> Baseline:
        """The network as a saved report has it. Raises ConvcalcError."""
        if report not in self.reports:
            try:
                source, text = _report(report)
            except UsageError as error:
                hint = "`convcalc check --update-baseline` writes it"
                raise UsageError(
                    [
                        finding._replace(place=wanted.place, help=finding.help or hint)
                        for finding in error.findings
                    ]
                ) from None
            self.reports[report] = read_baselines(source, text)
        recorded = self.reports[report]
        found = [each for each in recorded if each.name == name]
        if len(found) != 1:
            names = [each.name for each in recorded]
            close = close_match(name, names)
            raise UsageError(
                [
                    Finding(
                        catalogue.NOT_IN_BASELINE,
                        f"{report} has {len(found) or 'no'} network{'s' * bool(found)} `{name}`",
                        wanted.place,
                        help=f"did you mean `{wanted.text.partition('::')[0]}::{close}`?"
                        if close and not found
                        else f"it has {listed(names) or 'none'}; `--update-baseline` adds new ones",
                    )
                ]
            )
        differing = list(_other_conditions(found[0], analysis))
        if differing:
            raise UsageError(
                [
                    Finding(
                        catalogue.OTHER_CONDITIONS,
                        f"{report} has `{name}` under other conditions: {'; '.join(differing)}",
                        wanted.place,
                        help="write the baseline anew with `--update-baseline`, or analyze under "
                        "the same conditions",
                    )
                ]
            )
        return found[0]

    def planned_updates(self) -> Iterator[BaselineUpdate]:
        """The reports to be written. Raises ConvcalcError where one would lose what it holds."""
        for path, networks in self.updates.items():
            text = None
            if path.exists():
                source, text = _report(path)
                read_baselines(source, text)  # what is no report is not written over
            chosen: dict[str, Analysis] = {}
            for network in networks:
                first = chosen.setdefault(network.name, network)
                if first != network:
                    raise UsageError(
                        [
                            Finding(
                                catalogue.NOT_IN_BASELINE,
                                f"two networks called `{network.name}` share the baseline {path}",
                                help=f"name one otherwise behind the baseline, {path}::NAME, or "
                                "give each a baseline of its own",
                            )
                        ]
                    )
            yield BaselineUpdate(path, text, tuple(chosen.values()))


def _report(path: Path) -> tuple[SourceText, str]:
    """The text of a saved report. Raises UsageError."""
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST_REPORT + 1)
        text = raw.decode("utf-8-sig")
    except FileNotFoundError:
        code, message = catalogue.FILE_NOT_FOUND, f"there is no baseline {str(path)!r}"
    except OSError as error:
        code = catalogue.CANNOT_READ
        message = f"{str(path)!r} cannot be read: {error.strerror or error}"
    except UnicodeDecodeError:
        code, message = catalogue.BAD_BASELINE, f"{path} is no report of convcalc: it is not UTF-8"
    else:
        if len(raw) <= LARGEST_REPORT:
            return SourceText(str(path), text, str(path)), text
        code = catalogue.FILE_TOO_LARGE
        message = f"{path} has more than {LARGEST_REPORT:,} bytes"
    raise UsageError([Finding(code, message)])


def _there(findings: Iterable[Finding], source: str) -> Iterator[Finding]:
    """Findings about the spec as it was; of those without a place it would not be seen."""
    for finding in findings:
        yield (
            finding
            if finding.place is not None
            else finding._replace(message=f"{source}: {finding.message}")
        )


def _folder_of(found: SpecText) -> Path:
    """What the paths in a spec's own budget are relative to."""
    return Path(found.source.path or ".").parent


def _increases(budget: Budget) -> bool:
    return any(limit.bound is Bound.MAX_INCREASE for limit in budget.limits)


def _other_conditions(baseline: Baseline, analysis: Analysis) -> Iterator[str]:
    """What differs between the conditions of a saved report and today's."""
    pairs = {
        "batch": (baseline.batch, analysis.batch),
        "weights": (baseline.dtypes.weights, analysis.dtypes.weights),
        "activations": (baseline.dtypes.activations, analysis.dtypes.activations),
        "in place": (baseline.in_place, analysis.in_place),
        "best order": (baseline.best_order, analysis.order is not None),
        "optimizer": (baseline.optimizer, analysis.training.optimizer),
        "settings": (
            " ".join(f"{name}={value}" for name, value in sorted(baseline.settings)) or "none",
            " ".join(f"{name}={value}" for name, value in sorted(analysis.settings)) or "none",
        ),
    }
    for what, (was, now) in pairs.items():
        if was != now:
            yield f"{what} {was}, not {now}"


def _device(conditions: Conditions) -> Device | None:
    if conditions.device is None:
        return None
    found = find_device(conditions.device)
    if found is None:
        raise _unknown_word(conditions, "device", [device.name for device in all_devices()])
    return found


def _word(conditions: Conditions, key: str, known: Iterable[str], usual: str) -> str:
    """The word of a condition. Raises UsageError if it is none that is known."""
    word: str | None = getattr(conditions, key)
    if word is None:
        return usual
    if word not in known:
        raise _unknown_word(conditions, key, list(known))
    return word


def _unknown_word(conditions: Conditions, key: str, known: list[str]) -> UsageError:
    word = getattr(conditions, key)
    places = conditions.places
    place = places.get(key) or (places.get("dtype") if key.endswith("dtype") else None)
    message = f"unknown {key.replace('_', ' ')} `{word}`"
    return UsageError([unknown_word(message, word, known, place)])


def _located(findings: Iterable[Finding], place: Place | None) -> Iterator[Finding]:
    """Findings about what a budget names, with the place where it does so."""
    for finding in findings:
        if place is None or finding.place == place:
            yield finding
        elif finding.place is None:
            yield finding._replace(place=place)
        elif finding.place.text is place.text:
            yield finding
        else:
            yield finding._replace(related=(*finding.related, Related("budget", place)))


def _bad(message: str, help_: str) -> Finding:
    return Finding(catalogue.BAD_OPTION, message, help=help_)
