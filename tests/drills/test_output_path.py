"""Output path and streams: the O rows, at the level of deciding on a target and saving to it."""

from __future__ import annotations

import io
import os
import shutil
import socket
import stat
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from orvideo.deadline import Deadline
from orvideo.download.receipts import write_receipt
from orvideo.download.save import Saved, SaveRequest, save
from orvideo.download.targets import Target
from orvideo.download.transfer import Transfer
from orvideo.errors import OutputExists, OutputUnwritable, UsageError
from tests.clocks import HandClock
from tests.download.deciding import decide_target
from tests.download.films import FACTS, Notes, Offered, Place, mp4

FILM = mp4(300_000)
drill = pytest.mark.drill


def keep(target: Target, *, stdout: BinaryIO | None = None, **more: Any) -> Saved:
    """Save the film where it belongs."""
    wanted = SaveRequest(target, more.pop("facts", FACTS), more.pop("number", 0), stdout=stdout)
    notes = more.pop("notes", Notes())
    return save(Transfer(Offered(Place(FILM)), Deadline(HandClock().clock()), **more), wanted, notes)


@drill("O01")
@pytest.mark.parametrize("what", ["file", "empty", "link", "dangling"])
def test_o01_an_existing_target_is_refused_and_stays(what: str, tmp_path: Path) -> None:
    target = tmp_path / "boat.mp4"
    if what in ("link", "dangling"):
        target.symlink_to("other.mp4")
    if what != "dangling":
        target.write_bytes(b"mine" if what != "empty" else b"")
    before = sorted(path.name for path in tmp_path.iterdir())
    with pytest.raises(OutputExists, match=r"boat\.mp4"):
        decide_target("boat.mp4", cwd=tmp_path).refuse_existing(None)
    assert sorted(path.name for path in tmp_path.iterdir()) == before


@drill("O01")
def test_o01_force_overwrites_in_one_step(tmp_path: Path) -> None:
    target = tmp_path / "boat.mp4"
    target.write_bytes(b"old")
    saved = keep(
        decide_target("boat.mp4", cwd=tmp_path, force=True),
        on_progress=lambda done, total: _expect(target.read_bytes() == b"old"),
    )
    assert saved.path == target
    assert target.read_bytes() == FILM
    assert os.listdir(tmp_path) == ["boat.mp4"]


def _expect(truth: bool) -> None:
    assert truth


@drill("O01", "R-A4")
@pytest.mark.parametrize("what", ["file", "folder", "dangling link"])
def test_o01_a_file_that_appears_meanwhile_is_left_alone_and_the_video_is_kept(what: str, tmp_path: Path) -> None:
    target = tmp_path / "boat.mp4"

    def appear(done: int, total: int | None) -> None:
        if done and not os.path.lexists(target):
            if what == "file":
                target.write_bytes(b"theirs")
            elif what == "folder":
                target.mkdir()
            else:
                target.symlink_to("nowhere")

    notes = Notes()
    saved = keep(decide_target("boat.mp4", cwd=tmp_path), notes=notes, on_progress=appear)
    beside = tmp_path / "boat-2f9c1a7d.mp4"
    assert (saved.path, saved.beside) == (beside, True)
    assert notes.told == [saved]
    assert beside.read_bytes() == FILM
    assert what != "file" or target.read_bytes() == b"theirs"
    assert sorted(os.listdir(tmp_path)) == ["boat-2f9c1a7d.mp4", "boat.mp4"]


@drill("O02")
@pytest.mark.parametrize("what", ["fifo", "socket", "device", "link to a fifo"])
def test_o02_what_is_no_file_is_refused_without_opening_it(what: str, tmp_path: Path) -> None:
    path = tmp_path / "thing"
    with socket.socket(socket.AF_UNIX) as listener:
        if what == "socket":
            listener.bind(os.fspath(path))
        elif what == "device":
            path = Path("/dev/random")
        elif what == "fifo":
            os.mkfifo(path)
        else:
            os.mkfifo(tmp_path / "fifo")
            path.symlink_to("fifo")
        for force in (False, True):
            with pytest.raises(UsageError, match=str(path)):
                decide_target(str(path), cwd=tmp_path, force=force)


