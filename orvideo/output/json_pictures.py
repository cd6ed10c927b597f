"""The JSON documents of pictures that were taken of videos, as pydantic models."""

from __future__ import annotations

from orvideo.output.json_documents import Document


class Source(Document):
    """The video that a picture was taken of."""

    path: str
    """Where the video is, absolute."""
    job_id: str | None
    """The job that was named; null where a file was."""
    index: int | None
    """Which of the job's videos it is, from 0; null where a file was named."""


class Frame(Document):
    """A frame of a video that was saved as a picture."""

    path: str
    """Where it was saved, absolute."""
    width: int
    height: int
    at_seconds: float
    """When the frame begins, after the first frame."""
    source: Source


class SheetFrame(Document):
    """A frame on a sheet."""

    at_seconds: float
    damaged: bool
    """Whether the frame cannot be decoded; its place on the sheet is empty."""


class SheetVideo(Document):
    """A video on a sheet, and its frames."""

    source: Source
    frames: list[SheetFrame]


class Sheet(Document):
    """A contact sheet."""

    path: str
    """Where it was saved, absolute."""
    width: int
    height: int
    videos: list[SheetVideo]
