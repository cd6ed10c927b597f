"""Pictures for tests: real ones by Pillow, and headers that claim what no picture is."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any


def picture(format: str = "PNG", size: tuple[int, int] = (640, 480), **how: Any) -> bytes:
    """Return a real file of a real encoder."""
    from PIL import Image

    file = io.BytesIO()
    Image.new("RGB", size, (200, 60, 20)).save(file, format, **how)
    return file.getvalue()


def chunk(name: bytes, data: bytes = b"") -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png_that_claims(width: int, height: int) -> bytes:
    """Return a well-formed PNG whose header has these sides, with nothing like enough data behind it."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND")
    return b"\x89PNG\r\n\x1a\n" + body


def jpeg_that_claims(width: int, height: int, *, frame: int = 0xC0) -> bytes:
    """Return the bones of a JPEG: a thumbnail's end inside a segment, a frame, a scan with stuffed bytes, an end."""
    return (
        b"\xff\xd8"
        + b"\xff\xe1\x00\x0eExif\x00\x00\xff\xd8\xff\xd9ab"
        + b"\xff\xff\xff"
        + bytes([frame])
        + struct.pack(">HBHHB", 11, 8, height, width, 1)
        + b"\x01\x11\x00"
        + b"\xff\xc4\x00\x04\xff\xd9"
        + b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00"
        + b"scan\xff\x00more\xff\xd0restarted\xff\xff\x00"
        + b"\xff\xd9"
    )


def webp(chunk_name: bytes, data: bytes) -> bytes:
    body = b"WEBP" + chunk_name + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


def exif(*, orientation: int | None = None, position: bool = False) -> bytes:
    """Return EXIF as a phone writes it: which way up the picture is, and where it was taken."""
    from PIL import Image

    said = Image.Exif()
    if orientation is not None:
        said[0x0112] = orientation
    if position:
        said[0x8825] = {1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 18.0)}
    return said.tobytes()


def halves(format: str, **how: Any) -> bytes:
    """Return a lying picture of 640 by 480 whose left half is red, and whose right half is blue."""
    from PIL import Image

    image = Image.new("RGB", (640, 480), "blue")
    image.paste("red", (0, 0, 320, 480))
    file = io.BytesIO()
    image.save(file, format, **how)
    return file.getvalue()
