"""Downloads of data sets and weights: jobs of the queue for workers that have nothing to train.

A job's name is the data set's, "cifar10", or "imagenet:resnet50". No torch.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from resnet_viz.datasets.errors import DataError
from resnet_viz.nets.imagenet_download import download_weights
from resnet_viz.nets.imagenet_files import PREFIX
from resnet_viz.runs.rows import DownloadInfo
from resnet_viz.runs.store import RunStore
from resnet_viz.transfer import TransferError

REPORT_SECONDS = 0.25  # between two writes of progress


def request_download(store: RunStore, dataset: str) -> None:
    """Let a worker download data or weights; nothing happens if one already does."""
    with store.database.write() as db:
        db.execute(
            "INSERT INTO downloads (dataset, status, updated) VALUES (?, 'queued', ?) "
            "ON CONFLICT (dataset) DO UPDATE SET status = 'queued', bytes_done = 0, "
            "message = NULL, updated = excluded.updated "
            "WHERE status IN ('done', 'failed', 'stopped')",
            (dataset, time.time()),
        )


def stop_download(store: RunStore, dataset: str) -> None:
    """End a download: at once if it waits, else within a second ("stopping" until then)."""
    with store.database.write() as db:
        db.execute(
            "UPDATE downloads SET status = iif(status = 'queued', 'stopped', 'stopping') "
            "WHERE dataset = ? AND status IN ('queued', 'running')",
            (dataset,),
        )


def list_downloads(store: RunStore) -> dict[str, DownloadInfo]:
    """Every download that was ever asked for, by name."""
    fields = "dataset, status, bytes_done, bytes_total, message, updated"
    with store.database.read() as db:
        found = db.execute(f"SELECT {fields} FROM downloads").fetchall()
    return {row["dataset"]: DownloadInfo(**dict(row)) for row in found}


Download = Callable[[str, Callable[[int, int], None], Callable[[], bool]], bool]


def download(
    name: str, on_progress: Callable[[int, int], None], should_stop: Callable[[], bool]
) -> bool:
    """Do the download of that name in this process; arguments and result as `download_weights`.

    Raises:
        DataError, TransferError: it failed; the message says what to do.
        SpecError: there is nothing of that name.
    """
    if name.startswith(PREFIX):
        return download_weights(name, on_progress, should_stop)
    from resnet_viz.datasets import download as data  # which takes torch

    return data.download(name, on_progress, should_stop)


class DownloadJob:
    """One download in a worker's hands.

    Args:
        download: `download`, or what behaves like it.
    """

    def __init__(self, store: RunStore, worker_id: str, dataset: str, download: Download) -> None:
        self._store = store
        self._worker_id = worker_id
        self.dataset = dataset
        self._download = download
        self._reported = 0.0
        self._wanted = True

    def run(self, ending: Callable[[], bool]) -> None:
        """Do it, and say how it went.

        Args:
            ending: whether the worker has to end; the job then goes back into the queue.
        """
        try:
            whole = self._download(self.dataset, self._report, lambda: ending() or not self._wanted)
            status = "done" if whole else "queued" if self._wanted else "stopped"
            self._set(status=status, message=None)
        except (DataError, TransferError) as error:
            self._set(status="failed", message=str(error))
        except Exception as error:  # noqa: BLE001 - else the next worker would try for ever
            self._set(status="failed", message=f"{type(error).__name__}: {error}")

    def _report(self, done: int, total: int) -> None:
        if time.monotonic() - self._reported < REPORT_SECONDS and done < total:
            return
        self._reported = time.monotonic()
        self._wanted = self._set(bytes_done=done, bytes_total=total)

    def _set(self, **values: str | int | None) -> bool:
        """Write columns of the job; False if a person wants it to end, or another has it."""
        values |= {"dataset": self.dataset, "owner": self._worker_id}
        names = ", ".join(f"{name} = :{name}" for name in values)
        with self._store.database.write() as db:
            mine = db.execute(
                f"UPDATE downloads SET {names}, updated = :now "
                "WHERE dataset = :dataset AND owner = :owner AND status IN ('running', 'stopping') "
                "RETURNING status",
                {**values, "now": time.time()},
            ).fetchone()
        return mine is not None and mine["status"] != "stopping"


def claim_download(store: RunStore, worker_id: str, download: Download) -> DownloadJob | None:
    """Take the download that has waited longest, if there is one."""
    with store.database.read() as db:
        if db.execute("SELECT 1 FROM downloads WHERE status = 'queued'").fetchone() is None:
            return None
    with store.database.write() as db:
        row = db.execute(
            "UPDATE downloads SET status = 'running', owner = ? WHERE dataset = (SELECT dataset "
            "FROM downloads WHERE status = 'queued' ORDER BY updated LIMIT 1) RETURNING dataset",
            (worker_id,),
        ).fetchone()
    return None if row is None else DownloadJob(store, worker_id, row["dataset"], download)
