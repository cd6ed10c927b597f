"""How a command goes on: nothing, plain lines, or a live display; and nothing invented in any of them."""

from __future__ import annotations

import itertools
import re
import signal
import threading
from contextlib import closing

import pytest

from orvideo.clock import Clock
from orvideo.interrupts import Interrupted, Interrupts
from orvideo.output.live_progress import StatusRow
from orvideo.output.progress import Progress
from orvideo.output.text import width
from tests.clocks import HandClock
from tests.output.screens import on_screen, over_memory, terminal_on
from tests.shell import Stream

# Plain lines


def test_a_log_gets_one_line_a_change_of_state() -> None:
    said = over_memory()
    with closing(said.terminal.progress()) as progress:
        progress.activity("submitting")
        progress.remove("")
        progress.activity("submitted", "vid_1")
        for seconds in range(0, 10, 2):
            progress.status("vid_1", "pending", seconds, 60)
        for seconds in range(10, 65, 5):
            progress.status("vid_1", "in_progress", seconds, 60, f" (service: progress {seconds})")
        progress.status("vid_1", "completed", 65.2, 60)
        for done in range(0, 10_000, 1000):
            progress.download("vid_1", done, 10_000)
        progress.downloaded("vid_1", 10_000)
        progress.remove("vid_1")
        progress.total("1 completed", 1, 1)
    assert said.err.splitlines() == [
        "vid_1: pending, usually about 1:00",
        "vid_1: in_progress (service: progress 10) after 0:10",
        "vid_1: completed after 1:05",
        "vid_1: downloading 10.0 kB",
        "vid_1: downloaded 10.0 kB",
    ]


def test_a_log_says_when_a_download_goes_on_or_starts_over() -> None:
    said = over_memory()
    with closing(said.terminal.progress()) as progress:
        progress.download("vid_1", 4000, 10_000)
        progress.download("vid_1", 0, 10_000)
        progress.download("vid_1", 100, 10_000)
        progress.downloaded("vid_1", 10_000)
        progress.download("vid_2", 0, index=1)
        progress.downloaded("vid_2", 7, index=1)
    assert said.err.splitlines() == [
        "vid_1: downloading 10.0 kB, 4.0 kB of it here",
        "vid_1: the download starts over",
        "vid_1: downloaded 10.0 kB",
        "vid_2 [1]: downloading",
        "vid_2 [1]: downloaded 7 B",
    ]


def test_a_log_of_a_few_jobs_has_a_line_for_each_change() -> None:
    said = over_memory()
    with closing(said.terminal.progress(10)) as progress:
        for job in ("vid_1", "vid_2"):
            progress.status(job, "pending", 0)
        progress.status("vid_1", "pending", 2)
        progress.status("vid_2", "completed", None)
    assert said.err.splitlines() == ["vid_1: pending", "vid_2: pending", "vid_2: completed"]


def test_a_log_of_many_jobs_has_the_counts_now_and_then_and_the_last_is_never_lost() -> None:
    hand = HandClock()
    said = over_memory(clock=hand.clock())
    with closing(said.terminal.progress(100)) as progress:
        for number in range(100):
            progress.status(f"vid_{number}", "in_progress", 0)
        for done in range(1, 100):
            hand.sleep(1)
            progress.status(f"vid_{done}", "completed", None)
            progress.download(f"vid_{done}", 0, 10)
            progress.downloaded(f"vid_{done}", 10)
    lines = said.err.splitlines()
    assert lines[0] == "1 in_progress (of 100)"
    assert lines[1] == "90 in_progress, 10 completed (of 100)"
    assert lines[-1] == "1 in_progress, 99 completed (of 100)"
    assert len(lines) == 11


@pytest.mark.drill("O11")
@pytest.mark.parametrize("environ", [{"TERM": "dumb"}, {"CI": "1", "NO_COLOR": "1"}])
def test_without_a_live_terminal_there_is_no_escape_at_all(environ: dict[str, str]) -> None:
    said = over_memory(environ, tty=True)
    with closing(said.terminal.progress()) as progress:
        progress.activity("submitting")
        progress.status("vid_1", "pending", 0)
        progress.download("vid_1", 1, 2)
        progress.total("1 completed", 1, 2)
    assert "\x1b" not in said.err
    assert "\r" not in said.err
    assert said.err.startswith("vid_1: pending\n")


