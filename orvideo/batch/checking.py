"""All of a batch, before any of it is sent: what each row asks for, what it was, what it costs, and what is wrong.

Pictures are opened to be checked and let go again: a thousand rows with a picture each would not fit into memory, so
a row that has one keeps its sum and reads it once more when it is sent. A picture that another row's video will have is
not there yet: a name with that row's key stands in its place (`request.awaited`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from orvideo.batch.casting import Cast, cast_chains
from orvideo.batch.chain import frame_shape, refuse_late_moments, refuse_unlisted_frames
from orvideo.batch.identity import OWN, RowKeys, content_key, content_of, price_key
from orvideo.batch.rows import Link, Row, Trouble
from orvideo.errors import ExitCode, MoneyError, OrvideoError, Rejected, UsageError
from orvideo.money import exact_money_text, money_text
from orvideo.record.redaction import redact_request, redacted_media
from orvideo.request.awaited import MEDIA, Awaited, Taken, awaited_in, with_names, with_pictures
from orvideo.request.build import MediaSource, RequestDraft, request_fields

if TYPE_CHECKING:
    from orvideo.catalogue.planning import Plan
    from orvideo.catalogue.quote import Kind, Quote
    from orvideo.record.frames import FrameSource
    from orvideo.request.planner import Planner


#: A hundred thousand rows without one share it.
_NO_LINKS: Mapping[Awaited, Link] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Asked:
    """What a row asks for, read and understood; `key` names it within its batch.

    Its fields have no media data in them where `has_media` is set. `awaits` has the pictures that it takes from other
    rows, as its fields name them.
    """

    row: Row
    key: str
    wanted: RequestDraft = field(repr=False)
    has_media: bool
    warnings: tuple[str, ...]
    awaits: Mapping[Awaited, Link] = field(default_factory=lambda: _NO_LINKS)

    def body(self, plan: Plan) -> dict[str, Any]:
        """Return what will be sent, without the media of a row that has some.

        The plan may be that of another row with the same `price_key`, so what is this row's own is laid over it.
        """
        fields = self.wanted.fields
        return plan.request.body() | {name: fields[name] for name in (*OWN, *MEDIA) if fields.get(name) is not None}


@dataclass
class Reader:
    """Puts the requests of rows together: each row over what the line says, and that over the settings.

    `line` are request fields, `given` short names (`request.build.SHORT_NAMES`) that a row without them has. `taken`
    says of which videos pictures of the line are frames, by their data URLs.
    """

    source: MediaSource
    defaults: Mapping[str, Any]
    line: Mapping[str, Any] = field(default_factory=dict)
    given: Mapping[str, Any] = field(default_factory=dict)
    check: bool = True
    taken: Mapping[str, FrameSource] = field(default_factory=dict)

    def ask(self, rows: Iterable[Row]) -> tuple[list[Asked], list[Trouble]]:
        """Return what each row asks for, in their order, and the rows for which that cannot be made out."""
        asked: dict[int, Asked] = {}
        troubles: list[Trouble] = []
        keys = RowKeys()
        # Those that others wait for come first: their keys are a part of what the others ask for.
        for row in sorted(rows, key=lambda row: row.depth):
            awaits = {link: _awaited(link, asked.get(link.row)) for link in row.links}
            try:
                asked[row.number] = self._asked(row, awaits, keys)
            except UsageError as problem:
                troubles.append(Trouble(row.line, problem.message))
        return [asked[number] for number in sorted(asked)], troubles

    def _asked(self, row: Row, awaits: Mapping[Link, Awaited], keys: RowKeys) -> Asked:
        wanted = self.wanted(row, awaits)
        # Only what `body` puts back: data anywhere else, as in a provider's options, is sent as it is.
        light = redact_request({name: wanted.fields[name] for name in MEDIA if name in wanted.fields})
        if light:
            wanted = wanted._replace(fields={**wanted.fields, **light})
        key = keys.next(content_key(wanted.fields, wanted.frames))
        links = {one: link for link, one in awaits.items()} or _NO_LINKS
        return Asked(row, key, wanted, bool(redacted_media(light)), wanted.warnings, links)

    def wanted(self, row: Row, awaits: Mapping[Link, Awaited]) -> RequestDraft:
        """Return the request of a row, with names in the places of the pictures that it awaits."""
        given = {**self.given, **{name: _with_awaited(value, awaits) for name, value in row.fields.items()}}
        base = _without_first_frame(self.line) if row.begins_bare else self.line
        return request_fields(given, self.source, base=base, defaults=self.defaults, check=self.check, taken=self.taken)

    def order(
        self, asked: Asked, plan: Plan, pictures: Mapping[Awaited, Taken]
    ) -> tuple[dict[str, Any], tuple[FrameSource, ...]]:
        """Return what is sent, with all of its pictures in it, and which of them are frames of videos.

        Raises UsageError when a picture has changed since it was checked.
        """
        body, frames = with_pictures(self._with_media(asked, plan), pictures)
        assert not awaited_in(body), "all that was awaited is there"
        return body, (*asked.wanted.frames, *frames)

    def shown(self, asked: Asked, plan: Plan) -> dict[str, Any]:
        """Return what will be sent, with `row:3:last` in the place of a picture that is not there yet."""
        names = {one: f"row:{link.row}:{link.moment.text}" for one, link in asked.awaits.items()}
        return with_names(self._with_media(asked, plan), names)

    def _with_media(self, asked: Asked, plan: Plan) -> dict[str, Any]:
        if not asked.has_media:
            return asked.body(plan)
        again = self.wanted(asked.row, {link: one for one, link in asked.awaits.items()})
        if content_key(again.fields, again.frames) != content_of(asked.key):
            raise UsageError("A picture has changed since it was checked; the row was not submitted.")
        return {**asked.body(plan), **{name: again.fields[name] for name in MEDIA if name in again.fields}}


def _without_first_frame(line: Mapping[str, Any]) -> dict[str, Any]:
    frames = [frame for frame in line.get("frame_images") or () if frame.get("frame_type") != "first_frame"]
    return {**line, "frame_images": frames or None}


def _awaited(link: Link, other: Asked | None) -> Awaited:
    # Where the other row is refused, so is all of the batch.
    return Awaited(f"{other.key if other is not None else link.row}:{link.moment.text}")


def _with_awaited(value: Any, awaits: Mapping[Link, Awaited]) -> Any:
    if isinstance(value, Link):
        return awaits[value]
    # A link is a tuple as well.
    return [_with_awaited(item, awaits) for item in value] if type(value) is list else value


@dataclass
class Pricing:
    """Plans rows against the catalogue; rows with one `price_key` are planned once, and share their plan."""

    planner: Planner
    #: The most that one job may cost (the setting max-cost), USD.
    each: Decimal | None = None
    _plans: dict[tuple[str, Cast | None], Plan | OrvideoError] = field(default_factory=dict)

    def plans(
        self, to_buy: Sequence[Asked], asked: Sequence[Asked], bought: Mapping[int, Mapping[str, Any]]
    ) -> tuple[dict[str, Plan], list[Trouble]]:
        """Return the plan for each row by its key, and the rows that cannot be had, all of them.

        `asked` are all rows of the batch, `bought` the requests of those on record by their numbers: these rows may
        take pictures from their videos.
        """
        plans: dict[str, Plan] = {}
        requests = dict(bought)
        looked_at = {number for one in to_buy for number in one.row.after}
        casts, troubles = self._cast(to_buy, asked, bought)
        # What a picture is like that another row will make is known from that row's plan.
        for one in sorted(to_buy, key=lambda one: one.row.depth):
            cast = casts.get(one.row.number)
            try:
                refuse_late_moments(one.row, requests)
                plans[one.key] = plan = self._plan_of(one, frame_shape(one.row, requests), cast)
            except (Rejected, MoneyError, UsageError) as problem:
                troubles.append(Trouble(one.row.line, problem.message, ExitCode(problem.exit_code)))
            else:
                if one.row.number in looked_at:
                    requests[one.row.number] = one.body(plan)
        return {one.key: plans[one.key] for one in to_buy if one.key in plans}, troubles

    def _cast(
        self, to_buy: Sequence[Asked], asked: Sequence[Asked], bought: Mapping[int, Mapping[str, Any]]
    ) -> tuple[dict[int, Cast], list[Trouble]]:
        if not any(one.row.links for one in asked):
            return {}, []
        drafts = {one.row.number: one.wanted for one in asked}
        new = {one.row.number for one in to_buy}
        return cast_chains([one.row for one in asked], drafts, new, bought, self.planner)

    def _plan_of(self, asked: Asked, frame: tuple[int, int] | None, cast: Cast | None) -> Plan:
        """Return the plan of a row, with the model that was chosen for its chain where it names none."""
        plan = self._plan(asked.wanted._replace(frame=asked.wanted.frame or frame), cast)
        if asked.awaits and self.planner.check:
            refuse_unlisted_frames(asked.row, plan.model)
        most = plan.quote.most
        if self.each is not None and (most is None or most > self.each):
            costs = "has an unknown price" if most is None else f"may cost {money_text(most, limit=self.each)}"
            raise MoneyError(f"This {costs}, and a job may cost {exact_money_text(self.each)} (the setting max-cost).")
        return plan

    def _plan(self, wanted: RequestDraft, cast: Cast | None) -> Plan:
        key = price_key(wanted), cast
        if key not in self._plans:
            try:
                self._plans[key] = self._made(wanted, cast)
            except OrvideoError as refused:
                self._plans[key] = refused
        plan = self._plans[key]
        if isinstance(plan, OrvideoError):
            raise plan
        return plan

    def _made(self, wanted: RequestDraft, cast: Cast | None) -> Plan:
        if cast is None:
            return self.planner.plan(wanted)
        try:
            plan = self.planner.plan(wanted._replace(fields={**wanted.fields, "model": cast.model}))
        except Rejected as refused:
            raise Rejected(f"{refused.message} {cast.otherwise}".rstrip(), hint=refused.hint) from refused
        return plan._replace(choices=(cast.choice, *plan.choices))


class Price(NamedTuple):
    """The price of many rows together, USD: `usd` is the sum of what is known, None where nothing is."""

    listed: int
    about: int
    unknown: int
    usd: Decimal | None
    low: Decimal | None
    high: Decimal | None

    @property
    def rows(self) -> int:
        return self.listed + self.about + self.unknown

    @property
    def kind(self) -> Kind:
        """The kind of the sum: that of its least certain part."""
        return "unknown" if self.unknown else "about" if self.about else "listed"

    @property
    def most(self) -> Decimal | None:
        """The most that it may cost, None when nobody knows."""
        return None if self.unknown else self.high

    def as_json(self) -> dict[str, Any]:
        return {
            "rows": self.rows, "listed": self.listed, "about": self.about, "unknown": self.unknown,
            "usd": self.usd, "low": self.low, "high": self.high,
        }  # fmt: skip


def price_of(quotes: Sequence[Quote]) -> Price:
    """Return the price of quotes together."""
    known = [quote for quote in quotes if quote.usd is not None]

    def total(pick: Callable[[Quote], Decimal | None]) -> Decimal | None:
        amounts = [pick(quote) if pick(quote) is not None else quote.usd for quote in known]
        return sum((amount for amount in amounts if amount is not None), Decimal(0)) if known or not quotes else None

    kinds = [quote.kind if quote.usd is not None else "unknown" for quote in quotes]
    return Price(
        kinds.count("listed"), kinds.count("about"), kinds.count("unknown"),
        total(lambda quote: quote.usd), total(lambda quote: quote.low), total(lambda quote: quote.high),
    )  # fmt: skip
