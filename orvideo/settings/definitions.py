"""The table of settings: the name, parser, formatter, default and help of each.

`orvideo config`, the variables and the docs are made from it. The setting `aspect-ratio` has that name in config.toml,
the flag `--aspect-ratio` and the variable `ORVIDEO_ASPECT_RATIO`.
"""

from collections.abc import Callable
from decimal import Decimal
from enum import StrEnum
from typing import Any, Generic, NamedTuple, TypeVar

from orvideo.errors import OrvideoError, UsageError
from orvideo.settings import values
from orvideo.settings.values import InvalidValue

T = TypeVar("T")

DEFAULT_BASE_URL = "https://openrouter.ai/api/v1"
#: The key has a file of its own, no entry in config.toml, no flag and no default.
API_KEY = "api-key"
KEY_VARIABLE = "OPENROUTER_API_KEY"
#: Which profile a command uses, where it does not say so itself.
PROFILE_VARIABLE = "ORVIDEO_PROFILE"
#: What the sandbox signs its callbacks with.
SIGNING_VARIABLE = "ORVIDEO_WEBHOOK_SECRET"
#: The program that shows long lists (`output.pager`).
PAGER_VARIABLE = "ORVIDEO_PAGER"
#: The prefix of the variables that --exec passes to its command; no setting's variable has it.
JOB_VARIABLES = "ORVIDEO_JOB_"


class Source(StrEnum):
    """Where a setting's value comes from, strongest first; from a command and the keyring comes the key alone."""

    FLAG = "flag"
    ENVIRONMENT = "environment"
    COMMAND = "command"
    KEYRING = "keyring"
    STORE = "store"
    DEFAULT = "default"


class Setting(NamedTuple):
    """The value of one setting, and where it comes from.

    `location` is the flag, the variable or the file; None for a default. `text` is the value as a person would type it.
    `problem` says why the value cannot be used (`value` is then None), and `hint` how to correct it. The value of the
    key is its last four characters at most, and `beaten` has the other places where a key is.
    """

    name: str
    value: object
    source: Source
    location: str | None
    text: str = ""
    problem: str | None = None
    hint: str | None = None
    beaten: tuple[str, ...] = ()


class Definition(NamedTuple, Generic[T]):
    """How one setting is read and written; a `default` of None leaves the choice to the catalogue or the command.

    `other_variables` are read after the setting's own; what is
    `in_file_only` has none. `as_toml` converts the value where config.toml holds no string.
    """

    name: str
    parse: Callable[[str], T]
    format: Callable[[T], str]
    default: T | None
    help: str
    other_variables: tuple[str, ...] = ()
    as_toml: Callable[[T], bool | int | str] | None = None
    in_file_only: bool = False

    @property
    def variable(self) -> str:
        return "ORVIDEO_" + self.name.replace("-", "_").upper()

    @property
    def variables(self) -> tuple[str, ...]:
        """All variables that set it, strongest first."""
        return () if self.in_file_only else (self.variable, *self.other_variables)

    def read(self, given: object, location: str) -> T:
        """Return the value of a text or a TOML scalar; error messages begin with `location` (a flag, variable or line).

        Raises UsageError, and Unsafe for a base URL that would send the key in the clear.
        """
        if isinstance(given, bool):
            text = values.format_bool(given)
        elif isinstance(given, str | int | Decimal):
            text = str(given)
        else:
            raise UsageError(f"{location}: {self.name} takes one value, not a {type(given).__name__}.")
        try:
            return self.parse(text)
        except InvalidValue as bad:
            raise UsageError(f"{location}: {bad.message}") from None
        except OrvideoError as error:
            raise type(error)(f"{location}: {error.message}", hint=error.hint) from None

    def to_toml(self, value: T) -> bool | int | str:
        """Return the value for config.toml: a boolean or integer where TOML has the type, else the formatted text."""
        return self.as_toml(value) if self.as_toml else self.format(value)


def _base_url(text: str) -> str:
    # Imported late: only a base URL that is set needs it.
    from orvideo.api.urls import check_base_url

    return check_base_url(text.strip())


