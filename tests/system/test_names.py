"""Names and paths by the rules of each system; most of it is asked of Windows' rules on Linux."""

from __future__ import annotations

import errno
import os
import re
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from orvideo.batch.naming import check_targets
from orvideo.batch.rows import Row
from orvideo.download.naming import default_name, parse_template
from orvideo.download.targets import Form, absolute_spec, parse_target
from orvideo.errors import ExitCode, OutputUnwritable, RecordError, UsageError
from orvideo.output.job_table import TERMINAL_COLUMNS, job_table
from orvideo.output.tables import aligned
from orvideo.record.file import open_file
from orvideo.system import names
from orvideo.system.names import LINUX, MACOS, WINDOWS, name_fault
from tests.download.deciding import decide_target
from tests.download.films import FACTS
from tests.output.test_views import DONE, NOW
from tests.shell import Shell

drill = pytest.mark.drill
windows = pytest.mark.skipif(sys.platform != "win32", reason="joins paths as Windows does")
linux = pytest.mark.skipif(sys.platform != "linux", reason="names that differ by case alone are two on Linux only")
posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows takes no such name, and links need a right there")


# --- templates


@drill("W7")
@pytest.mark.parametrize("spec", [r"C:\films\{model}\{id}.mp4", "C:/films/{model}/{id}.mp4"])
def test_w7_a_template_has_folders_between_each_separator_of_its_system(spec: str) -> None:
    template = parse_template(spec, WINDOWS)
    assert template.base == "C:/films/"
    assert template.fill(FACTS, 0, "mp4") == ("veo-3.1", f"{FACTS.id}.mp4")
    assert len(parse_template(r"a\{id}.mp4", LINUX).components) == 1


@drill("W7")
def test_w7_a_template_that_leaves_its_folder_is_refused_when_it_is_read() -> None:
    with pytest.raises(UsageError, match="leaves"):
        parse_template(r"films\{id}\..\x.mp4", WINDOWS)


@drill("W8")
def test_w8_a_remembered_template_is_read_from_every_folder() -> None:
    template = parse_template(r"Z:\a folder\{{x}}\{row}-{slug}.{ext}", WINDOWS)
    assert template.base == "Z:/a folder/{x}/"
    assert len(template.components) == 1


@windows
@drill("W8")
def test_w8_on_windows_a_remembered_target_is_whole_and_means_the_same(tmp_path: Path) -> None:
    for spec in ("{id}.mp4", "boat.mp4", r"\films\{id}.mp4", "/films/boat.mp4"):
        remembered = absolute_spec(spec, tmp_path)
        assert remembered is not None
        assert Path(remembered).is_absolute()
        there = parse_target(remembered, cwd=tmp_path.parent).path_for(FACTS)
        assert there == parse_target(spec, cwd=tmp_path).path_for(FACTS)


# --- names


@drill("W13", "W14", "W15")
@pytest.mark.parametrize(
    ("spec", "better"),
    [
        ("shot 1:2.mp4", "shot 1-2.mp4"),
        ("what?.mp4", "what-.mp4"),
        ("a\tb.mp4", "a-b.mp4"),
        ("aux.mp4", "_aux.mp4"),
        ("com1.tar.mp4", "_com1.tar.mp4"),
        ("nul.mp4", "_nul.mp4"),
        ("CON", "_CON"),
        ("dot.", "dot"),
        ("space ", "space"),
        (r"con\boat.mp4", "_con"),
        ("clips./", "clips"),
        ("C:boat.mp4", r"C:\boat.mp4"),
        ("C:{id}.mp4", r"C:\{id}.mp4"),
        ("{slug}.", "{slug}"),
        (r"a?\{id}.mp4", "a-"),
        (r"{id}\b|c\{id}.mp4", "b-c"),
        ("com{index}.mp4", "_com1.mp4"),
    ],
)
def test_w13_a_name_that_windows_does_not_take_is_refused_with_one_that_works(
    spec: str, better: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError) as refused:
        parse_target(spec, cwd=tmp_path, rules=WINDOWS)
    assert refused.value.hint == f"a name that works: {better}"
    assert WINDOWS.fault(better) is None
    # What was bought by a line of another system is saved elsewhere.
    with pytest.raises(OutputUnwritable):
        parse_target(spec, cwd=tmp_path, rules=WINDOWS, is_bought=True)
    assert LINUX.fault(spec) is None


