"""Jobs on record for the gallery: real films of the sandbox, and jobs that have none."""

from __future__ import annotations

import json
from pathlib import Path

from orvideo.gallery.cards import Card, beside, card_of
from orvideo.record.ledger import Ledger
from orvideo.record.values import Record, State
from tests.record.ledger_support import bring_to, finished
from tests.shell import Shell

#: A prompt that would do something to a page that takes it for more than text.
NASTY = "</script><script>document.title = 'taken'</script><!-- <img src=x onerror=alert(1)> \"quoted\" & 'so'"
PROMPTS = ("a paper boat", "a lighthouse in fog", NASTY)


def record_of(home: Path) -> Ledger:
    return Ledger(home / "state" / "orvideo" / "jobs.db")


def fill(shell: Shell, home: Path) -> None:
    """Put a batch of three films on record, then a job that failed and one that runs."""
    rows = [{"prompt": prompt, "seed": number} for number, prompt in enumerate(PROMPTS, start=1)]
    (home / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    asked = ("-m", "grok-imagine-video", "-d", "6", "-r", "480p")
    done = shell("batch", "rows.jsonl", *asked, "-o", "films/", "--name", "harbour", "--sandbox", "--yes")
    assert done.code == 0, done.err
    with record_of(home) as ledger:
        finished(ledger, "gen-vid-failed", None, status="failed", request={"model": "a/b", "prompt": "a fall"})
        bring_to(ledger, State.SUBMITTED, job_id="gen-vid-running", request={"model": "a/b", "prompt": "a race"})


def records(home: Path) -> list[Record]:
    with record_of(home) as ledger:
        return ledger.list()


def cards(home: Path) -> list[Card]:
    """Return the cards of all that is on record, for a page in the home."""
    return [card_of(record, beside(home)) for record in records(home)]
