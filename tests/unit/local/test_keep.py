"""Stopping the laptop cloud loses no result."""

import json

import boto3
from moto import mock_aws

from local.stack.keep import ONE_TRY, keep_batches

BATCH_ID = "0d9a35a5-7a3f-4a0c-9f3c-6a54f3f3c0de"


def test_results_and_comparisons_are_kept_and_nothing_else(tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with mock_aws():
        s3 = boto3.client("s3", region_name="us-east-1")
        s3.create_bucket(Bucket="content")
        for key in (
            f"batches/default/{BATCH_ID}/result.json",
            f"batches/default/{BATCH_ID}/comparisons.jsonl",
            f"batches/default/{BATCH_ID}/spec.json",
            f"batches/default/{BATCH_ID}/scores/wave-0001.json",
            "essays/default/abc.txt",
        ):
            s3.put_object(Bucket="content", Key=key, Body=json.dumps({"key": key}))
        assert keep_batches(s3, tmp_path) == [BATCH_ID]
    files = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert files == {f"{BATCH_ID}/result.json", f"{BATCH_ID}/comparisons.jsonl"}
    kept = json.loads((tmp_path / BATCH_ID / "result.json").read_text())
    assert kept == {"key": f"batches/default/{BATCH_ID}/result.json"}


def test_a_cloud_that_no_longer_answers_keeps_nobody_from_stopping(tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    gone = "http://127.0.0.1:9"
    s3 = boto3.client("s3", region_name="us-east-1", endpoint_url=gone, config=ONE_TRY)
    assert keep_batches(s3, tmp_path) == []
