"""What a batch decides by values alone: when it stops, how a row stands, what it all costs, and how a file is read."""

from __future__ import annotations

import base64
import io
import json
import os
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from orvideo.api.client import Client
from orvideo.api.values import VideoRequest
from orvideo.batch.checking import Asked, Pricing, Reader, price_of
from orvideo.batch.entry import Entry, StopRules
from orvideo.batch.formats import Form
from orvideo.batch.identity import RowKeys, batch_id, batch_label, content_key
from orvideo.batch.naming import check_targets, row_text, spec_for
from orvideo.batch.row_state import History, RowState, row_state
from orvideo.batch.rows import Link, Row, read_rows, shown_list
from orvideo.batch.source import MOST_BYTES, Source, read_source
from orvideo.catalogue.listing import Catalogue
from orvideo.catalogue.planning import Plan
from orvideo.catalogue.quote import Quote
from orvideo.errors import (
    Forbidden,
    JobEnded,
    NotFetched,
    OrvideoError,
    OutputUnwritable,
    PaymentRequired,
    RateLimited,
    RecordError,
    ServiceReply,
    ServiceUnavailable,
    Unauthorized,
    UsageError,
)
from orvideo.film.moment import LAST
from orvideo.jobs.task import Task
from orvideo.record.ledger import Ledger
from orvideo.record.values import Observation, Record, State
from orvideo.request.build import MediaSource, RequestDraft
from orvideo.request.planner import Planner
from tests.catalogue.shelf import invented
from tests.record.ledger_support import bring_to
from tests.request.images import picture


def record(state: State = State.SUBMITTED, **fields: Any) -> Record:
    when = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
    return Record(
        **{"seq": 1, "handle": "sub-1", "id": None, "endpoint": "x", "created_at": when, **fields}, state=state
    )


# --- when a batch starts no more rows


def refused(status: int, message: str = "no") -> Forbidden:
    return Forbidden(f"x refused: {message}", reply=ServiceReply(status, message))


@pytest.mark.drill("B11")
@pytest.mark.parametrize(
    ("error", "says"),
    [
        (Unauthorized("x"), "the key is refused"),
        (RateLimited("slow down"), "the service takes nothing"),
        (ServiceUnavailable("closed"), "the service takes nothing"),
        (PaymentRequired("no credits"), "a row was refused for money"),
        (RecordError("locked"), "the record cannot be used"),
        (OutputUnwritable("full"), "the record cannot be used"),
        (refused(403), None),
        (UsageError("a picture has changed"), None),
    ],
)
def test_some_refusals_stop_the_next_rows_at_once(error: OrvideoError, says: str | None) -> None:
    assert StopRules(fail_fast=False).refused(error) == says


@pytest.mark.drill("B11")
def test_the_fifth_equal_refusal_in_a_row_stops_the_next_rows() -> None:
    rules = StopRules(fail_fast=False)
    assert [rules.refused(refused(403)) for _ in range(4)] == [None] * 4
    assert rules.refused(refused(403)) == "5 refusals in a row were the same"
    for other in (refused(400), refused(403, "another"), UsageError("no"), UsageError("another")):
        assert rules.refused(other) is None, "it is another one"
        assert rules.refused(refused(403)) is None
    for _ in range(3):
        assert rules.refused(refused(403)) is None
    rules.accepted()
    assert [rules.refused(refused(403)) for _ in range(4)] == [None] * 4, "one that was accepted ends the row"


@pytest.mark.drill("B11")
@pytest.mark.parametrize(
    ("error", "fail_fast", "says"),
    [
        (None, True, None),
        (Unauthorized("x"), False, "the key is refused"),
        (OutputUnwritable("x"), False, "what was paid for could not be saved"),
        (OutputUnwritable("x"), True, "what was paid for could not be saved"),
        (NotFetched("x"), False, None),
        (NotFetched("x"), True, "a row failed (--fail-fast)"),
        (JobEnded("x"), False, None),
    ],
)
def test_some_ends_stop_the_next_rows(error: OrvideoError | None, fail_fast: bool, says: str | None) -> None:
    assert StopRules(fail_fast=fail_fast).over(Task(record(), error=error)) == says


