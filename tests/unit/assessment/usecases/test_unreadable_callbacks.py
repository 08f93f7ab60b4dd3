"""Callbacks that are refused, or that carry no verdict that can be read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from assessment.contracts.llm_protocol import LLMComparisonResultV1
from assessment.domain.comparison import Comparison
from assessment.domain.errors import CallbackRefusedError, MalformedCallbackError, UnknownBatchError
from assessment.domain.quotation import remove_quotations
from assessment.domain.verdict import Winner
from assessment.usecases.record_callback import CallbackEffect
from tests.fakes.judges import callback_body
from tests.fakes.world import World
from tests.unit.assessment.conftest import Started
from tests.unit.assessment.usecases.callbacks import TRANSIENT, S, again, find_first

FORGED = [
    {"comparison_id": "w009-00000"},
    {"callback_token": "forged.forged"},
    {"callback_token": ""},
    {"callback_token": "\ud800"},
]


@pytest.mark.parametrize("echo", FORGED)
def test_who_was_not_asked_is_refused_and_changes_nothing(
    submitted: Started, echo: dict[str, Any]
) -> None:
    body = callback_body(find_first(submitted), submitted.batch_id, echo=echo)
    before = submitted.world.list_comparisons(submitted.batch_id)
    with pytest.raises(CallbackRefusedError) as refused:
        submitted.world.record(body)
    assert refused.value.field == "request_metadata.callback_token"
    assert submitted.world.list_comparisons(submitted.batch_id) == before


def test_a_batch_that_never_was_is_refused_by_name(submitted: Started) -> None:
    nobody = "11111111-2222-4333-8444-555555555555"
    body = callback_body(find_first(submitted), submitted.batch_id, echo={"batch_id": nobody})
    with pytest.raises(UnknownBatchError):
        submitted.world.record(body)


@pytest.mark.parametrize("field", ["batch_id", "comparison_id"])
@pytest.mark.parametrize(
    "hostile",
    [
        "",
        "nobody",
        "the pupil's essay, word by word",
        "w001-00000\nERROR all batches deleted",
        "11111111-2222-4333-8444-555555555555\n",
        "w١٢٣-00000",
        "w001-00000#x",
        "x" * 300_000,
        "\ud800",
    ],
    ids=lambda text: ascii(text[:20]),
)
def test_what_is_no_id_is_refused_by_its_field_and_not_repeated(
    submitted: Started, field: str, hostile: str
) -> None:
    """Ids are logged and stand in keys of the table, so nothing else may pass for one."""
    body = callback_body(find_first(submitted), submitted.batch_id, echo={field: hostile})
    with pytest.raises(MalformedCallbackError) as refused:
        submitted.world.record(body)
    assert refused.value.field == f"request_metadata.{field}"
    assert not hostile or hostile not in str(refused.value)


def test_one_comparison_cannot_speak_for_another(submitted: Started) -> None:
    world, (one, other, *_) = submitted.world, submitted.world.list_comparisons(submitted.batch_id)
    token = json.loads(callback_body(one, submitted.batch_id))["request_metadata"]["callback_token"]
    with pytest.raises(CallbackRefusedError):
        world.record(callback_body(other, submitted.batch_id, echo={"callback_token": token}))
    assert again(submitted, other) == other


def test_another_batch_cannot_speak_for_this_one(submitted: Started) -> None:
    comparison = find_first(submitted)
    theirs = "11111111-2222-4333-8444-555555555555"
    body = callback_body(comparison, theirs, echo={"batch_id": submitted.batch_id})
    with pytest.raises(CallbackRefusedError):
        submitted.world.record(body)
    assert again(submitted, comparison) == comparison


def swap(comparison: Comparison) -> dict[str, Any]:
    return {"essay_a_id": comparison.second, "essay_b_id": comparison.first}


MISMATCHED = [
    (swap, "essay_a_id, essay_b_id"),
    (lambda c: {"essay_a_id": c.second}, "essay_a_id"),
    (lambda _: {"attempt": 99}, "attempt"),
    (lambda _: {"attempt": "many"}, "attempt"),
    (lambda _: {"wave": 7}, "wave"),
    (lambda _: {"judge": "another/judge"}, "judge or prompt_sha256"),
    (lambda _: {"prompt_sha256": "f" * 64}, "judge or prompt_sha256"),
    (lambda _: {"essay_a_id": None, "essay_b_id": None}, "essay_a_id, essay_b_id"),
]


@pytest.mark.parametrize(("change", "named"), MISMATCHED)
def test_what_does_not_match_fails_its_comparison_and_changes_no_winner(
    submitted: Started, change: Any, named: str
) -> None:
    world, known = submitted.world, submitted.world.list_comparisons(submitted.batch_id)
    recorded = world.record(
        callback_body(known[0], submitted.batch_id, winner="B", echo=change(known[0]))
    )
    assert recorded.effect is CallbackEffect.MISMATCHED
    assert (recorded.problem or "").endswith(named)
    failed = again(submitted, known[0])
    assert failed.status is S.FAILED
    assert failed.verdict is None
    assert failed.may_be_retried
    for comparison in known[1:]:
        world.record(callback_body(comparison, submitted.batch_id))
    assert submitted.closed


def test_a_mismatch_after_the_verdict_changes_nothing(submitted: Started) -> None:
    world, comparison = submitted.world, find_first(submitted)
    world.record(callback_body(comparison, submitted.batch_id))
    before = again(submitted, comparison)
    body = callback_body(comparison, submitted.batch_id, winner="B", echo=swap(comparison))
    assert world.record(body).effect is CallbackEffect.DUPLICATE
    assert again(submitted, comparison) == before


UNREADABLE: list[tuple[dict[str, Any], str]] = [
    ({"winner": "essay one"}, "winner"),
    ({"winner": None}, "exactly one of winner and error_detail"),
    ({"winner": ["A"]}, "winner"),
    ({"winner": "A", "error_detail": TRANSIENT}, "exactly one"),
    ({"winner": "A", "schema": "SomethingElseV1"}, "schema"),
]


@pytest.mark.parametrize(("change", "named"), UNREADABLE)
def test_an_unreadable_verdict_fails_only_its_comparison_and_the_wave_closes(
    submitted: Started, change: dict[str, Any], named: str
) -> None:
    world, known = submitted.world, submitted.world.list_comparisons(submitted.batch_id)
    recorded = world.record(callback_body(known[0], submitted.batch_id, **change))
    assert recorded.effect is CallbackEffect.FAILURE_RECORDED
    assert named in (recorded.problem or "")
    for comparison in known[1:]:
        world.record(callback_body(comparison, submitted.batch_id))
    failed = again(submitted, known[0])
    assert failed.status is S.FAILED
    assert failed.failure is not None
    assert failed.failure.code == "malformed_verdict"
    assert failed.may_be_retried
    assert world.tally(submitted.batch_id).recorded == len(known) - 1
    assert submitted.closed


def double_winner(body: str) -> str:
    return body.replace('"winner": "A"', '"winner": "A", "winner": "B"')


@pytest.mark.parametrize("write", [
    lambda body: "\ufeff" + body,
    lambda body: body.replace('"winner": "A"', '"winner": "A", "winner": "A"'),
    lambda body: body.replace('"winner": "A"', '"winner": "Essay A", "justification": "a\tb\x01"'),
    lambda body: body.replace('"winner": "A"', '"winner": "a", "justification": "\\ud83d"'),
    lambda body: body.replace('"winner": "A"', '"winner": "A", "confidence": NaN'),
    lambda body: body.replace('"winner": "A"', '"winner": "A", "degree": "clear", "degree": 7'),
])  # fmt: skip
def test_a_verdict_is_recorded_however_its_json_is_written(submitted: Started, write: Any) -> None:
    comparison = find_first(submitted)
    recorded = submitted.world.record(write(callback_body(comparison, submitted.batch_id)))
    assert recorded.effect is CallbackEffect.VERDICT_RECORDED
    verdict = again(submitted, comparison).pair_verdict
    assert verdict is not None
    assert verdict.winner is Winner.FIRST


def test_a_callback_with_two_winners_is_no_verdict(submitted: Started) -> None:
    body = double_winner(callback_body(find_first(submitted), submitted.batch_id))
    assert submitted.world.record(body).effect is CallbackEffect.FAILURE_RECORDED


MALFORMED = [
    "",
    "not json",
    "[1, 2]",
    '"text"',
    "{}",
    '{"request_metadata": {}}',
    '{"request_metadata": {"batch_id": "b"}}',
    '{"winner": "A", "request_metadata": "all of it"}',
    '{"schema": "WaveDeadlineV1"}',
    '{"schema": "WaveDeadlineV1", "batch_id": "b", "wave": 1, "deadline": "soon"}',
    '{"schema": "WaveDeadlineV1", "batch_id": "b", "wave": 1, "deadline": "2026-03-02T09:00:00"}',
    '{"schema": "WaveDeadlineV1", "batch_id": "b", "deadline": "2026-03-02T09:00:00Z"}',
    '{"schema": "WaveDeadlineV1", "batch_id": "b", "wave": 1, "deadline": "2026-03-02T09:00:00Z"}',
    '{"winner": ' + "9" * 5000 + "}",
    "[" * 100_000,
]


@pytest.mark.parametrize("body", MALFORMED, ids=range(len(MALFORMED)))
def test_what_cannot_be_attributed_is_malformed(submitted: Started, body: str) -> None:
    before = submitted.world.list_comparisons(submitted.batch_id)
    with pytest.raises(MalformedCallbackError) as refused:
        submitted.world.record(body)
    assert refused.value.field
    assert submitted.world.list_comparisons(submitted.batch_id) == before


LONG_ESSAY = (
    "Every summer my uncle mended the nets by the harbour wall, and I counted the gulls that came "
    "too close; the old men said that a net remembers every storm it was ever out in."
)
QUOTING = {
    "message": lambda quote: {"code": "refused", "message": f"I will not judge: {quote}"},
    "code": lambda quote: {"code": quote, "message": "no"},
    "code in one word": lambda quote: {"code": quote.replace(" ", "_"), "message": "no"},
    "text alone": lambda quote: f"cannot read {quote}",
    "JSON in JSON": lambda quote: {
        "code": "e",
        "message": json.dumps({"input": json.dumps(quote)}),
    },
    "HTML": lambda quote: {"code": "e", "message": "".join(f"&#{ord(c)};" for c in quote)},
    "URL": lambda quote: {"code": "e", "message": "".join(f"%{b:02x}" for b in quote.encode())},
    "bytes": lambda quote: {"code": "e", "message": "".join(f"\\x{b:02x}" for b in quote.encode())},
    "escapes": lambda quote: {"code": "e", "message": "".join(f"\\u{ord(c):04x}" for c in quote)},
    "wide letters": lambda quote: {
        "code": "e",
        "message": "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in quote),
    },
    "invisible characters": lambda quote: {"code": "e", "message": "\u200b".join(quote)},
}


@pytest.mark.parametrize("way", QUOTING)
def test_no_words_of_an_essay_come_back_by_a_callback(way: str) -> None:
    world = World()
    essays = [{"essay_id": f"e{n}", "text": f"{LONG_ESSAY} Number {n}."} for n in range(4)]
    batch_id = world.request(essays, key="quoted").batch_id
    world.prepare(batch_id)
    world.plan(batch_id)
    world.workflow.issue("token")
    world.submit(batch_id, 1, "token")
    comparison = world.list_comparisons(batch_id)[0]
    error = QUOTING[way](LONG_ESSAY[20:110])
    body = callback_body(comparison, batch_id, winner=None, error_detail=error)
    recorded = world.record(body)
    stored = world.comparisons.get_comparison(batch_id, 1, comparison.comparison_id)
    assert stored.failure is not None
    shown = f"{recorded.problem} {stored.failure.code} {stored.failure.message}".replace("_", " ")
    plain = remove_quotations(shown, [], longest=5000)
    assert not any(word in plain for word in ("harbour", "counted", "gulls"))
    assert recorded.effect is CallbackEffect.FAILURE_RECORDED


def test_no_error_of_a_model_shows_what_an_endpoint_sent(submitted: Started) -> None:
    body = json.loads(callback_body(find_first(submitted), submitted.batch_id))
    for field in ("winner", "correlation_id", "schema"):
        with pytest.raises(ValidationError) as refused:
            LLMComparisonResultV1.model_validate({**body, field: [LONG_ESSAY]})
        assert "harbour" not in str(refused.value)


def test_a_batch_whose_texts_are_gone_shows_nothing_of_an_error(submitted: Started) -> None:
    world, comparison = submitted.world, find_first(submitted)
    world.content.texts.clear()
    body = callback_body(
        comparison, submitted.batch_id, winner=None, error_detail={"message": "it is of quality"}
    )
    assert world.record(body).effect is CallbackEffect.FAILURE_RECORDED
    failure = again(submitted, comparison).failure
    assert failure is not None
    assert "quality" not in failure.message
