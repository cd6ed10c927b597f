from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from orvideo.download import naming
from orvideo.errors import UsageError
from tests.download.films import FACTS


def fill(spec: str, prompt: str = "x", *, index: int = 0) -> tuple[str, ...]:
    return naming.parse_template(spec).fill(FACTS._replace(prompt=prompt), index, "mp4")


@pytest.mark.drill("O15")
@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("../../x", "x"),
        ("/etc/passwd", "etc-passwd"),
        ("-rf", "rf"),
        ("", "none"),
        (".", "none"),
        ("..", "none"),
        ("...hidden", "hidden"),
        ("a\nb\0c\x1b[31m", "a-b-c-31m"),
        ("a‮b", "a-b"),
        ("C:\\CON\\x", "C-CON-x"),
        ("con", "_con"),
        ("NUL.txt", "_NUL.txt"),
        ("trailing.", "trailing"),
        ("\ud800", "none"),
        ("\N{PAPERCLIP}", "none"),
        ("naïve 日本", "naïve-日本"),
        (None, "none"),
        (0, "0"),
    ],
)
def test_a_value_becomes_one_harmless_component(value: object, name: str) -> None:
    assert naming.component(value) == name


@pytest.mark.drill("O15")
@given(st.text(max_size=400))
@example("‥/‥")
@example("aux")
@example("e\u0301" * 200)
def test_no_value_escapes_its_component(value: str) -> None:
    name = naming.component(value)
    assert name
    assert not set(name) & set('/\\\0\n\r\x1b:*?"<>|')
    assert name[0] not in "-."
    assert name[-1] not in "-. "
    assert len(os.fsencode(name)) <= 81
    assert name.partition(".")[0].upper() not in {"CON", "PRN", "AUX", "NUL", "COM1", "LPT9"}
    assert name.isprintable()


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ("A paper boat drifts down a rainy street, at night", "a-paper-boat-drifts-down-a"),
        ("Élan vital — “naïve” café", "elan-vital-naive-cafe"),
        ("don't panic", "dont-panic"),
        ("紙の舟が雨の通りを流れていく、夜の街の灯りの中を", "紙の舟が雨の通りを流れてい"),
        ("हिन्दी में", "हिन्दी-में"),
        ("🎬🎬🎬", "video"),
        ("", "video"),
        (None, "video"),
        ("x" * 100, "x" * 40),
    ],
)
def test_a_slug_is_a_few_words(prompt: str | None, words: str) -> None:
    assert naming.slug(prompt) == words
    assert len(naming.slug(prompt).encode()) <= 40


def test_default_names_sort_by_time_and_tell_jobs_apart() -> None:
    early = naming.default_name(FACTS, "mp4")
    assert early == "20261121-023000-veo-3.1-a-paper-boat-drifts-2f9c1a7d.mp4"
    late = naming.default_name(
        FACTS._replace(created_at=datetime(2026, 11, 21, 2, 30, 1, tzinfo=UTC), model="a"), "mp4"
    )
    other = naming.default_name(FACTS._replace(id="vid-gen-2f9c1a7e"), "mp4")
    assert sorted([late, early]) == [early, late]
    assert other != early


def test_default_names_of_hostile_jobs_are_harmless() -> None:
    name = naming.default_name(FACTS._replace(id="../../x", model="../..", prompt="/etc/x"), "webm")
    assert name.startswith("20261121-023000-none-etc-x-")
    assert "/" not in name


@pytest.mark.drill("O07")
@pytest.mark.parametrize("character", ["x", "é", "日", "\N{CLAPPER BOARD}", "\udcff"])
def test_a_long_name_is_cut_between_characters_and_stays_distinct(character: str) -> None:
    names = [character * 300 + ending + ".mp4" for ending in ("a", "b")]
    fitted = [naming.fit(name) for name in names]
    assert fitted[0] != fitted[1]
    for name in fitted:
        assert 240 < len(os.fsencode(name)) <= 255
        assert name.endswith(".mp4")
        assert set(name[:50]) == {character}
    assert naming.fit("x" * 251 + ".mp4") == "x" * 251 + ".mp4"