@pytest.mark.drill("B11")
def test_the_fifth_equal_end_in_a_row_stops_the_next_rows() -> None:
    def failed(reason: str = "filtered", status: str = "failed") -> Task:
        return Task(record(status=status, error=reason), error=JobEnded("It failed."))

    rules = StopRules(fail_fast=False)
    assert [rules.over(failed()) for _ in range(4)] == [None] * 4
    assert rules.over(failed()) == "5 jobs in a row ended alike"
    for other in (failed("another"), failed(status="expired"), Task(record())):
        assert rules.over(other) is None
        assert [rules.over(failed()) for _ in range(4)] == [None] * 4
    assert rules.over(Task(record(), error=NotFetched("x"))) is None
    assert rules.over(failed()) is not None, "a download that failed says nothing of how jobs end"
    assert rules.over(Task(error=JobEnded("x"))) is None


# --- how rows stand


@pytest.mark.parametrize(
    ("job", "standing"),
    [
        (None, RowState.NEW),
        (record(State.NOT_SENT), RowState.NEW),
        (record(State.PREPARED), RowState.ELSEWHERE),
        (record(State.SENDING), RowState.ELSEWHERE),
        (record(State.UNKNOWN), RowState.UNKNOWN),
        (record(), RowState.RUNNING),
        (record(status="completed"), RowState.RUNNING),
        (record(status="completed", final=True), RowState.COMPLETED),
        (record(status="failed", final=True), RowState.FAILED),
        (record(status="expired", final=True), RowState.FAILED),
    ],
)
def test_how_a_row_stands(job: Record | None, standing: RowState) -> None:
    assert row_state(job) is standing


def asked(key: str, number: int) -> Asked:
    return Asked(Row(number, number, {}), key, RequestDraft({}), has_media=False, warnings=())


def test_the_last_job_of_a_row_counts_but_for_one_that_came_to_nothing() -> None:
    nothing = record(State.NOT_SENT, row_key="a", seq=1)
    failed = record(row_key="a", seq=2, final=True, status="failed", row_number=1)
    again = record(State.UNKNOWN, row_key="a", seq=3, row_number=1)
    for jobs, last in [
        ([nothing], nothing),
        ([nothing, nothing._replace(seq=9)], nothing._replace(seq=9)),
        ([nothing, failed], failed),
        ([failed, nothing], failed),
        ([failed, again, nothing], again),
    ]:
        assert History.of(jobs).last == {"a": last}


def test_the_job_that_another_run_has_made_of_a_row_is_followed(tmp_path: Path) -> None:
    def row(key: str, state: State, job_id: str, batch: str = "b") -> int:
        return bring_to(ledger, state, job_id=job_id, batch=batch, row_key=key)

    entry = Entry(row=Row(1, 1, {}), key="a", batch="b")
    with Ledger(tmp_path / "jobs.db") as ledger:
        ledger.observed(row("a", State.SUBMITTED, "job-1"), Observation("failed", final=True))
        row("a", State.NOT_SENT, "job-2")
        row("another", State.SUBMITTED, "job-3")
        row("a", State.SUBMITTED, "job-4", batch="another")
        assert entry.record_of_other_run(ledger) is None, "it is to be bought"
        row("a", State.SUBMITTED, "job-5")
        found = entry.record_of_other_run(ledger)
    assert found is not None
    assert found.id == "job-5"


def test_jobs_of_rows_that_are_gone_and_rows_that_took_their_places() -> None:
    history = History.of(
        [
            record(row_key="a", row_number=1),
            record(row_key="b", row_number=2),
            record(State.NOT_SENT, row_key="c", row_number=3),
        ]
    )
    now = [asked("a", 1), asked("x", 2), asked("y", 3)]
    assert [job.row_key for job in history.left_behind(now)] == ["b"]
    assert [one.key for one in history.changed(now)] == ["x"], "nothing was bought in the place of y"
    assert history.changed([asked("a", 2)]) == [], "it was moved there"


