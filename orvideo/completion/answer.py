"""Answers `orvideo __complete`, which the shells' scripts call on TAB: models, their values, and jobs.

`orvideo __complete KIND CURRENT WORD...` prints a line `value<TAB>description` for each candidate. KIND is a key of
`COMPLETERS`, CURRENT the word at the cursor, the WORDs those before it, without the program. It reads the cache of the
catalogue and the record of jobs, changes no file and uses no network; whatever goes wrong, it offers nothing. A person
waits for it, so it imports only what the KIND needs, neither typing nor pathlib.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False  # instead of typing's own, whose import costs a third of an interpreter's start
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import Any, NoReturn

    from orvideo.settings.resolving import Settings

    Candidate = tuple[str, str]
    Completer = Callable[[str, Sequence[str], Mapping[str, str]], Iterable[Candidate]]

#: How many jobs are offered; typing the next letter narrows them down.
MAX_JOBS = 30
MAX_FILES = 100
MAX_DESCRIPTION = 60
_VIDEOS = (".mp4", ".webm", ".mov", ".mkv")
_MAX_VALUE = 200


def run(arguments: Sequence[str], environ: Mapping[str, str]) -> NoReturn:
    """Write the candidates for a line to stdout and exit with code 0, whatever happens."""
    try:
        os.write(1, complete(arguments, environ).encode("utf-8", "replace"))
    except BaseException:
        # A message would appear in the middle of the line that is being typed, also after Ctrl-C.
        os._exit(0)
    # An orderly end takes a fifth of the interpreter's start-up time, and nothing here needs it.
    os._exit(0)


def complete(arguments: Sequence[str], environ: Mapping[str, str]) -> str:
    """Return the candidates as lines. Raises any exception."""
    # Windows PowerShell cannot pass an empty word, and its script says a blank (finding G3).
    kind, current, words = arguments[0], arguments[1].strip() if len(arguments) > 1 else "", arguments[2:]
    lines = []
    for value, description in COMPLETERS[kind](current, [_unquoted(word) for word in words], environ):
        if _is_safe_word(value):
            lines.append(f"{value}\t{_one_line(description)}\n")
    return "".join(lines)


def _unquoted(word: str) -> str:
    """Return a word without a shell's quotes and backslashes; no id and no option contains any."""
    return word.replace("\\", "").replace('"', "").replace("'", "")


def _is_safe_word(value: str) -> bool:
    """Return whether a text is one visible word that a command line takes for a value."""
    return value.isprintable() and " " not in value and 0 < len(value) <= _MAX_VALUE and value[0] not in "-~"


def _one_line(text: str) -> str:
    """Return a text without control characters, cut to the length of a description."""
    shown = "".join(one if one.isprintable() else " " for one in text[: 4 * MAX_DESCRIPTION])
    shown = " ".join(shown.split())
    return shown if len(shown) <= MAX_DESCRIPTION else shown[: MAX_DESCRIPTION - 1] + "…"


# --- models ----------------------------------------------------------------------------------------------------------


def _models(current: str, words: Sequence[str], environ: Mapping[str, str]) -> Iterator[Candidate]:
    for entry in _catalogue(words, environ):
        yield entry["id"], _text(entry.get("name"))


def _model_values(field: str) -> Completer:
    """Return the completer for a field of the chosen model; of all models where none is chosen."""

    def values(current: str, words: Sequence[str], environ: Mapping[str, str]) -> Iterable[Candidate]:
        chosen = _chosen_model(words, environ)
        found: dict[str, list[str]] = {}
        for entry in _catalogue(words, environ):
            if chosen is not None and chosen.casefold() not in (
                entry["id"].casefold(),
                _text(entry.get("canonical_slug")).casefold(),
            ):
                continue
            listed = entry.get(field)
            for value in listed if isinstance(listed, list) else ():
                if isinstance(value, str) or type(value) is int:
                    found.setdefault(str(value), []).append(entry["id"])
        return [(value, "" if chosen else _models_having(found[value])) for value in sorted(found, key=_sort_key)]

    return values


def _models_having(models: Sequence[str]) -> str:
    return models[0] if len(models) == 1 else f"{len(models)} models"


def _sort_key(value: str) -> tuple[float, str]:
    """Return a sort key that puts 480p before 1080p, and 1080p before 2K."""
    digits = ""
    for letter in value:
        if not letter.isdecimal():
            break
        digits += letter
    return float(digits[:9] or 0) * (1000 if value[len(digits) :] in ("K", "k") else 1), value


def _chosen_model(words: Sequence[str], environ: Mapping[str, str]) -> str | None:
    """Return the model on the line, else the one in the settings, which `orvideo models` does not use."""
    chosen = None
    for index, word in enumerate(words):
        if word == "--":
            break
        if word in ("-m", "--model"):
            chosen = words[index + 1] if index + 1 < len(words) else None
        elif word.startswith("--model="):
            chosen = word[len("--model=") :]
        elif word.startswith("-m"):
            chosen = word[2:]
    if chosen is None and words[:1] != ["models"]:
        settings = _settings(words, environ)
        model = settings.get("model").value if settings else None
        return model if isinstance(model, str) else None
    return chosen


def _catalogue(words: Sequence[str], environ: Mapping[str, str]) -> list[dict[str, Any]]:
    from orvideo.catalogue.cache import entries, file_name
    from orvideo.settings.folders import CACHE, locate

    return entries(os.path.join(locate(CACHE, environ), file_name(_endpoint(words, environ))))


def _endpoint(words: Sequence[str], environ: Mapping[str, str]) -> str:
    """Return the service that the command would use, as the cache's file is named after it."""
    settings = _settings(words, environ)
    if "--sandbox" in words or (settings and settings.sandbox):
        return "sandbox"
    return settings.base_url if settings else _DEFAULT_BASE_URL


