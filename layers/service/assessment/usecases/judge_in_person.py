"""People as judges: hand out comparisons under a lease, and take their verdicts."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from functools import partial

from assessment.contracts.callback_token import sign_metadata
from assessment.contracts.llm_protocol import CompareMetadata, LLMComparisonResultV1
from assessment.contracts.request import PersonVerdict
from assessment.contracts.views import OfferedComparison, PersonOffer
from assessment.domain.batch import Batch
from assessment.domain.comparison import Comparison, ComparisonStatus
from assessment.domain.document_keys import batch_texts
from assessment.domain.errors import ConflictError, InvalidRequestError, NotYourComparisonError
from assessment.domain.identifiers import canonical_sha256, derive_uuid
from assessment.domain.judge import JudgeSpec, Provider
from assessment.domain.jury import draw_judge
from assessment.domain.spec import BatchSpec
from assessment.ports.groups import PersonPorts
from assessment.ports.stores import BatchStore, ComparisonStore, ContentStore
from assessment.usecases.batch_spec import load_spec

# A verdict that was given but not recorded yet must not be asked of somebody else meanwhile.
_RECORDING = timedelta(minutes=15)


def next_comparison(
    batch_id: str,
    person: str,
    *,
    kept: Collection[str] = (),
    ports: PersonPorts,
    now: datetime,
) -> PersonOffer:
    """A comparison for this person: the one they hold already, or a free one, or none.

    None waits before the first wave, between two waves, and while others hold what is left.

    Parameters
    ----------
    kept
        Comparisons that the person has before them: their leases are prolonged, and another one is
        offered.

    Raises
    ------
    UnknownBatchError, InvalidRequestError
    ConflictError
        If the batch has ended, or the person's quota is used up.
    """
    batch, judge = _open_batch(batch_id, ports.batches)
    judged_ids = ports.leases.list_judged(batch_id, person)
    _check_quota(judge, len(judged_ids))
    if batch.spec_hash is None:
        return PersonOffer(comparison=None, n_judged=0, n_waiting=0, quota=judge.quota)
    spec = load_spec(batch_id, content=ports.content)
    comparisons = _list_waiting(batch, spec, ports.comparisons)
    until = now + timedelta(seconds=judge.lease_seconds)
    held_ids = ports.leases.list_held(batch_id, person, now=now)
    # What they have just judged stays theirs until it is recorded, but is not offered again.
    unjudged = [c for c in comparisons if c.comparison_id not in held_ids & judged_ids]
    others = [c for c in unjudged if c.comparison_id not in kept]
    lease = partial(ports.leases.take, batch_id, person=person, until=until, now=now)
    for comparison_id in held_ids.intersection(kept) - judged_ids:
        lease(comparison_id)
    free = (c for c in _sort_offers(person, others, held_ids) if lease(c.comparison_id))
    offered = next(free, None)
    return PersonOffer(
        comparison=_make_offer(spec, batch_id, offered, ports.content, until) if offered else None,
        n_judged=len(judged_ids),
        n_waiting=len(unjudged),
        quota=judge.quota,
    )


def _check_quota(judge: JudgeSpec, n_judged: int) -> None:
    if judge.quota is not None and n_judged >= judge.quota:
        raise ConflictError(f"you have given all {judge.quota} verdicts of your quota")


def _sort_offers(person: str, candidates: list[Comparison], held_ids: set[str]) -> list[Comparison]:
    """What the person holds comes first; the rest in an order of their own.

    So two who ask at the same time seldom want the same pair.
    """
    return sorted(
        candidates,
        key=lambda c: (
            c.comparison_id not in held_ids,
            canonical_sha256([person, c.comparison_id]),
        ),
    )


def record_person_verdict(
    batch_id: str,
    person: str,
    verdict: PersonVerdict,
    *,
    ports: PersonPorts,
    now: datetime,
) -> LLMComparisonResultV1:
    """Send the verdict where all verdicts come in, as that of a judge called `person/<who>`.

    The same one again changes nothing, also after it is recorded: a page on a slow network does
    not know whether it arrived.

    Raises
    ------
    UnknownBatchError, InvalidRequestError
    NotYourComparisonError
        If it was not handed out to this person, or their lease has ended.
    ConflictError
        If the batch has ended, or the comparison is settled.
    """
    batch, _ = _open_batch(batch_id, ports.batches)
    has_judged = verdict.comparison_id in ports.leases.list_judged(batch_id, person)
    holder = ports.leases.find_holder(batch_id, verdict.comparison_id, now=now)
    if holder != person and not has_judged:
        raise NotYourComparisonError(
            "this comparison is not leased to you (any more); ask for the next one",
            field="comparison_id",
        )
    comparisons = _list_waiting(
        batch, load_spec(batch_id, content=ports.content), ports.comparisons
    )
    comparison = next((c for c in comparisons if c.comparison_id == verdict.comparison_id), None)
    if comparison is None:
        return _repeat_result(batch, person, verdict, ports.comparisons)
    result = _make_result(batch, person, comparison, verdict)
    ports.callback_queue.send_result(result)
    ports.leases.take(batch_id, verdict.comparison_id, person, until=now + _RECORDING, now=now)
    ports.leases.count_verdict(batch_id, person, verdict.comparison_id)
    return result


def _repeat_result(
    batch: Batch, person: str, verdict: PersonVerdict, comparisons: ComparisonStore
) -> LLMComparisonResultV1:
    """The result that was sent when the same verdict of this person was taken.

    Raises
    ------
    ConflictError
        If the comparison is settled in another way.
    """
    settled = comparisons.list_comparisons(batch.batch_id, batch.wave)
    for comparison in settled:
        if comparison.comparison_id == verdict.comparison_id and comparison.verdict is not None:
            result = _make_result(batch, person, comparison, verdict)
            if result.verdict() == comparison.verdict:
                return result
    raise ConflictError(f"comparison {verdict.comparison_id} has been settled meanwhile")


def _open_batch(batch_id: str, batches: BatchStore) -> tuple[Batch, JudgeSpec]:
    batch = batches.get_batch(batch_id)
    if batch.is_final:
        raise ConflictError(f"the batch is {batch.status}; it asks for nothing any more")
    people = [judge for judge in batch.judges if judge.provider is Provider.PERSON]
    if not people:
        raise InvalidRequestError("no person judges this batch", field="batch_id")
    return batch, people[0]


def _list_waiting(batch: Batch, spec: BatchSpec, comparisons: ComparisonStore) -> list[Comparison]:
    """The comparisons of the present wave that a person is to judge."""
    pending = set(comparisons.list_pending(batch.batch_id, batch.wave)) if batch.wave else set()
    return [
        comparison
        for comparison in comparisons.list_comparisons(batch.batch_id, batch.wave)
        if comparison.comparison_id in pending
        and comparison.status is ComparisonStatus.PENDING
        and draw_judge(comparison.comparison_id, spec.judges).provider is Provider.PERSON
    ]


def _make_offer(
    spec: BatchSpec, batch_id: str, comparison: Comparison, content: ContentStore, until: datetime
) -> OfferedComparison:
    folder = batch_texts(batch_id)
    return OfferedComparison(
        comparison_id=comparison.comparison_id,
        essay_a=content.get_text(folder, spec.text_sha256(comparison.first)),
        essay_b=content.get_text(folder, spec.text_sha256(comparison.second)),
        **spec.instructions.model_dump(),
        lease_until=until,
    )


def _make_result(
    batch: Batch, person: str, comparison: Comparison, verdict: PersonVerdict
) -> LLMComparisonResultV1:
    attempt = comparison.attempt
    return LLMComparisonResultV1(
        correlation_id=derive_uuid(batch.batch_id, comparison.comparison_id, str(attempt)),
        request_metadata=sign_metadata(
            CompareMetadata(
                batch_id=batch.batch_id,
                wave=comparison.wave,
                comparison_id=comparison.comparison_id,
                attempt=attempt,
                essay_a_id=comparison.first,
                essay_b_id=comparison.second,
                judge=f"person/{person}",
            ),
            key=batch.callback_key,
        ),
        **verdict.model_dump(exclude={"comparison_id"}),
        provider="person",
        model=person,
    )
