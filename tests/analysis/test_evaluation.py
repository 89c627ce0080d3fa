"""Errors of a net on labelled images, held against counting them by hand."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from resnet_viz.analysis import evaluation_jobs
from resnet_viz.analysis.evaluation_jobs import (
    SPLITS,
    evaluation_question,
    match_classes,
    unusable_images,
)
from resnet_viz.analysis.opened import measure_card, open_net
from resnet_viz.analysis.pace import images_in_job
from resnet_viz.checks import SpecError
from resnet_viz.cli import main
from resnet_viz.datasets.catalogue import CIFAR10_CLASSES
from resnet_viz.datasets.errors import DataError
from resnet_viz.datasets.images import in_channels
from resnet_viz.datasets.load import load
from resnet_viz.sources import NetCard, Source
from resnet_viz.specs import DataSpec, NetSpec
from tests.analysis.answers import answer, answers_to
from tests.analysis.sources import trained_source
from tests.nets.usual import UsualResNet

DIGITS = DataSpec("digits", image_size=16)


@pytest.fixture
def digits(tmp_path):
    """A net that has seen some digits; its source and card."""
    source, _training = trained_source(tmp_path, NetSpec("resnet", 8, width=4), DIGITS, steps=12)
    return source, measure_card(source.to_dict())


def ask(*arguments):
    return answer(evaluation_question(*arguments))


@pytest.mark.parametrize("split", SPLITS)
def test_errors_are_those_that_one_counts(digits, split):
    source, card = digits
    found = ask(source, card, DIGITS, split)
    data, opened = load(DIGITS), open_net(source.to_dict())
    parts = {"train": data.train_images, "test": data.test_images}
    labels = {"train": data.train_labels, "test": data.test_labels}
    images = parts.get(split, torch.cat([*parts.values()]))
    truth = labels.get(split, torch.cat([*labels.values()]))
    with torch.no_grad():
        guess = opened.net(opened.normalise(images)).argmax(1)
    assert found.images == len(truth)
    assert found.error == pytest.approx((guess != truth).float().mean().item())
    assert found.confusion.sum() == len(truth)
    for k in range(10):
        of_class = truth == k
        assert found.class_images[k] == of_class.sum()
        assert found.class_errors[k] == pytest.approx((guess[of_class] != k).float().mean().item())
        assert found.confusion[k, 3] == (guess[of_class] == 3).sum()
    assert (found.net, found.split) == (card.title, split)


def test_data_at_another_size_come_at_the_nets_own(digits):
    source, card = digits
    plain = ask(source, card, DataSpec("digits"))
    assert plain.confusion.tolist() == ask(source, card, DIGITS).confusion.tolist()


def test_many_small_questions_are_one_large_one(digits, monkeypatch):
    source, card = digits
    whole = ask(source, card, DIGITS)
    monkeypatch.setattr(evaluation_jobs, "MOST_IMAGES", 77)
    question = evaluation_question(source, card, DIGITS, "all")
    assert len(question.jobs) == math.ceil(1797 / 77)
    assert answer(question).images == 1797
    assert ask(source, card, DIGITS).confusion.tolist() == whole.confusion.tolist()


def test_deeper_nets_get_fewer_images_a_job():
    def card(spec, size):
        return NetCard("net", spec, (), size, 3, (0.5,) * 3, (0.5,) * 3, 1)

    resnet50 = NetSpec("resnet", 50, "bottleneck", "B", 64, (3, 4, 6, 3), stem="imagenet")
    counts = [images_in_job(card(NetSpec("resnet", depth), 32)) for depth in (8, 20, 56, 110)]
    assert counts == sorted(counts, reverse=True)
    assert images_in_job(card(resnet50, 224)) in (1, 2, 3)


# --- folders ---


@pytest.fixture
def painter(tmp_path):
    """Somebody's CIFAR-10 net, whose answers depend on what it sees; source and card."""
    path = tmp_path / "theirs.pt"
    torch.save(UsualResNet((1, 1, 1), 4, "shortcut", "linear").state_dict(), path)
    source = Source("file", "theirs.pt", str(path), "1")
    return source, measure_card(source.to_dict())


