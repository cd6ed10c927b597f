"""The terminal: who hears what in which mode, in which form."""

from __future__ import annotations

import io
import json
import os
import socket
import threading
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from orvideo.errors import (
    Charged,
    JobEnded,
    OrvideoError,
    OutputUnwritable,
    Rejected,
    ServiceReply,
    StillRunning,
    UsageError,
)
from orvideo.output.tables import Cell, Column
from orvideo.output.terminal import Terminal
from tests.output.screens import HOSTILE, Full, Screen, on_screen, only_visible, over_memory, terminal_on
from tests.shell import Stream

# What goes where


def say_everything(terminal: Terminal) -> None:
    terminal.note("a note")
    terminal.warn("a warning")
    terminal.hint("orvideo jobs")
    terminal.verbose_line("POST /videos")
    terminal.table([Column("A")], [[Cell("shown", "plain")]])
    terminal.page([("job", "vid_1")])
    terminal.answer("vid_1")
    terminal.document({"id": "vid_1"})
    terminal.event({"event": "submitted"})


def test_the_answer_goes_to_stdout_and_the_story_to_stderr() -> None:
    said = over_memory()
    say_everything(said.terminal)
    assert said.out == "plain\njob: vid_1\nvid_1\n"
    assert said.err == "a note\nwarning: a warning\nhint: orvideo jobs\n"


def test_json_leaves_one_document_on_stdout() -> None:
    said = over_memory(json=True)
    say_everything(said.terminal)
    assert said.out == '{"id":"vid_1"}\n'
    assert said.err.startswith("a note\n")


def test_events_are_one_object_a_line() -> None:
    said = over_memory(events=True)
    say_everything(said.terminal)
    said.terminal.event({"text": "a\nb", "usd": Decimal("0.40")})
    assert said.out == '{"event":"submitted"}\n{"text":"a\\nb","usd":0.40}\n'


def test_quiet_leaves_the_answer_and_errors() -> None:
    said = over_memory(quiet=True, verbose=1)
    say_everything(said.terminal)
    said.terminal.error(UsageError("No."))
    assert said.out == "plain\njob: vid_1\nvid_1\n"
    assert said.err == "error: No.\n"


def test_verbose_adds_its_lines() -> None:
    said = over_memory(verbose=1)
    said.terminal.verbose_line("POST /videos")
    assert said.err == "POST /videos\n"


def test_an_answer_that_is_json_by_nature() -> None:
    said = over_memory()
    said.terminal.answer_json({"usd": Decimal("0.40")})
    assert said.out == '{\n  "usd": 0.40\n}\n'
    modes: list[dict[str, Any]] = [{"json": True}, {"events": True}]
    for mode in modes:
        said = over_memory(**mode)
        said.terminal.answer_json({"model": "a/b"})
        assert said.out == ""


def test_an_empty_table_is_no_line_at_all() -> None:
    for tty in (True, False):
        said = over_memory(tty=tty)
        said.terminal.table([Column("JOB")], [])
        assert said.out == ""


def test_a_terminal_gets_a_heading_and_the_form_for_people() -> None:
    said = over_memory({"NO_COLOR": "1"}, tty=True)
    said.terminal.table([Column("COST", right=True)], [[Cell("$0.12", "0.12")]])
    assert said.out == " COST\n$0.12\n"


# Paths


@pytest.mark.drill("F-D13")
def test_d13_a_path_on_a_terminal_links_to_the_file() -> None:
    path, seen = Path("/films/a b\x1b[1m.mp4"), "/films/a b\\x1b[1m.mp4"
    linked = f"\x1b]8;;file://{socket.gethostname()}/films/a%20b%1B%5B1m.mp4\x1b\\{seen}\x1b]8;;\x1b\\\n"
    cases: list[tuple[dict[str, str], bool]] = [
        ({"TERM": "xterm-256color"}, True), ({"TERM": "tmux"}, True), ({"TERM": "linux"}, False), ({}, False),
        ({"TERM": "dumb"}, False), ({"TERM": "xterm", "CI": "1"}, False), ({"WT_SESSION": "1"}, True),
        ({"TERM": "xterm", "FORCE_HYPERLINK": "0"}, False), ({"TERM": "linux", "FORCE_HYPERLINK": "1"}, True),
        ({"TERM": "xterm-256color", "VTE_VERSION": "4601"}, False),
        ({"TERM": "xterm-256color", "VTE_VERSION": "7600"}, True), ({"TERM": "xterm", "NO_COLOR": "1"}, True),
    ]  # fmt: skip
    for environ, links in cases:
        said = over_memory(environ, tty=True)
        said.terminal.answer(path)
        assert said.out == (linked if links else f"{seen}\n"), environ
    said = over_memory({"TERM": "xterm"})
    said.terminal.answer(path)
    assert said.out == f"{path}\n"


