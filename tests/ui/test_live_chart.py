"""What a person's hands did to a live chart stays, and no point is lost, in a real browser."""

from __future__ import annotations

import io
import time
from pathlib import Path

import pytest

from benchmarks.browser import Server

pytestmark = pytest.mark.browser

NETS = [f"{family}-{depth}" for family in ("plain", "resnet") for depth in (8, 20, 32, 56)]
STEPS_CHART = "document.querySelectorAll('.resnet-viz-chart')[1]"
TICKS = 20
POINTS_A_TICK = 2


@pytest.fixture(scope="module")
def server():
    environment = {"LIVE_APP_START": str(time.time() - 30), "LIVE_APP_TICK": "0.25"}
    server = Server(Path(__file__).with_name("live_app.py"), **environment)
    server.start()
    yield server
    server.kill()


@pytest.fixture
def page(chromium, server):
    context = chromium.new_context(viewport={"width": 1400, "height": 800})
    page = context.new_page()
    page.errors = []
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    yield page
    assert page.errors == []
    context.close()


def open_charts(page, server):
    page.goto(server.url)
    page.wait_for_function(f"{STEPS_CHART}?.data?.length === {len(NETS)}", timeout=30_000)


def curves(page):
    """Name to x and y of every line of the chart of error against step."""
    lines = page.evaluate(f"{STEPS_CHART}.data.map(t => [t.name, [...t.x], [...t.y]])")
    return {name: (x, y) for name, x, y in lines}


def shortest(page):
    return min(len(x) for x, _ in curves(page).values())


def wait_for_ticks(page, ticks=TICKS):
    start = shortest(page)
    page.wait_for_function(
        f"Math.min(...({STEPS_CHART}?.data ?? [{{x: []}}]).map(t => t.x.length)) >= "
        f"{start + ticks * POINTS_A_TICK}",
        timeout=60_000,
    )


def assert_whole(page):
    for name, (x, y) in curves(page).items():
        assert x == list(range(1, len(x) + 1)), f"{name} has a gap"
        assert len(y) == len(x)


def zoom(page):
    """Drag over the middle of the chart; the x range that this leaves."""
    (left, middle), (right, _) = (on_screen(page, x, y) for x, y in ((0.2, 0.5), (0.6, 0.5)))
    page.mouse.move(left, middle)
    page.mouse.down()
    page.mouse.move(right, middle, steps=8)
    page.mouse.up()
    page.wait_for_function(f"{STEPS_CHART}._fullLayout.xaxis.autorange === false")
    return x_range(page)


def on_screen(page, x, y):
    """Pixels of a place of the plot, given as fractions of its width and height."""
    return page.evaluate(
        f"""(() => {{
            const box = {STEPS_CHART}.getBoundingClientRect()
            const {{ xaxis, yaxis }} = {STEPS_CHART}._fullLayout
            return [box.x + xaxis._offset + {x} * xaxis._length,
                    box.y + yaxis._offset + {y} * yaxis._length]
        }})()"""
    )


def x_range(page):
    return page.evaluate(f"[...{STEPS_CHART}._fullLayout.xaxis.range]")


def text_colour(page):
    return page.evaluate(f"{STEPS_CHART}._fullLayout.font.color")


def test_zoom_and_hidden_lines_and_the_element_stay_while_curves_grow(page, server):
    open_charts(page, server)
    page.evaluate(f"{STEPS_CHART}.querySelector('.main-svg').dataset.mark = 'same'")
    zoomed = zoom(page)
    page.locator(".resnet-viz-chart").nth(1).get_by_text(NETS[3], exact=True).click(force=True)
    page.wait_for_function(f"{STEPS_CHART}._fullData[3].visible === 'legendonly'")
    wait_for_ticks(page)
    assert x_range(page) == zoomed
    shown = page.evaluate(f"{STEPS_CHART}._fullData.map(t => t.visible)")
    assert shown == [True, True, True, "legendonly", True, True, True, True]
    assert page.evaluate(f"{STEPS_CHART}.querySelector('.main-svg').dataset.mark") == "same"
    assert_whole(page)
    page.get_by_role("button", name="Do nothing").click()  # a run of the whole script
    wait_for_ticks(page, 4)
    assert x_range(page) == zoomed


