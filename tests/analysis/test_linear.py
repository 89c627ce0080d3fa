"""Linear probes as a page asks for them: fitted, kept, read again, and held against oracles."""

import base64
import io
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from resnet_viz.analysis import linear_answers, linear_files
from resnet_viz.analysis.linear_files import read_probes, write_probes
from resnet_viz.analysis.linear_jobs import (
    ProbeImages,
    placed_question,
    probes_file,
    probes_question,
)
from resnet_viz.analysis.opened import measure_card
from resnet_viz.datasets.errors import DataError
from resnet_viz.datasets.load import load
from resnet_viz.sources import Source
from resnet_viz.specs import DataSpec, NetSpec, SpecError
from tests.analysis.answers import answer
from tests.analysis.sources import trained_source

DATA = DataSpec("digits", image_size=16)
NET = NetSpec("resnet", 8, width=4)
FEW = ProbeImages(train=120, test=70, seed=5)


@pytest.fixture
def trained(tmp_path):
    source, training = trained_source(tmp_path, NET, DATA, steps=12)
    return source, measure_card(source.to_dict()), training.net.eval()


def chosen(count, n, generator):
    return torch.randperm(n, generator=generator)[:count]


def features_by_hook(net, images):
    seen = []
    modules = [net.stem, *(block for stage in net.stages for block in stage)]
    hooks = [m.register_forward_hook(lambda _m, _i, y: seen.append(y)) for m in modules]
    with torch.no_grad():
        logits = net(images)
    for hook in hooks:
        hook.remove()
    return [maps.mean((2, 3)).double().numpy() for maps in seen], logits.argmax(1).numpy()


def test_probes_are_those_of_scikit_learn_on_features_of_a_plain_hook(trained):
    source, card, net = trained
    probes = answer(probes_question(source, card, FEW))
    data = load(DATA)
    draw = torch.Generator().manual_seed(5)
    at = {
        "train": chosen(120, len(data.train_labels), draw),
        "test": chosen(70, len(data.test_labels), draw),
    }
    images = torch.cat([data.train_images[at["train"]], data.test_images[at["test"]]]) / 255
    mean, std = (t.reshape(1, -1, 1, 1) for t in (data.mean, data.std))
    features, predicted = features_by_hook(net, (images - mean) / std)
    y = data.train_labels[at["train"]].numpy()
    truth = data.test_labels[at["test"]].numpy()
    assert probes.net_error == pytest.approx((predicted[120:] != truth).mean())
    assert probes.points == ("stem.relu", "stage1.block1", "stage2.block1", "stage3.block1")
    assert (probes.net, probes.step, probes.classes) == (NET, 12, data.classes)
    assert (probes.train_images, probes.test_images, probes.data) == (120, 70, "Digits (8×8)")
    for i, found in enumerate(features):
        scale = StandardScaler().fit(found[:120])
        model = LogisticRegression(max_iter=5000).fit(scale.transform(found[:120]), y)
        wrong = model.predict(scale.transform(found[120:])) != truth
        assert probes.test_error[i] == pytest.approx(wrong.mean(), abs=1.01 / 70)
        logits = torch.from_numpy(found[120:] @ probes.weights[i].T + probes.bias[i])
        expected = model.predict_proba(scale.transform(found[120:]))
        np.testing.assert_allclose(logits.softmax(1).numpy(), expected, atol=2e-3)


def same(a, b):
    assert replace(a, weights=(), bias=()) == replace(b, weights=(), bias=())
    for x, y in zip([*a.weights, *a.bias], [*b.weights, *b.bias], strict=True):
        np.testing.assert_array_equal(x, y)


def test_the_next_visit_only_reads_them(trained):
    source, card, _net = trained
    first = answer(probes_question(source, card, FEW))
    question = probes_question(source, card, FEW)
    assert len(question.jobs) == 1
    same(answer(question), first)
    assert len(probes_question(source, card, replace(FEW, seed=6)).jobs) > 1
    later = replace(source, fingerprint="written anew")
    assert len(probes_question(later, card, FEW).jobs) > 1


def test_a_process_that_died_in_between_loses_time_and_nothing_else(trained):
    source, card, _net = trained
    question = probes_question(source, card, FEW)
    first = answer(question)
    assert not linear_answers._works
    probes_file(source, card, FEW).unlink()
    same(answer(question, between=linear_answers._works.clear), first)


def test_memory_is_bounded_over_questions_that_were_given_up(trained, monkeypatch):
    source, card, _net = trained
    one = 4 * (120 + 70) * (4 + 4 + 8 + 16)
    monkeypatch.setattr(linear_answers, "MOST_BYTES", 3 * one)
    linear_answers._works.clear()
    for seed in range(8):
        for job in probes_question(source, card, replace(FEW, seed=seed)).jobs[:2]:
            answer(job)
        assert sum(work.size_bytes for work in linear_answers._works.values()) <= 4 * one
    assert len(linear_answers._works) <= 4
    linear_answers._works.clear()


