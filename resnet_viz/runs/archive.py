"""A sweep as one file: specs, records and checkpoints, out and in. No torch.

The file is a zip of manifest.json, records/<n>.jsonl, profiles/<n>.jsonl and
checkpoints/<n>.safetensors, n being the position of a run in the manifest, and of
starts/<SHA-256>.safetensors for the weights from which runs start. A file to import may come
from anybody.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
import sqlite3
import struct
import time
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import resnet_viz
from resnet_viz.i18n import _
from resnet_viz.nets.start_files import start_path
from resnet_viz.records import Record
from resnet_viz.runs import rows
from resnet_viz.runs.profile_tables import profile_values
from resnet_viz.runs.rows import ProfileRow
from resnet_viz.runs.schema import explain
from resnet_viz.runs.store import RunStore, unknown_sweep
from resnet_viz.runs.untrusted import (
    FORMAT,
    MAX_RECORDS,
    SCHEMA,
    ArchivedRun,
    Manifest,
    check_checkpoint,
    read_manifest,
    read_records,
)
from resnet_viz.runs.untrusted_profiles import read_profiles
from resnet_viz.runs.untrusted_values import ArchiveError, refuse
from resnet_viz.runs.writing import (
    insert_profiles,
    insert_records,
    insert_run,
    insert_sweep,
    summarise,
)

__all__ = ["ArchiveError", "export_sweep", "import_archive"]

MAX_TOTAL_BYTES = 4 << 30
MAX_MANIFEST_BYTES = 16 << 20
MAX_RECORDS_BYTES = 256 << 20  # of all runs; they are checked in memory
MAX_PROFILES_BYTES = 256 << 20  # of all runs; small nets' take about three times as much in memory
MAX_TOTAL_RECORDS = 1_000_000  # about half a kilobyte each in memory
MAX_RATIO = 200  # of unpacked to packed size; records pack to a tenth
# What zipfile raises on bytes that are no archive, found by changing some at random.
_UNREADABLE = (
    *(zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError),
    *(NotImplementedError, RuntimeError, ValueError, OverflowError),
)
_MANIFEST = "manifest.json"
_WITHOUT_STARTS = 2  # the schema of a sweep whose runs begin at random, which older versions read
_COPY_BYTES = 1 << 20
_EXPORTED = ("status", "device", "dtype", "threads", "version", "error", "probe_every")
_ABANDONED_SECONDS = 3600.0


def export_sweep(store: RunStore, sweep_id: str, file: Path | IO[bytes]) -> None:
    """Write a sweep with its records, profiles and newest checkpoints to `file`.

    Raises:
        UnknownSweepError: there is none of that id.
        StoreError: the store cannot be read.
        OSError: the file cannot be written.
    """
    with store.database.read() as db, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        sweep = db.execute("SELECT * FROM sweeps WHERE id = ?", (sweep_id,)).fetchone()
        if sweep is None:
            raise unknown_sweep(sweep_id)
        manifest: dict[str, Any] = {"format": FORMAT, "schema": _WITHOUT_STARTS, "runs": []}
        manifest |= {"program": f"resnet_viz {resnet_viz.__version__}"}
        manifest |= {"name": sweep["name"], "spec": json.loads(sweep["spec"])}
        query = "SELECT * FROM runs WHERE sweep_id = ? ORDER BY position"
        for n, run in enumerate(db.execute(query, (sweep_id,)).fetchall()):
            entry = {"spec": json.loads(run["spec"]), **{name: run[name] for name in _EXPORTED}}
            records = _rows(db, "records", rows.RECORD_FIELDS, run["id"])
            _add_lines(archive, f"records/{n}.jsonl", (vars(rows.record(row)) for row in records))
            profiles = _rows(db, "profiles", rows.PROFILE_FIELDS, run["id"])
            _add_lines(archive, f"profiles/{n}.jsonl", map(_profile_line, profiles))
            step = run["checkpoint_step"]
            path = None if step is None else store.checkpoint_path(run["id"], step)
            if path is not None and _add_file(archive, path, f"checkpoints/{n}.safetensors"):
                entry["checkpoint_step"] = step
            manifest["runs"].append(entry)
        starts = dict.fromkeys(e["spec"]["start"] for e in manifest["runs"] if "start" in e["spec"])
        if starts:
            carried = [start for start in starts if _add_start(store, archive, start)]
            manifest |= {"schema": SCHEMA, "starts": carried}
        archive.writestr(_MANIFEST, json.dumps(manifest, indent=1))


def _add_start(store: RunStore, archive: zipfile.ZipFile, start: str) -> bool:
    """Add weights from which a run starts; False if they are gone."""
    return _add_file(archive, start_path(start, store.home), _start_name(start))


def _start_name(start: str) -> str:
    return f"starts/{start}.safetensors"


def _rows(db: sqlite3.Connection, table: str, fields: str, run_id: int) -> Iterator[sqlite3.Row]:
    return db.execute(f"SELECT {fields} FROM {table} WHERE run_id = ? ORDER BY id", (run_id,))


def _profile_line(row: Any) -> dict[str, Any]:
    columns = profile_values(rows.profile(row))
    return {"step": columns.pop("step"), "values": columns}


def _add_lines(archive: zipfile.ZipFile, name: str, lines: Iterable[dict[str, Any]]) -> None:
    """Add JSON values, one a line; unpacked if they pack so well that an import would refuse."""
    data = "\n".join(json.dumps(line, default=dict) for line in lines).encode()
    bomb = 2 * len(data) > MAX_RATIO * len(zlib.compress(data))
    archive.writestr(name, data, zipfile.ZIP_STORED if bomb else zipfile.ZIP_DEFLATED)


def _add_file(archive: zipfile.ZipFile, path: Path, name: str) -> bool:
    """Add a checkpoint unpacked; False if its worker has just replaced it."""
    try:
        source = path.open("rb")
    except FileNotFoundError:
        return False
    with source, archive.open(zipfile.ZipInfo(name), "w", force_zip64=True) as target:
        shutil.copyfileobj(source, target, _COPY_BYTES)
    return True


def import_archive(store: RunStore, file: Path | IO[bytes]) -> str:
    """Add the sweep of an archive, which is not trusted, to the store: all of it or nothing.

    Runs that were waiting or training when it was written are "stopped" here.

    Returns:
        The id of the new sweep.

    Raises:
        ArchiveError: it is not an archive, it is damaged, or something in it is not as it must be.
        StoreError: the store cannot be written.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            _check_sizes(archive)
            manifest = read_manifest(_read(archive, _MANIFEST, MAX_MANIFEST_BYTES))
            _check_names(archive, manifest)
            records = _read_all_records(archive, manifest)
            profiles = _read_all_profiles(archive, manifest)
            with _temporary_folder(store) as folder:
                _extract_checkpoints(archive, manifest, folder)
                _extract_starts(archive, manifest, folder)
                return _insert(store, manifest, records, profiles, folder)
    except _UNREADABLE as error:
        refuse(_("it is damaged, or no archive ({error})").format(error=error))