def test_a_path_goes_into_a_pipe_as_the_bytes_it_has_on_disk() -> None:
    raw = b"caf\xe9 \x1b[1m.mp4"
    said = over_memory()
    said.terminal.answer(Path(os.fsdecode(raw)))
    assert said.stdout.buffer.getvalue() == raw + b"\n"  # type: ignore[attr-defined]


def test_a_path_is_made_visible_on_a_terminal_and_a_text_everywhere() -> None:
    said = over_memory(tty=True)
    said.terminal.answer(Path(os.fsdecode(b"caf\xe9\x1b.mp4")))
    assert said.out == "caf\\udce9\\x1b.mp4\n"
    said = over_memory()
    said.terminal.answer("caf\udce9\x1b")
    assert said.out == "caf\\udce9\\x1b\n"


def test_text_and_bytes_keep_their_order() -> None:
    said = over_memory()
    said.terminal.answer("first")
    said.terminal.answer(Path("second"))
    said.terminal.answer("third")
    assert said.out == "first\nsecond\nthird\n"


def test_after_stdout_was_taken_for_bytes_nothing_else_goes_there() -> None:
    said = over_memory()
    said.terminal.answer("before")
    said.terminal.binary_stdout().write(b"\x00\x01")
    said.terminal.answer("vid_1")
    assert said.stdout.buffer.getvalue() == b"before\n\x00\x01"  # type: ignore[attr-defined]


@pytest.mark.drill("O08")
def test_bytes_do_not_go_to_a_terminal() -> None:
    with pytest.raises(UsageError):
        over_memory(tty=True).terminal.binary_stdout()


# Errors


def test_an_error_says_what_happened_what_others_said_and_what_to_type() -> None:
    reply = ServiceReply(
        403,
        "Provider returned error",
        provider="ByteDance",
        provider_message='{"code": "\x1b]0;x\x07pixel"}',
        reasons=("violence", "faces"),
        ray="8f1c-FRA",
    )
    said = over_memory()
    said.terminal.error(Rejected("The service refused the request (403).", hint="orvideo models", reply=reply))
    assert said.err.splitlines() == [
        "error: The service refused the request (403).",
        "service: Provider returned error",
        'provider: ByteDance: {"code": "\\x1b]0;x\\x07pixel"}',
        "reasons: violence, faces",
        "ray: 8f1c-FRA",
        "hint: orvideo models",
    ]


def about(job_id: str, error: OrvideoError, *, resume: str | None = None, charged: Charged = "no") -> OrvideoError:
    """Return the error of a job, with what `ending` fills in."""
    error.job_id, error.resume, error.charged = job_id, resume, charged
    return error


def test_what_the_message_has_already_is_not_said_twice() -> None:
    reply = ServiceReply(400, "No 99s.", provider_message="No 99s.", reasons=("99s",))
    said = over_memory()
    said.terminal.error(about("vid_1", Rejected("Refused: No 99s.", reply=reply, hint="orvideo wait vid_1")))
    assert said.err == "error: Refused: No 99s.\nhint: orvideo wait vid_1\n"


def test_the_id_and_the_command_that_goes_on_are_always_there() -> None:
    said = over_memory()
    said.terminal.error(about("vid_1", StillRunning("Time is up."), resume="orvideo wait vid_1"))
    assert said.err == "error: Time is up.\nhint: orvideo wait vid_1\n"
    said = over_memory()
    error = StillRunning("Time is up.", hint="go on: orvideo wait vid_1")
    said.terminal.error(about("vid_1", error, resume="orvideo wait vid_1"))
    assert said.err == "error: Time is up.\nhint: go on: orvideo wait vid_1\n"
    said = over_memory()
    said.terminal.error(about("vid_1", JobEnded("It failed.")))
    assert said.err == "error: It failed.\njob: vid_1\n"


