"""An order of execution with a lower peak of live activations.

What is live depends on the set of steps that have run, not on their order. So the search goes
through sets, as bit masks, and asks of a limit: can all steps run without ever exceeding it? The
lowest such limit is the peak of the best order; it is found by bisection. Four laws keep that
small; live(S) is the memory that is live once the set S has run.

1. A step before or behind which every other must run splits the network: what is live there is
   given, and each part has its own best order.
2. The peak is the largest of the parts'. A part that as it stands stays within what another comes
   to at best is left alone.
3. live(S) is submodular: what a chain of steps adds to it becomes no more if others have run
   before. So a chain, each step reading the one before, that can run within the limit and at last,
   but not earlier, leaves no more live than before, may run at once: brought forward in any order,
   it raises nothing behind it.
4. A step that needs more than the limit after a set needs it in every order through that set. If
   no set was dropped, the least such need is a lower bound of the peak.

In place, a step takes over a tensor that only it is left to read; that too depends on the set
alone, and remains so after further steps.

Law 3 for trees: Liu, An application of generalized tree pebbling to sparse matrix factorization,
SIAM J. Algebraic Discrete Methods 8 (1987).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

from convcalc.analysis.liveness import peak_of, view_owners
from convcalc.graph import Graph
from convcalc.layers.declaration import Memory

__all__ = ["MAX_MOVES", "Order", "best_order", "reordered"]

MAX_MOVES = 400_000
"""How many steps a search tries, over all limits and parts: about half a second. A step counts as
one, and as one more for every eight that it reads or that read it."""
WIDTHS = (((1,), 0.1), ((4, 64), 0.4), ((MAX_MOVES,), 1.0))
"""How many sets of one size are followed, those with the least live: first few, at last all. With
it the share of the moves left that a search with these widths may take."""
LOOKAHEAD = 64
"""The longest chain that is tried at once."""
MAX_SWAPS = 20_000
"""How many neighbours are looked at to bring an order nearer to the given one."""
MAX_PART = 1_024
"""Steps in a part. A longer one is cut where nothing allows it, and its order not proven best."""
MAX_PART_WITH_BOUND = 400
"""Steps in a part for which the bound that takes quadratic time is worked out."""


class Order(NamedTuple):
    """An order in which a network can run."""

    positions: tuple[int, ...]
    """The nodes in this order, as positions in `Graph.nodes`, the inputs first."""
    peak: int
    """The peak of live activations, in the unit of the sizes that were given."""
    is_exact: bool
    """Whether no order has a lower peak. If not, none was found."""


def best_order(graph: Graph, sizes: tuple[int, ...], *, in_place: bool = False) -> Order:
    """The order of ``graph`` with the lowest peak, or with the lowest that was found.

    ``sizes`` and ``in_place`` are as for `liveness_of`. The given order stays where it is as good
    as another, and what moves moves no further than the peak asks for.
    """
    given = peak_of(graph, sizes, in_place=in_place).size
    plan = _plan_of(graph, sizes, in_place=in_place)
    profile = _profile_of(plan)
    spans = _spans_of(plan, profile)
    floor = max(
        [plan.start, *(_least_need(plan, step) for step in range(len(plan.steps)))]
        + [span.peak for span in spans if span.stop - span.first == 1 and span.is_sound]
    )
    """No order has a lower peak."""
    reached = floor
    """The peak that the parts so far come to: the others need not get below it."""
    moves = _Moves(MAX_MOVES)
    found: dict[_Span, tuple[int, ...]] = {}
    for span in sorted(spans, key=lambda span: -span.peak):
        if span.peak <= reached:
            break
        part = _Part(plan, span)
        if span.is_sound:
            floor = max(floor, part.bound())
        result = _search(part, max(floor, reached), moves)
        if span.is_sound:
            floor = max(floor, result.floor)
        reached = max(reached, result.peak)
        found[span] = result.order
    if reached >= given:
        return Order(tuple(range(len(graph.nodes))), given, floor >= given)
    order: list[int] = []
    peak = plan.start
    for span in spans:
        steps = range(span.first, span.stop)
        if span.peak > reached:
            part = _Part(plan, span)
            tidied = part.tidied(found[span], reached)
            order.extend(steps[step] for step in tidied)
            peak = max(peak, part.peak_of(tidied))
        else:
            order.extend(steps)
            peak = max(peak, span.peak)
    positions = list(plan.inputs)
    for source in plan.inputs:
        positions.extend(plan.views[source])
    for step in order:
        positions.extend((plan.steps[step], *plan.views[plan.steps[step]]))
    return Order(tuple(positions), peak, floor >= peak)


def reordered(graph: Graph, positions: tuple[int, ...]) -> Graph:
    """``graph`` with its nodes in another order, given by their positions in this one."""
    place = {position: new for new, position in enumerate(positions)}
    nodes = tuple(
        node._replace(
            inputs=tuple(place[source] for source in node.inputs),
            shares=None if node.shares is None else place[node.shares],
        )
        for node in (graph.nodes[position] for position in positions)
    )
    return graph._replace(nodes=nodes, outputs=tuple(place[output] for output in graph.outputs))


class _Plan(NamedTuple):
    """A graph as steps, in the given order, and the tensors that they write and read.

    A view of one tensor is no step: it goes with the node that it shows, and what reads it reads
    that node's tensor.
    """

    inputs: tuple[int, ...]
    """The network's inputs, as nodes; so are ``steps`` and what ``views`` has."""
    steps: tuple[int, ...]
    views: dict[int, list[int]]
    """The views that go with each node."""
    after: list[set[int]]
    """For each step those that must have run."""
    reads: list[tuple[int, ...]]
    """For each step the tensors that it reads, by the nodes that own them."""
    takes: list[frozenset[int]]
    """For each step the tensors that it takes over if no one else is left to read them."""
    allocates: list[int]
    """For each step the memory that it needs if it takes over none."""
    sizes: tuple[int, ...]
    """For each node the size of its tensor."""
    readers: dict[int, list[int]]
    """For each tensor the steps that read it."""
    is_kept: dict[int, bool]
    """For each tensor whether it is an output's."""
    start: int
    """The inputs together."""

    def stays(self, tensor: int) -> bool:
        """Whether a tensor is live after the step that writes it."""
        return self.is_kept[tensor] or bool(self.readers[tensor])


