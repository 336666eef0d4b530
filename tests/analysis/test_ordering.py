"""The order with the lowest peak, against all orders of small networks."""

import re
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import convcalc
from convcalc.algebra import product
from convcalc.analysis import analyze_graph, ordering
from convcalc.analysis.liveness import liveness_of, peak_of
from convcalc.analysis.ordering import best_order, reordered
from convcalc.errors import SourceText
from convcalc.graph import Graph, Node
from convcalc.layers import Input
from convcalc.layers.activation import Relu
from convcalc.layers.convolution import Conv
from convcalc.layers.declaration import SEVERAL_INPUTS, Memory
from convcalc.layers.merging import Add, Concat, Mul
from convcalc.layers.pooling import GlobalAvgPool
from convcalc.layers.shaping import Flatten, Identity
from convcalc.sources import shipped_names, variants_of
from convcalc.sources.spec import Spec


class PatientView(Identity):
    """Shows its first input once all are there. No kind does so yet, but the declaration allows."""

    takes = SEVERAL_INPUTS


def graph_of(*nodes, outputs=None):
    """A graph of (layer, inputs) pairs; shapes do not matter here."""
    made = tuple(
        Node(f"n{position}", layer, inputs, (1,)) for position, (layer, inputs) in enumerate(nodes)
    )
    return Graph("net", made, outputs if outputs is not None else (len(made) - 1,))


INPUT = (Input(), ())
POOL = GlobalAvgPool()  # any kind that allocates


def orders_of(graph):
    """All orders of the nodes in which each stands behind what it reads, inputs first."""
    count = len(graph.nodes)
    inputs = tuple(n for n in range(count) if not graph.nodes[n].inputs)

    def extend(order, rest):
        if not rest:
            yield order
        for position in sorted(rest):
            if not rest.intersection(graph.nodes[position].inputs):
                yield from extend((*order, position), rest - {position})

    return extend(inputs, frozenset(range(count)) - set(inputs))


def peak_in(graph, sizes, order, *, in_place=False):
    return peak_of(
        reordered(graph, order), tuple(sizes[position] for position in order), in_place=in_place
    ).size


# Two branches from an input of 4: each makes 40 and reduces it to 1; they are joined at the end.
#   0 input 4 · 1 wide 40 · 2 wide 40 · 3 = narrow(1) 1 · 4 = narrow(2) 1 · 5 = concat(3, 4) 2
BREADTH_FIRST = graph_of(
    INPUT, (POOL, (0,)), (POOL, (0,)), (POOL, (1,)), (POOL, (2,)), (Concat(), (3, 4))
)
BREADTH_FIRST_SIZES = (4, 40, 40, 1, 1, 2)


def test_a_branch_is_finished_before_the_next_begins():
    # As given: input 4 + 40 + 40 = 84 in step 2. Branch after branch: 4 + 40 + 1 = 45 in step 3
    # (input, wide, narrow), then 4 + 1 + 40 = 45 in step 2, and without the input 1 + 40 + 1 = 42.
    assert peak_of(BREADTH_FIRST, BREADTH_FIRST_SIZES).size == 84
    assert best_order(BREADTH_FIRST, BREADTH_FIRST_SIZES) == ((0, 1, 3, 2, 4, 5), 45, True)


def test_the_branch_that_leaves_least_runs_first():
    # Hill and valley: branch a needs 50 and leaves 30, branch b needs 60 and leaves 2.
    #   0 input 1 · 1 a1 50 · 2 a2 30 · 3 b1 60 · 4 b2 2 · 5 concat 1
    graph = graph_of(
        INPUT, (POOL, (0,)), (POOL, (1,)), (POOL, (0,)), (POOL, (3,)), (Concat(), (2, 4))
    )
    sizes = (1, 50, 30, 60, 2, 1)
    # a, b: 1 + 50 + 30 = 81, then 30 + 1 + 60 = 91, 30 + 60 + 2 = 92.
    # b, a: 1 + 60 + 2 = 63, then 2 + 1 + 50 = 53, 2 + 50 + 30 = 82.
    assert peak_of(graph, sizes).size == 92
    assert best_order(graph, sizes) == ((0, 3, 4, 1, 2, 5), 82, True)


