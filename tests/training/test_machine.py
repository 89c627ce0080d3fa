"""What is measured of a computer: coefficients are found again, devices are refused by name."""

import pytest
import torch

from resnet_viz.nets.costs import Machine, count_costs, step_seconds
from resnet_viz.specs import NetSpec, TrainSpec
from resnet_viz.training import machine
from resnet_viz.training.machine import measure_machine, resolve_device

PLANTED = Machine("cpu", "float32", True, 1e-4, 2e-9, 1e-11, 0)


def points(law):
    found = []
    for spec, size, batch in machine._PROBES:
        costs = count_costs(spec, image_size=size)
        found.append((costs, batch, step_seconds(costs, TrainSpec(batch_size=batch), law)))
    return found


def test_the_fit_finds_the_law_that_made_the_times():
    found = machine._fit(points(PLANTED))
    assert found == pytest.approx((1e-4, 2e-9, 1e-11), rel=1e-6)


def test_a_coefficient_that_noise_makes_negative_is_zero_and_times_stay_close():
    noisy = [
        (c, n, s * factor) for (c, n, s), factor in zip(points(PLANTED), (1, 1.3, 0.8), strict=True)
    ]
    found = machine._fit(noisy)
    assert min(found) >= 0
    law = Machine("cpu", "float32", True, *found, 0)
    for costs, batch, seconds in noisy:
        assert step_seconds(costs, TrainSpec(batch_size=batch), law) == pytest.approx(
            seconds, rel=0.5
        )


def test_the_measured_mode_agrees_with_float32_and_threads_are_given_back():
    threads = torch.get_num_threads()
    measured = measure_machine("cpu")
    assert torch.get_num_threads() == threads
    mode = machine._Mode("cpu", getattr(torch, measured.dtype), measured.channels_last)
    assert machine._agrees(mode)
    assert step_seconds(count_costs(NetSpec("resnet", 20)), TrainSpec(), measured) > 0
    assert Machine.from_dict(measured.to_dict()) == measured


def test_a_mode_with_other_gradients_does_not_agree(monkeypatch):
    gradient = machine._Probe.gradient

    def wrong(self):
        found = gradient(self)
        return -found if self._mode.channels_last else found

    monkeypatch.setattr(machine._Probe, "gradient", wrong)
    assert not machine._agrees(machine._Mode("cpu", torch.float32, True))


def test_a_device_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="choose auto"):
        resolve_device("tpu")
    if not torch.cuda.is_available():
        with pytest.raises(ValueError, match="no cuda device"):
            resolve_device("cuda")
    assert resolve_device("cpu") == "cpu"
