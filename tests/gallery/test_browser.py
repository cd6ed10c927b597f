"""The page in a real browser, from a file, with real films: looking, choosing, comparing, marking."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from orvideo.gallery.cards import beside, card_of
from orvideo.gallery.page import render
from tests.gallery.shelf import NASTY, PROMPTS, fill, record_of, records
from tests.sandbox import browser
from tests.sandbox.browser import Browser
from tests.shell import Shell

pytestmark = browser.MARKS

#: Keys as WebDriver names them.
RIGHT, DOWN, ESCAPE, ENTER = "\ue014", "\ue015", "\ue00c", "\ue007"
_AXE = "axe-core/axe.min.js"


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home with three films, a job that failed, one that runs, and the page of them all."""
    home = tmp_path_factory.mktemp("gallery")
    shell = Shell(home)
    before = Path.cwd()
    os.chdir(home)
    try:
        fill(shell, home)
        done = shell("gallery")
        assert done.code == 0, done.err
        yield home
    finally:
        os.chdir(before)


@pytest.fixture
def page(window: Browser, shelf: Path) -> Iterator[Browser]:
    """The page, open; at the end the browser has nothing to complain of."""
    window.open((shelf / "gallery.html").as_uri())
    window.until("return document.documentElement.dataset.ready")
    yield window
    assert window.complaints() == []


def shown(page: Browser) -> list[str]:
    """Return the prompts of the cards, in their order."""
    found: list[str] = page.run("return [...document.querySelectorAll('.card h2')].map(one => one.textContent)")
    return found


def choose(page: Browser, selector: str, value: str) -> None:
    page.run(
        f"const one = document.querySelector('{selector}'); one.value = {json.dumps(value)};"
        "one.dispatchEvent(new Event('input', {bubbles: true}))"
    )


def card(prompt: str) -> str:
    """Return an expression for the card of a prompt."""
    return f"[...document.querySelectorAll('.card')].find(one => one.textContent.includes({json.dumps(prompt[:20])}))"


def focus(page: Browser, prompt: str) -> None:
    page.run(f"{card(prompt)}.focus()")


def test_every_job_has_a_card_and_a_nasty_prompt_is_nothing_but_text(page: Browser) -> None:
    found = shown(page)
    assert found[:2] == ["a race", "a fall"]
    assert sorted(found[2:])[1:] == ["a lighthouse in fog", "a paper boat"]
    assert any("<script>document.title = 'taken'</script>" in prompt for prompt in found)
    assert page.run("return document.title") == "Gallery - orvideo"
    assert page.run("return document.querySelectorAll('main img, main script').length") == 0
    assert page.text(".card[data-kind=failed] .told strong") == "Failed"
    assert page.text(".card[data-kind=running] .told strong") == "Pending"
    assert "seed 1" in str(page.run(f"return {card(PROMPTS[0])}.querySelector('.facts').textContent"))


def test_the_policy_refuses_what_is_not_the_pages_own(window: Browser, shelf: Path) -> None:
    window.open((shelf / "gallery.html").as_uri())
    window.run(
        "const add = (tag, text) => { const one = document.createElement(tag); one.textContent = text;"
        "document.body.append(one); }; add('script', 'document.title = `taken`'); add('style', 'p { color: red }');"
        "fetch('https://example.invalid/').catch(() => 0)"
    )
    assert window.run("return document.title") == "Gallery - orvideo"
    told = " ".join(window.complaints())
    assert all(rule in told for rule in ("script-src", "style-src", "connect-src"))


