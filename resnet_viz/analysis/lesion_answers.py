"""A net without some of its blocks, in the analysis process."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import torch

from resnet_viz.analysis.opened import open_net
from resnet_viz.analysis.own_images import own_images
from resnet_viz.lesions import Tally
from resnet_viz.nets.build import Net
from resnet_viz.probes.fused import fused
from resnet_viz.probes.lesions import count_wrong


def tally(
    net: Mapping[str, Any],
    data: Mapping[str, Any],
    targets: Sequence[int],
    fingerprint: str,
    plans: Sequence[Sequence[int]],
    start: int,
    stop: int,
) -> Tally:
    """How many of the test images `start` to `stop` a net gets wrong under each plan.

    Args:
        net: `Source.to_dict`.
        data, targets: as in `own_images`.
        plans: the number of the block at every place, -1 for none.

    Raises:
        SpecError, CheckpointError, WeightsError: as `open_net`.
        DataError: the images cannot be read.
    """
    opened = open_net(net)
    images, labels = own_images(opened, data, targets, "test", start, stop)
    images = images.contiguous(memory_format=torch.channels_last)
    wanted = [tuple(None if n < 0 else n for n in plan) for plan in plans]
    fast = _fused(json.dumps(net, sort_keys=True))
    return Tally(len(labels), count_wrong(fast, images, labels, wanted))


@lru_cache(maxsize=2)
def _fused(net: str) -> Net:
    return fused(open_net(json.loads(net)).net)
