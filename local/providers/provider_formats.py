"""The sample judge in the providers' own wire formats, asked one request at a time.

It reads the essays out of the prompt, between their fences, as a model would, and answers every
comparison as the protocol's endpoint would: the same seed and comparison id, the same person.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.judge.human_judge import UnknownPairError, UnknownTextError, draw
from local.judge.options import Conduct, plan_for
from local.providers.wire_formats import (
    CHAT_COMPLETIONS,
    MESSAGES,
    Given,
    Question,
    WireFormat,
    refusal,
)

if TYPE_CHECKING:
    from starlette.requests import Request

    from local.judge.sample_judge import SampleJudge

_HEADING = re.compile(r"^# Comparison (\S+)$", re.MULTILINE)
_FENCED = re.compile(r"<<<(ESSAY-[0-9a-f]{24})\n(.*?)\n\1>>>", re.DOTALL)
_ESSAYS = 2
_CHARACTERS_PER_TOKEN = 4
_OK, _BAD_REQUEST, _UNAVAILABLE = 200, 400, 503


class UnreadablePromptError(ValueError):
    """A request that is not of the provider's form, or a prompt of no registered template."""


@dataclass(frozen=True)
class Reply:
    """What one request meets: an HTTP status and a body, and the seconds until they come.

    Parameters
    ----------
    silent
        The judge has no answer to this request, ever; who cannot wait for ever gets a 503.
    """

    status: int
    body: dict[str, Any]
    delay: float = 0.0
    silent: bool = False

    @property
    def succeeded(self) -> bool:
        """Whether it carries verdicts."""
        return self.status == _OK

    @property
    def problem(self) -> str:
        """What a refusal says."""
        return str(self.body["error"]["message"])


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
    """Answers requests of several providers with the verdicts of one sample judge."""

    def __init__(self, judge: SampleJudge) -> None:
        self._judge = judge

    def routes(self) -> list[Route]:
        """Chat completions and Messages."""
        return [
            Route("/v1/chat/completions", self._call(CHAT_COMPLETIONS), methods=["POST"]),
            Route("/v1/messages", self._call(MESSAGES), methods=["POST"]),
        ]

    def answer(self, form: WireFormat, body: dict[str, Any]) -> Reply:
        """What the judge says to one request, counted by comparison as asked and as judged."""
        judge = self._judge
        try:
            question = _question(form, body)
            asked = comparisons_in(question.prompt)
        except UnreadablePromptError as error:
            return Reply(_BAD_REQUEST, refusal("invalid_request_error", str(error)))
        call = ",".join(name for name, _, _ in asked)
        judge.stats.requests[call] += 1
        judge.stats.totals["requests"] += len(asked)
        plan = plan_for(judge.options, call, 1, judge.stats.requests[call])
        if plan.conduct is not Conduct.VERDICT:
            silent = plan.conduct is Conduct.SILENCE
            judge.stats.totals["silent" if silent else "refused_503"] += 1
            busy = refusal("overloaded_error", "the judge is overloaded, try again")
            return Reply(_UNAVAILABLE, busy, plan.delay, silent)
        try:
            verdicts = [self._verdict(*each) for each in asked]
        except (UnknownTextError, UnknownPairError) as error:
            judge.stats.totals["refused_400"] += 1
            unknown = refusal("invalid_request_error", str(error))
            return Reply(_BAD_REQUEST, unknown, plan.delay)
        for name, _, _ in asked:
            judge.stats.totals["verdicts"] += 1
            judge.stats.verdicts[name] += 1
        document = {"verdicts": verdicts}
        tokens = (_tokens(question.prompt), _tokens(json.dumps(document)))
        given = Given(judge.model, document, question.tool, tokens)
        return Reply(_OK, form.answer(given), plan.delay)

    def _call(self, form: WireFormat) -> Callable[[Request], Awaitable[Response]]:
        """One request in one HTTP call."""

        async def call(http: Request) -> Response:
            self._judge.stats.totals["calls"] += 1
            reply = self.answer(form, await http.json())
            await asyncio.sleep(reply.delay)
            return JSONResponse(reply.body, status_code=reply.status)

        return call

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


def _question(form: WireFormat, body: dict[str, Any]) -> Question:
    try:
        return form.question(body)
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise UnreadablePromptError(f"the request lacks a field or its form: {error}") from error


def _tokens(text: str) -> int:
    return len(text) // _CHARACTERS_PER_TOKEN + 1
