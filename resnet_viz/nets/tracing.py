"""A built net -> its operations with shapes, counts, receptive fields and what training keeps.

The net is traced with torch.fx on the meta device: no weights, no arithmetic.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.nn import functional as F

from resnet_viz.graphs import INPUT, Operation, block_key
from resnet_viz.nets.blocks import Bias, Product, Scale, Survive, Times, ZeroPadding
from resnet_viz.nets.reach import Reach, pooled_kernel

Place = Callable[[str, str], tuple[str, int, str]]

_NORMS = (nn.BatchNorm2d, nn.BatchNorm1d, nn.GroupNorm, nn.LayerNorm)
_MODULE_KINDS: tuple[tuple[type[nn.Module] | tuple[type[nn.Module], ...], str], ...] = (
    (nn.Conv2d, "conv"),
    (nn.Linear, "linear"),
    (_NORMS, "norm"),
    (nn.ReLU, "relu"),
    ((nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d), "pool"),
    (nn.Flatten, "flatten"),
    ((nn.Dropout, nn.Dropout2d), "dropout"),
    (nn.Sigmoid, "sigmoid"),
    (nn.Tanh, "tanh"),
    (nn.Identity, "identity"),
    (ZeroPadding, "pad"),
    (Bias, "bias"),
    (Scale, "scale"),
    (Product, "multiply"),
    (Times, "times"),
    (Survive, "survive"),
)
_FUNCTION_KINDS: dict[Any, str] = {
    operator.add: "add",
    operator.iadd: "add",
    torch.add: "add",
    operator.mul: "multiply",
    operator.imul: "multiply",
    torch.mul: "multiply",
    operator.sub: "subtract",
    torch.sub: "subtract",
    torch.rsub: "subtract",
    torch.cat: "concat",
    torch.flatten: "flatten",
    torch.relu: "relu",
    F.relu: "relu",
    torch.sigmoid: "sigmoid",
    F.sigmoid: "sigmoid",
    torch.tanh: "tanh",
    F.max_pool2d: "pool",
    F.avg_pool2d: "pool",
    F.adaptive_avg_pool2d: "pool",
    F.dropout: "dropout",
    F.pad: "pad",
}
_METHOD_KINDS = {"add": "add", "mul": "multiply", "flatten": "flatten", "view": "flatten"}
_METHOD_KINDS |= {"reshape": "flatten", "relu": "relu", "sigmoid": "sigmoid", "sub": "subtract"}
_SAME_SHAPE = ("norm", "relu", "dropout", "sigmoid", "tanh", "identity", "bias", "scale", "times")
_VIEWS = ("identity", "flatten")  # their output is their input's memory
# What autograd keeps of each kind: its inputs, its output, or nothing (torch's derivatives.yaml).
_KEEPS_INPUT = ("conv", "linear", "norm", "pool", "multiply", "scale")
_KEEPS_OUTPUT = ("relu", "sigmoid", "tanh")
_INDEX_BYTES = 8  # of a maximum's place


class _Tracer(fx.Tracer):
    """Looks into every module that has others inside; what has none is one operation."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        if isinstance(m, nn.Sequential):
            return False
        alone = next(m.children(), None) is None
        return alone or super().is_leaf_module(m, module_qualified_name)


@dataclass(frozen=True)
class _Step:
    """A node of the trace, and what was found of it."""

    operation: Operation
    reach: Reach


def trace(net: nn.Module, shape: Sequence[int], place: Place) -> tuple[Operation, ...]:
    """Every operation of a net that is on the meta device, in order of computation.

    Modules that do nothing (`nn.Identity`) are left out: what follows takes their input.

    Args:
        net: is left in evaluation mode.
        shape: (channels, height, width) of an image.
        place: takes the path of an operation's module and its kind, and gives part, number of
            the block and the path within it.
    """
    net.eval()
    return _Recorder(net, place).record(_Tracer().trace(net), tuple(shape))


