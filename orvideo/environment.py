"""What a process is handed by its surroundings, as one value that a test can make for itself."""

import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple, TextIO

from orvideo.clock import Clock

if TYPE_CHECKING:
    from orvideo.api.transport import Limits


class Environment(NamedTuple):
    """The variables, the three streams (None when the shell closed one) and the clock of one run."""

    environ: Mapping[str, str]
    stdin: TextIO | None
    stdout: TextIO | None
    stderr: TextIO | None
    clock: Clock = Clock()
    #: How long calls may take; None for the usual limits.
    limits: "Limits | None" = None
    #: Opens the controlling terminal, whatever the streams are, to read from and to write to; None where there is none.
    open_terminal: Callable[[], tuple[TextIO, TextIO] | None] = lambda: None
    platform: str = sys.platform

    def __repr__(self) -> str:
        # The key may be among the variables (drill K13).
        return f"Environment({len(self.environ)} variables)"


class Answering(NamedTuple):
    """How a command answers, and from where: what its line says."""

    json: bool = False
    events: bool = False
    quiet: bool = False
    verbose: bool = False
    sandbox: bool = False
