"""A prompt on the line that is something else: a file, a job, a picture's address or an option (finding A01).

Only what is clear is refused: a name counts where it is the whole prompt.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable

from orvideo import shells
from orvideo.errors import UsageError
from orvideo.request.kinds import recognise

#: No name of anything is longer.
_LONGEST = 4096
_MEANT = "--no-check takes it for the prompt"
_ROWS = (".csv", ".tsv", ".tab", ".jsonl", ".ndjson")
_PICTURE = r"https?://\S+\.(png|jpe?g|webp|gif|avif|heic|bmp|tiff?)([?#]\S*)?"
_OPTION = r"[\u2010-\u2015\u2212]{1,2}[A-Za-z][\w-]*(=.*)?"
#: As the service makes its ids; `@1` and `@last` are names of orvideo's own.
_JOB = r"gen-vid-[\w-]+|@last|@\d{1,4}"


def check_argument(prompt: str, on_record: Callable[[str], bool]) -> None:
    """Refuse a prompt that names something. `on_record` says whether a word is a job's id. Raises UsageError."""
    if len(prompt) > _LONGEST:
        return
    if re.fullmatch(_OPTION, prompt):
        option = prompt.lstrip("\u2010\u2011\u2012\u2013\u2014\u2015\u2212")
        dashes = "-" if len(option) == 1 else "--"
        raise _refusal(f"{prompt} looks like an option with a dash of print", f"{dashes}{option}")
    if re.fullmatch(_PICTURE, prompt, re.IGNORECASE):
        raise _refusal(f"{prompt} looks like the address of a picture", _submit("--first-frame", prompt))
    if re.fullmatch(_JOB, prompt) or (re.fullmatch(r"(?=\S*\d)[\w-]{8,}|sub-\w+", prompt) and on_record(prompt)):
        # To PowerShell @1 is no word.
        job = "1" if prompt == "@last" else prompt.removeprefix("@")
        ways = f"orvideo status {job}, or for the same again: {_submit('--like', job)}"
        raise _refusal(f"{prompt} looks like the name of a job", ways)
    # A word alone may be a film of its own, whatever is called like it here.
    if not re.search(r"[./@]", prompt):
        return
    for path in dict.fromkeys((prompt, prompt.removeprefix("@"))):
        if kind := _there(path):
            raise _refusal(f"{prompt} is the name of {kind[0]} that is there", kind[1])


def _refusal(looks: str, way: str) -> UsageError:
    return UsageError(f"The prompt {looks}.", hint=f"{way} ({_MEANT})")


def _submit(option: str, value: str) -> str:
    return f"orvideo submit {option} {shells.word(value)}"


def _there(path: str) -> tuple[str, str] | None:
    """Return what a name leads to, and the command that takes it; None where nothing is there."""
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):
        return None
    if stat.S_ISDIR(mode):
        return "a folder", shells.list_folder(path)
    kind = None
    if stat.S_ISREG(mode):
        try:
            with open(path, "rb") as file:
                kind = recognise(file.read(2048))
        except OSError:
            kind = None
    suffix = os.path.splitext(path)[1].casefold()
    if kind is not None and kind.medium is not None:
        return "a file", _submit("--first-frame" if kind.medium == "image" else "--reference", path)
    if suffix in _ROWS:
        return "a file", f"orvideo batch {shells.word(path)}"
    return "a file", _submit("--request" if suffix == ".json" else "--prompt-file", path)
