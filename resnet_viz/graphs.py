"""A net as a graph: its operations, and the parts and blocks that they form. Standard library only.

A part is what the papers give a row of their tables: "stem", "stage1", "transition1", "head". A
block is what is repeated in a stage. The graph is traced from the built net (`nets.tracing`), so
that whatever can be built can be drawn and counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

INPUT = "input"  # id of the operation that stands for the images
WEIGHTED = ("conv", "linear")
JOINS = ("add", "concat", "multiply")
# What can stand on a shortcut. Where several do (padding, then a gate), it is called by the last.
SHORTCUT_KINDS = ("identity", "zero-padding", "projection", "scaled", "dropout", "gated")


@dataclass(frozen=True)
class Operation:
    """One operation of a net, for one image.

    Attributes:
        id: unique in its graph: part, block and name, such as "stage2.block3.branch.conv1".
        part: "input", "stem", "stage1", …, "transition1", …, "head".
        block: number in its part from 1; 0 where the part has none.
        module: path in the built net of the module that it belongs to.
        kind: "input", "conv", "norm", "relu", "pool", "linear", "add", "concat", "multiply",
            "times" (a constant), "survive" (stochastic depth), "pad" (the zero-padding shortcut),
            "flatten", "dropout", "sigmoid", "tanh", …; "other".
        inputs: ids of the operations that it takes, in order.
        shape: of its output, without the batch: (channels, height, width) or (features,).
        parameters: trainable, its own.
        multiply_adds: of convolutions and linear layers; 0 for all else.
        receptive_field: side in pixels of the square of the input image on which one of its
            outputs depends; it may reach over the image's border. 0 for the whole image.
        kept_values: numbers of its output that training keeps for the backward pass.
        kept_indices: bytes beside them: which pixel was the largest, which numbers were dropped.
        kernel, stride, padding: sides in pixels; 0, 1 and 0 where it has none.
        groups: of a convolution.
    """

    id: str
    part: str
    block: int
    module: str
    kind: str
    inputs: tuple[str, ...]
    shape: tuple[int, ...]
    parameters: int = 0
    multiply_adds: int = 0
    receptive_field: int = 1
    kept_values: int = 0
    kept_indices: int = 0
    kernel: int = 0
    stride: int = 1
    padding: int = 0
    groups: int = 1
    note: str = ""

    @property
    def name(self) -> str:
        """Its name within its block or part."""
        return self.id.removeprefix(block_key(self.part, self.block)).lstrip(".")

    @property
    def kept_bytes(self) -> int:
        """Memory that it keeps for the backward pass of one image in float32."""
        return 4 * self.kept_values + self.kept_indices

    @property
    def label(self) -> str:
        """As He et al. 2015 write it in their figures: "3×3 conv, 64, /2"."""
        kernel = f"{self.kernel}×{self.kernel} " if self.kernel else ""
        if self.kind in WEIGHTED:
            stride = f", /{self.stride}" if self.stride > 1 else ""
            name = "conv" if self.kind == "conv" else "linear"
            return f"{kernel}{name}, {self.shape[0]}{stride}"
        stride = f", /{self.stride}" if self.stride > 1 else ""
        if self.kind == "pool":
            return f"{kernel}{self.note} pool{stride}".strip()
        if self.kind == "pad":
            return f"zero-padding{stride}"
        names = {"norm": "batch norm", "relu": "ReLU", "add": "+", "concat": "concatenate"}
        names["multiply"] = "×"
        return names.get(self.kind) or self.note or self.kind


@dataclass(frozen=True)
class Block:
    """What is repeated in a stage.

    Attributes:
        part, number: where it is; its number counts from 1.
        operations: in order of computation.
        shortcut: one of `SHORTCUT_KINDS`, or "" for none.
        sources: operations outside of it from which it takes feature maps; several where earlier
            ones are concatenated (DenseNet).
        shape_in, shape: of what it takes (concatenated) and gives.
    """

    part: str
    number: int
    operations: tuple[Operation, ...]
    shortcut: str
    sources: tuple[str, ...]
    shape_in: tuple[int, ...]
    shape: tuple[int, ...]

    @property
    def key(self) -> str:
        """Its place: "stage2.block3"."""
        return block_key(self.part, self.number)

    @property
    def changes(self) -> bool:
        """Whether its output has another shape than its input."""
        return self.shape_in != self.shape

    @property
    def convolutions(self) -> tuple[Operation, ...]:
        """Its weighted layers, without a projection shortcut's."""
        return tuple(
            op for op in self.operations if op.kind in WEIGHTED and not _is_projection(self, op)
        )

    @property
    def form(self) -> tuple[object, ...]:
        """Equal for blocks that have the same operations in the same order."""
        return (self.shortcut, self.changes, *((op.kind, op.label) for op in self.operations))


