"""`orvideo sandbox`: the stand-in for the service, in the foreground, for any client."""

from __future__ import annotations

import signal
from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Annotated

import typer

from orvideo import shells
from orvideo.commands._action import Action
from orvideo.commands._options import Local
from orvideo.context import Context, sandbox_errors
from orvideo.errors import UsageError
from orvideo.interrupts import Interrupted

#: Less would not hold the jobs, and the pictures given with them, of one afternoon.
_LEAST_KEPT = 64 * 1024**2


def register(app: typer.Typer) -> None:
    @app.command(epilog="Example: orvideo sandbox --port 8787 --speed 20 --fault poll-500:0.1")
    def sandbox(
        *,
        port: Annotated[
            int, typer.Option(metavar="N", min=0, max=65535, help="The port on 127.0.0.1; 0 takes a free one.")
        ] = 8787,
        speed: Annotated[
            float | None, typer.Option(metavar="N", help="Time passes N times as fast as at the service. Default 10.")
        ] = None,
        fault: Annotated[
            list[str] | None, typer.Option(metavar="NAME", help="Misbehave, repeatable; see --list-faults.")
        ] = None,
        keep: Annotated[
            str | None,
            typer.Option(metavar="SIZE", help="Leave at most this on disk; the oldest films go first. Default 2GiB."),
        ] = None,
        list_faults: Annotated[bool, typer.Option("--list-faults", help="Show the faults and stop.")] = False,
        answering: Local,
    ) -> Action:
        """Serve the whole video API on this machine: free, offline, with real films."""

        def run_it(context: Context) -> None:
            if list_faults:
                show_faults(context)
            else:
                run(context, port=port, speed=speed, faults=fault or [], keep=keep)

        return Action(run_it, answering)


def run(context: Context, *, port: int, speed: float | None, faults: list[str], keep: str | None = None) -> None:
    """Serve until a signal ends it, and say how any client is pointed at it."""
    server = _server()
    pace = context.settings.sandbox_speed if speed is None else speed
    most = server.KEEP if keep is None else _bytes_to_keep(keep)
    try:
        sandbox = server.Sandbox(
            context.settings.state_dir / "sandbox",
            port=port,
            speed=pace,
            faults=faults,
            keep=most,
            on_request=_teller(context),
            on_note=context.terminal.note,
        )
    except ValueError as error:
        raise UsageError(str(error), hint="orvideo sandbox --list-faults") from error
    try:
        sandbox.start()
    except OSError as error:
        raise UsageError(
            f"Port {port} on 127.0.0.1 cannot be used: {error.strerror or error}.", hint="orvideo sandbox --port 0"
        ) from error
    try:
        _tell(context, sandbox.base_url, server.KEY, pace)
        sandbox.serve_forever()
    except Interrupted as stopped:
        # Ctrl-C is how it is ended: nothing went wrong.
        if stopped.signum != signal.SIGINT:
            raise


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