_DEFAULT_BASE_URL = "https://openrouter.ai/api/v1"
_VARIABLES = ("ORVIDEO_MODEL", "ORVIDEO_SANDBOX", "ORVIDEO_BASE_URL", "OPENROUTER_BASE_URL")


def _settings(words: Sequence[str], environ: Mapping[str, str]) -> Settings | None:
    """Return the settings, those of the profile on the line; None, without an import, where nothing is set."""
    from orvideo.settings.folders import CONFIG, locate

    if not any(map(environ.get, _VARIABLES)) and not os.path.lexists(
        os.path.join(locate(CONFIG, environ), "config.toml")
    ):
        return None
    from orvideo.settings.resolving import Settings

    return Settings(environ, profile=_profile(words))


def _profile(words: Sequence[str]) -> str | None:
    """Return the profile that a line names, the last one where there are more."""
    chosen = None
    for index, word in enumerate(words):
        if word == "--profile" and index + 1 < len(words):
            chosen = words[index + 1]
        elif word.startswith("--profile="):
            chosen = word[len("--profile=") :]
    return chosen


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


# --- jobs ------------------------------------------------------------------------------------------------------------

_STATE = "CASE WHEN state = 'not_sent' AND answer_status THEN 'refused' ELSE state END"
_SHOWN = f"{_STATE}, status, substr(prompt, 1, 240)"
NEWEST = f"SELECT coalesce(job_id, handle), {_SHOWN} FROM jobs ORDER BY seq DESC LIMIT ?"  # noqa: S608 - constants
#: Two queries, each answered by an index; one with OR would read the whole table.
BY_PREFIX = (
    f"SELECT job_id, {_SHOWN} FROM jobs WHERE job_id >= ? AND job_id < ? UNION ALL "  # noqa: S608
    f"SELECT handle, {_SHOWN} FROM jobs WHERE handle >= ? AND handle < ? LIMIT ?"
)
_STATE_NAMES = {"prepared": "submitting", "sending": "submitting", "unknown": "outcome_unknown", "submitted": "pending"}


def _jobs(current: str, words: Sequence[str], environ: Mapping[str, str]) -> Iterable[Candidate]:
    """Return jobs, newest first: as @N for a word that begins with @, else by id, or by handle without an id."""
    current = _unquoted(current)
    rows = _rows(current, environ)
    if not current.startswith("@"):
        return [(name, _job_description(*rest)) for name, *rest in rows]
    found = [(f"@{number}", _job_description(*rest)) for number, (_, *rest) in enumerate(rows, start=1)]
    return [*found, ("@last", found[0][1])] if found else []


def _job_description(state: str, status: str | None, prompt: str | None) -> str:
    return f"{status or _STATE_NAMES.get(state, state)}: {prompt or ''}"


def _rows(current: str, environ: Mapping[str, str]) -> list[tuple[Any, ...]]:
    """Return rows of the record by one indexed query; the file is never created, changed or waited for."""
    import sqlite3

    from orvideo.settings.folders import STATE, locate

    path = os.path.join(locate(STATE, environ), "jobs.db")
    if not os.path.isfile(path):
        return []
    # Quoted here because importing urllib costs a third of an interpreter's start.
    address = path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    connection = sqlite3.connect(f"file:{address}?mode=ro", uri=True, timeout=0.05)
    if current and not current.startswith("@"):
        after = current + "\U0010ffff"
        return connection.execute(BY_PREFIX, (current, after, current, after, MAX_JOBS)).fetchall()
    return connection.execute(NEWEST, (MAX_JOBS,)).fetchall()


def _videos(current: str, words: Sequence[str], environ: Mapping[str, str]) -> list[Candidate]:
    """Return jobs, and the video files of the folder that the word is in; where none is, the folders in it."""
    folder, begins = os.path.split(current)
    with os.scandir(folder or os.curdir) as entries:
        found = sorted((one.name, one.is_dir()) for one in entries if one.name.startswith(begins))
    names = [name for name, is_folder in found if name.endswith(_VIDEOS) and not is_folder]
    names = names or [f"{name}/" for name, is_folder in found if is_folder and begins]
    # Behind what is typed, as it is typed: a shell drops what does not begin so.
    typed = current.removesuffix(begins)
    files = [(typed + name, "") for name in names[:MAX_FILES]]
    return files if folder else [*_jobs(current, words, environ), *files]


# --- settings --------------------------------------------------------------------------------------------------------


def _profiles(current: str, words: Sequence[str], environ: Mapping[str, str]) -> Iterable[Candidate]:
    from orvideo.settings.resolving import Settings

    return [(name, "") for name in Settings(environ).profiles]


def _setting_values(current: str, words: Sequence[str], environ: Mapping[str, str]) -> Iterable[Candidate]:
    """Return values for the setting that the last word names."""
    name = words[-1] if words else ""
    if name in ("sandbox", "audio"):
        return [("yes", ""), ("no", "")]
    kind = {
        "model": "models",
        "duration": "durations",
        "resolution": "resolutions",
        "aspect-ratio": "aspect-ratios",
    }.get(name)
    return COMPLETERS[kind](current, ["models"], environ) if kind else []


COMPLETERS: dict[str, Completer] = {
    "models": _models,
    "durations": _model_values("supported_durations"),
    "resolutions": _model_values("supported_resolutions"),
    "aspect-ratios": _model_values("supported_aspect_ratios"),
    "sizes": _model_values("supported_sizes"),
    "jobs": _jobs,
    "videos": _videos,
    "profiles": _profiles,
    "setting-values": _setting_values,
}
