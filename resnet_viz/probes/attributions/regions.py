"""Methods that take a part of the image away and look how far the logit falls."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from captum.attr import FeatureAblation, Occlusion
from skimage.segmentation import slic
from torch import Tensor

from resnet_viz.probes.attributions.shares import Share, count_windows
from resnet_viz.probes.attributions.subject import Parameters, Subject


class _Ablation(FeatureAblation):  # type: ignore[misc]  # captum has no types
    """Takes away a share of the features only, and gives sums even where windows overlap."""

    def __init__(self, forward: Callable[[Tensor], Tensor], share: Share) -> None:
        super().__init__(forward)
        self.use_weights = False
        self._share = share

    def _get_feature_idx_to_tensor_idx(
        self, formatted_feature_mask: tuple[Tensor, ...], **kwargs: Any
    ) -> dict[int, list[int]]:
        found = super()._get_feature_idx_to_tensor_idx(formatted_feature_mask, **kwargs)
        features = sorted(found)
        return {features[i]: found[features[i]] for i in self._share.part(len(features))}


class _Occlusion(_Ablation, Occlusion):  # type: ignore[misc]  # captum has no types
    """Occlusion by a share of the windows."""


def occlusion(subject: Subject, parameters: Parameters, share: Share) -> dict[str, Tensor]:
    """How far the logit falls when a window slides over the image, a mean over the windows that
    cover a pixel (Zeiler & Fergus 2013); a share is a part of the windows, in one batch."""
    _one, channels, side, _side = subject.x.shape
    window, stride = parameters["window"], parameters["stride"]
    covers = _covers(side, window, stride)
    found = _Occlusion(_with_known(subject), share).attribute(
        subject.x,
        sliding_window_shapes=(channels, window, window),
        strides=(channels, stride, stride),
        baselines=subject.baseline(parameters),
        target=subject.target,
        perturbations_per_eval=max(1, len(share.part(count_windows(side, window, stride)))),
    )
    return {"values": found[:, :1] / torch.outer(covers, covers)}


def _covers(side: int, window: int, stride: int) -> Tensor:
    """(side,): how many of a row's windows cover each place."""
    covers = torch.zeros(side)
    for number in range(math.isqrt(count_windows(side, window, stride))):
        covers[number * stride : number * stride + window] += 1
    return covers


def feature_ablation(subject: Subject, parameters: Parameters, share: Share) -> dict[str, Tensor]:
    """How far the logit falls when one region is taken away; a share is a part of the regions,
    in one batch."""
    regions = segment(subject.pixels(), parameters["segments"], parameters["count"])
    found = _Ablation(_with_known(subject), share).attribute(
        subject.x,
        baselines=subject.baseline(parameters),
        target=subject.target,
        feature_mask=regions[None, None],
        perturbations_per_eval=max(1, len(share.part(len(regions.unique())))),
    )
    return {"values": found[:, :1]}


def segment(pixels: Tensor, kind: str, count: int) -> Tensor:
    """The region of every pixel, numbered from 0.

    Args:
        pixels: (C, S, S), 0..1.
        kind: "grid", of equal squares, or "superpixels" by SLIC (Achanta et al. 2012).
        count: of regions, about: a grid has the nearest square number, and SLIC as many as the
            picture allows.

    Returns:
        int64 (S, S).
    """
    side = pixels.shape[-1]
    if kind == "grid":
        rows = min(side, round(math.sqrt(count)))
        number = torch.arange(side) * rows // side
        return number[:, None] * rows + number
    colours = pixels.expand(3, side, side).permute(1, 2, 0).double().numpy()
    found = slic(colours, n_segments=count, start_label=0, channel_axis=-1)
    return torch.from_numpy(found.astype(np.int64))


def _with_known(subject: Subject) -> Callable[[Tensor], Tensor]:
    """The net, which need not look at the image itself again where its logits are known."""

    def forward(images: Tensor) -> Tensor:
        if images is subject.x and subject.logits is not None:
            return subject.logits
        return subject.net(images)

    return forward
