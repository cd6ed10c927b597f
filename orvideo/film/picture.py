"""A decoded frame as it is shown: its colours as the file says, square pixels, upright."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from av.video.frame import VideoFrame
    from PIL import Image

#: What AVFrame has where a file does not say by which matrix its colours were made (ITU-T H.273).
UNSPECIFIED = 2
#: Bilinear, colours at full width, exact rounding: swscale's flags, which older versions of PyAV have no names for.
_EXACT = 0x2 | 0x2000 | 0x40000
#: The lines of the largest picture of standard definition: larger ones that do not say are BT.709, as players take it.
SD_LINES = 576


def picture_of(frame: VideoFrame, pixel_aspect: Fraction | None) -> Image.Image:
    """Return a frame as an RGB picture. Raises FFmpegError where its colours cannot be converted."""
    from PIL import Image

    rgb = _to_rgb(frame)
    (plane,) = rgb.planes
    picture = Image.frombytes("RGB", (rgb.width, rgb.height), bytes(plane), "raw", "RGB", plane.line_size)
    size = shown_size(*picture.size, pixel_aspect)
    if size != picture.size:
        picture = picture.resize(size, Image.Resampling.LANCZOS)
    # Both turn against the clock.
    turn = round(frame.rotation / 90) * 90
    return picture.rotate(turn, expand=True) if turn % 360 else picture


def _to_rgb(frame: VideoFrame) -> VideoFrame:
    from av.video.reformatter import ColorRange, Colorspace

    matrix = None
    if frame.colorspace == UNSPECIFIED:
        matrix = Colorspace.ITU709 if frame.height > SD_LINES else Colorspace.ITU601
    return frame.reformat(
        format="rgb24",
        src_colorspace=matrix,
        src_color_range=frame.color_range or None,
        # RGB has no matrix; but PyAV 15 heeds the source's only where this is another.
        dst_colorspace=Colorspace.DEFAULT,
        dst_color_range=ColorRange.JPEG,
        interpolation=_EXACT,
    )


def shown_size(width: int, height: int, pixel_aspect: Fraction | None) -> tuple[int, int]:
    """Return the size of a picture with square pixels: one side grows, none shrinks."""
    if not pixel_aspect or pixel_aspect <= 0:
        return width, height
    if pixel_aspect > 1:
        return max(1, round(width * pixel_aspect)), height
    return width, max(1, round(height / pixel_aspect))
