"""What earlier waves told of judges in lists: how sharp each is there, and who answers none.

People judge pairs only, and so does a judge that turned out too blunt in lists. Beside its lists a
judge gets a share of pairs; without them nobody would know how sharp it is in lists.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pydantic import BaseModel, ConfigDict

from assessment.domain.comparison import Comparison, ComparisonStatus
from assessment.domain.config import BatchConfig
from assessment.domain.decision import ContinuationContext
from assessment.domain.judge import JudgeSpec
from assessment.domain.jury import draw_judge
from assessment.domain.list_ratio import is_blunt, is_sharp
from assessment.domain.pair_shares import KNOWN_PAIR_SHARE, find_pair_shares
from assessment.domain.readings import PAIR

# None of m attempts brought an order: with 95% confidence less than 3/m of further ones would (rule
# of three, Hanley & Lippman-Hand 1983), here three in ten.
_ATTEMPTS_THAT_SUFFICE = 10


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
        is_likely = self.probability_blunt >= find_pair_shares(self.list_size).suspected_probability
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

    def suspects_any(self, judges: Sequence[JudgeSpec]) -> bool:
        """Whether one of the judges who are asked for lists is likely too blunt for them.

        The lists of the next wave are random then: neighbours, who differ little, tell little of
        how sharp a judge is.
        """
        return any(
            self.takes_lists(judge) and _has_label(judge, self.suspected) for judge in judges
        )

    def choose_pair_share(
        self, judge: JudgeSpec, config: BatchConfig, *, wave_number: int
    ) -> float:
        """The share of a judge's readings in a wave that are in pairs beside its lists."""
        shares = find_pair_shares(judge.list_size)
        is_measured = judge.expected_list_ratio is not None
        is_early = wave_number <= shares.n_early_waves and not is_measured
        if _has_label(judge, self.settled) and not is_early:
            return min(config.list_pair_share, KNOWN_PAIR_SHARE if is_measured else 1.0)
        if _has_label(judge, self.suspected):
            return max(config.list_pair_share, shares.suspected)
        return max(config.list_pair_share, shares.unsettled)


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
