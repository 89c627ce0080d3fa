"""Shattered gradients as a page asks for them: jobs, answers, and what they make together."""

import json
import math

import numpy as np
import pytest
import torch

from resnet_viz.analysis import shattering_answers
from resnet_viz.analysis.batches import probe_batch
from resnet_viz.analysis.shattering_answers import measure_line
from resnet_viz.analysis.shattering_jobs import IMAGES, combine, shattering_jobs
from resnet_viz.nets.build import build_net
from resnet_viz.nets.costs import count_costs
from resnet_viz.probes.shattering import autocorrelation, fixed_statistics, input_gradients, line
from resnet_viz.specs import DataSpec, NetSpec, SpecError
from tests.analysis.answers import answers_to

DATA = DataSpec("digits", image_size=8)
NETS = [NetSpec("plain", 8, width=4), NetSpec("resnet", 8, width=4, norm="none")]


def lines_in(jobs):
    """(net, seed) of every line in order of its last job."""
    asked = [job.arguments for job in jobs if "net" in job.arguments]
    return [(a["net"]["family"], a["seed"]) for a in asked if a["stop"] == a["points"]]


def test_the_first_round_shows_the_noises_and_every_net():
    jobs = shattering_jobs([*NETS, NETS[0]], DATA, points=32, seeds=3, seed=5)
    assert [job.arguments["noise"] for job in jobs[:2]] == ["white", "brown"]
    assert lines_in(jobs) == [(f, s) for s in (5, 6, 7) for f in ("plain", "resnet")]


def test_expensive_lines_are_cut_into_jobs_of_like_cost():
    deep = NetSpec("resnet", 56)
    jobs = shattering_jobs([deep], DataSpec("shapes"), seeds=1)[2:]
    stops = [job.arguments["stop"] for job in jobs]
    assert stops[-1] == 256
    pieces = np.diff([0, *stops])
    assert min(pieces) > 0
    assert max(pieces) * count_costs(deep).multiply_adds < 1.5e9
    assert len(shattering_jobs([NETS[0]], DATA, seeds=1)) == 3  # the noises, and one line
    enormous = NetSpec("resnet", 110, width=64)
    stops = [
        j.arguments["stop"] for j in shattering_jobs([enormous], DataSpec("shapes"), seeds=1)[2:]
    ]
    assert stops == list(range(1, 257))


@pytest.mark.parametrize(
    ("numbers", "text"),
    [({"points": 8}, "nearest: 16"), ({"seeds": 0}, "nearest: 1"), ({"seed": -1}, "nearest: 0")],
)
def test_bad_numbers_are_refused_with_the_nearest_good_one(numbers, text):
    with pytest.raises(SpecError, match=text):
        shattering_jobs(NETS, DATA, **numbers)


def test_an_answer_is_what_the_definition_says():
    (answer,) = answers_to(shattering_jobs(NETS[:1], DATA, points=32, seeds=1, seed=4)[2:])
    batch, labels, _classes = probe_batch(DATA, IMAGES, 4)
    batch = batch.double()
    torch.manual_seed(4)
    net = build_net(NETS[0], 10, 1).double()
    other = next(i for i, label in enumerate(labels) if label != labels[0])
    with fixed_statistics(net, batch):
        found = input_gradients(net, line(batch[0], batch[other], 32), int(labels[0]))
    np.testing.assert_allclose(answer["autocorrelations"], [autocorrelation(found, 16)], atol=1e-9)


def test_the_answer_does_not_depend_on_how_the_line_is_cut():
    (job,) = shattering_jobs(NETS[:1], DATA, points=32, seeds=1)[2:]
    whole = measure_line(**job.arguments)
    cut = {**job.arguments, "piece": 10}
    assert [measure_line(**{**cut, "stop": stop}) for stop in (10, 20, 30)] == [None] * 3
    rest = measure_line(**cut)
    np.testing.assert_allclose(rest["slope"], whole["slope"], rtol=1e-6)
    # A fresh process, which has seen none of the earlier jobs, gives the same.
    shattering_answers._line.cache_clear()
    assert measure_line(**cut) == rest


