"""Reads and edits config.toml, which holds the settings and no secret."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orvideo.errnos import own_folder_hint, reason
from orvideo.errors import OutputUnwritable, UsageError
from orvideo.settings.folders import CONFIG
from orvideo.settings.private import locked, read_private, write_private

if TYPE_CHECKING:
    from tomlkit import TOMLDocument

FILE_NAME = "config.toml"
_PLACE = r"\(at line (\d+), column \d+\)"


class Store:
    """A config.toml; entries that are no settings, comments and the order of lines are kept."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE_NAME
        self._text: str | None = None
        self._entries: dict[str, Any] | None = None

    @property
    def entries(self) -> Mapping[str, Any]:
        """The entries, read once; empty without a file. Raises UsageError naming file and line."""
        if self._entries is None:
            self._text = self._read()
            self._entries = self._parse(self._text)
        return self._entries

    def location_of(self, name: str) -> str:
        """Return the place of an entry as `FILE:LINE`, or `FILE` when its line is not found."""
        line = re.compile(rf"""\s*["']?{re.escape(name)}["']?\s*=""")
        for number, text in enumerate((self._text or "").split("\n"), start=1):
            if line.match(text):
                return f"{self.path}:{number}"
        return str(self.path)

    def set(self, name: str, value: bool | int | str) -> None:
        """Write one entry. Raises UsageError where the file cannot be read (it is kept as it is), OutputUnwritable."""

        def put(document: TOMLDocument) -> bool:
            document[name] = value
            return True

        self._change(put)

    def unset(self, name: str) -> bool:
        """Remove one entry and return whether there was one. Raises as `set` does."""

        def drop(document: TOMLDocument) -> bool:
            return document.pop(name, None) is not None

        return self._change(drop)

    def _change(self, change: Callable[[TOMLDocument], bool]) -> bool:
        import tomlkit

        try:
            with locked(self.path.parent):
                text = self._read()
                self._parse(text)  # its errors name the line, tomlkit's do not
                document = tomlkit.parse(text)
                changed = change(document)
                if changed:
                    new = tomlkit.dumps(document)
                    self._parse(new)
                    write_private(self.path, new.encode("utf-8"))
        except OSError as error:
            told = f"The settings cannot be written: {self.path}: {reason(error)}."
            raise OutputUnwritable(told, hint=own_folder_hint(error, self.path, CONFIG.variable)) from error
        self._text = self._entries = None
        return changed

    def _read(self) -> str:
        try:
            content = read_private(self.path)
        except OSError as error:
            raise UsageError(f"The settings cannot be read: {self.path}: {reason(error)}.") from error
        try:
            return (content or b"").decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = error.object.count(b"\n", 0, error.start) + 1
            raise self._invalid(line, "it is not UTF-8 text") from error

    def _parse(self, text: str) -> dict[str, Any]:
        if not text:
            return {}  # saves the import of tomllib
        import tomllib
        from decimal import Decimal

        try:
            return tomllib.loads(text, parse_float=Decimal)
        except tomllib.TOMLDecodeError as error:
            place = re.search(_PLACE, str(error))
            line = int(place[1]) if place else text.count("\n") + 1
            raise self._invalid(line, re.sub(_PLACE, "", str(error)).strip().rstrip(".")) from error
        except (ValueError, ArithmeticError, RecursionError) as error:
            # Numbers of thousands of digits, or brackets thousands deep; these errors name no line.
            raise self._invalid(None, "it holds a value that is too large") from error

    def _invalid(self, line: int | None, why: str) -> UsageError:
        from orvideo import shells

        aside = shells.move(str(self.path), f"{self.path}.broken")
        where = f"{self.path}:{line}" if line else str(self.path)
        return UsageError(f"{where}: this is not TOML: {why}.", hint=f"mend it, or move the file aside: {aside}")
