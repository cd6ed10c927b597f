"""What a film measures: its size, its length and whether there is sound, as the real ones were seen to have."""

from __future__ import annotations

from orvideo.api.values import VideoModel, VideoRequest
from orvideo.catalogue.sizes import output_size
from orvideo.sandbox.offer import OPEN_DURATION, REFERENCED_SIZE, edits, upscales

#: Recorded pictures that are not what the list says, of models whose price does not go by pixels (api notes).
_RECORDED = {("x-ai/grok-imagine-video", (480, 480)): (544, 544)}
#: Models whose films were recorded with sound, where the list does not say whether they have any (api notes).
_SOUND_UNSAID = {"x-ai/grok-imagine-video"}


def picture_size(model: VideoModel, request: VideoRequest, before: tuple[int, int] | None) -> tuple[int, int]:
    """Return width and height in pixels; `before` is the picture of the job that is worked on."""
    source = before or REFERENCED_SIZE
    if upscales(model):
        factor = upscale_factor(model, request)
        return _even(source[0] * factor), _even(source[1] * factor)
    if edits(model) and not (request.size or request.resolution or request.aspect_ratio):
        return source
    size = output_size(model, request)
    return _RECORDED.get((model.id, size), size)


def upscale_factor(model: VideoModel, request: VideoRequest) -> float:
    """Return by how much an upscaling model enlarges: as asked, else the least that is listed."""
    least = model.upscale_factor.min if model.upscale_factor else None
    return request.upscale_factor or least or 2.0


def _even(side: float) -> int:
    return round(side / 2) * 2


def film_seconds(model: VideoModel, request: VideoRequest, before: int | None) -> int:
    """Return the film's length: what was asked; the input's for a model that works on one; else the first listed."""
    if request.duration is not None:
        return request.duration
    if before is not None and model.supported_durations is None:
        return before
    listed = model.supported_durations
    return listed[0] if listed else OPEN_DURATION


def has_sound(model: VideoModel, request: VideoRequest) -> bool:
    """Say whether the film has sound: as asked, else as the model is listed or was recorded."""
    if request.generate_audio is not None:
        return request.generate_audio
    return model.generate_audio is True or model.id in _SOUND_UNSAID
