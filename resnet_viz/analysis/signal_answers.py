"""Signal and gradient of fresh nets, measured in the analysis process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from resnet_viz.analysis.batches import probe_batch
from resnet_viz.analysis.signal_jobs import in_float64
from resnet_viz.nets.build import build_net
from resnet_viz.probes.signal import measure
from resnet_viz.signals import Signal
from resnet_viz.specs import DataSpec, NetSpec


def measure_signal(
    net: Mapping[str, Any], data: Mapping[str, Any], images: int, seed: int
) -> Signal:
    """One batch through a net as a training with this seed begins, forward and back.

    Raises:
        SpecError: a bad spec.
        DataError: the data set is not there.
    """
    spec = NetSpec.from_dict(net)
    batch, labels, num_classes = probe_batch(DataSpec.from_dict(data), images, seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        built = build_net(spec, num_classes, batch.shape[1])
    dtype = torch.float64 if in_float64(spec) else torch.float32
    layout = torch.channels_last  # the faster one on a CPU, measured
    built.to(dtype=dtype, memory_format=layout)  # type: ignore[call-overload]
    batch = batch.to(dtype=dtype, memory_format=layout)
    return measure(built, batch, labels, spec=spec, seed=seed)
