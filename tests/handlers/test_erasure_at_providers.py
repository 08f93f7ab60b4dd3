"""What a provider was sent in a batch of its own is deleted there when its batch is erased."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from assessment import bootstrap
from assessment.contracts.erasure import EraseRequestV1
from assessment.domain.erasure import CHECK_AFTER, PROVIDER_PATIENCE, Erasure, ErasureState
from assessment.usecases.erase_data import go_on_erasing
from local.providers.replies import Reply
from local.providers.scripted_server import ProviderServer, provider_error, provider_server
from tests.handlers.conftest import BATCH_ID, Stack, adapters, event, invoke

RUNNING = Reply({"id": "batch_1", "status": "in_progress", "input_file_id": "file-1"})
ENDED = Reply(
    {
        "id": "batch_1",
        "status": "completed",
        "input_file_id": "file-1",
        "output_file_id": "file-2",
    }
)
DELETED = Reply({"deleted": True})
DELETIONS = [("DELETE", "/files/file-1"), ("DELETE", "/files/file-2")]


@contextmanager
def submitting(stack: Stack) -> Iterator[ProviderServer]:
    """A provider that has a batch of its own, with the texts of two comparisons."""
    with provider_server("openai") as provider:
        judge = {
            "provider": "openai", "model": "gpt-4.1-mini", "base_url": provider.url,
            "batching_mode": "provider_batch_api",
        }  # fmt: skip
        stack.submitted(judge=judge)
        provider.script = [Reply({"id": "file-1"}), Reply({"id": "batch_1"})]
        given = event("call_judge/provider_batch.json")
        assert invoke("call_judge", given) == {"batchItemFailures": []}
        provider.requests.clear()
        yield provider


def request_erasure(name: str = "erase_batch") -> None:
    assert invoke("handle_api", event(f"handle_api/{name}.json"))["statusCode"] == 202


def continue_erasure(stack: Stack, moment: datetime) -> Erasure:
    """The next round of the erasure at that moment; its record afterwards."""
    own = adapters()
    (erasure,) = own.erasures.list_of_batch(BATCH_ID)
    message = EraseRequestV1(batch_id=BATCH_ID, erasure_id=erasure.erasure_id)
    ports = own.erasure_ports(own.dead_letters([stack.queues["dead"]]))
    bootstrap.run(go_on_erasing(message, ports=ports, now=moment))
    (after,) = own.erasures.list_of_batch(BATCH_ID)
    return after


def list_requests(provider: ProviderServer) -> list[tuple[str, str]]:
    """What was asked since the last time."""
    asked = [(each.method, each.path) for each in provider.requests]
    provider.requests.clear()
    return asked


def test_a_batch_of_the_provider_is_stopped_and_deleted_when_it_has_ended(stack: Stack) -> None:
    with submitting(stack) as provider:
        request_erasure()
        now = datetime.now(UTC)
        provider.script = [RUNNING, RUNNING]
        assert continue_erasure(stack, now).state is ErasureState.ERASING
        assert list_requests(provider) == [
            ("GET", "/batches/batch_1"),
            ("POST", "/batches/batch_1/cancel"),
        ]
        provider.script = [ENDED, ENDED, DELETED, DELETED]
        erasure = continue_erasure(stack, now + timedelta(minutes=1))
        assert (erasure.state, erasure.n_provider_files) == (ErasureState.ERASED, 0)
        assert list_requests(provider)[2:] == DELETIONS


def test_an_essay_goes_with_what_the_provider_has_of_its_batch(stack: Stack) -> None:
    with submitting(stack) as provider:
        provider.script = [RUNNING]
        assert invoke("handle_api", event("handle_api/cancel_batch.json"))["statusCode"] == 200
        provider.requests.clear()
        request_erasure("erase_essay")
        provider.script = [ENDED, ENDED, DELETED, DELETED]
        erasure = continue_erasure(stack, datetime.now(UTC))
        assert (erasure.state, erasure.n_provider_files) == (ErasureState.ERASED, 0)
        assert list_requests(provider)[2:] == DELETIONS


def test_what_the_provider_will_not_delete_is_counted(stack: Stack) -> None:
    with submitting(stack) as provider:
        request_erasure()
        provider.script = [provider_error("openai", 401, "the key was withdrawn")]
        now = datetime.now(UTC)
        erasure = continue_erasure(stack, now)
        assert (erasure.state, erasure.n_provider_files) == (ErasureState.ERASED, 1)
        # It is asked no more, and the count stays with the tombstone.
        closed = continue_erasure(stack, now + CHECK_AFTER + timedelta(seconds=1))
        assert (closed.is_closed, closed.n_provider_files) == (True, 1)
        assert len(provider.requests) == 1


def test_a_provider_that_never_ends_is_asked_for_26_hours(stack: Stack) -> None:
    with submitting(stack) as provider:
        request_erasure()
        now = datetime.now(UTC)
        provider.script = [RUNNING, RUNNING] * 2
        assert continue_erasure(stack, now + PROVIDER_PATIENCE / 2).state is ErasureState.ERASING
        erasure = continue_erasure(stack, now + PROVIDER_PATIENCE + timedelta(minutes=1))
        assert (erasure.state, erasure.n_provider_files) == (ErasureState.ERASED, 1)
