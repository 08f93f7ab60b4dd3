"""Calls about a provider's batches over HTTP: shorter than a verdict may take, several a worker."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx

from assessment.adapters.judges.transport import call, call_for_json
from assessment.domain.errors import JudgeUnavailableError
from assessment.domain.judge import JudgeSpec

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
        return await call_for_json(self.client, method, **self._how(judge, path), **content)

    async def text(self, judge: JudgeSpec, path: str) -> str:
        """The file that a route answers; raises JudgeError."""
        return (await call(self.client, "GET", **self._how(judge, path))).text

    async def newest_first(
        self, judge: JudgeSpec, path: str = "", *, cursor: str
    ) -> AsyncIterator[dict[str, Any]]:
        """All objects of a list, page by page; `cursor` names what the next page comes after."""
        after: dict[str, str] = {}
        for _ in range(_MOST_PAGES):
            page = await self.json(judge, "GET", path, params={"limit": _PAGE, **after})
            found = [each for each in page.get("data") or [] if isinstance(each, dict)]
            for each in found:
                yield each
            if not page.get("has_more") or not found:
                return
            after = {cursor: str(found[-1].get("id"))}

    def _how(self, judge: JudgeSpec, path: str) -> dict[str, Any]:
        return {
            "url": f"{(judge.endpoint or '').rstrip('/')}{self.prefix}{path}",
            "headers": self.headers,
            "timeout_seconds": min(judge.timeout_seconds, _SECONDS),
            "provider": self.provider,
        }


def id_of(batch: Mapping[str, Any], provider: str) -> str:
    """The provider's id of a batch that it has just taken."""
    if not batch.get("id"):
        raise JudgeUnavailableError(f"{provider} answered without the id of the batch")
    return str(batch["id"])
