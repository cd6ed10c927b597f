"""Looks settings up: a flag beats the environment, the environment config.toml, and config.toml the default."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from orvideo import shells
from orvideo.errors import AuthError, OrvideoError, Unsafe, UsageError
from orvideo.settings import definitions, folders
from orvideo.settings.definitions import API_KEY, KEY_VARIABLE, NAMES, SIGNING_VARIABLE, Definition, Setting, Source
from orvideo.settings.keys import ApiKey, KeyFile, clean_key, origin_of
from orvideo.settings.store import Store

if TYPE_CHECKING:
    from orvideo.settings.warnings import SettingsWarning

T = TypeVar("T")


class _Attribute(Generic[T]):
    """A setting as an attribute of `Settings`, looked up at each access; None where it has no value."""

    def __init__(self, definition: Definition[Any]) -> None:
        self._definition = definition

    def __get__(self, settings: Settings, owner: type[Settings]) -> T:
        return cast(T, settings.lookup(self._definition)[0])


class Settings:
    """The settings of one run; each is looked up when it is read, and files are read only then.

    `environ` replaces the environment of the process. `flags` has values by setting name, parsed or as text; None is
    a flag that was not given. For an invalid value an attribute raises UsageError, which names flag, variable or line.
    """

    base_url = _Attribute[str](definitions.BASE_URL)
    duration = _Attribute[int | None](definitions.DURATION)
    output = _Attribute[str | None](definitions.OUTPUT)
    interval = _Attribute[float | None](definitions.INTERVAL)
    timeout = _Attribute[float](definitions.TIMEOUT)
    max_cost = _Attribute[Decimal | None](definitions.MAX_COST)
    confirm_above = _Attribute[Decimal](definitions.CONFIRM_ABOVE)
    max_image_bytes = _Attribute[int](definitions.MAX_IMAGE_SIZE)
    max_bytes = _Attribute[int](definitions.MAX_SIZE)
    referer = _Attribute[str](definitions.REFERER)
    title = _Attribute[str](definitions.TITLE)
    categories = _Attribute[str](definitions.CATEGORIES)
    sandbox = _Attribute[bool](definitions.SANDBOX)
    sandbox_speed = _Attribute[float](definitions.SANDBOX_SPEED)

    def __init__(self, environ: Mapping[str, str], *, flags: Mapping[str, object] | None = None) -> None:
        self._environ = environ
        self._flags = {
            definitions.canonical_name(name): value for name, value in (flags or {}).items() if value is not None
        }

    def __repr__(self) -> str:
        # The environment contains the key (drill K13).
        return "Settings()"

    def with_flags(self, flags: Mapping[str, object]) -> Settings:
        """Return the same settings with more flags; None is a flag that was not given."""
        return Settings(self._environ, flags={**self._flags, **flags})

    # --- looking up ------------------------------------------------------------

    def get(self, name: str) -> Setting:
        """Return one setting by its name, the key masked. Raises UsageError, and AuthError for a malformed key."""
        if definitions.canonical_name(name) == API_KEY:
            return self._key_setting()
        definition = definitions.find_definition(name)
        value, source, location = self.lookup(definition)
        text = "" if value is None else definition.format(value)
        return Setting(definition.name, value, source, location, text)

    def all(self) -> list[Setting]:
        """Return every setting; one with an invalid value has a `problem` instead of the value.

        Raises UsageError where config.toml as a whole cannot be read.
        """
        if self._store is not None:
            _ = self._store.entries
        return [self._get_or_problem(name) for name in NAMES]

    def _get_or_problem(self, name: str) -> Setting:
        try:
            return self.get(name)
        except OrvideoError as error:
            variable = self.overriding_variable(name)
            source = Source.ENVIRONMENT if variable else Source.STORE
            file = self._key_file if name == API_KEY else self._store
            location = variable or (str(file.path) if file else None)
            return Setting(name, None, source, location, "", error.message, error.hint)

    def overriding_variable(self, name: str) -> str | None:
        """Return the variable that now overrides a stored setting, None when none is set."""
        name = definitions.canonical_name(name)
        return self._set_variable((KEY_VARIABLE,) if name == API_KEY else definitions.find_definition(name).variables)

    def warnings(self) -> list[SettingsWarning]:
        """Return the probable mistakes that stop no command: unknown entries and misspelt variables (finding C05).

        Raises UsageError where config.toml as a whole cannot be read.
        """
        from orvideo.settings.warnings import misspelt_variables, unknown_entries

        entries = unknown_entries(self._store) if self._store else ()
        return [*entries, *misspelt_variables(self._environ)]

    def lookup(self, definition: Definition[T]) -> tuple[T | None, Source, str | None]:
        """Return a setting's value, its source, and the flag, variable or file; raises as `Definition.read` does."""
        name = definition.name
        if name in self._flags:
            given: Any = self._flags[name]
            flag = f"--{name}"
            return (definition.read(given, flag) if isinstance(given, str) else given), Source.FLAG, flag
        self._refuse_empty_limit(definition)
        if variable := self._set_variable(definition.variables):
            return definition.read(self._environ[variable], variable), Source.ENVIRONMENT, variable
        if self._store is not None and name in self._store.entries:
            value = definition.read(self._store.entries[name], self._store.location_of(name))
            return value, Source.STORE, str(self._store.path)
        return definition.default, Source.DEFAULT, None

    def _refuse_empty_limit(self, definition: Definition[Any]) -> None:
        """Raise UsageError for a limit that is set to nothing: it would let everything pass (finding A01)."""
        name = definition.variable
        if definition is definitions.MAX_COST and name in self._environ and not self._environ[name].strip():
            mend = shells.unset_variable(name)
            raise UsageError(f"{name} is set to nothing, and a limit needs an amount.", hint=mend)

    def _set_variable(self, variables: tuple[str, ...]) -> str | None:
        """Return the first of `variables` that is set; an empty one counts as not set."""
        return next((name for name in variables if self._environ.get(name, "").strip()), None)

    # --- the key ---------------------------------------------------------------

    def api_key(self, base_url: str) -> ApiKey:
        """Return the key for a service.

        Raises AuthError when there is no key or it is malformed (the stored one does not replace a malformed one in
        the environment), Unsafe when the stored key is for another origin (drill N17).
        """
        key, origin = self._key() or (None, None)
        if key is None:
            raise AuthError(
                "There is no API key.",
                hint=f"set {KEY_VARIABLE}, or store one: orvideo config set {API_KEY}; --sandbox needs none",
            )
        if origin is not None and origin != origin_of(base_url):
            raise Unsafe(
                f"The stored key is for {origin} and is not sent to {origin_of(base_url)}.",
                hint=f"set {KEY_VARIABLE} to a key for that service, or store it: orvideo config set {API_KEY}",
            )
        return key

    def _key(self) -> tuple[ApiKey, str | None] | None:
        """Return the key and its origin; the one in the environment has none and is sent to any base URL."""
        if variable := self._set_variable((KEY_VARIABLE,)):
            return ApiKey(clean_key(self._environ[variable], variable), Source.ENVIRONMENT, variable), None
        return self._key_file.read() if self._key_file else None

    def _key_setting(self) -> Setting:
        key, _ = self._key() or (None, None)
        if key is None:
            return Setting(API_KEY, None, Source.DEFAULT, None)
        return Setting(API_KEY, key.masked, key.source, key.location, key.masked)

    def keys(self, *, malformed: bool = False) -> list[str]:
        """Return the keys in the environment and in the key file, also one that is not used.

        With `malformed` the variable's text is among them even if it cannot be a key, so that it can be redacted.
        """
        text = self._environ.get(KEY_VARIABLE, "").strip()
        found = {text} if malformed and text else set()
        with suppress(OrvideoError):
            found.add(clean_key(text, KEY_VARIABLE))
        with suppress(OrvideoError):
            if stored := self._key_file.read(check_permissions=False) if self._key_file else None:
                found.add(stored[0].reveal())
        return sorted(found, key=len, reverse=True)

    def environ_without_key(self) -> dict[str, str]:
        """Return the environment for a child process, without any variable that contains a key (drill K10)."""
        keys = self.keys()
        return {
            name: value
            for name, value in self._environ.items()
            # A short key may be part of any value by chance.
            if name != KEY_VARIABLE and not any(key == value or (len(key) > 15 and key in value) for key in keys)
        }

    @property
    def webhook_secret(self) -> str | None:
        """What the sandbox signs its callbacks with; a variable alone, since config.toml is no place for a secret."""
        return self._environ.get(SIGNING_VARIABLE) or None

    # --- changing the store ----------------------------------------------------

    def set(self, name: str, text: str) -> Setting:
        """Store one setting in config.toml and return it.

        Raises UsageError for the name, the value, or a file that cannot be read; OutputUnwritable.
        """
        definition = definitions.find_definition(name)
        value = definition.read(text, definition.name)
        store = self._store_to_change()
        store.set(definition.name, definition.to_toml(value))
        return Setting(definition.name, value, Source.STORE, str(store.path), definition.format(value))

    def unset(self, name: str) -> bool:
        """Remove one setting, or an unknown entry of config.toml; return whether it was there. Raises as `set` does."""
        store = self._store_to_change()
        if name in store.entries and name not in NAMES:
            return store.unset(name)
        if definitions.canonical_name(name) == API_KEY:
            return KeyFile(self.config_dir).remove()
        return store.unset(definitions.canonical_name(name))

    def new_api_key(self, text: str) -> ApiKey:
        """Return a key as `store_api_key` would store it. Raises AuthError, without the text, when it is malformed."""
        return ApiKey(clean_key(text, "The key"), Source.STORE, str(KeyFile(self.config_dir).path))

    def store_api_key(self, text: str) -> ApiKey:
        """Store a key for the service at the base URL that is set, and return it.

        Raises as `new_api_key` does, and OutputUnwritable.
        """
        key = self.new_api_key(text)
        KeyFile(self.config_dir).write(key, origin_of(self.base_url))
        return key

    def _store_to_change(self) -> Store:
        return self._store or Store(self.config_dir)

    # --- folders ----------------------------------------------------------------

    @property
    def config_dir(self) -> Path:
        """The folder of config.toml and the key. Raises UsageError when there is no place for it (drill J11)."""
        return Path(folders.locate(folders.CONFIG, self._environ))

    @property
    def state_dir(self) -> Path:
        """The folder of the record. Raises RecordError when there is no place for it (drill J11)."""
        return Path(folders.locate(folders.STATE, self._environ))

    @property
    def cache_dir(self) -> Path:
        """The folder of the catalogue's cache. Raises RecordError when there is no place for it (drill J11)."""
        return Path(folders.locate(folders.CACHE, self._environ))

    @cached_property
    def _store_dir(self) -> Path | None:
        """The folder to read; without HOME None, and only flags and variables count."""
        try:
            return self.config_dir
        except UsageError:
            if self._set_variable((folders.CONFIG.variable,)):
                raise
            return None

    @cached_property
    def _store(self) -> Store | None:
        return Store(self._store_dir) if self._store_dir else None

    @cached_property
    def _key_file(self) -> KeyFile | None:
        return KeyFile(self._store_dir) if self._store_dir else None
