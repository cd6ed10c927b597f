"""Which program installed orvideo, which extras are there, and the line that installs another one."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import orvideo
from orvideo import shells
from orvideo.errors import UsageError

if TYPE_CHECKING:
    from importlib.metadata import Distribution

PACKAGE = "orvideo"
#: Extras for whoever changes orvideo, and the one that is all the others.
_NOT_SHOWN = frozenset({"test", "lint", "mutation", "all"})
_REQUIREMENT = re.compile(r"(?P<name>[\w.-]+).*;\s*extra\s*==\s*['\"](?P<extra>[\w-]+)['\"]")


def installer(prefix: str = sys.prefix) -> str:
    """Return what made the environment: `uv tool`, `pipx`, `uv` (one that its pip fills) or `pip`."""
    folder = Path(prefix)
    if (folder / "uv-receipt.toml").is_file():
        return "uv tool"
    # pipx may let uv make its environments.
    if (folder / "pipx_metadata.json").is_file():
        return "pipx"
    try:
        made_by_uv = re.search(r"^uv\s*=", (folder / "pyvenv.cfg").read_text(encoding="utf-8"), re.MULTILINE)
    except (OSError, ValueError):
        made_by_uv = None
    return "uv" if made_by_uv else "pip"


#: What an extra brings, as it is imported.
_BROUGHT_BY = {"film": ("av", "PIL", "textual_image"), "gallery": ("falcon", "waitress")}


@contextmanager
def needing(extra: str, what: str) -> Iterator[None]:
    """Raise UsageError, with the line that installs it, where a library that `what` needs of an extra is missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        library = (error.name or "").partition(".")[0]
        if library not in _BROUGHT_BY[extra]:
            raise
        raise UsageError(f"{what} needs {library}, which is not installed.", hint=line_for(extra)) from error


def line_for(
    extra: str, *, prefix: str = sys.prefix, python: str = sys.executable, platform: str = sys.platform
) -> str:
    """Return the line that installs an extra, for the installer that was used.

    uv tool and pipx make the whole environment anew: they are told where orvideo came from, and the extras that it has.
    """

    def wanted(*extras: str, source: str = "") -> str:
        return shells.word(f"{PACKAGE}[{','.join(sorted(extras))}]{source}", platform=platform)

    match installer(prefix):
        case "uv tool":
            return f"uv tool install {wanted(*{extra, *_present()}, source=_source())}"
        case "pipx":
            return f"pipx install --force {wanted(*{extra, *_present()}, source=_source())}"
        case other:
            return f"{_into_environment(other, python, platform)} {wanted(extra)}"


def line_for_package(
    package: str, *, prefix: str = sys.prefix, python: str = sys.executable, platform: str = sys.platform
) -> str:
    """Return the line that installs another package beside orvideo."""
    match installer(prefix):
        case "uv tool":
            extras = ",".join(_present())
            own = shells.word(f"{PACKAGE}[{extras}]{_source()}" if extras else PACKAGE + _source(), platform=platform)
            return f"uv tool install --with {package} {own}"
        case "pipx":
            return f"pipx inject {PACKAGE} {package}"
        case other:
            return f"{_into_environment(other, python, platform)} {package}"


def _into_environment(installed_by: str, python: str, platform: str) -> str:
    if installed_by == "uv":
        return f"uv pip install --python {shells.word(python, platform=platform)}"
    return f"{shells.program(python, platform=platform)} -m pip install"


def report() -> list[str]:
    """Return the lines of `orvideo --version -v`."""
    import platform

    lines = [
        f"orvideo {orvideo.__version__}",
        f"Python {platform.python_version()} ({platform.python_implementation()}), {sys.executable}",
        f"{platform.platform()}, {platform.machine()}",
        f"installed by {installer()}, in {orvideo.__path__[0]}",
    ]
    for name, missing in extras().items():
        lacks = f"not installed ({', '.join(missing)}); to have it: {line_for(name)}"
        lines.append(f"extra {name}: {lacks if missing else 'installed'}")
    return lines


def extras() -> dict[str, tuple[str, ...]]:
    """Return each extra for people, with the packages of it that are missing; none where orvideo is not installed."""
    own = _installed(PACKAGE)
    if own is None:
        return {}
    found: dict[str, list[str]] = {
        name: [] for name in own.metadata.get_all("Provides-Extra") or () if name not in _NOT_SHOWN
    }
    for requirement in own.requires or ():
        asked = _REQUIREMENT.fullmatch(requirement)
        if asked is not None and asked["extra"] in found and not _installed(asked["name"]):
            found[asked["extra"]].append(asked["name"])
    return {name: tuple(missing) for name, missing in sorted(found.items())}


def _present() -> Iterator[str]:
    return (name for name, missing in extras().items() if not missing)


def _installed(package: str) -> Distribution | None:
    from importlib.metadata import PackageNotFoundError, distribution  # slow to import, and few commands ask

    try:
        return distribution(package)
    except PackageNotFoundError:
        return None


def _source() -> str:
    """Return ` @ URL` where orvideo was installed from a folder, a file or a repository, "" for the index (PEP 610)."""
    own = _installed(PACKAGE)
    try:
        told = json.loads((own.read_text("direct_url.json") if own is not None else None) or "{}")
        url, of_version = told.get("url", ""), told.get("vcs_info", {})
    except (ValueError, AttributeError):
        return ""
    if of_version:
        url = f"{of_version.get('vcs', 'git')}+{url}"
    return f" @ {url}" if url else ""
