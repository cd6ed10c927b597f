"""`orvideo help`: pages about what holds for every command."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from orvideo.commands._action import Action
from orvideo.commands._app import build_app
from orvideo.commands._hooks import VARIABLES
from orvideo.commands._options import common_options
from orvideo.environment import CommonOptions
from orvideo.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from orvideo.context import Context

#: The frozen table: a code, what it means, and whether money was charged.
EXIT_CODES: tuple[tuple[ExitCode, str, str], ...] = (
    (ExitCode.OK, "done", "as shown"),
    (ExitCode.BUG, "a bug in orvideo", "see the record"),
    (ExitCode.USAGE, "usage: a bad option, input or file", "no"),
    (ExitCode.NO_VIDEO, "the job ended without a video: failed, cancelled or expired", "usually not"),
    (ExitCode.AUTH, "authentication: no key, or the key was refused", "no"),
    (ExitCode.MONEY, "money: no credits, a limit of the key or of a budget, --max-cost, or a declined quote", "no"),
    (ExitCode.REJECTED, "rejected: the model cannot do this, or the service refused it; do not repeat unchanged", "no"),
    (ExitCode.UNAVAILABLE, "unavailable: nothing was accepted; safe to run again", "no"),
    (ExitCode.STILL_RUNNING, "still running when --timeout ended; go on with: orvideo wait ID", "yes"),
    (ExitCode.OUTCOME_UNKNOWN, "outcome unknown: sent, no readable answer; may be charged", "maybe"),
    (ExitCode.NOT_FETCHED, "finished at the service, not fetched; run: orvideo download ID", "yes"),
    (ExitCode.RECORD, "the local record cannot be used; nothing was sent. Only before the submit", "no"),
    (ExitCode.BAD_REPLY, "a reply that makes no sense", "see text"),
    (
        ExitCode.OUTPUT_EXISTS,
        "the output exists: nothing was sent; or the name was taken since, and the video is saved beside it",
        "as shown",
    ),
    (ExitCode.OUTPUT_UNWRITABLE, "the output (or the record) cannot be written", "see text"),
    (
        ExitCode.UNSAFE,
        "refused for safety: a foreign URL, a downgrade, a bad certificate; no other place is left",
        "see text",
    ),
    (ExitCode.BATCH_INCOMPLETE, "batch: some rows did not make it", "as listed"),
    (ExitCode.HANGUP, "the terminal was closed (SIGHUP)", "see the record"),
    (ExitCode.INTERRUPTED, "interrupted (Ctrl-C, SIGINT)", "see the record"),
    (ExitCode.BROKEN_PIPE, "whoever read stdout has left (SIGPIPE)", "see the record"),
    (ExitCode.TERMINATED, "terminated (SIGTERM)", "see the record"),
)

_OTHER_VARIABLES = (
    ("OPENROUTER_API_KEY", "the API key, used instead of every other one"),
    ("ORVIDEO_PROFILE", "the profile whose key and settings are used, as --profile says"),
    ("OPENROUTER_BASE_URL", "where the API is, when ORVIDEO_BASE_URL is not set"),
    ("ORVIDEO_CONFIG_DIR", "the folder of the settings"),
    ("ORVIDEO_STATE_DIR", "the folder of the job record"),
    ("ORVIDEO_CACHE_DIR", "the folder of the model list"),
    ("ORVIDEO_WEBHOOK_SECRET", "what the sandbox signs its callbacks with"),
    ("NO_COLOR, FORCE_COLOR, TERM=dumb", "no colours, colours also in a pipe, a plain terminal"),
    ("CI", "plain lines instead of a live one"),
    ("FORCE_HYPERLINK", "0 for no links on a terminal, 1 for links on any"),
    ("COLUMNS", "the width of tables"),
    (
        "ORVIDEO_PAGER, PAGER",
        "what shows a long list of jobs on a terminal; empty: nothing. Default less, with LESS=FRX",
    ),
    ("BROWSER", "the browser that login opens"),
    ("HTTPS_PROXY, NO_PROXY, SSL_CERT_FILE", "as for other programs"),
)

_OUTPUT = """\
stdout has the answer. stderr has the rest: progress, hints, warnings, quotes, errors.

command            on a terminal      in a pipe
submit             the id             the id
submit --wait -o   the saved path     the same
wait, download     the saved paths    the same, one a line
batch              the saved paths    the same, each as soon as it is there
-o -               refused            the video's bytes
status             a table            id, status, model, created, USD, path, error
jobs               a table            id, status, model, created, USD, path, prompt
jobs --cost        a table            key, USD, billed, unknown, pending, USD of those, own key, where
jobs mark          the ids            the same
models             a table            id, from, resolutions, seconds, sound, seed, USD