@pytest.mark.drill("B09")
@pytest.mark.parametrize(
    ("jobs", "found"),
    [
        ([], None),
        (["not_sent"], None),
        (["failed"], None),
        (["other row"], None),
        (["other batch"], None),
        (["prepared"], 0),
        (["unknown"], 0),
        (["running"], 0),
        (["completed"], 0),
        (["failed", "running"], 1),
        (["not_sent", "completed", "other row", "other batch"], 1),
    ],
)
def test_a_row_that_another_run_has_bought_is_followed(jobs: list[str], found: int | None, tmp_path: Path) -> None:
    with Ledger(tmp_path / "jobs.db") as ledger:
        seqs = []
        for number, what in enumerate(jobs):
            batch, key = "c" if what == "other batch" else "b", "other" if what == "other row" else "a"
            states = {"not_sent": State.NOT_SENT, "prepared": State.PREPARED, "unknown": State.UNKNOWN}
            state = states.get(what, State.SUBMITTED)
            seqs.append(bring_to(ledger, state, job_id=f"job-{number}", batch=batch, row_key=key))
            if what in ("failed", "completed"):
                ledger.observed(seqs[-1], Observation(what, final=True))
        entry = Entry(row=Row(1, 1, {}), key="a", batch="b")
        record = entry.record_of_other_run(ledger)
        assert (None if record is None else record.seq) == (None if found is None else seqs[found])


# --- what it costs


def quoted(*amounts: str | None, kind: str = "about") -> Quote:
    usd, low, high = (None if amount is None else Decimal(amount) for amount in amounts)
    return Quote(kind, usd, low, high)  # type: ignore[arg-type]


def test_a_price_is_the_sum_of_what_is_known() -> None:
    known = [quoted("0.1", "0.1", "0.4"), quoted("0.2", None, None)]
    price = price_of(known)
    assert (price.usd, price.low, price.high) == (Decimal("0.3"), Decimal("0.3"), Decimal("0.6"))
    assert (price.rows, price.unknown, price.most) == (2, 0, Decimal("0.6"))
    with_unknown = price_of([*known, quoted(None, "5", "9", kind="unknown")])
    assert (with_unknown.rows, with_unknown.unknown, with_unknown.usd) == (3, 1, Decimal("0.3"))
    assert with_unknown.most is None, "no limit can be held against it"
    nothing_known = price_of([quoted(None, None, None, kind="unknown")])
    assert (nothing_known.usd, nothing_known.low, nothing_known.high, nothing_known.most) == (None,) * 4
    assert (price_of([]).usd, price_of([]).most, price_of([]).rows) == (Decimal(0), Decimal(0), 0)


def test_the_most_that_a_row_may_cost_is_the_top_of_its_quote() -> None:
    assert quoted("0.1", "0.1", "0.4").most == Decimal("0.4")
    assert quoted("0.1", None, None).most == Decimal("0.1")
    assert quoted("0.1", None, "0").most == 0
    assert quoted(None, None, None).most is None


# --- which row and which batch it is


def test_spelling_does_not_make_a_row_new_and_content_does() -> None:
    row = {
        "model": "a/b",
        "resolution": "720p",
        "aspect_ratio": "16:9",
        "size": "1x1",
        "prompt": "A boat",
        "seed": None,
    }
    same = {**row, "model": " A/B ", "resolution": "720P", "aspect_ratio": "16:9 ", "size": "1X1"}
    assert content_key(row) == content_key(same) == content_key({name: same[name] for name in reversed(same)})
    assert content_key(row) != content_key({**row, "prompt": "a boat"})
    assert content_key(row) != content_key({**row, "seed": 0})


