"""Who is asked for lists: how many essays each comparison of a wave has, and where it is placed."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence

from assessment.domain.batch import compute_wave_size
from assessment.domain.comparison import PlannedList, PlannedPair
from assessment.domain.config import BatchConfig
from assessment.domain.identifiers import comparison_id
from assessment.domain.judge import BatchingMode, JudgeSpec
from assessment.domain.judges_in_lists import JudgesInLists
from assessment.domain.jury import draw_judge
from assessment.domain.pair_shares import KNOWN_PAIR_SHARE
from assessment.domain.readings import PAIR, compute_worth
from assessment.domain.wave_outline import WaveOutline

_WAVE_SHARE = 0.5


def find_largest_list(judges: Sequence[JudgeSpec]) -> int:
    """The most essays that a judge is asked for at once."""
    return max(judge.list_size for judge in judges)


class _PairsBeside:
    """Keeps the share of each judge's readings in a wave that are in pairs."""

    def __init__(
        self, judges_in_lists: JudgesInLists, config: BatchConfig, wave_number: int
    ) -> None:
        self._judges_in_lists = judges_in_lists
        self._config = config
        self._wave_number = wave_number
        self._in_pairs: Counter[str | None] = Counter()
        self._in_all: Counter[str | None] = Counter()

    def choose_size(self, judge: JudgeSpec, list_size: int, *, fits: bool) -> int:
        """The essays of the judge's next comparison: a list if it takes and fits one, or a pair."""
        takes_list = (
            fits and self._judges_in_lists.takes_lists(judge) and not self._owes_pair(judge)
        )
        size = list_size if takes_list else PAIR
        self._in_all[judge.label] += size
        self._in_pairs[judge.label] += size if size == PAIR else 0
        return size

    def _owes_pair(self, judge: JudgeSpec) -> bool:
        """Whether the judge's next comparison is a pair by its share."""
        share = self._judges_in_lists.choose_pair_share(
            judge, self._config, wave_number=self._wave_number
        )
        owed = share * self._in_all[judge.label] - self._in_pairs[judge.label]
        return owed >= PAIR if share <= KNOWN_PAIR_SHARE else owed > 0.0


def _choose_wave_share(judges: Sequence[JudgeSpec]) -> float:
    """What a wave tells as a share of what one of pairs would."""
    is_slow = any(judge.batching_mode is BatchingMode.PROVIDER_BATCH_API for judge in judges)
    return 1.0 if is_slow else _WAVE_SHARE


def choose_sizes(
    judges: Sequence[JudgeSpec],
    *,
    wave_number: int,
    n_essays: int,
    config: BatchConfig,
    n_readings: int,
    judges_in_lists: JudgesInLists | None = None,
) -> list[int]:
    """The essays of each comparison of a wave, by the judge who is drawn for its place.

    A wave tells half as much as one of pairs would, and reads every essay once at least: the place
    of an essay in a list depends on all the others, so fresh estimates are worth more than in
    pairs. Where a provider takes a day for a batch, a wave tells as much as one of pairs.

    Parameters
    ----------
    judges
        Of the batch.
    wave_number
        The wave, whose number is part of the draw.
    n_essays
        Essays that are assessed.
    config
        Sizes a wave, and says which share of a judge's readings is in pairs beside its lists.
    n_readings
        The most essays that the caps and the money allow to be read.
    judges_in_lists
        What earlier waves told of the judges.

    Returns
    -------
    list of int
        Empty where not even a pair may be read; all 2 where nobody is asked for lists.
    """
    judges_in_lists = judges_in_lists or JudgesInLists()
    wave_size = compute_wave_size(config, n_essays)
    if not any(judges_in_lists.takes_lists(judge) for judge in judges):
        return [PAIR] * min(wave_size, n_readings // PAIR)
    wave_worth = wave_size * _choose_wave_share(judges)
    sizes: list[int] = []
    worth, n_read = 0.0, 0
    beside = _PairsBeside(judges_in_lists, config, wave_number)
    while (worth < wave_worth or n_read < n_essays) and n_read + PAIR <= n_readings:
        judge = draw_judge(comparison_id(wave_number, len(sizes)), judges)
        list_size = min(judge.list_size, n_essays)
        size = beside.choose_size(judge, list_size, fits=n_read + list_size <= n_readings)
        sizes.append(size)
        n_read += size
        worth += compute_worth(size)
    return sizes


def outline_wave(
    judges: Sequence[JudgeSpec],
    *,
    wave_number: int,
    n_essays: int,
    config: BatchConfig,
    n_readings: int,
    judges_in_lists: JudgesInLists,
    mode: BatchingMode,
) -> WaveOutline:
    """What a wave is to consist of (`choose_sizes`), and what is asked of the choice of its essays.

    `mode` is how the stack puts comparisons into calls.
    """
    sizes = choose_sizes(
        judges,
        wave_number=wave_number,
        n_essays=n_essays,
        config=config,
        n_readings=n_readings,
        judges_in_lists=judges_in_lists,
    )
    return WaveOutline(
        wave_number=wave_number,
        sizes=sizes,
        pair_places=find_pair_places(
            judges,
            wave_number=wave_number,
            n_places=len(sizes),
            judges_in_lists=judges_in_lists,
        ),
        shares_essays=any(judge.asks_together(mode) for judge in judges),
        has_random_lists=judges_in_lists.suspects_any(judges),
    )


def find_pair_places(
    judges: Sequence[JudgeSpec], *, wave_number: int, n_places: int, judges_in_lists: JudgesInLists
) -> frozenset[int]:
    """The places of a wave at which a judge is drawn who is asked for pairs only.

    Its pairs are all that it is asked, so they follow the batch's strategy; the few that a judge of
    lists is asked show its sharpness, for which they are random.
    """
    return frozenset(
        place
        for place in range(n_places)
        if not judges_in_lists.takes_lists(draw_judge(comparison_id(wave_number, place), judges))
    )


def seat_comparisons(
    planned: Sequence[PlannedPair | PlannedList], judges: Sequence[JudgeSpec], *, wave_number: int
) -> list[PlannedPair | PlannedList]:
    """The comparisons in an order in which no list is at the place of a judge of pairs.

    A place says which judge is drawn. What fits keeps its order; lists that find no place are left
    to a later wave.
    """
    is_list = [len(each.essay_ids) > PAIR for each in planned]
    lists = deque(at for at, flag in enumerate(is_list) if flag)
    pairs = deque(at for at, flag in enumerate(is_list) if not flag)
    seated: list[PlannedPair | PlannedList] = []
    while lists or pairs:
        judge = draw_judge(comparison_id(wave_number, len(seated)), judges)
        queue = _choose_queue(pairs, lists if judge.list_size > PAIR else deque())
        if not queue:
            break
        seated.append(planned[queue.popleft()])
    return seated


def _choose_queue(one: deque[int], other: deque[int]) -> deque[int]:
    """The queue whose head comes first; an empty one if both are."""
    if one and other:
        return min(one, other, key=lambda queue: queue[0])
    return one or other
