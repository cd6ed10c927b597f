"""Settings: flags, environment, store, defaults, and who said what. Nothing else in orvideo reads the environment.

`resolving` answers, `definitions` is the table of settings, `values` reads texts, `store` and `keys` are the files,
`private` writes them, `folders` knows where they are.
"""

from orvideo.settings.definitions import Setting, Source
from orvideo.settings.resolving import Settings

__all__ = ["Setting", "Settings", "Source"]
