"""The landscape behind the type: a sky, a light that crosses it in the film's time, clouds, and hills that drift by."""

from __future__ import annotations

import math
import random

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from orvideo.sandbox.card import Card, Film
from orvideo.sandbox.palette import Colour
from orvideo.sandbox.planes import Planes, Spot, Strip, from_picture

#: Where the hills begin, as a share of the height, from the far ones to the near ones.
_RIDGES = (0.62, 0.72, 0.83)
#: How far each layer drifts in a frame, in 1/720 of the shorter side: whole pixels, so that motion is even.
_PACE = (1, 2, 4)


class Scene:
    """Everything that moves, drawn frame by frame; the same film gives the same pictures."""

    def __init__(self, film: Film, type_card: Card, *, fps: int = 24) -> None:
        self._film, self._card, self._fps = film, type_card, fps
        # Not for secrets: a source of shapes that gives the same shapes for the same request.
        chance = random.Random(film.seed)  # noqa: S311
        self._sky = from_picture(_sky(film, chance))
        self._light = _light(film)
        self._clouds = _clouds(film, chance)
        self._hills = [_hills(film, layer, chance) for layer in range(3)]
        self._sparks = _Sparks(film, chance)

    def draw(self, number: int, total: int) -> Planes:
        """Return frame `number` of `total`."""
        picture = self._sky.copy()
        self._light.lay_on(picture, self._light_at(number / max(1, total - 1)))
        self._clouds.lay_on(picture, number * self._pace(1))
        for layer, strip in enumerate(self._hills):
            strip.lay_on(picture, number * self._pace(_PACE[layer]))
        self._sparks.lay_on(picture, number)
        self._card.lay_on(picture, number, total, self._fps)
        return picture

    def _pace(self, pixels: int) -> int:
        return max(1, round(pixels * self._film.unit / 720))

    def _light_at(self, share: float) -> tuple[int, int]:
        """Return where the sun or moon stands: it rises at the left, and sets at the right as the film ends."""
        width, height = self._film.width, self._film.height
        rise = math.sin(math.pi * (0.12 + 0.76 * share))
        # Never behind the type: under a long prompt it stays low.
        peak = min(max(height * 0.46, self._card.bottom + self._film.unit * 0.07), height * 0.66)
        return round(width * (0.1 + 0.8 * share)), round(height * 0.66 - (height * 0.66 - peak) * rise)


def _column(colours: tuple[Colour, ...], height: int) -> Image.Image:
    """Return a gradient one pixel wide through the colours at even distances."""
    column = Image.new("RGB", (1, height))
    last = len(colours) - 1
    for y in range(height):
        at = y / max(1, height - 1) * last
        step = min(int(at), last - 1)
        share = at - step
        mixed = (round(a + (b - a) * share) for a, b in zip(colours[step], colours[step + 1], strict=True))
        red, green, blue = mixed
        column.putpixel((0, y), (red, green, blue))
    return column


def _gradient(colours: tuple[Colour, ...], width: int, height: int) -> Image.Image:
    return _column(colours, height).resize((width, height), Image.Resampling.NEAREST)


def _sky(film: Film, chance: random.Random) -> Image.Image:
    horizon = round(film.height * 0.74)
    sky = Image.new("RGB", (film.width, film.height), film.palette.sky[-1])
    sky.paste(_gradient(film.palette.sky, film.width, horizon), (0, 0))
    if film.palette.stars:
        draw = ImageDraw.Draw(sky, "RGBA")
        for _ in range(90):
            x, y = chance.random() * film.width, chance.random() ** 1.6 * horizon * 0.8
            radius = film.unit * (0.0008 + 0.0016 * chance.random())
            draw.ellipse(
                (x - radius, y - radius, x + radius, y + radius), fill=(255, 255, 255, chance.randint(40, 130))
            )
    return sky


def _light(film: Film) -> Spot:
    """Return the sun (or moon): a disc in a wide, soft glow."""
    radius = round(film.unit * 0.055)
    reach = radius * 4
    # Drawn small and enlarged: the glow has no detail to lose.
    small = 64
    glow = Image.new("L", (small, small), 0)
    for y in range(small):
        for x in range(small):
            far = math.hypot(x - (small - 1) / 2, y - (small - 1) / 2) / (small / 2)
            glow.putpixel((x, y), round(95 * max(0.0, 1 - far) ** 2.2))
    mask = glow.resize((reach * 2, reach * 2), Image.Resampling.BICUBIC)
    disc = Image.new("L", (radius * 8, radius * 8), 0)
    ImageDraw.Draw(disc).ellipse((radius * 2, radius * 2, radius * 6, radius * 6), fill=245)
    disc = disc.resize((radius * 4, radius * 4), Image.Resampling.LANCZOS)
    whole = Image.new("L", mask.size, 0)
    whole.paste(disc, (reach - radius * 2, reach - radius * 2))
    return Spot(ImageChops.lighter(mask, whole), film.palette.light)


