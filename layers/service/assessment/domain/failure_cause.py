"""What most failures of a batch have in common, how often, and the setting that helps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from types import MappingProxyType

from pydantic import BaseModel, ConfigDict

from assessment.domain.comparison import Comparison, ComparisonStatus

_LEAST_SHARE = 0.5
_LONGEST_MESSAGE = 300

_LIST_REMEDY = "set the judge's list_size lower: it does not keep track of so many essays"

REMEDIES = MappingProxyType({
    "cut_off": "raise the judge's max_output_tokens: the model needs more room than it has",
    "prompt_cut": "raise the context of the model where it is served (num_ctx in Ollama), or set "
    "the judge's context_tokens to what it has",
    "oversize": "set the judge's context_tokens to the model's context, take a model with a larger "
    "one, or send shorter essays",
    "request-too-large": "raise the account's tokens per minute with the provider, or set the "
    "judge's bundle_tokens below its limit",
    "credentials-refused": "store a valid key (`cj key set`) that may use the judge's model",
    "unknown-model": "correct the judge's model, or its base_url",
    "endpoint-refused": "correct the judge's base_url: its name leads to the machine that the "
    "stack runs on",
    "account-spent": "add money or quota to the account with the provider; waiting does not help",
    "feature-unsupported": "leave out the judge's setting that the message names",
    "content-refused": "take a judge whose provider takes these essays",
    "judge-refused": "correct what the judge's message names",
    "judge-unavailable": "check that the judge's endpoint can be reached and has room; "
    "requests_per_minute and tokens_per_minute keep to its limits",
    "judge-deferred": "raise the judge's requests_per_minute or tokens_per_minute, or the batch's "
    "wave_timeout_seconds",
    "malformed_verdict": "take a model that keeps to the answer's form, or ask with "
    "batching_mode=per_request",
    "ranking_unknown_essay": _LIST_REMEDY,
    "ranking_missing_essay": _LIST_REMEDY,
    "ranking_doubled_essay": _LIST_REMEDY,
    "contradicting_orders": _LIST_REMEDY,
    "broken-generation": "take a model that keeps to the answer's form, or another temperature",
    "model-changed": "name the model by its dated version, or leave out pin_model",
    "timed_out": "raise wave_timeout_seconds (where people judge, judging_deadline), or check that "
    "the judge's endpoint can reach the callback queue",
})  # fmt: skip
"""What to do, by the code of a comparison's failure."""


class FailureCause(BaseModel):
    """A cause that most failures share.

    Attributes
    ----------
    code, message
        The failure's code, and its commonest message with the provider's words.
    n_failures, n_all_failures
        How many failures have this code, of how many.
    """

    model_config = ConfigDict(frozen=True)

    code: str
    message: str
    n_failures: int
    n_all_failures: int

    @property
    def description(self) -> str:
        """The cause in a sentence."""
        return (
            f"{self.n_failures} of {self.n_all_failures} failures: {self.code}: "
            f"{self.message[:_LONGEST_MESSAGE]}"
        )

    @property
    def remedy(self) -> str | None:
        """What to do, where that is known."""
        return REMEDIES.get(self.code)


def find_common_cause(comparisons: Sequence[Comparison]) -> FailureCause | None:
    """The code that at least half of all failures have; None where there is none."""
    failures = [
        each.failure
        for each in comparisons
        if each.failure is not None
        and each.status in (ComparisonStatus.FAILED, ComparisonStatus.TIMED_OUT)
    ]
    if not failures:
        return None
    codes = Counter(failure.code for failure in failures)
    code = min(codes, key=lambda each: (-codes[each], each))
    if codes[code] < _LEAST_SHARE * len(failures):
        return None
    messages = Counter(failure.message for failure in failures if failure.code == code)
    message = min(messages, key=lambda each: (-messages[each], each))
    return FailureCause(
        code=code, message=message, n_failures=codes[code], n_all_failures=len(failures)
    )
