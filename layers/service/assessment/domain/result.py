"""What a batch ends in: rankings, grade projections, reliability, all with their uncertainty.

Abilities, boundaries, residuals and standard errors are in logits.
"""

from __future__ import annotations

from enum import StrEnum
from math import log
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from assessment.domain.baselines import BaselineReport
from assessment.domain.grading_history import BatchMeasurement
from assessment.domain.grading_result import GradeProjections
from assessment.domain.group_report import GroupReport
from assessment.domain.judges_in_lists import ListSharpness

SPLIT_HALF_COMPARISONS = 2000

PROVEN_LOG_BAYES_FACTOR = log(10.0)
"""By Ville's inequality random verdicts ever reach it with a probability of at most .1."""


class MisfitFlag(StrEnum):
    """How verdicts disagree with the fit more than chance explains (deviate above 2)."""

    NOISY = "noisy"
    SURPRISING = "surprising"


class Ranking(BaseModel):
    """One essay's place on the scale, students and anchors together.

    `bradley_terry_interval` holds the ability with 95% probability, logits; it reaches further out
    than in, for all abilities stretch with a factor that is not known exactly. `rank_interval`
    holds the rank with 90% probability. `infit` and `outfit` are mean squares, 1
    where the verdicts are as noisy as the model says.
    """

    model_config = ConfigDict(frozen=True)

    rank: int
    essay_id: str
    bradley_terry_score: float
    bradley_terry_se: float
    bradley_terry_interval: tuple[float, float] | None = None
    comparison_count: int
    is_anchor: bool
    anchor_grade: str | None = None
    infit: float | None = None
    outfit: float | None = None
    rank_interval: tuple[int, int] | None = None
    misfit_flags: list[MisfitFlag] = []


class OrderEffect(BaseModel):
    """How much a judge favours the essay shown first, in logits."""

    model_config = ConfigDict(frozen=True)

    judge: str
    estimate: float
    standard_error: float


class AuditReport(BaseModel):
    """How well earlier fits predicted the verdicts.

    The figures are those of random pairs, which adaptive pairing cannot flatter; only `chance_z`
    uses every predicted pair, `tested_pairs`: a coin is independent of any prediction that was made
    before it fell, however the pair was chosen. `log_bayes_factor` is the evidence of all verdicts
    for a judge who orders the essays at least weakly against one who ignores them, natural
    logarithm; `at_chance` says that it is evidence for the latter.
    """

    model_config = ConfigDict(frozen=True)

    pairs: int
    tested_pairs: int = 0
    chance_z: float | None = None
    log_bayes_factor: float | None = None
    agreement: float | None = None
    agreement_interval: tuple[float, float] | None = None
    log_loss: float | None = None
    log_loss_interval: tuple[float, float] | None = None
    slope: float | None = None
    slope_interval: tuple[float, float] | None = None
    at_chance: bool = False


class ScaleSeparation(BaseModel):
    """The three formulas known as scale separation reliability, and the separation G.

    A is 1 - MSE / V, B is G^2 / (1 + G^2), C is V / (V + mean posterior variance). None is valid
    under adaptive pairing unless the prior is right; they are for comparison with other systems.
    """

    model_config = ConfigDict(frozen=True)

    formula_a: float
    formula_b: float
    formula_c: float
    separation: float | None


class AbilitySpread(BaseModel):
    """The standard deviation of abilities, logits, with a 95% interval.

    `is_assumed` says that it was set by an administrator and not estimated from the verdicts: then
    the interval is that one value, and every other figure holds only if the assumption does.
    """

    model_config = ConfigDict(frozen=True)

    sd: float
    interval: tuple[float, float]
    is_assumed: bool


class ReliabilityForecast(BaseModel):
    """What further comparisons per essay would make of the reliability, with a 90% interval."""

    model_config = ConfigDict(frozen=True)

    further_comparisons_per_essay: int
    reliability: float
    interval: tuple[float, float]


class AbilityScale(StrEnum):
    """Whose scale abilities are on: people's, or only that of the judges who were asked."""

    PEOPLE = "people"
    JUDGES = "judges"


