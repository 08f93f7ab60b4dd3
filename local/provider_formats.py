"""The sample judge in the providers' own wire formats: chat completions and Messages.

It reads the essays out of the prompt, between their fences, as a model would, and answers every
comparison as the protocol's endpoint would: the same seed and comparison id, the same person.
"""

from __future__ import annotations

import asyncio
import json
import re
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.human_judge import UnknownPairError, UnknownTextError, draw
from local.judge_options import Conduct, plan_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from local.judge_endpoint import SampleJudge

_HEADING = re.compile(r"^# Comparison (\S+)$", re.MULTILINE)
_FENCED = re.compile(r"<<<(ESSAY-[0-9a-f]{24})\n(.*?)\n\1>>>", re.DOTALL)
_ESSAYS = 2
_CHARACTERS_PER_TOKEN = 4


class UnreadablePromptError(ValueError):
    """A prompt that is not of the registered templates."""


def comparisons_in(prompt: str) -> list[tuple[str, str, str]]:
    """The comparisons of a prompt: id, essay A, essay B.

    Raises
    ------
    UnreadablePromptError
        If a comparison does not have two fenced essays.
    """
    fences = {found.span(): found[2] for found in _FENCED.finditer(prompt)}
    names = [
        found
        for found in _HEADING.finditer(prompt)
        if not any(start < found.start() < end for start, end in fences)
    ]
    texts = list(fences.values())
    if not names or len(texts) != _ESSAYS * len(names):
        raise UnreadablePromptError(
            f"the prompt has {len(names)} comparison ids and {len(texts)} fenced essays"
        )
    pairs = zip(names, texts[::_ESSAYS], texts[1::_ESSAYS], strict=True)
    return [(name[1], first, second) for name, first, second in pairs]


class ProviderFormats:
    """The routes of two providers around one sample judge."""

    def __init__(self, judge: SampleJudge) -> None:
        self._judge = judge

    def routes(self) -> list[Route]:
        """Chat completions and Messages."""
        return [
            Route("/v1/chat/completions", self.chat_completions, methods=["POST"]),
            Route("/v1/messages", self.messages, methods=["POST"]),
        ]

    async def chat_completions(self, http: Request) -> Response:
        """POST /v1/chat/completions, answered by a tool call where tools are offered."""
        body = await http.json()
        prompt = "\n".join(_text(message["content"]) for message in body["messages"])
        tool = body["tools"][0]["function"]["name"] if body.get("tools") else None

        def answered(document: object, used: tuple[int, int]) -> dict[str, Any]:
            message: dict[str, Any] = {"role": "assistant", "content": json.dumps(document)}
            if tool:
                call = {"name": tool, "arguments": json.dumps(document)}
                message = {
                    "role": "assistant",
                    "content": None,
                    "tool_calls": [{"id": "call_sample", "type": "function", "function": call}],
                }
            return {
                "id": "chatcmpl-sample",
                "object": "chat.completion",
                "created": 0,
                "model": self._judge.model,
                "choices": [
                    {
                        "index": 0,
                        "message": message,
                        "finish_reason": "tool_calls" if tool else "stop",
                    }
                ],
                "usage": {
                    "prompt_tokens": used[0],
                    "completion_tokens": used[1],
                    "total_tokens": sum(used),
                },
            }

        return await self._answer(prompt, answered)

    async def messages(self, http: Request) -> Response:
        """POST /v1/messages."""
        body = await http.json()
        prompt = "\n".join(message["content"] for message in body["messages"])
        tool = body["tool_choice"]["name"]

        def answered(document: object, used: tuple[int, int]) -> dict[str, Any]:
            return {
                "id": "msg_sample",
                "type": "message",
                "role": "assistant",
                "model": self._judge.model,
                "content": [
                    {"type": "tool_use", "id": "toolu_sample", "name": tool, "input": document}
                ],
                "stop_reason": "tool_use",
                "stop_sequence": None,
                "usage": {"input_tokens": used[0], "output_tokens": used[1]},
            }

        return await self._answer(prompt, answered)

    async def _answer(
        self, prompt: str, answered: Callable[[Any, tuple[int, int]], dict[str, Any]]
    ) -> Response:
        judge = self._judge
        judge.stats.totals["calls"] += 1
        try:
            asked = comparisons_in(prompt)
        except UnreadablePromptError as error:
            return _refused(400, "invalid_request_error", str(error))
        call = ",".join(name for name, _, _ in asked)
        judge.stats.requests[call] += 1
        judge.stats.totals["requests"] += len(asked)
        plan = plan_for(judge.options, call, 1, judge.stats.requests[call])
        await asyncio.sleep(plan.delay)
        if plan.conduct is not Conduct.VERDICT:
            judge.stats.totals["refused_503"] += 1
            return _refused(503, "overloaded_error", "the judge is overloaded, try again")
        try:
            verdicts = [self._verdict(*each) for each in asked]
        except (UnknownTextError, UnknownPairError) as error:
            judge.stats.totals["refused_400"] += 1
            return _refused(400, "invalid_request_error", str(error))
        for name, _, _ in asked:
            judge.stats.totals["verdicts"] += 1
            judge.stats.verdicts[name] += 1
        document = {"verdicts": verdicts}
        used = (_tokens(prompt), _tokens(json.dumps(document)))
        return JSONResponse(answered(document, used))

    def _verdict(self, name: str, first: str, second: str) -> dict[str, Any]:
        options = self._judge.options
        if options.coin_flip:
            winner = "A" if draw("coin", options.seed, name) < 0.5 else "B"  # noqa: PLR2004 - a fair coin
        else:
            winner = self._judge.people.verdict(
                first, second, seed=options.seed, comparison_id=name
            )
        # A person said which is better and no more: no degree and no confidence is made up.
        return {
            "comparison_id": name,
            "winner": winner,
            "degree": None,
            "confidence": None,
            "justification": "A person judged this pair so.",
        }


def _text(content: str | list[dict[str, str]]) -> str:
    """A message's text, given whole or in parts."""
    return content if isinstance(content, str) else "".join(part["text"] for part in content)


def _tokens(text: str) -> int:
    return len(text) // _CHARACTERS_PER_TOKEN + 1


def _refused(status: int, kind: str, message: str) -> JSONResponse:
    """An error in a form that both OpenAI's and Anthropic's clients read."""
    body = {"type": "error", "error": {"type": kind, "message": message, "code": kind}}
    return JSONResponse(body, status_code=status)
