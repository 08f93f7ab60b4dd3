"""Documents as the API gives them, with invented figures."""

from typing import Any

from assessment.contracts.result import ResultDocument
from assessment.contracts.views import BatchProgress, WaveProgress
from assessment.domain.comparison import Comparison, ComparisonTally
from assessment.domain.config import BatchConfig

BATCH_ID = "11111111-2222-3333-4444-555555555555"


def make_acceptance(batch_id: str) -> dict[str, Any]:
    link = f"/v1/batches/{batch_id}"
    return {
        "batch_id": batch_id,
        "status": "INITIALIZING",
        "correlation_id": BATCH_ID,
        "links": {"self": link, "results": f"{link}/results"},
    }


def wave(number: int, **values: Any) -> WaveProgress:
    shown = {"status": "SUBMITTED", "planned": 6, "recorded": 0, "failed": 0, **values}
    return WaveProgress(wave=number, **shown)


def progress(status: str, *waves: WaveProgress, **values: Any) -> BatchProgress:
    planned = sum(wave.planned for wave in waves)
    recorded = sum(wave.recorded for wave in waves)
    failed = sum(wave.failed for wave in waves)
    config = BatchConfig(target_mean_se=0.5, max_comparisons_per_essay=8)
    shown: dict[str, Any] = {
        "outcome": None,
        "decision": None,
        "failure": None,
        "config": config.model_dump(mode="json"),
        **values,
    }
    return BatchProgress(
        batch_id=BATCH_ID,
        correlation_id=BATCH_ID,
        assignment_id=None,
        status=status,
        essays=3,
        anchors=1,
        comparisons=ComparisonTally(
            planned=planned,
            recorded=recorded,
            failed=failed,
            pending=planned - recorded - failed,
        ),
        waves=list(waves),
        config_sources={},
        created_at="2026-01-01T00:00:00+00:00",
        updated_at="2026-01-01T00:00:00+00:00",
        **shown,
    )


def summary(batch_id: str, *, status: str) -> dict[str, Any]:
    return {
        "batch_id": batch_id,
        "status": status,
        "outcome": None,
        "assignment_id": "[unit]",
        "correlation_id": BATCH_ID,
        "essays": 3,
        "anchors": 1,
        "created_at": "2026-01-01T10:00:00+00:00",
        "updated_at": "2026-01-01T11:00:00+00:00",
    }


def comparison(number: int, first: str, second: str, winner: str | None) -> Comparison:
    """A comparison with this verdict, or one that failed."""
    said = {"winner": winner, "judge": "j1", "justification": f"{winner} [is] clearer, I think"}
    failure = {"code": "judge_timeout", "message": "no answer in time"}
    return Comparison.model_validate(
        {
            "comparison_id": f"w001-{number:05d}",
            "wave": 1,
            "submitted_wave": 1,
            "first": first,
            "second": second,
            "status": "RECORDED" if winner else "FAILED",
            "verdict": said if winner else None,
            "failure": None if winner else failure,
        }
    )


def comparisons() -> list[Comparison]:
    """Four verdicts on three essays, and a comparison that failed."""
    return [
        comparison(1, "ada", "ben", "first"),
        comparison(2, "cy", "ben", "second"),
        comparison(3, "ada", "cy", None),
        comparison(4, "cy", "ada", "tie"),
        comparison(5, "ben", "ada", "second"),
    ]


def life_of_a_batch() -> list[BatchProgress]:
    """A batch from its beginning to its completion, in two waves."""
    first = wave(
        1,
        status="SCORED",
        recorded=5,
        failed=1,
        mean_se=2.1,
        standardised_se=0.9,
        closed_by="callbacks",
    )
    second = wave(
        2, status="SCORED", recorded=6, mean_se=1.9, standardised_se=0.45, reliability=0.95
    )
    return [
        progress("INITIALIZING"),
        progress("WAITING_CALLBACKS", wave(1, recorded=2)),
        progress("WAITING_CALLBACKS", first, wave(2, recorded=3)),
        progress("COMPLETED", first, second, outcome="COMPLETE_STABLE"),
    ]


def make_failed_batch() -> BatchProgress:
    failure = {
        "code": "judge_at_chance",
        "message": "the verdicts carry no order",
        "remedy": "use another judge",
    }
    last = wave(1, recorded=6, mean_se=0.4, reliability=0.96)
    return progress("FAILED", last, outcome="FAILED_BY_DECISION", failure=failure)


def ranking(rank: int, essay_id: str, ability: float, **values: Any) -> dict[str, Any]:
    return {
        "rank": rank,
        "essay_id": essay_id,
        "bradley_terry_score": ability,
        "bradley_terry_se": 0.4,
        "comparison_count": 6,
        "is_anchor": False,
        "anchor_grade": None,
        **values,
    }


def result(**values: Any) -> dict[str, Any]:
    """A result with two students and two anchors on a scale whose labels look like formulas."""
    document: dict[str, Any] = {
        "batch_id": BATCH_ID,
        "correlation_id": BATCH_ID,
        "assignment_id": "unit",
        "status": "COMPLETED",
        "outcome": "COMPLETE_STABLE",
        "decision": {
            "decision": "FINALIZE_SCORING",
            "reason": "se_target_met",
            "explanation": "the standard error is below its target",
        },
        "comparisons": {"planned": 12, "recorded": 11, "failed": 1, "pending": 0},
        "resampled_comparisons": 0,
        "notes": ["one comparison has no verdict"],
        "n_students": 2,
        "n_anchors": 2,
        "n_waves": 2,
        "rankings": [
            ranking(1, "ada", 1.25),
            ranking(2, "ANCHOR_one_0a0b0c0d", 0.5, is_anchor=True, anchor_grade="=B"),
            ranking(3, "ben", -0.75),
            ranking(4, "ANCHOR_two_0a0b0c0e", -1.0, is_anchor=True, anchor_grade="C"),
        ],
        "grade_projections": {
            "projections_available": True,
            "grade_scale": ["C", "=B", "A"],
            "primary_grades": {"ada": "A", "ben": "C"},
            "grade_probabilities": {
                "ada": {"C": 0.001, "=B": 0.002, "A": 0.997},
                "ben": {"C": 0.55, "=B": 0.4, "A": 0.05},
            },
            "confidence_labels": {"ada": "HIGH", "ben": "LOW"},
            "confidence_scores": {"ada": 0.99, "ben": 0.2},
            "needs_more_evidence": ["ben"],
            "calibration_info": {
                "method": "gls",
                "boundaries": {},
                "boundary_se": {},
                "grade_centres": {},
                "anchors": [
                    {
                        "essay_id": "ANCHOR_two_0a0b0c0e",
                        "grade": "C",
                        "weight": 0.2,
                        "residual": 2.0,
                    }
                ],
                "extrapolated_grades": ["A"],
                "warnings": ["anchor two sits far from its grade"],
            },
        },
        "reliability": {
            "model_reliability": 0.95,
            "mean_se": 0.45,
            "max_se": 0.6,
            "standardised_se": 0.22,
        },
        "audit": {"pairs": 3, "agreement": 0.67, "agreement_interval": [0.2, 0.94]},
        "order_effects": [{"judge": "j1", "estimate": 0.1, "standard_error": 0.2}],
        "judges": ["j1"],
        "cost_usd": 0.0,
        "config": {},
        "config_sources": {},
        "spec_hash": "0" * 64,
        "seed": 1,
        "versions": {},
        **values,
    }
    return ResultDocument.model_validate(document).model_dump(mode="json")
