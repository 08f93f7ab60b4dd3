"""MiniStack, with what it lacks of AWS's behaviour: `python -m local.stack.ministack`.

- A task that waits for a token fails as soon as its function fails. MiniStack goes on waiting until
  the task's time is out, so a worker of SubmitWave that died would hold its batch for a day.
- An event of a bus or schedule whose function failed is delivered again, twice at most. MiniStack
  delivers it once, though it repeats the other invocations that nobody waits for.
- A conversation with a model needs the permission bedrock:InvokeModel on that model. MiniStack asks
  for bedrock:Converse on anything, which AWS does not know.
- Workers start as `lambda_workers` tells, conditions are read as `expressions` tells, partitions as
  `partitions` tells, policies as `policies` tells, definitions of APIs as `any_methods` tells,
  templates as `templates` tells, and requests are served as `serving` tells.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Mapping
from urllib.parse import unquote

from ministack.app import main
from ministack.core import iam_actions
from ministack.services import eventbridge, lambda_svc, stepfunctions

from local.stack import lambda_workers, serving, templates
from local.stack.any_methods import AnyMethods
from local.stack.expressions import Expressions
from local.stack.partitions import Partitions
from local.stack.policies import Policies

type Invoke = Callable[[str, object, str, Mapping[str, object]], object]
type Call = Callable[[str, object], object]

_CONVERSE_PATH = re.compile(r"/model/([^/]+)/converse(-stream)?")


class WaitingTasks:
    """Fails a waiting task whose function failed.

    MiniStack invokes the function and waits in one thread, so the token of the thread is the one
    of the task.
    """

    def __init__(self) -> None:
        self._invoke: Invoke = stepfunctions._invoke_with_callback  # noqa: SLF001 - see the module
        self._call: Call = stepfunctions._call_lambda  # noqa: SLF001
        self._waiting = threading.local()

    def install(self) -> None:
        """Put both in place of MiniStack's own."""
        stepfunctions._invoke_with_callback = self.invoke_with_callback  # noqa: SLF001
        stepfunctions._call_lambda = self.call_lambda  # noqa: SLF001

    def invoke_with_callback(
        self, resource: str, arguments: object, token: str, state: Mapping[str, object]
    ) -> object:
        """Invoke the function of a task, and wait for its token."""
        self._waiting.token = token
        try:
            return self._invoke(resource, arguments, token, state)
        finally:
            del self._waiting.token

    def call_lambda(self, function: str, event: object) -> object:
        """Invoke a function; its error is the result of the task that waits in this thread."""
        try:
            return self._call(function, event)
        except stepfunctions._ExecutionError as error:  # noqa: SLF001
            token = getattr(self._waiting, "token", None)
            task = stepfunctions._task_tokens.get(token) if token else None  # noqa: SLF001
            if task:
                task["error"] = {"Error": error.error, "Cause": error.cause}
                task["event"].set()
            raise


class Deliveries:
    """Delivers events to functions as MiniStack invokes functions that nobody waits for."""

    def __init__(self) -> None:
        self._deliver: Callable[[str, str], None] = eventbridge._dispatch_to_lambda  # noqa: SLF001

    def install(self) -> None:
        """Put it in place of MiniStack's own."""
        eventbridge._dispatch_to_lambda = self.deliver  # noqa: SLF001

    def deliver(self, function_arn: str, event: str) -> None:
        """Invoke the function with the event, again if it fails."""
        function, config, _ = lambda_svc._get_func_record_for_ref(function_arn)  # noqa: SLF001
        if not function or not config:
            self._deliver(function_arn, event)
            return
        record = lambda_svc._execution_record_for_config(function, config)  # noqa: SLF001
        lambda_svc.invoke_async_with_retry(record, json.loads(event))


class ModelPermission:
    """Asks for the permission that AWS names in its reference of Converse."""

    def __init__(self) -> None:
        self._action: Callable[..., str | None] = iam_actions.extract_iam_action
        self._resource: Callable[..., str] = iam_actions.extract_resource_arn

    def install(self) -> None:
        """Put both in place of MiniStack's own."""
        iam_actions.extract_iam_action = self.find_action
        iam_actions.extract_resource_arn = self.find_resource

    def find_action(self, service: str, method: str, path: str, *request: object) -> str | None:
        """The permission that a request needs."""
        if service == "bedrock-runtime" and _CONVERSE_PATH.fullmatch(path):
            return "bedrock:InvokeModel"
        return self._action(service, method, path, *request)

    def find_resource(self, service: str, method: str, path: str, *request: object) -> str:
        """The resource on which it needs the permission; the region is the last but one."""
        model = _CONVERSE_PATH.fullmatch(path) if service == "bedrock-runtime" else None
        if model:
            return f"arn:aws:bedrock:{request[-2]}::foundation-model/{unquote(model[1])}"
        return self._resource(service, method, path, *request)


if __name__ == "__main__":
    WaitingTasks().install()
    Deliveries().install()
    ModelPermission().install()
    Expressions().install()
    Partitions().install()
    Policies().install()
    AnyMethods().install()
    templates.install()
    lambda_workers.install()
    serving.install()
    main()
