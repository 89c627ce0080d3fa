"""Shattered gradients: how the input gradient changes along the line between two images.

Balduzzi et al. 2017, arXiv:1702.08591, find that with depth the gradient of a plain net at
initialisation comes to resemble white noise, and that of a residual net much less. Unlike
there, batch norm keeps the statistics of one batch of real images, so that the gradient at a
point does not depend on which other points are computed with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from resnet_viz.probes.modes import preserved

NOISES = ("white", "brown")
_ROUNDINGS = 100  # a sequence that changes by less than so many roundings counts as constant


def walk(
    net: nn.Module, images: Tensor, ends: tuple[Tensor, Tensor], label: int, stops: list[int]
) -> Iterator[Tensor]:
    """Input gradients along a line, a piece at a time.

    The net is lent until the walk has ended or is closed: evaluation mode, with the batch norms'
    statistics those of `images`.

    Args:
        images: (B, C, H, W), normalised as the net takes them.
        ends: images (C, H, W) between which the line runs, both included.
        label: whose logit is differentiated.
        stops: rising; each piece ends before the point of this number. The last is the number
            of points.

    Yields:
        (points of the piece, C, H, W).
    """
    points = line(*ends, stops[-1])
    with fixed_statistics(net, images):
        for start, stop in zip([0, *stops], stops, strict=False):
            yield input_gradients(net, points[start:stop], label)


@contextmanager
def fixed_statistics(net: nn.Module, images: Tensor) -> Iterator[None]:
    """Evaluation mode in which each batch norm uses its mean and variance over `images`.

    What stood there before is restored at the end, also after an error.

    Args:
        images: (B, C, H, W); the statistics are those of one forward pass of all of them.
    """
    norms = [m for m in net.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    momenta = [m.momentum for m in norms]
    with preserved(net):
        try:
            net.train()
            for module in norms:
                module.momentum = 1.0  # the new statistics replace the old
            with torch.no_grad():
                net(images)
            net.eval()
            yield
        finally:
            for module, momentum in zip(norms, momenta, strict=True):
                module.momentum = momentum


def line(first: Tensor, second: Tensor, points: int) -> Tensor:
    """Equally spaced points from `first` to `second`, both included.

    Args:
        first, second: of one shape.

    Returns:
        (points, *shape).
    """
    share = torch.linspace(0, 1, points, dtype=first.dtype, device=first.device)
    return torch.lerp(first, second, share.reshape(-1, *[1] * first.ndim))


def input_gradients(net: nn.Module, inputs: Tensor, label: int) -> Tensor:
    """The gradient of one logit by the input, at each input.

    Args:
        net: in evaluation mode, in which an image's logits do not depend on the batch.
        inputs: (N, C, H, W).

    Returns:
        (N, C, H, W).
    """
    inputs = inputs.detach().requires_grad_()
    logits = net(inputs)[:, label]
    return torch.autograd.grad(logits.sum(), inputs)[0]  # each logit sees its own image only


def slope(gradients: Tensor, ends: tuple[Tensor, Tensor]) -> Tensor:
    """Directional derivative along the line, scaled to standard deviation 1.

    Args:
        gradients: (N, C, H, W).
        ends: images (C, H, W).

    Returns:
        (N,). Where the slope does not change there is nothing to scale by, and every value is
        its mean; NaN if a gradient is not finite.
    """
    direction = (ends[1] - ends[0]).flatten()
    along = gradients.flatten(1) @ (direction / direction.norm())
    if _is_constant(along):
        return along.mean().expand_as(along)
    along = along / along.abs().max()  # so that squares of huge gradients stay finite
    return along / along.std()


def autocorrelation(sequence: Tensor, lags: int) -> Tensor:
    """Autocorrelation of a sequence of vectors by lag, all components together.

    r(τ) = Σ_t <g_t - ḡ, g_{t+τ} - ḡ> / Σ_t |g_t - ḡ|². This is the biased estimator: each lag
    is divided by the same sum although far lags have fewer pairs, which keeps |r| <= 1 and the
    noise of far lags small.

    Args:
        sequence: (N, ...).
        lags: 0 to N - 1 of them make sense.

    Returns:
        (lags,), 1 at lag 0. NaN at every lag where r has no meaning: the sequence does not
        change (as the gradient of a linear net), or is not finite.
    """
    vectors = sequence.flatten(1) if sequence.ndim > 1 else sequence[:, None]
    if _is_constant(vectors):
        return vectors.new_full((lags,), torch.nan)
    centred = vectors - vectors.mean(0)
    centred = centred / centred.abs().max()  # as above
    products = centred @ centred.T  # (N, N), <g_s, g_t>
    return torch.stack([products.diagonal(lag).sum() for lag in range(lags)]) / products.trace()


def noise_sequence(noise: str, points: int, generator: torch.Generator) -> Tensor:
    """White noise (independent normal numbers) or brown noise (their running sum), std 1.

    Args:
        noise: one of `NOISES`.

    Returns:
        float64 (points,).
    """
    steps = torch.randn(points, dtype=torch.float64, generator=generator)
    values = steps.cumsum(0) if noise == "brown" else steps
    return values / values.std()


def _is_constant(sequence: Tensor) -> bool:
    """Whether it changes from one to the next by no more than rounding."""
    change = (sequence - sequence.mean(0)).abs().max()
    return bool(change <= _ROUNDINGS * torch.finfo(sequence.dtype).eps * sequence.abs().max())
