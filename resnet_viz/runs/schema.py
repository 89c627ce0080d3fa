"""The database file: its connections, its version, and what goes wrong with a disk, in words."""

from __future__ import annotations

import contextlib
import errno
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from resnet_viz.i18n import _
from resnet_viz.runs.layout import MIGRATIONS, SCHEMA_VERSION, TABLES

APPLICATION_ID = 0x52564952  # "RVIR": tells our file from any other SQLite file
BUSY_SECONDS = 10.0


class StoreError(Exception):
    """The data folder cannot be used as asked; the message says what to do."""


class DiskFullError(StoreError):
    """No room left for the store."""


class LostClaim(StoreError):  # noqa: N818 - a fact about the queue, not a fault
    """Somebody else has these runs now: what this worker computes for them is not kept.

    Attributes:
        run_ids: the runs that were lost.
    """

    def __init__(self, run_ids: set[int]) -> None:
        super().__init__(f"runs {sorted(run_ids)} are no longer this worker's")
        self.run_ids = run_ids


def explain(error: sqlite3.Error | OSError, path: Path) -> StoreError:
    """The same trouble as a message for a person.

    Args:
        error: what SQLite or the system said.
        path: the database file, or the folder that could not be made.
    """
    name = getattr(error, "sqlite_errorname", None) or ""
    number = getattr(error, "errno", None)
    if name == "SQLITE_FULL" or number in (errno.ENOSPC, errno.EDQUOT):
        text = _(
            "There is no room left on the disk of {path}. Free some space, or set RESNET_VIZ_HOME "
            "to a folder on another disk. What is stored so far is kept."
        )
        return DiskFullError(text.format(path=path))
    unwritable = name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN"))
    if unwritable or number in (errno.EACCES, errno.EPERM, errno.EROFS):
        text = _(
            "{path} cannot be written. Give yourself permission to write there, or set "
            "RESNET_VIZ_HOME to a folder of your own."
        )
    elif name in ("SQLITE_NOTADB", "SQLITE_CORRUPT") or "malformed" in str(error):
        text = _(
            "The file {path} is damaged. Move it away to start with an empty store; the "
            "checkpoints beside it stay where they are."
        )
    elif name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        text = _(
            "{path} is being used by another program for too long. Close that program; if the "
            "folder is on a network drive, set RESNET_VIZ_HOME to a local one."
        )
    else:
        text = _(
            "{path} cannot be used: {error}. Check that the folder exists and can be written, or "
            "set RESNET_VIZ_HOME to another one."
        )
    return StoreError(text.format(path=path, error=error))


class Database:
    """A pool of connections to one file; each is used by one thread at a time.

    A page's script runs in a new thread every time, so connections belong to no thread.

    Raises:
        StoreError: the file cannot be opened or made, is damaged, or is of a newer version.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._idle: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise explain(error, path.parent) from error
        self._prepare()

    @contextlib.contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """A connection; several queries on it see one state of the store."""
        with self._connection() as db:
            db.execute("BEGIN")
            try:
                yield db
            finally:
                db.execute("ROLLBACK")

    @contextlib.contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """A transaction that alone may write: all of it is kept, or on an exception nothing."""
        with self._connection() as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:  # a full disk may have rolled it back already
                    db.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """Close the connections that nobody uses."""
        with self._lock:
            idle, self._idle = self._idle, []
        for db in idle:
            db.close()

    @contextlib.contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        db = None
        try:
            with self._lock:
                db = self._idle.pop() if self._idle else None
            if db is None:
                db = self._connect()
            yield db
        except sqlite3.Error as error:
            raise explain(error, self.path) from error
        finally:
            if db is not None and not db.in_transaction:
                with self._lock:
                    self._idle.append(db)

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(
            self.path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        db.row_factory = sqlite3.Row
        db.execute("PRAGMA synchronous=NORMAL")
        db.execute("PRAGMA foreign_keys=ON")
        return db

    def _prepare(self) -> None:
        """Check that the file is ours and not of a newer version; make or complete its tables."""
        with self.read() as db:
            version = self._version(db)
        with self._connection() as db:
            _enter_wal(db)
        if version < SCHEMA_VERSION:
            self._upgrade()

    def _version(self, db: sqlite3.Connection) -> int:
        """Schema version of the file, 0 for a new one."""
        version = int(db.execute("PRAGMA user_version").fetchone()[0])
        application = db.execute("PRAGMA application_id").fetchone()[0]
        tables = db.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
        if application != APPLICATION_ID and (version or tables):
            text = _(
                "{path} is a database of another program. Set RESNET_VIZ_HOME to a new folder."
            )
            raise StoreError(text.format(path=self.path))
        if version > SCHEMA_VERSION:
            text = _(
                "{path} was written by a newer version of resnet_viz. Update the program, or set "
                "RESNET_VIZ_HOME to another folder."
            )
            raise StoreError(text.format(path=self.path))
        return version

    def _upgrade(self) -> None:
        """Bring a new or older file to this version's tables; what it holds stays."""
        with self.write() as db:
            version = self._version(db)  # another process may have been faster
            if version == 0:
                statements = [*TABLES, f"PRAGMA application_id={APPLICATION_ID}"]
            else:
                steps = range(version, SCHEMA_VERSION)
                statements = [statement for step in steps for statement in MIGRATIONS[step]]
            for statement in statements:
                db.execute(statement)
            db.execute(f"PRAGMA user_version={SCHEMA_VERSION}")


def _enter_wal(db: sqlite3.Connection) -> None:
    """Readers then never wait for a writer. SQLite does not wait for its lock here: we do."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            db.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorname != "SQLITE_BUSY" or time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return
