"""Thirty judges at once: is a verdict lost or doubled, and how long does the next pair take?

A laptop cloud of its own, over HTTP. Thirty judges work for a while, so that workers are warm; then
one judge works alone until they have given sixty verdicts at least, then thirty at once for three
minutes. Each comes by an invitation, asks for a comparison, thinks for two seconds and sends the
verdict, whose answer has the next comparison. Every tenth verdict is sent twice, as a page on a bad
network does. The bars: the 95th percentile of the next comparison with thirty judges (the time of
whatever request brings it, most often the verdict's) is at most 1.5 times that of one judge alone
in the same run, and what the stack has recorded is what was sent, each once.
"""

from __future__ import annotations

import asyncio
import math
import statistics
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx

from assessment.contracts.invitations import InvitationRequest
from assessment.contracts.parsing import parse
from assessment.contracts.request import BatchRequest
from assessment.domain.verdict import Verdict
from benchmarks._common import Bar, Claim, arguments, report
from local.demo import Stage
from local.judge import server as judges
from local.judge.options import JudgeOptions
from local.stack import cloud as clouds
from local.stack import deploy as stacks

if TYPE_CHECKING:
    from runner.client import ApiClient

PORT, JUDGE_PORT = 4686, 4690
N_JUDGES = 30
THINK_SECONDS = 2.0
# A wave must last for all of them: judges that run out of pairs would measure nothing.
N_ESSAYS = 320
CONFIG = {
    "comparisons_per_essay_per_wave": 20, "max_comparisons_per_essay": 20, "seed": 14,
    "max_pairwise_comparisons": 10_000,
}  # fmt: skip
# No controls: every verdict that is sent is one that must be recorded.
PEOPLE = {"provider": "person", "control_share": 0}
PATIENCE_SECONDS = 300.0
LONGEST_ANSWER_SECONDS = 60.0
SENT_TWICE = 10
MOST_REPEATS = 5
WARM_UP_SECONDS = 15.0
# Thirty who come in at the very same moment would go on asking at the same moments.
ARRIVAL_SECONDS = 0.4


@dataclass
class Judge:
    """One person at the API: what they sent, and how long each answer took."""

    http: httpx.AsyncClient
    path: str
    sent: dict[str, str] = field(default_factory=dict)
    offers: list[float] = field(default_factory=list)
    refusals: Counter[str] = field(default_factory=Counter)

    async def work(self, until: float, start_after: float) -> None:
        """Judge until the time is over; judges do not begin at the same moment."""
        await asyncio.sleep(start_after)
        pair = None
        while time.monotonic() < until:
            pair = pair or await self._ask()
            if pair is None:
                await asyncio.sleep(0.2)
                continue
            await asyncio.sleep(THINK_SECONDS)
            winner = "A" if len(pair["essay_a"]) > len(pair["essay_b"]) else "B"
            pair = await self._send(pair["comparison_id"], winner)

    async def _ask(self) -> dict[str, Any] | None:
        answer = await self._call("GET", "next-comparison", self.offers)
        return answer.json()["comparison"] if answer else None

    async def _send(self, comparison_id: str, winner: str) -> dict[str, Any] | None:
        """Send until it is taken, as the page does, some once more although it was."""
        verdict = {"comparison_id": comparison_id, "winner": winner}
        n_wanted = 2 if len(self.sent) % SENT_TWICE == 0 else 1
        offer = None
        for _ in range(n_wanted + MOST_REPEATS):
            answer = await self._call("POST", "verdicts?offer=true", self.offers, body=verdict)
            if answer:
                self.sent[comparison_id] = winner
                offer = answer.json().get("offer")
                n_wanted -= 1
            if not n_wanted:
                break
        return offer["comparison"] if offer else None

    async def _call(
        self, method: str, route: str, times: list[float], *, body: object = None
    ) -> httpx.Response | None:
        """One request, timed; None where it was refused or not answered."""
        began = time.perf_counter()
        try:
            answer = await self.http.request(method, f"{self.path}/{route}", json=body)
        except httpx.TransportError as error:
            self.refusals[type(error).__name__] += 1
            return None
        if not answer.is_success:
            self.refusals[f"{answer.status_code} {answer.json().get('detail', '')[:80]}"] += 1
            return None
        times.append(time.perf_counter() - began)
        return answer


def start_batch(client: ApiClient) -> str:
    """A batch that people judge, whose first wave waits; its id."""
    essays = [
        {"essay_id": f"essay {n:04d}", "text": f"Essay {n:04d}. " + "An argument. " * (20 + n % 80)}
        for n in range(N_ESSAYS)
    ]
    request = parse(BatchRequest, {"essays": essays, "judge": PEOPLE, "config": CONFIG})
    batch_id = client.request_batch(request, idempotency_key=str(uuid.uuid4())).batch_id
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if client.batch(batch_id).status == "WAITING_CALLBACKS":
            return batch_id
        time.sleep(1)
    message = f"batch {batch_id} did not begin to wait"
    raise TimeoutError(message)


