"""Requests of graded texts: the shipped sample, and real texts where they are at hand."""

from __future__ import annotations

import csv
import gzip
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from assessment.contracts.request import AnchorRegistration, BatchRequest

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("CJ_DATA_DIR", ROOT.parent / "shared" / "data"))
N_ESSAYS = 100
ANCHOR_EVERY = 4
CONFIG = {"max_waves": 2, "comparisons_per_essay_per_wave": 2, "seed": 5}
SURFACE = {"provider": "surface"}


@dataclass(frozen=True)
class GradedTexts:
    """Texts from worst to best with a grade each; every fourth one is an anchor."""

    name: str
    texts: Sequence[tuple[str, str]]
    scale: Sequence[str]

    @property
    def registration(self) -> AnchorRegistration:
        """Its anchors, for an assignment of its own."""
        return AnchorRegistration.model_validate(
            {
                "assignment_id": self.name,
                "grade_scale": list(self.scale),
                "anchors": [
                    {"anchor_ref": f"a{n}", "grade": grade, "text": text}
                    for n, (text, grade) in enumerate(self.texts)
                    if n % ANCHOR_EVERY == 0
                ],
            }
        )

    @property
    def request(self) -> BatchRequest:
        """Its other texts, to be judged by their surface."""
        return BatchRequest.model_validate(
            {
                "assignment_id": self.name,
                "essays": [
                    {"essay_id": f"e{n}", "text": text}
                    for n, (text, _) in enumerate(self.texts)
                    if n % ANCHOR_EVERY
                ],
                "config": CONFIG,
                "judge": SURFACE,
            }
        )


def read_topics() -> Iterator[GradedTexts]:
    """The topics of `arguments`, by their published scores, lowest best, in four grades."""
    folders = sorted(path for path in (DATA / "arguments").iterdir() if path.is_dir())
    for number, folder in enumerate(folders):
        with (folder / "texts.csv").open(newline="", encoding="utf-8") as file:
            rows = sorted(csv.DictReader(file), key=lambda row: -float(row["published_score"]))
        texts = list(dict.fromkeys(row["text"] for row in rows))
        grades = [("D", "C", "B", "A")[4 * n // len(texts)] for n in range(len(texts))]
        yield GradedTexts(f"topic-{number}", list(zip(texts, grades, strict=True)), "DCBA")


def read_essays() -> GradedTexts:
    """A hundred essays of ASAP set 1 with the first rater's grades."""
    path = DATA / "essays" / "asap-set1.tsv.gz"
    with gzip.open(path, "rt", encoding="utf-8", errors="replace") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    drawn = np.random.default_rng(7).choice(len(rows), N_ESSAYS, replace=False)
    chosen = sorted((rows[n] for n in drawn), key=lambda row: int(row["rater1_domain1"]))
    texts = [(row["essay"].strip('"'), row["rater1_domain1"]) for row in chosen]
    return GradedTexts("asap-1", texts, "123456")
