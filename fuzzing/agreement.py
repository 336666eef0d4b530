"""What one run says about others: the same network told in another way has the same costs.

Of a spec that is refused nothing is to be seen but findings. Of one that is not, more can be asked
than that its report is whole: whether another reader of YAML would have refused it, whether a key
that nobody knows would have been, and whether the layers written out one by one cost the same.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import FunctionType
from typing import Any, Final, TypeAlias

import yaml
from cases import STANDARD_INPUT, Case
from permitted import check_code, json_of, options_of
from running import Outcome

__all__ = ["contradictions"]

Run: TypeAlias = Callable[[Case], Outcome]

UNKNOWN: Final = "zz_unknown"
MOST_FLAT: Final = 300
"""Layers of a network that is written out one by one."""
LARGEST_LIMIT: Final = 10**20
"""A limit of more digits is refused."""
OPEN_KEYS: Final = frozenset({"vars", "args", "for", "set", "inputs"})
"""Under these keys stand names that the user makes up, and values of any form."""
BREAKS: Final = re.compile("[\r\x85\u2028\u2029\ufeff]")
"""Where readers differ in what a line is."""
VALUES: Final = ("relu: 1", "[1]", "{a: 1}", "1", "", "x")
CONDITIONS: Final = (
    *("--batch", "--dtype", "--weights-dtype", "--activations-dtype", "--optimizer", "--order"),
    "--in-place",
)
CSafeLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def contradictions(case: Case, outcome: Outcome, run: Run, chance: random.Random) -> Iterator[str]:
    """What contradicts the outcome of a case; the ``chance`` says what of it is looked into."""
    names = [name for name, _ in case.files if _reads(case, name)]
    if outcome.code == 2 or "--help" in case.arguments:
        return
    for name in names:
        text = case.text(name)
        if text is not None and "--set" not in case.arguments:
            yield from _other_reader(name, text)
    ways: list[Callable[[], Iterator[str]]] = [lambda: _same_again(case, outcome, run)]
    if case.arguments[0] == "budget" and outcome.out:
        ways += [lambda: _own_budget(case, outcome, run)] * 3
    if names:
        name = chance.choice(names)
        ways += [lambda: _unknown_key(case, name, run, chance)] * 2
        if case.arguments[0] in {"analyze", "explain", "reconcile"}:
            ways += [lambda: _written_out(case, name, run)] * 3
            ways += [lambda: _other_formats(case, name, run), lambda: _limits(case, name, run)]
            ways += [lambda: _set_to_itself(case, name, run)]
        if case.arguments[0] in {"analyze", "formula"}:
            ways += [lambda: _as_formula(case, name, run)] * 2
    yield from chance.choice(ways)()


def _reads(case: Case, name: str) -> bool:
    """Whether a case names a file as a spec or as a budget, as a whole."""
    if not name.endswith(".yaml") and name != STANDARD_INPUT:
        return False
    return name in [option.partition("::")[0] for option, value in options_of(case) if not value]


# -- what should have been refused ----------------------------------------------------------------


def _other_reader(name: str, text: str) -> Iterator[str]:
    """What PyYAML's own reading of a text that was accepted says against it."""
    try:
        documents = list(yaml.compose_all(text, CSafeLoader))
    except (yaml.YAMLError, ValueError) as error:
        yield f"{name} is no YAML: {str(error)[:200]}"
        return
    if len(documents) != 1:
        yield f"{name} has {len(documents)} documents"
        return
    met: set[int] = set()
    waiting = list(documents)
    while waiting:
        node = waiting.pop()
        if id(node) in met:
            continue
        met.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            waiting += node.value
        elif isinstance(node, yaml.MappingNode):
            keys = [
                key.value if isinstance(key, yaml.ScalarNode) else None for key, _ in node.value
            ]
            if None in keys:
                yield f"{name} has a key that is no text, and was accepted"
            elif len(set(keys)) < len(keys):
                yield f"{name} has a key twice in {keys}, and was accepted"
            if "<<" in [k for k in keys if k is not None and _is_plain_merge(node, k)]:
                yield f"{name} has a merge key, and was accepted"
            waiting += [value for _, value in node.value]
        elif node.tag == "tag:yaml.org,2002:float" and re.fullmatch(
            r"[-+]?\.(?:inf|nan)", node.value, re.IGNORECASE
        ):
            yield f"{name} has {node.value}, and was accepted"


