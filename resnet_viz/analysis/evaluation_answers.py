"""A net's answers to labelled images, computed in the analysis process."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from resnet_viz.analysis.evaluation_jobs import Judged
from resnet_viz.analysis.opened import open_net
from resnet_viz.datasets.catalogue import as_loaded
from resnet_viz.datasets.folder import read_images
from resnet_viz.datasets.images import in_channels, resize
from resnet_viz.datasets.load import load
from resnet_viz.datasets.scan import scan
from resnet_viz.specs import DataSpec

_BATCH_PIXELS = 64 * 32 * 32  # a forward pass


def judge_images(
    net: Mapping[str, Any],
    data: Mapping[str, Any],
    split: str,
    start: int,
    stop: int,
    fingerprint: str,
) -> Judged:
    """What a net takes the images `start` to `stop` of a split for.

    Args:
        net: `Source.to_dict`.
        data: `DataSpec.to_dict`.
        fingerprint: of the folder's listing; makes another question of a changed folder.

    Raises:
        DataError: the data are not there.
    """
    opened = open_net(net)
    begin = time.perf_counter()
    size, spec = opened.card.image_size, DataSpec.from_dict(data)
    if spec.folder is not None:
        labelled = _listed(spec.folder, fingerprint, split)[start:stop]
        images, labels, unusable = _decode(labelled, size)
    else:
        images, labels = _data_images(spec, size, split, start, stop)
        unusable = []
    images = in_channels(images, opened.card.channels)
    batch = max(1, _BATCH_PIXELS // size**2)
    with torch.inference_mode():
        found = [opened.net(opened.normalise(x)).argmax(1) for x in images.split(batch)]
    predictions = torch.cat(found) if len(images) else torch.zeros(0, dtype=torch.int64)
    seconds = time.perf_counter() - begin
    return {
        "labels": labels.numpy(),
        "predictions": predictions.numpy(),
        "unusable": unusable,
        "seconds": seconds,
    }


@lru_cache(maxsize=2)
def _listed(folder: str, _fingerprint: str, split: str) -> tuple[tuple[str, int], ...]:
    """Path and label of every image of a split."""
    listing = scan(folder)
    return {"train": listing.train, "test": listing.test}.get(split, listing.train + listing.test)


def _decode(labelled: Sequence[tuple[str, int]], size: int) -> tuple[Tensor, Tensor, list[str]]:
    """The usable ones of some image files, their labels, and why the others are not."""
    pixels, failures = read_images([path for path, _label in labelled], size)
    usable = [i for i in range(len(labelled)) if i not in failures]
    labels = torch.tensor([labelled[i][1] for i in usable], dtype=torch.int64)
    reasons = [f"{labelled[i][0]} ({why})" for i, why in sorted(failures.items())]
    return torch.from_numpy(pixels[usable]), labels, reasons


def _data_images(
    data: DataSpec, size: int, split: str, start: int, stop: int
) -> tuple[Tensor, Tensor]:
    """Some images of a split of a named data set, of `size` pixels a side, and their labels."""
    found = load(as_loaded(data, size))
    parts = {
        "train": [(found.train_images, found.train_labels)],
        "test": [(found.test_images, found.test_labels)],
    }
    images, labels = [], []
    for x, y in parts.get(split, parts["train"] + parts["test"]):
        low, high = max(start, 0), max(stop, 0)
        images.append(resize(x[low:high], size))
        labels.append(y[low:high])
        start, stop = start - len(y), stop - len(y)
    return torch.cat(images), torch.cat(labels)
