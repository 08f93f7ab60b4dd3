"""How a prompt makes a judge behave: pairs in both orders, repeats, and lists of these essays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from assessment.adapters.prompts import JinjaPrompts
from assessment.contracts.list_protocol import ComparisonResult
from assessment.contracts.llm_protocol import LLMComparisonResultV1
from assessment.contracts.winner import WinnerLetter
from assessment.domain.judge import PAIR_SIZE, BatchingMode, JudgeSpec
from assessment.domain.prices import find_price
from runner.offline.list_check import ListReport, UnitCost, compare_ways
from runner.offline.list_verdicts import take_list, take_pair
from runner.offline.noise_check import NoiseReport, Repeats, measure_noise
from runner.offline.prices import estimate_cost
from runner.offline.prompt_plan import CheckPlan
from runner.offline.prompt_questions import Asker, count_tokens, sum_costs
from runner.offline.shares import Share, count_share

_SEEN_FROM_B = {"A": "B", "B": "A", "tie": "tie"}


@dataclass(frozen=True)
class PromptReport:
    """What the judge did with the pairs, and with lists and repeats where they were asked for."""

    shares: list[Share]
    n_calls: int
    n_failed: int
    cost_usd: float | None
    lists: ListReport | None = None
    noise: NoiseReport | None = None

    @property
    def all_shares(self) -> list[Share]:
        """Those of pairs, then those of lists."""
        return [*self.shares, *(self.lists.shares if self.lists else [])]


@dataclass(frozen=True)
class Trial:
    """A pair, what the judge said in both orders (A is `first` in both), and what others said."""

    first: str
    second: str
    forward: str | None
    backward: str | None
    reference: str | None = None

    @property
    def is_complete(self) -> bool:
        """Whether there is a verdict in both orders."""
        return bool(self.forward and self.backward)

    def list_first_choices(self) -> list[bool]:
        """For each order whether the essay shown first was preferred; none if either is a tie."""
        if "tie" in (self.forward, self.backward):
            return []
        return [self.forward == "A", self.backward == "B"]

    def list_agreements(self) -> list[bool]:
        """For each order without a tie whether the verdict is the reference's, if there is one."""
        if self.reference not in ("A", "B"):
            return []
        verdicts = [verdict for verdict in (self.forward, self.backward) if verdict != "tie"]
        return [verdict == self.reference for verdict in verdicts]


def summarise(trials: Sequence[Trial]) -> list[Share]:
    """Order consistency, first-choice rate and agreement with the reference."""
    complete = [trial for trial in trials if trial.is_complete]
    consistent = [trial.forward == trial.backward for trial in complete]
    first_choices = chain.from_iterable(trial.list_first_choices() for trial in complete)
    agreements = chain.from_iterable(trial.list_agreements() for trial in complete)
    return [
        count_share("order consistency", consistent),
        count_share("first shown is preferred", first_choices),
        count_share("agreement with reference", agreements),
    ]


async def check_prompt(
    asker: Asker, plan: CheckPlan, *, references: Mapping[tuple[str, str], str]
) -> PromptReport:
    """Ask about every pair and list in both orders, one comparison to a call, and repeats.

    Parameters
    ----------
    references
        What others say of pairs (A, B), ids in sorted order.

    Raises
    ------
    InvalidRequestError
        If the template does not render or loses an essay, before anything is asked.
    JudgeError
        If the judge refuses, or answers nothing at all.
    """
    _check_templates(asker.judge)
    questions = _list_questions(plan)
    requests = [asker.write_request(name, shown, repeat=n) for name, shown, n in questions]
    results = await asker.ask(requests)
    answers = dict(zip(((name, n) for name, _, n in questions), results, strict=True))
    return PromptReport(
        shares=summarise(_read_trials(plan, answers, references)),
        n_calls=len(results),
        n_failed=sum(result is None or not result.has_verdict for result in results),
        cost_usd=sum_costs(results),
        lists=_report_lists(asker, plan, answers) if plan.lists else None,
        noise=_report_noise(plan, answers) if plan.n_repeats > 1 else None,
    )


type _Found = Mapping[tuple[str, int], ComparisonResult | None]


def _read_trials(
    plan: CheckPlan, answers: _Found, references: Mapping[tuple[str, str], str]
) -> list[Trial]:
    """Every pair in both orders, with what others say of it."""
    return [
        Trial(
            *pair,
            _read_winner(answers[f"pair-{at:04d}-forward", 0]),
            _turn(answers[f"pair-{at:04d}-backward", 0]),
            _look_up(references, pair),
        )
        for at, pair in enumerate(plan.pairs)
    ]


