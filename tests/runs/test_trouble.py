"""Full disks, folders that cannot be written, files that are not ours: said, and nothing lost."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from resnet_viz.runs.schema import SCHEMA_VERSION, DiskFullError, StoreError
from resnet_viz.runs.store import RunStore
from tests.runs.making import make_queue, tiny_sweep, training_record

ROOT = Path(__file__).parents[2]
TORCH_FREE = (
    *("archive", "downloads", "lanes", "queue", "reaper", "rows", "schema", "store"),
    *("supervisor", "tables", "untrusted"),
)
WRITE_AS_NOBODY = """
import os, sys
from pathlib import Path
from resnet_viz.i18n import _
from resnet_viz.runs.schema import StoreError
from resnet_viz.runs.store import RunStore
_("x")  # everything is imported: the next user may not be able to read our Python
if os.getuid() == 0:  # the superuser may write everywhere
    os.setgid(65534)
    os.setuid(65534)
try:
    RunStore(Path(sys.argv[1])).set_setting("k", 1)
except StoreError as error:
    print(error)
"""


def limit_size(store: RunStore, pages: int) -> None:
    """Give the store's file no room to grow by more than `pages` pages."""
    store.close()
    connect = store.database._connect

    def connect_limited() -> sqlite3.Connection:
        db = connect()
        now = db.execute("PRAGMA page_count").fetchone()[0]
        db.execute(f"PRAGMA max_page_count={now + pages}")
        return db

    store.database._connect = connect_limited  # type: ignore[method-assign]


def test_a_full_disk_is_said_and_what_is_stored_stays(store: RunStore) -> None:
    store.create_sweep(tiny_sweep(steps=10_000), name="s")
    queue = make_queue(store)
    (claim,) = queue.claim()
    queue.append([(claim, [training_record(1)])])
    limit_size(store, 2)
    with pytest.raises(DiskFullError, match="RESNET_VIZ_HOME"):
        queue.append([(claim, [training_record(step) for step in range(2, 5000)])])
    assert [r.step for _, r in store.records_since([claim.run_id])[0]] == [1]
    again = RunStore(store.home)  # there is room again
    make_queue(again).append([(claim, [training_record(2)])])
    assert [r.step for _, r in again.records_since([claim.run_id])[0]] == [1, 2]


def test_a_newer_store_is_left_alone(tmp_path: Path) -> None:
    RunStore(tmp_path).close()
    path = tmp_path / "runs.sqlite3"
    with sqlite3.connect(path) as db:
        db.execute(f"PRAGMA user_version={SCHEMA_VERSION + 1}")
    before = path.read_bytes()
    with pytest.raises(StoreError, match="newer version"):
        RunStore(tmp_path)
    assert path.read_bytes() == before


def test_a_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "runs.sqlite3"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE theirs (x)")
    before = path.read_bytes()
    with pytest.raises(StoreError, match="another program"):
        RunStore(tmp_path)
    assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "runs.sqlite3"
    path.write_bytes(b"not a database, but somebody's text" * 100)
    with pytest.raises(StoreError, match="damaged"):
        RunStore(tmp_path)
    assert path.read_bytes() == b"not a database, but somebody's text" * 100


def test_a_damaged_database_is_said(store: RunStore) -> None:
    for i in range(50):
        store.create_sweep(tiny_sweep(), name=f"sweep {i}")
    store.close()
    path = store.home / "runs.sqlite3"
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    data = bytearray(path.read_bytes())
    data[4096:] = b"\xa5" * (len(data) - 4096)
    path.write_bytes(data)
    with pytest.raises(StoreError, match="damaged"):
        RunStore(store.home).sweeps()


def test_a_folder_that_is_a_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError, match="RESNET_VIZ_HOME"):
        RunStore(tmp_path / "file" / "home")


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="needs POSIX permissions")
@pytest.mark.parametrize("existing", [False, True])
def test_a_folder_that_cannot_be_written_is_said(existing: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:  # pytest's own are closed to other users
        home = Path(folder) / "home"
        home.mkdir()
        if existing:
            RunStore(home).close()
        for path in (*home.iterdir(), home):
            path.chmod(0o555)
        Path(folder).chmod(0o755)
        result = subprocess.run(
            [sys.executable, "-c", WRITE_AS_NOBODY, str(home)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        home.chmod(0o755)
    assert "cannot be written" in result.stdout


def test_what_the_page_server_imports_is_free_of_torch() -> None:
    imports = "; ".join(f"import resnet_viz.runs.{name}" for name in TORCH_FREE)
    code = f"{imports}; import sys; print([m for m in sys.modules if m.split('.')[0] == 'torch'])"
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"
