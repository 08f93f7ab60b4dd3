"""Simulated judges that keep to the model of a fit, and judges that do not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    Judging = Callable[["World", np.ndarray, np.ndarray, np.ndarray], np.ndarray]

CUTS = (1.0, 2.5)
EARLY_CUTS, LATE_CUTS = (0.3, 0.8), (2.5, 5.0)
LAPSE = 0.1
N_JURORS, DIVIDED_SHARE, DIVISION = 3, 0.2, 1.5


@dataclass
class World:
    """True abilities, sum zero, and what else a judge may go by.

    Attributes
    ----------
    ability : (n,) array
        Logits.
    style : (n,) array
        Another trait, independent of ability.
    cycle : (n, 2) array
        Places on a plane; a pair's cyclic preference is the area between the two, variance 2.
    views : (n, 3) array
        How much better each of three judges takes an essay than its ability says: of a fifth of
        the essays with standard deviation 1.5, else 0.
    """

    n: int
    sd: float
    rng: np.random.Generator
    ability: np.ndarray = field(init=False)
    style: np.ndarray = field(init=False)
    cycle: np.ndarray = field(init=False)
    views: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        ability = self.rng.normal(0.0, self.sd, self.n)
        self.ability = ability - ability.mean()
        self.style = self.rng.normal(size=self.n)
        self.cycle = self.rng.normal(size=(self.n, 2))
        # of a generator beside the other, which is left as it is
        own = self.rng.spawn(1)[0]
        divides = own.random(self.n) < DIVIDED_SHARE
        self.views = DIVISION * divides[:, None] * own.normal(size=(self.n, N_JURORS))

    def margin(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Draw the latent margin of "first over second" with logistic noise."""
        difference = self.ability[first] - self.ability[second]
        drawn: np.ndarray = difference + self.rng.logistic(size=len(first))
        return drawn


def sign(margin: np.ndarray) -> np.ndarray:
    """Return the verdict's side: 1 or -1."""
    return np.where(margin > 0, 1, -1)


def degree(margin: np.ndarray, cuts: tuple[float, ...] = CUTS) -> np.ndarray:
    """Return the verdict's degree, 1 .. 3."""
    reached: np.ndarray = 1 + np.searchsorted(np.asarray(cuts), np.abs(margin))
    return reached


def binary(w: World, f: np.ndarray, s: np.ndarray, _judge: np.ndarray) -> np.ndarray:
    """Prefer one essay, as the model says."""
    return sign(w.margin(f, s))


def honest_degrees(w: World, f: np.ndarray, s: np.ndarray, _judge: np.ndarray) -> np.ndarray:
    """Answer in degrees that tell what the model says."""
    margin = w.margin(f, s)
    verdict: np.ndarray = sign(margin) * degree(margin)
    return verdict


def random_degrees(w: World, f: np.ndarray, s: np.ndarray, _judge: np.ndarray) -> np.ndarray:
    """Answer in degrees drawn at random."""
    verdict: np.ndarray = sign(w.margin(f, s)) * w.rng.integers(1, 4, len(f))
    return verdict


def half_random_degrees(w: World, f: np.ndarray, s: np.ndarray, _judge: np.ndarray) -> np.ndarray:
    """Draw every second degree at random."""
    margin = w.margin(f, s)
    drawn = w.rng.integers(1, 4, len(f))
    return sign(margin) * np.where(w.rng.random(len(f)) < 0.5, degree(margin), drawn)


def degrees_by_style(w: World, f: np.ndarray, s: np.ndarray, _judge: np.ndarray) -> np.ndarray:
    """Take the degree from another trait's difference."""
    verdict: np.ndarray = sign(w.margin(f, s)) * degree(2.0 * (w.style[f] - w.style[s]))
    return verdict


def two_habits(w: World, f: np.ndarray, s: np.ndarray, judge: np.ndarray) -> np.ndarray:
    """Two judges: one says "decisive" early, one hardly ever."""
    margin = w.margin(f, s)
    early, late = degree(margin, EARLY_CUTS), degree(margin, LATE_CUTS)
    return sign(margin) * np.where(judge == 0, early, late)


def lapses(w: World, f: np.ndarray, s: np.ndarray, _judge: np.ndarray) -> np.ndarray:
    """Answer every tenth time at random."""
    verdict = sign(w.margin(f, s))
    drawn = w.rng.choice([-1, 1], len(f))
    return np.where(w.rng.random(len(f)) < LAPSE, drawn, verdict)


def lapses_degrees(w: World, f: np.ndarray, s: np.ndarray, _judge: np.ndarray) -> np.ndarray:
    """Answer every tenth time at random, in degrees."""
    margin = w.margin(f, s)
    drawn = w.rng.choice([-3, -2, -1, 1, 2, 3], len(f))
    return np.where(w.rng.random(len(f)) < LAPSE, drawn, sign(margin) * degree(margin))


def _cyclic_margin(w: World, f: np.ndarray, s: np.ndarray) -> np.ndarray:
    area = w.cycle[f, 0] * w.cycle[s, 1] - w.cycle[f, 1] * w.cycle[s, 0]
    margin: np.ndarray = w.margin(f, s) + area
    return margin


def intransitive(w: World, f: np.ndarray, s: np.ndarray, _judge: np.ndarray) -> np.ndarray:
    """Add a cyclic preference of variance 2 that no scale explains."""
    return sign(_cyclic_margin(w, f, s))


def intransitive_degrees(w: World, f: np.ndarray, s: np.ndarray, _judge: np.ndarray) -> np.ndarray:
    """Add a cyclic preference of variance 2, and answer in degrees."""
    margin = _cyclic_margin(w, f, s)
    verdict: np.ndarray = sign(margin) * degree(margin)
    return verdict


def divided(w: World, f: np.ndarray, s: np.ndarray, judge: np.ndarray) -> np.ndarray:
    """Three judges who see a fifth of the essays otherwise than each other."""
    return sign(w.margin(f, s) + w.views[f, judge] - w.views[s, judge])


JUDGES: dict[str, tuple[Judging, int]] = {
    "honest degrees": (honest_degrees, 1),
    "random degrees": (random_degrees, 1),
    "half random degrees": (half_random_degrees, 1),
    "degrees by style": (degrees_by_style, 1),
    "two judges of two habits": (two_habits, 2),
    "lapses 10%": (lapses, 1),
    "lapses 10%, degrees": (lapses_degrees, 1),
    "intransitive": (intransitive, 1),
    "intransitive, degrees": (intransitive_degrees, 1),
    "three judges, essays that divide them": (divided, N_JURORS),
}
"""Judges by name, with the number of judges."""

_WHOLE_NOISE = float((1.0 + 2.0 / (np.pi**2 / 3.0)) ** -0.5)
OWN_UNIT = {"intransitive": _WHOLE_NOISE, "intransitive, degrees": _WHOLE_NOISE}
"""True abilities times this are in units of the judge's whole noise, cyclic preference included."""
