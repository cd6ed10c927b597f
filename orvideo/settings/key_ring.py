"""The key in the system's own store: Keychain, Credential Manager, Secret Service, through the library keyring.

It is there where the extra `keyring` is installed and finds a store that the system keeps. As in the file, one key for
each profile, with the origin that it is for.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from orvideo.errors import OrvideoError
from orvideo.settings.definitions import Source
from orvideo.settings.keys import ApiKey, read_stored, stored_text

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

SERVICE = "orvideo"
LOCATION = "the system's keyring"
#: The user name of the key that belongs to no profile; no profile can have it.
_NO_PROFILE = "(no profile)"


class KeyRingFailed(Exception):
    """The system's store is locked, or did not work; the text is the kind of the failure."""


class KeyRing:
    """The key of one profile in the system's store. Every method raises KeyRingFailed."""

    def __init__(self, backend: KeyringBackend, profile: str | None) -> None:
        self._backend, self._profile = backend, profile
        self._user = profile or _NO_PROFILE

    def read(self) -> tuple[ApiKey, str] | None:
        """Return the key and its origin, None when none is stored. Raises AuthError where that makes no sense."""
        with _failures():
            content = self._backend.get_password(SERVICE, self._user)
        return None if content is None else read_stored(content, Source.KEYRING, LOCATION, self._profile)

    def write(self, key: ApiKey, origin: str) -> None:
        with _failures():
            self._backend.set_password(SERVICE, self._user, stored_text(key, origin))

    def remove(self) -> bool:
        """Remove the key and return whether there was one."""
        with _failures():
            if self._backend.get_password(SERVICE, self._user) is None:
                return False
            self._backend.delete_password(SERVICE, self._user)
            return True


def open_key_ring(profile: str | None) -> KeyRing | None:
    """Return the system's store, None where the library or a store is not there. Raises KeyRingFailed."""
    try:
        import keyring
    except ImportError:
        return None
    with _failures():
        backend = keyring.get_keyring()
        # What refuses or forgets everything has none.
        return KeyRing(backend, profile) if backend.priority > 0 else None


@contextmanager
def _failures() -> Iterator[None]:
    """Raise KeyRingFailed for whatever a backend raises: each has its own errors, which may quote what was stored."""
    try:
        yield
    except OrvideoError:
        raise
    except Exception as error:
        raise KeyRingFailed(type(error).__name__) from None
