"""The real fit of verdicts, which calculates once what a process asks for again and again.

Half of the fits in the tests of batches, grades and commands are fits of verdicts that were fitted
before: a batch that several tests look at, a wave that is scored and then planned. A fit is a
function of its model and settings; that it is, and all that it says, is for the tests of `scoring`,
which calculate every fit.
"""

from __future__ import annotations

import hashlib
import pickle
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

import scoring.bradley_terry

FIT = "estimate_parameters"
MOST_BYTES = 64_000_000
"""Of all answers that are kept; the oldest go first."""


class RememberingFit:
    """The fit of a model, with its answers of late; every caller gets a copy of its own."""

    def __init__(self, calculate: Callable[..., Any]) -> None:
        self.calculate = calculate
        self._answers: dict[bytes, bytes] = {}
        self._n_bytes = 0
        self._lock = threading.Lock()

    def __call__(self, *arguments: Any) -> Any:
        """As the fit."""
        question = hashlib.sha256(pickle.dumps(arguments)).digest()
        answer = self._answers.get(question)
        if answer is None:
            # What is raised is not kept.
            calculated = self.calculate(*arguments)
            self._keep(question, pickle.dumps(calculated))
            return calculated
        return pickle.loads(answer)  # noqa: S301 - what was written above

    def _keep(self, question: bytes, answer: bytes) -> None:
        with self._lock:
            self._n_bytes += len(answer) - len(self._answers.pop(question, b""))
            self._answers[question] = answer
            while self._n_bytes > MOST_BYTES:
                self._n_bytes -= len(self._answers.pop(next(iter(self._answers))))


REMEMBERING = RememberingFit(getattr(scoring.bradley_terry, FIT))
"""Of all tests of a process."""


@contextmanager
def fit_once() -> Iterator[None]:
    """Let `scoring.fit` remember what it fitted."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scoring.bradley_terry, FIT, REMEMBERING)
        yield


@contextmanager
def fit_always() -> Iterator[None]:
    """Let `scoring.fit` calculate every fit."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scoring.bradley_terry, FIT, REMEMBERING.calculate)
        yield
