"""`cj prompt-check --list-size` and `--repeat`: plans, what is made of answers, and the command."""

from __future__ import annotations

import json
import re
from collections import Counter
from itertools import combinations

import numpy as np
import pytest
from typer.testing import CliRunner

from assessment.contracts.winner import WinnerLetter
from assessment.domain.verdict import Degree, Gap, ListVerdict, Verdict, Winner
from local.providers.scripted_server import Received, make_reply, provider_server, verdict
from runner.cli import app
from runner.offline.list_check import UnitCost, compare_ways
from runner.offline.list_verdicts import AskedList, AskedPair
from runner.offline.noise_check import Repeats, measure_noise
from runner.offline.prompt_plan import plan_check
from tests.present import present

NAMES = [f"e{n:02d}" for n in range(40)]
QUALITY = {name: n / 8 for n, name in enumerate(NAMES)}
COSTS = {"bundles": (UnitCost(900.0, 1.0), UnitCost(3500.0, 4.0))}


def test_lists_and_pairs_are_of_the_same_few_essays_in_even_numbers():
    plan = plan_check(NAMES, n_pairs=20, list_size=5)
    assert plan == plan_check(NAMES[::-1], n_pairs=20, list_size=5)
    assert (len(plan.pairs), len(plan.lists)) == (20, 8)
    together = {frozenset(pair) for each in plan.lists for pair in combinations(each, 2)}
    assert {frozenset(pair) for pair in plan.pairs} <= together
    assert len({frozenset(pair) for pair in plan.pairs}) == 20
    assert len({frozenset(each) for each in plan.lists}) == 8
    read = Counter(name for each in plan.lists for name in each)
    assert len(read) == 10
    assert max(read.values()) - min(read.values()) <= 1


def test_a_class_smaller_than_its_lists_is_refused_and_one_as_large_is_not():
    with pytest.raises(ValueError, match="lists of 5 need as many essays; there are 4"):
        plan_check(NAMES[:4], n_pairs=20, list_size=5)
    plan = plan_check(NAMES[:5], n_pairs=20, list_size=5)
    assert (len(plan.lists), len(plan.pairs)) == (1, 10)


def test_repeats_are_asked_about_essays_that_meet_several_others():
    plan = plan_check(NAMES, n_pairs=30, n_repeats=5)
    met = Counter(name for pair in plan.pairs for name in pair)
    assert plan.lists == []
    assert len(plan.pairs) == 30
    assert min(met.values()) >= 4


def ask_pairs(plan, rng):
    """Verdicts of a logistic judge in both orders."""
    asked = []
    for pair in plan.pairs:
        for shown in (pair, pair[::-1]):
            margin = QUALITY[shown[0]] - QUALITY[shown[1]] + rng.logistic()
            winner = Winner.FIRST if margin > 0 else Winner.SECOND
            asked.append(AskedPair(shown, Verdict(winner=winner, degree=Degree.CLEAR, judge="j")))
    return asked


def ask_lists(plan, rng, *, sharpness):
    """Orders by Plackett and Luce, in both orders."""
    asked = []
    for each in plan.lists:
        for shown in (each, each[::-1]):
            noisy = {name: sharpness * QUALITY[name] + rng.gumbel() for name in shown}
            ranking = tuple(sorted(shown, key=lambda name: -noisy[name]))
            gaps = (Gap.CLEAR,) * (len(shown) - 1)
            asked.append(AskedList(shown, ListVerdict(ranking=ranking, gaps=gaps, judge="j")))
    return asked


def compare(*, sharpness, n_pairs=60):
    rng = np.random.default_rng(3)
    plan = plan_check(NAMES, n_pairs=n_pairs, list_size=5)
    return compare_ways(ask_pairs(plan, rng), ask_lists(plan, rng, sharpness=sharpness), COSTS)


def test_a_judge_as_sharp_in_lists_is_cheaper_in_lists():
    report = compare(sharpness=1.0)
    low, high = report.ratio_interval
    assert low < report.ratio < high
    assert high == pytest.approx(report.ratio * np.exp(1.959964 * report.log_ratio_error))
    assert report.probability_blunt < 0.2
    assert sum(report.place_effects) == pytest.approx(0.0, abs=1e-6)
    (cost,) = report.costs
    # A list of five without sizes tells what 10 pairs of weight .54 would, or .43 with sizes.
    weight = cost.money * report.ratio**2
    assert weight == pytest.approx(4.0 / (10 / (1 + 3 * 0.45)))
    assert cost.money_interval[0] < cost.money < cost.money_interval[1]
    agreement = report.shares[-1]
    assert agreement.name == "lists: agreement with pairs"
    assert agreement.interval[0] > 0.6


