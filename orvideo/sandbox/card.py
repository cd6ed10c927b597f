"""What a sandbox film says: the request as type, laid out for any size and shape of picture.

Type is Pillow's own; the machine's fonts are taken for the letters that it lacks (`fonts`).
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field

from PIL import Image, ImageDraw, ImageFilter, ImageOps

from orvideo.lettering.fonts import Fonts, machine_fonts
from orvideo.lettering.typeset import Face, plain, set_text
from orvideo.sandbox.palette import Colour, Palette, palette_for
from orvideo.sandbox.planes import Planes, Sheet, Spot

MARK = "orvideo sandbox"
_WHITE: Colour = (255, 255, 255)
_BLACK: Colour = (0, 0, 0)
_INK: Colour = (24, 26, 34)
_PAPER: Colour = (236, 232, 222)


@dataclass(frozen=True)
class Still:
    """An image given with a request: its bytes, or, where only an address is known, a card that names it."""

    label: str
    data: bytes | None = None
    address: str = ""

    def picture(self) -> Image.Image | None:
        """Return the image upright in RGB, None where there are no bytes or they are no image."""
        if self.data is None:
            return None
        try:
            with Image.open(io.BytesIO(self.data)) as opened:
                return ImageOps.exif_transpose(opened).convert("RGB")
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
            return None

    def fill(self, width: int, height: int) -> Image.Image:
        """Return the image scaled and cropped about its middle to the size, or the card that stands for it."""
        found = self.picture()
        if found is not None:
            return ImageOps.fit(found, (width, height), Image.Resampling.LANCZOS)
        return _placeholder(self, width, height)


@dataclass(frozen=True)
class Film:
    """All that a film is made of. Width and height in pixels (even), whole seconds; `seed` picks colours and tune."""

    width: int
    height: int
    seconds: int
    model: str
    prompt: str
    seed: int = 0
    sound: bool = False
    facts: tuple[str, ...] = ()
    first: Still | None = None
    last: Still | None = None
    references: tuple[Still, ...] = ()
    fonts: Fonts = field(default_factory=machine_fonts)

    @property
    def palette(self) -> Palette:
        return palette_for(self.seed)

    @property
    def unit(self) -> int:
        """The shorter side: everything is measured by it, so that type is readable at any shape."""
        return min(self.width, self.height)

    @property
    def margin(self) -> int:
        return max(8, round(self.unit * 0.065))


class Card:
    """The type of a film: what stands still, the running time and the progress strip."""

    def __init__(self, film: Film) -> None:
        self._film = film
        heading = _heading_sheet(film)
        #: Where the heading ends, in pixels from the top.
        self.bottom = heading.at[1] + heading.mask.height
        self._sheets = [heading, _footer_sheet(film)]
        self._digits = _digits(film)
        self._accent = Spot(Image.new("L", (2, 2), 255), film.palette.accent).values

    def lay_on(self, picture: Planes, number: int, total: int, fps: int) -> None:
        """Draw the card of one frame into the picture."""
        for sheet in self._sheets:
            sheet.lay_on(picture)
        self._progress(picture, (number + 1) / total)
        self._time(picture, f"{_clock(number, fps)} / {_clock(total, fps)}")

    def _progress(self, picture: Planes, share: float) -> None:
        left, top, right, bottom = _strip_box(self._film)
        right = left + max(2, round((right - left) * share) // 2 * 2)
        for plane, value, scale in zip(picture, self._accent, (1, 2, 2), strict=True):
            plane.paste(value, (left // scale, top // scale, right // scale, bottom // scale))

    def _time(self, picture: Planes, text: str) -> None:
        cells = [self._digits[letter] for letter in text]
        left = self._film.width - self._film.margin - sum(cell.mask.width for cell in cells)
        top = _footer_top(self._film)
        for cell in cells:
            half = cell.mask.width // 2
            cell.lay_on(picture, (left + half, top + cell.mask.height // 2))
            left += cell.mask.width


def card(film: Film) -> Card:
    """Return the film's card, laid out."""
    return Card(film)


