"""Comparisons that a provider takes together and answers within a day, at a lower price.

A submission is named by what it asks, so the same wave submitted twice has the same name. What is
known of it is a small record. The record says that submitting is about to be tried before it is
tried: whoever finds a try without an outcome looks among the provider's batches before it pays.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from assessment.domain.identifiers import canonical_sha256
from assessment.domain.judge import Provider

WINDOW = timedelta(hours=24)
"""How long providers may take; what is unanswered by then they expire and do not bill."""

WAVE_SECONDS = int((WINDOW + timedelta(hours=1)).total_seconds())
"""How long a wave waits for a provider's batches: an hour to submit, then the whole window."""

GIVE_UP = WINDOW + timedelta(hours=2)
"""When a batch that the provider says nothing of counts as lost."""

SETTLING = timedelta(seconds=150)
"""How long after a try was put on record its request may still turn into a batch at the provider: a
worker's life of 60 seconds, and as long again and more for a request on its way."""

_CHAIN_LOST = timedelta(minutes=15)
_FIRST_LOOK_SECONDS = 5.0
_LAST_LOOK_SECONDS = 300.0


LEAST_COMPARISONS = {Provider.OPENAI: 1, Provider.ANTHROPIC: 1, Provider.BEDROCK: 100}
"""Who has such an interface, and how few requests it takes at once. All take 50,000 or more
(platform.openai.com/docs/guides/batch, docs.anthropic.com/en/docs/build-with-claude/
batch-processing, docs.aws.amazon.com/bedrock/latest/userguide/quotas.html)."""


class SubmissionAttempt(NamedTuple):
    """A try to submit so many requests, of which it is not known whether it arrived."""

    name: str
    at: datetime
    n_requests: int


class SubmissionState(StrEnum):
    """Where a submission stands; each state has one next step.

    In `TRIED` it is unknown whether the provider has the comparisons.
    """

    NEW = "new"
    TRIED = "tried"
    SUBMITTED = "submitted"
    DONE = "done"


class ProviderBatch(BaseModel):
    """What is known of one submission.

    `size` counts the requests of the try, and `left_out` has the comparisons that were in none of
    them; `looks` counts the messages that checked the submission.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    judge: str | None = None
    looks: int = 0
    next_look_at: datetime | None = None
    tried_at: datetime | None = None
    size: int = 0
    left_out: tuple[str, ...] = ()
    provider_batch_id: str | None = None
    submitted_at: datetime | None = None
    cancelled: bool = False
    cancelled_at: datetime | None = None
    done: bool = False

    @property
    def state(self) -> SubmissionState:
        """Where it stands, by what is on record."""
        if self.done:
            return SubmissionState.DONE
        if self.provider_batch_id is not None:
            return SubmissionState.SUBMITTED
        return SubmissionState.NEW if self.tried_at is None else SubmissionState.TRIED

    def is_lost(self, *, now: datetime) -> bool:
        """Whether the provider's time for the batch has long passed."""
        last_try = self.submitted_at or self.tried_at
        return last_try is not None and now - last_try >= GIVE_UP

    def is_neglected(self, *, now: datetime) -> bool:
        """Whether its chain of messages is lost: nobody would look at it again."""
        expected = self.next_look_at
        return not self.done and (expected is None or now >= expected + _CHAIN_LOST)

    def is_tended(self, look: int, *, now: datetime) -> bool:
        """Whether another message than the `look`-th is on its way, so that this one may end.

        Of two chains of messages one ends; where the other one was lost, this one takes over.
        """
        awaited = self.next_look_at is not None and now < self.next_look_at + _CHAIN_LOST
        return self.looks > look and awaited


def submission_name(batch_id: str, wave_number: int, judge: str, part: int) -> str:
    """The name of a part of a wave for one judge: letters, digits and a hyphen, 43 characters."""
    return f"cj-{canonical_sha256([batch_id, wave_number, judge, part])[:40]}"


def choose_call_size(n_comparisons: int, most: int, *, bundle: int, least: int) -> int:
    """How many comparisons a request has: `bundle`, or fewer where too few requests are left.

    Parameters
    ----------
    n_comparisons
        All that are to be submitted.
    most
        The most of a submission, as far as `least` allows.
    bundle
        The most of a request.
    least
        The fewest requests of a submission.
    """
    n_parts = len(split_submission(range(n_comparisons), most, least=least))
    return max(1, min(bundle, n_comparisons // (max(1, n_parts) * least)))


def split_submission[T](
    comparisons: Sequence[T], most: int, *, least: int = 1
) -> list[Sequence[T]]:
    """The fewest parts of `most`, as even as they can be; larger ones rather than below `least`."""
    count = min(-(-len(comparisons) // most), max(1, len(comparisons) // least))
    if not comparisons:
        return []
    share, rest = divmod(len(comparisons), count)
    sizes = [share + (1 if n < rest else 0) for n in range(count)]
    starts = [sum(sizes[:n]) for n in range(count)]
    return [comparisons[start : start + size] for start, size in zip(starts, sizes, strict=True)]


def deal_calls[T](
    calls: Sequence[Sequence[T]], most: int, *, least: int = 1
) -> list[list[Sequence[T]]]:
    """The calls as submissions of `most` comparisons, and of `least` calls before that."""
    n_comparisons = sum(map(len, calls))
    count = max(1, min(-(-n_comparisons // most), len(calls) // least))
    while True:
        # Dealt in turn: large calls stand first, and no submission shall have only these.
        parts = [list(calls[start::count]) for start in range(count)]
        is_small = all(sum(map(len, part)) <= most for part in parts)
        if is_small or count + 1 > len(calls) // least:
            return [part for part in parts if part]
        count += 1


def next_look_seconds(age: timedelta) -> int:
    """How long until the provider is asked again: half as long as it has had already."""
    return round(min(max(age.total_seconds() / 2, _FIRST_LOOK_SECONDS), _LAST_LOOK_SECONDS))
