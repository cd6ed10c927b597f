"""A WSGI server in a thread of its own, which leaves no socket and no thread behind: waitress, for loopback."""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.server import TcpWSGIServer

from orvideo import system
from orvideo.clock import MAX_WAIT

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

    from waitress.channel import HTTPChannel
    from waitress.task import ThreadedTaskDispatcher


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
        dispatcher: ThreadedTaskDispatcher | None = None,
        **options: Any,
    ) -> None:
        # Without a handler of its own, its warnings would go to stderr.
        logging.getLogger("waitress").addHandler(logging.NullHandler())
        host, port = address
        adjustments = Adjustments(
            host=host,
            port=port,
            ipv6=False,
            ident=name,
            asyncore_use_poll=True,
            log_socket_errors=False,
            clear_untrusted_proxy_headers=False,
            **options,
        )
        # Waitress itself would bind with SO_REUSEADDR, by which Windows gives one port to several.
        door = _bound(address)
        self._server: Any = TcpWSGIServer(
            application, {}, _sock=door, dispatcher=dispatcher, adj=adjustments, bind_socket=False
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


def _bound(address: tuple[str, int]) -> socket.socket:
    """Return a socket at an IPv4 address that nobody else can have. Raises OSError."""
    door = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        system.claim_port(door)
        door.bind(address)
    except OSError:
        door.close()
        raise
    return door
