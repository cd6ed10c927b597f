from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.batch.bench import Bench, bench
from tests.shell import Shell


@pytest.fixture
def service(orvideo: Shell, home: Path) -> Iterator[Bench]:
    """A shell and a sandbox that does everything at once and nothing wrong."""
    with bench(orvideo, home) as made:
        yield made
