"""The API key: cleaned and checked, never shown, and stored with the origin it is for."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from orvideo import shells
from orvideo.errnos import own_folder_hint, reason
from orvideo.errors import AuthError, OutputUnwritable
from orvideo.settings.definitions import API_KEY, Source
from orvideo.settings.folders import CONFIG
from orvideo.settings.private import (
    is_accessible_to_others,
    is_writable_by_others,
    locked,
    read_private,
    remove_private,
    write_private,
)
from orvideo.settings.profiles import is_profile_name, set_line

FILE_NAME = "api-key.json"
MAX_LENGTH = 1024
#: Characters that copying may add around a key: blanks, quotes and a byte order mark.
_WRAPPING = " \t\r\n\f\v\u00a0\u200b\ufeff\"'`\u201c\u201d\u2018\u2019"
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=[^=]")
_PLACEHOLDER = re.compile(r"(?i)your.{0,20}key|api.?key.?here|^changeme$|x{8}")
_BEARER = re.compile(r"bearer[ \t]+", re.IGNORECASE)


class ApiKey:
    """A key; `repr` and `str` show at most its last four characters."""

    __slots__ = ("_value", "location", "mend", "note", "source")

    def __init__(
        self, value: str, source: Source, location: str, *, note: str | None = None, mend: str | None = None
    ) -> None:
        self._value = value
        self.source = source
        self.location = location
        #: The command that puts another key in its place.
        self.mend = mend or set_line(API_KEY, None)
        #: A warning to show to a person, None mostly.
        self.note = note or (
            None if value.startswith("sk-or-") else "the key does not begin with sk-or-, as OpenRouter's keys do"
        )

    def reveal(self) -> str:
        """Return the key itself, for the Authorization header only."""
        return self._value

    @property
    def last4(self) -> str:
        """The last four characters; "" for a key of less than 16 characters."""
        return self._value[-4:] if len(self._value) >= 16 else ""

    @property
    def masked(self) -> str:
        """The key as it may be shown (drill K11)."""
        return f"…{self.last4}"

    def __repr__(self) -> str:
        return f"ApiKey({self.masked})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is not pickled")


def clean_key(text: str, location: str) -> str:
    """Return the key in `text` without quotes, blanks and `Bearer` before it (drill K02).

    Raises AuthError, whose message begins with `location` and never contains the text.
    """
    key = text.strip(_WRAPPING)
    while prefix := _BEARER.match(key):
        key = key[prefix.end() :].strip(_WRAPPING)
    if fault := next((why for is_faulty, why in _FAULTS if is_faulty(key)), None):
        raise AuthError(
            f"{location}: this cannot be a key: {fault}.",
            hint=shells.set_variable(location, "...") if location.isidentifier() else set_line(API_KEY, None),
        )
    return key


#: What cannot be a key, the first that applies: a test and the reason.
_FAULTS: tuple[tuple[Callable[[str], object], str], ...] = (
    (lambda key: not key or key.casefold() == "bearer", "it is empty"),
    (lambda key: len(key) > MAX_LENGTH, f"it is longer than {MAX_LENGTH:,} characters"),
    (lambda key: set(key) & set("\r\n"), "there is a line break in it"),
    (lambda key: "\0" in key, "there is a NUL in it"),
    (lambda key: any(map(str.isspace, key)), "there is a space in it"),
    (lambda key: not key.isascii(), "there is a character in it that is not ASCII"),
    (lambda key: not key.isprintable(), "there is a control character in it"),
    (lambda key: set(key) & set("\"'`"), "there is a quote in it"),
    (lambda key: "://" in key, "it is a URL"),
    (_ASSIGNMENT.match, "it is NAME=value; only the value is the key"),
    (lambda key: set(key) & set("$<>{}\\*") or "..." in key or _PLACEHOLDER.search(key), "it is a placeholder for one"),
    (lambda key: "/" in key and os.path.isabs(key), "it is a path"),
)


def stored_text(key: ApiKey, origin: str) -> str:
    """Return what is stored: the key, and the origin (`https://host[:port]`) that it is for (drill N17)."""
    return json.dumps({"key": key.reveal(), "origin": origin}, indent=1) + "\n"


def read_stored(content: str | bytes, source: Source, location: str, profile: str | None) -> tuple[ApiKey, str]:
    """Return a stored key and its origin. Raises AuthError, without the text, for what makes no sense."""
    mend = set_line(API_KEY, profile)
    try:
        stored = json.loads(content)
        key, origin = stored["key"], stored["origin"]
    except (ValueError, KeyError, TypeError, RecursionError):
        key = origin = None
    if not isinstance(key, str) or not isinstance(origin, str):
        what = (
            f"The file of the stored key makes no sense: {location}"
            if source is Source.STORE
            else (f"What {location} has as the key makes no sense")
        )
        raise AuthError(f"{what}.", hint=mend)
    return ApiKey(clean_key(key, location), source, location, mend=mend), origin


class KeyFile:
    """The file of a stored key; each profile has its own."""

    def __init__(self, folder: Path, profile: str | None = None) -> None:
        self.path = folder / (FILE_NAME if profile is None else f"api-key.{profile}.json")
        self.profile = profile

    @classmethod
    def all(cls, folder: Path) -> Iterator[KeyFile]:
        """Yield the files of no profile and of every profile that has one."""
        yield cls(folder)
        with suppress(OSError):
            for path in sorted(folder.glob("api-key.*.json")):
                name = path.name.removeprefix("api-key.").removesuffix(".json")
                if is_profile_name(name) and name == name.lower():
                    yield cls(folder, name)

    def read(self, *, check_permissions: bool = True) -> tuple[ApiKey, str] | None:
        """Return the key and its origin, None when none is stored.

        Raises AuthError for a malformed file, and for one that other users can read or change.
        """
        is_swappable = is_writable_by_others(self.path.parent)
        if check_permissions and (is_swappable or is_accessible_to_others(self.path)):
            mend = f"chmod 600 {shells.word(str(self.path))}"
            raise AuthError(
                f"Others on this machine can read or change the stored key, so it is not used: {self.path}.",
                hint=f"{mend}; chmod go-w {shells.word(str(self.path.parent))}" if is_swappable else mend,
            )
        try:
            content = read_private(self.path)
        except OSError as error:
            raise AuthError(f"The stored key cannot be read: {self.path}: {reason(error)}.") from error
        if content is None:
            return None
        return read_stored(content, Source.STORE, str(self.path), self.profile)

    def write(self, key: ApiKey, origin: str) -> None:
        """Store a key. Raises OutputUnwritable."""
        try:
            with locked(self.path.parent):
                write_private(self.path, stored_text(key, origin).encode("ascii"))
        except OSError as error:
            told = f"The key cannot be stored: {self.path}: {reason(error)}."
            raise OutputUnwritable(told, hint=own_folder_hint(error, self.path, CONFIG.variable)) from error

    def remove(self) -> bool:
        """Remove the key and return whether there was one. Raises OutputUnwritable."""
        if not self.path.parent.is_dir():
            return False
        try:
            with locked(self.path.parent):
                return remove_private(self.path)
        except OSError as error:
            raise OutputUnwritable(f"The key cannot be removed: {self.path}: {reason(error)}.") from error


def origin_of(base_url: str) -> str:
    """Return the origin of a URL, `https://host[:port]`. Raises Unsafe for any other URL."""
    # The same rule decides for which origin the key is stored and to which it is sent.
    from orvideo.api import urls

    return urls.origin_of(base_url).url
