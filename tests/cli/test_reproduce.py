"""reproduce figure6: the paper's nets and recipe, in pieces, and what is written of them."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import pytest

from resnet_viz.cli import main, make_parser, reproduce
from resnet_viz.cli.following import follow
from resnet_viz.cli.reproduce import find_sweep, parse_duration, spec_of
from resnet_viz.cli.reproduced import machine_words, note_machine
from resnet_viz.reproductions import figure6
from resnet_viz.runs import supervisor as runs_supervisor
from resnet_viz.runs.reader import SweepReader
from resnet_viz.runs.reference import MOST_RECORDS, compact_run, read_reference, write_reference
from resnet_viz.runs.store import RunStore
from resnet_viz.runs.supervisor import Supervisor
from resnet_viz.specs import DataSpec, SpecError, TrainSpec
from resnet_viz.training.schedule import learning_rate
from tests.cli.figure6 import CIFAR10, spec, written_runs

ROOT = Path(__file__).parents[2]
NINE = [
    *("plain-20", "plain-32", "plain-44", "plain-56"),
    *("resnet-20", "resnet-32", "resnet-44", "resnet-56", "resnet-110"),
]
# What a computer may lack that only trains.
BLOCKED = ("loky", "streamlit", "plotly", "captum")
BLOCKER = f"""
import os, sys
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {BLOCKED}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Blocker())
if "BLOCKED_MARKS" in os.environ:
    open(os.path.join(os.environ["BLOCKED_MARKS"], str(os.getpid())), "w").close()
