"""People as judges: hand out comparisons under a lease, and take their verdicts."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from functools import partial

from assessment.contracts.callback_token import sign_metadata
from assessment.contracts.llm_protocol import CompareMetadata, LLMComparisonResultV1
from assessment.contracts.request import PersonVerdict
from assessment.contracts.views import OfferedComparison, PersonOffer
from assessment.domain.batch import Batch, BatchStatus
from assessment.domain.comparison import ComparisonLease, WaitingComparison
from assessment.domain.control_pair import is_control_id
from assessment.domain.errors import (
    CJError,
    ConflictError,
    InvalidRequestError,
    NotYourComparisonError,
    UnknownComparisonError,
)
from assessment.domain.identifiers import (
    canonical_sha256,
    derive_uuid,
    find_queue_place,
    read_wave_number,
)
from assessment.domain.invitation import Person, check_invitation
from assessment.domain.judge import PERSON_LABEL, JudgeSpec, Provider
from assessment.ports.groups import PersonPorts
from assessment.ports.people import People
from assessment.usecases.control_pairs import offer_control, record_control
from assessment.usecases.offers import make_offer

# A verdict that was given but not recorded yet must not be asked of somebody else meanwhile.
_RECORDING = timedelta(minutes=15)
_MOST_LISTED = 1000
_PAGE = 50
_MOST_HELD = 10


def next_comparison(
    batch_id: str,
    person: str,
    *,
    kept_ids: Collection[str] = (),
    ports: PersonPorts,
    now: datetime,
) -> PersonOffer:
    """A comparison for this person: the one they hold already, or a free one, or none.

    None waits before the first wave, between two waves, and while others hold what is left. It
    reads the table three times, whatever the size of the batch: the batch with the person, fifty
    leases from a place that each verdict of the person moves, and the count of what waits. Where
    none of the fifty is free, the third read is of the first thousand leases instead.

    Parameters
    ----------
    kept
        Comparisons that the person has before them: their leases are prolonged, and another one is
        offered.

    Raises
    ------
    UnknownBatchError, InvalidRequestError
    InvitationEndedError
        If the person came by an invitation that has expired or was taken back.
    ConflictError
        If the batch has ended, or the person's quota is used up.
    """
    batch, judge, record = _open_batch(batch_id, person, ports, now)
    quota = record.find_quota(judge)
    _check_quota(quota, record.n_judged)
    n_waiting, offered = (
        _lease_one(batch, judge, record, kept_ids, ports, now)
        if batch.status is BatchStatus.WAITING_CALLBACKS
        else (0, None)
    )
    return PersonOffer(
        comparison=offered,
        n_judged=record.n_judged + record.n_controls,
        n_waiting=n_waiting,
        quota=None if quota is None else quota + record.n_controls,
        judging_deadline=batch.config.judging_deadline,
    )


def _lease_one(
    batch: Batch,
    judge: JudgeSpec,
    record: Person,
    kept_ids: Collection[str],
    ports: PersonPorts,
    now: datetime,
) -> tuple[int, OfferedComparison | None]:
    """How many wait for people, and the one of them that is now this person's, if one is free."""
    batch_id, person = batch.batch_id, record.name
    until = now + timedelta(seconds=judge.lease_seconds)
    listed, n_waiting = _list_waiting(batch, record, kept_ids, ports, now)
    leases = _list_held(record, listed, batch.wave, now)
    candidates = [*leases, *_sort_free(listed, person, now)]
    # In place of another pair, so that nobody learns which pairs are controls.
    offer = offer_control(
        batch, judge, record, kept_ids, ports=ports, until=until, instead_of=candidates
    )
    lease = partial(ports.comparisons.take, batch_id, person=person, until=until, now=now)
    taken = [one for one in leases if one.comparison_id in kept_ids and lease(one)]
    if offer is not None:
        return n_waiting, offer
    others = iter([one for one in candidates if one.comparison_id not in kept_ids])
    leased = next(filter(None, map(lease, others)), None)
    if leased is None:
        return n_waiting, None
    # What was refused before it is theirs no more; what comes after it was not tried.
    untried = filter(leases.__contains__, others)
    _note_held(batch_id, person, [*taken, leased, *untried], ports.people, until)
    return n_waiting, _show(batch_id, leased, ports, until)