def test_rows_and_batches_are_called_what_they_were_called_before() -> None:
    """Under another name they would all be bought again."""
    same = "69e6f509ded95e67d4416696b6988dd1"
    row = {"prompt": "a boat", "model": "A/b", "duration": 4}
    keys = RowKeys()
    assert [keys.next(content_key(row)) for _ in range(3)] == [f"{same}-0", f"{same}-1", f"{same}-2"]
    link = {"first_frame": Link(1, LAST)}
    asked, _ = Reader(MediaSource(1 << 20), {}).ask([Row(1, 1, row), Row(2, 2, {**row, **link}, depth=1)])
    assert [one.key for one in asked] == [f"{same}-0", "cf86ef253623caeee5b7e308c6c7f582-0"]
    assert batch_id("file:/b.txt", "https://openrouter.ai/api/v1") == "batch-6d05e4d6a61a14ef41898897"
    assert batch_label(Source("stdin", "one", Form.TEXT, None), None) == "content:7692c3ad3540bb80"


def test_a_batchs_name_is_read_without_the_spaces_around_it() -> None:
    source = Source("b", "x", Form.TEXT, None)
    assert batch_label(source, " night ") == "name:night"
    assert batch_label(source, "x" * 200) == batch_label(source, "x" * 201) == "name:" + "x" * 200
    assert batch_label(source._replace(path=Path("/b.txt")), None) == f"file:{Path('/b.txt')}"


# --- how a file is read


@pytest.mark.parametrize(
    ("data", "form"),
    [
        (b'\n {"prompt": "a"}', Form.JSONL),
        (b'"a"', Form.JSONL),
        (b"prompt,seed\na,1", Form.CSV),
        (b"Prompt, Aspect-Ratio\na,16:9", Form.CSV),
        (b"prompt\na", Form.CSV),
        (b"prompts, and more\n", Form.TEXT),
        (b"a boat, at night", Form.TEXT),
        (b"", Form.TEXT),
    ],
)
def test_how_a_text_without_a_telling_name_is_written(data: bytes, form: Form) -> None:
    assert read_source("-", io.BytesIO(data)).form is form


@pytest.mark.parametrize(
    ("suffix", "form"),
    [
        ("jsonl", Form.JSONL),
        ("NDJSON", Form.JSONL),
        ("json", Form.JSONL),
        ("csv", Form.CSV),
        ("txt", Form.CSV),
        ("md", Form.CSV),
        ("dat", Form.CSV),
    ],
)
def test_a_files_name_says_how_it_is_written(suffix: str, form: Form, tmp_path: Path) -> None:
    path = tmp_path / f"b.{suffix}"
    path.write_bytes(b'{"prompt": "a"}' if form is Form.JSONL else b"prompt,seed\n")
    source = read_source(str(path), None)
    assert (source.form, source.path, source.folder, source.shown) == (form, path, tmp_path, str(path))
    assert read_source(str(path), None, Form.TEXT).form is Form.TEXT


def test_a_file_that_cannot_be_read_is_named_with_the_reason(tmp_path: Path) -> None:
    for spec, why in [
        (str(tmp_path / "missing"), "No such file or directory"),
        (str(tmp_path), "Is a directory"),
        *([("a\0b", "embedded null byte")] if os.name == "posix" else []),
    ]:
        with pytest.raises(UsageError) as refusal:
            read_source(spec, None)
        assert refusal.value.message == f"The batch file {spec} cannot be read: {why}."
    assert read_source("-", None).text == "", "stdin is closed"


