"""What people hand in as text: read to its end, decoded or refused by the name of its encoding, and checked.

Every reader of prompts shares this: the line, --prompt-file, stdin, --request and the rows of a batch (findings A02,
A03). Bytes of another encoding would be paid for, and filmed as other words.
"""

from __future__ import annotations

import codecs
import errno
import os
import re
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from orvideo.errors import UsageError
from orvideo.files import expand_user
from orvideo.request.broken import decoded, misread_as
from orvideo.system import names

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

STDIN = "-"
#: So many lines of a prompt are looked at.
_LINES = 1000

#: The longer ones first: UTF-32 in small-endian order begins as UTF-16 does.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_JAPANESE = r"[\u3000-\u30ff\u4e00-\u9fff\uff01-\uff60]*[\u3041-\u30fa][\u3000-\u30ff\u4e00-\u9fff\uff01-\uff60]*"
_CHINESE = r"[\u2014-\u2026\u3001-\u3017\u4e00-\u9fff\uff01-\uff5e]+"
_CYRILLIC = r"[А-Яа-яЁёІіЇїЄєҐґ«»“”„’–—…№\u00a0]+"
#: Encodings of text without a mark, by Python's name and by iconv's, and what their letters beyond ASCII then are. The
#: first that fits counts. One Cyrillic encoding read as the other has capitals and small letters exchanged.
_ENCODINGS = (
    ("cp932", "SHIFT_JIS", _JAPANESE),
    ("euc_jp", "EUC-JP", _JAPANESE),
    ("euc_kr", "EUC-KR", r"[\u3001\u3002\uac00-\ud7a3]+"),
    ("cp1251", "WINDOWS-1251", _CYRILLIC),
    ("koi8_r", "KOI8-R", _CYRILLIC),
    ("gb2312", "GB18030", _CHINESE),
    ("big5", "BIG5", _CHINESE),
    ("cp1252", "WINDOWS-1252", r"[\u00a0¡§©«®°·»¿À-ÖØ-öø-ÿŒœŠšŽžŸ€„…‘’“”•–—™‹›]+"),
)
#: Characters that are no text. Those that Unicode counts as white space stay (drill B06).
_NO_TEXT = (
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ufeff\ufdd0-\ufdef\ufffc-\uffff\ud800-\udfff\U000e0000-\U000e007f"
    + "".join(chr(plane << 16 | 0xFFFE) + chr(plane << 16 | 0xFFFF) for plane in range(1, 17))
    + "]"
)
#: The flag of a part of a country (England) is a black flag with tags.
_FLAG = "\U0001f3f4[\U000e0020-\U000e007e]+\U000e007f"
_NAMES = {"\x00": "NUL", "\x07": "BEL", "\x08": "backspace", "\x1b": "ESC", "\x7f": "DEL"}