def test_branches_are_interleaved_where_that_is_best():
    # Both branches end in a hill, and the first of either frees much: no branch goes first alone.
    #   two inputs of 50; a1 = reduce(0) 5, a2 = widen(a1) 60, a3 = reduce(a2) 5; b likewise
    graph = graph_of(
        INPUT,
        INPUT,
        *((POOL, (0,)), (POOL, (2,)), (POOL, (3,))),
        *((POOL, (1,)), (POOL, (5,)), (POOL, (6,))),
        (Concat(), (4, 7)),
    )
    sizes = (50, 50, 5, 60, 5, 5, 60, 5, 1)
    # As given: a1 50 + 50 + 5 = 105, then a2 50 + 5 + 60 = 115 and a3 50 + 60 + 5 = 115.
    # a1 and b1 first: 105, then 5 + 50 + 5 = 60, a2 5 + 5 + 60 = 70, a3 70, b2 and b3 70.
    assert peak_of(graph, sizes).size == 115
    assert best_order(graph, sizes) == ((0, 1, 2, 5, 3, 4, 6, 7, 8), 105, True)


def test_in_place_another_order_is_best():
    #   0 input 10 · 1 a 10 · 2 = relu(1) 10 · 3 = reduce(1) 1 · 4 = concat(2, 3) 1
    graph = graph_of(INPUT, (POOL, (0,)), (Relu(), (1,)), (POOL, (1,)), (Concat(), (2, 3)))
    sizes = (10, 10, 10, 1, 1)
    # As given: a and relu, 20, then 10 + 10 + 1 = 21. Reduced first: 10 + 1, and 21 in the relu,
    # or in place nothing for it: 20 in a.
    assert best_order(graph, sizes) == ((0, 1, 2, 3, 4), 21, True)
    assert peak_of(graph, sizes, in_place=True).size == 21
    assert best_order(graph, sizes, in_place=True) == ((0, 1, 3, 2, 4), 20, True)


def test_views_stay_behind_what_they_show():
    graph = graph_of(
        INPUT,
        (POOL, (0,)),
        (POOL, (0,)),
        (Flatten(), (1,)),
        (Identity(), (3,)),
        (POOL, (4,)),
        (POOL, (2,)),
        (Concat(), (5, 6)),
        (Flatten(), (0,)),
        outputs=(7,),
    )
    sizes = (4, 40, 40, 40, 40, 1, 1, 2, 4)
    # The network of the first test, but the first branch goes through two views.
    assert best_order(graph, sizes) == ((0, 8, 1, 3, 4, 5, 2, 6, 7), 45, True)


def test_the_given_order_stays_if_it_is_best():
    graph = graph_of(INPUT, INPUT, (Relu(), (1,)), (Relu(), (0,)), (Add(), (2, 3)))
    assert best_order(graph, (5, 5, 5, 5, 5)) == ((0, 1, 2, 3, 4), 15, True)


def test_a_network_of_inputs_alone_has_its_order():
    graph = graph_of(INPUT, INPUT, outputs=(0, 1))
    assert best_order(graph, (3, 4)) == ((0, 1), 7, True)


def test_steps_that_need_not_move_do_not():
    # Twice the network of the first test in a row, the second a tenth: it stays as it is.
    nodes = [INPUT]
    for base in (0, 5):
        nodes += [(POOL, (base,)), (POOL, (base,)), (POOL, (base + 1,)), (POOL, (base + 2,))]
        nodes.append((Concat(), (base + 3, base + 4)))
    found = best_order(graph_of(*nodes), (4, 40, 40, 1, 1, 2, 4, 4, 1, 1, 2))
    assert found == ((0, 1, 3, 2, 4, 5, 6, 7, 8, 9, 10), 45, True)


