"""`orvideo jobs`: the list and what it is filtered and sorted by, its last line, and marks on record."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from orvideo.context import RECORD
from orvideo.record.ledger import Ledger
from orvideo.record.values import Observation, State
from orvideo.settings.resolving import Settings
from tests.record.ledger_support import HERE, bring_to, finished, quote, request
from tests.shell import Shell

GROK, VEO, KLING = "x-ai/grok-imagine-video", "google/veo-3.1-lite", "kwaivgi/kling-v3.0-std"


def record_of(shell: Shell) -> Ledger:
    return Ledger(Settings(shell.environ).state_dir / RECORD)


@pytest.fixture
def five(orvideo: Shell) -> Shell:
    """A record of five jobs: a bill, a failure, a dear one without a known bill, one that runs, one of the sandbox."""
    with record_of(orvideo) as ledger:
        finished(ledger, "job-1-aaaa1111", "0.50", request=request(model=VEO), batch="b-1", batch_name="/v/night.csv")
        finished(ledger, "job-2-bbbb2222", None, status="failed", request=request(model=KLING, prompt="a kite"))
        finished(ledger, "job-3-cccc3333", "1.25", request=request(model=GROK), batch="b-2", batch_name="night one")
        bring_to(ledger, State.SUBMITTED, job_id="job-4-dddd4444", request=request(model=VEO), quote=quote(0.2))
        finished(ledger, "job-5-eeee5555", "0.02", endpoint="sandbox", batch="b-3", batch_name="night one")
    return orvideo


def listed(shell: Shell, *options: str) -> str:
    """Return the first figures of the jobs that a line lists: `531`."""
    done = shell("jobs", *options, "--columns", "id")
    assert done.code == 0, done.err
    return "".join(line[4] for line in done.lines)


def marks(shell: Shell) -> list[tuple[Any, Any]]:
    """Return mark and note of each job, the oldest first."""
    return [(job["mark"], job["note"]) for job in reversed(shell("jobs", "--json").json)]


# --- filters and orders


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (("--batch", "night.csv"), "1"),
        (("--batch", "/v/night.csv"), "1"),
        (("--batch", "csv"), "1"),
        (("--batch", "b-2"), "3"),
        (("--batch", "night one"), "53"),
        (("--batch", "ONE"), "53"),
        (("--batch", "night one", "--model", "grok", "--search", "job-3"), "3"),
        (("--sort", "cost"), "31542"),
        (("--sort", "cost", "--reverse"), "51342"),
        (("--sort", "model"), "41253"),
        (("--sort", "model", "--reverse"), "53241"),
        (("--sort", "status"), "53124"),
        (("--reverse",), "12345"),
        (("--sort", "oldest", "--reverse"), "54321"),
        (("--reverse", "-n", "2"), "12"),
    ],
)
def test_which_jobs_and_in_which_order(five: Shell, options: tuple[str, ...], found: str) -> None:
    assert listed(five, *options) == found


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--batch", "night"), "'night' may be any of these batches: night one, /v/night.csv."),
        (("--batch", "day"), "No batch on record is called 'day'. There are night one, /v/night.csv."),
        (("--columns", "id,size"), "There is no column 'size'. The columns are position, id, status,"),
        (("--marked", "best"), "--marked takes keep, reject, any or none, not 'best'."),
        (("--sort", "size"), "--sort takes newest, oldest, cost, model or status, not 'size'."),
    ],
)
def test_what_no_list_has_is_refused_with_what_there_is(five: Shell, options: tuple[str, ...], told: str) -> None:
    done = five("jobs", *options)
    assert (done.code, done.out) == (2, "")
    assert told in " ".join(done.err.split())


def test_a_batch_is_found_by_its_name_and_by_its_file(orvideo: Shell, home: Path) -> None:
    (home / "rows.txt").write_text("a boat\na kite\n")
    assert orvideo("batch", "rows.txt", "--sandbox", "-q", "-o", "films/").code == 0
    assert orvideo("batch", "rows.txt", "--name", "evening", "--sandbox", "-q", "-o", "more/").code == 0
    for name in ("rows.txt", "./rows.txt", str(home / "rows.txt"), "evening", "even"):
        found = orvideo("jobs", "--batch", name, "--json").json
        assert [job["batch"] for job in found] == ["evening" if "even" in name else str(home / "rows.txt")] * 2
    with record_of(orvideo) as ledger:  # as it was before names were kept
        ledger._write(lambda connection: connection.execute("UPDATE jobs SET batch_name = NULL"))
    for name in ("rows.txt", "evening", found[0]["batch"]):
        assert len(orvideo("jobs", "--batch", name).lines) == 2
    assert orvideo("jobs", "--batch", "even").code == 2


# --- the last line


def test_the_last_line_on_a_terminal_sums_up_what_is_known(five: Shell) -> None:
    done = five("jobs", tty=True, env={"NO_COLOR": "1"})
    assert done.lines[-2:] == [
        "5 jobs: 3 completed, 1 running, 1 failed; $1.75 billed, $0.20 more quoted, 1",
        "  without a bill; $0.02 in the sandbox",
    ]
    assert done.err == ""
    assert all(len(line) <= 40 for line in five("jobs", tty=True, env={"NO_COLOR": "1", "COLUMNS": "40"}).lines)
    few = five("jobs", "-n", "2", tty=True, env={"NO_COLOR": "1", "COLUMNS": "120"})
    assert few.lines[-2].startswith("5 jobs (2 shown; -n 0 for all): 3 completed, 1 running, 1 failed; $1.75 billed,")
    assert few.err == ""
    one = five("jobs", "--status", "failed", tty=True, env={"NO_COLOR": "1"})
    assert one.lines[-1] == "1 job: 1 failed; 1 without a bill"


@pytest.mark.parametrize("options", [(), ("-n", "2"), ("--json",), ("--columns", "id")])
def test_a_pipe_and_a_document_have_no_last_line(five: Shell, options: tuple[str, ...]) -> None:
    done = five("jobs", *options, tty="--json" in options)
    assert "jobs" not in done.out
    assert done.err == ("the first 2 are shown; there are more (-n 0 for all)\n" if "-n" in options else "")
    assert "jobs" not in five("jobs", "-q", tty=True).out


def test_what_an_own_key_paid_and_what_has_no_quote_is_said(orvideo: Shell) -> None:
    with record_of(orvideo) as ledger:
        seq = bring_to(ledger, State.SUBMITTED, job_id="job-1")
        ledger.observed(seq, Observation("completed", Decimal("0.01"), is_byok=True, final=True))
        bring_to(ledger, State.SUBMITTED, job_id="job-2")
        bring_to(ledger, State.NOT_SENT)
    done = orvideo("jobs", tty=True, env={"NO_COLOR": "1", "COLUMNS": "150"})
    assert done.lines[-1] == (
        "3 jobs: 1 not_sent, 1 running, 1 completed; $0.01 billed, 1 without a quote, "
        "1 job billed to your own provider key"
    )


# --- marks on the line


def test_marks_are_put_on_record_listed_and_removed(five: Shell) -> None:
    done = five("jobs", "mark", "1", "cccc3333", "--keep", "--note", "the best\tone")
    assert (done.code, done.lines, done.err) == (0, ["job-5-eeee5555", "job-3-cccc3333"], "")
    assert five("jobs", "mark", "2", "--reject", "--json").json == [
        {"id": "job-4-dddd4444", "handle": five("jobs", "show", "2", "--json").json["handle"], "mark": "reject",
         "note": None}
    ]  # fmt: skip
    assert [listed(five, "--marked", word) for word in ("keep", "reject", "any", "none")] == ["53", "4", "543", "21"]
    shown = five("jobs", "show", "3").lines
    assert [" ".join(line.split()) for line in shown if line.startswith(("mark", "note"))] == [
        "mark: keep", "note: the best one",
    ]  # fmt: skip
    assert five("jobs", "--columns", "mark,note", "-n", "1", "-q").lines == ["keep\tthe best one"]
    assert five("jobs", "mark", "1", "--clear", "--keep").code == 0
    assert five("jobs", "mark", "3", "--clear").code == 0
    assert five("jobs", "mark", "2", "--note", "late").code == 0
    assert marks(five) == [(None, None), (None, None), (None, None), ("reject", "late"), ("keep", None)]
    assert five("jobs", "mark", "2", "--clear", "--note", "again").code == 0
    assert marks(five)[3] == (None, "again")


def test_a_terminal_has_a_column_of_marks_where_there_are_any(five: Shell) -> None:
    assert "MARK" not in five("jobs", tty=True).out
    five("jobs", "mark", "1", "--keep")
    lines = five("jobs", tty=True, env={"NO_COLOR": "1"}).lines
    assert lines[0].split()[:4] == ["@", "JOB", "STATUS", "MARK"]
    assert (lines[1].split()[3], lines[2].split()[3]) == ("keep", "veo-3.1-lite")
    assert [len(line.split("\t")) for line in five("jobs").lines] == [7] * 5, "a pipe's columns never change"


def test_a_mark_changes_neither_money_nor_files(orvideo: Shell) -> None:
    assert orvideo("submit", "a boat", "--wait", "-o", "boat.mp4", "--sandbox", "-q").code == 0
    [before] = orvideo("jobs", "--json").json
    assert orvideo("jobs", "mark", "1", "--reject", "--note", "no").code == 0
    [after] = orvideo("jobs", "--json").json
    assert after == {**before, "mark": "reject", "note": "no"}
    assert Path(before["outputs"][0]["path"]).stat().st_size == before["outputs"][0]["bytes"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("1",), "It is not said what the jobs are to be marked as."),
        (("--keep",), "A job is needed:"),
        (("1", "--keep", "--reject"), "--keep and --reject exclude each other."),
        (("1", "zzzz", "--keep"), "No job in the record is called 'zzzz'."),
        (("1", "--note", "x" * 2001), "A note has at most 2,000 characters, and this one has 2,001."),
        (("1", "--keep", "--from", "-"), "Jobs on the line and --from are two lists of jobs; one at a time."),
        (("--from", "-", "--keep", "--reject"), "error: --keep and --reject exclude each other."),
        (("--from", "nowhere.txt"), "The list of marks nowhere.txt cannot be read: No such file or directory."),
        (("--from", "-"), "There is no job in stdin."),
        (("--from", "."), "The list of marks . cannot be read: Is a directory."),
    ],
)
def test_a_line_that_cannot_mark_marks_nothing(five: Shell, words: tuple[str, ...], told: str) -> None:
    done = five("jobs", "mark", *words)
    assert (done.code, done.out) == (2, "")
    assert told in " ".join(done.err.split())
    assert marks(five) == [(None, None)] * 5


# --- marks from a file

LIST = """# from the page

