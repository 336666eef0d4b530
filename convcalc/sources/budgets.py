"""Budgets: what a `budget` in a spec, a budget file, or an option says, read to `convcalc.limits`.

What cannot be understood is a finding, never a limit left out: a gate that fails open is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from glob import glob
from pathlib import Path
from typing import Any, Final, NamedTuple

from convcalc.errors import (
    EnoughFindingsError,
    Finding,
    Findings,
    Place,
    Related,
    SourceText,
    SpecError,
    UsageError,
    catalogue,
    close_match,
    listed,
)
from convcalc.limits import Bound, Budget, Conditions, Limit, Reference, Scope
from convcalc.metrics import BUDGET_METRICS, LARGEST_BATCH, Metric, metric
from convcalc.name_patterns import matches
from convcalc.sources.amounts import AMOUNT_EXAMPLES, AmountError, parse_amount
from convcalc.sources.reference import read_reference
from convcalc.sources.spec.document import VARIES
from convcalc.sources.spec.values import Names, ValueGrammar
from convcalc.sources.yaml_nodes import (
    YamlMapping,
    YamlNode,
    YamlScalar,
    YamlSequence,
    compose,
    described,
)

__all__ = [
    "BUDGET_FILE",
    "BUDGET_FILE_KEYS",
    "BUDGET_KEYS",
    "LEVELS",
    "LIMIT_KEYS",
    "MATCH_KEYS",
    "SPEC_BUDGET_KEYS",
    "VERSION",
    "BudgetFile",
    "metric_names",
    "option_limit",
    "read_budget_file",
    "spec_budgets",
    "specs_of",
]

BUDGET_FILE: Final = "budgets.yaml"
"""What is looked for where nothing is named."""
MOST_DEEP: Final = 2
"""Times that a pattern of paths may have `**`."""
VERSION: Final = 1
"""Of the language of budget files."""

_CONDITIONS: Final = {
    "set": "variables of the spec to set, as after `--set`",
    "batch": "samples that are held at once",
    "dtype": "the number format of weights and activations",
    "weights_dtype": "the same, of the weights alone",
    "activations_dtype": "the same, of the activations alone",
    "in_place": "whether element-wise layers run in place",
    "order": "`given` or `best`, the order of the layers",
    "optimizer": "for training memory: `sgd`, `momentum` or `adam`",
    "device": "what `time` is worked out for",
}
_LIMITS: Final = {
    "max": "metrics with the most that they may be",
    "min": "metrics with the least that they must be",
    "max_increase": "metrics with the most by which they may be above the baseline: `2%`, `50k`",
    "baseline": "what the network cost before: a report of `analyze --format json`, or a spec",
    "layers": "limits for layers: `match` with `max`, `min`",
    "groups": "the same for groups of layers, each in total",
    "message": "what to say where a limit does not hold",
}
BUDGET_KEYS: Final = {
    "name": "what the budget is called",
    "spec": "the specs that it is for: a path, a pattern, a shipped name, or a list of them",
    **_CONDITIONS,
    **_LIMITS,
}
"""The keys of an entry of a budget file."""
SPEC_BUDGET_KEYS: Final = {
    "name": BUDGET_KEYS["name"],
    "variants": "the variants that it is for, or patterns of them; by default all",
    **_CONDITIONS,
    **_LIMITS,
}
"""The keys of a `budget` in a spec."""
BUDGET_FILE_KEYS: Final = {
    "version": "1",
    "budgets": "the budgets",
}
LIMIT_KEYS: Final = {
    "limit": "the amount",
    "of": "`network`, or each `group` or `layer`",
    "level": "`error`, or `warn`: to be over it fails nothing",
    "message": "what to say where it does not hold",
}
"""The keys of a limit that says more than an amount."""
MATCH_KEYS: Final = {
    "match": "a name, in which `*` stands for any text and `?` for any character; of groups each "
    "part between dots by itself",
    "max": _LIMITS["max"],
    "min": _LIMITS["min"],
    "level": LIMIT_KEYS["level"],
    "message": _LIMITS["message"],
}
"""The keys of an entry of `layers` and `groups`."""
_LIMIT_LISTS: Final = (*(bound.value for bound in Bound), "layers", "groups")
"""The keys of a budget that bound something."""
_NOT_OF_NETWORKS: Final = "the whole network has all of it: say `of: layer` or `of: group`"

LEVELS: Final = {"error": False, "warn": True, "warning": True}
_SHARE: Final = "_share"


# -- metrics ---------------------------------------------------------------------------------------


class _Named(NamedTuple):
    """What a key under `max` names."""

    metric: Metric
    is_share: bool


def metric_names() -> dict[str, Metric]:
    """What may stand under `max` and `min`, shares included, with the metric that it is of."""
    names: dict[str, Metric] = {}
    for each in BUDGET_METRICS:
        names[each.name] = each
    for each in BUDGET_METRICS:
        if _has_shares(each):
            names[each.name + _SHARE] = each
    return names


def _has_shares(metric: Metric) -> bool:
    """Whether layers and groups have parts of it that make up the network's."""
    return metric.adds_up and metric.of_layers