def test_a_video_plays_silently_under_the_pointer_and_with_sound_when_it_is_clicked(page: Browser) -> None:
    selector = ".card[data-kind=saved] .picture"
    page.until(f"return document.querySelector('{selector} video').readyState >= 2")
    page.hover(selector)
    page.until(f"const one = document.querySelector('{selector} video'); return one.currentTime > 0 && !one.paused")
    assert page.property(f"{selector} video", "muted") is True
    page.hover("h1")
    page.until(f"return document.querySelector('{selector} video').paused")
    page.click(selector)
    page.until(f"const one = document.querySelector('{selector} video'); return !one.paused && !one.muted")
    assert page.label(selector).startswith("Pause: ")
    page.click(selector)
    page.until(f"return document.querySelector('{selector} video').paused")


def test_search_filters_and_order(page: Browser) -> None:
    choose(page, "#search", "LIGHTHOUSE")
    assert shown(page) == ["a lighthouse in fog"]
    assert page.text("#sums").startswith("1 of 5 jobs")
    page.click("#reset")
    choose(page, "#model", "a/b")
    assert shown(page) == ["a race", "a fall"]
    choose(page, "#status", "failed")
    assert shown(page) == ["a fall"]
    choose(page, "#batch", "harbour")
    assert shown(page) == []
    assert page.text("#empty") == "No video passes these filters."
    page.click("#reset")
    choose(page, "#sort", "oldest")
    assert shown(page)[-2:] == ["a fall", "a race"]


def test_marks_outlive_the_page_and_are_taken_out_for_the_record(page: Browser, shelf: Path) -> None:
    focus(page, PROMPTS[0])
    page.press("k", "n")
    page.press(*"good  light", ESCAPE)
    focus(page, PROMPTS[1])
    page.press("x")
    page.open((shelf / "gallery.html").as_uri())
    assert page.run(f"return {card(PROMPTS[0])}.dataset.mark") == "keep"
    assert page.run(f"return {card(PROMPTS[1])}.dataset.mark") == "reject"
    choose(page, "#mark", "keep")
    assert shown(page) == ["a paper boat"]
    page.click("#take-out")
    lines = str(page.property("#marks-text", "value")).splitlines()
    ids = {record.prompt: record.name for record in records(shelf)}
    assert sorted(lines) == sorted([f"{ids[PROMPTS[0]]}\tkeep\tgood light", f"{ids[PROMPTS[1]]}\treject\t"])
    page.run("URL.createObjectURL = (blob) => { window.saved = blob; return '#'; }")
    page.click("#marks-save")
    (shelf / "marks.txt").write_text(str(page.run("return saved.text()")), encoding="utf-8")
    shell = Shell(shelf)
    line = page.text("#marks-file code").split()
    assert shell(*line[1:]).code == 0
    kept = shell("jobs", "--marked", "keep", "--json").json
    assert [(one["prompt"], one["note"]) for one in kept] == [(PROMPTS[0], "good light")]
    assert shell("jobs", "mark", *ids.values(), "--clear").code == 0


def test_what_the_record_has_by_now_holds_over_what_was_set_on_the_page(window: Browser, shelf: Path) -> None:
    """A mark that the record took is no change any more, and one that was set there since beats the page's."""
    address = shelf / "again.html"
    name = next(record.name for record in records(shelf) if record.prompt == PROMPTS[0])
    shell = Shell(shelf)
    assert shell("gallery", "-o", str(address)).code == 0
    window.open(address.as_uri())
    focus(window, PROMPTS[0])
    window.press("k")
    assert window.text("#changes") == "1"
    for mark in ("keep", "reject"):
        with record_of(shelf) as ledger:
            ledger.set_mark(ledger.find(name).seq, mark)
        assert shell("gallery", "-o", str(address)).code == 0
        window.open(address.as_uri())
        assert window.run(f"return {card(PROMPTS[0])}.dataset.mark") == mark
        assert window.property("#changes", "hidden") is True
    with record_of(shelf) as ledger:
        ledger.set_mark(ledger.find(name).seq, "")


