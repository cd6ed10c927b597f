"""The live part of TAB: models, what they can do, and jobs, read from the cache and the record on this disk.

`orvideo __complete KIND CURRENT WORD...` prints a line `value<TAB>description` for each candidate. KIND is a key of
`KINDS`, CURRENT the word being typed, the WORDs those before it on the line, without the program. It runs on every
TAB, so nothing is imported here that is not needed (no typing, no pathlib), and it never speaks to the network, never
creates or changes a file of its own, never complains: whatever is wrong, there is nothing to offer.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False  # typing's own would cost a third of an interpreter's start
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import Any, NoReturn

    Candidate = tuple[str, str]

#: More would be no help: the next letter narrows them down.
MOST_JOBS = 30
LONGEST_DESCRIPTION = 60
_LONGEST_VALUE = 200


def run(arguments: Sequence[str], environ: Mapping[str, str]) -> NoReturn:
    """Write the candidates for a line to stdout and leave the process at once, whatever happens, with exit code 0."""
    try:
        os.write(1, complete(arguments, environ).encode("utf-8", "replace"))
    except BaseException:
        # A message in the middle of a line that somebody is typing would be worse than none, a Ctrl-C included.
        os._exit(0)
    # Taking the interpreter down in order costs a fifth of what starting it does, and nothing here needs it.
    os._exit(0)


def complete(arguments: Sequence[str], environ: Mapping[str, str]) -> str:
    """Return the candidates as lines; raises whatever went wrong on the way to them."""
    kind, current, words = arguments[0], arguments[1] if len(arguments) > 1 else "", arguments[2:]
    lines = []
    for value, description in KINDS[kind](current, [_bare(word) for word in words], environ):
        if _is_one_word(value):
            lines.append(f"{value}\t{_one_line(description)}\n")
    return "".join(lines)


def _bare(word: str) -> str:
    """Return a word without a shell's quoting, as far as that matters: no id and no option needs any."""
    return word.replace("\\", "").replace('"', "").replace("'", "")


def _is_one_word(value: str) -> bool:
    """Say whether a text can stand on a command line: visible, in one piece, and nothing that hides or reorders."""
    return value.isprintable() and " " not in value and 0 < len(value) <= _LONGEST_VALUE and value[0] not in "-~"


def _one_line(text: str) -> str:
    """Return a text with nothing in it that a terminal obeys, cut to what a list has room for."""
    shown = "".join(one if one.isprintable() else " " for one in text[: 4 * LONGEST_DESCRIPTION])
    shown = " ".join(shown.split())
    return shown if len(shown) <= LONGEST_DESCRIPTION else shown[: LONGEST_DESCRIPTION - 1] + "…"


# --- models ----------------------------------------------------------------------------------------------------------


def _models(current: str, words: Sequence[str], environ: Mapping[str, str]) -> Iterator[Candidate]:
    for entry in _catalogue(words, environ):
        yield entry["id"], _text(entry.get("name"))


def _from_models(field: str) -> Callable[[str, Sequence[str], Mapping[str, str]], Iterable[Candidate]]:
    """Return what offers one field of the chosen model; without a model, of all, since any of them may be chosen."""

    def offered(current: str, words: Sequence[str], environ: Mapping[str, str]) -> Iterable[Candidate]:
        chosen = _chosen_model(words, environ)
        found: dict[str, list[str]] = {}
        for entry in _catalogue(words, environ):
            if chosen is not None and chosen.casefold() not in (
                entry["id"].casefold(),
                _text(entry.get("canonical_slug")).casefold(),
            ):
                continue
            values = entry.get(field)
            for value in values if isinstance(values, list) else ():
                if isinstance(value, str) or type(value) is int:
                    found.setdefault(str(value), []).append(entry["id"])
        return [(value, "" if chosen else _whose(found[value])) for value in sorted(found, key=_natural)]

    return offered


def _whose(models: Sequence[str]) -> str:
    return models[0] if len(models) == 1 else f"{len(models)} models"


def _natural(value: str) -> tuple[float, str]:
    """Sort 480p before 1080p, and 1080p before 2K."""
    digits = ""
    for letter in value:
        if not letter.isdecimal():
            break
        digits += letter
    return float(digits[:9] or 0) * (1000 if value[len(digits) :] in ("K", "k") else 1), value


def _chosen_model(words: Sequence[str], environ: Mapping[str, str]) -> str | None:
    """Return the model that the line names; else the one in the settings, which a list of models does not heed."""
    chosen = None
    for place, word in enumerate(words):
        if word == "--":
            break
        if word in ("-m", "--model"):
            chosen = words[place + 1] if place + 1 < len(words) else None
        elif word.startswith("--model="):
            chosen = word[len("--model=") :]
        elif word.startswith("-m"):
            chosen = word[2:]
    if chosen is None and words[:1] != ["models"]:
        return _setting("model", ("ORVIDEO_MODEL",), environ)
    return chosen


def _catalogue(words: Sequence[str], environ: Mapping[str, str]) -> list[dict[str, Any]]:
    from orvideo.catalogue.cache import entries, file_name

    folder = _folder("cache", ".cache", environ)
    return entries(folder + os.sep + file_name(_endpoint(words, environ)))


def _endpoint(words: Sequence[str], environ: Mapping[str, str]) -> str:
    """Return the name of the service that the line would talk to, as the cache knows it."""
    asked = _setting("sandbox", ("ORVIDEO_SANDBOX",), environ) or ""
    if "--sandbox" in words or asked.strip().lower() in ("1", "true", "yes", "on"):
        return "sandbox"
    said = _setting("base-url", ("ORVIDEO_BASE_URL", "OPENROUTER_BASE_URL"), environ)
    if said is None:
        return "https://openrouter.ai/api/v1"
    scheme, mark, rest = said.strip().rstrip("/").partition("://")
    host, slash, path = rest.partition("/")
    host = host.lower().removesuffix(":443" if scheme.lower() == "https" else ":80")
    return scheme.lower() + mark + host + slash + path


