"""Lines that a person can type in the shell they sit at: a POSIX one, or on Windows PowerShell and, mostly, cmd.exe.

On Windows a name that needs quotes gets double ones, which both take; variables are set in PowerShell's way.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False  # TAB completion waits for the imports here: typing is not among them
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: What no shell of Windows reads anything into.
_PLAIN = frozenset("+./:=\\_-")
#: What PowerShell reads between double quotes; between single ones it takes them as they are.
_READ_IN_QUOTES = frozenset("$`")


def command_line(words: Sequence[str], *, platform: str = sys.platform) -> str:
    """Return a command as it is typed."""
    if platform != "win32":
        import shlex

        return shlex.join(words)
    return " ".join(map(_windows_word, words))


def word(text: str, *, platform: str = sys.platform) -> str:
    """Return one word of a command as it is typed."""
    return command_line([text], platform=platform)


def set_variable(name: str, value: str, *, platform: str = sys.platform) -> str:
    """Return the line that sets a variable of this shell; a POSIX shell reads the value as it is given."""
    return f'$env:{name} = "{value}"' if platform == "win32" else f"export {name}={value}"


def set_variables(values: Mapping[str, str], *, platform: str = sys.platform) -> list[str]:
    """Return the lines that set variables."""
    if platform == "win32":
        return [set_variable(name, value, platform=platform) for name, value in values.items()]
    return ["export " + " ".join(f"{name}={value}" for name, value in values.items())]


def unset_variable(*names: str, platform: str = sys.platform) -> str:
    """Return the line that takes variables out of this shell."""
    if platform == "win32":
        return "Remove-Item " + ", ".join(f"Env:{name}" for name in names)
    return f"unset {' '.join(names)}"


def copy_variable(name: str, source: str, *, platform: str = sys.platform) -> str:
    """Return the line that gives a variable the value of another one."""
    return f"$env:{name} = $env:{source}" if platform == "win32" else f'export {name}="${source}"'


def make_folder(folder: str, *, platform: str = sys.platform) -> str:
    """Return the line that makes a folder, with those around it."""
    return command_line(["mkdir", *([] if platform == "win32" else ["-p"]), folder], platform=platform)


def move(old: str, new: str, *, platform: str = sys.platform) -> str:
    """Return the line that renames a file; cmd.exe has no mv, and PowerShell has move as well."""
    return command_line(["move" if platform == "win32" else "mv", old, new], platform=platform)


def list_folder(folder: str, *, platform: str = sys.platform) -> str:
    return command_line(["dir" if platform == "win32" else "ls", folder], platform=platform)


def free_space(folder: str, *, platform: str = sys.platform) -> str:
    """Return the line that shows how much room there is."""
    return "Get-PSDrive -PSProvider FileSystem" if platform == "win32" else command_line(["df", "-h", folder])


def add_to_list(name: str, value: str, *, platform: str = sys.platform) -> str:
    """Return the line that adds a value to a variable that holds several, with commas between them."""
    return f'$env:{name} += ",{value}"' if platform == "win32" else f'export {name}="${name},{value}"'


def set_clock(*, platform: str = sys.platform) -> str:
    """Return the line that sets this machine's clock by the network."""
    return {
        "win32": "w32tm /resync",
        "darwin": "sudo sntp -sS time.apple.com",
    }.get(platform, "sudo timedatectl set-ntp true")


def fed_with(command: str, file: str, *, platform: str = sys.platform) -> str:
    """Return a command with a file as its stdin, which PowerShell leaves to cmd.exe."""
    fed = f"{command} < {word(file, platform='posix')}"
    return f'cmd /c "{fed}"' if platform == "win32" else fed


def to_utf8(spec: str, encoding: str | None, *, platform: str = sys.platform) -> str:
    """Return what makes UTF-8 of a file, or of stdin for `-`; `encoding` is what it seems to be written in."""
    if platform == "win32":
        return "save it as UTF-8 (in Notepad: Save as, Encoding)"
    name = word(spec, platform=platform)
    if encoding is None:
        return f"file --mime-encoding {name}; then: iconv -f THAT -t UTF-8"
    stem, dot, suffix = spec.rpartition(".")
    if not stem or "/" in suffix:
        stem, dot, suffix = spec, "", ""
    names = "" if spec == "-" else f" {name} > {word(f'{stem}.utf8{dot}{suffix}', platform=platform)}"
    return f"iconv -f {encoding} -t UTF-8{names}"


def yaml_to_rows(spec: str, *, platform: str = sys.platform) -> str:
    """Return what makes JSON lines of a YAML file; what was on stdin is read already, and goes through a pipe."""
    if platform == "win32":
        # PowerShell 5.1 writes UTF-16 with >, and has quotes of its own.
        return "make JSON lines of it, one object a line"
    way = "FILE | orvideo batch -" if spec == "-" else f"{word(spec, platform=platform)} > rows.jsonl"
    return f"yq -o=json -I=0 '.[]' {way}"


def without_numbers(spec: str, *, platform: str = sys.platform) -> str:
    """Return what takes the numbers of a numbered list away, and what an assistant says around it."""
    if platform == "win32":
        return "take the numbers away, and what is no prompt"
    name = "FILE" if spec == "-" else word(spec, platform=platform)
    return rf"sed -nE 's/^[[:space:]]*\(?[0-9]+[.):]+[[:space:]]*//p' {name} | orvideo batch -"


def a_folder(*, platform: str = sys.platform) -> str:
    """Return what stands for a folder of the person's own choice."""
    return r"C:\path\to\a\folder" if platform == "win32" else "/path/to/a/folder"


def program(path: str, *, platform: str = sys.platform) -> str:
    """Return a program as the first word of a command; PowerShell takes a text in quotes for one only behind an &."""
    said = word(path, platform=platform)
    return f"& {said}" if platform == "win32" and said[:1] in "\"'" else said


def _windows_word(text: str) -> str:
    if text and all(one.isalnum() or one in _PLAIN for one in text):
        return text
    if _READ_IN_QUOTES & set(text) and '"' not in text:
        return "'" + text.replace("'", "''") + "'"
    from subprocess import list2cmdline

    quoted = list2cmdline([text])
    # It quotes blanks alone: where nothing was to be escaped, the word is quoted here.
    return quoted if quoted != text else f'"{text}"'