@drill("W13")
def test_w13_usual_names_and_whole_paths_are_taken() -> None:
    for spec in (r"C:\films\..\boat 2.mp4", r"\\srv\share\boat.mp4", "./a/b.c/d", ".hidden", "aux-1.mp4", "-é小{}.mp4"):
        assert WINDOWS.fault(spec) is None, spec


@drill("W14")
def test_w14_nul_is_a_device_on_windows_alone(tmp_path: Path) -> None:
    assert [parse_target(spec, cwd=tmp_path, rules=WINDOWS).form for spec in ("NUL", "nul")] == [Form.DEVICE] * 2
    assert not LINUX.is_null("NUL")


@drill("W15")
def test_w15_a_backslash_at_the_end_is_a_folder_on_windows_alone(tmp_path: Path) -> None:
    assert parse_target("clips\\", cwd=tmp_path, rules=WINDOWS).form is Form.FOLDER
    assert parse_target("clips/", cwd=tmp_path, rules=WINDOWS).form is Form.FOLDER
    assert parse_target("clips\\", cwd=tmp_path, rules=LINUX).form is Form.FILE


@posix
@drill("G6")
@pytest.mark.parametrize("spec", ["dot.", "dot./", "a:b.mp4", "{id}.", "{model}/a:b/{id}.mp4"])
def test_g6_a_name_that_a_disk_of_windows_refuses_is_tried_before_the_purchase(
    spec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decide_target(spec, cwd=tmp_path)
    assert list(tmp_path.iterdir()) == []
    make = os.mkdir

    def windows_names(path: Path, *more: int) -> None:
        if name_fault(Path(path).name):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), os.fspath(path))
        make(path, *more)

    monkeypatch.setattr(os, "mkdir", windows_names)
    with pytest.raises(OutputUnwritable, match="does not take the name") as refused:
        decide_target(spec, cwd=tmp_path)
    assert refused.value.hint is not None
    decide_target("boat.mp4", cwd=tmp_path)


@posix
@drill("G6")
def test_g6_what_has_the_name_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "dot.").write_text("mine")
    decide_target("dot.", cwd=tmp_path)
    assert (tmp_path / "dot.").read_text() == "mine"


# --- lengths


@drill("W11")
def test_w11_what_is_tried_is_as_long_as_names_get_and_not_longer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[str] = []
    real = os.open

    def seen(path: str | os.PathLike[str], *more: int) -> int:
        tried.append(Path(path).name)
        return real(path, *more)

    monkeypatch.setattr(os, "open", seen)
    for spec, least in ((None, len(default_name(FACTS, "mp4")) + 16), ("{id}.mp4", 40 + 16), ("boat.mp4", 8 + 16)):
        tried.clear()
        decide_target(spec, cwd=tmp_path)
        assert least <= len(tried[0]) <= 150, spec
    assert len(tried[0]) < 40


@drill("W11")
def test_w11_a_path_that_is_too_long_is_not_told_as_a_missing_folder(tmp_path: Path) -> None:
    there, missing = str(tmp_path / ("x" * 250)), str(tmp_path / "no" / ("x" * 250))
    for path, expected in ((there, True), (missing, False), (str(tmp_path / "x"), False)):
        error = FileNotFoundError(errno.ENOENT, "", path)
        assert WINDOWS.is_too_long(error, tmp_path) is expected
        assert not LINUX.is_too_long(error, tmp_path)
    assert not WINDOWS.is_too_long(PermissionError(errno.EACCES, "", there), tmp_path)


