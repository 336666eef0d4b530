"""Specs that mean harm: what `test_hostile` throws at the reader, by family."""

import json

SIZE = 2**20
HEAD = "input: [3, 8, 8]\n"
RELU = "layers: [relu]\n"


def fill(unit, before="", after=""):
    """As many of ``unit`` as a spec may hold."""
    room = SIZE - len(before.encode()) - len(after.encode())
    return before + unit * (room // len(unit.encode())) + after


def layers(*lines):
    return HEAD + "layers:\n" + "".join(f"  - {line}\n" for line in lines)


def many(pattern, count):
    """``pattern`` filled in with each number."""
    return "".join(pattern.format(n) for n in range(count))


def blocks(*bodies, use):
    """Blocks b0, b1 and so on with these bodies, and a network that uses one of them."""
    declared = "".join(f"  b{n}: {body}\n" for n, body in enumerate(bodies))
    return f"{HEAD}blocks:\n{declared}layers: {use}\n"


def doubling(item):
    """A layer after variables each of which is a list of ten of the one before."""
    lines = [f"  a0: [{', '.join(['1'] * 10)}]"]
    lines += [f"  a{n}: '[{', '.join([f'a{n - 1}'] * 10)}]'" for n in range(1, 30)]
    return "vars:\n" + "\n".join(lines) + "\n" + HEAD + f"layers:\n  - {item}\n"


ALIASES = {
    "a billion laughs": "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
    + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10)),
    "laughing mappings": "a0: &a0 {x: 1}\n"
    + "".join(
        f"a{n}: &a{n} {{{', '.join(f'k{k}: *a{n - 1}' for k in range(9))}}}\n" for n in range(1, 12)
    ),
    "merges of merges": "a0: &a0 {x: 1}\n"
    + "".join(f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 4)}]}}\n" for n in range(1, 40)),
    "wide merges": f"a: &a {{{many('k{}: 1, ', 5000)}}}\nb: [{'{<<: *a}, ' * 20_000}]\n",
    "laughing layers": HEAD
    + "layers:\n  - layers: &a ["
    + "relu, " * 1000
    + "]\n"
    + "  - layers: *a\n" * 500,
    "laughing expressions": "vars: {c: 1, z: [&a '"
    + "c + " * 90
    + "1', "
    + "*a, " * 200_000
    + "]}\n"
    + HEAD
    + RELU,
    "an alias of nothing a hundred thousand times": fill("*a,", "["),
    **{
        f"a long text again and again as {where}": head.replace("LONG", "&a " + "x" * 600_000)
        + HEAD
        + RELU.replace("relu", "relu" + many(again, count))
        for where, head, again, count in [
            ("a name", "name: LONG\n", ", {{relu: , name: *a}}", 9000),
            ("a kind", "name: LONG\n", ", *a", 40_000),
            ("a key", "name: LONG\n", ", {{*a : 1}}", 15_000),
            ("a target", "name: LONG\n", ", {{relu: , from: *a}}", 9000),
            ("a value", "name: LONG\n", ", dropout: {{p: *a}}", 8000),
            ("a condition", "name: LONG\n", ", {{relu: , if: *a}}", 9000),
        ]
    },
    "a long text again and again as a word": (
        f"vars: {{a: &a {'x' * 600_000}, b: [{'*a, ' * 80_000}]}}\n"
    )
    + HEAD
    + RELU,
    "anchors only": fill("&a ", HEAD + "layers: "),
    "a cycle": "&a [" + "*a, " * 100_000 + "]",
}