def test_quiet_is_quiet() -> None:
    said = over_memory(tty=True, quiet=True)
    with closing(said.terminal.progress()) as progress:
        progress.status("vid_1", "pending", 0)
        progress.download("vid_1", 1, 2)
        progress.total("1 completed", 1, 2)
        said.terminal.answer("vid_1")
    assert type(progress) is Progress
    assert (said.out, said.err) == ("vid_1\n", "")


# What stands in a row of text


@pytest.mark.parametrize(
    ("cells", "line"),
    [
        (77, "vid_0123456789: in_progress (service: progress 40) 1:05, usually about 1:00"),
        (73, "0123456789: in_progress (service: progress 40) 1:05, usually about 1:00"),
        (56, "vid_0123456789: in_progress (service: progress 40) 1:05"),
        (51, "0123456789: in_progress (service: progress 40) 1:05"),
        (44, "0123456789: in_progress (service: pro…) 1:05"),
        (35, "0123456789: in_progress 1:05"),
        (27, "01234567…: in_progress 1:05"),
        (20, "in_progress 1:05"),
        (12, "in_progress"),
        (8, "in_prog…"),
    ],
)
def test_what_does_not_fit_is_left_out_and_the_status_last(cells: int, line: str) -> None:
    row = StatusRow("vid_0123456789", "in_progress", " (service: progress 40)", " 1:05", ", usually about 1:00")
    assert row.fit(cells) == line


@pytest.mark.parametrize("cells", range(120))
def test_a_row_of_text_always_fits(cells: int) -> None:
    for name in ("雨の通りを紙の船が流れる", "vid_0123456789abcdef", "row 3", ""):
        for reported in ("", " (service: stage 雨の通り, queue_position 3)"):
            line = StatusRow(name, "in_progress", reported, " 1:05", ", usually about 1:00").fit(cells)
            assert width(line) <= cells
            assert cells < 11 or "in_progress" in line


# The live display on a real terminal


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (80, r". vid_0123456789abcdef: in_progress 1:05, usually about 1:00"),
        (40, r". 0123456789abcdef: in_progress 1:05"),
        (24, r". in_progress 1:05"),
    ],
)
def test_waiting_on_a_terminal(columns: int, expected: str) -> None:
    with on_screen(columns, clock=HandClock().clock()) as (screen, terminal):
        with closing(terminal.progress()) as progress:
            progress.status("vid_0123456789abcdef", "in_progress", 65, 60)
            screen.wait_for(lambda lines: len(lines) == 1 and re.fullmatch(expected, lines[0]) is not None)
            assert screen.drawn().cursor.hidden
        terminal.answer("boat.mp4")
        assert screen.wait_for(lambda lines: lines == ["boat.mp4"])
        assert not screen.drawn().cursor.hidden


def test_the_time_runs_by_itself_between_two_looks() -> None:
    hand = HandClock()
    with on_screen(80, clock=hand.clock()) as (screen, terminal), closing(terminal.progress()) as progress:
        progress.status("vid_1", "pending", 5)
        screen.wait_for(lambda lines: lines[-1:] != [] and lines[-1].endswith("vid_1: pending 0:05"))
        hand.sleep(60)
        screen.wait_for(lambda lines: lines[-1].endswith("vid_1: pending 1:05"))


@pytest.mark.drill("P14")
def test_time_is_never_negative() -> None:
    with on_screen(80, clock=HandClock().clock()) as (screen, terminal), closing(terminal.progress()) as progress:
        progress.status("vid_1", "pending", -400)
        screen.wait_for(lambda lines: lines[-1:] != [] and lines[-1].endswith("vid_1: pending 0:00"))