def read_text(spec: str, stdin: BinaryIO | None, what: str, most: int) -> tuple[str, Path | None]:
    """Return the text of a file, or of stdin for `-`, and the file's real path, None for a stream, which has none.

    UTF-8, or UTF-16 or UTF-32 with a byte order mark, which is not part of the text. A FIFO is read to its end, and
    never more than `most` bytes of anything (drills B15, X01). Raises UsageError, which begins "The `what` NAME" and
    says of bytes that are no text what they look like, and how to convert them (finding A03).
    """
    name, spec = f"The {what} {'stdin' if spec == STDIN else spec}", expand_user(spec)
    path = None
    try:
        if spec == STDIN:
            data = stdin.read(most + 1) if stdin is not None else b""
        elif (fault := names.HERE.fault(spec)) is not None:
            raise ValueError(fault.message.rstrip("."))
        elif os.path.isdir(spec):  # which Windows would tell as a lack of permission
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        else:
            with open(spec, "rb") as file:
                if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    path = Path(os.path.realpath(spec))
                data = file.read(most + 1)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise UsageError(f"{name} cannot be read: {why}.") from error
    if len(data) > most:
        size = f"{most:,} bytes" if most % 1024**2 else f"{most // 1024**2} MiB"
        raise UsageError(f"{name} is too large: at most {size} are read.")
    codec = next((codec for mark, codec in _MARKS if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(codec)
        if codec != "utf-8" or "\x00" not in text:
            return text, path
        line = text.count("\n", 0, text.index("\x00")) + 1
    except UnicodeDecodeError as error:
        if codec in ("utf-16", "utf-32"):
            raise UsageError(f"{name} begins as {codec.upper()} and does not go on as such.") from None
        line = data.count(b"\n", 0, error.start) + 1
    raise _no_text(data, name, line, spec)


def from_line(text: str) -> str:
    """Return an argument as the UTF-8 that was typed, where the locale (`POSIX`) made Python keep its bytes apart."""
    if not _is_escaped(text):
        return text
    return decoded(text.encode("utf-8", "surrogateescape"), "utf-8") or text


def _no_text(data: bytes, name: str, line: int, spec: str) -> UsageError:
    from orvideo import shells
    from orvideo.request.kinds import recognise

    if kind := recognise(data):
        return UsageError(f"{name} is {kind.name}, not text.")
    encoding = encoding_of(data)
    if encoding is None and b"\x00" in data:
        return UsageError(f"{name} is not text: there is a NUL in line {line}.")
    if encoding is None:
        return UsageError(f"{name} is not UTF-8 text (line {line}).", hint=shells.to_utf8(spec, None))
    return UsageError(
        f"{name} is not UTF-8 text (line {line}); it looks like {encoding}.", hint=shells.to_utf8(spec, encoding)
    )


def encoding_of(data: bytes) -> str | None:
    """Return the encoding, by iconv's name, that bytes which are no UTF-8 look like; None where that is not clear."""
    if b"\x00" in data:
        return _with_zeros(data[: 1 << 16])
    ordered = sorted(_ENCODINGS, key=lambda one: one[0] != "cp1252") if _has_accents(data) else _ENCODINGS
    for codec, name, letters in ordered:
        try:
            text = data.decode(codec)
        except UnicodeDecodeError:
            continue
        if not re.fullmatch(letters, re.sub(r"[\x00-\x7f]+", "", text)):
            continue
        if codec == "cp1252" or (_is_cyrillic(text) if letters == _CYRILLIC else not _is_within_words(text)):
            return name
    return None


def _is_within_words(text: str) -> bool:
    """Say whether most letters beyond ASCII stand within words of ASCII: then two bytes are two Latin letters."""
    runs = re.findall(r"[^\x00-\x7f]+", text)
    touching = len(re.findall(r"(?<=[A-Za-z])[^\x00-\x7f]+|[^\x00-\x7f]+(?=[A-Za-z])", text))
    return touching * 2 > len(runs)


def _has_accents(data: bytes) -> bool:
    """Say whether most bytes beyond ASCII stand alone, as the letters with accents of a Latin word do (finding A03).

    In the encodings of Asia two bytes make a character, and characters make words.
    """
    beyond = sum(byte > 0x7F for byte in data)
    alone = re.findall(rb"(?<![\x80-\xff])[\xc0-\xff](?![\x80-\xff])", data)
    return len(alone) * 2 > beyond


def _is_cyrillic(text: str) -> bool:
    """Say whether the letters beyond ASCII are small ones for the most part, and make words of their own."""
    beyond = [letter for letter in text if letter > "\x7f"]
    mixed = re.search(r"[A-Za-z][^\x00-\x7f]|[^\x00-\x7f][A-Za-z]", text)
    return mixed is None and sum(map(str.islower, beyond)) * 2 > len(beyond)


def _with_zeros(data: bytes) -> str | None:
    """Tell UTF-16 and UTF-32 by their zero bytes: ASCII has them, and so have the spaces of any other script."""
    zeros = [data[place::4].count(0) * 8 > len(data) for place in range(4)]
    if zeros in ([False, True, True, True], [True, True, True, False]):
        return "UTF-32LE" if zeros[3] else "UTF-32BE"
    big, small = (data[place::2].count(0) for place in range(2))
    if len(data) % 2 or max(big, small) < 2 or min(big, small) * 8 > max(big, small):
        return None
    name = "UTF-16BE" if big > small else "UTF-16LE"
    text = data.decode(name, "replace")
    return None if re.search(_NO_TEXT, text) else name


def check_text(name: str, text: str) -> None:
    """Refuse a text with characters that are none: controls, halves of characters, marks of broken text (finding A03).

    `name` begins the sentence. Raises UsageError, which names the character and its place.
    """
    if text.startswith("data:") and text.isascii():
        return
    without_flags = re.sub(_FLAG, lambda flag: "-" * len(flag.group()), text)
    if (found := re.search(_NO_TEXT, without_flags)) is None:
        if misread := misread_as(text):
            raise UsageError(f"{name} is broken text: {misread}.", hint="say it, or save it, as UTF-8")
        return
    character = found.group()
    line = text.count("\n", 0, found.start()) + 1
    place = found.start() - text.rfind("\n", 0, found.start())
    where = f"at character {place}" + (f" of line {line}" if "\n" in text else "")
    if "\ud800" <= character <= "\udfff":
        data = text.encode("utf-8", "surrogateescape") if _is_escaped(text) else b""
        looks = f"; it looks like {encoding}" if data and (encoding := encoding_of(data)) else ""
        raise UsageError(
            f"{name} is not UTF-8 text{looks}: there is half a character {where} (a lone surrogate).",
            hint="say it, or save it, as UTF-8",
        )
    said = _said_of(character).format(where=where)
    raise UsageError(f"{name} has {said}.", hint="take it out; what is not text is not sent")


def _said_of(character: str) -> str:
    """Return what a character is that is no text, with a gap for where it is."""
    code = f"U+{ord(character):04X}"
    if character == "\ufffd":
        return f"the mark of a character that was lost ({code}) {{where}}; the text was broken before it came here"
    if character == "\ufffc":
        return f"the place of an object that was not copied with the text ({code}) {{where}}"
    if "\U000e0000" <= character <= "\U000e007f":
        return f"a tag that nobody sees ({code}) {{where}}"
    if character in "\ufeff\ufffe\uffff":
        return f"a byte order mark in the middle of the text ({code}) {{where}}"
    if character > "\x9f":
        return f"a code that is no character ({code}) {{where}}"
    return f"a control character ({_NAMES.get(character, code)}{f', {code}' if character in _NAMES else ''}) {{where}}"


def check_prompt(name: str, text: str, spec: str | None = None) -> None:
    """Refuse a prompt that is a document, data or a program, and no text for a film (findings A02, A03).

    `name` begins the sentence. `spec` is the file it is from; None for a field of JSON, where only a document is
    refused. A prompt on the line is meant as it is. Raises UsageError.
    """
    from orvideo import shells
    from orvideo.request.kinds import recognise, recognise_lines
    from orvideo.request.lists import looks_of_prompt

    kind = recognise(text[:2048].encode("utf-8", "replace"))
    if spec is not None and re.match(r"\s*(\{\s*(\"[^\"]*\"\s*:|\})|\[\s*[{\"\[])", text) and text.rstrip()[-1] in "}]":
        way = "batch" if re.match(r"\s*\[|.*\}\s*\n\s*\{", text) else "submit --request"
        raise UsageError(f"{name} looks like JSON.", hint=f"orvideo {way} {shells.word(spec)}")
    lines = text[: 1 << 20].splitlines()[:_LINES] if spec is not None else []
    looks = kind.name if kind else recognise_lines(lines) or looks_of_prompt(lines)
    if looks:
        way = f"orvideo batch {shells.word(spec)}; or " if spec and "CSV" in looks else ""
        hint = f"{way}say it on the line, in quotes, if it is meant"
        raise UsageError(f"{name} looks like {looks}, and not like a prompt.", hint=hint)


def _is_escaped(text: str) -> bool:
    """Say whether every half of a character is a byte that Python could not decode."""
    return all("\udc80" <= one <= "\udcff" for one in re.findall("[\ud800-\udfff]", text))


def check_texts(fields: Mapping[str, Any]) -> None:
    """Refuse fields with text in them that is none, however deep. Raises UsageError."""
    for name, value in fields.items():
        for text in _texts_in(value):
            check_text("The prompt" if name == "prompt" else f"The field {name}", text)


def _texts_in(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from _texts_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts_in(item)
