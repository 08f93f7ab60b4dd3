"""From comparisons to weighted, oriented observations; ties, degrees and repeats are settled."""

from __future__ import annotations

from dataclasses import dataclass, replace
from numbers import Integral
from typing import TYPE_CHECKING, Literal

import numpy as np

from scoring._fit.judgings import tell_judgings
from scoring._fit.linear import sum_differences
from scoring._fit.order_effects import OrderEffects
from scoring.errors import AllTiesError, InvalidComparisonError, InvalidSettingError

if TYPE_CHECKING:
    from scoring._fit.judgings import Judgings
    from scoring._list_rows import ListRows
    from scoring._types import Floats, Ints
    from scoring.comparisons import Comparisons

type Ties = Literal["auto", "interval", "davidson", "half"]
type Repeats = Literal["shared", "independent"]


@dataclass(slots=True, eq=False)
class Observations:
    """What the likelihood is a weighted sum over.

    Attributes
    ----------
    n : int
        Number of essays.
    n_judges : int
        Number of judges J.
    first, second : (m,) arrays of int
        Essays as shown.
    judge : (m,) array of int or None
        None when there is one judge.
    sign : (m,) array of float
        +1 when the first essay is preferred or the verdict is a tie, else -1.
    category : (m,) array of int
        Degree, 0 for a tie.
    weight : (m,) array of float or None
        Evidence of each row in comparisons; None when all are 1.
    degrees : int
        Highest degree D.
    ties : {"none", "interval", "davidson", "half"}
        How ties are modelled.
    judgings : Judgings or None
        Where there are lists: the kinds of verdicts, pairs and lists of every judge, which then
        stand for judges in ``n_judges`` and ``judge``. A category of D + 1 is a preference of
        unknown degree there.
    """

    n: int
    n_judges: int
    first: Ints
    second: Ints
    judge: Ints | None
    sign: Floats
    category: Ints
    weight: Floats | None
    degrees: int
    ties: str
    judgings: Judgings | None = None

    def order_effects(self) -> OrderEffects:
        """Return which effects of the shown order bear on every verdict."""
        if self.judgings is not None:
            return self.judgings.order_effects()
        return OrderEffects(self.judge, self.n_judges)

    def reweigh_for_ratios(self, squared_difference: Floats) -> Observations:
        """Return the same verdicts with the weights by which ratios of sharpness are estimated.

        Parameters
        ----------
        squared_difference : (m,) array
            Expected squares of the judged differences, logits^2.
        """
        if self.judgings is None or self.weight is None:
            return self
        rows = self.judgings.rows
        own = rows.weigh_in_ratios(squared_difference)
        return replace(self, weight=self.weight * own / rows.weight)

    def readings(self) -> Ints:
        """Return in how many pairs and lists each essay was judged, repeats counted once, (n,)."""
        if self.judgings is None:
            return self.evidence()
        rows = self.judgings.rows
        own = rows.share_of_reading
        w = own if self.weight is None else own * self.weight / rows.weight
        total = np.bincount(self.first, w, self.n) + np.bincount(self.second, w, self.n)
        counted: Ints = np.rint(total).astype(np.int64)
        return counted

    def evidence(self) -> Ints:
        """Return the number of comparisons that bear on each essay, repeats counted once, (n,)."""
        w = self.weight
        total = np.bincount(self.first, w, self.n) + np.bincount(self.second, w, self.n)
        counted: Ints = np.rint(total).astype(np.int64)
        return counted

    def half_wins(self) -> Floats:
        """Return each essay's wins plus half its ties, weighted, (n,)."""
        share = 0.5 + 0.5 * self.sign
        if self.ties != "none":
            share[self.category == 0] = 0.5
        w = 1.0 if self.weight is None else self.weight
        won: Floats = np.bincount(self.first, w * share, self.n)
        return won + np.bincount(self.second, w * (1.0 - share), self.n)

    def weights(self) -> Floats:
        """Return the evidence of each row in comparisons, (m,)."""
        return np.ones(len(self.sign)) if self.weight is None else self.weight

    def sum_by_judge(self, values: Floats) -> Floats:
        """Return the sum of the verdicts' values by judge, (J,)."""
        if self.judge is None:
            return values.sum(keepdims=True)
        summed: Floats = np.bincount(self.judge, values, self.n_judges)
        return summed

    def sum_essays_by_judge(self, values: Floats) -> Floats:
        """Return the sum of (e_first - e_second) times the verdicts' values by judge, (n, J)."""
        if self.judge is None:
            first, second = (np.bincount(e, values, self.n) for e in (self.first, self.second))
            return (first - second)[:, None]
        return sum_differences(self.first, self.second, self.judge, values, self.n, self.n_judges)


