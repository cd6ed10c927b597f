"""The sandbox as a server: Falcon's application on waitress, in a thread of its own, on loopback."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from orvideo.clock import MAX_WAIT, Clock
from orvideo.sandbox.callbacks import Callbacks
from orvideo.sandbox.dispatch import Dispatcher
from orvideo.sandbox.faults import FAULTS, Faults
from orvideo.sandbox.job_document import job_document
from orvideo.sandbox.offer import Offer
from orvideo.sandbox.providers import OnNote
from orvideo.sandbox.routes import application
from orvideo.sandbox.shelf import KEEP
from orvideo.sandbox.stage import KEY, PREFIX, WRONG_KEY, Stage
from orvideo.sandbox.studio import Studio
from orvideo.sandbox.studio_job import StudioJob
from orvideo.sandbox.wire import Channel
from orvideo.wsgi import WsgiServer

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

#: Said when a request is answered: method, path (with its query), status.
OnRequest = Callable[[str, str, int], None]

_CONNECTIONS = 4096
#: How long the end waits for the threads that answer, in seconds.
_GRACE = 30
#: Bytes of an answer that are held for a client before the thread that sends them waits.
_BEHIND = 256 * 1024
#: Seconds between two looks at what is on disk.
_TIDIES = 60

for _needed in ("av", "PIL"):
    # Neither is loaded before a film is made; that they are not there should be said before a job is taken.
    if find_spec(_needed) is None:
        raise ModuleNotFoundError(f"No module named {_needed!r}", name=_needed)


class Sandbox:
    """A stand-in for the service under one directory; a context manager that serves while it is open.

    `home` is created. Port 0 takes a free one. `speed` is how many seconds of the service's time pass in one of ours;
    a job keeps the speed it was submitted with. `faults` as in `faults.FAULTS` (ValueError for a bad one). `keep` is
    how many bytes are left on disk at most. `on_note` is told what no client sees, such as what was dropped from its
    request. `offer` has the models. Callbacks are signed with `webhook_secret`, without one not at all.
    """

    def __init__(  # noqa: PLR0913 - all but one are named, and each has its usual value
        self,
        home: Path,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        speed: float = 10.0,
        faults: Sequence[str] = (),
        keep: int = KEEP,
        clock: Clock | None = None,
        on_request: OnRequest | None = None,
        on_note: OnNote | None = None,
        offer: Offer | None = None,
        webhook_secret: str | None = None,
    ) -> None:
        self._address = (host, port)
        self._on_request = on_request
        self.studio = Studio(home, speed=speed, keep=keep, clock=clock, offer=offer, on_note=on_note)
        met = Faults(faults)
        self._callbacks = Callbacks(self.studio, met, secret=webhook_secret)
        self._stage = Stage(self.studio, met, self._callbacks)
        self._server: WsgiServer | None = None
        self._tidying: threading.Thread | None = None
        self._stopping = threading.Event()
        self._stopped = threading.Event()

    @property
    def base_url(self) -> str:
        """Where it is reached, such as `http://127.0.0.1:8787/api/v1`. Raises RuntimeError before `start`."""
        if self._server is None:
            raise RuntimeError("the sandbox has not been started")
        return f"http://{self._address[0]}:{self._address[1]}{PREFIX}"

    @property
    def crashes(self) -> list[BaseException]:
        """What went wrong in the sandbox itself (the client saw a 500)."""
        return self._stage.crashes

    @property
    def application(self) -> WSGIApplication:
        """The WSGI application, for a client that needs no socket."""
        return _told(application(self._stage), self._on_request)

    def received(self) -> list[dict[str, Any]]:
        """Return the bodies of all accepted submits of this home, oldest first, exactly as they were sent."""
        return [self.studio.received(job) for job in self.studio.jobs()]

    def start(self) -> None:
        """Serve in a background thread. Raises OSError when the port is taken."""
        if self._server is not None:
            raise RuntimeError("the sandbox is started once")
        self._server = WsgiServer(
            self.application,
            self._address,
            name="orvideo-sandbox",
            grace=_GRACE,
            on_closing=self.studio.close,  # the films, on which threads may be waiting
            channel_class=Channel,
            dispatcher=Dispatcher(),
            connection_limit=_CONNECTIONS,
            recv_bytes=65536,
            # What a slow client has not taken waits in the film's file, not in memory.
            outbuf_high_watermark=_BEHIND,
        )
        self._address = (self._address[0], self._server.port)
        self._server.start()
        self._tidying = threading.Thread(target=self._keep_tidy, name="orvideo-sandbox-tidy", daemon=True)
        self._tidying.start()
        self._callbacks.start(self._described)

    def stop(self) -> None:
        """Stop serving, close every socket and end every thread; does nothing the second time."""
        # First of all: who is called may look at the job, which is only answered while the server is up.
        self._callbacks.stop()
        self._stopping.set()
        self._stage.closing.set()
        if self._server is not None:
            self._server.stop()
        if self._tidying is not None:
            self._tidying.join()
        self.studio.close()
        self._stopped.set()

    def serve_forever(self) -> None:
        """Serve until `stop` is called from elsewhere, or an exception (Ctrl-C) arrives; starts it if need be."""
        try:
            if self._server is None:
                self.start()
            while not self._stopped.wait(MAX_WAIT):  # Windows lets no Ctrl-C into a wait without an end (W17)
                pass
        finally:
            self.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _described(self, job: StudioJob) -> dict[str, Any]:
        return job_document(self._stage, self.base_url.removesuffix(PREFIX), job, job.status)

    def _keep_tidy(self) -> None:
        while True:
            with contextlib.suppress(OSError):
                self.studio.tidy()
            if self._stopping.wait(_TIDIES):
                return


def _told(app: WSGIApplication, on_request: OnRequest | None) -> WSGIApplication:
    """Return the application with a word to `on_request` for each answer."""
    if on_request is None:
        return app
    tell = on_request

    def wrapped(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        query = f"?{environ['QUERY_STRING']}" if environ.get("QUERY_STRING") else ""

        def started(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            tell(environ["REQUEST_METHOD"], environ["PATH_INFO"] + query, int(status[:3]))
            return start_response(status, headers, *rest)

        return app(environ, started)

    return wrapped


__all__ = ["FAULTS", "KEEP", "KEY", "WRONG_KEY", "Offer", "OnRequest", "Sandbox"]
