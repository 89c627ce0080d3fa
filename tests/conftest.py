"""No test ever touches the data folder of the person who runs it."""

import pytest


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """An empty data folder of the test's own."""
    folder = tmp_path / "home"
    monkeypatch.setenv("RESNET_VIZ_HOME", str(folder))
    return folder