def test_two_pages_do_not_share_their_marks(page: Browser, shelf: Path) -> None:
    (shelf / "other.html").write_bytes((shelf / "gallery.html").read_bytes())
    focus(page, PROMPTS[2])
    page.press("k")
    page.open((shelf / "other.html").as_uri())
    assert page.run("return document.querySelectorAll('.card[data-mark=keep]').length") == 0


def test_where_the_browser_keeps_nothing_marks_hold_for_now_and_it_is_said(page: Browser) -> None:
    page.run("Storage.prototype.setItem = () => { throw new DOMException('no', 'QuotaExceededError') }")
    focus(page, PROMPTS[0])
    page.press("n")
    page.press(*"a", ESCAPE)
    assert "This browser keeps nothing" in page.text("#status-line")
    page.click("#take-out")
    assert str(page.property("#marks-text", "value")).endswith("\t-\ta\n")


def scrub_to(page: Browser, seconds: float) -> None:
    choose(page, "#transport-scrub", str(seconds))


def test_compared_videos_play_in_step_with_one_transport(page: Browser) -> None:
    for prompt in PROMPTS:
        focus(page, prompt)
        page.press("c")
    page.click("#compare")
    videos = "const videos = [...document.querySelectorAll('#panes video')];"
    page.until(f"{videos} return videos.length === 3 && videos.every(one => one.readyState >= 3)")

    def times() -> list[float]:
        found: list[float] = page.run(f"{videos} return videos.map(one => one.currentTime)")
        return found

    def apart() -> float:
        found = times()
        return max(found) - min(found)

    page.run("document.querySelector('#transport-speed').value = '0.25'")
    page.click("#transport-play")
    page.until(f"{videos} return videos.every(one => !one.paused && one.currentTime > 0.3)")
    assert apart() < 0.05
    # One that is thrown out of step is soon back in it, from far by a jump, from near by its pace.
    for throw in (0.3, -0.06):
        page.run(f"{videos} videos[1].currentTime += {throw}")
        page.until(
            f"{videos} return !videos[1].seeking && Math.abs(videos[1].currentTime - videos[0].currentTime) < 0.02"
        )
    page.click("#transport-play")
    page.until(f"{videos} return videos.every(one => one.paused && !one.seeking)")
    assert apart() < 0.001
    scrub_to(page, 0.5)  # on a slow machine they are at their end by now
    page.until(f"{videos} return videos.every(one => !one.seeking && Math.abs(one.currentTime - 0.5) < 0.001)")
    before = times()[0]
    page.click("#transport-on")
    page.until(f"{videos} return videos.every(one => !one.seeking && one.currentTime > {before})")
    assert apart() < 0.001
    assert 0 < times()[0] - before < 0.1
    scrub_to(page, 1.5)
    page.until(f"{videos} return videos.every(one => !one.seeking && Math.abs(one.currentTime - 1.5) < 0.001)")
    page.click(".pane [data-do=keep]")
    assert page.run("return document.querySelectorAll('.card[data-mark=keep]').length") == 1
    page.press(ESCAPE)
    assert page.property("#comparison", "open") is False


def test_a_person_without_a_mouse_reaches_everything(page: Browser) -> None:
    page.press(RIGHT)
    first = page.run("return document.activeElement.textContent")
    page.press(RIGHT)
    assert page.run("return document.activeElement.textContent") != first
    page.press("?")
    assert page.property("#help", "open") is True
    page.press(ESCAPE, "/")
    assert page.run("return document.activeElement.id") == "search"
    page.press(*"boat", ESCAPE)
    assert page.run("return document.activeElement.className") == "card"
    focus(page, PROMPTS[1])
    page.press(" ")
    page.until(f"const video = {card(PROMPTS[1])}.querySelector('video'); return !video.paused && !video.muted")
    page.press(" ", ENTER)
    assert page.property("#viewer", "open") is True
    assert "orvideo submit --like gen-vid-" in page.text("#again code")
    assert page.text("#again code").endswith(" --sandbox")
    page.press(ESCAPE)
    assert page.run("return document.activeElement.classList.contains('card')")


