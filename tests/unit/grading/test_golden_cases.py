"""What a class receives in the cases that schools have: few anchors, wrong ones, none at all."""

from __future__ import annotations

from math import fsum, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assessment.domain.config import BatchConfig
from assessment.domain.grading import DECIMALS, GradeRule, normalised_entropy, published_grade
from assessment.domain.grading_history import AnchorHistory, AnchorMeasurement, BatchMeasurement
from assessment.domain.grading_prior import PopulationPrior
from assessment.domain.grading_result import (
    CalibrationInfo,
    Confidence,
    GradeProjections,
    confidence_label,
)
from assessment.domain.result import Ranking
from tests.present import present

from .batch import (
    SCALE,
    STATISTICS,
    WIDTH,
    centre,
    conclude_batch,
    judge_essays,
    make_spec,
    place_anchors,
)

ALL = [grade for grade in SCALE.grades for _ in range(2)]


def mean(values):
    values = list(values)
    return fsum(values) / len(values)


def calibration(projections: GradeProjections) -> CalibrationInfo:
    """How the grades were calibrated, where there are grades."""
    return present(projections.calibration_info)


def compute_entropies(projections):
    """Entropy over the logarithm of the number of grades, recomputed from the probabilities."""
    return {
        essay: -fsum(p * log(p) for p in probabilities.values() if p > 0) / log(len(probabilities))
        for essay, probabilities in projections.grade_probabilities.items()
    }


def test_without_anchors_there_is_a_ranking_and_a_reason():
    result = conclude_batch([])
    assert not result.projections.projections_available
    assert result.projections.reason == "the assignment has no anchors"
    assert result.projections.reason_code == "no_anchors"
    assert result.projections.primary_grades == {}
    assert [ranking.rank for ranking in result.scores.rankings] == list(range(1, 41))
    assert all(ranking.rank_interval is not None for ranking in result.scores.rankings)


def test_anchors_across_all_grades():
    projections = conclude_batch(place_anchors(ALL)).projections
    assert projections.projections_available
    for probabilities in projections.grade_probabilities.values():
        assert list(probabilities) == list(SCALE.grades)
        assert abs(fsum(probabilities.values()) - 1) <= 1e-12
        assert min(probabilities.values()) >= 0
    info = calibration(projections)
    boundaries = list(info.boundaries.values())
    assert boundaries == sorted(boundaries)
    assert list(info.boundaries) == ["F|E", "E|D", "D|D+", "D+|C", "C|C+", "C+|B", "B|A"]
    assert info.extrapolated_grades == []
    true = [centre(g) + WIDTH / 2 for g in range(7)]
    errors = [
        (found - edge) / se
        for found, edge, se in zip(boundaries, true, info.boundary_se.values(), strict=True)
    ]
    assert max(map(abs, errors)) < 3.5


@pytest.mark.slow
@pytest.mark.parametrize(("n_anchors", "least"), [(2, -0.2), (4, -0.09)])
def test_grades_are_right_more_often_than_their_neighbours(n_anchors, least):
    """Simulated truth: 200 students of five classes, graded by the band of their true ability.

    Two anchors a grade cannot show that their graders agree, and the probabilities allow for more.
    """
    anchors = place_anchors([grade for grade in SCALE.grades for _ in range(n_anchors)])
    hits, claims = [], []
    for seed in range(1, 6):
        projections = conclude_batch(anchors, seed=seed).projections
        rng = np.random.default_rng([seed, 7])
        for k in range(40):
            true = SCALE.grades[int(np.clip(round(rng.normal(0, 2) / WIDTH + 3.5), 0, 7))]
            probabilities = projections.grade_probabilities[f"essay-{k:04d}"]
            hits.append(projections.primary_grades[f"essay-{k:04d}"] == true)
            claims.append(max(probabilities.values()))
    assert mean(hits) > 0.42
    assert least < mean(claims) - mean(hits) < 0.09, "what is claimed is what happens"


def test_a_larger_standard_error_goes_with_a_higher_entropy():
    result = conclude_batch(place_anchors(ALL), n_students=80, per_essay=6)
    inner = [
        ranking
        for ranking in result.scores.rankings
        if not ranking.is_anchor and abs(ranking.bradley_terry_score) < 2
    ]
    entropies = compute_entropies(result.projections)
    # The doubt of the common scale grows with the distance from the mean; the anchors share it,
    # so that no grade depends on it. What is left is the essay's own.
    squares = np.array([ranking.bradley_terry_score**2 for ranking in inner])
    variances = np.array([ranking.bradley_terry_se**2 for ranking in inner])
    own = variances - np.polyval(np.polyfit(squares, variances, 1), squares)
    assert np.corrcoef(own, [entropies[r.essay_id] for r in inner])[0, 1] > 0.2


