"""Who said what: a flag beats the environment, the environment beats the store, the store beats the default."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from contextlib import suppress
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from orvideo.errors import AuthError, OrvideoError, Unsafe, UsageError
from orvideo.settings import definitions, folders
from orvideo.settings.definitions import API_KEY, DEFINITIONS, JOB_VARIABLES, NAMES, Definition, Setting, Source

if TYPE_CHECKING:
    from orvideo.settings.keys import ApiKey, KeyFile
    from orvideo.settings.store import Store

T = TypeVar("T")

KEY_VARIABLE = "OPENROUTER_API_KEY"


class _Value(Generic[T]):
    """A setting as an attribute of `Settings`: looked up when it is read, None where it is left open."""

    def __init__(self, definition: Definition[Any]) -> None:
        self._definition = definition

    def __get__(self, settings: Settings, owner: type[Settings]) -> T:
        return cast(T, settings.find(self._definition)[0])


class Settings:
    """The settings of one run, each looked up when it is asked for; nothing is read from disk before.

    `environ` is all of the environment that is seen. `flags` has values by setting name (None: not given), either
    parsed already or as text. A value that cannot be read is a UsageError that names the flag, variable or line.
    """

    base_url = _Value[str](definitions.BASE_URL)
    duration = _Value[int | None](definitions.DURATION)
    output = _Value[str | None](definitions.OUTPUT)
    interval = _Value[float | None](definitions.INTERVAL)
    timeout = _Value[float](definitions.TIMEOUT)
    max_cost = _Value[Decimal | None](definitions.MAX_COST)
    confirm_above = _Value[Decimal](definitions.CONFIRM_ABOVE)
    max_image_bytes = _Value[int](definitions.MAX_IMAGE_SIZE)
    max_bytes = _Value[int](definitions.MAX_SIZE)
    referer = _Value[str](definitions.REFERER)
    title = _Value[str](definitions.TITLE)
    categories = _Value[str](definitions.CATEGORIES)
    sandbox = _Value[bool](definitions.SANDBOX)
    sandbox_speed = _Value[float](definitions.SANDBOX_SPEED)

    def __init__(self, environ: Mapping[str, str], *, flags: Mapping[str, object] | None = None) -> None:
        self._environ = environ
        self._flags = {
            definitions.setting_name(name): value for name, value in (flags or {}).items() if value is not None
        }

    def __repr__(self) -> str:
        # The environment has the key in it (drill K13).
        return "Settings()"

    def with_flags(self, flags: Mapping[str, object]) -> Settings:
        """Return the same settings under a command line's flags; None stands for a flag that was not given."""
        return Settings(self._environ, flags={**self._flags, **flags})

    # --- looking up ------------------------------------------------------------

    def get(self, name: str) -> Setting:
        """Return one setting by its name, the key masked. Raises UsageError, and AuthError for a broken key."""
        if definitions.setting_name(name) == API_KEY:
            return self._key_setting()
        definition = definitions.definition(name)
        value, source, where = self.find(definition)
        text = "" if value is None else definition.show(value)
        return Setting(definition.name, value, source, where, text)

    def explain(self) -> list[Setting]:
        """Return every setting and who said so; a value that cannot be read is a `problem`, not an error.

        Raises UsageError where config.toml as a whole cannot be read.
        """
        if self._store is not None:
            _ = self._store.entries
        return [self._explained(name) for name in NAMES]

    def _explained(self, name: str) -> Setting:
        try:
            return self.get(name)
        except OrvideoError as error:
            variable = self.variable_that_sets(name)
            source = Source.ENVIRONMENT if variable else Source.STORE
            return Setting(name, None, source, variable or self._stored_at(name), "", error.message, error.hint)

    def _stored_at(self, name: str) -> str | None:
        if name == API_KEY:
            return str(self._key_file.path) if self._key_file else None
        return str(self._store.path) if self._store else None

    def variable_that_sets(self, name: str) -> str | None:
        """Return the variable that beats the store for this setting at present, None when there is none."""
        name = definitions.setting_name(name)
        return self._set_variable(
            (KEY_VARIABLE,) if name == API_KEY else definitions.definition(name).variables,
        )

    def problems(self) -> list[str]:
        """Return what is odd about the settings and stops nothing: a sentence each, for `config list` and `doctor`.

        Raises UsageError where config.toml as a whole cannot be read.
        """
        return [sentence for sentence, _ in self.oddities()]

    def oddities(self) -> list[tuple[str, str]]:
        """Return the `problems`, each with the command that mends it (finding C05)."""
        return [*self._unknown_entries(), *self._misspelt_variables()]

    def _unknown_entries(self) -> Iterator[tuple[str, str]]:
        for name in self._store.entries if self._store else ():
            where = self._store.line_of(name) if self._store else ""
            if name == API_KEY:
                told = f"{where}: the key does not belong here and is not read: orvideo config set {API_KEY}."
                yield told, f"orvideo config unset {API_KEY}; orvideo config set {API_KEY}"
            elif not definitions.is_name(name):
                guess = definitions.nearest(name, NAMES)
                told = f"{where}: there is no setting '{name}'." + (f" Did you mean {guess}?" if guess else "")
                yield told, f"orvideo config unset {shlex.quote(name)}"

    def _misspelt_variables(self) -> Iterator[tuple[str, str]]:
        known = (KEY_VARIABLE, *(v for d in DEFINITIONS for v in d.variables), *(f.variable for f in folders.FOLDERS))
        for name in sorted(self._environ):
            ours = name.startswith(("ORVIDEO_", "OPENROUTER_")) and not name.startswith(JOB_VARIABLES)
            if ours and name not in known:
                # Only near misses: the variables of others may begin like this, too.
                own_key = name == "ORVIDEO_API_KEY"
                guess = KEY_VARIABLE if own_key else definitions.nearest(name, known, cutoff=0.88)
                if guess:
                    yield f"The variable {name} is not read. Did you mean {guess}?", f'export {guess}="${name}"'

    def find(self, definition: Definition[T]) -> tuple[T | None, Source, str | None]:
        """Return a setting's value, who said so, and where."""
        name = definition.name
        if name in self._flags:
            given: Any = self._flags[name]
            flag = f"--{name}"
            return (definition.read(given, flag) if isinstance(given, str) else given), Source.FLAG, flag
        self._refuse_empty_limit(definition)
        if variable := self._set_variable(definition.variables):
            return definition.read(self._environ[variable], variable), Source.ENVIRONMENT, variable
        if self._store is not None and name in self._store.entries:
            line = self._store.line_of(name)
            return definition.read(self._store.entries[name], line), Source.STORE, str(self._store.path)
        return definition.default, Source.DEFAULT, None

    def _refuse_empty_limit(self, definition: Definition[Any]) -> None:
        """Raise UsageError for a limit that is set to nothing: it would let everything pass (finding A01)."""
        name = definition.variable
        if definition is definitions.MAX_COST and name in self._environ and not self._environ[name].strip():
            raise UsageError(f"{name} is set to nothing, and a limit needs an amount.", hint=f"unset {name}")

    def _set_variable(self, variables: tuple[str, ...]) -> str | None:
        """Return the first variable that says something: one that is set to nothing is as good as unset."""
        return next((name for name in variables if self._environ.get(name, "").strip()), None)

    # --- the key ---------------------------------------------------------------

    def api_key(self, base_url: str) -> ApiKey:
        """Return the key for a service.

        Raises AuthError without a key and for one that cannot be a key, Unsafe where the stored key was stored for
        another origin (drill N17). A broken key in the environment is an error and does not give way to the store.
        """
        from orvideo.settings.keys import origin_of

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
        """Return the key and the origin it is bound to; one out of the environment goes where the line says."""
        from orvideo.settings.keys import ApiKey, clean_key

        if variable := self._set_variable((KEY_VARIABLE,)):
            return ApiKey(clean_key(self._environ[variable], variable), Source.ENVIRONMENT, variable), None
        return self._key_file.read() if self._key_file else None

    def keys(self) -> list[str]:
        """Return every key that can be found, broken or bound to another origin: what must not be shown anywhere."""
        found = [self._environ.get(KEY_VARIABLE, "").strip()]
        # A file that cannot be read now has shown nothing either.
        with suppress(OrvideoError, OSError):
            stored = self._key_file.read(even_loose=True) if self._key_file else None
            found += [stored[0].reveal()] if stored else []
        return [key for key in found if key]

    def _key_setting(self) -> Setting:
        key, _ = self._key() or (None, None)
        if key is None:
            return Setting(API_KEY, None, Source.DEFAULT, None)
        return Setting(API_KEY, key.masked, key.source, key.where, key.masked)

    def without_key(self) -> dict[str, str]:
        """Return the environment for a child process, which is not to know the key by any name (drill K10)."""
        keys = list(self._keys())
        return {
            name: value
            for name, value in self._environ.items()
            # A short word may stand in any value; a real key never stands in one by chance.
            if name != KEY_VARIABLE and not any(key == value or (len(key) > 15 and key in value) for key in keys)
        }

    def _keys(self) -> Iterator[str]:
        """Yield the keys that there are, the one that counts and the one it beats; a broken one is none."""
        from orvideo.settings.keys import clean_key

        with suppress(OrvideoError):
            yield clean_key(self._environ.get(KEY_VARIABLE, ""), KEY_VARIABLE)
        with suppress(OrvideoError):
            stored = self._key_file.read(even_loose=True) if self._key_file else None
            if stored is not None:
                yield stored[0].reveal()

    # --- changing the store ----------------------------------------------------

    def set(self, name: str, text: str) -> Setting:
        """Store one setting and return it as stored.

        Raises UsageError for the name, the value, or a file that cannot be read; OutputUnwritable.
        """
        definition = definitions.definition(name)
        value = definition.read(text, definition.name)
        store = self._store_to_change()
        store.set(definition.name, definition.stored(value))
        return Setting(definition.name, value, Source.STORE, str(store.path), definition.show(value))

    def unset(self, name: str) -> bool:
        """Remove one setting from the store and say whether it was there; raises as `set` does.

        An entry that no setting is named after can be removed by its own name.
        """
        store = self._store_to_change()
        if name in store.entries and not definitions.is_name(name):
            return store.unset(name)
        if definitions.setting_name(name) == API_KEY:
            from orvideo.settings.keys import KeyFile

            return KeyFile(self.config_dir).remove()
        return store.unset(definitions.setting_name(name))

    def new_api_key(self, text: str) -> ApiKey:
        """Return a key that is to be stored, cleaned. Raises AuthError for what cannot be one, without showing it."""
        from orvideo.settings.keys import ApiKey, KeyFile, clean_key

        return ApiKey(clean_key(text, "The key"), Source.STORE, str(KeyFile(self.config_dir).path))

    def store_api_key(self, text: str) -> ApiKey:
        """Store a key for the service at the base URL that is set, and return it; raises as `new_api_key` does.

        Raises OutputUnwritable as well.
        """
        from orvideo.settings.keys import KeyFile, origin_of

        key = self.new_api_key(text)
        KeyFile(self.config_dir).write(key, origin_of(self.base_url))
        return key

    def _store_to_change(self) -> Store:
        from orvideo.settings.store import Store

        return self._store or Store(self.config_dir)

    # --- places ----------------------------------------------------------------

    @property
    def config_dir(self) -> Path:
        """Where the store is. Raises UsageError when nothing says where (drill J11)."""
        return folders.locate(folders.CONFIG, self._environ)

    @property
    def state_dir(self) -> Path:
        """Where the record is. Raises RecordError when nothing says where (drill J11)."""
        return folders.locate(folders.STATE, self._environ)

    @property
    def cache_dir(self) -> Path:
        """Where the catalogue is kept for a while. Raises RecordError when nothing says where (drill J11)."""
        return folders.locate(folders.CACHE, self._environ)

    @cached_property
    def _store_dir(self) -> Path | None:
        """Where to read the store; without a home there is none, and the variables and flags do alone."""
        try:
            return self.config_dir
        except UsageError:
            if self._set_variable((folders.CONFIG.variable,)):
                raise
            return None

    @cached_property
    def _store(self) -> Store | None:
        from orvideo.settings.store import Store

        return Store(self._store_dir) if self._store_dir else None

    @cached_property
    def _key_file(self) -> KeyFile | None:
        from orvideo.settings.keys import KeyFile

        return KeyFile(self._store_dir) if self._store_dir else None
