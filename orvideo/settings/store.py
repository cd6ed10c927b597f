"""Reads and edits config.toml, which holds the settings and no secret."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, MutableMapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orvideo.errnos import own_folder_hint, reason
from orvideo.errors import OutputUnwritable, UsageError
from orvideo.settings.folders import CONFIG
from orvideo.settings.private import locked, read_private, write_private

if TYPE_CHECKING:
    from tomlkit import TOMLDocument

FILE_NAME = "config.toml"
#: The table that has one for each profile: `[profile.client-a]`.
PROFILES = "profile"
_HEADER = re.compile(r"\s*\[([^\[\]]+)\]")
_PLACE = r"\(at line (\d+), column \d+\)"


class Store:
    """A config.toml; entries that are no settings, comments and the order of lines are kept."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE_NAME
        self._text: str | None = None
        self._entries: dict[str, Any] | None = None

    @property
    def entries(self) -> Mapping[str, Any]:
        """The entries of no profile, read once; empty without a file. Raises UsageError naming file and line."""
        return {name: value for name, value in self._all.items() if name != PROFILES or not isinstance(value, dict)}

    @property
    def profiles(self) -> Mapping[str, Mapping[str, Any]]:
        """The entries of each profile, by its name in small letters. Raises as `entries` does."""
        tables = self._all.get(PROFILES)
        named = tables.items() if isinstance(tables, dict) else ()
        return {name.lower(): entries for name, entries in named if isinstance(entries, dict)}

    def entries_of(self, profile: str | None) -> Mapping[str, Any]:
        """Return the entries of a profile, none for one that is not there; of no profile for None."""
        return self.entries if profile is None else self.profiles.get(profile, {})

    @property
    def _all(self) -> dict[str, Any]:
        if self._entries is None:
            self._text = self._read()
            self._entries = self._parse(self._text)
        return self._entries

    def location_of(self, name: str, profile: str | None = None) -> str:
        """Return the place of an entry as `FILE:LINE`, or `FILE` when its line is not found."""
        line = re.compile(rf"""\s*["']?{re.escape(name)}["']?\s*=""")
        table = ""
        for number, text in enumerate((self._text or "").split("\n"), start=1):
            if header := _HEADER.match(text):
                table = re.sub(r"""["'\s]""", "", header[1]).lower()
            elif line.match(text) and (profile is None or table == f"{PROFILES}.{profile}"):
                return f"{self.path}:{number}"
        return str(self.path)

    def set(self, name: str, value: bool | int | str, profile: str | None = None) -> None:
        """Write one entry. Raises UsageError where the file cannot be read (it is kept as it is), OutputUnwritable."""

        def put(document: TOMLDocument) -> bool:
            self._table(document, profile)[name] = value
            return True

        self._change(put)

    def unset(self, name: str, profile: str | None = None) -> bool:
        """Remove one entry and return whether there was one. Raises as `set` does."""

        def drop(document: TOMLDocument) -> bool:
            if profile is not None and profile not in self.profiles:
                return False
            return self._table(document, profile).pop(name, None) is not None

        return self._change(drop)

    def make_profile(self, profile: str) -> None:
        """Write the table of a profile, where there is none. Raises as `set` does."""

        def make(document: TOMLDocument) -> bool:
            is_new = profile not in self.profiles
            self._table(document, profile)
            return is_new

        self._change(make)

    def _table(self, document: TOMLDocument, profile: str | None) -> MutableMapping[str, Any]:
        """Return the table of a profile, made where there is none; the document itself for none."""
        import tomlkit

        if profile is None:
            return document
        if PROFILES not in document:
            document[PROFILES] = tomlkit.table(is_super_table=True)
        profiles = document[PROFILES]
        if not isinstance(profiles, MutableMapping):
            raise UsageError(
                f"{self.location_of(PROFILES)}: {PROFILES} is no table, so there is no place for a profile.",
                hint=f"orvideo config unset {PROFILES}",
            )
        name = next((name for name in profiles if name.lower() == profile), profile)
        if name not in profiles:
            profiles[name] = tomlkit.table()
        table: MutableMapping[str, Any] = profiles[name]
        return table

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