def write_folder(root, classes, count=6, size=32):
    generator = np.random.default_rng(0)
    for name in classes:
        (root / name).mkdir(parents=True)
        for i in range(count):
            pixels = generator.integers(0, 256, (size, size, 3), dtype=np.uint8)
            pixels[..., generator.integers(3)] = 255
            Image.fromarray(pixels).save(root / name / f"{i}.png")
    return DataSpec("folder", folder=str(root))


def test_a_folder_may_have_some_of_the_classes_in_any_order_and_writing(painter, tmp_path):
    source, card = painter
    data = write_folder(tmp_path / "mine", ["Truck", "car", "dog"])
    found = ask(source, card, data, "all")
    opened, wrong = open_net(source.to_dict()), 0
    for name, label in (("Truck", 9), ("car", 1), ("dog", 5)):
        files = sorted((tmp_path / "mine" / name).iterdir())
        pixels = torch.tensor(np.stack([np.asarray(Image.open(f)) for f in files]))
        with torch.no_grad():
            guess = opened.net(opened.normalise(pixels.permute(0, 3, 1, 2))).argmax(1)
        assert found.confusion[label].tolist() == torch.bincount(guess, minlength=10).tolist()
        assert found.class_errors[label] == pytest.approx((guess != label).float().mean().item())
        wrong += int((guess != label).sum())
    assert (found.images, found.error) == (18, pytest.approx(wrong / 18))
    assert found.class_images == (0, 6, 0, 0, 0, 6, 0, 0, 0, 6)
    assert math.isnan(found.class_errors[0])
    assert found.data == "mine"


def test_images_that_cannot_be_used_are_left_out_and_named(painter, tmp_path):
    source, card = painter
    data = write_folder(tmp_path / "mine", ["cat", "dog"])
    (tmp_path / "mine" / "cat" / "0.png").write_bytes(b"no picture")
    question = evaluation_question(source, card, data, "all")
    answers = answers_to(question.jobs)
    assert question.combine(answers).images == 11
    (left_out,) = unusable_images(answers)
    assert "0.png (not an image)" in left_out
    for name in ("cat", "dog"):
        for file in (tmp_path / "mine" / name).iterdir():
            file.write_bytes(b"no picture")
    question = evaluation_question(source, card, data, "all")
    with pytest.raises(DataError, match="None of these images could be used"):
        answer(question)


def test_a_changed_folder_is_another_question(painter, tmp_path):
    source, card = painter
    data = write_folder(tmp_path / "mine", ["cat", "dog"])
    before = evaluation_question(source, card, data, "all").jobs[0].key
    assert evaluation_question(source, card, data, "all").jobs[0].key == before
    (tmp_path / "mine" / "cat" / "0.png").write_bytes(b"another")
    assert evaluation_question(source, card, data, "all").jobs[0].key != before


def test_larger_pictures_are_brought_to_the_nets_size(painter, tmp_path):
    source, card = painter
    data = write_folder(tmp_path / "mine", ["cat", "dog"], count=2, size=80)
    assert ask(source, card, data, "all").images == 4


# --- what does not go together ---


def test_classes_match_by_name():
    assert match_classes(CIFAR10_CLASSES, CIFAR10_CLASSES) == tuple(range(10))
    assert match_classes(CIFAR10_CLASSES, ("ship", "plane", "Car")) == (8, 0, 1)
    assert match_classes(("pickup_truck", "T-shirt"), ("t shirt", "Pickup Truck")) == (1, 0)


@pytest.mark.parametrize(
    ("net", "data", "message"),
    [
        (CIFAR10_CLASSES, ("cat", "lion"), "does not know these classes of the images: lion"),
        (("class 0", "class 1"), ("cat", "dog"), "It knows: class 0, class 1"),
        (("crane", "crane", "dog"), ("crane", "dog"), "crane"),  # which of the two?
        (CIFAR10_CLASSES, ("car", "automobile"), "one name"),
    ],
)
def test_classes_that_do_not_match_are_refused(net, data, message):
    with pytest.raises(SpecError, match=message):
        match_classes(net, data)


