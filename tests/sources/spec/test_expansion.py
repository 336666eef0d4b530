"""From a document to a graph: names, scopes, limits, and what is worked out once."""

import sys

import pytest
from reading import INPUT, assert_readable, build, codes, found, kinds, only, shapes

from convcalc.algebra import symbol
from convcalc.errors import Findings, SourceText
from convcalc.sources.spec.expansion import (
    MAX_INPUTS,
    MAX_LAYERS,
    MAX_LEVELS,
    MAX_PATH,
    MAX_WORK,
    Expansion,
)
from convcalc.sources.spec.grammar import Grammar
from convcalc.sources.yaml_nodes import compose

IDLE = (
    "layers:\n  - relu\n  - repeat: 1000\n    layers:\n      - {repeat: 1000, tanh: , if: i < 0}\n"
)


def expansion(text):
    """The expansion of a spec, before anything is built."""
    source, findings = SourceText("net.yaml", text), Findings()
    document = Grammar(source, findings).document(compose(source, text, findings))
    return Expansion(document, findings)


class TestOnce:
    """Equal layers are one object, and their shapes one tuple, so that costs are found once."""

    def test_repeated_layers_are_one_object(self):
        graph = build(INPUT + "layers:\n  - {repeat: 5, relu: }\n")
        assert len({id(node.layer) for node in graph.layers}) == 1
        assert len({id(node.shape) for node in graph.layers}) == 1

    def test_so_are_those_whose_fields_come_out_the_same(self):
        text = "layers:\n  - {repeat: 6, conv: {out_channels: 2 + i % 2, kernel_size: 1}}\n"
        assert len({id(node.layer) for node in build(INPUT + text).layers}) == 2

    def test_one_with_other_fields_is_another(self):
        text = "layers:\n  - {repeat: 5, conv: {out_channels: i + 1, kernel_size: 1}}\n"
        assert len({id(node.layer) for node in build(INPUT + text).layers}) == 5

    def test_a_number_and_a_truth_value_are_not_the_same_field(self):
        text = (
            "layers:\n  - {for: {b: [true, 1]}, conv: {out_channels: 1, kernel_size: 1, bias: b}}\n"
        )
        assert codes(INPUT + text) == ["E103"]
        text = (
            "layers:\n"
            "  - {for: {k: [[1, 1], [1, true]]}, conv: {out_channels: 1, kernel_size: k}}\n"
        )
        assert codes(INPUT + text) == ["E103"]

    def test_a_formula_is_told_from_a_number(self):
        text = (
            "vars: {n: 1}\n"
            + INPUT
            + "layers:\n  - {for: {c: [n, 2]}, conv: {out_channels: c, kernel_size: 1}}\n"
        )
        channels = [str(shape[0]) for shape in shapes(text, {"n": symbol("n")}).values()]
        assert channels == ["3", "n", "2"]