def _named(name: str) -> _Named | None:
    """The metric, or share of one, called ``name``; None if there is none."""
    try:
        return _Named(metric(name), is_share=False)
    except KeyError:
        pass
    try:
        shared = metric(name.removesuffix(_SHARE))
    except KeyError:
        return None
    return _Named(shared, is_share=True) if _has_shares(shared) and name.endswith(_SHARE) else None


def _unknown_metric(name: str, place: Place) -> Finding:
    known = metric_names()
    close = _KNOWN_AS.get(name.lower()) or close_match(name, known)
    whole = ", ".join(each for each, of in known.items() if each == of.name)
    return Finding(
        catalogue.UNKNOWN_METRIC,
        f"unknown metric `{name}`",
        place,
        help=f"did you mean `{close}`?"
        if close
        else f"there are {whole}; of a layer or group also its share, such as macs{_SHARE}",
    )


_KNOWN_AS: Final = {
    **dict.fromkeys(("parameters", "weights", "size"), "params"),
    **dict.fromkeys(("multiply_adds", "mult_adds", "madds", "mac"), "macs"),
    **dict.fromkeys(("memory", "ram", "peak", "sram"), "peak_memory"),
    **dict.fromkeys(("flash", "weight_size"), "weight_memory"),
    **dict.fromkeys(("latency", "runtime", "ms"), "time"),
}
"""What others call it."""


# -- limits ----------------------------------------------------------------------------------------


def option_limit(option: str, bound: Bound, text: str) -> Limit:
    """The limit that ``--max params=5M`` and the like set. Raises UsageError.

    A share is of each layer.
    """
    source = SourceText(option, text)
    name, separator, amount = text.partition("=")
    place = Place(source, 1, 1, max(1, len(text)))
    # A place is on one line, and lines of an option are a mistake in quoting.
    if not separator or not text.isprintable():
        raise UsageError(
            [
                Finding(
                    catalogue.BAD_OPTION,
                    f"{option} {text[:40]!r} is not METRIC=LIMIT",
                    help=f"for example {option} params=5M",
                )
            ]
        )
    named = _named(name.strip())
    if named is None:
        unknown = Findings()  # which shortens what it quotes
        unknown.add(_unknown_metric(name.strip(), place._replace(length=len(name) or 1)))
        raise UsageError(unknown)
    at = Place(source, 1, len(name) + 2, max(1, len(amount)))
    scope = Scope.LAYER if named.is_share else Scope.NETWORK
    wrong = _objection(named, bound, scope)
    try:
        value, is_percentage = _amount(amount, named, bound)
    except AmountError as error:
        raise UsageError(
            [Finding(catalogue.NOT_AN_AMOUNT, str(error), at, help=error.help)]
        ) from None
    if wrong:
        message, hint = wrong
        raise UsageError([Finding(catalogue.CANNOT_BOUND, message, place, help=hint)])
    return Limit(
        named.metric,
        bound,
        value,
        amount.strip(),
        is_percentage=is_percentage,
        is_share=named.is_share,
        scope=scope,
        place=at,
    )


def _amount(text: str, named: _Named, bound: Bound) -> tuple[Fraction, bool]:
    """The amount of a limit, and whether it is a percentage. Raises AmountError."""
    percent = named.is_share or (None if bound is Bound.MAX_INCREASE else False)
    amount, is_percentage = parse_amount(text, named.metric.unit, percent=percent)
    if named.is_share and amount > 1:
        # No part is that large: as a `max` it would never fail.
        raise AmountError(f"{text.strip()!r} is more than the whole", "a share is at most 100%")
    return amount, is_percentage


