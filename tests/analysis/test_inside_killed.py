"""One analysis process for several who look into a net: they take turns, and outlive its death."""

import os
import signal
import time

import numpy as np
import psutil
import pytest

from benchmarks.stand_in import fresh_source
from resnet_viz.analysis.attribution_jobs import attribution_question
from resnet_viz.analysis.feature_jobs import maps_question, overview_question
from resnet_viz.analysis.process import AnalysisProcess
from resnet_viz.analysis.question import card_question
from resnet_viz.datasets.picture import picture_text
from resnet_viz.methods import method
from resnet_viz.specs import NetSpec
from tests.analysis.answers import answers_to

TIMEOUT_SECONDS = 120.0  # of a test that hangs; no promise about speed
BUSY_SECONDS = 0.1  # of processor time: well within an answer that takes most of a second
SIZE = 192
IMAGE = picture_text(np.random.default_rng(0).integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8))


@pytest.fixture(scope="module")
def process(tmp_path_factory):
    process = AnalysisProcess(tmp_path_factory.mktemp("home"), threads=1)
    process.start()
    yield process
    process.close()


@pytest.fixture(scope="module")
def net(process, tmp_path_factory):
    """A net that takes most of a second for one image, and its card; it is open already."""
    net = NetSpec("resnet", 20, width=64)
    source = fresh_source(tmp_path_factory.mktemp("net"), net, SIZE)
    return source, ask(process, card_question(source))


def settle(inquiry):
    assert inquiry.wait(TIMEOUT_SECONDS)
    return inquiry


def ask(process, question):
    """A result; every job is answered."""
    inquiry = settle(process.ask(question.jobs))
    assert inquiry.error is None, inquiry.error
    return question.combine(inquiry.answers)


def kill_in_mid_answer(process) -> int:
    """Kill it once it has computed for a while; the id that it had."""
    pid = process.health["pid"]
    child = psutil.Process(pid)
    before = child.cpu_times().user
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while child.cpu_times().user < before + BUSY_SECONDS:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.kill(pid, getattr(signal, "SIGKILL", signal.SIGTERM))
    return pid


def features(source, card):
    return overview_question(source, IMAGE, card)


def attribution(source, card):
    parameters = method("integrated-gradients", card.net, card.image_size).fill({"steps": 8})
    return attribution_question(source, card, IMAGE, "integrated-gradients", parameters, 3)


@pytest.mark.parametrize(("make", "point"), [(features, "stem.conv"), (attribution, "stem.relu")])
def test_a_message_and_the_next_question_is_answered(process, net, make, point):
    source, card = net
    ask(process, card_question(source))  # it has started, and the net is open
    question = make(source, card)
    hit = process.ask(question.jobs)
    other = maps_question(source, card, IMAGE, point)  # of a session whose turn it is not
    waiting = process.ask(other.jobs)
    pid = kill_in_mid_answer(process)
    settle(hit)
    assert hit.error.startswith("The analysis process ended (perhaps it ran out of memory).")
    assert not hit.done
    maps = other.combine(settle(waiting).answers)
    assert maps.values.shape == (64, SIZE, SIZE)
    assert process.health["pid"] != pid

    (again, *_rest) = settle(process.ask(question.jobs[:1])).answers
    (expected,) = answers_to(question.jobs[:1])
    same(again, expected)


def test_a_long_occlusion_does_not_hold_up_anothers_saliency(process, net):
    source, card = net
    ask(process, card_question(source))
    occlusion = attribution_question(source, card, IMAGE, "occlusion", {"stride": 8}, 1)
    saliency = attribution_question(source, card, IMAGE, "saliency", None, 2)
    assert len(occlusion.jobs) > 50
    long = process.ask(occlusion.jobs)
    while not long.answers:
        assert not long.ended, long.error
        time.sleep(0.01)
    found = saliency.combine(settle(process.ask(saliency.jobs)).answers)
    so_far = len(long.answers)
    assert so_far < len(occlusion.jobs) / 2
    assert (found.target, found.values.shape) == (2, (3, SIZE, SIZE))
    while len(long.answers) == so_far:  # and it goes on
        assert not long.ended, long.error
        time.sleep(0.01)
    long.cancel()


def same(found, expected):
    """Equal but for the time that it took."""
    if isinstance(found, np.ndarray):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    elif isinstance(found, dict):
        assert found.keys() == expected.keys()
        for key in found.keys() - {"seconds"}:
            same(found[key], expected[key])
    elif hasattr(found, "__dataclass_fields__"):
        same(vars(found), vars(expected))
    elif isinstance(found, list | tuple):
        for one, other in zip(found, expected, strict=True):
            same(one, other)
    elif isinstance(found, float):
        assert found == pytest.approx(expected, rel=1e-4, abs=1e-5)
    else:
        assert found == expected
