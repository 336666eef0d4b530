"""What is said of each mistake: code, place to the column, cause in numbers, a way out."""

from typing import NamedTuple

import pytest
from reading import INPUT, assert_readable, codes, found, marked, only

from convcalc.errors import MAX_FINDINGS, UsageError
from convcalc.reports.findings import findings_text
from convcalc.sources import load


class Mistake(NamedTuple):
    text: str
    code: str
    line: int
    column: int
    mark: str
    message: str
    help: str | None = None
    notes: tuple[str, ...] = ()


def layer(text, head=INPUT):
    """A spec of one layer; it stands in line 3, from column 5 on, if the head is one line."""
    return f"{head}layers:\n  - {text}\n"


def conv(fields):
    return layer(f"conv: {{out_channels: 8, kernel_size: 3, {fields}}}")


ROUNDING = "write the rounding that you mean: floor(…), ceil(…), round(…) or make_divisible(…, 8)"
CONV = "out = ⌊(i + 2·p − d·(k − 1) − 1)/s⌋ + 1"

WORDS = {
    "a typo in a field": Mistake(
        conv("strid: 2"),
        *("E104", 3, 45, "strid", "unknown key `strid` in a `conv` layer"),
        "did you mean `stride`?",
    ),
    "a field of no kind": Mistake(
        conv("colour: 2"),
        *("E104", 3, 45, "colour", "unknown key `colour` in a `conv` layer"),
        "`conv` has `kernel_size`, `stride`, `padding`, `dilation`, `bias`, `out_channels`, "
        "`groups`, `in_channels`, `weight_sharing`",
    ),
    "an activation as a field": Mistake(
        conv("activation: relu"),
        *("E104", 3, 45, "activation", "unknown key `activation` in a `conv` layer"),
        "an activation is a layer of its own: put `- relu` after this one",
    ),
    "a field without a bearing": Mistake(
        conv("padding_mode: zeros"),
        *("E104", 3, 45, "padding_mode", "unknown key `padding_mode` in a `conv` layer"),
        "it has no bearing on the cost: leave it out",
    ),
    "a modifier among the fields": Mistake(
        conv("repeat: 2"),
        *("E104", 3, 45, "repeat", "unknown key `repeat` in a `conv` layer"),
        "it belongs beside `conv`, not into it",
    ),
    "a field of a kind without fields": Mistake(
        layer("relu: {inplaced: true}"),
        *("E104", 3, 12, "inplaced", "unknown key `inplaced` in a `relu` layer"),
        "`relu` has no fields",
    ),
    "a field beside its kind": Mistake(
        layer("{conv: {out_channels: 8}, kernel_size: 3}"),
        *("E104", 3, 31, "kernel_size", "unknown key `kernel_size` beside `conv`"),
        "it belongs into `conv`: write `conv: {kernel_size: …}`, or indent it more",
    ),
    "a typo in a modifier": Mistake(
        layer("{relu: , nmae: act}"),
        *("E104", 3, 14, "nmae", "unknown key `nmae` beside `relu`"),
        "did you mean `name`?",
    ),
    "a key beside a kind": Mistake(
        layer("{relu: , zzz: act}"),
        *("E104", 3, 14, "zzz", "unknown key `zzz` beside `relu`"),
        "beside it: `name`, `from`, `repeat`, `for`, `if`, `share`",
    ),
    "a typo at the top": Mistake(
        layer("relu") + "variant: {a: {}}\n",
        *("E104", 4, 1, "variant", "unknown key `variant` in a spec"),
        "did you mean `variants`?",
    ),
    "a typo in a block": Mistake(
        layer("b", INPUT + "blocks:\n  b: {arg: {}, layers: [relu]}\n"),
        *("E104", 3, 7, "arg", "unknown key `arg` in a block"),
        "did you mean `args`?",
    ),
    "a typo in a residual": Mistake(
        layer("residual: {body: [relu], short: []}"),
        *("E104", 3, 30, "short", "unknown key `short` in a `residual`"),
        "did you mean `shortcut`?",
    ),
    "a typo in an argument": Mistake(
        layer("b: {widht: 3}", INPUT + "blocks:\n  b: {args: {width: 1}, layers: [relu]}\n"),
        *("E104", 5, 9, "widht", "unknown argument `widht` of block `b`"),
        "did you mean `width`?",
    ),
    "an argument of a block without any": Mistake(
        layer("b: {width: 3}", INPUT + "blocks:\n  b: {layers: [relu]}\n"),
        *("E104", 5, 9, "width", "unknown argument `width` of block `b`"),
        "it takes no arguments",
    ),
    "a condition in a residual": Mistake(
        layer("residual: {body: [relu], if: 2 > 1}"),
        *("E104", 3, 30, "if", "unknown key `if` in a `residual`"),
        "it belongs beside `residual`, not into it",
    ),
    "variables under another word": Mistake(
        "variables: {a: 1}\n" + layer("relu"),
        *("E104", 1, 1, "variables", "unknown key `variables` in a spec"),
        "did you mean `vars`?",
    ),
    "a missing field": Mistake(
        layer("conv: {kernel_size: 3}"),
        *("E105", 3, 5, "conv", "`conv` needs `out_channels`"),
        "`out_channels`: channels of the output",
    ),
    "two missing fields": Mistake(
        layer("conv"),
        *("E105", 3, 5, "conv", "`conv` needs `kernel_size`, `out_channels`"),
        "`kernel_size`: size of the window; `out_channels`: channels of the output",
    ),
    "a missing argument": Mistake(
        layer("b", INPUT + "blocks:\n  b: {args: {width: , k: 1}, layers: [relu]}\n"),
        *("E105", 5, 5, "b", "block `b` needs `width`"),
        "write `b: {width: …}`, or give it a default under `args`",
    ),
    "fields that are no mapping": Mistake(
        layer("conv: 8"),
        *("E101", 3, 11, "8", "the fields of `conv` must be a mapping, not `8`"),
        "write `conv: {kernel_size: …, out_channels: …}`",
    ),
    "no input": Mistake(
        "layers: [relu]\n",
        *("E102", 1, 1, "l", "the spec has no `input`"),
        "say the input's shape, channels first: `input: [3, 224, 224]`",
    ),
    "no layers": Mistake(
        INPUT,
        *("E102", 1, 1, "i", "the spec has no `layers`"),
        "list the layers of the network under `layers:`",
    ),
    "a body that is missing": Mistake(
        layer("residual: {shortcut: []}"),
        *("E102", 3, 5, "residual", "this `residual` has no `body`"),
        "`residual: {body: [...], shortcut: [...]}`",
    ),
    "a merge that is missing": Mistake(
        layer("parallel: {branches: {a: [relu], b: }}"),
        *("E102", 3, 5, "parallel", "this `parallel` has no `merge`"),
        "`parallel: {merge: concat, branches: {left: [...], right: [...]}}`",
    ),
    "a single branch": Mistake(
        layer("parallel: {merge: add, branches: {a: [relu]}}"),
        *("E102", 3, 38, "{", "a `parallel` needs two branches or more, not 1"),
        "a branch without layers, such as `skip: []`, passes the input on",
    ),
    "an unknown kind": Mistake(
        layer("rellu"),
        *("E106", 3, 5, "rellu", "unknown layer kind `rellu`"),
        "did you mean `relu`?",
    ),
    "a kind of PyTorch": Mistake(
        layer("Conv2d: {out_channels: 8}"),
        *("E106", 3, 5, "Conv2d", "unknown layer kind `Conv2d`"),
        "did you mean `conv`?",
    ),
    "a kind of Keras": Mistake(
        layer("Dense: {units: 8}"),
        *("E106", 3, 5, "Dense", "unknown layer kind `Dense`"),
        "did you mean `linear`?",
    ),
    "a kind that nobody has": Mistake(
        layer("zzzz"),
        *("E106", 3, 5, "zzzz", "unknown layer kind `zzzz`"),
        "see `docs/layers.md` and `docs/library.md` for the kinds and blocks there are",
    ),
    "an activation of PyTorch": Mistake(
        layer("conv_bn: {out_channels: 3, activation: ReLU6}"),
        *("E202", 3, 44, "ReLU6", "unknown variable `ReLU6`"),
        "did you mean `relu6`?",
    ),
    "a merge on a condition about the channels": Mistake(
        INPUT + "layers:\n  - relu\n  - {add: , from: [prev, input], if: in_channels == 3}\n",
        *("E114", 4, 6, "add", "`in_channels` is of one input, and `add` has 2 here"),
        "in a block the default of an argument can ask for the channels that come into the "
        "block: `args: {skip: stride == 1 and in_channels == channels}`",
    ),
    "rounds that are lists": Mistake(
        layer("{for: [[6, 24], [6, 32]], conv: {out_channels: c * t, kernel_size: s}}").replace(
            ", [6, 32]", ""
        ),
        *("E103", 3, 12, "["),
        "a round of `for` is a mapping, not a list",
        "`for: [{width: 64}, {width: 128}]`, or `for: {width: [64, 128]}`",
    ),
    "an unknown block": Mistake(
        layer("bottle", INPUT + "blocks:\n  bottles: {layers: [relu]}\n"),
        *("E106", 5, 5, "bottle", "unknown layer kind `bottle`"),
        "did you mean `bottles`?",
    ),
    "an unknown block of the library": Mistake(
        layer("bottlenek: {channels: 8}"),
        *("E106", 3, 5, "bottlenek", "unknown layer kind `bottlenek`"),
        "did you mean `bottleneck`?",
    ),
    "an argument that a block of the library does not take": Mistake(
        layer("fire: {squeeze: 8, expnad: 16}"),
        *("E104", 3, 24, "expnad", "unknown argument `expnad` of block `fire`"),
        "did you mean `expand`?",
    ),
    "dashes that are not aligned": Mistake(
        INPUT + "layers:\n  - relu\n   - tanh\n",
        *("E106", 3, 5, "relu", "unknown layer kind `relu - tanh`"),
        "a dash that stands further in belongs to the text before it: align the dashes",
    ),
    "a merge of another kind": Mistake(
        layer("parallel: {merge: concta, branches: {a: [relu], b: }}"),
        *("E106", 3, 23, "concta"),
        "`merge` must be one of `add`, `mul`, `mean`, `weighted_sum`, `max`, `matmul`, `concat`, "
        "`multi_head_attention`, not `concta`",
        "did you mean `concat`?",
    ),
    "no kind": Mistake(
        layer("{name: stem, repeat: 2}"),
        *("E107", 3, 5, "{", "this layer has no kind"),
        "say what it is, for example `conv: {out_channels: 64, kernel_size: 3}`",
    ),
    "several kinds": Mistake(
        layer("relu:\n    tanh:"),
        *("E108", 4, 5, "tanh", "one layer is both `relu` and `tanh`"),
        "each layer is an item of its own: put a dash before it",
    ),
    "a duplicate name": Mistake(
        INPUT + "layers:\n  - {relu: , name: act}\n  - {tanh: , name: act}\n",
        *("E109", 4, 20, "act", "two layers here are called `act`"),
        "`from` and the tables tell layers apart by their names",
    ),
    "a duplicate name that values decide about": Mistake(
        INPUT + "layers:\n  - {relu: , name: act, if: true}\n  - {tanh: , name: act}\n",
        *("E109", 4, 20, "act", "two layers here are called `act`"),
        "`from` and the tables tell layers apart by their names",
    ),
    "a reserved name": Mistake(
        layer("{relu: , name: input}"),
        *("E110", 3, 20, "input", "`input` has a meaning of its own in `from`"),
        "choose another name",
    ),
    "a reserved variable": Mistake(
        layer("relu", "vars: {i: 3}\n" + INPUT),
        *("E110", 1, 8, "i", "`i` has a meaning of its own in expressions"),
        "choose another name",
    ),
    "a function as a variable": Mistake(
        layer("relu", "vars: {max: 3}\n" + INPUT),
        *("E110", 1, 8, "max", "`max` has a meaning of its own in expressions"),
        "choose another name",
    ),
    "a word of Python as an argument": Mistake(
        layer("b", INPUT + "blocks:\n  b: {args: {lambda: 1}, layers: [relu]}\n"),
        *("E110", 3, 14, "lambda", "`lambda` has a meaning of its own in expressions"),
        "choose another name",
    ),
    "a kind as a block": Mistake(
        layer("relu", INPUT + "blocks:\n  conv: {layers: [relu]}\n"),
        *("E110", 3, 3, "conv"),
        "`conv` is a word of the spec language, so no block can be called so",
        "choose another name",
    ),
    "a dot in a name": Mistake(
        layer("{relu: , name: a.b}"),
        *("E111", 3, 20, "a.b", "'a.b' cannot be a name"),
        "a dot separates a group from what is in it",
    ),
    "an empty name": Mistake(
        layer("{relu: , name: ''}"),
        *("E111", 3, 20, "''", "`name` must be a text of printable characters"),
        "leave it out, or write at least one letter",
    ),
    "a name that is too long": Mistake(
        layer(f"{{relu: , name: {'n' * 81}}}"),
        *("E111", 3, 20, "n" * 81, f"'{'n' * 80}' cannot be a name"),
        "a name has 1 to 80 printable characters, no `::` and no space around it",
    ),
    "a variable that is no word": Mistake(
        layer("relu", "vars: {x-y: 3}\n" + INPUT),
        *("E111", 1, 8, "x-y", "`x-y` cannot stand in an expression"),
        "a variable is called by letters, digits and `_`, a letter first",
    ),
    "a block that uses itself": Mistake(
        layer("b", INPUT + "blocks:\n  b: {layers: [relu, b]}\n"),
        *("E112", 3, 22, "b", "block `b` uses itself"),
        "a network is finite: use `repeat` or `for`",
    ),
    "blocks in a circle": Mistake(
        layer("a", INPUT + "blocks:\n  a: {layers: [b]}\n  b: {layers: [c]}\n  c: {layers: [a]}\n"),
        *("E112", 5, 16, "a", "blocks use each other in a circle: `a` → `b` → `c` → `a`"),
        "a network is finite: use `repeat` or `for`",
    ),
    "an unknown layer in `from`": Mistake(
        INPUT + "layers:\n  - {relu: , name: stem}\n  - {add: , from: [prev, setm]}\n",
        *("E113", 4, 26, "setm", "no layer is called `setm` here"),
        "did you mean `stem`?",
    ),
    "a layer that comes later in `from`": Mistake(
        INPUT + "layers:\n  - {add: , from: [prev, late]}\n  - {relu: , name: late}\n",
        *("E113", 3, 26, "late", "no layer is called `late` here"),
        "`late` is not before this layer in the same list or around it",
    ),
    "a layer of a group without the group's name": Mistake(
        INPUT + "layers:\n  - {name: g, layers: [relu]}\n  - {add: , from: [prev, relu]}\n",
        *("E113", 4, 26, "relu", "no layer is called `relu` here"),
        "did you mean `g.relu`?",
    ),
    "a layer that takes the output of its own group": Mistake(
        INPUT + "layers:\n  - {name: g, layers: [relu, {add: , from: [prev, g]}]}\n",
        *("E113", 3, 51, "g", "`g` is what this layer is a part of"),
        "a layer cannot take the output of the group that it is in",
    ),
    "an unknown layer in `outputs`": Mistake(
        INPUT + "layers: [relu]\noutputs: [zzz]\n",
        *("E113", 3, 11, "zzz", "no layer is called `zzz` here"),
        "`outputs` names layers by their `name`, those in groups by their path",
    ),
    "which of two inputs": Mistake(
        "inputs: {a: [3, 8, 8], b: [3, 8, 8]}\nlayers: [relu]\n",
        *("E114", 2, 10, "relu", "`relu` takes one input, and the network has 2: `a`, `b`"),
        "say which one: `from: a`",
    ),
    "`input` where there are two": Mistake(
        "inputs: {a: [3, 8, 8], b: [3, 8, 8]}\nlayers: [{relu: , from: input}]\n",
        *("E114", 2, 25, "input", "the network has several inputs: which one is `input`?"),
        "use its name: `a`, `b`",
    ),
    "`in_channels` of two inputs": Mistake(
        "inputs: {a: [3, 8, 8], b: [3, 8, 8]}\nlayers: [{concat: , if: in_channels == 3}]\n",
        *("E114", 2, 11, "concat", "`in_channels` is of one input, and `concat` has 2 here"),
        "say which one with `from`",
    ),
    "an argument by default from two inputs": Mistake(
        "inputs: {a: [3, 8, 8], b: [3, 8, 8]}\nblocks:\n"
        "  mix: {args: {c: in_channels}, layers: [concat]}\nlayers: [mix]\n",
        *("E114", 4, 10, "mix", "`in_channels` is of one input, and `mix` has 2 here"),
        "say which one with `from`",
    ),
    "both `input` and `inputs`": Mistake(
        INPUT + "inputs: {a: [3, 8, 8]}\nlayers: [relu]\n",
        *("E115", 2, 1, "inputs", "a spec has `input` or `inputs`, not both"),
        "name all of them under `inputs`",
    ),
}