Lines in a pipe are tab-separated, without a heading. A value that is not known is empty.

--json     one JSON document: an object for one job, an array for a list
--events   one JSON object a line as things happen (submit, wait, download, batch)
-q         only the answer and errors
-v         also a line for each request, never the key

Under --json and --events an error is one JSON object on stderr:
{"error": {"kind", "message", "hint", "exit_code", "charged", "job_id", "resume"}}
Times are ISO 8601 in UTC, money is USD, what is not known is null.
All fields: orvideo help schema

--exec runs a command in the shell when a job ends. Its output goes to stderr and its input is empty. \
On Windows the line cannot have %ORVIDEO_JOB_...% in it (a prompt would be run); the program finds the variables. \
If it fails, orvideo warns and keeps its exit code. The command finds the job in the variables \
ORVIDEO_JOB_ID, _STATUS, _PATH, _PATHS, _COST, _MODEL, _PROMPT and _ERROR, and never finds the key.
"""


class Topic(StrEnum):
    """The pages there are."""

    exit_codes = "exit-codes"
    environment = "environment"
    output = "output"
    schema = "schema"
    man = "man"


def register(app: typer.Typer) -> None:
    @app.command("help", epilog="Example: orvideo help exit-codes")
    def help_(
        *,
        topic: Annotated[
            Topic | None, typer.Argument(help="The page, or a command; without one, what there is.")
        ] = None,
        answering: Annotated[CommonOptions, common_options("json")],
    ) -> Action:
        """Show a page of help. Exit codes, variables, output, the schema of all JSON."""
        return Action(lambda context: run(context, topic), answering)


def check_page(asked: str, commands: Collection[str]) -> None:
    """Raise UsageError for what is no page; `commands` are those whose help is asked for in the same way."""
    from orvideo.settings.definitions import nearest

    topics = tuple(topic.value for topic in Topic)
    if asked in topics:
        return
    guess = nearest(asked, (*commands, *topics))
    hint = f"orvideo help {guess}" if guess else "orvideo help"
    told = f"The commands are {', '.join(commands)}; the pages are {', '.join(topics)}."
    raise UsageError(f"There is no help for '{asked}'. {told}", hint=hint)


def run(context: Context, topic: Topic | None) -> None:
    """Print one page, or say which there are."""
    pages: dict[Topic | None, Callable[[Context], None]] = {
        None: _topics,
        Topic.exit_codes: _exit_codes,
        Topic.environment: _environment,
        Topic.output: _output,
        Topic.schema: _schema,
        Topic.man: _man,
    }
    pages[topic](context)


def _topics(context: Context) -> None:
    """Answer with the pages there are; without --json, `orvideo help` is `orvideo --help`."""
    context.terminal.document([topic.value for topic in Topic])


def _exit_codes(context: Context) -> None:
    context.terminal.document(
        [{"code": int(code), "meaning": meaning, "charged": charged} for code, meaning, charged in EXIT_CODES]
    )
    _show(context, [(str(int(code)), meaning, f"charged: {charged}") for code, meaning, charged in EXIT_CODES])


def _environment(context: Context) -> None:
    from orvideo.settings.definitions import DEFINITIONS

    hooks = ((name, f"for --exec: {meaning}") for name, meaning in VARIABLES)
    rows = [*((one.variable, one.help) for one in DEFINITIONS if one.variables), *_OTHER_VARIABLES, *hooks]
    context.terminal.document([{"variable": variable, "meaning": meaning} for variable, meaning in rows])
    _show(context, rows)


def _show(context: Context, rows: Sequence[tuple[str, ...]]) -> None:
    """Show a table: on a terminal its texts are folded and not cut; a pipe gets the columns apart."""
    if context.terminal.out_is_tty:
        context.terminal.page(rows)
    else:
        context.terminal.table([], rows)


def _output(context: Context) -> None:
    context.terminal.document({"text": _OUTPUT})
    context.terminal.page(_OUTPUT.splitlines())


def _schema(context: Context) -> None:
    """Print the JSON Schema of everything under --json and --events, as docs/schema.json has it."""
    from orvideo.output.json_schema import schema

    context.terminal.document(schema())
    context.terminal.answer_json(schema())


def _man(context: Context) -> None:
    """Print the manual page as man reads it: `orvideo help man | man -l -`."""
    from orvideo.completion.scripts import manual

    page = manual(build_app(), EXIT_CODES)
    context.terminal.document({"text": page})
    context.terminal.page(page.splitlines())
