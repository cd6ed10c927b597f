"""Where a video is saved, decided and checked before any money is spent.

A target is a file, a folder, a template, stdout, an inherited descriptor, or a memory device. Whether a folder can be
written is tried with a file, not guessed from modes (drill O04).
"""

import errno
import os
import stat
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from orvideo import system
from orvideo.container import KINDS
from orvideo.download import disk, naming
from orvideo.download.disk import longest_name, require_room
from orvideo.download.naming import Facts, Template
from orvideo.errors import OutputExists, OutputUnwritable, UsageError
from orvideo.files import expand_user
from orvideo.system import names

#: How much longer than a `.part` a name beside it may be, in bytes: a lock, a receipt.
_MORE = 5
_BY_NUMBER = ("/dev/fd/", "/proc/self/fd/")


class Form(StrEnum):
    FILE = "file"
    FOLDER = "folder"
    TEMPLATE = "template"
    STDOUT = "stdout"
    DESCRIPTOR = "descriptor"
    DEVICE = "device"


class Target(NamedTuple):
    """Where videos are saved. `folder` is absolute; for streams it has no meaning.

    `name` is a file's name, `template` the template below `folder`, `descriptor` the number of an inherited
    descriptor, `note` a message for the user.
    """

    form: Form
    spec: str
    folder: Path
    name: str = ""
    template: Template | None = None
    descriptor: int | None = None
    force: bool = False
    note: str | None = None

    @property
    def is_stream(self) -> bool:
        """Whether the bytes are written to a stream, with nothing to rename (drill O03)."""
        return self.form in (Form.STDOUT, Form.DESCRIPTOR, Form.DEVICE)

    @property
    def base(self) -> Path:
        """The folder that must exist; a folder that -o names is created in it when the video is saved (finding D01)."""
        return self.folder.parent

    @property
    def device(self) -> Path:
        return self.folder / self.name

    def path_for(self, facts: Facts, index: int = 0, kind: str = "mp4") -> Path:
        """Return the path of one output. The extension follows the content, except where a person typed the name."""
        longest = longest_name(self.folder)
        if self.template is None:
            name = self.name if self.form is Form.FILE else naming.default_name(facts, kind)
            return self.folder / naming.fit(naming.numbered(name, index), longest)
        *folders, name = self.template.fill(facts, index, kind)
        if not self.template.counts:
            name = naming.numbered(name, index)
        path = self.folder.joinpath(*(naming.fit(folder, longest) for folder in folders), naming.fit(name, longest))
        if not Path(os.path.normpath(path)).is_relative_to(os.path.normpath(self.folder)):
            raise UsageError(f"The output {self.spec!r} leaves the folder {self.folder}.")
        return path

    def part_for(self, facts: Facts, index: int = 0) -> Path:
        """Return the `.part` of one output, beside its final name; the same in every process."""
        path = self.path_for(facts, index)
        return path.with_name(naming.part_name(path.name, facts.id, index, longest=longest_name(self.folder)))

    def above(self) -> "Target":
        """Return what is left where something else has the name of a folder by now: the next folder above it."""
        folder = next(place for place in (self.folder, *self.folder.parents) if place.is_dir())
        form = Form.FILE if self.form is Form.FILE else Form.FOLDER
        return self._replace(form=form, folder=folder, template=None)

    def is_place(self, path: Path, facts: Facts, index: int = 0) -> bool:
        """Return whether a save of this output may have used `path`: its name, or the one beside it (drill O01)."""
        kind = path.suffix[1:]
        own = self.path_for(facts, index, kind if kind in KINDS else "mp4")
        return any(_is_same(path, place) for place in (own, beside_for(own, facts)))

    def refuse_existing(self, facts: Facts | None, index: int = 0) -> None:
        """Raise OutputExists where something has the name already: only before any money is spent (R-A4)."""
        if facts is None and self.form is not Form.FILE:
            return
        path = self.folder / self.name if facts is None else self.path_for(facts, index)
        if not self.force and os.path.lexists(path):
            raise OutputExists(
                f"{path} exists already.", hint="name another file with -o, or overwrite it with --force"
            )


