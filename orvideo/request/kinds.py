"""What a file is by its first bytes, or by its lines, for a refusal. Its name counts for nothing."""

import re
from collections.abc import Sequence
from itertools import pairwise
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


#: What one line gives away: no prompt has such a line. Tried in this order, each on every line.
_MARKS = (
    (r"-----BEGIN [A-Z0-9 ]+-----|(\S+ )?(ssh-(rsa|dss|ed25519)|ecdsa-sha2-\S+) AAAA", "a key or a certificate"),
    (r"diff --git |@@ -\d+(,\d+)? \+\d+", "a diff"),
    (r"(\d+:)?\d\d:\d\d[,.]\d{3} --> |WEBVTT\b|Dialogue: \d+,\d+:", "subtitles"),
    (r"#!\s*/|from [\w.]+ import [\w(*]|import [\w.]+( as \w+)?;?$|(async )?def \w+\(|class \w+(\(.*\))?:$|"
     r"if __name__ ==|#include [<\"]|(export )?(const|let|var) \w+ = |(async )?function \w*\(|package ([\w.]+;|main)$|"
     r"func \w+\(|[\"']use strict|(public|private|protected) (static |final |class |void )|SELECT .+ FROM |"
     r"INSERT INTO |CREATE (TABLE|INDEX) |set -[eux]+|\w+\(\) ?\{|(if|while) \[\[? .+; ?(then|do)$|(fi|esac)$|"
     r"\\documentclass|\\begin\{", "a program"),
    (r"Traceback \(most recent call last\):|panic: runtime error|goroutine \d+ \[|at [\w.$<>]+ ?\(\S+:\d+(:\d+)?\)$|"
     r"thread '.+' panicked at|Exception in thread ", "the traceback of a program"),
    (r"commit [0-9a-f]{40}\b|index [0-9a-f]{7,}\.\.[0-9a-f]{7,}", "the output of git"),
    (r"msg(id|str)(\[\d\])? \"", "a file of translations (.po)"),
    (r"((local|var|let|const|my) )?[@$]?\w+(: ?[\w\[\]. ]+)? ?:?= ?(\[\d*\]\w+|list|new \w*\[\]|vec!)?[\[({]+"
     r"([\"'].*[\])}];?)?$", "a list in a program"),
    (r"\.PHONY\b", "a Makefile"),
    (r"(BEGIN|END):V[A-Z]+$|#EXTM3U", "a calendar, a contact or a playlist"),
    (r"(The )?MIT License$|(GNU .*|Apache|BSD \d-Clause) (PUBLIC |\")?License\b|Copyright (\(c\)|©) \d{4}|"
     r"Permission is hereby granted", "a licence"),
)  # fmt: skip
#: What more than half of the lines give away.
_MOST_LINES = (
    (r"[A-Za-z][\w.-]*(\[[\w,-]+\])?\s*(==|>=|<=|~=|!=)\s*[\d.*]+", "a list of packages"),
    (r"(export |set )?([A-Z_][A-Z0-9_]+=\S|[A-Za-z_][\w.-]+\s*=\s*(\S+|\".*\"|'.*')$)", "settings or secrets"),
    (r"[\w-]+:[^:\s]*:\d*:\d*:", "settings or secrets"),
    (r"\w+://\S+$", "a list of addresses"),
    # Words and numbers that are joined, as in a file's name, are none.
    (r"(?!([A-Za-z]+|\d{1,4}[a-z]{0,3})([_.-]([A-Za-z]+|\d{1,4}[a-z]{0,3}))*$)(?=\S*[0-9+/=])(?=\S*[A-Za-z])[\w+/=.:-]{24,}$",
     "keys or encoded data"),
    (r"(FROM|RUN|COPY|ADD|CMD|WORKDIR|ENTRYPOINT|EXPOSE|VOLUME) [^A-Z\s]|(ENV|ARG|LABEL|USER) \w+", "a Dockerfile"),
    (r"[-dlbcps][r-][w-][xsS-][r-][w-][xsS-][r-][w-][xtT-][.+@]?\s+\d|\.{1,2}/\S|/[^\s/]+/\S+$|[A-Za-z]:\\\S+$|"
     r"[0-9a-f]{32,128} [ *]\S|"
     r"\S+\.(png|jpe?g|webp|gif|heic|avif|mp4|mov|webm|mkv|mp3|wav|txt|csv|jsonl?|pdf|docx?|zip)$", "a list of files"),
    (r".*(\);|=.*;|[{}])$|[\w.]+\(.*\)$|(for|while|if|elif|else|try|except|with)\b.*:$|[a-z][\w.]* -[A-Za-z]{1,2}\b|"
     r"(echo|sudo|cd|mkdir|rm|cp|mv|curl|git|pip|npm|apt-get|docker) [\w./~$\"'-]+$", "a program"),
)  # fmt: skip
#: What more than half of several lines give away.
_SEVERAL_LINES = (
    (r"(?=[0-9a-f]*[a-f])(?=[0-9a-f]*\d)[0-9a-f]{7,12} (\(.*\) )?\S", "the output of git"),
    (r"[^\s:]+:[^\s:]*:[^\s:]+(:[^:]*)*$|[^\s@:]+@[^\s@:]+:\S+$", "settings or secrets"),
    (r"([\"'`]).*\1,$", "a list in a program"),
)
#: What the first line gives away: what a program says when it has failed.
_FAILED = (
    r"error: [A-Z].*[.!?]$|fatal: |usage: [\w.-]+ ([\[<-]|[A-Z]+\b)|\S*sh: .*: (command )?not found$|"
    r"\S+: .*: No such file or directory$|curl: \(\d+\) "
)
_MAIL = r"(From|To|Cc|Subject|Date|Received|Return-Path|Delivered-To|Message-ID|MIME-Version|Content-Type|Reply-To): "


def recognise_lines(lines: Sequence[str]) -> str:
    """Return what lines of text are that no prompt is: keys, settings, programs; empty where nothing speaks for it.

    A single line gives away what no prompt has in it; of anything that prose may have, it takes most lines (A02).
    """
    bare = [line.strip() for line in lines if line.strip()]
    for pattern, name in _MARKS:
        if any(re.match(pattern, line, re.IGNORECASE if name == "a licence" else 0) for line in bare):
            return name
    said = [line for line in bare if not line.startswith(("#", "//"))]
    # One line alone may end in a brace, or begin with a capital word.
    alone = [one for one in _MOST_LINES if one[1] not in ("a program", "a Dockerfile")]
    for pattern, name in (*_MOST_LINES, *_SEVERAL_LINES) if len(said) > 1 else alone:
        if sum(re.match(pattern, line) is not None for line in said) * 2 > len(said):
            return name
    if bare and re.match(_FAILED, bare[0]):
        return "what a program says of an error"
    if re.search(r"^machine \S+\s+login \S+\s+(account \S+\s+)?password \S", "\n".join(bare), re.MULTILINE):
        return "settings or secrets"
    if len({found[1] for line in bare[:20] if (found := re.match(_MAIL, line))}) > 2:
        return "a mail"
    is_rule = any(
        re.match(r"[a-z.%$][\w.%/-]*:(?!=)", line) and re.match(r"\t[a-z@$-]", after) for line, after in pairwise(lines)
    )
    return "a Makefile" if is_rule else ""
