"""The spec language from end to end: what is written, and the network that it means."""

from fractions import Fraction

import pytest
from reading import INPUT, build, codes, found, kinds, only, shapes

from convcalc.algebra import Polynomial, symbol
from convcalc.analysis import analyze_graph
from convcalc.graph import Graph
from convcalc.sources import load

CONV = "conv: {out_channels: 8, kernel_size: 3, padding: 1}"


def names(text, settings=None, variant=None):
    """The names of the layers, in order."""
    return [name for name, _ in kinds(text, settings, variant)]


def inputs_of(graph, name):
    """The names of what a layer takes."""
    (node,) = (node for node in graph.nodes if node.name == name)
    return [graph.nodes[position].name for position in node.inputs]


def conv(graph, name="conv"):
    """The conv layer of that name."""
    (node,) = (node for node in graph.nodes if node.name == name)
    return node.layer


class TestChains:
    def test_each_layer_takes_the_output_of_the_one_before(self):
        graph = build(INPUT + "layers:\n  - conv: {out_channels: 8, kernel_size: 3}\n  - relu\n")
        assert [node.inputs for node in graph.nodes] == [(), (0,), (1,)]
        assert [node.shape for node in graph.nodes] == [(3, 32, 32), (8, 30, 30), (8, 30, 30)]
        assert graph.outputs == (2,)

    def test_a_kind_may_stand_alone_with_a_colon_or_with_empty_braces(self):
        text = INPUT + "layers:\n  - relu\n  - relu:\n  - relu: {}\n  - relu: ~\n"
        assert [kind for _, kind in kinds(text)] == ["relu"] * 4

    def test_fields_have_their_defaults(self):
        layer = conv(build(INPUT + "layers:\n  - conv: {out_channels: 8, kernel_size: 3}\n"))
        assert (layer.stride, layer.padding, layer.dilation, layer.groups) == (1, 0, 1, 1)
        assert layer.bias is True

    def test_a_field_that_is_nothing_by_default_may_be_written_so(self):
        text = "layers:\n  - conv: {out_channels: 8, kernel_size: 3, in_channels: }\n"
        assert conv(build(INPUT + text)).in_channels is None

    @pytest.mark.parametrize(
        ("shape", "output"),
        [("[4, 9]", (8, 7)), ("[4, 9, 9]", (8, 7, 7)), ("[4, 9, 9, 9]", (8, 7, 7, 7))],
    )
    def test_the_number_of_axes_is_the_input_s(self, shape, output):
        text = f"input: {shape}\nlayers:\n  - conv: {{out_channels: 8, kernel_size: 3}}\n"
        assert shapes(text)["conv"] == output

    def test_a_vector_may_come_in(self):
        assert shapes("input: [10]\nlayers:\n  - linear: {out_features: 3}\n")["linear"] == (3,)

    def test_sizes_may_differ_from_axis_to_axis(self):
        text = (
            "layers:\n  - conv: {out_channels: 8, kernel_size: [3, 1], stride: [2, 1], "
            "padding: [[1, 0], [0, 2]]}\n"
        )
        # ⌊(32 + 1 − 3)/2⌋ + 1 = 16 and ⌊(32 + 2 − 1)/1⌋ + 1 = 34
        assert shapes(INPUT + text)["conv"] == (8, 16, 34)

    @pytest.mark.parametrize(
        ("padding", "size"), [("same", 16), ("valid", 15), ("1", 16), ("2", 17)]
    )
    def test_padding_may_be_a_word(self, padding, size):
        text = (
            "layers:\n"
            f"  - conv: {{out_channels: 8, kernel_size: 3, stride: 2, padding: {padding}}}\n"
        )
        assert shapes(INPUT + text)["conv"] == (8, size, size)


class TestNames:
    def test_a_network_is_called_as_it_says_or_as_its_file(self):
        assert build("name: lenet\n" + INPUT + "layers: [relu]\n").name == "lenet"
        assert build(INPUT + "layers: [relu]\n").name == "net"

    def test_the_source_of_the_design(self):
        assert build("source: a paper\n" + INPUT + "layers: [relu]\n").source == "a paper"
        assert build(INPUT + "layers: [relu]\n").source is None

    def test_a_layer_is_called_after_its_kind_with_a_number_if_there_are_several(self):
        assert names(INPUT + "layers: [relu, tanh, relu, sigmoid]\n") == [
            *("relu1", "tanh", "relu2", "sigmoid"),
        ]

    def test_a_name_of_its_own_comes_first(self):
        text = "layers:\n  - {relu: , name: act}\n  - relu\n  - {tanh: , name: relu1}\n  - relu\n"
        assert names(INPUT + text) == ["act", "relu2", "relu1", "relu3"]

    def test_a_name_that_is_taken_is_not_given_again(self):
        text = "layers:\n  - {tanh: , name: relu}\n  - relu\n"
        assert names(INPUT + text) == ["relu", "relu1"]

    def test_what_is_left_out_does_not_change_the_names_of_others(self):
        text = "vars: {n: 1}\n" + INPUT + "layers:\n  - {relu: , if: n == 1}\n  - relu\n"
        assert names(text) == ["relu1", "relu2"]
        assert names(text, {"n": 2}) == ["relu1"]

    def test_what_may_stand_several_times_is_numbered_even_if_it_stands_once(self):
        assert names(INPUT + "layers:\n  - {repeat: 1, relu: }\n") == ["relu1"]
        assert names(INPUT + "layers:\n  - {repeat: 2, relu: , name: act}\n") == ["act1", "act2"]

    def test_groups_are_dots_in_names(self):
        text = (
            "layers:\n  - name: stem\n    layers: [relu, tanh]\n"
            "  - layers: [relu, relu]\n  - {name: head, layers: [relu]}\n"
        )
        assert names(INPUT + text) == ["stem.relu", "stem.tanh", "relu1", "relu2", "head.relu"]

    def test_each_named_group_counts_for_itself(self):
        text = "layers:\n  - {repeat: 2, name: g, layers: [relu, relu]}\n"
        assert names(INPUT + text) == ["g1.relu1", "g1.relu2", "g2.relu1", "g2.relu2"]

    def test_names_may_be_in_any_language(self):
        assert names(INPUT + "layers:\n  - {relu: , name: größe 😀}\n") == ["größe 😀"]

    def test_two_layers_may_share_a_name_if_only_one_can_stand(self):
        text = (
            "vars: {n: 1}\n" + INPUT + "layers:\n"
            "  - {relu: , name: act, if: n == 1}\n  - {tanh: , name: act, if: n != 1}\n"
        )
        assert kinds(text) == [("act", "relu")]
        assert kinds(text, {"n": 2}) == [("act", "tanh")]
        assert codes(text.replace("n != 1", "n < 3")) == ["E109"]