def _clock(number: int, fps: int) -> str:
    seconds, frame = divmod(number, fps)
    return f"{seconds // 60}:{seconds % 60:02}.{frame:02}"


def _heading_sheet(film: Film) -> Sheet:
    """Return model, prompt, facts and thumbnails: all that stands in the sky."""
    layer = Image.new("RGBA", (film.width, film.height), (0, 0, 0, 0))
    left, width = film.margin, film.width - 2 * film.margin
    small = max(12.0, film.unit * 0.036)
    top = film.margin
    heading = set_text(plain(film.model), width, round(small * 1.3), largest=small, smallest=min(small, 9.0))
    heading.draw(layer, left, top, film.palette.accent)
    top += round(small * 2.0)
    thumbs = _thumbnails(film)
    bottom = round(film.height * (0.70 if film.height > film.width else 0.68))
    thumb_height = _thumb_height(film) if thumbs else 0
    room = bottom - top - thumb_height - round(small * 2.4) - (round(small * 1.6) if thumbs else 0)
    prompt = set_text(
        plain(film.prompt) or "(no prompt)",
        width,
        room,
        largest=max(16.0, film.unit * 0.1),
        smallest=max(11.0, film.unit * 0.034),
        fonts=film.fonts,
    )
    prompt.draw(layer, left, top, _WHITE)
    top += prompt.height + round(small * 0.7)
    facts = set_text(plain("  ·  ".join(film.facts)), width, round(small * 1.2), largest=small, smallest=9.0)
    facts.draw(layer, left, top, (*_WHITE, 215))
    shaded = _with_shadow(layer, film)
    if thumbs:
        _hang(shaded, film, thumbs, top + round(small * 2.0))
    return Sheet(shaded, shaded.getbbox() or (0, 0, 2, 2))


def _with_shadow(layer: Image.Image, film: Film) -> Image.Image:
    """Put a soft dark ground behind type, so that it reads on a bright cloud too."""
    box = layer.getbbox()
    if box is None:
        return layer
    radius = max(2, round(film.unit * 0.012))
    reach = radius * 3
    area = (
        max(0, box[0] - reach),
        max(0, box[1] - reach),
        min(film.width, box[2] + reach),
        min(film.height, box[3] + reach),
    )
    letters = layer.crop(area)
    alpha = letters.getchannel("A").filter(ImageFilter.GaussianBlur(radius))
    ground = Image.new("RGBA", letters.size, (*_BLACK, 0))
    ground.putalpha(alpha.point([min(200, round(value * 1.1)) for value in range(256)]))
    ground.alpha_composite(letters)
    result = Image.new("RGBA", layer.size, (0, 0, 0, 0))
    result.paste(ground, area[:2])
    return result


def _thumbnails(film: Film) -> list[Still]:
    """Return the given images, none where the picture is too small to show them beside the type."""
    given = [film.first, film.last, *film.references]
    return [still for still in given if still is not None and film.unit >= 160]


def _thumb_height(film: Film) -> int:
    return round(film.unit * 0.19)