def parse_target(
    spec: str | None,
    *,
    force: bool = False,
    stdout_is_tty: bool = False,
    cwd: Path | None = None,
    is_bought: bool = False,
    rules: names.Rules = names.HERE,
) -> Target:
    """Return the target for the value of `-o`; None is the current folder, with default names.

    With `is_bought` whatever has the name is no reason to refuse: the video is saved beside it (drill O01).

    Raises UsageError for what can never be written (drills O02, O08, O16), and OutputUnwritable, also for a name that
    this system does not take, where that was bought already.
    """
    spec = expand_user(spec) if spec is not None else None
    cwd = cwd or _here(spec)
    if spec is None:
        return Target(Form.FOLDER, "", cwd, force=force)
    if not spec or "\0" in spec:
        raise UsageError("The output's name is empty." if not spec else "An output's name cannot have a NUL in it.")
    number = _descriptor_of(spec)
    if spec == "-" or number is not None:
        return _stream(spec, number, stdout_is_tty)
    if rules.is_null(spec):
        return Target(Form.DEVICE, spec, Path(), spec, force=force)
    if "{" in spec:
        template = naming.parse_template(spec, rules)
        if template.has_fields:
            made = template.base + "/".join(template.fill(naming.LONGEST_FACTS, 0, "mp4"))
            _refuse_fault(rules.fault(template.text) or rules.fault(made), is_bought)
            folder = cwd / template.base
            if not is_bought:
                _refuse_file(folder)
            return Target(Form.TEMPLATE, spec, folder, template=template, force=force)
        spec = spec.replace("{{", "{").replace("}}", "}")
    _refuse_fault(rules.fault(spec), is_bought)
    return _named(spec, cwd, force, is_bought, rules)


def _refuse_fault(fault: names.Fault | None, is_bought: bool) -> None:
    """Refuse a name that the system does not take, or takes for something else (W7, W13, W14)."""
    if fault is None:
        return
    if is_bought:
        raise OutputUnwritable(fault.message)
    raise UsageError(fault.message, hint=f"a name that works: {fault.better}")


def _refuse_file(folder: Path) -> None:
    """Raise OutputUnwritable where what has the name of a folder is none, and where nobody may look (drill O04)."""
    with disk.disk_errors(folder), suppress(FileNotFoundError), system.files_in_the_way():
        if not stat.S_ISDIR(os.stat(folder).st_mode):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), os.fspath(folder))


def check_target(
    target: Target, *, size_estimate: int = 0, to_make: Path | None = None, facts: Facts = naming.LONGEST_FACTS
) -> None:
    """Check that a video can be saved; its size is an estimate in bytes, and `facts` make the names that are tried.

    `to_make` is a folder that the caller creates before anything is saved in it.

    Raises OutputUnwritable for a folder that is missing, takes no files, or has no room (drill O04), and UsageError for
    a template that leaves it. A name that is taken is not checked: see `Target.refuse_existing`.
    """
    if not target.is_stream:
        folder = target.folder if target.folder.is_dir() else target.base
        folder = folder.parent if folder == to_make else folder
        _try_folder(target, folder, facts)
        require_room(folder, None, at_least=size_estimate)


def absolute_spec(spec: str | None, cwd: Path | None = None) -> str | None:
    """Return `spec` with an absolute path, for a process in another folder; None for streams of this process."""
    if spec is None or spec == "-" or _descriptor_of(spec) is not None:
        return None
    spec = expand_user(spec)
    if Path(spec).is_absolute() or not spec or names.HERE.is_null(spec):
        return spec
    base = os.fspath(cwd or _here(spec))
    if "{" in spec:
        return os.path.join(_braced(base), spec)
    joined = os.path.join(base, spec)
    return _braced(joined) if "{" in joined else joined


def takes_stdout(spec: str | None) -> bool:
    """Return whether the video goes to stdout, where nothing else may be written then (drill O11)."""
    return spec == "-" or (spec is not None and _descriptor_of(spec) == 1)


def _here(spec: str | None) -> Path:
    """Return the current directory; one that was removed is an error only for a relative spec."""
    try:
        return Path.cwd()
    except OSError as error:
        if spec is not None and (spec == "-" or os.path.isabs(spec)):
            return Path("/")
        raise OutputUnwritable(
            "The current directory does not exist any more.", hint="cd to another one, or save to a whole path with -o"
        ) from error


def beside_for(path: Path, facts: Facts) -> Path:
    """Return the name for a video whose own name is taken: `boat-<id>.mp4`."""
    name = naming.beside(path.name, naming.short_id(facts.id))
    return path.with_name(naming.fit(name, longest_name(path.parent)))


