"""A simulated AWS account: clients that cost little, and the resources that adapters need."""

from __future__ import annotations

from functools import cache
from typing import Any

import boto3

from assessment.adapters.aws.dynamodb import Table

REGION = "eu-north-1"


@cache
def client(service: str) -> Any:
    """One client for all tests: making one takes longer than most tests."""
    return boto3.client(  # type: ignore[call-overload]
        service, region_name=REGION, aws_access_key_id="testing", aws_secret_access_key="testing"
    )


def create_table(name: str = "cj-table") -> Table:
    """The one table, as template.yaml declares its keys."""
    keys = (("PK", "HASH"), ("SK", "RANGE"))
    client("dynamodb").create_table(
        TableName=name,
        KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in keys],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key, _ in keys],
        BillingMode="PAY_PER_REQUEST",
    )
    return Table(client("dynamodb"), name)


def create_bucket(name: str = "cj-bucket") -> str:
    """A bucket; its name."""
    client("s3").create_bucket(
        Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    return name
