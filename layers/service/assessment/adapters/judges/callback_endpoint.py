"""An endpoint that speaks the LLM-provider protocol: 202 and a callback later, or 200 at once."""

from __future__ import annotations

from collections.abc import Sequence

import httpx
from pydantic import ValidationError

from assessment.adapters.judges.transport import read_error_in_answer, read_problem, read_silence
from assessment.contracts.json_text import load_response
from assessment.contracts.list_protocol import CompareRequest, ComparisonResult, choose_result_type
from assessment.contracts.llm_protocol import COMPARE_PATH
from assessment.domain.field_problems import list_problems
from assessment.domain.judge_errors import JudgeUnavailableError


class CallbackEndpointJudge:
    """Posts comparisons to the endpoint; one client, so connections are reused."""

    def __init__(
        self, client: httpx.AsyncClient, endpoint_url: str, *, timeout_seconds: float
    ) -> None:
        self._client = client
        self._url = endpoint_url.rstrip("/") + COMPARE_PATH
        self._timeout = timeout_seconds

    async def compare(self, requests: Sequence[CompareRequest]) -> list[ComparisonResult | None]:
        """Post the comparison; None when the endpoint will call back."""
        (request,) = requests
        try:
            response = await self._client.post(
                self._url,
                json=request.model_dump(mode="json", exclude_none=True),
                timeout=self._timeout,
            )
        except httpx.RequestError as error:
            raise read_silence(error, provider="the judge endpoint") from error
        if response.status_code == httpx.codes.ACCEPTED:
            return [None]
        texts = [block.content for block in request.prompt_blocks]
        # An endpoint may quote the essays as they were sent to it beside the prompt.
        texts += request.essay_texts
        if response.status_code == httpx.codes.OK:
            return [_read_result(response, texts)]
        if response.is_success:
            raise JudgeUnavailableError(f"the judge endpoint answered {response.status_code}")
        raise read_problem(response, provider="the judge endpoint", texts=texts)


def _read_result(response: httpx.Response, texts: Sequence[str]) -> ComparisonResult:
    document = load_response(response.content)
    try:
        result: ComparisonResult = choose_result_type(document).model_validate(document)
    except ValidationError as error:
        if isinstance(document, dict) and document.get("error"):
            raise read_error_in_answer(
                document["error"], provider="the judge endpoint", texts=texts
            ) from None
        fields = ", ".join(path for path, _ in list_problems(error))
        raise JudgeUnavailableError(
            f"the judge endpoint's answer is malformed in: {fields}"
        ) from None
    if result.error_detail is None:
        return result
    detail = result.error_detail.drop_quotations(texts)
    return result.model_copy(update={"error_detail": detail})
