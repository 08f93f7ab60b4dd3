"""Which lists of essays to ask for next, and which pairs beside them.

A judge who ranks k essays at once tells more of each essay that it reads than a judge of pairs:
k - H_k units of information by a list (H_k the k-th harmonic number) against .5 by a pair. Random
lists lose little: balanced random assignment is optimal up to a logarithm (Hajek, Oh and Xu,
Advances in Neural Information Processing Systems 27, 2014).

A wave is planned in rounds, in which every essay is in one list at most, the essays read least
first. Essays that met in a comparison do not meet again while the search finds lists of others; a
list of which less than half would be new is left to pairs. In lists of six essays and more, of k^2
to 4 k^2 essays in all, neighbours may meet again: an essay soon met so many that lists of
others would be nearly random. Two that have met are planned for as if they told nothing together.

Lists are of the nearest essays. A wave reads every essay about as often as any other, so that
weighing pairs by how uncertain they are would only put uncertain essays together: lists chosen by
the growth of log det of the information need as many readings, or some more (simulated).

The **audit share** of a wave's readings is chosen without regard to the estimates: all pairs beside
the lists, and lists of random essays. Pairs of neighbours would say little about how much sharper
or blunter a judge is in pairs, which is what they are asked for.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scoring._indices import check_distinct_essays, check_essays
from scoring._pairing.arguments import check_array
from scoring._pairing.list_draft import ListDraft
from scoring._pairing.shown_order import balance_order
from scoring._pairing.shown_places import balance_places
from scoring.errors import PairingError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from scoring._types import Floats, Ints

_PAIR = 2


@dataclass(frozen=True)
class ListPlan:
    """The comparisons of one wave, lists and pairs.

    Attributes
    ----------
    lists : tuple of (k,) ndarray of int
        Essays of each comparison, in the order in which they are shown.
    audit : tuple of bool
        True where the essays were chosen without regard to ability although abilities were there.
    """

    lists: tuple[Ints, ...]
    audit: tuple[bool, ...]

    def __len__(self) -> int:
        """Return the number of comparisons."""
        return len(self.lists)

    @property
    def n_readings(self) -> int:
        """How many essays the judges read, each as often as it is in a comparison."""
        return sum(len(essays) for essays in self.lists)


def plan_lists(
    n_essays: int,
    *,
    sizes: ArrayLike,
    rng: np.random.Generator,
    earlier: Sequence[ArrayLike] = (),
    ability: ArrayLike | None = None,
    audit_share: float = 0.25,
    anchors: ArrayLike = (),
) -> ListPlan:
    """Plan the lists of the next wave, and the pairs beside them.

    No essay is read more than once oftener than any other, if it was not before, unless the pairs
    that are left of a small set cannot be spread evenly. Two waves that read every essay connect
    all essays. Every essay goes through all places of lists of one size evenly.

    Parameters
    ----------
    n_essays : int
        Essays are 0 .. n_essays - 1, anchors and students alike.
    sizes : (m,) array_like of int
        Essays of each comparison wanted, 2 or more; with fewer essays than that, all of them.
    rng : numpy.random.Generator
        The only source of randomness; the same arguments and state give the same plan.
    earlier : sequence of (k,) array_like of int
        All comparisons planned so far, lists and pairs, in shown order.
    ability : (n,) array_like of float, optional
        Abilities of the latest fit, logits: lists are of the nearest essays. Without them all lists
        are random.
    audit_share : float
        Share of the readings in random comparisons, 0 .. 1, once there are abilities.
    anchors : (a,) array_like of int
        Anchor essays: random lists share them evenly, and no region of the scale goes without.

    Returns
    -------
    ListPlan
        A comparison of each size wanted, in the order of `sizes`. Where lists of mostly new
        pairs are not to be had there are pairs in their place, as many more at the end as their
        readings allow; none where every pair has met.

    Raises
    ------
    PairingError
        An argument is out of range or has the wrong shape.
    """
    if n_essays < _PAIR:
        raise PairingError(f"n_essays is {n_essays}: a comparison needs at least 2 essays")
    if not 0 <= audit_share <= 1:
        raise PairingError(f"audit_share is {audit_share}: give a share between 0 and 1")
    wanted = np.minimum(_check_sizes(sizes), n_essays)
    before = _group_sizes(n_essays, earlier)
    theta = check_array("ability", ability, (n_essays,))
    draft = ListDraft(
        n_essays,
        list(before.values()),
        check_essays("anchors", anchors, n_essays, PairingError),
        rng,
    )
    drafts = _draft_lists(draft, wanted, theta, audit_share)
    pairs, audited = _order(n_essays, before, drafts, rng, is_known=theta is not None)
    return _arrange(wanted, pairs, audited)


def _draft_lists(
    draft: ListDraft,
    wanted: Ints,
    theta: Floats | None,
    audit_share: float,
) -> dict[int, tuple[Ints, Ints]]:
    """Draft the comparisons, by size: those of random essays, and those of neighbours.

    Parameters
    ----------
    draft : ListDraft
        Is added to.
    wanted : (m,) array of int
        Essays of each comparison wanted.
    theta : (n,) array or None
        Abilities, logits; None where all lists are random.
    audit_share : float
        Share of the readings in random comparisons, 0 .. 1.

    Returns
    -------
    dict of int to ((g, k) array of int, (h, k) array of int)
        By size k, the random ones and those of neighbours.
    """
    n_of = Counter(wanted.tolist())
    n_pairs = n_of.pop(_PAIR, 0)
    n_audited = audit_share * int(wanted.sum()) - _PAIR * n_pairs
    n_in_lists = int(wanted.sum()) - _PAIR * n_pairs
    share = 1.0 if theta is None else float(np.clip(n_audited / max(n_in_lists, 1), 0.0, 1.0))
    # The pairs first: only lists can even out what is read, because essays may meet again in them.
    pairs = draft.make_pairs(n_pairs)
    n_spare = n_pairs - len(pairs)
    drafts: dict[int, tuple[Ints, Ints]] = {}
    for size in sorted(n_of, reverse=True):
        n_random = _count_random(draft, n_of[size], size, share)
        random = draft.make_random(size, n_random)
        near = np.zeros((0, size), dtype=np.int64)
        if theta is not None and n_random < n_of[size]:
            near = draft.make_neighbours(size, n_of[size] - n_random, theta)
        drafts[size] = random, near
        # What lists of new pairs do not need is read in pairs.
        n_spare += (n_of[size] - len(random) - len(near)) * (size // _PAIR)
    pairs = np.concatenate([pairs, draft.make_pairs(n_spare)])
    drafts[_PAIR] = pairs, np.zeros((0, _PAIR), dtype=np.int64)
    return drafts


def _count_random(draft: ListDraft, n_lists: int, size: int, share: float) -> int:
    """How many of the lists are of random essays: the share, and what connects all essays.

    Abilities are not comparable across components, so a random round joins them first.
    """
    joining = 0 if draft.is_connected else -(-draft.n_essays // size)
    return min(n_lists, max(round(share * n_lists), joining))


def _order(
    n_essays: int,
    before: dict[int, Ints],
    drafts: dict[int, tuple[Ints, Ints]],
    rng: np.random.Generator,
    *,
    is_known: bool,
) -> tuple[dict[int, Ints], dict[int, list[bool]]]:
    """Give each comparison its shown order; by size, with the marks of the audit.

    Parameters
    ----------
    n_essays : int
        Number of essays.
    before : dict of int to (m, k) array of int
        Earlier comparisons by size, in shown order.
    made : dict of int to ((g, k) array of int, (h, k) array of int)
        New ones by size, the random ones and those of neighbours.
    rng : numpy.random.Generator
        Decides where orders are equally balanced.
    is_known : bool
        Whether there are abilities: only then are random comparisons of the audit.

    Returns
    -------
    shown : dict of int to (g + h, k) array of int
    audited : dict of int to list of bool
    """
    shown: dict[int, Ints] = {}
    audited: dict[int, list[bool]] = {}
    for size, (random, near) in drafts.items():
        lists = np.concatenate([random, near])
        audited[size] = [is_known] * len(random) + [False] * len(near)
        times = np.zeros((n_essays, size), dtype=np.int64)
        if size in before:
            np.add.at(times, (before[size], np.arange(size)), 1)
        if size == _PAIR:
            shown[size] = balance_order(lists, times[:, 0] - times[:, 1], rng)
        else:
            shown[size] = balance_places(lists, times, rng)
    return shown, audited


def _arrange(wanted: Ints, shown: dict[int, Ints], audited: dict[int, list[bool]]) -> ListPlan:
    """Put the comparisons in the order of the sizes wanted, pairs for the lists there are not."""
    queue = {size: list(zip(shown[size], audited[size], strict=True))[::-1] for size in shown}
    spare = queue[_PAIR]
    chosen = []
    for size in wanted.tolist():
        source = queue[size] or spare
        if source:
            chosen.append(source.pop())
    chosen += reversed(spare)
    return ListPlan(
        tuple(essays for essays, _ in chosen), tuple(is_audit for _, is_audit in chosen)
    )


def _check_sizes(sizes: ArrayLike) -> Ints:
    wanted = np.asarray(sizes)
    if wanted.ndim != 1 or (wanted.size and wanted.dtype.kind not in "iu"):
        raise PairingError("sizes must be a column of whole numbers")
    if (wanted < _PAIR).any():
        raise PairingError(f"sizes has {wanted.min()}: a comparison has at least 2 essays")
    return wanted.astype(np.int64)


def _group_sizes(n_essays: int, earlier: Sequence[ArrayLike]) -> dict[int, Ints]:
    """The earlier comparisons by their size, (m, k) each."""
    rows: dict[int, list[Ints]] = {}
    for number, essays in enumerate(earlier):
        row = check_distinct_essays(f"earlier[{number}]", essays, n_essays, PairingError)
        if len(row) < _PAIR:
            raise PairingError(f"earlier[{number}] must have two or more essays")
        rows.setdefault(len(row), []).append(row)
    return {size: np.stack(lists) for size, lists in sorted(rows.items())}
