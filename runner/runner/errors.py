"""What can go wrong at the command line, and the exit code that each ends in."""

from dataclasses import dataclass
from enum import IntEnum

from assessment.domain.errors import (
    CJError,
    ConflictError,
    IdempotencyConflictError,
    InvalidRequestError,
    NotFoundError,
    NotPermittedError,
)


class ExitCode(IntEnum):
    """How `cj` ends; 130 is the shell's code for Ctrl-C."""

    FINALISED = 0
    BATCH_FAILED = 1
    BAD_INPUT = 2
    NO_STACK = 3
    INTERRUPTED = 130


class RunnerError(Exception):
    """Base of the errors of this package; the message is meant for the terminal."""

    exit_code = ExitCode.NO_STACK


@dataclass(frozen=True)
class Problem:
    """One thing wrong with an input: where it is and how to correct it. Never quotes an essay."""

    message: str
    file: str | None = None
    row: int | None = None
    field: str | None = None

    def __str__(self) -> str:
        row = f"row {self.row}" if self.row is not None else None
        place = ", ".join(part for part in (self.file, row, self.field) if part)
        return f"{place}: {self.message}" if place else self.message


class BadInputError(RunnerError):
    """Files or options that cannot be used; lists every problem that was found."""

    exit_code = ExitCode.BAD_INPUT

    def __init__(self, *problems: Problem) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


class StackNotReachableError(RunnerError):
    """The stack does not answer, or answers what this version does not understand."""


class NotAuthorisedError(RunnerError):
    """The stack answers but does not accept the token or the AWS credentials."""


class BatchNotFinalisedError(RunnerError):
    """The batch ended without a result."""

    exit_code = ExitCode.BATCH_FAILED

    def __init__(self, batch_id: str, reason: str, remedy: str | None = None) -> None:
        super().__init__(f"batch {batch_id}: {reason}" + (f"\n{remedy}" if remedy else ""))
        self.batch_id = batch_id
        self.reason = reason
        self.remedy = remedy


def choose_exit_code(error: RunnerError | CJError) -> ExitCode:
    """The exit code for an error of this package or one that the API reported."""
    if isinstance(error, RunnerError):
        return error.exit_code
    if isinstance(error, NotPermittedError):
        return ExitCode.NO_STACK
    if isinstance(error, InvalidRequestError | NotFoundError | IdempotencyConflictError):
        return ExitCode.BAD_INPUT
    return ExitCode.BATCH_FAILED if isinstance(error, ConflictError) else ExitCode.NO_STACK