class TestFrom:
    SKIP = "layers:\n  - {relu: , name: stem}\n  - tanh\n  - {add: , from: [prev, stem]}\n"

    def test_a_name_means_the_layer_that_has_it(self):
        graph = build(INPUT + self.SKIP)
        assert inputs_of(graph, "add") == ["tanh", "stem"]

    def test_one_name_needs_no_list(self):
        text = "layers:\n  - {relu: , name: stem}\n  - tanh\n  - {sigmoid: , from: stem}\n"
        graph = build(INPUT + text + "outputs: [tanh, sigmoid]\n")
        assert inputs_of(graph, "sigmoid") == ["stem"]

    def test_input_means_the_input_of_the_network(self):
        graph = build(INPUT + "layers:\n  - relu\n  - {add: , from: [prev, input]}\n")
        assert inputs_of(graph, "add") == ["relu", "input"]

    def test_in_a_block_input_means_the_block_s(self):
        text = (
            "blocks:\n  twice: {layers: [relu, {add: , from: [prev, input]}]}\n"
            "layers: [tanh, twice]\n"
        )
        assert inputs_of(build(INPUT + text), "twice.add") == ["twice.relu", "tanh"]

    def test_the_same_layer_may_come_in_twice(self):
        graph = build(INPUT + "layers:\n  - relu\n  - {add: , from: [prev, prev]}\n")
        assert inputs_of(graph, "add") == ["relu", "relu"]

    def test_an_automatic_name_can_be_used(self):
        text = "layers:\n  - relu\n  - relu\n  - {add: , from: [relu1, relu2]}\n"
        assert inputs_of(build(INPUT + text), "add") == ["relu1", "relu2"]

    def test_the_name_of_a_group_means_its_last_layer(self):
        text = (
            "layers:\n  - {name: stem, layers: [relu, tanh]}\n  - sigmoid\n"
            "  - {add: , from: [prev, stem]}\n"
        )
        assert inputs_of(build(INPUT + text), "add") == ["sigmoid", "stem.tanh"]

    def test_a_dotted_name_reaches_into_a_group(self):
        text = (
            "layers:\n  - {name: stem, layers: [relu, tanh]}\n  - sigmoid\n"
            "  - {add: , from: [prev, stem.relu]}\n"
        )
        assert inputs_of(build(INPUT + text), "add") == ["sigmoid", "stem.relu"]

    def test_a_dotted_name_reaches_into_rounds_blocks_and_branches(self):
        text = (
            "blocks: {b: {layers: [relu]}}\nlayers:\n"
            "  - {repeat: 2, name: g, layers: [b]}\n"
            "  - parallel: {merge: add, branches: {left: [tanh], right: }}\n"
            "  - {concat: , from: [g1.b.relu, left.tanh]}\n"
        )
        assert inputs_of(build(INPUT + text), "concat") == ["g1.b.relu", "left.tanh"]

    def test_a_dotted_name_of_rounds_means_the_last_of_them(self):
        text = (
            "layers:\n"
            "  - {name: g, layers: [{repeat: 2, name: stage, layers: [relu, tanh]}, elu]}\n"
            "  - {add: , from: [prev, g.stage]}\n"
        )
        assert inputs_of(build(INPUT + text), "add") == ["g.elu", "g.stage2.tanh"]

    def test_a_dotted_name_is_relative_to_a_scope_around(self):
        text = (
            "layers:\n  - name: outer\n    layers:\n      - {name: inner, layers: [relu]}\n"
            "      - tanh\n      - {add: , from: [prev, inner.relu]}\n"
        )
        assert inputs_of(build(INPUT + text), "outer.add") == ["outer.tanh", "outer.inner.relu"]

    def test_names_around_a_group_can_be_seen_from_inside(self):
        text = (
            "layers:\n  - {relu: , name: stem}\n  - name: g\n    layers:\n      - tanh\n"
            "      - {add: , from: [prev, stem]}\n"
        )
        assert inputs_of(build(INPUT + text), "g.add") == ["g.tanh", "stem"]

    def test_names_around_a_block_cannot(self):
        text = (
            "blocks: {b: {layers: [{add: , from: [prev, stem]}]}}\n"
            "layers:\n  - {relu: , name: stem}\n  - b\n"
        )
        assert codes(INPUT + text) == ["E113"]

    def test_a_nearer_name_hides_one_further_out(self):
        text = (
            "layers:\n  - {relu: , name: x}\n  - name: g\n    layers:\n"
            "      - {tanh: , name: x}\n      - sigmoid\n      - {add: , from: [prev, x]}\n"
        )
        assert inputs_of(build(INPUT + text), "g.add") == ["g.sigmoid", "g.x"]

    def test_the_name_of_what_is_repeated_means_its_last_round(self):
        text = (
            "layers:\n  - {repeat: 3, relu: , name: act}\n  - tanh\n"
            "  - {add: , from: [prev, act]}\n"
        )
        assert inputs_of(build(INPUT + text), "add") == ["tanh", "act3"]

    def test_beside_repeat_it_is_the_input_of_the_first_round(self):
        text = (
            "layers:\n  - {relu: , name: a}\n  - tanh\n  - {repeat: 2, sigmoid: , from: a}\n"
            "outputs: [tanh, sigmoid2]\n"
        )
        graph = build(INPUT + text)
        assert inputs_of(graph, "sigmoid1") == ["a"]
        assert inputs_of(graph, "sigmoid2") == ["sigmoid1"]

    def test_beside_a_group_it_is_the_input_of_the_group(self):
        text = (
            "layers:\n  - {relu: , name: a}\n  - tanh\n"
            "  - {from: a, layers: [sigmoid, selu]}\noutputs: [tanh, selu]\n"
        )
        assert inputs_of(build(INPUT + text), "sigmoid") == ["a"]


class TestBranches:
    def test_a_residual_without_a_shortcut_adds_its_input(self):
        for shortcut in ("", "      shortcut:\n", "      shortcut: []\n"):
            graph = build(INPUT + "layers:\n  - residual:\n      body: [relu, tanh]\n" + shortcut)
            assert inputs_of(graph, "add") == ["tanh", "input"]

    def test_a_residual_with_a_shortcut_adds_both(self):
        text = (
            "layers:\n  - residual:\n      body:\n"
            "        - conv: {out_channels: 8, kernel_size: 1}\n"
            "      shortcut:\n        - conv: {out_channels: 8, kernel_size: 1, bias: false}\n"
        )
        graph = build(INPUT + text)
        assert inputs_of(graph, "add") == ["conv", "shortcut.conv"]
        assert inputs_of(graph, "shortcut.conv") == ["input"]

    def test_a_shortcut_that_leaves_everything_out_is_the_identity(self):
        text = (
            "vars: {n: 3}\n" + INPUT + "layers:\n  - residual:\n      body: [relu]\n"
            "      shortcut: [{conv: {out_channels: n, kernel_size: 1}, if: in_channels != n}]\n"
        )
        assert inputs_of(build(text), "add") == ["relu", "input"]
        text = text.replace("[relu]", "[{conv: {out_channels: n, kernel_size: 3, padding: 1}}]")
        assert inputs_of(build(text, {"n": 5}), "add") == ["conv", "shortcut.conv"]

    def test_parallel_joins_its_branches_in_order(self):
        text = (
            "layers:\n  - parallel:\n      merge: concat\n      branches:\n"
            "        a: [{conv: {out_channels: 5, kernel_size: 1}}]\n        b:\n"
            "          - conv: {out_channels: 7, kernel_size: 1}\n        c: []\n"
        )
        graph = build(INPUT + text)
        assert inputs_of(graph, "concat") == ["a.conv", "b.conv", "input"]
        assert graph.nodes[-1].shape == (5 + 7 + 3, 32, 32)

    @pytest.mark.parametrize("merge", ["add", "mul", "concat"])
    def test_any_merging_kind_will_do(self, merge):
        text = f"layers:\n  - parallel: {{merge: {merge}, branches: {{a: [relu], b: }}}}\n"
        assert kinds(INPUT + text) == [("a.relu", "relu"), (merge, merge)]

    def test_a_merge_may_have_fields(self):
        text = "layers:\n  - parallel: {merge: {concat: {dim: 2}}, branches: {a: [relu], b: }}\n"
        assert shapes(INPUT + text)["concat"] == (3, 64, 32)

    def test_a_merge_may_have_fields_with_expressions(self):
        text = (
            "vars: {d: 1}\n"
            + INPUT
            + "layers:\n  - parallel: {merge: {concat: {dim: d + 1}}, branches: {a: [relu], b: }}\n"
        )
        assert shapes(text)["concat"] == (3, 64, 32)

    def test_branches_within_branches(self):
        text = (
            "layers:\n  - parallel:\n      merge: concat\n      branches:\n        a:\n"
            "          - parallel: {merge: add, branches: {x: [relu], y: [tanh]}}\n        b:\n"
            "          - residual: {body: [relu]}\n"
        )
        assert names(INPUT + text) == [
            *("a.x.relu", "a.y.tanh", "a.add", "b.relu", "b.add", "concat"),
        ]

    def test_branches_of_a_named_structure_are_in_its_group(self):
        text = (
            "layers:\n  - name: mix\n    parallel: {merge: add, branches: {a: [relu], b: [tanh]}}\n"
            "  - name: res\n    residual: {body: [relu]}\n"
        )
        assert names(INPUT + text) == ["mix.a.relu", "mix.b.tanh", "mix.add", "res.relu", "res.add"]

    def test_branches_of_the_same_name_are_numbered(self):
        one = "  - parallel: {merge: add, branches: {a: [relu], b: [tanh]}}\n"
        assert names(INPUT + "layers:\n" + one + one) == [
            *("a1.relu", "b1.tanh", "add1", "a2.relu", "b2.tanh", "add2"),
        ]


