"""The command line: what it changes in a preset, what it refuses, what it writes."""

import json

import pytest

from resnet_viz.cli import main, make_parser, sweep_of
from resnet_viz.runs.profile_reader import ProfileReader
from resnet_viz.runs.store import RunStore
from resnet_viz.specs import SpecError
from resnet_viz.sweeps import PRESETS


def options(*arguments):
    return make_parser().parse_args(["sweep", *arguments])


def test_without_options_a_sweep_is_its_preset():
    for name, spec in PRESETS.items():
        assert sweep_of(options("--preset", name)) == spec


def test_options_change_what_they_name():
    spec = sweep_of(
        options(
            *("--families", "plain,preact", "--depths", "8,14", "--steps", "7", "--lr", "0.5"),
            *("--seeds", "3", "--seed", "5", "--width", "4", "--batch-size", "9"),
            *("--data", "shapes", "--image-size", "24"),
        )
    )
    assert (spec.families, spec.depths, spec.seeds, spec.width) == (
        ("plain", "preact"),
        (8, 14),
        3,
        4,
    )
    assert (spec.train.steps, spec.train.lr, spec.train.seed, spec.train.batch_size) == (
        7,
        0.5,
        5,
        9,
    )
    assert (spec.data.name, spec.data.image_size) == ("shapes", 24)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--depths", "21"),
        ("--depths", "a"),
        ("--families", "plane"),
        ("--steps", "0"),
        ("--width", "0"),
        ("--lr", "-1"),
        ("--folder", "x", "--data", "digits"),
        ("--seeds", "0"),
        ("--image-size", "0"),
    ],
)
def test_bad_options_are_refused(arguments, capsys):
    with pytest.raises(SpecError):
        sweep_of(options(*arguments))
    assert main(["sweep", *arguments]) == 2
    assert capsys.readouterr().err.strip()


@pytest.mark.parametrize("value", ["-1", "100000000"])
def test_an_interval_of_profiles_that_is_none_is_refused(value, capsys):
    assert main(["sweep", "--probe-every", value]) == 2
    assert "probe_every" in capsys.readouterr().err
    assert RunStore().sweeps() == []


def test_data_that_are_not_there_say_how_to_get_them(capsys):
    assert main(["sweep", "--preset", "paper"]) == 2
    assert "download cifar10" in capsys.readouterr().err
    assert main(["sweep", "--folder", "no-such-folder"]) == 2
    assert "no-such-folder" in capsys.readouterr().err
    assert main(["resume", "nosuch"]) == 2
    assert "no sweep" in capsys.readouterr().err


def test_a_sweep_trains_prints_a_table_and_writes_its_json(tmp_path, capsys):
    file = tmp_path / "out.json"
    arguments = ["--steps", "12", "--depths", "8", "--width", "4", "--json", str(file)]
    arguments += ["--probe-every", "4"]
    assert main(["sweep", *arguments]) == 0
    out = capsys.readouterr().out
    assert "plain-8" in out
    assert "resnet-8" in out
    report = json.loads(file.read_text("utf-8"))
    assert report["device"] in ("cpu", "cuda", "mps")
    assert [run["spec"]["net"]["family"] for run in report["runs"]] == ["plain", "resnet"]
    for run in report["runs"]:
        assert run["status"] == "done"
        assert 0 <= run["train_error"] <= 1
        assert 0 <= run["test_error"] <= 1
        assert 0 <= run["running_error"] <= 1
        assert run["seconds"] > 0
        assert run["images_per_second"] > 0
    sweep = RunStore().sweeps()[0]
    for _run, profiles in ProfileReader(RunStore(), sweep.id).refresh():
        assert [profile.step for profile in profiles] == [1, 5, 9, 12]
    assert main(["list"]) == 0
    assert sweep.id in capsys.readouterr().out
    for suffix in ("zip", "json", "csv", "html"):
        path = tmp_path / f"sweep.{suffix}"
        assert main(["export", sweep.id, str(path)]) == 0
        assert path.stat().st_size > 500
    assert main(["export", sweep.id, str(tmp_path / "sweep.xyz")]) == 2
    for name in ("layers.json", "layers.csv", "layers.html"):
        assert main(["export", sweep.id, str(tmp_path / name), "--gradients"]) == 0
        assert "branch.conv2" in (tmp_path / name).read_text() or name.endswith("html")
    assert main(["export", sweep.id, str(tmp_path / "layers.zip"), "--gradients"]) == 2
