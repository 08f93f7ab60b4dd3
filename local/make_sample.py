"""Builds samples/plastic-bottles/ from the published data: `python -m local.make_sample`."""

from __future__ import annotations

import csv
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from scoring import Comparisons, Fit, fit

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

ROOT = Path(__file__).resolve().parent.parent
SAMPLE = ROOT / "samples" / "plastic-bottles"
TOPIC = Path("arguments") / "ban-plastic-water-bottles--yes-emergencies-only"
GRADES = ("F", "E", "D", "D+", "C", "C+", "B", "A")

ASSIGNMENT = {
    "assignment_id": "plastic-bottles",
    "grade_scale": list(GRADES),
    "student_prompt": (
        "Should plastic water bottles be banned? Take the position that they should be allowed in "
        "emergencies only, and convince your reader."
    ),
    "instructions": (
        "Read both texts as answers to the student prompt. Decide which is the more convincing "
        "argument for its position. If neither convinces more than the other, call it a tie."
    ),
    "judge_rubric": (
        "More convincing is the text whose reasons bear on the question, support each other and "
        "are explained or backed by facts; that answers what an opponent would say; and whose "
        "language helps rather than hides the argument. Length by itself is no merit."
    ),
}


@dataclass(frozen=True)
class Judgement:
    """One person's answer to one pair of texts; winner None is a tie."""

    text_a: str
    text_b: str
    winner: str | None


def read_texts(topic: Path) -> dict[str, str]:
    """The texts of a topic by id, without space around them."""
    with (topic / "texts.csv").open(newline="", encoding="utf-8") as file:
        return {row["id"]: row["text"].strip() for row in csv.DictReader(file)}


def read_judgements(path: Path) -> list[Judgement]:
    """Judgements from a file with the columns text_a, text_b and verdict (a, b or tie)."""
    with path.open(newline="", encoding="utf-8") as file:
        return [
            Judgement(
                row["text_a"],
                row["text_b"],
                {"a": row["text_a"], "b": row["text_b"], "tie": None}[row["verdict"]],
            )
            for row in csv.DictReader(file)
        ]


def fit_all(ids: Sequence[str], judgements: Iterable[Judgement]) -> Fit:
    """Abilities from every judgement; who was shown first is not recorded, so no order effect."""
    place = {text: index for index, text in enumerate(ids)}
    rows = [
        (
            place[j.text_a],
            place[j.text_b],
            0 if j.winner is None else 1 if j.winner == j.text_a else -1,
        )
        for j in judgements
    ]
    first, second, outcome = np.array(rows).T
    comparisons = Comparisons(len(ids), first, second, outcome)
    return fit(comparisons, prior_sd=2.0, order_effect=False, estimator="map")


def choose_anchors(ids: Sequence[str], ability: Sequence[float]) -> dict[str, str]:
    """Eight texts as evenly spaced in ability as the texts allow, weakest first, with grades."""
    free = dict(zip(ids, ability, strict=True))
    anchors: dict[str, str] = {}
    for target, grade in zip(
        np.linspace(min(ability), max(ability), len(GRADES)), GRADES, strict=True
    ):
        nearest = min(free, key=lambda text: (abs(free[text] - target), text))
        anchors[nearest] = grade
        del free[nearest]
    return anchors


def _write_rows(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def build(topic: Path, sample: Path) -> None:
    """Write the sample: texts, anchors, truth, judgements and the assignment."""
    texts = read_texts(topic)
    ids = sorted(texts)
    judgements = read_judgements(topic / "judgements.csv")
    scores = fit_all(ids, judgements)
    anchors = choose_anchors(ids, scores.ability.tolist())
    folder = {text: "anchors" if text in anchors else "essays" for text in ids}
    for name in ("anchors", "essays"):
        (sample / name).mkdir(parents=True, exist_ok=True)
    for text in ids:
        (sample / folder[text] / f"{text}.txt").write_text(texts[text] + "\n", encoding="utf-8")
    _write_rows(
        sample / "anchors.csv",
        ("anchor_ref", "file", "grade"),
        [(text, f"anchors/{text}.txt", grade) for text, grade in anchors.items()],
    )
    _write_rows(
        sample / "truth.csv",
        ("essay_id", "kind", "ability", "standard_error"),
        [
            (text, "anchor" if text in anchors else "student", f"{ability:.4f}", f"{error:.4f}")
            for text, ability, error in zip(ids, scores.ability, scores.standard_error, strict=True)
        ],
    )
    (sample / "judgements.csv").write_bytes((topic / "judgements.csv").read_bytes())
    (sample / "assignment.json").write_text(
        json.dumps(ASSIGNMENT, indent=2) + "\n", encoding="utf-8"
    )


def main() -> None:
    """Build the sample from CJ_DATA_DIR (default ../shared/data)."""
    data = Path(os.environ.get("CJ_DATA_DIR", ROOT.parent / "shared" / "data"))
    if not (data / TOPIC).is_dir():
        raise SystemExit(f"{data / TOPIC} is not there; set CJ_DATA_DIR to the data's folder")
    build(data / TOPIC, SAMPLE)
    print(f"{SAMPLE.relative_to(ROOT)} written")


if __name__ == "__main__":
    main()
