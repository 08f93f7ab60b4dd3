"""Answers of the API as models, whose version this command must understand."""

import hashlib
from collections.abc import Mapping
from typing import Any

import httpx
from pydantic import BaseModel, ValidationError

from assessment.contracts.result import ResultDocument
from assessment.domain.field_problems import list_problems
from runner.errors import StackNotReachableError


def read_answer[M: BaseModel](model: type[M], response: httpx.Response) -> M:
    try:
        return model.model_validate_json(response.content)
    except ValidationError as error:
        raise _explain_unreadable(error) from None


def check_sha256(body: bytes, announced: str | None) -> None:
    """Hold a result's bytes to the hash that the stack announced.

    Raises
    ------
    StackNotReachableError
        If they are other bytes.
    """
    if announced is not None and hashlib.sha256(body).hexdigest() != announced:
        raise StackNotReachableError(
            f"the result's bytes do not have the SHA-256 {announced} that the stack announced; "
            "ask for it again"
        )


def parse_result(document: Mapping[str, Any]) -> ResultDocument:
    """A result document as a model.

    Raises
    ------
    StackNotReachableError
        If the stack has another version of the document than this command.
    """
    try:
        return ResultDocument.model_validate(document)
    except ValidationError as error:
        raise _explain_unreadable(error) from None


def _explain_unreadable(error: ValidationError) -> StackNotReachableError:
    fields = {path for path, _ in list_problems(error)}
    return StackNotReachableError(
        f"this version of cj does not understand the stack's answer ({', '.join(sorted(fields))}); "
        "install the version that the stack was deployed from"
    )
