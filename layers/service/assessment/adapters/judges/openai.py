"""The chat completions API of OpenAI, spoken by Azure, vLLM, Ollama, OpenRouter, LiteLLM too.

Wire format: https://platform.openai.com/docs/api-reference/chat/create and, for the answer's form,
https://platform.openai.com/docs/guides/structured-outputs
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from assessment.adapters.judges.capabilities import Capability
from assessment.adapters.judges.completion import (
    Completion,
    OutputLimit,
    UsageNames,
    check_stop_reason,
    count_tokens,
    find_refusal,
    is_cut_off,
    join_text_parts,
)
from assessment.adapters.judges.http_model import HttpModel, WireFormat
from assessment.adapters.judges.transport import Answer, read_error_in_answer
from assessment.contracts.json_text import read_object, read_objects, unwrap_string
from assessment.contracts.llm_protocol import TokenUsage
from assessment.contracts.model_answer import VERDICT_TOOL, AnswerForm
from assessment.contracts.valid_values import clean_text, read_name, read_token_count
from assessment.domain.judge import JudgeSpec
from assessment.domain.judge_errors import ContentRefusedError
from assessment.domain.prompt import PromptBlock
from assessment.domain.quotation import remove_quotations
from assessment.domain.verdict import Provenance

_JSON_MODE = {"type": "json_object"}
_CACHE_READS = (
    *("cached_tokens", "cache_read_input_tokens", "prompt_cache_hit_tokens"),
    "cache_read_tokens",
)
_CACHE_WRITES = ("cache_write_tokens", "cache_creation_tokens", "cache_creation_input_tokens")
"""Names of OpenAI (platform.openai.com/docs/guides/prompt-caching), OpenRouter, DeepSeek
(api-docs.deepseek.com/guides/kv_cache) and LiteLLM; all are part of the prompt's count."""

_CHAT_USAGE = UsageNames(("prompt_tokens",), ("completion_tokens",), _CACHE_READS, _CACHE_WRITES)
_RESPONSES_USAGE = UsageNames(("input_tokens",), ("output_tokens",), _CACHE_READS, _CACHE_WRITES)
NEW_LIMIT_NAME = Capability("max_completion_tokens", ("max_completion_tokens",))
JSON_SCHEMA = Capability(
    "json_schema", ("response_format", "json_schema", "structured output", "guided")
)
CHAT_CAPABILITIES = (NEW_LIMIT_NAME, JSON_SCHEMA)


def chat_body(
    judge: JudgeSpec,
    blocks: Sequence[PromptBlock],
    *,
    limit: OutputLimit,
    missing: frozenset[str] = frozenset(),
) -> dict[str, Any]:
    """A request for a chat completion, without what the endpoint lacks."""
    limit_name = "max_tokens" if NEW_LIMIT_NAME.name in missing else "max_completion_tokens"
    body: dict[str, Any] = {
        "model": judge.model,
        "messages": [block.model_dump() for block in blocks],
        "response_format": _JSON_MODE if JSON_SCHEMA.name in missing else _request_form(limit.form),
        limit_name: limit.choose(missing),
    }
    if judge.temperature is not None:
        body["temperature"] = judge.temperature
    return body


def _request_form(form: AnswerForm) -> dict[str, Any]:
    """The part of a request that asks for an answer in this form."""
    schema = {"name": VERDICT_TOOL, "strict": True, "schema": form.json_schema}
    return {"type": "json_schema", "json_schema": schema}


def make_authorization(key: str | None) -> dict[str, str]:
    """The header that carries the key."""
    return {"Authorization": f"Bearer {key}"} if key else {}


