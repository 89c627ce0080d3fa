"""What all tests share: a data folder that is nobody's, and a browser for those that need one."""

import os

import pytest

from benchmarks.browser import NoChromiumError, open_chromium


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """An empty data folder of the test's own."""
    folder = tmp_path / "home"
    monkeypatch.setenv("RESNET_VIZ_HOME", str(folder))
    return folder


@pytest.fixture(scope="session")
def chromium():
    """A headless browser, or a skip; REQUIRE_BROWSER=1 makes a missing one an error."""
    try:
        with open_chromium() as browser:
            yield browser
    except NoChromiumError as error:
        if os.environ.get("REQUIRE_BROWSER"):
            pytest.fail(str(error))
        pytest.skip(str(error))
