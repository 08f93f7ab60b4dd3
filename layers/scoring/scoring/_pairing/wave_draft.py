"""The draft of a wave: which pairs exist, how often essays were compared, which are next."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from scoring._graph import components
from scoring._pairing.matching import greedy_matching, no_pairs, spread_evenly
from scoring._types import Bools, Floats, Ints

Matcher = Callable[[Floats], Ints]

# In a set up to this size a matching with too few pairs is replaced by an exact, even choice.
_EXACT_UP_TO = 64


class WaveDraft:
    """The pairs of earlier waves and those of the wave being planned.

    Attributes
    ----------
    n_essays : int
    met : (n, n) ndarray of bool
        True where a pair exists already, and on the diagonal.
    counts : (n,) ndarray of int
        Comparisons per essay; in a pair unless they are given.
    """

    def __init__(
        self, n_essays: int, first: Ints, second: Ints, counts: Ints | None = None
    ) -> None:
        self.n_essays = n_essays
        self.met = np.eye(n_essays, dtype=bool)
        self.met[first, second] = self.met[second, first] = True
        pair_ends = np.concatenate([first, second])
        self.counts = np.bincount(pair_ends, minlength=n_essays) if counts is None else counts
        self._component = components(n_essays, first, second)
        self._pairs: list[Ints] = []
        self._audit: list[Bools] = []

    @property
    def is_connected(self) -> bool:
        """Whether a chain of comparisons links every essay to every other."""
        return not self._component.any()

    @property
    def is_small(self) -> bool:
        """Whether `spread` is exact."""
        return self.n_essays <= _EXACT_UP_TO

    @property
    def pairs(self) -> Ints:
        """The pairs of this wave so far, (p, 2)."""
        return np.concatenate(self._pairs) if self._pairs else no_pairs()

    @property
    def audit(self) -> Bools:
        """Whether each pair was chosen without regard to ability, (p,)."""
        return np.concatenate(self._audit) if self._audit else np.zeros(0, dtype=bool)

    def add(self, pairs: Ints, *, audit: bool) -> None:
        """Add pairs, (p, 2), to the wave; `audit` if they were chosen without regard to ability."""
        a, b = pairs[:, 0], pairs[:, 1]
        self.met[a, b] = self.met[b, a] = True
        self.counts = self.counts + np.bincount(pairs.ravel(), minlength=self.n_essays)
        if not self.is_connected:
            for i, j in pairs:
                self._join(i, j)
        self._pairs.append(pairs)
        self._audit.append(np.full(len(pairs), audit))

    def match_least_compared(
        self, score: Floats, size: int, rng: np.random.Generator, match: Matcher
    ) -> Ints:
        """Match the `2 size` essays compared least, ties at random.

        Until all essays are connected the pairs start with links between components, so that two
        rounds of a fresh set form one ring through all essays.

        Parameters
        ----------
        score : (n, n) ndarray of float
            Symmetric score of every pair; pairs that exist are excluded here.
        size : int
            Number of pairs, at most n // 2.
        rng : numpy.random.Generator
        match : callable
            Makes a matching from a matrix of scores.

        Returns
        -------
        (p, 2) ndarray of int
            Fewer than `size` where the remaining pairs allow no more.
        """
        essays = self._find_least_compared(2 * size, rng)
        links = self._links(essays, size, rng)
        rest = np.setdiff1d(essays, links)
        return np.concatenate([links, rest[match(self.allow_unmet(score)[np.ix_(rest, rest)])]])

    def spread(self, score: Floats, size: int) -> Ints:
        """Choose pairs that leave the counts even; if there are none, any matching.

        Parameters
        ----------
        score : (n, n) ndarray of float
            Symmetric score of every pair; pairs that exist are excluded here.
        size : int
            The largest number of pairs.

        Returns
        -------
        (p, 2) ndarray of int
        """
        allowed = self.allow_unmet(score)
        even = spread_evenly(allowed, self.counts, size) if self.is_small else no_pairs()
        return even if len(even) else greedy_matching(allowed)[:size]

    def match_best(self, score: Floats, size: int) -> Ints:
        """Choose the best pairs of a matching of all essays, whatever their counts.

        Parameters
        ----------
        score : (n, n) ndarray of float
            Symmetric score of every pair; pairs that exist are excluded here.
        size : int
            The largest number of pairs.

        Returns
        -------
        (p, 2) ndarray of int
        """
        pairs = greedy_matching(self.allow_unmet(score))
        order = np.argsort(-score[pairs[:, 0], pairs[:, 1]], kind="stable")
        best: Ints = pairs[order[:size]]
        return best

    def allow_unmet(self, score: Floats) -> Floats:
        """Return the score of every pair, `-inf` where it exists already."""
        return np.where(self.met, -np.inf, score)

    def list_most_compared(self, size: int, rng: np.random.Generator) -> Ints:
        """Return the `size` essays with the most comparisons, ties at random."""
        return np.setdiff1d(
            np.arange(self.n_essays), self._find_least_compared(self.n_essays - size, rng)
        )

    def _find_least_compared(self, size: int, rng: np.random.Generator) -> Ints:
        """Return the `size` essays with the fewest comparisons, ties at random."""
        shuffled = rng.permutation(self.n_essays)
        return np.sort(shuffled[np.argsort(self.counts[shuffled], kind="stable")[:size]])

    def _links(self, essays: Ints, limit: int, rng: np.random.Generator) -> Ints:
        """Join the components by random pairs that use every essay once, large components first.

        The pairs form a tree whose open ends are the essays not yet used; two-essay components give
        a path through all of them.

        Parameters
        ----------
        essays : (s,) array of int
            Those that may be used.
        limit : int
            The most pairs.
        rng : numpy.random.Generator
            Decides which essays join components.

        Returns
        -------
        (p, 2) array of int
        """
        if self.is_connected:
            return no_pairs()
        labels = self._component[essays]
        groups = [rng.permutation(essays[labels == label]).tolist() for label in np.unique(labels)]
        order = rng.permutation(len(groups))
        groups = sorted((groups[k] for k in order), key=len, reverse=True)
        open_ends = groups[0]
        links: list[tuple[int, int]] = []
        for group in groups[1:]:
            if not open_ends or len(links) == limit:
                break
            links.append((open_ends.pop(rng.integers(len(open_ends))), group.pop()))
            open_ends += group
        return np.array(links, dtype=np.int64).reshape(-1, 2)

    def _join(self, i: int, j: int) -> None:
        """Give the components of i and j one label."""
        low, high = sorted((self._component[i], self._component[j]))
        self._component[self._component == high] = low
