"""What is clearly no prompt is not bought: on the line (A01), in a file (A02), and text that was broken (A03)."""

from __future__ import annotations

import io
import json
import re
import subprocess
from pathlib import Path

import pytest

from orvideo import shells
from orvideo.batch.formats import Form
from orvideo.batch.rows import read_rows
from orvideo.batch.source import read_source
from orvideo.errors import UsageError
from orvideo.request.argument import check_argument
from orvideo.request.texts import check_prompt, check_text
from orvideo.request.wording import check_prompt_seen, check_wording
from tests.batch.bench import SMALL, Bench
from tests.batch.test_reading import PROSE, READERS, hand_in
from tests.request.images import picture

drill = pytest.mark.drill

#: What may well be a prompt, on the line and anywhere else.
MEANT = [
    "sunset", "1 boat", "a boat | night", "404", "$100", "None of us", "a null", "100%", "{wide} a boat", "?", "??",
    "what??? really?? why??", "AT&T, R&B & a boat", "E=MC2", "=) a smile", "C:\\new\\boats", r"\alpha and \nu", "a+b",
    "see https://a.example/a%20b?x=%C3%A9 on a screen", "50%20", "@night", "~", "— a boat", "—a boat, at sea", "night-",
    "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f flies", "\U0001f469\u200d\U0001f680",
    "a\u00adboat", "می\u200cروم", "葛\U000e0100城", "ｺﾝﾆﾁﾊ ﾃﾞｰﾀ", "├── a tree ──┤", "Être à l’œuvre", "été", "σκάφος",
    "⬛", "sub-zero", "<3", "<a boat drifts slowly by>", "boat.png on a wall", "https://a.example", "gen-vid",
    "Blade-Runner-2049", "\u2067שלום\u2069 boat", "שלום\u200e", "nil", "Null", "{a|b}", "[boat]", "#sunset", "N/A",
]  # fmt: skip


# --- on the line ------------------------------------------------------------------------------------------------------


