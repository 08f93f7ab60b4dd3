"""A stream of events where one document was asked for, as some gateways send it, read as one.

Wire formats: https://html.spec.whatwg.org/multipage/server-sent-events.html, and the chunks of
https://platform.openai.com/docs/api-reference/chat-streaming.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from assessment.contracts.json_text import load_json, load_response, read_object, read_objects

_KEPT = ("id", "model", "system_fingerprint", "usage")


def read_event_stream(content: bytes) -> dict[str, Any] | None:
    """The document that the events add up to; None where there are none.

    An event with an error is the document. The chunks of a chat completion are joined.
    """
    lines = content.decode("utf-8", "replace").replace("\r\n", "\n").split("\n")
    events = list(_list_events(lines))
    failed = next((event for event in events if event.get("error")), None)
    return failed or _join_chunks(events) or _read_commented(lines)


def _read_commented(lines: Sequence[str]) -> dict[str, Any] | None:
    """A document after comments, which keep a connection open while it is made."""
    bare = [line for line in lines if not line.startswith(":")]
    document = load_response("\n".join(bare).encode()) if len(bare) < len(lines) else None
    return document if isinstance(document, dict) else None


def _list_events(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    for line in lines:
        name, _, value = line.partition(":")
        if name.strip("\ufeff") != "data":
            continue
        try:
            yield read_object(load_json(value))
        except (ValueError, RecursionError):
            # What marks the end of the stream is no document.
            continue


def _join_chunks(events: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    choices = [choice for event in events for choice in read_objects(event.get("choices"))[:1]]
    if not choices:
        return None
    deltas = [_read_delta(choice) for choice in choices]
    content = _join_texts(delta.get("content") for delta in deltas)
    reasons = [reason for choice in choices if (reason := choice.get("finish_reason"))]
    joined = {
        "message": {"content": content or None, "tool_calls": _join_calls(deltas)},
        "finish_reason": reasons[-1] if reasons else None,
    }
    return _keep_last(events) | {"choices": [joined]}


def _read_delta(choice: dict[str, Any]) -> dict[str, Any]:
    return read_object(choice.get("delta") or choice.get("message"))


def _keep_last(events: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """The last value of each field that a whole completion has, too."""
    return {name: event[name] for event in events for name in _KEPT if event.get(name)}


def _join_calls(deltas: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The calls of tools, each with the parts of its arguments joined."""
    parts: dict[str, list[object]] = {}
    for call in (call for delta in deltas for call in read_objects(delta.get("tool_calls"))):
        arguments = read_object(call.get("function")).get("arguments")
        parts.setdefault(str(call.get("index")), []).append(arguments)
    return [{"function": {"arguments": _join_texts(each)}} for each in parts.values()]


def _join_texts(parts: Iterable[object]) -> str:
    return "".join(part for part in parts if isinstance(part, str))