VALUES = {
    "a number for a truth value": Mistake(
        conv("bias: 1"),
        *("E103", 3, 51, "1", "`bias` must be true or false, not 1"),
    ),
    "a truth value for a number": Mistake(
        conv("groups: true"),
        *("E103", 3, 53, "true", "`groups` must be a whole number, 1 or more, not `true`"),
    ),
    "too many values": Mistake(
        conv("stride: [1, 2, 3, 4]"),
        *("E103", 3, 53, "[", "`stride` must be a list of 1 to 3 values, not of 4"),
    ),
    "a mapping for a number": Mistake(
        conv("stride: {a: 1}"),
        *("E103", 3, 53, "{"),
        "this must be a whole number, 1 or more, or a fraction 1/n; or a list with one for each "
        "axis, not a mapping",
        "an expression with braces must be quoted",
    ),
    "a word that a field does not have": Mistake(
        conv("weight_sharing: spatail"),
        *("E103", 3, 61, "spatail"),
        "`weight_sharing` must be one of `spatial`, `none`, `full`, not the text 'spatail'",
        "did you mean `spatial`?",
    ),
    "a shape that is no list": Mistake(
        "input: 3, 32, 32\nlayers: [relu]\n",
        *("E103", 1, 8, "3, 32, 32"),
        "an input's shape is a list of 1 to 4 sizes, not `3, 32, 32`",
        "in brackets, channels first, without the batch: `[3, 224, 224]`",
    ),
    "a shape with a batch too many": Mistake(
        "input: [1, 3, 32, 32, 32]\nlayers: [relu]\n",
        *("E103", 1, 8, "[", "an input's shape is a list of 1 to 4 sizes, not a list of 5"),
        "in brackets, channels first, without the batch: `[3, 224, 224]`",
    ),
    "layers that are no list": Mistake(
        INPUT + "layers: relu\n",
        *("E103", 2, 9, "relu", "`layers` must be a list of layers, not `relu`"),
        "each layer starts with a dash and a space: `- relu`",
    ),
    "a number as a name": Mistake(
        layer("{relu: , name: 12}"),
        *("E103", 3, 20, "12", "`name` must be a text, not `12`"),
        "put it in quotes",
    ),
    "a number in `from`": Mistake(
        layer("{relu: , from: 12}"),
        *("E103", 3, 20, "12", "the name of a layer is a text, not `12`"),
        "one name, or a list of names: `[prev, stem]`",
    ),
    "a number as a condition": Mistake(
        layer("{relu: , if: 1}"),
        *("E103", 3, 18, "1", "`if` must be a condition, not `1`"),
        "for example `if: stride != 1`",
    ),
    "a computed number as a condition": Mistake(
        layer("{relu: , if: in_channels}"),
        *("E103", 3, 18, "in_channels", "`if` must be true or false, not `3`"),
        "compare it with something: `x != 0`",
    ),
    "a number as a `for`": Mistake(
        layer("{relu: , for: 3}"),
        *("E103", 3, 19, "3"),
        "`for` must be a list of mappings, or a mapping of lists, not `3`",
        "to do the same several times use `repeat`",
    ),
    "lists of different lengths": Mistake(
        layer("{relu: , for: {a: [1, 2], b: [1]}}"),
        *(
            "E103",
            3,
            19,
            "{",
            "the lists of a `for` are gone through together, but their lengths "
            "are 2 (`a`), 1 (`b`)",
        ),
        "give each as many values as there are rounds",
    ),
    "a variable that is no list of mappings": Mistake(
        layer("{relu: , for: n}", "vars: {n: 3}\n" + INPUT),
        *("E103", 4, 19, "n", "`for` needs a list of mappings, not `3`"),
        "`for: [{width: 64}, {width: 128}]`, or `for: {width: widths}` to go through a list",
    ),
    "a list that is none": Mistake(
        layer("{relu: , for: {w: n}}", "vars: {n: 3}\n" + INPUT),
        *("E103", 4, 23, "n", "`for` takes `w` through a list, not through `3`"),
        "`for: {w: [64, 128]}`",
    ),
    "rounds that set different variables": Mistake(
        layer("{relu: , for: [{a: 1}, {b: 1}]}"),
        *("E102", 3, 28, "{"),
        "the rounds of a `for` set different variables: not all of them have `a`, `b`",
        "give every round the same variables",
    ),
    "a published figure that is none": Mistake(
        INPUT + "layers: [relu]\npublished: {params: 12x, from: us}\n",
        *("E103", 3, 21, "12x", "`params` must be a count, not `12x`"),
        "write 25557032, or a rounded figure with its unit: 25.6M, 4.1G, 112Ki",
    ),
    "a published figure of nobody": Mistake(
        INPUT + "layers: [relu]\npublished: {params: 12}\n",
        *("E102", 3, 12, "{"),
        "a record of `published` needs `from`: where its figures come from",
        "name the paper, the page or the library and its version",
    ),
    "a negative number of channels": Mistake(
        layer("conv: {out_channels: -8, kernel_size: 3}"),
        *("E301", 3, 26, "-8", "`out_channels` must be a whole number, 1 or more, not -8"),
    ),
    "no channels": Mistake(
        layer("conv: {out_channels: 0, kernel_size: 3}"),
        *("E301", 3, 26, "0", "`out_channels` must be a whole number, 1 or more, not 0"),
    ),
    "a computed number of no channels": Mistake(
        layer("conv: {out_channels: in_channels - 3, kernel_size: 3}"),
        *("E301", 3, 26, "in_channels - 3"),
        "`out_channels` must be a whole number, 1 or more, not 0",
    ),
    "a negative padding": Mistake(
        conv("padding: -1"),
        *("E301", 3, 54, "-1", "`padding` must be a whole number, 0 or more, not -1"),
    ),
    "a negative number of rounds": Mistake(
        layer("{relu: , repeat: -1}"),
        *("E301", 3, 22, "-1", "`repeat` must be a whole number, 0 or more, not -1"),
    ),
    "an input of no size": Mistake(
        "input: [3, 0, 8]\nlayers: [relu]\n",
        *("E301", 1, 12, "0", "a size of the input must be a whole number, 1 or more, not 0"),
    ),
    "half a channel": Mistake(
        layer("conv: {out_channels: 12.5, kernel_size: 3}"),
        *("E306", 3, 26, "12.5", "`out_channels` must be a whole number, 1 or more, not 12.5"),
        ROUNDING,
    ),
    "a third of the channels": Mistake(
        layer("conv: {out_channels: 8 / 3, kernel_size: 3}"),
        *("E306", 3, 26, "8 / 3", "`out_channels` must be a whole number, 1 or more, not 8/3"),
        ROUNDING,
    ),
    "a width that does not come out whole": Mistake(
        layer("conv: {out_channels: 32 * width, kernel_size: 3}", "vars: {width: 0.35}\n" + INPUT),
        *("E306", 4, 26, "32 * width"),
        "`out_channels` must be a whole number, 1 or more, not 11.2",
        ROUNDING,
    ),
    "a number of 41 digits": Mistake(
        layer(f"conv: {{out_channels: {'9' * 41}, kernel_size: 3}}"),
        *("E307", 3, 26, "9" * 41, "a number of 41 digits"),
        "no size in a spec may exceed 10¹⁸",
    ),
    "a number of 20 digits": Mistake(
        layer(f"conv: {{out_channels: {'9' * 20}, kernel_size: 3}}"),
        *("E307", 3, 26, "9" * 20),
        "`out_channels` must be at most 1,000,000,000,000,000,000, not 99999999999999999999",
    ),
    "a size that grows beyond all bounds": Mistake(
        INPUT + "layers:\n  - {repeat: 100, depthwise_conv: {kernel_size: 1, multiplier: 10}}\n",
        *("E307", 3, 19, "depthwise_conv"),
        f"the output of `depthwise_conv18` is 3{'0' * 18}×32×32",
        "no size in a spec may exceed 10¹⁸",
    ),
    "an unknown variable": Mistake(
        layer("conv: {out_channels: 4 * widht, kernel_size: 3}", "vars: {width: 8}\n" + INPUT),
        *("E202", 4, 30, "widht", "unknown variable `widht`"),
        "did you mean `width`?",
    ),
    "a variable where there is none": Mistake(
        layer("relu", "input: [3, size, 8]\n"),
        *("E202", 1, 12, "size", "unknown variable `size`"),
        "declare it under `vars`",
    ),
    "a variable that nothing is like": Mistake(
        layer("conv: {out_channels: zzz, kernel_size: 3}", "vars: {width: 8}\n" + INPUT),
        *("E202", 4, 26, "zzz", "unknown variable `zzz`"),
        "declare it under `vars`; there are `in_channels`, `width`",
    ),
    "a variable of further down": Mistake(
        layer("relu", "vars: {a: b + 1, b: 2}\n" + INPUT),
        *("E202", 1, 11, "b", "unknown variable `b`"),
        "`b` has no value here yet: a variable may use those above it",
    ),
    "a variable that uses itself": Mistake(
        layer("relu", "vars: {a: a + 1}\n" + INPUT),
        *("E202", 1, 11, "a", "unknown variable `a`"),
        "`a` has no value here yet: a variable may use those above it",
    ),
    "in_channels among the variables": Mistake(
        layer("relu", "vars: {a: in_channels + 1}\n" + INPUT),
        *("E202", 1, 11, "in_channels", "unknown variable `in_channels`"),
        "`in_channels` is known where a layer stands, not here",
    ),
    "a function without brackets": Mistake(
        layer("conv: {out_channels: max, kernel_size: 3}"),
        *("E202", 3, 26, "max", "unknown variable `max`"),
        "`max` is a function: write `max(…)`",
    ),
    "a mistyped word": Mistake(
        conv("padding: smae"),
        *("E202", 3, 54, "smae", "unknown variable `smae`"),
        "did you mean `same`?",
    ),
    "a variant of no variable": Mistake(
        layer("relu", "vars: {width: 8}\nvariants: {a: {widht: 4}}\n" + INPUT),
        *("E202", 2, 16, "widht", "variant `a` sets `widht`, which is not under `vars`"),
        "did you mean `width`?",
    ),
    "a variant that uses what is set after it": Mistake(
        layer("relu", "vars: {a: 1, b: 2}\nvariants: {x: {a: b + 1}}\n" + INPUT),
        *("E202", 2, 19, "b + 1", "`a` uses `b`, which is declared after it"),
        "a variable may use those that are declared before it",
    ),
    "a variant that uses what it sets": Mistake(
        layer("relu", "vars: {a: 1, b: 2}\nvariants: {x: {a: a + 1}}\n" + INPUT),
        *("E202", 2, 19, "a + 1", "`a` uses itself"),
        "a variable may use those that are declared before it",
    ),
    "a variable without a value": Mistake(
        layer("relu", "vars: {width: }\n" + INPUT),
        *("E208", 1, 8, "width", "the variable `width` has no value"),
        "give it one with `--set width=…`, or in a variant",
    ),
    "a variable that a round does not set": Mistake(
        layer(
            "{for: v, conv: {out_channels: a, kernel_size: 1}}",
            "vars: {v: [{a: 1}, {b: 2}]}\n" + INPUT,
        ),
        *("E202", 4, 35, "a", "`a` has no value in this round"),
        "every mapping that a `for` goes through must set it",
    ),
    "an unknown function": Mistake(
        layer("conv: {out_channels: celi(8.5), kernel_size: 3}"),
        *("E203", 3, 26, "celi", "unknown function `celi`"),
        "did you mean `ceil`?",
    ),
    "a function that there is none of": Mistake(
        layer("conv: {out_channels: sqrt(9), kernel_size: 3}"),
        *("E203", 3, 26, "sqrt", "unknown function `sqrt`"),
        "there are min, max, ceil, floor, round, make_divisible, len",
    ),
    "a division by zero": Mistake(
        layer("conv: {out_channels: 1 + 8 // n, kernel_size: 3}", "vars: {n: 0}\n" + INPUT),
        *("E206", 4, 30, "8 // n", "division by zero: 8 // 0"),
    ),
    "an index past the end": Mistake(
        layer("conv: {out_channels: 'd[2]', kernel_size: 3}", "vars: {d: [4, 5]}\n" + INPUT),
        *("E206", 4, 27, "d[2]", "index 2 of a list of 2: the first is 0, the last 1"),
    ),
    "a tower of powers": Mistake(
        layer("conv: {out_channels: 9**9**9, kernel_size: 3}"),
        *("E205", 3, 26, "9**9**9"),
        "the exponent 387420489 is not a whole number from -64 to 64",
    ),
    "a text many times over": Mistake(
        layer("""conv: {out_channels: "'a'*10**9", kernel_size: 3}"""),
        *("E206", 3, 27, "'a'*10**9", "`*` needs numbers, not `a`"),
    ),
    "brackets within brackets": Mistake(
        layer(f"conv: {{out_channels: {'(' * 300}1{')' * 300}, kernel_size: 3}}"),
        *("E205", 3, 26, "(" * 300 + "1" + ")" * 300, "more than 100 levels of nesting"),
        "name parts of it under `vars`",
    ),
    "a chain of signs": Mistake(
        layer(f"conv: {{out_channels: {'-' * 300}1, kernel_size: 3}}"),
        *("E205", 3, 26, "-" * 300 + "1", "more than 100 levels of nesting"),
        "name parts of it under `vars`",
    ),
    "an expression that is too long": Mistake(
        layer(f"conv: {{out_channels: {'1+' * 500}1, kernel_size: 3}}"),
        *("E205", 3, 26, "1+" * 500 + "1"),
        "an expression of 1,001 characters; the limit is 1,000",
        "name parts of it under `vars`",
    ),
}

