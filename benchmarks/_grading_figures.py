"""Figures of grades beside true ones, and the table that the docs have of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from assessment.domain.grading import (
    GRADE_SET_SHARE,
    GradeRule,
    grade_set,
    published_grade,
    round_shares,
)
from scoring._grades.anchor_health import expected_calibration_error, ranked_probability_score
from scoring.grade_sets import AnchorScores, set_threshold

HUMAN = "second rater (human)"
_HEADINGS = (
    "grades by",
    "anchors",
    "exact: mode / median / mean",
    "QWK: mode / median / mean",
    "RPS",
    "`grade_sets` hold, size",
    "`calibrated_sets` hold, size",
)


@dataclass(frozen=True)
class Distributions:
    """Grades of one class by one method.

    Attributes
    ----------
    probabilities : (s, G) array
        Of the students; rows sum to 1.
    of_sets : (s, G) array
        Of the students, as sets are made of.
    by_the_others : (a, G) array
        Likewise of each anchor, by the other anchors; NaN where there is none.
    """

    probabilities: np.ndarray
    of_sets: np.ndarray
    by_the_others: np.ndarray

    def to_entry(self, digits: int) -> dict[str, Any]:
        """What is kept of them."""
        is_same = self.of_sets is self.probabilities
        return {
            "probabilities": self.probabilities.round(digits).tolist(),
            "of_sets": None if is_same else self.of_sets.round(digits).tolist(),
            "by_the_others": self.by_the_others.round(digits).tolist(),
        }

    @classmethod
    def from_entry(cls, entry: dict[str, Any]) -> Distributions:
        """Read what was kept."""
        probabilities = np.array(entry["probabilities"])
        of_sets = probabilities if entry["of_sets"] is None else np.array(entry["of_sets"])
        by_the_others = np.array(entry["by_the_others"], dtype=float)
        return cls(probabilities, of_sets, by_the_others.reshape(-1, probabilities.shape[1]))


@dataclass
class Grading:
    """The grade distributions of one method over all classes, their sets, and the grades."""

    n_grades: int
    probabilities: list[np.ndarray] = field(default_factory=list)
    calibrated: list[np.ndarray] = field(default_factory=list)
    grade: list[np.ndarray] = field(default_factory=list)

    def add(self, made: Distributions, anchor_grade: np.ndarray, grade: np.ndarray) -> None:
        """Count one class."""
        scores = AnchorScores.from_probabilities(made.by_the_others, anchor_grade)
        threshold = set_threshold(made.of_sets, scores, level=GRADE_SET_SHARE)
        self.probabilities.append(
            made.probabilities / made.probabilities.sum(axis=1, keepdims=True)
        )
        self.calibrated.append(threshold.sets(made.of_sets))
        self.grade.append(grade)

    def figures(self) -> dict[str, float]:
        """Everything that is reported of them."""
        probabilities, grade = np.concatenate(self.probabilities), np.concatenate(self.grade)
        shares = [
            {str(g): p for g, p in enumerate(round_shares(row))} for row in probabilities.tolist()
        ]
        by_rule = {
            rule: np.array([int(published_grade(row, rule)) for row in shares])
            for rule in GradeRule
        }
        median = [str(g) for g in by_rule[GradeRule.MEDIAN]]
        fewest = [grade_set(row, m) for row, m in zip(shares, median, strict=True)]
        bayesian = np.array([[str(g) in row for g in range(self.n_grades)] for row in fewest])
        calibrated = np.concatenate(self.calibrated)
        calibrated[np.arange(len(grade)), by_rule[GradeRule.MEDIAN]] = True
        return {
            **agreement(by_rule[GradeRule.MEDIAN], grade, self.n_grades),
            "exact_mode": agreement(by_rule[GradeRule.MODE], grade, self.n_grades)["exact"],
            "qwk_mode": agreement(by_rule[GradeRule.MODE], grade, self.n_grades)["qwk"],
            "exact_mean": agreement(by_rule[GradeRule.MEAN], grade, self.n_grades)["exact"],
            "qwk_mean": agreement(by_rule[GradeRule.MEAN], grade, self.n_grades)["qwk"],
            "rps": ranked_probability_score(probabilities, grade),
            "ece": expected_calibration_error(probabilities, grade),
            "bayesian_hold": float(bayesian[np.arange(len(grade)), grade].mean()),
            "bayesian_size": float(bayesian.sum(axis=1).mean()),
            "calibrated_hold": float(calibrated[np.arange(len(grade)), grade].mean()),
            "calibrated_size": float(calibrated.sum(axis=1).mean()),
        }


def agreement(one: np.ndarray, two: np.ndarray, n_grades: int) -> dict[str, float]:
    """Exact and adjacent agreement, and quadratic weighted kappa (Cohen 1968)."""
    difference = one - two
    shares = [np.bincount(grades, minlength=n_grades) / len(grades) for grades in (one, two)]
    squares = np.subtract.outer(np.arange(n_grades), np.arange(n_grades)) ** 2
    return {
        "exact": float((difference == 0).mean()),
        "adjacent": float((np.abs(difference) <= 1).mean()),
        "qwk": float(1 - (difference**2).mean() / (shares[0] @ squares @ shares[1])),
    }


def markdown_table(corpus: str, rows: list[dict[str, Any]]) -> str:
    """Write the rows of one corpus as the table of `docs/results.md`."""
    lines = [
        f"| {' | '.join(_HEADINGS)} |",
        "|---" * len(_HEADINGS) + "|",
    ]
    for row in rows:
        if row["corpus"] != corpus:
            continue
        if row["grades by"] == HUMAN:
            lines.append(f"| {HUMAN} | | {_short(row['exact'])} | {_short(row['qwk'])} | | | |")
            continue
        prior = ", population prior" if row["prior"] else ""
        rules = [
            " / ".join(_short(row[name]) for name in (f"{kind}_mode", kind, f"{kind}_mean"))
            for kind in ("exact", "qwk")
        ]
        sets = [
            f"{_short(row[f'{kind}_hold'])}, {row[f'{kind}_size']:.1f}"
            for kind in ("bayesian", "calibrated")
        ]
        cells = [
            f"{row['grades by']}{prior}",
            str(row["anchors"] or "none"),
            *rules,
            _short(row["rps"]),
        ]
        lines.append(f"| {' | '.join([*cells, *sets])} |")
    return "\n".join(lines)


def _short(share: float) -> str:
    return f"{share:.3f}".replace("0.", ".", 1)
