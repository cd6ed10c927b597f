"""The gallery's page: one HTML file with its style, its script and the cards in it."""

import base64
import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from orvideo.gallery.cards import Card
from orvideo.record.values import time_text

#: What the page says of itself: such a file may be replaced by another gallery.
GENERATOR = "orvideo gallery"
#: The parts of the script, in the order in which they stand in the page. They share one scope.
_SCRIPTS = ("tools.js", "marks.js", "cards.js", "list.js", "viewer.js", "compare.js", "keys.js", "main.js")
_OF_LIVE = "live.js"

#: What the page shows as help.
_KEYS = (
    (("\u2190", "\u2192", "\u2191", "\u2193"), "from card to card"),
    (("space",), "play with sound, or pause"),
    (("Enter",), "large, with everything about it"),
    (("k",), "keep"),
    (("x",), "reject"),
    (("n",), "write a note"),
    (("c",), "pick to compare; two to four"),
    (("C",), "compare what is picked"),
    (("l",), "copy the line that makes another like this"),
    (("/",), "search"),
    (("Esc",), "close, or pick nothing"),
    (("?",), "this help"),
)


class Live(NamedTuple):
    """Where a page that is served asks for news and sends marks to."""

    state: str
    marks: str
    token: str


class _Parts(NamedTuple):
    style: str
    script: str


def render(cards: Sequence[Card], *, live: Live | None = None, made_at: datetime) -> str:
    """Return the page of some cards, in their order."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("orvideo.gallery", "pages"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    data = {"cards": cards, "live": live._asdict() if live else None, "made_at": time_text(made_at)}
    parts = _parts(live is not None)
    page: str = environment.get_template("page.html").render(
        generator=GENERATOR, policy=policy(is_live=live is not None), style=parts.style, script=parts.script,
        data=_in_script(data), made_at=made_at, keys=_KEYS,
    )  # fmt: skip
    return page


def policy(*, is_live: bool) -> str:
    """Return the page's Content-Security-Policy: its own style and script, the videos, and nothing else."""
    parts = _parts(is_live)
    videos = "'self'" if is_live else "'self' file:"
    rules = {
        "default-src": "'none'",
        "script-src": _sum_of(parts.script),
        "style-src": _sum_of(parts.style),
        "media-src": videos,
        "img-src": "data:",
        "connect-src": "'self'" if is_live else "'none'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


@cache
def _parts(is_live: bool) -> _Parts:
    names = (*_SCRIPTS, _OF_LIVE) if is_live else _SCRIPTS
    return _Parts(_read("style.css"), "\n".join(map(_read, names)))


def _read(name: str) -> str:
    return (files("orvideo.gallery") / "pages" / name).read_text(encoding="utf-8")


def _sum_of(text: str) -> str:
    """Return a text as a policy names it; a browser takes the sum of what stands between the tags."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _in_script(data: Any) -> str:
    """Return JSON in which nothing can end the script that holds it: all is ASCII, and no tag begins."""
    text = json.dumps(data, allow_nan=False, separators=(",", ":"))
    return text.replace("&", r"\u0026").replace("<", r"\u003c").replace(">", r"\u003e")
