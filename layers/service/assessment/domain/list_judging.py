"""Who is asked for lists: the essays of each comparison of a wave, and lists that brought nothing.

People judge pairs only, and so does a judge that turned out too blunt in lists. Beside its lists a
judge gets a share of pairs; without them nobody would know how sharp it is in lists.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Container, Sequence
from dataclasses import dataclass, replace

from pydantic import BaseModel, ConfigDict

from assessment.domain.batch import compute_wave_size
from assessment.domain.comparison import Comparison, ComparisonStatus, PlannedList, PlannedPair
from assessment.domain.config import BatchConfig
from assessment.domain.decision import ContinuationContext
from assessment.domain.identifiers import comparison_id
from assessment.domain.judge import BatchingMode, JudgeSpec
from assessment.domain.jury import draw_judge
from assessment.domain.list_ratio import is_blunt, is_sharp
from assessment.domain.readings import PAIR, compute_worth

UNSETTLED_PAIR_SHARE = 0.15
"""Share of a judge's readings that are in pairs while nobody knows how sharp it is in lists."""

SUSPECTED_PAIR_SHARE = 0.4
"""The same once it is likely enough that the judge is too blunt for lists."""

KNOWN_PAIR_SHARE = 0.01
"""The most of them where an earlier measurement says that it is sharp enough, and no verdict does
otherwise."""

SUSPECTED_PROBABILITY = 0.3
"""How likely it must be that a judge is too blunt for more pairs to be asked."""

# None of m attempts brought an order: with 95% confidence less than 3/m of further ones would (rule
# of three, Hanley & Lippman-Hand 1983), here three in ten.
_ATTEMPTS_THAT_SUFFICE = 10

_WAVE_SHARE = 0.5


class ListSharpness(BaseModel):
    """How a judge judges lists of one size.

    `ratio` is its sharpness in them as a share of that in pairs, with its 95% interval;
    `probability_blunt` that it is below 0.75. Without pairs by the judge nobody knows
    (`is_known` is false), unless an earlier measurement came with the request. `place_effects` say
    how much it favours the essay shown at each place, in logits, with their standard errors; they
    add up to 0.
    """

    model_config = ConfigDict(frozen=True)

    judge: str
    list_size: int
    lists: int
    is_known: bool = True
    ratio: float
    ratio_interval: tuple[float, float] | None = None
    probability_blunt: float
    place_effects: tuple[float, ...] = ()
    place_effects_se: tuple[float, ...] = ()

    @property
    def is_blunt(self) -> bool:
        """Whether it is almost certainly too blunt for lists to be worth asking."""
        return self.is_known and is_blunt(self.probability_blunt)

    @property
    def is_settled(self) -> bool:
        """Whether it is almost certain that it is blunt, or that it is not."""
        return self.is_known and (is_sharp(self.probability_blunt) or self.is_blunt)

    @property
    def is_suspected(self) -> bool:
        """Whether it is likely that it is too blunt for lists, and not yet sure."""
        is_likely = self.probability_blunt >= SUSPECTED_PROBABILITY
        return self.is_known and is_likely and not self.is_blunt


