"""Pictures as three planes (YUV 4:2:0, BT.709, limited range), each a Pillow image, and the way to and from PyAV."""

from __future__ import annotations

from typing import NamedTuple

from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace
from PIL import Image

Box = tuple[int, int, int, int]


class Planes(NamedTuple):
    """Luma at full size and the two colour planes at half of it."""

    y: Image.Image
    u: Image.Image
    v: Image.Image

    def copy(self) -> Planes:
        return Planes(self.y.copy(), self.u.copy(), self.v.copy())

    def to_frame(self) -> VideoFrame:
        """Return the picture as PyAV's frame; its rows may be padded, so each plane is written at its own stride."""
        frame = VideoFrame(*self.y.size, "yuv420p")
        for plane, image in zip(frame.planes, self, strict=True):
            data = image.tobytes("raw", "L", plane.line_size)
            plane.update(data.ljust(plane.buffer_size, b"\0"))
        frame.colorspace, frame.color_range = int(Colorspace.ITU709), int(ColorRange.MPEG)
        return frame


def from_picture(picture: Image.Image) -> Planes:
    """Convert an RGB picture; both sides must be even."""
    source = VideoFrame.from_image(picture.convert("RGB"))  # type: ignore[no-untyped-call]
    frame = source.reformat(format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG)
    images = [
        Image.frombytes("L", (plane.width, plane.height), bytes(plane), "raw", "L", plane.line_size)
        for plane in frame.planes
    ]
    return Planes(*images)


def of_frame(frame: VideoFrame) -> Image.Image:
    """Convert a decoded picture back to RGB."""
    rgb = frame.reformat(
        format="rgb24",
        src_colorspace=Colorspace.ITU709,
        src_color_range=ColorRange.MPEG,
        dst_color_range=ColorRange.JPEG,
    )
    (plane,) = rgb.planes
    return Image.frombytes("RGB", (rgb.width, rgb.height), bytes(plane), "raw", "RGB", plane.line_size)


def blend(one: Planes, other: Planes, share: float) -> Planes:
    """Mix two pictures; `share` 0 is the first, 1 the second."""
    return Planes(*(Image.blend(a, b, share) for a, b in zip(one, other, strict=True)))


class Sheet:
    """A small picture with transparency, ready to be laid over others at a fixed place (even coordinates)."""

    def __init__(self, picture: Image.Image, box: Box) -> None:
        left, top, right, bottom = box[0] // 2 * 2, box[1] // 2 * 2, (box[2] + 1) // 2 * 2, (box[3] + 1) // 2 * 2
        cut = picture.crop((left, top, min(right, picture.width), min(bottom, picture.height)))
        self.at = (left, top)
        self.planes = from_picture(cut)
        self.mask = cut.getchannel("A")
        self.half = self.mask.resize(self.planes.u.size, Image.Resampling.BOX)

    def lay_on(self, picture: Planes) -> None:
        """Draw the sheet into the picture."""
        left, top = self.at
        picture.y.paste(self.planes.y, (left, top), self.mask)
        picture.u.paste(self.planes.u, (left // 2, top // 2), self.half)
        picture.v.paste(self.planes.v, (left // 2, top // 2), self.half)


class Strip:
    """A mask of one colour (or of one vertical gradient) that repeats sideways and is drawn at any point of its pan."""

    def __init__(self, mask: Image.Image, fill: Planes, width: int, top: int) -> None:
        self.period = mask.width
        self.width, self.top = width, top
        whole = Image.new("L", (mask.width + width, mask.height))
        for left in range(0, whole.width, mask.width):
            whole.paste(mask, (left, 0))
        self.mask = whole
        self.half = whole.resize((whole.width // 2, whole.height // 2), Image.Resampling.BOX)
        self.fill = fill

    def lay_on(self, picture: Planes, pan: int) -> None:
        """Draw the strip, moved left by `pan` pixels."""
        left = pan % self.period // 2 * 2
        height = self.mask.height
        mask = self.mask.crop((left, 0, left + self.width, height))
        half = self.half.crop((left // 2, 0, (left + self.width) // 2, height // 2))
        picture.y.paste(self.fill.y, (0, self.top), mask)
        picture.u.paste(self.fill.u, (0, self.top // 2), half)
        picture.v.paste(self.fill.v, (0, self.top // 2), half)


class Spot:
    """A soft shape of one colour that is drawn anywhere, also half outside the picture."""

    def __init__(self, mask: Image.Image, colour: tuple[int, int, int]) -> None:
        self.mask = mask
        self.half = mask.resize((mask.width // 2, mask.height // 2), Image.Resampling.BOX)
        pixel = from_picture(Image.new("RGB", (2, 2), colour))
        self.values = tuple(plane.tobytes()[0] for plane in pixel)

    def lay_on(self, picture: Planes, centre: tuple[int, int]) -> None:
        """Draw the shape with its middle at `centre`."""
        left, top = (centre[0] - self.mask.width // 2) // 2 * 2, (centre[1] - self.mask.height // 2) // 2 * 2
        for plane, value, mask, scale in zip(
            picture, self.values, (self.mask, self.half, self.half), (1, 2, 2), strict=True
        ):
            x, y = left // scale, top // scale
            plane.paste(value, (x, y, x + mask.width, y + mask.height), mask)
