"""Making the sandbox misbehave on purpose, the same way every time: `NAME`, `NAME:ARG` or `NAME:ARG:ARG`.

Nothing here is left to chance: shares are spread evenly over the calls ("0.25" is every fourth), counts count from the
start of this sandbox, per job or per download where the description says so.
"""

from __future__ import annotations

import difflib
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Argument = Literal["share", "count", "seconds", "bytes", "rate", "word", "period", "form"]


@dataclass(frozen=True)
class Fault:
    """One way to misbehave: its arguments with their defaults, and a line that says what happens."""

    description: str
    arguments: tuple[tuple[str, Argument, str], ...] = ()

    def usage(self, name: str) -> str:
        """Return how it is written, such as `submit-429[:SECONDS[:COUNT]]`."""
        text = ""
        for label, _, _ in reversed(self.arguments):
            text = f"[:{label}{text}]"
        return name + text


_AGAIN: tuple[tuple[str, Argument, str], ...] = (("SECONDS", "seconds", "2"), ("COUNT", "count", "1"))


def _share(default: str) -> tuple[tuple[str, Argument, str], ...]:
    return (("SHARE", "share", default),)


#: Every fault by name. A share of 1 is every call; a count of 0 is no end.
FAULTS: dict[str, Fault] = {
    "wrong-key": Fault("Every key is refused: 401 User not found."),
    "expired-key": Fault("The key has expired: 401, and GET /key names a time that is past."),
    "management-key": Fault("The key is a management key, as GET /key says: a submit is refused, 403."),
    "key-limit": Fault(
        "Nothing is left of the key's total limit (or daily, weekly, monthly): a submit is refused, 403.",
        (("PERIOD", "period", "total"),),
    ),
    "budget": Fault("Nothing is left of the workspace's budget, as GET /key says: a submit is refused, 403."),
    "submit-402": Fault("A submit is refused: 402 Insufficient credits.", _share("1")),
    "submit-402-budget": Fault("The first COUNT submits meet the in-flight budget: 402 with Retry-After.", _AGAIN),
    "submit-403": Fault("A submit is refused by moderation, with reasons: 403.", _share("1")),
    "submit-404": Fault("A submit finds no endpoint that matches the data policy: 404.", _share("1")),
    "submit-413": Fault("A submit is too large: 413.", _share("1")),
    "submit-429": Fault("The first COUNT submits are refused: 429 with Retry-After SECONDS.", _AGAIN),
    "submit-500": Fault("A submit ends in 500; no job is made, but nobody can know.", _share("1")),
    "submit-503": Fault("The first COUNT submits are refused: 503 with Retry-After SECONDS.", _AGAIN),
    "submit-html": Fault("A submit is answered with an HTML page, 502.", _share("1")),
    "lost-reply": Fault("A submit is accepted and billed, and the connection is cut before the reply.", _share("1")),
    "half-reply": Fault("A submit is accepted and billed, and its reply is cut in the middle.", _share("1")),
    "499": Fault(
        "A submit ends in 499 Client closed request; a job is made and billed, but nobody can know.", _share("1")
    ),
    "slow-submit": Fault("A submit is answered after SECONDS.", (("SECONDS", "seconds", "5"),)),
    "challenge-page": Fault(
        "A SHARE of the submits, and of the looks, meets a CDN's challenge page, 403.", _share("0.5")
    ),
    "detail": Fault(
        'Errors come as a gateway writes them: {"detail": ...} with a text or a list, or a problem (RFC 9457).',
        (("FORM", "form", "text"),),
    ),
    "envelope": Fault('Jobs come wrapped: {"success": true, "data": {...}}.'),
    "old-ids": Fault("Jobs have ids of the form from before October 2026, which previous_job_id takes then too."),
    "zod-errors": Fault("Errors 400 come in the other shape that was seen (ZodError)."),
    "poll-404": Fault("The first COUNT looks at each job find nothing: 404.", (("COUNT", "count", "2"),)),
    "poll-429": Fault("A SHARE of the looks is refused: 429 with Retry-After 1.", _share("0.5")),
    "poll-500": Fault("A SHARE of the looks ends in 500.", _share("0.5")),
    "poll-html": Fault("A SHARE of the looks is answered with an HTML page, 502.", _share("0.5")),
    "poll-lost": Fault("A SHARE of the looks is cut off without an answer.", _share("0.5")),
    "status-word": Fault("A job in progress has a status that nobody knows.", (("WORD", "word", "rendering"),)),
    "dead": Fault("A job that would complete ends with the status dead, and nothing is billed."),
    "byok": Fault("The provider bills the user's own key: is_byok is true and the cost 0."),
    "min-duration": Fault(
        "At least SECONDS are billed, which is above the list for a shorter film.", (("SECONDS", "seconds", "5"),)
    ),
    "relative-urls": Fault("URLs in a job are relative."),
    "no-urls": Fault("A completed job names no URLs at all."),
    "odd-place": Fault("A completed job's URLs are s3://... and gs://..., where no client gets anything."),
    "no-cost": Fault("A completed job's usage.cost is null."),
    "signed-urls": Fault(
        "A completed job also has signed urls that need no key and take Range; they end after SECONDS.",
        (("SECONDS", "seconds", "3600"),),
    ),
    "not-yet": Fault(
        "The first COUNT downloads of each video find nothing, right after completed: 404.", (("COUNT", "count", "2"),)
    ),
    "content-404": Fault("The video is not found: 404.", _share("1")),
    "content-gone": Fault("The video is gone: 410.", _share("1")),
    "content-500": Fault("A SHARE of the downloads ends in 502 Provider returned error.", _share("0.5")),
    "content-html": Fault("A download says video/mp4 and is an HTML page.", _share("1")),
    "content-empty": Fault("A download has no bytes.", _share("1")),
    "content-cut": Fault(
        "The first COUNT downloads of each video are cut off after BYTES.",
        (("BYTES", "bytes", "20000"), ("COUNT", "count", "1")),
    ),
    "content-slow": Fault("Downloads run at BYTES a second.", (("BYTES", "rate", "20000"),)),
    "callback-lost": Fault("A SHARE of the callbacks is not made.", _share("1")),
    "callback-twice": Fault("A SHARE of the callbacks is made twice, with one idempotency key.", _share("1")),
}


