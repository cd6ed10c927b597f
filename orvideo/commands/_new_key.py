"""A new key: tried at the service, stored, and told of; whether it was typed or came of a sign-in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from orvideo.commands._key import KEYS_PAGE, left_text
from orvideo.errors import AuthError, OrvideoError
from orvideo.settings.definitions import API_KEY, Source
from orvideo.settings.profiles import set_line, unset_line

if TYPE_CHECKING:
    from orvideo.api.schemas import KeyInfo
    from orvideo.context import Context
    from orvideo.settings.keys import ApiKey


class StoredKey(NamedTuple):
    """A key that was stored, and what the service says of it; None where it could not be asked."""

    key: ApiKey
    info: KeyInfo | None


def ask_for_key(context: Context) -> StoredKey:
    """Store a key that a person types without echo, or that comes on stdin; never one from the line (drill K01)."""
    return store_key(context, context.terminal.secret("OpenRouter API key: "))


def store_key(context: Context, text: str) -> StoredKey:
    """Ask the service about a key, and store one that it does not refuse: a wrong one replaces no good one (C08)."""
    key = context.settings.new_api_key(text)
    if key.note:
        context.terminal.warn(key.note)
    info = _ask_about(context, key.reveal())
    before = context.settings.stored_key()
    stored = context.settings.store_api_key(key.reveal())
    if stored.note and stored.note != key.note:
        context.terminal.warn(stored.note)
    context.terminal.note(f"stored {stored.masked} in {stored.location}")
    if before is not None and before.reveal() != stored.reveal():
        context.terminal.note(f"it replaces {before.masked}, which the service takes until it is revoked: {KEYS_PAGE}")
    warn_if_beaten(context, API_KEY)
    return StoredKey(stored, info)


def _ask_about(context: Context, key: str) -> KeyInfo | None:
    """Ask the service about a key and tell a person what it said; None when it could not be asked."""
    base_url = context.settings.base_url
    with context.new_client(base_url, key) as client:
        try:
            info = client.key()
        except AuthError as refused:
            raise AuthError(
                f"The key was not stored: {refused.message}",
                hint=f"make one at https://openrouter.ai/keys, then: {set_line(API_KEY, context.settings.profile)}",
                reply=refused.reply,
            ) from refused
        except OrvideoError as away:
            context.terminal.warn(f"the key could not be checked now: {away.message}")
            return None
    context.terminal.note(f"{base_url} accepts the key, {left_text(info)}")
    return info


def warn_if_beaten(context: Context, name: str) -> None:
    """Warn where a variable is set, or for the key a command, that beats what is stored."""
    variable = context.settings.overriding_variable(name)
    if variable:
        context.terminal.warn(f"the variable {variable} is set and beats the stored {name}")
    elif name == API_KEY and context.settings.get(API_KEY).source is Source.COMMAND:
        unset = unset_line("api-key-command", context.settings.profile)
        context.terminal.warn(f"the api-key-command beats the stored key; to use the key: {unset}")


def key_document(key: ApiKey | None, base_url: str, info: KeyInfo | None) -> dict[str, Any]:
    """Return the documented object of a key; without one of its own it is the sandbox's."""
    from orvideo.api.values import moment

    told: dict[str, Any] = dict.fromkeys(("label", "limit_usd", "left_usd", "limit_reset", "expires_at"))
    if info is not None:
        told = {
            "label": info.label, "limit_usd": info.limit, "left_usd": info.left, "limit_reset": info.limit_reset,
            "expires_at": moment(info.expires_at),
        }  # fmt: skip
    return {
        "key": key.masked if key is not None else None,
        "source": key.source.value if key is not None else "sandbox",
        "where": key.location if key is not None else None,
        "base_url": base_url,
        "accepted": True if info is not None else None,
        **told,
    }
