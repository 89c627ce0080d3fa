"""What tests of benchmarks share."""

import sys
import types

import pytest


@pytest.fixture(autouse=True)
def _nothing_in_main(monkeypatch):
    """A page that AppTest has run leaves itself as the main module, which new processes run."""
    monkeypatch.setitem(sys.modules, "__main__", types.ModuleType("__main__"))
