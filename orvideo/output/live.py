"""The live line: one line at the bottom of a terminal, drawn by rich, gone at the end.

What stands in the line is decided by `compose`, which draws nothing; rich puts it on the screen.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, NamedTuple, cast

from orvideo.clock import Clock
from orvideo.output.progress import Progress, summary
from orvideo.output.text import ELLIPSIS, bytes_text, elapsed, fit, width

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult
    from rich.live import Live
    from rich.spinner import Spinner

    from orvideo.output.sinks import Sink
    from orvideo.output.terminal import Terminal

_FRAMES_PER_SECOND = 8
_BAR_LEAST, _BAR_MOST = 8, 40
_NAME_LEAST = 8


class Stand(NamedTuple):
    """How things stand: `name: what time, usually`, or a download with `done` bytes, of `total` when that is known.

    `began` is the reading of the monotonic clock at which the shown time was zero; None shows no time.
    """

    name: str
    what: str
    began: float | None = None
    typical: float | None = None
    done: int | None = None
    total: int | None = None


class Line(NamedTuple):
    """The text before the bar, the cells of the bar (0: none), the text after it."""

    before: str
    bar: int = 0
    after: str = ""


def compose(stand: Stand, cells: int, now: float, *, ellipsis: str = ELLIPSIS) -> Line:
    """Fit what is to be said into `cells` cells; the texts of `stand` are visible already.

    The name is cut, then left out; after it the usual time is; the status never.
    """
    if stand.done is not None and stand.total is not None:
        return _bar_line(stand, stand.done, stand.total, cells, ellipsis)
    text = stand.what
    if stand.done is not None:
        text += f" {bytes_text(stand.done)}"
    if stand.began is not None:
        text += f" {elapsed(now - stand.began)}"
    usually = f", usually about {elapsed(stand.typical)}" if stand.typical else ""
    if width(text + usually) <= cells:
        text += usually
    return Line(fit(_named(stand.name, cells - width(text), ellipsis) + text, cells, ellipsis=ellipsis))


def _bar_line(stand: Stand, done: int, total: int, cells: int, ellipsis: str) -> Line:
    percent = f"{done * 100 // total:3}%"
    after = f" {percent} {bytes_text(done)} of {bytes_text(total)}"
    if width(after) + _BAR_LEAST > cells:
        after = f" {percent}"
    room = cells - width(after)
    before = _named(stand.name, room - _BAR_LEAST, ellipsis)
    bar = min(room - width(before), _BAR_MOST)
    return Line(before, bar, after) if bar > 2 else Line(fit(after.strip(), cells, ellipsis=ellipsis))


def _named(name: str, room: int, ellipsis: str) -> str:
    """Return `name: ` cut to `room` cells, and nothing where too little of it would be left to tell it by."""
    if not name or room < min(_NAME_LEAST, width(name)) + 2:
        return ""
    return fit(name, room - 2, ellipsis=ellipsis) + ": "


class LiveProgress(Progress):
    """The live line of a command. The time in it runs by itself between two calls.

    Texts are made visible before rich sees them, and reach it as `Text`: never as markup.
    """

    def __init__(self, terminal: Terminal, sink: Sink, *, clock: Clock) -> None:
        self._terminal, self._sink, self._clock = terminal, sink, clock
        self._stand = Stand("", "")
        self._live: Live | None = None
        self._closed = False

    def step(self, text: str) -> None:
        self._show(Stand("", self._sink.shown(text), self._clock.monotonic()))

    def state(self, job: str, status: str, elapsed_seconds: float | None, typical_seconds: float | None = None) -> None:
        name, what = self._sink.shown(job), self._sink.shown(status)
        self._show(Stand(name, what, self._began(elapsed_seconds), typical_seconds))

    def download(self, job: str, done: int, total: int | None = None, *, restart: bool = False) -> None:
        # A total that turned out too small was no total: no bar says more than 100 %.
        known = total if total and 0 <= done <= total else None
        self._show(Stand(self._sink.shown(job), "downloading", done=done, total=known))

    def downloaded(self, job: str, size: int) -> None:
        self._show(Stand(self._sink.shown(job), "downloaded", done=size))

    def many(
        self,
        counts: Mapping[str, int],
        total: int | None = None,
        elapsed_seconds: float | None = None,
        more: str = "",
    ) -> None:
        text = summary(counts, total) + (f"  {more}" if more else "")
        self._show(Stand("", self._sink.shown(text), self._began(elapsed_seconds)))

    @contextmanager
    def paused(self) -> Iterator[None]:
        live = self._live if self._live is not None and self._live.is_started else None
        if live is not None:
            live.stop()
        try:
            yield
        finally:
            if live is not None and not self._closed:
                live.start(refresh=True)

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._terminal.attach(None)
        if self._live is None:
            return
        try:
            self._live.stop()
        finally:
            # Rich shows the cursor again unless its own ending is cut short, by a second Ctrl-C for one.
            _Dropping(self._sink).write("\x1b[?25h")

    def _began(self, elapsed_seconds: float | None) -> float | None:
        return None if elapsed_seconds is None else self._clock.monotonic() - max(elapsed_seconds, 0.0)

    def _show(self, stand: Stand) -> None:
        self._stand = stand
        if self._live is None and not self._closed:
            self._start()

    def _start(self) -> None:
        from rich.console import Console
        from rich.live import Live
        from rich.spinner import Spinner

        console = Console(
            file=cast(IO[str], _Dropping(self._sink)),
            force_terminal=True,
            force_interactive=True,
            color_system="standard" if self._sink.colour else None,
            no_color=not self._sink.colour,
            markup=False,
            emoji=False,
            highlight=False,
            legacy_windows=False,
            _environ={},
        )
        spinner = Spinner("dots" if self._sink.can_show("⠋━") else "line")

        def drawn() -> _Drawing:
            cells = self._terminal.live_width  # asked each time: a terminal can be resized
            console.width, console.height = cells, 25
            # A line as wide as the terminal would make some of them go on to the next.
            line = compose(self._stand, cells - 3, self._clock.monotonic(), ellipsis=self._sink.ellipsis)
            return _Drawing(spinner, line, self._stand)

        self._live = Live(
            console=console,
            get_renderable=drawn,
            refresh_per_second=_FRAMES_PER_SECOND,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._terminal.attach(self)
        self._live.start(refresh=True)


class _Drawing:
    """What rich draws: the spinner, and a line with or without a bar."""

    def __init__(self, spinner: Spinner, line: Line, stand: Stand) -> None:
        self._spinner, self._line, self._stand = spinner, line, stand

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        from rich.progress_bar import ProgressBar
        from rich.text import Text

        frame: Any = self._spinner.render(console.get_time())
        yield Text(f"{frame.plain} {self._line.before}", end="", no_wrap=True)
        if self._line.bar:
            done, total = self._stand.done or 0, self._stand.total or 1
            yield ProgressBar(
                total=total,
                completed=done,
                width=self._line.bar,
                complete_style="cyan",
                finished_style="cyan",
            )
            yield Text(self._line.after, end="", no_wrap=True)


class _Dropping:
    """The file rich writes to: stderr, where a terminal that has gone away is no error (drill S05)."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self.encoding = sink.encoding

    def write(self, text: str) -> int:
        self._sink.try_write(text)
        return len(text)

    def flush(self) -> None:
        """Every write is flushed already."""

    def isatty(self) -> bool:
        return True
