"""A data folder that cannot be used is said on the page, with what to do."""

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest


@pytest.mark.parametrize("page", ["start", "error_vs_depth", "runs"])
@pytest.mark.parametrize("trouble", ["a file in its place", "not a database"])
def test_a_data_folder_that_cannot_be_used_is_explained(page, trouble, tmp_path, monkeypatch):
    st.cache_resource.clear()
    folder = tmp_path / "data"
    if trouble == "a file in its place":
        folder.write_text("not a folder")
    else:
        folder.mkdir()
        (folder / "runs.sqlite3").write_bytes(b"this is no database" * 100)
    monkeypatch.setenv("RESNET_VIZ_HOME", str(folder))
    test = AppTest.from_file("../app.py", default_timeout=60)
    test.switch_page(f"pages/{page}.py").run()
    assert not test.exception
    (message,) = test.error
    assert str(folder) in message.value
    assert "RESNET_VIZ_HOME" in message.value or "Move it away" in message.value
