"""Which tensors are live when, against a run that counts references."""

from random import Random

import pytest

from convcalc.analysis.liveness import TensorLife, liveness_of, peak_of
from convcalc.graph import Graph, Node
from convcalc.layers import Input
from convcalc.layers.activation import Relu
from convcalc.layers.merging import Add, Concat
from convcalc.layers.shaping import Dropout, Flatten, Identity


def graph_of(*nodes, outputs=None):
    """A graph of (layer, inputs) pairs; shapes do not matter here."""
    made = tuple(
        Node(f"n{position}", layer, inputs, (1,)) for position, (layer, inputs) in enumerate(nodes)
    )
    return Graph("net", made, outputs if outputs is not None else (len(made) - 1,))


INPUT = (Input(), ())


def test_in_a_chain_two_neighbours_are_live_at_once():
    graph = graph_of(INPUT, (Relu(), (0,)), (Relu(), (1,)), (Relu(), (2,)))
    peak = peak_of(graph, (10, 20, 50, 5))
    assert peak == (70, 2, (1, 2))  # 10 + 20, 20 + 50, 50 + 5


def test_a_shortcut_lives_until_it_is_read_last():
    graph = graph_of(INPUT, (Relu(), (0,)), (Relu(), (1,)), (Relu(), (2,)), (Concat(), (1, 3)))
    # 1 and 2: 30; 1, 2 and 3: 41; 1, 3 and 4: 61
    assert peak_of(graph, (10, 10, 20, 11, 40)) == (61, 4, (1, 3, 4))
    # The input is done with after 1: 10 + 10 at first, then 10 + 20 + 11 in step 3
    assert peak_of(graph, (10, 10, 20, 11, 1)) == (41, 3, (1, 2, 3))


def test_the_first_of_several_peaks_is_named():
    graph = graph_of(INPUT, (Relu(), (0,)), (Relu(), (1,)), (Relu(), (2,)))
    assert peak_of(graph, (10, 10, 10, 10)) == (20, 1, (0, 1))


def test_a_view_owns_nothing_and_keeps_what_it_shows():
    graph = graph_of(
        INPUT, (Relu(), (0,)), (Flatten(), (1,)), (Dropout(), (2,)), (Relu(), (0,)), (Relu(), (3,))
    )
    # 3 shows 1, which lives until 5 reads it: input, 1 and 4 in step 4
    assert peak_of(graph, (10, 20, 20, 20, 7, 1)) == (37, 4, (0, 1, 4))


def test_a_view_of_an_input_keeps_the_input():
    graph = graph_of(INPUT, (Identity(), (0,)), (Relu(), (1,)), (Relu(), (1,)), (Relu(), (3,)))
    assert peak_of(graph, (10, 10, 1, 2, 100)) == (102, 4, (3, 4))
    assert peak_of(graph, (10, 10, 1, 2, 3)) == (12, 3, (0, 3))


def test_all_inputs_are_live_from_the_start():
    graph = graph_of(INPUT, INPUT, (Relu(), (0,)), (Relu(), (2,)), (Concat(), (1, 3)))
    # The second input waits through steps 2 and 3.
    assert peak_of(graph, (5, 100, 6, 7, 1)) == (113, 3, (1, 2, 3))
    assert peak_of(graph, (5, 3, 0, 0, 0)) == (8, 0, (0, 1))


def test_an_input_that_nothing_reads_is_freed_when_the_network_starts():
    graph = graph_of(INPUT, INPUT, (Relu(), (0,)))
    assert peak_of(graph, (5, 100, 60)) == (105, 0, (0, 1))
    assert peak_of(graph, (5, 1, 60)) == (65, 2, (0, 2))


def test_outputs_live_to_the_end():
    nodes = (INPUT, (Relu(), (0,)), (Relu(), (1,)), (Relu(), (2,)))
    # 20 for the kept first layer beside the last two
    assert peak_of(graph_of(*nodes, outputs=(1, 3)), (1, 20, 5, 30)) == (55, 3, (1, 2, 3))
    assert peak_of(graph_of(*nodes, outputs=(3,)), (1, 20, 5, 30)) == (35, 3, (2, 3))


def test_an_output_that_is_a_view_keeps_what_it_shows():
    nodes = (INPUT, (Relu(), (0,)), (Flatten(), (1,)), (Relu(), (0,)), (Relu(), (3,)))
    peak = peak_of(graph_of(*nodes, outputs=(2, 4)), (1, 20, 20, 5, 30))
    assert peak == (55, 4, (1, 3, 4))


def test_an_output_that_nothing_reads_dies_at_once():
    graph = graph_of(INPUT, (Relu(), (0,)), (Relu(), (0,)), (Relu(), (2,)))
    assert peak_of(graph, (1, 50, 40, 20)) == (60, 3, (2, 3))
    assert peak_of(graph, (1, 70, 40, 20)) == (71, 1, (0, 1))


