"""One simulated stack: every port in memory, one clock, and the use cases bound to them."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from assessment.adapters.judges.registry import RequestedJudgeCheck
from assessment.adapters.prompts import JinjaPrompts
from assessment.contracts.parsing import parse
from assessment.contracts.queue_messages import JudgeRequestV1, ProviderBatchV1
from assessment.contracts.request import AnchorRegistration, BatchRequest
from assessment.contracts.views import AnchorsRegistered
from assessment.domain.batch import Batch
from assessment.domain.comparison import Comparison, ComparisonTally, count_comparisons
from assessment.domain.decision import Decision
from assessment.domain.errors import ComparisonLeasedError
from assessment.domain.judge import BatchingMode
from assessment.domain.judge_errors import JudgeUnavailableError
from assessment.domain.wave import Wave
from assessment.ports.groups import (
    AnchorPorts,
    CallbackPorts,
    CancelPorts,
    FinalisePorts,
    JudgePorts,
    PlanPorts,
    PreparePorts,
    RequestPorts,
    ResumePorts,
    ScorePorts,
    SubmitPorts,
    WatchPorts,
)
from assessment.ports.statistics import Statistics
from assessment.usecases.bundles import Delivery
from assessment.usecases.call_judge import LEASE_MARGIN_SECONDS, Report, call_judges
from assessment.usecases.callback_messages import read_message
from assessment.usecases.cancel_batch import cancel_batch
from assessment.usecases.finalise_batch import finalise_batch
from assessment.usecases.keep_comparisons import keep_late_comparisons
from assessment.usecases.plan_wave import plan_wave
from assessment.usecases.prepare_batch import prepare_batch
from assessment.usecases.record_callback import Recorded, record_callback
from assessment.usecases.register_anchors import register_anchors
from assessment.usecases.request_batch import RequestCommand, request_batch
from assessment.usecases.resume_batch import resume_batch
from assessment.usecases.score_batch import score_batch
from assessment.usecases.submit_wave import submit_wave
from assessment.usecases.tend_provider_batch import SubmissionStep, tend_provider_batch
from assessment.usecases.watch_batches import WatchReport, watch_batches
from local.providers.clocked_batches import ClockedBatches
from tests.fakes.content import InMemoryContentStore
from tests.fakes.decisions import InMemoryDecisionStore
from tests.fakes.event_loop import run_async
from tests.fakes.faults import Fault, faulty
from tests.fakes.judges import (
    CALLBACK_KEY,
    FakeJudge,
    Habits,
    KnownKeys,
    OneJudge,
    OpenGate,
    make_text,
)
from tests.fakes.messaging import (
    Clock,
    InMemoryCallbackQueue,
    InMemoryEvents,
    InMemoryJudgeQueue,
    InMemoryWorkflow,
)
from tests.fakes.statistics import STATISTICS
from tests.fakes.stores import (
    InMemoryAssignmentStore,
    InMemoryBatchStore,
    InMemoryComparisonStore,
    InMemoryProviderBatchStore,
)

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LEASE_SECONDS = 45 + LEASE_MARGIN_SECONDS


def make_essays(qualities: Sequence[float]) -> list[dict[str, str]]:
    """Simulated essays, `essay-00` first."""
    return [
        {"essay_id": f"essay-{index:02d}", "text": make_text(quality, f"{index:02d}")}
        for index, quality in enumerate(qualities)
    ]


def spread(n: int, *, seed: int = 1) -> list[float]:
    """Simulated qualities from N(0, 2), in logits."""
    rng = random.Random(seed)
    return [rng.gauss(0.0, 2.0) for _ in range(n)]


@dataclass
class World:
    """All ports of one stack."""

    clock: Clock = field(default_factory=lambda: Clock(START))
    habits: Habits = field(default_factory=Habits)
    seed: int = 0
    statistics: Statistics = STATISTICS

    def __post_init__(self) -> None:
        self.assignments = InMemoryAssignmentStore()
        self.batches = InMemoryBatchStore()
        self.decisions = InMemoryDecisionStore(self.batches)
        self.comparisons = InMemoryComparisonStore()
        self.content = InMemoryContentStore()
        self.judge_queue = InMemoryJudgeQueue(self.clock)
        self.callback_queue = InMemoryCallbackQueue(self.clock)
        self.workflow = InMemoryWorkflow()
        self.events = InMemoryEvents()
        self.judge = FakeJudge(self.callback_queue, self.habits, self.seed)
        self.batch_judge = ClockedBatches(self.judge, self.clock)
        self.provider_batches = InMemoryProviderBatchStore()
        self.people = self.batches.people
        self.gate = OpenGate()
        self._ids = random.Random(self.seed)

    @property
    def now(self) -> datetime:
        return self.clock.now

    def _port(self, name: str, fault: Fault | None) -> Any:
        port = getattr(self, name)
        return port if fault is None else faulty(port, fault)

    def _ports(self, *names: str, fault: Fault | None) -> dict[str, Any]:
        return {name: self._port(name, fault) for name in names}

    # --- the entry points ----------------------------------------------------------------------

    def register(
        self,
        fault: Fault | None = None,
        *,
        is_admin: bool = False,
        stack: Mapping[str, Any] | None = None,
        **registration: Any,
    ) -> AnchorsRegistered:
        """Register anchors."""
        return register_anchors(
            parse(AnchorRegistration, registration),
            is_admin=is_admin,
            stack_config=stack or {},
            ports=AnchorPorts(**self._ports("assignments", "content", fault=fault)),
        )

    def request(
        self,
        essays: Sequence[Mapping[str, str]] | int = 6,
        *,
        key: str | None = None,
        is_admin: bool = True,
        stack: Mapping[str, Any] | None = None,
        max_batches_per_day: int = 0,
        max_usd_per_day: float = 0.0,
        fault: Fault | None = None,
        **request: Any,
    ) -> Batch:
        """Request a batch; a number stands for so many simulated essays."""
        given = make_essays(spread(essays)) if isinstance(essays, int) else list(essays)
        command = RequestCommand(
            request=parse(BatchRequest, {"essays": given, **request}),
            idempotency_key=key,
            is_admin=is_admin,
            stack_config=stack or {},
            batching_mode=BatchingMode.SERIAL_BUNDLE,
            callback_key=CALLBACK_KEY,
            max_batches_per_day=max_batches_per_day,
            max_usd_per_day=max_usd_per_day,
            batch_id=str(uuid.UUID(int=self._ids.getrandbits(128), version=4)),
        )
        ports = RequestPorts(
            **self._ports("batches", "assignments", "content", "workflow", fault=fault),
            judge_check=RequestedJudgeCheck(JinjaPrompts(), KnownKeys()),
        )
        return request_batch(command, ports=ports, now=self.now)

    def cancel(self, batch_id: str, fault: Fault | None = None) -> Batch:
        """Cancel a batch."""
        return cancel_batch(
            batch_id,
            ports=CancelPorts(
                **self._ports("batches", "comparisons", "content", "workflow", fault=fault)
            ),
            now=self.now,
        )

    # --- the steps of the state machine --------------------------------------------------------

    def prepare(self, batch_id: str, fault: Fault | None = None) -> Batch:
        """State PrepareBatch."""
        return prepare_batch(
            batch_id,
            ports=PreparePorts(**self._ports("batches", "assignments", "content", fault=fault)),
            now=self.now,
        )

    def plan(self, batch_id: str, fault: Fault | None = None) -> Wave:
        """State PlanWave."""
        return plan_wave(
            batch_id,
            ports=PlanPorts(
                **self._ports("batches", "comparisons", "content", fault=fault),
                statistics=self.statistics,
            ),
            now=self.now,
        )

    def submit(
        self, batch_id: str, wave_number: int, token: str, fault: Fault | None = None
    ) -> None:
        """State SubmitWave."""
        names = ("batches", "comparisons", "judge_queue", "callback_queue", "workflow")
        ports = SubmitPorts(**self._ports(*names, fault=fault))
        submit_wave(
            batch_id,
            wave_number,
            token=token,
            ports=ports,
            mode=BatchingMode.SERIAL_BUNDLE,
            now=self.now,
        )

    def score(self, batch_id: str, wave_number: int, fault: Fault | None = None) -> Decision:
        """State ScoreBatch; its decision."""
        names = ("batches", "comparisons", "content", "events")
        return score_batch(
            batch_id,
            wave_number,
            ports=ScorePorts(**self._ports(*names, fault=fault), statistics=self.statistics),
            now=self.now,
        ).decision

    def finalise(self, batch_id: str, fault: Fault | None = None) -> Batch:
        """State FinaliseBatch."""
        names = ("batches", "assignments", "comparisons", "content", "events", "people")
        return finalise_batch(
            batch_id,
            ports=FinalisePorts(**self._ports(*names, fault=fault), statistics=self.statistics),
            versions={"scoring": "test"},
            now=self.now,
        )

    # --- the queues and the clock --------------------------------------------------------------

    def ask(
        self, request: JudgeRequestV1, *, last_receive: bool = False, fault: Fault | None = None
    ) -> None:
        """One message of the judge queue."""
        run_async(self.ask_async(request, last_receive=last_receive, fault=fault))

    async def ask_async(
        self, request: JudgeRequestV1, *, last_receive: bool = False, fault: Fault | None = None
    ) -> None:
        """One message of the judge queue, inside a running loop."""
        report = await self.ask_together([Delivery(request, last_receive)], fault=fault)
        if report.errors[0] is not None:
            raise report.errors[0]

    async def ask_together(
        self, deliveries: Sequence[Delivery], *, fault: Fault | None = None
    ) -> Report:
        """Messages that are delivered together."""
        return await call_judges(deliveries, ports=self.judge_ports(fault), now=self.now)

    def judge_ports(self, fault: Fault | None = None) -> JudgePorts:
        """What asking judges needs."""
        names = (
            "comparisons", "content", "judge_queue", "callback_queue", "gate",
            "batches", "provider_batches",
        )  # fmt: skip
        return JudgePorts(
            judges=OneJudge(self._port("judge", fault), self._port("batch_judge", fault)),
            prompts=JinjaPrompts(),
            **self._ports(*names, fault=fault),
        )

    def tend(self, message: ProviderBatchV1, *, fault: Fault | None = None) -> SubmissionStep:
        """One message of the judge queue about a provider's batch."""
        return run_async(tend_provider_batch(message, ports=self.judge_ports(fault), now=self.now))

    def record(self, body: str, fault: Fault | None = None) -> Recorded:
        """One message of the callback queue."""
        names = ("batches", "comparisons", "callback_queue", "workflow", "content")
        ports = CallbackPorts(**self._ports(*names, fault=fault))
        recorded = record_callback(read_message(body), ports=ports, now=self.now)
        keep_late_comparisons(recorded.batch_id, ports=ports)
        return recorded

    def resume(self, batch_id: str, fault: Fault | None = None) -> Batch:
        """Let a failed batch go on."""
        ports = ResumePorts(**self._ports("batches", "workflow", fault=fault))
        return resume_batch(batch_id, ports=ports, now=self.now)

    def watch(
        self, fault: Fault | None = None, *, has_time: Callable[[], bool] = lambda: True
    ) -> WatchReport:
        """One round of the watchdog."""
        names = (
            "batches", "comparisons", "workflow", "events", "judge_queue", "provider_batches",
            "people", "content", "decisions",
        )  # fmt: skip
        ports = WatchPorts(**self._ports(*names, fault=fault))
        return watch_batches(
            listing=ports.batches, ports_of=lambda _: ports, now=self.now, has_time=has_time
        )

    def answer_all(self, *, receives: int = 5) -> None:
        """Ask the judge about everything that is queued, and again where it was not available."""

        async def drain() -> None:
            for attempt in range(1, receives + 1):
                waiting, self.judge_queue.messages = self.judge_queue.messages, []
                for message in waiting:
                    request = JudgeRequestV1.model_validate_json(message.body)
                    try:
                        await self.ask_async(request, last_receive=attempt == receives)
                    except (JudgeUnavailableError, ComparisonLeasedError):
                        self.judge_queue.messages.append(message)

        run_async(drain())

    # --- looking ---------------------------------------------------------------------------------

    def list_comparisons(self, batch_id: str) -> list[Comparison]:
        """All comparisons of the batch."""
        return self.comparisons.list_comparisons(batch_id, 10_000)

    def tally(self, batch_id: str) -> ComparisonTally:
        """All comparisons by status."""
        return count_comparisons(self.list_comparisons(batch_id))
