"""`--fix-image`: a picture decoded and written anew as every provider sees it alike. Only here are pixels touched."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from orvideo.errors import UsageError

if TYPE_CHECKING:
    from PIL import Image

    from orvideo.request.pictures import Picture

#: No more is decoded: a header that claims more may be a trap (drill I04), and memory goes with it. In pixels.
MOST_PIXELS = 89_000_000
_QUALITY = 95


def mended(data: bytes, picture: Picture, origin: str) -> bytes:
    """Return a picture upright, in sRGB with 8 bits, on white where it was transparent, without metadata.

    A JPEG stays one, so does a PNG; of a WebP a JPEG is made where it was compressed with loss, else a PNG. The file is
    left as it is (finding C10). Raises UsageError where Pillow is missing or cannot read it.
    """
    try:
        from PIL import Image
    except ImportError:
        from orvideo.installers import line_for

        raise UsageError("--fix-image needs Pillow, which is not installed.", hint=line_for("images")) from None
    if picture.width * picture.height > MOST_PIXELS:
        raise UsageError(
            f"{origin} is {picture.width} × {picture.height} pixels; --fix-image opens at most {MOST_PIXELS:,} of them."
        )
    file = io.BytesIO()
    try:
        with Image.open(io.BytesIO(data), formats=("PNG", "JPEG", "WEBP")) as opened:
            plain = _plain(opened)
        plain.save(file, "JPEG" if picture.lossy else "PNG", **({"quality": _QUALITY} if picture.lossy else {}))
    except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError) as error:
        raise UsageError(f"{origin} cannot be opened to be mended: {error}.") from error
    return file.getvalue()


def _plain(image: Image.Image) -> Image.Image:
    from PIL import Image, ImageOps

    profile = image.info.get("icc_profile")
    upright = ImageOps.exif_transpose(image)
    if upright.mode.startswith("I"):
        upright = upright.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if upright.has_transparency_data:
        seen = upright.convert("RGBA")
        upright = Image.alpha_composite(Image.new("RGBA", seen.size, "white"), seen).convert("RGB")
    elif upright.mode not in ("L", "RGB", "CMYK"):
        upright = upright.convert("RGB")
    plain = Image.new("RGB", upright.size)  # a new one has no metadata
    plain.paste(_in_srgb(upright, profile))
    return plain


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Return a picture in sRGB; one whose profile is missing or makes no sense is taken as everybody takes it."""
    from PIL import ImageCms

    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            found = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
        except (ImageCms.PyCMSError, OSError, ValueError):
            found = None
        if found is not None:
            return found
    return image.convert("RGB")
