"""Which observation model the comparisons and the settings ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from scoring._fit.attention import Attention, DegreeHabits
from scoring._fit.intervals import Interval
from scoring._fit.links import Binary, Davidson, Lapse
from scoring.errors import InvalidSettingError

if TYPE_CHECKING:
    from scoring._fit.links import Link
    from scoring._fit.observations import Observations
    from scoring._types import Floats, Ints

type AttentionModel = Literal["full", "lapses", "estimated"]
"""What is estimated of judges' attention; see `scoring.fit`."""

# Above this many judges, all share one lapse rate, degree share and set of cut points.
_MOST_OWN_ATTENTION = 20
# Every degree counts as seen this often by every judge already.
_PRIOR_COUNT = 0.5


def choose_link(
    observations: Observations, lapse: float, attention: AttentionModel = "full"
) -> Link:
    """Return the observation model.

    Raises
    ------
    InvalidSettingError
        If attention is to be estimated under Davidson's ties.
    """
    if attention == "full":
        link = _attentive(observations)
        return Lapse(link, lapse) if lapse > 0.0 else link
    if observations.ties == "davidson":
        raise InvalidSettingError("attention", "is not estimated under Davidson's ties")
    judge, n_judges = _attention_groups(observations)
    person, n_persons = _lapse_groups(observations)
    if observations.degrees == 1 and observations.ties != "interval":
        return Attention(Binary(len(person)), None, person, n_persons)
    inner = _ordinal(observations, judge, n_judges)
    if attention == "lapses" or observations.degrees == 1:
        return Attention(inner, None, person, n_persons)
    habit = _habits(observations, judge, n_judges)
    sign = _ordinal(observations, judge, n_judges, sign_only=True)
    degrees = DegreeHabits(sign, habit, judge, n_judges)
    return Attention(inner, degrees, person, n_persons)


def list_highest_degrees(observations: Observations) -> list[int]:
    """Return the highest degree of each set of cut points: of every judge, or of all together."""
    return _find_highest_degrees(observations, *_attention_groups(observations))


def _attentive(o: Observations) -> Link:
    """The link of judges who always follow the model, with cut points that all share."""
    if o.ties == "davidson":
        return Davidson(o.category)
    if o.ties == "interval" or o.degrees > 1:
        if o.judgings is None:
            return Interval(o.category, [o.degrees], ties=o.ties == "interval")
        return _ordinal(o, *_attention_groups(o))
    return Binary(len(o.category))


def _ordinal(o: Observations, judge: Ints, n_judges: int, *, sign_only: bool = False) -> Interval:
    """Verdicts as intervals, each judge with own cut points."""
    return Interval(
        o.category,
        _find_highest_degrees(o, judge, n_judges),
        ties=o.ties == "interval",
        judge=judge if n_judges > 1 else None,
        sign_only=sign_only,
    )


def _attention_groups(o: Observations) -> tuple[Ints, int]:
    """Whose attention each verdict tells of, (m,), and how many there are."""
    if o.judge is not None and o.n_judges <= _MOST_OWN_ATTENTION:
        return o.judge, o.n_judges
    if o.judgings is None:
        return np.zeros(len(o.first), dtype=np.int64), 1
    # all judges share theirs, but lists of a size are not judged as pairs are
    sizes, group = np.unique(o.judgings.size, return_inverse=True)
    return group[o.judgings.kind], len(sizes)


def _lapse_groups(o: Observations) -> tuple[Ints, int]:
    """Whose lapses each verdict tells of, (m,), and how many there are.

    A judge lapses as often in lists as in pairs. In few pairs lapses and sharpness look alike, and
    two rates would leave open which of the two the lists and the pairs differ by.
    """
    if o.judgings is None:
        return _attention_groups(o)
    if o.judgings.n_judges <= _MOST_OWN_ATTENTION:
        return o.judgings.judge[o.judgings.kind], o.judgings.n_judges
    return np.zeros(len(o.first), dtype=np.int64), 1


def _find_highest_degrees(o: Observations, judge: Ints, n_judges: int) -> list[int]:
    """The highest degree of every judge: lists of a size may have more than pairs."""
    highest = np.full(n_judges, o.degrees)
    if o.judgings is not None:
        of_kinds = o.judgings.find_highest_degrees(o.category, o.degrees)
        highest[judge] = of_kinds[o.judgings.kind]
    counted: list[int] = highest.tolist()
    return counted


def _habits(o: Observations, judge: Ints, n_judges: int) -> Floats:
    """Log share of each verdict's degree among its judge's preferences; 0 for a tie, (m,)."""
    highest = np.array(_find_highest_degrees(o, judge, n_judges))
    degree = np.arange(o.degrees + 2)
    count = np.full((n_judges, len(degree)), _PRIOR_COUNT)
    np.add.at(count, (judge, o.category), 1.0)
    count[(degree == 0) | (degree > highest[:, None])] = 0.0
    share = count / count.sum(axis=1, keepdims=True)
    log_share = np.log(np.maximum(share, np.finfo(float).tiny))
    log_share[:, 0] = log_share[:, o.degrees + 1] = 0.0
    habit: Floats = log_share[judge, o.category]
    return habit
