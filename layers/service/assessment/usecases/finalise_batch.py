"""Turn the last fit into the result, publish it, and close the batch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from assessment import __version__
from assessment.contracts.event_data import PublishedProjections
from assessment.contracts.events import EventType, envelope, fits
from assessment.contracts.result import ResultDocument, canonical_bytes, round_figures
from assessment.contracts.result_csv import result_csv
from assessment.domain.assignment import find_text_sources
from assessment.domain.batch import Batch, BatchStatus, Outcome
from assessment.domain.comparison import Comparison, ComparisonStatus, count_comparisons
from assessment.domain.config import BatchConfig
from assessment.domain.control_pair import Consistency, measure_consistency
from assessment.domain.decision import Decision, Reason
from assessment.domain.document_keys import essays_key, result_key
from assessment.domain.errors import IllegalTransitionError
from assessment.domain.essay_flags import EssayFlag
from assessment.domain.grading_result import GradeProjections, withhold
from assessment.domain.identifiers import content_sha256
from assessment.domain.judge import PERSON_LABEL
from assessment.domain.judging_time import includes_people
from assessment.domain.masking import MaskingReport
from assessment.domain.not_assessed import AssessedPart, merge_not_assessed, set_essays_aside
from assessment.domain.readings import ReadingTally, tally_readings
from assessment.domain.result import Conclusion
from assessment.domain.result_notes import explain_unproven, list_notes, list_voices
from assessment.domain.spec import BatchSpec
from assessment.domain.spending import add_spending
from assessment.domain.wave import Wave
from assessment.ports.content import ContentStore
from assessment.ports.groups import FinalisePorts
from assessment.ports.people import People
from assessment.ports.stores import AssignmentStore, ComparisonStore
from assessment.usecases.batch_spec import load_spec
from assessment.usecases.keep_comparisons import keep_comparisons
from assessment.usecases.surface_figures import load_surface
from assessment.usecases.wave_documents import load_not_assessed, load_unjudged

_OUTCOMES = {
    Reason.STABLE: Outcome.COMPLETE_STABLE,
    Reason.RELIABILITY_TARGET_MET: Outcome.COMPLETE_STABLE,
    Reason.SE_TARGET_MET: Outcome.COMPLETE_STABLE,
    Reason.SMALL_NET_SATURATED: Outcome.COMPLETE_SATURATED,
    Reason.DENOMINATOR_REACHED: Outcome.COMPLETE_SATURATED,
}


@dataclass(frozen=True, kw_only=True)
class _Ending:
    """What a batch ended with: its comparisons as they stood at the decision, and what they say.

    `decided_at` is the time of the decision, not of the run: a repeated publication is the same
    event.
    """

    decision: Decision
    decided_at: datetime
    spec: BatchSpec
    comparisons: list[Comparison]
    part: AssessedPart
    conclusion: Conclusion
    is_proven: bool

    @property
    def assessed(self) -> BatchSpec:
        """The spec without the essays that were set aside."""
        return self.spec.drop_essays(self.part.set_aside_ids)


def finalise_batch(
    batch_id: str,
    *,
    ports: FinalisePorts,
    versions: Mapping[str, str],
    now: datetime,
) -> Batch:
    """Store and publish the result; a second run publishes the same events and changes nothing.

    Raises
    ------
    UnknownBatchError, IllegalTransitionError, ScoringFailedError
    """
    batch = ports.batches.get_batch(batch_id)
    if batch.status not in (BatchStatus.SCORING, BatchStatus.COMPLETED) or batch.decision is None:
        raise IllegalTransitionError(f"a batch that is {batch.status} cannot be finalised")
    ending = _conclude(batch, batch.decision, ports, now)
    consistency = _measure_consistency(batch, ports.people)
    document = round_figures(_make_document(batch, ending, consistency, versions))
    body = canonical_bytes(document).decode()
    sha256 = content_sha256(body)
    keep_comparisons(batch_id, ending.comparisons, content=ports.content)
    ports.content.put_document(
        essays_key(batch_id),
        result_csv(document),
        content_type="text/csv; charset=utf-8",
    )
    ports.content.put_document(result_key(batch_id), body)
    _store_measurement(batch, ending, ports.assignments)
    _publish(batch, document, sha256, ports, ending.decided_at)
    return ports.batches.transition(
        batch_id,
        BatchStatus.COMPLETED,
        now=now,
        outcome=document.outcome,
        result_sha256=sha256,
    )


def _conclude(batch: Batch, decision: Decision, ports: FinalisePorts, now: datetime) -> _Ending:
    """Measure what the comparisons say that stood at the decision."""
    last = ports.batches.get_wave(batch.batch_id, batch.wave)
    comparisons = _list_at_decision(batch, last, ports.comparisons, ports.content)
    spec = load_spec(batch.batch_id, content=ports.content)
    part = set_essays_aside(
        comparisons, load_not_assessed(last, content=ports.content) if last else ()
    )
    decided_at = (last.scored_at if last else None) or now
    conclusion = ports.statistics.conclude(
        spec.drop_essays(part.set_aside_ids),
        part.comparisons,
        config=batch.config,
        measured_at=decided_at.isoformat(),
        surface=load_surface(batch.batch_id, content=ports.content),
    )
    return _Ending(
        decision=decision,
        decided_at=decided_at,
        spec=spec,
        comparisons=comparisons,
        part=part,
        conclusion=conclusion,
        is_proven=conclusion.scores.is_proven(min_reliability=batch.config.min_reliability),
    )


def _measure_consistency(batch: Batch, people: People) -> list[Consistency]:
    """What the control pairs of the people who judged say, by judge in order."""
    if not includes_people(batch.judges):
        return []
    measured = (
        measure_consistency(f"{PERSON_LABEL}{person.name}", person.controls)
        for person in people.list_people(batch.batch_id)
    )
    return sorted((one for one in measured if one is not None), key=lambda one: one.judge)


def _store_measurement(batch: Batch, ending: _Ending, assignments: AssignmentStore) -> None:
    """Leave the batch's measurement of its anchors to later batches, if its signal is proven."""
    measurement = ending.conclusion.measurement
    if batch.assignment_id is None or measurement is None or not ending.is_proven:
        return
    assignments.put_measurement(batch.assignment_id, ending.spec.judge_spec_hash, measurement)


