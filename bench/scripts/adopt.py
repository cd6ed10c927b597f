"""Put N jobs of the bare server on record, as `orvideo jobs adopt` would. Usage: adopt.py RECORD BASE_URL N."""

import sys
from pathlib import Path

from orvideo.record.ledger import Ledger

record, base_url, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
with Ledger(record) as ledger:
    for number in range(count):
        ledger.adopt(f"bench-{number:08d}", endpoint=base_url)
