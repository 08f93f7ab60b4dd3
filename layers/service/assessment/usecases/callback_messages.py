"""Read the messages of the callback queue: callbacks, and deadlines of waves."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from assessment.contracts.callback_token import CallbackEcho
from assessment.contracts.json_text import load_json
from assessment.contracts.queue_messages import WaveDeadlineV1
from assessment.domain.errors import MalformedCallbackError
from assessment.domain.field_problems import list_problems
from assessment.domain.identifiers import is_batch_id


@dataclass(frozen=True)
class Callback:
    """A callback that names its comparison; neither its sender nor its verdict is checked yet."""

    echo: CallbackEcho
    data: dict[str, Any]

    @property
    def batch_id(self) -> str:
        """The batch that the callback names."""
        return self.echo.batch_id


def read_message(body: str) -> Callback | WaveDeadlineV1:
    """A message of the callback queue.

    Raises
    ------
    MalformedCallbackError
        If it is not JSON, or names no comparison or deadline; never with what stood for an id.
    """
    data = _read_json(body)
    if data.get("schema") == "WaveDeadlineV1":
        return _read_deadline(data)
    return Callback(CallbackEcho.read(data.get("request_metadata")), data)


def _read_json(body: str) -> dict[str, Any]:
    try:
        data = load_json(body)
    except json.JSONDecodeError as error:
        raise MalformedCallbackError(
            f"the callback is not JSON ({error.msg} at character {error.pos})", field="body"
        ) from error
    except (ValueError, RecursionError) as error:
        # A number with thousands of digits, or brackets nested thousands deep.
        raise MalformedCallbackError(
            "the callback has a number or a nesting that is too large to be read", field="body"
        ) from error
    if not isinstance(data, dict):
        raise MalformedCallbackError("the callback is not a JSON object", field="body")
    return data


def _read_deadline(data: dict[str, Any]) -> WaveDeadlineV1:
    try:
        message = WaveDeadlineV1.model_validate(data)
    except ValidationError as error:
        path, _ = list_problems(error)[0]
        raise MalformedCallbackError(
            "the deadline names no batch, wave and time with zone", field=path
        ) from None
    if not is_batch_id(message.batch_id):
        raise MalformedCallbackError("the deadline names no batch", field="batch_id")
    return message
