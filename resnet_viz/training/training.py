"""One net being trained: everything that a step changes, and how it is frozen and thawed."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from resnet_viz.datasets.batches import chance_seed
from resnet_viz.datasets.load import Dataset, load
from resnet_viz.layers import blocks_of, weighted_layers
from resnet_viz.nets.build import Net, build_net
from resnet_viz.nets.costs import Machine
from resnet_viz.nets.starts import load_start
from resnet_viz.probes.recorder import StepProbe
from resnet_viz.records import PROBE_EVERY, RUNNING_STEPS, Profile, Record
from resnet_viz.specs import AUXILIARY_WEIGHT, RunSpec
from resnet_viz.training.batches import shared_batches
from resnet_viz.training.checkpoint import Checkpoint, CheckpointError
from resnet_viz.training.machine import measure_machine, resolve_device
from resnet_viz.training.schedule import (
    JUDGE_EVERY,
    evaluation_interval,
    learning_rate,
    log_interval,
    probe_interval,
)

SPEED_SECONDS = 1.0  # training time between two speed records
EVALUATION_BATCH = 500
MAX_THREADS = 256  # of one net


class DivergedError(ArithmeticError):
    """The loss is no longer a finite number."""


class Training:
    """A run in progress: net, optimiser, data and what was measured over the last steps.

    Every random draw is a function of (seed, purpose, step), so that a checkpoint needs no
    random state and two trainings in one process do not disturb each other.

    Args:
        spec: what to train.
        device: "auto", "cuda", "mps" or "cpu".
        threads: CPU threads; None for as many as torch is set to use.
        machine: measured number format and memory layout; None to measure now.
        checkpoint: go on from here, with the threads and the format of its beginning.
        probe_every: steps between profiles, the first and the last step's always among them;
            0 or None for none. It only observes: all other records are the same without.

    Raises:
        DataError: the data set is not there or cannot be read.
        CheckpointError: the checkpoint is of another run.
        StartError: the weights to start from are gone, damaged, or of another net.
        SpecError: `probe_every` is no number of steps.
    """

    def __init__(
        self,
        spec: RunSpec,
        *,
        device: str = "auto",
        threads: int | None = None,
        machine: Machine | None = None,
        checkpoint: Checkpoint | None = None,
        probe_every: int | None = PROBE_EVERY,
    ) -> None:
        self.spec = spec
        self.device = resolve_device(device)
        self.step = 0
        self.seconds = 0.0
        meta = checkpoint.meta if checkpoint else {}
        if checkpoint:
            _check_machine(meta)
        machine = machine or (None if checkpoint else measure_machine(self.device))
        self.dtype: str = meta.get("dtype") or (machine.dtype if machine else "float32")
        self.channels_last = bool(
            meta.get("channels_last", machine.channels_last if machine else False)
        )
        threads = min(threads or torch.get_num_threads(), MAX_THREADS)
        self.threads: int = meta.get("threads", threads)
        self._dtype = {"float32": torch.float32, "bfloat16": torch.bfloat16}[self.dtype]
        self._warmed_up = spec.train.warmup_error is None
        self._errors: deque[float] = deque(maxlen=RUNNING_STEPS)
        self._losses: deque[float] = deque(maxlen=RUNNING_STEPS)
        self._next_speed = SPEED_SECONDS
        self.data: Dataset = load(spec.data)
        recipe = (spec.train.batch_size, spec.train.seed)
        self._batches = shared_batches(
            self.data, spec.data, *recipe, self.device, self.channels_last
        )
        self.net = self._build(None if checkpoint else spec.start)
        self._optimizer = self._make_optimizer()
        self._layers = [self.net.get_submodule(x.module) for x in weighted_layers(spec.net)]
        self._blocks = [self.net.get_submodule(x.module) for x in blocks_of(spec.net)]
        self._probe_interval = probe_interval(spec.train, probe_every)
        if checkpoint is not None:
            self._thaw(checkpoint)

    @property
    def finished(self) -> bool:
        """Whether every step of the recipe is taken."""
        return self.step >= self.spec.train.steps

    def advance(self) -> list[Record | Profile]:
        """Take one step; returns what is to be recorded after it.

        Raises:
            DivergedError: the loss is not finite; the weights are those before the step.
        """
        start = time.perf_counter()
        torch.set_num_threads(self.threads)
        records = self._advance()
        self.seconds += time.perf_counter() - start
        if self._evaluation_due():
            records.append(Record("evaluation", self.step, self._evaluate()))
        if self.seconds >= self._next_speed or self.finished:
            self._next_speed = self.seconds + SPEED_SECONDS
            speed = self.step * self.spec.train.batch_size / self.seconds
            values = {"images_per_second": speed, "seconds": self.seconds}
            records.append(Record("speed", self.step, values))
        return records

    def _advance(self) -> list[Record | Profile]:
        """Take one step; returns what it measured."""
        lr = self._set_learning_rate()
        probe = self._probe_if_due()
        images, labels = self._batches.at(self.step)
        loss, error = self._forward(images, labels, probe)
        value = loss.item()
        self._check_loss(value, self.step + 1)
        self._backward(loss, probe)
        self.step += 1
        profile = probe.values(probe.measured().tolist()) if probe else None
        return self._note(self.step, lr, (value, error.item()), profile)

    def _note(
        self,
        step: int,
        lr: float,
        metrics: tuple[float, float],
        profile: Mapping[str, tuple[float, ...]] | None,
    ) -> list[Record | Profile]:
        """Take in what step number `step` measured, loss and error; returns what is due of it."""
        train = self.spec.train
        loss, error = metrics
        self._losses.append(loss)
        self._errors.append(error)
        if not self._warmed_up and step % JUDGE_EVERY == 0:
            assert train.warmup_error is not None
            self._warmed_up = _mean(self._errors) < train.warmup_error
        records: list[Record | Profile] = []
        if step % log_interval(train) == 0 or step == train.steps:
            values = {"running_error": _mean(self._errors), "running_loss": _mean(self._losses)}
            records.append(Record("training", step, {**values, "lr": lr}))
        if profile is not None:
            records.append(Profile(step, profile))
        return records

    def _probe_if_due(self) -> StepProbe | None:
        """What measures the step that comes, if that is to be measured."""
        last = self.step + 1 == self.spec.train.steps
        if not self._probe_interval or (self.step % self._probe_interval and not last):
            return None
        return StepProbe(self._layers, self._blocks)

    def _forward(
        self, images: Tensor, labels: Tensor, probe: StepProbe | None
    ) -> tuple[Tensor, Tensor]:
        """Loss and error of one batch, scalars on the net's device."""
        with self._chance(), probe.forward() if probe else nullcontext():
            logits, *auxiliary = self._outputs(images)
        loss = F.cross_entropy(logits.float(), labels)
        if auxiliary:
            others = (F.cross_entropy(x.float(), labels) for x in auxiliary)
            loss = loss + AUXILIARY_WEIGHT * torch.stack(list(others)).sum()
        return loss, (logits.detach().argmax(1) != labels).float().mean()

    def _backward(self, loss: Tensor, probe: StepProbe | None) -> None:
        """Change the weights as the loss asks."""
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()
        with probe.update() if probe else nullcontext():
            self._optimizer.step()

    def _check_loss(self, loss: float, step: int) -> None:
        if not math.isfinite(loss):
            raise DivergedError(f"the loss became {loss} at step {step}")

    @contextmanager
    def _chance(self) -> Iterator[None]:
        """Give a net that draws by chance the numbers of this run and step."""
        if not self.spec.net.random:
            yield
            return
        devices = [torch.cuda.current_device()] if self.device == "cuda" else []
        with torch.random.fork_rng(devices):
            torch.manual_seed(chance_seed(self.spec.train.seed, self.step))
            yield

    def _outputs(self, images: Tensor) -> list[Tensor]:
        """Logits (batch, classes) of the head and of every auxiliary classifier."""
        with self._autocast():
            return self.net.outputs(images)

    def _logits(self, images: Tensor) -> Tensor:
        """Logits (batch, classes) of prepared images (batch, channels, height, width)."""
        with self._autocast():
            return self.net(images)

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self.device, self._dtype, enabled=self._dtype is not torch.float32)

    def _evaluation_due(self) -> bool:
        held_out = len(self.data.val_labels) + len(self.data.test_labels)
        interval = evaluation_interval(self.spec.train, held_out)
        return self.finished or (self.step % interval == 0 and held_out > 0)

    def _evaluate(self) -> dict[str, float]:
        held_out = {
            "val_error": (self.data.val_images, self.data.val_labels),
            "test_error": (self.data.test_images, self.data.test_labels),
        }
        values = {n: self._error_on(x, y) for n, (x, y) in held_out.items() if len(y)}
        if self.finished:
            values["train_error"] = self._error_on(self.data.train_images, self.data.train_labels)
        return values

    @torch.no_grad()
    def _error_on(self, images: Tensor, labels: Tensor) -> float:
        """Fraction of images (n, channels, height, width) that evaluation mode gets wrong."""
        self.net.eval()
        try:
            wrong = torch.zeros((), dtype=torch.int64, device=self.device)
            for x, y in zip(
                images.split(EVALUATION_BATCH), labels.split(EVALUATION_BATCH), strict=True
            ):
                answers = self._logits(self._batches.prepare(x)).argmax(1)
                wrong += (answers != y.to(self.device)).sum()
            return wrong.item() / len(labels)
        finally:
            self.net.train()

    def _learning_rate(self) -> float:
        return learning_rate(self.spec.train, self.step, warmed_up=self._warmed_up)

    def _set_learning_rate(self) -> float:
        lr = self._learning_rate()
        for group in self._optimizer.param_groups:
            group["lr"] = lr
        return lr

    def _build(self, start: str | None) -> Net:
        """The net with random weights, or with those of a kept file."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.spec.train.seed)
            channels = self.data.train_images.shape[1]
            net = build_net(self.spec.net, len(self.data.classes), channels)
        if start is not None:
            load_start(net, start, self.spec.net.name)
        layout = torch.channels_last if self.channels_last else torch.contiguous_format
        return net.to(self.device, memory_format=layout)  # type: ignore[call-overload]

    def _make_optimizer(self) -> torch.optim.Optimizer:
        train, parameters = self.spec.train, list(self.net.parameters())
        options = {"weight_decay": train.weight_decay, **self._optimizer_options()}
        if train.optimizer == "adam":
            return torch.optim.Adam(parameters, **options)
        return torch.optim.SGD(parameters, momentum=train.momentum, **options)

    def _optimizer_options(self) -> Mapping[str, Any]:
        return {"lr": self.spec.train.lr, "fused": self.device != "mps"}

    def checkpoint(self) -> Checkpoint:
        """The state after the last whole step, on the CPU, independent of what follows."""
        snapshot = self.snapshot()
        tensors = dict(snapshot.tensors)
        for i, state in self._optimizer.state_dict()["state"].items():
            for name, value in state.items():
                if isinstance(value, Tensor):
                    tensors[f"optimizer.{i}.{name}"] = value.detach().clone()
        window = [list(self._errors), list(self._losses)]
        tensors["window"] = torch.tensor(window, dtype=torch.float64)
        meta = {
            "dtype": self.dtype,
            "channels_last": self.channels_last,
            "threads": self.threads,
            "seconds": self.seconds,
            "warmed_up": self._warmed_up,
        }
        return Checkpoint(self.step, tensors, {**snapshot.meta, **meta})

    def snapshot(self) -> Checkpoint:
        """The net alone after the last whole step: to be looked at, not to go on from."""
        tensors = {f"net.{k}": v.detach().clone() for k, v in self.net.state_dict().items()}
        meta = {
            "spec": self.spec.to_dict(),
            "classes": list(self.data.classes),
            "mean": self.data.mean.tolist(),
            "std": self.data.std.tolist(),
        }
        return Checkpoint(self.step, tensors, meta)

    def _thaw(self, checkpoint: Checkpoint) -> None:
        meta, tensors = checkpoint.meta, checkpoint.tensors
        if meta.get("spec") != self.spec.to_dict():
            raise CheckpointError("the checkpoint was written by a run with another spec")
        try:
            self.net.load_state_dict(
                {k.removeprefix("net."): v for k, v in tensors.items() if k.startswith("net.")}
            )
            self._thaw_optimizer(tensors)
            errors, losses = tensors["window"].tolist()
            self._errors.extend(errors)
            self._losses.extend(losses)
            self.seconds, self._warmed_up = float(meta["seconds"]), bool(meta["warmed_up"])
        except (LookupError, ValueError, RuntimeError, TypeError) as error:
            raise CheckpointError(f"the checkpoint does not fit its own spec: {error}") from None
        self._next_speed = self.seconds + SPEED_SECONDS
        self.step = checkpoint.step

    def _thaw_optimizer(self, tensors: dict[str, Tensor]) -> None:
        state: dict[int, dict[str, Any]] = {}
        parameters = list(self.net.parameters())
        for key, value in tensors.items():
            if key.startswith("optimizer."):
                index, name = key.removeprefix("optimizer.").split(".")
                parameter = parameters[int(index)]
                if value.shape == parameter.shape:  # in the parameter's own memory layout
                    value = torch.empty_like(parameter.detach()).copy_(value)
                state.setdefault(int(index), {})[name] = value
        groups = self._optimizer.state_dict()["param_groups"]
        self._optimizer.load_state_dict({"state": state, "param_groups": groups})


def _check_machine(meta: dict[str, Any]) -> None:
    """Refuse a checkpoint, which may be of anybody, with threads or a format that none has."""
    threads, dtype = meta.get("threads"), meta.get("dtype")
    if type(threads) is not int or not 1 <= threads <= MAX_THREADS:
        raise CheckpointError(f"threads {threads!r:.80} is not a number from 1 to {MAX_THREADS}")
    if dtype not in ("float32", "bfloat16"):
        raise CheckpointError(f"dtype {dtype!r:.80} is neither float32 nor bfloat16")


def _mean(values: deque[float]) -> float:
    return sum(values) / len(values)
