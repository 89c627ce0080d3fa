"""The command attribute: what it prints, writes and refuses, with a net from a file."""

import io
import json

import numpy as np
import pytest
import torch
from PIL import Image

from resnet_viz.analysis.opened import measure_card, open_net
from resnet_viz.cli import main
from resnet_viz.cli.attribute import VIEWS, find_class, parse_settings
from resnet_viz.figures.attributions import overlay
from resnet_viz.methods import method
from resnet_viz.probes.attributions.run import attribute
from resnet_viz.probes.attributions.shares import finish
from resnet_viz.probes.attributions.subject import Subject
from resnet_viz.specs import DataSpec, NetSpec, SpecError
from tests.analysis.sources import trained_source

NET = NetSpec("resnet", 8, width=4)
PIXELS = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    folder = tmp_path_factory.mktemp("net")
    return trained_source(folder, NET, DataSpec("shapes", image_size=16))[0]


@pytest.fixture
def photo(tmp_path):
    Image.fromarray(PIXELS).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


def test_it_prints_target_and_completeness_and_writes_picture_values_and_numbers(
    source, photo, tmp_path, capsys
):
    card = measure_card(source.to_dict())
    files = {kind: tmp_path / f"out.{kind}" for kind in ("png", "npy", "json")}
    command = ["attribute", str(photo), "--net", source.path, "--target", card.classes[2].upper()]
    command += ["--method", "integrated-gradients", "--set", "steps=9", "--set", "baseline=black"]
    command += ["--out", str(files["png"]), "--npy", str(files["npy"])]
    assert main([*command, "--json", str(files["json"])]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert f"Integrated Gradients: {card.classes[2]} (class 2), logit" in lines[0]
    assert "computed in" in lines[1]
    assert "completeness" in lines[2]

    x = torch.tensor((PIXELS / 255 - card.mean) / card.std).permute(2, 0, 1)[None].float()
    subject = Subject(open_net(source.to_dict()).net, x, 2, card.mean, card.std)
    parameters = method("integrated-gradients", NET, 16).fill({"steps": 9, "baseline": "black"})
    expected = finish(attribute("integrated-gradients", subject, parameters))["values"]
    values = np.load(files["npy"])
    np.testing.assert_allclose(values, expected, rtol=0, atol=1e-5 * np.abs(expected).max())

    report = json.loads(files["json"].read_text())
    assert report["parameters"] == parameters
    assert (report["target"], report["class"]) == (2, card.classes[2])
    assert report["shape"] == [3, 16, 16]
    assert report["sum"] == pytest.approx(report["expected"] + report["delta"], abs=1e-5)
    assert report["square"] == [0, 0, 16]
    picture = Image.open(io.BytesIO(files["png"].read_bytes()))
    assert picture.format == "PNG"
    assert picture.width > picture.height > 100  # image and map side by side


def test_without_a_target_it_explains_what_the_net_names(source, photo, tmp_path):
    file = tmp_path / "out.json"
    assert main(["attribute", str(photo), "--net", source.path, "--json", str(file)]) == 0
    report = json.loads(file.read_text())
    assert report["method"] == "saliency"
    assert report["expected"] is None
    features = tmp_path / "features.json"
    assert main(["features", str(photo), "--net", source.path, "--json", str(features)]) == 0
    first = json.loads(features.read_text())["predictions"][0]
    assert (report["class"], report["probability"]) == (
        first["class"],
        pytest.approx(first["probability"]),
    )


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_is_drawn(source, photo, tmp_path, view):
    file = tmp_path / "out.png"
    command = ["attribute", str(photo), "--net", source.path, "--method", "grad-cam"]
    assert main([*command, "--view", view, "--out", str(file)]) == 0
    assert Image.open(file).format == "PNG"


def test_the_views_are_those_that_are_drawn():
    assert VIEWS == overlay.VIEWS


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--method", "saliancy"), "nearest: saliency"),
        (("--target", "dogg"), "there is no class 'dogg' among"),
        (("--set", "steps"), "is not NAME=VALUE"),
        (("--set", "steps=9"), "Saliency has no parameter 'steps'"),
        (("--method", "occlusion", "--set", "window=x"), "window 'x' is not a number"),
        (("--method", "occlusion", "--set", "window=99"), "use 1 to 16"),
        (("--method", "grad-cam", "--set", "point=stem"), "point 'stem' is not known"),
        (("--out", "no-such-folder/x.png"), "There is no folder"),
        (("--square", "0,0,99"), "does not lie in the picture"),
    ],
)
def test_bad_input_is_refused_in_words(source, photo, capsys, arguments, said):
    assert main(["attribute", str(photo), "--net", source.path, *arguments]) == 2
    assert said in capsys.readouterr().err


def test_a_class_is_found_by_name_or_number():
    classes = ("dog", "tabby cat", "7")
    assert find_class("Dog", classes) == 0
    assert find_class(" tabby CAT ", classes) == 1
    assert find_class("1", classes) == 1
    assert find_class("7", classes) == 2  # a name comes before a number
    for text, near in (
        ("dig", "nearest: dog"),
        ("cat", "tabby cat"),
        ("3", "nearest"),
        ("", "dog"),
    ):
        with pytest.raises(SpecError, match=near):
            find_class(text, classes)


def test_settings_are_of_their_parameters_kind():
    about = method("smoothgrad", NET, 16)
    found = parse_settings(about, ["samples=7", " noise = 1 ", "seed=3"])
    assert about.fill(found) == {"samples": 7, "noise": 1.0, "seed": 3}
    assert parse_settings(about, ["other=a=b"]) == {"other": "a=b"}