class _Recorder:
    def __init__(self, net: nn.Module, place: Place) -> None:
        self._modules = dict(net.named_modules())
        self._place = place
        self._steps: dict[str, _Step] = {}  # by id
        self._ids: dict[fx.Node, str] = {}
        self._other: dict[fx.Node, Any] = {}  # values that are no feature maps
        self._kept: set[str] = set()
        self._views: dict[str, str] = {}  # id -> whose memory it is

    def record(self, graph: fx.Graph, shape: tuple[int, ...]) -> tuple[Operation, ...]:
        for node in graph.nodes:
            if node.op == "placeholder":
                first = Operation(INPUT, INPUT, 0, "", INPUT, (), shape)
                self._keep_step(node, _Step(first, Reach.pixel()))
            elif node.op != "output":
                self._visit(node)
        return tuple(
            replace(op, kept_values=math.prod(op.shape) if op.id in self._kept else 0)
            for op in (step.operation for step in self._steps.values())
        )

    def _keep_step(self, node: fx.Node, step: _Step) -> None:
        self._steps[step.operation.id] = step
        self._ids[node] = step.operation.id

    def _visit(self, node: fx.Node) -> None:
        module = self._modules.get(str(node.target)) if node.op == "call_module" else None
        kind = _kind(node, module)
        inputs = [self._ids[n] for n in node.all_input_nodes if n in self._ids]
        if node.op == "get_attr":
            self._other[node] = self._run(node)
            return
        if kind == "identity" or (kind == "concat" and len(inputs) == 1):
            self._ids[node] = inputs[0]
            return
        shape = self._shape(node, module, kind, inputs)
        if shape is None or not inputs:  # a number, or a weight
            return
        path = _path(node)
        part, block, rest = self._place(path, kind)
        computed = module is None or not rest  # by a module that does more, so not by its name
        name = ".".join(filter(None, (rest, kind))) if computed else rest
        identifier = self._new_id(f"{block_key(part, block)}.{name}")
        before = [self._steps[i] for i in inputs]
        settings = _settings(node, module, kind, before[0].operation.shape, shape)
        reach = Reach.joined([step.reach for step in before]).through(settings, kind)
        operation = Operation(
            id=identifier,
            part=part,
            block=block,
            module=path,
            kind=kind,
            inputs=tuple(inputs),
            shape=shape,
            parameters=_parameters(module),
            multiply_adds=_multiply_adds(module, shape),
            receptive_field=reach.pixels,
            **settings,
        )
        self._keep_step(node, _Step(self._note_kept(operation), reach))

    def _shape(
        self, node: fx.Node, module: nn.Module | None, kind: str, inputs: Sequence[str]
    ) -> tuple[int, ...] | None:
        """Of the output without the batch; None if that is no feature map."""
        before = [self._steps[i].operation.shape for i in inputs]
        if kind in _SAME_SHAPE and before:
            return before[0]
        if kind == "concat" and len(before) > 1:
            return (sum(s[0] for s in before), *before[0][1:])
        if isinstance(module, nn.Conv2d) and not isinstance(module.padding, str):
            return (module.out_channels, *_sides(module, before[0][1:]))
        value = self._run(node)
        if isinstance(value, Tensor) and value.dim() > 1:
            return tuple(value.shape[1:])
        self._other[node] = value
        return None

    def _run(self, node: fx.Node) -> Any:
        """What torch makes of the node, on the meta device."""

        def value(argument: fx.Node) -> Any:
            if argument not in self._ids:
                return self._other[argument]
            shape = self._steps[self._ids[argument]].operation.shape
            return torch.empty((1, *shape), device="meta")

        args = fx.map_arg(node.args, value)
        kwargs = fx.map_arg(node.kwargs, value)
        with torch.no_grad():
            if node.op == "call_module":
                return self._modules[str(node.target)](*args, **kwargs)
            if node.op == "call_method":
                return getattr(args[0], str(node.target))(*args[1:], **kwargs)
            if node.op == "get_attr":
                path, _dot, name = str(node.target).rpartition(".")
                return getattr(self._modules[path], name)
            assert callable(node.target)
            return node.target(*args, **kwargs)

    def _new_id(self, wanted: str) -> str:
        identifier, number = wanted, 2
        while identifier in self._steps:
            identifier, number = f"{wanted}{number}", number + 1
        return identifier

    def _note_kept(self, operation: Operation) -> Operation:
        """Remember whose numbers the backward pass of this operation needs."""
        kind = operation.kind
        self._views[operation.id] = operation.id
        if kind in _VIEWS:
            self._views[operation.id] = self._views.get(operation.inputs[0], operation.inputs[0])
        if kind in _KEEPS_INPUT and not (kind == "multiply" and len(operation.inputs) == 1):
            self._kept |= {self._views.get(i, i) for i in operation.inputs}
        if kind in _KEEPS_OUTPUT:
            self._kept.add(operation.id)
        count = math.prod(operation.shape)
        if kind == "pool" and operation.note == "max":
            return replace(operation, kept_indices=_INDEX_BYTES * count)
        return replace(operation, kept_indices=count) if kind == "dropout" else operation


