"""The manual page `orvideo.1`, generated from the app like the completion scripts."""

from __future__ import annotations

from collections.abc import Iterator

from orvideo.completion.spec import CommandSpec, OptionSpec


def page(program: CommandSpec, exit_codes: list[tuple[str, str]]) -> str:
    """Return the page as roff: every command with its options, and the exit codes."""
    lines = [
        '.\\" Made by: python -m orvideo.completion. Do not edit.',
        '.TH ORVIDEO 1 "" orvideo "User Commands"',
        ".SH NAME",
        f"orvideo \\- {_text(program.help)}",
        ".SH SYNOPSIS",
        ".B orvideo",
        "COMMAND [OPTIONS] [ARGUMENTS]",
        ".SH COMMANDS",
    ]
    for command in program.walk():
        if command.path and not command.commands:
            lines += _command(command)
    lines += [".SH EXIT STATUS"]
    lines += [line for code, meaning in exit_codes for line in (".TP", f".B {code}", _text(meaning))]
    lines += [".SH SEE ALSO", "orvideo help, orvideo help exit\\-codes, orvideo help environment, orvideo help output"]
    return "\n".join(lines) + "\n"


def _command(command: CommandSpec) -> Iterator[str]:
    words = " ".join(one.value.title.upper() + ("..." if one.repeatable else "") for one in command.arguments)
    yield f".SS orvideo {_text(command.key)} {_text(words)}".rstrip()
    yield _text(command.help) + "."
    for option in command.options:
        if "--help" not in option.names:
            yield from (".TP", _names(option), _text(option.help))


def _names(option: OptionSpec) -> str:
    names = ", ".join(f"\\fB{_text(name)}\\fR" for name in option.names)
    return names if option.value is None else f"{names} \\fI{_text(option.value.title)}\\fR"


def _text(text: str) -> str:
    """Quote a text for roff: the backslash, the minus sign, and a dot or quote at the beginning of a line."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\\&" + text if text.startswith((".", "'")) else text
