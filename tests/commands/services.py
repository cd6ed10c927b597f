"""A stand-in for the service under its own roof, and a command that talks to it as it would to the real one."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orvideo.sandbox.server import KEY, Sandbox
from tests.shell import Result, Shell


@dataclass
class Service:
    """A running sandbox and a shell whose base URL it is."""

    sandbox: Sandbox
    shell: Shell

    def __post_init__(self) -> None:
        self.shell.environ |= {"OPENROUTER_BASE_URL": self.sandbox.base_url, "OPENROUTER_API_KEY": KEY}

    def submit(self, *line: str, process: bool = False, **how: Any) -> Result:
        return (self.shell.process if process else self.shell)("submit", *line, **how)

    def sent(self) -> dict[str, Any]:
        """Return the one request that arrived."""
        (received,) = self.sandbox.received()
        return received

    def last(self) -> dict[str, Any]:
        return self.sandbox.received()[-1]


def data_url(data: bytes, kind: str = "png") -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def frame(url: str, frame_type: str = "first_frame") -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url}, "frame_type": frame_type}


def reference(url: str, kind: str = "image") -> dict[str, Any]:
    return {"type": f"{kind}_url", f"{kind}_url": {"url": url}}


def first_and_last(path: Path) -> tuple[Any, Any]:
    """Return the first and the last picture of a film."""
    import av

    with av.open(str(path)) as film:
        pictures = [frame.to_image() for frame in film.decode(video=0)]
    return pictures[0], pictures[-1]


def difference(one: Any, other: Any) -> float:
    """Return the mean absolute difference of two pictures, 0 to 255."""
    from PIL import ImageChops, ImageStat

    other = other.convert("RGB").resize(one.size)
    return sum(ImageStat.Stat(ImageChops.difference(one.convert("RGB"), other)).mean) / 3