@dataclass(frozen=True)
class JudgesInLists:
    """What earlier waves told of judges, by label.

    `blunt` and `listless` are asked for pairs only: these answer pairs and none of their lists. Of
    the `settled` it is known how sharp they are in lists, so that fewer pairs beside them will do;
    the `suspected` are likely blunt, and more pairs soon tell.
    """

    blunt: frozenset[str] = frozenset()
    settled: frozenset[str] = frozenset()
    suspected: frozenset[str] = frozenset()
    listless: frozenset[str] = frozenset()

    @classmethod
    def from_context(
        cls, context: ContinuationContext | None, judges: Sequence[JudgeSpec]
    ) -> JudgesInLists:
        """As the decision after the wave before left it; before the first, as it is expected."""
        if context is None:
            return cls().learn([entry for judge in judges for entry in _expect(judge)])
        return cls(
            blunt=frozenset(context.blunt_judges),
            settled=frozenset(context.settled_judges),
            suspected=frozenset(context.suspected_judges),
            listless=frozenset(context.listless_judges),
        )

    def learn(self, sharpness: Sequence[ListSharpness]) -> JudgesInLists:
        """With what another fit says; who was blunt once stays so."""
        usual = _find_usual_lists(sharpness)
        blunt = self.blunt | {label for label, entry in usual.items() if entry.is_blunt}
        settled = {label for label, entry in usual.items() if entry.is_settled}
        suspected = {label for label, entry in usual.items() if entry.is_suspected}
        return replace(
            self, blunt=blunt, settled=frozenset(settled), suspected=frozenset(suspected - blunt)
        )

    def notice_failures(
        self, comparisons: Sequence[Comparison], judges: Sequence[JudgeSpec]
    ) -> JudgesInLists:
        """With the judges who answer most pairs and gave no verdict on any list in many attempts.

        Who was noticed once stays so: there are no further lists that could tell otherwise.
        """
        labels = {judge.label for judge in judges if self.takes_lists(judge)}
        settled = _group_by_judge(comparisons, judges) if labels else {}
        names = {
            label or _find_own_name(settled[label])
            for label in labels & settled.keys()
            if _answers_pairs_only(settled[label])
        }
        return replace(self, listless=self.listless | names)

    def find_abandoned(
        self, comparisons: Sequence[Comparison], judges: Sequence[JudgeSpec]
    ) -> frozenset[str]:
        """The ids of the lists that failed and whose judge answers none: attempts would be lost."""
        return frozenset(
            comparison.comparison_id
            for comparison in comparisons
            if comparison.is_list
            and comparison.is_failed
            and _has_label(draw_judge(comparison.comparison_id, judges), self.listless)
        )

    def takes_lists(self, judge: JudgeSpec) -> bool:
        """Whether a judge is asked for lists."""
        return judge.list_size > PAIR and not _has_label(judge, self.blunt | self.listless)

    def choose_pair_share(self, judge: JudgeSpec, config: BatchConfig) -> float:
        """The share of a judge's readings that are in pairs beside its lists."""
        if _has_label(judge, self.settled):
            most = 1.0 if judge.expected_list_ratio is None else KNOWN_PAIR_SHARE
            return min(config.list_pair_share, most)
        is_suspected = _has_label(judge, self.suspected)
        share = SUSPECTED_PAIR_SHARE if is_suspected else UNSETTLED_PAIR_SHARE
        return max(config.list_pair_share, share)


def _expect(judge: JudgeSpec) -> list[ListSharpness]:
    """What an earlier measurement says of a judge in lists, if there is one."""
    expected = judge.expected_list_ratio
    if expected is None:
        return []
    return [
        ListSharpness(
            judge=judge.label or judge.provider,
            list_size=judge.list_size,
            lists=0,
            ratio=expected.ratio,
            probability_blunt=expected.probability_blunt,
        )
    ]


def _has_label(judge: JudgeSpec, labels: frozenset[str]) -> bool:
    """Whether these labels name the judge; a batch's only judge may go by a name of its own."""
    return bool(labels) if judge.label is None else judge.label in labels


def _group_by_judge(
    comparisons: Sequence[Comparison], judges: Sequence[JudgeSpec]
) -> dict[str | None, list[Comparison]]:
    """Comparisons that are awaited no more, by the label of the judge who is drawn for them."""
    settled: dict[str | None, list[Comparison]] = {}
    for comparison in comparisons:
        if comparison.status is not ComparisonStatus.PENDING:
            label = draw_judge(comparison.comparison_id, judges).label
            settled.setdefault(label, []).append(comparison)
    return settled


def _answers_pairs_only(comparisons: Sequence[Comparison]) -> bool:
    """Whether a judge failed enough attempts at lists, and none else, while most pairs go well.

    An outage fails pairs too and tells nothing about lists.
    """
    lists = [comparison for comparison in comparisons if comparison.is_list]
    pairs = [comparison for comparison in comparisons if not comparison.is_list]
    n_attempts = sum(comparison.attempt for comparison in lists)
    n_judged = sum(comparison.verdict is not None for comparison in pairs)
    has_order = any(comparison.verdict for comparison in lists)
    return n_attempts >= _ATTEMPTS_THAT_SUFFICE and not has_order and 2 * n_judged > len(pairs)


def _find_own_name(comparisons: Sequence[Comparison]) -> str:
    """What an endpoint without a label calls itself in its verdicts."""
    return next(comparison.verdict.judge for comparison in comparisons if comparison.verdict)


def _find_usual_lists(sharpness: Sequence[ListSharpness]) -> dict[str, ListSharpness]:
    """Of each judge, the size that most of its lists have."""
    by_number = sorted(sharpness, key=lambda entry: (entry.lists, entry.list_size))
    return {entry.judge: entry for entry in by_number}


def find_blunt_judges(sharpness: Sequence[ListSharpness]) -> frozenset[str]:
    """The labels of the judges who are too blunt in the lists that most of theirs are."""
    return JudgesInLists().learn(sharpness).blunt


