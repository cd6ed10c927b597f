"""The live display: rows at the bottom of a terminal, drawn by rich, gone at the end.

A row for each job that moves, as far as the terminal is high; one for the others, and one for all of it. What is
being downloaded, and how large it is, stands in rich's columns; a row of text is fitted by `status_line`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import IO, TYPE_CHECKING, Any, Protocol, cast

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
    """Fit `name: status reported time, usually` into `cells` cells: the status is cut last of all."""

    def line(name: str, reported: str = "", usually: str = "") -> str:
        return f"{name}: {status}{reported}{time}{usually}" if name else f"{status}{reported}{time}{usually}"

    def cut(text: str, room: int, least: int) -> str:
        return fit(text, room, ellipsis=ellipsis) if room >= least else ""

    short = _last_piece(name)
    part = cut(reported[:-1], cells - width(line(short)) - 1, _REPORTED_LEAST - 1)
    lines = (
        line(name, reported, usually), line(short, reported, usually), line(name, reported), line(short, reported),
        line(short, part and f"{part})"), line(cut(short, cells - width(line("")) - 2, _NAME_LEAST)),
    )  # fmt: skip
    return next((line for line in lines if width(line) <= cells), fit(status, cells, ellipsis=ellipsis))


def _last_piece(name: str) -> str:
    """Return the end of an id, which tells it from others as a rule; the whole where that would be too little."""
    piece = re.split(r"[-_.:/]", name)[-1]
    return piece if len(piece) >= 4 else name


class Screen(Protocol):
    """What a live display asks of the terminal that it is on: its size, and whether a child process has it now."""

    lent: int

    @property
    def live_size(self) -> tuple[int, int]: ...

    def attach(self, progress: LiveProgress | None) -> None: ...


class LiveProgress(Progress, RichProgress):
    """Rich's progress display with a task for each job; which are shown, and how, is decided at each frame.

    Texts are made visible before rich sees them, and reach it as `Text`: never as markup.
    """

    def __init__(self, terminal: Screen, sink: OutputStream, *, clock: Clock) -> None:
        self._terminal, self._sink = terminal, sink
        self._by_job: dict[str, TaskID] = {}
        self._overall: TaskID | None = None
        self._cells = self._room = 0
        self._percent: int | None = None
        self._spinner = SpinnerColumn("dots" if sink.can_show("⠋━") else "line", style=None)
        # A terminal that has gone away is no error (drill S05).
        file = SimpleNamespace(write=sink.try_write, flush=lambda: None, encoding=sink.encoding)
        super().__init__(
            console=Console(
                file=cast(IO[str], file),
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
        terminal.attach(self)
        self.start()

    # What is told

    def step(self, text: str, job: str = "") -> None:
        self._put(job, status=self._sink.shown(text), began=self.get_time())

    def state(self, job: str, status: str, since: float | None, usual: float | None = None, reported: str = "") -> None:
        self._put(
            job,
            status=self._sink.shown(status),
            reported=self._sink.shown(reported),
            began=None if since is None else self.get_time() - max(since, 0.0),
            usually=f", usually about {elapsed(usual)}" if usual else "",
        )

    def download(self, job: str, done: int, total: int | None = None, index: int = 0) -> None:
        # A total that turned out too small was no total: no bar says more than 100 %.
        known = total if total and 0 <= done <= total else None
        task = self._tasks.get(self._by_job.get(job, TaskID(-1)))
        same = task is not None and (task.description, task.total) == (self._name(job, index), known)
        if task is not None and same and task.fields["counts_bytes"] and done >= task.completed:
            self.update(task.id, completed=done)
        else:  # bytes that begin anew have no speed yet
            self._put(job, index, done=done, total=known, status="downloading", counts_bytes=True)

    def downloaded(self, job: str, size: int, index: int = 0) -> None:
        self._put(job, index, status=f"downloaded {bytes_text(size)}")

    def over(self, job: str) -> None:
        with self._lock:
            if job in self._by_job:
                self.remove_task(self._by_job.pop(job))

    def overall(self, text: str, done: int, total: int) -> None:
        with self._lock:
            if self._overall is None:
                self._overall = self.add_task("")
            self.update(self._overall, description=self._sink.shown(text), completed=done, total=total)

    def _put(self, job: str, index: int = 0, *, done: int = 0, total: int | None = None, **fields: Any) -> None:
        """Show a job as a new task, in the place that it has already."""
        shown = {"reported": "", "began": None, "usually": "", "counts_bytes": False, **fields}
        with self._lock:
            if job in self._by_job:
                self.remove_task(self._by_job[job])
            self._by_job[job] = self.add_task(self._name(job, index), total=total, completed=done, **shown)

    def _name(self, job: str, index: int) -> str:
        return self._sink.shown(output_name(job, index))

    # When it is on the screen

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
        if not self._terminal.lent:
            self.live.start(refresh=True)

    def refresh(self) -> None:
        """Nothing: frames come by themselves, and none while something else is written."""

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Take the display away for as long as something else is written."""
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
            self._sink.show_percent(None)
            # Rich shows the cursor again unless its own ending is cut short, by a second Ctrl-C for one.
            self._sink.try_write("\x1b[?25h")

    # How it is drawn

    def get_renderables(self) -> Iterable[RenderableType]:
        if not self._tasks:
            return
        with self._lock:
            # Asked each time: a terminal can be resized. A line as wide as the terminal may go on to the next.
            columns, lines = self._terminal.live_size
            self._cells = self.console.width = max(columns - 1, 1)
            self.console.height = lines
            tasks = [self._tasks[row] for row in self._by_job.values()]
            self._show_percent(tasks)
            # Rich ends on a further line, and what was said last stays in sight.
            most = lines - 2 - (self._overall is not None)
            room = max(1, min(most if len(tasks) <= most else most - 1, _MOST_ROWS))
            shown = {task.id for task in sorted(tasks, key=_rank)[:room]}
            here = [task for task in tasks if task.id in shown]
            yield self._downloads([task for task in here if task.total is not None])
            statuses = [task for task in here if task.total is None]
            yield self._table(statuses, self._cells - 2, self._spinner, _Words(self._status_of))
            if len(tasks) > room:
                others = Counter(task.fields["status"] for task in tasks if task.id not in shown)
                yield _text(self._fit(f"  {others.total()} more: {counts_text(others)}", self._cells))
            if self._overall is not None:
                yield self._all_of_it(self._tasks[self._overall])

    def _show_percent(self, tasks: list[Task]) -> None:
        """Show in the task bar how far all of it is, or the one download that there is (finding D13)."""
        whole = [self._tasks[self._overall]] if self._overall is not None else tasks
        percent = int(whole[0].percentage) if len(whole) == 1 and whole[0].total else None
        if percent != self._percent:
            self._percent = percent
            self._sink.show_percent(percent)

    def _downloads(self, tasks: list[Task]) -> Table:
        """Return a row for each download: its name, and what there is room for, the most wanted first."""
        facts: tuple[tuple[ProgressColumn, int], ...] = (
            (_Words(lambda task: f"{int(task.percentage):3}%"), 4),
            (_Words(_time_left), 9),
            (TransferSpeedColumn(_kept()), 10),
            (DownloadColumn(table_column=_kept()), 14),
        )
        name = _Words(lambda task: self._fit(_fitting(task.description, self._room), self._room))
        bar = BarColumn(None, complete_style="cyan", finished_style="cyan", table_column=Column(max_width=_BAR_MOST))
        columns: list[ProgressColumn] = [self._spinner, name, bar]
        room = self._cells - 2 - (_NAME_LEAST + 1) - _BAR_LEAST
        for column, cells in facts:
            if room <= cells:
                break
            columns.append(column)
            room -= cells + 1
        if columns[-1] is bar:  # not even the percentage has room beside a bar
            return self._table(tasks, max(self._cells - 2 - 5, 0), self._spinner, name, facts[0][0])
        return self._table(tasks, _NAME_LEAST + room, *columns)

    def _all_of_it(self, task: Task) -> Table:
        words = _Words(lambda task: self._fit(task.description, self._room))
        if self._cells < 60:
            return self._table([task], self._cells - 2, self._spinner, words)
        bar = BarColumn(20, complete_style="cyan", finished_style="cyan")
        return self._table([task], self._cells - 2 - 21, self._spinner, bar, words)

    def _table(self, tasks: list[Task], room: int, *columns: ProgressColumn) -> Table:
        """Return rich's rows of tasks; words in them have `room` cells."""
        self._room, self.columns = room, columns
        return self.make_tasks_table(tasks)

    def _status_of(self, task: Task) -> str:
        shown, began = task.fields, task.fields["began"]
        status, usually = shown["status"], shown["usually"]
        if shown["counts_bytes"]:
            status += f" {bytes_text(int(task.completed))}"
            usually = f", {bytes_text(int(task.speed))}/s" if task.speed else ""
        return status_line(
            task.description,
            status,
            self._room,
            reported=shown["reported"],
            time="" if began is None else f" {elapsed(self.get_time() - began)}",
            usually=usually,
            ellipsis=self._sink.ellipsis,
        )

    def _fit(self, text: str, cells: int) -> str:
        return fit(text, cells, ellipsis=self._sink.ellipsis)


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