def _setting(name: str, variables: Sequence[str], environ: Mapping[str, str]) -> str | None:
    for variable in variables:
        if environ.get(variable, "").strip():
            return environ[variable]
    try:
        with open(_folder("config", ".config", environ) + os.sep + "config.toml", encoding="utf-8-sig") as file:
            text = file.read(1 << 20)
    except (OSError, ValueError):
        return None
    return _stored(text, name)


def _stored(text: str, name: str) -> str | None:
    """Return one entry of a config.toml; only a file with long strings in it is worth the time of a TOML reader."""
    if name not in text:
        return None
    if '"""' in text or "'''" in text:
        import tomllib

        value = tomllib.loads(text).get(name)
        return None if value is None else str(value)
    for line in text.splitlines():
        key, equals, value = (part.strip() for part in line.partition("="))
        if key.startswith("["):
            break
        if equals and key.strip("\"'") == name:
            return _scalar(value)
    return None


def _scalar(value: str) -> str:
    quote = value[:1]
    if quote in ("'", '"'):
        return value[1:].partition(quote)[0]
    return value.partition("#")[0].strip()


def _folder(kind: str, default: str, environ: Mapping[str, str]) -> str:
    """Return the folder that `settings.folders` has, without what asking it costs (a test says that both agree)."""
    import sys

    own = environ.get(f"ORVIDEO_{kind.upper()}_DIR", "").strip()
    if own:
        return _absolute(own)
    xdg = environ.get(f"XDG_{kind.upper()}_HOME", "")
    if sys.platform != "win32" and os.path.isabs(xdg):
        return os.path.join(xdg, "orvideo")
    if sys.platform in ("win32", "darwin"):
        from orvideo.settings import folders

        known = {"config": folders.CONFIG, "state": folders.STATE, "cache": folders.CACHE}
        return str(folders.locate(known[kind], environ))
    return os.path.join(_absolute(environ["HOME"]), default, "orvideo")


def _absolute(path: str) -> str:
    if not os.path.isabs(path):
        raise ValueError(path)
    return path


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


# --- jobs ------------------------------------------------------------------------------------------------------------

_STATE = "CASE WHEN state = 'not_sent' AND answer_status THEN 'refused' ELSE state END"
_SHOWN = f"{_STATE}, status, substr(prompt, 1, 240)"
NEWEST = f"SELECT coalesce(job_id, handle), {_SHOWN} FROM jobs ORDER BY seq DESC LIMIT ?"  # noqa: S608 - our own words
#: Two ranges of two indexes: an OR would read the whole table.
BY_PREFIX = (
    f"SELECT job_id, {_SHOWN} FROM jobs WHERE job_id >= ? AND job_id < ? UNION ALL "  # noqa: S608
    f"SELECT handle, {_SHOWN} FROM jobs WHERE handle >= ? AND handle < ? LIMIT ?"
)
_WORDS = {"prepared": "submitting", "sending": "submitting", "unknown": "outcome_unknown", "submitted": "pending"}


def _jobs(current: str, words: Sequence[str], environ: Mapping[str, str]) -> Iterable[Candidate]:
    """Offer jobs, newest first: @N for a word that begins with @, else the id, or the handle where there is none."""
    current = _bare(current)
    rows = _rows(current, environ)
    if not current.startswith("@"):
        return [(name, _about(*rest)) for name, *rest in rows]
    found = [(f"@{place}", _about(*rest)) for place, (_, *rest) in enumerate(rows, start=1)]
    return [*found, ("@last", found[0][1])] if found else []


def _about(state: str, status: str | None, prompt: str | None) -> str:
    return f"{status or _WORDS.get(state, state)}: {prompt or ''}"


def _rows(current: str, environ: Mapping[str, str]) -> list[tuple[Any, ...]]:
    """Ask the record one question that an index answers; the file is never made, changed or waited for."""
    import sqlite3

    path = os.path.join(_folder("state", ".local/state", environ), "jobs.db")
    if not os.path.isfile(path):
        return []
    # By hand: urllib would take a third of an interpreter's start.
    address = path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    connection = sqlite3.connect(f"file:{address}?mode=ro", uri=True, timeout=0.05)
    if current and not current.startswith("@"):
        after = current + "\U0010ffff"
        return connection.execute(BY_PREFIX, (current, after, current, after, MOST_JOBS)).fetchall()
    return connection.execute(NEWEST, (MOST_JOBS,)).fetchall()


# --- settings --------------------------------------------------------------------------------------------------------


def _setting_values(current: str, words: Sequence[str], environ: Mapping[str, str]) -> Iterable[Candidate]:
    """Offer values for the setting that the last word names."""
    name = words[-1] if words else ""
    if name in ("sandbox", "audio"):
        return [("yes", ""), ("no", "")]
    kind = {
        "model": "models",
        "duration": "durations",
        "resolution": "resolutions",
        "aspect-ratio": "aspect-ratios",
    }.get(name)
    return KINDS[kind](current, ["models"], environ) if kind else []


KINDS: dict[str, Callable[[str, Sequence[str], Mapping[str, str]], Iterable[Candidate]]] = {
    "models": _models,
    "durations": _from_models("supported_durations"),
    "resolutions": _from_models("supported_resolutions"),
    "aspect-ratios": _from_models("supported_aspect_ratios"),
    "sizes": _from_models("supported_sizes"),
    "jobs": _jobs,
    "setting-values": _setting_values,
}
