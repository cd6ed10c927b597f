"""The table of settings: each name, how it is read, its default and its one line of help; and who may set it.

`config`, the environment and the docs all come from this table. A setting's flag and its name in the store are
`aspect-ratio`, its variable is `ORVIDEO_ASPECT_RATIO`.
"""

from collections.abc import Callable
from decimal import Decimal
from enum import StrEnum
from typing import Any, Generic, NamedTuple, TypeVar

from orvideo.errors import OrvideoError, UsageError
from orvideo.settings import values
from orvideo.settings.values import BadValue

T = TypeVar("T")

DEFAULT_BASE_URL = "https://openrouter.ai/api/v1"
#: The key is no setting like the others: it has no line in config.toml, no flag and no default.
API_KEY = "api-key"
#: What orvideo tells the command of --exec begins with this; no setting's variable does.
JOB_VARIABLES = "ORVIDEO_JOB_"


class Source(StrEnum):
    """Who said it, strongest first."""

    FLAG = "flag"
    ENVIRONMENT = "environment"
    STORE = "store"
    DEFAULT = "default"


class Setting(NamedTuple):
    """One setting as it stands: its value, the same as a person would type it, and who said so.

    `where` is the flag, the variable or the file; None for a default. `problem` is why the value cannot be used, and
    `hint` what mends that: then `value` is None. The key's value is its last four characters at most.
    """

    name: str
    value: object
    source: Source
    where: str | None
    text: str = ""
    problem: str | None = None
    hint: str | None = None


class Definition(NamedTuple, Generic[T]):
    """One setting. `default` None means "left open": the catalogue or the command decides.

    `other_variables` are read after the setting's own; `as_toml` says what the store holds instead of a string.
    """

    name: str
    parse: Callable[[str], T]
    show: Callable[[T], str]
    default: T | None
    help: str
    other_variables: tuple[str, ...] = ()
    as_toml: Callable[[T], bool | int | str] | None = None

    @property
    def variable(self) -> str:
        return "ORVIDEO_" + self.name.replace("-", "_").upper()

    @property
    def variables(self) -> tuple[str, ...]:
        """The variables that set it, strongest first."""
        return (self.variable, *self.other_variables)

    def read(self, given: object, where: str) -> T:
        """Return the value of a text or of a TOML scalar; `where` (a flag, a variable, a line) begins the complaint.

        Raises UsageError, and Unsafe for a base URL that would send the key in the clear.
        """
        if isinstance(given, bool):
            text = values.show_yes_no(given)
        elif isinstance(given, str | int | Decimal):
            text = str(given)
        else:
            raise UsageError(f"{where}: {self.name} takes one value, not a {type(given).__name__}.")
        try:
            return self.parse(text)
        except BadValue as bad:
            raise UsageError(f"{where}: {bad.message}") from None
        except OrvideoError as error:
            raise type(error)(f"{where}: {error.message}", hint=error.hint) from None

    def stored(self, value: T) -> bool | int | str:
        """Return the value as config.toml holds it: bare where TOML has the kind, else as a person would type it."""
        return self.as_toml(value) if self.as_toml else self.show(value)


def _base_url(text: str) -> str:
    # Late, and from the wire's own module: one place decides what a base URL may be.
    from orvideo.api.urls import check_base_url

    return check_base_url(text.strip())


def _same(text: str) -> str:
    return text


BASE_URL = Definition(
    "base-url", _base_url, _same, DEFAULT_BASE_URL, "where the API is", other_variables=("OPENROUTER_BASE_URL",)
)
MODEL = Definition[str]("model", values.parse_word, _same, None, "the model; left open: the cheapest that fits")
DURATION = Definition[int](
    "duration", values.parse_clip_length, str, None, "the video's length in whole seconds", as_toml=int
)
RESOLUTION = Definition[str]("resolution", values.parse_words, _same, None, "480p, 720p, 1080p, 4K, ...")
ASPECT_RATIO = Definition[str]("aspect-ratio", values.parse_words, _same, None, "16:9, 9:16, 1:1, ...")
AUDIO = Definition[bool]("audio", values.parse_yes_no, values.show_yes_no, None, "with or without sound", as_toml=bool)
SEED = Definition[int]("seed", values.parse_whole, str, None, "the same seed aims at the same video", as_toml=int)
OUTPUT = Definition[str]("output", values.parse_line, _same, None, "where videos are saved, as -o takes it")
INTERVAL = Definition[float](
    "interval", values.parse_some_time, values.show_duration, None, "a fixed time between looks, 2s at least"
)
TIMEOUT = Definition("timeout", values.parse_duration, values.show_duration, 1800.0, "how long to wait for a job")
MAX_COST = Definition[Decimal]("max-cost", values.parse_money, values.show_money, None, "the most a job may cost, USD")
CONFIRM_ABOVE = Definition(
    "confirm-above", values.parse_money, values.show_money, Decimal("1.00"), "ask on a terminal above this quote, USD"
)
MAX_IMAGE_SIZE = Definition(
    "max-image-size", values.parse_size, values.show_size, 20 * 1024**2, "the largest image file that is sent"
)
MAX_SIZE = Definition(
    "max-size", values.parse_size, values.show_size, 8 * 1024**3, "the largest video file that is saved"
)
REFERER = Definition(
    "referer",
    values.parse_header,
    _same,
    "https://github.com/orvideo/orvideo",
    "names the application to the service: HTTP-Referer",
)
TITLE = Definition("title", values.parse_header, _same, "orvideo", "names the application: X-OpenRouter-Title")
CATEGORIES = Definition(
    "categories", values.parse_header, _same, "cli-agent,video-gen", "names its kind: X-OpenRouter-Categories"
)
SANDBOX = Definition(
    "sandbox", values.parse_yes_no, values.show_yes_no, False, "use the built-in stand-in for the API", as_toml=bool
)
SANDBOX_SPEED = Definition(
    "sandbox-speed", values.parse_factor, "{:g}".format, 10.0, "how many times as fast the sandbox's time passes"
)

#: In the order in which `config list` shows them.
DEFINITIONS: tuple[Definition[Any], ...] = (
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
)
_BY_NAME = {definition.name: definition for definition in DEFINITIONS}
NAMES: tuple[str, ...] = (API_KEY, *_BY_NAME)


def is_name(name: str) -> bool:
    return name in NAMES


def setting_name(text: str) -> str:
    """Return the name of the setting that a person means, `api-key` among them. Raises UsageError with the nearest."""
    name = text.strip().lower().replace("_", "-")
    if name in NAMES:
        return name
    guess = nearest(name, NAMES)
    hint = f"did you mean {guess}?" if guess else f"the settings are {', '.join(NAMES)}"
    raise UsageError(f"There is no setting '{text}'.", hint=hint)


def definition(text: str) -> Definition[Any]:
    """Return the definition that a person means. Raises UsageError: for an unknown name, and for the key."""
    name = setting_name(text)
    if name == API_KEY:
        raise UsageError("The key is no setting like the others.", hint="orvideo config set api-key")
    return _BY_NAME[name]


def nearest(name: str, names: tuple[str, ...], *, cutoff: float = 0.6) -> str | None:
    """Return the one of `names` that `name` is probably a misspelling of, None when nothing is near."""
    import difflib

    found = difflib.get_close_matches(name, names, n=1, cutoff=cutoff)
    return found[0] if found else None
