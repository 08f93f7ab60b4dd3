"""Bedrock's Converse, in the stack's region and by its role.

Wire format: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from assessment.adapters.judges.anthropic import TOOL_DESCRIPTION
from assessment.adapters.judges.model_judge import Completion
from assessment.adapters.judges.openai import token_usage
from assessment.domain.answers import VERDICT_SCHEMA, VERDICT_TOOL
from assessment.domain.errors import (
    ContentRefusedError,
    JudgeError,
    JudgeRefusedError,
    JudgeUnavailableError,
    OversizeError,
)
from assessment.domain.judge import JudgeSpec
from assessment.domain.llm_protocol import PromptBlock

_RETRYABLE = frozenset(
    {
        "ThrottlingException",
        "ServiceQuotaExceededException",
        "ServiceUnavailableException",
        "InternalServerException",
        "ModelTimeoutException",
        "ModelNotReadyException",
        "ModelErrorException",
    }
)
_BUSY = frozenset({"ThrottlingException", "ServiceQuotaExceededException"})
_REFUSING = frozenset({"content_filtered", "guardrail_intervened"})
_SERVER_ERROR = 500


def converse_body(
    judge: JudgeSpec, blocks: Sequence[PromptBlock], *, max_tokens: int
) -> dict[str, Any]:
    """A turn of a conversation that must use the verdict tool; who is asked is not part of it."""
    settings: dict[str, Any] = {"maxTokens": max_tokens}
    if judge.temperature is not None:
        settings["temperature"] = min(judge.temperature, 1.0)
    return {
        "system": [{"text": block.content} for block in blocks if block.role == "system"],
        "messages": [
            {"role": "user", "content": [{"text": block.content}]}
            for block in blocks
            if block.role == "user"
        ],
        "inferenceConfig": settings,
        "toolConfig": {
            "tools": [
                {
                    "toolSpec": {
                        "name": VERDICT_TOOL,
                        "description": TOOL_DESCRIPTION,
                        "inputSchema": {"json": VERDICT_SCHEMA},
                    }
                }
            ],
            "toolChoice": {"tool": {"name": VERDICT_TOOL}},
        },
    }


async def ask_bedrock(act: Callable[..., Any], **request: Any) -> dict[str, Any]:
    """Call boto3, which blocks, in a thread, and tell Bedrock's errors apart; raises JudgeError."""
    try:
        found: dict[str, Any] = await asyncio.to_thread(act, **request)
    except ClientError as error:
        raise _translated(error) from error
    except BotoCoreError as error:
        raise JudgeUnavailableError(f"bedrock did not answer: {type(error).__name__}") from error
    return found


class BedrockModel:
    """Converse with a forced tool; boto3 blocks, so each call has a thread."""

    def __init__(self, client_for: Callable[[float], Any]) -> None:
        self._client_for = client_for

    async def complete(
        self, judge: JudgeSpec, blocks: Sequence[PromptBlock], *, max_tokens: int
    ) -> Completion:
        """One conversation of one turn."""
        client = self._client_for(judge.timeout_seconds)
        body = converse_body(judge, blocks, max_tokens=max_tokens)
        return converse_completion(await ask_bedrock(client.converse, modelId=judge.model, **body))


def _translated(error: ClientError) -> JudgeError:
    response: dict[str, Any] = {**error.response}
    code, told = response["Error"]["Code"], response["Error"].get("Message", "")
    message = f"bedrock answered {code}: {told[:300]}"
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in _RETRYABLE or status >= _SERVER_ERROR:
        return JudgeUnavailableError(message, busy=code in _BUSY)
    if "too long" in told.lower() or "too many input tokens" in told.lower():
        return OversizeError(message)
    return JudgeRefusedError(message)


def converse_completion(body: dict[str, Any]) -> Completion:
    """What a turn of a conversation says.

    Raises
    ------
    ContentRefusedError
        If a filter would not let these texts be judged.
    """
    counts = body.get("usage") or {}
    usage = token_usage(counts.get("inputTokens"), counts.get("outputTokens"))
    reason = body.get("stopReason")
    if reason in _REFUSING:
        raise ContentRefusedError(f"bedrock refused: {reason}")
    if reason == "max_tokens":
        return Completion(problem="the answer was cut off at its token limit", usage=usage)
    message = (body.get("output") or {}).get("message") or {}
    for block in message.get("content") or []:
        used = block.get("toolUse") if isinstance(block, dict) else None
        if used and used.get("name") == VERDICT_TOOL:
            return Completion(document=used.get("input"), usage=usage)
    return Completion(problem=f"the answer does not use the tool {VERDICT_TOOL}", usage=usage)
