"""How three APIs ask and answer: chat completions, Messages and Converse.

Wire formats: https://platform.openai.com/docs/api-reference/chat/object,
https://docs.anthropic.com/en/api/messages and
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Question:
    """What a request's body asks: its prompt, and the tool that shall be used, if any."""

    prompt: str
    tool: str | None


@dataclass(frozen=True)
class Given:
    """What the judge answers: the document, and the tokens in and out that it is said to cost."""

    model: str
    document: Mapping[str, Any]
    tool: str | None
    tokens: tuple[int, int]


@dataclass(frozen=True)
class WireFormat:
    """One API's requests and answers.

    Parameters
    ----------
    question
        Reads a request's body; what is not of the API's form raises KeyError, IndexError,
        TypeError or AttributeError.
    answer
        Writes the body of a good answer.
    """

    question: Callable[[dict[str, Any]], Question]
    answer: Callable[[Given], dict[str, Any]]


def refusal(kind: str, message: str, param: str | None = None) -> dict[str, Any]:
    """An error in a form that both OpenAI's and Anthropic's clients read."""
    error = {"type": kind, "message": message, "code": kind, "param": param}
    return {"type": "error", "error": error}


def _chat_question(body: dict[str, Any]) -> Question:
    return Question(
        "\n".join(_text(message["content"]) for message in body["messages"]),
        body["tools"][0]["function"]["name"] if body.get("tools") else None,
    )


def _chat_answer(given: Given) -> dict[str, Any]:
    """A tool call where tools are offered, else the document as text."""
    text = json.dumps(given.document)
    message: dict[str, Any] = {"role": "assistant", "content": text}
    if given.tool:
        call = {"name": given.tool, "arguments": text}
        message = {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "call_sample", "type": "function", "function": call}],
        }
    return {
        "id": "chatcmpl-sample",
        "object": "chat.completion",
        "created": 0,
        "model": given.model,
        "choices": [
            {
                "index": 0,
                "message": message,
                "finish_reason": "tool_calls" if given.tool else "stop",
            }
        ],
        "usage": {
            "prompt_tokens": given.tokens[0],
            "completion_tokens": given.tokens[1],
            "total_tokens": sum(given.tokens),
        },
    }


def _messages_question(body: dict[str, Any]) -> Question:
    return Question(
        "\n".join(_text(message["content"]) for message in body["messages"]),
        body["tool_choice"]["name"],
    )


def _messages_answer(given: Given) -> dict[str, Any]:
    return {
        "id": "msg_sample",
        "type": "message",
        "role": "assistant",
        "model": given.model,
        "content": [
            {
                "type": "tool_use",
                "id": "toolu_sample",
                "name": given.tool,
                "input": given.document,
            }
        ],
        "stop_reason": "tool_use",
        "stop_sequence": None,
        "usage": {"input_tokens": given.tokens[0], "output_tokens": given.tokens[1]},
    }


def _converse_question(body: dict[str, Any]) -> Question:
    contents = [body.get("system", []), *(message["content"] for message in body["messages"])]
    tools = (body.get("toolConfig") or {}).get("tools")
    return Question(
        "\n".join(part["text"] for content in contents for part in content),
        tools[0]["toolSpec"]["name"] if tools else None,
    )


def _converse_answer(given: Given) -> dict[str, Any]:
    """As the laptop cloud's Bedrock makes it of the chat completion."""
    content: dict[str, Any] = {"text": json.dumps(given.document)}
    if given.tool:
        content = {
            "toolUse": {"toolUseId": "call_sample", "name": given.tool, "input": given.document}
        }
    return {
        "output": {"message": {"role": "assistant", "content": [content]}},
        "stopReason": "tool_use" if given.tool else "end_turn",
        "usage": {
            "inputTokens": given.tokens[0],
            "outputTokens": given.tokens[1],
            "totalTokens": sum(given.tokens),
        },
        "metrics": {"latencyMs": 1},
    }


def _text(content: str | list[dict[str, str]]) -> str:
    """A message's text, given whole or in parts."""
    return content if isinstance(content, str) else "".join(part["text"] for part in content)


CHAT_COMPLETIONS = WireFormat(_chat_question, _chat_answer)
MESSAGES = WireFormat(_messages_question, _messages_answer)
CONVERSE = WireFormat(_converse_question, _converse_answer)