def simulated(graph, sizes):
    """The peak of a run in which each tensor is freed when its last reader has run.

    Memory is a dict of buffers, each with the number of reads that are yet to come; a view adds its
    readers to those of the buffer that it shows.
    """
    readers = dict.fromkeys(range(len(graph.nodes)), 0)
    for node in graph.nodes:
        for source in node.inputs:
            readers[source] += 1
    for output in graph.outputs:
        readers[output] += 1  # whoever asked for the output reads it last

    memory = {}  # buffer: open reads
    shows = {}  # node: buffer
    for position, node in enumerate(graph.nodes):
        if not node.inputs:
            memory[position], shows[position] = readers[position], position
    peaks = [(sum(sizes[buffer] for buffer in memory), 0, tuple(sorted(memory)))]
    for position, node in enumerate(graph.nodes):
        if node.inputs:
            if isinstance(node.layer, Identity | Dropout | Flatten):
                buffer = shows[node.inputs[0]]
                memory[buffer] += readers[position]
            else:
                buffer = position
                memory[buffer] = readers[position]
            shows[position] = buffer
            peaks.append((sum(sizes[b] for b in memory), position, tuple(sorted(memory))))
            for source in node.inputs:
                memory[shows[source]] -= 1
        # What nobody will read goes: inputs when it is their turn, others with the step.
        for buffer in [b for b, count in memory.items() if count == 0 and b <= position]:
            del memory[buffer]
    largest = max(size for size, _, _ in peaks)
    return next(peak for peak in peaks if peak[0] == largest)


def random_graph(draw):
    nodes = [INPUT] * draw.randint(1, 3)
    for _ in range(draw.randint(1, 9)):
        some = [draw.randrange(len(nodes)) for _ in range(3)]
        layer = draw.choice([Relu(), Relu(), Identity(), Flatten(), Dropout(), Concat()])
        nodes.append(
            (layer, tuple(some[: draw.randint(2, 3)] if layer.takes.allows(2) else some[:1]))
        )
    outputs = {draw.randrange(len(nodes)) for _ in range(draw.randint(1, 2))}
    return graph_of(*nodes, outputs=tuple(outputs))


@pytest.mark.parametrize("seed", range(20))
def test_peaks_are_those_of_a_run_that_counts_references(seed):
    draw = Random(seed)  # noqa: S311 - no secret
    for _ in range(100):
        graph = random_graph(draw)
        sizes = tuple(draw.randint(0, 20) for _ in graph.nodes)
        assert peak_of(graph, sizes) == simulated(graph, sizes), graph


# -- in place --------------------------------------------------------------------------------------


def test_in_place_a_layer_takes_over_an_input_that_no_one_reads_again():
    graph = graph_of(INPUT, (Concat(), (0, 0)), (Relu(), (1,)), (Relu(), (2,)))
    # 10 + 20, and both layers behind it work in those 20.
    assert peak_of(graph, (10, 20, 20, 20), in_place=True) == (30, 1, (0, 1))
    assert peak_of(graph, (10, 20, 20, 20)) == (40, 2, (1, 2))
    assert liveness_of(graph, (10, 20, 20, 20)).steps == (10, 30, 40, 40)
    live = liveness_of(graph, (10, 20, 20, 20), in_place=True)
    assert live.tensors == (TensorLife(0, 0, 1, 10), TensorLife(1, 1, 4, 20))
    assert live.steps == (10, 30, 20, 20)


def test_in_place_an_input_that_is_read_later_stays():
    graph = graph_of(INPUT, (Concat(), (0, 0)), (Relu(), (1,)), (Concat(), (1, 2)))
    assert peak_of(graph, (1, 20, 20, 5), in_place=True) == (45, 3, (1, 2, 3))


def test_in_place_the_network_s_input_and_its_outputs_stay():
    graph = graph_of(INPUT, (Relu(), (0,)))
    assert peak_of(graph, (10, 10), in_place=True).size == 20
    kept = graph_of(INPUT, (Concat(), (0, 0)), (Relu(), (1,)), outputs=(1, 2))
    assert peak_of(kept, (10, 20, 20), in_place=True).size == 40


def test_in_place_only_memory_of_the_same_size_is_taken_over():
    graph = graph_of(INPUT, (Concat(), (0, 0)), (Add(broadcast=True), (1, 0)))
    assert peak_of(graph, (10, 20, 40), in_place=True).size == 70
    # The second input fits where the first does not: 40 + 20 + 40, then 20 + 40.
    other = graph_of(INPUT, (Concat(), (0, 0)), (Concat(), (0, 0)), (Add(), (1, 2)))
    assert peak_of(other, (1, 20, 40, 40), in_place=True) == (61, 2, (0, 1, 2))


