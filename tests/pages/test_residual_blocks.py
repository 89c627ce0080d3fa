"""The page "Residual blocks": four views with real answers, their links and refusals."""

import json
import time
from dataclasses import replace

import pytest
from safetensors.torch import load_file

from resnet_viz.analysis.lesion_jobs import singles_question
from resnet_viz.analysis.opened import measure_card
from resnet_viz.analysis.question import answer_here
from resnet_viz.figures.blocks.lesions import percent
from resnet_viz.nets.start_files import start_path
from resnet_viz.runs.sources import run_source
from tests.pages.inside import SMALL, is_there, numbers
from tests.pages.waiting import TIMEOUT_SECONDS, said, texts, until, warned

PAGE = "residual_blocks"


@pytest.fixture
def of_run(swept):
    """The link to a small residual net of the store, beside its plain twin."""
    return {"net_from": "run", "net_run": str(swept["resnet-8"].id), "lesion_images": "100"}


def test_the_first_visit_takes_every_block_out_of_an_included_net(app, files):
    page = until(app(PAGE, lesion_images="100", lesion_draws="3"), is_there("lesions.csv"))
    assert page.selectbox(key="net").value == "shapes-resnet-20"
    assert "**shapes-plain-20** as it is errs on" in texts(page.markdown)
    assert "shapes-resnet-20 errs on" in texts(page.markdown)
    assert "half way to guessing" in texts(page.markdown)
    table = numbers(page, "test_error")
    alone = table[(table["net"] == "shapes-resnet-20") & (table["removed"] == 1)]
    assert list(alone["block"].dropna()) == [f"{s}.{b}" for s in (1, 2, 3) for b in (1, 2, 3)]
    assert len(files["lesions.csv"]().splitlines()) == 1 + len(table)
    assert len(json.loads(files["lesions.json"]())) == len(table)
    assert "Blocks removed" in files["lesions.html"]()


def test_blocks_are_clicked_away_and_the_link_says_which(app, store, swept, of_run):
    page = until(app(PAGE, **of_run), is_there("lesions.csv"))
    source = run_source(store, swept["resnet-8"])
    bars = answer_here(singles_question(source, measure_card(source.to_dict()), 100))
    table = numbers(page, "test_error")
    mine = table[(table["net"] == "resnet-8, step 40") & table["draw"].isna()]
    assert list(mine["test_error"]) == pytest.approx([bars.error, *bars.without])
    page.button_group(key="removed_3").set_value(["2.1"]).run()
    error = percent(bars.without[1]).replace(" ", "\xa0")  # the page keeps number and sign together
    until(page, said(f"without 2.1: {error} of 100 test images wrong"))
    # The plain twin keeps that block, and the page says why.
    assert "2.1, 3.1 cannot go" in texts(page.info)


def test_two_blocks_of_equal_shape_change_places(app):
    some = {"lesion_images": "100", "lesion_draws": "3", "beside_what": "none"}
    page = until(app(PAGE, **some), is_there("lesions.csv"))
    page.selectbox(key="swap").set_value("1.2").run()
    assert list(page.selectbox(key="swap_1.2").options) == ["1.1", "1.3"]
    page.selectbox(key="swap_1.2").set_value("1.3").run()
    until(page, said("1.2 and 1.3 exchanged"))


def test_data_that_are_not_there_are_asked_for(app):
    page = app(PAGE, net="resnet-56", beside_what="none", blocks="construction")
    until(page, warned("download cifar10"))


