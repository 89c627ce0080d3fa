"""Linear probes, fitted in the analysis process.

What the jobs of one question have in common (pooled outputs, fitted probes) stays in this
process's memory between them. Whatever is missing there, since the process is a new one or others
needed the room, is computed again by the job that needs it.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from resnet_viz.analysis.linear_files import (
    ProbeFileError,
    is_shipped,
    read_probes,
    write_probes,
)
from resnet_viz.analysis.opened import open_net
from resnet_viz.analysis.pictures import as_input
from resnet_viz.datasets.load import Dataset, load
from resnet_viz.i18n import _
from resnet_viz.inside import Floats, LinearProbes
from resnet_viz.probes.linear import Probe, fit_probe, placed, pool, probe_points
from resnet_viz.specs import DataSpec

MOST_BYTES = 2**28  # of pooled outputs in memory, unless those of one question are more


class _Images:
    """Chosen images of a data set: training images first, then test images.

    Attributes:
        train: how many are training images.
        labels: int64 (images,), classes of the net.
    """

    def __init__(self, data: Dataset, train: Tensor, test: Tensor, targets: Tensor) -> None:
        self._data, self._train, self._test = data, train, test
        self.train = len(train)
        labels = torch.cat([data.train_labels[train], data.test_labels[test]])
        self.labels = targets[labels].numpy()

    def batch(self, start: int, stop: int) -> Tensor:
        """uint8 (at most stop - start, channels, side, side)."""
        train = self._train[start:stop]
        test = self._test[max(0, start - self.train) : max(0, stop - self.train)]
        return torch.cat([self._data.train_images[train], self._data.test_images[test]])


def _choose_images(task: Mapping[str, Any]) -> _Images:
    data = load(DataSpec.from_dict(task["data"]))
    generator = torch.Generator().manual_seed(task["seed"])
    train = torch.randperm(len(data.train_labels), generator=generator)[: task["train"]]
    test = torch.randperm(len(data.test_labels), generator=generator)[: task["test"]]
    return _Images(data, train, test, torch.tensor(task["targets"]))


@dataclass
class _Work:
    """One question's: its images, pooled outputs and predictions by chunk, probes by point."""

    images: _Images
    pooled: dict[int, tuple[list[Tensor], Tensor]] = field(default_factory=dict)
    probes: dict[int, Probe] = field(default_factory=dict)

    @property
    def size_bytes(self) -> int:
        return sum(4 * x.numel() for outputs, _classes in self.pooled.values() for x in outputs)


_works: OrderedDict[str, _Work] = OrderedDict()  # the one that was not used for longest first


def pool_images(number: int, **task: Any) -> None:
    """Put chunk `number` of the chosen images through the net.

    Args:
        task: see `fit_all`.

    Raises:
        SpecError, CheckpointError: as `open_net`.
        DataError: the images cannot be read.
    """
    _pooled(_work(task), task, number)


def fit_point(number: int, **task: Any) -> None:
    """Fit the probe of point `number`.

    Raises:
        ActivationError, ConvergenceError: it cannot be fitted; and as `pool_images`.
    """
    _probe(_work(task), task, number)


def keep_probes(file: str, **task: Any) -> LinearProbes:
    """All probes of a question, after they were written to `file`.

    Raises:
        ProbeFileError: the file cannot be written; and as `fit_point`.
    """
    probes = fit_all(task)
    write_probes(Path(file), probes)
    _works.pop(_key(task), None)
    return probes


def fit_all(task: Mapping[str, Any]) -> LinearProbes:
    """The probes of all points.

    Args:
        task: net (`Source.to_dict()`), data (`DataSpec.to_dict()`), targets (for each class of
            the data its position among the net's), train and test (how many images), seed (of
            their choice), chunk (images at a time), words (what the images are).

    Raises:
        as `fit_point`.
    """
    work, opened = _work(task), open_net(task["net"])
    points = probe_points(opened.card.net)
    fitted = [_probe(work, task, number) for number in range(len(points))]
    images = work.images
    predicted = np.concatenate([_pooled(work, task, i)[1].numpy() for i in _chunks(task)])
    wrong = (predicted != images.labels)[images.train :]
    return LinearProbes(
        net=opened.card.net,
        step=opened.card.step,
        points=tuple(point.name for point in points),
        train_error=tuple(probe.train_error for probe in fitted),
        test_error=tuple(probe.test_error for probe in fitted),
        train_images=images.train,
        test_images=len(wrong),
        net_error=float(wrong.mean()),
        classes=opened.card.classes,
        data=task["words"],
        weights=tuple(probe.weights for probe in fitted),
        bias=tuple(probe.bias for probe in fitted),
    )


def read_kept(net: Mapping[str, Any], file: str) -> LinearProbes:
    """The probes of a net in a file.

    Raises:
        ProbeFileError: it is missing, damaged (and is then removed), or of another net.
    """
    card, path = open_net(net).card, Path(file)
    if not path.is_file():
        text = _("The probes of {net} are not fitted yet: ask for them first.")
        raise ProbeFileError(text.format(net=card.title))
    try:
        found = read_probes(path)
        if (found.net, found.step, found.classes) != (card.net, card.step, card.classes):
            raise ProbeFileError(_("{file} is of another net.").format(file=path.name))
    except ProbeFileError as error:
        if is_shipped(path):
            raise
        path.unlink(missing_ok=True)
        text = _("{error} It was removed; ask again, and the probes are fitted anew.")
        raise ProbeFileError(text.format(error=error)) from None
    return found


def place_image(net: Mapping[str, Any], image: str, file: str) -> Floats:
    """What every probe of a file says of an image: float32 (points, classes), probabilities.

    Raises:
        as `read_kept`.
    """
    opened = open_net(net)
    probes = read_kept(net, file)
    pooled, _logits = pool(opened.net, as_input(image, opened), probe_points(opened.card.net))
    return placed(probes.weights, probes.bias, pooled)


# --- what the jobs of a question share ---


def _key(task: Mapping[str, Any]) -> str:
    return json.dumps(task, sort_keys=True)


def _work(task: Mapping[str, Any]) -> _Work:
    """The question's, which is then the newest; the oldest go where there is no room for all."""
    key = _key(task)
    if key not in _works:
        _works[key] = _Work(_choose_images(task))
    _works.move_to_end(key)
    while len(_works) > 1 and sum(w.size_bytes for w in _works.values()) > MOST_BYTES:
        _works.popitem(last=False)
    return _works[key]


def _chunks(task: Mapping[str, Any]) -> range:
    return range(-(-(task["train"] + task["test"]) // task["chunk"]))


def _pooled(work: _Work, task: Mapping[str, Any], number: int) -> tuple[list[Tensor], Tensor]:
    """Pooled outputs a point (images, channels) of a chunk, and the net's own classes (images,)."""
    if number not in work.pooled:
        opened = open_net(task["net"])
        start = number * task["chunk"]
        x = work.images.batch(start, start + task["chunk"])
        outputs, logits = pool(opened.net, opened.normalise(x), probe_points(opened.card.net))
        work.pooled[number] = outputs, logits.argmax(1)
    return work.pooled[number]


def _probe(work: _Work, task: Mapping[str, Any], number: int) -> Probe:
    if number not in work.probes:
        opened = open_net(task["net"])
        features = torch.cat([_pooled(work, task, i)[0][number] for i in _chunks(task)]).numpy()
        labels, train = work.images.labels, work.images.train
        work.probes[number] = fit_probe(
            *(features[:train], labels[:train], features[train:], labels[train:]),
            classes=len(opened.card.classes),
        )
    return work.probes[number]