@drill("F-A01")
@pytest.mark.parametrize(
    ("prompt", "says", "way"),
    [
        ("p.txt", "is the name of a file", "orvideo submit --prompt-file p.txt"),
        ("./p.txt", "is the name of a file", "orvideo submit --prompt-file ./p.txt"),
        ("@p.txt", "is the name of a file", "orvideo submit --prompt-file p.txt"),
        ("two words.txt", "is the name of a file", "orvideo submit --prompt-file " + shells.word("two words.txt")),
        ("rows.csv", "is the name of a file", "orvideo batch rows.csv"),
        ("rows.jsonl", "is the name of a file", "orvideo batch rows.jsonl"),
        ("r.json", "is the name of a file", "orvideo submit --request r.json"),
        ("./boat", "is the name of a file", "orvideo submit --first-frame ./boat"),
        ("clips/", "is the name of a folder", shells.list_folder("clips/")),
        ("..", "is the name of a folder", shells.list_folder("..")),
        ("gen-vid-1764130000-abcDEF123", "the name of a job", "orvideo status gen-vid-1764130000-abcDEF123"),
        ("@last", "the name of a job", "orvideo submit --like 1"),
        ("@2", "the name of a job", "orvideo submit --like 2"),
        ("abc-1234567", "the name of a job", "orvideo submit --like abc-1234567"),
        (
            "https://a.example/a.JPG?x=1",
            "the address of a picture",
            "--first-frame " + shells.word("https://a.example/a.JPG?x=1"),
        ),
        ("—dry-run", "an option", "--dry-run"),
        ("–wait", "an option", "--wait"),
        ("––max-cost=1", "an option", "--max-cost=1"),
        ("–w", "an option", "-w"),
    ],
)
def test_a01_a_prompt_that_names_something_is_refused(
    prompt: str, says: str, way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("p.txt", "two words.txt", "rows.csv", "rows.jsonl", "r.json"):
        Path(name).write_text("a boat\n")
    Path("boat").write_bytes(picture())
    Path("clips").mkdir()
    # A word alone may be a film, whatever is called like it here.
    check_argument("boat", lambda word: False)
    check_argument("clips", lambda word: False)
    with pytest.raises(UsageError) as refused:
        check_argument(prompt, lambda word: word == "abc-1234567")
    assert says in refused.value.message
    assert way in str(refused.value.hint)
    assert "--no-check" in str(refused.value.hint)
    assert refused.value.exit_code == 2


@drill("F-A01")
@pytest.mark.parametrize("prompt", [*MEANT, *PROSE, "x" * 9000, "a\x00b"])
def test_a01_a_prompt_that_may_be_meant_is_taken(prompt: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("sunset.txt").touch()
    check_argument(prompt, lambda _: False)


@drill("F-A01")
def test_a01_nothing_of_it_is_sent_and_no_check_means_it(service: Bench) -> None:
    service.write("a boat\n", "p.txt")
    bought = service.shell("submit", "a boat", *SMALL)
    assert bought.code == 0, bought.err
    job = service.records()[0]
    for prompt in ("p.txt", job.id, job.handle, "$PROMPT", "\u200b\u00ad\u2060"):
        done = service.shell("submit", str(prompt), *SMALL)
        assert (done.code, len(service.received)) == (2, 1), done.err
    for prompt in ("p.txt", str(job.id), "$PROMPT"):
        done = service.shell("submit", prompt, *SMALL, "--no-check", "--dry-run")
        assert (done.code, done.json["prompt"]) == (0, prompt), done.err
    done = service.shell("submit", "-", *SMALL, "--dry-run", stdin="p.txt")
    assert done.code == 2, "a list of files, as stdin is"


@drill("F-A01")
@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("prompt", ["\u200b", "\u00ad \u2060", "\u3164", "\u2800 \ufe0f"])
def test_a01_a_prompt_that_nobody_sees_is_empty(service: Bench, reader: str, prompt: str) -> None:
    code, said = hand_in(service, reader, prompt)
    assert code == 2
    assert "The prompt is empty." in said


PLACES = [
    "None", "null", "undefined", "NaN", "''", '""', "$NAME", "$prompt", "${NAME}", "${NAME:-}", "$(cat p.txt)",
    "%NAME%", "{name}", "{}", "{{ name }}", "{{.Prompt}}", "<prompt>", "<your prompt here>", "[object Object]",
    "#REF!", "#N/A", "#NAME?", "#DIV/0!", "=A1", "=$B$2&C3", "=CONCATENATE(A1,B1)",
]  # fmt: skip


@drill("F-A01")
@drill("F-A02")
@pytest.mark.parametrize("prompt", PLACES)
def test_a01_a_place_that_was_not_filled_is_refused(prompt: str) -> None:
    for text in (prompt, f" {prompt}\n"):
        with pytest.raises(UsageError, match="looks like") as refused:
            check_wording(text)
        assert "--no-check" in str(refused.value.hint)
    check_wording(f"a film of {prompt}")


@drill("F-A01")
@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("prompt", ["None", "${NAME}", "=A1"])
def test_a01_every_reader_of_prompts_refuses_an_empty_place(service: Bench, reader: str, prompt: str) -> None:
    code, said = hand_in(service, reader, prompt)
    assert code == 2, said
    assert f"{prompt} looks like" in said


@drill("F-A02")
def test_a02_rows_with_empty_places_are_all_named(service: Bench) -> None:
    service.write("".join(json.dumps({"prompt": one}) + "\n" for one in ("a boat", "None", "#REF!")))
    done = service.batch()
    assert (done.code, service.received) == (2, [])
    assert "line 2: The prompt None looks like what a program says of no value" in done.err
    assert "line 3: The prompt #REF! looks like a formula or an error of a spreadsheet" in done.err
    assert service.batch("--no-check", "--dry-run").code == 0


# --- files that are no list of prompts --------------------------------------------------------------------------------

NUMBERED = "1. a boat, at night\n2. a car\n3) a tree\n"
ANSWER = (
    "Sure! Here are 3 prompts for you:\n\n1. **Boat**: a boat\n2. a car\n3. a tree\n\nLet me know if you want more!\n"
)
LS = "total 8\n-rw-r--r-- 1 me me 3 Nov 26 03:00 a boat\ndrwxr-xr-x 2 me me 3 Nov 26 03:00 a car\n"
SUMS = "d41d8cd98f00b204e9800998ecf8427e  a boat\nd41d8cd98f00b204e9800998ecf8427f  a car\n"
TRACEBACK = 'Traceback (most recent call last):\n  File "x.py", line 1, in <module>\nValueError: a boat\n'
GIT = f"commit {'a1' * 20}\nAuthor: A <a@example.com>\n\n    a boat\n"
PO = '#: a.c:1\nmsgid "a boat"\nmsgstr "ein Boot"\n'
OUTPUT = "error: The prompt is empty.\nhint: orvideo submit x\n"


@drill("F-A02")
@pytest.mark.parametrize(
    ("text", "says", "alone"),
    [
        (NUMBERED, "a list with numbers", False),
        ("(7) a boat\n(8) a car\n", "a list with numbers", False),
        (ANSWER, "a list with numbers", True),
        ("Here are two video prompts:\na boat\na car\n", "the answer of an assistant", True),
        ("a boat\na car\nLet me know if you want more.\n", "the answer of an assistant", False),
        ("• a boat\n• a car\n", "Markdown", False),
        ("```\na boat\n```\n", "Markdown", True),
        ("prompt\na boat\n", "", True),
        (LS, "a list of files", True),
        ("./a boat\n./a car/x\n", "a list of files", True),
        ("boat-1.png\nboat-2.png\n", "a list of files", True),
        (SUMS, "a list of files", True),
        ("a boat,4,720p\na car,5,720p\n", "a CSV without a heading", True),
        ("a boat;4;x\na car;5;y\na tree\n", "a CSV without a heading", True),
        ('"a boat","at night","x"\n"a car","by day","y"\n', "a CSV without a heading", True),
        ('prompts = [\n    "a boat",\n    "a car",\n]\n', "a list in a program", True),
        ('prompts = ["a boat", "a car"]\n', "a list in a program", True),
        ('local prompts = {\n  "a boat",\n  "a car"\n}\n', "a list in a program", True),
        ('prompts := []string{\n\t"a boat",\n\t"a car",\n}\n', "a list in a program", True),
        ('"a boat",\n"a car",\n', "", True),
        (TRACEBACK, "the traceback of a program", True),
        ("a boat\n" + TRACEBACK, "the traceback of a program", True),
        (GIT, "the output of git", True),
        ("a1b2c3d A boat\n9d8e7f6 (tag: v1) A car\n", "the output of git", True),
        ("bob:x:boat\nann:y:car\n", "settings or secrets", True),
        (PO, "a file of translations (.po)", True),
        (OUTPUT, "", True),
        ("fatal: not a git repository\n", "", True),
    ],
)
def test_a02_lists_and_what_programs_say_are_no_prompts(text: str, says: str, alone: bool, tmp_path: Path) -> None:
    for name in ("b", "b.txt", "-"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        spec = name if name == "-" else str(path)
        if text.startswith("prompt\n"):
            assert read_source(spec, io.BytesIO(text.encode())).form is Form.CSV
            continue
        with pytest.raises(UsageError, match="looks like") as refused:
            read_source(spec, io.BytesIO(text.encode()))
        assert says in refused.value.message
        assert "text" in str(refused.value.hint)
        assert read_source(spec, io.BytesIO(text.encode()), Form.TEXT).form is Form.TEXT, "--format text means it"
    if not alone:  # the shots of one film may have numbers
        check_prompt("The prompt file p.txt", text, "p.txt")
        return
    with pytest.raises(UsageError, match=r"looks like .*, and not like a prompt") as refused:
        check_prompt("The prompt file p.txt", text, "p.txt")
    assert "on the line" in str(refused.value.hint)


@drill("F-A02")
def test_a02_a_list_of_what_is_there_is_no_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("boat", "car", "a tree"):
        Path(name).mkdir()
    data = b"boat\ncar\na tree\na dog\n"
    Path("b.txt").write_bytes(data)
    for spec in ("b.txt", "-"):
        with pytest.raises(UsageError, match="looks like a list of files"):
            read_source(spec, io.BytesIO(data))
    for data in (b"boat\na dog\na cat\n", b"boat\n"):
        assert read_source("-", io.BytesIO(data)).form is Form.TEXT


@drill("F-A02")
@pytest.mark.parametrize("text", [NUMBERED, ANSWER])
def test_a02_the_way_from_a_list_with_numbers_is_a_command_that_works(text: str, service: Bench) -> None:
    path = service.write(text, "b b.txt")
    done = service.batch(file="b b.txt")
    assert (done.code, service.received) == (2, [])
    found = re.search(r"(sed .*) \| orvideo batch - ", done.err)
    assert found, done.err
    made = subprocess.run(found[1], shell=True, cwd=path.parent, capture_output=True, check=True).stdout
    rows, troubles = read_rows(read_source("-", io.BytesIO(made)), output=None)
    assert troubles == []
    first = "a boat, at night" if text is NUMBERED else "**Boat**: a boat"
    assert [row.fields["prompt"] for row in rows] == [first, "a car", "a tree"]


@drill("F-A02")
@pytest.mark.parametrize(
    "text",
    [
        *PROSE,
        "Scene 1: a boat\nScene 2: a car",
        "1980. A boat.\nThe sea is calm.",
        "1. a boat\n3. a car\na tree\na dog",
        "city, 2049, rain\ncity, 1984, snow",
        '"Come," he says, "at 5"\n"Go," she says',
        "Here is a boat: it drifts\na car",
        "Sure of herself, she walks:\na boat",
        "error: a glitch in the sky",
        "/imagine a boat",
        "panic: a crowd runs",
        "usage: none",
        "file.txt on a screen\na boat",
        "12:30 a boat\n12:31 a car",
        "Beat 1 - a boat\nBeat 2 - a car",
        "Price list: 3,50 EUR; 4,20 EUR\nA tree",
        "(boat:1.3)\n(rain:0.8)",
        "INT. KITCHEN - NIGHT\nCUT TO:\nEXT. SEA",
    ],
)
def test_a02_lines_that_may_be_prompts_are_read(text: str) -> None:
    rows, troubles = read_rows(read_source("-", io.BytesIO(text.encode())), output=None)
    assert ([row.fields["prompt"] for row in rows], troubles) == (text.split("\n"), [])
    check_prompt("The prompt", text, "p.txt")


@drill("F-A02")
def test_a02_the_shots_of_one_film_are_a_prompt(service: Bench) -> None:
    text = "Style: noir; slow\n\nShots:\n1. a boat\n2. a car\n- a tree\n"
    for reader in ("file", "stdin", "request"):
        code, said = hand_in(service, reader, text)
        assert code == 0, said
    assert hand_in(service, "file", "['a boat', 'a car']\n")[0] == 2
    code, said = hand_in(service, "file", "Prompt\na boat\na car\n")
    assert code == 2
    assert "orvideo batch p.txt; or say it on the line" in said


# --- broken text ------------------------------------------------------------------------------------------------------


@drill("F-A03")
@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("????? ?? ????", "its letters were lost"),
        ("????? a ?? ????", "its letters were lost"),
        ("ch&acirc;teau", "HTML (&acirc; for 'â')"),
        ("a boat &amp; a car", "HTML (&amp; for '&')"),
        ("a boat&#8217;s sail", "HTML (&#8217; for '’')"),
        ("ch=C3=A2teau", "quoted-printable"),
        ("a%20boat%20at", "a part of a URL"),
        ("ch%C3%A2teau", "a part of a URL"),
        (r"ch\u00e2teau", "the text of a program"),
        (r"ch\xe2teau", "the text of a program"),
        (r"a boat\nat night", "the text of a program"),
        ("a \u202eboat", "U+202E"),
        ("a \u2066boat\u2069", "U+2066"),
        ("שלום\u2067", "U+2067"),
        ("של\u202dום\u202c", "U+202D"),
    ],
)
def test_a03_a_prompt_that_was_escaped_or_lost_is_refused(text: str, says: str) -> None:
    with pytest.raises(UsageError, match="is broken text") as refused:
        check_wording(text)
    assert says in refused.value.message
    assert "--no-check" in str(refused.value.hint)


@drill("F-A03")
@pytest.mark.parametrize(
    ("codec", "text"),
    [*((codec, text) for codec in ("cp437", "cp850") for text in ("un château", "コーヒー", "“une” île", "плывёт")),
     ("cp932", "un château"), ("cp932", "コー")],
)  # fmt: skip
def test_a03_utf_8_read_as_another_encoding_is_refused(codec: str, text: str) -> None:
    broken = text.encode().decode(codec)
    with pytest.raises(UsageError, match=r"looks like UTF-8 that was read as (CP437|CP850|SHIFT_JIS)"):
        check_text("The prompt", broken)


@drill("F-A03")
@pytest.mark.parametrize(
    ("character", "says"),
    [("\ufdd0", "no character (U+FDD0)"), ("\ufdef", "no character"), ("\U0001fffe", "no character (U+1FFFE)"),
     ("\U0010ffff", "no character"), ("\ufffc", "an object that was not copied"), ("\U000e0041", "a tag that nobody"),
     ("\U000e007f", "a tag that nobody")],
)  # fmt: skip
def test_a03_codes_that_are_no_characters_are_refused(character: str, says: str) -> None:
    for field in ("The prompt", "The field user"):
        with pytest.raises(UsageError, match="at character 3") as refused:
            check_text(field, f"a {character}boat")
        assert says in refused.value.message


@drill("F-A03")
@pytest.mark.parametrize("text", [*MEANT, *PROSE])
def test_a03_text_that_may_be_meant_is_taken(text: str) -> None:
    check_text("The prompt", text)
    check_prompt_seen(text)
    check_wording(text)


@drill("F-A03")
@pytest.mark.parametrize("reader", READERS)
def test_a03_every_reader_of_prompts_refuses_escaped_text(service: Bench, reader: str) -> None:
    code, said = hand_in(service, reader, "a ch&acirc;teau")
    assert code == 2, said
    assert "it looks like HTML (&acirc; for " in said
