"""Answers about shattered gradients, with torch; `shattering_jobs` asks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from resnet_viz.analysis.batches import probe_batch
from resnet_viz.i18n import _
from resnet_viz.nets.build import build_net
from resnet_viz.probes.shattering import autocorrelation, noise_sequence, slope, walk
from resnet_viz.specs import DataSpec, NetSpec

_SEQUENCES = 100  # of noise, which costs next to nothing: a steady mean to compare with


def measure_noise(noise: str, points: int) -> dict[str, Any]:
    """A sequence of noise as long as a line, and the autocorrelations of many such.

    Returns:
        "net": None; "noise"; "slope": the first sequence; "autocorrelations": one list of lags a
        sequence.
    """
    generator = torch.Generator().manual_seed(0)
    sequences = [noise_sequence(noise, points, generator) for _ in range(_SEQUENCES)]
    found = [autocorrelation(sequence, points // 2) for sequence in sequences]
    return {
        "net": None,
        "noise": noise,
        "slope": sequences[0].tolist(),
        "autocorrelations": torch.stack(found).tolist(),
    }


def measure_line(
    net: Mapping[str, Any],
    data: Mapping[str, Any],
    images: int,
    points: int,
    seed: int,
    piece: int,
    stop: int,
) -> dict[str, Any] | None:
    """Measure the input gradient of a freshly initialised net as far as the point `stop`.

    The line runs between two images of different classes; the logit is the first one's class.

    Args:
        net, data: specs as dictionaries.
        images: whose statistics the batch norms keep; the line's ends are among them.
        points: on the whole line.
        seed: of weights and images.
        piece: points that are measured at once.
        stop: a multiple of `piece`, or `points`.

    Returns:
        None before the end of the line; there "net": its spec; "noise": ""; "slope": by point;
        "autocorrelations": one list of lags.

    Raises:
        DataError: the data set is not there or cannot be read.
        ValueError: all the images are of one class.
    """
    spec, images_of = NetSpec.from_dict(net), DataSpec.from_dict(data)
    with _one_thread():
        line = _line(spec, images_of, images, points, seed, piece)
        try:
            line.advance(stop)
        except BaseException:
            _line.cache_clear()  # a walk that failed cannot go on; who asks again begins anew
            raise
    if stop < points:
        return None
    return {"net": spec.to_dict(), "noise": "", **line.result()}


@contextmanager
def _one_thread() -> Iterator[None]:
    """Compute in one thread: while nets train on every core, two took eight times as long as
    one for these float64 convolutions (measured)."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


class _Line:
    """A line that is measured a piece at a time, over several jobs.

    In float64: a deep plain net is so sensitive that in float32 its input gradient is wrong by
    6 % at depth 56 and all rounding at depth 110 (measured, width 8).
    """

    def __init__(
        self, spec: NetSpec, data: DataSpec, images: int, points: int, seed: int, piece: int
    ) -> None:
        batch, labels, classes = probe_batch(data, images, seed)
        batch = batch.double()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            net = build_net(spec, classes, batch.shape[1]).double()
        first, second = _of_two_classes(labels)
        self._ends = (batch[first], batch[second])
        stops = [*range(piece, points, piece), points]
        self._walk = walk(net, batch, self._ends, int(labels[first]), stops)
        self._pieces: list[Tensor] = []
        self._points = points

    def advance(self, stop: int) -> None:
        """Go on until the gradient at the first `stop` points is known."""
        while sum(map(len, self._pieces)) < stop:
            self._pieces.append(next(self._walk))

    def result(self) -> dict[str, Any]:
        """Slope and autocorrelation of the whole line, as plain values."""
        gradients = torch.cat(self._pieces)
        return {
            "slope": slope(gradients, self._ends).tolist(),
            "autocorrelations": [autocorrelation(gradients, self._points // 2).tolist()],
        }


# Jobs of one line follow each other; a few lines, since sessions take turns. After a restart of
# the process the next job begins its line anew.
_line = lru_cache(maxsize=4)(_Line)


def _of_two_classes(labels: Tensor) -> tuple[int, int]:
    """Numbers of the first image, and of the first one of another class."""
    others = torch.nonzero(labels != labels[0]).flatten()
    if not len(others):
        text = _(
            "The line needs images of two classes, but these {n} images are all of one. "
            "Choose data with more classes."
        )
        raise ValueError(text.format(n=len(labels)))
    return 0, int(others[0])
