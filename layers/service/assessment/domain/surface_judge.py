"""A judge that counts and does not read: verdicts from the surface of two texts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import exp, log

from assessment.domain.identifiers import content_sha256, draw_fraction
from assessment.domain.judge import SURFACE_CAUTION
from assessment.domain.surface import measure_surface, read_surface_weights
from assessment.domain.verdict import Degree, Gap, Winner

_CLEAR_FROM = 1.0
_DECISIVE_FROM = 2.5
_CONFIDENCE_FROM = (0.6, 0.7, 0.8, 0.9)
_NAMED_FEATURES = 2
# No draw may be exactly 0, whose logarithm does not exist.
_LEAST_FRACTION = 2**-54

type Contributions = Callable[[str], Mapping[str, float]]
"""What each figure of a text adds to its score, logits, by the figure's name."""


def surface_contributions(text: str) -> Mapping[str, float]:
    """What each of the thirteen figures of a text adds to its surface score, logits."""
    weights = read_surface_weights().features
    return {
        weight.name: weight.contribution(value)
        for weight, value in zip(weights, measure_surface(text), strict=True)
    }


@dataclass(frozen=True)
class SurfaceVerdict:
    """The better text, by how much, how sure that is, and which figures made the difference."""

    winner: Winner
    degree: Degree | None
    confidence: int
    justification: str


def judge_surface(
    first: str,
    second: str,
    *,
    judge: str,
    temperature: float = 1.0,
    contributions: Contributions = surface_contributions,
) -> SurfaceVerdict:
    """Compare two texts by what can be counted of them.

    The margin is the difference of their surface scores, logits, plus logistic noise times
    `temperature`. With the noise, a preference is as probable as it is that most people share it
    (the model the weights were learnt by). The noise follows from the judge's name and the two
    texts: the same pair gets the same verdict, in whichever order and however often it is asked.

    Parameters
    ----------
    first, second
        The texts in the order shown.
    judge
        What the verdict is attributed to; judges of other names have noise of their own.
    temperature
        0 for a judge without noise.
    contributions
        What makes the score of a text.

    Returns
    -------
    SurfaceVerdict
        A tie where nothing that counts differs.
    """
    one, two = contributions(first), contributions(second)
    shares = {name: one[name] - two[name] for name in one}
    margin = sum(shares.values())
    if margin == 0:
        return SurfaceVerdict(Winner.TIE, None, 1, _justify(shares))
    latent = margin + temperature * _noise(first, second, judge)
    return SurfaceVerdict(
        winner=Winner.FIRST if latent > 0 else Winner.SECOND,
        degree=_degree(abs(latent)),
        confidence=_confidence(margin if latent > 0 else -margin),
        justification=_justify(shares),
    )


@dataclass(frozen=True)
class SurfaceOrder:
    """The places of texts, the best first, by how much each is better than the next, and why."""

    places: tuple[int, ...]
    gaps: tuple[Gap, ...]
    justification: str


def rank_surface(
    texts: Sequence[str],
    *,
    judge: str,
    temperature: float = 1.0,
    contributions: Contributions = surface_contributions,
) -> SurfaceOrder:
    """Rank texts by what can be counted of them.

    Each has its surface score, in logits, plus Gumbel noise times `temperature`. Differences of two
    such draws are logistic, as the noise of `judge_surface` is (R. D. Luce, Individual Choice
    Behavior, 1959; J. I. Yellott, J. Math. Psychol. 15, 1977). The noise follows from the judge's
    name and the texts of the list, in whichever order they are shown.

    Parameters
    ----------
    texts, judge, temperature, contributions
        As in `judge_surface`.

    Returns
    -------
    SurfaceOrder
        Neighbours of which nothing that counts differs are tied.
    """
    hashes = [content_sha256(text) for text in texts]
    shared = "\x1f".join([judge, *sorted(hashes)])
    scores = [sum(contributions(text).values()) for text in texts]
    latent = [
        score + temperature * _draw_gumbel(f"{shared}\x1f{own}")
        for score, own in zip(scores, hashes, strict=True)
    ]
    places = sorted(range(len(texts)), key=lambda place: (-latent[place], hashes[place]))
    gaps = tuple(
        Gap.TIE if scores[one] == scores[two] else Gap(_degree(latent[one] - latent[two]))
        for one, two in pairwise(places)
    )
    return SurfaceOrder(tuple(places), gaps, f"{SURFACE_CAUTION}: ranked by its surface score")


def _draw_gumbel(key: str) -> float:
    fraction = min(max(draw_fraction(key), _LEAST_FRACTION), 1.0 - _LEAST_FRACTION)
    return -log(-log(fraction))


def _noise(first: str, second: str, judge: str) -> float:
    """A logistic draw that depends on judge and texts alone, its sign on their order."""
    hashes = [content_sha256(first), content_sha256(second)]
    fraction = draw_fraction("\x1f".join([judge, *sorted(hashes)])) + _LEAST_FRACTION
    sign = 1.0 if hashes[0] < hashes[1] else -1.0
    return sign * log(fraction / (1.0 - fraction + _LEAST_FRACTION))


def _degree(size: float) -> Degree:
    if size < _CLEAR_FROM:
        return Degree.SLIGHT
    return Degree.CLEAR if size < _DECISIVE_FROM else Degree.DECISIVE


def _confidence(margin: float) -> int:
    """1 to 5 by the probability that the margin gives to the winner."""
    probability = 1.0 / (1.0 + exp(-margin))
    return 1 + sum(probability >= limit for limit in _CONFIDENCE_FROM)


def _justify(shares: dict[str, float]) -> str:
    """The figures with the largest shares, and which text each favours."""
    largest = sorted(shares, key=lambda name: -abs(shares[name]))[:_NAMED_FEATURES]
    named = ", ".join(
        f"{name.replace('_', ' ')} for {'A' if shares[name] > 0 else 'B'}"
        for name in largest
        if shares[name]
    )
    return f"{SURFACE_CAUTION}: {named or 'nothing that is counted differs'}"