def test_a_drag_is_not_cut_short_by_growth(page, server):
    open_charts(page, server)
    (left, middle), (right, _) = (on_screen(page, x, y) for x, y in ((0.2, 0.5), (0.6, 0.5)))
    page.mouse.move(left, middle)
    page.mouse.down()
    page.mouse.move(left + 20, middle)
    shown = x_range(page)[1]
    for part in range(1, 9):
        page.mouse.move(left + (right - left) * part / 8, middle)
        page.wait_for_timeout(250)  # a tick
    page.mouse.up()
    page.wait_for_function(f"{STEPS_CHART}._fullLayout.xaxis.autorange === false")
    wait_for_ticks(page, 2)
    assert x_range(page) == pytest.approx([0.2 * shown, 0.6 * shown], abs=0.01 * shown)


def test_a_hover_label_stays_under_a_resting_pointer(page, server):
    open_charts(page, server)
    x, y = page.evaluate(
        f"""(() => {{
            const chart = {STEPS_CHART}, {{ xaxis, yaxis }} = chart._fullLayout
            const box = chart.getBoundingClientRect(), line = chart.data[3], at = 40
            return [box.x + xaxis._offset + xaxis.l2p(line.x[at]),
                    box.y + yaxis._offset + yaxis.l2p(line.y[at])]
        }})()"""
    )
    page.mouse.move(x - 3, y)
    page.mouse.move(x, y)
    label = page.locator(".resnet-viz-chart").nth(1).locator(".hovertext")
    label.wait_for()
    wait_for_ticks(page, 6)
    page.wait_for_timeout(100)  # Plotly draws a label a moment after a redraw
    assert label.count() == 1
    assert any(net in label.text_content() for net in NETS)


def test_a_tick_is_small_and_the_library_comes_once(page, server):
    received = []
    page.on("websocket", lambda ws: ws.on("framereceived", lambda data: received.append(len(data))))
    open_charts(page, server)
    assert sum(size > 1_000_000 for size in received) == 1
    wait_for_ticks(page, 4)
    before = shortest(page)
    received.clear()
    wait_for_ticks(page, 8)
    page.get_by_role("button", name="Do nothing").click()
    wait_for_ticks(page, 4)
    # A tick that comes late on a busy machine carries the points of several.
    ticks = (shortest(page) - before) / POINTS_A_TICK
    rerun = 1
    assert sum(received) < 6_000 * (ticks + rerun)  # bytes; all curves anew would be over 20,000


def test_a_reload_and_a_second_tab_show_whole_curves(page, server):
    open_charts(page, server)
    before = curves(page)
    page.reload()
    open_charts(page, server)
    second = page.context.new_page()
    open_charts(second, server)
    for tab in (page, second):
        assert_whole(tab)
        after = curves(tab)
        assert all(after[name][1][: len(x)] == y for name, (x, y) in before.items())
    second.close()


def test_a_lost_message_is_noticed_and_made_good(page, server):
    lost = []

    def lossy(route):
        upstream = route.connect_to_server()

        def from_server(data):
            if page.losing and b"resnet_viz_chart" in data:
                lost.append(data)
            else:
                route.send(data)

        upstream.on_message(from_server)
        route.on_message(upstream.send)

    page.losing = False
    page.route_web_socket("**/_stcore/stream", lossy)
    open_charts(page, server)
    wait_for_ticks(page, 2)
    page.losing = True
    page.wait_for_timeout(1000)
    page.losing = False
    assert lost
    page.wait_for_function(f"{STEPS_CHART}?.data")
    wait_for_ticks(page, 8)
    assert_whole(page)


def test_a_restarted_server_carries_on_where_the_curves_were(page, server):
    open_charts(page, server)
    zoomed = zoom(page)
    server.kill()
    page.wait_for_timeout(500)
    server.start()
    wait_for_ticks(page, 8)
    assert_whole(page)
    assert x_range(page) == zoomed


def test_charts_follow_the_theme_when_it_changes(page, server):
    page.emulate_media(color_scheme="light")
    open_charts(page, server)
    assert text_colour(page) == "#1b2430"
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"{STEPS_CHART}._fullLayout.font.color === '#e4e9f0'")


def test_the_picture_that_is_taken_away_has_a_background(page, server):
    from PIL import Image

    page.emulate_media(color_scheme="dark")
    open_charts(page, server)
    with page.expect_download() as download:
        page.locator(".resnet-viz-chart").nth(1).locator(".modebar-btn").last.click()
    picture = Image.open(io.BytesIO(Path(download.value.path()).read_bytes()))
    assert picture.format == "PNG"
    assert picture.convert("RGBA").getpixel((2, 2)) == (0x12, 0x16, 0x1C, 255)


def test_a_chart_says_what_it_shows_to_people_who_cannot_see_it(page, server):
    open_charts(page, server)
    charts = page.locator(".resnet-viz-chart")
    assert charts.nth(1).get_attribute("role") == "img"
    assert charts.nth(1).get_attribute("aria-label").startswith("error against step up to ")
