from __future__ import annotations

import os
from pathlib import Path

import pytest

from orvideo.download.targets import Form, absolute_spec, decide_target, parse_target
from orvideo.errors import OutputExists, OutputUnwritable, UsageError
from tests.download.films import FACTS

DEFAULT = "20261121-023000-veo-3.1-a-paper-boat-drifts-2f9c1a7d"


def test_a_name_is_kept_as_it_was_typed(tmp_path: Path) -> None:
    for name in ("boat.mp4", "boat", "Boat 2.MOV", "-rf", ".hidden", "a:b?.mp4"):
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
        decide_target("missing/{model}.mp4", cwd=tmp_path)


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
