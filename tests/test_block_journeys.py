"""The page Residual blocks in a real browser: click a block away, insert blocks, train on."""

import re

import pytest

from benchmarks.browser import button, running_app

pytestmark = pytest.mark.browser

TIMEOUT_MS = 120_000  # of a journey that hangs; no promise about speed


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    with running_app(tmp_path_factory.mktemp("home")) as app:
        yield app


def test_blocks_are_clicked_away_then_inserted_and_trained_on(chromium, app):
    page = chromium.new_page(viewport={"width": 1400, "height": 900})
    page.set_default_timeout(TIMEOUT_MS)
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(app.page_url("residual_blocks", lesion_images="100", lesion_draws="3"))
    page.get_by_text(re.compile(r"shapes-resnet-20 as it is errs on")).wait_for()
    page.get_by_role("button", name="1.2", exact=True).click()
    page.get_by_text(re.compile(r"shapes-resnet-20, without 1\.2: .* wrong")).wait_for()
    page.wait_for_url("**removed_9=1.2*")
    page.get_by_text("Take away", exact=True).wait_for()
    page.reload()
    page.get_by_text(re.compile(r"shapes-resnet-20, without 1\.2: .* wrong")).wait_for()

    page.goto(
        app.page_url(
            "residual_blocks",
            **{"blocks": "construction", "grow_images": "128", "grow_steps": "100"},
            **{"grow_by": "1", "beside_what": "none"},
        )
    )
    page.get_by_text(re.compile("shapes-resnet-20 with 6 more layers .resnet-26.")).wait_for()
    button(page, "Train on").click()
    page.get_by_text(re.compile("SGD from random weights has")).wait_for()
    page.wait_for_url("**grown=*")
    button(page, "Stop").click()
    wanted = "[...document.querySelectorAll('.resnet-viz-chart')].length >= 2"
    page.wait_for_function(wanted)
    (sweep,) = app.store.sweeps()
    assert sweep.name == "Blocks inserted: resnet-20 to resnet-26"
    page.close()
    assert errors == []