def test_a_line_that_failed_can_be_asked_for_again(monkeypatch):
    (job,) = shattering_jobs(NETS[:1], DATA, points=32, seeds=1)[2:]
    cut = {**job.arguments, "piece": 20}
    measure_line(**{**cut, "stop": 20})

    def fail(self, *_):
        raise MemoryError("no memory")

    with monkeypatch.context() as patched:
        patched.setattr(torch.nn.Conv2d, "forward", fail)
        with pytest.raises(MemoryError):
            measure_line(**cut)
    assert len(measure_line(**cut)["slope"]) == 32


def test_the_process_keeps_its_threads():
    (job,) = shattering_jobs(NETS[:1], DATA, points=32, seeds=1)[2:]
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        measure_line(**job.arguments)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_images_of_one_class_are_refused_in_words(monkeypatch):
    def batch(*_):
        return torch.zeros(4, 1, 8, 8), torch.ones(4, dtype=torch.int64), 10

    monkeypatch.setattr(shattering_answers, "probe_batch", batch)
    (job,) = shattering_jobs(NETS[:1], DATA, points=32, seeds=1, seed=99)[2:]
    assert "needs images of two classes" in answers_to([job])


def test_what_is_measured_so_far_is_there_at_every_answer():
    jobs = shattering_jobs(NETS, DATA, points=32, seeds=2)
    answers = answers_to(jobs)
    assert combine([]) == []
    assert [m.noise for m in combine(answers[:2])] == ["white", "brown"]
    assert [m.seeds for m in combine(answers[:4])[2:]] == [1, 1]
    assert combine([*answers[:2], None]) == combine(answers[:2])
    white, brown, plain, resnet = combine(answers)
    assert [m.net for m in (white, brown, plain, resnet)] == [None, None, *NETS]
    assert (plain.seeds, white.seeds) == (2, 100)
    assert (plain.position[0], plain.position[-1], len(plain.position)) == (0, 1, 32)
    assert plain.slope == tuple(answers[2]["slope"])  # of the first seed
    both = np.array([answers[i]["autocorrelations"][0] for i in (2, 4)])
    np.testing.assert_allclose(plain.autocorrelation, both.mean(0))
    spread = np.abs(both[0] - both[1]) / math.sqrt(2)
    np.testing.assert_allclose(plain.spread, spread, atol=1e-15)  # nothing at the start
    assert type(plain.autocorrelation[0]) is float
    json.dumps([m.autocorrelation for m in (white, brown, plain, resnet)])


def test_a_seed_without_autocorrelation_is_not_in_the_mean():
    net = {"net": NETS[0].to_dict(), "noise": "", "slope": [0.0] * 4}
    known = {**net, "autocorrelations": [[1.0, 0.5]]}
    unknown = {**net, "autocorrelations": [[math.nan, math.nan]]}
    (m,) = combine([known, unknown])
    assert (m.autocorrelation, m.spread, m.seeds) == ((1.0, 0.5), (), 1)
    (m,) = combine([unknown, unknown])
    assert np.isnan(m.autocorrelation).all()
    assert m.seeds == 2


def test_depth_shatters_a_plain_net_and_a_residual_net_less():
    """Balduzzi et al. 2017, on one small net of each kind."""
    nets = [NetSpec(family, depth, width=4) for family in ("plain", "resnet") for depth in (8, 44)]
    jobs = shattering_jobs(nets, DATA, points=64, seeds=1)
    white, brown, *found = combine(answers_to(jobs))
    shallow_plain, deep_plain, shallow_resnet, deep_resnet = (m.autocorrelation[1] for m in found)
    assert deep_plain < white.autocorrelation[1] + 3 * white.spread[1]
    assert shallow_plain > 0.5
    assert deep_plain < deep_resnet - 0.2
    assert deep_resnet < shallow_resnet
    assert brown.autocorrelation[1] > 0.8
