"""An endpoint that speaks the LLM-provider protocol: 202 and a callback later, or 200 at once."""

from __future__ import annotations

from collections.abc import Sequence

import httpx
from pydantic import ValidationError

from assessment.adapters.judges.transport import RETRYABLE, SERVER_ERROR, retry_after
from assessment.contracts.llm_protocol import (
    COMPARE_PATH,
    CompareRequestV1,
    LLMComparisonResultV1,
)
from assessment.domain.errors import JudgeRefusedError, JudgeUnavailableError


class CallbackEndpointJudge:
    """Posts comparisons to the endpoint; one client, so connections are reused."""

    def __init__(
        self, client: httpx.AsyncClient, endpoint_url: str, *, timeout_seconds: float
    ) -> None:
        self._client = client
        self._url = endpoint_url.rstrip("/") + COMPARE_PATH
        self._timeout = timeout_seconds

    async def compare(
        self, requests: Sequence[CompareRequestV1]
    ) -> list[LLMComparisonResultV1 | None]:
        """Post the comparison; None when the endpoint will call back."""
        (request,) = requests
        try:
            response = await self._client.post(
                self._url,
                json=request.model_dump(mode="json", exclude_none=True),
                timeout=self._timeout,
            )
        except httpx.TransportError as error:
            raise JudgeUnavailableError(
                f"the judge endpoint did not answer: {type(error).__name__}"
            ) from error
        if response.status_code == httpx.codes.ACCEPTED:
            return [None]
        if response.status_code == httpx.codes.OK:
            return [_result(response)]
        if response.status_code in RETRYABLE or response.status_code >= SERVER_ERROR:
            raise JudgeUnavailableError(
                f"the judge endpoint answered {response.status_code}",
                retry_after=retry_after(response),
                busy=response.status_code == httpx.codes.TOO_MANY_REQUESTS,
            )
        raise JudgeRefusedError(f"the judge endpoint answered {response.status_code}")


def _result(response: httpx.Response) -> LLMComparisonResultV1:
    try:
        return LLMComparisonResultV1.model_validate_json(response.content)
    except ValidationError as error:
        fields = ", ".join(".".join(map(str, e["loc"])) for e in error.errors())
        raise JudgeUnavailableError(
            f"the judge endpoint's answer is malformed in: {fields or 'body'}"
        ) from error