def _hang(layer: Image.Image, film: Film, thumbs: list[Still], top: int) -> None:
    """Hang the given images in a row, like instant photographs with a label; those that do not fit are counted."""
    height = _thumb_height(film) - _label_band(film)
    gap, edge = round(film.unit * 0.025), max(1, round(film.unit * 0.004))
    draw = ImageDraw.Draw(layer)
    size, band = _label_size(film), _label_band(film)
    left = film.margin
    for number, still in enumerate(thumbs):
        found = still.picture()
        ratio = min(2.0, max(0.6, found.width / found.height)) if found else 16 / 9
        width = round(height * ratio)
        if left + width > film.width - film.margin:
            more = f"+{len(thumbs) - number}"
            Face(size * 1.5).draw(layer, (left, top + height // 3), more, _WHITE)
            return
        draw.rectangle((left - edge, top - edge, left + width + edge - 1, top + height + band), fill=_PAPER)
        layer.paste(still.fill(width, height), (left, top))
        label = set_text(plain(still.label), width - edge * 2, band, largest=size, smallest=7.0)
        label.draw(layer, left + edge, top + height + round((band - label.size * 1.15) / 2), _INK)
        left += width + gap


def _label_size(film: Film) -> float:
    return max(10.0, film.unit * 0.024)


def _label_band(film: Film) -> int:
    return round(_label_size(film) * 1.45)


def _placeholder(still: Still, width: int, height: int) -> Image.Image:
    """Return the card for an image that cannot be fetched: the sandbox never calls out."""
    picture = Image.new("RGB", (width, height), _PAPER)
    draw = ImageDraw.Draw(picture)
    unit = min(width, height)
    line = max(1, unit // 90)
    inset = max(2, unit // 22)
    draw.rectangle((inset, inset, width - inset, height - inset), outline=(176, 166, 148), width=line)
    if unit < 24:
        return picture
    text = plain(still.address) or "an image that cannot be read"
    room = (width - 4 * inset, height - 4 * inset)
    label = max(8.0, unit * 0.06)
    if height > 160:
        Face(label).draw(picture, (inset * 2, inset * 2), plain(still.label), (140, 110, 70))
        room = (room[0], room[1] - round(label * 2))
    block = set_text(text, *room, largest=max(9.0, unit * 0.09), smallest=7.0)
    block.draw(picture, inset * 2, (height - block.height) // 2, _INK, centred=True)
    return picture


def _footer_size(film: Film) -> float:
    return max(13.0, film.unit * 0.042)


def _footer_top(film: Film) -> int:
    return (_strip_box(film)[1] - round(_footer_size(film) * 1.75)) // 2 * 2


def _strip_box(film: Film) -> tuple[int, int, int, int]:
    thick = max(2, round(film.unit * 0.008) // 2 * 2)
    bottom = (film.height - film.margin) // 2 * 2
    left = film.margin // 2 * 2
    return left, bottom - thick, (film.width - film.margin) // 2 * 2, bottom


def _footer_sheet(film: Film) -> Sheet:
    layer = Image.new("RGBA", (film.width, film.height), (0, 0, 0, 0))
    draw = ImageDraw.Draw(layer)
    size = _footer_size(film)
    top = _footer_top(film)
    dot = round(size * 0.46)
    middle = top + round(size * 0.72)
    draw.ellipse((film.margin, middle - dot // 2, film.margin + dot, middle - dot // 2 + dot), fill=film.palette.accent)
    Face(size).draw(layer, (film.margin + round(size * 0.8), top), MARK, _WHITE)
    left, strip_top, right, bottom = _strip_box(film)
    draw.rectangle((left, strip_top, right - 1, bottom - 1), fill=(*_WHITE, 70))
    return Sheet(layer, layer.getbbox() or (0, 0, 2, 2))


def _digits(film: Film) -> dict[str, Spot]:
    """Return the signs of the running time, each in a cell of its own width, so that nothing jumps."""
    font = Face(_footer_size(film))
    figure = round(max(font.getlength(sign) for sign in "0123456789")) // 2 * 2 + 2
    height = round(_footer_size(film) * 1.4) // 2 * 2
    signs = {}
    for sign in "0123456789:./ ":
        width = figure if sign.isdigit() else max(2, round(font.getlength(sign) * 1.2) // 2 * 2)
        mask = Image.new("L", (width, height), 0)
        at = (width - font.getlength(sign)) / 2
        ImageDraw.Draw(mask).text((at, 0), sign, font=font.own, fill=255 if sign not in "/" else 150)
        signs[sign] = Spot(mask, _WHITE)
    return signs