class TestScopes:
    def test_rounds_of_what_has_no_name_count_on(self):
        text = (
            "layers:\n  - relu\n  - {repeat: 2, layers: [relu, {relu: , if: i == 1}]}\n  - relu\n"
        )
        assert [name for name, _ in kinds(INPUT + text)] == [f"relu{n}" for n in range(1, 6)]

    def test_a_numbered_name_steps_over_those_that_are_taken(self):
        text = "layers:\n  - {tanh: , name: act2}\n  - {repeat: 3, relu: , name: act}\n"
        assert [name for name, _ in kinds(INPUT + text)] == ["act2", "act1", "act3", "act4"]

    def test_names_of_branches_step_over_layers(self):
        text = (
            "layers:\n  - {tanh: , name: a}\n"
            "  - parallel: {merge: add, branches: {a: [relu], b: }}\n"
        )
        assert [name for name, _ in kinds(INPUT + text)] == ["a", "a1.relu", "add"]

    def test_a_layer_called_as_an_input_gets_a_number(self):
        text = "inputs: {relu: [3, 8, 8]}\nlayers: [relu, tanh]\n"
        assert [node.name for node in build(text).nodes] == ["relu", "relu1", "tanh"]

    def test_prev_inside_a_structure_is_what_comes_into_it(self):
        text = (
            "layers:\n  - tanh\n  - parallel:\n      merge: add\n      branches:\n"
            "        a: [{add: , from: [prev, prev]}]\n        b:\n"
        )
        graph = build(INPUT + text)
        assert graph.nodes[2].name == "a.add"
        assert graph.nodes[2].inputs == (1, 1)

    def test_several_outputs_of_a_group_go_on_together(self):
        text = "layers:\n  - relu\n  - {from: [prev, input], layers: [concat, tanh]}\n"
        assert shapes(INPUT + text)["concat"] == (6, 32, 32)

    def test_a_loop_variable_ends_with_its_loop(self):
        text = "layers:\n  - {for: {c: [1]}, relu: }\n  - conv: {out_channels: c, kernel_size: 1}\n"
        assert codes(INPUT + text) == ["E202"]


class TestGraphs:
    @pytest.mark.parametrize(
        "text",
        [
            "inputs: {a: [3, 8, 8], b: [3, 8, 8]}\nblocks:\n"
            "  m: {args: {c: in_channels}, layers: [concat, {conv: {out_channels: c, "
            "kernel_size: 1}}]}\n"
            "layers: [m]\n",
            "inputs: {a: [3, 8, 8], b: [3, 8, 8]}\nlayers: [{relu: , if: in_channels > 1}]\n",
            "inputs: {a: [3, 8, 8], b: [3, 8, 8]}\nlayers: [{relu: , repeat: in_channels}]\n",
            INPUT + "layers: [{conv: {out_channels: 1, kernel_size: [i]}, repeat: 1}]\n",
            INPUT
            + "layers: [{conv: {out_channels: 'd[0]', kernel_size: 1}}]\nvars: {d: [[{a: 1}]]}\n",
            INPUT + "layers: [{residual: {body: []}}]\n",
            INPUT + "layers: [{layers: [{relu: , if: false}]}, relu]\n",
            INPUT + "layers: [{for: v, relu: }]\nvars: {v: [{}]}\n",
            INPUT + "layers: [{for: v, relu: }]\nvars: {v: []}\n",
        ],
    )
    def test_there_is_a_whole_graph_or_a_finding_never_a_part_of_one(self, text):
        findings = found(text)
        assert_readable(findings)
        if not findings:
            graph = build(text)
            used = [position for node in graph.nodes for position in node.inputs]
            assert all(0 <= position < len(graph.nodes) for position in (*used, *graph.outputs))

    def test_an_identity_is_added_to_itself(self):
        graph = build(INPUT + "layers: [{residual: {body: []}}]\n")
        assert graph.nodes[1].inputs == (0, 0)

    def test_inputs_stand_before_the_layers_that_read_them(self):
        text = (
            INPUT + "layers:\n  - {repeat: 3, residual: {body: [relu], shortcut: [tanh]}}\n"
            "  - parallel: {merge: concat, branches: {a: [relu], b: [tanh], c: }}\n"
        )
        for position, node in enumerate(build(text).nodes):
            assert all(read < position for read in node.inputs)

    def test_places_are_where_the_layers_are_written(self):
        graph = build(INPUT + "layers:\n  - relu\n  - repeat: 2\n    tanh:\n")
        assert [node.place[1:3] for node in graph.nodes] == [(1, 8), (3, 5), (5, 5), (5, 5)]