def _objection(named: _Named, bound: Bound, scope: Scope) -> tuple[str, str | None] | None:
    """Why a metric cannot be bounded so, and what to do; None if it can."""
    each, is_share = named
    name = each.name + _SHARE * is_share
    if bound is Bound.MAX_INCREASE:
        if is_share:
            return (f"no baseline has `{name}`", "bound it by `max` or `min`")
        if scope is not Scope.NETWORK:
            return ("an increase is of a whole network", "leave out `of`")
    if is_share and scope is Scope.NETWORK:
        return (f"`{name}` is of a part of a network", _NOT_OF_NETWORKS)
    if scope is not Scope.NETWORK and not each.of_layers:
        return (
            f"`{name}` is of a whole network, not of a {scope.value}",
            "bound it in the budget's own `max` or `min`, without `of`",
        )
    return None


def _limits(
    reader: ValueGrammar,
    record: YamlMapping,
    scope: Scope = Scope.NETWORK,
    *,
    warns: bool = False,
) -> Iterator[Limit]:
    """The limits under `max`, `min` and `max_increase` of a record.

    ``warns`` is for those that have no `level` of their own.
    """
    for bound in Bound:
        if bound.value not in record.entries:
            continue
        if bound is Bound.MAX_INCREASE and scope is not Scope.NETWORK:
            continue  # an unknown key there, and reported as one
        key, node = record.entries[bound.value]
        example = "{macs: 2%, params: 50k}" if bound is Bound.MAX_INCREASE else "{params: 5.5M}"
        metrics = reader.mapping(node, f"`{bound.value}`", f"{bound.value}: {example}")
        if metrics is None:
            continue
        if not metrics.entries:
            reader.report(
                catalogue.EMPTY_BUDGET,
                f"`{bound.value}` bounds nothing",
                key.place,
                f"leave it out, or name a metric: `{bound.value}: {example}`",
            )
        seen: dict[tuple[str, bool], YamlScalar] = {}
        for name, (name_key, value) in metrics.entries.items():
            named = _named(name)
            if named is None:
                reader.complaints += 1
                reader.findings.add(_unknown_metric(name, name_key.place))
                continue
            first = seen.setdefault((named.metric.key, named.is_share), name_key)
            if first is not name_key:
                reader.report(
                    catalogue.DUPLICATE_KEY,
                    f"`{name}` and `{first.text}` are the same metric",
                    name_key.place,
                    "keep one of the two",
                    related=(Related("first", first.place),),
                )
                continue
            limit = _limit(reader, name_key, value, named, bound, scope, warns=warns)
            if limit is not None:
                yield limit


def _limit(
    reader: ValueGrammar,
    key: YamlScalar,
    node: YamlNode,
    named: _Named,
    bound: Bound,
    scope: Scope,
    *,
    warns: bool,
) -> Limit | None:
    """One limit: an amount, or a mapping that says more."""
    name = key.text
    message = None
    if isinstance(node, YamlMapping):
        known = {**LIMIT_KEYS}
        if scope is not Scope.NETWORK:
            del known["of"]  # where it stands says it
        reader.check_keys(node, known, f"the limit of `{name}`")
        warns = _level(reader, node, usual=warns)
        message = reader.optional_text(node, "message")
        if "of" in node.entries and "of" in known:
            scope = _scope(reader, node)
        elif named.is_share and scope is Scope.NETWORK:
            scope = Scope.LAYER
        if "limit" not in node.entries:
            reader.report(
                catalogue.MISSING_KEY,
                f"the limit of `{name}` has no `limit`",
                node.place,
                f"for example `{name}: {{limit: 320M, level: warn}}`",
            )
            return None
        node = node.entries["limit"][1]
    elif named.is_share and scope is Scope.NETWORK:
        # A part of the whole is one layer's, unless it says a group's.
        scope = Scope.LAYER
    if not isinstance(node, YamlScalar) or isinstance(node.value, bool | None) or not node.text:
        unit = "percent" if named.is_share else named.metric.unit
        reader.report(
            catalogue.NOT_AN_AMOUNT,
            f"`{name}` is bounded by {described(node)}",
            node.place,
            AMOUNT_EXAMPLES[unit],
        )
        return None
    try:
        amount, is_percentage = _amount(node.text, named, bound)
    except AmountError as error:
        reader.report(catalogue.NOT_AN_AMOUNT, str(error), node.place, error.help)
        return None
    wrong = _objection(named, bound, scope)
    if wrong:
        reader.report(catalogue.CANNOT_BOUND, wrong[0], key.place, wrong[1])
        return None
    return Limit(
        named.metric,
        bound,
        amount,
        node.text.strip(),
        is_percentage=is_percentage,
        is_share=named.is_share,
        warns=warns,
        scope=scope,
        message=message,
        place=node.place,
    )


