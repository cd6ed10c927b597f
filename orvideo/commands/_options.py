"""The arguments and options that commands share: one name, one meaning, one help text everywhere.

The options of a request are made from the table of its fields (`request.fields`), see `_request`.
"""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

import typer

from orvideo.commands._groups import Fields
from orvideo.environment import CommonOptions


def option(panel: str, text: str, *names: str, **more: Any) -> Any:
    """Return an option that `--help` has in a panel of its own."""
    return typer.Option(*names, help=text, rich_help_panel=panel, **more)


# --- how a command answers -------------------------------------------------------------------------------------------

ANSWERING = {
    "json": Annotated[bool, option("Output", "Answer with one JSON document.", "--json")],
    "events": Annotated[bool, option("Output", "Print one JSON object a line as things happen.", "--events")],
    "quiet": Annotated[bool, option("Output", "Only the answer and errors.", "--quiet", "-q")],
    "verbose": Annotated[bool, option("Output", "Show each request, never the key.", "--verbose", "-v")],
    "sandbox": Annotated[
        bool,
        option("Service", "Use the built-in stand-in: free, offline, no key. Variable: ORVIDEO_SANDBOX.", "--sandbox"),
    ],
    "profile": Annotated[
        str | None,
        option(
            "Service", "Use this profile's key and settings. Variable: ORVIDEO_PROFILE.", "--profile", metavar="NAME"
        ),
    ],
}


def common_options(*names: str) -> Fields:
    """Return the group of these options of an answer."""
    return Fields(CommonOptions, *names, hints=ANSWERING)


#: Of a command that is done here, of one that asks the service, and of one that follows jobs there.
Local = Annotated[CommonOptions, common_options("json", "quiet", "profile")]
Asking = Annotated[CommonOptions, common_options("json", "quiet", "verbose", "sandbox", "profile")]
Following = Annotated[CommonOptions, common_options(*ANSWERING)]

# --- jobs ------------------------------------------------------------------------------------------------------------

JOB_HELP = "An id, four or more characters of one, or a number: 1 is the newest, 2 the one before."
JobsArgument = Annotated[list[str] | None, typer.Argument(metavar="JOB", help=JOB_HELP)]

# --- following and saving --------------------------------------------------------------------------------------------

Force = Annotated[bool, option("Saving", "Overwrite a file that is already there.", "--force")]


class Saving(NamedTuple):
    """Where videos are saved, and how."""

    output: Annotated[
        str | None,
        option(
            "Saving",
            "Save the video here: a file, a directory, a name with fields such as {model} or {id}, or - for stdout.",
            "--output",
            "-o",
            metavar="PATH",
        ),
    ] = None
    force: Force = False
    receipt: Annotated[
        bool, option("Saving", "Beside each video, NAME.json: the request, the cost, the sum.", "--receipt")
    ] = False
    max_size: Annotated[
        str | None, option("Saving", "Save no file that is larger (500MB, 2GiB). Default 8GiB.", metavar="SIZE")
    ] = None


class Waiting(NamedTuple):
    """How long to wait for jobs, and how often to look."""

    timeout: Annotated[
        str | None,
        option("Waiting", "Stop waiting after this time (90s, 20m, 1h); the job goes on. Default 30m.", metavar="TIME"),
    ] = None
    interval: Annotated[
        str | None,
        option(
            "Waiting", "Look this often instead of soon at first and then further apart. At least 2s.", metavar="TIME"
        ),
    ] = None
