"""Move the deadline until which people may judge a batch, earlier or later."""

from __future__ import annotations

from datetime import datetime

from assessment.contracts.people import JudgingDeadline, MovedDeadline
from assessment.contracts.queue_messages import WaveDeadlineV1
from assessment.domain.batch import Batch, BatchStatus
from assessment.domain.config import Source
from assessment.domain.errors import ConflictError, TransientError
from assessment.domain.finishing import find_wave_deadline
from assessment.domain.invitation import InvitationState
from assessment.domain.judging_time import check_moved_deadline
from assessment.ports.groups import DeadlinePorts


def move_deadline(
    batch_id: str, request: JudgingDeadline, *, ports: DeadlinePorts, now: datetime
) -> MovedDeadline:
    """Let people judge until another time; the wave that waits for them waits until then.

    Reminders begin anew: halfway from now, and a day before the end. Links that were given out
    keep the end that they have.

    Raises
    ------
    UnknownBatchError
    InvalidRequestError
        If no person judges the batch, or it cannot wait so long or stop so soon.
    ConflictError
        If the batch has ended.
    TransientError
        If a wave is just being submitted; the same request again finds it.
    """
    batch = ports.batches.get_batch(batch_id)
    if batch.is_final:
        raise ConflictError(f"the batch is {batch.status}; it asks for nothing any more")
    deadline = request.judging_deadline
    config = batch.config.model_copy(update={"judging_deadline": deadline})
    check_moved_deadline(config, batch.judges, requested_at=batch.created_at, now=now)
    sources = {**batch.config_sources, "judging_deadline": Source.REQUEST}
    moved = ports.batches.move_deadline(batch_id, config, sources, now=now)
    if moved.status is BatchStatus.WAITING_CALLBACKS:
        _prolong_wave(moved, ports, now)
    return MovedDeadline(
        batch_id=batch_id,
        judging_deadline=deadline,
        n_invitations_ending_before=_count_ending(batch_id, deadline, ports, now),
    )


def _prolong_wave(batch: Batch, ports: DeadlinePorts, now: datetime) -> None:
    """Give the wave that waits its new end; the message for the old one finds it changed."""
    wave = ports.batches.get_wave(batch.batch_id, batch.wave)
    if wave is None or wave.deadline is None:
        raise TransientError("a wave is just being submitted; send the same request again")
    deadline = find_wave_deadline(batch.config, now=now)
    ports.batches.update_wave(batch.batch_id, batch.wave, deadline=deadline)
    ports.callback_queue.send_deadline(
        WaveDeadlineV1(batch_id=batch.batch_id, wave=batch.wave, deadline=deadline),
        delay_seconds=max(0, int((deadline - now).total_seconds())),
    )


def _count_ending(batch_id: str, deadline: datetime, ports: DeadlinePorts, now: datetime) -> int:
    invited = [one.invitation for one in ports.people.list_people(batch_id) if one.invitation]
    return sum(
        each.find_state(now=now) is InvitationState.OPEN and each.expires_at < deadline
        for each in invited
    )
