"""Reading the record: one job, lists of jobs, what was bought before, and what jobs cost."""

import json
import sqlite3
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Unpack

from orvideo.errors import UsageError
from orvideo.record import evidence, lookup
from orvideo.record.database import Database
from orvideo.record.redaction import redact_request
from orvideo.record.rows import json_text, load_records
from orvideo.record.values import Record, Shape, Spending, Typical

Records = list[Record]
Batches = list[lookup.Batch]


class RecordReader(Database):
    """The queries of the record. Each reads one consistent state, whatever other processes write meanwhile."""

    def get(self, seq: int) -> Record:
        """Return a job by its number in the record; UsageError when it was forgotten."""
        found = self.find_by_seq(seq)
        if found is None:
            raise UsageError("The job is not in the record any more: it was forgotten.", hint="orvideo jobs")
        return found

    def find_by_seq(self, seq: int, *, lock_timeout: float | None = None) -> Record | None:
        """Return a job by its number in the record, None when another process forgot it meanwhile (R-B5, F-B10)."""
        found = self._read(lambda connection: load_records(connection, [seq], self._context()), lock_timeout)
        return found[0] if found else None

    def find(self, ref: str) -> Record:
        """Return the job that `ref` stands for: an id, a unique prefix (four characters or more), `@N` or `@last`.

        The local handle does as well. Raises UsageError with up to five candidates, or when there is none.
        """
        return self._read(lambda connection: lookup.find(connection, ref, self._context()))

    def list(self, *, limit: int | None = None, **wanted: Unpack[lookup.Filter]) -> Records:
        """Return the jobs that pass a `lookup.Filter`, newest first, at most `limit`."""
        return self._read(lambda connection: lookup.select(connection, wanted, limit, self._context()))

    def positions(self, most: int = 1000) -> dict[str, int]:
        """Return the N of @N of the newest jobs, by handle."""
        return self._read(lambda connection: lookup.positions(connection, most))

    def rows_of_batch(self, batch: str) -> Records:
        """Return every job of a batch, oldest first: a row that was submitted again has several."""
        return self.list(batches=(batch,))[::-1]

    def batches(self) -> Batches:
        """Return the batches on record, the newest first."""
        return self._read(lookup.batches)

    def sent_lately(
        self, requests: Iterable[Mapping[str, Any]], endpoint: str, since: datetime, *, labelled: bool = False
    ) -> Records:
        """Return the jobs that asked for one of these videos, newest first: since a time, or with an unknown outcome.

        What the provider does not get, such as `user`, makes no difference unless `labelled` (finding A12).
        """
        sent = self._read(lambda connection: lookup.sent_lately(connection, endpoint, since, labelled=labelled))
        plains = (json.loads(json_text(redact_request(one))) for one in requests) if sent else ()
        request_keys = {lookup.request_key(plain, labelled=labelled) for plain in plains}
        seqs = [seq for seq, request_key in sent if request_key in request_keys]
        return self._read(lambda connection: load_records(connection, seqs, self._context())) if seqs else []

    def same_rows(self, keys: Collection[str], batch: str, endpoint: str) -> Records:
        """Return the jobs that other batches at an endpoint bought for rows with these keys, oldest first."""

        def work(connection: sqlite3.Connection) -> Records:
            return load_records(connection, lookup.same_rows(connection, keys, batch, endpoint), self._context())

        return self._read(work)

    def dearest(self, shape: Shape, endpoint: str) -> Decimal | None:
        """Return the highest bill, in USD, of jobs that cost no more than one of this shape does (finding A05)."""
        return self._read(lambda connection: evidence.dearest(connection, shape, endpoint))

    def typical(self, shape: Shape, endpoint: str) -> Typical:
        """Return what the 50 newest finished jobs of a shape (`values.shape_of`) cost and took at an endpoint."""
        return self._read(lambda connection: evidence.typical(connection, shape, endpoint))

    def spent(
        self, by: evidence.GroupBy, *, limit: int | None = None, **wanted: Unpack[lookup.Filter]
    ) -> tuple[Spending, ...]:
        """Return what the jobs that `list` would return cost: by model (dearest first), day or month (newest first)."""

        def work(connection: sqlite3.Connection) -> list[Spending]:
            context = self._context()
            rows = lookup.passing(connection, wanted, limit, context, evidence.SPENT_COLUMNS)
            return evidence.spent(rows, by, context)

        return tuple(self._read(work))

    def count(self) -> int:
        """Return how many jobs are on record."""
        return int(self._read(lambda connection: connection.execute("SELECT count(*) FROM jobs").fetchone()[0]))

    def check(self) -> tuple[str, ...]:
        """Read the whole file and return what is wrong with it; nothing when it is sound."""
        rows = self._read(lambda connection: connection.execute("PRAGMA quick_check").fetchall())
        return tuple(row[0] for row in rows if row[0] != "ok")
