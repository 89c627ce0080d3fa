"""Questions of several jobs: results while answers come, and without an analysis process."""

import numpy as np
import pytest

from resnet_viz.analysis.feature_jobs import maps_question
from resnet_viz.analysis.inquiry import Job
from resnet_viz.analysis.linear_jobs import ProbeImages, probes_question
from resnet_viz.analysis.opened import measure_card, open_net
from resnet_viz.analysis.pictures import as_input
from resnet_viz.analysis.question import Question, all_jobs, answer_here, card_question, results
from resnet_viz.datasets.picture import picture_text
from resnet_viz.nets.weights_file import WeightsError
from resnet_viz.sources import Source

NET = Source("bundled", "shapes-resnet-20")
IMAGE = picture_text(np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8))


def question(count, base):
    jobs = [Job("resnet_viz.x:y", {"n": base + n}) for n in range(count)]
    return Question(tuple(jobs), sum)


def test_a_result_is_there_when_all_of_its_answers_are():
    asked = [question(2, 0), question(1, 10), question(3, 20)]
    answers = [job.arguments["n"] for job in all_jobs(asked)]
    assert answers == [0, 1, 10, 20, 21, 22]
    expected = [[None] * 3, [None] * 3, [1, None, None], [1, 10, None], [1, 10, None]]
    assert [results(asked, answers[:n]) for n in range(5)] == expected
    assert results(asked, answers) == [1, 10, 63]


def test_an_answer_here_is_what_the_net_gives():
    card = measure_card(NET.to_dict())
    maps = answer_here(maps_question(NET, card, IMAGE, "stem.conv"))
    opened = open_net(NET.to_dict())
    expected = opened.net.stem.conv(as_input(IMAGE, opened))[0].numpy()
    np.testing.assert_allclose(maps.values, expected, rtol=1e-4, atol=1e-5)


def test_an_answer_here_of_many_jobs_is_their_result():
    card = measure_card(NET.to_dict())
    images = ProbeImages(train=40, test=20)
    asked = probes_question(NET, card, images)
    assert len(asked.jobs) > 2
    told = []
    probes = answer_here(asked, on_progress=lambda *numbers: told.append(numbers))
    assert told == [(done, len(asked.jobs)) for done in range(len(asked.jobs) + 1)]
    assert (probes.train_images, probes.test_images) == (40, 20)
    assert len(probes.points) == 10


def test_what_goes_wrong_here_is_raised_as_it_is():
    source = Source("file", "gone.pt", "/nowhere/gone.pt")
    with pytest.raises(WeightsError, match=r"gone\.pt"):
        answer_here(card_question(source))
