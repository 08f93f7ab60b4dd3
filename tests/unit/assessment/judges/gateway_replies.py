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


def finish(content: str | None, reason: str) -> Reply:
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
            # Groq's tier, and limits told by another status than 429
            chat_error(498, "Flex tier capacity exceeded", type="capacity_exceeded"),
            chat_error(400, "Too many requests. Please slow down."),
            Reply({"message": "Rate limit exceeded"}, 403),
            Reply({"error": {"code": "429", "message": "no"}}),
            Reply({"error": {"message": "Rate limit exceeded. Try again in 12 seconds."}}),
            Reply({"base_resp": {"status_code": 1002, "status_msg": "rate limit"},
                   "choices": None}),
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
            # New API, MiniMax and others inside a 200, xAI, DashScope, Zhipu
            chat_error(403, "no", code="insufficient_user_quota", type="new_api_error"),
            Reply({"base_resp": {"status_code": 1008, "status_msg": "insufficient balance"},
                   "choices": None}),
            Reply({"error": {"message": "Your credit balance is too low"}}),
            Reply({"error": "Your team has either used all available credits or reached its"
                            " monthly spending limit."}, 429),
            chat_error(403, "Free allocated quota exceeded.", code="AllocationQuota.FreeTierOnly"),
            chat_error(429, "\u4f59\u989d\u4e0d\u8db3", code="1113"),
        ],
        "anthropic": [
            message_error(400, "invalid_request_error",
                          "You have reached your specified workspace API usage limits."),
        ],
    },
    "request too large for a limit": {
        "openai": [
            Reply({"message": "Request body too large"}, 413),
            chat_error(400, "request body exceeds 4 MB", code="payload_too_large"),
        ],
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
            # llama.cpp's bindings, TensorRT, LMDeploy, proxies in Chinese
            chat_error(500, "Requested tokens (5000) exceed context window of 2048"),
            chat_error(400, "the prompt is 9000 tokens, which exceeds the limit of 8192"),
            Reply({"message": "prompt length 9000 exceeds max_seq_len 8192"}, 400),
            Reply({"detail": "Input too long: 9000 tokens > 8192"}, 422),
            chat_error(400, "\u8d85\u51fa\u6a21\u578b\u6700\u5927\u4e0a\u4e0b\u6587\u957f\u5ea6"),
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
            # Cohere, a firewall that takes an essay for an attack, a law
            Reply({"message": "input blocked by our safety filter"}, 498),
            Reply("<title>Attention Required! | Cloudflare</title>Sorry, you have been blocked",
                  403),
            Reply({"error": "Unavailable for legal reasons"}, 451),
        ],
        "bedrock": [
            converse_error(400, "ValidationException", "blocked by our content filters"),
        ],
    },
    "content declined, in the answer": {
        "openai": [
            Reply({"choices": [], "prompt_feedback": {"block_reason": "SAFETY"}}),
            finish("", "PROHIBITED_CONTENT"),
            Reply({"base_resp": {"status_code": 1026, "status_msg": "input new_sensitive"},
                   "choices": None}),
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
    "generation broken, in the answer": {"openai": [finish("", "MALFORMED_RESPONSE")]},
    "outage": {
        "openai": [
            # A body that does not unpack, Ollama, Envoy
            Reply("no gzip", 200, {"Content-Encoding": "gzip"}),
            Reply("no gzip", 500, {"Content-Encoding": "gzip"}),
            chat_error(500, "llama runner process has terminated: signal: killed",
                       type="api_error"),
            Reply("upstream connect error or disconnect/reset before headers", 503),
            chat_error(400, "upstream connect error"),
            Reply({"error": "Model x is currently loading", "estimated_time": 20.0}, 503),
            Reply("<html>moved to a page for signing in</html>", 302),
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
            # API Gateway, and gateways that know one status
            Reply({"message": "Forbidden"}, 403),
            Reply({"message": "Missing Authentication Token"}, 403),
            Reply({"error": {"message": "Incorrect API key provided"}}),
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
            # Groq, Azure, New API
            chat_error(400, "The model `x` is no longer supported.", code="model_decommissioned"),
            chat_error(400, "The chatCompletion operation does not work with the specified model",
                       code="OperationNotSupported"),
            chat_error(503, "No available channel for model x", code="model_not_found"),
            Reply({"error": {"message": "no such model: x"}}),
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
        "openai": [finish(None, "MAX_TOKENS"), finish("", "model_length")],
    },
}  # fmt: skip
