"""`batch --join`: one film of all rows, whose place is checked before the money."""

from __future__ import annotations

import os
from pathlib import Path

import av
import pytest

from tests.batch.bench import Bench, bench, rows
from tests.batch.test_chain import CHAIN, later, lines
from tests.shell import Shell


def clips_in(path: Path) -> int:
    """Return how many chapters a film has."""
    with av.open(str(path)) as film:
        return len(film.chapters())


def test_the_videos_of_all_rows_become_one_film_in_their_order(
    service: Bench, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(home)
    # The row that is needed first is not the first of the film.
    service.write(lines({"first_frame": "row:2"}, {}, {}))
    done = service.batch("-o", "clips/{row}.mp4", "--join", "film.mp4", "--json")
    assert done.code == 0, done.err
    film = done.json["film"]
    assert film["path"] == str(home / "film.mp4")
    assert [Path(clip["path"]).name for clip in film["clips"]] == ["001.mp4", "002.mp4", "003.mp4"]
    assert film["seconds"] == pytest.approx(3, abs=0.2)
    assert clips_in(home / "film.mp4") == 3


def test_the_film_is_the_last_answer(service: Bench, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home)
    service.write(rows(2))
    # A folder that -o makes can take the film as well.
    done = service.batch("-o", "new/", "--join", "new/film.mp4")
    assert done.code == 0, done.err
    assert done.lines[-1] == str(Path("new", "film.mp4"))
    assert len(done.lines) == 3


def test_the_film_of_the_same_rows_is_here_already(service: Bench, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home)
    service.write(rows(2))
    line = ["-o", "{row}.mp4", "--join", "film.mp4"]
    made = service.batch(*line, "--json")
    assert made.json["film"]["was_here"] is False
    film = (home / "film.mp4").read_bytes()
    again = service.batch(*line)
    assert again.code == 0, again.err
    assert again.lines[-1] == "film.mp4"
    assert "film.mp4 is here already" in again.err
    told = service.batch(*line, "--json").json["film"]
    assert told == {name: made.json["film"][name] for name in ("path", "bytes", "sha256")} | {"was_here": True}
    assert ((home / "film.mp4").read_bytes(), len(service.received)) == (film, 2)
    # With --force it is made anew.
    assert service.batch(*line, "--force", "--json").json["film"]["was_here"] is False


def test_the_film_of_other_rows_is_refused_before_anything_is_sent(
    service: Bench, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(home)
    service.write(rows(2))
    line = ["-o", "{row}.mp4", "--join", "film.mp4"]
    assert service.batch(*line).code == 0
    film = (home / "film.mp4").read_bytes()
    service.write(rows(3))
    more = service.batch(*line)
    assert (more.code, len(service.received)) == (13, 2)
    service.write(rows(1))
    assert service.batch(*line).code == 13
    assert (home / "film.mp4").read_bytes() == film


@pytest.mark.parametrize(
    ("film", "code", "says"),
    [
        ("there.mp4", 13, "hint: name another film with --join"),
        ("film.mov", 2, "hint: --join film.mp4"),
        ("missing/below/film.mp4", 14, "hint: mkdir"),
        ("-", 2, "--join"),
        ("001.mp4", 2, "is the film as well"),
    ],
)
def test_a_film_that_cannot_be_is_refused_before_anything_is_sent(
    service: Bench, home: Path, monkeypatch: pytest.MonkeyPatch, film: str, code: int, says: str
) -> None:
    monkeypatch.chdir(home)
    (home / "there.mp4").write_bytes(b"somebody's")
    service.write(rows(2))
    done = service.batch("-o", "{row}.mp4", "--join", film)
    assert (done.code, service.received) == (code, []), done.err
    assert says in " ".join(done.err.split())
    assert (home / "there.mp4").read_bytes() == b"somebody's"


def test_what_joins_is_asked_for_before_anything_is_sent(service: Bench, home: Path) -> None:
    (home / "lacking" / "av").mkdir(parents=True)
    (home / "lacking" / "av" / "__init__.py").write_text("raise ModuleNotFoundError('No av', name='av')\n")
    service.write(rows(1))
    path = f"{home / 'lacking'}{os.pathsep}{service.shell.environ['PYTHONPATH']}"
    done = service.shell.process("batch", "rows.jsonl", "--join", "film.mp4", env={"PYTHONPATH": path})
    assert (done.code, service.received) == (2, [])
    assert "Joining videos needs av, which is not installed" in done.err


def test_without_all_videos_there_is_no_film_until_they_are_here(
    orvideo: Shell, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(home)
    with bench(orvideo, home, ["dead"]) as service:
        port = int(service.sandbox.base_url.split(":")[2].split("/")[0])
        service.write(CHAIN)
        done = service.batch("--join", "film.mp4", "--json")
        assert done.code == 3
        assert done.json["film"] is None
        assert "no film yet: without a video are rows 1-3" in " ".join(done.err.split())
        assert not (home / "film.mp4").exists()
    with later(service, port) as service:
        assert service.batch("--join", "film.mp4", "--retry-failed").code == 0
        assert clips_in(home / "film.mp4") == 3
        again = service.batch("--join", "once-more.mp4")
        assert again.code == 0, again.err
        assert clips_in(home / "once-more.mp4") == 3
        assert len(service.received) == 4
