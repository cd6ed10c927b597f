"""Pictures as files: PNG, JPEG, WebP."""

from __future__ import annotations

import io
from enum import StrEnum
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from orvideo.errors import UsageError

if TYPE_CHECKING:
    from PIL import Image


class Kind(StrEnum):
    """A format, by Pillow's name for it."""

    PNG = "PNG"
    JPEG = "JPEG"
    WEBP = "WEBP"


_BY_SUFFIX = {".png": Kind.PNG, ".jpg": Kind.JPEG, ".jpeg": Kind.JPEG, ".webp": Kind.WEBP}
#: JPEG keeps all that the eye sees, WebP loses nothing.
_OPTIONS: dict[Kind, dict[str, Any]] = {
    Kind.PNG: {},
    Kind.JPEG: {"quality": 95, "subsampling": 0},
    Kind.WEBP: {"lossless": True},
}
#: The longest side that a format takes, in pixels.
_LONGEST = {Kind.JPEG: 65_500, Kind.WEBP: 16_383}


def kind_of(name: str) -> Kind:
    """Return the format that a file's name asks for; PNG without a suffix. Raises UsageError for any other suffix."""
    suffix = PurePath(name).suffix
    if not suffix:
        return Kind.PNG
    if (kind := _BY_SUFFIX.get(suffix.lower())) is None:
        raise UsageError(
            f"A picture cannot be written as {suffix}.", hint="name a file that ends in .png, .jpg or .webp"
        )
    return kind


def encoded(image: Image.Image, kind: Kind) -> bytes:
    """Return a picture as the bytes of a file. Raises UsageError where the format takes none so large."""
    if max(image.size) > _LONGEST.get(kind, max(image.size)):
        size = f"{image.width}x{image.height}"
        raise UsageError(f"{kind} takes no picture of {size}.", hint="name a file that ends in .png")
    held = io.BytesIO()
    image.save(held, kind.value, **_OPTIONS[kind])
    return held.getvalue()