def _word(reader: ValueGrammar, record: YamlMapping, key: str, words: tuple[str, ...]) -> str:
    """The word under ``key``; reported, and the first, if it is not one of ``words``."""
    node = record.entries[key][1]
    text = node.text if isinstance(node, YamlScalar) else ""
    if text in words:
        return text
    close = close_match(text, words)
    reader.report(
        catalogue.WRONG_TYPE,
        f"`{key}` must be one of {listed(words)}, not {_as_written(node)}",
        node.place,
        f"did you mean `{close}`?" if close else None,
    )
    return words[0]


def _as_written(node: YamlNode) -> str:
    """A node in words, where a number and the text of its digits are not the same."""
    is_text = isinstance(node, YamlScalar) and isinstance(node.value, str)
    return f"the text {described(node)}" if is_text else described(node)


def _level(reader: ValueGrammar, record: YamlMapping, *, usual: bool = False) -> bool:
    """Whether to be over the limits of a record is a warning only."""
    if "level" not in record.entries:
        return usual
    return LEVELS[_word(reader, record, "level", tuple(LEVELS))]


def _scope(reader: ValueGrammar, record: YamlMapping) -> Scope:
    return Scope(_word(reader, record, "of", tuple(scope.value for scope in Scope)))


def _matches(reader: ValueGrammar, record: YamlMapping, key: str, scope: Scope) -> Iterator[Limit]:
    """The limits under `layers` or `groups`."""
    if key not in record.entries:
        return
    word, node = record.entries[key]
    items = node.items if isinstance(node, YamlSequence) else (node,)
    example = '{match: "stage4*", max: {activations: 2 MiB}}'
    if not items:
        reader.report(catalogue.EMPTY_BUDGET, f"`{key}` is empty", word.place, example)
    for item in items:
        entry = reader.mapping(item, f"an entry of `{key}`", example)
        if entry is None:
            continue
        hints = {"max_increase": "an increase is of a whole network: it belongs beside `max`"}
        reader.check_keys(entry, MATCH_KEYS, f"an entry of `{key}`", hints)
        if "match" not in entry.entries:
            reader.report(
                catalogue.MISSING_KEY,
                f"an entry of `{key}` has no `match`",
                entry.place,
                f"for example `{example}`",
            )
        pattern = reader.optional_text(entry, "match")
        warns = _level(reader, entry)
        message = reader.optional_text(entry, "message")
        found = list(_limits(reader, entry, scope, warns=warns))
        if not any(bound.value in entry.entries for bound in Bound):
            reader.report(
                catalogue.EMPTY_BUDGET,
                f"this entry of `{key}` bounds nothing",
                entry.place,
                f"give it `max` or `min`, such as `{example}`",
            )
        for limit in found:
            yield limit._replace(pattern=pattern, message=limit.message or message)


# -- budgets ---------------------------------------------------------------------------------------


def spec_budgets(
    reader: ValueGrammar, node: YamlNode, variants: tuple[str, ...]
) -> tuple[Budget, ...]:
    """The `budget` of a spec with these variants: one record, or a list of them."""
    items = node.items if isinstance(node, YamlSequence) else (node,)
    if not items:
        reader.report(catalogue.EMPTY_BUDGET, "`budget` is empty", node.place, "leave it out")
    found = []
    for item in items:
        record = reader.mapping(item, "`budget`", "budget: {max: {params: 5.5M}}")
        if record is None:
            continue
        reader.check_keys(
            record,
            SPEC_BUDGET_KEYS,
            "a `budget`",
            {"spec": "a `budget` in a spec is for this spec: leave it out"},
        )
        chosen = tuple(_references(reader, record, "variants"))
        for each in chosen:
            if not any(matches(each.text, variant) for variant in variants):
                close = close_match(each.text, variants)
                reader.report(
                    catalogue.NO_MATCH,
                    f"no variant is called `{each.text}`",
                    each.place or record.place,
                    f"did you mean `{close}`?"
                    if close
                    else f"there are {listed(variants) or 'none'}",
                )
        found.append(_budget(reader, record)._replace(variants=chosen))
    return tuple(found)