"""


def options(*arguments: str) -> argparse.Namespace:
    return make_parser().parse_args(["reproduce", "figure6", *arguments])


@pytest.fixture
def blocked(tmp_path, monkeypatch):
    """Child processes lack what a computer that only trains may lack; each leaves its mark."""
    folder = tmp_path / "blocked"
    marks = folder / "marks"
    marks.mkdir(parents=True)
    (folder / "sitecustomize.py").write_text(BLOCKER)
    monkeypatch.setenv("PYTHONPATH", str(folder))
    monkeypatch.setenv("BLOCKED_MARKS", str(marks))
    return marks


# --- the experiment ---


def test_the_nets_are_the_nine_of_the_paper_with_its_recipe():
    runs = spec().runs()
    assert sorted(NINE) == sorted(run.net.name for run in runs)
    for run in runs:
        assert (run.net.width, run.net.block, run.net.shortcut) == (16, "basic", "A")
        assert run.data == DataSpec("cifar10", crop_padding=4, flip=True, val_images=5000)
        assert (run.train.batch_size, run.train.momentum, run.train.weight_decay) == (
            128,
            0.9,
            1e-4,
        )
        warm_up = 0.8 if run.net.name == "resnet-110" else None
        assert (run.train.optimizer, run.train.warmup_error) == ("sgd", warm_up)


@pytest.mark.parametrize("iterations", [64_000, 1000])
def test_the_learning_rate_is_divided_at_a_half_and_three_quarters(iterations):
    half, quarters = iterations // 2, iterations * 3 // 4
    for run in spec(iterations).runs():
        assert run.train.steps == iterations
        rates = [learning_rate(run.train, step) for step in (0, half - 1, half, quarters - 1)]
        assert rates == pytest.approx([0.1, 0.1, 0.01, 0.01])
        assert learning_rate(run.train, quarters) == pytest.approx(0.001)


def test_options_make_the_spec():
    assert spec_of(options()) == spec()
    made = spec_of(options("--data", "shapes", "--iterations", "500", "--seed", "3"))
    data = DataSpec("shapes", crop_padding=4, flip=True, val_images=500)
    assert made == figure6(data, iterations=500, seed=3)
    assert {run.train.seed for run in made.runs()} == {3}
    digits = spec_of(options("--data", "digits", "--image-size", "16")).data
    assert digits == DataSpec("digits", image_size=16, crop_padding=2, val_images=143)


def test_other_seeds_and_iterations_are_other_sweeps():
    store = RunStore()
    first = store.create_sweep(spec(100), name="a")
    assert find_sweep(store, spec(100)) == first
    assert find_sweep(store, spec(200)) is None
    assert find_sweep(store, figure6(CIFAR10, iterations=100, seed=1)) is None


@pytest.mark.parametrize(
    ("text", "seconds"), [("9m", 540), ("540s", 540), ("540", 540), ("1.5h", 5400), ("0", 0)]
)
def test_a_length_of_time_may_have_a_unit(text, seconds):
    assert parse_duration(text) == seconds
    assert options("--stop-after", text).stop_after == seconds


@pytest.mark.parametrize("text", ["", "m", "9 minutes", "-1", "9d", "nan"])
def test_another_length_of_time_is_refused(text, capsys):
    with pytest.raises(SystemExit):
        options(f"--stop-after={text}")
    assert "9m" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ("--iterations", "0"),
        ("--seed", "-1"),
        ("--data", "digits", "--folder", "x"),
        ("--folder", "no-such-folder"),
        ("--data", "digits", "--probe-every", "-1"),
        ("--data", "digits", "--html", "no/such/folder.html"),
        ("--draw",),
        ("--draw", "no-such-file.json"),
    ],
)
def test_bad_options_are_refused(arguments, capsys):
    assert main(["reproduce", "figure6", *arguments]) == 2
    assert capsys.readouterr().err.strip()
    assert RunStore().sweeps() == []


def test_data_that_are_not_there_say_how_to_get_them(capsys):
    assert main(["reproduce", "figure6"]) == 2
    assert "python -m resnet_viz download cifar10" in capsys.readouterr().err
    with pytest.raises(SpecError):
        TrainSpec(steps=0)


# --- in pieces ---


def interrupt() -> bool:
    raise KeyboardInterrupt


def end() -> bool:
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(10)  # the signal comes at once
    return False


@pytest.mark.parametrize("until", [lambda: True, interrupt, end])
def test_the_time_ctrl_c_and_the_signal_to_end_pause_every_net(until, capsys):
    store = RunStore()
    sweep_id = store.create_sweep(spec(100), name="waits")
    before = signal.getsignal(signal.SIGTERM)
    follow(store, Supervisor(store), sweep_id, until)  # one that starts no workers
    assert {run.status for run in store.runs(sweep_id)} == {"paused"}
    assert "0 of 9 nets done" in capsys.readouterr().err
    assert signal.getsignal(signal.SIGTERM) == before


class Clock:
    """Stands still until some net has taken a step, and then jumps by an hour."""

    def monotonic(self) -> float:
        return 3600.0 if any(run.step for run in RunStore().runs()) else 0.0


def test_it_pauses_in_time_goes_on_and_ends(tmp_path, home, monkeypatch, capsys, blocked):
    files = {name: tmp_path / f"out.{name}" for name in ("html", "json", "csv")}
    command = ["reproduce", "figure6", "--data", "digits", "--iterations", "4"]
    command += [text for name, file in files.items() for text in (f"--{name}", str(file))]
    for module in (reproduce, runs_supervisor):  # one worker
        monkeypatch.setattr(module, "available_cores", lambda: 1)
    with monkeypatch.context() as patch:
        patch.setattr(reproduce, "time", Clock())
        assert main([*command, "--stop-after", "9m", "--home", str(home)]) == 3
    err = capsys.readouterr().err
    assert "Go on with: python -m resnet_viz reproduce figure6 --data digits" in err
    assert f"--iterations 4 --home {home}" in err
    store = RunStore()
    (sweep,) = store.sweeps()
    runs = store.runs(sweep.id)
    assert any(0 < run.step < 4 for run in runs)
    for run in runs:
        assert run.status in ("paused", "done")
        assert (run.checkpoint_step or 0) == run.step  # where the next piece goes on
        assert f"{run.spec.net.name} {run.step}" in err
    assert len(read_reference(files["json"]).runs) == 9
    assert list(blocked.iterdir())  # the workers got along without what they may lack

    assert main(command) == 0
    assert [known.id for known in store.sweeps()] == [sweep.id]
    for run, history in SweepReader(store, sweep.id).refresh():
        assert run.status == "done"
        assert history.steps["running_error"] == [1, 2, 3, 4]
        assert 0 <= (run.test_error or -1) <= 1
    reference = read_reference(files["json"])
    assert reference.data == "Digits (8×8)"
    assert "minutes for all nets" in reference.machine
    assert reference.command.endswith("reproduce figure6 --data digits --iterations 4")
    assert {n for n in NINE if n in files["html"].read_text("utf-8")} == set(NINE)
    assert files["csv"].read_text("utf-8").count("training") == 9 * 4

    capsys.readouterr()
    assert main(command) == 0  # nothing is left to train: it draws
    assert "sweep" not in capsys.readouterr().err
    assert len(store.sweeps()) == 1


# --- what is written ---


def test_nine_nets_fit_in_a_small_file_and_come_back(tmp_path):
    runs = written_runs(spec(), every=64)
    path = tmp_path / "figure6.json.gz"
    write_reference(
        path, [compact_run(run, MOST_RECORDS) for run in runs], machine="m", command="c", data="d"
    )
    assert path.stat().st_size < 150_000
    found = read_reference(path)
    assert (found.machine, found.command, found.data) == ("m", "c", "d")
    for run, (info, history) in zip(runs, found.runs, strict=True):
        assert info.spec.to_dict(full=True) == run["spec"]
        training = [r for r in run["records"] if r["kind"] == "training"]
        assert history.steps["running_error"] == [r["step"] for r in training]
        expected = [r["running_error"] for r in training]
        assert history.values["running_error"] == pytest.approx(expected, abs=1e-5)
        tested = [r["test_error"] for r in run["records"] if r["kind"] == "evaluation"]
        assert history.values["test_error"] == pytest.approx(tested, abs=1e-5)
        assert info.test_error == pytest.approx(tested[-1], abs=1e-5)
        assert info.step == 64_000


@pytest.mark.parametrize("most", [1, 7, 99, 100, 1000])
def test_what_is_thinned_is_measured_evenly_spaced_and_ends_with_the_last(most):
    run = written_runs(spec(2000), every=20)[0]
    kept = [r for r in compact_run(run, most)["records"] if r["kind"] == "training"]
    steps = [r["step"] for r in kept]
    assert 0 < len(steps) <= most
    assert steps[-1] == 2000
    assert len({b - a for a, b in pairwise(steps)}) <= 1
    measured = {r["step"]: r["running_error"] for r in run["records"] if r["kind"] == "training"}
    assert all(r["running_error"] == pytest.approx(measured[r["step"]], abs=1e-5) for r in kept)
    assert not any("running_loss" in r for r in kept)


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"{}", b"[]", b"\xff", b"[" * 100_000, b"\x1f\x8bnot gzip"),
        *(b'{"runs": [{}]}', b'{"machine": "", "command": "", "runs": []}'),
    ],
)
def test_a_file_that_is_none_of_these_is_refused(content, tmp_path, capsys):
    file = tmp_path / "other.json"
    file.write_bytes(content)
    assert main(["reproduce", "figure6", "--draw", str(file)]) == 2
    assert "other.json" in capsys.readouterr().err


def test_without_plotly_it_says_where_to_draw(tmp_path, blocked, home):
    file = tmp_path / "kept.json"
    runs = [compact_run(run) for run in written_runs(spec(100), every=10)]
    write_reference(file, runs, machine="m", command="c")
    command = [sys.executable, "-m", "resnet_viz", "reproduce", "figure6", "--draw", str(file)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "pip install plotly" in done.stderr
    assert "resnet-110" in done.stdout
    assert not (ROOT / "figure6.html").exists()


def test_a_sweep_keeps_on_what_it_was_trained_until_it_is_deleted():
    store = RunStore()
    sweep_id = store.create_sweep(spec(100), name="a")
    note_machine(store, sweep_id, 60.0)
    assert machine_words(store, sweep_id) == ""  # nothing has been trained
    with store.database.write() as db:
        db.execute("UPDATE runs SET device = 'cpu', dtype = 'float32', version = 'v 1'")
    for seconds in (60.0, 90.0):
        note_machine(store, sweep_id, seconds)
    assert "cpu, float32" in machine_words(store, sweep_id)
    assert "v 1, 2.5 minutes" in machine_words(store, sweep_id)
    store.request_stop([run.id for run in store.runs(sweep_id)])
    store.delete_sweep(sweep_id)
    assert machine_words(store, sweep_id) == ""