def _list_at_decision(
    batch: Batch, last: Wave | None, comparisons: ComparisonStore, content: ContentStore
) -> list[Comparison]:
    """The comparisons as they stood at the decision: a verdict that came later is not in them."""
    all_comparisons = comparisons.list_comparisons(batch.batch_id, batch.wave)
    late = load_unjudged(last, content=content) if last else frozenset()
    return [_drop_verdict(c) if c.comparison_id in late else c for c in all_comparisons]


def _drop_verdict(comparison: Comparison) -> Comparison:
    if comparison.verdict is None:
        return comparison
    return comparison.model_copy(update={"verdict": None, "status": ComparisonStatus.TIMED_OUT})


def _make_document(
    batch: Batch, ending: _Ending, consistency: list[Consistency], versions: Mapping[str, str]
) -> ResultDocument:
    spec, assessed, comparisons = ending.spec, ending.assessed, ending.comparisons
    conclusion, scores = ending.conclusion, ending.conclusion.scores
    config = batch.config.model_dump(mode="json")
    return ResultDocument(
        batch_id=batch.batch_id,
        correlation_id=batch.correlation_id,
        assignment_id=batch.assignment_id,
        status=BatchStatus.COMPLETED,
        outcome=_outcome(ending),
        decision=ending.decision,
        comparisons=count_comparisons(comparisons),
        resampled_comparisons=sum(c.resampled for c in comparisons),
        readings=_tally_readings(comparisons),
        notes=list_notes(spec, comparisons, scores, batch.config),
        n_students=len(assessed.essays) - len(assessed.anchors),
        n_anchors=len(assessed.anchors),
        n_waves=batch.wave,
        rankings=scores.rankings,
        grade_projections=_projections(ending, batch.config),
        reliability=scores.reliability,
        audit=scores.audit,
        order_effects=scores.order_effects,
        essay_flags=_flags(spec),
        not_assessed=list(merge_not_assessed(batch.not_assessed, ending.part.not_assessed)),
        excluded_essays=[essay.essay_id for essay in spec.excluded],
        masking=_report_masking(batch, spec),
        repeated_calls=sum(comparison.paid_again for comparison in comparisons),
        judges=list_voices(comparisons),
        judge_fit=conclusion.judges,
        judge_consistency=consistency,
        list_sharpness=scores.list_sharpness,
        groups=conclusion.groups,
        baselines=conclusion.baselines,
        **add_spending(comparison.spent for comparison in comparisons).model_dump(),
        config=config,
        config_sources={
            name: str(source) for name, source in batch.config_sources.items() if name in config
        },
        text_sources=find_text_sources(spec.instructions, batch.own_texts),
        spec_hash=spec.spec_hash,
        seed=batch.seed,
        versions={
            "assessment": __version__,
            "prompt": _templates(spec),
            **versions,
        },
    )