class TestRepeat:
    def test_what_is_repeated_stands_in_a_row(self):
        graph = build(INPUT + "layers:\n  - {repeat: 3, relu: }\n")
        assert [node.inputs for node in graph.nodes] == [(), (0,), (1,), (2,)]

    def test_i_counts_from_zero(self):
        text = "layers:\n  - {repeat: 3, conv: {out_channels: 10 * (i + 1), kernel_size: 1}}\n"
        assert [shape[0] for shape in shapes(INPUT + text).values()] == [3, 10, 20, 30]

    def test_zero_times_is_not_at_all(self):
        assert names(INPUT + "layers:\n  - {repeat: 0, relu: }\n  - tanh\n") == ["tanh"]

    def test_groups_blocks_and_structures_can_be_repeated(self):
        text = (
            "blocks: {b: {layers: [relu]}}\nlayers:\n  - {repeat: 2, layers: [relu, tanh]}\n"
            "  - {repeat: 2, b: }\n  - {repeat: 2, residual: {body: [selu]}}\n"
        )
        assert names(INPUT + text) == [
            *("relu1", "tanh1", "relu2", "tanh2", "b1.relu", "b2.relu"),
            *("selu1", "add1", "selu2", "add2"),
        ]

    def test_the_inner_i_hides_the_outer(self):
        text = (
            "layers:\n  - repeat: 2\n    layers:\n"
            "      - {conv: {out_channels: 100 + i, kernel_size: 1}}\n"
            "      - {repeat: 2, conv: {out_channels: 200 + i, kernel_size: 1}}\n"
            "      - {conv: {out_channels: 300 + i, kernel_size: 1}}\n"
        )
        assert [shape[0] for shape in shapes(INPUT + text).values()] == [
            *(3, 100, 200, 201, 300, 101, 200, 201, 301),
        ]

    def test_the_number_may_be_worked_out(self):
        text = "vars: {d: [3, 1]}\n" + INPUT + "layers:\n  - repeat: d[0] - d[1]\n    relu:\n"
        assert names(text) == ["relu1", "relu2"]

    def test_i_is_not_known_outside(self):
        text = "layers:\n  - {repeat: 2, relu: }\n  - conv: {out_channels: i, kernel_size: 1}\n"
        finding = only(INPUT + text)
        assert (finding.code.id, finding.message) == ("E202", "unknown variable `i`")
        assert "there is none around this" in finding.help


class TestFor:
    MAPPINGS = "[{c: 8, s: 1}, {c: 16, s: 2}]"
    LISTS = "{c: [8, 16], s: [1, 2]}"

    @pytest.mark.parametrize("rounds", [MAPPINGS, LISTS])
    def test_it_goes_through_mappings_or_lists(self, rounds):
        text = (
            f"layers:\n  - for: {rounds}\n"
            f"    conv: {{out_channels: c, kernel_size: 1, stride: s}}\n"
        )
        assert list(shapes(INPUT + text).values())[1:] == [(8, 32, 32), (16, 16, 16)]

    def test_or_through_a_variable_that_holds_mappings(self):
        text = (
            f"vars: {{stages: {self.MAPPINGS}}}\n"
            f"variants: {{a: {{}}, b: {{stages: [{{c: 5, s: 1}}]}}}}\n"
            + INPUT
            + "layers:\n  - for: stages\n    conv: {out_channels: c, kernel_size: 1, stride: s}\n"
        )
        assert list(shapes(text).values())[1:] == [(8, 32, 32), (16, 16, 16)]
        assert list(shapes(text, variant="b").values())[1:] == [(5, 32, 32)]

    def test_or_through_one_of_several_such_variables(self):
        text = (
            "vars: {a: [{c: 5}], b: [{c: 6}], large: true}\n"
            + INPUT
            + "layers:\n  - for: b if large else a\n    conv: {out_channels: c, kernel_size: 1}\n"
        )
        assert shapes(text)["conv1"][0] == 6
        assert shapes(text, {"large": False})["conv1"][0] == 5

    def test_lists_may_be_variables_and_expressions(self):
        text = (
            "vars: {widths: [8, 16], k: 3}\n"
            + INPUT
            + (
                "layers:\n  - for: {c: widths, k: [1, k]}\n"
                "    conv: {out_channels: c, kernel_size: k}\n"
            )
        )
        assert list(shapes(text).values())[1:] == [(8, 32, 32), (16, 30, 30)]

    def test_values_may_be_lists_words_and_truth_values(self):
        text = (
            "layers:\n  - for: [{k: [1, 3], p: same, b: true}, {k: [3, 1], p: valid, b: false}]\n"
            "    conv: {out_channels: 4, kernel_size: k, padding: p, bias: b}\n"
        )
        graph = build(INPUT + text)
        first, second = (node.layer for node in graph.layers)
        assert (first.kernel_size, first.padding, first.bias) == ((1, 3), "same", True)
        assert (second.kernel_size, second.padding, second.bias) == ((3, 1), "valid", False)

    def test_i_counts_the_rounds(self):
        text = "layers:\n  - for: {c: [8, 16]}\n    conv: {out_channels: c + i, kernel_size: 1}\n"
        assert [shape[0] for shape in shapes(INPUT + text).values()] == [3, 8, 17]

    def test_with_repeat_each_round_is_repeated(self):
        text = (
            "vars: {d: [2, 1]}\n" + INPUT + "layers:\n  - for: {c: [10, 20]}\n    repeat: d[i]\n"
            "    conv: {out_channels: c + i, kernel_size: 1}\n"
        )
        assert [shape[0] for shape in shapes(text).values()] == [3, 10, 11, 20]

    def test_rounds_of_a_named_group_are_numbered(self):
        text = "layers:\n  - for: {c: [8, 16]}\n    name: stage\n    layers: [relu, tanh]\n"
        assert names(INPUT + text) == ["stage1.relu", "stage1.tanh", "stage2.relu", "stage2.tanh"]

    def test_a_variable_of_a_round_hides_others(self):
        text = (
            "vars: {c: 5}\n"
            + INPUT
            + "layers:\n  - for: {c: [8]}\n    conv: {out_channels: c, kernel_size: 1}\n"
            "  - conv: {out_channels: c, kernel_size: 1}\n"
        )
        assert [shape[0] for shape in shapes(text).values()] == [3, 8, 5]

    def test_rounds_may_use_in_channels_of_what_comes_in(self):
        text = (
            "layers:\n  - for: {c: [2 * in_channels, 5]}\n"
            "    conv: {out_channels: c, kernel_size: 1}\n"
        )
        assert [shape[0] for shape in shapes(INPUT + text).values()] == [3, 6, 5]


