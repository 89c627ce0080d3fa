"""Nets of every kind of source: the right weights, the right card, or a message."""

import json
import pickle
from collections import OrderedDict
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from resnet_viz.analysis import net_files, opened as opened_module
from resnet_viz.analysis.child import carry_out
from resnet_viz.analysis.opened import measure_card, open_net
from resnet_viz.analysis.randomised import own_pictures, parts_from_head
from resnet_viz.datasets.catalogue import CIFAR10_CLASSES, CIFAR100_CLASSES
from resnet_viz.nets import bundled, weights_file
from resnet_viz.nets.build import build_net
from resnet_viz.sources import STATISTICS, NetCard, Source
from resnet_viz.specs import DataSpec, NetSpec, RunSpec, SpecError
from resnet_viz.training import checkpoint
from resnet_viz.training.bundling import bundle
from resnet_viz.training.checkpoint import Checkpoint, CheckpointError
from tests.analysis.sources import trained_source
from tests.nets.usual import UsualResNet

DIGITS = DataSpec("digits", image_size=16)
NET = NetSpec("resnet", 8, width=4)


@pytest.fixture
def run(tmp_path):
    """A run's source, and the training that wrote its checkpoint."""
    return trained_source(tmp_path, NET, DIGITS)


def pictures(card):
    generator = torch.Generator().manual_seed(0)
    shape = (4, card.channels, card.image_size, card.image_size)
    return torch.randint(0, 256, shape, generator=generator, dtype=torch.uint8)


def logits(opened):
    with torch.no_grad():
        return opened.net(opened.normalise(pictures(opened.card)))


def error_of(source):
    """What a person is told when a source cannot be opened."""
    reply = carry_out("resnet_viz.analysis.opened:measure_card", {"source": source.to_dict()}, 1)
    assert reply.answer is None
    assert reply.trouble is None, reply.trouble
    assert len(reply.error) < 900
    return reply.error


def test_a_run_is_opened_as_it_was_trained(run):
    source, training = run
    opened = open_net(source.to_dict())
    x = (pictures(opened.card).float() / 255 - training.data.mean.item()) / training.data.std.item()
    with torch.no_grad():
        expected = training.net.eval()(x)
    torch.testing.assert_close(logits(opened), expected, rtol=1e-5, atol=1e-5)
    card = opened.card
    assert (card.title, card.net, card.step) == ("resnet-8 (run:1@3)", NET, 3)
    assert (card.image_size, card.channels, card.classes) == (16, 1, tuple("0123456789"))
    assert (card.data, card.trained_on) == (DIGITS, "Digits (8×8)")
    assert card.parameters == sum(p.numel() for p in training.net.parameters())


def test_a_net_is_frozen_in_evaluation_mode_and_kept(run):
    source, _training = run
    opened = open_net(source.to_dict())
    assert not any(module.training for module in opened.net.modules())
    assert not any(p.requires_grad for p in opened.net.parameters())
    assert open_net(source.to_dict()) is opened
    assert open_net(replace(source, fingerprint="changed").to_dict()) is not opened


def test_the_nets_used_last_are_kept_while_their_parameters_are_within_bounds(run, monkeypatch):
    source, training = run
    parameters = sum(p.numel() for p in training.net.parameters())
    monkeypatch.setattr(opened_module, "_kept", OrderedDict())
    monkeypatch.setattr(opened_module, "KEPT_PARAMETERS", 2 * parameters + 1)
    one, two, three = (replace(source, fingerprint=mark).to_dict() for mark in "123")
    first, second = open_net(one), open_net(two)
    assert open_net(one) is first  # and so the other one goes
    open_net(three)
    assert open_net(one) is first
    assert open_net(two) is not second
    monkeypatch.setattr(opened_module, "KEPT_PARAMETERS", 1)
    assert open_net(three) is open_net(three)  # one, however large
    assert len(opened_module._kept) == 1


def test_small_nets_are_kept_up_to_a_number(run, monkeypatch):
    source, _training = run
    monkeypatch.setattr(opened_module, "_kept", OrderedDict())
    monkeypatch.setattr(opened_module, "KEPT_NETS", 2)
    marked = [replace(source, fingerprint=mark).to_dict() for mark in "123"]
    opened = [open_net(each) for each in marked]
    assert [open_net(each) for each in marked[:0:-1]] == opened[:0:-1]
    assert open_net(marked[0]) is not opened[0]