SHAPES = {
    "a window larger than its input": Mistake(
        layer("{max_pool: {kernel_size: 7}, name: p5}", "input: [3, 5, 5]\n"),
        *("E302", 3, 30, "7", "`p5` has no output: its input is 5×5"),
        "the window must fit into the padded input: use a smaller kernel or dilation, more "
        "padding, or fewer strides before this layer",
        (f"{CONV} = ⌊(5 + 2·0 − 1·(7 − 1) − 1)/7⌋ + 1 = 0",),
    ),
    "a window larger than its padded input": Mistake(
        layer(
            "conv: {out_channels: 4, kernel_size: 5, padding: 1, dilation: 2}", "input: [3, 9, 6]\n"
        ),
        *("E302", 3, 42, "5", "`conv` has no output: its input is 9×6"),
        "the window must fit into the padded input: use a smaller kernel or dilation, more "
        "padding, or fewer strides before this layer",
        (f"{CONV} = ⌊(6 + 2·1 − 2·(5 − 1) − 1)/1⌋ + 1 = 0",),
    ),
    "groups that do not divide the input's channels": Mistake(
        layer("conv: {out_channels: 64, kernel_size: 3, groups: 4}", "input: [30, 8, 8]\n"),
        *("E303", 3, 54, "4", "4 groups do not divide the 30 input channels of `conv`"),
        "groups must divide the channels of the input and of the output",
        ("30 = 7·4 + 2",),
    ),
    "groups that do not divide the output's channels": Mistake(
        layer("conv: {out_channels: 66, kernel_size: 3, groups: 4}", "input: [32, 8, 8]\n"),
        *("E303", 3, 54, "4", "4 groups do not divide the 66 output channels of `conv`"),
        "groups must divide the channels of the input and of the output",
        ("66 = 16·4 + 2",),
    ),
    "a vector in place of a feature map": Mistake(
        layer("conv: {out_channels: 64, kernel_size: 3}", "input: [30]\n"),
        *("E305", 3, 5, "conv"),
        "`conv` needs a feature map of channels and 1 to 3 spatial axes, but its input is 30",
    ),
    "a feature map in place of a vector": Mistake(
        layer("linear: {out_features: 10}"),
        *("E305", 3, 5, "linear"),
        "`linear` needs a vector, but the input of `linear` is 3×32×32",
        "put `flatten` before it; use a 1×1 `conv` to connect the channels at each position; or, "
        "if you mean the last axis, say `in_features: 32`",
    ),
    "a list for other axes": Mistake(
        conv("stride: [1, 2, 3]"),
        *("E305", 3, 53, "["),
        "`stride` has 3 values, but the input 3×32×32 has 2 spatial axes",
        "give one number, or one each for height, width",
    ),
    "a merge of one input": Mistake(
        layer("concat"),
        *("E308", 3, 5, "concat", "`concat` joins two inputs or more, and has one"),
        "name them: `from: [prev, stem]`, or put it into a `parallel`",
    ),
    "a layer of two inputs": Mistake(
        INPUT + "layers:\n  - relu\n  - {tanh: , from: [prev, input]}\n",
        *("E308", 4, 6, "tanh", "`tanh` takes one input, and has 2"),
        "join them first, for example with `concat` or `add`, or say which one with `from`",
    ),
    "a merge of too many": Mistake(
        layer(f"{{concat: , from: [{', '.join(['prev'] * 129)}]}}"),
        *("E308", 3, 6, "concat", "`concat` joins at most 128 inputs, and has 129"),
        "join parts of them first",
    ),
    "another number of channels": Mistake(
        conv("in_channels: 64"),
        *("E309", 3, 58, "64", "`in_channels` is 64, but the input of `conv` has 3 channels"),
        "leave `in_channels` out: it is taken from the input",
    ),
    "too many layers": Mistake(
        layer("{relu: , repeat: 10**9}"),
        *("E312", 3, 22, "10**9"),
        "`repeat` 1,000,000,000 times: a network has at most 150,000 layers",
        "use a smaller number",
    ),
    "repeats within repeats": Mistake(
        layer("{repeat: 1000, layers: [{repeat: 1000, relu: }]}"),
        *("E312", 3, 20, "layers", "the network has more than 150,000 layers"),
        "repeats within repeats multiply; a block that uses another twice doubles its layers",
    ),
    "everything left out": Mistake(
        layer("{relu: , if: in_channels > 3}"),
        *("E007", 1, 1, "i", "no layer is left"),
        "for these values of the variables each is left out by an `if`, a `repeat` of 0 or "
        "`activation: none`",
    ),
    "an empty list of layers": Mistake(
        INPUT + "layers: []\n",
        *("E007", 2, 9, "[", "`layers` lists no layers"),
        "list at least one: `- relu`",
    ),
    "a `for` without rounds": Mistake(
        layer("{relu: , for: []}"),
        *("E007", 3, 19, "[", "this `for` has no rounds"),
        "list at least one, or leave the layer out",
    ),
}