class TestIf:
    def test_what_does_not_hold_is_left_out(self):
        text = (
            "vars: {n: 3}\n" + INPUT + "layers:\n  - {relu: , if: n > 2}\n  - {tanh: , if: n > 5}\n"
        )
        assert names(text) == ["relu"]
        assert names(text, {"n": 6}) == ["relu", "tanh"]

    def test_it_is_asked_for_each_round(self):
        text = (
            "layers:\n  - repeat: 4\n    layers:\n      - relu\n      - {tanh: , if: i % 2 == 1}\n"
        )
        assert names(INPUT + text) == ["relu1", "relu2", "tanh1", "relu3", "relu4", "tanh2"]
        text = "layers:\n  - {repeat: 4, relu: , if: i != 2}\n"
        assert names(INPUT + text) == ["relu1", "relu2", "relu3"]

    def test_it_may_use_in_channels(self):
        text = (
            "layers:\n  - repeat: 3\n    conv: {out_channels: 8, kernel_size: 1}\n"
            "    if: in_channels != 8\n"
        )
        assert names(INPUT + text) == ["conv1"]

    @pytest.mark.parametrize(
        ("condition", "count"), [("true", 1), ("false", 0), ("n", 1), ("not n", 0)]
    )
    def test_it_may_be_a_truth_value(self, condition, count):
        text = "vars: {n: true}\n" + INPUT + f"layers:\n  - tanh\n  - {{relu: , if: {condition}}}\n"
        assert len(names(text)) == 1 + count

    def test_groups_blocks_and_structures_can_be_left_out(self):
        text = (
            "blocks: {b: {layers: [relu]}}\nlayers:\n  - tanh\n  - {if: false, layers: [relu]}\n"
            "  - {if: false, b: }\n  - {if: false, residual: {body: [relu]}}\n"
        )
        assert names(INPUT + text) == ["tanh"]

    def test_a_condition_and_its_branch_are_worked_out_only_where_needed(self):
        text = (
            "vars: {d: [1]}\n"
            + INPUT
            + "layers:\n  - {repeat: 2, relu: , if: 'i == 0 or d[i] == 1'}\n"
        )
        assert codes(text) == ["E206"]
        assert names(text.replace("or", "and")) == ["relu1"]


class TestBlocks:
    def test_a_block_is_a_kind_of_one_s_own(self):
        text = "blocks:\n  act: {layers: [relu, tanh]}\nlayers: [act, {act: , name: mine}]\n"
        assert names(INPUT + text) == ["act.relu", "act.tanh", "mine.relu", "mine.tanh"]

    def test_arguments_have_values_and_defaults(self):
        text = (
            "blocks:\n  b:\n    args: {c: , k: 1}\n    layers:\n"
            "      - conv: {out_channels: c, kernel_size: k}\n"
            "layers: [b: {c: 4}, b: {c: 5, k: 3}]\n"
        )
        assert list(shapes(INPUT + text).values())[1:] == [(4, 32, 32), (5, 30, 30)]

    def test_a_default_may_use_the_arguments_before_it_and_variables(self):
        text = (
            "vars: {r: 4}\nblocks:\n  b:\n    args: {c: , d: c * r, e: d + c}\n    layers:\n"
            "      - conv: {out_channels: e, kernel_size: 1}\n"
            "layers: [b: {c: 2}, b: {c: 2, d: 1}]\n"
        )
        assert [shape[0] for shape in shapes(INPUT + text).values()] == [3, 10, 3]

    def test_a_default_may_not_use_the_arguments_after_it(self):
        text = "blocks:\n  b: {args: {c: d, d: 1}, layers: [relu]}\nlayers: [b]\n"
        assert codes(INPUT + text) == ["E202"]

    def test_in_channels_as_a_default_is_the_block_s_input_whatever_comes_later(self):
        text = (
            "blocks:\n  squeeze:\n    args: {channels: in_channels, squeezed: channels // 4}\n"
            "    layers:\n      - conv: {out_channels: squeezed, kernel_size: 1}\n"
            "      - conv: {out_channels: in_channels * 3, kernel_size: 1}\n"
            "      - conv: {out_channels: channels, kernel_size: 1}\n"
            "layers:\n  - conv: {out_channels: 64, kernel_size: 1}\n  - squeeze\n"
        )
        assert [shape[0] for shape in shapes(INPUT + text).values()] == [3, 64, 16, 48, 64]

    def test_arguments_are_worked_out_where_the_block_is_used(self):
        text = (
            "vars: {n: 2}\nblocks:\n"
            "  b: {args: {c: }, layers: [{conv: {out_channels: c, kernel_size: 1}}]}\n"
            "layers:\n  - {repeat: 3, b: {c: in_channels * n + i}}\n"
        )
        # 3·2 + 0 = 6, 6·2 + 1 = 13, 13·2 + 2 = 28
        assert [shape[0] for shape in shapes(INPUT + text).values()] == [3, 6, 13, 28]

    def test_inside_a_block_only_its_arguments_and_the_variables_are_known(self):
        block = (
            "vars: {n: 2}\nblocks:\n"
            "  b: {args: {a: 1}, layers: [{conv: {out_channels: %s, kernel_size: 1}}]}\n"
        )
        use = INPUT + "layers:\n  - for: {c: [1]}\n    b:\n"
        assert codes(block % "a + n + in_channels" + use) == []
        assert codes(block % "c" + use) == ["E202"]
        assert codes(block % "i" + use) == ["E202"]

    def test_an_argument_hides_a_variable(self):
        text = (
            "vars: {n: 2}\nblocks:\n"
            "  b: {args: {n: 5}, layers: [{conv: {out_channels: n, kernel_size: 1}}]}\n"
            "layers: [b, b: {n: n + 1}]\n"
        )
        assert [shape[0] for shape in shapes(INPUT + text).values()] == [3, 5, 3]

    def test_words_and_lists_can_be_handed_on(self):
        text = (
            "blocks:\n  b:\n    args: {p: valid, k: [1, 3], bias: true}\n    layers:\n"
            "      - conv: {out_channels: 4, kernel_size: k, padding: p, bias: bias}\n"
            "layers: [b, b: {p: same, k: 5, bias: false}]\n"
        )
        first, second = (node.layer for node in build(INPUT + text).layers)
        assert (first.padding, first.kernel_size, first.bias) == ("valid", (1, 3), True)
        assert (second.padding, second.kernel_size, second.bias) == ("same", 5, False)

    def test_blocks_use_blocks_whatever_their_order(self):
        text = (
            "blocks:\n  outer: {layers: [inner, {inner: , name: second}]}\n"
            "  inner: {layers: [relu]}\n"
            "layers: [outer]\n"
        )
        assert names(INPUT + text) == ["outer.inner.relu", "outer.second.relu"]

    def test_each_use_has_a_scope_of_its_own(self):
        text = (
            "blocks:\n  b:\n    layers:\n      - {relu: , name: x}\n      - tanh\n"
            "      - {add: , from: [prev, x]}\nlayers: [b, b]\n"
        )
        graph = build(INPUT + text)
        assert inputs_of(graph, "b2.add") == ["b2.tanh", "b2.x"]

    def test_an_empty_block_of_conditions_hands_its_input_on(self):
        text = "blocks:\n  b: {layers: [{relu: , if: in_channels > 5}]}\nlayers: [tanh, b, selu]\n"
        assert inputs_of(build(INPUT + text), "selu") == ["tanh"]

    def test_a_block_takes_one_of_its_several_inputs_by_joining_them(self):
        text = (
            "inputs: {a: [3, 8, 8], b: [5, 8, 8]}\n"
            "blocks: {mix: {layers: [concat, {conv: {out_channels: in_channels, "
            "kernel_size: 1}}]}}\n"
            "layers: [mix]\n"
        )
        assert shapes(text)["mix.conv"] == (8, 8, 8)