# --- places


@drill("M1", "W12")
@pytest.mark.parametrize("other", ["ship é.mp4", "SHIP e\u0301.mp4"])
def test_m1_names_that_differ_by_case_or_spelling_are_one_place(other: str, tmp_path: Path) -> None:
    asked = [(Row(n, n, {}), f"{tmp_path}/{name}", {}) for n, name in enumerate(["Ship é.mp4", other], 1)]
    now = datetime(2026, 11, 21, tzinfo=UTC)

    def wrong(rules: names.Rules) -> list[int]:
        return [trouble.line for trouble in check_targets(asked, {}, force=True, now=now, total=2, rules=rules)]

    assert wrong(MACOS) == wrong(WINDOWS) == [2]
    assert wrong(LINUX) == [] or sys.platform != "linux"


@linux
@drill("M1")
def test_m1_elsewhere_each_folder_is_asked_and_nothing_is_left_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sensitive, other = tmp_path / "a", tmp_path / "b"
    sensitive.mkdir()
    other.mkdir()
    assert LINUX.place_key(sensitive / "Ship.mp4") != LINUX.place_key(sensitive / "ship.mp4")
    real = os.path.lexists
    monkeypatch.setattr(os.path, "lexists", lambda path: real(path) or any(other.glob(".orvideo-case-*")))
    assert LINUX.place_key(other / "Ship.mp4") == LINUX.place_key(other / "ship.mp4")
    assert [*sensitive.iterdir(), *other.iterdir()] == []


@posix
@drill("M1")
def test_m1_one_folder_by_two_ways_is_one_place(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "way").symlink_to("real")
    for rules in (LINUX, MACOS):
        assert rules.place_key(tmp_path / "way/new/a.mp4") == rules.place_key(tmp_path / "real/x/../new/a.mp4")
        assert rules.place_key(tmp_path / "way/a.mp4") != rules.place_key(tmp_path / "a.mp4")


@linux
@drill("M1")
def test_m1_a_saved_video_is_known_under_its_name_in_another_case(tmp_path: Path) -> None:
    target = decide_target("boat.mp4", cwd=tmp_path)
    (tmp_path / "Boat.mp4").touch()
    assert not target.is_place(tmp_path / "Boat.mp4", FACTS)
    (tmp_path / "boat.mp4").hardlink_to(tmp_path / "Boat.mp4")  # as a folder that ignores case shows it
    assert target.is_place(tmp_path / "Boat.mp4", FACTS)


# --- the record


@drill("W23")
@pytest.mark.parametrize("place", [r"\\srv\share\orvideo\jobs.db", "//srv/share/orvideo/jobs.db"])
def test_w23_a_record_on_a_network_drive_is_refused_with_the_variable_that_moves_it(place: str) -> None:
    with pytest.raises(RecordError, match=re.escape("is on a network drive")) as refused:
        open_file(Path(place), lambda step: step(), WINDOWS)
    assert refused.value.exit_code == ExitCode.RECORD
    assert "ORVIDEO_STATE_DIR" in (refused.value.hint or "")
    assert not LINUX.is_on_network(place)


@windows
@drill("W29")
def test_w29_a_list_shows_the_name_of_a_file() -> None:
    output = {**DONE["outputs"][0], "path": r"C:\films\boat.mp4"}
    lines = list(aligned(*job_table([{**DONE, "outputs": [output]}], NOW, TERMINAL_COLUMNS), 80))
    assert lines[1].endswith("  boat.mp4")


@windows
@drill("W14")
@pytest.mark.parametrize(
    "line", [("batch", "aux.csv"), ("submit", "x", "--first-frame", "con.png"), ("submit", "--prompt-file", "prn")]
)
def test_w14_a_device_is_no_file_to_read(orvideo: Shell, line: tuple[str, ...]) -> None:
    done = orvideo(*line, "--dry-run", "--sandbox")
    assert done.code == 2
    assert "is a device" in done.err