YAML = {
    "an empty file": Mistake(
        "", "E007", 1, 1, "", "the spec is empty", "a network needs `input` and `layers`"
    ),
    "a file of comments": Mistake(
        "# nothing\n",
        "E007",
        1,
        1,
        "#",
        "the spec is empty",
        "a network needs `input` and `layers`",
    ),
    "a list": Mistake(
        "- relu\n",
        *("E101", 1, 1, "-", "a spec is a mapping of `input`, `layers` and so on, not a list"),
        "begin with `input: [3, 224, 224]` and `layers:`, each on a line of its own",
    ),
    "a text": Mistake(
        "resnet50\n",
        *("E101", 1, 1, "resnet50"),
        "a spec is a mapping of `input`, `layers` and so on, not `resnet50`",
        "begin with `input: [3, 224, 224]` and `layers:`, each on a line of its own",
    ),
    "a duplicate key": Mistake(
        conv("stride: 1, stride: 2"),
        *("E014", 3, 56, "stride", "the key `stride` stands twice in one mapping"),
        "keep one of the two; a list of layers needs a dash before each",
    ),
    "an unquoted comma": Mistake(
        layer("conv: {out_channels: max(8, in_channels // 4), kernel_size: 3}"),
        *("E012", 3, 26, "max(8, in_channels // 4)", "YAML ends `max(8` at the comma"),
        "inside braces or brackets an expression with a comma must be quoted: "
        '"max(8, in_channels // 4)"',
    ),
    "an unquoted bracket": Mistake(
        layer("conv: {out_channels: 2 * c[0], kernel_size: 3}", "vars: {c: [8]}\n" + INPUT),
        *("E013", 4, 26, "2 * c[0]", "YAML takes the bracket of `2 * c[0]` for a list"),
        'inside braces an expression with brackets must be quoted: "2 * c[0]"',
    ),
    "a tab": Mistake(
        INPUT + "layers:\n\t- relu\n",
        *("E011", 3, 1, "\t", "the indentation has a tab"),
        "YAML is indented with spaces",
    ),
    "a number to the base of 60": Mistake(
        "input: [3, 28:28]\nlayers: [relu]\n",
        *("E022", 1, 12, "28:28", "`28:28` is a text to YAML 1.2 and 1708 to YAML 1.1"),
        "write a list, [28, 28], or put the text in quotes",
    ),
    "an octal number": Mistake(
        "input: [3, 010, 8]\nlayers: [relu]\n",
        *("E023", 1, 12, "010", "`010` is 10 to YAML 1.2 and 8 to YAML 1.1"),
        "write 10, or 0o10 for an octal number",
    ),
    "infinity": Mistake(
        "input: [3, .inf, 8]\nlayers: [relu]\n",
        *("E021", 1, 12, ".inf", "`.inf` is not a finite number"),
        "write a whole number or a short decimal",
    ),
    "not a number": Mistake(
        "input: [3, .nan, 8]\nlayers: [relu]\n",
        *("E021", 1, 12, ".nan", "`.nan` is not a finite number"),
        "write a whole number or a short decimal",
    ),
    "a huge decimal": Mistake(
        "input: [3, 1e400, 8]\nlayers: [relu]\n",
        *("E307", 1, 12, "1e400", "`1e400` is more than 10¹⁸"),
        "write a whole number or a short decimal",
    ),
    "two documents": Mistake(
        layer("relu") + "---\ninput: [3]\n",
        *("E017", 4, 1, "---", "a second document begins here"),
        "a file holds one network: remove the `---` line, or split the file",
    ),
    "an alias cycle": Mistake(
        INPUT + "layers: &all\n  - layers: *all\n",
        *("E018", 3, 13, "*all", "`*all` stands inside what it refers to"),
        "a spec is finite: use `repeat` or `for`",
    ),
    "an alias bomb": Mistake(
        # Each `*a3` of line 5 is 9⁴ words and the lists they are in: the sixth is too many.
        "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
        + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10)),
        *("E019", 5, 35, "*a3", "more than 50,000 values, aliases counted as copies"),
        "use `repeat`, `for` and blocks for what repeats",
    ),
    "a merge key": Mistake(
        INPUT
        + (
            "layers:\n  - conv: &a {out_channels: 8, kernel_size: 3}\n"
            "  - conv: {<<: *a, stride: 2}\n"
        ),
        *("E016", 4, 12, "<<", "merge keys (`<<`) are not part of YAML 1.2"),
        "what is shared belongs into a block with arguments, or into `vars`",
    ),
    "deep nesting": Mistake(
        f"input: {'[' * 70}{']' * 70}\nlayers: [relu]\n",
        *("E020", 1, 71, "[", "more than 64 levels of nesting"),
        "name the inner layers as a block",
    ),
    "a bracket that is not closed": Mistake(
        "input: [3, 8, 8\nlayers: [relu]\n",
        *("E010", 2, 7, ":", "a comma is missing before this, or a bracket is not closed"),
        "separate values by commas, and close every { and [",
    ),
    "a number as a key": Mistake(
        layer("relu", "vars: {1: 2}\n" + INPUT),
        *("E015", 1, 8, "1", "a key must be text, not `1`"),
        "put it in quotes",
    ),
    "a tag": Mistake(
        layer("relu:\n    if: !light"),
        *("E024", 4, 9, "!light", "the tag `!light` is not part of the spec language"),
        "for the opposite of a condition write `not`; a text that starts with `!` must be quoted",
    ),
}

