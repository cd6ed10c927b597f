"""The colours of a sandbox film: a few skies that white type reads well on, picked by what was asked for."""

from __future__ import annotations

from dataclasses import dataclass

Colour = tuple[int, int, int]


def _colour(text: str) -> Colour:
    return int(text[0:2], 16), int(text[2:4], 16), int(text[4:6], 16)


@dataclass(frozen=True)
class Palette:
    """A sky from top to horizon, the light in it, the hills from far to near, and the accent of small marks."""

    name: str
    sky: tuple[Colour, Colour, Colour]
    light: Colour
    hills: tuple[Colour, Colour, Colour]
    accent: Colour
    stars: bool = False


def _palette(name: str, sky: str, light: str, hills: str, accent: str, *, stars: bool = False) -> Palette:
    top, middle, horizon = (_colour(part) for part in sky.split())
    far, mid, near = (_colour(part) for part in hills.split())
    return Palette(name, (top, middle, horizon), _colour(light), (far, mid, near), _colour(accent), stars)


PALETTES = (
    _palette("dusk", "1a1d48 59386f e8875c", "ffe2a0", "5a3566 38224f 1b1231", "ffb56b"),
    _palette("dawn", "2a3560 8a5573 f0ae8c", "fff2d6", "6d5778 463e5d 242136", "ffc9a8"),
    _palette("sea", "0a2142 155f86 8fd0de", "fbf6dc", "1f6f8b 134b68 0a2740", "8fe3ee"),
    _palette("forest", "0d2a2d 27655a cfdf9c", "fdf7c9", "2a6152 1a4237 0c241d", "d7ec9a"),
    _palette("desert", "33264e a34c52 f6c26c", "fff0bf", "9c4740 6b3237 381823", "ffcf7a"),
    _palette("night", "050a1c 10264f 3c6aa2", "f5f0dd", "17305a 0d1d3b 050d1d", "9cc4f5", stars=True),
    _palette("aurora", "06111f 0c4a49 63c79f", "eafff2", "11504b 0a322f 041816", "8ff0c4", stars=True),
    _palette("plum", "240f35 6e2a63 e57f86", "ffe9dc", "64275c 40193f 1f0b21", "ffa6b0"),
)


def palette_for(seed: int) -> Palette:
    """Return the palette that a number (a hash of the request) stands for."""
    return PALETTES[seed % len(PALETTES)]