UNITS = [
    *("[", "{", "{a: ", "- ", "? ", "a,", "[]", "]", ",", ": ", "&a ", "*a ", "! ", "!!int ", "#"),
    *("'", '"', "\\", "%", "@", "`", "|\n", ">\n", "\n", " ", "\t", "\r", "-", "---\n", "...\n"),
    *("a:\n", "%TAG ! x\n", "x", "0", "9", ".", "1:", "1e", "é", "😀", "\u2028", "[,", "a: [\n"),
]
SYNTAX = {
    **{f"nothing but {unit!r}": fill(unit) for unit in UNITS},
    **{
        f"layers of {unit!r}": fill(unit, HEAD + "layers: ")
        for unit in ["[", "{a: ", "- ", "a,", "[a,", "relu,", "(", "(,", "c[", "c[0],", '"\\u', "'"]
    },
    "escapes": fill("\\u", '"'),
    "escapes that are whole": fill("\\u0041", '"', '"'),
    "nesting of 40,000 lists": "[" * 40_000 + "]" * 40_000,
    "nesting of 40,000 mappings": "{a: " * 40_000 + "}" * 40_000,
    "nesting by indentation": "".join(" " * n + "a:\n" for n in range(1400)),
    "nesting by dashes": "- " * 500_000 + "a\n",
    "brackets that may be calls": fill("(,", HEAD + RELU + "vars: {a: [", "]}"),
    "calls that end nowhere": HEAD + RELU + "vars: {" + many("a{}: (, ", 90_000) + "}",
    "brackets that may be indices": HEAD
    + RELU
    + "vars: {a: {"
    + many("a{}: c[0], ", 60_000)
    + "}}",
    "an index after 45,000 layers": layers(
        *["relu"] * 45_000, *["conv: {out_channels: c[0], kernel_size: 1}"] * 60
    ),
    "an index after 240,000 lines": HEAD
    + "# x\n" * 240_000
    + "layers:\n"
    + "  - conv: {out_channels: c[0], kernel_size: 1}\n" * 60,
    "indices within indices": HEAD + RELU + "vars: {a: c" + "[" * 400_000 + "]" * 400_000 + "}",
    "tabs": "input:\n" + "\t- 3\n" * 200_000,
    "duplicate keys": HEAD + RELU + "k: 1\n" * 190_000,
    "a flood of documents": fill("---\na: 1\n"),
}

ODD_NUMBERS = {
    **{
        text: text
        for text in ("1e999", "1e-999", "1e400", "-1e400", "1e308", ".nan", ".inf", "-.inf")
    },
    "500,000 nines": "9" * 500_000,
    "500,000 zeros": "0" * 500_000,
    "500,000 decimals": "0." + "1" * 500_000,
    "an exponent of 500,000 digits": "1e" + "1" * 500_000,
    "500,000 digits to the base of 16": "0x" + "f" * 500_000,
    "500,000 digits to the base of 60": "1:" * 500_000 + "1",
    "39 nines": "9" * 39,
    "39 digits to the base of 8": "0o" + "7" * 39,
}
NUMBERS = {
    f"{where} {shown}": text
    for shown, number in ODD_NUMBERS.items()
    for where, text in {
        "an input of": f"input: [3, {number}, 8]\n{RELU}",
        "a field of": layers(f"conv: {{out_channels: {number}, kernel_size: 1}}"),
        "an expression of": layers(f"repeat: 1 + {number}\n    relu:"),
    }.items()
}