def _is_plain_merge(node: yaml.MappingNode, key: str) -> bool:
    return any(each.value == key and not each.style for each, _ in node.value)


def _unknown_key(case: Case, name: str, run: Run, chance: random.Random) -> Iterator[str]:
    """A key that nobody knows, put into a text that was accepted, is refused wherever it stands."""
    text = case.text(name)
    places = [] if text is None or BREAKS.search(text) else list(_mappings(text))
    if text is None or not places:
        return
    line, column, is_flow, path = chance.choice(places)
    lines = text.split("\n")
    before, after = lines[line][:column], lines[line][column:]
    if is_flow:
        # The rest of `{}` and `{a: 1}` alike.
        rest = after[1:].lstrip()
        comma = "" if rest.startswith("}") else ", "
        lines[line] = f"{before}{{{UNKNOWN}: {chance.choice(VALUES[1:4])}{comma}{after[1:]}"
    else:
        lines[line] = f"{before}{UNKNOWN}: {chance.choice(VALUES[1:4])}\n{' ' * column}{after}"
    changed = case.with_file(name, "\n".join(lines))
    ended = run(changed)
    if ended.code != 2 and "--exit-zero" not in case.arguments:
        where = f"`{'.'.join(path)}`" if path else "the document"
        yield (
            f"exit code {ended.code} with the unknown key `{UNKNOWN}` in {where} at "
            f"{name}:{line + 1}:{column + 1}"
        )


def _mappings(text: str) -> Iterator[tuple[int, int, bool, tuple[str, ...]]]:
    """Where mappings with keys of the language begin, whether with a brace, and under which."""
    try:
        root = yaml.compose(text, CSafeLoader)
    except (yaml.YAMLError, ValueError):
        return
    if root is None:
        return
    lines = text.split("\n")
    waiting: list[tuple[yaml.Node, tuple[str, ...]]] = [(root, ())]
    met: set[int] = set()
    while waiting:
        node, path = waiting.pop()
        if id(node) in met or OPEN_KEYS & set(path):
            continue
        met.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            waiting += [(each, path) for each in node.value]
        elif isinstance(node, yaml.MappingNode):
            waiting += [
                (value, (*path, key.value))
                for key, value in node.value
                if isinstance(key.value, str)
            ]
            line, column = node.start_mark.line, node.start_mark.column
            start = lines[line][column:] if line < len(lines) else ""
            first = node.value[0][0] if node.value else None
            if start.startswith("{"):
                yield line, column, True, path
            elif (
                first is not None
                and (first.start_mark.line, first.start_mark.column) == (line, column)
                and not start.startswith(("?", "&", "!", "*", '"', "'"))
            ):
                yield line, column, False, path


# -- the same network, told in another way --------------------------------------------------------


def _same_again(case: Case, outcome: Outcome, run: Run) -> Iterator[str]:
    if "--update-baseline" in case.arguments or "-o" in case.arguments:
        return
    again = run(case)
    if (again.code, again.out, again.err) != (outcome.code, outcome.out, outcome.err):
        yield "a second run said something else"


def _given(case: Case, wanted: Sequence[str]) -> list[str]:
    """Those of the wanted options that a case has, with their values."""
    return [
        each
        for option, value in options_of(case)
        if option in wanted
        for each in ((option, value) if value else (option,))
    ]


