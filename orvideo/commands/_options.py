"""The arguments and options that commands share: one name, one meaning, one help text everywhere."""

from __future__ import annotations

from typing import Annotated, Any

import typer


def option(panel: str, text: str, *names: str, **more: Any) -> Any:
    """Return an option that `--help` has in a panel of its own."""
    return typer.Option(*names, help=text, rich_help_panel=panel, **more)


# --- how a command answers -------------------------------------------------------------------------------------------

Json = Annotated[bool, option("Output", "Answer with one JSON document.", "--json")]
Events = Annotated[bool, option("Output", "Print one JSON object a line as things happen.", "--events")]
Quiet = Annotated[bool, option("Output", "Only the answer and errors, no story.", "--quiet", "-q")]
Verbose = Annotated[bool, option("Output", "Show each request, never the key.", "--verbose", "-v")]
UseSandbox = Annotated[
    bool, option("Service", "Use the built-in stand-in: free, offline, no key. Variable: ORVIDEO_SANDBOX.", "--sandbox")
]

# --- jobs ------------------------------------------------------------------------------------------------------------

JOB_HELP = "An id, four or more characters of one, 1 or @1 (the newest), 2, ... or @last."
JobsArgument = Annotated[list[str] | None, typer.Argument(metavar="JOB...", help=JOB_HELP)]

# --- following and saving --------------------------------------------------------------------------------------------

Output = Annotated[
    str | None,
    option(
        "Saving",
        "Save the video here: a file, a directory, a name with fields such as {model} or {id}, or - for stdout.",
        "--output",
        "-o",
        metavar="PATH",
    ),
]
Force = Annotated[bool, option("Saving", "Overwrite a file that is already there.", "--force")]
MaxSize = Annotated[
    str | None, option("Saving", "Save no file that is larger (500MB, 2GiB). Default 8GiB.", metavar="SIZE")
]
Receipt = Annotated[
    bool, option("Saving", "Beside each video, NAME.json: the request, the cost, the sum.", "--receipt")
]
Timeout = Annotated[
    str | None,
    option("Waiting", "Stop waiting after this time (90s, 20m, 1h); the job goes on. Default 30m.", metavar="TIME"),
]
Interval = Annotated[
    str | None,
    option("Waiting", "Look this often instead of soon at first and then further apart. At least 2s.", metavar="TIME"),
]

Exec = Annotated[
    str | None,
    option(
        "Waiting",
        "Run this in the shell when a job ends, with ORVIDEO_JOB_ID, _STATUS, _PATH, ... set.",
        "--exec",
        metavar="COMMAND",
    ),
]
Notify = Annotated[
    bool, option("Waiting", "Notify the desktop when a job ends, or ring the terminal's bell.", "--notify")
]

# --- the request -----------------------------------------------------------------------------------------------------

Model = Annotated[str | None, option("Request", "The model. See: orvideo models.", "--model", "-m", metavar="ID")]
Duration = Annotated[str | None, option("Request", "Whole seconds.", "--duration", "-d", metavar="SECONDS")]
Resolution = Annotated[
    str | None, option("Request", "480p, 720p, 1080p, 4K, ...", "--resolution", "-r", metavar="NAME")
]
AspectRatio = Annotated[str | None, option("Request", "16:9, 9:16, 1:1, ...", "--aspect-ratio", "-a", metavar="W:H")]
Size = Annotated[str | None, option("Request", "Exact pixels, instead of resolution and aspect ratio.", metavar="WxH")]
Audio = Annotated[bool | None, option("Request", "With or without sound.", "--audio/--no-audio")]
Seed = Annotated[int | None, option("Request", "The same seed aims at the same video.", metavar="N")]

# --- what a video is made from ---------------------------------------------------------------------------------------

FirstFrame = Annotated[
    str | None, option("From", "The image it begins with: a file, an https URL, or -.", metavar="IMAGE")
]
LastFrame = Annotated[
    str | None, option("From", "The image it ends with: a file, an https URL, or -.", metavar="IMAGE")
]
Reference = Annotated[
    list[str] | None,
    option(
        "From",
        "Something to be guided by: an image as above, or audio or video by https URL. May be repeated.",
        metavar="WHAT",
    ),
]
FixImage = Annotated[
    bool,
    option("From", "Send pictures of this machine upright, in 8-bit sRGB, without metadata.", "--fix-image"),
]
Continue = Annotated[str | None, option("From", "Go on from a completed job.", "--continue", metavar="JOB")]
RequestFile = Annotated[
    str | None,
    option(
        "From",
        "A whole request as JSON, as --dry-run prints it; - reads stdin. Flags override it.",
        "--request",
        metavar="FILE",
    ),
]
Like = Annotated[str | None, option("From", "A new job with this one's request. Flags change it.", metavar="JOB")]

# --- what only some models and accounts need -------------------------------------------------------------------------

Creativity = Annotated[int | None, option("More", "How freely an upscaling model works.", metavar="N")]
Upscale = Annotated[float | None, option("More", "How many times larger, for upscaling.", metavar="FACTOR")]
Param = Annotated[
    list[str] | None,
    option(
        "More",
        "A parameter of the provider's own; JSON where it is JSON. May be repeated.",
        metavar="[PROVIDER:]KEY=VALUE",
    ),
]
CallbackUrl = Annotated[str | None, option("More", "An https URL to be told of the end at.", metavar="URL")]
User = Annotated[str | None, option("More", "Who asks, for your own logs.", metavar="ID")]
SessionId = Annotated[str | None, option("More", "What this belongs to, for your own logs.", metavar="ID")]
Trace = Annotated[list[str] | None, option("More", "More for your own logs. May be repeated.", metavar="KEY=VALUE")]
