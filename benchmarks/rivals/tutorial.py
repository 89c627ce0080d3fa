"""Rival (a): the loop of the tutorials, one net after another.

DataLoader with two workers, PIL transforms, eager float32, `.item()` every step, as in "Training a
Classifier" of the PyTorch tutorials, with the recipe of this benchmark.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset as TorchDataset
from torchvision import transforms

from benchmarks.rivals.devices import synchronize
from benchmarks.rivals.loops import start_net
from resnet_viz.datasets.load import Dataset, load
from resnet_viz.specs import RunSpec
from resnet_viz.training.schedule import learning_rate

WORKERS = 2
PREFETCHED = 2 * WORKERS  # batches that a DataLoader keeps ready by default


class Pictures(TorchDataset[tuple[Tensor, int]]):
    """A data set as torchvision's are: PIL images, transformed one by one."""

    def __init__(self, data: Dataset, transform: transforms.Compose) -> None:
        self._images = data.train_images.permute(0, 2, 3, 1).contiguous().numpy()
        self._labels = data.train_labels.tolist()
        self._transform = transform

    def __len__(self) -> int:
        return len(self._labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        pixels = self._images[index]
        image = Image.fromarray(pixels if pixels.shape[-1] == 3 else pixels[..., 0])
        return self._transform(image), self._labels[index]


def make_loader(run: RunSpec, data: Dataset, device: str) -> DataLoader[tuple[Tensor, int]]:
    """The tutorials' DataLoader for a run."""
    parts: list[Any] = []
    if run.data.crop_padding:
        size = data.train_images.shape[-1]
        parts.append(transforms.RandomCrop(size, padding=run.data.crop_padding))
    if run.data.flip:
        parts.append(transforms.RandomHorizontalFlip())
    parts += [transforms.ToTensor(), transforms.Normalize(data.mean.tolist(), data.std.tolist())]
    return DataLoader(
        Pictures(data, transforms.Compose(parts)),
        batch_size=run.train.batch_size,
        shuffle=True,
        num_workers=WORKERS,
        pin_memory=device == "cuda",
        drop_last=True,
    )


class TutorialNet:
    """One net and what trains it."""

    def __init__(self, run: RunSpec, data: Dataset, device: str) -> None:
        self._run, self._device = run, device
        self._net = start_net(run, data).to(device)
        self._criterion = nn.CrossEntropyLoss()
        train = run.train
        self._optimizer = torch.optim.SGD(
            self._net.parameters(),
            lr=train.lr,
            momentum=train.momentum,
            weight_decay=train.weight_decay,
        )
        self._step = 0

    def step(self, batch: tuple[Tensor, Tensor]) -> float:
        """One step; its loss."""
        images, labels = batch[0].to(self._device), batch[1].to(self._device)
        for group in self._optimizer.param_groups:
            group["lr"] = learning_rate(self._run.train, self._step)
        self._optimizer.zero_grad()
        loss = self._criterion(self._net(images), labels)
        loss.backward()
        self._optimizer.step()
        self._step += 1
        return loss.item()


class Tutorial:
    """One net after another, on batches of one DataLoader."""

    def __init__(self, runs: Sequence[RunSpec], device: str, threads: int) -> None:
        torch.set_num_threads(threads)
        self._runs, self._device = runs, device
        synchronize(device)

    def prepare(self) -> dict[str, Any]:
        """Start the DataLoader, build the nets, take a step of each."""
        data = load(self._runs[0].data)
        self._loader = make_loader(self._runs[0], data, self._device)
        self._iterator: Iterator[tuple[Tensor, Tensor]] = iter(self._loader)
        self._nets = [TutorialNet(run, data, self._device) for run in self._runs]
        for net in self._nets:
            net.step(self._batch())
        synchronize(self._device)
        return {"mode": f"float32, contiguous, DataLoader with {WORKERS} workers"}

    def train(self, steps: int) -> dict[str, Any]:
        """So many further steps of each net.

        Between turns the DataLoader has made batches in advance, which in a long training it does
        not get for nothing: as many untimed steps come first.
        """
        for _ in range(PREFETCHED):
            self._nets[0].step(self._batch())
        synchronize(self._device)
        start = time.perf_counter()
        losses = []
        for net in self._nets:
            running = 0.0
            for _ in range(steps):
                running += net.step(self._batch())
            losses.append(running / steps)
        synchronize(self._device)
        return {"seconds": time.perf_counter() - start, "losses": losses}

    def _batch(self) -> tuple[Tensor, Tensor]:
        try:
            return next(self._iterator)
        except StopIteration:
            self._iterator = iter(self._loader)
            return next(self._iterator)
