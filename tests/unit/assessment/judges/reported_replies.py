"""Replies that providers, gateways and servers have given in public reports, by situation.

Rebuilt from memory of bug reports and of the services' own documentation; the words are ours where
the words do not matter. They are run as further cells of the table in docs/judges.md.
"""

from __future__ import annotations

import json
from typing import Any

from local.providers.replies import Reply


def chat_error(http_status: int, message: str = "no", **fields: Any) -> Reply:
    """An error in OpenAI's form."""
    return Reply({"error": {"message": message} | fields}, http_status)


def message_error(status: int, kind: str, message: str = "no") -> Reply:
    """An error in Anthropic's form."""
    return Reply({"type": "error", "error": {"type": kind, "message": message}}, status)


def converse_error(status: int, kind: str, message: str = "no") -> Reply:
    """An error in Bedrock's form."""
    return Reply({"message": message}, status, {"x-amzn-errortype": kind})


def stream(*events: object, status: int = 200) -> Reply:
    """Events in place of the one document that was asked for."""
    lines = [f"data: {each if isinstance(each, str) else json.dumps(each)}\n\n" for each in events]
    return Reply("".join(lines), status, {"Content-Type": "text/event-stream"})


REPORTED: dict[str, dict[str, list[Reply]]] = {
    "limit that passes": {
        "openai": [
            # Azure: the time stands in the words only.
            chat_error(429, "Rate limit is exceeded. Try again in 26 seconds.", code="429"),
            # Mistral
            Reply({"object": "error", "message": "Rate limit exceeded", "type": "rate_limited",
                   "code": "1300"}, 429),
            # OpenRouter: the headers of the provider behind it stand in the body.
            Reply({"error": {"code": 429, "message": "Rate limit exceeded",
                             "metadata": {"headers": {"X-RateLimit-Remaining": "0",
                                                      "X-RateLimit-Reset": "1741305600000"}}}},
                  429),
            # DashScope
            chat_error(429, "Requests rate limit exceeded", code="Throttling.RateQuota"),
            # A gateway in words of its own, as text.
            Reply("Too Many Requests", 429, {"Content-Type": "text/plain"}),
            # GitHub Models
            Reply({"error": {"code": "RateLimitReached", "message": "Rate limit of 10 per 60s"
                             " exceeded. Please wait 38 seconds before retrying."}}, 429),
        ],
        "anthropic": [
            message_error(429, "rate_limit_error", "would exceed your organization's rate limit"),
            Reply({"type": "error", "error": {"type": "overloaded_error", "message": ""}}, 503),
        ],
        "bedrock": [
            converse_error(429, "ThrottlingException", "Too many tokens per day, please wait"),
            converse_error(400, "ServiceQuotaExceededException"),
        ],
        "callback_endpoint": [Reply("slow down", 529)],
    },
    "account spent": {
        "openai": [
            chat_error(402, "Insufficient Balance", type="unknown_error", code="invalid_request"),
            chat_error(402, "This request requires more credits, or fewer max_tokens", code=402),
            chat_error(429, "You exceeded your current quota", type="insufficient_quota",
                       code="insufficient_quota"),
            chat_error(400, "Access denied, please make sure your account is in good standing",
                       code="Arrearage"),
            # xAI
            Reply({"code": "The caller does not have permission to execute the operation",
                   "error": "Your newly created team doesn't have any credits yet."}, 403),
        ],
        "anthropic": [
            message_error(400, "invalid_request_error",
                          "You have reached your specified API usage limits. You will regain"
                          " access on 2026-12-01 at 00:00 UTC."),
        ],
    },
    "request too large for a limit": {
        "openai": [
            chat_error(413, "Payload Too Large"),
            chat_error(429, "Request too large for model in organization on tokens per minute"
                       " (TPM): Limit 6000, Requested 7129", type="tokens",
                       code="rate_limit_exceeded"),
            chat_error(429, "Limit 10,000, Requested 12,500.", code="rate_limit_exceeded"),
        ],
        "anthropic": [Reply("<html><h1>413 Request Entity Too Large</h1></html>", 413)],
    },
    "context exceeded": {
        "openai": [
            # vLLM
            Reply({"object": "error", "type": "BadRequestError", "code": 400, "message":
                   "This model's maximum context length is 4096 tokens. However, you requested"
                   " 5000 tokens"}, 400),
            # LiteLLM
            chat_error(400, "litellm.ContextWindowExceededError: litellm.BadRequestError: no",
                       type=None, code="400"),
            # LM Studio
            chat_error(400, "Trying to keep the first 5000 tokens when context the overflows."
                       " However, the model is loaded with context length of only 4096 tokens"),
            # Mistral
            Reply({"object": "error", "type": "invalid_request_error", "message":
                   "Prompt contains 40000 tokens and 0 draft tokens, too large for model with"
                   " 32768 maximum context length", "code": "3051"}, 400),
            # DashScope
            chat_error(400, "Range of input length should be [1, 30720]",
                       code="invalid_parameter_error"),
        ],
        "anthropic": [
            message_error(400, "invalid_request_error", "input length and `max_tokens` exceed"
                          " context limit: 199000 + 4000 > 200000"),
        ],
        "bedrock": [
            converse_error(400, "ValidationException", "Input Tokens Exceeded: Number of input"
                           " tokens exceeds maximum length."),
        ],
    },
    "content declined, as an error": {
        "openai": [
            # LiteLLM
            chat_error(400, "litellm.ContentPolicyViolationError: no", type=None, code="400"),
            # DashScope
            chat_error(400, "Input data may contain inappropriate content.",
                       code="DataInspectionFailed"),
            # Azure, with the results of the filter and no code that says it
            chat_error(400, "no", innererror={"content_filter_result": {"hate": {}}}),
            # xAI
            Reply({"code": "The caller does not have permission", "error":
                   "Content violates usage guidelines."}, 403),
            # Zhipu
            chat_error(400, "sensitive", code="1301", contentFilter=[{"level": 0}]),
        ],
        "anthropic": [
            message_error(400, "invalid_request_error", "Your request was blocked by our usage"
                          " policies"),
        ],
        "bedrock": [
            converse_error(400, "ValidationException", "The model returned the following errors:"
                           " Output blocked by content filtering policy"),
        ],
    },
    "content declined, in the answer": {
        "openai": [
            Reply({"choices": [{"finish_reason": "stop", "message": {"content": [
                {"type": "refusal", "refusal": "I cannot judge this."}]}}]}),
            Reply({"choices": [{"finish_reason": "sensitive", "message": {"content": ""}}]}),
            Reply({"choices": None, "promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}}),
            Reply({"choices": [{"finish_reason": "content_filter: PROHIBITED_CONTENT",
                                "message": {"content": None}}]}),
            Reply({"choices": [{"message": {"content": ""}, "native_finish_reason": "SAFETY",
                                "finish_reason": "content_filter"}]}),
        ],
    },
    "generation broken, in the answer": {
        "openai": [
            Reply({"choices": [{"finish_reason": "MALFORMED_FUNCTION_CALL",
                                "message": {"content": None}}]}),
        ],
    },
    "outage": {
        "openai": [
            # Vertex and nginx: the client, or the server, gave up.
            chat_error(499, "The operation was cancelled.", status="CANCELLED", code=499),
            Reply("error code: 522", 522),
            chat_error(500, "model requires more system memory than is available"),
            Reply({"detail": "Loading model"}, 503),
            Reply("upstream request timeout", 504, {"Content-Type": "text/plain"}),
            Reply({"error": "Unable to access model, please try again"}, 424),
        ],
        "anthropic": [
            message_error(504, "timeout_error"),
            Reply("<html>Error 520: Web server is returning an unknown error</html>", 520),
        ],
        "bedrock": [converse_error(500, "ModelStreamErrorException"),
                    converse_error(429, "ModelNotReadyException")],
        "callback_endpoint": [Reply("", 499), Reply("error code: 521", 521)],
    },
    "outage inside a 200": {
        "openai": [
            # DeepSeek, Zhipu and vLLM
            Reply({"choices": [{"finish_reason": "insufficient_system_resource",
                                "message": {"content": None}}]}),
            Reply({"choices": [{"finish_reason": "network_error", "message": {"content": ""}}]}),
            Reply({"choices": [{"finish_reason": "abort", "message": {"content": ""}}]}),
            # Gateways that know one status
            Reply({"code": 500, "msg": "no available channel", "data": None}),
            Reply({"message": "Internal server error"}),
            Reply({"base_resp": {"status_code": 1000, "status_msg": "unknown error"},
                   "choices": None}),
            stream({"error": {"code": 502, "message": "Upstream error"}}, "[DONE]"),
            stream(),
        ],
        "anthropic": [
            Reply("event: error\ndata: " + json.dumps({"type": "error", "error": {
                "type": "overloaded_error", "message": "Overloaded"}}) + "\n\n", 200,
                {"Content-Type": "text/event-stream"}),
            Reply({"message": "Internal server error"}),
        ],
    },
    "page of a proxy inside a 200": {
        "openai": [
            Reply("<!DOCTYPE html><title>Just a moment...</title>", 200),
            Reply("OK"), Reply("null"), Reply("[]"),
        ],
        "anthropic": [Reply("\n\n<html></html>")],
        "callback_endpoint": [Reply("\ufeff<html></html>")],
    },
    "wrong key": {
        "openai": [
            # xAI
            Reply({"code": "Client specified an invalid argument",
                   "error": "Incorrect API key provided: xa***bc."}, 400),
            chat_error(403, "The subscription key is not allowed here", code="PermissionDenied"),
            # Gemini
            Reply([{"error": {"code": 400, "message": "API key not valid. Please pass a valid API"
                              " key.", "status": "INVALID_ARGUMENT"}}], 400),
            chat_error(401, "User not found.", code=401),
            Reply("Proxy Authentication Required", 407),
        ],
        "anthropic": [
            message_error(400, "invalid_request_error", "This organization has been disabled."),
            message_error(401, "authentication_error", "invalid x-api-key"),
        ],
        "bedrock": [
            converse_error(403, "AccessDeniedException", "You don't have access to the model"),
            converse_error(403, "InvalidSignatureException"),
        ],
    },
    "wrong model": {
        "openai": [
            # Ollama
            chat_error(404, "model 'llama9' not found, try pulling it first"),
            # OpenRouter
            chat_error(400, "mistral/none is not a valid model ID", code=400),
            # Azure
            chat_error(404, "Resource not found", code="404"),
            Reply("<html>301 Moved Permanently</html>", 308, {"Location": "https://x.example/"}),
            Reply({"detail": "Method Not Allowed"}, 405),
            chat_error(410, "The model is deprecated", code="DeploymentDeprecated"),
        ],
        "anthropic": [message_error(404, "not_found_error", "model: claude-0")],
        "bedrock": [
            converse_error(400, "ValidationException", "Invocation of model ID x with on-demand"
                           " throughput isn't supported. Retry your request with the ID or ARN of"
                           " an inference profile"),
            converse_error(404, "ResourceNotFoundException", "This model version has reached the"
                           " end of its life."),
        ],
    },
    "feature unsupported": {
        "openai": [
            # OpenRouter
            chat_error(404, "No endpoints found that support structured outputs", code=404),
            # vLLM
            Reply({"object": "error", "message": "guided decoding is not supported",
                   "type": "BadRequestError", "code": 400}, 400),
            Reply({"detail": [{"loc": ["body", "response_format"], "msg": "Extra inputs are not"
                               " permitted"}]}, 422),
        ],
        "anthropic": [
            message_error(400, "invalid_request_error", "Thinking may not be enabled when"
                          " tool_choice forces tool use."),
        ],
        "bedrock": [
            converse_error(400, "ValidationException", "The model returned the following errors:"
                           " tool_choice: Extra inputs are not permitted"),
        ],
    },
    "answer malformed": {
        "openai": [
            # Whole, and without an answer: thoughts only, an empty content, another tool.
            Reply({"choices": [{"finish_reason": "stop", "message": {
                "content": None, "reasoning_content": "Essay A is better, I think."}}]}),
            Reply({"choices": [{"finish_reason": "stop", "message": {"content": "   "}}]}),
            Reply({"choices": [{"finish_reason": "tool_calls", "message": {"content": None,
                "tool_calls": [{"function": {"name": "search", "arguments": "{}"}}]}}]}),
            Reply({"choices": [{"finish_reason": "stop", "message": {
                "content": "I'm sorry, but I can't help with that."}}]}),
            Reply({"choices": [{"finish_reason": "stop", "message": None}],
                   "usage": {"prompt_tokens": 10, "completion_tokens": 0}}),
        ],
        "anthropic": [
            Reply({"type": "message", "content": [], "stop_reason": "end_turn"}),
            Reply({"type": "message", "content": [{"type": "thinking", "thinking": "A, B?"}],
                   "stop_reason": "end_turn"}),
        ],
        "bedrock": [
            Reply({"output": {"message": {"role": "assistant", "content": []}},
                   "stopReason": "end_turn", "usage": {}, "metrics": {}}),
        ],
    },
}  # fmt: skip