@pytest.mark.drill("P07")
def test_others_words_are_cut() -> None:
    said = over_memory()
    reply = ServiceReply(400, "m" * 10**6, provider_message="p" * 10**6, reasons=("r" * 10**6,))
    said.terminal.error(Rejected("No.", reply=reply))
    assert max(map(len, said.err.splitlines())) < 2100


def test_no_text_from_elsewhere_poses_as_a_line_of_ours() -> None:
    said = over_memory()
    said.terminal.error(JobEnded("It failed: no\nhint: rm -rf ~\nerror: x"))
    assert [line for line in said.err.splitlines() if not line.startswith("  ")] == ["error: It failed: no"]


@pytest.mark.parametrize("mode", [{"json": True}, {"events": True}])
@pytest.mark.parametrize("charged", ["no", "yes", "unknown"])
def test_under_json_an_error_is_one_object_with_the_documented_fields(mode: dict[str, Any], charged: Charged) -> None:
    said = over_memory(**mode)
    reply = ServiceReply(400, "Provider returned error", provider="ByteDance", provider_message="pixel \x1b")
    error = Rejected("Refused.", hint="orvideo models", reply=reply)
    said.terminal.error(about("vid_1", error, resume="orvideo jobs show vid_1", charged=charged))
    assert said.out == ""
    (line,) = said.err.splitlines()
    assert only_visible(line)
    assert json.loads(line) == {
        "error": {
            "kind": "rejected",
            "message": "Refused.\nProvider returned error\nByteDance: pixel \x1b",
            "hint": "orvideo models",
            "exit_code": 6,
            "charged": charged,
            "job_id": "vid_1",
            "resume": "orvideo jobs show vid_1",
        }
    }


def test_an_error_about_no_job_names_none() -> None:
    said = over_memory(json=True)
    said.terminal.error(UsageError("That is no file."))
    error = json.loads(said.err)["error"]
    assert [error[name] for name in ("hint", "charged", "job_id", "resume")] == [None, "no", None, None]


@pytest.mark.drill("F-D06")
def test_d06_on_a_terminal_messages_are_folded_at_words_and_in_a_log_they_are_not() -> None:
    words = "The picture is taken as 864x496 pixels, and the service may crop what it does not need of it."
    said, log = (over_memory({"COLUMNS": "40", "NO_COLOR": "1"}, tty=tty) for tty in (True, False))
    for terminal in (said.terminal, log.terminal):
        terminal.note(words)
        terminal.error(UsageError(words, hint="orvideo download gen-vid-1764123456-aB3dE5fG7hJ9 -o boat.mp4"))
    assert said.err.splitlines()[:3] == [
        "The picture is taken as 864x496 pixels,",
        "  and the service may crop what it does",
        "  not need of it.",
    ]
    assert said.err.splitlines()[3] == "error: The picture is taken as 864x496"
    assert said.err.splitlines()[-1] == "  orvideo download gen-vid-1764123456-aB3dE5fG7hJ9 -o boat.mp4"
    assert log.err.splitlines()[:2] == [words, f"error: {words}"]


# Colour, width and liveness


@pytest.mark.parametrize(
    ("environ", "tty", "colour"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"NO_COLOR": "1"}, True, False),
        ({"NO_COLOR": ""}, True, True),
        ({"NO_COLOR": "0"}, True, False),
        ({"TERM": "dumb"}, True, False),
        ({"FORCE_COLOR": "1"}, False, True),
        ({"FORCE_COLOR": "0"}, True, False),
        ({"FORCE_COLOR": ""}, False, False),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, True, False),
    ],
)
def test_colour(environ: dict[str, str], tty: bool, colour: bool) -> None:
    said = over_memory(environ, tty=tty)
    said.terminal.error(UsageError("No.", hint="orvideo help"))
    assert ("\x1b" in said.err) is colour


def test_forced_colour_never_reaches_what_a_program_reads() -> None:
    said = over_memory({"FORCE_COLOR": "1"})
    said.terminal.table([Column("STATUS", style=lambda text: "good")], [["completed"]])
    said.terminal.answer("vid_1")
    assert said.out == "completed\nvid_1\n"