def test_a_fifo_is_read_to_its_end(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo.csv"
    os.mkfifo(fifo)
    writer = threading.Thread(target=fifo.write_bytes, args=(b"prompt\na\n",), daemon=True)
    writer.start()
    source = read_source(str(fifo), None)
    writer.join(240)
    assert (source.text, source.path, source.folder) == ("prompt\na\n", None, Path.cwd())


@pytest.mark.drill("B15")
def test_64_mib_are_read_and_one_byte_more_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "b.txt"
    with path.open("wb") as file:
        file.write(b"a" * MOST_BYTES)
    assert len(read_source(str(path), None).text) == MOST_BYTES == 64 << 20
    with path.open("wb") as file:
        file.truncate(MOST_BYTES + 1)
    with pytest.raises(UsageError, match="at most 64 MiB"):
        read_source(str(path), None)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ("a\nb".encode("utf-16-le"), "UTF-16LE"),
        (b"a\nb\n\xff", "line 3"),
        (b"\xffa", "line 1"),
        (b"\n\xff", "line 2"),
    ],
)
def test_what_is_no_utf_8_is_refused_with_its_line(data: bytes, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        read_source("-", io.BytesIO(data))


@pytest.mark.parametrize(
    ("text", "form", "found"),
    [
        ("a\r\n\n # b\n c \n", Form.TEXT, ["a", "c"]),
        ("a\rb\r", Form.TEXT, ["a", "b"]),
        ('"a"\n\n{"prompt": "b"}\n7\n', Form.JSONL, ["a", "b", 4]),
        ("\nprompt,seed\n\na,1\n,\nb,2\n", Form.CSV, ["a", "b"]),
        ("prompt,seed\na\nb,2\nc,2,3\n", Form.CSV, ["b", 2, 4]),
    ],
)
def test_lines_are_counted_as_an_editor_counts_them(text: str, form: Form, found: list[Any]) -> None:
    source = read_source("-", io.BytesIO(text.encode()), form)
    assert (source.shown, source.path, source.form) == ("stdin", None, form)
    rows, troubles = read_rows(source, output=None)
    assert [row.fields["prompt"] for row in rows] + [trouble.line for trouble in troubles] == found


def only(row: str, form: Form = Form.JSONL) -> Row | str:
    """Return the one row, or what is wrong with it."""
    rows, troubles = read_rows(Source("b", row, form, None), output=None)
    assert len(rows) + len(troubles) == 1
    return rows[0] if rows else troubles[0].message


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ('{"audio": true, "generate_audio": true}', "generate_audio is said twice."),
        ("{}", "The row says nothing."),
        ('{"prompt": null}', "The row says nothing."),
        ('{"prompt": " "}', "The prompt is empty."),
        ('{"prompt": "a", "name": ""}', "name takes a text."),
        ('{"prompt": "a", "output": 7}', "output takes a text."),
        (
            '{"prompt": "a", "x": [1], "output": "{x}.mp4"}',
            "x is used in an output's name and takes a text or a number.",
        ),
        ("[1]", "A row is an object or a text, not a list."),
        ("true", "A row is an object or a text, not true or false."),
        ("null", "A row is an object or a text, not null."),
        ("1.5", "A row is an object or a text, not a number."),
        ("{'a': 1}", "at character 2."),
        ('{"prompt": "a", "prompt": "b"}', "This is not JSON that can be used"),
        ('{"prompt": "a", "zzzz": 1, "durations": 2}', "Did you mean duration?"),
        ('{"prompt": "a", "": 1, "output": "a{{b.mp4"}', "There is no field ''."),
    ],
)
def test_a_row_that_is_not_understood_is_refused_in_words(row: str, says: str) -> None:
    found = only(row)
    assert isinstance(found, str)
    assert says in found


@pytest.mark.parametrize("more", ["5", "6"])
def test_five_strange_fields_are_named(more: str) -> None:
    found = only("{" + ",".join(f'"qq{number}": 1' for number in range(int(more))) + "}")
    assert isinstance(found, str)
    assert found.count("There is no field") == 5