def test_inserted_blocks_change_nothing_and_the_nets_train_on(app, store, of_run):
    link = {**of_run, "blocks": "construction", "grow_images": "128", "grow_steps": "100"}
    page = until(app(PAGE, grow_by="1", **link), is_there("construction.csv"))
    assert "with 6 more layers (resnet-14)" in texts(page.markdown)
    assert "to the last bit, in training mode too" in texts(page.markdown)
    assert "Insertion(0, 1), images=128" in texts(page.code)
    assert "In training mode every batch norm" in texts(page.markdown)
    table = numbers(page, "when")
    assert list(table["depth"]) == [8, 14, 8, 14]
    for column in ("train_error", "test_error"):
        before, after = (table[table["when"] == w][column].tolist() for w in ("before", "after"))
        assert before == after
    page.button(key="grow").click().run()
    assert not page.error, texts(page.error)
    until(page, lambda p: "grown" in p.session_state)
    sweep = store.sweep(page.session_state["grown"])
    runs = store.runs(sweep.id)
    assert [(r.spec.net.family, r.spec.net.depth) for r in runs] == [
        *(("resnet", d) for d in (8, 14, 14)),
        *(("plain", d) for d in (8, 14, 14)),
    ]
    assert [r.spec.start is None for r in runs] == [False, False, True] * 2
    assert len({run.spec.start for run in runs}) == 5
    assert "stages.0.1.branch.conv1.weight" in load_file(start_path(runs[1].spec.start))
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while store.sweep(sweep.id).status != "done":
        assert time.monotonic() < deadline
        time.sleep(0.2)
    page.run()
    assert "After 100 steps: resnet-8 as it was" in texts(page.markdown)
    assert "SGD from random weights has" in texts(page.markdown)
    assert not page.exception


def test_a_link_to_deleted_runs_says_so(app, of_run):
    page = app(PAGE, blocks="construction", grown="nosuchid", **of_run)
    until(page, warned("may have been deleted"))


def test_paths_are_counted_and_followed(app, of_run):
    page = until(app(PAGE, blocks="paths", path_draws="3", **of_run), is_there("paths.csv"))
    table = numbers(page, "branches")
    residual = table[table["net"] == "resnet-8, step 40"]
    assert list(residual["paths"]) == ["1", "3", "3", "1"]
    assert residual["share_of_gradient"].sum() == pytest.approx(1)
    assert "has 8 paths" in texts(page.markdown)
    assert "has one path, through all its 3 blocks" in texts(page.markdown)
    page.segmented_control(key="path_unit").set_value("layers").run()
    until(page, is_there("paths.csv"))


def test_a_block_is_weighed_at_several_moments(app, of_run):
    page = until(app(PAGE, blocks="responses", **of_run), is_there("responses.csv"))
    assert "a branch adds" in texts(page.markdown)
    assert "before the first step" in texts(page.markdown)
    table = numbers(page, "response_std")
    assert set(table["step"]) >= {0, 40}
    page.toggle(key="response_early").set_value(False).run()
    until(page, lambda p: set(numbers(p, "response_std")["step"]) == {40})


def test_two_runs_of_one_net_are_told_apart(app, store, swept):
    """As after "Train both on": nets of one name, one from kept weights."""
    spec = swept["resnet-8"].spec
    given = (spec, replace(spec, train=replace(spec.train, seed=1)), spec)
    sweep = replace(SMALL, given=given)
    known = [s for s in store.sweeps() if s.name == "alike"]
    sweep_id = known[0].id if known else store.create_sweep(sweep, name="alike")
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while store.sweep(sweep_id).status != "done":
        assert time.monotonic() < deadline
        time.sleep(0.2)
    first = store.runs(sweep_id)[0]
    link = {"net_from": "run", "net_run": str(first.id), "beside_what": "none"}
    page = until(app(PAGE, blocks="responses", **link), is_there("responses.csv"))
    names = set(numbers(page, "response_std")["net"])
    assert len(names) == 2 * 3  # the net and its twin, at the end and at two earlier moments


def test_included_nets_bring_their_lesions_where_their_data_are_not_there(app):
    page = until(app(PAGE, net="resnet-56"), is_there("lesions.csv"))
    assert "download cifar10" in texts(page.info)
    assert "resnet-56 errs on" in texts(page.markdown)
    table = numbers(page, "test_error")
    bars = table[(table["removed"] == 1) & table["draw"].isna()]
    assert list(bars.groupby("net").size()) == [27, 27]
    assert int(bars["test_error"].isna().sum()) == 2  # the plain blocks that change the shape
