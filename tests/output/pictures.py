"""Pictures as terminals draw them, read back from what a terminal was sent."""

from __future__ import annotations

import io
import re
from base64 import b64decode
from typing import NamedTuple

from PIL import Image

_KITTY = re.compile(r"\x1b_G(?:(?P<keys>a=[^;]*),)?m=(?P<more>[01]);(?P<data>[A-Za-z0-9+/=]*)\x1b\\")
_ITERM2 = re.compile(r"\x1b\]1337;File=(?P<keys>[^:]*):(?P<data>[A-Za-z0-9+/=]*)\x07")
_SIXEL = re.compile(r'\x1bP[0-9;]*q"1;1;(?P<wide>\d+);(?P<high>\d+)(?P<data>[^\x1b]*)\x1b\\')
_TOKEN = re.compile(r"#(?P<number>\d+)(?:;2;(?P<parts>[\d;]+))?|(?P<move>[$-])|(?:!(?P<times>\d+))?(?P<column>[?-~])")
_RGB = r"(\d+);(\d+);(\d+)"
_BLOCK = re.compile(rf"\x1b\[38;2;{_RGB};48;2;{_RGB}m(▀)|(\n)")


class Seen(NamedTuple):
    """A picture, and what the terminal was told beside it."""

    image: Image.Image
    keys: dict[str, str]


def kitty(sent: str) -> Seen:
    pieces = list(_KITTY.finditer(sent))
    assert [piece["more"] for piece in pieces] == ["1"] * (len(pieces) - 1) + ["0"]
    assert all(len(piece["data"]) <= 4096 for piece in pieces)
    return Seen(_png("".join(piece["data"] for piece in pieces)), _keys(pieces[0]["keys"], ","))


def iterm2(sent: str) -> Seen:
    (found,) = _ITERM2.finditer(sent)
    keys = _keys(found["keys"], ";")
    assert int(keys["size"]) == len(b64decode(found["data"]))
    return Seen(_png(found["data"]), keys)


def sixel(sent: str) -> Seen:
    """Decode sixels: a colour, then columns of six pixels; `!N` repeats, `$` goes back, `-` to the next six lines."""
    (found,) = _SIXEL.finditer(sent)
    image = Image.new("RGB", (int(found["wide"]), int(found["high"])))
    palette: dict[str, tuple[int, ...]] = {}
    colour: tuple[int, ...] = (0, 0, 0)
    x = y = 0
    for token in _TOKEN.finditer(found["data"]):
        if token["number"]:
            if token["parts"]:
                palette[token["number"]] = tuple(round(int(part) * 2.55) for part in token["parts"].split(";"))
            colour = palette[token["number"]]
        elif token["move"]:
            x, y = 0, y + (6 if token["move"] == "-" else 0)
        else:
            bits = ord(token["column"]) - 0x3F
            end = x + int(token["times"] or 1)
            for bit in range(6):
                if bits >> bit & 1:
                    image.paste(colour, (x, y + bit, end, y + bit + 1))
            x = end
    return Seen(image, {})


def blocks(sent: str) -> Seen:
    lines: list[list[tuple[int, ...]]] = [[], []]
    for found in _BLOCK.finditer(sent):
        if found[8]:
            lines += [[], []]
        else:
            lines[-2].append(tuple(map(int, found.groups()[:3])))
            lines[-1].append(tuple(map(int, found.groups()[3:6])))
    lines = [line for line in lines if line]
    image = Image.new("RGB", (len(lines[0]), len(lines)))
    image.putdata([pixel for line in lines for pixel in line])
    return Seen(image, {})


def _png(data: str) -> Image.Image:
    image = Image.open(io.BytesIO(b64decode(data)))
    assert image.format == "PNG"
    return image.convert("RGB")


def _keys(text: str, between: str) -> dict[str, str]:
    return dict(pair.split("=", 1) for pair in text.split(between))
