"""A workspace: a folder in which batches run without a cloud.

It holds a database and the texts. The use cases and their ports are those of the cloud; only the
adapters of AWS are replaced.
"""

from __future__ import annotations

import fcntl
import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import httpx

from assessment.adapters.aws.capability_store import DynamoDBCapabilities
from assessment.adapters.folder_content import FolderContentEraser, FolderContentStore
from assessment.adapters.item_table import ItemTable
from assessment.adapters.judges.bedrock_jobs import JobAccess
from assessment.adapters.judges.registry import ModelAccess, ProviderJudges
from assessment.adapters.prompts import JinjaPrompts
from assessment.adapters.sqlite.database import Database
from assessment.adapters.sqlite.events import SQLiteEvents
from assessment.adapters.sqlite.item_table import SQLiteItemTable
from assessment.adapters.sqlite.queues import SQLiteCallbackQueue, SQLiteJudgeQueue
from assessment.adapters.sqlite.workflow import SQLiteWorkflow
from assessment.bootstrap import clients
from assessment.bootstrap.clients import Clients
from assessment.bootstrap.composition import Composition
from assessment.contracts.erasure import EraseRequestV1, SweepAnchorsV1
from assessment.contracts.llm_protocol import CallbackAddress
from assessment.domain.errors import InvalidRequestError, MissingSettingError
from assessment.domain.judge import BatchingMode, JudgeSpec, Provider
from assessment.ports.erasure import ContentEraser, ErasureQueue
from assessment.ports.groups import JudgePorts
from assessment.ports.judging import JudgeCheck, Judges
from assessment.settings import Settings
from runner.errors import BadInputError, Problem
from runner.offline.embeddings import EmbeddingContributions, check_embeddings
from runner.offline.keys import EnvironmentKeys

DATABASE = "cj.sqlite3"
ENDPOINT_VARIABLE = "CJ_JUDGE_URL"
_MARGIN_OF_CONNECTIONS = 10
# Texts of students do not belong into anybody's repository.
_IGNORE = "*\n"
_NOWHERE = "http://127.0.0.1"


class BatchIsDrivenError(BadInputError):
    """Another process of this machine drives the batch."""

    def __init__(self, batch_id: str) -> None:
        super().__init__(Problem(f"batch {batch_id} is run by another process here"))


class OfflineClients(Clients):
    """Clients with as many connections as there are calls at a time."""

    def __init__(self, n_calls: int) -> None:
        super().__init__()
        self._n_calls = n_calls

    def renew_http(self) -> httpx.AsyncClient:
        """A new HTTP client: connections belong to an event loop."""
        most = self._n_calls + _MARGIN_OF_CONNECTIONS
        limits = httpx.Limits(max_connections=most, max_keepalive_connections=most)
        client = clients.http_client(limits)
        self.__dict__["http"] = client
        return client


class _NoQueue:
    """What is asked for is done at once by who asks."""

    def send(self, message: EraseRequestV1 | SweepAnchorsV1, *, delay_seconds: int = 0) -> None:
        """Do nothing."""


class OfflineJudgePorts(JudgePorts):
    """Ports whose endpoints call back over HTTP to this process: they reach no queue here."""

    def callback_address(self, judge: JudgeSpec) -> CallbackAddress:
        """Where the judge's endpoint is to send its verdicts."""
        del judge
        return CallbackAddress(kind="webhook", url=self.webhook_url)


class OfflineJudgeCheck:
    """Finds out when a batch is requested what would fail in the middle of it."""

    def __init__(self, keys: EnvironmentKeys, endpoint_url: str) -> None:
        self._keys = keys
        self._endpoint_url = endpoint_url

    def check(self, judge: JudgeSpec) -> None:
        """Refuse a template that loses an essay, what is not there, and judges of stacks."""
        JinjaPrompts().check(judge)
        if judge.needs_embeddings:
            check_embeddings()
        if judge.provider is Provider.PERSON:
            raise InvalidRequestError(
                "people are asked through the API of a stack: leave out --offline",
                field="judge.provider",
            )
        uses_batches = judge.uses_provider_batches(BatchingMode.SERIAL_BUNDLE)
        if judge.provider is Provider.BEDROCK and uses_batches:
            raise InvalidRequestError(
                "Bedrock's batches read from a bucket of a stack: leave out --offline, or choose "
                "serial_bundle",
                field="judge.batching_mode",
            )
        if judge.secret_name and not self._keys.exists(judge.secret_name):
            raise InvalidRequestError(
                f"there is no key for {judge.secret_name}: set "
                f"{self._keys.get_variable(judge.secret_name)}",
                field="judge.api_key_secret",
            )
        is_endpoint = judge.provider is Provider.CALLBACK_ENDPOINT
        if is_endpoint and not (judge.base_url or self._endpoint_url):
            raise InvalidRequestError(
                f"say where the endpoint is: base_url, or {ENDPOINT_VARIABLE}",
                field="judge.base_url",
            )


