"""The page "Runs": what is stored is listed, opened, renamed, compared and deleted."""

from dataclasses import replace

import pytest

from resnet_viz.sweeps import PRESETS

TINY = replace(PRESETS["quick"], depths=(8,), train=replace(PRESETS["quick"].train, steps=10))


def texts(elements):
    return " ".join(e.value for e in elements)


@pytest.fixture
def stopped(store):
    """A sweep that waits for nobody."""

    def make(name):
        sweep = store.create_sweep(TINY, name=name, device="cpu", cores=1)
        store.request_stop([run.id for run in store.runs(sweep)])
        return sweep

    return make


def test_an_empty_store_says_what_to_do(app):
    assert "Nothing has been trained here yet" in texts(app("runs").info)


def test_sweeps_are_listed_filtered_and_counted(app, stopped):
    stopped("first <b>one</b>")
    stopped("second")
    page = app("runs")
    (table,) = [d for d in page.dataframe if "name" in d.value]
    assert list(table.value["name"]) == ["second", "first <b>one</b>"]
    page.text_input(key="filter").set_value("FIRST digits").run()
    (table,) = [d for d in page.dataframe if "name" in d.value]
    assert list(table.value["name"]) == ["first <b>one</b>"]
    page.text_input(key="filter").set_value("nothing like it").run()
    assert "No sweep passes" in texts(page.caption)


def test_without_a_choice_nothing_can_be_deleted(app, stopped):
    stopped("third")
    page = app("runs")
    assert page.button(key="delete").disabled
    assert page.button(key="open").disabled


def test_the_start_page_names_the_device_and_what_runs(app):
    page = app("start")
    assert "Nets train on" in texts(page.caption)
    assert "training" in texts(page.caption)
