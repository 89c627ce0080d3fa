"""Lesions as a page asks for them: in shares, the same as one whole evaluation."""

import pytest
import torch

from resnet_viz.analysis.lesion_jobs import (
    RandomRemovals,
    lesion_question,
    randoms_question,
    singles_question,
)
from resnet_viz.analysis.opened import measure_card
from resnet_viz.datasets.errors import DataError
from resnet_viz.datasets.load import load
from resnet_viz.lesions import Lesion, random_plans
from resnet_viz.sources import Source
from resnet_viz.specs import DataSpec, NetSpec, SpecError
from tests.analysis.answers import answer
from tests.analysis.sources import trained_source

DATA = DataSpec("digits", image_size=8)
NET = NetSpec("resnet", 14, width=4)


@pytest.fixture
def trained(tmp_path):
    source, training = trained_source(tmp_path, NET, DATA, steps=40)
    return source, measure_card(source.to_dict()), training.net.eval()


def error_without(net, gone):
    """On the whole test split, one block after another by hand."""
    data = load(DATA)
    mean, std = (t.reshape(1, -1, 1, 1) for t in (data.mean, data.std))
    with torch.no_grad():
        x = net.stem((data.test_images / 255 - mean) / std)
        for number, block in enumerate(block for stage in net.stages for block in stage):
            x = torch.relu(block.shortcut(x)) if number in gone else block(x)
        return float((net.head(x).argmax(1) != data.test_labels).float().mean())


def test_every_bar_is_an_evaluation_of_its_own(trained, monkeypatch):
    monkeypatch.setattr("resnet_viz.analysis.lesion_jobs._MOST_AT_ONCE", 100)
    source, card, net = trained
    question = singles_question(source, card, 100_000)
    assert len(question.jobs) > 2
    found = answer(question)
    assert found.images == len(load(DATA).test_labels)
    assert found.error == pytest.approx(error_without(net, []))
    alone = [error_without(net, [i]) for i in range(6)]
    assert found.without == pytest.approx(alone)
    assert len(set(alone)) > 2


def test_random_removals_are_the_draws_that_the_seed_gives(trained):
    source, card, net = trained
    found = answer(randoms_question(source, card, 100_000, RandomRemovals(draws=2, seed=3)))
    assert found.counts[0] == 1
    assert found.removable == 6
    for count, errors in zip(found.counts, found.errors, strict=True):
        for plan, error in zip(random_plans(NET, count, 2, 3), errors, strict=True):
            gone = [i for i, number in enumerate(plan) if number is None]
            assert error == pytest.approx(error_without(net, gone))


def test_a_lesion_of_ones_own_stands_beside_the_net_as_it_is(trained):
    source, card, net = trained
    found = answer(lesion_question(source, card, Lesion(("1.1", "3.2")), 100_000))
    assert found.errors == pytest.approx((error_without(net, []), error_without(net, [0, 5])))
    same = answer(lesion_question(source, card, Lesion(), 50))
    assert same.images == 50
    assert same.wrong[0] == same.wrong[1]


def test_data_that_are_not_there_and_nets_without_data_are_refused():
    source = Source("bundled", "resnet-20")
    card = measure_card(source.to_dict())
    with pytest.raises(DataError, match="download cifar10"):
        singles_question(source, card, 100)
    with pytest.raises(SpecError, match="images 0 is out of range"):
        singles_question(source, card, 0)
