"""No program is left behind, whatever ends the wait for it, and whenever."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from types import FrameType

import pytest

from orvideo.children import running

FOREVER = [sys.executable, "-c", "import time; time.sleep(1000)"]
DEAF = [sys.executable, "-c", "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(1000)"]


class Signalled(BaseException):
    pass


@pytest.fixture
def alarm() -> Iterator[None]:
    """Raise in the main thread when SIGALRM comes, as Ctrl-C does within a command."""

    def receive(signum: int, frame: FrameType | None) -> None:
        raise Signalled

    before = signal.signal(signal.SIGALRM, receive)
    yield
    signal.signal(signal.SIGALRM, before)


def test_a_program_that_has_ended_keeps_its_code() -> None:
    with running([sys.executable, "-c", "raise SystemExit(7)"]) as child:
        assert child.wait(60) == 7
    assert child.returncode == 7


@pytest.mark.parametrize("line", [FOREVER, DEAF], ids=["patient", "deaf"])
def test_one_that_is_still_there_is_ended(line: list[str]) -> None:
    with pytest.raises(RuntimeError), running(line) as child:
        raise RuntimeError
    assert child.returncode is not None


def test_one_that_cannot_be_started_is_an_oserror() -> None:
    with pytest.raises(FileNotFoundError), running(["/no/such/program"]):
        pass


@pytest.mark.skipif(os.name != "posix", reason="no signal comes from a timer here")
def test_a_signal_while_it_is_being_started_leaves_nothing_behind(alarm: None) -> None:
    # That nothing is left behind is what every test checks.
    heard, told = os.pipe()

    def hold() -> None:  # in the child, whose parent waits for it in Popen
        os.write(told, b"!")
        time.sleep(1)

    def interrupt() -> None:
        os.read(heard, 1)
        os.kill(os.getpid(), signal.SIGALRM)

    threading.Thread(target=interrupt, daemon=True).start()
    with pytest.raises(Signalled), running(FOREVER, preexec_fn=hold):
        pytest.fail("it was started before the signal came")
    os.close(heard)
    os.close(told)