@pytest.mark.parametrize(
    ("environ", "modes", "live"),
    [
        ({}, {}, True),
        ({"CI": "1"}, {}, False),
        ({"CI": "true"}, {}, False),
        ({"CI": "false"}, {}, True),
        ({"CI": "0"}, {}, True),
        ({"CI": ""}, {}, True),
        ({"TERM": "dumb"}, {}, False),
        ({"NO_COLOR": "1"}, {}, True),
        ({}, {"quiet": True}, False),
        ({}, {"json": True}, True),
    ],
)
def test_liveness(environ: dict[str, str], modes: dict[str, Any], live: bool) -> None:
    assert over_memory(environ, tty=True, **modes).terminal.live is live
    assert not over_memory(environ, **modes).terminal.live


@pytest.mark.parametrize(
    ("asked", "width"), [("40", 40), ("", 80), ("0", 80), ("-3", 80), ("wide", 80), ("9" * 30, 80)]
)
def test_the_width_of_the_environment(asked: str, width: int) -> None:
    assert over_memory({"COLUMNS": asked}).terminal.width == width


def test_the_width_of_a_terminal_is_what_it_is_now() -> None:
    with on_screen(57) as (screen, terminal):
        assert terminal.width == 57
        screen.resize(31)
        assert terminal.width == 31


def test_a_live_line_is_never_wider_than_the_terminal_really_is() -> None:
    with on_screen(40, {"COLUMNS": "200"}) as (_, terminal):
        assert (terminal.width, terminal.live_size) == (200, (40, 24))


# Questions


@pytest.mark.parametrize(
    ("typed", "answer"),
    [(b"y\n", True), (b" YES \n", True), (b"\n", False), (b"", False), (b"n\n", False), (b"yep\n", False)],
)
def test_only_a_yes_is_a_yes(typed: bytes, answer: bool) -> None:
    said = over_memory({"NO_COLOR": "1"}, tty=True, stdin=typed)
    assert said.terminal.confirm("Spend $0.40?") is answer
    assert said.err.startswith("Spend $0.40? [y/N] ")
    assert said.out == ""


def test_nobody_is_asked_where_nobody_is() -> None:
    said = over_memory(stdin=b"y\n")
    assert said.terminal.confirm("Spend $0.40?") is None
    assert said.err == ""


@pytest.mark.drill("K15")
def test_a_secret_is_one_line_of_a_pipe() -> None:
    said = over_memory(stdin=b"sk-or-v1-canary\r\nmore")
    assert said.terminal.secret("key: ") == "sk-or-v1-canary"
    assert said.err == ""


@pytest.mark.drill("K15")
def test_what_is_typed_as_a_secret_is_not_shown() -> None:
    with on_screen(80) as (screen, terminal):
        got: list[str] = []
        asking = threading.Thread(target=lambda: got.append(terminal.secret("key: ")))
        asking.start()
        # The question is written after the echo is off, so what is typed from here on is not seen.
        screen.wait_for(lambda lines: lines == ["key:"])
        os.write(screen.master, b"sk-or-v1-canary\n")
        asking.join(240)
        assert got == ["sk-or-v1-canary"]
        terminal.note("stored")
        screen.wait_for(lambda lines: lines == ["key:", "stored"])
        assert b"canary" not in screen.raw
        os.write(screen.master, b"seen\n")
        screen.wait_for(lambda lines: lines[-1] == "seen")


def test_a_secret_from_nowhere_is_a_usage_error() -> None:
    with pytest.raises(UsageError):
        terminal_on(Stream(), Stream(), None, {}).secret("key: ")
    closed = Stream()
    closed.close()
    with pytest.raises(UsageError):
        terminal_on(Stream(), Stream(), closed, {}).secret("key: ")
    binary = io.TextIOWrapper(io.BytesIO(b"\xff\xfe\n"), encoding="utf-8")
    with pytest.raises(UsageError):
        terminal_on(Stream(), Stream(), binary, {}).secret("key: ")


# Streams that fail


@pytest.mark.drill("O10")
def test_a_stdout_that_cannot_be_written_is_a_failure() -> None:
    closed = Stream()
    closed.close()
    for stdout in (None, closed, Full()):
        terminal = terminal_on(stdout, Stream(), None, {})  # type: ignore[arg-type]
        with pytest.raises(OutputUnwritable, match="Standard output cannot be written"):
            terminal.answer("vid_1")


@pytest.mark.drill("O10")
def test_what_was_only_buffered_fails_at_the_end() -> None:
    with pytest.raises(OutputUnwritable, match="No space left on device"):
        terminal_on(Full(), Stream(), None, {}).close()  # type: ignore[arg-type]