class TestLimits:
    def test_a_chain_of_100_000_layers_is_no_trouble(self):
        graph = build(INPUT + "layers:\n  - {repeat: 100000, relu: }\n")
        assert len(graph.layers) == 100_000
        assert graph.nodes[-1].name == "relu100000"

    def test_so_is_one_in_blocks_and_branches(self):
        text = (
            "blocks: {b: {layers: [{residual: {body: [relu]}}]}}\nlayers:\n"
            "  - {repeat: 30000, b: }\n"
        )
        assert len(build(INPUT + text).layers) == 60_000

    @pytest.mark.parametrize("times", ["150001", "10**9", "10**18", "3 * 10**5"])
    def test_a_repeat_that_is_too_large_is_refused_before_it_begins(self, times):
        made = expansion(INPUT + f"layers:\n  - {{repeat: {times}, relu: }}\n")
        assert codes(INPUT + f"layers:\n  - {{repeat: {times}, relu: }}\n") == ["E312"]
        assert made.work == 0

    @pytest.mark.parametrize(
        "text",
        [
            "layers:\n  - {repeat: 1000, layers: [{repeat: 1000, relu: }]}\n",
            "layers:\n  - {for: [{a: 1}, {a: 2}], repeat: 100000, relu: }\n",
            "blocks:\n  b: {layers: [{repeat: 500, relu: }]}\nlayers: [{repeat: 500, b: }]\n",
            "blocks:\n  b0: {layers: [relu, relu]}\n"
            + "".join(f"  b{n}: {{layers: [b{n - 1}, b{n - 1}]}}\n" for n in range(1, 40))
            + "layers: [b39]\n",
            "layers:\n  - parallel: {merge: add, branches: {a: [{repeat: 200000, relu: }], b: }}\n",
            "layers:\n  - residual: {body: [{repeat: 200000, relu: }]}\n",
        ],
    )
    def test_layers_are_counted_before_any_is_built(self, text):
        finding = only(INPUT + text)
        assert finding.code.id == "E312"
        assert f"{MAX_LAYERS:,} layers" in finding.message

    @pytest.mark.parametrize(
        ("text", "count"),
        [
            ("  - relu\n  - relu\n", 2),
            ("  - {repeat: 7, relu: }\n", 7),
            ("  - {repeat: 7, relu: , if: true}\n", 0),
            ("  - {for: [{a: 1}, {a: 2}], repeat: 3, layers: [relu, tanh]}\n", 12),
            ("  - {for: {a: [1, 2]}, relu: }\n", 0),
            ("  - {repeat: in_channels, relu: }\n", 0),
            ("  - {residual: {body: [relu, tanh]}}\n", 2),
            ("  - {parallel: {merge: add, branches: {a: [relu], b: [relu, relu], c: }}}\n", 3),
            ("  - {repeat: 10, layers: [{repeat: 10, layers: [relu]}, tanh]}\n", 110),
        ],
    )
    def test_the_count_is_a_lower_bound(self, text, count):
        made = expansion(INPUT + "layers:\n" + text)
        assert sum(made.least(entry) for entry in made.document.layers) == count

    def test_what_cannot_be_counted_is_stopped_while_it_grows(self):
        text = (
            "blocks:\n  b: {args: {n: }, layers: [{repeat: n, relu: }]}\n"
            "layers:\n  - {repeat: 1000, b: {n: 1000}}\n"
        )
        finding = only(INPUT + text)
        assert finding.code.id == "E312"
        assert finding.message == "`repeat` 1,000 times: a network has at most 150,000 layers"
        assert finding.related[0].label == "in block `b`, used here"

    def test_work_that_makes_no_layers_is_bounded_too(self):
        finding = only(INPUT + IDLE)
        assert finding.code.id == "E313"
        assert finding.message == (
            f"it takes more than {MAX_WORK:,} steps to build this network, "
            "which has 2 layers so far"
        )
        assert finding.place.line == 6

    def test_work_is_the_same_each_time(self):
        places = {only(INPUT + IDLE).place for _ in range(2)}
        assert len(places) == 2  # texts are told apart
        assert len({place[1:] for place in places}) == 1

    def test_blocks_within_blocks_are_bounded(self):
        def nested(levels):
            blocks = "".join(f"  b{n}: {{layers: [b{n + 1}]}}\n" for n in range(levels))
            return INPUT + f"blocks:\n{blocks}  b{levels}: {{layers: [relu]}}\nlayers: [b0]\n"

        assert codes(nested(MAX_LEVELS - 2)) == []
        finding = only(nested(MAX_LEVELS - 1))
        assert finding.code.id == "E020"
        assert finding.message == f"more than {MAX_LEVELS} levels of layers in layers"
        assert codes(nested(5000)) == ["E020"]

    def test_paths_are_bounded(self):
        text = "relu"
        for level in range(4):
            text = f"{{name: {'abcd'[level] * 80}, layers: [{text}]}}"
        finding = only(INPUT + f"layers: [{text}]\n")
        assert finding.code.id == "E111"
        assert (
            finding.message == f"the path to this layer has 324 characters; the limit is {MAX_PATH}"
        )

    def test_the_inputs_of_a_layer_are_bounded(self):
        merge = INPUT + "layers: [{concat: , from: [%s]}]\n"
        assert codes(merge % ", ".join(["prev"] * MAX_INPUTS)) == []
        assert codes(merge % ", ".join(["prev"] * (MAX_INPUTS + 1))) == ["E308"]

    def test_sizes_are_bounded(self):
        text = "input: [1000000000, 1000000000, 1]\nlayers: [flatten, relu]\n"
        assert shapes(text)["flatten"] == (10**18,)
        assert codes(text.replace(", 1]", ", 2]")) == ["E307"]

    def test_a_caller_deep_in_its_own_calls_gets_a_finding(self):
        text = INPUT + "layers: " + "[{layers: " * 25 + "[relu]" + "}]" * 25 + "\n"
        assert codes(text) == []

        def deep(levels):
            return codes(text) if levels == 0 else deep(levels - 1)

        depth = 0
        frame = sys._getframe()
        while frame is not None:
            depth, frame = depth + 1, frame.f_back
        assert deep(sys.getrecursionlimit() - depth - 80) == ["E020"]


