"""What a process is handed by its surroundings, as one value that a test can make for itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TextIO

from orvideo.clock import Clock

if TYPE_CHECKING:
    from orvideo.api.transport import Limits


@dataclass(frozen=True)
class Environment:
    """The variables, the three streams (None when the shell closed one) and the clock of one run."""

    environ: Mapping[str, str] = field(repr=False)  # the key may be in it (drill K13)
    stdin: TextIO | None
    stdout: TextIO | None
    stderr: TextIO | None
    clock: Clock = field(default_factory=Clock)
    #: How long calls may take; None for the usual limits.
    limits: Limits | None = None