class TestVariables:
    def test_a_variable_may_use_those_before_it(self):
        text = "vars: {a: 2, b: a * 3, c: '[a, b]'}\n" + INPUT
        text += "layers:\n  - conv: {out_channels: 'c[0] + c[1]', kernel_size: 1}\n"
        assert shapes(text)["conv"][0] == 8
        assert shapes(text, {"a": 3})["conv"][0] == 12

    def test_they_stand_anywhere(self):
        text = (
            "vars: {size: 16, c: 3}\ninput: [c, size, size + 1]\nlayers:\n"
            "  - conv: {out_channels: c, kernel_size: [c, 1], stride: c, "
            "padding: c // 2, groups: c}\n"
        )
        assert shapes(text)["input"] == (3, 16, 17)
        # ⌊(16 + 2 − 3)/3⌋ + 1 = 6 and ⌊(17 + 2 − 1)/3⌋ + 1 = 7
        assert shapes(text)["conv"] == (3, 6, 7)

    def test_words_are_values_too(self):
        text = "vars: {mode: same}\n" + INPUT
        text += (
            "layers:\n  - conv: {out_channels: 1, kernel_size: 3, padding: mode}\n"
            "  - {relu: , if: mode == 'same'}\n"
        )
        assert names(text) == ["conv", "relu"]
        assert names(text, {"mode": "valid"}) == ["conv"]

    def test_a_variant_changes_some(self):
        text = (
            "vars: {a: 1, b: a + 1}\nvariants: {small: , large: {a: 10}, odd: {b: a * 7}}\n"
            + INPUT
            + "layers:\n  - conv: {out_channels: b, kernel_size: 1}\n"
        )
        assert [shapes(text, variant=v)["conv"][0] for v in (None, "small", "large", "odd")] == [
            *(2, 2, 11, 7),
        ]

    def test_a_network_of_a_family_is_called_after_its_variant(self):
        text = (
            "name: family\nvars: {a: 1}\nvariants: {small: {}, large: {a: 2}}\n"
            + INPUT
            + "layers: [relu]\n"
        )
        assert [build(text, variant=v).name for v in (None, "large")] == ["small", "large"]

    def test_one_without_a_value_needs_one_from_a_variant_or_a_setting(self):
        text = "vars: {w: }\nvariants: {a: {}, b: {w: 4}}\n" + INPUT
        text += "layers:\n  - conv: {out_channels: w, kernel_size: 1}\n"
        assert codes(text) == ["E208"]
        assert shapes(text, variant="b")["conv"][0] == 4
        assert shapes(text, {"w": 7})["conv"][0] == 7

    @pytest.mark.parametrize(
        ("setting", "channels"),
        [
            (5, 5),
            ("5", 5),
            ("2 + 3", 5),
            ("make_divisible(9, 8)", 16),
            (" 5 ", 5),
            (Fraction(10, 2), 5),
        ],
    )
    def test_a_setting_comes_first(self, setting, channels):
        text = "vars: {w: 3}\nvariants: {a: {w: 4}}\n" + INPUT
        text += "layers:\n  - conv: {out_channels: w, kernel_size: 1}\n"
        if isinstance(setting, Fraction):
            setting = setting.numerator
        assert shapes(text, {"w": setting})["conv"][0] == channels

    def test_a_setting_may_be_a_fraction_of_one(self):
        text = "vars: {width: 1}\n" + INPUT
        text += "layers:\n  - conv: {out_channels: floor(32 * width), kernel_size: 1}\n"
        assert shapes(text, {"width": "0.35"})["conv"][0] == 11  # ⌊11.2⌋
        assert shapes(text, {"width": Fraction(1, 3)})["conv"][0] == 10  # ⌊32/3⌋

    def test_a_setting_reaches_what_is_computed_from_it(self):
        text = (
            "vars: {a: 1, b: a + 1}\n"
            + INPUT
            + "layers:\n  - conv: {out_channels: b, kernel_size: 1}\n"
        )
        assert shapes(text, {"a": 4})["conv"][0] == 5
        assert shapes(text, {"a": 4, "b": 9})["conv"][0] == 9

    def test_with_settings_published_figures_are_not_of_this_network(self):
        text = "vars: {a: 1}\n" + INPUT + "layers: [relu]\npublished: {params: 0, from: us}\n"
        assert len(build(text).published) == 1
        assert build(text, {"a": 2}).published == ()

    def test_conditions_take_no_numbers_for_truth_values(self):
        text = (
            "layers:\n  - for: {b: [1, true]}\n"
            "    conv: {out_channels: 1, kernel_size: 1, bias: b}\n"
        )
        assert [f.message for f in found(INPUT + text)] == ["`bias` must be true or false, not 1"]
        text = text.replace("[1, true]", "[true, 1]")
        assert [f.message for f in found(INPUT + text)] == ["`bias` must be true or false, not 1"]


class TestInputsAndOutputs:
    TWO = "inputs: {image: [3, 8, 8], mask: [1, 8, 8]}\n"

    def test_several_inputs_have_names(self):
        graph = build(self.TWO + "layers:\n  - {concat: , from: [image, mask]}\n")
        assert [node.name for node in graph.inputs] == ["image", "mask"]
        assert graph.nodes[-1].shape == (4, 8, 8)

    def test_a_merge_at_the_start_takes_all_of_them(self):
        assert inputs_of(build(self.TWO + "layers: [concat]\n"), "concat") == ["image", "mask"]

    def test_a_layer_says_which_one_it_takes(self):
        text = self.TWO + "layers:\n  - {relu: , from: mask}\n  - {concat: , from: [image, prev]}\n"
        assert inputs_of(build(text), "relu") == ["mask"]

    def test_an_input_may_be_called_input(self):
        text = (
            "inputs: {input: [3, 8, 8], other: [1, 8, 8]}\nlayers:\n"
            "  - {concat: , from: [input, other]}\n"
        )
        assert inputs_of(build(text), "concat") == ["input", "other"]

    def test_one_input_may_have_a_name(self):
        graph = build(
            "inputs: {image: [3, 8, 8]}\nlayers:\n  - relu\n  - {add: , from: [prev, input]}\n"
        )
        assert inputs_of(graph, "add") == ["relu", "image"]

    def test_the_last_layer_is_the_output_unless_more_is_said(self):
        text = INPUT + "layers: [relu, tanh]\n"
        assert build(text).outputs == (2,)
        assert build(text + "outputs: [relu, tanh]\n").outputs == (1, 2)
        assert build(text + "outputs: relu\n").outputs == (1,)

    def test_outputs_reach_into_groups(self):
        text = INPUT + "layers:\n  - {name: g, layers: [relu, tanh]}\noutputs: [g.relu, g]\n"
        assert build(text).outputs == (1, 2)

    def test_what_nothing_reads_is_a_warning(self):
        text = INPUT + "layers:\n  - relu\n  - {tanh: , from: input}\n"
        graph = build(text)
        assert [warning.code.id for warning in graph.warnings] == ["W502"]
        assert graph.warnings[0].message == "nothing reads the output of `relu`"
        assert build(text + "outputs: [relu, tanh]\n").warnings == ()

    def test_an_input_that_nothing_reads_is_a_warning_too(self):
        graph = build(self.TWO + "layers:\n  - {relu: , from: image}\n")
        assert graph.warnings[0].message == "nothing reads the output of `mask`"


