"""Type for a film: text of any script measured, broken into lines, and drawn."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from orvideo.lettering.bidi import pieces, runs_right_to_left
from orvideo.lettering.fonts import Fonts, Opened, clusters, is_ideograph, machine_fonts, opened

#: Characters of a prompt that are laid out at most; a film is no place to read a novel.
_LONGEST = 1200
#: Joiners are controls that change what is seen: emoji of several people, and words of Persian and Hindi.
_JOINERS = "\u200c\u200d"
_MIRRORED = str.maketrans("()[]{}<>«»", ")(][}{><»«")

#: The size in pixels that words are measured at, once for all sizes.
_MEASURE = 64.0
#: The longest word, in characters, that is not cut if a smaller size can do without.
_WORD = 24

Colour = tuple[int, ...]
Point = tuple[float, float]


class Face:
    """A size of type, with the fonts that it takes for the letters that are met."""

    def __init__(self, size: float, fonts: Fonts | None = None) -> None:
        self.size = size
        self._fonts = fonts or machine_fonts()

    @property
    def own(self) -> ImageFont.FreeTypeFont:
        """Pillow's own font at this size."""
        return opened(None, self.size).font

    def getlength(self, text: str) -> float:
        """Return how wide a text is, in pixels, by the widths of its words."""
        words = text.split(" ")
        spaces = (len(words) - 1) * _measured(self._fonts, " ")
        return (sum(_measured(self._fonts, word) for word in words) + spaces) * self.size / _MEASURE

    def drawn_length(self, text: str, *, rtl: bool) -> float:
        """Return how wide a line comes out: small type is set in whole pixels, and is wider or narrower by some."""
        return sum(_width(run, opened(path, self.size)) for run, path, _ in self._runs(text, rtl))

    def leading(self, text: str) -> int:
        """Return how far lines of a text are apart; marks above and below letters need more room."""
        marked = any(path for _, path, _ in self._runs(text, False))
        return round(self.size * (1.4 if marked else 1.2))

    def draw(self, picture: Image.Image, at: Point, text: str, fill: Colour, *, rtl: bool = False) -> None:
        """Draw one line; `at` is its left upper corner."""
        left, top = at
        base = top + self.own.getmetrics()[0]
        for run, path, turned in self._runs(text, rtl):
            font = opened(path, self.size)
            if font.scale == 1:
                shaped, direction = _shaped(run, font.font, turned)
                draw = ImageDraw.Draw(picture)
                draw.text((left, base), shaped, fill, font.font, "ls", direction=direction, embedded_color=True)
            else:
                _draw_picture(picture, (left, base), run, font)
            left += _width(run, font)

    def _runs(self, text: str, rtl: bool) -> Iterator[tuple[str, Path | None, bool]]:
        """Yield text, font and whether it goes from right to left, as they stand from left to right."""
        if text.isascii() and not rtl:
            yield text, None, False
            return
        for piece in pieces(text, rtl=rtl):
            found = list(self._fonts.runs(piece.text))
            for run, path in reversed(found) if piece.rtl else found:
                # Pillow's own font has boxes for signs that are not to be seen.
                seen = run if path else "".join(letter for letter in run if letter not in _JOINERS)
                yield seen, path, piece.rtl


@lru_cache(maxsize=4096)
def _measured(fonts: Fonts, word: str) -> float:
    """Return how wide a word is at the size that is measured at; one that may be cut is measured letter by letter."""
    if len(word) > _WORD or (word and is_ideograph(word[0])):
        letters = clusters(word)
        if len(letters) > 1:
            return sum(_measured(fonts, letter) for letter in letters)
    return sum(_width(run, opened(path, _MEASURE)) for run, path in fonts.runs(word))


def _width(run: str, font: Opened) -> float:
    return font.font.getlength(run) * font.scale


def _shaped(run: str, font: ImageFont.FreeTypeFont, rtl: bool) -> tuple[str, str | None]:
    """Return how a run is given to a font, and its direction; one that is not shaped gets it turned round already."""
    if font.layout_engine == ImageFont.Layout.RAQM:
        return run, "rtl" if rtl else "ltr"
    return ("".join(reversed(clusters(run))).translate(_MIRRORED) if rtl else run), None


def _draw_picture(picture: Image.Image, at: Point, run: str, font: Opened) -> None:
    """Draw letters that are pictures of one size, such as emoji, scaled."""
    left, top, right, bottom = font.font.getbbox(run, anchor="ls")
    if right <= left or bottom <= top:
        return
    whole = Image.new("RGBA", (round(right - left), round(bottom - top)))
    ImageDraw.Draw(whole).text((-left, -top), run, font=font.font, anchor="ls", fill="white", embedded_color=True)
    size = max(1, round(whole.width * font.scale)), max(1, round(whole.height * font.scale))
    small = whole.resize(size, Image.Resampling.LANCZOS)
    picture.paste(small, (round(at[0] + left * font.scale), round(at[1] + top * font.scale)), small)