def test_another_like_this_is_the_line_to_type(page: Browser) -> None:
    page.run("navigator.clipboard.writeText = async (text) => { window.copied = text }")
    focus(page, PROMPTS[0])
    page.press("l")
    line = page.until("return window.copied")
    assert line == page.run(f"return list.viewAt({card(PROMPTS[0])}).job.like")


def test_the_theme_follows_the_system_until_it_is_switched(page: Browser, shelf: Path) -> None:
    light = page.colour("body", "background-color")
    page.dark()
    dark = page.colour("body", "background-color")
    assert dark != light
    page.click("#theme")
    assert (page.text("#theme"), page.colour("body", "background-color")) == ("Light", light)
    page.open((shelf / "gallery.html").as_uri())
    assert page.colour("body", "background-color") == light


def axe() -> Path | None:
    folders = [Path(one) for one in os.environ.get("NODE_PATH", "").split(os.pathsep) if one]
    return next((folder / _AXE for folder in folders if (folder / _AXE).is_file()), None)


@pytest.mark.skipif(axe() is None, reason="axe did NOT look at the page: `npm install axe-core`, with NODE_PATH there")
@pytest.mark.parametrize("width", ["desk", "phone"])
def test_axe_finds_nothing(page: Browser, width: str) -> None:
    found = axe()
    assert found is not None
    page.run(f"{found.read_text(encoding='utf-8')}; window.axe = axe")
    if width == "phone":
        page.as_phone()
    opening = {
        "": "document.activeElement.blur()",
        "#help": "find('#ask').click()",
        "#viewer": f"viewer.open(list.viewAt({card(NASTY)}))",
        "#marks": "find('#take-out').click()",
        "#comparison": f"for (const one of [{card(PROMPTS[0])}, {card(PROMPTS[1])}]) comparison.pick(list.viewAt(one));"
        "comparison.open()",
    }
    for dialog, script in opening.items():
        page.run(script)
        for theme in ("light", "dark"):
            page.run(f"showTheme('{theme}')")
            page.until("return document.getAnimations().every(one => one.effect.getComputedTiming().progress !== null)")
            looked = page.run("return axe.run().then(found => found.violations.map(one => JSON.stringify(one)))")
            assert looked == [], (dialog, theme)
        assert page.run("return document.documentElement.scrollWidth <= innerWidth"), dialog
        if dialog:
            page.run(f"find('{dialog}').close()")


def test_a_thousand_cards_are_ready_within_two_seconds(window: Browser, shelf: Path) -> None:
    """The best of several: another program may have the machine for itself at any time."""
    saved = [record for record in records(shelf) if record.outputs]
    many = [saved[number % len(saved)]._replace(handle=f"sub-{number}", seq=number) for number in range(1000)]
    page = render([card_of(record, beside(shelf)) for record in many], made_at=datetime.now(UTC))
    (shelf / "many.html").write_text(page, encoding="utf-8")
    took = []
    for _ in range(5):
        window.open((shelf / "many.html").as_uri())
        took.append(window.until("return performance.getEntriesByName('gallery-ready')[0]?.startTime"))
        if took[-1] < 2000:
            break
    assert min(took) < 2000, took
    window.until("return document.querySelector('#grid').dataset.whole")
    assert window.run("return document.querySelectorAll('.card').length") == 1000
    # Only what is near has its video; what was near gives it back.
    near = "return document.querySelectorAll('video[src]').length"
    first = "return document.querySelector('.card video').hasAttribute('src')"
    window.until(first)
    assert window.run(near) < 100
    window.run("document.querySelector('.grid > li:last-child').scrollIntoView()")
    window.until(f"return !(() => {{ {first} }})()")
    assert window.run(near) < 100
    choose(window, "#search", "lighthouse")
    assert set(shown(window)) == {"a lighthouse in fog"}
    assert window.complaints() == []