async def judge_together(stage: Stage, client: ApiClient, batch_id: str, *, n_judges: int,
                         seconds: float) -> list[Judge]:  # fmt: skip
    """So many judges at once for a time, who have come in one after another, by invitations."""
    request = InvitationRequest(names=[f"judge {n}" for n in range(n_judges)])
    invited = client.invite(batch_id, request, idempotency_key=str(uuid.uuid4())).invitations
    path = f"{stage.outputs['ApiUrl']}/v1/batches/{batch_id}"
    people = [
        Judge(
            httpx.AsyncClient(
                headers={"Authorization": f"Bearer {each.token}"}, timeout=LONGEST_ANSWER_SECONDS
            ),
            path,
        )
        for each in invited
    ]
    until = time.monotonic() + ARRIVAL_SECONDS * (n_judges - 1) + seconds
    await asyncio.gather(*(one.work(until, ARRIVAL_SECONDS * n) for n, one in enumerate(people)))
    for one in people:
        await one.http.aclose()
    return people


def await_records(client: ApiClient, batch_id: str, n_sent: int) -> None:
    """Wait until so many verdicts are recorded, or for five minutes."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while client.batch(batch_id).comparisons.recorded < n_sent and time.monotonic() < deadline:
        time.sleep(2)


def read_winners(client: ApiClient, batch_id: str) -> dict[str, str]:
    """The winner that is recorded of each comparison with a verdict."""
    letters = {"first": "A", "second": "B", "tie": "tie"}
    return {
        one.comparison_id: letters[one.verdict.winner]
        for one in client.list_comparisons(batch_id)
        if isinstance(one.verdict, Verdict)
    }


def compare_with_records(client: ApiClient, batch_id: str, people: list[Judge]) -> dict[str, int]:
    """What of the verdicts that were taken is missing, other than sent, or there twice."""
    sent = [pair for one in people for pair in one.sent.items()]
    await_records(client, batch_id, len(sent))
    recorded = read_winners(client, batch_id)
    n_counted = sum(one.n_judged for one in client.list_invitations(batch_id).invitations)
    n_by_two = len(sent) - len(dict(sent))
    return {
        "sent": len(sent),
        "lost": sum(recorded.get(name) != winner for name, winner in sent),
        "doubled": n_by_two + abs(len(recorded) - len(sent)) + abs(n_counted - len(sent)),
    }


def find_percentile(seconds: list[float], share: int) -> float:
    """A percentile in milliseconds; not a number where nothing was answered."""
    if not seconds:
        return math.nan
    return 1000 * statistics.quantiles(seconds, n=100, method="inclusive")[share - 1]


def describe(name: str, people: list[Judge], seconds: float) -> dict[str, object]:
    """A row of the table."""
    offers = [each for one in people for each in one.offers]
    return {
        "judges": name,
        "verdicts": sum(len(one.sent) for one in people),
        "a second": sum(len(one.sent) for one in people) / seconds,
        "answers": len(offers),
        "next p50 ms": find_percentile(offers, 50),
        "next p95 ms": find_percentile(offers, 95),
        "refused": dict(sum((one.refusals for one in people), Counter[str]())) or "",
    }


def measure(stage: Stage, *, alone: float, together: float) -> tuple[list[Any], list[Claim]]:
    """One judge for a time, then all of them, on the same batch."""
    client = stage.client()
    batch_id = start_batch(client)

    def judge(n_judges: int, seconds: float) -> list[Judge]:
        return asyncio.run(
            judge_together(stage, client, batch_id, n_judges=n_judges, seconds=seconds)
        )

    # The workers that thirty need start before anything is measured.
    first = judge(N_JUDGES, WARM_UP_SECONDS)
    one, crowd = judge(1, alone), judge(N_JUDGES, together)
    found = compare_with_records(client, batch_id, [*first, *one, *crowd])
    rows = [describe("1", one, alone), describe(f"{N_JUDGES}", crowd, together)]
    ratio = float(str(rows[1]["next p95 ms"])) / float(str(rows[0]["next p95 ms"]))
    claims = [
        Claim("verdicts lost", found["lost"], "verdicts", Bar(high=0)),
        Claim("verdicts doubled", found["doubled"], "verdicts", Bar(high=0)),
        Claim("p95 of the next comparison, thirty judges to one", ratio, "ratio", Bar(high=1.5)),
    ]
    return rows, claims


def main() -> None:
    """Start the cloud, measure, and stop it."""
    options = arguments(__doc__)
    stacks.build()
    cloud = clouds.start(port=PORT, name="bench-rooms")
    try:
        judges.start(cloud, JudgeOptions(), port=JUDGE_PORT, name="bench-rooms-judge")
        stage = Stage(cloud, stacks.deploy(cloud, stacks.demo_parameters(JUDGE_PORT)))
        seconds = (60.0, 60.0) if options.quick else (130.0, 180.0)
        rows, claims = measure(stage, alone=seconds[0], together=seconds[1])
    finally:
        judges.stop("bench-rooms-judge")
        clouds.stop("bench-rooms")
    report(options, rows=rows, claims=claims)


if __name__ == "__main__":
    main()