@pytest.mark.parametrize("kind", ["run", "file", "theirs"])
def test_a_file_that_memory_does_not_hold_is_refused_before_it_is_read(
    run, tmp_path, monkeypatch, kind
):
    source, _training = run
    if kind == "file":
        source = Source("file", "mine.safetensors", source.path)
    elif kind == "theirs":
        _theirs, source = foreign(tmp_path)
    size = Path(source.path).stat().st_size

    class Memory:
        available = 8 * size - 1

    monkeypatch.setattr(weights_file.psutil, "virtual_memory", Memory)
    fresh = replace(source, fingerprint=f"little memory {kind}")
    with monkeypatch.context() as patch:
        for reader in (weights_file, net_files, checkpoint):
            patch.setattr(reader, "safe_open", lambda *_: pytest.fail("it is read"))
        patch.setattr("torch.load", lambda *_: pytest.fail("it is read"))
        assert "of memory while it is opened" in error_of(fresh)
    Memory.available = 16 * size  # a net's tensors may be more than its file, but not that much
    assert open_net(fresh.to_dict())


def test_images_have_the_size_of_the_data_where_the_spec_names_none(tmp_path):
    source, _training = trained_source(tmp_path, NET, DataSpec("digits"), steps=1)
    assert measure_card(source.to_dict()).image_size == 8


def test_the_card_can_go_to_the_server(run):
    source, _training = run
    reply = carry_out("resnet_viz.analysis.opened:measure_card", {"source": source.to_dict()}, 1)
    assert pickle.loads(reply.answer) == measure_card(source.to_dict())


# --- nets that come with the program ---


@pytest.fixture
def small(run, tmp_path, monkeypatch):
    """A folder with one bundled net, "mine-resnet-8"; the training it comes from."""
    _source, training = run
    about = {"trained_on": "digits in words", "trained_with": "cpu", "train_error": 0.25}
    about |= {"test_error": 0.5, "train_images": 10, "test_images": 4}
    folder = tmp_path / "nets"
    named = DataSpec("digits", image_size=16, crop_padding=1)
    bundle(training.checkpoint(), named, about).save(folder / "mine-resnet-8.safetensors")
    monkeypatch.setattr(bundled, "FOLDER", folder)
    return training


def test_a_bundled_net_says_what_its_file_says(small):
    (found,) = bundled.bundled_nets()
    assert bundled.bundled_names() == ("mine-resnet-8",)
    assert (found.run.net, found.step, found.test_error) == (NET, 3, 0.5)
    card = measure_card(Source("bundled", "mine-resnet-8").to_dict())
    assert (card.title, card.test_error, card.trained_on) == (
        "mine-resnet-8",
        0.5,
        "digits in words",
    )
    assert card.data == DataSpec("digits", image_size=16, crop_padding=1)


def test_a_bundled_file_has_half_the_weights_and_nothing_of_the_training(small):
    path = bundled.bundled_path("mine-resnet-8")
    found = Checkpoint.load(path)
    assert all(name.startswith("net.") for name in found.tensors)
    kinds = {t.dtype for t in found.tensors.values() if t.dim() >= 2}
    assert kinds == {torch.float16}
    assert found.tensors["net.stem.norm.running_var"].dtype == torch.float32
    opened = open_net(Source("bundled", "mine-resnet-8").to_dict())
    for name, tensor in small.net.state_dict().items():
        torch.testing.assert_close(
            opened.net.state_dict()[name], tensor, rtol=1e-3, atol=1e-6, msg=name
        )
    assert {p.dtype for p in opened.net.parameters()} == {torch.float32}


def test_a_weight_too_large_for_half_precision_is_not_bundled(small):
    checkpoint = small.checkpoint()
    checkpoint.tensors["net.head.linear.weight"][0, 0] = 1e6
    with pytest.raises(CheckpointError, match=r"head\.linear\.weight does not fit into float16"):
        bundle(checkpoint, DIGITS, {})


def test_a_bundled_net_that_is_none_is_told_the_nearest(small):
    assert "did you mean 'mine-resnet-8'" in error_of(Source("bundled", "mine-resnet-9"))


# --- files ---


def own_file(training, tmp_path, **meta):
    checkpoint = training.checkpoint()
    checkpoint.meta.update(meta)
    checkpoint.save(tmp_path / "mine.safetensors")
    return Source("file", "mine.safetensors", str(tmp_path / "mine.safetensors"), json.dumps(meta))


def test_a_file_of_this_program_says_itself_what_it_is(run, tmp_path):
    source, training = run
    opened = open_net(own_file(training, tmp_path).to_dict())
    torch.testing.assert_close(logits(opened), logits(open_net(source.to_dict())))
    assert opened.card.title == "resnet-8 (mine.safetensors)"
    assert (opened.card.step, opened.card.data, opened.card.notes) == (3, DIGITS, ())


