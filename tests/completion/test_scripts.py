"""The scripts are what the app says, and completions/ is what they are now."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from orvideo.commands._app import COMMANDS, build_app
from orvideo.commands.help import EXIT_CODES
from orvideo.completion import answer, spec
from orvideo.completion.__main__ import main
from orvideo.completion.scripts import FILE_NAMES, manual
from tests.completion.shells import is_there, script

FOLDER = Path(__file__).parents[2] / "completions"


@pytest.fixture(scope="module")
def program() -> spec.CommandSpec:
    return spec.read_app(build_app())


@pytest.mark.parametrize("shell", FILE_NAMES)
def test_the_scripts_in_completions_are_current(shell: str) -> None:
    kept = (FOLDER / FILE_NAMES[shell]).read_text(encoding="utf-8")
    assert kept == script(shell), "run: python -m orvideo.completion"


def test_one_command_writes_them_all(tmp_path: Path) -> None:
    main(tmp_path / "new")
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == sorted([*FILE_NAMES.values(), "orvideo.1"])


@pytest.mark.drill("F-D13")
def test_d13_the_manual_page_is_current_and_man_takes_it(tmp_path: Path, program: spec.CommandSpec) -> None:
    page = FOLDER / "orvideo.1"
    assert page.read_text(encoding="utf-8") == manual(build_app(), EXIT_CODES), "run: python -m orvideo.completion"
    for command in program.walk():
        if command.path and not command.commands:
            assert f".SS orvideo {command.key}".replace("-", "\\-") in manual(build_app(), EXIT_CODES)
    if shutil.which("man") is None or shutil.which("groff") is None:
        pytest.skip("the packages man-db and groff-base would prove it")
    done = subprocess.run(["man", "--warnings", "-l", str(page)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_script_is_the_same_whatever_the_order_of_sets(tmp_path: Path) -> None:
    for seed in ("1", "2"):
        subprocess.run(
            [sys.executable, "-m", "orvideo.completion", str(tmp_path / seed)], check=True, env={"PYTHONHASHSEED": seed}
        )
    for name in FILE_NAMES.values():
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes()


@pytest.mark.parametrize("shell", FILE_NAMES)
def test_every_command_and_option_is_in_every_script(shell: str, program: spec.CommandSpec) -> None:
    text = script(shell)
    for command in program.walk():
        for option in command.options:
            for name in option.names:
                said = name.lstrip("-") if shell == "fish" else name
                assert re.search(rf"(?<![\w-]){re.escape(said)}(?![\w-])", text), f"{command.key} {name}"
    assert set(COMMANDS) == {command.name for command in program.commands}
    assert all(name in text for name in COMMANDS)


@pytest.mark.parametrize(
    ("shell", "check"), [("bash", ["bash", "-n"]), ("zsh", ["zsh", "-n"]), ("fish", ["fish", "-n"])]
)
def test_a_script_is_good_grammar(shell: str, check: list[str], tmp_path: Path) -> None:
    if not is_there(shell):
        pytest.skip(f"{shell} is NOT INSTALLED: its script's grammar is not proved here; the package {shell} would")
    path = tmp_path / FILE_NAMES[shell]
    path.write_text(script(shell), encoding="utf-8")
    done = subprocess.run([*check, str(path)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_powershell_script_is_whole(tmp_path: Path) -> None:
    """Quotes and brackets are in pairs, which is all that can be said where there is no PowerShell."""
    text = script("powershell")
    bare = re.sub(r"#.*", "", re.sub(r"'(?:[^']|'')*'|\"(?:[^\"`]|`.)*\"", "0", text))
    assert "'" not in bare
    depth: list[str] = []
    for character in bare:
        if character in "([{":
            depth.append(character)
        elif character in ")]}":
            assert depth, "closed more often than opened"
            assert depth.pop() + character in ("()", "[]", "{}")
    assert depth == []
    shell = shutil.which("pwsh")
    if shell:
        path = tmp_path / "orvideo.ps1"
        path.write_text(text, encoding="utf-8")
        parse = (
            "$errors = $null; [System.Management.Automation.Language.Parser]::ParseFile("
            f"'{path}', [ref]$null, [ref]$errors) | Out-Null; $errors; exit $errors.Count"
        )
        assert subprocess.run([shell, "-NoProfile", "-Command", parse], check=False).returncode == 0


def test_every_dynamic_kind_has_a_completer(program: spec.CommandSpec) -> None:
    values = [option.value for command in program.walk() for option in command.options if option.value]
    values += [argument.value for command in program.walk() for argument in command.arguments]
    kinds = {value.dynamic for value in values if value.dynamic}
    assert kinds == set(answer.COMPLETERS)


def test_no_rule_about_a_name_is_left_behind_by_the_app(program: spec.CommandSpec) -> None:
    options = {name for command in program.walk() for option in command.options for name in option.names}
    assert set(spec.DYNAMIC_OPTIONS) <= options
    assert {"--reference"} <= options
    submit = next(command for command in program.commands if command.name == "submit")
    files = {option.names[0] for option in submit.options if option.value and option.value.files}
    assert {"--output", "--prompt-file", "--first-frame", "--reference"} <= files
    with_settings = [
        command.key for command in program.walk() if any(a.value.title == "setting" for a in command.arguments)
    ]
    assert with_settings == ["config get", "config set", "config unset"]


@pytest.mark.parametrize("text", ["a b", "$(x)", "", "a'b", "a;b", "*"])
def test_a_word_that_a_shell_would_read_something_into_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no word"):
        spec.Choice(text)


def test_help_is_one_line_that_fits_a_list(program: spec.CommandSpec) -> None:
    texts = [
        text for command in program.walk() for text in (command.help, *(option.help for option in command.options))
    ]
    assert all(text and "\n" not in text and len(text) <= 90 for text in texts)


@pytest.mark.drill("PS3")
def test_ps3_the_powershell_script_is_for_both_names_of_the_program() -> None:
    assert "-CommandName orvideo, orvideo.exe " in script("powershell")


@pytest.mark.drill("PS4")
def test_ps4_powershell_reads_utf_8_and_has_its_encoding_back() -> None:
    text = script("powershell")
    asked = text.index("__complete $kind[1]")
    assert text.index("[Console]::OutputEncoding = [System.Text.Encoding]::UTF8") < asked
    assert re.search(r"finally \{\s*\[Console\]::OutputEncoding = \$encoding", text[asked:])


@pytest.mark.drill("PS5")
def test_ps5_the_powershell_script_is_ascii() -> None:
    assert script("powershell").isascii()


@pytest.mark.drill("PS6")
def test_ps6_powershell_compares_letter_by_letter() -> None:
    asked = re.findall(r"\.StartsWith\(([^)]*)\)", script("powershell"))
    assert len(asked) == 5
    assert all(one.endswith(", 'Ordinal'") for one in asked)


@pytest.mark.drill("PS7")
def test_ps7_powershell_offers_no_files_where_anything_may_be_said() -> None:
    assert "elseif ($kind[0] -in 'anything', 'dynamic') {\n            ''" in script("powershell")