@pytest.mark.drill("F-B07")
def test_each_job_that_moves_has_a_row_and_the_others_one_together() -> None:
    with on_screen(80, clock=HandClock().clock()) as (screen, terminal), closing(terminal.progress(40)) as progress:
        for number in range(40):
            progress.status(f"vid_{number:02}", "in_progress" if number % 5 == 0 else "pending", 5)
        progress.download("vid_39", 5_000_000, 10_000_000)
        progress.total("all of it", 3, 40)
        lines = screen.wait_for(lambda lines: len(lines) == 12 and "50%" in lines[0])
        assert lines[0][2:].startswith("vid_39 ━━━")
        rows = [f"vid_{number:02}" for number in (0, 1, 5, 10, 15, 20, 25, 30, 35)]
        assert [line[2:].partition(":")[0] for line in lines[1:10]] == rows
        assert lines[10] == "  30 more: 30 pending"
        assert lines[11].endswith(" all of it")
        for number in range(38):
            progress.remove(f"vid_{number:02}")
        lines = screen.wait_for(lambda lines: len(lines) == 3)
        assert lines[1][2:] == "vid_38: pending 0:05"


@pytest.mark.drill("F-B07")
def test_the_rows_are_no_more_than_the_terminal_has_lines() -> None:
    with on_screen(80, clock=HandClock().clock(), rows=8) as (screen, terminal):
        with closing(terminal.progress(40)) as progress:
            for number in range(40):
                progress.status(f"vid_{number:02}", "pending", 5)
            progress.total("all of it", 3, 40)
            lines = screen.wait_for(lambda lines: len(lines) == 6 and lines[-1].endswith("all of it"))
            assert lines[4] == "  36 more: 36 pending"
            terminal.note("a note")
            terminal.note("another")
            progress.status("vid_00", "in_progress", 5)
            screen.wait_for(lambda lines: lines[:2] == ["a note", "another"] and "vid_00: in_progress" in lines[2])
        screen.wait_for(lambda lines: lines == ["another"])


@pytest.mark.drill("F-D09")
@pytest.mark.parametrize("words", ["می\u200cخواهم", "क्\u200dषमा", "👨\u200d👩\u200d👧\u200d👦", "🇩🇪", "👍🏽"])
def test_d09_a_row_fits_whatever_the_script(words: str) -> None:
    for cells in range(12, 80):
        line = StatusRow("vid_1", "in_progress", f" (service: stage {words * 3})", " 1:05").fit(cells)
        assert width(line) <= cells
    assert words * 3 in line


@pytest.mark.drill("F-D08")
@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (80, r". jw8qwybq35nc24ro0110hyog ━+[╺╸]?━+  30% 0:07 left 1\.0 MB/s 3\.0/10\.0 MB"),
        (60, r". jw8qwybq35nc24ro011… ━+[╺╸]?━+  30% 0:07 left 1\.0 MB/s"),
        (40, r". jw8qwybq35… ━+[╺╸]?━+  30% 0:07 left"),
        (22, r". jw8qwybq35nc2…  30%"),
    ],
)
def test_a_download_has_a_bar_its_size_its_speed_and_the_time_that_is_left(columns: int, expected: str) -> None:
    hand = HandClock()
    with on_screen(columns, clock=hand.clock()) as (screen, terminal), closing(terminal.progress()) as progress:
        for megabytes in range(4):
            progress.download("jw8qwybq35nc24ro0110hyog", megabytes * 1_000_000, 10_000_000)
            hand.sleep(1)
        (line,) = screen.wait_for(lambda lines: any("30%" in line for line in lines))
        assert re.fullmatch(expected, line)
        assert len(line) < columns


@pytest.mark.drill("F-D08")
def test_a_download_of_unknown_size_counts_its_bytes_and_has_a_speed() -> None:
    hand = HandClock()
    with on_screen(80, clock=hand.clock()) as (screen, terminal), closing(terminal.progress()) as progress:
        progress.status("vid_1", "in_progress", 65)
        for megabytes in range(4, 7):
            progress.download("vid_1", megabytes * 1_000_000)
            hand.sleep(1)
        screen.wait_for(lambda lines: [line[2:] for line in lines] == ["vid_1: downloading 6.0 MB, 1.0 MB/s"])


@pytest.mark.drill("F-D08")
def test_what_was_here_before_is_no_speed_and_what_starts_over_has_none_yet() -> None:
    hand = HandClock()
    with on_screen(80, clock=hand.clock()) as (screen, terminal), closing(terminal.progress()) as progress:
        progress.download("vid_1", 8_000_000, 10_000_000)
        hand.sleep(1)
        for kilobytes in (8100, 8200, 8300):
            progress.download("vid_1", kilobytes * 1000, 10_000_000)
            hand.sleep(1)
        screen.wait_for(lambda lines: any("100.0 kB/s" in line for line in lines))
        progress.download("vid_1", 1000, 10_000_000)
        (line,) = screen.wait_for(lambda lines: any("  0%" in line for line in lines))
        assert "left" not in line
        assert "kB/s" not in line


