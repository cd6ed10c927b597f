"""Input images: rows I01 to I05, I07 and I08 of the drills."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import socket
import subprocess
import sys
import traceback
from pathlib import Path

import pytest

from orvideo.errors import ExitCode, UsageError
from orvideo.record.redaction import redact_request
from orvideo.request.checking import MediaSource
from orvideo.request.media import frame, reference
from tests.request.images import jpeg_that_claims, picture, png_that_claims

LIMIT = 20 * 1024**2
drill = pytest.mark.drill
pytestmark = pytest.mark.skipif(os.name != "posix", reason="pipes, sockets and devices as POSIX has them")


def _refused(source: Path | str, **where: object) -> UsageError:
    with pytest.raises(UsageError) as refused:
        frame(str(source), "first_frame", MediaSource(LIMIT, **where))  # type: ignore[arg-type]
    assert refused.value.exit_code == ExitCode.USAGE
    return refused.value


@drill("I01")
@pytest.mark.timeout(240)
@pytest.mark.parametrize("trap", ["fifo", "zero", "null", "directory", "socket", "tty"])
def test_i01_what_is_no_regular_file_is_refused_and_not_waited_for(trap: str, tmp_path: Path) -> None:
    path = tmp_path / "image.png"
    if trap == "fifo":
        os.mkfifo(path)
    elif trap == "directory":
        path.mkdir()
    elif trap == "socket":
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(str(path))
            assert "is a socket" in _refused(path).message
        return
    else:
        path = Path("/dev") / trap
    assert any(word in _refused(path).message for word in ("a pipe", "a device", "a directory", "cannot be opened"))


@drill("I01")
@pytest.mark.timeout(240)
def test_i01_a_fifo_behind_a_link_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "image.png").symlink_to("fifo")
    assert "a pipe" in _refused(tmp_path / "image.png").message


@drill("I02")
def test_i02_a_file_above_the_limit_is_refused_without_being_read(tmp_path: Path) -> None:
    path = tmp_path / "image.png"
    with path.open("wb") as file:
        file.write(picture())
        file.truncate(1024**4)  # a sparse terabyte: reading it would not end
    error = _refused(path)
    assert f"{1024**4:,} bytes" in error.message
    assert "max-image-size" in str(error.hint)


@drill("I02")
def test_i02_the_limit_itself_is_within_it(tmp_path: Path) -> None:
    path = tmp_path / "image.png"
    path.write_bytes(picture())
    size = path.stat().st_size
    assert frame(str(path), "first_frame", MediaSource(size)).size is not None
    with pytest.raises(UsageError, match=f"at most {size - 1:,}"):
        frame(str(path), "first_frame", MediaSource(size - 1))


@drill("I02")
@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="needs a file that is larger than it says")
def test_i02_a_file_that_has_more_than_it_says_is_read_to_the_limit_and_no_further() -> None:
    # Files of /proc say 0 bytes and have some: the same as a file that grows between fstat and read.
    assert Path("/proc/self/maps").stat().st_size == 0
    with pytest.raises(UsageError, match="more bytes than that"):
        frame("/proc/self/maps", "first_frame", MediaSource(100))


@drill("I02")
def test_i02_an_endless_stdin_is_read_to_the_limit_and_no_further() -> None:
    class Endless(io.RawIOBase):
        given = 0

        def readable(self) -> bool:
            return True

        def read(self, size: int = -1) -> bytes:
            assert size > 0, "all of an endless stream was asked for"
            self.given += size
            return b"\x00" * size

    stdin = Endless()
    assert "at most" in _refused("-", stdin=stdin).message
    assert stdin.given == LIMIT + 1


@drill("I03")
@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("empty.png", b"", "is empty"),
        ("page.png", b"<!DOCTYPE html><html><body>404", "a web page"),
        ("drawing.png", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "an SVG"),
        ("hidden.png", b"<html><!-- " + picture() + b" -->", "a web page"),
        ("both.png", picture() + b"PK\x03\x04" + b"x" * 99, "something else after the end"),
        ("both.jpg", picture("JPEG") + b"<?php system($_GET[0]);", "something else after the end"),
        ("gifar.png", b"GIF89a/*" + picture() + b"*/", "a GIF"),
        ("cut.png", picture()[:20], "cut short"),
        ("cut.jpg", picture("JPEG")[:-30], "cut short"),
        ("cut.webp", picture("WEBP")[:-5], "cut short"),
        ("signature.png", b"\x89PNG\r\n\x1a\n", "cut short"),
        ("key.png", b"-----BEGIN OPENSSH PRIVATE KEY-----\n", "no picture"),
    ],
)
def test_i03_what_is_no_picture_is_refused_whatever_its_name(
    name: str, content: bytes, said: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content)
    error = _refused(tmp_path / name)
    assert said in error.message
    assert name in error.message
    assert error.hint


@drill("I03")
@pytest.mark.parametrize(("format_", "media_type"), [("PNG", "png"), ("JPEG", "jpeg"), ("WEBP", "webp")])
def test_i03_the_bytes_say_what_it_is_and_the_name_does_not(format_: str, media_type: str, tmp_path: Path) -> None:
    path = tmp_path / "picture.svg"
    path.write_bytes(picture(format_))
    part = frame(str(path), "first_frame", MediaSource(LIMIT))
    assert part.body["image_url"]["url"].startswith(f"data:image/{media_type};base64,")


@drill("I04")
@pytest.mark.parametrize("make", [png_that_claims, jpeg_that_claims])
def test_i04_a_header_that_claims_a_giant_is_refused_by_its_header_alone(make: object, tmp_path: Path) -> None:
    path = tmp_path / "bomb"
    path.write_bytes(make(50_000, 50_000))  # type: ignore[operator]
    assert "50000 × 50000 pixels" in _refused(path).message


@drill("I04")
def test_i04_no_picture_is_decoded_and_no_decoder_loaded(tmp_path: Path) -> None:
    (tmp_path / "large.png").write_bytes(png_that_claims(19_000, 19_000))
    script = """
