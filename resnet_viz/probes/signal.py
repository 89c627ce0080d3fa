"""Signal forward and gradient backward through a net, in one pass each way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from resnet_viz.layers import blocks_of, weighted_layers
from resnet_viz.probes.modes import preserved
from resnet_viz.signals import Signal
from resnet_viz.specs import NetSpec

Hook = Callable[..., Any]


def measure(net: nn.Module, images: Tensor, labels: Tensor, *, spec: NetSpec, seed: int) -> Signal:
    """Response std, gradient norms and gains of one batch, in training mode.

    Batch norm uses the statistics of this batch, as in the first step of a training. The passes
    are in the dtype of net and images, and what leaves its range is seen in the result as
    infinite, NaN or zero: float32 has the range for a plain net of 200 layers with batch norm,
    whose gradient grows by about e^0.12 a layer, but neither for one of 1202 nor for a net
    without norm, in which nothing bounds signal and gradient. Use float64 for these. In a plain
    net of 110 layers, which is chaotic, float32's rounding changes the ratio of first to last
    gradient by a third, where seeds change it severalfold.

    Args:
        net: built from `spec`; comes back as it was.
        images: (batch, channels, height, width), normalised.
        labels: int64 (batch,).
        spec: of the net.
        seed: of weights and batch, for the record.
    """
    layers = [layer.module for layer in weighted_layers(spec)]
    blocks = [block.module for block in blocks_of(spec)]
    convs = [path for path in layers if _branch_of(path) != path]
    response: dict[str, float] = {}
    boundary: dict[str, float] = {}  # by the block that begins there; "" for the end
    at_conv: dict[str, float] = {}
    at_end: dict[str, float] = {}  # by branch
    with preserved(net), torch.enable_grad():
        net.train().requires_grad_(True)
        for path in layers:
            normed = net.get_submodule(normed_by(net, path))
            normed.register_forward_hook(_keep_std(response, path))
        for path in convs:
            net.get_submodule(path).register_forward_pre_hook(_watch_own_input(at_conv, path))
        for path in blocks:
            net.get_submodule(path).register_forward_pre_hook(_watch_input(boundary, path))
            branch = f"{path}.branch"
            net.get_submodule(branch).register_forward_hook(_watch_output(at_end, branch))
        net.get_submodule(blocks[-1]).register_forward_hook(_watch_output(boundary, ""))
        F.cross_entropy(net(images), labels).backward()
        gradients = [_norm(net.get_submodule(path).weight.grad) for path in layers]  # type: ignore[arg-type]
    return Signal(
        net=spec,
        seed=seed,
        images=len(images),
        response_std=tuple(response[path] for path in layers),
        gradient_norm=tuple(gradients),
        boundary_norm=tuple(boundary[path] for path in [*blocks, ""]),
        branch_gains=_gains(convs, at_conv, at_end),
    )


def normed_by(net: nn.Module, path: str) -> str:
    """Path of the module whose output is the response of the layer at `path`.

    It is the batch norm of the same name and number ("conv2": "norm2") where that directly
    follows, else the layer. In a pre-activation net each norm belongs to the convolution after it.
    """
    parent, _, name = path.rpartition(".")
    siblings = dict(net.get_submodule(parent).named_children())
    names = list(siblings)
    following = names[names.index(name) + 1 : names.index(name) + 2]
    own = name.replace("conv", "norm")
    is_own = following == [own] and isinstance(siblings[own], nn.BatchNorm2d)
    return f"{parent}.{own}" if is_own else path


def _gains(
    convs: Sequence[str], at_conv: dict[str, float], at_end: dict[str, float]
) -> tuple[float, ...]:
    """The gain of every convolution of the branches; NaN where no gradient comes to it."""
    gains = []
    for path, following in zip(convs, [*convs[1:], ""], strict=True):
        branch = _branch_of(path)
        out = at_conv[following] if _branch_of(following) == branch else at_end[branch]
        gains.append(at_conv[path] / out if out else float("nan"))
    return tuple(gains)


def _branch_of(path: str) -> str:
    """ "stages.0.1.branch.conv2" -> "stages.0.1.branch"; another layer's path as it is."""
    before, found, _ = path.partition(".branch.")
    return f"{before}.branch" if found else path


def _keep_std(out: dict[str, float], key: str) -> Hook:
    def hook(_module: nn.Module, _args: tuple[Tensor, ...], response: Tensor) -> None:
        out[key] = response.detach().std(correction=0).item()

    return hook


def _watch_input(out: dict[str, float], key: str) -> Hook:
    """Keep the norm of the whole gradient at a module's input."""

    def hook(_module: nn.Module, args: tuple[Tensor, ...]) -> None:
        args[0].register_hook(_keep_norm(out, key))

    return hook


def _watch_own_input(out: dict[str, float], key: str) -> Hook:
    """Keep the norm of the gradient that comes to a module's input through this module alone."""

    def hook(_module: nn.Module, args: tuple[Tensor, ...]) -> tuple[Tensor]:
        own = args[0].view_as(args[0])  # what else takes this input does not take this view
        own.register_hook(_keep_norm(out, key))
        return (own,)

    return hook


def _watch_output(out: dict[str, float], key: str) -> Hook:
    """Keep the norm of the whole gradient at a module's output."""

    def hook(_module: nn.Module, _args: tuple[Tensor, ...], output: Tensor) -> None:
        output.register_hook(_keep_norm(out, key))

    return hook


def _keep_norm(out: dict[str, float], key: str) -> Callable[[Tensor], None]:
    def hook(gradient: Tensor) -> None:
        out[key] = _norm(gradient)

    return hook


def _norm(x: Tensor) -> float:
    """L2 norm; in float64 where the squares would leave the range of float32."""
    norm = torch.linalg.vector_norm(x).item()
    if 1e-15 < norm < 1e15:
        return norm
    return torch.linalg.vector_norm(x, dtype=torch.float64).item()
