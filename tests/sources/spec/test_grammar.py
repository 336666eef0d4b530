"""From YAML nodes to a typed document: what is known of a spec before its variables have values."""

import os
import subprocess
import sys

import pytest
from reading import INPUT, codes, document, found, only

from convcalc.layers import all_kinds
from convcalc.sources.spec.document import (
    BlockUse,
    Group,
    LayerUse,
    Parallel,
    Residual,
)
from convcalc.sources.spec.grammar import (
    MODIFIERS,
    STRUCTURES,
    TOP_LEVEL_KEYS,
)


def first(text):
    """The first entry of the layers of a spec."""
    return document(INPUT + "layers:\n" + text).layers[0]


class TestDocument:
    def test_what_is_not_there_is_empty(self):
        made = document(INPUT + "layers: [relu]\n")
        assert (made.name, made.source, made.variables, made.variants) == (None, None, (), {})
        assert (made.blocks, made.outputs, made.published) == ({}, (), {})
        assert [name for name, _ in made.inputs] == ["input"]

    def test_variables_keep_their_order_and_places(self):
        made = document("vars: {b: 1, a: b + 1, c: }\n" + INPUT + "layers: [relu]\n")
        assert [v.name for v in made.variables] == ["b", "a", "c"]
        assert [v.place.column for v in made.variables] == [8, 14, 24]
        assert made.variables[0].value.constant == 1
        assert made.variables[1].value.names == {"b"}
        assert made.variables[2].value is None

    def test_variants_hold_what_they_change(self):
        made = document("vars: {a: 1}\nvariants: {x: , y: {a: 2}}\n" + INPUT + "layers: [relu]\n")
        assert list(made.variants) == ["x", "y"]
        assert made.variants["x"] == ()
        assert [(v.name, v.value.constant) for v in made.variants["y"]] == [("a", 2)]

    def test_blocks_have_arguments_and_entries(self):
        made = document(
            INPUT + "blocks:\n  b: {args: {c: , k: 3}, layers: [relu]}\nlayers: [b: {c: 1}]\n"
        )
        block = made.blocks["b"]
        assert [(a.name, a.default and a.default.constant) for a in block.arguments] == [
            ("c", None),
            ("k", 3),
        ]
        assert [entry.kind for entry in block.entries] == ["relu"]

    @pytest.mark.parametrize(
        ("text", "body"),
        [
            ("  - relu\n", LayerUse),
            ("  - {layers: [relu]}\n", Group),
            ("  - {residual: {body: [relu]}}\n", Residual),
            ("  - {parallel: {merge: add, branches: {a: , b: }}}\n", Parallel),
        ],
    )
    def test_each_form_has_its_type(self, text, body):
        assert isinstance(first(text).body, body)

    def test_a_block_in_use(self):
        made = document(INPUT + "blocks: {b: {layers: [relu]}}\nlayers: [b]\n")
        assert isinstance(made.layers[0].body, BlockUse)

    def test_constants_are_parsed_and_the_rest_waits(self):
        use = first("  - conv: {out_channels: 2 * 4, kernel_size: in_channels, stride: 0x2}\n").body
        assert dict(use.constants) == {"out_channels": 8, "stride": 2}
        assert [declared.name for declared, _ in use.templates] == ["kernel_size"]
        assert use.is_valid

    def test_modifiers(self):
        entry = first("  - {relu: , name: a, from: [prev, input], repeat: 2, if: i > 0}\n")
        assert (entry.name, entry.kind, entry.is_plain) == ("a", "relu", False)
        assert [target.name for target in entry.sources] == ["prev", "input"]
        assert entry.repeat.constant == 2
        assert entry.condition.names == {"i"}

    @pytest.mark.parametrize(
        ("text", "reads"),
        [
            ("  - relu\n", False),
            ("  - conv: {out_channels: in_channels, kernel_size: 1}\n", True),
            ("  - {relu: , if: in_channels > 1}\n", True),
            ("  - {relu: , repeat: in_channels}\n", True),
            ("  - {relu: , for: {c: [in_channels]}}\n", True),
            ("  - {relu: , for: [{c: in_channels}]}\n", True),
        ],
    )
    def test_what_reads_the_channels_that_come_in_says_so(self, text, reads):
        assert first(text).reads_channels is reads

    def test_the_three_forms_of_for(self):
        assert len(first("  - {relu: , for: [{a: 1}, {a: 2}]}\n").loop.rounds) == 2
        assert [n for n, _ in first("  - {relu: , for: {a: [1], b: [2]}}\n").loop.lists] == [
            "a",
            "b",
        ]
        made = document("vars: {v: [{a: 1}]}\n" + INPUT + "layers: [{relu: , for: v}]\n")
        assert made.layers[0].loop.expression.names == {"v"}