def _check_templates(judge: JudgeSpec) -> None:
    JinjaPrompts().check(judge)
    if judge.list_size > PAIR_SIZE:
        JinjaPrompts().check_lists(judge, size=judge.list_size)


def _list_questions(plan: CheckPlan) -> list[tuple[str, tuple[str, ...], int]]:
    """The name of each question, the essays in the order shown, and which repeat it is."""
    kinds: dict[str, Sequence[tuple[str, ...]]] = {"pair": plan.pairs, "list": plan.lists}
    return [
        (f"{kind}-{at:04d}-{order}", shown if order == "forward" else shown[::-1], repeat)
        for kind, comparisons in kinds.items()
        for order in ("forward", "backward")
        for at, shown in enumerate(comparisons)
        for repeat in range(plan.n_repeats if (kind, order) == ("pair", "forward") else 1)
    ]


def _read_winner(result: ComparisonResult | None) -> WinnerLetter | None:
    return result.winner if isinstance(result, LLMComparisonResultV1) else None


def _turn(result: ComparisonResult | None) -> str | None:
    winner = _read_winner(result)
    return _SEEN_FROM_B[winner] if winner else None


def _look_up(references: Mapping[tuple[str, str], str], pair: tuple[str, str]) -> str | None:
    """What others say of a pair, as it is shown."""
    if pair in references:
        return references[pair]
    turned = references.get((pair[1], pair[0]))
    return _SEEN_FROM_B[turned] if turned else None


def _report_noise(plan: CheckPlan, answers: _Found) -> NoiseReport:
    return measure_noise(
        [
            Repeats(
                *pair,
                tuple(
                    winner
                    for repeat in range(plan.n_repeats)
                    if (winner := _read_winner(answers[f"pair-{at:04d}-forward", repeat]))
                ),
            )
            for at, pair in enumerate(plan.pairs)
        ]
    )


def _report_lists(asker: Asker, plan: CheckPlan, answers: _Found) -> ListReport:
    """Lists beside the pairs, each asked once in both orders."""
    pairs = _list_answers("pair", plan.pairs, answers)
    lists = _list_answers("list", plan.lists, answers)
    of_pairs, of_lists = ([result for _, result in each if result] for each in (pairs, lists))
    size = len(plan.lists[0])
    return compare_ways(
        [take_pair((shown[0], shown[1]), result) for shown, result in pairs],
        [take_list(shown, result) for shown, result in lists],
        {
            "single calls": (_average(of_pairs), _average(of_lists)),
            "bundles (prompts estimated)": (
                _estimate_bundled(asker, of_pairs, size=PAIR_SIZE),
                _estimate_bundled(asker, of_lists, size=size),
            ),
        },
    )


def _list_answers(
    kind: str, comparisons: Sequence[tuple[str, ...]], answers: _Found
) -> list[tuple[tuple[str, ...], ComparisonResult | None]]:
    """Every comparison in both orders, as it was shown, with its first answer."""
    orders = [("forward", 1), ("backward", -1)]
    return [
        (shown[::step], answers[f"{kind}-{at:04d}-{order}", 0])
        for at, shown in enumerate(comparisons)
        for order, step in orders
    ]


def _average(results: Sequence[ComparisonResult]) -> UnitCost:
    """What one comparison cost as it was asked."""
    n_results = max(1, len(results))
    cost = sum_costs(results)
    return UnitCost(count_tokens(results) / n_results, None if cost is None else cost / n_results)


def _estimate_bundled(asker: Asker, results: Sequence[ComparisonResult], *, size: int) -> UnitCost:
    """What one comparison would cost in bundles: prompts as estimated, answers as measured."""
    judge = asker.judge.model_copy(
        update={"batching_mode": BatchingMode.SERIAL_BUNDLE, "list_size": size}
    )
    estimate = estimate_cost(judge, list(asker.texts.values()), asker.instructions)
    n_inputs = int(estimate.input_tokens.expected) if estimate else 0
    n_outputs = sum(result.spent.output_tokens for result in results) // max(1, len(results))
    price = find_price(judge)
    return UnitCost(n_inputs + n_outputs, price.compute(n_inputs, n_outputs) if price else None)
