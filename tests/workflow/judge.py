"""A judge endpoint in this process: it speaks the LLM-provider protocol and misbehaves on request.

Its verdicts are simulated: the better of two essays wins with the Bradley-Terry probability of the
abilities written into the texts.
"""

from __future__ import annotations

import json
import math
import random
import re
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from assessment.contracts.list_protocol import CompareRequest, CompareRequestV2, read_request
from assessment.contracts.llm_protocol import COMPARE_PATH

Send = Callable[[str, str], None]
"""Sends a message body to a queue URL."""


def essay_text(ability: float, number: int) -> str:
    """A text that carries its ability for the judge below."""
    return f"Essay number {number}. Quality {ability:+.3f}. It argues its case in a few words."


def read_ability(text: str) -> float:
    found = re.search(r"Quality ([+-]\d+\.\d+)", text)
    assert found, "the judge was shown a text that is not an essay of the test"
    return float(found[1])


_FIRST_REQUESTS = 12


@dataclass
class JudgeEndpoint:
    """Answers comparisons; the fields are its habits, the counters what it saw."""

    send: Send
    answer_at_once: bool = False
    silent_share: float = 0.0
    error_share: float = 0.0
    duplicate_share: float = 0.0
    busy_share: float = 0.0
    refuse: bool = False
    served_models: tuple[str, ...] = ()
    shuffle: bool = False
    seed: int = 7
    asked: Counter[str] = field(default_factory=Counter)
    _n_requests: int = 0
    _held: list[tuple[str, str]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def transport(self) -> httpx.MockTransport:
        """The way to this endpoint for an httpx client."""
        return httpx.MockTransport(self._respond)

    def release(self) -> None:
        """Send the callbacks that were held back, in another order than they came."""
        with self._lock:
            held, self._held = self._held, []
        random.Random(self.seed).shuffle(held)
        for url, body in held:
            self.send(url, body)

    def _respond(self, http: httpx.Request) -> httpx.Response:
        assert http.url.path == COMPARE_PATH
        request = read_request(http.content)
        metadata = request.metadata
        name = f"{metadata.comparison_id}/{metadata.attempt}"
        with self._lock:
            times = self.asked[name]
            self.asked[name] += 1
            self._n_requests += 1
        chance = random.Random(f"{self.seed}/{name}")
        if self.refuse:
            return httpx.Response(400, json={"detail": "unknown model"})
        if chance.random() < self.busy_share and times == 0:
            return httpx.Response(429, headers={"Retry-After": "1"})
        if chance.random() < self.silent_share:
            return httpx.Response(202, json={"status": "queued"})
        body = json.dumps(self._callback(request, chance))
        if self.answer_at_once:
            return httpx.Response(200, text=body)
        copies = 2 if chance.random() < self.duplicate_share else 1
        with self._lock:
            self._held += [(request.callback.queue_url or "", body)] * copies
        if not self.shuffle:
            self.release()
        return httpx.Response(202, json={"status": "queued"})

    def _callback(self, request: CompareRequest, chance: random.Random) -> dict[str, Any]:
        result: dict[str, Any] = {
            "schema": f"LLMComparisonResultV{request.schema_version}",
            "correlation_id": request.correlation_id,
            "request_metadata": request.metadata.model_dump(mode="json"),
            "provider": "simulated",
            "model": "bradley-terry",
        }
        if chance.random() < self.error_share:
            error = {"code": "overloaded", "message": "try again", "retryable": True}
            return {**result, "error_detail": error}
        if self.served_models:
            # The first one serves most requests, and all of the first messages, whose answers may
            # be recorded in any order: a batch's pinned model is the one recorded first.
            others = self.served_models[1:] if self._n_requests > _FIRST_REQUESTS else ()
            result["served_model"] = (
                chance.choice(others) if others and chance.random() < 0.1 else self.served_models[0]
            )
        if isinstance(request, CompareRequestV2):
            return {**result, **_rank(request, chance)}
        first, second = request.essay_texts
        advantage = read_ability(first) - read_ability(second)
        first_wins = chance.random() < 1 / (1 + math.exp(-advantage))
        return {**result, "winner": "A" if first_wins else "B", "confidence": 3}


def _rank(request: CompareRequestV2, chance: random.Random) -> dict[str, Any]:
    """An order by the model of Plackett and Luce: differences of Gumbel draws are logistic."""
    utility = {
        essay.essay_id: read_ability(essay.text) - math.log(chance.expovariate(1.0))
        for essay in request.essays
    }
    ranking = sorted(utility, key=lambda essay_id: -utility[essay_id])
    return {"ranking": ranking, "gaps": ["clear"] * (len(ranking) - 1)}
