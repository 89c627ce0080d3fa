"""Nets with inserted blocks, made and measured in the analysis process."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from functools import lru_cache
from typing import Any

import torch

from resnet_viz.analysis.opened import Opened, open_net
from resnet_viz.analysis.own_images import own_images
from resnet_viz.construction import Share
from resnet_viz.nets.build import Net
from resnet_viz.nets.starts import write_start
from resnet_viz.nets.surgery import insert_blocks
from resnet_viz.probes.modes import preserved

_STATISTICS = 128  # training images on which a plain net's statistics are measured


def measure_share(split: str, start: int, stop: int, training: bool, **task: Any) -> Share:
    """Images `start` to `stop` of a split through a net and through the deeper one.

    Args:
        training: in training mode, all of them one batch.
        task: net (`Source.to_dict`), where, k and seed (of `insert_blocks`), images (the
            arguments of `own_images` that all shares have in common).

    Raises:
        SpecError, CheckpointError, WeightsError: as `open_net` and `insert_blocks`.
        DataError: the images cannot be read.
    """
    opened, made = open_net(task["net"]), _made(json.dumps(task, sort_keys=True))
    x, labels = _images(opened, task["images"], split, start, stop)
    logits = []
    for net in (opened.net, made):
        with preserved(net) if training else nullcontext(), torch.no_grad():
            net.train(training)
            logits.append(net(x))
    before, after = logits
    return Share(
        images=len(labels),
        before=int((before.argmax(1) != labels).sum()),
        after=int((after.argmax(1) != labels).sum()),
        difference=float((before - after).abs().max()),
        logit=float(before.abs().max()),
    )


def keep_starts(**task: Any) -> tuple[str, str]:
    """Keep the weights of a net and of the deeper one; what `RunSpec.start` takes.

    Raises:
        StartError: they cannot be kept; and as `measure_share`.
    """
    made = _made(json.dumps(task, sort_keys=True))
    return write_start(open_net(task["net"]).net), write_start(made)


@lru_cache(maxsize=2)
def _made(task: str) -> Net:
    """The deeper net, in evaluation mode."""
    about = json.loads(task)
    opened = open_net(about["net"])
    spec: Any = opened.card.net
    images = None
    if spec.family == "plain":
        images, _labels = _images(opened, about["images"], "train", 0, _STATISTICS)
    net, _spec = insert_blocks(opened.net, spec, about["where"], about["k"], about["seed"], images)
    return net.eval().requires_grad_(False)


def _images(
    opened: Opened, about: Mapping[str, Any], split: str, start: int, stop: int
) -> tuple[torch.Tensor, torch.Tensor]:
    targets: Sequence[int] = about["targets"]
    return own_images(opened, about["data"], targets, split, start, stop)