import resource, sys
from orvideo.request.media import MediaSource, frame
resource.setrlimit(resource.RLIMIT_AS, (512 * 1024**2, 512 * 1024**2))
part = frame(sys.argv[1], "first_frame", MediaSource(10**6))
assert (part.width, part.height) == (19_000, 19_000) and part.warnings, part
sys.exit(", ".join({"PIL", "av", "numpy", "httpx", "pydantic"} & set(sys.modules)) or 0)
"""
    subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "large.png")], check=True, cwd=Path(__file__).parents[2]
    )


@drill("I05")
def test_i05_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real.png").write_bytes(picture())
    (tmp_path / "link.png").symlink_to("real.png")
    assert frame(str(tmp_path / "link.png"), "first_frame", MediaSource(LIMIT)).width == 640


@drill("I05")
def test_i05_the_name_is_looked_at_once(tmp_path: Path) -> None:
    """One open of the name, and nothing else that a swapped file could answer differently."""
    if shutil.which("strace") is None:
        pytest.skip("SKIPPED: strace is not installed; the package strace would prove this")
    path = tmp_path / "looked-at-once.png"
    path.write_bytes(picture())
    script = (
        "import sys; from orvideo.request.media import MediaSource, frame; "
        "frame(sys.argv[1], 'first_frame', MediaSource(10**6))"
    )
    log = tmp_path / "calls"
    traced = subprocess.run(
        ["strace", "-f", "-o", log, "-e", "trace=file,desc", sys.executable, "-c", script, str(path)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
    )
    if "ptrace" in traced.stderr:
        pytest.skip(f"this machine forbids strace: {traced.stderr.strip()}")
    assert traced.returncode == 0, traced.stderr
    calls = [line for line in log.read_text().splitlines() if path.name in line and "execve(" not in line]
    assert len(calls) == 1, calls
    assert "O_NONBLOCK" in calls[0]
    assert "O_CLOEXEC" in calls[0]


@drill("I08")
def test_i08_no_picture_in_a_repr_an_error_or_the_record(tmp_path: Path) -> None:
    path = tmp_path / "image.png"
    path.write_bytes(picture())
    part = frame(str(path), "first_frame", MediaSource(LIMIT))
    url = part.body["image_url"]["url"]
    assert url[22:60] not in repr(part) + str(part)
    recorded = json.dumps(redact_request({"model": "a/b", "frame_images": [part.body]}))
    assert url[22:60] not in recorded
    assert hashlib.sha256(path.read_bytes()).hexdigest() in recorded
    assert f'"bytes": {len(path.read_bytes())}' in recorded


@drill("I08")
@pytest.mark.parametrize("url", ["data:image/png;base64,Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5", "data:text/plain,Y2FuYXJ5Y2FuYXJ5"])
def test_i08_no_data_url_in_an_error(url: str) -> None:
    with pytest.raises(UsageError) as refused:
        reference(url, MediaSource(LIMIT))
    shown = "".join(traceback.format_exception(refused.value)) + json.dumps(refused.value.as_json())
    assert "Y2FuYXJ5" not in shown
    assert "canary" not in shown


@drill("I07")
@pytest.mark.parametrize(
    "source", ["../secret.png", "/etc/hostname", "sub/../../secret.png", "link.png", "linked/secret.png", "-"]
)
def test_i07_a_batch_s_paths_stay_inside_its_folder(source: str, tmp_path: Path) -> None:
    root = tmp_path / "batch"
    (root / "sub").mkdir(parents=True)
    (tmp_path / "secret.png").write_bytes(picture())
    (root / "link.png").symlink_to(tmp_path / "secret.png")
    (root / "linked").symlink_to(tmp_path)
    error = _refused(source, root=root, stdin=io.BytesIO(picture()))
    assert "batch" in error.message
    if source != "-":
        assert "--allow-outside" in str(error.hint)


@drill("I07")
def test_i07_what_is_inside_is_taken_also_by_a_link_and_by_its_whole_path(tmp_path: Path) -> None:
    root = tmp_path / "batch"
    (root / "sub").mkdir(parents=True)
    (root / "sub" / "a.png").write_bytes(picture())
    (root / "link.png").symlink_to("sub/a.png")
    for source in ("sub/a.png", "link.png", "sub/../sub/a.png", str(root / "sub" / "a.png")):
        assert frame(source, "first_frame", MediaSource(LIMIT, root=root)).width == 640
    assert "file:" in _refused("file:///etc/passwd", root=root).message
    assert "There is no file @/etc/passwd" in _refused("@/etc/passwd", root=root).message
