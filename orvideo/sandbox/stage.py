"""What every route of the sandbox is handed, and who is let in."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from typing import ClassVar

import falcon

from orvideo.sandbox.callbacks import Callbacks
from orvideo.sandbox.faults import Faults
from orvideo.sandbox.refusals import Refusal
from orvideo.sandbox.sign_in import SignIn
from orvideo.sandbox.studio import Studio

#: A key that the sandbox accepts, as it accepts any of the right form except `WRONG_KEY`.
KEY = "sk-or-v1-sandbox0000000000000000000000000000000000000000000000000000"
WRONG_KEY = "sk-or-v1-wrong000000000000000000000000000000000000000000000000000000"
PREFIX = "/api/v1"

_KEY_FORM = re.compile(r"(?i:bearer) +(sk-or-v1-[!-~]+)")


class Stage:
    """What every route is handed: the jobs, the faults, and a flag that ends slow answers when the server stops."""

    def __init__(self, studio: Studio, faults: Faults, callbacks: Callbacks) -> None:
        self.studio, self.faults, self.callbacks = studio, faults, callbacks
        self.sign_in = SignIn(studio.now)
        self.closing = threading.Event()
        #: What went wrong in the sandbox itself; a test looks here.
        self.crashes: list[BaseException] = []

    def check_key(self, req: falcon.Request) -> None:
        """Raise Refusal 401 where the service would."""
        given = req.auth
        if not given:
            raise Refusal(401, "No cookie auth credentials found")
        form = _KEY_FORM.fullmatch(given)
        if not form or form[1] == WRONG_KEY or "wrong-key" in self.faults:
            raise Refusal(401, "User not found.")
        if "expired-key" in self.faults and req.path != f"{PREFIX}/key":
            raise Refusal(401, "API key has expired")


class Route:
    """One path. Its methods are Falcon's `on_get` and so on."""

    #: Whether the service asks for a key here.
    needs_key: ClassVar[bool] = True
    on_get: ClassVar[Callable[..., None]]
    on_head: ClassVar[Callable[..., None]]

    def __init__(self, stage: Stage) -> None:
        self.stage, self.studio, self.faults = stage, stage.studio, stage.faults

    def __init_subclass__(cls) -> None:
        """Have HEAD answered as GET is: Falcon leaves the body out."""
        if hasattr(cls, "on_get") and not hasattr(cls, "on_head"):
            cls.on_head = cls.on_get

    def let_in(self, req: falcon.Request) -> None:
        """Check the key, before anything else is looked at."""
        if self.needs_key:
            self.stage.check_key(req)
