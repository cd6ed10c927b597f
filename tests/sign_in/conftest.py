"""The sandboxes of tests/sandbox."""

from tests.sandbox.conftest import start, turned

__all__ = ["start", "turned"]