def _named(spec: str, cwd: Path, force: bool, is_bought: bool, rules: names.Rules) -> Target:
    """Return the target for a path by its file type; it is not opened, since a FIFO would block."""
    folder, name = os.path.split(os.path.join(cwd, spec))
    fitting = naming.fit(name, longest_name(Path(folder)))
    note = f"the name is too long for the file system and was cut: {fitting}" if fitting != name else None
    path = Path(folder, fitting)
    form, place, name = (Form.FOLDER, path, "") if rules.is_folder(spec) else (Form.FILE, path.parent, fitting)
    taken = Target(form, spec, place, name, force=force, note=note)
    with disk.disk_errors(path):
        try:
            with system.files_in_the_way():
                mode = os.stat(path)
        except FileNotFoundError:
            return taken if form is Form.FOLDER else _file(path, spec, force, note)
        except OSError:
            if is_bought:
                return taken
            raise
    if stat.S_ISDIR(mode.st_mode):
        return Target(Form.FOLDER, spec, path, force=force)
    if stat.S_ISREG(mode.st_mode):
        if form is Form.FILE:
            return _file(path, spec, force, note)
        if is_bought:
            return taken
        raise OutputUnwritable(f"{spec} is a file, not a folder.")
    if system.is_sink(path):
        return Target(Form.DEVICE, spec, path.parent, path.name, force=force)
    if is_bought:
        return taken
    raise UsageError(f"{spec} is {_what(mode)}; nothing is written there.", hint="name a file or a folder with -o")


def _file(path: Path, spec: str, force: bool, note: str | None) -> Target:
    if force and path.is_symlink():
        # Overwriting means what the link leads to; the link itself stays.
        path = Path(os.path.realpath(path))
    return Target(Form.FILE, spec, path.parent, path.name, force=force, note=note)


def _stream(spec: str, number: int | None, stdout_is_tty: bool) -> Target:
    if number is None:
        if stdout_is_tty:
            raise _terminal()
        return Target(Form.STDOUT, spec, Path("/"))
    try:
        os.fstat(number)
        inherited = number <= 2 or os.get_inheritable(number)
    except (OSError, OverflowError) as error:
        raise OutputUnwritable(f"{spec} cannot be written: it is not open.") from error
    if not inherited:
        # A descriptor of this process, perhaps of the record.
        raise OutputUnwritable(f"{spec} cannot be written: no such descriptor was handed to orvideo.")
    if not system.is_open_to_write(number):
        raise OutputUnwritable(f"{spec} cannot be written: it was opened for reading only.")
    if os.isatty(number) or (number == 1 and stdout_is_tty):
        raise _terminal()
    return Target(Form.DESCRIPTOR, spec, Path("/"), descriptor=number)


def _terminal() -> UsageError:
    return UsageError("A video's bytes do not go to a terminal.", hint="pipe them on, or name a file with -o")


def _descriptor_of(spec: str) -> int | None:
    if spec in ("/dev/stdout", "/dev/stderr"):
        return 1 if spec == "/dev/stdout" else 2
    for prefix in _BY_NUMBER:
        digits = spec.removeprefix(prefix)
        if digits != spec and digits.isascii() and digits.isdigit() and len(digits) < 10:
            return int(digits)
    return None


def _what(mode: os.stat_result) -> str:
    kinds = {stat.S_IFIFO: "a FIFO", stat.S_IFSOCK: "a socket", stat.S_IFBLK: "a device", stat.S_IFCHR: "a device"}
    return kinds.get(stat.S_IFMT(mode.st_mode), "no regular file")


def _try_folder(target: Target, folder: Path, facts: Facts) -> None:
    """Create and remove a file with the longest name that a download may use, and what may be refused by its name."""
    longest = longest_name(folder)
    made = target.path_for(facts)
    parts = made.relative_to(folder).parts if made.is_relative_to(folder) else (made.name,)
    # As long as the whole way to the file, so that a path that is too long for the system is found now.
    likely = parts[0] if len(parts) == 1 else "x" * len("/".join(parts))
    mark = ".checking-0.part"
    with disk.disk_errors(folder if folder.is_dir() else folder / likely):
        for part in parts:
            _try_name(folder / part)
        disk.try_folder(folder, naming.fit(likely, longest - len(mark) - _MORE) + mark + "x" * _MORE)


def _try_name(path: Path) -> None:
    """Try a name that Windows does not take on the disk itself: it may have been made by Windows (G6)."""
    fault = names.name_fault(path.name)
    if fault is None or not disk.refuses_name(path):
        return
    raise OutputUnwritable(
        f"The disk of {path.parent} does not take the name {path.name!r}.", hint=f"a name that works: {fault.better}"
    )


def _is_same(path: Path, other: Path) -> bool:
    """Return whether two paths are one, also where case or the spelling of an accent does not count (M1)."""
    if path == other:
        return True
    return names.folded(str(path)) == names.folded(str(other)) and disk.is_same_file(path, other)


def _braced(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")