def plain(text: str) -> str:
    """Return text that can be set: no controls, no lone surrogates, single spaces, not longer than a card takes."""
    whole = text[: _LONGEST * 2].encode("utf-8", "replace").decode("utf-8")
    composed = unicodedata.normalize("NFC", whole)
    kept = "".join(letter if letter in _JOINERS or not _is_control(letter) else " " for letter in composed)
    folded = " ".join(kept.split())
    return folded if len(folded) <= _LONGEST else folded[: _LONGEST - 1].rstrip() + "…"


def _is_control(letter: str) -> bool:
    return unicodedata.category(letter) in {"Cc", "Cf", "Zl", "Zp"}


def wrap(text: str, font: Face, width: float) -> list[str]:
    """Break text into lines not wider than `width`; a word that is wider by itself is broken between letters."""
    lines: list[str] = []
    line = ""
    for word in text.split(" "):
        wider = f"{line} {word}" if line else word
        if font.getlength(wider) <= width:
            line = wider
            continue
        if line:
            lines.append(line)
        line = word
        while len(line) > 1 and font.getlength(line) > width:
            cut = _longest_fit(line, font, width)
            lines.append(line[:cut])
            line = line[cut:]
    return [*lines, line] if line else lines


def _longest_fit(text: str, font: Face, width: float) -> int:
    """Return how many characters fit; at least one letter, with all that belongs to it."""
    # No letter is narrower than a tenth of its height, so that the rest of a long text need not be measured.
    letters = clusters(text[: 16 + int(width / font.size * 10)])
    low, high = 1, len(letters)
    while low < high:
        middle = (low + high + 1) // 2
        if font.getlength("".join(letters[:middle])) <= width:
            low = middle
        else:
            high = middle - 1
    return len("".join(letters[:low]))


@dataclass(frozen=True)
class Block:
    """Text broken into lines of one face that fit a box of a width."""

    lines: Sequence[str]
    face: Face
    width: float = 0
    rtl: bool = field(default=False)

    @property
    def size(self) -> float:
        return self.face.size

    @cached_property
    def leading(self) -> int:
        return self.face.leading("".join(self.lines))

    @property
    def height(self) -> int:
        return self.leading * len(self.lines)

    def draw(self, picture: Image.Image, left: float, top: float, colour: Colour, *, centred: bool = False) -> None:
        """Draw the lines one below the other; text that goes from right to left begins at the right."""
        for number, line in enumerate(self.lines):
            room = self.width - self.face.drawn_length(line, rtl=self.rtl)
            indent = room / 2 if centred else room if self.rtl else 0
            self.face.draw(picture, (left + indent, top + number * self.leading), line, colour, rtl=self.rtl)


def set_text(
    text: str, width: int, height: int, *, largest: float, smallest: float, fonts: Fonts | None = None
) -> Block:
    """Set text as large as fits the box; what does not fit at the smallest size ends in an ellipsis."""
    size, rtl = largest, runs_right_to_left(text)
    while True:
        face = Face(size, fonts)
        block = Block(wrap(text, face, width), face, width, rtl)
        if block.height <= height and not _breaks_words(text, block):
            return _balanced(text, block)
        if size <= smallest:
            break
        size = max(smallest, size * 0.93)
    room = max(1, height // block.leading)
    if len(block.lines) <= room:
        return block
    last = block.lines[room - 1]
    while last and face.getlength(last + "…") > width:
        last = last[:-1]
    return Block([*block.lines[: room - 1], last.rstrip() + "…"], face, width, rtl)


def _balanced(text: str, block: Block) -> Block:
    """Return the same text in as many lines of about one length, so that no word is left alone on the last."""
    lines = len(block.lines)
    low, high = block.width / 2, block.width
    while lines > 1 and high - low > 2:
        middle = (low + high) / 2
        tried = Block(wrap(text, block.face, middle), block.face, block.width, block.rtl)
        if len(tried.lines) > lines or _breaks_words(text, tried):
            low = middle
        else:
            block, high = tried, middle
    return block


def _breaks_words(text: str, block: Block) -> bool:
    """Say whether a word had to be cut, which a smaller size may cure (text without spaces is cut at any size)."""
    return len(" ".join(block.lines)) != len(text) and max(map(len, text.split(" "))) <= _WORD
