"""A WSGI server in a thread of its own, which leaves no socket and no thread behind: waitress, for loopback."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from waitress import wasyncore
from waitress.server import create_server

from orvideo.clock import MAX_WAIT

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

    from waitress.channel import HTTPChannel


class WsgiServer:
    """Listens from the first moment, and answers from `start` on. Port 0 takes a free one.

    `grace` is how many seconds its end waits for what is being answered. `on_closing` is called before the connections
    are closed, in the server's thread. `options` are those of waitress. Raises OSError when the port is taken.
    """

    def __init__(
        self,
        application: WSGIApplication,
        address: tuple[str, int],
        *,
        name: str,
        grace: float,
        on_closing: Callable[[], object] = lambda: None,
        channel_class: type[HTTPChannel] | None = None,
        **options: Any,
    ) -> None:
        # Without a handler of its own, its warnings would go to stderr.
        logging.getLogger("waitress").addHandler(logging.NullHandler())
        host, port = address
        self._server: Any = create_server(
            application,
            host=host,
            port=port,
            ipv6=False,
            ident=name,
            asyncore_use_poll=True,
            log_socket_errors=False,
            clear_untrusted_proxy_headers=False,
            **options,
        )
        if channel_class is not None:
            self._server.channel_class = channel_class
        self.port = int(self._server.effective_port)
        self._grace, self._on_closing = grace, on_closing
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = threading.Thread(target=self._serve, name=name, daemon=True)

    def start(self) -> None:
        """Answer, in the background."""
        if self._thread is not None:
            self._thread.start()

    def stop(self) -> None:
        """Answer no more, close every connection and end every thread; does nothing the second time."""
        self._stopping.set()
        if self._thread is not None:
            with contextlib.suppress(OSError):
                self._server.pull_trigger()
            self._thread.join()
            self._thread = None

    def _serve(self) -> None:
        server = self._server
        while not self._stopping.is_set():
            wasyncore.loop(timeout=MAX_WAIT, map=server._map, use_poll=True, count=1)
        self._on_closing()
        # First the sockets, then the threads that answer; the trigger last, since a thread pulls it as it ends.
        wasyncore.dispatcher.close(server)
        for channel in list(server.active_channels.values()):
            channel.handle_close()
        server.task_dispatcher.shutdown(timeout=self._grace)
        server.trigger.close()
