"""What a prompt says, wherever it comes from: nothing at all, a place that was never filled, or broken text.

A person or a script made a mistake, and it would be paid for (findings A02, A03). `--no-check` is the way to mean it.
"""

from __future__ import annotations

import re
import unicodedata

from orvideo.errors import UsageError

MEANT = "--no-check sends it all the same"
EXAMPLE = 'orvideo submit "a paper boat drifts down a rainy street"'
#: Letters that nobody sees, though Unicode counts them as letters.
_BLANK = "\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"
#: The whole of a prompt: what a program says of no value, and the place of one.
_NO_VALUE = r"None|null|undefined|NaN|<no value>|\[object Object\]|''|\"\""
_PLACE = (
    r"\$[A-Za-z_]\w*|\$\{[^{}]*\}|\$\([^()]*\)|%[A-Za-z_]\w*%|\{\s*[A-Za-z_][\w.-]*\s*\}|\{[0-9]?\}|"
    r"\{\{[^{}]*\}\}|\{%[^{}]*%\}|<[A-Za-z_][\w-]*( [\w-]+){0,2}>"
)
_CELL = r"#(REF|NAME|VALUE|NULL|NUM|SPILL|CALC)[!?]|#N/A|#DIV/0!|=\s*\$?[A-Z]{1,3}\$?\d+\b.*|=\s*[A-Z][A-Z.]+\(.*\)"


def is_visible(text: str) -> bool:
    """Say whether there is anything to be seen: white space, joiners, soft hyphens and tags are nothing."""
    return any(unicodedata.category(one)[0] not in "ZCM" and one not in _BLANK for one in text)


def unfilled(text: str) -> str | None:
    """Return what a prompt is that never was one, None where it may be meant."""
    bare = text.strip()
    if len(bare) > 200:
        return None
    for pattern, looks in (
        (_NO_VALUE, "what a program says of no value"),
        (_PLACE, "a place that was not filled in"),
        (_CELL, "a formula or an error of a spreadsheet"),
    ):
        if re.fullmatch(pattern, bare):
            return f"{bare} looks like {looks}"
    return None


def check_prompt_seen(prompt: object) -> None:
    """Refuse a prompt in which there is nothing to be seen. Raises UsageError."""
    if isinstance(prompt, str) and prompt and not is_visible(prompt):
        raise empty_prompt()


def empty_prompt() -> UsageError:
    """Return the error for a prompt in which there is nothing to be seen."""
    return UsageError("The prompt is empty.", hint=EXAMPLE)


def check_wording(prompt: object) -> None:
    """Refuse a prompt that is a place for one, or was escaped or broken on its way. Raises UsageError."""
    from orvideo.request.broken import escaped_as

    if not isinstance(prompt, str):
        return
    if looks := unfilled(prompt):
        raise UsageError(f"The prompt {looks}, and not like a prompt.", hint=MEANT)
    if looks := escaped_as(prompt):
        raise UsageError(f"The prompt is broken text: {looks}.", hint=f"write what is meant; {MEANT}")
