"""Reading a sweep's profiles again and again while it grows. No torch."""

from __future__ import annotations

from resnet_viz.records import Profile, RunInfo
from resnet_viz.runs.store import RunStore

RunProfiles = tuple[RunInfo, list[Profile]]


class ProfileReader:
    """One reader's picture of what a sweep's runs measured layer by layer.

    Each refresh reads only what is new.

    Args:
        store: where the sweep is.
        sweep_id: which.
    """

    def __init__(self, store: RunStore, sweep_id: str) -> None:
        self._store = store
        self._sweep_id = sweep_id
        self._row_id = 0
        self._epochs: dict[int, int] = {}
        self._profiles: dict[int, list[Profile]] = {}

    def refresh(self) -> list[RunProfiles]:
        """The sweep's runs in their order, each with all its profiles so far, by step.

        The lists are the reader's own and grow at the next call.
        """
        runs = self._store.runs(self._sweep_id)
        epochs = {run.id: run.epoch for run in runs}
        if epochs != self._epochs:  # a claim may have taken profiles back: start again
            self._epochs, self._row_id = epochs, 0
            self._profiles = {run.id: [] for run in runs}
        found, self._row_id = self._store.profiles_since(epochs, self._row_id)
        for run_id, profile in found:
            self._profiles[run_id].append(profile)
        return [(run, self._profiles[run.id]) for run in runs]
