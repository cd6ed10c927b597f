"""A few rounds of each command; hundreds are `python -m tests.drills.signal_sweep` (drills S03, S04, S05, S09, S10)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

if os.name != "posix":
    pytest.skip("signals are POSIX's", allow_module_level=True)

from tests.drills.signal_sweep import COMMANDS, sweep

pytestmark = pytest.mark.long

#: Seeds with which all six kinds of blow come, each soon after something was asked for.
SEEDS = {"submit": 17, "wait": 3, "download": 25, "batch": 31}


@pytest.mark.drill("S03", "S04", "S05", "S09", "S10")
@pytest.mark.parametrize("command", COMMANDS)
def test_a_signal_at_any_moment_loses_nothing_and_buys_nothing_twice(command: str, tmp_path: Path) -> None:
    tally = sweep(command, 2, tmp_path / command, seed=SEEDS[command], at_once=2)
    assert tally.is_clean, tally.problems
    assert (tally.rounds, tally.hit > 0) == (2, True)
