"""The two streams of a command: results on standard output, everything else on standard error."""

from rich.console import Console

from assessment.domain.errors import CJError, ManyInvalidFieldsError, NotPermittedError
from runner.errors import RunnerError

# Neither keeps its stream, so that a test or a pager that replaces it is served.
OUT = Console(highlight=False)
ERR = Console(stderr=True, highlight=False)


def note(line: str) -> None:
    """A line about what the command does."""
    ERR.print(line, markup=False, soft_wrap=True)


def emit(text: str) -> None:
    """Output for another program: not wrapped, not styled."""
    OUT.print(text, markup=False, soft_wrap=True, end="")


def report(error: RunnerError | CJError) -> None:
    """An error, every problem on its own line."""
    lines = [] if isinstance(error, ManyInvalidFieldsError) else str(error).splitlines()
    if isinstance(error, CJError) and (not lines or len(error.problems) > 1):
        lines += [f"{field}: {message}" for field, message in error.problems]
    if isinstance(error, NotPermittedError):
        lines.append("whoever may read the stack's secret has these rights: --admin, or a CJ_TOKEN")
        lines.append("made by `cj token --admin`")
    for line in lines:
        ERR.print(
            f"error: {line}" if line == lines[0] else f"       {line}",
            style="red",
            markup=False,
            soft_wrap=True,
        )
