"""What the tests ask of the stack, and what they read from it."""

from __future__ import annotations

from collections import Counter
from typing import Any

from tests.workflow.judge import essay_text
from tests.workflow.stack import Stack

ABILITIES = [-3.0, -2.2, -1.5, -0.7, 0.2, 0.9, 1.6, 2.3]
GRADED = {"D": -2.5, "C": -0.9, "B": 0.8, "A": 2.4}
ONE_WAVE = {"max_waves": 1, "min_comparisons_per_essay": 1}
THREE_WAVES = {
    "max_waves": 3, "min_comparisons_per_essay": 1, "target_mean_se": 0.01,
    "target_reliability": None,
}  # fmt: skip
TWO_WAVES = {**THREE_WAVES, "max_waves": 2}


def register_anchors(stack: Stack) -> None:
    status, body = stack.api(
        "POST",
        "/v1/anchors/register",
        {
            "assignment_id": "trees",
            "grade_scale": list(GRADED),
            "anchors": [
                {"anchor_ref": grade, "grade": grade, "text": essay_text(ability, 100 + number)}
                for number, (grade, ability) in enumerate(GRADED.items())
            ],
        },
    )
    assert status == 201, body


def request_batch(
    stack: Stack,
    config: dict[str, Any],
    *,
    assignment_id: str | None = None,
    judge: dict[str, Any] | None = None,
    n_essays: int = len(ABILITIES),
) -> str:
    body: dict[str, Any] = {
        "essays": [
            {"essay_id": f"essay-{number}", "text": essay_text(ability, number)}
            for number, ability in enumerate(ABILITIES[:n_essays])
        ],
        "config": {"seed": 1, **config},
    }
    if judge:
        body["judge"] = judge
    if assignment_id:
        body["assignment_id"] = assignment_id
    status, accepted = stack.api("POST", "/v1/batches", body)
    assert status == 202, accepted
    return accepted["batch_id"]


def progress(stack: Stack, batch_id: str) -> dict[str, Any]:
    status, body = stack.api("GET", f"/v1/batches/{batch_id}")
    assert status == 200, body
    return body


def results(stack: Stack, batch_id: str) -> dict[str, Any]:
    status, body = stack.api("GET", f"/v1/batches/{batch_id}/results")
    assert status == 200, body
    return body


def event_types(stack: Stack) -> Counter[str]:
    return Counter(event["detail-type"] for event in stack.events())