job-1-aaaa1111\tkeep\tfür später
job-2-bbbb2222\treject
job-3-cccc3333\t-\t
eeee5555\tKEEP\t
"""
THERE = [("keep", "für später"), ("reject", "old"), (None, None), ("reject", "old"), ("keep", None)]


@pytest.mark.parametrize(
    "data",
    [
        LIST.encode(),
        LIST.replace("\n", "\r\n").encode("utf-8-sig"),
        LIST.encode("utf-16"),
        LIST.replace("\n", "\r").encode(),
    ],
    ids=["utf-8", "windows", "powershell", "old mac"],
)
@pytest.mark.parametrize("is_file", [True, False], ids=["file", "stdin"])
def test_the_list_of_a_page_is_read_as_it_was_written(five: Shell, home: Path, data: bytes, is_file: bool) -> None:
    five("jobs", "mark", "1", "2", "3", "4", "5", "--reject", "--note", "old")
    (home / "marks.txt").write_bytes(data)
    done = five("jobs", "mark", "--from", "marks.txt") if is_file else five("jobs", "mark", "--from", "-", stdin=data)
    assert (done.code, done.err) == (0, "")
    assert done.lines == ["job-1-aaaa1111", "job-2-bbbb2222", "job-3-cccc3333", "job-5-eeee5555"]
    assert marks(five) == THERE


def test_what_a_line_does_not_say_stays_and_an_id_alone_takes_what_the_command_says(five: Shell) -> None:
    five("jobs", "mark", "1", "2", "3", "4", "5", "--reject", "--note", "old")
    text = (
        "job-1-aaaa1111\tkeep\njob-2-bbbb2222\t\tnew\njob-3-cccc3333\njob-4-dddd4444\t-\t\njob-5-eeee5555 keep so so\n"
    )
    assert five("jobs", "mark", "--from", "-", "--keep", "--note", "said", stdin=text).code == 0
    assert marks(five) == [("keep", "old"), ("reject", "new"), ("keep", "said"), (None, None), ("keep", "so so")]
    piped = five("jobs", "--search", "kite", "--columns", "id").out
    assert five("jobs", "mark", "--from", "-", "--clear", stdin=piped).lines == ["job-2-bbbb2222"]
    assert marks(five)[1] == (None, None)


def test_every_wrong_line_is_told_and_nothing_is_marked(five: Shell) -> None:
    text = "job-1-aaaa1111\tkeep\nzzzz\tkeep\n\njob-\tkeep\n1\tgood\n2\n3\tkeep\t" + "x" * 3000 + "\njob-1\treject\n"
    done = five("jobs", "mark", "--from", "-", stdin=text)
    assert (done.code, done.out) == (2, "")
    told = done.err.splitlines()
    assert told[0] == "error: stdin cannot be used as it is; nothing was marked."
    assert [line.split(": ")[0].strip() for line in told[1:] if line.startswith("  line")] == [
        f"line {number}" for number in (2, 4, 5, 6, 7, 8)
    ]
    for words in (
        "'zzzz'",
        "may be any of these",
        "not 'good'",
        "it says no mark",
        "3,000",
        "line 1, which says other",
    ):
        assert words in done.err
    assert marks(five) == [(None, None)] * 5
    many = five("jobs", "mark", "--from", "-", "--keep", stdin="".join(f"zzzz{number}\n" for number in range(5000)))
    assert len(many.err.splitlines()) == 22
    assert many.err.endswith("there may be more\n")


def test_a_list_that_is_no_text_or_too_long_is_refused(five: Shell) -> None:
    for data, told in (
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "is a PNG"),
        ("job-1\tkeep\tmañana\n".encode("latin-1"), "is not UTF-8 text (line 1)"),
        (b"# long\n" * 700_000, "is too large: at most 4 MiB are read"),
    ):
        done = five("jobs", "mark", "--from", "-", stdin=data)
        assert (done.code, done.out) == (2, "")
        assert told in done.err


def test_a_name_from_elsewhere_is_shown_and_not_obeyed(five: Shell) -> None:
    hostile = "\x1b[31mjob\u202e"
    five("jobs", "mark", "1", "--note", hostile)
    done = five("jobs", "mark", "--from", "-", stdin=f"{hostile}\tkeep\n")
    for text in (done.err, five("jobs", "show", "1").out, five("jobs", "--columns", "note").out):
        assert not {"\x1b", "\u202e"} & set(text)
        assert "\\x1b[31mjob" in text


@pytest.mark.long
def test_a_record_that_cannot_be_written_takes_no_mark(five: Shell) -> None:
    path = Settings(five.environ).state_dir / RECORD
    with record_of(five) as other:
        other._connection.execute("BEGIN IMMEDIATE")
        done = five("jobs", "mark", "1", "--keep", "--json")
        other._connection.execute("ROLLBACK")
    assert (done.code, done.out, path.exists()) == (11, "", True)
    assert marks(five)[4] == (None, None)


def test_a_job_that_was_adopted_before_its_batch_was_known_has_none(orvideo: Shell) -> None:
    with record_of(orvideo) as ledger:
        ledger.adopt("job-1", endpoint=HERE)
    assert orvideo("jobs", "--json").json[0]["batch"] is None
    done = orvideo("jobs", "--batch", "x")
    assert (done.code, done.err.splitlines()[0]) == (2, "error: No batch on record is called 'x'.")


def test_what_is_too_long_to_be_a_name_is_not_shown_whole(orvideo: Shell, home: Path) -> None:
    (home / "marks.txt").write_text("x" * 1_000_000 + "\tkeep\n")
    done = orvideo("jobs", "mark", "--from", "marks.txt")
    assert done.code == 2
    assert "line 1: No job in the record is called 'xxx" in done.err.replace("\n  ", " ")
    assert len(done.err) < 1000
