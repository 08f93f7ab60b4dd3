"""What the providers' batch APIs have in common: requests that are answered later, by themselves.

A batch is read, waits for `batch_seconds`, and then has its lines answered one after another in a
shuffled order, as no provider promises the order of results. Each line is answered as a
synchronous call with the same body would be.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import ValidationError
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.judge.human_judge import draw
from local.judge.validation import first_error
from local.providers.json_lines import Problem, UnfitBatchError
from local.providers.provider_batches import Ending, Line, Phase, ProviderBatch, Result

if TYPE_CHECKING:
    from starlette.requests import Request

    from local.judge.sample_judge import SampleJudge
    from local.providers.provider_formats import ProviderFormats
    from local.providers.wire_formats import WireFormat

    type Handler = Callable[[Request], Awaitable[Response | dict[str, Any]]]

log = logging.getLogger("local.providers.batch_api")


class Refusal(StrEnum):
    """Why a request to a batch API is refused."""

    INVALID = "invalid"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"


class RefusedError(Exception):
    """A request to a batch API that is refused; each provider says so in its own form."""

    def __init__(self, refusal: Refusal, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.refusal = refusal
        self.param = param


@dataclass(frozen=True)
class Means:
    """What a batch API works with.

    Parameters
    ----------
    now
        Tells the time.
    new_id
        Makes ids of 24 hexadecimal digits.
    """

    judge: SampleJudge
    formats: ProviderFormats
    now: Callable[[], datetime]
    new_id: Callable[[], str]


class BatchApi[Batch: ProviderBatch[Any]](ABC):
    """The batches of one provider; each runs in a task of its own until it has ended."""

    form: ClassVar[WireFormat]
    statuses: ClassVar[Mapping[Phase, str]]

    def __init__(self, means: Means) -> None:
        self.means = means
        self.batches: dict[str, Batch] = {}

    @abstractmethod
    async def read(self, batch: Batch) -> Sequence[Line]:
        """The lines of a batch.

        Raises
        ------
        UnfitBatchError
            If it cannot run; it has then failed.
        """

    @abstractmethod
    async def publish(self, batch: Batch) -> None:
        """Put the results where the caller finds them.

        Raises
        ------
        UnfitBatchError
            If that is not possible; the batch has then failed.
        """

    @abstractmethod
    def refused(self, error: RefusedError) -> Response:
        """A refusal in the provider's form."""

    def route(self, method: str, path: str, handle: Handler) -> Route:
        """A route whose handler may raise RefusedError, or pydantic's about what it was sent."""

        async def endpoint(http: Request) -> Response:
            try:
                answer = await handle(http)
            except RefusedError as error:
                return self.refused(error)
            except ValidationError as error:
                return self.refused(RefusedError(Refusal.INVALID, *first_error(error)))
            return answer if isinstance(answer, Response) else JSONResponse(answer)

        return Route(path, endpoint, methods=[method])

    def status(self, batch: Batch) -> str:
        """The phase of a batch in the provider's words."""
        return self.statuses[batch.phase]

    def submit(self, batch: Batch) -> None:
        """Take a batch and let it run."""
        self.means.judge.stats.totals["batches"] += 1
        batch.enter(Phase.SUBMITTED, self.means.now())
        self.batches[batch.id] = batch
        self.means.judge.start(self._run(batch))

    def asked_for(self, http: Request) -> Batch:
        """The batch that the path names.

        Raises
        ------
        RefusedError
            If there is none.
        """
        return found(self.batches, http.path_params["batch_id"], "batch")

    def newest_first(self) -> list[Batch]:
        """Every batch."""
        return list(reversed(self.batches.values()))

    def cancel(self, batch: Batch) -> None:
        """Let nothing more of a batch run; what has run stays.

        Raises
        ------
        RefusedError
            If it has ended.
        """
        if batch.phase.is_end:
            raise RefusedError(Refusal.CONFLICT, f"batch {batch.id} is {self.status(batch)}")
        if batch.phase is not Phase.PUBLISHING:
            batch.enter(Phase.CANCELLING, self.means.now())
            batch.stopped.set()

    async def _run(self, batch: Batch) -> None:
        now = self.means.now
        try:
            batch.enter(Phase.VALIDATING, now())
            batch.lines = await self.read(batch)
            batch.enter(Phase.RUNNING, now())
            await self._answer_lines(batch)
            batch.enter(Phase.PUBLISHING, now())
            await self.publish(batch)
        except UnfitBatchError as error:
            batch.problems = error.problems
        except Exception:
            # The judge goes on, and whoever waits for this batch learns that it has failed.
            log.exception("batch %s broke", batch.id)
            batch.problems = (Problem("server_error", "the judge broke on this batch"),)
        batch.end(now())

    async def _answer_lines(self, batch: Batch) -> None:
        options, time = self.means.judge.options, asyncio.get_running_loop().time
        shuffled = sorted(batch.lines, key=lambda line: draw("order", options.seed, line.key))
        begin = time() + options.batch_seconds
        for place, line in enumerate(shuffled):
            due = begin + options.latency * place / len(shuffled)
            # At least a turn of the loop each, so that a large batch lets calls through.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(batch.stopped.wait(), due - time())
            batch.results.append(self._result(batch, line))

    def _result(self, batch: Batch, line: Line) -> Result:
        if batch.stopped.is_set():
            return Result(line, Ending.CANCELLED)
        reply = self.means.formats.answer(self.form, line.body)
        if reply.silent:
            return Result(line, Ending.EXPIRED)
        return Result(line, Ending.SUCCEEDED if reply.succeeded else Ending.ERRORED, reply)


def found[Kept](kept: Mapping[str, Kept], key: str, name: str) -> Kept:
    """What is kept under an id.

    Raises
    ------
    RefusedError
        If nothing is.
    """
    try:
        return kept[key]
    except KeyError:
        raise RefusedError(Refusal.NOT_FOUND, f"there is no {name} {key}", "id") from None


def page_of[Batch: ProviderBatch[Any]](
    batches: Sequence[Batch], limit: int, *, after: str | None = None, before: str | None = None
) -> tuple[list[Batch], bool]:
    """The batches next to the one of an id, and whether there are more beyond them.

    Raises
    ------
    RefusedError
        If there is no batch of that id.
    """
    ids = [batch.id for batch in batches]
    for cursor in (after, before):
        if cursor and cursor not in ids:
            raise RefusedError(Refusal.INVALID, f"no batch {cursor} is in this list")
    first = ids.index(after) + 1 if after else 0
    last = ids.index(before) if before else len(ids)
    if before:
        return list(batches[max(first, last - limit) : last]), last - limit > first
    return list(batches[first : first + limit]), first + limit < last


def cursors(page: Sequence[ProviderBatch[Any]], *, more: bool) -> dict[str, Any]:
    """Where a page of a list begins and ends."""
    return {
        "first_id": page[0].id if page else None,
        "last_id": page[-1].id if page else None,
        "has_more": more,
    }
