"""One model for a chain: rows that go on from each other's videos, and name no model, get the same one.

Each row's own cheapest would make a film that changes its looks, and perhaps its size, from clip to clip. A chain that
was begun goes on with the model that it has, whatever is the cheapest by then.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from orvideo.batch.chain import chains_of
from orvideo.batch.identity import price_key
from orvideo.batch.rows import Row, Trouble
from orvideo.errors import ExitCode

if TYPE_CHECKING:
    from orvideo.request.build import RequestDraft
    from orvideo.request.planner import Planner


class Cast(NamedTuple):
    """The model of a row that names none, why it is that one, and what to add where it cannot do the row."""

    model: str
    choice: str
    otherwise: str = ""


def cast_chains(
    rows: Sequence[Row],
    wanted: Mapping[int, RequestDraft],
    new: Collection[int],
    bought: Mapping[int, Mapping[str, Any]],
    planner: Planner,
) -> tuple[dict[int, Cast], list[Trouble]]:
    """Return the models of those rows in chains that are `new`, to be bought, and name none, by the rows' numbers.

    `rows` are all rows, `wanted` what each asks for and `bought` the requests on record, by number. Trouble are the
    chains that no model can do; a row that no model can do by itself is not among those.
    """
    lines = {row.number: row.line for row in rows}
    casts: dict[int, Cast] = {}
    troubles: list[Trouble] = []
    for chain in chains_of(rows):
        nameless = [number for number in chain if wanted[number].fields.get("model") is None]
        left = [number for number in nameless if number in new]
        if not left:
            continue
        begun = {bought[number].get("model") for number in nameless if number in bought and number not in new} - {None}
        if len(begun) == 1:
            cast: Cast | None = _as_begun(str(begun.pop()))
        elif len(left) > 1:
            cast = _cheapest([wanted[number] for number in left], planner)
        else:
            continue
        if cast is not None:
            casts |= dict.fromkeys(left, cast)
        elif all(_cheapest([wanted[number]], planner) for number in left):
            said = "No model can do all rows of the chain that begins here and name none; rows can name one (model)."
            troubles.append(Trouble(lines[left[0]], said, ExitCode.REJECTED))
    return casts, troubles


def _as_begun(model: str) -> Cast:
    return Cast(
        model,
        f"model {model} (that of the chain so far)",
        "The rows of its chain that were bought have this model; a row can name another one (model).",
    )


def _cheapest(wanted: Sequence[RequestDraft], planner: Planner) -> Cast | None:
    times = Counter(map(price_key, wanted))
    unlike = {price_key(one): one for one in wanted}
    model = planner.model_for_all([(one, times[key]) for key, one in unlike.items()])
    if model is None:
        return None
    why = "the cheapest that fits all rows of the chain"
    return Cast(model, f"model {model} ({why}; to keep it: orvideo config set model {model})")