BOMBS = [
    *("9**9**9", "9**9**9**9**9", "10**18**18", "((10**18)**64)**64", "2**0.5", "2**-64**64"),
    *("(1/3)**-64", "'a'*10**9", "('a',)*10**9", "[0]*10**9", "10**18*10**18*10**18"),
    *("1/10**18/10**18", "-" * 900 + "1", "- " * 450 + "1", "not " * 240 + "1", "~" * 900 + "1"),
    *("(" * 480 + "1" + ")" * 480, "[" * 480 + "]" * 480, "[" * 999, "(" * 999, "f(" * 480),
    *("lambda:" * 140 + "1", "1 if 0 else " * 80 + "1", "a" + ".b" * 490, "a" + "[a" * 490),
    *("1<" * 490 + "1", "+".join(["1"] * 500), "max(1," * 160 + "1" + ")" * 160, "1," * 490),
    *("make_divisible(8, 0)", "make_divisible(8, -8)", "make_divisible(8, 1/2)"),
    *("make_divisible(10**18, 10**18)", "make_divisible(1/10**18, 10**18)", "round(1/10**18)"),
    *("é" * 900, "1" + "0" * 900, "0x" + "f" * 900, "1e" + "9" * 900, "'" * 999, "1_" * 400 + "1"),
]
CODE = [
    *(
        "__import__('os').system('touch {marker}')",
        "open('{marker}', 'w')",
        "exec('1')",
        "eval('1')",
    ),
    *(
        "().__class__.__bases__[0].__subclasses__()",
        "(lambda: 1)()",
        "[x for x in [1]]",
        "(y := 3)",
    ),
    *(
        "f'{{open}}'",
        "f'{9**9**9}'",
        "yield",
        "await x",
        "print(1)",
        "1; 2",
        "import os",
        "breakpoint()",
    ),
    *("\0", "\x1b[31m", "'\u202e'", "\ud800", "# 1", "1 # 2", "1\n", "\\", "1 \\\n + 2", "\t1"),
]
EXPRESSIONS = {
    **{
        f"{text[:40]!r}, {len(text)} characters, as {where}": head + json.dumps(text) + tail
        for text in (*BOMBS, *CODE)
        for where, head, tail in [
            ("a field", HEAD + "layers:\n  - conv: {kernel_size: 1, out_channels: ", "}\n"),
            ("a condition", HEAD + "layers:\n  - relu:\n    if: ", "\n"),
            ("a variable", "vars:\n  v: ", "\n" + HEAD + RELU),
        ]
    },
    "200,000 small expressions": fill("1+1, ", HEAD + RELU + "vars: {a: [", "]}"),
    "expressions that all differ": HEAD + RELU + "vars: {a: [" + many("{}+1, ", 100_000) + "]}",
    "long expressions that all differ": HEAD
    + RELU
    + "vars:\n  a: 1\n  b:\n"
    + many("    - '[" + "a, " * 300 + "{}]'\n", 1000),
    "towers": fill("9**9**9, ", HEAD + RELU + "vars: {a: [", "]}"),
    "long chains that all fail": HEAD
    + RELU
    + "vars:\n  a:\n"
    + ("    - " + "1+" * 480 + "1\n") * 1000,
    "lists that blow up": doubling("relu"),
    "lists that blow up and are compared": doubling("{relu: , if: 'a29 == a29'}"),
    "lists that blow up and are looked through": doubling("{relu: , if: '1 in a29'}"),
    "lists that blow up as fields": doubling("conv: {out_channels: a29, kernel_size: a29}"),
    "lists that blow up in messages": doubling("{repeat: a29 + 1, relu: }"),
    "lists that blow up in blocks": blocks(
        "{args: {l: }, layers: [relu]}",
        *(
            f"{{args: {{l: }}, layers: [{{b{n}: {{l: '[{', '.join(['l'] * 10)}]'}}}}]}}"
            for n in range(30)
        ),
        use="[b30: {l: 1}]",
    ),
    "lists within lists": "vars:\n  v0: [1]\n"
    + "".join(f"  v{n}: '[v{n - 1}]'\n" for n in range(1, 2000))
    + HEAD
    + RELU,
}

