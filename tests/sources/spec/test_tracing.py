"""Where values were set: each way that a variable can come by one, and every shipped network."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reading import INPUT, build, marked

from convcalc.algebra import symbol
from convcalc.errors import SourceText, SpecError, UsageError
from convcalc.origins import How, TrailStep, every_variable
from convcalc.sources import chosen_variants, open_network, origins_of, shipped_names
from convcalc.sources.spec import Spec

CONV = "{conv: {out_channels: %s, kernel_size: 1}}"


def origins(text, *names, variant=None, settings=None):
    """The origins of the nodes with these names."""
    return Spec(SourceText("net.yaml", text), text).origins(names, variant, settings)


def only(text, name, **how):
    """The origin of the one node with this name."""
    (origin,) = origins(text, name, **how)
    return origin


def field(origin, name):
    """One field of a layer."""
    return next(field for field in origin.fields if field.name == name)


def channels(text, name="conv", **how):
    """The `out_channels` of a layer."""
    return field(only(text, name, **how), "out_channels")


def variable(text, name="conv", **how):
    """The one variable that the `out_channels` of a layer reads."""
    (found,) = channels(text, name, **how).variables
    return found


def where(place):
    """The line of a place, and what stands under the caret."""
    return place.line, marked(place)


class TestFields:
    def test_a_number_written_out_has_its_place_and_no_variables(self):
        found = channels(INPUT + "layers:\n  - conv: {out_channels: 64, kernel_size: 1}\n")
        assert (found.value, found.text, found.is_default) == (64, "64", False)
        assert where(found.place) == (3, "64")
        assert found.variables == ()

    def test_a_field_that_is_not_given_has_its_default_and_says_so(self):
        found = field(only(INPUT + f"layers: [{CONV % 8}]\n", "conv"), "stride")
        assert (found.value, found.text, found.place) == (1, "", None)
        assert found.is_default
        assert found.variables == ()

    def test_null_for_a_field_that_may_be_none_was_given(self):
        text = "layers:\n  - {split: {dim: 1, sections: null, sizes: [1, 2]}}\n"
        found = field(only(INPUT + text, "split.2"), "sections")
        assert (found.value, found.text, found.is_default) == (None, "null", False)

    def test_null_may_come_from_a_variable(self):
        text = "layers:\n  - {for: {n: [null]}, split: {dim: 1, sizes: [1, 2], sections: n}}\n"
        found = field(only(INPUT + text, "split1.1"), "sections")
        assert (found.value, found.text, found.is_default) == (None, "n", False)
        assert [(v.value, v.text) for v in found.variables] == [(None, "null")]

    def test_an_expression_without_variables_keeps_its_text(self):
        found = channels(INPUT + f"layers: [{CONV % '4 * 16'}]\n")
        assert (found.value, found.text) == (64, "4 * 16")

    def test_the_text_is_what_yaml_makes_of_quotes_and_lines(self):
        text = (
            "vars: {c: 20}\n" + INPUT + "layers:\n  - conv:\n      kernel_size: 1\n"
            '      out_channels: "make_divisible(c,\n        8)"\n'
        )
        # 20 lies as near to 16 as to 24, and the half goes up.
        assert channels(text)[1:3] == (24, "make_divisible(c, 8)")

    def test_a_list_of_expressions_reads_the_variables_of_all_of_its_items(self):
        text = (
            "vars: {a: 3, b: 5}\n" + INPUT + "layers:\n"
            "  - conv: {out_channels: 1, kernel_size: [b, a + b - 5], padding: 2}\n"
        )
        found = field(only(text, "conv"), "kernel_size")
        assert (found.value, found.text) == ((5, 3), "[b, a + b - 5]")
        assert [v.name for v in found.variables] == ["b", "a"]

    def test_a_layer_says_where_it_stands(self):
        found = only(INPUT + "layers:\n  - relu\n  - {tanh: }\n", "tanh")
        assert where(found.place) == (4, "tanh")
        assert (found.kind, found.trail, found.block, found.fields) == ("tanh", (), None, ())

    def test_the_merge_of_a_residual_stands_where_that_does(self):
        found = only(INPUT + "layers:\n  - residual: {body: [relu]}\n", "add")
        assert (found.kind, where(found.place)) == ("add", (3, "residual"))
        assert all(of_field.is_default for of_field in found.fields)

    def test_the_merge_of_a_parallel_has_fields_like_any_layer(self):
        text = (
            "vars: {axis: 2}\n" + INPUT + "layers:\n"
            "  - parallel: {merge: {concat: {dim: axis}}, branches: {a: [relu], b: [tanh]}}\n"
        )
        found = field(only(text, "concat"), "dim")
        assert (found.value, found.variables[0].how) == (2, How.DECLARED)

    def test_each_of_several_outputs_has_the_fields_of_the_one_layer(self):
        text = "vars: {n: 3}\n" + INPUT + "layers: [{split: {dim: 1, sections: n}}]\n"
        graph = build(text)
        for number, found in enumerate(origins(text, "split.1", "split.2", "split.3"), start=1):
            assert field(found, "sections").variables[0].value == 3
            assert field(found, "part").value == number
            assert {f.name: f.value for f in found.fields} == vars(graph.nodes[number].layer)

    def test_the_shape_of_an_input_is_traced_like_a_field(self):
        found = only("vars: {H: 32}\ninput: [3, H, 2 * H]\nlayers: [relu]\n", "input")
        assert (found.kind, found.place.line) == ("input", 2)
        (shape,) = found.fields
        assert (shape.name, shape.value, shape.text) == ("shape", (3, 32, 64), "[3, H, 2 * H]")
        assert [(v.name, v.value) for v in shape.variables] == [("H", 32)]


class TestVariables:
    def test_one_of_the_network(self):
        text = "vars: {width: 2, c: 8 * width}\n" + INPUT + f"layers: [{CONV % 'c + 1'}]\n"
        found = channels(text)
        assert (found.value, found.text) == (17, "c + 1")  # 8·2 + 1
        (c,) = found.variables
        assert (c.name, c.value, c.how, c.text) == ("c", 16, How.DECLARED, "8 * width")
        assert where(c.place) == (1, "8 * width")
        assert (c.binder, c.block) == (None, None)
        (width,) = c.variables
        assert (width.value, width.text, width.variables) == (2, "2", ())

    def test_several_are_in_the_order_of_the_text(self):
        text = "vars: {a: 1, b: 2, c: 3}\n" + INPUT + f"layers: [{CONV % 'c if b > a else a'}]\n"
        assert [v.name for v in channels(text).variables] == ["c", "b", "a"]

    def test_one_that_a_variant_changes(self):
        text = (
            "vars: {w: 1, c: 8}\nvariants: {small: {}, large: {c: 32 * w}}\n"
            + INPUT
            + f"layers: [{CONV % 'c'}]\n"
        )
        small, large = (variable(text, variant=name) for name in ("small", "large"))
        assert (small.value, small.how, small.place.line) == (8, How.DECLARED, 1)
        assert (large.value, large.how, large.text) == (32, How.VARIANT, "32 * w")
        assert where(large.place) == (2, "32 * w")
        assert [v.how for v in large.variables] == [How.DECLARED]

    def test_without_a_variant_it_is_the_first_as_for_a_graph(self):
        text = "vars: {c: }\nvariants: {a: {c: 8}, b: {c: 9}}\n" + INPUT
        assert variable(text + f"layers: [{CONV % 'c'}]\n").value == 8

    def test_one_that_is_set_for_the_run(self):
        text = "vars: {c: 8, d: 2 * c}\nvariants: {v: {c: 5}}\n" + INPUT
        d = variable(text + f"layers: [{CONV % 'd'}]\n", settings={"c": "2 * 3"})
        assert (d.value, d.how) == (12, How.DECLARED)
        (c,) = d.variables
        assert (c.value, c.how, c.text, c.place) == (6, How.SETTING, "2 * 3", None)

    def test_one_that_is_set_to_a_formula(self):
        n = symbol("n")
        text = "vars: {c: 8}\n" + INPUT + f"layers: [{CONV % '2 * c'}]\n"
        found = channels(text, settings={"c": n})
        assert found.value == 2 * n
        assert (found.variables[0].value, found.variables[0].text) == (n, "n")

    def test_a_fraction_stays_exact(self):
        text = "vars: {width: 1.4}\n" + INPUT + f"layers: [{CONV % '10 * width'}]\n"
        assert variable(text).value == Fraction(7, 5)

    def test_an_argument_of_a_block_and_its_default(self):
        text = """\
