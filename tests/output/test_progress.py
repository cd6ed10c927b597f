"""How a command goes on: nothing, plain lines, or a live line; and nothing invented in any of them."""

from __future__ import annotations

import re
import signal

import pytest

from orvideo.clock import Clock
from orvideo.interrupts import Interrupted, Interrupts
from orvideo.output.live import Stand, compose
from orvideo.output.progress import Progress
from orvideo.output.text import width
from tests.clocks import HandClock
from tests.output.screens import on_screen, over_memory

# Plain lines


def test_a_log_gets_one_line_a_change_of_state() -> None:
    said = over_memory()
    with said.terminal.progress() as progress:
        progress.step("submitting")
        for seconds in range(0, 10, 2):
            progress.state("vid_1", "pending", seconds, 60)
        for seconds in range(10, 65, 5):
            progress.state("vid_1", "in_progress", seconds, 60)
        progress.state("vid_1", "completed", 65.2, 60)
        for done in range(0, 10_000, 1000):
            progress.download("vid_1", done, 10_000)
        progress.downloaded("vid_1", 10_000)
    assert said.err.splitlines() == [
        "vid_1: pending, usually about 1:00",
        "vid_1: in_progress after 0:10",
        "vid_1: completed after 1:05",
        "vid_1: downloading 10.0 kB",
        "vid_1: downloaded 10.0 kB",
    ]


def test_a_log_says_when_a_download_goes_on_or_starts_over() -> None:
    said = over_memory()
    with said.terminal.progress() as progress:
        progress.download("vid_1", 4000, 10_000)
        progress.download("vid_1", 0, 10_000, restart=True)
        progress.download("vid_1", 100, 10_000)
        progress.downloaded("vid_1", 10_000)
        progress.download("vid_2", 0)
        progress.downloaded("vid_2", 7)
    assert said.err.splitlines() == [
        "vid_1: downloading 10.0 kB, 4.0 kB of it already here",
        "vid_1: the download starts over",
        "vid_1: downloaded 10.0 kB",
        "vid_2: downloading",
        "vid_2: downloaded 7 B",
    ]


def test_many_jobs_are_one_line_now_and_then_and_the_last_is_never_lost() -> None:
    hand = HandClock()
    said = over_memory(clock=hand.clock())
    with said.terminal.progress() as progress:
        for done in range(100):
            progress.many({"in_progress": 100 - done, "completed": done, "failed": 0}, 100, hand.elapsed)
            hand.sleep(1)
    lines = said.err.splitlines()
    assert lines[0] == "100 in_progress (of 100)"
    assert lines[1] == "90 in_progress, 10 completed (of 100)"
    assert lines[-1] == "1 in_progress, 99 completed (of 100)"
    assert len(lines) == 11


@pytest.mark.drill("O11")
@pytest.mark.parametrize("environ", [{"TERM": "dumb"}, {"CI": "1", "NO_COLOR": "1"}])
def test_without_a_live_terminal_there_is_no_escape_at_all(environ: dict[str, str]) -> None:
    said = over_memory(environ, tty=True)
    with said.terminal.progress() as progress:
        progress.step("submitting")
        progress.state("vid_1", "pending", 0)
        progress.download("vid_1", 1, 2)
        progress.many({"completed": 1})
    assert "\x1b" not in said.err
    assert "\r" not in said.err
    assert said.err.startswith("vid_1: pending\n")


def test_quiet_is_quiet() -> None:
    said = over_memory(tty=True, quiet=True)
    with said.terminal.progress() as progress:
        progress.state("vid_1", "pending", 0)
        progress.download("vid_1", 1, 2)
        progress.many({"completed": 1})
        said.terminal.answer("vid_1")
    assert type(progress) is Progress
    assert (said.out, said.err) == ("vid_1\n", "")


# What stands in the live line


@pytest.mark.parametrize(
    ("cells", "line"),
    [
        (77, "vid_0123456789: in_progress 1:05, usually about 1:00"),
        (48, "vid_01234…: in_progress 1:05, usually about 1:00"),
        (45, "in_progress 1:05, usually about 1:00"),
        (37, "in_progress 1:05, usually about 1:00"),
        (30, "vid_0123456…: in_progress 1:05"),
        (20, "in_progress 1:05"),
        (8, "in_prog…"),
    ],
)
def test_what_does_not_fit_is_left_out_and_never_the_status(cells: int, line: str) -> None:
    stand = Stand("vid_0123456789", "in_progress", began=100.0, typical=60)
    assert compose(stand, cells, 165.0).before == line


@pytest.mark.parametrize("cells", range(120))
def test_the_line_always_fits(cells: int) -> None:
    stands = [
        Stand("雨の通りを紙の船が流れる", "in_progress", 0.0, 60),
        Stand("vid_0123456789", "downloading", done=999, total=123_456_789),
        Stand("vid_0123456789", "downloading", done=123_456_789, total=123_456_789),
        Stand("vid_0123456789", "downloading", done=12_345_678),
    ]
    for stand in stands:
        line = compose(stand, cells, 65.0)
        assert width(line.before) + line.bar + width(line.after) <= cells


def test_a_bar_needs_a_size_and_only_a_download_has_a_percentage() -> None:
    with_size = compose(Stand("vid_1", "downloading", done=5_000_000, total=10_000_000), 77, 0.0)
    assert with_size.before == "vid_1: "
    assert with_size.bar > 20
    assert with_size.after == "  50% 5.0 MB of 10.0 MB"
    without = compose(Stand("vid_1", "downloading", done=5_000_000), 77, 0.0)
    assert without == ("vid_1: downloading 5.0 MB", 0, "")
    waiting = compose(Stand("vid_1", "in_progress", 0.0, 60), 77, 65.0)
    assert "%" not in "".join(map(str, waiting))