LOOPS = {
    "a billion layers": layers("{repeat: 10**9, relu: }"),
    "a billion layers, written out": layers("{repeat: 1000000000, relu: }"),
    "a billion that are left out": layers("{repeat: 10**9, relu: , if: false}"),
    "1000 × 1000 × 1000": layers(
        "{repeat: 1000, layers: [{repeat: 1000, layers: [{repeat: 1000, relu: }]}]}"
    ),
    "1000 × 1000 × 1000 left out": layers(
        "relu",
        "{repeat: 1000, layers: [{repeat: 1000, layers: [{repeat: 1000, relu: , if: i < 0}]}]}",
    ),
    "1000 × 1000 × 1000 in blocks": blocks(
        "{args: {n: }, layers: [{repeat: n, relu: }]}",
        "{args: {n: }, layers: [{repeat: n, b0: {n: n}}]}",
        "{args: {n: }, layers: [{repeat: n, b1: {n: n}}]}",
        use="[b2: {n: 1000}]",
    ),
    "blocks that double": blocks(
        "{layers: [relu]}", *(f"{{layers: [b{n}, b{n}]}}" for n in range(20)), use="[b20]"
    ),
    "blocks that double unseen": blocks(
        "{args: {n: }, layers: [relu]}",
        *(f"{{args: {{n: }}, layers: [{{repeat: n, b{n}: {{n: n}}}}]}}" for n in range(20)),
        use="[b20: {n: 2}]",
    ),
    "blocks that double and make nothing": blocks(
        "{args: {n: }, layers: [{relu: , if: n == 7}]}",
        *(f"{{args: {{n: }}, layers: [{{repeat: n, b{n}: {{n: n}}}}]}}" for n in range(20)),
        use="[relu, b20: {n: 2}]",
    ),
    "blocks that all use all that follow": blocks(
        *(
            f"{{layers: [{', '.join(f'b{k}' for k in range(n + 1, 250)) or 'relu'}]}}"
            for n in range(250)
        ),
        use="[b0]",
    ),
    "blocks that all use all": blocks(
        *(f"{{layers: [{', '.join(f'b{k}' for k in range(200))}]}}" for n in range(200)), use="[b0]"
    ),
    "a chain of 9,000 blocks": blocks(
        *(f"{{layers: [b{n + 1}]}}" for n in range(9_000)), "{layers: [relu]}", use="[b0]"
    ),
    "a chain of 9,000 blocks, backwards": blocks(
        "{layers: [relu]}", *(f"{{layers: [b{n}]}}" for n in range(9_000)), use="[b9000]"
    ),
    "a circle of 9,000 blocks": blocks(
        *(f"{{layers: [b{(n + 1) % 9_000}]}}" for n in range(9_000)), use="[b0]"
    ),
    "big lists × repeat": "vars: {e: ["
    + "1, " * 480
    + "]}\n"
    + layers("relu", "{for: {a: e}, repeat: 1000, relu: , if: a > 1}"),
    "big lists × big lists": "vars: {e: ["
    + "1, " * 480
    + "]}\n"
    + layers(
        "relu", "{for: {a: e}, layers: [{for: {b: e}, layers: [{for: {c: e}, repeat: 0, relu: }]}]}"
    ),
    "rounds × repeat": layers(
        "relu",
        "{repeat: 100000, layers: [{for: [" + "{w: 1}, " * 10_000 + "], repeat: 0, relu: }]}",
    ),
    "rounds of nothing": "vars: {e: []}\n"
    + HEAD
    + "layers:\n  - relu\n  - repeat: 100000\n    layers:\n"
    + "      - {for: {w: e}, relu: }\n" * 1000,
    "wide rounds": "vars: {e: ["
    + ("{" + many("a{}: 1, ", 400) + "}, ") * 50
    + "]}\n"
    + layers("relu", "{repeat: 100000, layers: [{for: e, repeat: 0, relu: }]}"),
    "very many variables": "vars: {"
    + many("v{}: 1, ", 20_000)
    + "}\nblocks: {b: {layers: [relu]}}\n"
    + layers("{repeat: 100000, b: }"),
    "variables that use each other": "vars: {v0: 1, "
    + "".join(f"v{n}: v{n - 1}, " for n in range(1, 12_000))
    + "}\n"
    + HEAD
    + RELU,
    "very many arguments": HEAD
    + "blocks: {b: {args: {"
    + many("v{}: 1, ", 15_000)
    + "}, layers: [relu]}}\n"
    + "layers: [{repeat: 100000, b: }]\n",
    "very many variants": "vars: {a: 1}\nvariants: {"
    + many("v{}: {{a: 2}}, ", 15_000)
    + "}\n"
    + HEAD
    + RELU,
    "variants that set everything": "vars: {"
    + many("v{}: 1, ", 8000)
    + "}\nvariants: {a: {"
    + many("v{}: 2, ", 8000)
    + "}}\n"
    + HEAD
    + RELU,
    "inputs that multiply": layers(
        "relu", *["{from: [prev, prev], layers: [{relu: , if: false}]}"] * 100
    ),
    "merges of everything": layers(
        "{repeat: 100000, layers: [{add: , from: [" + "prev, " * 128 + "]}]}"
    ),
    "empty branches": HEAD
    + "layers:\n  - repeat: 100000\n    parallel:\n      merge: add\n      branches:\n"
    + many("        b{}:\n", 100),
    "very many inputs × very many branches": "inputs: {"
    + many("i{}: [3, 8, 8], ", 6000)
    + "}\nlayers:\n"
    "  - parallel:\n      merge: add\n      branches:\n" + many("        b{}:\n", 6000),
    "very many inputs": "inputs: {" + many("i{}: [3, 8, 8], ", 8000) + "}\n" + RELU,
    "names that nest": blocks(
        "{layers: [{name: " + "x" * 80 + ", layers: [{repeat: 100000, relu: }]}]}",
        *(f"{{layers: [{{name: {'y' * 80}, layers: [b{n}]}}]}}" for n in range(50)),
        use="[b50]",
    ),
    "long names × repeat": HEAD
    + "layers:\n  - name: "
    + "😀" * 80
    + "\n    layers:\n      - name: "
    + "😀" * 80
    + "\n        layers:\n          - name: "
    + "😀" * 60
    + "\n            repeat: 100000\n            layers: [relu]\n",
    "names that are taken": HEAD
    + "blocks:\n  b:\n    layers:\n      - if: false\n        layers:\n"
    + many("          - {{relu: , name: relu{}}}\n", 8000)
    + "      - {repeat: 1, relu: }\nlayers:\n  - relu\n  - {repeat: 50000, b: }\n",
    "sizes that grow": layers("{repeat: 100000, depthwise_conv: {kernel_size: 1, multiplier: 10}}"),
    "sizes that multiply": f"input: [{10**18}, {10**18}, {10**18}]\nlayers: [flatten]\n",
    "layers that all differ, and an error": layers(
        "{repeat: 100000, conv: {out_channels: i + 1, kernel_size: 3, padding: 1}}",
        "max_pool: {kernel_size: 99}",
    ),
    "100,000 layers, and an error": layers(
        "{repeat: 100000, relu: }", "max_pool: {kernel_size: 99}"
    ),
    "45,000 layers written out, and more": layers(
        *["relu"] * 45_000, "{repeat: 100000, layers: [{relu: , if: i < 0}]}"
    ),
    **{
        f"100,000 times {text[:30]!r}": "vars: {c: 3, f: 1/3, e: ["
        + "1, " * 480
        + "]}\n"
        + layers("relu", f"{{repeat: 100000, relu: , if: '{text}'}}")
        for text in [
            "+".join(["c"] * 95) + " > 1000",
            " or ".join(["c in e"] * 90),
            " and ".join(["1 in e"] * 90) + " and c > 3",
            "+".join(["c * f"] * 40) + " < 5",
            "max(" + ", ".join(["make_divisible(f, 8)"] * 30) + ") < 5",
            "len([e]) > 5",
            "e[i]",
        ]
    },
    "shares of shares": layers(
        "{relu: , name: s0}",
        *(f"{{name: s{n}, layers: [share: s{n - 1}, share: s{n - 1}]}}" for n in range(1, 40)),
    ),
    "shares of shared weights": layers(
        "{conv: {out_channels: 3, kernel_size: 1}, name: s0}",
        *(f"{{name: s{n}, layers: [share: s{n - 1}, share: s{n - 1}]}}" for n in range(1, 40)),
    ),
    "one shared 100,000 times": layers(
        "{conv: {out_channels: 3, kernel_size: 1}, name: s}", "{share: s, repeat: 100000}"
    ),
    "names that are shared among very many variables": "vars: {"
    + many("v{}: 1, ", 8000)
    + "}\n"
    + layers(
        "{conv: {out_channels: 3, kernel_size: 1}, name: s}",
        "{repeat: 100000, name: r, layers: [{relu: , name: s}]}",
        "share: s",
    ),
    "shares with nothing": layers(*[f"share: s{n}" for n in range(5000)]),
    "splits of splits": layers(
        "{repeat: 100000, layers: [{split: {sections: 3}}, concat]}",
    ),
    "a split into very many": "input: [1000000]\nlayers: [{split: {sections: 1000000}}]\n",
    "slices that all differ": layers(
        "{repeat: 100000, layers: [{channel_slice: {end: 3 - i % 2}}, {pad: {padding: i}}]}"
    ),
    "activations that no one has": layers("{repeat: 100000, activation: i}"),
    "blocks of the library in blocks of the library": layers(
        "{repeat: 100000, inverted_residual: {out_channels: 3, squeeze_channels: 1}}"
    ),
    "dense blocks without end": layers("dense_block: {layers: 100000}"),
    "attention to everything": "input: [1000000000, 1000000000]\nlayers:\n"
    "  - {repeat: 1000, multi_head_attention: {num_heads: 1000}}\n",
    "upsampled for ever": layers("{repeat: 1000, upsample: {scale_factor: 1.5, mode: cubic}}"),
    "a very large adaptive pool": "vars: {H: }\ninput: [3, 1000000000, 1000000000]\nlayers:\n"
    "  - adaptive_max_pool: {output_size: 999999937}\n",
    "100,000 broken fields": "vars: {e: [1]}\n"
    + layers("{repeat: 100000, conv: {out_channels: 'e[i]', kernel_size: 1}}"),
    "100,000 fields that are lists": "vars: {e: ["
    + "1, " * 480
    + "]}\n"
    + layers("{repeat: 100000, conv: {out_channels: 3, kernel_size: [e, i]}}"),
    "100,000 windows that do not fit": HEAD
    + "blocks:\n  b: {args: {k: }, layers: [{max_pool: {kernel_size: k}, from: input}]}\n"
    "layers:\n  - {repeat: 100000, layers: [{b: {k: 9 + i}, from: input}]}\n",
}

