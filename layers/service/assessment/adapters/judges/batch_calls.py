"""Calls about a provider's batches over HTTP: shorter than a verdict may take, several a worker."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx

from assessment.adapters.judges.completion import Completion
from assessment.adapters.judges.model import SubmittedCall
from assessment.adapters.judges.transport import call, call_for_json
from assessment.contracts.json_text import read_objects
from assessment.contracts.list_answer import find_label_orders
from assessment.contracts.model_answer import ModelVerdict, read_answer
from assessment.domain.judge import JudgeSpec
from assessment.domain.judge_errors import JudgeError, JudgeUnavailableError

CLOCK_SKEW = timedelta(minutes=5)
"""By how much a provider's clock may differ from ours."""

_SECONDS = 20.0
_PAGE = 100
_MOST_PAGES = 50


@dataclass(frozen=True)
class BatchCalls:
    """One provider's routes below a judge's endpoint."""

    client: httpx.AsyncClient
    headers: Mapping[str, str]
    provider: str
    prefix: str = ""

    async def json(
        self, judge: JudgeSpec, method: str, path: str = "", **content: Any
    ) -> dict[str, Any]:
        """The JSON object that a route answers; raises JudgeError."""
        return await call_for_json(self.client, method, **self._address(judge, path), **content)

    async def text(self, judge: JudgeSpec, path: str) -> str:
        """The file that a route answers; raises JudgeError."""
        return (await call(self.client, "GET", **self._address(judge, path))).text

    async def newest_first(
        self, judge: JudgeSpec, path: str = "", *, cursor: str
    ) -> AsyncIterator[dict[str, Any]]:
        """All objects of a list, page by page; `cursor` names what the next page comes after."""
        position: dict[str, str] = {}
        for _ in range(_MOST_PAGES):
            page = await self.json(judge, "GET", path, params={"limit": _PAGE, **position})
            entries = read_objects(page.get("data"))
            for entry in entries:
                yield entry
            if not page.get("has_more") or not entries:
                return
            position = {cursor: str(entries[-1].get("id"))}

    def _address(self, judge: JudgeSpec, path: str) -> dict[str, Any]:
        return {
            "url": f"{(judge.endpoint or '').rstrip('/')}{self.prefix}{path}",
            "headers": self.headers,
            "timeout_seconds": min(judge.timeout_seconds, _SECONDS),
            "provider": self.provider,
        }


def read_batch_id(batch: Mapping[str, Any], provider: str) -> str:
    """The provider's id of a batch that it has just taken."""
    if not batch.get("id"):
        raise JudgeUnavailableError(f"{provider} answered without the id of the batch")
    return str(batch["id"])


def make_missing_answers_error(provider: str) -> JudgeUnavailableError:
    """The error while a batch that has ended has no file of its answers yet: they are paid for."""
    return JudgeUnavailableError(
        f"{provider}'s batch has ended and its answers are not there yet", busy=True
    )


def merge_answers(
    answers: Iterable[tuple[str, Completion | JudgeError]], calls: Mapping[str, SubmittedCall]
) -> dict[str, Completion | JudgeError]:
    """One answer for each call, whatever the order and number of a batch's lines.

    An answer stands before any error, and of errors one that may be tried again. Answers that say
    the same are one; those with different winners or orders are none.
    """
    merged: dict[str, Completion | JudgeError] = {}
    for name, answer in answers:
        if name not in merged:
            merged[name] = answer
            continue
        comparison_ids = calls[name].comparison_ids if name in calls else [name]
        merged[name] = _choose_answer(comparison_ids, merged[name], answer)
    return merged


def _choose_answer(
    comparison_ids: Sequence[str], first: Completion | JudgeError, second: Completion | JudgeError
) -> Completion | JudgeError:
    if isinstance(first, Completion):
        return (
            _choose_completion(comparison_ids, first, second)
            if isinstance(second, Completion)
            else first
        )
    return first if isinstance(second, JudgeError) and first.retryable else second


def _choose_completion(
    comparison_ids: Sequence[str], first: Completion, second: Completion
) -> Completion:
    said = [_find_verdicts(comparison_ids, answer) for answer in (first, second)]
    if any(len(one | other) > 1 for one, other in zip(*said, strict=True)):
        problem = "the batch has contradictory answers to this comparison"
        return Completion(problem=problem, usage=first.usage)
    n_first, n_second = (sum(map(bool, verdicts)) for verdicts in said)
    return second if n_second > n_first else first


def _find_verdicts(comparison_ids: Sequence[str], answer: Completion) -> list[set[object]]:
    """Of each comparison, the winner or the orders of its list that an answer gives."""
    verdicts = read_answer(answer.candidates, comparison_ids)
    return [
        {
            *({verdict.winner} if isinstance(verdict, ModelVerdict) else ()),
            *find_label_orders(answer.candidates, name),
        }
        for name, verdict in verdicts.items()
    ]