def test_in_place_the_given_order_stays_with_its_views_if_it_is_best():
    #   0 input 1 · 1 a 10 · 2 = relu(1) 10 · 3 = view(0), which no one reads
    graph = graph_of(INPUT, (POOL, (0,)), (Relu(), (1,)), (Flatten(), (0,)), outputs=(2,))
    sizes = (1, 10, 10, 1)
    # In a 1 + 10, and the relu takes over a; not in place they would be 20.
    assert best_order(graph, sizes, in_place=True) == ((0, 1, 2, 3), 11, True)


def test_what_is_taken_over_counts_once_behind_branches_too():
    #   The network of the first test, its narrow steps and its input outputs too; 6 = relu(5)
    nodes = (*((node.layer, node.inputs) for node in BREADTH_FIRST.nodes), (Relu(), (5,)))
    graph = graph_of(*nodes, outputs=(3, 4, 6))
    # Branch after branch 45; then the concat next to what stays, 1 + 1 + 60, as is the relu.
    found = best_order(graph, (4, 40, 40, 1, 1, 60, 60), in_place=True)
    assert found == ((0, 1, 3, 2, 4, 5, 6), 62, True)


def test_a_view_of_several_tensors_allocates_nothing():
    #   The branches of the first test, a step of 60, and a view of it when all is there
    graph = graph_of(
        *(INPUT, (POOL, (0,)), (POOL, (0,)), (POOL, (1,)), (POOL, (2,)), (POOL, (0,))),
        (PatientView(), (5, 3, 4)),
        outputs=(0, 6),
    )
    # The input stays. Behind both branches 4 + 1 + 1 + 60, and in the view no more than that.
    found = best_order(graph, (4, 40, 40, 1, 1, 60, 60))
    assert found == ((0, 1, 3, 2, 4, 5, 6), 66, True)


def test_a_tensor_that_the_joint_reads_too_is_live_until_then():
    #   0 input 4 · 1 x 20 · 2 y 50 · 3 = narrow(1) 1 · 4 = narrow(2) 1 · 5 = concat(1, 3, 4) 1
    graph = graph_of(
        INPUT, (POOL, (0,)), (POOL, (0,)), (POOL, (1,)), (POOL, (2,)), (Concat(), (1, 3, 4))
    )
    sizes = (4, 20, 50, 1, 1, 1)
    # x stays until the concat: x first is 4 + 20 + 50. y first is 4 + 50 + 1, then 4 + 1 + 20.
    assert best_order(graph, sizes) == ((0, 2, 4, 1, 3, 5), 55, True)


def test_what_was_read_does_not_count_in_later_steps():
    #   a: 1 40 · 3 35 · 5 5; b: 2 3 · 4 3 · 6 1; 7 = concat(5, 6) 1
    graph = graph_of(
        *(INPUT, (POOL, (0,)), (POOL, (0,)), (POOL, (1,)), (POOL, (2,)), (POOL, (3,))),
        *((POOL, (4,)), (Concat(), (5, 6))),
    )
    sizes = (4, 40, 3, 35, 3, 5, 1, 1)
    # As given 40 + 3 + 35 = 78; behind all of b 1 + 40 + 35 = 76. All of a together would be 80.
    assert peak_of(graph, sizes).size == 78
    assert best_order(graph, sizes) == ((0, 1, 2, 4, 6, 3, 5, 7), 76, True)


@pytest.mark.parametrize(
    ("wides", "order", "peak"),
    [
        # Wide steps of 40 in the first pair of branches: 4 + 40 + 1 of them
        ((40, 4), (0, 1, 2, 4, 3, 5, 6, 7, 8, 9, 10, 11), 45),
        # and in the second, on what the first makes: 2 + 40 + 1
        ((4, 40), (0, 1, 2, 3, 4, 5, 6, 7, 9, 8, 10, 11), 43),
    ],
)
def test_each_part_is_as_long_as_its_branches(monkeypatch, wides, order, peak):
    # A stem of 4, then twice the network of the first test: two parts of 4 steps each, which a
    # longest part of 4 does not cut.
    monkeypatch.setattr(ordering, "MAX_PART", 4)
    nodes, sizes = [INPUT, (POOL, (0,))], [4, 4]
    for base, wide in zip((1, 6), wides, strict=True):
        nodes += [(POOL, (base,)), (POOL, (base,)), (POOL, (base + 1,)), (POOL, (base + 2,))]
        nodes.append((Concat(), (base + 3, base + 4)))
        sizes += [wide, wide, 1, 1, 2]
    assert best_order(graph_of(*nodes), tuple(sizes)) == (order, peak, True)


