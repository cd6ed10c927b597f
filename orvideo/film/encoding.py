"""A still as the bytes of a picture file."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

_JPEG_QUALITY = 95


def encoded(image: Image.Image, most: int) -> bytes:
    """Return an RGB picture as PNG, or as JPEG with full colour where the PNG has more bytes than `most`."""
    png = BytesIO()
    image.save(png, "PNG")
    if png.tell() <= most:
        return png.getvalue()
    jpeg = BytesIO()
    image.save(jpeg, "JPEG", quality=_JPEG_QUALITY, subsampling=0)
    return jpeg.getvalue()
