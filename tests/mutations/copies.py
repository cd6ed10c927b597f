"""Private copies of the checkout, each with a virtual environment in which `orvideo` is the copy's."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_HERE = Path(__file__).resolve().parent


class Copy:
    """One copy: its root, and the interpreter that runs it."""

    def __init__(self, work: Path, number: int) -> None:
        self.root = work / f"copy-{number}"
        self.python = self.root / ".venv" / "bin" / "python"
        # A module that is compiled again when its second changes: no two states of one may have the same.
        self._second = 1_000_000_000 + int.from_bytes(os.urandom(3)) * 32

    def refresh(self) -> None:
        """Make the copy what the working tree is, with what is not committed."""
        self.root.mkdir(parents=True, exist_ok=True)
        listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        names = subprocess.run(listing, cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0")
        wanted = {name for name in names if name and (ROOT / name).is_file()}
        for path in self.root.rglob("*"):
            inside = path.relative_to(self.root)
            if inside.parts[0] == ".venv" or "__pycache__" in inside.parts or path.is_dir():
                continue
            if str(inside) not in wanted:
                path.unlink()
        for name in wanted:
            here, there = ROOT / name, self.root / name
            if not there.exists() or there.read_bytes() != here.read_bytes():
                there.parent.mkdir(parents=True, exist_ok=True)
                self.write(name, here.read_bytes())
                shutil.copymode(here, there)
        self._environment()

    def write(self, name: str, text: bytes) -> None:
        """Write a file of the copy so that no compiled form of its last state is taken for it."""
        path = self.root / name
        path.write_bytes(text)
        self._second += 1
        os.utime(path, (self._second, self._second))

    def start(self, script: str, *arguments: str) -> subprocess.Popen[str]:
        """Start a script of this folder in the copy, with pipes for its streams."""
        environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        return subprocess.Popen(
            [str(self.python), str(self.root / "tests" / "mutations" / script), *arguments],
            cwd=self.root, env=environ,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            start_new_session=True,
        )  # fmt: skip

    def _environment(self) -> None:
        home = self.root / ".venv"
        if not self.python.exists():
            venv.create(home, with_pip=False, symlinks=True)
        packages = Path(sysconfig.get_path("purelib", vars={"base": str(home), "platbase": str(home)}))
        # As plain paths: what this environment's own .pth files would add, the checkout above all, is left out.
        paths = [str(self.root), sysconfig.get_path("purelib"), "import orvideo_reach_trace"]
        (packages / "orvideo_copy.pth").write_text("\n".join(paths) + "\n")
        shutil.copy(_HERE / "tracer.py", packages / "orvideo_reach_trace.py")
        script = home / "bin" / "orvideo"
        ours = Path(sysconfig.get_path("scripts")) / "orvideo"
        script.write_text(f"#!{self.python}\n" + ours.read_text().partition("\n")[2])
        script.chmod(0o755)


def prepared(work: Path, count: int) -> list[Copy]:
    """Return that many copies of the working tree as it is now."""
    copies = [Copy(work, number) for number in range(count)]
    for copy in copies:
        copy.refresh()
    return copies


def say(*words: object) -> None:
    print(*words, file=sys.stderr, flush=True)
