"""Drills, group B: batches. Whatever a file says and whatever the service does, no row is bought twice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from orvideo.record.ledger import Ledger
from orvideo.record.values import Observation, State
from tests.batch.bench import PRICE, Bench, bench, rows
from tests.drills.kill_batch import sample
from tests.shell import Shell

drill = pytest.mark.drill


@pytest.fixture
def service(orvideo: Shell, home: Path) -> Iterator[Bench]:
    """A shell and a sandbox that does everything at once and nothing wrong."""
    with bench(orvideo, home) as made:
        yield made


@pytest.mark.parametrize(
    ("name", "data"),
    [
        pytest.param("b.jsonl", b'\xef\xbb\xbf{"prompt": "one"}\n"two"\n', marks=drill("B01"), id="B01-bom"),
        pytest.param("b.jsonl", b'{"prompt": "one"}\r\n\r\n"two"\r\n', marks=drill("B01"), id="B01-crlf"),
        pytest.param("b.jsonl", b'{"prompt": "one"}\r"two"\r', marks=drill("B01"), id="B01-cr"),
        pytest.param("b.jsonl", b'{"prompt": "one"}\n"two"', marks=drill("B01"), id="B01-no-final-newline"),
        pytest.param("b.csv", b"\xef\xbb\xbfprompt,user\none,x\ntwo,y\n", marks=drill("B01"), id="B01-csv-bom"),
        pytest.param("b.csv", b"prompt,user\r\none,x\r\ntwo,y", marks=drill("B01"), id="B01-csv-crlf"),
        pytest.param("b.csv", b"prompt,user\rone,x\rtwo,y\r", marks=drill("B01"), id="B01-csv-cr"),
        pytest.param("b.txt", b"\xef\xbb\xbf# said\r\none\r\n\r\n  two", marks=drill("B01"), id="B01-text-crlf"),
        pytest.param("b.txt", b"one\rtwo\r", marks=drill("B01"), id="B01-text-cr"),
    ],
)
def test_every_way_to_end_a_line_is_accepted(service: Bench, name: str, data: bytes) -> None:
    service.write(data, name)
    done = service.batch("--dry-run", file=name)
    assert done.code == 0, done.err
    assert [json.loads(line)["prompt"] for line in done.lines] == ["one", "two"]


@drill("B02")
def test_bad_rows_are_all_listed_with_their_lines_and_nothing_is_sent(service: Bench) -> None:
    lines = rows(1000).splitlines()
    lines[6] = '{"prompt": "a boat", "duration": "soon"}'
    lines[499] = "{broken"
    lines[999] = '{"prompt": ""}'
    service.write("\n\n" + "\n".join(lines))
    done = service.batch()
    assert done.code == 2
    assert done.out == ""
    for line in ("line 9: duration takes a whole number", "line 502: ", "line 1002: The prompt is empty"):
        assert line in done.err
    assert done.err.count("\n  line ") == 3
    assert service.received == []
    assert service.records() == []


@drill("B03")
@pytest.mark.parametrize("rest", ['"never closed, x\nthree,y\n', '"closed, too late\n","x\nfour,y\n'])
def test_an_unclosed_quote_is_reported_where_it_was_opened(service: Bench, rest: str) -> None:
    service.write('prompt,user\n"two\nlines",x\n' + rest, "b.csv")
    done = service.batch(file="b.csv")
    assert done.code == 2
    assert "line 4: The row that begins here" in done.err
    assert service.received == []


@drill("B06")
def test_other_separators_are_part_of_a_prompt(service: Bench) -> None:
    prompt = "a\u2028b\u0085c\u2029d"
    service.write(json.dumps({"prompt": prompt}, ensure_ascii=False) + "\n" + json.dumps("\x0b\x0c two") + "\n")
    done = service.batch("--dry-run")
    assert [json.loads(line)["prompt"] for line in done.lines] == [prompt, "\x0b\x0c two"]


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ('{"prompt": "a", "upscale_factor": NaN}', "NaN is no number"),
        ('{"prompt": "a", "upscale_factor": 1e999}', "too large"),
        ('{"prompt": "a", "prompt": "b"}', "'prompt' is given twice"),
        ('{"prompt": "a", "audio": true, "generate_audio": false}', "said twice"),
        ('{"prompt": "a", "durration": 4}', "Did you mean duration?"),
        ('{"prompt": "a", "duration": "4"}', "duration takes a whole number"),
        ('{"prompt": "a", "duration": true}', "duration takes a whole number"),
        ('{"prompt": "a", "generate_audio": 1}', "true or false"),
        ('{"prompt": ["a"]}', "prompt takes a text"),
        ('{"prompt": "a", "provider": {"only": ["x"]}}', "provider"),
        ('{"prompt": "\\ud800"}', "half a character"),
        ("[1]", "not a list"),
        ("4", "not a number"),
        ("null", "not null"),
        ("{}", "says nothing"),
        ("[" * 5000 + "]" * 5000, "nested too deeply"),
        ('{"prompt": "a", "seed": ' + "9" * 5000 + "}", "too long"),
    ],
)
@drill("B07")
def test_a_row_that_cannot_be_understood_is_refused_with_its_line(service: Bench, row: str, says: str) -> None:
    service.write(f'{{"prompt": "fine"}}\n{row}\n')
    done = service.batch()
    assert done.code == 2
    assert "line 2: " in done.err
    assert says in done.err
    assert service.received == []


@pytest.mark.long
@drill("B09")
@pytest.mark.parametrize("chain", [False, True])
def test_killed_at_sampled_points_every_row_is_bought_once(home: Path, chain: bool) -> None:
    tally = sample(4, 6, seed=11, kills_each=4, chain=chain)
    assert tally.kills == 4
    assert tally.problems == []


@drill("B11")
def test_no_credit_stops_the_starting_and_what_was_accepted_is_kept(orvideo: Shell, home: Path) -> None:
    # Every fourth submit is refused: three are accepted, the fourth ends the starting.
    with bench(orvideo, home, ["submit-402:0.25"]) as service:
        service.write(rows(12))
        done = service.batch("--jobs", "1", "--json")
    assert done.code == 5, done.err
    assert len(service.received) == 3
    document = done.json
    assert [row["status"] for row in document["rows"]] == ["completed"] * 3 + ["refused"] + ["not_submitted"] * 8
    assert all(Path(row["path"]).is_file() for row in document["rows"][:3])


@drill("B11")
def test_five_equal_refusals_stop_the_starting(orvideo: Shell, home: Path) -> None:
    with bench(orvideo, home, ["submit-403:1"]) as service:
        service.write(rows(12))
        done = service.batch("--jobs", "1", "--json")
        refused = [record for record in service.records() if record.state is State.NOT_SENT]
    assert done.code == 20, done.err
    assert len(refused) == 5
    assert "5 refusals in a row were the same" in done.err
    assert service.received == []


@drill("B13", "F-A05")
def test_a_limit_that_is_crossed_on_the_way_holds_for_every_intent(service: Bench) -> None:
    """What is spent on the batch by then, by whomever, counts; here an earlier job turned out dearer than quoted.

    So may those that are still to be bought.
    """
    service.write(rows(2))
    assert service.batch().code == 0
    first = service.records()[0]
    with Ledger(Path(service.shell.environ["XDG_STATE_HOME"]) / "orvideo" / "jobs.db") as ledger:
        ledger.observed(first.seq, Observation(status="completed", cost=Decimal("0.50"), final=True))
    service.write(rows(4))
    done = service.batch("--max-cost", "1.51")
    assert done.code == 5
    assert "may cost $1.52 in all, and the limit is $1.51" in done.err
    assert len(service.received) == 2
    assert service.batch("--max-cost", "1.52").code == 0
    assert len(service.received) == 4


@drill("B13")
def test_a_limit_for_the_whole_refuses_the_whole(service: Bench) -> None:
    service.write(rows(5))
    done = service.batch("--max-cost", str(PRICE * 4))
    assert done.code == 5
    assert service.received == []
    assert service.batch("--max-cost", str(PRICE * 5)).code == 0
    assert len(service.received) == 5


@drill("B14")
def test_one_unknown_row_ends_the_batch_with_nine_and_is_left_alone(orvideo: Shell, home: Path) -> None:
    with bench(orvideo, home, ["lost-reply:0.25"]) as service:
        service.write(rows(4))
        done = service.batch("--jobs", "1")
        assert done.code == 9, done.err
        assert service.users() == [f"row-{n}" for n in (1, 2, 3, 4)]
        again = service.batch("--jobs", "1", "--retry-failed")
        assert again.code == 9
        assert len(service.received) == 4
    unknown = [record for record in service.records() if record.state is State.UNKNOWN]
    assert [record.row_number for record in unknown] == [4]


@drill("B15")
def test_an_endless_stream_is_refused(service: Bench) -> None:
    with open("/dev/zero", "rb") as endless:
        process = service.shell.popen("batch", "-", stdin=endless, stdout=-1, stderr=-1)
        out, err = process.communicate(timeout=240)
    assert (process.returncode, out) == (2, b"")
    assert b"64 MiB" in err


@drill("B15")
def test_a_slow_stream_is_read_to_its_end_before_anything_is_sent(service: Bench) -> None:
    process = service.shell.popen("batch", "-", "--sandbox", "--dry-run", stdin=-1, stdout=-1, stderr=-1)
    assert process.stdin is not None
    process.stdin.write(b'"one"\n')
    process.stdin.flush()
    with pytest.raises(Exception, match="timed out"):
        process.wait(timeout=1)
    out, err = process.communicate(b'"tw', timeout=240)
    assert process.returncode == 2, err
    assert b"line 2: " in err
    assert out == b""


@drill("B16")
def test_names_that_clash_are_found_before_the_first_submit(service: Bench) -> None:
    service.write(rows(1, output="x.mp4") + rows(1, output="./x.mp4") + rows(1, output="y.mp4"))
    done = service.batch()
    assert done.code == 2
    assert "line 2: Its output" in done.err
    assert "x.mp4 is the one of line 1 as well" in done.err
    assert service.received == []


@drill("B16")
@pytest.mark.parametrize("output", ["x.mp4", "{slug}.mp4", "{model}-{date}.mp4"])
def test_a_name_that_is_the_same_for_two_rows_clashes(service: Bench, output: str) -> None:
    service.write(rows(2))
    done = service.batch("-o", output)
    assert done.code == 2
    assert service.received == []


@drill("B16")
def test_what_is_on_the_disk_already_is_not_overwritten(service: Bench, home: Path) -> None:
    service.write(rows(2))
    (home / "002.mp4").write_text("mine")
    done = service.batch("-o", "{row}.mp4")
    assert done.code == 2
    assert "line 2: " in done.err
    assert "002.mp4 exists already" in done.err
    assert service.received == []
    assert service.batch("-o", "{row}.mp4", "--force").code == 0
    assert (home / "002.mp4").read_bytes()[4:8] == b"ftyp"


@drill("I07")
def test_local_files_stay_inside_the_folder_of_the_batch(service: Bench, home: Path) -> None:
    (home / "set").mkdir()
    secret = home / "id_rsa"
    secret.write_text("secret")
    for source in ("../id_rsa", str(secret), f"file://{secret}", "@../id_rsa"):
        service.write(json.dumps({"prompt": "a", "first_frame": source}) + "\n", "set/b.jsonl")
        done = service.batch("-m", "google/veo-3.1-lite", file="set/b.jsonl")
        assert done.code == 2, source
        assert "line 1: " in done.err
    assert service.received == []
