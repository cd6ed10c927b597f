"""The pager: a program that shows a long answer a screen at a time, as git and gh have it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import NamedTuple

from orvideo.output.stream import OutputStream, is_dumb, is_set

#: The variables that name one; the first that is there counts, and an empty one says that there is to be none.
VARIABLES = ("ORVIDEO_PAGER", "PAGER")
#: What less does where nobody has said: end where a screen is enough, show colours, leave on the screen what it shows.
_LESS = "FRX"


class Pager(NamedTuple):
    """A program, as the words of its line, and its environment; `guard` is entered while it has the keyboard."""

    words: list[str]
    environ: Mapping[str, str]
    guard: Callable[[], AbstractContextManager[None]] = nullcontext

    @property
    def name(self) -> str:
        return self.words[0]

    def show(self, lines: Sequence[str], stream: OutputStream) -> str | None:
        """Show lines on a terminal, and return when the person has seen enough; else return why they were not shown.

        The pager has the keyboard meanwhile; it is told to end if a signal ends this process.
        """
        with self.guard():
            return self._show(lines, stream)

    def _show(self, lines: Sequence[str], stream: OutputStream) -> str | None:
        import subprocess

        from orvideo.children import running

        if (stdout := stream.descriptor) is None:
            return "there is no terminal"
        stream.flush()
        text = stream.encoded("".join(line + "\n" for line in lines))
        try:
            with running(self.words, stdin=subprocess.PIPE, stdout=stdout, env=dict(self.environ)) as child:
                child.communicate(text)  # whoever has read enough of it is no error here
        except (OSError, ValueError) as error:
            return (error.strerror if isinstance(error, OSError) else None) or "its line cannot be read"
        return None if child.returncode <= 0 else f"it ended with code {child.returncode}"


def find_pager(environ: Mapping[str, str], platform: str = sys.platform) -> Pager | None:
    """Return the pager of a terminal with these variables, which must hold no key; None where there is to be none."""
    if is_set(environ, "CI") or is_dumb(environ):
        return None
    line = next((environ[name] for name in VARIABLES if name in environ), None)
    words = _usual(environ, platform) if line is None else _words(line, platform)
    return Pager(words, {"LESS": _LESS, "LV": "-c", **environ}) if words else None


def _usual(environ: Mapping[str, str], platform: str) -> list[str]:
    """Return less where it is; what Windows has (`more`) shows neither colours nor what was before."""
    import shutil

    found = None if platform == "win32" else shutil.which("less", path=environ.get("PATH", os.defpath))
    return [] if found is None else [found]


def _words(line: str, platform: str) -> list[str]:
    import shlex

    try:
        return [
            word.strip('"') if platform == "win32" else word for word in shlex.split(line, posix=platform != "win32")
        ]
    except ValueError:  # a quote that is never closed
        return [line]