def _list_waiting(
    batch: Batch, record: Person, kept_ids: Collection[str], ports: PersonPorts, now: datetime
) -> tuple[list[ComparisonLease], int]:
    """Leases among which is one for this person, if there is any; and how many wait.

    Each verdict of a person moves the place where they begin: so two people seldom read the same
    leases, and one person meets pairs from all of the wave.
    """
    queue, start = ports.comparisons, find_queue_place(f"{record.name}/{record.n_judged}")
    listed = queue.list_waiting(batch.batch_id, batch.wave, limit=_PAGE, start=start)
    if any(_may_get(record.name, one, kept_ids, now) for one in listed):
        n_waiting = queue.count_waiting(batch.batch_id, batch.wave)
        return listed, max(n_waiting, _count_unjudged(listed))
    listed = queue.list_waiting(batch.batch_id, batch.wave, limit=_MOST_LISTED)
    return listed, _count_unjudged(listed)


def _count_unjudged(listed: list[ComparisonLease]) -> int:
    return sum(not one.is_judged for one in listed)


def _may_get(
    person: str, waiting: ComparisonLease, kept_ids: Collection[str], now: datetime
) -> bool:
    """Whether it can be handed out to this person, who does not have it before them."""
    is_open = waiting.find_holder(now=now) is None or _holds(person, waiting, now)
    return is_open and waiting.comparison_id not in kept_ids


def _show(
    batch_id: str, leased: WaitingComparison, ports: PersonPorts, until: datetime
) -> OfferedComparison:
    pair = leased.first, leased.second
    return make_offer(batch_id, leased.comparison_id, pair, content=ports.content, until=until)


def _sort_free(waiting: list[ComparisonLease], person: str, now: datetime) -> list[ComparisonLease]:
    """What nobody holds, in an order of the person's own.

    So two who ask at the same time seldom want the same pair.
    """
    free = [one for one in waiting if one.find_holder(now=now) is None]
    return sorted(free, key=lambda one: canonical_sha256([person, one.comparison_id]))


def _note_held(
    batch_id: str, person: str, leases: list[ComparisonLease], people: People, until: datetime
) -> None:
    """Let the person's record say what they hold, each once."""
    each = {one.comparison_id: one for one in leases}
    people.note_held(batch_id, person, list(each.values())[:_MOST_HELD], until=until)


def _check_quota(quota: int | None, n_judged: int) -> None:
    if quota is not None and n_judged >= quota:
        raise ConflictError(f"you have given all {quota} verdicts of your quota")


def _list_held(
    record: Person, listed: list[ComparisonLease], wave_number: int, now: datetime
) -> list[ComparisonLease]:
    """What the person holds and has not judged; their record knows of what is not listed."""
    # What they have just judged stays theirs until it is recorded, but is not offered again.
    leases = [one for one in listed if _holds(record.name, one, now)]
    if record.held_until is None or record.held_until < now:
        return leases
    remembered = (one for one in record.held if one.wave == wave_number)
    excluded_ids = {one.comparison_id for one in listed} | {record.last_judged}
    return leases + [one for one in remembered if one.comparison_id not in excluded_ids]


def _holds(person: str, waiting: ComparisonLease, now: datetime) -> bool:
    """Whether the person holds it and has not judged it."""
    return not waiting.is_judged and waiting.find_holder(now=now) == person


def offer_after_verdict(
    batch_id: str,
    person: str,
    *,
    kept_ids: Collection[str],
    ports: PersonPorts,
    now: datetime,
) -> PersonOffer | None:
    """What comes after a verdict that was taken, as `next_comparison`.

    None where that raises: the verdict stands, and who asks for the next comparison is told why.
    """
    try:
        return next_comparison(batch_id, person, kept_ids=kept_ids, ports=ports, now=now)
    except CJError:
        return None