@pytest.mark.drill("O10")
def test_a_missing_stdout_can_be_known_before_money_is_spent() -> None:
    closed = Stream()
    closed.close()
    for stdout in (None, closed):
        with pytest.raises(OutputUnwritable):
            terminal_on(stdout, Stream(), None, {}).require_stdout()
    over_memory().terminal.require_stdout()


@pytest.mark.drill("O10")
def test_a_closed_descriptor_behind_an_open_stream_is_noticed() -> None:
    reading, writing = os.pipe()
    stdout = open(writing, "w", closefd=False)  # noqa: SIM115 - it outlives its descriptor on purpose
    os.close(writing)
    try:
        with pytest.raises(OutputUnwritable):
            terminal_on(stdout, Stream(), None, {}).require_stdout()
    finally:
        os.close(reading)


@pytest.mark.drill("O09")
def test_a_reader_that_left_is_the_callers_to_handle() -> None:
    reading, writing = os.pipe()
    with open(writing, "w") as stdout:
        os.close(reading)
        terminal = terminal_on(stdout, Stream(), None, {})
        with pytest.raises(BrokenPipeError):
            terminal.answer("vid_1")
        terminal.close()


@pytest.mark.drill("S05")
def test_a_stderr_that_has_gone_away_raises_nothing() -> None:
    closed = Stream()
    closed.close()
    for stderr in (None, closed, Full()):
        terminal = terminal_on(Stream(), stderr, None, {})  # type: ignore[arg-type]
        say_everything(terminal)
        terminal.error(OrvideoError("x"))
        with closing(terminal.progress()) as progress:
            progress.status("vid_1", "pending", 0)
        terminal.close()


@pytest.mark.drill("S05")
def test_a_terminal_that_hangs_up_raises_nothing() -> None:
    screen = Screen(80)
    stderr = screen.stream()
    terminal = terminal_on(Stream(), stderr, None, {"TERM": "xterm"})
    with closing(terminal.progress()) as progress:
        progress.status("vid_1", "pending", 0)
        screen.wait_for(lambda lines: any("vid_1" in line for line in lines))
        # The last reader of the terminal is gone: writing to it is EIO from here on.
        os.close(screen.slave)
        os.close(screen.master)
        terminal.note("nobody hears this")
        progress.status("vid_1", "in_progress", 5)
        terminal.error(OrvideoError("nor this"))
    terminal.close()
    stderr.close()


def test_threads_do_not_mix_their_lines() -> None:
    said = over_memory(events=True)

    def tell(number: int) -> None:
        for _ in range(50):
            said.terminal.event({"number": number, "text": "x" * 50})

    threads = [threading.Thread(target=tell, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([json.loads(line) for line in said.out.splitlines()]) == 200


@pytest.mark.drill("T01")
@pytest.mark.drill("T02")
@pytest.mark.parametrize("tty", [True, False])
def test_every_way_of_saying_something_makes_it_visible(tty: bool) -> None:
    said = over_memory({"NO_COLOR": "1", "CI": "1"}, tty=tty, verbose=1, stdin=b"y\n")
    terminal = said.terminal
    terminal.note(HOSTILE)
    terminal.warn(HOSTILE)
    terminal.hint(HOSTILE)
    terminal.verbose_line(HOSTILE)
    terminal.page([HOSTILE, (HOSTILE, HOSTILE)])
    terminal.answer(HOSTILE)
    terminal.table([Column("A")], [[Cell(HOSTILE, HOSTILE)]])
    reply = ServiceReply(400, HOSTILE, HOSTILE + "a", HOSTILE + "b", (HOSTILE + "c",), ray=HOSTILE + "d")
    terminal.error(about(HOSTILE + "e", JobEnded(HOSTILE, hint=HOSTILE, reply=reply), resume=HOSTILE + "f"))
    terminal.confirm(HOSTILE)
    with closing(terminal.progress()) as progress:
        progress.activity(HOSTILE)
        progress.status(HOSTILE, HOSTILE, 5, 60)
        progress.download(HOSTILE, 1, 2)
        progress.downloaded(HOSTILE, 2)
        progress.total(HOSTILE, 1, 2)
    assert only_visible(said.out)
    assert only_visible(said.err)
    assert said.out.count("[bold]x[/bold] [/x] [link=http://e] :smile:") == 5
