"""Keeps what batches on the laptop cloud have brought: the cloud forgets all when it stops."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from local.stack.processes import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from mypy_boto3_s3 import S3Client

KEPT = ROOT / "out" / "batches"
ONE_TRY = Config(retries={"total_max_attempts": 1})
"""Of a client of a cloud that may be gone: nobody who stops it should wait for further tries."""
_DOCUMENTS = ("result.json", "essays.csv", "comparisons.jsonl")


def keep_batches(s3: S3Client, folder: Path = KEPT) -> list[str]:
    """Copy the results and comparisons of every batch in every bucket into a folder.

    Parameters
    ----------
    s3
        A client of the laptop cloud.
    folder
        Where each batch gets a folder named by its id.

    Returns
    -------
    list of str
        The ids of the batches of which something was kept, sorted; empty where the cloud no longer
        answers.
    """
    batch_ids = set()
    try:
        for bucket in s3.list_buckets()["Buckets"]:
            for key in _list_documents(s3, bucket["Name"]):
                _, _, batch_id, name = key.split("/")
                target = folder / batch_id / name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(s3.get_object(Bucket=bucket["Name"], Key=key)["Body"].read())
                batch_ids.add(batch_id)
    except (BotoCoreError, ClientError):
        # Stopping must work whatever state the cloud is in.
        return sorted(batch_ids)
    return sorted(batch_ids)


def _list_documents(s3: S3Client, bucket: str) -> list[str]:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="batches/")
    keys = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
    return [key for key in keys if key.count("/") == 3 and key.endswith(_DOCUMENTS)]  # noqa: PLR2004 - batches/<organisation>/<id>/<name>
