"""`orvideo config`: the defaults and the key, and where each value comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from orvideo.commands._action import Action
from orvideo.commands._follow import tell_shortest_interval
from orvideo.commands._new_key import ask_for_key, warn_if_beaten
from orvideo.commands._options import Local, common_options
from orvideo.commands._typer import App
from orvideo.environment import CommonOptions
from orvideo.errors import OrvideoError, UsageError
from orvideo.settings.definitions import API_KEY, Setting
from orvideo.settings.profiles import set_line

if TYPE_CHECKING:
    from orvideo.context import Context

Name = Annotated[str, typer.Argument(metavar="NAME", help="A setting, such as model or max-cost; or api-key.")]


def register(app: typer.Typer) -> None:
    config = App(
        help="Read and change the settings.",
        no_args_is_help=False,
        epilog="Example: orvideo config set model google/veo-3.1-lite",
    )
    app.add_typer(config, name="config")

    @config.command("list", epilog="Example: orvideo config list")
    def list_(*, answering: Local) -> Action:
        """Show every setting, its value and who said so."""
        return Action(run_list, answering)

    @config.command("get", epilog="Example: orvideo config get model")
    def get(*, name: Name, answering: Local) -> Action:
        """Print the value of one setting."""
        return Action(lambda context: run_get(context, name), answering)

    @config.command("set", epilog="Example: orvideo config set api-key")
    def set_(
        *,
        name: Name,
        value: Annotated[str | None, typer.Argument(help="The value. A key is never given here.")] = None,
        answering: Annotated[CommonOptions, common_options("json", "quiet", "verbose", "profile")],
    ) -> Action:
        """Store a setting; api-key is asked for without echo, or read from stdin."""
        return Action(lambda context: run_set(context, name, value), answering)

    @config.command("unset", epilog="Example: orvideo config unset model")
    def unset(*, name: Name, answering: Local) -> Action:
        """Remove a stored setting."""
        return Action(lambda context: run_unset(context, name), answering)

    @config.command("profiles", epilog="Example: orvideo config profiles")
    def profiles(*, answering: Local) -> Action:
        """List the profiles: whose key, base URL and defaults --profile selects."""
        return Action(run_profiles, answering)

    @config.command("path", epilog="Example: orvideo config path")
    def path(*, answering: Local) -> Action:
        """Print the folder of the settings."""
        return Action(run_path, answering)


def run_list(context: Context) -> None:
    """Show all settings; a value that cannot be read is shown as the trouble it is."""
    from orvideo.output.tables import Column

    settings = context.settings.all()
    context.terminal.document(
        [
            {
                "name": one.name,
                "value": one.text or None,
                "source": one.source.value,
                "where": one.location,
                "problem": one.problem,
                "beaten": list(one.beaten),
            }
            for one in settings
        ]
    )
    context.terminal.table(
        [Column("NAME"), Column("VALUE", flexible=True, least=16), Column("FROM", priority=1, flexible=True)],
        [[one.name, one.problem or one.text, _from(one)] for one in settings],
    )
    for warning in context.settings.warnings():
        context.terminal.warn(warning.message)


def _from(setting: Setting) -> str:
    """Return who said a setting, and of a key, which others that beats."""
    beaten = f"; it beats {', '.join(setting.beaten)}" if setting.beaten else ""
    return (setting.location or setting.source.value) + beaten


def run_profiles(context: Context) -> None:
    """List the profiles, none at all when there is none; the one that is selected is active."""
    from orvideo.output.tables import Column

    rows = [_profile(context, name) for name in context.settings.profiles]
    context.terminal.document(rows)
    context.terminal.table(
        [Column("PROFILE"), Column("BASE URL", flexible=True, least=16), Column("KEY"),
         Column("FROM", priority=1, flexible=True), Column("")],
        [
            [row["name"], row["base_url"] or "", row["key"] or row["problem"] or "none", row["key_from"] or "",
             "active" if row["active"] else ""]
            for row in rows
        ],
    )  # fmt: skip
    if not rows:
        context.terminal.hint("make one: orvideo config set --profile NAME api-key")


def _profile(context: Context, name: str) -> dict[str, Any]:
    """Return the documented profile object; what cannot be read is its problem."""
    settings = context.settings.for_profile(name)
    found: dict[str, Any] = {
        "name": name, "active": name == context.settings.profile, "base_url": None, "key": None, "key_from": None,
        "problem": None,
    }  # fmt: skip
    try:
        found["base_url"] = settings.base_url
        key = settings.get(API_KEY)
        found["key"], found["key_from"] = key.value, key.location
    except OrvideoError as error:
        found["problem"] = error.message
    return found


def run_get(context: Context, name: str) -> None:
    """Print one value as a person would type it; a setting that has none is a usage error."""
    setting = context.settings.get(name)
    if setting.value is None:
        value = "" if setting.name == API_KEY else " VALUE"
        raise UsageError(f"{setting.name} is not set.", hint=set_line(setting.name, context.settings.profile) + value)
    context.terminal.document(
        {
            "name": setting.name,
            "value": setting.text,
            "source": setting.source.value,
            "where": setting.location,
            "beaten": list(setting.beaten),
        }
    )
    context.terminal.answer(setting.text)
    if setting.name == API_KEY:
        context.terminal.note(f"from {_from(setting)}")


def run_set(context: Context, name: str, value: str | None) -> None:
    """Store one setting; the key comes from a prompt or stdin, never from the line (drill K01)."""
    from orvideo.settings.definitions import canonical_name

    context.settings.may_make_profile()
    if canonical_name(name) == API_KEY:
        if value is not None:
            line = set_line(API_KEY, context.settings.profile)
            raise UsageError(
                "A key is never given on the command line, where history and other users can see it.",
                hint=f"{line}, and type it; or pipe it in: {line} < FILE",
            )
        _set_key(context)
        return
    if value is None:
        raise UsageError(f"A value for {name} is needed.", hint=f"{set_line(name, context.settings.profile)} VALUE")
    setting = context.settings.set(name, value)
    context.terminal.document({"name": setting.name, "value": setting.text})
    context.terminal.note(f"{setting.name} = {setting.text}")
    if setting.name == "interval":
        tell_shortest_interval(context, context.settings.interval)
    warn_if_beaten(context, setting.name)


def _set_key(context: Context) -> None:
    stored = ask_for_key(context)
    accepted = True if stored.info is not None else None
    context.terminal.document({"name": API_KEY, "value": stored.key.masked, "accepted": accepted})


def run_unset(context: Context, name: str) -> None:
    """Remove one stored setting, also one that orvideo does not know; what was not there is said to be so."""
    context.settings.may_make_profile()
    removed = context.settings.unset(name)
    context.terminal.document({"name": name, "removed": removed})
    context.terminal.note(f"{name} is no longer stored" if removed else f"{name} was not stored")


def run_path(context: Context) -> None:
    folder = context.settings.config_dir
    context.terminal.document({"path": str(folder)})
    context.terminal.answer(folder)