def _plan_of(graph: Graph, sizes: tuple[int, ...], *, in_place: bool) -> _Plan:
    nodes = graph.nodes
    owners = view_owners(graph)
    hosts: list[int] = []
    """For each node the step, or input, that it goes with."""
    inputs: list[int] = []
    steps: list[int] = []
    number: dict[int, int] = {}
    for position, node in enumerate(nodes):
        shown = {hosts[source] for source in node.inputs}
        if owners[position] != position and len(shown) == 1:
            hosts.append(shown.pop())
            continue
        hosts.append(position)
        if node.inputs:
            number[position] = len(steps)
            steps.append(position)
        else:
            inputs.append(position)
    views: dict[int, list[int]] = {position: [] for position in (*inputs, *steps)}
    for position, host in enumerate(hosts):
        if host != position:
            views[host].append(position)
    tensors = {position for position in (*inputs, *steps) if owners[position] == position}
    kept = {owners[output] for output in graph.outputs}
    readers: dict[int, list[int]] = {tensor: [] for tensor in tensors}
    reads = [tuple(dict.fromkeys(owners[source] for source in nodes[p].inputs)) for p in steps]
    for step, read in enumerate(reads):
        for tensor in read:
            readers[tensor].append(step)
    nothing: frozenset[int] = frozenset()
    return _Plan(
        inputs=tuple(inputs),
        steps=tuple(steps),
        views=views,
        after=[
            {number[hosts[source]] for source in nodes[position].inputs if hosts[source] in number}
            for position in steps
        ],
        reads=reads,
        takes=[
            frozenset(
                tensor
                for tensor in read
                if nodes[tensor].inputs and tensor not in kept and sizes[tensor] == sizes[position]
            )
            if in_place and nodes[position].layer.memory is Memory.IN_PLACE
            else nothing
            for position, read in zip(steps, reads, strict=True)
        ],
        allocates=[sizes[position] if owners[position] == position else 0 for position in steps],
        sizes=sizes,
        readers=readers,
        is_kept={tensor: tensor in kept for tensor in tensors},
        start=sum(sizes[position] for position in inputs),
    )


