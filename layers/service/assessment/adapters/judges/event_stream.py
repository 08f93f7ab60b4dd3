"""A stream of events where one document was asked for, as some gateways send it, read as one.

Wire formats: https://html.spec.whatwg.org/multipage/server-sent-events.html, and the chunks of
https://platform.openai.com/docs/api-reference/chat-streaming.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from assessment.contracts.json_text import load_json, load_response, read_object, read_objects

_KEPT = ("id", "model", "system_fingerprint", "usage")


def read_event_stream(content: bytes) -> dict[str, Any] | None:
    """The document that the events add up to; None where there are none.

    An event with an error is the document. The chunks of a chat completion are joined.
    """
    lines = content.decode("utf-8", "replace").replace("\r\n", "\n").split("\n")
    if lines[0].startswith(":"):
        # Comments that keep a connection alive while the document is made.
        rest = load_response("\n".join(each for each in lines if each[:1] != ":").encode())
        if isinstance(rest, dict):
            return rest
    events = list(_list_events(lines))
    for event in events:
        if event.get("error"):
            return event
    chunks = [event for event in events if read_objects(event.get("choices")) or event.get("usage")]
    return _join_chunks(chunks) if chunks else None


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


def _join_chunks(chunks: list[dict[str, Any]]) -> dict[str, Any]:
    document: dict[str, Any] = {}
    reason: object = None
    texts: list[object] = []
    calls: dict[str, list[object]] = {}
    for chunk in chunks:
        document |= {name: chunk[name] for name in _KEPT if chunk.get(name)}
        for choice in read_objects(chunk.get("choices"))[:1]:
            delta = read_object(choice.get("delta") or choice.get("message"))
            reason = choice.get("finish_reason") or reason
            texts.append(delta.get("content"))
            for call in read_objects(delta.get("tool_calls")):
                arguments = read_object(call.get("function")).get("arguments")
                calls.setdefault(str(call.get("index")), []).append(arguments)
    message: dict[str, Any] = {"content": _join_texts(texts) or None}
    if calls:
        message["tool_calls"] = [
            {"function": {"arguments": _join_texts(parts)}} for parts in calls.values()
        ]
    return document | {"choices": [{"message": message, "finish_reason": reason}]}


def _join_texts(parts: list[object]) -> str:
    return "".join(part for part in parts if isinstance(part, str))
