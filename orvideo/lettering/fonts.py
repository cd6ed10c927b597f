"""The fonts of a film: Pillow's own, and for the letters that it lacks, those of the machine."""

from __future__ import annotations

import os
import threading
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, cached_property, lru_cache
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFont

from orvideo.system.fonts import font_folders

#: Kinds of letters whose fonts are not called by the script's name in Unicode; the best first.
_CJK, _EMOJI, _COMMON = "cjk", "emoji", "common"
_CALLED = {
    _CJK: ("cjk", "gothic", "hiragino", "meiryo", "yugo", "msyh", "pingfang", "malgun", "applesd", "wqy", "fallback"),
    _COMMON: (),
    _EMOJI: ("coloremoji", "color emoji", "seguiemj", "emoji", "symbol"),
}
_RANGES = (
    (0x20E3, 0x20E3, _EMOJI), (0x2600, 0x27BF, _EMOJI), (0x2B00, 0x2BFF, _EMOJI), (0x2E80, 0xA4CF, _CJK),
    (0xAC00, 0xD7FF, _CJK), (0xF900, 0xFAFF, _CJK), (0xFF00, 0xFFEF, _CJK), (0x1F000, 0x1FAFF, _EMOJI),
    (0x20000, 0x3FFFF, _CJK),
)  # fmt: skip
#: One letter each of kana, hanzi and hangul: a font that has them all sets a text in one hand.
_PROBES = {_CJK: "あア漢国한"}
#: Fonts for many scripts, by the beginning of their names; the best first.
_GENERAL = (
    "notosans-regular",
    "dejavusans.",
    "segoeui.",
    "arial.",
    "arialunicode",
    "helvetica",
    "liberationsans-regular",
)
_STYLES = ("bold", "italic", "oblique", "light", "thin", "black", "condensed", "mono", "serif", "medium", "unjoined")
#: What has these letters on Debian and Ubuntu.
_PACKAGES = {_CJK: "fonts-noto-cjk", _EMOJI: "fonts-noto-color-emoji"}
_OTHER_PACKAGE = "fonts-noto-core"
#: Sizes of fonts that are made of pictures and take no other.
_STRIKES = (109, 160, 136, 128, 96, 64, 32, 20)
#: Signs that are no letter of their own: joiners, and the choice between two looks of one sign.
_SILENT = {"\u200c", "\u200d", "\ufe0e", "\ufe0f"}
_NOWHERE = "\U0010ffff"


class Opened(NamedTuple):
    """A font at a size, and by how much its pictures are to be scaled for it."""

    font: ImageFont.FreeTypeFont
    scale: float


@lru_cache(maxsize=32)
def _own(size: float) -> ImageFont.FreeTypeFont:
    found = ImageFont.load_default(size)
    assert isinstance(found, ImageFont.FreeTypeFont)
    return found


@lru_cache(maxsize=16)
def opened(path: Path | None, size: float) -> Opened:
    """Return a font at a size in pixels; no path is Pillow's own. Raises OSError."""
    if path is None:
        return Opened(_own(size), 1.0)
    try:
        return Opened(ImageFont.FreeTypeFont(path, size), 1.0)
    except OSError:
        for strike in _STRIKES:
            try:
                return Opened(ImageFont.FreeTypeFont(path, strike), size / strike)
            except OSError:
                continue
        raise


