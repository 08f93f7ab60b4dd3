"""What the progress display says, and how long the wait pauses."""

import io
from dataclasses import replace
from datetime import timedelta

import pytest
from rich.console import Console

from runner.client import ApiClient
from runner.errors import BatchNotFinalisedError
from runner.progress import ProgressDisplay, describe_changes, headline, render, snapshot
from runner.waiting import await_batch, require_completed
from tests.unit.runner import documents
from tests.unit.runner.api_server import FakeStack
from tests.unit.runner.test_client import REQUEST

LIFE = [snapshot(batch) for batch in documents.life_of_a_batch()]


def test_a_snapshot_counts_over_all_waves_and_takes_the_last_standard_error():
    third = LIFE[2]
    assert (third.planned, third.recorded, third.failed, third.pending) == (12, 8, 1, 3)
    assert (third.standardised_se, third.target_mean_se) == (0.9, 0.5)
    assert third.share == pytest.approx(9 / 12)
    assert third.most == 8 * 4 // 2
    assert not third.ended
    assert LIFE[3].ended


def test_the_headline_says_what_is_known_and_no_more():
    assert headline(LIFE[0]) == "preparing the essays · 0 of 0 verdicts · at most 16"
    assert headline(LIFE[2]) == (
        "waiting for verdicts · 8 of 12 verdicts · 1 failed · at most 16 · SE 0.90 sd (target 0.50)"
    )
    assert headline(LIFE[3]).endswith("SE 0.45 sd (target 0.50) · model reliability 0.95")


def test_news_are_told_once():
    told = [describe_changes(before, now) for before, now in zip([None, *LIFE], LIFE, strict=False)]
    assert [len(lines) for lines in told] == [0, 1, 2, 2]
    assert told[2][0] == (
        "wave 1 scored: 5 of 6 verdicts, 1 failed, SE 0.90 sd, closed by callbacks"
    )
    assert describe_changes(LIFE[2], LIFE[2]) == []
    assert describe_changes(LIFE[3], LIFE[3]) == []


def test_a_judge_that_does_not_answer_is_told_once_where_there_is_no_live_table():
    trouble = "openai/x has not answered since 09:17:43: openai did not answer: ConnectError"
    troubled = replace(LIFE[2], troubles=(trouble,))
    assert describe_changes(LIFE[2], troubled) == [trouble]
    assert describe_changes(troubled, troubled) == []


def test_a_status_and_settings_of_another_version_are_shown_as_they_are():
    batch = documents.progress("PONDERING", config={"target_mean_se": 0.5, "strategy": "new"})
    assert headline(snapshot(batch)) == "PONDERING · 0 of 0 verdicts"


def test_a_terminal_gets_a_table_of_the_waves_and_the_time():
    console = Console(file=io.StringIO(), width=120, force_terminal=True, color_system=None)
    with console.capture() as capture:
        console.print(render(LIFE[2], elapsed=timedelta(seconds=75)))
    text = capture.get()
    assert "· 1:15" in text
    assert "5/6" in text
    assert "3/6" in text


def test_a_log_gets_one_line_for_each_event():
    out = io.StringIO()
    with ProgressDisplay(Console(file=out, width=40)) as display:
        for batch in documents.life_of_a_batch():
            display.show(batch, timedelta(seconds=1))
            display.show(batch, timedelta(seconds=2))
    lines = out.getvalue().splitlines()
    assert len(lines) == 5
    assert lines[-1].startswith("completed · 11 of 12 verdicts")


@pytest.fixture
def waiting(stack: FakeStack):
    """A client with a running batch, its id, and the pauses that a wait has made."""
    with ApiClient(stack.url, stack.token()) as client:
        pauses: list[float] = []
        yield client, client.request_batch(REQUEST, idempotency_key="k").batch_id, pauses


def test_waiting_shows_every_answer_and_ends_with_the_batch(waiting):
    client, batch_id, pauses = waiting
    shown: list[str] = []
    batch = await_batch(
        client,
        batch_id,
        show=lambda batch, _: shown.append(batch.status),
        sleep=pauses.append,
    )
    assert batch.status == shown[-1] == "COMPLETED"
    assert len(shown) == len(pauses) + 1 == 4


def test_waiting_slows_down_while_nothing_moves_and_ends_in_time(
    waiting, stack: FakeStack, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("runner.waiting.SOONEST_SECONDS", 0.5)
    client, batch_id, pauses = waiting
    stack.script = [documents.progress("SCORING")]
    with pytest.raises(BatchNotFinalisedError, match="still SCORING after 60 seconds"):
        await_batch(
            client,
            batch_id,
            show=lambda *_: None,
            timeout=timedelta(seconds=60),
            clock=lambda: sum(pauses),
            sleep=pauses.append,
        )
    assert pauses[:3] == [0.5, 0.75, 1.125]
    assert pauses[-1] == 5.0
    assert sum(pauses) >= 60


@pytest.mark.parametrize(
    ("batch", "words"),
    [
        (documents.make_failed_batch(), ["judge_at_chance", "carry no order", "use another judge"]),
        (documents.progress("CANCELLED"), ["was cancelled"]),
        (documents.progress("SCORING"), ["is SCORING", "Ask again"]),
    ],
)
def test_a_batch_without_result_says_why_and_what_to_do(batch, words):
    with pytest.raises(BatchNotFinalisedError) as refusal:
        require_completed(batch)
    assert all(word in str(refusal.value) for word in words)
