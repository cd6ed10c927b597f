"""The whole trip with httpx alone: no record, no sync, no check of what came. Usage: httpx_trip.py BASE_URL OUTPUT."""

import os
import sys
import time

import httpx

base_url, output = sys.argv[1:]
order = {"model": "google/veo-3.1-lite", "prompt": "a paper boat", "duration": 4, "resolution": "720p"}
headers = {"Authorization": f"Bearer {os.environ['OPENROUTER_API_KEY']}"}
with httpx.Client(headers=headers, timeout=60) as client:
    job = client.post(f"{base_url}/videos", json=order).raise_for_status().json()
    while job["status"] != "completed":
        job = client.get(f"{base_url}/videos/{job['id']}").raise_for_status().json()
        if job["status"] != "completed":
            time.sleep(5)
    with client.stream("GET", job["unsigned_urls"][0]) as answer, open(output, "wb") as file:
        answer.raise_for_status()
        for piece in answer.iter_raw():
            file.write(piece)