def test_an_order_is_exact_if_one_step_alone_needs_its_peak(monkeypatch):
    monkeypatch.setattr(ordering, "MAX_MOVES", 0)
    monkeypatch.setattr(ordering, "MAX_PART_WITH_BOUND", 0)
    #   0 input 4 · 1 10 · 2 40 · 3 = concat(1, 2) 50 · 4 = narrow(1) 5 · 5 = concat(3, 4) 1
    graph = graph_of(
        INPUT, (POOL, (0,)), (POOL, (0,)), (Concat(), (1, 2)), (POOL, (1,)), (Concat(), (3, 4))
    )
    # The first concat reads 50 and makes 50, whatever the order.
    assert best_order(graph, (4, 10, 40, 50, 5, 1)) == ((0, 1, 2, 3, 4, 5), 100, True)


def test_reordering_keeps_names_and_renumbers_what_points_to_nodes():
    graph = graph_of(INPUT, (POOL, (0,)), (POOL, (0,)), (Concat(), (2, 1)), outputs=(1, 3))
    twin = graph.nodes[2]._replace(shares=1, shape=(7,))
    graph = Graph(
        "net", (*graph.nodes[:2], twin, graph.nodes[3]), (1, 3), spec="a.yaml", source="b"
    )
    moved = reordered(graph, (0, 2, 1, 3))
    assert [node.name for node in moved.nodes] == ["n0", "n2", "n1", "n3"]
    assert [node.inputs for node in moved.nodes] == [(), (0,), (0,), (1, 2)]
    assert [node.shares for node in moved.nodes] == [None, 2, None, None]
    assert moved.nodes[1].shape == (7,)
    assert moved.outputs == (2, 3)
    assert (moved.name, moved.spec, moved.source) == ("net", "a.yaml", "b")
    assert reordered(moved, (0, 2, 1, 3)) == graph


KINDS = [POOL, POOL, Relu(), Add(), Concat(), Flatten(), Identity(), PatientView()]


@st.composite
def networks(draw, most=9):
    """Graphs of up to ``most`` nodes, with sizes from few values so that some are alike."""
    nodes = [INPUT] * draw(st.integers(1, 2))
    for _ in range(draw(st.integers(1, most - len(nodes)))):
        layer = draw(st.sampled_from(KINDS))
        last = len(nodes) - 1
        fewest, most_inputs = (2, 3) if layer.takes.allows(2) else (1, 1)
        # A tensor may be read twice by one layer.
        inputs = draw(st.lists(st.integers(0, last), min_size=fewest, max_size=most_inputs))
        nodes.append((layer, tuple(inputs)))
    outputs = draw(st.lists(st.integers(0, len(nodes) - 1), min_size=1, max_size=2, unique=True))
    some = st.sampled_from([0, 1, 2, 3, 5, 8, 8, 13, 20])
    sizes = draw(st.lists(some, min_size=len(nodes), max_size=len(nodes)))
    return graph_of(*nodes, outputs=tuple(outputs)), tuple(sizes)


def lowest_peak(graph, sizes, *, in_place):
    return min(peak_in(graph, sizes, order, in_place=in_place) for order in orders_of(graph))


@settings(max_examples=200, deadline=None)
@given(networks(), st.booleans())
def test_no_order_has_a_lower_peak(network, in_place):
    graph, sizes = network
    found = best_order(graph, sizes, in_place=in_place)
    assert found.peak == lowest_peak(graph, sizes, in_place=in_place)
    assert found.is_exact
    assert peak_in(graph, sizes, found.positions, in_place=in_place) == found.peak
    if peak_of(graph, sizes, in_place=in_place).size == found.peak:
        assert found.positions == tuple(range(len(graph.nodes)))


