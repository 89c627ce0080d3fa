"""A hand-tuned training loop of stock PyTorch for one net: eager, compiled, or as a CUDA graph.

Rules of capture kept here: the first steps run on a side stream, so that momentum, cuDNN's choices
and autocast's state exist before; gradients are freed before the capture and then live in the
graph's own memory; the learning rate is a tensor on the device; nothing is read back in a step.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.rivals.feed import DeviceFeed, HostFeed
from benchmarks.rivals.modes import Mode
from resnet_viz.datasets.load import Dataset
from resnet_viz.nets.build import build_net
from resnet_viz.specs import RunSpec
from resnet_viz.training.schedule import learning_rate

GRAPH_WARM_STEPS = 3


def start_net(run: RunSpec, data: Dataset) -> nn.Module:
    """The net with the very weights that the program starts this run from, on the CPU."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(run.train.seed)
        return build_net(run.net, len(data.classes), data.train_images.shape[1])


class Loop:
    """One net with its optimiser and batches.

    Args:
        mode: how to train.
    """

    def __init__(self, run: RunSpec, data: Dataset, device: str, mode: Mode) -> None:
        self._run, self._device, self.mode = run, device, mode
        layout = torch.channels_last if mode.channels_last else torch.contiguous_format
        self.net = start_net(run, data).to(device, memory_format=layout)
        train = run.train
        self._lr = train.lr
        lr: float | Tensor = train.lr
        if device == "cuda":
            lr = torch.tensor(train.lr, device=device)
        self._optimizer = torch.optim.SGD(
            self.net.parameters(),
            lr=lr,
            momentum=train.momentum,
            weight_decay=train.weight_decay,
            fused=device != "mps",
        )
        args = (data, run.data, train, mode.channels_last)
        self._feed = HostFeed(*args) if device == "cpu" else DeviceFeed(*args, device)
        self._forward = (
            torch.compile(self.net, mode=mode.compile, fullgraph=True) if mode.compile else self.net
        )
        self._loss = torch.zeros((), device=device)
        self._wrong = torch.zeros((), device=device)
        self._counted = 0
        self.step = 0
        self._graph: torch.cuda.CUDAGraph | None = None

    def run(self, steps: int) -> None:
        """Take so many steps; returns when they are given to the device."""
        if self.mode.graph and self._graph is None:
            self._capture()
        for _ in range(steps):
            self._before_step()
            if self._graph is not None:
                self._graph.replay()
            else:
                self._step()

    def _before_step(self) -> None:
        """What the host does for the next step."""
        if isinstance(self._feed, DeviceFeed):
            self._feed.refill_if_due()
        self._set_learning_rate()
        self.step += 1
        self._counted += 1

    def _set_learning_rate(self) -> None:
        lr = learning_rate(self._run.train, self.step)
        if lr == self._lr:
            return
        self._lr = lr
        for group in self._optimizer.param_groups:
            if isinstance(group["lr"], Tensor):
                group["lr"].fill_(lr)
            else:
                group["lr"] = lr

    def _step(self) -> None:
        """Batch, forward, backward, update and metrics: all of it can be captured."""
        images, labels = self._feed.next()
        if self.mode.compile == "reduce-overhead":
            torch.compiler.cudagraph_mark_step_begin()
        half = self.mode.dtype == "bfloat16"
        with torch.autocast(self._device, torch.bfloat16, enabled=half, cache_enabled=False):
            logits = self._forward(images)
        loss = F.cross_entropy(logits.float(), labels)
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self._optimizer.step()
        with torch.no_grad():
            self._loss.add_(loss.detach())
            self._wrong.add_((logits.detach().argmax(1) != labels).float().mean())

    def _capture(self) -> None:
        """Take a few steps on a side stream, then record one (which takes no step)."""
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(GRAPH_WARM_STEPS):
                self._before_step()
                self._step()
        torch.cuda.current_stream().wait_stream(stream)
        torch.cuda.synchronize()
        self._optimizer.zero_grad(set_to_none=True)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self._step()
        self._graph = graph

    def metrics(self) -> tuple[float, float]:
        """Mean loss and error of the steps since the last call; waits for the device."""
        count, self._counted = max(1, self._counted), 0
        loss, wrong = self._loss.item() / count, self._wrong.item() / count
        self._loss.zero_()
        self._wrong.zero_()
        return loss, wrong