def test_in_place_a_view_keeps_what_it_shows():
    graph = graph_of(
        INPUT, (Concat(), (0, 0)), (Identity(), (1,)), (Relu(), (1,)), (Concat(), (2, 3))
    )
    assert peak_of(graph, (1, 20, 20, 20, 5), in_place=True) == (45, 4, (1, 3, 4))
    # Through the view, where nothing else reads what it shows.
    through = graph_of(INPUT, (Concat(), (0, 0)), (Identity(), (1,)), (Relu(), (2,)))
    assert peak_of(through, (1, 20, 20, 20), in_place=True).size == 21


def test_the_steps_add_up_what_is_live():
    graph = graph_of(INPUT, (Relu(), (0,)), (Relu(), (1,)), (Concat(), (1, 2)))
    live = liveness_of(graph, (3, 5, 7, 11))
    assert live.steps == (3, 8, 12, 23)  # 3 + 5, 5 + 7, 5 + 7 + 11
    assert [tensor.node for tensor in live.live_in(2)] == [1, 2]
    # The input is read last in step 1.
    assert [tensor.node for tensor in live.live_in(1)] == [0, 1]


class Memory:
    """Buffers with real bytes, each freed when nobody holds it any more; the most there ever was.

    A tensor is a buffer and who holds it: each reader that is yet to run, and the caller.
    """

    def __init__(self):
        self.buffers = {}
        self.holders = {}
        self.most = 0

    def allocate(self, size):
        key = object()
        self.buffers[key] = bytearray(size)
        self.holders[key] = 0
        return key

    def hold(self, key, times):
        self.holders[key] += times

    def release(self, key):
        self.holders[key] -= 1

    def measure(self):
        self.most = max(self.most, sum(map(len, self.buffers.values())))

    def sweep(self, *, but_for=()):
        for key in [k for k, held in self.holders.items() if not held and k not in but_for]:
            del self.buffers[key], self.holders[key]


def executed(graph, sizes, *, in_place):
    """The most bytes that a step-by-step run of ``graph`` holds at once."""
    readers = [0] * len(graph.nodes)
    for node in graph.nodes:
        for source in node.inputs:
            readers[source] += 1
    for output in set(graph.outputs):
        readers[output] += 1
    memory, holds, given = Memory(), {}, set()
    for position, node in enumerate(graph.nodes):
        if not node.inputs:
            holds[position] = memory.allocate(sizes[position])
            memory.hold(holds[position], readers[position])
            given.add(holds[position])
    memory.measure()
    memory.sweep()
    for position, node in enumerate(graph.nodes):
        if not node.inputs:
            continue
        if isinstance(node.layer, Identity | Dropout | Flatten):
            target = holds[node.inputs[0]]
        else:
            target = None
            for source in node.inputs if in_place and isinstance(node.layer, Relu | Add) else ():
                buffer = holds[source]
                mine = sum(holds[other] is buffer for other in node.inputs)
                if (
                    memory.holders[buffer] == mine
                    and buffer not in given
                    and len(memory.buffers[buffer]) == sizes[position]
                ):
                    target = buffer
                    break
            target = target or memory.allocate(sizes[position])
        holds[position] = target
        memory.hold(target, readers[position])
        memory.measure()
        for source in node.inputs:
            memory.release(holds[source])
        memory.sweep()
    return memory.most


def random_elementwise_graph(draw):
    nodes = [INPUT] * draw.randint(1, 2)
    for _ in range(draw.randint(1, 9)):
        some = [draw.randrange(len(nodes)) for _ in range(3)]
        layer = draw.choice([Relu(), Relu(), Add(), Add(), Identity(), Flatten(), Concat()])
        nodes.append(
            (layer, tuple(some[: draw.randint(2, 3)] if layer.takes.allows(2) else some[:1]))
        )
    return graph_of(*nodes, outputs=tuple({draw.randrange(len(nodes)), len(nodes) - 1}))


@pytest.mark.parametrize("in_place", [False, True])
@pytest.mark.parametrize("seed", range(20))
def test_peaks_are_those_of_a_run_with_real_buffers(seed, in_place):
    draw = Random(f"{seed}")  # noqa: S311 - no secret
    for _ in range(100):
        graph = random_elementwise_graph(draw)
        # Few sizes, so that many fit; a view is as large as what it shows.
        sizes = [draw.choice([4, 4, 4, 9]) for _ in graph.nodes]
        for position, node in enumerate(graph.nodes):
            if isinstance(node.layer, Identity | Flatten):
                sizes[position] = sizes[node.inputs[0]]
        found = peak_of(graph, tuple(sizes), in_place=in_place).size
        assert found == executed(graph, sizes, in_place=in_place), graph


def test_in_place_helps_in_some_of_the_random_graphs():
    draw = Random("some")  # noqa: S311 - no secret
    graphs = [random_elementwise_graph(draw) for _ in range(100)]
    helped = [
        graph
        for graph in graphs
        if peak_of(graph, (4,) * len(graph.nodes), in_place=True).size
        < peak_of(graph, (4,) * len(graph.nodes)).size
    ]
    assert len(helped) > 10
