"""Where a value comes from."""

from enum import StrEnum
from typing import NamedTuple


class Source(StrEnum):
    """Who said it, strongest first."""

    FLAG = "flag"
    ENVIRONMENT = "environment"
    STORE = "store"
    DEFAULT = "default"


class Setting(NamedTuple):
    """One setting as it stands: its value, the same as a person would type it, and who said so.

    `where` is the flag, the variable or the file; None for a default. `problem` is why the value cannot be used: then
    `value` is None. The key's value is its last four characters at most.
    """

    name: str
    value: object
    source: Source
    where: str | None
    text: str = ""
    problem: str | None = None
