"""TAB in real shells: what is known beforehand comes without orvideo being run at all, the rest from this disk."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from orvideo.catalogue import cache
from orvideo.record.ledger import Ledger
from orvideo.record.values import Submission
from tests.completion.shells import SHELLS, Typing, installed, is_there, program_that_must_not_run

ENDPOINT = "https://openrouter.ai/api/v1"
#: A model that no service should list: as a word of a shell it is two commands.
EVIL = "evil/x$(touch${IFS}pwned);touch${IFS}pwned`touch${IFS}pwned`"
MODELS = [
    {"id": "google/veo-3.1", "name": "Veo", "supported_durations": [4, 6, 8], "supported_resolutions": ["720p", "4K"]},
    {"id": "google/veo-3.1-lite", "name": "Veo\x1b]0;x\x07 Lite", "supported_durations": [8, 6]},
    {"id": "other/clip:free", "name": "%F{red}$(touch pwned)", "supported_aspect_ratios": ["16:9", "9:16"]},
    {"id": EVIL, "name": "`touch pwned`"},
]


@pytest.fixture(scope="module", params=SHELLS)
def shell(request: pytest.FixtureRequest) -> str:
    if not is_there(request.param):
        pytest.skip(
            f"{request.param} is NOT INSTALLED: its completion is not proved here; the package {request.param} would"
        )
    return str(request.param)


@pytest.fixture(scope="module")
def static(shell: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Typing]:
    """A shell in which running orvideo is an error: what completes here completes without Python."""
    folder = tmp_path_factory.mktemp(shell)
    typing = Typing(shell, folder / "home", program_that_must_not_run(folder), {})
    (folder / "home" / "prompt-of-mine.txt").touch()
    yield typing
    typing.close()
    trace = folder / "was-run"
    assert not trace.exists(), f"orvideo was run for: {trace.read_text()}"


@pytest.fixture(scope="module")
def live(shell: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Typing]:
    """A shell with the real orvideo, a list of models in the cache and three jobs on record."""
    home = tmp_path_factory.mktemp(shell) / "home"
    cache.write(home / ".cache" / "orvideo" / cache.file_name(ENDPOINT), MODELS, datetime.now(UTC))
    with Ledger(home / ".local" / "state" / "orvideo" / "jobs.db") as ledger:
        for name in ("aaaa1111", "bbbb2222", "cccc3333"):
            prompt = f"a boat \x1b[31m$(touch pwned) {name[:2]}"
            seq = ledger.prepare(Submission(request={"model": "google/veo-3.1", "prompt": prompt}, endpoint=ENDPOINT))
            ledger.sending(seq)
            ledger.submitted(seq, name, status="in_progress", generation_id=None, extra={})
    typing = Typing(shell, home, installed(), {})
    yield typing
    typing.close()
    assert not (home / "pwned").exists(), "a text from elsewhere was evaluated"


@pytest.mark.parametrize(
    ("typed", "line"),
    [
        ("orvideo sub", "orvideo submit "),
        ("orvideo jobs sh", "orvideo jobs show "),
        ("orvideo completion ins", "orvideo completion install "),
        ("orvideo submit --dry", "orvideo submit --dry-run "),
        ("orvideo submit 'a boat' --no-ch", "orvideo submit 'a boat' --no-check "),
        ("orvideo submit -qwd 4 --no-ch", "orvideo submit -qwd 4 --no-check "),
        ("orvideo submit --prompt-file prompt-o", "orvideo submit --prompt-file prompt-of-mine.txt "),
        ("orvideo wait -o prompt-o", "orvideo wait -o prompt-of-mine.txt "),
        ("orvideo jobs --cost mod", "orvideo jobs --cost model "),
        ("orvideo help ex", "orvideo help exit-codes "),
        ("orvideo config set max-c", "orvideo config set max-cost "),
        ("orvideo config get base", "orvideo config get base-url "),
        # Nothing is offered where anything may stand, and after -- there are no options.
        ("orvideo submit --seed prompt-o", "orvideo submit --seed prompt-o"),
        ("orvideo submit prompt-o", "orvideo submit prompt-o"),
        ("orvideo submit -- --dry", "orvideo submit -- --dry"),
        ("orvideo nonsense --dry", "orvideo nonsense --dry"),
    ],
)
def test_what_is_baked_in_completes_without_running_orvideo(static: Typing, typed: str, line: str) -> None:
    assert static.tab(typed).line == line


def test_an_option_with_a_value_completes_and_its_choices_are_listed(static: Typing) -> None:
    # zsh puts = behind the name, and takes it away again when a space is typed.
    assert static.tab("orvideo submit --reso").line in ("orvideo submit --resolution ", "orvideo submit --resolution=")
    assert {"model", "day", "month"} <= set(static.tab("orvideo jobs --cost ").words)


def test_commands_are_listed_with_what_they_do(static: Typing, shell: str) -> None:
    listed = static.tab("orvideo ").listed
    assert all(name in listed for name in ("submit", "wait", "download", "jobs", "config", "sandbox"))
    if shell != "bash":  # which shows words alone
        assert "Look once at jobs and show how they are" in listed


def test_a_model_is_found_by_its_beginning(live: Typing) -> None:
    found = live.tab("orvideo submit -m goo")
    assert found.line == "orvideo submit -m google/veo-3.1"
    assert "veo-3.1-lite" in found.listed
    assert live.tab("orvideo submit --model google/veo-3.1-").line == "orvideo submit --model google/veo-3.1-lite "
    assert live.tab("orvideo submit --model=google/veo-3.1-").line == "orvideo submit --model=google/veo-3.1-lite "
    assert live.tab("orvideo models google/veo-3.1-").line == "orvideo models google/veo-3.1-lite "


def test_a_colon_in_a_name_is_no_obstacle(live: Typing) -> None:
    assert live.tab("orvideo submit -m other/clip:f").line.replace("\\", "") == "orvideo submit -m other/clip:free "
    assert live.tab("orvideo submit -m other/clip:free -a 9:").line.endswith(" -a 9:16 ")


@pytest.mark.parametrize(
    ("typed", "values"),
    [
        ("orvideo submit -m google/veo-3.1-lite --duration ", ["6", "8"]),
        ("orvideo submit --model=google/veo-3.1 hi -d ", ["4", "6", "8"]),
        ("orvideo submit -m 'google/veo-3.1' --resolution ", ["720p", "4K"]),
        ("orvideo submit -m other/clip:free --aspect-ratio ", ["16:9", "9:16"]),
    ],
)
def test_what_the_chosen_model_can_do_is_offered(live: Typing, typed: str, values: list[str]) -> None:
    found = live.tab(typed)
    # Not the line itself, which shells draw once more below the list.
    listed = [word for line in found.listed.splitlines() if "orvideo" not in line for word in line.split()]
    assert listed == values or sorted(listed) == sorted(values)
    assert found.line == typed


def test_nothing_is_offered_that_the_chosen_model_has_not(live: Typing) -> None:
    typed = "orvideo submit -m other/clip:free --duration "
    assert live.tab(typed).line == typed
    assert "8" not in live.tab(typed).words


def test_jobs_are_offered_with_their_prompts(live: Typing, shell: str) -> None:
    found = live.tab("orvideo wait ")
    assert all(name in found.listed for name in ("aaaa1111", "bbbb2222", "cccc3333"))
    if shell != "bash":
        assert "in_progress: a boat" in found.listed
    assert live.tab("orvideo jobs show bb").line == "orvideo jobs show bbbb2222 "
    assert live.tab("orvideo status aaaa1111 cc").line == "orvideo status aaaa1111 cccc3333 "
    assert {"@1", "@2", "@3", "@last"} <= set(live.tab("orvideo wait @").words)
    assert live.tab("orvideo wait @l").line == "orvideo wait @last "


@pytest.mark.drill("T01")
def test_a_name_from_elsewhere_arrives_as_a_word_and_is_never_evaluated(live: Typing) -> None:
    line = live.tab("orvideo submit -m evil/").line
    assert line.startswith("orvideo submit -m ")
    printed = live.run("printf '%s' " + line.removeprefix("orvideo submit -m "))
    assert EVIL in printed
    assert not (live.home / "pwned").exists()


@pytest.mark.drill("K12")
def test_no_key_gets_into_what_is_offered(live: Typing, shell: str) -> None:
    from tests.completion.shells import script

    assert "sk-or" not in script(shell)
    assert "sk-or" not in json.dumps([live.tab("orvideo config set api-key ").listed, live.tab("orvideo wait ").listed])
