"""The gallery's page, alive: a server on loopback for one person's browser, in threads of its own.

Whoever does not know the token in the address sees nothing. All that a page can change is marks.
"""

from __future__ import annotations

import contextlib
import logging
import secrets
import threading
from types import TracebackType
from typing import Any, Self

from waitress import wasyncore
from waitress.server import create_server

from orvideo.clock import MAX_WAIT
from orvideo.gallery.routes import Shown, application

_HOST = "127.0.0.1"
_CONNECTIONS, _THREADS = 512, 8
#: What is larger, in bytes, is not even read; the routes answer what is too large for them.
_LARGEST_REQUEST = 1024 * 1024
#: How long the server's end waits for what is being answered, in seconds.
_GRACE = 5


class GalleryServer:
    """Serves what is `shown`; a context manager that serves while it is open. Port 0 takes a free one."""

    def __init__(self, shown: Shown, *, port: int = 0) -> None:
        #: What went wrong in the server itself; the browser saw a 500.
        self.crashes: list[BaseException] = []
        self._shown, self._port = shown, port
        self._tickets: set[str] = set()
        self._server: Any = None
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()

    @property
    def origin(self) -> str:
        return f"http://{_HOST}:{self._port}"

    @property
    def address(self) -> str:
        """The address of the page, token and all."""
        return f"{self.origin}/{self._shown.token}/"

    def address_for_one_visit(self) -> str:
        """Return an address that leads to the page once: what a program is started with, others on the machine see."""
        ticket = secrets.token_urlsafe(24)
        self._tickets.add(ticket)
        return f"{self.origin}/{ticket}/"

    def start(self) -> None:
        """Serve in the background. Raises OSError when the port is taken."""
        # Without a handler of its own, its warnings would go to stderr.
        logging.getLogger("waitress").addHandler(logging.NullHandler())
        self._server = create_server(
            self._answer,
            host=_HOST,
            port=self._port,
            ipv6=False,
            ident="orvideo",
            threads=_THREADS,
            connection_limit=_CONNECTIONS,
            asyncore_use_poll=True,
            log_socket_errors=False,
            max_request_body_size=_LARGEST_REQUEST,
            clear_untrusted_proxy_headers=False,
        )
        self._port = int(self._server.effective_port)
        self._application = application(self._shown, self._port, self._tickets, self.crashes)
        self._thread = threading.Thread(target=self._serve, name="orvideo-gallery", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop serving, close every connection and end every thread; does nothing the second time."""
        self._stopping.set()
        if self._thread is not None:
            with contextlib.suppress(OSError):
                self._server.pull_trigger()
            self._thread.join()
            self._thread = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _answer(self, environ: Any, start_response: Any) -> Any:
        return self._application(environ, start_response)

    def _serve(self) -> None:
        server = self._server
        while not self._stopping.is_set():
            wasyncore.loop(timeout=MAX_WAIT, map=server._map, use_poll=True, count=1)
        # First the sockets, then the threads that answer; the trigger last, since a thread pulls it as it ends.
        wasyncore.dispatcher.close(server)
        for channel in list(server.active_channels.values()):
            channel.handle_close()
        server.task_dispatcher.shutdown(timeout=_GRACE)
        server.trigger.close()
