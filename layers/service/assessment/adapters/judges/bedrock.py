"""Bedrock's Converse, in the stack's region and by its role.

Wire format: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ParamValidationError,
)

from assessment.adapters.judges.capabilities import (
    Capabilities,
    Capability,
    LocalCapabilities,
    add_limit_capability,
    ask_within_capabilities,
)
from assessment.adapters.judges.classification import classify
from assessment.adapters.judges.completion import (
    Completion,
    OutputLimit,
    UsageNames,
    check_stop_reason,
    count_tokens,
    is_cut_off,
    join_text_parts,
)
from assessment.adapters.judges.provider_error import read_provider_error
from assessment.adapters.judges.transport import read_date, read_error_in_answer
from assessment.contracts.json_text import read_object, read_objects
from assessment.contracts.model_answer import VERDICT_TOOL, AnswerForm
from assessment.contracts.valid_values import read_name
from assessment.domain.judge import JudgeSpec
from assessment.domain.judge_errors import JudgeError, JudgeRefusedError, JudgeUnavailableError
from assessment.domain.prompt import PromptBlock
from assessment.domain.verdict import Provenance

_USAGE = UsageNames(
    inputs=("inputTokens", "cacheReadInputTokens", "cacheWriteInputTokens"),
    outputs=("outputTokens",),
    cache_reads=("cacheReadInputTokens",),
    cache_writes=("cacheWriteInputTokens",),
)

FORCED_TOOL = Capability("forced_tool", ("tool",))
JSON_SCHEMA = Capability(
    "json_schema", ("outputconfig", "output_config", "textformat", "json_schema", "structured")
)
PROMPT_CACHE = Capability("prompt_cache", ("cachepoint", "cache point", "prompt caching"))
CONVERSE_CAPABILITIES = (FORCED_TOOL, JSON_SCHEMA, PROMPT_CACHE)
"""Which models take a forced tool or a schema is told by their refusals. What is left is the
prompt, which describes the answer too."""


def converse_body(
    judge: JudgeSpec,
    blocks: Sequence[PromptBlock],
    *,
    limit: OutputLimit,
    missing: frozenset[str] = frozenset(),
) -> dict[str, Any]:
    """A turn of a conversation that uses the verdict tool, or says the same as text.

    Who is asked is not part of it.
    """
    settings: dict[str, Any] = {"maxTokens": limit.choose(missing)}
    if judge.temperature is not None:
        settings["temperature"] = min(judge.temperature, 1.0)
    body: dict[str, Any] = {
        "system": _describe_system(blocks, missing),
        "messages": [
            {"role": "user", "content": [{"text": block.content}]}
            for block in blocks
            if block.role == "user"
        ],
        "inferenceConfig": settings,
    }
    return body | _request_structure(missing, limit.form)


def _describe_system(
    blocks: Sequence[PromptBlock], missing: frozenset[str]
) -> list[dict[str, Any]]:
    """The system's part, with a mark behind it where it is the same in every call.

    A mark behind fewer tokens than a model caches is passed over
    (docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html).
    """
    system = [block for block in blocks if block.role == "system"]
    parts: list[dict[str, Any]] = [{"text": block.content} for block in system]
    if PROMPT_CACHE.name not in missing and system and all(block.is_fixed for block in system):
        parts.append({"cachePoint": {"type": "default"}})
    return parts


def _request_structure(missing: frozenset[str], form: AnswerForm) -> dict[str, Any]:
    """The part of a request that asks for an answer in the verdict's form."""
    if FORCED_TOOL.name not in missing:
        tool = {
            "name": VERDICT_TOOL,
            "description": form.description,
            "inputSchema": {"json": form.json_schema},
        }
        choice = {"tool": {"name": VERDICT_TOOL}}
        return {"toolConfig": {"tools": [{"toolSpec": tool}], "toolChoice": choice}}
    if JSON_SCHEMA.name not in missing:
        schema = {"name": VERDICT_TOOL, "schema": json.dumps(form.json_schema)}
        text_format = {"type": "json_schema", "structure": {"jsonSchema": schema}}
        return {"outputConfig": {"textFormat": text_format}}
    return {}