def test_a_file_of_this_program_is_read_once(run, tmp_path, monkeypatch):
    _source, training = run
    read, load = [], Checkpoint.load
    monkeypatch.setattr(Checkpoint, "load", lambda path: read.append(path) or load(path))
    monkeypatch.setattr(net_files, "read_weights", lambda path: read.append(path))
    source = own_file(training, tmp_path)
    assert open_net(replace(source, fingerprint="read once").to_dict())
    assert read == [Path(source.path)]


def test_a_folder_that_a_file_names_is_not_taken_for_one_of_this_computer(run, tmp_path):
    _source, training = run
    spec = training.spec.to_dict() | {"data": {"name": "folder", "folder": "/home/ann/private"}}
    card = measure_card(own_file(training, tmp_path, spec=spec).to_dict())
    assert card.data is None
    assert "private" not in card.trained_on


SPOILT = {
    "no spec": {"spec": None},
    "another net": {"spec": {"net": {"family": "resnet", "depth": 8, "width": 1024}}},
    "classes": {"classes": "abc"},
    "class names": {"classes": ["a", 3]},
    "another count of classes": {"classes": ["a", "b"]},
    "no mean": {"mean": None},
    "mean in words": {"mean": ["dark"]},
    "mean of two": {"mean": [0.5, 0.5]},
    "no contrast": {"std": [0.0]},
    "hardly any contrast": {"std": [1e-300]},
    "too bright for a float": {"mean": [1e300]},
    "too bright for any float": {"mean": [10**400]},
    "not a number": {"std": [float("nan")]},
}


@pytest.mark.parametrize("fault", SPOILT)
def test_a_file_that_contradicts_itself_is_refused(run, tmp_path, fault):
    _source, training = run
    meta = dict(SPOILT[fault])
    if fault == "another net":
        meta["spec"] = training.spec.to_dict() | meta["spec"]
    assert error_of(own_file(training, tmp_path, **meta))


def foreign(tmp_path, **options):
    """Other people's net, and the source of its file."""
    theirs = UsualResNet((1, 1, 1), 4, "padding", "linear", **options)
    path = tmp_path / "theirs.pt"
    torch.save({"state_dict": theirs.state_dict()}, path)
    return theirs, Source("file", "theirs.pt", str(path), str(options))


def test_other_peoples_weights_are_opened_and_what_is_assumed_is_said(tmp_path):
    theirs, source = foreign(tmp_path)
    opened = open_net(source.to_dict())
    card = opened.card
    mean, std = STATISTICS["imagenet"]
    shape = (1, 3, 1, 1)
    x = (pictures(card) / 255 - torch.tensor(mean).reshape(shape)) / torch.tensor(std).reshape(
        shape
    )
    with torch.no_grad():
        torch.testing.assert_close(logits(opened), theirs(x), rtol=1e-4, atol=1e-4)
    assert (card.title, card.classes, card.image_size) == (
        "resnet-8 (theirs.pt)",
        CIFAR10_CLASSES,
        32,
    )
    assert (card.data, card.trained_on, card.test_error, card.step) == (None, "", None, None)
    notes = " ".join(card.notes)
    assert "CIFAR-10 in their usual order" in notes
    assert "it is assumed" in notes


def test_statistics_can_be_chosen_where_the_file_does_not_say(tmp_path):
    _theirs, source = foreign(tmp_path)
    card = measure_card(replace(source, statistics="half").to_dict())
    assert (card.mean, card.std) == STATISTICS["half"]
    assert not any("it is assumed" in note for note in card.notes)


def test_more_classes_than_a_page_can_name_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("resnet_viz.nets.foreign.MAX_CLASSES", 6)
    _theirs, source = foreign(tmp_path, classes=7)
    assert "7 classes; at most 6" in error_of(source)


def test_endless_brackets_in_place_of_what_a_file_says(tmp_path):
    path = tmp_path / "mine.safetensors"
    save_file({"net.w": torch.ones(1)}, path, {"resnet_viz": "[" * 200_000})
    assert "cannot be read" in error_of(Source("file", "mine", str(path)))


@pytest.mark.parametrize(("count", "first"), [(100, CIFAR100_CLASSES[0]), (7, "class 0")])
def test_classes_are_named_by_their_number(tmp_path, count, first):
    _theirs, source = foreign(tmp_path, classes=count)
    card = measure_card(source.to_dict())
    assert (len(card.classes), card.classes[0]) == (count, first)


def test_imagenet_nets_get_its_classes_and_size(tmp_path):
    spec = NetSpec("resnet", 10, width=4, blocks=(1, 1, 1, 1), shortcut="B", stem="imagenet")
    path = tmp_path / "net.safetensors"
    save_file(build_net(spec, 1000).state_dict(), path)
    card = measure_card(Source("file", "net", str(path)).to_dict())
    assert (card.classes[1], card.image_size) == ("goldfish", 224)


