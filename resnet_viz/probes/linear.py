"""Linear probes: what a linear classifier reads from a block's pooled output.

Alain & Bengio 2016, "Understanding intermediate layers using linear classifier probes",
arXiv:1610.01644. Every channel of a block's output is averaged over the image, as the head does
with the last block's; a probe is a multinomial logistic regression on these averages.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from resnet_viz.i18n import _
from resnet_viz.points import Point, points_of
from resnet_viz.probes.activations import ActivationError, watched
from resnet_viz.specs import NetSpec

Floats = NDArray[np.floating]

# Of the sum of the images' losses over half the squared norm of the weights, on standardised
# features: scikit-learn's default, which hardly binds with thousands of images.
C = 1.0
SAME = 1e-6  # of a channel's mean: what float32 cannot tell from no change
MOST_ITERATIONS = 5000  # of L-BFGS; some hundreds are enough on trained nets


class ConvergenceError(ArithmeticError):
    """A probe that cannot be fitted to its optimum."""


@dataclass(frozen=True)
class Probe:
    """A linear classifier on pooled outputs as they are.

    Attributes:
        weights: float32 (classes, channels).
        bias: float32 (classes,); -inf for a class without a training image.
        train_error, test_error: fractions.
    """

    weights: Floats
    bias: Floats
    train_error: float
    test_error: float


def probe_points(spec: NetSpec) -> list[Point]:
    """The stem's output and every block's, in the order of computation."""
    points = points_of(spec)
    stem = [point for point in points if point.stage == 0]
    return [stem[-1], *(point for point in points if point.kind == "output")]


def pool(net: nn.Module, x: Tensor, points: Sequence[Point]) -> tuple[list[Tensor], Tensor]:
    """Channel averages at each point, all from one forward pass in evaluation mode.

    Args:
        net: comes back as it was.
        x: normalised images (batch, channels, height, width).

    Returns:
        (batch, channels) a point, and the logits (batch, classes).
    """
    found: dict[str, Tensor] = {}
    with watched(net, points, lambda point, maps: found.update({point.name: maps.mean((2, 3))})):
        logits = net(x)
    return [found[point.name] for point in points], logits


def fit_probe(
    train: Floats,
    train_labels: NDArray[np.int64],
    test: Floats,
    test_labels: NDArray[np.int64],
    classes: int,
) -> Probe:
    """Fit a probe to training images, and count what it gets wrong.

    Args:
        train, test: pooled outputs (images, channels).
        train_labels, test_labels: (images,).
        classes: how many the labels may name.

    Raises:
        ActivationError: pooled outputs that are not finite.
        ConvergenceError: L-BFGS did not come to an end.
    """
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    train, test = train.astype(np.float64), test.astype(np.float64)
    if not (np.isfinite(train).all() and np.isfinite(test).all()):
        raise ActivationError(
            _(
                "The outputs of this net are not finite, so that no probe can be fitted to them. "
                "Choose another net or an earlier checkpoint."
            )
        )
    mean, std = train.mean(0), train.std(0)
    std[std <= SAME * np.abs(mean)] = 1.0  # a channel that never changes says nothing
    model = LogisticRegression(C=C, max_iter=MOST_ITERATIONS)
    with threadpool_limits(1):  # products are small: where others train, threads only wait
        model.fit((train - mean) / std, train_labels)
    if model.n_iter_.max() >= MOST_ITERATIONS:
        text = _("A linear probe did not converge in {n} iterations.").format(n=MOST_ITERATIONS)
        raise ConvergenceError(text)
    weights, bias = _a_row_a_class(model.coef_, model.intercept_, model.classes_, classes)
    bias = bias - weights @ (mean / std)
    weights = weights / std
    return Probe(
        weights.astype(np.float32),
        bias.astype(np.float32),
        _error(train, train_labels, weights, bias),
        _error(test, test_labels, weights, bias),
    )


def _a_row_a_class(
    weights: Floats, bias: Floats, known: NDArray[np.int64], classes: int
) -> tuple[Floats, Floats]:
    """scikit-learn's coefficients for `classes` classes; it has one row for two of them."""
    if len(known) == 2:
        weights = np.concatenate([np.zeros_like(weights), weights])
        bias = np.concatenate([np.zeros_like(bias), bias])
    full = np.zeros((classes, weights.shape[1]))
    full_bias = np.full(classes, -np.inf)
    full[known], full_bias[known] = weights, bias
    return full, full_bias


def _error(features: Floats, labels: NDArray[np.int64], weights: Floats, bias: Floats) -> float:
    return float(((features @ weights.T + bias).argmax(1) != labels).mean())


def placed(weights: Sequence[Floats], bias: Sequence[Floats], pooled: Sequence[Tensor]) -> Floats:
    """What every probe says of one image.

    Args:
        weights, bias: a point; as of `Probe`.
        pooled: a point; (1, channels), of the same points.

    Returns:
        float32 (points, classes), probabilities.
    """
    rows = [
        torch.softmax(torch.from_numpy(w) @ x[0].cpu().float() + torch.from_numpy(b), 0)
        for w, b, x in zip(weights, bias, pooled, strict=True)
    ]
    return torch.stack(rows).numpy()
