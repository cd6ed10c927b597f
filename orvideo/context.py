"""What a command is handed: settings, terminal, record and service, each built when it is first asked for."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from orvideo.commands._action import Answering
from orvideo.environment import Environment
from orvideo.errors import BadReply, JobEnded, OrvideoError, Stopped, UsageError
from orvideo.interrupts import Interrupts

if TYPE_CHECKING:
    from orvideo.api.client import Call, Client
    from orvideo.catalogue.listing import Catalogue
    from orvideo.clock import Clock
    from orvideo.errors import Charged
    from orvideo.jobs.fetch import Saving
    from orvideo.jobs.follow import Lifecycle
    from orvideo.output.story import JobStory
    from orvideo.output.terminal import Terminal
    from orvideo.record.ledger import Ledger
    from orvideo.record.values import Record
    from orvideo.settings import Settings

#: The endpoint that the record holds for jobs of the built-in sandbox; its port is another one each time.
SANDBOX = "sandbox"


class Service:
    """One place where jobs live: the name that the record remembers, and clients for it.

    `base_url` is where it is reached in this process; for the sandbox that is a free port on loopback.
    """

    def __init__(self, endpoint: str, base_url: str, connect: Callable[[], Client]) -> None:
        self.endpoint = endpoint
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
    """The dependencies of one command, late and once; closes what it opened."""

    def __init__(self, environment: Environment, answering: Answering, interrupts: Interrupts) -> None:
        self.environment = environment
        self.answering = answering
        self.interrupts = interrupts
        #: The jobs this command has in hand: what a message that ends it early must name.
        self.in_hand: list[str] = []
        #: The command that goes on with them.
        self.goes_on_with = "orvideo wait"
        #: The job whose end is being told of: it goes on nowhere, whatever a signal cuts short.
        self.at_end: list[str] = []
        #: The submits this command has begun, by their numbers in the record: what a signal may cut short.
        self.submits: list[int] = []
        self._services: dict[str, Service] = {}
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

        answering = self.answering
        return Terminal(
            self.environment.stdout,
            self.environment.stderr,
            self.environment.stdin,
            self.environment.environ,
            quiet=answering.quiet,
            verbose=int(answering.verbose),
            json=answering.json,
            events=answering.events,
            clock=self.clock,
        )

    @cached_property
    def settings(self) -> Settings:
        from orvideo.settings import Settings

        return Settings(self.environment.environ)

    @cached_property
    def ledger(self) -> Ledger:
        """The record, to be written to: a command that cannot write it does not begin."""
        return self._open_ledger(must_write=True)

    @cached_property
    def ledger_to_read(self) -> Ledger:
        """The record for commands that only show it: a full disk must not hide what was paid for."""
        return self._open_ledger(must_write=False)

    def _open_ledger(self, *, must_write: bool) -> Ledger:
        from orvideo.jobs.recovery import recover
        from orvideo.record.ledger import Ledger

        ledger = Ledger(self.settings.state_dir / "jobs.db", clock=self.clock, must_write=must_write)
        self._closing.callback(ledger.close)
        for warning in ledger.warnings:
            self.terminal.warn(warning)
        for record in recover(ledger):
            self.terminal.note(f"{record.handle} was accepted as {record.name}: its answer had been kept")
        return ledger

    @cached_property
    def story(self) -> JobStory:
        """Who tells a person, or a machine, what happens to the jobs of this command."""
        from orvideo.output.story import JobStory

        story = JobStory(self.terminal, self.clock, usual_seconds=self._usual_seconds)
        self._closing.callback(story.close)
        return story

    @cached_property
    def lifecycle(self) -> Lifecycle:
        from orvideo.jobs.follow import Lifecycle

        return Lifecycle(self, self.ledger, self.story, self.clock)

    def catalogue(self, service: Service, *, refresh: bool = False) -> Catalogue:
        """Return what the models of a service can do and cost, from the cache while it is fresh."""
        from orvideo.catalogue.cache import file_name
        from orvideo.catalogue.listing import load
        from orvideo.output.text import count

        path = self.settings.cache_dir / file_name(service.endpoint)
        # The sandbox is asked each time: it is at hand, and what it offers changes with the version that is installed.
        max_age = 0.0 if service.is_sandbox else 3600.0

        def fetch() -> list[dict[str, Any]]:
            listed = service.client.models()
            if listed.skipped:
                entries = count(listed.skipped, "entry", "entries")
                self.terminal.warn(f"{entries} of the model list cannot be understood and were left out.")
            return listed.raw

        catalogue = load(path, fetch, clock=self.clock, max_age=max_age, refresh=refresh)
        if catalogue.note:
            self.terminal.warn(catalogue.note)
        return catalogue

    def saving(
        self,
        spec: str | None,
        *,
        force: bool = False,
        always: bool = False,
        timeout: float | None = None,
        receipt: bool = False,
    ) -> Saving:
        """Return where the videos of this command go: `spec` is its -o, else each job's own place, else the setting."""
        from orvideo.download.targets import takes_stdout
        from orvideo.jobs.fetch import Saving

        usual = self.settings.output
        wished = spec if spec is not None else usual
        if takes_stdout(wished) and (self.answering.json or self.answering.events):
            raise UsageError(
                f"-o {wished} gives stdout to the video, and --json or --events to a document.",
                hint="name a file with -o",
            )
        return Saving(
            self,
            self.ledger,
            self.story,
            self.clock,
            spec,
            self.terminal.out_is_tty,
            self.terminal.binary_stdout,
            force=force,
            always=always,
            timeout=timeout,
            receipt=receipt,
            usual=usual,
        )

    def client(self, endpoint: str) -> Client:
        """Return the main thread's client for the service that a job lives at."""
        return self.service(endpoint).client

    def fresh(self, endpoint: str) -> Client:
        """Return a client for a thread of its own, which closes it."""
        return self.service(endpoint).connect()

    def _usual_seconds(self, record: Record) -> float | None:
        from orvideo.record.values import shape_of

        endpoint = SANDBOX if record.endpoint == SANDBOX else None
        return self.ledger.typical(shape_of(record.request), endpoint=endpoint).seconds

    @property
    def endpoint(self) -> str:
        """The name of the service that this command line talks to when no job says otherwise."""
        return SANDBOX if self.answering.sandbox or self.settings.sandbox else self.settings.base_url

    def service(self, endpoint: str | None = None, *, needs_key: bool = True) -> Service:
        """Return the service that `endpoint` names (by default the one of this command line), reached once.

        Raises AuthError without a key, Unsafe where a stored key belongs to another origin, UsageError where the
        sandbox is not installed.
        """
        name = endpoint or self.endpoint
        cache_key = f"{name} {needs_key and name != SANDBOX}"
        if cache_key not in self._services:
            self._services[cache_key] = self._reach(name, needs_key)
        return self._services[cache_key]

    def new_client(self, base_url: str, key: str | None, *, key_source: str | None = None) -> Client:
        """Return a client that tells its calls under -v; whoever asks for it closes it."""
        from orvideo.api.client import AppHeaders, Client, Limits

        settings = self.settings
        app = AppHeaders(settings.referer, settings.title, settings.categories)
        on_call = self._tell_call if self.answering.verbose else None
        limits = self.environment.limits or Limits()
        return Client(base_url, key, app=app, limits=limits, clock=self.clock, on_call=on_call, key_source=key_source)

    def _reach(self, name: str, needs_key: bool) -> Service:
        base_url, key, source = name, None, None
        if name == SANDBOX:
            base_url, key = self._start_sandbox()
        elif needs_key:
            found = self.settings.api_key(name)
            key, source = found.reveal(), found.where
        service = Service(name, base_url, lambda: self.new_client(base_url, key, key_source=source))
        self._closing.callback(service.close)
        return service

    def _start_sandbox(self) -> tuple[str, str]:
        try:
            from orvideo.sandbox.server import KEY, Sandbox
        except ImportError as missing:
            raise UsageError(
                f"The sandbox is not installed: {missing.name} is missing.", hint="pip install 'orvideo[sandbox]'"
            ) from missing
        sandbox = Sandbox(self.settings.state_dir / "sandbox", speed=self.settings.sandbox_speed)
        sandbox.start()
        self._closing.callback(sandbox.stop)
        return sandbox.base_url, KEY

    def _tell_call(self, call: Call) -> None:
        status = call.status if call.status is not None else "no answer"
        self.terminal.verbose_line(f"{call.method} {call.url} -> {status} in {call.seconds:.2f} s, {call.bytes} bytes")

    def report(self, error: OrvideoError) -> None:
        """Tell a person how the command ended, with the id and the command that goes on, once there is a job."""
        if self.in_hand and error.job_id is None:
            error.job_id = self.in_hand[0]
        # A job that ended without a video has nothing to go on with.
        if self.in_hand and error.resume is None and not isinstance(error, JobEnded):
            error.resume = f"{self.goes_on_with} {' '.join(self.in_hand)}"
        if isinstance(error, BadReply) and error.job_id is None and not self.submits:
            error.charged = "no"  # a list that makes no sense costs nothing
        self.terminal.error(error)

    def report_interruption(self, exit_code: int) -> None:
        """Say what a signal has left behind: nothing was cancelled, because nothing can be (drill S03)."""
        unknown = self._look_after_submits()
        running = [name for name in self.in_hand if name not in self.at_end]
        resume = f"{self.goes_on_with} {' '.join(running)}" if running else None
        charged: Charged = "yes" if running else "no"
        message = "Interrupted; nothing was submitted."
        hint = None
        if running:
            verb = "goes" if len(running) == 1 else "go"
            message = f"Interrupted; {', '.join(running)} {verb} on at the service, already paid for."
        elif self.at_end:
            message = f"Interrupted; {self.at_end[0]} is at its end already."
            hint, charged = f"orvideo jobs show {self.at_end[0]}", "unknown"
        if unknown:
            from orvideo.jobs.submit import what_to_do

            message = f"Interrupted while {', '.join(unknown)} was being sent; it may have been accepted and charged. "
            message += "Submitting again may pay again."
            hint, resume, charged = what_to_do(unknown[0]), f"orvideo jobs show {unknown[0]}", "unknown"
        job_id = self.in_hand[0] if self.in_hand else None
        self.terminal.error(
            Stopped(message, exit_code=exit_code, charged=charged, job_id=job_id, resume=resume, hint=hint)
        )

    def _look_after_submits(self) -> list[str]:
        """Take in hand the jobs of submits that were cut short after their answer; return what may have been bought.

        The latter are put on record as unknown, by their local names (drill S02).
        """
        unknown: list[str] = []
        for seq in self.submits:
            try:
                record = self.ledger.get(seq)
                if record.id is not None and record.name not in self.in_hand:
                    self.in_hand.append(record.name)
                elif record.id is None and record.state in ("sending", "unknown"):
                    unknown.append(record.name)
                    self.ledger.outcome_unknown(seq, "The command was ended before the answer was on record.")
            except OrvideoError as trouble:
                # What cannot be written now reads as unknown all the same, as soon as this process is gone.
                self.terminal.warn(trouble.message)
        self.submits.clear()
        return unknown

    def report_bug(self, bug: Exception) -> None:
        """Say that orvideo itself failed, and where the details are; the traceback goes to a file (drill K04)."""
        from orvideo.crash import write_crash_report

        where = write_crash_report(bug, self.settings)
        unknown = self._look_after_submits()
        message = f"This is a bug in orvideo: {type(bug).__name__}."
        if unknown:
            message += f" {', '.join(unknown)} may have been accepted and charged; submitting again may pay again."
        self.report(
            OrvideoError(
                message,
                hint=f"please report it with {where}" if where else "please report it",
                charged="unknown" if self.in_hand or unknown else "no",
                resume=f"orvideo jobs show {unknown[0]}" if unknown else None,
            )
        )