class TestPublished:
    @pytest.mark.parametrize(
        ("figure", "low", "high"),
        [
            ("25557032", 25557032, 25557032),
            ("25.6M", 25_550_000, 25_699_999),  # rounded to the nearest, or cut
            ("4.1G", 4_050_000_000, 4_199_999_999),
            ("4.1B", 4_050_000_000, 4_199_999_999),
            ("60k", 59_500, 60_999),
            ("60K", 59_500, 60_999),
            ("112Ki", 114_176, 115_711),
            ("1 M", 500_000, 1_999_999),
        ],
    )
    def test_a_figure_may_be_exact_or_rounded(self, figure, low, high):
        text = INPUT + f"layers: [relu]\npublished: {{params: {figure}, from: a paper}}\n"
        (published,) = build(text).published
        assert (published.metric, published.low, published.high) == ("params", low, high)
        assert (published.text, published.source, published.group) == (figure, "a paper", None)
        assert published.place.line == 3

    def test_figures_of_groups_and_of_several_sources(self):
        text = INPUT + (
            "layers: [relu]\npublished:\n  - {params: 1, macs: 2, from: a}\n"
            "  - from: b\n    layers: {stem: {macs: 3}, head: {params: 4k}}\n"
        )
        assert [(f.metric, f.source, f.group, f.low) for f in build(text).published] == [
            ("params", "a", None, 1),
            ("macs", "a", None, 2),
            ("macs", "b", "stem", 3),
            ("params", "b", "head", 3500),
        ]

    def test_each_variant_has_its_own(self):
        text = (
            "vars: {n: 1}\nvariants: {a: {}, b: {n: 2}, c: {n: 3}}\n" + INPUT + "layers: [relu]\n"
            "published: {a: {params: 1, from: us}, b: [{params: 2, from: us}]}\n"
        )
        assert [[f.low for f in build(text, variant=v).published] for v in "abc"] == [[1], [2], []]

    def test_a_figure_known_to_be_wrong_says_why(self):
        text = INPUT + "layers: [relu]\npublished: {params: 1, from: us, differs: a typo}\n"
        assert build(text).published[0].differs == "a typo"


class TestYaml12:
    def test_words_of_yaml_11_are_words(self):
        text = (
            "vars: {no: 3, on: 4}\n"
            + INPUT
            + "layers:\n  - conv: {out_channels: no + on, kernel_size: 1}\n"
        )
        assert shapes(text)["conv"][0] == 7

    def test_no_is_no_false(self):
        text = INPUT + "layers:\n  - conv: {out_channels: 8, kernel_size: 1, bias: no}\n"
        finding = only(text)
        assert finding.code.id == "E202"
        assert finding.help == "YAML 1.2 knows `true` and `false` only: write `false`"

    def test_a_name_may_be_no(self):
        assert names(INPUT + "layers:\n  - {relu: , name: no}\n") == ["no"]

    @pytest.mark.parametrize(
        ("number", "channels"), [("1e1", 10), ("0x10", 16), ("0o10", 8), ("8.0", 8)]
    )
    def test_numbers_of_the_core_schema(self, number, channels):
        text = INPUT + f"layers:\n  - conv: {{out_channels: {number}, kernel_size: 1}}\n"
        assert shapes(text)["conv"][0] == channels

    def test_numbers_with_underscores_are_expressions_and_so_numbers_too(self):
        assert (
            shapes(INPUT + "layers:\n  - conv: {out_channels: 1_000, kernel_size: 1}\n")["conv"][0]
            == 1000
        )

    def test_aliases_share_what_they_refer_to(self):
        text = INPUT + "layers:\n  - conv: &c {out_channels: 8, kernel_size: 1}\n  - conv: *c\n"
        assert [shape[0] for shape in shapes(text).values()] == [3, 8, 8]

    def test_comments_and_both_kinds_of_lists(self):
        text = (
            "# a net\ninput:   # channels first\n- 3\n- 8\n- 8\nlayers: [relu,\n  tanh]   # two\n"
        )
        assert names(text) == ["relu", "tanh"]

    def test_a_quoted_expression_over_two_lines(self):
        text = INPUT + 'layers:\n  - conv: {out_channels: "max(4,\n      5)", kernel_size: 1}\n'
        assert shapes(text)["conv"][0] == 5


class TestSymbols:
    """A variable may be a formula: the shapes are then formulas too."""

    FAMILY = (
        "vars: {H: 32, W: 48, width: 8, depth: 2}\ninput: [3, H, W]\nblocks:\n  unit:\n"
        "    args: {c: , s: 1}\n    layers:\n      - residual:\n          body:\n"
        "            - conv: {out_channels: c, kernel_size: 3, stride: s, padding: 1}\n"
        "            - relu\n"
        "          shortcut:\n            - conv: {out_channels: c, kernel_size: 1, stride: s}\n"
        "              if: s != 1 or in_channels != c\n"
        "layers:\n  - conv: {out_channels: width, kernel_size: 7, stride: 2, padding: 3}\n"
        "  - max_pool: {kernel_size: 3, stride: 2, padding: 1}\n"
        "  - for: {c: [width, 2 * width], s: [1, 2]}\n    name: stage\n    layers:\n"
        "      - unit: {c: c, s: s}\n      - {repeat: depth - 1, unit: {c: c}}\n"
        "  - parallel: {merge: concat, branches: {a: [global_avg_pool, "
        "flatten], b: [global_avg_pool, flatten]}}\n"
        "  - linear: {out_features: 10}\n"
    )

    def evaluated(self, graph, values):
        return [
            tuple(
                size.evaluate(values) if isinstance(size, Polynomial) else size
                for size in node.shape
            )
            for node in graph.nodes
        ]

    @pytest.mark.parametrize("free", [["H"], ["H", "W"], ["width"], ["H", "W", "width"]])
    def test_formulas_have_the_values_of_the_integer_graph(self, free):
        settings = {name: symbol(name) for name in free}
        graph = build(self.FAMILY, settings)
        assert any(isinstance(size, Polynomial) for node in graph.nodes for size in node.shape)
        for values in ({"H": 32, "W": 48, "width": 8}, {"H": 57, "W": 33, "width": 3}):
            chosen = {name: values[name] for name in free}
            numbers = build(self.FAMILY, chosen)
            assert [n.name for n in graph.nodes] == [n.name for n in numbers.nodes]
            assert self.evaluated(graph, values) == [n.shape for n in numbers.nodes]

    def test_an_unfree_variable_keeps_its_number(self):
        graph = build(self.FAMILY, {"H": symbol("H")})
        assert str(graph.nodes[1].shape[1]) == "⌊(H + 1)/2⌋"
        assert graph.nodes[1].shape[0] == 8

    def test_from_a_file(self, spec):
        graph = load(str(spec(self.FAMILY)), {"H": symbol("H"), "W": symbol("W")})
        assert isinstance(graph, Graph)
        assert str(graph.nodes[0].shape[1]) == "H"

    @pytest.mark.parametrize(
        ("layer", "said"),
        [
            ("{relu: , if: n > 1}", "cannot decide whether 1 < n: it depends on n"),
            (
                "{relu: , repeat: n}",
                "`repeat` is the formula n: how many layers there are must be known",
            ),
            ("softmax: {dim: n}", "it depends on n"),
            ("flatten: {end_dim: n}", "it depends on n"),
            (
                "{relu: , repeat: 'd[n]'}",
                "the index is the formula n: which item it is must be known",
            ),
        ],
    )
    def test_what_decides_about_layers_must_be_known(self, layer, said):
        text = "vars: {n: 2, d: [1, 2, 3]}\n" + INPUT + f"layers:\n  - {layer}\n"
        assert codes(text) == []
        finding = only(text, {"n": symbol("n")})
        assert finding.code.id == "E207"
        assert said in finding.message
        assert finding.place.line == 4

    def test_formulas_that_never_stop_growing_are_stopped(self):
        text = (
            "vars: {n: 1}\n"
            + INPUT
            + "layers:\n  - {repeat: 600, depthwise_conv: {kernel_size: 1, multiplier: n}}\n"
        )
        assert codes(text) == []
        finding = only(text, {"n": symbol("n")})
        assert finding.code.id == "E307"
        assert "3·n¹⁰¹" in finding.message