@drill("O03")
@pytest.mark.parametrize("spec", ["/dev/null", "null"])
def test_o03_dev_null_takes_a_video_and_stays_a_device(spec: str, tmp_path: Path) -> None:
    (tmp_path / "null").symlink_to("/dev/null")
    saved = keep(decide_target(spec, cwd=tmp_path))
    assert saved.bytes == len(FILM)
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
    assert os.listdir(tmp_path) == ["null"]


@drill("O03")
@pytest.mark.parametrize("prefix", ["/dev/fd/", "/proc/self/fd/"])
def test_o03_an_inherited_descriptor_is_written_in_place(prefix: str, tmp_path: Path) -> None:
    with (tmp_path / "out").open("wb") as file:
        os.set_inheritable(file.fileno(), True)
        file.write(b"before")
        file.flush()
        keep(decide_target(f"{prefix}{file.fileno()}", cwd=tmp_path))
        file.write(b"after")
    assert (tmp_path / "out").read_bytes() == b"before" + FILM + b"after"


@drill("O03")
def test_o03_a_descriptor_of_our_own_is_not_an_output(tmp_path: Path) -> None:
    with (tmp_path / "record").open("r+b" if (tmp_path / "record").exists() else "w+b") as ours:
        with pytest.raises(OutputUnwritable):
            decide_target(f"/dev/fd/{ours.fileno()}", cwd=tmp_path)
        with pytest.raises(OutputUnwritable):
            decide_target("/dev/fd/987654321", cwd=tmp_path)
    assert (tmp_path / "record").read_bytes() == b""


@drill("O03")
def test_o03_a_descriptor_for_reading_is_not_an_output(tmp_path: Path) -> None:
    (tmp_path / "input").write_bytes(b"")
    with (tmp_path / "input").open("rb") as file:
        os.set_inheritable(file.fileno(), True)
        with pytest.raises(OutputUnwritable, match="reading"):
            decide_target(f"/dev/fd/{file.fileno()}", cwd=tmp_path)


