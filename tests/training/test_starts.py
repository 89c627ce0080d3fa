"""A run that begins with kept weights begins with them, and says why when it cannot."""

from dataclasses import replace

import pytest
import torch

from resnet_viz.nets.build import build_net
from resnet_viz.nets.costs import Machine
from resnet_viz.nets.start_files import StartError, start_path
from resnet_viz.nets.starts import read_start, write_start
from resnet_viz.specs import DataSpec, NetSpec, RunSpec, TrainSpec
from resnet_viz.training.training import Training

FLOAT32 = Machine("cpu", "float32", False, 0, 0, 0, 0)
NET = NetSpec("resnet", 8, width=4)
RUN = RunSpec(NET, DataSpec("digits", image_size=8), TrainSpec(steps=4, batch_size=16))


def training(run, checkpoint=None):
    torch.set_num_threads(1)
    return Training(run, device="cpu", threads=1, machine=FLOAT32, checkpoint=checkpoint)


def started(seed=9):
    """A run, and the net whose weights it starts from."""
    torch.manual_seed(seed)
    net = build_net(NET, num_classes=10, in_channels=1)
    net(torch.randn(8, 1, 8, 8))  # so that its norms have seen something
    return replace(RUN, start=write_start(net)), net


def test_a_run_begins_with_the_weights_of_its_start_and_trains():
    run, net = started()
    began = training(run)
    for name, value in began.net.state_dict().items():
        assert torch.equal(value, net.state_dict()[name]), name
    assert not torch.equal(training(RUN).net.head.linear.weight, net.head.linear.weight)
    for _ in range(4):
        began.advance()
    assert began.finished
    assert not torch.equal(began.net.head.linear.weight, net.head.linear.weight)


def test_equal_weights_are_kept_once_under_their_hash():
    (run, _net), (again, _same), (other, _differs) = started(1), started(1), started(2)
    assert run.start == again.start != other.start
    assert len(list(start_path(run.start).parent.iterdir())) == 2
    assert set(read_start(run.start)) == set(build_net(NET, 10, 1).state_dict())


def test_a_run_goes_on_from_its_checkpoint_although_its_start_is_gone():
    run, _net = started()
    first = training(run)
    first.advance()
    frozen = first.checkpoint()
    start_path(run.start).unlink()
    resumed = training(run, frozen)
    for each in (first, resumed):
        each.advance()
    for a, b in zip(first.net.parameters(), resumed.net.parameters(), strict=True):
        assert torch.equal(a, b)


def test_a_start_that_is_gone_damaged_or_of_another_net_is_refused():
    run, _net = started()
    with pytest.raises(StartError, match=r"do not fit plain-14: .*stages"):
        training(replace(run, net=NetSpec("plain", 14, width=4)))
    path = start_path(run.start)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(StartError, match="damaged"):
        training(run)
    path.unlink()
    with pytest.raises(StartError, match=r"are gone.*Import the sweep again"):
        training(run)
    with pytest.raises(ValueError, match="not a SHA-256"):
        start_path("../x")