@dataclass(frozen=True)
class Part:
    """A row of the papers' tables.

    Attributes:
        key: "stem", "stage2", "transition1" or "head".
        operations: all of them, in order.
        blocks: of a stage; empty for what has none.
        shape_in, shape: of what it takes and gives.
    """

    key: str
    operations: tuple[Operation, ...]
    blocks: tuple[Block, ...]
    shape_in: tuple[int, ...]
    shape: tuple[int, ...]

    @property
    def kind(self) -> str:
        """ "stem", "stage", "transition" or "head"."""
        return self.key.rstrip("0123456789")

    @property
    def number(self) -> int:
        """Of a stage or a transition, from 1; else 0."""
        return int(self.key[len(self.kind) :] or 0)

    @property
    def connections(self) -> int:
        """Of its blocks with what comes before them: one each, and L(L+1)/2 in a dense stage."""
        return sum(len(block.sources) for block in self.blocks)

    @property
    def dense(self) -> bool:
        """Whether a block takes what several earlier ones gave."""
        return any(len(block.sources) > 1 for block in self.blocks[1:])

    @property
    def total(self) -> Total:
        """What all its operations come to."""
        return total(self.operations)


@dataclass(frozen=True)
class Total:
    """Sums over operations, of one image.

    Attributes:
        weighted: layers with weights, projections among them.
        receptive_field: the largest; 0 for the whole image.
    """

    weighted: int
    parameters: int
    multiply_adds: int
    kept_bytes: int
    receptive_field: int


def total(operations: Iterable[Operation]) -> Total:
    """The sums of some operations."""
    found = list(operations)
    fields = [op.receptive_field for op in found]
    return Total(
        weighted=sum(op.kind in WEIGHTED for op in found),
        parameters=sum(op.parameters for op in found),
        multiply_adds=sum(op.multiply_adds for op in found),
        kept_bytes=sum(op.kept_bytes for op in found),
        receptive_field=0 if 0 in fields else max(fields, default=1),
    )


