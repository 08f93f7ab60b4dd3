"""Rosters: the names that are masked in essays, one pupil a line."""

from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from assessment.domain.masking import MAX_NAMES, Masking
from runner.errors import BadInputError, Problem
from runner.text_files import read_text


def read_roster(path: Path) -> Masking:
    """Masking of everything, names too; empty lines are passed over.

    Raises
    ------
    BadInputError
        With file and line of every name that cannot be one, and never with the name.
    """
    lines = enumerate(read_text(path).splitlines(), start=1)
    names = {number: line.strip() for number, line in lines if line.strip()}
    if not 1 <= len(names) <= MAX_NAMES:
        message = f"{len(names)} names are here; write 1 to {MAX_NAMES}, one a line"
        raise BadInputError(Problem(message, file=str(path), field="--roster"))
    try:
        return Masking(names=list(names.values()))
    except ValidationError as error:
        raise BadInputError(*_locate(error, path, list(names))) from None


def _locate(error: ValidationError, path: Path, numbers: Sequence[int]) -> list[Problem]:
    wrong = error.errors(include_input=False, include_url=False)
    return [
        Problem(
            str(each["msg"]).removeprefix("Value error, "),
            file=str(path),
            row=numbers[int(each["loc"][1])],
        )
        for each in wrong
    ]
