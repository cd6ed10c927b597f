"""`orvideo doctor`: looks at everything a job depends on, and says what to do about what is wrong."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from orvideo import __version__, shells
from orvideo.commands._action import Action
from orvideo.commands._key import KEYS_PAGE, left_text, problem_of
from orvideo.commands._options import Asking
from orvideo.errnos import reason
from orvideo.errors import (
    AuthError,
    MoneyError,
    NotFound,
    OrvideoError,
    OutputUnwritable,
    RecordError,
    Unavailable,
    UsageError,
    worst,
)
from orvideo.settings.definitions import API_KEY, Source
from orvideo.settings.warnings import shared_folder

if TYPE_CHECKING:
    from orvideo.context import Context
    from orvideo.settings.definitions import Setting

#: Less room than this is a reason to worry: a 4K clip takes some tens of megabytes, in bytes.
LITTLE_SPACE = 200 * 1024 * 1024


class Check(NamedTuple):
    """One thing that was looked at: what was found, and what to type where it is not as it should be.

    `trouble` is what keeps orvideo from buying, following or saving; without it, a `hint` is a warning.
    """

    name: str
    found: str
    trouble: OrvideoError | None = None
    hint: str | None = None

    @property
    def line(self) -> tuple[str, str]:
        mark = "PROBLEM: " if self.trouble is not None else "WARNING: " if self.hint is not None else ""
        return self.name, mark + self.found

    def as_json(self) -> dict[str, Any]:
        """Return the documented check object."""
        return {
            "name": self.name,
            "ok": self.trouble is None and self.hint is None,
            "detail": self.found,
            "hint": self.hint,
        }


class Look(NamedTuple):
    """How one thing is looked at: what its trouble is where that is no error of ours, and what usually mends it."""

    name: str
    find: Callable[[Context], str | Check]
    kind: type[OrvideoError]
    hint: str


def register(app: typer.Typer) -> None:
    @app.command(epilog="Example: orvideo doctor")
    def doctor(
        *,
        move_record_aside: Annotated[
            bool,
            typer.Option(
                "--move-record-aside", help="Move a record that cannot be used to a folder beside it, and stop."
            ),
        ] = False,
        answering: Asking,
    ) -> Action:
        """Check key, service, record, disk and versions. Say what to do."""
        return Action(run_move_aside if move_record_aside else run, answering)


def run_move_aside(context: Context) -> None:
    """Move the record to a folder of its own, without opening it; the answer is the folder."""
    from orvideo.context import RECORD
    from orvideo.record.file import move_aside

    path = context.settings.state_dir / RECORD
    folder, names = move_aside(path)
    check = Check("record", f"{path} was moved to {folder} ({', '.join(names)})")
    context.terminal.document([check.as_json()])
    context.terminal.answer(str(folder))
    context.terminal.note(
        f"moved {', '.join(names)}; the next command begins a new record, which knows of no job and no batch bought "
        "before: move the files back to have the old one again"
    )


def run(context: Context) -> None:
    """Look at everything, whatever the other looks found; the worst trouble decides the exit code (finding C05)."""
    checks = list(_checks(context))
    context.terminal.document([check.as_json() for check in checks])
    context.terminal.page(_lines(checks))
    names = {check.trouble.message: check.name for check in reversed(checks) if check.trouble is not None}
    if names:
        # The answer tells of all of them.
        decisive = worst([check.trouble for check in checks if check.trouble is not None])
        if len(names) > 1:
            first = f"The first to mend: {decisive.message}"
            decisive.message = f"{len(names)} things are wrong ({', '.join(sorted(set(names.values())))}). {first}"
        raise decisive


def _lines(checks: Sequence[Check]) -> Iterator[tuple[str, str]]:
    """Yield each finding for a person, and below it the command that mends it, each command once."""
    told: set[str] = set()
    for check in checks:
        yield check.line
        if check.hint is not None and check.hint not in told:
            told.add(check.hint)
            yield "", f"hint: {check.hint}"


def _checks(context: Context) -> Iterator[Check]:
    """Yield what was found; what one thing says again of another's trouble is only referred to."""
    told: dict[str, str] = {}
    yield _versions()
    system = Check("system", context.environment.platform)
    for check in (*_settings(context), system, *(_checked(context, look) for look in _LOOKS)):
        if check.trouble is not None and check.found in told:
            yield check._replace(found=f"not looked at, see {told[check.found]}")
            continue
        told[check.found] = check.name
        yield check


def _checked(context: Context, look: Look) -> Check:
    try:
        found = look.find(context)
    except OrvideoError as trouble:
        return _troubled(look, trouble)
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        return _troubled(look, look.kind(f"The {look.name} cannot be looked at: {place}{reason(error)}."))
    except Exception as bug:  # whatever it is: the other looks are wanted all the more
        return _troubled(look, look.kind(f"The {look.name} cannot be looked at ({type(bug).__name__}: {bug})."))
    return found if isinstance(found, Check) else Check(look.name, found)


def _troubled(look: Look, trouble: OrvideoError) -> Check:
    # The api's own hint leads here.
    if trouble.hint is None or "orvideo doctor" in trouble.hint:
        trouble.hint = _usual_hint(look, trouble)
    return Check(look.name, trouble.message, trouble, trouble.hint)


def _usual_hint(look: Look, trouble: OrvideoError) -> str:
    """Return what usually mends a look's trouble: another key is no help where the key is not what is wrong (A13)."""
    if isinstance(trouble, MoneyError):
        return f"look at it at {KEYS_PAGE}"
    refused = isinstance(trouble, AuthError) and (trouble.reply is None or trouble.reply.is_json)
    return _WHERE if look.kind is AuthError and not refused else look.hint


