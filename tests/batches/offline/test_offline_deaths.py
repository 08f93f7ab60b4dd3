"""A process of `--offline` dies at any write: the next one ends with the same result, paid once."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx

from assessment.adapters.sqlite.database import Database
from assessment.contracts.list_protocol import CompareRequest, ComparisonResult, make_result
from assessment.contracts.request import BatchRequest
from assessment.domain.batch import BatchStatus
from assessment.domain.judge import JudgeSpec
from assessment.ports.judging import BatchJudge, Judge
from local.providers.provider_formats import make_verdict, read_groups
from local.providers.wire_formats import CHAT_COMPLETIONS, Answer
from runner.offline.engine import Engine
from runner.offline.local_client import WorkspaceClient
from runner.offline.workspace import Workspace

N_CALLS = 2
BATCH_ID = "5f0c1c5e-8d0b-4c55-9a39-0d6f3f7b2a10"
REQUEST = BatchRequest.model_validate(
    {
        "essays": [
            {"essay_id": f"e{n}", "text": "The tide rises as the moon pulls at the sea. " * n}
            for n in range(2, 6)
        ],
        "config": {"seed": 7, "max_waves": 3},
        "judge": {"provider": "openai", "model": "m", "base_url": "http://127.0.0.1:9/v1",
                  "batching_mode": "per_request"},
    }
)  # fmt: skip


class DiedError(BaseException):
    """The process is killed: nobody catches it."""


@dataclass
class LengthJudge:
    """The longer text wins; requests are counted by their keys, which outlive processes."""

    asked: Counter[str] = field(default_factory=Counter)

    async def compare(
        self, requests: Sequence[CompareRequest]
    ) -> Sequence[ComparisonResult | None]:
        return [self._answer(request) for request in requests]

    def _answer(self, request: CompareRequest) -> ComparisonResult:
        self.asked[request.correlation_id] += 1
        longer = len(request.essay_texts[0]) > len(request.essay_texts[1])
        return make_result(
            request,
            winner="A" if longer else "B",
            provider="length",
            model="m",
        )

    def get_judge(self, judge: JudgeSpec) -> Judge:
        return self

    def get_batch_judge(self, judge: JudgeSpec) -> BatchJudge:
        raise NotImplementedError


@dataclass
class Death:
    """Kills the process at one of its writes: before it, or when it is committed."""

    at: int | None = None
    is_committed: bool = False
    n_writes: int = 0
    is_dead: bool = False
    _lock: Any = field(default_factory=threading.Lock)

    def check(self) -> None:
        if self.is_dead:
            raise DiedError

    @contextmanager
    def around(self) -> Iterator[None]:
        with self._lock:
            self.check()
            self.n_writes += 1
            is_due = self.n_writes == self.at
            self.is_dead = is_due and not self.is_committed
            self.check()
        yield
        if is_due:
            self.is_dead = True
        self.check()


@pytest.fixture
def judge(monkeypatch: pytest.MonkeyPatch) -> LengthJudge:
    judge = LengthJudge()
    monkeypatch.setattr(Workspace, "judges", property(lambda _: judge))
    return judge


def run(
    folder: Path, death: Death, monkeypatch: pytest.MonkeyPatch, request: BatchRequest = REQUEST
) -> bytes | None:
    """Request the batch and drive it, in a process that may die; its result."""
    transaction, write, read = Database.transaction, Database.write, Database.read

    @contextmanager
    def dying_transaction(self: Database) -> Iterator[Any]:
        with death.around(), transaction(self) as connection:
            yield connection

    def dying_write(self: Database, *arguments: Any) -> int:
        with death.around():
            return write(self, *arguments)

    def dying_read(self: Database, *arguments: Any) -> Any:
        death.check()
        return read(self, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(Database, "transaction", dying_transaction)
        patch.setattr(Database, "write", dying_write)
        patch.setattr(Database, "read", dying_read)
        try:
            with Workspace.open_folder(folder, n_calls=N_CALLS, create=True) as workspace:
                client = WorkspaceClient(workspace)
                client.request_batch(request, idempotency_key="once", batch_id=BATCH_ID)
                engine = Engine(workspace, BATCH_ID)
                with engine.running():
                    engine.wait(60)
                assert client.batch(BATCH_ID).status == BatchStatus.COMPLETED
                return client.result_bytes(BATCH_ID)
        except DiedError:
            assert death.is_dead
            return None


@pytest.fixture
def clean(
    judge: LengthJudge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[dict[str, Any], int]:
    """The result of a run that nothing disturbed, and how many writes it made."""
    alive = Death()
    body = run(tmp_path / "clean", alive, monkeypatch)
    assert body is not None
    assert set(judge.asked.values()) == {1}
    judge.asked.clear()
    return json.loads(body), alive.n_writes


@pytest.mark.slow
@pytest.mark.parametrize("is_committed", [False, True], ids=["before", "after"])
def test_whatever_write_a_process_dies_at_the_result_is_the_same(
    clean: tuple[dict[str, Any], int],
    judge: LengthJudge,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    is_committed: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    expected, n_writes = clean
    assert n_writes > 100
    # From the request to the first verdicts, and a few later ones. How many writes a run makes
    # depends on how its threads share them, so the last deaths stay clear of the end.
    deaths = [*range(2, 46, 5), *range(46, n_writes * 3 // 4, n_writes // 6)]
    for at in deaths:
        folder = tmp_path / str(at)
        judge.asked.clear()
        death = Death(at, is_committed=is_committed)
        run(folder, death, monkeypatch)
        assert death.n_writes >= at
        body = run(folder, Death(), monkeypatch)
        assert body is not None
        result = json.loads(body)
        # The calls in flight are the only ones whose answers a dead process can lose.
        n_repeated = sum(judge.asked.values()) - len(judge.asked)
        assert n_repeated <= N_CALLS, at
        assert result["repeated_calls"] <= N_CALLS
        assert len(judge.asked) == result["comparisons"]["recorded"]
        assert {**result, "repeated_calls": 0} == expected, at


@dataclass
class Gateway:
    """An endpoint of OpenAI's form; it kills its caller when it is asked `deadly` questions."""

    death: Death
    deadly: int
    asked: Counter[str] = field(default_factory=Counter)

    def answer(self, http: httpx.Request) -> httpx.Response:
        self.asked[http.headers["idempotency-key"]] += 1
        if self.asked.total() == self.deadly:
            self.death.is_dead = True
        self.death.check()
        question = CHAT_COMPLETIONS.read_question(json.loads(http.content))
        verdicts = [
            make_verdict(comparison_id, "A" if len(texts[0]) > len(texts[1]) else "B")
            for comparison_id, texts in read_groups(question.prompt)
        ]
        reply = Answer("m", {"verdicts": verdicts}, question.tool, (1, 1))
        return httpx.Response(200, json=CHAT_COMPLETIONS.answer(reply))


@respx.mock
def test_calls_of_a_dead_process_are_asked_again_under_their_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In bundles, as is usual: who honours the keys is paid once for each of them."""
    judge = {"provider": "openai", "model": "m", "base_url": "http://127.0.0.1:9/v1"}
    request = REQUEST.model_copy(update={"judge": judge})
    killing, surviving = Death(), Death()
    gateway = Gateway(killing, deadly=2)
    respx.post("http://127.0.0.1:9/v1/chat/completions").mock(side_effect=gateway.answer)
    assert run(tmp_path / "cj", killing, monkeypatch, request) is None
    in_flight = set(gateway.asked)
    gateway.death = surviving
    body = run(tmp_path / "cj", surviving, monkeypatch, request)
    assert body is not None
    repeated = {key for key, times in gateway.asked.items() if times > 1}
    assert repeated
    assert repeated <= in_flight
    assert len(in_flight) <= N_CALLS
    assert json.loads(body)["comparisons"]["failed"] == 0
