"""In the place of click, which orvideo's own dependencies do not bring: where it is found, httpx loads rich for it."""

raise ImportError("orvideo is tested as it is installed: without click")
