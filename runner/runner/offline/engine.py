"""Drives one batch of a workspace, in a thread beside the command that shows it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version

from assessment.adapters.sqlite.queues import CALLBACK, JUDGE, SQLiteMailbox
from assessment.contracts.queue_messages import JudgeMessage, JudgeRequestV1
from assessment.domain.batch import Batch
from assessment.domain.comparison import ComparisonStatus
from assessment.domain.decision import Decision
from assessment.domain.judge import BatchingMode, Provider
from assessment.domain.wave import Wave
from assessment.statistics.engine import ScoringStatistics
from assessment.usecases.bundles import Delivery
from assessment.usecases.callback_messages import read_message
from assessment.usecases.fail_batch import fail_batch, read_failure
from assessment.usecases.finalise_batch import finalise_batch
from assessment.usecases.judge_messages import Handled, judge_messages
from assessment.usecases.plan_wave import plan_wave
from assessment.usecases.prepare_batch import prepare_batch
from assessment.usecases.record_callback import record_callback
from assessment.usecases.score_batch import score_batch
from assessment.usecases.submit_wave import submit_wave
from runner.offline.callback_server import receiving
from runner.offline.driver import Conduct, Driver
from runner.offline.workspace import Workspace, make_token

MODE = BatchingMode.SERIAL_BUNDLE
"""How comparisons are put into calls unless a judge says so, as in a stack by default."""
_POLL_SECONDS = 0.25
_OTHER_THREADS = 4


@dataclass(frozen=True)
class WorkspaceSteps:
    """The states of the machine in a workspace."""

    workspace: Workspace

    def prepare(self, batch_id: str) -> Batch:
        """Freeze the specification."""
        return prepare_batch(batch_id, ports=self.workspace.prepare_ports, now=self.workspace.now())

    def plan(self, batch_id: str) -> Wave:
        """Plan a wave."""
        ports = self.workspace.plan_ports(ScoringStatistics())
        return plan_wave(batch_id, ports=ports, mode=MODE, now=self.workspace.now())

    def submit(self, batch_id: str, wave_number: int, token: str) -> None:
        """Queue a wave."""
        submit_wave(
            batch_id,
            wave_number,
            token=token,
            ports=self.workspace.submit_ports,
            mode=MODE,
            now=self.workspace.now(),
        )

    def score(self, batch_id: str, wave_number: int) -> Decision:
        """Fit, and decide what comes next."""
        ports = self.workspace.score_ports(ScoringStatistics())
        return score_batch(batch_id, wave_number, ports=ports, now=self.workspace.now()).decision

    def finalise(self, batch_id: str) -> Batch:
        """Publish the result."""
        return finalise_batch(
            batch_id,
            ports=self.workspace.finalise_ports(ScoringStatistics()),
            versions={"numpy": version("numpy"), "scipy": version("scipy")},
            now=self.workspace.now(),
        )

    def fail(self, batch_id: str, decision: Decision | None, error: dict[str, str] | None) -> Batch:
        """End without a result."""
        return fail_batch(
            batch_id,
            read_failure(decision, error),
            by_decision=error is None,
            ports=self.workspace.fail_ports,
            now=self.workspace.now(),
        )

    # --- what an execution waits by --------------------------------------------------------------

    def issue(self, batch_id: str, wave_number: int) -> str:
        """A new token."""
        token = make_token(batch_id, wave_number)
        self.workspace.workflow.issue(token)
        return token

    def is_settled(self, token: str) -> bool:
        """Whether the wave is closed, or its batch was cancelled."""
        if self.workspace.workflow.read_outcome(token) is not None:
            return True
        return self.workspace.batches.get_batch(token.partition("/")[0]).is_final


class RealClock:
    """The clock of the machine; what other processes and endpoints bring is seen soon."""

    @property
    def now(self) -> datetime:
        """The present moment."""
        return Workspace.now()

    async def rest(self, calls: set[asyncio.Task[None]], *, until: datetime | None) -> bool:
        """Wait for a call, the moment, or a quarter of a second."""
        seconds = _POLL_SECONDS
        if until is not None and not calls:
            seconds = max(0.0, min(seconds, (until - self.now).total_seconds()))
        if calls:
            await asyncio.wait(calls, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        else:
            await asyncio.sleep(seconds)
        return True


class Engine:
    """Takes a batch from where it stands to its end."""

    def __init__(self, workspace: Workspace, batch_id: str) -> None:
        self._workspace = workspace
        self._batch_id = batch_id
        self._error: BaseException | None = None
        self._ended = threading.Event()
        self._driver = self._make_driver()
        self._thread = threading.Thread(target=self._drive, name="cj-engine", daemon=True)

    @contextmanager
    def running(self) -> Iterator[Engine]:
        """The engine at work; at the end it has stopped, and what is paid for is recorded.

        Raises
        ------
        BatchIsDrivenError
            If another process drives the batch.
        """
        with self._workspace.driving(self._batch_id), self._receiving_callbacks():
            self._thread.start()
            try:
                yield self
            finally:
                self._driver.stop()
                self._thread.join()

    @contextmanager
    def _receiving_callbacks(self) -> Iterator[None]:
        """An address for endpoints that answer later, if the batch has such a judge."""
        judges = self._workspace.batches.get_judges(self._batch_id)
        if all(judge.provider is not Provider.CALLBACK_ENDPOINT for judge in judges):
            yield
            return
        with receiving(self._workspace) as server:
            self._workspace.callback_url = server.url
            yield

    @property
    def n_calls(self) -> int:
        """The calls that are under way."""
        return self._driver.n_calls

    def stop(self) -> None:
        """Begin no further calls."""
        self._driver.stop()

    def wait(self, seconds: float) -> None:
        """Wait until it has ended, or for this time; a defect is raised."""
        self._ended.wait(seconds)
        if self._error is not None:
            raise self._error

    def _drive(self) -> None:
        try:
            asyncio.run(self._run())
        except BaseException as error:  # noqa: BLE001 - raised where the command waits
            self._error = error
        finally:
            self._ended.set()

    async def _run(self) -> None:
        # The usual pool is as large as the machine: on a small one, answers would wait in a line
        # for the disk instead of sharing a commit.
        pool = ThreadPoolExecutor(self._workspace.n_calls + _OTHER_THREADS, "cj-engine")
        asyncio.get_running_loop().set_default_executor(pool)
        async with self._workspace.renew_http():
            batch = self._workspace.batches.get_batch(self._batch_id)
            if batch.is_final:
                return
            await asyncio.to_thread(self._end_leases, batch)
            if await self._driver.run(self._batch_id):
                self._workspace.workflow.end(batch.execution_name, "ENDED")

    def _end_leases(self, batch: Batch) -> None:
        """End the leases of a process that died: nobody else drives the batch.

        The call that it had made counts as one that may have been paid for.
        """
        for comparison in self._workspace.comparisons.list_comparisons(batch.batch_id, batch.wave):
            if comparison.status is ComparisonStatus.PENDING and not comparison.sent:
                request = JudgeRequestV1(
                    batch_id=batch.batch_id,
                    wave=comparison.wave,
                    comparison_id=comparison.comparison_id,
                    attempt=comparison.attempt,
                )
                self._workspace.comparisons.release(request, may_be_paid=True)

    def _make_driver(self) -> Driver:
        workspace, batch_id = self._workspace, self._batch_id
        steps = WorkspaceSteps(workspace)
        return Driver(
            steps=steps,
            judge_mail=SQLiteMailbox(workspace.database, JUDGE, batch_id, workspace.now),
            callback_mail=SQLiteMailbox(workspace.database, CALLBACK, batch_id, workspace.now),
            tokens=steps,
            clock=RealClock(),
            ask=self._ask,
            record=self._record,
            conduct=Conduct(n_calls=workspace.n_calls),
        )

    async def _ask(self, deliveries: Sequence[Delivery[JudgeMessage]]) -> Handled:
        return await judge_messages(
            deliveries,
            ports_of=lambda _: self._workspace.judge_ports,
            mode=MODE,
            now=self._workspace.now(),
        )

    def _record(self, body: str) -> object:
        return record_callback(
            read_message(body), ports=self._workspace.callback_ports, now=self._workspace.now()
        )