class BudgetFile(NamedTuple):
    """A budget file that has been read."""

    source: SourceText
    folder: Path
    """What the paths in it are relative to."""
    budgets: tuple[Budget, ...]


def read_budget_file(path: str) -> BudgetFile | None:
    """The budget file ``path``; None if it is none, but maybe a spec.

    Raises UsageError for a file that cannot be read, SpecError with everything that is wrong.
    """
    if path == "-" or "::" in path:
        return None  # standard input can be read but once, and has no folder
    found = read_reference(path)
    if "budgets" not in found.text:
        return None
    findings = Findings()
    reader = ValueGrammar(findings)
    budgets: tuple[Budget, ...] = ()
    try:
        root = compose(found.source, found.text, findings)
        if not isinstance(root, YamlMapping) or "budgets" not in root.entries:
            return None
        reader = ValueGrammar(findings)
        budgets = tuple(_file_budgets(reader, root))
    except EnoughFindingsError:
        pass
    if findings.errors:
        raise SpecError(findings.in_order())
    return BudgetFile(found.source, Path(path).parent, budgets)


def _file_budgets(reader: ValueGrammar, root: YamlMapping) -> Iterator[Budget]:
    reader.check_keys(
        root,
        BUDGET_FILE_KEYS,
        "a budget file",
        dict.fromkeys(BUDGET_KEYS, "limits stand in the entries of `budgets`"),
    )
    if "version" not in root.entries:
        reader.report(
            catalogue.MISSING_KEY,
            "the budget file has no `version`",
            root.place,
            f"begin with `version: {VERSION}`",
        )
    else:
        version = root.entries["version"][1]
        value = version.value if isinstance(version, YamlScalar) else None
        if isinstance(value, bool) or value != VERSION:  # `true` equals 1
            reader.report(
                catalogue.WRONG_TYPE,
                f"this convcalc reads budgets of version {VERSION}, not {_as_written(version)}",
                version.place,
                f"write `version: {VERSION}`",
            )
    key, node = root.entries["budgets"]
    if not isinstance(node, YamlSequence) or not node.items:
        reader.report(
            catalogue.EMPTY_BUDGET,
            f"`budgets` must be a list of budgets, not {described(node)}"
            if not isinstance(node, YamlSequence)
            else "`budgets` is empty: it bounds nothing",
            node.place if isinstance(node, YamlSequence) else key.place,
            "for example `budgets: [{spec: net.yaml, max: {params: 5.5M}}]`",
        )
        return
    for item in node.items:
        record = reader.mapping(item, "a budget", "{spec: net.yaml, max: {params: 5.5M}}")
        if record is None:
            continue
        reader.check_keys(
            record, BUDGET_KEYS, "a budget", {"variants": "name them in `spec`: net.yaml::small"}
        )
        if "spec" not in record.entries:
            reader.report(
                catalogue.MISSING_KEY,
                "a budget needs `spec`: the networks that it is for",
                record.place,
                "for example `spec: nets/*.yaml`",
            )
        specs = tuple(_references(reader, record, "spec"))
        yield _budget(reader, record)._replace(specs=specs)


def _budget(reader: ValueGrammar, record: YamlMapping) -> Budget:
    """What budgets in specs and in files have in common."""
    message = reader.optional_text(record, "message")
    limits = (
        *_limits(reader, record),
        *_matches(reader, record, "layers", Scope.LAYER),
        *_matches(reader, record, "groups", Scope.GROUP),
    )
    is_empty = not any(key in record.entries for key in _LIMIT_LISTS)
    if is_empty:
        reader.report(
            catalogue.EMPTY_BUDGET,
            "a budget without a limit lets everything pass",
            record.place,
            "give it `max`, `min`, `max_increase`, `layers` or `groups`",
        )
    baseline = next(_references(reader, record, "baseline", several=False), None)
    if baseline is not None and Bound.MAX_INCREASE.value not in record.entries and not is_empty:
        reader.report(
            catalogue.EMPTY_BUDGET,
            "nothing is held against the `baseline`",
            record.entries["baseline"][0].place,
            "give the budget `max_increase: {macs: 2%}`, or leave the baseline out",
        )
    return Budget(
        tuple(limit._replace(message=limit.message or message) for limit in limits),
        name=reader.optional_text(record, "name"),
        conditions=_conditions(reader, record),
        baseline=baseline,
        place=record.place,
    )