BASE_URL = Definition(
    "base-url", _base_url, str, DEFAULT_BASE_URL, "where the API is", other_variables=("OPENROUTER_BASE_URL",)
)
#: In config.toml alone: a variable may come from whoever wrote a project's .envrc, Makefile or workflow, who could then
#: run what they like.
KEY_COMMAND = Definition[str](
    "api-key-command", values.parse_key_command, str, None, "a command that prints the key", in_file_only=True
)
MODEL = Definition[str]("model", values.parse_word, str, None, "the model; left open: the cheapest that fits")
DURATION = Definition[int](
    "duration", values.parse_video_duration, str, None, "the video's length in whole seconds", as_toml=int
)
RESOLUTION = Definition[str]("resolution", values.parse_stripped_line, str, None, "480p, 720p, 1080p, 4K, ...")
ASPECT_RATIO = Definition[str]("aspect-ratio", values.parse_stripped_line, str, None, "16:9, 9:16, 1:1, ...")
AUDIO = Definition[bool]("audio", values.parse_bool, values.format_bool, None, "with or without sound", as_toml=bool)
SEED = Definition[int]("seed", values.parse_integer, str, None, "the same seed aims at the same video", as_toml=int)
OUTPUT = Definition[str]("output", values.parse_line, str, None, "where videos are saved, as -o takes it")
INTERVAL = Definition[float](
    "interval", values.parse_positive_duration, values.format_duration, None, "a fixed time between looks, 2s at least"
)
TIMEOUT = Definition("timeout", values.parse_duration, values.format_duration, 1800.0, "how long to wait for a job")
MAX_COST = Definition[Decimal](
    "max-cost", values.parse_money, values.format_money, None, "the most a job may cost, USD"
)
CONFIRM_ABOVE = Definition(
    "confirm-above", values.parse_money, values.format_money, Decimal("1.00"), "ask on a terminal above this quote, USD"
)
MAX_IMAGE_SIZE = Definition(
    "max-image-size", values.parse_size, values.format_size, 20 * 1024**2, "the largest image file that is sent"
)
MAX_SIZE = Definition(
    "max-size", values.parse_size, values.format_size, 8 * 1024**3, "the largest video file that is saved"
)
REFERER = Definition(
    "referer",
    values.parse_header_value,
    str,
    "https://github.com/orvideo/orvideo",
    "names the application to the service: HTTP-Referer",
)
TITLE = Definition("title", values.parse_header_value, str, "orvideo", "names the application: X-OpenRouter-Title")
CATEGORIES = Definition(
    "categories", values.parse_header_value, str, "cli-agent,video-gen", "names its kind: X-OpenRouter-Categories"
)
SANDBOX = Definition(
    "sandbox", values.parse_bool, values.format_bool, False, "use the built-in stand-in for the API", as_toml=bool
)
SANDBOX_SPEED = Definition(
    "sandbox-speed",
    values.parse_positive_number,
    "{:g}".format,
    10.0,
    "how many times as fast the sandbox's time passes",
)
PLAYER = Definition[str](
    "player", values.parse_player, str, None, "what `open` plays videos with; left open: the system's player"
)
PICTURES = Definition(
    "pictures", values.parse_pictures, str, "auto", "in the terminal: auto, off, kitty, iterm2, sixel, blocks"
)

#: In the order in which `config list` shows them.
DEFINITIONS: tuple[Definition[Any], ...] = (
    KEY_COMMAND,
    BASE_URL,
    MODEL,
    DURATION,
    RESOLUTION,
    ASPECT_RATIO,
    AUDIO,
    SEED,
    OUTPUT,
    INTERVAL,
    TIMEOUT,
    MAX_COST,
    CONFIRM_ABOVE,
    MAX_IMAGE_SIZE,
    MAX_SIZE,
    REFERER,
    TITLE,
    CATEGORIES,
    SANDBOX,
    SANDBOX_SPEED,
    PLAYER,
    PICTURES,
)
_BY_NAME = {definition.name: definition for definition in DEFINITIONS}
NAMES: tuple[str, ...] = (API_KEY, *_BY_NAME)


def canonical_name(text: str) -> str:
    """Return the name of a setting for any spelling of it, `api-key` included. Raises UsageError."""
    name = text.strip().lower().replace("_", "-")
    if name in NAMES:
        return name
    guess = nearest(name, NAMES)
    hint = f"did you mean {guess}?" if guess else f"the settings are {', '.join(NAMES)}"
    raise UsageError(f"There is no setting '{text}'.", hint=hint)


def find_definition(text: str) -> Definition[Any]:
    """Return the definition of a setting by its name. Raises UsageError for an unknown name, and for the key."""
    name = canonical_name(text)
    if name == API_KEY:
        raise UsageError("The API key is not stored in config.toml.", hint="orvideo config set api-key")
    return _BY_NAME[name]


def nearest(name: str, names: tuple[str, ...], *, cutoff: float = 0.6) -> str | None:
    """Return the one of `names` that is most like `name`, None when none is like it."""
    import difflib

    found = difflib.get_close_matches(name, names, n=1, cutoff=cutoff)
    return found[0] if found else None
