"""Bedrock's Converse, in the stack's region and by its role.

Wire format: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from assessment.adapters.judges.anthropic import TOOL_DESCRIPTION
from assessment.adapters.judges.capabilities import (
    Capabilities,
    Capability,
    LocalCapabilities,
    ask_within_capabilities,
)
from assessment.adapters.judges.model_judge import Completion
from assessment.adapters.judges.openai import text_completion, token_usage
from assessment.contracts.model_answer import VERDICT_SCHEMA, VERDICT_TOOL
from assessment.domain.errors import (
    ContentRefusedError,
    JudgeError,
    JudgeRefusedError,
    JudgeUnavailableError,
    OversizeError,
)
from assessment.domain.judge import JudgeSpec
from assessment.domain.prompt import PromptBlock

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


FORCED_TOOL = Capability("forced_tool", ("tool",))
JSON_SCHEMA = Capability(
    "json_schema", ("outputconfig", "output_config", "textformat", "json_schema", "structured")
)
CONVERSE_CAPABILITIES = (FORCED_TOOL, JSON_SCHEMA)
"""Which models take a forced tool or a schema is told by their refusals. What is left is the
prompt, which describes the answer too."""


def converse_body(
    judge: JudgeSpec,
    blocks: Sequence[PromptBlock],
    *,
    max_tokens: int,
    missing: frozenset[str] = frozenset(),
) -> dict[str, Any]:
    """A turn of a conversation that uses the verdict tool, or says the same as text.

    Who is asked is not part of it.
    """
    settings: dict[str, Any] = {"maxTokens": max_tokens}
    if judge.temperature is not None:
        settings["temperature"] = min(judge.temperature, 1.0)
    body: dict[str, Any] = {
        "system": [{"text": block.content} for block in blocks if block.role == "system"],
        "messages": [
            {"role": "user", "content": [{"text": block.content}]}
            for block in blocks
            if block.role == "user"
        ],
        "inferenceConfig": settings,
    }
    if FORCED_TOOL.name not in missing:
        tool = {
            "name": VERDICT_TOOL,
            "description": TOOL_DESCRIPTION,
            "inputSchema": {"json": VERDICT_SCHEMA},
        }
        return body | {
            "toolConfig": {
                "tools": [{"toolSpec": tool}],
                "toolChoice": {"tool": {"name": VERDICT_TOOL}},
            }
        }
    if JSON_SCHEMA.name not in missing:
        schema = {"name": VERDICT_TOOL, "schema": json.dumps(VERDICT_SCHEMA)}
        form = {"type": "json_schema", "structure": {"jsonSchema": schema}}
        return body | {"outputConfig": {"textFormat": form}}
    return body


async def ask_bedrock(act: Callable[..., Any], **request: Any) -> dict[str, Any]:
    """Call boto3, which blocks, in a thread, and tell Bedrock's errors apart; raises JudgeError."""
    try:
        found: dict[str, Any] = await asyncio.to_thread(act, **request)
    except ClientError as error:
        raise _translated(error) from error
    except ParamValidationError as error:
        # The same request is wrong every time; the report may quote it, so it is not passed on.
        raise JudgeRefusedError("bedrock's request is not valid for this SDK") from error
    except BotoCoreError as error:
        raise JudgeUnavailableError(f"bedrock did not answer: {type(error).__name__}") from error
    return found


class BedrockModel:
    """Converse with a forced tool, or a schema, or neither where the model refuses them."""

    def __init__(
        self, client_for: Callable[[float], Any], capabilities: Capabilities | None = None
    ) -> None:
        self._client_for = client_for
        self._capabilities = capabilities or LocalCapabilities()

    async def complete(
        self, judge: JudgeSpec, blocks: Sequence[PromptBlock], *, max_tokens: int
    ) -> Completion:
        """One conversation of one turn, or more where the model does not take the request."""
        client = self._client_for(judge.timeout_seconds)

        async def ask(missing: frozenset[str]) -> dict[str, Any]:
            body = converse_body(judge, blocks, max_tokens=max_tokens, missing=missing)
            return await ask_bedrock(client.converse, modelId=judge.model, **body)

        return converse_completion(
            await ask_within_capabilities(judge, self._capabilities, CONVERSE_CAPABILITIES, ask)
        )


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
    blocks = [block for block in message.get("content") or [] if isinstance(block, dict)]
    for block in blocks:
        used = block.get("toolUse")
        if used and used.get("name") == VERDICT_TOOL:
            return Completion(document=used.get("input"), usage=usage)
    texts = [str(block["text"]) for block in blocks if "text" in block]
    return text_completion("".join(texts), usage)