MISTAKES = WORDS | VALUES | SHAPES | YAML


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_one_finding_with_its_place_its_cause_and_a_way_out(name):
    mistake = MISTAKES[name]
    finding = only(mistake.text)
    assert finding.code.id == mistake.code
    assert finding.message == mistake.message
    assert finding.place[1:3] == (mistake.line, mistake.column)
    if mistake.text:
        assert marked(finding.place) == mistake.mark
    assert finding.help == mistake.help
    assert finding.notes == mistake.notes


@pytest.mark.parametrize("name", MISTAKES)
def test_what_is_said_of_a_mistake_can_be_read(name):
    findings = found(MISTAKES[name].text)
    assert_readable(findings)
    text = findings_text(findings)
    first = text.splitlines()[0]
    assert first.startswith(f"net.yaml:{findings[0].place.line}:{findings[0].place.column}: error[")
    assert max(map(len, text.splitlines())) < 450


@pytest.mark.parametrize(
    ("alias", "ours"),
    {
        "filters": "out_channels",
        "out": "out_channels",
        "channels": "out_channels",
        "strides": "stride",
        "kernel": "kernel_size",
        "kernel_shape": "kernel_size",
        "pad": "padding",
        "pads": "padding",
        "dilation_rate": "dilation",
        "group": "groups",
        "use_bias": "bias",
        "Filters": "out_channels",
    }.items(),
)
def test_a_name_from_elsewhere_is_answered_with_the_one_used_here(alias, ours):
    findings = found(layer(f"conv: {{{alias}: 8}}"))
    finding = next(finding for finding in findings if finding.code.id == "E104")
    assert finding.message == f"unknown key `{alias}` in a `conv` layer"
    assert finding.help == f"it is called `{ours}` here"
    assert (finding.place[1:3], marked(finding.place)) == ((3, 12), alias)