class TestLostTargets:
    @pytest.mark.parametrize(
        ("layers", "way_out"),
        [
            ("[{relu: , name: stem}, {tanh: , from: stme}]", "did you mean `stem`?"),
            ("[{name: g, layers: [relu]}, {tanh: , from: relu}]", "did you mean `g.relu`?"),
            ("[{name: g, layers: [relu]}, {tanh: , from: g.rleu}]", "`from` names a layer before"),
            ("[{tanh: , from: late}, {relu: , name: late}]", "`late` is not before this layer"),
            (
                "[{name: g, layers: [{tanh: , from: h.relu}]}, {name: h, layers: [relu]}]",
                "`h.relu` is not before this layer",
            ),
            ("[{tanh: , from: inpt}]", "did you mean `input`?"),
            ("[{tanh: , from: prv}]", "did you mean `prev`?"),
            ("[{tanh: , from: zzz}]", "`from` names a layer before this one, by its `name`"),
        ],
    )
    def test_what_was_meant(self, layers, way_out):
        finding = only(INPUT + f"layers: {layers}\n")
        assert finding.code.id == "E113"
        assert finding.help.startswith(way_out)

    def test_a_layer_outside_a_block_cannot_be_meant_by_its_path(self):
        text = (
            INPUT + "blocks: {b: {layers: [{add: , from: [prev, stem]}]}}\n"
            "layers:\n  - {name: g, layers: [{relu: , name: stem}]}\n  - b\n"
        )
        assert only(text).help == "`g.stem` is not before this layer in the same list or around it"

    def test_a_name_that_is_lost_in_every_round_is_lost_once(self):
        text = INPUT + "layers:\n  - {repeat: 9, layers: [{add: , from: [prev, gone]}]}\n"
        assert codes(text) == ["E113"]
