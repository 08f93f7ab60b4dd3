"""The designs of a study, from the options of `cj simulate` to their outlooks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product

from assessment.domain.config import Source, resolve_config
from assessment.domain.grade_scale import GradeScale, find_scale
from assessment.domain.jury import read_judges
from assessment.domain.prompt import JudgeInstructions
from runner.errors import BadInputError, Problem
from runner.inputs import parse_config, parse_scale
from runner.judges import parse_judges
from runner.offline.prices import estimate_cost
from runner.offline.study import Design, Outlook, Range, simulate

_WORD = "reason "
_LEAST_AGREEMENT, _MOST_AGREEMENT = 0.51, 0.99
_FEWEST_ESSAYS, _MOST_ESSAYS = 2, 1000


@dataclass(frozen=True)
class StudyRow:
    """A design and its outlook; the cost is None without a judge whose price is known."""

    essays: int
    anchors: int
    agreement: float
    outlook: Outlook
    cost_usd: Range | None


def run_study(
    *,
    essays: str,
    anchors: str,
    agreements: str,
    scale: str | None,
    settings: Sequence[str],
    judges: Sequence[str],
    words: int,
    n_batches: int,
    seed: int,
    show: Callable[[str], None],
) -> list[StudyRow]:
    """Every combination of the options, simulated; `show` is told of each.

    Raises
    ------
    BadInputError
    """
    config = resolve_config([(Source.REQUEST, parse_config(settings))], is_admin=True).config
    sizes = _read_numbers(essays, "--essays", _FEWEST_ESSAYS, _MOST_ESSAYS)
    anchor_counts = _read_numbers(anchors, "--anchors", 0, _MOST_ESSAYS)
    qualities = _read_numbers(agreements, "--agreement", _LEAST_AGREEMENT, _MOST_AGREEMENT)
    grade_scale = find_scale(parse_scale(scale))
    price = _find_price(judges, words)
    rows = []
    for n_essays, n_anchors, quality in product(sizes, anchor_counts, qualities):
        show(f"{n_essays:.0f} essays, {n_anchors:.0f} anchors, agreement {quality:.2f}")
        design = _make_design(int(n_essays), int(n_anchors), quality, grade_scale)
        outlook = simulate(design, config=config, n_batches=n_batches, seed=seed)
        cost = _price(outlook.comparisons, price)
        rows.append(StudyRow(int(n_essays), outlook.n_anchors, quality, outlook, cost))
    return rows


def _make_design(n_essays: int, n_anchors: int, agreement: float, scale: GradeScale) -> Design:
    least = len(scale.grades) // 2
    if 0 < n_anchors < least:
        message = f"{n_anchors} anchors are too few for {len(scale.grades)} grades; give {least}"
        raise BadInputError(Problem(message, field="--anchors"))
    return Design(n_essays, agreement, n_anchors, scale if n_anchors else None)


def _read_numbers(text: str, option: str, low: float, high: float) -> list[float]:
    try:
        values = [float(part) for part in text.split(",")]
    except ValueError:
        message = f"{text!r} is no number, or numbers with commas between"
        raise BadInputError(Problem(message, field=option)) from None
    if not all(low <= value <= high for value in values):
        raise BadInputError(Problem(f"give values from {low:g} to {high:g}", field=option))
    return values


def _find_price(judges: Sequence[str], words: int) -> Range | None:
    """What a comparison of two essays of so many words costs with the first judge."""
    described = parse_judges(judges)
    if not described:
        return None
    judge = read_judges(described[0], is_admin=True)[0]
    text = _WORD * words
    cost = estimate_cost(judge, [text, f"{text}."], JudgeInstructions())
    return cost.cost_usd if cost else None


def _price(comparisons: Range, price: Range | None) -> Range | None:
    if price is None:
        return None
    return Range(
        comparisons.low * price.low,
        comparisons.expected * price.expected,
        comparisons.high * price.high,
    )
