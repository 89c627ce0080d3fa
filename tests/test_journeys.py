"""What a person does with the program, in a real browser against the real server and workers."""

from __future__ import annotations

import pytest

from benchmarks.browser import CHARTS, button, open_page, running_app

pytestmark = pytest.mark.browser

TIMEOUT_MS = 120_000  # of a journey that hangs; no promise about speed
NETS = ("plain-8", "plain-14", "resnet-8", "resnet-14")
# Small enough to be done soon, long enough to be stopped on the way.
STEPS = 200
SWEEP = {"depths": ["8", "14"], "steps": str(STEPS), "width": "4", "batch": "32"}
# The column "status" of the table of nets, as a screen reader finds it.
STATUS_CELLS = "[...document.querySelectorAll('td[id^=glide-cell-1-]')].map(c => c.textContent)"
RUNS = "t.uid.startsWith('run-') && !t.uid.startsWith('run--')"  # a reference has negative ids


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    with running_app(tmp_path_factory.mktemp("home")) as app:
        yield app


@pytest.fixture
def visit(chromium, app):
    """Opens pages as different people: each in a browser context of its own."""
    contexts, errors = [], []

    def open_as_somebody(url, **options):
        context = chromium.new_context(viewport={"width": 1440, "height": 1200}, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(TIMEOUT_MS)
        page.on("pageerror", lambda error: errors.append(str(error)))
        open_page(page, url)
        return page

    yield open_as_somebody
    for context in contexts:
        context.close()
    assert errors == []


def curves(page):
    """Net to the x and y of its line in the chart of error against step."""
    lines = page.evaluate(
        f"{CHARTS}[1].data.filter(t => {RUNS}).map(t => [t.name, [...t.x], [...t.y]])"
    )
    return {name: (x, y) for name, x, y in lines}


def points(page):
    return sum(len(x) for x, _y in curves(page).values())


def wait_for_points(page, count):
    page.wait_for_function(
        f"({CHARTS}[1]?.data ?? []).filter(t => {RUNS}).reduce((n, t) => n + t.x.length, 0) "
        f">= {count}"
    )


def wait_for_statuses(page, status):
    page.wait_for_function(f"String({STATUS_CELLS}) === '{','.join([status] * len(NETS))}'")


def test_start_watch_stop_reload_share_and_resume(visit, app):
    page = visit(app.page_url("error_vs_depth", **SWEEP))
    assert curves(page) == {}
    page.get_by_text("Reference sweep, not yours").wait_for()
    button(page, "Start").click()
    wait_for_points(page, 1)
    wait_for_points(page, points(page) + 20)  # it moves while one looks on
    button(page, "Stop").click()
    wait_for_statuses(page, "stopped")
    (sweep,) = app.store.sweeps()
    stored = {run.spec.net.name: run for run in app.store.runs(sweep.id)}
    assert {run.status for run in stored.values()} == {"stopped"}
    assert 0 < sum(run.step for run in stored.values()) < len(NETS) * STEPS
    wait_for_points(page, sum(run.step for run in stored.values()))
    seen = curves(page)
    for name, (x, y) in seen.items():
        history = app.store.history(stored[name].id)
        assert x == history.steps["running_error"]
        assert y == pytest.approx([100 * v for v in history.values["running_error"]], rel=1e-4)

    assert f"sweep={sweep.id}" in page.url
    open_page(page, page.url)  # a reload
    wait_for_statuses(page, "stopped")
    assert curves(page) == seen
    other = visit(app.page_url("error_vs_depth", sweep=sweep.id))
    wait_for_statuses(other, "stopped")
    assert curves(other) == seen

    button(page, "Resume").click()
    open_page(other, other.url)
    for browser in (page, other):
        wait_for_statuses(browser, "done")
        wait_for_points(browser, len(NETS) * STEPS)
        assert sorted(curves(browser)) == sorted(NETS)
        assert all(x == list(range(1, STEPS + 1)) for x, _y in curves(browser).values())
    assert curves(other) == curves(page)


def test_a_depth_that_no_net_has_is_answered_with_the_nearest(visit, app):
    page = visit(app.page_url("error_vs_depth"))
    depths = page.get_by_test_id("stMultiSelect").get_by_role("combobox")
    depths.fill("21")
    depths.press("Enter")
    depths.press("Escape")  # the open list hides the rest of the page from screen readers
    page.get_by_text("depth 21 is not 6n+2; nearest: 20, 26").wait_for()
    assert button(page, "Start").is_disabled()


def brightness(colour):
    """0 (black) to 255 (white) of a CSS colour such as "rgb(18, 22, 28)"."""
    return sum(float(part) for part in colour[colour.index("(") + 1 : -1].split(",")[:3]) / 3


@pytest.mark.parametrize("path", ["", "error_vs_depth", "gradients", "runs"])
def test_light_and_dark_are_both_readable(chromium, app, path):
    found = {}
    for scheme in ("light", "dark"):
        context = chromium.new_context(color_scheme=scheme)
        page = context.new_page()
        page.goto(app.page_url(path))
        page.get_by_role("heading", level=1).wait_for(timeout=TIMEOUT_MS)
        text, ground = page.evaluate(
            "[getComputedStyle(document.querySelector('h1')).color,"
            " getComputedStyle(document.querySelector('.stApp')).backgroundColor]"
        )
        found[scheme] = brightness(text) - brightness(ground)
        context.close()
    assert found["light"] < -150
    assert found["dark"] > 150
