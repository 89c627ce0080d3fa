"""How large a net's responses and its blocks' parts are (He et al. 2015, Fig. 7)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from resnet_viz.blockwise import Responses
from resnet_viz.layers import blocks_of, weighted_layers
from resnet_viz.probes.modes import preserved
from resnet_viz.probes.signal import normed_by
from resnet_viz.specs import NetSpec


@torch.no_grad()
def measure_responses(
    net: nn.Module, images: Tensor, *, spec: NetSpec, step: int | None
) -> Responses:
    """One batch forward in training mode, so that nets at initialisation and trained ones compare.

    Only what would be drawn by chance (stochastic depth, dropout) is as in evaluation: every
    module whose mode changes its own output, but batch norm.

    Args:
        net: built from `spec`; comes back as it was.
        images: normalised (batch, channels, height, width).
        step: training steps behind the net, for the record.
    """
    layers = [layer.module for layer in weighted_layers(spec)][:-1]
    blocks = [block.module for block in blocks_of(spec)]
    blocks = [path for path in blocks if hasattr(net.get_submodule(path), "shortcut")]
    found: dict[str, float] = {}
    with preserved(net):
        net.train()
        for module in net.modules():
            if not any(module.children()) and not isinstance(module, nn.BatchNorm2d):
                module.eval()
        for path in layers:
            module = net.get_submodule(normed_by(net, path))
            module.register_forward_hook(_keep(found, path, _std))
        for path in blocks:
            for term in _terms(net.get_submodule(path)):
                name = f"{path}.{term}"
                net.get_submodule(name).register_forward_hook(_keep(found, name, _norm))
        net(images)
    terms = [
        [found[f"{path}.{term}"] for term in _terms(net.get_submodule(path))] for path in blocks
    ]
    return Responses(
        net=spec,
        step=step,
        images=len(images),
        response_std=tuple(found[path] for path in layers),
        branch_norm=tuple(branch for branch, _shortcut in terms),
        shortcut_norm=tuple(shortcut for _branch, shortcut in terms),
    )


def _terms(block: nn.Module) -> tuple[str, str]:
    """The parts of a block whose outputs it adds up: with a gate, what the gate has weighed."""
    branch = "transformed" if hasattr(block, "transformed") else "branch"
    return branch, "carried" if hasattr(block, "carried") else "shortcut"


def _keep(out: dict[str, float], key: str, measure: Callable[[Tensor], float]) -> Any:
    def hook(_module: nn.Module, _args: tuple[Tensor, ...], output: Tensor) -> None:
        out[key] = measure(output)

    return hook


def _std(x: Tensor) -> float:
    return x.std(correction=0).item()


def _norm(x: Tensor) -> float:
    return torch.linalg.vector_norm(x, dtype=torch.float64).item()
