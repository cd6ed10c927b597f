"""What the page that is alive shows: the jobs on record, as cards that change, and marks that go back there."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from orvideo.gallery.cards import Card, card_of, on_disk
from orvideo.gallery.page import Live, render
from orvideo.record.ledger import Ledger
from orvideo.record.values import Output, Record


class LiveGallery:
    """The jobs that `listed` finds in a record; any thread may ask. Each method may raise RecordError.

    `ledger` is nobody else's: what others write is seen by its `version`.
    """

    def __init__(self, ledger: Ledger, listed: Callable[[Ledger], Sequence[Record]]) -> None:
        #: Whoever knows it may look, and set marks.
        self.token = secrets.token_urlsafe(24)
        self._ledger, self._listed = ledger, listed
        self._lock = threading.Lock()
        self._records: dict[str, Record] = {}
        self._cards: dict[str, Card] = {}
        #: Of each card, the version in which it became what it is.
        self._changed: dict[str, int] = {}
        self._version = 0
        #: The record's own version when it was last read; None when it must be read again.
        self._seen: int | None = None

    def page(self) -> str:
        """Return the page with all that is known now."""
        with self._lock:
            self._look(afresh=True)
            cards = [self._cards[handle] for handle in self._records]
        live = Live(state=f"state?since={self._version}", marks="marks", token=self.token)
        return render(cards, live=live, made_at=self._ledger.clock.now())

    def count(self) -> tuple[int, int]:
        """Return how many jobs are shown, and how many videos."""
        with self._lock:
            self._look()
            pictures = [one for card in self._cards.values() for one in card["outputs"] if one["url"] is not None]
            return len(self._cards), len(pictures)

    def changes(self, since: int) -> dict[str, Any]:
        """Return the cards that are new or changed after a version, newest first, and the version now."""
        with self._lock:
            self._look()
            cards = [self._cards[handle] for handle in self._records if self._changed[handle] > since]
            return {"version": self._version, "cards": cards}

    def running(self) -> list[Record]:
        """Return the jobs that the service may still change."""
        with self._lock:
            self._look()
            return [record for record in self._records.values() if record.is_running and record.id is not None]

    def video(self, handle: str, number: int) -> Path | None:
        """Return the file of a video that is shown, None where it is not on this disk."""
        with self._lock:
            self._look()
            record = self._records.get(handle)
        outputs = record.outputs if record is not None else ()
        return next((on_disk(output) for output in outputs if output.index == number), None)

    def mark(self, handle: str, mark: str | None, note: str | None) -> bool:
        """Put a mark on record ("" for none; None leaves it); return whether the job is one of those shown."""
        with self._lock:
            self._look()
            record = self._records.get(handle)
        if record is None:
            return False
        self._ledger.set_mark(record.seq, mark, note)
        with self._lock:
            self._seen = None
        return True

    def _look(self, *, afresh: bool = False) -> None:
        """Read the record again where it has changed; `afresh` also looks again for the files of all jobs."""
        seen = self._ledger.version()
        if seen == self._seen and not afresh:
            return
        before, self._records = self._records, {record.handle: record for record in self._found()}
        cards = {
            handle: self._cards[handle] if record == before.get(handle) and not afresh else card_of(record, _address)
            for handle, record in self._records.items()
        }
        changed = [handle for handle, card in cards.items() if card != self._cards.get(handle)]
        if changed:
            self._version += 1
            self._changed |= dict.fromkeys(changed, self._version)
        self._cards, self._seen = cards, seen

    def _found(self) -> list[Record]:
        """Return the jobs to show, newest first; one that was shown stays, also where a filter lets it pass no more."""
        found = {record.seq: record for record in self._listed(self._ledger)}
        for seq in {record.seq for record in self._records.values()} - found.keys():
            if (record := self._ledger.find_by_seq(seq)) is not None:
                found[seq] = record
        return sorted(found.values(), key=lambda record: record.seq, reverse=True)


def _address(record: Record, output: Output) -> str | None:
    return f"video/{quote(record.handle, safe='')}/{output.index}" if on_disk(output) is not None else None