def _analyzed(case: Case, name: str, run: Run, *more: str) -> Mapping[str, Any] | None:
    """The first network of a file, under the conditions of a case; None if it is refused."""
    kept = [each for each in case.arguments[1:] if each.partition("::")[0] == name][:1]
    kept += _given(case, (*CONDITIONS, "--set"))
    ended = run(case._replace(arguments=("analyze", *kept, "--format", "json", *more)))
    if ended.code:
        return None
    networks = json_of(ended.out)["networks"]
    return networks[0] if networks else None


def _written_out(case: Case, name: str, run: Run) -> Iterator[str]:
    """The layers of a network one by one, each with all of its fields, cost the same."""
    network = _analyzed(case, name, run)
    if network is None or len(network["layers"]) > MOST_FLAT:
        return
    names = {input_: f"in{number}" for number, input_ in enumerate(network["inputs"])}
    names |= {layer["name"]: f"l{number}" for number, layer in enumerate(network["layers"])}
    entries = []
    for layer in network["layers"]:
        fields = {key: value for key, value in layer["fields"].items() if value is not None}
        entry = {
            layer["kind"]: fields,
            "name": names[layer["name"]],
            "from": [names[each] for each in layer["inputs"]],
        }
        if layer["shares_weights_with"] is not None:
            entry["share"] = names[layer["shares_weights_with"]]
        entries.append(entry)
    flat = {
        "inputs": {names[each]: shape for each, shape in network["inputs"].items()},
        "layers": entries,
        "outputs": [names[each] for each in network["outputs"]],
    }
    text = json.dumps(flat, indent=1)
    written = Case(("analyze", "flat.yaml"), (("flat.yaml", text.encode()),))
    conditions = _given(case, CONDITIONS)
    again = run(
        written._replace(arguments=("analyze", "flat.yaml", *conditions, "--format", "json"))
    )
    if again.code:
        yield f"its layers one by one are refused: {again.err[:600]}\n{text}"
        return
    flat_network = json_of(again.out)["networks"][0]
    if flat_network["totals"] != network["totals"]:
        yield f"its layers one by one cost {flat_network['totals']}, not {network['totals']}"
    for ours, theirs in zip(network["layers"], flat_network["layers"], strict=True):
        for key in ("output_shape", "params", "macs", "flops", "weights", "receptive_field"):
            if ours[key] != theirs[key]:
                yield f"{ours['name']}: {key} {ours[key]}, and alone {theirs[key]}"


def _other_formats(case: Case, name: str, run: Run) -> Iterator[str]:
    """A network's totals are the same in every format."""
    network = _analyzed(case, name, run)
    if network is None:
        return
    (reference,) = [each for each in case.arguments[1:] if each.partition("::")[0] == name][:1]
    settings = _given(case, (*CONDITIONS, "--set"))
    for format_ in ("plain", "markdown", "table"):
        ended = run(case._replace(arguments=("analyze", reference, *settings, "--format", format_)))
        for key in ("params", "macs", "flops"):
            if f"{network['totals'][key]:,}" not in ended.out:
                yield f"the total of {key}, {network['totals'][key]:,}, is not in {format_}"
    ended = run(case._replace(arguments=("explain", reference, *settings, "--format", "json")))
    if ended.code:
        yield f"explain refuses what analyze accepts: {ended.err[:600]}"
        return
    for each in json_of(ended.out)["totals"][0]["sums"]:
        said = network["totals"].get(each["metric"])
        if said is not None and said != each["value"]:
            yield f"explain has {each['value']} {each['metric']}, analyze {said}"


