"""What a file is by its first bytes, in the words of people, for a refusal. Its name counts for nothing."""

import re
from typing import NamedTuple

#: So much of a file is looked at.
_HEAD = 2048


class Kind(NamedTuple):
    """What a file is, as it stands in a sentence, and which medium: "image", "audio", "video", None for no medium."""

    name: str
    medium: str | None = None


_KINDS: tuple[tuple[str, str, str | None], ...] = (
    (r"\x89PNG\r\n\x1a\n", "a PNG", "image"),
    (r"\xff\xd8\xff", "a JPEG", "image"),
    (r"RIFF.{4}WEBP", "a WebP", "image"),
    (r"GIF8[79]a", "a GIF", "image"),
    (r"BM.{4}\x00\x00\x00\x00", "a BMP", "image"),
    (r"II\*\x00|MM\x00\*|II\+\x00|MM\x00\+", "a TIFF (or a camera's raw file)", "image"),
    (r"[\x00-\x1f].{3}ftyp(avif|avis)", "an AVIF", "image"),
    (r"[\x00-\x1f].{3}ftyp(heic|heix|hevc|hevx|heim|heis|mif1|msf1)", "a HEIC", "image"),
    (r"\xff\x0a|\x00\x00\x00\x0cJXL ", "a JPEG XL", "image"),
    (r"\x00\x00\x00\x0cjP  |\xff\x4f\xff\x51", "a JPEG 2000", "image"),
    (r"\x00\x00\x01\x00", "an icon", "image"),
    (r"8BPS", "a Photoshop file", "image"),
    (r"[\x00-\x1f].{3}ftypM4[AB]", "audio (M4A)", "audio"),
    (r"[\x00-\x1f].{3}(ftyp|moov|mdat|wide|free)", "a video (MP4)", "video"),
    (r"\x1a\x45\xdf\xa3", "a video (WebM or Matroska)", "video"),
    (r"RIFF.{4}AVI ", "a video (AVI)", "video"),
    (r"\x00\x00\x01[\xb3\xba]", "a video (MPEG)", "video"),
    (r"RIFF.{4}WAVE", "audio (WAV)", "audio"),
    (r"ID3[\x02-\x04]|\xff[\xe2\xe3\xf2\xf3\xfa\xfb]", "audio (MP3)", "audio"),
    (r"\xff[\xf0\xf1\xf8\xf9]", "audio (AAC)", "audio"),
    (r"fLaC", "audio (FLAC)", "audio"),
    (r"OggS", "audio (Ogg)", "audio"),
    (r"%PDF", "a PDF", None),
    (r"PK(\x03\x04|\x05\x06)", "a ZIP archive, or a document made of one (.xlsx, .ods, .docx)", None),
    (r"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office document (.xls, .doc)", None),
    (r"\x1f\x8b|BZh[1-9]1AY|\xfd7zXZ\x00|7z\xbc\xaf\x27|Rar!\x1a|\x28\xb5\x2f\xfd", "a compressed file", None),
    (r".{257}ustar", "a tar archive", None),
    (r"SQLite format 3\x00", "an SQLite database", None),
    (r"PAR1", "a Parquet file", None),
    (r"bplist00", "a property list", None),
    (r"\x7fELF|MZ.{2}\x00|\xcf\xfa\xed\xfe|\xca\xfe\xba\xbe", "a program", None),
    (r"\{\\rtf", "an RTF document", None),
    (r"version https://git-lfs", "a pointer of Git LFS, not the file itself: git lfs pull", None),
)


def recognise(data: bytes) -> Kind | None:
    """Return what bytes are, None where they begin like nothing that has a name here."""
    head = data[:_HEAD]
    for pattern, name, medium in _KINDS:
        if re.match(pattern.encode("latin-1"), head, re.DOTALL):
            return Kind(name, medium)
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if not re.match(rb"<(!|\?|/?[a-z][\w-]*[\s/>])", text):
        return None
    if b"<html" not in text and b"<svg" in text:
        return Kind("an SVG", "image")
    return Kind("a web page or XML")
