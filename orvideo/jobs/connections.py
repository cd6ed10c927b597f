"""The clients of a run: one for each thread and endpoint."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orvideo.api.client import Client


class Connections:
    """Creates a client for each thread and endpoint, and closes them all at the end."""

    def __init__(self, connect: Callable[[str], Callable[[], Client]]) -> None:
        self._connect = connect
        self._makers: dict[str, Callable[[], Client]] = {}
        self._local = threading.local()
        self._all: list[Client] = []

    def prepare(self, endpoint: str) -> None:
        """Get the client factory of an endpoint, in the main thread; raises what `connect` raises."""
        if endpoint not in self._makers:
            self._makers[endpoint] = self._connect(endpoint)

    def client(self, endpoint: str) -> Client:
        clients: dict[str, Client] = self._local.__dict__.setdefault("clients", {})
        if endpoint not in clients:
            clients[endpoint] = self._makers[endpoint]()
            self._all.append(clients[endpoint])
        return clients[endpoint]

    def close(self) -> None:
        for client in self._all:
            client.close()