class Faults:
    """The faults that are switched on, and how often each has been met."""

    def __init__(self, specs: Sequence[str] = ()) -> None:
        """Read the specs. Raises ValueError naming what is wrong and, for an unknown name, the nearest one."""
        self._on = dict(_read(spec) for spec in specs)
        self._seen: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()

    def __contains__(self, name: str) -> bool:
        return name in self._on

    def argument(self, name: str, position: int = 0) -> float:
        """Return a numeric argument of a fault that is on."""
        return float(self._on[name][position])

    def word(self, name: str) -> str:
        """Return the argument of a fault that takes a word."""
        return self._on[name][0]

    def strikes(self, name: str, about: str = "") -> bool:
        """Count one meeting with a fault (for each `about` apart) and say whether it happens this time."""
        if name not in self._on:
            return False
        with self._lock:
            self._seen[name, about] += 1
            times = self._seen[name, about]
        for value, (_, kind, _) in zip(self._on[name], FAULTS[name].arguments, strict=True):
            if kind == "count":
                return times <= int(value) or int(value) == 0
            if kind == "share":
                share = float(value)
                return int(times * share + 1e-9) > int((times - 1) * share + 1e-9)
        return True


def _read(spec: str) -> tuple[str, tuple[str, ...]]:
    name, *given = spec.strip().split(":")
    fault = FAULTS.get(name)
    if fault is None:
        near = difflib.get_close_matches(name, FAULTS, n=1, cutoff=0.0)
        raise ValueError(f"there is no fault {name!r}; the nearest is {near[0]!r}")
    if len(given) > len(fault.arguments):
        raise ValueError(f"the fault {name} is written {fault.usage(name)}, not {spec!r}")
    values = []
    for number, (label, kind, default) in enumerate(fault.arguments):
        value = given[number] if number < len(given) and given[number] else default
        if not _fits(kind, value):
            raise ValueError(f"{value!r} is no {label} for the fault {name}: {_WANTED[kind]}")
        values.append(value)
    return name, tuple(values)


_CHOICES: dict[Argument, tuple[str, ...]] = {
    "period": ("total", "daily", "weekly", "monthly"),
    "form": ("text", "list", "problem"),
}
_WANTED: dict[Argument, str] = {
    "share": "a share is a number from 0 to 1, such as 0.05",
    "count": "a count is a whole number; 0 is no end",
    "seconds": "seconds are a number from 0 to 86400",
    "bytes": "bytes are a whole number",
    "rate": "a rate is a whole number of bytes a second, 1 or more",
    "word": "a word is letters, digits and underscores",
    "period": "a period is total, daily, weekly or monthly",
    "form": "a form is text, list or problem",
}


def _fits(kind: Argument, value: str) -> bool:
    if kind in _CHOICES:
        return value in _CHOICES[kind]
    if kind == "word":
        return value.replace("_", "").isalnum()
    if kind in ("count", "bytes", "rate"):
        return value.isascii() and value.isdigit() and len(value) < 12 and (kind != "rate" or int(value) > 0)
    try:
        number = float(value)
    except ValueError:
        return False
    return 0 <= number <= (1 if kind == "share" else 86400)
