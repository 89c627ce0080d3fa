"""Reading a sweep again and again while it grows. No torch."""

from __future__ import annotations

from resnet_viz.records import History, RunInfo
from resnet_viz.runs.store import RunStore

RunHistory = tuple[RunInfo, History]


class SweepReader:
    """One reader's picture of a sweep; each refresh reads only what is new.

    Args:
        store: where the sweep is.
        sweep_id: which.
    """

    def __init__(self, store: RunStore, sweep_id: str) -> None:
        self._store = store
        self._sweep_id = sweep_id
        self._row_id = 0
        self._epochs: dict[int, int] = {}
        self._histories: dict[int, History] = {}

    def refresh(self) -> list[RunHistory]:
        """The sweep's runs in their order, each with all its records so far.

        The histories are the reader's own and grow at the next call.
        """
        runs = self._store.runs(self._sweep_id)
        epochs = {run.id: run.epoch for run in runs}
        if epochs != self._epochs:  # a claim may have taken records back: start again
            self._epochs, self._row_id = epochs, 0
            self._histories = {run.id: History() for run in runs}
        found, self._row_id = self._store.records_since(epochs, self._row_id)
        for run_id, record in found:
            self._histories[run_id].extend([record])
        return [(run, self._histories[run.id]) for run in runs]
