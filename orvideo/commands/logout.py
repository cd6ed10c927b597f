"""`orvideo logout`: forgets the stored key."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from orvideo.commands._action import Action
from orvideo.commands._key import KEYS_PAGE
from orvideo.commands._options import Local
from orvideo.settings.definitions import API_KEY, Source
from orvideo.settings.profiles import unset_line

if TYPE_CHECKING:
    from orvideo.context import Context


def register(app: typer.Typer) -> None:
    @app.command(epilog="Example: orvideo logout")
    def logout(*, answering: Local) -> Action:
        """Forget the stored key, and say where it can be revoked."""
        return Action(run, answering)


def run(context: Context) -> None:
    """Remove the stored key; the service has it still, and a variable or a command may give another."""
    removed = context.settings.unset(API_KEY)
    context.terminal.document({"removed": removed, "revoke_at": KEYS_PAGE})
    if removed:
        context.terminal.note(
            f"the key is no longer stored here; the service takes it until it is revoked: {KEYS_PAGE}"
        )
    else:
        context.terminal.note("no key was stored")
    if variable := context.settings.overriding_variable(API_KEY):
        context.terminal.warn(f"the variable {variable} is set, and its key is used still")
    elif (still := context.settings.get(API_KEY)).source is Source.COMMAND:
        unset = unset_line("api-key-command", context.settings.profile)
        context.terminal.warn(f"{still.location} gives a key still; to use none: {unset}")
