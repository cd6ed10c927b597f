"""What orvideo is measured beside, each in a virtual environment of its own, made once and kept in a cache directory.

The directory is `$ORVIDEO_BENCH_CACHE`, else `orvideo-bench` in the user's cache. A peer that cannot be had (no
network, no such command here) is named and skipped.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

#: Environment to what is installed into it.
PACKAGES = {
    "hf": ["huggingface_hub"],
    "yt-dlp": ["yt-dlp"],
    "llm": ["llm"],
    "httpie": ["httpie"],
    "openrouter": ["openrouter"],
    "httpx": ["httpx>=0.28,<0.29"],
}


def cache() -> Path:
    given = os.environ.get("ORVIDEO_BENCH_CACHE")
    if given:
        return Path(given)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "orvideo-bench"


@dataclass
class Peers:
    """The environments, made when first asked for; `missing` says which could not be, and why.

    With `here`, orvideo is the one of the interpreter that runs the benchmarks, and no peer is installed: quick, and
    for a test of the benchmarks only.
    """

    here: bool = False
    missing: dict[str, str] = field(default_factory=dict)
    _made: dict[str, Path] = field(default_factory=dict)

    def orvideo(self) -> Path:
        """Return the script of this checkout, installed into a clean environment without the sandbox."""
        return self._ours("orvideo", str(ROOT))

    def orvideo_with_film(self) -> Path:
        return self._ours("orvideo-film", f"{ROOT}[film]")

    def orvideo_with_sandbox(self) -> Path:
        return self._ours("orvideo-sandbox", f"{ROOT}[sandbox]")

    def python_of(self, name: str) -> Path | None:
        """Return the interpreter of a peer's environment, None where it cannot be had."""
        return self._find(name, "python")

    def script_of(self, name: str, script: str) -> Path | None:
        return self._find(name, script)

    def command(self, *needed: str) -> bool:
        """Tell whether commands are on this machine; those that are not are noted as missing."""
        for name in needed:
            if shutil.which(name) is None:
                self.missing[name] = "not on this machine"
        return all(shutil.which(name) for name in needed)

    def _find(self, name: str, script: str) -> Path | None:
        if self.here:
            self.missing[name] = "not asked for"
            return None
        if name not in self._made and name not in self.missing:
            self._make(name)
        found = self._made.get(name)
        return found and found / "bin" / script

    def _make(self, name: str) -> None:
        place = cache() / name
        stamp = place / "made"
        try:
            if not stamp.exists():
                _create(place)
                _pip(place, *PACKAGES[name])
                stamp.touch()
        except (OSError, subprocess.SubprocessError) as error:
            said = getattr(error, "stderr", None) or str(error)
            self.missing[name] = said.strip().splitlines()[-1][:200]
            return
        self._made[name] = place

    def _ours(self, name: str, what: str) -> Path:
        if self.here:
            return Path(sys.executable).parent / "orvideo"
        if name not in self._made:
            place = cache() / name
            stamp, needs = place / "made", (ROOT / "pyproject.toml").read_text()
            if not stamp.exists() or stamp.read_text() != needs:
                _create(place)
                _pip(place, what)
                stamp.write_text(needs)
            else:
                # What has changed since; its dependencies are there.
                _pip(place, "--force-reinstall", "--no-deps", str(ROOT))
            installed = subprocess.run(
                [place / "bin" / "pip", "list", "--format=freeze"], capture_output=True, text=True
            )
            if "\nclick==" in f"\n{installed.stdout}":
                raise SystemExit(f"{place} has click in it, which slows httpx down: this would measure something else")
            self._made[name] = place
        return self._made[name] / "bin" / "orvideo"


def _create(place: Path) -> None:
    if place.exists():
        shutil.rmtree(place)
    venv.create(place, with_pip=True, symlinks=True)


def _pip(place: Path, *arguments: str) -> None:
    command = [str(place / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", *arguments]
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=600)


def surroundings(home: Path, base_url: str = "", **more: str) -> dict[str, str]:
    """Return an environment in which nothing of this machine's is seen, and no service but the one on loopback."""
    return {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_STATE_HOME": str(home / "state"),
        "XDG_CACHE_HOME": str(home / "cache"),
        "PATH": os.environ["PATH"],
        "LANG": "C.UTF-8",
        "NO_PROXY": "127.0.0.1,localhost",
        "OPENROUTER_API_KEY": "sk-or-v1-0123456789abcdef-bench",
        **({"ORVIDEO_BASE_URL": base_url} if base_url else {}),
        **more,
    }