def _kind(node: fx.Node, module: nn.Module | None) -> str:
    if module is not None:
        return next((kind for types, kind in _MODULE_KINDS if isinstance(module, types)), "other")
    if node.op == "call_function":
        return _FUNCTION_KINDS.get(node.target, "other")
    return _METHOD_KINDS.get(str(node.target), "other")


def _path(node: fx.Node) -> str:
    """Path of the module in which a node is computed; its own if it is one."""
    if node.op == "call_module":
        return str(node.target)
    stack = node.meta.get("nn_module_stack") or {}
    return next(reversed(stack), "")


def _one(value: Any) -> int:
    """A side in pixels: of squares, all sides are equal."""
    return int(value if isinstance(value, int) else value[0])


def _sides(conv: nn.Conv2d, sides: Sequence[int]) -> list[int]:
    found = []
    for i, side in enumerate(sides):
        padding = int(conv.padding[i])
        reach = conv.dilation[i] * (conv.kernel_size[i] - 1)
        found.append((side + 2 * padding - reach - 1) // conv.stride[i] + 1)
    return found


def _settings(
    node: fx.Node,
    module: nn.Module | None,
    kind: str,
    shape_in: tuple[int, ...],
    shape: tuple[int, ...],
) -> dict[str, Any]:
    """Kernel, stride, padding, groups and note of an operation, as fields of `Operation`."""
    if isinstance(module, nn.Conv2d):
        kernel, dilation = module.kernel_size[0], module.dilation[0]
        note = f"dilation {dilation}" if dilation > 1 else ""
        found = {"kernel": kernel, "stride": module.stride[0], "groups": module.groups}
        padding = 0 if isinstance(module.padding, str) else module.padding[0]
        return {**found, "padding": padding, "note": note}
    if isinstance(module, ZeroPadding):
        return {"stride": module.stride}
    if isinstance(module, Times):
        return {"note": f"× {module.factor:g}"}
    if isinstance(module, Survive):
        return {"note": f"kept with p = {module.probability:.2g}"}
    if kind == "pool":
        return _pool_settings(node, module, shape_in, shape)
    if kind == "other":
        named = type(module).__name__ if module is not None else node.target
        return {"note": named if isinstance(named, str) else getattr(named, "__name__", str(named))}
    if kind == "subtract" and node.args and node.args[0] == 1:
        return {"note": "1 − x"}
    return {"note": kind} if kind in ("subtract", "scale", "bias") else {}


def _pool_settings(
    node: fx.Node, module: nn.Module | None, shape_in: tuple[int, ...], shape: tuple[int, ...]
) -> dict[str, Any]:
    name = type(module).__name__ if module is not None else getattr(node.target, "__name__", "")
    note = "max" if "max" in name.lower() else "average"
    if "adaptive" in name.lower():
        kernel = pooled_kernel(shape_in[-1], shape[-1])
        return {"kernel": kernel, "stride": kernel or 1, "note": note}
    if module is not None:
        kernel = _one(module.kernel_size)
        stride = _one(module.stride if module.stride is not None else kernel)
        return {"kernel": kernel, "stride": stride, "padding": _one(module.padding), "note": note}
    named = dict(zip(("kernel_size", "stride", "padding"), node.args[1:], strict=False))
    given = {**named, **node.kwargs}
    kernel = _one(given["kernel_size"])
    stride = _one(given["stride"]) if given.get("stride") else kernel
    return {
        "kernel": kernel,
        "stride": stride,
        "padding": _one(given.get("padding") or 0),
        "note": note,
    }


def _parameters(module: nn.Module | None) -> int:
    if module is None:
        return 0
    return sum(p.numel() for p in module.parameters() if p.requires_grad)


def _multiply_adds(module: nn.Module | None, shape: tuple[int, ...]) -> int:
    if isinstance(module, nn.Conv2d):
        taken = module.in_channels // module.groups * math.prod(module.kernel_size)
        return math.prod(shape) * taken
    return module.in_features * math.prod(shape) if isinstance(module, nn.Linear) else 0