def record_person_verdict(
    batch_id: str,
    person: str,
    verdict: PersonVerdict,
    *,
    ports: PersonPorts,
    now: datetime,
) -> str:
    """Send the verdict where all verdicts come in, as that of a judge called `person/<who>`.

    Returns its correlation id. A control's verdict is kept with the person instead. The same one
    again changes nothing, also after it is recorded: a page on a slow network does
    not know whether it arrived.

    Raises
    ------
    UnknownBatchError, InvalidRequestError, InvitationEndedError
    NotYourComparisonError
        If it was not handed out to this person, or their lease has ended.
    ConflictError
        If the batch has ended, or the comparison is settled.
    """
    batch, _, record = _open_batch(batch_id, person, ports, now)
    comparison_id = verdict.comparison_id
    if is_control_id(comparison_id):
        return record_control(batch, record, verdict, ports=ports)
    lease = ComparisonLease(comparison_id=comparison_id, wave=batch.wave)
    until = now + _RECORDING
    # First, so that nobody else gets it; whoever dies after it sends the verdict again.
    waiting = ports.comparisons.take(batch_id, lease, person, until=until, now=now, is_judged=True)
    if waiting is None:
        return _repeat_result(batch, person, verdict, ports).correlation_id
    result = _make_result(batch, person, waiting, verdict)
    ports.callback_queue.send_result(result)
    if ports.people.count_verdict(batch_id, person, comparison_id, now=now):
        ports.comparisons.note_judged(batch_id, batch.wave)
    return result.correlation_id


def _repeat_result(
    batch: Batch, person: str, verdict: PersonVerdict, ports: PersonPorts
) -> LLMComparisonResultV1:
    """The result that was sent when the same verdict of this person was taken.

    Raises
    ------
    NotYourComparisonError
        If the comparison has no verdict of this person.
    ConflictError
        If it is settled by another verdict of theirs.
    """
    refusal = NotYourComparisonError(
        "this comparison is not leased to you (any more); ask for the next one",
        field="comparison_id",
    )
    try:
        comparison = ports.comparisons.get_comparison(
            batch.batch_id, read_wave_number(verdict.comparison_id), verdict.comparison_id
        )
    except UnknownComparisonError:
        raise refusal from None
    if comparison.verdict is None or comparison.verdict.judge != f"{PERSON_LABEL}{person}":
        raise refusal
    waiting = WaitingComparison.from_comparison(comparison, wave_number=batch.wave)
    result = _make_result(batch, person, waiting, verdict)
    if result.verdict() == comparison.verdict:
        return result
    raise ConflictError(f"comparison {verdict.comparison_id} has been settled meanwhile")


def _open_batch(
    batch_id: str, person: str, ports: PersonPorts, now: datetime
) -> tuple[Batch, JudgeSpec, Person]:
    batch, record = ports.batches.read_with_person(batch_id, person)
    check_invitation(record, now=now)
    if batch.is_final:
        raise ConflictError(f"the batch is {batch.status}; it asks for nothing any more")
    people = [judge for judge in batch.judges if judge.provider is Provider.PERSON]
    if not people:
        raise InvalidRequestError("no person judges this batch", field="batch_id")
    return batch, people[0], record


def _make_result(
    batch: Batch, person: str, waiting: WaitingComparison, verdict: PersonVerdict
) -> LLMComparisonResultV1:
    attempt = waiting.attempt
    return LLMComparisonResultV1(
        correlation_id=derive_uuid(batch.batch_id, waiting.comparison_id, str(attempt)),
        request_metadata=sign_metadata(
            CompareMetadata(
                batch_id=batch.batch_id,
                wave=waiting.home_wave,
                comparison_id=waiting.comparison_id,
                attempt=attempt,
                essay_a_id=waiting.first,
                essay_b_id=waiting.second,
                judge=f"{PERSON_LABEL}{person}",
            ),
            key=batch.callback_key,
        ),
        **verdict.model_dump(exclude={"comparison_id"}),
        provider="person",
        model=person,
    )
