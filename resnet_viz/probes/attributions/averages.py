"""Means of gradients over many images: along a path, or with noise."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from captum.attr import GradientShap, IntegratedGradients, NoiseTunnel, Saliency
from captum.attr._utils.approximation_methods import approximation_parameters
from torch import Tensor

from resnet_viz.probes.attributions.shares import Share
from resnet_viz.probes.attributions.subject import Parameters, Subject


def integrated_gradients(
    subject: Subject, parameters: Parameters, share: Share
) -> dict[str, Tensor]:
    """The path's integral by Gauss and Legendre's rule (Sundararajan et al. 2017); a share is a
    part of its steps, in one batch."""
    steps = parameters["steps"]
    part = share.part(steps)
    sizes, alphas = (values(steps) for values in approximation_parameters("gausslegendre"))
    (found,) = IntegratedGradients(subject.net)._attribute(
        (subject.x,),
        (subject.baseline(parameters),),
        subject.target,
        n_steps=len(part),
        step_sizes_and_alphas=(sizes[part.start : part.stop], alphas[part.start : part.stop]),
    )
    return {"values": found}


def smoothgrad(subject: Subject, parameters: Parameters, share: Share) -> dict[str, Tensor]:
    """Mean of the gradient over noisy copies (Smilkov et al. 2017); a share is a part of the
    samples, in one batch."""
    return {"values": _moments(subject, parameters, share)[0]}


def vargrad(subject: Subject, parameters: Parameters, share: Share) -> dict[str, Tensor]:
    """What `shares.finish` makes the variance of the gradient over noisy copies of (Adebayo et
    al. 2018)."""
    mean, mean_square = _moments(subject, parameters, share)
    return {"mean": mean, "mean_square": mean_square}


def gradient_shap(subject: Subject, parameters: Parameters, share: Share) -> dict[str, Tensor]:
    """Mean of (x - baseline) · gradient at random points between the baseline and noisy copies
    (Lundberg & Lee 2017, as captum has it); a share is a part of the samples, in one batch."""
    samples, part = parameters["samples"], share.part(parameters["samples"])
    with _drawing(subject.x, parameters["seed"], part.start):
        found = GradientShap(subject.net).attribute(
            subject.x,
            subject.baseline(parameters),
            n_samples=len(part),
            stdevs=noise_std(subject.x, parameters["noise"]),
            target=subject.target,
        )
    return {"values": found * (len(part) / samples)}


def noise_std(x: Tensor, noise: float) -> float:
    """Standard deviation of the noise: a share of the image's range of values (Smilkov et al.
    2017, 3.1)."""
    return float(noise * (x.max() - x.min()))


class _Moments(NoiseTunnel):  # type: ignore[misc]  # captum has no types
    """Mean and mean square over the samples, of one pass over them: parts of a variance."""

    @staticmethod
    def _compute_smoothing(
        expected_attributions: tuple[Tensor, ...],
        expected_attributions_sq: tuple[Tensor, ...],
        nt_type: str,
    ) -> tuple[Tensor, ...]:
        return (*expected_attributions, *expected_attributions_sq)


def _moments(subject: Subject, parameters: Parameters, share: Share) -> tuple[Tensor, Tensor]:
    """Sums over a share's samples of the gradient and of its square, over the number of all."""
    samples, part = parameters["samples"], share.part(parameters["samples"])
    with _drawing(subject.x, parameters["seed"], part.start):
        mean, mean_square = _Moments(Saliency(subject.net)).attribute(
            (subject.x,),
            nt_samples=len(part),
            stdevs=noise_std(subject.x, parameters["noise"]),
            target=subject.target,
            abs=False,
        )
    weight = len(part) / samples
    return mean * weight, mean_square * weight


@contextmanager
def _drawing(x: Tensor, seed: int, skipped: int) -> Iterator[None]:
    """The random states from which captum draws, as they are `skipped` samples after `seed`.

    So the shares together draw what one call draws that takes all samples at once, wherever an
    image's values are a multiple of 16 (as they are with sides that 4 divides): in such blocks
    torch draws normal numbers. Else the draws depend on the number of shares. What the states
    were before comes back.
    """
    kept = np.random.get_state()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        np.random.seed(seed)
        try:
            for _sample in range(skipped):
                torch.empty(x.shape).normal_()  # not as `x` lies in memory
            np.random.uniform(size=skipped)
            yield
        finally:
            np.random.set_state(kept)
