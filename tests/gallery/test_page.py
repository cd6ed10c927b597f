"""The page as text: nothing in it that a prompt put there, and a policy that lets in nothing else."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from orvideo.gallery import page
from orvideo.gallery.cards import beside, card_of
from orvideo.gallery.page import render
from orvideo.record.ledger import Ledger
from tests.gallery.shelf import NASTY
from tests.record.ledger_support import finished, request

#: What no line and no file could bring, but a job from elsewhere.
BROKEN = f"{NASTY} \u2028 \u202eevil"
NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
PAGES = Path(page.__file__).with_name("pages")


@pytest.fixture
def nasty(tmp_path: Path) -> str:
    """A page with a nasty prompt, model and note in it."""
    with Ledger(tmp_path / "jobs.db") as ledger:
        seq = finished(ledger, "gen-vid-1", request=request(prompt=BROKEN, model=BROKEN), batch="b", batch_name=BROKEN)
        ledger.set_mark(seq, "keep", BROKEN)
        return render([card_of(ledger.get(seq), beside(tmp_path))], made_at=NOON)


def test_no_text_ends_the_data_or_begins_a_tag(nasty: str) -> None:
    data = re.findall(r'<script type="application/json" id="data">(.*?)</script>', nasty, re.DOTALL)
    assert len(data) == 1
    assert data[0].isascii()
    assert not set("<>&") & set(data[0])
    (card,) = json.loads(data[0])["cards"]
    assert card["note"] == " ".join(BROKEN.split())
    assert "onerror" not in nasty.replace(data[0], "")


def test_the_policy_names_the_style_and_the_script_that_are_there_and_no_others(nasty: str) -> None:
    policy = re.search(r'Content-Security-Policy" content="(.*?)"', nasty)[1].replace("&#39;", "'")
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    for tag, rule in (("style", "style-src"), ("script", "script-src")):
        (text,) = re.findall(rf"<{tag}>(.*?)</{tag}>", nasty, re.DOTALL)
        assert rules.pop(rule) == f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
    assert rules == {
        "default-src": "'none'",
        "media-src": "'self' file:",
        "img-src": "data:",
        "connect-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }


def test_the_scripts_can_be_read_by_a_program_and_name_nothing_that_makes_markup_of_text() -> None:
    scripts = sorted(PAGES.glob("*.js"))
    assert scripts
    for script in scripts:
        text = script.read_text(encoding="utf-8")
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", text)
        assert "</script" not in text
        assert len(text.splitlines()) < 400


@pytest.mark.skipif(shutil.which("node") is None, reason="the scripts were NOT checked: node is not here")
@pytest.mark.parametrize("script", sorted(PAGES.glob("*.js")), ids=lambda path: path.name)
def test_the_scripts_are_javascript(script: Path) -> None:
    done = subprocess.run(["node", "--check", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