FLOODS = {
    "unknown kinds": layers(*["rellu"] * 45_000),
    "unknown kinds that differ": layers(*(f"zz{n}" for n in range(45_000))),
    "unknown keys": HEAD + RELU + many("k{}: 1\n", 20_000),
    "unknown keys that are long": HEAD + RELU + many("k" * 60 + "{}: 1\n", 14_000),
    "unknown variables": HEAD + RELU + "vars: {a: [" + many("z{} + 1, ", 40_000) + "]}",
    "unknown variables among very many": "vars: {"
    + many("v{}: 1, ", 20_000)
    + "}\n"
    + layers(*(f"{{repeat: vv{n}, relu: }}" for n in range(2000))),
    "unknown targets": HEAD + "layers:\n  - {add: , from: [" + many("n{}, ", 49_000) + "]}\n",
    "100,000 unknown targets": HEAD
    + "layers:\n  - {add: , from: ["
    + many("n{}, ", 100_000)
    + "]}\n",
    "unknown targets after 100,000 layers": layers(
        "{repeat: 100000, relu: }", *(f"{{relu: , from: zz{n}}}" for n in range(150))
    ),
    "unknown targets among very many names": layers(
        *(f"{{relu: , name: layer{n}}}" for n in range(9000)),
        *(f"{{relu: , from: laier{n}}}" for n in range(150)),
    ),
    "unknown outputs": HEAD + RELU + "outputs: [" + many("n{}, ", 49_000) + "]\n",
    "octal numbers": fill("01, ", HEAD + RELU + "vars: {a: [", "]}"),
    "numbers to the base of 60": fill("1:1, ", HEAD + RELU + "vars: {a: [", "]}"),
    "infinities": fill(".inf, ", HEAD + RELU + "vars: {a: [", "]}"),
    "broken expressions": fill("1+, ", HEAD + RELU + "vars: {a: [", "]}"),
    "wrong values": layers(*["conv: {out_channels: 0, kernel_size: -1, filters: 3}"] * 5000),
    "wrong values that are computed": "vars: {z: 0}\n"
    + layers(*["conv: {out_channels: z, kernel_size: z - 1}"] * 5000),
    "wrong values deep in blocks": "vars: {z: 0}\n"
    + HEAD
    + "blocks:\n  b0:\n    layers:\n"
    + "      - conv: {out_channels: z, kernel_size: 1}\n" * 3000
    + "".join(f"  b{n}: {{layers: [b{n - 1}]}}\n" for n in range(1, 60))
    + "layers: [b59]\n",
    "rounds that have nothing in common": HEAD
    + "layers:\n  - relu:\n    for:\n"
    + "".join(
        "      - {" + "".join(f"v{n}: 1, " for n in range(250 * r, 250 * r + 250)) + "}\n"
        for r in range(90)
    ),
    "arguments that are missing": HEAD
    + "blocks: {b: {args: {"
    + many("v{}: , ", 15_000)
    + "}, layers: [relu]}}\nlayers: ["
    + "b, " * 1000
    + "]\n",
    "names that are taken twice": "vars: {a: 1}\n"
    + layers(*["{relu: , name: x, if: a == 1}"] * 6000),
    "published figures": HEAD + RELU + "published:\n" + "  - {params: 1, from: x}\n" * 7000,
    "published figures that are none": HEAD
    + RELU
    + "published:\n"
    + "  - {params: zz, from: x}\n" * 7000,
    "published figures of groups": HEAD
    + RELU
    + "published:\n  from: x\n  layers:\n"
    + many("    g{}: {{params: 1}}\n", 12_000),
    "outputs that nothing reads": layers(*["{relu: , from: input}"] * 5000),
}