def test_more_comparisons_lower_standard_errors_and_entropies():
    few, many = (conclude_batch(place_anchors(ALL), per_essay=k) for k in (6, 24))
    assert many.scores.reliability.mean_se < 0.7 * few.scores.reliability.mean_se
    entropies = [mean(compute_entropies(r.projections).values()) for r in (few, many)]
    assert entropies[1] < entropies[0]


def test_scarce_anchors_make_wide_grades_and_say_so():
    scarce = conclude_batch(place_anchors(["E", "B"])).projections
    plenty = conclude_batch(place_anchors(ALL)).projections
    assert scarce.projections_available
    assert set(calibration(scarce).extrapolated_grades) == {"F", "D", "D+", "C", "C+", "A"}
    assert any("extrapolated" in warning for warning in calibration(scarce).warnings)
    assert mean(compute_entropies(scarce).values()) > mean(compute_entropies(plenty).values())
    assert mean(calibration(scarce).boundary_se.values()) > mean(
        calibration(plenty).boundary_se.values()
    )


def test_one_misgraded_anchor_is_named_and_moves_little():
    anchors = place_anchors(ALL)
    anchors[2] = ("C+", centre(SCALE.position("E")))  # an E that was registered as C+
    right = conclude_batch(place_anchors(ALL), per_essay=24).projections
    wrong = conclude_batch(anchors, per_essay=24).projections
    health = {anchor.anchor_ref: anchor for anchor in calibration(wrong).anchors}
    assert min(health, key=lambda ref: health[ref].weight) == "a002"
    assert health["a002"].weight < 0.5
    assert health["a002"].residual < -1.5
    assert health["a002"].misorder >= 4
    finding = next(f for f in calibration(wrong).findings if f.code == "anchor_misgraded")
    assert finding.anchors == ["ANCHOR_a002_00000000"]
    assert "a002" in finding.message
    assert "C+" in finding.message
    moved = [
        abs(calibration(wrong).boundaries[step] - calibration(right).boundaries[step])
        for step in calibration(right).boundaries
    ]
    assert max(moved) < 0.5 * WIDTH


def test_two_missing_grades_are_extrapolated():
    graded = [grade for grade in ALL if grade not in ("D+", "A")]
    projections = conclude_batch(place_anchors(graded)).projections
    info = calibration(projections)
    assert info.extrapolated_grades == ["D+", "A"]
    assert "D+, A" in " ".join(info.warnings)
    assert all(set(p) == set(SCALE.grades) for p in projections.grade_probabilities.values())


def test_reversed_anchors_give_no_grades_but_the_ranking_stands():
    labels = [grade for grade, _ in place_anchors(ALL)]
    abilities = [ability for _, ability in place_anchors(ALL)]
    result = conclude_batch(list(zip(labels, reversed(abilities), strict=True)))
    assert not result.projections.projections_available
    assert "higher grades have lower abilities" in present(result.projections.reason)
    assert result.projections.reason_code == "anchors_reversed"
    assert len(result.scores.rankings) == 40 + len(ALL)


def test_anchors_of_one_grade_give_no_grades():
    result = conclude_batch([("C", -1.0), ("C", 0.0), ("C", 1.0)])
    assert not result.projections.projections_available
    assert present(result.projections.reason).startswith("all 3 anchors have the grade C")
    assert result.projections.reason_code == "one_anchor_grade"


def test_the_population_prior_moves_grades_towards_its_shares():
    shares = {"A": 0.6, "B": 0.2, "C": 0.1, "D": 0.1}
    scarce = place_anchors(["E", "B"])
    plain = conclude_batch(scarce).projections
    pulled = conclude_batch(scarce, population=PopulationPrior(shares=shares, weight=4)).projections
    ignored = conclude_batch(
        scarce, population=PopulationPrior(shares=shares, weight=0)
    ).projections

    def best(projections):
        return mean(p["A"] for p in projections.grade_probabilities.values())

    assert best(pulled) > best(plain) + 0.1
    assert ignored.grade_probabilities == plain.grade_probabilities
    assert present(calibration(pulled).population).shares == shares


def test_a_method_without_a_place_for_the_prior_says_that_it_is_not_used():
    prior = PopulationPrior(shares={"C": 1.0})
    projections = conclude_batch(
        place_anchors(ALL), population=prior, grade_method="medians"
    ).projections
    assert [f.code for f in calibration(projections).findings] == ["population_ignored"]


