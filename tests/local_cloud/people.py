"""People who judge over HTTP, each with a token of their own, as the sample's people judged."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Self

import httpx

from assessment.domain.access import Role
from local.demo import Stage
from local.judge.human_judge import HumanJudge

PATIENCE_SECONDS = 600
SEED = 1


@dataclass
class Person:
    """Someone who judges; keeps which comparisons they were given, in order."""

    name: str
    stage: Stage
    judge: HumanJudge
    given: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        token = self.stage.token(self.name, role=Role.ASSESSOR)
        self._http = httpx.Client(
            base_url=self.stage.outputs["ApiUrl"],
            headers={"Authorization": f"Bearer {token}"},
            timeout=35,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def ask(self, batch_id: str) -> httpx.Response:
        """The next comparison."""
        return self._http.get(f"/v1/batches/{batch_id}/next-comparison")

    def await_offer(self, batch_id: str) -> str:
        """Ask until there is a comparison, and hold it; its id."""
        patience = time.monotonic() + PATIENCE_SECONDS
        while (offer := self.ask(batch_id).raise_for_status().json()["comparison"]) is None:
            assert time.monotonic() < patience, "nothing waits for people"
            time.sleep(0.1)
        return str(offer["comparison_id"])

    def say(self, batch_id: str, comparison_id: str, winner: str = "A") -> httpx.Response:
        """A verdict."""
        body = {"comparison_id": comparison_id, "winner": winner}
        return self._http.post(f"/v1/batches/{batch_id}/verdicts", json=body)

    def judge_on(self, batch_id: str) -> str:
        """Answer what is asked until the API asks no more; its words for that."""
        patience = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < patience:
            asked = self.ask(batch_id)
            if asked.is_client_error:
                return str(asked.json()["detail"])
            offer = asked.raise_for_status().json()["comparison"]
            if offer is None:
                time.sleep(0.3)  # the others hold what waits, or the next wave is being planned
                continue
            self.given.append(offer["comparison_id"])
            winner = self.judge.verdict(
                offer["essay_a"], offer["essay_b"], seed=SEED, comparison_id=self.given[-1]
            )
            self.say(batch_id, self.given[-1], winner).raise_for_status()
        raise AssertionError(f"{self.name} was still being asked after {PATIENCE_SECONDS} seconds")


def side_by_side(people: Sequence[Person], batch_id: str) -> list[str]:
    """Everybody judges at the same time; what each was told at the end."""
    with ThreadPoolExecutor(len(people)) as pool:
        return list(pool.map(lambda person: person.judge_on(batch_id), people))
