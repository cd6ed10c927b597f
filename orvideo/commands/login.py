"""`orvideo login`: a key for orvideo, through the browser, or from a person who has one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from orvideo.commands._action import Action
from orvideo.commands._key import KEYS_PAGE
from orvideo.commands._new_key import StoredKey, ask_for_key, key_document, store_key
from orvideo.commands._options import Asking, option
from orvideo.errnos import reason
from orvideo.errors import AuthError, BadReply, OrvideoError, OutputUnwritable, ServerFault, UsageError
from orvideo.interrupts import Interrupted

if TYPE_CHECKING:
    from orvideo.context import Context
    from orvideo.sign_in.attempt import Attempt
    from orvideo.sign_in.listener import Callback, Listener

_AGAIN = "orvideo login"
#: What is lost sight of when a key may have been made at the service and is not here.
_REVOKE = f"A key that was made for it can be revoked at {KEYS_PAGE}."


class Wishes(NamedTuple):
    """How a person wants to sign in."""

    with_key: Annotated[
        bool, option("Signing in", "Take a key that you have: typed without echo, or from stdin.", "--with-key")
    ] = False
    no_browser: Annotated[
        bool, option("Signing in", "Open no browser: show the address, and ask for the code.", "--no-browser")
    ] = False
    label: Annotated[
        str | None, option("Signing in", "The key's name. Default: orvideo on HOST.", "--label", metavar="NAME")
    ] = None
    timeout: Annotated[
        str, option("Signing in", "How long to wait for the browser (90s, 10m).", "--timeout", metavar="TIME")
    ] = "5m"


def register(app: typer.Typer) -> None:
    @app.command(epilog="Example: orvideo login")
    def login(*, wishes: Wishes, answering: Asking) -> Action:
        """Sign in through the browser. orvideo gets a key of its own, tried and stored."""
        return Action(lambda context: run(context, wishes), answering)


def run(context: Context, wishes: Wishes) -> None:
    """Get a key, and store it; it is never shown."""
    context.settings.may_make_profile()
    if context.answering.sandbox:
        raise UsageError("The sandbox needs no key: it has one of its own.", hint="orvideo doctor --sandbox")
    stored = ask_for_key(context) if wishes.with_key else _sign_in(context, wishes)
    context.terminal.document(key_document(stored.key, context.settings.base_url, stored.info))
    if context.settings.sandbox:
        where = context.settings.get("sandbox").location
        context.terminal.warn(f"sandbox is on ({where}): until it is off, no command uses the key")


def _sign_in(context: Context, wishes: Wishes) -> StoredKey:
    """Let a person allow a key in a browser, here or anywhere."""
    from platform import node

    from orvideo.deadline import Deadline
    from orvideo.settings.values import parse_positive_duration
    from orvideo.sign_in.attempt import LONGEST_LABEL, Attempt

    seconds = parse_positive_duration(wishes.timeout)
    # What would keep the key from being stored is told before anybody makes one.
    _ = context.settings.config_dir
    label = (wishes.label or f"orvideo on {node() or 'this machine'}").strip()[:LONGEST_LABEL]
    attempt, base_url = Attempt.new(), context.settings.base_url
    listener = None if wishes.no_browser else _listen(context)
    if listener is None:
        return _by_hand(context, attempt, attempt.address(base_url, label))
    with listener:
        _open(context, attempt.address(base_url, label, listener.url))
        callback = listener.wait(Deadline.after(context.clock, seconds))
        if callback is None:
            raise AuthError(
                f"Nobody came back from the browser within {wishes.timeout}; nothing was stored.",
                hint=f"{_AGAIN}; where the browser is on another machine: {_AGAIN} --no-browser",
            )
        return _finish(context, attempt, callback, listener)


def _listen(context: Context) -> Listener | None:
    """Return what waits for the browser, None where there is none that could come back, and say why."""
    from orvideo.sign_in.browser import why_none
    from orvideo.sign_in.listener import Listener

    environment = context.environment
    if why := why_none(environment.environ, environment.platform):
        context.terminal.note(f"{why}, so the page will show a code to be typed in here")
        return None
    try:
        return Listener()
    except OSError as error:
        context.terminal.warn(f"nobody can listen on 127.0.0.1 here ({reason(error)}), so the page will show a code")
        return None


def _open(context: Context, address: str) -> None:
    """Open a page in the browser, and show its address too: a browser may not open."""
    from orvideo.sign_in.browser import open_address

    context.terminal.note("allow the key in your browser; if no page opens, open this one on this machine:")
    context.terminal.address(address)
    if not open_address(address, context.settings.environ_without_key()):
        context.terminal.warn("the browser could not be started")


def _finish(context: Context, attempt: Attempt, callback: Callback, listener: Listener) -> StoredKey:
    """Turn what the browser brought into a stored key, and tell the person in the browser how it ended."""
    from orvideo.sign_in import pages

    try:
        if callback.code is None:
            why = f"the answer was {callback.error}" if callback.error else "the browser came back without a code"
            raise AuthError(f"Signing in was not allowed: {why}. Nothing was stored.", hint=_AGAIN)
        stored = _exchange(context, attempt, callback.code)
    except OrvideoError as error:
        listener.answer(pages.failed(error.message))
        raise
    listener.answer(pages.done())
    return stored


def _by_hand(context: Context, attempt: Attempt, address: str) -> StoredKey:
    """Have a person open the page anywhere, and type the code that it shows."""
    from orvideo.sign_in.attempt import clean_code

    context.terminal.note("open this page in a browser, allow the key, and copy the code that it shows:")
    context.terminal.address(address)
    typed = context.terminal.line("Code: ")
    code = clean_code(typed)
    if code is None:
        told = "What was typed cannot be a code" if typed.strip() else "No code was given"
        raise AuthError(f"{told}; nothing was stored.", hint=_AGAIN)
    if code.startswith("sk-or-"):
        raise AuthError("This is a key and not a code; nothing was stored.", hint=f"{_AGAIN} --with-key")
    return _exchange(context, attempt, code)


def _exchange(context: Context, attempt: Attempt, code: str) -> StoredKey:
    """Turn a code into a key, try it and store it; a key that may be left behind at the service is told of."""
    try:
        with context.new_client(context.settings.base_url, None) as client:
            key = client.exchange_code(code, attempt.verifier)
        try:
            return store_key(context, key)
        except OrvideoError as error:
            error.message += f" The key that was made is not kept: revoke it at {KEYS_PAGE}."
            error.hint = f"make room, then: {_AGAIN}" if isinstance(error, OutputUnwritable) else _AGAIN
            raise
    except (ServerFault, BadReply) as error:
        error.message += f" Nothing was stored. {_REVOKE}"
        error.hint = error.hint or _AGAIN
        raise
    except Interrupted:
        context.terminal.warn(f"nothing was stored. {_REVOKE}")
        raise
