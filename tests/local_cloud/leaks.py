"""Words of essays in places where none may be: logs, events, histories of executions, metrics."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from local.demo import Stage
from local.stack.look import peek

_RUN = re.compile(r"[A-Za-z ,]{40,}")
_LENGTH = 40
_MESSAGES = 1000
_TEXTS: dict[str, str] = {}
"""The texts that were read, by their hashes."""


def _client(stage: Stage, service: str) -> Any:
    session: Any = stage.cloud.session()
    return session.client(service, endpoint_url=stage.cloud.url)


def read_texts(stage: Stage) -> list[str]:
    """Every text that the stack keeps now, of students and anchors, each once."""
    s3, bucket = _client(stage, "s3"), stage.outputs["BucketName"]
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    keys = [each["Key"] for page in pages for each in page.get("Contents", [])]
    # The name of a text is its hash: nobody need read it again after the next file of tests.
    places = {key.rpartition("/")[2]: key for key in keys if "/texts/" in key}
    for name in places.keys() - _TEXTS.keys():
        content = s3.get_object(Bucket=bucket, Key=places[name])["Body"].read()
        _TEXTS[name] = content.decode()
    return [_TEXTS[name] for name in places]


def pick_fragments(texts: Sequence[str]) -> list[str]:
    """From each text some words in a row, of letters that no notation writes in another way."""
    runs = (max(_RUN.findall(text), key=len, default="") for text in texts)
    return [run.strip()[:_LENGTH] for run in runs if run.strip()]


def find_leaks(stage: Stage, fragments: Sequence[str], *, since: datetime) -> list[str]:
    """The places with one of the fragments, of what was written since then."""
    return [
        place
        for place, written in _read_all(stage, since)
        if any(fragment in written for fragment in fragments)
    ]


def _read_all(stage: Stage, since: datetime) -> Iterator[tuple[str, str]]:
    yield from _read_logs(stage, since)
    yield from _read_histories(stage, since)
    for event in peek(stage.cloud, stage.outputs["SubscriberQueueUrl"], rounds=_MESSAGES):
        yield f"event {event.get('detail-type')}", json.dumps(event, ensure_ascii=False)
    metrics = _client(stage, "cloudwatch").list_metrics()["Metrics"]
    yield "metrics", json.dumps(metrics, ensure_ascii=False, default=str)


def _read_logs(stage: Stage, since: datetime) -> Iterator[tuple[str, str]]:
    logs = _client(stage, "logs")
    for groups in logs.get_paginator("describe_log_groups").paginate():
        for group in groups["logGroups"]:
            name = group["logGroupName"]
            for page in logs.get_paginator("filter_log_events").paginate(
                logGroupName=name, startTime=int(since.timestamp() * 1000)
            ):
                yield name, "\n".join(line["message"] for line in page["events"])


def _read_histories(stage: Stage, since: datetime) -> Iterator[tuple[str, str]]:
    machines = _client(stage, "stepfunctions")
    for machine in machines.list_state_machines()["stateMachines"]:
        pages = machines.get_paginator("list_executions").paginate(
            stateMachineArn=machine["stateMachineArn"]
        )
        for execution in (each for page in pages for each in page["executions"]):
            if execution["startDate"] < since:
                continue
            for page in machines.get_paginator("get_execution_history").paginate(
                executionArn=execution["executionArn"]
            ):
                history = json.dumps(page["events"], ensure_ascii=False, default=str)
                yield f"execution {execution['name']}", history
