"""Text for a terminal: made visible, measured in cells, cut and folded; and quantities in words.

rich.cells counts nothing for a letter behind a joiner, so that it measures Hindi and Sinhala too short (finding D09).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

#: Ranges of a regex class: characters that control a terminal, and such as hide or reorder others (drills T01, T02).
#: Variation selectors U+FE00 to U+FE0F are not among them: they choose how the character before is drawn.
_CONTROLS = r"\x00-\x1f\x7f-\x9f"
_UNSEEN = (
    r"\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200e\u200f\u2028-\u202e\u2060-\u206f"
    r"\u3164\ufeff\uffa0\ufff0-\ufffb\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
#: Letters of scripts with joiners, and signs such as emoji. A joiner between two of them is text (finding D09);
#: between other characters it is hidden.
_JOINED = (
    r"\u0600-\u061b\u061d-\u109f\u1780-\u17b3\u17b6-\u180a\u1810-\u1cff\ua800-\uabff\ufb50-\ufdff\ufe70-\ufefc"
    r"\U00010a00-\U00010aff\U00011000-\U00011fff"
)
_SIGN = r"\u2190-\u21ff\u2300-\u27bf\u2900-\u297f\u2b00-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
_JOINER = (
    rf"[\u200c\u200d](?!(?<=[{_JOINED}][\u200c\u200d])[{_JOINED}])(?!(?<=[{_SIGN}\ufe0f]\u200d)[{_SIGN}])"
    # Thai, Lao, Burmese and Khmer separate words by a space without width.
    r"|\u200b(?!(?<=[\u0e00-\u0eff\u1000-\u109f\u1780-\u17b3\u17b6-\u17ff]\u200b)[\u0e00-\u0eff\u1000-\u109f\u1780-\u17b3])"
)
#: The flags of England, Scotland and Wales have invisible letters. No other use of these is text.
_FLAG = (
    r"\U0001f3f4\U000e0067\U000e0062"
    r"(?:\U000e0065\U000e006e\U000e0067|\U000e0073\U000e0063\U000e0074|\U000e0077\U000e006c\U000e0073)\U000e007f"
)
#: Not compiled here: most commands never need it.
_HIDDEN = f"(?P<flag>{_FLAG})|{_JOINER}|[{_CONTROLS}{_UNSEEN}\ud800-\udfff]"
#: A grapheme: a flag, a sign with what is joined to it, or one character.
_DRAWN = (
    rf"{_FLAG}|[\U0001f1e6-\U0001f1ff]{{2}}|[{_SIGN}][\ufe0f\U0001f3fb-\U0001f3ff]?"
    rf"(?:\u200d[{_SIGN}][\ufe0f\U0001f3fb-\U0001f3ff]?)*|.\ufe0f\u20e3?|."
)
_SHORT = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}

ELLIPSIS = "…"
_LONGEST_SHOWN = 2000


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
    r"""Return `text` with control, bidi and zero-width characters as escapes (drills T01, T02, O12).

    ESC becomes `\x1b`, U+202E becomes `<U+202E>`, a lone surrogate becomes `\udc80`. Joiners between letters of their
    scripts, or between signs, stay (finding D09), and newlines if `multiline`. The result can be encoded as UTF-8.
    """
    if text.isascii() and text.isprintable():
        return text
    if multiline:
        return "\n".join(re.sub(_HIDDEN, _escape, line) for line in text.split("\n"))
    return re.sub(_HIDDEN, _escape, text)


def cut(text: str, length: int = _LONGEST_SHOWN) -> str:
    """Return at most `length` characters of `text`, with … at the end if it was longer (drill P07)."""
    return text if len(text) <= length else text[: length - 1] + ELLIPSIS


def _graphemes(text: str) -> Iterator[tuple[int, int]]:
    """Yield the end of each grapheme and its width in cells: 0 for a combining mark, 2 for a wide one."""
    for found in re.finditer(_DRAWN, text, re.DOTALL):
        yield found.end(), 2 if len(found.group()) > 1 else _cell(found.group())


def _cell(character: str) -> int:
    from unicodedata import category, east_asian_width

    if category(character) in ("Mn", "Me", "Cf") or "\u1160" <= character <= "\u11ff":
        return 0
    return 2 if east_asian_width(character) in "WF" else 1


def width(text: str) -> int:
    """Return the width of a visible text in cells of a terminal."""
    return len(text) if text.isascii() else sum(cells for _, cells in _graphemes(text))


def fit(text: str, cells: int, *, ellipsis: str = ELLIPSIS) -> str:
    """Return a visible text cut to at most `cells` cells, with `ellipsis` at the end if that fits.

    No grapheme is cut apart.
    """
    if width(text) <= cells:
        return text
    room = cells - width(ellipsis)
    if room < 0:
        room, ellipsis = max(cells, 0), ""
    taken = kept = 0
    for end, wide in _graphemes(text):
        taken += wide
        if taken > room:
            break
        kept = end
    return text[:kept] + ellipsis


#: What `fold` keeps in one line: a word, and a command at the start or behind a colon, so that it can be copied.
_UNBROKEN = r"(?:^|(?<=:)) *orvideo [a-z-].*| *[^ ]+"


def fold(text: str, cells: int, indent: str = "") -> list[str]:
    """Return a visible text as lines of at most `cells` cells, broken at spaces (finding D06).

    `indent` is put before every line but the first. Words and commands that are longer stay whole.
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
    """Return a duration as `1:05` or `1:02:03`; never negative (drill P14)."""
    minutes, rest = divmod(int(max(seconds, 0.0)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def age(seconds: float) -> str:
    """Return an age in its largest whole unit: `12s`, `5m`, `3h`, `2d`."""
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
    """Return a local time as `14:05 here, `, empty where the local time is UTC."""
    from orvideo.clock import local  # TAB completion does without

    here = local(time)
    return f"{here:%H:%M} here, " if here.utcoffset() else ""


def iso_time(when: datetime) -> str:
    """Return a time as ISO 8601 in UTC, to the second: `2026-11-21T02:38:00Z`."""
    return when.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def ranges(numbers: list[int] | tuple[int, ...]) -> str:
    """Return whole numbers in order, three or more in a row as a range: `4, 6, 8` or `1-15`."""
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
