"""The page Architectures in a real browser: open stage, block, operation, by pointer and keys."""

import pytest

from benchmarks.browser import running_app

pytestmark = pytest.mark.browser

TIMEOUT_MS = 120_000  # of a journey that hangs; no promise about speed
HERE = "document.querySelector('.resnet-viz-net .way .here')?.textContent"


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    with running_app(tmp_path_factory.mktemp("home")) as app:
        yield app


@pytest.fixture
def visit(chromium, app):
    """Opens the page; no script of it may fail."""
    contexts, errors = [], []

    def open_as_somebody(**query):
        context = chromium.new_context(viewport={"width": 1400, "height": 1200})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(TIMEOUT_MS)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(app.page_url("architectures", **query))
        page.wait_for_selector(".resnet-viz-net svg")
        return page

    yield open_as_somebody
    for context in contexts:
        context.close()
    assert errors == []


def arrive(page, title):
    page.wait_for_function(f"{HERE} === {title!r}")


def test_resnet_152_is_opened_down_to_an_operation_and_is_still_open_after_a_reload(visit):
    page = visit()
    arrive(page, "ResNet-50")
    page.locator(".st-key-net [role=combobox], .st-key-net input").first.click()
    page.get_by_role("option", name="ResNet-152", exact=True).click()
    arrive(page, "ResNet-152")
    cells = page.locator("[data-place^='stage3.block']")
    assert cells.count() == 36
    for place, title in (
        ("stage3", "stage 3"),
        ("stage3.block7", "block 7"),
        ("stage3.block7.branch.conv2", "branch.conv2"),
    ):
        page.locator(f"[data-place='{place}']").click(position={"x": 6, "y": 6})
        arrive(page, title)
    details = page.locator(".resnet-viz-net .panel")
    assert f"{9 * 256 * 256:,}" in details.inner_text()
    assert "256×14×14" in details.inner_text()
    page.wait_for_function("location.search.includes('at=stage3.block7.branch.conv2')")
    page.goto(page.url)  # a reload
    arrive(page, "branch.conv2")
    assert f"{9 * 256 * 256:,}" in details.inner_text()
    page.get_by_role("button", name="stage 3", exact=True).click()
    arrive(page, "stage 3")
    page.get_by_role("button", name="ResNet-152", exact=True).click()
    arrive(page, "ResNet-152")
    page.wait_for_function("!location.search.includes('at=')")


def test_keys_open_and_leave_places(visit):
    page = visit(net="densenet121")
    arrive(page, "DenseNet-121")
    page.locator("[data-place][tabindex='0']").focus()
    page.keyboard.press("ArrowDown")  # from the stem to the first stage
    page.keyboard.press("Enter")
    arrive(page, "stage 1")
    page.wait_for_function("document.activeElement?.dataset?.place === 'stage1.block1'")
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    arrive(page, "layer 6")
    page.keyboard.press("Escape")
    arrive(page, "stage 1")
    page.wait_for_function("document.activeElement?.dataset?.place === 'stage1.block6'")
    page.keyboard.press("Escape")
    arrive(page, "DenseNet-121")
