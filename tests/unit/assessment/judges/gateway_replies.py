"""Replies of gateways, local servers and newer models, by situation: cells of the same table.

Rebuilt from what these services are known to answer; the words are theirs where the words decide.
They came after the rules were written, and a third of them was misread at first.
"""

from __future__ import annotations

from typing import Any

from local.providers.replies import Reply
from tests.unit.assessment.judges.reported_replies import chat_error, converse_error, message_error

PRESIDIO = (
    "Blocked entity detected: PERSON by Guardrail: presidio-pii. This entity is not allowed to be"
    " used in this request."
)
BUDGET = "Budget has been exceeded! Current cost: 10.1, Max budget: 10.0"


def finished(content: str | None, reason: str) -> Reply:
    """A chat completion that ended for this reason."""
    choice: dict[str, Any] = {"message": {"content": content}, "finish_reason": reason}
    return Reply({"choices": [choice], "usage": {"prompt_tokens": 10, "completion_tokens": 5}})


GATEWAYS: dict[str, dict[str, list[Reply]]] = {
    "limit that passes": {
        "openai": [
            # Groq: one more address of a billing page, and a limit of the day
            chat_error(429, "Rate limit reached on tokens per minute (TPM): Limit 6000, Used 5800,"
                       " Requested 700. Please try again in 5.2s. Need more tokens? Upgrade to Dev"
                       " Tier today at https://console.example/settings/billing", type="tokens",
                       code="rate_limit_exceeded"),
            chat_error(429, "Rate limit reached on tokens per day (TPD): Limit 100000, Used 99999,"
                       " Requested 700. Please try again in 14m3.3s.", type="tokens"),
            # OpenRouter
            chat_error(429, "Rate limit exceeded: free-models-per-day. Add 10 credits to unlock"
                       " 1000 free model requests per day", code=429),
            # LiteLLM, Azure, Cerebras, Cloudflare
            chat_error(429, "No deployments available for selected model, Try again in 5 seconds.",
                       type="None", param="None", code="429"),
            Reply({"error": {"code": "NoCapacity", "message": "high demand"}}, 429),
            Reply({"message": "too many requests sent", "type": "too_many_requests_error",
                   "code": "request_quota_exceeded"}, 429),
            Reply("error code: 1015", 429, {"Content-Type": "text/plain"}),
        ],
    },
    "account spent": {
        "openai": [
            # LiteLLM
            chat_error(400, BUDGET, type="budget_exceeded", code="400"),
            chat_error(429, BUDGET, type="budget_exceeded", code="429"),
            chat_error(400, "ExceededBudget: User=u over budget. Spend=11, Budget=10"),
            # OpenRouter, Fireworks, Azure, Hugging Face
            chat_error(403, "Key limit exceeded (total limit). Manage it in the settings"),
            chat_error(412, "Account x is suspended, possibly due to reaching the monthly spending"
                       " limit", code="PRECONDITION_FAILED"),
            chat_error(403, "Out of call volume quota. Quota will be replenished in 12.00:00:00."),
            Reply({"error": "You have exceeded your monthly included credits"}, 402),
        ],
        "anthropic": [
            message_error(400, "invalid_request_error",
                          "You have reached your specified workspace API usage limits."),
        ],
    },
    "request too large for a limit": {
        "anthropic": [
            message_error(429, "rate_limit_error",
                          "Extra usage is required for long context requests."),
        ],
    },
    "context exceeded": {
        "openai": [
            # vLLM, SGLang, TGI, xAI, Cohere
            chat_error(400, "'max_tokens' or 'max_completion_tokens' is too large: 4000. This"
                       " model's maximum context length is 4096 tokens", type="BadRequestError"),
            Reply({"object": "error", "message": "The input (5000 tokens) is longer than the"
                   " model's context length (4096 tokens).", "code": 400}, 400),
            Reply({"error": "Input validation error: `inputs` must have less than 1024 tokens."
                            " Given: 5000", "error_type": "validation"}, 422),
            Reply({"code": "Client specified an invalid argument", "error": "This model's maximum"
                   " prompt length is 131072 but the request contains 200000 tokens."}, 400),
            Reply({"message": "too many tokens: size limit exceeded by 7474 tokens."}, 400),
        ],
        "bedrock": [
            converse_error(400, "ValidationException", "Malformed input request: expected"
                           " maxLength: 200000, actual: 300000"),
            converse_error(400, "ValidationException", "Too many input tokens. Max input tokens:"
                           " 8192, request input token count: 9000"),
        ],
    },
    "content declined, as an error": {
        "openai": [
            # DeepSeek, LiteLLM's guardrails, Cloudflare, Volcengine
            chat_error(400, "Content Exists Risk", type="invalid_request_error",
                       code="invalid_request_error"),
            chat_error(400, PRESIDIO, type="None", param="None", code="400"),
            chat_error(500, PRESIDIO, type="None", param="None", code="500"),
            chat_error(400, "{'error': 'Violated guardrail policy'}", type="None", code="400"),
            Reply({"success": False, "error": [{"code": 2016, "message": "Prompt blocked due to"
                   " security configurations"}]}, 400),
            chat_error(400, "no", code="InputTextSensitiveContentDetected", type="BadRequest"),
        ],
        "bedrock": [
            converse_error(400, "ValidationException", "blocked by our content filters"),
        ],
    },
    "content declined, in the answer": {
        "openai": [
            Reply({"choices": [], "prompt_feedback": {"block_reason": "SAFETY"}}),
            finished("", "PROHIBITED_CONTENT"),
        ],
        "anthropic": [
            Reply({"type": "message", "content": [{"type": "text", "text": "I can't"}],
                   "stop_reason": "refusal", "stop_details": {"category": "bio"}}),
        ],
    },
    "generation broken, as an error": {
        "openai": [
            # Ollama
            chat_error(500, "error parsing tool call: raw='{' err=unexpected end of JSON input",
                       type="api_error"),
        ],
        "bedrock": [
            converse_error(400, "ValidationException", "Model produced invalid sequence as part of"
                           " ToolUse"),
        ],
    },
    "generation broken, in the answer": {"openai": [finished("", "MALFORMED_RESPONSE")]},
    "outage": {
        "openai": [
            # A body that does not unpack, Ollama, Envoy
            Reply("no gzip", 200, {"Content-Encoding": "gzip"}),
            Reply("no gzip", 500, {"Content-Encoding": "gzip"}),
            chat_error(500, "llama runner process has terminated: signal: killed",
                       type="api_error"),
            Reply("upstream connect error or disconnect/reset before headers", 503),
        ],
        "callback_endpoint": [Reply("no gzip", 200, {"Content-Encoding": "gzip"})],
    },
    "outage inside a 200": {
        "openai": [
            Reply({"errors": [{"message": "AiError: no such task", "code": 5007}],
                   "success": False, "result": {}}),
            Reply({"detail": "Internal Server Error"}),
        ],
    },
    "wrong key": {
        "openai": [
            # LiteLLM, FastAPI, Gemini
            chat_error(401, "Authentication Error, LiteLLM Virtual Key expected.",
                       type="auth_error", code="401"),
            Reply({"detail": "Not authenticated"}, 403),
            chat_error(400, "User location is not supported for the API use.",
                       status="FAILED_PRECONDITION", code=400),
        ],
        "bedrock": [
            converse_error(403, "AccessDeniedException", "Model access is denied due to"
                           " INVALID_PAYMENT_INSTRUMENT"),
        ],
    },
    "wrong model": {
        "openai": [
            # LiteLLM, Ollama, DeepSeek, Mistral
            chat_error(400, "Invalid model name passed in model=x. Call `/v1/models`",
                       type="invalid_request_error", code="400"),
            chat_error(400, '"nomic-embed-text" does not support chat', type="api_error"),
            chat_error(400, "Model Not Exist", code="invalid_request_error"),
            Reply({"object": "error", "message": "none", "type": "invalid_model"}, 400),
        ],
    },
    "feature unsupported": {
        "openai": [
            # DeepSeek, Gemini, Mistral, LiteLLM
            chat_error(400, "This response_format type is unavailable now",
                       code="invalid_request_error"),
            Reply([{"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": "Unknown name"
                    ' "max_completion_tokens": Cannot find field.'}}], 400),
            Reply({"detail": [{"type": "extra_forbidden", "loc": ["body", "max_completion_tokens"],
                               "msg": "Extra inputs are not permitted"}]}, 422),
            chat_error(400, "litellm.UnsupportedParamsError: openai does not support parameters:"
                       " ['response_format'], for model=x.", code="400"),
        ],
    },
    "answer cut off at its limit": {
        "openai": [finished(None, "MAX_TOKENS"), finished("", "model_length")],
    },
}  # fmt: skip
