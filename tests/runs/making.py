"""Small sweeps and hand-written records for the tests of `runs`."""

from __future__ import annotations

from resnet_viz.layers import blocks_of, weighted_layers
from resnet_viz.records import BLOCK_COLUMNS, LAYER_COLUMNS, Profile, Record
from resnet_viz.runs.queue import Queue
from resnet_viz.runs.store import RunStore
from resnet_viz.specs import DataSpec, NetSpec, TrainSpec
from resnet_viz.sweeps import SweepSpec


def tiny_sweep(
    steps: int = 40, *, depths: tuple[int, ...] = (8,), families: tuple[str, ...] = ("plain",)
) -> SweepSpec:
    """Digits at 16 x 16, width 4: a step takes some milliseconds."""
    return SweepSpec(
        families=families,
        depths=depths,
        data=DataSpec("digits", image_size=16),
        train=TrainSpec(steps=steps, batch_size=32, lr=0.05),
        width=4,
    )


def make_queue(store: RunStore, name: str = "w1", device: str = "cpu", cores: int = 2) -> Queue:
    return Queue(store, name, device, ("auto", device), cores)


def training_record(step: int, error: float = 0.5) -> Record:
    values = {"running_error": error, "running_loss": 2.0 * error, "lr": 0.1}
    return Record("training", step, values)


def evaluation_record(step: int, error: float) -> Record:
    return Record("evaluation", step, {"train_error": error, "test_error": error})


def speed_record(step: int, seconds: float) -> Record:
    return Record("speed", step, {"images_per_second": 100.0, "seconds": seconds})


def net_profile(net: NetSpec, step: int) -> Profile:
    """Numbers that a float32 holds and that tell layer, column and step."""
    layers, blocks = len(weighted_layers(net)), len(blocks_of(net))
    columns = dict.fromkeys(LAYER_COLUMNS, layers) | dict.fromkeys(BLOCK_COLUMNS, blocks)
    if net.family == "plain":
        del columns["sum_norm"]
    values = {
        name: tuple(step + place / 8 + i / 64 for i in range(count))
        for place, (name, count) in enumerate(columns.items())
    }
    return Profile(step, values)