class TestShare:
    def shares(self, graph):
        """For each layer that uses the weights of another, that other."""
        return {
            node.name: graph.nodes[node.shares].name
            for node in graph.nodes
            if node.shares is not None
        }

    def test_a_layer_stands_once_more_with_the_same_weights(self):
        text = (
            f"layers:\n  - {{{CONV}, name: a}}\n  - conv: {{out_channels: 3, kernel_size: 1}}\n"
            "  - share: a\n"
        )
        graph = build(INPUT + text)
        assert names(INPUT + text) == ["a", "conv", "a_again"]
        assert self.shares(graph) == {"a_again": "a"}
        assert graph.nodes[-1].shape == (8, 32, 32)

    def test_the_input_may_be_of_another_size(self):
        text = (
            "inputs: {large: [3, 32, 32], small: [3, 8, 16]}\nlayers:\n"
            f"  - {{{CONV}, name: eye, from: large}}\n"
            "  - {share: eye, name: other, from: small}\noutputs: [eye, other]\n"
        )
        assert shapes(text)["other"] == (8, 8, 16)

    def test_a_block_is_shared_layer_by_layer(self):
        text = (
            "inputs: {left: [3, 8, 8], right: [3, 8, 8]}\nblocks:\n  tower:\n    args: {width: }\n"
            "    layers:\n      - conv: {out_channels: width, kernel_size: 3}\n      - batch_norm\n"
            "      - relu\nlayers:\n  - {tower: {width: 4}, name: one, from: left}\n"
            "  - {share: one, name: two, from: right}\n  - {add: , from: [one, two]}\n"
        )
        assert self.shares(build(text)) == {
            "two.conv": "one.conv",
            "two.batch_norm": "one.batch_norm",
        }

    def test_a_group_and_what_is_in_it_can_be_shared(self):
        text = (
            f"layers:\n  - name: body\n    layers:\n      - {{{CONV}, name: first}}\n"
            "      - conv: {out_channels: 3, kernel_size: 1}\n"
            "  - {share: body, repeat: 2, name: body_again}\n  - share: body.first\n"
        )
        assert self.shares(build(INPUT + text)) == {
            "body_again1.first": "body.first",
            "body_again1.conv": "body.conv",
            "body_again2.first": "body.first",
            "body_again2.conv": "body.conv",
            "first_again": "body.first",
        }

    def test_what_shares_can_be_shared(self):
        text = "layers:\n  - {conv: {out_channels: 3, kernel_size: 1}, name: a}\n"
        text += "  - {share: a, name: b}\n  - {share: b, name: c}\n"
        assert self.shares(build(INPUT + text)) == {"b": "a", "c": "a"}

    def test_a_layer_with_other_fields_may_use_the_weights(self):
        text = (
            f"layers:\n  - {{{CONV}, name: near}}\n"
            "  - conv: {out_channels: 8, kernel_size: 3, dilation: 4}\n"
            "    name: far\n    from: input\n    share: near\n"
        )
        graph = build(INPUT + text + "outputs: [near, far]\n")
        assert self.shares(graph) == {"far": "near"}
        assert graph.nodes[-1].shape == (8, 24, 24)  # 32 − 4·(3 − 1)

    def test_a_group_without_a_name_may_use_the_weights(self):
        text = (
            "layers:\n  - {conv: {out_channels: 3, kernel_size: 1}, name: a}\n"
            "  - layers: [conv: {out_channels: 3, kernel_size: 1}]\n    share: a\n"
        )
        assert self.shares(build(INPUT + text)) == {"conv": "a"}

    def test_variables_are_those_of_the_first_use(self):
        text = (
            "layers:\n  - for: {width: [3, 5]}\n    conv: {out_channels: width, kernel_size: 1}\n"
            "    name: a\n  - {conv: {out_channels: 3, kernel_size: 1}}\n  - share: a2\n"
        )
        graph = build(INPUT + text)
        assert self.shares(graph) == {"a2_again": "a2"}
        assert graph.nodes[-1].layer.out_channels == 5

    def test_an_input_of_other_channels_is_a_finding(self):
        text = (
            "inputs: {left: [3, 8, 8], right: [1, 8, 8]}\nlayers:\n"
            f"  - {{{CONV}, name: eye, from: left}}\n"
            "  - {share: eye, name: other, from: right}\n  - {add: , from: [eye, other]}\n"
        )
        finding = only(text)
        assert finding.code.id == "E315"
        assert finding.message == (
            "`other` cannot use the weights of `eye`, which are `weight 8×3×3×3`, "
            "`bias 8`: it needs `weight 8×1×3×3`, `bias 8`"
        )
        assert finding.place[1:3] == (4, 13)

    def test_a_layer_of_another_kind_is_a_finding(self):
        text = (
            "layers:\n  - {conv: {out_channels: 3, kernel_size: 1, bias: false}, name: a}\n"
            "  - {conv_transpose: {out_channels: 3, kernel_size: 1, bias: false}, share: a}\n"
        )
        assert only(INPUT + text).code.id == "E315"

    @pytest.mark.parametrize("first", ["relu:", "max_pool: {kernel_size: 2}"])
    def test_what_has_no_weights_cannot_be_shared(self, first):
        finding = only(INPUT + f"layers:\n  - {first}\n    name: a\n  - share: a\n")
        assert (finding.code.id, finding.message) == ("E315", "`a` has no weights to share")

    def test_another_number_of_layers_is_a_finding(self):
        text = (
            f"layers:\n  - {{{CONV}, name: a}}\n"
            "  - layers: [batch_norm, relu, batch_norm]\n    share: a\n"
        )
        assert only(INPUT + text).message == (
            "`a` has 1 layers with weights, and what is to share them has 2"
        )

    @pytest.mark.parametrize("name", ["b", "input", "prev"])
    def test_a_name_that_nothing_before_has_is_a_finding(self, name):
        finding = only(INPUT + f"layers:\n  - relu\n  - share: {name}\n  - {{relu: , name: b}}\n")
        assert finding.code.id == ("E113" if name == "b" else "E315")
        assert finding.place[1:3] == (4, 12)

    def test_a_group_cannot_share_with_itself(self):
        text = "layers:\n  - name: a\n    layers:\n      - relu\n      - share: a\n"
        assert codes(INPUT + text) == ["E113"]

    def test_an_activation_that_a_variable_names_can_be_shared(self):
        text = (
            "vars: {act: prelu}\n" + INPUT + "layers:\n  - {activation: act, name: a}\n"
            "  - share: a\n  - {activation: act, name: b, share: a}\n"
        )
        assert self.shares(build(text)) == {"a_again": "a", "b": "a"}
        assert codes(text, {"act": "none"}) == ["E315"]

    def test_one_name_only(self):
        text = f"layers:\n  - {{{CONV}, name: a}}\n  - share: [a, a]\n"
        assert only(INPUT + text).message == "`share` names one layer, not 2"

    def test_shared_weights_count_once_and_their_use_each_time(self):
        text = (
            "layers:\n  - {conv: {out_channels: 3, kernel_size: 1}, name: a}\n"
            "  - {batch_norm: , name: n}\n  - {share: a, repeat: 2}\n  - share: n\n"
        )
        analysis = analyze_graph(build(INPUT + text))
        assert analysis.params == 3 * 3 + 3 + 2 * 3
        assert analysis.buffers == 2 * 3
        assert analysis.macs == 3 * (3 * 3 * 32 * 32)
        assert analysis.weight_bytes == 4 * 18
        rows = {row.name: row for row in analysis.layers}
        again = rows["a_again1"]
        assert (again.params, again.weight_bytes, again.shares_weights_with) == (0, 0, "a")
        assert [tensor.shape for tensor in again.weights] == [(3, 3, 1, 1), (3,)]
        assert rows["a"].shares_weights_with is None


