"""The sample judge behind the providers' wire formats, one request at a time.

It reads the essays in the prompt, between their fences, as a model does, and answers every
comparison as the protocol's endpoint does: the same seed and comparison id give the same person.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from starlette.responses import Response
from starlette.routing import Route

from assessment.domain.prompt import LABELS
from local.judge.human_judge import UnknownPairError, UnknownTextError
from local.judge.options import Conduct, plan_response
from local.providers.replies import BAD_REQUEST, UNAVAILABLE, Reply
from local.providers.wire_formats import (
    CHAT_COMPLETIONS,
    MESSAGES,
    Answer,
    UnreadablePromptError,
    WireFormat,
)

if TYPE_CHECKING:
    from starlette.requests import Request

    from local.judge.sample_judge import SampleJudge

_HEADING = re.compile(r"^# Comparison (\S+)$", re.MULTILINE)
_FENCED = re.compile(r"<<<(ESSAY-[0-9a-f]{24})\n(.*?)\n\1>>>", re.DOTALL)
_LABEL = re.compile(r"^## Essay (\d+-[0-9a-f]{8})$", re.MULTILINE)
_NAMED = re.compile(r"\nEssay A: (\S+)\nEssay B: (\S+)(?=\n|$)")
_ESSAYS = 2
_CHARACTERS_PER_TOKEN = 4


def read_comparisons(prompt: str) -> list[tuple[str, str, str]]:
    """The pairs of a prompt: id, essay A, essay B.

    Raises
    ------
    UnreadablePromptError
        If a comparison does not have two fenced essays.
    """
    groups = read_groups(prompt)
    n_texts = sum(len(texts) for _, texts in groups)
    if any(len(texts) != _ESSAYS for _, texts in groups):
        raise UnreadablePromptError(
            f"the prompt has {len(groups)} comparison ids and {n_texts} fenced essays"
        )
    return [(name, texts[0], texts[1]) for name, texts in groups]


def read_groups(prompt: str) -> list[tuple[str, list[str]]]:
    """The comparisons of a prompt: id, and the texts of its pair or list in the order shown.

    Raises
    ------
    UnreadablePromptError
        If there is none, one without two essays at the least, or one that names an essay that is
        not there.
    """
    fences = {match.span(): match[2] for match in _FENCED.finditer(prompt)}
    headings = _find_outside(_HEADING, prompt, fences)
    labels = [label[1] for label in _find_outside(_LABEL, prompt, fences)]
    if labels:
        return _read_labelled(prompt, headings, labels, list(fences.values()))
    ends = [*(heading.start() for heading in headings[1:]), len(prompt)]
    groups = [
        (heading[1], [text for place, text in fences.items() if heading.end() <= place[0] < end])
        for heading, end in zip(headings, ends, strict=False)
    ]
    if min((len(texts) for _, texts in groups), default=0) < _ESSAYS:
        raise UnreadablePromptError(
            f"the prompt has {len(headings)} comparison ids and {len(fences)} fenced essays"
        )
    return groups


def _find_outside(
    pattern: re.Pattern[str], prompt: str, fences: Collection[tuple[int, int]]
) -> list[re.Match[str]]:
    """What the pattern finds outside of the fences."""
    return [
        match
        for match in pattern.finditer(prompt)
        if not any(start < match.start() < end for start, end in fences)
    ]


def _read_labelled(
    prompt: str, headings: Sequence[re.Match[str]], labels: Sequence[str], texts: Sequence[str]
) -> list[tuple[str, list[str]]]:
    """Comparisons that name their essays by the labels under which the texts stand."""
    essays = dict(zip(labels, texts, strict=False))
    comparisons = []
    for heading in headings:
        named = _NAMED.match(prompt, heading.end())
        if named is None or not essays.keys() >= {named[1], named[2]}:
            raise UnreadablePromptError(f"comparison {heading[1]} names no essays of the prompt")
        comparisons.append((heading[1], [essays[named[1]], essays[named[2]]]))
    return comparisons


def make_verdict(comparison_id: str, winner: str, **details: str | int | None) -> dict[str, Any]:
    """A verdict as a model writes it; `details` are degree, confidence and justification."""
    empty = {"degree": None, "confidence": None, "justification": None}
    return {"comparison_id": comparison_id, "winner": winner, **(empty | details)}


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
        """The reply to one request; requests and verdicts are counted by comparison."""
        judge = self._judge
        try:
            question = form.read_question(body)
            comparisons = read_groups(question.prompt)
        except UnreadablePromptError as error:
            return form.error(BAD_REQUEST, str(error))
        call = ",".join(comparison_id for comparison_id, _ in comparisons)
        judge.stats.requests[call] += 1
        judge.stats.totals["requests"] += len(comparisons)
        plan = plan_response(judge.options, call, 1, judge.stats.requests[call])
        if plan.conduct is not Conduct.VERDICT:
            silent = plan.conduct is Conduct.SILENCE
            judge.stats.totals["silent" if silent else "refused_503"] += 1
            busy = form.error(UNAVAILABLE, "the judge is overloaded, try again")
            return replace(busy, delay=plan.delay, silent=silent)
        try:
            verdicts = [self._judge_group(*comparison) for comparison in comparisons]
        except (UnknownTextError, UnknownPairError) as error:
            judge.stats.totals["refused_400"] += 1
            return replace(form.error(BAD_REQUEST, str(error)), delay=plan.delay)
        for comparison_id, _ in comparisons:
            judge.stats.totals["verdicts"] += 1
            judge.stats.verdicts[comparison_id] += 1
        document = {"verdicts": verdicts}
        tokens = (_count_tokens(question.prompt), _count_tokens(json.dumps(document)))
        answer = Answer(judge.model, document, question.tool, tokens)
        return Reply(form.answer(answer), delay=plan.delay)

    def _call(self, form: WireFormat) -> Callable[[Request], Awaitable[Response]]:
        """One request in one HTTP call."""

        async def call(http: Request) -> Response:
            self._judge.stats.totals["calls"] += 1
            reply = self.answer(form, await http.json())
            await asyncio.sleep(reply.delay)
            return to_response(reply)

        return call

    def _judge_group(self, comparison_id: str, texts: list[str]) -> dict[str, Any]:
        if len(texts) > _ESSAYS:
            places, gaps = self._judge.choose_order(texts, comparison_id=comparison_id)
            return {
                "comparison_id": comparison_id,
                "ranking": [LABELS[place] for place in places],
                "gaps": gaps,
                "justification": "Made of people's judgements on each two of these texts.",
            }
        first, second = texts
        winner = self._judge.choose_winner(first, second, comparison_id=comparison_id)
        # A person said only which text is better, so there is no degree and no confidence.
        return make_verdict(
            comparison_id, winner, justification="A person judged this pair in this way."
        )


def to_response(reply: Reply) -> Response:
    """The reply for starlette."""
    headers = {"content-type": "application/json", **reply.headers}
    return Response(reply.encode(), reply.status, headers)


def _count_tokens(text: str) -> int:
    return len(text) // _CHARACTERS_PER_TOKEN + 1
