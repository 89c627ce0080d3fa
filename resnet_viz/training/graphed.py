"""A training on a CUDA device: each step is the replay of a captured graph, and nobody waits.

A step of a small net is some hundred kernels of a few microseconds each; started one by one
from Python, the device would mostly wait for the next. A captured graph starts them all at once.
Every training has a stream of its own, so that the nets of a sweep fill the device together.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from resnet_viz.probes.recorder import StepProbe
from resnet_viz.records import Profile, Record
from resnet_viz.training.checkpoint import Checkpoint
from resnet_viz.training.schedule import JUDGE_EVERY
from resnet_viz.training.training import Training

IN_FLIGHT = 3  # steps that the device may have before it: it never idles, and Stop stays prompt
EAGER_STEPS = 3  # before the capture, which needs algorithms chosen and the optimiser's state made

_log = logging.getLogger(__name__)


@dataclass
class _Graph:
    """A captured step, and where each replay leaves what it measured.

    Attributes:
        metrics: loss and error (2,).
        measured: what `probe` gives, or None.
    """

    graph: torch.cuda.CUDAGraph
    metrics: Tensor
    probe: StepProbe | None
    measured: Tensor | None


@dataclass
class _Flight:
    """A step that the device has been told to take, and the host's copies of what it measures."""

    step: int
    lr: float
    landed: torch.cuda.Event
    metrics: Tensor
    probe: StepProbe | None
    measured: Tensor | None


class GraphedTraining(Training):
    """A training whose steps are under way on a CUDA device while the caller goes on.

    Records come some steps late, but all before `finished`; checkpoints wait for their step.
    The first steps, and every step of a net that draws by chance, are started one by one, and so
    are all steps if the capture fails. When the loss is not finite any more, the weights are those
    of up to `IN_FLIGHT` steps later.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        torch.backends.cudnn.benchmark = True
        super().__init__(*args, **options)
        self._stream = torch.cuda.Stream()
        self._flights: deque[_Flight] = deque()
        self._landed: list[Record | Profile] = []
        self._graphs: dict[bool, _Graph] = {}  # by whether the step is measured
        self._captures = not self.spec.net.random
        self._eager_left = EAGER_STEPS
        self._images: Tensor | None = None  # where the graphs find their batch
        self._labels: Tensor | None = None

    def _advance(self) -> list[Record | Profile]:
        if len(self._flights) >= IN_FLIGHT:
            self._land()
        if not self._warmed_up and self.step % JUDGE_EVERY == 0:
            self._settle()  # the next learning rate hangs on what is under way
        self._launch()
        if self.finished or self._evaluation_due():
            self._settle()
        landed, self._landed = self._landed, []
        return landed

    def _launch(self) -> None:
        """Tell the device to take one step."""
        lr = self._set_learning_rate()
        probe = self._probe_if_due()
        images, labels = self._batches.at(self.step)
        self._stream.wait_stream(torch.cuda.current_stream())
        images.record_stream(self._stream)
        labels.record_stream(self._stream)
        with torch.cuda.stream(self._stream):
            graph = self._graph_for(probe, images, labels)
            if graph is None:
                metrics, measured = self._whole_step(images, labels, probe)
            else:
                assert self._images is not None
                assert self._labels is not None
                self._images.copy_(images)
                self._labels.copy_(labels)
                graph.graph.replay()
                metrics, measured, probe = graph.metrics, graph.measured, graph.probe
            self.step += 1
            host = None if measured is None else _to_host(measured)
            flight = _Flight(self.step, lr, torch.cuda.Event(), _to_host(metrics), probe, host)
            flight.landed.record()
        self._flights.append(flight)

    def _whole_step(
        self, images: Tensor, labels: Tensor, probe: StepProbe | None
    ) -> tuple[Tensor, Tensor | None]:
        """One step, and what it measured: loss and error (2,), and the probe's numbers."""
        loss, error = self._forward(images, labels, probe)
        self._backward(loss, probe)
        metrics = torch.stack([loss.detach(), error])
        return metrics, None if probe is None else probe.measured()

    def _graph_for(self, probe: StepProbe | None, images: Tensor, labels: Tensor) -> _Graph | None:
        """The captured step, captured now if it is time; None for a step without."""
        if self._eager_left:
            self._eager_left -= 1
            return None
        key = probe is not None
        if self._captures and key not in self._graphs:
            try:
                self._graphs[key] = self._capture(probe, images, labels)
            except RuntimeError as error:  # out of memory, too
                _log.warning("%s goes on without a graph: %s", self.spec.net.name, error)
                self._captures, self._graphs = False, {}
        return self._graphs.get(key)

    def _capture(self, probe: StepProbe | None, images: Tensor, labels: Tensor) -> _Graph:
        if self._images is None or self._labels is None:
            self._images, self._labels = images.clone(), labels.clone()
        self._settle()
        self._optimizer.zero_grad(set_to_none=True)
        pool = next((g.graph.pool() for g in self._graphs.values()), None)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=pool, stream=self._stream):
            metrics, measured = self._whole_step(self._images, self._labels, probe)
        return _Graph(graph, metrics, probe, measured)

    def _set_learning_rate(self) -> float:
        lr = self._learning_rate()
        with torch.cuda.stream(self._stream):
            for group in self._optimizer.param_groups:
                group["lr"].fill_(lr)  # a tensor, which the graphs read
        return lr

    def _optimizer_options(self) -> Mapping[str, Any]:
        options = {"lr": torch.tensor(self.spec.train.lr, device=self.device), "fused": True}
        return options | ({"capturable": True} if self.spec.train.optimizer == "adam" else {})

    def _evaluate(self) -> dict[str, float]:
        with torch.cuda.stream(self._stream):
            return super()._evaluate()

    def _land(self) -> None:
        """Take in what the oldest step under way measured, when it is done."""
        flight = self._flights.popleft()
        flight.landed.synchronize()
        loss, error = flight.metrics.tolist()
        self._check_loss(loss, flight.step)
        profile = None
        if flight.probe is not None and flight.measured is not None:
            profile = flight.probe.values(flight.measured.tolist())
        self._landed += self._note(flight.step, flight.lr, (loss, error), profile)

    def _settle(self) -> None:
        """Take in every step under way."""
        while self._flights:
            self._land()

    def checkpoint(self) -> Checkpoint:
        self._settle()
        return super().checkpoint()

    def snapshot(self) -> Checkpoint:
        self._settle()
        return super().snapshot()


def _to_host(values: Tensor) -> Tensor:
    """A copy in pinned memory, which is there once the current stream has come so far."""
    host = torch.empty(values.shape, dtype=values.dtype, pin_memory=True)
    return host.copy_(values, non_blocking=True)