@pytest.mark.parametrize("method", ["gls", "isotonic", "medians"])
def test_every_method_gives_probabilities(method):
    projections = conclude_batch(place_anchors(ALL), grade_method=method).projections
    assert calibration(projections).method == method
    assert all(abs(fsum(p.values()) - 1) <= 1e-12 for p in projections.grade_probabilities.values())


def test_graders_who_disagree_widen_the_grades():
    rng = np.random.default_rng(5)
    grades = [grade for grade in SCALE.grades for _ in range(4)]
    noisy = [(grade, ability + rng.normal(0, 0.9)) for grade, ability in place_anchors(grades)]
    agreed, split = (
        conclude_batch(anchors, per_essay=24).projections
        for anchors in (place_anchors(grades), noisy)
    )
    assert present(calibration(agreed).anchor_spread) < 0.4
    # A Student-t scale: about .8 of a normal standard deviation of .9, measured by 32 anchors.
    assert calibration(split).anchor_spread == pytest.approx(0.72, abs=0.25)
    assert "graders_disagree" in [f.code for f in calibration(split).findings]
    assert mean(compute_entropies(split).values()) > mean(compute_entropies(agreed).values())


def test_a_few_anchors_do_not_show_that_their_graders_agree():
    info = calibration(conclude_batch(place_anchors(["F", "C", "A"]), per_essay=24).projections)
    assert "few_anchors" in [f.code for f in info.findings]
    assert "graders_disagree" not in [f.code for f in info.findings]


@pytest.mark.parametrize("rule", list(GradeRule))
def test_the_published_grades_follow_the_configured_rule(rule: GradeRule):
    projections = conclude_batch(place_anchors(ALL), grade_rule=rule).projections
    assert present(projections.grade_rule) is rule
    for essay, probabilities in projections.grade_probabilities.items():
        grade = published_grade(probabilities, rule)
        assert projections.primary_grades[essay] == grade
        assert grade in projections.grade_sets[essay]
        assert grade in projections.calibrated_sets[essay]


def test_calibrated_sets_are_smaller_and_say_what_they_rest_on():
    projections = conclude_batch(place_anchors(ALL), n_students=80).projections
    sizes = [
        mean(len(members) for members in sets.values())
        for sets in (projections.calibrated_sets, projections.grade_sets)
    ]
    assert sizes[0] < sizes[1]
    known = present(projections.set_calibration)
    assert (known.target, known.anchors, known.earlier_anchors) == (0.9, len(ALL), 0)
    assert known.expected_coverage >= 0.9
    n = known.effective_anchors
    assert n <= len(ALL)
    assert known.guaranteed_coverage == pytest.approx(1 - (0.1 * (10.25 + n) + 0.75) / (n + 1))
    assert 0 < known.anchors_held <= known.anchors


def test_calibrated_sets_follow_from_what_is_published():
    """Where graders disagree: the probabilities that sets are made of, and the line."""
    rng = np.random.default_rng(7)
    anchors = [(grade, true + rng.normal(0, 1.5)) for grade, true in place_anchors(ALL)]
    projections = conclude_batch(anchors, n_students=80).projections
    known = present(projections.set_calibration)
    assert projections.set_probabilities.keys() == projections.calibrated_sets.keys()
    for essay, probabilities in projections.set_probabilities.items():
        assert fsum(probabilities.values()) == pytest.approx(1)
        least = known.least_probability
        members = [grade for grade, share in probabilities.items() if share >= least - 1e-9]
        published = projections.primary_grades[essay]
        assert set(projections.calibrated_sets[essay]) == {*members, published}


def test_earlier_batches_add_their_anchors_to_the_sets():
    """Twenty anchors that this batch has not, whose own grades were unlikely, widen the sets."""
    spec = make_spec(40, [grade for grade, _ in place_anchors(ALL)])
    rng = np.random.default_rng(4)
    places = rng.normal(0, 2, len(spec.essays))
    ability = {e.essay_id: float(x) for e, x in zip(spec.essays, places, strict=True)}
    ability |= {
        a.essay_id: true for a, (_, true) in zip(spec.anchors, place_anchors(ALL), strict=True)
    }
    comparisons = judge_essays(spec, ability, per_essay=16)
    earlier = [
        AnchorMeasurement(
            essay_id=f"old{k}", ability=0, variance=1, grade="C", own_grade_probability=0.001
        )
        for k in range(20)
    ]
    history = AnchorHistory(
        batches=[
            BatchMeasurement(
                spec_hash="0", measured_at="", judges=["simulated"], spread=2, spread_log_se=0.1,
                anchors=earlier,
            )
        ]
    )  # fmt: skip
    alone, after = (
        STATISTICS.conclude(
            spec.model_copy(update={"anchor_history": known}), comparisons, config=BatchConfig()
        ).projections
        for known in (None, history)
    )
    assert present(after.set_calibration).earlier_anchors == 20
    line = present(after.set_calibration).least_probability
    assert line < present(alone.set_calibration).least_probability