def _clouds(film: Film, chance: random.Random) -> Strip:
    """Return long thin clouds, drawn at a quarter of the size and enlarged."""
    top, height = round(film.height * 0.06) // 2 * 2, round(film.height * 0.58) // 2 * 2
    period = round(film.width * 1.25) // 8 * 8
    width, low = period // 4, max(8, height // 4)
    mask = Image.new("L", (width, low), 0)
    draw = ImageDraw.Draw(mask)
    for _ in range(9):
        x, y = chance.random() * width, chance.uniform(0.15, 0.95) * low
        length, thick = film.unit * chance.uniform(0.08, 0.2), film.unit * chance.uniform(0.004, 0.012)
        for part in range(4):
            dx, dy = chance.uniform(-0.4, 0.4) * length, chance.uniform(-1.6, 1.6) * thick
            size = length * (1 - part * 0.18) / 2
            for wrapped in (x - width, x, x + width):
                box = (wrapped + dx - size, y + dy - thick, wrapped + dx + size, y + dy + thick)
                draw.ellipse(box, fill=chance.randint(40, 70))
    soft = mask.filter(ImageFilter.GaussianBlur(max(1.0, film.unit * 0.004)))
    # Nothing of a cloud may end in a straight line at the strip's edges.
    edge = Image.linear_gradient("L").resize((width, low)).point([min(255, min(at, 255 - at) * 6) for at in range(256)])
    fill = from_picture(Image.new("RGB", (film.width, height), film.palette.light))
    whole = ImageChops.multiply(soft, edge).resize((period, height), Image.Resampling.BICUBIC)
    return Strip(whole, fill, film.width, top)


def _hills(film: Film, layer: int, chance: random.Random) -> Strip:
    """Return one range of hills: a sum of waves that closes on itself, paler at its foot as if in mist."""
    top = round(film.height * (_RIDGES[layer] - 0.08)) // 2 * 2
    height = (film.height - top) // 2 * 2
    period = round(film.width * (1.4 + 0.2 * layer)) // 2 * 2
    waves = [
        (count, chance.random() * math.tau, weight)
        for count, weight in ((2 + layer, 0.5), (5 + layer, 0.3), (9 + 2 * layer, 0.13), (23, 0.05))
    ]
    swing, fine = film.height * 0.075, 2
    step = max(1, film.width // 640)
    line = []
    for x in range(0, period + step, step):
        rise = sum(weight * math.sin(math.tau * count * x / period + phase) for count, phase, weight in waves)
        line.append((x * fine, (film.height * 0.08 - swing * rise) * fine))
    mask = Image.new("L", (period * fine, height * fine), 0)
    ImageDraw.Draw(mask).polygon([*line, (period * fine, height * fine), (0, height * fine)], fill=255)
    mist = film.palette.hills[max(0, layer - 1)] if layer else film.palette.sky[1]
    colour = film.palette.hills[layer]
    foot: Colour = tuple((a * 2 + b) // 3 for a, b in zip(colour, mist, strict=True))  # type: ignore[assignment]
    fill = from_picture(_gradient((colour, foot), film.width, height))
    return Strip(mask.resize((period, height), Image.Resampling.BOX), fill, film.width, top)


class _Sparks:
    """A few lights that wander over the hills, each on a slow closed path."""

    def __init__(self, film: Film, chance: random.Random) -> None:
        self._film = film
        self._spots = [_spark(film, size) for size in (0.008, 0.013, 0.02)]
        self._paths = [
            (chance.random(), chance.uniform(0.6, 0.86), chance.uniform(0.3, 1.0), chance.random() * math.tau, kind % 3)
            for kind in range(9)
        ]

    def lay_on(self, picture: Planes, number: int) -> None:
        width, height, unit = self._film.width, self._film.height, self._film.unit
        for start, level, pace, phase, kind in self._paths:
            x = (start * width + number * pace * unit / 360) % (width * 1.1) - width * 0.05
            y = level * height + math.sin(phase + number * 0.045 * pace) * unit * 0.035
            self._spots[kind].lay_on(picture, (round(x), round(y)))


def _spark(film: Film, size: float) -> Spot:
    radius = max(3, round(film.unit * size))
    mask = Image.new("L", (radius * 4, radius * 4), 0)
    draw = ImageDraw.Draw(mask)
    draw.ellipse((radius, radius, radius * 3, radius * 3), fill=70)
    draw.ellipse((radius * 1.6, radius * 1.6, radius * 2.4, radius * 2.4), fill=220)
    return Spot(mask.filter(ImageFilter.GaussianBlur(radius / 4)), film.palette.light)
