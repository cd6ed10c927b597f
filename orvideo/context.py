"""What a command is handed: settings, terminal, record and service, each built when it is first asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from orvideo import system
from orvideo.deadline import Deadline
from orvideo.ending import Ending
from orvideo.environment import CommonOptions, Environment
from orvideo.errnos import reason
from orvideo.errors import OutputUnwritable, RecordError, UsageError
from orvideo.interrupts import Interrupts
from orvideo.shells import a_folder, set_variable

if TYPE_CHECKING:
    from decimal import Decimal
    from pathlib import Path

    from orvideo.api.client import Call, Client
    from orvideo.catalogue.listing import Catalogue
    from orvideo.clock import Clock
    from orvideo.jobs.fetch import Fetcher
    from orvideo.output.job_listener import JobListener
    from orvideo.output.terminal import Terminal
    from orvideo.record.journal import Journal
    from orvideo.record.ledger import Ledger
    from orvideo.record.values import Place, Record, Typical
    from orvideo.request.planner import Planner
    from orvideo.settings.keys import ApiKey
    from orvideo.settings.resolving import Settings

#: The endpoint that the record holds for jobs of the built-in sandbox; its port is another one each time.
SANDBOX = "sandbox"
#: The record, in the folder of the state.
RECORD = "jobs.db"
#: What the sandbox's extra brings.
_OF_THE_SANDBOX = ("av", "falcon", "waitress", "PIL")


def lacks_sandbox(error: ImportError) -> bool:
    """Return whether an import failed since a library of the sandbox's extra is not installed (finding W28)."""
    return isinstance(error, ModuleNotFoundError) and (error.name or "").partition(".")[0] in _OF_THE_SANDBOX


@contextmanager
def sandbox_errors() -> Iterator[None]:
    """Raise UsageError where the sandbox cannot be imported: not installed is only what lacks a library of its own."""
    try:
        yield
    except ImportError as error:
        if lacks_sandbox(error):
            from orvideo.installers import line_for

            told = f"The sandbox is not installed: {(error.name or '').partition('.')[0]} is missing."
            raise UsageError(told, hint=line_for("sandbox")) from error
        raise UsageError(f"The sandbox cannot be loaded: {str(error).rstrip('.')}.") from error


class Service:
    """One place where jobs live: the name and the profile that the record remembers, and clients for it.

    `base_url` is where it is reached in this process; for the sandbox that is a free port on loopback.
    """

    def __init__(self, place: Place, base_url: str, connect: Callable[[], Client], key: ApiKey | None = None) -> None:
        self.endpoint, self.profile = place
        #: The person's key that is used here; None for the sandbox, and where none is needed.
        self.key = key
        self.base_url = base_url
        #: Makes a client of its own, for a thread of its own; whoever calls it closes it.
        self.connect = connect

    @cached_property
    def client(self) -> Client:
        """The client of the main thread."""
        return self.connect()

    @property
    def is_sandbox(self) -> bool:
        return self.endpoint == SANDBOX

    def close(self) -> None:
        if "client" in self.__dict__:
            self.client.close()


