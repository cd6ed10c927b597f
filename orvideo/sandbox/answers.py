"""How the sandbox writes its answers: JSON, refusals, pages, and a connection that is lost."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import falcon
from waitress.channel import ClientDisconnected

from orvideo.sandbox.faults import Faults
from orvideo.sandbox.refusals import Cancelled, Page, Refusal
from orvideo.sandbox.stage import Stage


def answer(resp: falcon.Response, body: object, status: int = 200) -> None:
    """Answer with a JSON document, in chunks and without a length, as the service does (api notes)."""
    resp.status = status
    resp.content_type = "application/json"
    resp.stream = iter((encode(body),))


def encode(body: object) -> bytes:
    """Return JSON as it is sent: ASCII only, since a prompt may hold half a surrogate, which no UTF-8 takes."""
    return json.dumps(body).encode("ascii")


def cut(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the chunks and then lose the connection, with no end to the body and, before any chunk, no head."""
    yield from chunks
    raise ClientDisconnected


def add_error_handlers(app: falcon.App[falcon.Request, falcon.Response], stage: Stage) -> None:
    """Have whatever a route raises answered."""
    app.add_error_handler(Exception, _on_crash(stage))
    app.add_error_handler(falcon.HTTPError, _on_http_error(stage))
    app.add_error_handler(Refusal, _on_refusal(stage))
    app.add_error_handler(Page, _on_page)
    app.add_error_handler(Cancelled, _on_cancelled)


def _on_refusal(stage: Stage) -> Callable[..., None]:
    def handle(_req: falcon.Request, resp: falcon.Response, refusal: Refusal, _params: dict[str, Any]) -> None:
        _refuse(stage.faults, resp, refusal)

    return handle


def _on_http_error(stage: Stage) -> Callable[..., None]:
    def handle(_req: falcon.Request, resp: falcon.Response, error: falcon.HTTPError, _params: dict[str, Any]) -> None:
        status = falcon.http_status_to_code(error.status)
        messages = {404: "Not Found", 405: "Method Not Allowed"}
        message = messages.get(status) or error.description or error.title or "Bad Request"
        _refuse(stage.faults, resp, Refusal(status, message, headers=dict(error.headers or {})))

    return handle


def _refuse(faults: Faults, resp: falcon.Response, refusal: Refusal) -> None:
    """Answer with a refusal in the shape of the day."""
    if "detail" in faults:
        form = faults.word("detail")
        answer(resp, refusal.detail_body(form), refusal.status)
        if form == "problem":
            resp.content_type = "application/problem+json"
    elif refusal.status == 400 and "zod-errors" in faults:
        answer(resp, refusal.zod_body(), refusal.status)
    else:
        answer(resp, refusal.body(), refusal.status)
    resp.set_headers(refusal.headers)


def _on_page(_req: falcon.Request, resp: falcon.Response, page: Page, _params: dict[str, Any]) -> None:
    resp.status, resp.content_type, resp.data = page.status, page.content_type, page.body
    resp.set_headers(page.headers)


def _on_cancelled(_req: falcon.Request, resp: falcon.Response, _error: Cancelled, _params: dict[str, Any]) -> None:
    resp.stream = cut(iter(()))


def _on_crash(stage: Stage) -> Callable[..., None]:
    def handle(_req: falcon.Request, resp: falcon.Response, error: Exception, _params: dict[str, Any]) -> None:
        stage.crashes.append(error)
        answer(resp, Refusal(500, "Internal Server Error").body(), 500)

    return handle
