"""What the service says of the key before anything is bought with it (finding A13)."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from orvideo.errors import AuthError, Limit, MoneyError, OrvideoError, Unauthorized

if TYPE_CHECKING:
    from orvideo.api.schemas import KeyInfo
    from orvideo.context import Context, Service

#: How long the service may take to tell of the key, in seconds: the purchase does not hang on it.
PATIENCE = 5.0
KEYS_PAGE = "https://openrouter.ai/settings/keys"


def check_key(context: Context, service: Service, most: Decimal | None) -> None:
    """Ask the service once what the key may do before up to `most` USD (None: not known) are spent with it.

    Raises AuthError and MoneyError for what cannot work, and warns about what may not. Where the service does not
    tell, as a gateway may not, the purchase goes on.
    """
    from orvideo.deadline import Deadline
    from orvideo.money import money_text

    if service.is_sandbox:
        return
    try:
        info = service.client.key(deadline=Deadline.after(context.clock, context.deadline.left(PATIENCE)))
    except OrvideoError as error:
        if _refuses_the_key(error):
            error.message += " Nothing was sent."
            raise
        context.terminal.verbose_line(f"what the key may do is not known: {error.message}")
        return
    problem = problem_of(info, context.clock.now(), service.client.key_hint)
    if problem is not None:
        problem.message += " Nothing was sent."
        raise problem
    context.terminal.verbose_line(f"the key has {left_text(info)}")
    if info.left is not None and most is not None and info.left < most:
        left, cost = money_text(info.left), money_text(most)
        context.terminal.warn_of_money(f"The key has {left} left, and this may cost {cost}: the service may refuse it.")


def _refuses_the_key(error: OrvideoError) -> bool:
    """Return whether an answer of the API, and not of a page, says that the key can buy nothing."""
    reply = error.reply
    if reply is None or not reply.is_json:
        return False
    return isinstance(error, Unauthorized) or (isinstance(error, MoneyError) and reply.own and reply.limit is not None)


def left_text(info: KeyInfo) -> str:
    """Return what a key may still spend: `$9.50 left`, or `no limit`."""
    from orvideo.money import money_text

    return "no limit" if info.left is None else f"{money_text(info.left)} left"


def problem_of(info: KeyInfo, now: datetime, another: str) -> OrvideoError | None:
    """Return why no video can be bought with a key, None where nothing that the service says is against it.

    `another` is the command that sets another key.
    """
    from orvideo.api.refusals import limit_text
    from orvideo.api.values import moment

    if info.is_management_key or info.is_provisioning_key:
        return AuthError("The key is a management key, which cannot make videos.", hint=another)
    expires = moment(info.expires_at)
    if expires is not None and expires <= now:
        return AuthError(f"The key expired at {expires:%Y-%m-%d %H:%M} UTC.", hint=another)
    if info.allowed_data_regions == []:
        return AuthError(
            "The key allows no data region, so the service refuses all that it asks for.",
            hint=f"allow one at {KEYS_PAGE}, or use another key: {another}",
        )
    spent, left, budget = None, info.limit_left, info.budget
    if left is not None and left <= 0:
        spent = Limit("your key's limit", info.limit, info.limit - left if info.limit is not None else None)
    if budget is not None and budget.left is not None and budget.left <= 0:
        spent = Limit(
            f"a budget ({budget.scope})" if budget.scope else "a budget",
            budget.limit_usd, budget.spend_usd, moment(budget.resets_at),
        )  # fmt: skip
    if spent is None:
        return None
    return MoneyError(
        f"Nothing is left of what this key may spend. {limit_text(spent)}", hint=f"look at it at {KEYS_PAGE}"
    )
