"""Leases of comparisons and of submissions, and calls that may be paid, in every store."""

from __future__ import annotations

from datetime import timedelta

import pytest

from assessment.domain.errors import ComparisonLeasedError, UnknownComparisonError
from assessment.domain.provider_batch import ProviderBatch
from assessment.ports.stores import ProviderBatchStore
from tests.unit.assessment.adapters.store_records import (
    FAILURE,
    NOW,
    Stores,
    comparison,
    make_request,
)


def test_leases(stores: Stores) -> None:
    store, made = stores[2], comparison()
    store.put_comparisons("b", [made])
    asked = make_request(made)
    assert store.lease(asked, now=NOW, seconds=60) is not None
    with pytest.raises(ComparisonLeasedError):
        store.lease(asked, now=NOW + timedelta(seconds=59), seconds=60)
    assert store.lease(asked, now=NOW + timedelta(seconds=61), seconds=60) is not None
    store.release(asked)
    assert store.lease(asked, now=NOW + timedelta(seconds=62), seconds=60) is not None
    store.mark_sent(asked)
    assert store.lease(asked, now=NOW + timedelta(hours=1), seconds=60) is None
    assert store.lease(make_request(made, attempt=2), now=NOW, seconds=60) is None
    with pytest.raises(UnknownComparisonError):
        store.lease(make_request(made, comparison_id="w001-00009"), now=NOW, seconds=60)


def test_an_outdated_message_cannot_mark_or_release_a_later_attempt(stores: Stores) -> None:
    store, made = stores[2], comparison()
    store.put_comparisons("b", [made])
    store.record_failure("b", 1, made.comparison_id, FAILURE, attempt=1, now=NOW)
    store.resubmit("b", store.get_comparison("b", 1, made.comparison_id), wave_number=2)
    current = make_request(made, attempt=2)
    assert store.lease(current, now=NOW, seconds=60) is not None
    store.release(make_request(made))
    store.mark_sent(make_request(made))
    with pytest.raises(ComparisonLeasedError):
        store.lease(current, now=NOW, seconds=60)


def test_a_submission_is_held_by_one_at_a_time(provider_batches: ProviderBatchStore) -> None:
    store = provider_batches
    assert store.take("b", "cj-1", now=NOW, seconds=75) == ProviderBatch(name="cj-1")
    with pytest.raises(ComparisonLeasedError):
        store.take("b", "cj-1", now=NOW + timedelta(seconds=74), seconds=75)
    assert store.take("b", "cj-2", now=NOW, seconds=75).name == "cj-2"
    assert store.take("b", "cj-1", now=NOW + timedelta(seconds=76), seconds=75).name == "cj-1"
    store.give_back("b", "cj-1")
    assert store.take("b", "cj-1", now=NOW + timedelta(seconds=77), seconds=75).name == "cj-1"


def test_what_is_known_of_a_submission_is_kept(provider_batches: ProviderBatchStore) -> None:
    store = provider_batches
    store.take("b", "cj-1", now=NOW, seconds=75)
    store.update("b", "cj-1", tried_at=NOW, size=7, left_out=("c1", "c2"))
    store.update("b", "cj-1", tried_at=None, looks=3, next_look_at=NOW)
    store.update("b", "cj-1", provider_batch_id="x", submitted_at=NOW, cancelled=True, done=True)
    store.give_back("b", "cj-1")
    assert store.take("b", "cj-1", now=NOW, seconds=75) == ProviderBatch(
        name="cj-1",
        looks=3,
        next_look_at=NOW,
        size=7,
        left_out=("c1", "c2"),
        provider_batch_id="x",
        submitted_at=NOW,
        cancelled=True,
        done=True,
    )


def test_claims_of_the_providers_ids(provider_batches: ProviderBatchStore) -> None:
    assert not provider_batches.is_claimed("msgbatch_1")
    provider_batches.claim("msgbatch_1", now=NOW)
    assert provider_batches.is_claimed("msgbatch_1")
    assert not provider_batches.is_claimed("msgbatch_2")


