"""A file that is no batch is not bought line by line (A02), and bytes that are no text are not bought at all (A03)."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from pathlib import Path

import pytest

from orvideo import shells
from orvideo.batch.formats import Form
from orvideo.batch.rows import read_rows
from orvideo.batch.source import read_source
from orvideo.errors import UsageError
from orvideo.request.texts import check_texts
from tests.batch.bench import Bench
from tests.request.images import picture

drill = pytest.mark.drill


def xlsx() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(zipfile.ZipInfo("xl/workbook.xml"), "<workbook/>")
    return file.getvalue()


YAML = b"- prompt: a boat\n  duration: 4\n- prompt: a car\n"
MARKDOWN = b"# Films\n\n* a boat\n* a car\n"
ONE = ["a boat", "a car"]


@drill("F-A02")
@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("b.yaml", YAML, "YAML"),
        ("b.yml", b"a boat\na car\n", "YAML"),
        ("b.txt", YAML, "YAML"),
        ("-", YAML, "YAML"),
        ("b", b"# films\nmodel = x/y\nseed = 1\n", "YAML or settings"),
        ("b.toml", b"[film]\n", "settings"),
        ("b.md", MARKDOWN, "Markdown"),
        ("b.md", b"A boat drifts.\n", "a document"),
        ("b.txt", MARKDOWN, "Markdown"),
        ("-", MARKDOWN, "Markdown"),
        ("b", b"---\ntitle: x\n---\na boat\n", "YAML or Markdown"),
        ("-", b"## Films\n\na boat\n", "Markdown"),
        ("b.txt", b'{"prompt": "a boat"}\n', "JSON"),
        ("b.txt", b'[{"prompt": "a boat"}]', "JSON"),
        ("b.prompts", b'"a boat"\n', "JSON"),
        ("b.txt", b"<!doctype html>\n<p>a boat\n", "a web page"),
        ("b", b"<html><body>a boat", "a web page"),
        ("b.csv", b"<html><body>a boat", "a web page"),
        ("b", b"#!/bin/sh\necho a boat\n", "a program"),
        ("b.py", b"print('a boat')\n", "a program"),
        ("b.log", b"12:00 a boat\n", "a log"),
        ("b.srt", b"a boat\n", "what .srt files are"),
        ("b.jsonl", b"a boat\na car\n", "plain text"),
        ("b.json", YAML, "YAML"),
        ("b.rtf", rb"{\rtf1 a boat}", "an RTF document"),
        ("b.txt", rb"{\rtf1 a boat}", "an RTF document"),
        ("b.pdf", b"%PDF-1.7\na boat\n", "a PDF"),
        ("b.txt", b"%PDF-1.7\n\xe2\xe3\xcf\xd3\n", "a PDF"),
        ("b.xlsx", xlsx(), "a ZIP archive"),
        ("b.csv", xlsx(), ".xlsx"),
        ("b.txt", xlsx(), "a ZIP archive"),
        ("-", xlsx(), "a ZIP archive"),
        ("b.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 99, "an old Office document"),
        ("b.txt", gzip.compress(b"a boat\n", mtime=0), "a compressed file"),
        ("b", picture(), "a PNG"),
        ("b.jsonl", picture("JPEG"), "a JPEG"),
    ],
)
def test_a02_what_is_no_batch_is_refused_by_its_name(name: str, data: bytes, says: str, tmp_path: Path) -> None:
    path = tmp_path / name
    if name != "-":
        path.write_bytes(data)
    with pytest.raises(UsageError) as refused:
        read_source(name if name == "-" else str(path), io.BytesIO(data))
    assert says in refused.value.message
    assert refused.value.exit_code == 2


@drill("F-A02")
@pytest.mark.parametrize(
    ("name", "data", "form"),
    [
        *((name, b"a boat\n\n# said\na car\n", Form.TEXT) for name in ("b.txt", "b.prompts", "b.TXT", "b", "-")),
        ("b.txt", b"[wide] a boat\n{x} a car", None),
        ("b.jsonl", b'"a boat"\n{"prompt": "a car"}\n', Form.JSONL),
        ("b.json", b'[{"prompt": "a boat"}, "a car"]', Form.JSONL),
        ("b.json", json.dumps([{"prompt": "a boat"}, {"prompt": "a car"}], indent=2).encode(), Form.JSONL),
        ("b.jsonl", b'{\n "prompt": "a boat"\n}\n{\n "prompt": "a car"\n}\n', Form.JSONL),
        ("-", b'\n[\n {"prompt": "a boat"},\n "a car"\n]\n', Form.JSONL),
        ("b.dat", b'{"prompt": "a boat"}\n"a car"\n', Form.JSONL),
        *((name, b"prompt,duration\na boat,4\na car,4\n", Form.CSV) for name in ("b.csv", "b.txt", "b", "b.xls", "-")),
        ("-", b"Prompt\na boat\na car\n", Form.CSV),
        ("b.txt", "prompt\tduration\r\na boat\t4\r\na car\t4\r\n".encode("utf-16"), Form.CSV),
    ],
)
def test_a02_a_batch_is_read_as_what_it_is(name: str, data: bytes, form: Form | None, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    spec = name if name == "-" else str(path)
    if form is None:
        with pytest.raises(UsageError):
            read_source(spec, io.BytesIO(data))
        rows, _ = read_rows(read_source(spec, None, Form.TEXT), output=None)
        assert [row.fields["prompt"] for row in rows] == ["[wide] a boat", "{x} a car"], "as --format says"
        return
    source = read_source(spec, io.BytesIO(data))
    rows, troubles = read_rows(source, output=None)
    assert (source.form, troubles) == (form, [])
    assert [row.fields["prompt"] for row in rows] == ONE


@drill("F-A02")
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf", "utf-16"])
@pytest.mark.parametrize("said", [False, True])
def test_a02_the_spreadsheets_of_the_world_are_read(
    delimiter: str, mark: bytes | str, said: bool, tmp_path: Path
) -> None:
    lines = [
        ["Prompt", "DURATION", "Aspect Ratio", "output"],
        ['"a; b, c|d"', "4", "16:9", ""],
        ["two", "4.0", "1:1", "x.mp4"],
    ]
    text = f"sep={delimiter}\r\n" * said + "".join(delimiter.join(line) + delimiter + "\r\n" for line in lines)
    (tmp_path / "b.csv").write_bytes(text.encode(mark) if isinstance(mark, str) else mark + text.encode())
    rows, troubles = read_rows(read_source(str(tmp_path / "b.csv"), None), output=None)
    assert troubles == []
    assert [row.line for row in rows] == [2 + said, 3 + said]
    assert [row.fields for row in rows] == [
        {"prompt": "a; b, c|d", "duration": 4, "aspect_ratio": "16:9"},
        {"prompt": "two", "duration": 4, "aspect_ratio": "1:1"},
    ]


@drill("F-A02")
@pytest.mark.parametrize(
    ("cell", "value"),
    [("1,5", 1.5), ("2,25", 2.25), ("1,500", None), ("1.000,5", None), ("2", 2.0), ("3.5", 3.5)],
)
def test_a02_a_decimal_comma_is_read_where_it_can_be_nothing_else(cell: str, value: float | None) -> None:
    data = f"prompt;upscale_factor\na;{cell}\n".encode()
    rows, troubles = read_rows(read_source("-", io.BytesIO(data)), output=None)
    assert ([row.fields["upscale_factor"] for row in rows], len(troubles)) == (([value], 0) if value else ([], 1))


@drill("F-A02")
def test_a02_nothing_of_it_is_sent_and_the_way_to_mean_it_is_named(service: Bench) -> None:
    service.write("a boat,4\na car,5\n", "b.csv")
    done = service.batch(file="b.csv")
    assert (done.code, service.received) == (2, [])
    assert "its columns ('a boat', '4')" in done.err
    service.write(YAML, "b.yaml")
    done = service.batch(file="b.yaml")
    assert (done.code, service.received) == (2, [])
    assert "looks like YAML" in done.err
    assert shells.yaml_to_rows("b.yaml") in done.err
    done = service.batch("--format", "text", "--dry-run", file="b.yaml")
    assert (done.code, len(done.lines)) == (0, 3)


@drill("F-A02")
def test_a02_a_broken_list_says_where(service: Bench) -> None:
    service.write('[\n {"prompt": "a"},\n {"prompt": "b"\n {"prompt": "c"}\n]\n', "b.json")
    done = service.batch(file="b.json")
    assert done.code == 2
    assert "line 4: This is not JSON: Expecting ',' delimiter" in done.err
    for broken in ('[{"prompt": "a"},\n"b"\n', '["a",\n"b"] more', '["a"\n"b"]', "[\n" * 5000):
        service.write(broken, "b.json")
        assert service.batch(file="b.json").code == 2, broken
    assert service.received == []


# --- bytes that are no text -------------------------------------------------------------------------------------------


@drill("F-A03")
@pytest.mark.parametrize(
    ("codec", "name", "text"),
    [
        ("cp1252", "WINDOWS-1252", "un été à la plage"),
        ("cp1252", "WINDOWS-1252", "“a boat” – at night…"),
        ("utf-16-le", "UTF-16LE", "a boat"),
        ("utf-16-be", "UTF-16BE", "бумажный кораблик плывёт"),
        ("utf-32-le", "UTF-32LE", "a boat"),
        ("cp932", "SHIFT_JIS", "紙の舟が雨の通りを流れる"),
        ("euc_jp", "EUC-JP", "紙の舟が雨の通りを流れる"),
        ("euc_kr", "EUC-KR", "종이배가 비 오는 거리를"),
        ("gb18030", "GB18030", "一只纸船，漂过下雨的街道"),
        ("big5", "BIG5", "一隻紙船漂過下雨的街道"),
        ("cp1251", "WINDOWS-1251", "Бумажный кораблик плывёт по улице"),
        ("koi8_r", "KOI8-R", "Бумажный кораблик плывёт по улице"),
        ("mac_roman", None, "un été à la plage"),
    ],
)
def test_a03_text_of_another_encoding_is_refused_by_its_name(
    codec: str, name: str | None, text: str, tmp_path: Path
) -> None:
    (tmp_path / "b.txt").write_bytes(f"{text}\n".encode(codec))
    with pytest.raises(UsageError, match="is not UTF-8 text") as refused:
        read_source(str(tmp_path / "b.txt"), None)
    assert ("looks like" in refused.value.message) is (name is not None)
    assert name is None or f"looks like {name}." in refused.value.message
    assert str(refused.value.hint).startswith(shells.to_utf8(str(tmp_path / "b.txt"), name))


#: Each way to hand in a prompt: the words of the line, what stands in a file, and what is on stdin.
READERS = ["argument", "file", "stdin", "request", "request-stdin", "jsonl", "csv", "text", "batch-stdin"]


def hand_in(service: Bench, reader: str, prompt: str, codec: str = "utf-8") -> tuple[int, str]:
    """Hand in a prompt in one of these ways; return the exit code and what was said."""
    rows = {
        "request": json.dumps({"prompt": prompt}), "request-stdin": json.dumps({"prompt": prompt}),
        "jsonl": json.dumps({"prompt": prompt}) + "\n", "csv": f'prompt,user\n"{prompt}",x\n',
    }  # fmt: skip
    data = rows.get(reader, prompt).encode(codec, "surrogateescape" if codec == "utf-8" else "strict")
    name = {"jsonl": "b.jsonl", "csv": "b.csv", "text": "b.txt"}.get(reader, "p.txt")
    service.write(data, name)
    model = ("-m", "google/veo-3.1-lite", "--json", "--dry-run")
    lines = {
        "argument": ("submit", prompt), "file": ("submit", "--prompt-file", name), "stdin": ("submit", "-"),
        "request": ("submit", "--request", name), "request-stdin": ("submit", "--request", "-"),
        "batch-stdin": ("batch", "-"),
    }  # fmt: skip
    line = lines.get(reader, ("batch", name))
    done = service.shell(*line, *model, stdin=data if "stdin" in reader else b"")
    return done.code, done.err + done.out


@drill("F-A03")
@pytest.mark.parametrize("reader", READERS)
def test_a03_every_reader_of_prompts_refuses_what_is_no_text(service: Bench, reader: str) -> None:
    code, said = hand_in(service, reader, "a \x1b[31mboat")
    assert code == 2, said
    assert "The prompt has a control character (ESC, U+001B) at character 3" in said


@drill("F-A03")
@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a \x00boat", "a control character (NUL, U+0000) at character 3"),
        ("a \x9bboat", "a control character (U+009B)"),
        ("a\nb\x08oat", "a control character (backspace, U+0008) at character 2 of line 2"),
        ("a \x7fboat", "a control character (DEL, U+007F)"),
        ("a bo\ufffdat", "a character that was lost (U+FFFD)"),
        ("a bo\ufeffat", "a byte order mark in the middle"),
        ("a bo\ud83dat", "half a character at character 5"),
        ("un \udce9t\udce9", "looks like WINDOWS-1252"),
    ],
)
@pytest.mark.parametrize("field", ["prompt", "user", "trace"])
def test_a03_the_character_and_its_place_are_named(text: str, says: str, field: str) -> None:
    with pytest.raises(UsageError) as refused:
        check_texts({"model": "a/b", field: {"x": ["a boat", text]} if field == "trace" else text})
    assert says in refused.value.message
    assert refused.value.message.startswith("The prompt " if field == "prompt" else f"The field {field} ")


@drill("F-A03")
@pytest.mark.parametrize("reader", READERS)
def test_a03_every_reader_of_prompts_takes_what_is_text(service: Bench, reader: str) -> None:
    prompt = "a boat,\tété – 紙の舟 می‌روم 👩‍🚀 "
    code, said = hand_in(service, reader, prompt)
    assert code == 0, said
    assert json.dumps(prompt.strip())[1:-1] in said


@drill("F-A03")
@pytest.mark.parametrize(
    ("reader", "codec"),
    [*((reader, "utf-16") for reader in READERS[1:]), ("file", "utf-8-sig"), ("csv", "utf-8-sig"), ("stdin", "utf-32")],
)
def test_a03_byte_order_marks_are_honoured(service: Bench, reader: str, codec: str) -> None:
    code, said = hand_in(service, reader, "un été", codec)
    assert code == 0, said
    assert r"un \u00e9t\u00e9" in said
    assert "ufeff" not in said


@drill("F-A03")
@pytest.mark.parametrize("reader", READERS)
def test_a03_every_reader_of_prompts_names_another_encoding(service: Bench, reader: str) -> None:
    prompt = "un \udce9t\udce9 \udce0 la plage" if reader == "argument" else "un été à la plage"
    if reader in ("request", "request-stdin", "jsonl"):
        prompt = "un \udce9t\udce9"  # JSON spells half a character out
        assert hand_in(service, reader, prompt)[0] == 2
        return
    code, said = hand_in(service, reader, prompt, "utf-8" if reader == "argument" else "cp1252")
    assert code == 2, said
    assert "looks like WINDOWS-1252" in said


@drill("F-A03")
def test_a03_an_endless_prompt_is_no_prompt(service: Bench) -> None:
    done = service.shell("submit", "--prompt-file", "/dev/zero", "--dry-run")
    assert done.code == 2
    assert "too large: at most 1 MiB" in done.err


# --- what was handed in to break it ----------------------------------------------------------------------------------

KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmUA\n-----END OPENSSH PRIVATE KEY-----\n"
BLOB = "aGVsbG8gd29ybGQsIHRoaXMgaXMgYmFzZTY0IGRhdGE0\n" * 3
SHELL = "set -e\nfor one in *; do\n  echo $one\ndone\n"
PYTHON = "import os\n\n\ndef main(argv):\n    print(os.name)\n"
DOCKER = "FROM python:3.12\nRUN pip install x\nCOPY . /app\n"
MAKE = "all: build\n\tcc -o x x.c\n"
DIFF = "diff --git a/x b/x\n@@ -1,2 +1,2 @@\n-a boat\n+a car\n"
SUBTITLES = "1\n00:00:01,000 --> 00:00:04,000\nA boat.\n"
LOG = "2026-11-26 03:00:01 a boat\n2026-11-26 03:00:02 a car\n"
MAIL = "From: a@example.com\nTo: b@example.com\nSubject: films\n\nA boat.\n"


@drill("F-A02")
@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        (".env", "a boat\n", "settings"),
        (".netrc", "a boat\n", "what .netrc files are"),
        (".env.local", "a boat\n", "what .local files are"),
        ("id_rsa", "a boat\n", "secrets"),
        ("Makefile", "a boat\n", "a program"),
        ("LICENSE.txt", "a boat\n", "a document"),
        ("requirements.txt", "httpx\n", "a list of packages"),
        *(
            (name, text, says)
            for name in ("b", "b.txt", "-")
            for text, says in [
                ("# 1\n# 2\n# 3\nOPENROUTER_API_KEY=sk-or-v1-1\nexport APP_NAME=A boat\n", "settings or secrets"),
                ("machine example.com\n  login me\n  password boat\n", "settings or secrets"),
                ("root:x:0:0:root:/root:/bin/sh\n", "settings or secrets"),
                (KEY, "a key"), (BLOB, "encoded data"), (SUBTITLES, "subtitles"), (MAIL, "a mail"), (DIFF, "a diff"),
                (LOG, "a log"), (MAKE, "a Makefile"), (DOCKER, "a Dockerfile"), (PYTHON, "a program"),
                (SHELL, "a program"),
                ("print('a')\nfor x in y:\n    f(x)\n", "a program"), (f"[{LOG[:19]}] x\n" * 2, "a log"),
                ("httpx==1.0\nrich>=13\n", "a list of packages"),
                ("MIT License\n\nCopyright (c) 2026\n", "a licence"),
                ("Titel;Text\nA;Boot\n", "a CSV without a column that orvideo knows"),
                ("title,scene\nBoat,\"a boat, at night\"\n", "a CSV without a column that orvideo knows"),
                ("Beschreibung\tDauer\nBoot\t4\n", "a CSV without a column that orvideo knows"),
            ]
        ),
    ],
)  # fmt: skip
def test_a02_secrets_code_and_tables_are_no_prompts(name: str, text: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(text)
    spec = name if name == "-" else str(path)
    with pytest.raises(UsageError, match="looks like") as refused:
        read_source(spec, io.BytesIO(text.encode()))
    assert says in refused.value.message
    assert "text" in str(refused.value.hint)
    assert read_source(spec, io.BytesIO(text.encode()), Form.TEXT).form is Form.TEXT, "--format text means it"


PROSE = [
    "A boat: slow, quiet; rain = mist, take #3",
    "a boat, at night\na car, by day",
    "A boat, drifting in the rain; a dog barks.\nA car | neon\nA tree",
    "12 boats at 5:30\n3 cars",
    "From above: a boat\nThe camera moves from left to right;\nImport the mood of a dream",
    "Ein Schiff – „MENÜ“ über der Tür\nUn café… « là-bas » à Noël",
    "Бумажный кораблик: дождь, ночь\n紙の舟、雨\nصورة قارب",
    "boat\ncar",
    "A note reads “KEY=value”\nclass of 1999 at the beach: golden hour",
    "login screen\nboat,rain,night,8k,cinematic,35mm\nmachine gun\nboat_in_the_rain_at_night_8k",
    "RUN AWAY, BOAT\nFROM ABOVE: A CAR\nfrom dusk till dawn\nboat --ar 16:9\npackage holiday",
    "a boat <slow> {wide}\nC++ on a screen, +one- more",
]


@drill("F-A02")
@drill("F-A03")
@pytest.mark.parametrize("text", PROSE)
def test_a02_prose_stays_prose(text: str, service: Bench) -> None:
    rows, troubles = read_rows(read_source("-", io.BytesIO(text.encode())), output=None)
    assert ([row.fields["prompt"] for row in rows], troubles) == (text.split("\n"), [])
    for reader in ("file", "stdin", "request"):
        code, said = hand_in(service, reader, text)
        assert code == 0, said


@drill("F-A02")
def test_a02_the_way_from_yaml_on_stdin_is_a_command_that_works(service: Bench) -> None:
    done = service.shell("batch", "-", stdin=YAML)
    assert done.code == 2
    assert shells.yaml_to_rows("-") in done.err


@drill("F-A02")
def test_a02_what_excel_says_of_its_cells_may_be_quoted() -> None:
    rows, troubles = read_rows(
        read_source("-", io.BytesIO(b'"sep=;"\r\nprompt;duration\r\na, boat;4\r\n')), output=None
    )
    assert ([row.fields for row in rows], troubles) == ([{"prompt": "a, boat", "duration": 4}], [])


@drill("F-A03")
@pytest.mark.parametrize("reader", ["file", "stdin"])
@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("<!doctype html><p>a boat", "a web page"), (r"{\rtf1 a boat}", "an RTF"), ("%PDF-1.7 a boat", "a PDF"),
        ('{"prompt": "a boat"}', "JSON"), ('[{"prompt": "a boat"}]', "JSON"), (KEY, "a key"), (PYTHON, "a program"),
    ],
)  # fmt: skip
def test_a03_a_document_is_no_prompt(service: Bench, reader: str, text: str, says: str) -> None:
    code, said = hand_in(service, reader, text)
    assert code == 2, said
    assert f"looks like {says}" in said
    if says == "JSON":
        assert (
            f"orvideo {'batch' if text[0] == '[' else 'submit --request'} {'-' if reader == 'stdin' else 'p.txt'}"
            in said
        )
    elif '"' not in text and "\\" not in text and "\n" not in text:
        assert hand_in(service, "request", text)[0] == 2
        assert hand_in(service, "argument", text)[0] == 0, "on the line it is meant"


@drill("F-A03")
@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Un ch\u00c3\u00a2teau … la nuit \u00e2\u20ac\u201d", "UTF-8 that was read as WINDOWS-1252"),
        ("РџСЂРёРІРµС‚ РјРёСЂ", "UTF-8 that was read as WINDOWS-1251"),
        ("un ch\u221a\u00a2teau", "UTF-8 that was read as MACINTOSH"),
        ("Un ch+AOI-teau", "UTF-7"),
    ],
)
def test_a03_text_that_was_broken_before_is_refused(service: Bench, reader: str, text: str, says: str) -> None:
    code, said = hand_in(service, reader, text)
    assert code == 2, said
    assert says in said


@drill("F-A03")
@pytest.mark.parametrize("text", ["Un château sur la mer", "un pâté, une crème", "Zwei Mädchen laufen", "créée"])
def test_a03_a_latin_word_is_not_chinese(text: str) -> None:
    with pytest.raises(UsageError, match="looks like WINDOWS-1252"):
        read_source("-", io.BytesIO(text.encode("latin-1")))


@drill("F-A03")
@pytest.mark.parametrize("text", ["un château", "紙の舟", "été"])
def test_a03_utf_8_is_utf_8_where_the_locale_knows_none(service: Bench, text: str) -> None:
    code, said = hand_in(service, "argument", text.encode().decode("ascii", "surrogateescape"))
    assert code == 0, said
    assert json.dumps(text)[1:-1] in said
