"""The key: cleaned of what copying adds, refused without an echo, bound to the origin it was stored for."""

from __future__ import annotations

import json
import os
import re
import shlex
from pathlib import Path
from typing import NoReturn

from orvideo.errnos import reason
from orvideo.errors import AuthError, OutputUnwritable
from orvideo.settings.definitions import Source
from orvideo.settings.private import is_loose, is_open, locked, read_private, remove_private, write_private

FILE_NAME = "api-key.json"
_SET_IT = "orvideo config set api-key"
_LONGEST = 1024
#: What editors, chat programs and shells put around a key: blanks, quotes of all kinds, a byte order mark.
_WRAPPING = " \t\r\n\f\v\u00a0\u200b\ufeff\"'`\u201c\u201d\u2018\u2019"
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=[^=]")
_PLACEHOLDER = re.compile(r"(?i)your.{0,20}key|api.?key.?here|^changeme$|x{8}")
_BEARER = re.compile(r"bearer[ \t]+", re.IGNORECASE)


class ApiKey:
    """A key that shows itself only to who asks: its `repr` and `str` have at most the last four characters."""

    __slots__ = ("_value", "note", "source", "where")

    def __init__(self, value: str, source: Source, where: str) -> None:
        self._value = value
        self.source = source
        self.where = where
        #: What a person should know about it, None mostly.
        self.note = (
            None if value.startswith("sk-or-") else "the key does not begin with sk-or-, as OpenRouter's keys do"
        )

    def reveal(self) -> str:
        """Return the key itself, for the Authorization header and for nothing else."""
        return self._value

    @property
    def last4(self) -> str:
        """The last four characters; nothing of a key so short that four would tell much."""
        return self._value[-4:] if len(self._value) >= 16 else ""

    @property
    def masked(self) -> str:
        """The key as a person may see it (drill K11)."""
        return f"…{self.last4}"

    def __repr__(self) -> str:
        return f"ApiKey({self.masked})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is not pickled")


def clean_key(text: str, where: str) -> str:
    """Return the key in `text` without what copying put around it (drill K02).

    `where` begins the complaint. Raises AuthError, which never shows what was given.
    """
    key = text.strip(_WRAPPING)
    while prefix := _BEARER.match(key):
        key = key[prefix.end() :].strip(_WRAPPING)
    if fault := _fault(key):
        raise AuthError(
            f"{where}: this cannot be a key: {fault}.", hint=f"export {where}=..." if where.isidentifier() else _SET_IT
        )
    return key


def _fault(key: str) -> str | None:
    if not key or key.casefold() == "bearer":
        return "it is empty"
    if len(key) > _LONGEST:
        return f"it is longer than {_LONGEST:,} characters"
    if "\n" in key or "\r" in key:
        return "there is a line break in it"
    if "\0" in key:
        return "there is a NUL in it"
    if any(letter.isspace() for letter in key):
        return "there is a space in it"
    if not key.isascii():
        return "there is a character in it that is not ASCII"
    if not key.isprintable():
        return "there is a control character in it"
    if set(key) & set("\"'`"):
        return "there is a quote in it"
    if "://" in key:
        return "it is a URL"
    if _ASSIGNMENT.match(key):
        return "it is NAME=value; only the value is the key"
    if set(key) & set("$<>{}\\*") or "..." in key or _PLACEHOLDER.search(key):
        return "it is a placeholder for one"
    if "/" in key and os.path.isabs(key):
        return "it is a path"
    return None


class KeyFile:
    """The stored key and the origin (`https://host[:port]`) it was stored for (drill N17)."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE_NAME

    def read(self, *, even_loose: bool = False) -> tuple[ApiKey, str] | None:
        """Return the key and its origin, None when none is stored.

        Raises AuthError for a file that makes no sense, and for one that others can read or change, as ssh does.
        """
        is_swappable = is_open(self.path.parent)
        if not even_loose and (is_swappable or is_loose(self.path)):
            mend = f"chmod 600 {shlex.quote(str(self.path))}"
            raise AuthError(
                f"Others on this machine can read or change the stored key, so it is not used: {self.path}.",
                hint=f"{mend}; chmod go-w {shlex.quote(str(self.path.parent))}" if is_swappable else mend,
            )
        try:
            content = read_private(self.path)
        except OSError as error:
            raise AuthError(f"The stored key cannot be read: {self.path}: {reason(error)}.") from error
        if content is None:
            return None
        try:
            stored = json.loads(content)
            key, origin = stored["key"], stored["origin"]
        except (ValueError, KeyError, TypeError, RecursionError):
            key = origin = None
        if not isinstance(key, str) or not isinstance(origin, str):
            raise AuthError(f"The file of the stored key makes no sense: {self.path}.", hint=_SET_IT)
        return ApiKey(clean_key(key, str(self.path)), Source.STORE, str(self.path)), origin

    def write(self, key: ApiKey, origin: str) -> None:
        """Store a key that is clean. Raises OutputUnwritable."""
        content = json.dumps({"key": key.reveal(), "origin": origin}, indent=1) + "\n"
        try:
            with locked(self.path.parent):
                write_private(self.path, content.encode("ascii"))
        except OSError as error:
            raise OutputUnwritable(f"The key cannot be stored: {self.path}: {reason(error)}.") from error

    def remove(self) -> bool:
        """Forget the key and say whether there was one. Raises OutputUnwritable."""
        if not self.path.parent.is_dir():
            return False
        try:
            with locked(self.path.parent):
                return remove_private(self.path)
        except OSError as error:
            raise OutputUnwritable(f"The key cannot be removed: {self.path}: {reason(error)}.") from error


def origin_of(base_url: str) -> str:
    """Return the origin of a URL as the key's file names it, `https://host[:port]`. Raises Unsafe for no such URL."""
    # Late, and from the wire's own module: the same rule decides where the key is stored for and where it is sent.
    from orvideo.api import urls

    return urls.origin_of(base_url).url