class TestTwoPlaces:
    def test_a_merge_of_different_shapes_shows_both_producers(self):
        finding = only(
            INPUT + "layers:\n"
            "  - {conv: {out_channels: 16, kernel_size: 3, stride: 2, padding: 1}, name: down}\n"
            "  - {conv: {out_channels: 32, kernel_size: 1}, name: wide}\n"
            "  - {add: , from: [down, wide]}\n"
        )
        assert finding.code.id == "E304"
        assert finding.message == "`add` joins inputs of different shapes: 16×16×16 and 32×16×16"
        assert (finding.place[1:3], marked(finding.place)) == ((5, 6), "add")
        assert [label for label, _ in finding.related] == [
            "`down` gives 16×16×16",
            "`wide` gives 32×16×16",
        ]
        assert [(p.line, p.column, marked(p)) for _, p in finding.related] == [
            (3, 6, "conv"),
            (4, 6, "conv"),
        ]
        assert finding.help == "bring both to the same channels, for example with a 1×1 `conv`"

    def test_a_residual_with_the_identity_shows_the_layer_before_it(self):
        finding = only(
            INPUT + "layers:\n  - relu\n  - residual:\n      body:\n"
            "        - conv: {out_channels: 3, kernel_size: 3}\n"
        )
        assert finding.message == "`add` joins inputs of different shapes: 3×30×30 and 3×32×32"
        assert (finding.place[1:3], marked(finding.place)) == ((4, 5), "residual")
        assert [place.line for _, place in finding.related] == [6, 3]
        assert "check the stride and padding" in finding.help

    def test_a_concat_of_different_sizes(self):
        finding = only(
            INPUT + "layers:\n  - parallel:\n      merge: concat\n      branches:\n"
            "        a: [{max_pool: {kernel_size: 2}}]\n        b:\n"
        )
        assert finding.code.id == "E304"
        assert "3×16×16 and 3×32×32" in finding.message
        assert marked(finding.place) == "concat"
        assert [label for label, _ in finding.related] == [
            "`a.max_pool` gives 3×16×16",
            "`input` gives 3×32×32",
        ]

    def test_a_duplicate_key_shows_the_first(self):
        ((label, place),) = only(conv("bias: true, bias: false")).related
        assert (label, place[1:3]) == ("first", (3, 45))

    def test_two_kinds_of_inputs_show_each_other(self):
        finding = only(INPUT + "inputs: {a: [3, 8, 8]}\nlayers: [relu]\n")
        assert [(label, place.line) for label, place in finding.related] == [("the other", 1)]

    def test_a_bracket_that_is_not_closed_is_shown(self):
        ((label, place),) = only("input: [3, 8, 8\nlayers: [relu]\n").related
        assert (label, place[1:3]) == ("`[` begins here", (1, 8))


