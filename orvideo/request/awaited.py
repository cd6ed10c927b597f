"""Pictures that are not there yet when a request is checked and priced: frames of videos that are still to be made.

Until then a name stands in their places, which no service would take, and with which nothing is sent.
"""

import base64
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from orvideo.record.frames import FrameSource

_PREFIX = "awaited:"
#: The lists of a request that have pictures in them.
MEDIA = ("frame_images", "input_references")


class Awaited(NamedTuple):
    """A picture that is not there yet, as the value of a short name; equal names stand for one picture."""

    name: str

    @property
    def url(self) -> str:
        """What stands in the picture's place."""
        return _PREFIX + self.name


class Taken(NamedTuple):
    """A picture that was awaited: its data URL, and of which video it is a frame."""

    url: str
    source: FrameSource


def data_url(picture: bytes) -> str:
    """Return a PNG or JPEG as it is sent."""
    kind = "png" if picture.startswith(b"\x89PNG") else "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(picture).decode('ascii')}"


def awaited_in(request: Mapping[str, Any]) -> list[Awaited]:
    """Return the pictures that a request still waits for."""
    urls = (url for _, _, url in _places(request))
    return [Awaited(url.removeprefix(_PREFIX)) for url in urls if isinstance(url, str) and url.startswith(_PREFIX)]


def with_names(request: Mapping[str, Any], names: Mapping[Awaited, str]) -> dict[str, Any]:
    """Return a request with other names in the places of what it waits for."""
    return _changed(request, {one.url: name for one, name in names.items()})


def with_pictures(
    request: Mapping[str, Any], pictures: Mapping[Awaited, Taken]
) -> tuple[dict[str, Any], tuple[FrameSource, ...]]:
    """Return a request with the pictures that it waited for, and where each of them came from."""
    by_url = {one.url: picture for one, picture in pictures.items()}
    frames = [
        by_url[url].source._replace(use=part.get("frame_type", "reference"), number=number)
        for number, part, url in _places(request)
        if url in by_url
    ]
    return _changed(request, {url: picture.url for url, picture in by_url.items()}), tuple(frames)


def _places(request: Mapping[str, Any]) -> Iterator[tuple[int, Mapping[str, Any], Any]]:
    """Yield each part of a request's media: its number in its list, the part, and its URL."""
    for name in MEDIA:
        for number, part in enumerate(request.get(name) or ()):
            yield number, part, part[part["type"]]["url"]


def _changed(request: Mapping[str, Any], urls: Mapping[str, str]) -> dict[str, Any]:
    def change(part: Mapping[str, Any]) -> Mapping[str, Any]:
        url = part[part["type"]]["url"]
        known = isinstance(url, str) and url in urls  # what is on record has an object there
        return {**part, part["type"]: {**part[part["type"]], "url": urls[url]}} if known else part

    lists = {name: list(map(change, request[name])) for name in MEDIA if request.get(name)}
    return {**request, **lists}
