"""The draft of a wave of lists: who has met whom, who was read how often, which lists are next."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scoring._graph import components
from scoring._pairing.anchored_regions import anchor_regions
from scoring._pairing.list_groups import count_repeats, group_essays
from scoring._pairing.matching import greedy_matching
from scoring._pairing.pair_scores import closeness_scores, nearest_scores, random_scores
from scoring._pairing.wave_draft import WaveDraft

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from scoring._types import Floats, Ints

# A list that tells less than this share of new pairs is left to pairs.
_LEAST_NEW = 0.5
_MOST_JOINS = 50
# Partners abound where a set has this many times the square of a list's essays. Elsewhere lists of
# more than so many essays, which never met, would soon be of distant ones. In sets smaller than the
# square lists of mostly new pairs run out sooner if neighbours meet again.
_ABUNDANCE = 4
_LONGEST_OF_STRANGERS = 5
# Draws of a round in a small set before essays meet again.
_DRAWS = 8
_SMALL = 80


class ListDraft:
    """The comparisons of earlier waves and those of the wave being planned.

    Attributes
    ----------
    n_essays : int
    met : (n, n) ndarray of bool
        True where two essays stood in a comparison together, and on the diagonal.
    counts : (n,) ndarray of int
        Readings per essay: the comparisons that it is in.
    """

    def __init__(
        self, n_essays: int, earlier: Sequence[Ints], anchors: Ints, rng: np.random.Generator
    ) -> None:
        self.n_essays = n_essays
        self.met = np.eye(n_essays, dtype=bool)
        self.counts = np.zeros(n_essays, dtype=np.int64)
        self._component = np.arange(n_essays)
        self._is_anchor = np.zeros(n_essays, dtype=bool)
        self._is_anchor[anchors] = True
        self._rng = rng
        for lists in earlier:
            self._note(lists)

    @property
    def is_connected(self) -> bool:
        """Whether a chain of comparisons links every essay to every other."""
        return not self._component.any()

    def make_random(self, list_size: int, n_lists: int) -> Ints:
        """Add random lists of the essays read least, (g, list_size); fewer where few are new.

        Until all essays are connected, essays of one component go to different lists.
        """
        return self._make(list_size, n_lists, self._start_at_random, None)

    def make_neighbours(
        self,
        list_size: int,
        n_lists: int,
        ability: Floats,
    ) -> Ints:
        """Add lists of neighbours among the essays read least, (g, list_size).

        Parameters
        ----------
        list_size, n_lists : int
        ability : (n,) ndarray of float
            Estimates, logits.
        """

        def start(essays: Ints, _n_lists: int) -> Ints:
            return essays[np.argsort(ability[essays], kind="stable")]

        scores = closeness_scores if self._may_meet_again(list_size) else nearest_scores

        def worth(essays: Ints) -> Floats:
            return scores(ability[essays])

        return self._make(list_size, n_lists, start, worth, ability)

    def _may_meet_again(self, list_size: int) -> bool:
        """Whether neighbours who have met may share a list again, as far as others are too far."""
        n_essays, square = self.n_essays, list_size**2
        return list_size > _LONGEST_OF_STRANGERS and square <= n_essays < _ABUNDANCE * square

    def make_pairs(self, n_pairs: int) -> Ints:
        """Add random pairs of the essays read least, (p, 2); fewer where few are new."""
        draft = WaveDraft(self.n_essays, *self._stand_ins(), self.counts)
        draft.met = self.met
        whole = self.n_essays // 2
        while n_pairs > 0:
            scores = random_scores(self.n_essays, self._rng)
            size = min(n_pairs % whole or whole, n_pairs)
            pairs = draft.match_least_compared(scores, size, self._rng, greedy_matching)
            if len(pairs) < size and (draft.is_small or not len(pairs)):
                pairs = draft.spread(scores, n_pairs)
            if not len(pairs):
                break
            draft.add(pairs, audit=True)
            n_pairs -= len(pairs)
        self._note(draft.pairs)
        return draft.pairs

    def _make(
        self,
        list_size: int,
        n_lists: int,
        start: Callable[[Ints, int], Ints],
        worth: Callable[[Ints], Floats] | None,
        ability: Floats | None = None,
    ) -> Ints:
        """Make lists round by round, and keep those that are new enough.

        Parameters
        ----------
        list_size : int
            k, the essays of a list.
        n_lists : int
            Lists wanted.
        start : callable
            Puts essays (s,) in the order in which a number of lists takes them.
        worth : callable or None
            Worth of every two of s essays in one list, (s, s); None where all are alike.
        ability : (n,) array or None
            Logits, where lists are of neighbours.

        Returns
        -------
        (g, k) array of int
            Fewer than wanted where new ones run out.
        """
        made = [np.zeros((0, list_size), dtype=np.int64)]
        whole = self.n_essays // list_size
        while n_lists > 0:
            size = n_lists % whole or whole
            lists = self._group(list_size, size, start, worth)
            if ability is not None:
                lists = anchor_regions(lists, self._is_anchor, ability, self.met)
            elif not self.is_connected:
                lists = self._join(lists)
            n_pairs = list_size * (list_size - 1) / 2
            is_new = count_repeats(lists, self.met) <= (1.0 - _LEAST_NEW) * n_pairs
            self._note(lists[is_new])
            made.append(lists[is_new])
            n_lists -= size
        return np.concatenate(made)

    def _group(
        self,
        list_size: int,
        n_lists: int,
        start: Callable[[Ints, int], Ints],
        worth: Callable[[Ints], Floats] | None,
    ) -> Ints:
        """Group the essays read least; of those read equally often, others if any meet again.

        Parameters
        ----------
        list_size : int
            k, the essays of a list.
        n_lists : int
            g, at most one list for each essay.
        start, worth : callable
            As in `_make`.

        Returns
        -------
        (g, k) array of int
        """
        may_meet_again = worth is not None and self._may_meet_again(list_size)

        def draw() -> Ints:
            essays = start(self._read_least(n_lists * list_size), n_lists)
            return group_essays(
                essays, list_size, self.met, worth, self._rng, may_meet_again=may_meet_again
            )

        best = draw()
        if may_meet_again:
            return best
        fewest = count_repeats(best, self.met).sum()
        for _ in range(_DRAWS if n_lists * list_size <= _SMALL else 0):
            if not fewest:
                break
            lists = draw()
            n_repeats = count_repeats(lists, self.met).sum()
            if n_repeats < fewest:
                best, fewest = lists, n_repeats
        return best

    def _note(self, lists: Ints) -> None:
        """Take lists of one size into the record."""
        for column in lists.T:
            self.met[column[:, None], lists] = True
        self.counts = self.counts + np.bincount(lists.ravel(), minlength=self.n_essays)
        if not self.is_connected and len(lists):
            self._component = self._link(lists)

    def _link(self, lists: Ints) -> Ints:
        """Label the components as they are with these lists, (n,)."""
        essays, stand_ins = self._stand_ins()
        first = np.concatenate([essays, np.repeat(lists[:, 0], lists.shape[1] - 1)])
        second = np.concatenate([stand_ins, lists[:, 1:].ravel()])
        return components(self.n_essays, first, second)

    def _stand_ins(self) -> tuple[Ints, Ints]:
        """Return every essay and the first essay of its component, (n,) each."""
        first = np.unique(self._component, return_index=True)[1]
        return np.arange(self.n_essays), first[self._component]

    def _read_least(self, size: int) -> Ints:
        """Return the `size` essays with the fewest readings, ties at random."""
        shuffled = self._rng.permutation(self.n_essays)
        least: Ints = shuffled[np.argsort(self.counts[shuffled], kind="stable")[:size]]
        return least

    def _start_at_random(self, essays: Ints, n_lists: int) -> Ints:
        """Deal the anchors, then the essays of each component, to one list after the other."""
        shuffled = self._rng.permutation(essays)
        label = np.zeros(len(shuffled)) if self.is_connected else self._component[shuffled]
        dealt = shuffled[np.lexsort((label, ~self._is_anchor[shuffled]))]
        return np.concatenate([dealt[n::n_lists] for n in self._rng.permutation(n_lists)])

    def _join(self, lists: Ints) -> Ints:
        """Exchange essays between lists of different components until the lists join all.

        Essays met in different earlier lists, so each exchanged one takes its component along.

        Parameters
        ----------
        lists : (g, k) array of int
            Essays of each list.

        Returns
        -------
        (g, k) array of int
        """
        if len(np.unique(self._component)) == self.n_essays:
            return lists  # No essay has met another: no exchange could join anything.
        for attempt in range(_MOST_JOINS):
            label = self._link(lists)[lists[:, 0]]
            if len(np.unique(label)) == 1:
                break
            one = self._rng.choice(np.flatnonzero(label == label[0]))
            other = self._rng.choice(np.flatnonzero(label != label[0]))
            a, b = self._rng.integers(lists.shape[1], size=2)
            joined = lists.copy()
            joined[one, a], joined[other, b] = lists[other, b], lists[one, a]
            rows = [one, other]
            has_more = (
                count_repeats(joined[rows], self.met).sum()
                > count_repeats(lists[rows], self.met).sum()
            )
            if not has_more or attempt >= _MOST_JOINS // 2:
                lists = joined
        return lists
