"""Requests from a sample folder, and the agreement of a result with its true abilities."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from assessment.contracts.request import AnchorRegistration, BatchRequest
from assessment.domain.identifiers import content_sha256, make_anchor_essay_id
from runner.anchors_file import read_anchors
from runner.essays import read_folder

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from assessment.contracts.result import ResultDocument


@dataclass(frozen=True)
class Sample:
    """Texts to assess, graded anchors, and abilities (logits) by the fit of all judgements."""

    registration: AnchorRegistration
    essays: list[dict[str, str]]
    truth: dict[str, float]

    def request(self, config: Mapping[str, Any], judge: object = None) -> BatchRequest:
        """The request of a batch of all the student essays; `judge` as in the API."""
        return BatchRequest.model_validate(
            {
                "assignment_id": self.registration.assignment_id,
                "essays": self.essays,
                "config": dict(config),
                "judge": judge,
            }
        )

    def true_ability(self, essay_id: str) -> float | None:
        """An essay's true ability, logits, or None; anchors are known by their essay ids."""
        for anchor in self.registration.anchors:
            digest = content_sha256(anchor.text)
            anchor_id = make_anchor_essay_id(
                self.registration.assignment_id, anchor.anchor_ref, digest
            )
            if essay_id == anchor_id:
                return self.truth[anchor.anchor_ref]
        return self.truth.get(essay_id)


def load(folder: Path) -> Sample:
    """Read the sample of a folder."""
    assignment = json.loads((folder / "assignment.json").read_text(encoding="utf-8"))
    anchors = read_anchors(folder / "anchors.csv").anchors
    with (folder / "truth.csv").open(newline="", encoding="utf-8") as file:
        truth = {row["essay_id"]: float(row["ability"]) for row in csv.DictReader(file)}
    return Sample(
        registration=AnchorRegistration.model_validate(
            assignment | {"anchors": [anchor.model_dump() for anchor in anchors]}
        ),
        essays=[essay.model_dump() for essay in read_folder(folder / "essays").essays],
        truth=truth,
    )


def agreement(result: ResultDocument, sample: Sample) -> dict[str, float | int]:
    """Spearman's rank correlation of the result's abilities with the truth, anchors included."""
    pairs = [
        (ranking.bradley_terry_score, true, ranking.is_anchor)
        for ranking in result.rankings
        if (true := sample.true_ability(ranking.essay_id)) is not None
    ]
    students = [pair for pair in pairs if not pair[2]]
    return {
        "spearman": _spearman(pairs),
        "spearman_students": _spearman(students),
        "texts": len(pairs),
    }


def _spearman(pairs: list[tuple[float, float, bool]]) -> float:
    from scipy.stats import spearmanr  # a second to import, needed once at the end

    measured, true = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    return float(spearmanr(measured, true).statistic)
