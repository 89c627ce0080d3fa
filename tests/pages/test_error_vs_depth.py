"""The page "Error against depth": controls, refusals, a sweep from Start to its table."""

import shutil
import time

import pytest

from resnet_viz.runs import reference
from resnet_viz.sweeps import PRESETS
from resnet_viz.ui.sweep_values import spec_of, values_of
from tests.cli.figure6 import spec, written_runs

PAGE = "error_vs_depth"
ASSET = reference.reference_path()


def texts(elements):
    return " ".join(e.value for e in elements)


def test_before_any_run_a_labelled_reference_is_shown(app):
    page = app(PAGE)
    assert "Reference sweep, not yours" in texts(page.info)
    assert not page.warning
    assert "8 nets" in texts(page.markdown)
    assert not page.button(key="start").disabled


@pytest.fixture
def with_figure6(tmp_path, monkeypatch):
    """The program as it is when the nine nets of Figure 6 come with it."""
    shutil.copy(reference.reference_path(), tmp_path)
    monkeypatch.setattr(reference, "FOLDER", tmp_path)
    runs = [reference.compact_run(run) for run in written_runs(spec(2000), every=20)]
    path = reference.reference_path(reference.FIGURE6)
    about = {"machine": "a card", "command": "reproduce", "data": "CIFAR-10, JPEG copy"}
    reference.write_reference(path, runs, **about)
    reference.load_reference.cache_clear()
    yield
    reference.load_reference.cache_clear()


def test_figure_6_can_be_looked_at_where_it_comes_with_the_program(app, with_figure6):
    page = app(PAGE)
    assert "Press Start to train these nets here" in texts(page.info)
    page.segmented_control(key="reference").set_value("figure6").run()
    assert not page.exception
    label = texts(page.info)
    assert "not yours and not the paper's" in label
    assert "CIFAR-10, JPEG copy; 2,000 iterations (the paper: 64,000); a card" in label
    table = page.dataframe[0].value
    assert len(table) == 9
    assert set(table["protocol"]) == {"scaled down: differs in steps"}
    assert app(PAGE, reference="figure6").info[0].value in label


def test_at_full_length_the_table_says_that_the_data_are_a_copy(app, with_figure6):
    path = reference.reference_path(reference.FIGURE6)
    runs = [reference.compact_run(run) for run in written_runs(spec(), every=3200)]
    reference.write_reference(path, runs, machine="m", command="c", data="CIFAR-10, JPEG copy")
    page = app(PAGE, reference="figure6")
    badges = set(page.dataframe[0].value["protocol"])
    assert badges == {"same but for the data: CIFAR-10, JPEG copy"}


def test_without_it_there_is_nothing_to_choose(app, monkeypatch, tmp_path):
    monkeypatch.setattr(reference, "FOLDER", tmp_path)
    shutil.copy(ASSET, tmp_path)
    assert "reference" not in [control.key for control in app(PAGE).segmented_control]


@pytest.mark.parametrize(
    ("widget", "value", "message"),
    [
        (lambda p: p.multiselect(key="depths"), ["21"], "depth 21 is not 6n+2; nearest: 20, 26"),
        (lambda p: p.multiselect(key="depths"), ["x"], "whole numbers"),
        (lambda p: p.multiselect(key="depths"), [], "at least one depth"),
        (lambda p: p.number_input(key="width"), 0, "width 0 is out of range"),
        (lambda p: p.text_input(key="lr"), "abc", "learning rate 'abc' is not a number"),
        (lambda p: p.text_input(key="lr"), "-1", "lr -1 is out of range"),
        (lambda p: p.number_input(key="steps"), 0, "steps 0 is out of range"),
        (lambda p: p.number_input(key="batch"), 1, "batch_size 1 is out of range"),
        (lambda p: p.number_input(key="seeds"), 100, "at most 200"),
        (lambda p: p.number_input(key="probe"), -1, "whole number from 0"),
        (lambda p: p.number_input(key="width"), 1024, "Choose fewer or shallower nets"),
    ],
)  # fmt: skip
def test_a_bad_value_is_answered_and_cannot_be_started(app, widget, value, message):
    page = app(PAGE)
    if message.startswith("Choose"):
        page.number_input(key="batch").set_value(4096).run()
    widget(page).set_value(value).run()
    assert not page.exception
    assert message in texts(page.warning)
    assert page.button(key="start").disabled


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_fills_every_control(app, name):
    page = app(PAGE)
    page.segmented_control(key="preset").set_value(name).run()
    assert not page.exception
    values = values_of(PRESETS[name])  # options of families that are not chosen have no control
    state = {key: page.session_state[key] for key in values if key in page.session_state}
    assert spec_of({**values_of(PRESETS["quick"]), **state, "folder": None}) == PRESETS[name]
    assert page.session_state["preset"] == name


