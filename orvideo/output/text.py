"""Text as a terminal may have it: controls made visible, cut to cells, and quantities in the words of people.

Nothing here draws or imports anything heavy; what a pipe, a table and a live line show all passes through `visible`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

#: Characters that a terminal obeys, or that hide or reorder the others (drills T01, T02), as ranges of a regex class.
#: Variation selectors U+FE00 to U+FE0F stay: they only choose how a visible character is drawn.
_CONTROLS = r"\x00-\x1f\x7f-\x9f"
_UNSEEN = (
    r"\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200e\u200f\u2028-\u202e\u2060-\u206f"
    r"\u3164\ufeff\uffa0\ufff0-\ufffb\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
#: Letters of the scripts that join theirs, and signs: between two of them a joiner is text (finding D09). Between
#: others it hides.
_JOINED = (
    r"\u0600-\u061b\u061d-\u109f\u1780-\u17b3\u17b6-\u180a\u1810-\u1cff\ua800-\uabff\ufb50-\ufdff\ufe70-\ufefc"
    r"\U00010a00-\U00010aff\U00011000-\U00011fff"
)
_SIGN = r"\u2190-\u21ff\u2300-\u27bf\u2900-\u297f\u2b00-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
_JOINER = (
    rf"[\u200c\u200d](?!(?<=[{_JOINED}][\u200c\u200d])[{_JOINED}])(?!(?<=[{_SIGN}\ufe0f]\u200d)[{_SIGN}])"
    # Thai, Lao, Burmese and Khmer have no spaces: where a word ends is said by one without width.
    r"|\u200b(?!(?<=[\u0e00-\u0eff\u1000-\u109f\u1780-\u17b3\u17b6-\u17ff]\u200b)[\u0e00-\u0eff\u1000-\u109f\u1780-\u17b3])"
)
#: The flags of England, Scotland and Wales are spelt in letters that are not seen. Others could hide a whole text.
_FLAG = (
    r"\U0001f3f4\U000e0067\U000e0062"
    r"(?:\U000e0065\U000e006e\U000e0067|\U000e0073\U000e0063\U000e0074|\U000e0077\U000e006c\U000e0073)\U000e007f"
)
#: Like every pattern that most commands never need, it is compiled by `re` at its first use.
_HIDDEN = f"(?P<flag>{_FLAG})|{_JOINER}|[{_CONTROLS}{_UNSEEN}\ud800-\udfff]"
#: What a terminal draws as one: a flag, a sign with what is joined to it, or one character.
_DRAWN = (
    rf"{_FLAG}|[\U0001f1e6-\U0001f1ff]{{2}}|[{_SIGN}][\ufe0f\U0001f3fb-\U0001f3ff]?"
    rf"(?:\u200d[{_SIGN}][\ufe0f\U0001f3fb-\U0001f3ff]?)*|.\ufe0f\u20e3?|."
)
_SHORT = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}

ELLIPSIS = "…"
LONGEST_SHOWN = 2000


def _escape(match: re.Match[str]) -> str:
    if match["flag"]:
        return match.group()
    character = match.group()
    code = ord(character)
    if code < 0xA0:
        return _SHORT.get(character, f"\\x{code:02x}")
    if 0xD800 <= code <= 0xDFFF:
        return f"\\u{code:04x}"
    return f"<U+{code:04X}>"


def visible(text: str, *, multiline: bool = False) -> str:
    r"""Return `text` with every control, bidi and zero-width character as visible letters (drills T01, T02, O12).

    ESC becomes `\x1b`, U+202E becomes `<U+202E>`, a lone surrogate becomes `\udc80`. Joiners between letters that are
    joined, or between signs, stay (finding D09). A newline stays one only when `multiline`; the answer is always
    encodable as UTF-8.
    """
    if text.isascii() and text.isprintable():
        return text
    if multiline:
        return "\n".join(re.sub(_HIDDEN, _escape, line) for line in text.split("\n"))
    return re.sub(_HIDDEN, _escape, text)


def cut(text: str, length: int = LONGEST_SHOWN) -> str:
    """Return at most `length` characters of `text`, ending in … when some were left out (drill P07)."""
    return text if len(text) <= length else text[: length - 1] + ELLIPSIS


def _drawn(text: str) -> Iterator[tuple[int, int]]:
    """Yield where each thing that a terminal draws ends, and its cells: 0 for a mark on the one before, 2 for wide."""
    for found in re.finditer(_DRAWN, text, re.DOTALL):
        yield found.end(), 2 if len(found.group()) > 1 else _cell(found.group())


def _cell(character: str) -> int:
    from unicodedata import category, east_asian_width

    if category(character) in ("Mn", "Me", "Cf") or "\u1160" <= character <= "\u11ff":
        return 0
    return 2 if east_asian_width(character) in "WF" else 1


def width(text: str) -> int:
    """Return the cells that a visible text takes on a terminal."""
    return len(text) if text.isascii() else sum(cells for _, cells in _drawn(text))


def fit(text: str, cells: int, *, ellipsis: str = ELLIPSIS) -> str:
    """Cut a visible text to at most `cells` cells, ending in `ellipsis` when something was cut off.

    A mark is never parted from its letter, nor a sign from what is joined to it. Where not even the ellipsis fits, the
    text is cut without one.
    """
    if width(text) <= cells:
        return text
    room = cells - width(ellipsis)
    if room < 0:
        room, ellipsis = max(cells, 0), ""
    taken = kept = 0
    for end, wide in _drawn(text):
        taken += wide
        if taken > room:
            break
        kept = end
    return text[:kept] + ellipsis


#: What a line is not broken in: a word, and a command that stands alone or behind a colon, so that it can be copied.
_UNBROKEN = r"(?:^|(?<=:)) *orvideo [a-z-].*| *[^ ]+"


def fold(text: str, cells: int, indent: str = "") -> list[str]:
    """Return the lines of a visible text, broken at spaces so that each takes at most `cells` cells (finding D06).

    Every line but the first begins with `indent`. What has no space to break at keeps its length.
    """
    lines, room = [""], cells
    for piece in re.findall(_UNBROKEN, text):
        if lines[-1] and width(piece) > room:
            piece = indent + piece.lstrip(" ")
            lines.append("")
            room = cells
        lines[-1] += piece
        room -= width(piece)
    return lines


def elapsed(seconds: float) -> str:
    """Return a stretch of time as `1:05` or `1:02:03`; never negative (drill P14)."""
    minutes, rest = divmod(int(max(seconds, 0.0)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def age(seconds: float) -> str:
    """Return how long ago something was, in its largest whole unit: `12s`, `5m`, `3h`, `2d`."""
    left = int(max(seconds, 0.0))
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if left >= size:
            return f"{left // size}{unit}"
    return f"{left}s"


def bytes_text(count: int) -> str:
    """Return a number of bytes as `512 B`, `12.3 kB` or `1.2 GB` (powers of 1,000)."""
    if count < 1000:
        return f"{count} B"
    amount = float(count)
    for unit in ("kB", "MB", "GB"):
        amount /= 1000
        if amount < 999.95:
            return f"{amount:.1f} {unit}"
    return f"{amount / 1000:.1f} TB"


def count(number: int, one: str, many: str | None = None) -> str:
    """Return `1 job` or `3 jobs`."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def local_time(time: datetime) -> str:
    """Return `14:05 here, ` to stand beside a time in UTC, nothing where this machine's time is UTC."""
    here = time.astimezone()
    return f"{here:%H:%M} here, " if here.utcoffset() else ""


def moment(when: datetime) -> str:
    """Return a time as ISO 8601 in UTC, to the second: `2026-11-21T02:38:00Z`."""
    return when.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def spans(numbers: list[int] | tuple[int, ...]) -> str:
    """Return whole numbers in order, runs of three or more as a span: `4, 6, 8` or `1-15`."""
    runs: list[list[int]] = []
    for number in sorted(set(numbers)):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    shown: list[str] = []
    for run in runs:
        shown += [f"{run[0]}-{run[-1]}"] if len(run) > 2 else [str(number) for number in run]
    return ", ".join(shown)