class TestCircles:
    @pytest.mark.parametrize(
        ("blocks", "messages"),
        [
            ({"a": "a"}, ["block `a` uses itself"]),
            ({"a": "b", "b": "a"}, ["blocks use each other in a circle: `a` → `b` → `a`"]),
            ({"a": "relu, b", "b": "b"}, ["block `b` uses itself"]),
            ({"a": "a, a"}, ["block `a` uses itself"] * 2),
            ({"a": "b", "b": "c", "c": "relu"}, []),
            ({"a": "b, b, c", "b": "c, c", "c": "relu"}, []),
            ({"a": "a", "b": "b"}, ["block `a` uses itself", "block `b` uses itself"]),
        ],
    )
    def test_every_way_back_is_reported(self, blocks, messages):
        body = "".join(f"  {name}: {{layers: [{uses}]}}\n" for name, uses in blocks.items())
        findings = found(INPUT + "blocks:\n" + body + "layers: [a]\n")
        assert [finding.message for finding in findings] == messages
        assert all(finding.code.id == "E112" for finding in findings)

    def test_a_circle_through_branches_and_groups(self):
        text = (
            INPUT
            + "blocks:\n  a:\n    layers:\n      - residual:\n          body: [{layers: [b]}]\n"
            "  b: {layers: [{parallel: {merge: add, branches: {x: [a], y: }}}]}\nlayers: [a]\n"
        )
        assert codes(text) == ["E112"]

    def test_a_long_circle_is_shown_in_part(self):
        body = "".join(f"  b{n}: {{layers: [b{(n + 1) % 30}]}}\n" for n in range(30))
        finding = only(INPUT + "blocks:\n" + body + "layers: [b0]\n")
        assert finding.message == (
            "blocks use each other in a circle: "
            "`b0` → `b1` → `b2` → `b3` → … → `b27` → `b28` → `b29` → `b0`"
        )

    @pytest.mark.parametrize("order", [1, -1])
    def test_a_chain_of_thousands_is_followed_to_its_end(self, order):
        body = [f"  b{n}: {{layers: [b{n + 1}]}}\n" for n in range(3000)] + [
            "  b3000: {layers: [b0]}\n"
        ]
        text = INPUT + "blocks:\n" + "".join(body[::order]) + "layers: [relu]\n"
        assert codes(text) == ["E112"]


class TestRecovery:
    """After a mistake the rest is read as it was meant."""

    def test_fields_beside_their_kind_are_not_missing(self):
        text = INPUT + "layers:\n  - conv:\n    out_channels: 8\n    kernel_size: 0\n"
        assert codes(text) == ["E104", "E104", "E301"]

    def test_a_mistyped_field_is_not_missing(self):
        assert codes(INPUT + "layers: [conv: {out_chanels: 8, kernal: 3}]\n") == ["E104", "E104"]

    def test_a_merge_key_leaves_nothing_missing(self):
        text = "  - conv: &a {out_channels: 8, kernel_size: 1}\n  - conv: {<<: *a}\n"
        assert codes(INPUT + "layers:\n" + text) == ["E016"]

    def test_a_layer_with_a_mistake_leaves_the_others_be(self):
        text = "layers: [rellu, conv: {out_channels: 8}, 12, {name: a}, relu: {}, ~]\n"
        assert codes(INPUT + text) == ["E106", "E105", "E101", "E107", "E101"]


def test_every_word_has_a_line_of_help():
    for words in (MODIFIERS, STRUCTURES, TOP_LEVEL_KEYS):
        assert all(words.values())
    assert not set(STRUCTURES) & set(MODIFIERS)
    assert not set(all_kinds()) & (set(STRUCTURES) | set(MODIFIERS))


def test_what_is_said_does_not_depend_on_the_hash_seed(tmp_path):
    path = tmp_path / "net.yaml"
    path.write_text(
        "vars: {alpha: 1, beta: 2, gamma: 3, delta: 4}\nvariants: {a: {zzz: 1}}\n"
        + INPUT
        + "layers:\n  - conv: {out_channels: zzz, kernel_size: yyy}\n"
        "  - {relu: , for: [{p: 1, q: 2}, {q: 1, r: 2, s: 3}], if: zzz}\n",
        encoding="utf-8",
    )
    program = (
        "import sys\nfrom convcalc.errors import ConvcalcError\nfrom convcalc.sources import load\n"
        "try:\n    load(sys.argv[1])\nexcept ConvcalcError as error:\n    print(error.findings)\n"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", program, str(path)],
            capture_output=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(said) == 1
    assert b"E202" in said.pop()
