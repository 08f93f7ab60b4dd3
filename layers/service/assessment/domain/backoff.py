"""How long a judge message waits before it is tried again."""

from __future__ import annotations

from math import ceil

from assessment.domain.errors import CJError
from assessment.domain.identifiers import draw_fraction
from assessment.domain.judge_errors import JudgeUnavailableError

_FIRST_DELAY = 2.0
_LONGEST_DELAY = 300.0
LONGEST_INVISIBILITY_SECONDS = 43_200 - 600
"""SQS hides a message for 12 hours from its receipt (docs.aws.amazon.com/AWSSimpleQueueService/
latest/SQSDeveloperGuide/sqs-visibility-timeout.html); ten minutes are left for the worker."""


def retry_delay(error: CJError, *, receives: int, spread_by: str) -> int:
    """Seconds until the next try: doubling, spread out, and never before the judge asks for it.

    A judge's Retry-After is kept whatever its length, up to what a queue can hide a message for.

    The spread is "equal jitter": half of the doubled delay, and a random share of the other half
    (Brooker, Exponential Backoff And Jitter, AWS Architecture Blog 2015). It is derived from
    `spread_by`, so that a replay waits as long as the first run did.
    """
    doubled: float = min(_FIRST_DELAY * 2 ** max(0, receives - 1), _LONGEST_DELAY)
    delay = doubled * (0.5 + 0.5 * draw_fraction(f"{spread_by}\x1f{receives}"))
    if isinstance(error, JudgeUnavailableError) and error.retry_after is not None:
        delay = max(delay, error.retry_after)
    return max(1, min(ceil(delay), LONGEST_INVISIBILITY_SECONDS))
