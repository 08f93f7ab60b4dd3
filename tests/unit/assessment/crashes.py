"""Run a step with a crash at every port call in turn, and once more undisturbed."""

from __future__ import annotations

from collections.abc import Callable

from tests.fakes.faults import CrashError, Fault


def crash_everywhere[S](
    start: Callable[[], S], step: Callable[[S, Fault | None], object], *, after: bool
) -> list[S]:
    """The states after a crash at every port call and one undisturbed repetition."""
    survivors: list[S] = []
    for at in range(1, 500):
        state = start()
        try:
            step(state, Fault(at, after))
        except CrashError:
            step(state, None)
            survivors.append(state)
        else:
            assert survivors, "no port call was reached"
            return survivors
    message = "the step never ran through"
    raise AssertionError(message)
