"""One picture for two pages, its square moved by hand, bad files told of, in a real browser."""

import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect
from streamlit.testing.v1 import AppTest

from benchmarks.browser import Server
from resnet_viz.datasets.picture import centre_square
from resnet_viz.datasets.samples import open_sample, samples
from resnet_viz.sources import NetCard
from resnet_viz.specs import NetSpec
from resnet_viz.ui.pictures.seen import Found, Seen

APP = Path(__file__).with_name("picture_app.py")
CARD = NetCard("x", NetSpec("resnet", 8), ("a",), 32, 3, (0.5,) * 3, (0.5,) * 3, 1)


def said(page):
    """What the page's nets see: title, label, a hash of the text, the square, …"""
    page.wait_for_function("document.querySelector('code')?.innerText.includes('square=')")
    return dict(line.split("=", 1) for line in page.locator("code").inner_text().splitlines())


def seen_in(app):
    return dict(line.split("=", 1) for line in app.code[0].value.splitlines())


# Without a browser


def test_a_first_visit_shows_a_photograph():
    app = AppTest.from_file(str(APP), default_timeout=60).run()
    assert not app.exception
    square = centre_square(open_sample("cat"))
    assert seen_in(app)["title"] == "Cat"
    assert seen_in(app)["square"] == f"{square.x},{square.y},{square.side}"
    assert any("CC0" in caption.value for caption in app.caption)


def test_the_link_names_the_photograph():
    app = AppTest.from_file(str(APP), default_timeout=60)
    app.query_params["photo"] = "rocket"
    app.run()
    assert seen_in(app)["title"] == "Rocket"
    app.query_params["picture"] = "upload"
    waiting = AppTest.from_file(str(APP), default_timeout=60)
    waiting.query_params["picture"] = "upload"
    waiting.query_params["photo"] = "nonsense"
    waiting.run()
    assert not waiting.exception
    assert seen_in(waiting)["title"] == "Cat"


@pytest.mark.parametrize("code", samples())
def test_every_photograph_is_there(code):
    picture = open_sample(code)
    assert min(picture.width, picture.height) >= 224
    assert picture.notes == ()


def test_what_a_net_sees_depends_on_its_size_and_channels():
    seen = Seen(Found(open_sample("cat"), "Cat"), centre_square(open_sample("cat")))
    grey = NetCard("x", NetSpec("resnet", 8), ("a",), 24, 1, (0.5,), (0.5,), 1)
    assert seen.pixels(CARD).shape == (32, 32, 3)
    assert seen.pixels(grey).shape == (24, 24, 3)
    assert np.ptp(seen.pixels(grey), axis=2).max() == 0
    assert np.ptp(seen.pixels(CARD), axis=2).max() > 30


# In a browser


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = Server(APP, RESNET_VIZ_HOME=str(tmp_path_factory.mktemp("home")))
    server.start()
    yield server
    server.kill()


@pytest.fixture
def page(chromium, server):
    context = chromium.new_context(viewport={"width": 1300, "height": 1000})
    page = context.new_page()
    page.errors = []
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    yield page
    assert page.errors == []
    context.close()


def go(page, server, query=""):
    page.goto(f"{server.url}/{query}")
    page.locator(".resnet-viz-square .seen").wait_for()
    return said(page)


def wait_until(page, what, before):
    """Until what the page says of `what` is another than before."""
    line = re.escape(f"{what}={before[what]}")
    page.wait_for_function(
        "line => { const text = document.querySelector('code')?.innerText ?? line;"
        " return !text.split('\\n').includes(line) }",
        arg=line.replace("\\", ""),
    )
    return said(page)


def crop(page):
    return page.locator(".resnet-viz-square .seen").get_attribute("src")


def drag(page, start, end):
    """Drag the mouse; nothing is sent before the button is let go, but a preview is shown."""
    before, exact = said(page), crop(page)
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*end, steps=6)
    assert crop(page) != exact
    assert said(page) == before
    page.mouse.up()


@pytest.mark.browser
def test_a_square_is_dragged_zoomed_and_put_back(page, server):
    first, picture = go(page, server), crop(page)
    frame = page.locator(".resnet-viz-square .frame")
    box = frame.bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    drag(page, middle, (middle[0] + 500, middle[1]))
    moved = wait_until(page, "square", first)
    side = min(open_sample("cat").width, open_sample("cat").height)
    assert moved["square"] == f"{open_sample('cat').width - side},0,{side}"
    assert moved["text"] != first["text"]
    assert crop(page) != picture

    box = frame.bounding_box()
    corner = box["x"] + box["width"] - 8, box["y"] + box["height"] - 8
    drag(page, corner, (corner[0] - box["width"] / 2, corner[1] - box["height"] / 2))
    zoomed = wait_until(page, "square", moved)
    x, y, zoomed_side = map(int, zoomed["square"].split(","))
    assert (x, y) == (open_sample("cat").width - side, 0)
    assert zoomed_side == pytest.approx(side / 2, abs=side / 40)
    assert f"{zoomed_side}×{zoomed_side} of" in page.locator(".line").inner_text()

    page.get_by_role("link", name="Two").click()
    page.wait_for_url("**/two*")
    page.locator(".resnet-viz-square .seen").wait_for()
    assert said(page)["square"] == zoomed["square"]

    page.get_by_role("button", name="Reset").click()
    assert wait_until(page, "square", zoomed) == first
    page.wait_for_function("src => document.querySelector('.seen').src === src", arg=picture)