@pytest.mark.parametrize(
    ("column", "cell", "value"),
    [
        ("duration", "+8", 8),
        ("seed", "-1", -1),
        ("seed", "9" * 18, int("9" * 18)),
        ("seed", "9" * 19, None),
        ("seed", "1.5", None),
        ("upscale_factor", "1.5", 1.5),
        ("upscale_factor", "inf", None),
        ("upscale_factor", "much", None),
        *(("generate_audio", word, True) for word in ("true", "YES", "on", "1")),
        *(("generate_audio", word, False) for word in ("false", "no", "OFF", "0")),
        ("generate_audio", "2", None),
        ("reference", "a.png", "a.png"),
        ("reference", '["a.png"]', ["a.png"]),
        ("reference", "[", None),
        ("trace", '{"a": 1}', {"a": 1}),
        ("trace", "a", None),
        ("user", " u ", "u"),
    ],
)
def test_a_cell_is_what_its_column_takes_or_refused(column: str, cell: str, value: object) -> None:
    quoted = cell.replace('"', '""')
    found = only(f'prompt,{column}\na,"{quoted}"\n', Form.CSV)
    if value is None:
        assert isinstance(found, str)
        assert found.startswith(f"{column} takes ")
    else:
        assert isinstance(found, Row)
        assert found.fields[column] == value
        assert type(found.fields[column]) is type(value)


def test_what_is_wrong_is_listed_line_by_line() -> None:
    _, troubles = read_rows(Source("b", "1\n\nnull\n", Form.JSONL, None), output=None)
    assert shown_list(troubles) == (
        "line 1: A row is an object or a text, not a number.\nline 3: A row is an object or a text, not null."
    )


# --- where a video goes


@pytest.mark.parametrize(
    ("number", "total", "text"),
    [(1, 1, "001"), (1, 999, "001"), (1, 1000, "0001"), (999, 999, "999"), (7, 12345, "00007")],
)
def test_a_rows_number_is_as_wide_as_the_last_ones(number: int, total: int, text: str) -> None:
    assert row_text(number, total) == text


def test_a_target_is_whole_before_it_is_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "{a}").mkdir()

    def place(line: str | None, **row: Any) -> str:
        return spec_for(Row(3, 1, {}, **row), line, 10)

    assert place(None) == f"{tmp_path}/003-{{slug}}-{{short}}.{{ext}}"
    assert place("{a}") == f"{tmp_path}/{{{{a}}}}/003-{{slug}}-{{short}}.{{ext}}"
    assert place("{id}/") == f"{tmp_path}/{{id}}/003-{{slug}}-{{short}}.{{ext}}"
    assert place("a\0b") == f"{tmp_path}/a\0b"
    assert place("new/") == f"{tmp_path}/new/003-{{slug}}-{{short}}.{{ext}}"
    assert place("{a}", output="b.mp4") == f"{tmp_path}/{{{{a}}}}/b.mp4"
    assert place("x.mp4", output="b.mp4") == f"{tmp_path}/b.mp4"
    assert place("{row}-{{row}}-{id}.mp4") == f"{tmp_path}/003-{{{{row}}}}-{{id}}.mp4"
    for bad in ({"name": None}, {"name": " "}):
        with pytest.raises(UsageError, match="the row has none"):
            place("{name}.mp4", **bad)
    for stream in ("-", "/dev/stdout", "/dev/fd/7"):
        with pytest.raises(UsageError, match="one place"):
            place(stream)