def picture(pixels):
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()


def test_an_image_is_placed_by_every_probe(trained):
    source, card, net = trained
    data = load(DATA)
    text = picture(data.test_images[3, 0].numpy())
    assert "ask for them first" in answer(placed_question(source, card, text, FEW).jobs[0])
    probes = answer(probes_question(source, card, FEW))
    found = answer(placed_question(source, card, text, FEW))
    x = (data.test_images[3:4] / 255 - data.mean.item()) / data.std.item()
    features, _predicted = features_by_hook(net, x)
    assert found.shape == (4, 10)
    for row, f, w, b in zip(found, features, probes.weights, probes.bias, strict=True):
        expected = torch.from_numpy(f[0] @ w.T + b).softmax(0).numpy()
        np.testing.assert_allclose(row, expected, atol=1e-5)


def test_a_damaged_file_is_said_removed_and_made_anew(trained):
    source, card, _net = trained
    first = answer(probes_question(source, card, FEW))
    file = probes_file(source, card, FEW)
    whole = file.read_bytes()
    file.write_bytes(whole[:-100])
    assert "ask again" in answer(probes_question(source, card, FEW))
    assert not file.exists()
    same(answer(probes_question(source, card, FEW)), first)


@pytest.mark.parametrize(
    "change",
    [
        {"test_error": (0.5, 0.5, 0.5)},
        {"test_error": (0.5, 0.5, 0.5, 1.5)},
        {"net_error": float("nan")},
        {"train_images": -1},
        {"classes": ("a", "b")},
        {"data": "x" * 1000},
        {"net": NetSpec("resnet", 14, width=4)},
        {"weights": (np.full((10, 4), np.nan, np.float32),)},
    ],
    ids=str,
)
def test_a_file_that_is_not_what_we_write_is_refused(trained, tmp_path, change):
    source, card, _net = trained
    probes = answer(probes_question(source, card, FEW))
    if "weights" in change:
        change = {"weights": (*change["weights"], *probes.weights[1:])}
    write_probes(tmp_path / "bad.safetensors", replace(probes, **change))
    with pytest.raises(linear_files.ProbeFileError, match=r"bad\.safetensors"):
        read_probes(tmp_path / "bad.safetensors")


def test_float16_is_enough_to_read_the_same_numbers(trained, tmp_path):
    source, card, _net = trained
    probes = answer(probes_question(source, card, FEW))
    probes.weights[0][1, 2] = 1e6  # more than it holds
    write_probes(tmp_path / "half.safetensors", probes, dtype="float16")
    found = read_probes(tmp_path / "half.safetensors")
    assert found.test_error == probes.test_error
    np.testing.assert_array_equal(found.weights[0], probes.weights[0])
    np.testing.assert_allclose(found.weights[2], probes.weights[2], rtol=1e-3, atol=1e-4)
    assert found.weights[2].dtype == np.float32


def test_images_that_are_not_there_are_named(trained):
    source, card, _net = trained
    with pytest.raises(DataError, match="download cifar10"):
        probes_question(source, replace(card, data=DataSpec("cifar10")), FEW)
    folder = replace(card, data=DataSpec("folder", folder="nowhere"))
    with pytest.raises(DataError, match="nowhere"):
        probes_question(source, folder, FEW)
    with pytest.raises(SpecError, match="Choose a data set"):
        probes_question(source, replace(card, data=None), FEW)
    with pytest.raises(SpecError, match="does not know these classes"):
        probes_question(source, card, replace(FEW, data=DataSpec("shapes")))
    with pytest.raises(SpecError, match="train"):
        ProbeImages(train=1)


def test_probes_that_come_with_a_bundled_net_need_no_images(trained, tmp_path, monkeypatch):
    source, card, _net = trained
    probes = answer(probes_question(source, card, FEW))
    monkeypatch.setattr(linear_files, "SHIPPED", tmp_path)
    write_probes(tmp_path / "resnet-8.safetensors", probes)
    bundled = Source("bundled", "resnet-8")
    away = replace(card, data=DataSpec("cifar10"))
    (job,) = probes_question(bundled, away).jobs
    assert job.arguments["file"] == str(tmp_path / "resnet-8.safetensors")
    with pytest.raises(DataError):  # whose weights are not those of the probes
        probes_question(bundled.with_fresh("head"), away)
    # Read as the job does; the net of this test is no bundled one.
    same(linear_answers.read_kept(source.to_dict(), job.arguments["file"]), probes)


def test_a_folder_without_test_images_is_refused_before_anything_is_fitted(trained, tmp_path):
    source, card, _net = trained
    for name in card.classes:
        (tmp_path / "mine" / name).mkdir(parents=True)
        Image.new("L", (16, 16)).save(tmp_path / "mine" / name / "only.png")
    data = DataSpec("folder", folder=str(tmp_path / "mine"))
    with pytest.raises(DataError, match="10 training and 0 test"):
        probes_question(source, card, replace(FEW, data=data))