def chat_completion(answer: Answer, *, texts: Sequence[str] = ()) -> Completion:
    """What a chat completion says.

    Raises
    ------
    JudgeError
        If the response carries an error in place of a choice, or in it; ContentRefusedError if
        the model or its provider would not judge these texts.
    """
    body = answer.body
    if body is None:
        return Completion(problem="the response is not JSON")
    choice = _find_choice(body)
    _check_errors(body, choice, texts)
    usage = _read_usage(body.get("usage"))
    message = choice.get("message") if choice else None
    if choice is None or not isinstance(message, dict):
        return Completion(problem="the response has no choices[0].message", usage=usage)
    content, reason = message.get("content"), choice.get("finish_reason")
    refusal = find_refusal([message, *(content if isinstance(content, list) else [])])
    if refusal is not None:
        words = remove_quotations(clean_text(refusal), texts)
        raise ContentRefusedError("openai refused", words=words)
    check_stop_reason(reason, provider="openai")
    document, text = _find_answer(message)
    return Completion(
        document=document,
        text=text,
        usage=usage,
        is_cut_off=is_cut_off(reason),
        n_reasoning_tokens=_count_reasoning(body.get("usage")),
        provenance=Provenance(
            served_model=read_name(body.get("model")),
            served_version=read_name(body.get("system_fingerprint")),
            request_id=answer.request_id or read_name(body.get("id")),
            answered_at=answer.answered_at,
        ),
    )


def _find_choice(body: Mapping[str, Any]) -> dict[str, Any] | None:
    choices = body.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    return first if isinstance(first, dict) else None


def _check_errors(
    body: Mapping[str, Any], choice: Mapping[str, Any] | None, texts: Sequence[str]
) -> None:
    """Raise what stands as an error inside a response with status 200."""
    if choice is not None and choice.get("error"):
        raise read_error_in_answer(choice["error"], provider="openai", texts=texts)
    if choice is not None:
        return
    error = body if body.get("object") == "error" else body.get("error")
    if error:
        raise read_error_in_answer(error, provider="openai", texts=texts)
    for name in ("prompt_feedback", "promptFeedback", "prompt_filter_results"):
        if body.get(name):
            raise ContentRefusedError(f"openai answered without a choice and with {name}")
    if not body.get("usage"):
        # No completion at all, so nobody was billed: a gateway that knows one status only.
        raise read_error_in_answer(body, provider="openai", texts=texts)


def _find_answer(message: Mapping[str, Any]) -> tuple[object, str | None]:
    """Where the verdicts may stand: calls of a tool, the content, or thoughts that are JSON."""
    content = message.get("content")
    document: object = _find_arguments(message)
    if not document and isinstance(content, dict):
        document = content
    text = join_text_parts(content if isinstance(content, list) else [{"text": content}])
    if not document and text is None:
        # Servers that parse thoughts may take constrained output for one.
        thoughts = unwrap_string(message.get("reasoning_content") or message.get("reasoning"))
        document = read_object(thoughts)
    return document or None, text


def _find_arguments(message: Mapping[str, Any]) -> list[object]:
    """The arguments of the functions that a message calls, in the present or the old form."""
    functions = [call.get("function") for call in read_objects(message.get("tool_calls"))]
    return [
        unwrap_string(function.get("arguments"))
        for function in read_objects([*functions, message.get("function_call")])
    ]


def _read_usage(counts: object) -> TokenUsage | None:
    if not isinstance(counts, dict):
        return None
    is_chat = "prompt_tokens" in counts or "input_tokens" not in counts
    details = counts.get("prompt_tokens_details" if is_chat else "input_tokens_details")
    cached = {
        name: count
        for name, count in {**counts, **read_object(details)}.items()
        if name in (*_CACHE_READS, *_CACHE_WRITES)
    }
    return count_tokens({**counts, **cached}, _CHAT_USAGE if is_chat else _RESPONSES_USAGE)


def _count_reasoning(counts: object) -> int:
    details = read_object(read_object(counts).get("completion_tokens_details"))
    return read_token_count(details.get("reasoning_tokens"))


class OpenAIModel(HttpModel):
    """Chat completions; what an endpoint does not understand is asked once and remembered."""

    wire = WireFormat(
        provider="openai",
        path="/chat/completions",
        capabilities=CHAT_CAPABILITIES,
        make_headers=make_authorization,
        make_body=chat_body,
        read_completion=chat_completion,
        repeat_header="Idempotency-Key",
    )