def test_a_changed_control_is_no_preset_any_more(app):
    page = app(PAGE)
    page.number_input(key="steps").set_value(123).run()
    assert page.session_state["preset"] is None


def test_the_deepest_net_slider_spreads_the_depths(app):
    page = app(PAGE)
    page.select_slider(key="deepest_basic").set_value(110).run()
    depths = page.session_state["depths"]
    assert (depths[0], depths[-1], len(depths)) == ("8", "110", 4)


def test_data_that_are_not_there_offer_a_download_with_its_size(app):
    page = app(PAGE)
    page.selectbox(key="data").set_value("cifar10").run()
    assert "CIFAR-10 is not on this computer" in texts(page.warning)
    assert "170" in page.button(key="download").label
    assert page.button(key="start").disabled


def test_a_link_sets_the_controls(app):
    page = app(PAGE, steps="77", lr="0.05", depths=["8", "26"], shortcut="B", probe="3")
    assert page.session_state["probe"] == 3
    assert page.session_state["steps"] == 77
    assert page.session_state["lr"] == "0.05"
    assert page.session_state["depths"] == ["8", "26"]
    assert page.session_state["shortcut"] == "B"


def test_a_sweep_that_does_not_exist_is_named_and_nothing_is_lost(app):
    page = app(PAGE, sweep="nosuch<b>id")
    assert "nosuch" in texts(page.warning)
    assert "Reference sweep" in texts(page.info)


def test_a_started_sweep_trains_and_can_be_stopped_resumed_and_reopened(app, store):
    page = app(PAGE)
    page.multiselect(key="depths").set_value(["8"])
    page.number_input(key="steps").set_value(100_000).run()
    page.button(key="start").click().run()
    assert not page.exception
    (sweep,) = [s for s in store.sweeps() if s.spec.train.steps == 100_000]
    wait(lambda: all(r.step for r in store.runs(sweep.id)))
    page.run()
    assert page.button(key="all_resume").disabled
    page.button(key="all_stop").click().run()
    wait(lambda: all(r.status == "stopped" for r in store.runs(sweep.id)))
    seen = {r.id: r.step for r in store.runs(sweep.id)}
    again = app(PAGE, sweep=sweep.id)
    assert "100%" not in texts(again.markdown)
    again.button(key="all_resume").click().run()
    wait(lambda: all(r.step > seen[r.id] for r in store.runs(sweep.id)))
    again.run()
    again.button(key="all_stop").click().run()
    wait(lambda: all(r.status == "stopped" for r in store.runs(sweep.id)))


def wait(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


def test_a_link_names_data_by_its_code(app):
    page = app(PAGE, data="shapes", size="32")
    assert page.session_state["data"] == "shapes"
    assert page.session_state["size"] == 32


def test_a_number_that_is_none_in_a_link_is_answered(app):
    page = app(PAGE, steps="1e400")
    assert "Correct the address" in texts(page.warning)


def test_start_trains_what_the_controls_say_when_it_is_clicked(app, store):
    page = app(PAGE)
    page.number_input(key="steps").set_value(77_777)  # and no run of the page before the click
    page.multiselect(key="depths").set_value(["8"])
    page.number_input(key="probe").set_value(77)
    page.button(key="start").click().run()
    (sweep,) = [s for s in store.sweeps() if s.spec.train.steps == 77_777]
    runs = [run.id for run in store.runs(sweep.id)]
    wait(lambda: len(store.profiles_since(runs)[0]) >= 4)
    assert {p.step % 77 for _, p in store.profiles_since(runs)[0]} == {1}
    store.request_stop([run.id for run in store.runs(sweep.id)])
    wait(lambda: all(r.status == "stopped" for r in store.runs(sweep.id)))


def test_a_sweep_that_is_deleted_while_it_is_shown_leaves_the_page_standing(app, store):
    sweep = store.create_sweep(PRESETS["quick"], name="gone", device="cpu", cores=1)
    store.request_stop([run.id for run in store.runs(sweep)])
    wait(lambda: all(r.status == "stopped" for r in store.runs(sweep)))
    page = app(PAGE, sweep=sweep)
    store.delete_sweep(sweep)
    page.run()
    assert not page.exception
    assert "no sweep" in texts(page.warning)
