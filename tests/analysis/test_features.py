"""Feature maps as a page asks for them: of a run's checkpoint, for a picture."""

import copy

import numpy as np
import pytest
import torch

from resnet_viz.analysis import pace
from resnet_viz.analysis.feature_jobs import (
    MOST_BYTES,
    block_question,
    maps_question,
    overview_question,
    point_shapes,
)
from resnet_viz.analysis.opened import measure_card
from resnet_viz.analysis.pace import forward_bytes
from resnet_viz.analysis.question import all_jobs, results
from resnet_viz.datasets.picture import picture_text
from resnet_viz.nets.build import build_net
from resnet_viz.points import points_of
from resnet_viz.probes.activations import activations
from resnet_viz.sources import NetCard
from resnet_viz.specs import DataSpec, NetSpec, SpecError
from tests.analysis.answers import answer, answers_to
from tests.analysis.sources import trained_source

DATA = DataSpec("digits", image_size=16)
COLOUR = DataSpec("shapes", image_size=16)
RESNET = NetSpec("resnet", 14, width=4, shortcut="B")
PIXELS = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
IMAGE = picture_text(PIXELS)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Sources and nets in evaluation mode, by family; the plain one takes grey images."""
    found = {}
    for net, data in (
        (RESNET, COLOUR),
        (NetSpec("preact", 8, width=4), COLOUR),
        (NetSpec("plain", 8, width=4), DATA),
    ):
        source, training = trained_source(tmp_path_factory.mktemp("runs"), net, data)
        twin = copy.deepcopy(training.net).float().eval()
        found[net.family] = (source, measure_card(source.to_dict()), twin)
    return found


def normalised(card: NetCard, pixels) -> torch.Tensor:
    """What the net sees, from the definition: scaled to 0..1, less the mean, by the deviation."""
    x = pixels.astype(np.float64) / 255
    x = (x - np.array(card.mean)) / np.array(card.std)
    return torch.tensor(x.transpose(2, 0, 1)[None], dtype=torch.float32)


def seen(net, module, x, *, takes_input=False):
    """Oracle: one hook as in torch's documentation."""
    kept = []
    place = dict(net.named_modules())[module]
    if takes_input:
        handle = place.register_forward_pre_hook(lambda _m, args: kept.append(args[0]))
    else:
        handle = place.register_forward_hook(lambda _m, _args, out: kept.append(out))
    with torch.no_grad():
        net(x)
    handle.remove()
    return kept[0][0].numpy()


def close(a, b):
    np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def test_maps_are_the_nets_own(trained):
    source, card, net = trained["resnet"]
    x = normalised(card, PIXELS)
    found = answer(maps_question(source, card, IMAGE, "stage2.block1.conv1"))
    assert (found.point, found.filters) == ("stage2.block1.conv1", None)
    assert found.values.dtype == np.float32
    close(found.values, seen(net, "stages.1.0.branch.conv1", x))
    before = answer(maps_question(source, card, IMAGE, "stage2.block1.sum"))
    after = answer(maps_question(source, card, IMAGE, "stage2.block1"))
    close(before.values, seen(net, "stages.1.0.relu", x, takes_input=True))
    np.testing.assert_array_equal(after.values, before.values.clip(min=0))


def test_maps_of_the_stem_come_with_their_filters(trained):
    source, card, net = trained["resnet"]
    for name in ("stem.conv", "stem.norm", "stem.relu"):
        found = answer(maps_question(source, card, IMAGE, name))
        np.testing.assert_array_equal(found.filters, net.stem.conv.weight.detach().numpy())
        assert len(found.values) == len(found.filters)


@pytest.mark.parametrize("family", ["resnet", "preact"])
def test_a_block_is_taken_apart(trained, family):
    source, card, net = trained[family]
    x = normalised(card, PIXELS)
    found = answer(block_question(source, card, IMAGE, "stage2.block1"))
    assert found.block == "stage2.block1"
    close(found.x, seen(net, "stages.0", x))  # what the stage before gave
    close(found.branch, seen(net, "stages.1.0.branch", x))
    close(found.shortcut, seen(net, "stages.1.0.shortcut", x))
    np.testing.assert_array_equal(found.total, found.branch + found.shortcut)
    end = seen(net, "stages.1.0", x)
    close(found.total if family == "preact" else found.total.clip(min=0), end)


def test_an_overview_says_what_the_net_says(trained):
    for source, card, net in trained.values():
        pixels = PIXELS
        if card.channels == 1:
            pixels = np.repeat(PIXELS[:, :, :1], 3, axis=2)  # a grey picture: no weighting
        x = normalised(card, pixels[:, :, : card.channels])
        found = answer(overview_question(source, picture_text(pixels), card))
        with torch.no_grad():
            logits = net(x)[0].numpy()
        close(found.prediction.logits, logits)
        assert found.prediction.probabilities.sum() == pytest.approx(1, abs=1e-6)
        assert found.prediction.top(1) == [logits.argmax()]
        assert len(found.strip) == 4
        assert len(found.branch_norm) == len(found.output_norm) == sum(card.net.stage_blocks)
        assert len(found.shortcut_norm) == (
            0 if card.net.family == "plain" else len(found.sum_norm)
        )