def _projections(ending: _Ending, config: BatchConfig) -> GradeProjections:
    """The grades; where the signal is not proven, the reason why there are none."""
    conclusion = ending.conclusion
    if ending.is_proven:
        return conclusion.projections
    return withhold(conclusion.projections, explain_unproven(conclusion.scores, config))


def _flags(spec: BatchSpec) -> dict[str, list[EssayFlag]]:
    essays = (*spec.essays, *spec.excluded)
    return {essay.essay_id: list(essay.flags) for essay in essays if essay.flags}


def _report_masking(batch: Batch, spec: BatchSpec) -> MaskingReport | None:
    if batch.masking is None:
        return None
    essays = (*spec.essays, *spec.excluded)
    return MaskingReport(
        **batch.masking.model_dump(),
        masked_passages={each.essay_id: each.n_masked for each in essays if each.n_masked},
    )


def _templates(spec: BatchSpec) -> str:
    return ", ".join(sorted({judge.template_id for judge in spec.judges}))


def _outcome(ending: _Ending) -> Outcome:
    """How the batch ended; that its signal is not proven is said before anything else."""
    if not ending.is_proven:
        return Outcome.COMPLETE_UNPROVEN
    return _OUTCOMES.get(ending.decision.reason, Outcome.COMPLETE_BUDGET)


def _tally_readings(comparisons: list[Comparison]) -> ReadingTally | None:
    """What was read; None for a batch of pairs, which read two essays each."""
    if not any(comparison.is_list for comparison in comparisons):
        return None
    return tally_readings(comparisons)


def _rich(thin: dict[str, Any], document: ResultDocument) -> dict[str, Any]:
    """The result itself if an event can carry it; otherwise the thin data point to it."""
    grades = PublishedProjections.from_result(document.grade_projections, document.rankings)
    carried = {
        "rankings": [ranking.model_dump(mode="json") for ranking in document.rankings],
        "grade_projections": grades.model_dump(mode="json"),
    }
    if fits(carried):
        return {**thin, "result_included": True, **carried}
    return {**thin, "result_included": False, **dict.fromkeys(carried)}


def _publish(
    batch: Batch, document: ResultDocument, sha256: str, ports: FinalisePorts, now: datetime
) -> None:
    thin: dict[str, Any] = {
        "assignment_id": batch.assignment_id,
        "status": document.status,
        "outcome": document.outcome,
        "result_sha256": sha256,
        "result_key": ports.content.place(result_key(batch.batch_id)),
        "not_assessed": [entry.model_dump(mode="json") for entry in document.not_assessed],
    }
    rich = _rich(thin, document)
    ports.events.publish(
        [
            envelope(
                event_type,
                batch_id=batch.batch_id,
                correlation_id=batch.correlation_id,
                organisation=batch.organisation,
                data=data,
                now=now,
            )
            for event_type, data in (
                (EventType.COMPLETED, thin),
                (EventType.RESULT_PUBLISHED, rich),
            )
        ]
    )