def test_a_coin_in_lists_is_sent_back_to_pairs():
    report = compare(sharpness=0.0)
    assert report.shares[-1].value == pytest.approx(0.5, abs=0.1)
    assert "no more than chance" in report.recommendation


def test_lists_that_bring_no_order_are_no_choice():
    plan = plan_check(NAMES, n_pairs=20, list_size=5)
    failed = [AskedList(each, None) for each in plan.lists]
    report = compare_ways(ask_pairs(plan, np.random.default_rng(1)), failed, COSTS)
    assert (report.ratio, report.costs, report.n_failed) == (None, [], 8)
    assert report.recommendation == "pairs: 8 of 8 lists brought no whole order"


def test_a_judge_that_repeats_itself_has_no_sampling_noise_and_a_coin_has_no_other():
    rng = np.random.default_rng(2)
    pairs = plan_check(NAMES, n_pairs=12, n_repeats=4).pairs
    letters: tuple[WinnerLetter, ...] = ("A", "B")
    stubborn = [Repeats(*pair, (letters[rng.integers(2)],) * 4) for pair in pairs]
    report = measure_noise(stubborn)
    assert (report.n_same, report.n_repeats) == (36, 36)
    assert report.sampling_share == pytest.approx(0.0, abs=0.05)
    coin = [Repeats(*pair, tuple(letters[n] for n in rng.integers(2, size=4))) for pair in pairs]
    report = measure_noise(coin)
    assert present(report.sampling_share) > 0.7
    assert present(report.interval)[1] == 1.0


@pytest.mark.parametrize("winners", [(), ("A",), ("tie", "tie")])
def test_too_few_answers_say_nothing_about_noise(winners):
    report = measure_noise([Repeats(f"a{n}", f"b{n}", winners) for n in range(9)])
    assert report.sampling_share is None
    assert "too few" in report.advice


def read_well(asked: Received):
    """The answer of a judge that reads: a text says how good it is."""
    prompt = asked.body["messages"][1]["content"]
    name = present(re.search(r"# Comparison (\S+)", prompt))[1]
    texts = re.findall(r"quality (\d+)", prompt)
    best = sorted(range(len(texts)), key=lambda at: -int(texts[at]))
    if len(texts) == 2:
        return make_reply("openai", {"verdicts": [verdict(name, "AB"[best[0]])]})
    order = {
        "comparison_id": name, "ranking": ["ABCDE"[at] for at in best],
        "gaps": ["clear"] * (len(texts) - 1), "justification": "It argues better.",
    }  # fmt: skip
    return make_reply("openai", {"verdicts": [order]})


def test_the_command_asks_pairs_lists_and_repeats_and_reports(tmp_path):
    for n in range(8):
        (tmp_path / f"{n}.txt").write_text(f"An essay of quality {n}.", encoding="utf-8")
    with provider_server("openai") as server:
        server.script = [read_well] * 100
        result = CliRunner().invoke(
            app,
            ["prompt-check", str(tmp_path), "--model", "m", "--base-url", server.url,
             "--pairs", "10", "--list-size", "4", "--repeat", "2", "--price", "1,2", "--json"],
        )  # fmt: skip
        asked = [request.body["messages"][1]["content"] for request in server.requests]
        keys = {request.headers["idempotency-key"] for request in server.requests}
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    # Ten pairs in both orders, one of them twice, and five lists in both orders.
    assert len(asked) == report["n_calls"] == 10 * 3 + 5 * 2
    assert len(set(asked)) == 10 * 2 + 5 * 2, "a repeat has the very same words"
    assert len(keys) == len(asked), "and is no repeated request"
    shares = {share["name"]: share["value"] for share in report["shares"]}
    assert shares["order consistency"] == shares["lists: order consistency"] == 1.0
    assert shares["lists: agreement with pairs"] == 1.0
    assert (report["lists"]["n_lists"], report["lists"]["n_failed"]) == (10, 0)
    assert [each["way"] for each in report["lists"]["costs"]] == [
        "single calls", "bundles (prompts estimated)",
    ]  # fmt: skip
    assert report["lists"]["recommendation"]
    assert (report["noise"]["n_same"], report["noise"]["n_repeats"]) == (10, 10)


def test_a_folder_with_fewer_essays_than_a_list_is_refused(tmp_path):
    (tmp_path / "one.txt").write_text("One.", encoding="utf-8")
    (tmp_path / "two.txt").write_text("Two.", encoding="utf-8")
    result = CliRunner().invoke(
        app, ["prompt-check", str(tmp_path), "--model", "m", "--list-size", "3"]
    )
    assert result.exit_code == 2
    assert "lists of 3 need as many essays; there are 2" in result.stderr
