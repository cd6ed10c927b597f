from __future__ import annotations

import subprocess
import sys

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orvideo.api import urls
from orvideo.api.urls import Origin
from orvideo.errors import BadReply, OrvideoError, Unsafe, UsageError

BASE = "https://openrouter.ai/api/v1"


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        ("https://openrouter.ai/api/v1", BASE),
        ("https://openrouter.ai/api/v1/", BASE),
        ("HTTPS://OpenRouter.AI:443/api/v1", BASE),
        ("http://localhost:8080/api/v1", "http://localhost:8080/api/v1"),
        ("http://127.0.0.1/api", "http://127.0.0.1/api"),
        ("http://[::1]:80/api", "http://[::1]/api"),
        ("https://example.org", "https://example.org"),
        ("https://münchen.de/api", "https://xn--mnchen-3ya.de/api"),
        ("https://xn--mnchen-3ya.de./api", "https://xn--mnchen-3ya.de./api"),
    ],
)
def test_a_base_url_is_normalised(url: str, normal: str) -> None:
    assert urls.check_base_url(url) == normal


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("http://openrouter.ai/api/v1", Unsafe),
        ("http://localhost.evil.com/", Unsafe),
        ("http://127.0.0.1.evil.com/", Unsafe),
        ("https://me:secret@openrouter.ai/", Unsafe),
        ("https://openrouter.ai@evil.com/", Unsafe),
        ("", UsageError),
        ("openrouter.ai/api/v1", UsageError),
        ("ftp://openrouter.ai", UsageError),
        ("https://", UsageError),
        ("https:///api", UsageError),
        ("https://openrouter.ai/api?x=1", UsageError),
        ("https://openrouter.ai/api#x", UsageError),
        ("https://openrouter.ai/a b", UsageError),
        ("https://openrouter.ai/\n", UsageError),
        ("https://openrouter.ai:0/", UsageError),
        ("https://open router.ai/", UsageError),
        ("https://a..b/", UsageError),
        ("https://[::1/", UsageError),
        ("https://[zz]/", UsageError),
        ("https://[::1%eth0]/", UsageError),
        ("https://xn--/api/v1", UsageError),
        ("https://☃.example/", UsageError),
        ("https://999.1.1.1/", UsageError),
        ("https://127.1/", UsageError),
    ],
)
def test_a_base_url_that_cannot_be_one_is_refused(url: str, kind: type[OrvideoError]) -> None:
    with pytest.raises(kind) as caught:
        urls.check_base_url(url)
    assert "secret" not in caught.value.message


@pytest.mark.parametrize(
    ("url", "target", "with_key"),
    [
        pytest.param("/api/v1/videos/x", "https://openrouter.ai/api/v1/videos/x", True, id="N01-relative"),
        pytest.param("videos/x", BASE + "/videos/x", True, id="N01-relative-to-the-base"),
        pytest.param("https://openrouter.ai/x", "https://openrouter.ai/x", True, id="N02-absolute"),
        pytest.param("https://openrouter.ai:443/x", "https://openrouter.ai/x", True, id="N02-port"),
        pytest.param("HTTPS://OPENROUTER.AI/X", "https://openrouter.ai/X", True, id="N02-case"),
        pytest.param("https://openrouter。ai/x", "https://openrouter.ai/x", True, id="N02-full-stop"),
        pytest.param("https://openrouter.ai/x?a=%2F&b=ü", "https://openrouter.ai/x?a=%2F&b=%C3%BC", True, id="query"),
        pytest.param("//evil.com/x", "https://evil.com/x", False, id="N03-scheme-relative"),
        pytest.param("https://openrouter.ai.evil.com/x", "https://openrouter.ai.evil.com/x", False, id="N03-suffix"),
        pytest.param("https://openrouter.ai:8443/x", "https://openrouter.ai:8443/x", False, id="N03-port"),
        pytest.param("https://openrouter.ai./x", "https://openrouter.ai./x", False, id="N03-trailing-dot"),
        pytest.param("https://evil.com#@openrouter.ai", "https://evil.com/", False, id="N03-fragment"),
        pytest.param("https://evil.com?@openrouter.ai", "https://evil.com/?@openrouter.ai", False, id="N03-query"),
    ],
)
@pytest.mark.drill("N03")
def test_where_a_download_leads_and_whether_the_key_goes_along(url: str, target: str, with_key: bool) -> None:
    assert urls.resolve_download(url, BASE) == (target, with_key)
    assert httpx.URL(target).host == urls.origin_of(target).host, "the HTTP library reads it as we do"


@pytest.mark.drill("N04")
def test_plain_http_is_for_this_machine_and_only_when_the_api_is_here() -> None:
    here = "http://127.0.0.1:8080/api/v1"
    assert urls.resolve_download("http://127.0.0.1:9000/x", here).with_key is False
    assert urls.resolve_download("/x", here) == ("http://127.0.0.1:8080/x", True)
    for url, base in [
        ("http://openrouter.ai/x", BASE),
        ("http://127.0.0.1/x", BASE),
        ("http://evil.com/x", here),
    ]:
        with pytest.raises(Unsafe):
            urls.resolve_download(url, base)


def test_a_redirect_never_leads_from_https_to_http() -> None:
    here = "http://127.0.0.1:8080/api/v1"
    assert urls.resolve_redirect("http://127.0.0.1:9/x", here, here).url == "http://127.0.0.1:9/x"
    with pytest.raises(Unsafe):
        urls.resolve_redirect("http://127.0.0.1:9/x", "https://storage.example.org/x", here)
    assert urls.resolve_redirect("b?c", "https://openrouter.ai/a/x", BASE).url == "https://openrouter.ai/a/b?c"