class Context:
    """The dependencies of one command: each is built once, when it is first asked for, and closed at the end."""

    def __init__(self, environment: Environment, answering: CommonOptions, interrupts: Interrupts) -> None:
        self.environment = environment
        self.answering = answering
        self.interrupts = interrupts
        #: When the command has to be at its end, where the line says so (`--timeout`).
        self.deadline = Deadline(environment.clock)
        self._services: dict[tuple[Place, bool], Service] = {}
        self._catalogues: dict[str, Catalogue] = {}
        self._closing = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.close()

    @property
    def clock(self) -> Clock:
        return self.environment.clock

    @cached_property
    def terminal(self) -> Terminal:
        from orvideo.output.terminal import Terminal

        return Terminal(self.environment, self.answering)

    @cached_property
    def settings(self) -> Settings:
        from orvideo.settings.resolving import Settings

        settings = Settings(self.environment.environ, profile=self.answering.profile)
        # Signals may raise nothing while a run asks for another profile's key.
        settings.memory.is_stopped = lambda: self.interrupts.pending is not None
        return settings

    @cached_property
    def ledger(self) -> Ledger:
        """The record, to be written to: a command that spends money and cannot write it does not begin (drill J04)."""
        try:
            if "ledger_to_read" not in self.__dict__:
                self.__dict__["ledger_to_read"] = self._open_ledger(must_write=True)
            self.ledger_to_read.require_writable()
        except RecordError as error:
            error.say_nothing_was_sent()
            raise
        return self.ledger_to_read

    @cached_property
    def ledger_to_read(self) -> Ledger:
        """The record for all that does not spend: a full disk must not hide, or keep here, what was paid for (C02)."""
        return self._open_ledger(must_write=False)

    def _open_ledger(self, *, must_write: bool) -> Ledger:
        from orvideo.jobs.recovery import recover_ids
        from orvideo.record.ledger import Ledger

        ledger = Ledger(self.settings.state_dir / RECORD, clock=self.clock, must_write=must_write)
        self._closing.callback(ledger.close)
        for warning in ledger.warnings:
            self.terminal.warn(warning)
        for record in recover_ids(ledger):
            self.terminal.note(f"{record.handle} was accepted as {record.name}: its answer had been kept")
        return ledger

    @cached_property
    def journal(self) -> Journal:
        """What is written on record after the purchase: kept trying, and never in the way of the video."""
        from orvideo.record.journal import Journal

        return Journal(self.ledger_to_read, lambda error: self.terminal.warn(error.message))

    @cached_property
    def listener(self) -> JobListener:
        """Who tells a person, or a machine, what happens to the jobs of this command."""
        from orvideo.output.job_listener import JobListener

        listener = JobListener(self.terminal, self.clock, typical_seconds=self._usual_seconds)
        self._closing.callback(listener.close)
        return listener

    @cached_property
    def ending(self) -> Ending:
        """Who tells how the command ended, and what that means for the money."""
        return Ending(self.terminal)

    def catalogue(self, service: Service, *, refresh: bool = False, deadline: Deadline | None = None) -> Catalogue:
        """Return what the models of a service can do and cost, from the cache while it is fresh; read once."""
        from orvideo.catalogue.cache import file_name
        from orvideo.catalogue.listing import load
        from orvideo.output.text import count

        if service.endpoint in self._catalogues and not refresh:
            return self._catalogues[service.endpoint]
        folder = self._cache_dir()
        path = folder / file_name(service.endpoint) if folder is not None else None
        # The sandbox is asked each time: it is at hand, and what it offers changes with the version that is installed.
        max_age = 0.0 if service.is_sandbox else 3600.0

        def fetch() -> list[dict[str, Any]]:
            listed = service.client.models(deadline=deadline or self.deadline)
            if listed.skipped:
                entries = count(listed.skipped, "entry", "entries")
                self.terminal.warn(f"{entries} of the model list cannot be understood and were left out.")
            return listed.raw

        catalogue = load(path, fetch, clock=self.clock, max_age=max_age, refresh=refresh)
        if catalogue.note:
            self.terminal.warn(catalogue.note)
        self._catalogues[service.endpoint] = catalogue
        return catalogue

    def _cache_dir(self) -> Path | None:
        """Return where the catalogue is kept, None where there is no place: it is then asked for each time."""
        with suppress(RecordError):
            return self.settings.cache_dir
        return None

    def fetcher(
        self,
        spec: str | None,
        *,
        force: bool = False,
        always: bool = False,
        names_relative: bool = False,
        max_size: str | None = None,
    ) -> Fetcher:
        """Return where the videos of this command go: `spec` is its -o, else each job's own place, else the setting."""
        from orvideo.api.client import Limits
        from orvideo.download.targets import takes_stdout
        from orvideo.jobs.fetch import Fetcher, OutputOptions

        if takes_stdout(spec if spec is not None else self.settings.output):
            self.warn_of_piped_bytes()
        options = OutputOptions(
            spec,
            default_spec=self.settings.output,
            default_source=self.settings.get("output").location,
            answers_with_document=self.answering.json or self.answering.events,
            save_always=always,
            force=force,
            names_relative=names_relative,
            max_bytes=self.settings.with_flags({"max-size": max_size}).max_bytes,
            stdout_is_tty=self.terminal.out_is_tty,
            stdout=self.terminal.binary_stdout,
            settle_seconds=(self.environment.limits or Limits()).settle_seconds,
            sandbox_speed=self.settings.sandbox_speed,
        )
        return Fetcher(self.ledger_to_read, self.journal, self.clock, options)

    def warn_of_piped_bytes(self, what: str = "a video") -> None:
        """Say before anything is bought that a pipe breaks videos; one that was fetched can be fetched again (PS9)."""
        if not self.terminal.out_is_tty and system.changes_piped_bytes():
            self.terminal.warn(
                f"Windows PowerShell reads what comes through | and > as text, and breaks {what}: name a file with -o."
            )

    def connect(self, place: Place) -> Callable[[], Client]:
        """Return what makes a client for the place that a job lives at, one for each thread; raises as `service`."""
        return self.service(place).connect

    def typical(self, request: Mapping[str, Any], endpoint: str) -> Typical:
        """Return what such requests really cost and took at an endpoint (finding A05).

        Nothing, where the record cannot be read: that is reported when it is needed.
        """
        from orvideo.record.values import Typical, shape_of

        with suppress(RecordError):
            return self.ledger_to_read.typical(shape_of(request), endpoint)
        return Typical()

    def dearest_bill(self, request: Mapping[str, Any], endpoint: str) -> Decimal | None:
        """Return the most that such a request was billed at an endpoint, USD; None where the record does not tell."""
        from orvideo.record.values import shape_of

        with suppress(RecordError):
            return self.ledger_to_read.dearest(shape_of(request), endpoint)
        return None

    def planner(self, service: Service, *, check: bool) -> Planner:
        """Return what makes plans for a service, by its catalogue and by what such jobs were billed before."""
        from orvideo.request.planner import Planner

        return Planner(
            service.client, self.catalogue(service), self.terminal.warn, check=check,
            dearest_bill=lambda request: self.dearest_bill(request, service.endpoint), deadline=self.deadline,
        )  # fmt: skip

    def _usual_seconds(self, record: Record) -> float | None:
        return self.typical(record.request, record.endpoint).seconds

    @property
    def endpoint(self) -> str:
        """The name of the service that this command line talks to when no job says otherwise."""
        return SANDBOX if self.answering.sandbox or self.settings.sandbox else self.settings.base_url

    def service(self, place: Place | None = None, *, needs_key: bool = True) -> Service:
        """Return the service of a place (by default that of this command line and its profile), reached once.

        Raises AuthError without a key, Unsafe where a stored key belongs to another origin, UsageError where the
        sandbox is not installed.
        """
        from orvideo.record.values import Place

        place = place or Place(self.endpoint, self.settings.profile)
        # The sandbox is one, whoever asks it.
        known = (place, needs_key) if place.endpoint != SANDBOX else (Place(SANDBOX), False)
        if known not in self._services:
            self._services[known] = self._reach(place, needs_key)
        return self._services[known]

    def new_client(self, base_url: str, key: ApiKey | str | None) -> Client:
        """Return a client that tells its calls under -v; whoever asks for it closes it."""
        from orvideo.api.client import AppHeaders, Client, Limits
        from orvideo.api.refusals import KeySource

        settings = self.settings
        app = AppHeaders(settings.referer, settings.title, settings.categories)
        on_call = self._tell_call if self.answering.verbose else None
        limits = self.environment.limits or Limits()
        named = settings.base_url == base_url
        text, source = (
            (key, None) if key is None or isinstance(key, str) else (key.reveal(), KeySource(key.location, key.mend))
        )
        return Client(
            base_url, text, app=app, limits=limits, clock=self.clock, on_call=on_call, key_source=source,
            base_variable=settings.overriding_variable("base-url") if named else None,
        )  # fmt: skip

    def _reach(self, place: Place, needs_key: bool) -> Service:
        base_url, own, of_sandbox = place.endpoint, None, None
        if place.endpoint == SANDBOX:
            base_url, of_sandbox = self._start_sandbox()
        elif needs_key:
            own = self.settings.key_of(place.profile, base_url)
        service = Service(place, base_url, lambda: self.new_client(base_url, own or of_sandbox), own)
        self._closing.callback(service.close)
        return service

    def _start_sandbox(self) -> tuple[str, str]:
        with sandbox_errors():
            from orvideo.sandbox.server import KEY, Sandbox
        home = self.settings.state_dir / "sandbox"
        try:
            sandbox = Sandbox(
                home,
                speed=self.settings.sandbox_speed,
                on_note=self.terminal.verbose_line,
                webhook_secret=self.settings.webhook_secret,
            )
        except OSError as error:
            told = f"The sandbox has no place for its films: {home}: {reason(error)}."
            raise OutputUnwritable(told, hint=set_variable("ORVIDEO_STATE_DIR", a_folder())) from error
        sandbox.start()
        self._closing.callback(sandbox.stop)
        return sandbox.base_url, KEY

    def _tell_call(self, call: Call) -> None:
        status = call.status if call.status is not None else "no answer"
        self.terminal.verbose_line(f"{call.method} {call.url} -> {status} in {call.seconds:.2f} s, {call.bytes} bytes")