@dataclass(frozen=True)
class NetGraph:
    """A whole net.

    Attributes:
        name: "resnet-20", "DenseNet-121".
        family: whose colours it has: a family of `NetSpec`, or "history".
        depth: weighted layers as its paper counts them.
        operations: in order of computation; the first is the input.
    """

    name: str
    family: str
    depth: int
    operations: tuple[Operation, ...]

    @cached_property
    def by_id(self) -> dict[str, Operation]:
        """Every operation by its id."""
        return {op.id: op for op in self.operations}

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """From the stem to the head."""
        keys = dict.fromkeys(op.part for op in self.operations if op.kind != INPUT)
        found = [self._part(key) for key in keys]
        # A dense stage gives all that it has made, which the next part takes together.
        given = [*(after.shape_in for after in found[1:]), self.output_shape]
        return tuple(replace(part, shape=shape) for part, shape in zip(found, given, strict=True))

    @property
    def stages(self) -> tuple[Part, ...]:
        """The parts that have blocks."""
        return tuple(part for part in self.parts if part.blocks)

    @property
    def total(self) -> Total:
        """Of the whole net."""
        return total(self.operations)

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Of what the net gives."""
        return self.operations[-1].shape

    def part(self, key: str) -> Part | None:
        """The part of that name, if there is one."""
        return next((part for part in self.parts if part.key == key), None)

    def find(self, place: str) -> tuple[Part | None, Block | None, Operation | None]:
        """What a place names: part, block and operation, each None where it names none."""
        operation = self.by_id.get(place)
        key, _dot, rest = place.partition(".")
        part = self.part(key)
        if part is None:
            return None, None, None
        number = rest.partition(".")[0].removeprefix("block")
        block = next((b for b in part.blocks if str(b.number) == number), None)
        return part, block, operation

    def nearest(self, place: str) -> str:
        """The place itself if the net has it, else the narrowest around it; "" for the net."""
        part, block, operation = self.find(place)
        if operation is not None:
            return operation.id
        return block.key if block is not None else part.key if part is not None else ""

    def sources(self, ids: Iterable[str]) -> tuple[str, ...]:
        """What lies behind concatenations that reach out of their block.

        One that puts together what its own block made (an inception module) is a source itself.
        """
        found: dict[str, None] = {}
        for identifier in ids:
            operation = self.by_id[identifier]
            if operation.kind == "concat" and self._reaches_out(operation):
                found |= dict.fromkeys(self.sources(operation.inputs))
            else:
                found[identifier] = None
        return tuple(found)

    def _reaches_out(self, operation: Operation) -> bool:
        here = operation.part, operation.block
        others = (self.by_id[i] for i in operation.inputs)
        return any((op.part, op.block) != here for op in others)

    def entries(self, operations: Sequence[Operation]) -> tuple[str, ...]:
        """Operations outside of a group whose outputs the group takes."""
        inside = {op.id for op in operations}
        taken = (i for op in operations for i in op.inputs if i not in inside)
        return tuple(dict.fromkeys(taken))

    def _part(self, key: str) -> Part:
        operations = tuple(op for op in self.operations if op.part == key)
        numbers = dict.fromkeys(op.block for op in operations if op.block)
        blocks = tuple(self._block(key, n, operations) for n in numbers)
        shape_in = self.input_shape(operations)
        return Part(key, operations, blocks, shape_in, operations[-1].shape)

    def _block(self, part: str, number: int, of_part: Sequence[Operation]) -> Block:
        operations = tuple(op for op in of_part if op.block == number)
        entries = self.entries(operations)
        return Block(
            part=part,
            number=number,
            operations=operations,
            shortcut=shortcut_kind(operations),
            sources=self.sources(entries),
            shape_in=self.input_shape(operations),
            shape=operations[-1].shape,
        )

    def input_shape(self, operations: Sequence[Operation]) -> tuple[int, ...]:
        """Of what a group takes, concatenated where it is several."""
        shapes = [self.by_id[i].shape for i in self.sources(self.entries(operations))]
        if not shapes:
            return ()
        channels = sum(s[0] for s in shapes) if len(shapes) > 1 else shapes[0][0]
        return (channels, *shapes[0][1:])


def block_key(part: str, number: int) -> str:
    """Place of a block; of the part where the number is 0."""
    return f"{part}.block{number}" if number else part


def shortcut_kind(operations: Sequence[Operation]) -> str:
    """What a block's shortcut is, from what stands on it alone; "" without an addition."""
    branch, shortcut = paths_of(operations)
    if branch is None:
        return ""
    kinds = {op.kind for op in shortcut}
    if "multiply" in kinds:
        return "gated"
    if kinds & set(WEIGHTED):
        return "projection"
    if "times" in kinds:
        return "scaled"
    if "dropout" in kinds:
        return "dropout"
    return "zero-padding" if "pad" in kinds else "identity"


def paths_of(
    operations: Sequence[Operation],
) -> tuple[tuple[Operation, ...] | None, tuple[Operation, ...]]:
    """The operations of a block's branch alone, and those of its shortcut alone.

    They meet in its last addition of two; (None, ()) if it has none. The shortcut is what has
    fewer weighted layers, then fewer operations.
    """
    by_id = {op.id: op for op in operations}
    joins = [op for op in operations if op.kind == "add" and len(op.inputs) == 2]
    if not joins:
        return None, ()
    first, second = (_before(i, by_id) for i in joins[-1].inputs)
    alone = [
        tuple(op for op in operations if op.id in a and op.id not in b)
        for a, b in ((first, second), (second, first))
    ]
    alone.sort(key=lambda ops: (sum(op.kind in WEIGHTED for op in ops), len(ops)))
    return alone[1], alone[0]


def _before(identifier: str, by_id: dict[str, Operation]) -> set[str]:
    """An operation of a group and all of the group on which it depends."""
    found: set[str] = set()
    todo = [identifier]
    while todo:
        current = todo.pop()
        if current in by_id and current not in found:
            found.add(current)
            todo += by_id[current].inputs
    return found


def _is_projection(block: Block, operation: Operation) -> bool:
    if block.shortcut != "projection":
        return False
    _branch, shortcut = paths_of(block.operations)
    return operation in shortcut