def _references(
    reader: ValueGrammar, record: YamlMapping, key: str, *, several: bool = True
) -> Iterator[Reference]:
    """The text under ``key``, or the texts."""
    if key not in record.entries:
        return
    node = record.entries[key][1]
    if isinstance(node, YamlSequence) and several:
        if not node.items:
            reader.report(
                catalogue.EMPTY_BUDGET,
                f"`{key}` is empty",
                node.place,
                "name at least one" if key == "spec" else "leave it out, or name one",
            )
        nodes = node.items
    else:
        nodes = (node,)
    for each in nodes:
        text = reader.text(each, key)
        if text is not None:
            yield Reference(text, each.place)


def _conditions(reader: ValueGrammar, record: YamlMapping) -> Conditions:
    """What the networks of a budget are analyzed under."""
    entries = record.entries
    places = {key: entries[key][1].place for key in _CONDITIONS if key in entries}
    settings: dict[str, Any] = {}
    if "set" in entries:
        mapping = reader.mapping(entries["set"][1], "`set`", "set: {H: 192, W: 192}")
        for name, (key, node) in mapping.entries.items() if mapping else ():
            if isinstance(node, YamlScalar) and node.value is None:
                reader.report(
                    catalogue.WRONG_TYPE, f"`{name}` is set to nothing", key.place, "give a value"
                )
                continue
            template = reader.free_template(node, Names(), own_words=True)
            if template.constant is not VARIES:
                settings[name] = template.constant
    batch = None
    if "batch" in entries:
        node = entries["batch"][1]
        value = node.value if isinstance(node, YamlScalar) else None
        if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= LARGEST_BATCH:
            batch = value
        else:
            reader.report(
                catalogue.WRONG_TYPE,
                f"`batch` must be a number of samples, not {_as_written(node)}",
                node.place,
                f"write 1 or more, up to {LARGEST_BATCH:,}",
            )
    in_place = None
    if "in_place" in entries:
        in_place = _word(reader, record, "in_place", ("true", "false")) == "true"
    dtype = reader.optional_text(record, "dtype")
    return Conditions(
        settings=settings,
        batch=batch,
        weights_dtype=reader.optional_text(record, "weights_dtype") or dtype,
        activations_dtype=reader.optional_text(record, "activations_dtype") or dtype,
        in_place=in_place,
        order=_word(reader, record, "order", ("given", "best")) if "order" in entries else None,
        optimizer=reader.optional_text(record, "optimizer"),
        device=reader.optional_text(record, "device"),
        places=places,
    )


# -- specs -----------------------------------------------------------------------------------------


def specs_of(reference: Reference, folder: Path) -> tuple[str, ...]:
    """The specs that a budget names, as one would name them on the command line, in order.

    A path, or a pattern of paths, is relative to ``folder``, where the budget file is; what is no
    file there may be a shipped network. Raises UsageError if there is none.
    """
    path, separator, variant = reference.text.partition("::")
    here = folder / path
    tail = separator + variant
    if _is_file(here):
        return (f"{here}{tail}",)
    if not any(character in path for character in "*?["):
        # Maybe a shipped network; if not, reading it says so.
        return (f"{here if '/' in path or path.endswith(('.yaml', '.yml')) else path}{tail}",)
    pattern = re.sub(r"(?<![^/])(?:\*\*/){2,}", "**/", path)
    if pattern.count("**") > MOST_DEEP:
        raise UsageError(
            [
                Finding(
                    catalogue.NO_MATCH,
                    f"`{reference.text}` has more than {MOST_DEEP} `**`",
                    reference.place,
                    help="each may stand for any folders: the folders are gone through as many "
                    "times over; name some of them",
                )
            ]
        )
    # Path.glob knows no absolute patterns. Two `**` find a file by more than one way.
    found = sorted(set(glob(pattern, root_dir=folder, recursive=True)))  # noqa: PTH207 - see above
    # A link that leads nowhere is named too: it cannot be read, and reading it says so.
    files = [each for each in found if not _is_folder(folder / each)]
    if not files:
        raise UsageError(
            [
                Finding(
                    catalogue.NO_MATCH,
                    f"no file matches `{reference.text}`",
                    reference.place,
                    help=f"it is looked for in {folder.resolve()}",
                )
            ]
        )
    return tuple(f"{folder / each}{tail}" for each in files)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name too long, or a folder that may not be entered
        return False
