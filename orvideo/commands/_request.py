"""What a submit line asks for: its options, the settings, a request file or a past job, made into one request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO, NamedTuple

import typer

from orvideo.commands._groups import Fields, parameter
from orvideo.commands._options import option
from orvideo.errors import UsageError
from orvideo.request.fields import SHORT_NAMES, TABLE, Field

if TYPE_CHECKING:
    import inspect

    from orvideo.context import Context
    from orvideo.record.values import Record
    from orvideo.request.build import RequestDraft
    from orvideo.settings.resolving import Settings

#: In bytes; an endless file is longer.
_LONGEST_PROMPT = 1024**2
#: The fields that have a setting.
_SET = [field for field in TABLE if field.setting is not None]


class RequestOptions(NamedTuple):
    """The part of a line that says what to make.

    `said` has what the line says of fields (`request.fields`), by their names; what it leaves open is not in it.
    """

    said: Mapping[str, Any]
    prompt: Annotated[str | None, typer.Argument(help="What the video shows; - reads it from stdin.")] = None
    prompt_file: Annotated[str | None, option("Request", "Read the prompt from a file.", metavar="FILE")] = None
    request: Annotated[
        str | None,
        option(
            "From",
            "A whole request as JSON, as --dry-run prints it; - reads stdin. Flags override it.",
            "--request",
            metavar="FILE",
        ),
    ] = None
    like: Annotated[
        str | None, option("From", "A new job with this one's request. Flags change it.", metavar="JOB")
    ] = None
    fix_image: Annotated[
        bool, option("From", "Send pictures of this machine upright, in 8-bit sRGB, without metadata.", "--fix-image")
    ] = False
    no_check: Annotated[bool, option("Request", "Send even what the catalogue says cannot work.", "--no-check")] = False

    @property
    def flags(self) -> dict[str, Any]:
        """What the line says of settings, by their names."""
        return {str(field.setting): self.said.get(field.name) for field in _SET}

    def line_fields(self, settings: Settings) -> dict[str, Any]:
        """Return the request fields that the line gives, but for the prompt and what is read from files."""
        from orvideo.request.build import parse_pairs

        given = {name: value for name, value in self.said.items() if name not in (*SHORT_NAMES, "previous_job_id")}
        given |= {field.name: settings.get(str(field.setting)).value for field in _SET if field.name in given}
        return given | ({"trace": parse_pairs(given["trace"], "--trace")} if "trace" in given else {})

    def defaults(self, settings: Settings) -> dict[str, Any]:
        """Return the settings for what the line leaves open. A setting that a flag beats is not even read."""
        values = {field.name: settings.get(str(field.setting)).value for field in _SET if field.name not in self.said}
        return {name: value for name, value in values.items() if value is not None}

    def media(self) -> dict[str, Any]:
        """Return the pictures and the rest that the video is made from, as the line names them."""
        return {name: self.said[name] for name in ("first_frame", "last_frame", "reference") if name in self.said}

    def params(self) -> dict[str, Any]:
        """Return the providers' own parameters, under the short name that takes them."""
        return {"param": self.said["param"]} if "param" in self.said else {}


