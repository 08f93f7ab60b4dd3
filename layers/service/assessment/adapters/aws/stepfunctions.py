"""The state machine: one Standard execution per batch, named by the batch id."""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import ClientError

# A settled or expired token means that somebody else woke the execution: not an error.
_SETTLED = {"TaskTimedOut", "TaskDoesNotExist", "InvalidToken"}


class StepFunctionsWorkflow:
    """Starts, wakes, fails and restarts executions."""

    def __init__(self, client: Any, state_machine_arn: str) -> None:
        self._client = client
        self._arn = state_machine_arn

    def start(self, batch_id: str) -> None:
        """Start the execution; one of this name that exists already is the same start."""
        try:
            self._client.start_execution(
                stateMachineArn=self._arn,
                name=batch_id,
                input=json.dumps({"batch_id": batch_id}),
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ExecutionAlreadyExists":
                raise

    def wave_closed(self, token: str, output: dict[str, Any]) -> None:
        """Let the execution go on."""
        try:
            self._client.send_task_success(taskToken=token, output=json.dumps(output))
        except ClientError as error:
            if error.response["Error"]["Code"] not in _SETTLED:
                raise

    def wave_failed(self, token: str, *, error: str, cause: str) -> None:
        """Fail the waiting state under an error name that the state machine knows."""
        try:
            self._client.send_task_failure(taskToken=token, error=error, cause=cause[:1000])
        except ClientError as refused:
            if refused.response["Error"]["Code"] not in _SETTLED:
                raise

    def is_running(self, batch_id: str) -> bool:
        """Whether the batch's execution exists and runs."""
        return self._status(batch_id) == "RUNNING"

    def redrive(self, batch_id: str) -> bool:
        """Restart a failed execution where it failed."""
        if self._status(batch_id) not in ("FAILED", "TIMED_OUT", "ABORTED"):
            return False
        try:
            self._client.redrive_execution(executionArn=self._execution(batch_id))
        except ClientError:
            return False
        return True

    def stop(self, batch_id: str, *, cause: str) -> None:
        """Abort the execution if it runs."""
        if self.is_running(batch_id):
            self._client.stop_execution(executionArn=self._execution(batch_id), cause=cause)

    def _status(self, batch_id: str) -> str | None:
        try:
            status: str = self._client.describe_execution(executionArn=self._execution(batch_id))[
                "status"
            ]
        except ClientError as error:
            if error.response["Error"]["Code"] == "ExecutionDoesNotExist":
                return None
            raise
        return status

    def _execution(self, batch_id: str) -> str:
        return f"{self._arn.replace(':stateMachine:', ':execution:')}:{batch_id}"
