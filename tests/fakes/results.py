"""Results of batches with made-up figures, for pages: of any size, scale and kind."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Sequence
from math import exp
from typing import Any

from assessment.contracts.result import ResultDocument
from assessment.domain.comparison import Comparison
from assessment.domain.grading_result import NoGrades, NoGradesReason, refuse_grades
from assessment.domain.identifiers import ANCHOR_PREFIX

LETTERS = tuple("FEDCBA")
STEPS = tuple(f"{letter}{sign}" for letter in LETTERS for sign in ("-", "", "+"))
HOSTILE = (
    "<script>alert(1)</script>",
    "</script><img src=x onerror=alert(2)>",
    "\u202eevil\u202c",
    "x" * 128,
    "🙂🙃",
    "=HYPERLINK(1)",
    "A",
    "rank",
    "a|b",
    "Åsa Öberg",
    "{{script}}",
    "\u2028line",
)
_WIDTH = 6.0


def make_result(
    n: int = 6,
    *,
    grades: Sequence[str] = LETTERS,
    n_anchors_each: int = 2,
    name: Callable[[int], str] = "essay-{:04d}".format,
    judges: Sequence[str] = ("openai/gpt-4.1-mini",),
    outcome: str = "COMPLETE_STABLE",
    groups: Sequence[str] = (),
    seed: int = 1,
) -> ResultDocument:
    """A result of `n` essays; with people and a model among the judges, two essays divide them."""
    rng = random.Random(seed)
    step = _WIDTH / max(1, len(grades))
    centres = {grade: (k - (len(grades) - 1) / 2) * step for k, grade in enumerate(grades)}
    students = {name(i): rng.gauss(0, 1.8) for i in range(n)}
    anchors = {
        f"{ANCHOR_PREFIX}{k}{copy}_0123abcd": (grade, centres[grade] + rng.gauss(0, 0.2))
        for k, grade in enumerate(grades)
        for copy in range(n_anchors_each)
    }
    abilities = students | {essay_id: ability for essay_id, (_, ability) in anchors.items()}
    order = sorted(abilities, key=lambda essay_id: -abilities[essay_id])
    rankings = [
        {
            "rank": rank,
            "essay_id": essay_id,
            "bradley_terry_score": abilities[essay_id],
            "bradley_terry_se": (error := rng.uniform(0.3, 0.6)),
            "bradley_terry_interval": _reach(abilities[essay_id], error),
            "comparison_count": rng.randint(9, 16),
            "is_anchor": essay_id in anchors,
            "anchor_grade": anchors[essay_id][0] if essay_id in anchors else None,
            "infit": 1.0,
            "outfit": 1.1,
            "rank_interval": (max(1, rank - 3), min(len(order), rank + 4)),
            "misfit_flags": ["surprising"] if rank % 17 == 5 else [],
        }
        for rank, essay_id in enumerate(order, start=1)
    ]
    is_graded = bool(anchors) and outcome != "COMPLETE_UNPROVEN"
    why = (
        NoGrades(code=NoGradesReason.UNRELIABLE, message="the verdicts do not prove an order")
        if anchors
        else NoGrades(code=NoGradesReason.NO_ANCHORS, message="the assignment has no anchors")
    )
    return ResultDocument.model_validate(
        {
            "batch_id": "11111111-2222-4333-8444-555555555555",
            "correlation_id": "11111111-2222-4333-8444-555555555556",
            "assignment_id": "made-up",
            "status": "COMPLETED",
            "outcome": outcome,
            "decision": {
                "decision": "FINALIZE_SCORING",
                "reason": "se_target_met",
                "explanation": "the mean standard error met its target",
            },
            "comparisons": {"planned": 6 * n, "recorded": 6 * n - 1, "failed": 1, "pending": 0},
            "resampled_comparisons": 0,
            "notes": [],
            "n_students": n,
            "n_anchors": len(anchors),
            "n_waves": 3,
            "rankings": rankings,
            "grade_projections": _project(students, anchors, centres, step, rng)
            if is_graded
            else refuse_grades(why).model_dump(),
            "reliability": {
                "model_reliability": 0.86,
                "reliability_interval": (0.76, 0.92),
                "mean_se": 0.45,
                "max_se": 0.6,
            },
            "audit": {
                "pairs": 64,
                "log_bayes_factor": 0.4 if outcome == "COMPLETE_UNPROVEN" else 7.8,
                "agreement": 0.7,
                "agreement_interval": (0.58, 0.8),
                "slope": 1.1,
                "slope_interval": (0.5, 1.7),
            },
            "order_effects": [
                {"judge": judge, "estimate": rng.gauss(0, 0.2), "standard_error": 0.15}
                for judge in judges
            ],
            "judges": list(judges),
            "judge_fit": [_fit(judge, judges, list(students)) for judge in judges],
            "groups": _report_groups(groups),
            "essay_flags": {essay_id: ["too_short"] for essay_id in list(students)[1:2]},
            "not_assessed": [],
            "cost_usd": 0.16,
            "config": {"seed": 1, "target_mean_se": 0.6},
            "config_sources": {"seed": "request", "target_mean_se": "stack"},
            "spec_hash": "0" * 64,
            "seed": 1,
            "versions": {"assessment": "0.1.0"},
        }
    )


def _reach(ability: float, error: float) -> tuple[float, float]:
    """A 95% interval that reaches further out than in."""
    stretch = min(0.3, abs(ability) / 10)
    below, above = (1 - stretch, 1 + stretch) if ability > 0 else (1 + stretch, 1 - stretch)
    return ability - 1.96 * error * below, ability + 1.96 * error * above


def _project(
    students: dict[str, float],
    anchors: dict[str, tuple[str, float]],
    centres: dict[str, float],
    step: float,
    rng: random.Random,
) -> dict[str, Any]:
    spread = 0.5 + 0.4 * step
    probabilities = {}
    for essay_id, ability in students.items():
        weights = {g: exp(-0.5 * ((ability - c) / spread) ** 2) for g, c in centres.items()}
        total = sum(weights.values())
        probabilities[essay_id] = {grade: weight / total for grade, weight in weights.items()}
    grades = list(centres)
    middles = {
        f"{low}|{high}": (centres[low] + centres[high]) / 2
        for low, high in itertools.pairwise(grades)
    }
    return {
        "projections_available": True,
        "grade_scale": grades,
        "primary_grades": {one: max(p, key=p.__getitem__) for one, p in probabilities.items()},
        "grade_probabilities": probabilities,
        "grade_sets": {one: _hold(p, 0.9) for one, p in probabilities.items()},
        "confidence_labels": dict.fromkeys(students, "MID"),
        "calibration_info": {
            "method": "gls",
            "boundaries": middles,
            "boundary_se": {pair: rng.uniform(0.1, 0.3) for pair in middles},
            "grade_centres": centres,
            "anchors": [
                {"essay_id": one, "anchor_ref": f"ref{one[7:9]}", "grade": grade, "weight": 0.9,
                 "residual": 0.1}
                for one, (grade, _) in anchors.items()
            ],
            "extrapolated_grades": [],
            "warnings": [],
            "self_check": {"anchors": len(anchors), "rps": 0.04, "ece": 0.08},
        },
    }  # fmt: skip


def _hold(probabilities: dict[str, float], share: float) -> list[str]:
    """The likeliest grades that hold this share, the likeliest first."""
    held: list[str] = []
    for grade in sorted(probabilities, key=lambda each: -probabilities[each]):
        if sum(probabilities[each] for each in held) >= share:
            break
        held.append(grade)
    return held


def _fit(judge: str, judges: Sequence[str], students: list[str]) -> dict[str, Any]:
    is_model_among_people = not judge.startswith("person/") and len(judges) > 1
    gap = {
        "tau": 0.4,
        "tau_interval": (0.2, 0.7),
        "scale": 1.1,
        "disagreements": [
            {"essay_id": students[0], "shift": 1.2, "standard_error": 0.4},
            {"essay_id": students[-1], "shift": -0.9, "standard_error": 0.4},
        ],
    }
    return {
        "judge": judge,
        "verdicts": 60,
        "ties": 4,
        "first_preferred": 29,
        "construct_gap": gap if is_model_among_people else None,
        "infit": 0.9,
        "outfit": 0.95,
        "misfit_flags": [],
    }


def _report_groups(groups: Sequence[str]) -> dict[str, Any] | None:
    if not groups:
        return None
    differences = [
        {
            "group": group,
            "essays": 9,
            "difference": 0.3 - 0.4 * k,
            "interval": (-0.2 - 0.4 * k, 0.8),
        }
        for k, group in enumerate(groups)
    ]
    return {
        "groups": differences,
        "notes": [{"code": "one_judge", "message": "one judge shows no favour"}],
    }


def make_comparisons(result: ResultDocument, n_each: int = 6, seed: int = 1) -> list[Comparison]:
    """Comparisons of neighbours and of random pairs, judged by the abilities of the result."""
    rng = random.Random(seed)
    abilities = {one.essay_id: one.bradley_terry_score for one in result.rankings}
    order = list(abilities)
    made = []
    for index in range(len(order) * n_each // 2):
        first = order[index % len(order)]
        second = rng.choice([one for one in order if one != first])
        chance = 1 / (1 + exp(abilities[second] - abilities[first]))
        judge = rng.choice(result.judges)
        made.append(
            Comparison.model_validate(
                {
                    "comparison_id": f"w001-{index:05d}",
                    "wave": 1,
                    "submitted_wave": 1,
                    "first": first,
                    "second": second,
                    "audit": index % 4 == 0,
                    "status": "RECORDED",
                    "verdict": {
                        "winner": "first" if rng.random() < chance else "second",
                        "degree": rng.choice(["slight", "clear", "decisive"]),
                        "judge": judge,
                        "justification": f"the text of {first} is clearer <b>by far</b>",
                    },
                }
            )
        )
    return made
