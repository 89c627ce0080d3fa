"""The command features: what it prints, writes and refuses, with a net from a file."""

import io
import json

import numpy as np
import pytest
from PIL import Image

from resnet_viz.cli import main
from resnet_viz.cli.looking import parse_square
from resnet_viz.datasets.picture import Square
from resnet_viz.specs import DataSpec, NetSpec, SpecError
from tests.analysis.sources import trained_source

NET = NetSpec("resnet", 8, width=4)


@pytest.fixture(scope="module")
def net(tmp_path_factory):
    folder = tmp_path_factory.mktemp("net")
    source, training = trained_source(folder, NET, DataSpec("shapes", image_size=16))
    return source.path, training


@pytest.fixture
def photo(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


def test_it_prints_five_classes_and_writes_picture_maps_and_numbers(net, photo, tmp_path, capsys):
    path, training = net
    files = {kind: tmp_path / f"out.{kind}" for kind in ("png", "npy", "json")}
    command = ["features", str(photo), "--net", path, "--at", "stage2.block1"]
    command += ["--out", str(files["png"]), "--npy", str(files["npy"])]
    assert main([*command, "--json", str(files["json"])]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "stage2.block1" in lines[-1]
    assert "8 maps of 8×8" in lines[-1]
    shown = [float(line.split("%")[0]) for line in lines[:-1]]
    assert len(shown) == min(5, len(training.data.classes))
    assert shown == sorted(shown, reverse=True)

    maps = np.load(files["npy"])
    assert (maps.shape, maps.dtype) == ((8, 8, 8), np.dtype("float32"))
    report = json.loads(files["json"].read_text())
    assert report["shape"] == [8, 8, 8]
    assert report["square"] == [10, 0, 40]
    assert sum(each["probability"] for each in report["predictions"]) == pytest.approx(1)
    assert [each["class"] for each in report["predictions"]] != []
    for each, values in zip(report["channels"], maps.astype(np.float64), strict=True):
        assert each["strength"] == pytest.approx(np.abs(values).mean())
        assert (each["lowest"], each["highest"]) == (values.min(), values.max())
    assert [each["block"] for each in report["blocks"]] == [f"stage{s}.block1" for s in (1, 2, 3)]
    norm = np.linalg.norm(maps.astype(np.float64))
    assert report["blocks"][1]["output_norm"] == pytest.approx(norm)

    picture = Image.open(io.BytesIO(files["png"].read_bytes()))
    assert picture.format == "PNG"
    assert picture.width > 320 + 8 * 32  # the image beside a grid of the channels


def test_another_square_is_another_image(net, photo, tmp_path):
    path, _training = net
    found = []
    for square in ("0,0,20", "30,10,30", "0,0,20"):
        file = tmp_path / "maps.npy"
        command = ["features", str(photo), "--net", path, "--square", square, "--npy", str(file)]
        assert main(command) == 0
        found.append(np.load(file))
    assert np.array_equal(found[0], found[2])
    assert not np.array_equal(found[0], found[1])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--at", "stage2.blok1"), "nearest: stage2.block1"),
        (("--square", "50,0,40"), "60×40 pixels; nearest: 20,0,40"),
        (("--square", "1,2"), "X,Y,SIDE"),
        (("--out", "no/such/folder/x.png"), "no folder"),
        (("--net", "run:7"), "no run 7"),
    ],
)
def test_bad_input_is_refused_in_words(net, photo, capsys, arguments, said):
    path, _training = net
    assert main(["features", str(photo), "--net", path, *arguments]) == 2
    captured = capsys.readouterr()
    assert said in captured.err
    assert captured.out == ""


def test_files_that_are_no_picture_or_no_net_are_refused_in_words(net, photo, tmp_path, capsys):
    path, _training = net
    text = tmp_path / "text.png"
    text.write_text("hello")
    assert main(["features", str(text), "--net", path]) == 2
    assert "not a picture" in capsys.readouterr().err
    assert main(["features", str(tmp_path / "gone.png"), "--net", path]) == 2
    assert "gone.png" in capsys.readouterr().err
    assert main(["features", str(photo), "--net", str(text)]) == 2
    error = capsys.readouterr().err
    assert "text.png" in error
    assert "Traceback" not in error


def test_a_square_is_three_numbers():
    assert parse_square("12, 0,480") == Square(12, 0, 480)
    for text in ("a", "1,2,3,4", ""):
        with pytest.raises(SpecError):
            parse_square(text)
