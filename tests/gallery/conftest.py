"""A window of a real browser and a sandbox, as the sandbox's tests have them."""

from tests.sandbox.conftest import start, turned, window

__all__ = ["start", "turned", "window"]