class TestBlocks:
    BAD = (
        INPUT + "blocks:\n  bad:\n    args: {k: 3}\n    layers:\n"
        "      - conv: {out_channels: k - 3, kernel_size: 1}\n"
    )

    def test_what_is_wrong_in_a_block_is_said_once_with_its_uses(self):
        finding = only(
            self.BAD + "layers:\n  - bad\n  - relu\n  - bad\n  - {repeat: 9, bad: {k: 2}}\n"
        )
        assert (finding.code.id, finding.place[1:3]) == ("E301", (6, 30))
        assert [(label, place.line) for label, place in finding.related] == [
            ("in block `bad`, used here", 8),
            ("block `bad` is used here too", 10),
            ("block `bad` is used here too", 11),
        ]

    def test_of_very_many_uses_a_few_are_named(self):
        finding = only(self.BAD + "layers:\n" + "  - bad\n" * 500)
        assert len(finding.related) == 6

    def test_blocks_within_blocks_are_followed_to_where_they_begin(self):
        finding = only(
            self.BAD
            + "  outer: {layers: [bad]}\n  outermost: {layers: [outer]}\nlayers: [outermost]\n"
        )
        assert [(label, place.line) for label, place in finding.related] == [
            ("in block `bad`, used here", 7),
            ("in block `outer`, used here", 8),
            ("in block `outermost`, used here", 9),
        ]

    def test_a_long_way_is_cut_in_the_middle(self):
        blocks = "".join(f"  b{n}: {{layers: [b{n + 1}]}}\n" for n in range(40))
        finding = only(self.BAD + blocks + "  b40: {layers: [bad]}\nlayers: [b0]\n")
        labels = [label for label, _ in finding.related]
        assert len(labels) == 6
        assert labels[0] == "in block `bad`, used here"
        assert labels[-1] == "in block `b0`, used here"

    def test_uses_with_other_numbers_are_the_same_finding(self):
        finding = only(
            "input: [3, 9, 9]\nblocks:\n  down: {layers: [{max_pool: {kernel_size: 4}}]}\nlayers:\n"
            "  - parallel:\n      merge: add\n      branches:\n        a: [down, down]\n"
            "        b: [{max_pool: {kernel_size: 3}}, down]\n"
        )
        assert finding.message == "`a.down2.max_pool` has no output: its input is 2×2"
        assert [place.line for _, place in finding.related] == [8, 9]

    def test_another_thing_at_the_same_place_is_another_finding(self):
        findings = found(
            "input: [6, 8, 8]\nlayers:\n  - conv: {out_channels: 9, kernel_size: 1, groups: 4}\n"
        )
        assert [finding.message for finding in findings] == [
            "4 groups do not divide the 6 input channels of `conv`",
            "4 groups do not divide the 9 output channels of `conv`",
        ]

    def test_what_is_repeated_is_wrong_once(self):
        assert codes(
            INPUT + "layers:\n  - {repeat: 50, conv: {out_channels: -i, kernel_size: 1}}\n"
        ) == [
            "E301",
        ]

    def test_a_block_that_nothing_uses_is_read_too(self):
        finding = only(INPUT + "blocks:\n  b: {layers: [rellu]}\nlayers: [relu]\n")
        assert finding.code.id == "E106"

    def test_a_variant_that_was_not_asked_for_is_read_too(self):
        text = "vars: {n: 1}\nvariants: {a: {}, b: {n: 1 +}}\n" + INPUT + "layers: [relu]\n"
        assert codes(text, variant="a") == ["E201"]


