"""Kill a batch with SIGKILL again and again, run the same command again, and count what the service was asked for.

    python -m tests.drills.kill_batch --points 200 --rows 20
    python -m tests.drills.kill_batch --quick                    # a dozen kills
    python -m tests.drills.kill_batch --chain --points 100 --rows 6

Each run of the batch is killed after a time drawn from the span that a whole run takes, and the next one goes on,
until one is left alone and ends by itself. Then every row has exactly one accepted job, or one submit whose outcome is
on record as unknown; and every accepted job that has an id on record is a whole file on the disk. With --chain every
row but each third one begins where the one before it ends: it is bought after that one, and not where that is unknown.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from orvideo.record.values import State
from tests.batch.bench import SMALL, Bench, bench, rows
from tests.download.films import is_whole_mp4
from tests.processes import default_signals
from tests.shell import Shell

#: What a run can end with when nobody kills it: done, or done but for submits of unknown outcome.
GOOD = (0, 9)
#: So many rows are one chain.
LINKS = 3


@dataclass
class Tally:
    """What was seen: kills that hit a running process, batches, rows of unknown outcome, and what should not be."""

    kills: int = 0
    batches: int = 0
    unknown: int = 0
    during_submit: int = 0
    problems: list[str] = field(default_factory=list)


def kill_and_resume(
    folder: Path, count: int, times: list[float], tally: Tally, output: str = "clips/", *, chain: bool = False
) -> None:
    """Run one batch of `count` rows, kill it after each of `times` (seconds), then let it end, and judge."""
    shell = Shell(folder)
    with bench(shell, folder) as made:
        made.write(_chains(count) if chain else rows(count))
        line = ["batch", "rows.jsonl", *SMALL, "-o", output, "--jobs", "4", "-q", *(["--chain"] if chain else [])]
        (folder / "clips").mkdir()
        for after in times:
            if not _killed(shell, line, after):
                break
            tally.kills += 1
        done = shell.process(*line, timeout=120)
        if done.code not in GOOD:
            tally.problems.append(f"{folder.name}: ended with {done.code}: {done.err.strip()[-300:]}")
        _judge(made, folder, count, done.code, tally, chain=chain)
    tally.batches += 1


def _chains(count: int) -> str:
    made = [json.loads(line) for line in rows(count).splitlines()]
    return "".join(
        json.dumps(row if number % LINKS else {**row, "first_frame": "row:none"}) + "\n"
        for number, row in enumerate(made)
    )


def _before(user: str) -> str | None:
    """Return the row that a row of a chain waits for, None for the first one."""
    number = int(user.removeprefix("row-"))
    return f"row-{number - 1}" if (number - 1) % LINKS else None


def _killed(shell: Shell, line: list[str], after: float) -> bool:
    """Start the batch and kill it after so many seconds; False when it was done before."""
    process = shell.popen(*line, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        process.wait(timeout=after)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()
        return True
    return False


def _judge(made: Bench, folder: Path, count: int, code: int, tally: Tally, *, chain: bool) -> None:
    say = tally.problems.append
    users = [f"row-{number}" for number in range(1, count + 1)]
    accepted = Counter(made.users())
    records = made.records()
    unknown = {record.request["user"] for record in records if record.state is State.UNKNOWN}
    tally.unknown += len(unknown)
    tally.during_submit += sum(user in accepted for user in unknown)
    held: set[str] = set()
    for user in users:
        if chain and _before(user) in unknown | held:
            held.add(user)
        if accepted[user] > 1:
            say(f"{folder.name}: {user} was bought {accepted[user]} times")
        if not accepted[user] and user not in unknown | held:
            say(f"{folder.name}: {user} was never bought")
        if accepted[user] and user in held:
            say(f"{folder.name}: {user} was bought, and what it waits for is unknown")
    if (code == 9) != bool(unknown):
        say(f"{folder.name}: {len(unknown)} rows are unknown, and the batch ended with {code}")
    for record in records:
        if record.id is not None and not (record.is_fetched and record.outputs):
            say(f"{folder.name}: {record.name} was bought and is not here ({record.status_word})")
        for output in record.outputs:
            if not is_whole_mp4(Path(output.path or "").read_bytes()):
                say(f"{folder.name}: {output.path} is not a whole video")
    if chain:
        _judge_chains(made, folder, tally)
    clips = folder / "clips"
    films = list(clips.iterdir())
    wanted = count - len(unknown | held)
    if len(films) != wanted:
        odd = [
            f"{path.name} ({path.stat().st_size} bytes, {path.stat().st_nlink} names)" for path in clips.glob("*.part*")
        ]
        say(f"{folder.name}: {len(films)} files for {wanted} rows, {odd} among them")


def _judge_chains(made: Bench, folder: Path, tally: Tally) -> None:
    """Hold what each row was sent against the record: a frame of the very job that the row before it is."""
    names = {record.request["user"]: record.name for record in made.records()}
    for record in made.records():
        before = _before(record.request["user"])
        expected = [names[before]] if before is not None else []
        if [frame.job for frame in record.frames] != expected:
            tally.problems.append(f"{folder.name}: {record.name} begins with {record.frames}, not with {expected}")
    for body in made.received:
        if ("frame_images" in body) != (_before(body["user"]) is not None):
            tally.problems.append(f"{folder.name}: {body['user']} was sent without its picture, or with another's")


def sample(
    points: int, count: int, *, seed: int = 7, kills_each: int = 3, show: bool = False, chain: bool = False
) -> Tally:
    """Kill batches until `points` kills have hit; times are spread over a run's whole length."""
    chance = random.Random(seed)
    tally = Tally()
    with tempfile.TemporaryDirectory(prefix="orvideo-kill-") as root:
        whole = _time_a_run(Path(root) / "whole", count, chain=chain)
        number = 0
        while tally.kills < points:
            number += 1
            folder = Path(root) / f"batch-{number:03d}"
            folder.mkdir()
            wanted = min(kills_each, points - tally.kills)
            times = [chance.uniform(0.2, whole) for _ in range(wanted)]
            # Names of our own, which are nobody else's, and names that a person typed.
            output = ("clips/", "clips/{row}.mp4")[number % 2]
            kill_and_resume(folder, count, times, tally, output, chain=chain)
            if show:
                print(f"{tally.kills:4} kills, {tally.unknown} unknown, {len(tally.problems)} problems", flush=True)
    return tally


def _time_a_run(folder: Path, count: int, *, chain: bool) -> float:
    folder.mkdir()
    tally = Tally()
    began = time.monotonic()
    kill_and_resume(folder, count, [], tally, chain=chain)
    assert not tally.problems, tally.problems
    return time.monotonic() - began


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=200)
    parser.add_argument("--rows", type=int, default=20)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--quick", action="store_true", help="a dozen kills of batches of six rows")
    parser.add_argument("--chain", action="store_true", help="rows begin where the ones before them end")
    parser.add_argument("--kills-each", type=int, default=3, help="of one batch, before it is let alone")
    asked = parser.parse_args()
    default_signals()
    if asked.quick:
        asked.points, asked.rows = 12, 6
    tally = sample(asked.points, asked.rows, seed=asked.seed, kills_each=asked.kills_each, show=True, chain=asked.chain)
    print(
        f"{tally.kills} kills in {tally.batches} batches of {asked.rows} rows; {tally.unknown} of unknown outcome, "
        f"{tally.during_submit} of which the service had accepted; {len(tally.problems)} problems"
    )
    for problem in tally.problems:
        print(problem)
    return bool(tally.problems)


if __name__ == "__main__":
    sys.exit(main())
