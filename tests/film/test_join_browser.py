"""Chromium plays a joined film to its end, with sound, and knows how long it is."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.film.sounding import PLAIN, make_sounding
from tests.sandbox import browser
from tests.shell import Shell

pytestmark = browser.MARKS
_PAGE = """<!doctype html><h1>film</h1><video src="{name}" muted></video><script>
const film = document.querySelector("video")
film.playbackRate = 2
film.onended = () => document.querySelector("h1").textContent = "ended"
film.onerror = () => document.querySelector("h1").textContent = film.error.message
film.play()
</script>"""
OTHER = PLAIN._replace(options={"preset": "medium", "bf": "3", "refs": "2"})
FILMS = {
    "copied": ([PLAIN, PLAIN._replace(sound_seconds=1.2), PLAIN._replace(sound_seconds=0), PLAIN], []),
    "of two encoders": ([PLAIN, OTHER, PLAIN], []),
    "encoded anew": ([PLAIN, PLAIN._replace(size=(64, 64)), PLAIN], ["--crossfade", "0.5s"]),
}


@pytest.mark.parametrize("kind", FILMS)
def test_chromium_plays_a_film_to_its_end(orvideo: Shell, home: Path, tmp_path: Path, kind: str) -> None:
    makings, options = FILMS[kind]
    clips = [str(make_sounding(home / f"{number}.mp4", making)) for number, making in enumerate(makings)]
    done = orvideo("join", *clips, *options, "-o", "film.mp4", "--json")
    assert done.code == 0, done.err
    assert done.json["reencoded"] is bool(options)
    page = home / "page.html"
    page.write_text(_PAGE.format(name="film.mp4"))
    with browser.opened(tmp_path / "profile") as window:
        window.open(page.as_uri())
        end = time.monotonic() + 120
        while (heading := window.text("h1")) == "film":
            assert time.monotonic() < end, window.property("video", "currentTime")
            time.sleep(0.1)
        assert heading == "ended"
        length = window.property("video", "duration")
        assert abs(length - done.json["seconds"]) < 0.03
        assert abs(window.property("video", "currentTime") - length) < 0.1
        shown = window.run('return document.querySelector("video").getVideoPlaybackQuality().totalVideoFrames')
        assert 0 < shown <= done.json["frames"]
        assert window.run('return document.querySelector("video").webkitAudioDecodedByteCount') > 0
