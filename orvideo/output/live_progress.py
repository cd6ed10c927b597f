"""The live display: rows at the bottom of a terminal, drawn by rich.progress and erased at the end.

There is a row for each of the most active jobs, one that counts the others, and one for all jobs together. A download
has rich's columns (bar, percentage, time left, speed, size); any other job has one line of text.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import IO, TYPE_CHECKING, Any, NamedTuple, Protocol, cast

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
from rich.table import Column, Table
from rich.text import Text

from orvideo.clock import Clock
from orvideo.output.progress import Progress, counts_text, output_name
from orvideo.output.text import ELLIPSIS, bytes_text, elapsed, fit, width

if TYPE_CHECKING:
    from orvideo.output.stream import OutputStream

_FRAMES_PER_SECOND = 8
#: A speed is the average over so many seconds.
_SPEED_PERIOD = 10.0
_MOST_ROWS = 10
#: Widths in cells.
_NAME_LEAST, _REPORTED_LEAST, _BAR_LEAST, _BAR_MOST, _TOTAL_BAR, _TOTAL_BAR_FROM = 8, 14, 10, 40, 20, 60
_BAR_STYLE = "cyan"
#: States of a terminal's tab or task bar (OSC 9;4). Error is none of them: it would stay there.
_NOTHING_RUNS, _RUNNING = "0;0", "3;0"


class StatusRow(NamedTuple):
    """The text of a job without a bar, as `name: status (service: …) 0:05, usually about 1:00`."""

    name: str
    status: str
    reported: str = ""
    time: str = ""
    usually: str = ""

    def fit(self, cells: int, ellipsis: str = ELLIPSIS) -> str:
        """Return the most of the row that takes at most `cells` cells; the status is shortened last."""

        def line(name: str, reported: str = "", usually: str = "") -> str:
            return (name and f"{name}: ") + self.status + reported + self.time + usually

        def shortened(text: str, room: int, least: int) -> str:
            return fit(text, room, ellipsis=ellipsis) if room >= least else ""

        name, reported, usually = self.name, self.reported, self.usually
        short = _last_piece(name)
        part = shortened(reported[:-1], cells - width(line(short)) - 1, _REPORTED_LEAST - 1)
        lines = (
            line(name, reported, usually), line(short, reported, usually), line(name, reported), line(short, reported),
            line(short, part and f"{part})"), line(shortened(short, cells - width(line("")) - 2, _NAME_LEAST)),
        )  # fmt: skip
        return next((line for line in lines if width(line) <= cells), fit(self.status, cells, ellipsis=ellipsis))


def _last_piece(name: str) -> str:
    """Return the last part of an id, or the whole where that part has fewer than 4 characters."""
    piece = re.split(r"[-_.:/]", name)[-1]
    return piece if len(piece) >= 4 else name


class LiveTerminal(Protocol):
    """The terminal that a live display draws on: its size, and how many child processes write to it now."""

    children: int

    @property
    def live_size(self) -> tuple[int, int]: ...

    def attach(self, progress: LiveProgress | None) -> None: ...


class LiveProgress(Progress, RichProgress):
    """Rich's progress display with a task for each job. Each frame decides which tasks are shown, and how.

    Texts are made visible before rich gets them, as `Text` and never as markup.
    """

    def __init__(self, terminal: LiveTerminal, stream: OutputStream, *, clock: Clock) -> None:
        self._terminal, self._stream = terminal, stream
        self._by_job: dict[str, TaskID] = {}
        self._total: TaskID | None = None
        self._cells = self._room = 0
        self._told = _NOTHING_RUNS
        self._spinner = SpinnerColumn("dots" if stream.can_encode("⠋━") else "line", style=None)
        # A terminal that has gone away is no error (drill S05).
        file = SimpleNamespace(write=stream.try_write, flush=lambda: None, encoding=stream.encoding)
        super().__init__(
            console=Console(
                file=cast(IO[str], file),
                force_terminal=True,
                force_interactive=True,
                color_system="standard" if stream.colour else None,
                no_color=not stream.colour,
                markup=False,
                emoji=False,
                highlight=False,
                legacy_windows=False,
                _environ={},
            ),
            speed_estimate_period=_SPEED_PERIOD,
            get_time=clock.monotonic,
        )
        terminal.attach(self)
        self.start()

    def activity(self, text: str, job: str = "") -> None:
        self._put(job, status=self._stream.printable(text), started=self.get_time())

    def status(
        self, job: str, status: str, seconds: float | None, typical: float | None = None, reported: str = ""
    ) -> None:
        self._put(
            job,
            status=self._stream.printable(status),
            reported=self._stream.printable(reported),
            started=None if seconds is None else self.get_time() - max(seconds, 0.0),
            usually=f", usually about {elapsed(typical)}" if typical else "",
        )

    def download(self, job: str, done: int, total: int | None = None, index: int = 0) -> None:
        # A total that is too small counts as unknown: no bar shows more than 100 %.
        known = total if total and 0 <= done <= total else None
        task = self._tasks.get(self._by_job.get(job, TaskID(-1)))
        same = task is not None and (task.description, task.total) == (self._name(job, index), known)
        if task is not None and same and task.fields["counts_bytes"] and done >= task.completed:
            self.update(task.id, completed=done)
        else:  # a download that starts over has no speed yet
            self._put(job, index, done=done, total=known, status="downloading", counts_bytes=True)

    def downloaded(self, job: str, size: int, index: int = 0) -> None:
        self._put(job, index, status=f"downloaded {bytes_text(size)}")

    def remove(self, job: str) -> None:
        with self._lock:
            if job in self._by_job:
                self.remove_task(self._by_job.pop(job))

    def total(self, text: str, done: int, total: int) -> None:
        with self._lock:
            if self._total is None:
                self._total = self.add_task("")
            self.update(self._total, description=self._stream.printable(text), completed=done, total=total)

    def _put(self, job: str, index: int = 0, *, done: int = 0, total: int | None = None, **fields: Any) -> None:
        """Replace a job's task by a new one in the same place."""
        shown = {"reported": "", "started": None, "usually": "", "counts_bytes": False, **fields}
        with self._lock:
            if job in self._by_job:
                self.remove_task(self._by_job[job])
            self._by_job[job] = self.add_task(self._name(job, index), total=total, completed=done, **shown)

    def _name(self, job: str, index: int) -> str:
        return self._stream.printable(output_name(job, index))

    def start(self) -> None:
        """Draw at the cursor, with a new `Live`: the old one would erase lines that were written meanwhile."""
        self.live = Live(
            console=self.console,
            get_renderable=self.get_renderable,
            refresh_per_second=_FRAMES_PER_SECOND,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        if not self._terminal.children:
            self.live.start(refresh=True)

    def refresh(self) -> None:
        """Do nothing: rich draws the frames at its own pace, and none while something else is written."""

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Erase the display while something else is written."""
        was_shown = self.live.is_started
        self.live.stop()
        try:
            yield
        finally:
            if was_shown:
                self.start()

    def close(self) -> None:
        self._terminal.attach(None)
        try:
            self.live.stop()
        finally:
            self._stream.tell_progress(_NOTHING_RUNS)
            # Rich shows the cursor itself, unless a second Ctrl-C interrupts that.
            self._stream.try_write("\x1b[?25h")

    def get_renderables(self) -> Iterable[RenderableType]:
        if not self._tasks:
            self._tell_progress([])
            return
        with self._lock:
            # Read each time, as a terminal can be resized. A line of its full width might wrap.
            columns, lines = self._terminal.live_size
            self._cells = self.console.width = max(columns - 1, 1)
            self.console.height = lines
            tasks = [self._tasks[row] for row in self._by_job.values()]
            self._tell_progress(tasks)
            # Rich ends with one more line, and the last message above the display stays visible.
            most = lines - 2 - (self._total is not None)
            room = max(1, min(most if len(tasks) <= most else most - 1, _MOST_ROWS))
            shown = {task.id for task in sorted(tasks, key=_rank)[:room]}
            here = [task for task in tasks if task.id in shown]
            yield self._downloads([task for task in here if task.total is not None])
            statuses = [task for task in here if task.total is None]
            yield self._table(statuses, self._cells - 2, self._spinner, _TextColumn(self._status_text))
            if len(tasks) > room:
                others = Counter(task.fields["status"] for task in tasks if task.id not in shown)
                yield _text(self._fit(f"  {others.total()} more: {counts_text(others)}", self._cells))
            if self._total is not None:
                yield self._total_row(self._tasks[self._total])

    def _tell_progress(self, tasks: list[Task]) -> None:
        """Tell the terminal how far all jobs are, or the only download; that they run, where that is not known."""
        whole = [self._tasks[self._total]] if self._total is not None else tasks
        state = _RUNNING if tasks else _NOTHING_RUNS
        if len(whole) == 1 and whole[0].total:
            state = f"1;{int(whole[0].percentage)}"
        if state != self._told:
            self._told = state
            self._stream.tell_progress(state)

    def _downloads(self, tasks: list[Task]) -> Table:
        """Return a row for each download: its name, a bar, and the further columns that there is room for."""
        optional: tuple[tuple[ProgressColumn, int], ...] = (
            (_TextColumn(lambda task: f"{int(task.percentage):3}%"), 4),
            (_TextColumn(_time_left), 9),
            (TransferSpeedColumn(_fixed()), 10),
            (DownloadColumn(table_column=_fixed()), 14),
        )
        name = _TextColumn(lambda task: self._fit(_short_name(task.description, self._room), self._room))
        bar = _bar(None, Column(max_width=_BAR_MOST))
        columns: list[ProgressColumn] = [self._spinner, name, bar]
        room = self._cells - 2 - (_NAME_LEAST + 1) - _BAR_LEAST
        for column, cells in optional:
            if room <= cells:
                break
            columns.append(column)
            room -= cells + 1
        if columns[-1] is bar:  # not even the percentage has room beside a bar
            return self._table(tasks, max(self._cells - 2 - 5, 0), self._spinner, name, optional[0][0])
        return self._table(tasks, _NAME_LEAST + room, *columns)

    def _total_row(self, task: Task) -> Table:
        text = _TextColumn(lambda task: self._fit(task.description, self._room))
        if self._cells < _TOTAL_BAR_FROM:
            return self._table([task], self._cells - 2, self._spinner, text)
        bar = _bar(_TOTAL_BAR)
        return self._table([task], self._cells - 2 - (_TOTAL_BAR + 1), self._spinner, bar, text)

    def _table(self, tasks: list[Task], room: int, *columns: ProgressColumn) -> Table:
        """Return rich's table of tasks; the text columns in it have `room` cells."""
        self._room, self.columns = room, columns
        return self.make_tasks_table(tasks)

    def _status_text(self, task: Task) -> str:
        fields, started = task.fields, task.fields["started"]
        status, usually = fields["status"], fields["usually"]
        if fields["counts_bytes"]:
            status += f" {bytes_text(int(task.completed))}"
            usually = f", {bytes_text(int(task.speed))}/s" if task.speed else ""
        time = "" if started is None else f" {elapsed(self.get_time() - started)}"
        row = StatusRow(task.description, status, fields["reported"], time, usually)
        return row.fit(self._room, self._stream.ellipsis)

    def _fit(self, text: str, cells: int) -> str:
        return fit(text, cells, ellipsis=self._stream.ellipsis)


class _TextColumn(ProgressColumn):
    """A column of plain text, without markup or wrapping."""

    def __init__(self, text_of: Callable[[Task], str]) -> None:
        super().__init__(_fixed())
        self._text_of = text_of

    def render(self, task: Task) -> Text:
        return _text(self._text_of(task))


def _bar(cells: int | None, column: Column | None = None) -> BarColumn:
    return BarColumn(cells, complete_style=_BAR_STYLE, finished_style=_BAR_STYLE, table_column=column)


def _text(text: str) -> Text:
    return Text(text, no_wrap=True, overflow="crop")


def _fixed() -> Column:
    """Return a column that rich does not make narrower."""
    return Column(no_wrap=True, overflow="crop")


def _short_name(name: str, cells: int) -> str:
    return name if width(name) <= cells else _last_piece(name)


def _time_left(task: Task) -> str:
    seconds = task.time_remaining
    return "" if seconds is None else f"{elapsed(seconds)} left"


def _rank(task: Task) -> int:
    """Return the rank by which jobs are shown: downloads first, pending jobs last."""
    if task.fields["counts_bytes"]:
        return 0
    return 2 if task.fields["status"] == "pending" else 1
