"""A target as a command decides it: read, and checked before any money is spent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from orvideo.download.targets import Target, check_target, parse_target


def decide_target(spec: str | None, *, cwd: Path | None = None, size_estimate: int = 0, **parsing: Any) -> Target:
    target = parse_target(spec, cwd=cwd, **parsing)
    check_target(target, size_estimate=size_estimate)
    return target