@pytest.mark.drill("O07")
@given(st.text(min_size=1, max_size=300), st.text(max_size=300), st.integers(0, 20))
def test_a_part_has_room_for_its_suffix_and_the_files_beside_it(name: str, job: str, index: int) -> None:
    name = name.encode("utf-8", "replace").decode()
    part = naming.part_name(name, job, index)
    assert len(os.fsencode(part + ".json.new")) <= 255
    assert part.endswith(f"-{index}.part")


def test_parts_of_different_jobs_and_outputs_never_meet() -> None:
    parts = {naming.part_name("boat.mp4", job, index) for job in ("a", "b", "a-0") for index in (0, 1, 10)}
    assert len(parts) == 9


def test_outputs_are_numbered_before_the_extension() -> None:
    assert [naming.numbered("boat.mp4", index) for index in range(3)] == ["boat.mp4", "boat-2.mp4", "boat-3.mp4"]
    assert naming.numbered("boat", 1) == "boat-2"
    assert naming.numbered(".mp4", 1) == ".mp4-2"


def test_a_template_is_filled() -> None:
    assert fill("{date}-{time}-{model}-{slug}-{seed}.{ext}", "A boat") == ("20261121-023000-veo-3.1-a-boat-7.mp4",)
    assert fill("{id}/{index}.{ext}", index=1) == ("vid-gen-2f9c1a7d", "2.mp4")
    assert fill("{{{seed}}}.mp4") == ("{7}.mp4",)
    assert fill("{resolution}-{duration}-{aspect}-{row}") == ("none-none-none-none",)


def test_a_template_that_ends_in_a_slash_is_a_folder() -> None:
    assert fill("{model}/") == ("veo-3.1", "20261121-023000-veo-3.1-x-2f9c1a7d.mp4")


def test_the_base_is_what_comes_before_the_first_field() -> None:
    bases = {spec: naming.parse_template(spec).base for spec in ("{id}", "a/b/{id}", "/a/{id}/c", "a{id}/b", "/{id}")}
    assert bases == {"{id}": "", "a/b/{id}": "a/b/", "/a/{id}/c": "/a/", "a{id}/b": "", "/{id}": "/"}


@pytest.mark.drill("O15")
@pytest.mark.parametrize("prompt", ["../../x", "/etc/x", "-rf", "", ".", "..", "a\nb", "~", "$(x)", "\0"])
def test_a_prompt_in_a_template_stays_one_component(prompt: str) -> None:
    (name,) = fill("{prompt}", prompt)
    assert name not in ("", ".", "..")
    assert not name.startswith(("-", "."))
    assert name.isprintable()
    assert "/" not in name


@pytest.mark.drill("O16")
@pytest.mark.parametrize(
    "spec",
    [
        "{job.__init__.__globals__[KEY]}",
        "{id:>100000000}",
        "{id!r}",
        "{0}",
        "{}",
        "{ id }",
        "{modle}.mp4",
        "{id",
        "id}{id}",
        "{{id}",
        "{a{id}}",
    ],
)
def test_whatever_is_no_field_is_refused(spec: str) -> None:
    with pytest.raises(UsageError):
        naming.parse_template(spec)


@pytest.mark.drill("O16")
def test_a_mistyped_field_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"Did you mean \{model\}\?"):
        naming.parse_template("{modle}.mp4")


@pytest.mark.drill("O15")
@pytest.mark.parametrize("spec", ["{id}/../x", "{id}/..", "{id}/./x"])
def test_a_template_cannot_climb_after_a_field(spec: str) -> None:
    with pytest.raises(UsageError):
        naming.parse_template(spec)


@pytest.mark.parametrize(
    ("job_id", "short"),
    [
        ("gen-vid-1764000000-AbCdEfGhIjKlMnOpQrSt", "MnOpQrSt"),
        ("ab-cd", "abcd"),
        ("12345678", "12345678"),
        ("x12345678", "12345678"),
    ],
)
def test_eight_characters_of_an_id_tell_its_files_apart(job_id: str, short: str) -> None:
    assert naming.short_id(job_id) == short


@pytest.mark.parametrize("job_id", ["abc", "a-b-c", "", "jöb-12345678", "----"])
def test_an_id_with_too_little_in_it_is_told_apart_by_its_sum(job_id: str) -> None:
    assert naming.short_id(job_id) not in (job_id, naming.short_id(job_id + "x"))
    assert len(naming.short_id(job_id)) == 8


