"""The rivals train the same nets on the same data, and they do train."""

import pytest
import torch
from torch.nn import functional as F

from benchmarks.rivals.feed import DeviceFeed, HostFeed
from benchmarks.rivals.loops import Loop
from benchmarks.rivals.modes import Mode, modes
from benchmarks.rivals.ours import Ours
from benchmarks.rivals.sequential import Sequential
from benchmarks.rivals.tutorial import Tutorial, TutorialNet
from resnet_viz.datasets.load import load
from resnet_viz.nets.costs import Machine
from resnet_viz.specs import DataSpec, NetSpec, RunSpec, TrainSpec
from resnet_viz.training.training import Training

FLOAT32 = Machine("cpu", "float32", False, 0, 0, 0, 0)
DATA = DataSpec("digits", image_size=16, crop_padding=1)
TRAIN = TrainSpec(steps=1000, batch_size=32, lr=0.1, seed=3)
RUN = RunSpec(NetSpec("resnet", 8, width=4), DATA, TRAIN)
PLAIN = RunSpec(NetSpec("plain", 8, width=4), DATA, TRAIN)


@pytest.mark.parametrize("mode", [Mode(), Mode(channels_last=True)], ids=lambda mode: mode.name)
def test_the_hand_tuned_loop_trains_as_the_program_does(mode):
    loop = Loop(RUN, load(DATA), "cpu", mode)
    training = Training(RUN, device="cpu", threads=1, machine=FLOAT32, probe_every=0)
    losses, ours = [], []
    for _ in range(5):
        loop.run(1)
        losses.append(loop.metrics()[0])
        ours.append(training.advance()[0].values["running_loss"])
    assert losses[0] == pytest.approx(ours[0], rel=1e-5)  # same weights, same batch
    assert sum(losses) / 5 == pytest.approx(ours[-1], rel=1e-3)  # and the same steps


def test_the_loops_learn():
    one_after_another = Sequential([RUN, PLAIN], "cpu", 1, Mode(channels_last=True))
    assert one_after_another.prepare()["mode"] == "float32, channels_last"
    first = one_after_another.train(3)["losses"]
    last = [one_after_another.train(10)["losses"] for _ in range(6)][-1]
    assert all(late < 0.85 * early for early, late in zip(first, last, strict=True))


def test_the_tutorial_learns():
    torch.manual_seed(0)  # of its order
    tutorial = Tutorial([RUN, PLAIN], "cpu", 1)
    tutorial.prepare()
    first = tutorial.train(3)["losses"]
    last = [tutorial.train(10)["losses"] for _ in range(6)][-1]
    assert all(late < 0.85 * early for early, late in zip(first, last, strict=True))


def test_the_tutorial_starts_where_the_program_does():
    training = Training(PLAIN, device="cpu", threads=1, machine=FLOAT32, probe_every=0)
    batch = HostFeed(load(DATA), DATA, TRAIN, False).next()
    loss = TutorialNet(PLAIN, load(DATA), "cpu").step(batch)
    assert loss == pytest.approx(training.advance()[0].values["running_loss"], rel=1e-5)


def test_a_lane_takes_its_steps_and_waits():
    lane = Ours([RUN, PLAIN], "cpu", 1, FLOAT32.to_dict(), probe_every=10)
    assert lane.prepare()["dtype"] == "float32"
    said = lane.train(4)
    assert said["overshoot"] <= 1
    assert [training.step for training in lane._trainings] == [5, 5]
    assert lane.train_whole(3)["seconds"] > 0
    assert all(training.finished for training in lane._trainings)


# --- batches that lie on the device: here the CPU, as the code is the same ---


def pair(data_spec, batch=200):
    data = load(data_spec)
    train = TrainSpec(steps=100, batch_size=batch, seed=5)
    return (
        data,
        HostFeed(data, data_spec, train, True),
        DeviceFeed(data, data_spec, train, True, "cpu", ahead=7),
    )


def test_device_batches_are_the_programs_own_across_epochs():
    _data, host, device = pair(DataSpec("digits", image_size=16))
    for _ in range(17):  # 7.2 batches an epoch, 7 on the device
        device.refill_if_due()
        images, labels = device.next()
        expected, classes = host.next()
        assert torch.equal(labels, classes)
        torch.testing.assert_close(images, expected)
        assert images.is_contiguous(memory_format=torch.channels_last)


def test_device_crops_are_crops_and_some_are_mirrored():
    spec = DataSpec("shapes", image_size=16, crop_padding=2, flip=True)
    data, _host, device = pair(spec, batch=40)
    plain = HostFeed(
        data, DataSpec("shapes", image_size=16), TrainSpec(batch_size=40, seed=5), True
    )
    device.refill_if_due()
    images, labels = device.next()
    originals, classes = plain.next()
    assert torch.equal(labels, classes)
    black = (-data.mean / data.std).reshape(1, 3, 1, 1)
    padded = F.pad(originals - black, [2] * 4) + black
    windows = padded.unfold(2, 16, 1).unfold(3, 16, 1)  # (40, 3, 5, 5, 16, 16)
    far = [
        (w - images[:, :, None, None]).abs().amax((1, 4, 5)).flatten(1).amin(1)
        for w in (windows, windows.flip(-1))
    ]
    assert torch.minimum(*far).max() < 1e-4  # every image is a crop, straight or mirrored
    assert (far[0] < 1e-4).any()
    assert (far[1] < 1e-4).any()


def test_a_gpu_tries_every_way_of_the_issue():
    found = modes("cuda", compiled=True)
    assert {mode.compile for mode in found} == {"", "default", "reduce-overhead"}
    for wanted in ({"graph": True}, {"channels_last": True}, {"dtype": "bfloat16"}):
        assert any(Mode(**wanted).__dict__.items() & mode.__dict__.items() for mode in found)
    assert len(set(found)) == len(found)
    assert not any(mode.graph for mode in modes("cpu"))
