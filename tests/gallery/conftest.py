"""A window of a real browser, as the sandbox's tests have it."""

from tests.sandbox.conftest import window

__all__ = ["window"]
