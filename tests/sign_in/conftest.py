"""The sandboxes of tests/sandbox."""

from tests.sandbox.conftest import start, turned, window

__all__ = ["start", "turned", "window"]
