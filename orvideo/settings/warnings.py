"""Finds probable mistakes in config.toml and in the environment, which stop no command (finding C05)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePath, PureWindowsPath
from typing import NamedTuple

from orvideo import shells
from orvideo.settings.definitions import (
    API_KEY,
    DEFINITIONS,
    JOB_VARIABLES,
    KEY_VARIABLE,
    NAMES,
    PAGER_VARIABLE,
    PROFILE_VARIABLE,
    SIGNING_VARIABLE,
    nearest,
)
from orvideo.settings.folders import CONFIG, FOLDERS
from orvideo.settings.profiles import is_profile_name, set_line, unset_line
from orvideo.settings.store import Store


class SettingsWarning(NamedTuple):
    """A probable mistake: a sentence, and the command that corrects it."""

    message: str
    hint: str


def shared_folder(folder: PurePath, environ: Mapping[str, str], platform: str) -> SettingsWarning | None:
    """Return a warning where others may read the key on Windows, which has no modes: outside of the own profile.

    Who may read a folder there is in its access list, which is inherited, and which nobody here reads.
    """
    profile = environ.get("USERPROFILE", "")
    if platform != "win32" or (profile and PureWindowsPath(folder).is_relative_to(PureWindowsPath(profile))):
        return None
    return SettingsWarning(
        f"{folder} is not in your profile: whoever may read that folder on this computer can read a key stored in it.",
        f"look who may: {shells.command_line(['icacls', str(folder)], platform=platform)}; in your profile nobody else "
        f"may: {shells.unset_variable(CONFIG.variable, platform=platform)}",
    )


def unknown_entries(store: Store) -> Iterator[SettingsWarning]:
    """Yield the entries of config.toml that are no settings. Raises UsageError where it cannot be read."""
    for profile in (None, *store.profiles):
        if profile is not None and not is_profile_name(profile):
            message = f"{store.path}: the profile '{profile[:80]}' has a name that none can have, and is not read."
            yield SettingsWarning(message, "orvideo config path")
            continue
        for name in store.entries_of(profile):
            if (warning := _of_entry(store, name, profile)) is not None:
                yield warning


def _of_entry(store: Store, name: str, profile: str | None) -> SettingsWarning | None:
    location, unset = store.location_of(name, profile), unset_line(name, profile)
    if name == API_KEY:
        line = set_line(API_KEY, profile)
        return SettingsWarning(f"{location}: the key does not belong here and is not read: {line}.", f"{unset}; {line}")
    if name in NAMES:
        return None
    guess = nearest(name, NAMES)
    told = f"{location}: there is no setting '{name}'." + (f" Did you mean {guess}?" if guess else "")
    return SettingsWarning(told, unset)


def misspelt_variables(environ: Mapping[str, str]) -> Iterator[SettingsWarning]:
    """Yield the variables that are nearly a setting's; others may belong to another program with the same prefix."""
    others = (
        KEY_VARIABLE,
        PROFILE_VARIABLE,
        SIGNING_VARIABLE,
        PAGER_VARIABLE,
        *(folder.variable for folder in FOLDERS),
    )
    known = (*others, *(v for d in DEFINITIONS for v in d.variables))
    for name in sorted(environ):
        has_prefix = name.startswith(("ORVIDEO_", "OPENROUTER_")) and not name.startswith(JOB_VARIABLES)
        if not has_prefix or name in known:
            continue
        guess = KEY_VARIABLE if name == "ORVIDEO_API_KEY" else nearest(name, known, cutoff=0.88)
        if guess:
            yield SettingsWarning(
                f"The variable {name} is not read. Did you mean {guess}?", shells.copy_variable(guess, name)
            )