def _limits(case: Case, name: str, run: Run) -> Iterator[str]:
    """A limit at the value holds, one below it does not."""
    text = case.text(name) or ""
    if "budget" in text or "variants" in text:
        return
    network = _analyzed(case, name, run)
    if network is None:
        return
    settings = _given(case, (*CONDITIONS, "--set"))
    for metric in ("params", "macs", "flops"):
        value = network["totals"][metric]
        for limit, code in ((value, 0), (value - 1, 1)):
            if not 0 <= limit < LARGEST_LIMIT:
                continue
            arguments = ("check", name, *settings, "--max", f"{metric}={limit}")
            ended = run(case._replace(arguments=arguments))
            if ended.code != code:
                yield f"exit code {ended.code} of {metric} {value} held against {limit}"


def _own_budget(case: Case, outcome: Outcome, run: Run) -> Iterator[str]:
    """A network is within the budget that was made from it, if it has none of its own."""
    if any(b"budget" in content for _, content in case.files):
        return
    files = tuple(each for each in case.files if each[0] != "budgets.yaml")
    made = ("budgets.yaml", outcome.out.encode("utf-8", "surrogateescape"))
    ended = run(Case(("check", "budgets.yaml"), (*files, made)))
    if ended.code:
        yield f"exit code {ended.code} of the budget that was made: {ended.err[:600]}"


def _set_to_itself(case: Case, name: str, run: Run) -> Iterator[str]:
    """To set a variable to the value that it has changes nothing."""
    text = case.text(name)
    if text is None or "variants" in text or "--set" in case.arguments:
        return
    try:
        variables = yaml.load(text, CSafeLoader).get("vars")  # noqa: S506 - it is a safe one
    except (yaml.YAMLError, ValueError, AttributeError):
        return
    if not isinstance(variables, dict):
        return
    numbers = {k: v for k, v in variables.items() if isinstance(k, str) and type(v) is int}
    before = _analyzed(case, name, run)
    for variable, value in list(numbers.items())[:3]:
        # 010 and 1_000 are numbers to YAML 1.1 alone.
        if before is None or not re.search(rf"\b{value}\b", text):
            continue
        after = _analyzed(case, name, run, "--set", f"{variable}={value}")
        if after is None or after["totals"] != before["totals"]:
            yield f"--set {variable}={value}, what it is, changes the costs"


def _as_formula(case: Case, name: str, run: Run) -> Iterator[str]:
    """The function that `formula` writes gives at the network's own sizes what `analyze` says."""
    references = [each for each in case.arguments[1:] if each.partition("::")[0] == name]
    settings = _given(case, ("--set", "--dtype"))
    arguments = ("formula", references[0], *settings)
    code = run(case._replace(arguments=(*arguments, "--format", "python")))
    said = run(case._replace(arguments=(*arguments, "--format", "json")))
    if code.code != said.code:
        yield f"exit code {code.code} of a formula in python, {said.code} in json"
    if code.code or said.code:
        return
    network = json_of(said.out)["networks"][0]
    costs = _analyzed(case._replace(arguments=("analyze", *arguments[1:])), name, run)
    own = {each["name"]: each["value"] for each in network["free"]}
    if costs is None or None in own.values() or network["moved"] or network["refused"]:
        return
    for key, total in network["totals"].items():
        if key in costs["totals"] and total["value"] != costs["totals"][key]:
            yield f"the formula of {key} gives {total['value']}, analyze {costs['totals'][key]}"
    if len(json_of(said.out)["networks"]) > 1:
        return
    space: dict[str, Any] = {}
    check_code(code.out)  # it holds nothing but arithmetic
    exec(compile(code.out, "formula", "exec"), space)  # noqa: S102 - see above
    function = next((each for each in space.values() if isinstance(each, FunctionType)), None)
    if function is None:
        yield "the code of a formula has no function"
        return
    parameters = function.__code__.co_varnames[: function.__code__.co_argcount]
    given = function(*own.values()) if len(parameters) == len(own) else None
    if given is None:
        yield f"the function has {parameters}, the report {own}"
        return
    for key, value in given.items():
        if key in costs["totals"] and value != costs["totals"][key]:
            yield f"the code of {key} gives {value} at {own}, analyze {costs['totals'][key]}"