def observe(
    comparisons: Comparisons, *, ties: Ties, degrees: int | Literal["auto"], repeats: Repeats
) -> Observations:
    """Check outcomes against the declared degrees and settle weights and ties.

    Raises
    ------
    AllTiesError
        If no verdict prefers an essay.
    InvalidComparisonError
        If an outcome exceeds the declared degrees.
    InvalidSettingError
        If ``ties``, ``degrees`` or ``repeats`` is unknown, or Davidson ties meet degrees.
    """
    outcome = comparisons.outcome
    category = np.abs(outcome)
    highest = _highest_degree(category, outcome, degrees)
    kind = _kind_of_ties(ties, category, highest)
    weight = weigh_evidence(comparisons, repeats)
    observations = Observations(
        n=comparisons.n_essays,
        n_judges=comparisons.n_judges,
        first=comparisons.first,
        second=comparisons.second,
        judge=comparisons.judge if comparisons.n_judges > 1 else None,
        sign=np.where(outcome < 0, -1.0, 1.0),
        category=category,
        weight=weight,
        degrees=highest,
        ties=kind,
    )
    if comparisons.list_rows is not None:
        _tell_lists(observations, comparisons.list_rows)
    return _split_ties(observations) if kind == "half" else observations


def _tell_lists(o: Observations, rows: ListRows) -> None:
    """Let every judge's lists of a size be judged by a kind of its own.

    Raises
    ------
    InvalidSettingError
        If ties are Davidson's: the model has no lists.
    """
    if o.ties in ("davidson", "half"):
        raise InvalidSettingError("ties", f"{o.ties!r} knows pairs only; lists need 'interval'")
    o.judgings = tell_judgings(o.judge, o.n_judges, rows)
    o.judge, o.n_judges = o.judgings.kind, len(o.judgings.judge)
    if o.degrees > 1:
        unknown = ~rows.has_degree & (o.category > 0)
        o.category = np.where(unknown, o.degrees + 1, o.category)


def _highest_degree(category: Ints, outcome: Ints, degrees: object) -> int:
    top = int(category.max())
    if top == 0:
        raise AllTiesError("every verdict is a tie: nothing can be ordered")
    if degrees == "auto":
        return top
    if not isinstance(degrees, Integral) or int(degrees) < 1:
        raise InvalidSettingError("degrees", f"expected 'auto' or an integer >= 1, got {degrees!r}")
    declared = int(degrees)
    if top > declared:
        row = int((category > declared).argmax())
        raise InvalidComparisonError(
            "outcome", f"{outcome[row]} is beyond the {declared} declared degree(s) a side", row
        )
    return declared


def _kind_of_ties(ties: Ties, category: Ints, degrees: int) -> str:
    if ties not in ("auto", "interval", "davidson", "half"):
        raise InvalidSettingError(
            "ties", f"expected 'auto', 'interval', 'davidson' or 'half', got {ties!r}"
        )
    if ties == "davidson" and degrees > 1:
        raise InvalidSettingError(
            "ties", "Davidson's model knows one degree only; use 'interval' for degrees"
        )
    if not (category == 0).any():
        return "none"
    return "interval" if ties == "auto" else ties


def weigh_evidence(comparisons: Comparisons, repeats: Repeats) -> Floats | None:
    """Return what each of r comparisons of one pair by one known judge weighs; None if all r are 1.

    Their mean has the variance of r / (1 + (r - 1) rho) independent ones (Kish 1965, section 8.2).
    A pair of a list weighs its part of the list's evidence.

    Parameters
    ----------
    comparisons : Comparisons
        m verdicts.
    repeats : {"shared", "independent"}
        Whether a judge's verdicts on one pair share evidence.

    Returns
    -------
    (m,) array or None
        In independent verdicts.
    """
    if repeats not in ("shared", "independent"):
        raise InvalidSettingError("repeats", f"expected 'shared' or 'independent', got {repeats!r}")
    repeated = None if repeats == "independent" else comparisons.repeated_pairs()
    if comparisons.list_rows is not None:
        return _weigh_lists(comparisons.list_rows.weight, repeated, comparisons.repeat_correlation)
    if repeated is None:
        return None
    extra = repeated[1].astype(np.float64) - 1.0
    weight: Floats = 1.0 / (1.0 + extra * comparisons.repeat_correlation)
    return weight


def _weigh_lists(own: Floats, repeated: tuple[Ints, Ints] | None, correlation: float) -> Floats:
    """Weigh pairs of lists; repeats count as many as they would be of the heaviest among them."""
    if repeated is None:
        return own
    group = repeated[0]
    heaviest = np.zeros(int(group.max()) + 1)
    np.maximum.at(heaviest, group, own)
    extra = np.bincount(group, own) / heaviest - 1.0
    weight: Floats = own / (1.0 + extra[group] * correlation)
    return weight


def _split_ties(o: Observations) -> Observations:
    """Replace every tie by half a win and half a loss of the least degree."""
    tie = np.flatnonzero(o.category == 0)
    weight = np.ones(len(o.first)) if o.weight is None else o.weight.copy()
    weight[tie] *= 0.5
    category = o.category.copy()
    category[tie] = 1
    return Observations(
        n=o.n,
        n_judges=o.n_judges,
        first=np.concatenate([o.first, o.first[tie]]),
        second=np.concatenate([o.second, o.second[tie]]),
        judge=None if o.judge is None else np.concatenate([o.judge, o.judge[tie]]),
        sign=np.concatenate([o.sign, -o.sign[tie]]),
        category=np.concatenate([category, category[tie]]),
        weight=np.concatenate([weight, weight[tie]]),
        degrees=o.degrees,
        ties="half",
    )