class TestAllAtOnce:
    TEN = (
        "vars: {width: 8, depths: [1, 2]}\n"
        "input: [3, 32, 32]\n"
        "blocks:\n"
        "  unused:\n"
        "    layers:\n"
        "      - conv: {filters: 8, kernel_size: 3}\n"
        "layers:\n"
        "  - max_pool: {kernel_size: 40}\n"
        "  - conv: {out_channels: max(8, width), kernel_size: 3}\n"
        "  - conv: {out_channels: depths[0], kernel_size: 3}\n"
        "  - rellu\n"
        "  - conv: {out_channels: widht, kernel_size: 3}\n"
        "  - conv: {out_channels: 0, kernel_size: 3}\n"
        "  - {add: , from: [prev, nowhere]}\n"
        "  - {repeat: 'depths[9]', relu: }\n"
        "outputs: [lost]\n"
    )

    def test_a_merge_bomb_is_a_bomb_and_its_merges_are_merges(self):
        text = "a0: &a0 {x: 1}\n" + "".join(
            f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 4)}]}}\n" for n in range(1, 40)
        )
        *merges, bomb = found(text)
        assert [(finding.code.id, finding.place[1:3]) for finding in merges] == [
            ("E016", (line, 10)) for line in range(2, 8)
        ]
        assert (bomb.code.id, bomb.place[1:3], marked(bomb.place)) == ("E019", (8, 20), "*a6")
        assert bomb.message == "more than 50,000 values, aliases counted as copies"

    def test_ten_mistakes_are_ten_findings_in_the_order_of_the_text(self):
        findings = found(self.TEN)
        assert [(finding.code.id, finding.place.line) for finding in findings] == [
            ("E104", 6),
            ("E302", 8),
            ("E012", 9),
            ("E013", 10),
            ("E106", 11),
            ("E202", 12),
            ("E301", 13),
            ("E113", 14),
            ("E206", 15),
            ("E113", 16),
        ]

    def test_what_follows_from_a_mistake_is_no_mistake(self):
        # The pool has no output, so nothing is known of the layers after it; nor is anything said.
        text = (
            "input: [3, 4, 4]\nlayers:\n  - max_pool: {kernel_size: 9}\n"
            "  - conv: {out_channels: in_channels, kernel_size: 3}\n"
            "  - linear: {out_features: 3}\n"
        )
        assert codes(text) == ["E302"]

    @pytest.mark.parametrize(
        "entry",
        [
            "{for: 'd[0]', max_pool: {kernel_size: 2}}",
            "{for: [{a: 1}, {b: 1}], max_pool: {kernel_size: 2}}",
            "{for: {a: 3}, max_pool: {kernel_size: 2}}",
            "{for: {a: [1], b: [1, 2]}, max_pool: {kernel_size: 2}}",
            "{repeat: 'd[7]', max_pool: {kernel_size: 2}}",
            "{repeat: 1 / 2, max_pool: {kernel_size: 2}}",
            "{if: 'd[7] == 1', max_pool: {kernel_size: 2}}",
            "{if: 'd[0]', max_pool: {kernel_size: 2}}",
            "{if: zzz, max_pool: {kernel_size: 2}}",
            "{if: 3, max_pool: {kernel_size: 2}}",
            "{for: 3, max_pool: {kernel_size: 2}}",
            "{from: 3, max_pool: {kernel_size: 2}}",
            "{MaxPool2d: {kernel_size: 2}, name: lost}",
            "12",
            "{name: lost, repeat: 2}",
            "{layers: {max_pool: {kernel_size: 2}}}",
            "{residual: [max_pool: {kernel_size: 2}]}",
            "{parallel: {merge: add, branches: {a: [max_pool: {kernel_size: 2}]}}}",
            "{max_pool: 2}",
        ],
    )
    def test_what_comes_after_something_unknown_is_not_judged(self, entry):
        text = f"vars: {{d: [3]}}\n{INPUT}layers:\n  - {entry}\n  - flatten\n"
        text += f"  - linear: {{out_features: 1, in_features: {3 * 16 * 16}}}\n"
        assert len(codes(text)) == 1

    @pytest.mark.parametrize(
        "block",
        [
            "bad: [relu]",
            "bad: {}",
            "bad: {layers: relu}",
            "bad: {layers: [bad]}",
            "bad: {layers: [12]}",
            "'b.ad': {layers: [relu]}",
        ],
    )
    def test_to_use_a_block_that_is_wrong_is_no_other_mistake(self, block):
        name = block.partition(":")[0]
        text = f"{INPUT}blocks: {{{block}}}\nlayers:\n  - {name}\n  - {name}: \n    name: again\n"
        text += "  - {linear: {out_features: 1}, from: again}\n"
        assert len(codes(text)) == 1

    def test_a_variable_without_a_value_is_one_finding(self):
        text = (
            "vars: {n: , m: n + 1}\ninput: [3, n, n]\nlayers:\n"
            "  - conv: {out_channels: m, kernel_size: 3}\n  - {relu: , if: n == 3}\n"
            "  - {repeat: n, relu: }\n"
        )
        assert codes(text) == ["E208"]

    def test_a_broken_variable_is_one_finding(self):
        text = (
            "vars: {n: 1 / 0, m: n + 1}\n"
            + INPUT
            + "layers:\n  - conv: {out_channels: m, kernel_size: n}\n"
        )
        assert codes(text) == ["E206"]

    def test_what_yaml_could_not_read_is_not_found_wrong_again(self):
        text = (
            INPUT
            + "layers:\n  - conv: {out_channels: 28:28, kernel_size: *k, stride: .inf, bias: 010}\n"
        )
        assert codes(text) == ["E022", "E010", "E021", "E023"]

    def test_a_file_of_nothing_but_mistakes_ends_after_a_hundred(self):
        findings = found(INPUT + "layers:\n" + "  - rellu\n" * 5000)
        assert len(findings) == MAX_FINDINGS
        assert findings[-1].place.line == 2 + MAX_FINDINGS
        assert findings[-1].notes == (
            "there may be more: after 100 findings nothing is read any further",
        )

    def test_so_does_one_that_only_its_values_make_wrong(self):
        text = (
            "vars: {z: 0}\n"
            + INPUT
            + "layers:\n"
            + "  - conv: {out_channels: z, kernel_size: 1}\n" * 5000
        )
        assert len(found(text)) == MAX_FINDINGS

    def test_warnings_never_end_the_reading(self, spec):
        graph = load(str(spec(INPUT + "layers:\n" + "  - {relu: , from: input}\n" * 500)))
        assert len(graph.layers) == 500
        assert len(graph.warnings) == MAX_FINDINGS


class TestSettings:
    FAMILY = (
        "vars: {width: 1, name: a}\n"
        + INPUT
        + "layers:\n  - conv: {out_channels: width, kernel_size: 1}\n"
    )

    @pytest.mark.parametrize(
        ("setting", "code", "said", "mark"),
        [
            ("1 +", "E201", "`1 +` is not an expression: something is missing at its end", "+"),
            ("", "E201", "an empty text where a value is needed", None),
            ("other * 2", "E202", "unknown variable `other`", "other"),
            ("1 / 0", "E206", "division by zero: 1 / 0", "1 / 0"),
            ("().x", "E204", "an attribute (`.`) is not part of the expression language", "().x"),
            ("2**99", "E205", "the exponent 99 is not a whole number from -64 to 64", "2**99"),
        ],
    )
    def test_a_setting_is_pointed_into(self, setting, code, said, mark):
        finding = only(self.FAMILY, {"width": setting})
        assert (finding.code.id, finding.message) == (code, said)
        assert finding.place.text.name == "--set width"
        if mark is not None:
            assert marked(finding.place) == mark

    def test_a_setting_of_no_variable(self):
        finding = only(self.FAMILY, {"widht": "2"})
        assert (finding.code.id, finding.place) == ("E202", None)
        assert finding.message == "the spec has no variable `widht` to set"
        assert finding.help == "did you mean `width`?"
        assert only(self.FAMILY, {"zzz": 2}).help == "it has `width`, `name`"
        assert only(INPUT + "layers: [relu]\n", {"zzz": 2}).help == "it has none"

    @pytest.mark.parametrize(
        "number", [10**19, -(10**400), 10**5000], ids=["20 digits", "401", "5001"]
    )
    def test_a_setting_that_is_too_large(self, number):
        finding = only(self.FAMILY, {"width": number})
        assert (finding.code.id, finding.place) == ("E307", None)
        assert finding.message == "the value that `width` is set to is too large"

    def test_a_setting_that_does_not_fit_is_found_where_it_is_used(self):
        finding = only(self.FAMILY, {"width": "1/2"})
        assert (finding.code.id, finding.place.line) == ("E306", 4)


class TestFiles:
    """What stands in the way of reading at all; see also test_reference.py."""

    @pytest.mark.parametrize(
        ("raw", "code", "said"),
        [
            (
                b"\x93NUMPY\x01\x00v\x00{'descr'",
                "E003",
                "net.yaml is not a text file: byte 7 is zero",
            ),
            ("name: größe\n".encode("latin-1"), "E004", "net.yaml:1: byte 0xf6 is not UTF-8"),
            ("name: größe\n".encode("utf-16"), "E004", "net.yaml is UTF-16, not UTF-8"),
            (b"#" * (2**20 + 1), "E006", "net.yaml has more than 1,048,576 bytes"),
        ],
    )
    def test_a_file_that_is_no_spec(self, tmp_path, raw, code, said):
        path = tmp_path / "net.yaml"
        path.write_bytes(raw)
        with pytest.raises(UsageError) as caught:
            load(str(path))
        (finding,) = caught.value.findings
        assert (finding.code.id, finding.place) == (code, None)
        assert finding.message.replace(f"{path}", "net.yaml") == said
        assert finding.help

    def test_a_missing_file_and_a_directory(self, tmp_path):
        for reference, code in ((tmp_path / "net.yaml", "E001"), (tmp_path, "E002")):
            with pytest.raises(UsageError) as caught:
                load(str(reference))
            assert [finding.code.id for finding in caught.value.findings] == [code]
