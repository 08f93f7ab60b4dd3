"""How long a judge message waits before it is tried again."""

from __future__ import annotations

from math import ceil

from assessment.domain.errors import CJError
from assessment.domain.identifiers import content_sha256
from assessment.domain.judge_errors import JudgeUnavailableError

_FIRST_DELAY = 2.0
_LONGEST_DELAY = 300.0
LONGEST_INVISIBILITY_SECONDS = 43_200 - 600
"""SQS hides a message for 12 hours from its receipt (docs.aws.amazon.com/AWSSimpleQueueService/
latest/SQSDeveloperGuide/sqs-visibility-timeout.html); ten minutes are left for the worker."""
_DIGITS = 8
_RANGE = 0x1_0000_0000


def retry_delay(error: CJError, *, receives: int, spread_by: str) -> int:
    """Seconds until the next try: doubling, spread out, and never before the judge asks for it.

    A judge's Retry-After is kept whatever its length, up to what a queue can hide a message for.

    The spread is "full jitter" between half and all of the doubled delay; it is derived from
    `spread_by`, so that a replay waits as long as the first run did.
    """
    doubled: float = min(_FIRST_DELAY * 2 ** max(0, receives - 1), _LONGEST_DELAY)
    share = int(content_sha256(f"{spread_by}\x1f{receives}")[:_DIGITS], 16) / _RANGE
    delay = doubled * (0.5 + 0.5 * share)
    if isinstance(error, JudgeUnavailableError) and error.retry_after is not None:
        delay = max(delay, error.retry_after)
    return max(1, min(ceil(delay), LONGEST_INVISIBILITY_SECONDS))
