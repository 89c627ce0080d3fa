"""The weights of a DenseNet's layers by the layer that they look at (Huang et al. 2017, Fig. 5)."""

from __future__ import annotations

from torch import Tensor, nn

from resnet_viz.reuse import Reuse, StageReuse, check_dense, sources
from resnet_viz.specs import NetSpec


def measure_reuse(net: nn.Module, spec: NetSpec, *, step: int | None = None) -> Reuse:
    """Mean absolute weight from every source to every target; the net is only read.

    Args:
        net: built from `spec`.

    Raises:
        SpecError: it is no DenseNet.
    """
    check_dense(spec)
    stages = []
    for s, count in enumerate(spec.stage_blocks, 1):
        path = f"stages.{s - 1}"
        targets = [f"{path}.{b}.branch.conv1" for b in range(count)]
        last = s == len(spec.stage_blocks)
        targets.append("head.linear" if last else f"{path}.transition.conv")
        ranges = list(sources(spec, s))
        weights = [net.get_parameter(f"{target}.weight") for target in targets]
        stages.append(StageReuse(s, tuple(_by_source(weight, ranges) for weight in weights)))
    return Reuse(spec, step, tuple(stages))


def _by_source(weight: Tensor, ranges: list[tuple[int, int]]) -> tuple[float | None, ...]:
    """Of a weight (outputs, channels, …); None for channels that it does not have."""
    channels = weight.shape[1]
    return tuple(
        weight[:, first:end].detach().abs().mean().item() if end <= channels else None
        for first, end in ranges
    )
