"""The tables of the database, and how an older file gets those that it lacks."""

from __future__ import annotations

from resnet_viz.records import COLUMNS, PROBE_EVERY, PROFILE_COLUMNS

SCHEMA_VERSION = 3
RECORD_COLUMNS = tuple(column for columns in COLUMNS.values() for column in columns)


TABLES = (
    """CREATE TABLE sweeps (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        name TEXT NOT NULL,
        spec TEXT NOT NULL,
        preset TEXT,
        created REAL NOT NULL,
        imported INTEGER NOT NULL DEFAULT 0
    ) STRICT""",
    # target and threads: what the run waits for; device, dtype, version: what it began with.
    f"""CREATE TABLE runs (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        sweep_id TEXT NOT NULL REFERENCES sweeps(id) ON DELETE CASCADE,
        position INTEGER NOT NULL,
        key TEXT NOT NULL,
        spec TEXT NOT NULL,
        status TEXT NOT NULL,
        wish TEXT,
        epoch INTEGER NOT NULL DEFAULT 0,
        owner TEXT,
        lane INTEGER NOT NULL,
        target TEXT NOT NULL,
        threads INTEGER NOT NULL,
        device TEXT,
        dtype TEXT,
        version TEXT,
        step INTEGER NOT NULL DEFAULT 0,
        running_error REAL,
        train_error REAL,
        val_error REAL,
        test_error REAL,
        seconds REAL NOT NULL DEFAULT 0,
        images_per_second REAL,
        record_count INTEGER NOT NULL DEFAULT 0,
        checkpoint_step INTEGER,
        checkpoint_bytes INTEGER NOT NULL DEFAULT 0,
        error TEXT,
        notes TEXT,
        crashes INTEGER NOT NULL DEFAULT 0,
        created REAL NOT NULL,
        updated REAL NOT NULL,
        probe_every INTEGER NOT NULL DEFAULT {PROBE_EVERY},
        profile_bytes INTEGER NOT NULL DEFAULT 0
    ) STRICT""",
    "CREATE INDEX runs_sweep ON runs(sweep_id)",
    "CREATE INDEX runs_status ON runs(status)",
    # One column a measurement; those that a record lacks are NULL and cost a byte.
    f"""CREATE TABLE records (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        run_id INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
        kind TEXT NOT NULL,
        step INTEGER NOT NULL,
        {", ".join(f"{column} REAL" for column in RECORD_COLUMNS)},
        UNIQUE (run_id, kind, step)
    ) STRICT""",
    "CREATE INDEX records_run ON records(run_id)",  # with the row id: what is new in a run
    """CREATE TABLE workers (
        id TEXT PRIMARY KEY,
        pid INTEGER NOT NULL,
        device TEXT NOT NULL,
        threads INTEGER NOT NULL DEFAULT 0,
        started REAL NOT NULL,
        heartbeat REAL NOT NULL,
        state TEXT NOT NULL
    ) STRICT""",
    "CREATE TABLE servers (id TEXT PRIMARY KEY, heartbeat REAL NOT NULL) STRICT",
    "CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT",
    """CREATE TABLE downloads (
        dataset TEXT PRIMARY KEY,
        status TEXT NOT NULL,
        bytes_done INTEGER NOT NULL DEFAULT 0,
        bytes_total INTEGER NOT NULL DEFAULT 0,
        message TEXT,
        owner TEXT,
        updated REAL NOT NULL
    ) STRICT""",
    # One blob a column: float32, little-endian, one value a layer or a block.
    f"""CREATE TABLE profiles (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        run_id INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
        step INTEGER NOT NULL,
        {", ".join(f"{column} BLOB" for column in PROFILE_COLUMNS)},
        UNIQUE (run_id, step)
    ) STRICT""",
    "CREATE INDEX profiles_run ON profiles(run_id)",
    # Nets kept along the way; the newest checkpoint, from which a run goes on, is in its own row.
    """CREATE TABLE checkpoints (
        run_id INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
        step INTEGER NOT NULL,
        bytes INTEGER NOT NULL,
        PRIMARY KEY (run_id, step)
    ) STRICT, WITHOUT ROWID""",
)

# version -> what makes the next one of it; a column's default is what older rows then have.
# Each stays as it was written: what comes later has a step of its own.
MIGRATIONS = {
    1: (
        "ALTER TABLE runs ADD COLUMN probe_every INTEGER NOT NULL DEFAULT 10",
        "ALTER TABLE runs ADD COLUMN profile_bytes INTEGER NOT NULL DEFAULT 0",
        """CREATE TABLE profiles (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            run_id INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
            step INTEGER NOT NULL,
            gradient_norm BLOB, weight_norm BLOB, update_ratio BLOB,
            response_std BLOB, input_norm BLOB, branch_norm BLOB, sum_norm BLOB,
            UNIQUE (run_id, step)
        ) STRICT""",
        "CREATE INDEX profiles_run ON profiles(run_id)",
    ),
    2: (
        """CREATE TABLE checkpoints (
            run_id INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
            step INTEGER NOT NULL,
            bytes INTEGER NOT NULL,
            PRIMARY KEY (run_id, step)
        ) STRICT, WITHOUT ROWID""",
    ),
}
