"""Text that was broken before it came here: read in another encoding, or escaped for another place (finding A03)."""

from __future__ import annotations

import re

#: What text may have been read as, by Python's name and by the one that people know.
_READ_AS = (
    ("cp1252", "WINDOWS-1252"), ("cp1251", "WINDOWS-1251"), ("mac_roman", "MACINTOSH"), ("cp437", "CP437"),
    ("cp850", "CP850"), ("cp932", "SHIFT_JIS"),
)  # fmt: skip
_URL = r"\b[A-Za-z][a-z+.-]{1,9}://\S+"
#: What each way to escape text has in it.
_SIGNS = "?&=%\\\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
#: So much of a text is looked at.
_LOOKED_AT = 1 << 16


def misread_as(text: str) -> str | None:
    """Return how a text was broken: another encoding's letters, where all but some decode as what was meant (F-A03)."""
    if text.isascii():
        found = re.search(r"\+(?=[ABI])[A-Za-z0-9+/]{3}(?:[A-Za-z0-9+/]{8})*-", text)
        meant = decoded(found.group().encode(), "utf-7") if found else None
        if found and meant and re.fullmatch(r"[\u00a0-\u052f\u2010-\u20ac]+", meant):
            return f"it looks like UTF-7 ({found.group()!r} for {meant!r})"
        return None
    runs = re.findall(r"([a-z]?)([^\x00-\x7f]+)(?=([a-z]?))", text[:_LOOKED_AT])
    for codec, name in _READ_AS:
        read = [(run, meant, before + after) for before, run, after in runs if (meant := _meant(run, codec))]
        clear = [(run, meant) for run, meant, beside in read if _is_clear(meant, beside) and not _is_kana(run, beside)]
        if clear and len(read) * 2 > len(runs):
            run, meant = clear[0]
            return f"it looks like UTF-8 that was read as {name} ({run[:20]!r} for {meant[:10]!r})"
    return None


def _is_clear(meant: str, beside: str) -> bool:
    """Say whether this is no accident: a Latin letter within a word, several letters, or one of three bytes."""
    if re.search(r"[\u0800-\u1fff\u2e80-\uffff]", meant):
        return len(meant) > 1  # one character of these may be an accented letter before a dash and a quotation mark
    within_a_word = len(beside) == 2 and "\u00c0" <= meant <= "\u017f"
    return within_a_word or len(meant) > 1 or meant > "\u2000"


def _is_kana(run: str, beside: str) -> bool:
    """Say whether this may be Japanese in half-width letters, of which two are two bytes of UTF-8."""
    return len(beside) < 2 and re.fullmatch(r"[\uff61-\uff9f]+", run) is not None


def _meant(run: str, codec: str) -> str | None:
    """Return what letters were before they were read in an encoding that is not theirs, None where they were these."""
    try:
        # What WINDOWS-1252 has no sign for is often read as a control, or as the byte itself.
        data = b"".join(bytes([ord(one)]) if "\x80" <= one <= "\x9f" else one.encode(codec) for one in run)
    except UnicodeEncodeError:
        return None
    return decoded(data, "utf-8")


def decoded(data: bytes, codec: str) -> str | None:
    """Return bytes as text, None where they are none in this encoding."""
    try:
        return data.decode(codec)
    except UnicodeDecodeError:
        return None


# --- text that was escaped --------------------------------------------------------------------------------------------


def escaped_as(text: str) -> str | None:
    """Return what a prompt was escaped for, or lost its letters to; None where it is as somebody would say it."""
    if not any(sign in text for sign in _SIGNS):
        return None
    bare = re.sub(_URL, "", text[:_LOOKED_AT])
    for look in (_question_marks, _entity, _quoted, _percent, _backslash, _order):
        if looks := look(bare):
            return looks
    return None


def _question_marks(text: str) -> str | None:
    """Tell `????? ?? ????`: an encoding without these letters has left their number."""
    lost = sum(map(len, runs := re.findall(r"\?{2,}", text)))
    is_lost = len(runs) > 1 and lost > len(re.findall(r"[^\W_]", text))
    return "its letters were lost and are question marks" if is_lost else None


def _entity(text: str) -> str | None:
    from html import unescape

    for entity in re.findall(r"&(?:#\d{2,7}|#[xX][0-9a-fA-F]{2,6}|[A-Za-z]{2,24}\d{0,2});", text):
        if (meant := unescape(entity)) != entity:
            return f"it looks like HTML ({entity} for {meant!r})"
    return None


def _quoted(text: str) -> str | None:
    return _bytes(text, r"(?:=[0-9A-F]{2}){2,}", "=", "quoted-printable, as mails are")


def _percent(text: str) -> str | None:
    if found := re.search(r"[^\W\d_]%20[^\W\d_]", text):
        return f"it looks like a part of a URL ({found.group()!r} for '{found.group()[0]} {found.group()[-1]}')"
    return _bytes(text, r"(?:%[0-9A-Fa-f]{2}){2,}", "%", "a part of a URL")


def _bytes(text: str, pattern: str, sign: str, looks: str) -> str | None:
    for run in re.findall(pattern, text):
        meant = decoded(bytes.fromhex(run.replace(sign, "")), "utf-8")
        if meant and not meant.isascii() and meant.isprintable():
            return f"it looks like {looks} ({run[:24]!r} for {meant[:8]!r})"
    return None


def _backslash(text: str) -> str | None:
    r"""Tell `\u00e2` and `\n` of a program's text; `C:\new` is a path, and `\nu` is TeX."""
    if found := re.search(r"\\u(?:[0-9a-fA-F]{4}|\{[0-9a-fA-F]{1,6}\})|\\x[89a-fA-F][0-9a-fA-F]", text):
        return f"it looks like the text of a program ({found.group()} for a letter)"
    if re.search(r"\b[A-Za-z]:\\|\\[A-MO-Za-mo-qsu-z]", text):
        return None
    tex = r"u|abla|eq|e|eg|ot|i|ewline|ewcommand|oindent|ormalsize|um|atural"
    if re.search(rf"\\n(?!(?:{tex})(?![A-Za-z]))", text):
        return r"it looks like the text of a program (\n for a new line)"
    return None


def _order(text: str) -> str | None:
    """Tell what turns the order of the letters; in a language that is written so, pairs of them are usual."""
    found = re.search("[\u202d\u202e]", text) or re.search("[\u202a-\u202c\u2066-\u2069]", text)
    if found is None or (found.group() not in "\u202d\u202e" and _is_in_pairs(text)):
        return None
    return f"a character that turns the order of what is read (U+{ord(found.group()):04X}) is in it"


def _is_in_pairs(text: str) -> bool:
    opened = len(re.findall("[\u202a\u202b]", text)), len(re.findall("[\u2066-\u2068]", text))
    closed = text.count("\u202c"), text.count("\u2069")
    return opened == closed and re.search("[\u0590-\u08ff\ufb1d-\ufefc]", text) is not None
