"""Lines that a person can type where they sit, and nothing of another system in any hint (finding W20)."""

from __future__ import annotations

import ast
import re
import shlex
from pathlib import Path

import pytest

from orvideo import shells
from orvideo.settings import folders

ROOT = Path(__file__).parent.parent

#: What a shell of another system does not know, or reads otherwise.
FOREIGN = re.compile(
    r"\bmkdir -p\b|\bmkdir '|\bmv '|\bexport [A-Z{]|(?<!config )\bunset [A-Z{]|'orvideo\[|'httpx\[|\biconv -|\bchmod |"
    r"- < |^sed -|\bsed -n|(?<![\w.])@1\b|(?<![\w.])@last\b"
)
#: Where a word of that kind is no hint, each with its reason.
NO_HINTS = {
    "shells.py": "makes the lines for each system",
    "settings/keys.py": "said only where files have modes",
    "settings/key_command.py": "said only where files have modes",
    "request/kinds.py": "the forms by which a program's text is known",
    "request/argument.py": "the forms by which a job's name is known",
    "completion/answer.py": "what is offered after a typed @",
    "completion/bash.py": "a script for bash",
    "completion/zsh.py": "a script for zsh",
    "completion/fish.py": "a script for fish",
}


def texts(path: Path) -> list[str]:
    """Return the texts of a file that are no docstrings, those of f-strings with {} for what is put in."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    found, inner = [], set()
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            inner |= {id(part) for part in node.values}
            found.append("".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs | inner:
            found.append(node.value)
    return found


@pytest.mark.drill("W20")
@pytest.mark.parametrize(
    ("words", "posix", "windows"),
    [
        (["orvideo", "batch", "rows.csv"], "orvideo batch rows.csv", "orvideo batch rows.csv"),
        (["orvideo", "batch", "my rows.csv"], "orvideo batch 'my rows.csv'", 'orvideo batch "my rows.csv"'),
        (["x", r"C:\a b\boat.mp4"], r"x 'C:\a b\boat.mp4'", r'x "C:\a b\boat.mp4"'),
        (["x", r"C:\films\boat.mp4"], r"x 'C:\films\boat.mp4'", r"x C:\films\boat.mp4"),
        (["x", "{id}.mp4"], "x '{id}.mp4'", 'x "{id}.mp4"'),
        (["x", "@1"], "x @1", 'x "@1"'),
        (["x", "a&b;(c)"], "x 'a&b;(c)'", 'x "a&b;(c)"'),
        (["x", "it's"], "x 'it'\"'\"'s'", 'x "it\'s"'),
        (["x", "$5 off"], "x '$5 off'", "x '$5 off'"),
        (["x", 'say "a"'], "x 'say \"a\"'", r'x "say \"a\""'),
        (["x", ""], "x ''", 'x ""'),
        (["x", "\u5c0f\u8239.mp4"], "x \u5c0f\u8239.mp4", "x \u5c0f\u8239.mp4"),
    ],
)
def test_w20_a_command_is_typed_as_its_shell_reads_it(words: list[str], posix: str, windows: str) -> None:
    assert shlex.split(shells.command_line(words, platform="linux")) == words
    if "\u5c0f" not in posix:
        assert shells.command_line(words, platform="linux") == posix
    assert shells.command_line(words, platform="win32") == windows


@pytest.mark.drill("W20")
def test_w20_variables_folders_and_files_are_named_in_the_way_of_the_shell() -> None:
    assert shells.set_variable("A", "x", platform="linux") == "export A=x"
    assert shells.set_variable("A", "x", platform="win32") == '$env:A = "x"'
    assert shells.unset_variable("A", "B", platform="darwin") == "unset A B"
    assert shells.unset_variable("A", "B", platform="win32") == "Remove-Item Env:A, Env:B"
    assert shells.copy_variable("A", "B", platform="win32") == "$env:A = $env:B"
    assert shells.set_variables({"A": "1", "B": "2"}, platform="linux") == ["export A=1 B=2"]
    assert shells.set_variables({"A": "1", "B": "2"}, platform="win32") == ['$env:A = "1"', '$env:B = "2"']
    assert shells.move("a b", "c", platform="win32") == 'move "a b" c'
    assert shells.fed_with("x -", "a.png", platform="win32") == 'cmd /c "x - < a.png"'
    assert shells.to_utf8("a b.txt", "X", platform="linux") == "iconv -f X -t UTF-8 'a b.txt' > 'a b.utf8.txt'"
    for said in (shells.to_utf8("a", "X", platform="win32"), shells.to_utf8("-", None, platform="win32")):
        assert "iconv" not in said
    assert "sed" not in shells.without_numbers("a", platform="win32")
    assert shells.program(r"C:\a b\python.exe", platform="win32") == r'& "C:\a b\python.exe"'
    assert shells.program("/a b/python", platform="linux") == "'/a b/python'"


@pytest.mark.drill("G4")
def test_g4_a_folder_in_a_hint_is_quoted() -> None:
    assert shells.make_folder("no such", platform="linux") == "mkdir -p 'no such'"
    assert shells.make_folder(r"C:\no such", platform="win32") == r'mkdir "C:\no such"'


@pytest.mark.drill("W20")
def test_w20_a_relative_folder_is_mended_in_the_shell_of_the_system() -> None:
    said = {}
    for platform in ("linux", "win32"):
        with pytest.raises(Exception, match="absolute") as refusal:
            folders.locate(folders.STATE, {"ORVIDEO_STATE_DIR": "state"}, platform=platform)
        said[platform] = refusal.value.hint  # type: ignore[attr-defined]
    assert said == {
        "linux": 'export ORVIDEO_STATE_DIR="$PWD/state"', "win32": '$env:ORVIDEO_STATE_DIR = "$PWD\\state"',
    }  # fmt: skip


@pytest.mark.drill("W20")
def test_w20_no_text_of_the_package_is_a_line_for_one_system() -> None:
    package = ROOT / "orvideo"
    wrong = [
        f"{path.relative_to(package)}: {text[:100]}"
        for path in sorted(package.rglob("*.py"))
        if path.relative_to(package).as_posix() not in NO_HINTS
        for text in texts(path)
        if FOREIGN.search(text)
    ]
    assert wrong == []


@pytest.mark.drill("W20")
def test_w20_no_page_names_a_job_as_powershell_reads_something_else_into() -> None:
    for page in (ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *(ROOT / "completions").glob("*")):
        if page.name not in ("completion.md", "platforms.md"):
            for line in page.read_text(encoding="utf-8").splitlines():
                assert not re.search(r"orvideo [a-z -]+@(1|last)\b", line), (page.name, line)
