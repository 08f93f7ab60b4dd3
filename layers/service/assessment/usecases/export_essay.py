"""Gather everything that is kept about one essay."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from assessment.contracts.export import (
    EssayExport,
    EssayGrades,
    ExportedComparison,
    ExportedControl,
)
from assessment.contracts.result import ResultDocument
from assessment.domain.batch import Batch
from assessment.domain.comparison import Comparison
from assessment.domain.document_keys import batch_texts, result_key
from assessment.domain.invitation import Person
from assessment.domain.judge import PERSON_LABEL, Provider
from assessment.domain.jury import draw_judge
from assessment.domain.not_assessed import NotAssessed
from assessment.domain.result import Ranking
from assessment.domain.verdict import ListVerdict, Verdict, Winner
from assessment.ports.erasure import ExportPorts
from assessment.usecases.request_erasure import find_student_essay

_PLACES = (
    "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth",
)  # fmt: skip


def export_essay(batch_id: str, essay_id: str, *, ports: ExportPorts, now: datetime) -> EssayExport:
    """Text, comparisons, result and decisions of one essay; other essays are not named.

    Raises
    ------
    UnknownBatchError, UnknownEssayError
    """
    batch = ports.batches.get_batch(batch_id)
    essay = find_student_essay(batch, essay_id, content=ports.content)
    comparisons = _list_comparisons(batch, essay_id, ports)
    people = ports.people.list_people(batch_id)
    result = _load_result(batch, ports)
    return EssayExport(
        organisation=batch.organisation,
        batch_id=batch_id,
        essay_id=essay_id,
        assignment_id=batch.assignment_id,
        status=batch.status,
        requested_at=batch.created_at,
        exported_at=now,
        text=ports.content.get_text(batch_texts(batch_id), essay.text_sha256),
        text_sha256=essay.text_sha256,
        group=essay.group,
        flags=list(essay.flags),
        n_masked=essay.n_masked,
        ranking=_pick(result.rankings if result else (), essay_id),
        grades=_pick_grades(result, essay_id),
        not_assessed=_pick(_list_set_aside(batch, result), essay_id),
        comparisons=[_export(each, essay_id) for each in comparisons],
        controls=_list_controls(people, comparisons, essay_id),
        decisions=ports.decisions.list_of_essay(batch_id, essay_id),
        released_at=batch.release.released_at if batch.release else None,
        recipients=_list_recipients(batch, comparisons, people),
    )


def _list_comparisons(batch: Batch, essay_id: str, ports: ExportPorts) -> list[Comparison]:
    comparisons = ports.comparisons.list_comparisons(batch.batch_id, batch.wave)
    return [each for each in comparisons if essay_id in each.essay_ids]


def _list_recipients(
    batch: Batch, comparisons: Sequence[Comparison], people: Sequence[Person]
) -> list[str]:
    """The judges that were sent the text, and the people who have it before them.

    An endpoint that says in its answers who it is, and gave none, is named by its kind.
    """
    judges = set(filter(None, (_find_judge(each, batch) for each in comparisons)))
    comparison_ids = {each.comparison_id for each in comparisons}
    readers = (person for person in people if comparison_ids & _list_shown(person))
    return sorted(judges | {f"{PERSON_LABEL}{person.name}" for person in readers})


def _find_judge(comparison: Comparison, batch: Batch) -> str | None:
    """Who judged it, or was asked to; None where nobody was, or a person whom no record names."""
    if comparison.verdict is not None:
        return comparison.verdict.judge
    judge = draw_judge(comparison.comparison_id, batch.judges)
    if judge.provider is Provider.PERSON or not _was_sent(comparison):
        return None
    return judge.label or judge.provider


def _was_sent(comparison: Comparison) -> bool:
    """Whether a judge was asked, in this attempt or an earlier one."""
    return comparison.sent or comparison.calls > 0 or comparison.attempt > 1


def _list_shown(person: Person) -> set[str]:
    """Ids of the comparisons that the person holds, or was shown as controls."""
    held_ids = {lease.comparison_id for lease in person.held}
    return held_ids | {control.comparison_id for control in person.controls}


def _list_controls(
    people: Sequence[Person], comparisons: Sequence[Comparison], essay_id: str
) -> list[ExportedControl]:
    """The control verdicts about the essay, by judge."""
    comparison_by_id = {each.comparison_id: each for each in comparisons}
    return [
        ExportedControl(
            comparison_id=control.comparison_id,
            judge=f"{PERSON_LABEL}{person.name}",
            is_preferred=_find_preference(
                control.winner, comparison_by_id[control.comparison_id].essay_ids.index(essay_id)
            ),
            agrees=control.agrees,
        )
        for person in people
        for control in person.controls
        if control.winner is not None and control.comparison_id in comparison_by_id
    ]


def _list_set_aside(batch: Batch, result: ResultDocument | None) -> list[NotAssessed]:
    return [*batch.not_assessed, *(result.not_assessed if result else ())]


def _pick[E: (Ranking, NotAssessed)](entries: Iterable[E], essay_id: str) -> E | None:
    """The entry of this essay."""
    return next((entry for entry in entries if entry.essay_id == essay_id), None)


def _load_result(batch: Batch, ports: ExportPorts) -> ResultDocument | None:
    text = ports.content.get_document(result_key(batch.batch_id))
    if text is None or batch.result_sha256 is None:
        return None
    return ResultDocument.model_validate_json(text)


def _pick_grades(result: ResultDocument | None, essay_id: str) -> EssayGrades:
    if result is None:
        return EssayGrades()
    projections = result.grade_projections
    return EssayGrades(
        primary_grade=projections.primary_grades.get(essay_id),
        refined_grade=projections.refined_grades.get(essay_id),
        grade_probabilities=projections.grade_probabilities.get(essay_id, {}),
        grade_set=projections.grade_sets.get(essay_id, []),
        calibrated_set=projections.calibrated_sets.get(essay_id, []),
        confidence=projections.confidence_labels.get(essay_id),
        pass_probability=projections.pass_probabilities.get(essay_id),
    )


def _export(comparison: Comparison, essay_id: str) -> ExportedComparison:
    place = comparison.essay_ids.index(essay_id)
    order = comparison.list_verdict
    return ExportedComparison(
        comparison_id=comparison.comparison_id,
        wave=comparison.wave,
        position=_PLACES[place],
        status=comparison.status,
        is_preferred=_is_preferred(comparison.pair_verdict, place),
        verdict=_hide_others(order, comparison, essay_id) if order else comparison.verdict,
        rank=order.ranking.index(essay_id) + 1 if order else None,
    )


def _is_preferred(verdict: Verdict | None, place: int) -> bool | None:
    """Whether the essay in this place is the better one; None without a preference in a pair."""
    if verdict is None or not verdict.has_preference:
        return None
    return _find_preference(verdict.winner, place)


def _find_preference(winner: Winner, place: int) -> bool | None:
    """Whether this winner is the essay in this place of its pair; None for a tie."""
    return None if winner is Winner.TIE else (winner is Winner.FIRST) is (place == 0)


def _hide_others(verdict: ListVerdict, comparison: Comparison, essay_id: str) -> ListVerdict:
    """The order with the other essays named by the places in which they were shown."""
    names = dict(zip(comparison.essay_ids, _PLACES, strict=False)) | {essay_id: essay_id}
    ranking = tuple(names[each] for each in verdict.ranking)
    return verdict.model_copy(update={"ranking": ranking})