vars: {base: 8}
input: [3, 32, 32]
blocks:
  twice:
    args: {c: , k: c // 16}
    layers:
      - conv: {out_channels: c, kernel_size: k}
layers:
  - twice: {c: 6 * base}
"""
        found = only(text, "twice.conv")
        (c,) = field(found, "out_channels").variables
        assert (c.value, c.how, c.text, c.block) == (48, How.ARGUMENT, "6 * base", "twice")
        assert where(c.place) == (9, "6 * base")
        assert where(c.binder) == (9, "twice")
        assert [v.name for v in c.variables] == ["base"]
        (k,) = field(found, "kernel_size").variables
        assert (k.value, k.how, k.text, k.block) == (3, How.DEFAULT, "c // 16", "twice")  # 48 // 16
        assert where(k.place) == (5, "c // 16")
        assert where(k.binder) == (9, "twice")
        assert k.variables[0] is c
        assert found.trail == (TrailStep("twice", c.binder, is_library=False, shares=False),)
        assert found.block == "twice"

    def test_the_channels_of_what_comes_in_name_the_layer_they_come_from(self):
        text = INPUT + f"layers:\n  - {CONV % 7}\n  - relu\n  - {CONV % '2 * in_channels'}\n"
        found = variable(text, "conv2")
        assert (found.name, found.value, found.how) == ("in_channels", 7, How.CHANNELS)
        assert (found.text, where(found.place)) == ("relu", (4, "relu"))

    def test_the_channels_that_an_argument_reads_are_those_of_the_block(self):
        text = """\
input: [3, 32, 32]
blocks:
  narrow:
    args: {back: in_channels}
    layers:
      - conv: {out_channels: 5, kernel_size: 1}
      - conv: {out_channels: back + in_channels, kernel_size: 1}
layers:
  - narrow
"""
        found = channels(text, "narrow.conv2")
        back, inside = found.variables
        assert found.value == 8  # 3 of the block's input, 5 of the layer's own
        assert (back.how, back.variables[0].how) == (How.DEFAULT, How.CHANNELS)
        assert (back.variables[0].value, back.variables[0].text) == (3, "input")
        assert (inside.value, inside.text, inside.block) == (5, "narrow.conv1", "narrow")

    def test_an_argument_hides_a_variable_of_the_same_name(self):
        text = """\
vars: {c: 2}
input: [3, 32, 32]
blocks:
  inner:
    args: {c: }
    layers:
      - conv: {out_channels: c, kernel_size: 1}
  outer:
    args: {c: }
    layers:
      - inner: {c: c + 10}
layers:
  - outer: {c: c + 100}
"""
        innermost = variable(text, "outer.inner.conv")
        assert (innermost.value, innermost.block, innermost.place.line) == (112, "inner", 11)
        (middle,) = innermost.variables
        assert (middle.name, middle.value, middle.block) == ("c", 102, "outer")
        assert middle.place.line == 13
        (outermost,) = middle.variables
        assert (outermost.name, outermost.value, outermost.how) == ("c", 2, How.DECLARED)
        trail = only(text, "outer.inner.conv").trail
        assert [(step.name, step.place.line) for step in trail] == [("inner", 11), ("outer", 13)]

    def test_a_block_does_not_see_the_loop_that_it_is_used_in(self):
        text = """\
vars: {c: 2}
input: [3, 32, 32]
blocks:
  own: {layers: [{conv: {out_channels: c, kernel_size: 1}}]}
layers:
  - {for: {c: [8, 9]}, own: }
"""
        assert build(text).nodes[1].layer.out_channels == 2
        found = variable(text, "own1.conv")
        assert (found.value, found.how) == (2, How.DECLARED)


class TestLoops:
    def test_the_counter_of_a_repeat(self):
        text = "vars: {n: 3}\n" + INPUT
        text += "layers: [{repeat: n - 1, conv: {out_channels: 4 + i, kernel_size: 1}}]\n"
        found = channels(text, "conv2")
        assert (found.value, found.text) == (5, "4 + i")
        (i,) = found.variables
        assert (i.name, i.value, i.how, i.text) == ("i", 1, How.COUNTER, "n - 1")
        assert where(i.place) == (3, "n - 1")

    def test_the_counter_of_a_for_and_an_item_picked_by_it(self):
        text = """\
vars: {depths: [3, 4, 6]}
input: [3, 32, 32]
layers:
  - for: {c: [8, 16, 32]}
    conv: {out_channels: "c + depths[i]", kernel_size: 1}
"""
        found = channels(text, "conv3")
        assert found.value == 38  # 32 + 6
        c, depths, i = found.variables
        assert (c.value, c.how, c.text) == (32, How.ROUND, "32")
        assert where(c.place) == (4, "32")
        assert c.binder.line == 4
        assert (depths.value, depths.text) == ((3, 4, 6), "[3, 4, 6]")
        assert (i.value, i.how, i.text) == (2, How.COUNTER, "")

    def test_the_counter_is_that_of_the_loop_nearest(self):
        text = """\
input: [3, 32, 32]
layers:
  - for: {c: [8, 16]}
    repeat: 2 + i
    layers:
      - conv: {out_channels: c + i, kernel_size: 1}
      - for: {d: [1, 2]}
        conv: {out_channels: c + d + i, kernel_size: 1}
      - conv: {out_channels: c + 10 * i, kernel_size: 1}
"""
        # Four convs a turn; the second turn of the first round is conv5 to conv8.
        for name, value, line in (("conv5", 9, 4), ("conv7", 11, 7), ("conv8", 18, 4)):
            found = channels(text, name)
            assert found.value == value
            (i,) = [v for v in found.variables if v.name == "i"]
            assert (i.value, i.place.line) == (1, line)

    def test_after_a_loop_its_variables_are_those_outside_again(self):
        text = "vars: {c: 2}\n" + INPUT
        text += f"layers:\n  - {{for: {{c: [8, 9]}}, relu: }}\n  - {CONV % 'c'}\n"
        assert variable(text).how is How.DECLARED

    def test_rounds_written_out_may_hold_expressions(self):
        text = """\
vars: {w: 2}
input: [3, 32, 32]
layers:
  - for: [{c: 8}, {c: 16 * w}]
    conv: {out_channels: c, kernel_size: 1}
"""
        found = variable(text, "conv2")
        assert (found.value, found.how, found.text) == (32, How.ROUND, "16 * w")
        assert where(found.place) == (4, "16 * w")
        assert [v.name for v in found.variables] == ["w"]

    def test_an_item_of_a_list_reads_what_it_reads_itself(self):
        text = """\
vars: {a: 4, b: 5}
input: [3, 32, 32]
layers:
  - for: {c: [a, 2 * b]}
    conv: {out_channels: c, kernel_size: 1}
"""
        found = variable(text, "conv2")
        assert (found.value, found.text) == (10, "2 * b")
        assert [v.name for v in found.variables] == ["b"]

    def test_an_item_of_a_list_that_was_handed_on_stands_in_the_list(self):
        text = """\
vars:
  widths:
    - 8
    - 16
input: [3, 32, 32]
blocks:
  stack:
    args: {sizes: }
    layers:
      - for: {c: sizes}
        conv: {out_channels: c, kernel_size: 1}
layers:
  - stack: {sizes: " widths "}
"""
        found = variable(text, "stack.conv2")
        assert (found.value, found.text, where(found.place)) == (16, "16", (4, "16"))
        assert (found.binder.line, found.block) == (10, "stack")
        (sizes,) = found.variables
        assert (sizes.how, sizes.value, sizes.text) == (How.ARGUMENT, (8, 16), "widths")
        assert sizes.variables[0].text == "[8, 16]"

    def test_an_item_of_a_list_that_was_worked_out_has_the_expression(self):
        text = """\
vars: {all: [[1, 2], [8, 16]]}
input: [3, 32, 32]
layers:
  - for: {c: "all[1]"}
    conv: {out_channels: c, kernel_size: 1}
"""
        found = variable(text, "conv2")
        assert (found.value, found.text, found.place.line) == (16, "all[1]", 4)
        assert found.variables[0].value == ((1, 2), (8, 16))

    def test_an_item_of_a_list_that_was_set_has_the_name_of_the_list(self):
        text = """\
vars: {widths: [8]}
input: [3, 32, 32]
layers:
  - for: {c: widths}
    conv: {out_channels: c, kernel_size: 1}
"""
        found = variable(text, "conv2", settings={"widths": "[4, 5]"})
        assert (found.value, found.text) == (5, "widths")
        assert (found.variables[0].how, found.variables[0].text) == (How.SETTING, "[4, 5]")

    def test_rounds_that_a_variable_holds(self):
        text = """\
vars:
  stages:
    - {c: 8, k: 1}
    - {c: 16, k: 3}
input: [3, 32, 32]
layers:
  - for: stages
    conv: {out_channels: c, kernel_size: k}
"""
        found = only(text, "conv2")
        (c,) = field(found, "out_channels").variables
        assert (c.value, c.how, c.text, where(c.place)) == (16, How.ROUND, "16", (4, "16"))
        assert c.binder.line == 7
        (stages,) = c.variables
        # The mappings as pairs of name and value.
        assert stages.value == ((("c", 8), ("k", 1)), (("c", 16), ("k", 3)))
        assert stages.text == "[{c: 8, k: 1}, {c: 16, k: 3}]"

    def test_mappings_within_mappings_are_pairs_too(self):
        text = """\
vars: {stages: [{parts: [{c: 8}]}]}
input: [3, 32, 32]
layers:
  - for: stages
    layers:
      - conv: {out_channels: len(parts), kernel_size: 1}
"""
        parts = variable(text, "conv1")
        assert parts.value == ((("c", 8),),)
        assert parts.variables[0].value == ((("parts", ((("c", 8),),)),),)

    def test_what_counts_in_a_block_belongs_to_it(self):
        text = """\
input: [3, 32, 32]
blocks:
  stack:
    layers:
      - {repeat: 2, conv: {out_channels: 1 + i, kernel_size: 1}}
layers: [stack]
"""
        assert variable(text, "stack.conv2").block == "stack"

    def test_the_channels_that_a_for_reads_are_those_before_its_first_round(self):
        text = """\
input: [3, 32, 32]
layers:
  - for: {c: [8, 2 * in_channels]}
    conv: {out_channels: c, kernel_size: 1}
"""
        found = variable(text, "conv2")
        assert found.value == 6  # of the input's 3, though conv1 hands on 8
        assert (found.variables[0].value, found.variables[0].text) == (3, "input")


class TestSharingAndChoosing:
    def test_what_is_made_again_reads_what_it_read_the_first_time(self):
        text = """\
vars: {c: 2}
inputs: {a: [3, 32, 32], b: [9, 32, 32]}
blocks:
  tower:
    args: {width: }
    layers:
      - conv: {out_channels: width, kernel_size: 1}
layers:
  - {for: {c: [8, 9]}, tower: {width: c + 1}, from: a, name: left}
  - {share: left2, from: b, name: right}
  - add: {}
    from: [left2, right]
"""
        first, again = origins(text, "left2.conv", "right.conv")
        for found in (first, again):
            (width,) = field(found, "out_channels").variables
            assert (width.value, width.text, width.place.line) == (10, "c + 1", 9)
            (c,) = width.variables
            assert (c.value, c.how, c.place.line) == (9, How.ROUND, 9)
        assert [(s.name, s.place.line, s.shares) for s in first.trail] == [("tower", 9, False)]
        assert [(s.name, s.place.line, s.shares) for s in again.trail] == [
            ("tower", 10, False),
            ("left2", 10, True),
        ]
        assert again.block == "tower"

    def test_a_layer_made_again_stands_in_no_block(self):
        text = INPUT + (
            "vars: {c: 3}\nlayers:\n"
            "  - {conv: {out_channels: c, kernel_size: 1}, name: one}\n"
            "  - {share: one, name: two}\n"
            f"  - {CONV % 'c'}\n"
        )
        two, after = origins(text, "two", "conv")
        assert (two.block, two.place.line, len(two.trail)) == (None, 5, 1)
        assert field(two, "out_channels").place.line == 4
        assert after.trail == ()

    def test_an_activation_that_an_expression_names(self):
        text = """\
vars: {norm: true}
input: [3, 32, 32]
blocks:
  act:
    args: {kind: "'relu' if norm else 'tanh'"}
    layers:
      - activation: kind
layers:
  - act
  - activation: relu
"""
        chosen, written = origins(text, "act.activation", "relu")
        assert chosen.kind == "relu"
        by = chosen.chosen_by
        assert (by.name, by.value, by.text, by.place.line) == ("activation", "relu", "kind", 7)
        (kind,) = by.variables
        assert (kind.how, kind.value) == (How.DEFAULT, "relu")
        assert [v.name for v in kind.variables] == ["norm"]
        assert written.chosen_by is None


class TestReferences:
    def test_a_library_block_has_its_own_text_and_a_use_in_the_spec(self):
        (found,) = origins_of("mobilenet_v2", ["stage3.inverted_residual2.expand.conv"])
        assert found.place.text.name == "library/conv_bn.yaml"
        assert [(s.name, s.is_library, s.place.text.name) for s in found.trail] == [
            ("conv_bn", True, "library/inverted_residual.yaml"),
            ("inverted_residual", True, "specs/mobilenet_v2.yaml"),
        ]
        out = field(found, "out_channels")
        chain = {v.name: v for v in every_variable([out])}
        # The third stage has 32 channels, which its second block widens sixfold.
        assert out.value == 192
        assert (chain["hidden"].how, chain["hidden"].text) == (
            How.DEFAULT,
            "in_channels * expansion",
        )
        assert chain["in_channels"].value == 32
        # Of two variables called so the argument comes first, then what the `for` gives it.
        expansions = [v for v in every_variable([out]) if v.name == "expansion"]
        assert [(v.value, v.how) for v in expansions] == [(6, How.ARGUMENT), (6, How.ROUND)]
        assert expansions[1].place.text.name == "specs/mobilenet_v2.yaml"

    def test_a_bottleneck_of_resnet_goes_back_to_its_stage(self):
        (found,) = origins_of("resnet::resnet50", ["stage1.bottleneck1.conv_bn3.conv"])
        out = field(found, "out_channels")
        chain = list(every_variable([out]))
        assert out.value == 256  # 64 planes · 4
        assert [(v.name, v.value, v.how, v.text) for v in chain] == [
            ("out_channels", 256, How.ARGUMENT, "out_channels"),
            ("out_channels", 256, How.ARGUMENT, "planes * 4"),
            ("planes", 64, How.ROUND, "64"),
        ]
        assert [marked(v.place) for v in chain] == ["out_channels", "planes * 4", "64"]
        assert [v.place.text.name for v in chain] == [
            "library/residual_bottleneck.yaml",
            "specs/resnet.yaml",
            "specs/resnet.yaml",
        ]

    def test_groups_of_a_resnext_come_from_its_variant(self):
        (found,) = origins_of("resnet::resnext50_32x4d", ["stage4.bottleneck3.conv_bn2.conv"])
        *_, groups = every_variable([field(found, "groups")])
        assert (groups.name, groups.value, groups.how) == ("groups", 32, How.VARIANT)
        assert groups.place.text.lines[groups.place.line - 1].startswith("  resnext50_32x4d:")

    def test_settings_are_those_of_load(self):
        (found,) = origins_of("mobilenet_v2", ["stem.conv"], {"width": "0.5"})
        *_, width = every_variable([field(found, "out_channels")])
        assert (width.value, width.how, width.text) == (Fraction(1, 2), How.SETTING, "0.5")
        assert field(found, "out_channels").value == 16  # 32 · 1/2

    def test_a_file_that_is_not_there_is_a_usage_error(self):
        with pytest.raises(UsageError):
            origins_of("no_such_net", [])

    def test_names_that_no_node_has_are_passed_over(self):
        assert [o.name for o in origins(INPUT + "layers: [relu, tanh]\n", "tanh", "sigmoid")] == [
            "tanh"
        ]

    def test_a_broken_spec_raises_what_its_graph_raises(self):
        for text in (
            INPUT + "layers: [rely]\n",
            INPUT + "layers:\n  - {repeat: 2, conv: {out_channels: i, kernel_size: 1}}\n",
            INPUT + "layers:\n  - {for: 3, relu: }\n",
            INPUT + "blocks: {b: {layers: [b]}}\nlayers: [b, relu]\n",
            INPUT + "layers:\n  - {share: nothing}\n  - {from: nowhere, relu: }\n",
            "vars: {n: }\n" + INPUT + "layers: [{repeat: n, relu: }, {for: n, tanh: }]\n",
            "[",
        ):
            with pytest.raises(SpecError) as of_origins:
                origins(text, "relu")
            with pytest.raises(SpecError) as of_graph:
                build(text)
            assert [(f.code, f.message) for f in of_origins.value.findings] == [
                (f.code, f.message) for f in of_graph.value.findings
            ]

    def test_a_variant_that_is_not_there_is_a_spec_error(self):
        with pytest.raises(SpecError):
            origins(INPUT + "layers: [relu]\n", "relu", variant="large")


class TestSize:
    def test_a_long_chain_of_variables_is_followed_to_its_end(self):
        chain = "".join(f"  v{n + 1}: v{n} + 1\n" for n in range(2500))
        text = f"vars:\n  v0: 1\n{chain}{INPUT}layers: [{CONV % 'v2500'}]\n"
        found = channels(text)
        assert found.value == 2501
        *_, last = every_variable([found])
        assert (last.name, last.value) == ("v0", 1)

    def test_what_is_read_twice_is_one_record(self):
        # As a tree the last number of this row would have some 10¹² leaves.
        row = "".join(f"  f{n + 2}: f{n + 1} + f{n}\n" for n in range(57))
        text = f"vars:\n  f0: 0\n  f1: 1\n{row}{INPUT}layers: [{CONV % 'f58 - f58 + f10'}]\n"
        found = channels(text)
        assert found.value == 55  # the tenth number of Fibonacci's row
        assert len(list(every_variable([found]))) == 59

    def test_blocks_within_blocks_are_followed_as_deep_as_they_go(self):
        blocks = "".join(
            f"  b{n}: {{args: {{c: }}, layers: "
            f"[{{for: {{d: [c]}}, b{n + 1}: {{c: d + 1}}, name: n}}]}}\n"
            for n in range(60)
        )
        text = (
            f"{INPUT}blocks:\n{blocks}  b60: {{args: {{c: }}, layers: [{CONV % 'c'}]}}\n"
            "layers: [{b0: {c: 1}}]\n"
        )
        graph = build(text)
        found = channels(text, graph.nodes[-1].name)
        assert found.value == 61  # one, and one more for each of 60 blocks
        assert len(list(every_variable([found]))) == 121  # 61 arguments, 60 rounds


def assert_origins_are_those_of(graph, found):
    """That the origins' values are the layers' fields, and that each follows from what it read."""
    assert [origin.name for origin in found] == [node.name for node in graph.nodes]
    for origin, node in zip(found, graph.nodes, strict=True):
        if origin.kind == "input":
            assert origin.fields[0].value == node.shape
            continue
        assert origin.kind == node.layer.kind
        assert {f.name: f.value for f in origin.fields} == vars(node.layer)
        for declared, of_field in zip(node.layer.declarations, origin.fields, strict=True):
            assert of_field.name == declared.name
            if of_field.is_default:
                assert of_field.place is None
            else:
                assert of_field.text
                assert of_field.place.text is origin.place.text
        if origin.chosen_by is not None:
            assert origin.chosen_by.value == node.layer.kind


@pytest.mark.parametrize("name", shipped_names())
def test_in_every_shipped_network_the_values_are_those_of_the_layers(name):
    file, found = open_network(name)
    for variant in chosen_variants(file, found):
        graph = file.graph(variant, name=name, spec=name)
        names = [node.name for node in graph.nodes]
        assert_origins_are_those_of(graph, file.origins(names, variant))


NAMES = ("a", "b", "c")


@st.composite
def expressions(draw, names):
    """A small positive number of up to two variables."""
    one, two = draw(st.sampled_from((*names, "1", "2"))), draw(st.sampled_from((*names, "3")))
    return draw(st.sampled_from((one, f"{one} + {two}", f"({one} * {two}) % 5 + 1")))


@st.composite
def layers(draw, names, depth=0, most=4):
    """A list of layers, loops and, if ``most`` is 4, blocks over variables that hide each other."""
    items = []
    for _ in range(draw(st.integers(1, 3))):
        what = draw(st.integers(0, most if depth < 3 else 0))
        inside = (*names, "i")
        if what == 0:
            items.append(CONV % f"1 + {draw(expressions((*names, 'in_channels')))}")
        elif what == 1:
            body = draw(layers(inside, depth + 1, most))
            items.append(f"{{repeat: 2, layers: {body}}}")
        elif what == 2:
            values = f"[{draw(expressions(names))}, {draw(expressions(names))}]"
            loop = f"{{{draw(st.sampled_from(NAMES))}: {values}}}"
            items.append(f"{{for: {loop}, layers: {draw(layers(inside, depth + 1, most))}}}")
        elif what == 3:
            argument = draw(expressions((*names, "in_channels")))
            items.append(f"{{outer: {{{draw(st.sampled_from(('a', 'b')))}: {argument}}}}}")
        else:
            items.append(f"{{repeat: 2, inner: {{c: {draw(expressions(inside))}}}}}")
    return f"[{', '.join(items)}]"


@settings(deadline=None)
@given(st.data())
def test_in_any_nest_of_loops_and_blocks_the_values_are_those_of_the_layers(data):
    in_block = data.draw(layers(NAMES, depth=1, most=2))
    text = f"""\
vars: {{a: 1, b: a + 1, c: 2 * b}}
{INPUT}blocks:
  inner: {{args: {{b: in_channels, c: , a: b + c}}, layers: {in_block}}}
  outer: {{args: {{a: b, b: a + in_channels}}, layers: [{{inner: {{c: a}}}}, {{inner: {{c: b}}}}]}}
layers: {data.draw(layers(NAMES))}
"""
    graph = build(text)
    found = origins(text, *(node.name for node in graph.nodes))
    assert_origins_are_those_of(graph, found)
    written = [f for origin in found[1:] for f in origin.fields if not f.is_default]
    for origin in (*written, *every_variable(written)):
        if getattr(origin, "how", None) not in {How.COUNTER, How.CHANNELS}:
            # Python knows what the expression is worth, given what it is said to read.
            read = {variable.name: variable.value for variable in origin.variables}
            assert eval(origin.text, {}, read) == origin.value  # noqa: S307
            assert marked(origin.place) == origin.text