def test_data_that_are_not_there_are_told_before_anything_is_asked(painter):
    source, card = painter
    with pytest.raises(DataError, match="python -m resnet_viz download cifar10"):
        evaluation_question(source, card, DataSpec("cifar10"))
    with pytest.raises(DataError, match="There is no folder"):
        evaluation_question(source, card, DataSpec("folder", folder="nowhere"))
    with pytest.raises(SpecError, match="did you mean 'test'"):
        evaluation_question(source, card, DIGITS, "tset")


def test_grey_is_made_as_pillow_makes_it_and_colour_of_grey():
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    grey = in_channels(torch.from_numpy(pixels).permute(2, 0, 1)[None], 1)
    expected = np.asarray(Image.fromarray(pixels).convert("L"), np.int16)
    assert np.abs(grey[0, 0].numpy().astype(np.int16) - expected).max() <= 1
    assert torch.equal(in_channels(grey, 3)[0, 2], grey[0, 0])


# --- the command ---


def test_the_command_prints_and_writes_what_was_counted(painter, tmp_path, capsys):
    source, _card = painter
    data = write_folder(tmp_path / "mine", ["cat", "dog"])
    file = tmp_path / "out.json"
    arguments = ["evaluate", source.path, "--data", str(tmp_path / "mine"), "--split", "all"]
    assert main([*arguments, "--statistics", "half", "--json", str(file)]) == 0
    said = capsys.readouterr()
    opened = replace(source, statistics="half")
    expected = ask(opened, measure_card(opened.to_dict()), data, "all")
    assert f"{100 * expected.error:.2f} % of 12 images wrong" in said.out
    assert "CIFAR-10 in their usual order" in said.err
    report = json.loads(file.read_text("utf-8"))
    assert (report["images"], report["error"]) == (12, expected.error)
    assert report["confusion"] == expected.confusion.tolist()
    by_name = {c["name"]: c for c in report["classes"]}
    assert by_name["cat"]["images"] == 6
    assert by_name["frog"] == {"name": "frog", "images": 0, "error": None}
    assert report["net"]["mean"] == [0.5] * 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["resnet-65", "--data", "digits"], "is no net"),
        (["FILE", "--data", "digits"], "does not know these classes"),
        (["FILE", "--data", "nowhere"], "There is no folder 'nowhere'"),
        (["FILE", "--data", "digits", "--json", "no/where.json"], "There is no folder no"),
        (["JUNK", "--data", "digits"], "neither a safetensors file nor"),
    ],
)
def test_the_command_says_what_is_wrong(painter, tmp_path, capsys, arguments, message):
    source, _card = painter
    junk = tmp_path / "junk.pt"
    junk.write_text("hello")
    paths = {"FILE": source.path, "JUNK": str(junk)}
    assert main(["evaluate", *(paths.get(word, word) for word in arguments)]) == 2
    assert message in capsys.readouterr().err


def test_a_folder_of_too_few_images_has_none_to_test(painter, tmp_path):
    source, card = painter[:2]
    data = write_folder(tmp_path / "mine", ["cat", "dog"], count=1)
    with pytest.raises(DataError, match=r"no images.*test.*all"):
        evaluation_question(source, card, data)
    assert ask(source, card, data, "all").images == 2


def test_a_folder_without_a_test_folder_says_what_counts_as_test(painter, tmp_path, capsys):
    source, _card = painter
    write_folder(tmp_path / "mine", ["cat", "dog"], count=5)
    assert main(["evaluate", source.path, "--data", str(tmp_path / "mine")]) == 0
    said = capsys.readouterr()
    assert "a fifth of each class, 2 images" in said.err
    assert "of 2 images wrong" in said.out