def bounds_of(graph, sizes, *, in_place=False):
    """For each part its steps, as nodes, and the lower bound of its peak."""
    plan = ordering._plan_of(graph, sizes, in_place=in_place)
    spans = ordering._spans_of(plan, ordering._profile_of(plan))
    return {
        plan.steps[span.first : span.stop]: ordering._Part(plan, span).bound() for span in spans
    }


def common_needs(graph, sizes):
    """For each node what is live in its step in all orders."""
    common = {}
    for order in orders_of(graph):
        found = liveness_of(reordered(graph, order), tuple(sizes[n] for n in order))
        for step, position in enumerate(order):
            live = {order[tensor.node] for tensor in found.live_in(step)}
            common[position] = common.get(position, live) & live
    return {position: sum(sizes[n] for n in live) for position, live in common.items()}


def test_the_bound_of_a_part_is_what_a_step_needs_in_every_order():
    # In step 1 the input and a wide tensor; in step 3 a wide one and what it is made into.
    assert bounds_of(BREADTH_FIRST, BREADTH_FIRST_SIZES) == {(1, 2, 3, 4): 44, (5,): 4}
    # The input is an output: it is there in step 3 too, 4 + 40 + 1.
    kept = BREADTH_FIRST._replace(outputs=(0, 5))
    assert bounds_of(kept, BREADTH_FIRST_SIZES) == {(1, 2, 3, 4): 45, (5,): 8}


def test_a_bound_has_what_waits_for_later_steps_of_its_branch():
    #   a 1 20 · b 2 30 · c 3 40 · d = narrow(c) 4 · 5 = concat(a, d) · 6 = narrow(c) 2 · other 7
    graph = graph_of(
        *(INPUT, (POOL, (0,)), (POOL, (1,)), (POOL, (2,)), (POOL, (3,)), (Concat(), (1, 4))),
        *((POOL, (3,)), (POOL, (0,)), (Concat(), (5, 6, 7))),
    )
    # In the step of c its own 40, the 30 that it reads, and a, which the inner concat waits for.
    assert bounds_of(graph, (7, 20, 30, 40, 5, 1, 2, 2, 1))[1, 2, 3, 4, 5, 6, 7] == 90


def test_a_bound_has_the_outputs_that_were_made_before():
    #   1 wide 50, an output · 2 = narrow(1) 1 · 3 small 1 · 4 = concat(2, 3) 30 · other 5
    graph = graph_of(
        *(INPUT, (POOL, (0,)), (POOL, (1,)), (POOL, (0,)), (Concat(), (2, 3)), (POOL, (0,))),
        (Concat(), (4, 5)),
        outputs=(1, 6),
    )
    # In the inner concat what it reads, 1 + 1, what it makes, 30, and the output, 50.
    assert bounds_of(graph, (4, 50, 1, 1, 30, 2, 1))[1, 2, 3, 4, 5] == 82


def test_in_place_the_bound_has_once_what_is_taken_over():
    #   0 input 0 · 1 a 40 · 2 = relu(1) 40 · 3 = narrow(2) 0 · 4 = other(0) 10 · 5 = concat(3, 4)
    graph = graph_of(
        INPUT, (POOL, (0,)), (Relu(), (1,)), (POOL, (2,)), (POOL, (0,)), (Concat(), (3, 4))
    )
    sizes = (0, 40, 40, 0, 10, 1)
    assert bounds_of(graph, sizes)[1, 2, 3, 4] == 80
    assert bounds_of(graph, sizes, in_place=True)[1, 2, 3, 4] == 40


@settings(max_examples=100, deadline=None)
@given(networks(most=8))
def test_bounds_are_what_steps_need_in_all_orders(network):
    graph, sizes = network
    needs = common_needs(graph, sizes)
    for steps, bound in bounds_of(graph, sizes).items():
        assert bound == max(needs[step] for step in steps)


