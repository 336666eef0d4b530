"""The codes of all findings: what each means, and a spec or command that brings it about.

``docs/errors.md`` is generated from here, with what convcalc really says of each example. Codes are
never reused. E0xx are about files and YAML, E1xx about the words of the spec language, E2xx about
expressions, E3xx about shapes and sizes, E4xx about the command line, E6xx about budgets that
cannot be judged; B6xx are what exceeds a budget, and W5xx warnings.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Code", "all_codes"]


class Code(NamedTuple):
    """A kind of finding."""

    id: str
    title: str
    meaning: str
    """Why it is refused, and how one comes to it."""
    example: str | None = None
    """A spec that brings it about."""
    command: str | None = None
    """The arguments of a command that brings it about."""


def all_codes() -> tuple[Code, ...]:
    """Every code, in the order of their numbers."""
    found = [value for value in globals().values() if isinstance(value, Code)]
    return tuple(sorted(found, key=lambda code: ("EBW".index(code.id[0]), code.id)))


# -- E0: files and YAML ---------------------------------------------------------------------------

FILE_NOT_FOUND = Code(
    "E001",
    "file not found",
    "No file has this path, and no network that ships with convcalc has this name.",
    command="analyze resnet.yml",
)
IS_A_DIRECTORY = Code(
    "E002",
    "directory in place of a file",
    "A spec is one file. Name it, or let the shell list them: `nets/*.yaml`.",
    command="analyze .",
)
NOT_TEXT = Code(
    "E003",
    "not a text file",
    "The file holds bytes that no text has. A trained model (.onnx, .pt, .h5) is not a spec.",
)
WRONG_ENCODING = Code(
    "E004",
    "wrong encoding",
    "A spec is UTF-8, with or without a byte order mark. Save the file as UTF-8.",
)
CANNOT_READ = Code(
    "E005",
    "file cannot be read",
    "The operating system refuses to read the file.",
)
FILE_TOO_LARGE = Code(
    "E006",
    "file too large",
    "A spec has at most 1 MiB. What repeats belongs into `repeat`, `for` and blocks.",
)
EMPTY = Code(
    "E007",
    "nothing there",
    "The file, a list of layers or a `for` is empty, or every layer is left out by its `if`.",
    example="# a comment is no network\n",
)
YAML_SYNTAX = Code(
    "E010",
    "YAML syntax",
    "The text is not YAML. The place is where the reader noticed; the cause is there or above.",
    example="input: [3, 224, 224\nlayers:\n  - relu\n",
)
TAB_INDENTATION = Code(
    "E011",
    "tab in the indentation",
    "YAML forbids tabs in the indentation, because their width differs from editor to editor.",
    example="input: [3, 32, 32]\nlayers:\n\t- relu\n",
)
UNQUOTED_COMMA = Code(
    "E012",
    "expression cut at a comma",
    "Inside braces and brackets YAML ends a value at a comma, so an expression that has one must "
    "be quoted. Outside braces it need not be.",
    example="input: [32, 8, 8]\nlayers:\n"
    "  - conv: {out_channels: max(8, in_channels // 4), kernel_size: 1}\n",
)
UNQUOTED_BRACKET = Code(
    "E013",
    "bracket in an unquoted expression",
    "Inside braces YAML reads a bracket as the start of a list, so an expression with an index "
    "must be quoted. Outside braces it need not be.",
    example="vars: {widths: [16, 32]}\ninput: [3, 8, 8]\nlayers:\n"
    "  - conv: {out_channels: widths[0], kernel_size: 1}\n",
)
DUPLICATE_KEY = Code(
    "E014",
    "duplicate key",
    "A key stands twice in one mapping; YAML readers differ in which of the two they keep.",
    example="input: [3, 32, 32]\nlayers:\n"
    "  - conv: {out_channels: 8, kernel_size: 3, out_channels: 16}\n",
)
KEY_NOT_TEXT = Code(
    "E015",
    "key that is not a text",
    "The keys of a spec are words. A number, a list or nothing in place of a key mostly comes from "
    "braces or a colon that YAML read in another way than they were meant.",
    example="vars: {1: 64}\ninput: [3, 32, 32]\nlayers: [relu]\n",
)
MERGE_KEY = Code(
    "E016",
    "merge key",
    "`<<` belongs to YAML 1.1. Blocks with arguments do the same and can be read.",
    example="input: [3, 32, 32]\nlayers:\n"
    "  - conv: &base {out_channels: 8, kernel_size: 3}\n"
    "  - conv: {<<: *base, stride: 2}\n",
)
SEVERAL_DOCUMENTS = Code(
    "E017",
    "several documents",
    "A file holds one network, or one family of networks with `variants`.",
    example="input: [3, 32, 32]\nlayers: [relu]\n---\ninput: [3, 64, 64]\nlayers: [relu]\n",
)
ALIAS_CYCLE = Code(
    "E018",
    "alias inside its own anchor",
    "A YAML alias may not stand inside what it refers to: that would never end.",
    example="input: [3, 32, 32]\nlayers: &all\n  - relu\n  - layers: *all\n",
)
TOO_MANY_NODES = Code(
    "E019",
    "too many values",
    "A spec has at most 50,000 values, where a long text counts as several, and each use of an "
    "alias as a copy of what it refers to: nine levels of nine aliases would be a billion.",
)
NESTED_TOO_DEEPLY = Code(
    "E020",
    "nested too deeply",
    "A spec has at most 64 levels of nesting, and its layers, those of blocks within blocks "
    "included, at most 64 levels too.",
    example=f"input: {'[' * 70}{']' * 70}\nlayers: [relu]\n",
)
NOT_FINITE = Code(
    "E021",
    "not a finite number",
    "Infinity and NaN (`.inf`, `.nan`) are no sizes.",
    example="input: [3, .inf, 32]\nlayers: [relu]\n",
)
SEXAGESIMAL_LOOKALIKE = Code(
    "E022",
    "text that looks like a number of base 60",
    "YAML 1.1 reads 28:28 as a number of base 60, YAML 1.2 as a text. Whatever was meant, "
    "another tool will read it otherwise.",
    example="input: [3, 28:28]\nlayers: [relu]\n",
)
OCTAL_LOOKALIKE = Code(
    "E023",
    "number that looks octal",
    "YAML 1.1 reads 010 as 8, YAML 1.2 as 10.",
    example="input: [3, 010, 10]\nlayers: [relu]\n",
)
YAML_TAG = Code(
    "E024",
    "YAML tag",
    "The spec language has no tags. A condition is negated with `not`.",
    example="vars: {light: true}\ninput: [3, 32, 32]\nlayers:\n  - relu\n  - sigmoid: {}\n"
    "    if: !light\n",
)

# -- E1: words ------------------------------------------------------------------------------------

NOT_A_MAPPING = Code(
    "E101",
    "not a mapping",
    "Here a mapping is needed: `key: value` lines, or braces.",
    example="- conv\n- relu\n",
)
MISSING_KEY = Code(
    "E102",
    "missing key",
    "A part of the spec lacks something that it cannot do without.",
    example="layers: [relu]\n",
)
WRONG_TYPE = Code(
    "E103",
    "wrong type",
    "The value is not of the type that the key takes.",
    example="input: [3, 32, 32]\nlayers:\n  - conv: {out_channels: 8, kernel_size: 3, bias: 1}\n",
)
UNKNOWN_KEY = Code(
    "E104",
    "unknown key",
    "Nothing here has such a key. Field names are PyTorch's; a name from Keras or ONNX is "
    "answered with the one used here.",
    example="input: [3, 32, 32]\nlayers:\n  - conv: {filters: 8, kernal_size: 3, out_channels: 8, "
    "kernel_size: 3}\n",
)
MISSING_FIELD = Code(
    "E105",
    "missing field",
    "A layer kind, or a block, lacks a field that has no default.",
    example="input: [3, 32, 32]\nlayers:\n  - conv: {out_channels: 8}\n",
)
UNKNOWN_KIND = Code(
    "E106",
    "unknown layer kind",
    "There is no layer kind of this name, and the spec has no block of this name.",
    example="input: [3, 32, 32]\nlayers:\n"
    "  - Conv2d: {out_channels: 8, kernel_size: 3}\n  - rellu\n",
)
NO_KIND = Code(
    "E107",
    "layer without a kind",
    "An item of a list of layers says what it is with a kind, a block, `layers`, `parallel` or "
    "`residual`.",
    example="input: [3, 32, 32]\nlayers:\n  - {name: stem, repeat: 2}\n",
)
SEVERAL_KINDS = Code(
    "E108",
    "layer with several kinds",
    "Each item of a list of layers is one layer; a dash before the second kind is missing.",
    example="input: [3, 32, 32]\nlayers:\n  - conv: {out_channels: 8, kernel_size: 3}\n    relu:\n",
)
DUPLICATE_NAME = Code(
    "E109",
    "duplicate name",
    "Two layers of one scope have the same name. A scope is the network, a block, a group with a "
    "name, or a branch.",
    example="input: [3, 32, 32]\nlayers:\n  - relu:\n    name: act\n  - sigmoid:\n    name: act\n",
)
RESERVED_NAME = Code(
    "E110",
    "reserved name",
    "The name has a meaning of its own: `prev` and `input` in `from`, `in_channels`, `i` and the "
    "functions in expressions, the layer kinds among blocks.",
    example="input: [3, 32, 32]\nlayers:\n  - relu:\n    name: prev\n",
)
BAD_NAME = Code(
    "E111",
    "impossible name",
    "A layer's name has 1 to 80 printable characters, none of them a dot, and a path of names at "
    "most 250; a variable's name is a word.",
    example="input: [3, 32, 32]\nlayers:\n  - relu:\n    name: stage1.act\n",
)
RECURSIVE_BLOCK = Code(
    "E112",
    "block that uses itself",
    "A block that contains itself, directly or through others, would never end.",
    example="input: [3, 32, 32]\nblocks:\n  again:\n    layers: [relu, again]\nlayers: [again]\n",
)
UNKNOWN_TARGET = Code(
    "E113",
    "unknown layer in `from` or `outputs`",
    "`from` names a layer that stands before, in the same list or in one around it; the layers "
    "outside a block cannot be seen from inside it. `prev` is the layer before, `input` the "
    "input of the network or the block.",
    example="input: [3, 32, 32]\nlayers:\n  - relu:\n    name: act\n"
    "  - add:\n    from: [prev, akt]\n",
)
AMBIGUOUS_INPUT = Code(
    "E114",
    "which input?",
    "The network has several inputs, or several tensors come in here, and one is needed.",
    example="inputs: {image: [3, 32, 32], mask: [1, 32, 32]}\nlayers: [relu]\n",
)
CONFLICTING_KEYS = Code(
    "E115",
    "keys that exclude each other",
    "One of the two keys says all that the other could say.",
    example="input: [3, 32, 32]\ninputs: {image: [3, 32, 32]}\nlayers: [relu]\n",
)

# -- E2: expressions ------------------------------------------------------------------------------

EXPRESSION_SYNTAX = Code(
    "E201",
    "not an expression",
    "The text does not parse as an expression.",
    example="vars: {w: 8}\ninput: [3, 32, 32]\nlayers:\n"
    "  - conv: {out_channels: 2 * * w, kernel_size: 3}\n",
)
UNKNOWN_VARIABLE = Code(
    "E202",
    "unknown variable",
    "Names in expressions are those under `vars`, the arguments of the block, the variables of a "
    "`for`, `i` inside `repeat` and `for`, and `in_channels`.",
    example="vars: {width: 8}\ninput: [3, 32, 32]\nlayers:\n"
    "  - conv: {out_channels: 4 * widht, kernel_size: 3}\n",
)
UNKNOWN_FUNCTION = Code(
    "E203",
    "unknown function",
    "Expressions have `min`, `max`, `ceil`, `floor`, `round`, `make_divisible` and `len`.",
    example="input: [3, 32, 32]\nlayers:\n  - conv: {out_channels: int(8.5), kernel_size: 3}\n",
)
NOT_ALLOWED = Code(
    "E204",
    "not part of the expression language",
    "Expressions are arithmetic: no attributes, methods, lambdas, comprehensions or assignments.",
    example="input: [3, 32, 32]\nlayers:\n"
    '  - conv: {out_channels: "().__class__", kernel_size: 3}\n',
)
EXPRESSION_TOO_LARGE = Code(
    "E205",
    "expression too large",
    "An expression has at most 1,000 characters, 100 levels and exponents of 64, a list 500 items.",
    example="input: [3, 32, 32]\nlayers:\n  - conv: {out_channels: 9**9**9, kernel_size: 3}\n",
)
CANNOT_EVALUATE = Code(
    "E206",
    "expression without a value",
    "The expression parses, but has no value: a division by zero, an index past the end, "
    "arithmetic on what is no number.",
    example="vars: {depths: [2, 2]}\ninput: [3, 32, 32]\nlayers:\n"
    "  - repeat: depths[2]\n    relu:\n",
)
UNDECIDABLE = Code(
    "E207",
    "depends on a free symbol",
    "The layers that a network has must be known: a variable that decides about them cannot be "
    "left free.",
)
UNSET_VARIABLE = Code(
    "E208",
    "variable without a value",
    "The variable is declared without a value, and neither the variant nor `--set` gives it one.",
    example="vars: {width: }\ninput: [3, 32, 32]\nlayers:\n"
    "  - conv: {out_channels: width, kernel_size: 3}\n",
)

# -- E3: shapes and sizes -------------------------------------------------------------------------

OUT_OF_RANGE = Code(
    "E301",
    "number out of range",
    "The number is zero, negative or otherwise outside what the field can be.",
    example="input: [3, 32, 32]\nlayers:\n"
    "  - conv: {out_channels: 0, kernel_size: 3, padding: -1}\n",
)
NO_OUTPUT = Code(
    "E302",
    "no output",
    "The window does not fit into the padded input once, so nothing comes out.",
    example="input: [3, 5, 5]\nlayers:\n  - max_pool: {kernel_size: 7}\n    name: p5\n",
)
GROUPS_DO_NOT_DIVIDE = Code(
    "E303",
    "groups do not divide channels",
    "Each group takes an equal part of the input channels and makes an equal part of the output's.",
    example="input: [30, 8, 8]\nlayers:\n  - conv: {out_channels: 64, kernel_size: 3, groups: 4}\n",
)
SHAPES_DIFFER = Code(
    "E304",
    "merge of different shapes",
    "`add` needs equal shapes, `mul` shapes that are equal or 1, `concat` shapes that are equal "
    "beside the joined dimension. Both producers are shown.",
    example="input: [16, 8, 8]\nlayers:\n  - residual:\n      body:\n"
    "        - conv: {out_channels: 32, kernel_size: 3, stride: 2, padding: 1}\n",
)
WRONG_RANK = Code(
    "E305",
    "wrong number of axes",
    "The layer needs an input with another number of axes, or has a field with another number "
    "of values than the input has spatial axes.",
    example="input: [3, 32, 32]\nlayers:\n  - linear: {out_features: 10}\n",
)
NOT_WHOLE = Code(
    "E306",
    "fraction of a channel",
    "Sizes are whole numbers. How a fraction is rounded changes the network, so it must be said.",
    example="vars: {width: 0.35}\ninput: [3, 32, 32]\nlayers:\n"
    "  - conv: {out_channels: 32 * width, kernel_size: 3}\n",
)
NUMBER_TOO_LARGE = Code(
    "E307",
    "number too large",
    "Numbers in a spec, and all results on the way, are at most 10¹⁸.",
    example="input: [3, 32, 32]\nlayers:\n  - conv: {out_channels: 10**19, kernel_size: 3}\n",
)
NUMBER_OF_INPUTS = Code(
    "E308",
    "wrong number of inputs",
    "`add`, `mul` and `concat` join 2 to 128 inputs; every other layer takes one.",
    example="input: [3, 32, 32]\nlayers: [concat]\n",
)
INPUT_SIZE_MISMATCH = Code(
    "E309",
    "input of another size",
    "A size of the input that the spec states is not the size that the input has.",
    example="input: [3, 32, 32]\nlayers:\n"
    "  - conv: {in_channels: 64, out_channels: 8, kernel_size: 3}\n",
)
PADDING_TOO_WIDE = Code(
    "E310",
    "padding wider than half the window",
    "A pooling window could then lie in the padding alone; PyTorch refuses this too.",
    example="input: [3, 32, 32]\nlayers:\n  - max_pool: {kernel_size: 3, padding: 2}\n",
)
NO_SUCH_DIMENSION = Code(
    "E311",
    "no such dimension",
    "Dimensions count as in PyTorch, with the batch as 0, which no layer may touch.",
    example="input: [10]\nlayers:\n  - softmax: {dim: 2}\n",
)
CANNOT_DIVIDE = Code(
    "E314",
    "parts that do not make up the whole",
    "A reshape, a split or a pixel shuffle hands every element on: its sizes must multiply, or add "
    "up, to those of the input.",
    example="input: [10]\nlayers:\n  - split: {sections: 3}\n  - concat\n",
)
CANNOT_SHARE = Code(
    "E315",
    "weights that cannot be shared",
    "Layers that share weights have weights of the same shapes. Those of a block or a group are "
    "shared layer by layer, in order.",
    example="inputs: {left: [3, 32, 32], right: [1, 32, 32]}\nlayers:\n"
    "  - conv: {out_channels: 8, kernel_size: 3}\n    name: eye\n    from: left\n"
    "  - share: eye\n    name: other_eye\n    from: right\n  - add:\n    from: [eye, other_eye]\n",
)
TOO_MANY_LAYERS = Code(
    "E312",
    "too many layers",
    "A network has at most 150,000 layers.",
    example="input: [3, 32, 32]\nlayers:\n  - repeat: 10**9\n    relu:\n",
)
TOO_MUCH_WORK = Code(
    "E313",
    "too much to work out",
    "A network is built in about a second, or not at all: rounds of `repeat` and `for`, layers "
    "that differ and expressions are counted as they are gone through. 100,000 equal layers are "
    "no trouble, nor are 15,000 different ones.",
    example="input: [3, 32, 32]\nlayers:\n  - relu\n  - repeat: 1000\n    layers:\n"
    "      - repeat: 1000\n        sigmoid:\n        if: i < 0\n",
)

# -- E4: the command line -------------------------------------------------------------------------

UNKNOWN_VARIANT = Code(
    "E401",
    "unknown variant",
    "The file has no variant of this name.",
    command="analyze resnet::resnet51",
)
BAD_OPTION = Code(
    "E402",
    "option without a meaning",
    "The value of an option cannot be understood.",
    command="analyze lenet5 --dtype float33",
)
CANNOT_WRITE = Code(
    "E403",
    "file cannot be written",
    "A file cannot be written, or is there and would be lost. Nothing was: neither this file nor "
    "any other.",
    command="analyze lenet5 --export json:no/such/folder/report.json",
)
TOO_FEW_NETWORKS = Code(
    "E404",
    "nothing to compare",
    "A comparison needs two networks: two specs, or one file with variants.",
    command="compare lenet5",
)
NOT_A_REPOSITORY = Code(
    "E405",
    "no git repository",
    "A spec at a revision is read from the git repository that its file is in, by `git` itself. "
    "There is no such repository, git refuses to read it, or git is not installed.",
)
UNKNOWN_REVISION = Code(
    "E406",
    "unknown revision",
    "The repository has no commit of this name. A clone made for a single build often has the "
    "newest commit alone; fetch the other one first.",
)
NOT_AT_REVISION = Code(
    "E407",
    "not there at the revision",
    "The file is new: the commit has none of its path. Standard input and the networks that ship "
    "with convcalc have no revisions.",
    command="compare lenet5 --against HEAD",
)
NO_LAYER = Code(
    "E408",
    "no such layer",
    "Nothing in the network has this name, or a name that the pattern fits: neither a layer nor a "
    "group of layers. Inputs of the network are no layers.",
    command="explain lenet5 conv9",
)

CANNOT_BE_FREE = Code(
    "E420",
    "size that cannot be free",
    "A formula may leave free what is a number: a variable of the spec, an axis of the input by "
    "its name (C, H, W; C, L of a line; C, D, H, W of a volume; F of a vector), or the batch, N.",
    command="formula lenet5 --free heigth",
)
BAD_ASSUMPTION = Code(
    "E421",
    "assumption without a meaning",
    "What is assumed of a free size is a remainder, a least value, a value, or that it is the same "
    "as another; and some size must satisfy all that is assumed.",
    command="formula lenet5 --assume 'H % 0 == 0'",
)
NO_FORMULA = Code(
    "E422",
    "no formula for all sizes",
    "The metric is the largest of several sums, and which of them that is depends on the sizes.",
    command="formula unet --metric peak_memory",
)
BAD_CLAIM = Code(
    "E440",
    "claim that is no count",
    "A claim is a figure as it is quoted: a number with its unit, or a power of ten, and what it "
    "is of: operations by any name, or parameters.",
    command="reconcile lenet5 --claim '4,1 GFLOPs!'",
)
BAD_WRITING = Code(
    "E441",
    "form that no code has",
    "Where tools differ about a layer because of how its PyTorch code is written, that can be said "
    "of a kind, or of names: a module, a class derived from one, a function or an operator.",
    command="reconcile lenet5 --written relu=functional",
)

# -- E6: budgets that cannot be judged; B6: budgets that are exceeded -----------------------------

NOT_AN_AMOUNT = Code(
    "E601",
    "limit that is no amount",
    "A limit is a number in the unit of its metric. Memory needs a unit, because a plain number "
    "could be anything and MB is not MiB; a share is a percentage.",
    example="input: [3, 32, 32]\nlayers: [flatten, linear: {out_features: 10}]\n"
    "budget: {max: {params: 30_000, peak_memory: 24}}\n",
)
UNKNOWN_METRIC = Code(
    "E602",
    "unknown metric",
    "Nothing of this name is worked out. docs/budgets.md lists what may be bounded.",
    example="input: [3, 32, 32]\nlayers: [flatten, linear: {out_features: 10}]\n"
    "budget: {max: {parms: 31k}}\n",
)
EMPTY_BUDGET = Code(
    "E603",
    "budget without a limit",
    "A budget that bounds nothing lets everything pass, which nobody wants who writes one.",
    example="input: [3, 32, 32]\nlayers: [flatten, linear: {out_features: 10}]\n"
    "budget: {batch: 8}\n",
)
NO_MATCH = Code(
    "E604",
    "pattern that matches nothing",
    "No file, layer, group or variant has such a name: a limit for it would never fail. Mostly "
    "something was renamed.",
    example="input: [3, 32, 32]\nlayers: [flatten, linear: {out_features: 10}]\n"
    'budget: {layers: [{match: "stage4.*", max: {params: 31k}}]}\n',
)
CANNOT_BOUND = Code(
    "E605",
    "metric that is not of what is bounded",
    "A layer by itself has no peak memory, a whole network no share of itself, a time needs a "
    "device, and a network without spatial axes has no receptive field.",
    example="input: [3, 32, 32]\nlayers: [flatten, linear: {out_features: 10}]\n"
    "budget: {max: {time: 1 ms}}\n",
)
BAD_BASELINE = Code(
    "E606",
    "baseline that is no report",
    "A baseline is what `convcalc analyze --format json` prints, whole, or a spec.",
)
NOT_IN_BASELINE = Code(
    "E607",
    "network that the baseline lacks",
    "An increase is held against the same network as it was. A new one is bounded by `max`; one "
    "that was renamed is named behind the baseline, `main.json::old_name`.",
    command="check lenet5 --baseline resnet --max-increase macs=2%",
)
OTHER_CONDITIONS = Code(
    "E608",
    "baseline under other conditions",
    "The baseline was worked out for another batch, number format or other settings: the "
    "difference would say nothing about the network.",
)
NO_BUDGET = Code(
    "E609",
    "nothing to hold the network against",
    "The spec has no `budget`, and no limit was given. A check without a limit would always pass.",
    command="check lenet5",
)
NO_BASELINE = Code(
    "E610",
    "increase without a baseline",
    "`max_increase` needs what the network cost before: a `baseline`, or a revision after "
    "`--against`.",
    command="check lenet5 --max-increase macs=2%",
)
TOO_MANY_LIMITS = Code(
    "E611",
    "too many limits",
    "A check holds at most 100,000 limits, where one for layers counts once for each layer that "
    "it is for: nobody reads more, and a short budget can ask for millions.",
)
ABOVE_MAX = Code(
    "B601",
    "more than the budget has",
    "A metric is above its `max`. To be equal to it is within the budget.",
    command="check lenet5 --max macs=416519",
)
BELOW_MIN = Code(
    "B602",
    "less than the budget asks for",
    "A metric is below its `min`.",
    command="check lenet5 --min receptive_field=32",
)
DEARER = Code(
    "B603",
    "dearer than the baseline allows",
    "A metric grew by more than its `max_increase` over the baseline.",
    command="check resnet::resnet34 --baseline resnet::resnet18 --max-increase params=50%",
)

# -- W5: warnings ---------------------------------------------------------------------------------

PUBLISHED_DIFFERS = Code(
    "W501",
    "published figure differs",
    "The spec quotes a figure under `published` that is not what was computed. One of them is "
    "wrong, or they count different things.",
    example="input: [1, 28, 28]\nlayers:\n  - conv: {out_channels: 6, kernel_size: 10}\n"
    "published: {params: 600, from: a text that forgets the biases}\n",
)
HIDES_LIBRARY = Code(
    "W503",
    "block of the library hidden",
    "The spec has a block of its own with the name of one that comes with convcalc. The spec's is "
    "used, wherever it stands in the file.",
    example="input: [64, 56, 56]\nblocks:\n  fire:\n    layers:\n      - relu\nlayers:\n  - fire\n",
)
INPUT_ORDER = Code(
    "W504",
    "input of an unusual order",
    "A shape is channels first, without the batch: `[3, 224, 224]`. As 224×224×3, which papers "
    "print, it would be an image of 224 channels, 3 wide; with a 1 in front, a volume.",
    example="input: [224, 224, 3]\nlayers:\n  - conv: {out_channels: 8, kernel_size: 3}\n",
)
UNUSED_OUTPUT = Code(
    "W502",
    "output that nothing reads",
    "The layer's output goes nowhere: no layer reads it, and it is no output of the network. It "
    "is counted all the same.",
    example="input: [3, 32, 32]\nlayers:\n  - relu:\n    name: lost\n"
    "  - sigmoid:\n    from: input\n",
)
