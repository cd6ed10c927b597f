"""Quote every listed combination of every model. Usage: quotes.py MODELS.json [MOST]; answers with JSON."""

import json
import sys
import time
from itertools import islice, product
from pathlib import Path

from orvideo.api.values import VideoModel, VideoRequest
from orvideo.catalogue.fit import check
from orvideo.catalogue.quote import quote

FRAME = {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}, "frame_type": "first_frame"}
REFERENCE = {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}


def requests(model):
    ways = [{}, {"input_references": [REFERENCE]}]
    if "first_frame" in (model.supported_frame_images or []):
        ways.append({"frame_images": [FRAME]})
    for seconds, resolution, shape, sound, way in product(
        sorted(model.supported_durations or []) or [None],
        model.supported_resolutions or [None],
        model.supported_aspect_ratios or [None],
        [False, True] if model.generate_audio else [None],
        ways,
    ):
        yield VideoRequest(
            model=model.id, prompt="a boat", duration=seconds, resolution=resolution, aspect_ratio=shape,
            generate_audio=sound, **way,
        )  # fmt: skip


began = time.perf_counter()
models = [VideoModel.of(entry) for entry in json.loads(Path(sys.argv[1]).read_bytes())["data"]]
parsed = time.perf_counter() - began
most = int(sys.argv[2]) if len(sys.argv) > 2 else None
asked = list(islice(((model, request) for model in models for request in requests(model)), most))
began = time.process_time()
kinds = {}
for model, request in asked:
    kind = quote(model, request).kind
    kinds[kind] = kinds.get(kind, 0) + 1
quoted = time.process_time() - began
began = time.process_time()
for model, request in asked:
    check(model, request)
checked = time.process_time() - began
print(
    json.dumps(
        {
            "models": len(models),
            "quotes": len(asked),
            "kinds": kinds,
            "us_per_quote": quoted / len(asked) * 1e6,
            "us_per_check": checked / len(asked) * 1e6,
            "ms_to_read_the_list": parsed * 1e3,
        }
    )
)
