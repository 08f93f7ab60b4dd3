"""What a request to the sample judge meets."""

import inspect
from itertools import pairwise

import pytest

from local.judge.options import Conduct, JudgeOptions, plan_response
from local.judge_endpoint import serve

MANY = [f"w001-{i:05d}" for i in range(3000)]


def fates(options: JudgeOptions, request_number: int = 1) -> list[Conduct]:
    return [plan_response(options, comparison, 1, request_number).conduct for comparison in MANY]


def test_a_well_behaved_judge_answers_everything_once():
    plans = [plan_response(JudgeOptions(), comparison, 1, 1) for comparison in MANY]
    assert {plan.conduct for plan in plans} == {Conduct.VERDICT}
    assert {plan.copies for plan in plans} == {1}


def test_half_of_the_errors_are_refusals_and_half_are_callbacks():
    met = fates(JudgeOptions(error_rate=0.2))
    assert met.count(Conduct.UNAVAILABLE) / len(met) == pytest.approx(0.1, abs=0.03)
    assert met.count(Conduct.ERROR_CALLBACK) / len(met) == pytest.approx(0.1, abs=0.03)


def test_a_refused_request_is_not_refused_for_ever():
    options = JudgeOptions(error_rate=0.5)
    refused = [c for c in MANY if plan_response(options, c, 1, 1).conduct is Conduct.UNAVAILABLE]
    again = [plan_response(options, c, 1, 2).conduct for c in refused]
    assert again.count(Conduct.VERDICT) / len(again) == pytest.approx(0.5, abs=0.1)


def test_a_silent_comparison_stays_silent_when_asked_again():
    options = JudgeOptions(silent=0.3)
    first, second = fates(options, 1), fates(options, 2)
    assert first == second
    assert first.count(Conduct.SILENCE) / len(first) == pytest.approx(0.3, abs=0.05)


def test_the_mean_delay_is_the_latency():
    delays = [plan_response(JudgeOptions(latency=0.4), c, 1, 1).delay for c in MANY]
    assert sum(delays) / len(delays) == pytest.approx(0.4, abs=0.02)
    assert min(delays) >= 0.2
    assert max(delays) <= 0.6


def test_shuffled_callbacks_change_places():
    delays = [plan_response(JudgeOptions(latency=0, shuffle=5), c, 1, 1).delay for c in MANY]
    earlier = sum(later < sooner for sooner, later in pairwise(delays))
    assert earlier / len(delays) == pytest.approx(0.5, abs=0.05)


def test_the_same_seed_gives_the_same_day_and_another_a_different_one():
    day = JudgeOptions(error_rate=0.3)
    assert fates(day) == fates(day)
    assert fates(day) != fates(JudgeOptions(seed=2, error_rate=0.3))


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("error_rate", 1.1),
        ("duplicate_rate", -0.1),
        ("silent", 20),
        ("latency", -1),
        ("shuffle", -1),
        ("batch_seconds", -1),
        ("bedrock_minimum_records", -1),
    ],
)
def test_an_impossible_setting_is_named(setting, value):
    with pytest.raises(ValueError, match=setting):
        JudgeOptions(**{setting: value})


def test_every_setting_is_a_flag_of_the_command_with_the_same_default():
    flags = inspect.signature(serve).parameters
    for name, value in JudgeOptions().as_dict().items():
        assert flags[name].default == value, name