class Workspace(Composition[Settings]):
    """The adapters of one folder, and the ports of the use cases made of them."""

    def __init__(self, folder: Path, *, n_calls: int, environment: Mapping[str, str]) -> None:
        endpoint_url = environment.get(ENDPOINT_VARIABLE, "").strip()
        self._offline_clients = OfflineClients(n_calls)
        super().__init__(
            Settings(judge_endpoint_url=endpoint_url, api_url=_NOWHERE), self._offline_clients
        )
        self.folder = folder
        self.callback_url = ""
        self._own_judges: Judges | None = None
        self.n_calls = n_calls
        self._environment = environment
        self.database = Database(folder / DATABASE)
        self.sqlite_workflow = SQLiteWorkflow(self.database)

    @classmethod
    @contextmanager
    def open_folder(
        cls,
        folder: Path,
        *,
        n_calls: int = 10,
        environment: Mapping[str, str] = os.environ,
        create: bool = False,
    ) -> Iterator[Workspace]:
        """The workspace in a folder, closed at the end; `create` makes a new one.

        Raises
        ------
        BadInputError
            If there is none and none is to be made.
        CorruptStoreError
        """
        _require_workspace(folder, create=create)
        workspace = cls(folder, n_calls=n_calls, environment=environment)
        try:
            yield workspace
        finally:
            workspace.database.close()

    @staticmethod
    def now() -> datetime:
        """The present moment."""
        return datetime.now(UTC)

    @contextmanager
    def driving(self, batch_id: str) -> Iterator[None]:
        """Be the only process that drives the batch; a process that dies gives it up.

        Raises
        ------
        BatchIsDrivenError
        """
        locks = self.folder / "locks"
        locks.mkdir(exist_ok=True)
        with (locks / batch_id).open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise BatchIsDrivenError(batch_id) from None
            yield

    # --- what replaces AWS -----------------------------------------------------------------------

    @cached_property
    def table(self) -> ItemTable:
        """The one table."""
        return SQLiteItemTable(self.database)

    @property
    def references(self) -> None:
        """There is no place to store texts before a request brings them."""
        return

    @cached_property
    def content(self) -> FolderContentStore:
        """Essay texts and documents."""
        return FolderContentStore(self.folder / "content")

    @cached_property
    def content_eraser(self) -> ContentEraser:
        """What removes documents permanently."""
        return FolderContentEraser(self.folder / "content", self.content)

    @cached_property
    def erasure_queue(self) -> ErasureQueue:
        """No queue: whoever asks for an erasure does all of it."""
        return _NoQueue()

    @cached_property
    def judge_queue(self) -> SQLiteJudgeQueue:
        """The queue to the judges."""
        return SQLiteJudgeQueue(self.database, self.now)

    @cached_property
    def callback_queue(self) -> SQLiteCallbackQueue:
        """The queue of verdicts."""
        return SQLiteCallbackQueue(self.database, self.now)

    @property
    def workflow(self) -> SQLiteWorkflow:
        """The executions."""
        return self.sqlite_workflow

    @cached_property
    def events(self) -> SQLiteEvents:
        """The events."""
        return SQLiteEvents(self.database)

    @cached_property
    def judge_keys(self) -> EnvironmentKeys:
        """The providers' keys."""
        return EnvironmentKeys(self._environment)

    @cached_property
    def judge_check(self) -> JudgeCheck:
        """What can be known of a judge before it is asked."""
        return OfflineJudgeCheck(self.judge_keys, self.settings.judge_endpoint_url)

    @cached_property
    def judges(self) -> Judges:
        """All providers, or those that took their place."""
        if self._own_judges is not None:
            return self._own_judges
        return ProviderJudges(
            ModelAccess(
                http=lambda: self._clients.http,
                bedrock=self._clients.bedrock,
                jobs=JobAccess(
                    client=_refuse_jobs, content=lambda: self.content, bucket="", role_arn=""
                ),
                keys=self.judge_keys,
                capabilities=DynamoDBCapabilities(self.table),
                endpoint_url=self.settings.judge_endpoint_url,
                embeddings=EmbeddingContributions(),
            )
        )

    @cached_property
    def judge_ports(self) -> JudgePorts:
        """For asking judges."""
        return OfflineJudgePorts(**{**vars(super().judge_ports), "webhook_url": self.callback_url})

    def replace_judges(self, judges: Judges) -> None:
        """Ask these judges, whatever a batch names: for simulations."""
        self._own_judges = judges
        self._forget_judges()

    def replace_judge_check(self, check: JudgeCheck) -> None:
        """Check judges in this way only."""
        self.__dict__["judge_check"] = check

    def _forget_judges(self) -> None:
        for name in ("judges", "judge_ports"):
            self.__dict__.pop(name, None)

    def renew_http(self) -> httpx.AsyncClient:
        """A new HTTP client for the event loop that runs, and judges that use it."""
        self._forget_judges()
        return self._offline_clients.renew_http()


def _refuse_jobs() -> object:
    raise MissingSettingError("Bedrock's batches need the bucket of a stack")


def _require_workspace(folder: Path, *, create: bool) -> None:
    if (folder / DATABASE).exists():
        return
    if not create:
        raise BadInputError(
            Problem(
                "holds no batches: `cj execute --offline` makes a workspace; name another folder "
                "with --workspace or CJ_WORKSPACE",
                file=str(folder),
            )
        )
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / ".gitignore").write_text(_IGNORE)
    except OSError as error:
        message = f"cannot be made a workspace: {error.strerror}"
        raise BadInputError(Problem(message, file=str(folder), field="--workspace")) from None


def make_token(batch_id: str, wave_number: int) -> str:
    """A token that no execution before has had."""
    return f"{batch_id}/{wave_number}/{uuid.uuid4().hex}"
