"""What the layers of a net give for an image: feature maps, and their norms along the depth."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from resnet_viz.i18n import _
from resnet_viz.inside import Overview, Prediction, Strongest
from resnet_viz.layers import after_order, blocks_of
from resnet_viz.points import Point, points_of
from resnet_viz.probes.modes import preserved
from resnet_viz.specs import SHORTCUT_FAMILIES, NetSpec

STRONGEST = 8  # maps a point in the strip through the depth


class ActivationError(ArithmeticError):
    """Feature maps or logits that are not finite, so that there is nothing to see."""


def activations(net: nn.Module, x: Tensor, points: Iterable[Point]) -> dict[str, Tensor]:
    """Feature maps at any points, all from one forward pass in evaluation mode.

    The net comes back as it was: modes, hooks, statistics.

    Args:
        net: has a module for every point (`Point.module`), none of them in-place.
        x: normalised images (batch, channels, height, width).
        points: of the net.

    Returns:
        By the point's name, (batch, channels, height, width) each, without gradient.
    """
    found: dict[str, Tensor] = {}
    with watched(net, points, lambda point, value: found.update({point.name: value})):
        net(x)
    return found


@contextmanager
def watched(
    net: nn.Module, points: Iterable[Point], see: Callable[[Point, Tensor], None]
) -> Iterator[None]:
    """Lend a net in evaluation mode and without gradients; `see` gets each point's feature maps.

    They are not kept here, so that a pass through a thousand blocks needs no memory for all.
    """
    with preserved(net), torch.no_grad():
        net.eval()
        for point in points:
            _watch(net.get_submodule(point.module), point, see)
        yield


def _watch(module: nn.Module, point: Point, see: Callable[[Point, Tensor], None]) -> None:
    def see_input(_module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        see(point, inputs[0])

    def see_output(_module: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor) -> None:
        see(point, output)

    if point.takes_input:
        module.register_forward_pre_hook(see_input)
    else:
        module.register_forward_hook(see_output)


def overview(net: nn.Module, spec: NetSpec, x: Tensor, strongest: int = STRONGEST) -> Overview:
    """One image's way through a net of this spec, from one forward pass.

    Args:
        x: one normalised image (1, channels, height, width).
        strongest: maps that are kept of each point of the strip.

    Raises:
        ActivationError: the logits are not finite.
    """
    strip_points = _strip_points(spec)
    parts = _block_parts(spec)
    norms: dict[str, list[float]] = {kind: [] for kind in parts}
    strip: list[Strongest] = []

    def see(point: Point, value: Tensor) -> None:
        if point in strip_points:
            strip.append(_strongest(point.name, value[0], strongest))
        if point.kind in parts:
            norms[point.kind].append(torch.linalg.vector_norm(value, dtype=torch.float64).item())

    points = [point for kind in parts.values() for point in kind]
    with watched(net, dict.fromkeys([*strip_points, *points]), see):
        logits = net(x)[0]
    if not bool(logits.isfinite().all()):
        raise ActivationError(
            _(
                "The logits of {net} are not finite: its training went astray, so there is nothing "
                "to see. Choose another net or an earlier checkpoint."
            ).format(net=spec.name)
        )
    prediction = Prediction(as_array(logits.softmax(0)), as_array(logits))
    if not after_order(spec):  # the sum is the output
        norms["sum"] = norms["output"]
    columns = (tuple(norms.get(kind, ())) for kind in ("branch", "shortcut", "sum", "output"))
    return Overview(prediction, tuple(strip), *columns)


def _strip_points(spec: NetSpec) -> list[Point]:
    """The last point of the stem, and of every stage."""
    last = {point.stage: point for point in points_of(spec)}
    return list(last.values())


def _block_parts(spec: NetSpec) -> dict[str, list[Point]]:
    """Where the norms are taken, a point a block: by kind.

    A plain block's branch is not among the points of `points_of`: it is the whole block's input
    to its ReLU, which a person knows as "norm2".
    """
    kinds = ("branch", "shortcut", "sum", "output")
    parts = {kind: [p for p in points_of(spec) if p.kind == kind] for kind in kinds}
    if spec.family not in SHORTCUT_FAMILIES:
        parts["branch"] = [
            Point(f"{b.module}.branch", f"{b.module}.branch", False, b.stage, b.block, "branch")
            for b in blocks_of(spec)
        ]
    return {kind: points for kind, points in parts.items() if points}


def _strongest(name: str, maps: Tensor, count: int) -> Strongest:
    """The `count` channels of (channels, height, width) with the highest mean absolute value."""
    strength = maps.abs().mean(dim=(1, 2))
    order = strength.argsort(descending=True, stable=True)[:count]
    channels, height, width = maps.shape
    return Strongest(
        point=name,
        shape=(channels, height, width),
        channels=tuple(order.tolist()),
        maps=as_array(maps[order]),
        strength=as_array(strength),
    )


def as_array(values: Tensor) -> Any:
    """A numpy copy in float32 that shares no memory with the net."""
    return values.detach().cpu().float().numpy().copy()