LETTERS = {"i": Input(), "p": POOL, "r": Relu(), "a": Add(), "c": Concat()}


def network_of(text, sizes, *outputs):
    """A network from ``p0 a1,2``: of each node the letter of its kind and what it reads."""
    nodes = [
        (LETTERS[each[0]], tuple(map(int, each[1:].split(","))) if each[1:] else ())
        for each in text.split()
    ]
    return graph_of(*nodes, outputs=outputs), sizes


# Found by search among random networks: those that a search with one thing changed gets wrong.
@settings(max_examples=100, deadline=None)
@given(networks(), st.booleans())
@example(network_of("i p0 a1,1 p2 p0 p1", (1, 2, 13, 8, 8, 8), 5), False)
@example(network_of("i r0 p1 p0 a3,1 a3,2", (13, 5, 5, 2, 5, 1), 5), False)
@example(network_of("i p0 p1 p1 p3 p0", (8, 5, 1, 8, 0, 3), 5), False)
@example(network_of("i i p1 p2 p2 p2 r0", (3, 3, 5, 0, 3, 8, 0), 3, 6), False)
@example(network_of("i i r0 p1 p2 p1 a4,3", (5, 8, 2, 20, 2, 1, 8), 4, 6), False)
@example(network_of("i p0 c0,1,1 p0 p3 p0 p2", (2, 8, 5, 13, 13, 5, 1), 6), True)
@example(network_of("i a0,0 a1,1 p2 p2 c1,2,1 p1 r4", (3, 8, 8, 5, 8, 8, 1, 8), 7), False)
@example(network_of("i i p1 p2 p1 a4,3 r0", (8, 1, 0, 8, 8, 8, 0), 6), True)
@example(network_of("i i p0 a1,0,1 a2,1 r0 p2 r6", (2, 8, 13, 0, 13, 20, 8, 5), 6, 7), True)
def test_neighbours_stay_as_they_were_given_where_the_peak_allows_it(network, in_place):
    graph, sizes = network
    found = best_order(graph, sizes, in_place=in_place)
    assert found.peak == lowest_peak(graph, sizes, in_place=in_place)
    assert peak_in(graph, sizes, found.positions, in_place=in_place) == found.peak
    order = list(found.positions)
    for at, (first, second) in enumerate(pairwise(order)):
        views = any(graph.nodes[n].layer.memory is Memory.VIEW for n in (first, second))
        if first > second and graph.nodes[first].inputs and not views:
            swapped = (*order[:at], second, first, *order[at + 2 :])
            assert peak_in(graph, sizes, swapped, in_place=in_place) > found.peak


def test_the_brute_force_sees_all_orders():
    # The input, then two branches of two steps, in 4! / (2! · 2!) = 6 ways, then the end.
    assert len(list(orders_of(BREADTH_FIRST))) == 6
    assert len(set(orders_of(BREADTH_FIRST))) == 6


HANDICAPS = {
    "no moves": {"MAX_MOVES": 0},
    "few moves": {"MAX_MOVES": 12},
    "short parts": {"MAX_PART": 2},
    "few sets": {"WIDTHS": (((1,), 1.0),)},
    "all sets at once": {"WIDTHS": (((10**6,), 1.0),), "MAX_PART_WITH_BOUND": 0},
    "no chains, no bound": {"LOOKAHEAD": 1, "MAX_PART_WITH_BOUND": 0},
}


@pytest.mark.parametrize("handicap", HANDICAPS.values(), ids=HANDICAPS)
@settings(max_examples=100, deadline=None)
@given(network=networks(), in_place=st.booleans())
def test_a_search_that_is_cut_short_claims_no_more_than_it_knows(handicap, network, in_place):
    graph, sizes = network
    with pytest.MonkeyPatch.context() as patch:
        for name, value in handicap.items():
            patch.setattr(ordering, name, value)
        found = best_order(graph, sizes, in_place=in_place)
    assert peak_in(graph, sizes, found.positions, in_place=in_place) == found.peak
    assert found.peak <= peak_of(graph, sizes, in_place=in_place).size
    if found.is_exact:
        assert found.peak == lowest_peak(graph, sizes, in_place=in_place)


