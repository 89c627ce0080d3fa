"""The checkpoint files of runs, beside the store.

Of every run the newest, from which it goes on, and in the folder "kept" the nets at some earlier
steps, which can only be looked at.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from safetensors import SafetensorError

from resnet_viz.runs.schema import explain
from resnet_viz.runs.store import RunStore
from resnet_viz.training.checkpoint import Checkpoint, CheckpointError


def write_checkpoint(store: RunStore, run_id: int, checkpoint: Checkpoint) -> int:
    """Write a checkpoint to its place; returns its size in bytes.

    Raises:
        StoreError: the file cannot be written.
    """
    return _write(store.checkpoint_path(run_id, checkpoint.step), checkpoint)


def write_kept(store: RunStore, run_id: int, snapshot: Checkpoint) -> int:
    """Write a net to keep to its place, as `write_checkpoint`."""
    return _write(store.kept_folder(run_id) / f"{snapshot.step}.safetensors", snapshot)


def _write(path: Path, checkpoint: Checkpoint) -> int:
    try:
        checkpoint.save(path)
        return path.stat().st_size
    except (OSError, SafetensorError) as error:
        raise explain(_as_os_error(error), path) from error


def read_checkpoint(store: RunStore, run_id: int, step: int) -> Checkpoint:
    """The checkpoint that the store says is there.

    Raises:
        CheckpointError: it is missing, damaged, or of another step.
    """
    checkpoint = Checkpoint.load(store.checkpoint_path(run_id, step))
    if checkpoint.step != step:
        raise CheckpointError(f"it is of step {checkpoint.step}, not {step}")
    return checkpoint


def clear_checkpoints(store: RunStore, run_id: int, *, but: int | None) -> None:
    """Remove a run's checkpoints, what was never recorded too, except that of step `but`."""
    for path in store.checkpoint_folder(run_id).glob("*"):
        if path.is_file() and (but is None or path.name != f"{but}.safetensors"):
            path.unlink(missing_ok=True)


def clear_kept(store: RunStore, run_id: int) -> None:
    """Remove the kept nets of a run that the store does not know (any more)."""
    with store.database.read() as db:
        found = db.execute("SELECT step FROM checkpoints WHERE run_id = ?", (run_id,)).fetchall()
    known = {f"{row['step']}.safetensors" for row in found}
    for path in store.kept_folder(run_id).glob("*"):
        if path.name not in known:
            path.unlink(missing_ok=True)


def clear_if_deleted(store: RunStore, run_id: int) -> None:
    """Remove what was written for a run that somebody has deleted in the meantime."""
    with store.database.read() as db:
        found = db.execute("SELECT 1 FROM runs WHERE id = ?", (run_id,)).fetchone()
    if found is None:
        shutil.rmtree(store.checkpoint_folder(run_id), ignore_errors=True)


def _as_os_error(error: OSError | SafetensorError) -> OSError:
    """A safetensors error of the system as what it is; its text ends with "(os error 28)"."""
    if isinstance(error, OSError):
        return error
    number = str(error).rpartition("os error ")[2].rstrip(")")
    return OSError(int(number) if number.isdigit() else 0, str(error))
