"""The committed sample: complete, graded as it says, and built from the published data."""

import csv
import os
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest

from assessment.contracts.result import ResultDocument
from assessment.domain.identifiers import content_sha256, make_anchor_essay_id
from local import make_sample, sample
from local.demo import SAMPLE
from local.stack.processes import ROOT

DATA = Path(os.environ.get("CJ_DATA_DIR", ROOT.parent / "shared" / "data"))


@pytest.fixture(scope="module")
def loaded():
    return sample.load(SAMPLE)


def rows(name):
    with (SAMPLE / name).open(newline="") as file:
        return list(csv.DictReader(file))


def test_it_has_24_students_8_anchors_and_all_2474_judgements(loaded):
    assert len(loaded.essays) == 24
    grades = [anchor.grade for anchor in loaded.registration.anchors]
    assert grades == ["F", "E", "D", "D+", "C", "C+", "B", "A"]
    assert len(rows("judgements.csv")) == 2474
    pairs = {frozenset((row["text_a"], row["text_b"])) for row in rows("judgements.csv")}
    assert len(pairs) == 32 * 31 / 2


def test_the_truth_is_the_fit_of_all_judgements(loaded):
    ids = sorted(loaded.truth)
    judgements = make_sample.read_judgements(SAMPLE / "judgements.csv")
    scores = make_sample.fit_all(ids, judgements)
    assert scores.ability == pytest.approx([loaded.truth[i] for i in ids], abs=1e-3)
    written = {row["essay_id"]: float(row["standard_error"]) for row in rows("truth.csv")}
    assert scores.standard_error == pytest.approx([written[i] for i in ids], abs=1e-3)


def test_anchors_are_spread_over_the_range_and_graded_by_ability(loaded):
    abilities = [loaded.truth[anchor.anchor_ref] for anchor in loaded.registration.anchors]
    assert abilities == sorted(abilities)
    assert abilities[0] == min(loaded.truth.values())
    assert abilities[-1] == max(loaded.truth.values())
    assert max(np.diff(abilities)) < 2 * (abilities[-1] - abilities[0]) / 7


def test_the_attribution_stands_in_the_folder():
    readme = (SAMPLE / "README.md").read_text()
    assert "CC BY 4.0" in readme
    assert "Habernal" in readme
    assert "No teacher graded the anchors" in readme


@pytest.mark.real_data
def test_it_can_be_built_again_from_the_data(tmp_path):
    if not (DATA / make_sample.TOPIC).is_dir():
        pytest.skip(f"{DATA} has no {make_sample.TOPIC}; set CJ_DATA_DIR")
    make_sample.build(DATA / make_sample.TOPIC, tmp_path)
    for file in SAMPLE.rglob("*"):
        if file.is_file() and file.name not in {"README.md", "truth.csv"}:
            assert (tmp_path / file.relative_to(SAMPLE)).read_bytes() == file.read_bytes()


def test_agreement_knows_anchors_by_their_synthetic_ids(loaded):
    registration = loaded.registration
    names = {
        anchor.anchor_ref: make_anchor_essay_id(
            registration.assignment_id, anchor.anchor_ref, content_sha256(anchor.text)
        )
        for anchor in registration.anchors
    }
    ids = [names.get(text, text) for text in loaded.truth]
    assert [loaded.true_ability(i) for i in ids] == list(loaded.truth.values())
    assert loaded.true_ability("somebody-elses") is None


def test_agreement_is_one_for_the_truth_and_minus_one_for_its_reverse(loaded):
    def result(sign):
        rankings = [
            {
                "rank": 1,
                "essay_id": essay["essay_id"],
                "bradley_terry_score": sign * loaded.truth[essay["essay_id"]],
                "bradley_terry_se": 0.5,
                "comparison_count": 12,
                "is_anchor": False,
            }
            for essay in loaded.essays
        ]
        (ranking_type,) = get_args(ResultDocument.model_fields["rankings"].annotation)
        fields: dict[str, Any] = {"rankings": [ranking_type.model_validate(r) for r in rankings]}
        return ResultDocument.model_construct(**fields)

    assert sample.agreement(result(1), loaded)["spearman"] == pytest.approx(1)
    assert sample.agreement(result(-1), loaded)["spearman_students"] == pytest.approx(-1)