def test_without_moves_the_given_order_stays_unproven(monkeypatch):
    monkeypatch.setattr(ordering, "MAX_MOVES", 0)
    assert best_order(BREADTH_FIRST, BREADTH_FIRST_SIZES) == ((0, 1, 2, 3, 4, 5), 84, False)


def test_an_order_that_meets_its_largest_step_is_exact_without_a_search(monkeypatch):
    monkeypatch.setattr(ordering, "MAX_MOVES", 0)
    # In step 2: input 4, wide 40, wide 40. The concat needs more: 1 + 1 + 90 = 92.
    found = best_order(BREADTH_FIRST, (4, 40, 40, 1, 1, 90))
    assert found == ((0, 1, 2, 3, 4, 5), 92, True)


def fan(branches, rng, length=4):
    """Branches of ``length`` steps from one input, joined at the end."""
    nodes, sizes, ends = [INPUT], [10], []
    for _ in range(branches):
        source = 0
        for _ in range(length):
            nodes.append((POOL, (source,)))
            sizes.append(rng.randint(1, 50))
            source = len(nodes) - 1
        ends.append(source)
    nodes.append((Concat(), tuple(ends)))
    return graph_of(*nodes), (*sizes, 5)


def test_a_network_too_branched_for_a_proof_still_gets_a_better_order():
    graph, sizes = fan(12, Random(1))  # noqa: S311 - no secret
    found = best_order(graph, sizes)  # 5¹² = 244,140,625 sets: all of them would take minutes
    assert not found.is_exact
    assert found.peak < peak_of(graph, sizes).size
    assert peak_in(graph, sizes, found.positions) == found.peak
    assert found == best_order(graph, sizes)


def test_a_search_ends_with_its_moves(monkeypatch):
    monkeypatch.setattr(ordering, "MAX_MOVES", 1_000)
    tried = []
    run = ordering._Part.run
    monkeypatch.setattr(
        ordering._Part, "run", lambda self, *step: tried.append(1) or run(self, *step)
    )
    graph, sizes = fan(12, Random(1))  # noqa: S311 - no secret
    found = best_order(graph, sizes)
    assert not found.is_exact
    # What is tried of the last set, and to work out the peak of what was found, comes on top.
    assert 900 < len(tried) < 1_100


def test_a_step_with_many_neighbours_counts_as_more_moves():
    #   hub 1, read by 16 steps, which a concat reads; other 19 beside them
    nodes = [INPUT, (POOL, (0,)), *[(POOL, (1,))] * 16, (Concat(), tuple(range(2, 18)))]
    graph = graph_of(*nodes, (POOL, (0,)), (Concat(), (18, 19)))
    plan = ordering._plan_of(graph, (1,) * 21, in_place=False)
    span, _ = ordering._spans_of(plan, ordering._profile_of(plan))
    # One for every eight: of the hub 1 read and 16 readers, of a step between 1 and 1, of the
    # concat 16 (what reads it is not of this part), of the other 1
    assert ordering._Part(plan, span).effort == [3, *[1] * 16, 3, 1]


def test_a_branch_that_leaves_less_than_it_takes_runs_as_a_whole(monkeypatch):
    monkeypatch.setattr(ordering, "MAX_MOVES", 4_000)
    # Twelve inputs of 10, each made into 20, 30, 40 and 1; step after step of all branches.
    nodes, sizes, ends = [INPUT] * 12, [10] * 12, range(12)
    for size in (20, 30, 40, 1):
        first = len(nodes)
        nodes += [(POOL, (end,)) for end in ends]
        sizes += [size] * 12
        ends = range(first, len(nodes))
    nodes.append((Concat(), tuple(ends)))
    graph, sizes = graph_of(*nodes), (*sizes, 12)
    # The last 20 becomes 30: 11 · 30 + 20 + 30 = 380; the last 30 becomes 40: 11 · 40 + 30 + 40.
    assert peak_of(graph, sizes).size == 510
    # Branch after branch: the other inputs, 11 · 10, with 30 and 40
    assert best_order(graph, sizes).peak == 180


