"""The cause that most failures of a batch share."""

from __future__ import annotations

import inspect

from assessment.contracts import model_answer, rankings
from assessment.domain import judge_errors
from assessment.domain.comparison import Comparison, ComparisonStatus, JudgeFailure
from assessment.domain.failure_cause import REMEDIES, find_common_cause


def make_failures(n: int, code: str, message: str) -> list[Comparison]:
    return [
        Comparison(
            comparison_id=f"{code}-{i}", wave=1, submitted_wave=1, first="a", second="b",
            status=ComparisonStatus.FAILED, failure=JudgeFailure(code=code, message=message),
        )
        for i in range(n)
    ]  # fmt: skip


def test_the_commonest_cause_is_counted_with_its_words_and_the_setting_that_helps() -> None:
    known = make_failures(38, "cut_off", "the answer was cut off") + make_failures(
        2, "judge-refused", "no"
    )
    cause = find_common_cause(known)
    assert cause is not None
    assert cause.description == "38 of 40 failures: cut_off: the answer was cut off"
    assert "max_output_tokens" in (cause.remedy or "")


def test_failures_without_a_common_cause_have_none() -> None:
    known = [
        *make_failures(2, "cut_off", "a"),
        *make_failures(2, "oversize", "b"),
        *make_failures(2, "x", "c"),
    ]
    assert find_common_cause(known) is None
    assert find_common_cause([]) is None


def test_every_code_of_a_judges_failure_has_a_remedy() -> None:
    classes = [each for _, each in inspect.getmembers(judge_errors, inspect.isclass)]
    codes = {each.code for each in classes if issubclass(each, judge_errors.JudgeError)}
    codes |= {model_answer.CUT_OFF, model_answer.PROMPT_CUT, rankings.MALFORMED}
    codes |= {rankings.UNKNOWN_ESSAY, rankings.MISSING_ESSAY, rankings.DOUBLED_ESSAY}
    codes.add(rankings.CONTRADICTING)
    assert codes - set(REMEDIES) == {"judge-error", "provider-batch", "queue-full"}
