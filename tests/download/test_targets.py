from __future__ import annotations

import os
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from orvideo.download.naming import Field, Template
from orvideo.download.targets import Form, absolute_spec, parse_target, takes_stdout
from orvideo.errors import OutputExists, OutputUnwritable, UsageError
from tests.download.deciding import decide_target
from tests.download.films import FACTS, Place
from tests.download.test_save import FILM, keep

DEFAULT = "20261121-023000-veo-3.1-a-paper-boat-drifts-2f9c1a7d"


def test_a_name_is_kept_as_it_was_typed(tmp_path: Path) -> None:
    for name in ("boat.mp4", "boat", "Boat 2.MOV", "-rf", ".hidden", "a:b?.mp4", "a}b.mp4"):
        target = decide_target(name, cwd=tmp_path)
        assert target.form is Form.FILE
        assert target.path_for(FACTS) == tmp_path / name
        assert target.path_for(FACTS, kind="webm") == tmp_path / name
    assert list(tmp_path.iterdir()) == []


def test_without_a_name_and_in_a_folder_the_name_is_ours_and_the_extension_follows_the_content(tmp_path: Path) -> None:
    (tmp_path / "clips").mkdir()
    for spec, folder in ((None, tmp_path), ("clips", tmp_path / "clips"), ("clips/", tmp_path / "clips")):
        target = decide_target(spec, cwd=tmp_path)
        assert target.path_for(FACTS) == folder / f"{DEFAULT}.mp4"
        assert target.path_for(FACTS, 1, "webm") == folder / f"{DEFAULT}-2.webm"


def test_several_outputs_are_numbered(tmp_path: Path) -> None:
    names = {
        "boat.mp4": ["boat.mp4", "boat-2.mp4"],
        "boat-{index}.{ext}": ["boat-1.mp4", "boat-2.mp4"],
        "{seed}.mp4": ["7.mp4", "7-2.mp4"],
    }
    for spec, expected in names.items():
        target = decide_target(spec, cwd=tmp_path)
        assert [target.path_for(FACTS, index).name for index in (0, 1)] == expected


def test_a_template_goes_below_its_own_folder(tmp_path: Path) -> None:
    (tmp_path / "clips").mkdir()
    target = decide_target("clips/{model}/{slug}.{ext}", cwd=tmp_path)
    assert target.folder == tmp_path / "clips"
    assert target.path_for(FACTS, kind="webm") == tmp_path / "clips/veo-3.1/a-paper-boat-drifts.webm"
    with pytest.raises(OutputUnwritable):
        decide_target("missing/too/{model}.mp4", cwd=tmp_path)


def test_doubled_braces_without_fields_are_a_plain_name(tmp_path: Path) -> None:
    assert decide_target("a{{1}}.mp4", cwd=tmp_path).path_for(FACTS) == tmp_path / "a{1}.mp4"


def test_a_part_stands_beside_its_target_and_is_the_same_each_time(tmp_path: Path) -> None:
    target = decide_target("boat.mp4", cwd=tmp_path)
    part = target.part_for(FACTS)
    assert part.parent == tmp_path
    assert part.name.startswith("boat.mp4.")
    assert part.name.endswith("-0.part")
    assert decide_target("boat.mp4", cwd=tmp_path).part_for(FACTS) == part
    assert target.part_for(FACTS, 1) != part


@pytest.mark.drill("O01", "R-A4")
def test_a_name_that_is_taken_is_refused_only_where_it_is_asked_before_the_money(tmp_path: Path) -> None:
    (tmp_path / f"{DEFAULT}.mp4").touch()
    (tmp_path / "boat.mp4").touch()
    decide_target(None, cwd=tmp_path).refuse_existing(None)
    with pytest.raises(OutputExists):
        decide_target(None, cwd=tmp_path).refuse_existing(FACTS)
    with pytest.raises(OutputExists):
        decide_target("boat.mp4", cwd=tmp_path).refuse_existing(None)
    decide_target(None, cwd=tmp_path, force=True).refuse_existing(FACTS)
    decide_target("new.mp4", cwd=tmp_path).refuse_existing(None)
    decide_target(None, cwd=tmp_path).refuse_existing(FACTS, 1)
    decide_target("boat.mp4", cwd=tmp_path, force=True).refuse_existing(None)


@pytest.mark.drill("R-B8")
def test_r_b8_reading_where_videos_go_makes_no_file_and_needs_no_folder_that_takes_any(tmp_path: Path) -> None:
    made = tmp_path.stat().st_mtime_ns
    assert parse_target("boat.mp4", cwd=tmp_path) == decide_target("boat.mp4", cwd=tmp_path)
    os.utime(tmp_path, ns=(made, made))
    parse_target("boat.mp4", cwd=tmp_path)
    assert tmp_path.stat().st_mtime_ns == made
    assert parse_target("missing/boat.mp4", cwd=tmp_path).folder == tmp_path / "missing"