@pytest.mark.browser
def test_keys_move_and_zoom_it(page, server):
    first = go(page, server)
    frame = page.locator(".resnet-viz-square .frame")
    assert "Arrow keys" in frame.get_attribute("aria-label")
    frame.focus()
    page.keyboard.press("Shift+ArrowRight")
    x, y, side = map(int, first["square"].split(","))
    assert wait_until(page, "square", first)["square"] == f"{x + 1},{y},{side}"
    page.keyboard.press("+")
    page.keyboard.press("+")
    page.keyboard.press("ArrowDown")
    smaller = wait_until(page, "square", {"square": f"{x + 1},{y},{side}"})
    assert int(smaller["square"].split(",")[2]) == pytest.approx(side / 1.08**2, abs=2)
    page.keyboard.press("Home")
    assert wait_until(page, "square", smaller) == first


def upload(page, name, data):
    files = [{"name": name, "mimeType": "application/octet-stream", "buffer": data}]
    page.locator("input[type=file]").set_input_files(files)


@pytest.mark.browser
def test_bad_files_are_told_of_and_the_good_one_stays(page, server):
    cat = go(page, server, "?picture=upload")
    assert cat["title"] == "Cat"
    upload(page, "drawing.png", b"<svg xmlns='http://www.w3.org/2000/svg'/>")
    page.get_by_text("is an SVG drawing; export it as PNG").wait_for()
    assert said(page) == cat

    pixels = np.random.default_rng(0).integers(0, 256, (90, 140, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    upload(page, "mine.png", file.getvalue())
    mine = wait_until(page, "title", cat)
    assert mine["title"] == "mine.png"
    assert mine["square"] == "25,0,90"

    upload(page, "**bold** $x$ [a](http://b).png", file.getvalue()[:5000])
    page.get_by_text("“**bold** $x$ [a](http:b).png” ends in the middle").or_(
        page.get_by_text("ends in the middle of the picture (PNG)")
    ).first.wait_for()
    assert page.locator("[data-testid=stAlert] strong, [data-testid=stAlert] a").count() == 0
    assert said(page) == mine
    page.get_by_text("Your picture is still mine.png.").wait_for()

    page.get_by_role("link", name="Two").click()
    page.wait_for_url("**/two?picture=upload")
    page.get_by_text("Your picture is still mine.png.").wait_for()
    assert said(page) == mine

    page.reload()
    page.locator(".resnet-viz-square .seen").wait_for()
    assert said(page)["title"] == "Cat"


@pytest.mark.browser
def test_the_camera_is_asked_for_where_it_is_chosen_and_its_picture_goes_to_both_pages(
    page, server
):
    """The browser's camera is a drawn one."""
    page.context.grant_permissions(["camera"], origin=server.url)
    cat = go(page, server, "?picture=camera")
    page.wait_for_function("document.querySelector('video')?.readyState >= 3")  # it sees
    page.get_by_role("button", name="Take Photo").click()
    taken = wait_until(page, "title", cat)
    assert taken["title"] == "your camera's picture"
    pictures = page.locator(".resnet-viz-square .picture")
    expect(pictures).to_have_count(1)  # the one before it goes a moment after the texts change
    assert pictures.get_attribute("alt") == "your camera's picture"
    width, height = pictures.evaluate(
        "image => image.decode().then(() => [image.naturalWidth, image.naturalHeight])"
    )
    assert min(width, height) > 100
    page.get_by_role("link", name="Two").click()
    page.wait_for_url("**/two?picture=camera")
    page.get_by_text("Your picture is still").wait_for()
    assert said(page) == taken


@pytest.mark.browser
def test_an_image_of_a_data_set_comes_with_its_class_and_its_object(page, server):
    page.goto(f"{server.url}/?picture=data&picture_image=3")
    page.locator(".resnet-viz-grid [role=option]").first.wait_for(timeout=120_000)
    first = said(page)
    assert first["label"] == "triangle"
    assert int(first["inside"]) > 20
    page.locator(".resnet-viz-grid [role=option]").nth(5).click()
    assert wait_until(page, "label", first)["label"] == "cross"
    page.wait_for_url("**picture_image=5*")
    page.get_by_role("link", name="Two").click()
    page.wait_for_url("**/two?*picture_image=5*")
    assert said(page)["label"] == "cross"