class _Profile(NamedTuple):
    """The given order, step by step."""

    before: list[int]
    """What is live before each step, and after the last."""
    needs: list[int]
    """What is live in each step."""


def _profile_of(plan: _Plan) -> _Profile:
    left = {tensor: len(readers) for tensor, readers in plan.readers.items()}
    live = sum(plan.sizes[position] for position in plan.inputs if plan.stays(position))
    before: list[int] = []
    needs: list[int] = []
    for step, position in enumerate(plan.steps):
        before.append(live)
        takes_over = any(left[tensor] == 1 for tensor in plan.takes[step])
        needs.append(live + (0 if takes_over else plan.allocates[step]))
        if position in left and plan.stays(position):
            live += plan.sizes[position]
        for tensor in plan.reads[step]:
            left[tensor] -= 1
            if not left[tensor] and not plan.is_kept[tensor]:
                live -= plan.sizes[tensor]
    before.append(live)
    return _Profile(before, needs)


def _least_need(plan: _Plan, step: int) -> int:
    """What is live in a step at least: what it reads and what it writes."""
    read = sum(plan.sizes[tensor] for tensor in plan.reads[step])
    return read + (0 if plan.takes[step] else plan.allocates[step])


class _Span(NamedTuple):
    """Steps from ``first`` to before ``stop`` that change places among themselves only."""

    first: int
    stop: int
    live: int
    """What is live before the first."""
    peak: int
    """In the given order."""
    is_sound: bool
    """Whether every order of the network has them together."""


def _spans_of(plan: _Plan, profile: _Profile) -> list[_Span]:
    count = len(plan.steps)
    earliest_reader = [count] * count
    latest_source = [-1] * count
    for step, sources in enumerate(plan.after):
        for source in sources:
            earliest_reader[source] = min(earliest_reader[source], step)
        latest_source[step] = max(sources, default=-1)
    # All steps before a step lead to it if each is needed by one of them or by it; all behind
    # depend on it if each needs one of them or it.
    depends_on = count
    splits = [False] * count
    for step in reversed(range(count)):
        splits[step] = depends_on >= step
        depends_on = min(depends_on, latest_source[step])
    leads_to = -1
    spans: list[_Span] = []
    first = 0

    def close(stop: int) -> None:
        is_sound = stop - first <= MAX_PART
        for start in range(first, stop, MAX_PART):
            end = min(start + MAX_PART, stop)
            peak = max(profile.needs[start:end])
            spans.append(_Span(start, end, profile.before[start], peak, is_sound))

    for step in range(count):
        if splits[step] and leads_to <= step:
            close(step)
            first = step
            close(step + 1)
            first = step + 1
        leads_to = max(leads_to, earliest_reader[step])
    close(count)
    return spans


class _Moves:
    """How many steps may still be tried."""

    def __init__(self, left: int) -> None:
        self.left = left


class _Read(NamedTuple):
    """A tensor that goes with its last reader in a part."""

    readers: int
    size: int
    is_taken: bool
    """Whether the step takes it over if it is the last reader."""


_Link: TypeAlias = "tuple[_Link, int] | None"
"""Steps that have run, the last first."""


class _State(NamedTuple):
    """A set that can be reached. Sets of steps are bit masks."""

    open: int
    """The steps that have not run."""
    ready: int
    """Those that can run next."""
    live: int
    link: _Link
    is_settled: bool = False
    """Whether every chain that may run at once has run."""


class _Attempt(NamedTuple):
    """What came of a limit."""

    order: tuple[int, ...] | None
    """An order that keeps to it."""
    is_complete: bool
    """Whether there is none if none was found."""
    blocked: int
    """The least need above the limit that was met."""


class _Result(NamedTuple):
    order: tuple[int, ...]
    peak: int
    floor: int
    """No order of the part has a lower peak."""