def test_a_comparison_that_a_provider_gave_back_is_reopened_once_in_an_attempt(
    stores: Stores,
) -> None:
    store, made = stores[2], comparison()
    store.put_comparisons("b", [made])
    asked = make_request(made)
    assert store.lease(asked, now=NOW, seconds=60) is not None
    store.mark_sent(asked)
    store.reopen_once(asked)
    again = store.lease(asked, now=NOW, seconds=60)
    assert again is not None
    assert again.calls == 1
    store.mark_sent(asked)
    store.reopen_once(asked)
    assert store.lease(asked, now=NOW, seconds=60) is None, "its one call was made"


def test_a_later_attempt_may_be_reopened_once_as_well(stores: Stores) -> None:
    store, made = stores[2], comparison()
    store.put_comparisons("b", [made])
    asked = make_request(made)
    store.lease(asked, now=NOW, seconds=60)
    store.mark_sent(asked)
    store.reopen_once(asked)
    store.record_failure("b", 1, made.comparison_id, FAILURE, attempt=1, now=NOW)
    store.resubmit("b", store.get_comparison("b", 1, made.comparison_id), wave_number=2)
    second = make_request(made).model_copy(update={"attempt": 2})
    assert store.lease(second, now=NOW, seconds=60) is not None
    store.mark_sent(second)
    store.reopen_once(second)
    assert store.lease(second, now=NOW, seconds=60) is not None


def test_a_call_that_may_be_paid_counts_when_its_lease_ends(stores: Stores) -> None:
    store, made = stores[2], comparison()
    store.put_comparisons("b", [made])
    asked = make_request(made)
    store.lease(asked, now=NOW, seconds=60)
    store.release(asked, may_be_paid=True)
    store.lease(asked, now=NOW, seconds=60)
    store.release(asked)
    stored = store.get_comparison("b", 1, made.comparison_id)
    assert (stored.calls, stored.paid_again) == (1, 1)


def test_a_release_that_is_repeated_takes_one_call_back(stores: Stores) -> None:
    store, made = stores[2], comparison()
    store.put_comparisons("b", [made])
    asked = make_request(made)
    store.lease(asked, now=NOW, seconds=60)
    store.release(asked, may_be_paid=True)
    store.lease(asked, now=NOW, seconds=60)
    for _ in range(2):
        store.release(asked)
    assert store.get_comparison("b", 1, made.comparison_id).calls == 1


def test_a_failure_is_the_answer_of_its_call_also_where_nobody_noted_that_it_was_sent(
    stores: Stores,
) -> None:
    store, made = stores[2], comparison()
    store.put_comparisons("b", [made])
    store.lease(make_request(made), now=NOW, seconds=60)
    store.record_failure("b", 1, made.comparison_id, FAILURE, attempt=1, now=NOW)
    failed = store.get_comparison("b", 1, made.comparison_id)
    assert (failed.sent, failed.paid_again) == (False, 0)
    store.resubmit("b", failed, wave_number=2)
    assert store.get_comparison("b", 1, made.comparison_id).paid_again == 0


def test_a_call_that_broke_off_has_no_answer_though_its_failure_is_reported(
    stores: Stores,
) -> None:
    store, made = stores[2], comparison()
    store.put_comparisons("b", [made])
    store.lease(make_request(made), now=NOW, seconds=60)
    broken_off = FAILURE.model_copy(update={"may_be_paid": True})
    store.record_failure("b", 1, made.comparison_id, broken_off, attempt=1, now=NOW)
    store.mark_sent(make_request(made))
    assert store.get_comparison("b", 1, made.comparison_id).paid_again == 1


def test_a_submission_is_one_call_however_often_it_is_leased(stores: Stores) -> None:
    store, made = stores[2], comparison()
    store.put_comparisons("b", [made])
    asked = make_request(made)
    for hour in range(2):
        store.lease(asked, now=NOW + timedelta(hours=hour), seconds=60, is_submission=True)
    store.mark_sent(asked)
    stored = store.get_comparison("b", 1, made.comparison_id)
    assert (stored.calls, stored.paid_again) == (1, 0)