@drill("O04")
@pytest.mark.parametrize(
    "spec",
    [
        "missing/below/boat.mp4", "missing/below/", "file/boat.mp4", "file/clips/boat.mp4", "file/", "file/{id}.mp4",
        "file/clips/{id}.mp4", "loop/x.mp4", "/proc/x.mp4",
    ],
)  # fmt: skip
def test_o04_a_folder_that_takes_no_files_is_found_at_once(spec: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(OutputUnwritable):
        decide_target(spec, cwd=tmp_path)


@pytest.fixture
def locked_folder() -> Iterator[Path]:
    """A folder that this process may not write to; root gives up being root for it."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o555)
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(65534)
    try:
        yield folder
    finally:
        if is_root:
            os.seteuid(0)
        shutil.rmtree(folder)


@drill("O04")
def test_o04_an_unwritable_folder_is_found_at_once(locked_folder: Path) -> None:
    with pytest.raises(OutputUnwritable, match="you have no permission"):
        decide_target("boat.mp4", cwd=locked_folder)


@drill("O04")
def test_o04_no_room_for_the_estimate(tmp_path: Path) -> None:
    with pytest.raises(OutputUnwritable, match="no room"):
        decide_target("boat.mp4", cwd=tmp_path, size_estimate=1 << 60)
    assert os.listdir(tmp_path) == []


@drill("O04")
def test_o04_the_path_as_a_whole_is_too_long(tmp_path: Path) -> None:
    deep = tmp_path
    here = os.open(tmp_path, os.O_RDONLY)
    try:
        while len(os.fspath(deep)) < 3960:
            os.mkdir("x" * 100, dir_fd=here)
            deeper = os.open("x" * 100, os.O_RDONLY, dir_fd=here)
            os.close(here)
            here, deep = deeper, deep / ("x" * 100)
        with pytest.raises(OutputUnwritable):
            decide_target(None, cwd=deep)
    finally:
        os.close(here)


@drill("O07")
@pytest.mark.parametrize("name", ["\N{CLAPPER BOARD}" * 100 + ".mp4", "日" * 84 + ".mp4", "x" * 255, "e\u0301" * 200])
def test_o07_a_name_as_long_as_can_be_is_saved_to(name: str, tmp_path: Path) -> None:
    target = decide_target(name, cwd=tmp_path)
    saved = keep(target, number=11)
    assert saved.path is not None
    assert saved.path.read_bytes() == FILM
    assert (target.note is not None) == (len(os.fsencode(name)) > 255)


@drill("O08")
@pytest.mark.parametrize("spec", ["-", "/dev/stdout", "/dev/fd/1"])
def test_o08_bytes_do_not_go_to_a_terminal(spec: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="terminal"):
        decide_target(spec, stdout_is_tty=True, cwd=tmp_path)


@drill("O08")
def test_o08_nor_by_a_descriptor(tmp_path: Path) -> None:
    leader, terminal = os.openpty()
    try:
        os.set_inheritable(terminal, True)
        with pytest.raises(UsageError, match="terminal"):
            decide_target(f"/dev/fd/{terminal}", cwd=tmp_path)
    finally:
        os.close(leader)
        os.close(terminal)


@drill("O09")
def test_o09_a_reader_that_leaves_ends_it_with_broken_pipe(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "wb") as pipe, pytest.raises(BrokenPipeError):
        keep(decide_target("-", cwd=tmp_path), stdout=pipe)


@drill("O09")
def test_o09_a_slow_reader_of_a_nonblocking_pipe_gets_every_byte(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    received: list[bytes] = []
    with open(reading, "rb") as source:
        reader = threading.Thread(target=lambda: received.append(source.read()))
        reader.start()
        with open(writing, "wb") as pipe:
            keep(decide_target("-", cwd=tmp_path), stdout=pipe)
        reader.join()
    assert received == [FILM]


@drill("O10")
def test_o10_a_full_stdout_is_a_failure(tmp_path: Path) -> None:
    with Path("/dev/full").open("wb", buffering=0) as full, pytest.raises(OutputUnwritable) as caught:
        keep(decide_target("-", cwd=tmp_path), stdout=full)
    assert caught.value.message == "stdout cannot be written: the disk is full."
    with pytest.raises(OutputUnwritable):
        keep(decide_target("/dev/full", cwd=tmp_path))


@drill("O10")
def test_o10_a_closed_stdout_is_a_failure(tmp_path: Path) -> None:
    target = decide_target("-", cwd=tmp_path)
    with pytest.raises(OutputUnwritable):
        keep(target, stdout=None)
    closed = io.BytesIO()
    closed.close()
    with pytest.raises(OutputUnwritable):
        keep(target, stdout=closed)


@drill("O15")
@pytest.mark.parametrize("prompt", ["../../x", "/etc/x", "-rf", "", ".", "..", "a\nb"])
@pytest.mark.parametrize("spec", ["clips/{prompt}", "clips/{prompt}/{prompt}.mp4", "clips/x{prompt}{slug}/"])
def test_o15_whatever_the_prompt_a_video_stays_in_its_folder(spec: str, prompt: str, tmp_path: Path) -> None:

    (tmp_path / "clips").mkdir()
    saved = keep(decide_target(spec, cwd=tmp_path), facts=FACTS._replace(prompt=prompt))
    assert saved.path is not None
    assert saved.path.resolve().is_relative_to(tmp_path / "clips")
    assert os.listdir(tmp_path) == ["clips"]


@drill("O16")
@pytest.mark.parametrize("spec", ["{job.__init__.__globals__[KEY]}", "{id:>100000000}", "{unknown}.mp4"])
def test_o16_a_template_evaluates_nothing(spec: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        decide_target(spec, cwd=tmp_path)


@drill("O17")
@drill("T06")
def test_o17_a_receipt_has_no_key_and_no_signed_url(tmp_path: Path) -> None:
    receipt = write_receipt(
        tmp_path / "boat.mp4",
        {
            "prompt": "esc \x1b[31m sk-or-v1-0123456789abcdef",
            "job": {"urls": ["https://store.example/v?X-Signature=secret"], "Authorization": "Bearer secret"},
            "polling_url": "https://openrouter.ai/api/v1/videos/x?sig=secret",
        },
    )
    text = receipt.read_text()
    assert "secret" not in text
    assert "0123456789abcdef" not in text
    assert "\x1b" not in text
