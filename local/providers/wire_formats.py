"""Requests, answers and errors of three APIs: chat completions, Messages and Converse.

Wire formats: https://platform.openai.com/docs/api-reference/chat/object,
https://platform.openai.com/docs/guides/error-codes, https://docs.anthropic.com/en/api/messages,
https://docs.anthropic.com/en/api/errors and
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from local.providers.replies import BAD_REQUEST, UNAVAILABLE, Reply

_ERROR_TYPES = {
    BAD_REQUEST: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
    500: "api_error",
    UNAVAILABLE: "overloaded_error",
}
_AWS_ERRORS = {
    BAD_REQUEST: "ValidationException",
    403: "AccessDeniedException",
    404: "ResourceNotFoundException",
    429: "ThrottlingException",
    500: "InternalServerException",
    UNAVAILABLE: "ServiceUnavailableException",
}


class UnreadablePromptError(ValueError):
    """A request that does not fit the provider's format, or a prompt that fits no template."""


@dataclass(frozen=True)
class Question:
    """The prompt of a request, and the tool to use, if the request offers one."""

    prompt: str
    tool: str | None = None


@dataclass(frozen=True)
class Answer:
    """The answer to a request.

    Parameters
    ----------
    document
        The verdicts as JSON, or a text in their place.
    tokens
        Tokens in and out, as the usage reports them.
    stop
        Why the answer ended, in the provider's word; None for the usual word.
    refusal
        Words with which the model refuses; only chat completions have a field for them.
    """

    model: str
    document: object
    tool: str | None
    tokens: tuple[int, int]
    stop: str | None = None
    refusal: str | None = None

    @property
    def text(self) -> str:
        """The document as text."""
        return self.document if isinstance(self.document, str) else json.dumps(self.document)


@dataclass(frozen=True)
class WireFormat:
    """The requests, answers and errors of one API.

    Parameters
    ----------
    parse
        Reads the body of a request. Raises KeyError, IndexError, TypeError or AttributeError if
        the body does not fit the format; `read_question` turns these into one error.
    answer
        Writes the body of a good answer.
    error
        Writes the reply for an HTTP status and a message.
    """

    parse: Callable[[dict[str, Any]], Question]
    answer: Callable[[Answer], dict[str, Any]]
    error: Callable[[int, str], Reply]

    def read_question(self, body: dict[str, Any]) -> Question:
        """The question in the body of a request.

        Raises
        ------
        UnreadablePromptError
            If the body does not fit the format.
        """
        try:
            return self.parse(body)
        except (KeyError, IndexError, TypeError, AttributeError) as error:
            message = f"the request lacks a field, or a field has the wrong form: {error}"
            raise UnreadablePromptError(message) from error


def openai_error(
    message: str, *, kind: str = "invalid_request_error", param: str | None = None
) -> dict[str, Any]:
    """The body of an error of OpenAI."""
    return {"error": {"message": message, "type": kind, "param": param, "code": None}}


def anthropic_error(message: str, *, kind: str = "invalid_request_error") -> dict[str, Any]:
    """The body of an error of Anthropic."""
    return {"type": "error", "error": {"type": kind, "message": message}}


def aws_error(name: str, message: str, status: int) -> Reply:
    """An error of AWS, whose name is a header."""
    return Reply({"message": message}, status, {"x-amzn-errortype": name})


def _chat_error(status: int, message: str) -> Reply:
    return Reply(openai_error(message, kind=_ERROR_TYPES.get(status, "api_error")), status)


def _messages_error(status: int, message: str) -> Reply:
    return Reply(anthropic_error(message, kind=_ERROR_TYPES.get(status, "api_error")), status)


def _converse_error(status: int, message: str) -> Reply:
    return aws_error(_AWS_ERRORS.get(status, "ValidationException"), message, status)


def _parse_chat(body: dict[str, Any]) -> Question:
    return Question(
        "\n".join(_text(message["content"]) for message in body["messages"]),
        body["tools"][0]["function"]["name"] if body.get("tools") else None,
    )


def _chat_answer(answer: Answer) -> dict[str, Any]:
    """A tool call if the request offers a tool, else the document as text."""
    message: dict[str, Any] = {
        "role": "assistant",
        "content": None if answer.refusal else answer.text,
        "refusal": answer.refusal,
    }
    if answer.tool:
        call = {"name": answer.tool, "arguments": answer.text}
        tool_calls = [{"id": "call_sample", "type": "function", "function": call}]
        message |= {"content": None, "tool_calls": tool_calls}
    return {
        "id": "chatcmpl-sample",
        "object": "chat.completion",
        "created": 0,
        "model": answer.model,
        "choices": [
            {
                "index": 0,
                "message": message,
                "logprobs": None,
                "finish_reason": answer.stop or ("tool_calls" if answer.tool else "stop"),
            }
        ],
        "usage": {
            "prompt_tokens": answer.tokens[0],
            "completion_tokens": answer.tokens[1],
            "total_tokens": sum(answer.tokens),
        },
    }


def _parse_messages(body: dict[str, Any]) -> Question:
    tool = body["tool_choice"]["name"] if body.get("tool_choice") else None
    # The system's part stands beside the messages, and is read and counted with them.
    contents = [body.get("system", ""), *(message["content"] for message in body["messages"])]
    return Question("\n".join(map(_text, contents)), tool)


def _messages_answer(answer: Answer) -> dict[str, Any]:
    """A use of the tool if the request forces one, else the document as text."""
    content: dict[str, Any] = {"type": "text", "text": answer.text}
    if answer.tool:
        content = {
            "type": "tool_use",
            "id": "toolu_sample",
            "name": answer.tool,
            "input": answer.document,
        }
    return {
        "id": "msg_sample",
        "type": "message",
        "role": "assistant",
        "model": answer.model,
        "content": [content],
        "stop_reason": answer.stop or ("tool_use" if answer.tool else "end_turn"),
        "stop_sequence": None,
        "usage": {"input_tokens": answer.tokens[0], "output_tokens": answer.tokens[1]},
    }


def _parse_converse(body: dict[str, Any]) -> Question:
    contents = [body.get("system", []), *(message["content"] for message in body["messages"])]
    tools = (body.get("toolConfig") or {}).get("tools")
    return Question(
        "\n".join(part["text"] for content in contents for part in content if "text" in part),
        tools[0]["toolSpec"]["name"] if tools else None,
    )


def _converse_answer(answer: Answer) -> dict[str, Any]:
    """The same as the laptop cloud's Bedrock makes of a chat completion."""
    content: dict[str, Any] = {"text": answer.text}
    if answer.tool:
        content = {
            "toolUse": {"toolUseId": "call_sample", "name": answer.tool, "input": answer.document}
        }
    return {
        "output": {"message": {"role": "assistant", "content": [content]}},
        "stopReason": answer.stop or ("tool_use" if answer.tool else "end_turn"),
        "usage": {
            "inputTokens": answer.tokens[0],
            "outputTokens": answer.tokens[1],
            "totalTokens": sum(answer.tokens),
        },
        "metrics": {"latencyMs": 1},
    }


def _text(content: str | list[dict[str, str]]) -> str:
    """The text of a message, whose content is a text or a list of parts."""
    return content if isinstance(content, str) else "".join(part["text"] for part in content)


CHAT_COMPLETIONS = WireFormat(_parse_chat, _chat_answer, _chat_error)
MESSAGES = WireFormat(_parse_messages, _messages_answer, _messages_error)
CONVERSE = WireFormat(_parse_converse, _converse_answer, _converse_error)
