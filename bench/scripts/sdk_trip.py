"""The whole trip with the official Python SDK. Usage: sdk_trip.py BASE_URL OUTPUT stream|read."""

import os
import sys
import time

from openrouter import OpenRouter

base_url, output, how = sys.argv[1:]
with OpenRouter(api_key=os.environ["OPENROUTER_API_KEY"], server_url=base_url) as client:
    videos = client.video_generation
    job = videos.generate(model="google/veo-3.1-lite", prompt="a paper boat", duration=4, resolution="720p")
    while (job := videos.get_generation(job_id=job.id)).status not in ("completed", "failed", "cancelled", "expired"):
        time.sleep(5)
    answer = videos.get_video_content(job_id=job.id, index=0)
    with open(output, "wb") as file:
        if how == "read":
            file.write(answer.read())
        else:
            for piece in answer.iter_bytes():
                file.write(piece)
