"""Real shells in pseudo-terminals, with a home of their own: type a line, press TAB, look at what came of it."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pexpect

from orvideo.commands._app import build_app
from orvideo.completion import scripts
from orvideo.completion.scripts import FILE_NAMES
from tests.shell import SCRIPT

SHELLS = ("bash", "zsh", "fish")
TAB, SHOW, CLEAR = "\t", "\x07", "\x15"  # Ctrl-G shows the line as the shell has it, Ctrl-U clears it
_ESCAPES = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[()][A-Z0-9]|[=>78]|k[^\x1b]*\x1b\\)|\r"
)


def script(shell: str) -> str:
    """The script of a shell for the app as it is."""
    return scripts.script(shell, build_app())


_SET_UP = {
    "bash": """
PS1='READY '; HISTFILE=
bind 'set show-all-if-ambiguous on'; bind 'set page-completions off'; bind 'set completion-query-items 0'
bind 'set bell-style none'; bind 'set enable-bracketed-paste off'
show() { printf '\\n<<%s>>\\n' "$READLINE_LINE"; }
bind -x '"\\C-g": show'
. "$SCRIPT"
""",
    "zsh": """
PS1='READY '; PROMPT_SP=; unsetopt prompt_cr prompt_sp beep list_ambiguous always_last_prompt
LISTMAX=999
fpath=("${SCRIPT:h}" $fpath)
autoload -Uz compinit && compinit -u -D
show() { print -r -- $'\\n'"<<$BUFFER>>"; zle reset-prompt; }
zle -N show; bindkey '^G' show; bindkey '^U' kill-whole-line
""",
    "fish": """
set -g fish_greeting
function fish_prompt; echo -n 'READY '; end
set -g fish_autosuggestion_enabled 0
set -g fish_color_command normal
function show; printf '\\n<<%s>>\\n' (commandline -b); end
bind \\cg show
bind \\cu 'commandline ""'
source $SCRIPT
""",
}
_ARGUMENTS = {
    "bash": ("--noprofile", "--rcfile", "RC", "-i"),
    "zsh": ("-d", "-i"),
    "fish": ("--private", "-N", "-i", "-C", "source RC"),
}


@dataclass(frozen=True)
class Completed:
    """The line after TAB, and what was listed on the way there, without the terminal's escapes."""

    line: str
    listed: str

    @property
    def words(self) -> list[str]:
        return self.listed.split()


class Typing:
    """One interactive shell that knows orvideo's completion and finds `program` under that name."""

    def __init__(self, shell: str, home: Path, program: Path, environ: Mapping[str, str]) -> None:
        self.shell, self.home = shell, home
        programs = home / "bin"
        programs.mkdir(parents=True)
        (programs / "orvideo").symlink_to(program)
        path = home / "scripts" / FILE_NAMES[shell]
        path.parent.mkdir()
        path.write_text(script(shell), encoding="utf-8")
        rc = home / (".zshrc" if shell == "zsh" else "rc")
        rc.write_text(_SET_UP[shell], encoding="utf-8")
        self._child = pexpect.spawn(
            shutil.which(shell) or shell,
            [argument.replace("RC", str(rc)) for argument in _ARGUMENTS[shell]],
            env={
                "HOME": str(home),
                "PATH": f"{programs}:/usr/local/bin:/usr/bin:/bin",
                "SCRIPT": str(path),
                "LANG": "C.UTF-8",
                "TERM": "xterm",
                "SHELL": f"/bin/{shell}",
                **environ,
            },
            cwd=str(home),
            encoding="utf-8",
            codec_errors="replace",
            dimensions=(60, 200),
            timeout=240,
        )
        self._child.delaybeforesend = None
        self._child.expect("READY ")

    def tab(self, line: str) -> Completed:
        """Type a line, press TAB once, and return what the shell has made of it; the line is then cleared."""
        child = self._child
        child.send(line + TAB)
        child.send(SHOW)
        child.expect(r"<<(.*?)>>", timeout=240)
        shown, result = child.before, child.match[1]
        child.send(CLEAR)
        child.send(SHOW)
        child.expect("<<>>")
        if self.shell == "fish":
            # Its list is drawn and wiped out again; the same question has the same answer as lines.
            quoted = line.replace("\\", "\\\\").replace("'", "\\'")
            listed = self.run(f"complete -C '{quoted}'")
        else:
            listed = _ESCAPES.sub("", shown).partition("\n")[2]
        return Completed(_ESCAPES.sub("", result).replace("\n", ""), listed)

    def run(self, line: str) -> str:
        """Run a command and return what it printed."""
        self._child.send(line + "; echo D''ONE\r")
        self._child.expect("DONE\r?\n")
        return _ESCAPES.sub("", self._child.before).partition("\n")[2]

    def close(self) -> None:
        self._child.close(force=True)


def program_that_must_not_run(folder: Path) -> Path:
    """Return a stand-in for orvideo that leaves a trace when it is run."""
    path = folder / "tripwire"
    path.write_text(f'#!/bin/sh\necho "$@" >> {folder}/was-run\necho TRIPPED\n', encoding="utf-8")
    path.chmod(0o755)
    return path


def installed() -> Path:
    return SCRIPT


def is_there(shell: str) -> bool:
    return shutil.which(shell, path=os.environ["PATH"]) is not None
