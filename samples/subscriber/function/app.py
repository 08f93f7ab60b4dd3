"""Keeps the grades of finished batches: one item for each essay, written again without harm.

Events may come twice and in any order. Every item follows from its event alone, so keeping one
twice changes nothing, and no list of known event ids is needed.
"""

from __future__ import annotations

import hashlib
import json
import os
from decimal import Decimal
from functools import cache
from typing import Any

import boto3

SCHEMA_VERSION = 1
FAILED = "CJAssessmentFailed.v1"
# The key of the item that says why a batch has no grades; essay ids never begin with this sign.
NO_GRADES = "#failed"


@cache
def _table() -> Any:  # noqa: ANN401 - boto3 ships no types
    return boto3.resource("dynamodb").Table(os.environ["GRADES_TABLE"])


@cache
def _bucket() -> Any:  # noqa: ANN401 - boto3 ships no types
    return boto3.resource("s3").Bucket(os.environ["RESULTS_BUCKET"])


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Keep what can be kept; what cannot is received again and ends in the unreadable queue."""
    failed = []
    for record in event["Records"]:
        try:
            keep(json.loads(record["body"])["detail"])
        except Exception as error:  # noqa: BLE001 - one bad event must not hold up the others
            print(f"message {record['messageId']} was not kept: {type(error).__name__}: {error}")
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}


def keep(detail: dict[str, Any]) -> None:
    """Write the items of one event."""
    if detail["schema_version"] != SCHEMA_VERSION:
        message = f"this subscriber reads version {SCHEMA_VERSION} of events"
        raise ValueError(message)
    items = _failure(detail) if detail["event_type"] == FAILED else _grades(detail["data"])
    with _table().batch_writer() as writer:
        for item in items:
            writer.put_item(Item=item)


def _failure(detail: dict[str, Any]) -> list[dict[str, Any]]:
    data = detail["data"]
    return [{"batch_id": data["batch_id"], "essay_id": NO_GRADES, "error_info": data["error_info"]}]


def _grades(data: dict[str, Any]) -> list[dict[str, Any]]:
    result = data if data["result_included"] else _fetch_result(data)
    grades = result["grade_projections"]
    return [
        {
            "batch_id": data["batch_id"],
            "essay_id": ranking["essay_id"],
            "rank": ranking["rank"],
            "result_sha256": data["result_sha256"],
            **_grade_of(ranking["essay_id"], grades),
        }
        for ranking in result["rankings"]
        if not ranking["is_anchor"]
    ]


def _grade_of(essay_id: str, grades: dict[str, Any]) -> dict[str, Any]:
    """The published grade and how sure it is; nothing where the batch has no grades."""
    if not grades["projections_available"]:
        return {"no_grade_because": grades["reason"]}
    grade = grades["primary_grades"][essay_id]
    return {
        "grade": grade,
        "probability": Decimal(str(grades["grade_probabilities"][essay_id][grade])),
        "confidence": grades["confidence_labels"][essay_id],
        "look_again": essay_id in grades["needs_more_evidence"],
    }


def _fetch_result(data: dict[str, Any]) -> dict[str, Any]:
    """The result that was too large for its event, if it is the one that the event means."""
    body = _bucket().Object(data["result_key"]).get()["Body"].read()
    if hashlib.sha256(body).hexdigest() != data["result_sha256"]:
        message = f"{data['result_key']} is not the result that the event announced"
        raise ValueError(message)
    result: dict[str, Any] = json.loads(body)
    return result
