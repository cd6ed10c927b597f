"""Callbacks: whoever submitted a job with a `callback_url` is told of its end (api notes, "Webhooks").

    callbacks/ID         one that is owed: made with the job, gone when it was delivered or given up
    callbacks/ID.taken   the same while a process delivers it, so that no two do

Only this machine is called, over http or https; another host is named in the sandbox's log, and left alone.
"""

from __future__ import annotations

import hashlib
import heapq
import hmac
import json
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from orvideo import system
from orvideo.sandbox.caller import Caller
from orvideo.sandbox.faults import Faults
from orvideo.sandbox.refusals import Refusal
from orvideo.sandbox.studio import Studio
from orvideo.sandbox.studio_job import StudioJob
from orvideo.sandbox.validation import is_on_this_machine

#: Makes a job's document, as a look at it would find it.
Describe = Callable[[StudioJob], dict[str, Any]]

TRIES = 3
#: Seconds between two tries.
PAUSE = 1.0
#: A job that ended longer ago, while no sandbox was up, is not told of any more.
LATEST = 86400
#: Seconds that `stop` leaves for what is being delivered.
_GRACE = 2.0
#: A callback that was taken so many seconds ago was taken by a process that is gone.
_ABANDONED = 300
#: The clock of the system may be set while the thread waits.
_LONGEST_WAIT = 3600.0


class Callbacks:
    """The callbacks that one home owes, delivered by a thread that sleeps until the next job ends."""

    def __init__(self, studio: Studio, faults: Faults, *, secret: str | None = None) -> None:
        self._studio, self._faults, self._note = studio, faults, studio.note
        self._secret = None if secret is None else secret.encode("utf-8", "surrogateescape")
        self._folder = studio.home / "callbacks"
        self._folder.mkdir(exist_ok=True, mode=0o700)
        self._caller = Caller()
        self._due: list[tuple[float, str]] = []
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._describe: Describe = lambda _: {}

    def start(self, describe: Describe) -> None:
        """Begin to deliver, first what an earlier process still owed."""
        self._describe = describe
        for path in list(self._folder.iterdir()):
            with suppress(OSError):
                self._resume(path)
        self._thread = threading.Thread(target=self._run, name="orvideo-sandbox-callbacks", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Deliver what is due now, for a moment, and end the thread; what is left is owed to the next sandbox."""
        with self._changed:
            self._stopping.set()
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(_GRACE)
            self._caller.close()
            self._thread.join()
            self._thread = None

    def expect(self, job: StudioJob) -> None:
        """Owe a callback for a new job, if it asked for one."""
        if "callback_url" not in job.request:
            return
        try:
            (self._folder / job.id).touch(mode=0o600)
        except OSError as error:
            self._note(f"{job.id}: its callback is lost, since nothing can be written: {error}")
            return
        self._add(job)

    def _add(self, job: StudioJob) -> None:
        with self._changed:
            heapq.heappush(self._due, (job.ends_at, job.id))
            self._changed.notify()

    def _run(self) -> None:
        while (job_id := self._next()) is not None:
            taken = self._take(job_id)
            if taken is None:
                continue
            if self._settle(job_id):
                taken.unlink(missing_ok=True)
            else:
                with suppress(OSError):
                    system.rename(taken, self._folder / job_id)

    def _next(self) -> str | None:
        """Wait for the next job's end and return its id, None when the sandbox stops and nothing more is due."""
        with self._changed:
            while not self._caller.closed:
                left = self._due[0][0] - self._studio.now() if self._due else _LONGEST_WAIT
                if left <= 0:
                    return heapq.heappop(self._due)[1]
                if self._stopping.is_set():
                    break
                self._changed.wait(min(left, _LONGEST_WAIT))
        return None

    # --- what is owed, on disk

    def _take(self, job_id: str) -> Path | None:
        """Return the file of a callback that is now this process's to deliver, None when it is another's, or done."""
        owed, taken = self._folder / job_id, self._folder / f"{job_id}.taken"
        try:
            os.utime(owed)
            system.rename(owed, taken)
        except OSError:
            return None
        return taken

    def _resume(self, path: Path) -> None:
        """Owe again what an earlier process left; what another one delivers now is its own."""
        owed = path.with_suffix("")
        if path.suffix == ".taken":
            if self._studio.now() - path.stat().st_mtime < _ABANDONED:
                return
            system.replace(path, owed)
        try:
            self._add(self._studio.job(owed.name))
        except Refusal:
            owed.unlink()  # the job is so old that it is gone

    # --- delivering

    def _settle(self, job_id: str) -> bool:
        """Deliver a job's callback; say whether it is done with, for good or bad."""
        try:
            job = self._studio.job(job_id)
        except Refusal:
            return True
        url = str(job.request["callback_url"])
        if self._studio.now() - job.ends_at > LATEST:
            self._note(f"{job.id}: it ended more than a day ago, and its callback is not made any more")
        elif not is_on_this_machine(url):
            host = urlsplit(url).hostname
            self._note(f"{job.id}: its callback is not made, since the sandbox calls nobody but this machine: {host}")
        elif self._faults.strikes("callback-lost"):
            self._note(f"{job.id}: its callback is lost (callback-lost)")
        else:
            times = 2 if self._faults.strikes("callback-twice") else 1
            return all(self._deliver(job, url) for _ in range(times))
        return True

    def _deliver(self, job: StudioJob, url: str) -> bool:
        """Try a few times, and say whether it is done with: not when the sandbox stops before."""
        body = json.dumps(self._event(job)).encode("ascii")
        for number in range(TRIES):
            status, said = self._caller.post(url, body, self._headers(job, body))
            self._note(f"POST {url.partition('?')[0]} {said}")
            if status is not None and 200 <= status < 300:
                return True
            if number < TRIES - 1 and self._stopping.wait(PAUSE):
                return False
        if not self._caller.closed:
            self._note(f"{job.id}: its callback is given up after {TRIES} tries")
        return not self._caller.closed

    def _event(self, job: StudioJob) -> dict[str, Any]:
        document = self._describe(job)
        data = {name: document.get(name) for name in ("id", "status", "generation_id")} | {"model": job.model}
        if job.status == "completed":
            data |= {name: document[name] for name in ("unsigned_urls", "usage") if name in document}
        if (error := document.get("error")) or job.status != "completed":
            data["error"] = error or f"Job was {job.status}"
        ended = datetime.fromtimestamp(job.ends_at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return {"type": f"video.generation.{job.status}", "created_at": ended, "data": data}

    def _headers(self, job: StudioJob, body: bytes) -> dict[str, str]:
        headers = {"Content-Type": "application/json", "X-OpenRouter-Idempotency-Key": f"{job.id}-{job.status}"}
        if self._secret is not None:
            headers["X-OpenRouter-Signature"] = signature(self._secret, int(self._studio.now()), body)
        return headers


def signature(secret: bytes, timestamp: int, body: bytes) -> str:
    """Return what the service signs a callback with."""
    signed = hmac.new(secret, f"{timestamp},".encode() + body, hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={signed}"
