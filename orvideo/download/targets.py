"""Where a video goes, decided before any money is spent: what cannot work is refused while that costs nothing.

A target is a file, a folder, a template, stdout, a descriptor that was inherited, or one of the memory devices. That
a folder can be written is not guessed from modes: a file is made in it and removed again (drill O04).
"""

import os
import stat
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from orvideo.download import naming
from orvideo.download.container import KINDS, Kind
from orvideo.download.naming import Facts, Template
from orvideo.errors import OutputExists, OutputUnwritable, UsageError

#: Major 1 are the memory devices of Linux: null (3), zero (5) and full (7) take bytes and keep none.
_MEMORY_DEVICES = frozenset((1, minor) for minor in (3, 5, 7))
_BY_NUMBER = ("/dev/fd/", "/proc/self/fd/")


class Form(StrEnum):
    FILE = "file"
    FOLDER = "folder"
    TEMPLATE = "template"
    STDOUT = "stdout"
    DESCRIPTOR = "descriptor"
    DEVICE = "device"


class Target(NamedTuple):
    """A decided output. `folder` is absolute and was seen to take files; for streams it means nothing.

    `name` is a file's name, `template` what a template says below `folder`, `descriptor` an inherited descriptor's
    number, `note` something to tell the person.
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
        """Whether the bytes are written where they are, with nothing to rename (drill O03)."""
        return self.form in (Form.STDOUT, Form.DESCRIPTOR, Form.DEVICE)

    @property
    def device(self) -> Path:
        return self.folder / self.name

    def path_for(self, facts: Facts, index: int = 0, kind: Kind = "mp4") -> Path:
        """Return the path of one output. The extension follows the content, except where a person typed the name."""
        longest = longest_name(self.folder)
        if self.form is Form.FILE:
            return self.folder / naming.fit(naming.numbered(self.name, index), longest)
        if self.template is None:
            return self.folder / naming.fit(naming.numbered(naming.default_name(facts, kind), index), longest)
        *folders, name = self.template.fill(facts, index, kind)
        if not self.template.counts:
            name = naming.numbered(name, index)
        path = self.folder.joinpath(*(naming.fit(folder, longest) for folder in folders), naming.fit(name, longest))
        if os.path.commonpath([self.folder, os.path.normpath(path)]) != os.path.normpath(self.folder):
            raise UsageError(f"The output {self.spec!r} leaves the folder {self.folder}.")
        return path

    def part_for(self, facts: Facts, index: int = 0) -> Path:
        """Return the file that one output grows in, beside its target; the same in every process."""
        path = self.path_for(facts, index)
        return path.with_name(naming.part_name(path.name, facts.id, index, longest=longest_name(self.folder)))

    def places(self, facts: Facts, index: int = 0) -> list[Path]:
        """Return where a save of this output may end: its name, and the one beside it if that is taken (drill O01)."""
        paths = [self.path_for(facts, index, kind) for kind in KINDS]
        return list(dict.fromkeys(paths + [beside_for(path, facts) for path in paths]))

    def refuse_existing(self, facts: Facts, index: int = 0, kind: Kind = "mp4") -> None:
        """Raise OutputExists where something has the name already, unless it is what a killed save of this job left."""
        path = self.path_for(facts, index, kind)
        if not self.force and os.path.lexists(path) and not is_leftover(path, self.part_for(facts, index)):
            raise _exists(path)


def decide_target(
    spec: str | None,
    *,
    force: bool = False,
    stdout_is_tty: bool = False,
    size_estimate: int = 0,
    cwd: Path | None = None,
    facts: Facts | None = None,
) -> Target:
    """Decide where videos go from what `-o` says; None is the current folder, with names of our own.

    `size_estimate` is in bytes. With `facts` of a job the names it would get are checked as well. Raises UsageError
    for what can never be written (drills O02, O08, O16), OutputExists, and OutputUnwritable for a folder that is
    missing, takes no files, or has no room (O04).
    """
    target = _decide(spec, cwd or _here(spec), force, stdout_is_tty)
    if not target.is_stream:
        if facts is not None:
            target.refuse_existing(facts)
        elif target.form is Form.FILE and not force and os.path.lexists(target.folder / target.name):
            raise _exists(target.folder / target.name)
        _check_folder(target, size_estimate)
    return target


def absolute_spec(spec: str | None, cwd: Path | None = None) -> str | None:
    """Return `spec` as another process in another folder must be told it; None for what ends with this process."""
    if spec is None or spec == "-" or _descriptor_of(spec) is not None:
        return None
    if os.path.isabs(spec) or not spec:
        return spec
    base = os.fspath(cwd or _here(spec))
    if "{" in spec:
        return os.path.join(_braced(base), spec)
    joined = os.path.join(base, spec)
    return _braced(joined) if "{" in joined else joined


def takes_stdout(spec: str | None) -> bool:
    """Tell whether the video itself goes to stdout, where nothing else may be written then (drill O11)."""
    return spec == "-" or (spec is not None and _descriptor_of(spec) == 1)


def _here(spec: str | None) -> Path:
    """Return the current directory; one that was removed meanwhile matters only to a spec that is below it."""
    try:
        return Path.cwd()
    except OSError as error:
        if spec is not None and (spec == "-" or os.path.isabs(spec)):
            return Path("/")
        raise OutputUnwritable(
            "The current directory does not exist any more.", hint="cd to another one, or save to a whole path with -o"
        ) from error


def beside_for(path: Path, facts: Facts) -> Path:
    """Return the name that a video gets when a file has appeared under its own: `boat-<id>.mp4`."""
    name = naming.beside(path.name, naming.short_id(facts.id))
    return path.with_name(naming.fit(name, longest_name(path.parent)))


def is_leftover(path: Path, part: Path) -> bool:
    """Tell whether `path` is a finished save that was killed before it was recorded: one file with its `.part`."""
    try:
        return os.path.samestat(os.lstat(path), os.lstat(part))
    except OSError:
        return False


def require_room(folder: Path, needed: int) -> None:
    """Raise OutputUnwritable when `needed` bytes do not fit; file systems that do not know their size are trusted."""
    try:
        room = os.statvfs(folder)
    except OSError:
        return
    free = room.f_bavail * room.f_frsize
    if room.f_blocks and free < needed:
        raise OutputUnwritable(
            f"There is no room in {folder}: {_mib(needed)} MiB are needed and {_mib(free)} MiB are free.",
            hint="make room, or save elsewhere with -o",
        )


def longest_name(folder: Path) -> int:
    """Return how many bytes a name in `folder` may have; some encrypting file systems take 143."""
    try:
        return min(os.pathconf(folder, "PC_NAME_MAX"), naming.LONGEST)
    except (OSError, ValueError, AttributeError):
        return naming.LONGEST


def _decide(spec: str | None, cwd: Path, force: bool, stdout_is_tty: bool) -> Target:
    if spec is None:
        return Target(Form.FOLDER, "", cwd, force=force)
    if not spec or "\0" in spec:
        raise UsageError("The output's name is empty." if not spec else "An output's name cannot have a NUL in it.")
    number = _descriptor_of(spec)
    if spec == "-" or number is not None:
        return _stream(spec, number, stdout_is_tty)
    if "{" in spec:
        template = naming.parse_template(spec)
        if template.has_fields:
            return Target(Form.TEMPLATE, spec, cwd / template.base, template=template, force=force)
        spec = spec.replace("{{", "{").replace("}}", "}")
    return _named(spec, cwd, force)


def _named(spec: str, cwd: Path, force: bool) -> Target:
    """Decide on a path by what is there, without opening it: a FIFO would wait for its reader."""
    folder, name = os.path.split(os.path.join(cwd, spec))
    fitting = naming.fit(name, longest_name(Path(folder)))
    note = f"the name is too long for the file system and was cut: {fitting}" if fitting != name else None
    path = Path(folder, fitting)
    try:
        mode = os.stat(path)
    except FileNotFoundError:
        if spec.endswith("/"):
            raise OutputUnwritable(f"The folder {spec} does not exist.", hint=f"mkdir -p {spec}") from None
        return _file(path, spec, force, note)
    except OSError as error:
        raise _unwritable(path, error) from error
    if stat.S_ISDIR(mode.st_mode):
        return Target(Form.FOLDER, spec, path, force=force)
    if stat.S_ISREG(mode.st_mode):
        if spec.endswith("/"):
            raise OutputUnwritable(f"{spec} is a file, not a folder.")
        return _file(path, spec, force, note)
    if stat.S_ISCHR(mode.st_mode) and _takes_anything(mode):
        return Target(Form.DEVICE, spec, path.parent, path.name, force=force)
    raise UsageError(f"{spec} is {_what(mode)}; a video is not written there.", hint="name a file or a folder with -o")


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
        # One of our own: the record may be behind it.
        raise OutputUnwritable(f"{spec} cannot be written: no such descriptor was handed to orvideo.")
    if _is_read_only(number):
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


def _is_read_only(descriptor: int) -> bool:
    try:
        import fcntl
    except ImportError:
        return False
    return fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY


def _takes_anything(mode: os.stat_result) -> bool:
    if (os.major(mode.st_rdev), os.minor(mode.st_rdev)) in _MEMORY_DEVICES:
        return True
    with suppress(OSError):
        return mode.st_rdev == os.stat(os.devnull).st_rdev
    return False


def _what(mode: os.stat_result) -> str:
    kinds = {stat.S_IFIFO: "a FIFO", stat.S_IFSOCK: "a socket", stat.S_IFBLK: "a device", stat.S_IFCHR: "a device"}
    return kinds.get(stat.S_IFMT(mode.st_mode), "no regular file")


def _check_folder(target: Target, size_estimate: int) -> None:
    """Make the kind of file that a download begins with, and remove it again."""
    longest = longest_name(target.folder)
    # A path that is too long for the system must be found now: with the longest name that can come of this.
    likely = target.name or "x" * (longest - 40)
    # Always the same name, so that what a kill left of one try is removed by the next (drill D14).
    mark = ".checking-0.part"
    probe = target.folder / (naming.fit(likely, longest - len(mark) - 10) + mark)
    try:
        descriptor = _make_anew(probe)
        try:
            os.write(descriptor, bytes(1024))
        finally:
            os.close(descriptor)
            probe.unlink(missing_ok=True)  # gone, if another process is checking as well
    except OSError as error:
        raise _unwritable(target.folder, error) from error
    require_room(target.folder, size_estimate)


def _make_anew(path: Path) -> int:
    """Make a file that was not there, nor led elsewhere, and return its descriptor; one that is there is removed."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)
    for _ in range(20):
        with suppress(FileExistsError):
            return os.open(path, flags, 0o666)
        path.unlink(missing_ok=True)
    return os.open(path, flags, 0o666)


def _unwritable(path: Path, error: OSError) -> OutputUnwritable:
    if isinstance(error, FileNotFoundError):
        return OutputUnwritable(f"The folder {path} does not exist.", hint=f"mkdir -p {path}")
    return OutputUnwritable(f"{path} cannot be written: {error.strerror or error}.")


def _exists(path: Path) -> OutputExists:
    return OutputExists(f"{path} exists already.", hint="name another file with -o, or overwrite it with --force")


def _braced(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _mib(count: int) -> int:
    return -(-count // 2**20)
