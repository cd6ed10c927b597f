"""What a terminal can show beyond text, told by its variables alone: nothing is asked of it, and no key is eaten.

docs/terminals.md has the same as a table. A terminal that is not known gets plain text.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Literal


class Protocol(StrEnum):
    """How a picture is drawn: a protocol of the terminal's, or two pixels a character in colour."""

    KITTY = "kitty"
    ITERM2 = "iterm2"
    SIXEL = "sixel"
    BLOCKS = "blocks"


#: How many colours a terminal has, as rich names it.
Colours = Literal["truecolor", "256"]

#: Every terminal says its TERM anew; what else it sets may be inherited by one that was started in it.
_PICTURES_BY_TERM = {
    "xterm-kitty": Protocol.KITTY,
    "xterm-ghostty": Protocol.KITTY,
    "foot": Protocol.SIXEL,
    "foot-extra": Protocol.SIXEL,
    "mlterm": Protocol.SIXEL,
    "mlterm-256color": Protocol.SIXEL,
    "contour": Protocol.SIXEL,
}
_PICTURES_BY_PROGRAM = {
    "ghostty": Protocol.KITTY,
    "iTerm.app": Protocol.ITERM2,
    "WezTerm": Protocol.ITERM2,
    "mintty": Protocol.ITERM2,
    "rio": Protocol.ITERM2,
}
#: Terminals that set no TERM_PROGRAM, and draw no pictures.
_WITHOUT_PICTURES = ("VTE_VERSION", "XTERM_VERSION", "ALACRITTY_WINDOW_ID")
#: Since KDE Gear 22.04.
_KONSOLE_WITH_PICTURES = 220400
#: First parts of TERM of terminals that show links, or ignore them.
_WITH_LINKS = frozenset({"xterm", "screen", "tmux", "foot", "alacritty", "rxvt", "konsole", "wezterm", "contour"})
#: Since 0.50; some that are older crash.
_VTE_WITH_LINKS = 5000
#: The first versions that show a progress (OSC 9;4). Earlier ones took it for a message, and showed that.
_PROGRESS_SINCE = {"iTerm.app": (3, 6, 6), "WezTerm": (20250209,), "ghostty": (0,)}
_VTE_WITH_PROGRESS = 7900


def in_multiplexer(environ: Mapping[str, str]) -> bool:
    """Tell whether tmux, screen or zellij is between this and the terminal: it passes text on, and little else."""
    return any(name in environ for name in ("TMUX", "STY", "ZELLIJ")) or _term(environ).startswith(("tmux", "screen"))


def picture_protocol(environ: Mapping[str, str]) -> Protocol | None:
    """Return how the terminal draws pictures, None where it has too few colours for any."""
    if not in_multiplexer(environ):
        if (by_term := _PICTURES_BY_TERM.get(_term(environ))) is not None:
            return by_term
        if (by_program := _PICTURES_BY_PROGRAM.get(environ.get("TERM_PROGRAM", ""))) is not None:
            return by_program
        if not environ.get("TERM_PROGRAM") and (by_mark := _pictures_by_mark(environ)) is not None:
            return by_mark
    return Protocol.BLOCKS if colours(environ) else None


def _pictures_by_mark(environ: Mapping[str, str]) -> Protocol | None:
    """Return the protocol of a terminal that is known by a variable of its own."""
    if environ.get("LC_TERMINAL") == "iTerm2":  # which ssh takes along
        return Protocol.ITERM2
    if any(name in environ for name in _WITHOUT_PICTURES):
        return None
    if "KITTY_WINDOW_ID" in environ or _number(environ, "KONSOLE_VERSION") >= _KONSOLE_WITH_PICTURES:
        return Protocol.KITTY
    return Protocol.SIXEL if "WT_SESSION" in environ else None


def colours(environ: Mapping[str, str]) -> Colours | None:
    """Return how many colours the terminal has, None where that is not known or too few for a picture."""
    term = _term(environ)
    if environ.get("COLORTERM", "").lower() in ("truecolor", "24bit") or "WT_SESSION" in environ:
        return "truecolor"
    if term.endswith("-direct") or term in _PICTURES_BY_TERM:
        return "truecolor"
    return "256" if "256color" in term else None


def shows_links(environ: Mapping[str, str]) -> bool:
    """Tell whether the terminal shows links (OSC 8). FORCE_HYPERLINK says so itself: 0 for none, 1 for links."""
    if forced := environ.get("FORCE_HYPERLINK", "").strip().lower():
        return forced not in ("0", "false", "no")
    if 0 < _number(environ, "VTE_VERSION") < _VTE_WITH_LINKS:
        return False
    return _term(environ).partition("-")[0] in _WITH_LINKS or "WT_SESSION" in environ


def shows_progress(environ: Mapping[str, str]) -> bool:
    """Tell whether the terminal shows a progress in its tab or in the task bar (OSC 9;4)."""
    if in_multiplexer(environ):
        return False
    if since := _PROGRESS_SINCE.get(environ.get("TERM_PROGRAM", "")):
        return tuple(map(int, re.findall(r"\d+", environ.get("TERM_PROGRAM_VERSION", "")))) >= since or since == (0,)
    if environ.get("TERM_PROGRAM"):
        return False
    if _number(environ, "VTE_VERSION"):
        return _number(environ, "VTE_VERSION") >= _VTE_WITH_PROGRESS
    return environ.get("ConEmuANSI") == "ON" or "WT_SESSION" in environ or "KONSOLE_VERSION" in environ


def _term(environ: Mapping[str, str]) -> str:
    return environ.get("TERM", "").strip().lower()


def _number(environ: Mapping[str, str], name: str) -> int:
    """Return a version that a variable has as one number, 0 for none."""
    value = environ.get(name, "")
    return int(value) if value.isascii() and value.isdecimal() and len(value) < 10 else 0
