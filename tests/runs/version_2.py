"""The tables as version 2 of the store made them, statement by statement."""

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
    """CREATE TABLE runs (
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
        probe_every INTEGER NOT NULL DEFAULT 10,
        profile_bytes INTEGER NOT NULL DEFAULT 0
    ) STRICT""",
    "CREATE INDEX runs_sweep ON runs(sweep_id)",
    "CREATE INDEX runs_status ON runs(status)",
    """CREATE TABLE records (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        run_id INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
        kind TEXT NOT NULL,
        step INTEGER NOT NULL,
        running_error REAL, running_loss REAL, lr REAL, train_error REAL, val_error REAL,
        test_error REAL, images_per_second REAL, seconds REAL,
        UNIQUE (run_id, kind, step)
    ) STRICT""",
    "CREATE INDEX records_run ON records(run_id)",
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
    """CREATE TABLE profiles (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        run_id INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
        step INTEGER NOT NULL,
        gradient_norm BLOB, weight_norm BLOB, update_ratio BLOB, response_std BLOB, input_norm
        BLOB, branch_norm BLOB, sum_norm BLOB,
        UNIQUE (run_id, step)
    ) STRICT""",
    "CREATE INDEX profiles_run ON profiles(run_id)",
)
