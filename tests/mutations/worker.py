"""Run chosen tests in this copy, again and again: a line of JSON in, a line of JSON out.

In: {"tests": [node id, ...], "seconds": {node id: how long it took once}, "limit": seconds for all of them}.
Out: {"status": "passed" | "failed" | "timeout" | "broken", "by": the first test that failed, "seconds": how long}.

Everything but orvideo and its tests is imported once; each run is a fork of that, and the end of a run is the end of
all that it has started.
"""

import gc
import json
import os
import resource
import shutil
import signal
import sys
import time
from contextlib import suppress
from importlib import import_module
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[2])
from tests.processes import adopt_orphans, descendants  # noqa: E402

sys.path.pop(0)
for _name in [name for name in sys.modules if name.partition(".")[0] in ("tests", "orvideo")]:
    del sys.modules[_name]

LIBRARIES = (
    "_pytest.assertion.rewrite", "asyncio", "av", "falcon", "h11", "httpcore", "httpx", "hypothesis.stateful",
    "jsonschema", "PIL.Image", "pexpect", "platformdirs", "pydantic", "pyte", "pytest", "pytest_timeout",
    "rich.console", "rich.live", "rich.progress", "schemathesis.pytest.plugin", "sqlite3", "ssl", "tomlkit", "typer",
    "unittest.mock", "waitress", "xdist.plugin",
)  # fmt: skip
_OPTIONS = ["-x", "-q", "-n", "0", "-p", "no:randomly", "-p", "no:cacheprovider", "--tb=no", "--no-header"]
# The plugins are imported already, and need no better assertions.
_OPTIONS += ["-p", "no:anyio", "-p", "no:schemathesis", "-W", "ignore::pytest.PytestAssertRewriteWarning"]
_GIB = 1 << 30


class Chosen:
    """Keeps the chosen tests, in their order, each with a limit of its own, and the first that fails."""

    def __init__(self, tests: list[str], seconds: dict[str, float]) -> None:
        self._place = {name: number for number, name in enumerate(tests)}
        self._seconds = seconds
        self.by = ""

    def pytest_collection_modifyitems(self, config, items):  # type: ignore[no-untyped-def]
        import pytest

        kept = sorted((one for one in items if one.nodeid in self._place), key=lambda one: self._place[one.nodeid])
        for one in kept:
            one.add_marker(pytest.mark.timeout(10 + 5 * self._seconds.get(one.nodeid, 5)))
        config.hook.pytest_deselected(items=[one for one in items if one.nodeid not in self._place])
        items[:] = kept

    def pytest_runtest_logreport(self, report):  # type: ignore[no-untyped-def]
        if report.failed and not self.by:
            self.by = report.nodeid


def run(tests: list[str], seconds: dict[str, float], limit: float) -> dict[str, object]:
    """Run tests in a fork of this process."""
    answer = Path(".answer")
    answer.unlink(missing_ok=True)
    began = time.monotonic()
    child = os.fork()
    if child == 0:
        _in_the_fork(tests, seconds, answer)
    status: int | None = None
    while status is None and time.monotonic() - began < limit:
        pid, ended = os.waitpid(child, os.WNOHANG)
        if pid:
            status = ended
        else:
            time.sleep(0.01)
    _end_all()
    shutil.rmtree(".tmp", ignore_errors=True)
    took = round(time.monotonic() - began, 2)
    if status is None:
        return {"status": "timeout", "by": "", "seconds": took}
    said = json.loads(answer.read_text()) if answer.exists() else {"code": 3, "by": "the test process died"}
    # 1: a test failed. 2: a module could not be imported. 0: all passed. Anything else is a fault of this tool.
    word = {0: "passed", 1: "failed", 2: "failed"}.get(said["code"], "failed" if not answer.exists() else "broken")
    return {"status": word, "by": said["by"] or ("the import" if said["code"] == 2 else ""), "seconds": took}


def _in_the_fork(tests: list[str], seconds: dict[str, float], answer: Path) -> None:
    code = 3
    try:
        nothing = os.open(os.devnull, os.O_RDWR)
        for number in (0, 1, 2):
            os.dup2(nothing, number)
        # A mutant may well ask for everything there is.
        resource.setrlimit(resource.RLIMIT_AS, (12 * _GIB, resource.RLIM_INFINITY))
        resource.setrlimit(resource.RLIMIT_FSIZE, (6 * _GIB, resource.RLIM_INFINITY))
        import pytest

        chosen = Chosen(tests, seconds)
        files = list(dict.fromkeys(test.partition("::")[0] for test in tests))
        code = int(pytest.main([*_OPTIONS, f"--basetemp={os.getcwd()}/.tmp", *files], plugins=[chosen]))
        answer.write_text(json.dumps({"code": code, "by": chosen.by}))
    except BaseException as error:
        answer.write_text(json.dumps({"code": 3, "by": repr(error)}))
    finally:
        os._exit(code)


def _end_all() -> None:
    while left := descendants(os.getpid()):
        for number in left:
            with suppress(OSError):
                os.kill(number, signal.SIGKILL)
        time.sleep(0.01)
    with suppress(OSError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def main() -> None:
    adopt_orphans()
    for name in LIBRARIES:
        with suppress(ImportError):
            import_module(name)
    gc.freeze()
    assert not [name for name in sys.modules if name.partition(".")[0] in ("tests", "orvideo")]
    for line in sys.stdin:
        asked = json.loads(line)
        print(json.dumps(run(asked["tests"], asked["seconds"], asked["limit"])), flush=True)


if __name__ == "__main__":
    main()