class _Part:
    """The steps of a span, numbered from 0, as bit masks."""

    def __init__(self, plan: _Plan, span: _Span) -> None:
        first, stop = span.first, span.stop
        self.count = stop - first
        self.given = tuple(range(self.count))
        self.span = span
        self.after: list[int] = []
        self.before: list[list[int]] = [[] for _ in self.given]
        self.reads: list[list[_Read]] = []
        self.allocates = plan.allocates[first:stop]
        self.adds: list[int] = []
        self.stays: list[int] = []
        """The readers that the tensor of each step waits for; all of them if it stays."""
        everything = (1 << self.count) - 1
        written = set(plan.steps[first:stop])
        leaving: dict[int, int] = {}
        """For each tensor that leaves in this part its readers here."""
        for step in range(first, stop):
            for tensor in plan.reads[step]:
                readers = plan.readers[tensor]
                if tensor not in leaving and not plan.is_kept[tensor] and readers[-1] < stop:
                    leaving[tensor] = sum(1 << (n - first) for n in readers if n >= first)
        for step in range(first, stop):
            position = plan.steps[step]
            sources = [source - first for source in plan.after[step] if source >= first]
            for source in sources:
                self.before[source].append(step - first)
            self.after.append(sum(1 << source for source in sources))
            self.reads.append(
                [
                    _Read(leaving[tensor], plan.sizes[tensor], tensor in plan.takes[step])
                    for tensor in plan.reads[step]
                    if tensor in leaving
                ]
            )
            stays = position in plan.is_kept and plan.stays(position)
            self.adds.append(plan.sizes[position] if stays else 0)
            self.stays.append(leaving.get(position, everything))
        self.effort = [
            1 + (len(reads) + len(readers)) // 8
            for reads, readers in zip(self.reads, self.before, strict=True)
        ]
        """How many moves a step counts as."""
        self.handed_in = [
            (readers, plan.sizes[tensor])
            for tensor, readers in leaving.items()
            if tensor not in written
        ]
        """Tensors that leave here but were written before, with their readers here."""

    def start(self) -> _State:
        """No step has run."""
        ready = sum(1 << step for step in self.given if not self.after[step])
        return _State((1 << self.count) - 1, ready, self.span.live, None)

    def run(self, step: int, open_: int, live: int) -> tuple[int, int]:
        """What is live in a step that runs next, and what is live after it."""
        need = live + self.allocates[step]
        after = live + self.adds[step]
        bit = 1 << step
        for read in self.reads[step]:
            if read.readers & open_ == bit:
                after -= read.size
                if read.is_taken:
                    need = live
        return need, after

    def bound(self) -> int:
        """A lower bound of the peak: of each step what is live in it in every order."""
        if self.count > MAX_PART_WITH_BOUND:
            return 0
        behind = [0] * self.count
        for step in reversed(self.given):
            for reader in self.before[step]:
                behind[step] |= behind[reader] | 1 << reader
        ahead = [0] * self.count
        always = self.span.live - sum(size for _, size in self.handed_in)
        bound = 0
        for step in self.given:
            for source in _bits(self.after[step]):
                ahead[step] |= ahead[source] | 1 << source
            waiting = behind[step] | 1 << step
            taken = any(read.is_taken for read in self.reads[step])
            need = always + (0 if taken else self.allocates[step])
            need += sum(size for readers, size in self.handed_in if readers & waiting)
            need += sum(
                self.adds[source] for source in _bits(ahead[step]) if self.stays[source] & waiting
            )
            bound = max(bound, need)
        return bound

    def attempt(self, limit: int, width: int, moves: _Moves, least_left: int) -> _Attempt:
        """Look for an order in which no step needs more than ``limit``.

        Of the sets with the same number of steps the ``width`` with the least live are followed.
        It ends without an answer when no more than ``least_left`` moves are left.
        """
        blocked = self.span.peak
        is_complete = True
        levels: list[dict[int, _State]] = [{} for _ in range(self.count + 1)]
        """By the number of steps that have not run."""
        levels[self.count][self.start().open] = self.start()
        for level in reversed(levels):
            states = list(level.values())
            level.clear()
            if len(states) > width:
                is_complete = False
                states = sorted(states, key=lambda state: state.live)[:width]
            for state in states:
                if moves.left <= least_left:
                    return _Attempt(None, is_complete=False, blocked=blocked)
                if not state.is_settled:
                    settled, least = self.settled(state, limit, moves)
                    blocked = min(blocked, least)
                    if settled.open != state.open:
                        levels[settled.open.bit_count()].setdefault(settled.open, settled)
                        continue
                open_, ready, live, link, _ = state
                if not open_:
                    return _Attempt(_unlinked(link), is_complete, blocked)
                for step in _bits(ready):
                    moves.left -= self.effort[step]
                    need, after = self.run(step, open_, live)
                    if need > limit:
                        blocked = min(blocked, need)
                        continue
                    rest = open_ ^ 1 << step
                    following = levels[rest.bit_count()]
                    if rest not in following:
                        fresh = sum(1 << n for n in self.before[step] if not self.after[n] & rest)
                        following[rest] = _State(
                            rest, ready ^ 1 << step | fresh, after, (link, step)
                        )
        return _Attempt(None, is_complete, blocked)

    def settled(self, state: _State, limit: int, moves: _Moves) -> tuple[_State, int]:
        """Run every chain that may run at once; with it the least need above the limit."""
        blocked = self.span.peak
        open_, ready, live, link, _ = state
        has_run = True
        while has_run:
            has_run = False
            for first in _bits(ready):
                step, rest, after, chain, fresh = first, open_, live, link, ready
                for _ in range(LOOKAHEAD):
                    moves.left -= self.effort[step]
                    need, after = self.run(step, rest, after)
                    if need > limit:
                        blocked = min(blocked, need)
                        break
                    rest ^= 1 << step
                    chain = (chain, step)
                    following = [n for n in self.before[step] if not self.after[n] & rest]
                    fresh = fresh ^ 1 << step | sum(1 << n for n in following)
                    if after <= live:
                        open_, ready, live, link = rest, fresh, after, chain
                        has_run = True
                        break
                    if len(following) != 1:
                        break
                    step = following[0]
        return _State(open_, ready, live, link, is_settled=True), blocked

    def peak_of(self, order: tuple[int, ...]) -> int:
        """The peak of an order."""
        open_, live, peak = (1 << self.count) - 1, self.span.live, 0
        for step in order:
            need, live = self.run(step, open_, live)
            peak = max(peak, need)
            open_ ^= 1 << step
        return peak

    def tidied(self, order: tuple[int, ...], limit: int) -> tuple[int, ...]:
        """``order`` with neighbours swapped back as they were given where the limit allows it."""
        steps = list(order)
        opens = [(1 << self.count) - 1]
        lives = [self.span.live]
        for step in steps:
            lives.append(self.run(step, opens[-1], lives[-1])[1])
            opens.append(opens[-1] ^ 1 << step)
        at = 0
        for _ in range(MAX_SWAPS):
            if at + 1 >= self.count:
                break
            first, second = steps[at], steps[at + 1]
            if first > second and not self.after[first] >> second & 1:
                need, live = self.run(second, opens[at], lives[at])
                rest = opens[at] ^ 1 << second
                if max(need, self.run(first, rest, live)[0]) <= limit:
                    steps[at : at + 2] = second, first
                    opens[at + 1], lives[at + 1] = rest, live
                    at = max(at - 1, 0)
                    continue
            at += 1
        return tuple(steps)


def _search(part: _Part, floor: int, moves: _Moves) -> _Result:
    """An order of a part with the lowest peak found, which need not be below ``floor``."""
    order, peak, proven = part.given, part.span.peak, 0
    for widths, share in WIDTHS:
        reserve = moves.left - int(moves.left * share)
        # The lowest limit under which the sets that are followed lead to the end, by bisection.
        least = limit = max(floor, proven)
        while least < peak:
            for width in widths:
                attempt = part.attempt(limit, width, moves, (moves.left + reserve) // 2)
                if attempt.order is not None or attempt.is_complete:
                    break
            if attempt.order is not None:
                order, peak = attempt.order, part.peak_of(attempt.order)
            elif attempt.is_complete:
                least = proven = attempt.blocked
            else:
                least = limit + 1
            limit = (least + peak - 1) // 2
    return _Result(order, peak, proven)


def _bits(mask: int) -> Iterator[int]:
    """The steps of a set, in order."""
    while mask:
        bit = mask & -mask
        yield bit.bit_length() - 1
        mask ^= bit


def _unlinked(link: _Link) -> tuple[int, ...]:
    steps: list[int] = []
    while link is not None:
        link, step = link
        steps.append(step)
    return tuple(reversed(steps))
