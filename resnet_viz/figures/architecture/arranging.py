"""Where the operations of a block go in a flow diagram: layers from top to bottom, lanes across."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from resnet_viz.graphs import JOINS, Operation

SEVERAL = "several"  # stands for many inputs from outside
_MOST_ENTRIES = 3


@dataclass(frozen=True)
class Spot:
    """A node's place, both counted from 0."""

    layer: int
    lane: int


@dataclass(frozen=True)
class Edge:
    """An arrow from one node to another, going down in `lane`."""

    start: str
    end: str
    lane: int


@dataclass
class Arrangement:
    """Nodes and arrows of a flow diagram.

    Attributes:
        spots: of inputs from outside (`SEVERAL` if there are many) and of operations, by id.
        entries: the inputs from outside.
    """

    spots: dict[str, Spot] = field(default_factory=dict)
    edges: list[Edge] = field(default_factory=list)
    entries: tuple[str, ...] = ()

    @property
    def layers(self) -> int:
        """How many."""
        return 1 + max(spot.layer for spot in self.spots.values())

    @property
    def lanes(self) -> int:
        """How many."""
        used = [spot.lane for spot in self.spots.values()] + [edge.lane for edge in self.edges]
        return 1 + max(used)


def arrange(operations: Sequence[Operation], entries: Sequence[str]) -> Arrangement:
    """Place operations so that what follows one another stands in one lane.

    The first consumer of an output goes on in its lane, others begin one to the right; where
    paths meet, the flow goes on in the leftmost of them. An arrow that would go through other
    operations gets a lane of its own: an identity shortcut.
    """
    return _Arranger(operations, entries).arrange()


class _Arranger:
    def __init__(self, operations: Sequence[Operation], entries: Sequence[str]) -> None:
        self._operations = operations
        many = len(entries) > _MOST_ENTRIES
        self._entries = (SEVERAL,) if many else tuple(entries)
        inside = {op.id for op in operations}
        self._before = {
            op.id: tuple(
                dict.fromkeys(i if i in inside or not many else SEVERAL for i in op.inputs)
            )
            for op in operations
        }
        self._taken: set[tuple[int, int]] = set()  # (lane, layer)
        self._found = Arrangement(entries=self._entries)

    def arrange(self) -> Arrangement:
        layers = self._layers()
        first = self._first_consumers()
        for lane, entry in enumerate(self._entries):
            self._put(entry, Spot(0, lane))
        for op in self._operations:
            self._put(op.id, Spot(layers[op.id], self._lane(op, layers, first)))
        for op in self._operations:
            for before in self._before[op.id]:
                self._found.edges.append(Edge(before, op.id, self._edge_lane(before, op)))
        return self._found

    def _put(self, identifier: str, spot: Spot) -> None:
        self._found.spots[identifier] = spot
        self._taken.add((spot.lane, spot.layer))

    def _layers(self) -> dict[str, int]:
        layers = dict.fromkeys(self._entries, 0)
        for op in self._operations:
            layers[op.id] = 1 + max((layers[i] for i in self._before[op.id]), default=0)
        return layers

    def _first_consumers(self) -> dict[str, str]:
        """Who goes on in a node's lane: the first that takes it and joins nothing, else any."""
        consumers: dict[str, list[Operation]] = {}
        for op in self._operations:
            for before in self._before[op.id]:
                consumers.setdefault(before, []).append(op)
        return {
            identifier: next((op.id for op in found if not _joins(op)), found[0].id)
            for identifier, found in consumers.items()
        }

    def _lane(self, op: Operation, layers: dict[str, int], first: dict[str, str]) -> int:
        spots = [self._found.spots[i] for i in self._before[op.id]]
        layer = layers[op.id]
        goes_on = [i for i in self._before[op.id] if first[i] == op.id]
        if goes_on or len(spots) > 1:
            wanted = min((spot.lane for spot in spots), default=0)
            return self._free_lane(wanted, layer, layer)
        return self._free_lane(1, layer, self._end_of_chain(op, layers) - 1)

    def _end_of_chain(self, op: Operation, layers: dict[str, int]) -> int:
        """The layer in which what begins with an operation joins something else."""
        current = op
        while True:
            after = [o for o in self._operations if current.id in self._before[o.id]]
            if not after:
                return layers[current.id] + 1
            if _joins(after[0]):
                return layers[after[0].id]
            current = after[0]

    def _free_lane(self, first: int, start: int, end: int) -> int:
        lane = first
        while any((lane, layer) in self._taken for layer in range(start, end + 1)):
            lane += 1
        return lane

    def _edge_lane(self, before: str, op: Operation) -> int:
        start, end = self._found.spots[before], self._found.spots[op.id]
        between = range(start.layer + 1, end.layer)
        for lane in (start.lane, end.lane):
            clear = not any((lane, layer) in self._taken for layer in between)
            if clear and (_joins(op) or lane == end.lane):
                self._taken |= {(lane, layer) for layer in between}
                return lane
        lane = self._free_lane(max(start.lane, end.lane) + 1, start.layer + 1, end.layer - 1)
        self._taken |= {(lane, layer) for layer in between}
        return lane


def _joins(op: Operation) -> bool:
    return op.kind in JOINS
