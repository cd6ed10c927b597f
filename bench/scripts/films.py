"""Make one film at each height and time it. Usage: films.py FOLDER SECONDS HEIGHT...; answers with JSON."""

import json
import sys
import time
from pathlib import Path

from orvideo.sandbox.card import Film
from orvideo.sandbox.film import make

folder, seconds = Path(sys.argv[1]), int(sys.argv[2])
make(Film(320, 180, 1, "warm/up", "a paper boat"), folder / "warm.mp4")
found = {}
for height in map(int, sys.argv[3:]):
    film = Film(height * 16 // 9 // 2 * 2, height, seconds, "google/veo-3.1-lite", "a paper boat", sound=True)
    path = folder / f"{height}.mp4"
    wall, cpu = time.perf_counter(), time.process_time()
    make(film, path)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    found[height] = {"film_seconds_per_second": seconds / wall, "cpu": cpu / seconds, "mb": path.stat().st_size / 1e6}
print(json.dumps(found))