def test_origins_are_normal() -> None:
    assert urls.origin_of("HTTPS://Example.ORG/x") == Origin("https", "example.org", 443)
    assert urls.origin_of("http://[0:0::1]:8080") == Origin("http", "::1", 8080)
    assert Origin("http", "::1", 8080).url == "http://[::1]:8080"
    assert urls.origin_of("http://[::1]").is_loopback
    assert not urls.origin_of("http://128.0.0.1").is_loopback


@pytest.mark.drill("X03")
def test_model_ids_keep_their_slash_and_nothing_else() -> None:
    assert urls.model_path("x-ai/grok video?:free") == "/models/x-ai/grok%20video%3F:free"
    for bad in ("", "/x", "a//b", "../x", "a/..", "a\nb/c"):
        with pytest.raises(UsageError):
            urls.model_path(bad)


@given(
    st.text("aA.:/@#?%\\[]1 \u3002\ufeff\n-_").map("https://openrouter.ai".__add__)
    | st.text("opentruai.:/@#?%\\[]1。", min_size=1).map("https://".__add__)
    | st.text("xn-☃é\u0660.1a_", min_size=1).map("https://{}/x".format)
)
def test_the_http_library_never_reads_a_url_differently(url: str) -> None:
    """Whatever is let through goes to the host that was looked at, with no user name in it."""
    try:
        target = urls.resolve_download(url, BASE)
    except Unsafe:
        return
    read = httpx.Request("GET", target.url).url
    origin = urls.origin_of(target.url)
    assert (read.scheme, read.raw_host.decode(), read.port or 443) == (origin.scheme, origin.host, origin.port)
    assert read.userinfo == b""
    assert target.with_key == (origin == urls.origin_of(BASE))


def test_settings_can_ask_without_paying_for_an_http_client() -> None:
    code = (
        "import sys, orvideo.api.urls as urls; urls.check_base_url('https://openrouter.ai/api/v1');"
        "print(*[m for m in ('httpx', 'pydantic', 'ssl', 'idna') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


@pytest.mark.drill("X03")
@pytest.mark.parametrize(
    ("job_id", "path"),
    [
        ("gen-vid-1.2:3", "/videos/gen-vid-1.2%3A3"),
        ("a/b ?#%", "/videos/a%2Fb%20%3F%23%25"),
        ("...", "/videos/..."),
        ("x" * 512, "/videos/" + "x" * 512),
        ("x" * 513, None),
        ("", None),
        (".", None),
        ("..", None),
        ("a\x7f", None),
        ("a\ufffd", None),
    ],
)
def test_an_id_is_one_segment_of_a_path_or_refused(job_id: str, path: str | None) -> None:
    assert urls.is_usable_id(job_id) == (path is not None)
    if path is not None:
        assert urls.poll_path(job_id) == path
    else:
        with pytest.raises(BadReply) as caught:
            urls.poll_path(job_id)
        assert repr(job_id[:59])[1:-1] in caught.value.message
        assert len(caught.value.message) < 100


@pytest.mark.drill("F-C03")
def test_a_url_of_a_job_has_8_kib_at_most() -> None:
    longest = "https://x.example/".ljust(8 * 1024, "a")
    assert urls.resolve_download(longest, BASE).url == longest
    for bad in (longest + "a", "", "/a b", "/a\\b", "/\u2028", "https://[::1"):
        with pytest.raises(Unsafe):
            urls.resolve_download(bad, BASE)


@pytest.mark.parametrize(
    ("authority", "good"),
    [
        ("example.org:65535", True),
        ("example.org:65536", False),
        ("example.org:1", True),
        ("example.org:0", False),
        ("example.org:", True),
        ("example.org:000443", False),
        ("example.org:x", False),
        ("[::1]:8080", True),
        ("[::1]", True),
        ("[::1]x", False),
        ("[::1]:", True),
        ("::1", False),
        (".".join(["a" * 50] * 5)[:254], True),
        (".".join(["a" * 50] * 5) + "a", False),
        ("1.2.3.4", True),
        ("-a.org", False),
        ("a.", True),
        ("a..", False),
        (".a", False),
        ("münchen.example", True),
        ("xn--\u00fc" + "a" * 70, False),
    ],
)
def test_which_hosts_and_ports_can_be_some(authority: str, good: bool) -> None:
    if good:
        assert urls.origin_of(f"https://{authority}/x").host
    else:
        with pytest.raises(Unsafe):
            urls.origin_of(f"https://{authority}/x")


def test_a_port_that_is_not_the_schemes_own_is_kept() -> None:
    for url, port, normal in [
        ("https://a:80", 80, "https://a:80"),
        ("http://localhost:443", 443, "http://localhost:443"),
        ("https://a:443", 443, "https://a"),
        ("http://[::1]:80", 80, "http://[::1]"),
    ]:
        assert (urls.origin_of(url).port, urls.origin_of(url).url) == (port, normal)


@pytest.mark.parametrize(("length", "shown"), [(59, 59), (60, 60), (61, 59)])
def test_an_id_that_is_refused_is_shown_as_far_as_60_characters(length: int, shown: int) -> None:
    with pytest.raises(BadReply) as caught:
        urls.poll_path("\x7f" + "a" * (length - 1))
    assert caught.value.message == f"A job cannot have the id '\\x7f{'a' * (shown - 1)}{'…' * (length > 60)}'."


@pytest.mark.drill("N04")
def test_a_base_url_in_the_clear_elsewhere_opens_nothing_on_this_machine() -> None:
    with pytest.raises(Unsafe):
        urls.resolve_download("http://127.0.0.1/x", "http://openrouter.ai/api/v1")
