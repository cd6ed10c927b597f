"""How the sandbox says no: the service's statuses, words and error shape (api notes, "Errors")."""

from __future__ import annotations

import json
from typing import Any


class Refusal(Exception):
    """An answer other than the one that was asked for. `metadata` and `headers` go out with it."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        metadata: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.message = status, message
        self.metadata = metadata
        self.headers = headers or {}

    def body(self) -> dict[str, Any]:
        """Return the documented error object."""
        error: dict[str, Any] = {"code": self.status, "message": self.message}
        if self.metadata:
            error["metadata"] = self.metadata
        return {"error": error}

    def zod_body(self) -> dict[str, Any]:
        """Return the other shape a 400 was seen in (api notes)."""
        message = json.dumps([{"code": "custom", "path": [], "message": self.message}])
        return {"success": False, "error": {"name": "ZodError", "message": message}}

    def detail_body(self, form: str) -> dict[str, Any]:
        """Return what a gateway would answer: a `text`, a `list`, or a `problem` (RFC 9457)."""
        if form == "list":
            return {"detail": [{"loc": ["body"], "msg": self.message, "type": "value_error"}]}
        if form == "problem":
            return {"type": "about:blank", "title": "Refused", "status": self.status, "detail": self.message}
        return {"detail": self.message}


class Page(Exception):
    """An answer that is the page of a proxy in front of the service, whatever it calls itself."""

    def __init__(
        self,
        status: int,
        content_type: str = "text/html; charset=UTF-8",
        *,
        title: str = "Bad Gateway",
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(f"a page with {status}")
        self.status, self.content_type = status, content_type
        self.headers = headers or {}
        self.body = _PAGE.format(title=title).encode()


_PAGE = (
    "<!DOCTYPE html><html><head><title>{title}</title></head>"
    "<body><h1>{title}</h1><p>Ray ID: 8f0sandbox0000</p></body></html>"
)


class Cancelled(Exception):
    """A film was given up half-way, because the sandbox stops."""
