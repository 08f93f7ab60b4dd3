"""Input tokens of the same verdicts where a call prints each text once, and what that costs.

    python -m benchmarks.texts_once [--quick] [--json PATH]

Simulated: abilities N(0, 2^2), a logistic judge with six degrees, three waves of four comparisons
an essay, 25% audit. Prompts are those that the product sends: bundles of ten of texts of 2,600
characters (650 tokens at four characters each) and a short rubric. Compared are pairs planned by
themselves whose bundles print both texts of every pair (`comparison@2`), and pairs planned to share
essays in bundles that print each once. Mean standard errors are those of the fits of both.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import batched, chain

import numpy as np

from assessment.adapters.prompts import JinjaPrompts
from assessment.domain.judge import MAX_BUNDLE, JudgeSpec, Provider
from assessment.domain.prompt import EssayPair, JudgeInstructions
from assessment.domain.shared_calls import group_comparisons
from benchmarks._common import Bar, Claim, arguments, report
from scoring import Comparisons, fit
from scoring.pairing import plan_wave
from scoring.simulate import LogisticJudge

WAVES = 3
SIGMA = 2.0
CUTS = (1.0, 2.5)
CHARACTERS = 2600
CHARACTERS_PER_TOKEN = 4
RUBRIC = JudgeInstructions(
    judge_rubric="Weigh the strength of the argument first, then its structure, then the language."
)


@dataclass(frozen=True)
class Outcome:
    """One simulated batch: tokens of its prompts, and the mean standard error after each wave."""

    tokens: int
    mean_se: tuple[float, ...]


def count_tokens(pairs: list[tuple[int, int]], *, shares_essays: bool) -> int:
    """Tokens of the prompts of one wave."""
    template = "comparison@3" if shares_essays else "comparison@2"
    judge = JudgeSpec(provider=Provider.OPENAI, model="gpt-4.1-mini", template=template)
    named = [(f"e{a:03d}", f"e{b:03d}") for a, b in pairs]
    positions = [list(part) for part in batched(range(len(pairs)), MAX_BUNDLE, strict=False)]
    calls = group_comparisons(named, most=MAX_BUNDLE) if shares_essays else positions
    n_characters = 0
    for call in calls:
        texts = [
            EssayPair(
                f"w0001-{position:05d}",
                named[position][0].ljust(CHARACTERS, "."),
                named[position][1].ljust(CHARACTERS, "."),
                essay_a_id=named[position][0],
                essay_b_id=named[position][1],
            )
            for position in call
        ]
        blocks = JinjaPrompts().render(judge, RUBRIC, texts, bundle=True)
        n_characters += sum(len(block.content) for block in blocks)
    return n_characters // CHARACTERS_PER_TOKEN


def judge_batch(n_essays: int, seed: int, *, shares_essays: bool) -> Outcome:
    """Plan, judge and fit the waves of one batch."""
    rng = np.random.default_rng([seed, n_essays])
    ability = rng.normal(0.0, SIGMA, n_essays)
    judge = LogisticJudge(ability - ability.mean(), CUTS)
    first = second = outcome = np.zeros(0, dtype=np.int64)
    standing = None
    n_tokens = 0
    mean_se = []
    for _ in range(WAVES):
        plan = plan_wave(
            n_essays,
            rng=rng,
            first=first,
            second=second,
            ability=None if standing is None else standing.ability,
            covariance=None if standing is None else standing.covariance,
            shares_essays=shares_essays,
        )
        pairs = list(zip(plan.first.tolist(), plan.second.tolist(), strict=True))
        n_tokens += count_tokens(pairs, shares_essays=shares_essays)
        answers = judge.judge(plan.first, plan.second, rng)
        first = np.concatenate([first, plan.first])
        second = np.concatenate([second, plan.second])
        outcome = np.concatenate([outcome, answers])
        judged = Comparisons(n_essays, first, second, outcome, np.zeros_like(first))
        standing = fit(judged, prior_sd=SIGMA)
        mean_se.append(float(standing.standard_error.mean()))
    return Outcome(n_tokens, tuple(mean_se))


def measure(n_essays: int, n_worlds: int) -> tuple[list[dict[str, object]], list[Claim]]:
    """Rows and claims of one size."""
    plain, shared = (
        [judge_batch(n_essays, seed, shares_essays=shares) for seed in range(n_worlds)]
        for shares in (False, True)
    )
    ways = {"pairs": _average(plain), "texts once": _average(shared)}
    rows: list[dict[str, object]] = [
        {"essays": n_essays, "way": name, "input_tokens": n_tokens}
        | {f"mean_se_{wave}": float(se) for wave, se in enumerate(mean_se, start=1)}
        for name, (n_tokens, mean_se) in ways.items()
    ]
    tokens = ways["texts once"][0] / ways["pairs"][0]
    error = float(ways["texts once"][1][-1] / ways["pairs"][1][-1])
    name = f"mean SE after {WAVES} waves against pairs by themselves, {n_essays} essays"
    return rows, [
        Claim(f"input tokens for the same verdicts, texts once, {n_essays} essays", tokens,
              "share", Bar(high=0.45)),
        Claim(name, error, "ratio", Bar(high=1.02)),
    ]  # fmt: skip


def _average(outcomes: list[Outcome]) -> tuple[float, np.ndarray]:
    """Tokens and mean standard errors, averaged over worlds."""
    n_tokens = float(np.mean([each.tokens for each in outcomes]))
    return n_tokens, np.mean([each.mean_se for each in outcomes], axis=0)


def main() -> None:
    """Measure and report."""
    options = arguments(__doc__)
    measured = [measure(n_essays, 4 if options.quick else 40) for n_essays in (30, 100)]
    rows, claims = zip(*measured, strict=True)
    report(options, rows=list(chain(*rows)), claims=list(chain(*claims)))


if __name__ == "__main__":
    main()