def test_an_essay_below_the_configured_probability_asks_for_more_evidence():
    strict = conclude_batch(
        place_anchors(ALL), per_essay=6, needs_more_evidence_below=0.5
    ).projections
    for essay, probabilities in strict.grade_probabilities.items():
        assert (essay in strict.needs_more_evidence) is (max(probabilities.values()) < 0.5)
    assert strict.needs_more_evidence
    assert set(strict.further_comparisons) == set(strict.needs_more_evidence)
    known = [count for count in strict.further_comparisons.values() if count is not None]
    assert known
    assert all(1 <= count <= 200 for count in known)


def test_the_estimate_of_further_comparisons_is_roughly_what_it_takes():
    """Simulated: essays that ask for more at 6 comparisons, judged on to the median estimate."""
    few = conclude_batch(
        place_anchors(ALL), per_essay=6, needs_more_evidence_below=0.45
    ).projections
    estimates = [count for count in few.further_comparisons.values() if count is not None]
    more = conclude_batch(
        place_anchors(ALL), per_essay=6 + int(np.median(estimates)), needs_more_evidence_below=0.45
    ).projections
    settled = [e for e in few.needs_more_evidence if e not in more.needs_more_evidence]
    assert 0.25 < len(settled) / len(few.needs_more_evidence) <= 1


def test_labels_follow_the_entropy_and_the_likeliest_grade():
    projections = conclude_batch(place_anchors(ALL), n_students=80).projections
    for essay, entropy in compute_entropies(projections).items():
        likeliest = max(projections.grade_probabilities[essay].values())
        expected = (
            Confidence.HIGH
            if entropy < 0.35 and likeliest >= 0.75
            else Confidence.MID
            if entropy < 0.65
            else Confidence.LOW
        )
        assert projections.confidence_labels[essay] is expected
        assert projections.confidence_scores[essay] == pytest.approx(1 - entropy, abs=1e-9)


@pytest.mark.parametrize("n_grades", [2, 3, 5, 8, 17])
@given(lead=st.floats(0.5, 0.749))
def test_a_toss_between_two_grades_is_never_high(n_grades, lead):
    toss = [lead, 1 - lead] + [0.0] * (n_grades - 2)
    assert confidence_label(normalised_entropy(toss), max(toss)) is not Confidence.HIGH


def test_a_likely_grade_with_thin_tails_is_high():
    sure = [0.86, 0.13, 0.01, 0, 0, 0, 0, 0]
    assert confidence_label(normalised_entropy(sure), max(sure)) is Confidence.HIGH


def test_the_self_check_and_the_anchors_health_are_reported():
    info = calibration(conclude_batch(place_anchors(ALL)).projections)
    check = present(info.self_check)
    assert check.anchors == len(ALL)
    assert 0 < present(check.rps) < 0.1
    assert 0 <= present(check.ece) <= 1
    assert all(present(anchor.boundary_shift) >= 0 for anchor in info.anchors)
    assert {anchor.grade for anchor in info.anchors} == set(SCALE.grades)


def test_every_reliability_has_its_name():
    reliability = conclude_batch(place_anchors(ALL)).scores.reliability
    separation = present(reliability.scale_separation)
    assert 0.8 < present(reliability.model_reliability) < 1
    assert 0.7 < present(reliability.split_half) < 1
    assert separation.formula_b == pytest.approx(1 / (2 - separation.formula_a))
    assert separation.formula_c == pytest.approx(separation.formula_b)


def mean_width(rankings: list[Ranking]) -> float:
    """The mean width of the rank intervals."""
    intervals = [present(ranking.rank_interval) for ranking in rankings]
    return mean(high - low for low, high in intervals)


def test_ranks_and_their_intervals():
    rankings = conclude_batch([], n_students=60).scores.rankings
    for ranking in rankings:
        low, high = present(ranking.rank_interval)
        assert 1 <= low <= ranking.rank <= high <= 60
        least, most = present(ranking.bradley_terry_interval)
        assert least < ranking.bradley_terry_score < most
    few = conclude_batch([], n_students=60, per_essay=6).scores.rankings
    assert mean_width(rankings) < mean_width(few)


def test_figures_have_the_published_precision():
    projections = conclude_batch(place_anchors(ALL)).projections
    for probabilities in projections.grade_probabilities.values():
        assert all(round(p, DECIMALS) == p for p in probabilities.values())
