"""Consoles and pipes of Windows (W16, W18, W21, W22)."""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Callable
from typing import Any, TextIO

import pytest

from orvideo import system
from orvideo.interrupts import Interrupted
from orvideo.output import prompt
from tests.shell import Stream

on_windows = pytest.mark.skipif(sys.platform != "win32", reason="consoles and pipes of Windows; run it there")


@pytest.mark.drill("W18")
def test_w18_ctrl_c_while_a_key_is_typed_is_an_interrupt(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(stdin: TextIO, ask: Callable[[], None], read: Callable[[TextIO], str]) -> str:
        ask()
        raise KeyboardInterrupt

    monkeypatch.setattr(system, "read_hidden", interrupted)
    asked: list[bool] = []
    with pytest.raises(Interrupted):
        prompt.read_hidden_line(Stream(), lambda: asked.append(True))
    assert asked == [True]


class Pipe(io.TextIOWrapper):
    def __init__(self, *, console: bool = False) -> None:
        super().__init__(io.BytesIO(), encoding="cp1252", newline=None)
        self.console = console

    def isatty(self) -> bool:
        return self.console


@on_windows
@pytest.mark.drill("W21")
def test_w21_a_pipe_takes_utf_8_with_plain_newlines() -> None:
    pipe = Pipe()
    system.prepare_streams(None, pipe)
    pipe.write("Bötchen \u5c0f\u8239.mp4\n")
    pipe.flush()
    assert pipe.buffer.getvalue() == "Bötchen \u5c0f\u8239.mp4\n".encode()  # type: ignore[attr-defined]


@on_windows
@pytest.mark.drill("W16")
def test_w16_a_console_is_made_to_understand_escape_sequences(monkeypatch: pytest.MonkeyPatch) -> None:
    import colorama

    fixed: list[bool] = []
    monkeypatch.setattr(colorama, "just_fix_windows_console", lambda: fixed.append(True))
    system.prepare_streams(Pipe())
    assert fixed == []
    system.prepare_streams(Pipe(console=True))
    assert fixed == [True]


@on_windows
@pytest.mark.drill("W22")
@pytest.mark.parametrize(("number", "winerror"), [(errno.EINVAL, None), (0, 109), (0, 232)])
def test_w22_a_reader_that_has_left_is_a_broken_pipe(number: int, winerror: Any) -> None:
    with pytest.raises(BrokenPipeError), system.broken_pipes():
        raise OSError(number, "gone", None, winerror)
    with pytest.raises(PermissionError), system.broken_pipes():
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
