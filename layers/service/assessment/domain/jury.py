"""The judges of a batch together: read from a request, and drawn for each comparison."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import ValidationError

from assessment.domain.errors import InvalidRequestError, ManyInvalidFieldsError, NotPermittedError
from assessment.domain.field_problems import list_problems
from assessment.domain.identifiers import canonical_sha256
from assessment.domain.judge import JudgeSpec, Provider
from assessment.domain.numbers import NOT_A_NUMBER, find_loose_numbers

MAX_JUDGES = 8
MAX_JUDGES_BYTES = 40_000
"""All judges of a batch together: they are stored in the one item of the batch."""

_DIGITS = 13
"""Hexadecimal digits of a draw: 52 bits, so that every value is exactly a float."""


def read_judges(value: object, *, is_admin: bool) -> tuple[JudgeSpec, ...]:
    """The judges of a request: none stands for the stack's own, a list for a jury.

    Raises
    ------
    ManyInvalidFieldsError
        With the path of every wrong field.
    NotPermittedError
        If someone other than an administrator names an endpoint: it would receive the essays.
    """
    if value is None:
        return (JudgeSpec(),)
    located = _locate_entries(value)
    if not 1 <= len(located) <= MAX_JUDGES:
        raise InvalidRequestError(f"give one judge, or a list of 2 to {MAX_JUDGES}", field="judge")
    judges = tuple(_read_judge(entry, path) for path, entry in located)
    if not is_admin:
        _refuse_endpoints(judges, [path for path, _ in located])
    _check_jury(judges)
    _check_size(judges)
    return judges


def _locate_entries(value: object) -> list[tuple[str, object]]:
    """The entries of the request's `judge`, each with its path."""
    if not isinstance(value, list):
        return [("judge", value)]
    return [(f"judge[{n}]", entry) for n, entry in enumerate(value)]


def _read_judge(entry: object, path: str) -> JudgeSpec:
    if not isinstance(entry, dict):
        raise InvalidRequestError("send an object such as {provider, model}", field=path)
    if loose := find_loose_numbers(JudgeSpec, entry):
        raise ManyInvalidFieldsError([(f"{path}.{name}", NOT_A_NUMBER) for name in loose])
    try:
        return JudgeSpec.model_validate(entry)
    except ValidationError as error:
        raise ManyInvalidFieldsError(list_problems(error, prefix=path)) from None


def _refuse_endpoints(judges: Sequence[JudgeSpec], paths: Sequence[str]) -> None:
    for judge, path in zip(judges, paths, strict=True):
        if judge.base_url:
            raise NotPermittedError(
                "only an administrator may name an endpoint", field=f"{path}.base_url"
            )


def _check_size(judges: Sequence[JudgeSpec]) -> None:
    size = sum(len(judge.model_dump_json().encode()) for judge in judges)
    if size > MAX_JUDGES_BYTES:
        raise InvalidRequestError(
            f"the judges have {size} bytes with their templates; {MAX_JUDGES_BYTES} are allowed: "
            "use a template of the registry, or shorten template_source",
            field="judge",
        )


def _check_jury(judges: Sequence[JudgeSpec]) -> None:
    if sum(judge.provider is Provider.PERSON for judge in judges) > 1:
        raise InvalidRequestError(
            "name the provider person once; every person is a judge of their own", field="judge"
        )
    labels = [judge.label for judge in judges]
    if len(judges) > 1 and (len(set(labels)) < len(labels) or None in labels):
        raise InvalidRequestError(
            "give each judge of the jury a `name` of its own; its verdicts are fitted under it",
            field="judge",
        )


def draw_judge(comparison_id: str, judges: Sequence[JudgeSpec]) -> JudgeSpec:
    """The judge of a comparison: a draw by hash in proportion to the shares, always the same."""
    total = sum(judge.share for judge in judges)
    digest = canonical_sha256([comparison_id, [judge.label for judge in judges]])
    remainder = int(digest[:_DIGITS], 16) / 16**_DIGITS * total
    for judge in judges:
        remainder -= judge.share
        if remainder < 0:
            return judge
    return judges[-1]