def test_a_saved_file_is_at_its_place_under_its_own_name_or_the_one_beside_it(tmp_path: Path) -> None:
    default, boat = decide_target(None, cwd=tmp_path), decide_target("boat.mp4", cwd=tmp_path)
    for name in (f"{DEFAULT}.mp4", f"{DEFAULT}.webm", f"{DEFAULT}-2f9c1a7d.gif"):
        assert default.is_place(tmp_path / name, FACTS)
        assert not boat.is_place(tmp_path / name, FACTS)
    assert not default.is_place(tmp_path / f"{DEFAULT}.exe", FACTS)
    assert boat.is_place(tmp_path / "boat-2f9c1a7d.mp4", FACTS)
    assert boat.is_place(tmp_path / "boat-2.mp4", FACTS, 1)
    assert not boat.is_place(tmp_path / "boat-2.mp4", FACTS)


def test_overwriting_goes_through_a_link_to_what_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link.mp4").symlink_to("elsewhere/real.mp4")
    with pytest.raises(OutputExists):
        decide_target("link.mp4", cwd=tmp_path).refuse_existing(None)
    assert decide_target("link.mp4", cwd=tmp_path, force=True).path_for(FACTS) == tmp_path / "elsewhere/real.mp4"


def test_overwriting_keeps_the_way_to_a_file_that_is_no_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "way").symlink_to("real")
    assert decide_target("way/boat.mp4", cwd=tmp_path, force=True).path_for(FACTS) == tmp_path / "way/boat.mp4"


@pytest.mark.parametrize(
    ("spec", "absolute"),
    [
        ("boat.mp4", "/home/me/boat.mp4"),
        ("clips/", "/home/me/clips/"),
        ("/tmp/x.mp4", "/tmp/x.mp4"),
        ("{id}.mp4", "/home/me/{id}.mp4"),
        ("/dev/null", "/dev/null"),
        ("-", None),
        ("/dev/stdout", None),
        ("/dev/fd/63", None),
        (None, None),
    ],
)
def test_a_target_is_remembered_for_other_folders(spec: str | None, absolute: str | None) -> None:
    assert absolute_spec(spec, Path("/home/me")) == absolute


@pytest.mark.parametrize("spec", ["boat.mp4", "{slug}.mp4", "a{{1}}.mp4"])
def test_a_remembered_target_means_the_same_in_a_folder_with_braces(spec: str, tmp_path: Path) -> None:
    here = tmp_path / "{id}"
    here.mkdir()
    remembered = absolute_spec(spec, here)
    assert decide_target(remembered, cwd=tmp_path).path_for(FACTS) == decide_target(spec, cwd=here).path_for(FACTS)


