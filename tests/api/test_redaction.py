from __future__ import annotations

import pytest

from orvideo.api.redaction import MASK, Redactor, check_key
from orvideo.errors import AuthError

KEY = "my-own-key/with+signs"


@pytest.mark.drill("K05")
def test_the_key_and_what_looks_like_one_are_taken_out() -> None:
    redactor = Redactor(KEY)
    assert redactor.text(f"<{KEY}> <sk-or-v1-0123456789abcdef>") == f"<{MASK}> <{MASK}>"
    assert redactor.raw(f"<{KEY}>".encode() + b"\xff") == f"<{MASK}>".encode() + b"\xff"
    assert KEY not in redactor.raw(KEY.encode("utf-16-le")).decode("utf-16-le")
    assert redactor.value({KEY: [KEY, 1, None, {"x": KEY}]}) == {MASK: [MASK, 1, None, {"x": MASK}]}
    assert KEY not in repr(redactor)


def test_a_short_key_does_not_eat_the_words_around_it() -> None:
    assert Redactor("a").text("a banana") == "a banana"
    assert Redactor(None).text("sk-or-v1-0123456789") == MASK


@pytest.mark.drill("K02")
def test_a_key_is_what_a_header_can_hold() -> None:
    assert check_key(KEY) == KEY
    for bad in ("", "a b", "a\n", "é", "\ufeffa", "a\x00", "a\tb", "\x7f"):
        with pytest.raises(AuthError) as caught:
            check_key(bad)
        assert not bad or bad not in caught.value.message


def test_a_key_of_eight_characters_is_looked_for_as_it_is() -> None:
    assert Redactor("12345678").text("a 12345678") == f"a {MASK}"
    assert Redactor("1234567").text("a 1234567") == "a 1234567"
    assert Redactor(None).text("sk-or-v1-123456 sk-or-v1-12345") == f"{MASK} sk-or-v1-12345"
    for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
        assert Redactor("12345678").raw("a 12345678".encode(encoding)) == f"a {MASK}".encode(encoding)
