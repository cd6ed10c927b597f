"""`orvideo gallery --serve`: the page alive on loopback, and the jobs on it followed to their ends."""

from __future__ import annotations

import signal
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from orvideo.errnos import reason
from orvideo.errors import OrvideoError, RecordError, UsageError
from orvideo.installers import needing
from orvideo.interrupts import Interrupted

if TYPE_CHECKING:
    from orvideo.context import Context
    from orvideo.download.save import Saved
    from orvideo.gallery.live import LiveGallery
    from orvideo.gallery.server import GalleryServer
    from orvideo.jobs.polling import PollResult
    from orvideo.jobs.task import Task
    from orvideo.record.ledger import Ledger
    from orvideo.record.values import Record

COMMAND = "orvideo gallery --serve"
#: How long the page waits for a record that another process has locked, in seconds; then it tries again.
_LOCK_TIMEOUT = 2.0
#: How often the record is looked at for jobs to follow, in seconds.
_NEWCOMERS_EVERY = 1.0


class Serving(NamedTuple):
    """How the page is served; `opens` says whether the browser is opened, None where a person sits there."""

    port: int
    opens: bool | None


def serve(context: Context, listed: Callable[[Ledger], Sequence[Record]], serving: Serving) -> None:
    """Serve the page of the jobs that `listed` finds until a signal ends it; Ctrl-C is how it is ended."""
    with needing("gallery", COMMAND):
        from orvideo.gallery.live import LiveGallery
        from orvideo.gallery.server import GalleryServer
    from orvideo.record.ledger import Ledger

    listed(context.ledger_to_read)  # a bad filter or an unknown job is told before anything is served
    path = context.ledger_to_read.path
    with Ledger(path, clock=context.clock, lock_timeout=_LOCK_TIMEOUT, must_write=False) as ledger:
        gallery = LiveGallery(ledger, listed)
        server = GalleryServer(gallery, port=serving.port)
        try:
            _start(server, serving.port)
            _tell(context, server, serving.opens)
            _follow(context, gallery)
        except Interrupted as stopped:
            if stopped.signum != signal.SIGINT:
                raise
        finally:
            server.stop()
        if server.crashes:
            raise server.crashes[0]


def _start(server: GalleryServer, port: int) -> None:
    try:
        server.start()
    except OSError as error:
        raise UsageError(f"Port {port} on 127.0.0.1 cannot be used: {reason(error)}.", hint=COMMAND) from error


def _tell(context: Context, server: GalleryServer, opens: bool | None) -> None:
    from orvideo.sign_in.browser import open_address, why_none

    terminal, environment = context.terminal, context.environment
    terminal.document({"url": server.address})
    terminal.answer(server.address)
    terminal.note("The gallery is up, for this machine alone. Ctrl-C ends it.")
    if opens is None:
        opens = terminal.out_is_tty and why_none(environment.environ, environment.platform) is None
    if opens and not open_address(server.address, context.settings.environ_without_key()):
        terminal.warn("the browser could not be started")


def _follow(context: Context, gallery: LiveGallery) -> None:
    """Look at the jobs that run, as `wait` does, until a signal comes; nothing is fetched."""
    from orvideo.deadline import Deadline
    from orvideo.jobs.engine import Engine
    from orvideo.jobs.task import Dependencies, RunOptions

    followed = _Followed(context, gallery)
    tools = Dependencies(
        context.ledger_to_read,
        context.journal,
        context.fetcher(None),
        context.connect,
        context.clock,
        newcomers=followed.newcomers,
    )
    engine = Engine([], tools, RunOptions(interval=context.settings.interval, fetch=False), followed)
    with context.interrupts.deferred(engine.interrupt):
        try:
            engine.run()
        finally:
            context.journal.flush(Deadline(context.clock), hurry=True)


class _Followed:
    """The jobs of the page that are followed; the page says how they are, and stderr only why one is not followed."""

    def __init__(self, context: Context, gallery: LiveGallery) -> None:
        self._context, self._gallery = context, gallery
        self._known: set[int] = set()
        self._told: set[str] = set()
        self._due = 0.0

    def newcomers(self) -> list[Task]:
        """Return the jobs that run and are not followed yet."""
        from orvideo.jobs.task import Task

        now = self._context.clock.monotonic()
        if now < self._due:
            return []
        self._due = now + _NEWCOMERS_EVERY
        try:
            found = [record for record in self._gallery.running() if record.seq not in self._known]
        except RecordError as error:
            self._tell(error.message)
            return []
        self._known.update(record.seq for record in found)
        return [Task(record) for record in found]

    def over(self, task: Task) -> None:
        """Say why a job that has not ended is not followed any more, each reason once."""
        if task.error is not None and not task.on_record.final:
            self._tell(f"{task.on_record.name} is shown as it was last seen: {task.error.message}", task.error)

    def _tell(self, text: str, error: OrvideoError | None = None) -> None:
        why = text if error is None else error.message
        if why in self._told:
            return
        self._told.add(why)
        self._context.terminal.warn(text)
        if error is not None and error.hint is not None:
            self._context.terminal.hint(error.hint)

    def remark(self, text: str) -> None:
        self._tell(text)

    def submitting(self, task: Task) -> None: ...

    def waiting(self, error: OrvideoError, seconds: float) -> None: ...

    def submitted(self, task: Task) -> None: ...

    def looked(self, task: Task, look: PollResult) -> None: ...

    def downloading(self, task: Task, index: int, done: int, total: int | None) -> None: ...

    def saved(self, task: Task, index: int, saved: Saved) -> None: ...

    def stopped(self, reason: str) -> None: ...

    def tick(self, in_flight: int) -> None: ...
