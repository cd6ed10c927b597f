"""Write one submit into a record that is there, as strace counts it. Usage: one_submit.py RECORD"""

import sys
from pathlib import Path

from orvideo.record.ledger import Ledger
from orvideo.record.values import Submission

ledger = Ledger(Path(sys.argv[1]))
sys.stderr.write("begin\n")
seq = ledger.prepare(Submission(request={"model": "m/x", "prompt": "a boat"}, endpoint="https://openrouter.ai/api/v1"))
ledger.sending(seq)
ledger.answered(seq, 202, b"{}")
ledger.submitted(seq, "job-12345678", status="pending", generation_id=None, extra={})
sys.stderr.write("end\n")
