"""The recorded comparisons of a specification as the arrays that `scoring` takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from assessment.domain.comparison import Comparison
from assessment.domain.config import BatchConfig
from assessment.domain.judge import Provider
from assessment.domain.spec import BatchSpec
from assessment.domain.verdict import ListVerdict, Verdict, Winner, rank_gaps, signed_outcome
from scoring import Comparisons, Fit, SpreadPrior, fit
from scoring.batch_fit import fit_batch, refit_at_one_spread
from scoring.lists import Lists, join_lists
from scoring.repeats import estimate_repeat_correlation

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def spread_prior(config: BatchConfig) -> float | SpreadPrior:
    """The spread of abilities that the configuration assumes, or the prior that it is given."""
    if config.prior_sd is not None:
        return config.prior_sd
    return SpreadPrior(config.prior_sd_median, config.prior_sd_log_sd)


@dataclass(frozen=True)
class JudgedPool:
    """The recorded comparisons of a specification as index arrays."""

    spec: BatchSpec
    recorded: list[Comparison]
    judges: list[str]
    _refit: list[Fit] = field(default_factory=list, init=False, repr=False, compare=False)

    @classmethod
    def from_comparisons(cls, spec: BatchSpec, comparisons: Sequence[Comparison]) -> JudgedPool:
        """The pool of all comparisons that have a verdict, in the order of their ids."""
        recorded = sorted((c for c in comparisons if c.verdict), key=lambda c: c.comparison_id)
        return cls(spec, recorded, sorted({c.verdict.judge for c in recorded if c.verdict}))

    @property
    def n_essays(self) -> int:
        """Students and anchors together."""
        return len(self.spec.essays)

    @cached_property
    def _position(self) -> dict[str, int]:
        return {essay.essay_id: index for index, essay in enumerate(self.spec.essays)}

    def indices(self, essay_ids: Sequence[str]) -> Ints:
        """Positions of essays in all arrays."""
        return np.array([self._position[essay_id] for essay_id in essay_ids], dtype=np.int64)

    @cached_property
    def repeat_correlation(self) -> float | None:
        """How far judges who were asked again repeat themselves; None if none was."""
        judged = self._list_verdicts(self.recorded)
        if judged.repeated_pairs() is None:
            return None
        return estimate_repeat_correlation(judged)

    def comparisons(self, selection: Sequence[Comparison] | None = None) -> Comparisons:
        """The verdicts as `scoring` takes them, repeats weighed by what is new in them."""
        judged = self._list_verdicts(self.recorded if selection is None else selection)
        if self.repeat_correlation is None:
            return judged
        return judged.with_repeat_correlation(self.repeat_correlation)

    def _list_verdicts(self, chosen: Sequence[Comparison]) -> Comparisons:
        """The verdicts as arrays.

        Degrees are used only if every preference has one: a mixture would make a missing degree
        look like a slight one.
        """
        pairs = [(c, c.pair_verdict) for c in chosen if c.pair_verdict]
        lists = [(c, c.list_verdict) for c in chosen if c.list_verdict]
        return join_lists(
            self._take_pairs(pairs) if pairs else None, self._take_lists(lists) if lists else None
        )

    def _take_pairs(self, judged: Sequence[tuple[Comparison, Verdict]]) -> Comparisons:
        return Comparisons(
            self.n_essays,
            self.indices([comparison.first for comparison, _ in judged]),
            self.indices([comparison.second for comparison, _ in judged]),
            _sign_outcomes([verdict for _, verdict in judged]),
            self._number_judges([verdict.judge for _, verdict in judged]),
        )

    def _take_lists(self, judged: Sequence[tuple[Comparison, ListVerdict]]) -> Lists:
        return Lists(
            self.n_essays,
            [self.indices(comparison.essay_ids) for comparison, _ in judged],
            [self.indices(verdict.ranking) for _, verdict in judged],
            gaps=[_list_gaps(verdict) for _, verdict in judged],
            scores=[verdict.scores for _, verdict in judged],
            judge=self._number_judges([verdict.judge for _, verdict in judged]),
        )

    def _number_judges(self, labels: Sequence[str]) -> Ints:
        order = {judge: index for index, judge in enumerate(self.judges)}
        return np.array([order[label] for label in labels], dtype=np.int64)

    @property
    def is_model(self) -> list[bool]:
        """Which judges are no people."""
        return [not judge.startswith(f"{Provider.PERSON}/") for judge in self.judges]

    def fit(self, config: BatchConfig) -> Fit:
        """The fit of all recorded verdicts, as batches report it."""
        return fit_batch(self.comparisons(), prior_sd=spread_prior(config), is_model=self.is_model)

    def fit_at_one_spread(self, standing: Fit) -> Fit:
        """The same fit at the middle of what is known of the spread of abilities, for grades.

        Grades, groups and baselines ask for the same one, so the last is kept.
        """
        if self._refit and self._refit[0] is standing:
            return self._refit[1]
        refit = refit_at_one_spread(standing, self.comparisons())
        self._refit[:] = [standing, refit]
        return refit

    def fit_quickly(self, config: BatchConfig, selection: Sequence[Comparison]) -> Fit:
        """The fit of some verdicts, in which every verdict follows the model: for predictions."""
        return fit(
            self.comparisons(selection), prior_sd=spread_prior(config), estimator="variational"
        )

    def counts(self) -> Ints:
        """Recorded comparisons of each essay."""
        return self.count_readings(self.recorded)

    def count_readings(self, comparisons: Sequence[Comparison]) -> Ints:
        """How often each essay is in one of the comparisons."""
        read = [essay_id for comparison in comparisons for essay_id in comparison.essay_ids]
        return np.bincount(self.indices(read), minlength=self.n_essays)

    def anchors(self) -> tuple[Ints, Ints]:
        """The anchors' indices and the positions of their grades; empty without a scale."""
        scale = self.spec.grade_scale
        anchors = self.spec.anchors if scale else []
        positions = [scale.position(anchor.grade or "") for anchor in anchors if scale]
        return self.indices([a.essay_id for a in anchors]), np.array(positions, dtype=np.int64)


def _list_gaps(verdict: ListVerdict) -> tuple[int, ...] | None:
    """The gaps of a ranking; None if any is unknown: it would look like a slight one."""
    if verdict.gaps is None or None in verdict.gaps:
        return None
    return rank_gaps(verdict)


def _sign_outcomes(verdicts: Sequence[Verdict]) -> Ints:
    graded = all(v.degree for v in verdicts if v.winner is not Winner.TIE)
    return np.array([signed_outcome(v, graded=graded) for v in verdicts], dtype=np.int64)
