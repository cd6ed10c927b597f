"""The gallery's page, alive: a server on loopback for one person's browser, in threads of its own.

Whoever does not know the token in the address sees nothing. All that a page can change is marks.
"""

from __future__ import annotations

import secrets
from types import TracebackType
from typing import Any, Self

from orvideo.gallery.routes import Shown, application
from orvideo.wsgi import WsgiServer

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
        self._server: WsgiServer | None = None

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
        self._server = WsgiServer(
            self._answer,
            (_HOST, self._port),
            name="orvideo-gallery",
            grace=_GRACE,
            threads=_THREADS,
            connection_limit=_CONNECTIONS,
            max_request_body_size=_LARGEST_REQUEST,
        )
        self._port = self._server.port
        self._application = application(self._shown, self._port, self._tickets, self.crashes)
        self._server.start()

    def stop(self) -> None:
        """Stop serving, close every connection and end every thread; does nothing the second time."""
        if self._server is not None:
            self._server.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _answer(self, environ: Any, start_response: Any) -> Any:
        return self._application(environ, start_response)