LONG = "x" * 900_000
TEXTS = {
    "a long name": f"name: {LONG}\n" + HEAD + "layers: [rellu]\n",
    "a long line and an error at its end": HEAD + "layers: [" + "relu, " * 40_000 + "rellu]\n",
    "a long key": HEAD + RELU + f"? {LONG}\n: 1\n",
    "a long kind": layers(LONG),
    "a long variable": HEAD + "layers:\n  - repeat: " + "x" * 990 + "\n    relu:\n",
    "a long target": HEAD + f"layers:\n  - relu:\n    from: {LONG}\n",
    "a long variant": "vars: {a: 1}\nvariants:\n  ? " + LONG + "\n  : {b: 1}\n" + HEAD + RELU,
    "a long tag": HEAD + RELU + f"name: !{'x' * 900_000} y\n",
    "a long anchor": HEAD + RELU + f"name: *{'x' * 900_000}\n",
    "a long figure": HEAD + RELU + f"published: {{params: {'9' * 400_000}, from: us}}\n",
    "a long escape": HEAD + RELU + 'name: "' + "\\x1b" * 200_000 + '"\n',
    "escapes in a name": HEAD + 'layers:\n  - relu:\n    name: "a\\x1b[31mred\\x07\\u202e"\n',
    "escapes in a key": HEAD + RELU + '"a\\x1b[31m\\0\\u2028": 1\n',
    "escapes in texts": HEAD + RELU + 'source: "a\\x1b[31m"\nname: "\\e]0;x\\a"\n',
    "escapes in a kind": HEAD + 'layers: ["re\\x1blu"]\n',
    "escapes in a target": HEAD + 'layers:\n  - relu:\n    from: "re\\x1blu"\n',
    "escapes in variables": 'vars: {"a\\x1b": 1}\n'
    + HEAD
    + 'layers:\n  - repeat: "1 + \\x1b"\n    relu:\n'
    "  - repeat: \"'\\x1b' + 1\"\n    relu:\n",
    "escapes in figures": HEAD
    + RELU
    + 'published: {params: "\\x1b", from: "\\x1b", layers: {"\\x1b": {params: z}}}\n',
    "escapes in variants": 'vars: {a: 1}\nvariants: {"\\x1b[2J": {b: 1}}\n' + HEAD + RELU,
    "escapes in blocks": HEAD + 'blocks: {"\\x1b[2J": {layers: [relu]}}\nlayers: ["\\x1b[2K"]\n',
    "a raw escape": HEAD + "name: a\x1b[31m\n" + RELU,
    "a raw escape in a comment": HEAD + "# \x1b[31m\n" + RELU,
    "a bell": HEAD + "name: \x07\n" + RELU,
    "null bytes": HEAD.encode() + b"name: a\0b\n" + RELU.encode(),
    "Latin-1": (HEAD + "name: größe\n" + RELU).encode("latin-1"),
    "UTF-16": (HEAD + "layers: [rellu]\n").encode("utf-16"),
    "UTF-32": (HEAD + "layers: [rellu]\n").encode("utf-32-le"),
    "a surrogate": HEAD.encode() + b"name: \xed\xa0\x80\n" + RELU.encode(),
    "half a character": HEAD.encode() + b"name: \xf0\x9f\n",
    "an escaped surrogate": HEAD + RELU + 'name: "\\ud800"\n',
    "a byte order mark": "\ufeff" + HEAD + "layers: [rellu]\n",
    "a byte order mark in the middle": HEAD + RELU + "name: a\ufeffb\n",
    "Windows line ends": (HEAD + "layers: [rellu]\n").replace("\n", "\r\n"),
    "old Mac line ends": (HEAD + "layers: [rellu]\n").replace("\n", "\r"),
    "next lines": HEAD + "# a\u0085\u0085\u0085\nlayers: [rellu]\n",
    "next lines in a text": HEAD + "name: a\u0085b\nlayers: [rellu]\n",
    "line separators": HEAD + "# a\u2028\u2029\nlayers:\n- rellu\n",
    "form feeds": HEAD + "# a\x0c\x0b\x1c\x1d\nlayers:\n- rellu\n",
    "random bytes": bytes(range(256)) * 100,
    "an image": b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 10,
    "a pickle": b"\x80\x04cos\nsystem\n(S'true'\ntR.",
    "a tag that runs code": HEAD + "layers: !!python/object/apply:os.system ['touch {marker}']\n",
    "a tag that opens files": HEAD + "layers: !include /etc/passwd\n",
    "a tag that makes objects": "!!python/object/new:type {args: [x, [], {}]}\n",
    "a file": HEAD + "layers: /etc/passwd\n",
}

FAMILIES = {
    "aliases": ALIASES,
    "syntax": SYNTAX,
    "numbers": NUMBERS,
    "expressions": EXPRESSIONS,
    "loops": LOOPS,
    "floods": FLOODS,
    "texts": TEXTS,
}
