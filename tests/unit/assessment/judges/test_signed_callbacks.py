"""Callbacks over the web: signed within five minutes, accepted once, into the one queue."""

from __future__ import annotations

import json
from datetime import timedelta
from unittest import mock

import pytest

from assessment.contracts.signature import sign_body
from assessment.domain.errors import (
    MalformedCallbackError,
    ReplayedCallbackError,
    SignatureRefusedError,
)
from assessment.ports.groups import SignedCallbackPorts
from assessment.usecases.accept_callback import accept_callback
from tests.fakes.judges import callback_body
from tests.fakes.people import InMemorySeenSignatures
from tests.fakes.world import World

SECRET = "a secret of the stack"
EARLIER = "the version of the secret before it was rotated"


@pytest.fixture
def world():
    return World()


@pytest.fixture
def send(world):
    seen = InMemorySeenSignatures()

    def send_callback(body, *, age=0.0, secret=SECRET, headers=None):
        timestamp = str(int(world.now.timestamp() - age))
        signed = {"x-cj-timestamp": timestamp, "X-CJ-Signature": sign_body(secret, timestamp, body)}
        return accept_callback(
            body,
            signed if headers is None else headers,
            secrets=(SECRET, EARLIER),
            ports=SignedCallbackPorts(signatures=seen, callback_queue=world.callback_queue),
            now=world.now,
        )

    return send_callback


@pytest.fixture
def body(world):
    batch = world.request(4)
    world.prepare(batch.batch_id)
    wave = world.plan(batch.batch_id)
    world.submit(batch.batch_id, wave.wave, world.workflow.issue("token"))
    world.callback_queue.messages.clear()
    return callback_body(world.list_comparisons(batch.batch_id)[0], batch.batch_id)


def test_the_signature_is_that_of_another_implementation():
    # printf '1772442000.{"a":1}' | openssl dgst -sha256 -hmac Jefe
    digest = "48d06db359e0bb4ab43a27fe5a128bca919cf64a7f5350423a84f689655f0f04"
    assert sign_body("Jefe", "1772442000", '{"a":1}') == f"sha256={digest}"


def test_a_signed_verdict_is_recorded(world, send, body):
    send(body)
    (message,) = world.callback_queue.messages
    assert world.record(message.body).effect == "verdict_recorded"


def test_the_version_before_a_rotation_is_accepted_too(world, send, body):
    send(body, secret=EARLIER)
    assert len(world.callback_queue.messages) == 1


@pytest.mark.parametrize("age", [301, -301])
def test_the_window_is_five_minutes_to_both_sides(world, send, body, age):
    with pytest.raises(SignatureRefusedError, match="sign it anew"):
        send(body, age=age)
    send(body, age=age - 2 if age > 0 else age + 2)
    assert len(world.callback_queue.messages) == 1


def test_a_replay_is_refused_and_a_new_signature_of_the_same_verdict_is_not(world, send, body):
    send(body)
    with pytest.raises(ReplayedCallbackError):
        send(body)
    assert len(world.callback_queue.messages) == 1
    world.clock.now += timedelta(seconds=1)
    send(body)
    first, second = world.callback_queue.messages
    assert world.record(first.body).effect == "verdict_recorded"
    assert world.record(second.body).effect == "duplicate"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-CJ-Timestamp": "1"},
        {"X-CJ-Timestamp": "soon", "X-CJ-Signature": "sha256=00"},
        {"X-CJ-Timestamp": "²", "X-CJ-Signature": "sha256=00"},
        {"X-CJ-Timestamp": "9" * 5000, "X-CJ-Signature": "sha256=00"},
        {"X-CJ-Timestamp": "1772442000", "X-CJ-Signature": "sha256=é"},
    ],
)
def test_what_is_not_signed_is_refused(world, send, body, headers):
    with pytest.raises(SignatureRefusedError):
        send(body, headers=headers)
    assert not world.callback_queue.messages


def test_another_secret_and_a_changed_body_are_refused(world, send, body):
    with pytest.raises(SignatureRefusedError, match="does not fit"):
        send(body, secret="another")
    timestamp = str(int(world.now.timestamp()))
    headers = {"X-CJ-Timestamp": timestamp, "X-CJ-Signature": sign_body(SECRET, timestamp, body)}
    with pytest.raises(SignatureRefusedError, match="does not fit"):
        send(body.replace('"A"', '"B"'), headers=headers)
    assert not world.callback_queue.messages


@pytest.mark.parametrize(
    "broken",
    [
        "",
        "[]",
        "{",
        '{"schema": "WaveDeadlineV1", "batch_id": "b", "wave": 1}',
        "x" * 100_001,
        "\U0001f600" * 25_001,
    ],
)
def test_what_is_signed_but_no_verdict_is_refused_by_field(world, send, broken):
    with pytest.raises(MalformedCallbackError) as caught:
        send(broken)
    assert caught.value.field
    assert not world.callback_queue.messages


@pytest.mark.parametrize(
    "more", ['"justification": "half \\ud83d"', '"confidence": NaN', '"cost_usd": {}']
)
def test_nothing_optional_costs_a_signed_verdict(world, send, body, more):
    send("\ufeff" + body.replace('"winner": "A"', f'"winner": "A", {more}'))
    (message,) = world.callback_queue.messages
    assert world.record(message.body).effect == "verdict_recorded"


def test_a_signed_verdict_that_the_queue_could_not_carry_is_refused(world, send, body):
    # As many characters as a verdict may have bytes, and four times as many bytes.
    long = json.dumps({**json.loads(body), "x": "\U0001f600" * 99_000}, ensure_ascii=False)
    with pytest.raises(MalformedCallbackError, match="bytes"):
        send(long)
    assert not world.callback_queue.messages


def test_two_winners_are_told_to_the_sender(send, body):
    with pytest.raises(MalformedCallbackError, match="winner"):
        send(body.replace('"winner": "A"', '"winner": "A", "winner": "B"'))


def test_an_unknown_winner_is_told_to_the_sender(send, body):
    with pytest.raises(MalformedCallbackError, match="winner"):
        send(json.dumps({**json.loads(body), "winner": "essay one"}))


def test_a_crash_before_the_mark_lets_the_sender_try_again(world, send, body):
    died = mock.patch.object(
        InMemorySeenSignatures, "remember", side_effect=ConnectionError("table")
    )
    with died, pytest.raises(ConnectionError):
        send(body)
    send(body)
    effects = [world.record(message.body).effect for message in world.callback_queue.messages]
    assert effects == ["verdict_recorded", "duplicate"]