def test_no_download_is_at_100_percent_before_it_is_here() -> None:
    with on_screen(80) as (screen, terminal), closing(terminal.progress()) as progress:
        progress.download("vid_1", 9_999, 10_000)
        (line,) = screen.wait_for(lambda lines: any("%" in line for line in lines))
        assert " 99% " in line
        progress.downloaded("vid_1", 10_000)
        screen.wait_for(lambda lines: [line[2:] for line in lines] == ["vid_1: downloaded 10.0 kB"])


def test_a_total_that_was_too_small_makes_no_bar() -> None:
    with on_screen(80) as (screen, terminal), closing(terminal.progress()) as progress:
        progress.download("vid_1", 50, 100)
        progress.download("vid_1", 150, 100)
        (line,) = screen.wait_for(lambda lines: any("150 B" in line for line in lines))
        assert "%" not in line
        assert "━" not in line


@pytest.mark.drill("T03")
def test_texts_in_the_live_display_are_no_markup() -> None:
    with on_screen(80) as (screen, terminal), closing(terminal.progress()) as progress:
        progress.status("[red]a[/x]", ":smile: [bold]\x1b[2J", 1, None, " (service: stage [b]\u202ex)")
        screen.wait_for(
            lambda lines: (
                lines[-1:] != []
                and lines[-1].endswith(r"[red]a[/x]: :smile: [bold]\x1b[2J (service: stage [b]<U+202E>x) 0:01")
            )
        )
        progress.download("[red]b\x1b", 5, 10)
        screen.wait_for(lambda lines: any(r"[red]b\x1b ━" in line for line in lines))


def test_lines_go_above_the_live_display() -> None:
    with on_screen(80, {"NO_COLOR": "1"}, verbose=1) as (screen, terminal), closing(terminal.progress()) as progress:
        progress.status("vid_1", "pending", 1)
        progress.status("vid_2", "pending", 1)
        terminal.note("a note")
        terminal.verbose_line("GET /videos/vid_1")
        terminal.answer("vid_0")
        lines = screen.wait_for(lambda lines: len(lines) == 5)
        assert lines[:3] == ["a note", "GET /videos/vid_1", "vid_0"]
        assert "vid_1: pending" in lines[3]
        assert "vid_2: pending" in lines[4]


@pytest.mark.drill("O11")
def test_a_live_display_without_colour_has_no_colour() -> None:
    with on_screen(80, {"NO_COLOR": "1"}) as (screen, terminal):
        with closing(terminal.progress()) as progress:
            progress.download("vid_1", 50, 100)
            screen.wait_for(lambda lines: any("50%" in line for line in lines))
        terminal.note("end")
        screen.wait_for(lambda lines: lines == ["end"])
        assert re.search(rb"\x1b\[[0-9;]*m", screen.raw) is None


def test_the_display_follows_the_width_of_the_terminal() -> None:
    with on_screen(80, clock=HandClock().clock()) as (screen, terminal), closing(terminal.progress()) as progress:
        progress.status("vid_0123456789abcdef", "in_progress", 65, 60)
        screen.wait_for(lambda lines: any("vid_0123456789abcdef" in line for line in lines))
        screen.resize(40)
        screen.forget()
        screen.wait_for(lambda lines: lines[-1:] != [] and lines[-1][2:] == "0123456789abcdef: in_progress 1:05")


