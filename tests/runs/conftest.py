from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from resnet_viz.runs.store import RunStore


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunStore]:
    monkeypatch.setenv("RESNET_VIZ_HOME", str(tmp_path))
    store = RunStore()
    yield store
    store.close()
