"""The environment of a process (variables, streams, clock) and the options that commands share, as values."""

import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple, TextIO

from orvideo.clock import Clock

if TYPE_CHECKING:
    from orvideo.api.transport import Limits


class Environment(NamedTuple):
    """The variables, streams and clock of one run; a stream is None when the shell closed it."""

    environ: Mapping[str, str]
    stdin: TextIO | None
    stdout: TextIO | None
    stderr: TextIO | None
    clock: Clock = Clock()
    #: The time limits of HTTP requests; None for the default.
    limits: "Limits | None" = None
    #: Opens the controlling terminal for reading and writing; returns None where there is none.
    open_terminal: Callable[[], tuple[TextIO, TextIO] | None] = lambda: None
    platform: str = sys.platform

    def __repr__(self) -> str:
        # The variables may contain the key (drill K13).
        return f"Environment({len(self.environ)} variables)"


class CommonOptions(NamedTuple):
    """The options that most commands share."""

    json: bool = False
    events: bool = False
    quiet: bool = False
    verbose: bool = False
    sandbox: bool = False
    profile: str | None = None