def test_grey_nets_get_the_mean_of_the_colours(tmp_path):
    _theirs, source = foreign(tmp_path, channels=1)
    opened = open_net(replace(source, statistics="cifar10").to_dict())
    assert opened.card.mean == pytest.approx([sum(STATISTICS["cifar10"][0]) / 3])
    assert torch.isfinite(logits(opened)).all()


def test_what_cannot_be_opened_is_told_in_words(tmp_path, run):
    source, _training = run
    assert "cannot be opened" in error_of(Source("file", "x", str(tmp_path / "x.pt")))
    assert "gone" in error_of(replace(source, path=str(tmp_path / "gone.safetensors")))
    with pytest.raises(SpecError, match="not a source"):
        open_net({"colour": "red"})
    bad = RunSpec(NetSpec("resnet", 14, width=4), DIGITS, _training.spec.train)
    assert "another spec" in error_of(replace(source, spec=bad.to_json()))


# --- randomised ---


def test_the_cascade_goes_from_the_head_to_the_stem():
    assert parts_from_head(NetSpec("resnet", 8)) == ("head", "stage3", "stage2", "stage1", "stem")


def changed_parts(one, other):
    """Which parts of two nets have different convolutions or linear layers."""
    names = {"head": one.head, "stem": one.stem}
    names |= {f"stage{i + 1}": stage for i, stage in enumerate(one.stages)}
    found = set()
    for name, part in names.items():
        path = f"stages.{int(name[5:]) - 1}" if name.startswith("stage") else name
        pairs = zip(part.parameters(), other.get_submodule(path).parameters(), strict=True)
        if any(a.dim() >= 2 and not torch.equal(a, b) for a, b in pairs):
            found.add(name)
    return found


@pytest.mark.parametrize("number", range(5))
def test_everything_from_the_head_down_is_drawn_anew_and_nothing_else(run, number):
    source, _training = run
    parts = parts_from_head(NET)
    trained = open_net(source.to_dict())
    fresh = open_net(source.with_fresh(parts[number]).to_dict())
    assert changed_parts(trained.net, fresh.net) == set(parts[: number + 1])
    assert changed_parts(trained.net, open_net(source.to_dict()).net) == set()


def test_a_longer_cascade_has_the_weights_of_the_shorter_one(run):
    source, _training = run
    short = open_net(source.with_fresh("stage3").to_dict()).net
    long = open_net(source.with_fresh("stem").to_dict()).net
    assert changed_parts(short, long) == {"stage2", "stage1", "stem"}
    other = open_net(source.with_fresh("stem", seed=1).to_dict()).net
    assert changed_parts(other, long) == set(parts_from_head(NET))


def test_fresh_norms_see_signals_of_mean_0_and_variance_1(run):
    source, _training = run
    opened = open_net(source.with_fresh("stem").to_dict())
    norms = [m for m in opened.net.modules() if isinstance(m, nn.BatchNorm2d)]
    seen = []
    for norm in norms:
        norm.register_forward_hook(lambda _m, _x, out: seen.append(out))
        assert torch.equal(norm.weight, torch.ones_like(norm.weight))
        assert norm.momentum == 0.1
    with torch.no_grad():
        opened.net(opened.normalise(own_pictures(16, 1)))
    assert len(seen) == len(norms)
    for out in seen:
        assert out.mean((0, 2, 3)).abs().max() < 0.02
        assert (out.var((0, 2, 3)) - 1).abs().max() < 0.05


def test_a_randomised_net_says_so_and_leaves_the_random_state_alone(run):
    source, _training = run
    before = torch.get_rng_state()
    card: NetCard = measure_card(source.with_fresh("stage2", seed=9).to_dict())
    assert torch.equal(before, torch.get_rng_state())
    assert "fresh from the head to stage2" in card.title
    assert (card.step, card.test_error) == (None, None)
    assert "drawn anew" in card.notes[0]


def test_a_part_that_the_net_has_not_is_refused(run):
    source, _training = run
    assert "did you mean 'stage3'" in error_of(source.with_fresh("stage4"))


@pytest.mark.parametrize(
    "spec",
    [
        NetSpec("plain", 8, width=4, norm="none"),
        NetSpec("preact", 8, width=4),
        NetSpec("resnet", 8, width=4, norm="none", init="fixup"),
    ],
)
def test_every_family_can_be_randomised(tmp_path, spec):
    source, _training = trained_source(tmp_path, spec, DIGITS, steps=1)
    fresh = open_net(source.with_fresh("stem").to_dict())
    assert changed_parts(open_net(source.to_dict()).net, fresh.net) == set(parts_from_head(spec))
    assert torch.isfinite(logits(fresh)).all()
    assert logits(fresh).std() > 0
