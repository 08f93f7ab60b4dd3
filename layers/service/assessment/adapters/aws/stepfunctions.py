"""The state machine: Standard executions, the first of a batch named by the batch id."""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import ClientError

from assessment.adapters.aws.errors import error_code, wrap_client

# A settled or expired token means that another worker resumed the execution: not an error.
_SETTLED = {"TaskTimedOut", "TaskDoesNotExist", "InvalidToken"}


class StepFunctionsWorkflow:
    """Starts, resumes, fails and stops executions."""

    def __init__(self, client: Any, state_machine_arn: str) -> None:
        self._client = wrap_client(client)
        self._arn = state_machine_arn

    def start(self, batch_id: str, *, name: str) -> bool:
        """Start an execution; the name of one that has ended is not free for months."""
        try:
            self._client.start_execution(
                stateMachineArn=self._arn,
                name=name,
                input=json.dumps({"batch_id": batch_id}),
            )
        except ClientError as error:
            if error_code(error) != "ExecutionAlreadyExists":
                raise
            return self.is_running(name)
        return True

    def report_closed(self, token: str, output: dict[str, Any]) -> bool:
        """Let the execution go on; False if the token was settled before."""
        try:
            self._client.send_task_success(taskToken=token, output=json.dumps(output))
        except ClientError as error:
            if error_code(error) not in _SETTLED:
                raise
            return False
        return True

    def report_failed(self, token: str, *, error: str, cause: str) -> bool:
        """Fail the waiting state under an error name that the state machine knows."""
        try:
            self._client.send_task_failure(taskToken=token, error=error, cause=cause[:1000])
        except ClientError as refused:
            if error_code(refused) not in _SETTLED:
                raise
            return False
        return True

    def is_running(self, name: str) -> bool:
        """Whether an execution of this name exists and runs."""
        try:
            execution = self._client.describe_execution(executionArn=self._execution(name))
        except ClientError as error:
            if error_code(error) == "ExecutionDoesNotExist":
                return False
            raise
        return bool(execution["status"] == "RUNNING")

    def stop(self, name: str, *, cause: str) -> None:
        """Abort the execution if it runs."""
        if self.is_running(name):
            self._client.stop_execution(executionArn=self._execution(name), cause=cause)

    def _execution(self, name: str) -> str:
        return f"{self._arn.replace(':stateMachine:', ':execution:')}:{name}"