def _check_sizes(archive: zipfile.ZipFile) -> None:
    members = archive.infolist()
    total = sum(member.file_size for member in members)
    packed = sum(member.compress_size for member in members)
    if total > MAX_TOTAL_BYTES or total > MAX_RATIO * packed + _COPY_BYTES:
        refuse(_("unpacked it would be too large ({n:.0f} MB)").format(n=total / 1e6))
    known = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
    if any(member.flag_bits & 1 or member.compress_type not in known for member in members):
        refuse(_("it is encrypted, or packed in an unknown way"))


def _check_names(archive: zipfile.ZipFile, manifest: Manifest) -> None:
    """Only what the manifest speaks of; no name of the archive ever becomes a path."""
    expected = {_MANIFEST}
    for n, run in enumerate(manifest.runs):
        expected.add(f"records/{n}.jsonl")
        if manifest.has_profiles:
            expected.add(f"profiles/{n}.jsonl")
        if run.checkpoint_step is not None:
            expected.add(f"checkpoints/{n}.safetensors")
    expected |= set(map(_start_name, manifest.starts))
    names = archive.namelist()
    if len(names) != len(expected) or set(names) != expected:
        refuse(_("its contents are not those that its manifest names"))


def _read(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    """A member in memory; zipfile reads no more of it than the size that it declares."""
    try:
        member = archive.getinfo(name)
    except KeyError:
        refuse(_("it has no {name}").format(name=name))
    if member.file_size > most:
        refuse(_("{name} is too large").format(name=name))
    return archive.read(member)


def _extract_checkpoints(archive: zipfile.ZipFile, manifest: Manifest, folder: Path) -> None:
    for n, run in enumerate(manifest.runs):
        if run.checkpoint_step is None:
            continue
        path = folder / f"{n}.safetensors"
        try:
            with archive.open(f"checkpoints/{n}.safetensors") as source, path.open("wb") as target:
                shutil.copyfileobj(source, target, _COPY_BYTES)
        except OSError as error:
            raise explain(error, path) from error
        check_checkpoint(path, run.checkpoint_step, run.spec)


def _extract_starts(archive: zipfile.ZipFile, manifest: Manifest, folder: Path) -> None:
    """The weights to start from; their bytes are those of their names, or the file is refused."""
    for start in manifest.starts:
        path, digest = folder / start, hashlib.sha256()
        try:
            with archive.open(_start_name(start)) as source, path.open("wb") as target:
                while part := source.read(_COPY_BYTES):
                    digest.update(part)
                    target.write(part)
        except OSError as error:
            raise explain(error, path) from error
        if digest.hexdigest() != start:
            refuse(_("the weights from which a run starts are damaged"))


def _read_all_records(archive: zipfile.ZipFile, manifest: Manifest) -> list[list[Record]]:
    names = [f"records/{n}.jsonl" for n in range(len(manifest.runs))]
    if sum(archive.getinfo(name).file_size for name in names) > MAX_RECORDS_BYTES:
        refuse(_("its records are too large"))
    histories, left = [], MAX_TOTAL_RECORDS
    for name, run in zip(names, manifest.runs, strict=True):
        data = _read(archive, name, MAX_RECORDS_BYTES)
        histories.append(read_records(data, run.spec, min(left, MAX_RECORDS)))
        left -= len(histories[-1])
    return histories


def _read_all_profiles(archive: zipfile.ZipFile, manifest: Manifest) -> list[list[ProfileRow]]:
    if not manifest.has_profiles:
        return [[] for _run in manifest.runs]
    names = [f"profiles/{n}.jsonl" for n in range(len(manifest.runs))]
    if sum(archive.getinfo(name).file_size for name in names) > MAX_PROFILES_BYTES:
        refuse(_("its profiles are too large"))
    pairs = zip(names, manifest.runs, strict=True)
    return [read_profiles(_read(archive, n, MAX_PROFILES_BYTES), run.spec) for n, run in pairs]


def _insert(
    store: RunStore,
    manifest: Manifest,
    records: list[list[Record]],
    profiles: list[list[ProfileRow]],
    folder: Path,
) -> str:
    """Everything in one transaction; the checkpoints are moved just before it ends."""
    moved: list[Path] = []
    try:
        with store.database.write() as db:
            sweep_id = insert_sweep(db, manifest.spec, manifest.name, imported=True)
            for n, run in enumerate(manifest.runs):
                source = folder / f"{n}.safetensors"
                run_id = insert_run(db, sweep_id, n, run.spec, _run_values(run, source))
                insert_records(db, run_id, records[n])
                insert_profiles(db, run_id, profiles[n])
                summarise(db, run_id)
                if run.checkpoint_step is not None:
                    target = store.checkpoint_path(run_id, run.checkpoint_step)
                    moved.append(target.parent)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    os.replace(source, target)
            for start in manifest.starts:
                target = start_path(start, store.home)
                target.parent.mkdir(parents=True, exist_ok=True)
                os.replace(folder / start, target)
    except BaseException as error:
        for path in moved:
            shutil.rmtree(path, ignore_errors=True)
        if isinstance(error, OSError):
            raise explain(error, store.home) from error
        raise
    return sweep_id


def _run_values(run: ArchivedRun, checkpoint: Path) -> dict[str, Any]:
    values = {**run.values, "lane": 0, "target": "auto"}
    if run.checkpoint_step is not None:
        values["checkpoint_step"] = run.checkpoint_step
        values["checkpoint_bytes"] = checkpoint.stat().st_size
    return values


@contextmanager
def _temporary_folder(store: RunStore) -> Iterator[Path]:
    """A folder on the disk of the checkpoints; one that a killed import left behind goes."""
    parent = store.home / "checkpoints"
    path = parent / f".import-{secrets.token_hex(4)}"
    try:
        path.mkdir(parents=True)
        for old in parent.glob(".import-*"):
            if time.time() - old.stat().st_mtime > _ABANDONED_SECONDS:
                shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        raise explain(error, parent) from error
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
