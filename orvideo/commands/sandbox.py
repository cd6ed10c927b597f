"""`orvideo sandbox`: the stand-in for the service, in the foreground, for any client."""

from __future__ import annotations

import signal
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, NamedTuple

import typer

from orvideo import shells
from orvideo.commands._action import Action
from orvideo.commands._options import Local
from orvideo.context import Context, sandbox_errors
from orvideo.errnos import reason
from orvideo.errors import UsageError
from orvideo.files import expand_user
from orvideo.interrupts import Interrupted
from orvideo.settings.definitions import DEFAULT_BASE_URL

#: Less would not hold the jobs, and the pictures given with them, of one afternoon.
_LEAST_KEPT = 64 * 1024**2


class Rehearsal(NamedTuple):
    """A sandbox line, parsed."""

    port: Annotated[
        int, typer.Option(metavar="N", min=0, max=65535, help="The port on 127.0.0.1; 0 takes a free one.")
    ] = 8787
    speed: Annotated[
        float | None, typer.Option(metavar="N", help="Time passes N times as fast as at the service. Default 10.")
    ] = None
    fault: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Misbehave, repeatable; see --list-faults.")
    ] = None
    models: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Offer the models of FILE, any answer of GET /videos/models."),
    ] = None
    keep: Annotated[
        str | None,
        typer.Option(metavar="SIZE", help="Leave at most this on disk; the oldest films go first. Default 2GiB."),
    ] = None
    webhook_secret: Annotated[
        str | None,
        typer.Option(
            metavar="SECRET",
            help="Sign callbacks with it. On a shared machine give it in ORVIDEO_WEBHOOK_SECRET: ps shows options.",
        ),
    ] = None
    list_faults: Annotated[bool, typer.Option("--list-faults", help="Show the faults and stop.")] = False


def register(app: typer.Typer) -> None:
    @app.command(epilog="Example: orvideo sandbox --port 8787 --speed 20 --fault poll-500:0.1")
    def sandbox(*, asked: Rehearsal, answering: Local) -> Action:
        """Serve the whole video API on this machine. Free, offline, with real films."""
        if asked.list_faults:
            return Action(show_faults, answering)
        return Action(lambda context: run(context, asked), answering)


def run(context: Context, asked: Rehearsal) -> None:
    """Serve until a signal ends it, and say how any client is pointed at it."""
    server = _server()
    offer = _offer(server, asked.models)
    pace = context.settings.sandbox_speed if asked.speed is None else asked.speed
    most = server.KEEP if asked.keep is None else _bytes_to_keep(asked.keep)
    try:
        sandbox = server.Sandbox(
            context.settings.state_dir / "sandbox",
            port=asked.port,
            speed=pace,
            faults=asked.fault or [],
            keep=most,
            on_request=_teller(context),
            on_note=context.terminal.note,
            offer=offer,
            webhook_secret=asked.webhook_secret or context.settings.webhook_secret,
        )
    except ValueError as error:
        raise UsageError(str(error), hint="orvideo sandbox --list-faults") from error
    try:
        sandbox.start()
    except OSError as error:
        told = f"Port {asked.port} on 127.0.0.1 cannot be used: {error.strerror or error}."
        raise UsageError(told, hint="orvideo sandbox --port 0") from error
    try:
        _tell(context, sandbox.base_url, server.KEY, pace)
        sandbox.serve_forever()
    except Interrupted as stopped:
        # Ctrl-C is how it is ended: nothing went wrong.
        if stopped.signum != signal.SIGINT:
            raise


def _offer(server: ModuleType, path: Path | None) -> Any:
    """Return the models of a file, None for those that come with the sandbox. Raises UsageError."""
    if path is None:
        return None
    hint = f"curl -fsS {DEFAULT_BASE_URL}/videos/models -o models.json"
    try:
        return server.Offer.read(Path(expand_user(str(path))))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {reason(error)}.", hint=hint) from error
    except ValueError as error:
        raise UsageError(f"{error}; --models takes an answer of GET /videos/models.", hint=hint) from error


def _bytes_to_keep(text: str) -> int:
    """Return the size that `--keep` stands for. Raises UsageError."""
    from orvideo.settings.values import InvalidValue, format_size, parse_size

    try:
        size = parse_size(text)
    except InvalidValue:
        raise UsageError(f"--keep {text!r} is not a size, such as 2GiB.", hint="orvideo sandbox --keep 2GiB") from None
    if size < _LEAST_KEPT:
        told = f"--keep {text} is too little: jobs would go with the films. At least {format_size(_LEAST_KEPT)}."
        raise UsageError(told, hint=f"orvideo sandbox --keep {format_size(_LEAST_KEPT)}")
    return size


def _tell(context: Context, base_url: str, key: str, pace: float) -> None:
    context.terminal.document({"base_url": base_url, "key": key, "speed": pace})
    context.terminal.answer(base_url)
    context.terminal.note(
        f"The sandbox is up; time passes {pace:g} times as fast. Ctrl-C ends it. Point a client at it:"
    )
    for line in shells.set_variables({"ORVIDEO_BASE_URL": base_url, "OPENROUTER_API_KEY": key}):
        context.terminal.note(f"  {line}")


def show_faults(context: Context) -> None:
    """List what `--fault` takes."""
    from orvideo.output.tables import Column

    faults = _server().FAULTS
    rows = [[fault.usage(name), fault.description] for name, fault in faults.items()]
    context.terminal.document([{"fault": usage, "does": does} for usage, does in rows])
    context.terminal.table([Column("FAULT"), Column("WHAT IT DOES", flexible=True)], rows)


def _server() -> ModuleType:
    """Return the sandbox's module. Raises UsageError where it cannot be loaded."""
    with sandbox_errors():
        return import_module("orvideo.sandbox.server")


def _teller(context: Context) -> Callable[[str, str, int], None]:
    """Show a line for each request, as a server in the foreground does."""
    return lambda method, path, status: context.terminal.note(f"{method} {path} {status}")
