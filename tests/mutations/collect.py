"""Run tests in a copy and write down which lines each of them runs: `collect.py OUT TEST_FILE...`.

Lines of the test process come from coverage.py, one context a test; functions that its children call come from
`tracer.py`. OUT.coverage is coverage's own file; OUT.json has each test's duration and outcome, and its children's
calls.
"""

import json
import os
import shutil
import sys
from pathlib import Path

import coverage
import pytest

del sys.path[0]
ROOT = Path.cwd()


class Contexts:
    """Names each test to coverage and to the children, and keeps how long it took and how it ended."""

    def __init__(self, measured: coverage.Coverage, folder: Path) -> None:
        self._measured = measured
        self._mark = folder / str(os.getpid())
        self.tests: dict[str, list[object]] = {}

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item, nextitem):  # type: ignore[no-untyped-def]
        self._mark.write_text(item.nodeid)
        self._measured.switch_context(item.nodeid)
        try:
            return (yield)
        finally:
            self._measured.switch_context("")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        took, good = self.tests.get(report.nodeid, [0.0, True])
        # What a fixture of the module costs is not the test's.
        extra = report.duration if report.when == "call" else 0.0
        self.tests[report.nodeid] = [round(float(took) + extra, 4), good and report.outcome == "passed"]  # type: ignore[arg-type]


def main(out: Path, files: list[str]) -> int:
    folder = ROOT / ".reach"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    measured = coverage.Coverage(
        data_file=str(out.with_suffix(".coverage")), config_file=False, include=[f"{ROOT}/orvideo/*"], messages=False
    )
    measured.start()
    contexts = Contexts(measured, folder)
    options = ["-q", "-n", "0", "-p", "no:randomly", "-p", "no:cacheprovider", f"--basetemp={ROOT}/.tmp", "--tb=line"]
    code = pytest.main([*options, *files], plugins=[contexts])
    measured.stop()
    measured.save()
    calls: dict[str, set[tuple[str, str]]] = {}
    for path in folder.glob("calls-*"):
        test, *lines = path.read_text(errors="replace").splitlines() or [""]
        found = calls.setdefault(test, set())
        found.update((file, name) for file, tab, name in (line.partition("\t") for line in lines) if tab)
    shutil.rmtree(folder)
    shutil.rmtree(ROOT / ".tmp", ignore_errors=True)
    found = {"tests": contexts.tests, "calls": {test: sorted(pairs) for test, pairs in calls.items()}}
    out.with_suffix(".json").write_text(json.dumps(found))
    return int(code)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
