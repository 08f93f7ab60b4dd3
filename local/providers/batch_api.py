"""The common part of the providers' batch APIs.

A batch is read, waits for `batch_seconds`, and then its lines are answered one after another in a
shuffled order, because no provider promises the order of results. The answer to a line equals the
answer to a synchronous call with the same body.
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
from local.providers.replies import Reply

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
    """A request that the batch API refuses; each provider writes the refusal in its own format."""

    def __init__(self, refusal: Refusal, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.refusal = refusal
        self.param = param


@dataclass(frozen=True)
class Services:
    """Services that a batch API uses.

    Parameters
    ----------
    now
        The present time.
    new_id
        A new id of 24 hexadecimal digits.
    """

    judge: SampleJudge
    formats: ProviderFormats
    now: Callable[[], datetime]
    new_id: Callable[[], str]


class BatchApi[Batch: ProviderBatch[Any]](ABC):
    """The batches of one provider; each runs in its own task until it ends."""

    form: ClassVar[WireFormat]
    statuses: ClassVar[Mapping[Phase, str]]

    def __init__(self, services: Services) -> None:
        self.services = services
        self.batches: dict[str, Batch] = {}

    @abstractmethod
    async def read(self, batch: Batch) -> Sequence[Line]:
        """The lines of a batch.

        Raises
        ------
        UnfitBatchError
            If the batch cannot run; it then fails.
        """

    @abstractmethod
    async def publish(self, batch: Batch) -> None:
        """Store the results for the caller.

        Raises
        ------
        UnfitBatchError
            If that is not possible; the batch then fails.
        """

    @abstractmethod
    def make_refusal(self, error: RefusedError) -> Response:
        """A refusal in the provider's format."""

    def route(self, method: str, path: str, handle: Handler) -> Route:
        """A route; its handler may raise RefusedError or pydantic's ValidationError."""

        async def endpoint(http: Request) -> Response:
            try:
                answer = await handle(http)
            except RefusedError as error:
                return self.make_refusal(error)
            except ValidationError as error:
                return self.make_refusal(RefusedError(Refusal.INVALID, *first_error(error)))
            return answer if isinstance(answer, Response) else JSONResponse(answer)

        return Route(path, endpoint, methods=[method])

    def status(self, batch: Batch) -> str:
        """The phase of a batch in the provider's word."""
        return self.statuses[batch.phase]

    def submit(self, batch: Batch) -> None:
        """Accept a batch and run it."""
        self.services.judge.stats.totals["batches"] += 1
        batch.enter(Phase.SUBMITTED, self.services.now())
        self.batches[batch.id] = batch
        self.services.judge.run_in_background(self._run(batch))

    def find_batch(self, http: Request) -> Batch:
        """The batch that the path names.

        Raises
        ------
        RefusedError
            If there is none.
        """
        return look_up(self.batches, http.path_params["batch_id"], "batch")

    def list_newest_first(self) -> list[Batch]:
        """All batches."""
        return list(reversed(self.batches.values()))

    def cancel(self, batch: Batch) -> None:
        """Stop a batch; the answers so far are kept.

        Raises
        ------
        RefusedError
            If the batch has ended.
        """
        if batch.phase.is_end:
            raise RefusedError(Refusal.CONFLICT, f"batch {batch.id} is {self.status(batch)}")
        if batch.phase is not Phase.PUBLISHING:
            batch.enter(Phase.CANCELLING, self.services.now())
            batch.stopped.set()

    async def _run(self, batch: Batch) -> None:
        now = self.services.now
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
            # Keep running; the batch fails, so its caller does not wait for ever.
            log.exception("batch %s failed unexpectedly", batch.id)
            batch.problems = (Problem("server_error", "an unexpected error ended this batch"),)
        batch.end(now())

    async def _answer_lines(self, batch: Batch) -> None:
        options, time = self.services.judge.options, asyncio.get_running_loop().time
        shuffled = sorted(batch.lines, key=lambda line: draw("order", options.seed, line.key))
        begin = time() + options.batch_seconds
        for position, line in enumerate(shuffled):
            due = begin + options.latency * position / len(shuffled)
            # Each line yields to the event loop, so that calls are answered during a batch.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(batch.stopped.wait(), due - time())
            batch.results.append(self._answer_line(batch, line))

    def refuse_body(self, body: Mapping[str, Any]) -> Reply | None:  # noqa: ARG002 - for overriding
        """The refusal of a line whose body only a call of its own may have; None if it is fine."""
        return None

    def _answer_line(self, batch: Batch, line: Line) -> Result:
        if batch.stopped.is_set():
            return Result(line, Ending.CANCELLED)
        reply = self.refuse_body(line.body) or self.services.formats.answer(self.form, line.body)
        if reply.silent:
            return Result(line, Ending.EXPIRED)
        return Result(line, Ending.SUCCEEDED if reply.is_success else Ending.ERRORED, reply)


def look_up[Item](items: Mapping[str, Item], key: str, name: str) -> Item:
    """The item with an id.

    Raises
    ------
    RefusedError
        If there is none.
    """
    try:
        return items[key]
    except KeyError:
        raise RefusedError(Refusal.NOT_FOUND, f"there is no {name} {key}", "id") from None


def take_page[Batch: ProviderBatch[Any]](
    batches: Sequence[Batch], limit: int, *, after: str | None = None, before: str | None = None
) -> tuple[list[Batch], bool]:
    """A page of batches after or before an id, and whether there are more.

    Raises
    ------
    RefusedError
        If no batch has the id.
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


def make_cursors(page: Sequence[ProviderBatch[Any]], *, more: bool) -> dict[str, Any]:
    """The first and last id of a page, and whether there are more."""
    return {
        "first_id": page[0].id if page else None,
        "last_id": page[-1].id if page else None,
        "has_more": more,
    }