def test_a_picture_of_another_size_is_brought_to_the_nets(trained):
    source, _card, _net = trained["resnet"]
    flat = np.full((40, 40, 3), 77, np.uint8)
    large = answer(overview_question(source, picture_text(flat)))
    small = answer(overview_question(source, picture_text(flat[:16, :16])))
    np.testing.assert_array_equal(large.prediction.logits, small.prediction.logits)


def test_checkpoints_of_one_run_are_several_sources(tmp_path):
    sources = [trained_source(tmp_path, RESNET, COLOUR, steps)[0] for steps in (1, 3)]
    card = measure_card(sources[0].to_dict())
    questions = [maps_question(source, card, IMAGE, "stage1.block1") for source in sources]
    assert questions[0].jobs[0].key != questions[1].jobs[0].key
    early, late = results(questions, answers_to(all_jobs(questions)))
    assert not np.allclose(early.values, late.values)


def test_a_plain_net_has_nothing_to_take_apart(trained):
    source, card, _net = trained["plain"]
    with pytest.raises(SpecError, match=r"plain-8 has no shortcuts.*resnet, preact"):
        block_question(source, card, IMAGE, "stage1.block1")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("stage2.block1.conv1", "its block is stage2.block1"),
        ("stem.relu", "the first block is stage1.block1"),
        ("stage2.blok1", "nearest: stage2.block1"),
    ],
)
def test_what_is_no_block_is_refused_with_the_nearest(trained, name, said):
    source, card, _net = trained["resnet"]
    with pytest.raises(SpecError, match=said):
        block_question(source, card, IMAGE, name)


def test_an_unknown_point_is_refused_before_anything_is_asked(trained):
    source, card, _net = trained["resnet"]
    with pytest.raises(SpecError, match=r"no point 'stage9.block1'; nearest"):
        maps_question(source, card, IMAGE, "stage9.block1")


def test_a_checkpoint_that_is_gone_is_told_in_words(tmp_path):
    source, _training = trained_source(tmp_path, NetSpec("resnet", 8, width=2), COLOUR)
    (tmp_path / "resnet-8-3.safetensors").unlink()
    assert "is gone" in answer(overview_question(source, IMAGE))


SPECS = [
    NetSpec("plain", 8, width=4),
    NetSpec("resnet", 14, width=4, shortcut="B"),
    NetSpec("resnet", 11, block="bottleneck", width=4, shortcut="C"),
    NetSpec("preact", 11, block="bottleneck", width=4, shortcut="B"),
    NetSpec("resnet", 8, width=4, norm="none", init="fixup"),
    NetSpec("resnet", 18, blocks=(2, 2, 2, 2), width=4, shortcut="B", stem="imagenet"),
]


@pytest.mark.parametrize("spec", SPECS, ids=lambda s: f"{s.name}-{s.block}-{s.stem}")
@pytest.mark.parametrize("size", [32, 45])
def test_shapes_are_known_without_the_net(spec, size):
    found = activations(build_net(spec), torch.zeros(1, 3, size, size), points_of(spec))
    shapes = {name: tuple(value.shape[1:]) for name, value in found.items()}
    assert point_shapes(spec, size) == shapes


def wide_card(net=None, image_size=256) -> NetCard:
    net = net or NetSpec("resnet", 8, width=128)
    zero, one = (0.0,) * 3, (1.0,) * 3
    return NetCard(net.name, net, ("a", "b"), image_size, 3, zero, one, parameters=10**7)


def test_too_many_values_are_refused_with_the_next_point_that_is_small_enough(trained):
    source, _card, _net = trained["resnet"]
    with pytest.raises(
        SpecError, match=r"128 maps of 256×256 values, 34 MB.*stage2\.block1\.conv1"
    ):
        maps_question(source, wide_card(), IMAGE, "stage1.block1.conv2")
    with pytest.raises(SpecError, match=r"stage2\.block1\.input"):  # though its output is not
        block_question(source, wide_card(), IMAGE, "stage2.block1")
    assert maps_question(source, wide_card(), IMAGE, "stage2.block1").jobs
    assert 4 * np.prod(point_shapes(wide_card().net, 256)["stage2.block1"]) == MOST_BYTES


def test_a_net_too_large_for_the_memory_is_refused_with_the_reason(trained, monkeypatch):
    source, card, _net = trained["resnet"]

    class Small:
        available = 2 * forward_bytes(card)

    monkeypatch.setattr(pace.psutil, "virtual_memory", Small)
    assert maps_question(source, card, IMAGE, "stage2.block1").jobs
    with pytest.raises(SpecError, match=r"resnet-8 at 256×256 pixels needs .* GB of memory"):
        maps_question(source, wide_card(), IMAGE, "stage3.block1")
    with pytest.raises(SpecError, match="needs"):
        overview_question(source, IMAGE, wide_card())
    with pytest.raises(SpecError, match="needs"):
        block_question(source, wide_card(), IMAGE, "stage3.block1")
