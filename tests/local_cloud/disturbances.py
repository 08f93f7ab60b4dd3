"""Batches that are disturbed on the laptop cloud, and what of their results must be the same."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import rfc8785

from local.demo import CONFIG, Stage
from local.sample import Sample
from tests.local_cloud.running import run_batch

# Two waves of 64 comparisons of 32 texts.
SETTINGS = {**CONFIG, "max_comparisons_per_essay": 8}
# What names the run, and what its disturbances are counted as. All else is the same; a result has
# no clock.
OWN_FIELDS = {"batch_id", "correlation_id", "repeated_calls"}


def set_apart(sample: Sample) -> Sample:
    """The sample under an assignment that only disturbed batches and the quiet one have.

    What other batches of the cloud have measured of its anchors would change the grades.
    """
    own = sample.registration.model_copy(update={"assignment_id": "disturbances"})
    return replace(sample, registration=own)


def run_sample(stage: Stage, sample: Sample) -> dict[str, Any]:
    """The result of a batch of the sample, set apart, with its anchors."""
    with stage.client() as client:
        return run_batch(stage, client, set_apart(sample), config=SETTINGS)


def result_bytes(document: dict[str, Any]) -> bytes:
    """The result in its canonical form, without the run's own fields."""
    same = {name: value for name, value in document.items() if name not in OWN_FIELDS}
    return rfc8785.dumps(same)


def new_id() -> str:
    """An id that nothing has yet."""
    return str(uuid.uuid4())


@contextmanager
def visibility(stage: Stage, **seconds: int) -> Iterator[None]:
    """Let the messages of dead workers come back sooner, by the output that names their queue."""
    sqs = stage.cloud.session().client("sqs", endpoint_url=stage.cloud.url)
    before = {
        name: sqs.get_queue_attributes(
            QueueUrl=stage.outputs[name], AttributeNames=["VisibilityTimeout"]
        )["Attributes"]["VisibilityTimeout"]
        for name in seconds
    }

    def hide(name: str, value: object) -> None:
        sqs.set_queue_attributes(
            QueueUrl=stage.outputs[name], Attributes={"VisibilityTimeout": str(value)}
        )

    try:
        for name, value in seconds.items():
            hide(name, value)
        yield
    finally:
        for name, earlier in before.items():
            hide(name, earlier)