class TestParts:
    def test_all_parts_are_handed_on(self):
        text = "layers:\n  - split: {sections: 4, dim: 2}\n  - {concat: {dim: 2}}\n"
        graph = build(INPUT + text)
        assert [node.name for node in graph.layers] == [
            *("split.1", "split.2", "split.3", "split.4"),
            "concat",
        ]
        assert [node.shape for node in graph.layers] == [(3, 8, 32)] * 4 + [(3, 32, 32)]
        assert graph.nodes[-1].inputs == (1, 2, 3, 4)

    def test_one_part_can_be_taken(self):
        text = (
            "layers:\n  - {split: {sizes: [1, 2]}, name: halves}\n"
            "  - {relu: , from: halves.2}\n  - {concat: , from: [prev, halves.1]}\n"
        )
        graph = build(INPUT + text)
        assert inputs_of(graph, "relu") == ["halves.2"]
        assert graph.nodes[-1].shape == (3, 32, 32)

    def test_only_one_part_may_be_made(self):
        text = "layers:\n  - split: {sizes: [1, 2], part: 2}\n"
        assert kinds(INPUT + text) == [("split", "split")]
        assert shapes(INPUT + text)["split"] == (2, 32, 32)

    def test_parts_in_a_loop_are_layers_of_their_own(self):
        text = (
            "layers:\n  - repeat: 2\n    name: unit\n    layers:\n"
            "      - split: {sections: 3}\n      - add\n"
            "      - conv: {out_channels: 3, kernel_size: 1}\n"
        )
        assert names(INPUT + text)[:5] == [
            *("unit1.split.1", "unit1.split.2", "unit1.split.3"),
            *("unit1.add", "unit1.conv"),
        ]

    def test_a_layer_of_one_input_cannot_take_all_parts(self):
        assert codes(INPUT + "layers:\n  - split: {sections: 3}\n  - relu\n") == ["E308"]

    def test_a_part_that_nobody_reads_is_pointed_out(self):
        text = "layers:\n  - {split: {sections: 3}, name: s}\n  - {relu: , from: s.1}\n"
        (finding,) = build(INPUT + text).warnings
        assert finding.message == "nothing reads the output of `s.2`"


class TestActivation:
    def test_a_kind_by_its_name(self):
        assert kinds(INPUT + "layers:\n  - activation: silu\n") == [("silu", "silu")]

    def test_a_kind_that_a_variable_names(self):
        text = (
            "vars: {act: hard_swish}\n" + INPUT + "layers:\n  - activation: act\n"
            "  - activation: act if in_channels < 3 else 'relu6'\n"
        )
        assert kinds(text) == [("activation1", "hard_swish"), ("activation2", "relu6")]

    def test_none_is_no_layer(self):
        text = "vars: {act: none}\n" + INPUT + "layers:\n  - relu\n  - activation: act\n"
        assert kinds(text) == [("relu", "relu")]
        assert kinds(INPUT + "layers:\n  - relu\n  - activation: none\n") == [("relu", "relu")]

    def test_words_of_activations_are_handed_to_blocks(self):
        text = (
            INPUT + "blocks:\n  b:\n    args: {act: relu}\n    layers:\n      - activation: act\n"
            "layers:\n  - b\n  - b: {act: gelu}\n"
        )
        assert kinds(text) == [("b1.activation", "relu"), ("b2.activation", "gelu")]

    @pytest.mark.parametrize(
        ("head", "entry", "place"),
        [
            (INPUT, "activation: rleu", (3, 17)),
            ("vars: {act: rleu}\n" + INPUT, "activation: act", (4, 17)),
        ],
    )
    def test_a_word_that_no_activation_has_is_a_finding(self, head, entry, place):
        finding = only(head + f"layers:\n  - {entry}\n")
        assert (finding.code.id, finding.place[1:3]) == ("E106", place)
        assert finding.message == "unknown activation `rleu`"
        assert finding.help == "did you mean `relu`?"

    def test_a_number_is_no_activation(self):
        assert codes(INPUT + "layers:\n  - activation: 3\n") == ["E103"]
        assert codes(INPUT + "layers:\n  - activation: 2 + 1\n") == ["E106"]


class TestInputOrder:
    @pytest.mark.parametrize(
        ("shape", "better"),
        [([224, 224, 3], "[3, 224, 224]"), ([1, 3, 32, 32], "[3, 32, 32]")],
    )
    def test_channels_that_seem_to_stand_last_are_pointed_out(self, shape, better):
        (finding,) = build(f"input: {shape}\nlayers: [relu]\n").warnings
        assert finding.code.id == "W504"
        assert better in finding.help

    @pytest.mark.parametrize(
        "shape",
        [[3, 224, 224], [512, 7, 3], [3, 3, 3], [1, 16, 3], [16, 3], [3, 16, 112, 112], [1, 3, 9]],
    )
    def test_what_may_well_be_meant_is_not(self, shape):
        assert build(f"input: {shape}\nlayers: [relu]\n").warnings == ()


class TestFromAndIf:
    @pytest.mark.parametrize("wanted", [True, False])
    def test_an_entry_that_is_left_out_hands_on_what_came_before_it(self, wanted):
        text = (
            f"layers:\n  - {{relu: , name: a}}\n"
            f"  - {{add: , from: [prev, input], if: {str(wanted).lower()}}}\n  - {{tanh: }}\n"
        )
        graph = build(INPUT + text)
        assert inputs_of(graph, "tanh") == ["add" if wanted else "a"]

    def test_what_is_left_out_may_take_what_is_left_out(self):
        text = (
            "vars: {aux: false}\n" + INPUT + "layers:\n  - {sigmoid: , name: head, if: aux}\n"
            "  - {relu: , from: input}\n  - {tanh: , from: head, if: aux}\n"
        )
        assert names(text) == ["relu"]

    def test_a_condition_on_the_channels_is_of_what_is_taken(self):
        text = (
            "layers:\n  - {conv: {out_channels: 9, kernel_size: 1}}\n"
            "  - {tanh: , from: input, if: in_channels == 3}\n"
        )
        assert names(INPUT + text) == ["conv", "tanh"]

    def test_a_loop_without_rounds_hands_on_what_came_before_it(self):
        text = "layers:\n  - {relu: , name: a}\n  - {tanh: , from: input, repeat: 0}\n  - gelu\n"
        graph = build(INPUT + text)
        assert inputs_of(graph, "gelu") == ["a"]

    def test_an_output_that_is_left_out_is_none(self):
        text = (
            "vars: {aux: false}\n" + INPUT + "layers:\n  - {relu: , name: out}\n"
            "  - {tanh: , name: head, if: aux}\noutputs: [out, head]\n"
        )
        graph = build(text)
        assert [graph.nodes[n].name for n in graph.outputs] == ["out"]
        graph = build(text, {"aux": True})
        assert [graph.nodes[n].name for n in graph.outputs] == ["out", "head"]

    def test_a_misspelt_output_is_a_finding_though_others_are_left_out(self):
        text = (
            INPUT + "layers:\n  - {relu: , name: out}\n"
            "  - {tanh: , name: head, if: 1 > 2}\noutputs: [out, haed]\n"
        )
        assert codes(text) == ["E113"]

    def test_if_all_outputs_are_left_out_it_is_said(self):
        text = INPUT + "layers:\n  - relu\n  - {tanh: , name: head, if: 1 > 2}\noutputs: [head]\n"
        assert codes(text) == ["E113"]


def test_a_name_that_ends_in_a_digit_is_numbered_apart():
    text = INPUT + "layers:\n  - {relu: , name: conv3, repeat: 2}\n"
    assert names(text) == ["conv3_1", "conv3_2"]
