"""What a receipt says and what it must not say."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from orvideo import __version__
from orvideo.download.receipts import receipt_document
from orvideo.record.values import Output, Record, State
from tests.commands.services import data_url, frame, reference

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.mark.drill("O17")
def test_o17_no_path_no_signature_no_callback_no_picture() -> None:
    request = {
        "model": "acme/one",
        "prompt": "see https://a.example/?p=1",
        "callback_url": "https://secret.example/",
        "input_references": [reference("HTTPS://a.example/x.mp4?sig=secret#secret", "video")],
        "frame_images": [frame(data_url(b"secret"))],
    }
    record = Record(
        1, "sub-1", "job-1", "https://openrouter.ai/api/v1", State.SUBMITTED, NOW, status="completed",
        model="acme/one", request=request, cost=Decimal("0.12"), generation_id="gen-1",
    )  # fmt: skip
    output = Output(0, "/home/secret/boat.mp4", 7, "abc", NOW)
    receipt = receipt_document(record, output, canonical_slug="acme/one-20261101")
    assert "secret" not in json.dumps(receipt)
    assert data_url(b"secret") not in json.dumps(receipt)
    assert receipt["request"]["input_references"] == [reference("HTTPS://a.example/x.mp4", "video")]
    assert receipt["request"]["prompt"] == "see https://a.example/?p=1"
    assert receipt["output"]["file"] == "boat.mp4"
    assert (receipt["orvideo"], receipt["job_id"], receipt["generation_id"]) == (__version__, "job-1", "gen-1")
    assert (receipt["model"], receipt["canonical_slug"], receipt["cost_usd"]) == ("acme/one", "acme/one-20261101", 0.12)


def test_what_is_not_known_is_null() -> None:
    record = Record(1, "sub-1", "job-1", "sandbox", State.SUBMITTED, NOW)
    receipt = receipt_document(record, Output(0), canonical_slug=None)
    assert [name for name, value in receipt.items() if value is None] == [
        "generation_id", "model", "canonical_slug", "status", "submitted_at", "ended_at", "quote", "cost_usd",
        "is_byok", "request",
    ]  # fmt: skip
