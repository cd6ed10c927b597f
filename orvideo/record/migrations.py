"""The tables of the record, as the list of steps that leads to them.

A released step is never changed: a new need is a new step at the end. `PRAGMA user_version` counts the steps that a
file has been through, each of them one transaction, so that a kill leaves one version or the next.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

#: "orvd": tells the record from any other SQLite file.
APPLICATION_ID = 0x6F727664

Step = tuple[str, ...]

_FIRST: Step = (
    # Times are microseconds since 1970 in UTC, amounts are decimal text in USD, documents are JSON. A seq is never
    # used twice: a process may still hold that of a row which another one forgot.
    """
    CREATE TABLE jobs (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        handle TEXT NOT NULL,
        job_id TEXT,
        endpoint TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('prepared', 'sending', 'submitted', 'unknown', 'not_sent')),
        status TEXT,
        final INTEGER NOT NULL DEFAULT 0,
        fetched INTEGER NOT NULL DEFAULT 0,
        created_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL,
        sending_at INTEGER,
        submitted_at INTEGER,
        looked_at INTEGER,
        ended_at INTEGER,
        watched INTEGER NOT NULL DEFAULT 0,
        owner TEXT,
        model TEXT,
        prompt TEXT,
        resolution TEXT,
        duration INTEGER,
        audio INTEGER,
        mode TEXT,
        request TEXT NOT NULL,
        quote TEXT,
        quoted_most TEXT,
        cost TEXT,
        max_cost TEXT,
        error TEXT,
        generation_id TEXT,
        target TEXT,
        expected_outputs INTEGER,
        extra TEXT NOT NULL DEFAULT '{}',
        batch TEXT,
        row_key TEXT,
        row_number INTEGER,
        answer_status INTEGER,
        answer BLOB,
        CHECK (state <> 'submitted' OR job_id IS NOT NULL)
    )
    """,
    "CREATE UNIQUE INDEX jobs_by_handle ON jobs (handle)",
    "CREATE UNIQUE INDEX jobs_by_id ON jobs (job_id, endpoint) WHERE job_id IS NOT NULL",
    "CREATE INDEX jobs_by_time ON jobs (created_at)",
    "CREATE INDEX jobs_by_batch ON jobs (batch, row_key) WHERE batch IS NOT NULL",
    """
    CREATE INDEX jobs_by_shape ON jobs (model, mode, resolution, duration, audio, ended_at)
    WHERE status = 'completed'
    """,
    # The three lists that stay short while the record grows.
    "CREATE INDEX jobs_unfinished ON jobs (seq) WHERE state = 'submitted' AND final = 0",
    "CREATE INDEX jobs_unknown ON jobs (seq) WHERE state IN ('sending', 'unknown')",
    "CREATE INDEX jobs_not_fetched ON jobs (seq) WHERE status = 'completed' AND fetched = 0",
    """
    CREATE TABLE outputs (
        seq INTEGER NOT NULL REFERENCES jobs (seq) ON DELETE CASCADE,
        number INTEGER NOT NULL,
        path TEXT,
        bytes INTEGER,
        sha256 TEXT,
        saved_at INTEGER,
        PRIMARY KEY (seq, number)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE partial_downloads (
        seq INTEGER NOT NULL REFERENCES jobs (seq) ON DELETE CASCADE,
        number INTEGER NOT NULL,
        part TEXT NOT NULL,
        etag TEXT,
        source TEXT,
        total INTEGER,
        PRIMARY KEY (seq, number)
    ) WITHOUT ROWID
    """,
)

#: A `.part` that is whole has its sha256 here, and the name that it is meant for; `source` is used no more.
_WHOLE_PARTS: Step = (
    "ALTER TABLE partial_downloads ADD COLUMN sha256 TEXT",
    "ALTER TABLE partial_downloads ADD COLUMN path TEXT",
)

#: Whether the provider billed the user's own key (finding A11); and nothing is called exact any more (A05).
_TRUE_MONEY: Step = (
    "ALTER TABLE jobs ADD COLUMN is_byok INTEGER",
    """UPDATE jobs SET quote = replace(quote, '"kind":"exact"', '"kind":"listed"') WHERE quote LIKE '%"exact"%'""",
)

#: Which profile of the settings bought a job; null for none, as all jobs before this step were bought.
_PROFILES: Step = ("ALTER TABLE jobs ADD COLUMN profile TEXT",)

#: What a person thinks of a job's videos; and what a batch is called, null for one of before this step.
_MARKS: Step = (
    "ALTER TABLE jobs ADD COLUMN mark TEXT CHECK (mark IN ('keep', 'reject'))",
    "ALTER TABLE jobs ADD COLUMN note TEXT",
    "ALTER TABLE jobs ADD COLUMN batch_name TEXT",
)

#: Of which videos the pictures of a request were frames (`record.frames`), as JSON; null where none was.
_FRAMES: Step = ("ALTER TABLE jobs ADD COLUMN frames TEXT",)

STEPS: tuple[Step, ...] = (_FIRST, _WHOLE_PARTS, _TRUE_MONEY, _PROFILES, _MARKS, _FRAMES)


def version_of(connection: sqlite3.Connection) -> int:
    """Return how many steps a file has been through."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def migrate(connection: sqlite3.Connection, steps: Sequence[Step] = STEPS) -> None:
    """Bring a file that has been through some of the `steps` through the rest of them, one transaction each."""
    while version_of(connection) < len(steps):
        connection.execute("BEGIN IMMEDIATE")
        try:
            # Another process may have been quicker while this one waited for the lock.
            version = version_of(connection)
            if version < len(steps):
                for statement in steps[version]:
                    connection.execute(statement)
                # A pragma takes no parameters; the number is our own.
                connection.execute(f"PRAGMA user_version = {version + 1}")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
