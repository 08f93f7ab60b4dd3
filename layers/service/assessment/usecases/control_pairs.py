"""Control pairs of a person: handed out now and then, kept with the person, never in the fit."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from assessment.contracts.request import PersonVerdict
from assessment.contracts.views import OfferedComparison
from assessment.contracts.winner import WINNERS
from assessment.domain.batch import Batch, BatchStatus
from assessment.domain.comparison import Comparison, ComparisonLease
from assessment.domain.control_pair import (
    ControlPair,
    choose_control,
    find_control_share,
    is_control_due,
)
from assessment.domain.errors import (
    ConflictError,
    NotYourComparisonError,
    UnknownComparisonError,
)
from assessment.domain.identifiers import canonical_sha256, derive_uuid, read_wave_number
from assessment.domain.invitation import Person
from assessment.domain.judge import PERSON_LABEL, JudgeSpec
from assessment.domain.verdict import Verdict, Winner
from assessment.ports.groups import PersonPorts
from assessment.usecases.offers import make_offer

_MOST_LISTED = 500


def offer_control(
    batch: Batch,
    judge: JudgeSpec,
    record: Person,
    kept_ids: Collection[str],
    *,
    instead_of: Sequence[ComparisonLease],
    ports: PersonPorts,
    until: datetime,
) -> OfferedComparison | None:
    """The control that the person is to judge now, if one is due; it stays theirs.

    It takes the place of another pair: where none waits for them, none comes.
    """
    if not instead_of:
        return None
    present = next((each for each in record.controls if each.winner is None), None)
    if present is not None:
        return None if present.control_id in kept_ids else _show(batch, present, ports, until)
    share = find_control_share(judge)
    if not is_control_due(record.name, record.controls, n_judged=record.n_judged, share=share):
        return None
    control = _choose(batch, record, kept_ids, ports)
    offer = None if control is None else _show(batch, control, ports, until)
    if control is not None and offer is not None:
        ports.people.note_controls(batch.batch_id, record.name, [*record.controls, control])
    return offer


def _choose(
    batch: Batch, record: Person, kept_ids: Collection[str], ports: PersonPorts
) -> ControlPair | None:
    return choose_control(
        record.name,
        own=ports.people.list_judged(batch.batch_id, record.name, limit=_MOST_LISTED),
        others=_list_judged_by_another(batch, record, ports),
        controls=record.controls,
        recent=[*kept_ids, *(each.comparison_id for each in record.held)],
    )


def _list_judged_by_another(batch: Batch, record: Person, ports: PersonPorts) -> list[str]:
    """What one other person has judged; another one each time."""
    others = [
        person.name
        for person in ports.people.list_people(batch.batch_id)
        if person.name != record.name and person.n_judged
    ]
    if not others:
        return []
    turn = [record.name, len(record.controls)]
    chosen = min(others, key=lambda name: canonical_sha256([*turn, name]))
    return ports.people.list_judged(batch.batch_id, chosen, limit=_MOST_LISTED)


def _show(
    batch: Batch, control: ControlPair, ports: PersonPorts, until: datetime
) -> OfferedComparison | None:
    """The pair as it is shown; None if it has no verdict of a person (any more)."""
    judged = _find_judged(batch, control, ports)
    if judged is None:
        return None
    pair = judged[0].first, judged[0].second
    shown = pair[::-1] if control.is_own else pair
    return make_offer(batch.batch_id, control.control_id, shown, content=ports.content, until=until)


def _find_judged(
    batch: Batch, control: ControlPair, ports: PersonPorts
) -> tuple[Comparison, Verdict] | None:
    """The comparison that a person judged before, with that verdict, if it has one."""
    name = control.comparison_id
    try:
        comparison = ports.comparisons.get_comparison(batch.batch_id, read_wave_number(name), name)
    except UnknownComparisonError:
        return None
    if isinstance(comparison.verdict, Verdict) and comparison.verdict.judge.startswith(
        PERSON_LABEL
    ):
        return comparison, comparison.verdict
    return None


def record_control(
    batch: Batch, record: Person, verdict: PersonVerdict, *, ports: PersonPorts
) -> str:
    """Keep the verdict of a control with the person; the id of what was kept.

    Between waves it is taken and dropped: what the result counts stands when the last wave ends.

    Raises
    ------
    NotYourComparisonError
        If it is no control of this person.
    ConflictError
        If they gave another verdict on it before.
    """
    control = _find_own(record, verdict.comparison_id)
    shown = WINNERS[verdict.winner]
    if control.winner not in (None, control.read_winner(shown)):
        raise ConflictError(f"comparison {verdict.comparison_id} has been settled meanwhile")
    if control.winner is None and batch.status is BatchStatus.WAITING_CALLBACKS:
        _settle(batch, record, control, shown, ports)
    return derive_uuid(batch.batch_id, record.name, verdict.comparison_id)


def _find_own(record: Person, control_id: str) -> ControlPair:
    for control in record.controls:
        if control.control_id == control_id:
            return control
    raise NotYourComparisonError(
        "this comparison is not leased to you (any more); ask for the next one",
        field="comparison_id",
    )


def _settle(
    batch: Batch, record: Person, control: ControlPair, shown: Winner, ports: PersonPorts
) -> None:
    """Note the verdict, if that before still stands."""
    judged = _find_judged(batch, control, ports)
    if judged is not None:
        _, before = judged
        settled = control.settle(shown, before.winner)
        controls = [settled if each is control else each for each in record.controls]
        ports.people.note_controls(batch.batch_id, record.name, controls)
