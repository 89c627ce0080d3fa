"""A net made deeper by blocks that compute the identity.

The argument by construction of He et al. 2015, section 1: the deeper net that copies a shallower
one, its other layers the identity, errs no more than that one on any image. So the solution
exists; whether training finds it is another question.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from resnet_viz.construction import check_insertion, deeper, places_after
from resnet_viz.nets.build import Net
from resnet_viz.nets.inits import initialise
from resnet_viz.specs import NetSpec


def insert_blocks(
    net: Net, spec: NetSpec, where: Sequence[int], k: int, seed: int, images: Tensor | None = None
) -> tuple[Net, NetSpec]:
    """A copy of a net with k more blocks, which compute the identity, after each of some blocks.

    A residual block (resnet, preact) becomes the identity by a branch that is zero: its last
    batch norm has γ = β = 0 (Goyal et al. 2017, 5.1), whatever its other weights, which are
    drawn by He's rule. That is exact in training mode too, since no statistics of a batch come
    through. In a pre-activation net the last *convolution* is zero instead: behind a norm with
    γ = β = 0 stands a ReLU at zero, which lets no gradient through, so such a branch would never
    learn. The same goes for nets without norm.

    A plain block becomes the identity by Dirac kernels, since relu(x) = x where x comes out of a
    ReLU. Each batch norm in it undoes itself: running mean and variance are those of x at this
    place, β the same mean and γ = √(variance + ε). That holds in evaluation mode alone: in
    training mode a batch norm takes the statistics of its batch, which are others.

    Args:
        net: built from `spec`; comes back as it was.
        where: numbers of blocks, from 0, after each of which k are inserted.
        k: so many.
        seed: of the random weights of residual branches.
        images: normalised, on which a plain net's statistics at these places are measured; only
            it needs them, and only with batch norm.

    Returns:
        The new net in the mode of `net`, on the CPU, and its spec.

    Raises:
        SpecError: no such blocks can be the identity; the message says why.
    """
    check_insertion(spec, where, k)
    new_spec = deeper(spec, where, k)
    classes, channels = _ends(net)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        made = Net(new_spec, classes, channels)
        initialise(made, new_spec)
    old = [block for stage in net.stages for block in stage]  # type: ignore[attr-defined]
    new = [block for stage in made.stages for block in stage]  # type: ignore[attr-defined]
    inputs = _statistics(net, old, images) if spec.family == "plain" else {}
    with torch.no_grad():
        made.stem.load_state_dict(net.stem.state_dict())
        made.head.load_state_dict(net.head.state_dict())
        for block, source in zip(new, places_after(len(old), where, k), strict=True):
            if source.copied:
                block.load_state_dict(old[source.number].state_dict())
            elif spec.family == "plain":
                _make_plain_identity(block, inputs.get(source.number))
            else:
                _make_zero_branch(block, spec)
    return made.train(net.training), new_spec


def _ends(net: Any) -> tuple[int, int]:
    """Classes and channels of the images of a net."""
    return net.head.linear.out_features, net.stem.conv.in_channels


def _make_zero_branch(block: Any, spec: NetSpec) -> None:
    """F(x) = 0."""
    norms = [m for m in block.branch if isinstance(m, nn.BatchNorm2d)]
    convs = [m for m in block.branch if isinstance(m, nn.Conv2d)]
    if spec.family == "resnet" and norms:
        last: nn.BatchNorm2d | nn.Conv2d = norms[-1]
    else:
        last = convs[-1]
    nn.init.zeros_(last.weight)
    if last.bias is not None:
        nn.init.zeros_(last.bias)


def _make_plain_identity(block: Any, at: tuple[Tensor, Tensor] | None) -> None:
    """relu(F(x)) = x for x ≥ 0.

    Args:
        at: mean and variance a channel of x.
    """
    for module in block.branch:
        if isinstance(module, nn.Conv2d):
            nn.init.dirac_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.BatchNorm2d):
            assert at is not None
            mean, variance = at
            assert module.running_mean is not None
            assert module.running_var is not None
            module.running_mean.copy_(mean)
            module.running_var.copy_(variance)
            module.weight.copy_((variance + module.eps).sqrt())
            module.bias.copy_(mean)


@torch.no_grad()
def _statistics(
    net: Net, blocks: Sequence[nn.Module], images: Tensor | None
) -> dict[int, tuple[Tensor, Tensor]]:
    """Mean and variance a channel of every block's output, in evaluation mode; by its number."""
    if images is None:
        return {}
    was = [(module, module.training) for module in net.modules()]
    net.eval()
    found: dict[int, tuple[Tensor, Tensor]] = {}
    x = net.stem(images)
    for number, block in enumerate(blocks):
        x = block(x)
        variance, mean = torch.var_mean(x, (0, 2, 3))
        found[number] = mean, variance
    for module, training in was:
        module.training = training
    return found