async def ask_bedrock(
    act: Callable[..., Any], *, texts: Sequence[str] = (), **request: Any
) -> dict[str, Any]:
    """Call boto3, which blocks, in a thread, and tell Bedrock's errors apart; raises JudgeError."""
    try:
        response: dict[str, Any] = await asyncio.to_thread(act, **request)
    except ClientError as error:
        # Not chained: the SDK's own error has the provider's words as they came.
        raise _read_client_error(error, texts) from None
    except ParamValidationError:
        # The same request is wrong every time; the report may quote it, so it is not passed on.
        raise JudgeRefusedError("bedrock's request is not valid for this SDK") from None
    except BotoCoreError as error:
        raise JudgeUnavailableError(
            f"bedrock did not answer: {type(error).__name__}",
            may_be_paid=not isinstance(error, EndpointConnectionError | ConnectTimeoutError),
        ) from error
    return response


class BedrockModel:
    """Converse with a forced tool, or a schema, or neither where the model refuses them."""

    def __init__(
        self, client_for: Callable[[float], Any], capabilities: Capabilities | None = None
    ) -> None:
        self._client_for = client_for
        self._capabilities = capabilities or LocalCapabilities()

    async def complete(
        self,
        judge: JudgeSpec,
        blocks: Sequence[PromptBlock],
        *,
        max_tokens: OutputLimit,
        request_key: str = "",
    ) -> Completion:
        """One conversation of one turn, or more where the model does not take the request."""
        del request_key  # Converse has no place for it
        client = self._client_for(judge.timeout_seconds)
        texts = [block.content for block in blocks]

        async def ask(missing: frozenset[str]) -> dict[str, Any]:
            body = converse_body(judge, blocks, limit=max_tokens, missing=missing)
            return await ask_bedrock(client.converse, texts=texts, modelId=judge.model, **body)

        body = await ask_within_capabilities(
            judge, self._capabilities, add_limit_capability(CONVERSE_CAPABILITIES, max_tokens), ask
        )
        return converse_completion(body, texts=texts)


def _read_client_error(error: ClientError, texts: Sequence[str]) -> JudgeError:
    response: dict[str, Any] = {**error.response}
    metadata = response.get("ResponseMetadata", {})
    problem = read_provider_error(
        metadata.get("HTTPStatusCode", 0),
        {"code": response["Error"].get("Code"), "message": response["Error"].get("Message")},
        headers=metadata.get("HTTPHeaders", {}),
        texts=texts,
    )
    return classify(problem, provider="bedrock")


def converse_completion(body: dict[str, Any], *, texts: Sequence[str] = ()) -> Completion:
    """What a turn of a conversation says.

    Raises
    ------
    JudgeError
        If the record carries an error; ContentRefusedError if a filter or a guardrail would not
        let these texts be judged.
    """
    if body.get("error") and not body.get("output"):
        raise read_error_in_answer(body["error"], provider="bedrock", texts=texts)
    reason = body.get("stopReason")
    check_stop_reason(reason, provider="bedrock")
    if reason is None and not body.get("output"):
        raise JudgeUnavailableError("bedrock answered without an output")
    tool_inputs, text = _find_answer(body.get("output"))
    return Completion(
        document=tool_inputs or None,
        text=text,
        usage=count_tokens(body.get("usage"), _USAGE),
        is_cut_off=is_cut_off(reason),
        provenance=_read_provenance(body),
    )


def _find_answer(output: object) -> tuple[list[object], str | None]:
    """The inputs of tools that the message uses, and its text."""
    message = read_object(read_object(output).get("message"))
    blocks = read_objects(message.get("content"))
    tool_inputs = [use.get("input") for use in read_objects([b.get("toolUse") for b in blocks])]
    text = join_text_parts([{"text": block["text"]} for block in blocks if "text" in block])
    return tool_inputs, text


def _read_provenance(body: Mapping[str, Any]) -> Provenance:
    """Who answered; Converse names the model only where a prompt router chose it."""
    router = read_object(read_object(body.get("trace")).get("promptRouter"))
    metadata = read_object(body.get("ResponseMetadata"))
    return Provenance(
        served_model=read_name(router.get("invokedModelId")),
        request_id=read_name(metadata.get("RequestId")),
        answered_at=read_date(read_object(metadata.get("HTTPHeaders"))),
    )
