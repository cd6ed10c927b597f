"""Looks settings up: a flag beats the environment, the environment config.toml, and config.toml the default.

In config.toml the table of the selected profile beats what stands above it.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from orvideo import shells
from orvideo.errors import OrvideoError, UsageError
from orvideo.settings import definitions, folders
from orvideo.settings.definitions import (
    API_KEY,
    KEY_VARIABLE,
    NAMES,
    PROFILE_VARIABLE,
    SIGNING_VARIABLE,
    Definition,
    Setting,
    Source,
)
from orvideo.settings.key_places import KeyMemory, KeyPlaces, key_of_another_origin, no_key
from orvideo.settings.keys import ApiKey, KeyFile, clean_key, origin_of
from orvideo.settings.profiles import is_profile_name, lost_profile, no_profile, profile_name, set_line, unset_line
from orvideo.settings.store import Store

if TYPE_CHECKING:
    from orvideo.settings.key_command import KeyCommand
    from orvideo.settings.warnings import SettingsWarning

T = TypeVar("T")
_PROFILE_FLAG = "--profile"


class _Attribute(Generic[T]):
    """A setting as an attribute of `Settings`, looked up at each access; None where it has no value."""

    def __init__(self, definition: Definition[Any]) -> None:
        self._definition = definition

    def __get__(self, settings: Settings, owner: type[Settings]) -> T:
        return cast(T, settings.lookup(self._definition)[0])


class Settings:
    """The settings of one run; each is looked up when it is read, and files are read only then.

    `environ` replaces the environment of the process. `flags` has values by setting name, parsed or as text; None is
    a flag that was not given. `profile` is what --profile says.
    For an invalid value an attribute raises UsageError, which names flag, variable or line.
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
    player = _Attribute[str | None](definitions.PLAYER)
    pictures = _Attribute[str](definitions.PICTURES)

    def __init__(
        self,
        environ: Mapping[str, str],
        *,
        flags: Mapping[str, object] | None = None,
        profile: str | None = None,
        memory: KeyMemory | None = None,
    ) -> None:
        self._environ = environ
        self._profile = profile
        self._profile_may_be_new = self._profile_is_known = False
        #: Which keys were fetched; shared by all that was made from these settings.
        self.memory = memory or KeyMemory()
        self._flags = {
            definitions.canonical_name(name): value for name, value in (flags or {}).items() if value is not None
        }

    def __repr__(self) -> str:
        # The environment contains the key (drill K13).
        return "Settings()"

    def with_flags(self, flags: Mapping[str, object]) -> Settings:
        """Return the same settings with more flags; None is a flag that was not given."""
        more = Settings(self._environ, flags={**self._flags, **flags}, profile=self._profile, memory=self.memory)
        more._profile_may_be_new = self._profile_may_be_new
        return more

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
        self._require_profile()
        return [self._get_or_problem(name) for name in NAMES]

    def _get_or_problem(self, name: str) -> Setting:
        try:
            return self.get(name)
        except OrvideoError as error:
            variable = self.overriding_variable(name)
            source = Source.ENVIRONMENT if variable else Source.STORE
            file = str(self._store.path) if self._store is not None else None
            location = variable or (self._key_places.where() if name == API_KEY else file)
            hint = error.hint if variable or name == API_KEY else self._unset_line(name)
            return Setting(name, None, source, location, "", error.message, hint)

    def _unset_line(self, name: str) -> str:
        """Return the command that removes a stored setting, from the profile's table if it stands there."""
        is_own = self._store is not None and name in self._store.entries_of(self.profile)
        return unset_line(name, self.profile if is_own else None)

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
        self._require_profile()
        name = definition.name
        if name in self._flags:
            given: Any = self._flags[name]
            flag = f"--{name}"
            return (definition.read(given, flag) if isinstance(given, str) else given), Source.FLAG, flag
        self._refuse_empty_limit(definition)
        if variable := self._set_variable(definition.variables):
            return definition.read(self._environ[variable], variable), Source.ENVIRONMENT, variable
        if (stored := self._stored_value(definition)) is not None:
            return stored[0], Source.STORE, stored[1]
        return definition.default, Source.DEFAULT, None

    def _stored_value(self, definition: Definition[T], *, own: bool = False) -> tuple[T, str] | None:
        """Return what config.toml says, and where: the profile's table first, and with `own` that alone."""
        if self._store is None:
            return None
        for profile in (self.profile,) if own else dict.fromkeys((self.profile, None)):
            entries = self._store.entries_of(profile)
            if definition.name in entries:
                place = f"{self._store.path}" + (f" [profile.{profile}]" if profile is not None else "")
                line = self._store.location_of(definition.name, profile)
                return definition.read(entries[definition.name], line), place
        return None

    def _refuse_empty_limit(self, definition: Definition[Any]) -> None:
        """Raise UsageError for a limit that is set to nothing: it would let everything pass (finding A01)."""
        name = definition.variable
        if definition is definitions.MAX_COST and name in self._environ and not self._environ[name].strip():
            mend = shells.unset_variable(name)
            raise UsageError(f"{name} is set to nothing, and a limit needs an amount.", hint=mend)

    def _set_variable(self, variables: tuple[str, ...]) -> str | None:
        """Return the first of `variables` that is set; an empty one counts as not set."""
        return next((name for name in variables if self._environ.get(name, "").strip()), None)

    # --- profiles --------------------------------------------------------------

    @cached_property
    def profile(self) -> str | None:
        """The profile that is selected, None for none. Raises UsageError for what cannot be one's name."""
        if self._profile is not None:
            return profile_name(self._profile, _PROFILE_FLAG)
        variable = self._set_variable((PROFILE_VARIABLE,))
        return profile_name(self._environ[variable], variable) if variable else None

    @property
    def profiles(self) -> list[str]:
        """The profiles that there are: with a table in config.toml, or a key in a file of its own."""
        tables = self._store.profiles if self._store is not None else {}
        files = KeyFile.all(self._store_dir) if self._store_dir is not None else ()
        found = {*tables, *(file.profile for file in files if file.profile is not None and file.path.exists())}
        return sorted(filter(is_profile_name, found))

    def for_profile(self, profile: str | None) -> Settings:
        """Return the settings of another profile, or of none, whatever is selected."""
        environ = {name: value for name, value in self._environ.items() if name != PROFILE_VARIABLE}
        return Settings(environ, flags=self._flags, profile=profile, memory=self.memory)

    def may_make_profile(self) -> None:
        """Let the selected profile be one that is not there yet: what is stored next makes it."""
        self._profile_may_be_new = True

    def _require_profile(self) -> None:
        """Raise UsageError for a profile that nothing defines: a misspelt one would use another's key and limits."""
        if self._profile_is_known or self.profile is None or self._profile_may_be_new:
            return
        known = self.profiles
        if self.profile not in known:
            raise no_profile(self.profile, known, _PROFILE_FLAG if self._profile is not None else PROFILE_VARIABLE)
        self._profile_is_known = True

    # --- the key ---------------------------------------------------------------

    def api_key(self, base_url: str) -> ApiKey:
        """Return the key for a service.

        Raises AuthError when there is no key or it is malformed (the stored one does not replace a malformed one in
        the environment), Unsafe when the stored key, or that of a command, is for another origin (drill N17).
        """
        found = self._key_places.find(self.environ_without_key)
        if found is None:
            raise no_key(self.profile)
        if found.origin is not None and found.origin != origin_of(base_url):
            raise key_of_another_origin(found, base_url, self.profile)
        return found.key

    def key_of(self, profile: str | None, base_url: str) -> ApiKey:
        """Return the key of the profile that bought a job, whatever is selected; raises as `api_key` does."""
        if profile == self.profile:
            return self.api_key(base_url)
        other = self.for_profile(profile)
        if profile is not None and profile not in self.profiles and not self._set_variable((KEY_VARIABLE,)):
            raise lost_profile(profile)
        return other.api_key(base_url)

    @property
    def _key_places(self) -> KeyPlaces:
        return KeyPlaces(self._environ, self.profile, self._key_file, self._key_command, self.memory)

    def _key_command(self) -> KeyCommand | None:
        """Return the command that prints the key of this profile; one of no profile pays for no other."""
        stored = self._stored_value(definitions.KEY_COMMAND, own=True)
        if stored is None or self._store is None:
            return None
        from orvideo.settings.key_command import KeyCommand

        # A variable may not lead the key elsewhere than config.toml says (drill N17).
        base_url = self._stored_value(definitions.BASE_URL)
        origin = origin_of(base_url[0] if base_url is not None else definitions.DEFAULT_BASE_URL)
        return KeyCommand(stored[0], self._store.path, origin, self.profile)

    def _key_setting(self) -> Setting:
        self._require_profile()
        return self._key_places.setting()

    def keys(self, *, malformed: bool = False) -> list[str]:
        """Return the keys in the environment and in all key files, also those not used, and all that were fetched.

        With `malformed` the variable's text is among them even if it cannot be a key, so that it can be redacted.
        Neither a command nor the keyring is asked: what was not fetched is nowhere.
        """
        text = self._environ.get(KEY_VARIABLE, "").strip()
        found = {text, *self.memory.fetched} if malformed and text else {*self.memory.fetched}
        with suppress(OrvideoError):
            found.add(clean_key(text, KEY_VARIABLE))
        with suppress(OrvideoError):
            for file in KeyFile.all(self._store_dir) if self._store_dir else ():
                with suppress(OrvideoError):
                    if stored := file.read(check_permissions=False):
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
        """Store one setting in config.toml, in the table of the selected profile if there is one, and return it.

        Raises UsageError for the name, the value, or a file that cannot be read; OutputUnwritable.
        """
        definition = definitions.find_definition(name)
        value = definition.read(text, definition.name)
        store = self._store_to_change()
        store.set(definition.name, definition.to_toml(value), self.profile)
        return Setting(definition.name, value, Source.STORE, str(store.path), definition.format(value))

    def unset(self, name: str) -> bool:
        """Remove one setting, or an unknown entry of config.toml; return whether it was there. Raises as `set` does."""
        store = self._store_to_change()
        if name in store.entries_of(self.profile) and name not in NAMES:
            return store.unset(name, self.profile)
        if definitions.canonical_name(name) == API_KEY:
            return self._places_to_change().remove()
        return store.unset(definitions.canonical_name(name), self.profile)

    def new_api_key(self, text: str) -> ApiKey:
        """Return a key as `store_api_key` would store it. Raises AuthError, without the text, when it is malformed."""
        file = KeyFile(self.config_dir, self.profile)
        return ApiKey(clean_key(text, "The key"), Source.STORE, str(file.path), mend=set_line(API_KEY, self.profile))

    def stored_key(self) -> ApiKey | None:
        """Return the key that `store_api_key` would replace."""
        return self._places_to_change().stored()

    def store_api_key(self, text: str) -> ApiKey:
        """Store a key for the service at the base URL that is set, and return it with the place where it is now.

        The place is the system's keyring if there is one, else a file; a key in the other one is removed. The table of
        a profile is made in config.toml. Raises as `new_api_key` does, and OutputUnwritable.
        """
        key = self.new_api_key(text)
        origin = origin_of(self.base_url)
        if self.profile is not None:
            self._store_to_change().make_profile(self.profile)
        return self._places_to_change().store(key, origin)

    def _places_to_change(self) -> KeyPlaces:
        file = KeyFile(self.config_dir, self.profile)
        return KeyPlaces(self._environ, self.profile, file, self._key_command, self.memory)

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
        return KeyFile(self._store_dir, self.profile) if self._store_dir else None