@pytest.mark.parametrize("spec", ["", "a\0b"])
def test_a_name_that_is_none_is_refused(spec: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        decide_target(spec, cwd=tmp_path)


@pytest.mark.parametrize(
    ("spec", "form", "descriptor"),
    [
        ("-", Form.STDOUT, None),
        ("/dev/stdout", Form.DESCRIPTOR, 1),
        ("/dev/stderr", Form.DESCRIPTOR, 2),
        ("/dev/fd/2", Form.DESCRIPTOR, 2),
        ("/proc/self/fd/1", Form.DESCRIPTOR, 1),
        ("/dev/null", Form.DEVICE, None),
        ("/dev/zero", Form.DEVICE, None),
        ("/dev/full", Form.DEVICE, None),
    ],
)
def test_streams_are_known_and_nothing_is_renamed_there(spec: str, form: Form, descriptor: int | None) -> None:
    with open(os.devnull, "wb") as out:
        saved = {number: os.dup(number) for number in (1, 2)}
        try:
            for number in saved:
                os.dup2(out.fileno(), number)
            target = parse_target(spec)
        finally:
            for number, kept in saved.items():
                os.dup2(kept, number)
                os.close(kept)
    assert (target.form, target.descriptor, target.is_stream) == (form, descriptor, True)
    assert takes_stdout(spec) == (spec in ("-", "/dev/stdout", "/proc/self/fd/1"))
    if form is Form.DEVICE:
        assert target.device == Path(spec)


def test_a_descriptor_is_written_where_it_was_handed_over_to_be_written(tmp_path: Path) -> None:
    (tmp_path / "x").touch()
    with (
        (tmp_path / "x").open("rb") as read_only,
        (tmp_path / "y").open("wb") as ours,
        (tmp_path / "z").open("wb") as given,
    ):
        os.set_inheritable(read_only.fileno(), True)
        os.set_inheritable(given.fileno(), True)
        assert parse_target(f"/dev/fd/{given.fileno()}").descriptor == given.fileno()
        for number, says in (
            (read_only.fileno(), "for reading only"),
            (ours.fileno(), "no such descriptor was handed"),
        ):
            with pytest.raises(OutputUnwritable, match=says):
                parse_target(f"/dev/fd/{number}")
        was_open = given.fileno()
    for number in (was_open, 999_999_999):
        with pytest.raises(OutputUnwritable, match="is not open"):
            parse_target(f"/dev/fd/{number}")
    for name in ("/dev/fd/1234567890", "/dev/fd/x", "/dev/fd/", "/dev/fd/²"):
        with suppress(UsageError, OutputUnwritable):
            assert parse_target(name).descriptor is None
    assert not takes_stdout(None)
    assert not takes_stdout("1")


def test_the_first_descriptor_of_our_own_is_not_written_to() -> None:
    code = (
        "import os\n"
        "from orvideo.download.targets import parse_target\n"
        "from orvideo.errors import OutputUnwritable\n"
        "assert [os.open(os.devnull, os.O_WRONLY) for _ in range(2)] == [3, 4]\n"
        "os.set_inheritable(4, True)\n"
        "print(parse_target('/dev/fd/4').descriptor)\n"
        "try:\n    parse_target('/dev/fd/3')\nexcept OutputUnwritable as error:\n    print(error.message)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "4\n/dev/fd/3 cannot be written: no such descriptor was handed to orvideo.\n"


def test_a_terminal_gets_no_bytes() -> None:
    for spec in ("-", "/dev/stdout", "/dev/fd/1"):
        with pytest.raises(UsageError, match="terminal"):
            parse_target(spec, stdout_is_tty=True)
    main, other = os.openpty()
    try:
        os.set_inheritable(other, True)
        with pytest.raises(UsageError, match="terminal"):
            parse_target(f"/dev/fd/{other}")
    finally:
        os.close(main)
        os.close(other)


@pytest.mark.parametrize("spec", ["fifo", "socket", "/dev/tty", "/dev/random"])
def test_what_is_neither_a_file_nor_a_folder_is_named(
    spec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo("fifo")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket")
        with pytest.raises(UsageError, match=r"a FIFO|a socket|a device"):
            parse_target(spec)


def test_a_slash_at_the_end_means_a_folder_that_is_there(tmp_path: Path) -> None:
    (tmp_path / "boat.mp4").touch()
    with pytest.raises(OutputUnwritable, match="is a file, not a folder"):
        parse_target("boat.mp4/", cwd=tmp_path)
    with pytest.raises(OutputUnwritable, match="does not exist"):
        decide_target("clips/new/", cwd=tmp_path)
    assert parse_target("boat.mp4", cwd=tmp_path).form is Form.FILE


@pytest.mark.drill("F-D01")
@pytest.mark.parametrize("spec", ["clips/", "clips/{slug}.{ext}", "clips/{model}/{slug}.{ext}"])
def test_d01_a_folder_is_made_when_its_parent_is_there_and_not_before_it_is_needed(tmp_path: Path, spec: str) -> None:
    target = decide_target(spec, cwd=tmp_path)
    assert os.listdir(tmp_path) == []
    saved = keep(Place(FILM), target)
    assert saved.path is not None
    assert saved.path.is_relative_to(tmp_path / "clips")
    with pytest.raises(OutputUnwritable, match="does not exist"):
        decide_target(f"none/{spec}", cwd=tmp_path)


@pytest.mark.drill("O07")
def test_a_name_that_is_cut_is_told(tmp_path: Path) -> None:
    assert decide_target("x" * 251 + ".mp4", cwd=tmp_path).note is None
    cut = decide_target("x" * 252 + ".mp4", cwd=tmp_path)
    assert (len(cut.name), cut.name[-4:]) == (255, ".mp4")
    assert cut.note == f"the name is too long for the file system and was cut: {cut.name}"


def test_a_template_that_would_lead_out_of_its_folder_is_refused(tmp_path: Path) -> None:
    """No text that is read as a template does; should one ever, nothing is written there."""
    up, field = ("..",), (Field("seed"),)
    target = decide_target("{seed}/a.mp4", cwd=tmp_path)
    within = target._replace(template=Template("", (field, up, ("a.mp4",))))
    assert os.path.normpath(within.path_for(FACTS)) == os.path.normpath(tmp_path / "a.mp4")
    with pytest.raises(UsageError, match="leaves"):
        target._replace(template=Template("", (field, up, up, ("a.mp4",)))).path_for(FACTS)


@pytest.mark.drill("O04")
def test_a_folder_that_has_no_room_for_what_is_expected_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputUnwritable, match="no room"):
        decide_target("boat.mp4", cwd=tmp_path, size_estimate=1 << 60)
    assert parse_target("boat.mp4", cwd=tmp_path).name == "boat.mp4"
    assert os.listdir(tmp_path) == []
    for stream in ("-", "/dev/null"):
        assert decide_target(stream, cwd=tmp_path, size_estimate=1 << 60).is_stream
    for spec in ("missing/below/boat.mp4", "missing/below/{id}"):
        with pytest.raises(OutputUnwritable, match=f"The folder {tmp_path}/missing does not exist"):
            decide_target(spec, cwd=tmp_path)


def test_a_current_folder_that_was_removed_matters_only_to_what_is_below_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert parse_target("-").form is Form.STDOUT
    assert parse_target(str(tmp_path / "boat.mp4")).folder == tmp_path
    for spec in ("boat.mp4", None):
        with pytest.raises(OutputUnwritable, match="current directory does not exist"):
            parse_target(spec)
