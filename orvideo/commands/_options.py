"""The arguments and options that commands share: one name, one meaning, one help text everywhere."""

from __future__ import annotations

from typing import Annotated

import typer

# --- how a command answers -------------------------------------------------------------------------------------------

Json = Annotated[bool, typer.Option("--json", help="Answer with one JSON document.", rich_help_panel="Output")]
Events = Annotated[
    bool, typer.Option("--events", help="Print one JSON object a line as things happen.", rich_help_panel="Output")
]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="Only the answer and errors, no story.", rich_help_panel="Output")
]
Verbose = Annotated[
    bool, typer.Option("--verbose", "-v", help="Show each request, never the key.", rich_help_panel="Output")
]
UseSandbox = Annotated[
    bool,
    typer.Option(
        "--sandbox",
        help="Use the built-in stand-in: free, offline, no key. Variable: ORVIDEO_SANDBOX.",
        rich_help_panel="Service",
    ),
]

# --- jobs ------------------------------------------------------------------------------------------------------------

JobsArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="JOB...", help="An id, the first four or more characters of one, @1 (the newest), @2, @last."
    ),
]

# --- following and saving --------------------------------------------------------------------------------------------

Output = Annotated[
    str | None,
    typer.Option(
        "--output",
        "-o",
        metavar="PATH",
        help="Save the video here: a file, a directory, a name with fields such as {model} or {id}, or - for stdout.",
        rich_help_panel="Saving",
    ),
]
Force = Annotated[
    bool, typer.Option("--force", help="Overwrite a file that is already there.", rich_help_panel="Saving")
]
MaxSize = Annotated[
    str | None,
    typer.Option(
        metavar="SIZE",
        help="Save no file that is larger (500MB, 2GiB). Default 8GiB.",
        rich_help_panel="Saving",
    ),
]
Receipt = Annotated[
    bool,
    typer.Option(
        "--receipt", help="Beside each video, NAME.json: the request, the cost, the sum.", rich_help_panel="Saving"
    ),
]
Timeout = Annotated[
    str | None,
    typer.Option(
        metavar="TIME",
        help="Stop waiting after this time (90s, 20m, 1h); the job goes on. Default 30m.",
        rich_help_panel="Waiting",
    ),
]
Interval = Annotated[
    str | None,
    typer.Option(
        metavar="TIME",
        help="Look this often instead of soon at first and then further apart. At least 2s.",
        rich_help_panel="Waiting",
    ),
]

Exec = Annotated[
    str | None,
    typer.Option(
        "--exec",
        metavar="COMMAND",
        help="Run this in the shell when a job ends, with ORVIDEO_JOB_ID, _STATUS, _PATH, ... set.",
        rich_help_panel="Waiting",
    ),
]
Notify = Annotated[
    bool,
    typer.Option(
        "--notify", help="Notify the desktop when a job ends, or ring the terminal's bell.", rich_help_panel="Waiting"
    ),
]

# --- the request -----------------------------------------------------------------------------------------------------

Model = Annotated[
    str | None,
    typer.Option("--model", "-m", metavar="ID", help="The model. See: orvideo models.", rich_help_panel="Request"),
]
Duration = Annotated[
    str | None, typer.Option("--duration", "-d", metavar="SECONDS", help="Whole seconds.", rich_help_panel="Request")
]
Resolution = Annotated[
    str | None,
    typer.Option("--resolution", "-r", metavar="NAME", help="480p, 720p, 1080p, 4K, ...", rich_help_panel="Request"),
]
AspectRatio = Annotated[
    str | None,
    typer.Option("--aspect-ratio", "-a", metavar="W:H", help="16:9, 9:16, 1:1, ...", rich_help_panel="Request"),
]
Size = Annotated[
    str | None,
    typer.Option(
        metavar="WxH", help="Exact pixels, instead of resolution and aspect ratio.", rich_help_panel="Request"
    ),
]
Audio = Annotated[
    bool | None, typer.Option("--audio/--no-audio", help="With or without sound.", rich_help_panel="Request")
]
Seed = Annotated[
    int | None, typer.Option(metavar="N", help="The same seed aims at the same video.", rich_help_panel="Request")
]

# --- what a video is made from ---------------------------------------------------------------------------------------

FirstFrame = Annotated[
    str | None,
    typer.Option(metavar="IMAGE", help="The image it begins with: a file, an https URL, or -.", rich_help_panel="From"),
]
LastFrame = Annotated[
    str | None,
    typer.Option(metavar="IMAGE", help="The image it ends with: a file, an https URL, or -.", rich_help_panel="From"),
]
Reference = Annotated[
    list[str] | None,
    typer.Option(
        metavar="WHAT",
        help="Something to be guided by: an image as above, or audio or video by https URL. May be repeated.",
        rich_help_panel="From",
    ),
]
Continue = Annotated[
    str | None,
    typer.Option("--continue", metavar="JOB", help="Go on from a completed job.", rich_help_panel="From"),
]
RequestFile = Annotated[
    str | None,
    typer.Option(
        "--request",
        metavar="FILE",
        help="A whole request as JSON, as --dry-run prints it; - reads stdin. Flags override it.",
        rich_help_panel="From",
    ),
]
Like = Annotated[
    str | None,
    typer.Option(metavar="JOB", help="A new job with this one's request. Flags change it.", rich_help_panel="From"),
]

# --- what only some models and accounts need -------------------------------------------------------------------------

Creativity = Annotated[
    int | None, typer.Option(metavar="N", help="How freely an upscaling model works.", rich_help_panel="More")
]
Upscale = Annotated[
    float | None, typer.Option(metavar="FACTOR", help="How many times larger, for upscaling.", rich_help_panel="More")
]
Param = Annotated[
    list[str] | None,
    typer.Option(
        metavar="[PROVIDER:]KEY=VALUE",
        help="A parameter of the provider's own; JSON where it is JSON. May be repeated.",
        rich_help_panel="More",
    ),
]
CallbackUrl = Annotated[
    str | None, typer.Option(metavar="URL", help="An https URL to be told of the end at.", rich_help_panel="More")
]
User = Annotated[str | None, typer.Option(metavar="ID", help="Who asks, for your own logs.", rich_help_panel="More")]
SessionId = Annotated[
    str | None, typer.Option(metavar="ID", help="What this belongs to, for your own logs.", rich_help_panel="More")
]
Trace = Annotated[
    list[str] | None,
    typer.Option(metavar="KEY=VALUE", help="More for your own logs. May be repeated.", rich_help_panel="More"),
]
