"""`orvideo whoami`: which key is used, from where, and what the service says of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import typer

from orvideo.commands._action import Action
from orvideo.commands._key import left_text, problem_of
from orvideo.commands._new_key import key_document
from orvideo.commands._options import Asking
from orvideo.errors import NotFound, OrvideoError

if TYPE_CHECKING:
    from orvideo.api.schemas import KeyInfo
    from orvideo.context import Context
    from orvideo.settings.keys import ApiKey


def register(app: typer.Typer) -> None:
    @app.command(epilog="Example: orvideo whoami")
    def whoami(*, answering: Asking) -> Action:
        """Say which key is used, and what is left of it. Also from where, and until when."""
        return Action(run, answering)


def run(context: Context) -> None:
    """Tell what is known here, and what the service says; its refusal is told after that, and ends the command."""
    service = context.service()
    key, info, trouble = service.key, None, None
    try:
        info = service.client.key()
    except NotFound:
        context.terminal.warn("the service does not tell of keys")
    except OrvideoError as error:
        trouble = error
    context.terminal.document(key_document(key, service.endpoint, info))
    context.terminal.page(_lines(key, service.endpoint, info))
    if trouble is not None:
        raise trouble
    if info is not None and (problem := problem_of(info, context.clock.now(), service.client.key_hint)) is not None:
        context.terminal.warn(problem.message)


def _lines(key: ApiKey | None, endpoint: str, info: KeyInfo | None) -> Iterator[tuple[str, str]]:
    yield "key", f"{key.masked} from {key.location}" if key is not None else "the sandbox's own"
    yield "service", endpoint
    if info is None:
        return
    if info.label:
        yield "name", info.label
    yield "left", left_text(info)
    yield "until", _end_text(info)


def _end_text(info: KeyInfo) -> str:
    """Return when a key ends; what the service does not say is unknown."""
    from orvideo.api.values import moment

    if info.expires_at is None:
        return "it does not expire" if "expires_at" in info.model_fields_set else "unknown"
    ends = moment(info.expires_at)
    return f"{ends:%Y-%m-%d %H:%M} UTC" if ends is not None else "unknown"
