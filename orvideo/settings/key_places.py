"""The places where a key may be, and which of them counts: the variable, a command, the keyring, the file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from orvideo import shells
from orvideo.errors import AuthError, OrvideoError, OutputUnwritable, Unsafe
from orvideo.settings.definitions import API_KEY, KEY_VARIABLE, Setting, Source
from orvideo.settings.keys import ApiKey, KeyFile, clean_key, origin_of
from orvideo.settings.profiles import set_line

if TYPE_CHECKING:
    from orvideo.settings.key_command import KeyCommand
    from orvideo.settings.key_ring import KeyRing


class KeyMemory:
    """What one process knows of keys: those that were fetched, so that nothing is asked twice, and all are redacted."""

    def __init__(self) -> None:
        self.fetched: dict[str, ApiKey] = {}
        self.commands: dict[tuple[str | None, str], ApiKey | AuthError] = {}
        #: Whether a signal has come, while signals raise nothing: a command that waits is then ended.
        self.is_stopped: Callable[[], bool] = lambda: False

    def __repr__(self) -> str:
        return f"KeyMemory({len(self.fetched)} keys)"


class FoundKey(NamedTuple):
    """A key, and the origin that it is for; None: it goes to any base URL."""

    key: ApiKey
    origin: str | None = None


def no_key(profile: str | None) -> AuthError:
    """Return the error where no place has a key."""
    if profile is None:
        hint = f"orvideo login; or set {KEY_VARIABLE}; --sandbox needs none"
        return AuthError("There is no API key.", hint=hint)
    hint = f"orvideo login --profile {profile}; or store one: {set_line(API_KEY, profile)}"
    return AuthError(f"The profile {profile} has no API key of its own.", hint=hint)


def key_of_another_origin(found: FoundKey, base_url: str, profile: str | None) -> Unsafe:
    """Return the error for a key that is not for the service that is to be asked (drill N17)."""
    here = origin_of(base_url)
    own = f"set {KEY_VARIABLE} to a key for that service"
    if found.key.source is Source.COMMAND:
        always = f"{set_line('base-url', profile)} {shells.word(base_url)}"
        return Unsafe(
            f"The key of {found.key.location} is for {found.origin} and is not sent to {here}.",
            hint=f"{own}, or use that service always: {always}",
        )
    return Unsafe(
        f"The stored key is for {found.origin} and is not sent to {here}.",
        hint=f"{own}, or store it: {set_line(API_KEY, profile)}",
    )


class KeyPlaces:
    """The places of one profile's key, strongest first. A key in the variable beats those of all profiles."""

    def __init__(
        self,
        environ: Mapping[str, str],
        profile: str | None,
        file: KeyFile | None,
        command: Callable[[], KeyCommand | None],
        memory: KeyMemory,
    ) -> None:
        self._environ, self._profile, self._file, self._memory = environ, profile, file, memory
        #: Read late: a config.toml that cannot be read is no matter where a variable has the key.
        self._command = command

    def __repr__(self) -> str:
        return "KeyPlaces()"

    @property
    def _variable(self) -> str:
        return self._environ.get(KEY_VARIABLE, "").strip()

    def find(self, child_environ: Callable[[], Mapping[str, str]]) -> FoundKey | None:
        """Return the key that counts, None where there is none; a command gets `child_environ`. Raises AuthError."""
        found = self._find(child_environ)
        if found is not None:
            self._memory.fetched[found.key.reveal()] = found.key
        return found

    def _find(self, child_environ: Callable[[], Mapping[str, str]]) -> FoundKey | None:
        if self._variable:
            return self._of_variable()
        if (command := self._command()) is not None:
            return FoundKey(self._of_command(command, child_environ), command.origin)
        return self._stored()

    def _of_variable(self) -> FoundKey:
        key = clean_key(self._variable, KEY_VARIABLE)
        return FoundKey(ApiKey(key, Source.ENVIRONMENT, KEY_VARIABLE, mend=shells.set_variable(KEY_VARIABLE, "...")))

    def _of_command(self, command: KeyCommand, child_environ: Callable[[], Mapping[str, str]]) -> ApiKey:
        from orvideo.settings.key_command import ask_command

        place = (command.profile, command.text)
        if place not in self._memory.commands:
            try:
                self._memory.commands[place] = ask_command(command, child_environ(), self._memory.is_stopped)
            except AuthError as error:
                self._memory.commands[place] = error
        answer = self._memory.commands[place]
        if isinstance(answer, AuthError):
            raise AuthError(answer.message, hint=answer.hint)
        return answer

    def _stored(self) -> FoundKey | None:
        """Return the key of the keyring, else that of the file, where it is stored when the keyring does not work."""
        from orvideo.settings.key_ring import KeyRingFailed

        failure = None
        try:
            ring = self._ring()
            if ring is not None and (kept := ring.read()) is not None:
                return FoundKey(*kept)
        except KeyRingFailed as error:
            failure = error
        kept = self._file.read() if self._file is not None else None
        if kept is None and failure is not None:
            raise AuthError(
                f"The system's keyring cannot be read ({failure}), so a key in it cannot be used.",
                hint=f"unlock it and try again, or {shells.set_variable(KEY_VARIABLE, '...')}",
            )
        return None if kept is None else FoundKey(*kept)

    def _ring(self) -> KeyRing | None:
        from orvideo.settings.key_ring import open_key_ring

        return open_key_ring(self._profile)

    def stored(self) -> ApiKey | None:
        """Return the stored key, whether it counts or not; None as well where it cannot be read."""
        with suppress(OrvideoError):
            if (found := self._stored()) is not None:
                return found.key
        return None

    # --- shown -----------------------------------------------------------------

    def setting(self) -> Setting:
        """Return what is shown of the key: the one that counts, and where else there are keys. No command is run."""
        beaten = self._places()
        command = None if self._variable else self._command()
        if command is not None:
            known = self._memory.commands.get((command.profile, command.text))
            shown = known.masked if isinstance(known, ApiKey) else "…"
            return Setting(API_KEY, shown, Source.COMMAND, command.location, shown, beaten=tuple(beaten[1:]))
        found = self._of_variable() if self._variable else self._stored()
        if found is None:
            return Setting(API_KEY, None, Source.DEFAULT, None)
        key = found.key
        others = tuple(place for place in beaten if place != key.location)
        return Setting(API_KEY, key.masked, key.source, key.location, key.masked, beaten=others)

    def where(self) -> str | None:
        """Return the strongest place that has a key, or should have one."""
        return next(iter(self._places()), None)

    def _places(self) -> list[str]:
        """Return every place that has a key, strongest first; what cannot be looked into has none."""
        return list(self._each_place())

    def _each_place(self) -> Iterator[str]:
        from orvideo.settings.key_ring import LOCATION, KeyRingFailed

        if self._variable:
            yield KEY_VARIABLE
        with suppress(OrvideoError):
            if (command := self._command()) is not None:
                yield command.location
        with suppress(KeyRingFailed, OrvideoError):
            if (ring := self._ring()) is not None and ring.read() is not None:
                yield LOCATION
        if self._file is not None and self._file.path.exists():
            yield str(self._file.path)

    # --- changed ---------------------------------------------------------------

    def store(self, key: ApiKey, origin: str) -> ApiKey:
        """Store a key in the keyring, else in the file, and take the other one's away; return it with its place.

        Its note says where the keyring did not work. Raises OutputUnwritable.
        """
        from orvideo.settings.key_ring import LOCATION, KeyRingFailed

        assert self._file is not None, "a key is stored in a folder"
        note = None
        mend = set_line(API_KEY, self._profile)
        try:
            ring = self._ring()
            if ring is not None:
                ring.write(key, origin)
                self._file.remove()
                return ApiKey(key.reveal(), Source.KEYRING, LOCATION, mend=mend)
        except KeyRingFailed as error:
            note = (
                f"the system's keyring cannot be used ({error}): the key is stored in the file; one that is still in "
                "the keyring counts when it works again"
            )
        self._file.write(key, origin)
        return ApiKey(key.reveal(), Source.STORE, str(self._file.path), note=note, mend=mend)

    def remove(self) -> bool:
        """Remove the key from the keyring and from the file, and return whether there was one."""
        from orvideo.settings.key_ring import KeyRingFailed

        removed = self._file.remove() if self._file is not None else False
        try:
            ring = self._ring()
            return (ring.remove() if ring is not None else False) or removed
        except KeyRingFailed as error:
            raise OutputUnwritable(
                f"The system's keyring cannot be used ({error}): a key that is in it is still there.",
                hint="unlock the keyring and try again",
            ) from None
