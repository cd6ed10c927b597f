"""The names of profiles: what may be one, and which one a command uses."""

from __future__ import annotations

import re
from collections.abc import Collection

from orvideo import shells
from orvideo.errors import AuthError, UsageError
from orvideo.settings.definitions import API_KEY, PROFILE_VARIABLE, nearest

#: A name is part of a file's name: plain on every system, and in small letters, because some tell no others apart.
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


def is_profile_name(text: str) -> bool:
    return _NAME.fullmatch(text.lower()) is not None


def profile_name(text: str, location: str) -> str:
    """Return a profile's name in small letters. Raises UsageError, whose message begins with `location`."""
    name = text.strip()
    if not is_profile_name(name):
        raise UsageError(
            f"{location}: '{name[:80]}' cannot be a profile's name: letters a to z, digits, - _ and . can be in one, "
            "and the first is a letter or a digit.",
            hint="orvideo config profiles",
        )
    return name.lower()


def no_profile(name: str, known: Collection[str], location: str) -> UsageError:
    """Return the error for a profile that nothing defines, with the nearest name that there is."""
    guess = nearest(name, tuple(known))
    told = f" Did you mean {guess}?" if guess else ""
    ways = ["orvideo config profiles", f"make it: {set_line(API_KEY, name)}"]
    if location == PROFILE_VARIABLE:
        ways.insert(1, f"use none: {shells.unset_variable(location)}")
    return UsageError(f"{location}: there is no profile '{name}'.{told}", hint="; or ".join(ways))


def lost_profile(name: str) -> AuthError:
    """Return the error for a job whose profile is not there any more."""
    return AuthError(
        f"The profile {name} bought this job, and there is no such profile any more.",
        hint=f"store its key again: {set_line(API_KEY, name)}",
    )


def set_line(setting: str, profile: str | None) -> str:
    """Return the command that stores a setting, or the key, for a profile."""
    return f"orvideo config set {profile_option(profile)}{setting}"


def unset_line(setting: str, profile: str | None) -> str:
    """Return the command that removes what is stored."""
    return f"orvideo config unset {profile_option(profile)}{shells.word(setting)}"


def profile_option(profile: str | None) -> str:
    """Return the option that selects a profile, with a blank after it; nothing for none."""
    return f"--profile {profile} " if profile is not None else ""