@pytest.mark.parametrize(
    ("name", "beside"),
    [
        ("boat.mp4", "boat-x.mp4"),
        ("boat", "boat-x"),
        (".hidden", ".hidden-x"),
        ("boat.", "boat.-x"),
        ("v1.2 final cut", "v1.2 final cut-x"),
        ("boat." + "e" * 10, "boat-x." + "e" * 10),
        ("boat." + "e" * 11, "boat." + "e" * 11 + "-x"),
        ("boat.tar.gz", "boat.tar-x.gz"),
    ],
)
def test_a_mark_stands_before_the_extension_where_there_is_one(name: str, beside: str) -> None:
    assert naming.beside(name, "x") == beside


@pytest.mark.parametrize(
    ("text", "longest", "kept"),
    [("\udcffa", 2, "\udcffa"), ("a\udcff", 1, "a"), ("äb", 3, "äb"), ("äb", 2, "ä"), ("äb", 1, ""), ("abc", 2, "ab")],
)
def test_a_text_is_cut_between_characters(text: str, longest: int, kept: str) -> None:
    assert naming.cut(text, longest) == kept


def test_a_component_has_80_bytes_at_most_and_a_name_255() -> None:
    for length, kept in ((79, 79), (80, 80), (81, 80)):
        assert naming.component("x" * length) == "x" * kept
    assert naming.component("x" * 9, longest=8) == "x" * 8
    assert naming.fit("x" * 255) == "x" * 255
    assert len(naming.fit("x" * 256)) == 255
    assert naming.fit("boat.mp4", 8) == "boat.mp4"


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("a.b_c-d+e=f,g@h(i)", "a.b_c-d+e=f,g@h(i)"),
        ("a -  - b", "a-b"),
        ("com9", "_com9"),
        ("COM1.x.y", "_COM1.x.y"),
        ("LPT²", "_LPT²"),
        ("conin$", "conin"),
        ("com10", "com10"),
        ("console", "console"),
        ("a; rm -rf $HOME", "a-rm-rf-HOME"),
    ],
)
def test_what_is_harmless_stays_and_what_windows_keeps_for_itself_is_marked(value: str, name: str) -> None:
    assert naming.component(value) == name


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ("one two three four five six seven", "one-two-three-four-five-six"),
        ("x" * 36 + " yy", "x" * 36 + "-yy"),
        ("x" * 36 + " yyy", "x" * 36),
        ("x" * 37 + " y", "x" * 37),
        ("isn\u2019t it", "isnt-it"),
        (" " * 2001 + "late", "video"),
        (" " * 1996 + "late", "late"),
    ],
)
def test_a_slug_has_six_words_and_40_bytes_at_most(prompt: str, words: str) -> None:
    assert naming.slug(prompt) == words


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("google/veo-3.1", "veo-3.1"),
        ("a/b:free", "b-free"),
        ("a/b/", "b"),
        ("plain", "plain"),
        ("", "none"),
        (None, "none"),
    ],
)
def test_a_model_is_named_without_its_author(model: str | None, name: str) -> None:
    template = naming.parse_template("{model}")
    assert template.fill(FACTS._replace(model=model), 0, "mp4") == (name,)


def test_a_template_says_whether_it_tells_outputs_apart() -> None:
    for spec, fields, counts in [
        ("a.mp4", False, False),
        ("{id}.mp4", True, False),
        ("{index}/{id}.mp4", True, False),
        ("{id}-{index}.mp4", True, True),
    ]:
        template = naming.parse_template(spec)
        assert (template.has_fields, template.counts) == (fields, counts), spec


def test_times_in_a_name_are_utc() -> None:
    when = datetime(2026, 11, 21, 1, 30, tzinfo=timezone(timedelta(hours=-1)))
    for moment in (when, datetime(2026, 11, 21, 2, 30)):
        facts = FACTS._replace(created_at=moment, aspect_ratio="16:9", resolution="720p", duration=8, row="007")
        assert naming.parse_template("{date}{time}-{aspect}-{resolution}-{duration}-{row}").fill(facts, 0, "mp4") == (
            "20261121023000-16x9-720p-8-007",
        )


def test_a_long_template_is_repeated_as_far_as_60_characters() -> None:
    for length, shown in ((60, "x" * 59 + "{"), (61, "x" * 60 + "…")):
        with pytest.raises(UsageError) as refusal:
            naming.parse_template("x" * (length - 1) + "{")
        assert repr(shown) in refusal.value.message
