"""Put N completed jobs with videos on record. Usage: shelf.py RECORD FOLDER N; the videos are files in FOLDER."""

import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from orvideo.record.ledger import Ledger
from orvideo.record.values import Observation, Output, Submission

record, folder, count = Path(sys.argv[1]), Path(sys.argv[2]).absolute(), int(sys.argv[3])
with Ledger(record) as ledger:
    for number in range(count):
        prompt = f"a paper boat drifts down street number {number}, seen from a window at dusk"
        request = {"model": "google/veo-3.1-lite", "prompt": prompt, "duration": 4, "resolution": "720p"}
        seq = ledger.prepare(Submission(request=request, endpoint="https://openrouter.ai/api/v1"))
        ledger.sending(seq)
        ledger.submitted(seq, f"bench-{number:08d}", status="pending", generation_id=None, extra={})
        ledger.observed(seq, Observation(status="completed", cost=Decimal("0.2"), final=True, expected_outputs=1))
        video = folder / f"{number:04}.mp4"
        video.write_bytes(b"not looked into")
        saved_at = datetime.now(UTC)
        ledger.output_saved(seq, Output(index=0, path=str(video), bytes=video.stat().st_size, saved_at=saved_at))
