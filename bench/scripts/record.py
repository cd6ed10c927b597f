"""What the record costs at a given size. Usage: record.py FOLDER ROUNDS JOBS...; answers with JSON, times in seconds.

The records are open side by side and take turns, so that what disturbs the machine disturbs all of them. All but the
first rows are copied within SQLite; they have ids, prompts and times of their own, as in a record that has grown.
"""

import contextlib
import json
import os
import resource
import sqlite3
import statistics
import sys
import time
from pathlib import Path

from orvideo.record.ledger import Ledger
from orvideo.record.values import Submission

ENDPOINT = "https://openrouter.ai/api/v1"
REQUEST = {"model": "google/veo-3.1-lite", "prompt": "a paper boat drifts down a street", "duration": 4}


def grow(path, jobs):
    with Ledger(path) as ledger:
        for number in range(20):
            submit(ledger, f"seed{number:08d}")
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        columns = [row[1] for row in connection.execute("PRAGMA table_info(jobs)")]
        changed = {
            "handle": "printf('sub-%08x', n)",
            # Ids are as good as random: spread over the index, as real ones are.
            "job_id": "printf('%08x%08x', (n * 2654435761) % 4294967296, n)",
            "created_at": "created_at - n * 1000000",
            "status": "'completed'",
            "final": "1",
            "fetched": "1",
        }
        kept = [name for name in columns if name != "seq"]
        values = ", ".join(changed.get(name, name) for name in kept)
        # The oldest come first, and the few that were made by hand stay the newest.
        connection.execute("BEGIN")
        connection.execute("CREATE TEMP TABLE made AS SELECT * FROM jobs ORDER BY seq")
        connection.execute("DELETE FROM jobs")
        connection.execute(
            f"WITH RECURSIVE count(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM count WHERE n < {jobs - 20}) "
            f"INSERT INTO jobs ({', '.join(kept)}) SELECT {values} FROM count, (SELECT * FROM made LIMIT 1)"
        )
        connection.execute(f"INSERT INTO jobs ({', '.join(kept)}) SELECT {', '.join(kept)} FROM made")
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def submit(ledger, job_id):
    seq = ledger.prepare(Submission(request=REQUEST, endpoint=ENDPOINT))
    ledger.sending(seq)
    ledger.answered(seq, 202, b'{"id": "x"}')
    ledger.submitted(seq, job_id, status="pending", generation_id=None, extra={})


def some_id(jobs):
    number = max(1, (jobs - 20) // 2)
    return f"{number * 2654435761 % 4294967296:08x}{number:08x}"


def work(ledger, prefix, turn):
    return {
        "newest 20": lambda: ledger.list(limit=20),
        "id prefix": lambda: ledger.find(prefix),
        "@1": lambda: ledger.find("@1"),
        "unfinished": lambda: ledger.list(unfinished=True, limit=20),
        "a submit": lambda: submit(ledger, f"new{turn:08d}"),
    }


def main():
    folder, rounds, sizes = Path(sys.argv[1]), int(sys.argv[2]), [int(word) for word in sys.argv[3:]]
    ledgers = {}
    for jobs in sizes:
        grow(folder / f"{jobs}.db", jobs)
        ledgers[jobs] = Ledger(folder / f"{jobs}.db")
    times = {jobs: {"newest 20": [], "id prefix": [], "@1": [], "unfinished": [], "a submit": []} for jobs in sizes}
    for turn in range(rounds):
        for jobs, ledger in ledgers.items():
            for name, do in work(ledger, some_id(jobs)[:14], turn).items():
                began = time.perf_counter()
                do()
                times[jobs][name].append(time.perf_counter() - began)
    opened = {}
    for jobs, ledger in ledgers.items():
        ledger.close()
        began = time.perf_counter()
        Ledger(folder / f"{jobs}.db").close()
        opened[jobs] = time.perf_counter() - began
    medians = {
        jobs: {
            **{name: statistics.median(taken) for name, taken in found.items()},
            "open and close": opened[jobs],
            "bytes a job": os.path.getsize(folder / f"{jobs}.db") / jobs,
        }
        for jobs, found in times.items()
    }
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"medians": medians, "peak_kb": peak}))


main()
