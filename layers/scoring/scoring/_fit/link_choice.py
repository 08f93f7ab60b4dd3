"""Which observation model the comparisons and the settings ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from scoring._fit.attention import (
    ATTENTION_PRIOR,
    Attention,
    DegreeHabits,
    ShareCoordinates,
    SharePrior,
)
from scoring._fit.intervals import Interval
from scoring._fit.links import Binary, Davidson, Lapse
from scoring.errors import InvalidSettingError

if TYPE_CHECKING:
    from scoring._fit.links import Link
    from scoring._fit.observations import Observations
    from scoring._types import Bools, Floats, Ints

type AttentionModel = Literal["full", "lapses", "estimated"]
"""What is estimated of judges' attention; see `scoring.fit`."""

# Above this many judges, all share one lapse rate, degree share and set of cut points.
_MOST_OWN_ATTENTION = 20
# The logit of the attention that people beside models have in common, and the standard deviation of
# each around it.
PEOPLE_PRIOR, PERSON_SD = SharePrior(4.5, 1.2), 1.2
# Every degree counts as seen this often by every judge already.
_PRIOR_COUNT = 0.5


def choose_link(
    observations: Observations,
    lapse: float,
    attention: AttentionModel = "full",
    *,
    is_model: Bools | None = None,
) -> Link:
    """Return the observation model.

    Parameters
    ----------
    observations : Observations
        The data.
    lapse : float
        Share of random answers, where none is estimated.
    attention : {"full", "lapses", "estimated"}
        What is estimated of judges' attention.
    is_model : (J,) array of bool, optional
        Where people judge beside models, which judges are models.

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
    person, coordinates = _lapse_coordinates(observations, is_model)
    if observations.degrees == 1 and observations.ties != "interval":
        return Attention(Binary(len(person)), None, person, coordinates)
    inner = _ordinal(observations, judge, n_judges)
    if attention == "lapses" or observations.degrees == 1:
        return Attention(inner, None, person, coordinates)
    habit = _habits(observations, judge, n_judges)
    sign = _ordinal(observations, judge, n_judges, sign_only=True)
    degrees = DegreeHabits(sign, habit, judge, n_judges)
    return Attention(inner, degrees, person, coordinates)


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


def _lapse_coordinates(o: Observations, is_model: Bools | None) -> tuple[Ints, ShareCoordinates]:
    """Whose lapses each verdict tells of, (m,), and what their rates are made of.

    A judge lapses as often in lists as in pairs. In few pairs lapses and sharpness look alike, and
    two rates would leave open which of the two the lists and the pairs differ by.
    """
    judge, n_judges = o.judge, o.n_judges
    if o.judgings is not None:
        judge, n_judges = o.judgings.judge[o.judgings.kind], o.judgings.n_judges
    if is_model is not None and judge is not None:
        return judge, _share_with_people(is_model)
    if judge is None or n_judges > _MOST_OWN_ATTENTION:
        judge, n_judges = np.zeros(len(o.first), dtype=np.int64), 1
    return judge, ShareCoordinates.separate(ATTENTION_PRIOR, n_judges)


def _share_with_people(is_model: Bools) -> ShareCoordinates:
    """What judges' attention is made of where people judge beside models.

    People's rates lie around a common one, of which their verdicts together tell more, unless they
    are many; models' have nothing to do with it.
    """
    n = len(is_model)
    has_own = is_model | (n <= _MOST_OWN_ATTENTION)
    people, model = PEOPLE_PRIOR, ATTENTION_PRIOR
    own_sd = np.where(is_model, model.sd, PERSON_SD)[has_own]
    return ShareCoordinates(
        np.where(is_model, model.centre, people.centre),
        np.column_stack([~is_model, np.eye(n)[:, has_own]]),
        np.append(people.sd, own_sd),
    )


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
