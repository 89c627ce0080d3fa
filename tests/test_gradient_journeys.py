"""The page Gradients in a real browser: watch, play, drag, look into, carry off."""

import re

import pytest

from benchmarks.browser import CHARTS, button, open_charts, running_app, wait_for
from resnet_viz.specs import DataSpec, TrainSpec
from resnet_viz.sweeps import SweepSpec

pytestmark = pytest.mark.browser

TIMEOUT_MS = 60_000  # of a journey that hangs; no promise about speed
SWEEP = SweepSpec(
    families=("plain", "resnet"),
    depths=(8, 14),
    data=DataSpec("digits", image_size=8),
    train=TrainSpec(steps=200, batch_size=16),
    width=4,
)
SMALL = {"net_width": "4", "net_size": "8", "net_data": "digits"}


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    with running_app(tmp_path_factory.mktemp("home")) as app:
        yield app


@pytest.fixture
def visit(chromium, app):
    """Opens the page; no script of it may fail."""
    contexts, errors = [], []

    def open_as_somebody(**query):
        context = chromium.new_context(viewport={"width": 1280, "height": 1600})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(TIMEOUT_MS)
        page.on("pageerror", lambda error: errors.append(str(error)))
        open_charts(page, app.page_url("gradients", **query))
        return page

    yield open_as_somebody
    for context in contexts:
        context.close()
    assert errors == []


def drawn(chart, net):
    """JavaScript: whether a chart of the page has a line of a net."""
    return f"({CHARTS}[{chart}]?.data ?? []).some(t => t.name === '{net}')"


def test_heat_maps_grow_while_nets_train_and_a_play_moves_the_profile(visit, app):
    sweep = app.store.create_sweep(SWEEP, name="small")
    page = visit(sweep=sweep)
    page.wait_for_function(f"{CHARTS}[0]?.data?.some(t => t.type === 'heatmap')")
    wait_for(lambda: app.store.sweep(sweep).status == "done")
    profiles = SWEEP.train.steps // 10 + 1
    heat_map = f"{CHARTS}[0].data.find(t => t.type === 'heatmap')"
    page.wait_for_function(f"{heat_map}.x.length === {profiles}")
    (run,) = [r for r in app.store.runs(sweep) if r.spec.net.name == "plain-14"]
    stored = [profile for _run, profile in app.store.profiles_since([run.id])[0]]
    heat = page.evaluate(f"{heat_map}.z.map(row => [...row])")
    assert [len(column) for column in heat] == [14] * len(stored)
    assert heat[-1] == pytest.approx(list(stored[-1].values["gradient_norm"]), rel=1e-4)

    line = f"JSON.stringify([...{CHARTS}[1].data.find(t => t.name === 'plain-14').y])"
    page.evaluate(f"window.newest = {line}")
    button(page, "Play").click()
    page.wait_for_function(f"{line} !== window.newest")
    button(page, "Play").wait_for()  # it has come to the end by itself
    page.wait_for_function(f"{line} === window.newest")


def test_a_drag_of_the_depth_is_answered_and_kept_in_the_link(visit):
    page = visit(view="start", depth="8", **SMALL)
    page.wait_for_function(f"{drawn(0, 'plain-8')} && {drawn(0, 'resnet-8')}")
    page.get_by_role("slider", name="Depth (weighted layers)").press("ArrowRight")
    page.wait_for_function(f"{drawn(0, 'plain-14')} && {drawn(0, 'resnet-14')}")
    assert "depth=14" in page.url
    page.get_by_text("Take away").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV").click()
    rows = download.value.path().read_text().splitlines()
    assert rows[0].startswith("net,family,depth")
    assert any(row.startswith("plain-14,") for row in rows)
    open_charts(page, page.url)  # a reload
    page.wait_for_function(drawn(0, "plain-14"))


def test_a_view_is_left_while_it_measures_and_the_next_one_answers(visit):
    page = visit(view="shattered", line_depths="56", line_seeds="10")
    progress = page.get_by_text(re.compile(r"\d+ of \d+ measurements"))
    progress.wait_for()
    page.get_by_text("Why the shortcut helps", exact=True).click()
    page.get_by_text("add up to autograd's gradient").wait_for()
    assert "view=shortcut" in page.url
    assert progress.count() == 0
