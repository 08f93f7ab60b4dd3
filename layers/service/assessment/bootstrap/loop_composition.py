"""The ports of the use cases that take a batch from its request to its end, wave by wave."""

from __future__ import annotations

from functools import cached_property

from assessment.adapters.aws.decision_store import DynamoDBDecisionStore
from assessment.adapters.aws.person_leases import DynamoDBPeople
from assessment.adapters.aws.provider_batch_store import DynamoDBProviderBatchStore
from assessment.adapters.judges.gate import DynamoDBJudgeGate
from assessment.adapters.prompts import JinjaPrompts
from assessment.bootstrap.function_adapters import Adapters
from assessment.ports.groups import (
    CallbackPorts,
    FailPorts,
    FinalisePorts,
    JudgePorts,
    PlanPorts,
    PreparePorts,
    ScorePorts,
    SubmitPorts,
    WatchPorts,
)
from assessment.ports.statistics import Statistics
from assessment.settings import Settings


class LoopComposition[S: Settings](Adapters[S]):
    """The adapters of one function, and the ports of the wave loop's use cases made of them."""

    @cached_property
    def people(self) -> DynamoDBPeople:
        """The people who judge."""
        return DynamoDBPeople(self.table)

    @cached_property
    def prepare_ports(self) -> PreparePorts:
        """For preparing a batch."""
        return PreparePorts(
            batches=self.batches, assignments=self.assignments, content=self.content
        )

    def plan_ports(self, statistics: Statistics) -> PlanPorts:
        """For planning a wave; the statistics come from functions with the scoring layer."""
        return PlanPorts(
            batches=self.batches,
            comparisons=self.comparisons,
            content=self.content,
            statistics=statistics,
        )

    @cached_property
    def submit_ports(self) -> SubmitPorts:
        """For submitting a wave."""
        return SubmitPorts(
            batches=self.batches,
            comparisons=self.comparisons,
            workflow=self.workflow,
            callback_queue=self.callback_queue,
            judge_queue=self.judge_queue,
        )

    @cached_property
    def judge_ports(self) -> JudgePorts:
        """For asking judges."""
        return JudgePorts(
            judges=self.judges,
            prompts=JinjaPrompts(),
            gate=DynamoDBJudgeGate(self.table),
            comparisons=self.comparisons,
            content=self.content,
            judge_queue=self.judge_queue,
            callback_queue=self.callback_queue,
            batches=self.batches,
            provider_batches=DynamoDBProviderBatchStore(self.table),
            webhook_url=f"{self._setting('api_url')}/v1/callbacks",
        )

    @cached_property
    def callback_ports(self) -> CallbackPorts:
        """For recording a callback."""
        return CallbackPorts(
            batches=self.batches,
            comparisons=self.comparisons,
            workflow=self.workflow,
            callback_queue=self.callback_queue,
            content=self.content,
        )

    def score_ports(self, statistics: Statistics) -> ScorePorts:
        """For scoring a wave; statistics as above."""
        return ScorePorts(
            batches=self.batches,
            comparisons=self.comparisons,
            content=self.content,
            statistics=statistics,
            events=self.events,
        )

    def finalise_ports(self, statistics: Statistics) -> FinalisePorts:
        """For publishing the result; statistics as above."""
        return FinalisePorts(
            batches=self.batches,
            assignments=self.assignments,
            comparisons=self.comparisons,
            content=self.content,
            statistics=statistics,
            events=self.events,
            people=self.people,
        )

    @cached_property
    def fail_ports(self) -> FailPorts:
        """For ending a batch that failed."""
        return FailPorts(batches=self.batches, events=self.events)

    def select_watch_ports(self, batch_id: str) -> WatchPorts:
        """For repairing one batch, whose organisation it looks up."""
        return self.select_batch(batch_id).watch_ports

    @cached_property
    def watch_ports(self) -> WatchPorts:
        """For repairing batches of the organisation."""
        return WatchPorts(
            batches=self.batches,
            comparisons=self.comparisons,
            workflow=self.workflow,
            events=self.events,
            judge_queue=self.judge_queue,
            provider_batches=DynamoDBProviderBatchStore(self.table),
            people=self.people,
            content=self.content,
            decisions=DynamoDBDecisionStore(self.table),
        )