class Fonts:
    """The fonts below some folders, and which of them has a letter. What was found is remembered."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = folders
        self._lock = threading.Lock()
        self._of: dict[str, Path | None] = {}
        self._lacking: dict[str, str] = {}
        self._said: set[str] = set()
        self._orders: dict[str, list[Path]] = {}

    def runs(self, text: str) -> Iterator[tuple[str, Path | None]]:
        """Cut a text where its font changes; None is Pillow's own, which also stands in where no font has a letter."""
        self.learn(text)
        for path, group in groupby(clusters(text), self._font_of):
            yield "".join(group), path

    def learn(self, text: str) -> None:
        """Find the fonts for the letters of a text, all at once."""
        with self._lock:
            unknown = sorted(letter for letter in set(text) - self._of.keys() if not _in_own(letter))
            for kind in sorted(set(map(kind_of, unknown))):
                self._search(kind, {letter for letter in unknown if kind_of(letter) == kind})

    def unsaid(self) -> list[str]:
        """Return what a person should know of letters that no font has: once for each package that has them."""
        with self._lock:
            new = {package: letter for package, letter in self._lacking.items() if package not in self._said}
            self._said |= new.keys()
        return [
            f"No font of this machine has {letter!r}, and films show a box for it; maybe for others too. On Debian and "
            f"Ubuntu: apt-get install {package}"
            for package, letter in new.items()
        ]

    def _font_of(self, cluster: str) -> Path | None:
        return next((self._of.get(letter) for letter in cluster if not _in_own(letter)), None)

    def _search(self, kind: str, letters: set[str]) -> None:
        for path in self._candidates(kind):
            found = _covered(path, letters)
            self._of.update(dict.fromkeys(found, path))
            letters -= found
            if not letters:
                return
        self._of.update(dict.fromkeys(letters))
        if assigned := sorted(letter for letter in letters if unicodedata.category(letter) not in ("Cn", "Co", "Cs")):
            self._lacking.setdefault(_PACKAGES.get(kind, _OTHER_PACKAGE), assigned[0])

    def _candidates(self, kind: str) -> list[Path]:
        """Return the fonts in the order in which they are tried: those for the kind, those for many kinds, the rest."""
        if kind not in self._orders:
            called, probes = _CALLED.get(kind, (kind,)), set(_PROBES.get(kind, ""))
            ranks = {path: _rank(path, called) for path in self._files}
            named = [path for path, rank in ranks.items() if rank < len(called)]
            named.sort(key=lambda path: (-len(_covered(path, probes)), ranks[path]))
            self._orders[kind] = list(dict.fromkeys([*named, *self._general, *self._files]))
        return self._orders[kind]

    @cached_property
    def _files(self) -> list[Path]:
        return sorted(_files(self._folders), key=_plainness)

    @cached_property
    def _general(self) -> list[Path]:
        found = [path for path in self._files if _name(path).startswith(_GENERAL)]
        return sorted(found, key=lambda path: _rank(path, _GENERAL))


@cache
def machine_fonts() -> Fonts:
    """Return the fonts of this machine."""
    return Fonts(font_folders())


def kind_of(letter: str) -> str:
    """Return what kind of font has a letter: its script, by the first word of its name in Unicode."""
    code = ord(letter)
    ranged = next((kind for first, last, kind in _RANGES if first <= code <= last), None)
    if ranged or unicodedata.category(letter)[0] not in "LM":
        return ranged or _COMMON
    return unicodedata.name(letter, _COMMON).split()[0].split("-")[0].lower()


@lru_cache(maxsize=64)
def clusters(text: str) -> tuple[str, ...]:
    """Cut a text into what is seen as one letter: with its marks, and with what a joiner ties to it."""
    found: list[str] = []
    for letter in text:
        if found and (_sticks(letter) or found[-1][-1] == "\u200d"):
            found[-1] += letter
        else:
            found.append(letter)
    return tuple(found)


def is_ideograph(letter: str) -> bool:
    """Say whether a letter is as wide in any company: those of China, Japan and Korea."""
    return kind_of(letter) == _CJK


def _sticks(letter: str) -> bool:
    return letter in _SILENT or unicodedata.category(letter)[0] == "M" or "\U0001f3fb" <= letter <= "\U0001f3ff"


def _files(folders: Iterable[Path]) -> Iterator[Path]:
    for folder, _, names in (found for top in folders for found in os.walk(top)):
        for name in names:
            # The font of last resort has a picture of a box for every letter.
            if name.lower().endswith((".ttf", ".otf", ".ttc", ".otc")) and "lastresort" not in name.lower():
                yield Path(folder, name)


def _name(path: Path) -> str:
    return path.name.lower()


def _rank(path: Path, called: Sequence[str]) -> int:
    """Return which of some words a font's name has first; as many as there are for none."""
    return next((at for at, word in enumerate(called) if word in _name(path)), len(called))


def _plainness(path: Path) -> tuple[int, bool, str]:
    """Return what plain upright fonts without serifs come first by."""
    name = _name(path)
    return sum(style in name for style in _STYLES), "sans" not in name, str(path)


@lru_cache(maxsize=4096)
def _in_own(letter: str) -> bool:
    """Say whether Pillow's own font has a letter, or nothing is to be seen of it."""
    return letter in _SILENT or letter.isspace() or _looks(_own(20), letter) != _looks(_own(20), _NOWHERE)


def _covered(path: Path, letters: set[str]) -> set[str]:
    """Return those letters that a font has: what it draws is not what it draws for a letter that nobody has."""
    try:
        font = opened(path, 20.0).font
        nothing = _looks(font, _NOWHERE)
        return {letter for letter in letters if _looks(font, letter) != nothing}
    except (OSError, ValueError):
        return set()


def _looks(font: ImageFont.FreeTypeFont, letter: str) -> bytes:
    side = round(font.size * 2)
    picture = Image.new("RGBA", (side, side))
    ImageDraw.Draw(picture).text((side // 4, side // 8), letter, font=font, fill="white", embedded_color=True)
    return picture.tobytes()
