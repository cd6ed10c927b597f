"""`orvideo doctor`: looks at everything a job depends on, and says what to do about what is wrong."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import typer

from orvideo import __version__
from orvideo.commands._action import Action, Answering
from orvideo.commands._options import Json, Quiet, UseSandbox, Verbose
from orvideo.errors import OrvideoError, OutputUnwritable, RecordError, UsageError

if TYPE_CHECKING:
    from orvideo.context import Context

#: Less room than this is a reason to worry: a 4K clip takes some tens of megabytes, in bytes.
LITTLE_SPACE = 200 * 1024 * 1024


class Check(NamedTuple):
    """One thing that was looked at: what was found, or what is wrong and what to type next."""

    name: str
    found: str
    trouble: OrvideoError | None = None

    @property
    def is_ok(self) -> bool:
        return self.trouble is None

    def as_json(self) -> dict[str, Any]:
        """Return the documented check object."""
        return {
            "name": self.name,
            "ok": self.is_ok,
            "detail": self.found,
            "hint": self.trouble.hint if self.trouble else None,
        }


def register(app: typer.Typer) -> None:
    @app.command(epilog="Example: orvideo doctor")
    def doctor(
        json: Json = False, quiet: Quiet = False, verbose: Verbose = False, sandbox: UseSandbox = False
    ) -> Action:
        """Check the key, the service, the record, the disk and the versions; say what to do."""
        return Action(run, Answering(json=json, quiet=quiet, verbose=verbose, sandbox=sandbox))


def run(context: Context) -> None:
    """Run every check, whatever the others found; the worst trouble decides the exit code."""
    checks = list(_all(context))
    context.terminal.document([check.as_json() for check in checks])
    context.terminal.page((check.name, check.found if check.is_ok else f"PROBLEM: {check.found}") for check in checks)
    context.ending.fail([check.trouble for check in checks if check.trouble is not None])


def _all(context: Context) -> Iterator[Check]:
    yield _versions()
    yield _checked("settings", lambda: _settings(context))
    yield _checked("record", lambda: _record(context))
    yield _checked("disk", lambda: _disk(context))
    yield _checked("sandbox", _sandbox)
    yield _checked("key", lambda: _key(context))
    yield _checked("service", lambda: _service(context))


def _checked(name: str, look: Callable[[], str]) -> Check:
    try:
        return Check(name, look())
    except OrvideoError as trouble:
        return Check(name, trouble.message, trouble)


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


def _settings(context: Context) -> str:
    troubles = [setting for setting in context.settings.explain() if setting.problem]
    if troubles:
        raise UsageError(" ".join(setting.problem or "" for setting in troubles), hint="orvideo config list")
    return str(context.settings.config_dir)


def _record(context: Context) -> str:
    from orvideo.output.text import count

    ledger = context.ledger_to_read
    faults = ledger.check()
    if faults:
        raise RecordError(f"{ledger.path} is damaged: {'; '.join(faults)}")
    unknown = len(ledger.list(unknown=True))
    lost = f", {unknown} of them with an unknown outcome (orvideo jobs --unknown)" if unknown else ""
    return f"{ledger.path}: {count(ledger.count(), 'job')}{lost}"


def _disk(context: Context) -> str:
    folder = context.settings.state_dir
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    try:
        free = min(shutil.disk_usage(folder).free, shutil.disk_usage(Path.cwd()).free)
    except OSError as error:
        raise OutputUnwritable(
            f"The current directory cannot be used: {error.strerror}.", hint="cd elsewhere"
        ) from error
    text = f"{free // 1024**2} MiB free for the record and for this directory"
    if free < LITTLE_SPACE:
        raise OutputUnwritable(
            f"Only {text}.", hint="make room before you submit: a video that cannot be saved is paid for"
        )
    return text


def _sandbox() -> str:
    try:
        import av
        import falcon  # noqa: F401 - whether it is there is the question
    except ImportError:
        return "not installed (pip install 'orvideo[sandbox]')"
    return f"installed, PyAV {av.__version__}"


def _key(context: Context) -> str:
    from orvideo.money import money_text

    service = context.service()
    info = service.client.key()
    left = "no limit" if info.limit_remaining is None else f"{money_text(info.limit_remaining)} left"
    if service.is_sandbox:
        return f"the sandbox's own: accepted, {left}"
    key = context.settings.api_key(service.base_url)
    return f"{key.masked} from {key.where}: accepted, {left}"


def _service(context: Context) -> str:
    service = context.service(needs_key=False)
    listed = service.client.models()
    return f"{service.endpoint}: {len(listed.raw)} models"
