"""The mutation tester makes the changes it says, each one alone, and names them so that the name outlives the lines."""

from __future__ import annotations

from pathlib import Path

from tests.mutations.__main__ import EQUIVALENT, equivalents
from tests.mutations.copies import ROOT
from tests.mutations.mutants import is_program, mutants

MODULE = '''"""A module."""

LIMIT = 3


def fits(size: int, *, most: int = LIMIT, force: bool = False) -> bool:
    """Say whether a size fits."""
    if size < most and not force:
        return True
    try:
        note(size - 1)
    except (KeyError, ValueError):
        raise
    return any(one is None for one in sizes(f"{size + 1}"))
'''

CHANGES = {
    "LIMIT = 4", "LIMIT = 2",
    "def fits(size: int, *, most: int = LIMIT, force: bool = True) -> bool:",
    "if size <= most and not force:", "if size < most or not force:", "if (not force):", "if (size < most):",
    "if size < most and (force):", "if True:", "if False:",
    "return False",
    "pass", "note(size + 1)", "note((size))", "note(size - 2)", "note(size - 0)",
    "except (ValueError,):", "except (KeyError,):",
    "return None", "return all(one is None for one in sizes(f\"{size + 1}\"))",
    "return any(one is not None for one in sizes(f\"{size + 1}\"))",
}  # fmt: skip


def test_every_change_is_made_and_no_other(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_bytes(MODULE.encode())
    made = mutants(tmp_path, "m.py")
    assert {one.new_line for one in made} == CHANGES
    for one in made:
        changed = one.applied(MODULE.encode()).decode()
        assert is_program(changed.encode())
        pairs = zip(MODULE.splitlines(), changed.splitlines(), strict=True)
        assert sum(before != after for before, after in pairs) == 1, one.key


def test_a_change_is_named_the_same_when_lines_are_put_before_it(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_bytes(MODULE.encode())
    before = mutants(tmp_path, "m.py")
    (tmp_path / "m.py").write_bytes(b"# One more.\n" + MODULE.encode())
    after = mutants(tmp_path, "m.py")
    assert [one.key for one in after] == [one.key for one in before]
    assert [one.digest for one in after] == [one.digest for one in before]
    assert len({one.key for one in before}) == len(before)


def test_what_is_listed_as_equivalent_still_is_there_and_has_a_reason() -> None:
    listed = equivalents()
    files = {key.partition(":")[0] for key in listed}
    assert listed <= {one.key for file in files for one in mutants(ROOT, file)}
    lines = [line for line in EQUIVALENT.read_text().splitlines() if line and not line.startswith("#")]
    for line, following in zip(lines, [*lines, ""][1:], strict=True):
        assert line.startswith("    ") or following.startswith("    "), f"no reason for {line}"