@pytest.mark.drill("B16")
def test_clashes_are_found_before_anything_is_bought(tmp_path: Path) -> None:
    (tmp_path / "there.mp4").touch()
    size = {"size": "864x496", "prompt": "a boat"}
    specs = [
        "a.mp4",
        "./a.mp4",
        "taken.mp4",
        "there.mp4",
        "{resolution}.mp4",
        "864x496.mp4",
        "b.mp4",
        "{slug}-{row}.mp4",
    ]
    asked = [(Row(n, n, {}), f"{tmp_path}/{spec}", size) for n, spec in enumerate([*specs, "a-boat-008.mp4"], 1)]
    asked += [(Row(n, n, {}), os.devnull, {}) for n in (20, 21)]
    asked.append((Row(22, 22, {}), "/dev/stdout", {}))
    now = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)

    def found(force: bool) -> dict[int, str]:
        taken = {tmp_path / "x/../taken.mp4": "that of job-1"}
        return {trouble.line: trouble.message for trouble in check_targets(asked, taken, force=force, now=now, total=9)}

    said = found(force=False)
    assert sorted(said) == [2, 3, 4, 6, 9, 22]
    assert said[2] == f"Its output {tmp_path / 'a.mp4'} is the one of line 1 as well."
    assert said[3] == f"Its output {tmp_path / 'taken.mp4'} is that of job-1 as well."
    assert "exists already" in said[4]
    assert sorted(found(force=True)) == [2, 3, 6, 9, 22]
    with pytest.raises(OutputUnwritable):
        list(check_targets([(Row(1, 1, {}), f"{tmp_path}/missing/below/a.mp4", {})], {}, force=False, now=now, total=1))


# --- what is sent


@pytest.mark.parametrize("takes_seed", [True, False])
def test_rows_that_differ_in_what_is_their_own_are_planned_once(takes_seed: bool) -> None:
    own = [
        {"prompt": f"boat {n}", "seed": n, "user": f"u{n}", "session_id": f"s{n}", "trace": {"n": n}} for n in (1, 2)
    ]
    others = [{"prompt": "boat"}, {"prompt": "boat", "seed": 1, "duration": 4}]
    reader = Reader(MediaSource(1 << 20), {"model": "acme/one", "duration": 2})
    asked, _ = reader.ask([Row(n, n, fields) for n, fields in enumerate((*own, *others), 1)])
    looked_up: list[Mapping[str, Any]] = []
    with Client("http://127.0.0.1:9/api/v1", None) as client:
        catalogue = Catalogue([invented(seed=takes_seed)], datetime(2026, 11, 21, tzinfo=UTC))
        pricing = Pricing(Planner(client, catalogue, pytest.fail, dearest_bill=looked_up.append))
        plans, troubles = pricing.plans(asked, asked, {})
    if not takes_seed:
        assert [trouble.line for trouble in troubles] == [1, 2, 4]
        assert {trouble.message for trouble in troubles[:2]} == {
            "acme/one cannot do this: acme/one takes no seed. Leave it out."
        }
        return
    assert len(looked_up) == 3
    bodies = [one.body(plans[one.key]) for one in asked]
    assert [{name: body[name] for name in own[0]} for body in bodies[:2]] == own
    assert "seed" not in bodies[2]
    assert [body["duration"] for body in bodies] == [2, 2, 2, 4]


@pytest.mark.parametrize("where", ["first_frame", "reference"])
def test_a_picture_is_let_go_after_the_check_and_read_once_more_to_be_sent(where: str, tmp_path: Path) -> None:
    path = tmp_path / "boat.png"
    path.write_bytes(picture())
    reader = Reader(MediaSource(1 << 20), {"model": "a/b"})
    (one, plain), troubles = reader.ask([Row(1, 1, {"prompt": "a", where: str(path)}), Row(2, 2, {"prompt": "a"})])
    assert (troubles, one.has_media, plain.has_media) == ([], True, False)
    assert "base64" not in json.dumps(one.wanted.fields)
    price = Plan(VideoRequest.of({"model": "a/b", "prompt": "of another row", "x": 1}), None, Quote("unknown"), ())
    body = {"model": "a/b", "prompt": "a", "x": 1}
    assert reader.order(plain, price, {}) == (body, ())
    data = base64.b64encode(path.read_bytes()).decode()
    assert json.dumps(reader.order(one, price, {})[0]).count(f"data:image/png;base64,{data}") == 1
    assert one.body(price).items() >= body.items()
    assert "base64" not in json.dumps(one.body(price))
    path.write_bytes(picture(size=(300, 400)))
    with pytest.raises(UsageError, match="has changed since it was checked"):
        reader.order(one, price, {})
