"""Every way in which a command can end, and the exit code it ends with.

The tree (exit code in brackets)::

    OrvideoError
    ├── UsageError                [2]   a bad option, input or file
    ├── JobEnded                  [3]   failed, cancelled or expired: there is no video
    ├── AuthError                 [4]   no key, or the key was refused
    │   └── Unauthorized                401
    ├── MoneyError                [5]   credits, a limit of the key or of a budget (also as 403), an own limit, or a
    │   │                               declined quote
    │   └── PaymentRequired             402
    ├── Rejected                  [6]   the model cannot do this, or the service refused it
    │   ├── BadRequest                  400
    │   ├── Forbidden                   403
    │   ├── NotFound                    404
    │   ├── Gone                        410
    │   ├── PayloadTooLarge             413
    │   └── Unprocessable               422
    ├── Unavailable               [7]   nothing was accepted; safe to run again
    │   ├── NotSent                     no byte reached the service
    │   ├── NotReadyYet                 409
    │   ├── RateLimited                 429
    │   ├── ServerFault                 408, 5xx, or a reply cut short
    │   │   └── Stalled                 a download that brought too little for its time
    │   └── ServiceUnavailable          503
    ├── StillRunning              [8]   --timeout ended first; the job goes on
    ├── OutcomeUnknown            [9]   sent, no readable answer; may be charged
    ├── NotFetched                [10]  finished at the service, not on this disk
    ├── RecordError               [11]  the local record cannot be used; nothing was sent
    ├── BadReply                  [12]  a reply that makes no sense
    │   └── NoOutput                    the job is completed, and the service made no video
    ├── OutputExists              [13]
    ├── OutputUnwritable          [14]
    ├── Unsafe                    [15]  a foreign URL, a downgrade, a bad certificate
    ├── NotStarted                [20]  a row of a batch that waits for the video of another one, which has none
    ├── BatchIncomplete           [20]  some rows did not make it
    └── Stopped         [129, 130, 143] a signal ended the command

The layers below the commands raise these and know nothing of exit codes beyond the class; `cli.main` is the one
place where an error becomes an exit code.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from enum import IntEnum
from typing import Any, ClassVar, Literal, NamedTuple

Charged = Literal["no", "yes", "unknown"]


class ExitCode(IntEnum):
    """The frozen table of exit codes (`orvideo help exit-codes`)."""

    OK = 0
    BUG = 1
    USAGE = 2
    NO_VIDEO = 3
    AUTH = 4
    MONEY = 5
    REJECTED = 6
    UNAVAILABLE = 7
    STILL_RUNNING = 8
    OUTCOME_UNKNOWN = 9
    NOT_FETCHED = 10
    RECORD = 11
    BAD_REPLY = 12
    OUTPUT_EXISTS = 13
    OUTPUT_UNWRITABLE = 14
    UNSAFE = 15
    BATCH_INCOMPLETE = 20
    HANGUP = 129
    INTERRUPTED = 130
    BROKEN_PIPE = 141
    TERMINATED = 143


#: The layer of a limit that is no limit: there is no money left.
CREDITS = "your credits"


class Limit(NamedTuple):
    """A limit of money that the service holds somebody to: whose it is, and what is known of it (USD, F-A06).

    `layer` is whose limit it is, in words; `resets_at` is when it begins anew, None where the service did not say.
    """

    layer: str
    usd: Decimal | None = None
    spent: Decimal | None = None
    resets_at: datetime | None = None


class ServiceReply(NamedTuple):
    """What the service said when it refused: kept whole enough to show, already redacted of the key.

    `retry_after` is in seconds from the moment of the reply; None when the service named no usable time. `own` says
    that the answer is the service's own JSON error, and not the page of a proxy or a gateway in front of it; `is_json`
    that an API said it at all. `limit` is there where it refused for money. `retryable` is whether it says that the
    same may work later, `notes` are more sentences of its own, `remedy` is what it advises, and `fallback_models` are
    the models that it names instead.
    """

    status: int
    message: str
    provider: str | None = None
    provider_message: str | None = None
    reasons: tuple[str, ...] = ()
    retry_after: float | None = None
    ray: str | None = None
    own: bool = False
    limit: Limit | None = None
    retryable: bool | None = None
    notes: tuple[str, ...] = ()
    remedy: str | None = None
    fallback_models: tuple[str, ...] = ()
    is_json: bool = True


class OrvideoError(Exception):
    """A failure that a person is told about: a full sentence, and a command to type next.

    Where it is raised nobody knows what it means for the money: `ending` fills in `charged`, `job_id` and `resume`,
    from what the command has bought and what the record says. `seq` is the job that it is about, by its number there.
    """

    exit_code: ExitCode = ExitCode.BUG
    kind: ClassVar[str] = "bug"
    charged: Charged = "no"
    job_id: str | None = None
    resume: str | None = None
    seq: int | None = None

    def __init__(self, message: str, *, hint: str | None = None, reply: ServiceReply | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.reply = reply

    def as_json(self) -> dict[str, Any]:
        """Return the documented error object (`{"error": {...}}` without the outer key)."""
        return {
            "kind": self.kind,
            "message": self.message,
            "hint": self.hint,
            "exit_code": int(self.exit_code),
            "charged": self.charged,
            "job_id": self.job_id,
            "resume": self.resume,
        }


class UsageError(OrvideoError):
    exit_code = ExitCode.USAGE
    kind = "usage"


class JobEnded(OrvideoError):
    exit_code = ExitCode.NO_VIDEO
    kind = "no_video"


class AuthError(OrvideoError):
    exit_code = ExitCode.AUTH
    kind = "auth"


class Unauthorized(AuthError):
    pass


class MoneyError(OrvideoError):
    exit_code = ExitCode.MONEY
    kind = "money"


class PaymentRequired(MoneyError):
    pass


class Rejected(OrvideoError):
    exit_code = ExitCode.REJECTED
    kind = "rejected"


class BadRequest(Rejected):
    pass


class Forbidden(Rejected):
    pass


class NotFound(Rejected):
    pass


class Gone(Rejected):
    pass


class PayloadTooLarge(Rejected):
    pass


class Unprocessable(Rejected):
    pass


class Unavailable(OrvideoError):
    exit_code = ExitCode.UNAVAILABLE
    kind = "unavailable"


class NotSent(Unavailable):
    """No byte of the request reached the service: it may be sent again."""


class NotReadyYet(Unavailable):
    pass


class RateLimited(Unavailable):
    pass


class ServerFault(Unavailable):
    pass


class Stalled(ServerFault):
    """A download brought less than the stall rule asks for: what it brought is no progress (finding B08)."""


class ServiceUnavailable(Unavailable):
    pass


class StillRunning(OrvideoError):
    exit_code = ExitCode.STILL_RUNNING
    kind = "still_running"


class OutcomeUnknown(OrvideoError):
    exit_code = ExitCode.OUTCOME_UNKNOWN
    kind = "outcome_unknown"


class NotFetched(OrvideoError):
    exit_code = ExitCode.NOT_FETCHED
    kind = "not_fetched"


class RecordError(OrvideoError):
    exit_code = ExitCode.RECORD
    kind = "record"

    def say_nothing_was_sent(self) -> None:
        """Add it to the message, for whoever knows that the record failed before a submit (drills J04, J06)."""
        if "nothing was sent" not in self.message:
            self.message += " Nothing was sent."
            self.args = (self.message,)


class BadReply(OrvideoError):
    exit_code = ExitCode.BAD_REPLY
    kind = "bad_reply"


class NoOutput(BadReply):
    """A completed job without a video: an end of its own, which no later fetch changes (drill P06)."""

    kind = "no_output"


class OutputExists(OrvideoError):
    exit_code = ExitCode.OUTPUT_EXISTS
    kind = "output_exists"


class OutputUnwritable(OrvideoError):
    exit_code = ExitCode.OUTPUT_UNWRITABLE
    kind = "output_unwritable"


class Unsafe(OrvideoError):
    exit_code = ExitCode.UNSAFE
    kind = "unsafe"


class NotStarted(OrvideoError):
    """A row of a batch waits for the video of another one, which has none: it was not bought."""

    exit_code = ExitCode.BATCH_INCOMPLETE
    kind = "not_started"


class BatchIncomplete(OrvideoError):
    """Some rows did not make it; `exit_code` is that of the worst of them where the contract ranks it."""

    kind = "batch_incomplete"

    def __init__(
        self, message: str, *, exit_code: ExitCode = ExitCode.BATCH_INCOMPLETE, hint: str | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.exit_code = exit_code


class Stopped(OrvideoError):
    """A signal ended the command; the exit code is 128 plus its number."""

    kind = "interrupted"

    def __init__(self, message: str, *, exit_code: int, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.exit_code = ExitCode(exit_code)


#: Which of several failures a command ends with; codes that are not listed come after, in the order they happened.
PRECEDENCE = (
    ExitCode.OUTCOME_UNKNOWN,
    ExitCode.MONEY,
    ExitCode.AUTH,
    ExitCode.OUTPUT_UNWRITABLE,
    ExitCode.NOT_FETCHED,
    ExitCode.NO_VIDEO,
)


def worst(errors: Sequence[OrvideoError]) -> OrvideoError:
    """Return the failure that decides the exit code when several jobs went wrong."""
    return min(errors, key=lambda e: PRECEDENCE.index(e.exit_code) if e.exit_code in PRECEDENCE else len(PRECEDENCE))


def as_sentence(text: str) -> str:
    """Return a text with a full stop, unless it ends a sentence already."""
    return text if text.endswith((".", "!", "?", "…")) else text + "."
