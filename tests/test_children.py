"""No program is left behind, whatever ends the wait for it, and whenever."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from orvideo.children import running

FOREVER = [sys.executable, "-c", "import time; time.sleep(1000)"]
DEAF = [sys.executable, "-c", "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(1000)"]


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


#: In a process of its own: a child that runs Python before its program begins is safe only where few threads are.
_INTERRUPTED = """
import os, signal, sys, threading, time
from orvideo.children import running

class Signalled(BaseException):
    pass

def receive(signum, frame):  # as Ctrl-C does within a command
    raise Signalled

def hold():  # in the child, whose parent waits for it in Popen
    os.write(told, b"!")
    time.sleep(1)

def interrupt():
    os.read(heard, 1)
    os.kill(os.getpid(), signal.SIGALRM)

signal.signal(signal.SIGALRM, receive)
heard, told = os.pipe()
threading.Thread(target=interrupt, daemon=True).start()
try:
    with running([sys.executable, "-c", "import time; time.sleep(1000)"], preexec_fn=hold):
        print("it was started before the signal came")
except Signalled:
    print("signalled")
try:
    os.waitpid(-1, os.WNOHANG)
    print("a program is left behind")
except ChildProcessError:
    print("nothing is left behind")
"""


@pytest.mark.skipif(os.name != "posix", reason="no signal comes from a timer here")
def test_a_signal_while_it_is_being_started_leaves_nothing_behind() -> None:
    done = subprocess.run([sys.executable, "-c", _INTERRUPTED], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.splitlines() == ["signalled", "nothing is left behind"], done.stderr