@pytest.mark.drill("P14")
def test_time_is_never_negative() -> None:
    assert compose(Stand("", "pending", began=500.0), 40, 100.0).before == "pending 0:00"


# The live line on a real terminal


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (80, r". vid_0123456789abcdef: in_progress 1:05, usually about 1:00"),
        (40, r". in_progress 1:05, usually about 1:00"),
        (24, r". in_progress 1:05"),
    ],
)
def test_waiting_on_a_terminal(columns: int, expected: str) -> None:
    with on_screen(columns, clock=HandClock().clock()) as (screen, terminal):
        with terminal.progress() as progress:
            progress.state("vid_0123456789abcdef", "in_progress", 65, 60)
            screen.wait_for(lambda lines: len(lines) == 1 and re.fullmatch(expected, lines[0]) is not None)
            assert screen.drawn().cursor.hidden
        terminal.answer("boat.mp4")
        assert screen.wait_for(lambda lines: lines == ["boat.mp4"])
        assert not screen.drawn().cursor.hidden


def test_the_time_runs_by_itself_between_two_looks() -> None:
    hand = HandClock()
    with on_screen(80, clock=hand.clock()) as (screen, terminal), terminal.progress() as progress:
        progress.state("vid_1", "pending", 5)
        screen.wait_for(lambda lines: lines[-1:] != [] and lines[-1].endswith("vid_1: pending 0:05"))
        hand.sleep(60)
        screen.wait_for(lambda lines: lines[-1].endswith("vid_1: pending 1:05"))


@pytest.mark.parametrize("columns", [80, 40])
def test_a_download_on_a_terminal(columns: int) -> None:
    with on_screen(columns) as (screen, terminal), terminal.progress() as progress:
        progress.download("vid_1", 6_000_000, 12_000_000)
        (line,) = screen.wait_for(lambda lines: any("50%" in line for line in lines))
        assert "━━━" in line
        assert len(line) < columns
        progress.download("vid_1", 1_000_000, None, restart=True)
        (line,) = screen.wait_for(lambda lines: any("1.0 MB" in line for line in lines))
        assert "━" not in line
        assert "%" not in line


def test_a_total_that_was_too_small_makes_no_bar() -> None:
    with on_screen(80) as (screen, terminal), terminal.progress() as progress:
        progress.download("vid_1", 150, 100)
        (line,) = screen.wait_for(lambda lines: any("150 B" in line for line in lines))
        assert "%" not in line


@pytest.mark.drill("T03")
def test_texts_in_the_live_line_are_no_markup() -> None:
    with on_screen(80) as (screen, terminal), terminal.progress() as progress:
        progress.state("[red]a[/x]", ":smile: [bold]\x1b[2J", 1)
        screen.wait_for(
            lambda lines: lines[-1:] != [] and lines[-1].endswith(r"[red]a[/x]: :smile: [bold]\x1b[2J 0:01")
        )


def test_lines_go_above_the_live_line() -> None:
    with on_screen(80, {"NO_COLOR": "1"}, verbose=1) as (screen, terminal), terminal.progress() as progress:
        progress.state("vid_1", "pending", 1)
        terminal.note("a note")
        terminal.verbose_line("GET /videos/vid_1")
        terminal.answer("vid_0")
        lines = screen.wait_for(lambda lines: len(lines) == 4)
        assert lines[:3] == ["a note", "GET /videos/vid_1", "vid_0"]
        assert "vid_1: pending" in lines[3]


@pytest.mark.drill("O11")
def test_a_live_line_without_colour_has_no_colour() -> None:
    with on_screen(80, {"NO_COLOR": "1"}) as (screen, terminal):
        with terminal.progress() as progress:
            progress.download("vid_1", 50, 100)
            screen.wait_for(lambda lines: any("50%" in line for line in lines))
        terminal.note("end")
        screen.wait_for(lambda lines: lines == ["end"])
        assert re.search(rb"\x1b\[[0-9;]*m", screen.raw) is None


def test_the_line_follows_the_width_of_the_terminal() -> None:
    with on_screen(80, clock=HandClock().clock()) as (screen, terminal), terminal.progress() as progress:
        progress.state("vid_0123456789abcdef", "in_progress", 65, 60)
        screen.wait_for(lambda lines: any("vid_0123456789abcdef" in line for line in lines))
        screen.resize(40)
        screen.forget()
        screen.wait_for(lambda lines: lines[-1:] != [] and lines[-1][2:] == "in_progress 1:05, usually about 1:00")


def test_the_line_is_gone_and_the_cursor_back_however_it_ends() -> None:
    def end_by_signal(progress: Progress) -> None:
        interrupts = Interrupts(exit_now=lambda code: None)
        with interrupts.installed():
            interrupts.begin()
            progress.state("vid_1", "pending", 1)
            signal.raise_signal(signal.SIGTERM)

    with on_screen(80) as (screen, terminal):
        with pytest.raises(Interrupted), terminal.progress() as progress:
            end_by_signal(progress)
        terminal.note("end")
        screen.wait_for(lambda lines: lines == ["end"])
        assert not screen.drawn().cursor.hidden
        progress.state("vid_1", "in_progress", 2)
        progress.close()
        terminal.note("really")
        screen.wait_for(lambda lines: lines == ["end", "really"])


def test_closing_the_terminal_ends_a_line_that_was_left_open() -> None:
    with on_screen(80, clock=Clock()) as (screen, terminal):
        terminal.progress().step("submitting")
        screen.wait_for(lambda lines: any("submitting" in line for line in lines))
        terminal.close()
        screen.wait_for(lambda lines: lines == [])
        assert not screen.drawn().cursor.hidden
