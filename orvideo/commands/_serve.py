"""`orvideo gallery --serve`: the page alive on loopback, and the jobs on it followed to their ends."""

from __future__ import annotations

import signal
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, NamedTuple

from orvideo.commands._options import option
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
    """Whether the page is served, and where."""

    serve: Annotated[
        bool,
        option("Serving", "Serve the page alive, for this machine alone: jobs move, marks go on record.", "--serve"),
    ] = False
    port: Annotated[
        int | None,
        option("Serving", "The port on 127.0.0.1. Default: a free one.", "--port", metavar="N", min=0, max=65535),
    ] = None


def serve(
    context: Context, listed: Callable[[Ledger], Sequence[Record]], *, port: int | None, opens: bool | None
) -> None:
    """Serve the page of the jobs that `listed` finds until a signal ends it; Ctrl-C is how it is ended.

    The browser is opened where `opens` says so; None: where a person sits there.
    """
    with needing("gallery", COMMAND):
        from orvideo.gallery.live import LiveGallery
        from orvideo.gallery.server import GalleryServer
    from orvideo.record.ledger import Ledger

    path = context.ledger_to_read.path
    with Ledger(path, clock=context.clock, lock_timeout=_LOCK_TIMEOUT, must_write=False) as ledger:
        gallery = LiveGallery(ledger, listed)
        jobs, videos = gallery.count()
        server = GalleryServer(gallery, port=port or 0)
        try:
            _start(server, port)
            context.terminal.document({"path": None, "url": server.address, "jobs": jobs, "videos": videos})
            _tell(context, server, opens)
            _follow(context, gallery)
        except Interrupted as stopped:
            if stopped.signum != signal.SIGINT:
                raise
        finally:
            server.stop()
    if server.crashes:
        raise server.crashes[0]


def _start(server: GalleryServer, port: int | None) -> None:
    try:
        server.start()
    except OSError as error:
        which = f"Port {port}" if port else "A port"
        raise UsageError(f"{which} on 127.0.0.1 cannot be used: {reason(error)}.", hint=COMMAND) from error


def _tell(context: Context, server: GalleryServer, opens: bool | None) -> None:
    from orvideo.sign_in.browser import open_address, why_none

    terminal, environment = context.terminal, context.environment
    terminal.answer(server.address)
    terminal.note("The gallery is up, for this machine alone; whoever has the address sees it. Ctrl-C ends it.")
    if opens is None:
        opens = terminal.out_is_tty and why_none(environment.environ, environment.platform) is None
    if opens and not open_address(server.address_for_one_visit(), context.settings.environ_without_key()):
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
            self._tell(
                f"jobs such as {task.on_record.name} are shown as they were last seen: {task.error.message}", task.error
            )

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