class Reliability(BaseModel):
    """Reliability figures, every one under its own name.

    `model_reliability` is the posterior mean of the squared correlation between the reported and
    the true abilities of these essays, on the `scale` that is named, and `reliability_interval`
    holds it with 90% probability. `scale` is "people" where only people judged, or people beside
    models and enough of them; else everything is said of the judges' own scale, and nothing of how
    people would judge.
    `standardised_se` is the standard error of an ability in standard deviations of the abilities,
    its square averaged over essays: nearly the root of 1 - reliability. `mean_se` and `max_se` are
    in logits, whose unit is the judges' noise: it moves with what verdicts tell of that noise.
    `split_half` is Spearman-Brown corrected, from random halves of the comparisons; it is computed
    for batches of up to `SPLIT_HALF_COMPARISONS` comparisons. `repeat_correlation` says how far
    judges who judged a pair again repeated themselves beyond what the abilities explain: 1, the
    repeats were no new evidence, to 0, each was; null without repeats.
    """

    model_config = ConfigDict(frozen=True)

    model_reliability: float
    reliability_interval: tuple[float, float] | None = None
    spread: AbilitySpread | None = None
    forecast: list[ReliabilityForecast] = []
    estimator: str = "variational"
    scale: AbilityScale = AbilityScale.JUDGES
    mean_se: float
    max_se: float
    standardised_se: float | None = None
    scale_separation: ScaleSeparation | None = None
    split_half: float | None = None
    repeat_correlation: float | None = None

    @property
    def low(self) -> float:
        """The lower limit of the reliability's interval; 0 where there is no interval."""
        return self.reliability_interval[0] if self.reliability_interval else 0.0


class Disagreement(BaseModel):
    """An essay that a model takes for better than people do, or worse: people's logits."""

    model_config = ConfigDict(frozen=True)

    essay_id: str
    shift: float
    standard_error: float


class ConstructGap(BaseModel):
    """How a model reads essays otherwise than people.

    `tau` is the standard deviation of its essay effects on people's scale, logits, with a 90%
    interval; `scale` is the model's logits for one of people's; `disagreements` are the essays with
    the largest effects in standard errors, the largest first.
    """

    model_config = ConfigDict(frozen=True)

    tau: float
    tau_interval: tuple[float, float]
    scale: float
    disagreements: list[Disagreement]


class JudgeFit(BaseModel):
    """One judge's verdicts: their number, those of pairs that tie or choose the first, and misfit.

    `discrimination` is the factor by which the judge's logits differ from the jury's common scale:
    above 1 the judge tells essays apart more sharply. It is 1 for a judge alone. `lapse_rate` is
    the share of verdicts that are random answers, and `degree_share` says how much the degrees
    tell: 0 nothing beyond which essay is better, 1 as much as the model of degrees says.
    """

    model_config = ConfigDict(frozen=True)

    judge: str
    verdicts: int
    ties: int
    first_preferred: int
    discrimination: float = 1.0
    discrimination_se: float = 0.0
    lapse_rate: float = 0.0
    degree_share: float = 1.0
    construct_gap: ConstructGap | None = None
    infit: float
    outfit: float
    misfit_flags: list[MisfitFlag]


class Scores(BaseModel):
    """A fit of all verdicts so far."""

    model_config = ConfigDict(frozen=True)

    rankings: list[Ranking]
    reliability: Reliability
    order_effects: list[OrderEffect]
    audit: AuditReport
    components: int
    isolated_essays: int
    anchor_order: float | None = None
    list_sharpness: Annotated[list[ListSharpness], Field(exclude_if=lambda value: not value)] = []

    def is_proven(self, *, min_reliability: float) -> bool:
        """Whether the verdicts show enough order for grades.

        The lower limit of the reliability is above its floor, and the verdicts support a judge
        who orders the essays. The second holds whatever spread of abilities was assumed; the first
        alone may be met by chance in a very small class.
        """
        evidence = self.audit.log_bayes_factor
        has_order = evidence is not None and evidence >= PROVEN_LOG_BAYES_FACTOR
        return has_order and self.reliability.low >= min_reliability


class Conclusion(BaseModel):
    """The last fit with everything that is said of it."""

    model_config = ConfigDict(frozen=True)

    scores: Scores
    projections: GradeProjections
    judges: list[JudgeFit]
    measurement: BatchMeasurement | None = None
    groups: GroupReport | None = None
    baselines: BaselineReport | None = None