def _versions() -> Check:
    from importlib.metadata import PackageNotFoundError, version

    def of(package: str) -> str:
        try:
            return f"{package} {version(package)}"
        except PackageNotFoundError:
            return f"{package} missing"

    python = ".".join(map(str, sys.version_info[:3]))
    packages = ", ".join(of(package) for package in ("typer", "rich", "httpx", "pydantic"))
    return Check("versions", f"orvideo {__version__}, Python {python}, {packages}")


def _settings(context: Context) -> Iterator[Check]:
    """Yield where the settings are, a line for each that cannot be used, and for each that is not what was meant."""
    look = Look("settings", lambda context: str(context.settings.config_dir), UsageError, _FOLDER.format("CONFIG"))
    yield _checked(context, look)
    try:
        shared = shared_folder(context.settings.config_dir, context.environment.environ, context.environment.platform)
        broken = [setting for setting in context.settings.all() if setting.problem]
        warnings = context.settings.warnings()
    except OrvideoError as trouble:
        yield _troubled(look, trouble)
        return
    yield from (_troubled(look, _broken(setting)) for setting in broken)
    warnings = [*warnings, *([shared] if shared else [])]
    yield from (Check(look.name, warning.message, hint=warning.hint) for warning in warnings)


def _broken(setting: Setting) -> OrvideoError:
    """Return the trouble of a setting that cannot be read, with the command that takes it away."""
    problem = setting.problem or ""
    if setting.source is Source.ENVIRONMENT:
        return UsageError(problem, hint=shells.unset_variable(setting.location or ""))
    if setting.name == API_KEY:
        return AuthError(problem, hint=setting.hint or f"orvideo config set {API_KEY}")
    return UsageError(problem, hint=setting.hint)


def _record(context: Context) -> str:
    from orvideo.download.disk import try_folder
    from orvideo.output.text import count
    from orvideo.record.file import MOVE_ASIDE

    ledger = context.ledger_to_read
    faults = ledger.check()
    if faults:
        raise RecordError(f"{ledger.path} is damaged: {'; '.join(faults)}", hint=MOVE_ASIDE)
    ledger.require_writable()
    try_folder(ledger.path.parent, f".orvideo-{os.getpid()}.try")
    unknown = len(ledger.list(unknown=True))
    lost = f", {unknown} of them with an unknown outcome (orvideo jobs --unknown)" if unknown else ""
    # All of them are read: one that cannot be is found here.
    return f"{ledger.path}: {count(len(ledger.list()), 'job')}{lost}"


def _disk(context: Context) -> str | Check:
    from orvideo.download.disk import try_folder

    folder = context.settings.state_dir
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    try:
        here = Path.cwd()
    except OSError as error:
        raise OutputUnwritable(f"The current directory cannot be used: {reason(error)}.") from error
    free = min(shutil.disk_usage(folder).free, shutil.disk_usage(here).free)
    text = f"{free // 1024**2} MiB free for the record and for this directory"
    if free < LITTLE_SPACE:
        raise OutputUnwritable(
            f"Only {text}.", hint="make room before you submit: a video that cannot be saved is paid for"
        )
    try:
        try_folder(here, f".orvideo-{os.getpid()}.try")
    except OSError as error:
        return Check("disk", f"{text}; nothing can be saved in {here}: {reason(error)}", hint="cd ~")
    return text


def _sandbox(context: Context) -> str | Check:
    from orvideo.context import lacks_sandbox
    from orvideo.installers import line_for

    try:
        import av
        import falcon  # noqa: F401 - whether it is there is the question
    except ImportError as error:
        if lacks_sandbox(error):
            return f"not installed ({line_for('sandbox')})"
        return Check("sandbox", f"it cannot be loaded: {error}", hint=line_for("sandbox"))
    return f"installed, PyAV {av.__version__}"


def _key(context: Context) -> str | Check:
    service = context.service()
    name = "the sandbox's own"
    if (key := service.key) is not None:
        beaten = context.settings.get(API_KEY).beaten
        name = f"{key.masked} from {key.location}" + (f" (beats {', '.join(beaten)})" if beaten else "")
    try:
        info = service.client.key()
    except NotFound as error:
        # A gateway may do without this call; whether the API is there at all is the next look.
        return Check(
            "key", f"{name}: the service does not tell of it", hint=error.hint or "orvideo config get base-url"
        )
    problem = problem_of(info, context.clock.now(), service.client.key_hint)
    if problem is not None:
        problem.message = f"{name}: {problem.message}"
        raise problem
    return f"{name}: accepted, {left_text(info)}"


def _service(context: Context) -> str:
    service = context.service(needs_key=False)
    listed = service.client.models()
    return f"{service.endpoint}: {len(listed.raw)} models"


_WHERE = "see where orvideo looks for it: orvideo config list"
_FOLDER = "keep it elsewhere: " + shells.set_variable("ORVIDEO_{}_DIR", shells.a_folder())


_LOOKS = (
    Look("record", _record, RecordError, _FOLDER.format("STATE")),
    Look("disk", _disk, OutputUnwritable, "cd ~"),
    Look("sandbox", _sandbox, UsageError, "orvideo --version -v"),
    Look("key", _key, AuthError, "orvideo config set api-key"),
    Look("service", _service, Unavailable, _WHERE),
)
