"""The pages that look inside a net in a real browser: bring a photo, look, lose nothing."""

import io
import re
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

from benchmarks.browser import button, running_app, wait_for

pytestmark = pytest.mark.browser

TIMEOUT_MS = 120_000  # of a journey that hangs; no promise about speed
PHOTOS = Path(__file__).parents[2] / "shared" / "data" / "photos"
ONE = {"net": "shapes-resnet-20", "beside_what": "none"}


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    with running_app(tmp_path_factory.mktemp("home")) as app:
        yield app


@pytest.fixture
def visit(chromium, app):
    """Opens a page as somebody, in one more tab of the same browser; no script may fail."""
    context = chromium.new_context(viewport={"width": 1280, "height": 1600})
    errors = []

    def open_tab(path, **query):
        page = context.new_page()
        page.set_default_timeout(TIMEOUT_MS)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.extend(told(message)))
        page.goto(app.page_url(path, **query))
        page.locator(".resnet-viz-square .seen").wait_for()
        return page

    yield open_tab
    context.close()
    assert errors == []


def told(message):
    """A message of the console, if it is an error that is not Streamlit's own.

    Streamlit looks for its server below a page's address first, and finds it above.
    """
    known = "/_stcore/" in message.location["url"]
    return [f"{message.text} {message.location}"] if message.type == "error" and not known else []


@pytest.fixture
def photo():
    """Name and bytes of a photograph: a real one where there are some, else one of noise."""
    found = sorted(PHOTOS.glob("*.JPEG"))
    if found:
        return found[0].name, found[0].read_bytes()
    pixels = np.random.default_rng(0).integers(0, 256, (240, 320, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG")
    return "noise.jpg", file.getvalue()


def upload(page, name, data):
    files = [{"name": name, "mimeType": "application/octet-stream", "buffer": data}]
    page.locator("input[type=file]").set_input_files(files)


def seen(page, *, before=None):
    """The square that the net sees, as the page shows it; another one than before."""
    return page.wait_for_function(
        """before => {
            const squares = [...document.querySelectorAll(".resnet-viz-square .seen")]
            const src = squares[0]?.getAttribute("src")
            return squares.length === 1 && src !== before && src
        }""",
        arg=before,
    ).json_value()


def says(page, net):
    """What a net says of the image, once it says it."""
    line = page.get_by_test_id("stMain").get_by_text(re.compile(rf"\b{net} says .*\s%"))
    return line.inner_text()


def maps(page, method):
    return page.get_by_role("img", name=re.compile(rf"^{re.escape(method)} of "))


def go_to(page, name, path):
    page.get_by_role("link", name=name).click()
    page.wait_for_url(f"**/{path}*")
    page.locator(".resnet-viz-square .seen").wait_for()


def test_a_photo_is_looked_at_on_both_pages_and_survives_a_broken_file(visit, photo):
    page = visit("feature_maps", picture="upload", net="shapes-resnet-20")
    cat = seen(page)
    upload(page, *photo)
    mine = seen(page, before=cat)
    says(page, "shapes-resnet-20")
    last_maps = page.get_by_role("img", name=re.compile(r"^stage3\.block3: "))
    last_maps.nth(1).wait_for()  # a strip a net

    page.get_by_text("Every channel of a point", exact=True).click()
    grid = page.get_by_role("listbox", name=re.compile("of shapes-resnet-20$"))
    cells = grid.get_by_role("option")
    cells.nth(31).wait_for()
    assert cells.count() == 32  # channels of the last stage
    label = cells.nth(4).get_attribute("aria-label")
    cells.nth(4).click()
    number = re.search(r"\d+", label)[0]
    page.get_by_text(f"Channel {number}", exact=True).wait_for()
    page.get_by_role("img", name=re.compile(rf"^channel {number} .* over the image")).wait_for()

    go_to(page, "Attributions", "attributions")
    assert seen(page) == mine
    for method in ("Saliency", "Integrated Gradients"):
        maps(page, method).nth(1).wait_for()
        nets = [re.search(r"shapes-\w+-20", alt)[0] for alt in alts(maps(page, method))]
        assert nets == ["shapes-resnet-20", "shapes-plain-20"]  # as on the page before

    name, data = photo
    upload(page, f"broken-{name}", data[: len(data) // 2])
    page.get_by_text("ends in the middle of the picture").wait_for()
    page.get_by_text("Your picture is still").wait_for()
    assert seen(page) == mine


def alts(images):
    return images.evaluate_all("images => images.map(i => i.alt)")


def test_two_tabs_ask_at_once_and_each_has_its_own_picture(visit, photo):
    first = visit("feature_maps", picture="upload", **ONE)
    second = visit("attributions", picture="upload", methods="saliency", **ONE)
    cat = seen(first)
    assert seen(second) == cat
    upload(first, *photo)
    seen(first, before=cat)
    says(first, "shapes-resnet-20")
    maps(second, "Saliency").first.wait_for()
    assert seen(second) == cat


def test_a_reload_keeps_what_was_chosen(visit):
    page = visit("feature_maps", maps="place", stage="2", photo="rocket", **ONE)
    cells = page.get_by_role("listbox").get_by_role("option")
    cells.nth(15).wait_for()
    rocket = page.get_by_text("of 640×427 pixels")  # the cat has another size
    rocket.wait_for()
    page.get_by_text("number", exact=True).click()
    page.wait_for_function(
        "[...document.querySelectorAll('[role=listbox] [role=option]')][1]"
        "?.ariaLabel.match(/\\d+/)[0] === '1'"
    )
    page.get_by_text("a scale each", exact=True).click()
    page.get_by_text("Each map has a colour scale of its own").first.wait_for()
    cells.nth(3).click()
    page.wait_for_url("**order=index*channel_1=3*")
    page.reload()
    cells.nth(15).wait_for()
    rocket.wait_for()
    page.get_by_text("Channel 3", exact=True).wait_for()
    assert cells.nth(3).get_attribute("aria-selected") == "true"
    numbers = [int(re.search(r"\d+", c.get_attribute("aria-label"))[0]) for c in cells.all()]
    assert numbers == list(range(16))


def analysis_processes(app):
    children = psutil.Process(app.process.pid).children()
    return [child for child in children if "loky.backend.popen_loky_posix" in child.cmdline()]


def test_the_analysis_process_is_killed_in_mid_answer_and_asked_again(visit, app):
    long = {"methods": "occlusion", "p_occlusion_stride_32": "1", "p_occlusion_window_32": "2"}
    page = visit("attributions", **long)
    page.get_by_text(re.compile(r"[1-9]\d* of \d+ measurements")).wait_for()
    # The other message: it was killed again before it had started anew.
    message = page.get_by_text(re.compile("The analysis process (ended|cannot be started)"))

    def is_told():
        """Whether an answer died with it; it may have been between two answers."""
        for process in analysis_processes(app):
            process.kill()
        page.wait_for_timeout(1000)
        return message.count() > 0

    wait_for(is_told)
    button(page, "Ask again").click()
    maps(page, "Occlusion").nth(1).wait_for()
    assert message.count() == 0
