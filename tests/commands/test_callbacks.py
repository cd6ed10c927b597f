"""`--callback-url` against the sandbox, and `orvideo sandbox` that signs what it sends there."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator

import httpx
import pytest

from orvideo.sandbox.server import KEY
from tests.sandbox.conftest import SMALL
from tests.sandbox.listener import PATIENCE, Listener, listening
from tests.sandbox.test_callbacks import SECRET, verified
from tests.shell import Shell


@pytest.fixture
def listener() -> Iterator[Listener]:
    with listening() as one:
        yield one


def test_a_command_with_the_sandbox_in_it_has_its_callback_made(orvideo: Shell, listener: Listener) -> None:
    line = ["submit", "a boat", "-m", "sandbox/fails", "--wait", "--sandbox", "-v", "--json"]
    done = orvideo(*line, "--callback-url", f"{listener.url}/hook", env={"ORVIDEO_WEBHOOK_SECRET": SECRET})
    assert done.code == 3
    call = listener.call()
    assert verified(call, SECRET)
    assert json.loads(call.body)["data"]["id"] == done.error["job_id"]
    assert f"POST {listener.url}/hook 200" in done.err


def test_a_job_that_ends_after_its_command_is_told_of_by_the_next(orvideo: Shell, listener: Listener) -> None:
    slowly = {"ORVIDEO_SANDBOX_SPEED": "20"}
    line = ["submit", "a boat", "-m", "sandbox/fails", "--sandbox", "--callback-url", listener.url]
    done = orvideo(*line, env=slowly)
    assert done.code == 0, done.err
    assert orvideo("wait", done.lines[0], env=slowly).code == 3
    assert json.loads(listener.call().body)["data"]["id"] == done.lines[0]
    assert listener.calls.empty()


def test_rows_of_a_batch_may_call_this_machine_too(orvideo: Shell, listener: Listener) -> None:
    (orvideo.home / "rows.json").write_text(json.dumps([{"prompt": "a boat", "callback_url": listener.url}]))
    assert orvideo("batch", "rows.json", "-m", "sandbox/fails", "--sandbox", "--max-cost", "1").code == 3
    assert json.loads(listener.call().body)["type"] == "video.generation.failed"


@pytest.mark.parametrize("by_option", [True, False])
def test_the_command_signs_with_the_secret_it_is_given(orvideo: Shell, listener: Listener, by_option: bool) -> None:
    line = ["sandbox", "--port", "0", "--speed", "1000000", "--fault", "callback-twice"]
    options, variables = (["--webhook-secret", SECRET], {}) if by_option else ([], {"ORVIDEO_WEBHOOK_SECRET": SECRET})
    process = orvideo.popen(*line, *options, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        assert process.stdout is not None
        base = process.stdout.readline().decode().strip()
        headers = {"Authorization": f"Bearer {KEY}"}
        for url in (f"{listener.url}/hook", "https://example.com/hook?secret=1"):
            body = {**SMALL, "callback_url": url}
            assert httpx.post(f"{base}/videos", json=body, headers=headers, timeout=PATIENCE).status_code == 202
        assert verified(listener.call(), SECRET)
        assert verified(listener.call(), SECRET)
        assert process.stderr is not None
        said = ""
        while "example.com" not in said:
            said += process.stderr.readline().decode()
    finally:
        process.terminate()
        _, rest = process.communicate(timeout=PATIENCE)
    assert said.count(f"POST {listener.url}/hook 200\n") == 2
    assert "its callback is not made" in said
    assert SECRET not in said + rest.decode()


def test_an_empty_secret_is_none(orvideo: Shell) -> None:
    done = orvideo("sandbox", "--webhook-secret", "")
    assert (done.code, "--webhook-secret needs a value" in done.err) == (2, True)


def test_the_faults_and_the_variable_are_listed(orvideo: Shell) -> None:
    listed = orvideo("sandbox", "--list-faults").out
    assert "callback-lost[:SHARE]" in listed
    assert "callback-twice[:SHARE]" in listed
    assert "ORVIDEO_WEBHOOK_SECRET" in orvideo("help", "environment").out