class FieldOptions:
    """A group of options: those of the fields of a request that a command has."""

    def __init__(self, command: str) -> None:
        self._fields = [field for field in TABLE if field.flags and command in field.commands]

    def parameters(self) -> list[inspect.Parameter]:
        return [parameter(field.name, _annotation(field), None) for field in self._fields]

    def value(self, line: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a line says, by the fields' names."""
        return {field.name: line[field.name] for field in self._fields if line[field.name] not in (None, [])}


def _annotation(field: Field) -> Any:
    return Annotated[field.typed | None, option(field.panel, field.help, *field.flags, metavar=field.metavar)]


class RequestGroup(FieldOptions):
    """A group of options that makes RequestOptions: the named ones of its own, around those of the fields."""

    def __init__(self, command: str, *, before: Sequence[str] = (), after: Sequence[str]) -> None:
        super().__init__(command)
        self._own, self._before = Fields(RequestOptions, *before, *after), len(before)

    def parameters(self) -> list[inspect.Parameter]:
        own = self._own.parameters()
        return [*own[: self._before], *super().parameters(), *own[self._before :]]

    def value(self, line: Mapping[str, Any]) -> Any:
        return self._own.value({**line, "said": super().value(line)})


def request_draft(context: Context, options: RequestOptions) -> RequestDraft:
    """Return the request that a line asks for; nothing is asked of the service but, rarely, the catalogue.

    A flag beats the file or the past job, and that beats the settings. Raises UsageError, RecordError.
    """
    from orvideo.commands._frames import FrameFinder
    from orvideo.request.build import MediaSource, request_fields

    _refuse_contradictions(options)
    settings = context.settings.with_flags(options.flags)
    given, defaults = _from_line(context, options, settings), {}
    past = None
    if options.like is not None:
        past = context.ledger_to_read.find(options.like)
        base = _past_request(context, past, given)
    else:
        base = _from_file(context, options)
        defaults = options.defaults(settings)
    base, given = _without_short_names(base, given)
    previous = _previous(context, options.said["previous_job_id"]) if "previous_job_id" in options.said else None
    if previous is not None:
        given |= _continuing(context, previous, {**base, **given}.get("model"), otherwise=defaults.get("model"))
    source = MediaSource(
        settings.max_image_bytes, stdin=_stdin(context), fix=options.fix_image,
        frame_of=FrameFinder(context, settings.max_image_bytes),
    )  # fmt: skip
    wanted = request_fields(given, source, base=base, defaults=defaults, check=not options.no_check)
    for warning in wanted.warnings:
        context.terminal.warn(warning)
    for frame in wanted.frames:
        context.terminal.note(f"{frame.use.replace('_', ' ')}: the {frame.text}")
    if past is not None:
        _warn_of_other_frames(context, past, wanted)
    if previous is not None and wanted.frame is None:
        # It begins with the last picture of the other, so that one's shape is the nearest.
        return wanted._replace(frame=previous.shape)
    return wanted


def _refuse_contradictions(options: RequestOptions) -> None:
    if options.request is not None and options.like is not None:
        raise UsageError("--request and --like each give a whole request; one of them is enough.")
    readers = {
        "the prompt": options.prompt,
        "--prompt-file": options.prompt_file,
        "--request": options.request,
        "--first-frame": options.said.get("first_frame"),
        "--last-frame": options.said.get("last_frame"),
    }
    reading = [name for name, value in readers.items() if value in ("-", "image:-")]
    reading += ["--reference" for value in options.said.get("reference", ()) if value in ("-", "image:-")]
    if len(reading) > 1:
        raise UsageError(f"stdin can be read once, and {' and '.join(reading)} would read it.")


# --- the layers -------------------------------------------------------------------------------------------------------


def _from_line(context: Context, options: RequestOptions, settings: Settings) -> dict[str, Any]:
    """Return what the line itself says, with the pictures still as the names of files."""
    prompt = _read_prompt(context, options)
    given = options.line_fields(settings) | options.media()
    given |= {} if prompt is None else {"prompt": prompt}
    return given | options.params()


def _from_file(context: Context, options: RequestOptions) -> dict[str, Any]:
    from orvideo.request.file import read_request

    return {} if options.request is None else read_request(options.request, _stdin(context))


def _past_request(context: Context, record: Record, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the request of a job on record, and say that this makes another job of it.

    Pictures that were frames of videos are words in it, but for those that are `given` anew.
    """
    from orvideo.commands._frames import check_sources
    from orvideo.record.frames import with_frame_words

    if not record.request:
        raise UsageError(
            f"The request of {record.name} is not on record: the job was submitted elsewhere.",
            hint=f"orvideo jobs show {record.name}",
        )
    context.terminal.note(f"a new job with the request of {record.name}; that one is left as it is")
    frames = [frame for frame in record.frames if frame.use not in given]
    check_sources(context, record, frames)
    return with_frame_words(record.request, frames)


def _without_short_names(base: Mapping[str, Any], given: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a whole request without our own short names, and what the line says with them below it."""
    short = {name: value for name, value in base.items() if name in SHORT_NAMES and value is not None}
    fields = {name: value for name, value in base.items() if name not in SHORT_NAMES}
    if "reference" in short and "reference" not in given:
        # They add up; those of the line would replace both.
        short["input_references"] = fields.pop("input_references", None)
    return fields, {**short, **given}


def _warn_of_other_frames(context: Context, past: Record, wanted: RequestDraft) -> None:
    """Say where a frame that was taken again is not the picture that it was."""
    from orvideo.record.frames import LISTS
    from orvideo.record.redaction import redact_request

    request = redact_request(wanted.fields)
    before = {(frame.use, frame.number): frame.word for frame in past.frames}
    for frame in wanted.frames:
        name = LISTS[frame.use]
        if before.get((frame.use, frame.number)) == frame.word and (
            past.request[name][frame.number] != request[name][frame.number]
        ):
            context.terminal.warn(f"the {frame.text} is not the same picture as it was for {past.name}")


def _stdin(context: Context) -> BinaryIO | None:
    stdin = context.environment.stdin
    return None if stdin is None else getattr(stdin, "buffer", None)


def _read_prompt(context: Context, options: RequestOptions) -> str | None:
    """Return the prompt from the line, a file or stdin; None where the line has none."""
    from orvideo.request.argument import check_argument
    from orvideo.request.texts import check_prompt, from_line, read_text
    from orvideo.request.wording import empty_prompt, is_visible

    if options.prompt_file is not None and options.prompt is not None:
        raise UsageError("A prompt was given on the line and with --prompt-file; one of them is needed.")
    file = "-" if options.prompt == "-" else options.prompt_file
    if file is None and options.prompt is None:
        return None
    if file is not None:
        what = "prompt on" if file == "-" else "prompt file"
        prompt, _ = read_text(file, _stdin(context), what, _LONGEST_PROMPT)
        check_prompt(f"The {what} {'stdin' if file == '-' else file}", prompt, file)
    else:
        prompt = from_line(options.prompt or "").removeprefix("\ufeff")
    prompt = prompt.strip()
    if not is_visible(prompt):
        raise empty_prompt()
    if file is None and not options.no_check:
        check_argument(prompt, lambda word: _is_job(context, word))
    return prompt


def _is_job(context: Context, word: str) -> bool:
    """Say whether a word is the whole name of a job on record; a record that cannot be read is told of later."""
    from orvideo.errors import OrvideoError

    try:
        record = context.ledger_to_read.find(word)
    except OrvideoError:
        return False
    return word in (record.id, record.handle)


# --- going on from another job ----------------------------------------------------------------------------------------


class _Previous(NamedTuple):
    """A job to go on from; model and shape (width and height, in any unit) as far as the record knows them."""

    job_id: str
    model: str | None = None
    shape: tuple[int, int] | None = None


def _continuing(context: Context, previous: _Previous, named: str | None, *, otherwise: str | None) -> dict[str, Any]:
    """Return the fields that make the request go on from another job: only its own model can (api notes).

    `named` is the model that the line or the file names; `otherwise`, out of the settings, gives way to the job's.
    """
    if previous.model is None:
        if named is None and otherwise is None:
            raise UsageError(
                f"Job {previous.job_id} is not on record, and only the model that made it can go on from it.",
                hint="name that model: --model ID",
            )
        return {"previous_job_id": previous.job_id}
    if named is not None and not _is_same_model(context, named, previous.model):
        raise UsageError(
            f"Job {previous.job_id} was made by {previous.model}, and only that model can go on from it, not {named}.",
            hint="leave --model out",
        )
    return {"previous_job_id": previous.job_id, "model": previous.model}


def _previous(context: Context, name: str) -> _Previous:
    """Return the job to go on from: one on record, or an id that the record does not know."""
    from orvideo.record.lookup import NoSuchJob

    try:
        record = context.ledger_to_read.find(name)
    except NoSuchJob:
        # A place in the record, or a name that only the record gives, is no id of the service.
        if name.startswith(("@", "sub-")) or not _can_be_id(name):
            raise
        context.terminal.note(f"{name} is not on record; it is taken for an id of the service")
        return _Previous(name.strip())
    _refuse_unusable(context, record)
    assert record.id is not None
    model = record.request.get("model") or record.model
    return _Previous(record.id, model if isinstance(model, str) else None, _shape(record.request))


def _shape(request: Mapping[str, Any]) -> tuple[int, int] | None:
    said = str(request.get("size") or request.get("aspect_ratio") or "").replace("x", ":")
    width, _, height = said.partition(":")
    return (int(width), int(height)) if width.isdecimal() and height.isdecimal() else None


def _can_be_id(name: str) -> bool:
    from orvideo.api.urls import is_usable_id

    return len(name.strip()) >= 4 and is_usable_id(name.strip())


def _refuse_unusable(context: Context, record: Record) -> None:
    if record.id is None:
        raise UsageError(
            f"There is nothing to go on from: {record.name} has no id ({record.status_word}).",
            hint=f"orvideo jobs show {record.name}",
        )
    if record.endpoint != context.endpoint:
        way = "add --sandbox" if record.endpoint == "sandbox" else f"it lives at {record.endpoint}"
        raise UsageError(f"Job {record.name} lives elsewhere than where this would be sent.", hint=way)
    if record.status != "completed":
        hint = f"orvideo wait {record.name}" if record.is_running else f"orvideo jobs show {record.name}"
        raise UsageError(
            f"Only a completed job can be gone on from; {record.name} is {record.status_word} as far as is known.",
            hint=hint,
        )


def _is_same_model(context: Context, one: str, other: str) -> bool:
    if one.strip().casefold() == other.casefold():
        return True
    catalogue = context.catalogue(context.service(needs_key=False))
    found = catalogue.find(one)
    return found is not None and found == catalogue.find(other)
