"""The live display: rows at the bottom of a terminal, drawn by rich, gone at the end.

A row for each job that moves, as far as the terminal is high; one for the others, and one for all of it. What is
being downloaded, and how large it is, stands in rich's columns; a row of text is fitted by `status_line`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, cast

from rich.console import Console, RenderableType
from rich.live import Live
from rich.progress import (
    BarColumn,
    DownloadColumn,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskID,
    TransferSpeedColumn,
)
from rich.progress import Progress as RichProgress
from rich.table import Column
from rich.text import Text

from orvideo.clock import Clock
from orvideo.output.progress import Progress, counts_text, output_name
from orvideo.output.text import ELLIPSIS, bytes_text, elapsed, fit, width

if TYPE_CHECKING:
    from orvideo.output.sinks import Sink
    from orvideo.output.terminal import Terminal

_FRAMES_PER_SECOND = 8
#: A speed is the average of so many seconds.
_SPEED_OVER = 10.0
_MOST_ROWS = 10
_NAME_LEAST, _REPORTED_LEAST, _BAR_LEAST, _BAR_MOST = 8, 14, 10, 40


def status_line(
    name: str,
    status: str,
    cells: int,
    *,
    reported: str = "",
    time: str = "",
    usually: str = "",
    ellipsis: str = ELLIPSIS,
) -> str:
    """Fit `name: status reported time, usually` into `cells` cells.

    What does not fit is left out: the usual time, what the service reported, the name; before that, a name is cut to
    its last piece. The status is cut last of all.
    """
    short = _last_piece(name)
    for shown, details in ((name, usually), (short, usually), (name, ""), (short, "")):
        line = f"{_before_colon(shown)}{status}{reported}{time}{details}"
        if width(line) <= cells:
            return line
    room = cells - width(f"{_before_colon(short)}{status}{time}")
    if reported and room >= _REPORTED_LEAST:
        return f"{_before_colon(short)}{status}{fit(reported[:-1], room - 1, ellipsis=ellipsis)}){time}"
    if room < 0:
        left = cells - width(status + time) - 2
        short = fit(short, left, ellipsis=ellipsis) if left >= _NAME_LEAST else ""
    line = f"{_before_colon(short)}{status}{time}"
    return line if width(line) <= cells else fit(status, cells, ellipsis=ellipsis)


def _before_colon(name: str) -> str:
    return f"{name}: " if name else ""


def _last_piece(name: str) -> str:
    """Return the end of an id, which tells it from others as a rule; the whole where that would be too little."""
    piece = re.split(r"[-_.:/]", name)[-1]
    return piece if len(piece) >= 4 else name


class LiveProgress(Progress):
    """The live display of a command. The time in it runs by itself between two calls.

    Texts are made visible before rich sees them, and reach it as `Text`: never as markup.
    """

    def __init__(self, terminal: Terminal, sink: Sink, *, clock: Clock) -> None:
        self._terminal, self._sink, self._clock = terminal, sink, clock
        self._rows: _Rows | None = None
        self._closed = False

    def step(self, text: str, job: str = "") -> None:
        self._put(job, status=self._sink.shown(text), began=self._clock.monotonic())

    def state(self, job: str, status: str, since: float | None, usual: float | None = None, reported: str = "") -> None:
        self._put(
            job,
            status=self._sink.shown(status),
            reported=self._sink.shown(reported),
            began=None if since is None else self._clock.monotonic() - max(since, 0.0),
            usually=f", usually about {elapsed(usual)}" if usual else "",
        )

    def download(self, job: str, done: int, total: int | None = None, index: int = 0) -> None:
        # A total that turned out too small was no total: no bar says more than 100 %.
        known = total if total and 0 <= done <= total else None
        self._put(job, index, done=done, total=known, status="downloading")

    def downloaded(self, job: str, size: int, index: int = 0) -> None:
        self._put(job, index, status=f"downloaded {bytes_text(size)}")

    def over(self, job: str) -> None:
        if self._rows is not None:
            self._rows.drop(job)

    def overall(self, text: str, done: int, total: int) -> None:
        rows = self._started()
        if rows is not None:
            rows.overall(self._sink.shown(text), done, total)

    @contextmanager
    def paused(self) -> Iterator[None]:
        rows = self._rows if self._rows is not None and self._rows.live.is_started else None
        if rows is not None:
            rows.live.stop()
        try:
            yield
        finally:
            if rows is not None and not self._closed:
                rows.start()

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._terminal.attach(None)
        if self._rows is None:
            return
        try:
            self._rows.live.stop()
        finally:
            # Rich shows the cursor again unless its own ending is cut short, by a second Ctrl-C for one.
            _Dropping(self._sink).write("\x1b[?25h")

    def _put(
        self, job: str, index: int = 0, *, done: int | None = None, total: int | None = None, **shown: Any
    ) -> None:
        rows = self._started()
        if rows is not None:
            rows.put(job, self._sink.shown(output_name(job, index)), done, total, **shown)

    def _started(self) -> _Rows | None:
        """Return the rows, on the screen from the first use on; None when all is over."""
        if self._closed:
            return None
        if self._rows is None:
            self._rows = _Rows(self._terminal, self._sink, self._clock)
            self._terminal.attach(self)
            self._rows.start()
        return self._rows


class _Rows(RichProgress):
    """Rich's progress display with a task for each job; which are shown, and how, is decided at each frame."""

    def __init__(self, terminal: Terminal, sink: Sink, clock: Clock) -> None:
        self._terminal, self._ellipsis = terminal, sink.ellipsis
        self._by_job: dict[str, TaskID] = {}
        self._overall: TaskID | None = None
        self._cells = self._name_room = 0
        self._spinner = SpinnerColumn("dots" if sink.can_show("⠋━") else "line", style=None)
        self._bar = BarColumn(
            None, complete_style="cyan", finished_style="cyan", table_column=Column(max_width=_BAR_MOST)
        )
        self._short_bar = BarColumn(20, complete_style="cyan", finished_style="cyan")
        self._name = _Words(lambda task: self._fitted(_fitting(task.description, self._name_room), self._name_room))
        self._status = _Words(self._status_of)
        self._all = _Words(lambda task: self._fitted(task.description, self._name_room))
        #: What stands behind a bar as far as there is room, the most wanted first, and the cells it takes.
        self._facts: tuple[tuple[ProgressColumn, int], ...] = (
            (_Words(lambda task: f"{int(task.percentage):3}%"), 4),
            (_Words(_time_left), 9),
            (TransferSpeedColumn(_kept()), 10),
            (DownloadColumn(table_column=_kept()), 14),
        )
        super().__init__(
            console=Console(
                file=cast(IO[str], _Dropping(sink)),
                force_terminal=True,
                force_interactive=True,
                color_system="standard" if sink.colour else None,
                no_color=not sink.colour,
                markup=False,
                emoji=False,
                highlight=False,
                legacy_windows=False,
                _environ={},
            ),
            speed_estimate_period=_SPEED_OVER,
            get_time=clock.monotonic,
        )

    def start(self) -> None:
        """Begin to draw where the cursor is: one that has drawn before would erase lines that are not its own."""
        self.live = Live(
            console=self.console,
            get_renderable=self.get_renderable,
            refresh_per_second=_FRAMES_PER_SECOND,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self.live.start(refresh=True)

    def refresh(self) -> None:
        """Nothing: frames come by themselves, and none while something else is written."""

    def put(self, job: str, name: str, done: int | None, total: int | None, **shown: Any) -> None:
        """Show a job: `done` bytes of `total` of it, or with None a status. Bytes that begin anew have no speed yet."""
        with self._lock:
            task = self._tasks.get(self._by_job.get(job, TaskID(-1)))
            shown = {"reported": "", "began": None, "usually": "", "counts_bytes": done is not None, **shown}
            same = task is not None and (task.description, task.total, task.fields["counts_bytes"]) == (
                name, total, done is not None,
            )  # fmt: skip
            if task is not None and same and (done or 0) >= task.completed:
                self.update(task.id, completed=done or 0, **shown)
                return
            if task is not None:
                self.remove_task(task.id)
            self._by_job[job] = self.add_task(name, total=total, completed=done or 0, **shown)

    def drop(self, job: str) -> None:
        with self._lock:
            if job in self._by_job:
                self.remove_task(self._by_job.pop(job))

    def overall(self, text: str, done: int, total: int) -> None:
        with self._lock:
            if self._overall is None:
                self._overall = self.add_task(text, total=total)
            self.update(self._overall, description=text, completed=done, total=total)

    def get_renderables(self) -> Iterable[RenderableType]:
        if not self._tasks:  # rich asks for the first time before it is ready
            return
        with self._lock:
            # Asked each time: a terminal can be resized. A line as wide as the terminal may go on to the next.
            self._cells = self.console.width = max(self._terminal.live_width - 1, 1)
            self.console.height = self._terminal.live_height
            tasks = [self._tasks[row] for row in self._by_job.values()]
            # Rich ends on a further line, and what was said last stays in sight.
            most = self._terminal.live_height - 2 - (self._overall is not None)
            room = max(1, min(most if len(tasks) <= most else most - 1, _MOST_ROWS))
            shown = {task.id for task in sorted(tasks, key=_rank)[:room]}
            here = [task for task in tasks if task.id in shown]
            yield from self._grid(self._download_columns, [task for task in here if task.total is not None])
            yield from self._grid(lambda: (self._spinner, self._status), [task for task in here if task.total is None])
            if len(tasks) > room:
                others = Counter(task.fields["status"] for task in tasks if task.id not in shown)
                yield _text(self._fitted(f"  {others.total()} more: {counts_text(others)}", self._cells))
            if self._overall is not None:
                yield from self._grid(self._overall_columns, [self._tasks[self._overall]])

    def _grid(self, columns: Callable[[], tuple[ProgressColumn, ...]], tasks: list[Task]) -> Iterator[RenderableType]:
        if tasks:
            self.columns = columns()
            yield self.make_tasks_table(tasks)

    def _download_columns(self) -> tuple[ProgressColumn, ...]:
        room = self._cells - 2 - (_NAME_LEAST + 1) - _BAR_LEAST
        if room <= self._facts[0][1]:
            self._name_room = max(self._cells - 2 - 5, 0)
            return self._spinner, self._name, self._facts[0][0]
        facts = []
        for column, cells in self._facts:
            if room <= cells:
                break
            facts.append(column)
            room -= cells + 1
        self._name_room = _NAME_LEAST + room
        return self._spinner, self._name, self._bar, *facts

    def _overall_columns(self) -> tuple[ProgressColumn, ...]:
        bar = (self._short_bar,) if self._cells >= 60 else ()
        self._name_room = self._cells - 2 - len(bar) * 21
        return self._spinner, *bar, self._all

    def _status_of(self, task: Task) -> str:
        shown, began = task.fields, task.fields["began"]
        status, usually = shown["status"], shown["usually"]
        if shown["counts_bytes"]:
            status += f" {bytes_text(int(task.completed))}"
            usually = f", {bytes_text(int(task.speed))}/s" if task.speed else ""
        return status_line(
            task.description,
            status,
            self._cells - 2,
            reported=shown["reported"],
            time="" if began is None else f" {elapsed(self.get_time() - began)}",
            usually=usually,
            ellipsis=self._ellipsis,
        )

    def _fitted(self, text: str, cells: int) -> str:
        return fit(text, cells, ellipsis=self._ellipsis)


class _Words(ProgressColumn):
    """A column of plain text: never markup, never wrapped."""

    def __init__(self, words: Callable[[Task], str]) -> None:
        super().__init__(_kept())
        self._words = words

    def render(self, task: Task) -> Text:
        return _text(self._words(task))


def _text(words: str) -> Text:
    return Text(words, no_wrap=True, overflow="crop")


def _kept() -> Column:
    """Return a column that gives none of its width away."""
    return Column(no_wrap=True, overflow="crop")


def _fitting(name: str, cells: int) -> str:
    return name if width(name) <= cells else _last_piece(name)


def _time_left(task: Task) -> str:
    seconds = task.time_remaining
    return "" if seconds is None else f"{elapsed(seconds)} left"


def _rank(task: Task) -> int:
    """Return how much a job moves: what is downloaded first, what has not begun last."""
    if task.fields["counts_bytes"]:
        return 0
    return 2 if task.fields["status"] == "pending" else 1


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