@pytest.mark.drill("F-D08")
def test_the_display_is_gone_and_the_cursor_back_however_it_ends() -> None:
    def end_by_signal(progress: Progress) -> None:
        interrupts = Interrupts(exit_now=lambda code: None)
        with interrupts.installed():
            interrupts.start_raising()
            progress.status("vid_1", "pending", 1)
            progress.download("vid_2", 50, 100)
            screen.wait_for(lambda lines: any("50%" in line for line in lines))
            signal.raise_signal(signal.SIGTERM)

    with on_screen(80) as (screen, terminal):
        with pytest.raises(Interrupted), closing(terminal.progress()) as progress:
            end_by_signal(progress)
        terminal.note("end")
        screen.wait_for(lambda lines: lines == ["end"])
        assert not screen.drawn().cursor.hidden
        progress.status("vid_1", "in_progress", 2)
        progress.close()
        terminal.note("really")
        screen.wait_for(lambda lines: lines == ["end", "really"])


class _CutShort(Stream):
    """A terminal on which the main thread's next write, once it is `armed`, is interrupted as by a second Ctrl-C."""

    armed = False

    def write(self, text: str) -> int:
        if self.armed and threading.current_thread() is threading.main_thread():
            self.armed = False
            raise KeyboardInterrupt
        return super().write(text)


@pytest.mark.drill("F-D08")
def test_the_cursor_is_back_also_when_the_ending_is_cut_short() -> None:
    stderr = _CutShort(tty=True)
    progress = terminal_on(None, stderr, None, {"TERM": "xterm"}, clock=HandClock().clock()).progress()
    progress.status("vid_1", "pending", 1)
    stderr.armed = True
    with pytest.raises(KeyboardInterrupt):
        progress.close()
    assert stderr.text().rindex("\x1b[?25h") > stderr.text().rindex("\x1b[?25l")


def test_closing_the_terminal_ends_a_display_that_was_left_open() -> None:
    with on_screen(80, clock=Clock()) as (screen, terminal):
        terminal.progress().activity("submitting")
        screen.wait_for(lambda lines: any("submitting" in line for line in lines))
        terminal.close()
        screen.wait_for(lambda lines: lines == [])
        assert not screen.drawn().cursor.hidden


@pytest.mark.drill("F-D13")
@pytest.mark.parametrize(
    ("environ", "shown"),
    [
        ({}, False),
        ({"WT_SESSION": "1"}, True),
        ({"WT_SESSION": "1", "TERM_PROGRAM": "vscode"}, False),
        ({"WT_SESSION": "1", "TMUX": "/tmp/x"}, False),
        ({"WT_SESSION": "1", "TERM": "screen-256color"}, False),
        ({"ConEmuANSI": "ON"}, True),
        ({"KONSOLE_VERSION": "230804"}, True),
        ({"TERM_PROGRAM": "ghostty"}, True),
        # What they were before showed `4;3;0` as a message.
        ({"TERM_PROGRAM": "iTerm.app"}, False),
        ({"TERM_PROGRAM": "iTerm.app", "TERM_PROGRAM_VERSION": "3.6.5"}, False),
        ({"TERM_PROGRAM": "iTerm.app", "TERM_PROGRAM_VERSION": "3.6.6"}, True),
        ({"TERM_PROGRAM": "WezTerm", "TERM_PROGRAM_VERSION": "20240203-110809-5046fc22"}, False),
        ({"TERM_PROGRAM": "WezTerm", "TERM_PROGRAM_VERSION": "20250401-110809-5046fc22"}, True),
        ({"VTE_VERSION": "7600"}, False),
        ({"VTE_VERSION": "8001"}, True),
        ({"VTE_VERSION": "²", "WT_SESSION": "1"}, True),
    ],
)
def test_d13_a_tab_shows_that_a_job_runs_and_how_far_a_download_is_and_is_left_empty(
    environ: dict[str, str], shown: bool
) -> None:
    stderr = Stream(tty=True)
    progress = terminal_on(None, stderr, None, {"TERM": "xterm", **environ}, clock=HandClock().clock()).progress()
    progress.status("job-1", "pending", 1)
    list(progress.get_renderables())  # type: ignore[attr-defined]
    for done in (0, 40, 100):
        progress.download("job-1", done, 100)
        list(progress.get_renderables())  # type: ignore[attr-defined]
    progress.remove("job-1")
    list(progress.get_renderables())  # type: ignore[attr-defined]
    progress.close()
    told = re.findall(r"\x1b\]9;4;(\d;\d+)\x1b", stderr.text())
    assert [one for one, _ in itertools.groupby(told)] == (["3;0", "1;0", "1;40", "1;100", "0;0"] if shown else [])
