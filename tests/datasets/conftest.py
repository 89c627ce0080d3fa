import pytest


@pytest.fixture(autouse=True)
def home(tmp_path_factory, monkeypatch):
    """An empty data folder for every test."""
    folder = tmp_path_factory.mktemp("data") / "home"
    monkeypatch.setenv("RESNET_VIZ_HOME", str(folder))
    return folder / "datasets"
