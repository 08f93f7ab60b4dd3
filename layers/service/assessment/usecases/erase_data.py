"""Go on with an erasure: one round removes all that is there, and another one, later, looks again.

Every step removes what it finds, so a round may die anywhere and be repeated. What was under way
when the erasure began may still write during the first round; by the second it has ended.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from assessment.contracts.erasure import EraseRequestV1
from assessment.domain.batch import Batch
from assessment.domain.document_keys import batch_folder, batch_texts, provider_batch_folder
from assessment.domain.erasure import (
    CHECK_AFTER,
    PROVIDER_PATIENCE,
    Erasure,
    ErasureScope,
    ErasureState,
    ErasureTarget,
)
from assessment.domain.identifiers import content_sha256
from assessment.ports.erasure import ErasurePorts
from assessment.usecases.erase_essay import erase_essay
from assessment.usecases.erase_uploads import erase_uploads
from assessment.usecases.forget_submissions import Forgotten, forget_submission
from assessment.usecases.request_erasure import list_student_essays

_PROVIDER_SECONDS = 60


async def go_on_erasing(
    message: EraseRequestV1,
    *,
    ports: ErasurePorts,
    now: datetime,
    has_time: Callable[[], bool] = lambda: True,
    check_after: timedelta = CHECK_AFTER,
) -> Erasure | None:
    """Do a round of the erasure and queue the next one; None if there is nothing to do.

    `check_after` is how long after the first round something may still be written.
    """
    erasure = ports.erasures.get(message.batch_id, message.erasure_id)
    if erasure is None or erasure.is_closed:
        return None
    if erasure.erased_at is not None and now < erasure.erased_at + check_after:
        # Asked for again: the round that looks again has its time.
        _queue(message, erasure, ports, now)
        return erasure
    if erasure.scope is ErasureScope.BATCH:
        erasure = await _erase_batch(erasure, ports, now)
    else:
        erasure = await erase_essay(erasure, ports=ports, now=now)
    if erasure.target is not None:
        concerns_target = _make_test(erasure.batch_id, erasure.target)
        ports.dead_letters.drop(concerns_target, has_time=has_time)
    erasure = _close_round(erasure, now)
    ports.erasures.put(erasure, now=now)
    _queue(message, erasure, ports, now)
    return erasure


def _close_round(erasure: Erasure, now: datetime) -> Erasure:
    """The record after a round; after the second one it has no personal data any more."""
    if erasure.state is ErasureState.ERASING:
        return erasure
    if erasure.erased_at is None:
        return erasure.model_copy(update={"erased_at": now})
    return erasure.model_copy(update={"checked_at": now, "target": None})


def _queue(message: EraseRequestV1, erasure: Erasure, ports: ErasurePorts, now: datetime) -> None:
    if erasure.is_closed:
        return
    seconds = _PROVIDER_SECONDS
    if erasure.erased_at is not None:
        seconds = int((erasure.erased_at + CHECK_AFTER - now).total_seconds())
    ports.erasure_queue.send(message, delay_seconds=seconds)


async def _erase_batch(erasure: Erasure, ports: ErasurePorts, now: datetime) -> Erasure:
    batch = ports.erasures.mark_batch(erasure.batch_id, now=now)
    outcomes: list[Forgotten] = []
    if batch is not None:
        ports.workflow.stop(batch.execution_name, cause="the batch was erased")
        erasure = _keep_target(erasure, batch, ports, now)
        outcomes = await _forget_submissions(batch, erasure, ports, now)
    _remove(erasure.batch_id, erasure.target or ErasureTarget(n_waves=0), ports)
    if Forgotten.PENDING in outcomes:
        # What is on record of the submissions is what the next round goes by.
        return erasure
    ports.records.erase_rest(erasure.batch_id)
    ports.erasures.bury_batch(erasure.batch_id, now=now)
    n_left = erasure.n_provider_files + outcomes.count(Forgotten.LEFT)
    return erasure.model_copy(update={"state": ErasureState.ERASED, "n_provider_files": n_left})


def _keep_target(erasure: Erasure, batch: Batch, ports: ErasurePorts, now: datetime) -> Erasure:
    """Before anything is removed: what is removed cannot tell it any more."""
    if erasure.target is not None:
        return erasure
    kept = erasure.model_copy(update={"target": _find_target(batch, ports)})
    ports.erasures.put(kept, now=now)
    return kept


async def _forget_submissions(
    batch: Batch, erasure: Erasure, ports: ErasurePorts, now: datetime
) -> list[Forgotten]:
    outcomes = [
        await forget_submission(record, batch.judges, ports=ports)
        for record in ports.records.list_submissions(batch.batch_id)
    ]
    if now < erasure.requested_at + PROVIDER_PATIENCE:
        return outcomes
    return [Forgotten.LEFT if each is Forgotten.PENDING else each for each in outcomes]


def _remove(batch_id: str, target: ErasureTarget, ports: ErasurePorts) -> None:
    ports.records.erase_people(batch_id, target.people)
    ports.records.erase_waves(batch_id, target.n_waves)
    ports.documents.erase_folder(batch_folder(batch_id))
    erase_uploads(target.text_sha256s, ports=ports)
    for name in target.submissions:
        ports.documents.erase_folder(provider_batch_folder(name))


def _find_target(batch: Batch, ports: ErasurePorts) -> ErasureTarget:
    """All that rounds must know; one more wave than the record says may be planned right now."""
    n_waves = batch.wave + 1
    return ErasureTarget(
        n_waves=n_waves,
        people=tuple(ports.records.list_people(batch.batch_id)),
        submissions=tuple(each.name for each in ports.records.list_submissions(batch.batch_id)),
        text_sha256s=_list_hashes(batch, ports),
    )


def _list_hashes(batch: Batch, ports: ErasurePorts) -> tuple[str, ...]:
    """The hashes of the batch's texts, and those that masked ones were uploaded under."""
    folder = batch_texts(batch.batch_id)
    own = [
        key.removeprefix(f"{folder}/").removesuffix(".txt")
        for key in ports.documents.list_keys(folder)
    ]
    essays = list_student_essays(batch, content=ports.content)
    uploaded = [each.upload_sha256 for each in essays if each.upload_sha256 is not None]
    return tuple(dict.fromkeys([*own, *uploaded]))


def _make_test(batch_id: str, target: ErasureTarget) -> Callable[[str], bool]:
    """Whether a message that nobody could work on is about what is erased, or has its text."""
    hashes = set(target.text_sha256s)

    def concerns_target(body: str) -> bool:
        if batch_id in body and (target.essay_id is None or _names(body, target.essay_id)):
            return True
        return any(content_sha256(text) in hashes for text in _texts(body))

    return concerns_target


def _names(body: str, essay_id: str) -> bool:
    return essay_id in body or json.dumps(essay_id)[1:-1] in body


def _texts(body: str) -> Iterator[str]:
    """Every text of an essay in a message, at any depth."""
    try:
        waiting: list[Any] = [json.loads(body)]
    except (ValueError, RecursionError):
        return
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if isinstance(value.get("text"), str):
                yield value["text"]
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
