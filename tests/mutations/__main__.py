"""Change the program one small place at a time, and see whether a test notices.

    python -m tests.mutations orvideo/record orvideo/download       # every mutant of these, from where it was left
    python -m tests.mutations orvideo/record --limit 50             # a sample
    python -m tests.mutations --only orvideo/record/ledger.py:320   # the mutants of one line, or of one function
    python -m tests.mutations orvideo/record --list                 # say what would be run

Each mutant is written into a private copy of the working tree, and the tests that reach its lines are run there, until
one fails. Which tests those are is found once, by running the suite under coverage.py (a few minutes); afterwards only
test files that have changed are run again for that. What came of a mutant is kept outside of the checkout: a run that
is stopped goes on where it was, a mutant that survived is tried again when a test has changed, a function that has
changed begins anew. Survivors are printed; those that change nothing a person could see belong in equivalent.txt with
the reason. The exit code is 1 when there are any others.

Needs the `mutation` extra: .venv/bin/pip install -e '.[sandbox,test,mutation]'
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import re
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.mutations.copies import ROOT, Copy, prepared, say
from tests.mutations.mutants import Function, Mutant, functions, is_program, mutants
from tests.mutations.reach import Reach, test_files
from tests.processes import default_signals

EQUIVALENT = Path(__file__).with_name("equivalent.txt")
#: The tests that are asked first, apart from the rest: most mutants are caught by one of them, and they load quickly.
FIRST, FIRST_SECONDS = 24, 4.0
KILLED = ("killed", "timeout")


class Results:
    """What came of each mutant, a line of JSON for each; the last one of a mutant counts."""

    def __init__(self, path: Path, tests: str) -> None:
        self._path, self._tests = path, tests
        self._lock = threading.Lock()
        self.known: dict[str, dict[str, Any]] = {}
        if path.exists():
            for line in path.read_text().splitlines():
                one = json.loads(line)
                self.known[one["key"]] = one

    def of(self, mutant: Mutant) -> dict[str, Any] | None:
        """Return what came of a mutant, if that still holds."""
        one = self.known.get(mutant.key)
        if one is None or one["digest"] != mutant.digest:
            return None
        return one if one["status"] in KILLED or one["suite"] == self._tests else None

    def add(self, mutant: Mutant, **said: Any) -> dict[str, Any]:
        one = {"key": mutant.key, "digest": mutant.digest, "suite": self._tests, **said}
        with self._lock, self._path.open("a") as file:
            file.write(json.dumps(one) + "\n")
            self.known[mutant.key] = one
        return one


class Runner:
    """A copy and the process in it that runs tests."""

    def __init__(self, copy: Copy) -> None:
        self._copy = copy
        self._process = copy.start("worker.py")

    def run(self, tests: list[str], seconds: dict[str, float]) -> dict[str, Any]:
        mine = {test: seconds[test] for test in tests}
        # The collection was measured with the tracer; loading the modules of the tests takes a while too.
        asked = {"tests": tests, "seconds": mine, "limit": 30 + 4 * sum(mine.values())}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the worker in {self._copy.root} has ended")
        return json.loads(answer)  # type: ignore[no-any-return]

    def judge(self, mutant: Mutant, tests: list[str], seconds: dict[str, float]) -> dict[str, Any]:
        """Try a mutant; the copy is as it was afterwards."""
        source = (ROOT / mutant.file).read_bytes()
        self._copy.write(mutant.file, mutant.applied(source))
        try:
            first = _share(tests, seconds)
            said = self.run(first, seconds)
            if said["status"] == "passed" and len(tests) > len(first):
                more = self.run(by_module(tests[len(first) :]), seconds)
                said = {**more, "seconds": said["seconds"] + more["seconds"]}
        finally:
            self._copy.write(mutant.file, source)
        return said

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=30)


def by_module(tests: list[str]) -> list[str]:
    """Return tests with those of one module together, so that its fixtures are made once."""
    modules = list(dict.fromkeys(test.partition("::")[0] for test in tests))
    return sorted(tests, key=lambda test: modules.index(test.partition("::")[0]))


def _share(tests: list[str], seconds: dict[str, float]) -> list[str]:
    spent, count = 0.0, 0
    while count < min(FIRST, len(tests)) and (spent < FIRST_SECONDS or not count):
        spent += seconds[tests[count]]
        count += 1
    return by_module(tests[:count])


def wanted_mutants(paths: list[str], only: list[str]) -> list[Mutant]:
    """Return the mutants of modules and folders, or of FILE:LINE and FILE:FUNCTION."""
    found: list[Mutant] = []
    for name in only:
        file, _, place = name.partition(":")
        all_of = mutants(ROOT, file)
        found += [
            one
            for one in all_of
            if not place or (one.first <= int(place) <= one.last if place.isdigit() else one.function == place)
        ]
    for name in paths:
        path = ROOT / name
        for module in [path] if path.is_file() else sorted(path.rglob("*.py")):
            found += mutants(ROOT, str(module.resolve().relative_to(ROOT)))
    return list(dict.fromkeys(found))


def equivalents() -> set[str]:
    lines = EQUIVALENT.read_text().splitlines()
    return {line.rstrip() for line in lines if line and not line.startswith(("#", " "))}


def survivors(found: list[tuple[Mutant, dict[str, Any]]]) -> Iterator[str]:
    for mutant, said in sorted(found, key=lambda one: (one[0].file, one[0].first)):
        tests = (
            f"{said['ran']} of {said['reaching']} tests that reach it were run" if said["ran"] else "no test reaches it"
        )
        yield f"--- {mutant.file}:{mutant.first} {mutant.function} ({said['status']}: {tests})"
        yield f"-    {mutant.old_line}"
        yield f"+    {mutant.new_line}"
        yield f"    {mutant.key}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="*", metavar="PATH", help="modules or folders of orvideo/")
    parser.add_argument("--only", action="append", default=[], metavar="FILE:LINE", help="or FILE:FUNCTION")
    parser.add_argument("--limit", type=int, help="a sample of so many mutants")
    parser.add_argument("--seed", type=int, default=0, help="of the sample, and of the order")
    parser.add_argument("--jobs", type=int, default=2, help="copies that are worked in at once")
    parser.add_argument("--tests", action="append", default=[], metavar="PATH", help="use only the tests below these")
    parser.add_argument("--seconds", type=float, default=60, help="of tests for one mutant at most")
    parser.add_argument("--again", action="store_true", help="try also what is known to be killed")
    parser.add_argument("--collect", action="store_true", help="look anew which tests reach what")
    parser.add_argument("--list", action="store_true", help="say which mutants there are, and run nothing")
    parser.add_argument("--work", type=Path, help="where copies and results are kept")
    asked = parser.parse_args()
    default_signals()
    if not asked.paths and not asked.only:
        parser.error("name modules or folders, such as orvideo/record")

    known = equivalents()
    everything = wanted_mutants(asked.paths, asked.only)
    chosen = [one for one in everything if one.key not in known]
    random.Random(asked.seed).shuffle(chosen)
    chosen = chosen[: asked.limit]
    say(f"{len(everything)} mutants, {sum(one.key in known for one in everything)} of them listed as equivalent")
    if asked.list:
        for one in sorted(chosen, key=lambda one: (one.file, one.first)):
            print(one.key)
        return 0

    name = hashlib.sha256(str(ROOT).encode()).hexdigest()[:8]
    work = asked.work or Path(tempfile.gettempdir()) / f"orvideo-mutations-{os.getuid()}-{name}"
    say(f"copies and results are in {work}")
    copies = prepared(work, asked.jobs)
    files = test_files(asked.tests)
    reach = Reach(work / "reach")
    reach.collect(copies, files, again=asked.collect)
    targets = sorted({one.file for one in chosen})
    reach.load(targets)
    if asked.tests:
        reach.keep(files)
    if reach.failed:
        say(
            f"{len(reach.failed)} tests failed or were skipped under coverage and are not used:",
            *sorted(reach.failed)[:10],
        )
    suite = hashlib.sha256(b"".join((ROOT / file).read_bytes() for file in test_files([]))).hexdigest()[:16]
    results = Results(work / "results.jsonl", suite)
    tables = {file: functions((ROOT / file).read_bytes()) for file in targets}

    todo = [one for one in chosen if asked.again or results.of(one) is None]
    say(f"{len(chosen) - len(todo)} are known, {len(todo)} to try")
    began = time.monotonic()
    tally: Counter[str] = Counter()
    runners = [Runner(copy) for copy in copies]
    free = list(runners)
    lock = threading.Lock()

    def one(mutant: Mutant) -> None:
        if not is_program(mutant.applied((ROOT / mutant.file).read_bytes())):
            said = results.add(mutant, status="killed", by="the grammar", ran=0, reaching=0, seconds=0)
        elif not (picked := reach.tests(mutant, tables[mutant.file], asked.seconds)).tests:
            said = results.add(mutant, status="unreached", by="", ran=0, reaching=0, seconds=0)
        else:
            with lock:
                runner = free.pop()
            try:
                end = runner.judge(mutant, picked.tests, reach.seconds)
            finally:
                with lock:
                    free.append(runner)
            word = {"passed": "survived", "failed": "killed"}.get(end["status"], end["status"])
            counts = {"ran": len(picked.tests), "reaching": picked.reaching, "seconds": end["seconds"]}
            said = results.add(mutant, status=word, by=end["by"], **counts)
        with lock:
            tally[said["status"]] += 1
            done = tally.total()
        by = re.sub(r".*::", "", said["by"])[:60]
        say(
            f"{done}/{len(todo)} {said['status']} {said['seconds']:.1f} s {mutant.key[:150]}"
            + (f"  [{by}]" if by else "")
        )

    try:
        if todo:
            _check_unchanged(runners, todo, reach, tables)
        with ThreadPoolExecutor(len(runners)) as pool:
            list(pool.map(one, todo))
    finally:
        for runner in runners:
            runner.close()

    minutes = (time.monotonic() - began) / 60
    judged = [(mutant, said) for mutant in chosen if (said := results.of(mutant)) is not None]
    alive = [(mutant, said) for mutant, said in judged if said["status"] not in KILLED]
    for line in survivors(alive):
        print(line)
    print(f"{len(judged)} mutants: {len(judged) - len(alive)} killed, {len(alive)} alive")
    if todo:
        print(
            f"{len(todo)} tried in {minutes:.1f} minutes ({len(todo) / max(minutes, 0.01):.0f} a minute): {dict(tally)}"
        )
    return bool(alive)


def _check_unchanged(
    runners: list[Runner], todo: list[Mutant], reach: Reach, tables: dict[str, list[Function]]
) -> None:
    """Run tests on what is not changed: where one fails, every mutant would seem to be killed."""
    for runner in runners:
        tests = next((picked.tests for one in todo if (picked := reach.tests(one, tables[one.file], 10)).tests), [])
        said = runner.run(by_module(tests), reach.seconds) if tests else {"status": "passed"}
        if said["status"] != "passed":
            raise SystemExit(f"the tests fail without any change: {said}")


if __name__ == "__main__":
    sys.exit(main())
