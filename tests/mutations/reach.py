"""Which tests reach a line, as `collect.py` has seen it, and which of them to run first."""

from __future__ import annotations

import hashlib
import json
import threading
from collections import defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from tests.mutations.copies import ROOT, Copy, say
from tests.mutations.mutants import Function, Mutant, function_at, functions

#: Test files that say nothing about money and bytes, or that take long to say it.
LEFT_OUT = (
    "tests/completion/", "tests/sandbox/", "tests/test_bench.py", "tests/test_docs.py", "tests/test_recipes.py",
    "tests/test_startup.py", "tests/test_suite.py", "tests/test_architecture.py", "tests/mutations/",
)  # fmt: skip


#: So many test files are run at once.
SHARE = 8


class Chosen(NamedTuple):
    """The tests to run for a mutant, in their order, and how many reach it."""

    tests: list[str]
    reaching: int


class Reach:
    """What was collected, kept in a folder: one run of `collect.py` after the other, the newest for each test file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.seconds: dict[str, float] = {}
        self.failed: set[str] = set()
        self._lines: dict[tuple[str, str, int], set[str]] = defaultdict(set)
        self._functions: dict[tuple[str, str], set[str]] = defaultdict(set)
        self._digests: dict[tuple[str, str], set[str]] = defaultdict(set)
        self._files: dict[str, set[str]] = defaultdict(set)

    def collect(self, copies: Sequence[Copy], wanted: Iterable[str], *, again: bool = False) -> None:
        """Run the test files that have changed since they were run, or all of them."""
        known = {} if again else self._known()
        stale = [name for name in wanted if known.get(name, ("",))[0] != _digest(ROOT / name)]
        if not stale:
            return
        say(f"looking which lines {len(stale)} test files reach")
        # In shares of a few files, so that a run that is stopped has not been for nothing.
        count = -(-len(stale) // SHARE)
        shares = [stale[number::count] for number in range(count)]
        first = max((int(path.stem) for path in self._folder.iterdir()), default=0) + 1
        free = list(copies)
        lock = threading.Lock()

        def one(number: int) -> None:
            with lock:
                copy = free.pop()
            out = self._folder / f"{first + number:04d}"
            process = copy.start("collect.py", str(out), *shares[number])
            said, _ = process.communicate()
            with lock:
                free.append(copy)
            say(f"{said.strip().splitlines()[-1] if said.strip() else 'nothing'}: {' '.join(shares[number])}")
            if not out.with_suffix(".json").exists():
                raise RuntimeError(f"the tests could not be run: {said[-2000:]}")
            tables = {
                str(path.relative_to(copy.root)): functions(path.read_bytes())
                for path in (copy.root / "orvideo").rglob("*.py")
            }
            files = {name: _digest(ROOT / name) for name in shares[number]}
            meta = {"root": str(copy.root), "files": files, "tables": tables}
            out.with_suffix(".meta").write_text(json.dumps(meta))

        with ThreadPoolExecutor(len(copies)) as pool:
            list(pool.map(one, range(count)))

    def load(self, targets: Iterable[str]) -> None:
        """Read what reaches these modules."""
        from coverage import CoverageData

        latest = {name: meta for name, (_, meta) in self._known().items()}
        targets = list(targets)
        for path in sorted(self._folder.glob("*.meta")):
            meta = json.loads(path.read_text())
            said = json.loads(path.with_suffix(".json").read_text())
            good = set()
            for test, (seconds, passed) in said["tests"].items():
                if latest.get(test.partition("::")[0]) == path:
                    self.seconds[test] = seconds
                    (good if passed else self.failed).add(test)
            for test in set(said["calls"]) & good:
                for file, name in said["calls"][test]:
                    self._functions[file, name].add(test)
                    self._files[file].add(test)
            data = CoverageData(str(path.with_suffix(".coverage")))
            data.read()
            for file in targets:
                table = [Function(*one) for one in meta["tables"].get(file, [])]
                for one in table:
                    self._digests[file, one.name].add(one.digest)
                for line, contexts in data.contexts_by_lineno(str(Path(meta["root"]) / file)).items():
                    tests = good.intersection(contexts)
                    self._files[file] |= tests
                    if owner := function_at(table, line):
                        self._lines[file, owner.name, line - owner.first] |= tests
                        self._functions[file, owner.name] |= tests if line > owner.first else set()
            data.close()

    def keep(self, files: Iterable[str]) -> None:
        """Forget the tests of all other files."""
        mine = set(files)
        for kept in (self._lines, self._functions, self._files):
            for tests in kept.values():
                tests.intersection_update({test for test in tests if test.partition("::")[0] in mine})

    def tests(self, mutant: Mutant, table: list[Function], most: float) -> Chosen:
        """Return the tests that reach a mutant, those that tell soonest first, for at most so many seconds in all."""
        key = (mutant.file, mutant.function)
        owner = function_at(table, mutant.first)
        if owner is None or key not in self._functions:
            reaching = self._files[mutant.file] if owner is None else set()
        elif mutant.first == owner.first or self._digests[key] != {owner.digest}:
            reaching = self._functions[key]
        else:
            lines = range(mutant.first - owner.first, mutant.last - owner.first + 1)
            reaching = set().union(*(self._lines[(*key, line)] for line in lines))
            # What runs in processes of its own is known by the function only.
            in_process = set().union(*(tests for (*at, _), tests in self._lines.items() if tuple(at) == key))
            reaching |= self._functions[key] - in_process
        return Chosen(self._ordered(reaching, mutant.file, most), len(reaching))

    def _ordered(self, tests: set[str], file: str, most: float) -> list[str]:
        mirror = "tests/" + file.split("/")[1] + "/"
        kinds: dict[str, list[str]] = defaultdict(list)
        for test in sorted(tests, key=lambda one: self.seconds[one]):
            kinds[test.partition("[")[0]].append(test)
        # One of each parametrized test first: its others see much the same.
        ranked = sorted(
            (rank, not test.startswith(mirror), self.seconds[test], test)
            for kind in kinds.values()
            for rank, test in enumerate(kind)
        )
        kept, spent = [], 0.0
        for _, _, seconds, test in ranked:
            if kept and spent + seconds > most:
                break
            kept.append(test)
            spent += seconds
        return kept

    def _known(self) -> dict[str, tuple[str, Path]]:
        """Return for each test file its digest when it was run last, and that run."""
        known: dict[str, tuple[str, Path]] = {}
        for path in sorted(self._folder.glob("*.meta")):
            known |= {name: (digest, path) for name, digest in json.loads(path.read_text())["files"].items()}
        return known


def test_files(given: Sequence[str]) -> list[str]:
    """Return the test files below these paths; below tests/ without those that are left out, if none are given."""
    found: list[str] = []
    for name in given or ["tests"]:
        path = ROOT / name
        found += [str(one.relative_to(ROOT)) for one in ([path] if path.is_file() else sorted(path.rglob("test_*.py")))]
    return [name for name in found if given or not name.startswith(LEFT_OUT)]


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