def network_and_sizes(spec):
    graph = convcalc.load(spec)
    return graph, tuple(4 * product(node.shape) for node in graph.nodes)


def test_a_gated_network_works_out_its_gate_first(network):
    net = network(input=(4, 32, 32))
    net.add("features", Conv(out_channels=16, kernel_size=3, padding=1))
    net.add("context", Conv(out_channels=32, kernel_size=3, padding=1), "input")
    net.chain(summary=GlobalAvgPool(), gate=Conv(out_channels=16, kernel_size=1))
    net.add("mul", Mul(), "features", "gate")
    graph = net.graph()
    # In bytes, 4 each: input 16,384, features and mul 65,536, context 131,072, summary 128, gate 64
    sizes = tuple(4 * product(node.shape) for node in graph.nodes)
    # Features first: in context 16,384 + 65,536 + 131,072 = 212,992.
    assert peak_of(graph, sizes) == (212_992, 2, (0, 1, 2))
    # Context first: 16,384 + 131,072 = 147,456, and 128 for the summary; then features with
    # 16,384 + 128 + 65,536 = 82,048, and at last 65,536 + 64 + 65,536 = 131,136.
    assert best_order(graph, sizes) == ((0, 2, 3, 1, 4, 5), 147_584, True)
    peaks = sorted(peak_in(graph, sizes, order) for order in orders_of(graph))
    assert peaks == [147_584, 147_584, 212_992, 212_992]


@pytest.mark.parametrize("in_place", [False, True])
@pytest.mark.parametrize(
    "spec", ["resnet::resnet152", "densenet::densenet201", "inception_v3", "unet"]
)
def test_large_networks_are_solved_exactly(spec, in_place):
    graph, sizes = network_and_sizes(spec)
    found = best_order(graph, sizes, in_place=in_place)
    assert found.is_exact
    # Their peaks are in steps that every order has like this: the order of the design is best.
    assert found.positions == tuple(range(len(graph.nodes)))


def test_an_inception_module_is_run_branch_by_branch():
    # As given the input and the outputs of all branches are there while the last one runs.
    graph, sizes = network_and_sizes("inception_3a")
    found = best_order(graph, sizes)
    assert found.is_exact
    assert found.peak == lowest_peak(graph, sizes, in_place=False)
    assert found.peak < peak_of(graph, sizes).size


def test_a_long_chain_with_skips_takes_linear_time():
    nodes = [INPUT]
    while len(nodes) < 100_000:
        last = len(nodes) - 1
        nodes += [(POOL, (last,)), (Relu(), (last + 1,)), (Add(), (last, last + 2))]
    graph = graph_of(*nodes)
    # The skip, what the relu reads and what it makes: 3 · 8
    assert best_order(graph, (8,) * len(nodes)) == (tuple(range(len(nodes))), 24, True)


def test_the_example_of_the_docs_is_what_brute_force_finds():
    page = (Path(__file__).parents[2] / "docs" / "memory.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"(?ms)^```yaml branches.yaml\n(.*?)^```$", page)
    graph = Spec(SourceText("branches.yaml", text), text).graph(name="branches", spec="")
    sizes = tuple(4 * product(node.shape) for node in graph.nodes)
    peaks = sorted(peak_in(graph, sizes, order) for order in orders_of(graph))
    # 4 + 64 + 2 channels of 400 bytes, and twice 4 + 16 + 64
    assert peaks == [28_000, 33_600, 33_600]
    assert best_order(graph, sizes)[1:] == (28_000, True)
    assert peak_of(graph, sizes).size == 33_600


def test_the_order_of_every_shipped_network_is_proven():
    for name in shipped_names():
        for graph in variants_of(name):
            analysis = analyze_graph(graph, best_order=True)
            assert analysis.order.is_exact, graph.spec
            assert analysis.peak_activation_bytes == analysis.order.peak <= analysis.order.given
