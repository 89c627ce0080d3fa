"""Choosing a map by pointer and by keys, in a real browser."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.browser import Server
from resnet_viz.figures.maps.scales import coloured, limits_of
from resnet_viz.figures.maps.sprites import strongest_first

pytestmark = pytest.mark.browser

MAPS = np.abs(np.random.default_rng(0).normal(size=(12, 16, 16))).astype(np.float32)


@pytest.fixture(scope="module")
def server():
    server = Server(Path(__file__).with_name("grid_app.py"))
    server.start()
    yield server
    server.kill()


@pytest.fixture
def page(chromium, server):
    context = chromium.new_context(viewport={"width": 1000, "height": 1400})
    page = context.new_page()
    page.errors, page.received = [], []
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    page.on(
        "websocket",
        lambda ws: ws.on("framereceived", lambda data: page.received.append(len(data))),
    )
    page.goto(server.url)
    options(page).nth(11).wait_for()
    yield page
    assert page.errors == []
    context.close()


def options(page, grid="all maps"):
    return page.get_by_role("listbox", name=grid, exact=True).get_by_role("option")


def expect_chosen(page, channel, name="chosen"):
    page.get_by_text(f"{name}: {channel}", exact=True).wait_for()


def selected(page, grid="all maps"):
    """Labels of the cells that say that they are selected."""
    return options(page, grid).evaluate_all(
        "cells => cells.filter(c => c.ariaSelected === 'true').map(c => c.ariaLabel)"
    )


def columns(page):
    tops = options(page).evaluate_all("cells => cells.map(c => c.offsetTop)")
    return tops.count(tops[0])


def pick(page, label, value):
    page.get_by_role("combobox", name=label).click()
    page.get_by_role("option", name=value, exact=True).click()


def test_a_click_chooses_and_another_takes_it_back(page):
    expect_chosen(page, None)
    assert selected(page) == []
    options(page).nth(5).click()
    expect_chosen(page, 5)
    (label,) = selected(page)
    assert label.startswith("channel 5 · mean 0.")
    options(page).nth(7).click()
    expect_chosen(page, 7)
    assert len(selected(page)) == 1
    options(page).nth(7).click()
    expect_chosen(page, None)
    assert selected(page) == []


def test_keys_move_and_choose(page):
    options(page).first.focus()
    wide = columns(page)
    assert 2 < wide < 12
    for key in ("ArrowRight", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    expect_chosen(page, 1 + wide)
    for key in ("Home", "ArrowLeft", "ArrowUp", "Space"):
        page.keyboard.press(key)
    expect_chosen(page, 0)
    for key in ("End", "ArrowRight", "Enter"):
        page.keyboard.press(key)
    expect_chosen(page, 11)
    reachable = options(page).evaluate_all("cells => cells.filter(c => c.tabIndex === 0).length")
    assert reachable == 1  # Tab goes to the grid once, not to every cell


def test_the_line_above_says_what_is_under_the_pointer(page):
    line = page.locator(".resnet-viz-grid-label").first
    assert "arrow keys" in line.text_content()
    options(page).nth(3).hover()
    assert line.text_content() == options(page).nth(3).get_attribute("aria-label")
    page.mouse.move(5, 5)
    page.wait_for_function(
        "document.querySelector('.resnet-viz-grid-label').textContent.includes('arrow keys')"
    )


def test_a_cell_shows_its_own_map(page):
    cell = options(page).nth(7)
    side = int(cell.evaluate("c => c.clientWidth"))
    assert side % 16 == 0
    picture = np.asarray(Image.open(io.BytesIO(cell.screenshot())).convert("RGB")).astype(int)
    times = side // 16
    middles = picture[times // 2 :: times, times // 2 :: times][:16, :16]
    expected = coloured(MAPS[7], limits_of(MAPS)).astype(int)
    inner = np.s_[1:-1, 1:-1]  # corners are rounded
    assert np.abs(middles[inner] - expected[inner]).max() <= 1


def test_the_choice_stays_with_its_channel_when_the_order_changes(page):
    options(page).nth(5).click()
    expect_chosen(page, 5)
    page.get_by_text("strength", exact=True).click()
    first = f"channel {strongest_first(MAPS)[0]} "
    page.wait_for_function(
        "first => document.querySelector('.resnet-viz-grid > *').ariaLabel.startsWith(first)",
        arg=first,
    )
    expect_chosen(page, 5)
    (label,) = selected(page)
    assert label.startswith("channel 5 ")
    place = strongest_first(MAPS).index(5)
    assert options(page).nth(place).get_attribute("aria-selected") == "true"


def test_a_choice_is_small_and_keeps_scroll(page):
    pick(page, "Channels", "512")
    options(page).nth(511).wait_for(state="attached")
    expect_chosen(page, None)
    assert max(page.received) > 100_000  # the sheet
    options(page).nth(300).scroll_into_view_if_needed()
    box = "document.querySelector('.resnet-viz-grid')"
    top = page.evaluate(f"{box}.scrollTop")
    assert top > 100
    page.wait_for_timeout(500)
    page.received.clear()
    options(page).nth(300).click()
    expect_chosen(page, 300)
    assert max(page.received) < 10_000
    assert page.evaluate(f"{box}.scrollTop") == top
    page.get_by_text("strength", exact=True).click()
    page.wait_for_function(f"{box}.firstChild.ariaLabel.startsWith('channel 0 ') === false")
    assert page.evaluate(f"{box}.scrollTop") == top


def test_a_choice_that_the_sheet_does_not_have_is_none(page):
    pick(page, "Channels", "512")
    options(page).nth(511).wait_for(state="attached")
    options(page).nth(40).click()
    expect_chosen(page, 40)
    pick(page, "Channels", "12")
    expect_chosen(page, None)
    page.wait_for_function("document.querySelector('.resnet-viz-grid').children.length === 12")
    assert selected(page) == []


def test_a_grid_that_went_and_came_back_says_what_python_thinks(page):
    options(page).nth(5).click()
    expect_chosen(page, 5)
    page.get_by_text("Grid", exact=True).click()
    page.get_by_text("chosen: 5", exact=True).wait_for(state="detached")
    page.get_by_text("Grid", exact=True).click()
    options(page).nth(11).wait_for()
    expect_chosen(page, None)  # Streamlit forgets what it did not draw
    assert selected(page) == []


def test_a_page_can_preset_a_choice(page):
    expect_chosen(page, 2, "preset")
    (label,) = selected(page, "four maps")
    assert label.startswith("channel 2 ")
    options(page, "four maps").first.click()
    page.wait_for_function("!document.body.innerText.includes('preset: 2')")
    assert selected(page, "four maps") != [label]


def test_taking_back_what_the_page_had_preset_goes_to_what_it_has_for_that(page):
    expect_chosen(page, 2, "preset")
    options(page, "four maps").and_(page.locator("[aria-selected=true]")).click()
    expect_chosen(page, 3, "preset")
    (label,) = selected(page, "four maps")
    assert label.startswith("channel 3 ")


def test_pictures_have_sharp_pixels_and_texts_as_they_are(page):
    figures = page.locator("figure")
    assert figures.count() == 2
    image = figures.first.locator("img")
    assert image.get_attribute("alt") == 'said "aloud"'
    assert image.evaluate("i => i.naturalWidth") == 320
    assert image.evaluate("i => getComputedStyle(i).imageRendering") == "pixelated"
    assert "<b>channel</b> 0" in figures.first.inner_text()
    assert "mean & more" in figures.first.inner_text()


@pytest.mark.parametrize(("width", "side_by_side"), [(1000, 2), (300, 1)])
def test_pictures_are_equally_wide_on_every_screen(page, width, side_by_side):
    page.set_viewport_size({"width": width, "height": 1400})
    page.wait_for_function(
        """expected => {
            const boxes = [...document.querySelectorAll("figure")].map(
                (f) => f.getBoundingClientRect())
            const first = boxes.filter((b) => b.top === boxes[0].top).length
            return first === expected && new Set(boxes.map((b) => b.width)).size === 1
        }""",
        arg=side_by_side,
    )