def find_largest_list(judges: Sequence[JudgeSpec]) -> int:
    """The most essays that a judge is asked for at once."""
    return max(judge.list_size for judge in judges)


class _PairsBeside:
    """Keeps the share of each judge's readings that are in pairs."""

    def __init__(self, known: JudgesInLists, config: BatchConfig) -> None:
        self._known = known
        self._config = config
        self._in_pairs: Counter[str | None] = Counter()
        self._in_all: Counter[str | None] = Counter()

    def choose_size(self, judge: JudgeSpec, list_size: int, *, fits: bool) -> int:
        """The essays of the judge's next comparison: a list if it takes and fits one, or a pair."""
        label = judge.label
        share = self._known.choose_pair_share(judge, self._config)
        owed = share * self._in_all[label] - self._in_pairs[label]
        has_pairs = owed < PAIR if share <= KNOWN_PAIR_SHARE else owed <= 0.0
        size = list_size if fits and has_pairs and self._known.takes_lists(judge) else PAIR
        self._in_all[label] += size
        self._in_pairs[label] += size if size == PAIR else 0
        return size


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
    known: JudgesInLists | None = None,
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
    known
        What earlier waves told of the judges.

    Returns
    -------
    list of int
        Empty where not even a pair may be read; all 2 where nobody is asked for lists.
    """
    known = known or JudgesInLists()
    wave_size = compute_wave_size(config, n_essays)
    if not any(known.takes_lists(judge) for judge in judges):
        return [PAIR] * min(wave_size, n_readings // PAIR)
    wave_worth = wave_size * _choose_wave_share(judges)
    sizes: list[int] = []
    worth, n_read = 0.0, 0
    beside = _PairsBeside(known, config)
    while (worth < wave_worth or n_read < n_essays) and n_read + PAIR <= n_readings:
        judge = draw_judge(comparison_id(wave_number, len(sizes)), judges)
        list_size = min(judge.list_size, n_essays)
        size = beside.choose_size(judge, list_size, fits=n_read + list_size <= n_readings)
        sizes.append(size)
        n_read += size
        worth += compute_worth(size)
    return sizes


def find_pair_places(
    judges: Sequence[JudgeSpec], *, wave_number: int, n_places: int, known: JudgesInLists
) -> frozenset[int]:
    """The places of a wave at which a judge is drawn who is asked for pairs only.

    Its pairs are all that it is asked, so they follow the batch's strategy; the few that a judge of
    lists is asked show its sharpness, for which they are random.
    """
    return frozenset(
        place
        for place in range(n_places)
        if not known.takes_lists(draw_judge(comparison_id(wave_number, place), judges))
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


def replace_failed_lists(
    comparisons: Sequence[Comparison],
    *,
    max_attempts: int,
    n_readings: int,
    abandoned: Container[str] = frozenset(),
) -> list[PlannedPair]:
    """Pairs in place of the lists that brought no verdict for good, each list once.

    A ring through the essays of the list, so that each is read twice, once first and once second.

    Parameters
    ----------
    comparisons
        Those of the essays that are assessed.
    max_attempts
        Attempts after which a comparison is not submitted again.
    n_readings
        The most essays that may be read.
    abandoned
        The ids of lists that are not submitted again, whatever attempts they have left.
    """
    replaced = {comparison.failed_list_id for comparison in comparisons}
    pairs: list[PlannedPair] = []
    for comparison in comparisons:
        is_replaced = comparison.comparison_id in replaced
        if is_replaced or not is_failed_list(
            comparison, max_attempts=max_attempts, abandoned=abandoned
        ):
            continue
        ids = comparison.essay_ids
        pairs += [
            PlannedPair(first=one, second=other, failed_list_id=comparison.comparison_id)
            for one, other in zip(ids, (*ids[1:], ids[0]), strict=True)
        ]
    return pairs[: n_readings // PAIR]


def is_failed_list(
    comparison: Comparison, *, max_attempts: int, abandoned: Container[str] = frozenset()
) -> bool:
    """Whether it is a list that brought no verdict and will not be asked again."""
    return comparison.is_list and (
        comparison.comparison_id in abandoned
        or comparison.has_failed_for_good(max_attempts=max_attempts)
    )


def drop_failed_lists(
    comparisons: Sequence[Comparison],
    *,
    max_attempts: int,
    abandoned: Container[str] = frozenset(),
) -> list[Comparison]:
    """The comparisons in which essays met: a list that failed for good brought none together."""
    return [
        comparison
        for comparison in comparisons
        if not is_failed_list(comparison, max_attempts=max_attempts, abandoned=abandoned)
    ]
